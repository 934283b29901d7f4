//! `go fmt`: the toolchain's gofmt on the files of packages.

use clap::{Args, FromArgMatches};
use steady_packages::package::Package;
use steady_system::process::Command;

use crate::command::{self, Kind};
use crate::configs::{self, BuildRequest};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, Chdir, ModCommon, ModFlag, Trace};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest, Request};
use crate::modules::short_path;
use crate::session::Session;

#[derive(Args)]
struct FmtFlags {
    #[command(flatten)]
    trace: Trace,
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
}

/// `go fmt`
pub static FMT: command::Command = command::Command {
    usage: "go fmt [-n] [-x] [packages]",
    short: "gofmt (reformat) package sources",
    long: include_str!("../help/text/fmt.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<FmtFlags>,
        run,
    },
};

/// Bytes of names on one command line: far below what any system allows.
const MOST_BYTES: usize = 100_000;

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = FmtFlags::from_arg_matches(&parsed.matches)?;
    let build = BuildFlags::default();
    let request = Request::of(
        BuildRequest::of(&build),
        ModRequest::of(&flags.modmode, &flags.modules),
    );
    let bench = loading::prepare(session, request)?;
    let loaded = bench.load(session, &parsed.arguments)?;
    let gofmt = Gofmt {
        session,
        trace: &flags.trace,
        program: program(session),
    };
    let mut names = Vec::new();
    let mut told = false;
    for id in &loaded.roots {
        let package = &loaded.set[*id];
        if bench.modules.enabled()
            && package
                .public
                .module
                .as_ref()
                .is_some_and(|module| !module.main)
        {
            if !std::mem::replace(&mut told, true) {
                session
                    .printer
                    .note("go: not formatting packages in dependency modules");
            }
            continue;
        }
        let files = sources(package);
        if let Some(error) = &package.public.error
            && !error.is_no_go
            && (!is_embed(&error.err) || files.is_empty())
        {
            session.printer.error_plain(error.to_string());
            continue;
        }
        let cwd = session.environment().cwd();
        names.extend(files.iter().map(|file| short_path(cwd, file)));
        if names.iter().map(String::len).sum::<usize>() > MOST_BYTES {
            gofmt.run(&names)?;
            names.clear();
        }
    }
    if !names.is_empty() {
        gofmt.run(&names)?;
    }
    Ok(Status::DONE)
}

/// An embedded file that is missing does not keep the code from being formatted.
fn is_embed(error: &str) -> bool {
    error.starts_with("pattern ") && error.contains("no matching files found")
}

/// gofmt beside the user's own programs, in the toolchain, or on the search path.
fn program(session: &Session) -> String {
    let settings = &session.settings;
    let bin = Some(settings.get("GOBIN"))
        .filter(|dir| !dir.is_empty())
        .map(camino::Utf8PathBuf::from);
    let goroot = settings.goroot.as_ref().map(|goroot| goroot.join("bin"));
    let mut places = [bin, goroot]
        .into_iter()
        .flatten()
        .map(|dir| dir.join("gofmt"));
    places
        .find(|path| session.files.exists(path))
        .map_or_else(|| "gofmt".to_owned(), camino::Utf8PathBuf::into_string)
}

/// Every .go file of the package's directory, whatever its constraints.
fn sources(package: &Package) -> Vec<camino::Utf8PathBuf> {
    let (public, files) = (&package.public, &package.public.files);
    let lists = [
        &files.ignored_go_files,
        &files.cgo_files,
        &files.go_files,
        &public.test_go_files,
        &public.x_test_go_files,
        &files.invalid_go_files,
    ];
    let mut names: Vec<&String> = lists.into_iter().flatten().collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .map(|name| camino::Utf8Path::new(&public.dir).join(name))
        .collect()
}

struct Gofmt<'a> {
    session: &'a Session,
    trace: &'a Trace,
    program: String,
}

impl Gofmt<'_> {
    fn run(&self, names: &[String]) -> Result<()> {
        let words = ["-l", "-w"]
            .into_iter()
            .chain(names.iter().map(String::as_str));
        if self.trace.n || self.trace.x {
            let line: Vec<&str> = std::iter::once(self.program.as_str())
                .chain(words.clone())
                .collect();
            self.session.printer.out(format!("{}\n", line.join(" ")));
        }
        if self.trace.n {
            return Ok(());
        }
        self.session.printer.flush();
        let environment = configs::tool_environment(&self.session.settings)
            .into_iter()
            .fold(
                self.session.environment().clone(),
                |environment, (name, value)| environment.with(&name, value),
            );
        let mut command = Command::new(self.program.as_str(), &environment);
        command.args(words);
        match command.foreground() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => {
                self.session.printer.error_plain(status.to_string());
                Ok(())
            }
            Err(error) => Err(Failure::plain(error.to_string())),
        }
    }
}

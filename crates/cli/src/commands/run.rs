//! `go run`.

use camino::Utf8Path;
use clap::{Args, FromArgMatches};
use steady_build::command::Runnable;
use steady_packages::package::PackageId;
use steady_system::process::Command;
use steady_system::{Environment, Question};

use crate::answers::Program;
use crate::bail;
use crate::command::{self, Kind};
use crate::commands::build::{names_version, outside, request, sink};
use crate::configs::{self, SWITCH_COUNT};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::flags::value::{self, Words};
use crate::flags::{Parsed, define};
use crate::loading;
use crate::printer::Printer;
use crate::programs::Wanted;
use crate::session::Session;

#[derive(Args)]
struct RunFlags {
    #[command(flatten)]
    build: FullBuildFlags,
    /// Run the program through this one
    #[arg(long, value_name = "xprog", value_parser = value::words)]
    exec: Option<Words>,
}

/// `go run`
pub static RUN: command::Command = command::Command {
    usage: "go run [build flags] [-exec xprog] package [arguments...]",
    short: "compile and run Go program",
    long: include_str!("../help/text/run.txt"),
    examples: &[
        (
            "a program of this workspace",
            "steady run ./cmd/app -addr :8080",
        ),
        (
            "a tool at its latest version",
            "steady run example.com/cmd/tool@latest ./...",
        ),
    ],
    kind: Kind::Run {
        flags: define::<RunFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = RunFlags::from_arg_matches(&parsed.matches)?;
    let words = parsed.arguments.as_slice();
    let files = words
        .iter()
        .take_while(|word| word.ends_with(".go"))
        .count();
    if let Some(file) = words[..files]
        .iter()
        .find(|file| file.ends_with("_test.go"))
    {
        bail!("cannot run *_test.go files ({file})");
    }
    let (patterns, arguments) = match words {
        _ if files > 0 => words.split_at(files),
        [first, ..] if !first.starts_with('-') => words.split_at(1),
        _ => bail!("no go files listed"),
    };
    let (mut bench, mut loaded) = if files == 0 && names_version(&patterns[0]) {
        let bench = loading::prepare(session, outside(request(&flags.build, "", false)))?;
        let (loaded, _) = bench.load_outside(session, patterns)?;
        (bench, loaded)
    } else {
        let bench = loading::prepare(session, request(&flags.build, "", false))?;
        must_be_there(session, &words[..files])?;
        let loaded = bench.load(session, patterns)?;
        (bench, loaded)
    };
    if files == 0 {
        loading::mains_only(session, &mut loaded);
    }
    let package = match loaded.roots.as_slice() {
        [package] => *package,
        [] => bail!("no packages loaded from {}", patterns[0]),
        several => {
            let paths: Vec<&str> = several
                .iter()
                .map(|id| loaded.set[*id].public.import_path.as_str())
                .collect();
            bail!(
                "pattern {} matches multiple packages:\n\t{}",
                patterns[0],
                paths.join("\n\t")
            );
        }
    };
    let wanted = Wanted {
        build: &flags.build.build,
        modules: &bench.modules,
        loaded: &loaded,
    };
    must_be_program(session, &wanted, package)?;
    let exec = flags.exec.clone().unwrap_or_default().0;
    bench.config.explain = flags.build.explain.explain;
    let sink = sink(session, &flags.build);
    let dry = bench.config.flags.n;
    let runnable = steady_build::command::run(bench.config, &mut loaded.set, package, &exec, sink)?;
    if runnable.outcome.failed || runnable.outcome.interrupted {
        let wanted = Wanted {
            build: &flags.build.build,
            modules: &bench.modules,
            loaded: &loaded,
        };
        let hint = wanted.mistake(session, &[package]);
        return Err(Failure::Said(Status::FAILED).hinted(hint));
    }
    runnable.show(arguments);
    if dry {
        return Ok(Status::DONE);
    }
    let Some(program) = program_of(session, &runnable, arguments) else {
        return Ok(Status::DONE);
    };
    if exec.is_empty() && runnable.command.len() == 1 {
        remember(session, &program, &runnable.program);
    }
    let environment = &session.settings.environment;
    Ok(start(&session.printer, environment, &program))
}

/// Whether files that are named are there: what ends in `.go` is one for `run`, never a package.
fn must_be_there(session: &Session, files: &[String]) -> Result<()> {
    for file in files {
        if let Err(error) = session.files.stat(file) {
            return Err(Failure::plain(format!("stat {file}: {}", error.cause())));
        }
    }
    Ok(())
}

/// Says what keeps the package from being built, or from being a program.
fn must_be_program(session: &Session, wanted: &Wanted<'_>, id: PackageId) -> Result<()> {
    let package = &wanted.loaded.set[id];
    let is_main = package.public.name == "main";
    loading::check(session, wanted.loaded).map_err(|failure| {
        // Other errors say themselves what is wrong.
        let own = package.public.error.as_ref();
        let hint = own.filter(|error| error.is_no_go || !is_main);
        failure.hinted(hint.and_then(|_| wanted.hint(session, &[id])))
    })?;
    if is_main {
        return Ok(());
    }
    let path = package.description();
    let failure = Failure::plain(format!("package {path} is not a main package"));
    Err(failure.hinted(wanted.hint(session, &[id])))
}

fn program_of(session: &Session, runnable: &Runnable, arguments: &[String]) -> Option<Program> {
    if runnable.command.is_empty() {
        return None;
    }
    let environment = configs::program_environment(&session.settings);
    Some(Program {
        command: [&runnable.command, arguments].concat(),
        path: environment.get("PATH").to_owned(),
    })
}

/// Where everything was found built, it is started again without a look at anything but whether that still holds. That is kept now:
/// the program may run for days, and how it ends has nothing to do with it.
fn remember(session: &Session, program: &Program, executable: &Utf8Path) {
    let (Some(memory), Some(sightings)) = (&session.memory, session.files.sightings()) else {
        return;
    };
    sightings.look(executable, Question::Stamp);
    if let Some(text) = session.printer.take_record() {
        memory.keep(&text, Some(program.clone()));
    }
}

/// Runs the program with the standard streams. Its exit code is told, not taken over: that is go's way.
pub fn start(printer: &Printer, environment: &Environment, program: &Program) -> Status {
    let Some((name, arguments)) = program.command.split_first() else {
        return Status::DONE;
    };
    printer.flush();
    let environment = environment
        .clone()
        .without(SWITCH_COUNT)
        .with("PATH", &program.path);
    let mut command = Command::new(name.as_str(), &environment);
    command.args(arguments);
    match command.foreground() {
        Ok(status) if status.success() => Status::DONE,
        Ok(status) => {
            printer.note(status.to_string());
            Status::FAILED
        }
        Err(error) => {
            printer.note(error.to_string());
            Status::FAILED
        }
    }
}

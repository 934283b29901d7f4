//! `go build` and `go install`.

use clap::{Args, FromArgMatches};
use std::sync::Arc;
use steady_build::{Outcome, Sink};
use steady_packages::load::Loaded;
use steady_packages::modload::Modules;
use steady_packages::package::{Package, PackageError, PackageId};

use crate::build_events::BuildEvents;
use crate::command::{Command, Kind};
use crate::commands::freeze;
use crate::configs::BuildRequest;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, FullBuildFlags};
use crate::flags::{Parsed, define, grammar};
use crate::loading::{self, ModRequest, Request};
use crate::programs::Wanted;
use crate::session::Session;

#[derive(Args)]
struct BuildOnly {
    /// Write the result to this file or directory
    #[arg(long, value_name = "output")]
    o: Option<String>,
    /// Build this program again from its build info, and say whether the bytes agree
    #[arg(long, value_name = "file", help_heading = grammar::OWN)]
    reproduce: Option<String>,
    #[command(flatten)]
    build: FullBuildFlags,
}

/// `go build`
pub static BUILD: Command = Command {
    usage: "go build [-o output] [build flags] [packages]",
    short: "compile packages and dependencies",
    long: include_str!("../help/text/build.txt"),
    examples: &[
        (
            "the program of a directory",
            "steady build -o bin/ ./cmd/app",
        ),
        ("check that everything compiles", "steady build ./..."),
        (
            "for another system",
            "GOOS=linux GOARCH=arm64 steady build ./cmd/app",
        ),
    ],
    kind: Kind::Run {
        flags: define::<BuildOnly>,
        run: build,
    },
};

/// `go install`
pub static INSTALL: Command = Command {
    usage: "go install [build flags] [packages]",
    short: "compile and install packages and dependencies",
    long: include_str!("../help/text/install.txt"),
    examples: &[(
        "a program of somebody else's module",
        "steady install example.com/cmd/tool@latest",
    )],
    kind: Kind::Run {
        flags: define::<FullBuildFlags>,
        run: install,
    },
};

fn build(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = BuildOnly::from_arg_matches(&parsed.matches)?;
    if let Some(file) = &flags.reproduce {
        session.spoil_answer();
        return freeze::reproduce::run(session, file, &flags.build);
    }
    let output = flags.o.clone().unwrap_or_default();
    let mut bench = loading::prepare(session, request(&flags.build, &output, true))?;
    bench.config.explain = flags.build.explain.explain;
    let mut loaded = bench.load(session, &parsed.arguments)?;
    let sink = sink(session, &flags.build);
    check_wanted(
        session,
        &wanted(&flags.build, &bench.modules, &loaded),
        &flags.build,
        &sink,
    )?;
    tell_of_unused_flags(session, &flags.build.build);
    let roots = loaded.roots.clone();
    let outcome = steady_build::command::build(
        bench.config,
        &mut loaded.set,
        &roots,
        &parsed.arguments,
        sink,
    );
    let wanted = wanted(&flags.build, &bench.modules, &loaded);
    match outcome {
        Ok(outcome) if outcome.failed => Err(refused(session, &wanted, &roots)),
        Ok(outcome) => Ok(ended(&outcome)),
        // Of what was asked for nothing is a program.
        Err(error) => {
            let library = |id: &PackageId| loaded.set[*id].public.name != "main";
            let hint = roots
                .iter()
                .all(library)
                .then(|| wanted.hint(session, &roots));
            Err(Failure::from(error).hinted(hint.flatten()))
        }
    }
}

/// Flags for a compiler that is not the one in use.
fn tell_of_unused_flags(session: &Session, flags: &BuildFlags) {
    let gccgo = flags.compiler.as_deref() == Some("gccgo");
    for (given, advice) in [
        (
            gccgo && !flags.gcflags.is_empty(),
            "using gccgo toolchain, please pass compiler flags using -gccgoflags, not -gcflags",
        ),
        (
            gccgo && !flags.ldflags.is_empty(),
            "using gccgo toolchain, please pass linker flags using -gccgoflags, not -ldflags",
        ),
        (
            !gccgo && !flags.gccgoflags.is_empty(),
            "using gc toolchain, please pass compile flags using -gcflags, and linker flags using -ldflags",
        ),
    ] {
        if given {
            session.printer.out(format!("go build: when {advice}\n"));
        }
    }
}

fn install(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = FullBuildFlags::from_arg_matches(&parsed.matches)?;
    if parsed
        .arguments
        .iter()
        .any(|argument| names_version(argument))
    {
        return install_outside(session, &flags, &parsed.arguments);
    }
    let bench = loading::prepare(session, request(&flags, "", true))?;
    let loaded = bench.load(session, &parsed.arguments)?;
    let nowhere = bench.modules.enabled() && bench.modules.mains().is_empty();
    if nowhere && all_missing(&loaded) {
        let arguments = parsed.arguments.iter();
        let latest: Vec<String> = arguments.map(|path| format!("{path}@latest")).collect();
        return Err(Failure::error(format!(
            "'go install' requires a version when current directory is not in a module\n\tTry 'go install {}' to install the latest version",
            latest.join(" ")
        )));
    }
    finish(session, &flags, bench, loaded, &parsed.arguments)
}

/// Whether packages are wrong, and each of them only because nothing in use has it.
fn all_missing(loaded: &Loaded) -> bool {
    let roots = loaded.roots.iter();
    let mut errors = roots.filter_map(|id| loaded.set[*id].public.error.as_ref());
    let mut any = false;
    errors.all(|error| {
        any = true;
        error.is_missing
    }) && any
}

/// Installs programs of somebody else's module, whatever module the working directory is in.
fn install_outside(session: &mut Session, flags: &FullBuildFlags, arguments: &[String]) -> Result {
    if flags.modules.modfile.is_some() && !session.goflags.has("modfile") {
        return Err(Failure::plain(
            "go: -modfile cannot be used with commands that ignore the current module",
        ));
    }
    let bench = loading::prepare(session, outside(request(flags, "", true)))?;
    let (mut loaded, patterns) = bench.load_outside(session, arguments)?;
    if patterns.iter().any(|pattern| pattern.contains("...")) {
        loading::mains_only(session, &mut loaded);
    }
    loading::check(session, &loaded)?;
    let library = loaded
        .roots
        .iter()
        .find(|id| loaded.set[**id].public.name != "main");
    if let Some(id) = library {
        let path = &loaded.set[*id].public.import_path;
        return Err(Failure::plain(format!(
            "package {path} is not a main package"
        )));
    }
    finish(session, flags, bench, loaded, &patterns)
}

/// The same request without a main module.
#[must_use]
pub fn outside(mut request: Request<'_>) -> Request<'_> {
    request.modules.no_main_module = true;
    request.modules.force = true;
    request.modules.mode = None;
    request.auto_vcs = false;
    request
}

fn finish(
    session: &Session,
    flags: &FullBuildFlags,
    mut bench: loading::Workbench,
    mut loaded: Loaded,
    arguments: &[String],
) -> Result {
    bench.config.explain = flags.explain.explain;
    let sink = sink(session, flags);
    check_wanted(
        session,
        &wanted(flags, &bench.modules, &loaded),
        flags,
        &sink,
    )?;
    let roots = loaded.roots.clone();
    let outcome =
        steady_build::command::install(bench.config, &mut loaded.set, &roots, arguments, sink)?;
    if outcome.failed {
        let wanted = wanted(flags, &bench.modules, &loaded);
        return Err(refused(session, &wanted, &roots));
    }
    Ok(ended(&outcome))
}

fn wanted<'a>(flags: &'a FullBuildFlags, modules: &'a Modules, loaded: &'a Loaded) -> Wanted<'a> {
    Wanted {
        build: &flags.build,
        modules,
        loaded,
    }
}

/// As [`check`], with a hint where constraints leave nothing.
fn check_wanted(
    session: &Session,
    wanted: &Wanted<'_>,
    flags: &FullBuildFlags,
    sink: &Arc<dyn Sink>,
) -> Result<()> {
    check(session, wanted.loaded, flags, sink)
        .map_err(|failure| failure.hinted(wanted.left_out(session)))
}

/// Where a build's words go: to the printer, or with `-json` as events to standard output.
#[must_use]
pub fn sink(session: &Session, flags: &FullBuildFlags) -> Arc<dyn Sink> {
    if flags.json.json {
        Arc::new(BuildEvents::new(&session.printer))
    } else {
        session.printer.clone()
    }
}

/// [`loading::check`]; with `-json` as events of the packages that the errors are about.
fn check(
    session: &Session,
    loaded: &Loaded,
    flags: &FullBuildFlags,
    sink: &Arc<dyn Sink>,
) -> Result<()> {
    if !flags.json.json {
        return loading::check(session, loaded);
    }
    let errors = loaded.errors();
    for error in &errors {
        let text = error.to_string();
        let is_its = |own: &PackageError| own.to_string() == text;
        let mut all = loaded.set.packages.iter();
        let about = all.find(|package| package.public.error.as_ref().is_some_and(is_its));
        sink.error(about.map(Package::description).as_deref(), &text);
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::Said(Status::FAILED))
    }
}

/// What `build`, `install` and `run` ask of loading.
#[must_use]
pub fn request<'a>(flags: &'a FullBuildFlags, output: &'a str, auto_vcs: bool) -> Request<'a> {
    let build = BuildRequest {
        build: &flags.build,
        v: flags.verbose.v,
        o: output,
        cover: Some(&flags.cover),
    };
    let modules = ModRequest {
        trace: flags.build.trace.x,
        ..ModRequest::of(&flags.modmode, &flags.modules)
    };
    Request {
        builds: true,
        stamp: true,
        auto_vcs,
        ..Request::of(build, modules)
    }
}

/// Does an argument ask for a package at a version?
#[must_use]
pub fn names_version(argument: &str) -> bool {
    let local =
        matches!(argument, "." | "..") || argument.starts_with("./") || argument.starts_with("../");
    argument.contains('@') && !local && !argument.starts_with('/')
}

/// The end of a build that failed: everything has been said, but perhaps why something is no program.
fn refused(session: &Session, wanted: &Wanted<'_>, roots: &[PackageId]) -> Failure {
    let mains = roots.iter().copied();
    let mains: Vec<PackageId> = mains
        .filter(|id| wanted.loaded.set[*id].public.name == "main")
        .collect();
    Failure::Said(Status::FAILED).hinted(wanted.mistake(session, &mains))
}

/// The exit code of a build.
#[must_use]
pub fn ended(outcome: &Outcome) -> Status {
    if outcome.failed || outcome.interrupted {
        Status::FAILED
    } else {
        Status::DONE
    }
}

//! `go build` and `go install`.

use clap::{Args, FromArgMatches};
use std::sync::Arc;
use steady_build::{Outcome, Sink};

use crate::command::{Command, Kind};
use crate::configs::BuildRequest;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;

#[derive(Args)]
struct BuildOnly {
    /// Write the result to this file or directory
    #[arg(long, value_name = "output")]
    o: Option<String>,
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
    let output = flags.o.clone().unwrap_or_default();
    let bench = loading::prepare(session, request(&flags.build, &output, true))?;
    let mut loaded = bench.load(session, &parsed.arguments)?;
    loading::check(session, &loaded)?;
    let roots = loaded.roots.clone();
    let sink: Arc<dyn Sink> = session.printer.clone();
    let outcome = steady_build::command::build(bench.config, &mut loaded.set, &roots, sink)?;
    Ok(ended(&outcome))
}

fn install(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = FullBuildFlags::from_arg_matches(&parsed.matches)?;
    if parsed
        .arguments
        .iter()
        .any(|argument| names_version(argument))
    {
        return Err(Failure::unsupported("install of package@version"));
    }
    let bench = loading::prepare(session, request(&flags, "", true))?;
    let mut loaded = bench.load(session, &parsed.arguments)?;
    loading::check(session, &loaded)?;
    let roots = loaded.roots.clone();
    let sink: Arc<dyn Sink> = session.printer.clone();
    let outcome = steady_build::command::install(
        bench.config,
        &mut loaded.set,
        &roots,
        &parsed.arguments,
        sink,
    )?;
    Ok(ended(&outcome))
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
        mode: flags.modmode.mode.as_deref(),
        common: Some(&flags.modules),
        trace: flags.build.trace.x,
        ..ModRequest::default()
    };
    Request {
        build,
        modules,
        find: false,
        builds: true,
        stamp: true,
        auto_vcs,
    }
}

/// Does an argument ask for a package at a version?
#[must_use]
pub fn names_version(argument: &str) -> bool {
    let local =
        matches!(argument, "." | "..") || argument.starts_with("./") || argument.starts_with("../");
    argument.contains('@') && !local && !argument.starts_with('/')
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

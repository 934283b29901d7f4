//! `go build` and `go install`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::flags::{Parsed, define};
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

fn build(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("build"))
}

fn install(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("install"))
}

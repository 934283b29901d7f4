//! `go run`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::flags::value::{self, Words};
use crate::flags::{Parsed, define};
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
pub static RUN: Command = Command {
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

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("run"))
}

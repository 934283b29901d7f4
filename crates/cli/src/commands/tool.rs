//! `go tool`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
struct ToolFlags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Print the command that would be executed but do not execute it
    #[arg(long)]
    n: bool,
}

/// `go tool`
pub static TOOL: Command = Command {
    usage: "go tool [-n] command [args...]",
    short: "run specified go tool",
    long: include_str!("../help/text/tool.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<ToolFlags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("tool"))
}

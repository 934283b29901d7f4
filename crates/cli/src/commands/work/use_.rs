//! `go work use`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Look for modules below the directories too
    #[arg(long)]
    r: bool,
}

/// `go work use`
pub static USE: Command = Command {
    usage: "go work use [-r] [moddirs]",
    short: "add modules to workspace file",
    long: include_str!("../../help/text/work_use.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("work use"))
}

//! `go work sync`.

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
}

/// `go work sync`
pub static SYNC: Command = Command {
    usage: "go work sync",
    short: "sync workspace build list to modules",
    long: include_str!("../../help/text/work_sync.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("work sync"))
}

//! `go mod why`.

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
    /// The arguments are modules
    #[arg(long)]
    m: bool,
    /// Leave out tests of dependencies
    #[arg(long)]
    vendor: bool,
}

/// `go mod why`
pub static WHY: Command = Command {
    usage: "go mod why [-m] [-vendor] packages...",
    short: "explain why packages or modules are needed",
    long: include_str!("../../help/text/mod_why.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("mod why"))
}

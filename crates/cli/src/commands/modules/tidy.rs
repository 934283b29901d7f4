//! `go mod tidy`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Print what is removed
    #[arg(long)]
    v: bool,
    /// Print the commands
    #[arg(long)]
    x: bool,
    /// Go on in spite of errors
    #[arg(long)]
    e: bool,
    /// Print the changes instead of making them
    #[arg(long)]
    diff: bool,
    /// Set the go line
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Keep sums that this Go version needs
    #[arg(long, value_name = "version")]
    compat: Option<String>,
}

/// `go mod tidy`
pub static TIDY: Command = Command {
    usage: "go mod tidy [-e] [-v] [-x] [-diff] [-go=version] [-compat=version]",
    short: "add missing and remove unused modules",
    long: include_str!("../../help/text/mod_tidy.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("mod tidy"))
}

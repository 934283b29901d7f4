//! `go mod vendor`.

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
    /// Print the names of vendored modules and packages
    #[arg(long)]
    v: bool,
    /// Go on in spite of errors
    #[arg(long)]
    e: bool,
    /// Make the directory at this path
    #[arg(long, value_name = "outdir")]
    o: Option<String>,
}

/// `go mod vendor`
pub static VENDOR: Command = Command {
    usage: "go mod vendor [-e] [-v] [-o outdir]",
    short: "make vendored copy of dependencies",
    long: include_str!("../../help/text/mod_vendor.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("mod vendor"))
}

//! `go mod download`.

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
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// JSON of an earlier run whose answers may still hold
    #[arg(long, value_name = "old.json")]
    reuse: Option<String>,
    /// Print the commands
    #[arg(long)]
    x: bool,
}

/// `go mod download`
pub static DOWNLOAD: Command = Command {
    usage: "go mod download [-x] [-json] [-reuse=old.json] [modules]",
    short: "download modules to local cache",
    long: include_str!("../../help/text/mod_download.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("mod download"))
}

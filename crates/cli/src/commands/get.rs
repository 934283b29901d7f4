//! `go get`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, Json, ModCommon, Verbose};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct GetFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    json: Json,
    /// Has no effect any more
    #[arg(long, num_args = 0..=1, hide = true)]
    d: Option<String>,
    /// Has no effect any more
    #[arg(long, hide = true)]
    f: bool,
    /// Has no effect any more
    #[arg(long, hide = true)]
    fix: bool,
    /// Has no effect any more
    #[arg(long, hide = true)]
    m: bool,
    /// Gone: see GOINSECURE
    #[arg(long, hide = true)]
    insecure: bool,
    /// Consider what tests of the named packages need
    #[arg(long)]
    t: bool,
    /// Upgrade what the named packages depend on too (-u=patch: patch releases only)
    #[arg(long, num_args = 0..=1, value_name = "patch")]
    u: Option<String>,
    /// Add a tool line to go.mod for each named package
    #[arg(long)]
    tool: bool,
}

/// `go get`
pub static GET: Command = Command {
    usage: "go get [-t] [-u] [-tool] [build flags] [packages]",
    short: "add dependencies to current module and install them",
    long: include_str!("../help/text/get.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<GetFlags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("get"))
}

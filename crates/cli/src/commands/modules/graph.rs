//! `go mod graph`.

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
    /// Load the graph as this Go version would
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Print the commands
    #[arg(long)]
    x: bool,
}

/// `go mod graph`
pub static GRAPH: Command = Command {
    usage: "go mod graph [-go=version] [-x]",
    short: "print module requirement graph",
    long: include_str!("../../help/text/mod_graph.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("mod graph"))
}

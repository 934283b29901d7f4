//! `go work edit`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    /// Only reformat
    #[arg(long)]
    fmt: bool,
    /// Set the go line
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Set the toolchain line
    #[arg(long, value_name = "name")]
    toolchain: Option<String>,
    /// Print go.work as JSON instead of writing it
    #[arg(long)]
    json: bool,
    /// Print go.work instead of writing it
    #[arg(long)]
    print: bool,
    /// Add a godebug setting
    #[arg(long, value_name = "key=value")]
    godebug: Vec<String>,
    /// Drop a godebug setting
    #[arg(long, value_name = "key")]
    dropgodebug: Vec<String>,
    /// Add a module directory
    #[arg(long = "use", value_name = "path")]
    use_: Vec<String>,
    /// Drop a module directory
    #[arg(long, value_name = "path")]
    dropuse: Vec<String>,
    /// Add a replacement
    #[arg(long, value_name = "old[@v]=new[@v]")]
    replace: Vec<String>,
    /// Drop a replacement
    #[arg(long, value_name = "old[@v]")]
    dropreplace: Vec<String>,
}

/// `go work edit`
pub static EDIT: Command = Command {
    usage: "go work edit [editing flags] [go.work]",
    short: "edit go.work from tools or scripts",
    long: include_str!("../../help/text/work_edit.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("work edit"))
}

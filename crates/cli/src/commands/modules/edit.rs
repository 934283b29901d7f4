//! `go mod edit`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon, Trace};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    trace: Trace,
    /// Only reformat
    #[arg(long)]
    fmt: bool,
    /// Set the go line
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Set the toolchain line
    #[arg(long, value_name = "name")]
    toolchain: Option<String>,
    /// Print go.mod as JSON instead of writing it
    #[arg(long)]
    json: bool,
    /// Print go.mod instead of writing it
    #[arg(long)]
    print: bool,
    /// Set the module path
    #[arg(long, value_name = "path")]
    module: Option<String>,
    /// Add a godebug setting
    #[arg(long, value_name = "key=value")]
    godebug: Vec<String>,
    /// Drop a godebug setting
    #[arg(long, value_name = "key")]
    dropgodebug: Vec<String>,
    /// Add a requirement
    #[arg(long, value_name = "path@version")]
    require: Vec<String>,
    /// Drop a requirement
    #[arg(long, value_name = "path")]
    droprequire: Vec<String>,
    /// Add an exclusion
    #[arg(long, value_name = "path@version")]
    exclude: Vec<String>,
    /// Drop an exclusion
    #[arg(long, value_name = "path@version")]
    dropexclude: Vec<String>,
    /// Add a replacement
    #[arg(long, value_name = "old[@v]=new[@v]")]
    replace: Vec<String>,
    /// Drop a replacement
    #[arg(long, value_name = "old[@v]")]
    dropreplace: Vec<String>,
    /// Add a retraction
    #[arg(long, value_name = "version")]
    retract: Vec<String>,
    /// Drop a retraction
    #[arg(long, value_name = "version")]
    dropretract: Vec<String>,
    /// Add a tool
    #[arg(long, value_name = "path")]
    tool: Vec<String>,
    /// Drop a tool
    #[arg(long, value_name = "path")]
    droptool: Vec<String>,
    /// Add an ignored directory
    #[arg(long, value_name = "path")]
    ignore: Vec<String>,
    /// Drop an ignored directory
    #[arg(long, value_name = "path")]
    dropignore: Vec<String>,
}

/// `go mod edit`
pub static EDIT: Command = Command {
    usage: "go mod edit [editing flags] [-fmt|-print|-json] [go.mod]",
    short: "edit go.mod from tools or scripts",
    long: include_str!("../../help/text/mod_edit.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("mod edit"))
}

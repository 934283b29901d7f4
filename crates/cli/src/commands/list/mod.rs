//! `go list`.

#[allow(dead_code)] // the loader is not there yet
mod format;

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, CoverFlags, ModCommon, ModFlag, Verbose};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct ListFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    cover: CoverFlags,
    /// Print JSON, of the named fields only if some are given
    #[arg(long, num_args = 0..=1, value_name = "fields", action = clap::ArgAction::Append)]
    json: Vec<String>,
    /// Fill CompiledGoFiles
    #[arg(long)]
    compiled: bool,
    /// List what the packages depend on too, before them
    #[arg(long)]
    deps: bool,
    /// Report errors as part of the output
    #[arg(long)]
    e: bool,
    /// Fill Export and BuildID
    #[arg(long)]
    export: bool,
    /// Template for each package or module
    #[arg(long, value_name = "format")]
    f: Option<String>,
    /// Do not resolve imports
    #[arg(long)]
    find: bool,
    /// List modules instead of packages
    #[arg(long)]
    m: bool,
    /// With -m: list retracted versions too
    #[arg(long)]
    retracted: bool,
    /// With -m: JSON of an earlier run whose answers may still hold
    #[arg(long, value_name = "old.json")]
    reuse: Option<String>,
    /// List tests' packages too
    #[arg(long)]
    test: bool,
    /// With -m: show available upgrades
    #[arg(long)]
    u: bool,
    /// With -m: show all versions
    #[arg(long)]
    versions: bool,
}

/// `go list`
pub static LIST: Command = Command {
    usage: "go list [-f format] [-json] [-m] [list flags] [build flags] [packages]",
    short: "list packages or modules",
    long: include_str!("../../help/text/list.txt"),
    examples: &[
        (
            "who imports what",
            "steady list -f '{{.ImportPath}}: {{join .Imports \" \"}}' ./...",
        ),
        ("modules with newer versions", "steady list -m -u all"),
    ],
    kind: Kind::Run {
        flags: define::<ListFlags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("list"))
}

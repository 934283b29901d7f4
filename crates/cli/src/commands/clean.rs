//! `go clean`.

use clap::Args;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, ModCommon, ModFlag, Verbose};
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct CleanFlags {
    /// Remove the installed archive or program too
    #[arg(long)]
    i: bool,
    /// Clean all that the packages depend on too
    #[arg(long)]
    r: bool,
    /// Remove the whole build cache
    #[arg(long)]
    cache: bool,
    /// Remove values that fuzzing found
    #[arg(long)]
    fuzzcache: bool,
    /// Remove the whole module cache
    #[arg(long)]
    modcache: bool,
    /// Let all test results in the build cache expire
    #[arg(long)]
    testcache: bool,
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
}

/// `go clean`
pub static CLEAN: Command = Command {
    usage: "go clean [-i] [-r] [-cache] [-testcache] [-modcache] [-fuzzcache] [build flags] [packages]",
    short: "remove object files and cached files",
    long: include_str!("../help/text/clean.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<CleanFlags>,
        run,
    },
};

fn run(_session: &mut Session, _parsed: &Parsed) -> Result {
    Err(Failure::unsupported("clean"))
}

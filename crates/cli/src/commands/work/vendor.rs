//! `go work vendor`.

use clap::{Args, FromArgMatches};

use crate::command::{Command, Kind};
use crate::commands::modules::vendor::{VendorFlags, vendor};
use crate::failure::Result;
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    vendor: VendorFlags,
}

/// `go work vendor`
pub static VENDOR: Command = Command {
    usage: "go work vendor [-e] [-v] [-o outdir]",
    short: "make vendored copy of dependencies",
    long: include_str!("../../help/text/work_vendor.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    modules::must_have_go_work(session)?;
    vendor(session, &flags.modules, &flags.vendor, &parsed.arguments)
}

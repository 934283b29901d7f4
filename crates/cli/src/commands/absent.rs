//! Commands of go that Steady does not do yet. They are known by name, so that help lists them, GOFLAGS may name their flags, and
//! whoever calls one is told.

use clap::Args;

use crate::command::{Command, Kind};
use crate::flags::build::{BuildFlags, ModCommon, ModFlag, Verbose};
use crate::flags::define;

macro_rules! absent {
    ($name:ident, $flags:ty, $usage:literal, $short:literal, $text:literal) => {
        #[doc = concat!("`", $usage, "`")]
        pub static $name: Command = Command {
            usage: $usage,
            short: $short,
            long: include_str!(concat!("../help/text/", $text, ".txt")),
            examples: &[],
            kind: Kind::Absent {
                flags: define::<$flags>,
            },
        };
    };
}

#[derive(Args)]
struct VetFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    /// Program to use in vet's place
    #[arg(long, value_name = "prog")]
    vettool: Option<String>,
    /// Print diagnostics as JSON
    #[arg(long)]
    json: bool,
    /// Print changes instead of applying them
    #[arg(long)]
    diff: bool,
    /// Lines of context
    #[arg(long, value_name = "n")]
    c: Option<String>,
    /// Apply the first fix of each diagnostic
    #[arg(long)]
    fix: bool,
}

#[derive(Args)]
struct FixFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    /// Program to use in fix's place
    #[arg(long, value_name = "prog")]
    fixtool: Option<String>,
    /// Print changes instead of applying them
    #[arg(long)]
    diff: bool,
    /// Print diagnostics and fixes as JSON
    #[arg(long)]
    json: bool,
    /// Lines of context
    #[arg(long, value_name = "n")]
    c: Option<String>,
    /// Has no effect any more
    #[arg(long, value_name = "list", hide = true)]
    fix: Option<String>,
}

absent!(
    FIX,
    FixFlags,
    "go fix [build flags] [-fixtool prog] [fix flags] [packages]",
    "apply fixes suggested by static checkers",
    "fix"
);
absent!(
    VET,
    VetFlags,
    "go vet [build flags] [-vettool prog] [vet flags] [packages]",
    "report likely mistakes in packages",
    "vet"
);

//! The commands, a file each: its flags, and what it does with them (parse, call the library, render).

use crate::command::{Command, Kind};

pub mod build;
mod cache;
pub mod check;
pub mod clean;
pub mod completions;
pub mod editing;
pub mod entries;
pub mod env;
mod explain;
mod finder;
pub mod fmt;
pub mod freeze;
pub mod generate;
pub mod get;
pub mod handover;
pub mod list;
pub mod modules;
pub mod run;
pub mod telemetry;
mod test;
pub mod tool;
pub mod topics;
pub mod verify;
pub mod version;
pub mod vet;
pub mod work;

/// The root of the table. The order is that of help.
pub static GO: Command = Command {
    usage: "go",
    short: "",
    long: "Go is a tool for managing Go source code.",
    examples: &[],
    kind: Kind::Group(&[
        &handover::BUG,
        &build::BUILD,
        &check::CHECK,
        &clean::CLEAN,
        &handover::DOC,
        &env::ENV,
        &vet::FIX,
        &fmt::FMT,
        &generate::GENERATE,
        &get::GET,
        &build::INSTALL,
        &list::LIST,
        &modules::MOD,
        &work::WORK,
        &run::RUN,
        &telemetry::TELEMETRY,
        &test::TEST,
        &tool::TOOL,
        &version::VERSION,
        &vet::VET,
        &entries::ENTRIES,
        &cache::CACHE,
        &verify::VERIFY,
        &freeze::FREEZE,
        &completions::COMPLETIONS,
        &explain::EXPLAIN,
        &topics::BUILDCONSTRAINT,
        &topics::BUILDJSON,
        &topics::BUILDMODE,
        &topics::C,
        &topics::CACHE,
        &topics::ENVIRONMENT,
        &topics::FILETYPE,
        &topics::GOAUTH,
        &topics::GO_MOD,
        &topics::GOPATH,
        &topics::GOPROXY,
        &topics::IMPORTPATH,
        &topics::MODULES,
        &topics::MODULE_AUTH,
        &topics::PACKAGES,
        &topics::PRIVATE,
        &topics::TESTFLAG,
        &topics::TESTFUNC,
        &topics::VCS,
    ]),
};

//! `go work`.

use crate::command::{Command, Kind};

pub mod edit;
pub mod graph;
pub mod init;
pub mod sync;
pub mod tidy;
pub mod use_;
pub mod vendor;
pub mod workfile;

/// `go work`
pub static WORK: Command = Command {
    usage: "go work",
    short: "workspace maintenance",
    long: include_str!("../../help/text/work.txt"),
    examples: &[],
    kind: Kind::Group(&[
        &edit::EDIT,
        &init::INIT,
        &sync::SYNC,
        &use_::USE,
        &vendor::VENDOR,
        &graph::GRAPH,
        &tidy::TIDY,
    ]),
};

//! `go mod`.

use crate::command::{Command, Kind};

pub mod download;
pub mod edit;
pub mod graph;
pub mod init;
pub mod tidy;
pub mod vendor;
pub mod verify;
pub mod why;

/// `go mod`
pub static MOD: Command = Command {
    usage: "go mod",
    short: "module maintenance",
    long: include_str!("../../help/text/mod.txt"),
    examples: &[],
    kind: Kind::Group(&[
        &download::DOWNLOAD,
        &edit::EDIT,
        &graph::GRAPH,
        &init::INIT,
        &tidy::TIDY,
        &vendor::VENDOR,
        &verify::VERIFY,
        &why::WHY,
    ]),
};

//! `go mod`.

use steady_build::quote::quote;
use steady_module::gover;

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::session::Session;

pub mod download;
pub mod edit;
pub mod graph;
pub mod init;
mod lazy;
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

/// A Go version given by a flag must be one, and no newer than this run acts as.
pub(crate) fn check_go(session: &Session, flag: &str, version: &str) -> Result<()> {
    let local = gover::from_toolchain(session.settings.local_version());
    let expected = if !gover::is_valid(version) || version.starts_with('0') {
        format!("expecting a Go version like \"{local}\"")
    } else if gover::compare(version, local).is_gt() {
        format!("maximum supported Go version is {local}")
    } else {
        return Ok(());
    };
    let wrong = quote(version);
    session.printer.note(format!(
        "invalid value {wrong} for flag -{flag}: {expected}"
    ));
    Err(Failure::Usage)
}

//! `go work init`.

use clap::{Args, FromArgMatches};
use steady_module::gover;
use steady_module::modfile::WorkFile;

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::modules;
use crate::session::Session;

use super::workfile;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
}

/// `go work init`
pub static INIT: Command = Command {
    usage: "go work init [moddirs]",
    short: "initialize workspace file",
    long: include_str!("../../help/text/work_init.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let _ = Flags::from_arg_matches(&parsed.matches)?;
    let settings = &session.settings;
    modules::must_be_enabled(settings)?;
    let path = modules::go_work(settings, &session.files)?
        .unwrap_or_else(|| session.files.absolute("go.work"));
    if session.files.exists(&path) {
        bail!("{path} already exists");
    }
    let mut file = WorkFile::default();
    file.set_go(gover::from_toolchain(settings.local_version()))
        .map_err(Failure::error)?;
    workfile::Users::new(session, &path).apply(&mut file, &parsed.arguments, false)?;
    workfile::write(session, &path, &mut file)?;
    Ok(Status::DONE)
}

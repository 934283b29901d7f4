//! `go work use`.

use clap::{Args, FromArgMatches};

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
    /// Look for modules below the directories too
    #[arg(long)]
    r: bool,
}

/// `go work use`
pub static USE: Command = Command {
    usage: "go work use [-r] [moddirs]",
    short: "add modules to workspace file",
    long: include_str!("../../help/text/work_use.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    modules::must_be_enabled(&session.settings)?;
    let path = modules::must_have_go_work(session)?;
    let mut file = workfile::read(session, &path).map_err(Failure::error)?;
    workfile::Users::new(session, &path).apply(&mut file, &parsed.arguments, flags.r)?;
    workfile::write(session, &path, &mut file)?;
    Ok(Status::DONE)
}

//! `go work sync`.

use clap::{Args, FromArgMatches};
use std::sync::Arc;
use steady_module::gover;
use steady_packages::modload::ModMode;

use crate::command::{Command, Kind};
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest};
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

/// `go work sync`
pub static SYNC: Command = Command {
    usage: "go work sync",
    short: "sync workspace build list to modules",
    long: include_str!("../../help/text/work_sync.txt"),
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
    let request = ModRequest {
        default_mode: Some(ModMode::Mod),
        common: Some(&flags.modules),
        force: true,
        ..ModRequest::default()
    };
    let workspace = loading::open_modules(session, request)?;
    workspace.graph().map_err(Failure::switching)?;
    let context = Arc::new(configs::plain_context(session)?);
    let mut newest = String::new();
    let members = workspace.versions_of_members(&context)?;
    let sums = workspace.known_sums()?;
    for member in members {
        let request = ModRequest {
            no_workspace: true,
            main_dir: Some(&member.dir),
            known_sums: Some(&sums),
            index: Some(workspace.index()),
            ..request
        };
        let module = loading::open_modules(session, request)?;
        module.take_versions(&member.versions, &context)?;
        let reqs = module.reqs();
        newest = gover::max(&newest, reqs.go_version()).to_owned();
    }
    workspace.index().save();
    workfile::keep_up(session, &path, &newest)?;
    Ok(Status::DONE)
}

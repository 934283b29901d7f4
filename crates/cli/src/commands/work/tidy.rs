//! `steady work tidy`: every module of a workspace in order, in one resolution.

use clap::{Args, FromArgMatches};
use std::sync::Arc;
use steady_module::gover;
use steady_packages::modload::{ModError, ModMode, Modules, Tidy, TidyOptions};

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::modules::tidy::show;
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
#[allow(clippy::struct_excessive_bools)] // as mod tidy has them
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Print what is removed
    #[arg(long)]
    v: bool,
    /// Print the commands
    #[arg(long)]
    x: bool,
    /// Go on in spite of errors
    #[arg(long)]
    e: bool,
    /// Print the changes instead of making them
    #[arg(long)]
    diff: bool,
}

/// `steady work tidy`
pub static TIDY: Command = Command {
    usage: "steady work tidy [-e] [-v] [-x] [-diff]",
    short: "bring go.mod and go.sum of every module of the workspace in order",
    long: include_str!("../../help/text/work_tidy.txt"),
    examples: &[
        ("all modules of the workspace", "steady work tidy"),
        ("is there anything to do?", "steady work tidy -diff"),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        bail!("'steady work tidy' accepts no arguments");
    }
    modules::must_be_enabled(&session.settings)?;
    let path = modules::must_have_go_work(session)?;
    let tidied = resolve(session, &flags.modules, flags.x, flags.v)?;
    report(session, &flags, &tidied)?;
    if flags.diff {
        return diff(session, &tidied);
    }
    let mut newest = String::new();
    for (module, tidy) in &tidied {
        module.commit_tidy(tidy).map_err(Failure::switching)?;
        newest = gover::max(&newest, tidy.reqs.go_version()).to_owned();
    }
    workfile::keep_up(session, &path, &newest)?;
    Ok(Status::DONE)
}

/// Works out each member's requirements, with what is known of the others so far. `trace` tells requests, `verbose` what goes.
///
/// # Errors
/// There are no members, or what keeps their requirements from being worked out.
pub fn resolve(
    session: &mut Session,
    common: &ModCommon,
    trace: bool,
    verbose: bool,
) -> Result<Vec<(Modules, Tidy)>> {
    let request = ModRequest {
        default_mode: Some(ModMode::Mod),
        common: Some(common),
        trace,
        force: true,
        lenient_sums: true,
        ..ModRequest::default()
    };
    let workspace = loading::open_modules(session, request)?;
    if workspace.mains().is_empty() {
        bail!("{}", modules::no_main_module(&workspace));
    }
    let context = Arc::new(configs::plain_context(session)?);
    let options = TidyOptions {
        verbose,
        ..TidyOptions::default()
    };
    let mut neighbours = workspace.neighbours().map_err(Failure::switching)?;
    let sums = workspace.known_sums()?;
    let mut tidied = Vec::new();
    for member in workspace.mains() {
        let known = Arc::new(neighbours.clone());
        let request = ModRequest {
            no_workspace: true,
            main_dir: Some(&member.dir),
            known_sums: Some(&sums),
            index: Some(workspace.index()),
            neighbours: Some(&known),
            from_nothing: true,
            ..request
        };
        let module = loading::open_modules(session, request)?;
        let tidy = module
            .tidy(Arc::clone(&context), &options)
            .map_err(Failure::switching)?;
        neighbours.take_up(&tidy.reqs.roots);
        tidied.push((module, tidy));
    }
    Ok(tidied)
}

/// Tells what is wrong with packages, which ends the run unless `-e` was given.
fn report(session: &Session, flags: &Flags, tidied: &[(Modules, Tidy)]) -> Result<()> {
    let errors = tidied
        .iter()
        .flat_map(|(_, tidy)| tidy.packages.errors(true));
    let messages: Vec<String> = errors.map(|error: ModError| error.to_string()).collect();
    if !messages.is_empty() && !flags.e {
        return Err(Failure::Errors(messages));
    }
    for message in messages {
        session.printer.note(format!("go: {message}"));
    }
    Ok(())
}

fn diff(session: &Session, tidied: &[(Modules, Tidy)]) -> Result {
    let mut any = false;
    for (module, tidy) in tidied {
        let dir = module
            .mains()
            .first()
            .map(|main| main.dir.clone())
            .unwrap_or_default();
        let [go_mod, go_sum] = module.diff_tidy(tidy)?;
        for (name, change) in [("go.mod", go_mod), ("go.sum", go_sum)] {
            let name = modules::short_path(session.environment().cwd(), &dir.join(name));
            any |= show(session, &name, &change);
        }
    }
    Ok(if any { Status::FAILED } else { Status::DONE })
}

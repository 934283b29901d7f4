//! `go work sync`.

use clap::{Args, FromArgMatches};
use std::collections::HashSet;
use std::sync::Arc;
use steady_module::gover;
use steady_packages::modload::{ModMode, Synced};

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

/// Whose turn it is: each member once, then those that were changed before one that they require was. So in the end each of them is tidy
/// with what the others have become.
#[derive(Default)]
struct Turns {
    done: Vec<Done>,
    number: usize,
}

/// What came of a member's last turn.
struct Done {
    turn: usize,
    /// The last turn that changed go.mod.
    changed: Option<usize>,
    requires: HashSet<String>,
}

/// Members that cannot agree are left after so many turns of each.
const MOST_TURNS: usize = 8;

impl Turns {
    fn next(&self, members: &[Synced]) -> Option<usize> {
        if self.done.len() < members.len() {
            return Some(self.done.len());
        }
        if self.number >= MOST_TURNS * members.len() {
            return None;
        }
        let is_behind = |done: &Done| {
            let mut others = self.done.iter().zip(members);
            done.changed.is_some()
                && others.any(|(other, member)| {
                    other.changed > Some(done.turn) && done.requires.contains(&member.path)
                })
        };
        self.done.iter().position(is_behind)
    }

    fn took(&mut self, at: usize, changed: bool, requires: impl Iterator<Item = String>) {
        self.number += 1;
        let before = self.done.get(at).and_then(|done| done.changed);
        let done = Done {
            turn: self.number,
            changed: if changed { Some(self.number) } else { before },
            requires: requires.collect(),
        };
        match self.done.get_mut(at) {
            Some(place) => *place = done,
            None => self.done.push(done),
        }
    }
}

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
    let mut turns = Turns::default();
    while let Some(at) = turns.next(&members) {
        let request = ModRequest {
            no_workspace: true,
            main_dir: Some(&members[at].dir),
            known_sums: Some(&sums),
            index: Some(workspace.index()),
            ..request
        };
        let module = loading::open_modules(session, request)?;
        let changed = match turns.done.get(at) {
            None => module.take_versions(&members[at].versions, &context)?,
            Some(_) => module.tidy_again(&context)?,
        };
        let reqs = module.reqs();
        newest = gover::max(&newest, reqs.go_version()).to_owned();
        turns.took(at, changed, reqs.roots.iter().map(|root| root.path.clone()));
    }
    workspace.index().save();
    workfile::keep_up(session, &path, &newest)?;
    Ok(Status::DONE)
}

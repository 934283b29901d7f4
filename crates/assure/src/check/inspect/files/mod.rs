//! Files that are here and not everywhere: not committed, ignored, behind links, in nested modules, or named as not every system can.

mod embeds;
mod generated;
mod missing;
mod zips;

pub use embeds::embed;
pub use missing::{missing_package, no_go_files, no_go_mod, uncommitted};
pub use zips::case_collision;

use crate::check::causes::Case;
use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::git::{Repository, Standing};
use crate::check::world::{Member, World};
use camino::{Utf8Path, Utf8PathBuf};
use steady_system::{FileKind, Files};

use embeds::partly_embedded;
use generated::stale;
use zips::{collisions, nested, zip_rules};

/// How git would show that a path is not committed.
fn status(git: &Repository, world: &World, path: &Utf8Path, standing: Standing) -> Evidence {
    let shown = world.shown(path);
    match standing {
        Standing::Ignored => {
            let rule = git.ignored_by(git.relative(path).unwrap_or_default());
            Evidence::run(
                format!("git check-ignore -v {shown}"),
                format!("{rule}\t{shown}"),
            )
        }
        Standing::Changed => {
            Evidence::run(format!("git status --short {shown}"), format!(" M {shown}"))
        }
        Standing::Submodule => Evidence::run(format!("git submodule status {shown}"), shown),
        Standing::Untracked | Standing::Committed => {
            Evidence::run(format!("git status --short {shown}"), format!("?? {shown}"))
        }
    }
}

/// The finding about a path that an environment lacks because it is not committed; `None` if that is not so.
fn lacking(case: &Case<'_>, path: &Utf8Path, what: &str) -> Option<Finding> {
    let world = case.world;
    if case.environment() == Environment::Here || !world.files.exists(path) {
        return None;
    }
    let git = world.repository.as_ref()?;
    let standing = git.standing(path)?;
    let shown = world.shown(path);
    let (id, message, fix) = match standing {
        Standing::Committed => return None,
        Standing::Changed => (
            "files/uncommitted",
            format!("{what}: the change of {shown} is not committed"),
            Fix::shown(format!("git add {shown}")),
        ),
        Standing::Untracked => (
            "files/untracked",
            format!("{what}: {shown} is not committed"),
            Fix::shown(format!("git add {shown}")),
        ),
        Standing::Ignored => (
            "files/ignored",
            format!("{what}: {shown} is ignored by git"),
            Fix::shown(format!("git add -f {shown}")),
        ),
        Standing::Submodule => (
            "files/submodule",
            format!("{what}: {shown} lies in a git submodule"),
            Fix::shown("git submodule update --init --recursive"),
        ),
    };
    let finding = case.finding(id, shown, message).fixed_by(fix);
    Some(finding.shown_by(status(git, world, path, standing)))
}

/// The Go files of a directory, tests among them.
pub(super) fn go_files(files: &Files, dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = files.read_dir(dir).unwrap_or_default();
    let names = entries.into_iter().map(|entry| entry.name);
    names
        .filter(|name| name.ends_with(".go"))
        .map(|name| dir.join(name))
        .collect()
}

fn is_link(files: &Files, path: &Utf8Path) -> bool {
    files
        .lstat(path)
        .is_ok_and(|found| found.kind == FileKind::Symlink)
}

/// A file that is missing in an environment or different there, because its state here is not committed.
pub fn uncommitted_file(case: &Case<'_>, file: &Utf8Path) -> Option<Finding> {
    case.fine_here()
        .then(|| lacking(case, file, "it is needed as it is here"))?
}

/// go.mod is different here, and that is not committed.
pub fn uncommitted_go_mod(case: &Case<'_>, member: &Member) -> Option<Finding> {
    uncommitted_file(case, &member.dir.join("go.mod"))
}

/// What is to be said of the committed files although everything loads.
pub fn inspect(world: &World) -> Vec<Finding> {
    let mut out = Vec::new();
    if let Some(git) = &world.repository {
        collisions(world, git, &mut out);
        for member in &world.there.members {
            zip_rules(world, git, member, &mut out);
            nested(world, git, member, &mut out);
        }
        partly_embedded(world, git, &mut out);
        out.extend(super::left_out::inspect(world, git));
        stale(world, git, &mut out);
    }
    out
}

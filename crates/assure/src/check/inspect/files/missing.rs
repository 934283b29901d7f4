//! Packages and modules that are here and not elsewhere, for files that others do not get.

use crate::check::causes::{Case, other};
use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::git::{Standing, Tracked};
use camino::{Utf8Path, Utf8PathBuf};
use steady_system::clean;

use super::{go_files, is_link, lacking, uncommitted_file};

/// Why a directory gives no package in an environment although it does here.
fn vanished(case: &Case<'_>, package: &str, dir: &Utf8Path) -> Option<Finding> {
    let world = case.world;
    let what = format!("{package} is needed");
    let all = go_files(&world.files, dir);
    let uncommitted: Vec<&Utf8PathBuf> = all
        .iter()
        .filter(|file| !world.files_of(case.environment()).exists(file))
        .collect();
    if !all.is_empty() && uncommitted.len() == all.len() {
        let whole = world
            .repository
            .as_ref()
            .is_some_and(|git| git.standing(dir) != Some(Standing::Committed));
        return lacking(case, if whole { dir } else { uncommitted[0] }, &what);
    }
    None
}

/// A package of the repository that an environment does not show.
pub fn missing_package(case: &Case<'_>, package: &str, dir: &Utf8Path) -> Option<Finding> {
    let world = case.world;
    if let Some(link) = hidden_link(case, dir) {
        return Some(behind_link(case, &link, &format!("{package} is needed")));
    }
    if let Some(finding) = vanished(case, package, dir) {
        return Some(finding);
    }
    if !world.files.is_dir(dir) {
        return None;
    }
    let member = world
        .here
        .members
        .iter()
        .filter(|member| dir.starts_with(&member.dir));
    let member = member.max_by_key(|member| member.dir.as_str().len())?;
    let nested = dir
        .ancestors()
        .take_while(|above| *above != member.dir)
        .find(|above| {
            world
                .files_of(case.environment())
                .is_file(above.join("go.mod"))
        });
    if let Some(nested) = nested {
        let file = world.shown(&nested.join("go.mod"));
        let (line, text) = world
            .line_of(&nested.join("go.mod"), |line| line.starts_with("module"))
            .unwrap_or_default();
        let message =
            format!("{package} is needed, and {file} makes another module of its directory");
        return Some(
            case.finding("files/nested-module", file.clone(), message)
                .shown_by(Evidence::place(file.clone(), line, text))
                .fixed_by(Fix::shown(format!("git rm {file}"))),
        );
    }
    let link = dir
        .ancestors()
        .take_while(|above| *above != member.dir)
        .find(|above| is_link(&world.files, above))
        .map(Utf8Path::to_owned)
        .or_else(|| {
            go_files(&world.files, dir)
                .into_iter()
                .find(|file| is_link(&world.files, file))
        })?;
    Some(behind_link(case, &link, &format!("{package} is needed")))
}

/// The committed link that leads to a directory here and is not there, or leads nowhere, in an environment.
fn hidden_link(case: &Case<'_>, dir: &Utf8Path) -> Option<Utf8PathBuf> {
    let world = case.world;
    let git = world.repository.as_ref()?;
    let tracked = |path: &Utf8Path| {
        let kind = git.relative(path).and_then(|path| git.tracked.get(path));
        kind == Some(&Tracked::Symlink)
    };
    let hidden = |path: &Utf8Path| tracked(path) && !world.committed.exists(path);
    let link = dir.ancestors().find(|path| hidden(path));
    link.filter(|_| case.environment() != Environment::Here)
        .map(Utf8Path::to_owned)
}

pub(super) fn behind_link(case: &Case<'_>, link: &Utf8Path, what: &str) -> Finding {
    let shown = case.world.shown(link);
    let target = case
        .world
        .files
        .read_link(link)
        .map(|to| to.to_string())
        .unwrap_or_default();
    case.finding(
        "files/symlink",
        shown.clone(),
        format!("{what}, and {shown} is a symbolic link"),
    )
    .shown_by(Evidence::run(format!("readlink {shown}"), target))
    .fixed_by(Fix::shown(format!("replace {shown} by what it leads to")))
}

/// A module whose go.mod is not committed.
pub fn no_go_mod(case: &Case<'_>) -> Finding {
    let here = &case.world.here.members;
    let member = here.iter().find(|member| member.path == case.view.module);
    let found = member.and_then(|member| uncommitted_file(case, &member.dir.join("go.mod")));
    found.unwrap_or_else(|| other(case))
}

/// A directory without Go files in an environment.
pub fn no_go_files(case: &Case<'_>, dir: &Utf8Path) -> Finding {
    let dir = clean(&case.world.cwd.join(dir));
    let package = case.trouble.package.clone();
    let found = vanished(case, &package, &dir);
    let found = found.or_else(|| {
        let mut all = go_files(&case.world.files, &dir).into_iter();
        let missing = all.find(|file| !case.world.files_of(case.environment()).exists(file))?;
        lacking(case, &missing, &format!("{package} is needed"))
    });
    let linked = || {
        let mut all = go_files(&case.world.files, &dir).into_iter();
        all.find(|file| is_link(&case.world.files, file))
            .filter(|_| case.environment() == Environment::Consumer)
            .map(|link| behind_link(case, &link, &format!("{package} is needed")))
    };
    found.or_else(linked).unwrap_or_else(|| other(case))
}

/// A trouble in a file that is different here, or in a package with such a file.
pub fn uncommitted(case: &Case<'_>) -> Option<Finding> {
    let world = case.world;
    if let Some((file, _)) = case.trouble.place()
        && let Some(finding) = uncommitted_file(case, &clean(&world.cwd.join(file)))
    {
        return Some(finding);
    }
    let git = world.repository.as_ref().filter(|_| case.fine_here())?;
    let member = world.here.member_of(&case.trouble.package)?;
    let below = case.trouble.package.strip_prefix(&member.path)?;
    let dir = member.dir.join(below.trim_start_matches('/'));
    let mut changed = git.changed.iter().map(|path| git.root.join(path));
    let file =
        changed.find(|path| path.parent() == Some(&dir) && path.extension() == Some("go"))?;
    let shown = world.shown(&file);
    let gone = !world.files.exists(&file);
    let (what, letter) = if gone {
        ("deletion", "D")
    } else {
        ("change", "M")
    };
    Some(
        case.finding(
            "files/uncommitted",
            shown.clone(),
            format!("the {what} of {shown} is not committed"),
        )
        .shown_by(Evidence::run(
            format!("git status --short {shown}"),
            format!(" {letter} {shown}"),
        ))
        .fixed_by(Fix::shown(format!("git add {shown}"))),
    )
}

//! Replacements: those that lead nowhere, and those that others do not have.

use crate::check::causes::Case;
use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::world::Member;
use camino::Utf8Path;
use steady_module::modfile::{Entry, Replace};
use steady_system::clean;

use super::{alone, line_of};

/// A replacement that counts here and for nobody who requires the module.
pub(super) fn leaks(
    case: &Case<'_>,
    member: &Member,
    replace: &Entry<Replace>,
    package: &str,
) -> Finding {
    let world = case.world;
    let line = line_of(world, member, replace.at.line);
    let subject = format!("{} {}", member.path, replace.old.path);
    let go_mod = world.shown(&member.dir.join("go.mod"));
    if replace.new.version.is_empty() {
        let message = format!(
            "{} needs its replacement of {} by {}, which does not count for whoever requires it",
            member.path, replace.old.path, replace.new.path
        );
        return case
            .finding("modules/replace-local", subject, message)
            .shown_by(line)
            .because(format!(
                "The published {} does not give {package}; only the directory does.",
                replace.old.path
            ))
            .fixed_by(Fix::shown(format!(
                "publish {0}, then: go mod edit -dropreplace={0} {go_mod} && {1}",
                replace.old.path,
                alone(
                    world,
                    member,
                    &format!("go get {}@latest", replace.old.path)
                ),
            )));
    }
    let message = format!(
        "{} needs its replacement of {} by {}, which does not count for whoever requires it",
        member.path, replace.old.path, replace.new
    );
    case.finding("modules/replace-fork", subject, message)
        .shown_by(line)
        .fixed_by(Fix::shown(format!(
            "import {} under its own path, and drop the replacement from {go_mod}",
            replace.new.path
        )))
}

/// A replacement directory that is not there.
pub fn replacement_missing(case: &Case<'_>, module: &str, dir: &str) -> Finding {
    let world = case.world;
    let path = module.split('@').next().unwrap_or_default();
    let mut found = None;
    for member in &world.layout(case.environment()).members {
        let fits = |replace: &&Entry<Replace>| {
            replace.new.version.is_empty() && (path.is_empty() || replace.old.path == path)
        };
        if let Some(replace) = member.file.replace.iter().find(fits) {
            let target = clean(&member.dir.join(&replace.new.path));
            if !world
                .files_of(case.environment())
                .is_file(target.join("go.mod"))
            {
                found = Some((
                    line_of(world, member, replace.at.line),
                    target,
                    replace.old.path.clone(),
                ));
                break;
            }
        }
    }
    let layout = world.layout(case.environment());
    if found.is_none()
        && let (Some(work), Some(file)) = (&layout.work, &layout.go_work)
    {
        let mut rules = work.replace.iter();
        found = rules
            .find(|replace| replace.old.path == path)
            .map(|replace| {
                let base = file.parent().unwrap_or(Utf8Path::new("/"));
                let line = layout
                    .work_text
                    .lines()
                    .nth(replace.at.line.saturating_sub(1));
                let place = Evidence::place(
                    world.shown(file),
                    replace.at.line,
                    line.unwrap_or_default().trim(),
                );
                (place, clean(&base.join(&replace.new.path)), path.to_owned())
            });
    }
    let (place, target, old) = match found {
        Some((place, target, old)) => (Some(place), target, old),
        None => (None, clean(&world.cwd.join(dir)), path.to_owned()),
    };
    let shown = world.shown(&target);
    let is_here = world.files.is_dir(&target);
    let git = world.repository.as_ref();
    let why = match (is_here, git.map(|git| git.standing(&target))) {
        (true, Some(None)) => format!("{shown} lies outside of the repository"),
        (true, Some(Some(_))) if case.environment() != Environment::Here => {
            format!("{shown} is not committed")
        }
        _ => format!("{shown} does not exist"),
    };
    let finding = case.finding(
        "modules/replace-local",
        old.clone(),
        format!("{old} is replaced by a directory, and {why}"),
    );
    let finding = match place {
        Some(place) => finding.shown_by(place),
        None => finding,
    };
    finding.because(format!(
        "The replacement leads to a directory that is not there: {why}."
    ))
}

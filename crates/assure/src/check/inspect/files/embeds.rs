//! Embedded files: patterns that match nothing, or less elsewhere.

use crate::check::causes::Case;
use crate::check::finding::{Environment, Finding, Fix, Severity};
use crate::check::git::{Repository, Standing};
use crate::check::world::World;
use camino::Utf8Path;
use steady_system::clean;

use super::missing::behind_link;
use super::{is_link, status};

/// An embed pattern that matches nothing in an environment.
pub fn embed(case: &Case<'_>, pattern: &str, reason: &str) -> Finding {
    let world = case.world;
    let dir = case
        .trouble
        .place()
        .map(|(file, _)| clean(&world.cwd.join(file)));
    let dir = dir
        .and_then(|file| file.parent().map(Utf8Path::to_owned))
        .unwrap_or_default();
    let subject = format!("{} {pattern}", world.shown(&dir));
    let what = format!("{} embeds {pattern}", case.trouble.package);
    if reason.contains("in different module") {
        let message = format!("{what}, which lies in another module");
        return case.finding("files/nested-module", subject, message);
    }
    if reason.contains("irregular file") {
        let message = format!("{what}, which is no regular file");
        return case.finding("files/embed-nothing", subject, message);
    }
    let link = dir.join(pattern);
    if case.environment() == Environment::Consumer && is_link(&world.files, &link) {
        return behind_link(case, &link, &what);
    }
    let links = false;
    let here =
        steady_packages::embed::resolve_with(&world.files, &dir, std::iter::once(pattern), links);
    let matched = here.map(|found| found.files).unwrap_or_default();
    let git = world.repository.as_ref();
    for name in &matched {
        let file = dir.join(name);
        let Some((git, standing)) = git.and_then(|git| Some((git, git.standing(&file)?))) else {
            continue;
        };
        if standing == Standing::Committed || world.files_of(case.environment()).exists(&file) {
            continue;
        }
        let shown = world.shown(&file);
        let message = format!("{what}, and {shown} is not committed");
        let add = if standing == Standing::Ignored {
            "git add -f"
        } else {
            "git add"
        };
        return case
            .finding("files/embed-untracked", subject, message)
            .shown_by(status(git, world, &file, standing))
            .fixed_by(Fix::shown(format!("{add} {shown}")));
    }
    if case.environment() == Environment::Consumer
        && let Some(link) = matched
            .iter()
            .map(|name| dir.join(name))
            .find(|file| is_link(&world.files, file))
    {
        return behind_link(case, &link, &what);
    }
    case.finding(
        "files/embed-nothing",
        subject,
        format!("{what}, and nothing matches"),
    )
}

/// Embedded files that are not committed, where the pattern matches others.
pub(super) fn partly_embedded(world: &World, git: &Repository, out: &mut Vec<Finding>) {
    for seen in world
        .views_of(Environment::Here)
        .filter_map(|view| view.seen())
    {
        for public in &seen.roots {
            for name in &public.embed_files {
                let file = Utf8Path::new(&public.dir).join(name);
                let Some(standing @ (Standing::Untracked | Standing::Ignored)) =
                    git.standing(&file)
                else {
                    continue;
                };
                let shown = world.shown(&file);
                let message = format!(
                    "{} embeds {shown}, which is not committed",
                    public.import_path
                );
                let subject = format!("{} {name}", public.import_path);
                out.push(
                    Finding::new("files/embed-untracked", subject, message)
                        .severity(Severity::Warning)
                        .hits_all([
                            Environment::Ci,
                            Environment::Colleague,
                            Environment::Consumer,
                        ])
                        .because("What is embedded elsewhere is less than what is embedded here.")
                        .shown_by(status(git, world, &file, standing))
                        .fixed_by(Fix::shown(format!("git add {shown}"))),
                );
            }
        }
    }
}

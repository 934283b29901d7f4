//! Platforms: packages that have no files on some of them, or none without cgo.

use camino::Utf8Path;
use std::collections::{BTreeMap, BTreeSet};
use steady_system::clean;

use crate::check::causes::{Case, other};
use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::inspect::files;
use crate::check::world::{Platform, Seen, World};

/// Would a directory give a package with cgo?
fn with_cgo(seen: &Seen, dir: &Utf8Path) -> bool {
    let mut context = seen.context.clone();
    if context.cgo_enabled {
        return false;
    }
    context.cgo_enabled = true;
    seen.modules.index().package(dir, &context).error.is_none()
}

/// A package that is imported and has no files on a platform.
pub fn excluded(case: &Case<'_>, dir: &Utf8Path) -> Finding {
    let Some(seen) = case.view.seen() else {
        return other(case);
    };
    let dir = clean(&case.world.cwd.join(dir));
    let package = seen.path_of(&dir).unwrap_or(dir.as_str()).to_owned();
    if with_cgo(seen, &dir) {
        let message = format!("{package} has no files without cgo, and is imported");
        let finding = case.finding("platform/cgo-needed", package, message);
        return finding.fixed_by(Fix::shown("add files with //go:build !cgo that do without"));
    }
    if let Some(finding) = files::missing_package(case, &package, &dir) {
        return finding;
    }
    let platform = &case.view.platform;
    let message = format!("{package} has no files for {platform}, and is imported");
    case.finding("platform/excluded", package, message)
        .because(format!("Build constraints leave no files of the package on {platform}, and something imports it there."))
        .fixed_by(Fix::shown("constrain what imports it likewise, or add files for the platform"))
}

/// Import paths and directories of the packages that a load names.
fn roots(seen: &Seen) -> BTreeMap<&str, &str> {
    let with_dir = seen.roots.iter().filter(|package| !package.dir.is_empty());
    with_dir
        .map(|package| (package.import_path.as_str(), package.dir.as_str()))
        .collect()
}

/// Packages that are here and that build constraints leave no files of elsewhere.
pub fn inspect(world: &World) -> Vec<Finding> {
    let mut here: BTreeMap<&str, &str> = BTreeMap::new();
    for view in world.views_of(Environment::Ci) {
        here.extend(view.seen().map(roots).unwrap_or_default());
    }
    let mut gone: BTreeMap<&str, (BTreeSet<&Platform>, bool, &Seen)> = BTreeMap::new();
    for view in world.views_of(Environment::Colleague) {
        let Some(seen) = view.seen() else { continue };
        let there = roots(seen);
        for (package, dir) in &here {
            let own = view.module.is_empty()
                || world
                    .there
                    .member_of(package)
                    .is_some_and(|member| member.path == view.module);
            if own && !there.contains_key(package) && seen.modules.index().files().is_dir(dir) {
                let entry = gone
                    .entry(package)
                    .or_insert_with(|| (BTreeSet::new(), false, seen));
                entry.0.insert(&view.platform);
                entry.1 |= with_cgo(seen, Utf8Path::new(dir));
            }
        }
    }
    let mut out = Vec::new();
    for (package, (platforms, cgo, _)) in gone {
        let list: Vec<String> = platforms.iter().map(ToString::to_string).collect();
        let (id, message) = match cgo {
            true => (
                "platform/cgo-needed",
                format!("{package} has no files without cgo"),
            ),
            false => (
                "platform/excluded",
                format!("{package} has no files on {}", list.join(", ")),
            ),
        };
        let first = platforms
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        let (goos, goarch) = first.split_once('/').unwrap_or_default();
        let finding = Finding::new(id, package, message)
            .severity(crate::check::finding::Severity::Warning)
            .hits(Environment::Colleague)
            .because("Build constraints leave no files of the package there; nothing imports it there, so the rest builds.");
        out.push(finding.shown_by(Evidence::run(
            format!("CGO_ENABLED=0 GOOS={goos} GOARCH={goarch} go list {package}"),
            format!(
                    "build constraints exclude all Go files in {}",
                    here.get(package)
                        .map_or(String::new(), |dir| world.shown(Utf8Path::new(dir)))
                ),
        )));
    }
    out
}

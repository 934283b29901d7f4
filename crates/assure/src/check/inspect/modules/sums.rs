//! go.sum: what is missing in it, what contradicts the modules, and what is too much.

use crate::check::causes::{Case, other};
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::inspect::{files, workspace};
use crate::check::symptom::module_in;
use crate::check::world::{Member, World};
use camino::{Utf8Path, Utf8PathBuf};
use steady_module::ModuleVersion;

use super::requirements::not_tidy;
use super::{loaded, own, tidied, within};

/// A sum that is not there.
pub fn sum_missing(case: &Case<'_>, what: &str) -> Finding {
    let world = case.world;
    let layout = world.layout(case.environment());
    let workspace = case.view.module.is_empty() && layout.go_work.is_some();
    if !workspace {
        let Some(member) = own(case).or_else(|| loaded(case).first().copied()) else {
            return other(case);
        };
        if let Some(finding) = files::uncommitted_file(case, &member.dir.join("go.sum")) {
            return finding;
        }
        let sibling = world
            .here
            .member_of(what)
            .filter(|other| other.path != member.path);
        if world.here.go_work.is_some()
            && let Some(sibling) = sibling
        {
            return workspace::needs_workspace(case, what, &sibling.path);
        }
        if outgrown(case, member) {
            return not_tidy(case, "");
        }
        let message = format!("go.sum of {} has no sum for {what}", member.path);
        return case
            .finding("modules/sum-missing", member.path.clone(), message)
            .fixed_by(tidied(world, member));
    }
    // A member that names it itself lacks its sum alone too; otherwise it is the workspace's selection that asks for it.
    let path = what.split('@').next().unwrap_or_default();
    let names = |member: &&&Member| {
        let mut all = member.file.require.iter();
        all.any(|require| {
            within(path, &require.module.path) && lacks_sum(world, case, member, &require.module)
        })
    };
    let members = loaded(case);
    if let Some(member) = members.iter().find(names) {
        let message = format!("go.sum of {} has no sum for {what}", member.path);
        return case
            .finding("modules/sum-missing", member.path.clone(), message)
            .fixed_by(tidied(world, member));
    }
    let file = layout
        .go_work
        .as_ref()
        .map(|file| format!("{file}.sum"))
        .unwrap_or_default();
    if let Some(finding) = files::uncommitted_file(case, Utf8Path::new(&file)) {
        let mut finding = finding;
        finding.class =
            crate::check::classes::Class::find("workspace/sums-stale").unwrap_or(finding.class);
        return finding;
    }
    let message = format!("go.work.sum has no sum for {what}");
    case.finding("workspace/sums-stale", "go.work.sum", message)
        .fixed_by(Fix::safe(
            &workspace::place_of_work(world, case.environment()),
            &["work", "sync"],
        ))
}

/// Whether the missing sum is that of a version that go.mod requires although go.sum has sums of newer ones only: something else asks
/// for those, and go.mod has to follow.
fn outgrown(case: &Case<'_>, member: &Member) -> bool {
    let Some(missing) = module_in(&case.trouble.text) else {
        return false;
    };
    let text = case
        .world
        .files_of(case.environment())
        .read_to_string(member.dir.join("go.sum"));
    let text = text.unwrap_or_default();
    let versions = text.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let path = words.next()?;
        let version = words.next()?.trim_end_matches("/go.mod");
        (path == missing.path).then_some(version)
    });
    let mut newer = versions.filter(|version| {
        steady_module::gover::mod_compare(&missing.path, version, &missing.version).is_gt()
    });
    let required = member
        .file
        .require
        .iter()
        .any(|require| require.module == missing);
    required && newer.next().is_some()
}

fn lacks_sum(world: &World, case: &Case<'_>, member: &Member, module: &ModuleVersion) -> bool {
    let text = world
        .files_of(case.environment())
        .read_to_string(member.dir.join("go.sum"));
    let text = text.unwrap_or_default();
    let line = format!("{} {} h1:", module.path, module.version);
    !text.lines().any(|known| known.starts_with(&line))
}

/// A sum that is another one.
pub fn sum_conflict(case: &Case<'_>, module: &str) -> Finding {
    let world = case.world;
    let (path, version) = module.split_once('@').unwrap_or((module, ""));
    let message = format!("go.sum records another sum for {module} than the module has");
    let mut finding = case.finding("modules/sum-conflict", module, message);
    let line = format!("{path} {version}");
    let layout = world.layout(case.environment());
    let sums = layout
        .members
        .iter()
        .map(|member| member.dir.join("go.sum"));
    let work = layout
        .go_work
        .iter()
        .map(|file| Utf8PathBuf::from(format!("{file}.sum")));
    let mut dirs = Vec::new();
    for file in sums.chain(work) {
        if let Some((at, text)) = world.line_of(&file, |known| known.starts_with(&line)) {
            finding = finding.shown_by(Evidence::place(world.shown(&file), at, text));
            dirs.push(file);
        }
    }
    finding.fixed_by(Fix::shown("steady verify"))
}

/// Sums that a workspace looks up anew in each clone.
pub(super) fn sums(world: &World, out: &mut Vec<Finding>) {
    for view in world
        .views_of(Environment::Ci)
        .filter(|view| view.module.is_empty())
    {
        let new = view
            .seen()
            .is_some_and(|seen| seen.modules.fetcher().has_new_sums());
        let Some(file) = world.there.go_work.as_ref().filter(|_| new) else {
            continue;
        };
        let shown = format!("{}.sum", world.shown(file));
        out.push(
            Finding::new(
                "workspace/sums-stale",
                shown.clone(),
                format!("{shown} lacks sums that the workspace needs"),
            )
            .severity(Severity::Warning)
            .hits_all([Environment::Ci, Environment::Colleague])
            .shown_by(Evidence::place(shown, 0, ""))
            .fixed_by(Fix::safe(
                &workspace::place_of_work(world, Environment::Ci),
                &["work", "sync"],
            )),
        );
    }
}

//! The vendor directory against go.mod and against the modules that it is copied from.

use crate::check::causes::Case;
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::inspect::files;
use crate::check::world::{Member, Probe, World};
use camino::{Utf8Path, Utf8PathBuf};

use super::loaded;

/// A vendor directory that does not agree with go.mod.
pub fn vendoring(case: &Case<'_>) -> Finding {
    let world = case.world;
    let workspace =
        case.view.module.is_empty() && world.layout(case.environment()).go_work.is_some();
    let dir = match (workspace, loaded(case).first()) {
        (true, _) | (_, None) => world.root.clone(),
        (false, Some(member)) => member.dir.clone(),
    };
    let shown = world.shown(&dir.join("vendor"));
    if let Some(path) = hidden_vendor(case, &dir.join("vendor"))
        && let Some(finding) = files::uncommitted_file(case, &path)
    {
        return finding;
    }
    if let Some(finding) = files::uncommitted_file(case, &dir.join("vendor/modules.txt")) {
        return finding;
    }
    let message = format!("{shown} does not agree with go.mod");
    let command = if workspace {
        "go work vendor"
    } else {
        "go mod vendor"
    };
    case.finding("modules/vendor-drift", shown.clone(), message)
        .fixed_by(Fix::shown(match world.shown(&dir).as_str() {
            "." => command.to_owned(),
            dir => format!("(cd {dir} && {command})"),
        }))
}

/// Something in a vendor directory that is not committed.
fn hidden_vendor(case: &Case<'_>, vendor: &Utf8Path) -> Option<Utf8PathBuf> {
    let git = case.world.repository.as_ref()?;
    let prefix = format!("{}/", git.relative(vendor)?);
    let mut hidden = git.ignored.iter().chain(&git.untracked);
    let path = hidden.find(|path| path.starts_with(&prefix))?;
    Some(git.root.join(path.trim_end_matches('/')))
}

/// Vendored files that somebody has changed.
pub(super) fn edited(world: &World, member: &Member, probe: &Probe) -> Option<Finding> {
    let first = world.shown(probe.edited.first()?);
    let vendor = world.shown(&member.dir.join("vendor"));
    let message =
        format!("{first} is not what its module has: the next go mod vendor will undo that");
    let mut finding = Finding::new("modules/vendor-drift", vendor, message)
        .severity(Severity::Warning)
        .hits_all([Environment::Here, Environment::Ci, Environment::Colleague])
        .because("Files of vendor/ were edited, or came from another version.")
        .fixed_by(Fix::shown("steady verify"));
    for file in &probe.edited {
        finding = finding.shown_by(Evidence::place(
            world.shown(file),
            0,
            "differs from the module's",
        ));
    }
    Some(finding)
}

//! Requirements, sums, replacements and the vendor directory: why a module does not give what is imported.

mod published;
mod replacements;
mod requirements;
mod sums;
mod vendor;

pub use published::{not_here, unpublished, unreachable};
pub use replacements::replacement_missing;
pub use requirements::{ambiguous, malformed, no_package, not_tidy};
pub use sums::{sum_conflict, sum_missing};
pub use vendor::vendoring;

use crate::check::causes::Case;
use crate::check::finding::{Evidence, Finding, Fix};
use crate::check::world::{Member, World};
use steady_module::modfile::{Entry, Replace};

use published::{install_refused, not_importable, private};
use requirements::{requirements, untidy};
use sums::sums;
use vendor::edited;

/// Versions that stand for none: no tag ever has them.
const PLACEHOLDERS: [&str; 2] = ["v0.0.0", "v0.0.0-00010101000000-000000000000"];

/// A line of a member's go.mod as evidence.
#[must_use]
pub fn line_of(world: &World, member: &Member, line: usize) -> Evidence {
    let text = member
        .text
        .lines()
        .nth(line.saturating_sub(1))
        .unwrap_or_default();
    Evidence::place(world.shown(&member.dir.join("go.mod")), line, text.trim())
}

/// The module that a view is about.
fn own<'w>(case: &Case<'w>) -> Option<&'w Member> {
    let layout = case.world.layout(case.environment());
    layout
        .members
        .iter()
        .find(|member| member.path == case.view.module)
}

/// The members that are loaded in a view: one, or all of the workspace.
fn loaded<'w>(case: &Case<'w>) -> Vec<&'w Member> {
    let all = &case.world.layout(case.environment()).members;
    match case.view.module.as_str() {
        "" => all.iter().collect(),
        module => all.iter().filter(|member| member.path == module).collect(),
    }
}

/// The command that is run in a member's directory, outside of the workspace.
fn alone(world: &World, member: &Member, command: &str) -> String {
    let off = if world.here.go_work.is_some() {
        "GOWORK=off "
    } else {
        ""
    };
    match world.shown(&member.dir).as_str() {
        "." => format!("{off}{command}"),
        dir => format!("(cd {dir} && {off}{command})"),
    }
}

/// `go mod tidy` in a member.
fn tidied(world: &World, member: &Member) -> Fix {
    let dir = world.shown(&member.dir);
    match world.here.go_work {
        Some(_) => Fix::safe_alone(&dir, &["mod", "tidy"]),
        None => Fix::safe(&dir, &["mod", "tidy"]),
    }
}

/// Whether an import path is a module's or below it.
fn within(package: &str, module: &str) -> bool {
    package
        .strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The directive of a module's own go.mod that replaces what has a package, and its target.
pub fn replaced<'w>(member: &'w Member, package: &str) -> Option<&'w Entry<Replace>> {
    let fitting = member
        .file
        .replace
        .iter()
        .filter(|replace| within(package, &replace.old.path));
    fitting.max_by_key(|replace| replace.old.path.len())
}

/// What is to be said of modules that load.
pub fn inspect(world: &World) -> Vec<Finding> {
    let mut out = install_refused(world);
    out.extend(not_importable(world));
    for probe in &world.probes {
        if let Some(member) = world
            .here
            .members
            .iter()
            .find(|member| member.path == probe.module)
        {
            untidy(world, member, probe, &mut out);
            requirements(world, member, probe, &mut out);
            out.extend(edited(world, member, probe));
        }
    }
    private(world, &mut out);
    sums(world, &mut out);
    out
}

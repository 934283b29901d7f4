//! What others can fetch: versions that are published nowhere, modules that nobody can require or install.

use crate::check::causes::{Case, Cause};
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::inspect::workspace;
use crate::check::symptom::module_in;
use crate::check::world::{Member, View, World};
use std::collections::BTreeSet;
use steady_module::ModuleVersion;

use super::replacements::leaks;
use super::{PLACEHOLDERS, line_of, loaded, own, replaced};

/// A version that is published nowhere, told by somebody who was asked.
pub fn unpublished(case: &Case<'_>, module: Option<&ModuleVersion>) -> Finding {
    let world = case.world;
    let Some(module) = module else {
        return unreachable(case);
    };
    let requiring = loaded(case).into_iter().find_map(|member| {
        let found = member
            .file
            .require
            .iter()
            .find(|require| require.module == *module)?;
        Some((member, found.at.line))
    });
    if case.environment() == Environment::Consumer
        && let Some(member) = own(case)
        && let Some(replace) = replaced(member, &module.path)
    {
        return leaks(case, member, replace, &module.path);
    }
    let alone = own(case).is_some() && world.here.go_work.is_some();
    if alone && let Some(sibling) = sibling(world, module) {
        return workspace::needs_workspace(case, &sibling.path, &sibling.path);
    }
    let finding = case.finding(
        "modules/unpublished",
        module.to_string(),
        format!("{module} is required and not published"),
    );
    match requiring {
        Some((member, line)) => finding.shown_by(line_of(world, member, line)),
        None => finding,
    }
    .fixed_by(Fix::shown(format!(
        "publish it, or: go get {}@latest",
        module.path
    )))
}

/// Something is not at hand. Sometimes it is known nevertheless that nobody has it.
pub fn not_here(case: &Case<'_>, what: &str) -> Cause {
    let world = case.world;
    let named = module_in(&case.trouble.text);
    let missing = named.as_ref().filter(|module| {
        let placeholder = PLACEHOLDERS.contains(&module.version.as_str());
        placeholder
            || sibling(world, module)
                .is_some_and(|sibling| untagged(world, sibling, &module.version))
    });
    match (missing, named.as_ref()) {
        (Some(module), _) => unpublished(case, Some(module)).into(),
        (None, Some(module)) => Cause::Unknown(format!(
            "{module} is not in the module cache; -online asks for it"
        )),
        (None, None) => Cause::Unknown(format!(
            "not in the module cache: {what}; -online asks for it"
        )),
    }
}

/// The member of the repository that a module version is about.
pub(super) fn sibling<'w>(world: &'w World, module: &ModuleVersion) -> Option<&'w Member> {
    world
        .here
        .members
        .iter()
        .find(|member| member.path == module.path)
}

/// Whether the repository has tags, and none for this version of its own module.
fn untagged(world: &World, sibling: &Member, version: &str) -> bool {
    if steady_module::pseudo::is_pseudo_version(version) {
        return false;
    }
    let Some(git) = &world.repository else {
        return false;
    };
    let tags = git.tags();
    let dir = git.relative(&sibling.dir).unwrap_or_default();
    let major =
        steady_module::path::split_path_version(&sibling.path).map_or("", |(_, major)| major);
    let dir = dir.strip_suffix(major).unwrap_or(dir).trim_end_matches('/');
    let tag = if dir.is_empty() {
        version.to_owned()
    } else {
        format!("{dir}/{version}")
    };
    !tags.is_empty() && !tags.contains(&tag)
}

/// Whoever was asked did not answer.
pub fn unreachable(case: &Case<'_>) -> Finding {
    let first = case.trouble.text.lines().next().unwrap_or_default();
    case.finding(
        "modules/unreachable",
        first,
        format!("a module cannot be fetched: {first}"),
    )
}

/// Programs that `go install path@version` refuses.
pub fn install_refused(world: &World) -> Vec<Finding> {
    let mut out = Vec::new();
    for view in world.views_of(Environment::Consumer) {
        let Some(member) = world
            .there
            .members
            .iter()
            .find(|member| member.path == view.module)
        else {
            continue;
        };
        let replaces = member.file.replace.iter().map(|replace| replace.at.line);
        let excludes = member.file.exclude.iter().map(|exclude| exclude.at.line);
        let lines: Vec<usize> = replaces.chain(excludes).collect();
        if lines.is_empty() {
            continue;
        }
        let programs = programs(world, view);
        let (severity, message) = match programs.first() {
            Some(program) => (
                Severity::Error,
                format!(
                    "go install {program}@VERSION is refused: go.mod of {} has replace or exclude directives",
                    member.path
                ),
            ),
            None => (
                Severity::Note,
                format!(
                    "go.mod of {} has replace or exclude directives, which count for nobody else",
                    member.path
                ),
            ),
        };
        let mut finding = Finding::new("modules/install-refused", member.path.clone(), message)
            .severity(severity)
            .hits(Environment::Consumer)
            .fixed_by(Fix::shown(format!(
                "drop them from {}; what the workspace needs can stand in go.work",
                world.shown(&member.dir.join("go.mod"))
            )));
        for line in lines.iter().take(3) {
            finding = finding.shown_by(line_of(world, member, *line));
        }
        out.push(finding);
    }
    out
}

/// Import paths of a module's programs that somebody else can install.
fn programs(world: &World, view: &View) -> Vec<String> {
    let whole = world
        .views_of(Environment::Ci)
        .chain(world.views_of(Environment::Here));
    let mut found = BTreeSet::new();
    for seen in std::iter::once(view).chain(whole).filter_map(View::seen) {
        let mains = seen.roots.iter().filter(|package| package.name == "main");
        let own = |path: &str| {
            let owner = world.there.member_of(path);
            owner.is_some_and(|member| member.path == view.module)
        };
        let paths = mains.map(|package| &package.import_path);
        found.extend(paths.filter(|path| own(path)).cloned());
    }
    found.into_iter().collect()
}

/// Modules that nobody can require, since their paths cannot be those of modules that are fetched.
pub(super) fn not_importable(world: &World) -> Vec<Finding> {
    let mut out = Vec::new();
    for member in &world.there.members {
        let Some(refusal) = member.refusal() else {
            continue;
        };
        let path = &member.path;
        let message = format!("no other module can require {path}: {refusal}");
        let line = member.file.module.as_ref().map_or(1, |line| line.at.line);
        out.push(
            Finding::new("modules/not-importable", path, message)
                .hits(Environment::Consumer)
                .shown_by(line_of(world, member, line))
                .shown_by(Evidence::run(
                    format!("go get {path}@v1.0.0"),
                    format!("go: {path}@v1.0.0: {refusal}"),
                ))
                .fixed_by(Fix::shown(format!(
                    "(cd {} && go mod edit -module=HOST.DOMAIN/{path})",
                    world.shown(&member.dir)
                ))),
        );
    }
    out
}

/// Required modules that are private by the settings of this machine.
pub(super) fn private(world: &World, out: &mut Vec<Finding>) {
    let names = ["GOPRIVATE", "GONOPROXY", "GONOSUMDB"];
    for setting in world
        .settings
        .iter()
        .filter(|setting| names.contains(&setting.name.as_str()))
    {
        for member in &world.there.members {
            let fits =
                |path: &str| steady_module::path::match_prefix_patterns(&setting.value, path);
            let mut required = member.file.require.iter();
            let Some(require) = required.find(|require| fits(&require.module.path)) else {
                continue;
            };
            let path = &require.module.path;
            let message = format!(
                "{path} is fetched as a private module by {}, which is set on this machine",
                setting.name
            );
            let finding = Finding::new("modules/private-path", path.clone(), message)
                .hits_all([Environment::Ci, Environment::Colleague])
                .shown_by(line_of(world, member, require.at.line))
                .shown_by(match setting.line {
                    0 => Evidence::run(format!("printenv {}", setting.name), setting.value.clone()),
                    line => Evidence::place(
                        world.env_file.clone().unwrap_or_default().to_string(),
                        line,
                        format!("{}={}", setting.name, setting.value),
                    ),
                })
                .fixed_by(Fix::shown(format!(
                    "set {}={} in CI too",
                    setting.name, setting.value
                )));
            out.push(finding);
        }
    }
}

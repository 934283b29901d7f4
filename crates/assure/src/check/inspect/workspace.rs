//! go.work and the modules that it holds together.

use camino::{Utf8Path, Utf8PathBuf};
use steady_system::clean;

use crate::check::causes::Case;
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::git::Standing;
use crate::check::inspect::modules::line_of;
use crate::check::world::{Layout, World};

/// A line `use DIR` of go.work that leads to a directory: its number and text, and the directory as written.
fn use_line(layout: &Layout, dir: &Utf8Path) -> Option<(usize, String, String)> {
    let base = layout.go_work.as_ref()?.parent()?;
    let work = layout.work.as_ref()?;
    let used = work
        .uses
        .iter()
        .find(|used| clean(&base.join(&used.path)) == dir)?;
    let text = layout
        .work_text
        .lines()
        .nth(used.at.line.saturating_sub(1))
        .unwrap_or_default();
    Some((used.at.line, text.trim().to_owned(), used.path.clone()))
}

fn with_line(
    world: &World,
    finding: Finding,
    environment: Environment,
    dir: &Utf8Path,
) -> (Finding, String) {
    let layout = world.layout(environment);
    let file = layout.go_work.clone().unwrap_or_default();
    match use_line(layout, dir) {
        Some((line, text, written)) => {
            let place = Evidence::place(world.shown(&file), line, text);
            (finding.shown_by(place), written)
        }
        None => (finding, world.shown(dir)),
    }
}

/// The directory of go.work, as it is shown.
#[must_use]
pub fn place_of_work(world: &World, environment: Environment) -> String {
    let file = world.layout(environment).go_work.as_ref();
    let dir = file.and_then(|file| file.parent());
    dir.map_or_else(|| ".".to_owned(), |dir| world.shown(dir))
}

/// A member that has no go.mod in this environment.
pub fn member(case: &Case<'_>, dir: &str) -> Finding {
    let world = case.world;
    let dir = clean(&world.cwd.join(dir));
    let shown = world.shown(&dir);
    let is_here = world.files.is_file(dir.join("go.mod"));
    let standing = world
        .repository
        .as_ref()
        .map(|git| git.standing(&dir.join("go.mod")));
    let elsewhere = case.environment() != Environment::Here;
    match standing {
        Some(None) if elsewhere => {
            let message = format!("go.work uses {shown}, which lies outside of the repository");
            let finding = case.finding("workspace/member-outside", dir.as_str(), message);
            let (finding, written) = with_line(world, finding, case.environment(), &dir);
            finding.fixed_by(Fix::shown(format!("go work edit -dropuse={written}")))
        }
        Some(Some(standing)) if elsewhere && is_here => {
            let message = format!("go.work uses {shown}, which is not committed");
            let finding = case.finding("workspace/member-uncommitted", dir.as_str(), message);
            let (finding, _) = with_line(world, finding, case.environment(), &dir);
            let finding = finding.shown_by(Evidence::run(
                format!("git status --short {shown}"),
                format!("?? {shown}/"),
            ));
            match standing {
                Standing::Ignored => finding.fixed_by(Fix::shown(format!("git add -f {shown}"))),
                Standing::Submodule => finding.fixed_by(Fix::shown("git submodule update --init")),
                _ => finding.fixed_by(Fix::shown(format!("git add {shown}"))),
            }
        }
        _ => {
            let message = format!("go.work uses {shown}, which has no go.mod");
            let finding = case.finding("workspace/member-missing", dir.as_str(), message);
            let (finding, written) = with_line(world, finding, case.environment(), &dir);
            let place = place_of_work(world, case.environment());
            finding.fixed_by(Fix::safe(
                &place,
                &["work", "edit", &format!("-dropuse={written}")],
            ))
        }
    }
}

/// A go line of go.work that is too old for a member.
pub fn go_line(case: &Case<'_>) -> Finding {
    let first = case.trouble.text.split(", but").next().unwrap_or_default();
    let finding = case.finding("workspace/go-line", first, first);
    line_of_work(case, finding, |line| line.starts_with("go ")).fixed_by(Fix::safe(
        &place_of_work(case.world, case.environment()),
        &["work", "use"],
    ))
}

fn line_of_work(case: &Case<'_>, finding: Finding, fits: impl Fn(&str) -> bool) -> Finding {
    let layout = case.world.layout(case.environment());
    let Some(file) = &layout.go_work else {
        return finding;
    };
    let mut lines = layout.work_text.lines().enumerate();
    let found = lines.find(|(_, line)| fits(line.trim()));
    let (line, text) = found.map_or((0, ""), |(at, line)| (at + 1, line.trim()));
    finding.shown_by(Evidence::place(case.world.shown(file), line, text))
}

/// A go.work that cannot be read.
pub fn malformed(case: &Case<'_>) -> Finding {
    let first = case.trouble.text.lines().last().unwrap_or_default().trim();
    let finding = case.finding("workspace/malformed", first, format!("go.work: {first}"));
    let name = |line: &str| {
        let mut parts = line.split(':');
        let (file, number) = (parts.next()?, parts.next()?.parse::<usize>().ok()?);
        Some((file.to_owned(), number))
    };
    match case.trouble.text.lines().find_map(name) {
        Some((file, line)) => {
            let shown = case.world.shown(Utf8Path::new(&file));
            finding.shown_by(Evidence::place(shown, line, first))
        }
        None => line_of_work(case, finding, |_| false),
    }
}

/// Members that replace one module by different things.
pub fn replace_conflict(case: &Case<'_>, old: &str) -> Finding {
    let world = case.world;
    let message = format!("members of the workspace replace {old} by different things");
    let mut finding = case.finding("workspace/replace-conflict", old, message);
    let mut target = String::new();
    for member in &world.layout(case.environment()).members {
        for replace in &member.file.replace {
            if replace.old.path != old.split('@').next().unwrap_or_default() {
                continue;
            }
            finding = finding.shown_by(line_of(world, member, replace.at.line));
            if target.is_empty() {
                target = match replace.new.version.as_str() {
                    "" => format!("./{}", world.shown(&member.dir.join(&replace.new.path))),
                    _ => replace.new.to_string(),
                };
            }
        }
    }
    finding.fixed_by(Fix::shown(format!("go work edit -replace={old}={target}")))
}

/// A module that loads only beside its siblings.
pub fn needs_workspace(case: &Case<'_>, package: &str, sibling: &str) -> Finding {
    let world = case.world;
    let module = &case.view.module;
    let layout = world.layout(case.environment());
    let member = layout.members.iter().find(|member| member.path == *module);
    let required = member.and_then(|member| {
        let found = member
            .file
            .require
            .iter()
            .find(|require| require.module.path == sibling)?;
        Some((member, found))
    });
    let subject = format!("{module} {sibling}");
    let message = match required {
        Some((_, require)) => format!(
            "{module} builds only inside of the workspace: it requires {}, which does not have what it imports",
            require.module
        ),
        None => format!(
            "{module} builds only inside of the workspace: it imports {package} and does not require {sibling}"
        ),
    };
    let finding = case.finding("workspace/needs-workspace", subject, message);
    let dir = member
        .map(|member| world.shown(&member.dir))
        .unwrap_or_default();
    match required {
        Some((member, require)) => finding
            .shown_by(line_of(world, member, require.at.line))
            .fixed_by(Fix::shown(format!(
                "publish {sibling}, then: cd {dir} && go get {sibling}@latest"
            ))),
        None => finding.fixed_by(Fix::shown(format!(
            "publish {sibling}, then: cd {dir} && go get {sibling}@latest"
        ))),
    }
}

/// What is to be said of a workspace that loads: is go.work committed, and does each rule in it count?
pub fn inspect(world: &World, found: &[Finding]) -> Vec<Finding> {
    let mut out = Vec::new();
    out.extend(commitment(world, found));
    overridden(world, &mut out);
    out
}

/// Whether go.work is committed, and what follows.
fn commitment(world: &World, found: &[Finding]) -> Option<Finding> {
    let git = world.repository.as_ref()?;
    let path: &Utf8PathBuf = world.here.go_work.as_ref()?;
    let shown = world.shown(path);
    let clones = [Environment::Ci, Environment::Colleague];
    if world.there.go_work.is_some() {
        let finding = Finding::new(
            "workspace/work-committed",
            shown.clone(),
            format!("{shown} is committed"),
        );
        return Some(
            finding
                .hits(Environment::Ci)
                .shown_by(Evidence::place(shown, 0, "")),
        );
    }
    let alone = |finding: &&Finding| {
        let group = finding.class.id.split('/').next().unwrap_or_default();
        finding.severity == Severity::Error
            && matches!(group, "workspace" | "modules")
            && !finding.environments.contains(&Environment::Here)
    };
    let hit: Vec<Environment> = clones
        .into_iter()
        .filter(|one| {
            found
                .iter()
                .filter(alone)
                .any(|finding| finding.environments.contains(one))
        })
        .collect();
    let standing = git.standing(path);
    let (output, fix) = match standing {
        None => (format!("{path} lies outside of the repository"), None),
        Some(Standing::Ignored) => (
            format!("{} {shown}", git.ignored_by(&shown)),
            Some(format!("git add -f {shown}")),
        ),
        Some(_) => (format!("?? {shown}"), Some(format!("git add {shown}"))),
    };
    let message = format!("{shown} is not committed");
    let finding = Finding::new("workspace/work-uncommitted", shown.clone(), message).shown_by(
        Evidence::run(format!("git status --short --ignored {shown}"), output),
    );
    let finding = match fix {
        Some(command) => finding.fixed_by(Fix::shown(command)),
        None => finding,
    };
    Some(match hit.as_slice() {
        [] => finding.severity(Severity::Note).hits_all(clones),
        _ => finding.hits_all(hit),
    })
}

/// Replacements of members that do not count in the workspace.
fn overridden(world: &World, out: &mut Vec<Finding>) {
    let Some((work, file)) = world.here.work.as_ref().zip(world.here.go_work.as_ref()) else {
        return;
    };
    let base = file.parent().unwrap_or(Utf8Path::new("/"));
    let target = |base: &Utf8Path, new: &steady_module::ModuleVersion| match new.version.as_str() {
        "" => clean(&base.join(&new.path)).into_string(),
        _ => new.to_string(),
    };
    for member in &world.here.members {
        for replace in &member.file.replace {
            let own = target(&member.dir, &replace.new);
            let wins = work.replace.iter().find(|by| {
                by.old.path == replace.old.path
                    && (by.old.version.is_empty() || by.old.version == replace.old.version)
            });
            let sibling = world
                .here
                .members
                .iter()
                .find(|other| other.path == replace.old.path);
            let by = match (wins, sibling) {
                (Some(by), _) if target(base, &by.new) != own => {
                    let text = world
                        .here
                        .work_text
                        .lines()
                        .nth(by.at.line.saturating_sub(1));
                    Evidence::place(
                        world.shown(file),
                        by.at.line,
                        text.unwrap_or_default().trim(),
                    )
                }
                (None, Some(sibling)) if sibling.dir.as_str() != own => {
                    let (line, text) = world
                        .line_of(file, |line| {
                            line.contains(world.shown(&sibling.dir).as_str())
                        })
                        .unwrap_or_default();
                    Evidence::place(world.shown(file), line, text)
                }
                _ => continue,
            };
            let message = format!(
                "{} replaces {}, and that has no effect in the workspace",
                member.path, replace.old.path
            );
            out.push(
                Finding::new(
                    "workspace/replace-ineffective",
                    format!("{} {}", member.path, replace.old),
                    message,
                )
                .hits(Environment::Here)
                .shown_by(line_of(world, member, replace.at.line))
                .shown_by(by)
                .fixed_by(Fix::shown(format!(
                    "go mod edit -dropreplace={} {}",
                    replace.old,
                    world.shown(&member.dir.join("go.mod"))
                ))),
            );
        }
    }
}

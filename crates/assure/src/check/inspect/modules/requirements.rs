//! Requirements that do not say what the packages need, or say what has no effect.

use crate::check::causes::{Case, Cause, other};
use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::inspect::{files, workspace};
use crate::check::world::{Member, Probe, World};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use steady_module::amount::amount;
use steady_system::clean;

use super::replacements::leaks;
use super::{alone, line_of, loaded, own, replaced, tidied, within};

/// A package that nothing has in this environment.
pub fn no_package(case: &Case<'_>, package: &str) -> Cause {
    let world = case.world;
    let consumer = case.environment() == Environment::Consumer;
    if case.trouble.text.contains(" is not in std") && world.here.member_of(package).is_none() {
        // No module is looked for whose path does not begin with a host's name.
        return other(case).into();
    }
    for dir in places(case, package) {
        if let Some(finding) = files::missing_package(case, package, &dir) {
            return finding.into();
        }
    }
    if let Some(member) = own(case) {
        if consumer && let Some(replace) = replaced(member, package) {
            return leaks(case, member, replace, package).into();
        }
        let sibling = world
            .here
            .member_of(package)
            .filter(|other| other.path != member.path);
        if let Some(sibling) = sibling {
            return workspace::needs_workspace(case, package, &sibling.path).into();
        }
    }
    if world.here.member_of(package).is_some() {
        return other(case).into();
    }
    if consumer && !world.asks {
        // `go get` of the module would look for one that has it.
        return Cause::Unknown(format!(
            "who has {package} is not known without a network; -online asks for it"
        ));
    }
    // What is told of a package that a module at hand lacks, in words that name a module.
    not_tidy(case, package).into()
}

/// Directories in which a package of the repository could be: in its member, or in what replaces its module.
fn places(case: &Case<'_>, package: &str) -> Vec<Utf8PathBuf> {
    let world = case.world;
    let below = |dir: Utf8PathBuf, module: &str| {
        let rest = package.strip_prefix(module).unwrap_or_default();
        clean(&dir.join(rest.trim_start_matches('/')))
    };
    let mut all = Vec::new();
    let member = world.here.member_of(package);
    let seen = |member: &&Member| case.view.module.is_empty() || case.view.module == member.path;
    all.extend(
        member
            .filter(seen)
            .map(|member| below(member.dir.clone(), &member.path)),
    );
    if case.environment() != Environment::Consumer {
        for member in loaded(case) {
            if let Some(replace) = replaced(member, package).filter(|by| by.new.version.is_empty())
            {
                all.push(below(member.dir.join(&replace.new.path), &replace.old.path));
            }
        }
    }
    all
}

/// go.mod lacks something.
pub fn not_tidy(case: &Case<'_>, what: &str) -> Finding {
    let world = case.world;
    let importer = case
        .trouble
        .way
        .iter()
        .rev()
        .find_map(|path| world.here.member_of(path));
    let by_package = world.here.member_of(&case.trouble.package);
    let member = own(case)
        .or(importer)
        .or(by_package)
        .or_else(|| loaded(case).first().copied());
    let Some(member) = member else {
        return other(case);
    };
    if let Some(finding) = files::uncommitted_go_mod(case, member) {
        return finding;
    }
    let message = match what {
        "" => format!("go.mod of {} has to change before it builds", member.path),
        what => format!(
            "go.mod of {} requires no module that has {what}",
            member.path
        ),
    };
    case.finding("modules/not-tidy", member.path.clone(), message)
        .fixed_by(tidied(world, member))
}

/// go.mod or go.sum that cannot be read.
pub fn malformed(case: &Case<'_>) -> Finding {
    let place = case.trouble.text.lines().find_map(|line| {
        let words = line
            .split(' ')
            .find(|word| word.contains("go.mod:") || word.contains("go.sum:"))?;
        let mut parts = words.split(':');
        Some((
            parts.next()?.to_owned(),
            parts.next()?.parse::<usize>().ok()?,
        ))
    });
    let last = case
        .trouble
        .text
        .lines()
        .last()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let (file, line) = place.unwrap_or_else(|| ("go.mod".to_owned(), 0));
    if let Some(finding) = files::uncommitted_file(case, &case.world.cwd.join(&file)) {
        return finding;
    }
    let shown = case.world.shown(Utf8Path::new(&file));
    let finding = case.finding(
        "modules/malformed",
        format!("{shown} {last}"),
        format!("{shown}: {last}"),
    );
    finding.shown_by(Evidence::place(shown, line, last))
}

/// Two modules with one package: the whole, whose path is the shorter one, lost it to the part in later versions.
pub fn ambiguous(case: &Case<'_>, package: &str) -> Finding {
    let lines = case.trouble.text.lines();
    let modules = lines.filter_map(|line| line.trim_start().split_once(' ').map(|(path, _)| path));
    let holders = modules.filter(|path| within(package, path));
    let finding = case.finding(
        "modules/ambiguous",
        package,
        format!("{package} is in several modules"),
    );
    match holders.min_by_key(|path| path.len()) {
        Some(whole) => finding.fixed_by(Fix::shown(format!("go get {whole}@latest"))),
        None => finding,
    }
}

/// The lines that one text has and another has not.
fn only_in<'t>(one: &'t str, other: &str) -> Vec<&'t str> {
    let known: BTreeSet<&str> = other.lines().map(str::trim).collect();
    let lines = one.lines().filter(|line| !line.trim().is_empty());
    lines.filter(|line| !known.contains(line.trim())).collect()
}

/// What `go mod tidy` would change.
pub(super) fn untidy(world: &World, member: &Member, probe: &Probe, out: &mut Vec<Finding>) {
    let Some([go_mod, go_sum]) = &probe.tidy else {
        return;
    };
    let everywhere = [Environment::Here, Environment::Ci, Environment::Colleague];
    let missing = only_in(&go_sum.after, &go_sum.before);
    let surplus = only_in(&go_sum.before, &go_sum.after);
    if go_mod.before != go_mod.after || !missing.is_empty() {
        let mut changes: Vec<String> = only_in(&go_mod.before, &go_mod.after)
            .iter()
            .map(|line| format!("-{}", line.trim()))
            .collect();
        changes.extend(
            only_in(&go_mod.after, &go_mod.before)
                .iter()
                .map(|line| format!("+{}", line.trim())),
        );
        changes.extend(missing.iter().take(3).map(|line| format!("+{line}")));
        out.push(
            Finding::new(
                "modules/not-tidy",
                member.path.clone(),
                format!(
                    "go mod tidy would change go.mod or go.sum of {}",
                    member.path
                ),
            )
            .hits_all(everywhere)
            .shown_by(Evidence::run(
                alone(world, member, "go mod tidy -diff"),
                changes.join("\n"),
            ))
            .fixed_by(tidied(world, member)),
        );
    } else if let Some(first) = surplus.first() {
        let message = format!(
            "go.sum of {} has {} that nothing needs",
            member.path,
            amount(surplus.len(), ["line", "lines"])
        );
        out.push(
            Finding::new("modules/sum-surplus", member.path.clone(), message)
                .hits_all(everywhere)
                .shown_by(Evidence::run(
                    alone(world, member, "go mod tidy -diff"),
                    format!("-{first}"),
                ))
                .fixed_by(tidied(world, member)),
        );
    }
}

/// What authors say of required versions, and exclusions of what nothing asks for.
pub(super) fn requirements(world: &World, member: &Member, probe: &Probe, out: &mut Vec<Finding>) {
    let line_for = |path: &str| {
        let required = member
            .file
            .require
            .iter()
            .find(|require| require.module.path == path);
        line_of(world, member, required.map_or(0, |require| require.at.line))
    };
    for module in &probe.told {
        let name = format!("{}@{}", module.path, module.version);
        let newer = Fix::shown(alone(
            world,
            member,
            &format!("go get {}@latest", module.path),
        ));
        if let Some(reason) = module.retracted.first() {
            let message = format!("{name} was retracted: {reason}");
            let finding = Finding::new(
                "modules/retracted",
                format!("{} {name}", member.path),
                message,
            );
            out.push(
                finding
                    .hits_all(Environment::ALL)
                    .shown_by(line_for(&module.path))
                    .fixed_by(newer.clone()),
            );
        }
        if !module.deprecated.is_empty() {
            let message = format!("{} is deprecated: {}", module.path, module.deprecated);
            let finding = Finding::new(
                "modules/deprecated",
                format!("{} {name}", member.path),
                message,
            );
            out.push(
                finding
                    .hits_all(Environment::ALL)
                    .shown_by(line_for(&module.path)),
            );
        }
    }
    for module in &probe.idle_excludes {
        let line = member
            .file
            .exclude
            .iter()
            .find(|exclude| exclude.value == *module);
        let message = format!(
            "{} excludes {module}, and nothing asks for any version of it",
            member.path
        );
        out.push(
            Finding::new(
                "modules/exclude-ineffective",
                format!("{} {module}", member.path),
                message,
            )
            .hits(Environment::Here)
            .shown_by(line_of(world, member, line.map_or(0, |line| line.at.line)))
            .fixed_by(Fix::shown(format!(
                "go mod edit -dropexclude={module} {}",
                world.shown(&member.dir.join("go.mod"))
            ))),
        );
    }
}

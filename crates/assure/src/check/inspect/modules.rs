//! Requirements, sums, replacements and the vendor directory: why a module does not give what is imported.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use steady_module::ModuleVersion;
use steady_module::modfile::{Entry, Replace};
use steady_system::clean;

use crate::check::causes::{Case, Cause, other};
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::inspect::{files, workspace};
use crate::check::symptom::module_in;
use crate::check::world::{Member, Probe, View, World};

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

/// A replacement that counts here and for nobody who requires the module.
fn leaks(case: &Case<'_>, member: &Member, replace: &Entry<Replace>, package: &str) -> Finding {
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

/// Two modules with one package.
pub fn ambiguous(case: &Case<'_>, package: &str) -> Finding {
    case.finding(
        "modules/ambiguous",
        package,
        format!("{package} is in several modules"),
    )
    .fixed_by(Fix::shown(format!("go mod why -m {package}")))
}

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
fn sibling<'w>(world: &'w World, module: &ModuleVersion) -> Option<&'w Member> {
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
fn not_importable(world: &World) -> Vec<Finding> {
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

/// The lines that one text has and another has not.
fn only_in<'t>(one: &'t str, other: &str) -> Vec<&'t str> {
    let known: BTreeSet<&str> = other.lines().map(str::trim).collect();
    let lines = one.lines().filter(|line| !line.trim().is_empty());
    lines.filter(|line| !known.contains(line.trim())).collect()
}

/// What `go mod tidy` would change.
fn untidy(world: &World, member: &Member, probe: &Probe, out: &mut Vec<Finding>) {
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
            "go.sum of {} has {} lines that nothing needs",
            member.path,
            surplus.len()
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

/// Vendored files that somebody has changed.
fn edited(world: &World, member: &Member, probe: &Probe) -> Option<Finding> {
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

/// What authors say of required versions, and exclusions of what nothing asks for.
fn requirements(world: &World, member: &Member, probe: &Probe, out: &mut Vec<Finding>) {
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

/// Required modules that are private by the settings of this machine.
fn private(world: &World, out: &mut Vec<Finding>) {
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

/// Sums that a workspace looks up anew in each clone.
fn sums(world: &World, out: &mut Vec<Finding>) {
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

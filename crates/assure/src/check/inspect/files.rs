//! Files that are here and not everywhere: not committed, ignored, behind links, in nested modules, or named as not every system can.

use camino::{Utf8Path, Utf8PathBuf};
use steady_system::{FileKind, Files, clean};

use crate::check::causes::{Case, other};
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::git::{Repository, Standing, Tracked};
use crate::check::world::{Member, World};

/// How git would show that a path is not committed.
fn status(git: &Repository, world: &World, path: &Utf8Path, standing: Standing) -> Evidence {
    let shown = world.shown(path);
    match standing {
        Standing::Ignored => {
            let rule = git.ignored_by(git.relative(path).unwrap_or_default());
            Evidence::run(
                format!("git check-ignore -v {shown}"),
                format!("{rule}\t{shown}"),
            )
        }
        Standing::Changed => {
            Evidence::run(format!("git status --short {shown}"), format!(" M {shown}"))
        }
        Standing::Submodule => Evidence::run(format!("git submodule status {shown}"), shown),
        Standing::Untracked | Standing::Committed => {
            Evidence::run(format!("git status --short {shown}"), format!("?? {shown}"))
        }
    }
}

/// The finding about a path that an environment lacks because it is not committed; `None` if that is not so.
fn lacking(case: &Case<'_>, path: &Utf8Path, what: &str) -> Option<Finding> {
    let world = case.world;
    if case.environment() == Environment::Here || !world.files.exists(path) {
        return None;
    }
    let git = world.repository.as_ref()?;
    let standing = git.standing(path)?;
    let shown = world.shown(path);
    let (id, message, fix) = match standing {
        Standing::Committed => return None,
        Standing::Changed => (
            "files/uncommitted",
            format!("{what}: the change of {shown} is not committed"),
            Fix::shown(format!("git add {shown}")),
        ),
        Standing::Untracked => (
            "files/untracked",
            format!("{what}: {shown} is not committed"),
            Fix::shown(format!("git add {shown}")),
        ),
        Standing::Ignored => (
            "files/ignored",
            format!("{what}: {shown} is ignored by git"),
            Fix::shown(format!("git add -f {shown}")),
        ),
        Standing::Submodule => (
            "files/submodule",
            format!("{what}: {shown} lies in a git submodule"),
            Fix::shown("git submodule update --init --recursive"),
        ),
    };
    let finding = case.finding(id, shown, message).fixed_by(fix);
    Some(finding.shown_by(status(git, world, path, standing)))
}

/// The Go files of a directory as it is here.
fn go_files(files: &Files, dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = files.read_dir(dir).unwrap_or_default();
    let names = entries.into_iter().map(|entry| entry.name);
    names
        .filter(|name| name.ends_with(".go"))
        .map(|name| dir.join(name))
        .collect()
}

/// Why a directory gives no package in an environment although it does here.
fn vanished(case: &Case<'_>, package: &str, dir: &Utf8Path) -> Option<Finding> {
    let world = case.world;
    let what = format!("{package} is needed");
    let all = go_files(&world.files, dir);
    let uncommitted: Vec<&Utf8PathBuf> = all
        .iter()
        .filter(|file| !world.files_of(case.environment()).exists(file))
        .collect();
    if !all.is_empty() && uncommitted.len() == all.len() {
        let whole = world
            .repository
            .as_ref()
            .is_some_and(|git| git.standing(dir) != Some(Standing::Committed));
        return lacking(case, if whole { dir } else { uncommitted[0] }, &what);
    }
    None
}

/// A package of the repository that an environment does not show.
pub fn missing_package(case: &Case<'_>, package: &str, dir: &Utf8Path) -> Option<Finding> {
    let world = case.world;
    if let Some(link) = hidden_link(case, dir) {
        return Some(behind_link(case, &link, &format!("{package} is needed")));
    }
    if let Some(finding) = vanished(case, package, dir) {
        return Some(finding);
    }
    if !world.files.is_dir(dir) {
        return None;
    }
    let member = world
        .here
        .members
        .iter()
        .filter(|member| dir.starts_with(&member.dir));
    let member = member.max_by_key(|member| member.dir.as_str().len())?;
    let nested = dir
        .ancestors()
        .take_while(|above| *above != member.dir)
        .find(|above| {
            world
                .files_of(case.environment())
                .is_file(above.join("go.mod"))
        });
    if let Some(nested) = nested {
        let file = world.shown(&nested.join("go.mod"));
        let (line, text) = world
            .line_of(&nested.join("go.mod"), |line| line.starts_with("module"))
            .unwrap_or_default();
        let message =
            format!("{package} is needed, and {file} makes another module of its directory");
        return Some(
            case.finding("files/nested-module", file.clone(), message)
                .shown_by(Evidence::place(file.clone(), line, text))
                .fixed_by(Fix::shown(format!("git rm {file}"))),
        );
    }
    let link = dir
        .ancestors()
        .take_while(|above| *above != member.dir)
        .find(|above| is_link(&world.files, above))
        .map(Utf8Path::to_owned)
        .or_else(|| {
            go_files(&world.files, dir)
                .into_iter()
                .find(|file| is_link(&world.files, file))
        })?;
    Some(behind_link(case, &link, &format!("{package} is needed")))
}

/// The committed link that leads to a directory here and is not there, or leads nowhere, in an environment.
fn hidden_link(case: &Case<'_>, dir: &Utf8Path) -> Option<Utf8PathBuf> {
    let world = case.world;
    let git = world.repository.as_ref()?;
    let tracked = |path: &Utf8Path| {
        let kind = git.relative(path).and_then(|path| git.tracked.get(path));
        kind == Some(&Tracked::Symlink)
    };
    let hidden = |path: &Utf8Path| tracked(path) && !world.committed.exists(path);
    let link = dir.ancestors().find(|path| hidden(path));
    link.filter(|_| case.environment() != Environment::Here)
        .map(Utf8Path::to_owned)
}

fn is_link(files: &Files, path: &Utf8Path) -> bool {
    files
        .lstat(path)
        .is_ok_and(|found| found.kind == FileKind::Symlink)
}

fn behind_link(case: &Case<'_>, link: &Utf8Path, what: &str) -> Finding {
    let shown = case.world.shown(link);
    let target = case
        .world
        .files
        .read_link(link)
        .map(|to| to.to_string())
        .unwrap_or_default();
    case.finding(
        "files/symlink",
        shown.clone(),
        format!("{what}, and {shown} is a symbolic link"),
    )
    .shown_by(Evidence::run(format!("readlink {shown}"), target))
    .fixed_by(Fix::shown(format!("replace {shown} by what it leads to")))
}

/// A module whose go.mod is not committed.
pub fn no_go_mod(case: &Case<'_>) -> Finding {
    let here = &case.world.here.members;
    let member = here.iter().find(|member| member.path == case.view.module);
    let found = member.and_then(|member| uncommitted_file(case, &member.dir.join("go.mod")));
    found.unwrap_or_else(|| other(case))
}

/// A directory without Go files in an environment.
pub fn no_go_files(case: &Case<'_>, dir: &Utf8Path) -> Finding {
    let dir = clean(&case.world.cwd.join(dir));
    let package = case.trouble.package.clone();
    let found = vanished(case, &package, &dir);
    let found = found.or_else(|| {
        let mut all = go_files(&case.world.files, &dir).into_iter();
        let missing = all.find(|file| !case.world.files_of(case.environment()).exists(file))?;
        lacking(case, &missing, &format!("{package} is needed"))
    });
    let linked = || {
        let mut all = go_files(&case.world.files, &dir).into_iter();
        all.find(|file| is_link(&case.world.files, file))
            .filter(|_| case.environment() == Environment::Consumer)
            .map(|link| behind_link(case, &link, &format!("{package} is needed")))
    };
    found.or_else(linked).unwrap_or_else(|| other(case))
}

/// A file that is missing in an environment or different there, because its state here is not committed.
pub fn uncommitted_file(case: &Case<'_>, file: &Utf8Path) -> Option<Finding> {
    case.fine_here()
        .then(|| lacking(case, file, "it is needed as it is here"))?
}

/// go.mod is different here, and that is not committed.
pub fn uncommitted_go_mod(case: &Case<'_>, member: &Member) -> Option<Finding> {
    uncommitted_file(case, &member.dir.join("go.mod"))
}

/// A trouble in a file that is different here, or in a package with such a file.
pub fn uncommitted(case: &Case<'_>) -> Option<Finding> {
    let world = case.world;
    if let Some((file, _)) = case.trouble.place()
        && let Some(finding) = uncommitted_file(case, &clean(&world.cwd.join(file)))
    {
        return Some(finding);
    }
    let git = world.repository.as_ref().filter(|_| case.fine_here())?;
    let member = world.here.member_of(&case.trouble.package)?;
    let below = case.trouble.package.strip_prefix(&member.path)?;
    let dir = member.dir.join(below.trim_start_matches('/'));
    let mut changed = git.changed.iter().map(|path| git.root.join(path));
    let file =
        changed.find(|path| path.parent() == Some(&dir) && path.extension() == Some("go"))?;
    let shown = world.shown(&file);
    let gone = !world.files.exists(&file);
    let (what, letter) = if gone {
        ("deletion", "D")
    } else {
        ("change", "M")
    };
    Some(
        case.finding(
            "files/uncommitted",
            shown.clone(),
            format!("the {what} of {shown} is not committed"),
        )
        .shown_by(Evidence::run(
            format!("git status --short {shown}"),
            format!(" {letter} {shown}"),
        ))
        .fixed_by(Fix::shown(format!("git add {shown}"))),
    )
}

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

/// Paths that differ in case only, as loading finds them.
pub fn case_collision(case: &Case<'_>) -> Finding {
    let first = case.trouble.text.lines().next().unwrap_or_default();
    case.finding("files/case-collision", first, first)
}

/// What is to be said of the committed files although everything loads.
pub fn inspect(world: &World) -> Vec<Finding> {
    let mut out = Vec::new();
    if let Some(git) = &world.repository {
        collisions(world, git, &mut out);
        for member in &world.there.members {
            zip_rules(world, git, member, &mut out);
            nested(world, git, member, &mut out);
        }
        partly_embedded(world, git, &mut out);
        out.extend(super::left_out::inspect(world, git));
        stale(world, git, &mut out);
    }
    out
}

/// Committed paths that are one path where case does not count.
fn collisions(world: &World, git: &Repository, out: &mut Vec<Finding>) {
    let mut seen = std::collections::HashMap::new();
    for path in git.tracked.keys() {
        let Some(other) = seen.insert(path.to_lowercase(), path) else {
            continue;
        };
        // What the code does not read breaks no build, wherever one of the two ends up.
        let code = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or_default();
            matches!(name, "go.mod" | "go.sum" | "go.work")
                || world.tests && path.split('/').any(|part| part == "testdata")
                || embedded_or_source(world, &world.root.join(path))
        };
        let severity = if code(path) || code(other) {
            Severity::Error
        } else {
            Severity::Warning
        };
        let message = format!("{other} and {path} differ in case only");
        out.push(
            Finding::new("files/case-collision", path.clone(), message)
                .severity(severity)
                .hits(Environment::Colleague)
                .shown_by(Evidence::place(other.clone(), 0, ""))
                .shown_by(Evidence::place(path.clone(), 0, ""))
                .fixed_by(Fix::shown(format!("git mv {path} ANOTHER-NAME"))),
        );
    }
}

/// Whether a file belongs to a package that was loaded, as source or embedded.
fn embedded_or_source(world: &World, file: &Utf8Path) -> bool {
    let views = world
        .views_of(Environment::Ci)
        .chain(world.views_of(Environment::Here));
    let mut seen = views.filter_map(|view| view.seen());
    seen.any(|seen| {
        seen.roots.iter().any(|package| {
            let Ok(name) = file.strip_prefix(&package.dir) else {
                return false;
            };
            let lists = [
                &package.go_files,
                &package.other_files,
                &package.embed_files,
                &package.x_test_embed_files,
            ];
            lists
                .into_iter()
                .flatten()
                .any(|known| known == name.as_str())
        })
    })
}

/// What may not be in a module's zip, and what will not be.
fn zip_rules(world: &World, git: &Repository, member: &Member, out: &mut Vec<Finding>) {
    use steady_proxy::zip::{Content, SourceFile, check_files};
    let Some(dir) = git.relative(&member.dir) else {
        return;
    };
    if member.refusal().is_some() {
        return; // There is no zip of it.
    }
    let prefix = if dir.is_empty() {
        String::new()
    } else {
        format!("{dir}/")
    };
    let below = git
        .tracked
        .range(prefix.clone()..)
        .take_while(|(path, _)| path.starts_with(&prefix));
    let files: Vec<SourceFile> = below
        .map(|(path, kind)| {
            let full = git.root.join(path);
            SourceFile {
                path: path[prefix.len()..].to_owned(),
                kind: match kind {
                    Tracked::File => FileKind::File,
                    Tracked::Symlink => FileKind::Symlink,
                    Tracked::Submodule => FileKind::Dir,
                },
                size: world.committed.stat(&full).map_or(0, |found| found.size),
                content: Content::File(world.committed.clone(), full),
            }
        })
        .collect();
    let checked = check_files(&files);
    let consumer = |id: &str, subject: String, message: String| {
        Finding::new(id, subject, message).hits(Environment::Consumer)
    };
    for wrong in &checked.invalid {
        let path = format!("{prefix}{}", wrong.path);
        let message = format!("{path} may not be in a module zip: {}", wrong.reason);
        let id = if wrong.reason.contains("case-insensitive") {
            "files/case-collision"
        } else {
            "files/zip-forbidden"
        };
        let finding = consumer(id, path.clone(), message).severity(Severity::Error);
        out.push(
            finding
                .shown_by(Evidence::place(path.clone(), 0, ""))
                .fixed_by(Fix::shown(format!("git mv {path} ANOTHER-NAME"))),
        );
    }
    if let Some(size) = &checked.size_error {
        out.push(consumer(
            "files/zip-forbidden",
            member.path.clone(),
            format!("{}: {size}", member.path),
        ));
    }
    let links: Vec<&str> = checked
        .omitted
        .iter()
        .filter(|omitted| omitted.reason.contains("symbolic link"))
        .map(|omitted| omitted.path.as_str())
        .collect();
    if let Some(first) = links.first() {
        let message = format!(
            "{} symbolic links are not in the zip of {}, {prefix}{first} for one",
            links.len(),
            member.path
        );
        let mut finding = consumer(
            "files/symlink",
            format!("links of {}", member.path),
            message,
        );
        for link in links.iter().take(3) {
            finding = finding.shown_by(Evidence::place(format!("{prefix}{link}"), 0, ""));
        }
        out.push(finding);
    }
}

/// Modules inside of a module that nobody can mean: with code, in no workspace, and with a path that no import would find there.
fn nested(world: &World, git: &Repository, member: &Member, out: &mut Vec<Finding>) {
    let files = git.tracked.keys().filter(|path| path.ends_with("/go.mod"));
    for file in files.map(|path| git.root.join(path)) {
        let dir = file.parent().unwrap_or(Utf8Path::new("/"));
        let Ok(below) = dir.strip_prefix(&member.dir) else {
            continue;
        };
        let passed_over =
            |part: &str| part.starts_with(['.', '_']) || matches!(part, "testdata" | "vendor");
        let known = world
            .here
            .members
            .iter()
            .chain(&world.there.members)
            .any(|other| other.dir == dir);
        let inner = world.there.members.iter().any(|other| {
            other.dir != member.dir
                && other.dir.starts_with(&member.dir)
                && dir.starts_with(&other.dir)
        });
        if known || inner || below.components().any(|part| passed_over(part.as_str())) {
            continue;
        }
        let text = world.committed.read_to_string(&file).unwrap_or_default();
        let path = steady_module::modfile::ModFile::module_path(&text);
        // As it is written for a repository with several modules, with a major version behind it or without.
        let proper = format!("{}/{below}", member.path);
        let meant =
            path == proper || path.starts_with(&format!("{proper}/v")) || path.contains('.');
        if meant || go_files(&world.committed, dir).is_empty() {
            continue;
        }
        let shown = world.shown(&file);
        let (line, text) = world
            .line_of(&file, |line| line.starts_with("module"))
            .unwrap_or_default();
        let message = format!(
            "{shown} makes a module of its own of a part of {}",
            member.path
        );
        out.push(
            Finding::new("files/nested-module", shown.clone(), message)
                .hits_all(Environment::ALL)
                .shown_by(Evidence::place(shown.clone(), line, text))
                .fixed_by(Fix::shown(format!("git rm {shown}"))),
        );
    }
}

/// Embedded files that are not committed, where the pattern matches others.
fn partly_embedded(world: &World, git: &Repository, out: &mut Vec<Finding>) {
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

/// Generated files that were committed before what they are made from. Both must be named by the line that makes one from the other.
fn stale(world: &World, git: &Repository, out: &mut Vec<Finding>) {
    for (file, line, command) in git.generate_lines() {
        let dir = Utf8Path::new(file).parent().unwrap_or(Utf8Path::new(""));
        let named: Vec<String> = command
            .split_whitespace()
            .map(|word| word.rsplit('=').next().unwrap_or(word))
            .map(|word| clean(&dir.join(word)).into_string())
            .filter(|path| git.tracked.get(path) == Some(&Tracked::File))
            .collect();
        let generated = |path: &&String| {
            let text = world.committed.read_to_string(git.root.join(path.as_str()));
            text.is_ok_and(|text| {
                let mut head = text.lines().take(20);
                head.any(|line| line.contains("Code generated ") && line.contains("DO NOT EDIT"))
            })
        };
        let (made, sources): (Vec<&String>, Vec<&String>) = named.iter().partition(generated);
        for made in &made {
            let Some(when) = git.last_change(made) else {
                continue;
            };
            // What generates is code too, and changes without changing what it makes.
            let data = sources
                .iter()
                .filter(|path| !path.ends_with(".sh") && !path.ends_with(".go"));
            let mut newer =
                data.filter(|path| git.last_change(path).is_some_and(|time| time > when));
            let Some(source) = newer.next() else {
                continue;
            };
            let message = format!("{made} was generated before {source} was changed");
            out.push(
                Finding::new("files/generated-stale", (*made).clone(), message)
                    .hits_all(Environment::ALL)
                    .shown_by(Evidence::place(
                        file.clone(),
                        *line,
                        format!("//go:generate {command}"),
                    ))
                    .shown_by(Evidence::run(
                        format!("git log -1 --format=%cs -- {made} {source}"),
                        format!("{source} has the later commit"),
                    ))
                    .fixed_by(Fix::shown(format!("go generate ./{dir}"))),
            );
        }
    }
}

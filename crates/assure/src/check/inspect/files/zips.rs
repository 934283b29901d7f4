//! What file systems and module zips take: paths that differ in case only, names and sizes, links, modules inside of modules.

use crate::check::causes::Case;
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::git::{Repository, Tracked};
use crate::check::world::{Member, World};
use camino::Utf8Path;
use steady_module::amount::amount;
use steady_system::FileKind;

use super::go_files;

/// Paths that differ in case only, as loading finds them.
pub fn case_collision(case: &Case<'_>) -> Finding {
    let first = case.trouble.text.lines().next().unwrap_or_default();
    case.finding("files/case-collision", first, first)
}

/// Committed paths that are one path where case does not count.
pub(super) fn collisions(world: &World, git: &Repository, out: &mut Vec<Finding>) {
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
pub(super) fn zip_rules(world: &World, git: &Repository, member: &Member, out: &mut Vec<Finding>) {
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
            "{} not in the zip of {}, {prefix}{first} for one",
            amount(links.len(), ["symbolic link is", "symbolic links are"]),
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
pub(super) fn nested(world: &World, git: &Repository, member: &Member, out: &mut Vec<Finding>) {
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

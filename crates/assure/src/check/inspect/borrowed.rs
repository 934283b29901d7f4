//! Names that code takes from packages of other modules, where these are not the ones that it is written against: siblings of its workspace,
//! what replaces modules, and the standard library where CI has an older one. A package of that name is everywhere; what is not in it
//! compiles nowhere else. Names alone are looked at: of methods, fields and types only `-prove` can tell.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use steady_packages::patterns::is_standard_import_path;
use steady_packages::source::names::{Borrowed, borrowed, declared};
use steady_system::{Files, parallel, processors};

use super::files::go_files;
use super::modules::{line_of, replaced};
use super::toolchain;
use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::world::{Member, Root, Seen, View, World};

/// A package of a member, as a view sees it that may have other packages for it to import.
struct Looked<'w> {
    view: &'w View,
    seen: &'w Seen,
    owner: &'w Member,
    package: &'w Root,
}

/// A package that a view has elsewhere than it is here.
struct Other<'w> {
    here: Utf8PathBuf,
    there: Utf8PathBuf,
    /// The view that has it here.
    at_home: &'w Seen,
    /// The files that the other view shows.
    files: &'w Files,
    standard: bool,
}

/// An import of a package that has less elsewhere than here, and what that is.
struct Lacking<'a> {
    import: &'a str,
    other: &'a Other<'a>,
    names: &'a BTreeSet<String>,
}

/// Where packages are elsewhere, by the view and the import path; `None`: it has the one that is here.
type Others<'w> = HashMap<(*const Seen, &'w str), Option<Other<'w>>>;

/// What packages declare here and not elsewhere, by both directories.
type Differences<'a> = HashMap<(&'a Utf8Path, &'a Utf8Path), BTreeSet<String>>;

/// All of them.
pub fn inspect(world: &World) -> Vec<Finding> {
    let looked = looked_at(world);
    let others = others(world, &looked);
    let differences = differences(world, &others);
    // Few packages import one that lacks anything, and only their files are read.
    let lacking: Vec<(&Looked<'_>, Vec<Lacking<'_>>)> = looked
        .iter()
        .map(|one| (one, one.lacking(&others, &differences)))
        .filter(|(_, lacking)| !lacking.is_empty())
        .collect();
    let found = parallel::map(&lacking, processors(), |(one, lacking)| {
        one.finding(world, lacking)
    });
    found.into_iter().flatten().collect()
}

fn looked_at(world: &World) -> Vec<Looked<'_>> {
    let mut looked = Vec::new();
    for view in &world.views {
        let Some(seen) = view
            .seen()
            .filter(|_| view.environment != Environment::Here)
        else {
            continue;
        };
        // In a workspace siblings are what they are here, and another Go is all that differs.
        if view.module.is_empty() && world.older_in(view.environment).is_none() {
            continue;
        }
        for package in &seen.roots {
            let owner = world.there.member_of(&package.import_path);
            let owner = owner.filter(|owner| view.module.is_empty() || owner.path == view.module);
            looked.extend(owner.map(|owner| Looked {
                view,
                seen,
                owner,
                package,
            }));
        }
    }
    looked
}

/// What is imported and elsewhere another one than here.
fn others<'w>(world: &'w World, looked: &[Looked<'w>]) -> Others<'w> {
    let mut all = Others::new();
    for one in looked {
        for import in &one.package.imports {
            if may_differ(world, one.owner, import) {
                all.entry((std::ptr::from_ref(one.seen), import))
                    .or_insert_with(|| elsewhere(world, one.seen, import));
            }
        }
    }
    all
}

/// Whether an import of a member may be of another package elsewhere: of another member, of what replaces a module, of another Go.
fn may_differ(world: &World, owner: &Member, import: &str) -> bool {
    let sibling = world.here.member_of(import);
    sibling.is_some_and(|member| member.path != owner.path)
        || is_standard_import_path(import) && world.older_in(Environment::Ci).is_some()
        || replaced(owner, import).is_some()
}

fn elsewhere<'w>(world: &'w World, seen: &'w Seen, import: &str) -> Option<Other<'w>> {
    let resolved = |seen: &Seen| seen.modules.resolve(import, None).ok();
    let there = resolved(seen)?;
    let mut home = world.views_of(Environment::Here).filter_map(View::seen);
    let (at_home, here) = home.find_map(|seen| Some((seen, resolved(seen)?)))?;
    (here.dir != there.dir).then(|| Other {
        here: here.dir,
        there: there.dir,
        at_home,
        files: seen.modules.index().files(),
        standard: there.module.is_none(),
    })
}

/// What these packages declare here alone. Each two are compared once, whoever imports them.
fn differences<'a>(world: &World, others: &'a Others<'_>) -> Differences<'a> {
    let pair = |other: &'a Other<'_>| (other.here.as_path(), other.there.as_path());
    let pairs: BTreeMap<_, _> = others
        .values()
        .flatten()
        .map(|other| (pair(other), other.files))
        .collect();
    let pairs: Vec<_> = pairs.into_iter().collect();
    let found = parallel::map(&pairs, processors(), |((here, there), files)| {
        here_alone((&world.files, here), (files, there))
    });
    let pairs = pairs.into_iter().map(|(pair, _)| pair);
    pairs.zip(found).collect()
}

/// What the package in one directory declares and that in the other does not, whatever constraints their files have.
fn here_alone(here: (&Files, &Utf8Path), there: (&Files, &Utf8Path)) -> BTreeSet<String> {
    let theirs = sources(there.0, there.1);
    let mut names = BTreeSet::new();
    for (name, bytes) in sources(here.0, here.1) {
        // What stands in both does not have to be read.
        if theirs.get(&name) != Some(&bytes) {
            names.extend(declared(&bytes));
        }
    }
    for bytes in theirs.values() {
        if names.is_empty() {
            break;
        }
        for name in declared(bytes) {
            names.remove(&name);
        }
    }
    names
}

/// What stands in the files of a package, but for its tests, by their names.
fn sources(files: &Files, dir: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let paths = go_files(files, dir).into_iter();
    let paths = paths.filter(|path| !path.as_str().ends_with("_test.go"));
    let read = |path: Utf8PathBuf| {
        let name = path.file_name().unwrap_or_default().to_owned();
        (name, files.read(path).unwrap_or_default())
    };
    paths.map(read).collect()
}

impl Looked<'_> {
    /// Its imports of packages that lack anything where it is looked at.
    fn lacking<'a>(
        &'a self,
        others: &'a Others<'_>,
        differences: &'a Differences<'_>,
    ) -> Vec<Lacking<'a>> {
        let seen = std::ptr::from_ref(self.seen);
        let lacking = |import: &'a String| {
            let other = others.get(&(seen, import.as_str()))?.as_ref()?;
            let names = differences.get(&(other.here.as_path(), other.there.as_path()))?;
            (!names.is_empty()).then_some(Lacking {
                import,
                other,
                names,
            })
        };
        self.package.imports.iter().filter_map(lacking).collect()
    }

    /// The first name that it takes from one of these and does not get.
    fn finding(&self, world: &World, lacking: &[Lacking<'_>]) -> Option<Finding> {
        let called = |import: &str| {
            let other = lacking.iter().find(|one| one.import == import)?.other;
            let (home, dir) = (other.at_home, &other.here);
            let name = home
                .modules
                .index()
                .package(dir, &home.context)
                .name
                .clone();
            (!name.is_empty()).then_some(name)
        };
        let files = self.seen.modules.index().files();
        for name in &self.package.go_files {
            let file = Utf8Path::new(&self.package.dir).join(name);
            for taken in borrowed(&files.read(&file).unwrap_or_default(), called) {
                let lacks = |one: &&Lacking<'_>| {
                    one.import == taken.import && one.names.contains(&taken.name)
                };
                let found = lacking.iter().find(lacks);
                let found = found.and_then(|one| self.lack(world, &file, &taken, one.other));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    fn lack(
        &self,
        world: &World,
        file: &Utf8Path,
        taken: &Borrowed,
        other: &Other<'_>,
    ) -> Option<Finding> {
        let Looked { view, owner, .. } = self;
        let path = &self.package.import_path;
        let output = format!("undefined: {}.{}", taken.package, taken.name);
        let finding = match other.standard {
            false => lacking(world, owner, &taken.import, &output)?,
            true => toolchain::lacks(world.older_in(view.environment)?, &output),
        };
        let line = usize::try_from(taken.line).unwrap_or_default();
        let text = world.committed.read_to_string(file).unwrap_or_default();
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let place = Evidence::place(world.shown(file), line, text.trim());
        let command = match view.environment {
            Environment::Consumer => format!("go get {}@VERSION && go build {path}", owner.path),
            _ => world.in_a_clone(&view.module, path),
        };
        let finding = finding.shown_by(place).hits(view.environment);
        Some(finding.shown_by(Evidence::run(command, output)))
    }
}

/// What a module lacks of a package that is here and not as its requirements give it: a sibling's, or that of a replacement.
#[must_use]
pub fn lacking(world: &World, owner: &Member, import: &str, what: &str) -> Option<Finding> {
    let subject = |other: &str| format!("{} {other}", owner.path);
    if let Some(replace) = replaced(owner, import) {
        let id = match replace.new.version.as_str() {
            "" => "modules/replace-local",
            _ => "modules/replace-fork",
        };
        let old = &replace.old.path;
        let message = format!("{} needs its replacement of {old}: {what}", owner.path);
        let line = line_of(world, owner, replace.at.line);
        return Some(Finding::new(id, subject(old), message).shown_by(line));
    }
    let sibling = world.here.member_of(import);
    let sibling = &sibling.filter(|other| other.path != owner.path)?.path;
    let message = format!(
        "{} builds only inside of the workspace: the {sibling} that it requires is not the one that is here ({what})",
        owner.path
    );
    Some(
        Finding::new("workspace/needs-workspace", subject(sibling), message).fixed_by(Fix::shown(
            format!("publish {sibling}, then: go get {sibling}@latest"),
        )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_here_alone() {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temp.path()).unwrap();
        let (files, here, there) = (Files::new(root), root.join("here"), root.join("there"));
        let write = |path: Utf8PathBuf, text: &str| {
            files.create_dir_all(path.parent().unwrap()).unwrap();
            files.write(path, text.as_bytes(), 0o600).unwrap();
        };
        for dir in [&here, &there] {
            write(dir.join("same.go"), "package p\n\nfunc Same() {}\n");
        }
        write(
            here.join("a.go"),
            "package p\n\nfunc Moved() {}\n\nfunc New() {}\n",
        );
        write(here.join("a_test.go"), "package p\n\nfunc Tested() {}\n");
        write(there.join("a.go"), "package p\n\nfunc Old() {}\n");
        write(there.join("b.go"), "package p\n\nfunc Moved() {}\n");
        let found = here_alone((&files, &here), (&files, &there));
        assert_eq!(found, BTreeSet::from(["New".to_owned()]));
        assert!(here_alone((&files, &here), (&files, &here)).is_empty());
    }
}

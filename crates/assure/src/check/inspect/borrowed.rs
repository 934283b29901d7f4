//! Names that code takes from packages of other modules, where these are not the ones that it is written against: siblings of its workspace,
//! what replaces modules, and the standard library where CI has an older one. A package of that name is everywhere; what is not in it
//! compiles nowhere else. Names alone are looked at: of methods, fields and types only `-prove` can tell.

use camino::{Utf8Path, Utf8PathBuf};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use steady_packages::modload::Resolved;
use steady_packages::source::names::{Borrowed, borrowed, declared};
use steady_system::{Files, parallel};

use super::modules::{line_of, replaced};
use super::toolchain;
use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::world::{Member, Root, Seen, View, World};

/// Where imports come from, by the view that has them.
type Places = HashMap<(*const Seen, String), Option<Rc<Resolved>>>;

/// What files say, each read once for all views.
struct Known<'w> {
    world: &'w World,
    resolved: RefCell<Places>,
    declared: RefCell<HashMap<Utf8PathBuf, Rc<BTreeSet<String>>>>,
    borrowed: HashMap<Utf8PathBuf, Vec<Borrowed>>,
}

/// A package of a member, as a view sees it that may have other packages for it to import.
type Looked<'w> = (&'w View, &'w Seen, &'w Member, &'w Root);

/// All of them.
pub fn inspect(world: &World) -> Vec<Finding> {
    let mut looked: Vec<Looked<'_>> = Vec::new();
    for view in &world.views {
        let Some(seen) = view
            .seen()
            .filter(|_| view.environment != Environment::Here)
        else {
            continue;
        };
        // In a workspace siblings are what they are here, and another Go is all that differs.
        let older = world.older_in(view.environment);
        if view.module.is_empty() && older.is_none() {
            continue;
        }
        for package in &seen.roots {
            let owner = world.there.member_of(&package.import_path);
            let owner = owner.filter(|owner| view.module.is_empty() || owner.path == view.module);
            looked.extend(owner.map(|owner| (view, seen, owner, package)));
        }
    }
    let known = Known {
        world,
        resolved: RefCell::default(),
        declared: RefCell::default(),
        borrowed: borrowed_in(world, &looked),
    };
    let found = looked
        .iter()
        .filter_map(|(view, seen, owner, package)| known.lacks(view, seen, owner, package));
    found.collect()
}

/// The names that each file takes from packages which may be others elsewhere. There may be thousands of files.
fn borrowed_in(world: &World, looked: &[Looked<'_>]) -> HashMap<Utf8PathBuf, Vec<Borrowed>> {
    let mut files: BTreeMap<Utf8PathBuf, &Seen> = BTreeMap::new();
    for (_, seen, _, package) in looked {
        let paths = package.go_files.iter();
        let paths = paths.map(|name| Utf8Path::new(&package.dir).join(name));
        files.extend(paths.map(|path| (path, *seen)));
    }
    let files: Vec<(Utf8PathBuf, &Seen)> = files.into_iter().collect();
    let names = Names::default();
    let found = parallel::map(&files, steady_system::processors(), |(file, seen)| {
        let bytes = seen.modules.index().files().read(file);
        borrowed(&bytes.unwrap_or_default(), |import| {
            called(world, &names, file, import)
        })
    });
    let files = files.into_iter().map(|(file, _)| file);
    files.zip(found).collect()
}

/// What packages are called, by import path.
type Names = Mutex<HashMap<String, Option<String>>>;

/// What a package is called that may be another one elsewhere: of another member, of what replaces a module, of another Go.
fn called(world: &World, names: &Names, file: &Utf8Path, import: &str) -> Option<String> {
    let own = |member: &&Member| file.starts_with(&member.dir);
    let owners = world.there.members.iter().filter(own);
    let owner = owners.max_by_key(|member| member.dir.as_str().len())?;
    let standard = !import
        .split('/')
        .next()
        .is_some_and(|first| first.contains('.'));
    let sibling = world.here.member_of(import);
    let other = sibling.is_some_and(|member| member.path != owner.path);
    let older = standard && world.older_in(Environment::Ci).is_some();
    if !other && !older && replaced(owner, import).is_none() {
        return None;
    }
    let known = || names.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(name) = known().get(import) {
        return name.clone();
    }
    let mut here = world.views_of(Environment::Here).filter_map(View::seen);
    let name = here.find_map(|seen| {
        let dir = seen.modules.resolve(import, None).ok()?.dir;
        let source = seen.modules.index().package(&dir, &seen.context);
        (!source.name.is_empty()).then(|| source.name.clone())
    });
    known().insert(import.to_owned(), name.clone());
    name
}

impl Known<'_> {
    /// What a package takes from others and does not get.
    fn lacks(&self, view: &View, seen: &Seen, member: &Member, package: &Root) -> Option<Finding> {
        for name in &package.go_files {
            let file = Utf8Path::new(&package.dir).join(name);
            for taken in self.borrowed.get(&file).into_iter().flatten() {
                if let Some(finding) = self.lack(view, seen, member, &file, taken) {
                    let path = &package.import_path;
                    let command = match view.environment {
                        Environment::Consumer => {
                            format!("go get {}@VERSION && go build {path}", member.path)
                        }
                        _ => self.world.in_a_clone(&view.module, path),
                    };
                    let Borrowed { package, name, .. } = taken;
                    let output = format!("undefined: {package}.{name}");
                    return Some(
                        finding
                            .hits(view.environment)
                            .shown_by(Evidence::run(command, output)),
                    );
                }
            }
        }
        None
    }

    fn lack(
        &self,
        view: &View,
        seen: &Seen,
        member: &Member,
        file: &Utf8Path,
        taken: &Borrowed,
    ) -> Option<Finding> {
        let world = self.world;
        let resolve = |seen: &Seen| self.resolved(seen, &taken.import);
        let there = resolve(seen)?;
        let here = world.views_of(Environment::Here);
        let here = here.filter_map(View::seen).find_map(resolve)?;
        let has = |dir: &Utf8Path, files: &Files| self.declared(files, dir).contains(&taken.name);
        if here.dir == there.dir
            || has(&there.dir, seen.modules.index().files())
            || !has(&here.dir, &world.files)
        {
            return None;
        }
        let what = format!("undefined: {}.{}", taken.package, taken.name);
        let finding = match &there.module {
            Some(_) => lacking(world, member, &taken.import, &what)?,
            None => toolchain::lacks(world.older_in(view.environment)?, &what),
        };
        let line = usize::try_from(taken.line).unwrap_or_default();
        let text = world.committed.read_to_string(file).unwrap_or_default();
        let text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Some(finding.shown_by(Evidence::place(world.shown(file), line, text.trim())))
    }

    /// Where an import comes from in a view.
    fn resolved(&self, seen: &Seen, import: &str) -> Option<Rc<Resolved>> {
        let mut known = self.resolved.borrow_mut();
        let found = known
            .entry((std::ptr::from_ref(seen), import.to_owned()))
            .or_insert_with(|| seen.modules.resolve(import, None).ok().map(Rc::new));
        found.clone()
    }

    /// What the package in a directory declares, whatever constraints its files have.
    fn declared(&self, files: &Files, dir: &Utf8Path) -> Rc<BTreeSet<String>> {
        if let Some(known) = self.declared.borrow().get(dir) {
            return Rc::clone(known);
        }
        let mut all = BTreeSet::new();
        for entry in files.read_dir(dir).unwrap_or_default() {
            if entry.name.ends_with(".go") && !entry.name.ends_with("_test.go") {
                all.extend(declared(
                    &files.read(dir.join(&entry.name)).unwrap_or_default(),
                ));
            }
        }
        let all = Rc::new(all);
        self.declared
            .borrow_mut()
            .insert(dir.to_owned(), Rc::clone(&all));
        all
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

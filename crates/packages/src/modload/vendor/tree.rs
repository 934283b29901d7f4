//! The files of a vendor directory: what could belong to a build of the packages, what they embed, and licences.

use super::super::{ModError, Modules, Result};
use super::ByModule;
use super::list::Listing;
use crate::source::facts::{FileError, FileFacts};
use crate::source::imports::{Tags, constraint_counts};
use crate::source::{BuildContext, SourceError, scan};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use steady_module::gover;
use steady_system::parallel;
use steady_system::temp::TempDir;
use steady_system::{FileKind, Files, Walk};

/// From this version of the main module on, go.mod and go.sum of a dependency are left behind: they would make modules of directories.
const LEAVES_GO_MOD: &str = "1.17";
/// From this version on, what tests of a dependency embed is left behind.
const LEAVES_TEST_EMBEDS: &str = "1.22";

/// Files of a module that go along with its packages, from every directory above them.
const METADATA: &[&str] = &[
    "AUTHORS",
    "CONTRIBUTORS",
    "COPYLEFT",
    "COPYING",
    "COPYRIGHT",
    "LEGAL",
    "LICENSE",
    "NOTICE",
    "PATENTS",
];

/// What a vendor directory is to hold.
#[derive(Debug, Default)]
pub struct VendorPlan {
    /// modules.txt; empty if there is nothing to vendor.
    pub modules_txt: String,
    /// Packages whose embedded files cannot be found, a message each.
    pub problems: Vec<String>,
    /// Every directory below the vendor directory, those above others included.
    dirs: BTreeMap<String, Dir>,
}

/// The files of a directory, sorted: their names, and the directory that has a file of this name to copy.
type Dir = Vec<(Box<str>, Arc<Utf8Path>)>;

/// A file and its directory below the vendor directory.
type Planned<'p> = (&'p str, &'p (Box<str>, Arc<Utf8Path>));

/// One package's share.
#[derive(Default)]
struct Share {
    names: Vec<String>,
    embedded: Vec<String>,
    problem: Option<String>,
}

/// A directory and its place below the vendor directory.
type Place = (Utf8PathBuf, Utf8PathBuf);

/// Steps, in the order in which a later one may write over an earlier one: modules can lie within one another.
enum Step {
    Package(usize),
    Metadata(usize),
}

/// What every look at a package needs.
struct Look<'a> {
    modules: &'a Modules,
    /// The disk itself: what an overlay shows is nobody else's.
    disk: Files,
    context: BuildContext,
    keeps_go_mod: bool,
    embeds_of_tests: bool,
}

impl Modules {
    pub(super) fn collect_vendor(
        &self,
        packages: &ByModule<'_>,
        listing: Listing,
        context: &BuildContext,
    ) -> Result<VendorPlan> {
        let version = self.go_version();
        let mut context = context.clone();
        context.use_all_files = true;
        let look = Look {
            modules: self,
            disk: Files::new(&self.config.cwd),
            context,
            keeps_go_mod: gover::compare(version, LEAVES_GO_MOD).is_lt(),
            embeds_of_tests: gover::compare(version, LEAVES_TEST_EMBEDS).is_lt(),
        };
        let mut sources: Vec<Place> = Vec::new();
        let mut above: Vec<Place> = Vec::new();
        let mut steps = Vec::new();
        for module in &listing.modules {
            // A directory that two modules share has metadata of both.
            let mut seen: HashSet<&str> = HashSet::new();
            for package in packages.get(module).into_iter().flatten() {
                steps.push(Step::Package(sources.len()));
                sources.push((package.dir.clone(), Utf8PathBuf::from(&package.path)));
                let mut at = (package.dir.as_path(), package.path.as_str());
                while seen.insert(at.1) && at.1 != module.path {
                    let (Some(dir), Some((path, _))) = (at.0.parent(), at.1.rsplit_once('/'))
                    else {
                        break;
                    };
                    at = (dir, path);
                    if !seen.contains(path) {
                        steps.push(Step::Metadata(above.len()));
                        above.push((dir.to_owned(), Utf8PathBuf::from(path)));
                    }
                }
            }
        }
        let shares = parallel::map(&sources, steady_system::processors(), |(dir, path)| {
            look.package(dir, path)
        });
        let metadata = parallel::map(&above, steady_system::processors(), |(dir, _)| {
            look.metadata(dir)
        });
        let mut plan = VendorPlan {
            modules_txt: listing.text,
            ..VendorPlan::default()
        };
        let mut shares: Vec<_> = shares.into_iter().collect::<Result<_>>()?;
        let metadata: Vec<_> = metadata.into_iter().collect::<Result<_>>()?;
        for step in steps {
            match step {
                Step::Package(at) => {
                    let share = std::mem::take(&mut shares[at]);
                    plan.problems.extend(share.problem);
                    plan.add_dir(sources[at].1.as_str());
                    plan.add(&sources[at], &share.names);
                    plan.add(&sources[at], &share.embedded);
                }
                Step::Metadata(at) => plan.add(&above[at], &metadata[at]),
            }
        }
        Ok(plan)
    }
}

impl Look<'_> {
    fn names(&self, dir: &Utf8Path) -> Result<Vec<String>> {
        let entries = self.disk.read_dir(dir)?.into_iter();
        let files = entries.filter(|entry| entry.kind == FileKind::File);
        Ok(files.map(|entry| entry.name).collect())
    }

    fn metadata(&self, dir: &Utf8Path) -> Result<Vec<String>> {
        let mut names = self.names(dir)?;
        names.retain(|name| METADATA.iter().any(|prefix| name.starts_with(prefix)));
        Ok(names)
    }

    fn package(&self, dir: &Utf8Path, path: &Utf8Path) -> Result<Share> {
        let mut names = self.names(dir)?;
        let known = self.modules.index.dir(dir).ok();
        names.retain(|name| match name.as_str() {
            name if name.ends_with("_test.go") => false,
            "go.mod" | "go.sum" => self.keeps_go_mod,
            name if name.ends_with(".go") => {
                let files = known.as_ref().map_or(&[][..], |contents| &contents.files);
                match files.binary_search_by(|file| file.name.as_str().cmp(name)) {
                    Ok(at) => may_be_built(&files[at]),
                    // Names that builds pass over are not remembered.
                    Err(_) => may_be_built(&scan::scan_file(&self.disk, dir, name)),
                }
            }
            // Nothing is known of it, so it may be needed.
            _ => true,
        });
        let mut share = Share {
            names,
            ..Share::default()
        };
        let source = self.modules.index.package(dir, &self.context);
        match &source.error {
            None | Some(SourceError::MultiplePackage { .. }) => {}
            Some(SourceError::NoGo { .. }) => return Ok(share),
            Some(error) => {
                return Err(ModError::Plain(format!(
                    "internal error: failed to find embedded files of {path}: {error}\n"
                )));
            }
        }
        let mut patterns: Vec<&str> = source.embed_patterns.keys().collect();
        if self.embeds_of_tests {
            let tests = [&source.test_embed_patterns, &source.x_test_embed_patterns];
            patterns.extend(tests.into_iter().flat_map(|found| found.keys()));
        }
        if !patterns.is_empty() {
            match crate::embed::resolve(&self.disk, dir, patterns) {
                Ok(found) => share.embedded = found.files,
                Err(error) => {
                    share.problem = Some(format!("resolving embeds in {path}: {error}"));
                }
            }
        }
        Ok(share)
    }
}

/// Whether any build could use a Go file. What cannot be read may be anything.
fn may_be_built(file: &FileFacts) -> bool {
    matches!(file.error, Some(FileError::Read(_))) || constraint_counts(file, Tags::Any)
}

impl VendorPlan {
    /// Names a directory and those above it.
    fn add_dir(&mut self, dir: &str) {
        let mut at = Some(dir);
        while let Some(dir) = at.filter(|dir| !self.dirs.contains_key(*dir)) {
            self.dirs.insert(dir.to_owned(), Dir::new());
            at = dir.rsplit_once('/').map(|(above, _)| above);
        }
    }

    /// Files, which may lie in directories below; they stand in for those that were there.
    fn add(&mut self, (from, to): &Place, names: &[String]) {
        fn split(name: &str) -> (&str, &str) {
            name.rsplit_once('/').unwrap_or(("", name))
        }
        for neighbours in names.chunk_by(|one, next| split(one).0 == split(next).0) {
            let below = neighbours.first().map_or("", |name| split(name).0);
            let (source, dir) = match below {
                "" => (Arc::from(from.as_path()), to.to_string()),
                _ => (Arc::from(from.join(below)), to.join(below).into_string()),
            };
            self.add_dir(&dir);
            let files = self.dirs.entry(dir).or_default();
            for name in neighbours {
                let name = split(name).1;
                match files.binary_search_by(|(known, _)| (**known).cmp(name)) {
                    Ok(at) => files[at].1 = Arc::clone(&source),
                    Err(at) => files.insert(at, (name.into(), Arc::clone(&source))),
                }
            }
        }
    }

    fn planned(&self) -> impl Iterator<Item = Planned<'_>> {
        let dirs = self.dirs.iter();
        dirs.flat_map(|(dir, files)| files.iter().map(|file| (dir.as_str(), file)))
    }

    /// Each file's place below the vendor directory, and the file that it is a copy of; modules.txt is not among them.
    pub fn files(&self) -> impl Iterator<Item = (Utf8PathBuf, Utf8PathBuf)> {
        let files = self.planned();
        files.map(|(dir, (name, from))| (Utf8Path::new(dir).join(&**name), from.join(&**name)))
    }

    /// Puts the tree at `place`, whole or not at all; without anything to vendor there is no directory. What is there and right
    /// is not written again: a tree that is all right stays as it is, and of others the right files get a second name in the new tree.
    ///
    /// # Errors
    /// Files that cannot be read or written; the tree that was there stays.
    pub fn write(&self, files: &Files, place: &Utf8Path) -> Result<(), steady_system::Error> {
        if self.modules_txt.is_empty() {
            return files.remove_all(place);
        }
        let planned: Vec<Planned<'_>> = self.planned().collect();
        let mut old = self.look_at(files, place, &planned)?;
        if old.listing == self.modules_txt
            && old.kept.iter().filter(|kept| **kept).count() == planned.len()
            && old.names.len() == planned.len() + self.dirs.len() + 1
            && self.dirs.keys().all(|dir| old.names.contains(dir))
        {
            return Ok(());
        }
        let parent = place.parent().unwrap_or(place);
        files.create_dir_all(parent)?;
        let beside = TempDir::new_in(parent, ".vendor")?;
        let root = beside.path().join("vendor");
        files.create_dir(&root)?;
        let listing = root.join("modules.txt");
        files.write(&listing, self.modules_txt.as_bytes(), 0o666)?;
        if files.lstat(&listing)?.mode != old.mode {
            // The umask is another one now.
            old.kept.clear();
        }
        let mut dirs = self.dirs.keys();
        dirs.try_for_each(|dir| files.create_dir(root.join(dir)))?;
        let linked = |at: usize, (dir, (name, _)): Planned<'_>| {
            let names = [place, &root].map(|root| in_dir(root.as_str(), dir, name));
            old.kept.get(at) == Some(&true) && files.hard_link(&names[0], &names[1]).is_ok()
        };
        let mut at = 0..;
        let mut copies = planned;
        copies.retain(|file| !linked(at.next().unwrap_or_default(), *file));
        files.copy_all(
            &copies,
            |(dir, (name, from))| (from.join(&**name), in_dir(root.as_str(), dir, name)),
            0o666,
        )?;
        files.swap_in(&root, place)
    }

    /// What is at `place`, and which of its files are as they are to be.
    fn look_at(
        &self,
        files: &Files,
        place: &Utf8Path,
        planned: &[Planned<'_>],
    ) -> Result<Old, steady_system::Error> {
        let mut old = Old::default();
        let listing = place.join("modules.txt");
        match (files.lstat(place), files.lstat(&listing)) {
            (Ok(dir), Ok(listing)) if dir.is_dir() && listing.is_file() => old.mode = listing.mode,
            _ => return Ok(old),
        }
        files.walk::<steady_system::Error>(place, &mut |entry| {
            if let Ok(below) = entry.path.strip_prefix(place)
                && !below.as_str().is_empty()
            {
                old.names.insert(below.to_string());
            }
            Ok(Walk::Continue)
        })?;
        old.kept = files.are_copies(
            planned,
            |(dir, (name, from))| (from.join(&**name), in_dir(place.as_str(), dir, name)),
            old.mode,
        )?;
        for ((dir, (name, _)), kept) in planned.iter().zip(&mut old.kept) {
            // What a link leads to is not of this tree.
            *kept &= old.names.contains(in_dir("", dir, name).as_str());
        }
        old.listing = files.read_to_string(&listing).unwrap_or_default();
        Ok(old)
    }
}

/// The path of a file below `root`, in a directory below that.
fn in_dir(root: &str, dir: &str, name: &str) -> Utf8PathBuf {
    let mut path = String::with_capacity(root.len() + dir.len() + name.len() + 2);
    for part in [root, dir, name] {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    path.into()
}

/// A vendor directory that is there.
#[derive(Default)]
struct Old {
    /// Everything below it.
    names: HashSet<String>,
    /// Whether each of the planned files is as it is to be; empty if none is.
    kept: Vec<bool>,
    /// Its modules.txt.
    listing: String,
    /// The mode of modules.txt, which is that of all files.
    mode: u32,
}

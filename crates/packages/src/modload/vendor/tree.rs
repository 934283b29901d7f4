//! The files of a vendor directory: what could belong to a build of the packages, what they embed, and licences.

use super::super::{ModError, Modules, Result};
use super::ByModule;
use super::list::Listing;
use crate::source::facts::{FileError, FileFacts};
use crate::source::imports::{Tags, constraint_counts};
use crate::source::{BuildContext, SourceError, scan};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet, HashSet};
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
    dirs: BTreeSet<Utf8PathBuf>,
    /// Each file's place below the vendor directory, and where it comes from.
    files: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
}

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
            let ((from, to), names) = match step {
                Step::Package(at) => {
                    let share = std::mem::take(&mut shares[at]);
                    plan.problems.extend(share.problem);
                    plan.dirs.insert(sources[at].1.clone());
                    (&sources[at], [share.names, share.embedded].concat())
                }
                Step::Metadata(at) => (&above[at], metadata[at].clone()),
            };
            let places = names.iter().map(|name| (to.join(name), from.join(name)));
            plan.files.extend(places);
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
                let files = known.iter().flat_map(|contents| &contents.files);
                match files.into_iter().find(|file| file.name == *name) {
                    Some(facts) => may_be_built(facts),
                    // Names that builds pass over are not remembered.
                    None => may_be_built(&scan::scan_file(&self.disk, dir, name)),
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
        let mut patterns: Vec<&str> = source.embed_patterns.keys().map(String::as_str).collect();
        if self.embeds_of_tests {
            let tests = [&source.test_embed_patterns, &source.x_test_embed_patterns];
            patterns.extend(
                tests
                    .into_iter()
                    .flat_map(|found| found.keys())
                    .map(String::as_str),
            );
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
    /// Each file's place below the vendor directory, and the file that it is a copy of; modules.txt is not among them.
    pub fn files(&self) -> impl Iterator<Item = (&Utf8Path, &Utf8Path)> {
        let files = self.files.iter();
        files.map(|(place, from)| (place.as_path(), from.as_path()))
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
        let dirs = self.all_dirs();
        let mut old = self.look_at(files, place)?;
        if old.listing == self.modules_txt
            && old.kept.len() == self.files.len()
            && old.names.len() == self.files.len() + dirs.len() + 1
            && dirs.iter().all(|dir| old.names.contains(dir))
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
        dirs.iter()
            .try_for_each(|dir| files.create_dir(root.join(dir)))?;
        let linked = |to: &Utf8PathBuf| {
            old.kept.contains(to) && files.hard_link(place.join(to), root.join(to)).is_ok()
        };
        let copies: Vec<(&Utf8Path, Utf8PathBuf)> = self
            .files
            .iter()
            .filter(|(to, _)| !linked(to))
            .map(|(to, from)| (from.as_path(), root.join(to)))
            .collect();
        files.copy_all(&copies, 0o666)?;
        files.swap_in(&root, place)
    }

    /// Every directory of the tree below its root, those above first.
    fn all_dirs(&self) -> BTreeSet<Utf8PathBuf> {
        let parents = self.files.keys().filter_map(|file| file.parent());
        let mut dirs: BTreeSet<Utf8PathBuf> = BTreeSet::new();
        for dir in parents.chain(self.dirs.iter().map(Utf8PathBuf::as_path)) {
            let new = dir
                .ancestors()
                .take_while(|at| !at.as_str().is_empty() && !dirs.contains(*at));
            let new: Vec<_> = new.map(Utf8Path::to_owned).collect();
            dirs.extend(new);
        }
        dirs
    }

    /// What is at `place`, and which of its files are as they are to be.
    fn look_at(&self, files: &Files, place: &Utf8Path) -> Result<Old, steady_system::Error> {
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
                old.names.insert(below.to_owned());
            }
            Ok(Walk::Continue)
        })?;
        let pairs: Vec<(&Utf8Path, Utf8PathBuf)> = self
            .files
            .iter()
            .filter(|(to, _)| old.names.contains(*to))
            .map(|(to, from)| (from.as_path(), place.join(to)))
            .collect();
        let equal = files.are_copies(&pairs, old.mode)?;
        let there = self.files.keys().filter(|to| old.names.contains(*to));
        let kept = there.zip(equal).filter(|(_, equal)| *equal);
        old.kept = kept.map(|(to, _)| to.clone()).collect();
        old.listing = files.read_to_string(&listing).unwrap_or_default();
        Ok(old)
    }
}

/// A vendor directory that is there.
#[derive(Default)]
struct Old {
    /// Everything below it.
    names: HashSet<Utf8PathBuf>,
    /// Files that are as they are to be.
    kept: HashSet<Utf8PathBuf>,
    /// Its modules.txt.
    listing: String,
    /// The mode of modules.txt, which is that of all files.
    mode: u32,
}

//! The module cache's download half: `.mod`, `.info` and recorded sums against go.sum. The zips themselves are read in `pass`.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeSet, HashMap};
use steady_module::amount;
use steady_module::{ModuleVersion, pseudo};
use steady_proxy::{RevInfo, zip};
use steady_system::{FileKind, Files};

use super::sums::{Sums, is_sum};
use super::toolchain::{self, Rules};
use super::{Chain, Failure, Link, Problem, sha256};

const DAMAGED: &str = "a crash, a full disk, or somebody who wrote into the module cache";

/// The record that a download leaves of its zip's sum.
#[derive(Default)]
pub(super) struct Record {
    pub file: Utf8PathBuf,
    /// What it says; `None`: it is not there, or says nothing.
    pub sum: Option<String>,
    pub there: bool,
    /// Its text, if that is no sum.
    text: String,
}

/// The directory of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    None,
    /// It was never extracted to the end, and go knows that.
    Partial,
    Complete(Utf8PathBuf),
}

/// A version of a module and what the cache has of it.
pub(super) struct Item {
    pub module: ModuleVersion,
    /// The zip, if it is there.
    pub zip: Option<(Utf8PathBuf, u64)>,
    pub record: Record,
    pub place: Place,
    /// How the tree may differ from the zip.
    pub rules: Rules,
    failures: Vec<Failure>,
}

/// Versions to look at.
pub(super) struct Listing {
    pub items: Vec<Item>,
    /// Versions whose go.mod is looked at, without those of `items` alone.
    go_mods: Vec<ModuleVersion>,
    /// Why the module graph could not be read: then go.sum alone says what to look at.
    pub graph_error: Option<String>,
    /// What is wrong with `.mod` files.
    failures: Vec<Failure>,
    pub checked_mods: usize,
}

impl Listing {
    /// Everything that go.sum names or the build list has. `.mod` files come first: if one is damaged the module graph is not read, for
    /// that would mend it.
    pub fn new(chain: &Chain<'_>, sums: &Sums) -> Listing {
        let mut listing = Listing {
            items: Vec::new(),
            go_mods: Vec::new(),
            graph_error: None,
            failures: Vec::new(),
            checked_mods: 0,
        };
        let mut zips: BTreeSet<ModuleVersion> = BTreeSet::new();
        for module in sums.of.keys() {
            match module.version.strip_suffix("/go.mod") {
                Some(version) => listing
                    .go_mods
                    .push(ModuleVersion::new(&*module.path, version)),
                None => drop(zips.insert(module.clone())),
            }
        }
        listing.go_mods.sort_unstable();
        listing.check_go_mods(chain, sums);
        if listing.failures.is_empty() {
            match chain.modules.build_list() {
                Ok(list) => {
                    let list = list.iter().filter(|module| !module.version.is_empty());
                    zips.extend(list.filter_map(
                        |module| match chain.modules.replacement(module) {
                            Some(new) if new.version.is_empty() => None,
                            Some(new) => Some(new.clone()),
                            None => Some(module.clone()),
                        },
                    ));
                }
                Err(error) => listing.graph_error = Some(error.to_string()),
            }
        } else {
            let text = "files of it are damaged, see the link cache";
            listing.graph_error = Some(text.to_owned());
        }
        let items = zips.into_iter();
        listing.items = items.map(|module| Item::new(chain, module)).collect();
        listing.items.extend(toolchain::item(chain));
        listing
    }

    fn check_go_mods(&mut self, chain: &Chain<'_>, sums: &Sums) {
        let owners: HashMap<&str, &ModuleVersion> = sums
            .of
            .iter()
            .filter(|(module, _)| module.version.ends_with("/go.mod"))
            .flat_map(|(module, known)| known.iter().map(move |sum| (sum.as_str(), module)))
            .collect();
        let processors = steady_system::processors();
        let found = super::each(processors, &self.go_mods, |(): &mut (), module| {
            let file = chain.modules.fetcher().cache_path(module, "mod").ok()?;
            Some(go_mod(chain, sums, &owners, module, &file))
        });
        for found in found.into_iter().flatten() {
            match found {
                None => {}
                Some(Ok(())) => self.checked_mods += 1,
                Some(Err(failure)) => {
                    self.checked_mods += 1;
                    self.failures.push(failure);
                }
            }
        }
    }

    /// What is wrong in the download half, the zips' own contents aside.
    pub fn failures(&self, chain: &Chain<'_>, sums: &Sums) -> Vec<Failure> {
        let mut failures = self.failures.clone();
        for item in &self.items {
            failures.extend(item.failures.iter().cloned());
            failures.extend(item.check_record(sums));
            failures.extend(item.check_info(chain));
        }
        failures
    }

    /// Whether loading packages would mend something that has to be told first.
    pub fn is_suspicious(&self, files: &Files, sums: &Sums) -> bool {
        let bad = |item: &Item| {
            let cached = item.zip.is_some();
            !item.failures.is_empty()
                || item.check_record(sums).is_some()
                || (cached
                    && !matches!(item.place, Place::Complete(_))
                    && !item.has_good_zip(files, sums))
        };
        !self.failures.is_empty() || self.items.iter().any(bad)
    }
}

/// Holds a `.mod` file against its sums; `None` if there is none.
fn go_mod(
    chain: &Chain<'_>,
    sums: &Sums,
    owners: &HashMap<&str, &ModuleVersion>,
    module: &ModuleVersion,
    file: &Utf8Path,
) -> Option<Result<(), Failure>> {
    let meta = chain.files.lstat(file).ok()?;
    let key = ModuleVersion::new(&*module.path, format!("{}/go.mod", module.version));
    let known = sums.recorded(&key);
    let fail = |problem, found: String| {
        Failure::new(Link::Cache, problem, file)
            .of(module)
            .saying(known.join(", "), found)
            .because(DAMAGED)
    };
    if meta.kind != FileKind::File {
        return Some(Err(fail(Problem::Linked, "no regular file".to_owned())));
    }
    let bytes = match chain.files.read(file) {
        Ok(bytes) => bytes,
        Err(error) => return Some(Err(fail(Problem::Unreadable, error.to_string()))),
    };
    let sum = zip::hash1(vec![("go.mod".to_owned(), sha256(&bytes))]).unwrap_or_default();
    if known.contains(&sum) {
        return Some(Ok(()));
    }
    let swapped = owners.get(sum.as_str()).map(|other| super::bare(other));
    let failure = match swapped {
        Some(other) => fail(Problem::Swapped, format!("{sum}, the go.mod of {other}"))
            .because("files of the module cache were exchanged"),
        None if bytes.is_empty() => fail(Problem::Empty, "0 bytes".to_owned()),
        None if !bytes.ends_with(b"\n") => {
            let size = amount::bytes(bytes.len());
            fail(Problem::Truncated, format!("{sum}, {size}"))
        }
        None => fail(Problem::Edited, sum).because(
            "somebody edited the module cache; or go.sum was recorded from another go.mod, because the tag was moved or a proxy is hostile",
        ),
    };
    Some(Err(failure))
}

impl Item {
    /// What the cache has of a version; nothing is read but the record.
    pub fn new(chain: &Chain<'_>, module: ModuleVersion) -> Item {
        let mut item = Item {
            module,
            zip: None,
            record: Record::default(),
            place: Place::None,
            rules: Rules::Module,
            failures: Vec::new(),
        };
        let fetcher = chain.modules.fetcher();
        let path = |suffix: &str| fetcher.cache_path(&item.module, suffix).ok();
        if let (Some(zip), Some(record)) = (path("zip"), path("ziphash")) {
            item.find(chain, &zip, record);
        }
        item
    }

    fn find(&mut self, chain: &Chain<'_>, zip: &Utf8Path, record: Utf8PathBuf) {
        let files = chain.files;
        match files.lstat(zip) {
            Ok(meta) if meta.kind == FileKind::File => {
                self.zip = Some((zip.to_owned(), meta.size));
            }
            Ok(_) => self.failures.push(
                Failure::new(Link::Cache, Problem::Linked, zip)
                    .of(&self.module)
                    .saying("a zip", "a link, or no regular file")
                    .because("somebody put it in place of the zip"),
            ),
            Err(_) => {}
        }
        if let Ok(bytes) = files.read(&record) {
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            self.record.there = true;
            match is_sum(&text) {
                true => self.record.sum = Some(text),
                false => self.record.text = text,
            }
        }
        self.record.file = record;
        let fetcher = chain.modules.fetcher();
        let Ok(dir) = fetcher.extracted_path(&self.module) else {
            return;
        };
        if files.lstat(&dir).is_err() {
            return;
        }
        let partial = fetcher.cache_path(&self.module, "partial");
        self.place = if partial.is_ok_and(|file| files.exists(file)) {
            Place::Partial
        } else {
            Place::Complete(dir)
        };
    }

    /// Whether the zip has one of the sums that it may have: whoever unpacks it then finds nothing to mend.
    fn has_good_zip(&self, files: &Files, sums: &Sums) -> bool {
        let Some((path, _)) = &self.zip else {
            return false;
        };
        let Ok(archive) = files.open(path).map(zip::Archive::open) else {
            return false;
        };
        let Ok(archive) = archive else { return false };
        let pass = zip::Unpack {
            archive: &archive,
            prefix: "",
            target: None,
            twin: None,
            buffers: &zip::Buffers::default(),
            threads: steady_system::processors(),
            progress: &|_, _| {},
        };
        let sum = pass.run().and_then(zip::hash1).unwrap_or_default();
        let known = sums.recorded(&self.module).iter().chain(&self.record.sum);
        known.into_iter().any(|known| *known == sum)
    }

    /// Holds the record against go.sum.
    fn check_record(&self, sums: &Sums) -> Option<Failure> {
        let tree = matches!(self.place, Place::Complete(_));
        let known = sums.recorded(&self.module);
        let fail = |problem| {
            let found = self.record.sum.as_deref().unwrap_or(&self.record.text);
            Failure::new(Link::Cache, problem, self.record.file.clone())
                .of(&self.module)
                .saying(known.join(", "), format!("{found:?}"))
                .because(DAMAGED)
        };
        if self.rules == Rules::Distribution {
            return None;
        }
        match &self.record.sum {
            Some(sum) if known.is_empty() || known.contains(sum) => None,
            Some(sum) => {
                Some(match sums.owner(sum, &self.module) {
                    Some(other) => {
                        let mut failure = fail(Problem::Swapped);
                        failure.found = format!("{sum}, the sum of {other}");
                        failure.because("files of the module cache were exchanged")
                    }
                    None => fail(Problem::Forged).because(
                        "the tag was moved between this download and the one that go.sum records; or go.sum was merged; or a proxy is hostile",
                    ),
                })
            }
            None if self.record.there => Some(fail(match self.record.text.as_str() {
                "" => Problem::Empty,
                text if "h1:".starts_with(text) || text.starts_with("h1:") => Problem::Truncated,
                _ => Problem::Malformed,
            })),
            // go makes the record anew from the zip, or unpacks anew; but nothing tells that the tree is that of the zip.
            None if self.zip.is_some() || tree => {
                let mut failure = fail(Problem::Missing);
                failure.found = "no file".to_owned();
                Some(failure)
            }
            None => None,
        }
    }

    /// No sum covers an `.info` file: what can be held against it is the version's own name.
    fn check_info(&self, chain: &Chain<'_>) -> Option<Failure> {
        let module = &self.module;
        let file = chain.modules.fetcher().cache_path(module, "info").ok()?;
        let meta = chain.files.lstat(&file).ok()?;
        let fail = |problem, expected: String, found: String| {
            let failure = Failure::new(Link::Cache, problem, file.clone()).of(module);
            Some(failure.saying(expected, found).because(DAMAGED))
        };
        let wanted = format!("a description of {}", module.version);
        if meta.kind != FileKind::File {
            return fail(Problem::Linked, wanted, "no regular file".to_owned());
        }
        let bytes = chain.files.read(&file).ok()?;
        if bytes.is_empty() {
            return fail(Problem::Empty, wanted, "0 bytes".to_owned());
        }
        let info: RevInfo = match serde_json::from_slice(&bytes) {
            Ok(info) => info,
            Err(error) if error.is_eof() => {
                return fail(Problem::Truncated, wanted, error.to_string());
            }
            Err(error) => return fail(Problem::Malformed, wanted, error.to_string()),
        };
        if info.version != module.version {
            let found = format!("one of {}", info.version);
            return fail(Problem::Swapped, wanted, found);
        }
        // Not the time: proxies give one of the commit's two, and the version may have the other.
        let revision = pseudo::revision(&module.version)?;
        let origin = info.origin.map(|origin| origin.hash).unwrap_or_default();
        if !origin.is_empty() && !origin.starts_with(revision) {
            return fail(Problem::Forged, format!("a commit {revision}…"), origin);
        }
        None
    }
}

//! One pass over the module cache: each zip is read and inflated once, and whatever is to be compared with it is compared then: the
//! zip's sum, the extracted tree, the vendor directory, GOROOT.

use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{Context, SHA256};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use steady_module::amount;
use steady_module::hex;
use steady_proxy::zip::{Archive, Entry, FileHashes, WholeReader, hash1};

use super::cache::{Item, Listing};
use super::extracted::Tree;
use super::sums::Sums;
use super::toolchain::Rules;
use super::totals::Totals;
use super::tree::Print;
use super::vendor::Vendor;
use super::{CRASH, Chain, Failure, Link, Outcome, Problem, array, each};

pub(super) const EDITED: &str = "somebody wrote into the module cache: an editor that went to a definition, a script, a debugging session";

/// What one thread works with.
#[derive(Default)]
pub(super) struct Tools {
    reader: WholeReader,
    /// For what is read to be compared.
    pub buffer: Vec<u8>,
}

/// What one link has of one item.
#[derive(Default)]
pub(super) struct Share {
    pub checked: usize,
    pub bytes: u64,
    pub elapsed: Duration,
    pub failures: Vec<Failure>,
    /// Things that could not be compared.
    pub skipped: usize,
}

/// What came of one item.
#[derive(Default)]
pub(super) struct Passed {
    pub zip: Share,
    pub tree: Share,
    pub vendor: Share,
    /// Files that have other names elsewhere.
    pub hard_links: usize,
    pub is_toolchain: bool,
    /// The sum of the zip, if it could be read.
    pub sum: Option<String>,
}

/// The links that lie in zips or are made from them.
pub(super) fn run(chain: &Chain<'_>, sums: &Sums, list: &Listing) -> Vec<Outcome> {
    let vendor = chain
        .wants(Link::Vendor)
        .then(|| Vendor::new(chain, sums, list));
    let renewed = vendor
        .as_ref()
        .map_or_else(Vec::new, |vendor| vendor.renewed(chain, list));
    let items: Vec<&Item> = list
        .items
        .iter()
        .filter(|item| !renewed.iter().any(|new: &Item| new.module == item.module))
        .chain(&renewed)
        .filter(|item| match item.rules {
            Rules::Module => {
                // Of what nobody else looks at, only what there are copies of.
                let copied = vendor
                    .as_ref()
                    .is_some_and(|vendor| vendor.copies.contains_key(&item.module));
                chain.wants(Link::Cache) || chain.wants(Link::Tree) || copied
            }
            _ => chain.wants(Link::Toolchain),
        })
        .collect();
    let mut order = items.clone();
    // Large ones first, so that no thread is left with one at the end.
    order.sort_by_key(|item| std::cmp::Reverse(item.zip.as_ref().map_or(0, |(_, size)| *size)));
    let none = HashMap::new();
    let done = AtomicUsize::new(0);
    let processors = steady_system::processors();
    let threads = processors.min(order.len()).max(1);
    let passed = each(processors, &order, |tools: &mut Tools, item| {
        let copies = vendor
            .as_ref()
            .and_then(|vendor| vendor.copies.get(&item.module))
            .unwrap_or(&none);
        let look = Look {
            chain,
            sums,
            item,
            copies,
            place: vendor.as_ref().map(|vendor| vendor.dir.as_path()),
        };
        let passed = look.run(tools);
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        (chain.progress)(Link::Cache, done, order.len());
        passed
    });
    Totals {
        chain,
        sums,
        list,
        threads: u32::try_from(threads).unwrap_or(1),
    }
    .outcomes(passed, vendor)
}

/// Everything that a look at one item needs.
pub(super) struct Look<'a> {
    pub chain: &'a Chain<'a>,
    pub sums: &'a Sums,
    pub item: &'a Item,
    /// Where a vendor directory has copies of files of the zip, by their names in it.
    pub copies: &'a HashMap<String, Vec<Utf8PathBuf>>,
    pub place: Option<&'a Utf8Path>,
}

impl Look<'_> {
    fn run(&self, tools: &mut Tools) -> Passed {
        let mut passed = Passed {
            is_toolchain: self.item.rules != Rules::Module,
            ..Passed::default()
        };
        let read = match &self.item.zip {
            Some((zip, size)) => self.zip(zip, *size, tools, &mut passed),
            None => false,
        };
        if !read {
            passed.tree = Share::default();
            passed.vendor = Share::default();
            let sound = self.tree_alone(&mut passed);
            self.vendor_alone(sound, tools, &mut passed);
        }
        passed
    }

    /// The sums that the zip may have: go.sum's, or else what was recorded when it came.
    pub fn trusted(&self) -> Vec<&str> {
        let known = self.sums.recorded(&self.item.module);
        if known.is_empty() {
            self.item.record.sum.as_deref().into_iter().collect()
        } else {
            known.iter().map(String::as_str).collect()
        }
    }

    fn zip_failure(&self, problem: Problem, zip: &Utf8Path) -> Failure {
        let link = match self.item.rules {
            Rules::Module => Link::Cache,
            _ => Link::Toolchain,
        };
        Failure::new(link, problem, zip).of(&self.item.module)
    }

    /// Reads a zip and compares everything with it. False: the zip is no measure for anything.
    fn zip(&self, zip: &Utf8Path, size: u64, tools: &mut Tools, passed: &mut Passed) -> bool {
        let since = Instant::now();
        passed.zip.checked = 1;
        passed.zip.bytes = size;
        let files = self.chain.files;
        let opened = files
            .open(zip)
            .map_err(|error| error.to_string())
            .and_then(|file| {
                Archive::open(file).map_err(|error| steady_system::describe_io(&error))
            });
        let archive = match opened {
            Ok(archive) => archive,
            Err(error) => {
                let (problem, cause) = match size {
                    0 => (Problem::Empty, CRASH),
                    _ if error.contains("not a valid zip") => (Problem::Truncated, CRASH),
                    _ => (Problem::Unreadable, CRASH),
                };
                let expected = format!("a zip with {}", self.trusted().join(", "));
                passed.zip.failures.push(
                    self.zip_failure(problem, zip)
                        .saying(expected, format!("{}: {error}", amount::bytes(size)))
                        .because(cause),
                );
                passed.zip.elapsed = since.elapsed();
                return false;
            }
        };
        passed.zip.elapsed = since.elapsed();
        let hashes = match self.entries(&archive, zip, tools, passed) {
            Ok(hashes) => hashes,
            Err(failure) => {
                passed.zip.failures.push(*failure);
                return false;
            }
        };
        let since = Instant::now();
        self.name_swaps(&hashes, passed);
        let version = self.other_version(&hashes);
        let sum = hash1(hashes).unwrap_or_default();
        let trusted = self.trusted();
        let good = trusted.is_empty() || trusted.contains(&sum.as_str());
        if !good {
            let failure = self.wrong_sum(zip, &sum, version.as_deref());
            passed.zip.failures.push(failure);
        }
        passed.sum = Some(sum);
        passed.zip.elapsed += since.elapsed();
        good
    }

    /// Another version of the module, if that is what the zip's names say it is.
    fn other_version(&self, hashes: &FileHashes) -> Option<String> {
        let module = &self.item.module;
        let (name, _) = hashes.first()?;
        let name = name.strip_prefix(&*module.path)?.strip_prefix('@')?;
        let (version, _) = name.split_once('/')?;
        (version != module.version).then(|| version.to_owned())
    }

    fn wrong_sum(&self, zip: &Utf8Path, sum: &str, version: Option<&str>) -> Failure {
        let owner = self.sums.owner(sum, &self.item.module);
        let (problem, found, cause) = match (owner, version) {
            (Some(other), _) => (
                Problem::Swapped,
                format!("{sum}, the zip of {other}"),
                "files of the module cache were exchanged",
            ),
            (None, Some(version)) => (
                Problem::Stale,
                format!("{sum}, files of {version}"),
                "the zip of another version was put in its place",
            ),
            _ if self.item.record.sum.as_deref() == Some(sum) => (
                Problem::Forged,
                sum.to_owned(),
                "the tag was moved between this download and the one that go.sum records; or go.sum was merged; or a proxy is hostile",
            ),
            _ => (Problem::Edited, sum.to_owned(), EDITED),
        };
        let expected = self.trusted().join(", ");
        self.zip_failure(problem, zip)
            .saying(expected, found)
            .because(cause)
    }

    /// Inflates, hashes and compares every entry.
    fn entries(
        &self,
        archive: &Archive,
        zip: &Utf8Path,
        tools: &mut Tools,
        passed: &mut Passed,
    ) -> Result<FileHashes, Box<Failure>> {
        let wanted = self.item.rules != Rules::Module || self.chain.wants(Link::Tree);
        let mut tree = wanted.then(|| Tree::list(self, passed)).flatten();
        let prefix = format!("{}/", self.item.module);
        let mut hashes = FileHashes::with_capacity(archive.entries().len());
        let mut names = HashSet::new();
        for entry in archive.entries() {
            // Its sum cannot be right without the prefix.
            let name = entry.name.strip_prefix(&prefix);
            let name = name.filter(|_| !entry.is_dir());
            let print = self.entry((archive, entry), name, &mut tree, tools, passed);
            let print = print.map_err(|error| self.damaged(zip, entry, &error))?;
            hashes.push((entry.name.to_string(), print.hash));
            if let Some(name) = name
                && !names.insert(name)
            {
                let failure = self.zip_failure(Problem::Duplicated, zip);
                passed.zip.failures.push(
                    failure
                        .saying(
                            format!("one file {name}"),
                            format!("{name} is in it more than once"),
                        )
                        .because("whoever made the zip wants readers to disagree"),
                );
            }
        }
        if let Some(tree) = tree {
            tree.finish(passed);
        }
        let there = |name: &String| names.contains(name.as_str());
        let lost = self.copies.iter().filter(|(name, _)| !there(name));
        for copy in lost.flat_map(|(_, copies)| copies) {
            self.not_in_zip(copy, &mut passed.vendor);
        }
        Ok(hashes)
    }

    /// One entry: its bytes go by all that should be the same. `name`: of the file that it is.
    fn entry(
        &self,
        (archive, entry): (&Archive, &Entry),
        name: Option<&str>,
        tree: &mut Option<Tree<'_>>,
        tools: &mut Tools,
        passed: &mut Passed,
    ) -> std::io::Result<Print> {
        let since = Instant::now();
        let files = name.zip(tree.as_mut());
        let mut files = files.map_or_else(Vec::new, |(name, tree)| tree.places(name));
        let opened = since.elapsed();
        let copies = name.and_then(|name| self.copies.get(name));
        let mut copies = copies.map_or_else(Vec::new, |copies| self.open_copies(copies));
        let (mut in_tree, mut in_vendor) = (opened, since.elapsed().saturating_sub(opened));
        let mut hash = Context::new(&SHA256);
        let Tools { reader, buffer } = tools;
        reader.parts(archive, entry, &mut |part| {
            hash.update(part);
            let before = Instant::now();
            for file in &mut files {
                file.against.take(part, buffer);
            }
            in_tree += before.elapsed();
            if !copies.is_empty() {
                let before = Instant::now();
                for copy in &mut copies {
                    copy.take(part, buffer);
                }
                in_vendor += before.elapsed();
            }
        })?;
        let print = Print {
            size: entry.size,
            hash: array(&hash.finish()),
        };
        if let Some((name, tree)) = name.zip(tree.as_mut()) {
            for file in files {
                tree.settle(name, file, print, passed);
            }
        }
        for copy in copies {
            self.settle_copy(copy, print, &mut passed.vendor);
        }
        passed.tree.elapsed += in_tree;
        passed.vendor.elapsed += in_vendor;
        passed.zip.elapsed += since.elapsed().saturating_sub(in_tree + in_vendor);
        Ok(print)
    }

    fn damaged(&self, zip: &Utf8Path, entry: &Entry, error: &std::io::Error) -> Box<Failure> {
        let failure = self.zip_failure(Problem::Edited, zip).saying(
            format!("a zip with {}", self.trusted().join(", ")),
            format!("{}: {}", entry.name, steady_system::describe_io(error)),
        );
        Box::new(failure.because(CRASH))
    }

    /// Contents that belong to another file of the same zip were exchanged.
    fn name_swaps(&self, hashes: &FileHashes, passed: &mut Passed) {
        let differing = |failure: &&mut Failure| failure.problem == Problem::Edited;
        let failures = passed.tree.failures.iter_mut();
        let failures = failures.chain(&mut passed.vendor.failures);
        for failure in failures.filter(differing) {
            let other = hashes
                .iter()
                .find(|(_, hash)| failure.found.ends_with(&hex(hash)));
            if let Some((other, _)) = other {
                failure.problem = Problem::Swapped;
                failure.found += &format!(", the contents of {other}");
            }
        }
    }
}

//! One pass over the module cache: each zip is read and inflated once, and whatever is to be compared with it is compared then: the
//! zip's sum, the extracted tree, the vendor directory, GOROOT.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use steady_proxy::zip::{Archive, FileHashes, WholeReader, hash1};
use steady_system::FileKind;

use super::cache::{Item, Listing, Place};
use super::sums::Sums;
use super::toolchain::{self, Rules};
use super::tree::{Difference, Listed, Seen, compare};
use super::vendor::Vendor;
use super::{Chain, Failure, Link, Outcome, Problem, each, sha256};
use steady_module::hex;

const EDITED: &str = "somebody wrote into the module cache: an editor that went to a definition, a script, a debugging session";
const PATCHED: &str =
    "the distribution is not the release: a distributor's patch, an editor, or somebody hostile";
const CRASH: &str = "a crash or a full disk while it was written, or somebody who cut it off";

/// What one thread works with.
#[derive(Default)]
struct Tools {
    reader: WholeReader,
    buffer: Vec<u8>,
}

/// What one link has of one item.
#[derive(Default)]
struct Share {
    checked: usize,
    bytes: u64,
    elapsed: Duration,
    failures: Vec<Failure>,
    /// Things that could not be compared.
    skipped: usize,
}

/// What came of one item.
#[derive(Default)]
struct Passed {
    zip: Share,
    tree: Share,
    vendor: Share,
    /// Files that have other names elsewhere.
    hard_links: usize,
    is_toolchain: bool,
    /// The sum of the zip, if it could be read.
    sum: Option<String>,
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
struct Look<'a> {
    chain: &'a Chain<'a>,
    sums: &'a Sums,
    item: &'a Item,
    /// Where a vendor directory has copies of files of the zip, by their names in it.
    copies: &'a HashMap<String, Vec<Utf8PathBuf>>,
    place: Option<&'a Utf8Path>,
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
    fn trusted(&self) -> Vec<&str> {
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

    fn tree_failure(&self, problem: Problem, file: Utf8PathBuf) -> Failure {
        let link = match self.item.rules {
            Rules::Module => Link::Tree,
            _ => Link::Toolchain,
        };
        let cause = match self.item.rules {
            Rules::Distribution => PATCHED,
            _ => EDITED,
        };
        Failure::new(link, problem, file)
            .of(&self.item.module)
            .because(cause)
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
                        .saying(expected, format!("{size} bytes: {error}"))
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
        let sum = hash1(hashes).unwrap_or_default();
        let trusted = self.trusted();
        let good = trusted.is_empty() || trusted.contains(&sum.as_str());
        if !good {
            passed.zip.failures.push(self.wrong_sum(zip, &sum));
        }
        passed.sum = Some(sum);
        passed.zip.elapsed += since.elapsed();
        good
    }

    fn wrong_sum(&self, zip: &Utf8Path, sum: &str) -> Failure {
        let owner = self.sums.of.iter().find(|(module, known)| {
            **module != self.item.module && known.iter().any(|known| known == sum)
        });
        let (problem, found, cause) = match owner {
            Some((other, _)) => (
                Problem::Swapped,
                format!("{sum}, the zip of {other}"),
                "files of the module cache were exchanged",
            ),
            None if self.item.record.sum.as_deref() == Some(sum) => (
                Problem::Forged,
                sum.to_owned(),
                "the tag was moved between this download and the one that go.sum records; or go.sum was merged; or a proxy is hostile",
            ),
            None => (Problem::Edited, sum.to_owned(), EDITED),
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
        let mut listed = wanted.then(|| self.listed(passed)).flatten();
        let prefix = format!("{}/", self.item.module);
        let mut hashes = FileHashes::with_capacity(archive.entries().len());
        let mut names = HashSet::new();
        let mut modes = Vec::new();
        let Tools { reader, buffer } = tools;
        for entry in archive.entries() {
            let since = Instant::now();
            let bytes = reader.bytes(archive, entry).map_err(|error| {
                Box::new(
                    self.zip_failure(Problem::Edited, zip)
                        .saying(
                            format!("a zip with {}", self.trusted().join(", ")),
                            format!("{}: {}", entry.name, steady_system::describe_io(&error)),
                        )
                        .because(CRASH),
                )
            })?;
            hashes.push((entry.name.clone(), sha256(bytes)));
            passed.zip.elapsed += since.elapsed();
            if entry.is_dir() {
                continue;
            }
            let Some(name) = entry.name.strip_prefix(&prefix) else {
                continue; // Its sum cannot be right.
            };
            if !names.insert(name) {
                let mut failure = self.zip_failure(Problem::Duplicated, zip);
                failure = failure.saying(
                    format!("one file {name}"),
                    format!("{name} is in it more than once"),
                );
                passed
                    .zip
                    .failures
                    .push(failure.because("whoever made the zip wants readers to disagree"));
            }
            if let Some(listed) = &mut listed {
                let since = Instant::now();
                self.tree_file(
                    name,
                    bytes,
                    (&mut *listed, &mut *buffer),
                    passed,
                    &mut modes,
                );
                passed.tree.elapsed += since.elapsed();
            }
            if let Some(copies) = self.copies.get(name) {
                let since = Instant::now();
                for copy in copies {
                    self.copy(copy, bytes, buffer, &mut passed.vendor);
                }
                passed.vendor.elapsed += since.elapsed();
            }
        }
        if let Some(listed) = listed {
            self.added(&listed, passed);
        }
        passed.tree.failures.extend(self.modes(modes));
        let there = |name: &String| names.contains(name.as_str());
        let lost = self.copies.iter().filter(|(name, _)| !there(name));
        for copy in lost.flat_map(|(_, copies)| copies) {
            self.not_in_zip(copy, &mut passed.vendor);
        }
        Ok(hashes)
    }

    fn listed(&self, passed: &mut Passed) -> Option<Listed> {
        let Place::Complete(dir) = &self.item.place else {
            return None;
        };
        let since = Instant::now();
        let files = self.chain.files;
        let is_dir = files.lstat(dir).is_ok_and(|meta| meta.is_dir());
        let listed = if is_dir || self.item.rules == Rules::Distribution {
            Listed::new(
                files,
                &files.canonicalize(dir).unwrap_or_else(|_| dir.clone()),
            )
            .map_err(|error| (Problem::Unreadable, error.to_string()))
        } else {
            Err((Problem::Linked, "a link, or no directory".to_owned()))
        };
        passed.tree.elapsed += since.elapsed();
        match listed {
            Ok(listed) => Some(listed),
            Err((problem, found)) => {
                let failure = self.tree_failure(problem, dir.clone());
                let expected = "a directory with the files of the zip";
                passed.tree.failures.push(failure.saying(expected, found));
                None
            }
        }
    }

    fn tree_file(
        &self,
        name: &str,
        bytes: &[u8],
        (listed, buffer): (&mut Listed, &mut Vec<u8>),
        passed: &mut Passed,
        modes: &mut Vec<(Utf8PathBuf, u32, &'static str)>,
    ) {
        let rules = self.item.rules;
        let copy = rules.copy(name).filter(|copy| listed.take(copy).is_some());
        for place in rules.place(name).into_iter().chain(copy) {
            passed.tree.checked += 1;
            passed.tree.bytes += bytes.len() as u64;
            let path = listed.path(&place);
            let expected = described(bytes);
            match listed.take(&place) {
                Some(FileKind::File) => {}
                Some(_) => {
                    let failure = self.tree_failure(Problem::Linked, path);
                    let failure = failure.saying(expected, "a link, or no regular file");
                    passed.tree.failures.push(self.fixed(failure, name));
                    continue;
                }
                None => {
                    let failure = self
                        .tree_failure(Problem::Missing, path)
                        .because("somebody removed it, or the file system lost it in a crash");
                    let failure = failure.saying(expected, "no file");
                    passed.tree.failures.push(self.fixed(failure, name));
                    continue;
                }
            }
            match compare(self.chain.files, &path, bytes, buffer) {
                Err(error) => {
                    let failure = self.tree_failure(Problem::Unreadable, path);
                    passed.tree.failures.push(failure.saying(expected, error));
                }
                Ok(Seen {
                    mode,
                    links,
                    differs,
                }) => {
                    if let Some(difference) = differs {
                        let failure = self.differs(path.clone(), bytes, &difference);
                        passed.tree.failures.push(self.fixed(failure, name));
                    }
                    if links > 1 {
                        passed.hard_links += 1;
                    }
                    if let Some(what) = rules.mode_error(&place, mode) {
                        modes.push((path, mode, what));
                    }
                }
            }
        }
    }

    fn differs(&self, path: Utf8PathBuf, bytes: &[u8], difference: &Difference) -> Failure {
        let (problem, cause) = kind_of(difference);
        let failure = self
            .tree_failure(problem, path)
            .saying(described(bytes), shown(difference));
        match cause {
            Some(cause) => failure.because(cause),
            None => failure,
        }
    }

    /// A distribution is not ours to make anew: each file has its own command.
    fn fixed(&self, failure: Failure, name: &str) -> Failure {
        match (self.item.rules, &self.item.zip) {
            (Rules::Distribution, Some((zip, _))) => {
                let command = format!(
                    "unzip -p {zip} '{}/{name}' > {}",
                    self.item.module, failure.file
                );
                failure.fixed_by(command)
            }
            _ => failure,
        }
    }

    fn added(&self, listed: &Listed, passed: &mut Passed) {
        for name in listed.rest() {
            if self.item.rules.allows(name) {
                continue;
            }
            passed.tree.checked += 1;
            let path = listed.path(name);
            let mut failure = self
                .tree_failure(Problem::Added, path.clone())
                .saying("no file: the zip has none of that name", "a file");
            if self.item.rules == Rules::Distribution {
                failure = failure.fixed_by(format!("rm {path}"));
            }
            passed.tree.failures.push(failure);
        }
    }

    /// Permissions of a whole tree are changed at once as a rule, and are told once then.
    fn modes(&self, modes: Vec<(Utf8PathBuf, u32, &'static str)>) -> Vec<Failure> {
        let cause = "chmod, or a copy of the module cache that did not keep permissions: what can be written gets edited";
        let told = |(path, mode, what): (Utf8PathBuf, u32, &str), more: String| {
            self.tree_failure(Problem::Mode, path)
                .saying("-r--r--r--", format!("{mode:04o}: {what}{more}"))
                .because(cause)
        };
        let count = modes.len();
        let mut modes = modes.into_iter();
        if count > 3 {
            let first = modes.next();
            let more = format!(", and so with {} more files of the tree", count - 1);
            return first.into_iter().map(|it| told(it, more.clone())).collect();
        }
        modes.map(|it| told(it, String::new())).collect()
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

    /// A tree without a zip that could be a measure: as a whole it has the sum or it has not. True: it has.
    fn tree_alone(&self, passed: &mut Passed) -> bool {
        let since = Instant::now();
        let Some(mut listed) = self.listed(passed) else {
            return false;
        };
        let trusted = self.trusted();
        let names: Vec<String> = listed.names().map(str::to_owned).collect();
        let mut hashes = FileHashes::with_capacity(names.len());
        passed.tree.checked += names.len();
        for name in names {
            let path = listed.path(&name);
            let failure = match (listed.take(&name), self.chain.files.read(&path)) {
                (Some(FileKind::File), Ok(bytes)) => {
                    passed.tree.bytes += bytes.len() as u64;
                    hashes.push((format!("{}/{name}", self.item.module), sha256(&bytes)));
                    continue;
                }
                (Some(FileKind::File), Err(error)) => self
                    .tree_failure(Problem::Unreadable, path)
                    .saying("a file of the module", error.to_string()),
                _ => self
                    .tree_failure(Problem::Linked, path)
                    .saying("a file of the module", "a link, or no regular file"),
            };
            passed.tree.failures.push(failure);
        }
        let sum = hash1(hashes).unwrap_or_default();
        let right = trusted.contains(&sum.as_str());
        if !right && self.item.rules == Rules::Distribution {
            passed.tree.failures.clear();
        } else if !right && passed.tree.failures.is_empty() {
            let Place::Complete(dir) = &self.item.place else {
                return false;
            };
            let found = format!("{sum}; without a good zip nobody can tell which file it is");
            passed.tree.failures.push(
                self.tree_failure(Problem::Edited, dir.clone())
                    .saying(trusted.join(", "), found),
            );
        }
        passed.tree.elapsed += since.elapsed();
        right
    }

    /// Copies without a zip: the extracted tree does as well if it is in order.
    fn vendor_alone(&self, sound: bool, tools: &mut Tools, passed: &mut Passed) {
        let since = Instant::now();
        let dir = match &self.item.place {
            Place::Complete(dir) if sound => Some(dir),
            _ => None,
        };
        for (name, copies) in self.copies {
            let bytes = dir.and_then(|dir| self.chain.files.read(dir.join(name)).ok());
            for copy in copies {
                match &bytes {
                    Some(bytes) => self.copy(copy, bytes, &mut tools.buffer, &mut passed.vendor),
                    None if dir.is_some() => self.not_in_zip(copy, &mut passed.vendor),
                    None => passed.vendor.skipped += 1,
                }
            }
        }
        passed.vendor.elapsed += since.elapsed();
    }

    /// Holds a vendor directory's copy against the file that it is a copy of.
    fn copy(&self, copy: &Utf8Path, bytes: &[u8], buffer: &mut Vec<u8>, share: &mut Share) {
        let Some(place) = self.place else { return };
        share.checked += 1;
        share.bytes += bytes.len() as u64;
        let failure = super::vendor::compare_copy(self.chain, &place.join(copy), bytes, buffer);
        let module = &self.item.module;
        let failures = failure.into_iter().map(|failure| failure.of(module));
        share.failures.extend(failures);
    }

    fn not_in_zip(&self, copy: &Utf8Path, share: &mut Share) {
        let Some(place) = self.place else { return };
        let path = place.join(copy);
        if self.chain.files.lstat(&path).is_err() {
            return;
        }
        share.checked += 1;
        share.failures.push(
            super::vendor::failure(self.chain, Problem::Added, path)
                .of(&self.item.module)
                .saying("no file: the module's zip has none of that name", "a file"),
        );
    }
}

/// What a difference is called, and what probably made it if that shows.
pub(super) fn kind_of(difference: &Difference) -> (Problem, Option<&'static str>) {
    match difference {
        Difference { size: 0, .. } => (Problem::Empty, Some(CRASH)),
        Difference { cut: true, .. } => (Problem::Truncated, Some(CRASH)),
        _ => (Problem::Edited, None),
    }
}

/// Bytes in a message.
pub(super) fn described(bytes: &[u8]) -> String {
    format!("{} bytes, sha256 {}", bytes.len(), hex(&sha256(bytes)))
}

/// Other bytes in a message.
pub(super) fn shown(difference: &Difference) -> String {
    format!(
        "{} bytes, sha256 {}",
        difference.size,
        hex(&difference.hash)
    )
}

/// From items to links.
struct Totals<'a> {
    chain: &'a Chain<'a>,
    sums: &'a Sums,
    list: &'a Listing,
    threads: u32,
}

impl Totals<'_> {
    fn outcomes(&self, passed: Vec<Passed>, vendor: Option<Vendor>) -> Vec<Outcome> {
        let mut cache = self.cache();
        let mut tree = Outcome::new(Link::Tree, "files");
        let mut goroot = Outcome::new(Link::Toolchain, "files");
        let mut copies = Outcome::new(Link::Vendor, "files");
        let (mut hard_links, mut skipped, mut looked) = (0, 0, false);
        for one in passed {
            if one.is_toolchain {
                looked = true;
                self.ask_database(&one, &mut goroot);
                for share in [one.zip, one.tree] {
                    self.add(&mut goroot, share);
                }
                continue;
            }
            hard_links += one.hard_links;
            skipped += one.vendor.skipped;
            self.add(&mut cache, one.zip);
            self.add(&mut tree, one.tree);
            self.add(&mut copies, one.vendor);
        }
        let partial = |item: &&Item| item.place == Place::Partial;
        match self.list.items.iter().filter(partial).count() {
            0 => {}
            count => tree.notes.push(format!(
                "{count} trees were not extracted to the end: go makes them anew before it uses them"
            )),
        }
        if hard_links > 0 {
            tree.notes.push(format!(
                "{hard_links} files have other names too (hard links): who writes there changes them here"
            ));
        }
        if self
            .list
            .items
            .iter()
            .any(|item| item.rules == Rules::Distribution)
        {
            let note = "go.env is a distributor's to change, and was not compared";
            goroot.notes.push(note.to_owned());
        }
        if !looked {
            toolchain::without(self.chain, &mut goroot);
        }
        if let Some(vendor) = vendor {
            vendor.finish(self.chain, &mut copies, skipped);
        }
        let mut outcomes = vec![cache, tree, copies, goroot];
        for outcome in &mut outcomes {
            outcome.failures.sort_by(|a, b| a.file.cmp(&b.file));
        }
        outcomes.retain(|outcome| self.chain.wants(outcome.link));
        outcomes
    }

    fn add(&self, outcome: &mut Outcome, share: Share) {
        outcome.checked += share.checked;
        outcome.bytes += share.bytes;
        outcome.elapsed += share.elapsed / self.threads;
        outcome.failures.extend(share.failures);
    }

    fn cache(&self) -> Outcome {
        let since = Instant::now();
        let mut outcome = Outcome::new(Link::Cache, "zips and .mod files");
        if self.chain.wants(Link::Cache) {
            outcome.failures = self.list.failures(self.chain, self.sums);
        }
        outcome.checked = self.list.checked_mods;
        if let Some(error) = &self.list.graph_error {
            let first = error.lines().next().unwrap_or_default();
            outcome.notes.push(format!(
                "the module graph was not read ({first}): looked at is what go.sum names"
            ));
        }
        let modules = || {
            self.list
                .items
                .iter()
                .filter(|item| item.rules == Rules::Module)
        };
        let absent = modules()
            .filter(|item| item.zip.is_none() && item.place == Place::None)
            .count();
        if absent > 0 {
            outcome
                .notes
                .push(format!("{absent} modules are not in the cache"));
        }
        let loose = modules()
            .filter(|item| item.zip.is_some() && self.sums.recorded(&item.module).is_empty())
            .count();
        if loose > 0 {
            outcome.notes.push(format!(
                "{loose} zips are in no go.sum: held against what was recorded when they came"
            ));
        }
        outcome.timed(since)
    }

    /// A toolchain stands in no go.sum: the database itself says what its zip is.
    fn ask_database(&self, passed: &Passed, outcome: &mut Outcome) {
        let Some(item) = self
            .list
            .items
            .iter()
            .find(|item| item.rules != Rules::Module)
        else {
            return;
        };
        let known = self.chain.modules.fetcher().database_sums(&item.module);
        let sum = passed.sum.as_ref().or(item.record.sum.as_ref());
        match (known, sum) {
            (Ok(Some(known)), Some(sum)) if !known.contains(sum) => {
                let file = item.zip.as_ref().map_or(&item.record.file, |(zip, _)| zip);
                let failure = Failure::new(Link::Toolchain, Problem::Forged, file.clone())
                    .of(&item.module)
                    .saying(known.join(", "), sum.clone())
                    .because("who delivered the toolchain is hostile, or its zip was exchanged");
                outcome.failures.push(failure);
            }
            (Ok(Some(_)), Some(_)) => {}
            (Ok(_), _) => outcome.unverified(
                1,
                "sum of the toolchain's zip",
                "the settings keep it from the checksum database",
                "",
            ),
            (Err(error), _) if error.is_security() => {
                let failure =
                    Failure::new(Link::Toolchain, Problem::Forged, item.record.file.clone())
                        .of(&item.module)
                        .saying("an answer that the checksum database has signed", error.to_string())
                        .because("a proxy or a network between here and the checksum database answers in its name")
                        .fixed_by("GOPROXY=direct steady verify -links toolchain");
                outcome.failures.push(failure);
            }
            (Err(error), _) => {
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default().to_owned();
                outcome.unverified(1, "sum of the toolchain's zip", first, "");
            }
        }
    }
}

//! The whole chain of trust: what a build takes in, each piece held against the one before it.
//!
//! ```text
//! checksum database -> go.sum, go.work.sum -> zip, .mod, .info -> extracted tree -> vendor/
//!                                                                    GOROOT
//! replaced directories: against their last accepted state       build cache: objects against their ids
//! ```
//!
//! Each [`Link`] has a file here. Zips are read once: `pass` hands every entry, inflated, to whoever compares something with it.
//! Nothing is changed and nothing is mended while it is looked at; `repair` does that afterwards, from what was found.
//!
//! Three answers are kept apart: checked and right, checked and wrong ([`Failure`]), not checked and why ([`Unverified`]). What was not
//! checked is never called verified.

mod cache;
mod copies;
mod extracted;
mod objects;
mod pass;
mod repair;
mod replaced;
mod sums;
mod toolchain;
mod totals;
mod tree;
mod vendor;

pub use repair::Repaired;

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steady_module::ModuleVersion;
use steady_packages::modload::Modules;
use steady_packages::source::BuildContext;
use steady_system::Files;

/// One step of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// go.sum and go.work.sum against the checksum database.
    Sums,
    /// Zips, `.mod`, `.info` and recorded sums of the module cache against go.sum.
    Cache,
    /// Extracted trees against their zips.
    Tree,
    /// The vendor directory against the zips, and modules.txt against go.mod.
    Vendor,
    /// Directories that replace modules, against the state that was accepted last.
    Replaced,
    /// The build cache's objects against their ids.
    Objects,
    /// GOROOT against its module.
    Toolchain,
}

impl Link {
    /// All of them, in the order in which they hold on to one another.
    pub const ALL: [Link; 7] = [
        Link::Sums,
        Link::Cache,
        Link::Tree,
        Link::Vendor,
        Link::Replaced,
        Link::Objects,
        Link::Toolchain,
    ];

    /// Its name, as users give it and as it is shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Link::Sums => "sums",
            Link::Cache => "cache",
            Link::Tree => "tree",
            Link::Vendor => "vendor",
            Link::Replaced => "replaced",
            Link::Objects => "objects",
            Link::Toolchain => "toolchain",
        }
    }

    /// The link with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Link> {
        Link::ALL.into_iter().find(|link| link.name() == name)
    }
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It is not there.
    Missing,
    /// There is nothing in it.
    Empty,
    /// It is the beginning of what it should be.
    Truncated,
    /// Its contents are others.
    Edited,
    /// Nothing says that it should be there.
    Added,
    /// It holds what belongs somewhere else.
    Swapped,
    /// A link, or something else that is no regular file, stands in its place.
    Linked,
    /// Its permissions are others.
    Mode,
    /// It is there more than once.
    Duplicated,
    /// Two places say different things of it.
    Conflicting,
    /// It belongs to another version or an earlier state.
    Stale,
    /// It is not what a signature or a sum covers.
    Forged,
    /// It has not the form of what it should be.
    Malformed,
    /// It cannot be read.
    Unreadable,
}

impl Problem {
    /// One word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Problem::Missing => "missing",
            Problem::Empty => "empty",
            Problem::Truncated => "truncated",
            Problem::Edited => "edited",
            Problem::Added => "added",
            Problem::Swapped => "swapped",
            Problem::Linked => "linked",
            Problem::Mode => "mode",
            Problem::Duplicated => "duplicated",
            Problem::Conflicting => "conflicting",
            Problem::Stale => "stale",
            Problem::Forged => "forged",
            Problem::Malformed => "malformed",
            Problem::Unreadable => "unreadable",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The link that does not hold.
    pub link: Link,
    /// In what way.
    pub problem: Problem,
    /// The file, absolute.
    pub file: Utf8PathBuf,
    /// The line in it, if it is about one.
    pub line: Option<usize>,
    /// The module that it belongs to.
    pub module: Option<ModuleVersion>,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// What probably happened.
    pub cause: String,
    /// What mends it: a command.
    pub fix: String,
}

const CRASH: &str = "a crash or a full disk while it was written, or somebody who cut it off";

/// Command that mends what can be fetched or made again.
const REPAIR: &str = "steady verify -repair";

impl Failure {
    fn new(link: Link, problem: Problem, file: impl Into<Utf8PathBuf>) -> Failure {
        Failure {
            link,
            problem,
            file: file.into(),
            line: None,
            module: None,
            expected: String::new(),
            found: String::new(),
            cause: String::new(),
            fix: REPAIR.to_owned(),
        }
    }

    fn of(mut self, module: &ModuleVersion) -> Failure {
        self.module = Some(bare(module));
        self
    }

    fn at(mut self, line: usize) -> Failure {
        self.line = Some(line);
        self
    }

    fn saying(mut self, expected: impl Into<String>, found: impl Into<String>) -> Failure {
        self.expected = expected.into();
        self.found = found.into();
        self
    }

    fn because(mut self, cause: impl Into<String>) -> Failure {
        self.cause = cause.into();
        self
    }

    fn fixed_by(mut self, command: impl Into<String>) -> Failure {
        self.fix = command.into();
        self
    }
}

/// The module version without `/go.mod`.
fn bare(module: &ModuleVersion) -> ModuleVersion {
    let version = module.version.strip_suffix("/go.mod");
    ModuleVersion::new(&*module.path, version.unwrap_or(&module.version))
}

/// Something that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// What.
    pub what: String,
    /// How many things that is.
    pub count: usize,
    /// Why not.
    pub reason: String,
    /// What would make it possible, if a command does.
    pub fix: String,
}

const FILES: [&str; 2] = ["file", "files"];
const SUMS: [&str; 2] = ["sum", "sums"];

/// What came of one link.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The link.
    pub link: Link,
    /// What was checked, in words that follow a number: for one, and for several.
    pub unit: [&'static str; 2],
    /// How many were checked.
    pub checked: usize,
    /// How many bytes that was, where bytes were read.
    pub bytes: u64,
    /// How long it took. Links that share the reading of zips have their share of that time.
    pub elapsed: Duration,
    /// What else is worth knowing.
    pub notes: Vec<String>,
    /// What could not be checked.
    pub unverified: Vec<Unverified>,
    /// What is wrong.
    pub failures: Vec<Failure>,
}

impl Outcome {
    fn new(link: Link, unit: [&'static str; 2]) -> Outcome {
        Outcome {
            link,
            unit,
            checked: 0,
            bytes: 0,
            elapsed: Duration::ZERO,
            notes: Vec::new(),
            unverified: Vec::new(),
            failures: Vec::new(),
        }
    }

    fn unverified(&mut self, count: usize, what: &str, reason: impl Into<String>, fix: &str) {
        self.unverified.push(Unverified {
            what: what.to_owned(),
            count,
            reason: reason.into(),
            fix: fix.to_owned(),
        });
    }

    fn add(&mut self, other: Outcome) {
        self.checked += other.checked;
        self.bytes += other.bytes;
        self.elapsed += other.elapsed;
        self.notes.extend(other.notes);
        self.unverified.extend(other.unverified);
        self.failures.extend(other.failures);
    }

    fn timed(mut self, since: Instant) -> Outcome {
        self.elapsed = since.elapsed();
        self
    }
}

/// Which Go distribution a run uses.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// GOROOT.
    pub goroot: Utf8PathBuf,
    /// Its version: `go1.26.8`.
    pub version: String,
    /// GOOS of the machine that runs it.
    pub os: String,
    /// GOARCH of the machine that runs it.
    pub arch: String,
}

/// Where the build cache is.
#[derive(Clone, Debug)]
pub enum BuildCache {
    /// In this directory.
    Dir(Utf8PathBuf),
    /// Nowhere that could be looked at, and why.
    Elsewhere(String),
}

/// Told of a link how many of how many things are done.
pub type Progress<'a> = dyn Fn(Link, usize, usize) + Sync + 'a;

/// What is to be verified.
pub struct Chain<'a> {
    /// The modules of the run, opened so that no vendor directory is in use.
    pub modules: &'a Modules,
    /// The disk.
    pub files: &'a Files,
    /// How source files are chosen, for what belongs into a vendor directory.
    pub context: Arc<BuildContext>,
    /// The build cache.
    pub build_cache: BuildCache,
    /// The Go distribution.
    pub distribution: Distribution,
    /// Where states of replaced directories are remembered.
    pub memory: Option<Utf8PathBuf>,
    /// The links to look at.
    pub links: Vec<Link>,
    /// The command that makes the vendor directory anew.
    pub vendor_command: String,
    /// Replaced directories as they are now are accepted.
    pub accept: bool,
    /// Whoever wants to know how far it is.
    pub progress: &'a Progress<'a>,
}

/// What came of the whole chain.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// A link each, in their order.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Adds what came of another chain: links that both have are one.
    pub fn add(&mut self, other: Report) {
        for more in other.outcomes {
            match self.outcomes.iter_mut().find(|own| own.link == more.link) {
                Some(own) => own.add(more),
                None => self.outcomes.push(more),
            }
        }
        self.outcomes.sort_by_key(|outcome| outcome.link);
    }

    /// Everything that is wrong.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.outcomes.iter().flat_map(|outcome| &outcome.failures)
    }

    /// Everything that could not be checked.
    pub fn unverified(&self) -> impl Iterator<Item = &Unverified> {
        self.outcomes.iter().flat_map(|outcome| &outcome.unverified)
    }
}

impl Chain<'_> {
    /// Looks at every link that was asked for. Whatever is wrong stands in the report; nothing is changed but the memory of replaced
    /// directories. Zips that a vendor directory needs and that the cache lacks are fetched, if the settings allow it.
    #[must_use]
    pub fn verify(&self) -> Report {
        let sums = sums::Sums::read(self);
        let list = cache::Listing::new(self, &sums);
        let mut outcomes: BTreeMap<Link, Outcome> = BTreeMap::new();
        std::thread::scope(|scope| {
            // The database is waited for while everything else is read.
            let database = self
                .wants(Link::Sums)
                .then(|| scope.spawn(|| sums::check(self, &sums, &list)));
            for outcome in self.disk(&sums, &list) {
                outcomes.insert(outcome.link, outcome);
            }
            if let Some(outcome) = database.and_then(|thread| thread.join().ok()) {
                outcomes.insert(Link::Sums, outcome);
            }
        });
        Report {
            outcomes: outcomes.into_values().collect(),
        }
    }

    /// The links that lie on the disk.
    fn disk(&self, sums: &sums::Sums, list: &cache::Listing) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let shared = [Link::Cache, Link::Tree, Link::Vendor, Link::Toolchain];
        if shared.into_iter().any(|link| self.wants(link)) {
            outcomes.extend(pass::run(self, sums, list));
        }
        if self.wants(Link::Replaced) {
            outcomes.push(replaced::check(self));
        }
        if self.wants(Link::Objects) {
            outcomes.push(objects::check(self));
        }
        outcomes
    }

    fn wants(&self, link: Link) -> bool {
        self.links.contains(&link)
    }

    /// A file as messages name it in commands: below the working directory without that.
    fn shown<'p>(&self, file: &'p Utf8Path) -> &'p Utf8Path {
        file.strip_prefix(self.files.cwd()).unwrap_or(file)
    }
}

/// SHA-256.
fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(&ring::digest::digest(&ring::digest::SHA256, bytes))
}

fn array(digest: &ring::digest::Digest) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// Work on each of `items` by as many threads as there are processors; answers in no order.
fn each<'t, T: Sync, R: Send, S: Default>(
    threads: usize,
    items: &'t [T],
    work: impl Fn(&mut S, &'t T) -> R + Sync,
) -> Vec<R> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let next = AtomicUsize::new(0);
    let some = || {
        let (mut mine, mut state) = (Vec::new(), S::default());
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            mine.push(work(&mut state, item));
        }
        mine
    };
    let threads = threads.clamp(1, items.len().max(1));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(some)).collect();
        let mut answers = some();
        for worker in workers {
            match worker.join() {
                Ok(more) => answers.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    })
}

//! Hashing an archive and, in the same pass, unpacking it: every byte is inflated once. Files are spread over threads.

use base64::Engine;
use camino::{Utf8Path, Utf8PathBuf};
use ring::digest::{Context, SHA256};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use steady_system::{Files, interrupt};

use super::whole::WholeReader;
use super::{Archive, Entry};
use crate::{Error, Result};
use steady_module::hex;

/// SHA-256 of each file of an archive, by its full name.
pub type FileHashes = Vec<(String, [u8; 32])>;

/// The same, with names that are the archive's own.
pub type EntryHashes<'z> = Vec<(&'z str, [u8; 32])>;

/// A pass over an archive.
pub struct Unpack<'z, 'a> {
    /// The archive.
    pub archive: &'z Archive,
    /// `path@version/`; taken from the names when unpacking.
    pub prefix: &'a str,
    /// Where to unpack to, if at all: must not exist yet, or be empty.
    pub target: Option<(&'a Files, &'a Utf8Path)>,
    /// A directory that each file is held against while its bytes are at hand.
    pub twin: Option<&'a Twin<'a>>,
    /// What its threads work with.
    pub buffers: &'a Buffers,
    /// Threads to use.
    pub threads: usize,
    /// Told how many of how many files are done.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

impl<'z> Unpack<'z, '_> {
    /// Does it, and gives the SHA-256 of each file by its full name. Names must have been checked ([`super::check_zip`]) if there is a
    /// target.
    ///
    /// # Errors
    /// The first file that does not unpack to what the archive declares, or cannot be written.
    pub fn run(&self) -> Result<EntryHashes<'z>> {
        // Go hashes directories' entries like files, with nothing in them.
        let mut order: Vec<&'z Entry> = self.archive.entries().iter().collect();
        if let Some((files, dir)) = self.target {
            self.make_directories(files, dir)?;
        }
        // Large files first, so that no thread is left with one at the end.
        order.sort_by_key(|entry| std::cmp::Reverse(entry.size));
        let (next, done, failed) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicBool::new(false),
        );
        let results: Mutex<(EntryHashes<'z>, Option<Error>)> =
            Mutex::new((Vec::with_capacity(order.len()), None));
        let work = || {
            let (mut mine, mut other) = (Vec::new(), Vec::new());
            let mut tools = self.buffers.take();
            while !failed.load(Ordering::Relaxed) {
                let Some(entry) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                match interrupt::check()
                    .map_err(Error::from)
                    .and_then(|()| self.one(entry, &mut tools, &mut other))
                {
                    Ok(hash) => mine.push((&*entry.name, hash)),
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        results
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .1
                            .get_or_insert(error);
                    }
                }
                (self.progress)(done.fetch_add(1, Ordering::Relaxed) + 1, order.len());
            }
            self.buffers.give(tools);
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .0
                .append(&mut mine);
        };
        if self.threads > 1 && order.len() > 1 {
            std::thread::scope(|scope| {
                (0..self.threads.min(order.len())).for_each(|_| drop(scope.spawn(work)))
            });
        } else {
            work();
        }
        match results.into_inner().unwrap_or_else(PoisonError::into_inner) {
            (_, Some(error)) => Err(error),
            (hashes, None) => Ok(hashes),
        }
    }

    fn relative<'n>(&self, name: &'n str) -> Option<&'n str> {
        name.strip_prefix(self.prefix)
            .filter(|name| !name.is_empty() && !name.ends_with('/'))
    }

    fn make_directories(&self, files: &Files, dir: &Utf8Path) -> Result<()> {
        if files.read_dir(dir).is_ok_and(|entries| !entries.is_empty()) {
            return Err(Error::other(format!(
                "target directory {dir} exists and is not empty"
            )));
        }
        files.create_dir_all(dir)?;
        let mut wanted: BTreeSet<&Utf8Path> = BTreeSet::new();
        for name in self
            .archive
            .entries()
            .iter()
            .filter_map(|entry| self.relative(&entry.name))
        {
            let mut parent = Utf8Path::new(name).parent();
            while let Some(path) =
                parent.filter(|path| !path.as_str().is_empty() && wanted.insert(path))
            {
                parent = path.parent();
            }
        }
        wanted
            .into_iter()
            .try_for_each(|path| Ok(files.create_dir(dir.join(path))?))
    }

    /// `other` is memory for what a twin holds.
    fn one(&self, entry: &Entry, tools: &mut WholeReader, other: &mut Vec<u8>) -> Result<[u8; 32]> {
        let fail = |error: std::io::Error| Error::other(steady_system::describe_io(&error));
        let mut target = match (self.target, self.relative(&entry.name)) {
            (Some((files, dir)), Some(name)) => Some(Target::new(files, dir.join(name))?),
            _ => None,
        };
        let mut compared = self
            .twin
            .and_then(|twin| twin.file(self.relative(&entry.name)));
        let mut hash = Context::new(&SHA256);
        if let Some(bytes) = tools.read(self.archive, entry).map_err(fail)? {
            hash.update(bytes);
            if let Some(compared) = &mut compared {
                compared.hold(bytes, true, other);
            }
            if let Some(target) = &mut target {
                target.write(bytes)?;
            }
            return Ok(finish(hash));
        }
        let mut reader = self.archive.reader(entry).map_err(fail)?;
        let buffer = tools.piece();
        loop {
            // A full buffer, not whatever one step of inflating gave: writes are what costs.
            let mut filled = 0;
            while filled < buffer.len() {
                match reader.read(&mut buffer[filled..]).map_err(fail)? {
                    0 => break,
                    count => filled += count,
                }
            }
            hash.update(&buffer[..filled]);
            if let Some(compared) = &mut compared {
                compared.hold(&buffer[..filled], filled < buffer.len(), other);
            }
            if let Some(target) = &mut target {
                target.write(&buffer[..filled])?;
            }
            if filled < buffer.len() {
                break;
            }
        }
        Ok(finish(hash))
    }
}

/// Memory that passes take and give back, one after another and at the same time.
#[derive(Default)]
pub struct Buffers(Mutex<Vec<WholeReader>>);

impl Buffers {
    pub(crate) fn take(&self) -> WholeReader {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop().unwrap_or_default()
    }

    pub(crate) fn give(&self, tools: WholeReader) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(tools);
    }
}

/// A directory that an archive was unpacked to, held against it again: bytes are compared, which takes less than hashing them.
pub struct Twin<'a> {
    files: &'a Files,
    dir: &'a Utf8Path,
    /// Files that were found to be the same.
    same: AtomicUsize,
}

impl<'a> Twin<'a> {
    /// The directory.
    #[must_use]
    pub fn new(files: &'a Files, dir: &'a Utf8Path) -> Twin<'a> {
        Twin {
            files,
            dir,
            same: AtomicUsize::new(0),
        }
    }

    /// After the pass: how many files of the archive are in the directory with the same bytes.
    #[must_use]
    pub fn same(&self) -> usize {
        self.same.load(Ordering::Relaxed)
    }

    /// The file of that name, if it can be opened.
    fn file(&self, name: Option<&str>) -> Option<Compared<'_>> {
        let file = self.files.open(self.dir.join(name?)).ok()?;
        Some(Compared {
            file,
            same: Some(&self.same),
        })
    }
}

/// How much of a twin's file is read at a time.
const PIECE: usize = 1 << 17;

/// A file of a twin.
struct Compared<'a> {
    file: std::fs::File,
    /// Counts those that are the same; nothing once this one is not.
    same: Option<&'a AtomicUsize>,
}

impl Compared<'_> {
    /// Holds the next bytes against the file, which must end behind them if they are the last.
    fn hold(&mut self, bytes: &[u8], is_last: bool, memory: &mut Vec<u8>) {
        let Some(same) = self.same else {
            return;
        };
        let mut left = bytes;
        loop {
            let (piece, rest) = left.split_at(left.len().min(PIECE));
            let ends = is_last && rest.is_empty();
            memory.clear();
            // One more than there should be shows in the same call that there is not more.
            let wanted = piece.len() + usize::from(ends);
            let read = (&mut self.file).take(wanted as u64).read_to_end(memory);
            if read.is_err() || memory != piece {
                self.same = None;
                return;
            }
            left = rest;
            if rest.is_empty() {
                break;
            }
        }
        if is_last {
            same.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A file that is being unpacked.
struct Target {
    file: std::fs::File,
    path: Utf8PathBuf,
}

impl Target {
    fn new(files: &Files, path: Utf8PathBuf) -> Result<Target> {
        let file = files.create_new(&path, 0o444)?;
        Ok(Target { file, path })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        steady_system::fault::step_write(&mut self.file, bytes);
        let done = self.file.write_all(bytes);
        done.map_err(|source| {
            let (op, path) = ("write", self.path.clone());
            steady_system::Error::Path { op, path, source }.into()
        })
    }
}

fn finish(hash: Context) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

/// The `h1:` sum of files: SHA-256 over one line a file, sorted by name.
///
/// # Errors
/// A name with a newline, which would let two trees have one sum.
pub fn hash1<N: AsRef<str> + Ord>(mut files: Vec<(N, [u8; 32])>) -> Result<String> {
    files.sort_unstable();
    let mut hash = Hash1::default();
    let mut files = files.iter();
    files.try_for_each(|(name, sum)| hash.add(name.as_ref(), sum))?;
    Ok(hash.sum())
}

/// An `h1:` sum in the making; names come sorted.
pub(crate) struct Hash1(Context);

impl Default for Hash1 {
    fn default() -> Hash1 {
        Hash1(Context::new(&SHA256))
    }
}

impl Hash1 {
    pub(crate) fn add(&mut self, name: &str, sum: &[u8; 32]) -> Result<()> {
        if name.contains('\n') {
            return Err(Error::other(
                "dirhash: filenames with newlines are not supported",
            ));
        }
        self.0.update(format!("{}  {name}\n", hex(sum)).as_bytes());
        Ok(())
    }

    pub(crate) fn sum(self) -> String {
        let sum = base64::engine::general_purpose::STANDARD.encode(self.0.finish());
        format!("h1:{sum}")
    }
}

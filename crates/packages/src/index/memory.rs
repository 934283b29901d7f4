//! One memory: the records of one immutable tree, or of one project's directories.

use crate::source::{DirContents, scan};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use steady_system::store::{self, Store};
use steady_system::{Files, Metadata};

/// Files changed this recently (nanoseconds) may change again within the clock's grain without any sign of it.
pub(super) const RACY: i64 = 2_000_000_000;

/// What identifies one state of a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    size: u64,
    modified: i64,
    changed: i64,
    inode: u64,
}

impl Stamp {
    fn of(meta: Metadata) -> Self {
        Self {
            size: meta.size,
            modified: meta.modified,
            changed: meta.changed,
            inode: meta.inode,
        }
    }
}

/// What is remembered of one directory.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Stamp of the directory; `None` where nothing ever changes.
    dir: Option<Stamp>,
    /// Stamps of its source files, in the order of `contents.files`; empty where files never change in place.
    files: Vec<Stamp>,
    /// `None`: there is no such directory.
    contents: Option<DirContents>,
}

/// How far a memory trusts what it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Nothing changes: module cache.
    Always,
    /// Files are replaced, not edited in place: the directory's stamp tells (standard library).
    DirStamp,
    /// Anything may change: every file is asked.
    FileStamps,
}

/// The records of one file on disk, and what this run adds.
pub(super) struct Memory {
    /// Directory that the names of records are relative to; empty for absolute names.
    pub root: Utf8PathBuf,
    /// Where it lies on disk.
    pub place: Utf8PathBuf,
    pub trust: Trust,
    store: Store,
    news: Mutex<News>,
}

#[derive(Default)]
struct News {
    /// Encoded records by name.
    records: BTreeMap<String, Vec<u8>>,
    /// Names that were asked for.
    used: BTreeSet<String>,
}

/// A remembered directory: there, or known to be missing.
pub(super) type Remembered = Option<DirContents>;

impl Memory {
    pub fn open(files: &Files, root: Utf8PathBuf, place: Utf8PathBuf, trust: Trust) -> Self {
        let store = Store::read(files, &place);
        Self {
            root,
            place,
            trust,
            store,
            news: Mutex::default(),
        }
    }

    fn name<'d>(&self, dir: &'d Utf8Path) -> &'d str {
        dir.strip_prefix(&self.root).unwrap_or(dir).as_str()
    }

    /// What is remembered of a directory, if it still holds.
    pub fn get(&self, files: &Files, dir: &Utf8Path) -> Option<Remembered> {
        let name = self.name(dir);
        let record: Record = match self.store.get(name) {
            Some(bytes) => postcard::from_bytes(bytes).ok()?,
            None => {
                let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
                postcard::from_bytes(news.records.get(name)?).ok()?
            }
        };
        if !self.holds(files, dir, &record) {
            return None;
        }
        if self.trust == Trust::FileStamps {
            self.news
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .used
                .insert(name.to_owned());
        }
        Some(record.contents)
    }

    fn holds(&self, files: &Files, dir: &Utf8Path, record: &Record) -> bool {
        if self.trust == Trust::Always {
            return true;
        }
        let now = |path: &Utf8Path| files.stat(path).ok().map(Stamp::of);
        let Some(contents) = &record.contents else {
            return false;
        };
        if record.dir.is_none() || now(dir) != record.dir {
            return false;
        }
        self.trust == Trust::DirStamp
            || (record.files.len() == contents.files.len()
                && contents
                    .files
                    .iter()
                    .zip(&record.files)
                    .all(|(file, stamp)| now(&dir.join(&file.name)) == Some(*stamp)))
    }

    /// Remembers what was just read of a directory (`None`: it is missing), if it may be. `started`: the clock before it was read.
    fn put(
        &self,
        files: &Files,
        dir: &Utf8Path,
        contents: Option<&DirContents>,
        started: i64,
    ) -> bool {
        let Some((dir_stamp, file_stamps)) = self.stamps(files, dir, contents, started) else {
            return false;
        };
        let record = Record {
            dir: dir_stamp,
            files: file_stamps,
            contents: contents.cloned(),
        };
        let Ok(bytes) = postcard::to_stdvec(&record) else {
            return false;
        };
        let name = self.name(dir).to_owned();
        self.news
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .records
            .insert(name, bytes);
        true
    }

    /// Stamps to keep; `None`: not to be remembered, since a change could go unseen.
    fn stamps(
        &self,
        files: &Files,
        dir: &Utf8Path,
        contents: Option<&DirContents>,
        started: i64,
    ) -> Option<(Option<Stamp>, Vec<Stamp>)> {
        if self.trust == Trust::Always {
            return Some((None, Vec::new()));
        }
        // What a link leads to can change without a sign in this directory.
        let contents =
            contents.filter(|contents| contents.dir_links.is_empty() && !contents.has_links)?;
        let settled = |path: &Utf8Path| {
            let stamp = Stamp::of(files.stat(path).ok()?);
            (stamp.modified.max(stamp.changed) < started - RACY).then_some(stamp)
        };
        let dir_stamp = settled(dir)?;
        if self.trust == Trust::DirStamp {
            return Some((Some(dir_stamp), Vec::new()));
        }
        let stamps: Option<Vec<Stamp>> = contents
            .files
            .iter()
            .map(|file| settled(&dir.join(&file.name)))
            .collect();
        Some((Some(dir_stamp), stamps?))
    }

    /// Writes old and new records back, if there are new ones.
    pub fn save(&self, files: &Files) -> Result<(), steady_system::Error> {
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if news.records.is_empty() {
            return Ok(());
        }
        let records = news.records.iter();
        store::add(
            files,
            &self.place,
            records.map(|(name, record)| (name.as_str(), record.as_slice())),
            |name| news.used.contains(name),
        )?;
        news.records.clear();
        Ok(())
    }
}

/// Reads a directory anew and remembers it if it may be.
pub(super) fn refresh(
    memory: &Memory,
    files: &Files,
    dir: &Utf8Path,
    started: i64,
) -> (Result<DirContents, crate::source::SourceError>, bool) {
    let answer = scan::scan_dir(files, dir);
    let remembered = match &answer {
        Ok(contents) => memory.put(files, dir, Some(contents), started),
        Err(crate::source::SourceError::Unreadable { missing: true, .. })
            if memory.trust == Trust::Always =>
        {
            memory.put(files, dir, None, started)
        }
        Err(_) => false,
    };
    (answer, remembered)
}

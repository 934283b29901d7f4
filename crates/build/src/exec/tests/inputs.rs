//! What a test program looked at, and the state of that now.
//!
//! | line of the id | for a line of the program's log |
//! |---|---|
//! | `env GODEBUG HEX` | always |
//! | `env NAME HEX` | `getenv NAME` |
//! | `chdir DIR HEX` | `chdir DIR`; paths that follow are relative to it |
//! | `stat PATH HEX`, `open PATH HEX` | `stat PATH`, `open PATH`, if it lies in the module |
//!
//! A variable's hash is of a byte 0, or of a byte 1 and its value. That of a path is of the lines `stat SIZE MODE TIME ISDIR` (with
//! and without following links, or of what opening follows; of a directory also `file NAME` in front of those of its entries) or
//! `err TEXT`.

use camino::{Utf8Path, Utf8PathBuf};
use std::fs::Metadata;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::time::{Duration, SystemTime};
use steady_system::{clean, describe_io};

use super::super::Run;
use super::result::LOG_START;
use crate::cache::{Id, IdHash, hex};
use crate::plan::PlannedTest;
use crate::quote::quote;

/// A file that was changed this short ago may change again without that being seen.
const TOO_NEW: Duration = Duration::from_secs(2);

impl Run<'_> {
    /// The id of all that a log names; none if that cannot be told.
    pub(super) fn inputs_id(&self, planned: &PlannedTest, log: &[u8]) -> Option<Id> {
        self.looked_at(planned, log).ok().map(|(id, _)| id)
    }

    /// All that a log names, with the state that it has now, and the id of it; else why that cannot be told.
    pub(super) fn looked_at(
        &self,
        planned: &PlannedTest,
        log: &[u8],
    ) -> Result<(Id, Vec<(String, String)>), String> {
        let public = &self.packages[planned.package].public;
        let path = &public.import_path;
        let log = String::from_utf8_lossy(log.strip_prefix(LOG_START).unwrap_or(log));
        let mut hash = self.cache.hashes().hash("testInputs");
        let mut looked = Vec::new();
        let mut add = |line: String, what: String, state: String| {
            hash.add(format_args!("{line} {state}\n"));
            looked.push((what, state));
        };
        let godebug = self.variable("GODEBUG");
        add("env GODEBUG".into(), "getenv GODEBUG".into(), godebug);
        let mut dir = Utf8PathBuf::from(&public.dir);
        for line in log.split('\n').filter(|line| !line.is_empty()) {
            let malformed = || {
                self.tell_cache(|| format!("{path}: input list malformed ({})", quote(line)));
                "it left no list of what it looked at".to_owned()
            };
            let Some((operation, name)) = line.split_once(' ') else {
                return Err(malformed());
            };
            let at = clean(&dir.join(name));
            let counts = || !public.root.is_empty() && is_in(&at, Utf8Path::new(&public.root));
            match operation {
                "getenv" => add(format!("env {name}"), line.to_owned(), self.variable(name)),
                "chdir" => {
                    dir = name.into();
                    let state = self.stat_id(Utf8Path::new(name));
                    add(line.to_owned(), format!("stat {name}"), state);
                }
                "stat" if counts() => {
                    let what = format!("stat {at}");
                    add(what.clone(), what, self.stat_id(&at));
                }
                "open" if counts() => {
                    let Some(id) = self.open_id(&at) else {
                        self.tell_cache(|| {
                            format!("{path}: input file {at}: file used as input is too new")
                        });
                        return Err(format!("{at} had only just been changed"));
                    };
                    let what = format!("open {at}");
                    add(what.clone(), what, id);
                }
                "stat" | "open" => {}
                _ => return Err(malformed()),
            }
        }
        Ok((hash.sum(), looked))
    }

    /// The state of one thing of such a list.
    pub(super) fn state_of(&self, what: &str) -> Option<String> {
        let (operation, name) = what.split_once(' ')?;
        match operation {
            "getenv" => Some(self.variable(name)),
            "stat" => Some(self.stat_id(Utf8Path::new(name))),
            "open" => self.open_id(Utf8Path::new(name)),
            _ => None,
        }
    }

    fn variable(&self, name: &str) -> String {
        let mut hash = self.cache.hashes().hash("getenv");
        match self.runs().variables.lookup_os(name) {
            None => hash.bytes(&[0]),
            Some(value) => {
                hash.bytes(&[1]);
                hash.bytes(value.as_bytes());
            }
        }
        hex(&hash.sum())
    }

    fn stat_id(&self, path: &Utf8Path) -> String {
        let mut hash = self.cache.hashes().hash("stat");
        self.add_stat(&mut hash, "stat", path, path.as_std_path().metadata());
        self.add_stat(&mut hash, "lstat", path, path.symlink_metadata());
        hex(&hash.sum())
    }

    fn add_stat(
        &self,
        hash: &mut IdHash<'_>,
        operation: &str,
        path: &Utf8Path,
        found: io::Result<Metadata>,
    ) {
        match found {
            Err(error) => {
                hash.add(format_args!(
                    "err {operation} {path}: {}\n",
                    describe_io(&error)
                ));
            }
            Ok(meta) => {
                let time = SystemTime::UNIX_EPOCH
                    + Duration::from_secs(u64::try_from(meta.mtime()).unwrap_or(0))
                    + Duration::from_nanos(u64::try_from(meta.mtime_nsec()).unwrap_or(0));
                let (size, mode) = (meta.len(), go_mode(&meta));
                let time = self.runs().zone.go_string(time);
                hash.add(format_args!(
                    "stat {size} {mode:x} {time} {}\n",
                    meta.is_dir()
                ));
            }
        }
    }

    /// None for a file that is too new.
    fn open_id(&self, path: &Utf8Path) -> Option<String> {
        let mut hash = self.cache.hashes().hash("open");
        let found = path.as_std_path().metadata();
        let meta = found.as_ref().ok().cloned();
        self.add_stat(&mut hash, "stat", path, found);
        let Some(meta) = meta else {
            return Some(hex(&hash.sum()));
        };
        if meta.is_dir() {
            let mut entries: Vec<_> = match path.read_dir_utf8() {
                Ok(entries) => entries.flatten().collect(),
                Err(error) => {
                    hash.add(format_args!("err open {path}: {}\n", describe_io(&error)));
                    Vec::new()
                }
            };
            entries.sort_by(|a, b| a.file_name().cmp(b.file_name()));
            for entry in entries {
                hash.add(format_args!("file {} ", entry.file_name()));
                self.add_stat(
                    &mut hash,
                    "lstat",
                    entry.path(),
                    entry.path().symlink_metadata(),
                );
            }
        } else if meta.is_file() {
            let age = meta.modified().ok()?.elapsed().unwrap_or_default();
            if age < TOO_NEW {
                return None;
            }
        }
        Some(hex(&hash.sum()))
    }
}

/// A file's mode as Go's `fs.FileMode` has it.
fn go_mode(meta: &Metadata) -> u64 {
    let kind = meta.file_type();
    let unix = meta.mode();
    let mut mode = u64::from(unix & 0o777);
    let bits = [
        (kind.is_dir(), 31),
        (kind.is_symlink(), 27),
        (kind.is_block_device() || kind.is_char_device(), 26),
        (kind.is_fifo(), 25),
        (kind.is_socket(), 24),
        (unix & 0o4000 != 0, 23),
        (unix & 0o2000 != 0, 22),
        (kind.is_char_device(), 21),
        (unix & 0o1000 != 0, 20),
    ];
    for (set, bit) in bits {
        mode |= u64::from(set) << bit;
    }
    mode
}

/// Whether a path lies in a directory, by names or by where links lead.
fn is_in(path: &Utf8Path, dir: &Utf8Path) -> bool {
    let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
    if path.starts_with(dir) {
        return true;
    }
    let (real_path, real_dir) = (real(path), real(dir));
    let path_in = |dir: &Utf8Path| {
        path.starts_with(dir) || real_path.as_ref().is_some_and(|path| path.starts_with(dir))
    };
    path_in(dir) || real_dir.is_some_and(|dir| path_in(&dir))
}

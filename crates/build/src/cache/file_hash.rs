//! Hashes of the files that actions read. Each file is hashed once, and again only when its state says that it was changed.
//!
//! A memory is a file of records ([`store`]), one a directory: the state of each of its files, and the hash of what it held in that state.
//! There is one for GOROOT, one for the module cache, and one for each project, so that a second tree finds what the first one had read.
//! Files that were changed within the last two seconds are not remembered.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io;
use std::sync::{Mutex, OnceLock};
use steady_system::clock::Clock;
use steady_system::store::{self, Store};
use steady_system::{Files, Stamp};

use super::{HashContext, Id, hash_of, hex};
use crate::shell::lock;

/// The files of one directory.
type Dir = BTreeMap<String, Hashed>;

/// A file, as it was when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Hashed {
    stamp: Stamp,
    hash: Id,
}

/// A memory: where it lies, and what it is about.
#[derive(Debug)]
struct Memory {
    /// Files below it belong here; empty takes all.
    root: Utf8PathBuf,
    place: Utf8PathBuf,
    /// What was on disk when somebody first asked.
    store: OnceLock<Store>,
}

/// The hashes of one run.
#[derive(Debug, Default)]
pub struct FileHashes {
    memories: Vec<Memory>,
    /// The clock when the run began.
    started: i64,
    state: Mutex<HashMap<Utf8PathBuf, State>>,
}

/// What is known of a directory.
#[derive(Debug, Default)]
struct State {
    /// From the memory, and what was read since.
    files: Dir,
    /// Those of them whose state was looked at in this run.
    checked: HashSet<String>,
    changed: bool,
}

impl FileHashes {
    /// Hashes that are remembered: for files below each root in the file beside it, the first root that fits; an empty root takes all.
    #[must_use]
    pub fn new(places: Vec<(Utf8PathBuf, Utf8PathBuf)>) -> FileHashes {
        let memory = |(root, place)| Memory {
            root,
            place,
            store: OnceLock::new(),
        };
        FileHashes {
            memories: places.into_iter().map(memory).collect(),
            started: Clock::System.nanos(),
            state: Mutex::default(),
        }
    }

    /// The file for what lies below a root, below the directory of Steady's memories.
    #[must_use]
    pub fn place(memories: &Utf8Path, root: &Utf8Path) -> Utf8PathBuf {
        let name = hex(&Sha256::digest(root.as_str()));
        memories.join("hashes").join(&name[..32])
    }

    /// SHA-256 of a file's content, and the state in which it is.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn get(&self, path: &Utf8Path, trace: &HashContext) -> io::Result<(Id, Stamp)> {
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if let Some(state) = lock(&self.state).get(dir)
            && state.checked.contains(name)
            && let Some(known) = state.files.get(name)
        {
            return Ok((known.hash, known.stamp));
        }
        let found = self.find(path, dir, name);
        match &found {
            Ok((id, _)) => trace.trace_file(path.as_str(), Ok(id)),
            Err(error) => trace.trace_file(path.as_str(), Err(&error.to_string())),
        }
        found
    }

    fn find(&self, path: &Utf8Path, dir: &Utf8Path, name: &str) -> io::Result<(Id, Stamp)> {
        let now = Stamp::of(&path.metadata()?);
        let known = self.with(dir, |state| {
            let known = state.files.get(name).copied();
            let known = known.filter(|known| known.stamp == now)?;
            state.checked.insert(name.to_owned());
            Some(known.hash)
        });
        if let Some(hash) = known {
            return Ok((hash, now));
        }
        let file = File::open(path)?;
        let stamp = Stamp::of(&file.metadata()?);
        let (hash, _) = hash_of(file)?;
        self.with(dir, |state| {
            state.files.insert(name.to_owned(), Hashed { stamp, hash });
            state.checked.insert(name.to_owned());
            state.changed |= !stamp.is_fresh(self.started);
        });
        Ok((hash, stamp))
    }

    /// Does something with what is known of a directory.
    fn with<T>(&self, dir: &Utf8Path, act: impl FnOnce(&mut State) -> T) -> T {
        let mut all = lock(&self.state);
        if !all.contains_key(dir) {
            let remembered = self.memory(dir).and_then(|memory| memory.dir(dir));
            let state = State {
                files: remembered.unwrap_or_default(),
                ..State::default()
            };
            all.insert(dir.to_owned(), state);
        }
        act(all.entry(dir.to_owned()).or_default())
    }

    fn memory(&self, dir: &Utf8Path) -> Option<&Memory> {
        self.memories
            .iter()
            .find(|memory| dir.starts_with(&memory.root))
    }

    /// Writes down what was read since the last call. That it cannot be written is no error: it is a memory.
    pub fn save(&self) {
        let mut all = lock(&self.state);
        for memory in &self.memories {
            let mine = |dir: &Utf8Path| {
                self.memory(dir)
                    .is_some_and(|other| std::ptr::eq(other, memory))
            };
            if all.iter().any(|(dir, state)| state.changed && mine(dir)) {
                let dirs = all.iter_mut().filter(|(dir, _)| mine(dir));
                let _ = memory.save(
                    dirs.map(|(dir, state)| (dir.as_path(), state)),
                    self.started,
                );
            }
        }
    }
}

impl Memory {
    /// What is remembered of a directory.
    fn dir(&self, dir: &Utf8Path) -> Option<Dir> {
        let store = self.store.get_or_init(|| Store::read(&disk(), &self.place));
        postcard::from_bytes(store.get(dir.as_str())?).ok()
    }

    /// Adds what is known of directories that this run asked for.
    fn save<'a>(
        &self,
        dirs: impl Iterator<Item = (&'a Utf8Path, &'a mut State)>,
        started: i64,
    ) -> Option<()> {
        let (mut news, mut used) = (BTreeMap::new(), HashSet::new());
        for (dir, state) in dirs {
            used.insert(dir.as_str());
            if std::mem::take(&mut state.changed) {
                // What could change without a sign is not remembered.
                let settled = |(_, hashed): &(&String, &Hashed)| !hashed.stamp.is_fresh(started);
                let files: BTreeMap<_, _> = state.files.iter().filter(settled).collect();
                news.insert(dir.as_str(), postcard::to_stdvec(&files).ok()?);
            }
        }
        let news = news.iter().map(|(dir, record)| (*dir, record.as_slice()));
        store::add(&disk(), &self.place, news, |dir| used.contains(dir)).ok()
    }
}

/// Memories have absolute paths, whatever the working directory.
fn disk() -> Files {
    Files::new(Utf8Path::new("/"))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    struct Tree {
        dir: tempfile::TempDir,
        trace: HashContext,
    }

    impl Tree {
        fn new() -> Tree {
            Tree {
                dir: tempfile::tempdir().unwrap(),
                trace: HashContext::new("go1.26.8", None, false),
            }
        }

        fn path(&self, name: &str) -> Utf8PathBuf {
            Utf8PathBuf::from_path_buf(self.dir.path().join(name)).unwrap()
        }

        /// Hashes of a run that begins an hour later, so that everything counts as settled.
        fn run(&self) -> FileHashes {
            let mut hashes = FileHashes::new(vec![(self.path("src"), self.path("memory/src"))]);
            hashes.started += 3_600_000_000_000;
            hashes
        }

        fn hash(&self, hashes: &FileHashes) -> Id {
            hashes.get(&self.path("src/a.go"), &self.trace).unwrap().0
        }

        fn write(&self, text: &str) {
            std::fs::create_dir_all(self.path("src")).unwrap();
            std::fs::write(self.path("src/a.go"), text).unwrap();
        }
    }

    fn sum(text: &str) -> Id {
        hash_of(text.as_bytes()).unwrap().0
    }

    #[test]
    fn a_second_run_reads_nothing() {
        let tree = Tree::new();
        tree.write("one");
        let first = tree.run();
        assert_eq!(tree.hash(&first), sum("one"));
        first.save();
        let second = tree.run();
        assert_eq!(tree.hash(&second), sum("one"));
        let state = lock(&second.state);
        let state = state.get(&tree.path("src")).unwrap();
        assert!(!state.changed && state.checked.contains("a.go"));
    }

    #[test]
    fn an_edit_of_the_same_size_and_time_shows() {
        let tree = Tree::new();
        tree.write("one");
        let time = SystemTime::now() - Duration::from_secs(60);
        let set = || {
            let file = File::options().write(true).open(tree.path("src/a.go"));
            file.unwrap().set_modified(time).unwrap();
        };
        set();
        let first = tree.run();
        tree.hash(&first);
        first.save();
        tree.write("two");
        set();
        assert_eq!(tree.hash(&tree.run()), sum("two"));
    }

    #[test]
    fn what_was_just_written_is_not_remembered() {
        let tree = Tree::new();
        tree.write("one");
        let hashes = FileHashes::new(vec![(Utf8PathBuf::new(), tree.path("memory"))]);
        tree.hash(&hashes);
        hashes.save();
        assert!(!tree.path("memory").exists());
    }

    #[test]
    fn a_damaged_memory_costs_time_only() {
        let tree = Tree::new();
        tree.write("one");
        let first = tree.run();
        tree.hash(&first);
        first.save();
        let place = tree.path("memory/src");
        let whole = std::fs::read(&place).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&place, bytes).unwrap();
            assert_eq!(tree.hash(&tree.run()), sum("one"), "{at}");
            std::fs::write(&place, &whole[..at]).unwrap();
            assert_eq!(tree.hash(&tree.run()), sum("one"), "{at}");
        }
    }
}

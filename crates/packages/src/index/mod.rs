//! Memory of what source directories contain.
//!
//! Three kinds of place, by how much they can change:
//!
//! | place | file | what is asked before a record is believed |
//! |---|---|---|
//! | module cache, `…@version` | one a module version | nothing: it never changes once extracted |
//! | standard library | one a toolchain (GOROOT and version) | stamp of the directory |
//! | the project, and all else | one a project | stamps of the directory and of every source file in it |
//!
//! Directories and files that were changed within the last two seconds are not remembered: they could change again without
//! their stamps telling. A file that is torn or of another format is rebuilt. Of directories in which an overlay changes anything, or
//! below which it does, nothing is kept or believed.
//! Within a process every directory is looked at once. A lean index, for commands that ask for most directories once, keeps only what
//! lies in no memory; what does is decoded each time that it is asked for, since it takes ten times the room then.

mod memory;
mod variants;

use crate::source::imports::{Scanned, Tags, scan_dir};
use crate::source::testing::{self, TestFileError, TestFunction};
use crate::source::{BuildContext, DirContents, PackageSource, SourceError, evaluate, scan};
use camino::{Utf8Path, Utf8PathBuf};
use memory::{Memory, Trust};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use steady_module::hex;
use steady_system::Files;
use steady_system::clock::Clock;
use variants::Variants;

/// Where things are.
#[derive(Clone, Debug, Default)]
pub struct IndexOptions {
    /// Directory for the memories, Steady's own; none keeps them for this process only.
    pub cache_dir: Option<Utf8PathBuf>,
    /// GOMODCACHE: directories `…@version` below it are immutable.
    pub mod_cache: Option<Utf8PathBuf>,
    /// GOROOT; its `src` changes only with the toolchain.
    pub goroot: Option<Utf8PathBuf>,
    /// First line of GOROOT/VERSION, part of the key of the standard library's memory; empty: treated as the project is.
    pub go_version: String,
    /// Directory of the main module or workspace, that names the memory of mutable directories; none keeps none of them.
    pub project: Option<Utf8PathBuf>,
    /// A directory and the one that is read in its place (a snapshot of a part of the standard library).
    pub bound: Option<(Utf8PathBuf, Utf8PathBuf)>,
    /// What a memory of something that nobody edits tells of a directory is not kept (see the module).
    pub lean: bool,
    /// The clock.
    pub clock: Clock,
}

/// The functions of a test file, or why there are none to be had.
pub type Functions = Arc<Result<Vec<TestFunction>, NoFunctions>>;

/// Why a test file's functions are not known.
#[derive(Debug, thiserror::Error)]
pub enum NoFunctions {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] steady_system::Error),
    /// It is not what it should be.
    #[error("{}", .0.text)]
    Wrong(TestFileError),
}

type Answer = Result<Arc<DirContents>, SourceError>;

/// Directories that are not worth starting threads for.
const FEW: usize = 16;

/// Directories that a lean index keeps in mind: who has asked whether there are any files often asks for them next.
const RECENT: usize = 16;

/// The memory; shared by all threads of a run.
pub struct Index {
    files: Files,
    options: IndexOptions,
    /// What this process has looked at already.
    seen: Mutex<HashMap<Utf8PathBuf, Answer>>,
    /// What a lean index was asked for last.
    recent: Mutex<VecDeque<(Utf8PathBuf, Arc<DirContents>)>>,
    /// What the directories are under the configurations that were asked for.
    variants: Mutex<HashMap<Utf8PathBuf, Arc<Mutex<Variants>>>>,
    /// What the files of directories import, whatever their constraints: little, and asked for again by every look at a module graph.
    imports: Mutex<HashMap<Utf8PathBuf, Arc<Scanned>>>,
    /// What test files hold.
    functions: Mutex<HashMap<Utf8PathBuf, Functions>>,
    /// Memories opened so far, by root; `None` for a root that must not have one.
    memories: Mutex<HashMap<Utf8PathBuf, Option<Arc<Memory>>>>,
    /// An index of the same disk under another overlay, which knows what neither of the two changes.
    beside: Option<Arc<Index>>,
    /// Is told of every directory that is looked at.
    witness: Option<Witness>,
}

/// Somebody who is told of directories.
pub type Witness = Box<dyn Fn(&Utf8Path) + Send + Sync>;

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// An index over `files`.
    pub fn new(files: Files, options: IndexOptions) -> Self {
        Self {
            files,
            options,
            seen: Mutex::default(),
            recent: Mutex::default(),
            variants: Mutex::default(),
            imports: Mutex::default(),
            functions: Mutex::default(),
            memories: Mutex::default(),
            beside: None,
            witness: None,
        }
    }

    /// The same index, with somebody who is told of every directory that is looked at.
    #[must_use]
    pub fn watched(mut self, witness: Option<Witness>) -> Self {
        self.witness = witness;
        self
    }

    /// The same index, which asks another one about all that neither overlay changes, if both are about the same places.
    #[must_use]
    pub fn beside(mut self, other: &Arc<Index>) -> Self {
        let (own, others) = (&self.options, &other.options);
        let same = own.mod_cache == others.mod_cache
            && own.goroot == others.goroot
            && own.go_version == others.go_version
            && own.bound == others.bound;
        self.beside = same.then(|| Arc::clone(other));
        self
    }

    /// The index that knows a directory as this one does.
    fn elsewhere(&self, dir: &Utf8Path) -> Option<&Index> {
        let other = self.beside.as_deref()?;
        let leaves = |index: &Index| {
            let overlay = index.files.overlay();
            overlay.is_none_or(|overlay| overlay.leaves(dir))
        };
        (leaves(self) && leaves(other)).then_some(other)
    }

    /// Where the memories are and what they are about.
    pub(crate) fn options(&self) -> &IndexOptions {
        &self.options
    }

    /// The files that this index reads.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Facts of a directory (absolute path). Each directory is read at most once a process, and decoded so, unless the index is lean.
    pub fn dir(&self, dir: &Utf8Path) -> Answer {
        if let Some(other) = self.elsewhere(dir) {
            return other.dir(dir);
        }
        if let Some(answer) = locked(&self.seen).get(dir) {
            return answer.clone();
        }
        if let Some((_, contents)) = locked(&self.recent).iter().find(|(path, _)| path == dir) {
            return Ok(Arc::clone(contents));
        }
        let (answer, remembered) = self.look(dir);
        let answer = answer.map(Arc::new);
        if remembered && self.options.lean && self.witness.is_none() {
            if let Ok(contents) = &answer {
                let mut recent = locked(&self.recent);
                recent.truncate(RECENT - 1);
                recent.push_front((dir.to_owned(), Arc::clone(contents)));
            }
        } else {
            locked(&self.seen).insert(dir.to_owned(), answer.clone());
        }
        answer
    }

    /// What is in a directory, and whether a memory of something that nobody edits tells it as well.
    fn look(&self, dir: &Utf8Path) -> (Result<DirContents, SourceError>, bool) {
        if let Some(witness) = &self.witness {
            witness(dir);
        }
        let bound = self.options.bound.as_ref().and_then(|(from, to)| {
            let below = dir.strip_prefix(from).ok()?;
            Some(to.join(below))
        });
        let dir = bound.as_deref().unwrap_or(dir);
        let Some(memory) = self.memory(dir) else {
            return (scan::scan_dir(&self.files, dir), false);
        };
        let (answer, remembered) = match memory.get(&self.files, dir) {
            Some(Some(contents)) => (Ok(contents), true),
            Some(None) => (Err(scan::missing(dir)), true),
            None => memory::refresh(&memory, &self.files, dir, self.options.clock.nanos()),
        };
        (answer, remembered && memory.trust != Trust::FileStamps)
    }

    /// Lets go of what is held of directories; whoever asks again gets it from the memories on disk. For runs that have loaded what they
    /// want and go on with something that takes memory of its own.
    pub fn release(&self) {
        locked(&self.seen).clear();
        locked(&self.recent).clear();
        locked(&self.variants).clear();
        locked(&self.imports).clear();
        locked(&self.functions).clear();
        locked(&self.memories).clear();
    }

    /// Lets go of what is held of a directory: it was changed by this run, or nobody will ask for it again.
    pub fn forget(&self, dir: &Utf8Path) {
        locked(&self.seen).remove(dir);
        locked(&self.recent).retain(|(path, _)| path != dir);
        locked(&self.variants).remove(dir);
        locked(&self.imports).remove(dir);
    }

    /// What the Go files of a directory import, whatever their constraints: no imports if none of them can be read, nothing if the
    /// directory cannot.
    pub fn imports(&self, dir: &Utf8Path) -> Option<Arc<Scanned>> {
        if let Some(other) = self.elsewhere(dir) {
            return other.imports(dir);
        }
        if let Some(known) = locked(&self.imports).get(dir) {
            return Some(Arc::clone(known));
        }
        let contents = self.dir(dir).ok()?;
        let found = Arc::new(scan_dir(dir, &contents, Tags::Any).unwrap_or_default());
        locked(&self.imports).insert(dir.to_owned(), Arc::clone(&found));
        Some(found)
    }

    /// The package in a directory under a configuration; a directory that cannot be read gives a value with an error.
    pub fn package(&self, dir: &Utf8Path, context: &BuildContext) -> Arc<PackageSource> {
        if let Some(other) = self.elsewhere(dir) {
            return other.package(dir, context);
        }
        match self.dir(dir) {
            // What is not kept itself is not worth keeping in another form.
            Ok(contents) if self.options.lean && !locked(&self.seen).contains_key(dir) => {
                Arc::new(evaluate(dir, &contents, context))
            }
            Ok(contents) => {
                let known = Arc::clone(locked(&self.variants).entry(dir.to_owned()).or_default());
                locked(&known).under(context, dir, &contents)
            }
            Err(error) => Arc::new(PackageSource {
                dir: dir.to_owned(),
                error: Some(error),
                ..PackageSource::default()
            }),
        }
    }

    /// The functions of a test file (absolute path).
    pub fn functions(&self, file: &Utf8Path) -> Functions {
        if let Some(known) = locked(&self.functions).get(file) {
            return Arc::clone(known);
        }
        let read = self.files.read(file).map_err(NoFunctions::from);
        let found = read.and_then(|bytes| testing::functions(&bytes).map_err(NoFunctions::Wrong));
        let found = Arc::new(found);
        locked(&self.functions).insert(file.to_owned(), Arc::clone(&found));
        found
    }

    /// Reads many directories at once, in parallel; errors wait for [`Index::dir`].
    pub fn prefetch(&self, dirs: &[Utf8PathBuf]) {
        let threads = steady_system::processors().min(dirs.len() / FEW + 1);
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(dir) = dirs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let _ = self.dir(dir);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
    }

    /// Writes what was learned since the last call to disk; failure to do so is not an error. To be called when directories were looked
    /// at, not for each.
    pub fn save(&self) {
        let memories: Vec<_> = locked(&self.memories).values().flatten().cloned().collect();
        for memory in memories {
            // A read-only or full disk costs time at the next run and nothing else.
            let _ = memory.save(&self.files);
        }
    }

    /// The memory that a directory belongs to.
    fn memory(&self, dir: &Utf8Path) -> Option<Arc<Memory>> {
        let cache = self.options.cache_dir.as_ref()?;
        if self
            .files
            .overlay()
            .is_some_and(|overlay| !overlay.leaves(dir))
        {
            return None;
        }
        let (root, kind, trust) = self.root(dir)?;
        if let Some(known) = locked(&self.memories).get(root) {
            return known.clone();
        }
        let mut hash = Sha256::new();
        hash.update(kind);
        hash.update([0]);
        hash.update(root.as_str());
        hash.update([0]);
        if trust == Trust::DirStamp {
            hash.update(&self.options.go_version);
        }
        let name = hex(&hash.finalize()[..16]);
        let place = cache.join(kind).join(&name[..2]).join(name);
        let base = if trust == Trust::FileStamps {
            Utf8PathBuf::new()
        } else {
            root.to_owned()
        };
        let usable = trust != Trust::Always || self.extracted(root);
        let memory = usable.then(|| Arc::new(Memory::open(&self.files, base, place, trust)));
        // Two threads may open the same file; the first one's is kept, so that no record is lost.
        locked(&self.memories)
            .entry(root.to_owned())
            .or_insert(memory)
            .clone()
    }

    /// Root, kind and trust of the memory that a directory belongs to.
    fn root<'d>(&'d self, dir: &'d Utf8Path) -> Option<(&'d Utf8Path, &'static str, Trust)> {
        let options = &self.options;
        if let Some(goroot) = &options.goroot
            && !options.go_version.is_empty()
            && dir
                .strip_prefix(goroot)
                .is_ok_and(|rest| rest.starts_with("src"))
        {
            return Some((goroot, "std", Trust::DirStamp));
        }
        if let Some(rest) = options
            .mod_cache
            .as_ref()
            .and_then(|cache| dir.strip_prefix(cache).ok())
            && let Some(root) = module_root(dir, rest)
        {
            return Some((root, "mod", Trust::Always));
        }
        Some((options.project.as_deref()?, "dir", Trust::FileStamps))
    }

    /// Whether a module of the cache is whole: there, and not being extracted at this moment.
    fn extracted(&self, root: &Utf8Path) -> bool {
        let partial = || {
            let cache = self.options.mod_cache.as_ref()?;
            let (path, version) = root.strip_prefix(cache).ok()?.as_str().rsplit_once('@')?;
            Some(
                cache
                    .join("cache/download")
                    .join(path)
                    .join("@v")
                    .join(format!("{version}.partial")),
            )
        };
        self.files.is_dir(root) && partial().is_some_and(|partial| !self.files.exists(partial))
    }
}

/// The module's directory: up to the element with the version.
fn module_root<'d>(dir: &'d Utf8Path, rest: &Utf8Path) -> Option<&'d Utf8Path> {
    if rest.starts_with("cache") {
        return None;
    }
    let mut length = dir.as_str().len() - rest.as_str().len();
    for element in rest.as_str().split('/') {
        length += element.len();
        if element.contains('@') {
            return Some(Utf8Path::new(&dir.as_str()[..length]));
        }
        length += 1;
    }
    None
}

#[cfg(test)]
mod tests;

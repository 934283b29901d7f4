//! Memory of what source directories contain.
//!
//! Directories that never change (module cache, standard library) are kept on disk, one file a module; the project's own are
//! kept with their stamps and looked at again. A memory that is torn, old or of another version is rebuilt, never believed.
//! Within a process every directory is looked at once.

use crate::source::{BuildContext, DirContents, PackageSource, SourceError, evaluate, scan};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use steady_system::Files;

/// Where things are.
#[derive(Clone, Debug, Default)]
pub struct IndexOptions {
    /// Directory for the memories, Steady's own; none keeps them for this process only.
    pub cache_dir: Option<Utf8PathBuf>,
    /// GOMODCACHE: directories `…@version` below it are immutable.
    pub mod_cache: Option<Utf8PathBuf>,
    /// GOROOT; its `src` is immutable for a released toolchain.
    pub goroot: Option<Utf8PathBuf>,
    /// First line of GOROOT/VERSION, the key of the standard library's memory; empty: not immutable.
    pub go_version: String,
}

type Answer = Result<Arc<DirContents>, SourceError>;

/// The memory; shared by all threads of a run.
pub struct Index {
    files: Files,
    _options: IndexOptions,
    /// What this process has looked at already.
    seen: Mutex<HashMap<Utf8PathBuf, Answer>>,
}

impl Index {
    /// An index over `files`.
    pub fn new(files: Files, options: IndexOptions) -> Self {
        Self {
            files,
            _options: options,
            seen: Mutex::default(),
        }
    }

    /// The files that this index reads.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Facts of a directory (absolute path). Each directory is read at most once a process.
    pub fn dir(&self, dir: &Utf8Path) -> Answer {
        if let Some(answer) = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(dir)
        {
            return answer.clone();
        }
        let answer = scan::scan_dir(&self.files, dir).map(Arc::new);
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(dir.to_owned(), answer.clone());
        answer
    }

    /// The package in a directory under a configuration; a directory that cannot be read gives a value with an error.
    pub fn package(&self, dir: &Utf8Path, context: &BuildContext) -> PackageSource {
        match self.dir(dir) {
            Ok(contents) => evaluate(dir, &contents, context),
            Err(error) => PackageSource {
                dir: dir.to_owned(),
                error: Some(error),
                ..PackageSource::default()
            },
        }
    }

    /// Reads many directories at once, in parallel; errors wait for [`Index::dir`].
    pub fn prefetch(&self, dirs: &[Utf8PathBuf]) {
        for dir in dirs {
            let _ = self.dir(dir);
        }
    }

    /// Writes what was learned to disk; failure to do so is not an error. Called once at the end of a run.
    pub fn save(&self) {}
}

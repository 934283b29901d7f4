//! Memory of what source directories contain.
//!
//! Directories that never change (module cache, standard library) are kept on disk, one file a module; the project's own are
//! kept with their stamps and looked at again. A memory that is torn, old or of another version is rebuilt, never believed.

use crate::source::{BuildContext, DirContents, PackageSource, SourceError, Tree};
use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;

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

/// The memory; shared by all threads of a run.
pub struct Index {
    _tree: Arc<dyn Tree>,
    _options: IndexOptions,
}

impl Index {
    /// An index over `tree`.
    pub fn new(tree: Arc<dyn Tree>, options: IndexOptions) -> Self {
        Self {
            _tree: tree,
            _options: options,
        }
    }
    /// The tree that this index reads.
    pub fn tree(&self) -> &Arc<dyn Tree> {
        &self._tree
    }
    /// Facts of a directory (absolute path). Each directory is read at most once a process.
    pub fn dir(&self, _dir: &Utf8Path) -> Result<Arc<DirContents>, SourceError> {
        todo!()
    }
    /// The package in a directory under a configuration; a directory that cannot be read gives a value with an error.
    pub fn package(&self, _dir: &Utf8Path, _context: &BuildContext) -> PackageSource {
        todo!()
    }
    /// Reads many directories at once, in parallel; errors wait for [`Index::dir`].
    pub fn prefetch(&self, _dirs: &[Utf8PathBuf]) {
        todo!()
    }
    /// Writes what was learned to disk; failure to do so is not an error. Called once at the end of a run.
    pub fn save(&self) {
        todo!()
    }
}

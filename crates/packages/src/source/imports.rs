//! Which import paths a directory mentions: the question that module loading asks, more lenient than a build.

use crate::source::{BuildContext, DirContents};
use camino::Utf8Path;

/// Which files count.
#[derive(Clone, Copy, Debug)]
pub enum Tags<'a> {
    /// Files that any configuration could use (`go mod tidy`, `all`): every tag but `ignore` is both true and false.
    Any,
    /// Files of one configuration.
    Of(&'a BuildContext),
}

/// Import paths, sorted, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Of the package's files.
    pub imports: Vec<String>,
    /// Of its `_test.go` files, external tests included.
    pub test_imports: Vec<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// No file counts.
    #[error("no Go source files")]
    NoGo,
    /// A file cannot be read.
    #[error("reading {file}: {message}")]
    Read {
        /// Full path.
        file: String,
        /// go's words.
        message: String,
    },
    /// The directory cannot be read.
    #[error("{0}")]
    Dir(#[from] crate::source::SourceError),
}

/// Imports of the files of `dir` that count under `tags`.
pub fn scan_dir(_dir: &Utf8Path, _contents: &DirContents, _tags: Tags<'_>) -> Result<Scanned, ScanError> {
    todo!()
}

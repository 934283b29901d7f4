//! Facts and configuration in, package out.

use crate::package::PackageFiles;
use crate::source::context::BuildContext;
use crate::source::{DirContents, SourceError};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Full path.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Names (import paths, embed patterns) sorted, each with the places that mention it in file order.
pub type Positions = BTreeMap<String, Vec<Position>>;

/// A `//go:` line above a package clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Whole line, slashes included.
    pub text: String,
    /// Where.
    pub position: Position,
}

/// What a directory is under one configuration: go/build's `Package`.
#[derive(Clone, Debug, Default)]
pub struct PackageSource {
    /// The directory.
    pub dir: Utf8PathBuf,
    /// Package name, empty if no file gives one.
    pub name: String,
    /// Synopsis of the package comment.
    pub doc: String,
    /// Path in an import comment (GOPATH mode looks at it).
    pub import_comment: String,
    /// `//go:binary-only-package` was seen.
    pub binary_only: bool,
    /// File lists and cgo flags; `embed_patterns` is filled, `embed_files` and `compiled_go_files` are not.
    pub files: PackageFiles,
    /// `_test.go` files of the package itself.
    pub test_go_files: Vec<String>,
    /// `_test.go` files of the external test package.
    pub x_test_go_files: Vec<String>,
    /// Imports of the package (`C` included).
    pub imports: Positions,
    /// Imports of its test files.
    pub test_imports: Positions,
    /// Imports of the external tests.
    pub x_test_imports: Positions,
    /// Embed patterns of the package.
    pub embed_patterns: Positions,
    /// Embed patterns of its test files.
    pub test_embed_patterns: Positions,
    /// Embed patterns of the external tests.
    pub x_test_embed_patterns: Positions,
    /// `//go:` lines of the package's files.
    pub directives: Vec<Directive>,
    /// `//go:` lines of its test files.
    pub test_directives: Vec<Directive>,
    /// `//go:` lines of the external tests.
    pub x_test_directives: Vec<Directive>,
    /// Every tag that was looked at, sorted.
    pub all_tags: Vec<String>,
    /// The first error; the rest of the value holds what could be found out all the same.
    pub error: Option<SourceError>,
}

/// What `contents` of `dir` is under `context`.
pub fn evaluate(_dir: &Utf8Path, _contents: &DirContents, _context: &BuildContext) -> PackageSource {
    todo!()
}

//! What can be wrong with a directory of Go sources. The wording is the go command's.

use camino::Utf8PathBuf;
use std::fmt;

/// One error of the Go scanner or parser in a file's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Full path of the file.
    pub file: String,
    /// From 1; 0 when the error has no position.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
    /// As go's parser words it.
    pub message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            return write!(f, "{}: {}", self.file, self.message);
        }
        write!(
            f,
            "{}:{}:{}: {}",
            self.file, self.line, self.column, self.message
        )
    }
}

/// Why a directory is no importable package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No Go files are left under this configuration (there may be others, or none at all).
    #[error("no buildable Go source files in {dir}")]
    NoGo {
        /// The directory.
        dir: Utf8PathBuf,
    },
    /// Files of different packages.
    #[error("found packages {} ({}) and {} ({}) in {dir}", packages[0], files[0], packages[1], files[1])]
    MultiplePackage {
        /// The directory.
        dir: Utf8PathBuf,
        /// The two package names.
        packages: [String; 2],
        /// A file of each.
        files: [String; 2],
    },
    /// Syntax errors of one file, in order; never empty.
    #[error("{}", syntax_list(.0))]
    Syntax(Vec<SyntaxError>),
    /// Anything else that go words in one line (bad constraint, bad `#cgo` line, unreadable file).
    #[error("{0}")]
    Other(String),
    /// The directory itself cannot be read.
    #[error("{message}")]
    Unreadable {
        /// The directory.
        dir: Utf8PathBuf,
        /// As go words it (`open DIR: permission denied`, `cannot find package "." in:\n\tDIR`).
        message: String,
        /// It does not exist.
        missing: bool,
    },
}

fn syntax_list(list: &[SyntaxError]) -> String {
    match list {
        [] => "no errors".to_owned(),
        [one] => one.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more errors)", rest.len()),
    }
}

impl SourceError {
    /// No Go files under this configuration: `./...` passes over such a directory.
    pub fn is_no_go(&self) -> bool {
        matches!(self, Self::NoGo { .. })
    }
}

//! Formats and words of Go modules: paths, versions, go.mod, go.work, go.sum, modules.txt. Pure: text in, values out.
//!
//! Module paths and versions stay strings, as Go's own tools have them; [`ModuleVersion`] pairs them.

pub mod amount;
pub mod changes;
pub mod gosum;
pub mod gover;
mod hex;
pub mod modfile;
pub mod modules_txt;
pub mod path;
pub mod pseudo;
pub mod quote;
pub mod semver;

pub use hex::hex;

use std::cmp::Ordering;
use std::fmt;

/// A module path with a version. An empty version means a main module, or a directory that replaces a module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ModuleVersion {
    /// Module path, unescaped.
    pub path: String,
    /// Canonical version, or empty.
    pub version: String,
}

impl ModuleVersion {
    /// Pairs a path with a version.
    pub fn new(path: impl Into<String>, version: impl Into<String>) -> ModuleVersion {
        ModuleVersion {
            path: path.into(),
            version: version.into(),
        }
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.version.is_empty() {
            out.write_str(&self.path)
        } else {
            write!(out, "{}@{}", self.path, self.version)
        }
    }
}

impl Ord for ModuleVersion {
    /// By path, then by version; a version may carry a file name (`v1.0.0/go.mod`, as in go.sum), which comes last.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_path = self.path.cmp(&other.path);
        if by_path.is_ne() {
            return by_path;
        }
        if self.version == other.version {
            return Ordering::Equal;
        }
        let split = |version: &'_ str| version.find('/').unwrap_or(version.len());
        let (a, a_file) = self.version.split_at(split(&self.version));
        let (b, b_file) = other.version.split_at(split(&other.version));
        gover::mod_compare(&self.path, a, b)
            .then_with(|| a.cmp(b))
            .then_with(|| a_file.cmp(b_file))
    }
}

impl PartialOrd for ModuleVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

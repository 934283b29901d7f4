//! `//go:embed` patterns to files.

use camino::Utf8Path;
use std::collections::BTreeMap;
use steady_system::Files;

/// What patterns matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// All files, relative to the package directory, sorted.
    pub files: Vec<String>,
    /// Pattern to its files, sorted.
    pub patterns: BTreeMap<String, Vec<String>>,
}
/// A pattern that cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern}: {message}")]
pub struct EmbedError {
    /// The pattern.
    pub pattern: String,
    /// go's words.
    pub message: String,
}
/// Resolves patterns of a package in `dir`; on the first error what was resolved before it is lost, as in go.
pub fn resolve<'p>(
    _files: &Files,
    _dir: &Utf8Path,
    _patterns: impl IntoIterator<Item = &'p str>,
) -> Result<Embedded, EmbedError> {
    Ok(Embedded::default()).and_then(|_| todo!())
}

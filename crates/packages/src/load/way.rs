//! Who imports, and the way that led there.

use super::found::Origin;
use crate::package::PackageId;
use crate::source::Position;
use camino::Utf8Path;

/// The way from a package of the command line to the one being loaded.
#[derive(Default)]
pub(super) struct Stack {
    pub(super) paths: Vec<String>,
    /// Names of the files that import them.
    pub(super) files: Vec<String>,
}

impl Stack {
    pub(super) fn paths(&self) -> Vec<String> {
        self.paths.clone()
    }

    pub(super) fn push(&mut self, path: &str, importer: Option<&Importer<'_>>) {
        let at = importer.and_then(|importer| importer.positions.first());
        let file = at.and_then(|at| Utf8Path::new(at.file.as_ref()).file_name());
        self.paths.push(path.to_string());
        self.files.push(file.unwrap_or_default().to_string());
    }

    /// Whether this way is shorter than another one, or as long and before it in order. No way at all stays none.
    pub(super) fn is_shorter(&self, than: &[String]) -> bool {
        !than.is_empty() && (self.paths.len(), &self.paths[..]) < (than.len(), than)
    }

    pub(super) fn pop(&mut self) {
        self.paths.pop();
        self.files.pop();
    }
}

/// A package that imports, and where it does.
pub(super) struct Importer<'a> {
    pub id: PackageId,
    pub path: String,
    pub dir: String,
    pub origin: Origin,
    pub files_given: bool,
    pub positions: &'a [Position],
    /// The import as it is written.
    pub written: &'a str,
    /// It stands in a test file.
    pub is_test: bool,
}

//! Operating systems and architectures that matter in file names, read from the toolchain's own sources.

use crate::source::{SourceError, Tree};
use camino::Utf8Path;
use std::collections::BTreeSet;

/// The toolchain's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SysList {
    /// Values of GOOS, past and present.
    pub os: BTreeSet<String>,
    /// Those of them that the tag `unix` covers.
    pub unix: BTreeSet<String>,
    /// Values of GOARCH, past and present.
    pub arch: BTreeSet<String>,
}

impl SysList {
    /// Reads the lists of the toolchain at `goroot`.
    pub fn load(_tree: &dyn Tree, _goroot: &Utf8Path) -> Result<Self, SourceError> {
        todo!()
    }
}

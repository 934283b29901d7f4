//! What is still to be done for a package after looking into the cache.

/// A set of needs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need(u8);

impl Need {
    /// The archive.
    pub const BUILD: Need = Need(1);
    /// The header for C of a package that exports functions.
    pub const CGO_HEADER: Need = Need(2);
    /// The list of Go files with those that cgo makes.
    pub const COMPILED_GO_FILES: Need = Need(4);
    /// The fragment of coverage meta-data.
    pub const COVER_META: Need = Need(8);

    /// The list of files that vet looks at, and those among them that are made.
    pub const VET: Need = Need(16);

    pub fn add(&mut self, what: Need, wanted: bool) {
        if wanted {
            self.0 |= what.0;
        }
    }

    pub fn remove(&mut self, what: Need) {
        self.0 &= !what.0;
    }

    pub fn has(self, what: Need) -> bool {
        self.0 & what.0 != 0
    }

    pub fn is_only(self, what: Need) -> bool {
        self == what
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

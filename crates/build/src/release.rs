//! What differs between Go releases in what they build: one table.
//!
//! Everything that a toolchain can be asked for is asked; what stands here is knowledge that only the go command of a release
//! has. A release later than the newest known is taken to be like it: if it is not, the outputs may differ, but no id clashes,
//! for every id is salted with the version.

use crate::gover;

/// The go command of one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    minor: u64,
}

impl Release {
    /// The release of a version such as `go1.26.8`.
    #[must_use]
    pub fn of(version: &str) -> Release {
        let local = gover::local(version);
        Release {
            minor: if local.is_empty() {
                u64::MAX
            } else {
                gover::minor(local)
            },
        }
    }

    /// cgo takes the linker's flags as an argument instead of a variable.
    #[must_use]
    pub fn passes_ldflags_to_cgo(&self) -> bool {
        self.minor >= 23
    }

    /// `go run` keeps programs in the build cache.
    #[must_use]
    pub fn keeps_programs(&self) -> bool {
        self.minor >= 24
    }

    /// `-frandom-seed` of a C file comes from an id of its own instead of the package's.
    #[must_use]
    pub fn seeds_c_files_apart(&self) -> bool {
        self.minor >= 26
    }
}

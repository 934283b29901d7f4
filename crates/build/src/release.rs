//! What differs between Go releases in what they build: one table.
//!
//! Everything that a toolchain can be asked for is asked; what stands here is knowledge that only the go command of a release
//! has. A release later than the newest known is built like that one, but its ids have another salt: what go and Steady put
//! into the cache for it may differ, so neither must find the other's.

use steady_module::gover;

const OLDEST: u64 = 22;
const NEWEST: u64 = 27;

/// The go command of one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    minor: u64,
}

impl Release {
    /// The release of a version such as `go1.26.8`.
    #[must_use]
    pub fn of(version: &str) -> Release {
        let minor = gover::from_toolchain(version)
            .split('.')
            .nth(1)
            .unwrap_or_default();
        let digits = minor
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(minor.len());
        Release {
            minor: minor[..digits].parse().unwrap_or(u64::MAX),
        }
    }

    /// What the ids of a toolchain are salted with: its version, and a word of our own if go's ids for it are not known.
    #[must_use]
    pub fn salt(version: &str) -> String {
        let known =
            version.starts_with("go1.") && (OLDEST..=NEWEST).contains(&Release::of(version).minor);
        let cut = [" X:", "-X:"]
            .iter()
            .find_map(|mark| version.find(mark))
            .unwrap_or(version.len());
        format!("{}{}", &version[..cut], if known { "" } else { " steady" })
    }

    /// A profile is put into a form of its own before compilers read it; its hash stands after the imports.
    #[must_use]
    pub fn prepares_profiles(&self) -> bool {
        self.minor >= 23
    }

    /// The compiler is told a language version although no module says one.
    #[must_use]
    pub fn always_tells_language(&self) -> bool {
        self.minor >= 23
    }

    /// GOROOT_FINAL is still a setting: it, not GOROOT, is told to the linker, and only with `-trimpath`.
    #[must_use]
    pub fn has_goroot_final(&self) -> bool {
        self.minor < 23
    }

    /// cgo takes the linker's flags as an argument instead of a variable.
    #[must_use]
    pub fn passes_ldflags_to_cgo(&self) -> bool {
        self.minor >= 23
    }

    /// The id of a link has the default GODEBUG.
    #[must_use]
    pub fn hashes_default_godebug(&self) -> bool {
        self.minor >= 24
    }

    /// A test program leaves coverage to `testing/internal/testdeps`.
    #[must_use]
    pub fn counts_in_testdeps(&self) -> bool {
        self.minor >= 24
    }

    /// The host's own build id is no part of a program's content id.
    #[must_use]
    pub fn ignores_host_build_id(&self) -> bool {
        self.minor >= 24
    }

    /// `go run` keeps programs in the build cache.
    #[must_use]
    pub fn keeps_programs(&self) -> bool {
        self.minor >= 24
    }

    /// An id says so when the C compiler could not be asked.
    #[must_use]
    pub fn hashes_c_tool_errors(&self) -> bool {
        self.minor >= 25
    }

    /// Objects of a cgo package stand in the order assembly, C, Objective-C, C++; before: C, assembly, C++, Objective-C.
    #[must_use]
    pub fn puts_assembly_before_c(&self) -> bool {
        self.minor >= 26
    }

    /// What vet puts out is kept with the facts that it finds out, and `fix` is a checker like vet.
    #[must_use]
    pub fn keeps_vet_output(&self) -> bool {
        self.minor >= 26
    }

    /// `-frandom-seed` of a C file comes from an id of its own instead of the package's.
    #[must_use]
    pub fn seeds_c_files_apart(&self) -> bool {
        self.minor >= 26
    }

    /// The assembler is told of the standard library; windows has `-pthread`, loong64 `-mno-relax`; linker flags too can make
    /// the host's linker necessary; files of arguments are quoted as gcc does; positions in compiler messages need no mending; vet is
    /// told all of a module, and its ids say whether it reports; test programs mark errors.
    #[must_use]
    pub fn is_27_or_later(&self) -> bool {
        self.minor >= 27
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts() {
        assert_eq!(Release::salt("go1.26.8"), "go1.26.8");
        assert_eq!(Release::salt("go1.27rc1 X:foo"), "go1.27rc1");
        assert_eq!(Release::salt("go1.28.1"), "go1.28.1 steady");
        assert_eq!(Release::salt("devel go1.26-abc"), "devel go1.26-abc steady");
    }

    #[test]
    fn unknown_versions_are_the_newest() {
        assert!(!Release::of("go1.22.12").hashes_default_godebug());
        assert!(Release::of("go1.24rc1").hashes_default_godebug());
        assert!(Release::of("devel something").seeds_c_files_apart());
        assert!(Release::of("devel go1.27-0123abc Mon Jan 1").seeds_c_files_apart());
    }
}

//! What the platforms can do: build modes, sanitizers, ways to link.
//!
//! These tables are compiled into the go command; no toolchain carries them in a readable form. They have only grown from
//! go1.22 to go1.27, so a platform that an older release lacks is refused by its compiler instead of here.

/// Pairs of the newest release that are listed and do not work.
const BROKEN: &[&str] = &["freebsd/riscv64", "linux/sparc64", "openbsd/mips64"];

/// Pairs that releases before the newest had.
const GONE: &[&str] = &["windows/arm"];

/// Pairs without cgo.
const WITHOUT_CGO: &[&str] = &[
    "js/wasm",
    "linux/ppc64",
    "openbsd/ppc64",
    "plan9/386",
    "plan9/amd64",
    "plan9/arm",
    "wasip1/wasm",
];

/// Pairs that a release waits for.
const FIRST_CLASS: &[&str] = &[
    "darwin/amd64",
    "darwin/arm64",
    "linux/386",
    "linux/amd64",
    "linux/arm",
    "linux/arm64",
    "windows/386",
    "windows/amd64",
];

/// What is known of a pair, as the newest release has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// GOOS.
    pub goos: &'static str,
    /// GOARCH.
    pub goarch: &'static str,
    /// cgo works there.
    pub cgo: bool,
    /// A release waits for it.
    pub first_class: bool,
    /// It does not work.
    pub broken: bool,
}

/// All pairs of the newest release, for when no toolchain is there to be asked.
pub fn ports() -> impl Iterator<Item = Port> {
    let current = KNOWN.iter().filter(|pair| !GONE.contains(pair));
    current.filter_map(|pair| {
        let (goos, goarch) = pair.split_once('/')?;
        Some(Port {
            goos,
            goarch,
            cgo: !WITHOUT_CGO.contains(pair),
            first_class: FIRST_CLASS.contains(pair),
            broken: BROKEN.contains(pair),
        })
    })
}

/// Every `GOOS/GOARCH` that go knows.
const KNOWN: &[&str] = &[
    "aix/ppc64",
    "android/386",
    "android/amd64",
    "android/arm",
    "android/arm64",
    "darwin/amd64",
    "darwin/arm64",
    "dragonfly/amd64",
    "freebsd/386",
    "freebsd/amd64",
    "freebsd/arm",
    "freebsd/arm64",
    "freebsd/riscv64",
    "illumos/amd64",
    "ios/amd64",
    "ios/arm64",
    "js/wasm",
    "linux/386",
    "linux/amd64",
    "linux/arm",
    "linux/arm64",
    "linux/loong64",
    "linux/mips",
    "linux/mips64",
    "linux/mips64le",
    "linux/mipsle",
    "linux/ppc64",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
    "linux/sparc64",
    "netbsd/386",
    "netbsd/amd64",
    "netbsd/arm",
    "netbsd/arm64",
    "openbsd/386",
    "openbsd/amd64",
    "openbsd/arm",
    "openbsd/arm64",
    "openbsd/mips64",
    "openbsd/ppc64",
    "openbsd/riscv64",
    "plan9/386",
    "plan9/amd64",
    "plan9/arm",
    "solaris/amd64",
    "wasip1/wasm",
    "windows/386",
    "windows/amd64",
    "windows/arm",
    "windows/arm64",
];

/// A pair of GOOS and GOARCH.
#[derive(Debug, Clone, Copy)]
pub struct Platform<'a> {
    /// GOOS
    pub goos: &'a str,
    /// GOARCH
    pub goarch: &'a str,
}

impl Platform<'_> {
    fn is_one_of(&self, list: &[&str]) -> bool {
        list.iter()
            .any(|name| name.split_once('/') == Some((self.goos, self.goarch)))
    }

    /// Whether go knows the pair at all.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.is_one_of(KNOWN)
    }

    /// `-race`
    #[must_use]
    pub fn has_race_detector(&self) -> bool {
        self.is_one_of(&[
            "linux/amd64",
            "linux/arm64",
            "linux/loong64",
            "linux/ppc64le",
            "linux/riscv64",
            "linux/s390x",
            "darwin/amd64",
            "darwin/arm64",
            "freebsd/amd64",
            "netbsd/amd64",
            "windows/amd64",
        ])
    }

    /// `-msan`
    #[must_use]
    pub fn has_msan(&self) -> bool {
        self.is_one_of(&[
            "linux/amd64",
            "linux/arm64",
            "linux/loong64",
            "freebsd/amd64",
        ])
    }

    /// `-asan`
    #[must_use]
    pub fn has_asan(&self) -> bool {
        self.is_one_of(&[
            "linux/arm64",
            "linux/amd64",
            "linux/loong64",
            "linux/riscv64",
            "linux/ppc64le",
        ])
    }

    /// Compilation can be instrumented for the fuzzer.
    #[must_use]
    pub fn has_fuzz_instrumentation(&self) -> bool {
        matches!(self.goarch, "amd64" | "arm64" | "loong64")
            && matches!(
                self.goos,
                "darwin" | "freebsd" | "linux" | "openbsd" | "windows"
            )
    }

    /// Programs without cgo need the host's linker as well.
    #[must_use]
    pub fn must_link_externally(&self) -> bool {
        (self.goos == "android" && self.goarch != "arm64")
            || (self.goos == "ios" && self.goarch == "arm64")
    }

    /// Whether a `-buildmode` is possible.
    #[must_use]
    pub fn supports(&self, buildmode: &str) -> bool {
        if !self.is_known() {
            return false;
        }
        match buildmode {
            "archive" | "default" | "exe" => true,
            "c-archive" => {
                matches!(self.goos, "aix" | "darwin" | "ios" | "windows")
                    || self.is_one_of(&[
                        "linux/386",
                        "linux/amd64",
                        "linux/arm",
                        "linux/arm64",
                        "linux/loong64",
                        "linux/ppc64le",
                        "linux/riscv64",
                        "linux/s390x",
                        "freebsd/amd64",
                    ])
            }
            "c-shared" => self.is_one_of(&[
                "linux/amd64",
                "linux/arm",
                "linux/arm64",
                "linux/loong64",
                "linux/386",
                "linux/ppc64le",
                "linux/riscv64",
                "linux/s390x",
                "android/amd64",
                "android/arm",
                "android/arm64",
                "android/386",
                "freebsd/amd64",
                "darwin/amd64",
                "darwin/arm64",
                "windows/amd64",
                "windows/386",
                "windows/arm64",
                "wasip1/wasm",
            ]),
            "pie" => self.is_one_of(&[
                "linux/386",
                "linux/amd64",
                "linux/arm",
                "linux/arm64",
                "linux/loong64",
                "linux/ppc64le",
                "linux/riscv64",
                "linux/s390x",
                "android/amd64",
                "android/arm",
                "android/arm64",
                "android/386",
                "freebsd/amd64",
                "darwin/amd64",
                "darwin/arm64",
                "ios/amd64",
                "ios/arm64",
                "aix/ppc64",
                "openbsd/arm64",
                "windows/386",
                "windows/amd64",
                "windows/arm",
                "windows/arm64",
            ]),
            "shared" => self.is_one_of(&[
                "linux/386",
                "linux/amd64",
                "linux/arm",
                "linux/arm64",
                "linux/ppc64le",
                "linux/s390x",
            ]),
            "plugin" => self.is_one_of(&[
                "linux/amd64",
                "linux/arm",
                "linux/arm64",
                "linux/386",
                "linux/loong64",
                "linux/riscv64",
                "linux/s390x",
                "linux/ppc64le",
                "android/amd64",
                "android/386",
                "darwin/amd64",
                "darwin/arm64",
                "freebsd/amd64",
            ]),
            _ => false,
        }
    }

    /// The toolchain's own linker makes position-independent programs.
    #[must_use]
    pub fn links_pie_internally(&self) -> bool {
        self.is_one_of(&[
            "android/arm64",
            "darwin/amd64",
            "darwin/arm64",
            "linux/amd64",
            "linux/arm64",
            "linux/loong64",
            "linux/ppc64le",
            "windows/386",
            "windows/amd64",
            "windows/arm64",
        ])
    }

    /// Programs are position-independent without being asked to.
    #[must_use]
    pub fn default_pie(&self, race: bool) -> bool {
        match self.goos {
            "android" | "ios" | "darwin" => true,
            "windows" => !race,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_by_platform() {
        let linux = Platform {
            goos: "linux",
            goarch: "amd64",
        };
        let plan9 = Platform {
            goos: "plan9",
            goarch: "386",
        };
        assert!(
            linux.supports("plugin") && linux.supports("default") && !linux.supports("nonsense")
        );
        assert!(plan9.supports("exe") && !plan9.supports("pie"));
        assert!(
            !Platform {
                goos: "linux",
                goarch: "pdp11"
            }
            .supports("default")
        );
        assert!(
            Platform {
                goos: "windows",
                goarch: "amd64"
            }
            .default_pie(false)
        );
        assert!(
            !Platform {
                goos: "windows",
                goarch: "amd64"
            }
            .default_pie(true)
        );
    }
}

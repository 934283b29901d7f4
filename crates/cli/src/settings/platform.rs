//! Names of systems and architectures, and which pairs of them a toolchain builds for.

/// This machine's system, by Go's name.
#[must_use]
pub fn host_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// This machine's architecture, by Go's name.
#[must_use]
pub fn host_arch() -> &'static str {
    let little = cfg!(target_endian = "little");
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        "powerpc64" if little => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        "mips" if little => "mipsle",
        "mips64" if little => "mips64le",
        other => other,
    }
}

/// What a toolchain says of a pair; read from its `internal/platform/zosarch.go`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair {
    /// It can be built for.
    pub known: bool,
    /// cgo works there.
    pub cgo: bool,
    /// It is one of those that a release waits for.
    pub first_class: bool,
    /// It was listed once and does not work.
    pub broken: bool,
}

impl Pair {
    /// Looks a pair up in the text of `zosarch.go`. A toolchain without that file (or with another form of it) is believed to
    /// know every pair, with cgo.
    #[must_use]
    pub fn find(source: &str, goos: &str, goarch: &str) -> Pair {
        let mut pairs = Pair::all(source).peekable();
        if pairs.peek().is_none() {
            return Pair {
                known: true,
                cgo: true,
                ..Pair::default()
            };
        }
        let found = pairs.find(|(os, arch, _)| (*os, *arch) == (goos, goarch));
        found.map_or_else(Pair::default, |(_, _, pair)| pair)
    }

    /// All pairs in the text of `zosarch.go`.
    pub fn all(source: &str) -> impl Iterator<Item = (&str, &str, Pair)> {
        let table = source
            .split_once("var distInfo")
            .map_or("", |(_, table)| table);
        table.lines().filter_map(|line| {
            let (key, facts) = line.trim_start().strip_prefix("{\"")?.split_once("}:")?;
            let (goos, goarch) = key.split_once("\", \"")?;
            let pair = Pair {
                known: true,
                cgo: facts.contains("CgoSupported: true"),
                first_class: facts.contains("FirstClass: true"),
                broken: facts.contains("Broken: true"),
            };
            Some((goos, goarch.trim_end_matches('"'), pair))
        })
    }
}

/// The C compiler for a system when nobody named one.
#[must_use]
pub fn default_cc(goos: &str) -> &'static str {
    match goos {
        "darwin" | "ios" | "freebsd" | "openbsd" => "clang",
        _ => "gcc",
    }
}

/// The same for C++.
#[must_use]
pub fn default_cxx(goos: &str) -> &'static str {
    match goos {
        "darwin" | "ios" | "freebsd" | "openbsd" => "clang++",
        _ => "g++",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "var List = []OSArch{\n\t{\"linux\", \"386\"},\n}\nvar distInfo = map[OSArch]osArchInfo{\n\t{\"linux\", \"amd64\"}:   {CgoSupported: true, FirstClass: true},\n\t{\"js\", \"wasm\"}:         {},\n\t{\"linux\", \"sparc64\"}: {CgoSupported: true, Broken: true},\n}\n";

    #[test]
    fn pairs_are_read_from_the_toolchain() {
        let find = |os, arch| Pair::find(SOURCE, os, arch);
        let good = Pair {
            known: true,
            cgo: true,
            first_class: true,
            broken: false,
        };
        assert_eq!(find("linux", "amd64"), good);
        assert_eq!(
            find("js", "wasm"),
            Pair {
                cgo: false,
                first_class: false,
                ..good
            }
        );
        assert!(find("linux", "sparc64").broken);
        assert!(!find("linux", "386").known);
        assert!(Pair::find("", "plan10", "z80").known);
    }
}

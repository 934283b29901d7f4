//! Operating systems and architectures that matter in file names, read from the toolchain's own sources.

use crate::source::SourceError;
use camino::Utf8Path;
use std::collections::BTreeSet;
use steady_system::Files;

/// The toolchain's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SysList {
    /// Values of GOOS, past and present.
    pub os: BTreeSet<String>,
    /// Those of them that the tag `unix` covers.
    pub unix: BTreeSet<String>,
    /// Values of GOARCH, past and present.
    pub arch: BTreeSet<String>,
    /// Packages of the standard library whose path has one element, for links in comments; may be empty.
    pub std: BTreeSet<String>,
}

/// Where releases keep the lists, newest first.
const PLACES: [&str; 2] = ["src/internal/syslist/syslist.go", "src/go/build/syslist.go"];

/// Where releases keep the names of packages that comments may link to.
const STD_NAMES: &str = "src/go/doc/comment/std.go";

/// Lines that are nothing but a name in quotes and a comma.
fn quoted_lines(text: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        line.trim()
            .strip_prefix('"')?
            .strip_suffix("\",")
            .map(str::to_owned)
    };
    text.lines().filter_map(name).collect()
}

impl SysList {
    /// Reads the lists of the toolchain at `goroot`. Where there is no toolchain they are empty: what is missing then is told of
    /// the packages that nobody has.
    pub fn load(files: &Files, goroot: &Utf8Path) -> Result<Self, SourceError> {
        for place in PLACES {
            let path = goroot.join(place);
            match files.read(&path) {
                Ok(text) => {
                    let mut list = Self::parse(&String::from_utf8_lossy(&text), path.as_str())?;
                    // Only the synopsis of a few packages depends on it.
                    let std = files
                        .read_to_string(goroot.join(STD_NAMES))
                        .unwrap_or_default();
                    list.std = quoted_lines(&std);
                    return Ok(list);
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(SourceError::Other(error.to_string())),
            }
        }
        Ok(Self::default())
    }

    /// Reads the lists from the text of that file.
    pub fn parse(text: &str, place: &str) -> Result<Self, SourceError> {
        let (mut list, mut into) = (Self::default(), None);
        for line in text.lines() {
            let line = line.trim();
            if let Some(rest) = line.strip_prefix("var ") {
                into = rest.split_whitespace().next().map(str::to_lowercase);
                continue;
            }
            if line == "}" {
                into = None;
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let name = name.trim().trim_matches('"');
            if !value.trim().starts_with("true") {
                continue;
            }
            match into.as_deref() {
                Some("knownos") => list.os.insert(name.to_owned()),
                Some("unixos") => list.unix.insert(name.to_owned()),
                Some("knownarch") => list.arch.insert(name.to_owned()),
                _ => continue,
            };
        }
        if list.os.is_empty() || list.arch.is_empty() || list.unix.is_empty() {
            return Err(SourceError::Other(format!(
                "{place}: no lists of known systems in it"
            )));
        }
        Ok(list)
    }
}

#[cfg(test)]
pub(crate) const FIXTURE: &str = "package syslist\n\nvar KnownOS = map[string]bool{\n\t\"android\": true,\n\t\"darwin\": true,\n\t\
    \"illumos\": true,\n\t\"ios\": true,\n\t\"linux\":   true,\n\t\"solaris\": true,\n\t\"windows\": true,\n}\n\n\
    var UnixOS = map[string]bool{\n\t\"android\": true,\n\t\"darwin\": true,\n\t\"linux\": true,\n}\n\n\
    var KnownArch = map[string]bool{\n\t\"386\": true,\n\t\"amd64\": true,\n\t\"arm64\": true,\n}\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_both_spellings() {
        let new = SysList::parse(FIXTURE, "x").unwrap();
        assert!(
            new.os.contains("windows") && !new.unix.contains("windows") && new.arch.contains("386")
        );
        let old = FIXTURE
            .replace("KnownOS", "knownOS")
            .replace("UnixOS", "unixOS")
            .replace("KnownArch", "knownArch");
        assert_eq!(SysList::parse(&old, "x").unwrap(), new);
        assert!(SysList::parse("package x\n", "x").is_err());
    }
}

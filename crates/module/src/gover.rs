//! Versions of Go itself (`1.22`, `1.22rc1`, `1.22.3`), of toolchains (`go1.22.3-custom`), and the two modules `go` and
//! `toolchain` that stand for them in a module graph.

use crate::semver;
use std::cmp::Ordering;

#[derive(Default, PartialEq, Eq)]
struct Parsed<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    kind: &'a str,
    pre: &'a str,
}

fn number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (end > 0 && (end == 1 || !number.starts_with('0'))).then_some((number, rest))
}

/// A release candidate or beta has no patch number; `1.20` and before `1.21` counts as `1.20.0`.
fn parse(version: &str) -> Option<Parsed<'_>> {
    let mut parsed = Parsed::default();
    let (major, rest) = number(version)?;
    parsed.major = major;
    if rest.is_empty() {
        parsed.minor = "0";
        parsed.patch = "0";
        return Some(parsed);
    }
    let (minor, rest) = number(rest.strip_prefix('.')?)?;
    parsed.minor = minor;
    if rest.is_empty() {
        // From Go 1.21 on the first release is called 1.21.0, and 1.21 is the language, older than any release of it.
        if minor.len() == 1 || (minor.len() == 2 && minor < "21") {
            parsed.patch = "0";
        }
        return Some(parsed);
    }
    if let Some(patch) = rest.strip_prefix('.') {
        let (patch, rest) = number(patch)?;
        parsed.patch = patch;
        return rest.is_empty().then_some(parsed);
    }
    let end = rest
        .bytes()
        .position(|b| b.is_ascii_digit())
        .unwrap_or(rest.len());
    let (kind, pre) = rest.split_at(end);
    if kind.is_empty() || !kind.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    parsed.kind = kind;
    // "1.23rc" and "1.23custom" are versions too, if unusual ones.
    if pre.is_empty() {
        return Some(parsed);
    }
    let (pre, rest) = number(pre)?;
    parsed.pre = pre;
    rest.is_empty().then_some(parsed)
}

fn compare_number(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Whether `version` is a Go version (without `go` before it).
#[must_use]
pub fn is_valid(version: &str) -> bool {
    parse(version).is_some()
}

/// Order of Go versions; what is not valid comes first.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parse(a).unwrap_or_default(), parse(b).unwrap_or_default());
    compare_number(a.major, b.major)
        .then_with(|| compare_number(a.minor, b.minor))
        .then_with(|| compare_number(a.patch, b.patch))
        .then_with(|| a.kind.cmp(b.kind))
        .then_with(|| compare_number(a.pre, b.pre))
}

/// The newer of two.
#[must_use]
pub fn max<'a>(a: &'a str, b: &'a str) -> &'a str {
    if compare(a, b).is_lt() { b } else { a }
}

/// The language version: `1.22` of `1.22.3`; empty if it is not valid.
#[must_use]
pub fn lang(version: &str) -> String {
    match parse(version) {
        None => String::new(),
        Some(parsed)
            if parsed.minor.is_empty() || (parsed.minor == "0" && !version.contains('.')) =>
        {
            parsed.major.to_string()
        }
        Some(parsed) => format!("{}.{}", parsed.major, parsed.minor),
    }
}

/// Whether `version` names a language and no release (`1.22`, not `1.22.0`).
#[must_use]
pub fn is_lang(version: &str) -> bool {
    parse(version).is_some_and(|parsed| {
        parsed.patch.is_empty() && parsed.kind.is_empty() && parsed.pre.is_empty()
    })
}

/// Whether `version` is a release candidate or beta.
#[must_use]
pub fn is_prerelease(version: &str) -> bool {
    parse(version).is_some_and(|parsed| !parsed.kind.is_empty())
}

/// The language before this one: `1.20` of `1.21`.
#[must_use]
pub fn prev(version: &str) -> String {
    let Some(parsed) = parse(version) else {
        return String::new();
    };
    let minor = parsed.minor.parse::<u64>().unwrap_or(0);
    if minor <= 1 {
        return parsed.major.to_string();
    }
    format!("{}.{}", parsed.major, minor - 1)
}

/// `1.22.3` of the toolchain name `go1.22.3` or `go1.22.3-custom`; empty if it is no toolchain name.
#[must_use]
pub fn from_toolchain(name: &str) -> &str {
    if name.contains(['/', '\\']) {
        return "";
    }
    let Some(version) = name.strip_prefix("go") else {
        return "";
    };
    let version = version
        .split_once([' ', '\t', '-'])
        .map_or(version, |(version, _)| version);
    if is_valid(version) { version } else { "" }
}

/// Whether this path is one of the two that stand for Go and its toolchain in a module graph.
#[must_use]
pub fn is_toolchain(path: &str) -> bool {
    path == "go" || path == "toolchain"
}

/// Order of two versions of the module `path`.
#[must_use]
pub fn mod_compare(path: &str, a: &str, b: &str) -> Ordering {
    match path {
        "go" => compare(a, b),
        "toolchain" => compare(toolchain_version(a), toolchain_version(b)),
        _ => semver::compare(a, b),
    }
}

/// A toolchain's version, with `default` counting as older than any.
fn toolchain_version(name: &str) -> &str {
    from_toolchain(name)
}

/// Sorts modules by path, then by version.
pub fn mod_sort(list: &mut [crate::ModuleVersion]) {
    list.sort();
}

/// Whether `version` can be a version of the module `path`.
#[must_use]
pub fn mod_is_valid(path: &str, version: &str) -> bool {
    match path {
        "go" => is_valid(version),
        "toolchain" => !from_toolchain(version).is_empty(),
        _ => semver::is_valid(version),
    }
}

/// Whether `version` names a series rather than one version (`v1.2`, or Go `1.22`).
#[must_use]
pub fn mod_is_prefix(path: &str, version: &str) -> bool {
    match path {
        "toolchain" => return is_lang(from_toolchain(version)),
        "go" => return is_lang(version),
        _ => {}
    }
    let dots = version.matches('.').count();
    semver::is_valid(version) && dots < 2
}

/// Whether `version` of the module `path` is a pre-release.
#[must_use]
pub fn mod_is_prerelease(path: &str, version: &str) -> bool {
    match path {
        "go" => is_prerelease(version),
        "toolchain" => is_prerelease(from_toolchain(version)),
        _ => !semver::prerelease(version).is_empty(),
    }
}

/// `v1.2` of `v1.2.3`, or the language of a Go version.
#[must_use]
pub fn mod_major_minor(path: &str, version: &str) -> String {
    match path {
        "go" => lang(version),
        "toolchain" => format!("go{}", lang(from_toolchain(version))),
        _ => semver::major_minor(version),
    }
}

/// What the go command means by a go.mod without a `go` line.
pub const DEFAULT_GO_MOD_VERSION: &str = "1.16";
/// What the go command means by a go.work without a `go` line.
pub const DEFAULT_GO_WORK_VERSION: &str = "1.18";
/// From here on go.mod lists what is needed transitively, and graphs are pruned.
pub const EXPLICIT_INDIRECT_VERSION: &str = "1.17";
/// From here on go.mod has `// indirect` requirements in a block of their own.
pub const SEPARATE_INDIRECT_VERSION: &str = "1.17";
/// From here on tidy keeps the sums that the version before needs only for one release back.
pub const TIDY_GO_MOD_SUM_VERSION: &str = "1.21";
/// From here on a `go` line is a minimum that is enforced.
pub const GO_STRICT_VERSION: &str = "1.21";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order() {
        let ordered = [
            "", "1", "1.5", "1.19rc1", "1.19", "1.19.1", "1.20", "1.21", "1.21rc1", "1.21rc2",
            "1.21.0", "1.21.1", "1.21.10", "1.22", "2",
        ];
        // In this order a release candidate is newer than the language and older than the first release; before 1.21, 1.19 is 1.19.0.
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                if i != j {
                    assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn toolchain_names() {
        for (name, version) in [
            ("go1.22.3", "1.22.3"),
            ("go1.22-x", "1.22"),
            ("1.22", ""),
            ("gox", ""),
            ("go1.2/3", ""),
        ] {
            assert_eq!(from_toolchain(name), version);
        }
        assert_eq!(lang("1.22rc1"), "1.22");
        assert_eq!(prev("1.21.3"), "1.20");
        assert!(is_lang("1.21") && !is_lang("1.21.0") && !is_lang("1.20"));
    }

    #[test]
    fn a_word_without_a_number_is_a_version_too() {
        assert!(
            is_valid("1.9999x")
                && is_valid("1.999testmod")
                && !is_valid("1.22+auto")
                && !is_valid("1.22x1y")
        );
        assert_eq!(from_toolchain("go1.9999x"), "1.9999x");
        assert!(compare("1.22rc", "1.22rc1").is_lt());
    }
}

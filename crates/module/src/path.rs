//! Module paths, import paths, file paths of module zips, and their escaped forms on disk and in URLs.

use crate::quote::{quote, quote_rune};
use crate::{gover, pseudo, semver};

/// A path or version that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not a module path, import path or file path (`kind` says which: `module`, `import`, `file`).
    #[error("malformed {kind} path {}: {reason}", quote(path))]
    Path {
        /// `module`, `import` or `file`.
        kind: &'static str,
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not a version, or not one of this module.
    #[error("{}version {} invalid: {reason}", if .path.is_empty() { String::new() } else { format!("{path}@{version}: ", path = .path, version = .version) }, quote(version))]
    Version {
        /// Module path, or empty.
        path: String,
        /// The version.
        version: String,
        /// What is wrong with it.
        reason: String,
    },
}

fn is_module_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~')
}

fn is_import_char(c: char) -> bool {
    is_module_char(c) || c == '+'
}

fn is_file_char(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "!#$%&()+,-.=@[]^_{}~ ".contains(c);
    }
    c.is_alphabetic()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Module,
    Import,
    File,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Module => "module",
            Kind::Import => "import",
            Kind::File => "file",
        }
    }
}

const WINDOWS_NAMES: [&str; 22] = [
    "con", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "prn", "aux",
    "nul", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

fn check_element(element: &str, kind: Kind) -> Result<(), String> {
    if element.is_empty() {
        return Err("empty path element".into());
    }
    if element.bytes().all(|b| b == b'.') {
        return Err(format!("invalid path element {}", quote(element)));
    }
    if element.starts_with('.') && kind == Kind::Module {
        return Err("leading dot in path element".into());
    }
    if element.ends_with('.') {
        return Err("trailing dot in path element".into());
    }
    let legal: fn(char) -> bool = match kind {
        Kind::Module => is_module_char,
        Kind::Import => is_import_char,
        Kind::File => is_file_char,
    };
    if let Some(c) = element.chars().find(|&c| !legal(c)) {
        return Err(format!("invalid char {}", quote_rune(c)));
    }
    // Names that Windows keeps for devices, whatever their extension.
    let short = element.split('.').next().unwrap_or_default();
    if WINDOWS_NAMES
        .iter()
        .any(|name| name.eq_ignore_ascii_case(short))
    {
        return Err(format!(
            "{short:?} disallowed as path element component on Windows"
        ));
    }
    if kind == Kind::File {
        return Ok(());
    }
    // A tilde with digits only is a short name of Windows.
    match short.rsplit_once('~') {
        Some((_, tail)) if !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()) => {
            Err("trailing tilde and digits in path element".into())
        }
        _ => Ok(()),
    }
}

fn check_elements(path: &str, kind: Kind) -> Result<(), String> {
    if path.is_empty() {
        return Err("empty string".into());
    }
    if path.starts_with('-') && kind != Kind::File {
        return Err("leading dash".into());
    }
    if path.contains("//") {
        return Err("double slash".into());
    }
    if path.ends_with('/') {
        return Err("trailing slash".into());
    }
    path.split('/')
        .try_for_each(|element| check_element(element, kind))
}

fn checked(path: &str, kind: Kind, result: Result<(), String>) -> Result<(), PathError> {
    result.map_err(|reason| PathError::Path {
        kind: kind.word(),
        path: path.to_string(),
        reason,
    })
}

/// Whether `path` can be a module's.
///
/// # Errors
/// What is wrong with it.
pub fn check_path(path: &str) -> Result<(), PathError> {
    let check = || -> Result<(), String> {
        check_elements(path, Kind::Module)?;
        let first = path.split('/').next().unwrap_or_default();
        if first.is_empty() {
            return Err("leading slash".into());
        }
        if !first.contains('.') {
            return Err("missing dot in first path element".into());
        }
        if first.starts_with('-') {
            return Err("leading dash in first path element".into());
        }
        if let Some(c) = first
            .chars()
            .find(|&c| !(c == '-' || c == '.' || c.is_ascii_digit() || c.is_ascii_lowercase()))
        {
            return Err(format!(
                "invalid char {} in first path element",
                quote_rune(c)
            ));
        }
        if split_path_version(path).is_none() {
            return Err("invalid version".into());
        }
        Ok(())
    };
    checked(path, Kind::Module, check())
}

/// Whether `path` can be imported.
///
/// # Errors
/// What is wrong with it.
pub fn check_import_path(path: &str) -> Result<(), PathError> {
    checked(path, Kind::Import, check_elements(path, Kind::Import))
}

/// Whether `path` can name a file in a module zip.
///
/// # Errors
/// What is wrong with it.
pub fn check_file_path(path: &str) -> Result<(), PathError> {
    checked(path, Kind::File, check_elements(path, Kind::File))
}

/// Whether `path` can be a module's that is only ever a main module or replaced (it needs no dot in its first element).
#[must_use]
pub fn is_mod_path_like(path: &str) -> bool {
    check_import_path(path).is_ok()
}

/// Whether `path@version` can be.
///
/// # Errors
/// What is wrong with it.
pub fn check(path: &str, version: &str) -> Result<(), PathError> {
    check_path(path)?;
    let invalid = |reason: &str| PathError::Version {
        path: path.to_string(),
        version: version.to_string(),
        reason: reason.to_string(),
    };
    if !semver::is_valid(version) {
        return Err(invalid("not a semantic version"));
    }
    let (_, major) = split_path_version(path).unwrap_or((path, ""));
    check_path_major(version, major).map_err(|reason| invalid(&reason))
}

/// Splits the major version suffix off a module path: `a/b/v2` is `a/b` and `/v2`, `gopkg.in/yaml.v2` is `gopkg.in/yaml` and `.v2`.
/// `None`: the suffix is there and cannot be one (`/v1`, `/v02`, `/v2.1`).
#[must_use]
pub fn split_path_version(path: &str) -> Option<(&str, &str)> {
    if path.starts_with("gopkg.in/") {
        return split_gopkg_in(path);
    }
    let bytes = path.as_bytes();
    let mut at = bytes.len();
    let mut dot = false;
    while at > 0 && (bytes[at - 1].is_ascii_digit() || bytes[at - 1] == b'.') {
        dot |= bytes[at - 1] == b'.';
        at -= 1;
    }
    if at <= 1 || at == bytes.len() || bytes[at - 1] != b'v' || bytes[at - 2] != b'/' {
        return Some((path, ""));
    }
    let (prefix, major) = path.split_at(at - 2);
    if dot || major.len() <= 2 || major.as_bytes()[2] == b'0' || major == "/v1" {
        return None;
    }
    Some((prefix, major))
}

fn split_gopkg_in(path: &str) -> Option<(&str, &str)> {
    let bare = path.strip_suffix("-unstable").unwrap_or(path);
    let digits = bare.len() - bare.bytes().rev().take_while(u8::is_ascii_digit).count();
    if digits == bare.len() || !bare[..digits].ends_with(".v") {
        return None;
    }
    let (prefix, major) = path.split_at(digits - 2);
    let number = &bare[digits..];
    (number == "0" || !number.starts_with('0')).then_some((prefix, major))
}

/// Whether `version` belongs to a module whose path ends in `major` (`/v2`, `.v2` or nothing).
#[must_use]
pub fn match_path_major(version: &str, major: &str) -> bool {
    check_path_major(version, major).is_ok()
}

/// [`match_path_major`] with the reason.
///
/// # Errors
/// What was expected.
pub fn check_path_major(version: &str, major: &str) -> Result<(), String> {
    let major = major
        .strip_suffix("-unstable")
        .filter(|_| major.starts_with(".v"))
        .unwrap_or(major);
    if version.starts_with("v0.0.0-") && major == ".v1" {
        // Tools once wrote such pseudo-versions for gopkg.in, and go.mod files keep them.
        return Ok(());
    }
    let have = semver::major(version);
    if major.is_empty() {
        if have == "v0" || have == "v1" || semver::build(version) == "+incompatible" {
            return Ok(());
        }
        return Err("should be v0 or v1, not ".to_string() + have);
    }
    let want = &major[1..];
    if have == want {
        return Ok(());
    }
    Err(format!("should be {want}, not {have}"))
}

/// `v2` for the path suffix `/v2` or `.v2`; empty for none.
#[must_use]
pub fn path_major_prefix(major: &str) -> &str {
    let major = major
        .strip_suffix("-unstable")
        .filter(|_| major.starts_with(".v"))
        .unwrap_or(major);
    if major.is_empty() { "" } else { &major[1..] }
}

/// The canonical form of a version as go.mod may have it: with `+incompatible` kept. Empty if it is not valid.
#[must_use]
pub fn canonical_version(version: &str) -> String {
    let mut canonical = semver::canonical(version);
    if semver::build(version) == "+incompatible" {
        canonical.push_str("+incompatible");
    }
    canonical
}

/// Whether `version` is in canonical form for a module at `path`, as it must stand in go.mod once resolved.
#[must_use]
pub fn is_canonical(path: &str, version: &str) -> bool {
    if gover::is_toolchain(path) {
        return gover::mod_is_valid(path, version);
    }
    canonical_version(version) == version || pseudo::is_pseudo_version(version)
}

fn escape(text: &str) -> Option<String> {
    if text.contains('!') || !text.is_ascii() {
        return None;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            out.push('!');
        }
        out.push(c.to_ascii_lowercase());
    }
    Some(out)
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => out.push(
                chars
                    .next()
                    .filter(char::is_ascii_lowercase)?
                    .to_ascii_uppercase(),
            ),
            c if c.is_ascii_uppercase() || !c.is_ascii() => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

/// The form of a module path in URLs and on disk: a capital letter is an exclamation mark and its small letter.
///
/// # Errors
/// The path cannot be a module's.
pub fn escape_path(path: &str) -> Result<String, PathError> {
    check_path(path)?;
    escape(path).ok_or_else(|| PathError::Path {
        kind: "module",
        path: path.to_string(),
        reason: "cannot be escaped".into(),
    })
}

/// The form of a version in URLs and on disk.
///
/// # Errors
/// The version cannot be part of a file name.
pub fn escape_version(version: &str) -> Result<String, PathError> {
    let invalid = || PathError::Version {
        path: String::new(),
        version: version.to_string(),
        reason: "disallowed version string".into(),
    };
    check_element(version, Kind::File).map_err(|_| invalid())?;
    escape(version).ok_or_else(invalid)
}

/// Undoes [`escape_path`].
///
/// # Errors
/// Not an escaped module path.
pub fn unescape_path(escaped: &str) -> Result<String, PathError> {
    let path = unescape(escaped).ok_or_else(|| PathError::Path {
        kind: "module",
        path: escaped.to_string(),
        reason: "invalid escaped module path".into(),
    })?;
    check_path(&path)?;
    Ok(path)
}

/// Undoes [`escape_version`].
///
/// # Errors
/// Not an escaped version.
pub fn unescape_version(escaped: &str) -> Result<String, PathError> {
    unescape(escaped)
        .filter(|version| check_element(version, Kind::File).is_ok())
        .ok_or_else(|| PathError::Version {
            path: String::new(),
            version: escaped.to_string(),
            reason: "invalid escaped version".into(),
        })
}

/// Whether a comma-separated list of globs (GOPRIVATE and its kin) has one that matches `target` or a parent of it.
#[must_use]
pub fn match_prefix_patterns(globs: &str, target: &str) -> bool {
    globs.split(',').any(|glob| {
        let glob = glob.trim_end_matches('/');
        if glob.is_empty() {
            return false;
        }
        let elements = glob.split('/').count();
        let prefix_end = target
            .match_indices('/')
            .nth(elements - 1)
            .map_or(target.len(), |(at, _)| at);
        target.split('/').count() >= elements
            && glob_match(glob.as_bytes(), &target.as_bytes()[..prefix_end])
    })
}

/// Go's `path.Match`: `*` and `?` within an element, `[a-z]` classes, `\` before a literal.
fn glob_match(glob: &[u8], name: &[u8]) -> bool {
    let Some((&first, rest)) = glob.split_first() else {
        return name.is_empty();
    };
    match first {
        b'*' => {
            let reach = name.iter().position(|&b| b == b'/').unwrap_or(name.len());
            (0..=reach).any(|skip| glob_match(rest, &name[skip..]))
        }
        b'?' => name.first().is_some_and(|&b| b != b'/') && glob_match(rest, &name[1..]),
        b'[' => {
            let Some(&c) = name.first() else { return false };
            class_match(rest, c)
                .is_some_and(|(hit, rest)| hit && c != b'/' && glob_match(rest, &name[1..]))
        }
        b'\\' if !rest.is_empty() => {
            name.first() == rest.first() && glob_match(&rest[1..], &name[1..])
        }
        literal => name.first() == Some(&literal) && glob_match(rest, &name[1..]),
    }
}

/// Whether `c` is in the class that `glob` continues with, and what follows the class.
fn class_match(glob: &[u8], c: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match glob.split_first()? {
        (b'^', rest) => (true, rest),
        _ => (false, glob),
    };
    let mut hit = false;
    let mut first = true;
    while first || rest.first() != Some(&b']') {
        first = false;
        let (&low, mut after) = rest.split_first()?;
        let mut high = low;
        if after.first() == Some(&b'-') {
            high = *after.get(1)?;
            after = &after[2..];
        }
        hit |= (low..=high).contains(&c);
        rest = after;
    }
    Some((hit != negated, &rest[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn module_paths() {
        for good in [
            "example.com/a",
            "golang.org/x/net",
            "a.b/c/v2",
            "gopkg.in/yaml.v2",
            "example.com/A~b/_x",
        ] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        for (bad, reason) in [
            ("", "empty string"),
            ("example/a", "missing dot in first path element"),
            ("-x.com/a", "leading dash"),
            ("x.com//a", "double slash"),
            ("x.com/a/", "trailing slash"),
            ("x.com/a/v1", "invalid version"),
            ("x.com/a/../b", "invalid path element \"..\""),
            (
                "x.com/aux.go",
                "\"aux\" disallowed as path element component on Windows",
            ),
            ("x.com/a b", "invalid char ' '"),
            ("X.com/a", "invalid char 'X' in first path element"),
        ] {
            let error = check_path(bad).unwrap_err().to_string();
            assert_eq!(error, format!("malformed module path {bad:?}: {reason}"));
        }
    }

    #[test]
    fn major_suffixes() {
        for (path, expected) in [
            ("x.com/a", Some(("x.com/a", ""))),
            ("x.com/a/v2", Some(("x.com/a", "/v2"))),
            ("x.com/a/v1", None),
            ("x.com/a/v0", None),
            ("gopkg.in/yaml.v2", Some(("gopkg.in/yaml", ".v2"))),
            ("gopkg.in/yaml", None),
            ("x.com/av2", Some(("x.com/av2", ""))),
        ] {
            assert_eq!(split_path_version(path), expected, "{path}");
        }
        assert!(
            match_path_major("v2.0.0+incompatible", "")
                && !match_path_major("v2.0.0", "")
                && match_path_major("v2.1.0", "/v2")
        );
    }

    #[test]
    fn escaping_and_back() {
        assert_eq!(
            escape_path("github.com/Azure/Go").unwrap(),
            "github.com/!azure/!go"
        );
        assert_eq!(
            unescape_path("github.com/!azure/!go").unwrap(),
            "github.com/Azure/Go"
        );
        assert!(
            unescape_path("github.com/Azure").is_err() && unescape_path("github.com/!!a").is_err()
        );
        assert_eq!(escape_version("v1.0.0-RC1").unwrap(), "v1.0.0-!r!c1");
        assert!(escape_version("../x").is_err());
    }

    #[test]
    fn private_globs() {
        for (globs, target, hit) in [
            (
                "*.corp.example.com,rsc.io/private",
                "git.corp.example.com/xyzzy",
                true,
            ),
            (
                "*.corp.example.com,rsc.io/private",
                "rsc.io/private/quux",
                true,
            ),
            ("rsc.io/private", "rsc.io/privates", false),
            ("x.com/*/b", "x.com/a/b/c", true),
            ("x.com/a", "x.com", false),
            ("x.[a-c]om/", "x.com/a", true),
            ("*", "x.com/a/b", true),
            ("", "x.com", false),
        ] {
            assert_eq!(
                match_prefix_patterns(globs, target),
                hit,
                "{globs} {target}"
            );
        }
    }
}

//! Paths as messages show them.

use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::fs::MetadataExt as _;
use steady_packages::patterns::clean;
use steady_system::relative;

/// The shorter of a path and its form relative to `cwd`, provided both lead to the same place.
pub(crate) fn short_path(cwd: &Utf8Path, path: &Utf8Path) -> String {
    let leads_there = |short: &Utf8PathBuf| {
        short.as_str().len() < path.as_str().len() && same_file(&cwd.join(short), path)
    };
    let short = relative(cwd, path).filter(leads_there);
    short.map_or_else(|| path.to_string(), Utf8PathBuf::into_string)
}

fn same_file(a: &Utf8Path, b: &Utf8Path) -> bool {
    let identity = |path: &Utf8Path| {
        path.symlink_metadata()
            .and_then(|_| path.as_std_path().metadata())
    };
    match (identity(a), identity(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        (Err(a), Err(b)) => [a, b]
            .iter()
            .all(|error| error.kind() == std::io::ErrorKind::NotFound),
        _ => false,
    }
}

/// Replaces `old` where it begins a word of a line: at its start, after a space, or after a tab that begins it.
pub(crate) fn replace_prefix(text: &str, old: &str, new: &str) -> String {
    if old.is_empty() || !text.contains(old) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let before = &text[..text.len() - rest.len() + at];
        let begins = before.is_empty() || before.ends_with([' ', '\n']) || before.ends_with("\n\t");
        out.push_str(&rest[..at]);
        out.push_str(if begins { new } else { old });
        rest = &rest[at + old.len()..];
    }
    out.push_str(rest);
    out
}

/// An absolute path for a name in `dir`. Under `-n` the work directory is the word `$WORK`.
pub(crate) fn make_absolute(dir: &str, name: &str) -> String {
    if name.starts_with('/') || name.starts_with("$WORK") {
        name.to_owned()
    } else {
        clean(&format!("{dir}/{name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        assert_eq!(
            replace_prefix("/w/x\n\t/w/y /w/z a/w/b\n/w", "/w", "$W"),
            "$W/x\n\t$W/y $W/z a/w/b\n$W"
        );
        assert_eq!(replace_prefix("a\t/w", "/w", "$W"), "a\t/w");
    }

    #[test]
    fn names_in_directories() {
        assert_eq!(make_absolute("/d", "../x.go"), "/x.go");
        assert_eq!(make_absolute("/d", "$WORK/b001/x.go"), "$WORK/b001/x.go");
    }
}

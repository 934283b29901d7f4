//! Paths as messages show them.

use camino::Utf8Path;
use std::os::unix::fs::MetadataExt as _;

/// `target` as seen from `base`, by names alone; both absolute and clean. As `filepath.Rel`.
pub(crate) fn relative(base: &Utf8Path, target: &Utf8Path) -> String {
    let base: Vec<&str> = base
        .as_str()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let target: Vec<&str> = target
        .as_str()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let common = base.iter().zip(&target).take_while(|(a, b)| a == b).count();
    let parts: Vec<&str> = std::iter::repeat_n("..", base.len() - common)
        .chain(target[common..].iter().copied())
        .collect();
    if parts.is_empty() {
        ".".into()
    } else {
        parts.join("/")
    }
}

/// The shorter of a path and its form relative to `cwd`, provided both lead to the same place.
pub(crate) fn short_path(cwd: &Utf8Path, path: &Utf8Path) -> String {
    let short = relative(cwd, path);
    if short.len() < path.as_str().len() && same_file(&cwd.join(&short), path) {
        short
    } else {
        path.to_string()
    }
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

/// A path without `.`, `..` and doubled slashes, by names alone.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".into(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths() {
        let rel = |a: &str, b: &str| relative(Utf8Path::new(a), Utf8Path::new(b));
        assert_eq!(rel("/a/b", "/a/b"), ".");
        assert_eq!(rel("/a/b", "/a/c/d"), "../c/d");
        assert_eq!(rel("/", "/x"), "x");
    }

    #[test]
    fn prefixes() {
        assert_eq!(
            replace_prefix("/w/x\n\t/w/y /w/z a/w/b\n/w", "/w", "$W"),
            "$W/x\n\t$W/y $W/z a/w/b\n$W"
        );
        assert_eq!(replace_prefix("a\t/w", "/w", "$W"), "a\t/w");
    }

    #[test]
    fn cleans() {
        for (path, want) in [
            ("/a/./b//../c", "/a/c"),
            ("/..", "/"),
            ("", "."),
            ("../x", "../x"),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path), want);
        }
        assert_eq!(make_absolute("/d", "../x.go"), "/x.go");
        assert_eq!(make_absolute("/d", "$WORK/b001/x.go"), "$WORK/b001/x.go");
    }
}

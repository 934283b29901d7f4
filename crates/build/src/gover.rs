//! Go versions as building compares them.

use std::cmp::Ordering;

/// `1.26.8` of `go1.26.8 X:experiment`, `1.27` of `devel go1.27-abc`; empty if there is none.
pub(crate) fn local(version: &str) -> &str {
    let Some(at) = version.find("go1") else {
        return "";
    };
    let rest = &version[at + 2..];
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '.'))
        .unwrap_or(rest.len());
    &rest[..end]
}

/// `1.26` of `1.26.8` and of `1.26rc1`.
pub(crate) fn lang(version: &str) -> String {
    let (major, minor, ..) = parts(version);
    let text = version.split('.').take(2).collect::<Vec<_>>().join(".");
    if version.contains('.') {
        format!("{major}.{minor}")
    } else {
        text
    }
}

/// Major, minor, kind (`alpha`, `beta`, `rc`, nothing: greater than all) and the number after it.
fn parts(version: &str) -> (u64, u64, u8, u64) {
    let (major, rest) = version.split_once('.').unwrap_or((version, ""));
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (minor, tail) = rest.split_at(end);
    let number = |text: &str| text.parse().unwrap_or(0);
    let (kind, patch) = if let Some(patch) = tail.strip_prefix('.') {
        (3, number(patch))
    } else if let Some(n) = tail.strip_prefix("alpha") {
        (0, number(n))
    } else if let Some(n) = tail.strip_prefix("beta") {
        (1, number(n))
    } else if let Some(n) = tail.strip_prefix("rc") {
        (2, number(n))
    } else {
        // From 1.21 on a language version comes before its release candidates; it only ever stands for itself here.
        (3, 0)
    };
    (number(major), number(minor), kind, patch)
}

/// Which of two versions is newer.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    parts(a).cmp(&parts(b))
}

/// The minor version: 26 of `1.26.8`.
pub(crate) fn minor(version: &str) -> u64 {
    parts(version).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(local("go1.26.8 X:foo"), "1.26.8");
        assert_eq!(local("devel go1.27-abcdef Mon"), "1.27");
        assert_eq!(local("go1.27-devel_abc"), "1.27");
        assert_eq!(lang("1.26.8"), "1.26");
        assert_eq!(lang("1.26rc1"), "1.26");
        assert_eq!(lang("1.26"), "1.26");
        assert_eq!(compare("1.26.8", "1.26"), Ordering::Greater);
        assert_eq!(compare("1.9", "1.26"), Ordering::Less);
        assert_eq!(compare("1.26rc1", "1.26.0"), Ordering::Less);
        assert_eq!(minor("1.26rc1"), 26);
    }
}

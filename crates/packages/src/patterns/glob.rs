//! The one wildcard of package patterns: `...`, any string.
//!
//! Two exceptions: a trailing `/...` also matches nothing at all, and no wildcard reaches across an element `vendor` that
//! has something below it.

/// Stands for a `vendor` element that wildcards must not cross; no pattern or name holds it otherwise.
const VENDOR: &str = "\0";

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What can match, in pieces between wildcards; several forms because of the exceptions. Empty: nothing matches.
    forms: Vec<Vec<String>>,
    /// Keep wildcards out of `vendor`.
    vendor: bool,
    /// The pattern up to its first wildcard, and whether it has one.
    stem: (String, bool),
}

impl Pattern {
    /// go's `MatchPattern`: `...` never crosses into `vendor`.
    pub fn new(pattern: &str) -> Self {
        Self::build(pattern, true)
    }

    /// go's `MatchSimplePattern`: `vendor` is nothing special.
    pub fn simple(pattern: &str) -> Self {
        Self::build(pattern, false)
    }

    fn build(pattern: &str, vendor: bool) -> Self {
        let stem = match pattern.split_once("...") {
            Some((stem, _)) => (stem.to_owned(), true),
            None => (pattern.to_owned(), false),
        };
        if vendor && pattern.contains(VENDOR) {
            return Self {
                forms: Vec::new(),
                vendor,
                stem,
            };
        }
        let hidden = if vendor {
            hide_vendor(pattern)
        } else {
            pattern.to_owned()
        };
        let mut texts = vec![hidden.clone()];
        if let Some(front) = hidden.strip_suffix("/...") {
            let below_vendor = front
                .strip_suffix(VENDOR)
                .filter(|rest| vendor && (rest.is_empty() || rest.ends_with('/')));
            texts.push(match below_vendor {
                Some(before) => format!("{before}vendor"),
                None => front.to_owned(),
            });
        }
        let pieces = |text: &String| text.split("...").map(str::to_owned).collect();
        Self {
            forms: texts.iter().map(pieces).collect(),
            vendor,
            stem,
        }
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        if !self.vendor {
            return self.forms.iter().any(|form| fits(form, name, false));
        }
        if name.contains(VENDOR) {
            return false;
        }
        let name = hide_vendor(name);
        self.forms.iter().any(|form| fits(form, &name, true))
    }

    /// Whether `name` or something below it can match (`TreeCanMatchPattern`).
    pub fn tree_can_match(&self, name: &str) -> bool {
        let (stem, wild) = &self.stem;
        let above = stem
            .strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || name.ends_with('/'));
        above || (*wild && name.starts_with(stem.as_str()))
    }
}

/// Whether a name is the pieces in order with anything between (but nothing that holds [`VENDOR`], if `vendor`).
///
/// The leftmost place is always good enough for a middle piece, unless [`VENDOR`] lies in a gap: then no later choice could
/// avoid it, since everything before the next piece is in the gap, except that a piece itself may hold the mark. So the
/// search takes the leftmost place whose gap is clean and gives up where there is none.
fn fits(pieces: &[String], name: &str, vendor: bool) -> bool {
    let [first, middle @ .., last] = pieces else {
        return pieces.len() == 1 && pieces[0] == name;
    };
    let Some(mut rest) = name.strip_prefix(first.as_str()) else {
        return false;
    };
    let dirty = |gap: &str| vendor && gap.contains(VENDOR);
    for piece in middle {
        let Some(at) = rest.find(piece.as_str()) else {
            return false;
        };
        if dirty(&rest[..at]) {
            return false;
        }
        rest = &rest[at + piece.len()..];
    }
    rest.strip_suffix(last.as_str())
        .is_some_and(|gap| !dirty(gap))
}

/// Puts the mark in place of `vendor` elements that are not the last.
fn hide_vendor(path: &str) -> String {
    if !path.contains("vendor") {
        return path.to_owned();
    }
    let mut elements: Vec<&str> = path.split('/').collect();
    let inner = elements.len() - 1;
    for element in &mut elements[..inner] {
        if *element == "vendor" {
            *element = VENDOR;
        }
    }
    elements.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, yes, no) in [
            ("...", "a a/b vendor", "a/vendor/b vendor/b"),
            ("net", "net", "net/http network"),
            ("net/http", "net/http", "net"),
            (
                "net...",
                "net net/http network netchan",
                "not/http internal/net",
            ),
            (
                "net/...",
                "net net/http net/http/httputil",
                "network not/http",
            ),
            (".../b", "a/b a/c/b /b", "b a/bc"),
            ("a.../c", "a/c ab/c a/b/c", "a ac c"),
            ("a/.../c", "a/b/c a/b/b/c", "a/c a c"),
            (
                "./...",
                "./vendor ./vendored ./a ./a/vendor",
                "./vendor/foo ./mycode/vendor/foo vendor",
            ),
            (
                "./vendor/...",
                "./vendor ./vendor/foo",
                "./vendorx ./vendor/foo/vendor/bar",
            ),
            ("vendor/...", "vendor vendor/foo", "vendorx"),
            ("mycode/vendor/foo", "mycode/vendor/foo", "mycode/vendor"),
            (
                ".../vendor/...",
                "x/vendor/y x/vendor",
                "x/vendor/y/vendor/z",
            ),
        ] {
            let compiled = Pattern::new(pattern);
            for name in yes.split(' ') {
                assert!(compiled.matches(name), "{pattern} {name}");
            }
            for name in no.split(' ') {
                assert!(!compiled.matches(name), "{pattern} {name}");
            }
        }
        assert!(Pattern::simple("./...").matches("./vendor/foo"));
    }

    #[test]
    fn trees() {
        for (pattern, yes, no) in [
            ("net...", "net net/http network", "not internal/net"),
            (
                "abc/def...",
                "abc abc/def abc/defxyz abc/def/x",
                "x abcd abc/x",
            ),
            (".../x", "a b/c", ""),
            ("a/b", "a a/b", "a/b/c ab"),
        ] {
            for name in yes.split_whitespace() {
                assert!(
                    Pattern::new(pattern).tree_can_match(name),
                    "{pattern} {name}"
                );
            }
            for name in no.split_whitespace() {
                assert!(
                    !Pattern::new(pattern).tree_can_match(name),
                    "{pattern} {name}"
                );
            }
        }
    }
}

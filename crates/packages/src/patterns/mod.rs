//! Package patterns: what `./...`, `net/...`, `all`, `std`, `cmd`, `tool` and `work` mean, and walks of source trees.
//!
//! A pattern is text until it is resolved: local ones ([`match_dirs`]) to directories, others ([`match_packages`], or the
//! module loader through [`walk_module`]) to import paths. Nothing here loads packages; whether a directory holds Go files is
//! asked of the [`crate::index::Index`].

mod glob;
mod walk;

use camino::Utf8PathBuf;

pub use glob::Pattern;
pub use walk::{LocalWalk, ModuleRoot, ModuleTree, match_dirs, match_packages, walk_module};

/// What one pattern matched.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// The pattern, cleaned.
    pub pattern: String,
    /// Local pattern: directories that may hold packages (`./a/b` for relative patterns).
    pub dirs: Vec<String>,
    /// Matched packages (import paths), filled by the module or GOPATH loader.
    pub packages: Vec<String>,
    /// Errors of matching, not of loading; without the pattern (see [`Match::error_text`]).
    pub errors: Vec<String>,
    /// The directory that a local literal names, if the error is that it has no Go files.
    pub bare: Option<Utf8PathBuf>,
}

impl Match {
    /// A pattern not yet resolved.
    pub fn new(pattern: &str) -> Self {
        Self {
            pattern: pattern.to_owned(),
            ..Self::default()
        }
    }
    /// Neither wildcard nor meta-pattern: matches at most one package.
    pub fn is_literal(&self) -> bool {
        !self.pattern.contains("...") && !self.is_meta()
    }
    /// A file-system path.
    pub fn is_local(&self) -> bool {
        is_local_import(&self.pattern) || self.pattern.starts_with('/')
    }
    /// `std`, `cmd`, `tool`, `work`, `all`.
    pub fn is_meta(&self) -> bool {
        is_meta_package(&self.pattern)
    }
    /// An error of matching as go prints it: `PATTERN: …` for literals, `pattern PATTERN: …` otherwise.
    pub fn error_text(&self, error: &str) -> String {
        let word = if self.is_literal() { "" } else { "pattern " };
        format!("{word}{}: {error}", self.pattern)
    }
    /// Matched nothing without an error: go warns `"PATTERN" matched no packages`.
    pub fn unmatched(&self) -> bool {
        self.packages.is_empty() && self.errors.is_empty()
    }
}

/// Whether a name is `std`, `cmd`, `tool`, `work` or `all`.
pub fn is_meta_package(name: &str) -> bool {
    matches!(name, "std" | "cmd" | "tool" | "work" | "all")
}

/// `.`, `..`, `./x`, `../x`.
pub fn is_local_import(path: &str) -> bool {
    path == "." || path == ".." || path.starts_with("./") || path.starts_with("../")
}

/// First path element without a dot.
pub fn is_standard_import_path(path: &str) -> bool {
    !path.split('/').next().unwrap_or_default().contains('.')
}

/// Patterns as typed to patterns as meant; none is `.`.
pub fn clean_patterns(patterns: &[String]) -> Vec<String> {
    if patterns.is_empty() {
        return vec![".".to_owned()];
    }
    patterns
        .iter()
        .map(|pattern| clean_pattern(pattern))
        .collect()
}

/// Version queries (`path@version`) keep what stands behind the `@`.
fn clean_pattern(pattern: &str) -> String {
    let local = is_local_import(pattern) || pattern.starts_with('/');
    let (path, version) = match pattern.find('@') {
        Some(at) if !local => pattern.split_at(at),
        _ => (pattern, ""),
    };
    if path.starts_with('/') {
        return format!("{}{version}", clean(path));
    }
    let path = path.replace('\\', "/");
    let cleaned = clean(&path);
    match path.starts_with("./") && cleaned != "." {
        true => format!("./{cleaned}{version}"),
        false => format!("{cleaned}{version}"),
    }
}

/// `ignore` lines of one go.mod: `./x` means that directory of the module's root, `x` any directory of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnorePatterns {
    rooted: Vec<String>,
    anywhere: Vec<String>,
}

impl IgnorePatterns {
    /// From the paths of the lines.
    pub fn new(paths: &[String]) -> Self {
        let mut patterns = Self::default();
        for path in paths {
            match path.strip_prefix("./") {
                Some(path) => patterns.rooted.push(in_slashes(path)),
                None => patterns.anywhere.push(in_slashes(path)),
            }
        }
        patterns
    }
    /// Whether the directory (relative to the module root) is ignored.
    pub fn should_ignore(&self, relative: &str) -> bool {
        if relative.is_empty() || (self.rooted.is_empty() && self.anywhere.is_empty()) {
            return false;
        }
        let dir = in_slashes(relative);
        self.rooted.iter().any(|pattern| dir.starts_with(pattern))
            || self
                .anywhere
                .iter()
                .any(|pattern| dir.contains(pattern.as_str()))
    }
}

fn in_slashes(path: &str) -> String {
    let front = if path.starts_with('/') { "" } else { "/" };
    let back = if path.ends_with('/') { "" } else { "/" };
    format!("{front}{path}{back}")
}

/// Go's `path.Clean`.
pub fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// Whether an import is one that App Engine's first runtime provided. No module and no standard library has those, and nobody misses
/// them before a package is built that imports them.
#[must_use]
pub fn is_appengine_import(path: &str) -> bool {
    let first = path.split('/').next();
    matches!(first, Some("appengine" | "appengine_internal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaned() {
        for (typed, meant) in [
            ("./...", "./..."),
            ("././a/", "./a"),
            ("./", "."),
            (".", "."),
            ("a//b/../c", "a/c"),
            ("a\\b", "a/b"),
            ("x/y@v1//2", "x/y@v1//2"),
            ("/a//b/", "/a/b"),
            ("../x@y", "../x@y"),
            ("./x/../..", "./.."),
        ] {
            assert_eq!(clean_patterns(&[typed.to_owned()]), [meant], "{typed}");
        }
        assert_eq!(clean_patterns(&[]), ["."]);
    }

    #[test]
    fn kinds() {
        assert!(Match::new("./a").is_literal() && Match::new("./a").is_local());
        assert!(!Match::new("a/...").is_literal() && !Match::new("all").is_literal());
        assert_eq!(Match::new("x").error_text("e"), "x: e");
        assert_eq!(Match::new("x/...").error_text("e"), "pattern x/...: e");
        assert!(is_standard_import_path("net/http") && !is_standard_import_path("a.b/c"));
    }

    #[test]
    fn ignored() {
        let patterns = IgnorePatterns::new(&["./a/b".into(), "node_modules".into()]);
        assert!(
            patterns.should_ignore("a/b")
                && patterns.should_ignore("a/b/c")
                && !patterns.should_ignore("x/a/b")
        );
        assert!(
            patterns.should_ignore("x/node_modules/y")
                && !patterns.should_ignore("x/node_modules2")
        );
        assert!(!patterns.should_ignore(""));
    }
}

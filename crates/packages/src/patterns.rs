//! Package patterns: what `./...`, `net/...`, `all`, `std`, `cmd`, `tool` and `work` mean, and walks of source trees.

use crate::index::Index;
use crate::source::BuildContext;
use camino::{Utf8Path, Utf8PathBuf};

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
        todo!()
    }
    /// A file-system path.
    pub fn is_local(&self) -> bool {
        todo!()
    }
    /// `std`, `cmd`, `tool`, `work`, `all`.
    pub fn is_meta(&self) -> bool {
        todo!()
    }
    /// An error of matching as go prints it: `PATTERN: …` for literals, `pattern PATTERN: …` otherwise.
    pub fn error_text(&self, _error: &str) -> String {
        todo!()
    }
    /// Matched nothing without an error: go warns `"PATTERN" matched no packages`.
    pub fn unmatched(&self) -> bool {
        self.packages.is_empty() && self.errors.is_empty()
    }
}

/// Whether a name is `std`, `cmd`, `tool`, `work` or `all`.
pub fn is_meta_package(_name: &str) -> bool {
    todo!()
}
/// `.`, `..`, `./x`, `../x`.
pub fn is_local_import(_path: &str) -> bool {
    todo!()
}
/// First path element without a dot.
pub fn is_standard_import_path(_path: &str) -> bool {
    todo!()
}
/// Patterns as typed to patterns as meant; none is `.`.
pub fn clean_patterns(_patterns: &[String]) -> Vec<String> {
    todo!()
}
/// A compiled pattern.
pub struct Pattern {}
impl Pattern {
    /// go's `MatchPattern`: `...` never crosses into `vendor`.
    pub fn new(_pattern: &str) -> Self {
        todo!()
    }
    /// go's `MatchSimplePattern`: `vendor` is nothing special.
    pub fn simple(_pattern: &str) -> Self {
        todo!()
    }
    /// Whether the whole name matches.
    pub fn matches(&self, _name: &str) -> bool {
        todo!()
    }
    /// Whether `name` or something below it can match (`TreeCanMatchPattern`).
    pub fn tree_can_match(&self, _name: &str) -> bool {
        todo!()
    }
}
/// `ignore` lines of one go.mod.
#[derive(Clone, Debug, Default)]
pub struct IgnorePatterns {}
impl IgnorePatterns {
    /// From the paths of the lines.
    pub fn new(_paths: &[String]) -> Self {
        todo!()
    }
    /// Whether the directory (relative to the module root) is ignored.
    pub fn should_ignore(&self, _relative: &str) -> bool {
        todo!()
    }
}
/// One main module, for walks of local patterns.
#[derive(Clone, Debug, Default)]
pub struct ModuleRoot {
    /// Its directory.
    pub dir: Utf8PathBuf,
    /// Its `ignore` lines.
    pub ignore: IgnorePatterns,
}
/// How a local pattern is walked.
pub struct LocalWalk<'a> {
    /// Working directory, that relative patterns start from.
    pub cwd: &'a Utf8Path,
    /// Main modules; empty in GOPATH mode.
    pub roots: &'a [ModuleRoot],
    /// Module mode: nested modules are not entered.
    pub modules: bool,
}
/// go's `MatchDirs`: fills `dirs` (and `errors`) of a local pattern. Returns directories passed over because of `ignore`,
/// for `-x`.
pub fn match_dirs(
    _m: &mut Match,
    _index: &Index,
    _context: &BuildContext,
    _walk: &LocalWalk<'_>,
) -> Vec<Utf8PathBuf> {
    todo!()
}
/// go's `MatchPackages`: fills `packages` from GOROOT/src and, in GOPATH mode, GOPATH; for `std`, `cmd`, `all` and `...`
/// patterns. `gopath_mode` false looks in GOROOT alone.
pub fn match_packages(
    _m: &mut Match,
    _index: &Index,
    _context: &BuildContext,
    _gopath_mode: bool,
) -> Vec<String> {
    todo!()
}
/// One module's tree, for module-mode walks (`modload.matchPackages`).
pub struct ModuleTree<'a> {
    /// Directory.
    pub dir: &'a Utf8Path,
    /// Import path of the directory (empty for GOROOT/src).
    pub prefix: &'a str,
    /// A main module: nested modules end the walk.
    pub prune_go_mod: bool,
    /// `vendor` directories end the walk.
    pub prune_vendor: bool,
    /// Its `ignore` lines.
    pub ignore: &'a IgnorePatterns,
}
/// Walks one module's tree; calls `found` with import path and directory of every directory that matches and has Go files.
pub fn walk_module(
    _index: &Index,
    _tree: &ModuleTree<'_>,
    _want: &dyn Fn(&str) -> bool,
    _can_match: &dyn Fn(&str) -> bool,
    _found: &mut dyn FnMut(String, Utf8PathBuf),
) {
    todo!()
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

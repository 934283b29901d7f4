//! Walks of source trees for patterns.

use crate::index::Index;
use crate::patterns::{IgnorePatterns, Match, Pattern, clean, is_standard_import_path};
use crate::source::{BuildContext, DirContents, SourceError};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashSet;
use std::sync::Arc;

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

/// Names of directories that patterns pass over.
fn is_hidden(name: &str) -> bool {
    name.starts_with(['.', '_']) || name == "testdata"
}

/// The part of `path` below `dir` (`.` for itself).
fn below<'p>(path: &'p Utf8Path, dir: &Utf8Path) -> Option<&'p str> {
    let rest = path.strip_prefix(dir).ok()?.as_str();
    Some(if rest.is_empty() { "." } else { rest })
}

/// As [`below`], also when either path leads through symbolic links.
fn in_dir(index: &Index, path: &Utf8Path, dir: &Utf8Path) -> Option<String> {
    let owned = |text: &str| text.to_owned();
    if let Some(rest) = below(path, dir) {
        return Some(owned(rest));
    }
    let real = |path: &Utf8Path| index.files().canonicalize(path).ok();
    let (real_path, real_dir) = (real(path), real(dir));
    let pairs = [
        (real_path.as_deref(), Some(dir)),
        (Some(path), real_dir.as_deref()),
        (real_path.as_deref(), real_dir.as_deref()),
    ];
    pairs
        .into_iter()
        .find_map(|(path, dir)| below(path?, dir?).map(owned))
}

/// go's `MatchDirs`: fills `dirs` (and `errors`) of a local pattern. Returns directories passed over because of `ignore`,
/// for `-x`.
pub fn match_dirs(
    m: &mut Match,
    index: &Index,
    context: &BuildContext,
    walk: &LocalWalk<'_>,
) -> Vec<Utf8PathBuf> {
    m.dirs.clear();
    if m.is_literal() {
        m.dirs.push(m.pattern.clone());
        return Vec::new();
    }
    let mut cleaned = clean(&m.pattern);
    let prefix = if cleaned != "." && m.pattern.starts_with("./") {
        "./"
    } else {
        ""
    };
    cleaned.insert_str(0, prefix);
    let stem = cleaned.split("...").next().unwrap_or_default();
    let start = &stem[..stem.rfind('/').map_or(0, |slash| slash + 1)];
    let start_dir = Utf8PathBuf::from(clean(walk.cwd.join(start).as_str()));
    let root = walk
        .roots
        .iter()
        .rev()
        .find(|root| start_dir.starts_with(&root.dir));
    if root.is_none() && !walk.roots.is_empty() {
        let plural = if walk.roots.len() > 1 { "s" } else { "" };
        let list = walk
            .roots
            .iter()
            .map(|root| root.dir.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        m.errors.push(format!(
            "directory {start_dir} is outside module root{plural} ({list})"
        ));
    }
    let mut local = Local {
        index,
        context,
        root,
        modules: walk.modules,
        pattern: Pattern::new(&cleaned),
        prefix,
        dirs: Vec::new(),
        ignored: Vec::new(),
    };
    if !index.files().is_dir(&start_dir) {
        m.errors
            .push(format!("lstat {start}: no such file or directory"));
    } else if let Err(error) = local.visit(&start_dir, &clean(start), true) {
        m.errors.push(error.to_string());
    }
    m.dirs = local.dirs;
    local.ignored
}

struct Local<'a> {
    index: &'a Index,
    context: &'a BuildContext,
    root: Option<&'a ModuleRoot>,
    modules: bool,
    pattern: Pattern,
    prefix: &'static str,
    dirs: Vec<String>,
    ignored: Vec<Utf8PathBuf>,
}

impl Local<'_> {
    /// `shown` is the directory as the pattern would name it, without the `./`.
    fn visit(&mut self, dir: &Utf8Path, shown: &str, top: bool) -> Result<(), SourceError> {
        let name = shown.rsplit('/').next().unwrap_or_default();
        if is_hidden(name) && name != "." && name != ".." {
            return Ok(());
        }
        if let Some(root) = self.root {
            let relative = if root.ignore == IgnorePatterns::default() {
                None
            } else {
                in_dir(self.index, dir, &root.dir)
            };
            if relative.is_some_and(|relative| root.ignore.should_ignore(&relative)) {
                self.ignored.push(dir.to_owned());
                return Ok(());
            }
        }
        let contents = self.index.dir(dir).map_err(lstat_if_missing)?;
        if !top && self.modules && contents.has_go_mod {
            return Ok(());
        }
        let shown_full = format!("{}{shown}", self.prefix);
        if self.pattern.matches(&shown_full) && self.holds_package(dir, &contents) {
            self.dirs.push(shown_full);
        }
        read_ahead(self.index, dir, &contents);
        for sub in &contents.subdirs {
            let child = match shown {
                "." => sub.clone(),
                "/" => format!("/{sub}"),
                _ => format!("{shown}/{sub}"),
            };
            self.visit(&dir.join(sub), &child, false)?;
        }
        Ok(())
    }

    /// Directories with broken files count: silence about them would hide mistakes.
    fn holds_package(&self, dir: &Utf8Path, contents: &DirContents) -> bool {
        contents.has_go_files()
            && !self
                .index
                .package(dir, self.context)
                .error
                .as_ref()
                .is_some_and(|error| error.is_no_go())
    }
}

/// Reads the children that a walk is likely to enter, many at a time.
fn read_ahead(index: &Index, dir: &Utf8Path, contents: &DirContents) {
    let children = contents.subdirs.iter().filter(|name| !is_hidden(name));
    index.prefetch(&children.map(|name| dir.join(name)).collect::<Vec<_>>());
}

fn lstat_if_missing(error: SourceError) -> SourceError {
    match error {
        SourceError::Unreadable {
            dir, missing: true, ..
        } => {
            let message = format!("lstat {dir}/: no such file or directory");
            SourceError::Unreadable {
                dir,
                message,
                missing: true,
            }
        }
        other => other,
    }
}

/// go's `MatchPackages`: fills `packages` from GOROOT/src and, in GOPATH mode, GOPATH; for `std`, `cmd`, `all` and `...`
/// patterns. `gopath_mode` false looks in GOROOT alone. Returns warnings (`ignoring symlink DIR`).
pub fn match_packages(
    m: &mut Match,
    index: &Index,
    context: &BuildContext,
    gopath_mode: bool,
) -> Vec<String> {
    m.packages.clear();
    if m.is_literal() {
        m.packages.push(m.pattern.clone());
        return Vec::new();
    }
    let goroot_src = context.goroot.join("src");
    let mut roots = vec![goroot_src.clone()];
    if gopath_mode && m.pattern != "std" && m.pattern != "cmd" {
        let gopath = context.gopath.iter().map(|dir| dir.join("src"));
        roots.extend(gopath.filter(|src| *src != goroot_src && index.files().is_dir(src)));
    }
    let pattern = (!m.is_meta()).then(|| Pattern::new(&m.pattern));
    let mut have: HashSet<String> = HashSet::from(["builtin".to_owned()]);
    if !context.cgo_enabled {
        have.insert("runtime/cgo".to_owned());
    }
    let mut tree = Tree {
        index,
        context,
        m,
        pattern,
        have,
        warnings: Vec::new(),
    };
    for root in &roots {
        if let Err(error) = tree.visit(root, "") {
            tree.m.errors.push(error.to_string());
        }
    }
    tree.warnings
}

struct Tree<'a> {
    index: &'a Index,
    context: &'a BuildContext,
    m: &'a mut Match,
    pattern: Option<Pattern>,
    have: HashSet<String>,
    warnings: Vec<String>,
}

impl Tree<'_> {
    fn wanted(&self, name: &str) -> bool {
        let last = name.rsplit('/').next().unwrap_or_default();
        if is_hidden(last) {
            return false;
        }
        match self.m.pattern.as_str() {
            "std" if !is_standard_import_path(name) || name == "cmd" => false,
            "cmd" => name == "cmd" || name.starts_with("cmd/"),
            _ => self
                .pattern
                .as_ref()
                .is_none_or(|pattern| pattern.tree_can_match(name)),
        }
    }

    fn visit(&mut self, dir: &Utf8Path, name: &str) -> Result<(), SourceError> {
        let contents = self.index.dir(dir).map_err(lstat_if_missing)?;
        if !name.is_empty() && self.have.insert(name.to_owned()) {
            self.package(dir, name, &contents);
        }
        let join = |sub: &String| {
            if name.is_empty() {
                sub.clone()
            } else {
                format!("{name}/{sub}")
            }
        };
        for link in contents
            .dir_links
            .iter()
            .filter(|_| self.m.pattern.contains("..."))
        {
            if self.wanted(&join(link)) {
                self.warnings
                    .push(format!("ignoring symlink {}", dir.join(link)));
            }
        }
        // What was met in an earlier root hides the directory of this name, but not what lies below it.
        let children = contents
            .subdirs
            .iter()
            .map(|sub| (join(sub), dir.join(sub)));
        let (names, dirs): (Vec<_>, Vec<_>) =
            children.filter(|(name, _)| self.wanted(name)).unzip();
        self.index.prefetch(&dirs);
        for (name, dir) in names.iter().zip(&dirs) {
            self.visit(dir, name)?;
        }
        Ok(())
    }

    fn package(&mut self, dir: &Utf8Path, name: &str, contents: &Arc<DirContents>) {
        if self
            .pattern
            .as_ref()
            .is_some_and(|pattern| !pattern.matches(name))
            || !contents.has_go_files()
        {
            return;
        }
        let package = self.index.package(dir, self.context);
        if package.error.as_ref().is_some_and(SourceError::is_no_go) {
            return;
        }
        // Vendored programs are no commands of the distribution.
        if self.m.pattern == "cmd" && name.starts_with("cmd/vendor") && package.name == "main" {
            return;
        }
        self.m.packages.push(name.to_owned());
    }
}

/// One module's tree, for module-mode walks (`modload.matchPackages`).
pub struct ModuleTree<'a> {
    /// Directory.
    pub dir: &'a Utf8Path,
    /// Import path of the directory (empty for GOROOT/src).
    pub prefix: &'a str,
    /// A main module: nested modules end the walk.
    pub prune_go_mod: bool,
    /// Nothing below a `vendor` directory counts.
    pub prune_vendor: bool,
    /// Wanted are the directories that have no Go files.
    pub bare: bool,
    /// Its `ignore` lines.
    pub ignore: &'a IgnorePatterns,
    /// Is told of directories that are passed over because of those.
    pub note: &'a dyn Fn(&Utf8Path),
}

/// Walks one module's tree; calls `found` with import path and directory of every directory that matches and has Go files
/// (constraints not looked at), or none if the tree asks for those. Directories that cannot be read are passed over.
pub fn walk_module(
    index: &Index,
    tree: &ModuleTree<'_>,
    want: &dyn Fn(&str) -> bool,
    can_match: &dyn Fn(&str) -> bool,
    found: &mut dyn FnMut(String, Utf8PathBuf),
) {
    walk_module_dir(
        index,
        tree,
        (tree.dir, tree.prefix, ""),
        &Asks { want, can_match },
        found,
    );
}

struct Asks<'a> {
    want: &'a dyn Fn(&str) -> bool,
    can_match: &'a dyn Fn(&str) -> bool,
}

fn walk_module_dir(
    index: &Index,
    tree: &ModuleTree<'_>,
    (dir, path, relative): (&Utf8Path, &str, &str),
    asks: &Asks<'_>,
    found: &mut dyn FnMut(String, Utf8PathBuf),
) {
    let Ok(contents) = index.dir(dir) else { return };
    let top = relative.is_empty();
    if !top && tree.prune_go_mod && contents.has_go_mod {
        return;
    }
    if !path.is_empty() && contents.has_go_files() != tree.bare && (asks.want)(path) {
        found(path.to_owned(), dir.to_owned());
    }
    let join = |front: &str, sub: &str| {
        if front.is_empty() {
            sub.to_owned()
        } else {
            format!("{front}/{sub}")
        }
    };
    for sub in &contents.subdirs {
        let (child, relative) = (join(path, sub), join(relative, sub));
        let pruned = is_hidden(sub)
            || (dir.ends_with("vendor") && tree.prune_vendor && !top)
            || !(asks.can_match)(&child);
        if !pruned && tree.ignore.should_ignore(&relative) {
            (tree.note)(&dir.join(sub));
        } else if !pruned {
            walk_module_dir(
                index,
                tree,
                (&dir.join(sub), &child, &relative),
                asks,
                found,
            );
        }
    }
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;

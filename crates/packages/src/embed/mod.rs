//! `//go:embed` patterns to files.
//!
//! What a pattern may take in is what a module's zip would hold: no nested modules, no links, no names that a module cannot
//! carry. Files that begin with `.` or `_` inside a directory that a pattern names need the prefix `all:`.

mod glob;

use camino::{Utf8Path, Utf8PathBuf};
use glob::Glob;
use std::collections::{BTreeMap, BTreeSet};
use steady_system::{FileKind, Files};

/// What patterns matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// All files, relative to the package directory, sorted.
    pub files: Vec<String>,
    /// Pattern to its files, sorted.
    pub patterns: BTreeMap<String, Vec<String>>,
}

/// A pattern that cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern {pattern}: {message}")]
pub struct EmbedError {
    /// The pattern.
    pub pattern: String,
    /// go's words.
    pub message: String,
}

/// Resolves patterns of a package in `dir`; on the first error what was resolved before it is lost, as in go.
pub fn resolve<'p>(
    files: &Files,
    dir: &Utf8Path,
    patterns: impl IntoIterator<Item = &'p str>,
) -> Result<Embedded, EmbedError> {
    resolve_with(files, dir, patterns, false)
}

/// As [`resolve`]; `follow_links`: a link to a regular file counts as one (`GODEBUG=embedfollowsymlinks=1`).
pub fn resolve_with<'p>(
    files: &Files,
    dir: &Utf8Path,
    patterns: impl IntoIterator<Item = &'p str>,
    follow_links: bool,
) -> Result<Embedded, EmbedError> {
    let mut resolver = Resolver {
        files,
        dir,
        follow_links,
        good_dirs: BTreeSet::new(),
    };
    let (mut embedded, mut all) = (Embedded::default(), BTreeSet::new());
    for pattern in patterns {
        let list = resolver.pattern(pattern).map_err(|message| EmbedError {
            pattern: pattern.to_owned(),
            message,
        })?;
        all.extend(list.iter().cloned());
        embedded
            .patterns
            .insert(pattern.to_owned(), list.into_iter().collect());
    }
    embedded.files = all.into_iter().collect();
    Ok(embedded)
}

struct Resolver<'a> {
    files: &'a Files,
    dir: &'a Utf8Path,
    follow_links: bool,
    /// Paths relative to `dir` that were found to lie in this module.
    good_dirs: BTreeSet<String>,
}

impl Resolver<'_> {
    fn pattern(&mut self, pattern: &str) -> Result<BTreeSet<String>, String> {
        let (glob, all) = match pattern.strip_prefix("all:") {
            Some(rest) => (rest, true),
            None => (pattern, false),
        };
        let valid_path = glob
            .split('/')
            .all(|element| !matches!(element, "" | "." | ".."));
        let globs: Option<Vec<Glob>> = glob.split('/').map(Glob::new).collect();
        let (true, Some(_)) = (valid_path, globs) else {
            return Err("invalid pattern syntax".to_owned());
        };
        let mut list = BTreeSet::new();
        for relative in self.matches(glob) {
            self.take(&relative, all, &mut list)?;
        }
        if list.is_empty() {
            return Err("no matching files found".to_owned());
        }
        Ok(list)
    }

    /// Existing paths below the directory that match; directories that cannot be read match nothing.
    fn matches(&self, pattern: &str) -> Vec<String> {
        if !glob::is_pattern(pattern) {
            let there = self.files.lstat(self.dir.join(pattern)).is_ok();
            return if there {
                vec![pattern.to_owned()]
            } else {
                Vec::new()
            };
        }
        let (parents, last) = match pattern.rsplit_once('/') {
            Some((front, last)) => (self.matches(front), last),
            None => (vec![String::new()], pattern),
        };
        let Some(glob) = Glob::new(last) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for parent in parents {
            let dir = if parent.is_empty() {
                self.dir.to_owned()
            } else {
                self.dir.join(&parent)
            };
            let entries = if self.files.is_dir(&dir) {
                self.files.read_dir(&dir)
            } else {
                continue;
            };
            let names = entries
                .unwrap_or_default()
                .into_iter()
                .map(|entry| entry.name);
            found.extend(
                names
                    .filter(|name| glob.matches(name))
                    .map(|name| join(&parent, &name)),
            );
        }
        found
    }

    fn take(
        &mut self,
        relative: &str,
        all: bool,
        list: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        let path = self.dir.join(relative);
        let kind = self
            .files
            .lstat(&path)
            .map_err(|error| error.to_string())?
            .kind;
        let what = if kind == FileKind::Dir {
            "directory"
        } else {
            "file"
        };
        self.check_way(relative)
            .map_err(|why| format!("cannot embed {what} {relative}: {why}"))?;
        match kind {
            FileKind::File => {
                list.insert(relative.to_owned());
            }
            FileKind::Dir => {
                let before = list.len();
                let mut count = 0;
                self.tree(&path, relative, all, &mut count, list)?;
                if count == 0 && list.len() == before {
                    return Err(format!(
                        "cannot embed directory {relative}: contains no embeddable files"
                    ));
                }
            }
            FileKind::Symlink if self.follow_links => {
                if self
                    .files
                    .stat(&path)
                    .map_err(|error| error.to_string())?
                    .kind
                    != FileKind::File
                {
                    return Err(format!("cannot embed irregular file {relative}"));
                }
                list.insert(relative.to_owned());
            }
            _ => return Err(format!("cannot embed irregular file {relative}")),
        }
        Ok(())
    }

    /// Holds every element of the way from the file up to the package against what a module can carry.
    fn check_way(&mut self, relative: &str) -> Result<(), String> {
        let mut way = relative;
        while !way.is_empty() && !self.good_dirs.contains(way) {
            let path = self.dir.join(way);
            if self.files.exists(path.join("go.mod")) {
                return Err("in different module".to_owned());
            }
            let leaf = way == relative;
            if !leaf && self.files.lstat(&path).is_ok_and(|meta| !meta.is_dir()) {
                return Err(format!("in non-directory {way}"));
            }
            self.good_dirs.insert(way.to_owned());
            let (front, name) = way.rsplit_once('/').unwrap_or(("", way));
            if is_bad_name(name) {
                return Err(match leaf {
                    true => format!("invalid name {name}"),
                    false => format!("in invalid directory {name}"),
                });
            }
            way = front;
        }
        Ok(())
    }

    /// Files of a directory that a pattern names.
    fn tree(
        &self,
        dir: &Utf8PathBuf,
        relative: &str,
        all: bool,
        count: &mut usize,
        list: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        if self.files.exists(dir.join("go.mod")) {
            return Ok(());
        }
        for entry in self
            .files
            .read_dir(dir)
            .map_err(|error| error.to_string())?
        {
            let (name, child) = (&entry.name, join(relative, &entry.name));
            let hidden = name.starts_with(['.', '_']);
            if is_bad_name(name) || (hidden && !all) {
                if entry.kind == FileKind::Dir || hidden {
                    continue;
                }
                return Err(format!("cannot embed file {child}: invalid name {name}"));
            }
            match entry.kind {
                FileKind::Dir => self.tree(&dir.join(name), &child, all, count, list)?,
                FileKind::File => {
                    *count += 1;
                    list.insert(child);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn join(front: &str, name: &str) -> String {
    if front.is_empty() {
        name.to_owned()
    } else {
        format!("{front}/{name}")
    }
}

/// Names that a module's zip cannot or will not hold.
fn is_bad_name(name: &str) -> bool {
    matches!(name, "" | ".bzr" | ".hg" | ".git" | ".svn")
        || steady_module::path::check_file_path(name).is_err()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)] // fixtures are written to a real directory
    use super::*;

    fn package(files: &[&str]) -> (tempfile::TempDir, Utf8PathBuf) {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(temp.path().canonicalize().unwrap()).unwrap();
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        (temp, root)
    }

    fn embed(root: &Utf8Path, patterns: &[&str]) -> Result<Vec<String>, String> {
        let found = resolve(&Files::new(root), root, patterns.iter().copied());
        found
            .map(|embedded| embedded.files)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn files_and_trees() {
        let (_temp, root) = package(&[
            "a.txt",
            "b.txt",
            ".h",
            "d/x",
            "d/.y",
            "d/_z",
            "d/e/f",
            "d/m/go.mod",
            "d/m/n",
            "d/.git/q",
        ]);
        assert_eq!(embed(&root, &["*.txt"]).unwrap(), ["a.txt", "b.txt"]);
        assert_eq!(embed(&root, &["d"]).unwrap(), ["d/e/f", "d/x"]);
        assert_eq!(
            embed(&root, &["all:d"]).unwrap(),
            ["d/.y", "d/_z", "d/e/f", "d/x"]
        );
        assert_eq!(
            embed(&root, &[".h", "d/*/f", "d/e"]).unwrap(),
            [".h", "d/e/f"]
        );
        let map = resolve(&Files::new(&root), &root, ["a.txt", "d/e"])
            .unwrap()
            .patterns;
        assert_eq!(map["d/e"], ["d/e/f"]);
    }

    #[test]
    fn errors() {
        let (_temp, root) = package(&[
            "a",
            "m/go.mod",
            "m/x",
            "empty/.x",
            "bad/con.txt",
            "v/.git/x",
            "d/a*b",
        ]);
        std::os::unix::fs::symlink("a", root.join("link")).unwrap();
        std::os::unix::fs::symlink("d", root.join("dlink")).unwrap();
        for (pattern, want) in [
            ("nothing", "no matching files found"),
            ("[", "invalid pattern syntax"),
            (".", "invalid pattern syntax"),
            ("../x", "invalid pattern syntax"),
            ("a/", "invalid pattern syntax"),
            ("m", "cannot embed directory m: in different module"),
            ("m/x", "cannot embed file m/x: in different module"),
            (
                "empty",
                "cannot embed directory empty: contains no embeddable files",
            ),
            ("link", "cannot embed irregular file link"),
            ("dlink/*", "cannot embed file dlink/a*b: invalid name a*b"),
            ("v/.git", "cannot embed directory v/.git: invalid name .git"),
            (
                "v/.git/x",
                "cannot embed file v/.git/x: in invalid directory .git",
            ),
            ("d", "cannot embed file d/a*b: invalid name a*b"),
            (
                "bad/con.txt",
                "cannot embed file bad/con.txt: invalid name con.txt",
            ),
        ] {
            assert_eq!(
                embed(&root, &[pattern]).unwrap_err(),
                format!("pattern {pattern}: {want}")
            );
        }
        let followed = resolve_with(&Files::new(&root), &root, ["link"], true).unwrap();
        assert_eq!(followed.files, ["link"]);
    }
}

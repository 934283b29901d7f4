//! What git knows of the tree: what is committed, what differs from that, what is ignored, what lies in submodules.
//!
//! git is asked once, by three questions of which two at the same time; nearly everything else follows from the answers.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};
use steady_system::process::Command;
use steady_system::{Environment, Files, Overlay};

/// Why git could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("git {command}: {reason}")]
pub struct GitError {
    /// The words after `git`.
    pub command: String,
    /// What went wrong.
    pub reason: String,
}

/// What a committed path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracked {
    /// A file.
    File,
    /// A symbolic link.
    Symlink,
    /// A submodule: an empty directory in a plain clone.
    Submodule,
}

/// What a path that is here has to do with what is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is committed as it is here.
    Committed,
    /// It is committed, and differs from that here.
    Changed,
    /// It is not committed.
    Untracked,
    /// It is not committed, and a rule says that it never will be.
    Ignored,
    /// It lies in a submodule.
    Submodule,
}

/// A repository with a commit. Paths are relative to its root, with slashes.
#[derive(Debug, Clone, Default)]
pub struct Repository {
    /// The top of the working tree.
    pub root: Utf8PathBuf,
    /// What HEAD has.
    pub tracked: BTreeMap<String, Tracked>,
    /// Committed paths that are different here, or gone.
    pub changed: BTreeSet<String>,
    /// What is here and not committed; a name with a slash at its end is a whole directory.
    pub untracked: BTreeSet<String>,
    /// What is here and ignored; likewise.
    pub ignored: BTreeSet<String>,
    environment: Option<Environment>,
    /// Answers that several ask for.
    later: Arc<Later>,
}

/// What git is asked when somebody wants to know.
#[derive(Debug, Default)]
struct Later {
    tags: OnceLock<BTreeSet<String>>,
    generate_lines: OnceLock<Vec<GenerateLine>>,
}

/// A line that says how code is generated: file, number, and the command.
pub type GenerateLine = (String, usize, String);

impl Repository {
    /// Asks git about the repository that a directory is in. `None`: there is none, or it has no commit yet, or there is no git.
    ///
    /// # Errors
    /// git cannot answer for another reason.
    pub fn read(environment: &Environment, dir: &Utf8Path) -> Result<Option<Repository>, GitError> {
        let environment = environment
            .clone()
            .in_dir(dir)
            .with("GIT_OPTIONAL_LOCKS", "0");
        let top = match ask(
            &environment,
            &["rev-parse", "--show-toplevel", "HEAD"],
            None,
        ) {
            Ok(top) => top,
            // What is committed must not be taken for unknown because somebody else owns the files.
            Err(error) if error.reason.contains("dubious ownership") => return Err(error),
            Err(_) => return Ok(None),
        };
        let top = String::from_utf8_lossy(&top).into_owned();
        let Some(root) = top.lines().next().filter(|root| !root.is_empty()) else {
            return Ok(None);
        };
        // git says where links lead to in the end; paths here are told as the user came to them.
        let root = own_name(dir, Utf8Path::new(root));
        let environment = environment.in_dir(&root);
        let (tree, status) = std::thread::scope(|scope| {
            let tree = scope.spawn(|| ask(&environment, &["ls-tree", "-r", "-z", "HEAD"], None));
            let words = [
                "status",
                "--porcelain=v1",
                "-z",
                "--no-renames",
                "--untracked-files=all",
                "--ignored=matching",
            ];
            let status = ask(&environment, &words, None);
            (tree.join().expect("asking git does not panic"), status)
        });
        let mut repository = Repository {
            root,
            environment: Some(environment),
            ..Repository::default()
        };
        repository.take_tree(&String::from_utf8_lossy(&tree?));
        repository.take_status(&String::from_utf8_lossy(&status?));
        Ok(Some(repository))
    }

    fn take_tree(&mut self, text: &str) {
        for line in text.split('\0') {
            let Some((kind, path)) = line.split_once('\t') else {
                continue;
            };
            let tracked = match kind.split(' ').next() {
                Some("120000") => Tracked::Symlink,
                Some("160000") => Tracked::Submodule,
                _ => Tracked::File,
            };
            self.tracked.insert(path.to_owned(), tracked);
        }
    }

    fn take_status(&mut self, text: &str) {
        for entry in text.split('\0').filter(|entry| entry.len() > 3) {
            let (status, path) = entry.split_at(3);
            let path = path.to_owned();
            match status.trim_end() {
                "!!" => self.ignored.insert(path),
                _ if self.tracked.contains_key(&path) => self.changed.insert(path),
                _ => self.untracked.insert(path),
            };
        }
        let submodule = |path: &String| self.tracked.get(path) == Some(&Tracked::Submodule);
        self.changed.retain(|path| !submodule(path));
    }

    /// Whether what is here is what is committed, and there is nothing besides.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.changed.is_empty() && self.untracked.is_empty() && self.ignored.is_empty()
    }

    /// Committed symbolic links.
    pub fn symlinks(&self) -> impl Iterator<Item = &str> {
        let all = self.tracked.iter();
        all.filter(|(_, kind)| **kind == Tracked::Symlink)
            .map(|(path, _)| path.as_str())
    }

    /// The path from the root, if it lies in the repository.
    #[must_use]
    pub fn relative<'a>(&self, path: &'a Utf8Path) -> Option<&'a str> {
        path.strip_prefix(&self.root).ok().map(Utf8Path::as_str)
    }

    /// How a path that is here stands to what is committed; `None` outside of the repository. Of a directory: as what is in it, if
    /// nothing of that is committed.
    #[must_use]
    pub fn standing(&self, path: &Utf8Path) -> Option<Standing> {
        let path = self.relative(path)?;
        if self.changed.contains(path) {
            return Some(Standing::Changed);
        }
        let submodules = self
            .tracked
            .iter()
            .filter(|(_, kind)| **kind == Tracked::Submodule);
        if submodules.into_iter().any(|(at, _)| below(path, at)) {
            return Some(Standing::Submodule);
        }
        if path.is_empty() || self.tracked.contains_key(path) || has_below(&self.tracked, path) {
            return Some(Standing::Committed);
        }
        let within = |set: &BTreeSet<String>| {
            set.contains(path)
                || set
                    .iter()
                    .any(|dir| dir.ends_with('/') && below(path, dir.trim_end_matches('/')))
                || set
                    .range(format!("{path}/")..)
                    .next()
                    .is_some_and(|next| below(next, path))
        };
        if within(&self.ignored) {
            return Some(Standing::Ignored);
        }
        if within(&self.untracked) {
            return Some(Standing::Untracked);
        }
        // An empty directory: git keeps none.
        Some(Standing::Untracked)
    }

    /// The committed state as an overlay over the tree. What was changed is read from `store`, where it is put.
    ///
    /// # Errors
    /// git does not give the contents, or they cannot be written.
    pub fn committed(&self, files: &Files, store: &Utf8Path) -> Result<Overlay, GitError> {
        let mut pairs: BTreeMap<Utf8PathBuf, Utf8PathBuf> = BTreeMap::new();
        let gone = self.untracked.iter().chain(&self.ignored);
        let submodules = self
            .tracked
            .iter()
            .filter(|(_, kind)| **kind == Tracked::Submodule);
        for path in gone.chain(submodules.map(|(path, _)| path)) {
            let path = self.root.join(path.trim_end_matches('/'));
            pairs.insert(path, Utf8PathBuf::new());
        }
        // A path may be committed, and here nevertheless untracked or ignored: what is committed counts.
        let contents = self.contents(&self.changed)?;
        for (at, (path, contents)) in contents.into_iter().enumerate() {
            let to = store.join(at.to_string());
            files
                .write(&to, &contents, 0o600)
                .map_err(|error| GitError {
                    command: format!("show HEAD:{path}"),
                    reason: error.to_string(),
                })?;
            pairs.insert(self.root.join(path), to);
        }
        Overlay::of(pairs).map_err(|error| GitError {
            command: "status".into(),
            reason: error.to_string(),
        })
    }

    /// What HEAD has at these paths.
    fn contents(&self, paths: &BTreeSet<String>) -> Result<Vec<(String, Vec<u8>)>, GitError> {
        let Some(environment) = self.environment.as_ref().filter(|_| !paths.is_empty()) else {
            return Ok(Vec::new());
        };
        let asked: String = paths.iter().map(|path| format!("HEAD:{path}\n")).collect();
        let answer = ask(environment, &["cat-file", "--batch"], Some(asked))?;
        let mut rest = answer.as_slice();
        let mut all = Vec::new();
        for path in paths {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                break;
            };
            let header = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let size = header
                .rsplit(' ')
                .next()
                .and_then(|size| size.parse::<usize>().ok());
            if let Some(size) = size.filter(|size| rest.len() > *size) {
                all.push((path.clone(), rest[..size].to_vec()));
                rest = &rest[size + 1..];
            }
        }
        Ok(all)
    }

    /// The rule that ignores a path, as `FILE:LINE:PATTERN`; empty if git knows of none.
    #[must_use]
    pub fn ignored_by(&self, path: &str) -> String {
        let Some(environment) = &self.environment else {
            return String::new();
        };
        let answer = ask(environment, &["check-ignore", "-v", path], None).unwrap_or_default();
        let text = String::from_utf8_lossy(&answer).into_owned();
        text.split('\t')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// Asks what takes git a while, so that it is known when somebody wants it.
    pub fn look_ahead(&self) {
        let _ = (self.tags(), self.generate_lines());
    }

    /// Committed lines that say how code is generated.
    #[must_use]
    pub fn generate_lines(&self) -> &[GenerateLine] {
        let known = &self.later.generate_lines;
        known.get_or_init(|| self.ask_generate_lines())
    }

    fn ask_generate_lines(&self) -> Vec<GenerateLine> {
        let Some(environment) = &self.environment else {
            return Vec::new();
        };
        // The tree is read faster than what is packed, and is the same but for what was changed.
        let same = !self.changed.iter().any(|path| path.ends_with(".go"));
        let mut words = vec!["grep", "-n", "-z", "-F", "-e", "//go:generate "];
        words.extend((!same).then_some("HEAD"));
        words.extend(["--", "*.go"]);
        let answer = ask(environment, &words, None).unwrap_or_default();
        let text = String::from_utf8_lossy(&answer);
        let lines = text.lines().filter_map(|line| {
            let line = if same {
                Some(line)
            } else {
                line.strip_prefix("HEAD:")
            };
            let (file, rest) = line?.split_once('\0')?;
            let (number, text) = rest.split_once('\0')?;
            let command = text.strip_prefix("//go:generate ")?;
            Some((
                file.to_owned(),
                number.parse().ok()?,
                command.trim().to_owned(),
            ))
        });
        lines.collect()
    }

    /// When a committed path was last changed, in seconds since 1970.
    #[must_use]
    pub fn last_change(&self, path: &str) -> Option<i64> {
        let environment = self.environment.as_ref()?;
        let answer = ask(
            environment,
            &["log", "-1", "--format=%ct", "--", path],
            None,
        )
        .ok()?;
        String::from_utf8_lossy(&answer).trim().parse().ok()
    }

    /// The tags of the repository; empty where git does not say.
    #[must_use]
    pub fn tags(&self) -> &BTreeSet<String> {
        self.later.tags.get_or_init(|| {
            let environment = self.environment.as_ref();
            let answer = environment.and_then(|one| ask(one, &["tag", "--list"], None).ok());
            let text = String::from_utf8(answer.unwrap_or_default()).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        })
    }
}

/// The name of the root that the directory's own name begins with, if links led there.
fn own_name(dir: &Utf8Path, root: &Utf8Path) -> Utf8PathBuf {
    if dir.starts_with(root) {
        return root.to_owned();
    }
    let same = |one: &Utf8Path| {
        let real = one.canonicalize_utf8().ok();
        real.is_some_and(|real| real == root)
    };
    let own = dir.ancestors().find(|one| same(one));
    own.unwrap_or(root).to_owned()
}

/// Whether a path is a directory's or lies in it.
fn below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn has_below(tracked: &BTreeMap<String, Tracked>, dir: &str) -> bool {
    let from = format!("{dir}/");
    tracked
        .range(from.clone()..)
        .next()
        .is_some_and(|(path, _)| path.starts_with(&from))
}

fn ask(
    environment: &Environment,
    words: &[&str],
    input: Option<String>,
) -> Result<Vec<u8>, GitError> {
    let fail = |reason: String| GitError {
        command: words.join(" "),
        reason,
    };
    let mut command = Command::new("git", environment);
    command.args(words);
    if let Some(input) = input {
        command.input(input);
    }
    let output = command.output().map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(fail(format!("{}: {text}", output.status)));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> Repository {
        let mut repository = Repository {
            root: "/r".into(),
            ..Repository::default()
        };
        repository.take_tree("100644 blob 1\ta.go\x00100644 blob 2\tp/b.go\x00160000 commit 3\tsub\x00120000 blob 4\tl.go\0");
        repository.take_status(" M a.go\0?? n/new.go\0!! out/\0 M sub\0");
        repository
    }

    #[test]
    fn standings() {
        let repository = repository();
        let of = |path: &str| repository.standing(Utf8Path::new(path));
        assert_eq!(of("/r/a.go"), Some(Standing::Changed));
        assert_eq!(of("/r/p"), Some(Standing::Committed));
        assert_eq!(of("/r/p/b.go"), Some(Standing::Committed));
        assert_eq!(of("/r/n"), Some(Standing::Untracked));
        assert_eq!(of("/r/n/new.go"), Some(Standing::Untracked));
        assert_eq!(of("/r/out/x/y.go"), Some(Standing::Ignored));
        assert_eq!(of("/r/sub/z"), Some(Standing::Submodule));
        assert_eq!(of("/elsewhere"), None);
        assert!(!repository.is_clean() && !repository.changed.contains("sub"));
    }

    #[test]
    fn the_committed_state_hides_what_is_not_committed() {
        let mut repository = repository();
        repository.changed.clear();
        let files = Files::new("/r");
        let overlay = repository.committed(&files, Utf8Path::new("/t")).unwrap();
        let gone: Vec<&str> = overlay.entries().map(|(from, _)| from.as_str()).collect();
        assert_eq!(gone, ["/r/n/new.go", "/r/out", "/r/sub"]);
    }
}

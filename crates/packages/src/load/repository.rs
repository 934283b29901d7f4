//! Which repository a directory lies in, and what version control says of the one that a build takes place in.

use camino::{Utf8Path, Utf8PathBuf};
use steady_system::Files;

/// Names that mark the root of a repository, whether they are directories, and the program that knows it.
const MARKS: [(&str, bool, &str); 6] = [
    (".hg", true, "hg"),
    (".git", true, "git"),
    (".svn", true, "svn"),
    (".bzr", true, "bzr"),
    (".fslckout", false, "fossil"),
    ("_FOSSIL_", false, "fossil"),
];

/// A repository's working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its root directory.
    pub root: Utf8PathBuf,
    /// The program that knows it: `git`, `hg`, `svn`, `bzr` or `fossil`.
    pub program: &'static str,
}

impl Repository {
    /// The repository that a directory lies in. Repositories of several programs within one another are refused, because one of them
    /// may have been planted there; `many` (`GODEBUG=allowmultiplevcs=1`) takes the innermost.
    ///
    /// # Errors
    /// The repositories, in go's words.
    pub fn around(dir: &Utf8Path, files: &Files, many: bool) -> Result<Option<Repository>, String> {
        let mut found: Option<Repository> = None;
        for dir in dir.ancestors() {
            for (name, is_dir, program) in MARKS {
                let mark = dir.join(name);
                let is_root = if is_dir {
                    files.is_dir(&mark)
                } else {
                    files.is_file(&mark)
                };
                if !is_root {
                    continue;
                }
                match &found {
                    None => {
                        let root = dir.to_owned();
                        found = Some(Repository { root, program });
                        if many {
                            return Ok(found);
                        }
                    }
                    // Submodules.
                    Some(inner) if inner.program == "git" && program == "git" => {}
                    Some(Repository {
                        root,
                        program: first,
                    }) => {
                        return Err(format!(
                            "multiple VCS detected: {first} in {root:?}, and {program} in {dir:?}"
                        ));
                    }
                }
            }
        }
        Ok(found)
    }
}

/// What programs are to be stamped with from version control.
#[derive(Debug, Clone, Default)]
pub enum VcsStamp {
    /// Nothing.
    #[default]
    None,
    /// It was asked for and cannot be had, for this reason.
    Refused(String),
    /// What is said of the working directory's repository.
    Tree(WorkingTree),
}

/// The working directory's repository and its state.
#[derive(Debug, Clone)]
pub struct WorkingTree {
    /// Root of the repository. Its tags give main modules a version in place of `(devel)`.
    pub root: Utf8PathBuf,
    /// `vcs`, `vcs.revision`, `vcs.time`, `vcs.modified`; or why the program did not tell.
    pub state: Result<Vec<(String, String)>, String>,
    /// Programs of other repositories are refused (`-buildvcs`), not just left without a stamp.
    pub strict: bool,
    /// See [`Repository::around`].
    pub many: bool,
}

impl WorkingTree {
    /// The stamps of a program: none if its package or its module lie in another repository.
    ///
    /// # Errors
    /// Why there are none although they were asked for.
    pub(super) fn stamps(
        &self,
        package: &Utf8Path,
        module: &Utf8Path,
        files: &Files,
    ) -> Result<&[(String, String)], String> {
        if !module.starts_with(&self.root) && !self.root.starts_with(module) {
            return Ok(&[]);
        }
        for (what, dir) in [("package", package), ("module", module)] {
            let found = Repository::around(dir, files, self.many)?;
            let other = found.map_or_else(Utf8PathBuf::new, |found| found.root);
            if other != self.root {
                if self.strict {
                    return Err(format!(
                        "main {what} is in repository {other:?} but current directory is in repository {:?}",
                        self.root
                    ));
                }
                return Ok(&[]);
            }
        }
        self.state.as_deref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_within_repositories() {
        let place = tempfile::tempdir().unwrap();
        let top = Utf8PathBuf::from_path_buf(place.path().to_owned()).unwrap();
        let files = Files::new(&top);
        let make = |dir: &str| files.create_dir_all(top.join(dir)).unwrap();
        make("git/.git");
        make("git/module/.git");
        make("git/plain");
        make("git/planted/.hg");
        let around = |dir: &str, many| {
            let found = Repository::around(&top.join(dir), &files, many);
            found.map(|found| found.map(|found| (found.root, found.program)))
        };
        assert_eq!(
            around("git/plain", false),
            Ok(Some((top.join("git"), "git")))
        );
        let submodule = Ok(Some((top.join("git/module"), "git")));
        assert_eq!(around("git/module", false), submodule);
        let refused = around("git/planted", false).unwrap_err();
        assert!(
            refused.starts_with("multiple VCS detected: hg in "),
            "{refused}"
        );
        assert_eq!(
            around("git/planted", true),
            Ok(Some((top.join("git/planted"), "hg")))
        );
    }
}

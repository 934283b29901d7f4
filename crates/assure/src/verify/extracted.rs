//! The extracted tree of a module: each file against its entry in the zip, or without a zip the whole against its sum.

use camino::Utf8PathBuf;
use std::time::Instant;
use steady_module::amount::amount;
use steady_proxy::zip::{FileHashes, hash1};
use steady_system::FileKind;

use super::cache::Place;
use super::pass::{EDITED, Look, Passed};
use super::toolchain::Rules;
use super::tree::{Against, Listed, Print, Seen};
use super::{Failure, Link, Problem};

const PATCHED: &str =
    "the distribution is not the release: a distributor's patch, an editor, or somebody hostile";

/// The tree of one item while its zip is read.
pub(super) struct Tree<'a> {
    look: &'a Look<'a>,
    listed: Listed,
    /// Files with other permissions.
    modes: Vec<(Utf8PathBuf, u32, &'static str)>,
}

/// A file of the tree that an entry of the zip should be.
pub(super) struct Placed {
    /// Its name below the tree.
    name: String,
    pub against: Against,
}

impl<'a> Tree<'a> {
    /// Lists it. `None`: there is none, or it cannot be, which has been told.
    pub fn list(look: &'a Look<'a>, passed: &mut Passed) -> Option<Tree<'a>> {
        let Place::Complete(dir) = &look.item.place else {
            return None;
        };
        let since = Instant::now();
        let files = look.chain.files;
        let is_dir = files.lstat(dir).is_ok_and(|meta| meta.is_dir());
        let listed = if is_dir || look.item.rules == Rules::Distribution {
            Listed::new(
                files,
                &files.canonicalize(dir).unwrap_or_else(|_| dir.clone()),
            )
            .map_err(|error| (Problem::Unreadable, error.to_string()))
        } else {
            Err((Problem::Linked, "a link, or no directory".to_owned()))
        };
        passed.tree.elapsed += since.elapsed();
        match listed {
            Ok(listed) => Some(Tree {
                look,
                listed,
                modes: Vec::new(),
            }),
            Err((problem, found)) => {
                let failure = look.tree_failure(problem, dir.clone());
                let expected = "a directory with the files of the zip";
                passed.tree.failures.push(failure.saying(expected, found));
                None
            }
        }
    }

    /// The files that an entry of the zip should be, opened.
    pub fn places(&mut self, name: &str) -> Vec<Placed> {
        let (rules, files) = (self.look.item.rules, self.look.chain.files);
        let listed = &mut self.listed;
        let copy = rules.copy(name).filter(|copy| listed.take(copy).is_some());
        let names = rules.place(name).into_iter().chain(copy);
        names
            .filter_map(|name| {
                let kind = listed.take(&name);
                if kind.is_none() && listed.is_behind_link(&name) {
                    return None;
                }
                Some(Placed {
                    against: Against::open(files, listed.path(&name), kind),
                    name,
                })
            })
            .collect()
    }

    /// What came of one of them, now that all of the entry has gone by. `entry`: its name in the zip.
    pub fn settle(&mut self, entry: &str, file: Placed, want: Print, passed: &mut Passed) {
        let (look, rules) = (self.look, self.look.item.rules);
        passed.tree.checked += 1;
        passed.tree.bytes += want.size;
        let (path, seen) = file.against.finish();
        let Seen {
            mode,
            links,
            differs,
        } = match seen {
            Ok(seen) => seen,
            Err((problem, found)) => {
                let failure = look.tree_failure(problem, path);
                let failure = failure.saying(want.to_string(), found);
                passed.tree.failures.push(match problem {
                    Problem::Unreadable => failure,
                    Problem::Missing => look.fixed(
                        failure
                            .because("somebody removed it, or the file system lost it in a crash"),
                        entry,
                    ),
                    _ => look.fixed(failure, entry),
                });
                return;
            }
        };
        if let Some(difference) = differs {
            let (problem, cause) = difference.kind();
            let failure = look
                .tree_failure(problem, path.clone())
                .saying(want.to_string(), difference.print.to_string());
            let failure = match cause {
                Some(cause) => failure.because(cause),
                None => failure,
            };
            passed.tree.failures.push(look.fixed(failure, entry));
        }
        if links > 1 {
            passed.hard_links += 1;
        }
        if let Some(what) = rules.mode_error(&file.name, mode) {
            self.modes.push((path, mode, what));
        }
    }

    /// What only shows at the end: files that the zip lacks, and permissions.
    pub fn finish(self, passed: &mut Passed) {
        let look = self.look;
        for extra in self.listed.rest() {
            if look.item.rules.allows(extra.name) {
                continue;
            }
            passed.tree.checked += 1;
            let path = self.listed.path(extra.name);
            let nothing = || "no file: the zip has none of that name".to_owned();
            let mut failure = look
                .tree_failure(extra.problem, path.clone())
                .saying(extra.expected.unwrap_or_else(nothing), extra.found);
            if look.item.rules == Rules::Distribution && extra.problem == Problem::Added {
                failure = failure.fixed_by(format!("rm {path}"));
            }
            passed.tree.failures.push(failure);
        }
        passed.tree.failures.extend(self.modes());
    }

    /// Permissions of a whole tree are changed at once as a rule, and are told once then.
    fn modes(self) -> Vec<Failure> {
        let cause = "chmod, or a copy of the module cache that did not keep permissions: what can be written gets edited";
        let told = |(path, mode, what): (Utf8PathBuf, u32, &str), more: String| {
            self.look
                .tree_failure(Problem::Mode, path)
                .saying("-r--r--r--", format!("{mode:04o}: {what}{more}"))
                .because(cause)
        };
        let count = self.modes.len();
        let mut modes = self.modes.into_iter();
        if count > 3 {
            let first = modes.next();
            let more = format!(
                ", and so with {} of the tree",
                amount(count - 1, ["more file", "more files"])
            );
            return first.into_iter().map(|it| told(it, more.clone())).collect();
        }
        modes.map(|it| told(it, String::new())).collect()
    }
}

impl Look<'_> {
    fn tree_failure(&self, problem: Problem, file: Utf8PathBuf) -> Failure {
        let link = match self.item.rules {
            Rules::Module => Link::Tree,
            _ => Link::Toolchain,
        };
        let cause = match self.item.rules {
            Rules::Distribution => PATCHED,
            _ => EDITED,
        };
        Failure::new(link, problem, file)
            .of(&self.item.module)
            .because(cause)
    }

    /// A distribution is not ours to make anew: each file has its own command.
    fn fixed(&self, failure: Failure, name: &str) -> Failure {
        match (self.item.rules, &self.item.zip) {
            (Rules::Distribution, Some((zip, _))) => {
                let command = format!(
                    "unzip -p {zip} '{}/{name}' > {}",
                    self.item.module, failure.file
                );
                failure.fixed_by(command)
            }
            _ => failure,
        }
    }

    /// A tree without a zip that could be a measure: as a whole it has the sum or it has not. True: it has.
    pub fn tree_alone(&self, passed: &mut Passed) -> bool {
        let since = Instant::now();
        let Some(Tree { mut listed, .. }) = Tree::list(self, passed) else {
            return false;
        };
        let trusted = self.trusted();
        let names: Vec<String> = listed.names().map(str::to_owned).collect();
        let mut hashes = FileHashes::with_capacity(names.len());
        passed.tree.checked += names.len();
        for name in names {
            let path = listed.path(&name);
            let failure = match (listed.take(&name), Print::of_file(self.chain.files, &path)) {
                (Some(FileKind::File), Ok(print)) => {
                    passed.tree.bytes += print.size;
                    hashes.push((format!("{}/{name}", self.item.module), print.hash));
                    continue;
                }
                (Some(FileKind::File), Err(error)) => self
                    .tree_failure(Problem::Unreadable, path)
                    .saying("a file of the module", error),
                _ => self
                    .tree_failure(Problem::Linked, path)
                    .saying("a file of the module", "a link, or no regular file"),
            };
            passed.tree.failures.push(failure);
        }
        let sum = hash1(hashes).unwrap_or_default();
        let right = trusted.contains(&sum.as_str());
        if !right && self.item.rules == Rules::Distribution {
            passed.tree.failures.clear();
        } else if !right && passed.tree.failures.is_empty() {
            let Place::Complete(dir) = &self.item.place else {
                return false;
            };
            let found = format!("{sum}; without a good zip nobody can tell which file it is");
            passed.tree.failures.push(
                self.tree_failure(Problem::Edited, dir.clone())
                    .saying(trusted.join(", "), found),
            );
        }
        passed.tree.elapsed += since.elapsed();
        right
    }
}

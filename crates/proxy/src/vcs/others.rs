//! Mercurial, Subversion, Bazaar and Fossil: one table of commands each, and readers of what they print.
//!
//! | | copy | tags | one revision | files |
//! |---|---|---|---|---|
//! | hg | `hg init`, `hg pull` | `hg tags` | `hg log` | `hg cat`, `hg archive` |
//! | svn | none | directories below `/tags` | `svn log --xml` | `svn cat`, `svn export` |
//! | bzr | `bzr branch`, `bzr pull` | `bzr tags` | `bzr log` | `bzr cat`, `bzr export` |
//! | fossil | `fossil clone`, `fossil pull` | none | `fossil info` | `fossil cat`, `fossil zip` |

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use steady_module::semver;
use steady_system::lock::{self, LockedFile};

use super::Tools;
use super::command::{Call, RunError};
use super::host::{Commit, Host, Tags, moved, no_file, unknown_revision};
use super::root::System;
use super::workdir::WorkDir;
use super::{answers, svn};
use crate::error::Kind;
use crate::{Error, Origin, Result};

/// A repository of one of the four.
pub struct Other {
    tools: Arc<Tools>,
    system: System,
    url: String,
    local: bool,
    dir: Utf8PathBuf,
    lock: Utf8PathBuf,
    tags: OnceLock<BTreeSet<String>>,
    branches: OnceLock<BTreeSet<String>>,
    fetched: OnceLock<Result<()>>,
    repo_sum: OnceLock<String>,
}

type Line = Vec<String>;

fn line<const N: usize>(words: [&str; N]) -> Line {
    words.map(str::to_owned).to_vec()
}

impl Other {
    /// Makes the copy if it is not there; a local repository is taken as it is.
    pub fn open(tools: Arc<Tools>, system: System, url: &str, local: bool) -> Result<Other> {
        let program = system.program();
        let mut other = Other {
            tools,
            system,
            url: url.to_owned(),
            local,
            dir: url.into(),
            lock: format!("{url}.lock").into(),
            tags: OnceLock::new(),
            branches: OnceLock::new(),
            fetched: OnceLock::new(),
            repo_sum: OnceLock::new(),
        };
        if local {
            if !other.tools.files.stat(url)?.is_dir() {
                return Err(Error::other(format!("{url} exists but is not a directory")));
            }
            return Ok(other);
        }
        if !url.contains("://") {
            return Err(Error::other(format!("invalid vcs remote: {program} {url}")));
        }
        let WorkDir { dir, lock } = WorkDir::of(&other.tools, &format!("vcs1.{program}"), url)?;
        (other.dir, other.lock) = (dir, lock);
        let init = match system {
            System::Hg => line(["hg", "init", "."]),
            System::Bzr => line(["bzr", "branch", "--use-existing-dir", "--", url, "."]),
            System::Fossil => line(["fossil", "clone", "--", url, ".fossil"]),
            System::Svn | System::Git | System::Mod => return Ok(other),
        };
        let _lock = other.change()?;
        if !other
            .tools
            .files
            .exists(other.dir.join(format!(".{program}")))
        {
            let made = other
                .run(&init)
                .map_err(Error::from)
                .and_then(|_| other.name_remote());
            if let Err(error) = made {
                let _ = other.tools.files.remove_all(&other.dir);
                return Err(error);
            }
        }
        drop(_lock);
        Ok(other)
    }

    /// Tells Mercurial where to pull from.
    fn name_remote(&self) -> Result<()> {
        if self.system == System::Hg {
            let text = format!("[paths]\ndefault = {}\n", self.url);
            let path = self.dir.join(".hg/hgrc");
            self.tools
                .files
                .write_atomic(path, text.as_bytes(), 0o666)?;
        }
        Ok(())
    }

    /// All commands run under it: which of them only read differs between programs.
    fn change(&self) -> Result<LockedFile> {
        Ok(lock::mutex(&self.lock)?)
    }

    fn run(&self, line: &Line) -> Result<Vec<u8>, RunError> {
        self.run_in(line, &self.dir)
    }

    fn run_in(&self, line: &Line, dir: &Utf8Path) -> Result<Vec<u8>, RunError> {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        self.tools.runner.run(&Call {
            line: &words,
            dir,
            local: self.local,
            variable: None,
        })
    }

    fn latest_name(&self) -> &'static str {
        match self.system {
            System::Hg => "tip",
            System::Bzr => "revno:-1",
            System::Fossil => "trunk",
            _ => "latest",
        }
    }

    /// Names that must not be answered from the copy before it was brought up to date.
    fn moves(&self, rev: &str) -> bool {
        match self.system {
            System::Hg => rev == "tip",
            System::Bzr => rev.starts_with("revno:-"),
            _ => false,
        }
    }

    /// Brings the copy up to date, once.
    fn fetch(&self) -> Result<()> {
        let fetch = || {
            let pull = match self.system {
                System::Hg => line(["hg", "pull", "-f"]),
                System::Bzr => line(["bzr", "pull", "--overwrite-tags"]),
                System::Fossil => line(["fossil", "pull", "-R", ".fossil"]),
                _ => return Ok(()),
            };
            self.run(&pull).map(drop).map_err(Error::from)
        };
        self.fetched.get_or_init(fetch).clone()
    }

    /// The lines of a listing, without names that move; nothing if the command fails.
    fn listing(&self, command: &Line, read: impl Fn(&str) -> &str) -> BTreeSet<String> {
        let output = self.run(command).unwrap_or_default();
        let text = String::from_utf8_lossy(&output);
        let names = text.lines().map(read);
        let good = names.filter(|name| !name.is_empty() && !self.moves(name));
        good.map(str::to_owned).collect()
    }

    fn tag_names(&self) -> &BTreeSet<String> {
        self.tags.get_or_init(|| match self.system {
            System::Hg => {
                let _ = self.fetch();
                self.listing(&line(["hg", "tags", "-q"]), |line| line)
            }
            System::Svn => {
                let trunk = self.url.strip_suffix("/trunk").unwrap_or(&self.url);
                let command = line(["svn", "list", "--", &format!("{trunk}/tags")]);
                // A directory's slash stays, as go has it.
                self.listing(&command, |line| line)
            }
            System::Bzr => self.listing(&line(["bzr", "tags"]), |line| {
                let end = line.find(char::is_whitespace).unwrap_or(line.len());
                &line[..end]
            }),
            _ => BTreeSet::new(),
        })
    }

    fn branch_names(&self) -> &BTreeSet<String> {
        self.branches.get_or_init(|| {
            if self.system != System::Hg {
                return BTreeSet::new();
            }
            let _ = self.fetch();
            self.listing(&line(["hg", "branches", "-c", "-q"]), |line| line)
        })
    }

    /// A Mercurial command that Go's extension adds.
    fn extended(&self, words: &[&str]) -> Option<Line> {
        if self.system != System::Hg {
            return None;
        }
        let extension = self.tools.config.goroot.join("lib/hg/goreposum.py");
        let option = format!("--config=extensions.goreposum={extension}");
        let mut command = vec!["hg".to_owned(), option];
        command.extend(words.iter().map(|word| (*word).to_owned()));
        Some(command)
    }

    /// A checksum of all heads, if the program can tell.
    fn repo_sum(&self) -> &str {
        self.repo_sum.get_or_init(|| {
            let here = self.fetched.get().is_some();
            let place = if here { "." } else { &self.url };
            let command = self.extended(&["goreposum", "--", place]);
            let output = command.and_then(|command| self.run(&command).ok());
            String::from_utf8_lossy(&output.unwrap_or_default())
                .trim()
                .to_owned()
        })
    }

    fn look_up(&self, name: &str) -> Result<String> {
        let command = self.extended(&["golookup", "--", &self.url, name]);
        let command = command.ok_or_else(|| Error::other("no lookupRef"))?;
        Ok(String::from_utf8_lossy(&self.run(&command)?)
            .trim()
            .to_owned())
    }

    fn origin(&self) -> Origin {
        Origin {
            vcs: self.system.program().to_owned(),
            url: self.url.clone(),
            ..Origin::default()
        }
    }

    fn origin_of_all(&self) -> Origin {
        Origin {
            repo_sum: self.repo_sum().to_owned(),
            ..self.origin()
        }
    }

    fn in_copy(&self, rev: &str) -> Result<Commit> {
        let command = match self.system {
            System::Hg => line([
                "hg",
                "log",
                "-l1",
                &format!("--rev={rev}"),
                "--template",
                "{node} {date|hgdate} {tags}",
            ]),
            System::Bzr => {
                let revision = format!("--revision={rev}");
                line(["bzr", "log", "-l1", "--long", "--show-ids", &revision])
            }
            System::Fossil => line(["fossil", "info", "-R", ".fossil", "--", rev]),
            _ => {
                let at = if rev == "latest" {
                    String::new()
                } else {
                    format!("@{rev}")
                };
                line([
                    "svn",
                    "log",
                    "-l1",
                    "--xml",
                    "--",
                    &format!("{}{at}", self.url),
                ])
            }
        };
        let output = self
            .run(&command)
            .map_err(|error| match Error::from(error) {
                error if matches!(error.kind(), Kind::System(_)) => error,
                _ => unknown_revision(rev).with_origin(self.origin_of_all()),
            })?;
        let text = String::from_utf8_lossy(&output);
        let commit = match self.system {
            System::Hg => answers::hg(rev, &text),
            System::Bzr => answers::bzr(rev, &text),
            System::Fossil => answers::fossil(rev, &text),
            _ => svn::commit(rev, &text),
        };
        let mut commit = commit.map_err(|error| Error::from(Kind::Vcs(error)))?;
        let given = commit.name.starts_with(rev) && rev.len() >= 12;
        commit.origin = Some(Origin {
            hash: commit.origin.map(|origin| origin.hash).unwrap_or_default(),
            ref_name: if given { String::new() } else { rev.to_owned() },
            ..self.origin()
        });
        Ok(commit)
    }

    fn unsupported(&self, what: &str) -> Error {
        let text = format!(
            "vcs {}: {what}: unsupported operation",
            self.system.program()
        );
        Kind::Vcs(Error::other(text)).into()
    }
}

impl Host for Other {
    fn check_reuse(&self, old: &Origin, subdir: &str) -> Result<()> {
        let program = self.system.program();
        let changed = |text: String| Err(Error::other(text));
        moved(old, program, &self.url, subdir)?;
        let (named, summed) = (!old.ref_name.is_empty(), !old.repo_sum.is_empty());
        if !named && !summed && !old.hash.is_empty() {
            let hash = self.look_up(&old.hash);
            let hash = hash.map_err(|error| error.context("looking up hash"))?;
            if hash == old.hash {
                return Ok(());
            }
            return changed("hash changed".to_owned());
        }
        if named
            && !summed
            && self
                .look_up(&old.ref_name)
                .is_ok_and(|hash| !hash.is_empty() && hash == old.hash)
        {
            return Ok(());
        }
        let sum = self.repo_sum();
        if sum.is_empty() {
            return changed(format!("vcs {program}: CheckReuse: unsupported operation"));
        }
        if !summed {
            return changed("non-specific origin".to_owned());
        }
        if old.repo_sum != sum {
            return changed("repo changed".to_owned());
        }
        Ok(())
    }

    fn tags(&self, prefix: &str) -> Result<Tags> {
        let _lock = self.change()?;
        let names = self.tag_names().iter();
        let list = names
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect();
        let origin = self.origin_of_all();
        Ok(Tags { origin, list })
    }

    fn stat(&self, rev: &str) -> Result<Commit> {
        let _lock = self.change()?;
        let rev = if rev == "latest" {
            self.latest_name()
        } else {
            rev
        };
        let branches = self.branch_names();
        if self.local {
            return self.in_copy(rev);
        }
        let stays = !self.moves(rev) && !branches.contains(rev);
        if stays && let Ok(commit) = self.in_copy(rev) {
            return Ok(commit);
        }
        self.fetch()?;
        let mut commit = self.in_copy(rev)?;
        if !stays {
            commit.version.clone_from(&commit.name);
        }
        Ok(commit)
    }

    fn latest(&self) -> Result<Commit> {
        self.stat("latest")
    }

    fn read_file(&self, rev: &str, file: &str) -> Result<Vec<u8>> {
        let rev = if rev == "latest" {
            self.latest_name()
        } else {
            rev
        };
        self.stat(rev)?;
        let _lock = self.change()?;
        let command = match self.system {
            System::Hg => line(["hg", "cat", &format!("--rev={rev}"), "--", file]),
            System::Bzr => line(["bzr", "cat", &format!("--revision={rev}"), "--", file]),
            System::Fossil => line([
                "fossil",
                "cat",
                "-R",
                ".fossil",
                &format!("-r={rev}"),
                "--",
                file,
            ]),
            _ => line(["svn", "cat", "--", &format!("{}/{file}@{rev}", self.url)]),
        };
        self.run(&command)
            .map_err(|error| match Error::from(error) {
                error if matches!(error.kind(), Kind::System(_)) => error,
                _ => no_file(),
            })
    }

    fn read_zip(&self, rev: &str, subdir: &str, to: &Utf8Path) -> Result<()> {
        let rev = if rev == "latest" {
            self.latest_name()
        } else {
            rev
        };
        self.stat(rev)?;
        let _lock = self.change()?;
        let below = |option: &str| format!("{option}{subdir}");
        let mut dir = self.dir.as_path();
        let mut command = match self.system {
            System::Hg => {
                let revision = format!("--rev={rev}");
                line([
                    "hg",
                    "archive",
                    "-t",
                    "zip",
                    "--no-decode",
                    &revision,
                    "--prefix=prefix/",
                ])
            }
            System::Bzr => {
                let revision = format!("--revision={rev}");
                line([
                    "bzr",
                    "export",
                    "--format=zip",
                    &revision,
                    "--root=prefix/",
                    "--",
                    to.as_str(),
                ])
            }
            System::Fossil => {
                // It cannot write to an absolute path, so it runs where the file is to be.
                dir = to.parent().unwrap_or(dir);
                let repository = self.dir.join(".fossil");
                line([
                    "fossil",
                    "zip",
                    "-R",
                    repository.as_str(),
                    "--name",
                    "prefix",
                ])
            }
            _ => {
                let run = |command: &Line| self.run(command);
                return svn::export(
                    &self.tools.files,
                    &run,
                    &self.dir,
                    &self.url,
                    rev,
                    subdir,
                    to,
                );
            }
        };
        match self.system {
            System::Hg => {
                if !subdir.is_empty() {
                    command.push(format!("{}/**", below("--include=")));
                }
                command.extend(line(["--", to.as_str()]));
            }
            System::Bzr if !subdir.is_empty() => command.push(below("./")),
            System::Bzr => {}
            _ => {
                if !subdir.is_empty() && !subdir.contains(['*', '?', '[', ']', ',']) {
                    command.push(below("--include="));
                }
                command.extend(line(["--", rev, to.file_name().unwrap_or_default()]));
            }
        }
        self.run_in(&command, dir)?;
        Ok(())
    }

    fn recent_tag(
        &self,
        rev: &str,
        prefix: &str,
        allowed: &dyn Fn(&str) -> bool,
    ) -> Result<Option<String>> {
        if self.system != System::Hg {
            return Ok(None);
        }
        let output = {
            let _lock = self.change()?;
            let set = format!("--rev=ancestors({rev}) and tag()");
            self.run(&line(["hg", "log", &set, "--template", "{tags}\n"]))?
        };
        let text = String::from_utf8_lossy(&output);
        let mut highest = "";
        for tag in text.split_whitespace() {
            if let Some(version) = tag.strip_prefix(prefix).filter(|_| allowed(tag))
                && semver::compare(version, highest).is_gt()
            {
                highest = version;
            }
        }
        Ok((!highest.is_empty()).then(|| format!("{prefix}{highest}")))
    }

    fn descends_from(&self, rev: &str, tag: &str) -> Result<bool> {
        let _lock = self.change()?;
        if self.system != System::Hg {
            return Err(self.unsupported("DescendsFrom"));
        }
        let set = format!("--rev=ancestors({rev}) and {tag}");
        let output = self.run(&line(["hg", "log", &set]))?;
        Ok(!output.trim_ascii().is_empty())
    }
}

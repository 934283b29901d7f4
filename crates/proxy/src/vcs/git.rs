//! Git repositories.
//!
//! The local copy is a bare repository that grows as it must: first single commits without history, by the ref that leads to
//! them; the whole history of all branches and tags only when a hash is not at the end of a ref, or when ancestry is asked for.
//! Commits that no branch or tag leads to (a server may have them for proposed changes) are never fetched by their hash.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use steady_module::semver;
use steady_system::lock::{self, LockedFile};

use super::Tools;
use super::command::{Call, RunError};
use super::host::{
    Commit, Host, Tags, bears_on_versions, checksum, is_hex, moved, no_commits, no_file, shorten,
    unknown_revision,
};
use super::workdir::WorkDir;
use crate::error::Kind;
use crate::http::Url;
use crate::once::OnceMap;
use crate::{Error, Origin, Result, Time};

/// Hexadecimal digits from which on a name may be the start of a hash.
const MIN_HASH: usize = 7;
/// What the copies' layout is called; go's, since it shares them.
const KIND: &str = "git3";

/// A repository, remote with its copy, or local.
pub struct Git {
    tools: Arc<Tools>,
    /// Empty for a local one.
    url: String,
    local: bool,
    dir: Utf8PathBuf,
    lock: Utf8PathBuf,
    /// Digits of a hash: 40 or 64.
    hash_len: usize,
    /// How much was fetched by this process; held while the copy changes.
    fetched: Mutex<Fetched>,
    commits: OnceMap<String, Result<Commit>>,
    refs: OnceLock<Result<Refs>>,
    tags: OnceLock<Mutex<HashSet<String>>>,
}

/// Names of refs (`HEAD`, `refs/heads/x`, `refs/tags/x`) with the commits they stand for.
type Refs = BTreeMap<String, String>;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fetched {
    Nothing,
    SingleCommits,
    Everything,
}

/// The right to change the copy.
struct Change<'a> {
    fetched: MutexGuard<'a, Fetched>,
    _file: LockedFile,
}

impl Git {
    /// Makes the copy's directory if it is not there; a local repository is taken as it is.
    pub fn open(tools: Arc<Tools>, url: &str, local: bool) -> Result<Git> {
        let refuse = |text: String| Err(Error::other(text));
        let mut git = Git {
            url: if local { String::new() } else { url.to_owned() },
            local,
            dir: Utf8PathBuf::new(),
            lock: Utf8PathBuf::new(),
            hash_len: 40,
            fetched: Mutex::new(Fetched::Nothing),
            commits: OnceMap::default(),
            refs: OnceLock::new(),
            tags: OnceLock::new(),
            tools,
        };
        if local {
            if url.contains("://") {
                return refuse(format!("git remote ({url}) lookup disabled"));
            }
            if !git.tools.files.stat(url)?.is_dir() {
                return refuse(format!("{url} exists but is not a directory"));
            }
            git.dir = url.into();
            git.lock = format!("{url}.lock").into();
        } else {
            if !url.contains("://") {
                let hint = if url.contains(':') {
                    " (use URL syntax not host:path syntax)"
                } else {
                    ""
                };
                return refuse(format!(
                    "git remote ({url}) must not be local directory{hint}"
                ));
            }
            let WorkDir { dir, lock } = WorkDir::of(&git.tools, KIND, url)?;
            (git.dir, git.lock) = (dir, lock);
            git.prepare()?;
        }
        if git.uses_sha256() {
            git.hash_len = 64;
        }
        Ok(git)
    }

    /// Makes the copy a repository, if it is none yet.
    fn prepare(&self) -> Result<()> {
        let _change = self.change()?;
        if self.tools.files.exists(self.dir.join("objects")) {
            return Ok(());
        }
        let one = self.refs().ok().and_then(|refs| refs.values().next());
        let sha256 = one.is_some_and(|hash| hash.len() == 64);
        let format = if sha256 {
            &["--object-format=sha256"][..]
        } else if self.knows_formats()? {
            &["--object-format=sha1"][..]
        } else {
            &[][..]
        };
        let init = [&["git", "init", "--bare"], format].concat();
        let call = Call {
            line: &init,
            dir: &self.dir,
            local: false,
            variable: None,
        };
        // A remote with a name, because large files' filters want one.
        let made = self
            .tools
            .runner
            .run(&call)
            .and_then(|_| self.run(&["git", "remote", "add", "origin", "--", &self.url]));
        if made.is_err() {
            let _ = self.tools.files.remove_all(&self.dir);
        }
        made?;
        Ok(())
    }

    /// Git 2.29 is the first that can be told which hash a new repository has.
    fn knows_formats(&self) -> Result<bool> {
        let call = Call {
            line: &["git", "version"],
            dir: Utf8Path::new(""),
            local: true,
            variable: None,
        };
        let fail = |why: String| Error::other(format!("unable to resolve git version: {why}"));
        let output = self.tools.runner.run(&call);
        let output =
            output.map_err(|error| fail(format!("failed to execute git version: {error}")))?;
        let text = String::from_utf8_lossy(&output);
        let number = text
            .split_once("git version")
            .map(|(_, rest)| rest.trim_start());
        let mut parts = number
            .unwrap_or_default()
            .split(|c: char| !c.is_ascii_digit());
        let mut part = || parts.next().and_then(|part| part.parse::<u32>().ok());
        match (part(), part()) {
            (Some(major), Some(minor)) => Ok((major, minor) >= (2, 29)),
            _ => Err(fail(format!(
                "git version extraction regexp did not match version line: {text:?}"
            ))),
        }
    }

    fn uses_sha256(&self) -> bool {
        let format = self.run(&["git", "config", "extensions.objectformat"]);
        format.is_ok_and(|format| format.trim_ascii() == b"sha256")
    }

    fn call<'a>(&'a self, line: &'a [&'a str]) -> Call<'a> {
        Call {
            line,
            dir: &self.dir,
            local: self.local,
            // Also where the user allows bare repositories only if they are named.
            variable: (!self.local).then_some(("GIT_DIR", self.dir.as_str())),
        }
    }

    fn run(&self, line: &[&str]) -> Result<Vec<u8>, RunError> {
        self.tools.runner.run(&self.call(line))
    }

    /// Waits for the right to change the copy.
    fn change(&self) -> Result<Change<'_>> {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Change {
            fetched,
            _file: lock::mutex(&self.lock)?,
        })
    }

    /// The remote's branches and tags, asked once.
    fn refs(&self) -> Result<&Refs> {
        match self.refs.get_or_init(|| self.load_refs()) {
            Ok(refs) => Ok(refs),
            Err(error) => Err(error.clone()),
        }
    }

    fn load_refs(&self) -> Result<Refs> {
        if self.local {
            return Ok(Refs::new());
        }
        // Before the copy is made, the remote has no name in it.
        let named = self.tools.files.exists(self.dir.join("objects"));
        let remote = if named { "origin" } else { &self.url };
        let output = self.run(&["git", "ls-remote", "-q", "--end-of-options", remote]);
        let output = output.map_err(|error| self.unreachable(error))?;
        let text = String::from_utf8_lossy(&output);
        let mut refs = Refs::new();
        let mut peeled = Refs::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let (Some(hash), Some(name), None) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let wanted =
                name == "HEAD" || name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
            match name.strip_suffix("^{}") {
                _ if !wanted => {}
                // An annotated tag stands for the commit it is about.
                Some(tag) => drop(peeled.insert(tag.to_owned(), hash.to_owned())),
                None => drop(refs.insert(name.to_owned(), hash.to_owned())),
            }
        }
        refs.extend(peeled);
        Ok(refs)
    }

    /// A remote that git cannot read; if its URL does not exist at all, that is what is wrong.
    fn unreachable(&self, mut error: RunError) -> Error {
        if error.stderr.contains("fatal: could not read Username") {
            "Confirm the import path was entered correctly.\nIf this is a private repository, see https://golang.org/doc/faq#git_https for additional information."
                .clone_into(&mut error.help);
        }
        let error = Error::from(error);
        if let Ok(url) = Url::parse(&self.url)
            && matches!(url.scheme.as_str(), "http" | "https")
            && let Err(answer) = self.tools.client.bytes(&url, 16 << 20)
            && answer.is_not_exist()
        {
            return Kind::NotExistBecause(error).into();
        }
        error
    }

    /// The tags that the copy has.
    fn copied_tags(&self) -> MutexGuard<'_, HashSet<String>> {
        let load = || {
            let output = self.run(&["git", "tag", "-l"]).unwrap_or_default();
            let text = String::from_utf8_lossy(&output);
            let names = text.split('\n').filter(|line| !line.is_empty());
            Mutex::new(names.map(str::to_owned).collect())
        };
        let tags = self.tags.get_or_init(load);
        tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn origin(&self) -> Origin {
        Origin {
            vcs: "git".to_owned(),
            url: self.url.clone(),
            ..Origin::default()
        }
    }

    fn repo_sum(refs: &Refs) -> String {
        checksum(
            "r1",
            refs.iter()
                .map(|(name, hash)| (name.as_str(), hash.as_str())),
        )
    }

    /// A revision that is not there, as long as no ref changes.
    fn unknown(&self, rev: &str) -> Error {
        let error = unknown_revision(rev);
        match self.refs() {
            Ok(refs) => error.with_origin(Origin {
                repo_sum: Git::repo_sum(refs),
                ..self.origin()
            }),
            Err(_) => error,
        }
    }

    fn may_be_hash(&self, rev: &str) -> bool {
        (MIN_HASH..=self.hash_len).contains(&rev.len()) && is_hex(rev)
    }

    /// [`Host::stat`] without memory.
    fn find(&self, rev: &str) -> Result<Commit> {
        let may_be_hash = self.may_be_hash(rev);
        if may_be_hash && let Ok(commit) = self.in_copy(rev, rev) {
            return Ok(commit);
        }
        // Tags are taken not to move; branches are.
        if self.copied_tags().contains(rev) {
            return self.in_copy(rev, &format!("refs/tags/{rev}"));
        }
        let refs = self.refs()?;
        let named = |name: String| refs.get(&name).map(|hash| (name, hash.clone()));
        if let Some((name, hash)) = named(format!("refs/tags/{rev}")) {
            return self.at_ref(rev, &name, &hash, may_be_hash);
        }
        let branch = named(format!("refs/heads/{rev}"))
            .or_else(|| named("HEAD".to_owned()).filter(|_| rev == "HEAD"));
        if let Some((name, hash)) = branch {
            return self.at_ref(&hash, &name, &hash, may_be_hash);
        }
        if !may_be_hash {
            return Err(self.unknown(rev));
        }
        let mut fits: Vec<(&String, &String)> = refs
            .iter()
            .filter(|(_, hash)| hash.starts_with(rev))
            .collect();
        if fits.iter().any(|(_, hash)| *hash != fits[0].1) {
            return Err(Error::other(format!("ambiguous revision {rev}")));
        }
        fits.truncate(1);
        match fits.first() {
            Some((name, hash)) => self.at_ref(hash, name, hash, true),
            None if rev.len() == self.hash_len => self.at_ref(rev, "", rev, true),
            None => self.at_ref(rev, "", "", true),
        }
    }

    /// A commit by the ref that leads to it (may be empty) and its hash (may be empty), fetched if need be.
    fn at_ref(&self, rev: &str, name: &str, hash: &str, looked: bool) -> Result<Commit> {
        let mut commit = self.fetch_at_ref(rev, name, hash, looked)?;
        if let Some(origin) = &mut commit.origin {
            origin.hash.clone_from(&commit.name);
            // That a commit is HEAD's does not matter to who asked for it by its hash.
            if name != commit.name && !(looked && name == "HEAD") {
                name.clone_into(&mut origin.ref_name);
            }
        }
        Ok(commit)
    }

    fn fetch_at_ref(&self, rev: &str, name: &str, hash: &str, looked: bool) -> Result<Commit> {
        let mut change = self.change()?;
        // Earlier fetches may have brought the commit without the ref.
        if !looked && let Ok(commit) = self.in_copy(rev, hash) {
            let Some(tag) = name.strip_prefix("refs/tags/") else {
                return Ok(commit);
            };
            if commit.tags.iter().any(|have| have == tag) {
                return Ok(commit);
            }
            self.run(&["git", "tag", "--end-of-options", tag, hash])?;
            self.copied_tags().insert(tag.to_owned());
            return self.in_copy(rev, name);
        }
        if self.local {
            return Err(Error::other(format!(
                "revision does not exist locally: {rev}"
            )));
        }
        if *change.fetched < Fetched::Everything && !name.is_empty() && !hash.is_empty() {
            *change.fetched = Fetched::SingleCommits;
            // HEAD's commit gets a name of its own, because that makes git bring the tags that lead to it.
            let (refspec, name) = if name == "HEAD" {
                (format!("{hash}:refs/dummy"), hash)
            } else {
                (format!("{name}:{name}"), name)
            };
            // Version 2 of the protocol because version 1 sometimes misses tags.
            let protocol = "protocol.version=2";
            let line = [
                "git",
                "-c",
                protocol,
                "fetch",
                "-f",
                "--depth=1",
                "--end-of-options",
                "origin",
                &refspec,
            ];
            if self.run(&line).is_ok() {
                return self.in_copy(rev, name);
            }
            // Whatever went wrong: there is a way without that.
        }
        self.fetch_everything(&mut change)?;
        self.in_copy(rev, rev)
    }

    /// Fetches all branches and tags with their history; nothing else.
    fn fetch_everything(&self, change: &mut Change<'_>) -> Result<()> {
        if *change.fetched == Fetched::Everything {
            return Ok(());
        }
        // First the refs and then the history: git does not do well with both at once.
        let line = [
            "git",
            "fetch",
            "-f",
            "--end-of-options",
            "origin",
            "refs/heads/*:refs/heads/*",
            "refs/tags/*:refs/tags/*",
        ];
        self.run(&line)?;
        if self.tools.files.exists(self.dir.join("shallow")) {
            self.run(&[
                "git",
                "fetch",
                "--unshallow",
                "-f",
                "--end-of-options",
                "origin",
            ])?;
        }
        *change.fetched = Fetched::Everything;
        Ok(())
    }

    /// A commit that the copy has.
    fn in_copy(&self, version: &str, rev: &str) -> Result<Commit> {
        let line = [
            "git",
            "-c",
            "log.showsignature=false",
            "log",
            "--no-decorate",
            "-n1",
            "--format=format:%H %ct %D",
            "--end-of-options",
            rev,
            "--",
        ];
        let output = match self.run(&line) {
            Ok(output) => output,
            Err(error) => {
                let error = Error::from(error);
                return Err(match error.kind() {
                    Kind::System(_) => error,
                    _ => self.unknown(rev),
                });
            }
        };
        let text = String::from_utf8_lossy(&output);
        let mut words = text.split_whitespace();
        let (Some(hash), Some(seconds)) = (words.next(), words.next()) else {
            return Err(Error::other(format!(
                "unexpected response from git log: {text:?}"
            )));
        };
        let Ok(seconds) = seconds.parse() else {
            return Err(Error::other(format!("invalid time from git log: {text:?}")));
        };
        let mut tags: Vec<String> = Vec::new();
        while let Some(word) = words.next() {
            if word == "tag:"
                && let Some(tag) = words.next()
            {
                tags.push(tag.trim_end_matches(',').to_owned());
            }
        }
        // A fetch of one commit need not bring all the tags that lead to it.
        if let Ok(refs) = self.refs() {
            let here = refs.iter().filter(|(_, at)| *at == hash);
            tags.extend(
                here.filter_map(|(name, _)| name.strip_prefix("refs/tags/"))
                    .map(str::to_owned),
            );
        }
        tags.sort();
        tags.dedup();
        let origin = Origin {
            hash: hash.to_owned(),
            ref_name: if hash.starts_with(rev) {
                String::new()
            } else {
                rev.to_owned()
            },
            ..self.origin()
        };
        let tagged = tags.iter().any(|tag| tag == version);
        Ok(Commit {
            origin: Some(origin),
            name: hash.to_owned(),
            short: if hash.len() == 64 {
                &hash[..12]
            } else {
                shorten(hash)
            }
            .to_owned(),
            version: if tagged { version } else { hash }.to_owned(),
            time: Time::from_unix(seconds),
            tags,
        })
    }

    /// The highest allowed version among the copy's tags that lead to a commit's history.
    fn highest_tag(
        &self,
        hash: &str,
        prefix: &str,
        allowed: &dyn Fn(&str) -> bool,
    ) -> Result<Option<String>> {
        let merged = format!("--merged={hash}");
        let output = self.run(&["git", "for-each-ref", "--format=%(refname)", &merged])?;
        let text = String::from_utf8_lossy(&output);
        let mut highest = "";
        for line in text.lines() {
            let Some(tag) = line.trim().strip_prefix("refs/tags/") else {
                continue;
            };
            let Some(version) = tag.strip_prefix(prefix).filter(|_| allowed(tag)) else {
                continue;
            };
            if semver::compare(version, highest).is_gt() {
                highest = version;
            }
        }
        Ok((!highest.is_empty()).then(|| format!("{prefix}{highest}")))
    }

    /// Keeps git from putting into an archive what depends on more than the commit.
    fn plain_archives(&self) -> Result<()> {
        const RULE: &str = "\n* -export-subst -export-ignore\n";
        let (files, dir) = (&self.tools.files, self.dir.join("info"));
        files.create_dir_all(&dir)?;
        let path = dir.join("attributes");
        let mut rules = files.read_if_exists(&path)?.unwrap_or_default();
        if !rules.ends_with(RULE.as_bytes()) {
            rules.extend(RULE.as_bytes());
            files.write_atomic(&path, &rules, 0o666)?;
        }
        Ok(())
    }
}

impl Host for Git {
    fn check_reuse(&self, old: &Origin, subdir: &str) -> Result<()> {
        let changed = |text: String| Err(Error::other(text));
        moved(old, "git", &self.url, subdir)?;
        // A hash alone is taken to stay; there is no way to ask.
        if old.hash.is_empty() && old.tag_sum.is_empty() && old.repo_sum.is_empty() {
            return changed("non-specific origin".to_owned());
        }
        let refs = self.refs()?;
        if !old.ref_name.is_empty() {
            let name = &old.ref_name;
            match refs.get(name) {
                None => return changed(format!("ref {name:?} deleted")),
                Some(hash) if *hash != old.hash => {
                    return changed(format!("ref {name:?} moved from {} to {hash}", old.hash));
                }
                Some(_) => {}
            }
        }
        if !old.tag_sum.is_empty() && self.tags(&old.tag_prefix)?.origin.tag_sum != old.tag_sum {
            return changed("tags changed".to_owned());
        }
        if !old.repo_sum.is_empty() && Git::repo_sum(refs) != old.repo_sum {
            return changed("refs changed".to_owned());
        }
        Ok(())
    }

    fn tags(&self, prefix: &str) -> Result<Tags> {
        let refs = self.refs()?;
        let named = |name: &'static str| format!("{name}{prefix}");
        let tags: Vec<(&str, &str)> = refs
            .range(named("refs/tags/")..)
            .map_while(|(name, hash)| Some((name.strip_prefix("refs/tags/")?, hash.as_str())))
            .take_while(|(tag, _)| tag.starts_with(prefix))
            .collect();
        let dir = &prefix[..prefix.rfind('/').map_or(0, |at| at + 1)];
        let bearing = tags
            .iter()
            .filter(|(tag, _)| bears_on_versions(tag.strip_prefix(dir).unwrap_or(tag)));
        let origin = Origin {
            tag_prefix: prefix.to_owned(),
            tag_sum: checksum("t1", bearing.copied()),
            ..self.origin()
        };
        let list = tags.iter().map(|(tag, _)| (*tag).to_owned()).collect();
        Ok(Tags { origin, list })
    }

    fn stat(&self, rev: &str) -> Result<Commit> {
        if rev == "latest" {
            return self.latest();
        }
        self.commits.get_or(rev.to_owned(), || self.find(rev))
    }

    fn latest(&self) -> Result<Commit> {
        let head = self.refs()?.get("HEAD").ok_or_else(no_commits)?;
        let commit = self.stat(head)?;
        let origin = Origin {
            ref_name: "HEAD".to_owned(),
            hash: head.clone(),
            ..commit.origin.unwrap_or_default()
        };
        Ok(Commit {
            origin: Some(origin),
            ..commit
        })
    }

    fn read_file(&self, rev: &str, file: &str) -> Result<Vec<u8>> {
        let commit = self.stat(rev)?;
        let name = format!("{}:{file}", commit.name);
        let output = self.run(&["git", "cat-file", "--end-of-options", "blob", &name]);
        output.map_err(|error| {
            let error = Error::from(error);
            match error.kind() {
                Kind::System(_) => error,
                _ => no_file(),
            }
        })
    }

    fn read_zip(&self, rev: &str, subdir: &str, to: &Utf8Path) -> Result<()> {
        let commit = self.stat(rev)?;
        let _change = self.change()?;
        self.plain_archives()?;
        // No line ending is changed on the way out.
        let mut line = vec![
            "git",
            "-c",
            "core.autocrlf=input",
            "-c",
            "core.eol=lf",
            "archive",
            "--format=zip",
            "--prefix=prefix/",
            "--end-of-options",
            &commit.name,
        ];
        if !subdir.is_empty() {
            line.push(subdir);
        }
        let file = self.tools.files.create(to, 0o600)?;
        let archived = self.tools.runner.run_into(&self.call(&line), file);
        archived.map_err(|error| {
            if error.stderr.contains("did not match any files") {
                no_file()
            } else {
                error.into()
            }
        })
    }

    fn recent_tag(
        &self,
        rev: &str,
        prefix: &str,
        allowed: &dyn Fn(&str) -> bool,
    ) -> Result<Option<String>> {
        let hash = self.stat(rev)?.name;
        if let Some(tag) = self.highest_tag(&hash, prefix, allowed)?
            && !is_hex(&tag)
        {
            return Ok(Some(tag));
        }
        if self.tags(&format!("{prefix}v"))?.list.is_empty() {
            return Ok(None);
        }
        if self.local {
            return Err(Error::other(format!(
                "revision does not exist locally: {hash}"
            )));
        }
        // There are versions; only the history tells whether they are before the commit.
        self.fetch_everything(&mut self.change()?)?;
        self.highest_tag(&hash, prefix, allowed)
    }

    fn descends_from(&self, rev: &str, tag: &str) -> Result<bool> {
        let line = ["git", "merge-base", "--is-ancestor", "--", tag, rev];
        // A "no" means nothing while the history is not whole.
        if self.run(&line).is_ok() {
            return Ok(true);
        }
        if self.tags(tag)?.list.is_empty() {
            return Ok(false);
        }
        self.find(rev)?;
        if self.local {
            return Err(Error::other(format!(
                "revision does not exist locally: {rev}"
            )));
        }
        let mut change = self.change()?;
        self.fetch_everything(&mut change)?;
        match self.run(&line) {
            Ok(_) => Ok(true),
            Err(error) if error.code == Some(1) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

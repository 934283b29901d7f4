//! A module as a place that has versions.
//!
//! [`Repo`] is what a proxy and a version-control repository have in common. Implementations need not cache; [`crate::Fetcher`]
//! puts the caches of memory and disk in front of them.

use serde::{Deserialize, Serialize};
use std::io::Write;
use std::sync::Arc;

use camino::Utf8Path;

use crate::{Error, Result, Time};

/// A module's versions and contents.
pub trait Repo: Send + Sync {
    /// The module path.
    fn module_path(&self) -> &str;

    /// Checks that an earlier answer with this origin would be given again; an error if it cannot tell.
    fn check_reuse(&self, old: &Origin) -> Result<()>;

    /// The tagged versions that start with `prefix`, in ascending order, without pseudo-versions.
    fn versions(&self, prefix: &str) -> Result<Versions>;

    /// What a revision (version, branch, tag, hash) is.
    fn stat(&self, rev: &str) -> Result<RevInfo>;

    /// The newest revision of the default branch; asked only if there are no tagged versions.
    fn latest(&self) -> Result<RevInfo>;

    /// The go.mod of a canonical version.
    fn go_mod(&self, version: &str) -> Result<Vec<u8>>;

    /// Writes the module zip of a canonical version. On an error the caller empties `dst`.
    fn zip(&self, dst: &mut dyn ZipSink, version: &str) -> Result<()>;
}

/// Where a zip goes: a file that can also be told how much is to come, and can go on after a cut.
pub trait ZipSink: Write + Send {
    /// Bytes of an interrupted transfer that are there already.
    fn have(&self) -> u64 {
        0
    }
    /// Gives up what is there and starts anew.
    fn restart(&mut self) -> Result<()>;
    /// Tells the size of the whole, for progress.
    fn expect(&mut self, total: u64);
}

/// The versions of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    /// Where they come from.
    #[serde(rename = "Origin", default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Canonical versions, ascending.
    #[serde(rename = "List", default)]
    pub list: Vec<String>,
}

/// One revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevInfo {
    /// Its canonical version, maybe a pseudo-version.
    #[serde(rename = "Version", default)]
    pub version: String,
    /// When it was committed.
    #[serde(rename = "Time", default)]
    pub time: Time,
    /// Whole name in the repository (never from a proxy, never in the cache).
    #[serde(skip)]
    pub name: String,
    /// Short name for pseudo-versions (never from a proxy, never in the cache).
    #[serde(skip)]
    pub short: String,
    /// Where it comes from.
    #[serde(rename = "Origin", default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Where an answer comes from, with what is needed to see whether it still holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Origin {
    /// Version-control system: `git`, `hg`, ...
    #[serde(rename = "VCS", skip_serializing_if = "String::is_empty")]
    pub vcs: String,
    /// URL of the repository.
    #[serde(rename = "URL", skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Subdirectory of the repository.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subdir: String,
    /// Commit hash.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hash: String,
    /// With `tag_sum`: the answer depends on the tags with this prefix.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag_prefix: String,
    /// Hash of all those tags.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tag_sum: String,
    /// The answer depends on this ref being at `hash`.
    #[serde(rename = "Ref", skip_serializing_if = "String::is_empty")]
    pub ref_name: String,
    /// Hash of all refs; the answer is that nothing was found.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub repo_sum: String,
}

impl Origin {
    /// Both together: of an answer that depends on two. `None` if they contradict one another.
    #[must_use]
    pub fn merge(&self, other: &Origin) -> Option<Origin> {
        let same_place =
            self.vcs == other.vcs && self.url == other.url && self.subdir == other.subdir;
        // Two tag sums say the same only of the same tags.
        let same_tags = self.tag_sum.is_empty()
            || other.tag_sum.is_empty()
            || self.tag_prefix == other.tag_prefix;
        if !same_place || !same_tags {
            return None;
        }
        let mut both = self.clone();
        for (mine, others) in [
            (&mut both.hash, &other.hash),
            (&mut both.tag_sum, &other.tag_sum),
            (&mut both.repo_sum, &other.repo_sum),
            (&mut both.ref_name, &other.ref_name),
        ] {
            match (mine.is_empty(), others.is_empty()) {
                (_, true) => {}
                (true, false) => mine.clone_from(others),
                (false, false) if mine == others => {}
                (false, false) => return None,
            }
        }
        if !other.tag_sum.is_empty() {
            both.tag_prefix.clone_from(&other.tag_prefix);
        }
        Some(both)
    }
}

/// Whether plain http may be used for a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// https only, verified.
    SecureOnly,
    /// http if the URL says so.
    Default,
    /// Unverified https and http (GOINSECURE).
    Insecure,
}

/// How a module path leads to its repository without a proxy. Implemented by the version-control part.
pub trait Direct: Send + Sync {
    /// The repository of a module path. Not knowing one is [`Error::is_not_exist`].
    fn lookup(&self, path: &str, security: Security) -> Result<DirectRepo>;

    /// A module in a local repository at `dir` whose root module is `code_root` (for build stamping).
    fn lookup_local(&self, code_root: &str, path: &str, dir: &Utf8Path) -> Result<Arc<dyn Repo>>;
}

/// What looking a path up directly leads to.
pub enum DirectRepo {
    /// A repository.
    Repo(Arc<dyn Repo>),
    /// A `mod` meta tag: a module proxy at this URL.
    Proxy(String),
}

/// A repository that answers everything with one error.
pub(crate) struct ErrRepo {
    pub path: String,
    pub error: Error,
}

impl Repo for ErrRepo {
    fn module_path(&self) -> &str {
        &self.path
    }
    fn check_reuse(&self, _: &Origin) -> Result<()> {
        Err(self.error.clone())
    }
    fn versions(&self, _: &str) -> Result<Versions> {
        Err(self.error.clone())
    }
    fn stat(&self, _: &str) -> Result<RevInfo> {
        Err(self.error.clone())
    }
    fn latest(&self) -> Result<RevInfo> {
        Err(self.error.clone())
    }
    fn go_mod(&self, _: &str) -> Result<Vec<u8>> {
        Err(self.error.clone())
    }
    fn zip(&self, _: &mut dyn ZipSink, _: &str) -> Result<()> {
        Err(self.error.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(hash: &str, tags: (&str, &str), name: &str) -> Origin {
        Origin {
            vcs: "git".into(),
            url: "https://x.test/r".into(),
            hash: hash.into(),
            tag_prefix: tags.0.into(),
            tag_sum: tags.1.into(),
            ref_name: name.into(),
            ..Origin::default()
        }
    }

    #[test]
    fn origins_add_up_unless_they_contradict() {
        let (tags, commit) = (
            origin("", ("d/", "t1:x"), ""),
            origin("h", ("", ""), "HEAD"),
        );
        let both = origin("h", ("d/", "t1:x"), "HEAD");
        assert_eq!(tags.merge(&commit), Some(both.clone()));
        assert_eq!(commit.merge(&tags), Some(both.clone()));
        assert_eq!(both.merge(&both), Some(both.clone()));
        for other in [
            origin("other", ("", ""), ""),
            origin("h", ("d/", "t1:y"), ""),
            origin("h", ("e/", "t1:x"), ""),
            origin("h", ("", ""), "refs/heads/b"),
            Origin {
                subdir: "s".into(),
                ..both.clone()
            },
        ] {
            assert_eq!(both.merge(&other), None, "{other:?}");
        }
    }
}

//! What a repository can be asked, whatever program answers.

use camino::Utf8Path;
use ring::digest::{Context, SHA256};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use steady_module::{pseudo, semver};

use crate::{Error, Origin, Result, Time};

/// A repository. Answers may be remembered for the life of the value.
pub trait Host: Send + Sync {
    /// Checks that an earlier answer about the module in `subdir` would be given again.
    fn check_reuse(&self, old: &Origin, subdir: &str) -> Result<()>;

    /// The tags that start with `prefix`, in the order of their names.
    fn tags(&self, prefix: &str) -> Result<Tags>;

    /// What a revision is: a hash or the start of one, a tag, a branch.
    fn stat(&self, rev: &str) -> Result<Commit>;

    /// The newest commit of the default branch.
    fn latest(&self) -> Result<Commit>;

    /// A file as of a revision; [`Error::is_not_exist`] if there is none.
    fn read_file(&self, rev: &str, file: &str) -> Result<Vec<u8>>;

    /// Writes a zip of a directory as of a revision to the file `to`; all is below one directory in it, `subdir` included.
    fn read_zip(&self, rev: &str, subdir: &str, to: &Utf8Path) -> Result<()>;

    /// The highest version among the tags of a revision and what it descends from, of those with `prefix` that are allowed, prefix
    /// included; `None` also if the program cannot tell.
    fn recent_tag(
        &self,
        rev: &str,
        prefix: &str,
        allowed: &dyn Fn(&str) -> bool,
    ) -> Result<Option<String>>;

    /// Whether a revision is a tag's, or descends from it.
    fn descends_from(&self, rev: &str, tag: &str) -> Result<bool>;
}

/// A commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Where the answer comes from.
    pub origin: Option<Origin>,
    /// Its whole name.
    pub name: String,
    /// Its name in pseudo-versions.
    pub short: String,
    /// The tag it was asked by, else the whole name.
    pub version: String,
    /// When it was made, UTC.
    pub time: Time,
    /// Its tags.
    pub tags: Vec<String>,
}

/// Tags with where they come from.
#[derive(Clone, Debug, Default)]
pub struct Tags {
    /// Where they come from.
    pub origin: Origin,
    /// Their names.
    pub list: Vec<String>,
}

/// Nobody has committed anything yet.
pub fn no_commits() -> Error {
    Error::not_exist("no commits")
}

/// A revision that is not there.
pub fn unknown_revision(rev: &str) -> Error {
    Error::not_exist(format!("unknown revision {rev}"))
}

/// A file that is not there.
pub fn no_file() -> Error {
    Error::not_exist("file does not exist")
}

/// An answer that a change of the repository cannot be told from.
pub fn moved(old: &Origin, vcs: &str, url: &str, subdir: &str) -> Result<()> {
    let what = if old.vcs != vcs || old.url != url {
        format!(
            "origin moved from {} {:?} to {vcs} {url:?}",
            old.vcs, old.url
        )
    } else if old.subdir != subdir {
        format!(
            "origin moved from {} {:?} {:?} to {vcs} {url:?} {subdir:?}",
            old.vcs, old.url, old.subdir
        )
    } else {
        return Ok(());
    };
    Err(Error::other(what))
}

/// Whether all of it are lower-case hexadecimal digits.
pub fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The 12 digits that a pseudo-version has of a SHA-1 name; other names stay.
pub fn shorten(name: &str) -> &str {
    if name.len() == 40 && is_hex(name) {
        &name[..12]
    } else {
        name
    }
}

/// Whether a tag (without its directory) bears on the versions of a module: also one with something behind the version counts, as
/// pseudo-versions may build on it.
pub fn bears_on_versions(tag: &str) -> bool {
    let canonical = semver::canonical(tag);
    !canonical.is_empty() && tag.starts_with(&canonical) && !pseudo::is_pseudo_version(tag)
}

/// The checksum of names with what they stand for, in the order given: `t1:` of tags, `r1:` of all refs.
pub fn checksum<'a>(kind: &str, items: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut context = Context::new(&SHA256);
    for (name, hash) in items {
        context.update(format!("{} {hash}\n", quoted(name)).as_bytes());
    }
    format!("{kind}:{}", STANDARD.encode(context.finish()))
}

/// Go's `%q` for names of refs, which have no control characters in them.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_gos() {
        let none = checksum("t1", std::iter::empty());
        assert_eq!(none, "t1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn tags_that_bear_on_versions() {
        for (tag, want) in [
            ("v1.2.3", true),
            ("v1.2.3+meta", true),
            ("v1.2.3-pre", true),
            ("v1.2", false),
            ("other", false),
            ("v0.0.0-20240102030405-0123456789ab", false),
        ] {
            assert_eq!(bears_on_versions(tag), want, "{tag}");
        }
    }

    #[test]
    fn moves_are_told() {
        let old = Origin {
            vcs: "git".into(),
            url: "https://x.test/a".into(),
            ..Origin::default()
        };
        assert!(moved(&old, "git", "https://x.test/a", "").is_ok());
        assert_eq!(
            moved(&old, "git", "https://x.test/b", "")
                .unwrap_err()
                .to_string(),
            "origin moved from git \"https://x.test/a\" to git \"https://x.test/b\""
        );
        assert_eq!(
            moved(&old, "git", "https://x.test/a", "d")
                .unwrap_err()
                .to_string(),
            "origin moved from git \"https://x.test/a\" \"\" to git \"https://x.test/a\" \"d\""
        );
    }
}

//! Holding a pseudo-version against the commit it names: nobody may make one that sorts higher than it should.

use steady_module::{pseudo, semver};

use super::host::Commit;
use super::module::CodeRepo;
use crate::error::Kind;
use crate::{Error, Result, Time};

impl CodeRepo {
    /// Checks short name, time and the tag before.
    pub(super) fn check_pseudo_version(&self, commit: &Commit, version: &str) -> Result<()> {
        self.compare(commit, version).map_err(|error| {
            let told = error.chain().any(|error| {
                matches!(
                    error.kind(),
                    Kind::Module { .. } | Kind::InvalidVersion { .. }
                )
            });
            if told {
                return error;
            }
            Kind::InvalidVersion {
                path: self.path.clone(),
                version: version.to_owned(),
                pseudo: true,
                source: error,
            }
            .into()
        })
    }

    fn compare(&self, commit: &Commit, version: &str) -> Result<()> {
        let wrong = |text: String| Err(Error::other(text));
        let short = &commit.short;
        let rev = pseudo::revision(version).ok_or_else(|| Error::other("syntax error"))?;
        if rev != short {
            let how = if rev.starts_with(short.as_str()) {
                "revision is longer than canonical"
            } else if short.starts_with(rev) {
                "revision is shorter than canonical"
            } else {
                "does not match short name of revision"
            };
            return wrong(format!("{how} (expected {short})"));
        }
        let time = pseudo::time(version).unwrap_or_default();
        let Some(time) = Time::parse_pseudo(time).filter(|parsed| parsed.pseudo() == time) else {
            return wrong(format!("malformed time {time:?}"));
        };
        if time.unix() != commit.time.unix() {
            let want = commit.time.pseudo();
            return wrong(format!(
                "does not match version-control timestamp (expected {want})"
            ));
        }
        let base = pseudo::base(version.strip_suffix("+incompatible").unwrap_or(version));
        let base = base.map_err(Error::other)?;
        if base.is_empty() {
            if self.major.is_empty() && semver::major(version) == "v1" {
                return wrong("major version without preceding tag must be v0, not v1".to_owned());
            }
            return Ok(());
        }
        let prefix = self.tag_prefix();
        let bare = |tag: &str| tag.strip_prefix(&prefix).unwrap_or(tag).to_owned();
        if let Some(tag) = commit.tags.iter().find(|tag| bare(tag) == base) {
            return wrong(format!(
                "tag ({tag}) found on revision {rev} is already canonical, so should not be replaced with a pseudo-version derived from that tag"
            ));
        }
        self.comes_after(commit, rev, &base)
    }

    /// One of the tags of the version before must be in the commit's history.
    fn comes_after(&self, commit: &Commit, rev: &str, base: &str) -> Result<()> {
        let prefix = self.tag_prefix();
        let mut last = String::new();
        let mut failed = None;
        for tag in self.host.tags(&format!("{prefix}{base}"))?.list {
            let bare = tag.strip_prefix(&prefix).unwrap_or(&tag);
            if semver::compare(bare, base).is_ne() {
                continue;
            }
            last.clone_from(&tag);
            match self.host.descends_from(&commit.name, &tag) {
                Ok(true) => return Ok(()),
                Ok(false) => failed = None,
                Err(error) => failed = Some(error),
            }
        }
        if last.is_empty() {
            return Err(Error::other(format!("preceding tag ({base}) not found")));
        }
        Err(failed.unwrap_or_else(|| {
            Error::other(format!(
                "revision {rev} is not a descendent of preceding tag ({last})"
            ))
        }))
    }
}

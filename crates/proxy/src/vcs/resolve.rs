//! From a commit to the version it is.
//!
//! In this order: the version that was asked for, if a tag makes it one; the highest tag of the commit that may be used; a
//! pseudo-version after the highest tag of its history.

use std::cell::RefCell;
use std::collections::HashMap;

use steady_module::{path, pseudo, semver};

use super::host::Commit;
use super::module::{CodeRepo, join};
use crate::error::Kind;
use crate::{Error, Origin, Result, RevInfo};

const INCOMPATIBLE: &str = "+incompatible";

impl CodeRepo {
    /// The version of a commit that was found when `asked` (may be empty) was asked for, with what that depends on.
    pub(super) fn version_of(&self, commit: &Commit, asked: &str) -> Result<RevInfo> {
        let resolver = Resolver {
            repo: self,
            commit,
            asked,
            incompatible: RefCell::default(),
        };
        let found = resolver.resolve();
        let Some(origin) = &commit.origin else {
            return found;
        };
        let mut origin = Origin {
            subdir: self.dir.clone(),
            ..origin.clone()
        };
        let mut info = match found {
            Ok(info) => info,
            Err(error) => return Err(error.with_origin(origin)),
        };
        let version = &info.version;
        if pseudo::is_pseudo_version(version)
            && (version != asked || !version.starts_with("v0.0.0-"))
        {
            // Which version came before depends on the tags.
            let mut prefix = self.tag_prefix();
            if !self.major.is_empty() {
                prefix += &format!("{}.", &self.major[1..]);
            }
            let tags = self.host.tags(&prefix)?.origin;
            (origin.tag_prefix, origin.tag_sum) = (tags.tag_prefix, tags.tag_sum);
            if !tags.repo_sum.is_empty() {
                origin.repo_sum = tags.repo_sum;
            }
        }
        info.origin = Some(origin);
        Ok(info)
    }
}

struct Resolver<'a> {
    repo: &'a CodeRepo,
    commit: &'a Commit,
    asked: &'a str,
    /// Whether there is no go.mod at the root (key "") or in the directory of a major version.
    incompatible: RefCell<HashMap<String, bool>>,
}

impl Resolver<'_> {
    fn resolve(&self) -> Result<RevInfo> {
        if pseudo::is_pseudo_version(self.asked) {
            // Cheap questions first: what the version builds on may need the whole history.
            let info = self.checked(self.asked)?;
            self.repo.check_pseudo_version(self.commit, self.asked)?;
            return Ok(info);
        }
        if let Some((version, true)) = self.version_of_tag(&self.commit.version)
            && let Ok(info) = self.checked(&version)
        {
            return Ok(info);
        }
        let mut highest = String::new();
        let mut base = String::new();
        for tag in &self.commit.tags {
            let Some((version, canonical)) = self.version_of_tag(tag) else {
                continue;
            };
            if !self.asked.is_empty() && semver::compare(&version, self.asked).is_eq() {
                if canonical {
                    return self.checked(&version);
                }
                // With something behind the version a tag is not unique; a pseudo-version after it is.
                base.clone_from(&version);
            }
            if canonical
                && semver::compare(&highest, &version).is_lt()
                && !self.repo.is_retracted(&version)
                && self.may_be_used(&version)
            {
                highest = version;
            }
        }
        if !highest.is_empty() {
            return self.checked(&highest);
        }
        if base.is_empty() {
            let allowed = |tag: &str| {
                self.version_of_tag(tag).is_some_and(|(version, _)| {
                    self.may_be_used(&version) && !self.repo.is_retracted(&version)
                })
            };
            let prefix = self.repo.tag_prefix();
            let tag = self
                .repo
                .host
                .recent_tag(&self.commit.name, &prefix, &allowed)?;
            if let Some((version, _)) = tag.and_then(|tag| self.version_of_tag(&tag)) {
                base = version;
            }
        }
        let major = path::path_major_prefix(&self.repo.major);
        let time = self.commit.time.pseudo();
        self.checked(&pseudo::pseudo_version(
            major,
            &base,
            &time,
            &self.commit.short,
        ))
    }

    /// The version a tag of this module names, and whether it is just that. What looks like a pseudo-version is none.
    fn version_of_tag(&self, tag: &str) -> Option<(String, bool)> {
        let trimmed = tag.strip_prefix(&self.repo.tag_prefix())?;
        if pseudo::is_pseudo_version(tag) {
            return None;
        }
        let version = semver::canonical(trimmed);
        if version.is_empty() || !trimmed.starts_with(&version) {
            return None;
        }
        let canonical = version == trimmed;
        Some((version, canonical))
    }

    fn may_be_used(&self, version: &str) -> bool {
        path::match_path_major(version, &self.repo.major) || self.may_be_incompatible(version)
    }

    /// Whether a version of v2 or higher can have `+incompatible`: no go.mod says otherwise.
    fn may_be_incompatible(&self, version: &str) -> bool {
        if !self.repo.dir.is_empty() || !self.repo.major.is_empty() {
            return false;
        }
        let absent = |dir: &str| {
            if let Some(known) = self.incompatible.borrow().get(dir) {
                return *known;
            }
            let file = join(dir, "go.mod");
            let absent = self.repo.host.read_file(&self.commit.name, &file).is_err();
            self.incompatible
                .borrow_mut()
                .insert(dir.to_owned(), absent);
            absent
        };
        if !absent("") {
            return false;
        }
        // A v2/go.mod claims the tags of v2, unless the suffix is asked for: go did not always look there.
        version.is_empty() || self.asked.ends_with(INCOMPATIBLE) || absent(semver::major(version))
    }

    /// The version if it can be one of this module, with `+incompatible` where that belongs.
    fn checked(&self, version: &str) -> Result<RevInfo> {
        self.repo.place(version).map_err(|error| {
            let absent = Kind::NotExistBecause(error).into();
            self.repo.invalid(version, absent)
        })?;
        let refuse =
            |version: &str, text: String| Err(self.repo.invalid(version, Error::other(text)));
        let asked_bare = self.asked.strip_suffix(INCOMPATIBLE).unwrap_or(self.asked);
        let version = if version == asked_bare {
            self.asked
        } else {
            version
        };
        let bare = version.strip_suffix(INCOMPATIBLE).unwrap_or(version);
        let mut found = version.to_owned();
        let mut wrong = None;
        if !path::match_path_major(bare, &self.repo.major) {
            if self.may_be_incompatible(bare) {
                found = format!("{bare}{INCOMPATIBLE}");
            } else if !self.repo.major.is_empty() {
                wrong = Some(
                    "module path includes a major version suffix, so major version must match"
                        .to_owned(),
                );
            } else {
                let want = join(&self.repo.prefix, semver::major(version));
                wrong = Some(format!(
                    "module contains a go.mod file, so module path must match major version ({want:?})"
                ));
            }
        } else if version.ends_with(INCOMPATIBLE) {
            let major = semver::major(version);
            wrong = Some(format!(
                "+incompatible suffix not allowed: major version {major} is compatible"
            ));
        }
        if !self.asked.is_empty()
            && self.asked == path::canonical_version(self.asked)
            && asked_bare != bare
        {
            // A version in full means itself or nothing.
            return refuse(
                self.asked,
                format!("resolves to version {found} ({asked_bare} is not a tag)"),
            );
        }
        if let Some(text) = wrong {
            return refuse(version, text);
        }
        Ok(RevInfo {
            version: found,
            time: self.commit.time,
            name: self.commit.name.clone(),
            short: self.commit.short.clone(),
            origin: None,
        })
    }
}

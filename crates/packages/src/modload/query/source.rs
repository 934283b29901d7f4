//! One module's versions as a query sees them: what repositories have, with replacements, and what may be chosen.

use super::matcher::Matcher;
use super::{Allowed, is_revision_query};
use crate::modload::{ModError, Modules, Result};
use std::cell::RefCell;
use std::sync::Arc;
use steady_module::path as module_path;
use steady_module::{ModuleVersion, gover, modfile, pseudo};
use steady_proxy::{Origin, RevInfo, Time};

/// A module as one proxy and the replacements of the main module show it.
pub(in crate::modload) struct Source<'a> {
    pub(in crate::modload) modules: &'a Modules,
    pub(in crate::modload) proxy: &'a str,
    pub(in crate::modload) path: &'a str,
    pub(in crate::modload) query: &'a str,
    /// The version in use, empty or `none` if there is none.
    pub(in crate::modload) current: &'a str,
}

impl Source<'_> {
    pub(super) fn repo(&self) -> Arc<dyn steady_proxy::Repo> {
        self.modules.fetcher.lookup(self.proxy, self.path)
    }

    /// Versions of the module that are replaced, ascending.
    pub(super) fn replaced(&self) -> Vec<String> {
        let mut list: Vec<String> = self
            .modules
            .replace
            .keys()
            .filter(|old| old.path == self.path && !old.version.is_empty())
            .map(|old| old.version.clone())
            .collect();
        list.sort_by(|a, b| gover::mod_compare(self.path, a, b));
        list
    }

    pub(super) fn is_replaced(&self) -> bool {
        self.modules.replace.keys().any(|old| old.path == self.path)
    }

    pub(super) fn versions(&self, prefix: &str) -> Result<(Vec<String>, Option<Origin>)> {
        let replaced = self.replaced();
        let (mut list, mut origin) = match self.repo().versions(prefix) {
            Ok(versions) => (versions.list, versions.origin),
            Err(error)
                if self.is_replaced()
                    && (error.is_not_exist() || module_path::check_path(self.path).is_err()) =>
            {
                (Vec::new(), None)
            }
            Err(error) => return Err(error.into()),
        };
        let extra: Vec<String> = replaced
            .into_iter()
            .filter(|version| version.starts_with(prefix) && !pseudo::is_pseudo_version(version))
            .collect();
        if !extra.is_empty() {
            origin = None;
            list.extend(extra);
            list.sort_by(|a, b| gover::mod_compare(self.path, a, b));
            list.dedup();
        }
        Ok((list, origin))
    }

    pub(super) fn stat(&self, rev: &str) -> Result<RevInfo> {
        let error = match self.repo().stat(rev) {
            Ok(info) => return Ok(info),
            Err(error) => error,
        };
        let canonical = module_path::canonical_version(rev);
        let is_replaced = self.modules.replace.keys().any(|old| {
            old.path == self.path && (old.version == canonical || old.version.is_empty())
        });
        if !canonical.is_empty() && is_replaced {
            return Ok(made_up(&canonical));
        }
        Err(error.into())
    }

    pub(super) fn latest(&self) -> Result<RevInfo> {
        let found = self.repo().latest();
        let Some(replaced) = self.modules.newest_replaced(self.path) else {
            return Ok(found?);
        };
        match found {
            Ok(info) if gover::mod_compare(self.path, &replaced.version, &info.version).is_le() => {
                Ok(info)
            }
            _ => Ok(made_up(&replaced.version)),
        }
    }

    /// A query that names one revision.
    pub(super) fn revision(&self, query: &str, allowed: Allowed) -> Result<RevInfo> {
        let canonical = module_path::canonical_version(query);
        let info = match self.stat(query) {
            Ok(info) => info,
            Err(error) if !canonical.is_empty() && query != canonical => {
                match self.stat(&canonical) {
                    Ok(info) => info,
                    Err(other) if !other.is_not_exist() => return Err(other),
                    Err(_) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        self.refuse(&info.version, allowed)?;
        Ok(info)
    }

    /// The error if a version may not be used; what cannot be told is no reason.
    pub(super) fn refuse(&self, version: &str, allowed: Allowed) -> Result<()> {
        let module = ModuleVersion::new(self.path, version);
        let allowed = match allowed {
            Allowed::AsAsked if version == self.query => Allowed::NotExcluded,
            Allowed::AsAsked if self.stays() && version == self.current => return Ok(()),
            allowed => allowed,
        };
        match self.modules.check_allowed(&module, allowed) {
            Err(error) if error.is_disallowed() => Err(error),
            _ => Ok(()),
        }
    }

    /// The query may end at the version in use.
    pub(super) fn stays(&self) -> bool {
        matches!(self.query, "upgrade" | "patch") && !matches!(self.current, "" | "none")
    }

    /// The revision of the version that was chosen; the one in use if it is a pseudo-version that is younger. Who uses a commit of a
    /// branch without tags hardly wants to go back to what was there already.
    pub(super) fn look_up(
        &self,
        version: &str,
        allowed: Allowed,
        basis: &Basis,
    ) -> Result<RevInfo> {
        let found = basis.noting(self.stat(version))?;
        let current = pseudo::time(self.current).and_then(Time::parse_pseudo);
        let Some(current) = current.filter(|_| self.stays() && !found.time.is_zero()) else {
            return Ok(found);
        };
        if found.time >= current {
            return Ok(found);
        }
        self.refuse(self.current, allowed)?;
        basis.noting(self.stat(self.current))
    }

    pub(super) fn choose(&self, matcher: &Matcher<'_>) -> Result<RevInfo> {
        let (versions, origin) = self.versions(&matcher.prefix)?;
        let basis = Basis(RefCell::new(origin));
        match self.choose_of(matcher, &versions, &basis) {
            Ok(info) => Ok(RevInfo {
                origin: basis.0.into_inner(),
                ..info
            }),
            Err(error) => Err(error.with_origin(basis.0.into_inner())),
        }
    }

    pub(super) fn choose_of(
        &self,
        matcher: &Matcher<'_>,
        versions: &[String],
        basis: &Basis,
    ) -> Result<RevInfo> {
        let (query, current) = (self.query, self.current);
        let (releases, prereleases) = self.filter(matcher, versions)?;
        let best = if matcher.prefer_lower {
            releases.first().or(prereleases.first())
        } else {
            releases.last().or(prereleases.last())
        };
        if let Some(best) = best {
            return self.look_up(best, matcher.allowed, basis);
        }
        if matcher.may_use_latest {
            match basis.noting(self.latest()) {
                Ok(latest) if self.allows(matcher, &latest.version) => {
                    return self.look_up(&latest.version, matcher.allowed, basis);
                }
                Ok(_) => {}
                Err(error) if error.is_not_exist() => {}
                Err(error) => return Err(error),
            }
        }
        if self.stays() && self.refuse(current, matcher.allowed).is_ok() {
            return basis.noting(self.stat(current));
        }
        Err(ModError::NoMatchingVersion {
            query: query.to_string(),
            current: current.to_string(),
        })
    }

    pub(super) fn allows(&self, matcher: &Matcher<'_>, version: &str) -> bool {
        matcher.matches(version) && self.refuse(version, matcher.allowed).is_ok()
    }

    /// Releases and pre-releases that may be chosen. Versions without go.mod of a later major version count only if the last one
    /// before them has no go.mod either.
    pub(super) fn filter(
        &self,
        matcher: &Matcher<'_>,
        versions: &[String],
    ) -> Result<(Vec<String>, Vec<String>)> {
        let mut incompatible = matcher.prefer_incompatible;
        let mut compatible: Option<&String> = None;
        let (mut releases, mut prereleases) = (Vec::new(), Vec::new());
        for version in versions {
            if !self.allows(matcher, version) {
                continue;
            }
            if !incompatible {
                if !version.ends_with("+incompatible") {
                    compatible = Some(version);
                } else if let Some(last) = compatible {
                    if self.has_go_mod(last)? {
                        break;
                    }
                    incompatible = true;
                }
            }
            if gover::mod_is_prerelease(self.path, version) {
                prereleases.push(version.clone());
            } else {
                releases.push(version.clone());
            }
        }
        Ok((releases, prereleases))
    }

    pub(super) fn has_go_mod(&self, version: &str) -> Result<bool> {
        let text = self.modules.fetcher.go_mod(self.path, version)?;
        let made_up = format!("module {}\n", modfile::auto_quote(self.path));
        Ok(*text != *made_up.as_bytes())
    }
}

/// What an answer comes from, gathered from all that led to it; nothing if one of these cannot be told, or they contradict one another.
pub(in crate::modload) struct Basis(pub(in crate::modload) RefCell<Option<Origin>>);

impl Basis {
    /// Adds what one step's answer comes from.
    pub(super) fn noting(&self, answer: Result<RevInfo>) -> Result<RevInfo> {
        let origin = match &answer {
            Ok(info) => info.origin.as_ref(),
            Err(error) => match error.origin() {
                None => return answer,
                origin => origin,
            },
        };
        let mut known = self.0.borrow_mut();
        let merged = match (known.as_ref(), origin) {
            (Some(a), Some(b)) => a.merge(b),
            _ => None,
        };
        *known = merged;
        drop(known);
        answer
    }
}

/// Whether what an answer comes from is enough to tell that the query would be answered so again.
pub(super) fn is_telling(path: &str, query: &str, origin: &Origin) -> bool {
    let commit = !origin.hash.is_empty() || !origin.ref_name.is_empty();
    let tags = !origin.tag_sum.is_empty();
    if !origin.repo_sum.is_empty() {
        return true;
    }
    if query == module_path::canonical_version(query) {
        // A version stays what it is, whatever tags come.
        return commit || tags;
    }
    // Which version a commit is depends on tags, and so does which version is the best.
    tags && (commit || !is_revision_query(path, query))
}

/// The revision of a replaced version that exists nowhere else.
pub(super) fn made_up(version: &str) -> RevInfo {
    RevInfo {
        version: version.to_string(),
        ..RevInfo::default()
    }
}

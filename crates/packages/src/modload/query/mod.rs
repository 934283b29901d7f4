//! Version queries: `latest`, `upgrade`, `patch`, `v1.2`, `<v1.5`, branches and commits, and which module has a package.

mod matcher;
mod patterns;
mod source;

use super::{ModError, ModMode, Modules, Result, Reuse};
use matcher::Matcher;
pub(in crate::modload) use patterns::in_main_text;
use source::*;
use std::sync::Arc;
use steady_module::modfile::{ModFile, Retract};
use steady_module::{ModuleVersion, gover};
use steady_proxy::{Origin, RevInfo, Time};

/// Which versions a query may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// All.
    Any,
    /// Those that no main module excludes.
    NotExcluded,
    /// Those that are neither excluded nor taken back by their authors.
    Checked,
    /// As checked; but just the version that is asked for may have been taken back, and the one in use may stay.
    AsAsked,
}

/// What a query found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The module, without a version if it is a main module.
    pub module: ModuleVersion,
    /// Its revision.
    pub info: RevInfo,
    /// The packages of it that were asked for.
    pub packages: Vec<String>,
}

/// What a query for packages found.
#[derive(Debug, Clone, Default)]
pub struct FoundPackages {
    /// Modules with packages that match, longest path first.
    pub with_packages: Vec<Found>,
    /// A module whose path matches and that has no such package.
    pub module_only: Option<Found>,
}

/// Inside a walk along GOPROXY, whose own errors alone decide whether the next proxy is asked.
type Asked<T> = std::result::Result<Result<T>, steady_proxy::Error>;

fn settle<T>(answer: Result<T>) -> Asked<T> {
    match answer {
        Err(error) => match error.as_fetch() {
            Some(fetch) => Err(fetch),
            None => Ok(Err(error)),
        },
        found => Ok(found),
    }
}

impl Modules {
    /// The version that `query` means for a module of which `current` is in use (empty or `none`: none).
    ///
    /// # Errors
    /// No version fits, none may be used, or nothing can be asked.
    pub fn query(
        &self,
        path: &str,
        query: &str,
        current: &str,
        allowed: Allowed,
    ) -> Result<RevInfo> {
        self.query_reusing(path, query, current, allowed, &Reuse::default())
    }

    /// [`Modules::query`], answered as before if what the answer comes from has not changed.
    pub(super) fn query_reusing(
        &self,
        path: &str,
        query: &str,
        current: &str,
        allowed: Allowed,
        reuse: &Reuse,
    ) -> Result<RevInfo> {
        let asked = self.fetcher.try_proxies(|proxy| {
            if let Some(old) = reuse.get(path, query)
                && let Some(origin) = &old.origin
                && self.holds_at(proxy, path, query, origin)?
            {
                return Ok(Ok(RevInfo {
                    version: old.version.clone(),
                    time: old
                        .time
                        .as_deref()
                        .and_then(Time::parse)
                        .unwrap_or_default(),
                    origin: old.origin.clone(),
                    ..RevInfo::default()
                }));
            }
            settle(self.query_proxy(proxy, path, query, current, allowed))
        });
        asked?
    }

    /// Whether the answer to a query is still what it was when it came from `origin`.
    pub(super) fn holds(&self, path: &str, query: &str, origin: &Origin) -> bool {
        let asked = self
            .fetcher
            .try_proxies(|proxy| self.holds_at(proxy, path, query, origin));
        asked.unwrap_or(false)
    }

    /// [`Modules::holds`] at one proxy. Only an interrupt is an error: whoever cannot tell asks anew.
    fn holds_at(
        &self,
        proxy: &str,
        path: &str,
        query: &str,
        origin: &Origin,
    ) -> std::result::Result<bool, steady_proxy::Error> {
        let replaced = self.replace.keys().any(|old| old.path == path);
        if replaced || !is_telling(path, query, origin) {
            return Ok(false);
        }
        match self.fetcher.lookup(proxy, path).check_reuse(origin) {
            Ok(()) => Ok(true),
            Err(error) if error.is_interrupt() => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// The tagged versions of a module, ascending, and those that replacements add to them; with where they come from.
    pub(super) fn versions_with_replacements(
        &self,
        path: &str,
    ) -> Result<(Vec<String>, Option<Origin>)> {
        let asked = self.fetcher.try_proxies(|proxy| {
            let source = Source {
                modules: self,
                proxy,
                path,
                query: "",
                current: "",
            };
            settle(source.versions(""))
        });
        asked?
    }

    /// Whether a version may be used.
    ///
    /// # Errors
    /// It may not, or nobody can tell.
    pub fn check_allowed(&self, module: &ModuleVersion, allowed: Allowed) -> Result<()> {
        if allowed != Allowed::Any && self.exclude.contains(module) {
            return Err(ModError::Excluded.about(module));
        }
        if matches!(allowed, Allowed::Checked | Allowed::AsAsked) {
            self.check_retracted(module)?;
        }
        Ok(())
    }

    /// Whether the module's authors have taken a version back.
    ///
    /// # Errors
    /// [`ModError::Retracted`], or why nobody can tell.
    pub fn check_retracted(&self, module: &ModuleVersion) -> Result<()> {
        if module.version.is_empty() {
            return Ok(());
        }
        let retracted = self
            .retractions(&module.path)
            .map_err(|error| ModError::Retractions {
                module: module.clone(),
                source: Arc::new(error),
            })?;
        let of = |bound: &str| gover::mod_compare(&module.path, bound, &module.version);
        let mut reasons = Vec::new();
        let mut taken_back = false;
        for range in retracted.iter() {
            if of(&range.low).is_le() && of(&range.high).is_ge() {
                taken_back = true;
                if !range.rationale.is_empty() {
                    reasons.push(range.rationale.clone());
                }
            }
        }
        if taken_back {
            return Err(ModError::Retracted(reasons).about(module));
        }
        Ok(())
    }

    /// The newest version's go.mod is what speaks for all versions of a module, even if it takes itself back.
    pub(super) fn newest_go_mod(&self, path: &str) -> Result<Arc<ModFile>> {
        if let Some(known) = self
            .newest
            .lock()
            .ok()
            .and_then(|known| known.get(path).cloned())
        {
            return known;
        }
        let read = || -> Result<Arc<ModFile>> {
            let version = match self
                .newest_replaced(path)
                .filter(|found| self.replacement(found).is_some() && self.replaced_whole(path))
            {
                Some(_) => return Ok(Arc::default()),
                None => {
                    self.query(path, "latest", "", Allowed::NotExcluded)?
                        .version
                }
            };
            let module = ModuleVersion::new(path, version);
            let actual = self.replacement(&module).unwrap_or(&module);
            let text = if actual.version.is_empty() {
                self.files
                    .read(self.module_dir(&module)?.join("go.mod"))
                    .map_err(|error| ModError::Message(error.to_string()))?
            } else {
                self.fetcher.go_mod(&actual.path, &actual.version)?.to_vec()
            };
            let mut as_written = |_: &str, version: &str| Ok(version.to_string());
            let file = ModFile::parse_lax(
                "go.mod",
                &String::from_utf8_lossy(&text),
                Some(&mut as_written),
            );
            let file = file.map_err(|errors| ModError::Message(errors.to_string()))?;
            Ok(Arc::new(file))
        };
        let found = read();
        if let Ok(mut known) = self.newest.lock() {
            known.insert(path.to_string(), found.clone());
        }
        found
    }

    /// Whether every version of a module is replaced.
    fn replaced_whole(&self, path: &str) -> bool {
        self.replace.contains_key(&ModuleVersion::new(path, ""))
    }

    fn retractions(&self, path: &str) -> Result<Vec<Retract>> {
        let file = self.newest_go_mod(path)?;
        Ok(file
            .retract
            .iter()
            .map(|entry| entry.value.clone())
            .collect())
    }

    fn query_proxy(
        &self,
        proxy: &str,
        path: &str,
        query: &str,
        current: &str,
        allowed: Allowed,
    ) -> Result<RevInfo> {
        if !matches!(current, "" | "none") && !gover::mod_is_valid(path, current) {
            return Err(ModError::Message(format!(
                "invalid previous version {path}@{current}"
            )));
        }
        if self.mode == ModMode::Vendor {
            let reason = self.lookup_reason();
            return Err(ModError::Message(format!(
                "cannot query module due to {reason}"
            )));
        }
        if self.main(path).is_some() && matches!(query, "upgrade" | "patch") {
            return Ok(RevInfo::default());
        }
        if matches!(path, "std" | "cmd") {
            return Err(ModError::Message(format!(
                "can't query specific version ({query:?}) of standard-library module {path:?}"
            )));
        }
        let source = Source {
            modules: self,
            proxy,
            path,
            query,
            current,
        };
        let Some(matcher) = Matcher::new(path, query, current, allowed)? else {
            return source.revision(query, allowed);
        };
        if matcher.exact {
            return source.revision(query, allowed);
        }
        source.choose(&matcher)
    }
}

/// Whether a query names one revision rather than a choice of versions.
#[must_use]
pub fn is_revision_query(path: &str, query: &str) -> bool {
    let choice = matches!(query, "latest" | "upgrade" | "patch") || query.starts_with(['<', '>']);
    let prefix = gover::mod_is_valid(path, query) && gover::mod_is_prefix(path, query);
    !choice && !prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(query: &str, current: &str, version: &str) -> bool {
        let matcher = Matcher::new("example.com/m", query, current, Allowed::Any);
        matcher.unwrap().unwrap().matches(version)
    }

    #[test]
    fn ranges() {
        assert!(matches("<v1.2.0", "", "v1.1.9") && !matches("<v1.2.0", "", "v1.2.0"));
        assert!(matches("<=v1.2.0", "", "v1.2.0") && !matches(">v1.2.0", "", "v1.2.0"));
        assert!(matches(">=v1.2.0", "", "v1.2.0") && !matches(">=v1.2.0", "", "v1.2.0-rc.1"));
        assert!(matches("v1.2", "", "v1.2.7") && !matches("v1.2", "", "v1.20.0"));
        assert!(!matches("v1.2", "", "v1.2.0-rc.1"));
        assert!(matches("patch", "v1.2.3", "v1.2.4") && !matches("patch", "v1.2.3", "v1.3.0"));
        assert!(!matches("upgrade", "v1.2.3", "v1.2.2"));
    }

    #[test]
    fn an_origin_must_tell_all_that_an_answer_depends_on() {
        let origin = |hash: &str, tags: &str, all: &str| Origin {
            hash: hash.into(),
            tag_sum: tags.into(),
            repo_sum: all.into(),
            ..Origin::default()
        };
        let telling = |query, origin| is_telling("example.com/m", query, &origin);
        assert!(telling("v1.2.3", origin("h", "", "")));
        assert!(!telling("v1.2.3", origin("", "", "")));
        assert!(!telling("main", origin("h", "", "")) && telling("main", origin("h", "t", "")));
        assert!(!telling("main", origin("", "t", "")) && telling("main", origin("", "", "r")));
        assert!(telling("latest", origin("", "t", "")) && !telling("<v2", origin("h", "", "")));
    }

    #[test]
    fn what_names_one_revision() {
        assert!(is_revision_query("example.com/m", "v1.2.3"));
        assert!(is_revision_query("example.com/m", "main"));
        assert!(!is_revision_query("example.com/m", "v1.2"));
        assert!(!is_revision_query("example.com/m", "<v1.2.3"));
        assert!(
            Matcher::new("example.com/m", "main", "", Allowed::Any)
                .unwrap()
                .is_none()
        );
        assert!(Matcher::new("example.com/m", "<=v1.2", "", Allowed::Any).is_err());
        assert!(Matcher::new("example.com/m", "patch", "none", Allowed::Any).is_err());
    }
}

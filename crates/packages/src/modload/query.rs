//! Version queries: `latest`, `upgrade`, `patch`, `v1.2`, `<v1.5`, branches and commits, and which module has a package.

use super::{ModError, ModMode, ModuleDir, Modules, NotInModule, Result, Reuse};
use crate::parallel;
use crate::patterns::{ModuleTree, Pattern, walk_module};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use steady_module::modfile::{self, ModFile, Retract};
use steady_module::{ModuleVersion, gover, path as module_path, pseudo};
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

/// A module as one proxy and the replacements of the main module show it.
struct Source<'a> {
    modules: &'a Modules,
    proxy: &'a str,
    path: &'a str,
    query: &'a str,
    /// The version in use, empty or `none` if there is none.
    current: &'a str,
}

impl Source<'_> {
    fn repo(&self) -> Arc<dyn steady_proxy::Repo> {
        self.modules.fetcher.lookup(self.proxy, self.path)
    }

    /// Versions of the module that are replaced, ascending.
    fn replaced(&self) -> Vec<String> {
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

    fn is_replaced(&self) -> bool {
        self.modules.replace.keys().any(|old| old.path == self.path)
    }

    fn versions(&self, prefix: &str) -> Result<(Vec<String>, Option<Origin>)> {
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

    fn stat(&self, rev: &str) -> Result<RevInfo> {
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

    fn latest(&self) -> Result<RevInfo> {
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
    fn revision(&self, query: &str, allowed: Allowed) -> Result<RevInfo> {
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
    fn refuse(&self, version: &str, allowed: Allowed) -> Result<()> {
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
    fn stays(&self) -> bool {
        matches!(self.query, "upgrade" | "patch") && !matches!(self.current, "" | "none")
    }

    /// The revision of the version that was chosen; the one in use if it is a pseudo-version that is younger. Who uses a commit of a
    /// branch without tags hardly wants to go back to what was there already.
    fn look_up(&self, version: &str, allowed: Allowed, basis: &Basis) -> Result<RevInfo> {
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

    fn choose(&self, matcher: &Matcher<'_>) -> Result<RevInfo> {
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

    fn choose_of(
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

    fn allows(&self, matcher: &Matcher<'_>, version: &str) -> bool {
        matcher.matches(version) && self.refuse(version, matcher.allowed).is_ok()
    }

    /// Releases and pre-releases that may be chosen. Versions without go.mod of a later major version count only if the last one
    /// before them has no go.mod either.
    fn filter(
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

    fn has_go_mod(&self, version: &str) -> Result<bool> {
        let text = self.modules.fetcher.go_mod(self.path, version)?;
        let made_up = format!("module {}\n", modfile::auto_quote(self.path));
        Ok(*text != *made_up.as_bytes())
    }
}

/// What an answer comes from, gathered from all that led to it; nothing if one of these cannot be told, or they contradict one another.
struct Basis(RefCell<Option<Origin>>);

impl Basis {
    /// Adds what one step's answer comes from.
    fn noting(&self, answer: Result<RevInfo>) -> Result<RevInfo> {
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
fn is_telling(path: &str, query: &str, origin: &Origin) -> bool {
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
fn made_up(version: &str) -> RevInfo {
    RevInfo {
        version: version.to_string(),
        ..RevInfo::default()
    }
}

/// What a query asks of a version.
struct Matcher<'q> {
    path: &'q str,
    prefix: String,
    least: Option<(&'q str, bool)>,
    most: Option<(&'q str, bool)>,
    /// One version is meant, which need not be in any list.
    exact: bool,
    allowed: Allowed,
    may_use_latest: bool,
    prefer_lower: bool,
    prefer_incompatible: bool,
}

impl<'q> Matcher<'q> {
    /// `None`: a branch, a tag or a commit.
    fn new(
        path: &'q str,
        query: &'q str,
        current: &'q str,
        allowed: Allowed,
    ) -> Result<Option<Matcher<'q>>> {
        let mut matcher = Matcher {
            path,
            prefix: String::new(),
            least: None,
            most: None,
            exact: false,
            allowed,
            may_use_latest: false,
            prefer_lower: false,
            prefer_incompatible: current.ends_with("+incompatible"),
        };
        let none = matches!(current, "" | "none");
        match query {
            "latest" => matcher.may_use_latest = true,
            "upgrade" if none => matcher.may_use_latest = true,
            "patch" if none => return Err(ModError::NoPatchBase(path.to_string())),
            "upgrade" | "patch" => {
                matcher.may_use_latest = pseudo::is_pseudo_version(current);
                matcher.least = Some((current, true));
                if query == "patch" {
                    matcher.prefix = format!("{}.", gover::mod_major_minor(path, current));
                }
            }
            _ => {
                let bounds = ["<=", "<", ">=", ">"];
                let bound = bounds.into_iter().find(|bound| query.starts_with(bound));
                match bound {
                    Some(bound) => matcher.range(query, bound)?,
                    None if gover::mod_is_valid(path, query) => matcher.version(query),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(matcher))
    }

    fn range(&mut self, query: &'q str, bound: &str) -> Result<()> {
        let version = &query[bound.len()..];
        if !gover::mod_is_valid(self.path, version) {
            return Err(ModError::Message(format!(
                "invalid semantic version {version:?} in range {query:?}"
            )));
        }
        // `v1.2` could mean v1.2.0 or all of v1.2.
        if matches!(bound, "<=" | ">") && gover::mod_is_prefix(self.path, version) {
            return Err(ModError::Message(format!(
                "ambiguous semantic version {version:?} in range {query:?}"
            )));
        }
        let inclusive = bound.ends_with('=');
        if bound.starts_with('<') {
            self.most = Some((version, inclusive));
        } else {
            self.least = Some((version, inclusive));
            self.prefer_lower = true;
        }
        self.prefer_incompatible |= !self.of_major(version);
        Ok(())
    }

    fn version(&mut self, query: &'q str) {
        if gover::mod_is_prefix(self.path, query) {
            self.prefix = format!("{query}.");
            self.least = Some((query, true));
        } else {
            self.exact = true;
        }
        self.prefer_incompatible |= !self.of_major(query);
    }

    fn of_major(&self, version: &str) -> bool {
        module_path::split_path_version(self.path)
            .is_some_and(|(_, major)| module_path::match_path_major(version, major))
    }

    fn matches(&self, version: &str) -> bool {
        let within = version.starts_with(&self.prefix)
            || gover::is_toolchain(self.path) && self.prefix.trim_end_matches('.') == version;
        let above = self.least.is_none_or(|(least, inclusive)| {
            let order = gover::mod_compare(self.path, version, least);
            order.is_gt() || inclusive && order.is_eq()
        });
        let below = self.most.is_none_or(|(most, inclusive)| {
            let order = gover::mod_compare(self.path, version, most);
            order.is_lt() || inclusive && order.is_eq()
        });
        within && above && below
    }
}

/// Whether a query names one revision rather than a choice of versions.
#[must_use]
pub fn is_revision_query(path: &str, query: &str) -> bool {
    let choice = matches!(query, "latest" | "upgrade" | "patch") || query.starts_with(['<', '>']);
    let prefix = gover::mod_is_valid(path, query) && gover::mod_is_prefix(path, query);
    !choice && !prefix
}

impl Modules {
    /// Modules that have packages which `pattern` names, at the version that `query` means for each of them.
    ///
    /// # Errors
    /// The most telling reason why there is none.
    pub fn query_pattern(
        &self,
        pattern: &str,
        query: &str,
        current: &(dyn Fn(&str) -> String + Sync),
        allowed: Allowed,
    ) -> Result<FoundPackages> {
        let base = match pattern.find("...") {
            None => pattern,
            Some(at) => match pattern[..at + "...".len()].rsplit_once('/') {
                Some((base, _)) => base,
                None => {
                    return Err(ModError::Message(format!(
                        "no modules to query for {pattern}@{query} because first path element contains a wildcard"
                    )));
                }
            },
        };
        let glob = Pattern::new(pattern);
        let staying = matches!(query, "upgrade" | "patch");
        let mut module_only = None;
        let mut matching_mains = Vec::new();
        for main in &self.mains {
            let module = ModuleVersion::new(main.path.clone(), "");
            let root = ModuleDir {
                dir: main.dir.clone(),
                local: true,
            };
            let packages = self.packages_matching(pattern, &module, &root);
            let found = |packages| Found {
                module: module.clone(),
                info: RevInfo::default(),
                packages,
            };
            if !packages.is_empty() {
                if !staying {
                    return Err(in_main_text(pattern, query, &packages));
                }
                return Ok(FoundPackages {
                    with_packages: vec![found(packages)],
                    module_only: None,
                });
            }
            if glob.matches(&main.path) {
                matching_mains.push(module.clone());
                if staying {
                    module_only = Some(found(Vec::new()));
                }
            }
        }
        let candidates: Vec<&str> = super::import::prefixes(base)
            .filter(|path| self.main(path).is_none())
            .filter(|path| module_path::split_path_version(path).is_some())
            .collect();
        if candidates.is_empty() {
            return match module_only {
                Some(_) => Ok(FoundPackages {
                    with_packages: Vec::new(),
                    module_only,
                }),
                None if !matching_mains.is_empty() => {
                    Err(self.matches_mains(pattern, query, &matching_mains))
                }
                None => Err(ModError::NotInModule(Box::new(NotInModule {
                    query: query.to_string(),
                    pattern: pattern.to_string(),
                    mains: matching_mains,
                    ..NotInModule::default()
                }))),
            };
        }
        let asked = self.fetcher.try_proxies(|proxy| {
            settle(self.query_candidates(proxy, &candidates, (pattern, query), current, allowed))
        });
        let found = match asked {
            Ok(found) => found?,
            Err(error)
                if error.is_not_exist() && !matching_mains.is_empty() && module_only.is_none() =>
            {
                return Err(self.matches_mains(pattern, query, &matching_mains));
            }
            Err(error) => return Err(error.into()),
        };
        let (with_packages, rest): (Vec<Found>, Vec<Found>) = found
            .into_iter()
            .partition(|found| !found.packages.is_empty());
        Ok(FoundPackages {
            with_packages,
            module_only: rest.into_iter().next_back().or(module_only),
        })
    }

    pub(super) fn matches_mains(
        &self,
        pattern: &str,
        query: &str,
        mains: &[ModuleVersion],
    ) -> ModError {
        if self.main(pattern).is_some() {
            return ModError::Message(format!(
                "can't request version {query:?} of the main module ({pattern})"
            ));
        }
        let names: Vec<&str> = mains.iter().map(|main| main.path.as_str()).collect();
        let plural = if names.len() > 1 { "s" } else { "" };
        ModError::Message(format!(
            "can't request version {query:?} of pattern {pattern:?} that includes the main module{plural} ({})",
            names.join(", ")
        ))
    }

    fn query_candidates(
        &self,
        proxy: &str,
        candidates: &[&str],
        (pattern, query): (&str, &str),
        current: &(dyn Fn(&str) -> String + Sync),
        allowed: Allowed,
    ) -> Result<Vec<Found>> {
        let ask = |path: &&str| {
            self.query_candidate(proxy, path, (pattern, query), &current(path), allowed)
        };
        let answers = parallel::map(candidates, parallel::WAITING, ask);
        let mut found = Vec::new();
        let mut worst: Option<(u8, ModError)> = None;
        for (path, answer) in candidates.iter().zip(answers) {
            let error = match answer {
                Ok(one) => {
                    found.push(one);
                    continue;
                }
                Err(error) => error,
            };
            let rank = match &error {
                _ if error.is_not_exist() => 6,
                ModError::NotInModule(_) => 1,
                _ if error.is_no_match() => 2,
                ModError::NoPatchBase(_) => 3,
                _ if module_path::check_path(path).is_err() => 4,
                _ if error.is_invalid_version() => 5,
                // A failure to ask counts unless a longer path has answered.
                _ if found.is_empty() && worst.as_ref().is_none_or(|(rank, _)| *rank != 1) => 0,
                _ => continue,
            };
            if worst.as_ref().is_none_or(|(known, _)| rank < *known) {
                worst = Some((rank, error));
            }
        }
        match worst {
            Some((rank, error)) if rank == 0 || found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    fn query_candidate(
        &self,
        proxy: &str,
        path: &str,
        (pattern, query): (&str, &str),
        current: &str,
        allowed: Allowed,
    ) -> Result<Found> {
        let info = self.query_proxy(proxy, path, query, current, allowed)?;
        let module = ModuleVersion::new(path, info.version.clone());
        let mut found = Found {
            module,
            info,
            packages: Vec::new(),
        };
        if gover::is_toolchain(path) {
            return Ok(found);
        }
        let root = ModuleDir {
            dir: self.module_dir(&found.module)?,
            local: self
                .replacement(&found.module)
                .is_some_and(|new| new.version.is_empty()),
        };
        found.packages = self.packages_matching(pattern, &found.module, &root);
        if found.packages.is_empty() && !Pattern::new(pattern).matches(path) {
            return Err(self.not_in_module(found.module, pattern, query));
        }
        Ok(found)
    }

    pub(super) fn not_in_module(
        &self,
        module: ModuleVersion,
        pattern: &str,
        query: &str,
    ) -> ModError {
        ModError::NotInModule(Box::new(NotInModule {
            replacement: self.replacement(&module).cloned().unwrap_or_default(),
            module,
            query: query.to_string(),
            pattern: pattern.to_string(),
            mains: Vec::new(),
        }))
    }

    /// Packages of a module that a pattern names, whatever their constraints.
    pub(super) fn packages_matching(
        &self,
        pattern: &str,
        module: &ModuleVersion,
        root: &ModuleDir,
    ) -> Vec<String> {
        if !pattern.contains("...") {
            let found = self.dir_in_module(pattern, &module.path, root);
            return found.map(|_| pattern.to_string()).into_iter().collect();
        }
        let glob = Pattern::new(pattern);
        let none = crate::patterns::IgnorePatterns::default();
        let main = self
            .main(&module.path)
            .filter(|_| module.version.is_empty());
        let tree = ModuleTree {
            dir: &root.dir,
            prefix: &module.path,
            prune_go_mod: root.local,
            prune_vendor: true,
            ignore: main.map_or(&none, |main| &main.ignore),
            note: &|_| {},
        };
        let mut all = BTreeSet::new();
        walk_module(
            &self.index,
            &tree,
            &|path: &str| glob.matches(path),
            &|path: &str| glob.tree_can_match(path),
            &mut |path: String, _| {
                all.insert(path);
            },
        );
        all.into_iter().collect()
    }
}

pub(super) fn in_main_text(pattern: &str, query: &str, packages: &[String]) -> ModError {
    ModError::Message(match packages {
        [one] if crate::patterns::is_meta_package(pattern) || pattern.contains("...") => format!(
            "pattern {pattern} matches package {one} in the main module, so can't request version {query}"
        ),
        [one] => {
            format!("package {one} is in the main module, so can't request version {query}")
        }
        _ => format!(
            "pattern {pattern} matches {} packages in the main module, so can't request version {query}",
            packages.len()
        ),
    })
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

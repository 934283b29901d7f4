//! `get`: named modules and packages at the versions asked for, everything else only as far as that takes it along.
//!
//! Each argument is a [`Query`]. Queries are answered with module versions, these are held fixed while requirements are edited
//! ([`Modules::edit`]), and then the packages that were named are loaded again, until nothing new turns up: an upgraded package may
//! import others.

use super::packages::PackageOptions;
use super::query::FoundPackages;
use super::reqs::Reqs;
use super::{
    Allowed, CommitOptions, ImportError, ModError, Modules, Result, is_revision_query,
    short_message,
};
use crate::patterns::{Pattern, is_local_import, is_meta_package, is_standard_import_path};
use crate::source::BuildContext;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use steady_module::{ModuleVersion, gover};

/// How to get.
#[derive(Debug, Clone)]
pub struct GetOptions {
    /// Files that count for the packages named.
    pub context: Arc<BuildContext>,
    /// `-u`: `upgrade` or `patch`; empty: not given.
    pub upgrade: String,
    /// `-t`
    pub tests: bool,
    /// `-tool`
    pub tool: bool,
    /// `-v`
    pub verbose: bool,
}

/// What `get` has changed.
#[derive(Debug, Clone, Default)]
pub struct Got {
    /// Lines to show, in their order: `upgraded example.com/m v1.0.0 => v1.1.0`, ….
    pub changes: Vec<String>,
    /// Errors of packages that were named; the changes stand all the same.
    pub failed: bool,
}

/// One argument.
#[derive(Debug, Clone)]
struct Query {
    raw: String,
    raw_version: String,
    pattern: String,
    version: String,
    local: bool,
    /// It names packages: these have to build.
    packages: bool,
}

impl Query {
    fn new(raw: &str, upgrade: &str) -> Result<Query> {
        let (pattern, raw_version) = match raw.split_once('@') {
            Some((_, version)) if version.is_empty() || version.contains('@') => {
                return Err(ModError::Message(format!(
                    "invalid module version syntax {raw:?}"
                )));
            }
            Some((pattern, version)) => (pattern, version),
            None => (raw, ""),
        };
        let version = match (raw_version, upgrade) {
            ("", "") => "upgrade",
            ("", upgrade) => upgrade,
            (version, _) => version,
        };
        Ok(Query {
            raw: raw.to_string(),
            raw_version: raw_version.to_string(),
            pattern: pattern.to_string(),
            version: version.to_string(),
            local: is_local_import(pattern) || pattern.starts_with('/'),
            packages: false,
        })
    }

    fn is_wildcard(&self) -> bool {
        self.pattern.contains("...")
    }

    /// The query as it should be told when it has become `version`.
    fn resolved(&self, module: &ModuleVersion) -> String {
        if self.raw != self.pattern
            && self
                .raw
                .split_once('@')
                .is_some_and(|(_, v)| v == module.version)
            && self.pattern == module.path
        {
            return module.to_string();
        }
        if self.raw_version == module.version && self.pattern == module.path {
            return module.to_string();
        }
        format!("{} ({module})", self.raw)
    }

    /// An error, with the query in front unless it tells it already.
    fn tell(&self, error: &ModError) -> String {
        let text = error.to_string();
        let has = |word: &str, before: &str, after: &str| {
            text.match_indices(word).any(|(at, _)| {
                let left = text[..at].chars().next_back();
                let right = text[at + word.len()..].chars().next();
                left.is_none_or(|c| c == '\n' || before.contains(c))
                    && right.is_none_or(|c| c == '\n' || after.contains(c))
            })
        };
        if has(&self.pattern, " \t(\"`", " @:;)\"`")
            && (self.raw_version.is_empty() || has(&self.version, " @(\"`", " :;)\"`"))
        {
            return text;
        }
        format!("{}: {text}", self.raw)
    }
}

/// The candidates that one path of a query has.
type Candidates = FoundPackages;

struct Resolver<'m> {
    modules: &'m Modules,
    options: &'m GetOptions,
    reqs: Arc<Reqs>,
    initial: HashMap<String, String>,
    selected: HashMap<String, String>,
    /// Versions that queries asked for, with the index of the query.
    resolved: BTreeMap<String, (String, usize)>,
}

impl Modules {
    /// Changes requirements as `arguments` ask, and writes them.
    ///
    /// # Errors
    /// Queries without an answer, versions that contradict one another, files that cannot be written. Nothing is written then.
    pub fn get(&self, arguments: &[String], options: &GetOptions) -> Result<Got> {
        let mut commit = CommitOptions::default();
        let mut queries = Vec::new();
        let mut errors = Vec::new();
        for raw in arguments {
            if raw == "toolchain@none" {
                commit.drop_toolchain = true;
                continue;
            }
            match Query::new(raw, &options.upgrade).and_then(|query| self.checked(query)) {
                Ok(Some(query)) => {
                    commit.explicit_toolchain |= query.pattern == "toolchain";
                    queries.push(query);
                }
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(ModError::many(errors));
        }
        let reqs = self.with_go_line(&self.reqs(), "");
        let initial = self.versions_of(&reqs)?;
        let mut resolver = Resolver {
            modules: self,
            options,
            reqs,
            selected: initial.clone(),
            initial,
            resolved: BTreeMap::new(),
        };
        if commit.drop_toolchain {
            let without = [ModuleVersion::new("toolchain", "none")];
            resolver.reqs = self.override_roots(&resolver.reqs, &without);
        }
        resolver.run(&mut queries)?;
        let failed = resolver.check_packages(&queries)?;
        if options.tool {
            for query in &queries {
                let paths = if query.raw_version == "none" {
                    &mut commit.drop_tools
                } else {
                    &mut commit.add_tools
                };
                paths.extend(self.tools_named(query, &resolver.reqs));
            }
        }
        let old = self.named_in_go_mod();
        self.commit(&resolver.reqs, None, &commit)?;
        let new: Vec<ModuleVersion> = match self.updated_go_mod(&resolver.reqs, &commit)? {
            Some((_, file)) => named_in(&file),
            None => Vec::new(),
        };
        Ok(Got {
            changes: resolver.changes(&old, &new),
            failed,
        })
    }

    fn versions_of(&self, reqs: &Arc<Reqs>) -> Result<HashMap<String, String>> {
        let list = self.graph_of(reqs)?.build_list();
        Ok(list
            .into_iter()
            .map(|module| (module.path, module.version))
            .collect())
    }

    /// What a query must not ask; `None`: nothing has to be done for it.
    fn checked(&self, query: Query) -> Result<Option<Query>> {
        let message = |text: String| Err(ModError::Message(text));
        let Query {
            raw,
            raw_version,
            pattern,
            version,
            ..
        } = &query;
        if query.local && !raw_version.is_empty() {
            return message(format!(
                "can't request explicit version {raw_version:?} of path {pattern:?} in main module"
            ));
        }
        if pattern == "all" && !matches!(version.as_str(), "upgrade" | "patch") {
            let mains: Vec<&str> = self.mains.iter().map(|main| main.path.as_str()).collect();
            return message(format!(
                "cannot request version {version:?} of pattern \"all\" that includes the main module ({})",
                mains.join(", ")
            ));
        }
        if is_meta_package(pattern) && pattern != "all" {
            if pattern != raw {
                return message(if pattern == "tool" {
                    "can't request explicit version of \"tool\" pattern".to_string()
                } else {
                    format!(
                        "can't request explicit version of standard-library pattern {pattern:?}"
                    )
                });
            }
            // The standard library is as new as the toolchain.
            if pattern != "tool" && pattern != "work" {
                return Ok(None);
            }
        }
        if matches!(pattern.as_str(), "go" | "toolchain") && raw_version.is_empty() {
            return Ok(Some(Query {
                version: "upgrade".to_string(),
                ..query
            }));
        }
        Ok(Some(query))
    }

    fn named_in_go_mod(&self) -> Vec<ModuleVersion> {
        self.mains
            .first()
            .map_or_else(Vec::new, |main| named_in(&main.file))
    }

    /// Packages that a query of `-tool` names.
    fn tools_named(&self, query: &Query, reqs: &Arc<Reqs>) -> Vec<String> {
        if !query.is_wildcard() && !query.local {
            return vec![query.pattern.clone()];
        }
        self.set_reqs(Arc::clone(reqs));
        let context = BuildContext::default();
        self.match_pattern(&query.pattern, &context)
            .map(|found| found.packages)
            .unwrap_or_default()
    }
}

fn named_in(file: &steady_module::modfile::ModFile) -> Vec<ModuleVersion> {
    let mut list: Vec<ModuleVersion> = file
        .require
        .iter()
        .map(|require| require.module.clone())
        .collect();
    if let Some(go) = &file.go {
        list.push(ModuleVersion::new("go", go.value.clone()));
    }
    if let Some(toolchain) = &file.toolchain {
        list.push(ModuleVersion::new("toolchain", toolchain.value.clone()));
    }
    list
}

impl Resolver<'_> {
    fn run(&mut self, queries: &mut [Query]) -> Result<()> {
        let mut open: Vec<(usize, Candidates)> = Vec::new();
        let mut errors: Vec<ModError> = Vec::new();
        for (at, query) in queries.iter_mut().enumerate() {
            match self.answers(query) {
                Ok(answers) => open.extend(answers.into_iter().map(|answer| (at, answer))),
                Err(error) if error.too_new().is_some() => return Err(error),
                Err(error) => errors.push(ModError::Message(query.tell(&error))),
            }
        }
        if !errors.is_empty() {
            return Err(ModError::many(errors));
        }
        self.resolve(queries, open)?;
        self.update(queries, &[])?;
        for _ in 0..100 {
            let upgrades = self.imports(queries)?;
            if !self.update(queries, &upgrades)? {
                return Ok(());
            }
        }
        Err(ModError::message("requirements do not settle"))
    }

    fn current(&self, path: &str) -> String {
        match self.initial.get(path) {
            Some(version) => version.clone(),
            None => "none".to_string(),
        }
    }

    fn allowed(&self, path: &str, version: &str) -> Allowed {
        // Just the version that is asked for, or in use already, may be taken although its authors took it back.
        if is_revision_query(path, version) {
            Allowed::NotExcluded
        } else {
            Allowed::Checked
        }
    }

    /// Candidates for each path that a query means.
    fn answers(&self, query: &mut Query) -> Result<Vec<Candidates>> {
        let modules = self.modules;
        if query.local {
            query.packages = true;
            return self.local(query).map(|()| Vec::new());
        }
        match query.pattern.as_str() {
            "all" => {
                query.packages = true;
                return self.all(query);
            }
            "tool" | "work" => {
                query.packages = true;
                let tools = modules.mains.iter().flat_map(|main| &main.file.tool);
                let paths: Vec<String> = tools.map(|tool| tool.value.clone()).collect();
                return paths
                    .iter()
                    .map(|path| self.ask(path, &query.version))
                    .collect();
            }
            _ => {}
        }
        if query.version == "none" {
            return self.none(query);
        }
        if query.is_wildcard() {
            return self.wildcard(query);
        }
        let std = modules.config.goroot.join("src").join(&query.pattern);
        if is_standard_import_path(&query.pattern)
            && !gover::is_toolchain(&query.pattern)
            && modules.has_go_files(&std)
        {
            if !query.raw_version.is_empty() {
                return Err(ModError::Message(format!(
                    "can't request explicit version {:?} of standard library package {}",
                    query.version, query.pattern
                )));
            }
            query.packages = true;
            return Ok(Vec::new());
        }
        Ok(vec![self.ask(&query.pattern, &query.version)?])
    }

    fn ask(&self, path: &str, version: &str) -> Result<Candidates> {
        let allowed = self.allowed(path, version);
        self.modules
            .query_pattern(path, version, &|module| self.current(module), allowed)
    }

    fn local(&self, query: &Query) -> Result<()> {
        let modules = self.modules;
        let context = BuildContext {
            use_all_files: true,
            ..(*self.options.context).clone()
        };
        let found = modules.match_pattern(&query.pattern, &context)?;
        if !found.packages.is_empty() || query.is_wildcard() {
            return Ok(());
        }
        let dir = modules.files.absolute(&query.pattern);
        let shown = if query.pattern.starts_with('/') {
            query.pattern.clone()
        } else {
            format!("{} ({dir})", query.pattern)
        };
        let roots: Vec<&str> = modules.mains.iter().map(|main| main.dir.as_str()).collect();
        Err(ModError::Message(
            if query.raw.is_empty() || query.raw == "." {
                "no package to get in current directory".to_string()
            } else if modules.mains.iter().all(|main| !dir.starts_with(&main.dir)) {
                let plural = if roots.len() == 1 { "" } else { "s" };
                format!(
                    "{shown} is not within module{plural} rooted at {}",
                    roots.join(", ")
                )
            } else {
                format!(
                    "{shown} is not a package in module rooted at {}",
                    roots.join(", ")
                )
            },
        ))
    }

    fn none(&self, query: &Query) -> Result<Vec<Candidates>> {
        let glob = Pattern::new(&query.pattern);
        let mut paths: BTreeSet<&str> = self
            .selected
            .keys()
            .map(String::as_str)
            .filter(|path| glob.matches(path))
            .collect();
        if !query.is_wildcard() {
            paths.insert(&query.pattern);
        }
        let mut answers = Vec::new();
        for path in paths {
            if self.modules.main(path).is_some() {
                return Err(ModError::Message(format!(
                    "can't request version \"none\" of the main module ({path})"
                )));
            }
            answers.push(Candidates {
                with_packages: Vec::new(),
                module_only: Some(super::Found {
                    module: ModuleVersion::new(path, "none"),
                    info: steady_proxy::RevInfo::default(),
                    packages: Vec::new(),
                }),
            });
        }
        Ok(answers)
    }

    /// A wildcard means modules in use that match it or have packages that do; if there are none, what the proxies know.
    fn wildcard(&self, query: &mut Query) -> Result<Vec<Candidates>> {
        let modules = self.modules;
        let glob = Pattern::new(&query.pattern);
        let mut known: Vec<&String> = self
            .selected
            .keys()
            .filter(|path| glob.matches(path) || glob.tree_can_match(path))
            .collect();
        known.sort();
        let mut answers = Vec::new();
        for path in known {
            if modules.main(path).is_some() || gover::is_toolchain(path) {
                continue;
            }
            let allowed = self.allowed(path, &query.version);
            let info = match modules.query(path, &query.version, &self.current(path), allowed) {
                Ok(info) => info,
                Err(error) if error.is_no_match() || error.is_not_exist() => continue,
                Err(error) => return Err(error),
            };
            let module = ModuleVersion::new(path.clone(), info.version.clone());
            let root = super::ModuleDir {
                dir: modules.module_dir(&module)?,
                local: modules
                    .replacement(&module)
                    .is_some_and(|new| new.version.is_empty()),
            };
            let packages = modules.packages_matching(&query.pattern, &module, &root);
            if packages.is_empty() && !glob.matches(path) {
                continue;
            }
            let found = super::Found {
                module,
                info,
                packages,
            };
            let mut answer = Candidates::default();
            if found.packages.is_empty() {
                answer.module_only = Some(found);
            } else {
                answer.with_packages.push(found);
            }
            answers.push(answer);
        }
        if answers.is_empty() {
            answers.push(self.ask(&query.pattern, &query.version)?);
        }
        Ok(answers)
    }

    fn all(&self, query: &Query) -> Result<Vec<Candidates>> {
        let found = self.load(&["all".to_string()])?;
        let mut answers = Vec::new();
        let mut asked = HashSet::new();
        for node in &found.nodes {
            let external = node.module.as_ref().is_some_and(|module| {
                !module.path.is_empty() && self.modules.main(&module.path).is_none()
            });
            let missing = matches!(node.error, Some(ImportError::Missing(_)));
            if node.test_of.is_some() || !node.in_all || !(external || missing) {
                continue;
            }
            if asked.insert(node.path.clone()) {
                answers.push(self.ask(&node.path, &query.version)?);
            }
        }
        Ok(answers)
    }

    fn load(&self, patterns: &[String]) -> Result<super::ModulePackages> {
        let options = PackageOptions {
            context: Arc::clone(&self.options.context),
            any_tags: true,
            tests: self.options.tests,
            resolve: false,
            tidy: false,
            tidy_go: String::new(),
            narrow_all: false,
        };
        self.modules.set_reqs(Arc::clone(&self.reqs));
        self.modules.load_packages(patterns, &options)
    }

    /// Chooses a module for each set of candidates: first where there is no choice, then those in use already, then the longest path.
    fn resolve(&mut self, queries: &mut [Query], open: Vec<(usize, Candidates)>) -> Result<()> {
        let mut open = open;
        let mut errors = Vec::new();
        loop {
            let before = open.len();
            let mut rest = Vec::new();
            for (at, candidates) in open {
                match self.only(&candidates) {
                    Some(choice) => self.settle(queries, at, &candidates, choice, &mut errors),
                    None => rest.push((at, candidates)),
                }
            }
            open = rest;
            if open.len() == before {
                break;
            }
        }
        for (at, candidates) in open {
            let in_use = candidates
                .with_packages
                .iter()
                .find(|found| self.initial.contains_key(&found.module.path));
            let choice = in_use
                .or(candidates.with_packages.first())
                .or(candidates.module_only.as_ref())
                .map(|found| (found.module.clone(), !found.packages.is_empty()));
            self.settle(queries, at, &candidates, choice, &mut errors);
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ModError::many(errors))
        }
    }

    /// The choice if there is just one; inside, `None` if nothing is left.
    #[allow(clippy::option_option)] // no choice yet, or the choice of nothing
    fn only(&self, candidates: &Candidates) -> Option<Option<(ModuleVersion, bool)>> {
        let mut left: Vec<&super::Found> = Vec::new();
        for found in &candidates.with_packages {
            let module = &found.module;
            if self.modules.main(&module.path).is_some() {
                if module.version.is_empty() {
                    return Some(Some((module.clone(), true)));
                }
                continue;
            }
            match self.resolved.get(&module.path) {
                None => left.push(found),
                Some((version, _)) if *version == module.version => {
                    return Some(Some((module.clone(), true)));
                }
                Some(_) => {}
            }
        }
        let only = candidates.module_only.as_ref().filter(|found| {
            let known = self.resolved.get(&found.module.path);
            known.is_none_or(|(version, _)| *version == found.module.version)
        });
        match (left.as_slice(), only) {
            ([one], None) => Some(Some((one.module.clone(), true))),
            ([one], Some(only)) if only.module == one.module => {
                Some(Some((one.module.clone(), true)))
            }
            ([], Some(only)) => Some(Some((only.module.clone(), false))),
            ([], None) => {
                // What is left out contradicts what was resolved before: told as a conflict.
                let first = candidates
                    .with_packages
                    .first()
                    .or(candidates.module_only.as_ref());
                Some(first.map(|found| (found.module.clone(), !found.packages.is_empty())))
            }
            _ => None,
        }
    }

    fn settle(
        &mut self,
        queries: &mut [Query],
        at: usize,
        candidates: &Candidates,
        choice: Option<(ModuleVersion, bool)>,
        errors: &mut Vec<ModError>,
    ) {
        let Some((module, has_packages)) = choice else {
            return;
        };
        queries[at].packages |= has_packages && !candidates.with_packages.is_empty();
        if self.modules.main(&module.path).is_some() {
            return;
        }
        match self.resolved.get(&module.path) {
            Some((version, first)) if *version != module.version => {
                let known = ModuleVersion::new(module.path.clone(), version.clone());
                errors.push(ModError::Message(format!(
                    "{} conflicts with {}",
                    queries[at].resolved(&module),
                    queries[*first].resolved(&known)
                )));
            }
            Some(_) => {}
            None => {
                self.resolved.insert(module.path, (module.version, at));
            }
        }
    }

    /// Edits requirements; true if they have changed.
    fn update(&mut self, queries: &[Query], upgrades: &[ModuleVersion]) -> Result<bool> {
        let must: Vec<ModuleVersion> = self
            .resolved
            .iter()
            .map(|(path, (version, _))| ModuleVersion::new(path.clone(), version.clone()))
            .collect();
        let edited = self
            .modules
            .edit(&self.reqs, upgrades, &must)
            .map_err(|error| self.conflicts(queries, error))?;
        let Some(edited) = edited else {
            return Ok(false);
        };
        self.reqs = edited;
        self.modules.forget_failures();
        self.selected = self.modules.versions_of(&self.reqs)?;
        Ok(true)
    }

    /// Conflicts in the words of the queries that led to them.
    fn conflicts(&self, queries: &[Query], error: ModError) -> ModError {
        let ModError::Conflicts(conflicts) = &error else {
            return error;
        };
        let reason = |module: &ModuleVersion| match self.resolved.get(&module.path) {
            Some((version, at)) => {
                queries[*at].resolved(&ModuleVersion::new(module.path.clone(), version.clone()))
            }
            None => module.to_string(),
        };
        let lines = conflicts.iter().filter_map(|conflict| {
            let (first, last) = (conflict.path.first()?, conflict.path.last()?);
            let adverb = if conflict.path.len() > 2 {
                "indirectly "
            } else {
                ""
            };
            Some(ModError::Message(match conflict.reason() {
                Some(why) => format!("{} {adverb}requires {last}: {why}", reason(first)),
                None => format!(
                    "{} {adverb}requires {last}, not {}",
                    reason(first),
                    reason(&conflict.constraint)
                ),
            }))
        });
        ModError::many(lines.collect())
    }

    /// Modules for what packages that were named import: upgrades with `-u`, and modules for what is missing.
    fn imports(&self, queries: &[Query]) -> Result<Vec<ModuleVersion>> {
        let patterns: Vec<String> = queries
            .iter()
            .filter(|query| query.packages)
            .map(|query| query.pattern.clone())
            .collect();
        if patterns.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.load(&patterns)?;
        let mut upgrades: BTreeSet<ModuleVersion> = BTreeSet::new();
        let mut asked: HashSet<String> = HashSet::new();
        let current = |path: &str| {
            self.selected
                .get(path)
                .cloned()
                .unwrap_or_else(|| "none".to_string())
        };
        for node in &found.nodes {
            if node.test_of.is_some() || node.std && node.error.is_none() {
                continue;
            }
            let missing = matches!(
                node.error,
                Some(ImportError::Missing(_) | ImportError::Ambiguous(_))
            );
            let version = match &node.module {
                _ if missing => "latest",
                Some(module)
                    if !self.options.upgrade.is_empty()
                        && !module.version.is_empty()
                        && !self.resolved.contains_key(&module.path) =>
                {
                    &self.options.upgrade
                }
                _ => continue,
            };
            if !asked.insert(node.path.clone()) {
                continue;
            }
            let is_std = matches!(&node.error, Some(ImportError::Missing(missing)) if missing.std_dir.is_some());
            if is_std {
                continue;
            }
            let answer =
                self.modules
                    .query_pattern(&node.path, version, &current, Allowed::Checked);
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) if error.too_new().is_some() => return Err(error),
                // Told when the packages are checked.
                Err(_) => continue,
            };
            let same = |found: &super::Found| Some(&found.module) == node.module.as_ref();
            if answer.with_packages.iter().any(same) {
                continue;
            }
            let in_use = answer
                .with_packages
                .iter()
                .find(|found| self.initial.contains_key(&found.module.path));
            if let Some(found) = in_use.or(answer.with_packages.first()) {
                upgrades.insert(found.module.clone());
            }
        }
        Ok(upgrades.into_iter().collect())
    }

    /// Loads what was named as a build would and tells what is wrong with it, what is deprecated, and what was taken back.
    fn check_packages(&mut self, queries: &[Query]) -> Result<bool> {
        let modules = self.modules;
        let mut relevant: BTreeSet<ModuleVersion> = self
            .resolved
            .iter()
            .filter(|(_, (version, _))| version != "none")
            .map(|(path, (version, _))| ModuleVersion::new(path.clone(), version.clone()))
            .collect();
        let named: BTreeSet<ModuleVersion> = relevant.clone();
        let mut failed = false;
        let patterns: Vec<String> = queries
            .iter()
            .filter(|query| query.packages)
            .map(|query| query.pattern.clone())
            .collect();
        if !patterns.is_empty() {
            let options = PackageOptions {
                context: Arc::clone(&self.options.context),
                any_tags: false,
                tests: self.options.tests,
                resolve: false,
                tidy: false,
                tidy_go: String::new(),
                narrow_all: false,
            };
            modules.set_reqs(Arc::clone(&self.reqs));
            let found = modules.load_packages(&patterns, &options)?;
            if let Some(reqs) = &found.reqs {
                self.reqs = Arc::clone(reqs);
            }
            for node in &found.nodes {
                relevant.extend(
                    node.module
                        .iter()
                        .filter(|module| !module.version.is_empty())
                        .cloned(),
                );
            }
            for error in found.errors(false) {
                failed = true;
                modules.fetcher.warn(&error.to_string());
            }
        }
        self.warn_of(&relevant, &named);
        self.check_sums()?;
        Ok(failed)
    }

    fn warn_of(&self, relevant: &BTreeSet<ModuleVersion>, named: &BTreeSet<ModuleVersion>) {
        let modules = self.modules;
        for module in relevant
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            let shown = named.contains(module) || self.reqs.direct.contains(&module.path);
            if !shown {
                continue;
            }
            if let Ok(file) = modules.newest_go_mod(&module.path)
                && let Some(text) = file
                    .module
                    .as_ref()
                    .map(|module| &module.deprecated)
                    .filter(|text| !text.is_empty())
            {
                modules.fetcher.warn(&format!(
                    "module {} is deprecated: {}",
                    module.path,
                    short_message(text, "")
                ));
            }
        }
        let mut retracted = Vec::new();
        for module in relevant
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            if let Err(error) = modules.check_retracted(module)
                && error.is_disallowed()
            {
                modules.fetcher.warn(&format!("warning: {error}"));
                retracted.push(&module.path);
            }
        }
        if let Some(first) = retracted.first() {
            let path = if retracted.len() == 1 {
                first
            } else {
                "<module>"
            };
            modules.fetcher.warn(&format!(
                "to switch to the latest unretracted version, run:\n\tgo get {path}@latest"
            ));
        }
    }

    /// Modules that had a sum must have one at their new versions.
    fn check_sums(&self) -> Result<()> {
        let modules = self.modules;
        let mut errors = Vec::new();
        let mut changed: Vec<(&String, &String)> = self
            .selected
            .iter()
            .filter(|(path, version)| {
                self.initial
                    .get(*path)
                    .is_some_and(|old| old != *version && !old.is_empty())
            })
            .collect();
        changed.sort();
        for (path, version) in changed {
            let old = ModuleVersion::new(path.clone(), self.initial[path].clone());
            let new = ModuleVersion::new(path.clone(), version.clone());
            let actual = modules.replacement(&new).unwrap_or(&new).clone();
            let before = modules.replacement(&old).unwrap_or(&old);
            if gover::is_toolchain(path)
                || actual == *before
                || actual.version.is_empty()
                || !modules.fetcher.have_sum(before)
            {
                continue;
            }
            if let Err(error) = modules.fetcher.download_zip(&actual) {
                let verb = if gover::mod_compare(path, version, &old.version).is_lt() {
                    "downgraded"
                } else {
                    "upgraded"
                };
                let by = if actual == new {
                    String::new()
                } else {
                    format!(" (replaced by {actual})")
                };
                errors.push(ModError::Message(format!(
                    "{verb} {path} {} => {version}{by}: error finding sum for {actual}: {error}",
                    old.version
                )));
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ModError::many(errors))
        }
    }

    fn changes(&self, old: &[ModuleVersion], new: &[ModuleVersion]) -> Vec<String> {
        let mut changes: BTreeMap<(u8, String), (String, String)> = BTreeMap::new();
        let key = |path: &str| {
            let rank = match path {
                "go" => 0,
                "toolchain" => 1,
                _ => 2,
            };
            (rank, path.to_string())
        };
        let of = |versions: &HashMap<String, String>, path: &str| {
            versions.get(path).cloned().unwrap_or_default()
        };
        for (path, (version, _)) in &self.resolved {
            let before = of(&self.initial, path);
            let gone = before.is_empty() && version == "none";
            if !gover::is_toolchain(path) && before != *version && !gone {
                changes.insert(key(path), (before, version.clone()));
            }
        }
        for module in old
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            let now = of(&self.selected, &module.path);
            if now != module.version {
                changes.insert(key(&module.path), (module.version.clone(), now));
            }
        }
        for module in new
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            let before = of(&self.initial, &module.path);
            if before != module.version {
                changes.insert(key(&module.path), (before, module.version.clone()));
            }
        }
        for path in ["go", "toolchain"] {
            let version = |list: &[ModuleVersion]| {
                let found = list.iter().find(|module| module.path == path);
                found.map_or_else(String::new, |module| module.version.clone())
            };
            let (before, now) = (version(old), version(new));
            if before != now {
                changes.insert(key(path), (before, now));
            }
        }
        changes
            .into_iter()
            .map(|((_, path), (before, now))| describe(&path, &before, &now))
            .collect()
    }
}

fn describe(path: &str, before: &str, now: &str) -> String {
    if before.is_empty() {
        return format!("added {path} {now}");
    }
    if matches!(now, "" | "none") {
        return format!("removed {path} {before}");
    }
    if gover::mod_compare(path, now, before).is_le() {
        return format!("downgraded {path} {before} => {now}");
    }
    let edge = gover::EXPLICIT_INDIRECT_VERSION;
    let note = if path == "go"
        && gover::compare(before, edge).is_lt()
        && gover::compare(now, edge).is_ge()
    {
        format!(
            "\n\tnote: expanded dependencies to upgrade to go {edge} or higher; run 'go mod tidy' to clean up"
        )
    } else {
        String::new()
    };
    format!("upgraded {path} {before} => {now}{note}")
}

//! From queries to requirements: each query is answered with modules that could be meant, one of them is chosen, requirements are
//! edited so that it is selected, and what the packages named import is looked at again, until nothing changes.

use super::GetOptions;
use super::query::Query;
use super::workspace::Workspace;
use crate::modload::packages::PackageOptions;
use crate::modload::reqs::Reqs;
use crate::modload::{
    Allowed, Found, FoundPackages, ImportError, ModError, ModuleDir, ModulePackages, Modules, Node,
    Result,
};
use crate::patterns::{Pattern, is_meta_package, is_standard_import_path};
use crate::source::BuildContext;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use steady_module::{ModuleVersion, gover};
use steady_proxy::RevInfo;
use steady_system::parallel;

pub(super) struct Resolver<'m> {
    pub modules: &'m Modules,
    pub options: &'m GetOptions,
    pub queries: Vec<Query>,
    pub reqs: Arc<Reqs>,
    /// Selected versions before anything was changed.
    pub initial: HashMap<String, String>,
    /// Selected versions now.
    pub selected: HashMap<String, String>,
    /// Versions that queries asked for, with the index of the query.
    pub resolved: BTreeMap<String, (String, usize)>,
    /// The workspace that the main module may be a member of.
    pub workspace: Workspace,
    /// What was wrong so far, with the query it is about.
    errors: Vec<(usize, ModError)>,
}

/// A choice among modules: the module, and whether it was chosen for its packages.
type Choice = (ModuleVersion, bool);

impl<'m> Resolver<'m> {
    pub fn new(
        modules: &'m Modules,
        options: &'m GetOptions,
        reqs: Arc<Reqs>,
        queries: Vec<Query>,
    ) -> Result<Resolver<'m>> {
        let initial = modules.versions_of(&reqs)?;
        Ok(Resolver {
            modules,
            options,
            queries,
            reqs,
            selected: initial.clone(),
            initial,
            resolved: BTreeMap::new(),
            workspace: Workspace::find(modules),
            errors: Vec::new(),
        })
    }

    /// # Errors
    /// Queries without an answer, and versions that contradict one another.
    pub fn run(&mut self) -> Result<()> {
        for at in 0..self.queries.len() {
            self.ask_once_and_for_all(at);
        }
        // Every round settles something; a bound guards against answers that contradict one another from round to round.
        for _ in 0..1000 {
            for at in 0..self.queries.len() {
                self.ask_again(at)?;
            }
            if self.resolve(|_| true)? {
                continue;
            }
            let wanted = self.imports()?;
            if self.upgrade(wanted)? {
                continue;
            }
            for at in 0..self.queries.len() {
                self.ask_for_missing(at);
            }
            if self.resolve(Query::is_wildcard)? {
                continue;
            }
            return self.check_wildcards();
        }
        Err(ModError::message("requirements do not settle"))
    }

    /// Answers a path of a query, unless that was done before.
    fn ask(&mut self, at: usize, path: &str, answer: impl FnOnce(&Self) -> Result<FoundPackages>) {
        if !self.queries[at].asked.insert(path.to_string()) {
            return;
        }
        match answer(self) {
            Ok(found) if found.with_packages.is_empty() && found.module_only.is_none() => {}
            Ok(found) => self.queries[at].open.push(found),
            Err(error) => self.errors.push((at, error)),
        }
    }

    /// Ends the run if something was wrong.
    fn check(&mut self) -> Result<()> {
        let errors = std::mem::take(&mut self.errors);
        if errors.is_empty() {
            return Ok(());
        }
        let told = errors.into_iter().map(|(at, error)| ModError::Told {
            text: self.queries[at].tell(&error),
            source: Arc::new(error),
        });
        Err(ModError::many(told.collect()))
    }

    fn version_in(versions: &HashMap<String, String>, path: &str) -> String {
        versions
            .get(path)
            .map_or_else(|| "none".to_string(), Clone::clone)
    }

    /// Answers of the module proxies, relative to what was selected at the beginning.
    fn look_up(&self, pattern: &str, version: &str) -> Result<FoundPackages> {
        let current = |path: &str| Self::version_in(&self.initial, path);
        self.modules
            .query_pattern(pattern, version, &current, Allowed::AsAsked)
    }

    /// As [`Self::look_up`], for what must be a package.
    fn look_up_package(&self, path: &str, version: &str) -> Result<FoundPackages> {
        let mut found = self.look_up(path, version)?;
        if found.with_packages.is_empty()
            && let Some(module) = &found.module_only
        {
            let module = module.module.clone();
            return Err(self.modules.not_in_module(module, path, version));
        }
        found.module_only = None;
        Ok(found)
    }

    /// Queries whose answers depend on nothing but the requirements at the beginning.
    fn ask_once_and_for_all(&mut self, at: usize) {
        let query = self.queries[at].clone();
        let pattern = query.pattern.as_str();
        if query.local {
            self.ask(at, pattern, |this| this.local(&query));
        } else if pattern == "work" {
            self.ask(at, pattern, |this| this.main_packages(&query));
        } else if pattern == "tool" {
            let tools: Vec<String> = self
                .modules
                .mains
                .iter()
                .flat_map(|main| &main.file.tool)
                .map(|tool| tool.value.clone())
                .collect();
            for tool in tools {
                self.ask(at, &tool, |this| {
                    this.look_up_package(&tool, &query.version)
                });
            }
        } else if pattern != "all" && !query.is_wildcard() {
            if query.version == "none" {
                self.none(at, pattern);
            } else if self.is_std(pattern) {
                self.queries[at].packages = true;
                self.ask(at, pattern, |_| match query.raw_version.as_str() {
                    "" => Ok(FoundPackages::default()),
                    _ => Err(ModError::Message(format!(
                        "can't request explicit version {:?} of standard library package {pattern}",
                        query.version
                    ))),
                });
            } else {
                self.ask(at, pattern, |this| this.look_up(pattern, &query.version));
            }
        }
    }

    /// Queries whose answers depend on which modules are selected.
    fn ask_again(&mut self, at: usize) -> Result<()> {
        let query = self.queries[at].clone();
        if query.pattern == "all" {
            return self.all(at, &query.version);
        }
        if query.local || !query.is_wildcard() {
            return Ok(());
        }
        let glob = query.glob();
        let mut paths: Vec<String> = self
            .selected
            .keys()
            .filter(|path| glob.matches(path) || glob.tree_can_match(path))
            .filter(|path| !gover::is_toolchain(path))
            .cloned()
            .collect();
        paths.sort();
        for path in paths {
            if query.version != "none" {
                self.ask(at, &path, |this| this.wildcard(&query, &path));
            } else if glob.matches(&path) {
                self.none(at, &path);
            }
        }
        Ok(())
    }

    fn ask_for_missing(&mut self, at: usize) {
        let query = self.queries[at].clone();
        if query.local || !query.is_wildcard() || query.version == "none" || query.packages {
            return;
        }
        self.ask(at, &query.pattern, |this| {
            match this.look_up(&query.pattern, &query.version) {
                // A pattern of modules alone needs none that has packages.
                Err(error) if is_no_package(&error) && !query.resolved.is_empty() => {
                    Ok(FoundPackages::default())
                }
                answer => answer,
            }
        });
    }

    fn is_std(&self, path: &str) -> bool {
        let dir = self.modules.config.goroot.join("src").join(path);
        is_standard_import_path(path)
            && !gover::is_toolchain(path)
            && self.modules.has_go_files(&dir)
    }

    fn main_module(&self, packages: Vec<String>) -> FoundPackages {
        let main = self.modules.mains.first();
        FoundPackages {
            with_packages: vec![Found {
                module: ModuleVersion::new(main.map_or("", |main| &main.path), ""),
                info: RevInfo::default(),
                packages,
            }],
            module_only: None,
        }
    }

    fn any_tags(&self) -> BuildContext {
        BuildContext {
            use_all_files: true,
            ..(*self.options.context).clone()
        }
    }

    fn warn_unmatched(&self, pattern: &str) -> FoundPackages {
        self.modules
            .fetcher
            .warn(&format!("warning: {pattern:?} matched no packages"));
        FoundPackages::default()
    }

    fn main_packages(&self, query: &Query) -> Result<FoundPackages> {
        let found = self
            .modules
            .match_pattern(&query.pattern, &self.any_tags())?;
        Ok(if found.packages.is_empty() {
            self.warn_unmatched(&query.pattern)
        } else {
            self.main_module(found.packages)
        })
    }

    fn local(&self, query: &Query) -> Result<FoundPackages> {
        let modules = self.modules;
        let dir = modules.files.absolute(&query.pattern);
        let dir = steady_system::clean(&dir);
        let shown = if query.pattern.starts_with('/') {
            query.pattern.clone()
        } else {
            format!("{} ({dir})", query.pattern)
        };
        let roots: Vec<&str> = modules.mains.iter().map(|main| main.dir.as_str()).collect();
        let root = roots.join(", ");
        let message = |text: String| Err(ModError::Message(text));
        if modules.mains.iter().all(|main| !dir.starts_with(&main.dir)) {
            let plural = if roots.len() == 1 { "" } else { "s" };
            return message(format!(
                "{shown} is not within module{plural} rooted at {root}"
            ));
        }
        let found = modules.match_pattern(&query.pattern, &self.any_tags())?;
        if !found.packages.is_empty() {
            return Ok(self.main_module(found.packages));
        }
        if query.raw.is_empty() || query.raw == "." {
            return message("no package to get in current directory".to_string());
        }
        if !query.is_wildcard() {
            return message(format!(
                "{shown} is not a package in module rooted at {root}"
            ));
        }
        Ok(self.warn_unmatched(&query.pattern))
    }

    fn none(&mut self, at: usize, path: &str) {
        let pattern = self.queries[at].pattern.clone();
        self.ask(at, path, |this| {
            if this.modules.main(path).is_some() {
                let mains = [ModuleVersion::new(path, "")];
                return Err(this.modules.matches_mains(&pattern, "none", &mains));
            }
            Ok(FoundPackages {
                with_packages: Vec::new(),
                module_only: Some(Found {
                    module: ModuleVersion::new(path, "none"),
                    info: RevInfo::default(),
                    packages: Vec::new(),
                }),
            })
        });
    }

    /// Whether a query takes a module out.
    fn is_taken_out(&self, path: &str) -> bool {
        self.queries
            .iter()
            .any(|query| query.version == "none" && !query.local && query.glob().matches(path))
    }

    /// A module that a wildcard matches, or that has packages which it matches.
    fn wildcard(&self, query: &Query, path: &str) -> Result<FoundPackages> {
        if self.is_taken_out(path) {
            return Ok(FoundPackages::default());
        }
        let staying = matches!(query.version.as_str(), "upgrade" | "patch");
        if self.modules.main(path).is_some() && !staying {
            let main = ModuleVersion::new(path, "");
            if query.glob().matches(path) {
                return Err(self
                    .modules
                    .matches_mains(&query.pattern, &query.version, &[main]));
            }
            let packages = self.packages_in(&query.pattern, &main)?;
            if !packages.is_empty() {
                return Err(crate::modload::query::in_main_text(
                    &query.pattern,
                    &query.version,
                    &packages,
                ));
            }
            return Ok(FoundPackages::default());
        }
        let version = match self.module_version(path, &query.version) {
            Ok(version) => version,
            // Another query may take the module out yet, or select what has the packages.
            Err(error) if is_no_version(&error) => return Ok(FoundPackages::default()),
            Err(error) => return Err(error),
        };
        let module = ModuleVersion::new(path, version);
        let packages = self.packages_in(&query.pattern, &module)?;
        let has_packages = !packages.is_empty();
        let found = Found {
            module,
            info: RevInfo::default(),
            packages,
        };
        let mut answer = FoundPackages::default();
        if has_packages {
            answer.with_packages.push(found);
        } else if query.glob().matches(path) {
            answer.module_only = Some(found);
        }
        Ok(answer)
    }

    fn module_version(&self, path: &str, version: &str) -> Result<String> {
        let current = Self::version_in(&self.initial, path);
        let info = self
            .modules
            .query(path, version, &current, Allowed::AsAsked)?;
        Ok(info.version)
    }

    fn packages_in(&self, pattern: &str, module: &ModuleVersion) -> Result<Vec<String>> {
        let modules = self.modules;
        let local = modules.main(&module.path).is_some()
            || modules
                .replacement(module)
                .is_some_and(|new| new.version.is_empty());
        let root = ModuleDir {
            dir: modules.module_dir(module)?,
            local,
        };
        Ok(modules.packages_matching(pattern, module, &root))
    }

    fn all(&mut self, at: usize, version: &str) -> Result<()> {
        let found = self.load(&["all".to_string()])?;
        let mut paths = BTreeSet::new();
        for node in found.nodes.iter().filter(|node| node.test_of.is_none()) {
            let external = node
                .module
                .as_ref()
                .is_some_and(|module| !module.version.is_empty());
            let elsewhere = || self.workspace.has(self.modules, &node.path);
            if external || could_be_found(node) && !elsewhere() {
                paths.insert(node.path.clone());
            }
        }
        self.queries[at].packages = true;
        for path in paths {
            self.ask(at, &path, |this| this.look_up_package(&path, version));
        }
        Ok(())
    }

    fn load(&self, patterns: &[String]) -> Result<ModulePackages> {
        let options = PackageOptions {
            context: Arc::clone(&self.options.context),
            any_tags: true,
            tests: self.options.tests,
            resolve: false,
            assume_imported: true,
            ..PackageOptions::default()
        };
        self.modules.set_reqs(Arc::clone(&self.reqs));
        self.modules.load_packages(patterns, &options)
    }

    /// Chooses a module for each answer that leaves no choice; then, if nothing has changed by that, for the others too.
    fn resolve(&mut self, which: impl Fn(&Query) -> bool) -> Result<bool> {
        self.check()?;
        let mut settled = 0;
        loop {
            let before = settled;
            for at in 0..self.queries.len() {
                if !which(&self.queries[at]) {
                    continue;
                }
                for answer in std::mem::take(&mut self.queries[at].open) {
                    match self.only(&answer) {
                        Ok(choice) => {
                            self.settle(at, choice.or_else(|| self.any(&answer)));
                            settled += 1;
                        }
                        Err(rest) => self.queries[at].open.push(*rest),
                    }
                }
            }
            self.check()?;
            if settled == before {
                break;
            }
        }
        if settled > 0 && self.update(&[])? {
            return Ok(true);
        }
        let mut settled = false;
        for at in 0..self.queries.len() {
            if !which(&self.queries[at]) {
                continue;
            }
            for answer in std::mem::take(&mut self.queries[at].open) {
                self.settle(at, self.any(&answer));
                settled = true;
            }
        }
        self.check()?;
        Ok(settled && self.update(&[])?)
    }

    /// The choice if there is just one, `None` if all that could be chosen contradicts what is settled; otherwise what is left to
    /// choose from.
    fn only(
        &self,
        answer: &FoundPackages,
    ) -> std::result::Result<Option<Choice>, Box<FoundPackages>> {
        let mut left: Vec<&Found> = Vec::new();
        for found in &answer.with_packages {
            let module = &found.module;
            if self.is_taken_out(&module.path) {
                continue;
            }
            if self.modules.main(&module.path).is_some() {
                if module.version.is_empty() {
                    return Ok(Some((module.clone(), true)));
                }
                continue;
            }
            match self.resolved.get(&module.path) {
                None => left.push(found),
                // Any other module would have the packages a second time.
                Some((version, _)) if *version == module.version => {
                    return Ok(Some((module.clone(), true)));
                }
                Some(_) => {}
            }
        }
        let module_only = answer.module_only.as_ref().filter(|found| {
            let known = self.resolved.get(&found.module.path);
            known.is_none_or(|(version, _)| *version == found.module.version)
        });
        match (left.as_slice(), module_only) {
            ([one], None) => Ok(Some((one.module.clone(), true))),
            ([one], Some(only)) if only.module == one.module => {
                Ok(Some((one.module.clone(), true)))
            }
            ([], only) => Ok(only.map(|only| (only.module.clone(), false))),
            _ => Err(Box::new(FoundPackages {
                with_packages: left.into_iter().cloned().collect(),
                module_only: module_only.cloned(),
            })),
        }
    }

    /// A module in use if there is one, otherwise the one with the longest path.
    fn any(&self, answer: &FoundPackages) -> Option<Choice> {
        let in_use = answer
            .with_packages
            .iter()
            .find(|found| Self::version_in(&self.initial, &found.module.path) != "none");
        match in_use.or(answer.with_packages.first()) {
            Some(found) => Some((found.module.clone(), true)),
            None => answer
                .module_only
                .as_ref()
                .map(|found| (found.module.clone(), false)),
        }
    }

    fn settle(&mut self, at: usize, choice: Option<Choice>) {
        let Some((module, has_packages)) = choice else {
            return;
        };
        self.queries[at].packages |= has_packages;
        if self.modules.main(&module.path).is_some() {
            if !module.version.is_empty() {
                let query = &self.queries[at];
                let mains = [ModuleVersion::new(module.path, "")];
                let error = self
                    .modules
                    .matches_mains(&query.pattern, &query.version, &mains);
                self.errors.push((at, error));
            }
            return;
        }
        match self.resolved.get(&module.path) {
            Some((version, first)) if *version != module.version => {
                let (version, first) = (version.clone(), *first);
                self.contradict(at, &module, &version, first);
            }
            _ => {
                self.queries[at].resolved.push(module.clone());
                self.resolved
                    .entry(module.path)
                    .or_insert((module.version, at));
            }
        }
    }

    /// Two queries want two versions of one module.
    fn contradict(&mut self, at: usize, module: &ModuleVersion, known: &str, first: usize) {
        if std::mem::replace(&mut self.queries[at].in_conflict, true) {
            return;
        }
        let (query, other) = (&self.queries[at], &self.queries[first]);
        let mut proposed = (query, module.version.as_str());
        let mut conflict = (other, known);
        // The more special one first.
        if query.is_wildcard() && !other.is_wildcard() {
            std::mem::swap(&mut proposed, &mut conflict);
        }
        let detail = if module.path == proposed.0.pattern {
            String::new()
        } else {
            format!("for module {}, ", module.path)
        };
        let text = format!(
            "{detail}{} conflicts with {}",
            proposed.0.with_version(proposed.1),
            conflict.0.with_version(conflict.1)
        );
        self.errors.push((at, ModError::Message(text)));
    }

    /// Edits requirements; true if they have changed.
    fn update(&mut self, upgrades: &[ModuleVersion]) -> Result<bool> {
        let must: Vec<ModuleVersion> = self
            .resolved
            .iter()
            .map(|(path, (version, _))| ModuleVersion::new(path.clone(), version.clone()))
            .collect();
        let edited = self
            .modules
            .edit(&self.reqs, upgrades, &must)
            .map_err(|error| self.conflicts(error))?;
        let Some(edited) = edited else {
            return Ok(false);
        };
        self.reqs = edited;
        self.modules.forget_failures();
        self.selected = self.modules.versions_of(&self.reqs)?;
        Ok(true)
    }

    /// Conflicts in the words of the queries that led to them.
    fn conflicts(&self, error: ModError) -> ModError {
        let ModError::Conflicts(conflicts) = &error else {
            return error;
        };
        if self.options.verbose {
            for conflict in conflicts.iter() {
                self.modules.fetcher.warn(&conflict.to_string());
            }
        }
        let reason = |module: &ModuleVersion| match self.resolved.get(&module.path) {
            Some((version, at)) => self.queries[*at]
                .reason_for(&ModuleVersion::new(module.path.clone(), version.clone())),
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

    /// Answers for what packages that were named import: upgrades with `-u`, and modules for what is missing.
    fn imports(&mut self) -> Result<Vec<FoundPackages>> {
        let patterns = self.package_patterns();
        if patterns.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.load(&patterns)?;
        if let Some(reqs) = &found.reqs {
            self.reqs = Arc::clone(reqs);
        }
        let mut asked: BTreeMap<&str, (&Node, &str)> = BTreeMap::new();
        for node in found.nodes.iter().filter(|node| node.test_of.is_none()) {
            let version = match &node.module {
                _ if could_be_found(node) => {
                    if self.workspace.has(self.modules, &node.path) {
                        continue;
                    }
                    "latest"
                }
                Some(module)
                    if !self.options.upgrade.is_empty()
                        && !module.version.is_empty()
                        && !self.resolved.contains_key(&module.path) =>
                {
                    &self.options.upgrade
                }
                _ => continue,
            };
            asked.insert(&node.path, (node, version));
        }
        let asked: Vec<(&Node, &str)> = asked.into_values().collect();
        // Unlike other queries these are relative to what is selected now: they may concern modules that have just come.
        let current = |path: &str| Self::version_in(&self.selected, path);
        let answers = parallel::map(&asked, parallel::WAITING, |(node, version)| {
            self.modules
                .query_pattern(&node.path, version, &current, Allowed::AsAsked)
        });
        let mut wanted = Vec::new();
        let mut errors = Vec::new();
        for ((node, _), answer) in asked.into_iter().zip(answers) {
            let same = |found: &Found| Some(&found.module) == node.module.as_ref();
            match answer {
                Ok(answer) if answer.with_packages.iter().any(same) => {}
                Ok(answer) => wanted.push(answer),
                // Told when the packages are checked, with the way that led there.
                Err(error) if is_no_package(&error) => {}
                Err(_)
                    if could_be_found(node)
                        && steady_module::path::check_path(&node.path).is_err() => {}
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(ModError::many(errors));
        }
        Ok(wanted)
    }

    /// Adds what imports lead to, without holding on to it: queries may still decide otherwise.
    fn upgrade(&mut self, wanted: Vec<FoundPackages>) -> Result<bool> {
        let mut upgrades: Vec<ModuleVersion> = Vec::new();
        for mut answer in wanted {
            answer.module_only = None;
            if answer.with_packages.is_empty() {
                continue;
            }
            let choice = match self.only(&answer) {
                Ok(choice) => choice,
                Err(rest) => self.any(&rest),
            };
            upgrades.extend(choice.map(|(module, _)| module));
        }
        self.update(&upgrades)
    }

    /// The patterns that name packages.
    pub fn package_patterns(&self) -> Vec<String> {
        self.queries
            .iter()
            .filter(|query| query.packages)
            .map(|query| query.pattern.clone())
            .collect()
    }

    /// A module in use that a wildcard matches must be at the version that was asked for.
    fn check_wildcards(&mut self) -> Result<()> {
        for at in 0..self.queries.len() {
            let query = self.queries[at].clone();
            if query.local || !query.is_wildcard() || is_meta_package(&query.pattern) {
                continue;
            }
            let mut paths: Vec<String> = self.selected.keys().cloned().collect();
            paths.sort();
            for path in paths {
                if let Err(error) = self.check_wildcard(&query, &path) {
                    self.errors.push((at, error));
                }
            }
        }
        self.check()
    }

    fn check_wildcard(&self, query: &Query, path: &str) -> Result<()> {
        let glob: Pattern = query.glob();
        let matches = glob.matches(path);
        if !matches && !glob.tree_can_match(path) || gover::is_toolchain(path) {
            return Ok(());
        }
        let version = Self::version_in(&self.selected, path);
        let current = ModuleVersion::new(path, version.clone());
        if !matches && self.packages_in(&query.pattern, &current)?.is_empty() {
            return Ok(());
        }
        let asked = self.module_version(path, &query.version)?;
        if asked == version || matches {
            return Ok(());
        }
        let module = ModuleVersion::new(path, asked.clone());
        if self.packages_in(&query.pattern, &module)?.is_empty() {
            let shown = if asked == query.version {
                module.to_string()
            } else {
                format!("{path}@{} ({asked})", query.version)
            };
            return Err(ModError::Message(format!(
                "{} matches packages in {current} but not {shown}: specify a different version for module {path}",
                query.raw
            )));
        }
        Ok(())
    }
}

/// Whether another module, or another version of one, may mend what is wrong with a package.
fn could_be_found(node: &Node) -> bool {
    matches!(
        node.error,
        Some(ImportError::Missing(_) | ImportError::Ambiguous(_))
    )
}

fn is_no_version(error: &ModError) -> bool {
    error.is_not_exist() || error.is_no_match()
}

fn is_no_package(error: &ModError) -> bool {
    is_no_version(error) || matches!(error, ModError::NotInModule(_))
}

//! From queries to requirements: each query is answered with modules that could be meant, one of them is chosen, requirements are
//! edited so that it is selected, and what the packages named import is looked at again, until nothing changes.

mod ask;
mod choose;

use super::GetOptions;
use super::query::Query;
use super::workspace::Workspace;
use crate::modload::reqs::Reqs;
use crate::modload::{Allowed, Found, FoundPackages, ImportError, ModError, Modules, Node, Result};
use crate::patterns::{Pattern, is_meta_package};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use steady_module::{ModuleVersion, gover};
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

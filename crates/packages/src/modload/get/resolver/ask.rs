//! Which modules each query could mean, at which versions.

use super::{Resolver, could_be_found, is_no_package, is_no_version};
use crate::modload::get::query::Query;
use crate::modload::packages::PackageOptions;
use crate::modload::{Allowed, Found, FoundPackages, ModError, ModuleDir, ModulePackages, Result};
use crate::patterns::is_standard_import_path;
use crate::source::BuildContext;
use std::collections::BTreeSet;
use std::sync::Arc;
use steady_module::{ModuleVersion, gover};
use steady_proxy::RevInfo;

impl Resolver<'_> {
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
    pub(super) fn ask_once_and_for_all(&mut self, at: usize) {
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
    pub(super) fn ask_again(&mut self, at: usize) -> Result<()> {
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

    pub(super) fn ask_for_missing(&mut self, at: usize) {
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
    pub(super) fn is_taken_out(&self, path: &str) -> bool {
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

    pub(super) fn module_version(&self, path: &str, version: &str) -> Result<String> {
        let current = Self::version_in(&self.initial, path);
        let info = self
            .modules
            .query(path, version, &current, Allowed::AsAsked)?;
        Ok(info.version)
    }

    pub(super) fn packages_in(&self, pattern: &str, module: &ModuleVersion) -> Result<Vec<String>> {
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

    pub(super) fn load(&self, patterns: &[String]) -> Result<ModulePackages> {
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
}

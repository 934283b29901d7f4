//! Packages that no module in use has: who could, and what is said if nobody can.

use super::ModulePackages;
use crate::modload::reqs::Reqs;
use crate::modload::{Allowed, ImportError, Importer, ModError, ModMode, Modules, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use steady_module::ModuleVersion;
use steady_system::parallel;

impl Modules {
    /// Looks for modules that have what is missing.
    pub(super) fn resolve_missing(
        &self,
        reqs: &Arc<Reqs>,
        found: &mut ModulePackages,
    ) -> Result<BTreeMap<ModuleVersion, usize>> {
        let missing: Vec<usize> = (0..found.nodes.len())
            .filter(|&at| {
                let node = &found.nodes[at];
                node.test_of.is_none() && matches!(node.error, Some(ImportError::Missing(_)))
            })
            .collect();
        let paths: Vec<String> = missing
            .iter()
            .map(|&at| found.nodes[at].path.clone())
            .collect();
        let ask = |path: &String| self.query_import(path, reqs);
        let answers = parallel::map(&paths, parallel::WAITING, ask);
        let mut added = BTreeMap::new();
        let mut told = Vec::new();
        for (&at, answer) in missing.iter().zip(answers) {
            match answer {
                Ok(module) => {
                    told.push((found.nodes[at].path.clone(), module.clone()));
                    added.entry(module).or_insert(at);
                }
                Err(error) => {
                    if let Some(ask) = error.cause().filter(|cause| cause.too_new().is_some()) {
                        self.fetcher.warn(&format!(
                            "toolchain upgrade needed to resolve {}",
                            found.nodes[at].path
                        ));
                        return Err(ask.clone());
                    }
                    found.nodes[at].error = Some(error);
                }
            }
        }
        told.retain(|(_, module)| !self.is_unnamed_neighbour(&module.path));
        for (path, module) in told {
            self.fetcher.warn(&format!(
                "found {path} in {} {}",
                module.path, module.version
            ));
        }
        Ok(added)
    }

    /// The module to be added for a missing package: a replacement that has it, or what the proxies know.
    pub(super) fn query_import(
        &self,
        path: &str,
        reqs: &Arc<Reqs>,
    ) -> std::result::Result<ModuleVersion, ImportError> {
        if let Some(module) = self.in_neighbours_version(path, reqs)? {
            return Ok(module);
        }
        if let Some(module) = self.replacement_for(path, reqs)? {
            if self.mode != ModMode::ReadOnly {
                return Ok(module);
            }
            return Err(ImportError::Missing(Box::new(crate::modload::Missing {
                path: path.to_string(),
                replaced: Some(module),
                ..crate::modload::Missing::default()
            })));
        }
        let missing = || crate::modload::Missing {
            path: path.to_string(),
            searches: true,
            ..crate::modload::Missing::default()
        };
        if crate::patterns::is_standard_import_path(path) {
            return Err(ImportError::Missing(Box::new(crate::modload::Missing {
                std_dir: Some(self.config.goroot.join("src").join(path)),
                ..missing()
            })));
        }
        let searches = self.mode == ModMode::Mod || self.mains.is_empty();
        if !searches {
            return Err(ImportError::Missing(Box::new(crate::modload::Missing {
                searches: false,
                reason: self.lookup_disabled().map(Arc::new),
                ..missing()
            })));
        }
        let graph = self.graph_of(reqs)?;
        self.fetcher
            .warn(&format!("finding module for package {path}"));
        let current = |module: &str| graph.selected(module).unwrap_or_default().to_string();
        let found = match self.query_pattern(path, "latest", &current, Allowed::Checked) {
            Ok(found) => found,
            Err(error) if error.is_not_exist() => {
                return Err(ImportError::Missing(Box::new(crate::modload::Missing {
                    reason: Some(Arc::new(error)),
                    ..missing()
                })));
            }
            Err(error) => return Err(error.into()),
        };
        if let (true, Some(only)) = (found.with_packages.is_empty(), found.module_only) {
            return Err(self.not_in_module(only.module, path, "latest").into());
        }
        let mut older = None;
        for candidate in found.with_packages {
            let module = candidate.module;
            let known = graph.selected_or_none(&module.path);
            if steady_graph::compare(&module.path, known, &module.version).is_lt() {
                return Ok(module);
            }
            older = Some((module, known.to_string()));
        }
        let mut missing = missing();
        if let Some((module, known)) = older {
            missing.module = Some(module);
            missing.required_version = known;
        }
        Err(ImportError::Missing(Box::new(missing)))
    }

    /// A replaced module that has a package nothing in use has, and that may be added for it.
    fn replacement_for(
        &self,
        path: &str,
        reqs: &Arc<Reqs>,
    ) -> std::result::Result<Option<ModuleVersion>, ImportError> {
        let mut first = None;
        for prefix in crate::modload::import::prefixes(path) {
            let Some(module) = self.newest_replaced(prefix) else {
                continue;
            };
            let graph = self.graph_of(reqs)?;
            let known = graph.selected_or_none(prefix);
            if steady_graph::compare(prefix, known, &module.version).is_ge() {
                continue;
            }
            let dir = self.module_dir(&module).map_err(|error| {
                if error.is_missing_sum() {
                    return ImportError::MissingSum(Box::new(crate::modload::MissingSum {
                        path: path.to_string(),
                        found: false,
                        modules: Vec::new(),
                        importer: None,
                    }));
                }
                error.into()
            })?;
            let local = self
                .replacement(&module)
                .is_some_and(|new| new.version.is_empty());
            let root = crate::modload::ModuleDir { dir, local };
            if self.dir_in_module(path, prefix, &root).is_some() {
                return Ok(Some(module));
            }
            first.get_or_insert(module);
        }
        match first {
            // Nobody could serve it under this name, so a replacement would have to have it.
            Some(module) if steady_module::path::check_path(path).is_err() => {
                let missing = crate::modload::NotInModule {
                    replacement: self.replacement(&module).cloned().unwrap_or_default(),
                    module,
                    query: "latest".to_string(),
                    pattern: path.to_string(),
                    ..crate::modload::NotInModule::default()
                };
                Err(ModError::NotInModule(Box::new(missing)).into())
            }
            _ => Ok(None),
        }
    }

    /// A missing package of a run that may not look for it: what is known all the same.
    #[must_use]
    pub fn explained(&self, missing: &crate::modload::Missing) -> ImportError {
        if self.mode != ModMode::ReadOnly || self.mains.is_empty() || self.replace.is_empty() {
            return ImportError::Missing(Box::new(missing.clone()));
        }
        match self.query_import(&missing.path, &self.reqs()) {
            Ok(_) => ImportError::Missing(Box::new(missing.clone())),
            Err(error) => error,
        }
    }

    /// Errors get what is known of who imports.
    pub(super) fn complete_errors(&self, found: &mut ModulePackages, _reqs: &Arc<Reqs>) {
        for at in 0..found.nodes.len() {
            let importer = found.nodes[at].stack.map(|from| {
                let node = &found.nodes[from];
                Importer {
                    path: node.path.clone(),
                    version: node
                        .module
                        .as_ref()
                        .map_or_else(String::new, |module| module.version.clone()),
                    is_test: node.test_of.is_some(),
                }
            });
            let mut main = found.nodes[at].stack;
            while let Some(from) = main {
                let node = &found.nodes[from];
                if node
                    .module
                    .as_ref()
                    .is_some_and(|module| self.main(&module.path).is_some())
                {
                    break;
                }
                main = node.stack;
            }
            let cd = main
                .and_then(|from| found.nodes[from].module.as_ref())
                .and_then(|module| self.elsewhere(&module.path));
            match &mut found.nodes[at].error {
                Some(ImportError::MissingSum(missing)) => missing.importer = importer,
                Some(ImportError::Missing(missing)) if missing.std_dir.is_none() => {
                    missing.cd = cd;
                }
                _ => {}
            }
        }
    }
}

//! Which roots go.mod must name, given the packages that were loaded: kept consistent, brought up to date, or made as few as can be.

use super::packages::{ModulePackages, Node};
use super::reqs::{Reqs, sort};
use super::{ImportError, ModError, ModMode, Modules, Result};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::{ModuleVersion, gover};

fn none_or_older(path: &str, known: Option<&str>, wanted: &str) -> bool {
    known.is_none_or(|known| steady_graph::compare(path, known, wanted).is_lt())
}

impl Modules {
    /// go.mod must be complete as it is.
    pub(super) fn must_be_complete(&self) -> bool {
        self.mode != ModMode::Mod && self.work.is_none()
    }

    /// The main module as a node of graphs.
    pub(super) fn main_version(&self) -> ModuleVersion {
        self.mains
            .first()
            .map(|main| ModuleVersion::new(main.path.clone(), ""))
            .unwrap_or_default()
    }

    /// Whether a module is neither a main one nor none at all.
    pub(super) fn is_external(&self, module: Option<&ModuleVersion>) -> bool {
        module.is_some_and(|module| !module.path.is_empty() && self.main(&module.path).is_none())
    }

    /// Roots that are consistent, name every module of `need`, of which packages come, and hold `add`.
    ///
    /// # Errors
    /// The graph cannot be read, or go.mod would have to change and may not.
    pub(super) fn update_roots(
        &self,
        direct: &BTreeSet<String>,
        reqs: &Arc<Reqs>,
        need: &HashSet<ModuleVersion>,
        add: &[ModuleVersion],
    ) -> Result<Arc<Reqs>> {
        match reqs.pruning {
            Pruning::Workspace => Ok(Arc::new(Reqs::new(
                Pruning::Workspace,
                reqs.roots.clone(),
                direct.clone(),
            ))),
            Pruning::Unpruned => self.update_unpruned(direct, reqs, add),
            Pruning::Pruned => self.update_pruned(direct, reqs, need, add),
        }
    }

    fn update_unpruned(
        &self,
        direct: &BTreeSet<String>,
        reqs: &Arc<Reqs>,
        add: &[ModuleVersion],
    ) -> Result<Arc<Reqs>> {
        let graph = self.graph_of(reqs)?;
        if self.must_be_complete() {
            let selected =
                |module: &ModuleVersion| graph.selected_or_none(&module.path) == module.version;
            let complete = reqs.roots.iter().all(selected)
                && add.iter().all(selected)
                && direct.iter().all(|path| reqs.root(path).is_some());
            return if complete {
                Ok(Arc::clone(reqs))
            } else {
                Err(self.dirty())
            };
        }
        let mut paths: Vec<String> = Vec::new();
        let mut named: HashSet<String> = HashSet::new();
        for root in &reqs.roots {
            if graph.selected_or_none(&root.path) == root.version && named.insert(root.path.clone())
            {
                paths.push(root.path.clone());
            }
        }
        let mut keep = graph.build_list();
        keep.retain(|module| !module.version.is_empty());
        keep.extend_from_slice(add);
        for module in &keep {
            if direct.contains(&module.path) && named.insert(module.path.clone()) {
                paths.push(module.path.clone());
            }
        }
        let least = self.least(&paths, &keep)?;
        let new = Reqs::new(Pruning::Unpruned, least, direct.clone());
        let same = reqs.pruning == new.pruning && new.roots == reqs.roots;
        Ok(if same && new.direct == reqs.direct {
            Arc::clone(reqs)
        } else {
            Arc::new(new)
        })
    }

    /// The fewest roots that select what `roots` select and name `paths`.
    pub(super) fn least(
        &self,
        paths: &[String],
        roots: &[ModuleVersion],
    ) -> Result<Vec<ModuleVersion>> {
        steady_graph::req(&self.main_version(), paths, roots, self)
            .map_err(|error| ModError::Graph(Arc::new(error)))
    }

    fn update_pruned(
        &self,
        direct: &BTreeSet<String>,
        reqs: &Arc<Reqs>,
        need: &HashSet<ModuleVersion>,
        add: &[ModuleVersion],
    ) -> Result<Arc<Reqs>> {
        let mut reqs = Arc::clone(reqs);
        let mut roots = reqs.roots.clone();
        let mut upgraded = false;
        let mut check: HashSet<ModuleVersion> = HashSet::new();
        let mut named: HashSet<String> = HashSet::new();
        for module in need {
            if reqs.root(&module.path).is_some() {
                check.insert(module.clone());
            } else if named.insert(module.path.clone()) {
                roots.push(module.clone());
                upgraded = true;
            }
        }
        for module in add {
            if none_or_older(&module.path, reqs.root(&module.path), &module.version) {
                roots.push(module.clone());
                upgraded = true;
            }
        }
        loop {
            let graph = if upgraded {
                if self.must_be_complete() {
                    return Err(self.dirty());
                }
                reqs = Arc::new(Reqs::new(Pruning::Pruned, roots, direct.clone()));
                Some(self.graph_of(&reqs)?)
            } else if reqs.has_graph() || !self.spot_check(&reqs, &check) {
                Some(self.graph_of(&reqs)?)
            } else {
                None
            };
            roots = Vec::with_capacity(reqs.roots.len());
            upgraded = false;
            let mut seen: HashSet<&str> =
                self.mains.iter().map(|main| main.path.as_str()).collect();
            for root in &reqs.roots {
                if !seen.insert(&root.path) {
                    continue;
                }
                let version = match &graph {
                    Some(graph) => graph.selected_or_none(&root.path),
                    None => reqs.root(&root.path).unwrap_or(&root.version),
                };
                upgraded |= version != root.version;
                roots.push(ModuleVersion::new(root.path.clone(), version));
            }
            if upgraded {
                continue;
            }
            if self.mode != ModMode::Mod {
                return Ok(reqs);
            }
            break;
        }
        let new = Reqs::new(Pruning::Pruned, roots, direct.clone());
        Ok(if new.roots == reqs.roots && new.direct == reqs.direct {
            reqs
        } else {
            Arc::new(new)
        })
    }

    /// Whether the requirements of modules in use agree with the roots, so that the whole graph need not be read.
    fn spot_check(&self, reqs: &Reqs, modules: &HashSet<ModuleVersion>) -> bool {
        let list: Vec<ModuleVersion> = modules.iter().cloned().collect();
        let summaries = steady_graph::Requirements::summaries(self, &list);
        summaries.iter().all(|summary| {
            summary.as_ref().is_ok_and(|summary| {
                summary.requires.iter().all(|require| {
                    reqs.root(&require.path).is_none_or(|root| {
                        steady_graph::compare(&require.path, root, &require.version).is_ge()
                    })
                })
            })
        })
    }

    /// go.mod would have to change: why it may not, if that was somebody's choice, and what to do.
    pub(super) fn dirty(&self) -> ModError {
        let (reason, told) = (self.lookup_reason(), !self.config.mod_flag.is_empty());
        ModError::Dirty(match reason.contains('\n') {
            true => format!(", disabled by {reason}\n\tto update it:\n\tgo mod tidy"),
            false if told => format!(", disabled by {reason}; to update it:\n\tgo mod tidy"),
            false => "; to update it:\n\tgo mod tidy".to_string(),
        })
    }

    /// The same selection under another pruning.
    pub(super) fn convert(&self, reqs: &Arc<Reqs>, pruning: Pruning) -> Result<Arc<Reqs>> {
        if reqs.pruning == pruning || reqs.pruning == Pruning::Workspace {
            return Ok(Arc::clone(reqs));
        }
        if pruning == Pruning::Unpruned {
            return self.update_unpruned(&reqs.direct, reqs, &[]);
        }
        let mut list = self.graph_of(reqs)?.build_list();
        list.retain(|module| !module.version.is_empty());
        Ok(Arc::new(Reqs::new(
            Pruning::Pruned,
            list,
            reqs.direct.clone(),
        )))
    }

    /// The roots that packages need, and no others.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub(super) fn tidy_roots(
        &self,
        old: &Arc<Reqs>,
        packages: &ModulePackages,
    ) -> Result<Arc<Reqs>> {
        let mut roots = Vec::new();
        for path in ["go", "toolchain"] {
            if let Some(version) = old.root(path) {
                roots.push(ModuleVersion::new(path, version));
            }
        }
        match old.pruning {
            Pruning::Unpruned => self.tidy_unpruned(old, &packages.nodes, roots),
            _ => self.tidy_pruned(old, &packages.nodes, roots),
        }
    }

    fn tidy_unpruned(
        &self,
        old: &Reqs,
        packages: &[Node],
        mut keep: Vec<ModuleVersion>,
    ) -> Result<Arc<Reqs>> {
        let mut kept: HashSet<String> = keep.iter().map(|module| module.path.clone()).collect();
        let mut paths = Vec::new();
        let mut others: HashMap<&str, &str> = HashMap::new();
        for package in packages {
            let Some(module) = &package.module else {
                continue;
            };
            if !self.is_external(Some(module)) {
                continue;
            }
            if kept.insert(module.path.clone()) {
                keep.push(module.clone());
                if old.direct.contains(&module.path) {
                    paths.push(module.path.clone());
                }
            }
            for other in &package.others {
                others.insert(&other.path, &other.version);
            }
        }
        let least = self.least(&paths, &keep)?;
        let list = steady_graph::build_list(&self.main_version(), &keep, self)
            .map_err(|error| ModError::Graph(Arc::new(error)))?;
        // A module that could have had a package by its name must not be older than it was when the package was not found there.
        let before = keep.len();
        for module in &list {
            if let Some(version) = others.get(module.path.as_str())
                && steady_graph::compare(&module.path, &module.version, version).is_lt()
            {
                keep.push(ModuleVersion::new(module.path.clone(), *version));
            }
        }
        let least = if keep.len() > before {
            self.least(&paths, &keep)?
        } else {
            least
        };
        Ok(Arc::new(Reqs::new(
            Pruning::Unpruned,
            least,
            old.direct.clone(),
        )))
    }

    fn tidy_pruned(
        &self,
        old: &Reqs,
        packages: &[Node],
        mut roots: Vec<ModuleVersion>,
    ) -> Result<Arc<Reqs>> {
        let mut named: HashSet<String> = roots.iter().map(|root| root.path.clone()).collect();
        named.extend(self.mains.iter().map(|main| main.path.clone()));
        let mut queued = vec![false; packages.len()];
        let mut queue: Vec<usize> = Vec::new();
        for (at, package) in packages.iter().enumerate() {
            if !package.in_all {
                continue;
            }
            if let Some(module) = package
                .module
                .as_ref()
                .filter(|module| self.is_external(Some(module)))
                && named.insert(module.path.clone())
            {
                roots.push(module.clone());
            }
            queue.push(at);
            queued[at] = true;
        }
        let mut tidy = Reqs::new(Pruning::Pruned, roots, old.direct.clone());
        // Packages further away need a root only if what leads to them does not select their version.
        while !queue.is_empty() {
            let graph = self.graph_of(&tidy)?;
            let mut roots = tidy.roots.clone();
            for at in std::mem::take(&mut queue) {
                let package = &packages[at];
                let Some(module) = package
                    .module
                    .as_ref()
                    .filter(|module| !module.path.is_empty())
                else {
                    continue;
                };
                for &next in package.imports.iter().chain(&package.test) {
                    if !std::mem::replace(&mut queued[next], true) {
                        queue.push(next);
                    }
                }
                let selected = graph.selected_or_none(&module.path);
                if !named.contains(&module.path)
                    && steady_graph::compare(&module.path, selected, &module.version).is_lt()
                {
                    named.insert(module.path.clone());
                    roots.push(module.clone());
                }
            }
            if roots.len() > tidy.roots.len() {
                tidy = Reqs::new(Pruning::Pruned, roots, old.direct.clone());
            }
        }
        // With fewer roots a package may be found twice.
        loop {
            self.graph_of(&tidy)?;
            let mut roots = tidy.roots.clone();
            for package in packages {
                let Some(module) = package
                    .module
                    .as_ref()
                    .filter(|module| !module.path.is_empty())
                else {
                    continue;
                };
                if named.contains(&module.path) {
                    continue;
                }
                let found = self.resolve_with(&tidy, &package.path, None);
                if matches!(found, Err(ImportError::Ambiguous(_))) {
                    named.insert(module.path.clone());
                    roots.push(module.clone());
                }
            }
            if roots.len() == tidy.roots.len() {
                return Ok(Arc::new(tidy));
            }
            tidy = Reqs::new(Pruning::Pruned, roots, old.direct.clone());
        }
    }

    /// The same requirements with other versions of some roots.
    pub(super) fn override_roots(&self, reqs: &Reqs, replace: &[ModuleVersion]) -> Arc<Reqs> {
        let mut roots: Vec<ModuleVersion> = reqs
            .roots
            .iter()
            .filter(|root| replace.iter().all(|other| other.path != root.path))
            .cloned()
            .collect();
        roots.extend(
            replace
                .iter()
                .filter(|other| other.version != "none")
                .cloned(),
        );
        sort(&mut roots);
        Arc::new(Reqs::new(reqs.pruning, roots, reqs.direct.clone()))
    }

    /// The Go version that requirements ask for.
    pub(super) fn go_of(reqs: &Reqs) -> &str {
        let version = reqs.go_version();
        if gover::is_valid(version) {
            version
        } else {
            gover::DEFAULT_GO_MOD_VERSION
        }
    }
}

//! The sums that go.sum must keep for what was loaded.

use super::ModulePackages;
use crate::modload::import::prefixes;
use crate::modload::reqs::Reqs;
use crate::modload::{ModMode, Modules};
use std::collections::HashSet;
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::{ModuleVersion, gover};

impl Modules {
    /// Sums that go.work.sum must keep for packages: of each go.mod of the graph, and of the modules that could have such a package.
    #[must_use]
    pub fn keep_sums_of<'p>(&self, paths: impl Iterator<Item = &'p str>) -> HashSet<ModuleVersion> {
        let reqs = self.reqs();
        let mut keep = self.keep_sums(None, &reqs, false, false);
        if let Ok(graph) = self.graph_of(&reqs) {
            for path in paths {
                keep.extend(self.holders(path, |module| graph.selected(module)));
            }
        }
        keep
    }

    /// The modules that could have a package by their names, as they are selected, or what stands in for them.
    fn holders<'g>(
        &self,
        path: &str,
        selected: impl Fn(&str) -> Option<&'g str>,
    ) -> impl Iterator<Item = ModuleVersion> {
        prefixes(path).filter_map(move |prefix| {
            let version = selected(prefix).filter(|version| *version != "none")?;
            let module = ModuleVersion::new(prefix, version);
            Some(self.replacement(&module).unwrap_or(&module).clone())
        })
    }

    /// Sums that go.sum must keep: of the modules that packages come from or could come from, and of every go.mod that was read.
    #[must_use]
    pub fn keep_sums(
        &self,
        found: Option<&ModulePackages>,
        reqs: &Arc<Reqs>,
        tidy: bool,
        build_list: bool,
    ) -> HashSet<ModuleVersion> {
        let actual = |module: &ModuleVersion| self.replacement(module).unwrap_or(module).clone();
        let key = |module: &ModuleVersion| {
            ModuleVersion::new(module.path.clone(), format!("{}/go.mod", module.version))
        };
        let old = gover::compare(Modules::go_of(reqs), gover::TIDY_GO_MOD_SUM_VERSION).is_lt();
        let drop = old && (tidy || self.mode != ModMode::Mod);
        let mut keep = HashSet::new();
        for node in found.iter().flat_map(|found| &found.nodes) {
            let plain = node.module.is_none() && node.error.is_none();
            if node.test_of.is_some() || plain {
                continue;
            }
            if !drop && let Some(module) = &node.module {
                keep.insert(key(&actual(module)));
            }
            let by_roots = reqs.pruning == Pruning::Pruned
                && node
                    .module
                    .as_ref()
                    .is_some_and(|module| reqs.root(&module.path) == Some(&module.version));
            let graph = if by_roots {
                None
            } else {
                self.graph_of(reqs).ok()
            };
            keep.extend(self.holders(&node.path, |module| match &graph {
                Some(graph) => graph.selected(module),
                None => reqs.root(module),
            }));
        }
        if !reqs.has_graph() {
            for root in &reqs.roots {
                let module = actual(root);
                keep.insert(key(&module));
                if build_list {
                    keep.insert(module);
                }
            }
        } else if let Ok(graph) = self.graph_of(reqs) {
            graph.walk(|module| {
                if graph.was_read(module) {
                    keep.insert(key(&actual(module)));
                }
            });
            if build_list {
                for module in graph.build_list() {
                    let module = actual(&module);
                    if !drop {
                        keep.insert(key(&module));
                    }
                    keep.insert(module);
                }
            }
        }
        keep
    }
}

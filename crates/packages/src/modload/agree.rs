//! Builds that may not change go.mod: does it say what they need?
//!
//! Such builds look packages up in what go.mod names and would not notice that a dependency asks for a newer version of another.
//! The go command looks for that in modules that matter alone, so that the rest of the graph stays unread.

use super::{ModMode, ModuleGraph, Modules, Result};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::{ModuleVersion, gover};

impl Modules {
    /// Whether go.mod binds this run as it stands.
    fn binding(&self) -> bool {
        self.enabled()
            && self.work.is_none()
            && self.mode == ModMode::ReadOnly
            && !self.mains.is_empty()
    }

    /// Without pruning, every module that go.mod names must be selected as it is named there: the graph is read anyway.
    ///
    /// # Errors
    /// [`super::ModError::Dirty`] if that is not so; what keeps the graph from being read.
    pub fn must_select_roots(&self) -> Result<()> {
        let reqs = self.reqs();
        if !self.binding() || reqs.pruning != Pruning::Unpruned {
            return Ok(());
        }
        self.update_roots(&reqs.direct, &reqs, &HashSet::new(), &[])
            .map(drop)
    }

    /// Holds go.mod against the modules whose packages belong to the main module's build or were named: it must name each of them,
    /// and not in an older version than another of them asks for. Nor may it need a change for any other reason.
    ///
    /// # Errors
    /// [`super::ModError::Dirty`] if it would have to change; a module that stands for itself and in for another one.
    pub fn must_agree(&self, used: &HashSet<ModuleVersion>) -> Result<()> {
        if !self.binding() {
            return Ok(());
        }
        let reqs = self.reqs();
        if reqs.pruning == Pruning::Pruned {
            self.update_roots(&reqs.direct, &reqs, used, &[])?;
        }
        if !self.replace.is_empty() {
            self.check_used_once(&reqs)?;
        }
        self.must_be_clean()
    }

    /// In a workspace, what members import directly is known from their packages better than from their go.mod files.
    pub fn learn_direct(&self, direct: BTreeSet<String>) {
        let reqs = self.reqs();
        if self.work.is_none() || direct.is_subset(&reqs.direct) {
            return;
        }
        let all = reqs.direct.union(&direct).cloned().collect();
        self.set_reqs(Arc::new(reqs.with_direct(all)));
    }

    /// Whether go.mod alone says which version of a module is selected.
    #[must_use]
    pub fn is_root(&self, path: &str) -> bool {
        let reqs = self.reqs();
        reqs.pruning != Pruning::Unpruned && reqs.root(path).is_some()
    }

    /// As [`Modules::selected`], in the graph as far as it can be read.
    #[must_use]
    pub fn partly_selected(&self, path: &str) -> Option<ModuleVersion> {
        let graph = self.partial_graph();
        let version = graph.selected(path).filter(|version| *version != "none")?;
        Some(ModuleVersion::new(path, version))
    }

    /// As [`Modules::build_list`], of the graph as far as it can be read.
    #[must_use]
    pub fn partial_build_list(&self) -> Vec<ModuleVersion> {
        let mut list = self.partial_graph().build_list();
        list.retain(|module| !gover::is_toolchain(&module.path));
        list
    }

    fn partial_graph(&self) -> Arc<ModuleGraph> {
        let reqs = self.reqs();
        self.graph_of(&reqs)
            .unwrap_or_else(|_| self.read_graph_anyway(&reqs, None))
    }

    /// Where go.mod lacks its `go` line and may change, it gets one.
    ///
    /// # Errors
    /// What keeps the graph from being read that this takes.
    pub fn add_go_line(&self) -> Result<()> {
        let reqs = self.with_go_line(&self.reqs(), "")?;
        self.set_reqs(reqs);
        Ok(())
    }

    /// Reads the whole graph and brings the roots in line with it.
    ///
    /// # Errors
    /// [`super::ModError::Dirty`] if go.mod would have to change and may not; what keeps the graph from being read.
    pub fn expand_graph(&self) -> Result<()> {
        let reqs = self.reqs();
        let graph = self.graph_of(&reqs)?;
        let agrees = |root: &ModuleVersion| {
            root.version.is_empty() || graph.selected_or_none(&root.path) == root.version
        };
        if self.vendor.is_some() || reqs.roots.iter().all(agrees) {
            return Ok(());
        }
        let updated = self.update_roots(&reqs.direct, &reqs, &HashSet::new(), &[])?;
        self.graph_of(&updated)?;
        self.set_reqs(updated);
        Ok(())
    }
}

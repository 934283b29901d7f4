//! Minimal version selection: which version of each module a build uses.
//!
//! The rule: of every module the newest version that anything reachable asks for. The graph is read through [`Requirements`], a wave
//! at a time so that what the next wave needs can be fetched together. Pure: nothing here knows where requirements come from.
//!
//! Pruning (`go 1.17` and later): a dependency whose go.mod lists all that its packages need shows its own requirements and no
//! further ones, so what stands behind them is never read.
//!
//! [`Graph`] is one reading; [`build_list`] and [`req`] answer questions about lists of requirements that no file holds yet.

mod read;
mod record;
mod select;

pub use read::{Reading, Requirements, Summary};
pub use record::Record;
pub use select::{build_list, req};

use hashbrown::{DefaultHashBuilder, HashTable};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use steady_module::{ModuleVersion, gover};

/// How much of a graph lies behind a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pruning {
    /// `go 1.17` or later: the requirements in its own go.mod are enough.
    Pruned,
    /// Before: whatever its requirements require counts too.
    Unpruned,
    /// The main modules of a workspace, each with a pruning of its own.
    Workspace,
}

impl Pruning {
    /// Of a module whose `go` line says `version` (empty: none).
    #[must_use]
    pub fn for_go_version(version: &str) -> Pruning {
        if gover::compare(version, gover::EXPLICIT_INDIRECT_VERSION).is_lt() {
            Pruning::Unpruned
        } else {
            Pruning::Pruned
        }
    }
}

/// A module whose requirements could not be read, and what led to it.
#[derive(Debug, Clone)]
pub struct GraphError<E> {
    /// From a top of the graph on; the last one failed.
    pub chain: Vec<ModuleVersion>,
    /// Why.
    pub error: E,
}

impl<E> GraphError<E> {
    /// The module that failed.
    #[must_use]
    pub fn module(&self) -> &ModuleVersion {
        // A chain has at least the module that failed.
        &self.chain[self.chain.len() - 1]
    }

    /// The modules before the one that failed, as go shows them: `a@v1 requires\n\tb@v2 requires\n\t`. Main modules at the
    /// beginning are left out: everything starts there. `None` if a main module itself failed.
    #[must_use]
    pub fn lead(&self) -> Option<String> {
        let first = self
            .chain
            .iter()
            .position(|module| !module.version.is_empty())?;
        let before = &self.chain[first..self.chain.len() - 1];
        Some(
            before
                .iter()
                .map(|module| format!("{module} requires\n\t"))
                .collect(),
        )
    }
}

impl<E: fmt::Display> fmt::Display for GraphError<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lead() {
            None => self.error.fmt(out),
            Some(lead) => write!(out, "{lead}{}: {}", self.module(), self.error),
        }
    }
}

#[derive(Debug)]
struct Node {
    module: ModuleVersion,
    requires: Option<Vec<u32>>,
    pruning: Option<Pruning>,
}

/// A module graph and the versions selected in it. `E`: why a module's requirements could not be read.
#[derive(Debug)]
pub struct Graph<E> {
    tops: Vec<u32>,
    nodes: Vec<Node>,
    ids: Ids,
    selected: HashMap<String, u32>,
    errors: HashMap<u32, Arc<E>>,
}

/// Numbers of nodes by their module versions, which stand in the nodes alone.
#[derive(Debug, Default)]
struct Ids {
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Ids {
    fn get(&self, nodes: &[Node], module: &ModuleVersion) -> Option<u32> {
        let same = |id: &u32| nodes[*id as usize].module == *module;
        let found = self.table.find(self.hasher.hash_one(module), same);
        found.copied()
    }

    /// Enters a node that is not there yet.
    fn enter(&mut self, nodes: &[Node], id: u32) {
        let hash = |id: &u32| self.hasher.hash_one(&nodes[*id as usize].module);
        self.table.insert_unique(hash(&id), id, hash);
    }
}

impl<E> Graph<E> {
    /// A graph of which only the tops are known.
    #[must_use]
    pub fn new(tops: &[ModuleVersion]) -> Graph<E> {
        let mut graph = Graph {
            tops: Vec::with_capacity(tops.len()),
            nodes: Vec::new(),
            ids: Ids::default(),
            selected: HashMap::new(),
            errors: HashMap::new(),
        };
        for top in tops {
            let id = graph.id_of(top);
            graph.tops.push(id);
            graph.select(id);
        }
        graph
    }

    fn id_of(&mut self, module: &ModuleVersion) -> u32 {
        if let Some(id) = self.ids.get(&self.nodes, module) {
            return id;
        }
        let id = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node {
            module: module.clone(),
            requires: None,
            pruning: None,
        });
        self.ids.enter(&self.nodes, id);
        id
    }

    fn module(&self, id: u32) -> &ModuleVersion {
        &self.nodes[id as usize].module
    }

    fn node(&self, module: &ModuleVersion) -> Option<&Node> {
        let id = self.ids.get(&self.nodes, module)?;
        Some(&self.nodes[id as usize])
    }

    /// A version that is asked for counts if it is newer than what was selected so far.
    fn select(&mut self, id: u32) {
        let module = &self.nodes[id as usize].module;
        match self.selected.get_mut(&module.path) {
            None if module.version == "none" => {}
            None => {
                self.selected.insert(module.path.clone(), id);
            }
            Some(best) => {
                let known = &self.nodes[*best as usize].module.version;
                if compare(&module.path, known, &module.version).is_lt() {
                    *best = id;
                }
            }
        }
    }

    /// Records what a module requires.
    pub fn require(&mut self, module: &ModuleVersion, requires: &[ModuleVersion]) {
        let id = self.id_of(module);
        let requires: Vec<u32> = requires
            .iter()
            .map(|require| {
                let id = self.id_of(require);
                self.select(id);
                id
            })
            .collect();
        self.nodes[id as usize].requires = Some(requires);
    }

    /// The version selected for a path: empty for a main module, `None` if nothing asks for it.
    #[must_use]
    pub fn selected(&self, path: &str) -> Option<&str> {
        self.selected
            .get(path)
            .map(|id| self.module(*id).version.as_str())
    }

    /// The version selected for a path, `none` if nothing asks for it.
    #[must_use]
    pub fn selected_or_none(&self, path: &str) -> &str {
        self.selected(path).unwrap_or("none")
    }

    /// What a module version requires; `None` if its requirements were not read.
    pub fn required_by(
        &self,
        module: &ModuleVersion,
    ) -> Option<impl ExactSizeIterator<Item = &ModuleVersion>> {
        let requires = self.node(module)?.requires.as_ref()?;
        Some(requires.iter().map(|id| self.module(*id)))
    }

    /// Whether a module version's requirements were read.
    #[must_use]
    pub fn was_read(&self, module: &ModuleVersion) -> bool {
        self.node(module)
            .is_some_and(|node| node.requires.is_some())
    }

    /// How much lies behind a module version, as its own go.mod says; `None` if that was not read.
    #[must_use]
    pub fn pruning_of(&self, module: &ModuleVersion) -> Option<Pruning> {
        self.node(module)?.pruning
    }

    /// Why a module version's requirements could not be read, if they could not.
    #[must_use]
    pub fn error_of(&self, module: &ModuleVersion) -> Option<&E> {
        let id = self.ids.get(&self.nodes, module)?;
        self.errors.get(&id).map(Arc::as_ref)
    }

    /// How many modules' requirements were read.
    #[must_use]
    pub fn read_count(&self) -> usize {
        self.nodes
            .iter()
            .filter(|node| node.pruning.is_some())
            .count()
    }

    /// The selected modules: the tops in their order, the rest by path.
    #[must_use]
    pub fn build_list(&self) -> Vec<ModuleVersion> {
        let mut seen: HashSet<&str> = HashSet::new();
        let mut list: Vec<ModuleVersion> = Vec::with_capacity(self.selected.len());
        for &top in &self.tops {
            let path = &self.module(top).path;
            if seen.insert(path)
                && let Some(&best) = self.selected.get(path)
            {
                list.push(self.module(best).clone());
            }
        }
        let first = list.len();
        list.extend(
            self.selected
                .iter()
                .filter(|(path, _)| !seen.contains(path.as_str()))
                .map(|(_, id)| self.module(*id).clone()),
        );
        list[first..].sort_unstable_by(|a, b| a.path.cmp(&b.path));
        list
    }

    /// Every module version that can be reached, in breadth-first order from the tops.
    pub fn walk<'g>(&'g self, mut visit: impl FnMut(&'g ModuleVersion)) {
        let mut queue: VecDeque<u32> = VecDeque::new();
        let mut seen = vec![false; self.nodes.len()];
        let mut enter = |queue: &mut VecDeque<u32>, id: u32| {
            if self.module(id).version != "none" && !std::mem::replace(&mut seen[id as usize], true)
            {
                queue.push_back(id);
            }
        };
        for &top in &self.tops {
            enter(&mut queue, top);
        }
        while let Some(id) = queue.pop_front() {
            visit(self.module(id));
            for &require in self.nodes[id as usize].requires.iter().flatten() {
                enter(&mut queue, require);
            }
        }
    }

    /// A shortest way from a top to a module for which `wanted` holds, that module included; empty if there is none.
    pub fn find_path(&self, wanted: impl Fn(&ModuleVersion) -> bool) -> Vec<ModuleVersion> {
        self.find_ids(|id| wanted(self.module(id)))
            .into_iter()
            .map(|id| self.module(id).clone())
            .collect()
    }

    fn find_ids(&self, wanted: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut from: HashMap<u32, Option<u32>> =
            self.tops.iter().map(|&top| (top, None)).collect();
        let mut queue: VecDeque<u32> = self.tops.iter().copied().collect();
        while let Some(id) = queue.pop_front() {
            if wanted(id) {
                let mut chain: Vec<u32> = std::iter::successors(Some(id), |at| from[at]).collect();
                chain.reverse();
                return chain;
            }
            for &require in self.nodes[id as usize].requires.iter().flatten() {
                from.entry(require).or_insert_with(|| {
                    queue.push_back(require);
                    Some(id)
                });
            }
        }
        Vec::new()
    }

    /// The error nearest to the tops, with the way to it.
    #[must_use]
    pub fn error(&self) -> Option<GraphError<Arc<E>>> {
        if self.errors.is_empty() {
            return None;
        }
        let chain = self.find_ids(|id| self.errors.contains_key(&id));
        let error = Arc::clone(self.errors.get(chain.last()?)?);
        Some(GraphError {
            chain: chain
                .into_iter()
                .map(|id| self.module(id).clone())
                .collect(),
            error,
        })
    }
}

/// Order of two versions in a graph: no version (a main module) is newest, `none` oldest.
#[must_use]
pub fn compare(path: &str, a: &str, b: &str) -> Ordering {
    let rank = |version: &str| match version {
        "" => 2,
        "none" => 0,
        _ => 1,
    };
    rank(a)
        .cmp(&rank(b))
        .then_with(|| gover::mod_compare(path, a, b))
}

#[cfg(test)]
mod tests;

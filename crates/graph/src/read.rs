//! Reading a graph in waves.

use super::{Graph, Pruning, compare};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use steady_module::ModuleVersion;

/// What one module version requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its requirements, exclusions and replacements applied as the main module says.
    pub requires: Vec<ModuleVersion>,
    /// How much lies behind it.
    pub pruning: Pruning,
}

/// Where requirements come from.
pub trait Requirements {
    /// Why they cannot be had.
    type Error;

    /// What each of `modules` requires, in their order. They are asked for together so that they can be fetched together.
    fn summaries(&self, modules: &[ModuleVersion]) -> Vec<Result<Arc<Summary>, Self::Error>>;
}

/// What to read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The main module whose requirements `roots` are; `None` if the roots themselves are the tops, as in a workspace.
    pub main: Option<&'a ModuleVersion>,
    /// What reading starts from.
    pub roots: &'a [ModuleVersion],
    /// How the roots are pruned.
    pub pruning: Pruning,
    /// Modules whose own requirements are read although pruning would end before them.
    pub unprune: Option<&'a HashSet<ModuleVersion>>,
}

/// One reading under way.
struct Reader<'a, R: Requirements> {
    graph: Graph<R::Error>,
    source: &'a R,
    unprune: Option<&'a HashSet<ModuleVersion>>,
    summaries: HashMap<u32, Arc<Summary>>,
    // A module can be met pruned first and unpruned later, and then leads further.
    entered: HashSet<(u32, Pruning)>,
}

impl<R: Requirements> Reader<'_, R> {
    /// Reads from `wave` on until nothing new turns up.
    fn run(&mut self, mut wave: Vec<(u32, Pruning)>) {
        while !wave.is_empty() {
            wave.retain(|(id, pruning)| {
                self.graph.module(*id).version != "none" && self.entered.insert((*id, *pruning))
            });
            self.read(&wave);
            let mut next = Vec::new();
            for (id, pruning) in wave {
                let Some(summary) = self.summaries.get(&id) else {
                    continue;
                };
                let open = pruning != Pruning::Pruned || summary.pruning == Pruning::Unpruned;
                let onward = match pruning {
                    Pruning::Unpruned => Pruning::Unpruned,
                    _ => summary.pruning,
                };
                let requires = self.graph.nodes[id as usize].requires.iter().flatten();
                next.extend(
                    requires
                        .filter(|require| open || self.is_unpruned(**require))
                        .map(|require| (*require, onward)),
                );
            }
            wave = next;
        }
    }

    fn is_unpruned(&self, id: u32) -> bool {
        self.unprune
            .is_some_and(|unprune| unprune.contains(self.graph.module(id)))
    }

    fn read(&mut self, wave: &[(u32, Pruning)]) {
        let mut asked = HashSet::new();
        let unread: Vec<u32> = wave
            .iter()
            .map(|(id, _)| *id)
            .filter(|id| {
                !self.summaries.contains_key(id)
                    && !self.graph.errors.contains_key(id)
                    && asked.insert(*id)
            })
            .collect();
        if unread.is_empty() {
            return;
        }
        let modules: Vec<ModuleVersion> = unread
            .iter()
            .map(|id| self.graph.module(*id).clone())
            .collect();
        for ((id, module), answer) in unread
            .iter()
            .zip(&modules)
            .zip(self.source.summaries(&modules))
        {
            match answer {
                Ok(summary) => {
                    self.graph.require(module, &summary.requires);
                    self.graph.nodes[*id as usize].pruning = Some(summary.pruning);
                    self.summaries.insert(*id, summary);
                }
                Err(error) => {
                    self.graph.errors.insert(*id, Arc::new(error));
                }
            }
        }
    }

    /// In a workspace a member may select a version that another one's pruned view never led to. What such a version requires
    /// counts as soon as it replaces one that packages of the workspace can depend on.
    fn close_workspace(&mut self) {
        let mut in_all: BTreeSet<String> = self
            .graph
            .tops
            .iter()
            .map(|top| self.graph.module(*top).path.clone())
            .collect();
        let mut seen: HashSet<u32> = HashSet::new();
        loop {
            let mut wave: BTreeSet<u32> = BTreeSet::new();
            for path in &in_all {
                let Some(&id) = self.graph.selected.get(path) else {
                    continue;
                };
                if !seen.contains(&id) {
                    wave.insert(id);
                    continue;
                }
                for &require in self.graph.nodes[id as usize].requires.iter().flatten() {
                    let require = self.graph.module(require);
                    let Some(&best) = self.graph.selected.get(&require.path) else {
                        continue;
                    };
                    let selected = &self.graph.module(best).version;
                    if compare(&require.path, selected, &require.version).is_gt()
                        && !seen.contains(&best)
                    {
                        wave.insert(best);
                    }
                }
            }
            if wave.is_empty() {
                return;
            }
            for &id in &wave {
                seen.insert(id);
                in_all.insert(self.graph.module(id).path.clone());
            }
            self.run(
                wave.into_iter()
                    .map(|id| (id, Pruning::Workspace))
                    .collect(),
            );
        }
    }
}

impl<E> Graph<E> {
    /// Reads a graph. What cannot be read is remembered ([`Graph::error`]), the rest is read all the same.
    pub fn read<R: Requirements<Error = E>>(reading: Reading<'_>, source: &R) -> Graph<E> {
        let mut graph = Graph::new(reading.main.map_or(reading.roots, std::slice::from_ref));
        if let Some(main) = reading.main {
            graph.require(main, reading.roots);
        }
        let wave = reading
            .roots
            .iter()
            .map(|root| (graph.id_of(root), reading.pruning))
            .collect();
        let mut reader = Reader {
            graph,
            source,
            unprune: reading.unprune,
            summaries: HashMap::new(),
            entered: HashSet::new(),
        };
        reader.run(wave);
        if reading.pruning == Pruning::Workspace {
            reader.close_workspace();
        }
        reader.graph
    }
}

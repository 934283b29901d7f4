//! A graph as plain values that can be kept: numbers for modules, in the order in which they were met.

use super::{Graph, Ids, Node, Pruning};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use steady_module::ModuleVersion;

/// A graph that was read without errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    tops: Vec<u32>,
    nodes: Vec<RecordNode>,
    selected: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RecordNode {
    path: String,
    version: String,
    /// What it requires; `None`: not read.
    requires: Option<Vec<u32>>,
    /// `Some(true)`: pruned.
    pruned: Option<bool>,
}

impl<E> Graph<E> {
    /// The graph as a record; `None` if something in it could not be read.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        if !self.errors.is_empty() {
            return None;
        }
        let nodes = self.nodes.iter().map(|node| RecordNode {
            path: node.module.path.clone(),
            version: node.module.version.clone(),
            requires: node.requires.clone(),
            pruned: node.pruning.map(|pruning| pruning == Pruning::Pruned),
        });
        let mut selected: Vec<u32> = self.selected.values().copied().collect();
        selected.sort_unstable();
        Some(Record {
            tops: self.tops.clone(),
            nodes: nodes.collect(),
            selected,
        })
    }

    /// The graph that a record was made from; `None` if its numbers lead nowhere.
    #[must_use]
    pub fn from_record(record: Record) -> Option<Graph<E>> {
        let count = record.nodes.len();
        let known = |ids: &[u32]| ids.iter().all(|id| (*id as usize) < count);
        let requires = record
            .nodes
            .iter()
            .filter_map(|node| node.requires.as_ref());
        if !known(&record.tops)
            || !known(&record.selected)
            || !requires.into_iter().all(|requires| known(requires))
        {
            return None;
        }
        let nodes = record.nodes.into_iter().map(|node| Node {
            module: ModuleVersion::new(node.path, node.version),
            requires: node.requires,
            pruning: node.pruned.map(|pruned| match pruned {
                true => Pruning::Pruned,
                false => Pruning::Unpruned,
            }),
        });
        let nodes: Vec<Node> = nodes.collect();
        let mut ids = Ids::default();
        for id in 0..u32::try_from(count).ok()? {
            ids.enter(&nodes, id);
        }
        let selected = record.selected.into_iter();
        let selected: HashMap<String, u32> = selected
            .map(|id| (nodes[id as usize].module.path.clone(), id))
            .collect();
        Some(Graph {
            tops: record.tops,
            nodes,
            ids,
            selected,
            errors: HashMap::new(),
        })
    }
}

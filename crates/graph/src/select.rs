//! Selection over lists of requirements that stand in no file yet.

use super::{Graph, GraphError, Pruning, Reading, Requirements};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use steady_module::ModuleVersion;

/// Everything behind `roots`, whatever pruning would leave out.
fn whole<R: Requirements>(
    main: &ModuleVersion,
    roots: &[ModuleVersion],
    source: &R,
) -> Result<Graph<R::Error>, GraphError<Arc<R::Error>>> {
    let reading = Reading {
        main: Some(main),
        roots,
        pruning: Pruning::Unpruned,
        unprune: None,
    };
    let graph = Graph::read(reading, source);
    match graph.error() {
        Some(error) => Err(error),
        None => Ok(graph),
    }
}

/// The selected modules of a main module that required `roots`, itself first, the whole graph taken into account.
///
/// # Errors
/// The first module whose requirements cannot be read, with the way to it.
pub fn build_list<R: Requirements>(
    main: &ModuleVersion,
    roots: &[ModuleVersion],
    source: &R,
) -> Result<Vec<ModuleVersion>, GraphError<Arc<R::Error>>> {
    Ok(whole(main, roots, source)?.build_list())
}

/// The fewest requirements that lead to the same build list as `roots`: all of `base` (paths), and what none of the others leads to.
///
/// # Errors
/// The first module whose requirements cannot be read, with the way to it.
pub fn req<R: Requirements>(
    main: &ModuleVersion,
    base: &[String],
    roots: &[ModuleVersion],
    source: &R,
) -> Result<Vec<ModuleVersion>, GraphError<Arc<R::Error>>> {
    let graph = whole(main, roots, source)?;
    let list = graph.build_list();
    let mut order = PostOrder {
        graph: &graph,
        seen: HashSet::new(),
        order: Vec::new(),
    };
    order.seen.insert(main.clone());
    for module in &list {
        order.visit(module);
    }
    let newest: HashMap<&str, &ModuleVersion> = list
        .iter()
        .map(|module| (module.path.as_str(), module))
        .collect();
    let mut implied: HashSet<ModuleVersion> = HashSet::new();
    let mut least: Vec<ModuleVersion> = Vec::new();
    let mut named: HashSet<&str> = HashSet::new();
    for path in base {
        if let Some(module) = newest
            .get(path.as_str())
            .filter(|_| named.insert(path.as_str()))
        {
            least.push((*module).clone());
            imply(&graph, module, &mut implied);
        }
    }
    // Those that nothing else needs come first in reverse post-order, so that each takes as much along as it can.
    for module in order.order.iter().rev() {
        if newest.get(module.path.as_str()) == Some(&module) && !implied.contains(module) {
            least.push(module.clone());
            imply(&graph, module, &mut implied);
        }
    }
    least.sort();
    Ok(least)
}

/// Adds everything that a requirement on `module` leads to.
fn imply<E>(graph: &Graph<E>, module: &ModuleVersion, implied: &mut HashSet<ModuleVersion>) {
    let mut stack = vec![module.clone()];
    while let Some(module) = stack.pop() {
        if implied.insert(module.clone()) {
            stack.extend(graph.required_by(&module).into_iter().flatten().cloned());
        }
    }
}

struct PostOrder<'g, E> {
    graph: &'g Graph<E>,
    seen: HashSet<ModuleVersion>,
    order: Vec<ModuleVersion>,
}

impl<E> PostOrder<'_, E> {
    /// Requirements before what requires them. Its own stack: graphs can be deep.
    fn visit(&mut self, module: &ModuleVersion) {
        let mut stack: Vec<(ModuleVersion, bool)> = vec![(module.clone(), false)];
        while let Some((module, done)) = stack.pop() {
            if done {
                self.order.push(module);
                continue;
            }
            if module.version == "none" || !self.seen.insert(module.clone()) {
                continue;
            }
            let requires: Vec<ModuleVersion> = self
                .graph
                .required_by(&module)
                .into_iter()
                .flatten()
                .cloned()
                .collect();
            stack.push((module, true));
            stack.extend(requires.into_iter().rev().map(|require| (require, false)));
        }
    }
}

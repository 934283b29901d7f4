//! The packages that a set of requirements leads to, modules alone in mind: which package is imported by whom, from which module each
//! comes, and what is missing. Commands that change requirements load packages this way until nothing changes any more.

mod missing;
mod settle;
mod sums;
mod walk;

use super::reqs::Reqs;
use super::{ImportError, ModError, Result};
use crate::source::BuildContext;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use steady_module::ModuleVersion;

/// What to load.
#[derive(Clone, Default)]
pub struct PackageOptions {
    /// Which files count.
    pub context: Arc<BuildContext>,
    /// All files count, whatever their constraints: what any build could need.
    pub any_tags: bool,
    /// Also what tests of the packages named import.
    pub tests: bool,
    /// Modules are looked for that have what is missing.
    pub resolve: bool,
    /// Requirements are made as few as can be.
    pub tidy: bool,
    /// The `go` line to be (`mod tidy -go`), or empty.
    pub tidy_go: String,
    /// What is named counts as if main modules imported it: whatever it imports gets a root (`get`).
    pub assume_imported: bool,
    /// Tests of dependencies are no part of `all`, whatever the `go` line says.
    pub narrow_all: bool,
    /// What keeps requirements from being settled is noted, and as much is done as can be (`mod tidy -e`).
    pub keep_going: bool,
}

/// One package, or the tests of one.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Import path.
    pub path: String,
    /// Where it comes from; none in the standard library, or if it was not found.
    pub module: Option<ModuleVersion>,
    /// Its directory.
    pub dir: Utf8PathBuf,
    /// Why there is none.
    pub error: Option<ImportError>,
    /// Modules that could have had it by their names.
    pub others: Vec<ModuleVersion>,
    /// It belongs to the standard library.
    pub std: bool,
    /// What it imports.
    pub imports: Vec<usize>,
    /// The node of its tests.
    pub test: Option<usize>,
    /// The package whose tests this is.
    pub test_of: Option<usize>,
    /// The package that first led here.
    pub stack: Option<usize>,
    /// It is part of `all`.
    pub in_all: bool,
    /// It was named.
    pub is_root: bool,
    /// What was named leads here, tests aside.
    from_root: bool,
    loaded: bool,
    test_imports: Vec<String>,
}

/// What was loaded.
#[derive(Debug, Default)]
pub struct ModulePackages {
    /// The packages, and their tests.
    pub nodes: Vec<Node>,
    by_path: HashMap<String, usize>,
    /// The nodes as they are met from the named ones on: a package's imports, then its tests.
    order: Vec<usize>,
    /// The requirements they were loaded with, or that came out of it.
    pub reqs: Option<Arc<Reqs>>,
    /// What kept them from being settled, with [`PackageOptions::keep_going`].
    pub failures: Vec<ModError>,
}

impl ModulePackages {
    /// The way to a package, as go shows it: `a imports\n\tb imports\n\tc`.
    #[must_use]
    pub fn stack_text(&self, at: usize) -> String {
        let mut way = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            way.push(at);
            next = self.nodes[at].stack;
        }
        way.reverse();
        let mut text = String::new();
        for (number, &at) in way.iter().enumerate() {
            let node = &self.nodes[at];
            text += &node.path;
            text += if node.test_of.is_some() { ".test" } else { "" };
            match way.get(number + 1) {
                Some(&next) if self.nodes[next].test_of == Some(at) => text += " tested by\n\t",
                Some(_) => text += " imports\n\t",
                None => {}
            }
        }
        text
    }

    /// The nodes in the order in which things are told of them.
    pub(super) fn in_order(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().copied()
    }

    /// Finds the shortest way to each package, from the first of those that have one.
    fn build_stacks(&mut self) {
        let named = self.nodes.iter().enumerate();
        let named = named.filter(|(_, node)| node.stack.is_none());
        let mut order: Vec<usize> = named.map(|(at, _)| at).collect();
        let mut seen = vec![false; self.nodes.len()];
        for &at in &order {
            seen[at] = true;
        }
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            next += 1;
            let node = &self.nodes[at];
            for to in node.imports.clone().into_iter().chain(node.test) {
                if !std::mem::replace(&mut seen[to], true) {
                    self.nodes[to].stack = Some(at);
                    order.push(to);
                }
            }
        }
        self.order = order;
    }

    /// What is wrong with a module that was added for a package is told with the way to that package, which says more than the way
    /// through modules.
    fn led_to(&self, error: ModError, added: &BTreeMap<ModuleVersion, usize>) -> ModError {
        match &error {
            ModError::Graph(wrong) => match added.get(wrong.module()) {
                Some(&at) => (*wrong.error).clone().context(self.stack_text(at)),
                None => error,
            },
            _ => error,
        }
    }

    /// Ends with an error, or notes it, once, if loading is to go on. A newer Go may do what this one cannot, so that is no reason to go on.
    fn fail(&mut self, error: ModError, options: &PackageOptions) -> Result<()> {
        if !options.keep_going || error.too_new().is_some() || error.is_security() {
            return Err(error);
        }
        let text = error.to_string();
        if self.failures.iter().all(|known| known.to_string() != text) {
            self.failures.push(error);
        }
        Ok(())
    }

    /// Notes a shortest way to each package: breadth first, imports in their order, tests behind them. Waves of looking at packages can
    /// come by in another order.
    fn find_ways(&mut self, roots: &[String]) {
        let mut queue: Vec<usize> = Vec::with_capacity(self.nodes.len());
        let mut known = vec![false; self.nodes.len()];
        for at in roots.iter().filter_map(|path| self.by_path.get(path)) {
            if !std::mem::replace(&mut known[*at], true) {
                self.nodes[*at].stack = None;
                queue.push(*at);
            }
        }
        let mut next = 0;
        while let Some(&at) = queue.get(next) {
            next += 1;
            let node = &self.nodes[at];
            let leads_to: Vec<usize> = node.imports.iter().copied().chain(node.test).collect();
            for to in leads_to {
                if !std::mem::replace(&mut known[to], true) {
                    self.nodes[to].stack = Some(at);
                    queue.push(to);
                }
            }
        }
    }

    /// `all`, without tests, sorted.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let all: BTreeSet<String> = self
            .nodes
            .iter()
            .filter(|node| node.in_all && node.test_of.is_none())
            .map(|node| node.path.clone())
            .collect();
        all.into_iter().collect()
    }

    /// Where the node of a package stands.
    pub(super) fn index_of(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// The node of a package.
    #[must_use]
    pub fn node(&self, path: &str) -> Option<&Node> {
        self.by_path.get(path).map(|at| &self.nodes[*at])
    }
}

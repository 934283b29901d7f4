//! Minimal version selection: which version of each module a build uses.
//!
//! The rule: of every module the newest version that anything reachable asks for. The graph is read through [`Requirements`], a wave
//! at a time so that what the next wave needs can be fetched together. Pure: nothing here knows where requirements come from.
//!
//! Pruning (`go 1.17` and later): a dependency whose go.mod lists all that its packages need shows its own requirements and no
//! further ones, so what stands behind them is never read.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use steady_module::{ModuleVersion, gover};

/// How much of a graph lies behind a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    fn summaries(&self, modules: &[ModuleVersion]) -> Vec<Result<Summary, Self::Error>>;
}

/// What led to an error: the modules from a root to the one that could not be read.
#[derive(Debug)]
pub struct GraphError<E> {
    /// From a root on; the last one failed.
    pub chain: Vec<ModuleVersion>,
    /// Why.
    pub error: E,
}

/// A module graph and the versions selected in it.
#[derive(Debug, Default)]
pub struct Graph {
    roots: Vec<ModuleVersion>,
    requires: HashMap<ModuleVersion, Vec<ModuleVersion>>,
    selected: HashMap<String, String>,
}

impl Graph {
    /// Reads the graph behind `roots`. On errors the rest of the graph is read all the same; they are returned beside it.
    pub fn read<R: Requirements>(
        roots: &[ModuleVersion],
        pruning: Pruning,
        source: &R,
    ) -> (Graph, Vec<GraphError<R::Error>>) {
        let mut graph = Graph {
            roots: roots.to_vec(),
            ..Graph::default()
        };
        let mut errors = Vec::new();
        // A module can be met pruned first and unpruned later, and then leads further.
        let mut summaries: HashMap<ModuleVersion, Summary> = HashMap::new();
        let mut entered: HashSet<(ModuleVersion, bool)> = HashSet::new();
        let mut wave: Vec<(ModuleVersion, Pruning)> =
            roots.iter().map(|root| (root.clone(), pruning)).collect();
        for root in roots {
            graph.select(root);
        }
        while !wave.is_empty() {
            wave.retain(|(module, pruning)| {
                module.version != "none"
                    && entered.insert((module.clone(), *pruning == Pruning::Unpruned))
            });
            let mut unread: Vec<ModuleVersion> = wave
                .iter()
                .map(|(module, _)| module)
                .filter(|module| !summaries.contains_key(module))
                .cloned()
                .collect();
            let mut seen = HashSet::new();
            unread.retain(|module| seen.insert(module.clone()));
            for (module, summary) in unread.iter().zip(source.summaries(&unread)) {
                match summary {
                    Ok(summary) => {
                        graph.require(module, &summary.requires);
                        summaries.insert(module.clone(), summary);
                    }
                    Err(error) => errors.push((module.clone(), error)),
                }
            }
            let mut next = Vec::new();
            for (module, pruning) in wave {
                let Some(summary) = summaries.get(&module) else {
                    continue;
                };
                if pruning == Pruning::Pruned && summary.pruning != Pruning::Unpruned {
                    continue;
                }
                let onward = if pruning == Pruning::Unpruned {
                    Pruning::Unpruned
                } else {
                    summary.pruning
                };
                next.extend(
                    summary
                        .requires
                        .iter()
                        .map(|require| (require.clone(), onward)),
                );
            }
            wave = next;
        }
        let errors = errors
            .into_iter()
            .map(|(module, error)| GraphError {
                chain: graph.path_to(&module),
                error,
            })
            .collect();
        (graph, errors)
    }

    fn select(&mut self, module: &ModuleVersion) {
        match self.selected.get_mut(&module.path) {
            None => {
                self.selected
                    .insert(module.path.clone(), module.version.clone());
            }
            Some(selected) => {
                // A main module has no version and is newer than any other.
                let newer = compare(&module.path, &module.version, selected).is_gt();
                if newer {
                    selected.clone_from(&module.version);
                }
            }
        }
    }

    fn require(&mut self, module: &ModuleVersion, requires: &[ModuleVersion]) {
        for require in requires {
            self.select(require);
        }
        self.requires.insert(module.clone(), requires.to_vec());
    }

    /// The version selected for a path: empty for a main module, `None` if nothing asks for it.
    #[must_use]
    pub fn selected(&self, path: &str) -> Option<&str> {
        self.selected.get(path).map(String::as_str)
    }

    /// What a module version requires; `None` if its requirements were not read.
    #[must_use]
    pub fn required_by(&self, module: &ModuleVersion) -> Option<&[ModuleVersion]> {
        self.requires.get(module).map(Vec::as_slice)
    }

    /// The roots, in their order.
    #[must_use]
    pub fn roots(&self) -> &[ModuleVersion] {
        &self.roots
    }

    /// How many modules' requirements were read.
    #[must_use]
    pub fn read_count(&self) -> usize {
        self.requires.len()
    }

    /// The selected modules: the first `main` roots in their order, the rest by path.
    #[must_use]
    pub fn build_list(&self, main: usize) -> Vec<ModuleVersion> {
        let first: Vec<ModuleVersion> = self.roots.iter().take(main).cloned().collect();
        let mut rest: Vec<ModuleVersion> = self
            .selected
            .iter()
            .filter(|(path, version)| {
                version.as_str() != "none" && first.iter().all(|root| root.path != **path)
            })
            .map(|(path, version)| ModuleVersion::new(path.clone(), version.clone()))
            .collect();
        rest.sort();
        first.into_iter().chain(rest).collect()
    }

    /// Every module version whose requirements were read, in breadth-first order from the roots, with what it requires.
    pub fn walk(&self, mut visit: impl FnMut(&ModuleVersion, &[ModuleVersion])) {
        let mut queue: VecDeque<&ModuleVersion> = self.roots.iter().collect();
        let mut seen: HashSet<&ModuleVersion> = queue.iter().copied().collect();
        while let Some(module) = queue.pop_front() {
            let requires = self.required_by(module).unwrap_or_default();
            visit(module, requires);
            queue.extend(requires.iter().filter(|require| seen.insert(require)));
        }
    }

    /// A shortest way from a root to a module version.
    #[must_use]
    pub fn path_to(&self, target: &ModuleVersion) -> Vec<ModuleVersion> {
        let mut queue: VecDeque<&ModuleVersion> = self.roots.iter().collect();
        let mut from: HashMap<&ModuleVersion, Option<&ModuleVersion>> =
            self.roots.iter().map(|root| (root, None)).collect();
        while let Some(module) = queue.pop_front() {
            if module == target {
                let mut chain: Vec<ModuleVersion> =
                    std::iter::successors(Some(module), |at| from[at])
                        .cloned()
                        .collect();
                chain.reverse();
                return chain;
            }
            for require in self.required_by(module).unwrap_or_default() {
                if !from.contains_key(require) {
                    from.insert(require, Some(module));
                    queue.push_back(require);
                }
            }
        }
        vec![target.clone()]
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
mod tests {
    use super::*;

    /// `module: requirement…`, a line each; a path that begins with `old` is from before pruning.
    struct Fixture(HashMap<ModuleVersion, Summary>);

    fn module(word: &str) -> ModuleVersion {
        let (path, version) = word.split_once('@').unwrap_or((word, ""));
        ModuleVersion::new(path, version)
    }

    impl Fixture {
        fn new(text: &str) -> Fixture {
            Fixture(
                text.lines()
                    .map(|line| {
                        let (name, requires) = line.split_once(':').unwrap();
                        let pruning = if name.starts_with("old") {
                            Pruning::Unpruned
                        } else {
                            Pruning::Pruned
                        };
                        (
                            module(name.trim()),
                            Summary {
                                requires: requires.split_whitespace().map(module).collect(),
                                pruning,
                            },
                        )
                    })
                    .collect(),
            )
        }
    }

    impl Requirements for Fixture {
        type Error = String;
        fn summaries(&self, modules: &[ModuleVersion]) -> Vec<Result<Summary, String>> {
            modules
                .iter()
                .map(|module| {
                    self.0
                        .get(module)
                        .cloned()
                        .ok_or_else(|| format!("no {module}"))
                })
                .collect()
        }
    }

    fn list(graph: &Graph) -> String {
        let words: Vec<String> = graph
            .build_list(1)
            .iter()
            .map(ToString::to_string)
            .collect();
        words.join(" ")
    }

    #[test]
    fn newest_version_asked_for_is_selected() {
        let source = Fixture::new(
            "main: old-b@v1.2.0 c@v1.0.0\nold-b@v1.2.0: d@v1.4.0\nc@v1.0.0: d@v1.3.0\nd@v1.4.0:\nd@v1.3.0:",
        );
        let (graph, errors) = Graph::read(
            &[module("main"), module("old-b@v1.2.0"), module("c@v1.0.0")],
            Pruning::Unpruned,
            &source,
        );
        assert!(errors.is_empty());
        assert_eq!(list(&graph), "main c@v1.0.0 d@v1.4.0 old-b@v1.2.0");
    }

    #[test]
    fn pruned_dependencies_hide_what_is_behind_them() {
        let source = Fixture::new(
            "b@v1.0.0: c@v1.0.0\nc@v1.0.0: d@v1.0.0\nold-e@v1.0.0: c@v1.1.0\nc@v1.1.0: f@v1.0.0\nf@v1.0.0:",
        );
        let (graph, _) = Graph::read(&[module("b@v1.0.0")], Pruning::Pruned, &source);
        assert_eq!(
            (list(&graph).as_str(), graph.read_count()),
            ("b@v1.0.0 c@v1.0.0", 1)
        );
        let (graph, errors) = Graph::read(
            &[module("b@v1.0.0"), module("old-e@v1.0.0")],
            Pruning::Pruned,
            &source,
        );
        assert!(errors.is_empty());
        assert_eq!(
            graph.selected("f"),
            Some("v1.0.0"),
            "behind an old module everything counts"
        );
    }

    #[test]
    fn an_error_names_the_way_to_it() {
        let source = Fixture::new("old-a@v1.0.0: b@v1.0.0");
        let (_, errors) = Graph::read(&[module("old-a@v1.0.0")], Pruning::Pruned, &source);
        let chain: Vec<String> = errors[0].chain.iter().map(ToString::to_string).collect();
        assert_eq!(
            (chain.join(" "), errors[0].error.as_str()),
            ("old-a@v1.0.0 b@v1.0.0".into(), "no b@v1.0.0")
        );
    }
}

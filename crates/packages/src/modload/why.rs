//! `mod why`: the way to a package, and who asks for a version of a module.

use super::packages::ModulePackages;
use super::{Modules, Result};
use std::collections::HashMap;
use std::fmt::Write as _;
use steady_module::{ModuleVersion, gover};

impl ModulePackages {
    /// A shortest way from a main module to a package, a line a step; `None` if it is not needed.
    #[must_use]
    pub fn why(&self, path: &str) -> Option<String> {
        let mut text = String::new();
        for at in self.way(path)? {
            let node = &self.nodes[at];
            let test = if node.test_of.is_some() { ".test" } else { "" };
            let _ = writeln!(text, "{}{test}", node.path);
        }
        Some(text)
    }

    /// For each module with packages the one of them that is nearest to a main module; the first by name of several.
    #[must_use]
    pub fn nearest_by_module(&self) -> HashMap<&str, &str> {
        let mut best: HashMap<&str, (usize, &str)> = HashMap::new();
        let mut packages: Vec<_> = self
            .nodes
            .iter()
            .filter(|node| node.test_of.is_none())
            .filter_map(|node| Some((node.path.as_str(), node.module.as_ref()?.path.as_str())))
            .collect();
        packages.sort_unstable();
        for (path, module) in packages {
            let depth = self.way(path).map_or(0, |way| way.len());
            let known = best.get(module).map_or(usize::MAX, |(depth, _)| *depth);
            if depth > 0 && depth < known {
                best.insert(module, (depth, path));
            }
        }
        let paths = best.into_iter().map(|(module, (_, path))| (module, path));
        paths.collect()
    }

    /// The nodes that lead to a package, itself last.
    fn way(&self, path: &str) -> Option<Vec<usize>> {
        let at = self.index_of(path)?;
        let mut way: Vec<usize> =
            std::iter::successors(Some(at), |&at| self.nodes[at].stack).collect();
        way.reverse();
        Some(way)
    }
}

impl Modules {
    /// Who asks for `path` at `least` or later: for every main module and every requirement of that kind a shortest way through the
    /// module graph, from the main module to the version that is asked for. `go` and `toolchain` are modules here.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn who_asks(&self, path: &str, least: &str) -> Result<Vec<Vec<ModuleVersion>>> {
        let graph = self.graph()?;
        let mut ways = Vec::new();
        for main in self.mains() {
            let start = ModuleVersion::new(main.path.clone(), "");
            let mut from: HashMap<&ModuleVersion, Option<&ModuleVersion>> =
                HashMap::from([(&start, None)]);
            let mut queue = vec![&start];
            let mut next = 0;
            while let Some(&module) = queue.get(next) {
                next += 1;
                for required in graph.required_by(module).into_iter().flatten() {
                    let asks = required.path == path
                        && gover::mod_compare(path, &required.version, least).is_ge();
                    if asks {
                        let up = std::iter::successors(Some(module), |at| from.get(at).copied()?);
                        let mut way: Vec<_> = up.cloned().collect();
                        way.reverse();
                        way.push(required.clone());
                        ways.push(way);
                    }
                    // Another main module's requirements are told where it begins.
                    let is_main = self.main(&required.path).is_some();
                    if !is_main && !from.contains_key(required) {
                        from.insert(required, Some(module));
                        queue.push(required);
                    }
                }
            }
        }
        Ok(ways)
    }
}

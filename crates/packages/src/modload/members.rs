//! `work graph`: which members of a workspace import and require one another.

use super::Modules;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet};
use steady_system::parallel;

/// The members of a workspace and what leads from one to another.
#[derive(Debug, Clone, Default)]
pub struct MemberGraph {
    /// Paths of the members, sorted.
    pub members: Vec<String>,
    /// By the member they come from, then by where they lead.
    pub edges: Vec<MemberEdge>,
}

/// One member needs another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberEdge {
    /// Who.
    pub from: String,
    /// Whom.
    pub to: String,
    /// Packages that import packages of the other, whatever the build configuration.
    pub packages: BTreeSet<String>,
    /// Packages of which only the tests do.
    pub tests: BTreeSet<String>,
    /// The version that go.mod requires; empty if it does not.
    pub required: String,
}

impl Modules {
    /// What leads from one main module to another. No dependency is looked at.
    #[must_use]
    pub fn member_graph(&self) -> MemberGraph {
        let mut edges: BTreeMap<(&str, &str), MemberEdge> = BTreeMap::new();
        for main in &self.mains {
            let packages = self.packages_of_main(&main.path);
            let found = parallel::map(&packages, steady_system::processors(), |package| {
                let below = package.strip_prefix(&main.path).unwrap_or_default();
                let dir = main.dir.join(below.trim_start_matches('/'));
                self.index.imports(&dir)
            });
            for (package, found) in packages.iter().zip(found) {
                let found = found.unwrap_or_default();
                let imports = found.imports.iter().map(|import| (import, false));
                let tests = found.test_imports.iter().map(|import| (import, true));
                for (import, test) in imports.chain(tests) {
                    let Some(other) = self.member_with(import).filter(|other| *other != main.path)
                    else {
                        continue;
                    };
                    let edge = edges.entry((&main.path, other)).or_default();
                    match test {
                        false => edge.packages.insert(package.clone()),
                        true => edge.tests.insert(package.clone()),
                    };
                }
            }
            for require in &main.file.require {
                if let Some(other) = self.main(&require.module.path) {
                    let edge = edges.entry((&main.path, &other.path)).or_default();
                    edge.required.clone_from(&require.module.version);
                }
            }
        }
        let edges = edges.into_iter().map(|((from, to), edge)| MemberEdge {
            from: from.to_string(),
            to: to.to_string(),
            tests: edge.tests.difference(&edge.packages).cloned().collect(),
            ..edge
        });
        let edges = edges.collect();
        let mut members: Vec<String> = self.mains.iter().map(|main| main.path.clone()).collect();
        members.sort_unstable();
        MemberGraph { members, edges }
    }

    /// The directory of a package of a main module: of the one with the longest path that has Go files there.
    #[must_use]
    pub fn directory_in_mains(&self, import: &str) -> Option<Utf8PathBuf> {
        let mains = super::import::prefixes(import).filter_map(|prefix| self.main(prefix));
        let mut dirs = mains.map(|main| {
            let below = import.strip_prefix(&main.path).unwrap_or_default();
            match below.trim_start_matches('/') {
                "" => main.dir.clone(),
                below => main.dir.join(below),
            }
        });
        dirs.find(|dir| self.has_go_files(dir))
    }

    /// The member that an import path belongs to: the one with the longest path.
    fn member_with(&self, import: &str) -> Option<&str> {
        super::import::prefixes(import)
            .find_map(|prefix| self.main(prefix))
            .map(|main| main.path.as_str())
    }
}

//! Work on one member of a workspace with the others in view: `work tidy`.
//!
//! The members stand in for themselves at every version, so that nobody looks up what nobody has published; and what is missing is
//! taken at the version that the workspace has, if it has one.

use super::reqs::Reqs;
use super::{ImportError, ModuleDir, Modules, ReplaceBy, Result};
use camino::Utf8PathBuf;
use std::sync::Arc;
use steady_module::ModuleVersion;
use steady_module::modfile::Replace;

/// What a workspace has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// Modules that lie in directories: the members, and what go.work replaces by a directory.
    dirs: Vec<(String, Utf8PathBuf)>,
    /// Versions in use.
    versions: Vec<ModuleVersion>,
}

impl Neighbours {
    /// Further versions in use; of one module the newer counts.
    pub fn take_up(&mut self, versions: &[ModuleVersion]) {
        for new in versions {
            match self.versions.iter_mut().find(|old| old.path == new.path) {
                Some(old) => {
                    if steady_graph::compare(&old.path, &old.version, &new.version).is_lt() {
                        old.version.clone_from(&new.version);
                    }
                }
                None => self.versions.push(new.clone()),
            }
        }
    }

    fn has(&self, path: &str) -> bool {
        self.dirs.iter().any(|(known, _)| known == path)
    }
}

impl Modules {
    /// What this workspace has.
    ///
    /// # Errors
    /// The module graph cannot be read.
    pub fn neighbours(&self) -> Result<Neighbours> {
        let members = self.mains.iter();
        let mut dirs: Vec<_> = members
            .map(|main| (main.path.clone(), main.dir.clone()))
            .collect();
        let base = self
            .go_work()
            .and_then(|path| path.parent())
            .unwrap_or(&self.config.cwd);
        for replace in self.work_file().into_iter().flat_map(|work| &work.replace) {
            if replace.new.version.is_empty() && self.main(&replace.old.path).is_none() {
                let dir = steady_system::clean(&base.join(&replace.new.path));
                dirs.push((replace.old.path.clone(), dir));
            }
        }
        let mut versions = self.build_list()?;
        versions.retain(|module| !module.version.is_empty());
        Ok(Neighbours { dirs, versions })
    }

    pub(super) fn add_neighbours(&mut self, main: &str) {
        let Some(neighbours) = self.config.neighbours.clone() else {
            return;
        };
        for (path, dir) in neighbours.dirs.iter().filter(|(path, _)| path != main) {
            self.replace.retain(|old, _| old.path != *path);
            let new = ModuleVersion::new(dir.as_str(), "");
            let by = ReplaceBy {
                replace: Replace {
                    old: ModuleVersion::new(path.as_str(), ""),
                    new: new.clone(),
                },
                base: dir.clone(),
                written: new,
                file: dir.join("go.mod"),
            };
            self.replace.insert(by.replace.old.clone(), by);
        }
    }

    /// A neighbour that go.mod does not name. Loading has found it by its directory; no version of it could be written down.
    pub(super) fn is_unnamed_neighbour(&self, path: &str) -> bool {
        let known = self.config.neighbours.as_ref();
        known.is_some_and(|neighbours| neighbours.has(path)) && !self.names(path)
    }

    fn names(&self, path: &str) -> bool {
        let requires = self.mains.iter().flat_map(|main| &main.file.require);
        requires
            .into_iter()
            .any(|require| require.module.path == path)
    }

    /// Sums of published versions of neighbours, and of what those require, are of use to who works without the workspace.
    pub(super) fn keeps_all_sums(&self) -> bool {
        let Some(neighbours) = &self.config.neighbours else {
            return false;
        };
        let requires = self.mains.iter().flat_map(|main| &main.file.require);
        let mut named = requires.filter(|require| neighbours.has(&require.module.path));
        named.any(|require| self.fetcher.recorded_sum(&require.module).is_some())
    }

    /// The module in the workspace's version that has a missing package.
    pub(super) fn in_neighbours_version(
        &self,
        import: &str,
        reqs: &Arc<Reqs>,
    ) -> std::result::Result<Option<ModuleVersion>, ImportError> {
        let Some(neighbours) = &self.config.neighbours else {
            return Ok(None);
        };
        for prefix in super::import::prefixes(import) {
            let Some(module) = neighbours
                .versions
                .iter()
                .find(|module| module.path == prefix)
            else {
                continue;
            };
            let known = self.graph_of(reqs)?;
            let known = known.selected_or_none(prefix);
            if steady_graph::compare(prefix, known, &module.version).is_ge() {
                continue;
            }
            let root = ModuleDir {
                dir: self.module_dir(module)?,
                local: self
                    .replacement(module)
                    .is_some_and(|new| new.version.is_empty()),
            };
            if self.dir_in_module(import, prefix, &root).is_some() {
                return Ok(Some(module.clone()));
            }
        }
        Ok(None)
    }
}

//! Memory of tidy modules: `mod tidy` has nothing to do if all it looks at is as it was when it last had nothing to do.
//!
//! What it looks at is what the module graph follows from (see `remembered`), the imports of every package of the main module and of
//! directories that replace modules, and the standard library's packages. All else comes from module versions, which never change.
//! A module with packages that no walk finds (in `testdata`, say) is not remembered. The memory is one line: the key itself.

use super::reqs::Reqs;
use super::{Modules, Tidy, TidyOptions};
use crate::patterns::{IgnorePatterns, ModuleTree, walk_module};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use steady_module::hex;
use steady_system::store;

/// Raise the number when the meaning of the key changes.
const FORM: &str = "steady tidy 1";

/// A state of everything that `mod tidy` looks at.
pub struct TidyKey {
    place: Utf8PathBuf,
    line: String,
    sums: [u8; 32],
    /// Directories of the packages that were found, by import path.
    packages: BTreeMap<String, Utf8PathBuf>,
}

impl Modules {
    /// The state of this run's modules; `None` if it is not to be remembered. To be asked for before anything is loaded.
    #[must_use]
    pub fn tidy_key(&self, options: &TidyOptions) -> Option<TidyKey> {
        if options.verbose || self.work.is_some() {
            return None;
        }
        let reqs: &Reqs = &self.reqs();
        let graph = self.graph_key(reqs)?;
        let packages = self.own_packages()?;
        let mut text = format!(
            "{FORM}\n{}\n{}\n{}\n",
            graph.name, options.go, options.compat
        );
        let index = self.index.options();
        let _ = writeln!(text, "{}\n{}", self.config.goroot, index.go_version);
        for (path, dir) in &packages {
            let found = self.index.imports(dir)?;
            let _ = writeln!(text, "{path} {:?} {:?}", found.imports, found.test_imports);
        }
        self.index.save();
        let key = hex(&Sha256::digest(text));
        let dir = index.cache_dir.as_ref()?.join("tidy");
        let file = graph.place.file_name()?;
        Some(TidyKey {
            place: dir.join(&file[..2]).join(file),
            line: format!("{FORM} {key}\n"),
            sums: self.fetcher.sums_digest()?,
            packages,
        })
    }

    /// Whether `mod tidy` had nothing to do in this state.
    #[must_use]
    pub fn was_tidy(&self, key: &TidyKey) -> bool {
        let known = self.files.read(&key.place);
        known.is_ok_and(|known| known == key.line.as_bytes())
    }

    /// Remembers that a state is tidy, if nothing was written and nothing is wrong. That it cannot be kept is no error.
    pub fn remember_tidy(&self, key: &TidyKey, tidy: &Tidy) {
        let own = |path: &str| self.main(path).is_some() || self.replaced_by_dir(path);
        let known = tidy.packages.nodes.iter().all(|node| {
            let local = node.module.as_ref().is_some_and(|module| own(&module.path));
            node.error.is_none() && (!local || key.packages.get(&node.path) == Some(&node.dir))
        });
        if !self.go_mods_are_as_read() || !known || self.fetcher.sums_digest() != Some(key.sums) {
            return;
        }
        let _ = store::write(&self.files, &key.place, key.line.as_bytes());
    }

    /// Whether nothing was written to the main modules' go.mod files since they were read.
    pub(super) fn go_mods_are_as_read(&self) -> bool {
        self.mains.iter().all(|main| {
            let now = self.files.read(&main.go_mod);
            now.is_ok_and(|now| now == main.text.as_bytes())
        })
    }

    fn replaced_by_dir(&self, path: &str) -> bool {
        let mut rules = self.replace.values();
        rules.any(|by| by.replace.old.path == path && by.replace.new.version.is_empty())
    }

    /// The packages of the main module and of directories that replace modules; `None` if two directories claim the same path.
    fn own_packages(&self) -> Option<BTreeMap<String, Utf8PathBuf>> {
        let mut all = BTreeMap::new();
        let mut single = true;
        let mut walk = |dir: &Utf8Path, prefix: &str, ignore: &IgnorePatterns| {
            let tree = ModuleTree {
                dir,
                prefix,
                prune_go_mod: true,
                prune_vendor: true,
                bare: false,
                ignore,
                note: &|_| {},
            };
            walk_module(
                &self.index,
                &tree,
                &|_| true,
                &|_| true,
                &mut |path, dir| {
                    single &= all.insert(path, dir).is_none();
                },
            );
        };
        for main in &self.mains {
            walk(&main.dir, self.prefix_of(main), &main.ignore);
        }
        let none = IgnorePatterns::new(&[]);
        for by in self.replace.values() {
            if by.replace.new.version.is_empty() {
                let dir = steady_system::clean(&by.base.join(&by.replace.new.path));
                walk(&dir, &by.replace.old.path, &none);
            }
        }
        single.then_some(all)
    }
}

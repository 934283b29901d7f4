//! Profile-guided optimisation: which package is compiled with which profile.
//!
//! A program with a `default.pgo` beside it has everything that it imports compiled with that profile. Where other packages are built
//! at the same time, what they share with it is there twice.

use super::Loader;
use crate::package::PackageId;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;

/// Which profile compilers get (`-pgo`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Profile {
    /// None.
    #[default]
    Off,
    /// The `default.pgo` beside each program.
    Auto,
    /// This one, for everything.
    File(Utf8PathBuf),
}

impl Loader<'_> {
    /// Says of each package which profile it is compiled with.
    pub(super) fn attach_profiles(&mut self, roots: &[PackageId]) {
        match self.options.profile.clone() {
            Profile::Off => {}
            Profile::Auto => {
                for &root in roots {
                    self.attach_default(root, roots.len() > 1);
                }
            }
            Profile::File(file) => {
                for id in self.set.with_dependencies(roots) {
                    self.set[id].internal.pgo_profile.clone_from(&file);
                }
            }
        }
    }

    fn attach_default(&mut self, root: PackageId, shared: bool) {
        let public = &self.set[root].public;
        if public.name != "main" {
            return;
        }
        let file = Utf8Path::new(&public.dir).join("default.pgo");
        if !self.modules.index().files().exists(&file) {
            return;
        }
        // Dependencies first: what an importer imports has its copy already.
        let mut copies: HashMap<PackageId, PackageId> = HashMap::new();
        for id in self.set.with_dependencies(&[root]) {
            let mut package = self.set[id].clone();
            for import in &mut package.internal.imports {
                *import = copies.get(import).copied().unwrap_or(*import);
            }
            package.internal.pgo_profile.clone_from(&file);
            if shared && id != root {
                let name = self.set[root].public.import_path.clone();
                package.internal.for_main = name;
                let copy = self.set.add(package);
                copies.insert(id, copy);
            } else {
                self.set[id] = package;
            }
        }
    }
}

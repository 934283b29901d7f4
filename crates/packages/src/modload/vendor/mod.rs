//! `mod vendor` and `work vendor`: the packages that main modules need, copied into one directory, with a modules.txt that says what they
//! are.
//!
//! First everything is looked at, which gives a [`VendorPlan`] and writes nothing; then the whole tree is made beside its place and put
//! there at one stroke. Whoever is interrupted keeps the tree that was there.

mod check;
mod list;
mod tree;

pub use tree::VendorPlan;

use super::packages::{ModulePackages, Node, PackageOptions};
use super::{ModError, Modules, Result};
use crate::source::BuildContext;
use camino::Utf8PathBuf;
use std::collections::HashMap;
use std::sync::Arc;
use steady_module::ModuleVersion;

/// Packages to be copied, by module.
type ByModule<'p> = HashMap<ModuleVersion, Vec<&'p Node>>;

impl Modules {
    /// The directory that `mod vendor` and `work vendor` fill.
    #[must_use]
    pub fn vendor_place(&self) -> Option<Utf8PathBuf> {
        match &self.work {
            Some((path, _)) => path.parent().map(|dir| dir.join("vendor")),
            None => self.mains.first().map(|main| main.dir.join("vendor")),
        }
    }

    /// Loads what a vendor directory must hold: what packages of the main modules import, and their tests, but not what tests of
    /// dependencies import.
    ///
    /// # Errors
    /// What keeps packages from being loaded. What is wrong with single packages stands in them.
    pub fn packages_to_vendor(&self, context: Arc<BuildContext>) -> Result<ModulePackages> {
        let options = PackageOptions {
            context,
            any_tags: true,
            resolve: true,
            narrow_all: true,
            ..PackageOptions::default()
        };
        self.load_packages(&["all".to_string()], &options)
    }

    /// What a vendor directory with these packages holds.
    ///
    /// # Errors
    /// Modules whose paths differ in case only, replacements that lie in the vendor directory, packages that cannot be read.
    pub fn plan_vendor(
        &self,
        found: &ModulePackages,
        context: &BuildContext,
    ) -> Result<VendorPlan> {
        let mut packages: ByModule<'_> = HashMap::new();
        for node in found.nodes.iter().filter(|node| node.test_of.is_none()) {
            let module = node.module.as_ref();
            let module = module
                .filter(|module| !module.path.is_empty() && self.main(&module.path).is_none());
            if let Some(module) = module {
                packages.entry(module.clone()).or_default().push(node);
            }
        }
        for list in packages.values_mut() {
            list.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        }
        check_collisions(&packages)?;
        let listing = self.list_vendor(&packages)?;
        self.collect_vendor(&packages, listing, context)
    }
}

/// On some file systems two of them would be one directory.
fn check_collisions(packages: &ByModule<'_>) -> Result<()> {
    let mut known: HashMap<String, &str> = HashMap::new();
    let mut paths: Vec<&str> = packages.keys().map(|module| module.path.as_str()).collect();
    paths.sort_unstable();
    for path in paths {
        match known.insert(path.to_lowercase(), path) {
            Some(other) if other != path => {
                return Err(ModError::Plain(format!(
                    "go.mod: case-insensitive import collision: {path:?} and {other:?}"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}

//! `work sync`: members require what the workspace has selected for their packages.

use super::packages::PackageOptions;
use super::reqs::sort;
use super::{CommitOptions, MainModule, Modules, Result, TidyOptions};
use crate::source::BuildContext;
use camino::Utf8PathBuf;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use steady_module::ModuleVersion;

/// What the workspace has selected for one of its members.
#[derive(Debug, Clone)]
pub struct Synced {
    /// The member's module path.
    pub path: String,
    /// The member's directory.
    pub dir: Utf8PathBuf,
    /// The modules that its packages and tests need.
    pub versions: Vec<ModuleVersion>,
}

impl Modules {
    /// The members, each behind those that it requires, as far as they do not require one another.
    fn required_first(&self) -> Vec<&MainModule> {
        fn visit<'m>(
            modules: &'m Modules,
            main: &'m MainModule,
            seen: &mut HashSet<&'m str>,
            order: &mut Vec<&'m MainModule>,
        ) {
            if !seen.insert(&main.path) {
                return;
            }
            let required = main.file.require.iter();
            for other in required.filter_map(|require| modules.main(&require.module.path)) {
                visit(modules, other, seen, order);
            }
            order.push(main);
        }
        let (mut seen, mut order) = (HashSet::new(), Vec::new());
        for main in &self.mains {
            visit(self, main, &mut seen, &mut order);
        }
        order
    }

    /// For every member of the workspace the versions of the modules that its packages need, a member behind those that it requires.
    /// go.work.sum takes up their sums.
    ///
    /// # Errors
    /// What keeps packages from being loaded. What is wrong with single packages does not matter here.
    pub fn versions_of_members(&self, context: &Arc<BuildContext>) -> Result<Vec<Synced>> {
        let options = PackageOptions {
            context: Arc::clone(context),
            any_tags: true,
            tests: true,
            ..PackageOptions::default()
        };
        let all = ["all".to_string()];
        let mut members = Vec::with_capacity(self.mains.len());
        for main in self.required_first() {
            let found = self.load_packages_of(Some(&main.path), &all, &options)?;
            let reqs = found.reqs.clone().unwrap_or_else(|| self.reqs());
            self.commit(&reqs, Some(&found), &CommitOptions::default())?;
            let modules = found.nodes.iter().filter_map(|node| node.module.as_ref());
            let needed: BTreeSet<&ModuleVersion> = modules
                .filter(|module| !module.version.is_empty())
                .collect();
            let mut versions: Vec<ModuleVersion> = needed.into_iter().cloned().collect();
            sort(&mut versions);
            members.push(Synced {
                path: main.path.clone(),
                dir: main.dir.clone(),
                versions,
            });
        }
        Ok(members)
    }

    /// Brings the main module to these versions, and tidies it if that changes anything. Versions that contradict its own
    /// requirements leave it as it is. Whether go.mod was changed.
    ///
    /// # Errors
    /// Packages that cannot be loaded, files that cannot be written.
    pub fn take_versions(
        &self,
        versions: &[ModuleVersion],
        context: &Arc<BuildContext>,
    ) -> Result<bool> {
        let Ok(Some(edited)) = self.edit(&self.reqs(), &[], versions) else {
            return Ok(false);
        };
        self.set_reqs(edited);
        self.tidy_again(context)
    }

    /// Tidies the main module. Whether go.mod was changed.
    ///
    /// # Errors
    /// Packages that cannot be loaded, files that cannot be written.
    pub fn tidy_again(&self, context: &Arc<BuildContext>) -> Result<bool> {
        let options = TidyOptions {
            as_is: true,
            ..TidyOptions::default()
        };
        let tidy = self.tidy(Arc::clone(context), &options)?;
        self.commit_tidy(&tidy)?;
        Ok(!self.go_mods_are_as_read())
    }
}

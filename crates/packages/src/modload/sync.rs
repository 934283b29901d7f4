//! `work sync`: members require what the workspace has selected for their packages.

use super::packages::PackageOptions;
use super::reqs::sort;
use super::{CommitOptions, Modules, Result, TidyOptions};
use crate::source::BuildContext;
use camino::Utf8PathBuf;
use std::collections::BTreeSet;
use std::sync::Arc;
use steady_module::ModuleVersion;

/// What the workspace has selected for one of its members.
#[derive(Debug, Clone)]
pub struct Synced {
    /// The member's directory.
    pub dir: Utf8PathBuf,
    /// The modules that its packages and tests need.
    pub versions: Vec<ModuleVersion>,
}

impl Modules {
    /// For every member of the workspace the versions of the modules that its packages need. go.work.sum takes up their sums.
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
        for main in &self.mains {
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
                dir: main.dir.clone(),
                versions,
            });
        }
        Ok(members)
    }

    /// Brings the main module to these versions, and tidies it if that changes anything. Versions that contradict its own
    /// requirements leave it as it is.
    ///
    /// # Errors
    /// Packages that cannot be loaded, files that cannot be written.
    pub fn take_versions(
        &self,
        versions: &[ModuleVersion],
        context: &Arc<BuildContext>,
    ) -> Result<()> {
        let Ok(edited) = self.edit(&self.reqs(), &[], versions) else {
            return Ok(());
        };
        let Some(edited) = edited else {
            return Ok(());
        };
        self.set_reqs(edited);
        let options = TidyOptions {
            as_is: true,
            ..TidyOptions::default()
        };
        let tidy = self.tidy(Arc::clone(context), &options)?;
        self.commit_tidy(&tidy)
    }
}

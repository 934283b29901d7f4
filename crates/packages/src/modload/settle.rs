//! Before a build: with `-mod=mod`, and where no go.mod binds the run, what is missing is looked for and requirements follow.

use super::packages::PackageOptions;
use super::{CommitOptions, ImportError, ModError, ModMode, Modules, Result};
use crate::source::BuildContext;
use std::collections::BTreeSet;
use std::sync::Arc;
use steady_module::ModuleVersion;

impl Modules {
    /// Whether a build may change requirements: with `-mod=mod`, but never those of a workspace.
    #[must_use]
    pub fn may_settle(&self) -> bool {
        self.enabled()
            && self.work.is_none()
            && self.mode == ModMode::Mod
            && !self.config.no_main_module
    }

    /// Loads what patterns name until requirements and packages agree, and writes go.mod and go.sum. What stays missing is told when
    /// the packages are loaded to be built, with the reason found here.
    ///
    /// # Errors
    /// What keeps requirements from being worked out or written.
    pub fn settle(
        &self,
        patterns: &[String],
        context: Arc<BuildContext>,
        tests: bool,
    ) -> Result<()> {
        let options = PackageOptions {
            context,
            any_tags: false,
            tests,
            resolve: true,
            ..PackageOptions::default()
        };
        let found = self.load_packages(patterns, &options)?;
        let reqs = found.reqs.clone().unwrap_or_else(|| self.reqs());
        if let Ok(mut failed) = self.failed.lock() {
            let missing = found
                .nodes
                .iter()
                .filter_map(|node| Some((&node.path, node.error.as_ref()?)))
                .filter(|(_, error)| matches!(error, ImportError::Missing(_)));
            failed.extend(missing.map(|(path, error)| (path.clone(), error.clone())));
        }
        self.forget_failures();
        if self.mains.is_empty() {
            self.set_reqs(reqs);
            return Ok(());
        }
        self.commit(&reqs, Some(&found), &CommitOptions::default())
    }

    /// What Go files import that make a package of their own: that is what such a package needs requirements for.
    #[must_use]
    pub fn imports_of_files(&self, names: &[String], context: &BuildContext) -> Vec<String> {
        let mut context = context.clone();
        context.use_all_files = true;
        let mut imports = BTreeSet::new();
        for name in names {
            let path = self.files.absolute(name);
            let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
                continue;
            };
            // What cannot be read is told when the package is put together.
            let Ok(contents) = self.index.dir(dir) else {
                continue;
            };
            let mut one = (*contents).clone();
            one.files.retain(|file| file.name == name);
            let source = crate::source::evaluate(dir, &one, &context);
            for found in [
                &source.imports,
                &source.test_imports,
                &source.x_test_imports,
            ] {
                imports.extend(found.to_names());
            }
        }
        imports.remove("C");
        imports.remove("unsafe");
        imports.into_iter().collect()
    }

    /// Why a package of a main module may not import from `module`: go.mod must name what is imported directly, and does not.
    #[must_use]
    pub fn implicit(&self, importer: &str, path: &str, module: &ModuleVersion) -> Option<ModError> {
        let binding = self.work.is_none() && self.mode == ModMode::ReadOnly;
        if !binding
            || module.version.is_empty()
            || self.reqs().root(&module.path) == Some(&module.version)
        {
            return None;
        }
        let error = ImportError::Implicit {
            importer: importer.to_string(),
            path: path.to_string(),
            module: Box::new(module.clone()),
        };
        Some(error.into())
    }
}

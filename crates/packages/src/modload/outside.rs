//! `path@version` arguments: packages of somebody else's module, built as that module says and without any main module.

use super::{Allowed, ModError, Modules, Reqs, Result, TooNew, is_revision_query, short_message};
use crate::patterns::{clean_patterns, is_local_import, is_meta_package, is_standard_import_path};
use camino::Utf8Path;
use std::collections::BTreeSet;
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::ModuleVersion;
use steady_module::modfile::{ModFile, SyntaxErrors};

/// Arguments taken apart, and the module that has what they name.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The module.
    pub module: ModuleVersion,
    /// The patterns without the version.
    pub patterns: Vec<String>,
}

impl Modules {
    /// Makes the module that has the packages named by `arguments`, all at one version, the only requirement of this run.
    ///
    /// # Errors
    /// Arguments that cannot be, a query without an answer, a module that could not be a main module.
    pub fn stand_on(&self, arguments: &[String]) -> Result<Outside> {
        let first = arguments.first().map_or("", String::as_str);
        let about = |error: ModError| error.context(first);
        let Outside { module, patterns } = self.provider(arguments)?;
        let newest = self.newest_go_mod(&module.path).map_err(about)?;
        let deprecated = newest
            .module
            .as_ref()
            .map_or("", |module| &module.deprecated);
        if !deprecated.is_empty() {
            let why = short_message(deprecated, "");
            self.fetcher
                .warn(&format!("module {} is deprecated: {why}", module.path));
        }
        self.check_standing(&module).map_err(|(reason, directive)| {
            if directive.is_empty() {
                return about(reason);
            }
            ModError::Message(format!(
                "{first} (in {module}):\n\tThe go.mod file for the module providing named packages contains one or\n\tmore {directive} directives. It must not contain directives that would cause\n\tit to be interpreted differently than if it were the main module."
            ))
        })?;
        let roots = vec![
            module.clone(),
            ModuleVersion::new("go", self.config.go_version.clone()),
        ];
        let direct = BTreeSet::from([module.path.clone(), "go".to_string()]);
        let reqs = Arc::new(Reqs::new(Pruning::Pruned, roots, direct));
        // It may ask for a newer version of itself.
        self.edit(&reqs, &[], std::slice::from_ref(&module))
            .map_err(about)?;
        self.set_reqs(reqs);
        Ok(Outside { module, patterns })
    }

    /// The newer Go that the module with a `path@version` argument asks for, if it does.
    #[must_use]
    pub fn newer_go(&self, argument: &str) -> Option<TooNew> {
        let asked = self.provider(&[argument.to_owned()]);
        let standing = asked.and_then(|outside| {
            let checked = self.check_standing(&outside.module);
            checked.map_err(|(error, _)| error)
        });
        standing.err()?.too_new()
    }

    /// The module that has what arguments name.
    fn provider(&self, arguments: &[String]) -> Result<Outside> {
        let first = arguments.first().map_or("", String::as_str);
        let about = |error: ModError| error.context(first);
        let (path, version) = arguments
            .iter()
            .find_map(|argument| argument.split_once('@'))
            .unwrap_or((first, ""));
        if version.is_empty() {
            return Err(about(ModError::message("version must not be empty")));
        }
        let patterns = self.plain_patterns(arguments, version)?;
        let allowed = if is_revision_query(path, version) {
            // Whoever asks for just this version gets it.
            Allowed::Any
        } else {
            Allowed::Checked
        };
        let none = |_: &str| "none".to_string();
        let pattern = patterns.first().map_or(path, String::as_str);
        let found = self
            .query_pattern(pattern, version, &none, allowed)
            .map_err(about)?;
        let module = match (found.with_packages.into_iter().next(), found.module_only) {
            (Some(found), _) => found.module,
            (None, only) => {
                let missing = super::NotInModule {
                    module: only.map(|found| found.module).unwrap_or_default(),
                    query: version.to_string(),
                    pattern: pattern.to_string(),
                    ..Default::default()
                };
                return Err(about(ModError::NotInModule(Box::new(missing))));
            }
        };
        Ok(Outside { module, patterns })
    }

    fn plain_patterns(&self, arguments: &[String], version: &str) -> Result<Vec<String>> {
        let suffix = format!("@{version}");
        let mut patterns = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let refuse = |text: &str| Err(ModError::Message(format!("{argument}: {text}")));
            let Some(pattern) = argument.strip_suffix(&suffix) else {
                return refuse(&format!(
                    "all arguments must refer to packages in the same module at the same version (@{version})"
                ));
            };
            if is_local_import(pattern) {
                return refuse("argument must be a package path, not a relative path");
            }
            if pattern.starts_with('/') {
                return refuse("argument must be a package path, not an absolute path");
            }
            if is_meta_package(pattern) {
                return refuse("argument must be a package path, not a meta-package");
            }
            if steady_system::clean(Utf8Path::new(pattern)).as_str() != pattern {
                return refuse("argument must be a clean package path");
            }
            let std = self.config.goroot.join("src").join(pattern);
            if !pattern.contains("...")
                && is_standard_import_path(pattern)
                && self.has_go_files(&std)
            {
                return refuse("argument must not be a package in the standard library");
            }
            patterns.push(pattern.to_string());
        }
        Ok(clean_patterns(&patterns))
    }

    /// A module with replacements or exclusions would be another one as main module; with the directive that is in the way.
    fn check_standing(
        &self,
        module: &ModuleVersion,
    ) -> std::result::Result<(), (ModError, &'static str)> {
        let text = self
            .fetcher
            .go_mod(&module.path, &module.version)
            .map_err(|error| (error.into(), ""))?;
        let text = String::from_utf8_lossy(&text);
        let mut as_written = |_: &str, version: &str| Ok(version.to_string());
        // A newer Go may know directives that this one does not, so its version is read first.
        let plain = |errors: SyntaxErrors| (ModError::Message(errors.to_string()), "");
        let file = ModFile::parse_lax("go.mod", &text, Some(&mut as_written)).map_err(plain)?;
        let go = file.go.as_ref().map_or("", |go| go.value.as_str());
        if self.is_too_new(go) {
            let error = ModError::TooNew {
                what: module.to_string(),
                wanted: go.to_string(),
                running: self.config.go_version.clone(),
                explain: self.config.toolchain_explain.clone(),
            };
            return Err((error, ""));
        }
        let file = ModFile::parse("go.mod", &text, Some(&mut as_written)).map_err(plain)?;
        for (there, directive) in [
            (!file.replace.is_empty(), "replace"),
            (!file.exclude.is_empty(), "exclude"),
        ] {
            if there {
                return Err((ModError::message(""), directive));
            }
        }
        Ok(())
    }
}

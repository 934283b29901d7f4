//! `get`: named modules and packages at the versions asked for, everything else only as far as that takes it along.
//!
//! Each argument is a [`Query`]. Queries are answered with module versions, these are held fixed while requirements are edited
//! ([`Modules::edit`]), and then the packages that were named are loaded again, until nothing new turns up: an upgraded package may
//! import others.

mod check;
mod query;
mod resolver;
mod workspace;

use super::{CommitOptions, ModError, Modules, Result};
use crate::patterns::{clean_patterns, is_meta_package};
use crate::source::BuildContext;
use query::Query;
use resolver::Resolver;
use std::collections::HashMap;
use std::sync::Arc;
use steady_module::ModuleVersion;

use super::reqs::Reqs;

/// How to get.
#[derive(Debug, Clone)]
pub struct GetOptions {
    /// Files that count for the packages named.
    pub context: Arc<BuildContext>,
    /// `-u`: `upgrade` or `patch`; empty: not given.
    pub upgrade: String,
    /// `-t`
    pub tests: bool,
    /// `-tool`
    pub tool: bool,
    /// `-v`
    pub verbose: bool,
}

/// What `get` has changed.
#[derive(Debug, Clone, Default)]
pub struct Got {
    /// Lines to show, in their order: `upgraded example.com/m v1.0.0 => v1.1.0`, ….
    pub changes: Vec<String>,
    /// Errors of packages that were named; the changes stand all the same.
    pub failed: bool,
}

impl Modules {
    /// Changes requirements as `arguments` ask, and writes them.
    ///
    /// # Errors
    /// Queries without an answer, versions that contradict one another, files that cannot be written. Nothing is written then.
    pub fn get(&self, arguments: &[String], options: &GetOptions) -> Result<Got> {
        let mut commit = CommitOptions::default();
        let queries = self.queries(arguments, options, &mut commit)?;
        let mut reqs = self.with_go_line(&self.reqs(), "")?;
        if commit.drop_toolchain {
            let without = [ModuleVersion::new("toolchain", "none")];
            reqs = self.override_roots(&reqs, &without);
        }
        let mut resolver = Resolver::new(self, options, reqs, queries)?;
        resolver.run()?;
        if resolver.check_packages()? {
            return Ok(Got {
                changes: Vec::new(),
                failed: true,
            });
        }
        if options.tool {
            for query in &resolver.queries {
                if is_meta_package(&query.pattern) || query.pattern == "toolchain" {
                    return Err(ModError::Message(format!(
                        "go get -tool does not work with {:?}.",
                        query.pattern
                    )));
                }
                let paths = if query.raw_version == "none" {
                    &mut commit.drop_tools
                } else {
                    &mut commit.add_tools
                };
                paths.extend(self.tools_named(query, &resolver.reqs));
            }
        }
        let old = self.named_in_go_mod();
        self.commit(&resolver.reqs, None, &commit)?;
        let new: Vec<ModuleVersion> = match self.updated_go_mod(&resolver.reqs, &commit)? {
            Some((_, file)) => named_in(&file),
            None => Vec::new(),
        };
        Ok(Got {
            changes: resolver.changes(&old, &new),
            failed: false,
        })
    }

    /// The arguments; none means the current directory.
    fn queries(
        &self,
        arguments: &[String],
        options: &GetOptions,
        commit: &mut CommitOptions,
    ) -> Result<Vec<Query>> {
        let mut queries = Vec::new();
        let mut errors = Vec::new();
        for raw in clean_patterns(arguments) {
            if raw == "toolchain@none" {
                commit.drop_toolchain = true;
                continue;
            }
            match Query::new(&raw, &options.upgrade).and_then(|query| self.checked(query)) {
                Ok(Some(mut query)) => {
                    commit.explicit_toolchain |= query.pattern == "toolchain";
                    if arguments.is_empty() {
                        query.raw.clear();
                    }
                    queries.push(query);
                }
                Ok(None) => {}
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(queries)
        } else {
            Err(ModError::many(errors))
        }
    }

    /// Selected versions.
    fn versions_of(&self, reqs: &Arc<Reqs>) -> Result<HashMap<String, String>> {
        let list = self.graph_of(reqs)?.build_list();
        Ok(list
            .into_iter()
            .map(|module| (module.path, module.version))
            .collect())
    }

    /// What a query must not ask; `None`: nothing has to be done for it.
    fn checked(&self, query: Query) -> Result<Option<Query>> {
        let message = |text: String| Err(ModError::Message(text));
        let Query {
            raw,
            raw_version,
            pattern,
            version,
            ..
        } = &query;
        if query.local && !raw_version.is_empty() {
            return message(format!(
                "can't request explicit version {raw_version:?} of path {pattern:?} in main module"
            ));
        }
        if pattern == "all" && !matches!(version.as_str(), "upgrade" | "patch") {
            let mains: Vec<&str> = self.mains.iter().map(|main| main.path.as_str()).collect();
            return message(format!(
                "cannot request version {version:?} of pattern \"all\" that includes the main module ({})",
                mains.join(", ")
            ));
        }
        if is_meta_package(pattern) && pattern != "all" {
            if pattern != raw {
                return message(if pattern == "tool" {
                    "can't request explicit version of \"tool\" pattern".to_string()
                } else {
                    format!(
                        "can't request explicit version of standard-library pattern {pattern:?}"
                    )
                });
            }
            // The standard library is as new as the toolchain.
            if pattern != "tool" && pattern != "work" {
                return Ok(None);
            }
        }
        if pattern == "go" && raw_version == "none" {
            return message("cannot use go@none".to_string());
        }
        // A common mistake; modules and packages may be called so all the same.
        if raw.ends_with(".go") && raw_version.is_empty() {
            if !raw.contains('/') {
                return message(format!("{raw}: arguments must be package or module paths"));
            }
            if self.files.is_file(self.files.absolute(raw)) {
                return message(format!(
                    "{raw} exists as a file, but 'go get' requires package arguments"
                ));
            }
        }
        if matches!(pattern.as_str(), "go" | "toolchain") && raw_version.is_empty() {
            return Ok(Some(Query {
                version: "upgrade".to_string(),
                ..query
            }));
        }
        Ok(Some(query))
    }

    fn named_in_go_mod(&self) -> Vec<ModuleVersion> {
        self.mains
            .first()
            .map_or_else(Vec::new, |main| named_in(&main.file))
    }

    /// Packages that a query of `-tool` names.
    fn tools_named(&self, query: &Query, reqs: &Arc<Reqs>) -> Vec<String> {
        if !query.is_wildcard() && !query.local {
            return vec![query.pattern.clone()];
        }
        self.set_reqs(Arc::clone(reqs));
        let context = BuildContext::default();
        self.match_pattern(&query.pattern, &context)
            .map(|found| found.packages)
            .unwrap_or_default()
    }
}

fn named_in(file: &steady_module::modfile::ModFile) -> Vec<ModuleVersion> {
    let mut list: Vec<ModuleVersion> = file
        .require
        .iter()
        .map(|require| require.module.clone())
        .collect();
    if let Some(go) = &file.go {
        list.push(ModuleVersion::new("go", go.value.clone()));
    }
    if let Some(toolchain) = &file.toolchain {
        list.push(ModuleVersion::new("toolchain", toolchain.value.clone()));
    }
    list
}

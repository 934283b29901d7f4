//! Queries for packages: which module, at the version asked for, has them.

use super::{Allowed, Found, FoundPackages, settle};
use crate::modload::{ModError, ModuleDir, Modules, NotInModule, Result};
use crate::patterns::{ModuleTree, Pattern, walk_module};
use std::collections::BTreeSet;
use steady_module::path as module_path;
use steady_module::{ModuleVersion, gover};
use steady_proxy::RevInfo;
use steady_system::parallel;

impl Modules {
    /// Modules that have packages which `pattern` names, at the version that `query` means for each of them.
    ///
    /// # Errors
    /// The most telling reason why there is none.
    pub fn query_pattern(
        &self,
        pattern: &str,
        query: &str,
        current: &(dyn Fn(&str) -> String + Sync),
        allowed: Allowed,
    ) -> Result<FoundPackages> {
        let base = match pattern.find("...") {
            None => pattern,
            Some(at) => match pattern[..at + "...".len()].rsplit_once('/') {
                Some((base, _)) => base,
                None => {
                    return Err(ModError::Message(format!(
                        "no modules to query for {pattern}@{query} because first path element contains a wildcard"
                    )));
                }
            },
        };
        let glob = Pattern::new(pattern);
        let staying = matches!(query, "upgrade" | "patch");
        let mut module_only = None;
        let mut matching_mains = Vec::new();
        for main in &self.mains {
            let module = ModuleVersion::new(main.path.clone(), "");
            let root = ModuleDir {
                dir: main.dir.clone(),
                local: true,
            };
            let packages = self.packages_matching(pattern, &module, &root);
            let found = |packages| Found {
                module: module.clone(),
                info: RevInfo::default(),
                packages,
            };
            if !packages.is_empty() {
                if !staying {
                    return Err(in_main_text(pattern, query, &packages));
                }
                return Ok(FoundPackages {
                    with_packages: vec![found(packages)],
                    module_only: None,
                });
            }
            if glob.matches(&main.path) {
                matching_mains.push(module.clone());
                if staying {
                    module_only = Some(found(Vec::new()));
                }
            }
        }
        let candidates: Vec<&str> = crate::modload::import::prefixes(base)
            .filter(|path| self.main(path).is_none())
            .filter(|path| module_path::split_path_version(path).is_some())
            .collect();
        if candidates.is_empty() {
            return match module_only {
                Some(_) => Ok(FoundPackages {
                    with_packages: Vec::new(),
                    module_only,
                }),
                None if !matching_mains.is_empty() => {
                    Err(self.matches_mains(pattern, query, &matching_mains))
                }
                None => Err(ModError::NotInModule(Box::new(NotInModule {
                    query: query.to_string(),
                    pattern: pattern.to_string(),
                    mains: matching_mains,
                    ..NotInModule::default()
                }))),
            };
        }
        let asked = self.fetcher.try_proxies(|proxy| {
            settle(self.query_candidates(proxy, &candidates, (pattern, query), current, allowed))
        });
        let found = match asked {
            Ok(found) => found?,
            Err(error)
                if error.is_not_exist() && !matching_mains.is_empty() && module_only.is_none() =>
            {
                return Err(self.matches_mains(pattern, query, &matching_mains));
            }
            Err(error) => return Err(error.into()),
        };
        let (with_packages, rest): (Vec<Found>, Vec<Found>) = found
            .into_iter()
            .partition(|found| !found.packages.is_empty());
        Ok(FoundPackages {
            with_packages,
            module_only: rest.into_iter().next_back().or(module_only),
        })
    }

    pub(in crate::modload) fn matches_mains(
        &self,
        pattern: &str,
        query: &str,
        mains: &[ModuleVersion],
    ) -> ModError {
        if self.main(pattern).is_some() {
            return ModError::Message(format!(
                "can't request version {query:?} of the main module ({pattern})"
            ));
        }
        let names: Vec<&str> = mains.iter().map(|main| main.path.as_str()).collect();
        let plural = if names.len() > 1 { "s" } else { "" };
        ModError::Message(format!(
            "can't request version {query:?} of pattern {pattern:?} that includes the main module{plural} ({})",
            names.join(", ")
        ))
    }

    pub(super) fn query_candidates(
        &self,
        proxy: &str,
        candidates: &[&str],
        (pattern, query): (&str, &str),
        current: &(dyn Fn(&str) -> String + Sync),
        allowed: Allowed,
    ) -> Result<Vec<Found>> {
        let ask = |path: &&str| {
            self.query_candidate(proxy, path, (pattern, query), &current(path), allowed)
        };
        let answers = parallel::map(candidates, parallel::WAITING, ask);
        let mut found = Vec::new();
        let mut worst: Option<(u8, ModError)> = None;
        for (path, answer) in candidates.iter().zip(answers) {
            let error = match answer {
                Ok(one) => {
                    found.push(one);
                    continue;
                }
                Err(error) => error,
            };
            let rank = match &error {
                _ if error.is_not_exist() => 6,
                ModError::NotInModule(_) => 1,
                _ if error.is_no_match() => 2,
                ModError::NoPatchBase(_) => 3,
                _ if module_path::check_path(path).is_err() => 4,
                _ if error.is_invalid_version() => 5,
                // A failure to ask counts unless a longer path has answered.
                _ if found.is_empty() && worst.as_ref().is_none_or(|(rank, _)| *rank != 1) => 0,
                _ => continue,
            };
            if worst.as_ref().is_none_or(|(known, _)| rank < *known) {
                worst = Some((rank, error));
            }
        }
        match worst {
            Some((rank, error)) if rank == 0 || found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    pub(super) fn query_candidate(
        &self,
        proxy: &str,
        path: &str,
        (pattern, query): (&str, &str),
        current: &str,
        allowed: Allowed,
    ) -> Result<Found> {
        let info = self.query_proxy(proxy, path, query, current, allowed)?;
        let module = ModuleVersion::new(path, info.version.clone());
        let mut found = Found {
            module,
            info,
            packages: Vec::new(),
        };
        if gover::is_toolchain(path) {
            return Ok(found);
        }
        let root = ModuleDir {
            dir: self.module_dir(&found.module)?,
            local: self
                .replacement(&found.module)
                .is_some_and(|new| new.version.is_empty()),
        };
        found.packages = self.packages_matching(pattern, &found.module, &root);
        if found.packages.is_empty() && !Pattern::new(pattern).matches(path) {
            return Err(self.not_in_module(found.module, pattern, query));
        }
        Ok(found)
    }

    pub(in crate::modload) fn not_in_module(
        &self,
        module: ModuleVersion,
        pattern: &str,
        query: &str,
    ) -> ModError {
        ModError::NotInModule(Box::new(NotInModule {
            replacement: self.replacement(&module).cloned().unwrap_or_default(),
            module,
            query: query.to_string(),
            pattern: pattern.to_string(),
            mains: Vec::new(),
        }))
    }

    /// Packages of a module that a pattern names, whatever their constraints.
    pub(in crate::modload) fn packages_matching(
        &self,
        pattern: &str,
        module: &ModuleVersion,
        root: &ModuleDir,
    ) -> Vec<String> {
        if !pattern.contains("...") {
            let found = self.dir_in_module(pattern, &module.path, root);
            return found.map(|_| pattern.to_string()).into_iter().collect();
        }
        let glob = Pattern::new(pattern);
        let none = crate::patterns::IgnorePatterns::default();
        let main = self
            .main(&module.path)
            .filter(|_| module.version.is_empty());
        let tree = ModuleTree {
            dir: &root.dir,
            prefix: &module.path,
            prune_go_mod: root.local,
            prune_vendor: true,
            bare: false,
            ignore: main.map_or(&none, |main| &main.ignore),
            note: &|_| {},
        };
        let mut all = BTreeSet::new();
        walk_module(
            &self.index,
            &tree,
            &|path: &str| glob.matches(path),
            &|path: &str| glob.tree_can_match(path),
            &mut |path: String, _| {
                all.insert(path);
            },
        );
        all.into_iter().collect()
    }
}

pub(in crate::modload) fn in_main_text(
    pattern: &str,
    query: &str,
    packages: &[String],
) -> ModError {
    ModError::Message(match packages {
        [one] if crate::patterns::is_meta_package(pattern) || pattern.contains("...") => format!(
            "pattern {pattern} matches package {one} in the main module, so can't request version {query}"
        ),
        [one] => {
            format!("package {one} is in the main module, so can't request version {query}")
        }
        _ => format!(
            "pattern {pattern} matches {} packages in the main module, so can't request version {query}",
            packages.len()
        ),
    })
}

//! Loading again and again until requirements and packages agree.

use super::walk::Walk;
use super::{ModulePackages, PackageOptions};
use crate::modload::reqs::Reqs;
use crate::modload::{ImportError, ModError, ModMode, Modules, Result};
use crate::patterns::clean_patterns;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::{ModuleVersion, gover};

impl Modules {
    /// Loads the packages that patterns name, with what they import, until requirements and packages agree.
    ///
    /// # Errors
    /// What keeps that from being done. What is wrong with single packages stands in them.
    pub fn load_packages(
        &self,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        self.load_packages_of(None, patterns, options)
    }

    /// The same with `all` about one member of a workspace.
    pub(in crate::modload) fn load_packages_of(
        &self,
        member: Option<&str>,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        let loaded = self.load_until_settled(member, patterns, options);
        self.index.save();
        loaded
    }

    fn load_until_settled(
        &self,
        member: Option<&str>,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        let patterns = clean_patterns(patterns);
        let mut reqs = self.reqs();
        if self.mode == ModMode::Mod && self.work.is_none() && self.has_redundant_root(&reqs) {
            reqs = self.update_roots(&reqs.direct.clone(), &reqs, &HashSet::new(), &[])?;
        }
        reqs = self.with_go_line(&reqs, &options.tidy_go)?;
        let all_is_root = patterns.iter().any(|pattern| pattern == "all");
        let mut rounds = 0;
        loop {
            rounds += 1;
            if rounds > 1000 {
                return Err(ModError::message("requirements do not settle"));
            }
            let go = if options.tidy_go.is_empty() {
                Modules::go_of(&reqs).to_string()
            } else {
                options.tidy_go.clone()
            };
            if reqs.pruning != Pruning::Workspace {
                reqs = self.convert(&reqs, Pruning::for_go_version(&go))?;
            }
            let roots = self.roots_of(member, &patterns, options, &reqs)?;
            if reqs.pruning == Pruning::Pruned && self.mode == ModMode::Mod {
                let before = reqs.roots.clone();
                reqs = self.preload(&reqs, &roots, options)?;
                if reqs.roots != before {
                    continue;
                }
            }
            let mut walk = Walk {
                modules: self,
                options,
                reqs: Arc::clone(&reqs),
                all_is_root,
                all_has_tests: gover::compare(&go, crate::modload::matching::NARROW_ALL_VERSION)
                    .is_lt()
                    && !options.narrow_all,
                go,
                found: ModulePackages::default(),
                queue: Vec::new(),
            };
            walk.run(&roots);
            let mut found = walk.found;
            match self.next_reqs(&mut reqs, &mut found, options, all_is_root) {
                Ok(true) => {}
                Ok(false) => return self.settled(found, reqs, &roots, options),
                Err(error) => {
                    found.fail(error, options)?;
                    return self.settled(found, reqs, &roots, options);
                }
            }
        }
    }

    /// Brings requirements into agreement with the packages. True if the packages are to be loaded anew.
    fn next_reqs(
        &self,
        reqs: &mut Arc<Reqs>,
        found: &mut ModulePackages,
        options: &PackageOptions,
        all_is_root: bool,
    ) -> Result<bool> {
        let (new, changed) = self.update_reqs(reqs, found, options, all_is_root)?;
        *reqs = new;
        if changed {
            self.forget_failures();
            return Ok(true);
        }
        if !options.resolve {
            return Ok(false);
        }
        let added = self.resolve_missing(reqs, found)?;
        if added.is_empty() {
            return Ok(false);
        }
        let direct = reqs.direct.clone();
        let add: Vec<ModuleVersion> = added.keys().cloned().collect();
        let new = self.update_roots(&direct, reqs, &HashSet::new(), &add);
        *reqs = new.map_err(|error| found.led_to(error, &added))?;
        Ok(true)
    }

    /// The end of loading: nothing is added to the requirements any more.
    fn settled(
        &self,
        mut found: ModulePackages,
        mut reqs: Arc<Reqs>,
        roots: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        if options.tidy {
            let tidy = self.tidy_roots(&reqs, &found);
            let tidy = tidy.and_then(|reqs| match options.tidy_go.as_str() {
                "" => Ok(reqs),
                go => self.with_go(&reqs, go),
            });
            match tidy {
                Ok(tidy) => reqs = tidy,
                Err(error) => found.fail(error, options)?,
            }
        }
        if let Err(error) = self.check_used_once(&reqs) {
            found.fail(error, options)?;
        }
        found.find_ways(roots);
        self.complete_errors(&mut found, &reqs);
        found.reqs = Some(reqs);
        Ok(found)
    }

    /// A module version stands for itself or in for another module, not both.
    pub(in crate::modload) fn check_used_once(&self, reqs: &Reqs) -> Result<()> {
        let list = if reqs.has_graph() {
            self.graph_of(reqs)?.build_list()
        } else {
            reqs.roots.clone()
        };
        let mut users: HashMap<&ModuleVersion, &str> = HashMap::with_capacity(list.len());
        let mut errors = Vec::new();
        for module in list
            .iter()
            .filter(|module| self.main(&module.path).is_none())
        {
            let actual = self.replacement(module).unwrap_or(module);
            match users.insert(actual, &module.path) {
                Some(other) if other != module.path => errors.push(ModError::Message(format!(
                    "{}@{} used for two different module paths ({other} and {})",
                    actual.path, actual.version, module.path
                ))),
                _ => {}
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ModError::many(errors))
        }
    }

    /// The packages that patterns name.
    ///
    /// # Errors
    /// The module graph is needed and cannot be read.
    pub fn packages_of(
        &self,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<Vec<String>> {
        let patterns = clean_patterns(patterns);
        let mut found = Vec::new();
        for pattern in &patterns {
            if pattern == "all" {
                found.extend(
                    self.load_packages(std::slice::from_ref(pattern), options)?
                        .all(),
                );
            } else {
                found.extend(self.roots_of(
                    None,
                    std::slice::from_ref(pattern),
                    options,
                    &self.reqs(),
                )?);
            }
        }
        Ok(found)
    }

    /// A main module or a path that is named twice: go.mod must change whatever is loaded.
    fn has_redundant_root(&self, reqs: &Reqs) -> bool {
        let mut before = "";
        reqs.roots.iter().any(|root| {
            let twice = root.path == before || self.main(&root.path).is_some();
            before = &root.path;
            twice
        })
    }

    /// The same requirements for another Go version, unless one of them needs a newer one.
    fn with_go(&self, reqs: &Arc<Reqs>, version: &str) -> Result<Arc<Reqs>> {
        let go = ModuleVersion::new("go", version);
        let new = self.override_roots(reqs, std::slice::from_ref(&go));
        let graph = self.graph_of(&new)?;
        let selected = graph.selected_or_none("go");
        if selected == version {
            return Ok(new);
        }
        let mut path = graph.find_path(|module| module.path == "go" && module.version == selected);
        if !path.is_empty() {
            path.remove(0);
        }
        let conflict = crate::modload::Conflict {
            path,
            constraint: go,
            error: None,
        };
        Err(ModError::Message(conflict.summary()))
    }

    /// A go.mod without a `go` line gets one as soon as it may change at all.
    pub(in crate::modload) fn with_go_line(
        &self,
        reqs: &Arc<Reqs>,
        wanted: &str,
    ) -> Result<Arc<Reqs>> {
        let lacking = self.mode == ModMode::Mod
            && self.work.is_none()
            && self
                .mains
                .first()
                .is_some_and(|main| main.file.go.is_none());
        if !lacking || reqs.go_version() != gover::DEFAULT_GO_MOD_VERSION {
            return Ok(Arc::clone(reqs));
        }
        let version = if wanted.is_empty() {
            &self.config.go_version
        } else {
            wanted
        };
        let go = ModuleVersion::new("go", version);
        // A file without the line was written for a release that left indirect requirements out.
        self.convert(
            &self.override_roots(reqs, &[go]),
            Pruning::for_go_version(version),
        )
    }

    fn roots_of(
        &self,
        member: Option<&str>,
        patterns: &[String],
        options: &PackageOptions,
        reqs: &Arc<Reqs>,
    ) -> Result<Vec<String>> {
        self.set_reqs(Arc::clone(reqs));
        let mut any = (*options.context).clone();
        any.use_all_files |= options.any_tags;
        let mut roots = Vec::new();
        for pattern in patterns {
            match member.filter(|_| pattern == "all") {
                Some(member) => {
                    roots.extend(self.packages_of_main(member));
                    let tools = self.mains.iter().flat_map(|main| &main.file.tool);
                    roots.extend(tools.map(|tool| tool.value.clone()));
                }
                None => {
                    // Directories stand for packages that build here; paths for all that there are.
                    let local = crate::patterns::Match::new(pattern).is_local();
                    let context = if local { &options.context } else { &any };
                    roots.extend(self.match_pattern(pattern, context)?.packages);
                }
            }
        }
        Ok(roots)
    }

    /// Packages that are named belong to roots: those are settled first, because that can change all the rest.
    fn preload(
        &self,
        reqs: &Arc<Reqs>,
        roots: &[String],
        options: &PackageOptions,
    ) -> Result<Arc<Reqs>> {
        let mut need: BTreeSet<ModuleVersion> = BTreeSet::new();
        for path in roots {
            let module = match self.resolve_with(reqs, path, None) {
                Ok(found) => found.module,
                Err(ImportError::Missing(_)) if options.resolve => {
                    self.query_import(path, reqs).ok()
                }
                Err(_) => None,
            };
            let Some(module) = module.filter(|module| self.main(&module.path).is_none()) else {
                continue;
            };
            if !module.path.is_empty() && reqs.root(&module.path) != Some(&module.version) {
                need.insert(module);
            }
        }
        if need.is_empty() {
            return Ok(Arc::clone(reqs));
        }
        let add: Vec<ModuleVersion> = need.into_iter().collect();
        self.update_roots(&reqs.direct.clone(), reqs, &HashSet::new(), &add)
    }

    /// Requirements after packages are known, and whether packages must be loaded anew.
    fn update_reqs(
        &self,
        reqs: &Arc<Reqs>,
        found: &mut ModulePackages,
        options: &PackageOptions,
        all_is_root: bool,
    ) -> Result<(Arc<Reqs>, bool)> {
        let mut direct = if all_is_root && options.any_tags {
            BTreeSet::from(["go".to_string()])
        } else {
            reqs.direct.clone()
        };
        if let Some(error) = found
            .nodes
            .iter()
            .filter_map(|node| node.error.as_ref())
            .filter_map(|error| error.cause())
            .find(|error| error.too_new().is_some())
        {
            return Err(error.clone());
        }
        for at in 0..found.nodes.len() {
            let is_main = found.nodes[at].module.as_ref().is_some_and(|module| {
                module.version.is_empty() && self.main(&module.path).is_some()
            });
            if !is_main {
                continue;
            }
            for import in found.nodes[at].imports.clone() {
                let Some(module) = found.nodes[import].module.clone() else {
                    continue;
                };
                if self.main(&module.path).is_some() || module.path.is_empty() {
                    continue;
                }
                let implicit = if self.work.is_some() {
                    self.mode != ModMode::Vendor && !self.graph_of(reqs)?.was_read(&module)
                } else {
                    self.mode == ModMode::ReadOnly
                        && reqs.root(&module.path) != Some(&module.version)
                };
                if implicit && found.nodes[at].error.is_none() {
                    found.nodes[at].error = Some(ImportError::Implicit {
                        importer: found.nodes[at].path.clone(),
                        path: found.nodes[import].path.clone(),
                        module: Box::new(module),
                    });
                    continue;
                }
                direct.insert(module.path);
            }
        }
        let add = if options.tidy {
            self.tidy_roots(reqs, found)?.roots.clone()
        } else {
            Vec::new()
        };
        let mut need = HashSet::new();
        for node in &found.nodes {
            let counts = node.in_all || node.is_root || options.assume_imported && node.from_root;
            let module = node.module.as_ref().filter(|_| counts);
            need.extend(
                module
                    .filter(|module| self.is_external(Some(module)))
                    .cloned(),
            );
        }
        let new = self.update_roots(&direct, reqs, &need, &add)?;
        let mut changed = Modules::go_of(&new) != Modules::go_of(reqs);
        if !changed && new.roots != reqs.roots {
            let graph = self.graph_of(&new)?;
            changed = found.nodes.iter().any(|node| {
                let moved = node.module.as_ref().is_some_and(|module| {
                    !module.version.is_empty()
                        && graph.selected_or_none(&module.path) != module.version
                });
                moved || node.error.is_some() && self.resolve_with(&new, &node.path, None).is_ok()
            });
        }
        Ok((new, changed))
    }
}

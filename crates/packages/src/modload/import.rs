//! From an import path to the module and directory that it comes from.

use super::import_error::{Ambiguous, Missing, MissingSum};
use super::reqs::{ModuleGraph, Reqs};
use super::{ImportError, ModError, ModMode, ModuleDir, Modules, ReplaceBy};
use crate::patterns::{is_local_import, is_meta_package, is_standard_import_path};
use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;
use steady_module::{ModuleVersion, gover, path};

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its module; none in the standard library.
    pub module: Option<ModuleVersion>,
    /// Its directory.
    pub dir: Utf8PathBuf,
    /// The import path in use, where it differs from the one written (`vendor/golang.org/x/...` in the standard library).
    pub path: String,
    /// Modules that could have had the package by their names, and have it not: their sums are needed to be sure of it.
    pub others: Vec<ModuleVersion>,
}

/// From this `go` line on, what vendor/modules.txt does not list is not there.
const EXPLICIT_MODULES_TXT_VERSION: &str = "1.23";

/// Prefixes of an import path that could be module paths, longest first.
pub(super) fn prefixes(import: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(import), |prefix| {
        prefix.rsplit_once('/').map(|(parent, _)| parent)
    })
}

impl Modules {
    /// Where `import` comes from, by the requirements in force. `vendor`: the importer is in the standard library or in the distribution's
    /// programs, whose vendor directory this is, below `GOROOT/src`.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub fn resolve(&self, import: &str, vendor: Option<&str>) -> Result<Resolved, ImportError> {
        self.resolve_with(&self.reqs(), import, vendor)
            .map_err(|error| match error {
                ImportError::Missing(_) => {
                    let failed = self.failed.lock();
                    let known = failed.ok().and_then(|failed| failed.get(import).cloned());
                    known.unwrap_or(error)
                }
                other => other,
            })
    }

    /// Where `import` comes from, by other requirements.
    pub(super) fn resolve_with(
        &self,
        reqs: &Reqs,
        import: &str,
        vendor: Option<&str>,
    ) -> Result<Resolved, ImportError> {
        let found = self.locate(reqs, import, vendor)?;
        self.check_language(found)
    }

    /// To compile a package, the language version of its module must be known.
    fn check_language(&self, found: Resolved) -> Result<Resolved, ImportError> {
        let module = found.module.as_ref();
        if let Some(module) = module.filter(|module| !module.version.is_empty())
            && self.vendor.is_none()
        {
            self.check_go_mod(module)?;
        }
        Ok(found)
    }

    /// As [`Self::resolve_with`], without a look at the go.mod of the module found.
    pub(super) fn locate(
        &self,
        reqs: &Reqs,
        import: &str,
        vendor: Option<&str>,
    ) -> Result<Resolved, ImportError> {
        if import.contains('@') {
            return Err(ImportError::Invalid(format!(
                "import path {import:?} should not have @version"
            )));
        }
        if is_local_import(import) {
            return Err(ImportError::Invalid(format!(
                "{import:?} is relative, but relative import paths are not supported in module mode"
            )));
        }
        if import.starts_with('/') {
            return Err(ImportError::Invalid(format!(
                "{import:?} is not a package path; see 'go help packages'"
            )));
        }
        if is_meta_package(import) {
            return Err(ImportError::Invalid(format!(
                "{import:?} is not an importable package; see 'go help packages'"
            )));
        }
        if let Some(found) = self.in_goroot(import, vendor) {
            if vendor.is_some() || !self.may_shadow_std(reqs, import) {
                return Ok(found);
            }
            return self.beside_std(reqs, import, found);
        }
        if let Err(error) = path::check_import_path(import) {
            return Err(ImportError::Invalid(error.to_string()));
        }
        match &self.vendor {
            Some(_) => self.in_vendor(import),
            None => self.in_modules(reqs, import),
        }
    }

    fn in_goroot(&self, import: &str, vendor: Option<&str>) -> Option<Resolved> {
        let snapshot = self.config.snapshot.as_ref();
        if let Some((path, dir)) = snapshot.and_then(|snapshot| snapshot.resolve(import)) {
            return self.has_go_files(&dir).then_some(Resolved {
                module: None,
                dir,
                path,
                others: Vec::new(),
            });
        }
        let src = self.config.goroot.join("src");
        if let Some(prebuilt) = &self.config.prebuilt {
            return prebuilt.has(import, &self.files).then(|| Resolved {
                module: None,
                dir: src.join(import),
                path: import.to_owned(),
                others: Vec::new(),
            });
        }
        let at = |path: String| {
            let dir = src.join(&path);
            self.has_go_files(&dir).then_some(Resolved {
                module: None,
                dir,
                path,
                others: Vec::new(),
            })
        };
        if let Some(vendor) = vendor.filter(|_| !is_standard_import_path(import)) {
            return at(format!("{vendor}/{import}"));
        }
        if !is_standard_import_path(import) {
            return None;
        }
        at(import.to_string())
    }

    /// Whether a package is one that the compiler brings compiled: what lies in its directory says nothing of it.
    pub(crate) fn is_prebuilt(&self, place: &Resolved) -> bool {
        self.config.prebuilt.is_some()
            && place.module.is_none()
            && place.dir.starts_with(self.config.goroot.join("src"))
    }

    /// Whether a package of the standard library may be in a module of this run too. That is rare, and ruled out without looking at
    /// files or reading the module graph.
    fn may_shadow_std(&self, reqs: &Reqs, import: &str) -> bool {
        if let Some(vendor) = &self.vendor {
            return vendor.txt.packages.contains_key(import)
                || gover::compare(self.go_version(), EXPLICIT_MODULES_TXT_VERSION).is_lt();
        }
        let in_goroot = |main: &super::MainModule| main.dir.starts_with(&self.config.goroot);
        prefixes(import).any(|prefix| match self.main(prefix) {
            Some(main) => !in_goroot(main),
            None => !gover::is_toolchain(prefix) && reqs.root(prefix).is_some(),
        })
    }

    /// A package of the standard library that must not be anywhere else.
    fn beside_std(
        &self,
        reqs: &Reqs,
        import: &str,
        std: Resolved,
    ) -> Result<Resolved, ImportError> {
        let other = match &self.vendor {
            Some(_) => self.in_vendor(import),
            None => self.in_modules(reqs, import),
        };
        match other {
            Ok(other) => {
                let std = Resolved {
                    module: Some(ModuleVersion::default()),
                    ..std
                };
                Err(match &self.vendor {
                    Some(_) => ambiguous(import, vec![std, other], false),
                    None => ambiguous(import, vec![other, std], true),
                })
            }
            Err(ImportError::Missing(_)) => Ok(std),
            Err(error) => Err(error),
        }
    }

    /// Whether a directory has Go files, whatever their constraints. Asked often, so remembered.
    pub(crate) fn has_go_files(&self, dir: &Utf8Path) -> bool {
        let known = |modules: &Modules| {
            modules
                .has_dirs
                .lock()
                .ok()
                .and_then(|dirs| dirs.get(dir).copied())
        };
        if let Some(known) = known(self) {
            return known;
        }
        let found = self.files.is_dir(dir)
            && self
                .index
                .dir(dir)
                .is_ok_and(|contents| contents.has_go_files());
        if let Ok(mut dirs) = self.has_dirs.lock() {
            dirs.insert(dir.to_owned(), found);
        }
        found
    }

    /// The directory of `import` in a module that lies at `dir`, if it has one with Go files and no module of its own in between.
    pub(super) fn dir_in_module(
        &self,
        import: &str,
        module: &str,
        root: &ModuleDir,
    ) -> Option<Utf8PathBuf> {
        let rest = import.strip_prefix(module)?;
        let dir = match rest.strip_prefix('/') {
            Some(rest) => root.dir.join(rest),
            None if rest.is_empty() => root.dir.clone(),
            None => return None,
        };
        // In the module cache nested modules were left out when the zip was made.
        if root.local && dir != root.dir {
            let between = dir.ancestors().take_while(|at| *at != root.dir);
            if between
                .into_iter()
                .any(|at| self.files.is_file(at.join("go.mod")))
            {
                return None;
            }
        }
        self.has_go_files(&dir).then_some(dir)
    }

    fn in_vendor(&self, import: &str) -> Result<Resolved, ImportError> {
        let Some(vendor) = &self.vendor else {
            return Err(self.missing(import));
        };
        let mut found = Vec::new();
        for main in &self.mains {
            let root = ModuleDir {
                dir: main.dir.clone(),
                local: true,
            };
            if let Some(dir) = self
                .dir_in_module(import, &main.path, &root)
                .filter(|dir| !dir.starts_with(&vendor.dir))
            {
                found.push(Resolved {
                    module: Some(ModuleVersion::new(main.path.clone(), "")),
                    dir,
                    path: import.to_string(),
                    others: Vec::new(),
                });
            }
        }
        let dir = vendor.dir.join(import);
        if self.has_go_files(&dir) {
            let module = vendor.txt.packages.get(import);
            let listed = module.is_some()
                || gover::compare(self.go_version(), EXPLICIT_MODULES_TXT_VERSION).is_lt();
            if listed {
                found.push(Resolved {
                    module: Some(module.cloned().unwrap_or_default()),
                    dir,
                    path: import.to_string(),
                    others: Vec::new(),
                });
            } else {
                let command = if self.work.is_some() { "work" } else { "mod" };
                self.fetcher.warn(&format!(
                    "ignoring package {import} which exists in the vendor directory but is missing from vendor/modules.txt. To sync the vendor directory run go {command} vendor."
                ));
            }
        }
        if found.len() > 1 {
            return Err(ambiguous(import, found, false));
        }
        found.pop().ok_or_else(|| self.missing(import))
    }

    /// The Go version of the main module or workspace.
    #[must_use]
    pub fn go_version(&self) -> &str {
        match &self.work {
            Some((_, work)) => work
                .go
                .as_ref()
                .map_or(gover::DEFAULT_GO_WORK_VERSION, |go| &go.value),
            None => self
                .mains
                .first()
                .map_or(&self.config.go_version, |main| main.go_version()),
        }
    }

    /// What kept modules from being looked up, for errors.
    pub(super) fn lookup_reason(&self) -> String {
        let mode = match self.mode {
            ModMode::Vendor => "vendor",
            ModMode::ReadOnly => "readonly",
            ModMode::Mod => "mod",
        };
        if self.mode_reason.is_empty() {
            format!("-mod={mode}")
        } else {
            format!("-mod={mode}\n\t({})", self.mode_reason)
        }
    }

    /// Why missing packages are not looked for, if that needs a word.
    pub(super) fn lookup_disabled(&self) -> Option<ModError> {
        let told = !self.config.mod_flag.is_empty() || !self.mode_reason.is_empty();
        told.then(|| {
            let reason = self.lookup_reason();
            ModError::Message(format!("import lookup disabled by {reason}"))
        })
    }

    fn in_modules(&self, reqs: &Reqs, import: &str) -> Result<Resolved, ImportError> {
        // First only what go.mod names: with pruning that is all that packages need, and the graph stays unread.
        let quick = match reqs.pruning {
            steady_graph::Pruning::Pruned => {
                self.search(import, |module| match self.main(module) {
                    Some(_) => Some(String::new()),
                    None => reqs.root(module).map(str::to_string),
                })?
            }
            _ => match self.only_main_could_have(import) {
                Some(main) => self.search(import, |module| (module == main).then(String::new))?,
                None => None,
            },
        };
        if let Some(found) = quick {
            return Ok(found);
        }
        let graph = self.graph_of(reqs)?;
        self.in_graph(&graph, import)
    }

    /// Where `import` comes from among the versions selected in a graph.
    pub(super) fn in_graph(
        &self,
        graph: &ModuleGraph,
        import: &str,
    ) -> Result<Resolved, ImportError> {
        let found = self.search(import, |module| {
            if self.main(module).is_some() {
                return Some(String::new());
            }
            graph
                .selected(module)
                .filter(|version| *version != "none")
                .map(str::to_string)
        })?;
        found.ok_or_else(|| self.missing(import))
    }

    /// The main module that an import belongs to when the graph cannot name a module with a longer path without it being read anyway.
    fn only_main_could_have<'i>(&self, import: &'i str) -> Option<&'i str> {
        prefixes(import)
            .find(|prefix| self.main(prefix).is_some())
            .filter(|main| *main == import || self.work.is_some())
    }

    fn search(
        &self,
        import: &str,
        version: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Resolved>, ImportError> {
        let mut found: Vec<Resolved> = Vec::new();
        let mut others = Vec::new();
        let mut without_sum = Vec::new();
        for prefix in prefixes(import) {
            if gover::is_toolchain(prefix) {
                continue;
            }
            let Some(version) = version(prefix) else {
                continue;
            };
            let module = ModuleVersion::new(prefix, version);
            let root = match self.module_root(&module) {
                Ok(root) => root,
                Err(error) if error.is_missing_sum() => {
                    without_sum.insert(0, module);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            match self.dir_in_module(import, prefix, &root) {
                Some(dir) => found.push(Resolved {
                    module: Some(module),
                    dir,
                    path: import.to_string(),
                    others: Vec::new(),
                }),
                None => others.push(module),
            }
        }
        if found.len() > 1 {
            found.reverse();
            return Err(ambiguous(import, found, true));
        }
        if !without_sum.is_empty() {
            if let Some(error) = self.fetcher.go_sum_error() {
                return Err(ImportError::Other(Arc::new(error.into())));
            }
            return Err(ImportError::MissingSum(Box::new(MissingSum {
                path: import.to_string(),
                found: !found.is_empty(),
                modules: without_sum,
                importer: None,
            })));
        }
        let Some(mut one) = found.pop() else {
            return Ok(None);
        };
        one.others = others;
        Ok(Some(one))
    }

    /// Where a module's files are, fetching them if need be.
    fn module_root(&self, module: &ModuleVersion) -> Result<ModuleDir, ModError> {
        if let Some(known) = self
            .dirs
            .lock()
            .ok()
            .and_then(|dirs| dirs.get(module).cloned())
        {
            return known;
        }
        let found = self.find_module_root(module);
        if let Ok(mut dirs) = self.dirs.lock() {
            dirs.insert(module.clone(), found.clone());
        }
        found
    }

    fn find_module_root(&self, module: &ModuleVersion) -> Result<ModuleDir, ModError> {
        if let Some(main) = self
            .main(&module.path)
            .filter(|_| module.version.is_empty())
        {
            return Ok(ModuleDir {
                dir: main.dir.clone(),
                local: true,
            });
        }
        let mut actual = module.clone();
        if let Some(ReplaceBy { replace, base, .. }) = self.replaced_by(module) {
            if replace.new.version.is_empty() {
                let dir = steady_system::clean(&base.join(&replace.new.path));
                if !self.files.is_dir(&dir) {
                    return Err(ModError::Message(format!(
                        "replacement directory {} does not exist",
                        replace.new.path
                    ))
                    .about(module));
                }
                return Ok(ModuleDir { dir, local: true });
            }
            actual = replace.new.clone();
        }
        if self.must_have_sums() && !self.fetcher.have_sum(&actual) {
            return Err(ModError::MissingSum(String::new()).about(&actual));
        }
        let dir = self.fetcher.download(&actual)?;
        Ok(ModuleDir { dir, local: false })
    }

    /// The directory of a module version, fetching it if need be.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn module_dir(&self, module: &ModuleVersion) -> Result<Utf8PathBuf, ModError> {
        self.module_root(module).map(|root| root.dir)
    }

    /// Forgets what was tried and failed: sums or requirements may have come since.
    pub(super) fn forget_failures(&self) {
        if let Ok(mut dirs) = self.dirs.lock() {
            dirs.retain(|_, root| root.is_ok());
        }
    }

    fn missing(&self, import: &str) -> ImportError {
        let is_std = is_standard_import_path(import);
        let mut missing = Missing {
            path: import.to_string(),
            std_dir: is_std.then(|| self.config.goroot.join("src").join(import)),
            ..Missing::default()
        };
        if self.mains.is_empty() && self.vendor.is_none() {
            missing.reason = Some(Arc::new(ModError::NoGoMod));
        }
        missing.searches = self.mode == ModMode::Mod;
        if self.vendor.is_some() || !self.mains.is_empty() && !missing.searches {
            missing.reason = self.lookup_disabled().map(Arc::new);
        }
        ImportError::Missing(Box::new(missing))
    }
}

fn ambiguous(import: &str, found: Vec<Resolved>, modules: bool) -> ImportError {
    ImportError::Ambiguous(Box::new(Ambiguous {
        path: import.to_string(),
        places: found
            .into_iter()
            .map(|place| (place.dir, place.module.filter(|_| modules)))
            .collect(),
    }))
}

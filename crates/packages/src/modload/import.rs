//! From an import path to the module and directory that it comes from.

use super::{ModMode, ModuleDir, Modules, ReplaceBy};
use crate::patterns::is_standard_import_path;
use camino::{Utf8Path, Utf8PathBuf};
use steady_module::{ModuleVersion, path};

/// Where a package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Its module; none in the standard library.
    pub module: Option<ModuleVersion>,
    /// Its directory.
    pub dir: Utf8PathBuf,
    /// The import path in use, where it differs from the one written (`vendor/golang.org/x/...` in the standard library).
    pub path: String,
}

/// Why an import path leads nowhere, in go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The standard library has no such package.
    #[error("package {path} is not in std ({dir})")]
    NotInStd {
        /// Import path.
        path: String,
        /// Where it was looked for, with `GOROOT` written out.
        dir: String,
    },
    /// A main module should have it and does not.
    #[error(
        "module {module} provides package {path} and is replaced but not required; to add it:\n\tgo get {module}"
    )]
    ReplacedNotRequired {
        /// Import path.
        path: String,
        /// Module that could have it.
        module: String,
    },
    /// No module of the build list has it.
    #[error("{0}")]
    Missing(String),
    /// Several modules have it.
    #[error("{0}")]
    Ambiguous(String),
    /// It cannot be an import path.
    #[error("{0}")]
    Malformed(String),
    /// Its module cannot be had.
    #[error("{0}")]
    Unavailable(String),
}

/// Prefixes of an import path that could be module paths, longest first.
fn prefixes(import: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(import), |prefix| {
        prefix.rsplit_once('/').map(|(parent, _)| parent)
    })
}

impl Modules {
    /// Where `import` comes from. `vendor`: the importer is in the standard library or in the distribution's programs, whose vendor
    /// directory this is, below `GOROOT/src`.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub fn resolve(&self, import: &str, vendor: Option<&str>) -> Result<Resolved, ImportError> {
        if import.contains('@') {
            return Err(ImportError::Malformed(format!(
                "package {import} can only use path@version syntax with 'go get' and 'go install' in module-aware mode"
            )));
        }
        if let Some(found) = self.in_goroot(import, vendor) {
            return Ok(found);
        }
        if is_standard_import_path(import)
            && !self.mains_could_have(import)
            && self
                .replace
                .keys()
                .all(|old| !is_standard_import_path(&old.path))
        {
            let dir = self.config.goroot.join("src").join(import).to_string();
            return Err(ImportError::NotInStd {
                path: import.to_string(),
                dir,
            });
        }
        if let Err(error) = path::check_import_path(import) {
            return Err(ImportError::Malformed(error.to_string()));
        }
        match &self.vendor {
            Some(_) => self.in_vendor(import),
            None => self.in_modules(import),
        }
    }

    fn mains_could_have(&self, import: &str) -> bool {
        let has = |module: &str| {
            import == module
                || import
                    .strip_prefix(module)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        self.mains.iter().any(|main| has(&main.path)) || self.roots.keys().any(|module| has(module))
    }

    fn in_goroot(&self, import: &str, vendor: Option<&str>) -> Option<Resolved> {
        let src = self.config.goroot.join("src");
        let at = |path: String| {
            let dir = src.join(&path);
            self.has_go_files(&dir).then_some(Resolved {
                module: None,
                dir,
                path,
            })
        };
        if let Some(vendor) = vendor.filter(|_| !is_standard_import_path(import)) {
            return at(format!("{vendor}/{import}"));
        }
        if !is_standard_import_path(import) || self.main("std").is_some() {
            return None;
        }
        at(import.to_string())
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
    fn dir_in_module(&self, import: &str, module: &str, root: &ModuleDir) -> Option<Utf8PathBuf> {
        let rest = import.strip_prefix(module)?;
        let dir = match rest.strip_prefix('/') {
            Some(rest) => root.dir.join(rest),
            None => root.dir.clone(),
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
            return Err(ImportError::Missing("no vendor directory".into()));
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
                });
            }
        }
        let dir = vendor.dir.join(import);
        if self.has_go_files(&dir)
            && let Some(module) = vendor.txt.packages.get(import)
        {
            found.push(Resolved {
                module: Some(module.clone()),
                dir: dir.clone(),
                path: import.to_string(),
            });
        }
        if found.len() > 1 {
            return Err(ambiguous(import, &found));
        }
        found.pop().ok_or_else(|| {
            let reason = self.lookup_reason();
            ImportError::Missing(format!(
                "cannot find module providing package {import}: import lookup disabled by {reason}"
            ))
        })
    }

    fn lookup_reason(&self) -> String {
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

    fn in_modules(&self, import: &str) -> Result<Resolved, ImportError> {
        // First only what go.mod names: with pruning that is all that packages need, and the graph stays unread.
        if self.pruning == steady_graph::Pruning::Pruned {
            let found = self.search(import, |module| {
                if self.main(module).is_some() {
                    Some(String::new())
                } else {
                    self.roots.get(module).cloned()
                }
            })?;
            if let Some(found) = found {
                return Ok(found);
            }
        } else if let Some(main) = self.only_main_could_have(import) {
            let found = self.search(import, |module| (module == main).then(String::new))?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        let graph = self
            .graph()
            .map_err(|error| ImportError::Unavailable(error.to_string()))?;
        let found = self.search(import, |module| {
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
        for prefix in prefixes(import) {
            let Some(version) = version(prefix) else {
                continue;
            };
            let module = ModuleVersion::new(prefix, version);
            let root = self.module_root(&module, import)?;
            if let Some(dir) = self.dir_in_module(import, prefix, &root) {
                found.push(Resolved {
                    module: Some(module),
                    dir,
                    path: import.to_string(),
                });
            }
        }
        if found.len() > 1 {
            return Err(ambiguous(import, &found));
        }
        Ok(found.pop())
    }

    /// Where a module's files are, fetching them if need be.
    fn module_root(&self, module: &ModuleVersion, import: &str) -> Result<ModuleDir, ImportError> {
        if let Some(known) = self
            .dirs
            .lock()
            .ok()
            .and_then(|dirs| dirs.get(module).cloned())
        {
            return known;
        }
        let found = self.find_module_root(module, import);
        if let Ok(mut dirs) = self.dirs.lock() {
            dirs.insert(module.clone(), found.clone());
        }
        found
    }

    fn find_module_root(
        &self,
        module: &ModuleVersion,
        import: &str,
    ) -> Result<ModuleDir, ImportError> {
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
        if let Some(ReplaceBy { replace, base }) = self.replaced_by(module) {
            if replace.new.version.is_empty() {
                let dir = steady_system::clean(&base.join(&replace.new.path));
                if !self.files.is_dir(&dir) {
                    return Err(ImportError::Unavailable(format!(
                        "module {}: replacement directory {} does not exist",
                        module.path, replace.new.path
                    )));
                }
                return Ok(ModuleDir { dir, local: true });
            }
            actual = replace.new.clone();
        }
        // A workspace keeps sums that its members lack in a file of its own.
        let strict = self.mode != ModMode::Mod && !self.mains.is_empty() && self.work.is_none();
        if strict && !self.fetcher.have_sum(&actual) {
            return Err(ImportError::Unavailable(format!(
                "missing go.sum entry for module providing package {import}; to add:\n\tgo mod download {}",
                actual.path
            )));
        }
        let dir = self
            .fetcher
            .download(&actual)
            .map_err(|error| ImportError::Unavailable(error.to_string()))?;
        Ok(ModuleDir { dir, local: false })
    }

    /// The directory of a module version, fetching it if need be.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn module_dir(&self, module: &ModuleVersion) -> Result<Utf8PathBuf, ImportError> {
        self.module_root(module, &module.path).map(|root| root.dir)
    }

    fn missing(&self, import: &str) -> ImportError {
        if self.mains.is_empty() {
            return ImportError::Missing(format!(
                "no required module provides package {import}: go.mod file not found in current directory or any parent directory; see 'go help modules'"
            ));
        }
        if let Some(main) = prefixes(import).find_map(|prefix| self.main(prefix))
            && (!is_standard_import_path(import) || self.work.is_none())
        {
            return ImportError::Missing(format!(
                "package {import} is not in main module ({})",
                main.path
            ));
        }
        if let Some(module) = self
            .replace
            .keys()
            .map(|old| &old.path)
            .find(|module| prefixes(import).any(|prefix| prefix == module.as_str()))
        {
            return ImportError::ReplacedNotRequired {
                path: import.to_string(),
                module: module.clone(),
            };
        }
        ImportError::Missing(format!(
            "no required module provides package {import}; to add it:\n\tgo get {import}"
        ))
    }
}

fn ambiguous(import: &str, found: &[Resolved]) -> ImportError {
    let mut text = format!("ambiguous import: found package {import} in multiple modules:");
    for Resolved { module, dir, .. } in found {
        let module = module.as_ref().map_or_else(String::new, |module| {
            format!("{} {}", module.path, module.version)
        });
        text += &format!("\n\t{} ({dir})", module.trim_end());
    }
    ImportError::Ambiguous(text)
}

//! `list -m`: what is known of modules beyond the module graph. Queries, available versions, what authors have said of them.

use super::{Allowed, CommitOptions, ModError, Modules, Result, is_revision_query};
use crate::package::{ModuleError, ModulePublic};
use crate::parallel;
use std::sync::Mutex;
use steady_module::{ModuleVersion, gover};

/// What is to be found out about each module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details {
    /// A newer version.
    pub updates: bool,
    /// All versions.
    pub versions: bool,
    /// Whether its authors have taken it back; with `versions`, such versions are listed too.
    pub retracted: bool,
    /// Whether it is deprecated.
    pub deprecated: bool,
}

impl Details {
    fn none(self) -> bool {
        !(self.updates || self.versions || self.retracted || self.deprecated)
    }
}

impl Modules {
    /// The module that `path@query` means. What goes wrong stands in the result.
    ///
    /// # Errors
    /// The version in use has to be known, and the module graph cannot be read.
    pub fn queried(&self, path: &str, query: &str, details: Details) -> Result<ModulePublic> {
        let relative = matches!(query, "upgrade" | "patch");
        let current = if relative {
            let selected = self.selected(path)?;
            selected.map_or_else(|| "none".to_string(), |module| module.version)
        } else {
            String::new()
        };
        let allowed = if details.retracted || is_revision_query(path, query) {
            Allowed::Any
        } else {
            Allowed::Checked
        };
        let found = match self.query(path, query, &current, allowed) {
            Ok(found) => found,
            Err(error) => {
                return Ok(ModulePublic {
                    path: path.to_string(),
                    version: query.to_string(),
                    error: Some(told(path, query, error)),
                    ..ModulePublic::default()
                });
            }
        };
        if found.version.is_empty() && self.main(path).is_some() {
            return Ok(self.module_info(&ModuleVersion::new(path, "")));
        }
        let mut info = self.unreplaced_info(&ModuleVersion::new(path, found.version));
        if info.version != query {
            info.query = query.to_string();
        }
        Ok(info)
    }

    /// Finds details out, of several modules at a time.
    pub fn add_details(&self, modules: &mut [ModulePublic], details: Details) {
        if details.none() {
            return;
        }
        let slots: Vec<Mutex<&mut ModulePublic>> = modules.iter_mut().map(Mutex::new).collect();
        parallel::map(&slots, parallel::WAITING, |slot| {
            let Ok(mut module) = slot.lock() else {
                return;
            };
            // What is said of the replacement is said of what it replaces, unless that has something to be said of itself.
            if let Some(mut replace) = module.replace.take() {
                self.detail(&mut replace, details);
                module.retracted.clone_from(&replace.retracted);
                module.replace = Some(replace);
            }
            self.detail(&mut module, details);
        });
    }

    fn detail(&self, module: &mut ModulePublic, details: Details) {
        let failed = |module: &mut ModulePublic, error: ModError| {
            let nothing_there = error.is_no_match() || error.is_not_exist();
            if !nothing_there && module.error.is_none() {
                module.error = Some(ModuleError {
                    err: error.to_string(),
                });
            }
        };
        let path = module.path.clone();
        if details.updates && !module.version.is_empty() {
            match self.query(&path, "upgrade", &module.version, Allowed::Checked) {
                Ok(found) if gover::mod_compare(&path, &found.version, &module.version).is_gt() => {
                    module.update = Some(Box::new(ModulePublic {
                        path: path.clone(),
                        version: found.version,
                        time: Some(found.time.to_string()),
                        ..ModulePublic::default()
                    }));
                }
                Ok(_) => {}
                Err(error) if error.is_disallowed() => {}
                Err(error) => failed(module, error),
            }
        }
        if details.versions {
            let allowed = if details.retracted {
                Allowed::NotExcluded
            } else {
                Allowed::Checked
            };
            match self.allowed_versions(&path, allowed) {
                Ok(versions) => module.versions = versions,
                Err(error) if module.error.is_none() => {
                    module.error = Some(ModuleError {
                        err: error.to_string(),
                    });
                }
                Err(_) => {}
            }
        }
        if details.retracted && !module.version.is_empty() {
            let version = ModuleVersion::new(path.clone(), module.version.clone());
            match self.check_retracted(&version) {
                Ok(()) => {}
                Err(error) => match error.retraction() {
                    Some([]) => module.retracted = vec!["retracted by module author".to_string()],
                    Some(reasons) => module.retracted = reasons.to_vec(),
                    None => failed(module, error),
                },
            }
        }
        if details.deprecated && !module.version.is_empty() {
            match self.newest_go_mod(&path) {
                Ok(file) => {
                    let said = file.module.as_ref().map(|module| &module.deprecated);
                    module.deprecated = said.cloned().unwrap_or_default();
                }
                Err(error) => failed(module, error),
            }
        }
    }

    fn allowed_versions(&self, path: &str, allowed: Allowed) -> Result<Vec<String>> {
        let mut kept = Vec::new();
        for version in self.versions_with_replacements(path)? {
            match self.check_allowed(&ModuleVersion::new(path, version.clone()), allowed) {
                Ok(()) => kept.push(version),
                Err(error) if error.is_disallowed() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(kept)
    }

    /// After a look at the module graph go.mod and go.sum must be in order, or are brought in order where they may change.
    ///
    /// # Errors
    /// Files that would have to change and may not, or that cannot be written.
    pub fn commit_graph(&self) -> Result<()> {
        if self.mains.is_empty() || self.vendor.is_some() || self.work.is_some() {
            return Ok(());
        }
        let reqs = self.with_go_line(&self.reqs(), "")?;
        self.commit(&reqs, None, &CommitOptions::default())
    }
}

/// An error with the module it is about, unless it tells that already.
fn told(path: &str, query: &str, error: ModError) -> ModuleError {
    let error = match error {
        ModError::About { .. } => error,
        error if error.is_no_match() => error.about(&ModuleVersion::new(path, "")),
        error => error.about(&ModuleVersion::new(path, query)),
    };
    ModuleError {
        err: error.to_string(),
    }
}

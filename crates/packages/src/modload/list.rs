//! `list -m`: what is known of modules beyond the module graph. Queries, available versions, what authors have said of them.

use super::{Allowed, CommitOptions, ModError, Modules, Result, is_revision_query};
use crate::package::{ModuleError, ModulePublic};
use std::collections::HashMap;
use std::sync::Mutex;
use steady_module::{ModuleVersion, gover};
use steady_proxy::Origin;
use steady_system::parallel;

/// What is to be found out about each module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Details {
    /// A newer version.
    pub updates: bool,
    /// All versions.
    pub versions: bool,
    /// Whether its authors have taken it back.
    pub retracted: bool,
    /// With `versions`, those that were taken back are listed too.
    pub retracted_versions: bool,
    /// Whether it is deprecated.
    pub deprecated: bool,
    /// Names and versions are all that is shown.
    pub names: bool,
}

/// Answers of an earlier run, which may still hold (`-reuse`).
#[derive(Debug, Default)]
pub struct Reuse(HashMap<ModuleVersion, ModulePublic>);

impl Reuse {
    /// Reads what `list -m -json` or `mod download -json` printed.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn parse(text: &[u8]) -> std::result::Result<Reuse, serde_json::Error> {
        let mut reuse = Reuse::default();
        for module in serde_json::Deserializer::from_slice(text).into_iter::<ModulePublic>() {
            let mut module = module?;
            if module.origin.is_none() {
                continue;
            }
            module.reuse = true;
            let path = &module.path;
            for name in [&module.version, &module.query] {
                if !name.is_empty() {
                    let key = ModuleVersion::new(path.clone(), name.clone());
                    reuse.0.insert(key, module.clone());
                }
            }
        }
        Ok(reuse)
    }

    pub(super) fn get(&self, path: &str, query: &str) -> Option<&ModulePublic> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&ModuleVersion::new(path, query))
    }
}

impl Modules {
    /// The module that `path@query` means. What goes wrong stands in the result.
    ///
    /// # Errors
    /// The version in use has to be known, and the module graph cannot be read.
    pub fn queried(
        &self,
        path: &str,
        query: &str,
        details: Details,
        reuse: &Reuse,
    ) -> Result<ModulePublic> {
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
        let found = match self.query_reusing(path, query, &current, allowed, reuse) {
            Ok(found) => found,
            Err(error) => {
                return Ok(ModulePublic {
                    path: path.to_string(),
                    version: query.to_string(),
                    origin: error.origin().cloned(),
                    error: Some(told(path, query, error)),
                    ..ModulePublic::default()
                });
            }
        };
        if found.version.is_empty() && self.main(path).is_some() {
            return Ok(self.module_info(&ModuleVersion::new(path, "")));
        }
        let mut info = match reuse.get(path, &found.version) {
            Some(old) if self.still_holds(&found.version, old) => ModulePublic {
                query: String::new(),
                dir: String::new(),
                ..old.clone()
            },
            _ => self.unreplaced_info(&ModuleVersion::new(path, found.version)),
        };
        if info.version != query {
            info.query = query.to_string();
        }
        info.origin = found.origin;
        Ok(info)
    }

    fn still_holds(&self, version: &str, old: &ModulePublic) -> bool {
        let origin = old.origin.as_ref();
        origin.is_some_and(|origin| self.holds(&old.path, version, origin))
    }

    /// Finds details out, of several modules at a time. What is used again has them already.
    pub fn add_details(&self, modules: &mut [ModulePublic], details: Details) {
        let slots: Vec<Mutex<&mut ModulePublic>> = modules.iter_mut().map(Mutex::new).collect();
        parallel::map(&slots, parallel::WAITING, |slot| {
            let Ok(mut module) = slot.lock() else {
                return;
            };
            if module.reuse {
                return;
            }
            // What is said of the replacement is said of what it replaces, unless that has something to be said of itself.
            if let Some(mut replace) = module.replace.take() {
                self.detail(&mut replace, details);
                module.retracted.clone_from(&replace.retracted);
                module.replace = Some(replace);
            }
            self.detail(&mut module, details);
        });
    }

    /// Looks up what the cache does not know of a version; if only names are shown, what it knows need not be read.
    fn complete(&self, module: &mut ModulePublic, names: bool) {
        if gover::is_toolchain(&module.path) {
            return;
        }
        let version = ModuleVersion::new(module.path.clone(), module.version.clone());
        let info = self.fetcher.cache_path(&version, "info");
        if names && info.is_ok_and(|info| self.files.exists(info)) {
            return;
        }
        match self.query(&module.path, &module.version, "", Allowed::Any) {
            Ok(info) => module.time = Some(info.time.to_string()),
            Err(error) if module.error.is_none() => {
                module.error = Some(ModuleError {
                    err: error.to_string(),
                });
            }
            Err(_) => {}
        }
    }

    fn detail(&self, module: &mut ModulePublic, details: Details) {
        // What a version is, its time among it, has been looked up as soon as it was listed.
        let listed = module.time.is_none() && !module.main && self.vendor.is_none();
        if listed && !module.version.is_empty() && module.replace.is_none() {
            self.complete(module, details.names);
        }
        let failed = |module: &mut ModulePublic, error: ModError| {
            let nothing_there = error.is_no_match() || error.is_not_exist();
            if !nothing_there && module.error.is_none() {
                module.error = Some(ModuleError {
                    err: error.to_string(),
                });
            }
        };
        let path = module.path.clone();
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
            let allowed = if details.retracted_versions {
                Allowed::NotExcluded
            } else {
                Allowed::Checked
            };
            match self.allowed_versions(&path, allowed) {
                Ok((versions, origin)) => {
                    module.versions = versions;
                    module.origin = match (&module.origin, &origin) {
                        (Some(a), Some(b)) => a.merge(b),
                        _ => None,
                    };
                }
                Err(error) if module.error.is_none() => {
                    module.error = Some(ModuleError {
                        err: error.to_string(),
                    });
                }
                Err(_) => {}
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

    fn allowed_versions(
        &self,
        path: &str,
        allowed: Allowed,
    ) -> Result<(Vec<String>, Option<Origin>)> {
        let mut kept = Vec::new();
        let (versions, origin) = self.versions_with_replacements(path)?;
        for version in versions {
            match self.check_allowed(&ModuleVersion::new(path, version.clone()), allowed) {
                Ok(()) => kept.push(version),
                Err(error) if error.is_disallowed() => {}
                Err(error) => return Err(error),
            }
        }
        Ok((kept, origin))
    }

    /// After a look at the module graph go.mod and go.sum must be in order, or are brought in order where they may change.
    ///
    /// # Errors
    /// Files that would have to change and may not, or that cannot be written.
    pub fn commit_graph(&self) -> Result<()> {
        if self.mains.is_empty() {
            return Ok(());
        }
        if self.vendor.is_some() {
            return self.must_be_clean();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_answers_are_found_by_version_and_query() {
        let text =
            br#"{"Path": "m", "Version": "v1.0.0", "Query": "latest", "Origin": {"VCS": "git"}}
            {"Path": "m", "Version": "bad", "Error": "unknown revision", "Origin": {"VCS": "git"}}
            {"Path": "m", "Version": "worse", "Error": {"Err": "no"}, "Origin": {"VCS": "git"}}
            {"Path": "m", "Version": "v2.0.0"}"#;
        let reuse = Reuse::parse(text).unwrap();
        let version = |query: &str| reuse.get("m", query).map(|module| module.version.as_str());
        assert_eq!(version("latest"), Some("v1.0.0"));
        assert_eq!(version("v1.0.0"), Some("v1.0.0"));
        assert_eq!(version("v2.0.0"), None);
        let error = |query: &str| reuse.get("m", query)?.error.as_ref().map(|e| e.err.clone());
        assert_eq!(error("bad").unwrap(), "unknown revision");
        assert_eq!(error("worse").unwrap(), "no");
        assert!(Reuse::parse(b"{").is_err());
    }
}

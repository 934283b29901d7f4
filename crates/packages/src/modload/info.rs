//! What `go list` shows of a module.

use super::{Allowed, ModMode, Modules};
use crate::package::{ModuleError, ModulePublic};
use steady_module::ModuleVersion;

impl Modules {
    /// The module as `go list -m` and a package's `Module` show it. Files that are not in the cache are not fetched.
    #[must_use]
    pub fn module_info(&self, module: &ModuleVersion) -> ModulePublic {
        if let Some(main) = self
            .main(&module.path)
            .filter(|_| module.version.is_empty())
        {
            return ModulePublic {
                path: main.path.clone(),
                main: true,
                dir: main.dir.to_string(),
                // As it was given.
                go_mod: match self.config.modfile.as_str() {
                    "" => main.go_mod.to_string(),
                    modfile => modfile.to_string(),
                },
                go_version: main
                    .file
                    .go
                    .as_ref()
                    .map_or_else(String::new, |go| go.value.clone()),
                ..ModulePublic::default()
            };
        }
        let mut info = ModulePublic {
            path: module.path.clone(),
            version: module.version.clone(),
            indirect: !self.is_direct(&module.path),
            ..ModulePublic::default()
        };
        if let Some(vendor) = &self.vendor {
            info.go_version = vendor
                .txt
                .meta
                .get(module)
                .map_or_else(String::new, |meta| meta.go_version.clone());
            // No directory: below vendor, packages of one module may lie between those of another.
            info.replace = self.replacement(module).map(|new| {
                Box::new(ModulePublic {
                    path: new.path.clone(),
                    version: new.version.clone(),
                    go_version: info.go_version.clone(),
                    ..ModulePublic::default()
                })
            });
            return info;
        }
        if steady_module::gover::is_toolchain(&module.path) {
            return info; // a name for a version, no module that lies anywhere
        }
        match self.replaced_by(module) {
            None => self.fill(&mut info, module, true),
            Some(by) if by.replace.new.version.is_empty() => {
                let dir = steady_system::clean(&by.base.join(&by.replace.new.path));
                let mut replace = ModulePublic {
                    path: by.replace.new.path.clone(),
                    ..ModulePublic::default()
                };
                let go_mod = dir.join("go.mod");
                if let Ok(text) = self.files.read_to_string(&go_mod) {
                    replace.go_version = go_version(&text);
                }
                replace.dir = dir.to_string();
                replace.go_mod = go_mod.to_string();
                info.dir.clone_from(&replace.dir);
                info.go_mod.clone_from(&replace.go_mod);
                info.go_version.clone_from(&replace.go_version);
                info.replace = Some(Box::new(replace));
            }
            Some(by) => {
                let mut replace = ModulePublic {
                    path: by.replace.new.path.clone(),
                    version: by.replace.new.version.clone(),
                    ..ModulePublic::default()
                };
                self.fill(&mut replace, &by.replace.new, true);
                info.dir.clone_from(&replace.dir);
                info.go_mod.clone_from(&replace.go_mod);
                info.go_version.clone_from(&replace.go_version);
                info.replace = Some(Box::new(replace));
            }
        }
        info
    }

    /// As [`Self::module_info`], but no more than the names and versions that the module is shown by: no file is looked at.
    #[must_use]
    pub fn module_name(&self, module: &ModuleVersion) -> ModulePublic {
        let named = |module: &ModuleVersion| ModulePublic {
            path: module.path.clone(),
            version: module.version.clone(),
            ..ModulePublic::default()
        };
        let main = module.version.is_empty() && self.main(&module.path).is_some();
        ModulePublic {
            main,
            indirect: !main && !self.is_direct(&module.path),
            replace: self.replacement(module).map(named).map(Box::new),
            ..named(module)
        }
    }

    /// A module version that was asked for by name: as it is, whatever replaces it. Its go.mod is fetched.
    pub(super) fn unreplaced_info(&self, module: &ModuleVersion) -> ModulePublic {
        let mut info = ModulePublic {
            path: module.path.clone(),
            version: module.version.clone(),
            ..ModulePublic::default()
        };
        // Without it there is less to show.
        let _ = self.fetcher.go_mod(&module.path, &module.version);
        self.fill(&mut info, module, false);
        info
    }

    /// What is known of a version beside its name. `bound`: it belongs to the requirements of this run, so that nothing of it counts
    /// which there should be a sum for and is not.
    fn fill(&self, info: &mut ModulePublic, module: &ModuleVersion, bound: bool) {
        match self.query(&module.path, &module.version, "", Allowed::Any) {
            Ok(found) => info.time = Some(found.time.to_string()),
            Err(error) => {
                info.error = Some(ModuleError {
                    err: error.to_string(),
                });
            }
        }
        let of_go_mod =
            ModuleVersion::new(module.path.clone(), format!("{}/go.mod", module.version));
        let verifiable = |key| !bound || !self.must_have_sums() || self.fetcher.have_sum(key);
        if verifiable(&of_go_mod) {
            // Where go.sum may change it learns what is looked at; elsewhere what is not there is not fetched either.
            let text = if bound && self.mode == ModMode::Mod && !self.mains.is_empty() {
                let text = self.fetcher.go_mod(&module.path, &module.version).ok();
                text.map(|text| String::from_utf8_lossy(&text).into_owned())
            } else {
                let path = self.fetcher.cache_path(module, "mod").ok();
                path.and_then(|path| self.files.read_to_string(&path).ok())
            };
            if let (Some(text), Ok(path)) = (text, self.fetcher.cache_path(module, "mod")) {
                info.go_version = go_version(&text);
                info.go_mod = path.to_string();
            }
            info.go_mod_sum = self.fetcher.recorded_sum(&of_go_mod).unwrap_or_default();
        }
        if verifiable(module) {
            if let Ok(dir) = self.fetcher.download_dir(module) {
                info.dir = dir.to_string();
            }
            info.sum = self.fetcher.recorded_sum(module).unwrap_or_default();
        }
    }

    /// The `go` line of a module as it stands, if there is one and the file is in the cache.
    pub(super) fn go_line(&self, module: &ModuleVersion) -> String {
        if let Some(main) = self
            .main(&module.path)
            .filter(|_| module.version.is_empty())
        {
            return main
                .file
                .go
                .as_ref()
                .map_or_else(String::new, |go| go.value.clone());
        }
        let read = |path: &camino::Utf8Path| {
            let text = self.files.read_to_string(path);
            text.map_or_else(|_| String::new(), |text| go_version(&text))
        };
        match self.replaced_by(module) {
            Some(by) if by.replace.new.version.is_empty() => {
                read(&steady_system::clean(&by.base.join(&by.replace.new.path)).join("go.mod"))
            }
            by => {
                let actual = by.map_or(module, |by| &by.replace.new);
                let path = self.fetcher.cache_path(actual, "mod");
                path.map_or_else(|_| String::new(), |path| read(&path))
            }
        }
    }

    /// The version of the `go` line of a package's module; empty in the standard library.
    #[must_use]
    pub fn go_version_of(&self, module: &ModuleVersion) -> String {
        if let Some(main) = self
            .main(&module.path)
            .filter(|_| module.version.is_empty())
        {
            return main.go_version().to_string();
        }
        let version = self.module_info(module).go_version;
        if version.is_empty() {
            steady_module::gover::DEFAULT_GO_MOD_VERSION.to_string()
        } else {
            version
        }
    }
}

fn go_version(text: &str) -> String {
    let mut as_written = |_: &str, version: &str| Ok(version.to_string());
    let file = steady_module::modfile::ModFile::parse_lax("go.mod", text, Some(&mut as_written));
    file.ok()
        .and_then(|file| file.go)
        .map_or_else(String::new, |go| go.value)
}

//! What `go list` shows of a module.

use super::Modules;
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
                go_mod: main.go_mod.to_string(),
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
        match self.replaced_by(module) {
            None => self.fill_cached(&mut info, module),
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
                self.fill_cached(&mut replace, &by.replace.new);
                info.dir.clone_from(&replace.dir);
                info.go_mod.clone_from(&replace.go_mod);
                info.go_version.clone_from(&replace.go_version);
                info.replace = Some(Box::new(replace));
            }
        }
        info
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
        self.fill_cached(&mut info, module);
        info
    }

    fn fill_cached(&self, info: &mut ModulePublic, module: &ModuleVersion) {
        if let Ok(dir) = self.fetcher.download_dir(module) {
            info.dir = dir.to_string();
        }
        if let Ok(path) = self.fetcher.cache_path(module, "mod") {
            match self.files.read_to_string(&path) {
                Ok(text) => {
                    info.go_version = go_version(&text);
                    info.go_mod = path.to_string();
                }
                Err(error) if !error.is_not_found() => {
                    info.error = Some(ModuleError {
                        err: error.to_string(),
                    })
                }
                Err(_) => {}
            }
        }
        if let Ok(text) = self
            .fetcher
            .cache_path(module, "info")
            .map_err(|_| ())
            .and_then(|path| self.files.read_to_string(path).map_err(|_| ()))
        {
            let value: Option<serde_json::Value> = serde_json::from_str(&text).ok();
            info.time = value.and_then(|value| value.get("Time")?.as_str().map(str::to_string));
        }
        info.sum = self.fetcher.recorded_sum(module).unwrap_or_default();
        info.go_mod_sum = self
            .fetcher
            .recorded_sum(&ModuleVersion::new(
                module.path.clone(),
                format!("{}/go.mod", module.version),
            ))
            .unwrap_or_default();
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

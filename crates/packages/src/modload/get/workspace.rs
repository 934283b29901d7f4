//! `get` changes one module, and that module may be a member of a workspace: what other members have is not missing.

use crate::modload::{CommitOptions, ModMode, ModuleDir, Modules, Reqs, Result, find_go_work};
use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;
use steady_module::modfile::{ModFile, WorkFile};

/// The members of a workspace; none if there is no workspace, or none that can be read.
#[derive(Debug, Default)]
pub(super) struct Workspace {
    members: Vec<(String, Utf8PathBuf)>,
}

impl Workspace {
    pub fn find(modules: &Modules) -> Workspace {
        let config = &modules.config;
        let found = find_go_work(&modules.files, &config.cwd, &config.gowork, &config.goroot);
        match found {
            Ok(Some(path)) => Workspace::read(modules, &path).unwrap_or_default(),
            _ => Workspace::default(),
        }
    }

    fn read(modules: &Modules, path: &Utf8Path) -> Option<Workspace> {
        let text = modules.files.read_to_string(path).ok()?;
        let mut as_written = |_: &str, version: &str| Ok(version.to_string());
        let work = WorkFile::parse(path.as_str(), &text, Some(&mut as_written)).ok()?;
        let base = path.parent()?;
        let members = work.uses.iter().filter_map(|used| {
            let dir = steady_system::clean(&base.join(&used.path));
            let text = modules.files.read_to_string(dir.join("go.mod")).ok()?;
            let path = ModFile::module_path(&text);
            (!path.is_empty()).then_some((path, dir))
        });
        Some(Workspace {
            members: members.collect(),
        })
    }

    /// Whether a member has a package.
    pub fn has(&self, modules: &Modules, package: &str) -> bool {
        self.members.iter().any(|(path, dir)| {
            let root = ModuleDir {
                dir: dir.clone(),
                local: true,
            };
            modules.dir_in_module(package, path, &root).is_some()
        })
    }

    /// The workspace that the main module is a member of, as it will be with its requirements. It sets go.sum files of its own.
    pub fn entered(&self, modules: &Modules, reqs: &Reqs) -> Result<Option<Modules>> {
        let Some(main) = modules.mains.first() else {
            return Ok(None);
        };
        if self.members.iter().all(|(path, _)| *path != main.path) {
            return Ok(None);
        }
        let Some((_, file)) = modules.updated_go_mod(reqs, &CommitOptions::default())? else {
            return Ok(None);
        };
        let mut config = modules.config.clone();
        config.workspace = true;
        config.mod_flag.clear();
        config.default_mode = Some(ModMode::Mod);
        let (files, index) = (modules.files.clone(), Arc::clone(&modules.index));
        let mut whole = Modules::open(config, files, index, Arc::clone(&modules.fetcher))?;
        whole.replace_go_mod(&main.path, file);
        Ok(Some(whole))
    }
}

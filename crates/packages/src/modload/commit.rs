//! Writing go.mod and go.sum back.

use super::packages::ModulePackages;
use super::reqs::Reqs;
use super::{MainModule, ModError, ModMode, Modules, Result};
use std::sync::Arc;
use steady_module::changes::changes;
use steady_module::modfile::{ModFile, Require};
use steady_module::{ModuleVersion, gover};

/// What is written beside requirements.
#[derive(Debug, Clone, Default)]
pub struct CommitOptions {
    /// The command is `mod tidy`: surplus sums go.
    pub tidy: bool,
    /// No `toolchain` line.
    pub drop_toolchain: bool,
    /// The `toolchain` line was asked for, so even an old one stays.
    pub explicit_toolchain: bool,
    /// Packages that become tools.
    pub add_tools: Vec<String>,
    /// Packages that are tools no longer.
    pub drop_tools: Vec<String>,
}

impl Modules {
    /// go.mod as it is and as it would be with requirements; `None` without a main module, or in a workspace.
    ///
    /// # Errors
    /// It would ask for a newer Go than this run acts as.
    pub fn updated_go_mod(
        &self,
        reqs: &Reqs,
        options: &CommitOptions,
    ) -> Result<Option<(String, ModFile)>> {
        let (Some(main), None) = (self.mains.first(), &self.work) else {
            return Ok(None);
        };
        let mut file = main.file.clone();
        let before = file.format();
        let mut list = Vec::with_capacity(reqs.roots.len());
        let (mut go, mut toolchain) = (String::new(), String::new());
        for root in &reqs.roots {
            match root.path.as_str() {
                "go" => go.clone_from(&root.version),
                "toolchain" => toolchain.clone_from(&root.version),
                path if self.is_unnamed_neighbour(path) => {}
                _ => list.push(Require {
                    module: root.clone(),
                    indirect: !reqs.direct.contains(&root.path),
                }),
            }
        }
        if self.is_too_new(&go) {
            return Err(ModError::TooNew {
                what: "updating go.mod".to_string(),
                wanted: go,
                running: self.config.go_version.clone(),
                explain: self.config.toolchain_explain.clone(),
            });
        }
        let known = file.go.as_ref().map(|go| go.value.clone());
        let silent =
            known.is_none() && go == gover::DEFAULT_GO_MOD_VERSION && self.mode != ModMode::Mod;
        if known.as_deref() != Some(&go) && !silent {
            file.set_go(&go).map_err(ModError::Message)?;
        }
        if toolchain.is_empty() {
            toolchain = format!("go{go}");
        }
        let version = gover::from_toolchain(&toolchain);
        let needless = gover::compare(version, gover::GO_STRICT_VERSION).is_lt();
        if options.drop_toolchain
            || toolchain == format!("go{go}")
            || needless && !options.explicit_toolchain
        {
            file.drop_toolchain();
        } else {
            file.set_toolchain(&toolchain).map_err(ModError::Message)?;
        }
        for path in &options.add_tools {
            file.add_tool(path);
        }
        for path in &options.drop_tools {
            file.drop_tool(path);
        }
        if gover::compare(&go, gover::SEPARATE_INDIRECT_VERSION).is_lt() {
            file.set_require(&list);
        } else {
            file.set_require_separate_indirect(&list);
        }
        file.cleanup();
        Ok(Some((before, file)))
    }

    /// Whether go.mod may stay as it is.
    ///
    /// # Errors
    /// [`ModError::Dirty`] if not.
    pub(super) fn must_be_clean(&self) -> Result<()> {
        let updated = self.updated_go_mod(&self.reqs(), &CommitOptions::default())?;
        match (updated, self.mains.first()) {
            (Some((_, file)), Some(main)) if self.is_dirty(main, &file) => Err(self.dirty()),
            _ => Ok(()),
        }
    }

    /// Writes go.mod and go.sum as requirements and the packages loaded with them ask for. Nothing is touched that would not change.
    ///
    /// # Errors
    /// [`ModError::Dirty`] if go.mod may not change; files that cannot be written.
    pub fn commit(
        &self,
        reqs: &Arc<Reqs>,
        packages: Option<&ModulePackages>,
        options: &CommitOptions,
    ) -> Result<()> {
        self.set_reqs(Arc::clone(reqs));
        let updated = self.updated_go_mod(reqs, options)?;
        if let (Some((_, file)), Some(main)) = (updated, self.mains.first()) {
            let dirty = self.is_dirty(main, &file)
                || !options.add_tools.is_empty()
                || !options.drop_tools.is_empty();
            if dirty && self.mode != ModMode::Mod {
                return Err(self.dirty());
            }
            // mod tidy puts the file into its standard form, even if it says the same.
            if dirty || options.tidy {
                self.write_go_mod(&file.format())?;
            }
        }
        self.commit_sums(reqs, packages, options)
    }

    /// Writes go.sum alone.
    fn commit_sums(
        &self,
        reqs: &Arc<Reqs>,
        packages: Option<&ModulePackages>,
        options: &CommitOptions,
    ) -> Result<()> {
        // In a workspace only new sums are written: go.work.sum is never made smaller here.
        if self.mains.is_empty() || self.work.is_some() && !self.fetcher.has_new_sums() {
            return Ok(());
        }
        let keep = self.keep_sums(packages, reqs, options.tidy, true);
        let written = self.fetcher.write_go_sum(&keep, self.must_be_complete());
        written.map_err(|error| match error.kind() {
            steady_proxy::Kind::GoSumDirty => ModError::from(error),
            _ => error.into(),
        })
    }

    /// Whether the contents of go.mod differ in what they mean.
    fn is_dirty(&self, main: &MainModule, new: &ModFile) -> bool {
        let old = &main.file;
        let value = |entry: &Option<steady_module::modfile::Entry<String>>| {
            entry.as_ref().map(|entry| entry.value.clone())
        };
        let mut requires: Vec<(ModuleVersion, bool)> = Vec::new();
        let mut wanted: Vec<(ModuleVersion, bool)> = Vec::new();
        for (file, list) in [(old, &mut requires), (new, &mut wanted)] {
            list.extend(
                file.require
                    .iter()
                    .map(|require| (require.module.clone(), require.indirect)),
            );
            list.sort();
        }
        // Which requirements are marked as indirect is no reason to refuse a build.
        let strict = self.mode == ModMode::Mod;
        let same = requires.len() == wanted.len()
            && requires
                .iter()
                .zip(&wanted)
                .all(|(a, b)| a.0 == b.0 && (!strict || a.1 == b.1));
        main.needs_fix
            || !same
            || value(&old.toolchain) != value(&new.toolchain)
            || value(&old.go) != value(&new.go)
    }

    fn write_go_mod(&self, text: &str) -> Result<()> {
        let Some(main) = self.mains.first() else {
            return Ok(());
        };
        if self
            .files
            .overlay()
            .is_some_and(|overlay| overlay.entries().any(|(from, _)| from == main.go_mod))
        {
            return Err(ModError::message(
                "updates to go.mod needed, but go.mod is part of the overlay specified with -overlay",
            ));
        }
        if self
            .files
            .read(&main.go_mod)
            .is_ok_and(|old| old == text.as_bytes())
        {
            return Ok(());
        }
        if self.config.locked {
            return Err(ModError::Locked {
                file: main.go_mod.clone(),
                changes: changes(&main.text, text),
            });
        }
        let _side = self.fetcher.side_lock();
        let read = &main.text;
        let written = self.files.transform(&main.go_mod, |old| {
            if old != read.as_bytes() {
                return Err(ModError::message(
                    "existing contents have changed since last read",
                ));
            }
            Ok(text.as_bytes().to_vec())
        });
        written.map_err(|error| error.context("updating go.mod"))
    }
}

//! From a directory to its modules: go.mod or go.work, the sums that count, and what `-mod` means for them.

use super::find::{find_go_mod, find_go_work};
use super::{Allowed, MainModule, ModConfig, ModError, ModMode, Modules, ReplaceBy, Reqs, Result};
use crate::godebug::GodebugTable;
use crate::index::Index;
use crate::patterns::IgnorePatterns;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, RwLock};
use steady_graph::Pruning;
use steady_module::modfile::{Entry, Godebug, ModFile, Replace};
use steady_module::path::{PathError, check_import_path};
use steady_module::{ModuleVersion, gover};
use steady_proxy::{Fetcher, KnownSums, SumFiles};
use steady_system::Files;

/// How go shows a path: relative to the working directory if that is shorter.
pub(super) fn short(path: &Utf8Path, cwd: &Utf8Path) -> String {
    match steady_system::relative(cwd, path) {
        Some(relative) if relative.as_str().len() < path.as_str().len() => relative.to_string(),
        _ => path.to_string(),
    }
}

/// Whether the `tool` lines name what can be a package.
fn check_tools(file: &ModFile) -> Result<()> {
    for tool in &file.tool {
        if let Err(PathError::Path { path, reason, .. }) = check_import_path(&tool.value) {
            let kind = "tool";
            let error = PathError::Path { kind, path, reason };
            return Err(ModError::Message(error.to_string()));
        }
    }
    Ok(())
}

impl Modules {
    /// Finds and reads the modules of a run. Without a go.mod there are no main modules; what needs one fails later.
    ///
    /// # Errors
    /// Files that cannot be read, that ask for a newer Go, or that do not agree with vendor/modules.txt.
    pub fn open(
        config: ModConfig,
        files: Files,
        index: Arc<Index>,
        fetcher: Arc<Fetcher>,
    ) -> Result<Modules> {
        let mut modules = Modules {
            files,
            index,
            fetcher,
            mains: Vec::new(),
            work: None,
            mode: ModMode::ReadOnly,
            mode_reason: String::new(),
            reqs: RwLock::new(Arc::new(Reqs::new(
                Pruning::Pruned,
                Vec::new(),
                BTreeSet::new(),
            ))),
            replace: HashMap::new(),
            exclude: HashSet::new(),
            vendor: None,
            summaries: Mutex::default(),
            dirs: Mutex::default(),
            newest: Mutex::default(),
            has_dirs: Mutex::default(),
            failed: Mutex::default(),
            config,
        };
        if modules.enabled() && !modules.config.no_main_module {
            modules.read_main_modules()?;
        }
        modules.choose_mode()?;
        modules.fetcher.set_sum_files(modules.sum_files());
        if modules.mode == ModMode::Vendor {
            modules.read_vendor()?;
        }
        Ok(modules)
    }

    fn read_main_modules(&mut self) -> Result<()> {
        if self.config.workspace {
            let found = find_go_work(
                &self.files,
                &self.config.cwd,
                &self.config.gowork,
                &self.config.goroot,
            );
            if let Some(path) =
                found.map_err(|error| ModError::Message(format!("invalid GOWORK: {error}")))?
            {
                if !self.config.modfile.is_empty() {
                    return Err(ModError::Message(
                        "-modfile cannot be used in workspace mode".into(),
                    ));
                }
                return self.read_workspace(path);
            }
        }
        let from = self.config.main_dir.as_ref().unwrap_or(&self.config.cwd);
        let Some(go_mod) = find_go_mod(&self.files, from) else {
            if !self.config.modfile.is_empty() {
                return Err(ModError::Message("cannot find main module, but -modfile was set.\n\t-modfile cannot be used to set the module root directory.".into()));
            }
            return Ok(());
        };
        let dir = go_mod.parent().unwrap_or(Utf8Path::new("/")).to_owned();
        let path = match self.config.modfile.as_str() {
            "" => go_mod,
            other if !other.ends_with(".mod") => {
                return Err(ModError::Message(format!(
                    "-modfile={other}: file does not have .mod extension"
                )));
            }
            other if !self.files.exists(other) => {
                return Err(ModError::File(format!(
                    "open {other}: no such file or directory"
                )));
            }
            other => self.files.absolute(other),
        };
        let main = self.read_main(path, dir)?;
        self.check_go_version(main.file.go.as_ref(), || {
            short(&main.go_mod, &self.config.cwd)
        })?;
        self.check_godebug("go.mod", &main.go_mod, &main.file.godebug)?;
        self.exclude.extend(
            main.file
                .exclude
                .iter()
                .map(|exclude| exclude.value.clone()),
        );
        let mut reqs = reqs_of(&main.file);
        let word =
            if self.config.mod_flag == "mod" || self.config.default_mode == Some(ModMode::Mod) {
                "dropping"
            } else {
                "ignoring"
            };
        reqs.0.retain(|root| {
            let excluded = self.exclude.contains(root);
            if excluded {
                self.fetcher.warn(&format!(
                    "{word} requirement on excluded version {} {}",
                    root.path, root.version
                ));
            }
            !excluded
        });
        let pruning = Pruning::for_go_version(main.go_version());
        self.set_reqs(Arc::new(Reqs::new(pruning, reqs.0, reqs.1)));
        self.add_replacements(&main.file.replace, &main.dir, &main.go_mod);
        self.add_neighbours(&main.path);
        self.mains.push(main);
        Ok(())
    }

    fn add_replacements(
        &mut self,
        replacements: &[Entry<Replace>],
        base: &Utf8Path,
        file: &Utf8Path,
    ) {
        for replace in replacements {
            self.replace.insert(
                replace.old.clone(),
                ReplaceBy {
                    written: replace.new.clone(),
                    replace: replace.value.clone(),
                    base: base.to_owned(),
                    file: file.to_owned(),
                },
            );
        }
    }

    pub(super) fn read_main(&self, go_mod: Utf8PathBuf, dir: Utf8PathBuf) -> Result<MainModule> {
        let bytes = self
            .files
            .read(&go_mod)
            .map_err(|error| ModError::File(format!("open {go_mod}: {}", error.cause())))?;
        let text = String::from_utf8_lossy(&bytes);
        let shown = short(&go_mod, &self.config.cwd);
        let mut needs_fix = false;
        let mut fix = |path: &str, version: &str| {
            let fixed = self.fix_version(path, version)?;
            needs_fix |= fixed != version;
            Ok(fixed)
        };
        let file = ModFile::parse(&shown, &text, Some(&mut fix)).map_err(|errors| {
            // What a newer release has to say may be said in words that this one does not know.
            let too_new = ModFile::parse_lax(&shown, &text, None)
                .ok()
                .and_then(|file| {
                    self.check_go_version(file.go.as_ref(), || shown.clone())
                        .err()
                });
            too_new.unwrap_or_else(|| ModError::Parse {
                file: shown.clone(),
                errors: errors.to_string(),
            })
        })?;
        let path = match &file.module {
            Some(module) => module.path.clone(),
            None => {
                return Err(ModError::Message(format!(
                    "error reading {shown}: missing module declaration. To specify the module path:\n\tgo mod edit -module=example.com/mod"
                )));
            }
        };
        if gover::is_toolchain(&path) {
            return Err(ModError::Message(format!(
                "error reading {shown}: invalid module path: {path:?}"
            )));
        }
        if let Err(PathError::Path { path, reason, .. }) = check_import_path(&path) {
            return Err(PathError::Path {
                kind: "module",
                path,
                reason,
            }
            .into());
        }
        check_tools(&file)?;
        let ignore = IgnorePatterns::new(
            &file
                .ignore
                .iter()
                .map(|ignore| ignore.value.clone())
                .collect::<Vec<_>>(),
        );
        Ok(MainModule {
            path,
            dir,
            go_mod,
            text: Arc::from(text.as_ref()),
            file,
            needs_fix,
            ignore,
        })
    }

    /// What go.mod may have instead of a canonical version is looked up.
    fn fix_version(&self, path: &str, version: &str) -> std::result::Result<String, String> {
        let invalid = |reason: String| format!("version {version:?} invalid: {reason}");
        let Some((_, major)) = steady_module::path::split_path_version(path) else {
            return Err(invalid(format!("malformed module path {path:?}")));
        };
        if !version.is_empty() && steady_module::path::canonical_version(version) == version {
            return match steady_module::path::check_path_major(version, major) {
                Ok(()) => Ok(version.to_string()),
                Err(error) => Err(invalid(error)),
            };
        }
        let found = self.query(path, version, "", Allowed::Any);
        found
            .map(|found| found.version)
            .map_err(|error| super::error::bare_text(&error))
    }

    /// The settings of `godebug` lines are those that the toolchain knows.
    pub(super) fn check_godebug(
        &self,
        name: &str,
        path: &Utf8Path,
        lines: &[Entry<Godebug>],
    ) -> Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let table = GodebugTable::load(&self.files, &self.config.goroot)?;
        let local = Some(self.config.go_version.as_str());
        let wrong = lines.iter().filter_map(|line| {
            let reason = table
                .check("godebug", &line.key, &line.value.value, local)
                .err()?;
            let shown = short(path, &self.config.cwd);
            Some(ModError::Message(format!(
                "error loading {name}:\n{shown}:{}: {reason}",
                line.at.line
            )))
        });
        match wrong.collect::<Vec<_>>() {
            errors if errors.is_empty() => Ok(()),
            errors => Err(ModError::many(errors)),
        }
    }

    /// Whether a go line asks for a newer Go than this run acts as. A tree that does not say which release it is does for all.
    pub(super) fn is_too_new(&self, go: &str) -> bool {
        let running = &self.config.go_version;
        !running.is_empty() && gover::compare(go, running).is_gt()
    }

    pub(super) fn check_go_version(
        &self,
        go: Option<&Entry<String>>,
        what: impl Fn() -> String,
    ) -> Result<()> {
        match go {
            Some(go) if self.is_too_new(&go.value) => Err(ModError::TooNew {
                what: what(),
                wanted: go.value.clone(),
                running: self.config.go_version.clone(),
                explain: self.config.toolchain_explain.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn choose_mode(&mut self) -> Result<()> {
        self.mode = match self.config.mod_flag.as_str() {
            "" => match self.config.default_mode {
                Some(mode) => mode,
                None => self.automatic_mode()?,
            },
            "readonly" => ModMode::ReadOnly,
            "vendor" => ModMode::Vendor,
            "mod" if self.work.is_some() => {
                return Err(ModError::Message(
                    "-mod may only be set to readonly or vendor when in workspace mode, but it is set to \"mod\"\n\tRemove the -mod flag to use the default readonly value, \n\tor set GOWORK=off to disable workspace mode.".into(),
                ));
            }
            "mod" => ModMode::Mod,
            other => {
                return Err(ModError::Message(format!(
                    "-mod={other} not supported (can be '', 'mod', 'readonly', or 'vendor')"
                )));
            }
        };
        Ok(())
    }

    /// The sums of this run, for another look at some of its modules.
    ///
    /// # Errors
    /// A go.sum file cannot be read.
    pub fn known_sums(&self) -> Result<Arc<KnownSums>> {
        let known = self.fetcher.known_sums()?;
        Ok(Arc::new(known))
    }

    /// The go.sum files of this run.
    #[must_use]
    pub fn sum_files(&self) -> SumFiles {
        let beside = |main: &MainModule| main.go_mod.with_extension("sum");
        match &self.work {
            Some((path, _)) => SumFiles {
                main: Some(Utf8PathBuf::from(format!("{path}.sum"))),
                workspace: self.mains.iter().map(beside).collect(),
            },
            None => SumFiles {
                main: self.mains.first().map(beside),
                workspace: Vec::new(),
            },
        }
    }
}

/// The roots that a go.mod gives, and which of them are direct.
pub(super) fn reqs_of(file: &ModFile) -> (Vec<ModuleVersion>, BTreeSet<String>) {
    let mut roots: Vec<ModuleVersion> = Vec::with_capacity(file.require.len() + 2);
    let mut direct = BTreeSet::new();
    for require in &file.require {
        roots.push(require.module.clone());
        if !require.indirect {
            direct.insert(require.module.path.clone());
        }
    }
    let go = file.go.as_ref().map_or("", |go| &go.value);
    let version = if go.is_empty() {
        gover::DEFAULT_GO_MOD_VERSION
    } else {
        go
    };
    roots.push(ModuleVersion::new("go", version));
    direct.insert("go".to_string());
    if let Some(toolchain) = &file.toolchain {
        roots.push(ModuleVersion::new("toolchain", toolchain.value.clone()));
    }
    (roots, direct)
}

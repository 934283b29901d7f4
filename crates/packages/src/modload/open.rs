//! From a directory to its modules: go.mod, go.work, vendor/modules.txt, and what `-mod` means for them.

use super::find::{find_go_mod, find_go_work};
use super::{
    Allowed, MainModule, ModConfig, ModError, ModMode, Modules, ReplaceBy, Reqs, Result, Vendor,
};
use crate::godebug::GodebugTable;
use crate::index::Index;
use crate::patterns::IgnorePatterns;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, RwLock};
use steady_graph::Pruning;
use steady_module::modfile::{Entry, Godebug, ModFile, Replace, WorkFile};
use steady_module::modules_txt::{ModulesTxt, VendoredModule};
use steady_module::path::{PathError, check_import_path};
use steady_module::{ModuleVersion, gover};
use steady_proxy::{Fetcher, SumFiles};
use steady_system::Files;

/// From this `go` line on, vendor/modules.txt says enough to be held against go.mod.
const VENDOR_VERSION: &str = "1.14";

/// How go shows a path: relative to the working directory if that is shorter.
pub(super) fn short(path: &Utf8Path, cwd: &Utf8Path) -> String {
    match steady_system::relative(cwd, path) {
        Some(relative) if relative.as_str().len() < path.as_str().len() => relative.to_string(),
        _ => path.to_string(),
    }
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
        let Some(go_mod) = find_go_mod(&self.files, &self.config.cwd) else {
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
        self.add_replacements(&main.file.replace, &main.dir);
        self.mains.push(main);
        Ok(())
    }

    fn read_workspace(&mut self, path: Utf8PathBuf) -> Result<()> {
        let cwd = self.config.cwd.clone();
        let text = self
            .files
            .read_to_string(&path)
            .map_err(|error| ModError::Message(format!("reading go.work: {error}")))?;
        let mut as_written = |_: &str, version: &str| Ok(version.to_string());
        let work = WorkFile::parse(&short(&path, &cwd), &text, Some(&mut as_written)).map_err(
            |errors| ModError::Parse {
                file: short(&path, &cwd),
                errors: errors.to_string(),
            },
        )?;
        self.check_go_version(work.go.as_ref(), || short(&path, &cwd))?;
        let base = path.parent().unwrap_or(Utf8Path::new("/")).to_owned();
        let mut seen: HashMap<Utf8PathBuf, String> = HashMap::new();
        for used in &work.uses {
            let dir = steady_system::clean(&base.join(&used.path));
            if seen.insert(dir.clone(), used.path.clone()).is_some() {
                return Err(ModError::Message(format!(
                    "error loading go.work:\n{}:{}: path {} appears multiple times in workspace",
                    short(&path, &cwd),
                    used.at.line,
                    dir
                )));
            }
            let go_mod = dir.join("go.mod");
            let main = self
                .read_main(go_mod, dir.clone())
                .map_err(|error| match error {
                    ModError::File(reason) => ModError::WorkModule {
                        shown: short(&dir, &cwd),
                        reason,
                    },
                    other => other,
                })?;
            self.check_member(&main, &work)?;
            self.mains.push(main);
        }
        self.check_godebug("go.work", &path, &work.godebug)?;
        let mut roots: Vec<ModuleVersion> = self
            .mains
            .iter()
            .map(|main| ModuleVersion::new(main.path.clone(), ""))
            .collect();
        let go = work
            .go
            .as_ref()
            .map_or(gover::DEFAULT_GO_WORK_VERSION, |go| &go.value);
        roots.push(ModuleVersion::new("go", go));
        if let Some(toolchain) = work
            .toolchain
            .as_ref()
            .filter(|toolchain| toolchain.value != "default")
        {
            roots.push(ModuleVersion::new("toolchain", toolchain.value.clone()));
        }
        let mut direct = BTreeSet::new();
        for main in &self.mains {
            direct.extend(reqs_of(&main.file).1);
            self.exclude.extend(
                main.file
                    .exclude
                    .iter()
                    .map(|exclude| exclude.value.clone()),
            );
        }
        self.set_reqs(Arc::new(Reqs::new(Pruning::Workspace, roots, direct)));
        self.add_member_replacements(&work)?;
        self.add_replacements(&work.replace, &base);
        self.work = Some((path, work));
        Ok(())
    }

    fn check_member(&self, main: &MainModule, work: &WorkFile) -> Result<()> {
        if let Some(other) = self.mains.iter().find(|other| other.path == main.path) {
            return Err(ModError::Message(format!(
                "module {} appears multiple times in workspace",
                other.path
            )));
        }
        let work_version = work
            .go
            .as_ref()
            .map_or(gover::DEFAULT_GO_WORK_VERSION, |go| &go.value);
        if gover::compare(main.go_version(), work_version).is_gt() {
            let shown = short(&main.dir, &self.config.cwd);
            let listed = if work.go.is_none() {
                "but go.work implicitly requires go 1.18".to_string()
            } else {
                format!("but go.work lists go {work_version}")
            };
            return Err(ModError::Message(format!(
                "module {shown} listed in go.work file requires go >= {}, {listed}; to update it:\n\tgo work use",
                main.go_version()
            )));
        }
        Ok(())
    }

    /// Replacements of members count for all unless go.work replaces the same; two that differ are refused.
    fn add_member_replacements(&mut self, work: &WorkFile) -> Result<()> {
        let mut seen: HashMap<ModuleVersion, (Replace, Utf8PathBuf)> = HashMap::new();
        let overridden: HashSet<&ModuleVersion> =
            work.replace.iter().map(|replace| &replace.old).collect();
        for main in &self.mains {
            for replace in &main.file.replace {
                if overridden.contains(&replace.old)
                    || overridden
                        .iter()
                        .any(|old| old.path == replace.old.path && old.version.is_empty())
                {
                    continue;
                }
                let target = |replace: &Replace, base: &Utf8Path| match replace.new.version.as_str()
                {
                    "" => ModuleVersion::new(
                        steady_system::clean(&base.join(&replace.new.path)).to_string(),
                        "",
                    ),
                    _ => replace.new.clone(),
                };
                if let Some((other, base)) = seen.get(&replace.old)
                    && target(other, base) != target(replace, &main.dir)
                {
                    return Err(ModError::Message(format!(
                        "conflicting replacements for {}:\n\t{}\n\t{}\nuse \"go work edit -replace {}=[override]\" to resolve",
                        replace.old.path,
                        target(other, base),
                        target(replace, &main.dir),
                        replace.old.path
                    )));
                }
                seen.insert(
                    replace.old.clone(),
                    (replace.value.clone(), main.dir.clone()),
                );
            }
        }
        for (old, (replace, base)) in seen {
            self.replace.insert(old, ReplaceBy { replace, base });
        }
        Ok(())
    }

    fn add_replacements(&mut self, replacements: &[Entry<Replace>], base: &Utf8Path) {
        for replace in replacements {
            self.replace.insert(
                replace.old.clone(),
                ReplaceBy {
                    replace: replace.value.clone(),
                    base: base.to_owned(),
                },
            );
        }
    }

    fn read_main(&self, go_mod: Utf8PathBuf, dir: Utf8PathBuf) -> Result<MainModule> {
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
    fn check_godebug(&self, name: &str, path: &Utf8Path, lines: &[Entry<Godebug>]) -> Result<()> {
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

    fn check_go_version(
        &self,
        go: Option<&Entry<String>>,
        what: impl Fn() -> String,
    ) -> Result<()> {
        match go {
            Some(go) if gover::compare(&go.value, &self.config.go_version).is_gt() => {
                Err(ModError::TooNew {
                    what: what(),
                    wanted: go.value.clone(),
                    running: self.config.go_version.clone(),
                    explain: self.config.toolchain_explain.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    fn choose_mode(&mut self) -> Result<()> {
        self.mode = match self.config.mod_flag.as_str() {
            "" => match self.config.default_mode {
                Some(mode) => mode,
                None => self.automatic_mode(),
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

    /// A vendor directory is used when go.mod is new enough to be held against it, and when it was made for the same modules.
    fn automatic_mode(&mut self) -> ModMode {
        if self.config.no_main_module {
            return ModMode::Mod;
        }
        let Some(dir) = self.vendor_place().filter(|dir| self.files.is_dir(dir)) else {
            return ModMode::ReadOnly;
        };
        let (file, go) = match (&self.work, self.mains.first()) {
            (Some((_, work)), _) => ("go.work", work.go.as_ref()),
            (None, main) => ("go.mod", main.and_then(|main| main.file.go.as_ref())),
        };
        let unused = |version: &str| {
            format!("Go version in {file} is {version}, so vendor directory was not used.")
        };
        let text = self.files.read_to_string(dir.join("modules.txt"));
        let of_workspace = text.is_ok_and(|text| ModulesTxt::parse(&text).workspace);
        let (mode, reason) = match go {
            None => (ModMode::ReadOnly, unused("unspecified")),
            Some(go) if gover::compare(&go.value, VENDOR_VERSION).is_lt() => {
                (ModMode::ReadOnly, unused(&go.value))
            }
            Some(_) => match (of_workspace, self.work.is_some()) {
                (true, false) => (
                    ModMode::ReadOnly,
                    "Outside workspace mode, but vendor directory is for a workspace.".to_string(),
                ),
                (false, true) => (
                    ModMode::ReadOnly,
                    "In workspace mode, but vendor directory is not for a workspace".to_string(),
                ),
                _ => (
                    ModMode::Vendor,
                    format!(
                        "Go version in {file} is at least {VENDOR_VERSION} and vendor directory exists."
                    ),
                ),
            },
        };
        self.mode_reason = reason;
        mode
    }

    fn vendor_place(&self) -> Option<Utf8PathBuf> {
        match &self.work {
            Some((path, _)) => path.parent().map(|dir| dir.join("vendor")),
            None => self.mains.first().map(|main| main.dir.join("vendor")),
        }
    }

    fn sum_files(&self) -> SumFiles {
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

    fn read_vendor(&mut self) -> Result<()> {
        let Some(dir) = self.vendor_place() else {
            return Ok(());
        };
        let text = self
            .files
            .read_to_string(dir.join("modules.txt"))
            .unwrap_or_default();
        let vendor = Vendor {
            txt: ModulesTxt::parse(&text),
            dir,
        };
        self.check_vendor(&vendor.txt)?;
        self.vendor = Some(vendor);
        Ok(())
    }

    /// Holds modules.txt against go.mod (or the go.mod files of a workspace), from `go 1.14` on.
    fn check_vendor(&self, txt: &ModulesTxt) -> Result<()> {
        let Some(first) = self.mains.first() else {
            return Ok(());
        };
        if self.work.is_none() && gover::compare(first.go_version(), "1.14").is_lt() {
            return Ok(());
        }
        let mut details = String::new();
        let none = VendoredModule::default();
        let mut named = HashSet::new();
        for require in self.mains.iter().flat_map(|main| &main.file.require) {
            let module = &require.module;
            named.insert(module.clone());
            if self.main(&module.path).is_some() {
                continue;
            }
            match txt.meta.get(module) {
                Some(meta) if meta.explicit => {}
                _ => {
                    details += &format!(
                        "\n\t{module}: is explicitly required in go.mod, but not marked as explicit in vendor/modules.txt"
                    )
                }
            }
        }
        let mut replaced: Vec<&ReplaceBy> = self.replace.values().collect();
        replaced.sort_by(|a, b| a.replace.old.cmp(&b.replace.old));
        for by in replaced {
            let meta = txt.meta.get(&by.replace.old).unwrap_or(&none);
            if meta.replacement.path.is_empty() {
                details += &format!(
                    "\n\t{}: is replaced in go.mod, but not marked as replaced in vendor/modules.txt",
                    by.replace.old
                );
            } else if self.work.is_none() && meta.replacement != by.replace.new {
                details += &format!(
                    "\n\t{}: is replaced by {} in go.mod, but marked as replaced by {} in vendor/modules.txt",
                    by.replace.old, by.replace.new, meta.replacement
                );
            }
        }
        for (module, meta) in &txt.meta {
            if meta.explicit && !named.contains(module) {
                details += &format!(
                    "\n\t{module}: is marked as explicit in vendor/modules.txt, but not explicitly required in go.mod"
                );
            }
            if !meta.replacement.path.is_empty()
                && !self.replace.contains_key(module)
                && !self
                    .replace
                    .contains_key(&ModuleVersion::new(module.path.clone(), ""))
            {
                details += &format!(
                    "\n\t{module}: is marked as replaced in vendor/modules.txt, but not replaced in go.mod"
                );
            }
        }
        if details.is_empty() {
            return Ok(());
        }
        let (dir, command) = match &self.work {
            Some((path, _)) => (path.parent().unwrap_or(path).to_owned(), "go work vendor"),
            None => (first.dir.clone(), "go mod vendor"),
        };
        Err(ModError::Vendoring {
            dir,
            details,
            command: command.into(),
        })
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

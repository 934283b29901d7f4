//! A vendor directory that is there: whether it is used, and whether it agrees with go.mod.

use super::super::open::short;
use super::super::{ModError, ModMode, Modules, Result, Vendor};
use std::collections::HashSet;
use steady_graph::Pruning;
use steady_module::modfile::{Entry, Replace};
use steady_module::modules_txt::{ModulesTxt, VendoredModule};
use steady_module::{ModuleVersion, gover};

/// From this version of the main module on, modules.txt says enough to be held against go.mod.
const BINDING: &str = "1.14";

/// What disagrees, a line each with a line break before it.
#[derive(Default)]
struct Disagreements(String);

impl Disagreements {
    fn add(&mut self, module: &ModuleVersion, what: &str) {
        self.0 += &format!("\n\t{}: {what}", described(module));
    }
}

fn described(module: &ModuleVersion) -> String {
    match module.version.as_str() {
        "" => module.path.clone(),
        _ => module.to_string(),
    }
}

impl Modules {
    /// What `-mod` means when nobody says it: a vendor directory is used when it was made for this mode, and when the `go` line is new
    /// enough for it to be held against go.mod.
    pub(in super::super) fn automatic_mode(&mut self) -> Result<ModMode> {
        if self.config.no_main_module {
            return Ok(ModMode::Mod);
        }
        let Some(dir) = self.vendor_place().filter(|_| !self.mains.is_empty()) else {
            return Ok(ModMode::ReadOnly);
        };
        if !self.files.is_dir(&dir) {
            return Ok(ModMode::ReadOnly);
        }
        let (file, version) = match &self.work {
            Some((_, work)) => ("go.work", work.go.as_ref()),
            None => ("go.mod", self.mains[0].file.go.as_ref()),
        };
        let version = version.map_or("", |go| &go.value);
        let reason = if version.is_empty() {
            format!("Go version in {file} is unspecified, so vendor directory was not used.")
        } else if gover::compare(version, BINDING).is_lt() {
            format!("Go version in {file} is {version}, so vendor directory was not used.")
        } else {
            let text = self.files.read_if_exists(dir.join("modules.txt"));
            let text = text.map_err(|error| {
                ModError::Message(format!("reading modules.txt for vendor directory: {error}"))
            })?;
            let text = String::from_utf8_lossy(text.as_deref().unwrap_or_default()).into_owned();
            match (ModulesTxt::parse(&text).workspace, self.work.is_some()) {
                (true, false) => {
                    "Outside workspace mode, but vendor directory is for a workspace.".to_string()
                }
                (false, true) => {
                    "In workspace mode, but vendor directory is not for a workspace".to_string()
                }
                _ => {
                    self.mode_reason = format!(
                        "Go version in {file} is at least {BINDING} and vendor directory exists."
                    );
                    return Ok(ModMode::Vendor);
                }
            }
        };
        self.mode_reason = reason;
        Ok(ModMode::ReadOnly)
    }

    /// The version of a module as far as go.mod files and modules.txt tell.
    pub(in super::super) fn selected_in_vendor(
        &self,
        txt: &ModulesTxt,
        path: &str,
    ) -> Option<ModuleVersion> {
        let reqs = self.reqs();
        let version = if reqs.pruning == Pruning::Pruned {
            reqs.root(path).map(str::to_string)
        } else {
            let requires = self.mains.iter().flat_map(|main| &main.file.require);
            let named = requires
                .filter(|require| require.module.path == path)
                .map(|require| require.module.version.as_str());
            let vendored = txt.versions.get(path).map(String::as_str);
            let newest = named
                .chain(reqs.root(path))
                .chain(vendored)
                .max_by(|a, b| steady_graph::compare(path, a, b));
            newest.map(str::to_string)
        };
        version.map(|version| ModuleVersion::new(path, version))
    }

    pub(in super::super) fn read_vendor(&mut self) -> Result<()> {
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
        self.check_go_versions(&vendor)?;
        self.check_vendor(&vendor.txt)?;
        self.vendor = Some(vendor);
        Ok(())
    }

    /// No vendored module may need a newer Go than there is.
    fn check_go_versions(&self, vendor: &Vendor) -> Result<()> {
        for (module, meta) in &vendor.txt.meta {
            if gover::compare(&meta.go_version, &self.config.go_version).is_gt() {
                let file = vendor.dir.join("modules.txt");
                return Err(ModError::TooNew {
                    what: format!("{} in {}", module.path, short(&file, &self.config.cwd)),
                    wanted: meta.go_version.clone(),
                    running: self.config.go_version.clone(),
                    explain: self.config.toolchain_explain.clone(),
                });
            }
        }
        Ok(())
    }

    /// What modules.txt says otherwise than go.mod (or the go.mod files of a workspace and go.work), a line each.
    #[must_use]
    pub fn vendor_disagreements(&self, txt: &ModulesTxt) -> Vec<String> {
        let lines = self.disagreements(txt);
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    }

    fn disagreements(&self, txt: &ModulesTxt) -> String {
        let Some(first) = self.mains.first() else {
            return String::new();
        };
        let version = first.file.go.as_ref().map_or("", |go| &go.value);
        let binding = self.work.is_some() || gover::compare(version, BINDING).is_ge();
        let mut found = Disagreements::default();
        self.check_requirements(txt, binding, &mut found);
        let mut seen = HashSet::new();
        let members = self.mains.iter().flat_map(|main| &main.file.replace);
        let work = self.work_file().into_iter().flat_map(|work| &work.replace);
        for replace in members.chain(work) {
            if seen.insert(&replace.old) {
                self.check_replacement(txt, binding, replace, &mut found);
            }
        }
        self.check_marks(txt, &mut found);
        found.0
    }

    /// Holds modules.txt against go.mod (or the go.mod files of a workspace and go.work).
    fn check_vendor(&self, txt: &ModulesTxt) -> Result<()> {
        let details = self.disagreements(txt);
        let Some(first) = self.mains.first().filter(|_| !details.is_empty()) else {
            return Ok(());
        };
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

    fn check_requirements(&self, txt: &ModulesTxt, binding: bool, found: &mut Disagreements) {
        for require in self.mains.iter().flat_map(|main| &main.file.require) {
            let module = &require.module;
            if txt.meta.get(module).is_some_and(|meta| meta.explicit) {
                continue;
            }
            if binding {
                found.add(module, "is explicitly required in go.mod, but not marked as explicit in vendor/modules.txt");
            } else if let Some(version) = txt
                .versions
                .get(&module.path)
                .filter(|version| **version != module.version)
            {
                found.add(module, &format!(
                    "is explicitly required in go.mod, but vendor/modules.txt indicates {}@{version}",
                    module.path
                ));
            }
        }
    }

    /// Every replacement counts, even one that changes no vendored package: its go.mod can have a say in selection.
    fn check_replacement(
        &self,
        txt: &ModulesTxt,
        binding: bool,
        replace: &Entry<Replace>,
        found: &mut Disagreements,
    ) {
        let old = &replace.old;
        let none = VendoredModule::default();
        let marked = &txt.meta.get(old).unwrap_or(&none).replacement;
        let by = self.replaced_by(old);
        let file = by.map_or_else(String::new, |by| short(&by.file, &self.config.cwd));
        if marked.path.is_empty() {
            let unmarked =
                old.version.is_empty() || txt.versions.get(&old.path) != Some(&old.version);
            // A main module is not replaced, whatever is said; old files do not mark what has no packages.
            if by.is_some() && (binding || !unmarked) {
                found.add(
                    old,
                    &format!(
                        "is replaced in {file}, but not marked as replaced in vendor/modules.txt"
                    ),
                );
            }
        } else if by.map(|by| &by.replace.new) != Some(marked) {
            let new = by.map_or_else(String::new, |by| described(&by.written));
            found.add(old, &format!(
                "is replaced by {new} in {file}, but marked as replaced by {} in vendor/modules.txt",
                described(marked)
            ));
        }
    }

    /// What modules.txt marks must be so.
    fn check_marks(&self, txt: &ModulesTxt, found: &mut Disagreements) {
        let (article, place) = match self.work {
            Some(_) => ("a ", "the workspace"),
            None => ("", "go.mod"),
        };
        let required: HashSet<&ModuleVersion> = self
            .mains
            .iter()
            .flat_map(|main| &main.file.require)
            .map(|require| &require.module)
            .collect();
        for module in &txt.list {
            let explicit = txt.meta.get(module).is_some_and(|meta| meta.explicit);
            if explicit && !required.contains(module) {
                found.add(module, &format!(
                    "is marked as explicit in vendor/modules.txt, but not explicitly required in {article}go.mod"
                ));
            }
        }
        for module in &txt.replaced {
            if self.replaced_by(module).is_none() {
                found.add(
                    module,
                    &format!(
                        "is marked as replaced in vendor/modules.txt, but not replaced in {place}"
                    ),
                );
            }
        }
    }
}

//! go.work: the modules that are main modules together, and whose replacements count.

use super::error::ReplaceConflict;
use super::open::{reqs_of, short};
use super::{MainModule, ModError, Modules, ReplaceBy, Reqs, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::modfile::{ModFile, Replace, WorkFile, is_directory_path};
use steady_module::{ModuleVersion, gover};

/// A directory as `use` and `replace` lines have it, so that nobody takes it for a module path: `x` becomes `./x`.
#[must_use]
pub fn directory_path(path: &str) -> String {
    if is_directory_path(path) {
        return path.to_owned();
    }
    format!("./{}", steady_system::clean(Utf8Path::new(path)))
}

/// A replacement of a member, and where it stands.
struct Seen<'a> {
    target: ModuleVersion,
    member: &'a str,
    place: String,
}

impl Modules {
    pub(super) fn read_workspace(&mut self, path: Utf8PathBuf) -> Result<()> {
        let work = self.read_work(&path)?;
        let base = path.parent().unwrap_or(Utf8Path::new("/")).to_owned();
        let dirs = self.members(&path, &base, &work)?;
        self.check_godebug("go.work", &path, &work.godebug)?;
        let mut errors = Vec::new();
        for dir in dirs {
            match self.read_member(&dir, &work) {
                Ok(main) => self.mains.push(main),
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(ModError::many(errors));
        }
        self.check_members(&work)?;
        let mut roots: Vec<ModuleVersion> = self
            .mains
            .iter()
            .map(|main| ModuleVersion::new(main.path.clone(), ""))
            .collect();
        roots.push(ModuleVersion::new("go", version_of(&work)));
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
            let excluded = main
                .file
                .exclude
                .iter()
                .map(|exclude| exclude.value.clone());
            self.exclude.extend(excluded);
        }
        self.set_reqs(Arc::new(Reqs::new(Pruning::Workspace, roots, direct)));
        self.replace = self.workspace_replacements(&work, &base)?;
        self.work = Some((path, work));
        Ok(())
    }

    /// Takes a member's go.mod to be another than that which was read.
    pub(super) fn replace_go_mod(&mut self, member: &str, file: ModFile) {
        let reqs = self.reqs();
        let mut direct = reqs.direct.clone();
        direct.extend(reqs_of(&file).1);
        if let Some(main) = self.mains.iter_mut().find(|main| main.path == member) {
            main.file = file;
        }
        let roots = reqs.roots.clone();
        self.set_reqs(Arc::new(Reqs::new(Pruning::Workspace, roots, direct)));
    }

    fn read_work(&self, path: &Utf8Path) -> Result<WorkFile> {
        let shown = short(path, &self.config.cwd);
        let text = self.files.read_to_string(path).map_err(|error| {
            ModError::Message(format!("reading go.work: open {shown}: {}", error.cause()))
        })?;
        let mut as_written = |_: &str, version: &str| Ok(version.to_string());
        let work = WorkFile::parse(&shown, &text, Some(&mut as_written))
            .map_err(|errors| ModError::Message(format!("errors parsing go.work:\n{errors}")))?;
        self.check_go_version(work.go.as_ref(), || shown.clone())?;
        Ok(work)
    }

    /// The directories that go.work uses.
    fn members(
        &self,
        path: &Utf8Path,
        base: &Utf8Path,
        work: &WorkFile,
    ) -> Result<Vec<Utf8PathBuf>> {
        let mut dirs: Vec<Utf8PathBuf> = Vec::with_capacity(work.uses.len());
        for used in &work.uses {
            let dir = steady_system::clean(&base.join(&used.path));
            if dirs.contains(&dir) {
                return Err(ModError::Message(format!(
                    "error loading go.work:\n{}:{}: path {dir} appears multiple times in workspace",
                    short(path, &self.config.cwd),
                    used.at.line,
                )));
            }
            dirs.push(dir);
        }
        Ok(dirs)
    }

    fn read_member(&self, dir: &Utf8Path, work: &WorkFile) -> Result<MainModule> {
        let shown = short(dir, &self.config.cwd);
        let go_mod = dir.join("go.mod");
        let name = short(&go_mod, &self.config.cwd);
        let listed = |reason: String| ModError::WorkModule {
            shown: shown.clone(),
            reason,
        };
        let main = match self.read_main(go_mod.clone(), dir.to_owned()) {
            Ok(main) => main,
            Err(ModError::File(reason)) => {
                return Err(listed(reason.replace(go_mod.as_str(), &name)));
            }
            Err(error) => return Err(listed(error.to_string())),
        };
        let version = main.go_version();
        if self.config.mends_work {
            self.check_go_version(main.file.go.as_ref(), || name.clone())
                .map_err(|error| match error {
                    // So that the command is done again with a toolchain that can mend it.
                    error @ ModError::TooNew { .. } => {
                        error.context(format!("cannot load module {shown} listed in go.work file"))
                    }
                    other => other,
                })?;
            return Ok(main);
        }
        let too_old = gover::compare(version, version_of(work)).is_gt()
            && gover::compare(version, gover::GO_STRICT_VERSION).is_ge();
        if too_old || gover::compare(version, &self.config.go_version).is_gt() {
            let verb = match work.go {
                None => "implicitly requires",
                Some(_) => "lists",
            };
            return Err(ModError::Message(format!(
                "module {shown} listed in go.work file requires go >= {version}, but go.work {verb} go {}; to update it:\n\tgo work use",
                version_of(work)
            )));
        }
        Ok(main)
    }

    /// No two members of one path, and none that go.work replaces as a whole.
    fn check_members(&self, work: &WorkFile) -> Result<()> {
        let mut errors = Vec::new();
        let mut paths = HashSet::new();
        for main in &self.mains {
            if !paths.insert(main.path.as_str()) {
                errors.push(ModError::Message(format!(
                    "module {} appears multiple times in workspace",
                    main.path
                )));
            }
        }
        for replace in &work.replace {
            if replace.old.version.is_empty() && paths.contains(replace.old.path.as_str()) {
                errors.push(ModError::Message(format!(
                    "workspace module {} is replaced at all versions in the go.work file. To fix, remove the replacement from the go.work file or specify the version at which to replace the module.",
                    replace.old.path
                )));
            }
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(ModError::many(errors))
    }

    /// Replacements of members count for all, unless go.work replaces the same; two members that differ are refused. Directories are
    /// told from go.work's own, so that one directory has one name.
    fn workspace_replacements(
        &self,
        work: &WorkFile,
        base: &Utf8Path,
    ) -> Result<HashMap<ModuleVersion, ReplaceBy>> {
        let mut seen: HashMap<&ModuleVersion, Seen<'_>> = HashMap::new();
        let mut all = HashMap::new();
        let overridden: HashSet<&ModuleVersion> =
            work.replace.iter().map(|replace| &replace.old).collect();
        for main in &self.mains {
            for replace in &main.file.replace {
                let wins = |old: &&&ModuleVersion| {
                    old.path == replace.old.path
                        && (old.version.is_empty() || old.version == replace.old.version)
                };
                if overridden.iter().any(|old| wins(&old)) {
                    continue;
                }
                let now = Seen {
                    target: target(replace, &main.dir),
                    member: &main.path,
                    place: format!(
                        "{}:{}",
                        short(&main.go_mod, &self.config.cwd),
                        replace.at.line
                    ),
                };
                let disputed = overridden.iter().all(|old| old.path != replace.old.path);
                if let Some(before) = seen.get(&replace.old)
                    && before.member != now.member
                    && before.target != now.target
                    && disputed
                {
                    return Err(ModError::ReplaceConflict(Box::new(ReplaceConflict {
                        old: replace.old.clone(),
                        targets: [shown(&before.target), shown(&now.target)],
                        places: [before.place.clone(), now.place],
                    })));
                }
                let by = canonical(&replace.value, &main.dir, base, main.go_mod.clone());
                all.insert(replace.old.clone(), by);
                seen.insert(&replace.old, now);
            }
        }
        let file = base.join("go.work");
        for replace in &work.replace {
            let by = canonical(&replace.value, base, base, file.clone());
            all.insert(replace.old.clone(), by);
        }
        Ok(all)
    }
}

fn version_of(work: &WorkFile) -> &str {
    work.go
        .as_ref()
        .map_or(gover::DEFAULT_GO_WORK_VERSION, |go| &go.value)
}

/// What a replacement leads to, whoever says it.
fn target(replace: &Replace, base: &Utf8Path) -> ModuleVersion {
    match replace.new.version.as_str() {
        "" => ModuleVersion::new(
            steady_system::clean(&base.join(&replace.new.path)).to_string(),
            "",
        ),
        _ => replace.new.clone(),
    }
}

fn shown(target: &ModuleVersion) -> String {
    match target.version.as_str() {
        "" => target.path.clone(),
        _ => target.to_string(),
    }
}

fn canonical(replace: &Replace, from: &Utf8Path, base: &Utf8Path, file: Utf8PathBuf) -> ReplaceBy {
    let written = replace.new.clone();
    let mut replace = replace.clone();
    if replace.new.version.is_empty() && !Utf8Path::new(&replace.new.path).is_absolute() {
        let full = steady_system::clean(&from.join(&replace.new.path));
        let way = steady_system::relative(base, &full).unwrap_or(full);
        replace.new.path = directory_path(way.as_str());
    }
    ReplaceBy {
        replace,
        base: base.to_owned(),
        written,
        file,
    }
}

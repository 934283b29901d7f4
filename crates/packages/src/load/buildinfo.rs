//! What a program is stamped with: its modules and the settings of the build.

use super::{Loader, VcsStamp, WorkingTree};
use crate::godebug::{DefaultInput, GodebugTable};
use crate::package::{ModulePublic, PackageError, PackageId, PackagePublic};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use steady_module::modfile::{Entry, Godebug};
use steady_module::{ModuleVersion, gover};

/// Settings that go into build info, in its order. `DefaultGODEBUG` is put in between by the loader, which works it out.
#[derive(Debug, Clone, Default)]
pub struct StampSettings {
    /// Those before `DefaultGODEBUG`: `-buildmode`, `-compiler`, `-ldflags`, `-race`, `-tags`, `-trimpath`, …. The value of
    /// `-buildmode` is the program's; an archive's is never stamped.
    pub flags: Vec<(String, String)>,
    /// Those after it: `CGO_ENABLED`, `CGO_CFLAGS`, `GOARCH`, `GOOS`, `GOAMD64`, ….
    pub environment: Vec<(String, String)>,
    /// From version control, for packages of main modules.
    pub vcs: VcsStamp,
    /// `-trimpath`: of a profile only the name is stamped.
    pub bare_profile: bool,
}

fn quoted(text: &str, odd: &[char]) -> String {
    if !text.is_empty() && !text.contains(odd) {
        return text.to_string();
    }
    if text.is_empty() {
        return String::new();
    }
    steady_module::quote::quote(text)
}

impl Loader<'_> {
    /// Stamps a main package.
    pub(super) fn stamp(&mut self, id: PackageId) {
        let package = &self.set[id];
        let public = &package.public;
        if public.name != "main"
            || package.internal.force_library
            || package.internal.build_info.is_some()
            || public.incomplete
            || public.error.is_some()
        {
            return;
        }
        let vcs = match self.vcs_stamps(public) {
            Ok(stamps) => stamps.to_vec(),
            Err(why) => {
                self.set[id].public.error = Some(PackageError {
                    err: format!(
                        "error obtaining VCS status: {why}\n\tUse -buildvcs=false to disable VCS stamping."
                    ),
                    ..PackageError::default()
                });
                return;
            }
        };
        let mut text = format!("path\t{}\n", public.import_path);
        let main_path = public.module.as_ref().map_or("", |module| &module.path);
        if let Some(module) = &public.module {
            let version = self.main_version(module, &vcs);
            self.write_module(&mut text, "mod", module, version.as_deref());
        }
        let mut seen = HashSet::new();
        let mut queue = package.internal.imports.clone();
        let mut modules: BTreeMap<ModuleVersion, &ModulePublic> = BTreeMap::new();
        while let Some(next) = queue.pop() {
            if !seen.insert(next) {
                continue;
            }
            if let Some(module) = self.set[next]
                .public
                .module
                .as_deref()
                .filter(|module| module.path != main_path)
            {
                modules.insert(
                    ModuleVersion::new(module.path.clone(), module.version.clone()),
                    module,
                );
            }
            queue.extend(&self.set[next].internal.imports);
        }
        for module in modules.values() {
            self.write_module(&mut text, "dep", module, None);
        }
        let settings = &self.options.stamp_settings;
        let godebug = [("DefaultGODEBUG".to_string(), public.default_godebug.clone())];
        let godebug = godebug.iter().filter(|(_, value)| !value.is_empty());
        let mut pairs: Vec<(&str, &str)> = settings
            .flags
            .iter()
            .chain(godebug)
            .chain(&settings.environment)
            .chain(&vcs)
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let profile = &package.internal.pgo_profile;
        if !profile.as_str().is_empty() {
            let name = profile.file_name().unwrap_or_default();
            let shown = if settings.bare_profile {
                name
            } else {
                profile.as_str()
            };
            pairs.push(("-pgo", shown));
            // As in go, which adds this one later and sorts them all then.
            pairs.sort_by_key(|(key, _)| *key);
        }
        for (key, value) in pairs {
            let value = value.replace('\n', " ");
            let _ = writeln!(
                text,
                "build\t{}={}",
                quoted(key, &['=', ' ', '\t', '\r', '\n', '"', '`']),
                quoted(&value, &[' ', '\t', '\r', '\n', '"', '`'])
            );
        }
        self.set[id].internal.build_info = Some(text);
    }

    /// What version control says of a program of a main module.
    fn vcs_stamps(&self, public: &PackagePublic) -> Result<&[(String, String)], String> {
        let module = public.module.as_ref().filter(|_| !public.standard);
        let Some(module) = module.filter(|module| module.version.is_empty()) else {
            return Ok(&[]);
        };
        match &self.options.stamp_settings.vcs {
            VcsStamp::None => Ok(&[]),
            VcsStamp::Refused(why) => Err(why.clone()),
            VcsStamp::Tree(tree) => {
                let files = self.modules.index().files();
                tree.stamps(
                    public.dir.as_str().into(),
                    module.dir.as_str().into(),
                    files,
                )
            }
        }
    }

    /// The version that the tags of the repository give a main module, with `+dirty` for what is not committed. As in go, a repository
    /// without a go.mod at its root gives none.
    fn main_version(&self, module: &ModulePublic, vcs: &[(String, String)]) -> Option<String> {
        let VcsStamp::Tree(WorkingTree { root, .. }) = &self.options.stamp_settings.vcs else {
            return None;
        };
        let of = |wanted: &str| {
            let found = vcs.iter().find(|(key, _)| key == wanted);
            found.map(|(_, value)| value.as_str())
        };
        let revision = of("vcs.revision")?;
        let go_mod = self
            .modules
            .index()
            .files()
            .read(root.join("go.mod"))
            .ok()?;
        let declared =
            steady_module::modfile::ModFile::module_path(&String::from_utf8_lossy(&go_mod));
        let (code_root, _) =
            steady_module::path::split_path_version(&declared).filter(|_| !declared.is_empty())?;
        let fetcher = self.modules.fetcher();
        let repo = fetcher.lookup_local(code_root, &module.path, root).ok()?;
        let mut version = repo.stat(revision).ok()?.version;
        if of("vcs.modified") == Some("true") {
            let first = !version.ends_with("+incompatible");
            version += if first { "+dirty" } else { ".dirty" };
        }
        Some(version).filter(|version| !version.is_empty())
    }

    fn write_module(
        &self,
        text: &mut String,
        word: &str,
        module: &ModulePublic,
        stamped: Option<&str>,
    ) {
        let version = match module.version.as_str() {
            "" => stamped.unwrap_or("(devel)"),
            version => version,
        };
        let _ = write!(text, "{word}\t{}\t{version}", module.path);
        match &module.replace {
            Some(replace) => {
                let _ = writeln!(text);
                self.write_module(text, "=>", replace, None);
                // go ends the line of what is replaced after that of what replaces it; the bytes of the program depend on it.
                let _ = writeln!(text);
            }
            None => {
                // The sum is that of the zip in the cache. Vendored packages come from no zip.
                let known = !module.version.is_empty() && self.modules.vendor_dir().is_none();
                let sum = known
                    .then(|| {
                        self.modules.fetcher().sum(&ModuleVersion::new(
                            module.path.clone(),
                            module.version.clone(),
                        ))
                    })
                    .flatten();
                let _ = writeln!(text, "\t{}", sum.unwrap_or_default());
            }
        }
    }

    /// The GODEBUG settings that a program starts with: those of the Go version that its main module is written for, changed by
    /// `godebug` lines of go.mod and `//go:debug` lines of the package.
    pub(super) fn default_godebug(&self, id: PackageId) -> String {
        let modules = self.modules;
        let lines: Vec<(&str, &str)> = match modules.work_file() {
            Some(work) => work.godebug.iter().map(godebug_of).collect(),
            None => modules
                .mains()
                .iter()
                .flat_map(|main| &main.file.godebug)
                .map(godebug_of)
                .collect(),
        };
        let package = &self.set[id];
        let module_version = package
            .public
            .module
            .as_ref()
            .map_or("", |module| &module.go_version);
        let version = match (modules.work_file(), modules.mains().first()) {
            (Some(work), _) => work
                .go
                .as_ref()
                .map_or(gover::DEFAULT_GO_WORK_VERSION, |go| &go.value)
                .to_string(),
            (None, Some(main)) => main.go_version().to_string(),
            (None, None) if package.public.module.is_some() && !module_version.is_empty() => {
                module_version.to_string()
            }
            (None, None) if package.public.module.is_some() => "1.20".to_string(),
            (None, None) if modules.enabled() => modules.config().go_version.clone(),
            (None, None) => gover::DEFAULT_GO_MOD_VERSION.to_string(), // as a go.mod that says nothing
        };
        let directives = package.internal.godebugs.iter();
        self.godebug_table().default_godebug(&DefaultInput {
            go_version: &version,
            fips140: self.options.fips140,
            module: lines,
            directives: directives.map(|line| line.text.as_str()).collect(),
        })
    }

    /// What the toolchain decides about GODEBUG; nothing, if that cannot be read.
    pub(super) fn godebug_table(&self) -> &GodebugTable {
        self.godebug.get_or_init(|| {
            let files = self.modules.index().files();
            GodebugTable::load(files, &self.context.goroot).unwrap_or_default()
        })
    }
}

fn godebug_of(line: &Entry<Godebug>) -> (&str, &str) {
    (&line.key, &line.value.value)
}

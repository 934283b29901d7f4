//! From a command's flags to loaded packages: the libraries' configurations put together, the modules opened, the patterns loaded,
//! and flags for single packages handed to those they are for.

use camino::Utf8Path;
use std::collections::HashSet;
use std::sync::Arc;
use steady_build::platform::Platform;
use steady_build::{BuildConfig, Modes};
use steady_module::ModuleVersion;
use steady_packages::index::{Index, IndexOptions, Witness};
use steady_packages::load::{
    Cover, LoadOptions, Loaded, Loader, Places, Profile, ReadLibrary, Shared, TestSet,
};
use steady_packages::modload::{FipsSnapshot, ModConfig, ModError, ModMode, Modules, Neighbours};
use steady_packages::package::{Package, PackageError};
use steady_packages::prebuilt::Prebuilt;
use steady_packages::source::BuildContext;
use steady_packages::source::syslist::SysList;
use steady_system::Overlay;
use steady_system::clock::Clock;

use crate::bail;
use crate::configs::{self, BuildRequest};
use crate::exit::Status;
use crate::failure::{Failure, Result, TooNew};
use crate::fips::Fips;
use crate::flags::build::{BuildFlags, ModCommon};
use crate::flags::value::PerPackage;
use crate::modules;
use crate::progress::Progress;
use crate::session::{Called, Session, memories};
use crate::stamp;

/// What a command that reads modules asks for.
#[derive(Clone, Copy, Default)]
pub struct ModRequest<'a> {
    /// `-mod`
    pub mode: Option<&'a str>,
    /// What `-mod` means when it is not given, if the command decides that.
    pub default_mode: Option<ModMode>,
    /// `-modfile` and its kin.
    pub common: Option<&'a ModCommon>,
    /// `-x`: requests are told.
    pub trace: bool,
    /// Each step of an edit of requirements is told.
    pub tells_edits: bool,
    /// Fetching is what the command is for: single downloads are not worth a line.
    pub quiet: bool,
    /// There is no main module, whatever is there.
    pub no_main_module: bool,
    /// go.work does not count (`mod tidy` and its kin are about one module).
    pub no_workspace: bool,
    /// The module in this directory is the main module.
    pub main_dir: Option<&'a Utf8Path>,
    /// The other members of the workspace, for a command that works on one at a time.
    pub neighbours: Option<&'a Arc<Neighbours>>,
    /// The index of another look at the same files.
    pub index: Option<&'a Arc<Index>>,
    /// Modules are used even if GO111MODULE is `auto` and there is no go.mod.
    pub force: bool,
    /// No module graph is remembered: reading them is what is looked at.
    pub from_nothing: bool,
    /// `-compiler=gccgo`: its standard library counts.
    pub gccgo: bool,
    /// Lines of go.sum that make no sense are passed over, for they will go.
    pub lenient_sums: bool,
}

impl<'a> ModRequest<'a> {
    /// What a command asks for that looks at the main module's graph, whatever go.mod still lacks.
    #[must_use]
    pub fn of_main(common: &'a ModCommon) -> ModRequest<'a> {
        ModRequest {
            default_mode: Some(ModMode::Mod),
            common: Some(common),
            force: true,
            ..ModRequest::default()
        }
    }
}

/// What a command that loads packages asks for.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Flags of builds.
    pub build: BuildRequest<'a>,
    /// Flags about modules.
    pub modules: ModRequest<'a>,
    /// `list -find`: imports are not followed.
    pub find: bool,
    /// Something will be built for sure: a target that cannot be is refused before anything is loaded.
    pub builds: bool,
    /// Programs are stamped.
    pub stamp: bool,
    /// `-buildvcs=auto` means yes.
    pub auto_vcs: bool,
    /// Packages that have tests get a program that runs them.
    pub tests: bool,
    /// `-fuzz`: packages that are not watched nevertheless.
    pub fuzz: Option<&'a [String]>,
    /// Nobody asks which files are embedded, so nobody hears of patterns without any.
    pub skip_embeds: bool,
}

impl Request<'_> {
    fn has_gccgo(&self) -> bool {
        self.build.build.compiler.as_deref() == Some("gccgo")
    }
}

/// Everything that loading and building need, made from flags and settings.
pub struct Workbench {
    /// For the builder.
    pub config: BuildConfig,
    /// How source files are chosen.
    pub context: BuildContext,
    /// The modules of the run.
    pub modules: Arc<Modules>,
    options: LoadOptions,
    flags: PackageFlags,
}

/// Flags for single packages, in the order given.
#[derive(Default)]
struct PackageFlags {
    gc: Vec<PerPackage>,
    asm: Vec<PerPackage>,
    ld: Vec<PerPackage>,
    gccgo: Vec<PerPackage>,
}

/// Sets the overlay, for everything that the session reads from here on.
///
/// # Errors
/// It cannot be read, or replaces files of the module cache.
pub fn set_overlay(session: &mut Session, file: Option<&str>) -> Result<()> {
    let Some(file) = file.filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let overlay = Overlay::read(&session.files, Utf8Path::new(file))?;
    let (gomodcache, _) = session.settings.gomodcache();
    if let Some(from) = overlay.replacement_in(Utf8Path::new(&gomodcache)) {
        bail!(
            "overlay contains a replacement for {from}. Files beneath GOMODCACHE ({gomodcache}) must not be replaced."
        );
    }
    session.files = session.files.clone().with_overlay(overlay);
    Ok(())
}

/// `GODEBUG=gofsystrace=1`: every directory that is read is told.
fn fs_trace(session: &Session) -> Option<Witness> {
    let on = session
        .environment()
        .get("GODEBUG")
        .split(',')
        .any(|setting| setting == "gofsystrace=1");
    let printer = Arc::clone(&session.printer);
    let tell = move |dir: &Utf8Path| {
        let process = std::process::id();
        printer.note(format!("{process} gofsystrace ReadDir {dir}"));
    };
    on.then(|| Box::new(tell) as Witness)
}

/// Whether the command is one of those that look at imports alone, of each package once.
fn is_about_modules(session: &Session) -> bool {
    let name = session.command.long_name();
    name.starts_with("mod ") || name.starts_with("work ") || name == "get"
}

/// Where memories of directories are, and what they are about.
fn index_options(session: &Session) -> IndexOptions {
    let settings = &session.settings;
    let (gomodcache, _) = settings.gomodcache();
    IndexOptions {
        cache_dir: memories(&settings.environment).map(|dir| dir.join("index")),
        mod_cache: Some(gomodcache.into()),
        goroot: Some(settings.goroot.clone().unwrap_or_default()),
        go_version: settings.version.clone(),
        project: modules::project(settings, &session.files),
        bound: None,
        lean: is_about_modules(session),
        clock: Clock::System,
    }
}

/// An index over the session's files, for several looks at them. `beside`: one over the same disk.
#[must_use]
pub fn shared_index(session: &Session, beside: Option<&Arc<Index>>) -> Arc<Index> {
    let index = Index::new(session.files.clone(), index_options(session));
    Arc::new(match beside {
        Some(other) => index.beside(other),
        None => index,
    })
}

/// The standard library that gccgo has.
fn prebuilt(session: &Session) -> Prebuilt {
    session.spoil_answer(); // gccgo is asked
    let settings = &session.settings;
    let name = settings.or("GCCGO", "gccgo");
    Prebuilt::of_gccgo(name, &settings.environment, &session.files)
}

/// Opens the modules of a run.
///
/// # Errors
/// Flags that cannot be, and files that cannot be read.
pub fn open_modules(session: &mut Session, request: ModRequest<'_>) -> Result<Modules> {
    set_overlay(
        session,
        request.common.and_then(|common| common.overlay.as_deref()),
    )?;
    let enabled = request.force || modules::enabled(&session.settings, &session.files);
    let ignored = enabled && !request.no_main_module && modules::warn_of_temporary(session);
    let enabled = enabled && (!modules::warn_of_gopath(session) || request.force);
    let settings = &session.settings;
    let mode = request.mode.unwrap_or_default();
    check_mode(mode)?;
    if settings.get("GO111MODULE") != "off" {
        modules::must_be_enabled(settings)?;
    }
    if !enabled && !mode.is_empty() && !session.goflags.has("mod") {
        return Err(Failure::plain(format!(
            "build flag -mod={mode} only valid when using modules"
        )));
    }
    let modfile = request
        .common
        .and_then(|common| common.modfile.clone())
        .unwrap_or_default();
    let goroot = settings.goroot.clone().unwrap_or_default();
    let mut config = ModConfig {
        cwd: settings.environment.cwd().to_owned(),
        goroot: goroot.clone(),
        go111module: if enabled {
            settings.get("GO111MODULE")
        } else {
            "off"
        }
        .to_owned(),
        gowork: settings.get("GOWORK").to_owned(),
        mod_flag: mode.to_owned(),
        default_mode: request.default_mode,
        modfile,
        go_version: steady_module::gover::from_toolchain(settings.local_version()).to_owned(),
        toolchain_explain: settings.startup.explain(),
        workspace: !request.no_workspace,
        tells_edits: request.tells_edits,
        locked: settings.frozen.locked,
        from_nothing: request.from_nothing,
        mends_work: session.command.long_name().starts_with("work "),
        main_dir: request.main_dir.map(Utf8Path::to_owned),
        neighbours: request.neighbours.map(Arc::clone),
        members_below: session.called == Called::Steady,
        no_main_module: request.no_main_module || ignored,
        snapshot: None,
        prebuilt: request.gccgo.then(|| Arc::new(prebuilt(session))),
    };
    let mut options = index_options(session);
    let mut proxy = configs::proxy_config(settings);
    proxy.mod_cache_rw = request.common.is_some_and(|common| common.modcacherw);
    proxy.trace = request.trace;
    proxy.quiet = request.quiet;
    proxy.hints = session.called == Called::Steady;
    proxy.mend_zips = session.called == Called::Steady;
    proxy.lenient_go_sum = request.lenient_sums;
    let observer = Arc::new(Progress::new(&session.printer, session.called));
    let fetcher = steady_proxy::Fetcher::new(
        proxy,
        settings.environment.clone(),
        session.files.clone(),
        observer,
    );
    let goroot = config.goroot.clone();
    config.snapshot = Fips::of(settings, &session.files, &[])?.snapshot(&fetcher)?;
    if let Some(snapshot) = &config.snapshot {
        options.bound = Some((FipsSnapshot::place(&goroot), snapshot.dir.clone()));
    }
    let index = match request.index {
        Some(index) => Arc::clone(index),
        None => {
            let index = Index::new(session.files.clone(), options);
            Arc::new(index.watched(fs_trace(session)))
        }
    };
    let mends_work = config.mends_work;
    let opened = Modules::open(config, session.files.clone(), index, Arc::new(fetcher));
    opened.map_err(|error| match error {
        ModError::ReplaceConflict(conflict) if session.called == Called::Steady => {
            let [one, other] = &conflict.places;
            Failure::error(format!("{conflict}\n\t({one} and {other})"))
        }
        error if mends_work => Failure::switching(error),
        error => error.into(),
    })
}

/// The same for a command that is about a main module.
///
/// # Errors
/// Modules are switched off, or there is no main module.
pub fn open_main(session: &mut Session, request: ModRequest<'_>) -> Result<Modules> {
    modules::must_be_enabled(&session.settings)?;
    let loaded = open_modules(session, request)?;
    modules::must_have_main(session, &loaded)?;
    Ok(loaded)
}

/// The values of -mod that there are.
fn check_mode(mode: &str) -> Result<()> {
    if matches!(mode, "" | "mod" | "readonly" | "vendor") {
        return Ok(());
    }
    Err(Failure::plain(format!(
        "-mod={mode} not supported (can be '', 'mod', 'readonly', or 'vendor')"
    )))
}

/// A list of tags split at spaces must not hold commas: one of the two was meant.
fn check_tags(flags: &BuildFlags) -> Result<()> {
    let tags = flags
        .tags
        .as_ref()
        .map(|tags| tags.0.as_slice())
        .unwrap_or_default();
    if tags.iter().any(|tag| tag.contains(',')) {
        return Err(Failure::Message(
            "go: -tags space-separated list contains comma".to_owned(),
            Status::USAGE,
        ));
    }
    Ok(())
}

/// Puts together what loading and building need.
///
/// # Errors
/// Flags and variables that cannot be, and modules that cannot be opened.
pub fn prepare(session: &mut Session, request: Request<'_>) -> Result<Workbench> {
    let modules = open_for(session, request)?;
    prepare_over(session, request, Arc::new(modules))
}

/// Opens the modules of a run that loads packages.
///
/// # Errors
/// See [`open_modules`].
pub fn open_for(session: &mut Session, request: Request<'_>) -> Result<Modules> {
    let mods = ModRequest {
        gccgo: request.has_gccgo(),
        ..request.modules
    };
    open_modules(session, mods)
}

/// As [`prepare`], over modules that are open already.
///
/// # Errors
/// Flags and variables that cannot be.
pub fn prepare_over(
    session: &Session,
    request: Request<'_>,
    modules: Arc<Modules>,
) -> Result<Workbench> {
    check_tags(request.build.build)?;
    let mut flags = request.build.build.clone();
    let tags = &mut flags.tags.get_or_insert_default().0;
    let fips = Fips::of(&session.settings, &session.files, tags)?;
    tags.extend(fips.tag());
    let flags = &flags;
    let mut config = configs::build_config(session, request.build)?;
    config.target.fips140 = fips.version().to_owned();
    config.modules_enabled = modules.enabled();
    config.vendor_dir = modules
        .vendor_dir()
        .map(Utf8Path::to_owned)
        .unwrap_or_default();
    if let Some(overlay) = session.files.overlay() {
        config.overlay = overlay
            .entries()
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .collect();
    }
    let (goos, goarch) = (config.target.goos.as_str(), config.target.goarch.as_str());
    if request.builds && !(Platform { goos, goarch }).is_known() {
        bail!("unsupported GOOS/GOARCH pair {goos}/{goarch}");
    }
    let modes = Modes::derive(&config)?;
    let settings = &session.settings;
    let goroot = settings.goroot.clone().unwrap_or_default();
    let syslist = SysList::load(&session.files, &goroot)?;
    let context = configs::build_context(settings, flags, &modes, Arc::new(syslist))?;
    let package_flags = PackageFlags {
        gc: flags.gcflags.clone(),
        asm: flags.asmflags.clone(),
        ld: flags.ldflags.clone(),
        gccgo: flags.gccgoflags.clone(),
    };
    let host = (
        crate::settings::platform::host_os(),
        crate::settings::platform::host_arch(),
    );
    let (linker_deps, linker_refusal) = match stamp::linker_deps(flags, &config, &modes) {
        Ok(deps) => (deps, String::new()),
        Err(refusal) => (Vec::new(), refusal),
    };
    let options = LoadOptions {
        find: request.find,
        stamp: request.stamp,
        stamp_settings: if request.stamp {
            stamp::settings(session, flags, &config, &modules, request.auto_vcs)
        } else {
            Default::default()
        },
        linker_deps,
        linker_refusal,
        install_goroot: settings.godebug("installgoroot") == Some("all"),
        gobin: settings.get("GOBIN").to_owned(),
        exe_suffix: modes.exe_suffix.clone(),
        cross: host != (settings.goos(), settings.goarch()),
        library_mode: matches!(
            modes.buildmode.as_str(),
            "archive" | "c-archive" | "c-shared" | "shared" | "plugin"
        ),
        tests: request.tests,
        only_look: false,
        places: None,
        cover: cover(&request, &config, session.command.long_name() == "test"),
        fuzz: request.fuzz.map(<[String]>::to_vec),
        skip_embeds: request.skip_embeds,
        shared: Shared {
            makes: modes.buildmode == "shared",
            links: config.flags.linkshared.then_some(if request.has_gccgo() {
                packages_of_gccgo_library as ReadLibrary
            } else {
                packages_of_library
            }),
            soft_float: config.target.goarch == "arm",
        },
        pkgdir: config.flags.pkgdir.clone(),
        embed_links: settings.get("GODEBUG").contains("embedfollowsymlinks=1"),
        fips140: fips.enabled(),
        profile: match flags.pgo.as_deref() {
            Some("off") => Profile::Off,
            None | Some("auto") => Profile::Auto,
            Some(file) => Profile::File(session.files.absolute(file)),
        },
    };
    Ok(Workbench {
        config,
        context,
        modules,
        options,
        flags: package_flags,
    })
}

/// The packages that a shared library consists of: a note in it names them.
fn packages_of_library(path: &Utf8Path) -> std::io::Result<Vec<String>> {
    let note = steady_build::buildid::read_elf_note(path, b"Go\0\0", 1)?;
    let note = note.unwrap_or_default();
    let list = String::from_utf8_lossy(&note);
    Ok(list.lines().map(str::to_owned).collect())
}

/// The same of a library that gccgo has linked: its export data names them.
fn packages_of_gccgo_library(path: &Utf8Path) -> std::io::Result<Vec<String>> {
    let section = steady_build::buildid::read_elf_section(path, ".go_export")?;
    let section = section.ok_or_else(|| std::io::Error::other("missing .go_export section"))?;
    let text = String::from_utf8_lossy(&section);
    let paths = text
        .split('\n')
        .filter_map(|line| line.strip_prefix("pkgpath "));
    Ok(paths
        .map(|path| path.strip_suffix(';').unwrap_or(path).to_owned())
        .collect())
}

/// What is to be counted.
fn cover(request: &Request<'_>, config: &BuildConfig, tests: bool) -> Option<Cover> {
    let patterns = request.build.cover.and_then(|cover| cover.coverpkg.clone());
    config.flags.cover.then(|| Cover {
        mode: config.flags.covermode.clone(),
        patterns: patterns.map(|list| list.0).filter(|list| !list.is_empty()),
        race: config.flags.race,
        tests,
    })
}

impl Workbench {
    /// Nothing is to be built: see [`LoadOptions::only_look`]. `places`: what other loads over the same modules know.
    pub fn only_look(&mut self, places: &Arc<Places>) {
        self.options.only_look = true;
        self.options.places = Some(Arc::clone(places));
    }

    /// Loads what patterns name, and does nothing else: nothing is written, said or settled.
    ///
    /// # Errors
    /// Only what keeps every pattern from being matched.
    pub fn look(&self, patterns: &[String]) -> std::result::Result<Loaded, ModError> {
        Loader::new(&self.modules, self.context.clone(), self.options.clone()).load(patterns)
    }

    /// Loads what patterns name, and gives each package the flags that are for it. Patterns that match nothing get a warning.
    ///
    /// # Errors
    /// Only what keeps every pattern from being matched.
    pub fn load(&self, session: &Session, patterns: &[String]) -> Result<Loaded> {
        let tests = self.options.tests;
        if self.modules.may_settle() {
            let context = Arc::new(self.context.clone());
            if patterns.iter().any(|pattern| pattern.ends_with(".go")) {
                let imports = self.modules.imports_of_files(patterns, &self.context);
                self.modules.settle(&imports, context, false)?;
            } else {
                self.modules.settle(patterns, context, tests)?;
            }
        }
        let mut loaded = self.look(patterns).map_err(|error| match error {
            ModError::NoGoMod => modules::without_main(session, &self.modules),
            other => other.into(),
        })?;
        for found in loaded.matches.iter().filter(|found| found.unmatched()) {
            session.printer.note(format!(
                "go: warning: {:?} matched no packages",
                found.pattern
            ));
        }
        for warning in &loaded.covered.warnings {
            session.printer.note(warning);
        }
        self.modules.index().save();
        self.modules.index().release();
        self.keep_sums(&loaded)?;
        let cwd = session.environment().cwd();
        for package in &mut loaded.set.packages {
            package.internal.gcflags = flags_for(&self.flags.gc, package, cwd, &self.modules);
            package.internal.asmflags = flags_for(&self.flags.asm, package, cwd, &self.modules);
            package.internal.ldflags = flags_for(&self.flags.ld, package, cwd, &self.modules);
            package.internal.gccgoflags = flags_for(&self.flags.gccgo, package, cwd, &self.modules);
        }
        for tests in loaded.tests.clone() {
            flags_of_tests(&mut loaded, tests);
        }
        Ok(loaded)
    }
}

impl Workbench {
    /// Loads packages that `path@version` arguments name; with the patterns without the version.
    ///
    /// # Errors
    /// Nobody has them, or not as a module that could stand alone.
    pub fn load_outside(
        &self,
        session: &Session,
        arguments: &[String],
    ) -> Result<(Loaded, Vec<String>)> {
        modules::must_be_enabled(&session.settings)?;
        let outside = self.modules.stand_on(arguments).map_err(|error| {
            let ask = error.too_new().map(|ask| TooNew {
                what: ask.what,
                version: ask.go_version,
            });
            Failure::errors(vec![error.to_string()], ask)
        })?;
        let mut loaded = self.load(session, &outside.patterns)?;
        if loaded.missing {
            let context = Arc::new(self.context.clone());
            self.modules.settle(&outside.patterns, context, false)?;
            loaded = self.load(session, &outside.patterns)?;
        }
        for &root in &loaded.roots {
            let public = &mut loaded.set.packages[root.0 as usize].public;
            let path = &public.import_path;
            let wrong = match &public.module {
                None => format!("package {path} not provided by module {}", outside.module),
                Some(module)
                    if module.path != outside.module.path
                        || module.version != outside.module.version =>
                {
                    format!(
                        "package {path} provided by module {}@{}\n\tAll packages must be provided by the same module ({}).",
                        module.path, module.version, outside.module
                    )
                }
                Some(_) => continue,
            };
            if public.error.is_none() {
                public.error = Some(PackageError {
                    err: wrong,
                    ..PackageError::default()
                });
                public.incomplete = true;
            }
        }
        Ok((loaded, outside.patterns))
    }

    /// A workspace's go.work.sum takes up sums that were looked up for the packages loaded.
    fn keep_sums(&self, loaded: &Loaded) -> Result<()> {
        if self.modules.go_work().is_none() || !self.modules.fetcher().has_new_sums() {
            return Ok(());
        }
        let mut keep = HashSet::new();
        for package in &loaded.set.packages {
            let Some(module) = &package.public.module else {
                continue;
            };
            let module = module.replace.as_deref().unwrap_or(module);
            if !module.version.is_empty() {
                keep.insert(ModuleVersion::new(
                    module.path.clone(),
                    module.version.clone(),
                ));
            }
        }
        for module in self.modules.build_list().unwrap_or_default() {
            keep.insert(ModuleVersion::new(
                module.path.clone(),
                format!("{}/go.mod", module.version),
            ));
        }
        Ok(self.modules.fetcher().write_go_sum(&keep, false)?)
    }
}

/// Leaves only what can be a program: main packages, and what was named outright, which gets an error if it is none.
pub fn mains_only(session: &Session, loaded: &mut Loaded) {
    let literal: HashSet<String> = loaded
        .matches
        .iter()
        .filter(|found| found.is_literal())
        .flat_map(|found| found.packages.iter().cloned())
        .collect();
    let mut as_main: HashSet<String> = HashSet::new();
    let mut roots = Vec::new();
    for id in std::mem::take(&mut loaded.roots) {
        let package = &mut loaded.set[id];
        let public = &mut package.public;
        let is_main = public.name == "main" || (public.name.is_empty() && public.error.is_some());
        if !is_main
            && !literal.contains(&public.import_path)
            && public.files.invalid_go_files.is_empty()
        {
            continue;
        }
        as_main.insert(public.import_path.clone());
        if !is_main && public.error.is_none() {
            let err = format!("package {} is not a main package", public.import_path);
            public.error = Some(PackageError {
                err,
                ..PackageError::default()
            });
            public.incomplete = true;
        }
        roots.push(id);
    }
    loaded.roots = roots;
    for found in loaded
        .matches
        .iter()
        .filter(|found| !found.is_literal() && !found.packages.is_empty())
    {
        if !found.packages.iter().any(|path| as_main.contains(path)) {
            session.printer.note(format!(
                "go: warning: {:?} matched only non-main packages",
                found.pattern
            ));
        }
    }
}

/// Prints what keeps packages from being built and stops, if there is anything.
///
/// # Errors
/// There was; it has been said.
pub fn check(session: &Session, loaded: &Loaded) -> Result<()> {
    let errors = loaded.errors();
    for error in &errors {
        session.printer.error_at(error.to_string());
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::Said(Status::FAILED))
    }
}

/// The first error that keeps tests from being built.
#[must_use]
pub fn test_error(loaded: &Loaded) -> Option<&PackageError> {
    loaded
        .tests
        .iter()
        .find_map(|tests| error_in(loaded, tests))
}

/// The first error that keeps the tests of one package from being built.
#[must_use]
pub fn error_in<'a>(loaded: &'a Loaded, tests: &TestSet) -> Option<&'a PackageError> {
    let set = &loaded.set;
    let mut parts = [Some(tests.inner), tests.external, Some(tests.main)]
        .into_iter()
        .flatten()
        .filter(|id| set[*id].public.incomplete || set[*id].public.error.is_some());
    parts.find_map(|id| {
        let own = set[id].public.error.as_ref();
        let mut all = set.with_dependencies(&[id]).into_iter();
        own.or_else(|| all.find_map(|id| set[id].public.error.as_ref()))
    })
}

/// External test and program take the flags of the package under test. What is said to the linker lets `testing.Testing` know.
fn flags_of_tests(loaded: &mut Loaded, tests: TestSet) {
    let flags = loaded.set[tests.package].internal.clone();
    for id in tests.external.into_iter().chain([tests.main]) {
        let internal = &mut loaded.set[id].internal;
        internal.gcflags.clone_from(&flags.gcflags);
        internal.asmflags.clone_from(&flags.asmflags);
        internal.ldflags.clone_from(&flags.ldflags);
        internal.gccgoflags.clone_from(&flags.gccgoflags);
    }
    let internal = &mut loaded.set[tests.main].internal;
    internal
        .ldflags
        .extend(["-X", "testing.testBinary=1"].map(str::to_owned));
    internal
        .gccgoflags
        .push("-Wl,--defsym,testing.gccgoTestBinary=1".to_owned());
}

/// The flags of the last pattern that matches the package.
fn flags_for(
    list: &[PerPackage],
    package: &Package,
    cwd: &Utf8Path,
    modules: &Modules,
) -> Vec<String> {
    list.iter()
        .rev()
        .find(|entry| match entry.pattern.as_deref() {
            None => package.internal.cmdline_pkg || package.internal.cmdline_files,
            Some(pattern) => steady_packages::load::matches(pattern, package, cwd, modules),
        })
        .map(|entry| entry.flags.clone())
        .unwrap_or_default()
}

//! Opening the modules of a run.

use camino::Utf8Path;
use std::sync::Arc;
use steady_packages::index::{Index, IndexOptions, Witness};
use steady_packages::modload::{FipsSnapshot, ModConfig, ModError, ModMode, Modules, Neighbours};
use steady_packages::prebuilt::Prebuilt;
use steady_proxy::KnownSums;
use steady_system::Overlay;
use steady_system::clock::Clock;

use crate::bail;
use crate::configs;
use crate::failure::{Failure, Result};
use crate::fips::Fips;
use crate::flags::build::{ModCommon, ModFlag};
use crate::modules;
use crate::progress::Progress;
use crate::session::{Called, Session, memories};

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
    /// Sums that the workspace has, for a command that works on one member at a time: go.sum of the member may lack them.
    pub known_sums: Option<&'a Arc<KnownSums>>,
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
    /// What these flags ask for, and nothing else.
    #[must_use]
    pub fn of(mode: &'a ModFlag, common: &'a ModCommon) -> ModRequest<'a> {
        ModRequest {
            mode: mode.mode.as_deref(),
            common: Some(common),
            ..ModRequest::default()
        }
    }

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

/// Sets the overlay, for everything that the session reads from here on.
///
/// # Errors
/// It cannot be read, or replaces files of the module cache.
fn set_overlay(session: &mut Session, file: Option<&str>) -> Result<()> {
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
    if let Some(sums) = request.known_sums {
        fetcher.trust(Arc::clone(sums));
    }
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

//! From flags and settings to everything that loading and building need.

use camino::Utf8Path;
use std::sync::Arc;
use steady_build::platform::Platform;
use steady_build::{BuildConfig, Modes};
use steady_packages::load::{Cover, LoadOptions, Profile, ReadLibrary, Shared};
use steady_packages::modload::Modules;
use steady_packages::source::syslist::SysList;

use super::open::{ModRequest, open_modules};
use super::package_flags::PackageFlags;
use super::workbench::Workbench;
use crate::configs::{self, BuildRequest};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::fips::Fips;
use crate::flags::build::BuildFlags;
use crate::misuse;
use crate::session::Session;
use crate::stamp;

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

impl<'a> Request<'a> {
    /// Packages are loaded, and nothing else is asked for.
    #[must_use]
    pub fn of(build: BuildRequest<'a>, modules: ModRequest<'a>) -> Request<'a> {
        Request {
            build,
            modules,
            find: false,
            builds: false,
            stamp: false,
            auto_vcs: false,
            tests: false,
            fuzz: None,
            skip_embeds: false,
        }
    }

    fn has_gccgo(&self) -> bool {
        self.build.build.compiler.as_deref() == Some("gccgo")
    }
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
        misuse!("unsupported GOOS/GOARCH pair {goos}/{goarch}");
    }
    let modes = Modes::derive(&config)?;
    let settings = &session.settings;
    let goroot = settings.goroot.clone().unwrap_or_default();
    let syslist = SysList::load(&session.files, &goroot)?;
    let context = configs::build_context(settings, flags, &modes, Arc::new(syslist))?;
    let package_flags = PackageFlags::of(flags);
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

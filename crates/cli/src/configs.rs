//! From flags and settings to the plain values that the libraries take.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;
use steady_build::cache::FileHashes;
use steady_build::inputs::Log;
use steady_build::{BuildConfig, BuildFlags as Flags, Compiler, Modes, Target, Toolchain};
use steady_packages::source::BuildContext;
use steady_packages::source::syslist::SysList;
use steady_proxy::{Fetcher, Observer};
use steady_system::{Environment, Files};

use crate::bail;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, CoverFlags};
use crate::flags::value::PerPackage;
use crate::session::{Session, memories};
use crate::settings::table::KNOWN;
use crate::settings::{Settings, platform};

/// What the commands that build have in common, wherever their flags keep it.
#[derive(Clone, Copy)]
pub struct BuildRequest<'a> {
    /// Flags of all of them.
    pub build: &'a BuildFlags,
    /// `-v`
    pub v: bool,
    /// `-o`
    pub o: &'a str,
    /// `-cover` and its kin.
    pub cover: Option<&'a CoverFlags>,
}

impl<'a> BuildRequest<'a> {
    /// Of these flags, and nothing else is asked for.
    #[must_use]
    pub fn of(build: &'a BuildFlags) -> BuildRequest<'a> {
        BuildRequest {
            build,
            v: false,
            o: "",
            cover: None,
        }
    }
}

/// What builds are done with.
///
/// # Errors
/// Flags or variables that cannot be.
pub fn build_config(session: &Session, request: BuildRequest<'_>) -> Result<BuildConfig> {
    let settings = &session.settings;
    let environment = session.environment();
    let gocache = gocache(settings)?;
    let (gomodcache, _) = settings.gomodcache();
    let memories = memories(environment);
    let project = crate::modules::project(settings, &session.files);
    let project = project.unwrap_or_else(|| environment.cwd().to_owned());
    Ok(BuildConfig {
        command: session.command.long_name().to_owned(),
        toolchain: toolchain(settings),
        target: target(settings)?,
        flags: flags(session, request)?,
        settings: variables(settings),
        environment: tool_environment(settings),
        cwd: environment.cwd().to_owned(),
        sightings: session.files.sightings().cloned(),
        hashes: memories
            .as_ref()
            .map(|dir| hashes(session, dir, &project, &gomodcache))
            .unwrap_or_default(),
        inputs: memories.map(|dir| Log::place(&dir, &project)),
        gocache,
        tmpdir: match settings.get("GOTMPDIR") {
            "" => environment.temp_dir(),
            dir => Utf8PathBuf::from(dir),
        },
        gomodcache: gomodcache.into(),
        modules_enabled: settings.get("GO111MODULE") != "off",
        ..BuildConfig::default()
    })
}

/// Where the hashes of files are remembered: those of the toolchain, of modules, and of this project.
fn hashes(
    session: &Session,
    memories: &Utf8Path,
    project: &Utf8Path,
    gomodcache: &str,
) -> Vec<(Utf8PathBuf, Utf8PathBuf)> {
    let goroot = session.settings.goroot.clone().unwrap_or_default();
    let roots = [goroot, gomodcache.into()]
        .into_iter()
        .filter(|root| root.is_absolute());
    let mut places: Vec<_> = roots
        .map(|root| {
            let place = FileHashes::place(memories, &root);
            (root, place)
        })
        .collect();
    let place = FileHashes::place(memories, project);
    places.push((Utf8PathBuf::new(), place));
    places
}

/// GOCACHE, which builds cannot do without.
fn gocache(settings: &Settings) -> Result<Utf8PathBuf> {
    settings.gocache().0.map_err(|why| {
        Failure::plain(format!(
            "build cache is required, but could not be located: {why}"
        ))
    })
}

fn toolchain(settings: &Settings) -> Toolchain {
    let test = settings
        .environment
        .lookup("TESTGO_TOOLCHAIN_VERSION")
        .filter(|_| cfg!(feature = "conformance"));
    Toolchain {
        goroot: settings.goroot.clone().unwrap_or_default(),
        version: test.unwrap_or(&settings.version).to_owned(),
        tool_dir: settings.tool_dir(),
        host_os: platform::host_os().to_owned(),
        host_arch: platform::host_arch().to_owned(),
        default_cc: platform::default_cc(settings.goos()).to_owned(),
        default_cxx: platform::default_cxx(settings.goos()).to_owned(),
        default_pkg_config: "pkg-config".to_owned(),
    }
}

fn target(settings: &Settings) -> Result<Target> {
    let arch = settings.arch_variable();
    Ok(Target {
        goos: settings.goos().to_owned(),
        goarch: settings.goarch().to_owned(),
        arch_env: (arch.name.to_owned(), arch.value),
        goexperiment: settings.experiments().map_err(Failure::error)?.canonical(),
        cgo_enabled: settings.cgo_enabled().0,
        fips140: "off".to_owned(),
    })
}

fn flags(session: &Session, request: BuildRequest<'_>) -> Result<Flags> {
    let BuildRequest { build, cover, .. } = request;
    let p = match build.p {
        Some(p) => p,
        None => processors(session),
    };
    if p <= 0 {
        bail!("-p must be a positive integer: {p}\n");
    }
    let mode = cover
        .and_then(|cover| cover.covermode.as_deref())
        .unwrap_or_default();
    let covermode = match (mode, build.race) {
        ("", true) => "atomic",
        ("", false) => "set",
        (mode, true) if mode != "atomic" => {
            let mode = steady_build::quote::quote(mode);
            return Err(Failure::plain(format!(
                "-covermode must be \"atomic\", not {mode}, when -race is enabled"
            )));
        }
        (mode, _) => mode,
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Ok(Flags {
        a: build.a,
        n: build.trace.n,
        x: build.trace.x,
        v: request.v,
        p: usize::try_from(p).unwrap_or(1),
        work: build.work,
        race: build.race,
        msan: build.msan,
        asan: build.asan,
        trimpath: build.trimpath,
        linkshared: build.linkshared,
        buildmode: build
            .buildmode
            .clone()
            .unwrap_or_else(|| "default".to_owned()),
        installsuffix: text(&build.installsuffix),
        pkgdir: match build.pkgdir.as_deref() {
            None | Some("") => Utf8PathBuf::new(),
            Some(dir) => session.files.absolute(dir),
        },
        toolexec: build.toolexec.clone().unwrap_or_default().0,
        o: request.o.to_owned(),
        cover: cover.is_some_and(|cover| {
            cover.cover || cover.covermode.is_some() || cover.coverpkg.is_some()
        }),
        covermode: covermode.to_owned(),
        compiler: match build.compiler.as_deref() {
            Some("gccgo") => Compiler::Gccgo,
            _ => Compiler::Gc,
        },
        library_ldflags: of_command_line(&build.ldflags),
        library_gccgoflags: of_command_line(&build.gccgoflags),
        debug_actiongraph: text(&build.debug_actiongraph),
        debug_trace: text(&build.debug_trace),
    })
}

/// The last of the flags that are for packages of the command line.
fn of_command_line(list: &[PerPackage]) -> Vec<String> {
    let mut list = list.iter().rev();
    let found = list.find(|flag| flag.pattern.is_none());
    found.map_or_else(Vec::new, |flag| flag.flags.clone())
}

/// How many programs run at once unless `-p` says so: GOMAXPROCS, or the number of processors.
fn processors(session: &Session) -> i64 {
    match session.environment().get("GOMAXPROCS").parse::<i64>() {
        Ok(n) if n > 0 => n,
        _ => i64::try_from(steady_system::processors()).unwrap_or(1),
    }
}

/// Every variable that is set somewhere, by name.
fn variables(settings: &Settings) -> BTreeMap<String, String> {
    KNOWN
        .iter()
        .copied()
        .chain(["GODEBUG"])
        .map(|name| (name.to_owned(), settings.get(name).to_owned()))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// The user's environment with `go env`'s variables set over it; internal variables of toolchain selection are left out.
#[must_use]
pub fn tool_environment(settings: &Settings) -> Vec<(String, String)> {
    let mut all: BTreeMap<String, String> = settings
        .environment
        .variables()
        .iter()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .filter(|(name, _)| name != "GOTOOLCHAIN_INTERNAL_SWITCH_COUNT")
        .collect();
    for variable in settings.variables() {
        // What is not set and means nothing stays unset.
        if !variable.value.is_empty() || all.contains_key(variable.name) {
            all.insert(variable.name.to_owned(), variable.value);
        }
    }
    all.into_iter().collect()
}

/// go's own count of how often it has changed toolchains, which is nobody else's business.
pub const SWITCH_COUNT: &str = "GOTOOLCHAIN_INTERNAL_SWITCH_COUNT";

/// The environment of programs that the user asked to run: as Steady was given it, and GOROOT's programs can be found.
#[must_use]
pub fn program_environment(settings: &Settings) -> Environment {
    let environment = settings.environment.clone().without(SWITCH_COUNT);
    let Some(goroot) = &settings.goroot else {
        return environment;
    };
    let bin = goroot.join("bin");
    let path = match environment.get("PATH") {
        "" => bin.to_string(),
        path => format!("{bin}:{path}"),
    };
    environment.with("PATH", path)
}

/// How source files are chosen.
///
/// # Errors
/// GOEXPERIMENT that cannot be.
pub fn build_context(
    settings: &Settings,
    build: &BuildFlags,
    modes: &Modes,
    syslist: Arc<SysList>,
) -> Result<BuildContext> {
    let goarch = settings.goarch();
    let experiments = settings.experiments().map_err(Failure::error)?;
    let mut tool_tags: Vec<String> = experiments
        .enabled()
        .map(|name| format!("goexperiment.{name}"))
        .collect();
    tool_tags.extend(settings.arch_variable().tags(goarch));
    tool_tags.extend(modes.tool_tags.iter().cloned());
    let gopath = settings.gopath();
    Ok(BuildContext {
        goroot: settings.goroot.clone().unwrap_or_default(),
        gopath: std::env::split_paths(&gopath)
            .filter_map(|path| Utf8PathBuf::from_path_buf(path).ok())
            .collect(),
        goos: settings.goos().to_owned(),
        goarch: goarch.to_owned(),
        cgo_enabled: settings.cgo_enabled().0,
        compiler: build.compiler.clone().unwrap_or_else(|| "gc".to_owned()),
        build_tags: build.tags.clone().unwrap_or_default().0,
        tool_tags,
        release_tags: BuildContext::release_tags_for(settings.minor_version()),
        install_suffix: modes.install_suffix.clone(),
        use_all_files: false,
        import_comments: settings.get("GO111MODULE") == "off",
        syslist,
    })
}

/// The build context of a run without build flags.
///
/// # Errors
/// As [`build_context`].
pub fn plain_context(session: &Session) -> Result<BuildContext> {
    let settings = &session.settings;
    let goroot = settings.goroot.clone().unwrap_or_default();
    let syslist = SysList::load(&session.files, &goroot)?;
    build_context(
        settings,
        &BuildFlags::default(),
        &Modes::default(),
        Arc::new(syslist),
    )
}

/// How modules are fetched.
#[must_use]
pub fn proxy_config(settings: &Settings) -> steady_proxy::Config {
    let private = settings.get("GOPRIVATE");
    let (gomodcache, _) = settings.gomodcache();
    let text = |name: &str| settings.get(name).to_owned();
    let test = cfg!(feature = "conformance");
    steady_proxy::Config {
        goproxy: text("GOPROXY"),
        gonoproxy: settings.or("GONOPROXY", private).to_owned(),
        goprivate: private.to_owned(),
        gosumdb: text("GOSUMDB"),
        gonosumdb: settings.or("GONOSUMDB", private).to_owned(),
        goinsecure: text("GOINSECURE"),
        govcs: text("GOVCS"),
        goauth: settings.or("GOAUTH", "netrc").to_owned(),
        gomodcache: gomodcache.into(),
        gopath: settings.first_gopath().unwrap_or_default(),
        go_version: steady_module::gover::from_toolchain(settings.local_version()).to_owned(),
        host_os: platform::host_os().to_owned(),
        host_arch: platform::host_arch().to_owned(),
        offline: settings.frozen.offline,
        locked: settings.frozen.locked,
        network_forbidden: test && settings.environment.get("TESTGONETWORK") == "panic",
        unknown_hosts: test
            .then(|| "localhost.localdev".to_owned())
            .into_iter()
            .collect(),
        vcs_forbidden: test && settings.environment.get("TESTGOVCSREMOTE") == "panic",
        goroot: settings.goroot.clone().unwrap_or_default(),
        hosts: if test {
            test_hosts(settings)
        } else {
            BTreeMap::new()
        },
        toolchain_explain: settings.startup.explain(),
        ..steady_proxy::Config::default()
    }
}

/// The hosts that the script harness serves on loopback.
fn test_hosts(settings: &Settings) -> BTreeMap<String, steady_proxy::HostRewrite> {
    let environment = &settings.environment;
    let plain = environment.get("TESTGO_VCSTEST_HOST");
    if plain.is_empty() {
        return BTreeMap::new();
    }
    let rewrite = |to: &str, certificate: &str| steady_proxy::HostRewrite {
        to: to.to_owned(),
        certificate: Some(certificate)
            .filter(|path| !path.is_empty())
            .map(Utf8PathBuf::from),
    };
    let secure = rewrite(
        environment.get("TESTGO_VCSTEST_TLS_HOST"),
        environment.get("TESTGO_VCSTEST_CERT"),
    );
    let host = "vcs-test.golang.org";
    BTreeMap::from([
        (format!("http://{host}"), rewrite(plain, "")),
        (format!("https://{host}"), secure),
    ])
}

/// What fetches modules. Touches neither disk nor network yet.
///
/// # Errors
/// GOPROXY that nobody has set: Steady knows no default of its own.
pub fn fetcher(settings: &Settings, files: &Files, observer: Arc<dyn Observer>) -> Result<Fetcher> {
    let config = proxy_config(settings);
    if config.goproxy.is_empty() {
        bail!(
            "GOPROXY is not set, and no Go distribution is at hand whose go.env says what it is by default; set GOPROXY to a module proxy's URL, or to \"direct\""
        );
    }
    Ok(Fetcher::new(
        config,
        settings.environment.clone(),
        files.clone(),
        observer,
    ))
}

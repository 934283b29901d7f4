//! Variables as meant: the process environment, then the user's `go/env`, then GOROOT's `go.env`, then a default.
//!
//! Everything that differs between Go releases (defaults in `go.env`, known pairs of system and architecture, experiments, the
//! version itself) is read from the toolchain in use. [`Settings::with_goroot`] makes the settings anew after another toolchain
//! was chosen, so that Steady acts as that version.
//!
//! Invariant: an empty variable is an unset variable, everywhere.

pub mod arch;
pub mod experiment;
pub mod files;
mod goroot;
pub mod origin;
pub mod platform;
pub mod table;

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;

use arch::{ArchVariable, constant};
use experiment::Experiments;
use platform::Pair;
use steady_proxy::toolchain::Startup;
use steady_system::{Environment, Files};

/// GOPROXY and GOSUMDB of the Go distribution that Steady was built beside, in the form of a `go.env` file. Empty if there was
/// none.
const EMBEDDED: &str = include_str!(concat!(env!("OUT_DIR"), "/go.env"));

/// The user's `go/env` file.
#[derive(Debug, Clone)]
pub struct EnvFile {
    /// Where it is, or why there is none.
    pub path: Result<Utf8PathBuf, String>,
    /// GOENV says so.
    pub changed: bool,
}

/// What a run must leave alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frozen {
    /// Nothing may change go.mod, go.sum, go.work or go.work.sum.
    pub locked: bool,
    /// Nothing may reach the network.
    pub offline: bool,
}

/// All that the environment and its files say, for one toolchain.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The process environment, working directory and arguments.
    pub environment: Environment,
    /// The user's file.
    pub env_file: EnvFile,
    /// GOROOT of the toolchain in use; `None` if there is none on this machine.
    pub goroot: Option<Utf8PathBuf>,
    /// The toolchain's version: `go1.26.8`; empty without a toolchain.
    pub version: String,
    /// What the toolchain itself is called in ids and on `go version` when the test harness says so.
    pub test_version: Option<String>,
    /// What decided about the toolchain; later errors tell.
    pub startup: Startup,
    /// What this run must leave alone.
    pub frozen: Frozen,
    user: BTreeMap<String, String>,
    root: BTreeMap<String, String>,
    sources: Sources,
}

/// Texts of the toolchain that settings are read from. A missing file is an empty text.
#[derive(Debug, Clone, Default)]
struct Sources {
    platforms: String,
    generated: String,
    experiment_flags: String,
    experiment_rules: String,
}

impl Settings {
    /// Reads the files that the environment points at.
    #[must_use]
    pub fn load(environment: Environment, files: &Files) -> Settings {
        let env_file = env_file(&environment);
        let user = env_file
            .path
            .as_ref()
            .ok()
            .and_then(|path| files.read_to_string(path).ok());
        let user = user.map(|text| files::parse(&text)).unwrap_or_default();
        let goroot = goroot::find(&environment, files, user.get("GOROOT").map(String::as_str));
        let mut settings = Settings {
            environment,
            env_file,
            goroot: None,
            version: String::new(),
            test_version: None,
            startup: Startup::default(),
            frozen: Frozen::default(),
            user,
            root: files::parse(EMBEDDED),
            sources: Sources::default(),
        };
        settings
            .root
            .entry("GOTOOLCHAIN".to_owned())
            .or_insert_with(|| "auto".to_owned());
        if cfg!(feature = "conformance") {
            settings.test_version = settings.variable("TESTGO_VERSION").map(str::to_owned);
        }
        if let Some(goroot) = goroot {
            settings.enter(goroot, files);
        }
        settings
    }

    /// The same settings with another toolchain; children see its GOROOT.
    #[must_use]
    pub fn with_goroot(&self, goroot: Utf8PathBuf, files: &Files) -> Settings {
        let mut settings = self.clone();
        settings.environment = settings.environment.with("GOROOT", goroot.as_str());
        settings.enter(goroot, files);
        settings
    }

    /// The same settings for another target.
    #[must_use]
    pub fn for_platform(mut self, goos: &str, goarch: &str) -> Settings {
        self.environment = self.environment.with("GOOS", goos).with("GOARCH", goarch);
        self
    }

    fn enter(&mut self, goroot: Utf8PathBuf, files: &Files) {
        let read = |name: &str| files.read_to_string(goroot.join(name)).unwrap_or_default();
        let text = read("go.env");
        if !text.is_empty() {
            self.root = files::parse(&text);
        }
        let generated = read("src/internal/buildcfg/zbootstrap.go");
        let version = read("VERSION");
        let version = version.lines().next().unwrap_or_default().trim();
        self.version = if version.is_empty() {
            // A toolchain that somebody has built from a repository, or whose tree was put together, may have no such file.
            let line = generated
                .lines()
                .find_map(|line| line.strip_prefix("const version = "));
            let quotes = |letter| matches!(letter, '`' | '"');
            line.unwrap_or_default().trim_matches(quotes).to_owned()
        } else {
            version.to_owned()
        };
        self.sources = Sources {
            platforms: read("src/internal/platform/zosarch.go"),
            generated,
            experiment_flags: read("src/internal/goexperiment/flags.go"),
            experiment_rules: read("src/internal/buildcfg/exp.go"),
        };
        self.goroot = Some(goroot);
    }

    /// A variable's value, empty if nothing sets it. GOROOT is what was found.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        let own = self.environment.get(name);
        if !own.is_empty() {
            return own;
        }
        if name == "GOROOT" {
            return self.goroot.as_deref().map_or("", Utf8Path::as_str);
        }
        let file = self.user.get(name).or_else(|| self.root.get(name));
        file.map_or("", String::as_str)
    }

    /// A setting of GODEBUG in the environment.
    #[must_use]
    pub fn godebug(&self, name: &str) -> Option<&str> {
        let settings = self.environment.get("GODEBUG").split(',').rev();
        let mut pairs = settings.filter_map(|setting| setting.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// A variable's value, or its default.
    #[must_use]
    pub fn or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        match self.get(name) {
            "" => default,
            value => value,
        }
    }

    /// A variable's value or default, and whether it differs from what it would be if nobody had set it.
    #[must_use]
    pub fn or_changed(&self, name: &str, default: &str) -> (String, bool) {
        match self.get(name) {
            "" => (default.to_owned(), false),
            value => (
                value.to_owned(),
                value != self.root.get(name).map_or(default, String::as_str),
            ),
        }
    }

    /// Is it a variable of the go command's, or one that a file sets?
    #[must_use]
    pub fn is_known(&self, name: &str) -> bool {
        self.user.contains_key(name) || self.root.contains_key(name) || table::KNOWN.contains(&name)
    }

    /// GOOS of the target.
    #[must_use]
    pub fn goos(&self) -> &str {
        self.or("GOOS", platform::host_os())
    }

    /// GOARCH of the target.
    #[must_use]
    pub fn goarch(&self) -> &str {
        self.or("GOARCH", platform::host_arch())
    }

    /// What the toolchain says of the target.
    #[must_use]
    pub fn pair(&self, goos: &str, goarch: &str) -> Pair {
        Pair::find(&self.sources.platforms, goos, goarch)
    }

    /// Every pair that the toolchain builds for: GOOS, GOARCH, what it says of them.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&str, &str, Pair)> {
        Pair::all(&self.sources.platforms).collect()
    }

    /// The variable of the target's architecture.
    #[must_use]
    pub fn arch_variable(&self) -> ArchVariable {
        ArchVariable::of(self, self.goarch(), &self.sources.generated)
    }

    /// The default that the toolchain was built with for `name` (`GOFIPS140`, `GOEXPERIMENT`).
    #[must_use]
    pub fn built_in(&self, name: &str) -> &str {
        let constant = |prefix: &str| constant(&self.sources.generated, &format!("{prefix}{name}"));
        constant("Default")
            .or_else(|| constant("default"))
            .unwrap_or_default()
    }

    /// Experiments for a target.
    ///
    /// # Errors
    /// A name that the toolchain does not know.
    pub fn experiments_for(
        &self,
        goos: &str,
        goarch: &str,
        value: &str,
    ) -> Result<Experiments, String> {
        if self.sources.experiment_flags.is_empty() {
            return Ok(Experiments::default());
        }
        let sources = &self.sources;
        Experiments::parse(
            &sources.experiment_flags,
            &sources.experiment_rules,
            (goos, goarch),
            value,
        )
    }

    /// Experiments for the target in effect.
    ///
    /// # Errors
    /// As [`Settings::experiments_for`].
    pub fn experiments(&self) -> Result<Experiments, String> {
        self.experiments_for(
            self.goos(),
            self.goarch(),
            self.or("GOEXPERIMENT", self.built_in("GOEXPERIMENT")),
        )
    }

    /// Checks the variables of architectures and GOFIPS140.
    ///
    /// # Errors
    /// The first value that cannot be; the text is go's.
    pub fn check(&self) -> Result<(), String> {
        self.arch_variable().effective()?;
        let fips = self.or("GOFIPS140", "off");
        if !matches!(fips, "off" | "latest" | "inprocess" | "certified") && !is_fips_version(fips) {
            return Err(
                "invalid GOFIPS140: must be off, latest, inprocess, certified, or v1.Y.Z"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The version that this run acts as: the toolchain's, unless the test harness says otherwise.
    #[must_use]
    pub fn local_version(&self) -> &str {
        let known = |version: &&str| !steady_module::gover::from_toolchain(version).is_empty();
        self.test_version
            .as_deref()
            .filter(known)
            .unwrap_or(&self.version)
    }

    /// `N` of the toolchain's `go1.N`; 0 if that cannot be known.
    #[must_use]
    pub fn minor_version(&self) -> u32 {
        let rest = self
            .local_version()
            .split_once("go1.")
            .map_or("", |(_, rest)| rest);
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        rest[..end].parse().unwrap_or_default()
    }

    /// CGO_ENABLED as decided, and whether that differs from the default.
    #[must_use]
    pub fn cgo_enabled(&self) -> (bool, bool) {
        let (goos, goarch) = (self.goos(), self.goarch());
        let default = match self.built_in("CGO_ENABLED") {
            "1" => true,
            "0" => false,
            _ => {
                goos == platform::host_os()
                    && goarch == platform::host_arch()
                    && self.pair(goos, goarch).cgo
                    && (!self.environment.get("CC").is_empty()
                        || self
                            .environment
                            .look_path(platform::default_cc(goos))
                            .is_ok())
            }
        };
        match self.get("CGO_ENABLED") {
            "1" => (true, !default),
            "0" => (false, default),
            _ => (default, false),
        }
    }

    /// GOPATH; empty if it cannot be known.
    #[must_use]
    pub fn gopath(&self) -> String {
        self.or("GOPATH", &self.default_gopath()).to_owned()
    }

    fn default_gopath(&self) -> String {
        match self.environment.home_dir() {
            Ok(home) if Some(home.join("go")) != self.goroot => home.join("go").into_string(),
            _ => String::new(),
        }
    }

    /// The first entry of GOPATH.
    #[must_use]
    pub fn first_gopath(&self) -> Option<Utf8PathBuf> {
        let gopath = self.gopath();
        let first = std::env::split_paths(&gopath).next()?;
        Utf8PathBuf::from_path_buf(first)
            .ok()
            .filter(|path| !path.as_str().is_empty())
    }

    /// GOMODCACHE; empty if it cannot be known. The flag says whether it differs from the default.
    #[must_use]
    pub fn gomodcache(&self) -> (String, bool) {
        let default = self
            .first_gopath()
            .map(|path| path.join("pkg/mod").into_string());
        self.or_changed("GOMODCACHE", &default.unwrap_or_default())
    }

    /// GOCACHE, or why there is none; and whether it differs from the default.
    pub fn gocache(&self) -> (Result<Utf8PathBuf, String>, bool) {
        let default = self
            .environment
            .user_cache_dir()
            .map(|dir| dir.join("go-build"));
        match self.get("GOCACHE") {
            "" => {
                let why = |error| format!("GOCACHE is not defined and {error}");
                (default.map_err(why), false)
            }
            dir => (
                match Utf8Path::new(dir) {
                    path if path.is_absolute() || dir == "off" => Ok(path.to_owned()),
                    _ => Err("GOCACHE is not an absolute path".to_owned()),
                },
                default.map_or(true, |default| default != dir),
            ),
        }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        Some(self.environment.get(name)).filter(|value| !value.is_empty())
    }

    /// The directory of the toolchain's tools.
    #[must_use]
    pub fn tool_dir(&self) -> Utf8PathBuf {
        let Some(goroot) = &self.goroot else {
            return Utf8PathBuf::new();
        };
        let (mut os, mut arch) = (platform::host_os(), platform::host_arch());
        if cfg!(feature = "conformance") {
            os = self.variable("TESTGO_GOHOSTOS").unwrap_or(os);
            arch = self.variable("TESTGO_GOHOSTARCH").unwrap_or(arch);
        }
        goroot.join("pkg/tool").join(format!("{os}_{arch}"))
    }
}

/// Where the user's file is.
fn env_file(environment: &Environment) -> EnvFile {
    match environment.get("GOENV") {
        "" => EnvFile {
            path: environment.user_config_dir().map(|dir| dir.join("go/env")),
            changed: false,
        },
        "off" => EnvFile {
            path: Err("GOENV=off".to_owned()),
            changed: false,
        },
        file => EnvFile {
            path: Ok(file.into()),
            changed: true,
        },
    }
}

/// `v1.Y.Z`, perhaps with `-rcN` or `-` and eight characters.
fn is_fips_version(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let Some((minor, rest)) = text
        .strip_prefix("v1.")
        .and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    let (patch, suffix) = rest
        .split_once('-')
        .map_or((rest, None), |(patch, suffix)| (patch, Some(suffix)));
    let suffix_fits = match suffix {
        None => true,
        Some(suffix) => suffix.strip_prefix("rc").map_or(suffix.len() == 8, number),
    };
    number(minor) && number(patch) && suffix_fits
}

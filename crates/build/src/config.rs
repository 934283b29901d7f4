//! Everything a build depends on beside its packages, as plain values.

use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use steady_system::{Question, Sight, Sightings, Stamp};

/// The toolchain that builds.
#[derive(Debug, Clone, Default)]
pub struct Toolchain {
    /// GOROOT.
    pub goroot: Utf8PathBuf,
    /// First line of `GOROOT/VERSION` (`go1.26.8`), or what a development toolchain calls itself. It salts every id.
    pub version: String,
    /// Directory of `compile`, `link`, …: GOTOOLDIR, normally `GOROOT/pkg/tool/HOSTOS_HOSTARCH`.
    pub tool_dir: Utf8PathBuf,
    /// Of the machine that builds: GOHOSTOS.
    pub host_os: String,
    /// Of the machine that builds: GOHOSTARCH.
    pub host_arch: String,
    /// The C compiler that a toolchain was made for, when neither CC nor the system decides (`gcc`, `clang`).
    pub default_cc: String,
    /// The same for C++.
    pub default_cxx: String,
    /// The same for pkg-config.
    pub default_pkg_config: String,
}

/// What is built for.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// GOOS.
    pub goos: String,
    /// GOARCH.
    pub goarch: String,
    /// Name of the architecture's own variable (`GOAMD64`) and its value with the default filled in (`v1`); empty names for
    /// architectures without one.
    pub arch_env: (String, String),
    /// GOEXPERIMENT, cleaned (sorted, without what the toolchain has by default); usually empty.
    pub goexperiment: String,
    /// CGO_ENABLED as decided.
    pub cgo_enabled: bool,
    /// GOFIPS140 as decided: `off`, `latest`, or the version of a snapshot.
    pub fips140: String,
}

/// A compiler of Go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compiler {
    /// The distribution's own.
    #[default]
    Gc,
    /// GCC's.
    Gccgo,
}

impl Compiler {
    /// Its standard library is compiled already, and there is no source of it.
    #[must_use]
    pub fn has_prebuilt_std(self) -> bool {
        self == Compiler::Gccgo
    }
}

/// Build flags as meant. Flags that belong to one package (`-gcflags`, `-ldflags`, …) are in its `PackageInternal`.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
pub struct BuildFlags {
    /// `-a`
    pub a: bool,
    /// `-n`
    pub n: bool,
    /// `-x`
    pub x: bool,
    /// `-v`
    pub v: bool,
    /// `-p`; at least 1.
    pub p: usize,
    /// `-work`
    pub work: bool,
    /// `-race`
    pub race: bool,
    /// `-msan`
    pub msan: bool,
    /// `-asan`
    pub asan: bool,
    /// `-trimpath`
    pub trimpath: bool,
    /// `-linkshared`
    pub linkshared: bool,
    /// `-buildmode`, `default` if not given.
    pub buildmode: String,
    /// `-installsuffix` as given.
    pub installsuffix: String,
    /// `-pkgdir`, absolute.
    pub pkgdir: Utf8PathBuf,
    /// `-toolexec`, split into words.
    pub toolexec: Vec<String>,
    /// `-o` as given, empty if not.
    pub o: String,
    /// `-cover`
    pub cover: bool,
    /// `-covermode`, with the default filled in.
    pub covermode: String,
    /// `-compiler`
    pub compiler: Compiler,
    /// The `-ldflags` for packages of the command line, with which a shared library of them is linked.
    pub library_ldflags: Vec<String>,
    /// The same of `-gccgoflags`.
    pub library_gccgoflags: Vec<String>,
    /// `-debug-actiongraph`: a file for the graph of actions.
    pub debug_actiongraph: String,
    /// `-debug-trace`: a file for what ran when.
    pub debug_trace: String,
}

impl Default for BuildFlags {
    fn default() -> Self {
        BuildFlags {
            a: false,
            n: false,
            x: false,
            v: false,
            p: 1,
            work: false,
            race: false,
            msan: false,
            asan: false,
            trimpath: false,
            linkshared: false,
            buildmode: "default".into(),
            installsuffix: String::new(),
            pkgdir: Utf8PathBuf::new(),
            toolexec: Vec::new(),
            o: String::new(),
            cover: false,
            covermode: "set".into(),
            compiler: Compiler::Gc,
            library_ldflags: Vec::new(),
            library_gccgoflags: Vec::new(),
            debug_actiongraph: String::new(),
            debug_trace: String::new(),
        }
    }
}

/// Everything a build depends on beside its packages.
#[derive(Debug, Clone, Default)]
pub struct BuildConfig {
    /// The go sub-command on whose behalf this is done (`build`, `install`, `run`, `list`, `test`); `install` errors name it.
    pub command: String,
    /// The toolchain.
    pub toolchain: Toolchain,
    /// The target.
    pub target: Target,
    /// The flags.
    pub flags: BuildFlags,
    /// Variables as go resolves them (environment, then GOENV's file, then defaults): `CC`, `CXX`, `FC`, `AR`, `PKG_CONFIG`,
    /// `CGO_CFLAGS`, `CGO_LDFLAGS_ALLOW`, `GO_EXTLINK_ENABLED`, `GODEBUG`, …. One that is missing is empty.
    pub settings: BTreeMap<String, String>,
    /// The environment that tools start with: the user's, with `go env`'s variables set over it as go does.
    pub environment: Vec<(String, String)>,
    /// The directory that messages are relative to.
    pub cwd: Utf8PathBuf,
    /// GOCACHE, absolute.
    pub gocache: Utf8PathBuf,
    /// GOTMPDIR or the system's directory for temporaries, absolute.
    pub tmpdir: Utf8PathBuf,
    /// GOMODCACHE, absolute.
    pub gomodcache: Utf8PathBuf,
    /// The vendor directory in use, for `-trimpath` of C sources; empty when there is none.
    pub vendor_dir: Utf8PathBuf,
    /// Modules are enabled (GO111MODULE is not `off`).
    pub modules_enabled: bool,
    /// `-overlay`: path to the file that stands in for it (empty: deleted). Both absolute.
    pub overlay: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    /// Where hashes of files are remembered: roots, and the file for what lies below each (see [`crate::cache::FileHashes`]).
    pub hashes: Vec<(Utf8PathBuf, Utf8PathBuf)>,
    /// Where it is remembered what went into packages (see [`crate::inputs`]).
    pub inputs: Option<Utf8PathBuf>,
    /// Of each package that is built anew it is told why: [`crate::Sink::rebuilt`].
    pub explain: bool,
    /// Takes notes of what the build looks at; spoiled as soon as something has to be done.
    pub sightings: Option<Arc<Sightings>>,
    /// Set to true from outside to end the build: nothing new is started.
    pub interrupted: Arc<AtomicBool>,
}

impl BuildConfig {
    /// Notes that a file's state counts.
    pub(crate) fn note(&self, path: &camino::Utf8Path) {
        if let Some(sightings) = &self.sightings {
            let path = self.cwd.join(path);
            // Sources of test programs lie in the build cache, whose files are marked as used by their times.
            let question = if path.starts_with(&self.gocache) {
                Question::Head
            } else {
                Question::Stamp
            };
            sightings.look(&path, question);
        }
    }

    /// A variable as tools find it in their environment; empty if it is not there.
    pub(crate) fn tool_variable(&self, name: &str) -> &str {
        let mut set = self.environment.iter().rev();
        let found = set.find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A file was looked at that was in this state.
    pub(crate) fn saw(&self, path: &camino::Utf8Path, stamp: Stamp) {
        let path = self.cwd.join(path);
        match &self.sightings {
            Some(sightings) if !path.starts_with(&self.gocache) => {
                sightings.saw(&path, Question::Stamp, Sight::Stamp(stamp));
            }
            _ => self.note(&path),
        }
    }

    /// Something is done: the build does more than look.
    pub(crate) fn note_work(&self) {
        if let Some(sightings) = &self.sightings {
            sightings.spoil();
        }
    }

    /// A variable's value, empty if unset.
    #[must_use]
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// The file that is really read for `path`.
    #[must_use]
    pub fn actual<'a>(&'a self, path: &'a camino::Utf8Path) -> &'a camino::Utf8Path {
        self.overlay.get(path).map_or(path, |to| to.as_path())
    }
}

//! The graph of actions and its execution.

use camino::Utf8PathBuf;
use std::collections::HashMap;
use std::sync::Arc;
use steady_packages::package::{PackageId, PackageSet};

use crate::config::{BuildConfig, Modes};
use crate::error::{BuildError, Result};
use crate::sink::Sink;

/// What to do with a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Compile it; of a main package, link it too. The result stays in the cache or the work directory.
    Build,
    /// The same, then put the result where the root's target says.
    Install,
    /// Compile only, also a main package (`list -export`).
    Compile,
    /// Link, and keep the executable in the build cache as `go run` does.
    Executable,
}

/// One package to be built.
#[derive(Debug, Clone)]
pub struct Root {
    /// The package.
    pub package: PackageId,
    /// What to do with it.
    pub mode: Mode,
    /// Where the result goes instead of the package's own target (`-o`).
    pub target: Option<Utf8PathBuf>,
}

/// What became of one package.
#[derive(Debug, Clone, Default)]
pub struct PackageOutcome {
    /// The archive in the build cache or the target; `list`'s Export.
    pub built: Option<Utf8PathBuf>,
    /// Build id of the archive.
    pub build_id: String,
    /// `list -compiled`'s files.
    pub compiled_go_files: Option<Vec<String>>,
    /// `list`'s Stale.
    pub stale: bool,
    /// `list`'s StaleReason.
    pub stale_reason: String,
    /// Why the package did not build, when the caller asked for errors as data.
    pub error: Option<String>,
    /// The linked program ([`Mode::Build`] leaves it in the work directory, [`Mode::Executable`] in the cache).
    pub executable: Option<Utf8PathBuf>,
}

/// What became of a build.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Something failed and was reported; exit code 1.
    pub failed: bool,
    /// The build was ended from outside.
    pub interrupted: bool,
    /// By package, for every package that an action was made for.
    pub packages: HashMap<PackageId, PackageOutcome>,
}

/// What `list` asks for beside building.
#[derive(Debug, Clone, Copy, Default)]
pub struct ListNeeds {
    /// Nothing is linked or installed: the caller is `list`.
    pub is_list: bool,
    /// `-export`: archives must exist.
    pub export: bool,
    /// `-compiled`: CompiledGoFiles must be known.
    pub compiled_go_files: bool,
    /// `-e`: failures become [`PackageOutcome::error`] instead of being printed.
    pub errors: bool,
}

/// Builds packages. Owns the work directory, which goes away with it (unless `-work`).
pub struct Builder {
    config: Arc<BuildConfig>,
    modes: Modes,
    sink: Arc<dyn Sink>,
    needs: ListNeeds,
}

impl Builder {
    /// Opens the cache and makes the work directory.
    ///
    /// # Errors
    /// Flags that cannot be, or directories that cannot be made.
    pub fn new(config: BuildConfig, sink: Arc<dyn Sink>, needs: ListNeeds) -> Result<Builder> {
        let modes = Modes::derive(&config)?;
        Ok(Builder {
            config: Arc::new(config),
            modes,
            sink,
            needs,
        })
    }

    /// The modes that follow from the configuration.
    #[must_use]
    pub fn modes(&self) -> &Modes {
        &self.modes
    }

    /// Builds the roots and all they depend on. What fails goes to the sink; the rest is still built.
    ///
    /// # Errors
    /// Only what ends the build as a whole.
    pub fn build(&self, packages: &PackageSet, roots: &[Root]) -> Result<Outcome> {
        let _ = (packages, roots, &self.config, &self.sink, self.needs);
        Err(BuildError::Unsupported("building".into()))
    }
}

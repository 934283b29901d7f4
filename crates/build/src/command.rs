//! What the commands do with the packages they were given: `build`, `install`, `run`, `list -export -compiled`.
//!
//! The packages come loaded and checked (`load.CheckPackageErrors` has passed) except for `list -e`.

use camino::Utf8PathBuf;
use std::sync::Arc;
use steady_packages::package::{PackageId, PackageSet};

use crate::action::{Builder, ListNeeds, Outcome};
use crate::config::BuildConfig;
use crate::error::{BuildError, Result};
use crate::sink::Sink;

/// `go build`: compiles `packages`, and writes what `-o` and the number of packages say.
///
/// # Errors
/// Wrong use of `-o` or `-buildmode`; failures of single packages are in the outcome.
pub fn build(
    config: BuildConfig,
    set: &mut PackageSet,
    packages: &[PackageId],
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let _ = (config, set, packages, sink);
    Err(BuildError::Unsupported("build".into()))
}

/// `go install`: builds and puts programs into their targets. `patterns` are the arguments as typed (none: the current
/// directory).
///
/// # Errors
/// As [`build`], and packages that have no place to be installed in.
pub fn install(
    config: BuildConfig,
    set: &mut PackageSet,
    packages: &[PackageId],
    patterns: &[String],
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let _ = (config, set, packages, patterns, sink);
    Err(BuildError::Unsupported("install".into()))
}

/// A program that is ready to run, with the builder whose work directory it may lie in: keep it until the program has ended.
pub struct Runnable {
    /// What to execute: the `-exec` words or `go_GOOS_GOARCH_exec` if the target is not this machine, then the program.
    pub command: Vec<String>,
    /// The program alone.
    pub program: Utf8PathBuf,
    /// What was built.
    pub outcome: Outcome,
    /// Removes the work directory when it is dropped.
    pub builder: Builder,
}

/// `go run`: builds one main package and says how to start it. `exec` is `-exec`, split into words. Under `-n` and `-x` the
/// command line is shown when [`Runnable::show`] is called.
///
/// # Errors
/// As [`build`].
pub fn run(
    config: BuildConfig,
    set: &mut PackageSet,
    package: PackageId,
    exec: &[String],
    sink: Arc<dyn Sink>,
) -> Result<Runnable> {
    let _ = (config, set, package, exec, sink);
    Err(BuildError::Unsupported("run".into()))
}

impl Runnable {
    /// Prints the command line with its arguments, as `-x` and `-n` do.
    pub fn show(&self, arguments: &[String]) {
        let _ = arguments;
    }
}

/// `go list`: fills Stale, StaleReason and, as asked, Export, BuildID and CompiledGoFiles of `packages` and what they depend on.
///
/// # Errors
/// Only what ends the build as a whole.
pub fn list(
    config: BuildConfig,
    set: &mut PackageSet,
    packages: &[PackageId],
    needs: ListNeeds,
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let _ = (config, set, packages, needs, sink);
    Err(BuildError::Unsupported("list -export".into()))
}

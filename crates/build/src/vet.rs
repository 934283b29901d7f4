//! `go vet` and `go fix`: a checker of the toolchain (or another that talks like it) run over packages.

use camino::Utf8PathBuf;
use std::sync::Arc;
use steady_packages::package::{PackageId, PackageSet};

use crate::action::{Builder, ListNeeds, Outcome};
use crate::config::BuildConfig;
use crate::error::Result;
use crate::plan::Plan;
use crate::sink::Sink;

/// What becomes of a checker's standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VetOutput {
    /// It is copied to ours.
    Copied,
    /// It is JSON: diagnostics, which are printed to standard error, with so many lines of source around each.
    Diagnostics(Option<usize>),
    /// It is a difference; that there is one is a failure.
    Difference,
}

/// How packages are checked.
#[derive(Debug, Clone)]
pub struct VetSettings {
    /// The checker.
    pub tool: Utf8PathBuf,
    /// It is the toolchain's own vet.
    pub own_vet: bool,
    /// Flags for it.
    pub flags: Vec<String>,
    /// The flags were given by the user.
    pub explicit: bool,
    /// What becomes of its output.
    pub output: VetOutput,
    /// It writes files as it would have them into an archive.
    pub fix: bool,
    /// The Go version of packages outside of modules.
    pub go_version: String,
}

impl VetSettings {
    /// Whether the checker says something of each package that it reports on, if only that there is nothing.
    pub(crate) fn always_speaks(&self) -> bool {
        self.flags
            .iter()
            .any(|flag| matches!(flag.trim_start_matches('-'), "json" | "json=true"))
    }
}

/// Checks packages. Archives of fixes are in the outcome.
///
/// # Errors
/// Only what ends the run as a whole.
pub fn vet(
    config: BuildConfig,
    set: &PackageSet,
    packages: &[PackageId],
    settings: &VetSettings,
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let mut builder = Builder::new(config, sink, ListNeeds::default())?;
    builder.note_look_ups();
    let work = builder.work_dir();
    let plan = Plan::for_vet(set, builder.config(), builder.modes(), &work, packages);
    let mut means = builder.means();
    means.vet = Some(settings);
    builder.execute(&means, set, &plan)
}

//! The graph of actions and its execution.

use camino::Utf8PathBuf;
use std::collections::HashMap;
use std::sync::Arc;
use steady_packages::package::{PackageId, PackageSet};
use steady_system::process::Command;
use steady_system::temp::TempDir;

use crate::cache::{Cache, FileHashes, HashContext};
use crate::config::BuildConfig;
use crate::error::{BuildError, Result};
use crate::exec::driver::{self, Driver};
use crate::exec::{CCompilers, Means, Run, Tokens, Tools};
use crate::modes::Modes;
use crate::plan::Plan;
use crate::platform::Platform;
use crate::quote::split_words;
use crate::release::Release;
use crate::shell::{Shared, Shell, environment_of};
use crate::sink::Sink;

/// What to do with a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Compile it; of a main package, see that it links too. The program itself is not wanted.
    Build,
    /// The same, then put the result where the root's target says.
    Install,
    /// Compile only, also a main package (`list -export`).
    Compile,
    /// Link; the program is wanted where it is made (in the build cache, with releases whose `go run` keeps it there).
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
    /// The linked program, of [`Mode::Executable`] and [`Mode::Install`].
    pub executable: Option<Utf8PathBuf>,
    /// A zip of files as a tool would have them (`go fix`).
    pub fixes: Option<Utf8PathBuf>,
}

/// What became of a build.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Something failed and was reported; exit code 1.
    pub failed: bool,
    /// The failure kept the run from its last step.
    pub root_failed: bool,
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
    shared: Shared,
    cache: Cache,
    files: FileHashes,
    tools: Tools,
    compilers: CCompilers,
    driver: Box<dyn Driver>,
    tokens: Tokens,
    needs: ListNeeds,
    /// The directory to be removed; none under `-n`.
    work: Option<TempDir>,
}

impl Builder {
    /// Opens the cache and makes the work directory.
    ///
    /// # Errors
    /// Flags that cannot be, or directories that cannot be made.
    pub fn new(config: BuildConfig, sink: Arc<dyn Sink>, needs: ListNeeds) -> Result<Builder> {
        let modes = Modes::derive(&config)?;
        let (goos, goarch) = (&config.target.goos, &config.target.goarch);
        if !(Platform { goos, goarch }).is_known() {
            let line = format!("go: unsupported GOOS/GOARCH pair {goos}/{goarch}");
            return Err(BuildError::Fatal { line, exit: 2 });
        }
        check_compilers(&config)?;
        let graph = &config.flags.debug_actiongraph;
        if graph.ends_with(".go") {
            // The flag without a file, in front of a source file.
            let line = format!("go: refusing to write action graph to {graph}\n");
            return Err(BuildError::Fatal { line, exit: 1 });
        }
        let driver = driver::of(&config)?;
        let cache = open_cache(&config, &sink)?;
        let work = if config.flags.n {
            None
        } else {
            Some(make_work_dir(&config)?)
        };
        let path = match &work {
            Some(dir) => dir.path().to_string(),
            None => "$WORK".into(),
        };
        if work.is_some() && (config.flags.x || config.flags.work) {
            sink.print(None, &format!("WORK={path}\n"));
        }
        let processors = processors(&config);
        let config = Arc::new(config);
        Ok(Builder {
            modes,
            shared: Shared::new(Arc::clone(&config), sink, path),
            cache,
            files: FileHashes::new(config.hashes.clone()),
            tools: Tools::default(),
            compilers: CCompilers::default(),
            driver,
            tokens: Tokens::new(config.flags.p.max(1), processors),
            needs,
            work,
            config,
        })
    }

    /// What is found in the build cache counts for whoever wants to give the answer again.
    pub(crate) fn note_look_ups(&mut self) {
        if let Some(sightings) = &self.config.sightings {
            self.cache.note_look_ups(Arc::clone(sightings));
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &BuildConfig {
        &self.config
    }

    /// The modes that follow from the configuration.
    #[must_use]
    pub fn modes(&self) -> &Modes {
        &self.modes
    }

    /// The build cache.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The work directory, as commands name it.
    #[must_use]
    pub(crate) fn work_dir(&self) -> String {
        self.shared.work.clone()
    }

    pub(crate) fn means(&self) -> Means<'_> {
        Means {
            config: &self.config,
            modes: &self.modes,
            shared: &self.shared,
            cache: &self.cache,
            files: &self.files,
            tools: &self.tools,
            compilers: &self.compilers,
            driver: &*self.driver,
            tokens: &self.tokens,
            needs: self.needs,
            vet: None,
            tests: None,
        }
    }

    /// The flags that every compilation of C has (`go env GOGCCFLAGS`).
    #[must_use]
    pub fn c_compiler_flags(&self) -> Vec<String> {
        let packages = PackageSet::default();
        let plan = Plan::new(
            &packages,
            &self.config,
            &self.modes,
            &self.shared.work,
            &[],
            true,
        );
        Run::new(&self.means(), &packages, &plan).plain_c_flags()
    }

    /// Shows a shell line as `-x` and `-n` do.
    pub fn show(&self, line: &str) {
        Shell::background(&self.shared).show("", line);
    }

    /// Builds the roots and all they depend on. What fails goes to the sink; the rest is still built.
    ///
    /// # Errors
    /// Only what ends the build as a whole.
    pub fn build(&self, packages: &PackageSet, roots: &[Root]) -> Result<Outcome> {
        let (config, modes) = (&*self.config, &self.modes);
        let plan = Plan::new(
            packages,
            config,
            modes,
            &self.shared.work,
            roots,
            self.needs.is_list,
        );
        self.execute(&self.means(), packages, &plan)
    }

    /// Puts the roots into a shared library of that file name.
    ///
    /// # Errors
    /// Only what ends the build as a whole.
    pub fn build_library(
        &self,
        packages: &PackageSet,
        roots: &[Root],
        name: &str,
    ) -> Result<Outcome> {
        let (config, modes, work) = (&*self.config, &self.modes, &self.shared.work);
        let plan = Plan::for_library(packages, config, modes, work, (roots, name));
        self.execute(&self.means(), packages, &plan)
    }

    /// Carries a plan out.
    pub(crate) fn execute(
        &self,
        means: &Means<'_>,
        packages: &PackageSet,
        plan: &Plan<'_>,
    ) -> Result<Outcome> {
        if let Some(line) = plan.refusal.clone() {
            return Err(BuildError::Fatal { line, exit: 1 });
        }
        let outcome = Run::new(means, packages, plan).execute();
        if !self.config.flags.n {
            self.files.save();
        }
        if !self.needs.is_list {
            let failed = |error| BuildError::Message(format!("failed to trim cache: {error}"));
            self.cache.close().map_err(failed)?;
        }
        Ok(outcome)
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        if let Some(work) = self.work.take().filter(|_| self.config.flags.work) {
            let _ = work.keep(); // -work
        }
    }
}

/// How many processors compilers share: GOMAXPROCS, which go's own runtime goes by, or those of this machine.
fn processors(config: &BuildConfig) -> usize {
    match config.tool_variable("GOMAXPROCS").parse().ok() {
        Some(count) if count > 0 => count,
        _ => steady_system::processors(),
    }
}

/// Variables that name compilers must be words, and the program's name absolute or without a directory.
fn check_compilers(config: &BuildConfig) -> Result<()> {
    for name in ["CC", "CXX", "FC"] {
        let fatal = |text: String| BuildError::Fatal {
            line: format!("go: {name} environment variable {text}"),
            exit: 1,
        };
        let words = split_words(config.setting(name))
            .map_err(|error| fatal(format!("could not be parsed: {error}")))?;
        if let Some(program) = words
            .first()
            .filter(|program| !program.starts_with('/') && program.contains('/'))
        {
            return Err(fatal(format!(
                "is relative; must be absolute path: {program}\n"
            )));
        }
    }
    for name in ["CFLAGS", "CPPFLAGS", "CXXFLAGS", "FFLAGS", "LDFLAGS"] {
        let name = format!("CGO_{name}");
        if let Err(error) = split_words(config.setting(&name)) {
            let value = crate::quote::quote(config.setting(&name));
            return Err(BuildError::Message(format!(
                "could not parse environment variable {name} with value {value}: {error}"
            )));
        }
    }
    Ok(())
}

pub(crate) fn open_cache(config: &BuildConfig, sink: &Arc<dyn Sink>) -> Result<Cache> {
    if config.gocache != "off" && !config.gocache.is_absolute() {
        let line =
            "build cache is required, but could not be located: GOCACHE is not an absolute path";
        return Err(BuildError::Fatal {
            line: line.into(),
            exit: 1,
        });
    }
    if config.gocache == "off" {
        let line = "build cache is disabled by GOCACHE=off, but required as of Go 1.12";
        return Err(BuildError::Fatal {
            line: line.into(),
            exit: 1,
        });
    }
    let on = |name: &str| {
        config
            .setting("GODEBUG")
            .split(',')
            .rev()
            .find_map(|pair| pair.strip_prefix(name))
            == Some("=1")
    };
    let (verify, trace) = (on("gocacheverify"), on("gocachehash"));
    let hashes = HashContext::new(
        &Release::salt(&config.toolchain.version),
        trace.then(|| Arc::clone(sink)),
        verify,
    );
    let failed = |error| BuildError::Cache {
        dir: config.gocache.clone(),
        error,
    };
    let mut cache = Cache::open(&config.gocache, hashes, verify).map_err(failed)?;
    let program = config.setting("GOCACHEPROG");
    if !program.is_empty() {
        let fatal = |line: String| BuildError::Fatal { line, exit: 1 };
        let words =
            split_words(program).map_err(|error| fatal(format!("GOCACHEPROG args: {error}")))?;
        let name = words.first().cloned().unwrap_or_default();
        let mut command = Command::new(name.clone(), &environment_of(config));
        command.args(words.iter().skip(1));
        let waiting = || {
            sink.print(
                None,
                &format!("# still waiting for GOCACHEPROG {name} ...\n"),
            )
        };
        cache
            .use_program(&name, &command, &waiting)
            .map_err(fatal)?;
    }
    Ok(cache)
}

fn make_work_dir(config: &BuildConfig) -> Result<TempDir> {
    let dir = config.cwd.join(&config.tmpdir);
    TempDir::new_in(dir, "go-build").map_err(BuildError::WorkDir)
}

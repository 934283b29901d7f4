//! One load: what it follows from, and what comes of it.

use camino::{Utf8Path, Utf8PathBuf};
use clap::FromArgMatches;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use steady_assure::check::world::{Outcome, Platform, Seen};
use steady_packages::index::Index;
use steady_packages::load::Places;
use steady_packages::modload::{GetOptions, ModMode, Modules};
use steady_system::temp::TempDir;

use super::environments::Stage;
use crate::configs::BuildRequest;
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::flags::{define, grammar};
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;

/// Which modules are the main ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Main {
    /// Those of a go.work.
    Workspace(Utf8PathBuf),
    /// The one in this directory.
    Alone(Utf8PathBuf),
    /// One that requires the module to be loaded, with its go.mod in this directory.
    Consumer(Utf8PathBuf),
    /// There is none where one is needed.
    Missing,
}

/// All that a load follows from.
#[derive(PartialEq, Eq)]
pub struct Inputs {
    /// Number of the tree.
    pub tree: usize,
    /// The main modules.
    pub main: Main,
    /// What is named.
    pub patterns: Vec<String>,
    /// Tests count.
    pub tests: bool,
    /// For which.
    pub platform: Platform,
    /// Variables that have a say, by name.
    pub variables: Vec<(&'static str, String)>,
}

/// One load of an environment's packages.
pub struct Load<'s> {
    /// What it follows from.
    pub inputs: Inputs,
    /// Where it takes place.
    pub stage: &'s Stage,
    /// What loads on other platforms know too.
    pub ground: Arc<Ground>,
    /// What came of it.
    pub outcome: OnceLock<Outcome>,
}

/// What loads have in common that differ in the platform only.
#[derive(Default)]
pub struct Ground {
    modules: Mutex<Option<Arc<Modules>>>,
    places: Arc<Places>,
}

impl Ground {
    /// The modules, opened by whoever comes first.
    fn open(&self, session: &mut Session, request: Request<'_>) -> Result<Arc<Modules>> {
        let mut known = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(modules) = &*known {
            return Ok(Arc::clone(modules));
        }
        let modules = Arc::new(loading::open_for(session, request)?);
        *known = Some(Arc::clone(&modules));
        Ok(modules)
    }
}

impl Inputs {
    /// Whether another load is over the same modules. What is looked up for others is not to be told as missing here, so those that
    /// count with cgo are apart from those for all kinds of platforms.
    pub fn same_ground(&self, other: &Inputs) -> bool {
        self.tree == other.tree
            && self.main == other.main
            && self.platform.cgo == other.platform.cgo
            && self.tests == other.tests
            && self.variables == other.variables
    }
}

/// The variables that have a say in what is loaded, beside the platform.
pub fn variables(session: &Session) -> Vec<(&'static str, String)> {
    let settings = &session.settings;
    let names = [
        "GOFLAGS",
        "GO111MODULE",
        "GOEXPERIMENT",
        "GODEBUG",
        "GOFIPS140",
        "GOROOT",
        "GOPATH",
        "GOMODCACHE",
    ];
    let mut all: Vec<_> = names
        .iter()
        .map(|name| (*name, settings.get(name).to_owned()))
        .collect();
    let arch = settings.arch_variable();
    all.push(("arch", format!("{}={}", arch.name, arch.value)));
    all
}

impl Load<'_> {
    /// Does it.
    pub fn run(&self, index: &Arc<Index>) -> Outcome {
        let outcome = outcome(self.seen(index));
        let Main::Consumer(dir) = &self.inputs.main else {
            return outcome;
        };
        // A consumer has the requirements and sums of its own `go get`, which may be more than those of the module itself.
        match &outcome {
            Outcome::Loaded(seen) if seen.is_whole() => outcome,
            _ => match self.resolved(dir, index) {
                Ok(resolved) => resolved,
                Err(failure) => Outcome::Refused(texts(failure)),
            },
        }
    }

    /// The same with requirements and sums as `go get` works them out, in a directory that can be written to.
    fn resolved(&self, dir: &Utf8Path, index: &Arc<Index>) -> Result<Outcome> {
        let mut session = self.session();
        let place = TempDir::new(session.environment(), "steady-consumer")?;
        let text = session.files.read_to_string(dir.join("go.mod"))?;
        let mut requires = text
            .lines()
            .filter_map(|line| line.strip_prefix("require "));
        // The module, not `/...` in it: that would be looked for in every module whose path is a beginning of it.
        let wanted = requires.next().unwrap_or_default().replacen(' ', "@", 1);
        let rest = text.lines().filter(|line| !line.starts_with("require "));
        let empty: String = rest.flat_map(|line| [line, "\n"]).collect();
        session
            .files
            .write(place.path().join("go.mod"), empty.as_bytes(), 0o600)?;
        let flags = build_flags(&session)?;
        let modules = ModRequest {
            mode: Some("mod"),
            default_mode: Some(ModMode::Mod),
            from_nothing: true,
            ..self.modules(&flags, Some(place.path()), index)
        };
        let bench = loading::prepare(&mut session, request(&flags, modules, false))?;
        let options = GetOptions {
            context: Arc::new(bench.context),
            upgrade: String::new(),
            tests: false,
            tool: false,
            verbose: false,
        };
        let failed = bench.modules.get(&[wanted], &options)?.failed;
        if failed {
            // Nothing was written. What is wrong is told by the packages themselves, with all that is required at hand.
            let files = &session.files;
            files.write(place.path().join("go.mod"), text.as_bytes(), 0o600)?;
        }
        let modules = ModRequest {
            mode: Some("mod"),
            from_nothing: true,
            ..self.modules(&flags, Some(place.path()), index)
        };
        let settled = (&Ground::default(), true);
        Ok(outcome(self.loaded(&flags, modules, settled)))
    }

    /// A session for this platform.
    fn session(&self) -> Session {
        let mut session = self.stage.session.fork();
        let platform = &self.inputs.platform;
        let environment = session.settings.environment.clone();
        session.settings.environment = environment
            .with("GOOS", &platform.goos)
            .with("GOARCH", &platform.goarch)
            .with("CGO_ENABLED", if platform.cgo { "1" } else { "0" });
        session
    }

    fn modules<'a>(
        &self,
        flags: &'a FullBuildFlags,
        main_dir: Option<&'a Utf8Path>,
        index: &'a Arc<Index>,
    ) -> ModRequest<'a> {
        ModRequest {
            no_workspace: main_dir.is_some(),
            main_dir,
            index: Some(index),
            force: true,
            ..ModRequest::of(&flags.modmode, &flags.modules)
        }
    }

    fn seen(&self, index: &Arc<Index>) -> Result<Seen> {
        let main_dir = match &self.inputs.main {
            Main::Workspace(_) => None,
            Main::Alone(dir) | Main::Consumer(dir) => Some(dir.as_path()),
            Main::Missing => {
                return Err(Failure::error(
                    "go.mod file not found in current directory or any parent directory; see 'go help modules'",
                ));
            }
        };
        let flags = build_flags(&self.session())?;
        let as_they_are = (&*self.ground, false);
        let mut modules = self.modules(&flags, main_dir, index);
        if matches!(self.inputs.main, Main::Consumer(_)) {
            // Sums that are missing here are those that `go get` adds.
            modules.mode = Some("mod");
            modules.default_mode = Some(ModMode::Mod);
        }
        self.loaded(&flags, modules, as_they_are)
    }

    /// Loads; `settles`: requirements that packages need are added first.
    fn loaded(
        &self,
        flags: &FullBuildFlags,
        modules: ModRequest<'_>,
        (ground, settles): (&Ground, bool),
    ) -> Result<Seen> {
        let mut session = self.session();
        let request = request(flags, modules, self.inputs.tests);
        let modules = ground.open(&mut session, request)?;
        let mut bench = loading::prepare_over(&session, request, modules)?;
        bench.only_look(&ground.places);
        if settles {
            let context = Arc::new(bench.context.clone());
            let patterns = &self.inputs.patterns;
            bench.modules.settle(patterns, context, false)?;
        }
        let loaded = bench.look(&self.inputs.patterns)?;
        Ok(Seen::of(bench.modules, bench.context, loaded))
    }
}

/// What is asked of loading: packages, and what their tests consist of if that counts.
fn request<'a>(flags: &'a FullBuildFlags, modules: ModRequest<'a>, tests: bool) -> Request<'a> {
    Request {
        tests,
        ..Request::of(BuildRequest::of(&flags.build), modules)
    }
}

fn outcome(seen: Result<Seen>) -> Outcome {
    match seen {
        Ok(seen) => Outcome::Loaded(Arc::new(seen)),
        Err(failure) => Outcome::Refused(texts(failure)),
    }
}

/// The flags that GOFLAGS gives to a build.
fn build_flags(session: &Session) -> Result<FullBuildFlags> {
    let definition = define::<FullBuildFlags>();
    let wrong = |error: &dyn std::fmt::Display| Failure::error(error.to_string());
    let words = session
        .goflags
        .apply(&definition)
        .map_err(|error| wrong(&error))?;
    let parsed = grammar::parse(&definition, &words, &[]).map_err(|error| wrong(&error))?;
    Ok(FullBuildFlags::from_arg_matches(&parsed.matches)?)
}

/// What a failure says, each thing on its own.
fn texts(failure: Failure) -> Vec<String> {
    match failure {
        Failure::Errors(messages) | Failure::TooNew { messages, .. } => messages,
        Failure::Message(message, _) => vec![message],
        Failure::Hinted(failure, _) => texts(*failure),
        Failure::Usage | Failure::Said(_) => vec!["it cannot be loaded".to_owned()],
    }
}

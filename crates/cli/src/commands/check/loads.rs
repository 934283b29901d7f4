//! Loading what the environments show. Environments whose inputs are equal share one load: that is decided by comparing the inputs.

use camino::{Utf8Path, Utf8PathBuf};
use clap::FromArgMatches;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use steady_assure::check::Environment;
use steady_assure::check::World;
use steady_assure::check::symptom::Symptom;
use steady_assure::check::world::{Layout, Outcome, Platform, Seen, Setting, Trouble, View};
use steady_packages::index::Index;
use steady_packages::load::Places;
use steady_packages::modload::{GetOptions, ModMode, Modules};
use steady_system::temp::TempDir;

use super::environments::{Stage, Survey};
use super::probes::Probes;
use super::progress::Watcher;
use crate::configs::BuildRequest;
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::flags::{define, grammar};
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;

/// Which modules are the main ones.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Main {
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
struct Inputs {
    /// Number of the tree.
    tree: usize,
    main: Main,
    patterns: Vec<String>,
    tests: bool,
    platform: Platform,
    /// Variables that have a say, by name.
    variables: Vec<(&'static str, String)>,
}

struct Load<'s> {
    inputs: Inputs,
    stage: &'s Stage,
    /// What loads on other platforms know too.
    ground: Arc<Ground>,
    outcome: OnceLock<Outcome>,
}

/// What loads have in common that differ in the platform only.
#[derive(Default)]
struct Ground {
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
    fn same_ground(&self, other: &Inputs) -> bool {
        self.tree == other.tree
            && self.main == other.main
            && self.platform.cgo == other.platform.cgo
            && self.tests == other.tests
            && self.variables == other.variables
    }
}

struct Planned {
    environment: Environment,
    module: String,
    platform: Platform,
    load: usize,
}

/// What is to be loaded, and for whom.
#[derive(Default)]
pub struct Loads<'s> {
    loads: Vec<Load<'s>>,
    planned: Vec<Planned>,
    /// An index for each tree.
    indices: Vec<(&'s Stage, Arc<Index>)>,
}

/// How long each environment took.
pub type Times = BTreeMap<Environment, Duration>;

impl Survey {
    /// What is to be loaded for these environments.
    ///
    /// # Errors
    /// GOFLAGS that cannot be.
    pub fn loads(&self, wanted: &[Environment]) -> Result<Loads<'_>> {
        let mut loads = Loads::default();
        let here = (&self.here_layout, &self.here_layout);
        let there = (&self.there_layout, &self.here_layout);
        let native = Survey::native(&self.here);
        loads.add_layout(&self.here, Environment::Here, here, self, &native);
        for environment in wanted {
            match environment {
                Environment::Here => {}
                Environment::Ci => {
                    let native = Survey::native(&self.there);
                    loads.add_layout(&self.there, *environment, there, self, &native);
                }
                Environment::Colleague => {
                    for platform in self.platforms() {
                        loads.add_layout(&self.there, *environment, there, self, &platform);
                    }
                }
                Environment::Consumer => loads.add_consumers(self),
            }
        }
        Ok(loads)
    }
}

impl<'s> Loads<'s> {
    fn tree(&mut self, stage: &'s Stage) -> usize {
        let known = self
            .indices
            .iter()
            .position(|(other, _)| other.tree == stage.tree);
        known.unwrap_or_else(|| {
            let mut session = stage.session.fork();
            session.files = session.files.clone().with_overlay(stage.tree.clone());
            let first = self.indices.first().map(|(_, index)| index);
            let index = loading::shared_index(&session, first);
            self.indices.push((stage, index));
            self.indices.len() - 1
        })
    }

    fn add(
        &mut self,
        stage: &'s Stage,
        planned: (Environment, String),
        main: Main,
        patterns: Vec<String>,
        platform: &Platform,
    ) {
        let inputs = Inputs {
            tree: self.tree(stage),
            main,
            patterns,
            tests: planned.0 != Environment::Consumer,
            platform: platform.clone(),
            variables: variables(&stage.session),
        };
        let known = self.loads.iter().position(|load| load.inputs == inputs);
        let load = known.unwrap_or_else(|| {
            let same = |load: &&Load<'_>| load.inputs.same_ground(&inputs);
            let other = self.loads.iter().find(same);
            let ground = other.map_or_else(Arc::default, |load| Arc::clone(&load.ground));
            self.loads.push(Load {
                inputs,
                stage,
                ground,
                outcome: OnceLock::new(),
            });
            self.loads.len() - 1
        });
        self.planned.push(Planned {
            environment: planned.0,
            module: planned.1,
            platform: platform.clone(),
            load,
        });
    }

    /// The workspace as a whole, or each module; with that the modules that should be there.
    fn add_layout(
        &mut self,
        stage: &'s Stage,
        environment: Environment,
        (layout, wanted): (&Layout, &Layout),
        survey: &Survey,
        platform: &Platform,
    ) {
        let below = |dir: &Utf8PathBuf| format!("{dir}/...");
        if let Some(file) = &layout.go_work {
            let patterns = layout
                .members
                .iter()
                .map(|member| below(&member.dir))
                .collect();
            let main = Main::Workspace(file.clone());
            return self.add(
                stage,
                (environment, String::new()),
                main,
                patterns,
                platform,
            );
        }
        for member in &layout.members {
            let main = Main::Alone(member.dir.clone());
            let patterns = vec![below(&member.dir)];
            self.add(
                stage,
                (environment, member.path.clone()),
                main,
                patterns,
                platform,
            );
        }
        let known = |path: &str| layout.members.iter().any(|member| member.path == path);
        let git = survey.repository.as_ref();
        for member in &wanted.members {
            let inside = git.is_none_or(|git| git.relative(&member.dir).is_some());
            if inside && !known(&member.path) {
                let about = (environment, member.path.clone());
                self.add(stage, about, Main::Missing, Vec::new(), platform);
            }
        }
    }

    fn add_consumers(&mut self, survey: &'s Survey) {
        let stage = &survey.published;
        let platform = Survey::native(stage);
        for member in &survey.there_layout.members {
            let main = Main::Consumer(Survey::consumer_dir(&member.path));
            let patterns = vec![format!("{}/...", member.path)];
            self.add(
                stage,
                (Environment::Consumer, member.path.clone()),
                main,
                patterns,
                &platform,
            );
        }
    }

    /// The index of the tree as it is here, which is what is loaded first.
    pub fn index(&self) -> Option<&Arc<Index>> {
        self.indices.first().map(|(_, index)| index)
    }

    /// Does all loads, as many at a time as there are processors, then what else there is to find out, and puts together what is to be
    /// judged. The watcher hears of each environment as soon as all of it is loaded.
    pub fn run(self, survey: &Survey, probes: &Probes<'_>, watcher: &Watcher) -> (World, Times) {
        let start = Instant::now();
        let next = AtomicUsize::new(0);
        let ended: Mutex<Vec<Option<Duration>>> = Mutex::new(vec![None; self.loads.len()]);
        let news = Condvar::new();
        let locked = || ended.lock().unwrap_or_else(PoisonError::into_inner);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(load) = self.loads.get(at) else {
                    match at - self.loads.len() {
                        at if at < probes.len() => probes.work(at),
                        _ => return,
                    }
                    continue;
                };
                let _ = load
                    .outcome
                    .set(load.run(&self.indices[load.inputs.tree].1));
                locked()[at] = Some(start.elapsed());
                news.notify_all();
            }
        };
        let mut world = world(survey);
        let mut times = Times::new();
        std::thread::scope(|scope| {
            for _ in 0..steady_system::processors() {
                scope.spawn(work);
            }
            for environment in Environment::ALL {
                let mut longest = Duration::ZERO;
                let of_it = self
                    .planned
                    .iter()
                    .filter(|planned| planned.environment == environment);
                for planned in of_it.clone() {
                    let mut state = locked();
                    while state[planned.load].is_none() {
                        let done = state.iter().flatten().count();
                        watcher.busy(environment, done, self.loads.len());
                        state = news.wait(state).unwrap_or_else(PoisonError::into_inner);
                    }
                    longest = longest.max(state[planned.load].unwrap_or_default());
                }
                if of_it.clone().next().is_none() {
                    continue;
                }
                world.views.extend(of_it.map(|planned| {
                    View {
                        environment,
                        module: planned.module.clone(),
                        platform: planned.platform.clone(),
                        outcome: self.loads[planned.load]
                            .outcome
                            .get()
                            .cloned()
                            .unwrap_or(Outcome::Refused(Vec::new())),
                    }
                }));
                times.insert(environment, longest);
                watcher.loaded(&world, environment, longest);
            }
        });
        self.indices.iter().for_each(|(_, index)| index.save());
        (world, times)
    }
}

/// The world without what was loaded.
fn world(survey: &Survey) -> World {
    let here = &survey.here.session;
    World {
        root: survey.root.clone(),
        cwd: here.environment().cwd().to_owned(),
        files: here.files.clone(),
        committed: survey.there.session.files.clone(),
        repository: survey.repository.clone(),
        here: survey.here_layout.clone(),
        there: survey.there_layout.clone(),
        views: Vec::new(),
        settings: survey.settings.clone(),
        env_file: here.settings.env_file.path.clone().ok(),
        go: steady_module::gover::from_toolchain(here.settings.local_version()).to_owned(),
        tests: false,
        others_switch: survey.there.session.settings.get("GOTOOLCHAIN") != "local",
        healing: None,
        probes: Vec::new(),
        mod_cache: here.settings.gomodcache().0.into(),
    }
}

/// The variables that have a say in what is loaded, beside the platform.
fn variables(session: &Session) -> Vec<(&'static str, String)> {
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
    fn run(&self, index: &Arc<Index>) -> Outcome {
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
        Ok(outcome(self.loaded(&flags, modules, &Ground::default())))
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
            mode: flags.modmode.mode.as_deref(),
            common: Some(&flags.modules),
            no_workspace: main_dir.is_some(),
            main_dir,
            index: Some(index),
            force: true,
            ..ModRequest::default()
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
        self.loaded(&flags, self.modules(&flags, main_dir, index), &self.ground)
    }

    fn loaded(
        &self,
        flags: &FullBuildFlags,
        modules: ModRequest<'_>,
        ground: &Ground,
    ) -> Result<Seen> {
        let mut session = self.session();
        let request = request(flags, modules, self.inputs.tests);
        let modules = ground.open(&mut session, request)?;
        let mut bench = loading::prepare_over(&session, request, modules)?;
        bench.only_look(&ground.places);
        let loaded = bench.look(&self.inputs.patterns)?;
        Ok(Seen::of(bench.modules, bench.context, loaded))
    }
}

/// What is asked of loading: packages, and what their tests consist of if that counts.
fn request<'a>(flags: &'a FullBuildFlags, modules: ModRequest<'a>, tests: bool) -> Request<'a> {
    Request {
        build: BuildRequest {
            build: &flags.build,
            v: false,
            o: "",
            cover: None,
        },
        modules,
        find: false,
        builds: false,
        stamp: false,
        auto_vcs: false,
        tests,
        fuzz: None,
        skip_embeds: false,
    }
}

/// Settings of this machine that can decide whether something loads.
const DECIDING: [&str; 8] = [
    "GOWORK",
    "GOFLAGS",
    "GO111MODULE",
    "GOEXPERIMENT",
    "CGO_ENABLED",
    "GOOS",
    "GOARCH",
    "GODEBUG",
];

impl Survey {
    /// The setting of this machine without which the tree does not load, where it loads here and not in CI.
    ///
    /// # Errors
    /// Settings that cannot be.
    pub fn healing(&self, world: &World) -> Result<Option<Setting>> {
        let decides = |setting: &&Setting| DECIDING.contains(&setting.name.as_str());
        let Some(setting) = self.settings.iter().find(decides) else {
            return Ok(None);
        };
        let known =
            |trouble: &Trouble| !matches!(Symptom::of(&trouble.text), Symptom::NotHere { .. });
        let broken = |view: &View| view.troubles().iter().any(known);
        let here = world.views_of(Environment::Here).any(broken);
        if here || !world.views_of(Environment::Ci).any(broken) {
            return Ok(None);
        }
        // The same files under the settings of others: if that does not load, it is the settings that make the difference.
        let mut session = self.there.session.fork();
        session.files = self.here.session.files.clone();
        let stage = Stage {
            session,
            tree: self.here.tree.clone(),
        };
        let layout = stage.layout(self.repository.as_ref())?;
        let mut loads = Loads::default();
        let both = (&layout, &layout);
        loads.add_layout(&stage, Environment::Ci, both, self, &Survey::native(&stage));
        let mut outcomes = loads
            .loads
            .iter()
            .map(|load| load.run(&loads.indices[load.inputs.tree].1));
        let differs = outcomes.any(|outcome| {
            broken(&View {
                environment: Environment::Ci,
                module: String::new(),
                platform: Survey::native(&stage),
                outcome,
            })
        });
        Ok(differs.then(|| setting.clone()))
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

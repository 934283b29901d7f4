//! Loading what the environments show. Environments whose inputs are equal share one load: that is decided by comparing the inputs.

use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use steady_assure::check::Environment;
use steady_assure::check::World;
use steady_assure::check::world::{Layout, Outcome, Platform, View};
use steady_packages::index::Index;

use super::environments::{Stage, Survey, consumer_dir};
use super::load::{Inputs, Load, Main, variables};
use super::probes::Probes;
use super::progress::Watcher;
use crate::failure::Result;
use crate::loading;
use crate::settings::Settings;

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
        // What a colleague lacks is told by what a clone has on this platform.
        let clone = wanted.contains(&Environment::Colleague);
        let clone = clone.then_some(Environment::Ci);
        let others = wanted.iter().copied().filter(|one| Some(*one) != clone);
        for environment in clone.into_iter().chain(others) {
            match environment {
                Environment::Here => {}
                Environment::Ci => {
                    let asked = wanted.contains(&environment);
                    let stage = if asked { self.ci_stage() } else { &self.there };
                    let native = Survey::native(stage);
                    loads.add_layout(stage, environment, there, self, &native);
                }
                Environment::Colleague => {
                    for platform in self.platforms() {
                        loads.add_layout(&self.there, environment, there, self, &platform);
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
            .position(|(other, _)| other.same_files(stage));
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
    pub fn add_layout(
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
        let members = survey.there_layout.members.iter();
        for member in members.filter(|member| member.refusal().is_none()) {
            let main = Main::Consumer(consumer_dir(&member.path));
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

    /// What comes of them, one after the other.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let index = |load: &Load<'_>| Arc::clone(&self.indices[load.inputs.tree].1);
        self.loads.iter().map(move |load| load.run(&index(load)))
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
            watcher.judging();
        });
        self.indices.iter().for_each(|(_, index)| index.save());
        (world, times)
    }
}

/// Whether all that modules may come from can be asked: with network, or where they come from directories alone.
fn asks(settings: &Settings) -> bool {
    let mut places = settings.get("GOPROXY").split([',', '|']).map(str::trim);
    !settings.frozen.offline || places.all(|place| place == "off" || place.starts_with("file://"))
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
        asked: survey.asked.clone(),
        older: survey.older.clone(),
        tests: false,
        others_switch: survey.there.session.settings.get("GOTOOLCHAIN") != "local",
        healing: None,
        asks: asks(&survey.published.session.settings),
        probes: Vec::new(),
        mod_cache: here.settings.gomodcache().0.into(),
    }
}

//! The execution of a plan: who runs when, and what happens when something fails.
//!
//! As many workers as `-p` says take actions whose dependencies are done, lowest post-order number first. A failure is reported
//! once, by the action that failed; what depends on it is passed over, and all else still runs.

pub(crate) mod cgo;
mod compile;
mod concurrency;
mod cover;
pub(crate) mod driver;
mod ids;
mod install;
mod journal;
mod library;
mod link;
mod need;
mod rebuilt;
mod reuse;
mod tests;
mod tools;
mod tracker;
mod vet;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use steady_packages::package::{Package, PackageId, PackageSet};

use crate::action::{ListNeeds, Outcome, PackageOutcome};
use crate::cache::{Cache, FileHashes, Id};
use crate::config::BuildConfig;
use crate::inputs::Inputs;
use crate::modes::Modes;
use crate::plan::{Kind, NodeId, Plan};
use crate::release::Release;
use crate::shell::{Done, Shared, Shell, lock};
use crate::vet::VetSettings;
pub(crate) use cgo::CCompilers;
pub(crate) use concurrency::Tokens;
use driver::Driver;
use journal::{Journal, Mark};
use need::Need;
use rebuilt::Rebuilt;
pub(crate) use tests::TestRuns;
pub(crate) use tools::Tools;
use tracker::Tracker;

/// What an action has found out for those that depend on it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Data {
    /// The file that holds the result.
    pub built: String,
    pub build_id: String,
    pub action_id: Id,
    /// Of a node that looked into the cache: what is still to be done.
    pub need: Need,
    /// Of a node that ran cgo.
    pub cgo: Option<Arc<cgo::CgoRun>>,
    /// Of a node that ran the coverage tool.
    pub covered: Option<Arc<cover::Covered>>,
    /// The program in the cache.
    pub cached_executable: String,
    /// Of a node whose result had to be made: what goes into it.
    pub inputs: Option<Arc<Inputs>>,
}

struct State {
    data: Mutex<Data>,
    /// Output of tools, kept for the cache.
    output: Mutex<Option<String>>,
    failed: AtomicBool,
}

/// One execution of a plan.
pub(crate) struct Run<'a> {
    pub config: &'a BuildConfig,
    pub modes: &'a Modes,
    pub packages: &'a PackageSet,
    pub plan: &'a Plan<'a>,
    pub shared: &'a Shared,
    pub cache: &'a Cache,
    pub files: &'a FileHashes,
    pub tools: &'a Tools,
    pub compilers: &'a CCompilers,
    pub driver: &'a dyn Driver,
    pub tokens: &'a Tokens,
    pub needs: ListNeeds,
    pub vet: Option<&'a VetSettings>,
    pub tests: Option<&'a TestRuns>,
    pub release: Release,
    states: Vec<State>,
    outcomes: Mutex<HashMap<PackageId, PackageOutcome>>,
    failed: AtomicBool,
    /// What SWIG was asked once in a run: the size of an int for it, or why it cannot be used.
    swig: OnceLock<Result<&'static str, String>>,
    rebuilt: Rebuilt,
    journal: Option<Journal>,
}

/// What a run needs, made by the builder.
pub(crate) struct Means<'a> {
    pub config: &'a BuildConfig,
    pub modes: &'a Modes,
    pub shared: &'a Shared,
    pub cache: &'a Cache,
    pub files: &'a FileHashes,
    pub tools: &'a Tools,
    pub compilers: &'a CCompilers,
    pub driver: &'a dyn Driver,
    pub tokens: &'a Tokens,
    pub needs: ListNeeds,
    pub vet: Option<&'a VetSettings>,
    pub tests: Option<&'a TestRuns>,
}

struct Queue {
    ready: BinaryHeap<Reverse<(usize, NodeId)>>,
    pending: Vec<usize>,
    /// Of a node that cannot succeed: the node whose failure that comes from.
    failed: Vec<Option<NodeId>>,
    left: usize,
}

impl<'a> Run<'a> {
    pub fn new(means: &Means<'a>, packages: &'a PackageSet, plan: &'a Plan<'a>) -> Run<'a> {
        let states = plan
            .nodes
            .iter()
            .map(|_| State {
                data: Mutex::default(),
                output: Mutex::new(None),
                failed: AtomicBool::new(false),
            })
            .collect();
        Run {
            config: means.config,
            modes: means.modes,
            packages,
            plan,
            shared: means.shared,
            cache: means.cache,
            files: means.files,
            tools: means.tools,
            compilers: means.compilers,
            driver: means.driver,
            tokens: means.tokens,
            needs: means.needs,
            vet: means.vet,
            tests: means.tests,
            release: Release::of(&means.config.toolchain.version),
            states,
            outcomes: Mutex::default(),
            failed: AtomicBool::new(false),
            swig: OnceLock::new(),
            rebuilt: Rebuilt::new(means.config),
            journal: Journal::wanted(means.config, plan.nodes.len()),
        }
    }

    /// Runs all of it.
    pub fn execute(self) -> Outcome {
        let order = self.plan.reachable();
        let mut pending = vec![0; self.plan.nodes.len()];
        let mut ready = BinaryHeap::new();
        for node in &order {
            pending[*node] = self.plan.nodes[*node].deps.len();
            if pending[*node] == 0 {
                self.mark(*node, Mark::Ready);
                ready.push(Reverse((self.plan.nodes[*node].priority, *node)));
            }
        }
        let failed = vec![None; self.plan.nodes.len()];
        let queue = Mutex::new(Queue {
            ready,
            pending,
            failed,
            left: order.len(),
        });
        let wake = Condvar::new();
        let tracker = Tracker::new(self.plan, &order, self.shared.sink.watches());
        // What is only shown is shown in order.
        let workers = if self.config.flags.n {
            1
        } else {
            self.config.flags.p.max(1)
        };
        std::thread::scope(|scope| {
            let (run, queue, wake, tracker) = (&self, &queue, &wake, &tracker);
            for worker in 1..workers {
                scope.spawn(move || run.work(queue, wake, tracker, worker));
            }
            self.work(queue, wake, tracker, 0);
        });
        self.shared.sink.progress(None);
        self.rebuilt.keep();
        self.write_journal();
        let interrupted = self.interrupted();
        let root_failed = lock(&queue).failed[self.plan.root].is_some();
        Outcome {
            root_failed,
            ..self.outcome(interrupted)
        }
    }

    fn work(&self, queue: &Mutex<Queue>, wake: &Condvar, tracker: &Tracker, worker: usize) {
        let mut guard = lock(queue);
        loop {
            if guard.left == 0 || self.interrupted() {
                wake.notify_all();
                return;
            }
            let Some(Reverse((_, node))) = guard.ready.pop() else {
                guard = wait(wake, guard);
                continue;
            };
            let before = guard.failed[node];
            drop(guard);
            self.mark(node, Mark::Start(worker));
            let failed = match before {
                Some(_) if !self.plan.nodes[node].ignores_failure => before,
                _ => {
                    self.track_begin(tracker, node);
                    (!self.act_safely(node, before)).then_some(node)
                }
            };
            self.track_end(tracker, node);
            self.states[node]
                .failed
                .store(failed.is_some(), Ordering::Relaxed);
            self.mark(node, Mark::Done);
            guard = lock(queue);
            guard.left -= 1;
            guard.failed[node] = failed;
            for trigger in &self.plan.nodes[node].triggers {
                self.tell_failure(&mut guard.failed, *trigger, failed);
                guard.pending[*trigger] -= 1;
                if guard.pending[*trigger] == 0 {
                    self.mark(*trigger, Mark::Ready);
                    guard
                        .ready
                        .push(Reverse((self.plan.nodes[*trigger].priority, *trigger)));
                    wake.notify_one();
                }
            }
            if guard.left == 0 {
                wake.notify_all();
            }
        }
    }

    /// Hands a failure on to a node that waits. A barrier has no failure of its own: what it holds back has.
    fn tell_failure(&self, all: &mut [Option<NodeId>], to: NodeId, failed: Option<NodeId>) {
        if failed.is_none() {
            return;
        }
        if self.plan.nodes[to].kind != Kind::Barrier {
            all[to] = failed;
            return;
        }
        for held in &self.plan.nodes[to].triggers {
            if self.plan.nodes[*held].kind != Kind::Barrier {
                all[*held] = failed;
            }
        }
    }

    fn interrupted(&self) -> bool {
        steady_system::interrupt::interrupted() || self.config.interrupted.load(Ordering::Relaxed)
    }

    /// A mistake of ours in one action must not leave the other workers waiting for it.
    fn act_safely(&self, node: NodeId, before: Option<NodeId>) -> bool {
        let acting = std::panic::AssertUnwindSafe(|| self.act(node, before));
        let acted = std::panic::catch_unwind(acting);
        acted.unwrap_or_else(|_| {
            self.shell(node)
                .error("internal error: an action broke off");
            self.failed.store(true, Ordering::Relaxed);
            false
        })
    }

    /// Runs one action and reports its failure. Returns whether it succeeded. `before` is the node that failed among those it
    /// depends on, if it runs nevertheless.
    fn act(&self, node: NodeId, before: Option<NodeId>) -> bool {
        let result = match &self.plan.nodes[node].kind {
            Kind::Join | Kind::BuiltIn | Kind::Barrier => Ok(()),
            Kind::CheckCache { build } => self.check_cache(node, self.plan.build_behind(*build)),
            Kind::Build => self.build(node),
            Kind::Profile { input } => self.prepare_profile(node, input),
            Kind::Cover { build } => self.cover(node, self.plan.build_behind(*build)),
            Kind::Cgo => self.run_cgo(node),
            Kind::CgoCompile { file, language } => self.compile_c(node, file, *language),
            Kind::CgoCollect => self.collect_cgo(node),
            Kind::Link => self.link(node),
            Kind::Install { of_link } => self.install(node, *of_link),
            Kind::LinkLibrary => self.link_library(node),
            Kind::NameLibrary => self.name_library(node),
            Kind::InstallHeader => self.install_header(node),
            Kind::Vet { build, facts_only } => self.vet(node, *build, *facts_only),
            Kind::TestRun { test } => self.run_test(node, *test, before),
            Kind::TestClean => self.clean_test(node),
            Kind::TestPrint { test } => self.print_test(*test),
            Kind::CoverMeta => self.list_cover_meta(node),
        };
        let Err(failure) = result else { return true };
        if self.interrupted() {
            return false; // tools that were ended have nothing to say
        }
        let package = self.plan.nodes[node].package;
        if self.needs.errors
            && let Some(id) = package
        {
            let mut outcomes = lock(&self.outcomes);
            let outcome = outcomes.entry(id).or_default();
            outcome.error.get_or_insert(failure.text);
            return false;
        }
        let path = package.map(|id| self.packages[id].public.import_path.clone());
        let text = match path {
            Some(path) if failure.import_path.as_ref() != Some(&path) => {
                format!("{path}: {}", failure.text)
            }
            _ => failure.text,
        };
        self.shell(node).error(&text);
        self.failed.store(true, Ordering::Relaxed);
        false
    }

    fn outcome(self, interrupted: bool) -> Outcome {
        let mut packages = self
            .outcomes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        for (node, state) in self.plan.nodes.iter().zip(self.states) {
            let Some(id) = node.package else { continue };
            let data = state
                .data
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            if data.built.is_empty() && data.cached_executable.is_empty() {
                continue;
            }
            let outcome = packages.entry(id).or_default();
            match node.kind {
                Kind::Build => {
                    outcome.built = Some(data.built.into());
                    outcome.build_id = data.build_id;
                }
                Kind::Link | Kind::Install { of_link: true } => {
                    let path = if data.cached_executable.is_empty() {
                        data.built
                    } else {
                        data.cached_executable
                    };
                    outcome.executable.get_or_insert(path.into());
                }
                _ => {}
            }
        }
        Outcome {
            failed: self.failed.into_inner(),
            root_failed: false,
            interrupted,
            packages,
        }
    }

    /// A copy of what an action that is done has found out.
    fn data(&self, node: NodeId) -> Data {
        lock(&self.states[node].data).clone()
    }

    fn has_failed(&self, node: NodeId) -> bool {
        self.states[node].failed.load(Ordering::Relaxed)
    }

    fn update(&self, node: NodeId, change: impl FnOnce(&mut Data)) {
        change(&mut lock(&self.states[node].data));
    }

    fn update_outcome(&self, package: PackageId, change: impl FnOnce(&mut PackageOutcome)) {
        change(lock(&self.outcomes).entry(package).or_default());
    }

    fn shell(&self, node: NodeId) -> Shell<'_> {
        let package = self.plan.nodes[node].package.map(|id| &self.packages[id]);
        let log = self.journal.as_ref().map(|journal| journal.tools(node));
        Shell::of(self.shared, package, &self.states[node].output).logging(log)
    }

    fn package(&self, node: NodeId) -> Done<(PackageId, &'a Package)> {
        let id = self.plan.nodes[node].package;
        let id = id.ok_or_else(|| {
            crate::shell::Failure::new("internal error: action without a package")
        })?;
        Ok((id, &self.packages[id]))
    }

    /// Begins to keep the output of tools.
    fn keep_output(&self, node: NodeId) {
        *lock(&self.states[node].output) = Some(String::new());
    }

    /// The output kept so far.
    fn kept_output(&self, node: NodeId) -> String {
        lock(&self.states[node].output).clone().unwrap_or_default()
    }

    /// Prints the output that was kept, and keeps no more.
    fn flush_output(&self, node: NodeId) {
        let output = lock(&self.states[node].output).take().unwrap_or_default();
        if !output.is_empty() {
            self.shell(node).print(&output);
        }
    }
}

fn wait<'a>(wake: &Condvar, guard: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
    // The time limit is for interruption, which no action announces.
    wake.wait_timeout(guard, Duration::from_millis(50))
        .unwrap_or_else(PoisonError::into_inner)
        .0
}

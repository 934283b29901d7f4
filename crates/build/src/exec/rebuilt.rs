//! What is built anew: why, if somebody asks, and what went into it, for the next time that somebody asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;
use steady_packages::package::{Package, PackageId};

use super::Run;
use super::ids::Hashed;
use crate::cache::Id;
use crate::config::BuildConfig;
use crate::inputs::{Explanation, Fresh, Inputs, Log, Record, Step, explain};
use crate::plan::{Kind, NodeId};
use crate::shell::lock;

type Known = HashMap<(String, Step), Vec<Record>>;

/// The memory of inputs during one run.
pub(super) struct Rebuilt {
    log: Option<Log>,
    /// What was remembered when somebody first asked.
    known: OnceLock<Known>,
    /// What is to be remembered.
    fresh: Mutex<Vec<Record>>,
}

impl Rebuilt {
    pub fn new(config: &BuildConfig) -> Rebuilt {
        let log = config.inputs.as_ref().filter(|_| !config.flags.n);
        Rebuilt {
            log: log.map(Log::at),
            known: OnceLock::new(),
            fresh: Mutex::default(),
        }
    }

    fn known(&self, config: &BuildConfig) -> &Known {
        self.known.get_or_init(|| {
            let mut known = Known::new();
            let log = config.inputs.as_ref().map(Log::at);
            for record in log.map(|log| log.read()).unwrap_or_default() {
                let key = (record.package.clone(), record.step);
                known.entry(key).or_default().push(record);
            }
            known
        })
    }

    /// Writes down what is new.
    pub fn keep(&self) {
        let fresh = std::mem::take(&mut *lock(&self.fresh));
        if let Some(log) = self.log.as_ref().filter(|_| !fresh.is_empty()) {
            log.append(&fresh);
        }
    }
}

/// The module that a package belongs to, as records name it.
fn module_of(package: &Package) -> String {
    match &package.public.module {
        Some(module) if module.version.is_empty() => module.path.clone(),
        Some(module) => format!("{}@{}", module.path, module.version),
        None if package.public.standard => "std".to_owned(),
        None => String::new(),
    }
}

/// What is done and why that may be.
pub(super) struct Why<'a> {
    pub step: Step,
    pub package: PackageId,
    pub inputs: &'a Inputs,
    /// A reason that needs no comparison.
    pub forced: Option<&'a str>,
    /// The node that has what goes into it as dependencies.
    pub dependent: NodeId,
    /// The state of what a test has looked at.
    pub looked: &'a dyn Fn(&str) -> Option<String>,
}

impl Run<'_> {
    /// The result of a node was not found; `dependent` has what it is made of as dependencies.
    pub(super) fn begin_anew(&self, node: NodeId, dependent: NodeId, hashed: &Hashed) {
        let inputs = Arc::new(self.inputs_of(hashed));
        self.update(node, |data| data.inputs = Some(Arc::clone(&inputs)));
        let Some(package) = self.plan.nodes[node].package else {
            return;
        };
        let step = self.step_of(node);
        let forced = if self.config.flags.a {
            Some("-a asks for it")
        } else if step == Step::Link && self.tests.is_some() {
            Some("programs of tests are not kept")
        } else {
            None
        };
        self.tell_why(&Why {
            step,
            package,
            inputs: &inputs,
            forced,
            dependent,
            looked: &|_| None,
        });
    }

    /// Whether anybody wants to know why something is done, or will want to.
    pub(super) fn minds_inputs(&self) -> bool {
        self.config.explain || self.rebuilt.log.is_some()
    }

    pub(super) fn inputs_of(&self, hashed: &Hashed) -> Inputs {
        Inputs::of(self.cache.hashes().salt(), &hashed.text)
    }

    fn step_of(&self, node: NodeId) -> Step {
        match self.plan.nodes[node].kind {
            Kind::Link => Step::Link,
            _ => Step::Compile,
        }
    }

    /// Tells why something is done whatever went into it, if somebody asks.
    pub(super) fn tell_always(&self, package: PackageId, step: Step, text: &str) {
        if self.config.explain {
            let explanation = Explanation::always(step, text);
            let package = self.packages[package].description();
            self.shared.sink.rebuilt(&package, &explanation);
        }
    }

    /// Tells why something is done, if somebody asks.
    pub(super) fn tell_why(&self, why: &Why<'_>) {
        if !self.config.explain {
            return;
        }
        let key = (self.packages[why.package].description(), why.step);
        let known = self.rebuilt.known(self.config).get(&key);
        let known: Vec<&Record> = known.into_iter().flatten().collect();
        let fresh = Fresh {
            step: why.step,
            forced: why.forced,
            inputs: why.inputs,
            looked: why.looked,
            is_rebuilt: &|path| self.is_rebuilt(why.dependent, path),
        };
        let explanation = explain(&fresh, &known);
        self.shared.sink.rebuilt(&key.0, &explanation);
    }

    fn is_rebuilt(&self, dependent: NodeId, path: &str) -> bool {
        self.plan.nodes[dependent].deps.iter().any(|dep| {
            let node = self.plan.build_behind(*dep);
            let package = self.plan.nodes[node].package;
            package.is_some_and(|id| self.packages[id].public.import_path == path)
                && self.data(node).inputs.is_some()
        })
    }

    /// The result of a node was made.
    pub(super) fn end_anew(&self, node: NodeId) {
        let data = self.data(node);
        if let (Some(inputs), Some(id)) = (&data.inputs, self.plan.nodes[node].package) {
            self.remember_inputs(id, self.step_of(node), data.action_id, inputs);
        }
    }

    /// The result of a node was found. Who asks for reasons will ask again.
    pub(super) fn found_built(&self, node: NodeId, hashed: &Hashed) {
        if let Some(id) = self.plan.nodes[node].package {
            self.found_known(id, self.step_of(node), hashed.id, || self.inputs_of(hashed));
        }
    }

    /// As [`Run::found_built`], of any step.
    pub(super) fn found_known(
        &self,
        id: PackageId,
        step: Step,
        action: Id,
        inputs: impl FnOnce() -> Inputs,
    ) {
        if !self.config.explain {
            return;
        }
        let key = (self.packages[id].description(), step);
        let known = self.rebuilt.known(self.config).get(&key);
        if !known.is_some_and(|known| known.iter().any(|record| record.action == action)) {
            self.remember_inputs(id, step, action, &inputs());
        }
    }

    /// Remembers what went into something.
    pub(super) fn remember_inputs(&self, id: PackageId, step: Step, action: Id, inputs: &Inputs) {
        if self.rebuilt.log.is_none() {
            return;
        }
        let package = &self.packages[id];
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let record = Record::new(
            &package.description(),
            &module_of(package),
            action,
            time.unwrap_or_default().as_secs(),
            step,
            inputs,
        );
        lock(&self.rebuilt.fresh).push(record);
    }
}

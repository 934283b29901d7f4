//! What is built anew: why, if somebody asks, and what went into it, for the next time that somebody asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;
use steady_packages::package::Package;

use super::Run;
use super::ids::Hashed;
use crate::cache::Id;
use crate::config::BuildConfig;
use crate::inputs::{Fresh, Inputs, Log, Record, explain};
use crate::plan::{Kind, NodeId};
use crate::shell::lock;

type Known = HashMap<(String, bool), Vec<Record>>;

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
                let key = (record.package.clone(), record.program);
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

impl Run<'_> {
    /// The result of a node was not found; `dependent` has what it is made of as dependencies.
    pub(super) fn begin_anew(&self, node: NodeId, dependent: NodeId, hashed: &Hashed) {
        let inputs = Arc::new(Inputs::of(self.cache.hashes().salt(), &hashed.text));
        self.update(node, |data| data.inputs = Some(Arc::clone(&inputs)));
        let Some(id) = self.plan.nodes[node]
            .package
            .filter(|_| self.config.explain)
        else {
            return;
        };
        let package = self.packages[id].description();
        let program = self.plan.nodes[node].kind == Kind::Link;
        let key = (package, program);
        let known = self.rebuilt.known(self.config).get(&key);
        let known: Vec<&Record> = known.into_iter().flatten().collect();
        let fresh = Fresh {
            program,
            forced: self.config.flags.a,
            inputs: &inputs,
            is_rebuilt: &|path| self.is_rebuilt(dependent, path),
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
        if let Some(inputs) = &data.inputs {
            self.remember_inputs(node, data.action_id, inputs);
        }
    }

    /// The result of a node was found. Who asks for reasons will ask again.
    pub(super) fn found_built(&self, node: NodeId, hashed: &Hashed) {
        let Some(id) = self.plan.nodes[node]
            .package
            .filter(|_| self.config.explain)
        else {
            return;
        };
        let program = self.plan.nodes[node].kind == Kind::Link;
        let key = (self.packages[id].description(), program);
        let known = self.rebuilt.known(self.config).get(&key);
        if !known.is_some_and(|known| known.iter().any(|record| record.action == hashed.id)) {
            let inputs = Inputs::of(self.cache.hashes().salt(), &hashed.text);
            self.remember_inputs(node, hashed.id, &inputs);
        }
    }

    fn remember_inputs(&self, node: NodeId, action: Id, inputs: &Inputs) {
        let Some(id) = self.plan.nodes[node].package else {
            return;
        };
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
            self.plan.nodes[node].kind == Kind::Link,
            inputs,
        );
        lock(&self.rebuilt.fresh).push(record);
    }
}

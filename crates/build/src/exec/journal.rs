//! When each action ran and which tools it started, for those who want to see: `-debug-actiongraph` and `-debug-trace`.
//!
//! The graph is go's list of actions, from the last one to those that it depends on, with the same names. The trace is in the form that
//! browsers show: an event for each action and for each tool, by worker.

use serde::Serialize;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};
use steady_system::timezone::Zone;
use steady_system::{Environment, Files};

use super::Run;
use crate::cache::short;
use crate::config::BuildConfig;
use crate::plan::{Kind, NodeId};
use crate::shell::{Started, lock};

/// The times of all actions of a run.
pub(super) struct Journal {
    entries: Vec<Entry>,
}

#[derive(Default)]
struct Entry {
    times: Mutex<Times>,
    tools: Mutex<Vec<Started>>,
}

#[derive(Default, Clone, Copy)]
struct Times {
    ready: Option<SystemTime>,
    start: Option<SystemTime>,
    done: Option<SystemTime>,
    worker: usize,
}

/// What happens to an action.
pub(super) enum Mark {
    /// All that it depends on is done.
    Ready,
    /// A worker takes it.
    Start(usize),
    /// It is over, well or not.
    Done,
}

impl Journal {
    /// A journal for so many actions, if the flags ask for one.
    pub fn wanted(config: &BuildConfig, nodes: usize) -> Option<Journal> {
        let flags = &config.flags;
        if flags.debug_actiongraph.is_empty() && flags.debug_trace.is_empty() {
            return None;
        }
        // It is written anew each time, whatever else there is to do.
        config.note_work();
        let entries = (0..nodes).map(|_| Entry::default()).collect();
        Some(Journal { entries })
    }

    /// Where the tools of an action are noted.
    pub fn tools(&self, node: NodeId) -> &Mutex<Vec<Started>> {
        &self.entries[node].tools
    }
}

/// One action, as go writes it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Action {
    #[serde(rename = "ID")]
    id: usize,
    mode: String,
    package: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deps: Vec<usize>,
    #[serde(skip_serializing_if = "is_false")]
    ignore_fail: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    objdir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    target: String,
    #[serde(skip_serializing_if = "is_zero")]
    priority: usize,
    #[serde(skip_serializing_if = "is_false")]
    failed: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    built: String,
    #[serde(skip_serializing_if = "is_false")]
    vetx_only: bool,
    #[serde(skip_serializing_if = "is_false")]
    need_build: bool,
    #[serde(rename = "ActionID", skip_serializing_if = "String::is_empty")]
    action_id: String,
    #[serde(rename = "BuildID", skip_serializing_if = "String::is_empty")]
    build_id: String,
    time_ready: String,
    time_start: String,
    time_done: String,
    cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "is_zero_time")]
    cmd_real: u128,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde calls them so
fn is_false(value: &bool) -> bool {
    !value
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &usize) -> bool {
    *value == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero_time(value: &u128) -> bool {
    *value == 0
}

/// An event of the trace: something that took its time.
#[derive(Serialize)]
struct Event {
    name: String,
    ph: &'static str,
    /// Microseconds since 1970.
    ts: f64,
    /// Microseconds.
    dur: f64,
    pid: usize,
    tid: usize,
}

impl Run<'_> {
    /// Notes when something happens to an action.
    pub(super) fn mark(&self, node: NodeId, mark: Mark) {
        let Some(journal) = &self.journal else { return };
        let mut times = lock(&journal.entries[node].times);
        let now = Some(SystemTime::now());
        match mark {
            Mark::Ready => times.ready = now,
            Mark::Start(worker) => {
                times.start = now;
                times.worker = worker;
            }
            Mark::Done => times.done = now,
        }
    }

    /// Writes the files that were asked for.
    pub(super) fn write_journal(&self) {
        let Some(journal) = &self.journal else { return };
        let flags = &self.config.flags;
        let files = Files::new(&self.config.cwd);
        for (file, what, text) in [
            (
                &flags.debug_actiongraph,
                "action graph",
                self.graph_text(journal),
            ),
            (&flags.debug_trace, "trace", self.trace_text(journal)),
        ] {
            if file.is_empty() {
                continue;
            }
            if let Err(error) = files.write(self.config.cwd.join(file), text.as_bytes(), 0o666) {
                let text = format!("go: writing {what}: {error}");
                self.shared.sink.error(None, &text);
            }
        }
    }

    fn graph_text(&self, journal: &Journal) -> String {
        let mut order = vec![self.plan.root];
        let mut numbers: HashMap<NodeId, usize> = HashMap::from([(self.plan.root, 0)]);
        let mut at = 0;
        while at < order.len() {
            for dep in &self.plan.nodes[order[at]].deps {
                if !numbers.contains_key(dep) {
                    numbers.insert(*dep, order.len());
                    order.push(*dep);
                }
            }
            at += 1;
        }
        let zone = Zone::local(&Environment::empty("/").with("TZ", ""));
        let action =
            |node: &NodeId| self.action_of(*node, &numbers, &journal.entries[*node], &zone);
        let actions: Vec<Action> = order.iter().map(action).collect();
        let mut text = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut writer = serde_json::Serializer::with_formatter(&mut text, indent);
        if actions.serialize(&mut writer).is_err() {
            text.clear();
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn action_of(
        &self,
        id: NodeId,
        numbers: &HashMap<NodeId, usize>,
        entry: &Entry,
        zone: &Zone,
    ) -> Action {
        let (node, data) = (&self.plan.nodes[id], self.data(id));
        let times = *lock(&entry.times);
        let tools = lock(&entry.tools);
        let shown = |time: Option<SystemTime>| {
            time.map_or_else(
                || "0001-01-01T00:00:00Z".to_owned(),
                |time| zone.rfc3339(time),
            )
        };
        let package = node.package.map(|id| &self.packages[id].public.import_path);
        let known = !data.build_id.is_empty() && node.kind != (Kind::Install { of_link: true });
        Action {
            id: numbers[&id],
            mode: self.mode_of(id),
            package: package.cloned().unwrap_or_default(),
            deps: node.deps.iter().map(|dep| numbers[dep]).collect(),
            ignore_fail: node.ignores_failure,
            objdir: node.objdir.clone(),
            target: node.target.clone(),
            priority: node.priority,
            failed: self.has_failed(id),
            built: data.built,
            vetx_only: matches!(
                node.kind,
                Kind::Vet {
                    facts_only: true,
                    ..
                }
            ),
            need_build: node.need_build,
            action_id: if known {
                short(&data.action_id)
            } else {
                String::new()
            },
            build_id: data.build_id,
            time_ready: shown(times.ready),
            time_start: shown(times.start),
            time_done: shown(times.done),
            cmd_real: tools.iter().map(|tool| tool.took.as_nanos()).sum(),
            cmd: (!tools.is_empty()).then(|| tools.iter().map(|tool| tool.line.clone()).collect()),
        }
    }

    /// What go calls an action.
    fn mode_of(&self, id: NodeId) -> String {
        let mode = match &self.plan.nodes[id].kind {
            Kind::Join if id == self.plan.root => return format!("go {}", self.config.command),
            Kind::Join => "nop",
            Kind::BuiltIn => "built-in package",
            Kind::CheckCache { .. } => "build check cache",
            Kind::Build => "build",
            Kind::Profile { .. } => "preprocess PGO profile",
            Kind::Cover { .. } => "cover",
            Kind::Cgo => "cgo run",
            Kind::CgoCompile { file, .. } => return format!("cgo compile {file}"),
            Kind::CgoCollect => "cgo collect",
            Kind::Link => "link",
            Kind::LinkLibrary => "go build -buildmode=shared",
            Kind::NameLibrary => "shlibname",
            Kind::Install { .. } if self.plan.nodes[id].package.is_none() => {
                "go install -buildmode=shared"
            }
            Kind::Install { of_link: true } => "link-install",
            Kind::Install { of_link: false } => "build-install",
            Kind::InstallHeader => "install header",
            Kind::Vet { .. } => "vet",
            Kind::Barrier => "test barrier",
            Kind::TestRun { .. } => "test run",
            Kind::TestClean => "test clean",
            Kind::TestPrint { .. } => "test print",
            Kind::CoverMeta => "write coverage meta-data file",
        };
        mode.to_owned()
    }

    fn trace_text(&self, journal: &Journal) -> String {
        let micros = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            since.as_secs_f64() * 1e6
        };
        let mut events = Vec::new();
        for (id, entry) in journal.entries.iter().enumerate() {
            let times = *lock(&entry.times);
            let (Some(start), Some(done)) = (times.start, times.done) else {
                continue;
            };
            let package = self.plan.nodes[id].package;
            let path = package.map_or("", |id| &self.packages[id].public.import_path);
            let event = |name: String, ts: f64, dur: f64| Event {
                name,
                ph: "X",
                ts,
                dur,
                pid: 0,
                tid: times.worker,
            };
            let name = format!("Executing action ({} {path})", self.mode_of(id));
            let (from, to) = (micros(start), micros(done));
            events.push(event(name, from, to - from));
            for tool in lock(&entry.tools).iter() {
                let program = tool.line.split(' ').next().unwrap_or_default();
                let name = program.rsplit('/').next().unwrap_or(program);
                let took = tool.took.as_secs_f64() * 1e6;
                events.push(event(format!("{name} {path}"), micros(tool.at), took));
            }
        }
        events.sort_by(|a, b| a.ts.total_cmp(&b.ts));
        serde_json::to_string(&events).unwrap_or_default()
    }
}

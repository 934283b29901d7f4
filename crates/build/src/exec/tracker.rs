//! How far a run is, for those who watch.

use std::sync::Mutex;

use super::Run;
use super::need::Need;
use crate::plan::{Kind, NodeId, Plan};
use crate::shell::lock;
use crate::sink::{Progress, Running};

#[derive(Default)]
struct State {
    packages: usize,
    tests: usize,
    checks: usize,
    running: Vec<(NodeId, Running)>,
}

/// Counts what is done, and knows what is at work.
pub(super) struct Tracker {
    /// Of packages, tests and checks.
    totals: (usize, usize, usize),
    /// Nobody watches otherwise.
    on: bool,
    state: Mutex<State>,
}

impl Tracker {
    pub fn new(plan: &Plan<'_>, order: &[NodeId], on: bool) -> Tracker {
        let count = |wanted: fn(&Kind) -> bool| {
            let nodes = order.iter().map(|node| &plan.nodes[*node].kind);
            nodes.filter(|kind| wanted(kind)).count()
        };
        Tracker {
            totals: (
                count(|kind| *kind == Kind::Build),
                count(|kind| matches!(kind, Kind::TestRun { .. })),
                count(is_check),
            ),
            on,
            state: Mutex::default(),
        }
    }
}

/// A check that somebody asked for; others are made on the way.
fn is_check(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Vet {
            facts_only: false,
            ..
        }
    )
}

impl Run<'_> {
    /// What a node does that takes time; none if there is nothing to see.
    fn verb(&self, node: NodeId) -> Option<&'static str> {
        Some(match self.plan.nodes[node].kind {
            Kind::Build => {
                let mut need = self.data(node).need;
                need.remove(Need::VET);
                if need.is_empty() {
                    return None;
                }
                "compile"
            }
            Kind::Cgo | Kind::CgoCompile { .. } => "cgo",
            Kind::Link | Kind::LinkLibrary => "link",
            Kind::Vet { .. } => "vet",
            Kind::TestRun { .. } => "test",
            _ => return None,
        })
    }

    /// A node begins.
    pub(super) fn track_begin(&self, tracker: &Tracker, node: NodeId) {
        if !tracker.on {
            return;
        }
        let (Some(verb), Some(id)) = (self.verb(node), self.plan.nodes[node].package) else {
            return;
        };
        let running = Running {
            verb,
            package: self.packages[id].description(),
        };
        let mut state = lock(&tracker.state);
        state.running.push((node, running));
        self.tell_progress(tracker, &state);
    }

    /// A node has ended.
    pub(super) fn track_end(&self, tracker: &Tracker, node: NodeId) {
        if !tracker.on {
            return;
        }
        let mut state = lock(&tracker.state);
        state.running.retain(|(running, _)| *running != node);
        match &self.plan.nodes[node].kind {
            Kind::Build => state.packages += 1,
            Kind::TestRun { .. } => state.tests += 1,
            kind if is_check(kind) => state.checks += 1,
            _ => {}
        }
        self.tell_progress(tracker, &state);
    }

    fn tell_progress(&self, tracker: &Tracker, state: &State) {
        let tests = state
            .running
            .iter()
            .any(|(_, running)| running.verb == "test");
        let (packages, test_runs, checks) = tracker.totals;
        self.shared.sink.progress(Some(&Progress {
            packages: (state.packages, packages),
            tests: (state.tests, test_runs),
            checks: (state.checks, checks),
            running: state.running.iter().map(|(_, running)| running).collect(),
            terminal_in_use: tests && self.tests.is_some_and(|runs| runs.how.streams()),
        }));
    }
}

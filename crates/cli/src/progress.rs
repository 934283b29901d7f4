//! What the user sees of downloads and builds: go's lines where nobody looks, one line that moves on a terminal.
//!
//! On a terminal and under Steady's own name one line tells how many modules and bytes are on their way; it goes away when the
//! command says something or ends. Called as `go`, or piped, the lines are go's: `go: downloading m v1.2.3`.

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use steady_build::Progress as BuildSteps;
use steady_module::ModuleVersion;
use steady_proxy::Observer;

use crate::printer::Printer;
use crate::session::Called;

/// Watches downloads.
pub struct Progress {
    printer: Arc<Printer>,
    bar: Option<ProgressBar>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Bytes of each module under way: arrived, expected.
    open: HashMap<String, (u64, u64)>,
    /// Bytes of those that are there.
    bytes: u64,
    started: usize,
    done: usize,
}

impl Progress {
    /// Watches on behalf of a command.
    #[must_use]
    pub fn new(printer: &Arc<Printer>, called: Called) -> Progress {
        let bar = (printer.is_terminal() && called == Called::Steady).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar
        });
        Progress {
            printer: Arc::clone(printer),
            bar,
            state: Mutex::new(State::default()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, state: &State, what: &str) {
        if let Some(bar) = &self.bar {
            let open: u64 = state.open.values().map(|(have, _)| have).sum();
            bar.enable_steady_tick(Duration::from_millis(120));
            bar.set_message(format!(
                "{}/{} modules, {} {what}",
                state.done,
                state.started,
                HumanBytes(state.bytes + open)
            ));
        }
    }

    fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.note(line)),
            None => self.printer.note(line),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn downloading(&self, module: &ModuleVersion, text: &str) {
        if self.bar.is_none() {
            self.printer.note(format!("go: {text}"));
            return;
        }
        let mut state = self.state();
        state.started += 1;
        state.open.insert(module.to_string(), (0, 0));
        self.draw(&state, &module.path);
    }

    fn progress(&self, module: &ModuleVersion, have: u64, total: Option<u64>) {
        if self.bar.is_some() {
            let mut state = self.state();
            state
                .open
                .insert(module.to_string(), (have, total.unwrap_or_default()));
            self.draw(&state, &module.path);
        }
    }

    fn fetched(&self, module: &ModuleVersion) {
        if self.bar.is_some() {
            let mut state = self.state();
            if let Some((have, _)) = state.open.remove(&module.to_string()) {
                state.bytes += have;
                state.done += 1;
            }
            self.draw(&state, &module.path);
        }
    }

    fn unpacking(&self, module: &ModuleVersion, done: usize, total: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!(
                "unpacking {} {} ({done}/{total} files)",
                module.path, module.version
            ));
        }
    }

    fn trace(&self, line: &str) {
        self.note(line);
    }

    fn warn(&self, line: &str) {
        self.note(line);
    }
}

/// Builds that are done sooner show nothing.
const PATIENCE: Duration = Duration::from_millis(250);

/// The line that tells how far a build is. Only made where people look on.
#[derive(Default)]
pub struct BuildProgress {
    state: Mutex<BuildState>,
}

#[derive(Default)]
struct BuildState {
    started: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl BuildProgress {
    fn state(&self) -> MutexGuard<'_, BuildState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows how far a build is; nothing: it is over.
    pub fn show(&self, progress: Option<&BuildSteps<'_>>) {
        let mut state = self.state();
        let Some(progress) = progress.filter(|progress| !progress.terminal_in_use) else {
            if let Some(bar) = state.bar.take() {
                bar.finish_and_clear();
            }
            return;
        };
        let started = *state.started.get_or_insert_with(Instant::now);
        if progress.running.is_empty() || started.elapsed() < PATIENCE {
            return;
        }
        let bar = state.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(steps(progress));
    }

    /// Writes to the terminal with the line out of the way.
    pub fn suspend(&self, write: impl FnOnce()) {
        match &self.state().bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

/// `12/300 packages, 3/9 tests: compile net/http, link example.com/app`.
fn steps(progress: &BuildSteps<'_>) -> String {
    let counts = [
        (progress.packages, "packages"),
        (progress.checks, "checks"),
        (progress.tests, "tests"),
    ];
    let counts = counts.iter().filter(|((_, all), _)| *all > 0);
    let counts: Vec<String> = counts
        .map(|((done, all), what)| format!("{done}/{all} {what}"))
        .collect();
    let mut verb = "";
    let running: Vec<String> = progress
        .running
        .iter()
        .map(|running| {
            let same = std::mem::replace(&mut verb, running.verb) == running.verb;
            let verb = if same { "" } else { running.verb };
            format!("{verb} {}", running.package)
                .trim_start()
                .to_owned()
        })
        .collect();
    format!("{}: {}", counts.join(", "), running.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use steady_build::Running;

    #[test]
    fn what_is_done_and_what_is_at_work() {
        let running = |verb, package: &str| Running {
            verb,
            package: package.to_owned(),
        };
        let all = [
            running("compile", "net/http"),
            running("compile", "fmt"),
            running("link", "example.com/app"),
        ];
        let progress = BuildSteps {
            packages: (12, 300),
            tests: (0, 0),
            checks: (1, 2),
            running: all.iter().collect(),
            terminal_in_use: false,
        };
        assert_eq!(
            steps(&progress),
            "12/300 packages, 1/2 checks: compile net/http, fmt, link example.com/app"
        );
    }
}

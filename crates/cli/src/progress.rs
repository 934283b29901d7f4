//! What the user sees of downloads: go's lines where nobody looks, one bar on a terminal.
//!
//! On a terminal and under Steady's own name one line tells how many modules and bytes are on their way; it goes away when the
//! command says something or ends. Called as `go`, or piped, the lines are go's: `go: downloading m v1.2.3`.

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
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

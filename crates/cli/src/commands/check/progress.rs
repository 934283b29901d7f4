//! What is seen while `check` is at work: on a terminal one line that moves, and each environment as soon as it is loaded.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;
use steady_assure::check::proof::Proof;
use steady_assure::check::world::Platform;
use steady_assure::check::{self, Environment, World};
use steady_module::amount::amount;

use crate::session::Session;

/// Tells of the progress, if somebody looks.
pub struct Watcher {
    bar: Option<ProgressBar>,
}

impl Watcher {
    /// Watches on a terminal; `quietly` not even there.
    #[must_use]
    pub fn new(session: &Session, quietly: bool) -> Watcher {
        let bar = (session.printer.is_terminal() && !quietly).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template("{spinner} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Watcher { bar }
    }

    /// An environment is being loaded.
    pub fn busy(&self, environment: Environment, done: usize, all: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!(
                "{}: {done} of {}",
                environment.name(),
                amount(all, ["load", "loads"])
            ));
        }
    }

    /// All is loaded; what else there is to know is being found out.
    pub fn judging(&self) {
        if let Some(bar) = &self.bar {
            bar.set_message("looking at modules and files");
        }
    }

    /// Something is being built or tested.
    pub fn proving(&self, environment: Environment, module: &str, platform: &Platform) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!(
                "{}: building {module} for {platform}",
                environment.name()
            ));
        }
    }

    /// An environment is loaded.
    pub fn loaded(&self, world: &World, environment: Environment, time: Duration) {
        let Some(bar) = &self.bar else { return };
        let judgement = check::troubles(world, environment);
        let verdict = match (judgement.findings.len(), judgement.unknown.is_empty()) {
            (0, true) => "loads".to_owned(),
            (0, false) => "cannot be known".to_owned(),
            (n, _) => amount(n, ["thing does", "things do"]) + " not load",
        };
        ended(bar, environment, &verdict, time);
    }

    /// An environment is built.
    pub fn proved(&self, environment: Environment, proofs: &[Proof], time: Duration) {
        let Some(bar) = &self.bar else { return };
        let own = proofs
            .iter()
            .filter(|proof| proof.environment == environment);
        let verdict = match own.filter(|proof| proof.failure.is_some()).count() {
            0 => "builds".to_owned(),
            n => amount(n, ["command fails", "commands fail"]),
        };
        ended(bar, environment, &verdict, time);
    }
}

/// A line that stays above the bar.
fn ended(bar: &ProgressBar, environment: Environment, verdict: &str, time: Duration) {
    bar.println(format!(
        "{:<10} {verdict} ({:.2} s)",
        environment.name(),
        time.as_secs_f64()
    ));
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

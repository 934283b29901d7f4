//! The readiness matrix: environments, and findings in them with evidence, cause and fix.
//!
//! An environment is not guessed at: `cli` loads what it shows, and hands over what came of it ([`world`]). What does not load there is
//! an error there, and [`causes`] looks for the reason; [`inspect`] adds what is worth a warning although everything loads. [`classes`] is
//! the table of what there is to find.

pub mod accept;
pub mod causes;
pub mod ci;
pub mod classes;
pub mod finding;
pub mod git;
pub mod inspect;
pub mod output;
pub mod proof;
pub mod symptom;
pub mod world;

pub use finding::{Accepted, Action, Environment, Evidence, Finding, Fix, Severity};
pub use world::World;

use causes::{Case, Cause};
use std::collections::BTreeMap;

/// All that was found, and what could not be known.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Findings, the worst first.
    pub findings: Vec<Finding>,
    /// Why an environment could not be judged as a whole.
    pub unknown: BTreeMap<Environment, Vec<String>>,
}

impl Judgement {
    /// Adds what was found otherwise about these environments.
    pub fn add(&mut self, mut more: Vec<Finding>, environments: &[Environment]) {
        for finding in &mut more {
            finding
                .environments
                .retain(|one| environments.contains(one));
        }
        more.retain(|finding| !finding.environments.is_empty());
        let mut all = std::mem::take(&mut self.findings);
        all.extend(more);
        self.findings = finding::merged(all);
    }
}

/// Judges one environment by itself: what does not load there, and why.
#[must_use]
pub fn troubles(world: &World, environment: Environment) -> Judgement {
    let mut judgement = Judgement::default();
    for view in world.views_of(environment) {
        for trouble in view.troubles() {
            let case = Case {
                world,
                view,
                trouble: &trouble,
            };
            match causes::explain(&case) {
                Cause::Found(finding) => judgement.findings.push(*finding),
                Cause::Unknown(reason) => {
                    let reasons = judgement.unknown.entry(environment).or_default();
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
            }
        }
    }
    judgement
}

/// Judges everything.
#[must_use]
pub fn judge(world: &World, environments: &[Environment]) -> Judgement {
    let mut all = Judgement::default();
    for environment in environments {
        let one = troubles(world, *environment);
        all.findings.extend(one.findings);
        all.unknown.extend(one.unknown);
    }
    let mut more = inspect::workspace::inspect(world, &all.findings);
    more.extend(inspect::modules::inspect(world));
    more.extend(inspect::borrowed::inspect(world));
    more.extend(inspect::files::inspect(world));
    more.extend(inspect::platform::inspect(world));
    more.extend(inspect::environment::inspect(world));
    more.extend(inspect::code::near_misses(world));
    more.extend(inspect::toolchain::inspect(world));
    let errors = |id: &str, subject: &str| {
        let mut found = all.findings.iter();
        found.any(|finding| finding.class.id == id && finding.subject == subject)
    };
    // What `go mod tidy` would add is told already where it keeps the module from loading; and where the settings name another go.mod,
    // that is what is wrong.
    more.retain(|finding| {
        let told = errors("modules/sum-missing", &finding.subject) || world.healing.is_some();
        finding.class.id != "modules/not-tidy" || !told
    });
    all.add(more, environments);
    all
}

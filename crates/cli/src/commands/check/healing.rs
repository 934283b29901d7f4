//! Which setting of this machine makes the difference between here and elsewhere.

use steady_assure::check::symptom::Symptom;
use steady_assure::check::world::{Setting, Trouble, View};
use steady_assure::check::{Environment, World};

use super::environments::{Stage, Survey};
use super::loads::Loads;
use crate::failure::Result;

/// Settings of this machine that can decide whether something loads.
const DECIDING: [&str; 8] = [
    "GOWORK",
    "GOFLAGS",
    "GO111MODULE",
    "GOEXPERIMENT",
    "CGO_ENABLED",
    "GOOS",
    "GOARCH",
    "GODEBUG",
];

impl Survey {
    /// The setting of this machine without which the tree does not load, where it loads here and not in CI.
    ///
    /// # Errors
    /// Settings that cannot be.
    pub fn healing(&self, world: &World) -> Result<Option<Setting>> {
        let decides = |setting: &&Setting| DECIDING.contains(&setting.name.as_str());
        let Some(setting) = self.settings.iter().find(decides) else {
            return Ok(None);
        };
        let known =
            |trouble: &Trouble| !matches!(Symptom::of(&trouble.text), Symptom::NotHere { .. });
        let broken = |view: &View| view.troubles().iter().any(known);
        let here = world.views_of(Environment::Here).any(broken);
        if here || !world.views_of(Environment::Ci).any(broken) {
            return Ok(None);
        }
        // The same files under the settings of others: if that does not load, it is the settings that make the difference.
        let mut session = self.there.session.fork();
        session.files = self.here.session.files.clone();
        let stage = Stage {
            session,
            tree: self.here.tree.clone(),
        };
        let layout = stage.layout(self.repository.as_ref(), self.all)?;
        let mut loads = Loads::default();
        let both = (&layout, &layout);
        loads.add_layout(&stage, Environment::Ci, both, self, &Survey::native(&stage));
        let differs = loads.outcomes().any(|outcome| {
            broken(&View {
                environment: Environment::Ci,
                module: String::new(),
                platform: Survey::native(&stage),
                outcome,
            })
        });
        Ok(differs.then(|| setting.clone()))
    }
}

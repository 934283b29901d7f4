//! The Go of CI where it is older than the one at work: what is committed is loaded with that one, since it lacks what came later.

use steady_assure::check::ci::{self, Place};
use steady_assure::check::inspect::toolchain;
use steady_assure::check::world::OlderGo;
use steady_module::gover;

use super::environments::{Stage, Survey};
use crate::session::Session;
use crate::toolchain::release_of;

impl Survey {
    /// Finds out which Go builds what is committed in pipelines and images, and gives CI that one if it is older than this one and at hand
    /// (or may be fetched).
    pub fn find_older(&mut self, session: &Session, online: bool) {
        let there = &self.there.session;
        self.asked = ci::asked(Place {
            root: &self.root,
            files: &there.files,
            repository: self.repository.as_ref(),
        });
        let go = gover::from_toolchain(there.settings.local_version());
        let older = toolchain::older(&self.asked, &self.there_layout, go);
        let Some((version, asked)) = older else {
            return;
        };
        let found = release_of(session, &version, online);
        self.older = Some(OlderGo {
            version,
            asked: asked.clone(),
            at_hand: found.as_ref().map(|(release, _)| release.clone()),
        });
        if let Some((_, goroot)) = found {
            let mut session = there.fork();
            session.settings = there.settings.with_goroot(goroot, &session.files);
            session.settings.test_version = None;
            self.ci = Some(Stage {
                session,
                tree: self.there.tree.clone(),
            });
        }
    }

    /// What CI has.
    #[must_use]
    pub fn ci_stage(&self) -> &Stage {
        self.ci.as_ref().unwrap_or(&self.there)
    }
}

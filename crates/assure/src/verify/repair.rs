//! Mending what can be fetched or made again: files of the module cache are made anew from verified zips, objects of the build cache
//! that are not what their name says are removed (whoever needs them makes them), the vendor directory is written anew.
//!
//! go.sum, replaced directories and a distribution that was not installed as a module are the user's own: they are left alone.

use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::sync::Arc;
use steady_module::ModuleVersion;
use steady_proxy::Damage;

use super::{Chain, Failure, Link, Problem, Report};

/// Something that was mended, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// What.
    pub what: String,
    /// Why not, if it could not.
    pub error: Option<String>,
}

impl Repaired {
    fn new(what: String, done: Result<(), String>) -> Repaired {
        Repaired {
            what,
            error: done.err(),
        }
    }
}

impl Chain<'_> {
    /// Mends what a report tells. The chain's modules must not have fetched anything yet: what they know is not fetched again. The
    /// vendor directory goes last, for it is made from the module cache.
    #[must_use]
    pub fn repair(&self, report: &Report) -> Vec<Repaired> {
        let mut done = Vec::new();
        for (module, damage) in self.damages(report) {
            let what = format!("{module}: {}", words(damage));
            let restored = self.modules.fetcher().restore(&module, damage);
            let restored = restored.map_err(|error| error.to_string());
            done.push(Repaired::new(what, restored));
        }
        let objects = report
            .failures()
            .filter(|failure| failure.link == Link::Objects);
        for failure in objects {
            let path = object_of(failure);
            let removed = self.files.remove_all(&path);
            let removed = removed.map_err(|error| error.to_string());
            done.push(Repaired::new(format!("removed {path}"), removed));
        }
        let drifted = report
            .failures()
            .any(|failure| failure.link == Link::Vendor);
        if drifted && done.iter().all(|one| one.error.is_none()) {
            let place = self.modules.vendor_place().unwrap_or_default();
            done.push(Repaired::new(
                format!("vendored anew {place}"),
                self.vendor_anew(),
            ));
        }
        done
    }

    /// What is damaged of each module version.
    fn damages(&self, report: &Report) -> BTreeMap<ModuleVersion, Damage> {
        let mut damages: BTreeMap<ModuleVersion, Damage> = BTreeMap::new();
        let own = [Link::Cache, Link::Tree, Link::Toolchain];
        for failure in report
            .failures()
            .filter(|failure| own.contains(&failure.link))
        {
            let Some(module) = &failure.module else {
                continue;
            };
            let damage = damages.entry(module.clone()).or_default();
            let installed = self.modules.fetcher().extracted_path(module);
            if installed.is_ok_and(|dir| failure.file.starts_with(dir)) {
                damage.tree = true;
                continue;
            }
            match failure.file.extension() {
                Some("zip") => damage.zip = true,
                Some("ziphash") => damage.record = true,
                Some("mod") => damage.go_mod = true,
                Some("info") => damage.info = true,
                _ => {}
            }
            // A record that only go.sum contradicts is that of a zip that is no good either.
            if damage.record && failure.problem == Problem::Forged {
                damage.zip = true;
            }
        }
        damages.retain(|_, damage| *damage != Damage::default());
        damages
    }

    fn vendor_anew(&self) -> Result<(), String> {
        let context = Arc::clone(&self.context);
        let found = self
            .modules
            .packages_to_vendor(Arc::clone(&context))
            .map_err(|error| error.to_string())?;
        if let Some(error) = found.errors(true).first() {
            return Err(error.to_string());
        }
        let plan = self
            .modules
            .plan_vendor(&found, &context)
            .map_err(|error| error.to_string())?;
        let place = self.modules.vendor_place().unwrap_or_default();
        plan.write(self.files, &place)
            .map_err(|error| error.to_string())
    }
}

fn words(damage: Damage) -> String {
    let parts = [
        (damage.zip, "zip fetched"),
        (damage.record, "sum recorded"),
        (damage.zip || damage.record || damage.tree, "tree extracted"),
        (damage.go_mod, ".mod fetched"),
        (damage.info, ".info fetched"),
    ];
    let parts = parts.into_iter().filter(|(is, _)| *is);
    parts.map(|(_, what)| what).collect::<Vec<_>>().join(", ")
}

/// The cache's own name for an object: a program lies in a directory of that name.
fn object_of(failure: &Failure) -> Utf8PathBuf {
    let file = &failure.file;
    match file.parent() {
        Some(dir) if dir.as_str().ends_with("-d") => dir.to_owned(),
        _ => file.clone(),
    }
}

//! After requirements are settled: do the packages that were named build, what have authors said of their modules, are sums there.

use super::resolver::Resolver;
use crate::modload::packages::{ModulePackages, PackageOptions};
use crate::modload::{ImportError, ModError, Result, short_message};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use steady_module::{ModuleVersion, gover};

impl Resolver<'_> {
    /// Loads what was named as a build would and tells what is wrong with it, what is deprecated, and what was taken back.
    /// True: packages do not build, which has been said.
    pub(super) fn check_packages(&mut self) -> Result<bool> {
        let modules = self.modules;
        let mut relevant: BTreeSet<ModuleVersion> = self
            .resolved
            .iter()
            .filter(|(_, (version, _))| version != "none")
            .map(|(path, (version, _))| ModuleVersion::new(path.clone(), version.clone()))
            .collect();
        let mut named: BTreeSet<ModuleVersion> = relevant.clone();
        let mut failed = false;
        let mut direct = BTreeSet::new();
        let patterns = self.package_patterns();
        if !patterns.is_empty() {
            let found = self.load_named(&patterns, &mut direct)?;
            for node in &found.nodes {
                let module = node.module.iter();
                let module = module.filter(|module| !module.version.is_empty());
                if node.is_root {
                    named.extend(module.clone().cloned());
                }
                relevant.extend(module.cloned());
                if let Some(ImportError::Ambiguous(ambiguous)) = &node.error {
                    let places = ambiguous.places.iter();
                    relevant.extend(places.filter_map(|(_, module)| module.clone()));
                }
            }
            for error in found.errors(false) {
                failed = true;
                modules.fetcher.warn(&error.to_string());
            }
        }
        direct.extend(self.reqs.direct.iter().cloned());
        named.extend(
            relevant
                .iter()
                .filter(|module| direct.contains(&module.path))
                .cloned(),
        );
        self.warn_of(&relevant, &named);
        self.check_sums()?;
        Ok(failed)
    }

    /// Packages as a build finds them: in the workspace, if the main module is a member of one, since it may need what others have.
    /// What its members require directly is added to `direct`.
    fn load_named(
        &mut self,
        patterns: &[String],
        direct: &mut BTreeSet<String>,
    ) -> Result<ModulePackages> {
        let modules = self.modules;
        let options = PackageOptions {
            context: Arc::clone(&self.options.context),
            any_tags: false,
            tests: self.options.tests,
            resolve: false,
            ..PackageOptions::default()
        };
        modules.set_reqs(Arc::clone(&self.reqs));
        let within = modules.fetcher.with_sums_aside(|| {
            let Some(whole) = self.workspace.entered(modules, &self.reqs)? else {
                return Ok(None);
            };
            direct.extend(whole.reqs().direct.iter().cloned());
            whole.load_packages(patterns, &options).map(Some)
        })?;
        if let Some(found) = within {
            // go.sum names all of the graph that the versions were chosen in.
            modules.graph_of(&self.reqs)?;
            return Ok(found);
        }
        let found = modules.load_packages(patterns, &options)?;
        if let Some(reqs) = &found.reqs {
            self.reqs = Arc::clone(reqs);
        }
        Ok(found)
    }

    /// Tells which of the modules were taken back, and which of those to be `told` of are deprecated.
    fn warn_of(&self, relevant: &BTreeSet<ModuleVersion>, told: &BTreeSet<ModuleVersion>) {
        let modules = self.modules;
        for module in relevant
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            if !told.contains(module) {
                continue;
            }
            if let Ok(file) = modules.newest_go_mod(&module.path)
                && let Some(text) = file
                    .module
                    .as_ref()
                    .map(|module| &module.deprecated)
                    .filter(|text| !text.is_empty())
            {
                modules.fetcher.warn(&format!(
                    "module {} is deprecated: {}",
                    module.path,
                    short_message(text, "")
                ));
            }
        }
        let mut retracted = Vec::new();
        for module in relevant
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            if let Err(error) = modules.check_retracted(module)
                && error.is_disallowed()
            {
                modules.fetcher.warn(&format!("warning: {error}"));
                retracted.push(&module.path);
            }
        }
        if let Some(first) = retracted.first() {
            let path = if retracted.len() == 1 {
                first
            } else {
                "<module>"
            };
            modules.fetcher.warn(&format!(
                "to switch to the latest unretracted version, run:\n\tgo get {path}@latest"
            ));
        }
    }

    /// Modules that had a sum must have one at their new versions.
    fn check_sums(&self) -> Result<()> {
        let modules = self.modules;
        let mut errors = Vec::new();
        let mut changed: Vec<(&String, &String)> = self
            .selected
            .iter()
            .filter(|(path, version)| {
                self.initial
                    .get(*path)
                    .is_some_and(|old| old != *version && !old.is_empty())
            })
            .collect();
        changed.sort();
        for (path, version) in changed {
            let old = ModuleVersion::new(path.clone(), self.initial[path].clone());
            let new = ModuleVersion::new(path.clone(), version.clone());
            let actual = modules.replacement(&new).unwrap_or(&new).clone();
            let before = modules.replacement(&old).unwrap_or(&old);
            if gover::is_toolchain(path)
                || actual == *before
                || actual.version.is_empty()
                || !modules.fetcher.have_sum(before)
            {
                continue;
            }
            if let Err(error) = modules.fetcher.download_zip(&actual) {
                let verb = if gover::mod_compare(path, version, &old.version).is_lt() {
                    "downgraded"
                } else {
                    "upgraded"
                };
                let by = if actual == new {
                    String::new()
                } else {
                    format!(" (replaced by {actual})")
                };
                errors.push(ModError::Message(format!(
                    "{verb} {path} {} => {version}{by}: error finding sum for {actual}: {error}",
                    old.version
                )));
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ModError::many(errors))
        }
    }

    /// What has changed for modules that were named or that go.mod names, a line each.
    pub(super) fn changes(&self, old: &[ModuleVersion], new: &[ModuleVersion]) -> Vec<String> {
        let mut changes: BTreeMap<(u8, String), (String, String)> = BTreeMap::new();
        let key = |path: &str| {
            let rank = match path {
                "go" => 0,
                "toolchain" => 1,
                _ => 2,
            };
            (rank, path.to_string())
        };
        let of = |versions: &HashMap<String, String>, path: &str| {
            versions.get(path).cloned().unwrap_or_default()
        };
        for (path, (version, _)) in &self.resolved {
            let before = of(&self.initial, path);
            let gone = before.is_empty() && version == "none";
            if !gover::is_toolchain(path) && before != *version && !gone {
                changes.insert(key(path), (before, version.clone()));
            }
        }
        for module in old
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            let now = of(&self.selected, &module.path);
            if now != module.version {
                changes.insert(key(&module.path), (module.version.clone(), now));
            }
        }
        for module in new
            .iter()
            .filter(|module| !gover::is_toolchain(&module.path))
        {
            let before = of(&self.initial, &module.path);
            if before != module.version {
                changes.insert(key(&module.path), (before, module.version.clone()));
            }
        }
        for path in ["go", "toolchain"] {
            let version = |list: &[ModuleVersion]| {
                let found = list.iter().find(|module| module.path == path);
                found.map_or_else(String::new, |module| module.version.clone())
            };
            let (before, now) = (version(old), version(new));
            if before != now {
                changes.insert(key(path), (before, now));
            }
        }
        changes
            .into_iter()
            .map(|((_, path), (before, now))| describe(&path, &before, &now))
            .collect()
    }
}

fn describe(path: &str, before: &str, now: &str) -> String {
    if before.is_empty() {
        return format!("added {path} {now}");
    }
    if matches!(now, "" | "none") {
        return format!("removed {path} {before}");
    }
    if gover::mod_compare(path, now, before).is_le() {
        return format!("downgraded {path} {before} => {now}");
    }
    let edge = gover::EXPLICIT_INDIRECT_VERSION;
    let note = if path == "go"
        && gover::compare(before, edge).is_lt()
        && gover::compare(now, edge).is_ge()
    {
        format!(
            "\n\tnote: expanded dependencies to upgrade to go {edge} or higher; run 'go mod tidy' to clean up"
        )
    } else {
        String::new()
    };
    format!("upgraded {path} {before} => {now}{note}")
}

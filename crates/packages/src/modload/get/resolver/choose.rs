//! One module for each query: those that leave no choice first.

use super::{Choice, Resolver};
use crate::modload::get::query::Query;
use crate::modload::{Found, FoundPackages, ModError, Result};
use steady_module::ModuleVersion;

impl Resolver<'_> {
    /// Chooses a module for each answer that leaves no choice; then, if nothing has changed by that, for the others too.
    pub(super) fn resolve(&mut self, which: impl Fn(&Query) -> bool) -> Result<bool> {
        self.check()?;
        let mut settled = 0;
        loop {
            let before = settled;
            for at in 0..self.queries.len() {
                if !which(&self.queries[at]) {
                    continue;
                }
                for answer in std::mem::take(&mut self.queries[at].open) {
                    match self.only(&answer) {
                        Ok(choice) => {
                            self.settle(at, choice.or_else(|| self.any(&answer)));
                            settled += 1;
                        }
                        Err(rest) => self.queries[at].open.push(*rest),
                    }
                }
            }
            self.check()?;
            if settled == before {
                break;
            }
        }
        if settled > 0 && self.update(&[])? {
            return Ok(true);
        }
        let mut settled = false;
        for at in 0..self.queries.len() {
            if !which(&self.queries[at]) {
                continue;
            }
            for answer in std::mem::take(&mut self.queries[at].open) {
                self.settle(at, self.any(&answer));
                settled = true;
            }
        }
        self.check()?;
        Ok(settled && self.update(&[])?)
    }

    /// The choice if there is just one, `None` if all that could be chosen contradicts what is settled; otherwise what is left to
    /// choose from.
    pub(super) fn only(
        &self,
        answer: &FoundPackages,
    ) -> std::result::Result<Option<Choice>, Box<FoundPackages>> {
        let mut left: Vec<&Found> = Vec::new();
        for found in &answer.with_packages {
            let module = &found.module;
            if self.is_taken_out(&module.path) {
                continue;
            }
            if self.modules.main(&module.path).is_some() {
                if module.version.is_empty() {
                    return Ok(Some((module.clone(), true)));
                }
                continue;
            }
            match self.resolved.get(&module.path) {
                None => left.push(found),
                // Any other module would have the packages a second time.
                Some((version, _)) if *version == module.version => {
                    return Ok(Some((module.clone(), true)));
                }
                Some(_) => {}
            }
        }
        let module_only = answer.module_only.as_ref().filter(|found| {
            let known = self.resolved.get(&found.module.path);
            known.is_none_or(|(version, _)| *version == found.module.version)
        });
        match (left.as_slice(), module_only) {
            ([one], None) => Ok(Some((one.module.clone(), true))),
            ([one], Some(only)) if only.module == one.module => {
                Ok(Some((one.module.clone(), true)))
            }
            ([], only) => Ok(only.map(|only| (only.module.clone(), false))),
            _ => Err(Box::new(FoundPackages {
                with_packages: left.into_iter().cloned().collect(),
                module_only: module_only.cloned(),
            })),
        }
    }

    /// A module in use if there is one, otherwise the one with the longest path.
    pub(super) fn any(&self, answer: &FoundPackages) -> Option<Choice> {
        let in_use = answer
            .with_packages
            .iter()
            .find(|found| Self::version_in(&self.initial, &found.module.path) != "none");
        match in_use.or(answer.with_packages.first()) {
            Some(found) => Some((found.module.clone(), true)),
            None => answer
                .module_only
                .as_ref()
                .map(|found| (found.module.clone(), false)),
        }
    }

    fn settle(&mut self, at: usize, choice: Option<Choice>) {
        let Some((module, has_packages)) = choice else {
            return;
        };
        self.queries[at].packages |= has_packages;
        if self.modules.main(&module.path).is_some() {
            if !module.version.is_empty() {
                let query = &self.queries[at];
                let mains = [ModuleVersion::new(module.path, "")];
                let error = self
                    .modules
                    .matches_mains(&query.pattern, &query.version, &mains);
                self.errors.push((at, error));
            }
            return;
        }
        match self.resolved.get(&module.path) {
            Some((version, first)) if *version != module.version => {
                let (version, first) = (version.clone(), *first);
                self.contradict(at, &module, &version, first);
            }
            _ => {
                self.queries[at].resolved.push(module.clone());
                self.resolved
                    .entry(module.path)
                    .or_insert((module.version, at));
            }
        }
    }

    /// Two queries want two versions of one module.
    fn contradict(&mut self, at: usize, module: &ModuleVersion, known: &str, first: usize) {
        if std::mem::replace(&mut self.queries[at].in_conflict, true) {
            return;
        }
        let (query, other) = (&self.queries[at], &self.queries[first]);
        let mut proposed = (query, module.version.as_str());
        let mut conflict = (other, known);
        // The more special one first.
        if query.is_wildcard() && !other.is_wildcard() {
            std::mem::swap(&mut proposed, &mut conflict);
        }
        let detail = if module.path == proposed.0.pattern {
            String::new()
        } else {
            format!("for module {}, ", module.path)
        };
        let text = format!(
            "{detail}{} conflicts with {}",
            proposed.0.with_version(proposed.1),
            conflict.0.with_version(conflict.1)
        );
        self.errors.push((at, ModError::Message(text)));
    }
}

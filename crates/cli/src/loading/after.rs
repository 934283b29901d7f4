//! What was loaded, held against what it is wanted for.

use std::collections::HashSet;
use steady_packages::load::{Loaded, TestSet};
use steady_packages::package::PackageError;

use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::session::Session;

/// Leaves only what can be a program: main packages, and what was named outright, which gets an error if it is none.
pub fn mains_only(session: &Session, loaded: &mut Loaded) {
    let literal: HashSet<String> = loaded
        .matches
        .iter()
        .filter(|found| found.is_literal())
        .flat_map(|found| found.packages.iter().cloned())
        .collect();
    let mut as_main: HashSet<String> = HashSet::new();
    let mut roots = Vec::new();
    for id in std::mem::take(&mut loaded.roots) {
        let package = &mut loaded.set[id];
        let public = &mut package.public;
        let is_main = public.name == "main" || (public.name.is_empty() && public.error.is_some());
        if !is_main
            && !literal.contains(&public.import_path)
            && public.files.invalid_go_files.is_empty()
        {
            continue;
        }
        as_main.insert(public.import_path.clone());
        if !is_main && public.error.is_none() {
            let err = format!("package {} is not a main package", public.import_path);
            public.error = Some(PackageError {
                err,
                ..PackageError::default()
            });
            public.incomplete = true;
        }
        roots.push(id);
    }
    loaded.roots = roots;
    for found in loaded
        .matches
        .iter()
        .filter(|found| !found.is_literal() && !found.packages.is_empty())
    {
        if !found.packages.iter().any(|path| as_main.contains(path)) {
            session.printer.note(format!(
                "go: warning: {:?} matched only non-main packages",
                found.pattern
            ));
        }
    }
}

/// Prints what keeps packages from being built and stops, if there is anything.
///
/// # Errors
/// There was; it has been said.
pub fn check(session: &Session, loaded: &Loaded) -> Result<()> {
    let errors = loaded.errors();
    for error in &errors {
        session.printer.error_at(error.to_string());
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Failure::Said(Status::FAILED))
    }
}

/// The first error that keeps tests from being built.
#[must_use]
pub fn test_error(loaded: &Loaded) -> Option<&PackageError> {
    loaded
        .tests
        .iter()
        .find_map(|tests| error_in(loaded, tests))
}

/// The first error that keeps the tests of one package from being built.
#[must_use]
pub fn error_in<'a>(loaded: &'a Loaded, tests: &TestSet) -> Option<&'a PackageError> {
    let set = &loaded.set;
    let mut parts = [Some(tests.inner), tests.external, Some(tests.main)]
        .into_iter()
        .flatten()
        .filter(|id| set[*id].public.incomplete || set[*id].public.error.is_some());
    parts.find_map(|id| {
        let own = set[id].public.error.as_ref();
        let mut all = set.with_dependencies(&[id]).into_iter();
        own.or_else(|| all.find_map(|id| set[id].public.error.as_ref()))
    })
}

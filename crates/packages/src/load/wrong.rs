//! What is wrong with a package itself, in go's words and with the way that led to it.

use super::Loader;
use super::found::Found;
use super::way::{Importer, Stack};
use crate::modload::{ImportError, ModError, Resolved};
use crate::package::{PackageError, PackageId};
use crate::patterns::is_appengine_import;
use crate::reached::Reached;
use crate::source::{PackageSource, Position, SourceError};
use std::collections::HashMap;
use std::sync::Arc;

impl Loader<'_> {
    /// Why there is no package, or none that could be built.
    pub(super) fn place_error(
        &self,
        path: &str,
        found: &Found,
        importer: Option<&Importer<'_>>,
        stack: &Stack,
    ) -> Option<PackageError> {
        let mut import_stack = stack.paths.clone();
        let importer_pos = || {
            importer
                .and_then(|importer| importer.positions.first())
                .map_or_else(String::new, |at| self.shown(at))
        };
        if let Some(err) = super::refused_path(path) {
            import_stack.push(path.to_string());
            return Some(PackageError {
                import_stack,
                err,
                ..PackageError::default()
            });
        }
        let place = match found.place() {
            Ok(place) => place,
            Err(error) => {
                let pos = importer_pos();
                let error = self.import_error(error, importer);
                return Some(PackageError {
                    import_stack,
                    pos,
                    err: error.to_string(),
                    is_missing: error.missing().is_some(),
                    ..PackageError::default()
                });
            }
        };
        if let Some(error) = &found.source.error {
            let (pos, err) = self.source_error(error, &found.source, place);
            let pos = match error {
                SourceError::Syntax(_) | SourceError::NoGo { .. } => {
                    import_stack.push(path.to_string());
                    pos
                }
                _ if pos.is_empty() => importer_pos(),
                _ => pos,
            };
            return Some(PackageError {
                import_stack,
                pos,
                err,
                is_no_go: error.is_no_go(),
                ..PackageError::default()
            });
        }
        let comment = &found.source.import_comment;
        if !comment.is_empty()
            && *comment != place.path
            && !place.path.contains("/vendor/")
            && !place.path.starts_with("vendor/")
        {
            return Some(PackageError {
                import_stack,
                pos: importer_pos(),
                err: format!("code in directory {} expects import {comment:?}", place.dir),
                ..PackageError::default()
            });
        }
        None
    }

    /// The error with what is known about who imports.
    pub(super) fn import_error(
        &self,
        error: &ImportError,
        importer: Option<&Importer<'_>>,
    ) -> ImportError {
        let from = importer.map(|importer| &self.set[importer.id]);
        let module = from.and_then(|package| package.public.module.as_deref());
        let explained = error
            .missing()
            .map(|missing| self.modules.explained(missing));
        match explained.as_ref().unwrap_or(error) {
            ImportError::Missing(missing)
                if importer.is_some() && is_appengine_import(&missing.path) =>
            {
                ImportError::Other(Arc::new(ModError::message("cannot find package")))
            }
            ImportError::Missing(missing) if missing.std_dir.is_some() => {
                let mut missing = missing.clone();
                if let Some(module) = module.filter(|module| !module.main) {
                    missing.importer_go_version = self.go_version_of(module);
                }
                ImportError::Missing(missing)
            }
            ImportError::Missing(missing) => {
                let mut missing = missing.clone();
                if let Some(module) = module.filter(|module| module.main) {
                    missing.cd = self.modules.elsewhere(&module.path);
                }
                ImportError::Missing(missing)
            }
            ImportError::MissingSum(missing) => {
                let mut missing = missing.clone();
                missing.importer = from.map(|package| crate::modload::Importer {
                    path: package.public.import_path.clone(),
                    version: module.map_or_else(String::new, |module| module.version.clone()),
                    is_test: importer.is_some_and(|importer| importer.is_test),
                });
                ImportError::MissingSum(missing)
            }
            other => other.clone(),
        }
    }

    pub(super) fn source_error(
        &self,
        error: &SourceError,
        source: &PackageSource,
        place: &Resolved,
    ) -> (String, String) {
        match error {
            SourceError::Syntax(list) => {
                let Some(first) = list.first() else {
                    return (String::new(), error.to_string());
                };
                let at = Position {
                    file: first.file.as_str().into(),
                    line: first.line,
                    column: first.column,
                };
                (self.shown(&at), first.message.clone())
            }
            SourceError::NoGo { dir } => {
                let all = source.files.ignored_go_files.len();
                let tests = source.test_go_files.len() + source.x_test_go_files.len();
                let err = if all > 0 {
                    format!("build constraints exclude all Go files in {dir}")
                } else if tests > 0 {
                    format!("no non-test Go files in {dir}")
                } else {
                    format!("no Go files in {}", place.dir)
                };
                (String::new(), err)
            }
            other => (String::new(), other.to_string()),
        }
    }

    pub(super) fn collision(&mut self, path: &str, stack: &Stack) -> Option<PackageError> {
        let other = self
            .folded
            .entry(path.to_lowercase())
            .or_insert_with(|| path.to_string());
        let clash = other != path;
        clash.then(|| PackageError {
            import_stack: stack.paths.clone(),
            err: format!("case-insensitive import collision: {path:?} and {other:?}"),
            ..PackageError::default()
        })
    }

    pub(super) fn set_error(&mut self, id: PackageId, stack: &Stack, pos: String, err: String) {
        let public = &mut self.set[id].public;
        public.incomplete = true;
        if public.error.is_none() {
            public.error = Some(PackageError {
                import_stack: stack.paths.clone(),
                pos,
                err,
                ..PackageError::default()
            });
        }
    }

    /// Names that no build may have. False: there is one, and the package is not looked at any further.
    pub(super) fn check_files(&mut self, id: PackageId, stack: &Stack) -> bool {
        let public = &self.set[id].public;
        let names = public.all_files();
        let mut folded: HashMap<String, &str> = HashMap::new();
        let twins = names.iter().find_map(|name| {
            let other = folded.insert(name.to_lowercase(), *name)?;
            Some((other.min(*name), other.max(*name)))
        });
        let safe = |name: &str| {
            name.starts_with(|c: char| {
                c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/') || !c.is_ascii()
            })
        };
        let unsafe_name = names
            .iter()
            .find(|name| name.starts_with("_cgo_") || !safe(name));
        let (path, dir) = (&public.import_path, &public.dir);
        let base = path.rsplit('/').next().unwrap_or_default();
        let refused = match (twins, unsafe_name) {
            (Some((one, other)), _) => Some(format!(
                "case-insensitive file name collision: {one:?} and {other:?}"
            )),
            (_, Some(name)) => Some(format!("invalid input file name {name:?}")),
            _ if !safe(path) => Some(format!("invalid import path {path:?}")),
            _ if !safe(base) => Some(format!("invalid input directory name {base:?}")),
            _ if dir.contains(['\r', '\n']) => Some(format!("invalid package directory {dir:?}")),
            _ => None,
        };
        let good = refused.is_none();
        if let Some(err) = refused {
            self.set_error(id, stack, String::new(), err);
        }
        good
    }

    /// Files of languages that no compiler is there for.
    pub(super) fn check_languages(&mut self, id: PackageId, stack: &Stack) {
        let package = &self.set[id];
        let files = &package.public.files;
        let cgo = package.uses_cgo() || package.uses_swig();
        let list = |kind: &str, files: &[String]| {
            (!files.is_empty() && !cgo).then(|| {
                format!(
                    "{kind} source files not allowed when not using cgo or SWIG: {}",
                    files.join(" ")
                )
            })
        };
        let gc = self.context.compiler == "gc";
        let refused = list("C", &files.c_files)
            .filter(|_| gc)
            .or_else(|| list("C++", &files.cxx_files))
            .or_else(|| list("Objective-C", &files.m_files))
            .or_else(|| list("Fortran", &files.f_files));
        if let Some(err) = refused {
            self.set_error(id, stack, String::new(), err);
        }
    }

    /// Fills DepsErrors. (Deps are worked out by whoever shows them: lists of all for all would be megabytes.)
    pub(super) fn gather_errors(&mut self) {
        let with_error = |id: &PackageId| self.set[*id].public.error.is_some();
        let wrong: Vec<PackageId> = self.set.ids().filter(with_error).collect();
        if wrong.is_empty() {
            return;
        }
        let reached = Reached::of(&self.set);
        for id in self.set.ids() {
            let mut with_errors: Vec<PackageId> = wrong
                .iter()
                .copied()
                .filter(|dep| *dep != id && reached.has(id, *dep))
                .collect();
            with_errors.sort_by(|a, b| {
                self.set[*a]
                    .public
                    .import_path
                    .cmp(&self.set[*b].public.import_path)
            });
            let errors = with_errors
                .iter()
                .filter_map(|dep| self.set[*dep].public.error.clone())
                .collect();
            let public = &mut self.set[id].public;
            public.incomplete |= !with_errors.is_empty();
            public.deps_errors = errors;
        }
    }
}

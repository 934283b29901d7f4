//! What an importer must not have, although it is there.

use super::Loader;
use super::found::Found;
use super::way::{Importer, Stack};
use crate::modload::Resolved;
use crate::package::{PackageError, PackageId};
use camino::Utf8Path;

impl Loader<'_> {
    /// Why an importer must not have the package, which may be broken in itself.
    pub(super) fn use_error(
        &self,
        path: &str,
        found: &Found,
        importer: &Importer<'_>,
        stack: &Stack,
        is_broken: bool,
    ) -> Option<PackageError> {
        let import_stack = stack.paths.clone();
        let Ok(place) = found.place() else {
            // How it is written is wrong in any case.
            return self.vendored_error(importer, stack);
        };
        let importer_pos = || {
            importer
                .positions
                .first()
                .map_or_else(String::new, |at| self.shown(at))
        };
        if !is_broken && self.hidden(place, importer) {
            let err = format!("use of internal package {path} not allowed");
            return Some(PackageError {
                import_stack,
                err,
                always_print_stack: true,
                pos: importer_pos(),
                ..PackageError::default()
            });
        }
        if self.vendored_elsewhere(path, &place.dir, &importer.dir) {
            return Some(PackageError {
                import_stack,
                err: "use of vendored package not allowed".to_string(),
                pos: importer_pos(),
                ..PackageError::default()
            });
        }
        if let Some(error) = self.vendored_error(importer, stack) {
            return Some(error);
        }
        if found.source.name == "main" && !importer.path.is_empty() && importer.dir != place.dir {
            let err = format!("import {path:?} is a program, not an importable package");
            return Some(PackageError {
                import_stack,
                err,
                pos: importer_pos(),
                ..PackageError::default()
            });
        }
        let (local, from_local) = (path.starts_with("_/"), importer.path.starts_with("_/"));
        if local && !from_local && !importer.files_given && !self.modules.enabled() {
            let written = importer.written;
            let err = match written {
                "." => ".: cannot import current directory".to_string(),
                _ => format!("local import {written:?} in non-local package"),
            };
            return Some(PackageError {
                import_stack,
                err,
                pos: importer_pos(),
                ..PackageError::default()
            });
        }
        None
    }

    /// Only what lies beside or below a vendor directory may use what is in it.
    pub(super) fn vendored_elsewhere(&self, path: &str, dir: &Utf8Path, importer: &str) -> bool {
        let Some(short) = vendored_path(path) else {
            return false;
        };
        let Some(vendor) = dir.as_str().strip_suffix(&format!("/{short}")) else {
            return false;
        };
        let Some(parent) = Utf8Path::new(vendor).parent() else {
            return false;
        };
        let real = |path: &Utf8Path| {
            let files = self.modules.index().files();
            files.canonicalize(path).unwrap_or_else(|_| path.to_owned())
        };
        let importer = Utf8Path::new(importer);
        !importer.starts_with(parent) && !real(importer).starts_with(real(parent))
    }

    /// A package of a vendor directory must be imported as what it is a copy of.
    pub(super) fn vendored_error(
        &self,
        importer: &Importer<'_>,
        stack: &Stack,
    ) -> Option<PackageError> {
        let short = vendored_path(importer.written)?;
        let at = importer.positions.first();
        Some(PackageError {
            import_stack: stack.paths.clone(),
            pos: at.map_or_else(String::new, |at| self.shown(at)),
            err: format!("{} must be imported as {short}", importer.written),
            ..PackageError::default()
        })
    }

    /// Whether a package lies under an `internal` directory that the importer is not allowed to see.
    pub(super) fn hidden(&self, place: &Resolved, importer: &Importer<'_>) -> bool {
        if self.modules.is_prebuilt(place) {
            return false;
        }
        let path = &place.path;
        let at = match path.rfind("/internal/") {
            Some(at) => at,
            None if path.ends_with("/internal") => path.len() - "/internal".len(),
            None if path.starts_with("internal/") || path == "internal" => 0,
            None => return false,
        };
        let below = |path: &str, parent: &str| {
            path == parent
                || path
                    .strip_prefix(parent)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        if below(&importer.path, "crypto") && below(path, "crypto/internal/fips140") {
            return false;
        }
        if below(&importer.path, "crypto/internal/fips140") {
            return !below(path, "crypto/internal");
        }
        if place.module.is_none() {
            let dir = place.dir.as_str();
            let Some(end) = (dir.len() + at).checked_sub(path.len()) else {
                return false;
            };
            let parent = dir[..end].trim_end_matches('/');
            if below(&importer.dir, parent) {
                return false;
            }
            let real = |path: &str| self.modules.index().files().canonicalize(path).ok();
            return !matches!(
                (real(&importer.dir), real(parent)),
                (Some(dir), Some(parent)) if dir.starts_with(&parent)
            );
        }
        let from = if importer.files_given {
            self.modules
                .importing_path_of(Utf8Path::new(&importer.dir))
                .unwrap_or_default()
        } else {
            importer.path.clone()
        };
        !below(&from, &path[..at])
    }

    /// What a main module imports its go.mod must name.
    pub(super) fn check_implicit(&mut self, importer: PackageId, imported: PackageId) {
        let (from, to) = (&self.set[importer].public, &self.set[imported].public);
        let (Some(main), Some(module)) = (&from.module, &to.module) else {
            return;
        };
        if !main.main || module.main || from.error.is_some() || to.error.is_some() {
            return;
        }
        let module = steady_module::ModuleVersion::new(&*module.path, &*module.version);
        let error = self
            .modules
            .implicit(&from.import_path, &to.import_path, &module);
        if let Some(error) = error {
            self.set_importer_error(
                importer,
                PackageError {
                    err: error.to_string(),
                    ..PackageError::default()
                },
            );
        }
    }

    /// What was loaded for somebody else may still be out of bounds for this importer.
    pub(super) fn refuse(
        &mut self,
        imported: PackageId,
        written: &str,
        importer: &Importer<'_>,
        stack: &Stack,
    ) {
        if let Some(error) = self.refused(imported, written, importer, stack) {
            self.set_importer_error(importer.id, error);
        }
    }

    pub(super) fn refused(
        &mut self,
        imported: PackageId,
        written: &str,
        importer: &Importer<'_>,
        stack: &Stack,
    ) -> Option<PackageError> {
        let found = self.found(written, &importer.origin);
        let public = &self.set[imported].public;
        let path = public.import_path.clone();
        let is_broken = public.error.is_some();
        self.use_error(&path, &found, importer, stack, is_broken)
    }

    pub(super) fn set_importer_error(&mut self, id: PackageId, error: PackageError) {
        let public = &mut self.set[id].public;
        public.incomplete = true;
        if public.error.is_none() {
            public.error = Some(error);
        }
    }
}

/// What a path with a vendor directory in it must be written as.
pub(super) fn vendored_path(path: &str) -> Option<&str> {
    match path.rfind("/vendor/") {
        Some(at) => Some(&path[at + "/vendor/".len()..]),
        None => path.strip_prefix("vendor/"),
    }
}

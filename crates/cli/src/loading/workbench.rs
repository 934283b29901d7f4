//! Loading what patterns name.

use std::sync::Arc;
use steady_build::BuildConfig;
use steady_packages::load::{LoadOptions, Loaded, Loader, Places};
use steady_packages::modload::{ModError, Modules};
use steady_packages::package::PackageError;
use steady_packages::source::BuildContext;

use super::package_flags::PackageFlags;
use crate::failure::{Failure, Result, TooNew};
use crate::modules;
use crate::session::Session;

/// Everything that loading and building need, made from flags and settings.
pub struct Workbench {
    /// For the builder.
    pub config: BuildConfig,
    /// How source files are chosen.
    pub context: BuildContext,
    /// The modules of the run.
    pub modules: Arc<Modules>,
    pub(super) options: LoadOptions,
    pub(super) flags: PackageFlags,
}

impl Workbench {
    /// Nothing is to be built: see [`LoadOptions::only_look`]. `places`: what other loads over the same modules know.
    pub fn only_look(&mut self, places: &Arc<Places>) {
        self.options.only_look = true;
        self.options.places = Some(Arc::clone(places));
    }

    /// Loads what patterns name, and does nothing else: nothing is written, said or settled.
    ///
    /// # Errors
    /// Only what keeps every pattern from being matched.
    pub fn look(&self, patterns: &[String]) -> std::result::Result<Loaded, ModError> {
        Loader::new(&self.modules, self.context.clone(), self.options.clone()).load(patterns)
    }

    /// Loads what patterns name, and gives each package the flags that are for it. Patterns that match nothing get a warning.
    ///
    /// # Errors
    /// Only what keeps every pattern from being matched.
    pub fn load(&self, session: &Session, patterns: &[String]) -> Result<Loaded> {
        let tests = self.options.tests;
        if self.modules.may_settle() {
            let context = Arc::new(self.context.clone());
            if patterns.iter().any(|pattern| pattern.ends_with(".go")) {
                let imports = self.modules.imports_of_files(patterns, &self.context);
                self.modules.settle(&imports, context, false)?;
            } else {
                self.modules.settle(patterns, context, tests)?;
            }
        }
        let mut loaded = self.look(patterns).map_err(|error| match error {
            ModError::NoGoMod => modules::without_main(session, &self.modules),
            other => other.into(),
        })?;
        for found in loaded.matches.iter().filter(|found| found.unmatched()) {
            session.printer.note(format!(
                "go: warning: {:?} matched no packages",
                found.pattern
            ));
        }
        for warning in &loaded.covered.warnings {
            session.printer.note(warning);
        }
        self.modules.index().save();
        self.modules.index().release();
        self.keep_sums(&loaded)?;
        let cwd = session.environment().cwd();
        self.flags.hand_out(&mut loaded, cwd, &self.modules);
        Ok(loaded)
    }

    /// Loads packages that `path@version` arguments name; with the patterns without the version.
    ///
    /// # Errors
    /// Nobody has them, or not as a module that could stand alone.
    pub fn load_outside(
        &self,
        session: &Session,
        arguments: &[String],
    ) -> Result<(Loaded, Vec<String>)> {
        modules::must_be_enabled(&session.settings)?;
        let outside = self.modules.stand_on(arguments).map_err(|error| {
            let ask = error.too_new().map(|ask| TooNew {
                what: ask.what,
                version: ask.go_version,
            });
            Failure::errors(vec![error.to_string()], ask)
        })?;
        let mut loaded = self.load(session, &outside.patterns)?;
        if loaded.missing {
            let context = Arc::new(self.context.clone());
            self.modules.settle(&outside.patterns, context, false)?;
            loaded = self.load(session, &outside.patterns)?;
        }
        for &root in &loaded.roots {
            let public = &mut loaded.set.packages[root.0 as usize].public;
            let path = &public.import_path;
            let wrong = match &public.module {
                None => format!("package {path} not provided by module {}", outside.module),
                Some(module)
                    if module.path != outside.module.path
                        || module.version != outside.module.version =>
                {
                    format!(
                        "package {path} provided by module {}@{}\n\tAll packages must be provided by the same module ({}).",
                        module.path, module.version, outside.module
                    )
                }
                Some(_) => continue,
            };
            if public.error.is_none() {
                public.error = Some(PackageError {
                    err: wrong,
                    ..PackageError::default()
                });
                public.incomplete = true;
            }
        }
        Ok((loaded, outside.patterns))
    }

    /// A workspace's go.work.sum takes up sums that were looked up for the packages loaded, and for each go.mod of the graph: what no
    /// file has would be looked up again by every run.
    fn keep_sums(&self, loaded: &Loaded) -> Result<()> {
        if self.modules.go_work().is_none() || !self.modules.fetcher().has_new_sums() {
            return Ok(());
        }
        let packages = loaded.set.packages.iter();
        let paths = packages.map(|package| package.public.import_path.as_str());
        let keep = self.modules.keep_sums_of(paths);
        Ok(self.modules.fetcher().write_go_sum(&keep, false)?)
    }
}

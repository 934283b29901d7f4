//! Packages that shared libraries are made of: those that every library takes in, and those that are in libraries already.

use super::{Loader, ModError};
use crate::package::PackageId;
use camino::Utf8Path;
use std::collections::BTreeMap;

/// Reads from a shared library which packages it consists of.
pub type ReadLibrary = fn(&Utf8Path) -> std::io::Result<Vec<String>>;

/// `-buildmode=shared` and `-linkshared`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shared {
    /// Packages are put into a library.
    pub makes: bool,
    /// Libraries that packages were put into are linked; how to read them.
    pub links: Option<ReadLibrary>,
    /// The target has an FPU that is not always there, so that every library needs `math`.
    pub soft_float: bool,
}

impl Loader<'_> {
    /// The name of the library that a package was put into: a file beside its archive says so.
    pub(super) fn library_of(&self, target_root: &Utf8Path, path: &str) -> Option<String> {
        self.options.shared.links?;
        let file = target_root.join(format!("{path}.shlibname"));
        let name = self.modules.index().files().read(file).ok()?;
        Some(String::from_utf8_lossy(&name).trim().to_owned())
    }

    /// Loads what libraries take in beside what was named.
    ///
    /// # Errors
    /// A library cannot be read.
    pub(super) fn load_libraries(&mut self) -> Result<(), ModError> {
        let shared = self.options.shared;
        if !shared.makes && shared.links.is_none() {
            return Ok(());
        }
        // A library is always linked by the host's linker, which needs runtime/cgo.
        let mut wanted = vec!["runtime/cgo"];
        wanted.extend(shared.soft_float.then_some("math"));
        let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        let linked = self.options.linker_deps.clone();
        self.follow(&[wanted.clone(), linked.clone()].concat());
        self.set.libraries.implied = wanted.iter().map(|path| self.root(path)).collect();
        self.set.libraries.linked = linked.iter().map(|path| self.root(path)).collect();
        match shared.links {
            Some(read) => self.load_known(read),
            None => Ok(()),
        }
    }

    /// What is in a library may lead to others.
    fn load_known(&mut self, read: ReadLibrary) -> Result<(), ModError> {
        let mut known: BTreeMap<String, Vec<PackageId>> = BTreeMap::new();
        let mut next = 0;
        while let Some(package) = self.set.packages.get(next) {
            let library = package.public.shlib.clone();
            next += 1;
            if library.is_empty() || known.contains_key(&library) {
                continue;
            }
            let paths = read(Utf8Path::new(&library)).map_err(|error| {
                let reason = steady_system::describe_io(&error);
                ModError::Plain(format!("readELFNote failed: {library}: {reason}"))
            })?;
            self.follow(&paths);
            let ids = paths.iter().map(|path| self.root(path)).collect();
            known.insert(library, ids);
        }
        self.set.libraries.known = known;
        Ok(())
    }
}

//! The first pass: following imports in waves.

use super::Loader;
use crate::modload::{ImportError, ModError, Resolved};
use crate::source::PackageSource;
use camino::Utf8PathBuf;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use steady_module::{ModuleVersion, gover};

/// An import path as written, and where it was written as far as that matters.
pub(super) type Key = (String, Origin);

/// Where an import is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// On the command line, or in a module.
    Module,
    /// In the standard library, which has vendored packages of its own.
    Std,
    /// In the distribution's programs, which have others.
    Cmd,
    /// In a directory, in GOPATH mode: vendor directories above it count.
    Dir(Utf8PathBuf),
}

/// Where an import leads and what is there.
#[derive(Debug)]
pub(super) struct Found {
    pub place: Arc<Result<Resolved, ImportError>>,
    pub source: Arc<PackageSource>,
}

/// Where imports led, for several loads over the same modules.
#[derive(Debug, Default)]
pub struct Places(Mutex<HashMap<Key, Arc<Result<Resolved, ImportError>>>>);

impl Places {
    fn known(&self, key: &Key) -> Option<Arc<Result<Resolved, ImportError>>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    fn learn(&self, key: &Key, place: &Arc<Result<Resolved, ImportError>>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(key.clone(), Arc::clone(place));
    }
}

impl Found {
    /// Where it is, or why it is nowhere.
    pub(super) fn place(&self) -> Result<&Resolved, &ImportError> {
        (*self.place).as_ref()
    }

    /// Where this package's imports are written.
    pub(super) fn origin(&self, gopath: bool) -> Origin {
        match self.place() {
            Ok(place) if gopath => Origin::Dir(place.dir.clone()),
            Ok(place) if place.module.is_none() && place.path.starts_with("cmd/") => Origin::Cmd,
            Ok(place) if place.module.is_none() => Origin::Std,
            _ => Origin::Module,
        }
    }
}

impl Loader<'_> {
    /// Looks at `paths` and everything they import.
    pub(super) fn follow(&mut self, paths: &[String]) {
        let wave = paths
            .iter()
            .map(|path| (path.clone(), self.outer()))
            .collect();
        self.follow_keys(wave, |source| source.imports.to_names());
    }

    fn follow_keys(&mut self, mut wave: Vec<Key>, imports: impl Fn(&PackageSource) -> Vec<String>) {
        let gopath = !self.modules.enabled();
        while !wave.is_empty() {
            let mut seen = HashSet::new();
            wave.retain(|key| {
                key.0 != "C"
                    && key.0 != "unsafe"
                    && !self.found.contains_key(key)
                    && seen.insert(key.clone())
            });
            let answers = self.look_at(&wave);
            let mut next = Vec::new();
            for (key, found) in wave.into_iter().zip(answers) {
                if !self.options.find && !self.is_leaf(&found) {
                    let origin = found.origin(gopath);
                    next.extend(
                        imports(&found.source)
                            .into_iter()
                            .map(|import| (import, origin.clone())),
                    );
                    next.extend(
                        self.implied(&found.source)
                            .into_iter()
                            .map(|import| (import, origin.clone())),
                    );
                }
                self.found.insert(key, Arc::new(found));
            }
            wave = next;
        }
    }

    /// What a package imports is not followed: the standard library is whole where it is only looked at.
    pub(super) fn is_leaf(&self, found: &Found) -> bool {
        let within = |place: &Resolved| place.module.is_none();
        let is_ours = |module| self.modules.main(module).is_some();
        self.options.only_look
            && self.modules.enabled()
            && found.place().is_ok_and(within)
            && !["std", "cmd"].into_iter().any(is_ours)
    }

    /// Resolves and evaluates in parallel: most of the time goes into reading directories.
    fn look_at(&self, wave: &[Key]) -> Vec<Found> {
        let threads = steady_system::processors().min(wave.len());
        if threads < 2 || wave.len() < 4 {
            return wave.iter().map(|key| self.look(key)).collect();
        }
        let next = AtomicUsize::new(0);
        let mut answers: Vec<(usize, Found)> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let mut mine = Vec::new();
                        while let Some((at, key)) = Some(next.fetch_add(1, Ordering::Relaxed))
                            .and_then(|at| Some((at, wave.get(at)?)))
                        {
                            mine.push((at, self.look(key)));
                        }
                        mine
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_default())
                .collect()
        });
        answers.sort_by_key(|(at, _)| *at);
        answers.into_iter().map(|(_, found)| found).collect()
    }

    /// Where names of the command line are written.
    pub(super) fn outer(&self) -> Origin {
        if self.modules.enabled() {
            Origin::Module
        } else {
            Origin::Dir(self.modules.config().cwd.clone())
        }
    }

    fn look(&self, key: &Key) -> Found {
        let places = self.options.places.as_ref();
        let place = places
            .and_then(|places| places.known(key))
            .unwrap_or_else(|| {
                let place = Arc::new(self.locate(key));
                if let Some(places) = places {
                    places.learn(key, &place);
                }
                place
            });
        let source = match &*place {
            Ok(place) if self.modules.is_prebuilt(place) => Arc::default(),
            Ok(place) => {
                let index = self.modules.index();
                let source = index.package(&place.dir, &self.context);
                if places.is_none() {
                    index.forget(&place.dir); // no other load asks, and this one has what it wants
                }
                source
            }
            Err(_) => Arc::default(),
        };
        Found { place, source }
    }

    fn locate(&self, (path, origin): &Key) -> Result<Resolved, ImportError> {
        match origin {
            Origin::Dir(dir) => self.resolve_in_gopath(path, dir),
            Origin::Module => self.modules.resolve(path, None),
            Origin::Std => self.modules.resolve(path, Some("vendor")),
            Origin::Cmd => self.modules.resolve(path, Some("cmd/vendor")),
        }
    }

    /// The answer for one import; a wave has usually asked for it already.
    pub(super) fn found(&mut self, path: &str, origin: &Origin) -> Arc<Found> {
        let key = (path.to_string(), origin.clone());
        if let Some(found) = self.found.get(&key) {
            return Arc::clone(found);
        }
        let found = Arc::new(self.look(&key));
        self.found.insert(key, Arc::clone(&found));
        found
    }

    /// `all`: the packages of the main modules, what they import, what their tests import, and what that imports.
    pub(super) fn follow_all(&mut self, mains: &[String]) -> Vec<String> {
        let mut all: std::collections::BTreeSet<String> = std::collections::BTreeSet::new();
        // A directory whose name cannot stand in an import path holds no package of `all`.
        let mut queue: Vec<Key> = mains
            .iter()
            .filter(|path| steady_module::path::check_import_path(path).is_ok())
            .map(|path| (path.clone(), self.outer()))
            .collect();
        let mut seen: HashSet<Key> = HashSet::new();
        let every_test = self.modules.all_has_tests();
        while let Some(key) = queue.pop() {
            if key.0 == "C" || !seen.insert(key.clone()) {
                continue;
            }
            if key.0 == "unsafe" {
                all.insert(key.0);
                continue;
            }
            let found = self.found(&key.0, &key.1);
            let path = found
                .place()
                .map_or_else(|_| key.0.clone(), |place| place.path.clone());
            let is_main = found.place().is_ok_and(|place| {
                place.module.as_ref().is_some_and(|module| {
                    module.version.is_empty() && self.modules.main(&module.path).is_some()
                })
            });
            if found
                .source
                .error
                .as_ref()
                .is_none_or(|error| !error.is_no_go())
            {
                all.insert(path);
            }
            let tests = (is_main || every_test).then(|| {
                found
                    .source
                    .test_imports
                    .keys()
                    .chain(found.source.x_test_imports.keys())
            });
            let imports = found
                .source
                .imports
                .keys()
                .chain(tests.into_iter().flatten());
            queue.extend(imports.map(|import| (import.to_owned(), found.origin(false))));
        }
        all.into_iter().collect()
    }

    /// Holds go.mod against what is loaded from these roots.
    pub(super) fn must_agree(&mut self, roots: &[String]) -> Result<(), ModError> {
        if !self.modules.enabled() || self.options.find {
            return Ok(());
        }
        let failures = self.found.values().filter_map(|found| {
            let cause = found.place().err()?.cause()?;
            Some((cause.too_new()?, cause))
        });
        let newest = failures.max_by(|(a, _), (b, _)| {
            gover::compare(&a.go_version, &b.go_version).then_with(|| b.what.cmp(&a.what))
        });
        if let Some((_, error)) = newest {
            return Err(error.clone());
        }
        let (used, direct) = self.used_modules(roots);
        self.modules.must_agree(&used)?;
        self.modules.learn_direct(direct);
        Ok(())
    }

    /// The modules of packages that were named, and of those that main modules import however far away; tests count if they are asked
    /// for. With the paths of those that a main module imports from directly.
    fn used_modules(&self, roots: &[String]) -> (HashSet<ModuleVersion>, BTreeSet<String>) {
        let mut used = HashSet::new();
        let mut direct = BTreeSet::new();
        let mut queue: Vec<(&str, bool)> = roots.iter().map(|path| (&**path, false)).collect();
        let mut seen: HashSet<(&str, bool)> = queue.iter().copied().collect();
        let named: HashSet<&str> = roots.iter().map(String::as_str).collect();
        while let Some((path, in_all)) = queue.pop() {
            // The standard library is nobody's requirement.
            let Some(found) = self.found.get(&(path.to_string(), Origin::Module)) else {
                continue;
            };
            let Ok(Some(module)) = found.place().map(|place| place.module.as_ref()) else {
                continue;
            };
            let is_main = module.version.is_empty() && self.modules.main(&module.path).is_some();
            let in_all = in_all || is_main;
            let is_root = named.contains(path);
            if !is_main && !module.path.is_empty() && (in_all || is_root) {
                used.insert(module.clone());
            }
            let source = &found.source;
            let tests = (self.options.tests && is_root && is_main).then(|| {
                source
                    .test_imports
                    .keys()
                    .chain(source.x_test_imports.keys())
            });
            for import in source.imports.keys().chain(tests.into_iter().flatten()) {
                if is_main && let Some(path) = self.module_path_of(import) {
                    direct.insert(path);
                }
                if seen.insert((import, in_all)) {
                    queue.push((import, in_all));
                }
            }
        }
        (used, direct)
    }

    fn module_path_of(&self, import: &str) -> Option<String> {
        let found = self.found.get(&(import.to_string(), Origin::Module))?;
        let module = found.place().ok()?.module.as_ref()?;
        (!module.path.is_empty()).then(|| module.path.clone())
    }
}

//! Package loading: from patterns to a [`PackageSet`] in which every package knows its imports, its module and what is wrong with it.
//!
//! Two passes. The first follows imports in waves and evaluates directories in parallel (`found`); the second assembles packages
//! one after the other, depth first, because errors carry the way that led to them (`assemble`). What the second pass asks for is
//! there already. Around it stand `shape` (what is known of a package before its imports are), `wrong` (what is wrong with it) and
//! `refuse` (who must not import it).

mod assemble;
mod buildinfo;
mod cover;
mod found;
mod gopath;
mod libraries;
mod pgo;
mod refuse;
mod repository;
mod select;
mod shape;
mod targets;
mod test_set;
mod testmain;
mod way;
mod wrong;

pub use buildinfo::StampSettings;
pub use cover::{Cover, Covered};
pub use found::Places;
pub use libraries::{ReadLibrary, Shared};
pub use pgo::Profile;
pub use repository::{Repository, VcsStamp, WorkingTree};
pub use select::matches;
pub use targets::exec_name;
pub use test_set::TestSet;

use crate::modload::{ImportError, ModError, Modules};
use crate::package::{Package, PackageError, PackageId, PackageSet};
use crate::patterns::{Match, clean_patterns};
use crate::source::BuildContext;
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What loading is to do.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `list -find`: imports are not followed.
    pub find: bool,
    /// Main packages are stamped with build info.
    pub stamp: bool,
    /// What is stamped.
    pub stamp_settings: StampSettings,
    /// Packages that every program links beside `runtime`: `runtime/cgo`, `runtime/race` and their kin.
    pub linker_deps: Vec<String>,
    /// Why no program can be linked, empty if programs can.
    pub linker_refusal: String,
    /// `GODEBUG=installgoroot=all`: packages of the standard library are installed like others.
    pub install_goroot: bool,
    /// GOBIN, empty if not set.
    pub gobin: String,
    /// Ending of programs: `.exe` or nothing.
    pub exe_suffix: String,
    /// The target is not this machine.
    pub cross: bool,
    /// `-buildmode` other than `default` and `exe` that makes no program.
    pub library_mode: bool,
    /// Packages that have tests get a program that runs them.
    pub tests: bool,
    /// Whether all is there is what is asked, and nothing can be built of the answer: packages do not list all that they depend on, no
    /// copies are made of what lies between a test and what it tests, and programs of tests have no text.
    pub only_look: bool,
    /// Where imports led in other loads over the same modules.
    pub places: Option<Arc<Places>>,
    /// Packages are instrumented to count what is executed.
    pub cover: Option<Cover>,
    /// Packages are instrumented for the fuzzer, but for these.
    pub fuzz: Option<Vec<String>>,
    /// Which files are embedded is not asked.
    pub skip_embeds: bool,
    /// Links to files may be embedded (`GODEBUG=embedfollowsymlinks=1`).
    pub embed_links: bool,
    /// GOFIPS140 is something other than `off`: programs start in FIPS 140 mode.
    pub fips140: bool,
    /// Shared libraries of packages.
    pub shared: Shared,
    /// `-pkgdir`: the directory that archives are installed in; empty: one of the tree.
    pub pkgdir: Utf8PathBuf,
    /// Which profile compilers get.
    pub profile: Profile,
}

/// What was loaded.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Every package met.
    pub set: PackageSet,
    /// Those that the patterns name, in their order, each once.
    pub roots: Vec<PackageId>,
    /// The patterns with what they matched.
    pub matches: Vec<Match>,
    /// The tests of those roots that have any, if they were asked for.
    pub tests: Vec<TestSet>,
    /// Packages that are instrumented because patterns say so.
    pub covered: Covered,
    /// Modules are missing that could have what is imported.
    pub missing: bool,
}

impl Loaded {
    /// Roots and everything they import, dependencies first, in the order of `go list -deps`.
    #[must_use]
    pub fn with_dependencies(&self) -> Vec<PackageId> {
        self.set.with_dependencies(&self.roots)
    }

    /// All errors that keep the roots from being built, each once, in the order in which go prints them.
    #[must_use]
    pub fn errors(&self) -> Vec<PackageError> {
        let mut seen = HashSet::new();
        let all = self.with_dependencies().into_iter();
        all.filter_map(|id| self.set[id].public.error.clone())
            .filter(|error| seen.insert(error.to_string()))
            .collect()
    }
}

/// Loads packages; one for each run.
pub struct Loader<'m> {
    modules: &'m Modules,
    context: Arc<BuildContext>,
    options: LoadOptions,
    found: HashMap<found::Key, Arc<found::Found>>,
    set: PackageSet,
    by_path: HashMap<String, PackageId>,
    folded: HashMap<String, String>,
    module_infos: HashMap<steady_module::ModuleVersion, Arc<crate::package::ModulePublic>>,
    godebug: std::sync::OnceLock<crate::godebug::GodebugTable>,
    /// Sources of packages that files on the command line make.
    given: HashMap<PackageId, Arc<crate::source::PackageSource>>,
    /// What the patterns of `-coverpkg` have chosen.
    covered: Vec<PackageId>,
    missing: bool,
    /// In GOPATH mode the directories whose import paths do not hold all their letters.
    outside_dirs: std::sync::Mutex<HashMap<String, Utf8PathBuf>>,
}

impl<'m> Loader<'m> {
    /// A loader over modules, for one build configuration.
    #[must_use]
    pub fn new(modules: &'m Modules, context: BuildContext, options: LoadOptions) -> Loader<'m> {
        Loader {
            modules,
            context: Arc::new(context),
            options,
            found: HashMap::new(),
            set: PackageSet::default(),
            by_path: HashMap::new(),
            folded: HashMap::new(),
            module_infos: HashMap::new(),
            godebug: std::sync::OnceLock::new(),
            given: HashMap::new(),
            covered: Vec::new(),
            missing: false,
            outside_dirs: std::sync::Mutex::default(),
        }
    }

    /// Loads what patterns name. Files (`x.go`) make one package of their own.
    ///
    /// # Errors
    /// Only what keeps every pattern from being matched; what is wrong with a package stands in it.
    pub fn load(mut self, patterns: &[String]) -> Result<Loaded, ModError> {
        let files = self.modules.index().files().clone();
        if patterns
            .iter()
            .any(|pattern| pattern.ends_with(".go") && files.is_file(pattern))
        {
            let root = self.load_files(patterns)?;
            self.load_libraries()?;
            self.attach_profiles(&[root]);
            let covered = self.mark_covered(&[root]);
            self.mark_fuzzed(&[root]);
            self.covered.clone_from(&covered.packages);
            let tests = self.tests_of(&[root]);
            self.finish(&[root]);
            return Ok(Loaded {
                tests,
                covered,
                missing: self.missing,
                set: self.set,
                roots: vec![root],
                matches: Vec::new(),
            });
        }
        self.modules.must_select_roots()?;
        let mut matches = Vec::new();
        for pattern in clean_patterns(patterns) {
            let gopath = !self.modules.enabled();
            let mut found = if gopath {
                self.match_in_gopath(&pattern)
            } else {
                self.modules.match_pattern(&pattern, &self.context)?
            };
            if pattern == "all" && !gopath {
                found.packages = self.follow_all(&found.packages);
            }
            matches.push(found);
        }
        let mut wanted: Vec<String> = Vec::new();
        let mut patterns_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for found in &matches {
            for path in &found.packages {
                let known = patterns_of.entry(path.clone()).or_default();
                if known.is_empty() {
                    wanted.push(path.clone());
                }
                known.push(found.pattern.clone());
            }
        }
        self.follow(&wanted);
        self.check_sums()?;
        self.must_agree(&wanted)?;
        // From here on it is known what the directories hold.
        if !self.options.only_look {
            self.modules.index().save();
            self.modules.index().release();
        }
        let mut roots = Vec::new();
        self.set.packages.reserve(self.found.len());
        for found in &matches {
            self.load_match(found, &patterns_of, &mut roots);
        }
        self.load_libraries()?;
        self.attach_profiles(&roots);
        let covered = self.mark_covered(&roots);
        self.mark_fuzzed(&roots);
        self.covered.clone_from(&covered.packages);
        let tests = self.tests_of(&roots);
        self.name_vendored_test_imports(&roots);
        self.finish(&roots);
        Ok(Loaded {
            set: self.set,
            roots,
            matches,
            tests,
            covered,
            missing: self.missing,
        })
    }

    /// Where anything is not what go.sum says, nothing is loaded.
    fn check_sums(&self) -> Result<(), ModError> {
        let failures = self.found.values().filter_map(|found| match found.place() {
            Err(ImportError::Other(error)) => Some(error),
            _ => None,
        });
        let mut mismatches = failures.filter(|error| error.sum_mismatch().is_some());
        mismatches
            .next()
            .map_or(Ok(()), |error| Err((**error).clone()))
    }

    fn load_match(
        &mut self,
        found: &Match,
        patterns_of: &BTreeMap<String, Vec<String>>,
        roots: &mut Vec<PackageId>,
    ) {
        for path in &found.packages {
            let id = self.root(path);
            // A wildcard takes no directories in which this configuration leaves no files.
            let no_go = self.set[id]
                .public
                .error
                .as_ref()
                .is_some_and(|error| error.is_no_go);
            if no_go && !found.is_literal() {
                continue;
            }
            let package = &mut self.set[id];
            package.internal.cmdline_pkg = true;
            package.internal.cmdline_pkg_literal |= found.is_literal();
            if !roots.contains(&id) {
                package.public.r#match = patterns_of.get(path).cloned().unwrap_or_default();
                roots.push(id);
            }
        }
        for error in &found.errors {
            let mut package = Package::default();
            package.public.import_path.clone_from(&found.pattern);
            package.public.incomplete = true;
            package.public.r#match = vec![found.pattern.clone()];
            let err = if found.is_literal() {
                error.to_string()
            } else {
                found.error_text(&error.to_string())
            };
            if let Some(dir) = &found.bare {
                package.public.dir = dir.to_string();
            }
            package.public.error = Some(PackageError {
                err,
                is_no_go: found.bare.is_some(),
                ..PackageError::default()
            });
            package.internal.cmdline_pkg = true;
            roots.push(self.set.add(package));
        }
    }

    /// The package that stands for a file that is no Go file.
    fn no_go_file(&mut self, file: &str) -> PackageId {
        let mut package = Package::default();
        package.public.name = file.to_string();
        package.public.incomplete = true;
        package.public.error = Some(PackageError {
            err: format!("named files must be .go files: {file}"),
            ..PackageError::default()
        });
        package.internal.local = true;
        package.internal.cmdline_files = true;
        self.set.add(package)
    }

    /// Whether these are files of one directory, and which.
    fn load_files(&mut self, files: &[String]) -> Result<PackageId, ModError> {
        let base = self.modules.index().files().clone();
        let mut dir: Option<Utf8PathBuf> = None;
        let mut names = Vec::new();
        for file in files {
            let plain = |text: String| Err(ModError::Plain(text));
            if !file.ends_with(".go") {
                return Ok(self.no_go_file(file));
            }
            let path = base.absolute(file);
            match base.stat(&path) {
                Err(error) => return plain(format!("stat {file}: {}", error.cause())),
                Ok(found) if found.is_dir() => {
                    return plain(format!("{file} is a directory, should be a Go file"));
                }
                Ok(_) => {}
            }
            let parent = path.parent().map(Utf8PathBuf::from).unwrap_or_default();
            if dir.get_or_insert_with(|| parent.clone()) != &parent {
                let typed = |file: &str| match file.rsplit_once('/') {
                    Some((dir, _)) => steady_system::clean(dir.into()).into_string(),
                    None => ".".to_string(),
                };
                let (first, other) = (typed(&files[0]), typed(file));
                return plain(format!(
                    "named files must all be in one directory; have {first} and {other}"
                ));
            }
            names.push(path.file_name().unwrap_or_default().to_string());
        }
        let dir = dir.unwrap_or_default();
        Ok(self.assemble_files(&dir, &names))
    }
}

/// Why no package can have a path, whatever directories there are.
fn refused_path(path: &str) -> Option<String> {
    if path.starts_with("mod/") {
        Some(format!("disallowed import path {path:?}"))
    } else if path.contains('@') {
        let text =
            "can only use path@version syntax with 'go get' and 'go install' in module-aware mode";
        Some(text.to_string())
    } else {
        None
    }
}

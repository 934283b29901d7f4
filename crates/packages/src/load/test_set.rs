//! Packages with their tests: the program that runs them, and copies of what depends on the package under test.
//!
//! A package `p` with tests becomes up to three packages: `p` compiled with its test files, the external test `p_test`, and the
//! program `p.test`. Whatever lies between them and imports `p` is compiled once more against `p` with its tests.

use super::testmain::{TestCover, TestDeps, TestMain};
use super::way::{Importer, Stack};
use super::{Cover, Loader};
use crate::index::NoFunctions;
use crate::package::{Package, PackageError, PackageId};
use crate::reached::Reached;
use crate::source::{PackageSource, Position};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// What the program imports besides the tests.
const OF_PROGRAM: [&str; 4] = ["os", "reflect", "testing", "testing/internal/testdeps"];

/// What the program imports when something is counted.
const OF_COVERAGE: &str = "internal/coverage/cfile";

/// The name of the file that the program consists of.
pub(super) const TESTMAIN: &str = "_testmain.go";

/// The tests of one package.
#[derive(Debug, Clone, Copy)]
pub struct TestSet {
    /// The package under test.
    pub package: PackageId,
    /// The program that runs the tests.
    pub main: PackageId,
    /// The package with its test files; `package` itself if it has none.
    pub inner: PackageId,
    /// The external test.
    pub external: Option<PackageId>,
}

impl TestSet {
    /// The set's packages besides the one under test: program, package with tests, external test.
    pub fn members(&self) -> impl Iterator<Item = PackageId> + use<> {
        let inner = Some(self.inner).filter(|inner| *inner != self.package);
        [Some(self.main), inner, self.external]
            .into_iter()
            .flatten()
    }
}

/// Files of tests beside the package's own.
struct Half {
    ids: Vec<PackageId>,
    raw: Vec<String>,
    error: Option<PackageError>,
    incomplete: bool,
    embedded: BTreeMap<String, Vec<String>>,
    embed_files: Vec<String>,
}

impl Loader<'_> {
    /// The tests of those packages that have any, if they are asked for.
    pub(super) fn tests_of(&mut self, roots: &[PackageId]) -> Vec<TestSet> {
        if !self.options.tests {
            return Vec::new();
        }
        let with_tests: Vec<PackageId> = roots
            .iter()
            .copied()
            .filter(|id| {
                let public = &self.set[*id].public;
                !public.test_go_files.is_empty() || !public.x_test_go_files.is_empty()
            })
            .collect();
        let mut ahead: Vec<String> = OF_PROGRAM.map(str::to_string).to_vec();
        ahead.extend(self.counted().map(|_| OF_COVERAGE.to_string()));
        ahead.extend(self.options.linker_deps.iter().cloned());
        for id in &with_tests {
            let public = &self.set[*id].public;
            if !public.standard {
                ahead.extend(public.test_imports.iter().cloned());
                ahead.extend(public.x_test_imports.iter().cloned());
            }
        }
        self.follow(&ahead);
        let sets: Vec<TestSet> = with_tests.into_iter().map(|id| self.tests(id)).collect();
        if self.options.only_look {
            self.find_cycles(&sets);
        }
        sets
    }

    /// Finds the tests that import what imports them where nothing was copied.
    fn find_cycles(&mut self, sets: &[TestSet]) {
        let reached = Reached::of(&self.set);
        for tests in sets {
            let (inner, real) = (tests.inner, tests.package);
            let closes = |import: &PackageId| *import == real || reached.has(*import, real);
            let public = &self.set[inner].public;
            if inner == real || public.error.is_some() {
                continue;
            }
            if self.set[inner].internal.imports.iter().any(closes)
                && let Some(error) = self.cycle(inner, real)
            {
                let public = &mut self.set[inner].public;
                public.error = Some(error);
                public.incomplete = true;
            }
        }
    }

    fn source_of(&mut self, id: PackageId) -> Arc<PackageSource> {
        let internal = &self.set[id].internal;
        if let Some(source) = self.given.get(&id) {
            return Arc::clone(source);
        }
        let path = internal.orig_import_path.clone();
        let outer = self.outer();
        Arc::clone(&self.found(&path, &outer).source)
    }

    fn tests(&mut self, id: PackageId) -> TestSet {
        let source = self.source_of(id);
        let path = self.set[id].public.import_path.clone();
        let inner_half = self.half(id, &source, false);
        let external_half = self.half(id, &source, true);
        let package = self.set[id].clone();
        // Without -coverpkg a package is instrumented for its own tests alone.
        let cover = self.counted().cloned();
        let local = cover.as_ref().is_some_and(|cover| cover.patterns.is_none());
        let has_copy =
            !package.public.test_go_files.is_empty() || package.public.name == "main" || local;
        let inner = if has_copy {
            let copy = with_tests(&package, inner_half);
            self.set.add(copy)
        } else {
            id
        };
        let external = (!package.public.x_test_go_files.is_empty()).then(|| {
            let external = external_test(&package, external_half, id, inner);
            self.set.add(external)
        });
        let main = self.program(id, &source, inner, external);
        let refusal = &self.options.linker_refusal;
        if !refusal.is_empty() && self.set[main].public.error.is_none() {
            self.set[main].public.error = Some(PackageError {
                err: refusal.clone(),
                ..PackageError::default()
            });
        }
        if !self.options.only_look
            && let Some(error) = self.recompile(main, id, inner, external)
        {
            let public = &mut self.set[inner].public;
            public.error = Some(error);
            public.incomplete = true;
        }
        if let Some(cover) = cover {
            let own = self.set[id].internal.cover_mode.clone();
            self.set[inner].internal.cover_mode = if local { cover.mode } else { own };
            self.set[main].internal.cover_mode = "testmain".to_string();
        }
        debug_assert_eq!(self.set[id].public.import_path, path);
        TestSet {
            package: id,
            main,
            inner,
            external,
        }
    }

    /// Loads what test files import.
    fn half(&mut self, id: PackageId, source: &PackageSource, external: bool) -> Half {
        let package = &self.set[id];
        let (path, dir) = (
            package.public.import_path.clone(),
            package.public.dir.clone(),
        );
        let files_given = package.internal.cmdline_files;
        let (raw, at, patterns) = if external {
            (
                package.public.x_test_imports.clone(),
                &source.x_test_imports,
                &source.x_test_embed_patterns,
            )
        } else {
            (
                package.public.test_imports.clone(),
                &source.test_imports,
                &source.test_embed_patterns,
            )
        };
        let shown = if external {
            format!("{path}_test")
        } else {
            format!("{path} (test)")
        };
        let mut stack = Stack::default();
        stack.push(&shown, None);
        let mut half = Half {
            ids: Vec::new(),
            raw: raw
                .iter()
                .map(|import| short(import, self.set[id].public.standard).to_string())
                .collect(),
            error: None,
            incomplete: false,
            embedded: BTreeMap::new(),
            embed_files: Vec::new(),
        };
        let origin = self.origin_of(id);
        let mut actual = Vec::with_capacity(raw.len());
        for import in &raw {
            if import == "C" {
                actual.push(import.clone());
                continue;
            }
            let written = short(import, self.set[id].public.standard);
            let importer = Importer {
                id,
                path: path.clone(),
                dir: dir.clone(),
                origin: origin.clone(),
                files_given,
                positions: at.get(written),
                written,
                is_test: true,
            };
            let imported = self.import(written, Some(&importer), &mut stack);
            if half.error.is_none() {
                half.error = self.refused(imported, written, &importer, &stack);
            }
            let public = &self.set[imported].public;
            half.incomplete |= public.incomplete;
            actual.push(public.import_path.clone());
            half.ids.push(imported);
        }
        let files = self.modules.index().files();
        let wanted = patterns.keys();
        let wanted = wanted.filter(|_| !self.options.skip_embeds);
        match crate::embed::resolve_with(files, &source.dir, wanted, self.options.embed_links) {
            Ok(embedded) => {
                half.embed_files = embedded.files;
                half.embedded = embedded.patterns;
            }
            Err(error) if half.error.is_none() || !external => {
                let at = patterns.get(&error.pattern).first();
                half.error = Some(PackageError {
                    import_stack: stack.paths(),
                    pos: at.map_or_else(String::new, |at| self.shown(at)),
                    err: error.to_string(),
                    ..PackageError::default()
                });
            }
            Err(_) => {}
        }
        half.incomplete |= half.error.is_some();
        let public = &mut self.set[id].public;
        if external {
            public.x_test_imports = actual;
            public.x_test_embed_files.clone_from(&half.embed_files);
        } else {
            public.test_imports = actual;
            public.test_embed_files.clone_from(&half.embed_files);
        }
        half
    }

    /// The program that runs the tests.
    fn program(
        &mut self,
        real: PackageId,
        source: &PackageSource,
        inner: PackageId,
        external: Option<PackageId>,
    ) -> PackageId {
        self.stamp_with_settings(real);
        let package = &self.set[real].clone();
        let path = &package.public.import_path;
        let mut main = Package::default();
        main.public.name = "main".to_string();
        main.public.dir.clone_from(&package.public.dir);
        main.public.files.go_files = vec![TESTMAIN.to_string()];
        main.public.import_path = format!("{path}.test");
        main.public.root.clone_from(&package.public.root);
        main.public.module.clone_from(&package.public.module);
        main.internal
            .go_version
            .clone_from(&package.internal.go_version);
        main.internal
            .orig_import_path
            .clone_from(&package.internal.orig_import_path);
        main.internal
            .godebugs
            .clone_from(&package.internal.godebugs);
        let of_tests = source
            .test_directives
            .iter()
            .chain(&source.x_test_directives);
        main.internal.godebugs.extend(self.godebugs(of_tests));

        let id = self.set.add(main);
        self.stamp_program(id, package);
        let mut main = self.set[id].clone();
        main.internal
            .pgo_profile
            .clone_from(&package.internal.pgo_profile);

        let mut stack = Stack::default();
        stack.push("testmain", None);
        let mut imports: Vec<String> = OF_PROGRAM.map(str::to_string).to_vec();
        let mut wanted = imports.clone();
        wanted.extend(self.counted().map(|_| OF_COVERAGE.to_string()));
        wanted.extend(self.options.linker_deps.iter().cloned());
        for import in &wanted {
            if *import == self.set[inner].public.import_path {
                main.internal.imports.push(inner);
                continue;
            }
            let imported = self.import(import, None, &mut stack);
            main.public.incomplete |= self.set[imported].public.incomplete;
            main.internal.imports.push(imported);
        }
        let mut test_main = TestMain {
            import_path: match path.as_str() {
                "command-line-arguments" => String::new(),
                path if path.starts_with("_/") => String::new(),
                path => path.to_string(),
            },
            imported: path.clone(),
            module_path: package
                .public
                .module
                .as_ref()
                .map_or_else(String::new, |module| module.path.clone()),
            cover: self.cover_of_program(path),
            ..TestMain::default()
        };
        let files = &self.set[inner].public.files;
        if !files.go_files.is_empty() || !files.cgo_files.is_empty() {
            test_main.imports[0] = true;
            main.internal.imports.push(inner);
            imports.push(self.set[inner].public.import_path.clone());
        }
        if let Some(external) = external {
            test_main.imports[1] = true;
            main.internal.imports.push(external);
            imports.push(self.set[external].public.import_path.clone());
        }
        imports.sort();
        imports.dedup();
        main.internal.raw_imports.clone_from(&imports);
        main.public.imports = imports;
        for imported in &main.internal.imports {
            main.public.incomplete |= self.set[*imported].public.incomplete;
        }
        if let Err((pos, err)) = self.read_functions(package, &mut test_main) {
            main.public.error = Some(PackageError {
                pos,
                err,
                ..PackageError::default()
            });
            main.public.incomplete = true;
        }
        if !self.options.only_look {
            let text = test_main.source(self.test_deps());
            main.internal
                .generated
                .insert(TESTMAIN.to_string(), text.into_bytes());
        }
        self.set[id] = main;
        id
    }

    /// What tests are to count.
    fn counted(&self) -> Option<&Cover> {
        self.options.cover.as_ref().filter(|cover| cover.tests)
    }

    /// What the program knows of coverage.
    fn cover_of_program(&self, tested: &str) -> Option<TestCover> {
        let cover = self.counted()?;
        let (within, packages) = match &cover.patterns {
            None => (String::new(), vec![tested.to_string()]),
            Some(patterns) => {
                let paths = self.covered.iter();
                let paths = paths.map(|id| self.set[*id].public.import_path.clone());
                (format!(" in {}", patterns.join(", ")), paths.collect())
            }
        };
        Some(TestCover {
            mode: cover.mode.clone(),
            within,
            packages,
        })
    }

    /// Stamps the program of a package's tests.
    fn stamp_program(&mut self, id: PackageId, tested: &Package) {
        let info = &tested.internal.build_info;
        if info.is_some() && self.default_godebug(id) == tested.public.default_godebug {
            self.set[id].internal.build_info.clone_from(info);
        }
        // As in go, stamped before it has any imports: the program's modules are not in it.
        self.stamp_with_settings(id);
    }

    fn stamp_with_settings(&mut self, id: PackageId) {
        if self.set[id].public.name == "main" && !self.options.only_look {
            self.set[id].public.default_godebug = self.default_godebug(id);
            if self.options.stamp {
                self.stamp(id);
            }
        }
    }

    /// The functions that tests consist of. An error is a place, or nothing, and what is wrong.
    fn read_functions(
        &self,
        package: &Package,
        into: &mut TestMain,
    ) -> Result<(), (String, String)> {
        let dir = camino::Utf8Path::new(&package.public.dir);
        let lists = [
            &package.public.test_go_files,
            &package.public.x_test_go_files,
        ];
        let mut first = Ok(());
        for (at, list) in lists.into_iter().enumerate() {
            for name in list {
                let path = dir.join(name);
                let known = self.modules.index().functions(&path);
                let found = known.as_ref().as_ref().map_err(|error| match error {
                    NoFunctions::Wrong(error) => {
                        let at = Position {
                            file: path.as_str().into(),
                            line: error.line,
                            column: error.column,
                        };
                        if error.syntax {
                            (self.shown(&at), error.text.clone())
                        } else {
                            (String::new(), format!("{at}: {}", error.text))
                        }
                    }
                    NoFunctions::Unreadable(error) => (String::new(), error.to_string()),
                });
                match found {
                    Ok(functions) => into.functions[at].extend(functions.iter().cloned()),
                    Err(error) => first = first.and(Err(error)),
                }
            }
        }
        if first.is_ok() && into.has_two_mains() {
            let text = "multiple definitions of TestMain".to_string();
            return Err((String::new(), text));
        }
        first
    }

    fn test_deps(&self) -> TestDeps {
        let file = self
            .context
            .goroot
            .join("src/testing/internal/testdeps/deps.go");
        let text = self.modules.index().files().read(file).unwrap_or_default();
        TestDeps::of(&String::from_utf8_lossy(&text))
    }

    /// Compiles what depends on the package under test against the package with its tests. An error: the tests import what imports
    /// them.
    fn recompile(
        &mut self,
        main: PackageId,
        real: PackageId,
        inner: PackageId,
        external: Option<PackageId>,
    ) -> Option<PackageError> {
        let profile = self.set[real].internal.pgo_profile.clone();
        let mut copies: HashMap<PackageId, PackageId> = HashMap::from([(real, inner)]);
        for id in self.set.with_dependencies(&[main]) {
            if id == real {
                continue;
            }
            let own = id == main || id == inner || Some(id) == external;
            let replaced: Vec<PackageId> = self.set[id]
                .internal
                .imports
                .iter()
                .map(|import| copies.get(import).copied().unwrap_or(*import))
                .collect();
            let changed = replaced != self.set[id].internal.imports;
            let is_main = self.set[id].public.name == "main" && id != main && id != inner;
            let profiled = profile != "" && self.set[id].internal.pgo_profile == "";
            if own {
                self.set[id].internal.imports = replaced;
            } else if changed || is_main || profiled {
                let mut copy = self.set[id].clone();
                copy.public
                    .for_test
                    .clone_from(&self.set[real].public.import_path);
                copy.public.target.clear();
                copy.internal.imports = replaced;
                copy.internal.build_info = None;
                copy.internal.force_library = true;
                copy.internal.pgo_profile.clone_from(&profile);
                let copy = self.set.add(copy);
                copies.insert(id, copy);
            }
        }
        self.cycle(inner, real)
    }

    /// The name of the file in which one package imports another. `tested`: what the importer is the copy with tests of.
    fn file_of_import(
        &self,
        importer: PackageId,
        imported: PackageId,
        tested: Option<PackageId>,
    ) -> String {
        let id = tested.unwrap_or(importer);
        let path = &self.set[id].internal.orig_import_path;
        let origins = [self.outer(), self.origin_of(id)];
        let mut found = origins
            .into_iter()
            .filter_map(|origin| self.found.get(&(path.clone(), origin)));
        let source = self.given.get(&id).or_else(|| Some(&found.next()?.source));
        let written = &self.set[imported].public.import_path;
        let at = source.and_then(|source| {
            let in_tests = || source.test_imports.get(written).first();
            let own = source.imports.get(written).first();
            own.or_else(|| tested.and_then(|_| in_tests()))
        });
        let file = at.and_then(|at| camino::Utf8Path::new(&*at.file).file_name());
        file.unwrap_or_default().to_string()
    }

    /// The shortest way from the package with its tests back to itself. Where nothing was copied others import it without its tests.
    fn cycle(&self, inner: PackageId, real: PackageId) -> Option<PackageError> {
        let mut importers: HashMap<PackageId, PackageId> = HashMap::new();
        let mut queue = VecDeque::from([inner]);
        'search: while let Some(id) = queue.pop_front() {
            for &import in &self.set[id].internal.imports {
                let import = if import == real { inner } else { import };
                if let std::collections::hash_map::Entry::Vacant(free) = importers.entry(import) {
                    free.insert(id);
                    if import == inner {
                        break 'search;
                    }
                    queue.push_back(import);
                }
            }
        }
        importers.get(&inner)?;
        let mut way = vec![inner];
        let mut files = Vec::new();
        loop {
            let imported = way[way.len() - 1];
            let importer = importers[&imported];
            let tested = (importer == inner).then_some(real);
            files.push(self.file_of_import(importer, imported, tested));
            way.push(importer);
            if importer == inner {
                break;
            }
        }
        files.push(String::new());
        way.reverse();
        files.reverse();
        Some(PackageError {
            import_stack: way
                .iter()
                .map(|id| self.set[*id].public.import_path.clone())
                .collect(),
            import_files: files,
            err: "import cycle not allowed in test".to_string(),
            is_import_cycle: true,
            ..PackageError::default()
        })
    }
}

/// An import as it is written: in the standard library its vendored packages go by their short names.
fn short(import: &str, standard: bool) -> &str {
    let rest = import.strip_prefix("cmd/").unwrap_or(import);
    match rest.strip_prefix("vendor/") {
        Some(rest) if standard => rest,
        _ => import,
    }
}

/// The package with its test files.
fn with_tests(package: &Package, half: Half) -> Package {
    let mut copy = package.clone();
    let public = &mut copy.public;
    if public.error.is_none() {
        public.error = half.error;
    }
    public.incomplete |= half.incomplete;
    public.for_test.clone_from(&public.import_path);
    public
        .files
        .go_files
        .extend(public.test_go_files.iter().cloned());
    public.target.clear();
    public
        .imports
        .splice(0..0, public.test_imports.iter().cloned());
    public.files.embed_files.extend(half.embed_files);
    let internal = &mut copy.internal;
    internal.imports.splice(0..0, half.ids);
    internal.raw_imports.splice(0..0, half.raw);
    internal.force_library = true;
    internal.build_info = None;
    internal.embed.extend(
        half.embedded
            .into_iter()
            .filter(|(pattern, _)| !package.internal.embed.contains_key(pattern))
            .collect::<Vec<_>>(),
    );
    copy
}

/// The external test.
fn external_test(package: &Package, half: Half, real: PackageId, inner: PackageId) -> Package {
    let mut external = Package::default();
    let public = &mut external.public;
    public.name = format!("{}_test", package.public.name);
    public.import_path = format!("{}_test", package.public.import_path);
    public.root.clone_from(&package.public.root);
    public.dir.clone_from(&package.public.dir);
    public.goroot = package.public.goroot;
    public
        .files
        .go_files
        .clone_from(&package.public.x_test_go_files);
    public.imports.clone_from(&package.public.x_test_imports);
    public.for_test.clone_from(&package.public.import_path);
    public.module.clone_from(&package.public.module);
    public.error = half.error;
    public.incomplete = half.incomplete;
    public.files.embed_files = half.embed_files;
    let internal = &mut external.internal;
    internal
        .local_prefix
        .clone_from(&package.internal.local_prefix);
    internal.go_version.clone_from(&package.internal.go_version);
    internal
        .orig_import_path
        .clone_from(&package.internal.orig_import_path);
    internal
        .pgo_profile
        .clone_from(&package.internal.pgo_profile);
    internal.raw_imports = half.raw;
    internal.embed = half.embedded;
    let tests_it = half.ids.contains(&real);
    internal.imports = half.ids.into_iter().filter(|id| *id != real).collect();
    if tests_it {
        internal.imports.push(inner);
    }
    external
}

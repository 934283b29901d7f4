//! The second pass: one package after the other, depth first, with the way that led there for errors.

use super::Loader;
use super::found::{Found, Origin};
use crate::modload::{ImportError, ModError, Resolved};
use crate::package::{GodebugLine, ModulePublic, Package, PackageError, PackageId, PackagePublic};
use crate::patterns::is_appengine_import;
use crate::reached::Reached;
use crate::source::evaluate::Directive;
use crate::source::{PackageSource, Position, SourceError};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::sync::Arc;

/// Packages of the standard library that cgo itself needs.
const WITHOUT_RUNTIME_CGO: [&str; 1] = ["runtime/cgo"];
const WITHOUT_SYSCALL: [&str; 4] = [
    "runtime/cgo",
    "runtime/race",
    "runtime/msan",
    "runtime/asan",
];

/// What the Go files that cgo makes import.
const OF_CGO: [&str; 3] = ["unsafe", "runtime/cgo", "syscall"];

/// What the Go files that SWIG writes import.
const OF_SWIG: [&str; 4] = ["unsafe", "runtime/cgo", "syscall", "sync"];

/// The way from a package of the command line to the one being loaded.
#[derive(Default)]
pub(super) struct Stack {
    paths: Vec<String>,
    /// Names of the files that import them.
    files: Vec<String>,
}

impl Stack {
    pub(super) fn paths(&self) -> Vec<String> {
        self.paths.clone()
    }

    pub(super) fn push(&mut self, path: &str, importer: Option<&Importer<'_>>) {
        let at = importer.and_then(|importer| importer.positions.first());
        let file = at.and_then(|at| Utf8Path::new(at.file.as_ref()).file_name());
        self.paths.push(path.to_string());
        self.files.push(file.unwrap_or_default().to_string());
    }

    /// Whether this way is shorter than another one, or as long and before it in order. No way at all stays none.
    fn is_shorter(&self, than: &[String]) -> bool {
        !than.is_empty() && (self.paths.len(), &self.paths[..]) < (than.len(), than)
    }

    fn pop(&mut self) {
        self.paths.pop();
        self.files.pop();
    }
}

pub(super) struct Importer<'a> {
    pub id: PackageId,
    pub path: String,
    pub dir: String,
    pub origin: Origin,
    pub files_given: bool,
    pub positions: &'a [Position],
    /// The import as it is written.
    pub written: &'a str,
    /// It stands in a test file.
    pub is_test: bool,
}

impl Loader<'_> {
    /// What a package needs beyond what it imports: for cgo, and for linking a program.
    pub(super) fn implied(&self, source: &PackageSource) -> Vec<String> {
        let mut implied = Vec::new();
        if !source.files.cgo_files.is_empty() {
            implied.extend(OF_CGO.map(str::to_string));
        }
        let swig = [&source.files.swig_files, &source.files.swig_cxx_files];
        if self.context.cgo_enabled && swig.iter().any(|files| !files.is_empty()) {
            implied.extend(OF_SWIG.map(str::to_string));
        }
        if source.name == "main" {
            implied.push("runtime".into());
            implied.extend(self.options.linker_deps.iter().cloned());
        }
        if self.modules.config().prebuilt.is_some() {
            // Such a compiler needs no package of its own for cgo.
            implied.retain(|import| import != "runtime/cgo");
        }
        implied
    }

    /// A package named on the command line.
    pub(super) fn root(&mut self, path: &str) -> PackageId {
        self.import(path, None, &mut Stack::default())
    }

    pub(super) fn import(
        &mut self,
        path: &str,
        importer: Option<&Importer<'_>>,
        stack: &mut Stack,
    ) -> PackageId {
        if path == "unsafe" {
            return self.unsafe_package();
        }
        let origin = importer.map_or_else(|| self.outer(), |importer| importer.origin.clone());
        let found = self.found(path, &origin);
        let actual = found
            .place()
            .map_or(path, |place| place.path.as_str())
            .to_string();
        if let Some(&known) = self.by_path.get(&actual) {
            self.met_again(known, &actual, importer, stack);
            return known;
        }
        let id = self.set.add(Package::default());
        self.by_path.insert(actual.clone(), id);
        self.assemble(id, &actual, &found, importer, stack);
        id
    }

    fn unsafe_package(&mut self) -> PackageId {
        if let Some(&known) = self.by_path.get("unsafe") {
            return known;
        }
        let found = self.found("unsafe", &Origin::Std);
        let id = self.set.add(Package::default());
        self.by_path.insert("unsafe".into(), id);
        self.assemble(id, "unsafe", &found, None, &mut Stack::default());
        id
    }

    /// A package that is met while it is being loaded imports itself; and what is wrong with one is told with the shortest way to it.
    fn met_again(
        &mut self,
        id: PackageId,
        path: &str,
        importer: Option<&Importer<'_>>,
        stack: &mut Stack,
    ) {
        let is_cycle = stack.paths.iter().any(|other| other == path);
        let public = &mut self.set[id].public;
        if !is_cycle && public.error.is_none() {
            return;
        }
        stack.push(path, importer);
        match &mut public.error {
            None => {
                public.error = Some(PackageError {
                    import_stack: stack.paths.clone(),
                    import_files: stack.files.clone(),
                    err: "import cycle not allowed".into(),
                    is_import_cycle: true,
                    ..PackageError::default()
                });
                public.incomplete = true;
            }
            Some(error) if is_cycle || error.is_import_cycle => error.is_import_cycle = true,
            Some(error) if stack.is_shorter(&error.import_stack) => {
                error.import_stack.clone_from(&stack.paths);
                if !error.import_files.is_empty() {
                    error.import_files.clone_from(&stack.files);
                }
            }
            Some(_) => {}
        }
        stack.pop();
    }

    fn assemble(
        &mut self,
        id: PackageId,
        path: &str,
        found: &Arc<Found>,
        importer: Option<&Importer<'_>>,
        stack: &mut Stack,
    ) {
        let mut package = self.shape(path, found);
        if package.public.standard && self.modules.enabled() {
            vendored_in_tests(&mut package.public);
        }
        self.missing |= matches!(found.place(), Err(ImportError::Missing(missing)) if missing.std_dir.is_none());
        let own = self.collision(path, stack);
        let collides = own.is_some();
        let mut error = self.place_error(path, found, importer, stack).or(own);
        if error.is_none() && !self.modules.enabled() {
            error = self.unclean(path, importer, stack);
        }
        package.public.incomplete = error.is_some();
        package.public.error = error;
        self.set[id] = package;
        stack.push(path, importer);
        if found.place().is_ok() && !collides {
            self.embed(id, &found.source, stack);
            if self.check_files(id, stack) {
                if !self.options.find && !self.is_leaf(found) {
                    let origin = found.origin(!self.modules.enabled());
                    self.imports(id, &found.source, &origin, stack);
                }
                self.check_languages(id, stack);
            }
        }
        stack.pop();
    }

    /// Paths such as `a/` lead to a directory and are refused all the same.
    fn unclean(
        &self,
        path: &str,
        importer: Option<&Importer<'_>>,
        stack: &Stack,
    ) -> Option<PackageError> {
        let importer = importer?;
        let written = importer.written;
        let clean = steady_system::clean(Utf8Path::new(written)).into_string();
        if clean == written || crate::patterns::is_local_import(written) {
            return None;
        }
        let mut import_stack = stack.paths.clone();
        import_stack.push(path.to_string());
        Some(PackageError {
            import_stack,
            pos: importer
                .positions
                .first()
                .map_or_else(String::new, |at| self.shown(at)),
            err: format!("non-canonical import path {written:?}: should be {clean:?}"),
            ..PackageError::default()
        })
    }

    /// The tree of a package of the standard library. Of a vendored one whose namesake in a module is loaded too, go shows the
    /// directory of that module.
    fn root_of_std(&mut self, path: &str) -> String {
        let namesake = vendored_path(path).and_then(|short| {
            let found = self.found.get(&(short.to_string(), Origin::Module))?;
            found.place().ok()?.module.clone()
        });
        match namesake {
            Some(module) => self.module_info(&module).dir.clone(),
            None => self.context.goroot.to_string(),
        }
    }

    /// The package as its directory has it.
    fn shape(&mut self, path: &str, found: &Found) -> Package {
        let source = &found.source;
        let mut package = Package::default();
        let public = &mut package.public;
        public.import_path = path.to_string();
        if let Ok(place) = found.place() {
            public.dir = place.dir.to_string();
            let snapshot = self.modules.config().snapshot.as_ref();
            let in_snapshot = snapshot.is_some_and(|snapshot| place.dir.starts_with(&snapshot.dir));
            let mut tree = None;
            if !self.modules.enabled() && path.starts_with("_/") {
                let conflict = self.place_of_dir(&place.dir).conflict;
                public.conflict_dir = conflict.map_or_else(String::new, Utf8PathBuf::into_string);
            } else if !self.modules.enabled() {
                tree = self.in_tree(&place.dir);
            }
            public.goroot = in_snapshot
                || match &tree {
                    Some((tree, _)) => *tree == self.context.goroot,
                    None => place.module.is_none() && self.modules.enabled(),
                };
            public.standard = public.goroot && crate::patterns::is_standard_import_path(path);
            let module = place.module.as_ref().map(|module| self.module_info(module));
            public.root = match &module {
                None if self.modules.enabled() => self.root_of_std(path),
                None => tree.map_or_else(String::new, |(tree, _)| tree.to_string()),
                Some(module) => module.dir.clone(),
            };
            package.internal.local = path.starts_with("_/");
            let public = &mut package.public;
            if let (Some(module), Some(version)) = (&module, &place.module) {
                package.internal.go_version.clone_from(&module.go_version);
                if package.internal.go_version.is_empty() && !self.options.only_look {
                    package.internal.go_version = self.modules.go_version_of(version);
                }
            }
            public.module = module;
        }
        let public = &mut package.public;
        public.name.clone_from(&source.name);
        public.doc.clone_from(&source.doc);
        public.import_comment.clone_from(&source.import_comment);
        public.binary_only = source.binary_only;
        public.files = source.files.clone();
        public.imports = source.imports.keys().cloned().collect();
        public.test_go_files.clone_from(&source.test_go_files);
        public.x_test_go_files.clone_from(&source.x_test_go_files);
        public.test_imports = source.test_imports.keys().cloned().collect();
        public.x_test_imports = source.x_test_imports.keys().cloned().collect();
        public.test_embed_patterns = source.test_embed_patterns.keys().cloned().collect();
        public.x_test_embed_patterns = source.x_test_embed_patterns.keys().cloned().collect();
        if self.options.find {
            // Nobody asks where imports lead.
            for imports in [
                &mut public.imports,
                &mut public.test_imports,
                &mut public.x_test_imports,
            ] {
                imports.clear();
            }
        }
        if !self.context.cgo_enabled {
            let files = &mut public.files;
            for list in [
                &mut files.c_files,
                &mut files.cxx_files,
                &mut files.m_files,
                &mut files.swig_files,
                &mut files.swig_cxx_files,
            ] {
                list.clear();
            }
        }
        if self.context.tool_tags.iter().any(|tag| tag == "msan") {
            // Nobody knows whether such objects were made for the memory sanitizer.
            public.files.syso_files.clear();
        }
        self.note_sources(&mut package, source);
        self.set_target(&mut package);
        package
    }

    /// What of the sources is needed later: imports as written, `//go:debug` lines.
    fn note_sources(&self, package: &mut Package, source: &PackageSource) {
        package
            .internal
            .raw_imports
            .clone_from(&package.public.imports);
        package.internal.orig_import_path = package.public.import_path.clone();
        package.internal.godebugs = self.godebugs(source.directives.iter());
    }

    /// The settings of `//go:debug` lines, with their places.
    pub(super) fn godebugs<'d>(
        &self,
        directives: impl Iterator<Item = &'d Directive>,
    ) -> Vec<GodebugLine> {
        let local = Some(self.modules.config().go_version.as_str());
        directives
            .filter(|line| line.text.starts_with("//go:debug"))
            .filter_map(|line| {
                let setting = match self.godebug_table().parse_line(&line.text, local) {
                    Ok(None) => return None,
                    Ok(Some((key, value))) => Ok((key.to_string(), value.to_string())),
                    Err(error) => Err(error),
                };
                Some(GodebugLine {
                    text: line.text.clone(),
                    position: self.shown(&line.position),
                    setting,
                })
            })
            .collect()
    }

    fn module_info(
        &mut self,
        module: &steady_module::ModuleVersion,
    ) -> Arc<crate::package::ModulePublic> {
        if let Some(known) = self.module_infos.get(module) {
            return Arc::clone(known);
        }
        let info = Arc::new(match self.options.only_look {
            true => self.modules.module_name(module),
            false => self.modules.module_info(module),
        });
        self.module_infos.insert(module.clone(), Arc::clone(&info));
        info
    }

    /// The `go` line of a dependency, which is not read where packages are only looked at.
    fn go_version_of(&self, module: &ModulePublic) -> String {
        if !self.options.only_look {
            return module.go_version.clone();
        }
        let module = steady_module::ModuleVersion::new(&*module.path, &*module.version);
        self.modules.module_info(&module).go_version
    }

    /// A place as messages show it: relative to the working directory if that is shorter.
    pub(super) fn shown(&self, at: &Position) -> String {
        let file = Utf8Path::new(at.file.as_ref());
        let cwd = &self.modules.config().cwd;
        let shown = match steady_system::relative(cwd, file) {
            Some(relative) if relative.as_str().len() < file.as_str().len() => relative.to_string(),
            _ => file.to_string(),
        };
        format!("{shown}:{}:{}", at.line, at.column)
    }

    /// Why there is no package, or none that could be built.
    fn place_error(
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

    /// Why an importer must not have the package, which may be broken in itself.
    fn use_error(
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
    fn vendored_elsewhere(&self, path: &str, dir: &Utf8Path, importer: &str) -> bool {
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
    fn vendored_error(&self, importer: &Importer<'_>, stack: &Stack) -> Option<PackageError> {
        let short = vendored_path(importer.written)?;
        let at = importer.positions.first();
        Some(PackageError {
            import_stack: stack.paths.clone(),
            pos: at.map_or_else(String::new, |at| self.shown(at)),
            err: format!("{} must be imported as {short}", importer.written),
            ..PackageError::default()
        })
    }

    /// The error with what is known about who imports.
    fn import_error(&self, error: &ImportError, importer: Option<&Importer<'_>>) -> ImportError {
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

    fn source_error(
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

    /// Whether a package lies under an `internal` directory that the importer is not allowed to see.
    fn hidden(&self, place: &Resolved, importer: &Importer<'_>) -> bool {
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

    fn collision(&mut self, path: &str, stack: &Stack) -> Option<PackageError> {
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

    fn set_error(&mut self, id: PackageId, stack: &Stack, pos: String, err: String) {
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

    fn embed(&mut self, id: PackageId, source: &PackageSource, stack: &Stack) {
        if source.embed_patterns.is_empty() || self.options.skip_embeds {
            return;
        }
        let patterns = source.embed_patterns.keys().map(String::as_str);
        let files = self.modules.index().files();
        let links = self.options.embed_links;
        match crate::embed::resolve_with(files, &source.dir, patterns, links) {
            Ok(embedded) => {
                let package = &mut self.set[id];
                package.public.files.embed_files = embedded.files;
                package.internal.embed = embedded.patterns;
            }
            Err(error) => {
                let at = source
                    .embed_patterns
                    .get(&error.pattern)
                    .and_then(|at| at.first());
                let pos = at.map_or_else(String::new, |at| self.shown(at));
                self.set_error(id, stack, pos, error.to_string());
            }
        }
    }

    /// Names that no build may have. False: there is one, and the package is not looked at any further.
    fn check_files(&mut self, id: PackageId, stack: &Stack) -> bool {
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
    fn check_languages(&mut self, id: PackageId, stack: &Stack) {
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

    fn imports(
        &mut self,
        id: PackageId,
        source: &PackageSource,
        origin: &Origin,
        stack: &mut Stack,
    ) {
        let (path, dir, files_given) = {
            let package = &self.set[id];
            (
                package.public.import_path.clone(),
                package.public.dir.clone(),
                package.internal.cmdline_files,
            )
        };
        let mut wanted = self.set[id].public.imports.clone();
        let written = wanted.len();
        for implied in self.implied_by(&path, source, self.set[id].public.standard) {
            if !wanted.contains(&implied) {
                wanted.push(implied);
            }
        }
        let mut ids = Vec::with_capacity(wanted.len());
        for (at, import) in wanted.iter().enumerate() {
            if import == "C" {
                continue;
            }
            let positions = source.imports.get(import).map_or(&[][..], Vec::as_slice);
            let importer = Importer {
                id,
                path: path.clone(),
                dir: dir.clone(),
                origin: origin.clone(),
                files_given,
                positions,
                written: import,
                is_test: false,
            };
            let imported = self.import(import, Some(&importer), stack);
            self.refuse(imported, import, &importer, stack);
            self.check_implicit(id, imported);
            let actual = self.set[imported].public.import_path.clone();
            let incomplete = self.set[imported].public.incomplete;
            let public = &mut self.set[id].public;
            public.incomplete |= incomplete;
            if at < written && actual != *import {
                public.imports[at].clone_from(&actual);
                public.import_map.insert(import.clone(), actual);
            }
            let made = |uses: bool, imports: &[&str]| uses && imports.contains(&import.as_str());
            let package = &self.set[id];
            if at >= written
                && (made(package.uses_cgo(), &OF_CGO) || made(package.uses_swig(), &OF_SWIG))
            {
                self.set[id].internal.compiled_imports.push(import.clone());
            }
            ids.push(imported);
        }
        self.set[id].internal.imports = ids;
        let refusal = &self.options.linker_refusal;
        if source.name == "main" && !refusal.is_empty() {
            self.set_error(id, stack, String::new(), refusal.clone());
        }
    }

    /// What a main module imports its go.mod must name.
    fn check_implicit(&mut self, importer: PackageId, imported: PackageId) {
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

    fn implied_by(&self, path: &str, source: &PackageSource, in_std: bool) -> Vec<String> {
        let mut implied = self.implied(source);
        implied.retain(|import| {
            let without: &[&str] = match import.as_str() {
                "runtime/cgo" if !source.files.cgo_files.is_empty() => &WITHOUT_RUNTIME_CGO,
                "syscall" => &WITHOUT_SYSCALL,
                _ => &[],
            };
            !(in_std && without.contains(&path))
        });
        implied
    }

    /// What was loaded for somebody else may still be out of bounds for this importer.
    fn refuse(
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

    /// Where a package's imports are written.
    pub(super) fn origin_of(&self, id: PackageId) -> Origin {
        let public = &self.set[id].public;
        if !self.modules.enabled() {
            return Origin::Dir(public.dir.clone().into());
        }
        match () {
            () if public.goroot && public.import_path.starts_with("cmd/") => Origin::Cmd,
            () if public.goroot => Origin::Std,
            () => Origin::Module,
        }
    }

    fn set_importer_error(&mut self, id: PackageId, error: PackageError) {
        let public = &mut self.set[id].public;
        public.incomplete = true;
        if public.error.is_none() {
            public.error = Some(error);
        }
    }

    /// A package made of files that were named.
    pub(super) fn assemble_files(&mut self, dir: &Utf8Path, names: &[String]) -> PackageId {
        let contents = self.modules.index().dir(dir);
        let mut context = (*self.context).clone();
        context.use_all_files = true;
        let source = match contents {
            Ok(contents) => {
                let mut chosen = (*contents).clone();
                chosen.files.retain(|file| names.contains(&file.name));
                crate::source::evaluate(dir, &chosen, &context)
            }
            Err(error) => PackageSource {
                dir: dir.to_owned(),
                error: Some(error),
                ..PackageSource::default()
            },
        };
        let imports: Vec<String> = source
            .imports
            .keys()
            .cloned()
            .chain(self.implied(&source))
            .collect();
        self.follow(&imports);
        let place = Ok(Resolved {
            module: None,
            dir: dir.to_owned(),
            path: "command-line-arguments".into(),
            others: Vec::new(),
        });
        let found = Arc::new(Found {
            place: Arc::new(place),
            source: Arc::new(source),
        });
        let id = self.set.add(Package::default());
        self.given.insert(id, Arc::clone(&found.source));
        let mut package = self.shape("command-line-arguments", &found);
        package.public.goroot = false;
        package.public.standard = false;
        package.public.root = String::new();
        package.public.target = String::new();
        package.internal.cmdline_files = true;
        package.internal.cmdline_pkg = true;
        package.internal.exe_name = names
            .first()
            .and_then(|name| name.strip_suffix(".go"))
            .unwrap_or_default()
            .to_string();
        self.set_target_of_files(&mut package);
        package.public.r#match = names.to_vec();
        let mut stack = Stack::default();
        let error = self.place_error("command-line-arguments", &found, None, &stack);
        package.public.incomplete = error.is_some();
        package.public.error = error;
        self.set[id] = package;
        stack.push("command-line-arguments", None);
        self.embed(id, &found.source, &stack);
        if self.check_files(id, &stack) {
            if !self.options.find {
                let origin = if self.modules.enabled() {
                    Origin::Module
                } else {
                    Origin::Dir(dir.to_owned())
                };
                self.imports(id, &found.source, &origin, &mut stack);
            }
            self.check_languages(id, &stack);
        }
        id
    }

    /// Fills what needs the whole graph: DepsErrors, GODEBUG defaults, build info.
    pub(super) fn finish(&mut self, roots: &[PackageId]) {
        if self.options.find {
            return;
        }
        for id in self.set.ids() {
            if self.set[id].public.name == "main" && !self.options.only_look {
                self.set[id].public.default_godebug = self.default_godebug(id);
            }
        }
        self.gather_errors();
        if self.options.stamp {
            for &root in roots {
                self.stamp(root);
            }
            for id in self.set.ids() {
                self.stamp(id);
            }
        }
    }

    /// Fills DepsErrors. (Deps are worked out by whoever shows them: lists of all for all would be megabytes.)
    fn gather_errors(&mut self) {
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

/// What a path with a vendor directory in it must be written as.
fn vendored_path(path: &str) -> Option<&str> {
    match path.rfind("/vendor/") {
        Some(at) => Some(&path[at + "/vendor/".len()..]),
        None => path.strip_prefix("vendor/"),
    }
}

/// Tests of the standard library import its vendored packages by their short names.
fn vendored_in_tests(public: &mut PackagePublic) {
    let tree = if public.import_path.starts_with("cmd/") {
        "cmd/"
    } else {
        ""
    };
    for imports in [&mut public.test_imports, &mut public.x_test_imports] {
        for import in imports
            .iter_mut()
            .filter(|import| !crate::patterns::is_standard_import_path(import))
        {
            *import = format!("{tree}vendor/{import}");
        }
    }
}

//! The second pass: one package after the other, depth first, with the way that led there for errors.

use super::Loader;
use super::found::{Found, Origin};
use super::gopath::outside_path;
use super::shape::vendored_in_tests;
use super::way::{Importer, Stack};
use crate::modload::{ImportError, Resolved};
use crate::package::{Package, PackageError, PackageId};
use crate::source::{PackageSource, Position};
use camino::Utf8Path;
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

    fn embed(&mut self, id: PackageId, source: &PackageSource, stack: &Stack) {
        if source.embed_patterns.is_empty() || self.options.skip_embeds {
            return;
        }
        let patterns = source.embed_patterns.keys();
        let files = self.modules.index().files();
        let links = self.options.embed_links;
        match crate::embed::resolve_with(files, &source.dir, patterns, links) {
            Ok(embedded) => {
                let package = &mut self.set[id];
                package.public.files.embed_files = embedded.files;
                package.internal.embed = embedded.patterns;
            }
            Err(error) => {
                let at = source.embed_patterns.get(&error.pattern).first();
                let pos = at.map_or_else(String::new, |at| self.shown(at));
                self.set_error(id, stack, pos, error.to_string());
            }
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
            let positions = source.imports.get(import);
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
            .map(String::from)
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
        package.internal.local = true;
        if !self.modules.enabled() {
            package.internal.local_prefix = outside_path(dir);
        }
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
        self.name_roots_by_namesakes();
        if self.options.stamp {
            for &root in roots {
                self.stamp(root);
            }
            for id in self.set.ids() {
                self.stamp(id);
            }
        }
    }
}

//! What is known of a package before its imports are: names, places, files, settings of its module.

use super::Loader;
use super::found::{Found, Origin};
use super::refuse::vendored_path;
use crate::package::{GodebugLine, ModulePublic, Package, PackagePublic};
use crate::source::PackageSource;
use crate::source::evaluate::Directive;
use camino::Utf8PathBuf;
use std::sync::Arc;

impl Loader<'_> {
    /// Of a package that the standard library vendors, and whose namesake in a module is loaded too, go shows the directory of that
    /// module as the root. Only tests may lead to the namesake, so this is known at the end.
    pub(super) fn name_roots_by_namesakes(&mut self) {
        if !self.modules.enabled() {
            return;
        }
        for id in self.set.ids() {
            let public = &self.set[id].public;
            let Some(short) =
                vendored_path(&public.import_path).filter(|_| public.module.is_none())
            else {
                continue;
            };
            let Some(found) = self.found.get(&(short.to_string(), Origin::Module)) else {
                continue;
            };
            if let Some(module) = found.place().ok().and_then(|place| place.module.clone()) {
                self.set[id].public.root = self.module_info(&module).dir.clone();
            }
        }
    }

    /// The package as its directory has it.
    pub(super) fn shape(&mut self, path: &str, found: &Found) -> Package {
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
                None if self.modules.enabled() => self.context.goroot.to_string(),
                None => tree.map_or_else(String::new, |(tree, _)| tree.to_string()),
                Some(module) => module.dir.clone(),
            };
            if path.starts_with("_/") {
                package.internal.local = true;
                package.internal.local_prefix = path.to_string();
            }
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
        public.imports = source.imports.to_names();
        public.test_go_files.clone_from(&source.test_go_files);
        public.x_test_go_files.clone_from(&source.x_test_go_files);
        public.test_imports = source.test_imports.to_names();
        public.x_test_imports = source.x_test_imports.to_names();
        public.test_embed_patterns = source.test_embed_patterns.to_names();
        public.x_test_embed_patterns = source.x_test_embed_patterns.to_names();
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
    pub(super) fn note_sources(&self, package: &mut Package, source: &PackageSource) {
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

    pub(super) fn module_info(
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
    pub(super) fn go_version_of(&self, module: &ModulePublic) -> String {
        if !self.options.only_look {
            return module.go_version.clone();
        }
        let module = steady_module::ModuleVersion::new(&*module.path, &*module.version);
        self.modules.module_info(&module).go_version
    }
}

/// Tests of the standard library import its vendored packages by their short names.
pub(super) fn vendored_in_tests(public: &mut PackagePublic) {
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

//! `-cover` of `build`, `install`, `run` and `list`: which packages are compiled so that they count what is executed.

use camino::Utf8Path;
use std::collections::HashSet;
use steady_packages::load::Loaded;
use steady_packages::modload::Modules;
use steady_packages::package::{Package, PackageId};

use crate::loading::matches;
use crate::session::Session;

/// What is to be counted.
pub struct Coverage {
    /// `-covermode` as meant.
    pub mode: String,
    /// `-coverpkg`; empty: packages of main modules, and those that were named.
    pub patterns: Vec<String>,
    /// Together with the race detector, which must not be met before it is ready.
    pub race: bool,
}

/// What counting in atomic mode is done with, and what it cannot be done in.
const ATOMIC: [&str; 2] = ["sync/atomic", "internal/runtime/atomic"];

impl Coverage {
    /// Packages that are needed although nobody imports them.
    #[must_use]
    pub fn needs(&self) -> Vec<String> {
        let atomic = (self.mode == "atomic").then(|| ATOMIC[0].to_owned());
        atomic.into_iter().collect()
    }

    /// Marks the packages. A pattern that none of them matches gets a warning.
    pub fn mark(&self, session: &Session, modules: &Modules, loaded: &mut Loaded) {
        let runtime = if self.race {
            runtime_packages(session)
        } else {
            HashSet::new()
        };
        let mut used = vec![false; self.patterns.len()];
        let set = &loaded.set.packages;
        let atomic = set
            .iter()
            .position(|package| package.public.import_path == ATOMIC[0]);
        for id in loaded.with_dependencies() {
            let package = &loaded.set[id];
            let public = &package.public;
            let path = public.import_path.as_str();
            let files = &public.files;
            if !self.wants(package, session, modules, &mut used)
                || path == "unsafe"
                || files.go_files.is_empty() && files.cgo_files.is_empty()
                || self.mode == "atomic" && public.standard && ATOMIC.contains(&path)
            {
                continue;
            }
            let only_known = public.standard && runtime.contains(path);
            let mode = if only_known { "regonly" } else { &self.mode };
            let internal = &mut loaded.set[id].internal;
            mode.clone_into(&mut internal.cover_mode);
            if let Some(at) = atomic.filter(|_| self.mode == "atomic") {
                internal
                    .imports
                    .push(PackageId(u32::try_from(at).unwrap_or(u32::MAX)));
            }
        }
        for (pattern, _) in self.patterns.iter().zip(used).filter(|(_, used)| !used) {
            session.printer.note(format!(
                "warning: no packages being built depend on matches for pattern {pattern}"
            ));
        }
    }

    fn wants(
        &self,
        package: &Package,
        session: &Session,
        modules: &Modules,
        used: &mut [bool],
    ) -> bool {
        if self.patterns.is_empty() {
            let module = package.public.module.as_ref();
            return package.internal.cmdline_files
                || package.internal.cmdline_pkg
                || module.is_some_and(|module| module.main);
        }
        let cwd: &Utf8Path = session.environment().cwd();
        let mut wanted = false;
        for (pattern, used) in self.patterns.iter().zip(used) {
            let matched = matches(pattern, package, cwd, modules);
            *used |= matched;
            wanted |= matched;
        }
        wanted
    }
}

/// The packages that the toolchain counts as parts of the runtime.
fn runtime_packages(session: &Session) -> HashSet<String> {
    let goroot = session.settings.goroot.clone().unwrap_or_default();
    let file = goroot.join("src/cmd/internal/objabi/pkgspecial.go");
    let text = session.files.read_to_string(file).unwrap_or_default();
    let list = text
        .split_once("var runtimePkgs")
        .map_or("", |(_, list)| list);
    let list = list.split_once("\n}").map_or(list, |(list, _)| list);
    let quoted = list
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split_once('"'));
    quoted.map(|(path, _)| path.to_owned()).collect()
}

//! Shared libraries of packages.
//!
//! ```text
//! its packages -> join -> link -> install
//!                              -> a name beside each package's archive
//! ```
//!
//! A link of a library waits for all packages below those it consists of, as that of a program does. With `-linkshared` a link also
//! waits for the libraries that its packages are in: each is looked at, and made anew where it is, if need be. What is put into its
//! place on that occasion is *implicit*: nobody has asked for it.

use camino::Utf8Path;
use std::collections::HashSet;
use steady_packages::package::{PackageId, PackageSet};

use super::{Kind, NodeId, Plan};
use crate::action::{Mode, Root};
use crate::config::BuildConfig;
use crate::modes::Modes;

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl<'a> Plan<'a> {
    /// Plans a library of packages with that file name.
    pub fn for_library(
        packages: &'a PackageSet,
        config: &'a BuildConfig,
        modes: &'a Modes,
        work: &'a str,
        (roots, name): (&[Root], &str),
    ) -> Plan<'a> {
        let mut plan = Plan::empty(packages, config, modes, work);
        let install = roots.iter().any(|root| root.mode == Mode::Install);
        let deps = roots
            .iter()
            .map(|root| plan.compile(root.package, install, false))
            .collect();
        let top = plan.add(Kind::Join, None, deps, String::new());
        plan.root = plan.link_library(name, top, install);
        plan.finish();
        plan
    }

    /// The libraries that `nodes` are in, but for the one with this file name, which is just being made.
    pub(super) fn libraries_of(&mut self, nodes: &[NodeId], made: &str) -> Vec<NodeId> {
        let mut have: HashSet<&str> = HashSet::from([made]);
        let mut found = Vec::new();
        if !self.config.flags.linkshared {
            return found;
        }
        let packages = self.packages;
        for node in nodes {
            let Some(id) = self.nodes[*node].package else {
                continue;
            };
            let library = packages[id].public.shlib.as_str();
            if !library.is_empty() && have.insert(base_name(library)) {
                found.push(self.known_library(library));
            }
        }
        found
    }

    /// A library that is there: its own list says what it consists of.
    fn known_library(&mut self, library: &str) -> NodeId {
        if let Some(node) = self.libraries.get(base_name(library)) {
            return *node;
        }
        let implicit = std::mem::replace(&mut self.implicit, true);
        let packages = self.packages;
        let of_library = packages.libraries.known.get(library);
        let deps = of_library.into_iter().flatten();
        let deps = deps.map(|id| self.compile(*id, true, true)).collect();
        let top = self.add(Kind::Join, None, deps, String::new());
        let node = self.link_library(base_name(library), top, true);
        self.implicit = implicit;
        node
    }

    fn link_library(&mut self, name: &str, top: NodeId, install: bool) -> NodeId {
        let objdir = self.new_objdir();
        let target = format!("{objdir}{name}");
        let node = self.add(Kind::LinkLibrary, None, vec![top], objdir);
        self.nodes[node].target = target;
        self.libraries.insert(name.to_owned(), node);
        if !self.config.flags.compiler.has_prebuilt_std() {
            let packages = self.packages;
            for id in &packages.libraries.implied {
                // Whoever has it in another library has the runtime there too.
                if packages[*id].public.shlib.is_empty() {
                    self.take_in(top, *id, install);
                }
            }
            for id in &packages.libraries.linked {
                self.take_in(node, *id, install);
            }
        }
        let below = self.transitive(top);
        self.nodes[node].deps.extend(below);
        let deps = self.nodes[node].deps.clone();
        let others = self.libraries_of(&deps, name);
        self.nodes[node].deps.extend(others);
        if !install {
            return node;
        }
        let installed = self.install_library(node, top, name);
        self.libraries.insert(name.to_owned(), installed);
        installed
    }

    /// Lets a node depend on a package, if it does not yet.
    fn take_in(&mut self, node: NodeId, id: PackageId, install: bool) {
        let path = &self.packages[id].public.import_path;
        let same = |dep: &NodeId| {
            let package = self.nodes[*dep].package;
            package.is_some_and(|id| self.packages[id].public.import_path == *path)
        };
        if !self.nodes[node].deps.iter().any(same) {
            let dep = self.compile(id, install, install);
            self.nodes[node].deps.push(dep);
        }
    }

    /// Where the archives of all packages go, there goes the library too.
    fn install_library(&mut self, link: NodeId, top: NodeId, name: &str) -> NodeId {
        let packages = self.packages;
        let parts: Vec<PackageId> = self.nodes[top]
            .deps
            .iter()
            .filter_map(|dep| self.nodes[*dep].package)
            .collect();
        let place = |id: PackageId| packages[id].internal.target_root.as_path();
        let mut dir = parts.first().map_or(Utf8Path::new(""), |id| place(*id));
        if let Some(other) = parts.iter().find(|id| place(**id) != dir) {
            let path = |id: PackageId| &packages[id].public.import_path;
            self.refusal.get_or_insert(format!(
                "installing shared library: cannot use packages {} and {} from different roots {dir} and {}",
                path(parts[0]),
                path(*other),
                place(*other)
            ));
        }
        let of_gccgo = dir.join("shlibs");
        if self.config.flags.compiler.has_prebuilt_std() {
            dir = &of_gccgo;
        }
        let mut deps = vec![link];
        for id in parts {
            if place(id).as_str().is_empty() {
                continue;
            }
            let node = self.add(Kind::NameLibrary, Some(id), vec![link], String::new());
            let path = &packages[id].public.import_path;
            self.nodes[node].target = place(id).join(format!("{path}.shlibname")).into_string();
            deps.push(node);
        }
        let objdir = self.nodes[link].objdir.clone();
        let node = self.add(Kind::Install { of_link: false }, None, deps, objdir);
        self.nodes[node].target = dir.join(name).into_string();
        self.nodes[node].implicit = self.implicit;
        node
    }
}

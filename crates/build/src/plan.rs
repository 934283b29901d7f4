//! The graph of actions.
//!
//! A package that is compiled has a node that looks into the cache and a node that builds; one that uses cgo has, between the
//! two, a node that runs cgo, one for every C file, and one that collects them. A program has a node that links, with all
//! packages it is made of as dependencies. A result that goes somewhere has an install node, which takes the place of the node
//! whose result it moves, so that whoever depends on the result waits for the move.
//!
//! The order of dependencies is part of action ids, and post-order is the order in which `-n` prints: both are go's.

use std::collections::{HashMap, HashSet};
use steady_packages::package::{Package, PackageId, PackageSet};

use crate::action::{Mode, Root};
use crate::config::{BuildConfig, Compiler};
use crate::exec::cgo::swig_interfaces;
use crate::modes::Modes;
use crate::release::Release;

mod library;
mod tests;
mod vet;

/// Index of a node in its [`Plan`].
pub(crate) type NodeId = usize;

/// Which compiler a file of a cgo package is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Assembly,
    Cxx,
    Fortran,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only waits for its dependencies.
    Join,
    /// `unsafe`, or a package that the compiler brings compiled: there is nothing to build.
    BuiltIn,
    /// Looks the package of `build` up in the cache.
    CheckCache { build: NodeId },
    /// Compiles a package.
    Build,
    /// Puts a profile into the form that the compiler reads fast.
    Profile { input: String },
    /// Runs the coverage tool over a package's files.
    Cover { build: NodeId },
    /// Runs cgo.
    Cgo,
    /// Compiles one file with the C compiler or its kin.
    CgoCompile { file: String, language: Language },
    /// Waits for all of them.
    CgoCollect,
    /// Links a program.
    Link,
    /// Moves the result of its first dependency to its place.
    Install { of_link: bool },
    /// Links packages to a shared library.
    LinkLibrary,
    /// Writes down which library a package is in.
    NameLibrary,
    /// Writes the header of a C library.
    InstallHeader,
    /// Runs vet over a package; `facts_only` if only packages that import it want to know of it.
    Vet { build: NodeId, facts_only: bool },
    /// Holds a test run back until those before it can start.
    Barrier,
    /// Runs the tests of a package, or says that it has none; `test` is its number.
    TestRun { test: usize },
    /// Removes what the run of a test has left.
    TestClean,
    /// Prints what the run has put out.
    TestPrint { test: usize },
    /// Writes the list of the fragments of coverage meta-data.
    CoverMeta,
}

/// One action.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub kind: Kind,
    pub package: Option<PackageId>,
    pub deps: Vec<NodeId>,
    /// Who depends on this one; filled by [`Plan::finish`].
    pub triggers: Vec<NodeId>,
    /// Directory for intermediate files, with a slash at its end; empty if there are none.
    pub objdir: String,
    /// The file to be made.
    pub target: String,
    /// The program goes into the cache (`go run`).
    pub keep_executable: bool,
    /// Nobody wants the program itself.
    pub discard: bool,
    /// Nobody has asked for what is installed: it is out of date and somebody else needs it.
    pub implicit: bool,
    /// The archive itself is wanted, and not only what is known of it before it is compiled (for vet).
    pub need_build: bool,
    /// Runs also when what it depends on has failed.
    pub ignores_failure: bool,
    /// Runs early if low; filled by [`Plan::finish`].
    pub priority: usize,
}

/// All actions of one build.
pub(crate) struct Plan<'a> {
    packages: &'a PackageSet,
    config: &'a BuildConfig,
    modes: &'a Modes,
    release: Release,
    pub nodes: Vec<Node>,
    pub root: NodeId,
    work: &'a str,
    objdirs: usize,
    builds: HashMap<PackageId, NodeId>,
    links: HashMap<PackageId, NodeId>,
    profiles: HashMap<String, NodeId>,
    targets: HashMap<PackageId, String>,
    vets: HashMap<PackageId, NodeId>,
    libraries: HashMap<String, NodeId>,
    /// What is planned now is what [`Node::implicit`] says.
    implicit: bool,
    /// Why the plan cannot be carried out.
    pub refusal: Option<String>,
    /// The tests that are run, in their order.
    pub tests: Vec<PlannedTest>,
}

pub(crate) use tests::{PlannedTest, Tests, Wanted};

impl<'a> Plan<'a> {
    /// Plans what the roots ask for. Dependencies are installed too if `install_dependencies` (`list` looks at them so).
    pub fn new(
        packages: &'a PackageSet,
        config: &'a BuildConfig,
        modes: &'a Modes,
        work: &'a str,
        roots: &[Root],
        install_dependencies: bool,
    ) -> Plan<'a> {
        let mut plan = Plan::empty(packages, config, modes, work);
        for root in roots {
            if let Some(target) = &root.target {
                plan.targets.insert(root.package, target.to_string());
            }
        }
        let mut deps = Vec::new();
        for root in roots {
            let install = root.mode == Mode::Install;
            let is_main = packages[root.package].public.name == "main";
            deps.push(if is_main && root.mode != Mode::Compile {
                plan.link(root, install_dependencies)
            } else {
                plan.compile(root.package, install, install_dependencies)
            });
        }
        plan.root = if let (
            [only],
            Some(Root {
                target: Some(_), ..
            }),
        ) = (deps.as_slice(), roots.first())
        {
            *only
        } else {
            plan.add(Kind::Join, None, deps, String::new())
        };
        plan.finish();
        plan
    }

    /// A plan without any nodes.
    fn empty(
        packages: &'a PackageSet,
        config: &'a BuildConfig,
        modes: &'a Modes,
        work: &'a str,
    ) -> Plan<'a> {
        Plan {
            packages,
            config,
            modes,
            release: Release::of(&config.toolchain.version),
            nodes: Vec::new(),
            root: 0,
            work,
            objdirs: 0,
            builds: HashMap::new(),
            links: HashMap::new(),
            profiles: HashMap::new(),
            targets: HashMap::new(),
            vets: HashMap::new(),
            libraries: HashMap::new(),
            implicit: false,
            refusal: None,
            tests: Vec::new(),
        }
    }

    fn add(
        &mut self,
        kind: Kind,
        package: Option<PackageId>,
        deps: Vec<NodeId>,
        objdir: String,
    ) -> NodeId {
        self.nodes.push(Node {
            kind,
            package,
            deps,
            triggers: Vec::new(),
            objdir,
            target: String::new(),
            keep_executable: false,
            discard: false,
            implicit: false,
            need_build: false,
            ignores_failure: false,
            priority: 0,
        });
        self.nodes.len() - 1
    }

    fn new_objdir(&mut self) -> String {
        self.objdirs += 1;
        format!("{}/b{:03}/", self.work, self.objdirs)
    }

    /// Where the package's result goes; empty if nowhere.
    pub fn target_of(&self, package: PackageId) -> &str {
        self.targets.get(&package).map_or(
            self.packages[package].public.target.as_str(),
            String::as_str,
        )
    }

    /// The node that really builds, when `node` may be the install node that took its place.
    pub fn build_behind(&self, node: NodeId) -> NodeId {
        match self.nodes[node].kind {
            Kind::Install { .. } => self.nodes[node].deps[0],
            _ => node,
        }
    }

    fn compile(&mut self, id: PackageId, install: bool, install_deps: bool) -> NodeId {
        let node = match self.builds.get(&id) {
            Some(node) => *node,
            None => self.new_build(id, install_deps),
        };
        let build = self.build_behind(node);
        self.nodes[build].need_build = true;
        // The archive of a main package is never installed.
        if install && !self.target_of(id).is_empty() && self.packages[id].public.name != "main" {
            return self.install(node, id);
        }
        node
    }

    fn new_build(&mut self, id: PackageId, install_deps: bool) -> NodeId {
        let packages = self.packages;
        let package = &packages[id];
        let objdir = self.new_objdir();
        let build = self.add(Kind::Build, Some(id), Vec::new(), objdir.clone());
        self.builds.insert(id, build);
        let cycle = package
            .public
            .error
            .as_ref()
            .is_some_and(|error| error.is_import_cycle);
        let mut deps = Vec::new();
        if !cycle {
            for import in &package.internal.imports {
                let dep = self.compile(*import, install_deps, install_deps);
                deps.push(dep);
            }
        }
        if self.release.prepares_profiles() && !package.internal.pgo_profile.as_str().is_empty() {
            let dep = self.profile(package.internal.pgo_profile.as_str());
            deps.push(dep);
        }
        let built_in = matches!(package.public.import_path.as_str(), "builtin" | "unsafe")
            || self.config.flags.compiler.has_prebuilt_std();
        if package.public.standard && built_in {
            self.nodes[build].kind = Kind::BuiltIn;
            self.nodes[build].deps = deps;
            return build;
        }
        let check = self.add(
            Kind::CheckCache { build },
            Some(id),
            deps.clone(),
            objdir.clone(),
        );
        deps.push(check);
        let mut ready = vec![check];
        if !package.internal.cover_mode.is_empty() {
            let cover = self.add(Kind::Cover { build }, Some(id), vec![check], objdir.clone());
            deps.push(cover);
            ready.push(cover);
        }
        if package.uses_cgo() || package.uses_swig() {
            let collect = self.cgo(id, &objdir, ready);
            deps.push(collect);
        }
        self.nodes[build].deps = deps;
        build
    }

    fn profile(&mut self, input: &str) -> NodeId {
        if let Some(node) = self.profiles.get(input) {
            return *node;
        }
        let objdir = self.new_objdir();
        let target = format!("{objdir}pgo.preprofile");
        let node = self.add(
            Kind::Profile {
                input: input.to_owned(),
            },
            None,
            Vec::new(),
            objdir,
        );
        self.nodes[node].target = target;
        self.profiles.insert(input.to_owned(), node);
        node
    }

    fn cgo(&mut self, id: PackageId, objdir: &str, ready: Vec<NodeId>) -> NodeId {
        let package = &self.packages[id];
        let run = self.add(Kind::Cgo, Some(id), ready, objdir.to_owned());
        let mut collected = Vec::new();
        for (i, (file, language)) in c_sources(package, objdir, self.release)
            .into_iter()
            .enumerate()
        {
            let node = self.add(
                Kind::CgoCompile { file, language },
                Some(id),
                vec![run],
                objdir.to_owned(),
            );
            self.nodes[node].target = format!("{objdir}_x{:03}.o", i + 1);
            collected.push(node);
        }
        self.add(Kind::CgoCollect, None, collected, objdir.to_owned())
    }

    fn link(&mut self, root: &Root, install_deps: bool) -> NodeId {
        let id = root.package;
        let node = match self.links.get(&id) {
            Some(node) => *node,
            None => self.new_link(id, install_deps),
        };
        match root.mode {
            Mode::Install => return self.install(node, id),
            Mode::Executable => self.nodes[node].keep_executable |= self.release.keeps_programs(),
            Mode::Build => self.nodes[node].discard = true,
            Mode::Compile => {}
        }
        node
    }

    fn new_link(&mut self, id: PackageId, install_deps: bool) -> NodeId {
        let main = self.compile(id, false, install_deps);
        let objdir = self.nodes[main].objdir.clone();
        let mut deps = vec![main];
        deps.extend(self.transitive(main));
        let libraries = self.libraries_of(&deps, "");
        deps.extend(libraries);
        let node = self.add(Kind::Link, Some(id), deps, objdir);
        let name = self.program_name(id);
        self.nodes[node].target = format!(
            "{}exe/{name}{}",
            self.nodes[node].objdir, self.modes.exe_suffix
        );
        // The shortcut for a program that is up to date needs the ids of all its packages before that of main is built.
        let others = self.nodes[node].deps[1..].to_vec();
        let join = self.add(Kind::Join, None, others, String::new());
        self.nodes[main].deps.push(join);
        self.links.insert(id, node);
        node
    }

    fn program_name(&self, id: PackageId) -> &str {
        let exe_name = self.packages[id].internal.exe_name.as_str();
        let library = self.modes.buildmode == "c-shared"
            && matches!(self.config.target.goos.as_str(), "darwin" | "windows")
            && !self.target_of(id).is_empty();
        match exe_name {
            // The linker records the name in the library.
            "" if library => self.target_of(id).rsplit('/').next().unwrap_or("a.out"),
            "" => "a.out",
            name => name,
        }
    }

    /// All packages below `main`, breadth first: a package that was built anew for a test comes before the ordinary one of the
    /// same path, and stands for it.
    fn transitive(&self, main: NodeId) -> Vec<NodeId> {
        let path = |node: NodeId| {
            self.nodes[node]
                .package
                .map(|id| self.packages[id].public.import_path.as_str())
        };
        let mut have: HashSet<&str> = path(main).into_iter().collect();
        let mut queue = vec![main];
        let mut found = Vec::new();
        let mut next = 0;
        while let Some(node) = queue.get(next).copied() {
            next += 1;
            for dep in &self.nodes[node].deps {
                let archive = matches!(
                    self.nodes[*dep].kind,
                    Kind::Build | Kind::Install { of_link: false }
                );
                if let (true, Some(path)) = (archive, path(*dep))
                    && have.insert(path)
                {
                    found.push(*dep);
                    queue.push(self.build_behind(*dep));
                }
            }
        }
        found
    }

    /// Puts an install node into the place of `node`, which moves elsewhere.
    fn install(&mut self, node: NodeId, id: PackageId) -> NodeId {
        let of_link = match self.nodes[node].kind {
            Kind::Build => false,
            Kind::Link => true,
            _ => {
                // Installed already, or nothing to install; by now somebody may have asked for it.
                self.nodes[node].implicit &= self.implicit;
                return node;
            }
        };
        let moved = self.nodes[node].clone();
        let objdir = moved.objdir.clone();
        self.nodes.push(moved);
        let behind = self.nodes.len() - 1;
        let target = self.target_of(id).to_owned();
        self.nodes[node] = Node {
            kind: Kind::Install { of_link },
            package: Some(id),
            deps: vec![behind],
            triggers: Vec::new(),
            objdir: objdir.clone(),
            target: target.clone(),
            keep_executable: false,
            discard: false,
            implicit: self.implicit,
            need_build: false,
            ignores_failure: false,
            priority: 0,
        };
        if self.packages[id].uses_cgo()
            && matches!(self.modes.buildmode.as_str(), "c-archive" | "c-shared")
        {
            let header = self.add(Kind::InstallHeader, Some(id), vec![behind], objdir);
            self.nodes[header].target = self.header_of(&target);
            self.nodes[node].deps.push(header);
        }
        node
    }

    /// Where the header of a library goes: beside it, and named for the package.
    fn header_of(&self, library: &str) -> String {
        let header = format!("{}.h", strip_extension(library));
        let (dir, name) = header.rsplit_once('/').unwrap_or(("", &header));
        match name.strip_prefix("lib") {
            Some(name)
                if self.config.flags.compiler == Compiler::Gccgo
                    && self.config.flags.o.is_empty() =>
            {
                format!("{dir}/{name}")
            }
            _ => header,
        }
    }

    /// Numbers the nodes in depth-first post-order and records who waits for whom.
    fn finish(&mut self) {
        let mut order = 0;
        let mut seen = vec![false; self.nodes.len()];
        // An explicit stack: chains of imports can be long.
        let mut stack = vec![(self.root, 0)];
        seen[self.root] = true;
        while let Some((node, step)) = stack.pop() {
            if let Some(dep) = self.nodes[node].deps.get(step).copied() {
                stack.push((node, step + 1));
                if !std::mem::replace(&mut seen[dep], true) {
                    stack.push((dep, 0));
                }
                continue;
            }
            self.nodes[node].priority = order;
            order += 1;
        }
        let reached = (0..self.nodes.len()).filter(|node| seen[*node]);
        for node in reached {
            for i in 0..self.nodes[node].deps.len() {
                let dep = self.nodes[node].deps[i];
                self.nodes[dep].triggers.push(node);
            }
        }
        for node in &mut self.nodes {
            node.triggers.sort_unstable();
        }
    }

    /// Whether vet looks at the package.
    pub fn vets(&self, package: PackageId) -> bool {
        self.vets.contains_key(&package)
    }

    /// The nodes that the root needs, in the order of their priority.
    pub fn reachable(&self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = (0..self.nodes.len())
            .filter(|node| *node == self.root || !self.nodes[*node].triggers.is_empty())
            .collect();
        nodes.sort_by_key(|node| self.nodes[*node].priority);
        nodes
    }
}

fn strip_extension(path: &str) -> &str {
    let name = path.rfind('/').map_or(0, |at| at + 1);
    path[name..]
        .rfind('.')
        .map_or(path, |at| &path[..name + at])
}

/// What the C compilers compile in a package: what cgo makes, then the package's own files by kind.
fn c_sources(package: &Package, objdir: &str, release: Release) -> Vec<(String, Language)> {
    let files = &package.public.files;
    let cover = if package.internal.cover_mode.is_empty() {
        ""
    } else {
        ".cover"
    };
    let mut sources = vec![(format!("{objdir}_cgo_export.c"), Language::C)];
    for file in &files.cgo_files {
        let base = file.strip_suffix(".go").unwrap_or(file);
        sources.push((format!("{objdir}{base}{cover}.cgo2.c"), Language::C));
    }
    let interfaces = swig_interfaces(package, objdir);
    for interface in &interfaces {
        let base = interface.go.strip_suffix(".go").unwrap_or(&interface.go);
        sources.push((format!("{base}.cgo2.c"), Language::C));
    }
    let wrappers = |language: Language| -> Vec<String> {
        let of_language = interfaces.iter().filter(|one| one.language == language);
        of_language.map(|one| one.wrapper.clone()).collect()
    };
    // runtime/cgo has assembly of both kinds; the C compiler gets what says so in its name.
    let both = package.public.standard && package.public.import_path == "runtime/cgo";
    let mut add = |names: &[String], language: Language| {
        let wanted =
            |name: &&String| language != Language::Assembly || !both || name.starts_with("gcc_");
        sources.extend(
            names
                .iter()
                .filter(wanted)
                .map(|name| (name.clone(), language)),
        );
    };
    if release.puts_assembly_before_c() {
        add(&files.s_files, Language::Assembly);
        add(&files.c_files, Language::C);
        add(&files.m_files, Language::C);
        add(&wrappers(Language::C), Language::C);
        add(&files.cxx_files, Language::Cxx);
        add(&wrappers(Language::Cxx), Language::Cxx);
    } else {
        add(&files.c_files, Language::C);
        add(&files.s_files, Language::Assembly);
        add(&wrappers(Language::C), Language::C);
        add(&files.cxx_files, Language::Cxx);
        add(&wrappers(Language::Cxx), Language::Cxx);
        add(&files.m_files, Language::C);
    }
    add(&files.f_files, Language::Fortran);
    sources
}

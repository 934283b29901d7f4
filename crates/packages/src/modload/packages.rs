//! The packages that a set of requirements leads to, modules alone in mind: which package is imported by whom, from which module each
//! comes, and what is missing. Commands that change requirements load packages this way until nothing changes any more.

use super::reqs::Reqs;
use super::{Allowed, ImportError, Importer, ModError, ModMode, Modules, Resolved, Result};
use crate::parallel;
use crate::patterns::{clean_patterns, is_appengine_import};
use crate::source::BuildContext;
use crate::source::imports::{Tags, scan_dir};
use camino::Utf8PathBuf;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::{ModuleVersion, gover};

/// What to load.
#[derive(Clone, Default)]
pub struct PackageOptions {
    /// Which files count.
    pub context: Arc<BuildContext>,
    /// All files count, whatever their constraints: what any build could need.
    pub any_tags: bool,
    /// Also what tests of the packages named import.
    pub tests: bool,
    /// Modules are looked for that have what is missing.
    pub resolve: bool,
    /// Requirements are made as few as can be.
    pub tidy: bool,
    /// The `go` line to be (`mod tidy -go`), or empty.
    pub tidy_go: String,
    /// What is named counts as if main modules imported it: whatever it imports gets a root (`get`).
    pub assume_imported: bool,
    /// Tests of dependencies are no part of `all`, whatever the `go` line says.
    pub narrow_all: bool,
    /// What keeps requirements from being settled is noted, and as much is done as can be (`mod tidy -e`).
    pub keep_going: bool,
}

/// One package, or the tests of one.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Import path.
    pub path: String,
    /// Where it comes from; none in the standard library, or if it was not found.
    pub module: Option<ModuleVersion>,
    /// Its directory.
    pub dir: Utf8PathBuf,
    /// Why there is none.
    pub error: Option<ImportError>,
    /// Modules that could have had it by their names.
    pub others: Vec<ModuleVersion>,
    /// It belongs to the standard library.
    pub std: bool,
    /// What it imports.
    pub imports: Vec<usize>,
    /// The node of its tests.
    pub test: Option<usize>,
    /// The package whose tests this is.
    pub test_of: Option<usize>,
    /// The package that first led here.
    pub stack: Option<usize>,
    /// It is part of `all`.
    pub in_all: bool,
    /// It was named.
    pub is_root: bool,
    /// What was named leads here, tests aside.
    from_root: bool,
    loaded: bool,
    test_imports: Vec<String>,
}

/// What was loaded.
#[derive(Debug, Default)]
pub struct ModulePackages {
    /// The packages, and their tests.
    pub nodes: Vec<Node>,
    by_path: HashMap<String, usize>,
    /// The nodes as they are met from the named ones on: a package's imports, then its tests.
    order: Vec<usize>,
    /// The requirements they were loaded with, or that came out of it.
    pub reqs: Option<Arc<Reqs>>,
    /// What kept them from being settled, with [`PackageOptions::keep_going`].
    pub failures: Vec<ModError>,
}

impl ModulePackages {
    /// The way to a package, as go shows it: `a imports\n\tb imports\n\tc`.
    #[must_use]
    pub fn stack_text(&self, at: usize) -> String {
        let mut way = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            way.push(at);
            next = self.nodes[at].stack;
        }
        way.reverse();
        let mut text = String::new();
        for (number, &at) in way.iter().enumerate() {
            let node = &self.nodes[at];
            text += &node.path;
            text += if node.test_of.is_some() { ".test" } else { "" };
            match way.get(number + 1) {
                Some(&next) if self.nodes[next].test_of == Some(at) => text += " tested by\n\t",
                Some(_) => text += " imports\n\t",
                None => {}
            }
        }
        text
    }

    /// The nodes in the order in which things are told of them.
    pub(super) fn in_order(&self) -> impl Iterator<Item = usize> + '_ {
        self.order.iter().copied()
    }

    /// Finds the shortest way to each package, from the first of those that have one.
    fn build_stacks(&mut self) {
        let named = self.nodes.iter().enumerate();
        let named = named.filter(|(_, node)| node.stack.is_none());
        let mut order: Vec<usize> = named.map(|(at, _)| at).collect();
        let mut seen = vec![false; self.nodes.len()];
        for &at in &order {
            seen[at] = true;
        }
        let mut next = 0;
        while let Some(&at) = order.get(next) {
            next += 1;
            let node = &self.nodes[at];
            for to in node.imports.clone().into_iter().chain(node.test) {
                if !std::mem::replace(&mut seen[to], true) {
                    self.nodes[to].stack = Some(at);
                    order.push(to);
                }
            }
        }
        self.order = order;
    }

    /// What is wrong with a module that was added for a package is told with the way to that package, which says more than the way
    /// through modules.
    fn led_to(&self, error: ModError, added: &BTreeMap<ModuleVersion, usize>) -> ModError {
        match &error {
            ModError::Graph(wrong) => match added.get(wrong.module()) {
                Some(&at) => (*wrong.error).clone().context(self.stack_text(at)),
                None => error,
            },
            _ => error,
        }
    }

    /// Ends with an error, or notes it, once, if loading is to go on. A newer Go may do what this one cannot, so that is no reason to go on.
    fn fail(&mut self, error: ModError, options: &PackageOptions) -> Result<()> {
        if !options.keep_going || error.too_new().is_some() || error.is_security() {
            return Err(error);
        }
        let text = error.to_string();
        if self.failures.iter().all(|known| known.to_string() != text) {
            self.failures.push(error);
        }
        Ok(())
    }

    /// Notes a shortest way to each package: breadth first, imports in their order, tests behind them. Waves of looking at packages can
    /// come by in another order.
    fn find_ways(&mut self, roots: &[String]) {
        let mut queue: Vec<usize> = Vec::with_capacity(self.nodes.len());
        let mut known = vec![false; self.nodes.len()];
        for at in roots.iter().filter_map(|path| self.by_path.get(path)) {
            if !std::mem::replace(&mut known[*at], true) {
                self.nodes[*at].stack = None;
                queue.push(*at);
            }
        }
        let mut next = 0;
        while let Some(&at) = queue.get(next) {
            next += 1;
            let node = &self.nodes[at];
            let leads_to: Vec<usize> = node.imports.iter().copied().chain(node.test).collect();
            for to in leads_to {
                if !std::mem::replace(&mut known[to], true) {
                    self.nodes[to].stack = Some(at);
                    queue.push(to);
                }
            }
        }
    }

    /// `all`, without tests, sorted.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let all: BTreeSet<String> = self
            .nodes
            .iter()
            .filter(|node| node.in_all && node.test_of.is_none())
            .map(|node| node.path.clone())
            .collect();
        all.into_iter().collect()
    }

    /// Where the node of a package stands.
    pub(super) fn index_of(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// The node of a package.
    #[must_use]
    pub fn node(&self, path: &str) -> Option<&Node> {
        self.by_path.get(path).map(|at| &self.nodes[*at])
    }
}

/// What may be said of a package because of what leads to it.
#[derive(Debug, Clone, Copy, Default)]
struct Marks {
    in_all: bool,
    is_root: bool,
    from_root: bool,
}

const IN_ALL: Marks = Marks {
    in_all: true,
    is_root: false,
    from_root: false,
};

const ROOT: Marks = Marks {
    in_all: false,
    is_root: true,
    from_root: true,
};

/// From this `go` line on, `mod tidy` keeps the sums of all go.mod files that tests of dependencies need.
const TIDY_GO_MOD_SUMS_VERSION: &str = "1.21";

struct Walk<'m> {
    modules: &'m Modules,
    options: &'m PackageOptions,
    reqs: Arc<Reqs>,
    /// The `go` line.
    go: String,
    all_is_root: bool,
    all_has_tests: bool,
    found: ModulePackages,
    /// Answers by import path and whether a vendor directory of the distribution counts.
    queue: Vec<usize>,
}

type Looked = (
    std::result::Result<Resolved, ImportError>,
    BTreeSet<String>,
    BTreeSet<String>,
);

impl Walk<'_> {
    fn run(&mut self, roots: &[String]) {
        for path in roots {
            let at = self.node(path, None);
            self.mark(at, ROOT);
        }
        while !self.queue.is_empty() {
            let wave = std::mem::take(&mut self.queue);
            let answers = self.look_at(&wave);
            for (at, answer) in wave.into_iter().zip(answers) {
                self.enter(at, answer);
            }
        }
        self.found.build_stacks();
    }

    fn node(&mut self, path: &str, from: Option<usize>) -> usize {
        if let Some(&known) = self.found.by_path.get(path) {
            return known;
        }
        let at = self.found.nodes.len();
        self.found.nodes.push(Node {
            path: path.to_string(),
            stack: from,
            ..Node::default()
        });
        self.found.by_path.insert(path.to_string(), at);
        self.queue.push(at);
        at
    }

    fn look_at(&self, wave: &[usize]) -> Vec<Looked> {
        let threads = if wave.len() < 4 {
            1
        } else {
            steady_system::processors()
        };
        parallel::map(wave, threads, |&at| self.look(at))
    }

    /// Where a package comes from. For a go.mod of before 1.21, `mod tidy` keeps no sums for what only tests of other modules need,
    /// and so reads none of their go.mod files either.
    fn find(&self, path: &str) -> std::result::Result<Resolved, ImportError> {
        if self.options.tidy && gover::compare(&self.go, TIDY_GO_MOD_SUMS_VERSION).is_lt() {
            self.modules.locate(&self.reqs, path, None)
        } else {
            self.modules.resolve_with(&self.reqs, path, None)
        }
    }

    fn look(&self, at: usize) -> Looked {
        let path = &self.found.nodes[at].path;
        let place = if matches!(path.as_str(), "C" | "unsafe") {
            Ok(Resolved {
                module: None,
                dir: Utf8PathBuf::new(),
                path: path.clone(),
                others: Vec::new(),
            })
        } else {
            self.find(path)
        };
        let (mut imports, mut tests) = (BTreeSet::new(), BTreeSet::new());
        if let Ok(place) = &place
            && !place.dir.as_str().is_empty()
        {
            let tags = if self.options.any_tags {
                Tags::Any
            } else {
                Tags::Of(&self.options.context)
            };
            // What is wrong with files is told when the package is loaded to be built.
            if let Ok(contents) = self.modules.index.dir(&place.dir)
                && let Ok(found) = scan_dir(&place.dir, &contents, tags)
            {
                let wanted = |path: &String| !is_appengine_import(path);
                imports.extend(found.imports.into_iter().filter(wanted));
                tests.extend(found.test_imports.into_iter().filter(wanted));
            }
        }
        (place, imports, tests)
    }

    /// The path under which the standard library's vendored packages are known.
    fn std_path(&self, from: &str, path: String) -> String {
        if crate::patterns::is_standard_import_path(&path) {
            return path;
        }
        let vendor = if from.starts_with("cmd/") {
            "cmd/vendor"
        } else {
            "vendor"
        };
        let vendored = format!("{vendor}/{path}");
        let there = self.modules.config.goroot.join("src").join(&vendored);
        if self.modules.files.is_dir(&there) {
            vendored
        } else {
            path
        }
    }

    fn enter(&mut self, at: usize, (place, imports, tests): Looked) {
        let place = match place {
            Ok(place) => place,
            Err(error) => {
                self.found.nodes[at].error = Some(error);
                if self.is_tool(at) {
                    self.mark(at, IN_ALL);
                }
                return;
            }
        };
        let path = self.found.nodes[at].path.clone();
        let std = place.module.is_none();
        let node = &mut self.found.nodes[at];
        node.module = place.module;
        node.dir = place.dir;
        node.others = place.others;
        node.std = std;
        if self.is_main(at) || self.is_tool(at) {
            self.mark(at, IN_ALL);
        }
        let mut ids = Vec::with_capacity(imports.len());
        for import in imports {
            let import = if std {
                self.std_path(&path, import)
            } else {
                import
            };
            ids.push(self.node(&import, Some(at)));
        }
        let node = &mut self.found.nodes[at];
        node.imports = ids;
        node.test_imports = tests.into_iter().collect();
        node.loaded = true;
        self.spread(at);
    }

    fn is_main(&self, at: usize) -> bool {
        let module = self.found.nodes[at].module.as_ref();
        module.is_some_and(|module| {
            module.version.is_empty() && self.modules.main(&module.path).is_some()
        })
    }

    fn is_tool(&self, at: usize) -> bool {
        let path = &self.found.nodes[at].path;
        let mut tools = self.modules.mains.iter().flat_map(|main| &main.file.tool);
        tools.any(|tool| tool.value == *path)
    }

    fn mark(&mut self, at: usize, marks: Marks) {
        let node = &mut self.found.nodes[at];
        let is_root = marks.is_root || marks.in_all && self.all_is_root && node.test_of.is_none();
        let from_root = marks.from_root || is_root;
        let known = (node.in_all || !marks.in_all)
            && (node.is_root || !is_root)
            && (node.from_root || !from_root);
        if known {
            return;
        }
        node.in_all |= marks.in_all;
        node.is_root |= is_root;
        node.from_root |= from_root;
        if node.loaded {
            self.spread(at);
        }
    }

    /// What follows from a package's marks for what it imports and for its tests.
    fn spread(&mut self, at: usize) {
        let node = &self.found.nodes[at];
        let marks = Marks {
            in_all: node.in_all,
            is_root: false,
            from_root: node.from_root,
        };
        if marks.in_all || marks.from_root {
            for import in node.imports.clone() {
                self.mark(import, marks);
            }
        }
        let node = &self.found.nodes[at];
        if node.test_of.is_some() || node.std && !self.is_main(at) && !node.is_root {
            return;
        }
        let is_main = self.is_main(at);
        let wanted = self.all_is_root && (is_main || self.all_has_tests && node.in_all)
            || self.options.tests && node.is_root;
        if !wanted {
            return;
        }
        let in_all = is_main || self.all_has_tests && node.in_all;
        match node.test {
            Some(test) if in_all => self.mark(test, IN_ALL),
            Some(_) => {}
            None => self.add_test(at, in_all),
        }
    }

    fn add_test(&mut self, at: usize, in_all: bool) {
        let node = &mut self.found.nodes[at];
        let imports = std::mem::take(&mut node.test_imports);
        let std = node.std;
        let test = Node {
            path: node.path.clone(),
            module: node.module.clone(),
            dir: node.dir.clone(),
            std,
            test_of: Some(at),
            stack: Some(at),
            loaded: true,
            in_all,
            ..Node::default()
        };
        let path = node.path.clone();
        let id = self.found.nodes.len();
        self.found.nodes.push(test);
        self.found.nodes[at].test = Some(id);
        let mut ids = Vec::with_capacity(imports.len());
        for import in imports {
            let import = if std {
                self.std_path(&path, import)
            } else {
                import
            };
            ids.push(self.node(&import, Some(id)));
        }
        self.found.nodes[id].imports = ids;
        self.spread(id);
    }
}

impl Modules {
    /// Loads the packages that patterns name, with what they import, until requirements and packages agree.
    ///
    /// # Errors
    /// What keeps that from being done. What is wrong with single packages stands in them.
    pub fn load_packages(
        &self,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        self.load_packages_of(None, patterns, options)
    }

    /// The same with `all` about one member of a workspace.
    pub(super) fn load_packages_of(
        &self,
        member: Option<&str>,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        let loaded = self.load_until_settled(member, patterns, options);
        self.index.save();
        loaded
    }

    fn load_until_settled(
        &self,
        member: Option<&str>,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        let patterns = clean_patterns(patterns);
        let mut reqs = self.reqs();
        if self.mode == ModMode::Mod && self.work.is_none() && self.has_redundant_root(&reqs) {
            reqs = self.update_roots(&reqs.direct.clone(), &reqs, &HashSet::new(), &[])?;
        }
        reqs = self.with_go_line(&reqs, &options.tidy_go)?;
        let all_is_root = patterns.iter().any(|pattern| pattern == "all");
        let mut rounds = 0;
        loop {
            rounds += 1;
            if rounds > 1000 {
                return Err(ModError::message("requirements do not settle"));
            }
            let go = if options.tidy_go.is_empty() {
                Modules::go_of(&reqs).to_string()
            } else {
                options.tidy_go.clone()
            };
            if reqs.pruning != Pruning::Workspace {
                reqs = self.convert(&reqs, Pruning::for_go_version(&go))?;
            }
            let roots = self.roots_of(member, &patterns, options, &reqs)?;
            if reqs.pruning == Pruning::Pruned && self.mode == ModMode::Mod {
                let before = reqs.roots.clone();
                reqs = self.preload(&reqs, &roots, options)?;
                if reqs.roots != before {
                    continue;
                }
            }
            let mut walk = Walk {
                modules: self,
                options,
                reqs: Arc::clone(&reqs),
                all_is_root,
                all_has_tests: gover::compare(&go, super::matching::NARROW_ALL_VERSION).is_lt()
                    && !options.narrow_all,
                go,
                found: ModulePackages::default(),
                queue: Vec::new(),
            };
            walk.run(&roots);
            let mut found = walk.found;
            match self.next_reqs(&mut reqs, &mut found, options, all_is_root) {
                Ok(true) => {}
                Ok(false) => return self.settled(found, reqs, &roots, options),
                Err(error) => {
                    found.fail(error, options)?;
                    return self.settled(found, reqs, &roots, options);
                }
            }
        }
    }

    /// Brings requirements into agreement with the packages. True if the packages are to be loaded anew.
    fn next_reqs(
        &self,
        reqs: &mut Arc<Reqs>,
        found: &mut ModulePackages,
        options: &PackageOptions,
        all_is_root: bool,
    ) -> Result<bool> {
        let (new, changed) = self.update_reqs(reqs, found, options, all_is_root)?;
        *reqs = new;
        if changed {
            self.forget_failures();
            return Ok(true);
        }
        if !options.resolve {
            return Ok(false);
        }
        let added = self.resolve_missing(reqs, found)?;
        if added.is_empty() {
            return Ok(false);
        }
        let direct = reqs.direct.clone();
        let add: Vec<ModuleVersion> = added.keys().cloned().collect();
        let new = self.update_roots(&direct, reqs, &HashSet::new(), &add);
        *reqs = new.map_err(|error| found.led_to(error, &added))?;
        Ok(true)
    }

    /// The end of loading: nothing is added to the requirements any more.
    fn settled(
        &self,
        mut found: ModulePackages,
        mut reqs: Arc<Reqs>,
        roots: &[String],
        options: &PackageOptions,
    ) -> Result<ModulePackages> {
        if options.tidy {
            let tidy = self.tidy_roots(&reqs, &found);
            let tidy = tidy.and_then(|reqs| match options.tidy_go.as_str() {
                "" => Ok(reqs),
                go => self.with_go(&reqs, go),
            });
            match tidy {
                Ok(tidy) => reqs = tidy,
                Err(error) => found.fail(error, options)?,
            }
        }
        if let Err(error) = self.check_used_once(&reqs) {
            found.fail(error, options)?;
        }
        found.find_ways(roots);
        self.complete_errors(&mut found, &reqs);
        found.reqs = Some(reqs);
        Ok(found)
    }

    /// A module version stands for itself or in for another module, not both.
    pub(super) fn check_used_once(&self, reqs: &Reqs) -> Result<()> {
        let list = if reqs.has_graph() {
            self.graph_of(reqs)?.build_list()
        } else {
            reqs.roots.clone()
        };
        let mut users: HashMap<&ModuleVersion, &str> = HashMap::with_capacity(list.len());
        let mut errors = Vec::new();
        for module in list
            .iter()
            .filter(|module| self.main(&module.path).is_none())
        {
            let actual = self.replacement(module).unwrap_or(module);
            match users.insert(actual, &module.path) {
                Some(other) if other != module.path => errors.push(ModError::Message(format!(
                    "{}@{} used for two different module paths ({other} and {})",
                    actual.path, actual.version, module.path
                ))),
                _ => {}
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(ModError::many(errors))
        }
    }

    /// The packages that patterns name.
    ///
    /// # Errors
    /// The module graph is needed and cannot be read.
    pub fn packages_of(
        &self,
        patterns: &[String],
        options: &PackageOptions,
    ) -> Result<Vec<String>> {
        let patterns = clean_patterns(patterns);
        let mut found = Vec::new();
        for pattern in &patterns {
            if pattern == "all" {
                found.extend(
                    self.load_packages(std::slice::from_ref(pattern), options)?
                        .all(),
                );
            } else {
                found.extend(self.roots_of(
                    None,
                    std::slice::from_ref(pattern),
                    options,
                    &self.reqs(),
                )?);
            }
        }
        Ok(found)
    }

    /// A main module or a path that is named twice: go.mod must change whatever is loaded.
    fn has_redundant_root(&self, reqs: &Reqs) -> bool {
        let mut before = "";
        reqs.roots.iter().any(|root| {
            let twice = root.path == before || self.main(&root.path).is_some();
            before = &root.path;
            twice
        })
    }

    /// The same requirements for another Go version, unless one of them needs a newer one.
    fn with_go(&self, reqs: &Arc<Reqs>, version: &str) -> Result<Arc<Reqs>> {
        let go = ModuleVersion::new("go", version);
        let new = self.override_roots(reqs, std::slice::from_ref(&go));
        let graph = self.graph_of(&new)?;
        let selected = graph.selected_or_none("go");
        if selected == version {
            return Ok(new);
        }
        let mut path = graph.find_path(|module| module.path == "go" && module.version == selected);
        if !path.is_empty() {
            path.remove(0);
        }
        let conflict = super::Conflict {
            path,
            constraint: go,
            error: None,
        };
        Err(ModError::Message(conflict.summary()))
    }

    /// A go.mod without a `go` line gets one as soon as it may change at all.
    pub(super) fn with_go_line(&self, reqs: &Arc<Reqs>, wanted: &str) -> Result<Arc<Reqs>> {
        let lacking = self.mode == ModMode::Mod
            && self.work.is_none()
            && self
                .mains
                .first()
                .is_some_and(|main| main.file.go.is_none());
        if !lacking || reqs.go_version() != gover::DEFAULT_GO_MOD_VERSION {
            return Ok(Arc::clone(reqs));
        }
        let version = if wanted.is_empty() {
            &self.config.go_version
        } else {
            wanted
        };
        let go = ModuleVersion::new("go", version);
        // A file without the line was written for a release that left indirect requirements out.
        self.convert(
            &self.override_roots(reqs, &[go]),
            Pruning::for_go_version(version),
        )
    }

    fn roots_of(
        &self,
        member: Option<&str>,
        patterns: &[String],
        options: &PackageOptions,
        reqs: &Arc<Reqs>,
    ) -> Result<Vec<String>> {
        self.set_reqs(Arc::clone(reqs));
        let mut any = (*options.context).clone();
        any.use_all_files |= options.any_tags;
        let mut roots = Vec::new();
        for pattern in patterns {
            match member.filter(|_| pattern == "all") {
                Some(member) => {
                    roots.extend(self.packages_of_main(member));
                    let tools = self.mains.iter().flat_map(|main| &main.file.tool);
                    roots.extend(tools.map(|tool| tool.value.clone()));
                }
                None => {
                    // Directories stand for packages that build here; paths for all that there are.
                    let local = crate::patterns::Match::new(pattern).is_local();
                    let context = if local { &options.context } else { &any };
                    roots.extend(self.match_pattern(pattern, context)?.packages);
                }
            }
        }
        Ok(roots)
    }

    /// Packages that are named belong to roots: those are settled first, because that can change all the rest.
    fn preload(
        &self,
        reqs: &Arc<Reqs>,
        roots: &[String],
        options: &PackageOptions,
    ) -> Result<Arc<Reqs>> {
        let mut need: BTreeSet<ModuleVersion> = BTreeSet::new();
        for path in roots {
            let module = match self.resolve_with(reqs, path, None) {
                Ok(found) => found.module,
                Err(ImportError::Missing(_)) if options.resolve => {
                    self.query_import(path, reqs).ok()
                }
                Err(_) => None,
            };
            let Some(module) = module.filter(|module| self.main(&module.path).is_none()) else {
                continue;
            };
            if !module.path.is_empty() && reqs.root(&module.path) != Some(&module.version) {
                need.insert(module);
            }
        }
        if need.is_empty() {
            return Ok(Arc::clone(reqs));
        }
        let add: Vec<ModuleVersion> = need.into_iter().collect();
        self.update_roots(&reqs.direct.clone(), reqs, &HashSet::new(), &add)
    }

    /// Requirements after packages are known, and whether packages must be loaded anew.
    fn update_reqs(
        &self,
        reqs: &Arc<Reqs>,
        found: &mut ModulePackages,
        options: &PackageOptions,
        all_is_root: bool,
    ) -> Result<(Arc<Reqs>, bool)> {
        let mut direct = if all_is_root && options.any_tags {
            BTreeSet::from(["go".to_string()])
        } else {
            reqs.direct.clone()
        };
        if let Some(error) = found
            .nodes
            .iter()
            .filter_map(|node| node.error.as_ref())
            .filter_map(|error| error.cause())
            .find(|error| error.too_new().is_some())
        {
            return Err(error.clone());
        }
        for at in 0..found.nodes.len() {
            let is_main = found.nodes[at].module.as_ref().is_some_and(|module| {
                module.version.is_empty() && self.main(&module.path).is_some()
            });
            if !is_main {
                continue;
            }
            for import in found.nodes[at].imports.clone() {
                let Some(module) = found.nodes[import].module.clone() else {
                    continue;
                };
                if self.main(&module.path).is_some() || module.path.is_empty() {
                    continue;
                }
                let implicit = if self.work.is_some() {
                    self.mode != ModMode::Vendor && !self.graph_of(reqs)?.was_read(&module)
                } else {
                    self.mode == ModMode::ReadOnly
                        && reqs.root(&module.path) != Some(&module.version)
                };
                if implicit && found.nodes[at].error.is_none() {
                    found.nodes[at].error = Some(ImportError::Implicit {
                        importer: found.nodes[at].path.clone(),
                        path: found.nodes[import].path.clone(),
                        module: Box::new(module),
                    });
                    continue;
                }
                direct.insert(module.path);
            }
        }
        let add = if options.tidy {
            self.tidy_roots(reqs, found)?.roots.clone()
        } else {
            Vec::new()
        };
        let mut need = HashSet::new();
        for node in &found.nodes {
            let counts = node.in_all || node.is_root || options.assume_imported && node.from_root;
            let module = node.module.as_ref().filter(|_| counts);
            need.extend(
                module
                    .filter(|module| self.is_external(Some(module)))
                    .cloned(),
            );
        }
        let new = self.update_roots(&direct, reqs, &need, &add)?;
        let mut changed = Modules::go_of(&new) != Modules::go_of(reqs);
        if !changed && new.roots != reqs.roots {
            let graph = self.graph_of(&new)?;
            changed = found.nodes.iter().any(|node| {
                let moved = node.module.as_ref().is_some_and(|module| {
                    !module.version.is_empty()
                        && graph.selected_or_none(&module.path) != module.version
                });
                moved || node.error.is_some() && self.resolve_with(&new, &node.path, None).is_ok()
            });
        }
        Ok((new, changed))
    }

    /// Looks for modules that have what is missing.
    fn resolve_missing(
        &self,
        reqs: &Arc<Reqs>,
        found: &mut ModulePackages,
    ) -> Result<BTreeMap<ModuleVersion, usize>> {
        let missing: Vec<usize> = (0..found.nodes.len())
            .filter(|&at| {
                let node = &found.nodes[at];
                node.test_of.is_none() && matches!(node.error, Some(ImportError::Missing(_)))
            })
            .collect();
        let paths: Vec<String> = missing
            .iter()
            .map(|&at| found.nodes[at].path.clone())
            .collect();
        let ask = |path: &String| self.query_import(path, reqs);
        let answers = parallel::map(&paths, parallel::WAITING, ask);
        let mut added = BTreeMap::new();
        let mut told = Vec::new();
        for (&at, answer) in missing.iter().zip(answers) {
            match answer {
                Ok(module) => {
                    told.push((found.nodes[at].path.clone(), module.clone()));
                    added.entry(module).or_insert(at);
                }
                Err(error) => {
                    if let Some(ask) = error.cause().filter(|cause| cause.too_new().is_some()) {
                        self.fetcher.warn(&format!(
                            "toolchain upgrade needed to resolve {}",
                            found.nodes[at].path
                        ));
                        return Err(ask.clone());
                    }
                    found.nodes[at].error = Some(error);
                }
            }
        }
        told.retain(|(_, module)| !self.is_unnamed_neighbour(&module.path));
        for (path, module) in told {
            self.fetcher.warn(&format!(
                "found {path} in {} {}",
                module.path, module.version
            ));
        }
        Ok(added)
    }

    /// The module to be added for a missing package: a replacement that has it, or what the proxies know.
    fn query_import(
        &self,
        path: &str,
        reqs: &Arc<Reqs>,
    ) -> std::result::Result<ModuleVersion, ImportError> {
        if let Some(module) = self.in_neighbours_version(path, reqs)? {
            return Ok(module);
        }
        if let Some(module) = self.replacement_for(path, reqs)? {
            if self.mode != ModMode::ReadOnly {
                return Ok(module);
            }
            return Err(ImportError::Missing(Box::new(super::Missing {
                path: path.to_string(),
                replaced: Some(module),
                ..super::Missing::default()
            })));
        }
        let missing = || super::Missing {
            path: path.to_string(),
            searches: true,
            ..super::Missing::default()
        };
        if crate::patterns::is_standard_import_path(path) {
            return Err(ImportError::Missing(Box::new(super::Missing {
                std_dir: Some(self.config.goroot.join("src").join(path)),
                ..missing()
            })));
        }
        let searches = self.mode == ModMode::Mod || self.mains.is_empty();
        if !searches {
            return Err(ImportError::Missing(Box::new(super::Missing {
                searches: false,
                reason: self.lookup_disabled().map(Arc::new),
                ..missing()
            })));
        }
        let graph = self.graph_of(reqs)?;
        self.fetcher
            .warn(&format!("finding module for package {path}"));
        let current = |module: &str| graph.selected(module).unwrap_or_default().to_string();
        let found = match self.query_pattern(path, "latest", &current, Allowed::Checked) {
            Ok(found) => found,
            Err(error) if error.is_not_exist() => {
                return Err(ImportError::Missing(Box::new(super::Missing {
                    reason: Some(Arc::new(error)),
                    ..missing()
                })));
            }
            Err(error) => return Err(error.into()),
        };
        if let (true, Some(only)) = (found.with_packages.is_empty(), found.module_only) {
            return Err(self.not_in_module(only.module, path, "latest").into());
        }
        let mut older = None;
        for candidate in found.with_packages {
            let module = candidate.module;
            let known = graph.selected_or_none(&module.path);
            if steady_graph::compare(&module.path, known, &module.version).is_lt() {
                return Ok(module);
            }
            older = Some((module, known.to_string()));
        }
        let mut missing = missing();
        if let Some((module, known)) = older {
            missing.module = Some(module);
            missing.required_version = known;
        }
        Err(ImportError::Missing(Box::new(missing)))
    }

    /// A replaced module that has a package nothing in use has, and that may be added for it.
    fn replacement_for(
        &self,
        path: &str,
        reqs: &Arc<Reqs>,
    ) -> std::result::Result<Option<ModuleVersion>, ImportError> {
        let mut first = None;
        for prefix in super::import::prefixes(path) {
            let Some(module) = self.newest_replaced(prefix) else {
                continue;
            };
            let graph = self.graph_of(reqs)?;
            let known = graph.selected_or_none(prefix);
            if steady_graph::compare(prefix, known, &module.version).is_ge() {
                continue;
            }
            let dir = self.module_dir(&module).map_err(|error| {
                if error.is_missing_sum() {
                    return ImportError::MissingSum(Box::new(super::MissingSum {
                        path: path.to_string(),
                        found: false,
                        modules: Vec::new(),
                        importer: None,
                    }));
                }
                error.into()
            })?;
            let local = self
                .replacement(&module)
                .is_some_and(|new| new.version.is_empty());
            let root = super::ModuleDir { dir, local };
            if self.dir_in_module(path, prefix, &root).is_some() {
                return Ok(Some(module));
            }
            first.get_or_insert(module);
        }
        match first {
            // Nobody could serve it under this name, so a replacement would have to have it.
            Some(module) if steady_module::path::check_path(path).is_err() => {
                let missing = super::NotInModule {
                    replacement: self.replacement(&module).cloned().unwrap_or_default(),
                    module,
                    query: "latest".to_string(),
                    pattern: path.to_string(),
                    ..super::NotInModule::default()
                };
                Err(ModError::NotInModule(Box::new(missing)).into())
            }
            _ => Ok(None),
        }
    }

    /// A missing package of a run that may not look for it: what is known all the same.
    #[must_use]
    pub fn explained(&self, missing: &super::Missing) -> ImportError {
        if self.mode != ModMode::ReadOnly || self.mains.is_empty() || self.replace.is_empty() {
            return ImportError::Missing(Box::new(missing.clone()));
        }
        match self.query_import(&missing.path, &self.reqs()) {
            Ok(_) => ImportError::Missing(Box::new(missing.clone())),
            Err(error) => error,
        }
    }

    /// Errors get what is known of who imports.
    fn complete_errors(&self, found: &mut ModulePackages, _reqs: &Arc<Reqs>) {
        for at in 0..found.nodes.len() {
            let importer = found.nodes[at].stack.map(|from| {
                let node = &found.nodes[from];
                Importer {
                    path: node.path.clone(),
                    version: node
                        .module
                        .as_ref()
                        .map_or_else(String::new, |module| module.version.clone()),
                    is_test: node.test_of.is_some(),
                }
            });
            let mut main = found.nodes[at].stack;
            while let Some(from) = main {
                let node = &found.nodes[from];
                if node
                    .module
                    .as_ref()
                    .is_some_and(|module| self.main(&module.path).is_some())
                {
                    break;
                }
                main = node.stack;
            }
            let cd = main
                .and_then(|from| found.nodes[from].module.as_ref())
                .and_then(|module| self.elsewhere(&module.path));
            match &mut found.nodes[at].error {
                Some(ImportError::MissingSum(missing)) => missing.importer = importer,
                Some(ImportError::Missing(missing)) if missing.std_dir.is_none() => {
                    missing.cd = cd;
                }
                _ => {}
            }
        }
    }

    /// Sums that go.sum must keep: of the modules that packages come from or could come from, and of every go.mod that was read.
    #[must_use]
    pub fn keep_sums(
        &self,
        found: Option<&ModulePackages>,
        reqs: &Arc<Reqs>,
        tidy: bool,
        build_list: bool,
    ) -> HashSet<ModuleVersion> {
        let actual = |module: &ModuleVersion| self.replacement(module).unwrap_or(module).clone();
        let key = |module: &ModuleVersion| {
            ModuleVersion::new(module.path.clone(), format!("{}/go.mod", module.version))
        };
        let old = gover::compare(Modules::go_of(reqs), gover::TIDY_GO_MOD_SUM_VERSION).is_lt();
        let drop = old && (tidy || self.mode != ModMode::Mod);
        let mut keep = HashSet::new();
        for node in found.iter().flat_map(|found| &found.nodes) {
            let plain = node.module.is_none() && node.error.is_none();
            if node.test_of.is_some() || plain {
                continue;
            }
            if !drop && let Some(module) = &node.module {
                keep.insert(key(&actual(module)));
            }
            let by_roots = reqs.pruning == Pruning::Pruned
                && node
                    .module
                    .as_ref()
                    .is_some_and(|module| reqs.root(&module.path) == Some(&module.version));
            let graph = if by_roots {
                None
            } else {
                self.graph_of(reqs).ok()
            };
            for prefix in super::import::prefixes(&node.path) {
                let version = match &graph {
                    Some(graph) => graph.selected(prefix),
                    None => reqs.root(prefix),
                };
                if let Some(version) = version.filter(|version| *version != "none") {
                    keep.insert(actual(&ModuleVersion::new(prefix, version)));
                }
            }
        }
        if !reqs.has_graph() {
            for root in &reqs.roots {
                let module = actual(root);
                keep.insert(key(&module));
                if build_list {
                    keep.insert(module);
                }
            }
        } else if let Ok(graph) = self.graph_of(reqs) {
            graph.walk(|module| {
                if graph.was_read(module) {
                    keep.insert(key(&actual(module)));
                }
            });
            if build_list {
                for module in graph.build_list() {
                    let module = actual(&module);
                    if !drop {
                        keep.insert(key(&module));
                    }
                    keep.insert(module);
                }
            }
        }
        keep
    }
}

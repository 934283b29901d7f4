//! The walk over imports: from the packages that are named, in waves, each package once.

use super::{ModulePackages, Node, PackageOptions};
use crate::modload::reqs::Reqs;
use crate::modload::{ImportError, Modules, Resolved};
use crate::patterns::is_appengine_import;
use crate::source::imports::{Scanned, Tags, scan_dir};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use std::sync::Arc;
use steady_module::gover;
use steady_system::parallel;

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

pub(super) struct Walk<'m> {
    pub(super) modules: &'m Modules,
    pub(super) options: &'m PackageOptions,
    pub(super) reqs: Arc<Reqs>,
    /// The `go` line.
    pub(super) go: String,
    pub(super) all_is_root: bool,
    pub(super) all_has_tests: bool,
    pub(super) found: ModulePackages,
    /// Answers by import path and whether a vendor directory of the distribution counts.
    pub(super) queue: Vec<usize>,
}

type Looked = (
    std::result::Result<Resolved, ImportError>,
    BTreeSet<String>,
    BTreeSet<String>,
);

impl Walk<'_> {
    pub(super) fn run(&mut self, roots: &[String]) {
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
            && !self.modules.is_prebuilt(place)
        {
            // What is wrong with files is told when the package is loaded to be built.
            if let Some(found) = self.scanned(&place.dir) {
                let wanted = |path: &&String| !is_appengine_import(path);
                imports.extend(found.imports.iter().filter(wanted).cloned());
                tests.extend(found.test_imports.iter().filter(wanted).cloned());
            }
        }
        (place, imports, tests)
    }

    fn scanned(&self, dir: &Utf8Path) -> Option<Arc<Scanned>> {
        let index = &self.modules.index;
        if self.options.any_tags {
            return index.imports(dir);
        }
        let contents = index.dir(dir).ok()?;
        let found = scan_dir(dir, &contents, Tags::Of(&self.options.context));
        found.ok().map(Arc::new)
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

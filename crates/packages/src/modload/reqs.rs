//! What a run requires: the roots that go.mod (or the members of a workspace) give, and the module graph behind them.
//!
//! [`Reqs`] is a value: commands that change requirements make another one and give it to [`Modules::set_reqs`]. The graph behind it is
//! read when somebody first asks; with pruning most runs never do.

use super::{ModError, ModMode, Modules, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};
use steady_graph::{Graph, Pruning, Reading, Requirements, Summary};
use steady_module::modfile::ModFile;
use steady_module::{ModuleVersion, gover};

/// The module graph of a run.
pub type ModuleGraph = Graph<ModError>;

/// Requirements.
#[derive(Debug)]
pub struct Reqs {
    /// How the roots are pruned.
    pub pruning: Pruning,
    /// The roots, sorted, `go` and `toolchain` among them; in a workspace its members.
    pub roots: Vec<ModuleVersion>,
    /// Paths of modules that packages of the main modules import; the rest is `// indirect`.
    pub direct: BTreeSet<String>,
    selected: HashMap<String, String>,
    graph: OnceLock<Result<Arc<ModuleGraph>>>,
}

impl Reqs {
    /// Requirements on `roots`, in any order.
    #[must_use]
    pub fn new(pruning: Pruning, mut roots: Vec<ModuleVersion>, direct: BTreeSet<String>) -> Reqs {
        sort(&mut roots);
        let mut selected: HashMap<String, String> = HashMap::with_capacity(roots.len());
        for root in &roots {
            let known = selected
                .entry(root.path.clone())
                .or_insert_with(|| root.version.clone());
            if steady_graph::compare(&root.path, known, &root.version).is_lt() {
                known.clone_from(&root.version);
            }
        }
        Reqs {
            pruning,
            roots,
            direct,
            selected,
            graph: OnceLock::new(),
        }
    }

    /// The same requirements, with other marks of which are direct.
    #[must_use]
    pub fn with_direct(&self, direct: BTreeSet<String>) -> Reqs {
        Reqs {
            pruning: self.pruning,
            roots: self.roots.clone(),
            direct,
            selected: self.selected.clone(),
            graph: self.graph.clone(),
        }
    }

    /// The newest version that the roots themselves name for a path.
    #[must_use]
    pub fn root(&self, path: &str) -> Option<&str> {
        self.selected.get(path).map(String::as_str)
    }

    /// The `go` version among the roots.
    #[must_use]
    pub fn go_version(&self) -> &str {
        self.root("go").unwrap_or(gover::DEFAULT_GO_MOD_VERSION)
    }

    /// Whether the graph was read.
    #[must_use]
    pub fn has_graph(&self) -> bool {
        self.graph.get().is_some()
    }
}

/// Modules by path, then by version.
pub(super) fn sort(modules: &mut [ModuleVersion]) {
    modules.sort_by(|a, b| {
        a.path
            .cmp(&b.path)
            .then_with(|| steady_graph::compare(&a.path, &a.version, &b.version))
    });
}

impl Modules {
    /// The requirements in force.
    #[must_use]
    pub fn reqs(&self) -> Arc<Reqs> {
        let reqs = self.reqs.read();
        Arc::clone(&reqs.unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Other requirements from here on.
    pub fn set_reqs(&self, reqs: Arc<Reqs>) {
        *self
            .reqs
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = reqs;
    }

    /// The module graph, read at the first question.
    ///
    /// # Errors
    /// A go.mod of the graph cannot be had.
    pub fn graph(&self) -> Result<Arc<ModuleGraph>> {
        self.graph_of(&self.reqs())
    }

    /// The graph behind other requirements.
    ///
    /// # Errors
    /// A go.mod of the graph cannot be had.
    pub fn graph_of(&self, reqs: &Reqs) -> Result<Arc<ModuleGraph>> {
        reqs.graph
            .get_or_init(|| self.read_graph(reqs, None))
            .clone()
    }

    /// The graph that a Go version sees behind go.mod as it stands.
    ///
    /// # Errors
    /// The version could not read go.mod at all; a go.mod of the graph cannot be had.
    pub fn graph_at(&self, go_version: &str) -> Result<Arc<ModuleGraph>> {
        let reqs = self.reqs();
        let least = reqs.go_version();
        if gover::compare(least, gover::GO_STRICT_VERSION).is_ge()
            && gover::compare(go_version, least).is_lt()
        {
            return Err(ModError::Message(format!(
                "requested Go version {go_version} cannot load module graph (requires Go >= {least})"
            )));
        }
        let pruning = Pruning::for_go_version(go_version);
        if pruning == Pruning::Unpruned && reqs.pruning != pruning {
            let unpruned = Reqs::new(pruning, reqs.roots.clone(), reqs.direct.clone());
            return self.graph_of(&unpruned);
        }
        self.graph()
    }

    /// Reads a graph; `unprune`: modules behind which pruning does not end.
    pub(super) fn read_graph(
        &self,
        reqs: &Reqs,
        unprune: Option<&HashSet<ModuleVersion>>,
    ) -> Result<Arc<ModuleGraph>> {
        let key = match unprune {
            None => self.graph_key(reqs),
            Some(_) => None,
        };
        if let Some(known) = key.as_ref().and_then(|key| self.remembered_graph(key)) {
            return Ok(Arc::new(known));
        }
        let graph = self.read_graph_anyway(reqs, unprune);
        if let Some(error) = graph.error() {
            return Err(ModError::Graph(Arc::new(error)));
        }
        if let Some(key) = key {
            self.remember_graph(&key, &graph);
        }
        Ok(graph)
    }

    /// Reads a graph as far as it can be read.
    pub(super) fn read_graph_anyway(
        &self,
        reqs: &Reqs,
        unprune: Option<&HashSet<ModuleVersion>>,
    ) -> Arc<ModuleGraph> {
        let main = self.main_version();
        Arc::new(Graph::read(
            Reading {
                main: (reqs.pruning != Pruning::Workspace).then_some(&main),
                roots: &reqs.roots,
                pruning: reqs.pruning,
                unprune,
            },
            self,
        ))
    }

    /// Whether go.sum must have every sum that is needed.
    pub(super) fn must_have_sums(&self) -> bool {
        self.mode == ModMode::ReadOnly && !self.mains.is_empty() && self.work.is_none()
    }

    /// What one module asks for, by its go.mod at `place`.
    fn summary(&self, module: &ModuleVersion, text: &[u8], place: &Utf8Path) -> Result<Summary> {
        let text = String::from_utf8_lossy(text);
        let actual = self.replacement(module).unwrap_or(module);
        let file = ModFile::parse_lax(place.as_str(), &text, None).map_err(|errors| {
            let shown = super::open::short(place, &self.config.cwd);
            ModError::Message(format!("parsing {shown}: {errors}")).about(actual)
        })?;
        // A directory that replaces a module may say anything.
        if !actual.version.is_empty() {
            let declared = file.module.as_ref().map_or("", |found| &found.path);
            if declared.is_empty() {
                let text = "parsing go.mod: missing module line";
                return Err(ModError::message(text).about(actual));
            }
            if declared != actual.path && declared != module.path {
                let text = format!(
                    "parsing go.mod:\n\tmodule declares its path as: {declared}\n\t        but was required as: {}",
                    module.path
                );
                return Err(ModError::Message(text).about(actual));
            }
        }
        let go_version = file.go.as_ref().map_or("", |go| &go.value);
        if self.is_too_new(go_version) {
            return Err(ModError::TooNew {
                what: format!("module {actual}"),
                wanted: go_version.to_string(),
                running: self.config.go_version.clone(),
                explain: self.config.toolchain_explain.clone(),
            });
        }
        Ok(self.with_exclusions(&file, go_version))
    }

    fn with_exclusions(&self, file: &ModFile, go_version: &str) -> Summary {
        let mut requires: Vec<ModuleVersion> = file
            .require
            .iter()
            .map(|require| require.module.clone())
            .collect();
        requires.retain(|require| !self.exclude.contains(require));
        // Before, the go line was no more than a hint.
        if gover::compare(go_version, gover::GO_STRICT_VERSION).is_lt() {
            return Summary {
                requires,
                pruning: Pruning::for_go_version(go_version),
            };
        }
        // A toolchain line counts in the main module's own go.mod (or go.work) alone.
        requires.push(ModuleVersion::new("go", go_version));
        Summary {
            requires,
            pruning: Pruning::for_go_version(go_version),
        }
    }

    /// The go.mod of a directory that replaces a module, and where it lies.
    pub(super) fn replaced_text(
        &self,
        module: &ModuleVersion,
    ) -> Option<Result<(Vec<u8>, Utf8PathBuf)>> {
        let by = self.replaced_by(module)?;
        if !by.replace.new.version.is_empty() {
            return None;
        }
        let path = steady_system::clean(&by.base.join(&by.replace.new.path)).join("go.mod");
        let read = self.files.read(&path).map_err(|error| {
            let name = by.replace.new.path.trim_end_matches('/');
            ModError::Message(format!(
                "reading {name}/go.mod: open {path}: {}",
                error.cause()
            ))
            .about(&by.replace.new)
        });
        Some(read.map(|bytes| (bytes, path)))
    }

    /// What `module` requires, read now if need be.
    ///
    /// # Errors
    /// Its go.mod cannot be had.
    pub(super) fn summary_of(&self, module: &ModuleVersion) -> Result<Arc<Summary>> {
        let mut all = self.summaries(std::slice::from_ref(module));
        all.pop()
            .unwrap_or_else(|| Err(ModError::message("not a module of this run")))
    }

    /// Makes sure that a module's go.mod can be had and is in order; the graph in force may have seen to that.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn check_go_mod(&self, module: &ModuleVersion) -> Result<()> {
        let reqs = self.reqs();
        if let Some(Ok(graph)) = reqs.graph.get()
            && graph.was_read(module)
        {
            return Ok(());
        }
        self.summary_of(module).map(drop)
    }

    fn missing_sum(&self, actual: &ModuleVersion) -> Option<ModError> {
        let key = ModuleVersion::new(actual.path.clone(), format!("{}/go.mod", actual.version));
        if !self.must_have_sums() || self.fetcher.have_sum(&key) {
            return None;
        }
        let hint = format!(
            " for go.mod file; to add it:\n\tgo mod download {}",
            actual.path
        );
        Some(ModError::MissingSum(hint).about(actual))
    }
}

impl Requirements for Modules {
    type Error = ModError;

    fn summaries(&self, modules: &[ModuleVersion]) -> Vec<Result<Arc<Summary>>> {
        let mut out: Vec<Option<Result<Arc<Summary>>>> = vec![None; modules.len()];
        let mut fetch = Vec::new();
        for (at, module) in modules.iter().enumerate() {
            if let Some(known) = self.known_summary(module) {
                out[at] = Some(known);
            } else if module.version.is_empty() && self.main(&module.path).is_some() {
                let main = self.main(&module.path);
                let go = |main: &super::MainModule| {
                    main.file
                        .go
                        .as_ref()
                        .map_or(String::new(), |go| go.value.clone())
                };
                out[at] =
                    main.map(|main| Ok(Arc::new(self.with_exclusions(&main.file, &go(main)))));
            } else if gover::is_toolchain(&module.path) {
                out[at] = Some(Ok(Arc::new(toolchain_summary(module))));
            } else if let Some(text) = self.replaced_text(module) {
                let read = text.and_then(|(text, place)| self.summary(module, &text, &place));
                out[at] = Some(self.keep_summary(module, read));
            } else {
                let actual = self.replacement(module).unwrap_or(module).clone();
                match self.missing_sum(&actual) {
                    Some(error) => out[at] = Some(Err(error)),
                    None => fetch.push((at, actual)),
                }
            }
        }
        let wanted: Vec<ModuleVersion> = fetch.iter().map(|(_, actual)| actual.clone()).collect();
        for ((at, actual), answer) in fetch.into_iter().zip(self.fetcher.go_mod_many(&wanted)) {
            let read = answer.map_err(ModError::from).and_then(|text| {
                self.summary(&modules[at], &text, Utf8Path::new("go.mod"))
                    .map_err(|error| error.about(&actual))
            });
            out[at] = Some(self.keep_summary(&modules[at], read));
        }
        out.into_iter()
            .map(|summary| {
                summary.unwrap_or_else(|| Err(ModError::message("not a module of this run")))
            })
            .collect()
    }
}

impl Modules {
    /// The modules whose go.mod was read so far, main modules apart.
    #[must_use]
    pub fn read_go_mods(&self) -> Vec<ModuleVersion> {
        let known = self.summaries.lock();
        let mut read: Vec<ModuleVersion> =
            known.map_or_else(|_| Vec::new(), |known| known.keys().cloned().collect());
        read.retain(|module| !gover::is_toolchain(&module.path));
        sort(&mut read);
        read
    }

    /// Reads the go.mod files of modules, together as a graph's are.
    ///
    /// # Errors
    /// One of them cannot be had.
    pub fn read_each(&self, modules: &[ModuleVersion]) -> Result<()> {
        self.summaries(modules)
            .into_iter()
            .try_for_each(|read| read.map(drop))
    }

    fn known_summary(&self, module: &ModuleVersion) -> Option<Result<Arc<Summary>>> {
        let known = self.summaries.lock().ok()?;
        known.get(module).map(|summary| Ok(Arc::clone(summary)))
    }

    /// Several graphs are read in a run that changes requirements; each go.mod is parsed once.
    fn keep_summary(&self, module: &ModuleVersion, read: Result<Summary>) -> Result<Arc<Summary>> {
        let summary = Arc::new(read?);
        if let Ok(mut known) = self.summaries.lock() {
            known.insert(module.clone(), Arc::clone(&summary));
        }
        Ok(summary)
    }
}

/// A Go release needs the toolchain of its name, from the first release on whose `go` line was binding.
fn toolchain_summary(module: &ModuleVersion) -> Summary {
    let mut requires = Vec::new();
    if module.path == "go" && gover::compare(&module.version, gover::GO_STRICT_VERSION).is_ge() {
        requires.push(ModuleVersion::new(
            "toolchain",
            format!("go{}", module.version),
        ));
    }
    Summary {
        requires,
        pruning: Pruning::Pruned,
    }
}

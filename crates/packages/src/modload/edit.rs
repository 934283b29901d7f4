//! Requirements under constraints: some versions must be selected just so, some should rise if they can, and everything else gives way
//! as little as possible.

use super::reqs::{ModuleGraph, Reqs, sort};
use super::{Allowed, Conflict, ModError, Modules, Result};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use steady_graph::Pruning;
use steady_module::{ModuleVersion, gover};

fn compare(path: &str, a: &str, b: &str) -> std::cmp::Ordering {
    steady_graph::compare(path, a, b)
}

impl Modules {
    /// Requirements in which each of `must` is selected at just its version (`none`: not at all), and each of `upgrade` at that
    /// version or a newer one if nothing stands against it. `None`: nothing changes.
    ///
    /// # Errors
    /// [`ModError::Conflicts`], or what keeps the graph from being read.
    pub fn edit(
        &self,
        original: &Arc<Reqs>,
        upgrade: &[ModuleVersion],
        must: &[ModuleVersion],
    ) -> Result<Option<Arc<Reqs>>> {
        let mut pruning = original.pruning;
        for module in must {
            if module.path == "go" {
                pruning = Pruning::for_go_version(&module.version);
                break;
            }
            let go = gover::from_toolchain(&module.version);
            if module.path == "toolchain" && Pruning::for_go_version(go) == Pruning::Unpruned {
                pruning = Pruning::Unpruned;
                break;
            }
        }
        let reqs = self.convert(original, pruning)?;
        let mut wanted: BTreeMap<String, String> = match pruning {
            Pruning::Unpruned => self
                .graph_of(&reqs)?
                .build_list()
                .into_iter()
                .filter(|module| !module.version.is_empty())
                .map(|module| (module.path, module.version))
                .collect(),
            _ => reqs
                .roots
                .iter()
                .map(|root| {
                    let version = reqs.root(&root.path).unwrap_or(&root.version);
                    (root.path.clone(), version.to_string())
                })
                .collect(),
        };
        for module in upgrade {
            let known = wanted.get(&module.path);
            if known.is_none_or(|known| compare(&module.path, known, &module.version).is_lt()) {
                if self.config.tells_edits {
                    self.fetcher.warn(&format!("trying upgrade to {module}"));
                }
                wanted.insert(module.path.clone(), module.version.clone());
            }
        }
        let fixed = fixed_versions(must)?;
        for (path, version) in &fixed {
            wanted.insert(path.clone(), version.clone());
        }
        let mut search = Search {
            modules: self,
            original,
            pruning,
            fixed,
            wanted,
            rejected: HashSet::new(),
        };
        let mut roots = search.run()?;
        if pruning == Pruning::Unpruned {
            let mut paths: Vec<String> = must
                .iter()
                .filter(|module| module.version != "none" && self.main(&module.path).is_none())
                .map(|module| module.path.clone())
                .collect();
            for root in &roots {
                let known = reqs.root(&root.path);
                if known.is_some_and(|version| {
                    version == root.version || reqs.direct.contains(&root.path)
                }) {
                    paths.push(root.path.clone());
                }
            }
            roots = self.least(&paths, &roots)?;
        }
        if pruning == original.pruning && roots == original.roots {
            return Ok(None);
        }
        let direct: BTreeSet<String> = roots
            .iter()
            .filter(|root| reqs.direct.contains(&root.path))
            .map(|root| root.path.clone())
            .collect();
        let mut edited = Arc::new(Reqs::new(pruning, roots, direct));
        let go = edited.root("go").unwrap_or_default();
        if pruning == Pruning::Unpruned && Pruning::for_go_version(go) == Pruning::Pruned {
            edited = self.convert(&edited, Pruning::Pruned)?;
        }
        Ok(Some(edited))
    }
}

/// What must be selected; two versions of one module contradict one another.
fn fixed_versions(must: &[ModuleVersion]) -> Result<HashMap<String, String>> {
    let mut fixed: HashMap<String, String> = HashMap::new();
    let mut conflicts = Vec::new();
    for module in must {
        match fixed.get(&module.path) {
            Some(known) if *known != module.version => {
                let known = ModuleVersion::new(module.path.clone(), known.clone());
                let (above, below) =
                    if compare(&module.path, &known.version, &module.version).is_gt() {
                        (known, module.clone())
                    } else {
                        (module.clone(), known)
                    };
                conflicts.push(Conflict {
                    path: vec![above],
                    constraint: below,
                    error: None,
                });
            }
            _ => {
                fixed.insert(module.path.clone(), module.version.clone());
            }
        }
    }
    if conflicts.is_empty() {
        Ok(fixed)
    } else {
        Err(ModError::Conflicts(Arc::new(conflicts)))
    }
}

/// Why a module version cannot be used.
#[derive(Debug, Clone)]
enum Reason {
    /// Its requirements cannot be read.
    Error(Arc<ModError>),
    /// It is, or leads to, this version.
    Leads(ModuleVersion),
}

/// The versions that cannot be used, seen with and without pruning behind them, and who requires what.
struct Disqualified {
    /// Roots and what they were raised to, with how each is pruned itself.
    roots: HashMap<ModuleVersion, Pruning>,
    pruned: HashMap<ModuleVersion, Reason>,
    unpruned: HashMap<ModuleVersion, Reason>,
    requiring: HashMap<ModuleVersion, Vec<ModuleVersion>>,
}

impl Disqualified {
    fn reason(&self, module: &ModuleVersion, pruning: Pruning) -> Option<&Reason> {
        match pruning {
            Pruning::Unpruned => self.unpruned.get(module),
            _ => self.pruned.get(module),
        }
    }

    /// Notes that `module` requires `other`; false if that settles the case of `module`.
    fn require(&mut self, module: &ModuleVersion, other: &ModuleVersion) -> bool {
        if let Some(&pruning) = self.roots.get(other)
            && self.reason(other, pruning).is_some()
        {
            self.disqualify(module, Pruning::Pruned, Reason::Leads(other.clone()));
            return false;
        }
        if self.unpruned.contains_key(other) {
            self.disqualify(module, Pruning::Unpruned, Reason::Leads(other.clone()));
            if !self.roots.contains_key(module) {
                return false;
            }
        }
        self.requiring
            .entry(other.clone())
            .or_default()
            .push(module.clone());
        true
    }

    /// A version disqualified with pruning is so without it, too; who requires it follows.
    fn disqualify(&mut self, module: &ModuleVersion, from: Pruning, reason: Reason) {
        let mut waiting = vec![(module.clone(), from, reason)];
        while let Some((module, from, reason)) = waiting.pop() {
            if self.reason(&module, from).is_some() {
                continue;
            }
            let own = self.roots.get(&module).copied();
            let own_unpruned = own == Some(Pruning::Unpruned);
            if from != Pruning::Unpruned || own_unpruned {
                self.pruned
                    .entry(module.clone())
                    .or_insert_with(|| reason.clone());
            }
            self.unpruned.entry(module.clone()).or_insert(reason);
            let leads = Reason::Leads(module.clone());
            if own.is_some() && (from != Pruning::Unpruned || own_unpruned) {
                for user in self.requiring.remove(&module).unwrap_or_default() {
                    waiting.push((user, Pruning::Pruned, leads.clone()));
                }
                continue;
            }
            let users = match own {
                Some(_) => self.requiring.get(&module).cloned(),
                None => self.requiring.remove(&module),
            };
            for user in users.unwrap_or_default() {
                waiting.push((user, Pruning::Unpruned, leads.clone()));
            }
        }
    }

    /// The way from a root to what disqualifies it; `None`: nothing does.
    fn conflict(
        &self,
        root: &ModuleVersion,
        pruning: Pruning,
    ) -> Option<(Vec<ModuleVersion>, Option<Arc<ModError>>)> {
        let mut pruning = pruning;
        let mut way: Vec<ModuleVersion> = Vec::new();
        let mut at = root.clone();
        loop {
            if self.roots.get(&at) == Some(&Pruning::Unpruned) {
                pruning = Pruning::Unpruned;
            }
            let Some(reason) = self.reason(&at, pruning) else {
                return (!way.is_empty()).then_some((way, None));
            };
            if way.contains(&at) {
                return Some((way, None));
            }
            way.push(at.clone());
            match reason {
                Reason::Error(error) => return Some((way, Some(Arc::clone(error)))),
                Reason::Leads(next) if *next == at => return Some((way, None)),
                Reason::Leads(next) => at = next.clone(),
            }
        }
    }
}

struct Search<'a> {
    modules: &'a Modules,
    original: &'a Arc<Reqs>,
    pruning: Pruning,
    fixed: HashMap<String, String>,
    wanted: BTreeMap<String, String>,
    rejected: HashSet<ModuleVersion>,
}

impl Search<'_> {
    /// Tries roots until none of them is in conflict with what must be.
    fn run(&mut self) -> Result<Vec<ModuleVersion>> {
        loop {
            let mut roots: Vec<ModuleVersion> = self
                .wanted
                .iter()
                .filter(|(_, version)| *version != "none")
                .map(|(path, version)| ModuleVersion::new(path.clone(), version.clone()))
                .collect();
            sort(&mut roots);
            let (graph, raised) = self.extend(&roots);
            if let Some(error) = graph.error()
                && error.error.too_new().is_some()
            {
                return Err(ModError::Graph(Arc::new(error)));
            }
            let tracked = self.judge(&graph, &roots, &raised);
            let mut conflicts = Vec::new();
            let mut again = false;
            for root in &roots {
                again |= self.settle(root, &graph, &tracked, &mut conflicts)?;
            }
            if !conflicts.is_empty() {
                return Err(ModError::Conflicts(Arc::new(conflicts)));
            }
            if again {
                continue;
            }
            let mut raised_from = Vec::new();
            for (path, version) in &mut self.wanted {
                let selected = graph.selected_or_none(path);
                if !self.fixed.contains_key(path) && selected != version {
                    let before = std::mem::replace(version, selected.to_string());
                    raised_from.push(ModuleVersion::new(path.clone(), before));
                    again = true;
                }
            }
            if self.modules.config.tells_edits {
                sort(&mut raised_from);
                for module in &raised_from {
                    let now = graph.selected_or_none(&module.path);
                    let text = format!("accepting indirect upgrade from {module} to {now}");
                    self.modules.fetcher.warn(&text);
                }
            }
            if !again {
                return Ok(roots);
            }
        }
    }

    /// The graph behind roots, with the versions that roots were raised to read as roots are.
    fn extend(&self, roots: &[ModuleVersion]) -> (Arc<ModuleGraph>, HashSet<ModuleVersion>) {
        let mut raised: HashSet<ModuleVersion> = HashSet::new();
        let reqs = Reqs::new(self.pruning, roots.to_vec(), BTreeSet::new());
        loop {
            let graph = self.modules.read_graph_anyway(&reqs, Some(&raised));
            if self.pruning == Pruning::Unpruned {
                return (graph, raised);
            }
            let before = raised.len();
            for path in self.wanted.keys() {
                let Some(version) = graph.selected(path).filter(|version| *version != "none")
                else {
                    continue;
                };
                let module = ModuleVersion::new(path.clone(), version);
                if !graph.was_read(&module) {
                    raised.insert(module);
                }
            }
            if raised.len() == before {
                return (graph, raised);
            }
        }
    }

    fn judge(
        &self,
        graph: &ModuleGraph,
        roots: &[ModuleVersion],
        raised: &HashSet<ModuleVersion>,
    ) -> Disqualified {
        let pruning_of = |module: &ModuleVersion| {
            if self.pruning != Pruning::Unpruned
                && graph.pruning_of(module) == Some(Pruning::Unpruned)
            {
                Pruning::Unpruned
            } else {
                self.pruning
            }
        };
        let mut tracked = Disqualified {
            roots: roots
                .iter()
                .chain(raised)
                .map(|module| (module.clone(), pruning_of(module)))
                .collect(),
            pruned: HashMap::new(),
            unpruned: HashMap::new(),
            requiring: HashMap::new(),
        };
        let above = |module: &ModuleVersion| {
            let fixed = self.fixed.get(&module.path);
            fixed.is_some_and(|fixed| compare(&module.path, &module.version, fixed).is_gt())
        };
        graph.walk(|module| {
            if above(module) {
                tracked.disqualify(module, Pruning::Pruned, Reason::Leads(module.clone()));
                return;
            }
            if let Some(error) = graph.error_of(module) {
                let error = Reason::Error(Arc::new(error.clone()));
                tracked.disqualify(module, Pruning::Pruned, error);
                return;
            }
            let Some(requires) = graph.required_by(module) else {
                return;
            };
            if module.version.is_empty() {
                return;
            }
            let requires: Vec<ModuleVersion> = requires.cloned().collect();
            if let Some(bad) = requires.iter().find(|require| above(require)) {
                tracked.disqualify(module, Pruning::Pruned, Reason::Leads(bad.clone()));
                return;
            }
            for require in &requires {
                if !tracked.require(module, require) {
                    break;
                }
            }
        });
        tracked
    }

    /// Lowers a root that is in conflict; true if roots have changed.
    fn settle(
        &mut self,
        root: &ModuleVersion,
        graph: &ModuleGraph,
        tracked: &Disqualified,
        conflicts: &mut Vec<Conflict>,
    ) -> Result<bool> {
        let pruning = tracked.roots.get(root).copied().unwrap_or(self.pruning);
        let Some((way, error)) = tracked.conflict(root, pruning) else {
            return Ok(false);
        };
        let constraint = match (&error, way.last()) {
            (None, Some(last)) => {
                let fixed = self.fixed.get(&last.path).cloned().unwrap_or_default();
                ModuleVersion::new(last.path.clone(), fixed)
            }
            _ => ModuleVersion::default(),
        };
        let failed = error.is_some();
        let conflict = Conflict {
            path: way,
            constraint,
            error,
        };
        if self.fixed.get(&root.path) == Some(&root.version) {
            conflicts.push(conflict);
            return Ok(false);
        }
        let selected = graph.selected_or_none(&root.path);
        if selected != root.version {
            // A newer version was selected anyway; if that one can stay, it will take this one's place.
            let raised = ModuleVersion::new(root.path.clone(), selected);
            let pruning = tracked.roots.get(&raised).copied().unwrap_or(self.pruning);
            if tracked.reason(&raised, pruning).is_none() && !self.rejected.contains(&raised) {
                return Ok(false);
            }
        }
        let before = self
            .modules
            .graph_of(self.original)
            .map_or("none".to_string(), |graph| {
                graph.selected_or_none(&root.path).to_string()
            });
        if failed && before == root.version {
            conflicts.push(conflict);
            return Ok(false);
        }
        self.rejected.insert(root.clone());
        let lower = self.lower(root, graph, tracked, &before)?;
        if failed || self.modules.config.tells_edits {
            let action = match lower.as_str() {
                "none" => format!("removing {root}"),
                version if version == before => format!("restoring {}@{version}", root.path),
                version => format!("trying {}@{version}", root.path),
            };
            self.modules
                .fetcher
                .warn(&format!("{}\n\t{action}", conflict.summary()));
        }
        self.wanted.insert(root.path.clone(), lower);
        Ok(true)
    }

    /// The newest version below a root that is not known to be in conflict; the original one before anything older than it.
    fn lower(
        &mut self,
        root: &ModuleVersion,
        graph: &ModuleGraph,
        tracked: &Disqualified,
        before: &str,
    ) -> Result<String> {
        let was_raised = compare(&root.path, &root.version, before).is_gt();
        let mut at = root.clone();
        loop {
            let previous = self.modules.previous_version(&at);
            at.version = match previous {
                Ok(version) if was_raised && compare(&root.path, &version, before).is_lt() => {
                    before.to_string()
                }
                Err(_) if was_raised => before.to_string(),
                Ok(version) => version,
                Err(error) => return Err(error),
            };
            if at.version == "none" {
                return Ok(at.version);
            }
            if self.rejected.contains(&at) {
                continue;
            }
            let pruning = match self.pruning {
                Pruning::Unpruned => Pruning::Unpruned,
                _ => graph.pruning_of(root).unwrap_or(self.pruning),
            };
            if tracked.reason(&at, pruning).is_some() {
                self.rejected.insert(at.clone());
                continue;
            }
            return Ok(at.version);
        }
    }
}

impl Modules {
    /// The newest tagged version before another one; `none` if there is none.
    fn previous_version(&self, module: &ModuleVersion) -> Result<String> {
        if module.version.is_empty() && self.main(&module.path).is_some() {
            return Ok("none".to_string());
        }
        let list = match self.versions_with_replacements(&module.path) {
            Ok((list, _)) => list,
            Err(error) if error.is_not_exist() => Vec::new(),
            Err(error) => return Err(error),
        };
        let older = list.iter().rev().find(|version| {
            let candidate = ModuleVersion::new(module.path.clone(), (*version).clone());
            gover::mod_compare(&module.path, version, &module.version).is_lt()
                && !self
                    .check_allowed(&candidate, Allowed::NotExcluded)
                    .is_err_and(|error| error.is_disallowed())
        });
        Ok(older.map_or("none".to_string(), Clone::clone))
    }
}

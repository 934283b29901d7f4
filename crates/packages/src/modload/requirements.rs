//! The module graph of a run: what each module's go.mod asks for, with replacements and exclusions applied.

use super::{ModError, Modules, Result};
use std::collections::HashSet;
use steady_graph::{Graph, Pruning, Requirements, Summary};
use steady_module::modfile::ModFile;
use steady_module::{ModuleVersion, gover};

impl Modules {
    /// The module graph, read at the first question.
    ///
    /// # Errors
    /// A go.mod of the graph cannot be had.
    pub fn graph(&self) -> Result<&Graph> {
        self.graph
            .get_or_init(|| self.read_graph())
            .as_ref()
            .map_err(Clone::clone)
    }

    fn read_graph(&self) -> Result<Graph> {
        let mut roots: Vec<ModuleVersion> = self
            .mains
            .iter()
            .map(|main| ModuleVersion::new(main.path.clone(), ""))
            .collect();
        // In a single module the main module's requirements are the roots; of a workspace the members are, each pruned by its own rules.
        let (graph, errors) = if self.work.is_some() {
            Graph::read(&roots, Pruning::Workspace, self)
        } else {
            let mut named: Vec<ModuleVersion> = self
                .roots
                .iter()
                .map(|(path, version)| ModuleVersion::new(path.clone(), version.clone()))
                .collect();
            named.sort();
            roots.extend(named);
            Graph::read(&roots, self.pruning, self)
        };
        match errors.into_iter().next() {
            None => Ok(graph),
            Some(error) => Err(ModError::Graph(describe_chain(&error.chain, &error.error))),
        }
    }

    /// What one module asks for.
    fn summary(
        &self,
        module: &ModuleVersion,
        text: &[u8],
        shown: &str,
    ) -> std::result::Result<Summary, String> {
        let text = String::from_utf8_lossy(text);
        let mut as_written = |_: &str, version: &str| {
            let canonical = steady_module::path::canonical_version(version);
            Ok(if canonical.is_empty() {
                version.to_string()
            } else {
                canonical
            })
        };
        let file = ModFile::parse_lax(shown, &text, Some(&mut as_written))
            .map_err(|errors| format!("parsing {shown}: {errors}"))?;
        if self.replaced_by(module).is_some() {
            if file.module.is_none() {
                return Err(format!("parsing {shown}: missing module line"));
            }
        } else {
            let declared = file.module.as_ref().map_or("", |found| &found.path);
            if !declared.is_empty() && declared != module.path {
                return Err(format!(
                    "parsing go.mod:\n\tmodule declares its path as: {declared}\n\t        but was required as: {}",
                    module.path
                ));
            }
        }
        let go_version = file.go.as_ref().map_or("", |go| &go.value);
        if gover::compare(go_version, &self.config.go_version).is_gt() {
            return Err(format!(
                "module {module} requires go >= {go_version} (running go {}{})",
                self.config.go_version, self.config.toolchain_explain
            ));
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
        if !go_version.is_empty() {
            requires.push(ModuleVersion::new("go", go_version));
        }
        if let Some(toolchain) = file
            .toolchain
            .as_ref()
            .filter(|toolchain| toolchain.value != "default")
        {
            requires.push(ModuleVersion::new("toolchain", toolchain.value.clone()));
        }
        Summary {
            requires,
            pruning: Pruning::for_go_version(go_version),
        }
    }

    fn replaced_text(
        &self,
        module: &ModuleVersion,
    ) -> Option<std::result::Result<(Vec<u8>, String), String>> {
        let by = self.replaced_by(module)?;
        if !by.replace.new.version.is_empty() {
            return None;
        }
        let path = steady_system::clean(&by.base.join(&by.replace.new.path)).join("go.mod");
        let shown = super::open::short(&path, &self.config.cwd);
        Some(
            self.files
                .read(&path)
                .map(|bytes| (bytes, shown))
                .map_err(|error| {
                    format!(
                        "reading {}: {error}",
                        by.replace.new.path.clone() + "/go.mod"
                    )
                }),
        )
    }
}

impl Requirements for Modules {
    type Error = String;

    fn summaries(&self, modules: &[ModuleVersion]) -> Vec<std::result::Result<Summary, String>> {
        let mut out: Vec<Option<std::result::Result<Summary, String>>> =
            Vec::with_capacity(modules.len());
        let mut fetch = Vec::new();
        for module in modules {
            if module.version.is_empty() {
                out.push(
                    self.main(&module.path)
                        .map(|main| Ok(self.with_exclusions(&main.file, main.go_version()))),
                );
            } else if gover::is_toolchain(&module.path) {
                out.push(Some(Ok(Summary {
                    requires: Vec::new(),
                    pruning: Pruning::Pruned,
                })));
            } else if let Some(text) = self.replaced_text(module) {
                out.push(Some(
                    text.and_then(|(text, shown)| self.summary(module, &text, &shown)),
                ));
            } else {
                let actual = self.replacement(module).unwrap_or(module).clone();
                fetch.push((out.len(), actual));
                out.push(None);
            }
        }
        let wanted: Vec<ModuleVersion> = fetch.iter().map(|(_, actual)| actual.clone()).collect();
        for ((at, actual), answer) in fetch.into_iter().zip(self.fetcher.go_mod_many(&wanted)) {
            let text = answer.map_err(|error| error.to_string());
            out[at] = Some(text.and_then(|text| {
                self.summary(&modules[at], &text, &format!("{actual}/go.mod"))
                    .map_err(|error| format!("{actual}: {error}"))
            }));
        }
        out.into_iter()
            .map(|summary| summary.unwrap_or_else(|| Err("not a module of this run".into())))
            .collect()
    }
}

/// `a@v1 requires\n\tb@v2: reason`, as go shows the way to an error.
fn describe_chain(chain: &[ModuleVersion], error: &str) -> String {
    let mut seen = HashSet::new();
    let chain: Vec<&ModuleVersion> = chain.iter().filter(|module| seen.insert(*module)).collect();
    // The main module's own requirements are where the reader looks first: no need to say that it requires them.
    let chain: Vec<&&ModuleVersion> = chain
        .iter()
        .filter(|module| !module.version.is_empty())
        .collect();
    let Some((last, before)) = chain.split_last() else {
        return error.to_string();
    };
    let mut out = String::new();
    for module in before {
        out += &format!("{module} requires\n\t");
    }
    let prefix = format!("{last}: ");
    if error.starts_with(&prefix) {
        out + error
    } else {
        out + &prefix + error
    }
}

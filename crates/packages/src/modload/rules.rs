//! `replace` and `exclude` lines as they stand, and what they do to the graph in force.

use super::{Modules, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use steady_module::ModuleVersion;
use steady_module::modfile::{ModFile, Replace};

/// Where a line stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A go.mod or go.work, as an absolute path.
    pub file: Utf8PathBuf,
    /// From 1.
    pub line: usize,
}

/// A `replace` line.
#[derive(Debug, Clone)]
pub struct ReplaceLine {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub rule: Replace,
    /// It stands in go.work.
    pub of_work: bool,
}

impl Modules {
    /// All `replace` lines of main modules and go.work, in the order in which they stand.
    #[must_use]
    pub fn replace_lines(&self) -> Vec<ReplaceLine> {
        let line = |file: &Utf8Path, of_work| {
            let file = file.to_owned();
            move |entry: &steady_module::modfile::Entry<Replace>| ReplaceLine {
                place: Place {
                    file: file.clone(),
                    line: entry.at.line,
                },
                rule: entry.value.clone(),
                of_work,
            }
        };
        let mut lines = Vec::new();
        if let Some((path, work)) = &self.work {
            lines.extend(work.replace.iter().map(line(path, true)));
        }
        for main in &self.mains {
            lines.extend(main.file.replace.iter().map(line(&main.go_mod, false)));
        }
        lines
    }

    /// All `exclude` lines of main modules, in the order in which they stand.
    #[must_use]
    pub fn exclude_lines(&self) -> Vec<(Place, ModuleVersion)> {
        let of_main = |main: &super::MainModule| {
            let file = main.go_mod.clone();
            main.file
                .exclude
                .iter()
                .map(move |entry| {
                    let place = Place {
                        file: file.clone(),
                        line: entry.at.line,
                    };
                    (place, entry.value.clone())
                })
                .collect::<Vec<_>>()
        };
        self.mains.iter().flat_map(of_main).collect()
    }

    /// The file of the rule that stands in for a module version, and the rule's left side as it is written there.
    #[must_use]
    pub fn replaced_in(&self, module: &ModuleVersion) -> Option<(&Utf8Path, &ModuleVersion)> {
        let by = self.replaced_by(module)?;
        Some((&by.file, &by.replace.old))
    }

    /// For each excluded version the modules of the graph whose go.mod asks for just that version.
    ///
    /// # Errors
    /// The graph, or a go.mod of it, cannot be had.
    pub fn who_asks_excluded(&self) -> Result<BTreeMap<ModuleVersion, Vec<ModuleVersion>>> {
        let mut askers: BTreeMap<ModuleVersion, Vec<ModuleVersion>> = BTreeMap::new();
        if self.exclude.is_empty() {
            return Ok(askers);
        }
        let graph = self.graph()?;
        let mut read = Vec::new();
        graph.walk(|module| {
            if graph.was_read(module) && !steady_module::gover::is_toolchain(&module.path) {
                read.push(module.clone());
            }
        });
        for module in read {
            for asked in self.written_requirements(&module)? {
                if self.exclude.contains(&asked) {
                    askers.entry(asked).or_default().push(module.clone());
                }
            }
        }
        Ok(askers)
    }

    /// What a module's go.mod requires, excluded versions included.
    fn written_requirements(&self, module: &ModuleVersion) -> Result<Vec<ModuleVersion>> {
        let all = |file: &ModFile| {
            file.require
                .iter()
                .map(|require| require.module.clone())
                .collect()
        };
        if let Some(main) = self
            .main(&module.path)
            .filter(|_| module.version.is_empty())
        {
            return Ok(all(&main.file));
        }
        let text = match self.replaced_text(module) {
            Some(text) => text?.0,
            None => {
                let actual = self.replacement(module).unwrap_or(module);
                if actual.version.is_empty() {
                    return Ok(Vec::new());
                }
                let text = self.fetcher.go_mod(&actual.path, &actual.version)?;
                text.to_vec()
            }
        };
        let text = String::from_utf8_lossy(&text);
        let file = ModFile::parse_lax("go.mod", &text, None);
        Ok(file.map(|file| all(&file)).unwrap_or_default())
    }
}

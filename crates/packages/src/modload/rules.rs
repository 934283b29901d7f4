//! `replace` and `exclude` lines as they stand, and what they do to the graph in force.

use super::{Modules, Result};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use steady_module::modfile::{ModFile, Replace};
use steady_module::{ModuleVersion, gover};

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

/// A module that asks for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The module.
    pub module: ModuleVersion,
    /// The line of its go.mod.
    pub place: Place,
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

    /// The `replace` line by which something stands in for a module version.
    #[must_use]
    pub fn replaced_at(&self, module: &ModuleVersion) -> Option<ReplaceLine> {
        let by = self.replaced_by(module)?;
        let mut lines = self.replace_lines().into_iter();
        lines.find(|line| line.place.file == by.file && line.rule.old == by.replace.old)
    }

    /// For each excluded version the modules of the graph whose go.mod asks for just that version, and where it does.
    ///
    /// # Errors
    /// The graph, or a go.mod of it, cannot be had.
    pub fn who_asks_excluded(&self) -> Result<BTreeMap<ModuleVersion, Vec<Asker>>> {
        let mut askers: BTreeMap<ModuleVersion, Vec<Asker>> = BTreeMap::new();
        if self.exclude.is_empty() {
            return Ok(askers);
        }
        let graph = self.graph()?;
        let mut read = Vec::new();
        graph.walk(|module| {
            if graph.was_read(module) && !gover::is_toolchain(&module.path) {
                read.push(module.clone());
            }
        });
        for module in read {
            for (asked, place) in self.written_requirements(&module)? {
                if self.exclude.contains(&asked) {
                    let asker = Asker {
                        module: module.clone(),
                        place,
                    };
                    askers.entry(asked).or_default().push(asker);
                }
            }
        }
        Ok(askers)
    }

    /// Where the go.mod of a module asks for another one at just this version. `go` and `toolchain` are asked for by the lines of these
    /// names.
    #[must_use]
    pub fn asked_at(&self, asker: &ModuleVersion, asked: &ModuleVersion) -> Option<Place> {
        let lines = self.written_requirements(asker).ok()?.into_iter();
        let mut places = lines.filter(|(module, _)| module == asked);
        places.next().map(|(_, place)| place)
    }

    /// What a module's go.mod requires, excluded versions included.
    fn written_requirements(&self, module: &ModuleVersion) -> Result<Vec<(ModuleVersion, Place)>> {
        if let Some(main) = self
            .main(&module.path)
            .filter(|_| module.version.is_empty())
        {
            return Ok(requirement_lines(&main.go_mod, &main.file));
        }
        let (text, path) = match self.replaced_text(module) {
            Some(text) => text?,
            None => {
                let actual = self.replacement(module).unwrap_or(module);
                if actual.version.is_empty() {
                    return Ok(Vec::new());
                }
                let text = self.fetcher.go_mod(&actual.path, &actual.version)?;
                (text.to_vec(), self.fetcher.cache_path(actual, "mod")?)
            }
        };
        let text = String::from_utf8_lossy(&text);
        let file = ModFile::parse_lax("go.mod", &text, None);
        Ok(file.map_or_else(|_| Vec::new(), |file| requirement_lines(&path, &file)))
    }
}

/// Each requirement of a go.mod, and where it stands.
fn requirement_lines(path: &Utf8Path, file: &ModFile) -> Vec<(ModuleVersion, Place)> {
    let at = |line: usize| Place {
        file: path.to_owned(),
        line,
    };
    let go = file.go.iter().map(|line| ("go", line));
    let toolchain = file.toolchain.iter().map(|line| ("toolchain", line));
    let releases = go.chain(toolchain);
    let releases =
        releases.map(|(name, line)| (ModuleVersion::new(name, &*line.value), at(line.at.line)));
    let requires = file.require.iter();
    let requires = requires.map(|line| (line.module.clone(), at(line.at.line)));
    requires.chain(releases).collect()
}

//! Why a module is at its version: who asks for it, at which minimum, and the way from each main module to those who ask.

use std::collections::BTreeMap;
use steady_module::{ModuleVersion, gover};
use steady_packages::modload::{ModError, Modules, Place};

/// Why a module is at its version.
#[derive(Debug)]
pub struct Answer {
    /// The module's path.
    pub path: String,
    /// The version in use; empty if the module is not in the graph.
    pub selected: String,
    /// What stands in for it.
    pub replaced_by: Option<ModuleVersion>,
    /// By which line.
    pub replaced_at: Option<Place>,
    /// Everybody who asks, the greatest version first.
    pub minimums: Vec<Minimum>,
}

/// One version that is asked for.
#[derive(Debug)]
pub struct Minimum {
    /// The version.
    pub version: String,
    /// One for each module that asks.
    pub ways: Vec<Way>,
}

/// A shortest way to a module that asks.
#[derive(Debug)]
pub struct Way {
    /// The main module first, the module that asks last.
    pub modules: Vec<ModuleVersion>,
    /// The line of its go.mod; none if what is asked for stands in no go.mod.
    pub asked_at: Option<Place>,
}

/// Who asks for `path`.
///
/// # Errors
/// The module graph cannot be read.
pub fn version(modules: &Modules, path: &str) -> Result<Answer, ModError> {
    let graph = modules.graph()?;
    let selected = graph.selected(path).unwrap_or_default().to_owned();
    let mut by_version: BTreeMap<String, Vec<Way>> = BTreeMap::new();
    for mut way in modules.who_asks(path, "")? {
        let Some(asked) = way.pop() else { continue };
        let asked_at = way.last().and_then(|asker| modules.asked_at(asker, &asked));
        let ways = by_version.entry(asked.version).or_default();
        ways.push(Way {
            modules: way,
            asked_at,
        });
    }
    let mut minimums: Vec<Minimum> = by_version
        .into_iter()
        .map(|(version, ways)| Minimum { version, ways })
        .collect();
    minimums.sort_by(|a, b| gover::mod_compare(path, &b.version, &a.version));
    let module = ModuleVersion::new(path, selected.clone());
    Ok(Answer {
        path: path.to_owned(),
        replaced_by: modules.replacement(&module).cloned(),
        replaced_at: modules.replaced_at(&module).map(|line| line.place),
        selected,
        minimums,
    })
}

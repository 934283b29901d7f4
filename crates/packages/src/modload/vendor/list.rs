//! The text of modules.txt: what `-mod=vendor` later holds against go.mod.

use super::super::reqs::sort;
use super::super::{ModError, Modules, Result};
use super::ByModule;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use steady_graph::Requirements as _;
use steady_module::{ModuleVersion, gover};
use steady_system::parallel;

/// From this version of the main module on, modules.txt marks what go.mod names.
const MARKS_EXPLICIT: &str = "1.14";
/// From this version on, it gives each module's `go` line.
const NOTES_GO_VERSIONS: &str = "1.17";

/// modules.txt, and the modules in its order.
pub(super) struct Listing {
    pub text: String,
    pub modules: Vec<ModuleVersion>,
}

impl Modules {
    pub(super) fn list_vendor(&self, packages: &ByModule<'_>) -> Result<Listing> {
        let version = self.go_version();
        let states_go = self.work.is_some() || self.mains.iter().all(|main| main.file.go.is_some());
        let marks = states_go && gover::compare(version, MARKS_EXPLICIT).is_ge();
        let mut explicit: HashSet<&ModuleVersion> = HashSet::new();
        if marks {
            let requires = self.mains.iter().flat_map(|main| &main.file.require);
            explicit.extend(requires.map(|require| &require.module));
        }
        let all: HashSet<&ModuleVersion> =
            explicit.iter().copied().chain(packages.keys()).collect();
        let mut modules: Vec<ModuleVersion> = all.into_iter().cloned().collect();
        sort(&mut modules);
        let versions = if gover::compare(version, NOTES_GO_VERSIONS).is_ge() {
            self.go_lines(&modules)
        } else {
            HashMap::new()
        };
        let mut text = String::new();
        if self.work.is_some() {
            text += "## workspace\n";
        }
        for module in &modules {
            text += &heading(module, self.replacement(module))?;
            let go = versions.get(module.path.as_str());
            let _ = match (explicit.contains(module), go) {
                (true, Some(go)) => writeln!(text, "## explicit; go {go}"),
                (true, None) => writeln!(text, "## explicit"),
                (false, Some(go)) => writeln!(text, "## go {go}"),
                (false, None) => Ok(()),
            };
            for package in packages.get(module).into_iter().flatten() {
                text += &package.path;
                text.push('\n');
            }
        }
        if marks {
            self.list_other_replacements(&modules, &mut text)?;
        }
        Ok(Listing { text, modules })
    }

    /// Replacements of modules that are not listed: without the module graph nobody can tell later that they had no effect.
    fn list_other_replacements(&self, listed: &[ModuleVersion], text: &mut String) -> Result<()> {
        let mut written: HashSet<&ModuleVersion> = listed.iter().collect();
        for replace in self.work_file().into_iter().flat_map(|work| &work.replace) {
            if written.insert(&replace.old) {
                *text += &heading(&replace.old, Some(&replace.new))?;
            }
        }
        for replace in self.mains.iter().flat_map(|main| &main.file.replace) {
            if written.insert(&replace.old)
                && let Some(new) = self.replacement(&replace.old)
            {
                *text += &heading(&replace.old, Some(new))?;
            }
        }
        Ok(())
    }

    /// The `go` line of the selected version of each path, where there is one.
    fn go_lines<'m>(&self, modules: &'m [ModuleVersion]) -> HashMap<&'m str, String> {
        let mut selected: Vec<(&str, ModuleVersion)> = Vec::new();
        for module in modules {
            if selected
                .last()
                .is_some_and(|(path, _)| *path == module.path)
            {
                continue;
            }
            if let Ok(Some(version)) = self.selected(&module.path) {
                selected.push((&module.path, version));
            }
        }
        let wanted: Vec<ModuleVersion> =
            selected.iter().map(|(_, module)| module.clone()).collect();
        // Fetches what is not in the cache; a module that cannot be had has no line.
        let _ = self.summaries(&wanted);
        let lines = parallel::map(&wanted, steady_system::processors(), |module| {
            self.go_line(module)
        });
        let paths = selected.into_iter().map(|(path, _)| path);
        paths
            .zip(lines)
            .filter(|(_, line)| !line.is_empty())
            .collect()
    }
}

/// `# path version => path version`.
fn heading(module: &ModuleVersion, replacement: Option<&ModuleVersion>) -> Result<String> {
    let mut line = format!("# {}", words(module));
    if let Some(new) = replacement {
        let inside = steady_system::clean(new.path.as_str().into()).starts_with("vendor");
        if inside {
            return Err(ModError::Message(format!(
                "replacement path {} inside vendor directory",
                new.path
            )));
        }
        line += " => ";
        line += &words(new);
    }
    line.push('\n');
    Ok(line)
}

fn words(module: &ModuleVersion) -> String {
    match module.version.as_str() {
        "" => module.path.clone(),
        version => format!("{} {version}", module.path),
    }
}

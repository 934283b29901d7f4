//! vendor/modules.txt: which modules and packages a vendor directory holds.

use crate::{ModuleVersion, gover, semver};
use std::collections::BTreeMap;

/// What modules.txt says of one module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendoredModule {
    /// `## explicit`: go.mod names it.
    pub explicit: bool,
    /// What stands in for it; an empty path means nothing does.
    pub replacement: ModuleVersion,
    /// The version of its `go` line, or empty.
    pub go_version: String,
}

/// A vendor directory's contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModulesTxt {
    /// Modules with packages here, in the file's order.
    pub list: Vec<ModuleVersion>,
    /// Package path to its module.
    pub packages: BTreeMap<String, ModuleVersion>,
    /// Path of a module with packages here to its version.
    pub versions: BTreeMap<String, String>,
    /// What is said of each module.
    pub meta: BTreeMap<ModuleVersion, VendoredModule>,
    /// Replacements of modules that have no packages here.
    pub replaced: Vec<ModuleVersion>,
    /// `## workspace`: written by `work vendor`.
    pub workspace: bool,
}

impl ModulesTxt {
    /// Reads the file. Lines that say nothing known are passed over, as go does.
    #[must_use]
    pub fn parse(text: &str) -> ModulesTxt {
        let mut file = ModulesTxt::default();
        let mut module = ModuleVersion::default();
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("# ") {
                module = file.heading(heading);
            } else if let Some(notes) = line.strip_prefix("## ") {
                if notes == "workspace" {
                    file.workspace = true;
                } else if !module.path.is_empty() {
                    file.notes(&module, notes);
                }
            } else {
                let words: Vec<&str> = line.split_whitespace().collect();
                if let ([package], false) = (&words[..], module.path.is_empty()) {
                    // What gives a package is what was selected.
                    let known = file.versions.get(&module.path);
                    let newer = known.is_none_or(|known| {
                        gover::mod_compare(&module.path, known, &module.version).is_lt()
                    });
                    if newer {
                        file.list.push(module.clone());
                        let version = module.version.clone();
                        file.versions.insert(module.path.clone(), version);
                    }
                    file.packages.insert((*package).to_string(), module.clone());
                }
            }
        }
        file
    }

    /// `path version`, `path version => path version`, `path => path`, and so on.
    fn heading(&mut self, heading: &str) -> ModuleVersion {
        let words: Vec<&str> = heading.split_whitespace().collect();
        let (old, new) = match words.iter().position(|word| *word == "=>") {
            Some(at) => (&words[..at], &words[at + 1..]),
            None => (&words[..], &[][..]),
        };
        let pair = |words: &[&str]| {
            ModuleVersion::new(
                words.first().copied().unwrap_or_default(),
                words.get(1).copied().unwrap_or_default(),
            )
        };
        let module = pair(old);
        if old.len() > 2 || (!module.version.is_empty() && !semver::is_valid(&module.version)) {
            return ModuleVersion::default();
        }
        if module.version.is_empty() && new.is_empty() {
            return ModuleVersion::default();
        }
        let meta = self.meta.entry(module.clone()).or_default();
        if !new.is_empty() {
            meta.replacement = pair(new);
            self.replaced.push(module.clone());
        }
        module
    }

    fn notes(&mut self, module: &ModuleVersion, notes: &str) {
        let meta = self.meta.entry(module.clone()).or_default();
        for note in notes.split(';').map(str::trim) {
            if note == "explicit" {
                meta.explicit = true;
            }
            if let Some(version) = note.strip_prefix("go ") {
                meta.go_version = version.to_string();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_packages_and_replacements() {
        let text = "## workspace\n# a.com/a v1.0.0 => ../a\n## explicit; go 1.20\na.com/a\na.com/a/sub\n# b.com/b v1.2.0\n## explicit\n# c.com/c => d.com/d v1.0.0\n";
        let file = ModulesTxt::parse(text);
        assert!(file.workspace);
        let a = ModuleVersion::new("a.com/a", "v1.0.0");
        assert_eq!(file.packages["a.com/a/sub"], a);
        assert_eq!(file.meta[&a].replacement.path, "../a");
        assert_eq!(file.meta[&a].go_version, "1.20");
        assert_eq!(file.list, [a]);
        assert!(!file.versions.contains_key("b.com/b"));
        assert_eq!(
            file.meta[&ModuleVersion::new("c.com/c", "")]
                .replacement
                .version,
            "v1.0.0"
        );
    }
}

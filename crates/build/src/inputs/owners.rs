//! Whose results lie in the build cache, as far as that is remembered.

use camino::Utf8Path;
use std::collections::HashMap;
use steady_system::Files;

use super::Log;
use crate::cache::{Id, subkey};

/// What is kept beside a result, under keys of its own.
const BESIDE: [&str; 4] = ["stdout", "link-stdout", "srcfiles", "steady linked"];

/// By action id, the module that a result belongs to.
#[derive(Debug, Default)]
pub struct Owners {
    by_action: HashMap<Id, u32>,
    modules: Vec<String>,
}

impl Owners {
    /// From the memories of all projects, below the directory of Steady's memories.
    #[must_use]
    pub fn read(files: &Files, memories: &Utf8Path) -> Owners {
        let mut owners = Owners::default();
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let folder = Log::folder(memories);
        for entry in files.read_dir(&folder).unwrap_or_default() {
            for record in Log::at(folder.join(&entry.name)).read() {
                let next = owners.modules.len();
                let number = *numbers.entry(record.module.clone()).or_insert_with(|| {
                    owners.modules.push(record.module.clone());
                    u32::try_from(next).unwrap_or(u32::MAX)
                });
                owners.by_action.insert(record.action, number);
                for key in BESIDE {
                    owners.by_action.insert(subkey(&record.action, key), number);
                }
            }
        }
        owners
    }

    /// The module of the first of these actions that is known: `path@version`, `path` of a main module, `std`, or empty for a
    /// package outside of modules.
    #[must_use]
    pub fn module_of(&self, actions: &[Id]) -> Option<&str> {
        let number = actions.iter().find_map(|id| self.by_action.get(id))?;
        self.modules.get(*number as usize).map(String::as_str)
    }
}

//! The arguments of `get`.

use crate::modload::{FoundPackages, ModError, Result};
use crate::patterns::{Pattern, is_local_import};
use std::collections::HashSet;
use steady_module::ModuleVersion;

/// One argument, and what is known of it so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Query {
    /// As it was typed; empty if nothing was.
    pub raw: String,
    pub raw_version: String,
    pub pattern: String,
    /// What is asked for: `upgrade` or `-u`'s value if nothing was said.
    pub version: String,
    /// A path in the file system.
    pub local: bool,
    /// It names packages: these have to build.
    pub packages: bool,
    /// Paths that were asked for already: each answer holds for the whole run.
    pub asked: HashSet<String>,
    /// Answers that no module was chosen from yet.
    pub open: Vec<FoundPackages>,
    /// Modules that were chosen for it.
    pub resolved: Vec<ModuleVersion>,
    /// A contradiction to another query was told.
    pub in_conflict: bool,
}

impl Query {
    /// # Errors
    /// An argument that has no meaning.
    pub fn new(raw: &str, upgrade: &str) -> Result<Query> {
        let (pattern, raw_version) = match raw.split_once('@') {
            Some((_, version)) if version.is_empty() || version.contains('@') => {
                return Err(ModError::Message(format!(
                    "invalid module version syntax {raw:?}"
                )));
            }
            Some((pattern, version)) => (pattern, version),
            None => (raw, ""),
        };
        let version = match (raw_version, upgrade) {
            ("", "") => "upgrade",
            ("", upgrade) => upgrade,
            (version, _) => version,
        };
        Ok(Query {
            raw: raw.to_string(),
            raw_version: raw_version.to_string(),
            pattern: pattern.to_string(),
            version: version.to_string(),
            local: is_local_import(pattern) || pattern.starts_with('/'),
            ..Query::default()
        })
    }

    pub fn is_wildcard(&self) -> bool {
        self.pattern.contains("...")
    }

    pub fn glob(&self) -> Pattern {
        Pattern::new(&self.pattern)
    }

    /// The query with the version that it became.
    pub fn with_version(&self, version: &str) -> String {
        if version == self.version {
            self.raw.clone()
        } else {
            format!("{}@{} ({version})", self.pattern, self.version)
        }
    }

    /// The query as the reason for a module version.
    pub fn reason_for(&self, module: &ModuleVersion) -> String {
        if module.path == self.pattern {
            self.with_version(&module.version)
        } else if module.version == self.version {
            format!("{module} (matching {})", self.raw)
        } else {
            format!("{module} (matching {}@{})", self.pattern, self.version)
        }
    }

    /// An error, with the query in front unless it tells it already.
    pub fn tell(&self, error: &ModError) -> String {
        let text = error.to_string();
        let has = |word: &str, before: &str, after: &str| {
            text.match_indices(word).any(|(at, _)| {
                let left = text[..at].chars().next_back();
                let right = text[at + word.len()..].chars().next();
                left.is_none_or(|c| c == '\n' || before.contains(c))
                    && right.is_none_or(|c| c == '\n' || after.contains(c))
            })
        };
        if self.raw.is_empty() {
            return text;
        }
        if has(&self.pattern, " \t(\"`", " @:;)\"`")
            && (self.raw_version.is_empty() || has(&self.version, " @(\"`", " :;)\"`"))
        {
            return text;
        }
        format!("{}: {text}", self.raw)
    }
}

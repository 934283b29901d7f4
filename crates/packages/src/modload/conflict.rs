//! Versions that were asked for and cannot be had together.

use super::error::ModError;
use std::sync::Arc;
use steady_module::ModuleVersion;

/// One contradiction: a module that was asked for leads to a version that contradicts what was asked for.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// From the module that was asked for to the one that contradicts.
    pub path: Vec<ModuleVersion>,
    /// What was asked for; an empty path if `error` says what is wrong.
    pub constraint: ModuleVersion,
    /// Why the last module of the path cannot be used, if that is what is wrong.
    pub error: Option<Arc<ModError>>,
}

impl Conflict {
    /// The error without a repetition of the module that it is about.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        match (error.subject(), self.path.last()) {
            (Some((subject, reason)), Some(last)) if subject == *last => Some(reason),
            _ => Some(error.to_string()),
        }
    }

    /// In one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let (Some(first), Some(last)) = (self.path.first(), self.path.last()) else {
            return "(internal error: invalid Conflict struct)".to_string();
        };
        let wanted = &self.constraint.version;
        if self.path.len() == 1 {
            return match self.reason() {
                Some(reason) => format!("{first}: {reason}"),
                None => format!("{first} is above {wanted}"),
            };
        }
        let adverb = if self.path.len() > 2 {
            "indirectly "
        } else {
            ""
        };
        match self.reason() {
            Some(reason) => format!("{first} {adverb}requires {last}: {reason}"),
            None => format!("{first} {adverb}requires {last}, but {wanted} is requested"),
        }
    }
}

impl std::fmt::Display for Conflict {
    /// With the whole way.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some((first, rest)) = self.path.split_first() else {
            return out.write_str("(internal error: invalid Conflict struct)");
        };
        write!(out, "{first}")?;
        if rest.is_empty() {
            out.write_str(" found")?;
        }
        for module in rest {
            write!(out, " requires\n\t{module}")?;
        }
        if !self.constraint.path.is_empty() {
            write!(out, ", but {} is requested", self.constraint.version)?;
        }
        match self.reason() {
            Some(reason) => write!(out, ": {reason}"),
            None => Ok(()),
        }
    }
}

pub(super) fn conflicts_text(conflicts: &[Conflict]) -> String {
    conflicts.iter().fold(
        "version constraints conflict:".to_string(),
        |text, conflict| format!("{text}\n\t{}", conflict.summary()),
    )
}

//! go.mod and go.work: read with positions, edited in place, printed in the standard form.
//!
//! A file is a tree of lines ([`Syntax`]) with a typed reading of it beside ([`ModFile`], [`WorkFile`]). Edits change both, and change
//! only the lines they are about: comments and order stay.

mod directives;
mod edit;
#[cfg(test)]
mod property_tests;
mod requirements;
mod syntax;
#[cfg(test)]
mod tests;
mod work;

pub use directives::{auto_quote, is_directory_path, is_go_version, is_toolchain_name, must_quote};
pub use edit::check_canonical_version;
pub use syntax::{Block, Comments, Line, LineId, Statement, Syntax};
pub use work::{Use, WorkFile};

use crate::ModuleVersion;
use std::fmt;

/// A place in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// From 1; 0: nowhere.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Offset in bytes.
    pub byte: usize,
}

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The file.
    pub name: String,
    /// The place in it.
    pub at: Position,
    /// `require example.com/a` where the reason is about one module; else empty.
    pub directive: String,
    /// What is wrong.
    pub reason: String,
}

impl SyntaxError {
    fn at(name: &str, at: Position, reason: impl Into<String>) -> SyntaxError {
        SyntaxError {
            name: name.to_string(),
            at,
            directive: String::new(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Go leaves the column out where it is 1: only scanning errors have another.
        match (self.at.line, self.at.column) {
            (0, _) if self.name.is_empty() => {}
            (0, _) => write!(out, "{}: ", self.name)?,
            (line, column) if column > 1 => write!(out, "{}:{line}:{column}: ", self.name)?,
            (line, _) => write!(out, "{}:{line}: ", self.name)?,
        }
        if !self.directive.is_empty() {
            write!(out, "{}: ", self.directive)?;
        }
        out.write_str(&self.reason)
    }
}

/// All that is wrong with a file, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxErrors(pub Vec<SyntaxError>);

impl fmt::Display for SyntaxErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                out.write_str("\n")?;
            }
            error.fmt(out)?;
        }
        Ok(())
    }
}

impl std::error::Error for SyntaxErrors {}

impl From<SyntaxError> for SyntaxErrors {
    fn from(error: SyntaxError) -> SyntaxErrors {
        SyntaxErrors(vec![error])
    }
}

/// Turns the version that a file has for a module into a canonical one: `fix(path, version)`. The error is its text.
pub type VersionFixer<'a> = &'a mut dyn FnMut(&str, &str) -> Result<String, String>;

/// A value with the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// The value.
    pub value: T,
    /// Its line.
    pub line: LineId,
    /// Where the line begins.
    pub at: Position,
}

impl<T> std::ops::Deref for Entry<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// `module example.com/a`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// The message of a `// Deprecated:` comment, or empty.
    pub deprecated: String,
}

/// `require example.com/a v1.0.0 // indirect`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// What is required.
    pub module: ModuleVersion,
    /// It is needed by dependencies only.
    pub indirect: bool,
}

/// `replace example.com/a v1.0.0 => ../a`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace {
    /// What is replaced; an empty version means every version.
    pub old: ModuleVersion,
    /// By what; an empty version means a directory.
    pub new: ModuleVersion,
}

/// `retract [v1.0.0, v1.2.0] // why`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retract {
    /// First version taken back.
    pub low: String,
    /// Last version taken back.
    pub high: String,
    /// Why, from the comments.
    pub rationale: String,
}

/// `godebug key=value`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Godebug {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A go.mod.
#[derive(Debug, Clone, Default)]
pub struct ModFile {
    /// `module`
    pub module: Option<Entry<Module>>,
    /// `go`, such as `1.22.3`
    pub go: Option<Entry<String>>,
    /// `toolchain`, such as `go1.22.3`
    pub toolchain: Option<Entry<String>>,
    /// `godebug`
    pub godebug: Vec<Entry<Godebug>>,
    /// `require`
    pub require: Vec<Entry<Require>>,
    /// `exclude`
    pub exclude: Vec<Entry<ModuleVersion>>,
    /// `replace`
    pub replace: Vec<Entry<Replace>>,
    /// `retract`
    pub retract: Vec<Entry<Retract>>,
    /// `tool`: import paths
    pub tool: Vec<Entry<String>>,
    /// `ignore`: directories
    pub ignore: Vec<Entry<String>>,
    /// The lines.
    pub syntax: Syntax,
}

impl ModFile {
    /// The module path that a go.mod declares, found even if the rest of the file is damaged; empty if there is none.
    #[must_use]
    pub fn module_path(text: &str) -> String {
        for line in text.lines() {
            let line = line.split("//").next().unwrap_or_default().trim();
            let Some(rest) = line.strip_prefix("module") else {
                continue;
            };
            let path = rest.trim();
            if path.is_empty() || path.len() == rest.len() {
                continue;
            }
            if path.starts_with(['"', '`']) {
                return crate::quote::unquote(path).unwrap_or_default();
            }
            return path.to_string();
        }
        String::new()
    }

    /// The file in the standard form.
    #[must_use]
    pub fn format(&self) -> String {
        self.syntax.format()
    }
}

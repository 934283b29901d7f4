//! Edits of go.mod other than of its requirements, and what they share with those of go.work.

use super::directives::{auto_quote, is_go_version, is_toolchain_name};
use super::syntax::{Line, LineId, Statement, Syntax};
use super::{Entry, Godebug, ModFile, Module, Position, Replace, Retract};
use crate::path::PathError;
use crate::{ModuleVersion, gover, path, semver};
use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::Hash;

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_string()).collect()
}

fn added<T>(value: T, line: LineId) -> Entry<T> {
    Entry {
        value,
        line,
        at: Position::default(),
    }
}

/// Removes the entries that `gone` names, with their lines.
pub(super) fn drop_where<T>(
    syntax: &mut Syntax,
    entries: &mut Vec<Entry<T>>,
    gone: impl Fn(&T) -> bool,
) {
    entries.retain(|known| {
        let keep = !gone(&known.value);
        if !keep {
            syntax.remove_line(known.line);
        }
        keep
    });
}

/// Sets a key at its first line and removes its other lines.
pub(super) fn add_godebug(
    syntax: &mut Syntax,
    entries: &mut Vec<Entry<Godebug>>,
    key: &str,
    value: &str,
) {
    let tokens = texts(&["godebug", &format!("{key}={value}")]);
    let mut seen = false;
    entries.retain_mut(|known| {
        if known.key != key {
            return true;
        }
        if std::mem::replace(&mut seen, true) {
            syntax.remove_line(known.line);
            return false;
        }
        known.value.value = value.to_string();
        syntax.update_line(known.line, &tokens);
        true
    });
    if !seen {
        let line = syntax.add_line(None, &tokens);
        entries.push(added(
            Godebug {
                key: key.to_string(),
                value: value.to_string(),
            },
            line,
        ));
    }
}

/// Changes the first replacement of what is replaced and removes its others; a new one goes after those of the same path.
pub(super) fn add_replace(
    syntax: &mut Syntax,
    entries: &mut Vec<Entry<Replace>>,
    replace: &Replace,
) {
    let Replace { old, new } = replace;
    let (old_path, new_path) = (auto_quote(&old.path), auto_quote(&new.path));
    let words = [
        "replace",
        &old_path,
        &old.version,
        "=>",
        &new_path,
        &new.version,
    ];
    let tokens = texts(
        &words
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>(),
    );
    let mut done = false;
    let mut hint = None;
    entries.retain_mut(|known| {
        if known.old.path != old.path {
            return true;
        }
        if old.version.is_empty() || known.old.version == old.version {
            if std::mem::replace(&mut done, true) {
                syntax.remove_line(known.line);
                return false;
            }
            known.value = replace.clone();
            syntax.update_line(known.line, &tokens);
            return true;
        }
        hint = Some(known.line);
        true
    });
    if !done {
        let line = syntax.add_line(hint, &tokens);
        entries.push(added(replace.clone(), line));
    }
}

/// Of replacements of the same thing the last one counts.
pub(super) fn drop_early_duplicates(syntax: &mut Syntax, entries: &mut Vec<Entry<Replace>>) {
    entries.reverse();
    drop_later_duplicates(syntax, entries, |replace| replace.old.clone());
    entries.reverse();
}

fn drop_later_duplicates<T, K: Eq + Hash>(
    syntax: &mut Syntax,
    entries: &mut Vec<Entry<T>>,
    key: impl Fn(&T) -> K,
) {
    let mut seen = HashSet::new();
    let mut gone = Vec::new();
    entries.retain(|known| {
        let first = seen.insert(key(&known.value));
        if !first {
            gone.push(known.line);
        }
        first
    });
    for line in gone {
        syntax.take_out(line);
    }
}

fn by_words(a: &Line, b: &Line) -> Ordering {
    a.tokens.cmp(&b.tokens)
}

fn by_version(a: &Line, b: &Line) -> Ordering {
    match (a.tokens.as_slice(), b.tokens.as_slice()) {
        ([path_a, version_a], [path_b, version_b]) => path_a
            .cmp(path_b)
            .then_with(|| semver::compare(version_a, version_b)),
        _ => by_words(a, b),
    }
}

/// Newest first.
fn by_interval(a: &Line, b: &Line) -> Ordering {
    fn ends(line: &Line) -> (&str, &str) {
        let words: Vec<&str> = line.tokens.iter().map(String::as_str).collect();
        match words[..] {
            [only] => (only, only),
            ["[", low, ",", high, "]"] => (low, high),
            _ => ("", ""),
        }
    }
    let (a, b) = (ends(a), ends(b));
    semver::compare(b.0, a.0).then_with(|| semver::compare(b.1, a.1))
}

pub(super) fn sort_blocks(syntax: &mut Syntax, exclude_by_version: bool) {
    for statement in &mut syntax.statements {
        let Statement::Block(block) = statement else {
            continue;
        };
        let order = match block.tokens[0].as_str() {
            "exclude" if exclude_by_version => by_version,
            "retract" => by_interval,
            _ => by_words,
        };
        block.lines.sort_by(order);
    }
}

/// Whether `version` is canonical and one of the module `module`.
///
/// # Errors
/// What was expected.
pub fn check_canonical_version(module: &str, version: &str) -> Result<(), PathError> {
    let invalid = |reason: String| {
        Err(PathError::Version {
            path: String::new(),
            version: version.to_string(),
            reason,
        })
    };
    let major = path::split_path_version(module).map(|(_, major)| major);
    if version.is_empty() || path::canonical_version(version) != version {
        let prefix = match path::path_major_prefix(major.unwrap_or_default()) {
            "" => "v1",
            prefix => prefix,
        };
        return invalid(format!("must be of the form {prefix}.2.3"));
    }
    let Some(major) = major else { return Ok(()) };
    path::check_path_major(version, major).or_else(|reason| {
        if major.is_empty() {
            // Most likely the suffix for versions from before modules was forgotten.
            return invalid(format!(
                "should be {version}+incompatible (or module {module}/{})",
                semver::major(version)
            ));
        }
        invalid(reason)
    })
}

impl ModFile {
    /// Sets the module path.
    pub fn set_module(&mut self, path: &str) {
        let tokens = texts(&["module", &auto_quote(path)]);
        match &mut self.module {
            Some(module) => {
                module.value.path = path.to_string();
                self.syntax.update_line(module.line, &tokens);
            }
            None => {
                let line = self.syntax.add_line(None, &tokens);
                self.module = Some(added(
                    Module {
                        path: path.to_string(),
                        deprecated: String::new(),
                    },
                    line,
                ));
            }
        }
    }

    /// Sets the `go` line.
    ///
    /// # Errors
    /// Not a Go version.
    pub fn set_go(&mut self, version: &str) -> Result<(), String> {
        if !is_go_version(version) {
            return Err(format!("invalid language version {version:?}"));
        }
        let hint = self.module.as_ref().map(|module| module.line);
        self.go = Some(set_once(
            &mut self.syntax,
            self.go.take(),
            hint,
            "go",
            version,
        ));
        Ok(())
    }

    /// Sets the `toolchain` line.
    ///
    /// # Errors
    /// Not a toolchain name.
    pub fn set_toolchain(&mut self, name: &str) -> Result<(), String> {
        if !is_toolchain_name(name) {
            return Err(format!("invalid toolchain name {name:?}"));
        }
        let hint = self
            .go
            .as_ref()
            .map(|go| go.line)
            .or(self.module.as_ref().map(|module| module.line));
        self.toolchain = Some(set_once(
            &mut self.syntax,
            self.toolchain.take(),
            hint,
            "toolchain",
            name,
        ));
        Ok(())
    }

    /// Removes the `go` line.
    pub fn drop_go(&mut self) {
        if let Some(go) = self.go.take() {
            self.syntax.remove_line(go.line);
        }
    }

    /// Removes the `toolchain` line.
    pub fn drop_toolchain(&mut self) {
        if let Some(toolchain) = self.toolchain.take() {
            self.syntax.remove_line(toolchain.line);
        }
    }

    /// Sets a `godebug` key.
    pub fn add_godebug(&mut self, key: &str, value: &str) {
        add_godebug(&mut self.syntax, &mut self.godebug, key, value);
    }

    /// Removes a `godebug` key.
    pub fn drop_godebug(&mut self, key: &str) {
        drop_where(&mut self.syntax, &mut self.godebug, |known| {
            known.key == key
        });
    }

    /// Adds an exclusion, after others of the same path.
    ///
    /// # Errors
    /// Not a canonical version of that module.
    pub fn add_exclude(&mut self, path: &str, version: &str) -> Result<(), PathError> {
        check_canonical_version(path, version)?;
        let module = ModuleVersion::new(path, version);
        if self.exclude.iter().any(|known| known.value == module) {
            return Ok(());
        }
        let hint = self
            .exclude
            .iter()
            .rfind(|known| known.path == path)
            .map(|known| known.line);
        let line = self
            .syntax
            .add_line(hint, &texts(&["exclude", &auto_quote(path), version]));
        self.exclude.push(added(module, line));
        Ok(())
    }

    /// Removes an exclusion.
    pub fn drop_exclude(&mut self, path: &str, version: &str) {
        drop_where(&mut self.syntax, &mut self.exclude, |known| {
            known.path == path && known.version == version
        });
    }

    /// Adds or changes a replacement.
    pub fn add_replace(&mut self, replace: &Replace) {
        add_replace(&mut self.syntax, &mut self.replace, replace);
    }

    /// Removes the replacement of exactly this path and version (empty: of all versions).
    pub fn drop_replace(&mut self, old: &ModuleVersion) {
        drop_where(&mut self.syntax, &mut self.replace, |known| {
            known.old == *old
        });
    }

    /// Adds a retraction.
    ///
    /// # Errors
    /// Not canonical versions of this module.
    pub fn add_retract(&mut self, retract: &Retract) -> Result<(), PathError> {
        let path = self
            .module
            .as_ref()
            .map_or_else(String::new, |module| module.path.clone());
        check_canonical_version(&path, &retract.high)?;
        check_canonical_version(&path, &retract.low)?;
        let tokens = if retract.low == retract.high {
            texts(&["retract", &retract.low])
        } else {
            texts(&["retract", "[", &retract.low, ",", &retract.high, "]"])
        };
        let line = self.syntax.add_line(None, &tokens);
        if let Some((line, _)) = self
            .syntax
            .line_mut(line)
            .filter(|_| !retract.rationale.is_empty())
        {
            line.comments.before.extend(
                retract
                    .rationale
                    .split('\n')
                    .map(|text| format!("// {text}")),
            );
        }
        self.retract.push(added(retract.clone(), line));
        Ok(())
    }

    /// Removes a retraction of exactly these versions.
    pub fn drop_retract(&mut self, low: &str, high: &str) {
        drop_where(&mut self.syntax, &mut self.retract, |known| {
            known.low == low && known.high == high
        });
    }

    /// Adds a tool.
    pub fn add_tool(&mut self, path: &str) {
        if self.tool.iter().all(|known| known.value != path) {
            let line = self.syntax.add_line(None, &texts(&["tool", path]));
            self.tool.push(added(path.to_string(), line));
            self.sort_blocks();
        }
    }

    /// Removes a tool.
    pub fn drop_tool(&mut self, path: &str) {
        drop_where(&mut self.syntax, &mut self.tool, |known| known == path);
    }

    /// Adds a directory to ignore.
    pub fn add_ignore(&mut self, path: &str) {
        if self.ignore.iter().all(|known| known.value != path) {
            let line = self.syntax.add_line(None, &texts(&["ignore", path]));
            self.ignore.push(added(path.to_string(), line));
            self.sort_blocks();
        }
    }

    /// Removes a directory to ignore.
    pub fn drop_ignore(&mut self, path: &str) {
        drop_where(&mut self.syntax, &mut self.ignore, |known| known == path);
    }

    /// Removes duplicates and sorts the lines of every block. Requirements and retractions may stand twice.
    pub fn sort_blocks(&mut self) {
        drop_later_duplicates(&mut self.syntax, &mut self.exclude, Clone::clone);
        drop_early_duplicates(&mut self.syntax, &mut self.replace);
        drop_later_duplicates(&mut self.syntax, &mut self.tool, Clone::clone);
        drop_later_duplicates(&mut self.syntax, &mut self.ignore, Clone::clone);
        let by_version = self
            .go
            .as_ref()
            .is_some_and(|go| gover::compare(go, "1.21").is_ge());
        sort_blocks(&mut self.syntax, by_version);
    }

    /// Takes removed lines out of the tree.
    pub fn cleanup(&mut self) {
        self.syntax.cleanup();
    }
}

fn set_once(
    syntax: &mut Syntax,
    old: Option<Entry<String>>,
    hint: Option<LineId>,
    verb: &str,
    value: &str,
) -> Entry<String> {
    let tokens = texts(&[verb, value]);
    match old {
        Some(old) => {
            syntax.update_line(old.line, &tokens);
            Entry {
                value: value.to_string(),
                ..old
            }
        }
        None => added(value.to_string(), syntax.add_line(hint, &tokens)),
    }
}

//! go.work: the modules that are worked on together.

use super::directives::{self, auto_quote, entry, once, unknown_blocks, words};
use super::syntax::{Line, Statement, Syntax};
use super::{
    Entry, Godebug, Replace, SyntaxError, SyntaxErrors, VersionFixer, is_go_version,
    is_toolchain_name,
};

/// `use ./dir`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The directory, as written: relative to the file, or absolute.
    pub path: String,
    /// The path of the module there, where it is known.
    pub module_path: String,
}

/// A go.work.
#[derive(Debug, Clone, Default)]
pub struct WorkFile {
    /// `go`
    pub go: Option<Entry<String>>,
    /// `toolchain`
    pub toolchain: Option<Entry<String>>,
    /// `godebug`
    pub godebug: Vec<Entry<Godebug>>,
    /// `use`
    pub uses: Vec<Entry<Use>>,
    /// `replace`
    pub replace: Vec<Entry<Replace>>,
    /// The lines.
    pub syntax: Syntax,
}

impl WorkFile {
    /// Reads a go.work.
    ///
    /// # Errors
    /// All that is wrong, with positions.
    pub fn parse(
        name: &str,
        text: &str,
        mut fix: Option<VersionFixer<'_>>,
    ) -> Result<WorkFile, SyntaxErrors> {
        let verbs = ["godebug", "use", "replace"];
        let syntax = Syntax::parse(name, text)?;
        let mut file = WorkFile::default();
        let mut errors = unknown_blocks(&syntax, &verbs);
        for (block, line) in syntax.lines() {
            if block.is_some_and(|block| {
                block.tokens.len() > 1 || !verbs.contains(&block.tokens[0].as_str())
            }) {
                continue;
            }
            let (verb, args) = words(block, line);
            let added = match verb {
                "go" => once(&mut file.go, verb, line, directives::go_version(args, true)),
                "toolchain" => once(
                    &mut file.toolchain,
                    verb,
                    line,
                    directives::toolchain_name(args),
                ),
                "godebug" => {
                    directives::godebug(args).map(|value| file.godebug.push(entry(line, value)))
                }
                "use" if args.len() != 1 => {
                    Err((String::new(), "usage: use local/dir".to_string()))
                }
                "use" => directives::one_path(verb, args).map(|path| {
                    file.uses.push(entry(
                        line,
                        Use {
                            path,
                            module_path: String::new(),
                        },
                    ))
                }),
                "replace" => directives::replace(args, &mut fix)
                    .map(|value| file.replace.push(entry(line, value))),
                _ => Err((String::new(), format!("unknown directive: {verb}"))),
            };
            if let Err((directive, reason)) = added {
                errors.push(SyntaxError {
                    directive,
                    ..SyntaxError::at(name, line.start, reason)
                });
            }
        }
        if !errors.is_empty() {
            errors.sort_by_key(|error| error.at.byte);
            return Err(SyntaxErrors(errors));
        }
        file.syntax = syntax;
        Ok(file)
    }

    /// The file in the standard form.
    #[must_use]
    pub fn format(&self) -> String {
        self.syntax.format()
    }

    /// Sets the `go` line; a new one comes before everything but comments.
    ///
    /// # Errors
    /// Not a Go version.
    pub fn set_go(&mut self, version: &str) -> Result<(), String> {
        if !is_go_version(version) {
            return Err(format!("invalid language version {version:?}"));
        }
        let at = self.first_statement();
        let tokens = ["go".to_string(), version.to_string()];
        self.go = Some(set_top(&mut self.syntax, self.go.take(), &tokens, at));
        Ok(())
    }

    /// Sets the `toolchain` line; a new one follows the `go` line.
    ///
    /// # Errors
    /// Not a toolchain name.
    pub fn set_toolchain(&mut self, name: &str) -> Result<(), String> {
        if !is_toolchain_name(name) {
            return Err(format!("invalid toolchain name {name:?}"));
        }
        let is_go = |statement: &Statement| matches!(statement, Statement::Line(line) if line.tokens.first().is_some_and(|verb| verb == "go"));
        let after_go = self
            .syntax
            .statements
            .iter()
            .position(is_go)
            .map(|at| at + 1);
        let at = after_go.unwrap_or_else(|| self.first_statement());
        let tokens = ["toolchain".to_string(), name.to_string()];
        self.toolchain = Some(set_top(
            &mut self.syntax,
            self.toolchain.take(),
            &tokens,
            at,
        ));
        Ok(())
    }

    fn first_statement(&self) -> usize {
        let statements = &self.syntax.statements;
        statements
            .iter()
            .position(|statement| !matches!(statement, Statement::Comments(_)))
            .unwrap_or(statements.len())
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

    /// Adds a `use` line unless the directory is there already.
    pub fn add_use(&mut self, path: &str, module_path: &str) {
        if let Some(known) = self.uses.iter_mut().find(|known| known.path == path) {
            known.value.module_path = module_path.to_string();
            return;
        }
        let line = self
            .syntax
            .add_line(None, &["use".to_string(), auto_quote(path)]);
        let value = Use {
            path: path.to_string(),
            module_path: module_path.to_string(),
        };
        self.uses.push(Entry {
            value,
            line,
            at: super::Position::default(),
        });
    }

    /// Removes a `use` line.
    pub fn drop_use(&mut self, path: &str) {
        let syntax = &mut self.syntax;
        self.uses.retain(|known| {
            let keep = known.path != path;
            if !keep {
                syntax.remove_line(known.line);
            }
            keep
        });
    }

    /// Makes the `use` lines exactly these (directory, module path), sorted.
    pub fn set_uses(&mut self, uses: &[(String, String)]) {
        let gone: Vec<String> = self
            .uses
            .iter()
            .map(|known| known.path.clone())
            .filter(|path| uses.iter().all(|(want, _)| want != path))
            .collect();
        for path in gone {
            self.drop_use(&path);
        }
        for (path, module_path) in uses {
            self.add_use(path, module_path);
        }
        self.sort_blocks();
    }

    /// Sets a `godebug` key.
    pub fn add_godebug(&mut self, key: &str, value: &str) {
        super::edit::add_godebug(&mut self.syntax, &mut self.godebug, key, value);
    }

    /// Removes a `godebug` key.
    pub fn drop_godebug(&mut self, key: &str) {
        super::edit::drop_where(&mut self.syntax, &mut self.godebug, |known| {
            known.key == key
        });
    }

    /// Adds or changes a replacement.
    pub fn add_replace(&mut self, replace: &Replace) {
        super::edit::add_replace(&mut self.syntax, &mut self.replace, replace);
    }

    /// Removes the replacement of exactly this path and version (empty: of all versions).
    pub fn drop_replace(&mut self, old: &crate::ModuleVersion) {
        super::edit::drop_where(&mut self.syntax, &mut self.replace, |known| {
            known.old == *old
        });
    }

    /// Removes duplicates and sorts the lines of every block.
    pub fn sort_blocks(&mut self) {
        super::edit::drop_early_duplicates(&mut self.syntax, &mut self.replace);
        super::edit::sort_blocks(&mut self.syntax, false);
    }

    /// Takes removed lines out of the tree.
    pub fn cleanup(&mut self) {
        self.syntax.cleanup();
    }
}

/// Changes a line that a file has once, or adds it as the statement `at`.
fn set_top(
    syntax: &mut Syntax,
    old: Option<Entry<String>>,
    tokens: &[String; 2],
    at: usize,
) -> Entry<String> {
    let value = tokens[1].clone();
    if let Some(old) = old {
        syntax.update_line(old.line, tokens);
        return Entry { value, ..old };
    }
    let line: Line = syntax.new_line(tokens);
    let added = entry(&line, value);
    syntax.statements.insert(at, Statement::Line(line));
    added
}

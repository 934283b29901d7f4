//! From lines to values: what each directive of go.mod and go.work takes, and what is said when it is given something else.

use super::syntax::{Block, Line, LineId, Syntax};
use super::{
    Entry, Godebug, ModFile, Module, Replace, Require, Retract, SyntaxError, SyntaxErrors,
    VersionFixer,
};
use crate::quote::{quote, unquote};
use crate::{ModuleVersion, path};
use std::collections::HashSet;

type Found<T> = Result<T, (String, String)>;

/// A reason that is about no module in particular.
fn plain<T>(reason: impl Into<String>) -> Found<T> {
    Err((String::new(), reason.into()))
}

fn digits(text: &str, zero: bool) -> Option<&str> {
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len());
    let number = &text[..end];
    let good = !number.is_empty() && (!number.starts_with('0') || (zero && number == "0"));
    good.then(|| &text[end..])
}

/// Whether a `go` line can have `version`: `1.21`, `1.21.0`, `1.21rc1`.
#[must_use]
pub fn is_go_version(version: &str) -> bool {
    let after_minor = || digits(digits(version, false)?.strip_prefix('.')?, true);
    let Some(rest) = after_minor() else {
        return false;
    };
    let rest = match rest.strip_prefix('.') {
        Some(patch) => match digits(patch, true) {
            Some(rest) => rest,
            None => return false,
        },
        None => rest,
    };
    let kind = rest.trim_start_matches(|c: char| c.is_ascii_lowercase());
    rest.is_empty()
        || (kind.len() < rest.len() && !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a `toolchain` line can have `name`.
#[must_use]
pub fn is_toolchain_name(name: &str) -> bool {
    name == "default" || name == "go1" || name.starts_with("go1.")
}

/// Of a dependency's `go` line with something behind the language version, that version.
fn lax_go_version(version: &str) -> Option<&str> {
    let bare = version.strip_prefix('v').unwrap_or(version);
    let rest = digits(digits(bare, false)?.strip_prefix('.')?, true)?;
    (!rest.is_empty()).then(|| &bare[..bare.len() - rest.len()])
}

/// Whether a replacement is a directory rather than a module path, by the rules of all systems at once.
#[must_use]
pub fn is_directory_path(path: &str) -> bool {
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    path == "."
        || path == ".."
        || ["./", ".\\", "../", "..\\", "/", "\\"]
            .iter()
            .any(|prefix| path.starts_with(prefix))
        || drive
}

/// Whether a text needs quotes to be one word of a file.
#[must_use]
pub fn must_quote(text: &str) -> bool {
    let odd = |c: char| match c {
        // The last seven, bare and alone, would begin or end a block or an interval.
        ' ' | '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | ',' => true,
        c => c.is_control() || (c.is_whitespace() && c != ' '),
    };
    text.is_empty() || text.chars().any(odd) || text.contains("//") || text.contains("/*")
}

/// The text as one word of a file.
#[must_use]
pub fn auto_quote(text: &str) -> String {
    if must_quote(text) {
        quote(text)
    } else {
        text.to_string()
    }
}

fn word(token: &str) -> Result<String, String> {
    if token.starts_with('"') {
        return unquote(token).ok_or_else(|| "invalid syntax".to_string());
    }
    if token.contains(['"', '\'', '`']) {
        return Err("unquoted string cannot contain quote".into());
    }
    Ok(token.to_string())
}

fn quoted(token: &str) -> Found<String> {
    word(token).or_else(|reason| plain(format!("invalid quoted string: {reason}")))
}

/// Reads a version; `fix` may resolve it.
fn version(
    verb: &str,
    module: &str,
    token: &str,
    fix: &mut Option<VersionFixer<'_>>,
) -> Found<String> {
    let directive = || format!("{verb} {module}");
    let invalid = |version: &str, reason: &str| {
        Err((
            directive(),
            format!("version {version:?} invalid: {reason}"),
        ))
    };
    let text = match word(token) {
        Ok(text) => text,
        Err(reason) => return invalid(token, &reason),
    };
    match fix {
        Some(fix) => fix(module, &text).map_err(|reason| (directive(), reason)),
        None => match path::canonical_version(&text) {
            canonical if canonical.is_empty() => invalid(&text, "must be of the form v1.2.3"),
            canonical => Ok(canonical),
        },
    }
}

fn path_major(module: &str) -> Result<&str, String> {
    path::split_path_version(module)
        .map(|(_, major)| major)
        .ok_or_else(|| "invalid module path".to_string())
}

fn check_major(verb: &str, module: &str, version: &str, major: &str) -> Found<()> {
    path::check_path_major(version, major).map_err(|reason| {
        (
            format!("{verb} {module}"),
            format!("version {version:?} invalid: {reason}"),
        )
    })
}

fn module_version(
    verb: &str,
    args: &[String],
    fix: &mut Option<VersionFixer<'_>>,
) -> Found<ModuleVersion> {
    let [module, token] = args else {
        return plain(format!("usage: {verb} module/path v1.2.3"));
    };
    let module = quoted(module)?;
    let version = version(verb, &module, token, fix)?;
    let major = path_major(&module).or_else(plain)?;
    check_major(verb, &module, &version, major)?;
    Ok(ModuleVersion::new(module, version))
}

pub(super) fn replace(args: &[String], fix: &mut Option<VersionFixer<'_>>) -> Found<Replace> {
    let arrow = if args.get(1).is_some_and(|arg| arg == "=>") {
        1
    } else {
        2
    };
    if args.len() < arrow + 2 || args.len() > arrow + 3 || args[arrow] != "=>" {
        return plain(
            "usage: replace module/path [v1.2.3] => other/module v1.4\n\t or replace module/path [v1.2.3] => ../local/directory",
        );
    }
    let old = quoted(&args[0])?;
    let major = path_major(&old).map_err(|reason| (format!("replace {old}"), reason))?;
    let mut old_version = String::new();
    if arrow == 2 {
        old_version = version("replace", &old, &args[1], fix)?;
        check_major("replace", &old, &old_version, major)?;
    }
    let new = quoted(&args[arrow + 1])?;
    let mut new_version = String::new();
    if let Some(token) = args.get(arrow + 2) {
        new_version = version("replace", &new, token, fix)?;
        if is_directory_path(&new) {
            return plain(format!(
                "replacement module directory path {new:?} cannot have version"
            ));
        }
    } else if !is_directory_path(&new) {
        if new.contains('@') {
            return plain(
                "replacement module must match format 'path version', not 'path@version'",
            );
        }
        return plain(
            "replacement module without version must be directory path (rooted or starting with . or ..)",
        );
    } else if new.contains('\\') {
        return plain("replacement directory appears to be Windows path (on a non-windows system)");
    }
    Ok(Replace {
        old: ModuleVersion::new(old, old_version),
        new: ModuleVersion::new(new, new_version),
    })
}

pub(super) fn godebug(args: &[String]) -> Found<Godebug> {
    let parts = match args {
        [arg] if !arg.contains(['"', '`', '\'', ',']) => arg.split_once('='),
        _ => None,
    };
    match parts {
        Some((key, value)) => Ok(Godebug {
            key: key.to_string(),
            value: value.to_string(),
        }),
        None => plain("usage: godebug key=value"),
    }
}

pub(super) fn one_path(verb: &str, args: &[String]) -> Found<String> {
    match args {
        [arg] => quoted(arg),
        _ => plain(format!("{verb} directive expects exactly one argument")),
    }
}

pub(super) fn go_version(args: &[String], strict: bool) -> Found<String> {
    let [arg] = args else {
        return plain("go directive expects exactly one argument");
    };
    if is_go_version(arg) {
        return Ok(arg.clone());
    }
    match lax_go_version(arg) {
        Some(version) if !strict => Ok(version.to_string()),
        _ => plain(format!(
            "invalid go version '{arg}': must match format 1.23.0"
        )),
    }
}

pub(super) fn toolchain_name(args: &[String]) -> Found<String> {
    match args {
        [name] if is_toolchain_name(name) => Ok(name.clone()),
        [name] => plain(format!(
            "invalid toolchain version '{name}': must match format go1.23.0 or default"
        )),
        _ => plain("toolchain directive expects exactly one argument"),
    }
}

/// The text of the comments of a directive, or of its block if it has none itself.
fn comment_text(block: Option<&Block>, line: &Line) -> String {
    let own = &line.comments;
    let comments = match block {
        Some(block) if own.before.is_empty() && own.suffix.is_empty() => &block.comments,
        _ => own,
    };
    let texts = comments.before.iter().chain(&comments.suffix);
    let lines: Vec<&str> = texts
        .filter_map(|text| text.strip_prefix("//"))
        .map(str::trim)
        .collect();
    lines.join("\n")
}

/// The paragraph that begins with `Deprecated:`, without that word.
fn deprecation(text: &str) -> String {
    text.split("\n\n")
        .find_map(|paragraph| paragraph.strip_prefix("Deprecated:"))
        .map_or_else(String::new, |message| {
            message.trim_start_matches(' ').to_string()
        })
}

/// Low and high version, and what follows them.
fn interval<'a>(
    module: &str,
    args: &'a [String],
    fix: &mut Option<VersionFixer<'_>>,
) -> Found<(String, String, &'a [String])> {
    let mut version_at = |at: usize| version("retract", module, &args[at], fix);
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg == word);
    if args.is_empty() || is(0, "(") {
        return plain("expected '[' or version");
    }
    if !is(0, "[") {
        let only = version_at(0)?;
        return Ok((only.clone(), only, &args[1..]));
    }
    if args.len() < 2 {
        return plain("expected version after '['");
    }
    let low = version_at(1)?;
    if !is(2, ",") {
        return plain("expected ',' after version");
    }
    if args.len() < 4 {
        return plain("expected version after ','");
    }
    let high = version_at(3)?;
    if !is(4, "]") {
        return plain("expected ']' after version");
    }
    Ok((low, high, &args[5..]))
}

/// The words of a `retract` line.
fn retraction_words(interval: bool, low: &str, high: &str) -> Vec<String> {
    let (low, high) = (auto_quote(low), auto_quote(high));
    let words: &[&str] = match interval {
        true => &["retract", "[", &low, ",", &high, "]"],
        false => &["retract", &low],
    };
    words.iter().map(ToString::to_string).collect()
}

/// Whether a line says `// indirect`.
pub(super) fn is_indirect(line: &Line) -> bool {
    let Some(comment) = line.comments.suffix.first() else {
        return false;
    };
    let text = comment.strip_prefix("//").unwrap_or(comment).trim_start();
    text.trim_end() == "indirect" || text.starts_with("indirect;")
}

/// Sets a value that a file can have once.
pub(super) fn once<T>(
    slot: &mut Option<Entry<T>>,
    verb: &str,
    line: &Line,
    found: Found<T>,
) -> Found<()> {
    if slot.is_some() {
        return plain(format!("repeated {verb} statement"));
    }
    *slot = Some(entry(line, found?));
    Ok(())
}

pub(super) fn entry<T>(line: &Line, value: T) -> Entry<T> {
    Entry {
        value,
        line: line.id,
        at: line.start,
    }
}

/// The words of a line with its verb, whether it stands in a block or not.
pub(super) fn words<'a>(block: Option<&'a Block>, line: &'a Line) -> (&'a str, &'a [String]) {
    match block {
        Some(block) => (&block.tokens[0], &line.tokens),
        None => line
            .tokens
            .split_first()
            .map_or(("", &[]), |(verb, args)| (verb.as_str(), args)),
    }
}

/// Errors of blocks whose words are none of `verbs`.
pub(super) fn unknown_blocks(syntax: &Syntax, verbs: &[&str]) -> Vec<SyntaxError> {
    let blocks = syntax
        .statements
        .iter()
        .filter_map(|statement| match statement {
            super::Statement::Block(block) => Some(block),
            _ => None,
        });
    blocks
        .filter(|block| block.tokens.len() > 1 || !verbs.contains(&block.tokens[0].as_str()))
        .map(|block| {
            SyntaxError::at(
                &syntax.name,
                block.start,
                format!("unknown block type: {}", block.tokens.join(" ")),
            )
        })
        .collect()
}

const BLOCK_VERBS: [&str; 8] = [
    "module", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore",
];

impl ModFile {
    /// Reads the go.mod of a main module. Without `fix` every version must be canonical.
    ///
    /// # Errors
    /// All that is wrong, with positions.
    pub fn parse(
        name: &str,
        text: &str,
        fix: Option<VersionFixer<'_>>,
    ) -> Result<ModFile, SyntaxErrors> {
        Self::read(name, text, fix, true)
    }

    /// Reads the go.mod of a dependency: what only main modules use, and what is unknown, is passed over.
    ///
    /// # Errors
    /// All that is wrong, with positions.
    pub fn parse_lax(
        name: &str,
        text: &str,
        fix: Option<VersionFixer<'_>>,
    ) -> Result<ModFile, SyntaxErrors> {
        Self::read(name, text, fix, false)
    }

    fn read(
        name: &str,
        text: &str,
        mut fix: Option<VersionFixer<'_>>,
        strict: bool,
    ) -> Result<ModFile, SyntaxErrors> {
        let mut syntax = Syntax::parse(name, text)?;
        let mut file = ModFile::default();
        let mut errors = if strict {
            unknown_blocks(&syntax, &BLOCK_VERBS)
        } else {
            Vec::new()
        };
        let mut fixed = Vec::new();
        for (block, line) in syntax.lines() {
            if block.is_some_and(|block| {
                block.tokens.len() > 1 || !BLOCK_VERBS.contains(&block.tokens[0].as_str())
            }) {
                continue;
            }
            match file.add(block, line, &mut fix, strict) {
                Ok(Some(tokens)) => fixed.push((line.id, tokens)),
                Ok(None) => {}
                Err((directive, reason)) => errors.push(SyntaxError {
                    directive,
                    ..SyntaxError::at(name, line.start, reason)
                }),
            }
        }
        if fix.is_some() {
            errors.extend(file.fix_retractions(&syntax, &mut fix, &mut fixed));
        }
        if !errors.is_empty() {
            errors.sort_by_key(|error| error.at.byte);
            return Err(SyntaxErrors(errors));
        }
        for (line, tokens) in fixed {
            syntax.update_line(line, &tokens);
        }
        file.syntax = syntax;
        Ok(file)
    }

    /// Takes one line up. Returns its words anew where reading has changed a version or the quotes.
    fn add(
        &mut self,
        block: Option<&Block>,
        line: &Line,
        fix: &mut Option<VersionFixer<'_>>,
        strict: bool,
    ) -> Found<Option<Vec<String>>> {
        let (verb, args) = words(block, line);
        if !strict && !["go", "module", "retract", "require", "ignore"].contains(&verb) {
            return Ok(None);
        }
        let tokens = |words: &[&str]| {
            Some(
                words
                    .iter()
                    .map(|word| {
                        if *word == "=>" {
                            (*word).to_string()
                        } else {
                            auto_quote(word)
                        }
                    })
                    .collect(),
            )
        };
        match verb {
            "go" => once(&mut self.go, verb, line, go_version(args, strict))?,
            "toolchain" => once(&mut self.toolchain, verb, line, toolchain_name(args))?,
            "module" => {
                let path = match args {
                    [arg] => quoted(arg),
                    _ => plain("usage: module module/path"),
                };
                let deprecated = deprecation(&comment_text(block, line));
                let fixed = path.as_ref().ok().and_then(|path| tokens(&[verb, path]));
                once(
                    &mut self.module,
                    verb,
                    line,
                    path.map(|path| Module { path, deprecated }),
                )?;
                return Ok(fixed);
            }
            "godebug" => self.godebug.push(entry(line, godebug(args)?)),
            "require" => {
                let module = module_version(verb, args, fix)?;
                let fixed = tokens(&[verb, &module.path, &module.version]);
                self.require.push(entry(
                    line,
                    Require {
                        module,
                        indirect: is_indirect(line),
                    },
                ));
                return Ok(fixed);
            }
            "exclude" => {
                let module = module_version(verb, args, fix)?;
                let fixed = tokens(&[verb, &module.path, &module.version]);
                self.exclude.push(entry(line, module));
                return Ok(fixed);
            }
            "replace" => {
                let replace = replace(args, fix)?;
                let Replace { old, new } = &replace;
                let all = [verb, &old.path, &old.version, "=>", &new.path, &new.version];
                let fixed = tokens(
                    &all.iter()
                        .copied()
                        .filter(|word| !word.is_empty())
                        .collect::<Vec<_>>(),
                );
                self.replace.push(entry(line, replace));
                return Ok(fixed);
            }
            "retract" => return self.add_retraction(block, line, args, strict),
            "tool" => self.tool.push(entry(line, one_path(verb, args)?)),
            "ignore" => self.ignore.push(entry(line, one_path(verb, args)?)),
            _ => return plain(format!("unknown directive: {verb}")),
        }
        Ok(None)
    }

    fn add_retraction(
        &mut self,
        block: Option<&Block>,
        line: &Line,
        args: &[String],
        strict: bool,
    ) -> Found<Option<Vec<String>>> {
        // The versions are made canonical when the module's path is known: its line may come last.
        let as_written: VersionFixer<'_> = &mut |_, version| Ok(version.to_string());
        match interval("", args, &mut Some(as_written)) {
            Ok((_, _, [more, ..])) if strict => {
                plain(format!("unexpected token after version: {more:?}"))
            }
            Ok((low, high, _)) => {
                let rationale = comment_text(block, line);
                let words = retraction_words(args[0] == "[", &low, &high);
                self.retract.push(entry(
                    line,
                    Retract {
                        low,
                        high,
                        rationale,
                    },
                ));
                Ok(Some(words))
            }
            // A later release of Go may know more forms than this one; those of dependencies are not for us to judge.
            Err(_) if !strict => Ok(None),
            Err(reason) => Err(reason),
        }
    }

    fn fix_retractions(
        &mut self,
        syntax: &Syntax,
        fix: &mut Option<VersionFixer<'_>>,
        fixed: &mut Vec<(LineId, Vec<String>)>,
    ) -> Vec<SyntaxError> {
        let mut errors = Vec::new();
        let intervals: HashSet<LineId> = syntax
            .lines()
            .filter(|(_, line)| line.tokens.iter().any(|token| token == "["))
            .map(|(_, line)| line.id)
            .collect();
        let path = self
            .module
            .as_ref()
            .map_or_else(String::new, |module| module.path.clone());
        for retract in &mut self.retract {
            if path.is_empty() {
                errors.push(SyntaxError::at(
                    &syntax.name,
                    retract.at,
                    "no module directive found, so retract cannot be used",
                ));
                break;
            }
            let ends = [retract.low.clone(), retract.high.clone()]
                .map(|end| version("retract", &path, &auto_quote(&end), fix));
            match ends {
                [Ok(low), Ok(high)] => {
                    let interval = intervals.contains(&retract.line);
                    fixed.push((retract.line, retraction_words(interval, &low, &high)));
                    (retract.value.low, retract.value.high) = (low, high);
                }
                [Err((directive, reason)), _] | [_, Err((directive, reason))] => {
                    errors.push(SyntaxError {
                        directive,
                        ..SyntaxError::at(&syntax.name, retract.at, reason)
                    });
                }
            }
        }
        errors
    }
}

//! From files to facts.
//!
//! A file is read only as far as its header goes, except where go reads it whole too: when it imports `embed`, or when the
//! header does not parse. Nothing of the build configuration is used here.

use crate::source::facts::{
    Constraint, DirContents, DirectiveFact, EmbedFact, FileError, FileFacts, ImportFact, SyntaxFact,
};
use crate::source::parser::{Header, Lines};
use crate::source::{SourceError, comment, constraint, embed_lines, extent, lexer, parser};
use camino::Utf8Path;
use std::borrow::Cow;
use std::io::Read;
use steady_module::quote;
use steady_system::{FileKind, Files};

/// Enough for most headers.
const HEAD_SIZE: usize = 8 * 1024;

const BYTE_ORDER_MARK: &[u8] = &[0xef, 0xbb, 0xbf];

/// Extensions of the other files that go's builder knows. The comparison is exact: `.S` is not `.s`.
const OTHER_EXTENSIONS: [&str; 19] = [
    "c", "cc", "cpp", "cxx", "m", "h", "hh", "hpp", "hxx", "f", "F", "for", "f90", "s", "S", "sx",
    "swig", "swigcxx", "syso",
];

/// The part of a name behind its last dot, dot excluded; empty without one.
pub fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ext)| ext)
}

/// Facts of a directory.
pub fn scan_dir(files: &Files, dir: &Utf8Path) -> Result<DirContents, SourceError> {
    let entries = files
        .read_dir(dir)
        .map_err(|error| unreadable(files, dir, &error))?;
    let mut contents = DirContents::default();
    for entry in entries {
        match entry.kind {
            FileKind::Dir => {
                contents.subdirs.push(entry.name);
                continue;
            }
            FileKind::Symlink if files.is_dir(dir.join(&entry.name)) => {
                contents.dir_links.push(entry.name);
                continue;
            }
            _ => {}
        }
        if entry.name == "go.mod" {
            contents.has_go_mod = entry.kind == FileKind::File || files.is_file(dir.join("go.mod"));
        }
        if is_source_name(&entry.name) {
            contents.has_links |= entry.kind == FileKind::Symlink;
            contents.files.push(scan_file(files, dir, &entry.name));
        }
    }
    Ok(contents)
}

/// Whether go's builder looks at a file of this name at all.
pub fn is_source_name(name: &str) -> bool {
    let ext = extension(name);
    !name.starts_with(['_', '.']) && (ext == "go" || OTHER_EXTENSIONS.contains(&ext))
}

fn unreadable(files: &Files, dir: &Utf8Path, error: &steady_system::Error) -> SourceError {
    if !files.is_dir(dir) {
        return missing(dir);
    }
    SourceError::Unreadable {
        dir: dir.to_owned(),
        message: error.to_string(),
        missing: false,
    }
}

/// The error for a directory that is not there.
pub(crate) fn missing(dir: &Utf8Path) -> SourceError {
    let message = format!("cannot find package \".\" in:\n\t{dir}");
    SourceError::Unreadable {
        dir: dir.to_owned(),
        message,
        missing: true,
    }
}

/// Facts of one file of a directory.
pub fn scan_file(files: &Files, dir: &Utf8Path, name: &str) -> FileFacts {
    let mut facts = FileFacts {
        name: name.to_owned(),
        ..FileFacts::default()
    };
    if extension(name) == "syso" {
        return facts;
    }
    let path = dir.join(name);
    let (bytes, complete) = match read_head(files, &path) {
        Ok(head) => head,
        Err(error) => {
            facts.error = Some(FileError::Open(error.to_string()));
            return facts;
        }
    };
    if scan_bytes(&mut facts, &bytes, complete) {
        return facts;
    }
    facts = FileFacts {
        name: name.to_owned(),
        ..FileFacts::default()
    };
    match files.read(&path) {
        Ok(bytes) => {
            scan_bytes(&mut facts, &bytes, true);
        }
        Err(error) => facts.error = Some(FileError::Read(error.cause())),
    }
    facts
}

/// The first bytes of a file; true: that is all of it.
fn read_head(files: &Files, path: &Utf8Path) -> Result<(Vec<u8>, bool), steady_system::Error> {
    let file = files.open(path)?;
    let mut bytes = Vec::with_capacity(HEAD_SIZE);
    match file.take(HEAD_SIZE as u64).read_to_end(&mut bytes) {
        Ok(length) => Ok((bytes, length < HEAD_SIZE)),
        // Let the whole read word the error.
        Err(_) => Ok((files.read(path)?, true)),
    }
}

/// Facts of a file's text, into `facts` (whose name is set). False: more of the file is needed, `facts` is spoilt.
pub fn scan_bytes(facts: &mut FileFacts, bytes: &[u8], complete: bool) -> bool {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let is_go = extension(&facts.name) == "go";
    let extent = if is_go {
        extent::go_header(bytes)
    } else {
        extent::comments(bytes)
    };
    match extent.stop {
        extent::Stop::End | extent::Stop::Syntax if !complete => return false,
        extent::Stop::Nul => {
            facts.error = Some(FileError::Read("unexpected NUL in input".to_owned()));
            return true;
        }
        extent::Stop::Syntax if !is_go => {
            facts.error = Some(FileError::Read("syntax error".to_owned()));
            return true;
        }
        _ => {}
    }
    let end = if extent.stop == extent::Stop::Syntax {
        bytes.len()
    } else {
        extent.end
    };
    let (header, not_utf8) = lexer::decode(&bytes[..end]);
    match not_utf8[..] {
        [] => header_constraint(facts, &header),
        _ => header_constraint(facts, &String::from_utf8_lossy(&bytes[..end])),
    }
    if !is_go {
        facts.binary_only = false;
        return true;
    }
    if facts.name.ends_with("_test.go") {
        facts.binary_only = false;
    }
    go_facts(facts, &header, &not_utf8, &extent.imports);
    if facts.syntax_errors.is_empty() && facts.imports.iter().any(|import| import.path == "embed") {
        if !complete {
            return false;
        }
        facts.embeds = embed_facts(&String::from_utf8_lossy(bytes));
    }
    true
}

/// What the parser knows of a Go file.
fn go_facts(facts: &mut FileFacts, header: &str, not_utf8: &[usize], lenient: &[&[u8]]) {
    let lines = Lines::new(header);
    let parsed = parser::parse(header, not_utf8, &lines);
    facts.synopsis = if parsed.doc.is_empty() {
        String::new()
    } else {
        comment::synopsis(&comment::text(&parsed.doc))
    };
    facts.import_comment = import_comment(header);
    for (offset, message) in &parsed.errors {
        let (line, column) = lines.position(*offset);
        facts.syntax_errors.push(SyntaxFact {
            line,
            column,
            message: message.clone(),
            single: false,
        });
    }
    if parsed.errors.is_empty() {
        import_facts(facts, &parsed, &lines);
    }
    if facts.syntax_errors.is_empty() {
        facts.directives = directive_facts(&parsed, &lines);
    } else {
        // What the module loader sees of a file that does not parse.
        let paths = lenient
            .iter()
            .filter_map(|raw| quote::unquote(&String::from_utf8_lossy(raw)));
        facts.imports = paths
            .map(|path| ImportFact {
                path,
                line: 0,
                column: 0,
            })
            .collect();
    }
    facts.package_name = parsed.name;
}

fn import_facts(facts: &mut FileFacts, parsed: &Header<'_>, lines: &Lines<'_>) {
    for import in &parsed.imports {
        let (line, column) = lines.position(import.offset);
        if !is_valid_import(&import.path) {
            let message = format!("invalid import path: {}", import.path);
            facts.syntax_errors.push(SyntaxFact {
                line,
                column,
                message,
                single: true,
            });
            return;
        }
        if import.path == "C" {
            let text = comment::text(&import.doc);
            facts.cgo_lines.extend(
                text.split('\n')
                    .filter(|line| is_cgo_line(line))
                    .map(str::to_owned),
            );
        }
        facts.imports.push(ImportFact {
            path: import.path.clone(),
            line,
            column,
        });
    }
}

fn directive_facts(parsed: &Header<'_>, lines: &Lines<'_>) -> Vec<DirectiveFact> {
    let is_directive = |(_, text): &&(usize, Cow<'_, str>)| text.starts_with("//go:");
    let fact = |(offset, text): &(usize, Cow<'_, str>)| {
        let (line, column) = lines.position(*offset);
        DirectiveFact {
            text: text.trim_end_matches('\r').to_owned(),
            line,
            column,
        }
    };
    parsed
        .leading
        .iter()
        .filter(is_directive)
        .map(fact)
        .collect()
}

fn embed_facts(text: &str) -> Vec<EmbedFact> {
    let found = embed_lines::patterns(text);
    let lines = if found.is_empty() {
        Lines::new("")
    } else {
        Lines::new(text)
    };
    let fact = |(offset, pattern)| {
        let (line, column) = lines.position(offset);
        EmbedFact {
            pattern,
            line,
            column,
        }
    };
    found.into_iter().map(fact).collect()
}

fn is_cgo_line(line: &str) -> bool {
    line.trim()
        .strip_prefix("#cgo")
        .is_some_and(|rest| rest.starts_with([' ', '\t']))
}

/// The stricter set of characters that go allows in an import path.
fn is_valid_import(path: &str) -> bool {
    let invisible = |c: char| matches!(u32::from(c), 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xe000..=0xf8ff | 0xf_0000..);
    let bad = |c: char| {
        c.is_control()
            || c.is_whitespace()
            || invisible(c)
            || "!\"#$%&'()*,:;<=>?[\\]^{|}`\u{fffd}".contains(c)
    };
    !path.is_empty() && !path.contains(bad)
}

/// Build constraint and binary-only marker of a header.
///
/// A `//go:build` line counts anywhere before the first text that is no comment; `// +build` lines only above the last
/// blank line of the leading run of `//` comments.
fn header_constraint(facts: &mut FileFacts, header: &str) {
    let (mut plus_end, mut at) = (0, 0);
    let (mut ended, mut in_block, mut go_build) = (false, false, None);
    for whole in header.split_inclusive('\n') {
        at += whole.len();
        let mut line = whole.trim();
        if line.is_empty() && !ended {
            plus_end = at;
            continue;
        }
        ended |= !line.starts_with("//");
        if !in_block && is_go_build(whole) {
            if go_build.is_some() {
                facts.error = Some(FileError::Header("multiple //go:build comments".to_owned()));
                return;
            }
            go_build = Some(line.to_owned());
        }
        facts.binary_only |= !in_block && line == "//go:binary-only-package";
        let mut text = false;
        while !line.is_empty() {
            if in_block {
                let Some(end) = line.find("*/") else { break };
                in_block = false;
                line = line[end + 2..].trim();
            } else if line.starts_with("//") {
                break;
            } else if let Some(rest) = line.strip_prefix("/*") {
                in_block = true;
                line = rest.trim();
            } else {
                text = true;
                break;
            }
        }
        if text {
            break;
        }
    }
    facts.constraint = match go_build {
        Some(line) => Constraint::GoBuild(line),
        None => plus_build(&header[..plus_end]),
    };
}

fn is_go_build(line: &str) -> bool {
    line.trim()
        .strip_prefix("//go:build")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

fn plus_build(header: &str) -> Constraint {
    let lines = header.split('\n').map(str::trim);
    let list: Vec<String> = lines
        .filter(|line| constraint::plus_build_text(line).is_some())
        .map(str::to_owned)
        .collect();
    if list.is_empty() {
        Constraint::None
    } else {
        Constraint::PlusBuild(list)
    }
}

/// `// import "path"` behind the package clause: line and quoted path.
fn import_comment(header: &str) -> Option<(u32, String)> {
    if !header.contains("import") {
        return None;
    }
    let (word, rest) = word(header)?;
    if word != "package" {
        return None;
    }
    let (_, rest) = self::word(rest)?;
    let rest = rest.trim_start_matches([' ', '\t', '\r']);
    let text = if let Some(line) = rest.strip_prefix("//") {
        line.split('\n').next().unwrap_or_default()
    } else {
        let block = rest.strip_prefix("/*")?.split_once("*/")?.0;
        if block.contains('\n') {
            return None;
        }
        block
    };
    let (word, argument) = self::word(text.trim())?;
    if word != "import" {
        return None;
    }
    let line = header[..header.len() - rest.len()].matches('\n').count() as u32 + 1;
    Some((line, argument.trim().to_owned()))
}

/// The word that a text begins with, white space and comments aside, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        rest = if rest.starts_with("//") {
            rest.split_once('\n')?.1
        } else if let Some(block) = rest.strip_prefix("/*") {
            block.split_once("*/")?.1
        } else {
            break;
        };
    }
    let length = rest
        .find(|c: char| !(c.is_alphabetic() || c.is_ascii_digit() || c == '_'))
        .unwrap_or(rest.len());
    (length > 0).then(|| rest.split_at(length))
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;

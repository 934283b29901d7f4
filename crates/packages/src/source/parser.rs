//! Package clause and import declarations, with the errors that go's parser reports for them.
//!
//! Error recovery follows go's parser: what it would pass over is passed over, so that the same list of errors comes out.

use crate::source::lexer::{Lexer, Token};
use std::borrow::Cow;
use steady_module::quote;

/// A comment and its offset.
pub type Comment<'a> = (usize, Cow<'a, str>);

/// One import declaration.
#[derive(Debug)]
pub struct Import<'a> {
    /// Offset of name or path, whichever comes first.
    pub offset: usize,
    /// Path, unquoted.
    pub path: String,
    /// The comment that documents it.
    pub doc: Vec<Comment<'a>>,
}

/// A parsed header.
#[derive(Debug, Default)]
pub struct Header<'a> {
    /// Package name; empty if the clause is wrong.
    pub name: String,
    /// Package comment.
    pub doc: Vec<Comment<'a>>,
    /// Every comment in front of the package clause.
    pub leading: Vec<Comment<'a>>,
    /// Imports.
    pub imports: Vec<Import<'a>>,
    /// Offset and words of each error, sorted.
    pub errors: Vec<(usize, String)>,
}

/// Errors after which go's parser gives up.
const ENOUGH_ERRORS: usize = 10;

const STATEMENT_WORDS: [&str; 14] = [
    "break",
    "const",
    "continue",
    "defer",
    "fallthrough",
    "for",
    "go",
    "goto",
    "if",
    "return",
    "select",
    "switch",
    "type",
    "var",
];

/// Offsets to lines and columns.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Of a text.
    pub fn new(text: &'a str) -> Self {
        // As in go's position tables no line begins at the very end of a file.
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0)
            .chain(ends.filter(|at| *at < text.len()))
            .collect();
        Self { text, starts }
    }
    /// Line of an offset, from 1.
    pub fn line(&self, offset: usize) -> u32 {
        self.starts.partition_point(|start| *start <= offset) as u32
    }
    /// Line and column of an offset, both from 1, the column in bytes.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let line = self.line(offset.min(self.text.len()));
        (line, (offset - self.starts[line as usize - 1]) as u32 + 1)
    }
}

struct Parser<'a, 'l> {
    lexer: Lexer<'a>,
    lines: &'l Lines<'a>,
    at: usize,
    token: Token<'a>,
    lead: Vec<Comment<'a>>,
    comments: Vec<Comment<'a>>,
    /// Too many errors: everything reads as the end from here on.
    gave_up: bool,
}

impl<'a> Parser<'a, '_> {
    fn advance_raw(&mut self) {
        (self.at, self.token) = match self.gave_up {
            true => (self.at, Token::End),
            false => self.lexer.next_token(),
        };
    }

    /// A run of comments in which no line is empty; gives the line on which the last one ends.
    fn group(&mut self, gap: u32) -> (Vec<Comment<'a>>, u32) {
        let (mut list, mut end) = (Vec::new(), self.lines.line(self.at));
        while let Token::Comment(text) = &self.token {
            if self.lines.line(self.at) > end + gap {
                break;
            }
            end = self.lines.line(self.at) + text.matches('\n').count() as u32;
            list.push((self.at, text.clone()));
            self.advance_raw();
        }
        self.comments.extend(list.iter().cloned());
        (list, end)
    }

    /// To the next token that is no comment; the comments directly above it become its lead.
    fn next(&mut self) {
        let before = self.lines.line(self.at);
        self.lead.clear();
        self.advance_raw();
        if !matches!(self.token, Token::Comment(_)) {
            return;
        }
        if self.lines.line(self.at) == before && self.at > 0 {
            self.group(0);
        }
        let mut last = None;
        while matches!(self.token, Token::Comment(_)) {
            last = Some(self.group(1));
        }
        if let Some((list, end)) = last
            && end + 1 == self.lines.line(self.at)
        {
            self.lead = list;
        }
    }

    /// go's parser keeps one error a line, counted by the error before.
    fn error(&mut self, at: usize, message: String) {
        if self.gave_up {
            return;
        }
        let errors = &mut self.lexer.errors;
        if errors
            .last()
            .is_some_and(|(last, _)| self.lines.line(*last) == self.lines.line(at))
        {
            return;
        }
        if errors.len() > ENOUGH_ERRORS {
            self.gave_up = true;
            self.token = Token::End;
            return;
        }
        errors.push((at, message));
    }

    fn expected(&mut self, what: &str) {
        let found = match &self.token {
            Token::Semicolon { newline: true } => "newline".to_owned(),
            Token::Semicolon { newline: false } => "';'".to_owned(),
            Token::Name(text) | Token::Literal(text) => (*text).to_owned(),
            Token::String(text) => text.to_string(),
            Token::Keyword(text) => format!("'{text}'"),
            Token::Sign(text) => format!("'{text}'"),
            Token::End => "'EOF'".to_owned(),
            Token::Illegal(_) => "'ILLEGAL'".to_owned(),
            Token::Comment(_) => "'COMMENT'".to_owned(),
        };
        self.error(self.at, format!("expected {what}, found {found}"));
    }

    fn expect_keyword(&mut self, word: &str) {
        if self.token != Token::Keyword(word) {
            self.expected(&format!("'{word}'"));
        }
        self.next();
    }

    fn name(&mut self) -> String {
        let name = match self.token {
            Token::Name(name) => name,
            _ => {
                self.expected("'IDENT'");
                "_"
            }
        };
        self.next();
        name.to_owned()
    }

    fn semicolon(&mut self) {
        match self.token {
            Token::Sign(")" | "}") => {}
            Token::Sign(",") => {
                self.expected("';'");
                self.next();
            }
            Token::Semicolon { .. } => self.next(),
            _ => {
                self.expected("';'");
                self.skip_to(
                    |token| matches!(token, Token::Keyword(word) if STATEMENT_WORDS.contains(word)),
                );
            }
        }
    }

    fn skip_to(&mut self, stop: impl Fn(&Token<'_>) -> bool) {
        while self.token != Token::End && !stop(&self.token) {
            self.next();
        }
    }

    fn import(&mut self, doc: Vec<Comment<'a>>) -> Import<'a> {
        let offset = self.at;
        match self.token {
            Token::Name(_) | Token::Sign(".") => self.next(),
            _ => {}
        }
        let mut path = String::new();
        match &self.token {
            Token::String(literal) => {
                path = quote::unquote(literal).unwrap_or_default();
                self.next();
            }
            Token::Literal(_) | Token::Name(_) => {
                self.error(self.at, "import path must be a string".to_owned());
                self.next();
            }
            _ => {
                self.error(self.at, "missing import path".to_owned());
                self.skip_to(|token| {
                    matches!(
                        token,
                        Token::Semicolon { .. } | Token::Sign("," | ":" | ")" | "]" | "}")
                    )
                });
            }
        }
        self.semicolon();
        Import { offset, path, doc }
    }

    fn import_declaration(&mut self, imports: &mut Vec<Import<'a>>) {
        let doc = std::mem::take(&mut self.lead);
        self.expect_keyword("import");
        if self.token != Token::Sign("(") {
            let import = self.import(doc);
            imports.push(import);
            return;
        }
        self.next();
        let first = imports.len();
        while !matches!(self.token, Token::Sign(")") | Token::End) {
            let lead = std::mem::take(&mut self.lead);
            let before = self.at;
            let import = self.import(lead);
            imports.push(import);
            if self.at == before && self.token != Token::End {
                self.next(); // never stand still
            }
        }
        if self.token != Token::Sign(")") {
            self.expected("')'");
        }
        self.next();
        self.semicolon();
        if let [only] = &mut imports[first..]
            && only.doc.is_empty()
        {
            only.doc = doc;
        }
    }

    fn file(&mut self) -> Header<'a> {
        let mut header = Header::default();
        self.next();
        header.leading = self.comments.clone();
        if self.lexer.errors.is_empty() {
            let doc = std::mem::take(&mut self.lead);
            self.expect_keyword("package");
            let name = self.name();
            self.semicolon();
            if self.lexer.errors.is_empty() {
                (header.name, header.doc) = (name, doc);
                while self.token == Token::Keyword("import") {
                    self.import_declaration(&mut header.imports);
                }
            }
        }
        header.errors = std::mem::take(&mut self.lexer.errors);
        header.errors.sort();
        header
    }
}

/// Parses the header of a Go file; text and `not_utf8` are those of [`crate::source::lexer::decode`].
pub fn parse<'a>(text: &'a str, not_utf8: &[usize], lines: &Lines<'a>) -> Header<'a> {
    let lexer = Lexer::new(text, not_utf8);
    Parser {
        lexer,
        lines,
        at: 0,
        token: Token::End,
        lead: Vec::new(),
        comments: Vec::new(),
        gave_up: false,
    }
    .file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header<'_> {
        parse(text, &[], &Lines::new(text))
    }

    fn errors(text: &str) -> Vec<String> {
        let lines = Lines::new(text);
        let position = |offset| {
            let (line, column) = lines.position(offset);
            format!("{line}:{column}")
        };
        parse(text, &[], &lines)
            .errors
            .into_iter()
            .map(|(at, text)| format!("{}: {text}", position(at)))
            .collect()
    }

    #[test]
    fn imports_and_comments() {
        let text = "// Copyright\n\n//go:build x\n\n// Package p\n// does.\npackage p\n\n// #cgo A: b\nimport \"C\"\n\nimport (\n\t// doc of a\n\tx \"a\" // line\n\t. \"b\"\n)\n";
        let header = header(text);
        assert_eq!(header.name, "p");
        assert_eq!(
            header
                .doc
                .iter()
                .map(|(_, text)| text.as_ref())
                .collect::<Vec<_>>(),
            ["// Package p", "// does."]
        );
        assert_eq!(header.leading.len(), 4);
        let imports: Vec<_> = header
            .imports
            .iter()
            .map(|import| (import.path.as_str(), import.doc.len()))
            .collect();
        assert_eq!(imports, [("C", 1), ("a", 1), ("b", 0)]);
        assert_eq!(Lines::new(text).position(header.imports[1].offset), (14, 2));
        assert!(header.errors.is_empty());
    }

    #[test]
    fn errors_are_those_of_go() {
        for (text, want) in [
            ("", vec!["1:1: expected 'package', found 'EOF'"]),
            ("// only\n", vec!["1:9: expected 'package', found 'EOF'"]),
            ("func f()", vec!["1:1: expected 'package', found 'func'"]),
            ("foo bar\n", vec!["1:1: expected 'package', found foo"]),
            ("package\n", vec!["1:9: expected 'IDENT', found 'EOF'"]),
            ("package 1\n", vec!["1:9: expected 'IDENT', found 1"]),
            ("package p q\n", vec!["1:11: expected ';', found q"]),
            ("package p\nimport x\n", vec!["2:9: missing import path"]),
            (
                "package p\nimport 1\n",
                vec!["2:8: import path must be a string"],
            ),
            (
                "package p\nimport (\n\"a\"\n",
                vec!["3:5: expected ')', found 'EOF'"],
            ),
            (
                "package p\nimport \"a\" \"b\"\n",
                vec!["2:12: expected ';', found \"b\""],
            ),
            (
                "package p\nimport \"a\nvar x\n",
                vec!["2:8: string literal not terminated"],
            ),
            ("@package p\n", vec!["1:1: illegal character U+0040 '@'"]),
        ] {
            assert_eq!(errors(text), want, "{text:?}");
        }
    }
}

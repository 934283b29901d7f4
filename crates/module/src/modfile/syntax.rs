//! The form that go.mod and go.work share: lines of words, blocks of lines, comments, and where each stands.
//!
//! Reading keeps everything but white space, so an edited file changes in the edited lines only. Each [`Line`] has an id that
//! stays with it while lines are added, moved into blocks and removed.

use super::{Position, SyntaxError};
use std::fmt::Write as _;

/// Names a line of one [`Syntax`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(u32);

/// Comments around a line or block, each with its `//`. An empty text is a blank line that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comments {
    /// On lines of their own, before.
    pub before: Vec<String>,
    /// At the end of the line.
    pub suffix: Vec<String>,
}

/// One line of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Stays with the line.
    pub id: LineId,
    /// Its comments.
    pub comments: Comments,
    /// Where it begins.
    pub start: Position,
    /// Its words, quoted as written; without the block's own words. Empty: removed.
    pub tokens: Vec<String>,
}

/// Words and, in parentheses, lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its comments; those at the end belong to the opening parenthesis.
    pub comments: Comments,
    /// Where it begins.
    pub start: Position,
    /// The words before the parenthesis.
    pub tokens: Vec<String>,
    /// The lines inside.
    pub lines: Vec<Line>,
    /// Comments of the closing parenthesis.
    pub close: Comments,
}

/// One statement at the top of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// Comments with no line right after them.
    Comments(Vec<String>),
    /// A line.
    Line(Line),
    /// A block.
    Block(Block),
}

impl Statement {
    fn verb(&self) -> Option<&str> {
        match self {
            Statement::Comments(_) => None,
            Statement::Line(line) => line.tokens.first().map(String::as_str),
            Statement::Block(block) => block.tokens.first().map(String::as_str),
        }
    }

    fn has(&self, id: LineId) -> bool {
        match self {
            Statement::Comments(_) => false,
            Statement::Line(line) => line.id == id,
            Statement::Block(block) => block.lines.iter().any(|line| line.id == id),
        }
    }
}

/// A whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Syntax {
    /// Name for messages.
    pub name: String,
    /// Its statements.
    pub statements: Vec<Statement>,
    next: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    End,
    Newline,
    /// A comment on a line of its own.
    Comment(String),
    /// A comment after something.
    Suffix(String),
    Word(String),
}

struct Lexer<'a> {
    name: &'a str,
    text: &'a str,
    at: Position,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at.byte..]
    }

    fn skip(&mut self, c: char) {
        self.at.byte += c.len_utf8();
        if c == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
    }

    fn error<T>(&self, reason: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError::at(self.name, self.at, reason))
    }

    fn next(&mut self) -> Result<(Token, Position), SyntaxError> {
        while let Some(c @ (' ' | '\t' | '\r')) = self.rest().chars().next() {
            self.skip(c);
        }
        let start = self.at;
        let Some(c) = self.rest().chars().next() else {
            return Ok((Token::End, start));
        };
        if self.rest().starts_with("//") {
            return Ok((self.comment(), start));
        }
        if self.rest().starts_with("/*") {
            return self.error("mod files must use // comments (not /* */ comments)");
        }
        match c {
            '\n' => {
                self.skip(c);
                return Ok((Token::Newline, start));
            }
            '(' | ')' | '[' | ']' | '{' | '}' | ',' => self.skip(c),
            '"' | '`' => self.string(c, start)?,
            c if is_word_char(c) => self.word()?,
            c => return self.error(format!("unexpected input character {}", quoted_char(c))),
        }
        Ok((
            Token::Word(self.text[start.byte..self.at.byte].to_string()),
            start,
        ))
    }

    fn comment(&mut self) -> Token {
        let line_start = self.text[..self.at.byte].rfind('\n').map_or(0, |at| at + 1);
        let alone = self.text[line_start..self.at.byte].trim().is_empty();
        let length = self.rest().find('\n').unwrap_or(self.rest().len());
        let text = self.rest()[..length].to_string();
        for c in text.chars() {
            self.skip(c);
        }
        if self.rest().starts_with('\n') {
            self.skip('\n');
        }
        let text = text.strip_suffix('\r').unwrap_or(&text).to_string();
        if alone {
            Token::Comment(text)
        } else {
            Token::Suffix(text)
        }
    }

    fn string(&mut self, quote: char, start: Position) -> Result<(), SyntaxError> {
        self.skip(quote);
        loop {
            match self.rest().chars().next() {
                None => {
                    return Err(SyntaxError::at(
                        self.name,
                        start,
                        "unexpected EOF in string",
                    ));
                }
                Some('\n') => return self.error("unexpected newline in string"),
                Some(c) => {
                    self.skip(c);
                    if c == quote {
                        return Ok(());
                    }
                    if c == '\\' && quote != '`' {
                        let Some(escaped) = self.rest().chars().next() else {
                            return Err(SyntaxError::at(
                                self.name,
                                start,
                                "unexpected EOF in string",
                            ));
                        };
                        self.skip(escaped);
                    }
                }
            }
        }
    }

    fn word(&mut self) -> Result<(), SyntaxError> {
        while let Some(c) = self.rest().chars().next() {
            if !is_word_char(c) || self.rest().starts_with("//") {
                break;
            }
            if self.rest().starts_with("/*") {
                return self.error("mod files must use // comments (not /* */ comments)");
            }
            self.skip(c);
        }
        Ok(())
    }
}

fn is_word_char(c: char) -> bool {
    !matches!(c, ' ' | '(' | ')' | '[' | ']' | '{' | '}' | ',')
        && !c.is_whitespace()
        && !c.is_control()
        && c != '\u{feff}'
}

fn quoted_char(c: char) -> String {
    match c {
        '\u{feff}' => "'\\ufeff'".to_string(),
        c if c.is_control() => format!("'\\x{:02x}'", c as u32),
        c => format!("'{c}'"),
    }
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    at: Position,
    next_id: u32,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(Token, Position), SyntaxError> {
        let (token, at) = self.lexer.next()?;
        Ok((
            std::mem::replace(&mut self.token, token),
            std::mem::replace(&mut self.at, at),
        ))
    }

    fn ends_line(&self) -> bool {
        matches!(self.token, Token::End | Token::Newline | Token::Suffix(_))
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.token, Token::Word(text) if text == word)
    }

    /// Takes the end of a line, and the comment that it may carry.
    fn end_of_line(&mut self) -> Result<Vec<String>, SyntaxError> {
        Ok(match self.advance()?.0 {
            Token::Suffix(text) => vec![text],
            _ => Vec::new(),
        })
    }

    fn line_id(&mut self) -> LineId {
        self.next_id += 1;
        LineId(self.next_id)
    }

    fn statements(&mut self) -> Result<Vec<Statement>, SyntaxError> {
        let mut statements = Vec::new();
        let mut comments: Vec<String> = Vec::new();
        loop {
            match &self.token {
                Token::Newline | Token::End => {
                    if !comments.is_empty() {
                        statements.push(Statement::Comments(std::mem::take(&mut comments)));
                    }
                    if self.advance()?.0 == Token::End {
                        return Ok(statements);
                    }
                }
                Token::Comment(text) | Token::Suffix(text) => {
                    comments.push(text.clone());
                    self.advance()?;
                }
                Token::Word(_) => {
                    let before = std::mem::take(&mut comments);
                    statements.push(self.statement(before)?);
                }
            }
        }
    }

    fn statement(&mut self, before: Vec<String>) -> Result<Statement, SyntaxError> {
        let start = self.at;
        let mut tokens = Vec::new();
        loop {
            if self.ends_line() {
                let suffix = self.end_of_line()?;
                let comments = Comments { before, suffix };
                let id = self.line_id();
                return Ok(Statement::Line(Line {
                    id,
                    comments,
                    start,
                    tokens,
                }));
            }
            // A comment at the start of a line cannot come before the line has ended.
            let (Token::Word(word), _) = self.advance()? else {
                continue;
            };
            if word != "(" || tokens.is_empty() {
                tokens.push(word);
                continue;
            }
            let mut block = Block {
                comments: Comments {
                    before: before.clone(),
                    suffix: Vec::new(),
                },
                start,
                tokens: tokens.clone(),
                lines: Vec::new(),
                close: Comments::default(),
            };
            if self.ends_line() {
                block.comments.suffix = self.end_of_line()?;
                self.block(&mut block)?;
                return Ok(Statement::Block(block));
            }
            tokens.push(word);
            if self.is_word(")") {
                self.advance()?;
                if self.ends_line() {
                    block.close.suffix = self.end_of_line()?;
                    return Ok(Statement::Block(block));
                }
                tokens.push(")".into());
            }
        }
    }

    fn block(&mut self, block: &mut Block) -> Result<(), SyntaxError> {
        let mut comments: Vec<String> = Vec::new();
        loop {
            match &self.token {
                Token::End => {
                    let (line, column) = (block.start.line, block.start.column);
                    let reason = format!(
                        "syntax error (unterminated block started at {}:{line}:{column})",
                        self.lexer.name
                    );
                    return Err(SyntaxError::at(self.lexer.name, self.lexer.at, reason));
                }
                Token::Newline => {
                    self.advance()?;
                    let first = comments.is_empty() && block.lines.is_empty();
                    if !first && comments.last().is_none_or(|last| !last.is_empty()) {
                        comments.push(String::new());
                    }
                }
                Token::Comment(text) | Token::Suffix(text) => {
                    comments.push(text.clone());
                    self.advance()?;
                }
                Token::Word(word) if word == ")" => {
                    self.advance()?;
                    if comments == [""] {
                        comments.clear();
                    }
                    block.close.before = comments;
                    if !self.ends_line() {
                        return self
                            .lexer
                            .error("syntax error (expected newline after closing paren)");
                    }
                    block.close.suffix = self.end_of_line()?;
                    return Ok(());
                }
                Token::Word(_) => {
                    let before = std::mem::take(&mut comments);
                    block.lines.push(self.block_line(before)?);
                }
            }
        }
    }

    fn block_line(&mut self, before: Vec<String>) -> Result<Line, SyntaxError> {
        let start = self.at;
        let mut tokens = Vec::new();
        while !self.ends_line() {
            if let (Token::Word(word), _) = self.advance()? {
                tokens.push(word);
            }
        }
        let suffix = self.end_of_line()?;
        Ok(Line {
            id: self.line_id(),
            comments: Comments { before, suffix },
            start,
            tokens,
        })
    }
}

impl Syntax {
    /// Reads a file. `name` is what messages call it.
    ///
    /// # Errors
    /// The first place that cannot be read.
    pub fn parse(name: &str, text: &str) -> Result<Syntax, SyntaxError> {
        let mut lexer = Lexer {
            name,
            text,
            at: Position {
                line: 1,
                column: 1,
                byte: 0,
            },
        };
        let (token, at) = lexer.next()?;
        let mut parser = Parser {
            lexer,
            token,
            at,
            next_id: 0,
        };
        let statements = parser.statements()?;
        Ok(Syntax {
            name: name.to_string(),
            statements,
            next: parser.next_id,
        })
    }

    /// The file in the standard form.
    #[must_use]
    pub fn format(&self) -> String {
        let mut printer = Printer::default();
        for (at, statement) in self.statements.iter().enumerate() {
            match statement {
                Statement::Comments(comments) => printer.comments(comments),
                Statement::Line(line) => {
                    printer.line(line);
                    printer.newline();
                }
                Statement::Block(block) => printer.block(block),
            }
            if at + 1 < self.statements.len() {
                printer.newline();
            }
        }
        let length = printer.out.trim_end_matches('\n').len();
        let ends = printer.out.len() > length;
        printer.out.truncate(length);
        if ends && length > 0 {
            printer.out.push('\n');
        }
        printer.out
    }

    /// Every line with the words of the block it stands in.
    pub fn lines(&self) -> impl Iterator<Item = (Option<&Block>, &Line)> {
        self.statements.iter().flat_map(
            |statement| -> Box<dyn Iterator<Item = (Option<&Block>, &Line)>> {
                match statement {
                    Statement::Comments(_) => Box::new(std::iter::empty()),
                    Statement::Line(line) => Box::new(std::iter::once((None, line))),
                    Statement::Block(block) => {
                        Box::new(block.lines.iter().map(move |line| (Some(block), line)))
                    }
                }
            },
        )
    }

    /// A line, and whether it stands in a block.
    pub fn line_mut(&mut self, id: LineId) -> Option<(&mut Line, bool)> {
        self.statements
            .iter_mut()
            .find_map(|statement| match statement {
                Statement::Line(line) if line.id == id => Some((line, false)),
                Statement::Block(block) => block
                    .lines
                    .iter_mut()
                    .find(|line| line.id == id)
                    .map(|line| (line, true)),
                _ => None,
            })
    }

    pub(super) fn new_line(&mut self, tokens: &[String]) -> Line {
        self.next += 1;
        Line {
            id: LineId(self.next),
            comments: Comments::default(),
            start: Position::default(),
            tokens: tokens.to_vec(),
        }
    }

    /// Puts other words on a line; the first is the verb, which a line in a block does not repeat.
    pub(super) fn update_line(&mut self, id: LineId, tokens: &[String]) {
        if let Some((line, in_block)) = self.line_mut(id) {
            line.tokens = tokens[usize::from(in_block)..].to_vec();
        }
    }

    /// Marks a line as removed; [`Syntax::cleanup`] takes it out.
    pub(super) fn remove_line(&mut self, id: LineId) {
        if let Some((line, _)) = self.line_mut(id) {
            line.tokens.clear();
            line.comments.suffix.clear();
        }
    }

    /// Adds a line: after `hint` if that is given, in its block when the verb is the same; without a hint to the last statement with
    /// this verb, which becomes a block if it is none; else at the end of the file.
    pub(super) fn add_line(&mut self, hint: Option<LineId>, tokens: &[String]) -> LineId {
        let verb = tokens[0].clone();
        let at = match hint {
            Some(id) => self
                .statements
                .iter()
                .position(|statement| statement.has(id)),
            None => self
                .statements
                .iter()
                .rposition(|statement| statement.verb() == Some(&verb)),
        };
        let Some(at) = at else {
            let line = self.new_line(tokens);
            let id = line.id;
            self.statements.push(Statement::Line(line));
            return id;
        };
        if self.statements[at].verb() != Some(&verb) {
            let line = self.new_line(tokens);
            let id = line.id;
            self.statements.insert(at + 1, Statement::Line(line));
            return id;
        }
        let line = self.new_line(&tokens[1..]);
        let id = line.id;
        let block = self.ensure_block(at);
        let after = hint.and_then(|hint| block.lines.iter().position(|line| line.id == hint));
        block
            .lines
            .insert(after.map_or(block.lines.len(), |after| after + 1), line);
        id
    }

    /// The block at a statement's place; a single line becomes one.
    pub(super) fn ensure_block(&mut self, at: usize) -> &mut Block {
        if let Statement::Line(line) = &mut self.statements[at] {
            let mut line = line.clone();
            let rest = line.tokens.split_off(1);
            let block = Block {
                comments: Comments::default(),
                start: line.start,
                tokens: std::mem::replace(&mut line.tokens, rest),
                lines: vec![line],
                close: Comments::default(),
            };
            self.statements[at] = Statement::Block(block);
        }
        match &mut self.statements[at] {
            Statement::Block(block) => block,
            _ => unreachable!("a line was made a block, and comments have no verb"),
        }
    }

    /// Takes a line out at once, and its block if it was the last one there.
    pub(super) fn take_out(&mut self, id: LineId) {
        self.statements.retain_mut(|statement| match statement {
            Statement::Line(line) => line.id != id,
            Statement::Block(block) if block.lines.iter().any(|line| line.id == id) => {
                block.lines.retain(|line| line.id != id);
                !block.lines.is_empty()
            }
            _ => true,
        });
    }

    /// Moves a line with its comments to the end of the block at a statement's place. The old line stays as a removed one, so that
    /// the places of statements do not change. Returns the line's new id.
    pub(super) fn move_line(&mut self, id: LineId, to: usize) -> LineId {
        let Some((line, in_block)) = self.line_mut(id) else {
            return id;
        };
        let mut moved = line.clone();
        line.tokens.clear();
        if !in_block {
            moved.tokens.remove(0);
        }
        self.next += 1;
        moved.id = LineId(self.next);
        let id = moved.id;
        self.ensure_block(to).lines.push(moved);
        id
    }

    /// Takes removed lines out, and makes a block with one line a line.
    pub fn cleanup(&mut self) {
        let statements = std::mem::take(&mut self.statements);
        self.statements = statements
            .into_iter()
            .filter_map(|statement| match statement {
                Statement::Line(line) if line.tokens.is_empty() => None,
                Statement::Block(mut block) => {
                    block.lines.retain(|line| !line.tokens.is_empty());
                    match block.lines.len() {
                        0 => None,
                        1 if block.close.before.is_empty() => {
                            Some(Statement::Line(collapse(block)))
                        }
                        _ => Some(Statement::Block(block)),
                    }
                }
                other => Some(other),
            })
            .collect();
    }
}

fn collapse(block: Block) -> Line {
    let mut line = block
        .lines
        .into_iter()
        .next()
        .expect("called with one line");
    let mut before = block.comments.before;
    before.append(&mut line.comments.before);
    let mut tokens = block.tokens;
    tokens.append(&mut line.tokens);
    Line {
        comments: Comments {
            before,
            suffix: line.comments.suffix,
        },
        tokens,
        ..line
    }
}

#[derive(Default)]
struct Printer {
    out: String,
    suffix: Vec<String>,
    margin: usize,
}

impl Printer {
    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n('\t', self.margin));
    }

    fn trim(&mut self) {
        let length = self.out.trim_end_matches(['\t', ' ']).len();
        self.out.truncate(length);
    }

    fn newline(&mut self) {
        for (at, comment) in std::mem::take(&mut self.suffix).into_iter().enumerate() {
            if at == 0 {
                self.out.push(' ');
            } else {
                self.trim();
                self.out.push('\n');
                self.indent();
            }
            self.out.push_str(comment.trim());
        }
        self.trim();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
        self.indent();
    }

    fn comments(&mut self, comments: &[String]) {
        if comments.is_empty() {
            return;
        }
        self.trim();
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.indent();
        for comment in comments {
            self.out.push_str(comment.trim());
            self.newline();
        }
    }

    fn tokens(&mut self, tokens: &[String]) {
        let mut separator = "";
        for token in tokens {
            if matches!(token.as_str(), "," | ")" | "]" | "}") {
                separator = "";
            }
            let _ = write!(self.out, "{separator}{token}");
            separator = if matches!(token.as_str(), "(" | "[" | "{") {
                ""
            } else {
                " "
            };
        }
    }

    fn line(&mut self, line: &Line) {
        self.comments(&line.comments.before);
        self.tokens(&line.tokens);
        self.suffix.extend_from_slice(&line.comments.suffix);
    }

    fn block(&mut self, block: &Block) {
        self.comments(&block.comments.before);
        self.tokens(&block.tokens);
        self.out.push_str(" (");
        self.suffix.extend_from_slice(&block.comments.suffix);
        self.margin += 1;
        for line in &block.lines {
            self.newline();
            self.line(line);
        }
        self.margin -= 1;
        self.newline();
        self.comments(&block.close.before);
        self.out.push(')');
        self.suffix.extend_from_slice(&block.close.suffix);
        self.newline();
    }
}

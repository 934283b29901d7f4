//! Tokens of a Go file's header, with the errors that go's scanner reports.

use std::borrow::Cow;

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// End of text.
    End,
    /// `;`, or a line end that stands for one.
    Semicolon {
        /// It was a line end (or the end of the text).
        newline: bool,
    },
    /// A comment, carriage returns taken out.
    Comment(Cow<'a, str>),
    /// A name.
    Name(&'a str),
    /// A keyword.
    Keyword(&'a str),
    /// A string literal as written.
    String(Cow<'a, str>),
    /// A number or rune literal as written.
    Literal(&'a str),
    /// An operator or a bracket.
    Sign(&'static str),
    /// Something else.
    Illegal(&'a str),
}

const KEYWORDS: [&str; 25] = [
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "fallthrough",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "interface",
    "map",
    "package",
    "range",
    "return",
    "select",
    "struct",
    "switch",
    "type",
    "var",
];

/// Operators, longer ones before their beginnings.
const SIGNS: [&str; 47] = [
    "<<=", ">>=", "&^=", "...", "&&", "||", "<-", "++", "--", "==", "!=", "<=", ">=", ":=", "+=",
    "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "&^", "+", "-", "*", "/", "%", "&", "|",
    "^", "<", ">", "=", "!", "(", "[", "{", ",", ".", ")", "]", "}", ":", "~",
];

/// Goes over a text token by token.
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
    semicolon_due: bool,
    /// Where a line end inside a comment stands for a semicolon.
    pending_newline: Option<usize>,
    /// Errors so far: offset and go's words.
    pub errors: Vec<(usize, String)>,
    /// Bytes that are wrong wherever they stand, in comments too; last one first.
    wrong: Vec<(usize, &'static str)>,
    /// Those of them that are no UTF-8, in order.
    not_utf8: Vec<usize>,
}

/// Stands for a byte that is no UTF-8, so that offsets stay those of the file.
const NOT_UTF8: char = '\u{1a}';

/// What go says of such a byte.
const NOT_UTF8_ERROR: &str = "illegal UTF-8 encoding";

/// A header as text, each byte that is no UTF-8 replaced by one other byte; and the offsets of those bytes.
pub fn decode(bytes: &[u8]) -> (Cow<'_, str>, Vec<usize>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let (mut text, mut wrong) = (String::with_capacity(bytes.len()), Vec::new());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for _ in chunk.invalid() {
            wrong.push(text.len());
            text.push(NOT_UTF8);
        }
    }
    (Cow::Owned(text), wrong)
}

impl<'a> Lexer<'a> {
    /// A lexer at the beginning of `text`; `not_utf8` as [`decode`] gives it.
    pub fn new(text: &'a str, not_utf8: &[usize]) -> Self {
        let mut wrong: Vec<_> = not_utf8.iter().map(|at| (*at, NOT_UTF8_ERROR)).collect();
        wrong.extend(
            text.match_indices('\0')
                .map(|(at, _)| (at, "illegal character NUL")),
        );
        let marks = text.match_indices('\u{feff}').filter(|(at, _)| *at > 0);
        wrong.extend(marks.map(|(at, _)| (at, "illegal byte order mark")));
        wrong.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            text,
            at: 0,
            semicolon_due: false,
            pending_newline: None,
            errors: Vec::new(),
            wrong,
            not_utf8: not_utf8.to_vec(),
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// All tokens up to the end but comments, with their offsets.
    pub fn code(mut self) -> Vec<(usize, Token<'a>)> {
        let mut tokens = Vec::new();
        loop {
            match self.next_token() {
                (_, Token::End) => return tokens,
                (_, Token::Comment(_)) => {}
                token => tokens.push(token),
            }
        }
    }

    /// The next token and its offset.
    pub fn next_token(&mut self) -> (usize, Token<'a>) {
        let before = self.errors.len();
        let found = self.scan();
        // go's scanner has read the character behind a token when it gives the token.
        while let Some((at, message)) = self.wrong.pop_if(|(at, _)| *at <= self.at) {
            self.errors.push((at, message.to_owned()));
        }
        // In the order in which they stand; at the same place the wrong byte comes first.
        self.errors[before..].sort_by_key(|(at, message)| (*at, message.contains("character U+")));
        found
    }

    fn scan(&mut self) -> (usize, Token<'a>) {
        if let Some(at) = self.pending_newline.take() {
            return (at, Token::Semicolon { newline: true });
        }
        while self
            .peek()
            .is_some_and(|c| matches!(c, ' ' | '\t' | '\r') || (c == '\n' && !self.semicolon_due))
        {
            self.at += 1;
        }
        let start = self.at;
        let Some(first) = self.peek() else {
            if std::mem::take(&mut self.semicolon_due) {
                return (start, Token::Semicolon { newline: true });
            }
            return (start, Token::End);
        };
        if self.rest().starts_with("//") || self.rest().starts_with("/*") {
            return (start, self.comment());
        }
        let (token, semicolon_due) = match first {
            '\n' => {
                self.at += 1;
                (Token::Semicolon { newline: true }, false)
            }
            ';' => {
                self.at += 1;
                (Token::Semicolon { newline: false }, false)
            }
            '"' => (self.string(), true),
            '`' => (self.raw_string(), true),
            '\'' => (self.rune(), true),
            c if c.is_alphabetic() || c == '_' => self.word(),
            c if c.is_ascii_digit() => (self.number(), true),
            '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                (self.number(), true)
            }
            _ => self.sign(first),
        };
        self.semicolon_due = semicolon_due;
        (start, token)
    }

    fn word(&mut self) -> (Token<'a>, bool) {
        let rest = self.rest();
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let word = &rest[..length];
        self.at += length;
        if KEYWORDS.binary_search(&word).is_ok() {
            return (
                Token::Keyword(word),
                matches!(word, "break" | "continue" | "fallthrough" | "return"),
            );
        }
        (Token::Name(word), true)
    }

    /// Numbers never stand in a correct header: their extent is enough.
    fn number(&mut self) -> Token<'a> {
        let rest = self.rest();
        let mut last = ' ';
        let length = rest
            .find(|c: char| {
                let part = c.is_ascii_alphanumeric()
                    || c == '.'
                    || c == '_'
                    || (matches!(c, '+' | '-') && matches!(last, 'e' | 'E' | 'p' | 'P'));
                last = c;
                !part
            })
            .unwrap_or(rest.len());
        self.at += length;
        Token::Literal(&rest[..length])
    }

    fn sign(&mut self, first: char) -> (Token<'a>, bool) {
        let rest = self.rest().as_bytes();
        let fits =
            |sign: &&&str| rest[0] == sign.as_bytes()[0] && rest.starts_with(sign.as_bytes());
        if let Some(sign) = SIGNS.iter().find(fits) {
            self.at += sign.len();
            return (
                Token::Sign(sign),
                matches!(*sign, ")" | "]" | "}" | "++" | "--"),
            );
        }
        let start = self.at;
        self.at += first.len_utf8();
        let not_utf8 = self.not_utf8.binary_search(&start).is_ok();
        match first {
            '\u{feff}' => {}
            '“' | '”' => {
                let message = format!("curly quotation mark '{first}' (use neutral '\"')");
                self.errors.push((start, message));
            }
            _ => {
                let shown = if not_utf8 {
                    char::REPLACEMENT_CHARACTER
                } else {
                    first
                };
                self.errors
                    .push((start, format!("illegal character {}", code_point(shown))));
            }
        }
        (
            Token::Illegal(&self.text[start..self.at]),
            self.semicolon_due,
        )
    }

    fn comment(&mut self) -> Token<'a> {
        let rest = self.rest();
        let (start, line) = (self.at, rest.starts_with("//"));
        let length = if line {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(end) = rest[2..].find("*/") {
            end + 4
        } else {
            self.errors
                .push((start, "comment not terminated".to_owned()));
            rest.len()
        };
        self.at += length;
        let text = &rest[..length];
        if !line
            && self.semicolon_due
            && let Some(newline) = text.find('\n')
        {
            self.pending_newline = Some(start + newline);
            self.semicolon_due = false;
        }
        if !text.contains('\r') {
            return Token::Comment(Cow::Borrowed(text));
        }
        Token::Comment(Cow::Owned(text.replace('\r', "")))
    }

    fn string(&mut self) -> Token<'a> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None | Some('\n') => {
                    self.errors
                        .push((start, "string literal not terminated".to_owned()));
                    break;
                }
                Some('"') => {
                    self.at += 1;
                    break;
                }
                Some('\\') => {
                    self.at += 1;
                    self.escape('"');
                }
                Some(c) => self.at += c.len_utf8(),
            }
        }
        Token::String(Cow::Borrowed(&self.text[start..self.at]))
    }

    fn raw_string(&mut self) -> Token<'a> {
        let rest = self.rest();
        let length = match rest[1..].find('`') {
            Some(end) => end + 2,
            None => {
                self.errors
                    .push((self.at, "raw string literal not terminated".to_owned()));
                rest.len()
            }
        };
        self.at += length;
        let text = &rest[..length];
        Token::String(if text.contains('\r') {
            Cow::Owned(text.replace('\r', ""))
        } else {
            Cow::Borrowed(text)
        })
    }

    fn rune(&mut self) -> Token<'a> {
        let start = self.at;
        self.at += 1;
        let (mut count, mut valid) = (0, true);
        loop {
            match self.peek() {
                None | Some('\n') => {
                    if valid {
                        self.errors
                            .push((start, "rune literal not terminated".to_owned()));
                    }
                    valid = false;
                    break;
                }
                Some('\'') => {
                    self.at += 1;
                    break;
                }
                Some('\\') => {
                    self.at += 1;
                    valid &= self.escape('\'');
                }
                Some(c) => self.at += c.len_utf8(),
            }
            count += 1;
        }
        if valid && count != 1 {
            self.errors.push((start, "illegal rune literal".to_owned()));
        }
        Token::Literal(&self.text[start..self.at])
    }

    /// Passes what follows a backslash.
    fn escape(&mut self, quote: char) -> bool {
        let start = self.at;
        let (digits, base) = match self.peek() {
            Some(c)
                if matches!(c, 'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\') || c == quote =>
            {
                self.at += 1;
                return true;
            }
            Some('0'..='7') => (3, 8),
            Some('x') => (2, 16),
            Some('u') => (4, 16),
            Some('U') => (8, 16),
            other => {
                let message = if other.is_none() {
                    "escape sequence not terminated"
                } else {
                    "unknown escape sequence"
                };
                self.errors.push((start, message.to_owned()));
                return false;
            }
        };
        if base == 16 {
            self.at += 1;
        }
        let mut value: u64 = 0;
        for _ in 0..digits {
            let Some(digit) = self.peek().and_then(|c| c.to_digit(base)) else {
                let message = match self.peek() {
                    None => "escape sequence not terminated".to_owned(),
                    Some(c) => format!("illegal character {} in escape sequence", code_point(c)),
                };
                self.errors.push((self.at, message));
                return false;
            };
            value = value * u64::from(base) + u64::from(digit);
            self.at += 1;
        }
        let largest = if digits <= 3 { 255 } else { 0x10_ffff };
        if value > largest || (0xd800..0xe000).contains(&value) {
            self.errors.push((
                start,
                "escape sequence is invalid Unicode code point".to_owned(),
            ));
            return false;
        }
        true
    }
}

/// `U+0040 '@'`.
fn code_point(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    if c.is_control() {
        number
    } else {
        format!("{number} '{c}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> (Vec<Token<'_>>, Vec<(usize, String)>) {
        let mut lexer = Lexer::new(text, &[]);
        let mut list = Vec::new();
        loop {
            match lexer.next_token().1 {
                Token::End => return (list, lexer.errors),
                token => list.push(token),
            }
        }
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
        for (i, long) in SIGNS.iter().enumerate() {
            assert!(
                !SIGNS[..i].iter().any(|short| long.starts_with(short)),
                "{long}"
            );
        }
    }

    #[test]
    fn line_ends_become_semicolons() {
        let (list, errors) = tokens("package p\n\nimport (\n\"a\"\n)");
        let newline = Token::Semicolon { newline: true };
        assert_eq!(
            list,
            [
                Token::Keyword("package"),
                Token::Name("p"),
                newline.clone(),
                Token::Keyword("import"),
                Token::Sign("("),
                Token::String("\"a\"".into()),
                newline.clone(),
                Token::Sign(")"),
                newline
            ]
        );
        assert!(errors.is_empty());
    }

    #[test]
    fn errors() {
        for (text, want) in [
            ("@", (0, "illegal character U+0040 '@'")),
            ("\"a", (0, "string literal not terminated")),
            ("\"a\nb\"", (0, "string literal not terminated")),
            ("`a", (0, "raw string literal not terminated")),
            ("/* a", (0, "comment not terminated")),
            ("'ab'", (0, "illegal rune literal")),
            ("\"\\q\"", (2, "unknown escape sequence")),
            (
                "\"\\ud800\"",
                (2, "escape sequence is invalid Unicode code point"),
            ),
        ] {
            assert_eq!(tokens(text).1[0], (want.0, want.1.to_owned()), "{text}");
        }
    }

    #[test]
    fn wrong_bytes_count_in_comments_too() {
        let (text, wrong) = decode(b"// caf\xe9\npackage p\n");
        let mut lexer = Lexer::new(&text, &wrong);
        lexer.next_token();
        assert_eq!(lexer.errors, [(6, "illegal UTF-8 encoding".to_owned())]);
        let (text, wrong) = decode(b"\xff");
        let mut lexer = Lexer::new(&text, &wrong);
        lexer.next_token();
        let messages: Vec<_> = lexer
            .errors
            .iter()
            .map(|(_, message)| message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "illegal UTF-8 encoding",
                "illegal character U+FFFD '\u{fffd}'"
            ]
        );
        assert_eq!(
            tokens("/* \u{feff} */").1,
            [(3, "illegal byte order mark".to_owned())]
        );
    }
}

//! The functions of a test file that package testing runs.

use crate::source::comment;
use crate::source::lexer::{Lexer, Token, decode};
use crate::source::parser::{Comment, Lines};

/// One function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFunction {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TestKind,
}

/// What a function is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestKind {
    /// `TestX(*testing.T)`
    Test,
    /// `BenchmarkX(*testing.B)`
    Benchmark,
    /// `FuzzX(*testing.F)`
    Fuzz,
    /// `TestMain(*testing.M)`
    Main,
    /// `ExampleX()`, with what it should print; without it, it is compiled only.
    Example(Option<Output>),
}

/// What an example should print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The text, as the comment has it.
    pub text: String,
    /// Its lines may come in any order.
    pub unordered: bool,
}

/// What is wrong with a test file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFileError {
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
    /// In go's words.
    pub text: String,
    /// The file is no Go. Otherwise: a function is called like a test and has another signature.
    pub syntax: bool,
}

/// The functions of a file in their order.
///
/// # Errors
/// The first function that is called like a test and is none, or something that is no declaration.
pub fn functions(bytes: &[u8]) -> Result<Vec<TestFunction>, TestFileError> {
    let (text, not_utf8) = decode(bytes);
    let mut lexer = Lexer::new(&text, &not_utf8);
    let mut walk = Walk {
        tokens: Vec::new(),
        comments: Vec::new(),
        at: 0,
        lines: Lines::new(&text),
    };
    loop {
        match lexer.next_token() {
            (_, Token::End) => break,
            (at, Token::Comment(text)) => walk.comments.push((walk.tokens.len(), (at, text))),
            token => walk.tokens.push(token),
        }
    }
    walk.file()
}

struct Walk<'a> {
    /// All tokens but comments.
    tokens: Vec<(usize, Token<'a>)>,
    /// Comments, each with the index of the token behind it.
    comments: Vec<(usize, Comment<'a>)>,
    at: usize,
    lines: Lines<'a>,
}

/// A function's declaration.
struct Declaration<'a> {
    offset: usize,
    name: &'a str,
    generic: bool,
    parameters: Vec<Token<'a>>,
    results: bool,
    /// Indices of the tokens from the opening to behind the closing brace.
    body: Option<(usize, usize)>,
}

impl<'a> Walk<'a> {
    fn token(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token(), Some(Token::Sign(found)) if *found == sign)
    }

    /// Passes a bracketed run of tokens, if one begins here; what it holds.
    fn brackets(&mut self) -> Option<(usize, usize)> {
        if !(self.is("(") || self.is("[") || self.is("{")) {
            return None;
        }
        let start = self.at;
        let mut depth = 0usize;
        while let Some(token) = self.token() {
            if let Token::Sign(sign) = token {
                match *sign {
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" => depth -= 1,
                    _ => {}
                }
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        Some((start, self.at))
    }

    /// Passes what stands between the declarations before and behind it, if it is one.
    fn check_beginning(&self, token: &Token<'a>) -> Result<(), TestFileError> {
        let shown = match token {
            Token::Keyword("package") if self.at == 0 => return Ok(()),
            Token::Keyword("const" | "var" | "type" | "func" | "import") | Token::End => {
                return Ok(());
            }
            Token::Semicolon { newline: true } => "newline".to_string(),
            Token::Semicolon { newline: false } => "';'".to_string(),
            Token::Keyword(word) => format!("'{word}'"),
            Token::Sign(sign) => format!("'{sign}'"),
            Token::Name(text) | Token::Literal(text) | Token::Illegal(text) => text.to_string(),
            Token::String(text) | Token::Comment(text) => text.to_string(),
        };
        let (line, column) = self.lines.position(self.tokens[self.at].0);
        Err(TestFileError {
            line,
            column,
            text: format!("expected declaration, found {shown}"),
            syntax: true,
        })
    }

    fn file(mut self) -> Result<Vec<TestFunction>, TestFileError> {
        let mut found = Vec::new();
        let mut examples = Vec::new();
        let mut begins = true;
        while let Some(token) = self.token() {
            if begins {
                self.check_beginning(token)?;
            }
            if begins && *token == Token::Keyword("func") {
                if let Some(declaration) = self.declaration() {
                    if let Some(kind) = self.kind(&declaration)? {
                        found.push(TestFunction {
                            name: declaration.name.to_string(),
                            kind,
                        });
                    } else if let Some(example) = self.example(&declaration) {
                        examples.push(example);
                    }
                }
                begins = false;
                continue;
            }
            begins = matches!(token, Token::Semicolon { .. });
            if self.brackets().is_none() {
                self.at += 1;
            }
        }
        found.extend(examples);
        Ok(found)
    }

    /// A function; methods are passed over.
    fn declaration(&mut self) -> Option<Declaration<'a>> {
        let offset = self.tokens[self.at].0;
        self.at += 1;
        let method = self.brackets().is_some();
        let Some(Token::Name(name)) = self.token().cloned() else {
            return None;
        };
        self.at += 1;
        let generic = self.is("[") && self.brackets().is_some();
        let (start, end) = self.brackets()?;
        let inside = start + 1..end.saturating_sub(1).max(start + 1);
        let parameters = self.tokens[inside]
            .iter()
            .map(|(_, token)| token.clone())
            .collect();
        let mut results = false;
        if self.is("(") {
            let (start, end) = self.brackets()?;
            results = end - start > 2;
        }
        while !self.is("{") && !matches!(self.token(), None | Some(Token::Semicolon { .. })) {
            results = true;
            let literal = matches!(self.token(), Some(Token::Keyword("struct" | "interface")));
            self.at += 1;
            if literal || self.is("(") || self.is("[") {
                self.brackets();
            }
        }
        let body = if self.is("{") { self.brackets() } else { None };
        (!method).then_some(Declaration {
            offset,
            name,
            generic,
            parameters,
            results,
            body,
        })
    }

    fn kind(&self, function: &Declaration<'a>) -> Result<Option<TestKind>, TestFileError> {
        let name = function.name;
        if name == "TestMain" && function.takes("T") {
            return Ok(Some(TestKind::Test));
        }
        let (letter, kind) = if name == "TestMain" {
            ("M", TestKind::Main)
        } else if is_called(name, "Test") {
            ("T", TestKind::Test)
        } else if is_called(name, "Benchmark") {
            ("B", TestKind::Benchmark)
        } else if is_called(name, "Fuzz") {
            ("F", TestKind::Fuzz)
        } else {
            return Ok(None);
        };
        let why = if function.generic {
            "test functions cannot have type parameters".to_string()
        } else if function.takes(letter) {
            return Ok(Some(kind));
        } else {
            let small = letter.to_lowercase();
            format!("must be: func {name}({small} *testing.{letter})")
        };
        let (line, column) = self.lines.position(function.offset);
        Err(TestFileError {
            line,
            column,
            text: format!("wrong signature for {name}, {why}"),
            syntax: false,
        })
    }

    fn example(&self, function: &Declaration<'a>) -> Option<TestFunction> {
        let (start, end) = function.body?;
        if !is_called(function.name, "Example")
            || !function.parameters.is_empty()
            || function.results
        {
            return None;
        }
        Some(TestFunction {
            name: function.name.to_string(),
            kind: TestKind::Example(self.last_comment(start, end).and_then(|text| output(&text))),
        })
    }

    /// The text of the last run of comments among these tokens.
    fn last_comment(&self, start: usize, end: usize) -> Option<String> {
        let mut run: Vec<Comment<'a>> = Vec::new();
        let (mut token, mut last_line, mut trailing) = (0, 0, false);
        let inside = self
            .comments
            .iter()
            .filter(|(at, _)| *at > start && *at < end);
        for (at, (offset, text)) in inside {
            let line = self.lines.line(*offset);
            // Behind code on the same line a comment stands for itself.
            let reach = last_line + u32::from(!trailing);
            if run.is_empty() || *at != token || line > reach {
                run.clear();
                trailing = self
                    .tokens
                    .get(at.wrapping_sub(1))
                    .is_some_and(|(before, _)| self.lines.line(*before) == line);
            }
            token = *at;
            last_line = line + u32::try_from(text.matches('\n').count()).unwrap_or_default();
            run.push((*offset, text.clone()));
        }
        (!run.is_empty()).then(|| comment::text(&run))
    }
}

impl Declaration<'_> {
    /// Whether this takes one `*T` or `*testing.T` and gives nothing.
    fn takes(&self, letter: &str) -> bool {
        let mut tokens = self.parameters.as_slice();
        if let [rest @ .., Token::Sign(",")] = tokens {
            tokens = rest;
        }
        if let [Token::Name(_), rest @ ..] = tokens {
            tokens = rest;
        }
        let [Token::Sign("*"), tokens @ ..] = tokens else {
            return false;
        };
        let named = match tokens {
            [Token::Name(name)] | [Token::Name(_), Token::Sign("."), Token::Name(name)] => name,
            _ => return false,
        };
        *named == letter && !self.results
    }
}

/// `TestX` is a test; `Testify` is none.
fn is_called(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|rest| !rest.starts_with(char::is_lowercase))
}

/// What the comment says that an example prints.
fn output(text: &str) -> Option<Output> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\u{b}', '\u{c}']);
    let after = |text: &'_ str, word: &str| -> Option<usize> {
        let head = text.get(..word.len())?;
        head.eq_ignore_ascii_case(word).then_some(word.len())
    };
    let unordered = after(text, "unordered ");
    let rest = &text[unordered.unwrap_or_default()..];
    let rest = &rest[after(rest, "output:")?..];
    let rest = rest.trim_start_matches(' ');
    Some(Output {
        text: rest.strip_prefix('\n').unwrap_or(rest).to_string(),
        unordered: unordered.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, TestKind)> {
        let found = functions(text.as_bytes()).unwrap();
        found
            .into_iter()
            .map(|function| (function.name, function.kind))
            .collect()
    }

    #[test]
    fn kinds() {
        let text = "package p\nimport \"testing\"\nfunc TestA(t *testing.T) {\n}\nfunc Testify() {}\n\
            func BenchmarkB(*B) { x := func TestNo(int) {} }\nfunc FuzzC(f *x.F,) {}\nfunc TestMain(m *testing.M) {}\n\
            func (r R) TestMethod() {}\nvar x = struct{ f func() }{}\nfunc help(x int) (a int, b error) { return 'x', nil }\n";
        assert_eq!(
            names(text),
            [
                ("TestA".to_string(), TestKind::Test),
                ("BenchmarkB".to_string(), TestKind::Benchmark),
                ("FuzzC".to_string(), TestKind::Fuzz),
                ("TestMain".to_string(), TestKind::Main),
            ]
        );
    }

    #[test]
    fn examples() {
        let shown = |body: &str| {
            let text = format!("package p\nfunc ExampleX() {{\n{body}\n}}\n");
            match names(&text).remove(0).1 {
                TestKind::Example(output) => output,
                _ => None,
            }
        };
        let is = |text: &str, unordered| {
            Some(Output {
                text: text.to_string(),
                unordered,
            })
        };
        assert_eq!(shown("\tf()\n\t// Output: a\n\t// b"), is("a\nb\n", false));
        assert_eq!(shown("\t// Unordered output:\n\t// a"), is("a\n", true));
        assert_eq!(shown("\tf() // x\n\t// Output:"), is("", false));
        assert_eq!(shown("\t// Output: a\n\tf() // x"), None);
        assert_eq!(shown("\tf()"), None);
    }

    #[test]
    fn wrong_signatures() {
        let wrong = |text: &str| functions(text.as_bytes()).unwrap_err();
        assert_eq!(
            wrong("package p\n\nfunc TestA(int) {}\n"),
            TestFileError {
                line: 3,
                column: 1,
                text: "wrong signature for TestA, must be: func TestA(t *testing.T)".to_string(),
                syntax: false,
            }
        );
        assert!(
            wrong("package p\nfunc TestA[T any](t *testing.T) {}\n")
                .text
                .ends_with("type parameters")
        );
        assert!(
            wrong("package p\nfunc TestA(t *testing.T) int {}\n")
                .text
                .contains("must be")
        );
    }

    #[test]
    fn no_declarations() {
        let wrong = |text: &str| {
            let error = functions(text.as_bytes()).unwrap_err();
            assert!(error.syntax);
            (error.line, error.column, error.text)
        };
        let expected = |found: &str| format!("expected declaration, found {found}");
        assert_eq!(wrong("package p\n\n!!!x\n"), (3, 1, expected("'!'")));
        assert_eq!(
            wrong("package p\nvar x = 1 // y\nʕ◔\n"),
            (3, 1, expected("ʕ"))
        );
        assert!(functions(b"// c\npackage p; import (\n\"x\"\n)\n\ntype t int\n").is_ok());
    }
}

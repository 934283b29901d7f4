//! Where a program could begin: the declarations of a Go file that are called `main`, or nearly so.
//!
//! The compiler alone knows whether a file compiles. This looks at the top level of a file and no further, which is enough to say
//! where a program begins, or why none does, before anything is compiled.

use crate::source::lexer::{Lexer, Token, decode};
use crate::source::parser::Lines;

/// A declaration called `main`, or a function called `Main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MainDeclaration {
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
    /// What is declared.
    pub form: MainForm,
}

/// What is declared under the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MainForm {
    /// `func main`
    Function(Shape),
    /// `func Main`
    Capital,
    /// `func (T) main`
    Method,
    /// `var main`, `const main` or `type main`: the keyword.
    Other(&'static str),
}

/// What a function takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shape {
    /// Type parameters.
    pub generic: bool,
    /// Parameters.
    pub parameters: bool,
    /// Results.
    pub results: bool,
    /// A body.
    pub body: bool,
}

impl Shape {
    /// `func main()` and nothing else: where a program begins.
    #[must_use]
    pub fn begins_program(self) -> bool {
        let exact = Shape {
            body: true,
            ..Shape::default()
        };
        self == exact
    }
}

/// The declarations of a file, in order. What is no Go is passed over.
#[must_use]
pub fn declarations(bytes: &[u8]) -> Vec<MainDeclaration> {
    let (text, not_utf8) = decode(bytes);
    let tokens = Lexer::new(&text, &not_utf8).code();
    let walk = Walk {
        tokens,
        at: 0,
        found: Vec::new(),
        lines: Lines::new(&text),
    };
    walk.file()
}

struct Walk<'a> {
    tokens: Vec<(usize, Token<'a>)>,
    at: usize,
    found: Vec<MainDeclaration>,
    lines: Lines<'a>,
}

impl<'a> Walk<'a> {
    fn token(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.token(), Some(Token::Sign(found)) if *found == sign)
    }

    fn take_name(&mut self) -> Option<(usize, &'a str)> {
        let (offset, Token::Name(name)) = *self.tokens.get(self.at)? else {
            return None;
        };
        self.at += 1;
        Some((offset, name))
    }

    /// Passes a bracketed run, if one begins here; whether there was something in it.
    fn brackets(&mut self) -> Option<bool> {
        let start = self.at;
        let mut depth = 0usize;
        while let Some(token) = self.token() {
            match token {
                Token::Sign("(" | "[" | "{") => depth += 1,
                Token::Sign(")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && self.at == start {
                return None;
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        (self.at > start).then_some(self.at - start > 2)
    }

    fn note(&mut self, offset: usize, form: MainForm) {
        let (line, column) = self.lines.position(offset);
        self.found.push(MainDeclaration { line, column, form });
    }

    fn file(mut self) -> Vec<MainDeclaration> {
        while let Some(token) = self.token() {
            let keyword = match token {
                Token::Keyword(word) => *word,
                _ => "",
            };
            self.at += 1;
            match keyword {
                "func" => self.function(),
                "var" => self.group("var"),
                "const" => self.group("const"),
                "type" => self.group("type"),
                _ => self.at -= 1,
            }
            self.pass_rest();
        }
        self.found
    }

    /// To behind the semicolon that ends this declaration.
    fn pass_rest(&mut self) {
        while let Some(token) = self.token() {
            let end = matches!(token, Token::Semicolon { .. });
            if end || self.brackets().is_none() {
                self.at += 1;
            }
            if end {
                return;
            }
        }
    }

    fn function(&mut self) {
        let method = self.brackets().is_some();
        let Some((offset, name @ ("main" | "Main"))) = self.take_name() else {
            return;
        };
        let shape = Shape {
            generic: self.is("[") && self.brackets().is_some(),
            parameters: self.is("(") && self.brackets() == Some(true),
            results: self.results(),
            body: self.is("{"),
        };
        let form = match (method, name) {
            (true, "main") => MainForm::Method,
            (true, _) => return,
            (false, "main") => MainForm::Function(shape),
            (false, _) => MainForm::Capital,
        };
        self.note(offset, form);
    }

    /// Passes the results of a function; whether there are any.
    fn results(&mut self) -> bool {
        let mut any = self.is("(") && self.brackets() == Some(true);
        while !self.is("{") && !matches!(self.token(), None | Some(Token::Semicolon { .. })) {
            let literal = matches!(self.token(), Some(Token::Keyword("struct" | "interface")));
            self.at += 1;
            if literal || self.is("(") || self.is("[") {
                self.brackets();
            }
            any = true;
        }
        any
    }

    fn group(&mut self, keyword: &'static str) {
        if !self.is("(") {
            return self.names(keyword);
        }
        self.at += 1;
        while !self.is(")") && self.token().is_some() {
            self.names(keyword);
            while !self.is(")") && self.token().is_some() {
                let end = matches!(self.token(), Some(Token::Semicolon { .. }));
                if end || self.brackets().is_none() {
                    self.at += 1;
                }
                if end {
                    break;
                }
            }
        }
        self.at += 1;
    }

    /// The names that one specification declares.
    fn names(&mut self, keyword: &'static str) {
        while let Some((offset, name)) = self.take_name() {
            if name == "main" {
                self.note(offset, MainForm::Other(keyword));
            }
            if !self.is(",") {
                return;
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(u32, u32, MainForm)> {
        let found = declarations(format!("package main\n{text}\n").as_bytes());
        let found = found.into_iter();
        found.map(|at| (at.line, at.column, at.form)).collect()
    }

    fn function(generic: bool, parameters: bool, results: bool, body: bool) -> MainForm {
        MainForm::Function(Shape {
            generic,
            parameters,
            results,
            body,
        })
    }

    #[test]
    fn the_only_signature() {
        let exact = function(false, false, false, true);
        for text in [
            "func main() {}",
            "func main() () { }",
            "func /* here */ main( /* nothing */ ) {\n\tf(func(x int) error { return nil })\n}",
            "import \"main\"\nfunc main() { main := 1; _ = main }",
            "const x = `func main() int`\nfunc main() {}",
            "var x, y = func() { }, map[string]int{\n\"a\": 1,\n}\nfunc main() {}",
            "func f() struct{ main int } { return x }\nfunc main() {}",
        ] {
            let all = found(text);
            assert!(
                matches!(all.as_slice(), [(_, _, form)] if *form == exact),
                "{text}: {all:?}"
            );
        }
        let MainForm::Function(shape) = exact else {
            unreachable!()
        };
        assert!(shape.begins_program());
    }

    #[test]
    fn nearly() {
        for (text, want) in [
            (
                "func main(args []string) {}",
                function(false, true, false, true),
            ),
            (
                "func main() int { return 0 }",
                function(false, false, true, true),
            ),
            (
                "func main() (err error) { return }",
                function(false, false, true, true),
            ),
            (
                "func main() func() error { return f }",
                function(false, false, true, true),
            ),
            (
                "func main() struct{ x int } { return s }",
                function(false, false, true, true),
            ),
            (
                "func main() interface{} { return 1 }",
                function(false, false, true, true),
            ),
            (
                "func main() []map[string]int {\n}",
                function(false, false, true, true),
            ),
            ("func main[T any]() {}", function(true, false, false, true)),
            ("func main()", function(false, false, false, false)),
            ("func main(", function(false, false, false, false)),
        ] {
            assert_eq!(found(text), [(2, 6, want)], "{text}");
        }
        assert_eq!(found("func Main() {}"), [(2, 6, MainForm::Capital)]);
        assert_eq!(found("func (s *T) main() {}"), [(2, 13, MainForm::Method)]);
        assert_eq!(found("func (T) Main() {}"), []);
        assert_eq!(found("var main = 1"), [(2, 5, MainForm::Other("var"))]);
        assert_eq!(
            found("type main struct{ main int }"),
            [(2, 6, MainForm::Other("type"))]
        );
        assert_eq!(
            found("var (\n\tx = f(main)\n\ty, main = 1, 2\n)\nconst (\n\tmain = 1\n)"),
            [
                (4, 5, MainForm::Other("var")),
                (7, 2, MainForm::Other("const"))
            ]
        );
        assert_eq!(found("func f() { func main() {} }\n\nfunc }"), []);
    }

    #[test]
    fn two() {
        let two = found("func main() {}\nfunc main() {}");
        assert_eq!(two.iter().map(|at| at.0).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn whatever_is_cut_off() {
        let text = "package main\nfunc (t *T[K]) main(x [2]int) (a, b int) {\n}\nvar (\n\tmain, y = f(`a`), []int{1}\n)\n\
            func main[T interface{ ~int }](x ...T) struct{ y int } { } } ) ]\ntype (\n\tmain = struct{\n\t}\n";
        for end in 0..=text.len() {
            let _ = declarations(&text.as_bytes()[..end]);
            let _ = declarations(&text.as_bytes()[end..]);
        }
        assert_eq!(declarations(text.as_bytes()).len(), 4);
    }
}

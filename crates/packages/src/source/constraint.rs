//! Build constraint expressions: `//go:build` lines, and the `// +build` lines of older files.
//!
//! Evaluation visits every tag of an expression, also where the answer is already clear: the set of tags that were asked
//! for is part of what `go list` shows.

/// A parsed constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A tag.
    Tag(String),
    /// `!x`.
    Not(Box<Expr>),
    /// `x && y`.
    And(Box<Expr>, Box<Expr>),
    /// `x || y`.
    Or(Box<Expr>, Box<Expr>),
}

/// Largest number of terms in a `//go:build` line.
const MAX_TERMS: usize = 1000;
/// Largest number of operators in a `// +build` line.
const MAX_OLD_OPERATORS: usize = 100;

impl Expr {
    /// Value of the expression; `tag` is called for every tag in it.
    pub fn eval(&self, tag: &mut dyn FnMut(&str) -> bool) -> bool {
        match self {
            Self::Tag(name) => tag(name),
            Self::Not(x) => !x.eval(tag),
            Self::And(x, y) => {
                let (x, y) = (x.eval(tag), y.eval(tag));
                x && y
            }
            Self::Or(x, y) => {
                let (x, y) = (x.eval(tag), y.eval(tag));
                x || y
            }
        }
    }

    /// Value when a tag may be held for true and false at once: `tag` gets the name and the value that would please.
    pub fn eval_preferring(&self, prefer: bool, tag: &dyn Fn(&str, bool) -> bool) -> bool {
        match self {
            Self::Tag(name) => tag(name, prefer),
            Self::Not(x) => !x.eval_preferring(!prefer, tag),
            Self::And(x, y) => x.eval_preferring(prefer, tag) && y.eval_preferring(prefer, tag),
            Self::Or(x, y) => x.eval_preferring(prefer, tag) || y.eval_preferring(prefer, tag),
        }
    }
}

/// Parses one line of either form; the error is go's.
pub fn parse(line: &str) -> Result<Expr, String> {
    if let Some(text) = go_build_text(line) {
        return Parser {
            text,
            at: 0,
            token: Token::End,
            terms: 0,
        }
        .whole();
    }
    match plus_build_text(line) {
        Some(text) => parse_plus_build(text),
        None => Err("not a build constraint".to_owned()),
    }
}

/// What follows `//go:build`, if the line is one.
pub fn go_build_text(line: &str) -> Option<&str> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    if line.contains('\n') {
        return None;
    }
    set_apart(line.strip_prefix("//go:build")?.trim_end())
}

/// What follows `// +build`, if the line is one.
pub fn plus_build_text(line: &str) -> Option<&str> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    if line.contains('\n') {
        return None;
    }
    set_apart(line.strip_prefix("//")?.trim().strip_prefix("+build")?)
}

/// The rest after a keyword: empty, or set apart from it by white space.
fn set_apart(rest: &str) -> Option<&str> {
    let trimmed = rest.trim();
    (rest.is_empty() || trimmed.len() < rest.len()).then_some(trimmed)
}

#[derive(Clone, PartialEq)]
enum Token<'a> {
    End,
    Tag(&'a str),
    Sign(&'static str),
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    token: Token<'a>,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn whole(mut self) -> Result<Expr, String> {
        let expr = self.or()?;
        match self.token {
            Token::End => Ok(expr),
            Token::Tag(text) | Token::Sign(text) => Err(format!("unexpected token {text}")),
        }
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.token == Token::Sign("||") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.not()?;
        while self.token == Token::Sign("&&") {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, String> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err("build expression too large".to_owned());
        }
        self.advance()?;
        if self.token != Token::Sign("!") {
            return self.atom();
        }
        self.advance()?;
        if self.token == Token::Sign("!") {
            return Err("double negation not allowed".to_owned());
        }
        Ok(Expr::Not(Box::new(self.atom()?)))
    }

    fn atom(&mut self) -> Result<Expr, String> {
        match self.token {
            Token::Sign("(") => {
                let inner = self.or().map_err(|error| match error.as_str() {
                    "unexpected end of expression" => "missing close paren".to_owned(),
                    _ => error,
                })?;
                if self.token != Token::Sign(")") {
                    return Err("missing close paren".to_owned());
                }
                self.advance()?;
                Ok(inner)
            }
            Token::Tag(name) => {
                self.advance()?;
                Ok(Expr::Tag(name.to_owned()))
            }
            Token::End => Err("unexpected end of expression".to_owned()),
            Token::Sign(sign) => Err(format!("unexpected token {sign}")),
        }
    }

    fn advance(&mut self) -> Result<(), String> {
        let rest = self.text[self.at..].trim_start_matches([' ', '\t']);
        self.at = self.text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            self.token = Token::End;
            return Ok(());
        };
        for sign in ["(", ")", "!", "&&", "||"] {
            if rest.starts_with(sign) {
                self.at += sign.len();
                self.token = Token::Sign(sign);
                return Ok(());
            }
        }
        let length = rest.find(|c| !is_tag_char(c)).unwrap_or(rest.len());
        if length == 0 {
            return Err(format!("invalid syntax at {first}"));
        }
        self.at += length;
        self.token = Token::Tag(&rest[..length]);
        Ok(())
    }
}

/// Letters, digits, `_`, `.`.
pub fn is_tag_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// Space between words means or, comma means and; whatever is malformed stands for the tag `ignore`.
fn parse_plus_build(text: &str) -> Result<Expr, String> {
    let mut operators = 0;
    let mut count = || {
        operators += 1;
        if operators > MAX_OLD_OPERATORS {
            return Err("expression too complex for // +build lines".to_owned());
        }
        Ok(())
    };
    let mut any: Option<Expr> = None;
    for clause in text.split_whitespace() {
        let mut all: Option<Expr> = None;
        for literal in clause.split(',') {
            let term = plus_build_literal(literal);
            all = Some(match all {
                None => term,
                Some(before) => {
                    count()?;
                    Expr::And(Box::new(before), Box::new(term))
                }
            });
        }
        let Some(all) = all else { continue };
        any = Some(match any {
            None => all,
            Some(before) => {
                count()?;
                Expr::Or(Box::new(before), Box::new(all))
            }
        });
    }
    Ok(any.unwrap_or_else(|| Expr::Tag("ignore".to_owned())))
}

fn plus_build_literal(literal: &str) -> Expr {
    let ignore = || Expr::Tag("ignore".to_owned());
    if literal.starts_with("!!") || literal == "!" {
        return ignore();
    }
    let name = literal.strip_prefix('!').unwrap_or(literal);
    let tag = if !name.is_empty() && name.chars().all(is_tag_char) {
        Expr::Tag(name.to_owned())
    } else {
        ignore()
    };
    if literal.starts_with('!') {
        Expr::Not(Box::new(tag))
    } else {
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(line: &str, tags: &[&str]) -> bool {
        parse(line).unwrap().eval(&mut |tag| tags.contains(&tag))
    }

    #[test]
    fn go_build_lines() {
        assert!(holds(
            "//go:build linux && (amd64 || arm64) && !cgo",
            &["linux", "arm64"]
        ));
        assert!(!holds(
            "//go:build linux && (amd64 || arm64) && !cgo",
            &["linux", "arm64", "cgo"]
        ));
        assert!(holds("//go:build 386 || go1.21", &["go1.21"]));
    }

    #[test]
    fn every_tag_is_visited() {
        let mut seen = Vec::new();
        parse("//go:build a && b || c").unwrap().eval(&mut |tag| {
            seen.push(tag.to_owned());
            false
        });
        assert_eq!(seen, ["a", "b", "c"]);
    }

    #[test]
    fn errors_are_worded_as_in_go() {
        for (line, want) in [
            ("//go:build", "unexpected end of expression"),
            ("//go:build (a", "missing close paren"),
            ("//go:build (", "missing close paren"),
            ("//go:build a b", "unexpected token b"),
            ("//go:build a)", "unexpected token )"),
            ("//go:build !!a", "double negation not allowed"),
            ("//go:build a & b", "invalid syntax at &"),
            ("//go:build a @ b", "invalid syntax at @"),
            ("//go:build && a", "unexpected token &&"),
            ("//go:buildx", "not a build constraint"),
        ] {
            assert_eq!(parse(line).unwrap_err(), want, "{line}");
        }
    }

    #[test]
    fn plus_build_lines() {
        assert!(holds("// +build linux,!cgo darwin", &["linux"]));
        assert!(!holds("// +build linux,!cgo darwin", &["linux", "cgo"]));
        assert!(holds("//+build darwin", &["darwin"]));
        assert_eq!(parse("// +build").unwrap(), Expr::Tag("ignore".into()));
        assert_eq!(parse("// +build !!x").unwrap(), Expr::Tag("ignore".into()));
        assert_eq!(
            parse("// +build !x$").unwrap(),
            Expr::Not(Box::new(Expr::Tag("ignore".into())))
        );
        assert!(parse(&format!("// +build {}", "a ".repeat(200))).is_err());
    }

    #[test]
    fn both_ways_at_once() {
        let any = |tag: &str, prefer: bool| if tag == "ignore" { false } else { prefer };
        assert!(
            parse("//go:build linux && !linux")
                .unwrap()
                .eval_preferring(true, &any)
        );
        assert!(
            !parse("//go:build ignore")
                .unwrap()
                .eval_preferring(true, &any)
        );
    }
}

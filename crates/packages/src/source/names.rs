//! Names that files of one package have of one another, and of packages that they import: what a file declares at package level, and what it
//! surely takes from elsewhere.
//!
//! Only the compiler knows scopes. This looks at tokens, and whatever could be a declaration of a name within the file (a variable, a
//! parameter, a field) keeps it from counting as taken from elsewhere: what is told is true, and much that is true is not told.

use crate::source::lexer::{Lexer, Token, decode};
use crate::source::parser::Lines;
use std::collections::{BTreeMap, BTreeSet};

/// The names of one file.
#[derive(Debug, Default)]
pub struct Names {
    /// What it declares at package level; methods are no names of the package.
    pub declared: BTreeSet<String>,
    /// Names that it uses and does not declare, with the line of the first use.
    pub needed: BTreeMap<String, u32>,
}

/// Reads a file. What is no Go is passed over.
#[must_use]
pub fn names(bytes: &[u8]) -> Names {
    let (text, not_utf8) = decode(bytes);
    let tokens = Lexer::new(&text, &not_utf8).code();
    let walk = Walk { tokens };
    let declared = walk.declared();
    let lines = Lines::new(&text);
    let needed = walk.needed().into_iter();
    let foreign = needed.filter(|(name, _)| !declared.contains(name.as_str()));
    Names {
        needed: foreign
            .map(|(name, offset)| (name, lines.position(offset).0))
            .collect(),
        declared,
    }
}

/// What a file declares at package level.
#[must_use]
pub fn declared(bytes: &[u8]) -> BTreeSet<String> {
    let (text, not_utf8) = decode(bytes);
    let tokens = Lexer::new(&text, &not_utf8).code();
    Walk { tokens }.declared()
}

/// A name that a file surely takes from a package that it imports.
#[derive(Debug, PartialEq, Eq)]
pub struct Borrowed {
    /// The package's import path.
    pub import: String,
    /// What the package is called in the file.
    pub package: String,
    /// The name.
    pub name: String,
    /// Line of its first use.
    pub line: u32,
}

/// Names that a file takes from some of the packages that it imports. `called`: the name of the package with an import path, if it is
/// one of those that matter.
#[must_use]
pub fn borrowed(bytes: &[u8], called: impl Fn(&str) -> Option<String>) -> Vec<Borrowed> {
    let (text, not_utf8) = decode(bytes);
    let tokens = Lexer::new(&text, &not_utf8).code();
    let walk = Walk { tokens };
    let lines = Lines::new(&text);
    let found = walk.borrowed(called).into_iter();
    found
        .map(|(import, package, name, offset)| Borrowed {
            line: lines.position(offset).0,
            import,
            package,
            name,
        })
        .collect()
}

struct Walk<'a> {
    tokens: Vec<(usize, Token<'a>)>,
}

/// A package's import path, its name in the file, a name that is taken from it, and where.
type Taken = (String, String, String, usize);

/// What stands before or behind a name, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside<'t> {
    End,
    Semicolon,
    Word(&'t str),
    Sign(&'t str),
    /// A name or a literal.
    Operand,
}

impl Walk<'_> {
    fn beside(&self, at: Option<usize>) -> Beside<'_> {
        match at
            .and_then(|at| self.tokens.get(at))
            .map(|(_, token)| token)
        {
            None | Some(Token::End | Token::Comment(_)) => Beside::End,
            Some(Token::Semicolon { .. }) => Beside::Semicolon,
            Some(Token::Keyword(word)) => Beside::Word(word),
            Some(Token::Sign(sign)) => Beside::Sign(sign),
            Some(_) => Beside::Operand,
        }
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.tokens.get(at)? {
            (_, Token::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// How deep a token makes what follows it.
    fn depth(&self, at: usize) -> isize {
        match self.beside(Some(at)) {
            Beside::Sign("(" | "[" | "{") => 1,
            Beside::Sign(")" | "]" | "}") => -1,
            _ => 0,
        }
    }

    fn declared(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        let mut depth = 0;
        // The depth at which specifications of a declaration begin, and whether one begins here.
        let (mut group, mut begins) = (None, false);
        for at in 0..self.tokens.len() {
            match self.beside(Some(at)) {
                Beside::Word("func") if depth == 0 => {
                    out.extend(self.name(at + 1).map(str::to_owned));
                }
                Beside::Word("var" | "const" | "type") if depth == 0 => {
                    let many = self.beside(Some(at + 1)) == Beside::Sign("(");
                    group = Some(isize::from(many));
                    begins = !many;
                }
                Beside::Sign("(") if depth == 0 && group == Some(1) => begins = true,
                Beside::Semicolon if group == Some(depth) => {
                    begins = depth == 1;
                    group = group.filter(|_| depth == 1);
                }
                Beside::Operand if begins && group == Some(depth) => {
                    out.extend(self.name(at).map(str::to_owned));
                    begins = self.beside(Some(at + 1)) == Beside::Sign(",");
                }
                _ => {}
            }
            depth += self.depth(at);
        }
        out
    }

    /// Names that are surely used and never look like being declared, with the offset of their first use.
    fn needed(&self) -> BTreeMap<String, usize> {
        let mut uses: BTreeMap<String, usize> = BTreeMap::new();
        let mut doubtful = BTreeSet::new();
        // Of each bracket that is open, whether it holds fields or methods.
        let mut open = Vec::new();
        for at in 0..self.tokens.len() {
            let before = self.beside(at.checked_sub(1));
            match self.depth(at) {
                1 => {
                    open.push(matches!(before, Beside::Word("struct" | "interface")));
                    continue;
                }
                -1 => {
                    open.pop();
                    continue;
                }
                _ => {}
            }
            let Some(name) = self.name(at) else {
                if self.beside(Some(at)) == Beside::Sign(".") && self.imports_all(at) {
                    return BTreeMap::new();
                }
                continue;
            };
            if open.contains(&true) {
                continue;
            }
            match means(before, self.beside(Some(at + 1)), name) {
                Some(true) => {
                    uses.entry(name.to_owned()).or_insert(self.tokens[at].0);
                }
                Some(false) => {
                    doubtful.insert(name.to_owned());
                }
                None => {}
            }
        }
        uses.retain(|name, _| !doubtful.contains(name));
        uses
    }

    /// The packages that matter by their names in this file, and the first token behind all imports.
    fn imports(
        &self,
        called: impl Fn(&str) -> Option<String>,
    ) -> (BTreeMap<String, String>, usize) {
        let (mut out, mut behind) = (BTreeMap::new(), 0);
        let mut inside = false;
        for at in 0..self.tokens.len() {
            match (self.beside(Some(at)), &self.tokens[at].1) {
                (Beside::Word("import"), _) => inside = true,
                (Beside::Word("func" | "var" | "const" | "type"), _) => break,
                (_, Token::String(literal)) if inside => {
                    behind = at + 1;
                    let path = literal.trim_matches(['"', '`']);
                    let Some(name) = called(path) else { continue };
                    let before = at.checked_sub(1);
                    let name = match self.beside(before) {
                        Beside::Sign(".") => continue,
                        Beside::Operand => before.and_then(|at| self.name(at)).unwrap_or("_"),
                        _ => &name,
                    };
                    if name != "_" {
                        out.insert(name.to_owned(), path.to_owned());
                    }
                }
                _ => {}
            }
        }
        (out, behind)
    }

    fn borrowed(&self, called: impl Fn(&str) -> Option<String>) -> Vec<Taken> {
        let (mut packages, behind) = self.imports(called);
        if packages.is_empty() {
            return Vec::new();
        }
        let mut uses: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for at in behind..self.tokens.len() {
            let Some(package) = self.name(at).filter(|name| packages.contains_key(*name)) else {
                continue;
            };
            if self.beside(at.checked_sub(1)) == Beside::Sign(".") {
                continue; // A field or method of something.
            }
            match (self.beside(Some(at + 1)), self.name(at + 2)) {
                (Beside::Sign("."), Some(name)) => {
                    uses.entry((package, name)).or_insert(self.tokens[at].0);
                }
                // Whoever declares something of that name does not go on with a dot.
                (Beside::Sign("."), None) => {}
                _ => drop(packages.remove(package)),
            }
        }
        let sure = uses.into_iter().filter_map(|((package, name), offset)| {
            let import = packages.get(package)?.clone();
            Some((import, package.to_owned(), name.to_owned(), offset))
        });
        sure.collect()
    }

    /// `import . "path"`: any name can come from there.
    fn imports_all(&self, dot: usize) -> bool {
        matches!(self.tokens.get(dot + 1), Some((_, Token::String(_))))
    }
}

/// Whether a name between two tokens is used (`true`), perhaps declared (`false`), or neither.
fn means(before: Beside<'_>, after: Beside<'_>, name: &str) -> Option<bool> {
    let begins = matches!(
        before,
        Beside::End | Beside::Semicolon | Beside::Sign("{" | "(" | ",")
    );
    match (before, after) {
        // Selectors, labels, methods, keys.
        (Beside::Sign("." | ")"), _)
        | (Beside::Word("break" | "continue" | "goto" | "func" | "package"), _)
        | (_, Beside::Sign(":")) => None,
        (Beside::Word("var" | "const" | "type" | "import"), _)
        | (_, Beside::Operand | Beside::Word(_) | Beside::End)
        | (_, Beside::Sign(":=" | "=" | "," | "*" | "[" | "..." | "<-" | "~")) => Some(false),
        (_, Beside::Semicolon) if begins => Some(false),
        (Beside::Semicolon, Beside::Sign(")")) => Some(false),
        // An imported package has such a name too.
        (_, Beside::Sign(".")) if !name.starts_with(char::is_uppercase) => None,
        _ => Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(text: &str) -> Vec<String> {
        names(text.as_bytes()).declared.into_iter().collect()
    }

    fn needed(text: &str) -> Vec<(String, u32)> {
        names(text.as_bytes()).needed.into_iter().collect()
    }

    #[test]
    fn declarations_of_the_package() {
        let text = "package p\n\nimport x \"y\"\n\nvar a, b = f(func() { var no int }), 2\n\nconst (\n\tc = iota\n\td\n\te, f2 int = 1, 2\n)\n\ntype (\n\tg struct{ no int }\n\th[T any] []T\n)\n\ntype i = interface{ no() }\n\nfunc j[T any](no T) { no2 := 1 }\n\nfunc (r g) no3() {}\n";
        assert_eq!(
            declared(text),
            ["a", "b", "c", "d", "e", "f2", "g", "h", "i", "j"]
        );
    }

    #[test]
    fn what_is_used_and_not_declared() {
        let text = "package p\n\nfunc f() int {\n\tsetup()\n\tif x := Load(Path); x == nil {\n\t\treturn -1\n\t}\n\treturn total + own.Field + Shop.Name\n}\n\nvar own = Kind{Name: 1}\n";
        let found = needed(text);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["Kind", "Load", "Path", "Shop", "nil", "setup", "total"]
        );
        assert_eq!(found[1], ("Load".to_owned(), 5));
    }

    #[test]
    fn what_is_taken_from_packages() {
        let taken = |text: &str| -> Vec<String> {
            let called = |path: &str| path.starts_with("x.y/").then(|| "pkg".to_owned());
            let found = borrowed(format!("package p\n{text}\n").as_bytes(), called);
            let shown = |one: &Borrowed| format!("{}.{}:{}", one.import, one.name, one.line);
            found.iter().map(shown).collect()
        };
        assert_eq!(
            taken(
                "import (\n\t\"fmt\"\n\t\"x.y/a\"\n\tb \"x.y/b\"\n)\n\nvar v = pkg.Of(b.C)\n\nfunc f(t *pkg.Type) { fmt.Println(t.pkg, pkg.Of) }"
            ),
            ["x.y/b.C:8", "x.y/a.Of:8", "x.y/a.Type:10"]
        );
        for text in [
            "import \"x.y/a\"\nfunc f(pkg T) { pkg.Of() }",
            "import \"x.y/a\"\nfunc f() { pkg := 1; pkg.Of() }",
            "import \"x.y/a\"\nfunc f() { for _, pkg := range x { pkg.Of() } }",
            "import \"x.y/a\"\nfunc f() { var pkg, q T; pkg.Of() }",
            "import \"x.y/a\"\nfunc (pkg T) f() { pkg.Of() }",
            "import . \"x.y/a\"\nfunc f() { pkg.Of() }",
            "import _ \"x.y/a\"\nfunc f() { pkg.Of() }",
            "import \"z.y/a\"\nfunc f() { pkg.Of() }",
            "import \"x.y/a\"\nfunc f() { a.pkg.Of() }",
            "import \"x.y/a\"\n// pkg.Of\nvar a = \"pkg.Of\"",
        ] {
            assert_eq!(taken(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_could_be_declared_is_not_told() {
        for text in [
            "func f(X int) { g2(X) }",
            "func f(a, X *T) { _ = -X }",
            "func f() { X := 1; _ = (X) }",
            "func f() { a, X := 1, 2; _ = -X }",
            "func f() { var a, X = 1, 2; _ = -X }",
            "func f() { const ( a = iota; X ); _ = -X }",
            "func f() { for X = range a { _ = -X } }",
            "func (X T) m() { X() }",
            "func f[X any]() { _ = X(1) }",
            "func f[A, X any]() { _ = X(1) }",
            "type T struct { X }",
            "type T interface { X() }",
            "func (t T) X() {}",
            "var t = T{X: 1}",
            "func f() { X: for { continue X } }",
            "import . \"q\"\nfunc f() { X() }",
            "import X \"q\"\nfunc f() { X.Y() }",
            "func X() { X() }",
            "var a = b.X(1)",
        ] {
            let found = needed(&format!("package p\n{text}\n"));
            assert!(
                found.iter().all(|(name, _)| name != "X"),
                "{text}: {found:?}"
            );
        }
    }
}

//! Why something is no program.

use std::fmt;

/// Why something is no program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `func main` takes parameters, gives results or has type parameters: what it has.
    Signature(&'static str),
    /// `func main` has no body.
    NoBody,
    /// `func Main`: the name is another one.
    Capital,
    /// `main` is a method.
    Method,
    /// `main` is declared by this keyword.
    NotFunction(&'static str),
    /// `func main` in a package of this name.
    OtherPackage(String),
    /// Package main declares no `main` at all.
    Undeclared,
    /// `func main` stands in a test file alone.
    TestOnly,
    /// Package main consists of test files, without a `main`.
    OnlyTests,
    /// A second `main`; where the first one is.
    Twice(String),
    /// The constraint (or `the file's name`) holds nowhere.
    Ignored(String),
    /// The file's name begins with this character.
    PassedOver(char),
    /// It takes these build tags.
    NeedsTags(Vec<String>),
    /// It takes this Go release or a later one: `go1.99`.
    NeedsGo(String),
    /// It takes cgo.
    NeedsCgo,
    /// It is one on these platforms.
    Elsewhere(Vec<String>),
    /// Its header is wrong, or two packages are in one directory: go's words.
    Broken(String),
}

impl Reason {
    /// A name for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Reason::Signature(_) => "signature",
            Reason::NoBody => "no-body",
            Reason::Capital => "capital",
            Reason::Method => "method",
            Reason::NotFunction(_) => "not-a-function",
            Reason::OtherPackage(_) => "other-package",
            Reason::Undeclared => "undeclared",
            Reason::TestOnly => "test-only",
            Reason::OnlyTests => "only-tests",
            Reason::Twice(_) => "twice",
            Reason::Ignored(_) | Reason::PassedOver(_) => "ignored",
            Reason::NeedsTags(_) => "needs-tags",
            Reason::NeedsGo(_) => "needs-go",
            Reason::NeedsCgo => "needs-cgo",
            Reason::Elsewhere(_) => "elsewhere",
            Reason::Broken(_) => "broken",
        }
    }

    /// Nobody writes this on purpose. What constraints leave out is mostly meant to be, and so are tests without a program.
    #[must_use]
    pub fn is_mistake(&self) -> bool {
        !matches!(
            self,
            Reason::OnlyTests
                | Reason::Ignored(_)
                | Reason::PassedOver(_)
                | Reason::NeedsTags(_)
                | Reason::NeedsGo(_)
                | Reason::NeedsCgo
                | Reason::Elsewhere(_)
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Signature(what) => write!(
                f,
                "func main has {what}: a program begins at func main(), which takes and gives nothing"
            ),
            Reason::NoBody => write!(f, "func main has no body"),
            Reason::Capital => write!(
                f,
                "func Main is not func main: a program begins at the lower-case name"
            ),
            Reason::Method => write!(
                f,
                "main is a method: a program begins at a function without a receiver"
            ),
            Reason::NotFunction(keyword) => {
                write!(f, "main is declared by {keyword}: it must be a function")
            }
            Reason::OtherPackage(name) => write!(
                f,
                "func main in package {name}: only package main is a program"
            ),
            Reason::Undeclared => write!(f, "package main declares no func main()"),
            Reason::TestOnly => write!(
                f,
                "func main stands in a test file, which is no part of a program"
            ),
            Reason::OnlyTests => write!(f, "package main has nothing but test files"),
            Reason::Twice(first) => write!(f, "main is declared a second time, first at {first}"),
            Reason::Ignored(what) => write!(
                f,
                "left out on every platform by {what}: it runs by the name of its file alone"
            ),
            Reason::PassedOver(first) => write!(
                f,
                "go passes over files whose names begin with {first}, also where they are named"
            ),
            Reason::NeedsTags(tags) => {
                write!(f, "left out without -tags {}", tags.join(","))
            }
            Reason::NeedsGo(release) => {
                write!(f, "left out by this toolchain: it takes {release} or later")
            }
            Reason::NeedsCgo => write!(f, "left out without cgo (CGO_ENABLED=0, or no C compiler)"),
            Reason::Elsewhere(names) => {
                write!(f, "left out here, a program on {}", listed(names))
            }
            Reason::Broken(text) => write!(f, "{text}"),
        }
    }
}

/// More names than this are not worth reading.
const MANY: usize = 6;

fn listed(names: &[String]) -> String {
    if names.len() <= MANY {
        return names.join(", ");
    }
    let (shown, rest) = names.split_at(MANY - 1);
    format!("{} and {} more", shown.join(", "), rest.len())
}

/// Names for platforms: that of the operating system alone where all its platforms are among them.
#[must_use]
pub fn platform_names(platforms: &[&str], known: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for platform in platforms {
        let system = platform.split('/').next().unwrap_or_default();
        let same = |other: &&&str| other.split('/').next() == Some(system);
        let whole = known.iter().filter(same).all(|at| platforms.contains(at));
        let name = if whole { system } else { platform };
        if !names.iter().any(|have| have == name) {
            names.push(name.to_owned());
        }
    }
    names
}

//! The facts of one directory, before any build configuration.
//!
//! [`crate::index`] keeps them on disk: whoever changes a field, or what a field means, raises the number of its format.

use serde::{Deserialize, Serialize};

/// The facts of one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirContents {
    /// Source files by name (`.go` and everything else that go's builder knows by extension); names that begin with `_` or
    /// `.` are left out.
    pub files: Vec<FileFacts>,
    /// Names of real sub-directories, sorted (all of them: `testdata`, `.git` and so on included).
    pub subdirs: Vec<String>,
    /// Names of symbolic links that lead to directories, sorted.
    pub dir_links: Vec<String>,
    /// A source file is a symbolic link.
    pub has_links: bool,
    /// A regular file `go.mod` is here: a module begins.
    pub has_go_mod: bool,
}

impl DirContents {
    /// Whether any `.go` file is here, whatever its constraints.
    pub fn has_go_files(&self) -> bool {
        self.files.iter().any(|file| file.name.ends_with(".go"))
    }
}

/// The facts of one source file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Name without directory.
    pub name: String,
    /// The file could not be read, or its header makes no sense (`multiple //go:build comments`): go's words after `NAME: `
    /// or `read FILE: `.
    pub error: Option<FileError>,
    /// Build constraint of the header.
    pub constraint: Constraint,
    /// `//go:binary-only-package` stands in the header (of a non-test Go file).
    pub binary_only: bool,
    /// From here on: Go files only. Name of the package clause, empty if there is none.
    pub package_name: String,
    /// First sentence of the package comment.
    pub synopsis: String,
    /// Errors of the header, sorted by position.
    pub syntax_errors: Vec<SyntaxFact>,
    /// Imports in order; on a syntax error those before it, as the module loader sees them.
    pub imports: Vec<ImportFact>,
    /// `#cgo` lines of the comments on `import "C"`, untouched.
    pub cgo_lines: Vec<String>,
    /// `//go:embed` patterns in order (only in files that import `embed`).
    pub embeds: Vec<EmbedFact>,
    /// `//go:` lines above the package clause.
    pub directives: Vec<DirectiveFact>,
    /// Comment after the package clause that names an import path: its line and raw text (`"x/y"` quoted).
    pub import_comment: Option<(u32, String)>,
}

/// Why a file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileError {
    /// go says `read FILE: …`.
    Read(String),
    /// It cannot be opened: the whole text (`open FILE: …`).
    Open(String),
    /// go says `NAME: …`.
    Header(String),
}

/// The build constraint of a header, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constraint {
    /// None: the file name decides alone.
    #[default]
    None,
    /// A `//go:build` line.
    GoBuild(String),
    /// `// +build` lines; all must hold.
    PlusBuild(Vec<String>),
}

/// One error of the scanner or parser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntaxFact {
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
    /// go's words.
    pub message: String,
    /// Made by go/build rather than by the parser: shown as a single error, not as a list.
    pub single: bool,
}

/// One import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFact {
    /// Unquoted path.
    pub path: String,
    /// From 1; line of the import's name or path, whichever comes first.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
}

/// One pattern of a `//go:embed` line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedFact {
    /// Unquoted pattern.
    pub pattern: String,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
}

/// One `//go:` line above the package clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectiveFact {
    /// Whole line, slashes included.
    pub text: String,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
}

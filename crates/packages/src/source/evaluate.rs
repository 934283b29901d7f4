//! Facts and configuration in, package out.

use crate::package::PackageFiles;
use crate::source::context::{BuildContext, TagSet};
use crate::source::facts::{FileError, FileFacts, SyntaxFact};
use crate::source::{DirContents, SourceError, SyntaxError, cgo, comment, scan};
use camino::{Utf8Path, Utf8PathBuf};
use std::fmt;
use std::sync::Arc;
use steady_module::quote;

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Full path.
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Names (import paths, embed patterns) sorted, each with the places that mention it in file order. There are thousands of them.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    /// Each name, and where its places end; they begin where those of the name before end.
    names: Vec<(Box<str>, usize)>,
    places: Vec<Position>,
}

impl Positions {
    /// No name at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }

    /// The names for whoever keeps them.
    #[must_use]
    pub fn to_names(&self) -> Vec<String> {
        self.keys().map(String::from).collect()
    }

    /// The places that mention a name: none if nobody does.
    #[must_use]
    pub fn get(&self, name: &str) -> &[Position] {
        match self.find(name) {
            Ok(at) => &self.places[self.start(at)..self.names[at].1],
            Err(_) => &[],
        }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.names
            .binary_search_by(|(known, _)| (**known).cmp(name))
    }

    fn start(&self, at: usize) -> usize {
        at.checked_sub(1).map_or(0, |before| self.names[before].1)
    }

    fn add(&mut self, name: &str, place: Position) {
        let at = self.find(name).unwrap_or_else(|at| {
            let start = self.start(at);
            self.names.insert(at, (name.into(), start));
            at
        });
        self.places.insert(self.names[at].1, place);
        self.names[at..].iter_mut().for_each(|(_, end)| *end += 1);
    }

    fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.places.shrink_to_fit();
    }
}

/// A `//go:` line above a package clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Whole line, slashes included.
    pub text: String,
    /// Where.
    pub position: Position,
}

/// What a directory is under one configuration: go/build's `Package`.
#[derive(Clone, Debug, Default)]
pub struct PackageSource {
    /// The directory.
    pub dir: Utf8PathBuf,
    /// Package name, empty if no file gives one.
    pub name: String,
    /// Synopsis of the package comment.
    pub doc: String,
    /// Path in an import comment, if the context asks for those.
    pub import_comment: String,
    /// `//go:binary-only-package` was seen.
    pub binary_only: bool,
    /// File lists and cgo flags; `embed_patterns` is filled, `embed_files` and `compiled_go_files` are not.
    pub files: PackageFiles,
    /// `_test.go` files of the package itself.
    pub test_go_files: Vec<String>,
    /// `_test.go` files of the external test package.
    pub x_test_go_files: Vec<String>,
    /// Imports of the package (`C` included).
    pub imports: Positions,
    /// Imports of its test files.
    pub test_imports: Positions,
    /// Imports of the external tests.
    pub x_test_imports: Positions,
    /// Embed patterns of the package.
    pub embed_patterns: Positions,
    /// Embed patterns of its test files.
    pub test_embed_patterns: Positions,
    /// Embed patterns of the external tests.
    pub x_test_embed_patterns: Positions,
    /// `//go:` lines of the package's files.
    pub directives: Vec<Directive>,
    /// `//go:` lines of its test files.
    pub test_directives: Vec<Directive>,
    /// `//go:` lines of the external tests.
    pub x_test_directives: Vec<Directive>,
    /// Every tag that was looked at, sorted.
    pub all_tags: Vec<String>,
    /// The first error; the rest of the value holds what could be found out all the same.
    pub error: Option<SourceError>,
}

/// What `contents` of `dir` is under `context`.
pub fn evaluate(dir: &Utf8Path, contents: &DirContents, context: &BuildContext) -> PackageSource {
    let package = PackageSource {
        dir: dir.to_owned(),
        ..PackageSource::default()
    };
    let mut state = State {
        package,
        context,
        asked: TagSet::new(),
        upper_s: Vec::new(),
        first_file: "",
        comment_file: "",
    };
    for file in &contents.files {
        state.file(file);
    }
    state.finish()
}

/// Where a Go file's findings go.
#[derive(Clone, Copy, PartialEq)]
enum Group {
    Package,
    Test,
    ExternalTest,
    /// A cgo file without cgo: listed as ignored, and nothing in it counts.
    Ignored,
}

struct State<'a> {
    package: PackageSource,
    context: &'a BuildContext,
    asked: TagSet,
    /// `.S` and `.sx` files, that only a C compiler can take.
    upper_s: Vec<String>,
    first_file: &'a str,
    comment_file: &'a str,
}

impl<'a> State<'a> {
    fn full(&self, name: &str) -> String {
        format!("{}/{name}", self.package.dir)
    }

    /// The first error counts; every file with one is listed once.
    fn bad(&mut self, name: &str, error: SourceError) {
        self.package.error.get_or_insert(error);
        let invalid = &mut self.package.files.invalid_go_files;
        if invalid.last().is_none_or(|last| last != name) {
            invalid.push(name.to_owned());
        }
    }

    fn ignore(&mut self, name: &str, is_go: bool) {
        let files = &mut self.package.files;
        let list = if is_go {
            &mut files.ignored_go_files
        } else {
            &mut files.ignored_other_files
        };
        list.push(name.to_owned());
    }

    fn file(&mut self, file: &'a FileFacts) {
        let ext = scan::extension(&file.name);
        let is_go = ext == "go";
        if !self.context.good_os_arch_file(&file.name, &mut self.asked)
            && !self.context.use_all_files
        {
            return self.ignore(&file.name, is_go);
        }
        match self.constraint(file) {
            Err(error) if is_go => return self.bad(&file.name, error),
            Ok(true) => {}
            _ => return self.ignore(&file.name, is_go),
        }
        if is_go {
            return self.go_file(file);
        }
        if ext == "S" || ext == "sx" {
            self.upper_s.push(file.name.clone());
        } else if let Some(list) = other_list(&mut self.package.files, ext) {
            list.push(file.name.clone());
        }
    }

    fn constraint(&mut self, file: &FileFacts) -> Result<bool, SourceError> {
        let text = match &file.error {
            // go lists other files than Go's although their leading comment is malformed.
            Some(FileError::Read(_)) if scan::extension(&file.name) != "go" => return Ok(true),
            Some(FileError::Open(text)) => text.clone(),
            Some(FileError::Read(text)) => format!("read {}: {text}", self.full(&file.name)),
            Some(FileError::Header(text)) => format!("{}: {text}", file.name),
            None => match self
                .context
                .good_constraint(&file.constraint, &mut self.asked)
            {
                Ok(good) => return Ok(good || self.context.use_all_files),
                Err(text) => format!("{}: {text}", file.name),
            },
        };
        Err(SourceError::Other(text))
    }

    fn go_file(&mut self, file: &'a FileFacts) {
        let name = file.name.as_str();
        self.package.binary_only |= file.binary_only;
        if !file.syntax_errors.is_empty() {
            let error = self.syntax_error(file);
            self.bad(name, error);
        }
        if file.package_name == "documentation" {
            return self.ignore(name, true);
        }
        let is_test = name.ends_with("_test.go");
        let is_external = self.package_name(file, is_test);
        if self.package.doc.is_empty() && !is_test {
            self.package.doc = comment::without_links(&file.synopsis, &self.context.syslist.std);
        }
        if self.context.import_comments {
            self.import_comment(file);
        }
        let is_cgo = self.cgo(file, is_test);
        let group = match (is_cgo, is_external, is_test) {
            (true, ..) if !self.context.cgo_enabled => Group::Ignored,
            (true, ..) => Group::Package,
            (_, true, _) => Group::ExternalTest,
            (_, _, true) => Group::Test,
            _ => Group::Package,
        };
        let package = &mut self.package;
        let list = match group {
            Group::Ignored => &mut package.files.ignored_go_files,
            Group::Package if is_cgo => &mut package.files.cgo_files,
            Group::Package => &mut package.files.go_files,
            Group::Test => &mut package.test_go_files,
            Group::ExternalTest => &mut package.x_test_go_files,
        };
        list.push(name.to_owned());
        if group != Group::Ignored {
            self.declarations(file, group);
        }
    }

    fn syntax_error(&self, file: &FileFacts) -> SourceError {
        let path = self.full(&file.name);
        let convert = |fact: &SyntaxFact| SyntaxError {
            file: path.clone(),
            line: fact.line,
            column: fact.column,
            message: fact.message.clone(),
        };
        match &file.syntax_errors[..] {
            [only] if only.single => SourceError::Other(convert(only).to_string()),
            list => SourceError::Syntax(list.iter().map(convert).collect()),
        }
    }

    /// Holds the file's package name against that of the files before; true for an external test.
    fn package_name(&mut self, file: &'a FileFacts, is_test: bool) -> bool {
        let mut name = file.package_name.as_str();
        let stripped = name
            .strip_suffix("_test")
            .filter(|_| is_test && self.package.name != name);
        if let Some(stripped) = stripped {
            name = stripped;
        }
        if self.package.name.is_empty() {
            self.package.name = name.to_owned();
            self.first_file = &file.name;
        } else if self.package.name != name {
            let error = SourceError::MultiplePackage {
                dir: self.package.dir.clone(),
                packages: [self.package.name.clone(), name.to_owned()],
                files: [self.first_file.to_owned(), file.name.clone()],
            };
            self.bad(&file.name, error);
        }
        stripped.is_some()
    }

    fn import_comment(&mut self, file: &'a FileFacts) {
        let Some((line, raw)) = &file.import_comment else {
            return;
        };
        let seen = &self.package.import_comment;
        let text = match quote::unquote(raw) {
            None => format!(
                "{}:{line}: cannot parse import comment",
                self.full(&file.name)
            ),
            Some(path) if seen.is_empty() => {
                self.package.import_comment = path;
                self.comment_file = &file.name;
                return;
            }
            Some(path) if *seen == path => return,
            Some(path) => format!(
                "found import comments {seen:?} ({}) and {path:?} ({}) in {}",
                self.comment_file, file.name, self.package.dir
            ),
        };
        self.bad(&file.name, SourceError::Other(text));
    }

    /// Whether the file uses cgo; collects its flags.
    fn cgo(&mut self, file: &FileFacts, is_test: bool) -> bool {
        if !file.syntax_errors.is_empty() || !file.imports.iter().any(|import| import.path == "C") {
            return false;
        }
        let path = self.full(&file.name);
        if is_test {
            let text = format!("use of cgo in test {path} not supported");
            self.bad(&file.name, SourceError::Other(text));
            return false;
        }
        let dir = self.package.dir.clone();
        let applied = cgo::apply(
            &path,
            dir.as_str(),
            &file.cgo_lines,
            self.context,
            &mut self.package.files,
        );
        if let Err(text) = applied {
            self.bad(&file.name, SourceError::Other(text));
        }
        self.asked.insert("cgo".to_owned());
        true
    }

    /// Imports, embed patterns and directives of a file that counts.
    fn declarations(&mut self, file: &FileFacts, group: Group) {
        if !file.syntax_errors.is_empty() {
            return;
        }
        let path: Arc<str> = self.full(&file.name).into();
        let position = |line, column| Position {
            file: path.clone(),
            line,
            column,
        };
        let package = &mut self.package;
        let (imports, embeds, directives) = match group {
            Group::Test => (
                &mut package.test_imports,
                &mut package.test_embed_patterns,
                &mut package.test_directives,
            ),
            Group::ExternalTest => (
                &mut package.x_test_imports,
                &mut package.x_test_embed_patterns,
                &mut package.x_test_directives,
            ),
            Group::Package | Group::Ignored => (
                &mut package.imports,
                &mut package.embed_patterns,
                &mut package.directives,
            ),
        };
        for fact in &file.imports {
            imports.add(&fact.path, position(fact.line, fact.column));
        }
        for fact in &file.embeds {
            embeds.add(&fact.pattern, position(fact.line, fact.column));
        }
        for fact in &file.directives {
            directives.push(Directive {
                text: fact.text.clone(),
                position: position(fact.line, fact.column),
            });
        }
    }

    fn finish(mut self) -> PackageSource {
        let package = &mut self.package;
        let files = &mut package.files;
        // Only a C compiler takes `.S`: go's own assembler expects `.s`.
        let list = if files.cgo_files.is_empty() {
            &mut files.ignored_other_files
        } else {
            &mut files.s_files
        };
        list.append(&mut self.upper_s);
        list.sort();
        files.embed_patterns = package.embed_patterns.to_names();
        for positions in [
            &mut package.imports,
            &mut package.test_imports,
            &mut package.x_test_imports,
            &mut package.embed_patterns,
            &mut package.test_embed_patterns,
            &mut package.x_test_embed_patterns,
        ] {
            positions.shrink();
        }
        package.all_tags = self.asked.into_iter().collect();
        let none = files.go_files.is_empty()
            && files.cgo_files.is_empty()
            && package.test_go_files.is_empty()
            && package.x_test_go_files.is_empty();
        if none && package.error.is_none() {
            package.error = Some(SourceError::NoGo {
                dir: package.dir.clone(),
            });
        }
        self.package
    }
}

fn other_list<'f>(files: &'f mut PackageFiles, ext: &str) -> Option<&'f mut Vec<String>> {
    Some(match ext {
        "c" => &mut files.c_files,
        "cc" | "cpp" | "cxx" => &mut files.cxx_files,
        "m" => &mut files.m_files,
        "h" | "hh" | "hpp" | "hxx" => &mut files.h_files,
        "f" | "F" | "for" | "f90" => &mut files.f_files,
        "s" | "S" | "sx" => &mut files.s_files,
        "swig" => &mut files.swig_files,
        "swigcxx" => &mut files.swig_cxx_files,
        "syso" => &mut files.syso_files,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;

//! Which import paths a directory mentions: the question that module loading asks, more lenient than a build.

use crate::source::context::TagSet;
use crate::source::facts::{Constraint, FileError, FileFacts};
use crate::source::{BuildContext, DirContents, constraint};
use camino::Utf8Path;
use std::collections::BTreeSet;

/// Which files count.
#[derive(Clone, Copy, Debug)]
pub enum Tags<'a> {
    /// Files that any configuration could use (`go mod tidy`, `all`): every tag but `ignore` is both true and false.
    Any,
    /// Files of one configuration.
    Of(&'a BuildContext),
}

/// Import paths, sorted, without repetition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Of the package's files.
    pub imports: Vec<String>,
    /// Of its `_test.go` files, external tests included.
    pub test_imports: Vec<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// No file counts.
    #[error("no Go source files")]
    NoGo,
    /// A file cannot be read.
    #[error("reading {file}: {message}")]
    Read {
        /// Full path.
        file: String,
        /// go's words.
        message: String,
    },
    /// The directory cannot be read.
    #[error("{0}")]
    Dir(#[from] crate::source::SourceError),
}

/// Imports of the files of `dir` that count under `tags`.
pub fn scan_dir(
    dir: &Utf8Path,
    contents: &DirContents,
    tags: Tags<'_>,
) -> Result<Scanned, ScanError> {
    let go_files = contents
        .files
        .iter()
        .filter(|file| file.name.ends_with(".go"));
    scan_files(
        dir,
        go_files.filter(|file| name_counts(&file.name, tags)),
        tags,
        false,
    )
}

/// Imports of files named on the command line: constraints do not exclude them, cgo does.
pub fn scan_files<'f>(
    dir: &Utf8Path,
    files: impl IntoIterator<Item = &'f FileFacts>,
    tags: Tags<'_>,
    explicit: bool,
) -> Result<Scanned, ScanError> {
    let (mut imports, mut test_imports, mut any) = (BTreeSet::new(), BTreeSet::new(), false);
    for file in files {
        if let Some(FileError::Open(message) | FileError::Read(message)) = &file.error {
            let message = message.clone();
            return Err(ScanError::Read {
                file: format!("{dir}/{}", file.name),
                message,
            });
        }
        let cgo = matches!(tags, Tags::Any)
            || matches!(tags, Tags::Of(context) if context.has_tag("cgo"));
        if !cgo && file.imports.iter().any(|import| import.path == "C") {
            continue;
        }
        if !explicit && !constraint_counts(file, tags) {
            continue;
        }
        any = true;
        let set = if file.name.ends_with("_test.go") {
            &mut test_imports
        } else {
            &mut imports
        };
        set.extend(file.imports.iter().map(|import| import.path.as_str()));
    }
    if !any {
        return Err(ScanError::NoGo);
    }
    let list = |set: BTreeSet<&str>| set.into_iter().map(str::to_owned).collect();
    Ok(Scanned {
        imports: list(imports),
        test_imports: list(test_imports),
    })
}

fn name_counts(name: &str, tags: Tags<'_>) -> bool {
    match tags {
        Tags::Any => true,
        Tags::Of(context) => context.good_os_arch_file(name, &mut TagSet::new()),
    }
}

/// Malformed constraints exclude a file silently here; loading the package complains about them.
pub(crate) fn constraint_counts(file: &FileFacts, tags: Tags<'_>) -> bool {
    if file.error.is_some() {
        return false;
    }
    let holds = |line: &str| match (constraint::parse(line), tags) {
        (Err(_), _) => None,
        (Ok(expr), Tags::Any) => {
            Some(expr.eval_preferring(true, &|tag, prefer| tag != "ignore" && prefer))
        }
        (Ok(expr), Tags::Of(context)) => {
            Some(expr.eval_preferring(true, &|tag, _| context.has_tag(tag)))
        }
    };
    match &file.constraint {
        Constraint::None => true,
        Constraint::GoBuild(line) => holds(line).unwrap_or(false),
        Constraint::PlusBuild(lines) => lines.iter().all(|line| holds(line).unwrap_or(true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::scan::scan_bytes;

    fn contents(files: &[(&str, &str)]) -> DirContents {
        let mut contents = DirContents::default();
        for (name, text) in files {
            let mut facts = FileFacts {
                name: (*name).to_owned(),
                ..FileFacts::default()
            };
            scan_bytes(&mut facts, text.as_bytes(), true);
            contents.files.push(facts);
        }
        contents
    }

    #[test]
    fn any_tags_take_all_but_ignore() {
        let contents = contents(&[
            (
                "a.go",
                "//go:build linux && !linux\n\npackage p\nimport \"a\"\n",
            ),
            ("b.go", "//go:build ignore\n\npackage p\nimport \"b\"\n"),
            ("c_test.go", "package p_test\nimport \"c\"\nimport \"d\"\n"),
            (
                "d.go",
                "package p\nimport \"C\"\nimport \"e\"\nimport broken\n",
            ),
        ]);
        let dir = Utf8Path::new("/d");
        let any = scan_dir(dir, &contents, Tags::Any).unwrap();
        assert_eq!(
            any,
            Scanned {
                imports: ["C", "a", "e"].map(str::to_owned).into(),
                test_imports: ["c", "d"].map(str::to_owned).into()
            }
        );
        let context = BuildContext {
            goos: "linux".into(),
            ..BuildContext::default()
        };
        let some = scan_dir(dir, &contents, Tags::Of(&context)).unwrap();
        assert_eq!(some.imports, Vec::<String>::new());
        assert_eq!(some.test_imports, ["c", "d"]);
        assert_eq!(
            scan_dir(dir, &DirContents::default(), Tags::Any),
            Err(ScanError::NoGo)
        );
    }
}

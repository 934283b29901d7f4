//! go.sum and go.work.sum: the sums that a module's files must have.
//!
//! A line is `path version hash`; the version of a go.mod carries `/go.mod` behind it. A module may have several lines: sums of
//! other kinds than `h1:` are kept and not used.

use crate::ModuleVersion;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line that is no sum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SumError {
    /// It has not three words.
    #[error("malformed go.sum:\n{name}:{line}: wrong number of fields {fields}")]
    Fields {
        /// The file.
        name: String,
        /// From 1.
        line: usize,
        /// How many words there are instead of three.
        fields: usize,
    },
    /// The file begins with a byte order mark. go takes it for part of the first module's path and then misses that module's sum.
    #[error(
        "malformed go.sum:\n{name}:1: the file begins with a byte order mark, which hides its first sum; save it without one"
    )]
    ByteOrderMark {
        /// The file.
        name: String,
    },
}

/// Sums by module; the version carries `/go.mod` for the sum of a go.mod.
pub type Sums = BTreeMap<ModuleVersion, Vec<String>>;

/// A sum that a faulty release of Go wrote for empty go.mod files; it is never right.
const EMPTY_GO_MOD: &str = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/// Adds the lines of a file to `sums`. `name` is what messages call it.
///
/// # Errors
/// A line that has not three words; a byte order mark.
pub fn parse_into(sums: &mut Sums, name: &str, text: &str) -> Result<(), SumError> {
    if text.starts_with('\u{feff}') {
        return Err(SumError::ByteOrderMark {
            name: name.to_string(),
        });
    }
    for (at, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [] | [_, _, EMPTY_GO_MOD] => {}
            [path, version, sum] => {
                let known = sums.entry(ModuleVersion::new(path, version)).or_default();
                if !known.iter().any(|other| other == sum) {
                    known.push(sum.to_string());
                }
            }
            _ => {
                return Err(SumError::Fields {
                    name: name.to_string(),
                    line: at + 1,
                    fields: fields.len(),
                });
            }
        }
    }
    Ok(())
}

/// The `h1:` sums that are recorded for a module, each with its line, from 1.
pub fn recorded<'t>(
    text: &'t str,
    module: &ModuleVersion,
) -> impl Iterator<Item = (usize, &'t str)> {
    text.lines().enumerate().filter_map(move |(at, line)| {
        let mut words = line.split_whitespace();
        let is_of = words.next() == Some(&module.path) && words.next() == Some(&module.version);
        let sum = words.next().filter(|sum| sum.starts_with("h1:"))?;
        (is_of && words.next().is_none()).then_some((at + 1, sum))
    })
}

/// The file's text: sorted by module.
#[must_use]
pub fn format(sums: &Sums) -> String {
    let mut out = String::new();
    for (module, known) in sums {
        let mut known: Vec<&String> = known.iter().collect();
        known.sort();
        for sum in known {
            let _ = writeln!(out, "{} {} {sum}", module.path, module.version);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_printed_in_order() {
        let text = "b v1.10.0 h1:b\nb v1.9.0/go.mod h1:m\n\nb v1.9.0 h1:z\nb v1.9.0 h1:z\na v1.0.0/go.mod h1:a\n";
        let mut sums = Sums::new();
        parse_into(&mut sums, "go.sum", text).unwrap();
        assert_eq!(
            format(&sums),
            "a v1.0.0/go.mod h1:a\nb v1.9.0 h1:z\nb v1.9.0/go.mod h1:m\nb v1.10.0 h1:b\n"
        );
    }

    #[test]
    fn recorded_sums_have_their_lines() {
        let text = "a v1.0.0 h1:x\na v1.0.0/go.mod h1:m\n\na v1.0.0 h2:y\na v1.0.0 h1:z\n";
        let of = |version: &str| {
            let module = ModuleVersion::new("a", version);
            recorded(text, &module).collect::<Vec<_>>()
        };
        assert_eq!(of("v1.0.0"), [(1, "h1:x"), (5, "h1:z")]);
        assert_eq!(of("v1.0.0/go.mod"), [(2, "h1:m")]);
    }

    #[test]
    fn damaged_line_is_named() {
        let error =
            parse_into(&mut Sums::new(), "x/go.sum", "a v1 h1:x\n<<<<<<< HEAD\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "malformed go.sum:\nx/go.sum:2: wrong number of fields 2"
        );
    }
}

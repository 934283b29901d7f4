//! Errors with the line of source that they are about, for people at a terminal.
//!
//! Tools write `file:line:column: message`, and more about it in lines that begin with a tab. Behind each such message the line itself
//! is put, with a mark under the place. What the tools say is not changed, so that editors find their positions.

use camino::Utf8Path;
use std::collections::HashMap;
use std::fmt::Write as _;

use steady_system::Files;

/// How wide a tab is shown.
const TAB: usize = 4;

/// Longer lines are no source that somebody wrote.
const LONGEST: usize = 400;

struct Position<'a> {
    file: &'a str,
    line: usize,
    /// In bytes, from 1.
    column: Option<usize>,
}

/// `text` with the lines of source that it speaks of. Relative paths begin at `cwd`.
pub fn with_source(text: &str, cwd: &Utf8Path) -> String {
    let files = Files::new(cwd);
    let mut known: HashMap<&str, Option<String>> = HashMap::new();
    let mut out = String::with_capacity(text.len() * 2);
    let mut waiting: Option<Position<'_>> = None;
    for line in text.split_inclusive('\n') {
        if !line.starts_with('\t') {
            show(&mut out, waiting.take(), &files, &mut known);
            waiting = position(line);
        }
        out.push_str(line);
    }
    show(&mut out, waiting, &files, &mut known);
    out
}

/// `file:line: …` or `file:line:column: …`, as tools begin their messages.
fn position(text: &str) -> Option<Position<'_>> {
    let text = text.strip_prefix("vet: ").unwrap_or(text);
    let (place, _) = text.split_once(": ")?;
    let (rest, last) = place.rsplit_once(':')?;
    let last = last.parse().ok()?;
    let (file, line, column) = match rest.rsplit_once(':') {
        Some((file, line)) if line.parse::<usize>().is_ok() => {
            (file, line.parse().ok()?, Some(last))
        }
        _ => (rest, last, None),
    };
    let is_source = !file.is_empty() && !file.contains(char::is_whitespace);
    (is_source && line > 0).then_some(Position { file, line, column })
}

fn show<'a>(
    out: &mut String,
    position: Option<Position<'a>>,
    files: &Files,
    known: &mut HashMap<&'a str, Option<String>>,
) {
    let Some(position) = position else { return };
    let content = known.entry(position.file).or_insert_with(|| {
        let bytes = files.read(position.file).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    });
    let source = content
        .as_ref()
        .and_then(|text| text.lines().nth(position.line - 1));
    let Some(source) = source.filter(|line| line.len() <= LONGEST && !line.trim().is_empty())
    else {
        return;
    };
    if !out.ends_with('\n') {
        out.push('\n');
    }
    let number = position.line.to_string();
    let _ = writeln!(out, "{number:>6} | {}", expanded(source));
    if let Some(column) = position
        .column
        .filter(|column| (1..=source.len() + 1).contains(column))
    {
        let before = source.get(..column - 1).unwrap_or(source);
        let width = expanded(before).chars().count();
        let _ = writeln!(out, "{:>6} | {:width$}^", "", "");
    }
}

/// Without tabs and other characters that move the cursor.
fn expanded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.extend(std::iter::repeat_n(' ', TAB)),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let source = "package a\n\nfunc A() string {\n\treturn \"ä\" + 1\n}\n";
        Files::new(dir)
            .write("a.go", source.as_bytes(), 0o644)
            .unwrap();
        with_source(text, dir)
    }

    #[test]
    fn the_line_and_the_place() {
        assert_eq!(
            shown(
                "# example.com/a\na.go:4:16: mismatched types\n\thave (int)\n\twant (string)\na.go:1:9: x\n"
            ),
            "# example.com/a\na.go:4:16: mismatched types\n\thave (int)\n\twant (string)\n     \
             4 |     return \"ä\" + 1\n       |                  ^\na.go:1:9: x\n     1 | package a\n       |         ^\n"
        );
        let line = "     3 | func A() string {\n";
        for text in ["a.go:3: y\n", "vet: a.go:3: y\n"] {
            assert_eq!(shown(text), format!("{text}{line}"));
        }
        assert_eq!(shown("a.go:3: y"), format!("a.go:3: y\n{line}"));
    }

    #[test]
    fn what_is_no_place_stays_as_it_is() {
        for text in [
            "",
            "go: no such tool\n",
            "none.go:1:2: x\n",
            "a.go:99:1: behind the end\n",
            "a.go:2:1: an empty line\n",
            "a.go:0:1: x\n",
            "see a.go:1:1: x\n",
            "12:30: x",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}

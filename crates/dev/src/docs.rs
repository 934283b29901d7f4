//! The generated part of the docs: the reference of all commands, and the map of rooms, made from the first sentence of each file.

#![allow(clippy::disallowed_methods)]

use crate::subjects;
use anyhow::{Context as _, Result, bail};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// What to write.
#[derive(clap::Args)]
pub struct Options {
    /// Write nothing; fail if a page is not as it would be written
    #[arg(long)]
    check: bool,
}

/// Writes the generated pages, or says which of them is old.
pub fn run(options: &Options) -> Result<ExitCode> {
    let root = subjects::root()?;
    let pages = [
        (
            "reference.md",
            steady_cli::commands::completions::reference(),
        ),
        ("rooms.md", rooms(&root)?),
    ];
    let mut old = Vec::new();
    for (name, text) in pages {
        let path = root.join("docs").join(name);
        if fs::read_to_string(&path).unwrap_or_default() != text {
            old.push(name);
            if !options.check {
                fs::write(&path, text).with_context(|| path.display().to_string())?;
            }
        }
    }
    if options.check && !old.is_empty() {
        eprintln!("docs/{}: run cargo dev docs", old.join(", docs/"));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// One line for each source file, crate by crate.
fn rooms(root: &Path) -> Result<String> {
    let mut text = String::from(
        "# Rooms\n\nGenerated from the first sentence of each file; do not edit. The rooms of the house are in \
         [architecture.md](architecture.md).\n",
    );
    let crates = root.join("crates");
    for name in names(&crates)? {
        let src = crates.join(&name).join("src");
        let mut lines = Vec::new();
        walk(&src, "", &mut lines)?;
        let _ = write!(text, "\n## {name}\n\n| file | holds |\n|---|---|\n");
        for (file, sentence) in lines {
            let _ = writeln!(text, "| `{file}` | {sentence} |");
        }
    }
    Ok(text)
}

fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn walk(dir: &Path, prefix: &str, lines: &mut Vec<(String, String)>) -> Result<()> {
    for name in names(dir)? {
        let path = dir.join(&name);
        let shown = format!("{prefix}{name}");
        if path.is_dir() {
            walk(&path, &format!("{shown}/"), lines)?;
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            let text = fs::read_to_string(&path)?;
            let Some(sentence) = first_sentence(&text) else {
                bail!("{}: no sentence that says what it holds", path.display());
            };
            lines.push((shown, sentence));
        }
    }
    Ok(())
}

/// The first sentence of a file's documentation, in one line.
fn first_sentence(text: &str) -> Option<String> {
    let lines = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty());
    let paragraph = lines.collect::<Vec<_>>().join(" ");
    let end = paragraph
        .find(". ")
        .map_or(paragraph.len(), |end| end + ".".len());
    let sentence = paragraph[..end].trim_end_matches('.').replace('|', "\\|");
    (!sentence.is_empty()).then_some(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let first = |text: &str| first_sentence(text);
        assert_eq!(
            first("//! What it is\n//! about. And more.\n\nuse x;").as_deref(),
            Some("What it is about")
        );
        assert_eq!(first("use x;"), None);
    }
}

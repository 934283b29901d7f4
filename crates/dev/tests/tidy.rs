//! The house is in order: formatting, lints, documentation, words that must not appear, nothing left unfinished.

#![allow(clippy::disallowed_methods, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

fn cargo(arguments: &[&str], variable: (&str, &str)) {
    // A target directory of its own: the one in use is locked by the test run itself.
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(root())
        .env("CARGO_TARGET_DIR", root().join("target/tidy"))
        .env(variable.0, variable.1)
        .status()
        .unwrap();
    assert!(status.success(), "cargo {}", arguments.join(" "));
}

#[test]
fn code_is_formatted() {
    cargo(&["fmt", "--all", "--check"], ("CARGO_TERM_COLOR", "never"));
}

#[test]
fn lints_and_documentation_are_clean() {
    cargo(
        &[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        ("CARGO_TERM_COLOR", "never"),
    );
    cargo(
        &["doc", "--quiet", "--workspace", "--no-deps"],
        ("RUSTDOCFLAGS", "-D warnings"),
    );
}

#[test]
fn generated_docs_are_current() {
    let status = Command::new(env!("CARGO_BIN_EXE_steady-dev"))
        .args(["docs", "--check"])
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success(), "run cargo dev docs");
}

fn tracked() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args(["ls-files"])
        .current_dir(root())
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    let files: Vec<PathBuf> = names
        .lines()
        .map(|name| root().join(name))
        .filter(|path| path.is_file())
        .collect();
    assert!(files.len() > 50, "git lists the project's files");
    files
}

#[test]
fn no_registry_is_named() {
    // Put together here so that this file does not name them either.
    let words = [
        ["proxy.", "golang.org"].concat(),
        ["go", "proxy.io"].concat(),
        ["go", "proxy.cn"].concat(),
        ["sum.", "golang.org"].concat(),
        ["crates", ".io/"].concat(),
    ];
    for path in tracked() {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        if path.file_name().is_some_and(|name| name == "Cargo.lock") {
            continue;
        }
        for word in &words {
            assert!(
                !text.contains(word.as_str()),
                "{} names {word}",
                path.display()
            );
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [["to", "do!("].concat(), ["unimplem", "ented!("].concat()];
    for path in tracked()
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
    {
        let text = std::fs::read_to_string(path).unwrap();
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{}: {mark}", path.display());
        }
    }
}

//! The go command's own scripts, run by its own harness, with Steady in go's place.
//!
//! The harness is the test binary of `cmd/go`, built from a toolchain's sources with two edits laid over them: the program under test
//! is the one that CONFORMANCE_GO names, and telemetry counters, which Steady does not keep, are not counted.

#![allow(clippy::disallowed_methods)]

use crate::subjects;
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// Only scripts whose names match this regular expression
    #[arg(default_value = ".")]
    pattern: String,
    /// Also the scripts that go leaves out in short mode
    #[arg(long)]
    long: bool,
    /// The Go version whose scripts are run, such as 1.26.8; the toolchain that Steady finds here if not given
    #[arg(long, value_name = "VERSION")]
    go: Option<String>,
    /// Add scripts that newly pass to the list
    #[arg(long)]
    update: bool,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Scripts at the same time
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Bound on the whole run, such as 30m
    #[arg(long, default_value = "40m")]
    timeout: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Pass,
    Fail,
    Skip,
}

/// Runs the scripts; fails if one that the list has does not pass.
pub fn run(options: &Options) -> Result<ExitCode> {
    let root = subjects::root()?;
    let work = root.join("target/conformance");
    fs::create_dir_all(&work)?;
    let steady = match &options.binary {
        Some(binary) => fs::canonicalize(binary)?,
        // In a target directory of its own, so that the released binary stays as it is.
        None => subjects::build_steady(&root, Some(&work.join("build")))?,
    };
    let bin = work.join("bin");
    fs::create_dir_all(&bin)?;
    let go = bin.join("go");
    let _ = fs::remove_file(&go);
    std::os::unix::fs::symlink(&steady, &go)?;
    let goroot = subjects::goroot(&go, options.go.as_deref())?;
    let harness = build_harness(&go, &goroot, &work)?;
    let outcomes = run_harness(options, &harness, &goroot, &bin, &work)?;
    compare(options, &root, &goroot, &outcomes)
}

fn edited(path: &Path, from: &str, to: &str) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    if !text.contains(from) {
        bail!(
            "{}: the harness of this Go release is not as expected: no {from:?}",
            path.display()
        );
    }
    Ok(text.replace(from, to))
}

fn build_harness(go: &Path, goroot: &Path, work: &Path) -> Result<PathBuf> {
    let version = fs::read_to_string(goroot.join("VERSION"))?;
    let version = version.lines().next().unwrap_or_default();
    let binary = work.join(format!("harness-{version}"));
    if binary.exists() {
        return Ok(binary);
    }
    let source = goroot.join("src/cmd/go");
    let edits = [
        (
            "go_test.go",
            "testExe, err := os.Executable()",
            "testExe, err := os.Getenv(\"CONFORMANCE_GO\"), error(nil)",
        ),
        (
            "script_test.go",
            "\t\t\tcheckCounters(t, telemetryDir)",
            "\t\t\t_ = telemetryDir",
        ),
    ];
    let mut replace = BTreeMap::new();
    for (name, from, to) in edits {
        let path = work.join(name);
        fs::write(&path, edited(&source.join(name), from, to)?)?;
        replace.insert(source.join(name), path);
    }
    let overlay = work.join("overlay.json");
    fs::write(
        &overlay,
        serde_json::to_vec(&serde_json::json!({ "Replace": replace }))?,
    )?;
    let status = Command::new(go)
        .args(["test", "-c", "-overlay"])
        .arg(&overlay)
        .arg("-o")
        .arg(&binary)
        .arg("cmd/go")
        .current_dir(&source)
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "")
        .env("GOROOT", goroot)
        // A toolchain that was fetched lies in the module cache, where an overlay must not replace anything.
        .env("GOMODCACHE", work.join("modules"))
        .status()?;
    if !status.success() {
        bail!("the harness does not build");
    }
    Ok(binary)
}

fn run_harness(
    options: &Options,
    harness: &Path,
    goroot: &Path,
    bin: &Path,
    work: &Path,
) -> Result<BTreeMap<String, Outcome>> {
    let logs = work.join("logs");
    fs::create_dir_all(&logs)?;
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let mut child = Command::new(harness)
        .arg(format!("-test.short={}", !options.long))
        .args([
            "-test.v",
            "-test.parallel",
            &options.jobs.to_string(),
            "-test.timeout",
            &options.timeout,
        ])
        .arg(format!("-test.run=^TestScript$/({})", options.pattern))
        .current_dir(goroot.join("src/cmd/go"))
        .env("CONFORMANCE_GO", bin.join("go"))
        .env("PATH", path)
        .env("GOTOOLCHAIN", "local")
        .env("GOROOT", goroot)
        .env_remove("GOFLAGS")
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().context("the harness's output")?;
    let mut report = Report::default();
    for line in BufReader::new(stdout).split(b'\n') {
        report.line(&String::from_utf8_lossy(&line?));
    }
    child.wait()?;
    for (name, text) in &report.logs {
        fs::write(logs.join(format!("{name}.txt")), text)?;
    }
    Ok(report.outcomes)
}

/// What the harness prints with `-test.v`, taken apart: scripts run side by side, so lines of the form `=== NAME  TestScript/x` say whose
/// the lines after them are.
#[derive(Default)]
struct Report {
    outcomes: BTreeMap<String, Outcome>,
    logs: BTreeMap<String, String>,
    current: Option<String>,
}

impl Report {
    fn line(&mut self, line: &str) {
        let trimmed = line.trim_start();
        if let Some(event) = trimmed.strip_prefix("=== ") {
            let name = event.split_whitespace().nth(1).unwrap_or_default();
            self.current = name.strip_prefix("TestScript/").map(str::to_string);
            return;
        }
        for (mark, word, outcome) in [
            ("--- PASS: TestScript/", "pass", Outcome::Pass),
            ("--- FAIL: TestScript/", "FAIL", Outcome::Fail),
            ("--- SKIP: TestScript/", "skip", Outcome::Skip),
        ] {
            let Some(name) = trimmed.strip_prefix(mark) else {
                continue;
            };
            let name = name.split(' ').next().unwrap_or_default();
            if outcome != Outcome::Skip {
                println!("{word} {name}");
            }
            if name != "README" {
                self.outcomes.insert(name.to_string(), outcome);
            }
            return;
        }
        if let Some(name) = &self.current {
            let log = self.logs.entry(name.clone()).or_default();
            log.push_str(line);
            log.push('\n');
        }
    }
}

/// Lines of a list that say something.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// Scripts that go passes and Steady does not, on purpose, with the reason: lines `script: reason`.
fn differences(text: &str) -> Result<BTreeMap<&str, &str>> {
    let parse = |line| match str::split_once(line, ": ") {
        Some((name, reason)) if !reason.trim().is_empty() => Ok((name, reason.trim())),
        _ => bail!("differences.txt: no reason given: {line}"),
    };
    entries(text).map(parse).collect()
}

fn compare(
    options: &Options,
    root: &Path,
    goroot: &Path,
    outcomes: &BTreeMap<String, Outcome>,
) -> Result<ExitCode> {
    let version = fs::read_to_string(goroot.join("VERSION"))?;
    let release: Vec<&str> = version
        .lines()
        .next()
        .unwrap_or_default()
        .split('.')
        .take(2)
        .collect();
    let mode = if options.long { "-long" } else { "" };
    let lists = root.join("crates/dev/conformance");
    let list = lists.join(format!("{}{mode}.txt", release.join(".")));
    let text = fs::read_to_string(&list).unwrap_or_default();
    let known: BTreeSet<&str> = entries(&text).collect();
    let differing = fs::read_to_string(lists.join("differences.txt")).unwrap_or_default();
    let differing = differences(&differing)?;
    let of = |wanted: Outcome| {
        let all = outcomes.iter();
        all.filter(move |(_, outcome)| **outcome == wanted)
            .map(|(name, _)| name.as_str())
    };
    let passed: BTreeSet<&str> = of(Outcome::Pass).collect();
    let (different, failed): (BTreeSet<&str>, BTreeSet<&str>) =
        of(Outcome::Fail).partition(|name| differing.contains_key(name));
    println!(
        "{} passed, {} failed, {} differ on purpose, {} skipped",
        passed.len(),
        failed.len(),
        different.len(),
        of(Outcome::Skip).count()
    );
    for name in different {
        println!("differs: {name}: {}", differing[name]);
    }
    for name in passed.iter().filter(|name| differing.contains_key(*name)) {
        println!("no longer differs: {name} (take it out of differences.txt)");
    }
    let new = passed.difference(&known).count();
    if new > 0 {
        let hint = match options.update {
            true => ", added",
            false => " (--update adds them)",
        };
        println!("{new} not in the list yet{hint}");
    }
    if options.update {
        let all: Vec<&str> = known.union(&passed).copied().collect();
        let head =
            "# Scripts of the go command that pass with Steady in its place. The list only grows.";
        fs::write(&list, format!("{head}\n{}\n", all.join("\n")))?;
    }
    let dropped: Vec<&&str> = known.intersection(&failed).collect();
    for name in &dropped {
        println!("dropped out: {name} (target/conformance/logs/{name}.txt)");
    }
    if outcomes.is_empty() {
        bail!("no script matched, or the harness did not run");
    }
    Ok(if dropped.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_have_reasons() {
        let text = "# What differs.\n\nindex: go's own trace: of files\n";
        let found = differences(text).unwrap();
        assert_eq!(found.get("index"), Some(&"go's own trace: of files"));
        assert!(differences("index:\n").is_err() && differences("index: \n").is_err());
    }
}

//! What Steady makes of a module's requirements equals what go makes of them: output, exit codes, and go.mod and go.sum afterwards.

#![allow(clippy::disallowed_methods)]

use crate::subjects::{Subjects, root};
use anyhow::{Context as _, Result, bail};
use similar::TextDiff;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to compare.
#[derive(clap::Args)]
pub struct Options {
    /// Directory of a module. It is worked in, and its files are put back afterwards
    dir: PathBuf,
    /// Only cases whose name matches this regular expression
    cases: Option<String>,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// The files that commands about modules change.
const FILES: [&str; 4] = ["go.mod", "go.sum", "go.work", "go.work.sum"];

type Files = BTreeMap<&'static str, String>;

/// One command line, and what was changed before it.
struct Case {
    name: String,
    edit: fn(&mut Files),
    arguments: Vec<String>,
}

/// What a command left.
struct Outcome {
    status: String,
    stdout: String,
    stderr: String,
    files: Files,
}

/// Runs every case with go and with Steady; fails if anything differs.
pub fn run(options: &Options) -> Result<ExitCode> {
    let subjects = Subjects::find(options.binary.as_deref(), None)?;
    let dir = fs::canonicalize(&options.dir)?;
    let wanted = regex_lite::Regex::new(options.cases.as_deref().unwrap_or(""))?;
    let before = read(&dir);
    let text = before.get("go.mod").context("no go.mod there")?;
    let out = root()?.join("target/modules");
    let mut failures = 0;
    for case in cases(text) {
        if !wanted.is_match(&case.name) {
            continue;
        }
        let mut files = before.clone();
        (case.edit)(&mut files);
        let outcome = |steady| -> Result<Outcome> {
            write(&dir, &files)?;
            let outcome = outcome(&subjects, steady, &dir, &case.arguments);
            write(&dir, &before)?;
            outcome
        };
        // go first: what it had to fetch is there for both.
        let differences = compare(&outcome(false)?, &outcome(true)?);
        println!(
            "{:9} {}",
            if differences.is_empty() {
                "same"
            } else {
                "DIFFERENT"
            },
            case.name
        );
        let log = out.join(format!("{}.diff", case.name.replace([' ', '/'], "_")));
        match differences.is_empty() {
            true if log.exists() => fs::remove_file(log)?,
            true => {}
            false => {
                failures += 1;
                fs::create_dir_all(&out)?;
                fs::write(&log, differences)?;
                println!("          {}", log.display());
            }
        }
    }
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn as_it_is(_: &mut Files) {}

fn without_sums(files: &mut Files) {
    files.remove("go.sum");
}

/// Every third requirement goes.
fn with_gaps(files: &mut Files) {
    let mut number = 0;
    let text = files.get("go.mod").map_or("", String::as_str);
    let kept = text.lines().filter(|line| {
        let requirement = line.starts_with('\t')
            && line
                .split(' ')
                .nth(1)
                .is_some_and(|word| word.starts_with('v'));
        number += usize::from(requirement);
        !requirement || number % 3 != 0
    });
    let text = kept.collect::<Vec<_>>().join("\n") + "\n";
    files.insert("go.mod", text);
}

/// Nothing that is marked as indirect is left.
fn direct_only(files: &mut Files) {
    let text = files.get("go.mod").map_or("", String::as_str);
    let kept = text.lines().filter(|line| !line.ends_with("// indirect"));
    let text = kept.collect::<Vec<_>>().join("\n") + "\n";
    files.insert("go.mod", text);
}

fn cases(go_mod: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, edit, line: &str| {
        cases.push(Case {
            name: format!("{line}{name}"),
            edit,
            arguments: line.split(' ').map(str::to_string).collect(),
        });
    };
    for line in [
        "mod tidy",
        "mod tidy -diff",
        "mod tidy -compat=1.16",
        "mod tidy -go=1.16",
        "mod tidy -go=1.17",
        "mod tidy -go=1.20 -compat=1.17",
        "mod graph",
        "mod graph -go=1.16",
        "list -m all",
        "list -m -json all",
        "list -m -u all",
        "list -m -json -u all",
        "list -m -json -retracted all",
        "list -deps ./...",
        "list -deps -test -json ./...",
        "list -e -json all",
        "get -u ./...",
        "get -u=patch ./...",
        "get -u -t ./...",
        "get all",
        "get go@latest",
    ] {
        add("", as_it_is, line);
    }
    add(" without go.sum", without_sums, "mod tidy");
    add(" with gaps", with_gaps, "mod tidy");
    add(" with gaps", with_gaps, "mod tidy -diff");
    add(" with gaps", with_gaps, "list -deps ./...");
    add(" with gaps", with_gaps, "list -m -mod=mod all");
    add(" with gaps", with_gaps, "get ./...");
    add(" direct only", direct_only, "mod tidy");
    add(" direct only", direct_only, "build -mod=mod -n ./...");
    let direct: Vec<&str> = go_mod
        .lines()
        .filter(|line| line.starts_with('\t') && !line.ends_with("// indirect"))
        .filter_map(|line| line.trim().split_once(' '))
        .filter(|(_, version)| version.starts_with('v'))
        .map(|(path, _)| path)
        .collect();
    for path in direct.iter().step_by((direct.len() / 4).max(1)) {
        for query in [
            "latest", "none", "patch", "v0", "v1", "<v1.2.0", "<=v1.0.0", "master",
        ] {
            add("", as_it_is, &format!("get {path}@{query}"));
        }
        add(
            "",
            as_it_is,
            &format!("list -m -versions -retracted {path}"),
        );
    }
    cases
}

fn read(dir: &Path) -> Files {
    let file = |name: &&'static str| Some((*name, fs::read_to_string(dir.join(name)).ok()?));
    FILES.iter().filter_map(file).collect()
}

fn write(dir: &Path, files: &Files) -> Result<()> {
    for name in FILES {
        let path = dir.join(name);
        match files.get(name) {
            Some(text) => fs::write(path, text)?,
            None if path.exists() => fs::remove_file(path)?,
            None => {}
        }
    }
    Ok(())
}

fn outcome(subjects: &Subjects, steady: bool, dir: &Path, arguments: &[String]) -> Result<Outcome> {
    let output = subjects
        .command(steady, dir, arguments)
        // By any other name it adds hints.
        .arg0("go")
        .env("GOWORK", "off")
        .output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    // Downloads and searches are told in the order in which they happen to end.
    let stderr = text(&output.stderr);
    let mut lines: Vec<&str> = stderr
        .lines()
        .filter(|line| !line.starts_with("go: downloading "))
        .collect();
    if lines.iter().any(|line| line.starts_with("go: finding ")) {
        lines.sort_unstable();
    }
    let status = output.status.to_string();
    if output.status.code().is_none() {
        bail!("{arguments:?}: {status}");
    }
    Ok(Outcome {
        status,
        stdout: text(&output.stdout),
        stderr: lines.join("\n"),
        files: read(dir),
    })
}

/// What differs, as it is shown; empty if nothing does.
fn compare(go: &Outcome, steady: &Outcome) -> String {
    let mut shown = String::new();
    let mut one = |name: &str, go: &str, steady: &str| {
        if go != steady {
            let diff = TextDiff::from_lines(go, steady);
            let diff = diff
                .unified_diff()
                .context_radius(2)
                .header(&format!("go/{name}"), &format!("steady/{name}"))
                .to_string();
            shown += &diff;
        }
    };
    one("status", &go.status, &steady.status);
    one("stderr", &go.stderr, &steady.stderr);
    one("stdout", &go.stdout, &steady.stdout);
    for name in FILES {
        let text = |files: &Files| files.get(name).cloned().unwrap_or_default();
        one(name, &text(&go.files), &text(&steady.files));
    }
    shown
}

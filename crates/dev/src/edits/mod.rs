//! Right before fast: after each of many random edits Steady answers from warm memories what it answers from none, and what go says.
//!
//! The workspace is small and its edits are of every kind ([`workspace`]). Warm and cold have build caches apart, so that what one of
//! them found built is no help to the other; go shares that of the cold one. Times and "(cached)" are left out of what tests print,
//! and lines are compared in order of their text where packages are at work at the same time.

#![allow(clippy::disallowed_methods)]

mod workspace;

use crate::subjects::{Subjects, root};
use anyhow::Result;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use steady_module::hex;
use workspace::{Dice, Workspace};

/// How many edits.
#[derive(clap::Args)]
pub struct Options {
    /// Number of edits
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// Which edits
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin to compare at this edit
    #[arg(long, default_value_t = 0)]
    from: usize,
    /// The Go version that all use, such as 1.26.8
    #[arg(long, value_name = "VERSION")]
    go: Option<String>,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

const FIELDS: &str = "-json=ImportPath,Name,Dir,Target,GoFiles,IgnoredGoFiles,TestGoFiles,EmbedFiles,Imports,Deps,Module,Stale,Error,DepsErrors,DefaultGODEBUG";

/// What is asked after each edit; `out/` is empty before.
const QUESTIONS: [&[&str]; 5] = [
    &["list", "-e", "-deps", FIELDS, "./..."],
    &["list", "-e", "-deps", "-test", "./..."],
    &["build", "-o", "OUT", "./..."],
    &["vet", "./..."],
    &["test", "./..."],
];

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Go,
    /// Without any memory but the build cache.
    Cold,
    /// With all that earlier edits have left.
    Warm,
}

struct Bench {
    subjects: Subjects,
    work: PathBuf,
}

/// Edits and compares; fails at the end if anything differed.
pub fn run(options: &Options) -> Result<ExitCode> {
    let bench = Bench {
        subjects: Subjects::find(options.binary.as_deref(), options.go.as_deref())?,
        work: root()?.join("target/edits"),
    };
    // Build caches too: what only one of them has shows as stale in the other.
    for old in ["memories", "build", "build-warm"] {
        let _ = fs::remove_dir_all(bench.work.join(old));
    }
    let mut workspace = Workspace::new(bench.work.join("tree"))?;
    let mut dice = Dice(options.seed);
    let (mut compared, mut failures) = (0, 0);
    for round in 0..options.rounds {
        let what = workspace.edit(&mut dice)?;
        if round < options.from {
            continue;
        }
        eprintln!("edit {round}: {what}");
        // Longer than the grain of the file system's clock.
        std::thread::sleep(Duration::from_millis(15));
        for question in QUESTIONS {
            let expected = bench.ask(&workspace, question, Who::Go)?;
            // The second answer of the warm one may come from what the first has left.
            for (who, name) in [
                (Who::Cold, "cold"),
                (Who::Warm, "warm"),
                (Who::Warm, "warm, again"),
            ] {
                let answer = bench.ask(&workspace, question, who)?;
                compared += 1;
                if answer != expected {
                    failures += 1;
                    println!("edit {round} ({what}): {} {name}: DIFFERENT", question[0]);
                    let changes = similar::TextDiff::from_lines(&expected, &answer);
                    let changes = changes.unified_diff().header("go", name).to_string();
                    changes
                        .lines()
                        .take(20)
                        .for_each(|line| println!("    {line}"));
                }
            }
        }
    }
    println!(
        "{} edits, {compared} answers, {failures} differ",
        options.rounds - options.from
    );
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Bench {
    fn ask(&self, workspace: &Workspace, question: &[&str], who: Who) -> Result<String> {
        let out = self.work.join("out");
        let _ = fs::remove_dir_all(&out);
        fs::create_dir_all(&out)?;
        let words: Vec<String> = question
            .iter()
            .map(|word| word.replace("OUT", &format!("{}/", out.display())))
            .collect();
        let mut command = self
            .subjects
            .command(who != Who::Go, &workspace.dir(), &words);
        let memories = self.work.join("memories").join(match who {
            Who::Warm => "warm",
            _ => "cold",
        });
        if who == Who::Cold {
            let _ = fs::remove_dir_all(&memories);
        }
        let cache = if who == Who::Warm {
            "build-warm"
        } else {
            "build"
        };
        command
            .arg0("go")
            .env("XDG_CACHE_HOME", &memories)
            .env("GOCACHE", self.work.join(cache))
            .env("GOPROXY", "off")
            .env("GOTELEMETRY", "off")
            .env(
                "STEADY_ANSWERS",
                if who == Who::Warm { "eager" } else { "off" },
            )
            .envs(workspace.variables.iter().copied());
        let output = command.output()?;
        let mut said = format!("{}\n", output.status);
        let streams = [("out", &output.stdout), ("err", &output.stderr)];
        for (name, bytes) in streams {
            let text = String::from_utf8_lossy(bytes);
            let mut lines: Vec<String> = text.lines().map(without_times).collect();
            // Packages are at work at the same time; and errors of dependencies that one package imports come from a map in go.
            if question[0] != "list" || question.contains(&FIELDS) {
                lines.sort();
            }
            for line in lines {
                said.push_str(&format!("{name} {line}\n"));
            }
        }
        said.push_str(&built(&out)?);
        Ok(said)
    }
}

/// A line of test results without its last column, and of failures without how long they took.
fn without_times(line: &str) -> String {
    let line = match line.rsplit_once('\t') {
        Some((rest, last)) if last == "(cached)" || last.ends_with('s') => rest,
        _ => line,
    };
    let line = match line.rsplit_once(" (") {
        Some((rest, last)) if line.contains("--- ") && last.ends_with("s)") => rest,
        _ => line,
    };
    match line.split_once("/go-build") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}/go-build{after}")
        }
        None => line.to_string(),
    }
}

/// Programs with the hashes of their bytes.
fn built(dir: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let hash = hex(&Sha256::digest(fs::read(entry.path())?));
        lines.push(format!("{} {hash}\n", entry.file_name().to_string_lossy()));
    }
    lines.sort();
    Ok(lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_left_out() {
        assert_eq!(without_times("ok  \ta/b\t0.003s"), "ok  \ta/b");
        assert_eq!(without_times("ok  \ta/b\t(cached)"), "ok  \ta/b");
        assert_eq!(without_times("--- FAIL: TestX (0.00s)"), "--- FAIL: TestX");
        assert_eq!(without_times("a (b)"), "a (b)");
        assert_eq!(
            without_times("fork/exec /tmp/go-build12/b1/x: no"),
            "fork/exec /tmp/go-build/b1/x: no"
        );
    }
}

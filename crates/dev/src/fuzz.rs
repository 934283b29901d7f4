//! Coverage-guided fuzzing of everything that is read from outside: `fuzz/` holds a target for each format.
//!
//! libFuzzer comes with the crate `libfuzzer-sys` and wants a C++ compiler and instrumented code, which are flags of the stable compiler.
//! What a target has found interesting stays in `target/fuzz/corpus`, so that the next run starts from there; seeds lie in `fuzz/seeds`.

#![allow(clippy::disallowed_methods)]

use crate::subjects;
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// Targets; all of them if none is named
    targets: Vec<String>,
    /// Inputs a target
    #[arg(long, default_value_t = 1_000_000)]
    runs: u64,
    /// Longest input in bytes
    #[arg(long, default_value_t = 4096)]
    max_len: usize,
}

const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// Runs targets one after the other; the first that finds something ends the run, its input is named.
///
/// # Errors
/// Targets that do not build, or are not there.
pub fn run(options: &Options) -> Result<ExitCode> {
    let root = subjects::root()?;
    let here = root.join("fuzz");
    let mut names: Vec<String> = fs::read_dir(here.join("targets"))?
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .filter(|name| name != "lib")
        .collect();
    names.sort();
    if let Some(unknown) = options.targets.iter().find(|name| !names.contains(name)) {
        bail!("no target {unknown}; there are: {}", names.join(" "));
    }
    let target = root.join("target/fuzz");
    let triple = host()?;
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--target", &triple])
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", INSTRUMENTED)
        .current_dir(&here)
        .status()?;
    if !built.success() {
        bail!("the targets do not build");
    }
    let wanted = names
        .iter()
        .filter(|name| options.targets.is_empty() || options.targets.contains(name));
    for name in wanted {
        println!("{name}: {} inputs", options.runs);
        let program = target.join(&triple).join("release").join(name);
        if !fuzz(&program, name, &here, &target, options)? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn fuzz(program: &Path, name: &str, here: &Path, target: &Path, options: &Options) -> Result<bool> {
    let corpus = target.join("corpus").join(name);
    let found = target.join("found").join(name);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&found)?;
    let mut command = Command::new(program);
    command
        .arg(format!("-runs={}", options.runs))
        .arg(format!("-max_len={}", options.max_len))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args([
            "-verbosity=0",
            "-print_final_stats=1",
            "-rss_limit_mb=2048",
            "-timeout=10",
        ])
        .arg(corpus);
    let seeds = here.join("seeds").join(name);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    Ok(command.status()?.success())
}

fn host() -> Result<String> {
    let output = Command::new("rustc")
        .args(["--version", "--verbose"])
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(line.context("rustc names no host")?.to_owned())
}

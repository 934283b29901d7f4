//! What Steady builds equals, byte for byte, what go builds; and what one has built the other does not compile again.

#![allow(clippy::disallowed_methods)]

use crate::subjects::{Subjects, errors_of, root};
use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use steady_module::hex;

/// What to build.
#[derive(clap::Args)]
pub struct Options {
    /// Directory of a module or workspace, and packages in it, instead of the example workspace and the programs
    #[arg(num_args = 0.., value_names = ["DIR", "PACKAGE"])]
    tree: Vec<String>,
    /// A program as package@version; may be repeated
    #[arg(long, value_name = "PACKAGE@VERSION")]
    program: Vec<String>,
    /// The Go version that both use, such as 1.26.8; the toolchain that Steady finds here if not given; may be repeated
    #[arg(long, value_name = "VERSION")]
    go: Vec<String>,
    /// Flags of build, in place of one round without and one with -trimpath
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    flags: Option<String>,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Three programs as people install them; the first has C code.
const PROGRAMS: [&str; 3] = [
    "github.com/rubenv/sql-migrate/sql-migrate@v1.8.1",
    "honnef.co/go/tools/cmd/staticcheck@v0.7.0",
    "golang.org/x/tools/cmd/stringer@v0.48.0",
];

enum Case {
    Tree { dir: PathBuf, packages: Vec<String> },
    Program(String),
}

/// Builds everything both ways; fails if anything differs.
pub fn run(options: &Options) -> Result<ExitCode> {
    let work = root()?.join("target/identical");
    fs::create_dir_all(&work)?;
    let rounds: Vec<String> = match &options.flags {
        Some(flags) => vec![flags.clone()],
        None => vec![String::new(), "-trimpath".to_string()],
    };
    let versions: Vec<Option<&str>> = if options.go.is_empty() {
        vec![None]
    } else {
        options
            .go
            .iter()
            .map(|version| Some(version.as_str()))
            .collect()
    };
    let mut failures = 0;
    for version in versions {
        let subjects = Subjects::find(options.binary.as_deref(), version)?;
        for case in cases(options)? {
            for flags in &rounds {
                let flags: Vec<String> = flags.split_whitespace().map(str::to_string).collect();
                failures += usize::from(!show(&subjects, &work, &case, &flags)?);
            }
        }
    }
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cases(options: &Options) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = options.program.iter().cloned().map(Case::Program).collect();
    if let Some((dir, packages)) = options.tree.split_first() {
        if packages.is_empty() {
            bail!("{dir}: which packages?");
        }
        cases.push(Case::Tree {
            dir: fs::canonicalize(dir)?,
            packages: packages.to_vec(),
        });
    }
    if cases.is_empty() {
        cases.push(Case::Tree {
            dir: root()?.join("examples/shop"),
            packages: vec!["./app/cmd/shop".to_string()],
        });
        cases.extend(
            PROGRAMS
                .iter()
                .map(|name| Case::Program((*name).to_string())),
        );
    }
    Ok(cases)
}

/// What one build left: its programs by name with their hashes, and how many packages were compiled for them.
struct Built {
    programs: BTreeMap<String, String>,
    compiled: usize,
}

/// One case with one set of flags, in four builds: go then Steady on one cache, Steady then go on another.
fn show(subjects: &Subjects, work: &Path, case: &Case, flags: &[String]) -> Result<bool> {
    let name = match case {
        Case::Tree { dir, packages } => format!(
            "{} {}",
            dir.file_name().unwrap_or_default().to_string_lossy(),
            packages.join(" ")
        ),
        Case::Program(name) => name.clone(),
    };
    let version = fs::read_to_string(subjects.goroot.join("VERSION"))?;
    let version = version.lines().next().unwrap_or_default();
    println!("{version} {name} {}", flags.join(" "));
    let mut builds = Vec::new();
    for first in [false, true] {
        let cache = work.join("cache");
        remove(&cache)?;
        for steady in [first, !first] {
            builds.push((
                steady,
                steady != first,
                build(subjects, work, case, flags, steady)?,
            ));
        }
    }
    let expected = &builds[0].2.programs;
    let mut fine = true;
    for (steady, second, built) in &builds {
        let who = if *steady { "steady" } else { "go" };
        let same = built.programs == *expected;
        let warm = !second || built.compiled == 0;
        fine &= same && warm;
        println!(
            "  {who:6} {}  {:4} packages compiled{}{}",
            if *second { "second" } else { "first " },
            built.compiled,
            if same {
                ", same bytes"
            } else {
                ", DIFFERENT BYTES"
            },
            if warm { "" } else { ", SHOULD BE NONE" },
        );
    }
    for (program, hash) in expected {
        println!("  {program} {hash}");
    }
    remove(&work.join("cache"))?;
    Ok(fine)
}

fn build(
    subjects: &Subjects,
    work: &Path,
    case: &Case,
    flags: &[String],
    steady: bool,
) -> Result<Built> {
    let out = work.join("out");
    remove(&out)?;
    fs::create_dir_all(&out)?;
    let mut arguments: Vec<String> = Vec::new();
    let dir = match case {
        Case::Tree { dir, packages } => {
            arguments.extend(["build".to_string(), "-x".to_string()]);
            arguments.extend(flags.iter().cloned());
            arguments.extend(["-o".to_string(), format!("{}/", out.display())]);
            arguments.extend(packages.iter().cloned());
            dir.clone()
        }
        Case::Program(name) => {
            arguments.extend(["install".to_string(), "-x".to_string()]);
            arguments.extend(flags.iter().cloned());
            arguments.push(name.clone());
            out.clone()
        }
    };
    let mut command = subjects.command(steady, &dir, &arguments);
    command
        .env("GOCACHE", work.join("cache"))
        .env("GOBIN", &out)
        .env("GOFLAGS", "-modcacherw");
    let said = errors_of(&mut command)?;
    // With -x every command is printed; that of the compiler has its path and an output.
    let compiled = said
        .lines()
        .filter(|line| line.contains("/compile ") && line.contains(" -o "))
        .count();
    let mut programs = BTreeMap::new();
    for entry in fs::read_dir(&out)? {
        let entry = entry?;
        let bytes = fs::read(entry.path())?;
        let hash = hex(&Sha256::digest(&bytes));
        programs.insert(entry.file_name().to_string_lossy().into_owned(), hash);
    }
    if programs.is_empty() {
        bail!("{command:?} built nothing");
    }
    Ok(Built { programs, compiled })
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}

//! What Steady builds equals, byte for byte, what go builds; and what one has built the other does not compile again.

#![allow(clippy::disallowed_methods)]

use crate::subjects::{Subjects, errors_of, remove, root};
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
    /// A program as package@version, and flags that are for it alone; may be repeated
    #[arg(long, value_name = "PACKAGE@VERSION FLAG...")]
    program: Vec<String>,
    /// The same in a file: a program a line
    #[arg(long, value_name = "FILE")]
    programs: Option<PathBuf>,
    /// What to build for, such as darwin/arm64; this machine if not given; may be repeated
    #[arg(long, value_name = "OS/ARCH")]
    target: Vec<String>,
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
    Tree {
        dir: PathBuf,
        packages: Vec<String>,
    },
    /// The program, and its flags.
    Program(String, Vec<String>),
}

impl Case {
    fn program(line: &str) -> Result<Case> {
        let mut words = line.split_whitespace().map(str::to_string);
        let name = words.next().context("a program without a name")?;
        Ok(Case::Program(name, words.collect()))
    }

    fn name(&self) -> String {
        let (first, rest) = match self {
            Case::Tree { dir, packages } => (
                dir.file_name().unwrap_or_default().to_string_lossy(),
                packages,
            ),
            Case::Program(name, flags) => (name.into(), flags),
        };
        [&[first.into_owned()], rest.as_slice()].concat().join(" ")
    }
}

/// What all cases of one toolchain and one target have in common.
struct Bed {
    subjects: Subjects,
    /// The toolchain's own name.
    version: String,
    /// GOOS/GOARCH, unless it is this machine.
    target: Option<String>,
    work: PathBuf,
    modules: String,
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
    let targets: Vec<Option<&String>> = match options.target.as_slice() {
        [] => vec![None],
        some => some.iter().map(Some).collect(),
    };
    let mut failures = 0;
    for version in versions {
        for target in &targets {
            let bed = Bed::prepare(options, version, *target, &work)?;
            for case in cases(options)? {
                for flags in &rounds {
                    let flags: Vec<String> = flags.split_whitespace().map(str::to_string).collect();
                    failures += usize::from(!bed.show(&case, &flags)?);
                }
            }
        }
    }
    println!("{failures} of them differ");
    Ok(if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cases(options: &Options) -> Result<Vec<Case>> {
    let listed = match &options.programs {
        Some(path) => fs::read_to_string(path).with_context(|| path.display().to_string())?,
        None => String::new(),
    };
    let listed = listed.lines().filter(|line| !line.trim().is_empty());
    let mut cases = options
        .program
        .iter()
        .map(String::as_str)
        .chain(listed)
        .map(Case::program)
        .collect::<Result<Vec<Case>>>()?;
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
        for line in PROGRAMS {
            cases.push(Case::program(line)?);
        }
    }
    Ok(cases)
}

/// What one build left: its programs by name with their hashes, and how many packages were compiled for them.
struct Built {
    programs: BTreeMap<String, String>,
    compiled: usize,
}

impl Bed {
    /// The toolchain, and two empty build caches.
    fn prepare(
        options: &Options,
        version: Option<&str>,
        target: Option<&String>,
        work: &Path,
    ) -> Result<Bed> {
        let subjects = Subjects::find(options.binary.as_deref(), version)?;
        let text = fs::read_to_string(subjects.goroot.join("VERSION"))?;
        let words = ["env", "GOMODCACHE"].map(str::to_string);
        let output = subjects.command(false, work, &words).output()?;
        let bed = Bed {
            subjects,
            version: text.lines().next().unwrap_or_default().to_string(),
            target: target.cloned(),
            work: work.to_owned(),
            modules: String::from_utf8(output.stdout)?.trim().to_string(),
        };
        remove(&bed.cache(false))?;
        remove(&bed.cache(true))?;
        Ok(bed)
    }

    /// The cache of those builds that Steady does first, or go.
    fn cache(&self, steady_first: bool) -> PathBuf {
        let name = if steady_first {
            "cache-steady"
        } else {
            "cache-go"
        };
        self.work.join(name)
    }

    /// One case with one set of flags, in four builds: go then Steady on one cache, Steady then go on another.
    fn show(&self, case: &Case, flags: &[String]) -> Result<bool> {
        let target = self.target.as_deref().unwrap_or("native");
        println!(
            "{} {target} {} {}",
            self.version,
            case.name(),
            flags.join(" ")
        );
        let mut builds = Vec::new();
        for first in [false, true] {
            for steady in [first, !first] {
                let built = match self.build(case, flags, steady, &self.cache(first)) {
                    Ok(built) => built,
                    Err(error) => {
                        // Thousands of lines of -x stand above what matters.
                        let text = error.to_string();
                        let lines: Vec<&str> = text.lines().collect();
                        println!("  fails: {}", lines[0]);
                        for line in &lines[lines.len().saturating_sub(5).max(1)..] {
                            println!("    {line}");
                        }
                        return Ok(false);
                    }
                };
                builds.push((steady, steady != first, built));
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
        Ok(fine)
    }

    fn build(&self, case: &Case, flags: &[String], steady: bool, cache: &Path) -> Result<Built> {
        let out = self.work.join("out");
        remove(&out)?;
        let bin = out.join("bin");
        fs::create_dir_all(&bin)?;
        let mut arguments: Vec<String> = Vec::new();
        let dir = match case {
            Case::Tree { dir, packages } => {
                arguments.extend(["build".to_string(), "-x".to_string()]);
                arguments.extend(flags.iter().cloned());
                arguments.extend(["-o".to_string(), format!("{}/", bin.display())]);
                arguments.extend(packages.iter().cloned());
                dir.clone()
            }
            Case::Program(name, own) => {
                arguments.extend(["install".to_string(), "-x".to_string()]);
                arguments.extend(flags.iter().chain(own).map(|flag| self.fill(flag)));
                arguments.push(name.clone());
                out.clone()
            }
        };
        let mut command = self.subjects.command(steady, &dir, &arguments);
        // Programs for other systems are installed below GOPATH and nowhere else.
        command
            .env("GOCACHE", cache)
            .env("GOPATH", &out)
            .env("GOMODCACHE", &self.modules)
            .env_remove("GOBIN")
            .env("GOFLAGS", "-modcacherw");
        if let Some((os, arch)) = self.target.as_ref().and_then(|t| t.split_once('/')) {
            command.env("GOOS", os).env("GOARCH", arch);
        }
        let said = errors_of(&mut command)?;
        // With -x every command is printed; that of the compiler has its path and an output.
        let compiled = said
            .lines()
            .filter(|line| line.contains("/compile ") && line.contains(" -o "))
            .count();
        let mut programs = BTreeMap::new();
        hashes(&bin, &mut programs)?;
        if programs.is_empty() {
            bail!("{command:?} built nothing");
        }
        Ok(Built { programs, compiled })
    }

    /// `$GOROOT` in a flag is that of the toolchain: it holds a profile that fits every release.
    fn fill(&self, flag: &str) -> String {
        flag.replace("$GOROOT", &self.subjects.goroot.display().to_string())
    }
}

/// The hash of each file below a directory.
fn hashes(dir: &Path, into: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            hashes(&entry.path(), into)?;
            continue;
        }
        let hash = hex(&Sha256::digest(fs::read(entry.path())?));
        into.insert(entry.file_name().to_string_lossy().into_owned(), hash);
    }
    Ok(())
}

//! go and Steady on the same tree, one after the other and again: what counts is the ratio within one round.
//!
//! Absolute times are a machine's; they are printed so that one sees what the ratio is of, and do not go into the docs.

#![allow(clippy::disallowed_methods)]

mod cases;
mod tree;
mod usage;

use crate::loopback;
use crate::subjects::{Subjects, errors_of, root};
use anyhow::{Context as _, Result};
use cases::{Before, Caches, Case, Subject, cases};
use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use tree::WorkingCopy;
use usage::{Usage, measure, measure_verdict};

/// What to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Only cases whose names contain this
    #[arg(default_value = "")]
    pattern: String,
    /// Module or workspace to work on; the example workspace if not given
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// A program in it
    #[arg(long, value_name = "PACKAGE")]
    program: Option<String>,
    /// Packages of it that are no programs; some of their files are edited
    #[arg(long, value_name = "PACKAGES")]
    library: Option<String>,
    /// Rounds of each case; those that build everything anew take a third of them
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// The Go version that both use, such as 1.26.8
    #[arg(long, value_name = "VERSION")]
    go: Option<String>,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Where caches and outputs are written; in memory the disk is left out of the figures
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
    /// Also what fetches from the configured module proxy
    #[arg(long)]
    network: bool,
}

/// What was changed this recently may change again without a sign, and no memory is believed.
const SETTLING: Duration = Duration::from_millis(2200);

/// Where things lie that are in the way of the next run, below the bench's directory.
const ASIDE: &str = "aside";

/// What all cases share.
struct Bench {
    subjects: Subjects,
    work: PathBuf,
    proxy: String,
    subject: Subject,
    changed: OnceCell<Changed>,
}

/// The clone that is changed, and the files in it that are edited.
struct Changed {
    copy: WorkingCopy,
    files: Vec<PathBuf>,
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_string).collect()
}

/// Runs the cases and prints the table.
pub fn run(options: &Options) -> Result<ExitCode> {
    let root = root()?;
    let work = match &options.work {
        Some(dir) => std::path::absolute(dir)?,
        None => root.join("target/bench"),
    };
    fs::create_dir_all(&work)?;
    let subjects = Subjects::find(options.binary.as_deref(), options.go.as_deref())?;
    let cache = errors_free(&mut subjects.command(false, &work, &words("env GOMODCACHE")))?;
    let proxy = loopback::proxy(&Path::new(&cache).join("cache/download"))?;
    let subject = subject(options, &root, &work)?;
    let bench = Bench {
        subjects,
        work,
        proxy,
        subject,
        changed: OnceCell::new(),
    };
    println!(
        "| case | go | Steady | times as fast, median (least – most) | processor time, go's of Steady's | memory: go, Steady, of go's | of processes started |"
    );
    println!("|---|---|---|---|---|---|---|");
    for case in cases(&bench, &bench.subject) {
        if !case.name.contains(&options.pattern)
            || (case.caches == Caches::Network && !options.network)
        {
            continue;
        }
        match bench.rounds(&case, options.rounds) {
            Ok(rounds) => println!("{}", row(case.name, &rounds)),
            Err(error) => println!(
                "| {} | fails: {} ||||||",
                case.name,
                error.to_string().lines().next().unwrap_or_default()
            ),
        }
        if let Some(program) = &case.alone {
            println!(
                "| … of it the program alone | {} ||||||",
                bench.alone(program)?
            );
        }
    }
    bench.clear_away()?;
    fs::remove_dir_all(bench.work.join(ASIDE)).context("what the runs left")?;
    println!("load: {}", fs::read_to_string("/proc/loadavg")?.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn subject(options: &Options, root: &Path, work: &Path) -> Result<Subject> {
    let (tree, program) = match &options.tree {
        Some(tree) => (fs::canonicalize(tree)?, options.program.clone()),
        None => (
            root.join("examples/shop"),
            Some("./app/cmd/shop".to_string()),
        ),
    };
    Ok(Subject {
        tree,
        program: program.context("--program: which program of the tree?")?,
        library: options.library.clone(),
        hello: hello(work)?,
    })
}

/// A program that prints a line.
fn hello(work: &Path) -> Result<PathBuf> {
    let dir = work.join("hello");
    fs::create_dir_all(&dir)?;
    let write = |name: &str, text: &str| {
        let path = dir.join(name);
        // Written once: what was just changed is not believed to be settled.
        match fs::read_to_string(&path) {
            Ok(there) if there == text => Ok(()),
            _ => fs::write(path, text),
        }
    };
    write("go.mod", "module hello\n\ngo 1.21\n")?;
    let text = "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"hello\")\n}\n";
    write("main.go", text)?;
    Ok(dir)
}

fn errors_free(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_string())
}

impl Bench {
    fn rounds(&self, case: &Case, rounds: usize) -> Result<Vec<[Usage; 2]>> {
        let rounds = if case.caches == Caches::Warm {
            rounds
        } else {
            rounds.div_ceil(3)
        };
        if case.caches == Caches::Warm {
            // Both find what both have left, whoever came first.
            for steady in [false, true, false, true] {
                self.settle(case, steady)?;
            }
            if case.before == Before::Nothing {
                std::thread::sleep(SETTLING);
                for steady in [false, true] {
                    self.settle(case, steady)?;
                }
            }
        }
        if case.caches == Caches::Loopback {
            // What the proxy is to give must be in the cache that it gives from.
            errors_of(&mut self.subjects.command(false, &case.dir, &case.arguments))?;
        }
        let mut all = Vec::new();
        for round in 0..rounds {
            let mut pair = [None, None];
            // Who goes first changes from round to round.
            for steady in [round % 2 == 1, round % 2 == 0] {
                let dir = self.prepare(case, steady)?;
                let verdict = case.verdict && steady;
                let usage = measure_verdict(&mut self.command(case, &dir, steady), verdict)?;
                pair[usize::from(steady)] = Some(usage);
            }
            all.push([pair[0].context("go")?, pair[1].context("steady")?]);
        }
        Ok(all)
    }

    /// Puts what earlier runs left out of the way. It is not removed before the end: file systems may be slow for minutes
    /// where files have just been removed (ext4 passes over their inodes, one by one), which would be measured as well.
    fn clear_away(&self) -> Result<()> {
        let aside = self.work.join(ASIDE);
        fs::create_dir_all(&aside)?;
        for name in ["cold-build", "cold-modules", "out", "vendored"] {
            let left = self.work.join(name);
            if left.exists() {
                let number = fs::read_dir(&aside)?.count();
                fs::rename(left, aside.join(number.to_string()))?;
            }
        }
        Ok(())
    }

    /// A run that is not measured.
    fn settle(&self, case: &Case, steady: bool) -> Result<()> {
        let dir = self.prepare(case, steady)?;
        let mut command = self.command(case, &dir, steady);
        if case.verdict && steady {
            measure_verdict(&mut command, true)?;
        } else {
            errors_of(&mut command)?;
        }
        Ok(())
    }

    /// Makes everything as a run of the case is to find it, and tells where it runs.
    fn prepare(&self, case: &Case, steady: bool) -> Result<PathBuf> {
        self.clear_away()?;
        if case.before == Before::Nothing {
            return Ok(case.dir.clone());
        }
        let changed = self.changed()?;
        let dir = changed.copy.dir();
        match case.before {
            Before::Nothing => {}
            Before::Edited(count) => {
                let chosen = spread(&changed.files, count);
                changed.copy.edit(&chosen)?;
            }
            Before::SwitchedBack => {
                changed.copy.other()?;
                errors_of(&mut self.command(case, &dir, steady))?;
                changed.copy.back()?;
            }
            Before::Cloned => return changed.copy.fresh(),
        }
        Ok(dir)
    }

    /// The clone that is changed, made when it is first needed.
    fn changed(&self) -> Result<&Changed> {
        if let Some(changed) = self.changed.get() {
            return Ok(changed);
        }
        let copy = WorkingCopy::new(&self.subject.tree, &self.work)?;
        let library = self.subject.library.as_deref().unwrap_or("./...");
        let format = "{{with .GoFiles}}{{$.Dir}}/{{index . 0}}{{end}}";
        let words = ["list", "-f", format, library].map(str::to_string);
        let listed = errors_free(&mut self.subjects.command(false, &copy.dir(), &words))?;
        let dir = fs::canonicalize(copy.dir())?;
        let files = listed.lines().filter_map(|line| {
            let file = Path::new(line).strip_prefix(&dir).ok()?;
            Some(file.to_owned())
        });
        let files: Vec<PathBuf> = files.collect();
        copy.make_other(&spread(&files, 10))?;
        Ok(self.changed.get_or_init(|| Changed { copy, files }))
    }

    /// The time of a program of which the source lies beside it.
    fn alone(&self, program: &Path) -> Result<String> {
        let dir = program.parent().context("a directory")?;
        let build = ["build", "-o", "hello"].map(str::to_string);
        errors_of(&mut self.subjects.command(false, dir, &build))?;
        let mut times = Vec::new();
        for _ in 0..9 {
            times.push(measure(&mut Command::new(program))?.wall.as_secs_f64());
        }
        Ok(format!("{:.1} ms", median(times).0 * 1e3))
    }

    fn command(&self, case: &Case, dir: &Path, steady: bool) -> Command {
        let own = case.own.as_ref().filter(|_| steady);
        let arguments = own.unwrap_or(&case.arguments);
        let mut command = self.subjects.command(steady, dir, arguments);
        let build = if case.caches == Caches::Cold {
            "cold-build"
        } else {
            "warm-build"
        };
        command.env("GOCACHE", self.work.join(build));
        if matches!(case.caches, Caches::Loopback | Caches::Network) {
            command
                .env("GOMODCACHE", self.work.join("cold-modules"))
                .env("GOFLAGS", "-modcacherw");
        }
        if case.caches == Caches::Loopback {
            command.env("GOPROXY", &self.proxy).env("GOSUMDB", "off");
        }
        command.envs(case.environment.iter().cloned());
        command
    }
}

fn median(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    (
        at(values.len() / 2),
        at(0),
        at(values.len().saturating_sub(1)),
    )
}

fn row(name: &str, rounds: &[[Usage; 2]]) -> String {
    let wall = |which: usize| {
        median(
            rounds
                .iter()
                .map(|pair| pair[which].wall.as_secs_f64())
                .collect(),
        )
        .0
    };
    let (ratio, least, most) = median(
        rounds
            .iter()
            .map(|[go, steady]| go.wall.as_secs_f64() / steady.wall.as_secs_f64())
            .collect(),
    );
    let (cpu, ..) = median(
        rounds
            .iter()
            .map(|[go, steady]| go.cpu.as_secs_f64() / steady.cpu.as_secs_f64())
            .collect(),
    );
    let megabytes = |which: usize, of: fn(&Usage) -> u64| {
        median(rounds.iter().map(|pair| of(&pair[which]) as f64).collect()).0 / 1e6
    };
    let own = |which| megabytes(which, |usage| usage.own);
    let children = |which| megabytes(which, |usage| usage.children);
    let started = if children(0).max(children(1)) < 1.0 {
        "none".to_string()
    } else {
        format!("{:.0} MB, {:.0} MB", children(0), children(1))
    };
    format!(
        "| {name} | {:.1} ms | {:.1} ms | {ratio:.2} ({least:.2} – {most:.2}) | {cpu:.2} | {:.0} MB, {:.0} MB, {:.2} | {started} |",
        wall(0) * 1e3,
        wall(1) * 1e3,
        own(0),
        own(1),
        own(1) / own(0),
    )
}

/// So many of the things, from all over them.
fn spread(files: &[PathBuf], count: usize) -> Vec<PathBuf> {
    let count = count.min(files.len());
    (0..count)
        .map(|at| files[(2 * at + 1) * files.len() / (2 * count)].clone())
        .collect()
}

//! go and Steady on the same tree, one after the other and again: what counts is the ratio within one round.
//!
//! Absolute times are a machine's; they are printed so that one sees what the ratio is of, and do not go into the docs.

#![allow(clippy::disallowed_methods)]

use crate::loopback;
use crate::subjects::{Subjects, Usage, errors_of, measure, root};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

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
    /// Rounds of each case; those that build everything anew take a third of them
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// The Go version that both use, such as 1.26.8
    #[arg(long, value_name = "VERSION")]
    go: Option<String>,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Also what fetches from the configured module proxy
    #[arg(long)]
    network: bool,
}

/// Which caches a run finds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caches {
    /// Those that both used before.
    Warm,
    /// An empty build cache.
    Cold,
    /// An empty module cache, and the modules on a proxy on loopback.
    Loopback,
    /// An empty module cache and the configured proxy.
    Network,
}

struct Case {
    name: &'static str,
    arguments: Vec<String>,
    /// What Steady is asked instead, where the same work has a name of its own there.
    own: Option<Vec<String>>,
    caches: Caches,
    /// Settings of this case.
    environment: Vec<(&'static str, String)>,
    /// Removed before each run, in the tree.
    remove: Option<&'static str>,
    dir: PathBuf,
}

struct Bench {
    subjects: Subjects,
    work: PathBuf,
    proxy: String,
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_string).collect()
}

/// Runs the cases and prints the table.
pub fn run(options: &Options) -> Result<ExitCode> {
    let root = root()?;
    let work = root.join("target/bench");
    fs::create_dir_all(&work)?;
    let subjects = Subjects::find(options.binary.as_deref(), options.go.as_deref())?;
    let cache = errors_free(&mut subjects.command(false, &work, &words("env GOMODCACHE")))?;
    let proxy = loopback::proxy(&Path::new(&cache).join("cache/download"))?;
    let bench = Bench {
        subjects,
        work,
        proxy,
    };
    println!("| case | go | Steady | times as fast, median (least – most) | memory, of go's |");
    println!("|---|---|---|---|---|");
    for case in bench.cases(options, &root)? {
        if !case.name.contains(&options.pattern)
            || (case.caches == Caches::Network && !options.network)
        {
            continue;
        }
        match bench.rounds(&case, options.rounds) {
            Ok(rounds) => println!("{}", row(case.name, &rounds)),
            Err(error) => println!(
                "| {} | fails: {} ||||",
                case.name,
                error.to_string().lines().next().unwrap_or_default()
            ),
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn errors_free(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_string())
}

impl Bench {
    fn cases(&self, options: &Options, root: &Path) -> Result<Vec<Case>> {
        let (tree, program) = match &options.tree {
            Some(tree) => (fs::canonicalize(tree)?, options.program.clone()),
            None => (
                root.join("examples/shop"),
                Some("./app/cmd/shop".to_string()),
            ),
        };
        let program = program.context("--program: which program of the tree?")?;
        let hello = self.hello()?;
        let out = format!("{}/out/", self.work.display());
        let case = |name, line: &str, caches| Case {
            name,
            arguments: words(line),
            own: None,
            caches,
            environment: Vec::new(),
            remove: None,
            dir: tree.clone(),
        };
        let warm = |name, line: &str| case(name, line, Caches::Warm);
        let module = tree.join(program.trim_start_matches("./"));
        let alone = |mut case: Case| {
            // Commands that are about one module: that of the program.
            case.dir.clone_from(&module);
            case.environment.push(("GOWORK", "off".to_string()));
            case
        };
        let mut cases = vec![
            warm("start (version)", "version"),
            warm("list -deps", "list -deps ./..."),
            warm("list -deps -test -json", "list -deps -test -json ./..."),
            warm(
                "build a program, nothing to do",
                &format!("build -o {out} {program}"),
            ),
            warm("build ./..., nothing to do", "build ./..."),
            warm("vet ./..., nothing to do", "vet ./..."),
            Case {
                dir: hello,
                ..warm("run hello, cached", "run .")
            },
            case(
                "build a program, cold",
                &format!("build -o {out} {program}"),
                Caches::Cold,
            ),
            warm("list -m all", "list -m all"),
            warm("mod graph", "mod graph"),
            warm("mod verify", "mod verify"),
            Case {
                own: Some(words("verify -offline -links cache,tree")),
                ..warm(
                    "mod verify against verify, the same two links",
                    "mod verify",
                )
            },
            alone(warm("mod why", "mod why -m all")),
            alone(warm("mod tidy, nothing to do", "mod tidy")),
            alone(warm(
                "mod vendor",
                &format!("mod vendor -o {}/vendored", self.work.display()),
            )),
            warm(
                "work vendor",
                &format!("work vendor -o {}/vendored", self.work.display()),
            ),
            case(
                "mod download, empty module cache, loopback",
                "mod download",
                Caches::Loopback,
            ),
            case(
                "mod download, empty module cache, network",
                "mod download",
                Caches::Network,
            ),
        ];
        let mut toolchain = case("fetch a toolchain, network", "version", Caches::Network);
        toolchain
            .environment
            .push(("GOTOOLCHAIN", "go1.25.0".to_string()));
        toolchain.dir.clone_from(&self.work);
        cases.push(toolchain);
        Ok(cases)
    }

    /// A program that prints a line.
    fn hello(&self) -> Result<PathBuf> {
        let dir = self.work.join("hello");
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("go.mod"), "module hello\n\ngo 1.21\n")?;
        let text = "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"hello\")\n}\n";
        fs::write(dir.join("main.go"), text)?;
        Ok(dir)
    }

    fn rounds(&self, case: &Case, rounds: usize) -> Result<Vec<[Usage; 2]>> {
        let rounds = if case.caches == Caches::Warm {
            rounds
        } else {
            rounds.div_ceil(3)
        };
        if case.caches == Caches::Warm {
            // Both find what both have left, whoever came first.
            for steady in [false, true, false, true] {
                self.prepare(case)?;
                errors_of(&mut self.command(case, steady))?;
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
                self.prepare(case)?;
                pair[usize::from(steady)] = Some(measure(&mut self.command(case, steady))?);
            }
            all.push([pair[0].context("go")?, pair[1].context("steady")?]);
        }
        Ok(all)
    }

    fn prepare(&self, case: &Case) -> Result<()> {
        if let Some(name) = case.remove {
            let _ = fs::remove_dir_all(case.dir.join(name));
        }
        for name in ["cold-build", "cold-modules", "out", "vendored"] {
            let _ = fs::remove_dir_all(self.work.join(name));
        }
        Ok(())
    }

    fn command(&self, case: &Case, steady: bool) -> Command {
        let own = case.own.as_ref().filter(|_| steady);
        let arguments = own.unwrap_or(&case.arguments);
        let mut command = self.subjects.command(steady, &case.dir, arguments);
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
    let (memory, ..) = median(
        rounds
            .iter()
            .map(|[go, steady]| steady.memory as f64 / go.memory as f64)
            .collect(),
    );
    format!(
        "| {name} | {:.1} ms | {:.1} ms | {ratio:.2} ({least:.2} – {most:.2}) | {memory:.2} |",
        wall(0) * 1e3,
        wall(1) * 1e3,
    )
}

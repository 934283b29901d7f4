//! Programs that call `go` get from Steady what they get from go: staticcheck over a tree, and an editor's session with gopls.
//!
//! Each of them runs twice, with a directory first on PATH that holds nothing but a link named `go`: to the toolchain's own command,
//! then to Steady. Everything else is the same, but for the clients' own caches, which are empty each time.

#![allow(clippy::disallowed_methods)]

mod editor;

use crate::subjects::{Subjects, errors_of, root};
use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

/// What to look at, and with which clients.
#[derive(clap::Args)]
pub struct Options {
    /// A module or workspace
    tree: PathBuf,
    /// Only this client: staticcheck or gopls
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Packages of it for staticcheck
    #[arg(long, value_name = "PATTERN", default_value = "./...")]
    packages: String,
    /// A Go file of it, to be opened in the editor
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Version of staticcheck's module
    #[arg(long, value_name = "VERSION", default_value = "v0.7.0")]
    staticcheck: String,
    /// Version of gopls
    #[arg(long, value_name = "VERSION", default_value = "v0.21.1")]
    gopls: String,
    /// The Go version that all use, such as 1.26.8
    #[arg(long, value_name = "VERSION")]
    go: Option<String>,
    /// Run this program instead of building Steady
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Where clients run.
struct Bench {
    subjects: Subjects,
    work: PathBuf,
    tree: PathBuf,
}

/// Runs the clients; fails if any of them says something else.
pub fn run(options: &Options) -> Result<ExitCode> {
    let work = root()?.join("target/clients");
    let bench = Bench {
        subjects: Subjects::find(options.binary.as_deref(), options.go.as_deref())?,
        tree: fs::canonicalize(&options.tree)?,
        work,
    };
    bench.links()?;
    let wanted = |name: &str| options.client.as_deref().is_none_or(|only| only == name);
    let mut fine = true;
    if wanted("gopls") {
        let gopls = bench.install("golang.org/x/tools/gopls", &options.gopls)?;
        fine &= bench.compare("gopls", |steady| {
            let mut server = bench.client(&gopls, steady)?;
            editor::session(&mut server, &bench.tree, &options.file)
        })?;
    }
    if wanted("staticcheck") {
        let checker = "honnef.co/go/tools/cmd/staticcheck";
        let checker = bench.install(checker, &options.staticcheck)?;
        fine &= bench.compare("staticcheck", |steady| {
            let mut command = bench.client(&checker, steady)?;
            let output = command.arg(&options.packages).output()?;
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            Ok(format!("{}\n{text}", output.status))
        })?;
    }
    Ok(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Bench {
    fn place(&self, steady: bool) -> PathBuf {
        self.work.join(if steady { "steady" } else { "go" })
    }

    /// The two directories with a `go` in them.
    fn links(&self) -> Result<()> {
        for (steady, program) in [(false, &self.subjects.go), (true, &self.subjects.steady)] {
            let dir = self.place(steady).join("path");
            fs::create_dir_all(&dir)?;
            let link = dir.join("go");
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink(program, &link)?;
        }
        Ok(())
    }

    /// Builds a client with Steady.
    fn install(&self, package: &str, version: &str) -> Result<PathBuf> {
        let bin = self.work.join("bin");
        fs::create_dir_all(&bin)?;
        let words = ["install".to_string(), format!("{package}@{version}")];
        errors_of(self.subjects.command(true, &bin, &words).env("GOBIN", &bin))?;
        let name = package.rsplit('/').next().context("a name")?;
        Ok(bin.join(name))
    }

    /// A client's command line in the tree; `go` is one of the two.
    fn client(&self, program: &Path, steady: bool) -> Result<Command> {
        let cache = self.place(steady).join("cache");
        let _ = fs::remove_dir_all(&cache);
        fs::create_dir_all(&cache)?;
        let paths = [
            self.place(steady).join("path"),
            "/usr/bin".into(),
            "/bin".into(),
        ];
        let mut command = Command::new(program);
        command
            .current_dir(&self.tree)
            .env("PATH", std::env::join_paths(paths)?)
            .env("GOROOT", &self.subjects.goroot)
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "")
            .env("GOCACHE", self.work.join("build"))
            .env("XDG_CACHE_HOME", &cache)
            .env("STATICCHECK_CACHE", cache.join("staticcheck"))
            .env("GOPLSCACHE", cache.join("gopls"))
            .stdin(Stdio::null());
        Ok(command)
    }

    /// What a client says with either; both are kept beside one another.
    fn compare(&self, name: &str, said: impl Fn(bool) -> Result<String>) -> Result<bool> {
        let mut texts = Vec::new();
        for steady in [false, true] {
            let start = Instant::now();
            let text = said(steady)?;
            let who = if steady { "steady" } else { "go" };
            // Steady keeps its memories among the client's caches.
            if self.place(steady).join("cache/steady").exists() != steady {
                bail!("{name} asked another go than {who}");
            }
            println!(
                "{name} with {who}: {} lines in {:.1} s",
                text.lines().count(),
                start.elapsed().as_secs_f64()
            );
            fs::write(self.place(steady).join(format!("{name}.txt")), &text)?;
            texts.push(text);
        }
        if texts[0] == texts[1] {
            println!("{name}: the same");
            return Ok(true);
        }
        println!("{name}: DIFFERENT");
        let changes = similar::TextDiff::from_lines(&texts[0], &texts[1]);
        let changes = changes.unified_diff().header("go", "steady").to_string();
        for line in changes.lines().take(40) {
            println!("  {line}");
        }
        Ok(false)
    }
}

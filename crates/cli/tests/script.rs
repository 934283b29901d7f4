//! End-to-end scripts: `tests/script/*.txt`, each a list of commands with the files they work on (txtar).
//!
//! A script runs in a directory of its own with a HOME of its own; caches are shared among scripts unless one sets its own, so that the
//! standard library is compiled once. The language, one command a line, `#` for comments, `'…'` quotes, `$NAME` variables:
//!
//! | command | what it does |
//! |---|---|
//! | `[!] steady ARG…`, `[!] go ARG…`, `[!] exec PROGRAM ARG…` | runs; with `!` it must fail, else succeed |
//! | `status N` | the exit code of the last run |
//! | `[!] stdout RE`, `[!] stderr RE`, `[!] grep RE FILE` | a match, `^` and `$` at lines |
//! | `cmp A B` | the same contents; `stdout` and `stderr` are names of the last outputs |
//! | `[!] exists FILE…`, `cd DIR`, `mkdir DIR…`, `rm FILE…`, `cp A B`, `env NAME=VALUE…`, `symlink FILE TARGET` | as they say |
//! | `addmod DIR PROXY PATH@VERSION` | puts the module in DIR into a file-system module proxy |
//! | `edit FILE FROM TO` | replaces text, which must be there |

#![allow(clippy::disallowed_methods)] // tests stand outside of the session

mod archive;

use archive::txtar;
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/script");
    let mut trials: Vec<Trial> = fs::read_dir(folder)
        .expect("the folder of scripts")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "txt"))
        .map(|path| {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Trial::test(name, move || run(&path).map_err(Failed::from))
        })
        .collect();
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&arguments, trials).exit();
}

type Outcome<T = ()> = Result<T, String>;

fn run(path: &Path) -> Outcome {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let (script, files) = txtar(&text);
    let mut shell = Shell::new()?;
    for (name, contents) in files {
        let file = shell.work().join(name);
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))
            .map_err(|error| error.to_string())?;
        fs::write(file, contents).map_err(|error| error.to_string())?;
    }
    for (number, line) in script.lines().enumerate() {
        let words = words(line, &shell.environment)?;
        if words.is_empty() {
            continue;
        }
        shell.line(&words).map_err(|error| {
            format!(
                "{}:{}: {line}\n{error}\n[stdout]\n{}[stderr]\n{}",
                path.display(),
                number + 1,
                shell.stdout,
                shell.stderr
            )
        })?;
    }
    Ok(())
}

/// Splits at blanks outside of quotes; variables are replaced outside of them.
fn words(line: &str, environment: &BTreeMap<String, String>) -> Outcome<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.trim().chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' if word.is_none() => break,
            ' ' | '\t' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err(format!("{line}: quote not closed")),
                    }
                }
            }
            '$' => {
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                let value = environment
                    .get(&name)
                    .ok_or(format!("no variable {name}"))?;
                word.get_or_insert_default().push_str(value);
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

struct Shell {
    temporary: tempfile::TempDir,
    environment: BTreeMap<String, String>,
    dir: PathBuf,
    stdout: String,
    stderr: String,
    status: Option<i32>,
}

impl Shell {
    fn new() -> Outcome<Shell> {
        let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
        let root = fs::canonicalize(temporary.path()).map_err(|error| error.to_string())?;
        for name in ["home", "tmp", "bin", "work"] {
            fs::create_dir(root.join(name)).map_err(|error| error.to_string())?;
        }
        // A copy named go is the go command.
        symlink(
            Path::new(env!("CARGO_BIN_EXE_steady")),
            &root.join("bin/go"),
        )?;
        symlink(
            Path::new(env!("CARGO_BIN_EXE_steady")),
            &root.join("bin/steady"),
        )?;
        let shared = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let path = std::env::var("PATH").unwrap_or_default();
        let mut environment: BTreeMap<String, String> = [
            ("HOME", root.join("home")),
            ("TMPDIR", root.join("tmp")),
            ("WORK", root.join("work")),
            ("GOCACHE", shared.join("build")),
            ("GOMODCACHE", shared.join("mod")),
        ]
        .into_iter()
        .map(|(name, path)| (name.to_string(), path.display().to_string()))
        .collect();
        environment.insert(
            "PATH".to_string(),
            format!("{}:{path}", root.join("bin").display()),
        );
        for name in [
            "GOPROXY",
            "GOSUMDB",
            "CARGO_HOME",
            "SSL_CERT_FILE",
            "HTTPS_PROXY",
            "https_proxy",
            "NO_PROXY",
            "no_proxy",
        ] {
            if let Ok(value) = std::env::var(name) {
                environment.insert(name.to_string(), value);
            }
        }
        let mut shell = Shell {
            dir: root.join("work"),
            temporary,
            environment,
            stdout: String::new(),
            stderr: String::new(),
            status: None,
        };
        // The toolchain, found or fetched by Steady as the first thing; scripts about choosing one unset it.
        shell.execute("steady", &["env".to_string(), "GOROOT".to_string()])?;
        let goroot = shell.stdout.trim().to_string();
        if goroot.is_empty() {
            return Err(format!("no Go toolchain: {}", shell.stderr));
        }
        shell.environment.insert("GOROOT".to_string(), goroot);
        shell
            .environment
            .insert("GOTOOLCHAIN".to_string(), "local".to_string());
        shell
            .environment
            .insert("GOPROXY".to_string(), "off".to_string());
        Ok(shell)
    }

    fn work(&self) -> PathBuf {
        PathBuf::from(&self.environment["WORK"])
    }

    fn execute(&mut self, program: &str, arguments: &[String]) -> Outcome {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(&self.dir)
            .env_clear()
            .envs(&self.environment)
            .env("PWD", &self.dir)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{program}: {error}"))?;
        self.stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        self.stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        self.status = output.status.code();
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn text(&self, name: &str) -> Outcome<String> {
        match name {
            "stdout" => Ok(self.stdout.clone()),
            "stderr" => Ok(self.stderr.clone()),
            name => fs::read_to_string(self.file(name)).map_err(|error| format!("{name}: {error}")),
        }
    }

    fn line(&mut self, words: &[String]) -> Outcome {
        let (negated, words) = match words {
            [first, rest @ ..] if first == "!" => (true, rest),
            words => (false, words),
        };
        let Some((command, arguments)) = words.split_first() else {
            return Err("no command".to_string());
        };
        match command.as_str() {
            "steady" | "go" => {
                let program = self.temporary.path().join("bin").join(command);
                self.execute(&program.display().to_string(), arguments)?;
                self.expect(negated)
            }
            "exec" => {
                let (program, rest) = arguments.split_first().ok_or("exec what?")?;
                let program = if program.contains('/') {
                    self.file(program).display().to_string()
                } else {
                    program.clone()
                };
                self.execute(&program, rest)?;
                self.expect(negated)
            }
            "status" => match (self.status, arguments) {
                (Some(status), [wanted]) if status.to_string() == *wanted => Ok(()),
                (status, _) => Err(format!("exit code {status:?}")),
            },
            "stdout" | "stderr" => self.matches(negated, arguments, command),
            "grep" => match arguments {
                [pattern, file] => self.matches(negated, std::slice::from_ref(pattern), file),
                _ => Err("grep RE FILE".to_string()),
            },
            "exists" => match arguments
                .iter()
                .find(|name| self.file(name).symlink_metadata().is_ok() == negated)
            {
                Some(name) => Err(format!(
                    "{name} {}",
                    if negated { "exists" } else { "does not exist" }
                )),
                None => Ok(()),
            },
            other if !negated => self.change(other, arguments),
            other => Err(format!("! {other}")),
        }
    }

    fn expect(&self, failure: bool) -> Outcome {
        match (self.status, failure) {
            (Some(0), true) => Err("unexpected success".to_string()),
            (Some(0), false) | (Some(_), true) => Ok(()),
            (status, _) => Err(format!("unexpected failure: {status:?}")),
        }
    }

    fn matches(&self, negated: bool, arguments: &[String], file: &str) -> Outcome {
        let [pattern] = arguments else {
            return Err("one pattern".to_string());
        };
        let regex = regex_lite::RegexBuilder::new(pattern)
            .multi_line(true)
            .build()
            .map_err(|error| error.to_string())?;
        let text = self.text(file)?;
        match (regex.is_match(&text), negated) {
            (false, false) => Err(format!("{pattern} does not match\n{text}")),
            (true, true) => Err(format!("{pattern} matches\n{text}")),
            _ => Ok(()),
        }
    }

    /// Commands that change the files or the shell.
    fn change(&mut self, command: &str, arguments: &[String]) -> Outcome {
        let told = |error: std::io::Error| error.to_string();
        match (command, arguments) {
            ("cmp", [a, b]) => {
                let (left, right) = (self.text(a)?, self.text(b)?);
                if left == right {
                    Ok(())
                } else {
                    Err(format!("{a} and {b} differ:\n{left}---\n{right}"))
                }
            }
            ("cd", [dir]) => {
                self.dir = fs::canonicalize(self.file(dir)).map_err(told)?;
                Ok(())
            }
            ("mkdir", names) => names
                .iter()
                .try_for_each(|name| fs::create_dir_all(self.file(name)).map_err(told)),
            ("rm", names) => {
                for name in names {
                    let file = self.file(name);
                    let is_dir = file.symlink_metadata().map_err(told)?.is_dir();
                    if is_dir {
                        fs::remove_dir_all(&file)
                    } else {
                        fs::remove_file(&file)
                    }
                    .map_err(told)?;
                }
                Ok(())
            }
            ("cp", [from, to]) => {
                let text = self.text(from)?;
                fs::write(self.file(to), text).map_err(told)
            }
            ("env", settings) => {
                for setting in settings {
                    let (name, value) = setting.split_once('=').ok_or("NAME=VALUE")?;
                    self.environment.insert(name.to_string(), value.to_string());
                }
                Ok(())
            }
            ("symlink", [file, target]) => symlink(Path::new(target), &self.file(file)),
            ("edit", [file, from, to]) => {
                let text = self.text(file)?;
                if !text.contains(from) {
                    return Err(format!("{file} has no {from}"));
                }
                fs::write(self.file(file), text.replace(from, to)).map_err(told)
            }
            ("addmod", [dir, proxy, module]) => self.addmod(dir, proxy, module),
            _ => Err(format!(
                "unknown command {command} with {} arguments",
                arguments.len()
            )),
        }
    }

    fn addmod(&self, dir: &str, proxy: &str, module: &str) -> Outcome {
        let (path, version) = module.split_once('@').ok_or("PATH@VERSION")?;
        let source = self.file(dir);
        let target = self.file(proxy).join(path).join("@v");
        add_module(&source, &target, path, version).map_err(|error| error.to_string())
    }
}

fn add_module(source: &Path, target: &Path, path: &str, version: &str) -> std::io::Result<()> {
    fs::create_dir_all(target)?;
    let mut list = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(target.join("list"))?;
    writeln!(list, "{version}")?;
    fs::write(
        target.join(format!("{version}.info")),
        format!("{{\"Version\":\"{version}\"}}"),
    )?;
    fs::copy(source.join("go.mod"), target.join(format!("{version}.mod")))?;
    let mut zip = zip::ZipWriter::new(fs::File::create(target.join(format!("{version}.zip")))?);
    let mut waiting = vec![source.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir)? {
            let file = entry?.path();
            if file.is_dir() {
                waiting.push(file);
                continue;
            }
            let name = file.strip_prefix(source).unwrap_or(&file).display();
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(format!("{path}@{version}/{name}"), options)
                .map_err(std::io::Error::other)?;
            zip.write_all(&fs::read(&file)?)?;
        }
    }
    zip.finish().map_err(std::io::Error::other)?;
    Ok(())
}

fn symlink(target: &Path, link: &Path) -> Outcome {
    std::os::unix::fs::symlink(target, link).map_err(|error| format!("{}: {error}", link.display()))
}

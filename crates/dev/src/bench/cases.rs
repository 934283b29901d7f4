//! The table of cases.

use super::{Bench, words};
use std::path::PathBuf;

/// Which caches a run finds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Caches {
    /// Those that both used before.
    Warm,
    /// An empty build cache.
    Cold,
    /// An empty module cache, and the modules on a proxy on loopback.
    Loopback,
    /// An empty module cache and the configured proxy.
    Network,
}

/// What happens before each run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Nothing: everything is as the last run left it.
    Nothing,
    /// So many own files, each of another package of the library, get a variable more.
    Edited(usize),
    /// Another branch is checked out, the same command run there, and the first branch checked out again.
    SwitchedBack,
    /// The tree is cloned into a directory that nobody has built in before.
    Cloned,
}

/// One line of the table.
pub struct Case {
    /// Its name there.
    pub name: &'static str,
    /// What both are asked.
    pub arguments: Vec<String>,
    /// What Steady is asked instead, where the same work has a name of its own there.
    pub own: Option<Vec<String>>,
    /// Caches that a run finds.
    pub caches: Caches,
    /// Settings of this case.
    pub environment: Vec<(&'static str, String)>,
    /// What happens before each run.
    pub before: Before,
    /// Where it runs, if no change says otherwise.
    pub dir: PathBuf,
    /// Exit code 1 of Steady is an answer, not a failure.
    pub verdict: bool,
    /// A program whose own time is a part of both: no answer can come quicker.
    pub alone: Option<PathBuf>,
}

/// What the cases are about.
pub struct Subject {
    /// The tree.
    pub tree: PathBuf,
    /// A program in it.
    pub program: String,
    /// Packages of it that are no programs, if edits are to be measured.
    pub library: Option<String>,
    /// Directory of a program that prints a line.
    pub hello: PathBuf,
}

/// All cases, in the order of the table.
pub fn cases(bench: &Bench, subject: &Subject) -> Vec<Case> {
    let mut all = looking(bench, subject);
    all.extend(changing(subject));
    all.extend(modules(bench, subject));
    all
}

fn case(subject: &Subject, name: &'static str, line: &str, caches: Caches) -> Case {
    Case {
        name,
        arguments: words(line),
        own: None,
        caches,
        environment: Vec::new(),
        before: Before::Nothing,
        dir: subject.tree.clone(),
        verdict: false,
        alone: None,
    }
}

/// Packages and builds; nothing is changed.
fn looking(bench: &Bench, subject: &Subject) -> Vec<Case> {
    let warm = |name, line: &str| case(subject, name, line, Caches::Warm);
    let (work, program) = (bench.work.display(), &subject.program);
    vec![
        warm("start (version)", "version"),
        warm("list -deps", "list -deps ./..."),
        warm("list -deps -test -json", "list -deps -test -json ./..."),
        Case {
            own: Some(words("check")),
            verdict: true,
            ..warm("list -deps against check", "list -deps ./...")
        },
        warm(
            "build a program, nothing to do",
            &format!("build -o {work}/kept/ {program}"),
        ),
        warm(
            "build a program, output removed",
            &format!("build -o {work}/out/ {program}"),
        ),
        warm("build ./..., nothing to do", "build ./..."),
        warm("vet ./..., nothing to do", "vet ./..."),
        Case {
            dir: subject.hello.clone(),
            alone: Some(subject.hello.join("hello")),
            ..warm("run hello, cached", "run .")
        },
        case(
            subject,
            "build a program, cold",
            &format!("build -o {work}/out/ {program}"),
            Caches::Cold,
        ),
    ]
}

/// What is built again after changes, in a clone of the tree.
fn changing(subject: &Subject) -> Vec<Case> {
    let Some(library) = &subject.library else {
        return Vec::new();
    };
    let build = format!("build {library}");
    let table = [
        (
            "one own file edited, no link",
            build.as_str(),
            Before::Edited(1),
        ),
        ("ten own files edited, no link", &build, Before::Edited(10)),
        (
            "ten own files edited, list -deps",
            "list -deps ./...",
            Before::Edited(10),
        ),
        (
            "another branch and back, no link",
            &build,
            Before::SwitchedBack,
        ),
        (
            "another branch and back, build ./...",
            "build ./...",
            Before::SwitchedBack,
        ),
        (
            "another branch and back, list -deps",
            "list -deps ./...",
            Before::SwitchedBack,
        ),
        ("fresh clone, no link", &build, Before::Cloned),
        (
            "fresh clone, list -deps",
            "list -deps ./...",
            Before::Cloned,
        ),
        (
            "fresh clone, list -deps -test -json",
            "list -deps -test -json ./...",
            Before::Cloned,
        ),
    ];
    let cases = table.into_iter().map(|(name, line, before)| Case {
        before,
        ..case(subject, name, line, Caches::Warm)
    });
    cases.collect()
}

/// Modules and their requirements.
fn modules(bench: &Bench, subject: &Subject) -> Vec<Case> {
    let warm = |name, line: &str| case(subject, name, line, Caches::Warm);
    let alone = |mut case: Case| {
        // Commands that are about one module: that of the program.
        case.dir = subject.tree.join(subject.program.trim_start_matches("./"));
        case.environment.push(("GOWORK", "off".to_string()));
        case
    };
    let vendored = bench.work.join("vendored");
    let vendored = vendored.display();
    let mut toolchain = case(
        subject,
        "fetch a toolchain, network",
        "version",
        Caches::Network,
    );
    toolchain
        .environment
        .push(("GOTOOLCHAIN", "go1.25.0".to_string()));
    toolchain.dir.clone_from(&bench.work);
    vec![
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
        alone(warm("mod vendor", &format!("mod vendor -o {vendored}"))),
        warm("work vendor", &format!("work vendor -o {vendored}")),
        case(
            subject,
            "mod download, empty module cache, loopback",
            "mod download",
            Caches::Loopback,
        ),
        case(
            subject,
            "mod download, empty module cache, network",
            "mod download",
            Caches::Network,
        ),
        toolchain,
    ]
}

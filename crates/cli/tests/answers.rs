//! Answers from warm memories against answers from none: after every edit of a workspace both must be the same.

#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const STEADY: &str = env!("CARGO_BIN_EXE_steady");

const QUESTIONS: [&[&str]; 5] = [
    &[
        "list",
        "-e",
        "-deps",
        "-json=ImportPath,Name,Dir,GoFiles,IgnoredGoFiles,TestGoFiles,EmbedFiles,Imports,Module,Error",
        "./...",
    ],
    &["list", "-m", "all"],
    &["mod", "graph"],
    &["mod", "why", "example.com/b/p", "embed"],
    &["mod", "tidy", "-C", "../b", "-diff"],
];

struct Workspace {
    temp: tempfile::TempDir,
    goflags: &'static str,
}

impl Workspace {
    fn new() -> Workspace {
        let temp = tempfile::tempdir().unwrap();
        let workspace = Workspace { temp, goflags: "" };
        workspace.write("go.work", "go 1.21\n\nuse ./a\nuse ./b\n");
        workspace.write("a/go.mod", "module example.com/a\n\ngo 1.21\n");
        workspace.write("a/a.go", "package a\n\nimport _ \"example.com/b/p\"\n");
        workspace.write("a/sub/sub.go", "package sub\n");
        workspace.write("b/go.mod", "module example.com/b\n\ngo 1.21\n");
        workspace.write("b/p/p.go", "package p\n\nimport _ \"unsafe\"\n");
        workspace.write("b/p/text/one.txt", "1");
        workspace
    }

    fn dir(&self) -> &Path {
        self.temp.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir().join("w").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Asks one of the questions in one of the two directories of memories.
    fn ask(&self, question: &[&str], home: &str, answers: &str) -> Output {
        Command::new(STEADY)
            .args(question)
            .current_dir(self.dir().join("w/a"))
            .env("HOME", self.dir().join(home))
            .env("XDG_CACHE_HOME", self.dir().join(home).join("cache"))
            .env("GOFLAGS", self.goflags)
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .env("STEADY_ANSWERS", answers)
            .output()
            .unwrap()
    }
}

/// A small generator with a fixed seed: the same edits in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Writes other content of the same size and sets the modification time back.
fn edit_in_secret(path: &Path, from: &str, to: &str) {
    let Ok(text) = fs::read_to_string(path) else {
        return;
    };
    let time = fs::metadata(path).unwrap().modified().unwrap();
    let swapped = if text.contains(from) {
        text.replace(from, to)
    } else {
        text.replace(to, from)
    };
    fs::write(path, swapped).unwrap();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

fn edit(workspace: &mut Workspace, dice: &mut Dice) -> String {
    let root = workspace.dir().join("w");
    let name = [
        "a/a.go",
        "a/sub/sub.go",
        "b/p/p.go",
        "b/p/q.go",
        "a/new/n.go",
    ][dice.roll(5)];
    let path = root.join(name);
    let package = ["a", "sub", "p", "other"][dice.roll(4)];
    match dice.roll(12) {
        0 => {
            let import = ["unsafe", "example.com/b/p", "example.com/none", "embed"][dice.roll(4)];
            workspace.write(
                name,
                &format!("package {package}\n\nimport _ \"{import}\"\n"),
            );
            format!("import of {import} in {name}")
        }
        1 => {
            edit_in_secret(&path, "package", "/*ckage");
            format!("secret edit of {name}")
        }
        2 => {
            let _ = fs::remove_file(&path);
            format!("{name} removed")
        }
        3 => {
            let _ = fs::rename(&path, path.with_file_name("renamed.go"));
            format!("{name} renamed")
        }
        4 => {
            workspace.write(
                "b/p/embeds.go",
                "package p\n\nimport _ \"embed\"\n\n//go:embed text/*\nvar s string\n",
            );
            workspace.write(&format!("b/p/text/{}.txt", dice.roll(9)), "x");
            "an embedded file".to_string()
        }
        5 => {
            let _ = fs::remove_dir_all(root.join("b/p/text"));
            "no embedded files".to_string()
        }
        6 => {
            workspace.write(
                "a/tagged.go",
                &format!("//go:build {}x\n\npackage a\n", ["", "!"][dice.roll(2)]),
            );
            "a build constraint".to_string()
        }
        7 => {
            workspace.goflags = ["", "-tags=x", "-mod=readonly"][dice.roll(3)];
            format!("GOFLAGS={}", workspace.goflags)
        }
        8 => {
            let line = ["", "\nignore ./sub\n", "\ngodebug panicnil=1\n"][dice.roll(3)];
            workspace.write(
                "a/go.mod",
                &format!("module example.com/a\n\ngo 1.2{}\n{line}", dice.roll(5)),
            );
            "go.mod".to_string()
        }
        9 => {
            let with = ["use ./a\nuse ./b\n", "use ./a\n"][dice.roll(2)];
            workspace.write("go.work", &format!("go 1.25\n\n{with}"));
            "go.work".to_string()
        }
        10 => {
            let _ = fs::remove_dir_all(root.join("a/sub"));
            let _ = std::os::unix::fs::symlink("../b/p", root.join("a/sub"));
            "a link in place of a directory".to_string()
        }
        _ => {
            let _ = fs::remove_file(root.join("a/sub"));
            workspace.write("a/sub/go.mod", "module example.com/a/sub\n");
            let _ = fs::remove_file(root.join(["a/sub/go.mod", "none"][dice.roll(2)]));
            workspace.write("a/sub/sub.go", "package sub\n");
            "a module in between".to_string()
        }
    }
}

#[test]
fn warm_answers_are_those_of_cold_memories() {
    let mut workspace = Workspace::new();
    let mut dice = Dice(20_260_101);
    let mut remembered = [0; QUESTIONS.len()];
    for step in 0..24 {
        let what = edit(&mut workspace, &mut dice);
        // Longer than the grain of the file system's clock.
        std::thread::sleep(Duration::from_millis(15));
        for (question, remembered) in QUESTIONS.iter().zip(&mut remembered) {
            let cold = workspace.ask(question, &format!("cold{step}"), "off");
            let warm = format!("warm{}", question[..2].join("-"));
            let first = workspace.ask(question, &warm, "eager");
            let kept = fs::read_dir(workspace.dir().join(&warm).join("cache/steady/answers"));
            *remembered += usize::from(kept.is_ok_and(|kept| kept.count() > 0));
            let second = workspace.ask(question, &warm, "eager");
            for (answer, name) in [(&first, "first"), (&second, "second")] {
                assert_eq!(
                    (
                        String::from_utf8_lossy(&answer.stdout),
                        String::from_utf8_lossy(&answer.stderr),
                        answer.status.code()
                    ),
                    (
                        String::from_utf8_lossy(&cold.stdout),
                        String::from_utf8_lossy(&cold.stderr),
                        cold.status.code()
                    ),
                    "step {step}, {name}: {question:?} after {what}"
                );
            }
        }
    }
    for (question, times) in QUESTIONS.iter().zip(remembered) {
        assert!(times > 8, "answers to {question:?} were kept {times} times");
    }
}

/// A repository with a program in it.
struct Repository {
    temp: tempfile::TempDir,
    gocache: String,
    goflags: &'static str,
}

impl Repository {
    fn new() -> Repository {
        let gocache = Command::new(STEADY)
            .args(["env", "GOCACHE"])
            .output()
            .unwrap();
        let gocache = String::from_utf8(gocache.stdout)
            .unwrap()
            .trim()
            .to_string();
        let temp = tempfile::tempdir().unwrap();
        let repository = Repository {
            temp,
            gocache,
            goflags: "",
        };
        fs::create_dir_all(repository.path("r/sub")).unwrap();
        fs::create_dir_all(repository.path("home")).unwrap();
        repository.write("go.mod", "module example.com/m\n\ngo 1.21\n");
        repository.write("m.go", "package main\n\nimport _ \"embed\"\n\n//go:embed text\nvar text string\n\nfunc main() { print(text, \"one\") }\n");
        repository.write("text", "1");
        repository.git(&["init", "-q"]);
        repository.git(&["add", "."]);
        repository.commit();
        repository
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.temp.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path("r").join(name), text).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path("r"))
            .env("HOME", self.path("home"))
            .env_remove("XDG_CONFIG_HOME")
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("GOCACHE", &self.gocache)
            .env("GOFLAGS", self.goflags)
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local");
        command
    }

    fn git(&self, words: &[&str]) {
        assert!(
            self.command("git").args(words).status().unwrap().success(),
            "git {words:?}"
        );
    }

    fn commit(&self) {
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        self.git(
            &[
                &who[..],
                &["commit", "-q", "--allow-empty", "-a", "-m", "x"],
            ]
            .concat(),
        );
    }

    fn build(&self, output: &str, answers: &str) -> Vec<u8> {
        let output = self.path(output);
        let built = self
            .command(STEADY)
            .args(["build", "-o"])
            .arg(&output)
            .env("STEADY_ANSWERS", answers)
            .output()
            .unwrap();
        assert!(
            built.status.success(),
            "{}",
            String::from_utf8_lossy(&built.stderr)
        );
        fs::read(output).unwrap()
    }
}

#[test]
fn what_is_in_place_is_what_would_be_built() {
    type Edit = fn(&mut Repository);
    let edits: [(&str, Edit); 11] = [
        ("nothing", |_| {}),
        ("a secret edit", |r| {
            edit_in_secret(&r.path("r/m.go"), "\"one\"", "\"two\"")
        }),
        ("a commit", |r| r.commit()),
        ("a file that git does not know", |r| r.write("sub/new", "")),
        ("which git is to ignore", |r| {
            r.write(".gitignore", "new\n.gitignore\n")
        }),
        ("a tag", |r| r.git(&["tag", "v1.2.3"])),
        ("what is embedded", |r| r.write("text", "2")),
        ("the output replaced", |r| {
            fs::write(r.path("warm"), "\x7fELF and no program").unwrap()
        }),
        ("the output of another build", |r| {
            drop(fs::copy(r.path("first"), r.path("warm")))
        }),
        ("the output removed", |r| {
            fs::remove_file(r.path("warm")).unwrap()
        }),
        ("flags", |r| r.goflags = "-trimpath"),
    ];
    let mut repository = Repository::new();
    repository.build("first", "off");
    let mut answered = 0;
    for (what, edit) in edits {
        edit(&mut repository);
        std::thread::sleep(Duration::from_millis(15));
        let cold = repository.build("cold", "off");
        for round in 0..2 {
            let warm = repository.build("warm", "eager");
            assert!(warm == cold, "{what}, round {round}: another program");
        }
        let kept = fs::read_dir(repository.path("cache/steady/answers"));
        answered += usize::from(kept.is_ok_and(|kept| kept.count() > 0));
    }
    assert!(answered > 8, "answers were kept {answered} times");
}

#[test]
fn a_program_is_started_again_and_never_an_old_one() {
    let workspace = Workspace::new();
    let program = "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"one\"); os.Exit(len(os.Args) - 1) }\n";
    workspace.write("a/cmd/main.go", program);
    let run = |answers: &str, arguments: &[&str]| {
        let output = Command::new(STEADY)
            .args(["run", "./cmd"])
            .args(arguments)
            .current_dir(workspace.dir().join("w/a"))
            .env("XDG_CACHE_HOME", workspace.dir().join("cache"))
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .env("STEADY_ANSWERS", answers)
            .output()
            .unwrap();
        told(output)
    };
    let good = |word: &str| (Some(0), word.to_owned(), String::new());
    // Built, found built, and then known.
    for _ in 0..3 {
        assert_eq!(run("eager", &[]), good("one"));
    }
    assert!(workspace.dir().join("cache/steady/answers").is_dir());
    let failed = (Some(1), "one".to_owned(), "exit status 1\n".to_owned());
    for _ in 0..3 {
        assert_eq!(run("eager", &["x"]), failed);
    }
    edit_in_secret(&workspace.dir().join("w/a/cmd/main.go"), "one", "two");
    for _ in 0..3 {
        assert_eq!(run("eager", &[]), good("two"));
    }
}

/// A module without imports, built into a build cache of its own.
struct Built {
    temp: tempfile::TempDir,
    words: &'static [&'static str],
}

/// Exit code, standard output, standard error.
type Told = (Option<i32>, String, String);

fn told(output: Output) -> Told {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

impl Built {
    fn new(words: &'static [&'static str]) -> Built {
        let temp = tempfile::tempdir().unwrap();
        let built = Built { temp, words };
        fs::create_dir_all(built.path("m/a")).unwrap();
        fs::create_dir_all(built.path("m/b")).unwrap();
        let write = |name: &str, text: &str| fs::write(built.path(name), text).unwrap();
        write("m/go.mod", "module example.com/m\n\ngo 1.21\n");
        write(
            "m/a/a.go",
            "package a\n\nimport _ \"example.com/m/b\"\n\nfunc A(x, y int) { x = y; _ = x }\n",
        );
        write("m/b/b.go", "package b\n\nfunc B() int { return 1 }\n");
        built.run(&["build", "./..."], "build", "off");
        built
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.temp.path().join(name)
    }

    fn run(&self, words: &[&str], home: &str, answers: &str) -> Told {
        let output = Command::new(STEADY)
            .args(words)
            .current_dir(self.path("m"))
            .env("XDG_CACHE_HOME", self.path(home))
            .env("GOCACHE", self.path("go-build"))
            .env("GOFLAGS", "")
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .env("STEADY_ANSWERS", answers)
            .output()
            .unwrap();
        told(output)
    }

    /// The answer from memory, if there is one; then without any; then twice more.
    fn ask(&self, what: &str) -> Told {
        std::thread::sleep(Duration::from_millis(15));
        let warm = self.run(self.words, "warm", "eager");
        let cold = self.run(self.words, "cold", "off");
        assert_eq!(warm, cold, "{what}");
        for _ in 0..2 {
            assert_eq!(self.run(self.words, "warm", "eager"), cold, "{what}, again");
        }
        cold
    }

    fn answers(&self) -> usize {
        fs::read_dir(self.path("warm/steady/answers")).map_or(0, Iterator::count)
    }

    /// Files of the build cache, by the ends of their names.
    fn cached(&self, end: &str) -> Vec<std::path::PathBuf> {
        let shards = fs::read_dir(self.path("go-build")).unwrap().flatten();
        let dirs = shards.filter(|shard| shard.path().is_dir());
        let files = dirs.flat_map(|shard| fs::read_dir(shard.path()).unwrap().flatten());
        let paths = files.map(|file| file.path());
        paths
            .filter(|path| path.to_string_lossy().ends_with(end))
            .collect()
    }
}

#[test]
fn what_is_not_in_the_build_cache_any_more_shows_as_stale() {
    let built = Built::new(&["list", "-json=ImportPath,Stale,StaleReason", "./..."]);
    assert!(!built.ask("built").1.contains("Stale"));
    assert_eq!(built.answers(), 1);
    edit_in_secret(&built.path("m/b/b.go"), "return 1", "return 2");
    assert!(
        built
            .ask("a secret edit")
            .1
            .contains("stale dependency: example.com/m/b")
    );
    edit_in_secret(&built.path("m/b/b.go"), "return 1", "return 2");
    assert!(!built.ask("undone").1.contains("Stale"));
    for (what, end) in [("an entry", "-a"), ("an output", "-d")] {
        for path in built.cached(end).into_iter().take(4) {
            let kept = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            built.ask(&format!("{what} removed"));
            fs::write(&path, &kept).unwrap();
            assert!(!built.ask("and back").1.contains("Stale"));
        }
        let files = built.cached(end);
        for path in &files {
            fs::write(path, "torn").unwrap();
        }
        assert!(built.ask(&format!("{what} torn")).1.contains("Stale"));
        files.iter().for_each(|path| fs::remove_file(path).unwrap());
        built.run(&["build", "./..."], "build", "off");
        assert!(!built.ask("built again").1.contains("Stale"));
    }
    fs::remove_dir_all(built.path("go-build")).unwrap();
    assert!(built.ask("no build cache").1.contains("build ID mismatch"));
}

#[test]
fn being_marked_as_used_changes_no_answer() {
    use std::os::unix::fs::MetadataExt as _;
    let built = Built::new(&["list", "-deps", "-test", "-json", "./..."]);
    let test = "package a\n\nimport \"testing\"\n\nfunc TestA(*testing.T) {}\n";
    fs::write(built.path("m/a/a_test.go"), test).unwrap();
    built.ask("tests");
    let kept = || {
        let mut files = fs::read_dir(built.path("warm/steady/answers")).unwrap();
        files.next().unwrap().unwrap().metadata().unwrap().ino()
    };
    let before = kept();
    for path in [built.cached("-a"), built.cached("-d")].concat() {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::now()).unwrap();
    }
    built.ask("marked");
    assert_eq!(kept(), before, "the answer was worked out anew");
}

#[test]
fn what_vet_has_to_say_is_said_again() {
    let built = Built::new(&["vet", "./..."]);
    let fine = (Some(0), String::new(), String::new());
    // What one run of vet writes, the next one finds, and the one after that knows.
    for _ in 0..2 {
        assert_eq!(built.ask("nothing to say"), fine);
    }
    assert_eq!(built.answers(), 1);
    edit_in_secret(&built.path("m/a/a.go"), "x = y", "x = x");
    let (status, _, said) = built.ask("a mistake");
    assert!(
        status == Some(1) && said.contains("self-assignment"),
        "{said}"
    );
    edit_in_secret(&built.path("m/a/a.go"), "x = y", "x = x");
    assert_eq!(built.ask("mended"), fine);
    for path in built.cached("-a").into_iter().take(4) {
        let _ = fs::remove_file(&path);
        assert_eq!(built.ask("an entry removed"), fine);
    }
    fs::write(built.path("m/b/b.go"), "package b\n\nfunc B() int {}\n").unwrap();
    assert_eq!(built.ask("does not compile").0, Some(1));
}

//! Builds that end hard at every step that changes the disk, and builds on a disk that becomes full at every block: what they leave
//! is whole or counts for nothing, and the next build goes on from there.

#![allow(clippy::disallowed_methods)] // tests stand outside of the session

mod disk;

use disk::Small;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A module with a package that needs nothing, not even the runtime, so that a build of it from nothing is quick.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let dir = tempfile::tempdir().unwrap();
        let place = Place { dir };
        for name in ["home", "tmp", "lib", "app"] {
            fs::create_dir(place.path(name)).unwrap();
        }
        fs::write(place.path("go.mod"), "module example.com/app\n\ngo 1.21\n").unwrap();
        place.say("nothing");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes the library and the program such that nobody built them before.
    fn say(&self, text: &str) {
        let library = format!(
            "package lib\n\nconst Text = {text:?}\n\nfunc Say() string {{ return Text }}\n"
        );
        let program =
            "package main\n\nimport \"example.com/app/lib\"\n\nfunc main() { print(lib.Say()) }\n";
        fs::write(self.path("lib/lib.go"), library).unwrap();
        fs::write(self.path("app/main.go"), program).unwrap();
    }

    fn steady(&self, arguments: &[&str], cache: &Path, tmp: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steady"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("HOME", self.path("home"))
            .env("TMPDIR", tmp)
            .env("GOMODCACHE", tests().join("mod"))
            .env("GOCACHE", cache)
            .env("GOFLAGS", "")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// What the tests of one run have in common.
fn tests() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", said(&output));
    said(&output)
}

/// Runs the same build with an end at the first step, at the second, and so on, until it comes to its own end; `before` prepares a
/// step and names the cache, `after` looks at what was left. Gives the number of steps.
fn at_every_step(
    place: &Place,
    build: &[&str],
    before: impl Fn(usize) -> PathBuf,
    after: impl Fn(usize, &Path),
) -> usize {
    for step in 1..500 {
        let cache = before(step);
        let mut command = place.steady(build, &cache, &place.path("tmp"));
        let output = command
            .env("STEADY_END_AT_STEP", step.to_string())
            .output()
            .unwrap();
        after(step, &cache);
        succeeds(&mut place.steady(build, &cache, &place.path("tmp")));
        if output.status.success() {
            return step - 1;
        }
        assert_eq!(
            output.status.signal(),
            Some(9),
            "step {step}: {}",
            said(&output)
        );
    }
    panic!("it has no end");
}

/// Says so if steps are not counted.
fn counts_steps() -> bool {
    if !cfg!(debug_assertions) {
        eprintln!("a build without debug assertions counts no steps: skipped");
    }
    cfg!(debug_assertions)
}

#[test]
fn a_library_from_nothing() {
    if !counts_steps() {
        return;
    }
    let place = Place::new();
    let build = ["build", "-o", "lib.a", "./lib"];
    let whole = place.path("whole");
    succeeds(&mut place.steady(&build, &whole, &place.path("tmp")));
    let wanted = fs::read(place.path("lib.a")).unwrap();
    let steps = at_every_step(
        &place,
        &build,
        |step| {
            let _ = fs::remove_file(place.path("lib.a"));
            place.path(&format!("cache{step}"))
        },
        |step, cache| {
            // Under its name it is whole.
            if let Ok(found) = fs::read(place.path("lib.a")) {
                assert!(found == wanted, "step {step}");
            }
            // And so are all objects of the cache.
            let verify = ["verify", "-links", "objects"];
            succeeds(&mut place.steady(&verify, cache, &place.path("tmp")));
        },
    );
    assert_eq!(fs::read(place.path("lib.a")).unwrap(), wanted);
    assert!(steps > 8, "{steps} steps");
}

#[test]
fn a_program_that_was_built_before() {
    if !counts_steps() {
        return;
    }
    let place = Place::new();
    // The runtime is compiled once for all steps.
    let cache = tests().join("build-ends");
    let run = |step: usize| {
        let program = Command::new(place.path("app.exe")).output();
        let text = program.map(|output| said(&output));
        let fine =
            |text: &str| text == format!("step {step}") || text == format!("step {}", step - 1);
        assert!(
            text.as_deref().map_or(step == 1, fine),
            "step {step}: {text:?}"
        );
    };
    let steps = at_every_step(
        &place,
        &["build", "-o", "app.exe", "./app"],
        |step| {
            if step > 1 {
                let text = said(&Command::new(place.path("app.exe")).output().unwrap());
                assert_eq!(text, format!("step {}", step - 1));
            }
            place.say(&format!("step {step}"));
            cache.clone()
        },
        |step, _| run(step),
    );
    assert!(steps > 8, "{steps} steps");
}

#[test]
fn a_full_disk_is_told_with_the_path() {
    let place = Place::new();
    let wanted = {
        let whole = place.path("whole.a");
        let build = ["build", "-o", whole.to_str().unwrap(), "./lib"];
        succeeds(&mut place.steady(&build, &place.path("whole"), &place.path("tmp")));
        fs::read(whole).unwrap()
    };
    let (mut refused, mut enough) = (0, 0);
    for blocks in 1..100 {
        let dir = place.path(&format!("disk{blocks}"));
        let Some(disk) = Small::new(dir.clone(), blocks * 4) else {
            return;
        };
        let (cache, tmp, target) = (dir.join("cache"), dir.join("tmp"), dir.join("lib.a"));
        let _ = fs::create_dir(&tmp);
        let build = ["build", "-o", target.to_str().unwrap(), "./lib"];
        let output = place.steady(&build, &cache, &tmp).output().unwrap();
        let text = said(&output);
        if let Ok(found) = fs::read(&target) {
            assert!(found == wanted, "{blocks} blocks: half a result\n{text}");
        }
        if output.status.success() {
            enough += 1; // the cache is a help, not a duty: it may have got less
            assert_eq!(
                fs::read(&target).unwrap(),
                wanted,
                "{blocks} blocks\n{text}"
            );
        } else {
            refused += 1;
            let named = text.contains(&*dir.to_string_lossy()) || text.contains("$WORK");
            assert!(
                named && text.contains("no space left on device"),
                "{blocks} blocks\n{text}"
            );
        }
        // With more room all goes well, and what was kept meanwhile holds.
        disk.grow("8m");
        let _ = fs::create_dir(&tmp);
        succeeds(&mut place.steady(&["verify", "-links", "objects"], &cache, &tmp));
        succeeds(&mut place.steady(&build, &cache, &tmp));
        assert_eq!(
            fs::read(&target).unwrap(),
            wanted,
            "{blocks} blocks, then more"
        );
        if enough == 4 {
            assert!(refused > 2, "the disk was never full");
            return;
        }
    }
    panic!("it never had enough");
}

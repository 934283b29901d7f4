//! Ctrl-C: a program that runs gets it, its exit code is what counts, and nothing is left behind. And kill -9, which nobody gets.

#![allow(clippy::disallowed_methods)] // tests stand outside of the session

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new(program: &str) -> Place {
        let dir = tempfile::tempdir().unwrap();
        for name in ["home", "tmp"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        fs::write(
            dir.path().join("go.mod"),
            "module example.com/app\n\ngo 1.21\n",
        )
        .unwrap();
        fs::write(dir.path().join("main.go"), program).unwrap();
        Place { dir }
    }

    fn command(&self, arguments: &[&str], cache: &Path) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_steady")), arguments, cache)
    }

    fn command_of(&self, program: &Path, arguments: &[&str], cache: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("HOME", self.dir.path().join("home"))
            .env("TMPDIR", self.dir.path().join("tmp"))
            .env(
                "GOMODCACHE",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("mod"),
            )
            .env("GOCACHE", cache)
            .env("GOFLAGS", "")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        command
    }

    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path().join("tmp")).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    }
}

/// As a terminal does it: to the whole foreground group.
fn interrupt(child: &Child) {
    let group = format!("-{}", child.id());
    let status = Command::new("kill")
        .args(["-INT", "--", &group])
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_running_program_decides() {
    let place = Place::new(
        r#"package main

import (
	"fmt"
	"os"
	"os/signal"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	fmt.Println("ready")
	<-signals
	fmt.Println("saved")
	os.Exit(4)
}
"#,
    );
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build");
    let mut child = place.command(&["run", "."], &shared).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    interrupt(&child);
    assert_eq!(lines.next().unwrap().unwrap(), "saved");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    // Before it, on a machine without any toolchain, stands what was fetched.
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().last(), Some("exit status 4"));
    assert_eq!(place.left(), Vec::<String>::new());
}

#[test]
fn a_build_ends_at_once() {
    let place = Place::new("package main\n\nimport _ \"net/http\"\n\nfunc main() {}\n");
    let cold = place.dir.path().join("cache");
    // With -x every command is shown: once the compiler was started there is something to interrupt.
    let mut child = place
        .command(&["build", "-x", "-o", "app.exe", "."], &cold)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let started = lines.any(|line| line.unwrap().contains("/compile "));
    assert!(started, "the compiler was started");
    interrupt(&child);
    let start = std::time::Instant::now();
    for line in lines {
        let _ = line.unwrap();
    }
    let status = child.wait().unwrap();
    assert!(!status.success());
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert_eq!(place.left(), Vec::<String>::new());
    assert!(!place.dir.path().join("app.exe").exists());
}

/// Whether a process is there and not merely waiting to be fetched by its parent.
fn is_alive(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

/// The test program and what it has started end with the run, whatever name it has.
#[cfg(target_os = "linux")]
#[test]
fn tests_end_with_the_run() {
    let test = r#"package main

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestForever(t *testing.T) {
	child := exec.Command("sleep", "1000")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	pids := fmt.Sprintf("%d %d", os.Getpid(), child.Process.Pid)
	os.WriteFile("pids.tmp", []byte(pids), 0o666)
	os.Rename("pids.tmp", "pids")
	time.Sleep(time.Hour)
}
"#;
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("build");
    for name in ["steady", "go"] {
        let place = Place::new("package main\n\nfunc main() {}\n");
        fs::write(place.dir.path().join("main_test.go"), test).unwrap();
        let program = place.dir.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_steady"), &program).unwrap();
        let mut command = place.command_of(&program, &["test", "-count=1", "."], &shared);
        let child = command.spawn().unwrap();
        let pids = place.dir.path().join("pids");
        let start = std::time::Instant::now();
        while !pids.exists() {
            assert!(
                start.elapsed().as_secs() < 300,
                "{name}: the test never began"
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let pids = fs::read_to_string(pids).unwrap();
        assert!(pids.split(' ').all(is_alive), "{name}: {pids}");
        let start = std::time::Instant::now();
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        assert!(!output.status.success(), "{name}");
        assert!(
            start.elapsed().as_secs() < 10,
            "{name}: {:?}",
            start.elapsed()
        );
        while pids.split(' ').any(is_alive) {
            assert!(start.elapsed().as_secs() < 10, "{name}: {pids} are left");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        assert_eq!(place.left(), Vec::<String>::new(), "{name}");
    }
}

/// kill -9 cannot be answered: whatever is half done must not be believed afterwards.
#[test]
fn a_killed_build_leaves_caches_that_hold() {
    let place = Place::new(
        "package main\n\nimport (\n\t\"errors\"\n\t\"fmt\"\n)\n\nfunc main() { fmt.Println(errors.New(\"whole\")) }\n",
    );
    let cold = place.dir.path().join("cache");
    let mut killed = 0;
    for step in 1..=24 {
        let mut child = place
            .command(&["build", "-o", "app.exe", "."], &cold)
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(step * 25));
        let group = format!("-{}", child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        killed += u32::from(child.wait().unwrap().code().is_none());
    }
    assert!(killed > 0, "no build was killed");
    let output = place.command(&["run", "."], &cold).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "whole\n");
    assert!(output.status.success());
}

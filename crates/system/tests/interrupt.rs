//! Signals, tried on a process of its own: this test program started again with a part to play.
#![allow(clippy::disallowed_methods)]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use steady_system::process::Command as Run;
use steady_system::temp::TempDir;
use steady_system::{Environment, interrupt};

const PART: &str = "STEADY_TEST_PART";

/// Not a test: what the started process does.
#[test]
fn player() {
    let environment = Environment::capture().unwrap();
    let part = environment.get(PART).to_owned();
    if part.is_empty() {
        return;
    }
    interrupt::install().unwrap();
    let dir = TempDir::new(&environment, "steady-test").unwrap();
    let shell = |script: &str| {
        let mut run = Run::new("sh", &environment.clone().without(PART));
        run.args(["-c", script]);
        run
    };
    match part.as_str() {
        "wait" => {
            println!("\nready {}", dir.path());
            std::thread::sleep(Duration::from_secs(20));
        }
        "child" => {
            // Writes into the directory as long as it lives.
            let script = format!("while :; do echo x > {}/f$$; sleep 0.01; done", dir.path());
            println!("\nready {}", dir.path());
            let _ = shell(&script).output();
            std::thread::sleep(Duration::from_secs(20));
        }
        _ => {
            let script = "trap 'exit 7' TERM INT; echo; echo ready; while :; do sleep 0.05; done";
            let status = shell(script).foreground().unwrap();
            drop(dir);
            println!("\nended {status}");
        }
    }
}

struct Player {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Player {
    fn start(part: &str) -> (Player, String) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["player", "--exact", "--nocapture"])
            .env(PART, part)
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            // Away from the terminal that the tests may be run in: its INT is not ours to forward.
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("ready") {
            line.clear();
            assert_ne!(
                lines.read_line(&mut line).unwrap(),
                0,
                "the player ended early"
            );
        }
        let said = line.trim().trim_start_matches("ready").trim().to_owned();
        (Player { child, lines }, said)
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn end(&mut self) -> std::process::ExitStatus {
        let patience = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < patience, "the player does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_signal_removes_temporaries_and_kills() {
    for (name, number) in [("-TERM", 15), ("-INT", 2), ("-HUP", 1)] {
        let (mut player, dir) = Player::start("wait");
        assert!(Utf8Path::new(&dir).exists());
        player.signal(name);
        assert_eq!(player.end().signal(), Some(number));
        assert!(!Utf8Path::new(&dir).exists(), "{name} left {dir}");
    }
}

#[test]
fn children_end_before_their_directory_goes() {
    let (mut player, dir) = Player::start("child");
    std::thread::sleep(Duration::from_millis(200));
    player.signal("-TERM");
    assert_eq!(player.end().signal(), Some(15));
    std::thread::sleep(Duration::from_millis(100));
    assert!(!Utf8Path::new(&dir).exists());
}

#[test]
fn a_program_in_the_foreground_gets_the_signal_and_decides() {
    for name in ["-TERM", "-INT"] {
        let (mut player, _) = Player::start("foreground");
        player.signal(name);
        assert!(player.end().success());
        let mut rest = String::new();
        player.lines.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("ended exit status 7"), "{name}: {rest}");
    }
}

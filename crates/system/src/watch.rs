//! A program that is watched while it runs: its output is handed on as it comes, and it is ended when it takes too long.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use signal_hook::consts::{SIGKILL, SIGQUIT};
use std::io::{self, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::process::{Child, Command, Status};
use crate::{Error, Result};

/// How long a program may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct Patience {
    /// After this it is asked to quit (Go programs then print their stacks). None: never.
    pub run: Option<Duration>,
    /// How long it may take to quit after that, and how long others may keep its output open after its end. None: any time.
    pub grace: Option<Duration>,
}

/// Where a program's output goes.
pub enum Listener<'a> {
    /// To our own standard output, both streams, as they are: the program may see a terminal.
    Inherit,
    /// Here, both streams as one, piece by piece.
    Pieces(&'a mut dyn FnMut(&[u8])),
}

/// What became of a watched program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// How it ended.
    pub status: Status,
    /// It took too long and was told to quit.
    pub asked_to_quit: bool,
    /// It has ended, and somebody else still had its output open when patience was over.
    pub incomplete: bool,
}

impl Command {
    /// Runs to the end with nothing on standard input.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn watch(&self, listener: Listener<'_>, patience: Patience) -> Result<Watched> {
        let failed = |error: io::Error| Error::path("pipe", "", error);
        let mut command = self.prepare()?;
        command.stdin(Stdio::null());
        let mut output = None;
        match &listener {
            Listener::Inherit => {
                let own = || io::stdout().as_fd().try_clone_to_owned();
                command.stdout(own().map_err(failed)?);
                command.stderr(own().map_err(failed)?);
            }
            Listener::Pieces(_) => {
                let (reader, writer) = io::pipe().map_err(failed)?;
                command.stdout(writer.try_clone().map_err(failed)?);
                command.stderr(writer);
                output = Some(reader);
            }
        }
        let child = self.start(&mut command, false)?;
        drop(command); // with our ends of the pipe
        let (ended, at_end) = io::pipe().map_err(failed)?;
        let watch = Watch {
            child: &child,
            output,
            ended: Some(ended.into()),
            patience,
            asked_to_quit: false,
            killed: false,
        };
        let (asked_to_quit, incomplete) = std::thread::scope(|scope| {
            let child = &child;
            scope.spawn(move || {
                child.await_end();
                drop(at_end);
            });
            watch.run(listener)
        });
        let mut child = child;
        Ok(Watched {
            status: child.wait()?,
            asked_to_quit,
            incomplete,
        })
    }
}

struct Watch<'a> {
    child: &'a Child,
    /// None when it is closed.
    output: Option<io::PipeReader>,
    /// Closes when the program ends; none when it has.
    ended: Option<OwnedFd>,
    patience: Patience,
    asked_to_quit: bool,
    killed: bool,
}

impl Watch<'_> {
    /// Whether the program was asked to quit, and whether its output is incomplete.
    fn run(mut self, mut listener: Listener<'_>) -> (bool, bool) {
        let start = Instant::now();
        let mut deadline = self.patience.run.map(|time| start + time);
        let mut buffer = vec![0; 32 << 10];
        loop {
            if self.ended.is_none() && self.output.is_none() {
                return (self.asked_to_quit, false);
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                if self.ended.is_none() {
                    return (self.asked_to_quit, true);
                }
                deadline = self.lose_patience();
                continue;
            }
            let (readable, ended) = self.wait(left);
            if readable && let Some(output) = &mut self.output {
                match output.read(&mut buffer) {
                    Ok(0) => self.output = None,
                    Ok(count) => {
                        if let Listener::Pieces(hear) = &mut listener {
                            hear(&buffer[..count]);
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => self.output = None,
                }
            }
            if ended {
                self.ended = None;
                deadline = self.patience.grace.map(|time| Instant::now() + time);
            }
        }
    }

    /// Ends the program, politely first. Gives the moment at which patience is over the next time.
    fn lose_patience(&mut self) -> Option<Instant> {
        let signal = if self.asked_to_quit { SIGKILL } else { SIGQUIT };
        self.killed |= self.asked_to_quit;
        self.asked_to_quit = true;
        self.child.signal(signal);
        if self.killed {
            return None; // its end comes now
        }
        self.patience.grace.map(|time| Instant::now() + time)
    }

    /// Waits until there is output or the program has ended.
    fn wait(&self, left: Option<Duration>) -> (bool, bool) {
        let limit = left.and_then(|left| Timespec::try_from(left).ok());
        let mut polled = Vec::with_capacity(2);
        if let Some(output) = &self.output {
            polled.push(PollFd::new(output, PollFlags::IN));
        }
        if let Some(ended) = &self.ended {
            polled.push(PollFd::new(ended, PollFlags::IN));
        }
        if poll(&mut polled, limit.as_ref()).is_err() {
            return (false, false);
        }
        let mut happened = polled.iter().map(|fd| !fd.revents().is_empty());
        let readable = self.output.is_some() && happened.next() == Some(true);
        let ended = self.ended.is_some() && happened.next() == Some(true);
        (readable, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Environment;

    fn shell(script: &str) -> Command {
        let env = Environment::empty("/").with("PATH", "/usr/bin:/bin");
        let mut command = Command::new("sh", &env);
        command.arg("-c").arg(script);
        command
    }

    fn watch(script: &str, run: Option<u64>, grace: Option<u64>) -> (Watched, String) {
        let mut heard = Vec::new();
        let mut hear = |piece: &[u8]| heard.extend_from_slice(piece);
        let patience = Patience {
            run: run.map(Duration::from_millis),
            grace: grace.map(Duration::from_millis),
        };
        let watched = shell(script)
            .watch(Listener::Pieces(&mut hear), patience)
            .unwrap();
        (watched, String::from_utf8(heard).unwrap())
    }

    #[test]
    fn both_streams_in_their_order_and_no_input() {
        let (watched, heard) = watch("echo a; echo b >&2; cat; echo c; exit 3", None, None);
        assert_eq!(heard, "a\nb\nc\n");
        assert_eq!(watched.status.code, Some(3));
        assert!(!watched.asked_to_quit && !watched.incomplete);
    }

    #[test]
    fn a_program_that_takes_too_long_may_have_a_last_word() {
        let script = "trap 'echo bye; exit 2' QUIT; echo hi; while :; do sleep 0.02; done";
        let (watched, heard) = watch(script, Some(100), Some(5000));
        assert_eq!(heard, "hi\nbye\n");
        assert!(watched.asked_to_quit);
        assert_eq!(watched.status.code, Some(2));
    }

    #[test]
    fn a_program_that_does_not_listen_is_killed() {
        let script = "trap '' QUIT; while :; do sleep 0.02; done";
        let (watched, _) = watch(script, Some(50), Some(100));
        assert!(watched.asked_to_quit);
        assert_eq!(watched.status.signal, Some(SIGKILL));
    }

    #[test]
    fn output_that_others_keep_open_is_not_awaited_for_ever() {
        let (watched, heard) = watch("echo a; sleep 5 & exit 0", None, Some(100));
        assert!(watched.incomplete && watched.status.success());
        assert_eq!(heard, "a\n");
    }
}

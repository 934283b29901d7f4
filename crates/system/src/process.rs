//! Starting other programs, and what became of them.
//!
//! A program without a slash is searched in the PATH of the environment the caller gave (or of the child's variables), as Go's
//! `exec.Command` does. Every child is on the interrupt table while it runs, so that a signal that ends us ends it too. A run that
//! is being interrupted starts nothing any more.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ChildStderr, ChildStdin, ChildStdout, Stdio};

use crate::{Environment, Error, Result, describe_io, interrupt};

/// A program to run, with its arguments, variables and directory.
#[derive(Debug)]
pub struct Command {
    program: String,
    args: Vec<OsString>,
    argv0: Option<String>,
    environment: Environment,
    dir: Option<Utf8PathBuf>,
    input: Option<Vec<u8>>,
    own_group: bool,
}

/// What became of a child. Prints as Go's `os.ProcessState`: `exit status 2`, `signal: killed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Exit code, or `None` if a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it left a core file.
    pub core_dumped: bool,
}

/// What a captured child wrote.
#[derive(Clone, Debug)]
pub struct Output {
    /// What became of it.
    pub status: Status,
    /// Standard output; with [`Command::combined`], both streams in the order they were written.
    pub stdout: Vec<u8>,
    /// Standard error; empty with [`Command::combined`].
    pub stderr: Vec<u8>,
}

impl Status {
    fn of(status: std::process::ExitStatus) -> Status {
        Status {
            code: status.code(),
            signal: status.signal(),
            core_dumped: status.core_dumped(),
        }
    }

    /// Whether it exited with 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }

    /// Go's `ExitCode`: the code, or -1 after a signal.
    pub fn exit_code(&self) -> i32 {
        self.code.unwrap_or(-1)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit status {code}")?,
            (None, Some(signal)) => write!(f, "signal: {}", signal_text(signal))?,
            (None, None) => f.write_str("exit status unknown")?,
        }
        if self.core_dumped {
            f.write_str(" (core dumped)")?;
        }
        Ok(())
    }
}

impl Output {
    /// Standard output as text, invalid bytes replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

impl Command {
    /// A program, to run with exactly these variables, in the environment's working directory.
    pub fn new(program: impl Into<String>, environment: &Environment) -> Command {
        Command {
            program: program.into(),
            args: Vec::new(),
            argv0: None,
            environment: environment.clone(),
            dir: None,
            input: None,
            own_group: false,
        }
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Command {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Command {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets one variable of the child.
    pub fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Command {
        self.environment = self.environment.clone().with(name, value);
        self
    }

    /// Takes one variable from the child.
    pub fn env_remove(&mut self, name: &str) -> &mut Command {
        self.environment = self.environment.clone().without(name);
        self
    }

    /// Sets the child's directory and, as Go does, its PWD.
    pub fn dir(&mut self, dir: impl AsRef<Utf8Path>) -> &mut Command {
        let dir = self.environment.cwd().join(dir.as_ref());
        self.environment = self.environment.clone().with("PWD", dir.as_str());
        self.dir = Some(dir);
        self
    }

    /// The name the child sees itself called by.
    pub fn argv0(&mut self, name: impl Into<String>) -> &mut Command {
        self.argv0 = Some(name.into());
        self
    }

    /// Bytes for the child's standard input. Without them it is empty when the output is captured, and ours when it is not.
    pub fn input(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Command {
        self.input = Some(bytes.into());
        self
    }

    /// Puts the child into a process group of its own, so that a terminal's signals do not reach it.
    pub fn own_group(&mut self) -> &mut Command {
        self.own_group = true;
        self
    }

    pub(crate) fn prepare(&self) -> Result<std::process::Command> {
        let program = if self.program.contains('/') {
            Utf8PathBuf::from(&self.program)
        } else {
            self.environment
                .look_path(&self.program)
                .map_err(|error| Error::Exec(error.to_string()))?
        };
        let mut command = std::process::Command::new(&program);
        command
            .args(&self.args)
            .env_clear()
            .envs(self.environment.variables().iter().map(|(k, v)| (k, v)));
        command.current_dir(self.dir.as_deref().unwrap_or(self.environment.cwd()));
        command.arg0(self.argv0.as_deref().unwrap_or(&self.program));
        if self.own_group {
            command.process_group(0);
        }
        Ok(command)
    }

    pub(crate) fn start(
        &self,
        command: &mut std::process::Command,
        foreground: bool,
    ) -> Result<Child> {
        interrupt::check()?;
        // The table is held over the start: a signal that arrives now is handled when the child is on it.
        let mut table = interrupt::table();
        let child = command.spawn().map_err(|error| self.failed(&error))?;
        let pid = i32::try_from(child.id()).unwrap_or(0);
        table.children.insert(pid, self.own_group);
        if foreground {
            table.give_terminal(pid);
        }
        drop(table);
        Ok(Child {
            child,
            pid,
            group: self.own_group,
            reaped: false,
        })
    }

    fn failed(&self, error: &io::Error) -> Error {
        let dir = self.dir.as_deref().unwrap_or(self.environment.cwd());
        if error.kind() == io::ErrorKind::NotFound && !dir.is_dir() {
            return Error::Exec(format!("chdir {dir}: {}", describe_io(error)));
        }
        Error::Exec(format!(
            "fork/exec {}: {}",
            self.program,
            describe_io(error)
        ))
    }

    /// Runs to the end and captures both streams.
    pub fn output(&self) -> Result<Output> {
        let mut command = self.prepare()?;
        command
            .stdin(self.stdin())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.start(&mut command, false)?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let (stdin, out, err) = (
            child.child.stdin.take(),
            child.child.stdout.take(),
            child.child.stderr.take(),
        );
        std::thread::scope(|scope| {
            scope.spawn(|| err.map(|mut err| err.read_to_end(&mut stderr)));
            scope.spawn(|| self.feed(stdin));
            out.map(|mut out| out.read_to_end(&mut stdout))
        });
        Ok(Output {
            status: child.wait()?,
            stdout,
            stderr,
        })
    }

    /// Runs to the end and captures both streams as one, in the order they were written.
    pub fn combined(&self) -> Result<Output> {
        let mut command = self.prepare()?;
        let pipe_failed = |error| Error::path("pipe", "", error);
        let (mut reader, writer) = io::pipe().map_err(pipe_failed)?;
        command
            .stdin(self.stdin())
            .stdout(writer.try_clone().map_err(pipe_failed)?)
            .stderr(writer);
        let mut child = self.start(&mut command, false)?;
        // Our ends of the pipe are in `command`: without this the read never ends.
        drop(command);
        let stdin = child.child.stdin.take();
        let mut stdout = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| self.feed(stdin));
            reader.read_to_end(&mut stdout).map_err(pipe_failed)
        })?;
        Ok(Output {
            status: child.wait()?,
            stdout,
            stderr: Vec::new(),
        })
    }

    /// Runs with our own standard streams, leaving the terminal's signals to the child and forwarding the others.
    pub fn foreground(&self) -> Result<Status> {
        let mut command = self.prepare()?;
        if self.input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = self.start(&mut command, true)?;
        let stdin = child.child.stdin.take();
        self.feed(stdin);
        child.wait()
    }

    /// Starts with all three streams piped, for a partner to talk with.
    pub fn spawn(&self) -> Result<Child> {
        let mut command = self.prepare()?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        self.start(&mut command, false)
    }

    /// Starts with standard streams as given (for tests of another program, servers, watchers).
    pub fn spawn_with(&self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Result<Child> {
        let mut command = self.prepare()?;
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        self.start(&mut command, false)
    }

    /// Becomes the program. Returns only if that fails.
    pub fn exec(&self) -> Error {
        match self.prepare() {
            Ok(mut command) => self.failed(&command.exec()),
            Err(error) => error,
        }
    }

    fn stdin(&self) -> Stdio {
        if self.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        }
    }

    /// Writes the input; a child that does not read it to the end is no error.
    fn feed(&self, stdin: Option<ChildStdin>) {
        if let (Some(mut stdin), Some(bytes)) = (stdin, &self.input) {
            let _ = stdin.write_all(bytes);
        }
    }
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    child: std::process::Child,
    pid: i32,
    group: bool,
    reaped: bool,
}

impl Child {
    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The writing end of its standard input; dropping it ends the input.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// The reading end of its standard output.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The reading end of its standard error.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Sends a signal by its number, to its group if it has one of its own; nothing happens if the child is gone.
    pub fn signal(&self, number: i32) {
        if !self.reaped {
            interrupt::send(self.pid, self.group, number);
        }
    }

    /// Waits for the end without taking note of it: [`Child::wait`] still tells what became of the child.
    pub(crate) fn await_end(&self) {
        if let Some(pid) = Pid::from_raw(self.pid).filter(|_| !self.reaped) {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        }
    }

    /// Whether it has ended, without waiting.
    pub fn try_wait(&mut self) -> Result<Option<Status>> {
        let ended = match Pid::from_raw(self.pid) {
            Some(pid) if !self.reaped => waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG,
            )
            .map_err(|error| Error::path("waitid", "", error.into()))?,
            _ => return self.wait().map(Some),
        };
        if ended.is_some() {
            self.wait().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> Result<Status> {
        if !self.reaped {
            // First without reaping: while the child is on the interrupt table its number must not go to another process.
            self.await_end();
            let mut table = interrupt::table();
            table.children.remove(&self.pid);
            table.take_terminal(self.pid);
            drop(table);
            self.reaped = true;
        }
        self.child
            .wait()
            .map(Status::of)
            .map_err(|error| Error::path("wait", "", error))
    }

    /// Ends it at once.
    pub fn kill(&mut self) -> Result<Status> {
        self.signal(signal_hook::consts::SIGKILL);
        self.wait()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.kill();
        }
    }
}

/// Go's name of a signal.
fn signal_text(signal: i32) -> String {
    use signal_hook::consts as s;
    let text = match signal {
        s::SIGHUP => "hangup",
        s::SIGINT => "interrupt",
        s::SIGQUIT => "quit",
        s::SIGILL => "illegal instruction",
        s::SIGTRAP => "trace/breakpoint trap",
        s::SIGABRT => "aborted",
        s::SIGBUS => "bus error",
        s::SIGFPE => "floating point exception",
        s::SIGKILL => "killed",
        s::SIGUSR1 => "user defined signal 1",
        s::SIGSEGV => "segmentation fault",
        s::SIGUSR2 => "user defined signal 2",
        s::SIGPIPE => "broken pipe",
        s::SIGALRM => "alarm clock",
        s::SIGTERM => "terminated",
        s::SIGXCPU => "CPU time limit exceeded",
        s::SIGXFSZ => "file size limit exceeded",
        s::SIGVTALRM => "virtual timer expired",
        s::SIGPROF => "profiling timer expired",
        s::SIGSYS => "bad system call",
        other => return format!("signal {other}"),
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let env = Environment::empty("/").with("PATH", "/usr/bin:/bin");
        let mut command = Command::new("sh", &env);
        command.arg("-c").arg(script);
        command
    }

    #[test]
    fn captures_apart_and_together() {
        let out = shell("echo a; echo b >&2; exit 3").output().unwrap();
        assert_eq!(
            (out.stdout.as_slice(), out.stderr.as_slice()),
            (&b"a\n"[..], &b"b\n"[..])
        );
        assert_eq!(out.status.to_string(), "exit status 3");
        let out = shell("echo a; echo b >&2; echo c").combined().unwrap();
        assert_eq!(out.text(), "a\nb\nc\n");
    }

    #[test]
    fn death_by_signal_is_told() {
        let status = shell("kill -9 $$").output().unwrap().status;
        assert_eq!(
            (status.to_string().as_str(), status.exit_code()),
            ("signal: killed", -1)
        );
    }

    #[test]
    fn variables_directory_and_input() {
        let mut command = shell("echo $A $PWD; cat");
        command.env("A", "1").dir("/tmp").input("in");
        assert_eq!(command.output().unwrap().text(), "1 /tmp\nin");
        let many = vec![b'x'; 1 << 20];
        assert_eq!(
            shell("cat").input(many.clone()).output().unwrap().stdout,
            many
        );
    }

    #[test]
    fn failures_read_like_gos() {
        let env = Environment::empty("/").with("PATH", "/nowhere");
        let text = Command::new("git", &env).output().unwrap_err().to_string();
        assert_eq!(text, "exec: \"git\": executable file not found in $PATH");
        let text = Command::new("/no/such", &env)
            .output()
            .unwrap_err()
            .to_string();
        assert_eq!(text, "fork/exec /no/such: no such file or directory");
    }

    #[test]
    fn a_dropped_child_is_dead_and_off_the_table() {
        let child = shell("exec sleep 100").spawn().unwrap();
        let pid = child.pid;
        assert!(interrupt::table().children.contains_key(&pid));
        drop(child);
        assert!(!interrupt::table().children.contains_key(&pid));
    }
}

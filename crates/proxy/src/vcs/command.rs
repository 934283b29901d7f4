//! Running version control programs: their variables, how `-x` shows them, what their failures say.

use camino::Utf8Path;
use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use steady_system::process::Command;
use steady_system::{Environment, Error as SystemError};

use crate::{Error, Observer};

/// Runs programs for one [`super::Vcs`].
pub struct Runner {
    environment: Environment,
    observer: Arc<dyn Observer>,
    trace: bool,
    remote: Remote,
}

/// Whether programs may use the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remote {
    /// They may.
    Allowed,
    /// The user said `-offline`.
    Offline,
    /// That would be an internal error (test hook).
    Forbidden,
}

/// One command.
pub struct Call<'a> {
    /// Program and arguments.
    pub line: &'a [&'a str],
    /// Where it runs.
    pub dir: &'a Utf8Path,
    /// It uses what is on this machine only.
    pub local: bool,
    /// One more variable for it.
    pub variable: Option<(&'a str, &'a str)>,
}

/// A command that failed.
#[derive(Clone, Debug)]
pub struct RunError {
    line: String,
    why: String,
    /// Exit code, if it ran.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub stderr: String,
    /// Advice to print below.
    pub help: String,
    interrupted: bool,
}

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.line, self.why)?;
        let stderr = self.stderr.trim_end_matches('\n');
        if !stderr.is_empty() {
            write!(f, ":\n\t{}", stderr.replace('\n', "\n\t"))?;
        }
        if !self.help.is_empty() {
            write!(f, "\n{}", self.help)?;
        }
        Ok(())
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Error {
        if error.interrupted {
            return SystemError::Interrupted.into();
        }
        Error::other(error.to_string())
    }
}

impl Runner {
    /// Programs get the environment's variables, and never ask at a terminal unless the user wants them to.
    pub fn new(
        environment: &Environment,
        observer: Arc<dyn Observer>,
        trace: bool,
        remote: Remote,
    ) -> Runner {
        let mut environment = environment.clone();
        let quiet = [("GIT_TERMINAL_PROMPT", "0"), ("GCM_INTERACTIVE", "never")];
        for (name, value) in quiet {
            if environment.get(name).is_empty() {
                environment = environment.with(name, value);
            }
        }
        if environment.get("GIT_SSH").is_empty() && environment.get("GIT_SSH_COMMAND").is_empty() {
            environment = environment.with(
                "GIT_SSH_COMMAND",
                "ssh -o ControlMaster=no -o BatchMode=yes",
            );
        }
        Runner {
            environment,
            observer,
            trace,
            remote,
        }
    }

    /// The variables that programs get.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// A line for `-x`.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        if self.trace {
            self.observer.trace(&line());
        }
    }

    /// A line that is printed in any case.
    pub fn warn(&self, line: &str) {
        self.observer.warn(line);
    }

    /// Runs to the end; standard output.
    pub fn run(&self, call: &Call<'_>) -> Result<Vec<u8>, RunError> {
        self.traced(call, || {
            let output = self.command(call).output().map_err(|e| failed(call, &e))?;
            if output.status.success() {
                return Ok(output.stdout);
            }
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(ended(call, &output.status, stderr))
        })
    }

    /// Runs to the end with standard output going to a file.
    pub fn run_into(&self, call: &Call<'_>, file: File) -> Result<(), RunError> {
        self.traced(call, || {
            let mut child = self
                .command(call)
                .spawn_with(Stdio::null(), Stdio::from(file), Stdio::piped())
                .map_err(|e| failed(call, &e))?;
            let mut stderr = Vec::new();
            if let Some(mut pipe) = child.take_stderr() {
                let _ = pipe.read_to_end(&mut stderr);
            }
            let status = child.wait().map_err(|e| failed(call, &e))?;
            if status.success() {
                return Ok(());
            }
            let stderr = String::from_utf8_lossy(&stderr).into_owned();
            Err(ended(call, &status, stderr))
        })
    }

    /// Runs to the end, as one asks whether something answers at all; shown differently by `-x`.
    pub fn ping(&self, name: &str, call: &Call<'_>) -> bool {
        if let Err(_missing) = self.environment.look_path(call.line[0]) {
            self.warn(&format!(
                "go: missing {name} command. See https://golang.org/s/gogetcmd"
            ));
            return false;
        }
        self.trace(|| format!("cd {}", call.dir));
        self.trace(|| call.line.join(" "));
        let output = self.command(call).output();
        output.is_ok_and(|output| output.status.success())
    }

    fn command(&self, call: &Call<'_>) -> Command {
        let mut command = Command::new(call.line[0], &self.environment);
        command.args(&call.line[1..]);
        if !call.dir.as_str().is_empty() {
            command.dir(call.dir);
        }
        if let Some((name, value)) = call.variable {
            command.env(name, value);
        }
        command
    }

    fn traced<T>(
        &self,
        call: &Call<'_>,
        run: impl FnOnce() -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let refused = match self.remote {
            Remote::Offline => Some("-offline: version control would have used the network"),
            Remote::Forbidden => Some("internal error: use of remote version control"),
            Remote::Allowed => None,
        };
        if let (Some(why), false) = (refused, call.local) {
            return Err(RunError::new(call, why.to_owned()));
        }
        if !self.trace {
            return run();
        }
        let text = shown(call);
        self.observer.trace(&text);
        let start = Instant::now();
        let done = run();
        let seconds = start.elapsed().as_secs_f64();
        self.observer.trace(&format!("{seconds:.3}s # {text}"));
        done
    }
}

impl RunError {
    fn new(call: &Call<'_>, why: String) -> RunError {
        RunError {
            line: format!("{} in {}", call.line.join(" "), call.dir),
            why,
            code: None,
            stderr: String::new(),
            help: String::new(),
            interrupted: false,
        }
    }
}

fn failed(call: &Call<'_>, error: &SystemError) -> RunError {
    RunError {
        interrupted: matches!(error, SystemError::Interrupted),
        ..RunError::new(call, error.to_string())
    }
}

fn ended(call: &Call<'_>, status: &steady_system::process::Status, stderr: String) -> RunError {
    RunError {
        code: status.code,
        stderr,
        interrupted: steady_system::interrupt::interrupted(),
        ..RunError::new(call, status.to_string())
    }
}

/// A command as a shell would take it.
fn shown(call: &Call<'_>) -> String {
    let mut text = String::new();
    if !call.dir.as_str().is_empty() {
        text = format!("cd {}; ", call.dir);
    }
    for (at, arg) in call.line.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        if arg.contains('\'') {
            text.push('"');
            for c in arg.chars() {
                if matches!(c, '"' | '$' | '`' | '\\') {
                    text.push('\\');
                }
                text.push(c);
            }
            text.push('"');
        } else if arg.contains(|c: char| "$`\\*?[\"\t\n\u{b}\u{c}\r \u{85}\u{a0}".contains(c)) {
            text += &format!("'{arg}'");
        } else {
            text += arg;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Silent;

    fn runner() -> Runner {
        let environment = Environment::empty("/").with("PATH", "/usr/bin:/bin");
        Runner::new(&environment, Arc::new(Silent), false, Remote::Allowed)
    }

    fn call<'a>(line: &'a [&'a str]) -> Call<'a> {
        Call {
            line,
            dir: Utf8Path::new("/"),
            local: true,
            variable: None,
        }
    }

    #[test]
    fn failures_say_what_was_run() {
        let error = runner().run(&call(&["sh", "-c", "echo a >&2; echo b >&2; exit 3"]));
        let error = error.unwrap_err();
        assert_eq!(error.code, Some(3));
        assert_eq!(
            error.to_string(),
            "sh -c echo a >&2; echo b >&2; exit 3 in /: exit status 3:\n\ta\n\tb"
        );
        let missing = runner().run(&call(&["no-such-program-here"])).unwrap_err();
        assert!(
            missing.to_string().ends_with(
                "in /: exec: \"no-such-program-here\": executable file not found in $PATH"
            )
        );
    }

    #[test]
    fn programs_do_not_ask() {
        let script = "echo $GIT_TERMINAL_PROMPT $GCM_INTERACTIVE $GIT_SSH_COMMAND";
        let output = runner().run(&call(&["sh", "-c", script])).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert_eq!(text, "0 never ssh -o ControlMaster=no -o BatchMode=yes\n");
    }

    #[test]
    fn shown_as_a_shell_takes_it() {
        let line = ["git", "log", "it's", "a b", "plain"];
        assert_eq!(shown(&call(&line)), "cd /; git log \"it's\" 'a b' plain");
    }

    #[test]
    fn remote_use_can_be_forbidden() {
        let environment = Environment::empty("/").with("PATH", "/usr/bin:/bin");
        let runner = Runner::new(&environment, Arc::new(Silent), false, Remote::Forbidden);
        assert!(runner.run(&call(&["true"])).is_ok());
        let remote = Call {
            local: false,
            ..call(&["true"])
        };
        assert!(runner.run(&remote).is_err());
    }
}

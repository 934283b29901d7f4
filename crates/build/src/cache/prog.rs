//! A cache that another program keeps: GOCACHEPROG.
//!
//! The two talk over the program's standard input and output, in JSON, one value a line. The program says first which commands
//! it knows; requests carry a number, and answers may come in any order. A `put` is followed by its body, a JSON string in
//! base64. Outputs are files that the program keeps and names; they may be used until it is told to close.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use base64::write::EncoderWriter;
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use steady_system::process::{Child, Command};

use super::{Entry, Id};
use crate::shell::lock;

/// How long to wait for the first answer before saying so.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Request {
    #[serde(rename = "ID")]
    id: i64,
    command: &'static str,
    #[serde(rename = "ActionID", skip_serializing_if = "String::is_empty")]
    action_id: String,
    #[serde(rename = "OutputID", skip_serializing_if = "String::is_empty")]
    output_id: String,
    #[serde(skip_serializing_if = "is_zero")]
    body_size: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
fn is_zero(size: &u64) -> bool {
    *size == 0
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Response {
    #[serde(rename = "ID")]
    id: i64,
    err: String,
    known_commands: Option<Vec<String>>,
    miss: bool,
    #[serde(rename = "OutputID")]
    output_id: Option<String>,
    size: u64,
    disk_path: String,
}

#[derive(Default)]
struct Answers {
    waiting: BTreeSet<i64>,
    arrived: HashMap<i64, Response>,
    /// Why there will be no more.
    ended: Option<String>,
}

type Shared = Arc<(Mutex<Answers>, Condvar)>;

/// A running cache program.
pub(super) struct Program {
    known: Vec<String>,
    answers: Shared,
    next: Mutex<i64>,
    writer: Mutex<Option<BufWriter<ChildStdin>>>,
    files: Mutex<HashMap<Id, Utf8PathBuf>>,
    child: Mutex<Child>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program")
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

impl Program {
    /// Starts a program and waits for what it says first. `waiting` is called as long as it says nothing.
    ///
    /// # Errors
    /// It cannot be started, ends, or knows no command; in go's words.
    pub fn start(name: &str, command: &Command, waiting: &dyn Fn()) -> Result<Program, String> {
        let quoted = crate::quote::quote(name);
        let mut child = command
            .spawn()
            .map_err(|error| format!("error starting GOCACHEPROG program {quoted}: {error}"))?;
        let (Some(stdin), Some(stdout)) = (child.take_stdin(), child.take_stdout()) else {
            return Err(format!(
                "error starting GOCACHEPROG program {quoted}: no pipes"
            ));
        };
        let answers: Shared = Arc::default();
        lock(&answers.0).waiting.insert(0);
        let reader = Arc::clone(&answers);
        let thread = std::thread::Builder::new().name("cacheprog".to_owned());
        thread
            .spawn(move || read_answers(stdout, &reader))
            .map_err(|error| error.to_string())?;
        let mut program = Program {
            known: Vec::new(),
            answers,
            next: Mutex::new(0),
            writer: Mutex::new(Some(BufWriter::new(stdin))),
            files: Mutex::default(),
            child: Mutex::new(child),
        };
        let first = program.wait_for(0, Some(waiting))?;
        program.known = first.known_commands.unwrap_or_default();
        if program.known.is_empty() {
            return Err(format!("GOCACHEPROG {name} declared no supported commands"));
        }
        Ok(program)
    }

    fn wait_for(&self, id: i64, waiting: Option<&dyn Fn()>) -> Result<Response, String> {
        let (mutex, condition) = &*self.answers;
        let mut answers = lock(mutex);
        loop {
            if let Some(response) = answers.arrived.remove(&id) {
                return if response.err.is_empty() {
                    Ok(response)
                } else {
                    Err(response.err)
                };
            }
            if let Some(reason) = &answers.ended {
                return Err(reason.clone());
            }
            let (guard, timeout) = condition
                .wait_timeout(answers, PATIENCE)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            answers = guard;
            if let Some(waiting) = waiting.filter(|_| timeout.timed_out()) {
                waiting();
            }
        }
    }

    fn send(&self, mut request: Request, body: Option<&mut dyn Read>) -> Result<Response, String> {
        let id = {
            let mut next = lock(&self.next);
            *next += 1;
            *next
        };
        request.id = id;
        lock(&self.answers.0).waiting.insert(id);
        self.write(&request, body)
            .map_err(|error| error.to_string())?;
        self.wait_for(id, None)
    }

    fn write(&self, request: &Request, body: Option<&mut dyn Read>) -> io::Result<()> {
        let mut writer = lock(&self.writer);
        let writer = writer.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        serde_json::to_writer(&mut *writer, request)?;
        writer.write_all(b"\n\n")?;
        if let Some(body) = body {
            writer.write_all(b"\"")?;
            let mut encoder = EncoderWriter::new(&mut *writer, &BASE64);
            let copied = io::copy(&mut body.take(request.body_size), &mut encoder)?;
            encoder.finish()?;
            drop(encoder);
            if copied < request.body_size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            writer.write_all(b"\"\n")?;
        }
        writer.flush()
    }

    fn knows(&self, command: &str) -> bool {
        self.known.iter().any(|known| known == command)
    }

    /// The entry of an action; its output is then a file.
    pub fn get(&self, action: &Id) -> Option<Entry> {
        if !self.knows("get") {
            return None;
        }
        let request = Request {
            command: "get",
            action_id: BASE64.encode(action),
            ..Request::default()
        };
        let response = self.send(request, None).ok()?;
        if response.miss || response.disk_path.is_empty() {
            return None;
        }
        let output: Id = BASE64.decode(response.output_id?).ok()?.try_into().ok()?;
        lock(&self.files).insert(output, response.disk_path.into());
        Some(Entry {
            output,
            size: response.size,
            time: 0,
        })
    }

    /// Gives the program an output to keep. `None` if it keeps none.
    ///
    /// # Errors
    /// What the program says.
    pub fn put(
        &self,
        action: &Id,
        output: &Id,
        size: u64,
        mut content: impl Read,
    ) -> Result<Option<Utf8PathBuf>, String> {
        if !self.knows("put") {
            return Ok(None);
        }
        let request = Request {
            command: "put",
            action_id: BASE64.encode(action),
            output_id: BASE64.encode(output),
            body_size: size,
            ..Request::default()
        };
        let response = self.send(request, (size > 0).then_some(&mut content as &mut dyn Read))?;
        if response.disk_path.is_empty() {
            return Err("GOCACHEPROG didn't return DiskPath in put response".into());
        }
        let path = Utf8PathBuf::from(response.disk_path);
        lock(&self.files).insert(*output, path.clone());
        Ok(Some(path))
    }

    /// The file of an output that was got or put.
    pub fn output_file(&self, output: &Id) -> Option<Utf8PathBuf> {
        lock(&self.files).get(output).cloned()
    }

    /// Tells the program that it is over, and waits for its end.
    ///
    /// # Errors
    /// What the program says.
    pub fn close(&self) -> Result<(), String> {
        let closed = if self.knows("close") && lock(&self.writer).is_some() {
            self.send(
                Request {
                    command: "close",
                    ..Request::default()
                },
                None,
            )
            .map(drop)
        } else {
            Ok(())
        };
        drop(lock(&self.writer).take());
        let _ = lock(&self.child).wait();
        // A program that ends at once instead of answering has closed as well.
        let ended = lock(&self.answers.0).ended.clone();
        closed.or_else(|error| {
            if Some(&error) == ended.as_ref() {
                Ok(())
            } else {
                Err(error)
            }
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(lock(&self.writer).take());
        let _ = lock(&self.child).wait();
    }
}

fn read_answers(stdout: ChildStdout, answers: &Shared) {
    let (mutex, condition) = &**answers;
    let mut reason = None;
    let stream =
        serde_json::Deserializer::from_reader(BufReader::new(stdout)).into_iter::<Response>();
    for response in stream {
        match response {
            Ok(response) => {
                let mut answers = lock(mutex);
                if answers.waiting.remove(&response.id) {
                    answers.arrived.insert(response.id, response);
                    condition.notify_all();
                } else {
                    reason = Some(format!(
                        "GOCACHEPROG sent response for unknown request ID {}",
                        response.id
                    ));
                    break;
                }
            }
            Err(error) => {
                reason = Some(format!("error reading JSON from GOCACHEPROG: {error}"));
                break;
            }
        }
    }
    let mut answers = lock(mutex);
    let pending = answers.waiting.len();
    let reason = reason
        .unwrap_or_else(|| format!("GOCACHEPROG exited pre-Close with {pending} pending requests"));
    answers.ended = Some(reason);
    condition.notify_all();
}

#[cfg(test)]
mod tests {
    use super::*;
    use steady_system::Environment;

    fn start(script: &str) -> Result<Program, String> {
        let environment = Environment::empty("/").with("PATH", "/usr/bin:/bin");
        let mut command = Command::new("sh", &environment);
        command.args(["-c", script]);
        Program::start("sh", &command, &|| {})
    }

    #[test]
    fn talks() {
        let program = start(
            r#"echo '{"ID":0,"KnownCommands":["get","put","close"]}'
            read -r line; read -r empty
            case "$line" in *'"Command":"put"'*'"BodySize":3'*) ;; *) exit 1 ;; esac
            read -r body
            [ "$body" = '"YWJj"' ] || exit 1
            echo '{"ID":1,"DiskPath":"/kept"}'
            read -r line; read -r empty
            echo '{"ID":2,"Miss":true}'
            read -r line; read -r empty
            echo '{"ID":3,"OutputID":"AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=","Size":3,"DiskPath":"/kept"}'
            read -r line; read -r empty
            echo '{"ID":4}'"#,
        )
        .unwrap();
        assert_eq!(
            program
                .put(&[1; 32], &[2; 32], 3, &b"abc"[..])
                .unwrap()
                .unwrap(),
            "/kept"
        );
        assert_eq!(program.get(&[3; 32]), None);
        let entry = program.get(&[1; 32]).unwrap();
        assert_eq!((entry.output, entry.size), ([2; 32], 3));
        assert_eq!(program.output_file(&[2; 32]).unwrap(), "/kept");
        program.close().unwrap();
    }

    #[test]
    fn bad_programs() {
        assert!(
            start("exit 0")
                .unwrap_err()
                .contains("exited pre-Close with 1 pending requests")
        );
        assert!(
            start("echo nonsense; cat")
                .unwrap_err()
                .starts_with("error reading JSON from GOCACHEPROG")
        );
        assert_eq!(
            start(r#"echo '{"ID":0}'; cat"#).unwrap_err(),
            "GOCACHEPROG sh declared no supported commands"
        );
        let program = start(
            r#"echo '{"ID":0,"KnownCommands":["get","put"]}'; read -r a; read -r b; echo '{"ID":1,"Err":"no"}'"#,
        );
        let program = program.unwrap();
        assert_eq!(
            program.put(&[1; 32], &[2; 32], 0, &b""[..]).unwrap_err(),
            "no"
        );
        assert_eq!(program.get(&[1; 32]), None, "it has ended");
        program.close().unwrap();
    }
}

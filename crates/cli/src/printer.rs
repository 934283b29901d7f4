//! The one way out: data to standard output, everything else to standard error, both in whole messages.
//!
//! A pipe that nobody reads any more is not an error worth a message: what is left to say is dropped.

use camino::{Utf8Path, Utf8PathBuf};
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use steady_build::inputs::Explanation;

use crate::diagnostics;
use crate::progress::BuildProgress;

/// More bytes of errors than this nobody needs hints for.
const MANY_ERRORS: usize = 64 << 10;

/// What there is for people only.
struct Stage {
    cwd: Utf8PathBuf,
    progress: BuildProgress,
}

impl Stage {
    fn new(cwd: &Utf8Path) -> Stage {
        Stage {
            cwd: cwd.to_owned(),
            progress: BuildProgress::default(),
        }
    }
}

/// Receives all that a command says. Shared between threads; each call is one message.
pub struct Printer {
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Box<dyn Write + Send>>,
    terminal: bool,
    failed: AtomicBool,
    closed: AtomicBool,
    /// Set if people look on, who called us by our own name.
    stage: OnceLock<Stage>,
    /// Errors that were said, as long as somebody wants to say more of them in the end.
    errors: Mutex<Option<String>>,
    /// What went to standard output, as long as nothing went anywhere else and somebody wants to keep it.
    record: Mutex<Option<Vec<u8>>>,
}

impl std::fmt::Debug for Printer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Printer")
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

impl Printer {
    /// Standard output (buffered) and standard error.
    #[must_use]
    pub fn standard() -> Printer {
        Printer {
            out: Mutex::new(Box::new(io::BufWriter::with_capacity(
                1 << 16,
                io::stdout(),
            ))),
            err: Mutex::new(Box::new(io::stderr())),
            terminal: io::stderr().is_terminal(),
            failed: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            stage: OnceLock::new(),
            errors: Mutex::new(None),
            record: Mutex::new(None),
        }
    }

    /// Writes to the given places (tests).
    #[must_use]
    pub fn to(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Printer {
        Printer {
            out: Mutex::new(out),
            err: Mutex::new(err),
            terminal: false,
            failed: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            stage: OnceLock::new(),
            errors: Mutex::new(None),
            record: Mutex::new(None),
        }
    }

    /// From here on standard output is kept too.
    pub fn start_record(&self) {
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    /// All of standard output, if that is all that was said and it arrived.
    pub fn take_record(&self) -> Option<Vec<u8>> {
        let record = self.record.lock();
        let record = record.unwrap_or_else(PoisonError::into_inner).take();
        record.filter(|_| !self.is_closed() && !self.failed())
    }

    /// Is standard error a terminal: may there be colour and progress bars?
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// People look on: builds show how far they are, and errors the lines that they are about. `cwd` is the directory that messages
    /// are relative to.
    pub fn set_stage(&self, cwd: &Utf8Path) {
        if self.terminal {
            self.stage.get_or_init(|| Stage::new(cwd));
        }
    }

    /// Something is written to the terminal, on which a line that moves may stand.
    fn beside_progress(&self, write: impl FnOnce()) {
        match self.stage.get() {
            Some(stage) => stage.progress.suspend(write),
            None => write(),
        }
    }

    /// An error in a source file as it stands, for people with the line in question; the command will end with code 1.
    pub fn error_at(&self, message: impl AsRef<str>) {
        self.error_plain(self.with_source(message.as_ref()));
    }

    fn with_source<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.stage.get() {
            Some(stage) => Cow::Owned(diagnostics::with_source(text, &stage.cwd)),
            None => Cow::Borrowed(text),
        }
    }

    /// Data: exactly this text on standard output.
    pub fn out(&self, text: impl AsRef<[u8]>) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = record.as_mut() {
            record.extend_from_slice(text.as_ref());
        }
        drop(record);
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.write_all(text.as_ref()).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Exactly this text on standard error. Data written before is shown before.
    pub fn err(&self, text: impl AsRef<[u8]>) {
        self.flush();
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.beside_progress(|| {
            let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = err.write_all(text.as_ref());
        });
    }

    /// A line on standard error.
    pub fn note(&self, line: impl AsRef<str>) {
        let mut text = line.as_ref().to_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        self.err(text);
    }

    /// From here on errors are kept too.
    pub fn start_errors(&self) {
        *self.errors.lock().unwrap_or_else(PoisonError::into_inner) = Some(String::new());
    }

    /// The errors that were kept, a paragraph each.
    pub fn take_errors(&self) -> String {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.take().unwrap_or_default()
    }

    /// Keeps an error that is said in another way.
    pub fn keep_error(&self, message: &str) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(errors) = errors.as_mut().filter(|kept| kept.len() < MANY_ERRORS) {
            errors.push_str(message.trim_end());
            errors.push_str("\n\n");
        }
    }

    /// An error as it stands; the command will end with code 1.
    pub fn error_plain(&self, message: impl AsRef<str>) {
        self.keep_error(message.as_ref());
        self.failed.store(true, Ordering::Relaxed);
        self.note(message);
    }

    /// An error after `go: `; the command will end with code 1.
    pub fn error(&self, message: impl AsRef<str>) {
        self.error_plain(format!("go: {}", message.as_ref()));
    }

    /// The command will end with code 1, although no error was printed here.
    pub fn set_failed(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// Has an error been printed?
    #[must_use]
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// Nobody reads standard output any more (or it cannot be written): there is no point in producing more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Hands buffered data over.
    pub fn flush(&self) {
        self.beside_progress(|| {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            if out.flush().is_err() {
                self.closed.store(true, Ordering::Relaxed);
            }
        });
    }
}

impl steady_build::Sink for Printer {
    fn print(&self, _package: Option<&str>, text: &str) {
        self.err(text);
    }

    fn error(&self, _package: Option<&str>, text: &str) {
        self.error_at(text);
    }

    fn diagnostics(&self, text: &str) {
        self.err(self.with_source(text).as_bytes());
    }

    fn watches(&self) -> bool {
        self.stage.get().is_some()
    }

    fn progress(&self, progress: Option<&steady_build::Progress<'_>>) {
        if let Some(stage) = self.stage.get() {
            stage.progress.show(progress);
        }
    }

    fn rebuilt(&self, package: &str, explanation: &Explanation) {
        self.err(format!("{package}{explanation}"));
    }

    fn stdout(&self, bytes: &[u8]) {
        self.out(bytes);
        self.flush();
    }
}

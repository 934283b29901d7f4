//! One run: who was called, with which settings, and where words go.

use camino::Utf8PathBuf;
use std::sync::Arc;

use crate::answers::Memory;
use crate::command::Command;
use crate::flags::GoFlags;
use crate::printer::Printer;
use crate::settings::Settings;
use steady_system::{Environment, Files};

/// Where Steady's own memories lie, if the user has a place for caches.
#[must_use]
pub fn memories(environment: &Environment) -> Option<Utf8PathBuf> {
    let caches = environment.user_cache_dir().ok()?;
    Some(caches.join("steady"))
}

/// The name that the binary was called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called {
    /// `go`: it is the go command, and nothing else.
    Go,
    /// Any other name: Steady's own commands, help and hints are there too.
    Steady,
}

impl Called {
    /// By the last element of `argv[0]`.
    #[must_use]
    pub fn from_program(program: &str) -> Called {
        let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
        match name.strip_suffix(".exe").unwrap_or(name) {
            "go" => Called::Go,
            _ => Called::Steady,
        }
    }

    /// What to call the program in messages about usage.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Called::Go => "go",
            Called::Steady => "steady",
        }
    }

    /// Is the command there under this name?
    #[must_use]
    pub fn knows(self, command: &Command) -> bool {
        self == Called::Steady || !command.is_own()
    }
}

/// What a command works with.
pub struct Session {
    /// The name that the binary was called by.
    pub called: Called,
    /// `argv[0]`, for the few messages that begin with it.
    pub program: String,
    /// Variables as meant.
    pub settings: Settings,
    /// Files of this machine (with the overlay, once a command has set it).
    pub files: Files,
    /// Where words go.
    pub printer: Arc<Printer>,
    /// The command that runs.
    pub command: &'static Command,
    /// GOFLAGS, checked.
    pub goflags: GoFlags,
    /// Where this run's answer is kept, if it may be.
    pub memory: Option<Arc<Memory>>,
}

impl Session {
    /// The run asks more than files: its answer cannot be given again from what files look like.
    pub fn spoil_answer(&self) {
        if let Some(sightings) = self.files.sightings() {
            sightings.spoil();
        }
    }

    /// The same session once more, for work beside it.
    #[must_use]
    pub fn fork(&self) -> Session {
        Session {
            called: self.called,
            program: self.program.clone(),
            settings: self.settings.clone(),
            files: self.files.clone(),
            printer: Arc::clone(&self.printer),
            command: self.command,
            goflags: self.goflags.clone(),
            memory: None,
        }
    }

    /// The environment of the process.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.settings.environment
    }
}

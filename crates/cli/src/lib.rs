//! The command line of Steady: arguments as typed become flags as meant, one thin file a command, one printer, one table of exit
//! codes.
//!
//! The way of a run: [`run`] finds the command ([`command`], [`commands`]), reads the environment ([`settings`]), chooses the
//! toolchain ([`toolchain`]), reads flags by Go's grammar ([`flags`]) and calls the command with a [`session::Session`]. Commands
//! give data to the printer and reasons to stop as a [`failure::Failure`]; what becomes of those is decided here alone.
//!
//! It is a library with a thin program around it so that the reference ([`commands::completions::reference`]) and the tests use the
//! same definitions.

mod answers;
mod build_events;
mod cflags;
pub mod command;
pub mod commands;
#[allow(dead_code)] // the commands that load packages are not there yet
mod configs;
mod diagnostics;
mod early;
pub mod exit;
pub mod failure;
mod fips;
pub mod flags;
mod frozen;
#[allow(dead_code)] // the commands that print lines of JSON are not there yet
mod gojson;
pub mod help;
mod loading;
mod modules;
pub mod printer;
mod programs;
mod progress;
pub mod session;
pub mod settings;
mod stamp;
pub mod template;
pub mod toolchain;
mod vcs_state;
mod worktree;

use std::sync::{Arc, OnceLock};

use command::{Command, Kind};
use commands::GO;
use exit::Status;
use failure::Failure;
use flags::{FlagError, GoFlags};
use printer::Printer;
use session::{Called, Session};
use settings::Settings;
use steady_system::{Environment, Files};

/// How often a command may find that it needs a newer Go. Once is the rule; a second time happens when the first choice was
/// made for a module that then turns out to need another one.
const MAX_SWITCHES: usize = 10;

/// Does what `environment`'s arguments say, and tells how it ended.
#[must_use]
pub fn run(environment: Environment, printer: Printer) -> Status {
    let printer = Arc::new(printer);
    let words = environment.arguments().to_vec();
    let program = environment.argv0().to_owned();
    let called = Called::from_program(&program);
    let start = Start {
        called,
        program,
        printer: Arc::clone(&printer),
        memory: OnceLock::new(),
    };
    if called == Called::Steady {
        printer.start_errors();
    }
    let status = match start.run(environment, words) {
        Ok(status) => status,
        Err(failure) => report(&printer, failure),
    };
    printer.flush();
    hint(&printer);
    if printer.failed() {
        status.max(Status::FAILED)
    } else {
        status
    }
}

/// What to do about the errors that were said, where that is known. Hints come last.
fn hint(printer: &Printer) {
    let errors = printer.take_errors();
    if errors.is_empty() {
        return;
    }
    for way in steady_assure::explain::error::ways_out(&errors) {
        printer.note(if way.command.is_empty() {
            format!("hint: {}", way.what)
        } else {
            format!("hint: {}  ({})", way.command, way.what)
        });
    }
}

/// Says why a run failed. [`Failure::Usage`] has been turned into words where the command is known.
fn report(printer: &Printer, failure: Failure) -> Status {
    match failure {
        Failure::Errors(messages) | Failure::TooNew { messages, .. } => {
            messages.iter().for_each(|message| printer.error(message));
            Status::FAILED
        }
        Failure::Message(message, status) => {
            printer.keep_error(&message);
            printer.note(message);
            status
        }
        Failure::Hinted(failure, hint) => {
            let status = report(printer, *failure);
            printer.take_errors(); // this one knows better
            printer.note(format!("hint: {hint}"));
            status
        }
        Failure::Usage => Status::USAGE,
        Failure::Said(status) => status,
    }
}

/// What is known before settings are read.
struct Start {
    called: Called,
    program: String,
    printer: Arc<Printer>,
    /// Where this run's answer is kept, if it may be.
    memory: OnceLock<Arc<answers::Memory>>,
}

impl Start {
    fn run(&self, mut environment: Environment, mut words: Vec<String>) -> failure::Result {
        let find = |words: &[String]| GO.find(words, self.called == Called::Steady);
        let (_, used) = find(&words);
        if let Some(dir) = take_chdir(&mut words, used) {
            environment = change_dir(environment, &dir)?;
        }
        if let Some(status) = self.without_toolchain(&mut words)? {
            return Ok(status);
        }
        let (command, used) = find(&words); // only now: `-C dir` and `--` may have stood in front
        // Only what looks at files and nothing else can be answered from memory; whether a run was such a one it says itself.
        let memory = answers::COMMANDS
            .contains(&command.long_name())
            .then(|| answers::Memory::open(&environment, self.called.name(), &words))
            .flatten()
            .map(Arc::new);
        if let Some(known) = memory.as_ref().and_then(|memory| memory.recall()) {
            self.printer.out(known.text);
            return Ok(known.start.map_or(Status::DONE, |program| {
                commands::run::start(&self.printer, &environment, &program)
            }));
        }
        let mut files = Files::new(environment.cwd());
        if let Some(memory) = &memory {
            files = files.watched(memory.sightings());
            environment = environment.watched(memory.sightings());
            self.printer.start_record();
            let _ = self.memory.set(Arc::clone(memory));
        }
        let status = self.choose_and_do(command, (environment, files), &words, used)?;
        if let Some(memory) = memory.filter(|_| status == Status::DONE)
            && let Some(text) = self.printer.take_record()
        {
            memory.keep(&text, None);
        }
        Ok(status)
    }

    fn choose_and_do(
        &self,
        command: &'static Command,
        (environment, files): (Environment, Files),
        words: &[String],
        mut used: usize,
    ) -> failure::Result {
        let mut settings = Settings::load(environment, &files);
        if self.called == Called::Steady {
            settings.frozen = frozen::asked(command, settings.get("GOFLAGS"), words, used);
        }
        let settings = self.chooser(&files, words).choose(settings)?;
        check_goroot(&settings, &files)?;
        check_gopath(&settings, &self.printer)?;
        if !command.is_runnable() {
            used = used.min(words.len());
            return self.no_command(command, words, used);
        }
        self.invoke_and_switch(command, settings, &files, words, used)
    }

    /// Does the command; if it finds that it needs a newer Go and GOTOOLCHAIN allows, does it again with one.
    fn invoke_and_switch(
        &self,
        command: &'static Command,
        mut settings: Settings,
        files: &Files,
        words: &[String],
        used: usize,
    ) -> failure::Result {
        for _ in 0..MAX_SWITCHES {
            let (ask, messages) =
                match self.invoke(command, settings.clone(), files.clone(), &words[used..]) {
                    Err(Failure::TooNew { ask, messages }) => (ask, messages),
                    other => return other,
                };
            settings = match self.chooser(files, words).switch(&settings, &ask) {
                Ok(Some(settings)) => settings,
                Ok(None) => return Err(Failure::Errors(messages)),
                Err(error) => {
                    messages
                        .iter()
                        .for_each(|message| self.printer.error(message));
                    return Err(error);
                }
            };
        }
        Err(Failure::error("too many toolchain switches"))
    }

    fn chooser<'a>(&'a self, files: &'a Files, words: &'a [String]) -> toolchain::Chooser<'a> {
        toolchain::Chooser {
            files,
            words,
            printer: &self.printer,
            called: self.called,
        }
    }

    /// Help, versions and mistakes at the very front: nothing else needs to be known for these.
    fn without_toolchain(&self, words: &mut Vec<String>) -> failure::Result<Option<Status>> {
        let first = words.first().map(String::as_str);
        match (self.called, first) {
            (_, None) => {}
            (_, Some("help")) => {
                return help::help(&self.printer, self.called, &words[1..]).map(Some);
            }
            (Called::Steady, Some("--help" | "-help" | "-h")) => {
                return help::help(&self.printer, self.called, &[]).map(Some);
            }
            (Called::Steady, Some("--version" | "-V")) => {
                self.printer
                    .out(format!("steady {}\n", env!("CARGO_PKG_VERSION")));
                return Ok(Some(Status::DONE));
            }
            (_, Some(flag)) if flag.len() > 1 && flag.starts_with('-') => {
                match flags::grammar::parse(
                    &clap::Command::new("go").no_binary_name(true),
                    &[],
                    words,
                ) {
                    Ok(parsed) if !parsed.arguments.is_empty() => {
                        *words = parsed.arguments;
                        return Ok(None);
                    }
                    Ok(_) | Err(FlagError::Help) => {}
                    Err(error) => self.printer.note(error.to_string()),
                }
            }
            _ => return Ok(None),
        }
        self.printer.err(help::group(&GO, self.called));
        Ok(Some(Status::USAGE))
    }

    /// A group without a command behind it, `help` behind a group, or a name that nobody knows.
    fn no_command(
        &self,
        group: &'static Command,
        words: &[String],
        used: usize,
    ) -> failure::Result {
        let name = self.called.name();
        let Some(word) = words.get(used) else {
            self.printer.err(help::group(group, self.called));
            return Ok(Status::USAGE);
        };
        if word == "help" {
            let topic: Vec<String> = words[..used]
                .iter()
                .chain(&words[used + 1..])
                .cloned()
                .collect();
            return help::help(&self.printer, self.called, &topic);
        }
        let before = words[..used].join(" ");
        let shown = if used == 0 { word } else { &before };
        let help = if used == 0 {
            String::new()
        } else {
            format!(" {before}")
        };
        self.printer.note(format!(
            "{name} {shown}: unknown command\nRun '{name} help{help}' for usage."
        ));
        if self.called == Called::Steady {
            let names = group
                .commands()
                .iter()
                .filter(|c| !matches!(c.kind, Kind::Topic))
                .map(|c| c.name());
            if let Some(similar) = help::similar(word, names) {
                self.printer
                    .note(format!("hint: did you mean '{name}{help} {similar}'?"));
            }
        }
        Ok(Status::USAGE)
    }

    fn invoke(
        &self,
        command: &'static Command,
        settings: Settings,
        files: Files,
        words: &[String],
    ) -> failure::Result {
        let name = command.long_name();
        if name != "env" {
            self.check_target(&settings)?;
        }
        let lenient = matches!(name, "env" | "bug");
        let goflags = GoFlags::parse(settings.get("GOFLAGS"), lenient, |flag| {
            GO.has_flag(flag, self.called)
                || commands::vet::checker_has(&settings, &files, command, words, flag)
        })
        .map_err(Failure::error)?;
        if self.called == Called::Steady {
            self.printer.set_stage(settings.environment.cwd());
        }
        let mut session = Session {
            called: self.called,
            program: self.program.clone(),
            settings,
            files,
            printer: Arc::clone(&self.printer),
            command,
            goflags,
            memory: self.memory.get().cloned(),
        };
        let result = match command.kind {
            Kind::Run { flags, run } | Kind::Own { flags, run } => {
                let definition = command.definition(self.called).unwrap_or_else(flags);
                let parsed = session
                    .goflags
                    .apply(&definition)
                    .and_then(|goflags| flags::grammar::parse(&definition, &goflags, words));
                match parsed {
                    Ok(parsed) => run(&mut session, &parsed),
                    Err(error) => {
                        if let Some(ask) = early::newer_go(&mut session, &definition, words) {
                            let messages =
                                vec![format!("{} requires go >= {}", ask.what, ask.version)];
                            return Err(Failure::TooNew { ask, messages });
                        }
                        return Ok(self.wrong_flag(command, &definition, &error));
                    }
                }
            }
            Kind::Raw { run, .. } => run(&mut session, words),
            Kind::Group(_) | Kind::Topic => Err(Failure::Usage),
        };
        match result {
            Err(Failure::Usage) => {
                self.printer.err(help::short_usage(command, self.called));
                Err(Failure::Said(Status::USAGE))
            }
            other => other,
        }
    }

    fn wrong_flag(
        &self,
        command: &Command,
        definition: &flags::Definition,
        error: &FlagError,
    ) -> Status {
        if *error == FlagError::Help && self.called == Called::Steady {
            self.printer.out(help::text(command, self.called));
            return Status::DONE;
        }
        if *error != FlagError::Help {
            self.printer.note(error.to_string());
        }
        self.printer.err(help::short_usage(command, self.called));
        if let (FlagError::Unknown(name), Called::Steady) = (error, self.called) {
            let known = definition.get_arguments().filter_map(clap::Arg::get_long);
            if let Some(similar) = help::similar(name, known) {
                self.printer.note(format!("hint: did you mean -{similar}?"));
            }
        }
        Status::USAGE
    }

    /// Variables of the target that cannot be: said as the toolchain's own check says it.
    fn check_target(&self, settings: &Settings) -> failure::Result<()> {
        let program = self
            .program
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or(&self.program);
        settings
            .check()
            .map_err(|error| Failure::Message(format!("{program}: {error}"), Status::USAGE))?;
        settings.experiments().map_err(|error| {
            // The toolchain's check looks at the environment, the go command at all settings.
            match settings.environment.get("GOEXPERIMENT") {
                "" => Failure::error(error),
                _ => Failure::Message(format!("{program}: {error}"), Status::USAGE),
            }
        })?;
        Ok(())
    }
}

/// Takes `-C dir` off the command line if it stands right before or behind the command.
fn take_chdir(words: &mut Vec<String>, used: usize) -> Option<String> {
    let word = words.get(used)?;
    if matches!(word.as_str(), "-C" | "--C") {
        words.get(used + 1)?;
        words.remove(used);
        return Some(words.remove(used));
    }
    let dir = word
        .strip_prefix("--C=")
        .or_else(|| word.strip_prefix("-C="))?
        .to_owned();
    words.remove(used);
    Some(dir)
}

/// Puts the run into another directory.
fn change_dir(environment: Environment, dir: &str) -> failure::Result<Environment> {
    if dir.is_empty() {
        return Err(Failure::error("chdir : no such file or directory"));
    }
    let files = Files::new(environment.cwd());
    let path = files.absolute(dir);
    match files.stat(&path) {
        Ok(found) if found.is_dir() => Ok(environment.in_dir(path)),
        Ok(_) => Err(Failure::error(format!("chdir {dir}: not a directory"))),
        Err(error) => Err(Failure::error(format!("chdir {dir}: {}", error.cause()))),
    }
}

fn check_goroot(settings: &Settings, files: &Files) -> failure::Result<()> {
    match &settings.goroot {
        None => Err(Failure::Message(
            "go: cannot find GOROOT directory: no Go toolchain was found and none could be chosen"
                .to_owned(),
            Status::USAGE,
        )),
        Some(goroot) if !files.is_dir(goroot) => Err(Failure::Message(
            format!("go: cannot find GOROOT directory: {goroot}"),
            Status::USAGE,
        )),
        Some(_) => Ok(()),
    }
}

fn check_gopath(settings: &Settings, printer: &Printer) -> failure::Result<()> {
    let gopath = settings.gopath();
    let goroot = settings
        .goroot
        .as_ref()
        .map_or("", |goroot| goroot.as_str());
    if !gopath.is_empty() && gopath.trim_end_matches('/') == goroot {
        printer.note(format!(
            "warning: both GOPATH and GOROOT are the same directory ({gopath}); see https://go.dev/wiki/InstallTroubleshooting"
        ));
        return Ok(());
    }
    for entry in std::env::split_paths(&gopath) {
        let entry = entry.to_string_lossy();
        let quoted = steady_build::quote::quote(&entry);
        if entry.starts_with('~') {
            return Err(Failure::Message(
                format!("go: GOPATH entry cannot start with shell metacharacter '~': {quoted}"),
                Status::USAGE,
            ));
        }
        if !entry.is_empty()
            && !std::path::Path::new(entry.as_ref()).is_absolute()
            && !settings.get("GOPATH").is_empty()
        {
            return Err(Failure::Message(
                format!(
                    "go: GOPATH entry is relative; must be absolute path: {quoted}.\nFor more details see: 'go help gopath'"
                ),
                Status::USAGE,
            ));
        }
    }
    Ok(())
}

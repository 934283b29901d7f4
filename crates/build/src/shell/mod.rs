//! Everything a build does to the outside, and how `-x` and `-n` show it.
//!
//! Every step goes through a [`Shell`], which prints the shell line that would do the same (the work directory as `$WORK`, the
//! directory of the line as `.`) and, unless `-n`, does it. Output of tools is rewritten so that paths are as short as they can
//! be from where the user stands, and generated C names read as they were written.

mod files;
pub(crate) mod paths;
pub(crate) mod process;

use camino::{Utf8Path, Utf8PathBuf};
use regex_lite::Regex;
use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use steady_packages::package::Package;
use steady_system::{Environment, describe_io};

use crate::config::BuildConfig;
use crate::quote::{command_line, quote};
use crate::sink::Sink;
use paths::{replace_prefix, short_path};
use process::{Ran, Spec};

/// A step failed. What is printed of it, and the package that its text already names.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub text: String,
    pub import_path: Option<String>,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Failure {
        Failure {
            text: text.into(),
            import_path: None,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(describe_io(&error))
    }
}

pub(crate) type Done<T = ()> = Result<T, Failure>;

/// What all shells of a build share.
pub(crate) struct Shared {
    pub config: Arc<BuildConfig>,
    pub sink: Arc<dyn Sink>,
    /// What tools start with.
    pub environment: Environment,
    /// The work directory, without a slash at its end; `$WORK` under `-n`.
    pub work: String,
    script_dir: Mutex<String>,
    made: Mutex<HashSet<String>>,
}

impl Shared {
    pub fn new(config: Arc<BuildConfig>, sink: Arc<dyn Sink>, work: String) -> Shared {
        let environment = environment_of(&config);
        Shared {
            config,
            sink,
            environment,
            work,
            script_dir: Mutex::default(),
            made: Mutex::default(),
        }
    }
}

/// The environment of a build's tools.
pub(crate) fn environment_of(config: &BuildConfig) -> Environment {
    let mut all = Environment::empty(config.cwd.clone());
    all.extend(config.environment.iter().map(|(name, value)| (name, value)));
    match &config.sightings {
        // Where a compiler was looked for counts as much as where it was found.
        Some(sightings) => all.watched(Arc::clone(sightings)),
        None => all,
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The means of one action, or of the build as a whole when there is no package.
#[derive(Clone, Copy)]
pub(crate) struct Shell<'a> {
    shared: &'a Shared,
    package: Option<&'a Package>,
    /// Where the output of tools that succeed is kept, to be replayed when the step is found in the cache.
    output: Option<&'a Mutex<Option<String>>>,
    /// Where it is noted which tools ran, if anybody wants to know.
    log: Option<&'a Mutex<Vec<Started>>>,
}

/// A tool that ran.
#[derive(Debug, Clone)]
pub(crate) struct Started {
    pub line: String,
    pub at: SystemTime,
    pub took: Duration,
}

static GENERATED_LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\[[^\[\]]+\.(cgo1|cover)\.go:[0-9]+(:[0-9]+)?\]").expect("a fixed pattern")
});
static GENERATED_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b_C2?(type|func|var|macro)_\B").expect("a fixed pattern"));

/// Writes names of C as they were written in the source.
pub(crate) fn restore_c_names(text: &str) -> String {
    GENERATED_NAME.replace_all(text, "C.").into_owned()
}

impl<'a> Shell<'a> {
    pub fn background(shared: &'a Shared) -> Shell<'a> {
        Shell {
            shared,
            package: None,
            output: None,
            log: None,
        }
    }

    pub fn of(
        shared: &'a Shared,
        package: Option<&'a Package>,
        output: &'a Mutex<Option<String>>,
    ) -> Shell<'a> {
        Shell {
            shared,
            package,
            output: Some(output),
            log: None,
        }
    }

    /// The same shell, which notes the tools that it runs.
    pub fn logging(self, log: Option<&'a Mutex<Vec<Started>>>) -> Shell<'a> {
        Shell { log, ..self }
    }

    fn description(&self) -> Option<String> {
        self.package.map(Package::description)
    }

    pub fn print(&self, text: &str) {
        let _guard = lock(&self.shared.script_dir);
        self.shared.sink.print(self.description().as_deref(), text);
    }

    pub fn error(&self, text: &str) {
        let _guard = lock(&self.shared.script_dir);
        self.shared.sink.error(self.description().as_deref(), text);
    }

    /// Whether lines are shown: `-x` or `-n`.
    pub fn shows(&self) -> bool {
        self.shared.config.flags.x || self.shared.config.flags.n
    }

    pub fn dry(&self) -> bool {
        self.shared.config.flags.n
    }

    fn with_work(&self, line: &str) -> String {
        let work = &self.shared.work;
        if work.is_empty() || line.starts_with("cat ") {
            line.to_owned()
        } else {
            line.replace(work, "$WORK")
        }
    }

    /// Shows a line that runs in `dir` (empty: anywhere).
    pub fn show(&self, dir: &str, line: &str) {
        let mut script_dir = lock(&self.shared.script_dir);
        let description = self.description();
        let print = |text: &str| self.shared.sink.print(description.as_deref(), text);
        let mut line = self.with_work(line);
        if !dir.is_empty() && dir != "/" {
            if dir != *script_dir {
                print(&self.with_work(&format!("cd {dir}\n")));
                dir.clone_into(&mut script_dir);
            }
            let dot = if dir.ends_with('/') { " ./" } else { " ." };
            line = format!(" {line}").replace(&format!(" {dir}"), dot)[1..].to_owned();
        }
        line.push('\n');
        print(&line);
    }

    /// Runs a tool and reports what it says; `description` stands in the heading (empty: the command line).
    pub fn run(&self, dir: &str, description: &str, env: &[String], words: &[String]) -> Done {
        let ran = self.run_out(dir, env, words);
        let heading = if description.is_empty() {
            self.with_work(&words.join(" "))
        } else {
            description.to_owned()
        };
        self.report(&heading, dir, ran)
    }

    /// Runs a tool and gives back what it says.
    pub fn run_out(&self, dir: &str, env: &[String], words: &[String]) -> Ran {
        self.shared.config.note_work();
        if let Some(word) = words.iter().find(|word| word.starts_with('@')) {
            let error = format!(
                "invalid command-line argument {word} in command: {}",
                command_line(words)
            );
            return Ran {
                output: Vec::new(),
                error: Some(error),
            };
        }
        if self.shows() {
            let mut line = String::new();
            for pair in env {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let value = if value.contains('\'') {
                    quote(value)
                } else {
                    format!("'{value}'")
                };
                line.push_str(&format!("{name}={value} "));
            }
            line.push_str(&command_line(words));
            self.show(dir, &line);
            if self.dry() {
                return Ran {
                    output: Vec::new(),
                    error: None,
                };
            }
        }
        let mut env = env.to_vec();
        if let Some(description) = self.description() {
            env.insert(0, format!("TOOLEXEC_IMPORTPATH={description}"));
        }
        let at = SystemTime::now();
        let spec = Spec {
            words,
            dir,
            env: &env,
        };
        let ran = process::run(self.shared, &spec);
        if let Some(log) = self.log {
            let line = command_line(words);
            let took = at.elapsed().unwrap_or_default();
            lock(log).push(Started { line, at, took });
        }
        ran
    }

    /// Turns what a tool said into a failure, or keeps it, or prints it.
    pub fn report(&self, heading: &str, dir: &str, ran: Ran) -> Done {
        if ran.output.is_empty() {
            return ran.error.map_or(Ok(()), |error| Err(Failure::new(error)));
        }
        let own = self.description();
        let heading = if heading.is_empty() {
            own.clone().unwrap_or_default()
        } else {
            heading.to_owned()
        };
        let dir = match self.package {
            Some(package) if dir.is_empty() => package.public.dir.as_str(),
            _ => dir,
        };
        let text = self.readable(&String::from_utf8_lossy(&ran.output), dir);
        let import_path = self
            .package
            .map(|package| package.public.import_path.clone())
            .unwrap_or_default();
        let text = if !import_path.is_empty() && own.as_ref() != Some(&heading) {
            format!("# {import_path}\n# [{heading}]\n{text}")
        } else {
            format!("# {heading}\n{text}")
        };
        if ran.error.is_some() {
            return Err(Failure {
                text,
                import_path: Some(import_path),
            });
        }
        if let Some(output) = self.output
            && let Some(kept) = lock(output).as_mut()
        {
            kept.push_str(&text);
            return Ok(());
        }
        self.print(&text);
        Ok(())
    }

    fn readable(&self, output: &str, dir: &str) -> String {
        let mut text = replace_prefix(output, &self.shared.work, "$WORK");
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let cwd = &self.shared.config.cwd;
        let start = if matches!(dir, "" | ".") {
            cwd.clone()
        } else {
            Utf8PathBuf::from(dir)
        };
        for dir in start.ancestors().filter(|dir| !dir.as_str().is_empty()) {
            if !text.contains(dir.as_str()) {
                continue; // spares looking at the disk
            }
            let short = short_path(cwd, dir);
            if short != dir.as_str() {
                text = replace_prefix(&text, dir.as_str(), &short);
            }
        }
        if !self.shared.config.flags.x && GENERATED_LINE.is_match(&text) {
            text = GENERATED_LINE.replace_all(&text, "").into_owned();
            text = restore_c_names(&text);
        }
        text
    }

    pub fn is_in_cache(&self, path: &Utf8Path) -> bool {
        path.as_str()
            .starts_with(self.shared.config.gocache.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use steady_system::Sightings;
    use steady_system::clock::Clock;

    #[test]
    fn where_a_compiler_was_looked_for_is_noted() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let (early, late) = (dir.join("early"), dir.join("late"));
        for dir in [&early, &late] {
            std::fs::create_dir(dir).unwrap();
        }
        let compiler = |dir: &Utf8Path| {
            std::fs::write(dir.join("cc"), "").unwrap();
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(dir.join("cc"), executable).unwrap();
        };
        compiler(&late);
        let sightings = Arc::new(Sightings::new(dir.join("own"), Clock::System.nanos()));
        let config = BuildConfig {
            environment: vec![("PATH".into(), format!("{early}:{late}"))],
            sightings: Some(Arc::clone(&sightings)),
            cwd: dir.to_owned(),
            ..BuildConfig::default()
        };
        let found = environment_of(&config).look_path("cc").unwrap();
        assert_eq!(found, late.join("cc"));
        let notes = sightings.take_notes().unwrap();
        let holds = || {
            let mut notes = notes.iter();
            notes.all(|(path, question, sight)| {
                sight
                    .holds(Utf8Path::new(path), *question, Clock::System.nanos())
                    .0
            })
        };
        assert!(holds());
        compiler(&early);
        assert!(!holds(), "a compiler that comes first in PATH");
    }
}

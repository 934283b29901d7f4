//! Reading, writing and keeping up a go.work file.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use steady_module::changes::changes;
use steady_module::gover;
use steady_module::modfile::{ModFile, WorkFile};
use steady_packages::modload::directory_path;
use steady_system::{FileKind, Walk, clean, relative};

use crate::bail;
use crate::failure::{Failure, Result, TooNew};
use crate::modules::short_path;
use crate::session::Session;

/// The Go version of a go.work without a `go` line.
const DEFAULT_WORK_VERSION: &str = "1.18";
/// The Go version of a go.mod without a `go` line.
const DEFAULT_MOD_VERSION: &str = "1.16";
/// From this version on the `go` line is a strict minimum, and the `toolchain` line is understood.
const STRICT_VERSION: &str = "1.21";

/// Reads a go.work. `work edit` may read one that asks for a newer Go.
///
/// # Errors
/// It cannot be read or parsed, or asks for a newer Go.
pub fn read(session: &Session, path: &Utf8Path) -> std::result::Result<WorkFile, String> {
    let name = short_path(session.environment().cwd(), path);
    let text = session
        .files
        .read_to_string(path)
        .map_err(|error| format!("reading go.work: open {name}: {}", error.cause()))?;
    let file = WorkFile::parse(&name, &text, None)
        .map_err(|error| format!("errors parsing go.work:\n{error}"))?;
    let local = gover::from_toolchain(session.settings.local_version());
    if let Some(go) = &file.go
        && gover::compare(&go.value, local).is_gt()
        && session.command.long_name() != "work edit"
    {
        let explain = session.settings.startup.explain();
        return Err(format!(
            "{name} requires go >= {} (running go {local}{explain})",
            go.value
        ));
    }
    Ok(file)
}

/// Writes a go.work in the standard form.
///
/// # Errors
/// It cannot be written.
pub fn write(session: &Session, path: &Utf8Path, file: &mut WorkFile) -> Result<()> {
    file.sort_blocks();
    file.cleanup();
    if session.settings.frozen.locked {
        let before = session.files.read_to_string(path).unwrap_or_default();
        let changes = changes(&before, &file.format());
        if !changes.is_empty() {
            bail!("-locked: {path} would change:{changes}");
        }
        return Ok(());
    }
    session.files.write(path, file.format().as_bytes(), 0o666)?;
    Ok(())
}

/// Adds directories to a go.work and takes out those that have no go.mod any more; then raises its `go` line to that of its
/// modules. `work init` and `work use` are this.
pub struct Users<'a> {
    session: &'a Session,
    dir: &'a Utf8Path,
    /// Absolute directory to the form it is to have, empty: none.
    keep: BTreeMap<Utf8PathBuf, String>,
    errors: Vec<String>,
    too_new: Option<TooNew>,
}

/// Why a module's go.mod cannot be used.
enum ModuleError {
    Message(String),
    TooNew(TooNew, String),
}

impl From<String> for ModuleError {
    fn from(message: String) -> ModuleError {
        ModuleError::Message(message)
    }
}

impl<'a> Users<'a> {
    /// For the go.work at `path`.
    #[must_use]
    pub fn new(session: &'a Session, path: &'a Utf8Path) -> Users<'a> {
        let dir = path.parent().unwrap_or(path);
        Users {
            session,
            dir,
            keep: BTreeMap::new(),
            errors: Vec::new(),
            too_new: None,
        }
    }

    /// Puts the directories in. With `recursive` every directory below them counts.
    ///
    /// # Errors
    /// All that went wrong.
    pub fn apply(mut self, file: &mut WorkFile, dirs: &[String], recursive: bool) -> Result<()> {
        let mut have: BTreeMap<Utf8PathBuf, Vec<String>> = BTreeMap::new();
        for entry in &file.uses {
            have.entry(self.absolute(&entry.path))
                .or_default()
                .push(entry.path.clone());
        }
        for dir in dirs {
            self.argument(dir, recursive, &have);
        }
        self.update(file, &have);
        let version = self.newest_go(file);
        if !self.errors.is_empty() {
            return Err(Failure::errors(self.errors, self.too_new));
        }
        raise_go(file, &version).map_err(Failure::error)?;
        self.name_modules(file);
        Ok(())
    }

    /// A `use` line's directory.
    fn absolute(&self, path: &str) -> Utf8PathBuf {
        clean(&self.dir.join(path))
    }

    fn short(&self, path: &Utf8Path) -> String {
        short_path(self.session.environment().cwd(), path)
    }

    /// The absolute path of a directory as typed, and the form it has in this go.work.
    fn forms(&self, typed: &Utf8Path) -> (Utf8PathBuf, String) {
        let full = self.session.files.absolute(typed);
        if typed.is_absolute() {
            return (full.clone(), full.into_string());
        }
        let form = match relative(self.dir, &full) {
            Some(way) => directory_path(way.as_str()),
            None => full.to_string(),
        };
        (full, form)
    }

    fn argument(
        &mut self,
        typed: &str,
        recursive: bool,
        have: &BTreeMap<Utf8PathBuf, Vec<String>>,
    ) {
        let (full, _) = self.forms(Utf8Path::new(typed));
        match self.session.files.stat(&full) {
            Err(error) if error.is_not_found() => {
                let message = format!("directory {} does not exist", self.short(&full));
                self.errors.push(message);
            }
            Err(error) => self.errors.push(error.to_string()),
            Ok(found) if !found.is_dir() => {
                let message = format!("{} is not a directory", self.short(&full));
                self.errors.push(message);
            }
            Ok(_) if recursive => self.below(Utf8Path::new(typed), &full, have),
            Ok(_) => self.look(Utf8Path::new(typed)),
        }
    }

    /// Every directory below one; entries for directories that are gone are dropped.
    fn below(
        &mut self,
        typed: &Utf8Path,
        full: &Utf8Path,
        have: &BTreeMap<Utf8PathBuf, Vec<String>>,
    ) {
        let session = self.session;
        let root = session
            .files
            .canonicalize(full)
            .unwrap_or_else(|_| full.to_owned());
        let mut found = Vec::new();
        let mut links = Vec::new();
        let walked = session
            .files
            .walk::<steady_system::Error>(&root, &mut |entry| {
                let below = entry
                    .path
                    .strip_prefix(&root)
                    .map_or_else(|_| entry.path.clone(), |below| typed.join(below));
                match entry.kind {
                    FileKind::Dir => found.push(below),
                    FileKind::Symlink if session.files.is_dir(&entry.path) => links.push(below),
                    _ => {}
                }
                Ok(Walk::Continue)
            });
        if let Err(error) = walked {
            self.errors.push(error.to_string());
        }
        for link in links {
            let full = session.files.absolute(&link);
            session
                .printer
                .note(format!("warning: ignoring symlink {}", self.short(&full)));
        }
        for dir in found {
            self.look(&dir);
        }
        for dir in have.keys().filter(|dir| dir.starts_with(full)) {
            self.keep.entry(dir.clone()).or_default();
        }
    }

    /// One directory: is there a go.mod?
    fn look(&mut self, typed: &Utf8Path) {
        let (full, form) = self.forms(typed);
        let file = full.join("go.mod");
        match self.session.files.stat(&file) {
            Err(error) if error.is_not_found() => {
                self.keep.insert(full, String::new());
                return;
            }
            Err(error) => {
                self.errors.push(error.to_string());
                return;
            }
            Ok(found) if !found.is_file() => {
                let message = format!("{} is not a regular file", self.short(&file));
                self.errors.push(message);
                return;
            }
            Ok(_) => {}
        }
        if let Some(before) = self
            .keep
            .get(&full)
            .filter(|before| !before.is_empty() && **before != form)
        {
            let message = format!("already added \"{form}\" as \"{before}\"");
            self.errors.push(message);
        }
        self.keep.insert(full, form);
    }

    fn update(&self, file: &mut WorkFile, have: &BTreeMap<Utf8PathBuf, Vec<String>>) {
        for (full, form) in &self.keep {
            let spelled = have.get(full).map(Vec::as_slice).unwrap_or_default();
            let kept = spelled.iter().filter(|dir| *dir == form).count();
            spelled
                .iter()
                .filter(|dir| *dir != form)
                .for_each(|dir| file.drop_use(dir));
            if !form.is_empty() && kept != 1 {
                if kept > 1 {
                    file.drop_use(form);
                }
                file.add_use(form, "");
            }
        }
    }

    /// The newest `go` line of the go.work and its modules.
    fn newest_go(&mut self, file: &WorkFile) -> String {
        let mut newest = file
            .go
            .as_ref()
            .map_or(DEFAULT_WORK_VERSION, |go| &go.value)
            .to_owned();
        for entry in &file.uses {
            match self.read_module(&self.absolute(&entry.path).join("go.mod")) {
                Ok(module) => {
                    let version = module
                        .go
                        .as_ref()
                        .map_or(DEFAULT_MOD_VERSION, |go| &go.value);
                    newest = gover::max(&newest, version).to_owned();
                }
                Err(ModuleError::Message(message)) => self.errors.push(message),
                Err(ModuleError::TooNew(ask, message)) => {
                    self.errors.push(message);
                    self.too_new = Some(match self.too_new.take() {
                        Some(before) => before.max(ask),
                        None => ask,
                    });
                }
            }
        }
        newest
    }

    fn read_module(&self, path: &Utf8Path) -> std::result::Result<ModFile, ModuleError> {
        let name = self.short(path);
        let text = self
            .session
            .files
            .read_to_string(path)
            .map_err(|error| format!("open {name}: {}", error.cause()))?;
        let mut keep = |_: &str, version: &str| Ok(version.to_owned());
        let module = ModFile::parse(&name, &text, Some(&mut keep))
            .map_err(|error| format!("errors parsing {name}:\n{error}"))?;
        if let Some(go) = &module.go {
            let local = gover::from_toolchain(self.session.settings.local_version());
            if gover::compare(&go.value, local).is_gt() {
                let explain = self.session.settings.startup.explain();
                let message = format!(
                    "{name} requires go >= {} (running go {local}{explain})",
                    go.value
                );
                let ask = TooNew {
                    what: name,
                    version: go.value.clone(),
                };
                return Err(ModuleError::TooNew(ask, message));
            }
        }
        if module.module.is_none() {
            return Err(format!("error reading {name}: missing module declaration. To specify the module path:\n\tgo mod edit -module=example.com/mod").into());
        }
        Ok(module)
    }

    /// Notes the module path of each directory.
    fn name_modules(&self, file: &mut WorkFile) {
        let missing: Vec<String> = file
            .uses
            .iter()
            .filter(|entry| entry.module_path.is_empty())
            .map(|entry| entry.path.clone())
            .collect();
        for dir in missing {
            if let Ok(module) = self.read_module(&self.absolute(&dir).join("go.mod"))
                && let Some(entry) = &module.module
            {
                file.add_use(&dir, &entry.path);
            }
        }
    }
}

/// Raises the `go` line of the go.work at `path` to a member's, if it is older.
///
/// # Errors
/// The file cannot be read or written.
pub fn keep_up(session: &Session, path: &Utf8Path, version: &str) -> Result<()> {
    let mut file = read(session, path).map_err(Failure::error)?;
    let before = file.format();
    raise_go(&mut file, version).map_err(Failure::error)?;
    if file.format() == before {
        return Ok(());
    }
    write(session, path, &mut file)
}

/// Raises the `go` line. A toolchain line that says nothing more after that goes away.
fn raise_go(file: &mut WorkFile, version: &str) -> std::result::Result<(), String> {
    let old = file
        .go
        .as_ref()
        .map_or(DEFAULT_WORK_VERSION, |go| &go.value);
    if gover::compare(old, version).is_ge() {
        return Ok(());
    }
    file.set_go(version)?;
    if let Some(toolchain) = &file.toolchain {
        let name = toolchain.value.as_str();
        let wanted = gover::from_toolchain(name);
        let implied = name == format!("go{version}");
        if implied
            || gover::compare(wanted, version).is_lt()
            || gover::compare(wanted, STRICT_VERSION).is_lt()
        {
            file.drop_toolchain();
        }
    }
    Ok(())
}

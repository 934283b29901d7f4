//! The go.sum of a run: what is recorded, what was checked, what is to be written.
//!
//! A sum is accepted if go.sum (or that of a workspace member) records it; recorded differently, it is refused. What is not
//! recorded goes to the checksum database, where the settings ask for that, and is then remembered, to be written if whoever
//! ends the run says that the module belongs there. Reading happens when the first sum is asked for.

mod database;
mod texts;

pub use database::{Database, applies};

use camino::Utf8PathBuf;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt::Write as _;

use steady_module::changes::changes;
use steady_module::{ModuleVersion, gosum};
use steady_system::{Files, lock};

use crate::error::Kind;
use crate::{Error, Result};

type Table = HashMap<ModuleVersion, Vec<String>>;

/// The go.sum files of a run.
#[derive(Clone, Debug, Default)]
pub struct SumFiles {
    /// The file that is read and written: go.sum, go.work.sum, or the one beside `-modfile`. None: no sums are kept, the checksum
    /// database decides alone.
    pub main: Option<Utf8PathBuf>,
    /// go.sum of every workspace member: read, never written.
    pub workspace: Vec<Utf8PathBuf>,
}

/// The sums that another look at go.sum files holds for true: what they record, and what the checksum database said meanwhile.
#[derive(Debug, Default)]
pub struct KnownSums(Table);

impl KnownSums {
    /// Whether this is one of the module's sums.
    #[must_use]
    pub fn has(&self, module: &ModuleVersion, sum: &str) -> bool {
        let mut sums = self.0.get(module).into_iter().flatten();
        sums.any(|known| known == sum)
    }
}

/// See the module.
#[derive(Default)]
pub struct GoSum {
    files: SumFiles,
    /// What the files hold, read and not taken apart yet.
    texts: Option<Texts>,
    state: Option<State>,
    lenient: bool,
    locked: bool,
    hints: bool,
}

struct Texts {
    main: Vec<u8>,
    workspace: Vec<Vec<u8>>,
}

#[derive(Default)]
struct State {
    main: Table,
    workspace: Vec<(Utf8PathBuf, Table)>,
    status: HashMap<(ModuleVersion, String), Status>,
    overwrite: bool,
}

/// What a run did with one sum.
#[derive(Clone, Copy, Debug, Default)]
struct Status {
    /// It was checked.
    used: bool,
    /// It is not in the file yet, or is to go from it.
    dirty: bool,
}

/// Whether a sum is in order as it stands.
pub enum Verdict {
    /// It is recorded.
    Known,
    /// It is not; the checksum database is to be asked, then [`GoSum::add`].
    Unknown,
}

impl GoSum {
    /// The sums of these files; nothing is read yet. `lenient`: pass over malformed lines.
    pub fn new(files: SumFiles, lenient: bool) -> GoSum {
        GoSum {
            files,
            texts: None,
            state: None,
            lenient,
            locked: false,
            hints: false,
        }
    }

    /// The same sums, with hints behind go's own words.
    #[must_use]
    pub fn with_hints(mut self, hints: bool) -> GoSum {
        self.hints = hints;
        self
    }

    /// The same sums, which may not change.
    #[must_use]
    pub fn locked(mut self, locked: bool) -> GoSum {
        self.locked = locked;
        self
    }

    fn parse(&self, name: &str, bytes: &[u8]) -> Result<Table> {
        let text = String::from_utf8_lossy(bytes);
        let mut sums = gosum::Sums::new();
        if self.lenient {
            let good = |line: &&str| line.split_whitespace().count() == 3;
            let text: Vec<&str> = text.lines().filter(good).collect();
            gosum::parse_into(&mut sums, name, &text.join("\n")).map_err(malformed)?;
        } else {
            gosum::parse_into(&mut sums, name, &text).map_err(malformed)?;
        }
        Ok(sums.into_iter().collect())
    }

    fn read(files: &Files, path: &Utf8PathBuf) -> Result<Vec<u8>> {
        // A file that the overlay replaces is nobody else's to write, and locking would need the real one.
        let bytes = if files.is_replaced(path) {
            files.read(path)
        } else {
            files.read_locked(path)
        };
        match bytes {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            bytes => Ok(bytes?),
        }
    }

    fn texts(&mut self, files: &Files) -> Result<Option<&Texts>> {
        let Some(main) = &self.files.main else {
            return Ok(None);
        };
        if self.texts.is_none() {
            let members = self.files.workspace.iter();
            self.texts = Some(Texts {
                main: Self::read(files, main)?,
                workspace: members
                    .map(|path| Self::read(files, path))
                    .collect::<Result<_>>()?,
            });
        }
        Ok(self.texts.as_ref())
    }

    /// SHA-256 over what the files hold, in their order; `None` without files or once sums were added that no file has.
    pub fn digest(&mut self, files: &Files) -> Result<Option<[u8; 32]>> {
        if self.has_new() {
            return Ok(None);
        }
        let Some(texts) = self.texts(files)? else {
            return Ok(None);
        };
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        for text in std::iter::once(&texts.main).chain(&texts.workspace) {
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        Ok(hash.finish().as_ref().try_into().ok())
    }

    /// The sums, read if they were not; `None` if no go.sum is in use.
    fn state(&mut self, files: &Files) -> Result<Option<&mut State>> {
        if self.state.is_none() {
            self.texts(files)?;
            self.state = self.parsed()?;
        }
        Ok(self.state.as_mut())
    }

    fn parsed(&self) -> Result<Option<State>> {
        let (Some(path), Some(texts)) = (&self.files.main, &self.texts) else {
            return Ok(None);
        };
        let mut state = State {
            main: self.parse(path.as_str(), &texts.main)?,
            ..State::default()
        };
        for (path, text) in self.files.workspace.iter().zip(&texts.workspace) {
            let table = self.parse(path.as_str(), text)?;
            state.workspace.push((path.clone(), table));
        }
        Ok(Some(state))
    }

    /// Why go.sum cannot be read, if it cannot.
    pub fn error(&mut self, files: &Files) -> Option<crate::Error> {
        self.state(files).err()
    }

    /// Whether there is a recorded sum for a module, wherever.
    pub fn have(&mut self, files: &Files, module: &ModuleVersion) -> bool {
        let Ok(Some(state)) = self.state(files) else {
            return false;
        };
        state.clean_sums(module).next().is_some()
    }

    /// All sums, for another look at modules.
    ///
    /// # Errors
    /// go.sum cannot be read.
    pub fn known_sums(&mut self, files: &Files) -> Result<KnownSums> {
        let Some(state) = self.state(files)? else {
            return Ok(KnownSums::default());
        };
        let mut known = state.main.clone();
        for (module, sums) in state.workspace.iter().flat_map(|(_, table)| table) {
            let entry = known.entry(module.clone()).or_default();
            entry.extend(sums.iter().cloned());
        }
        Ok(KnownSums(known))
    }

    /// The recorded sum of a module; `None` if there is none, or two.
    pub fn recorded(&mut self, files: &Files, module: &ModuleVersion) -> Option<String> {
        let state = self.state(files).ok()??;
        let mut sums = state.clean_sums(module);
        let first = sums.next()?;
        sums.all(|sum| sum == first).then(|| first.to_owned())
    }

    /// Holds a computed sum against the recorded ones.
    ///
    /// # Errors
    /// [`Kind::SumMismatch`] if another one is recorded.
    pub fn check(&mut self, files: &Files, module: &ModuleVersion, sum: &str) -> Result<Verdict> {
        let name = self.short_name();
        let Some(state) = self.state(files)? else {
            return Ok(Verdict::Unknown);
        };
        let known = match state.known(module, sum, name) {
            Err(error) => return Err(self.placed(module, sum, error)),
            Ok(known) => known,
        };
        if known {
            state
                .status
                .entry((module.clone(), sum.to_owned()))
                .or_default()
                .used = true;
        }
        Ok(if known {
            Verdict::Known
        } else {
            Verdict::Unknown
        })
    }

    /// A refusal, as a hint with the lines that record other sums.
    fn placed(&self, module: &ModuleVersion, sum: &str, error: Error) -> Error {
        let Kind::SumMismatch(text) = error.kind() else {
            return error;
        };
        if !self.hints {
            return error;
        }
        let mut text = text.clone();
        let (Some(main), Some(texts)) = (&self.files.main, &self.texts) else {
            return error;
        };
        let files = std::iter::once((main, &texts.main));
        for (path, bytes) in files.chain(self.files.workspace.iter().zip(&texts.workspace)) {
            let recorded = String::from_utf8_lossy(bytes);
            let others = gosum::recorded(&recorded, module).filter(|(_, other)| *other != sum);
            for (line, _) in others {
                let _ = writeln!(
                    text,
                    "{path}:{line}: another sum is recorded here for {module}"
                );
            }
        }
        Kind::SumMismatch(text).into()
    }

    /// Remembers a sum that was checked otherwise. A warning if sums of an unknown kind are recorded.
    pub fn add(
        &mut self,
        files: &Files,
        module: &ModuleVersion,
        sum: &str,
    ) -> Result<Option<String>> {
        let name = self.short_name();
        let Some(state) = self.state(files)? else {
            return Ok(None);
        };
        let warning = state.add(module, sum, name)?;
        // Only here: a sum that the database refused must never reach the file.
        state.status.insert(
            (module.clone(), sum.to_owned()),
            Status {
                used: true,
                dirty: true,
            },
        );
        Ok(warning)
    }

    fn short_name(&self) -> &'static str {
        match &self.files.main {
            Some(path) if path.as_str().ends_with("go.work.sum") => "go.work.sum",
            _ => "go.sum",
        }
    }

    /// Marks for removal what `keep` does not name.
    pub fn trim(&mut self, files: &Files, keep: &HashSet<ModuleVersion>) -> Result<()> {
        let Some(state) = self.state(files)? else {
            return Ok(());
        };
        for (module, sums) in state
            .main
            .iter()
            .filter(|(module, _)| !keep.contains(module))
        {
            for sum in sums {
                state.status.insert(
                    (module.clone(), sum.clone()),
                    Status {
                        used: false,
                        dirty: true,
                    },
                );
            }
            state.overwrite = true;
        }
        Ok(())
    }

    /// Whether any sum was added.
    pub fn has_new(&self) -> bool {
        let mut read = self.state.iter();
        read.any(|state| state.status.values().any(|status| status.dirty))
    }

    /// Whether there is something to write.
    pub fn is_dirty(&self, keep: &HashSet<ModuleVersion>) -> bool {
        let Some(state) = &self.state else {
            return false;
        };
        let listed = |module: &ModuleVersion, sum: &String| {
            state
                .main
                .get(module)
                .is_some_and(|sums| sums.contains(sum))
        };
        state.status.iter().any(|((module, sum), status)| {
            status.dirty && (!status.used || keep.contains(module)) && listed(module, sum)
        })
    }

    /// Writes the file under its lock, taking in what others wrote meanwhile.
    pub fn write(&mut self, files: &Files, keep: &HashSet<ModuleVersion>) -> Result<()> {
        let Some(path) = self.files.main.clone() else {
            return Ok(());
        };
        if files.is_replaced(&path) {
            let text = "updates to go.sum needed, but go.sum is part of the overlay specified with -overlay";
            return Err(Error::other(text));
        }
        if self.locked {
            let (before, after) = self.tidy(files, keep)?;
            let (before, after) = (
                String::from_utf8_lossy(&before),
                String::from_utf8_lossy(&after),
            );
            let changes = changes(&before, &after);
            if !changes.is_empty() {
                return Err(Kind::Locked(path.to_string(), changes).into());
            }
            return Ok(());
        }
        let written = files.transform::<Error>(&path, |old| self.tidied(old, keep));
        written.map_err(|error| {
            if error.is_security() {
                error
            } else {
                error.context("updating go.sum")
            }
        })?;
        self.texts = None;
        if let Some(state) = &mut self.state {
            state.status.clear();
            state.overwrite = false;
        }
        Ok(())
    }

    /// The file as it is and as it would be written.
    pub fn tidy(
        &mut self,
        files: &Files,
        keep: &HashSet<ModuleVersion>,
    ) -> Result<(Vec<u8>, Vec<u8>)> {
        let Some(path) = self.files.main.clone() else {
            return Ok(Default::default());
        };
        self.state(files)?;
        let before = match lock::read(files.absolute(&path)) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => Vec::new(),
            Err(error) => return Err(Error::from(error).context("reading go.sum")),
        };
        let after = self.tidied(&before, keep)?;
        Ok((before, after))
    }

    fn tidied(&mut self, old: &[u8], keep: &HashSet<ModuleVersion>) -> Result<Vec<u8>> {
        let name = self
            .files
            .main
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let short = self.short_name();
        let fresh = self.parse(&name, old)?;
        let Some(state) = &mut self.state else {
            return Ok(old.to_vec());
        };
        if !state.overwrite {
            // Only what was really checked is added: lines that the user took out by hand stay out.
            state.main = fresh;
            let used: Vec<_> = state
                .status
                .iter()
                .filter(|(_, status)| status.used)
                .map(|(key, _)| key.clone())
                .collect();
            for (module, sum) in used {
                if state.in_workspace(&module) {
                    continue;
                }
                state.add(&module, &sum, short)?;
            }
        }
        let mut modules: Vec<&ModuleVersion> = state
            .main
            .keys()
            .filter(|module| !state.in_workspace(module))
            .collect();
        modules.sort_unstable();
        let mut out = String::new();
        for module in modules {
            let mut sums = state.main[module].clone();
            sums.sort_unstable();
            sums.dedup();
            for sum in sums {
                let status = state
                    .status
                    .get(&(module.clone(), sum.clone()))
                    .copied()
                    .unwrap_or_default();
                if !status.dirty || (status.used && keep.contains(module)) {
                    out += &format!("{} {} {sum}\n", module.path, module.version);
                }
            }
        }
        Ok(out.into_bytes())
    }
}

fn malformed(error: gosum::SumError) -> Error {
    Kind::MalformedSums(error.to_string()).into()
}

impl State {
    fn in_workspace(&self, module: &ModuleVersion) -> bool {
        self.workspace
            .iter()
            .any(|(_, sums)| sums.contains_key(module))
    }

    /// The sums of a known kind that stand in the files.
    fn clean_sums(&self, module: &ModuleVersion) -> impl Iterator<Item = &str> {
        let tables = self
            .workspace
            .iter()
            .map(|(_, table)| table)
            .chain([&self.main]);
        let sums = tables
            .filter_map(|table| table.get(module))
            .flatten()
            .filter(|sum| sum.starts_with("h1:"));
        let clean = |sum: &&String| {
            let key = (module.clone(), (*sum).clone());
            !self.status.get(&key).is_some_and(|status| status.dirty)
        };
        sums.filter(clean)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn known(&self, module: &ModuleVersion, sum: &str, name: &str) -> Result<bool> {
        let refuse = |file: &str, other: &str| {
            let text = format!(
                "verifying {module}: checksum mismatch\n\tdownloaded: {sum}\n\t{file}:     {other}"
            );
            Err(Error::from(Kind::SumMismatch(
                text + texts::GO_SUM_MISMATCH,
            )))
        };
        for other in self.main.get(module).into_iter().flatten() {
            if other == sum {
                return Ok(true);
            }
            if other.starts_with("h1:") {
                return refuse(name, other);
            }
        }
        let mut found = false;
        for (file, table) in &self.workspace {
            for other in table.get(module).into_iter().flatten() {
                if other == sum {
                    found = true;
                } else if other.starts_with("h1:") {
                    return refuse(file.as_str(), other);
                }
            }
        }
        Ok(found)
    }

    fn add(&mut self, module: &ModuleVersion, sum: &str, name: &str) -> Result<Option<String>> {
        if self.known(module, sum, name)? {
            return Ok(None);
        }
        let sums = self.main.entry(module.clone()).or_default();
        let warning = (!sums.is_empty()).then(|| {
            let others = sums.join(", ");
            let text = format!(
                "warning: verifying {module}: unknown hashes in go.sum: {others}; adding {sum}"
            );
            text + texts::UNKNOWN_HASH
        });
        sums.push(sum.to_owned());
        Ok(warning)
    }
}

#[cfg(test)]
mod tests;

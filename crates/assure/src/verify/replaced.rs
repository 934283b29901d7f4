//! Directories that replace modules, against the state in which they were accepted last.
//!
//! Nothing vouches for such a directory: no sum covers it, and it changes whenever somebody works on it. What can be told is that it is
//! not what it was. The first look remembers the state and says so; later ones tell every file that changed, until the new state is
//! accepted. Whoever can write into the memory can accept in our name: it detects drift, not attackers.
//!
//! ```text
//! steady replaced 1 <sha256 of all that follows>
//! <directory>
//! <sha256 of a file> <x or -> <its name, or "-> target" and name of a link>
//! ```
//! A memory that is torn is no memory.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;
use steady_module::amount::{amount, noun};
use steady_module::{ModuleVersion, hex};
use steady_system::{Error, FileKind, Files, Walk};

use super::{Chain, FILES, Failure, Link, Outcome, Problem, sha256};

const FORM: &str = "steady replaced 1 ";
const ACCEPT: &str = "steady verify -links replaced -accept";
/// Version control's own files, which change without the code.
const REPOSITORIES: [&str; 6] = [".git", ".hg", ".svn", ".bzr", ".jj", "_FOSSIL_"];

/// A file's hash and what else counts of it.
type State = BTreeMap<String, String>;

/// Holds every replaced directory against its memory.
pub(super) fn check(chain: &Chain<'_>) -> Outcome {
    let since = Instant::now();
    let mut outcome = Outcome::new(Link::Replaced, FILES);
    let dirs = chain.modules.replaced_dirs();
    if dirs.is_empty() {
        outcome
            .notes
            .push("no directory replaces a module".to_owned());
    }
    for (at, (module, dir, by)) in dirs.iter().enumerate() {
        (chain.progress)(Link::Replaced, at, dirs.len());
        one(chain, module, dir, by, &mut outcome);
    }
    outcome.failures.sort_by(|a, b| a.file.cmp(&b.file));
    outcome.timed(since)
}

fn one(
    chain: &Chain<'_>,
    module: &ModuleVersion,
    dir: &Utf8Path,
    by: &Utf8Path,
    outcome: &mut Outcome,
) {
    let now = match state(chain.files, dir, &mut outcome.bytes) {
        Ok(now) => now,
        Err(error) => {
            let problem = match error.is_not_found() {
                true => Problem::Missing,
                false => Problem::Unreadable,
            };
            let failure = Failure::new(Link::Replaced, problem, dir)
                .of(module)
                .saying(
                    format!("the directory that {} names", chain.shown(by)),
                    error.to_string(),
                )
                .because("a directory outside of the repository, which a clone does not bring")
                .fixed_by(format!("steady mod edit -dropreplace={module}"));
            outcome.failures.push(failure);
            return;
        }
    };
    outcome.checked += now.len();
    let Some(memory) = &chain.memory else {
        let reason = "there is no directory for memories (neither XDG_CACHE_HOME nor HOME is set)";
        outcome.unverified(now.len(), noun(now.len(), FILES), reason, "");
        return;
    };
    let name = hex(&sha256(dir.as_str().as_bytes()));
    let place = memory.join(&name[..2]).join(&name);
    let known = match chain.files.read(&place) {
        Ok(bytes) => Some(read(&bytes, dir)),
        Err(_) => None,
    };
    let changed = match &known {
        Some(Some(before)) => compare(module, dir, before, &now),
        _ => Vec::new(),
    };
    let files = amount(now.len(), FILES);
    let recorded = format!("{module} => {dir}: {files} recorded");
    match known {
        None => outcome.notes.push(format!(
            "{recorded}, for the first time: nothing vouches for them"
        )),
        Some(None) => outcome
            .notes
            .push(format!("{recorded} anew: what was remembered is damaged")),
        Some(Some(_)) if chain.accept && !changed.is_empty() => outcome.notes.push(format!(
            "{module} => {dir}: {} changes accepted",
            changed.len()
        )),
        Some(Some(_)) => {
            outcome.failures.extend(changed);
            return;
        }
    }
    if let Err(error) = write(chain.files, &place, dir, &now) {
        let reason = format!("their state cannot be remembered: {error}");
        outcome.unverified(now.len(), noun(now.len(), FILES), reason, "");
    }
}

/// Everything below a directory that could be part of the module.
fn state(files: &Files, dir: &Utf8Path, bytes: &mut u64) -> Result<State, Error> {
    let mut found: Vec<(String, Utf8PathBuf, FileKind)> = Vec::new();
    let root = files.canonicalize(dir)?;
    files.walk::<Error>(&root, &mut |entry| {
        let name = entry.path.strip_prefix(&root).unwrap_or(&entry.path);
        if entry.kind == FileKind::Dir {
            let skip = REPOSITORIES.contains(&entry.name.as_str())
                || (!name.as_str().is_empty() && is_module(files, &entry.path));
            return Ok(if skip { Walk::SkipDir } else { Walk::Continue });
        }
        if !REPOSITORIES.contains(&entry.name.as_str()) {
            found.push((name.to_string(), entry.path.clone(), entry.kind));
        }
        Ok(Walk::Continue)
    })?;
    let processors = steady_system::processors();
    let hashed = super::each(processors, &found, |(): &mut (), (name, path, kind)| {
        let (size, what) = match kind {
            FileKind::File => {
                let contents = files.read(path)?;
                let mode = files.lstat(path)?.mode;
                let run = if mode & 0o111 == 0 { '-' } else { 'x' };
                let what = format!("{} {run}", hex(&sha256(&contents)));
                (contents.len() as u64, what)
            }
            FileKind::Symlink => (0, format!("link {}", files.read_link(path)?)),
            _ => (0, "other -".to_owned()),
        };
        Ok::<_, Error>((name.clone(), size, what))
    });
    let mut state = State::new();
    for one in hashed {
        let (name, size, what) = one?;
        *bytes += size;
        state.insert(name, what);
    }
    Ok(state)
}

fn is_module(files: &Files, dir: &Utf8Path) -> bool {
    files
        .lstat(dir.join("go.mod"))
        .is_ok_and(|meta| meta.is_file())
}

fn compare(module: &ModuleVersion, dir: &Utf8Path, before: &State, now: &State) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut tell = |problem, name: &str, expected: &str, found: &str| {
        failures.push(
            Failure::new(Link::Replaced, problem, dir.join(name))
                .of(module)
                .saying(expected, found)
                .because("somebody worked on the directory, another branch was checked out, or it was exchanged")
                .fixed_by(ACCEPT),
        );
    };
    for (name, was) in before {
        match now.get(name) {
            Some(is) if is == was => {}
            Some(is) => tell(kind_of(was, is, before), name, was, is),
            None => tell(Problem::Missing, name, was, "no file"),
        }
    }
    for (name, is) in now {
        if !before.contains_key(name) {
            tell(Problem::Added, name, "no file", is);
        }
    }
    failures
}

fn kind_of(was: &str, is: &str, before: &State) -> Problem {
    let hash = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    if is.starts_with("link ") || is.starts_with("other ") {
        return Problem::Linked;
    }
    if hash(was) == hash(is) {
        return Problem::Mode;
    }
    if hash(is) == hex(&sha256(b"")) {
        return Problem::Empty;
    }
    match before.values().any(|other| hash(other) == hash(is)) {
        true => Problem::Swapped,
        false => Problem::Edited,
    }
}

fn text(dir: &Utf8Path, state: &State) -> String {
    let mut text = format!("{dir}\n");
    for (name, what) in state {
        let _ = writeln!(text, "{what}\t{name}");
    }
    text
}

fn write(files: &Files, place: &Utf8Path, dir: &Utf8Path, state: &State) -> Result<(), Error> {
    let text = text(dir, state);
    let whole = format!("{FORM}{}\n{text}", hex(&sha256(text.as_bytes())));
    if let Some(parent) = place.parent() {
        files.create_dir_all(parent)?;
    }
    files.write_atomic(place, whole.as_bytes(), 0o644)
}

/// What a memory says; `None` if it is torn, or about another directory.
fn read(bytes: &[u8], dir: &Utf8Path) -> Option<State> {
    let whole = std::str::from_utf8(bytes).ok()?;
    let (sum, text) = whole.strip_prefix(FORM)?.split_once('\n')?;
    if sum != hex(&sha256(text.as_bytes())) {
        return None;
    }
    let (about, files) = text.split_once('\n')?;
    let lines = files.lines().map(|line| {
        let (what, name) = line.split_once('\t')?;
        Some((name.to_owned(), what.to_owned()))
    });
    (about == dir.as_str()).then(|| lines.collect())?
}

//! What a run has seen of the file system, and whether it would see the same now.
//!
//! Every question that [`super::Files`] is asked is noted with its answer, in the weakest form that the question allows: whether
//! something is there, what kind of thing, or the stamp of a file or directory whose content was read. A stamp holds size, both times,
//! inode and device: the time of the last change cannot be set back by hand, so an edit that keeps size and modification time shows.
//! What was changed so recently that it could change again within the clock's grain spoils the notes, as does every change that the
//! run itself makes outside of its own memories.
//!
//! Files whose times others set to say that they were used (the build cache) are asked for their size and beginning: the stamp is only
//! the quick way to see that nothing happened, and where it says too little, a few bytes are read.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Files changed this recently (nanoseconds) may change again without any sign of it: git's rule.
const RACY: i64 = 2_000_000_000;

/// How much of a file counts as its beginning.
pub const HEAD: usize = 4096;

/// What was asked about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Question {
    /// What kind of thing it leads to.
    Kind,
    /// Everything that `stat` tells, or the content.
    Stamp,
    /// The same without following a link.
    OwnStamp,
    /// Where a link points.
    Link,
    /// Where it is in the end.
    Real,
    /// Whether it can be executed.
    Executable,
    /// Its size and its first `HEAD` bytes, whatever its times.
    Head,
}

/// What identifies one state of a file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    size: u64,
    modified: i64,
    changed: i64,
    inode: u64,
    device: u64,
    mode: u32,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sight {
    /// The system's error number.
    Error(i32),
    /// The type bits of the mode.
    Kind(u32),
    /// The state.
    Stamp(Stamp),
    /// A path.
    Path(String),
    /// Yes.
    Yes,
    /// The state, if it could not change without a sign since; the size; a hash of the beginning.
    Head(Option<Stamp>, u64, [u8; 16]),
}

/// One question with its answer.
pub type Note = (String, Question, Sight);

fn nanos(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// Size and beginning of a file, and its state before they were read.
fn head_now(path: &std::path::Path) -> io::Result<Sight> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    let mut beginning = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut beginning)?;
    Ok(Sight::head(&meta, &beginning))
}

impl Stamp {
    /// Whether the file was changed so recently, at that time (nanoseconds since 1970), that it could change again without a sign.
    #[must_use]
    pub fn is_fresh(&self, clock: i64) -> bool {
        self.modified.max(self.changed) >= clock.saturating_sub(RACY)
    }

    /// The state that a file is in.
    #[must_use]
    pub fn of(meta: &std::fs::Metadata) -> Stamp {
        Stamp {
            size: meta.len(),
            modified: nanos(meta.mtime(), meta.mtime_nsec()),
            changed: nanos(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
            device: meta.dev(),
            mode: meta.mode(),
        }
    }
}

impl Sight {
    /// The answer as it is now.
    #[must_use]
    pub fn now(path: &Utf8Path, question: Question) -> Sight {
        let std_path = path.as_std_path();
        let answer = match question {
            Question::Kind => std::fs::metadata(std_path).map(|meta| Sight::kind(&meta)),
            Question::Stamp => {
                std::fs::metadata(std_path).map(|meta| Sight::Stamp(Stamp::of(&meta)))
            }
            Question::OwnStamp => {
                std::fs::symlink_metadata(std_path).map(|meta| Sight::Stamp(Stamp::of(&meta)))
            }
            Question::Link => std::fs::read_link(std_path).map(|to| Sight::path(&to)),
            Question::Real => std::fs::canonicalize(std_path).map(|to| Sight::path(&to)),
            Question::Executable => crate::environment::executable(path).map(|()| Sight::Yes),
            Question::Head => head_now(std_path),
        };
        answer.unwrap_or_else(|error| Sight::error(&error))
    }

    /// The answer to [`Question::Head`] for a file of which state and beginning are known already. The state must be older than the
    /// beginning.
    #[must_use]
    pub fn head(meta: &Metadata, beginning: &[u8]) -> Sight {
        let sum = Sha256::digest(&beginning[..beginning.len().min(HEAD)]);
        let sum = std::array::from_fn(|at| sum[at]);
        Sight::Head(Some(Stamp::of(meta)), meta.len(), sum)
    }

    /// The same without the state: it was changed since.
    #[must_use]
    pub fn unstamped(self) -> Sight {
        match self {
            Sight::Head(_, size, sum) => Sight::Head(None, size, sum),
            other => other,
        }
    }

    /// Whether a later answer to the same question is the same. To be marked as used in between is no change.
    fn agrees(&mut self, later: &Sight) -> bool {
        if let (Sight::Head(stamp, size, sum), Sight::Head(later, later_size, later_sum)) =
            (&mut *self, later)
        {
            if stamp != later {
                *stamp = None;
            }
            return *size == *later_size && *sum == *later_sum;
        }
        self == later
    }

    /// Whether the answer to a question would be this one now. If that could only be seen by reading, the answer comes that is quicker
    /// to see next time; `clock` is the time now, in nanoseconds since 1970.
    #[must_use]
    pub fn holds(&self, path: &Utf8Path, question: Question, clock: i64) -> (bool, Option<Sight>) {
        let Sight::Head(stamp, size, sum) = self else {
            return (Sight::now(path, question) == *self, None);
        };
        if stamp.is_some() && std::fs::metadata(path).ok().map(|m| Stamp::of(&m)) == *stamp {
            return (true, None);
        }
        match Sight::now(path, question) {
            Sight::Head(now, now_size, now_sum) if (now_size, now_sum) == (*size, *sum) => {
                let settled = now.filter(|stamp| !stamp.is_fresh(clock));
                let better = settled.map(|stamp| Sight::Head(Some(stamp), *size, *sum));
                (true, better)
            }
            _ => (false, None),
        }
    }

    pub(crate) fn kind(meta: &std::fs::Metadata) -> Sight {
        Sight::Kind(meta.mode() & 0o170_000)
    }

    fn path(path: &std::path::Path) -> Sight {
        Sight::Path(path.to_string_lossy().into_owned())
    }

    pub(crate) fn error(error: &io::Error) -> Sight {
        Sight::Error(error.raw_os_error().unwrap_or(-1))
    }
}

type Notes = HashMap<(Utf8PathBuf, Question), Sight>;

/// Whether an answer cannot change as long as the other notes hold.
fn follows(notes: &Notes, path: &Utf8Path, question: Question, sight: &Sight) -> bool {
    let state = |path: &Utf8Path, question| match notes.get(&(path.to_owned(), question)) {
        Some(Sight::Stamp(stamp)) => Some(*stamp),
        _ => None,
    };
    match (question, sight) {
        // Two questions about the same state: this is no link.
        (Question::Stamp, Sight::Stamp(stamp)) => {
            return state(path, Question::OwnStamp) == Some(*stamp);
        }
        (Question::Kind, Sight::Kind(_)) if state(path, Question::Stamp).is_some() => return true,
        (Question::Kind, Sight::Kind(_)) => {}
        (_, Sight::Error(error)) if *error == Errno::NOENT.raw_os_error() => {}
        _ => return false,
    }
    // A directory that is in the same state has the same names, each for what it was: another file by that name would show. Only where
    // a link leads can change.
    let is_directory = |stamp: Stamp| stamp.mode & 0o170_000 == 0o040_000;
    let listed = path.parent().is_some_and(|parent| {
        [Question::Stamp, Question::OwnStamp]
            .into_iter()
            .any(|question| state(parent, question).is_some_and(is_directory))
    });
    listed
        && match std::fs::symlink_metadata(path) {
            Ok(meta) => Sight::kind(&meta) == *sight,
            Err(error) => Sight::error(&error) == *sight,
        }
}

#[derive(Debug, Default)]
struct State {
    notes: Notes,
    results: Vec<(String, String)>,
}

/// The notes of one run.
#[derive(Debug)]
pub struct Sightings {
    /// Directory of the run's own memories, whose content never counts.
    own: Utf8PathBuf,
    /// The clock when the run began, in nanoseconds since 1970.
    started: i64,
    /// Whether there is nothing more to note.
    spoiled: AtomicBool,
    state: Mutex<State>,
}

impl Sightings {
    /// Notes for a run that begins at `started` and keeps its memories below `own`.
    #[must_use]
    pub fn new(own: impl Into<Utf8PathBuf>, started: i64) -> Sightings {
        Sightings {
            own: own.into(),
            started,
            spoiled: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// Notes an answer that was just given.
    pub fn saw(&self, path: &Utf8Path, question: Question, mut sight: Sight) {
        if self.is_spoiled() || path.starts_with(&self.own) {
            return;
        }
        let fresh = match &sight {
            Sight::Stamp(stamp) => stamp.is_fresh(self.started),
            Sight::Head(Some(stamp), ..) if stamp.is_fresh(self.started) => {
                sight = sight.unstamped();
                false
            }
            _ => false,
        };
        let mut state = self.state();
        let known = state.notes.entry((path.to_owned(), question));
        let same = known.or_insert_with(|| sight.clone()).agrees(&sight);
        drop(state);
        if fresh || !same {
            self.spoil();
        }
    }

    /// Asks about an absolute path, for those who look at it in a way of their own.
    pub fn look(&self, path: &Utf8Path, question: Question) {
        if !self.is_spoiled() {
            self.saw(path, question, Sight::now(path, question));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run is about this file, which has the given identity now.
    pub fn result(&self, path: &Utf8Path, identity: &str) {
        let mut state = self.state();
        state.results.push((path.to_string(), identity.to_owned()));
    }

    /// The files that the run is about, with their identities.
    #[must_use]
    pub fn results(&self) -> Vec<(String, String)> {
        let state = self.state();
        state.results.clone()
    }

    /// Something was changed by the run itself.
    pub(crate) fn changed(&self, path: &Utf8Path) {
        if !path.starts_with(&self.own) {
            self.spoil();
        }
    }

    /// The run depends on more than can be noted: what was noted goes, and from here on it costs nothing to look.
    pub fn spoil(&self) {
        if !self.spoiled.swap(true, Ordering::Relaxed) {
            self.state().notes = HashMap::new();
        }
    }

    /// Whether nothing that is seen counts any more.
    #[must_use]
    pub fn is_spoiled(&self) -> bool {
        self.spoiled.load(Ordering::Relaxed)
    }

    /// All notes but those that follow from others, sorted, which are handed over; `None` if they say too little.
    #[must_use]
    pub fn take_notes(&self) -> Option<Vec<Note>> {
        let mut state = self.state();
        if self.is_spoiled() {
            return None;
        }
        let notes = std::mem::take(&mut state.notes);
        let mut all: Vec<Note> = notes
            .iter()
            .filter(|((path, question), sight)| !follows(&notes, path, *question, sight))
            .map(|((path, question), sight)| (path.to_string(), *question, sight.clone()))
            .collect();
        all.sort_unstable_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Files, clock::Clock};
    use std::sync::Arc;

    fn seen(ask: impl Fn(&Files)) -> (tempfile::TempDir, Option<Vec<Note>>) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        std::fs::create_dir(dir.join("sub")).unwrap();
        std::fs::write(dir.join("file"), "x").unwrap();
        // A clock that stands an hour later, so that what was just written counts as settled.
        let later = Clock::System.nanos() + 3_600_000_000_000;
        let sightings = Arc::new(Sightings::new(dir.join("own"), later));
        ask(&Files::new(dir).watched(Arc::clone(&sightings)));
        (temp, sightings.take_notes())
    }

    fn holds(notes: &[Note]) -> bool {
        notes
            .iter()
            .all(|(path, question, sight)| Sight::now(path.as_str().into(), *question) == *sight)
    }

    #[test]
    fn edits_of_every_kind_show() {
        let ask = |files: &Files| {
            files.read("file").unwrap();
            files.read_dir("sub").unwrap();
            assert!(!files.exists("missing"));
            assert!(files.is_dir("."));
        };
        type Edit = (&'static str, fn(&Utf8Path));
        let edits: [Edit; 5] = [
            ("content, same size and time", |dir| {
                let old = std::fs::metadata(dir.join("file")).unwrap();
                std::fs::write(dir.join("file"), "y").unwrap();
                let file = std::fs::File::options().write(true).open(dir.join("file"));
                file.unwrap().set_modified(old.modified().unwrap()).unwrap();
            }),
            ("replaced", |dir| {
                std::fs::write(dir.join("new"), "x").unwrap();
                std::fs::rename(dir.join("new"), dir.join("file")).unwrap();
            }),
            ("removed", |dir| {
                std::fs::remove_file(dir.join("file")).unwrap()
            }),
            ("a new name", |dir| {
                std::fs::write(dir.join("sub/new"), "").unwrap()
            }),
            ("there now", |dir| {
                std::fs::write(dir.join("missing"), "").unwrap()
            }),
        ];
        for (what, edit) in edits {
            let (temp, notes) = seen(ask);
            let notes = notes.unwrap();
            assert!(holds(&notes), "{what}");
            std::thread::sleep(std::time::Duration::from_millis(20));
            edit(Utf8Path::from_path(temp.path()).unwrap());
            assert!(!holds(&notes), "{what}");
        }
    }

    #[test]
    fn being_used_is_no_change_and_another_beginning_is() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let (path, now) = (dir.join("entry"), Clock::System.nanos());
        std::fs::write(&path, "one").unwrap();
        let noted = |clock: i64| {
            let sightings = Sightings::new(dir.join("own"), clock);
            sightings.look(&path, Question::Head);
            sightings.take_notes().unwrap().remove(0).2
        };
        let holds = |sight: &Sight, clock: i64| sight.holds(&path, Question::Head, clock);
        let later = now + 3_600_000_000_000;
        let settled = noted(later);
        assert_eq!(holds(&settled, later), (true, None));
        std::thread::sleep(std::time::Duration::from_millis(20));
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::now()).unwrap();
        let (same, better) = holds(&settled, later);
        assert!(same);
        assert_eq!(holds(&better.unwrap(), later), (true, None));
        // As long as it could change without a sign, it is read each time.
        let fresh = noted(now);
        assert!(matches!(fresh, Sight::Head(None, ..)));
        assert_eq!(holds(&fresh, now), (true, None));
        std::fs::write(&path, "two").unwrap();
        for sight in [&settled, &fresh] {
            assert_eq!(holds(sight, later), (false, None));
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(holds(&fresh, later), (false, None));
        assert_eq!(holds(&noted(now), later), (true, None));
    }

    #[test]
    fn what_follows_is_left_out_and_what_links_lead_to_is_not() {
        let links = |dir: &Utf8Path| {
            std::os::unix::fs::symlink(dir.join("nowhere"), dir.join("sub/dangling")).unwrap();
            std::os::unix::fs::symlink(dir.join("file"), dir.join("sub/link")).unwrap();
            std::fs::write(dir.join("sub/plain"), "").unwrap();
        };
        let (temp, notes) = seen(|files| {
            links(files.cwd());
            files.read_dir("sub").unwrap();
            for name in ["missing", "dangling", "link", "plain"] {
                files.is_dir(Utf8Path::new("sub").join(name));
            }
            let _ = files.stat("file").unwrap();
            let _ = files.lstat("file").unwrap();
            files.is_dir("file");
            files.is_dir("absent");
        });
        let notes = notes.unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        let left: Vec<_> = notes
            .iter()
            .map(|(path, question, _)| (path.strip_prefix(dir.as_str()).unwrap(), *question))
            .collect();
        assert_eq!(
            left,
            [
                ("/absent", Question::Kind),
                ("/file", Question::OwnStamp),
                ("/sub", Question::Stamp),
                ("/sub/dangling", Question::Kind),
                ("/sub/link", Question::Kind),
            ]
        );
        assert!(holds(&notes));
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::create_dir(dir.join("sub/missing")).unwrap();
        assert!(!holds(&notes));
    }

    #[test]
    fn what_nobody_asked_does_not_count() {
        let (temp, notes) = seen(|files| {
            files.is_dir("sub");
            files.read("own/memory").unwrap_err();
        });
        let notes = notes.unwrap();
        std::fs::write(temp.path().join("sub/other"), "").unwrap();
        std::fs::create_dir(temp.path().join("own")).unwrap();
        assert!(holds(&notes));
    }

    #[test]
    fn changes_of_its_own_spoil() {
        let (_temp, notes) = seen(|files| files.write("new", b"", 0o666).unwrap());
        assert_eq!(notes, None);
        let (_temp, notes) = seen(|files| {
            files.create_dir_all("own/x").unwrap();
            files.write_atomic("own/x/y", b"", 0o666).unwrap();
        });
        assert_eq!(notes, Some(Vec::new()));
    }

    #[test]
    fn fresh_files_spoil() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap();
        std::fs::write(dir.join("file"), "x").unwrap();
        let sightings = Arc::new(Sightings::new(dir.join("own"), Clock::System.nanos()));
        let files = Files::new(dir).watched(Arc::clone(&sightings));
        files.read("file").unwrap();
        assert_eq!(sightings.take_notes(), None);
    }
}

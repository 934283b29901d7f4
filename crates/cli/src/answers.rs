//! Answers that were given before and still hold: a run that only looks at files is not done again as long as it would see the same.
//!
//! The memory is a file for each question: program, words, working directory, environment and user. It holds what was printed, and
//! everything that the run saw of the file system (see [`steady_system::Sightings`]). It is believed only if a look at every one of
//! those places shows the same, and what a build is to make is in place. A run that changed something, started a program, said anything on standard error, or saw what
//! might still be changing leaves no answer. A file that is torn, of another format or somebody else's is passed over.
//! `STEADY_ANSWERS=off` does without; `eager` believes that the file system's clock is a fine one, for tests that cannot wait.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use steady_module::hex;
use steady_system::clock::Clock;
use steady_system::{Environment, Files, Question, Sight, Sightings};

/// First bytes of a file; changes with the format.
const MAGIC: &[u8] = b"steady answer 4\n";

/// More files than this are not kept.
const MANY: usize = 256;

/// Variables that change from shell to shell and that nothing depends on.
const IDLE: [&str; 4] = ["_", "SHLVL", "OLDPWD", "PWD"];

/// Commands that can be answered from memory: they do nothing but look at files, or have nothing else to do mostly.
pub const COMMANDS: [&str; 10] = [
    "build",
    "install",
    "list",
    "mod graph",
    "mod tidy",
    "mod vendor",
    "mod why",
    "run",
    "vet",
    "work vendor",
];

/// What is kept.
#[derive(Serialize, Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    notes: Vec<Note<'a>>,
    /// Programs and archives that must be in place, with their build ids.
    results: Vec<(String, String)>,
    text: &'a [u8],
    start: Option<Program>,
}

/// What was seen at a path: [`steady_system::Note`] as it lies in a file.
type Note<'a> = (&'a str, Question, Sight);

/// A program that is started once the rest is said: what `run` has built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// What to execute, with arguments.
    pub command: Vec<String>,
    /// PATH as it is for the program.
    pub path: String,
}

/// What is given again.
#[derive(Debug, PartialEq, Eq)]
pub struct Recalled {
    /// What was printed.
    pub text: Vec<u8>,
    /// What is started then.
    pub start: Option<Program>,
}

/// The memory for one question.
pub struct Memory {
    dir: Utf8PathBuf,
    file: Utf8PathBuf,
    files: Files,
    sightings: Arc<Sightings>,
}

impl Memory {
    /// The memory for this run's question. `None`: there is no place for one, or it is not wanted.
    #[must_use]
    pub fn open(environment: &Environment, name: &str, words: &[String]) -> Option<Memory> {
        let now = match environment.get("STEADY_ANSWERS") {
            "off" => return None,
            "eager" => i64::MAX,
            _ => Clock::System.nanos(),
        };
        let own = crate::session::memories(environment)?;
        let program = environment.executable()?;
        let mut hash = Sha256::new();
        let mut add = |text: &[u8]| {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        };
        add(MAGIC);
        add(program.as_str().as_bytes());
        add(format!("{:?}", Sight::now(program, Question::Stamp)).as_bytes());
        add(name.as_bytes());
        add(environment.cwd().as_str().as_bytes());
        add(&rustix::process::geteuid().as_raw().to_le_bytes());
        add(&words.len().to_le_bytes());
        words.iter().for_each(|word| add(word.as_bytes()));
        let mut variables: Vec<_> = environment
            .variables()
            .iter()
            .filter(|(name, _)| !IDLE.iter().any(|idle| name == idle))
            .collect();
        variables.sort();
        for (name, value) in variables {
            add(name.as_encoded_bytes());
            add(value.as_encoded_bytes());
        }
        let key = hash.finalize();
        let key = hex(&key[..16]);
        let dir = own.join("answers");
        Some(Memory {
            file: dir.join(key),
            dir,
            files: Files::new(environment.cwd()),
            sightings: Arc::new(Sightings::new(own, now)),
        })
    }

    /// The notes that the run is to take.
    #[must_use]
    pub fn sightings(&self) -> Arc<Sightings> {
        Arc::clone(&self.sightings)
    }

    /// What was printed last time, if it would be printed again.
    #[must_use]
    pub fn recall(&self) -> Option<Recalled> {
        let meta = self.files.lstat(&self.file).ok()?;
        if !meta.is_file() || meta.owner != rustix::process::geteuid().as_raw() {
            return None;
        }
        let bytes = self.files.read(&self.file).ok()?;
        let (mut answer, seal) = decode(&bytes)?;
        let better = holds(&answer.notes, &seal)?;
        if !in_place(&answer.results) {
            return None;
        }
        if !better.is_empty() {
            for (at, sight) in better {
                answer.notes[at].2 = sight;
            }
            self.write(&answer);
        }
        Some(Recalled {
            text: answer.text.to_vec(),
            start: answer.start,
        })
    }

    /// Keeps what was printed and what is started, if the notes allow.
    pub fn keep(&self, text: &[u8], start: Option<Program>) {
        let Some(notes) = self.sightings.take_notes() else {
            return;
        };
        let answer = Answer {
            notes: notes
                .iter()
                .map(|(path, question, sight)| (path.as_str(), *question, sight.clone()))
                .collect(),
            results: self.sightings.results(),
            text,
            start,
        };
        if self.write(&answer) {
            self.trim();
        }
    }

    fn write(&self, answer: &Answer<'_>) -> bool {
        let Some(bytes) = encode(answer) else {
            return false;
        };
        // A full or read-only disk costs time at the next run and nothing else.
        self.files
            .create_dir_all(&self.dir)
            .and_then(|()| self.files.write_atomic(&self.file, &bytes, 0o600))
            .is_ok()
    }

    /// Drops the oldest answers when there are too many.
    fn trim(&self) {
        let entries = self.files.read_dir(&self.dir).unwrap_or_default();
        if entries.len() <= MANY {
            return;
        }
        let mut dated: Vec<(i64, Utf8PathBuf)> = entries
            .into_iter()
            .map(|entry| self.dir.join(entry.name))
            .filter_map(|path| Some((self.files.lstat(&path).ok()?.modified, path)))
            .collect();
        dated.sort();
        for (_, path) in dated.iter().take(dated.len() - MANY / 2) {
            let _ = self.files.remove_file(path);
        }
    }
}

/// Whether the answer is whole and every place looks as it did: `None` if not, else the notes that are quicker to see in a new form.
/// Many places are looked at by all processors, the first of which holds the answer against its sum in the meantime.
fn holds(notes: &[Note<'_>], seal: &Seal<'_>) -> Option<Vec<(usize, Sight)>> {
    const CHUNK: usize = 128;
    let now = Clock::System.nanos();
    let (next, good) = (AtomicUsize::new(0), AtomicBool::new(true));
    let look = || {
        let mut better = Vec::new();
        while good.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = notes.chunks(CHUNK).nth(at) else {
                break;
            };
            for (index, (path, question, sight)) in chunk.iter().enumerate() {
                let (same, form) = sight.holds((*path).into(), *question, now);
                if !same {
                    good.store(false, Ordering::Relaxed);
                    break;
                }
                better.extend(form.map(|form| (at * CHUNK + index, form)));
            }
        }
        better
    };
    let threads = steady_system::processors().min(notes.len() / CHUNK);
    let better = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(look)).collect();
        if !seal.is_whole() {
            good.store(false, Ordering::Relaxed);
        }
        let mut all = look();
        for other in others {
            all.extend(other.join().unwrap_or_default());
        }
        all
    });
    good.into_inner().then_some(better)
}

/// Whether what a build is to make is there already. Then its time is set as a build that finds it does, so that nobody can tell from
/// the time whether something was built.
fn in_place(results: &[(String, String)]) -> bool {
    let is = |(path, id): &(String, String)| {
        steady_build::buildid::read_file(path.as_str().into()).is_ok_and(|found| found == *id)
    };
    if !results.iter().all(is) {
        return false;
    }
    for (path, _) in results {
        let file = std::fs::File::options().write(true).open(path);
        let _ = file.and_then(|file| file.set_modified(Clock::System.now()));
    }
    true
}

fn encode(answer: &Answer<'_>) -> Option<Vec<u8>> {
    let body = postcard::to_stdvec(answer).ok()?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&Sha256::digest(&body));
    bytes.extend(body);
    Some(bytes)
}

/// What tells whether an answer is as it was written.
struct Seal<'a> {
    sum: &'a [u8],
    body: &'a [u8],
}

impl Seal<'_> {
    fn is_whole(&self) -> bool {
        Sha256::digest(self.body).as_slice() == self.sum
    }
}

/// What a file holds, if that has the form of an answer. Nothing of it may be used before its seal was found whole.
fn decode(bytes: &[u8]) -> Option<(Answer<'_>, Seal<'_>)> {
    let (sum, body) = bytes.strip_prefix(MAGIC)?.split_at_checked(32)?;
    Some((postcard::from_bytes(body).ok()?, Seal { sum, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_of_every_kind_is_noticed() {
        let answer = Answer {
            notes: vec![("/", Question::Kind, Sight::now("/".into(), Question::Kind))],
            results: Vec::new(),
            text: b"a\n",
            start: None,
        };
        let bytes = encode(&answer).unwrap();
        let whole = |bytes: &[u8]| {
            let (answer, seal) = decode(bytes)?;
            holds(&answer.notes, &seal)?;
            Some(answer.text.to_vec())
        };
        assert_eq!(whole(&bytes).unwrap(), b"a\n");
        for cut in 0..bytes.len() {
            assert!(whole(&bytes[..cut]).is_none());
        }
        for at in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[at] ^= 1;
            assert!(whole(&wrong).is_none(), "byte {at}");
        }
    }
}

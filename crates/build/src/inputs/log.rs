//! The memory of inputs: a file for each project, to which records are appended.
//!
//! ```text
//! mark | length, u32 | CRC-32, u32 | record
//! ```
//! Numbers are little-endian, records are `postcard`. A record that is torn is passed over: reading goes on at the next mark. Writers
//! exclude one another with a lock on the file; one that finds the file too long leaves the last records of each package only.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::{Seek as _, SeekFrom, Write as _};
use steady_system::{Files, fault, lock};

use super::{Inputs, Step};
use crate::cache::{Id, hex};

/// Before each record; changes with the format. No end of it is its beginning, so that a torn one hides no whole one.
const MARK: &[u8] = b"inputs1\n";

/// A longer file is shortened to half of this.
const LIMIT: u64 = 16 << 20;

/// So many records of one package are kept then: it may be built in several ways in turn.
const KEPT: usize = 4;

/// More files than this are not kept.
const MANY: usize = 64;

/// What went into one package or program, when it was built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The package as messages name it.
    pub package: String,
    /// Its module as `path@version`, `std` for the standard library, empty if it is in none.
    pub module: String,
    /// The id that its result has in the build cache.
    pub action: Id,
    /// When, in seconds since 1970.
    pub time: u64,
    /// What was done with it.
    pub step: Step,
    /// Names and values, one pair a line, apart from each other by a tab.
    text: String,
}

impl Record {
    /// A record of inputs.
    #[must_use]
    pub fn new(
        package: &str,
        module: &str,
        action: Id,
        time: u64,
        step: Step,
        inputs: &Inputs,
    ) -> Record {
        let mut text = String::new();
        for (name, value) in &inputs.lines {
            text.push_str(name);
            text.push('\t');
            text.push_str(value);
            text.push('\n');
        }
        Record {
            package: package.to_owned(),
            module: module.to_owned(),
            action,
            time,
            step,
            text,
        }
    }

    /// The inputs again.
    #[must_use]
    pub fn inputs(&self) -> Inputs {
        let pairs = self.text.lines().filter_map(|line| line.split_once('\t'));
        let lines = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Inputs {
            lines: lines.collect(),
        }
    }
}

/// The memory of one project.
#[derive(Debug, Clone)]
pub struct Log {
    path: Utf8PathBuf,
}

impl Log {
    /// The memory that lies in a file.
    #[must_use]
    pub fn at(path: impl Into<Utf8PathBuf>) -> Log {
        Log { path: path.into() }
    }

    /// The file for a project, below the directory of Steady's memories.
    #[must_use]
    pub fn place(memories: &Utf8Path, project: &Utf8Path) -> Utf8PathBuf {
        let name = hex(&Sha256::digest(project.as_str()));
        Log::folder(memories).join(&name[..32])
    }

    /// The directory in which the files of all projects lie.
    #[must_use]
    pub fn folder(memories: &Utf8Path) -> Utf8PathBuf {
        memories.join("inputs")
    }

    /// All sound records, oldest first.
    #[must_use]
    pub fn read(&self) -> Vec<Record> {
        let files = Files::new(Utf8Path::new("/"));
        files
            .read(&self.path)
            .map(|bytes| decode(&bytes))
            .unwrap_or_default()
    }

    /// Appends records. That they cannot be written is no error: it is a memory.
    pub fn append(&self, records: &[Record]) {
        let _ = self.try_append(records);
    }

    fn try_append(&self, records: &[Record]) -> Option<()> {
        let dir = self.path.parent()?;
        let files = Files::new(dir);
        if !files.exists(&self.path) {
            files.create_dir_all(dir).ok()?;
            drop_oldest(&files, dir);
        }
        let bytes = encode(records)?;
        let mut locked = lock::edit(&self.path).ok()?;
        let end = locked.file().seek(SeekFrom::End(0)).ok()?;
        if end + bytes.len() as u64 <= LIMIT {
            fault::step_write(locked.file(), &bytes);
            return locked.file().write_all(&bytes).ok();
        }
        let mut all = decode(&locked.read().ok()?);
        all.extend_from_slice(records);
        let bytes = encode(&shortened(all))?;
        let file = locked.file();
        fault::step();
        file.set_len(0).ok()?;
        fault::step_write(file, &bytes);
        file.rewind().ok()?;
        file.write_all(&bytes).ok()
    }
}

/// Drops the memories that were written longest ago when there are too many.
fn drop_oldest(files: &Files, dir: &Utf8Path) {
    let entries = files.read_dir(dir).unwrap_or_default();
    if entries.len() < MANY {
        return;
    }
    let mut dated: Vec<(i64, Utf8PathBuf)> = entries
        .into_iter()
        .map(|entry| dir.join(entry.name))
        .filter_map(|path| Some((files.lstat(&path).ok()?.modified, path)))
        .collect();
    dated.sort();
    for (_, path) in dated.iter().take(dated.len() - MANY / 2) {
        let _ = files.remove_file(path);
    }
}

fn encode(records: &[Record]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for record in records {
        let body = postcard::to_stdvec(record).ok()?;
        bytes.extend_from_slice(MARK);
        bytes.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
        bytes.extend(crc32fast::hash(&body).to_le_bytes());
        bytes.extend(body);
    }
    Some(bytes)
}

fn decode(bytes: &[u8]) -> Vec<Record> {
    let (mut records, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        rest = &rest[at + MARK.len()..];
        if let Some((record, behind)) = decode_one(rest) {
            records.push(record);
            rest = behind;
        }
    }
    records
}

fn decode_one(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    if crc32fast::hash(body) != u32::from_le_bytes(*sum) {
        return None;
    }
    Some((postcard::from_bytes(body).ok()?, rest))
}

/// The last records of each package, and of those the last that fit.
fn shortened(records: Vec<Record>) -> Vec<Record> {
    let mut counts: HashMap<(String, Step), usize> = HashMap::new();
    let mut size = 0;
    let mut kept: Vec<Record> = records
        .into_iter()
        .rev()
        .filter(|record| {
            let count = counts
                .entry((record.package.clone(), record.step))
                .or_default();
            *count += 1;
            *count <= KEPT
        })
        .take_while(|record| {
            size += record.text.len() as u64 + 200;
            size <= LIMIT / 2
        })
        .collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(package: &str, time: u64) -> Record {
        let inputs = Inputs::of("go1", "go1compile\nfile a.go aaaaaaaaaa\nGOAMD64=v1\n");
        Record::new(package, "m@v1.0.0", [7; 32], time, Step::Compile, &inputs)
    }

    #[test]
    fn there_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let log = Log::at(dir.join("inputs/x"));
        assert!(log.read().is_empty());
        log.append(&[record("a", 1), record("b", 2)]);
        log.append(&[record("a", 3)]);
        let all = log.read();
        assert_eq!(all, [record("a", 1), record("b", 2), record("a", 3)]);
        let inputs = Inputs::of("go1", "go1compile\nfile a.go aaaaaaaaaa\nGOAMD64=v1\n");
        assert_eq!(all[0].inputs(), inputs);
    }

    #[test]
    fn what_is_torn_is_passed_over() {
        let whole = encode(&[record("a", 1), record("b", 2)]).unwrap();
        let half = whole.len() / 2;
        for cut in 0..whole.len() {
            let mut bytes = whole[..cut].to_vec();
            bytes.extend(encode(&[record("c", 3)]).unwrap());
            let found = decode(&bytes);
            assert_eq!(found.len(), 1 + cut / half, "cut at {cut}");
            assert_eq!(found.last(), Some(&record("c", 3)));
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            let found = decode(&bytes);
            let sound = |found: &Record| [record("a", 1), record("b", 2)].contains(found);
            assert!(found.len() == 1 && found.iter().all(sound), "byte {at}");
        }
    }

    #[test]
    fn only_the_last_of_each_package_stay() {
        let all = (0..20).map(|time| record(["a", "b"][time % 2], time as u64));
        let kept = shortened(all.collect());
        let times: Vec<u64> = kept.iter().map(|record| record.time).collect();
        assert_eq!(times, [12, 13, 14, 15, 16, 17, 18, 19]);
    }
}

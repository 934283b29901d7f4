//! What lies in a build cache, as far as its files tell: outputs with the entries that lead to them, their sizes and ages.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::time::SystemTime;

use super::{ENTRY_SIZE, Id, parse_entry, parse_hex};

/// An output and the entries that lead to it: what is of use only together.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Ids of the actions that have this output; none if nobody leads to it.
    pub actions: Vec<Id>,
    /// The files: entries, then the output, if it is there.
    pub files: Vec<Utf8PathBuf>,
    /// Bytes that they take on the disk.
    pub size: u64,
    /// When one of them was used last, as modification times tell: to the hour.
    pub used: SystemTime,
}

/// All that lies in a build cache.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Outputs with their entries.
    pub units: Vec<Unit>,
    /// Bytes of what fuzzing has collected, which is no result but a find.
    pub fuzz: u64,
}

impl Survey {
    /// Looks at every file of the cache. What cannot be read is passed over: others may be at work.
    #[must_use]
    pub fn of(dir: &Utf8Path) -> Survey {
        let (mut entries, mut outputs) = (Vec::new(), HashMap::new());
        for byte in 0..=u8::MAX {
            look_into(&dir.join(format!("{byte:02x}")), &mut entries, &mut outputs);
        }
        let mut units: Vec<Unit> = Vec::with_capacity(outputs.len());
        let mut places: HashMap<Id, usize> = HashMap::new();
        for entry in entries {
            let place = entry.output.and_then(|id| places.get(&id).copied());
            let at = place.unwrap_or(units.len());
            if at == units.len() {
                units.push(Unit {
                    actions: Vec::new(),
                    files: Vec::new(),
                    size: 0,
                    used: SystemTime::UNIX_EPOCH,
                });
                if let Some(id) = entry.output {
                    places.insert(id, at);
                }
            }
            units[at].actions.extend(entry.action);
            units[at].add(entry.path, entry.size, entry.used);
        }
        for (id, output) in outputs {
            match places.get(&id) {
                Some(at) => units[*at].add(output.path, output.size, output.used),
                None => units.push(Unit {
                    actions: Vec::new(),
                    files: vec![output.path],
                    size: output.size,
                    used: output.used,
                }),
            }
        }
        Survey {
            units,
            fuzz: size_below(&dir.join("fuzz")),
        }
    }

    /// Bytes of all outputs and entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.units.iter().map(|unit| unit.size).sum()
    }
}

impl Unit {
    fn add(&mut self, path: Utf8PathBuf, size: u64, used: SystemTime) {
        self.files.push(path);
        self.size += size;
        self.used = self.used.max(used);
    }
}

struct FoundEntry {
    path: Utf8PathBuf,
    size: u64,
    used: SystemTime,
    /// None: the entry is damaged, and leads nowhere.
    action: Option<Id>,
    output: Option<Id>,
}

struct FoundOutput {
    path: Utf8PathBuf,
    size: u64,
    used: SystemTime,
}

/// When a file was used last.
pub(super) fn used(meta: &Metadata) -> SystemTime {
    meta.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn on_disk(meta: &Metadata) -> u64 {
    meta.blocks() * 512
}

fn look_into(
    dir: &Utf8Path,
    entries: &mut Vec<FoundEntry>,
    outputs: &mut HashMap<Id, FoundOutput>,
) {
    let Ok(list) = dir.read_dir_utf8() else {
        return;
    };
    for found in list.flatten() {
        let path = found.path().to_owned();
        let Ok(meta) = found.metadata() else { continue };
        let (size, used) = (on_disk(&meta), used(&meta));
        if let Some(name) = found.file_name().strip_suffix("-a") {
            let action = parse_id(name);
            let output = action.and_then(|action| read_entry(&path, &action));
            entries.push(FoundEntry {
                path,
                size,
                used,
                action: action.filter(|_| output.is_some()),
                output,
            });
        } else if let Some(id) = found.file_name().strip_suffix("-d").and_then(parse_id) {
            // A program lies in a directory of its own.
            let inside = if meta.is_dir() { size_below(&path) } else { 0 };
            let size = size + inside;
            outputs.insert(id, FoundOutput { path, size, used });
        }
    }
}

fn parse_id(name: &str) -> Option<Id> {
    (name.len() == 64).then(|| parse_hex(name)).flatten()
}

fn read_entry(path: &Utf8Path, action: &Id) -> Option<Id> {
    let mut line = Vec::with_capacity(ENTRY_SIZE);
    File::open(path).ok()?.read_to_end(&mut line).ok()?;
    parse_entry(&line, action).map(|entry| entry.output)
}

/// Bytes on disk of everything below a directory, without the directory itself.
pub(super) fn size_below(dir: &Utf8Path) -> u64 {
    let Ok(list) = dir.read_dir_utf8() else {
        return 0;
    };
    let sizes = list.flatten().map(|found| {
        let Ok(meta) = found.metadata() else { return 0 };
        let inside = if meta.is_dir() {
            size_below(found.path())
        } else {
            0
        };
        on_disk(&meta) + inside
    });
    sizes.sum()
}

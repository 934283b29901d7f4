//! A file of records by name: the form in which a memory lies on disk.
//!
//! ```text
//! magic line | length of table, u32 | CRC-32 of table, u32 | table | records
//! ```
//! The table gives each record's name, place and CRC-32. A file whose magic, lengths or table do not fit is no store; a record
//! whose sum does not fit is as if it were not there. Numbers are little-endian, table and records are `postcard`.

use crate::{Files, Result};
use camino::Utf8Path;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Raise the number when the meaning of any stored fact changes.
const MAGIC: &[u8] = b"steady index 3\n";

/// More records than this are not kept if no run asks for them.
const MANY: usize = 20_000;

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    start: u32,
    length: u32,
    sum: u32,
}

/// An opened file of records.
#[derive(Debug, Default)]
pub struct Store {
    bytes: Vec<u8>,
    /// Where the records begin.
    base: usize,
    /// Sorted by name.
    table: Vec<Entry>,
}

impl Store {
    /// The store in a file; an empty one if there is none, or none that is whole.
    #[must_use]
    pub fn read(files: &Files, place: &Utf8Path) -> Self {
        let bytes = files.read(place).ok();
        bytes.and_then(Store::open).unwrap_or_default()
    }

    /// `None`: not a store, or a torn one.
    pub fn open(bytes: Vec<u8>) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (length, rest) = number(rest)?;
        let (sum, rest) = number(rest)?;
        let encoded = rest.get(..length as usize)?;
        if crc32fast::hash(encoded) != sum {
            return None;
        }
        let table: Vec<Entry> = postcard::from_bytes(encoded).ok()?;
        let base = MAGIC.len() + 8 + length as usize;
        Some(Self { bytes, base, table })
    }

    /// The bytes of a record.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let at = self
            .table
            .binary_search_by(|entry| entry.name.as_str().cmp(name))
            .ok()?;
        self.record(&self.table[at])
    }

    fn record(&self, entry: &Entry) -> Option<&[u8]> {
        let start = self.base.checked_add(entry.start as usize)?;
        let record = self
            .bytes
            .get(start..start.checked_add(entry.length as usize)?)?;
        (crc32fast::hash(record) == entry.sum).then_some(record)
    }

    /// All sound records.
    pub fn records(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.table
            .iter()
            .filter_map(|entry| Some((entry.name.as_str(), self.record(entry)?)))
    }
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*head), rest))
}

/// The bytes of a store with these records; `None` if they are too many.
pub fn encode(records: &BTreeMap<&str, &[u8]>) -> Option<Vec<u8>> {
    let (mut table, mut start) = (Vec::with_capacity(records.len()), 0u32);
    for (name, record) in records {
        let length = u32::try_from(record.len()).ok()?;
        table.push(Entry {
            name: (*name).to_owned(),
            start,
            length,
            sum: crc32fast::hash(record),
        });
        start = start.checked_add(length)?;
    }
    let table = postcard::to_stdvec(&table).ok()?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend(u32::try_from(table.len()).ok()?.to_le_bytes());
    bytes.extend(crc32fast::hash(&table).to_le_bytes());
    bytes.extend(table);
    bytes.extend(records.values().copied().flatten());
    Some(bytes)
}

/// Adds records to a memory, to what is on disk by now: another process may have added to it. Where there are very many, those that
/// no run asks for any more (`is_used`) are dropped.
///
/// # Errors
/// It cannot be written.
pub fn add<'r>(
    files: &Files,
    place: &Utf8Path,
    news: impl IntoIterator<Item = (&'r str, &'r [u8])>,
    is_used: impl Fn(&str) -> bool,
) -> Result<()> {
    let current = Store::read(files, place);
    let mut all: BTreeMap<&str, &[u8]> = current.records().collect();
    if all.len() > MANY {
        all.retain(|name, _| is_used(name));
    }
    for (name, record) in news {
        all.insert(name, record);
    }
    match encode(&all) {
        Some(bytes) => write(files, place, &bytes),
        None => Ok(()),
    }
}

/// Writes a memory to its place, whole or not at all; the directory is made if need be.
pub fn write(files: &Files, place: &Utf8Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = place.parent() {
        files.create_dir_all(parent)?;
    }
    files.write_atomic(place, bytes, 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        encode(&BTreeMap::from([
            ("a", &b"one"[..]),
            ("b", b""),
            ("c/d", b"three"),
        ]))
        .unwrap()
    }

    #[test]
    fn there_and_back() {
        let store = Store::open(sample()).unwrap();
        assert_eq!(store.get("a"), Some(&b"one"[..]));
        assert_eq!(store.get("c/d"), Some(&b"three"[..]));
        assert_eq!(store.get("b"), Some(&b""[..]));
        assert_eq!(store.get("x"), None);
        assert_eq!(store.records().count(), 3);
    }

    #[test]
    fn whatever_is_torn_is_not_believed() {
        let whole = sample();
        for cut in 0..whole.len() {
            let store = Store::open(whole[..cut].to_vec());
            assert!(
                store.is_none_or(|store| store.get("c/d").is_none()),
                "cut at {cut}"
            );
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            let Some(store) = Store::open(bytes) else {
                continue;
            };
            for (name, want) in [("a", &b"one"[..]), ("c/d", b"three")] {
                assert!(
                    store.get(name).is_none_or(|record| record == want),
                    "bit at {at}"
                );
            }
        }
    }
}

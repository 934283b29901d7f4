//! Giving a file its content id.

use sha2::{Digest, Sha256};
use std::ops::Range;

use super::elf::Header;
use super::macho::{MachO, is_macho};
use super::read::find;
use crate::cache::Id;

/// Where a build id stands in a file, and the file's hash without it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Offsets of the id, ascending.
    pub matches: Vec<usize>,
    /// SHA-256 of the file with every occurrence of the id, its code signature and the host's build id set to zero.
    pub hash: Id,
}

/// Looks for `id` in a file's content. The code signature covers the id, so it can be no part of what is hashed; nor can the
/// host's build id in releases that make it from the id (`ignore_host`).
#[must_use]
pub fn find_and_hash(data: &[u8], id: &str, ignore_host: bool) -> Found {
    let id = id.as_bytes();
    let blanks = excluded(data, ignore_host);
    let mut matches = Vec::new();
    let mut at = 0;
    while let Some(step) = find(&data[at..], id) {
        let found = at + step..at + step + id.len();
        // Inside a blanked part there is nothing to be found.
        if blanks
            .iter()
            .all(|blank| blank.end <= found.start || found.end <= blank.start)
        {
            matches.push(found.start);
            at = found.end;
        } else {
            at = found.start + 1;
        }
    }
    let mut zeroed = blanks;
    zeroed.extend(matches.iter().map(|start| *start..*start + id.len()));
    zeroed.sort_by_key(|range| range.start);
    Found {
        matches,
        hash: hash_with_zeros(data, &zeroed),
    }
}

fn excluded(data: &[u8], ignore_host: bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    if let Some(header) = Header::parse(data) {
        // After the three words and the owner of the note comes the id itself.
        if let Some(section) = header
            .section_named(data, b".note.gnu.build-id")
            .filter(|_| ignore_host)
        {
            let start = usize::try_from(section.offset)
                .unwrap_or(usize::MAX)
                .saturating_add(16);
            let end =
                usize::try_from(section.offset.saturating_add(section.size)).unwrap_or(usize::MAX);
            ranges.push(start..end);
        }
    } else if is_macho(data)
        && let Some(file) = MachO::parse(data)
    {
        ranges.extend(file.uuid().filter(|_| ignore_host));
        ranges.extend(file.code_signature(data));
    }
    ranges.retain(|range| range.start < range.end && range.end <= data.len());
    ranges
}

fn hash_with_zeros(data: &[u8], zeroed: &[Range<usize>]) -> Id {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut state = Sha256::new();
    let mut at = 0;
    for range in zeroed {
        state.update(&data[at..range.start]);
        let mut left = range.len();
        while left > 0 {
            let n = left.min(ZEROS.len());
            state.update(&ZEROS[..n]);
            left -= n;
        }
        at = range.end;
    }
    state.update(&data[at..]);
    state.finalize().into()
}

/// Puts `id` in the places that were found; a code signature is made anew.
pub fn rewrite(data: &mut [u8], matches: &[usize], id: &str) {
    for at in matches {
        data[*at..*at + id.len()].copy_from_slice(id.as_bytes());
    }
    if is_macho(data)
        && let Some(file) = MachO::parse(data)
    {
        file.sign(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_occurrence_and_hashes_without_them() {
        let found = find_and_hash(b"..abc..abcabc.ab", "abc", true);
        assert_eq!(found.matches, [2, 7, 10]);
        assert_eq!(
            found.hash,
            Id::from(Sha256::digest(b"..\0\0\0..\0\0\0\0\0\0.ab"))
        );
        let mut data = b"..abc..abcabc.ab".to_vec();
        rewrite(&mut data, &found.matches, "xyz");
        assert_eq!(data, b"..xyz..xyzxyz.ab");
        assert_eq!(find_and_hash(&data, "xyz", true).hash, found.hash);
    }
}

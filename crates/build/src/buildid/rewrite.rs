//! Giving a file its content id. Programs are large, so a file passes through a small buffer and is never in memory as a whole.

use memchr::memmem::Finder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use super::elf::Header;
use super::macho::{MachO, is_macho};
use super::read::{head_of, part};
use crate::cache::Id;
use steady_system::fault;

/// Where a build id stands in a file, and the file's hash without it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Offsets of the id, ascending.
    pub matches: Vec<u64>,
    /// SHA-256 of the file with every occurrence of the id, its code signature and the host's build id set to zero.
    pub hash: Id,
}

/// How much of a file is looked at at a time.
const BUFFER: usize = 64 * 1024;

/// Looks for `id` in a file. The code signature covers the id, so it can be no part of what is hashed; nor can the host's build
/// id in releases that make it from the id (`ignore_host`).
///
/// # Errors
/// The file cannot be read.
pub fn find_and_hash(file: &mut File, id: &str, ignore_host: bool) -> io::Result<Found> {
    let blanks = excluded(file, ignore_host)?;
    file.rewind()?;
    find_around(file, id.as_bytes(), &blanks, BUFFER)
}

/// The same in what a reader gives, around what is `blank`; `buffer` is more than the id is long.
fn find_around(
    mut content: impl Read,
    id: &[u8],
    blanks: &[Range<u64>],
    buffer: usize,
) -> io::Result<Found> {
    let finder = Finder::new(id);
    let mut state = Sha256::new();
    let mut matches = Vec::new();
    let mut window = Vec::with_capacity(buffer);
    // Where in the file the window begins.
    let mut base = 0;
    loop {
        let room = buffer - window.len();
        let read = content
            .by_ref()
            .take(room as u64)
            .read_to_end(&mut window)?;
        let is_end = read < room;
        let mut from = 0;
        while !id.is_empty()
            && let Some(step) = finder.find(&window[from..])
        {
            let found = from + step..from + step + id.len();
            let place = base + found.start as u64..base + found.end as u64;
            // Inside a blanked part there is nothing to be found.
            if blanks
                .iter()
                .any(|blank| place.start < blank.end && blank.start < place.end)
            {
                from = found.start + 1;
                continue;
            }
            matches.push(place.start);
            window[found.clone()].fill(0);
            from = found.end;
        }
        // An id could begin in what is left, and end in what comes.
        let done = match is_end {
            true => window.len(),
            false => from.max(window.len() - id.len().saturating_sub(1)),
        };
        for blank in blanks {
            let within = |at: u64| {
                usize::try_from(at.saturating_sub(base))
                    .unwrap_or(done)
                    .min(done)
            };
            window[within(blank.start)..within(blank.end)].fill(0);
        }
        state.update(&window[..done]);
        window.drain(..done);
        base += done as u64;
        if is_end {
            return Ok(Found {
                matches,
                hash: state.finalize().into(),
            });
        }
    }
}

fn excluded(file: &mut File, ignore_host: bool) -> io::Result<Vec<Range<u64>>> {
    let size = file.metadata()?.len();
    let head = head_of(file)?;
    let mut ranges = Vec::new();
    if let Some(header) = Header::parse(&head) {
        // After the three words and the owner of the note comes the id itself.
        if ignore_host
            && let Some(section) =
                header.section_named(&|range| part(file, range), b".note.gnu.build-id")
        {
            ranges.push(
                section.offset.saturating_add(16)..section.offset.saturating_add(section.size),
            );
        }
    } else if let Some(macho) = MachO::parse(&head) {
        let found = [
            macho.uuid().filter(|_| ignore_host),
            macho.code_signature(&head),
        ];
        ranges.extend(
            found
                .into_iter()
                .flatten()
                .map(|range| range.start as u64..range.end as u64),
        );
    }
    ranges.retain(|range| range.start < range.end && range.end <= size);
    Ok(ranges)
}

/// Puts `id` in the places that were found; a code signature is made anew.
///
/// # Errors
/// The file cannot be read or written.
pub fn rewrite(file: &mut File, matches: &[u64], id: &str) -> io::Result<()> {
    for at in matches {
        fault::step();
        file.write_all_at(id.as_bytes(), *at)?;
    }
    let head = head_of(file)?;
    if !is_macho(&head) {
        return Ok(());
    }
    let size = file.metadata()?.len();
    let signed = MachO::parse(&head).and_then(|macho| {
        let range = macho.code_signature(&head)?;
        (range.end as u64 <= size).then(|| macho.signed(&head))?
    });
    if let Some(signed) = signed {
        file.rewind()?;
        let signature = signed.sign(&*file)?;
        file.write_all_at(&signature, signed.code as u64)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_occurrence_and_hashes_without_them() {
        let text = b"..abc..abcabc.ab";
        for buffer in 4..20 {
            let found = find_around(&text[..], b"abc", &[], buffer).unwrap();
            assert_eq!(found.matches, [2, 7, 10], "{buffer}");
            let hash = Sha256::digest(b"..\0\0\0..\0\0\0\0\0\0.ab");
            assert_eq!(found.hash, Id::from(hash), "{buffer}");
        }
    }

    #[test]
    fn finds_nothing_in_what_is_blank() {
        for buffer in 4..20 {
            let found = find_around(&b"abcabcabc..abc"[..], b"abc", &[4..5, 10..14], buffer);
            let found = found.unwrap();
            assert_eq!(found.matches, [0, 6], "{buffer}");
            let hash = Sha256::digest(b"\0\0\0a\0c\0\0\0.\0\0\0\0");
            assert_eq!(found.hash, Id::from(hash), "{buffer}");
        }
    }

    #[test]
    fn rewrites_in_place() {
        use std::io::Write as _;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"..abc..abcabc.ab").unwrap();
        let found = find_and_hash(&mut file, "abc", true).unwrap();
        rewrite(&mut file, &found.matches, "xyz").unwrap();
        let mut data = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut data).unwrap();
        assert_eq!(data, b"..xyz..xyzxyz.ab");
        assert_eq!(
            find_and_hash(&mut file, "xyz", true).unwrap().hash,
            found.hash
        );
    }
}

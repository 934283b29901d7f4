//! Entries read whole: one read of the file, one call that unpacks, buffers that are kept. Nearly every file of a module is small
//! enough for that; the rest goes piece by piece.

use libdeflater::{Crc, Decompressor};
use std::io::{self, Read as _};
use std::ops::Range;

use super::{Archive, Entry, MAX_ZIP_FILE};

/// Reads small entries; one for each thread.
pub struct WholeReader {
    decompressor: Decompressor,
    packed: Vec<u8>,
    unpacked: Vec<u8>,
}

/// Where in the buffers an entry's bytes are.
enum Place {
    /// It is stored as it is.
    Packed(Range<usize>),
    /// It was unpacked, to this length.
    Unpacked(usize),
}

/// The largest entry, packed and unpacked: what several threads may hold at a time. Nearly all that is larger packed than the one is
/// larger unpacked than the other.
const MOST_PACKED: u64 = 256 << 10;
const MOST: u64 = 1 << 20;

/// How much of a larger one, or of a file, is in memory at a time.
const PIECE: usize = 256 << 10;

/// What is reserved for a packed entry: its local header goes along.
const PACKED_ROOM: usize = MOST_PACKED as usize + (128 << 10);

/// Makes a buffer that large. All of it is reserved at once: a buffer that grows leaves memory behind that nothing else fits in, and
/// what is not written to takes no memory yet.
fn reserve(buffer: &mut Vec<u8>, size: usize, most: usize) {
    if buffer.len() < size {
        *buffer = Vec::new();
        *buffer = vec![0; size.max(most)];
    }
}

impl Default for WholeReader {
    fn default() -> WholeReader {
        WholeReader {
            decompressor: Decompressor::new(),
            packed: Vec::new(),
            unpacked: Vec::new(),
        }
    }
}

impl WholeReader {
    /// The bytes of an entry. `None`: it is large, or not what the archive declares. Then [`Archive::reader`] is to be asked, which
    /// knows what to say of it.
    pub fn read(&mut self, archive: &Archive, entry: &Entry) -> io::Result<Option<&[u8]>> {
        let place = self.place(archive, entry)?;
        Ok(place.map(|place| self.at(place)))
    }

    /// Hands out the bytes of an entry of any size, as far as a module zip may have it: in one piece as a rule, a large one in many.
    ///
    /// # Errors
    /// It cannot be read, or is not what the archive declares: what was handed out by then means nothing.
    pub fn parts(
        &mut self,
        archive: &Archive,
        entry: &Entry,
        take: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        if let Some(place) = self.place(archive, entry)? {
            take(self.at(place));
            return Ok(());
        }
        if entry.size > MAX_ZIP_FILE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "zip: file too large",
            ));
        }
        let mut reader = archive.reader(entry)?;
        let piece = self.piece();
        loop {
            match reader.read(piece)? {
                0 => return Ok(()),
                count => take(&piece[..count]),
            }
        }
    }

    /// Memory for what is read piece by piece: large entries, and files.
    pub(crate) fn piece(&mut self) -> &mut [u8] {
        reserve(&mut self.unpacked, PIECE, MOST as usize);
        &mut self.unpacked[..PIECE]
    }

    fn at(&self, place: Place) -> &[u8] {
        match place {
            Place::Packed(range) => &self.packed[range],
            Place::Unpacked(length) => &self.unpacked[..length],
        }
    }

    fn place(&mut self, archive: &Archive, entry: &Entry) -> io::Result<Option<Place>> {
        if entry.size > MOST || entry.packed() > MOST_PACKED {
            return Ok(None);
        }
        reserve(&mut self.packed, 1, PACKED_ROOM);
        let Some(range) = archive.packed(entry, &mut self.packed)? else {
            return Ok(None);
        };
        let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
        let place = if entry.is_stored() {
            Place::Packed(range)
        } else {
            reserve(&mut self.unpacked, size, MOST as usize);
            let target = &mut self.unpacked[..size];
            match self
                .decompressor
                .deflate_decompress(&self.packed[range], target)
            {
                Ok(count) => Place::Unpacked(count),
                Err(_) => return Ok(None),
            }
        };
        let length = match &place {
            Place::Packed(range) => range.len(),
            Place::Unpacked(length) => *length,
        };
        let mut crc = Crc::new();
        crc.update(match &place {
            Place::Packed(range) => &self.packed[range.clone()],
            Place::Unpacked(length) => &self.unpacked[..*length],
        });
        Ok((length == size && crc.sum() == entry.crc()).then_some(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::tests::hostile;
    use std::io::Write;

    fn archive(bytes: &[u8]) -> Archive {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Archive::open(file).unwrap()
    }

    #[test]
    fn whole_is_what_piece_by_piece_is() {
        let large = b"0123456789".repeat(300_000);
        let bytes = hostile(&[
            ("m/empty", b"", None),
            ("m/small", b"package m\n", None),
            ("m/large", &large, None),
        ]);
        let archive = archive(&bytes);
        let mut reader = WholeReader::default();
        for entry in archive.entries() {
            let whole = reader.read(&archive, entry).unwrap().map(<[u8]>::to_vec);
            let mut joined = Vec::new();
            let mut join = |part: &[u8]| joined.extend_from_slice(part);
            reader.parts(&archive, entry, &mut join).unwrap();
            assert_eq!(joined, archive.read(entry).unwrap(), "{}", entry.name);
            if entry.size > MOST {
                assert_eq!(whole, None);
            } else {
                assert_eq!(
                    whole.unwrap(),
                    archive.read(entry).unwrap(),
                    "{}",
                    entry.name
                );
            }
        }
    }

    #[test]
    fn what_is_damaged_is_left_to_who_can_tell() {
        let bytes = hostile(&[("m/small", &b"package m\n".repeat(50), None)]);
        let data = 30 + "m/small".len();
        for at in data..data + 8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            let archive = archive(&damaged);
            let entry = &archive.entries()[0];
            let whole = WholeReader::default()
                .read(&archive, entry)
                .unwrap()
                .is_some();
            assert!(!whole && archive.read(entry).is_err(), "{at}");
        }
    }
}

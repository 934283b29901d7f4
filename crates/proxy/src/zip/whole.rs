//! Entries read whole: one read of the file, one call that unpacks, buffers that are kept. Nearly every file of a module is small
//! enough for that; the rest goes piece by piece.

use libdeflater::{Crc, Decompressor};
use std::io;

use super::{Archive, Entry};

/// Reads small entries; one for each thread.
pub struct WholeReader {
    decompressor: Decompressor,
    packed: Vec<u8>,
    unpacked: Vec<u8>,
}

/// The largest entry, packed or unpacked: what several threads may hold at a time.
const MOST: u64 = 2 << 20;

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
        if entry.size > MOST || entry.packed() > MOST {
            return Ok(None);
        }
        let Some(packed) = archive.packed(entry, &mut self.packed)? else {
            return Ok(None);
        };
        let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
        let bytes = if entry.is_stored() {
            packed
        } else {
            if self.unpacked.len() < size {
                self.unpacked.resize(size, 0);
            }
            let target = &mut self.unpacked[..size];
            match self.decompressor.deflate_decompress(packed, target) {
                Ok(count) => &target[..count],
                Err(_) => return Ok(None),
            }
        };
        let mut crc = Crc::new();
        crc.update(bytes);
        let good = bytes.len() == size && crc.sum() == entry.crc();
        Ok(good.then_some(bytes))
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

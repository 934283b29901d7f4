//! Reading zip archives by their central directory, as Go's `archive/zip` does.
//!
//! Written here because hashes and refusals depend on seeing what is really in an archive: every entry, in order, twice if it is
//! there twice, with its name's own bytes. Reads go by position, so threads share one open file.

use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use steady_system::FileKind;

const END: &[u8; 4] = b"PK\x05\x06";
const END64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR64: &[u8; 4] = b"PK\x06\x07";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    file: Arc<File>,
    entries: Vec<Entry>,
}

/// One entry of the central directory.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name as it stands there; a trailing slash marks a directory.
    pub name: Box<str>,
    /// Bytes when unpacked, as declared.
    pub size: u64,
    /// What it is, by its name and the attributes that the writer's system gave it.
    pub kind: FileKind,
    packed: u64,
    crc: u32,
    method: u16,
    offset: u64,
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn not_a_zip() -> io::Error {
    invalid("zip: not a valid zip file")
}

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 2)
        .map_or(0, |b| u64::from(u16::from_le_bytes([b[0], b[1]])))
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 4).map_or(0, |b| {
        u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    })
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

struct Directory {
    start: u64,
    size: u64,
    count: u64,
    /// Bytes that stand before the archive in the file.
    base: u64,
}

impl Archive {
    /// Reads the central directory of a file.
    ///
    /// # Errors
    /// `zip: not a valid zip file`, or what reading says.
    pub fn open(file: File) -> io::Result<Archive> {
        let size = file.metadata()?.len();
        let directory = find_directory(&file, size)?;
        // An entry takes at least 46 bytes: a count that cannot be must not make us reserve memory.
        if directory.count > directory.size / 46 {
            return Err(not_a_zip());
        }
        let mut entries = Vec::with_capacity(usize::try_from(directory.count).unwrap_or(0));
        let mut records = Records {
            file: &file,
            at: directory.start,
            left: directory.size,
            bytes: Vec::new(),
            from: 0,
        };
        for _ in 0..directory.count {
            entries.push(records.next(directory.base)?);
        }
        Ok(Archive {
            file: Arc::new(file),
            entries,
        })
    }

    /// All entries in the order of the central directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A reader of an entry's unpacked bytes. At their end it fails unless size and checksum are as declared.
    pub fn reader(&self, entry: &Entry) -> io::Result<EntryReader> {
        let mut head = [0; 30];
        self.file
            .read_exact_at(&mut head, entry.offset)
            .map_err(|_| not_a_zip())?;
        if &head[..4] != LOCAL {
            return Err(not_a_zip());
        }
        let start = entry.offset + 30 + u16_at(&head, 26) + u16_at(&head, 28);
        let inflate = match entry.method {
            0 => None,
            8 => Some(Decompress::new(false)),
            _ => return Err(invalid("zip: unsupported compression algorithm")),
        };
        let entry = entry.clone();
        let buffer = vec![0; 64 << 10];
        Ok(EntryReader {
            file: Arc::clone(&self.file),
            at: start,
            left: entry.packed,
            inflate,
            buffer,
            from: 0,
            to: 0,
            read: 0,
            crc: Crc::new(),
            done: false,
            entry,
        })
    }

    /// The packed bytes of an entry in a buffer that grows as needed, with one read as a rule: where in it they are; `None` if they
    /// are not there.
    pub fn packed(&self, entry: &Entry, buffer: &mut Vec<u8>) -> io::Result<Option<Range<usize>>> {
        /// What local headers may have that the directory does not tell of.
        const SLACK: usize = 64;
        let packed = usize::try_from(entry.packed).unwrap_or(usize::MAX);
        let Some(expected) = packed.checked_add(30 + entry.name.len() + SLACK) else {
            return Ok(None);
        };
        if buffer.len() < expected {
            buffer.resize(expected, 0);
        }
        let mut have = 0;
        while have < expected {
            let at = entry.offset + have as u64;
            match self.file.read_at(&mut buffer[have..expected], at)? {
                0 => break,
                count => have += count,
            }
        }
        if have < 30 || &buffer[..4] != LOCAL {
            return Ok(None);
        }
        let start = 30 + u16_at(buffer, 26) as usize + u16_at(buffer, 28) as usize;
        let end = start + packed;
        if end > have {
            buffer.resize(buffer.len().max(end), 0);
            let read = self
                .file
                .read_exact_at(&mut buffer[start..end], entry.offset + start as u64);
            if read.is_err() {
                return Ok(None);
            }
        }
        Ok(Some(start..end))
    }

    /// The whole unpacked bytes of an entry; its declared size is reserved, so the caller has checked it.
    pub fn read(&self, entry: &Entry) -> io::Result<Vec<u8>> {
        let mut bytes =
            Vec::with_capacity(usize::try_from(entry.size).unwrap_or(0).saturating_add(1));
        self.reader(entry)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Entry {
    /// Bytes in the archive.
    pub fn packed(&self) -> u64 {
        self.packed
    }

    /// Whether it stands in the archive as it is. What is packed in another way than deflate is taken for damaged.
    pub fn is_stored(&self) -> bool {
        self.method == 0
    }

    /// The checksum declared.
    pub fn crc(&self) -> u32 {
        self.crc
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.name.ends_with('/')
    }
}

fn find_directory(file: &File, size: u64) -> io::Result<Directory> {
    // As a rule no comment follows; one may be of 65,535 bytes.
    let (mut end_offset, end) = match find_end(file, size, 1024)? {
        Some(found) => found,
        None => find_end(file, size, 65_535 + 22)?.ok_or_else(not_a_zip)?,
    };
    let end = &end;
    let (mut count, mut length, mut offset) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
    if (count == 0xffff || length == 0xffff || length == 0xffff_ffff || offset == 0xffff_ffff)
        && let Some((at, record)) = end64(file, end_offset)?
    {
        (count, length, offset) = (
            u64_at(&record, 32),
            u64_at(&record, 40),
            u64_at(&record, 48),
        );
        end_offset = at;
    }
    let start = end_offset.checked_sub(length).ok_or_else(not_a_zip)?;
    let mut base = start.checked_sub(offset).ok_or_else(not_a_zip)?;
    let mut directory_start = start;
    // Some writers' offsets count from the start of the file although something stands before the archive.
    if base > 0 {
        let mut head = [0; 4];
        if file.read_exact_at(&mut head, offset).is_ok() && &head == CENTRAL {
            (base, directory_start) = (0, offset);
        }
    }
    Ok(Directory {
        start: directory_start,
        size: length,
        count,
        base,
    })
}

/// The last record of an archive within its last bytes, and its place.
fn find_end(file: &File, size: u64, within: u64) -> io::Result<Option<(u64, [u8; 22])>> {
    let length = size.min(within);
    let mut tail = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read_exact_at(&mut tail, size - length)?;
    let is_end = |record: &&[u8]| {
        record.starts_with(END) && 22 + u16_at(record, 20) as usize <= record.len()
    };
    let mut from = (0..tail.len().saturating_sub(21))
        .rev()
        .map(|at| &tail[at..]);
    Ok(from.find(is_end).and_then(|record| {
        let (head, _) = record.split_first_chunk()?;
        Some((size - record.len() as u64, *head))
    }))
}

fn end64(file: &File, end: u64) -> io::Result<Option<(u64, [u8; 56])>> {
    let mut locator = [0; 20];
    let Some(at) = end.checked_sub(20) else {
        return Ok(None);
    };
    file.read_exact_at(&mut locator, at)?;
    if &locator[..4] != LOCATOR64 {
        return Ok(None);
    }
    let at = u64_at(&locator, 8);
    let mut record = [0; 56];
    file.read_exact_at(&mut record, at)
        .map_err(|_| not_a_zip())?;
    if &record[..4] != END64 {
        return Err(not_a_zip());
    }
    Ok(Some((at, record)))
}

/// The records of a central directory, of which there may be many: a part of them is in memory at a time.
struct Records<'f> {
    file: &'f File,
    at: u64,
    left: u64,
    bytes: Vec<u8>,
    from: usize,
}

impl Records<'_> {
    /// The next bytes, so many.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        /// Bytes that are read at a time. Most directories are smaller.
        const PART: usize = 64 << 10;
        let there = self.bytes.len() - self.from;
        if there < count {
            self.bytes.drain(..self.from);
            self.from = 0;
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            let more = left.min(PART.max(count - there));
            self.bytes.resize(there + more, 0);
            self.file
                .read_exact_at(&mut self.bytes[there..], self.at)
                .map_err(|_| not_a_zip())?;
            (self.at, self.left) = (self.at + more as u64, self.left - more as u64);
        }
        let bytes = &self.bytes[self.from..];
        bytes.get(..count).ok_or_else(not_a_zip)
    }

    fn next(&mut self, base: u64) -> io::Result<Entry> {
        let head = self.peek(46)?;
        if &head[..4] != CENTRAL {
            return Err(not_a_zip());
        }
        let lengths = [28, 30, 32].map(|at| u16_at(head, at) as usize);
        let length = 46 + lengths.iter().sum::<usize>();
        let entry = read_entry(self.peek(length)?, base)?;
        self.from += length;
        Ok(entry)
    }
}

fn read_entry(record: &[u8], base: u64) -> io::Result<Entry> {
    let (name_len, extra_len) = (u16_at(record, 28) as usize, u16_at(record, 30) as usize);
    let name = std::str::from_utf8(&record[46..46 + name_len])
        .map_err(|_| invalid("zip: file name is not UTF-8"))?;
    let (mut packed, mut size, mut offset) =
        (u32_at(record, 20), u32_at(record, 24), u32_at(record, 42));
    let mut extra = &record[46 + name_len..46 + name_len + extra_len];
    while extra.len() >= 4 {
        let (tag, length) = (u16_at(extra, 0), u16_at(extra, 2) as usize);
        let Some(field) = extra.get(4..4 + length) else {
            break;
        };
        if tag == 1 {
            let mut wide = field;
            for value in [&mut size, &mut packed, &mut offset] {
                if *value == 0xffff_ffff {
                    if wide.len() < 8 {
                        return Err(not_a_zip());
                    }
                    *value = u64_at(wide, 0);
                    wide = &wide[8..];
                }
            }
        }
        extra = &extra[4 + length..];
    }
    let method = u16_at(record, 10) as u16;
    let crc = u32_at(record, 16) as u32;
    let offset = offset
        .checked_add(base)
        .filter(|offset| *offset < u64::MAX / 2)
        .ok_or_else(not_a_zip)?;
    Ok(Entry {
        kind: kind_of(name, record),
        name: name.into(),
        size,
        packed,
        crc,
        method,
        offset,
    })
}

/// Unix writes the mode into the upper half of the attributes; others mark directories only.
fn kind_of(name: &str, record: &[u8]) -> FileKind {
    const UNIX: u64 = 3;
    const MACOS: u64 = 19;
    let (creator, attributes) = (u16_at(record, 4) >> 8, u32_at(record, 38));
    let dir = name.ends_with('/') || !matches!(creator, UNIX | MACOS) && attributes & 0x10 != 0;
    match attributes >> 28 {
        _ if dir => FileKind::Dir,
        _ if !matches!(creator, UNIX | MACOS) => FileKind::File,
        0o04 => FileKind::Dir,
        0o12 => FileKind::Symlink,
        0o10 | 0 => FileKind::File,
        _ => FileKind::Other,
    }
}

/// See [`Archive::reader`].
pub struct EntryReader {
    file: Arc<File>,
    entry: Entry,
    at: u64,
    left: u64,
    inflate: Option<Decompress>,
    buffer: Vec<u8>,
    from: usize,
    to: usize,
    read: u64,
    crc: Crc,
    done: bool,
}

impl EntryReader {
    fn fill(&mut self) -> io::Result<()> {
        if self.from == self.to && self.left > 0 {
            let want = self
                .buffer
                .len()
                .min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.file.read_exact_at(&mut self.buffer[..want], self.at)?;
            self.at += want as u64;
            self.left -= want as u64;
            (self.from, self.to) = (0, want);
        }
        Ok(())
    }

    fn some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            self.fill()?;
            let input = &self.buffer[self.from..self.to];
            let Some(inflate) = &mut self.inflate else {
                let count = input.len().min(out.len());
                out[..count].copy_from_slice(&input[..count]);
                self.from += count;
                return Ok(count);
            };
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let status = inflate
                .decompress(input, out, FlushDecompress::None)
                .map_err(|_| invalid("flate: corrupt input"))?;
            self.from += (inflate.total_in() - before_in) as usize;
            let count = (inflate.total_out() - before_out) as usize;
            if count > 0 || status == Status::StreamEnd {
                return Ok(count);
            }
            if self.from == self.to && self.left == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl Read for EntryReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.done || out.is_empty() {
            return Ok(0);
        }
        let count = self.some(out)?;
        self.crc.update(&out[..count]);
        self.read += count as u64;
        if self.read > self.entry.size {
            let Entry { name, size, .. } = &self.entry;
            let text = format!(
                "uncompressed size of file {name} is larger than declared size ({size} bytes)"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        if count == 0 {
            self.done = true;
            if self.read != self.entry.size {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.crc.sum() != self.entry.crc {
                return Err(invalid("zip: checksum error"));
            }
        }
        Ok(count)
    }
}

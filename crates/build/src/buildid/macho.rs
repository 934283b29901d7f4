//! Just enough of Mach-O: load commands, the text section, and the ad-hoc code signature that the Go linker writes.

use sha2::{Digest, Sha256};
use std::io::{self, BufReader, Read};
use std::ops::Range;

/// Load commands and header fields of a Mach-O file.
#[derive(Debug)]
pub struct MachO {
    big: bool,
    wide: bool,
    file_type: u32,
    commands: Vec<(u32, Range<usize>)>,
}

const SEGMENT: u32 = 1;
const SEGMENT_64: u32 = 0x19;
const UUID: u32 = 0x1b;
const CODE_SIGNATURE: u32 = 0x1d;
const EXECUTABLE: u32 = 2;
const PAGE: usize = 4096;

/// Whether data begins like a Mach-O file.
pub fn is_macho(data: &[u8]) -> bool {
    matches!(
        data.get(..4),
        Some([0xfe, 0xed, 0xfa, 0xce | 0xcf] | [0xce | 0xcf, 0xfa, 0xed, 0xfe])
    )
}

impl MachO {
    /// Parses the headers; `data` must reach to the end of the load commands.
    pub fn parse(data: &[u8]) -> Option<MachO> {
        if !is_macho(data) {
            return None;
        }
        let big = data[0] == 0xfe;
        let wide = data[if big { 3 } else { 0 }] == 0xcf;
        let mut file = MachO {
            big,
            wide,
            file_type: 0,
            commands: Vec::new(),
        };
        file.file_type = file.u32(data, 12)?;
        let count = file.u32(data, 16)?;
        let mut at = if wide { 32 } else { 28 };
        for _ in 0..count {
            let (command, size) = (file.u32(data, at)?, file.u32(data, at + 4)? as usize);
            if size < 8 {
                return None;
            }
            let end = at.checked_add(size).filter(|end| *end <= data.len())?;
            file.commands.push((command, at..end));
            at = end;
        }
        Some(file)
    }

    /// How many bytes the header and the load commands take, going by the first bytes of a file.
    pub fn head_size(data: &[u8]) -> u64 {
        let word = |at: usize| data.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        let size = match data.first() {
            Some(0xfe) => word(20).map(u32::from_be_bytes),
            _ => word(20).map(u32::from_le_bytes),
        };
        32 + u64::from(size.unwrap_or_default())
    }

    fn u32(&self, data: &[u8], at: usize) -> Option<u32> {
        let bytes: [u8; 4] = data.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn word(&self, data: &[u8], at: usize) -> Option<u64> {
        if !self.wide {
            return self.u32(data, at).map(u64::from);
        }
        let bytes: [u8; 8] = data.get(at..at.checked_add(8)?)?.try_into().ok()?;
        Some(if self.big {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }

    /// Where the code signature lies.
    pub fn code_signature(&self, data: &[u8]) -> Option<Range<usize>> {
        let (_, command) = self
            .commands
            .iter()
            .find(|(kind, _)| *kind == CODE_SIGNATURE)?;
        let start = self.u32(data, command.start + 8)? as usize;
        let size = self.u32(data, command.start + 12)? as usize;
        Some(start..start.checked_add(size)?)
    }

    /// Where the identifier lies that the host's tools give a file.
    pub fn uuid(&self) -> Option<Range<usize>> {
        let (_, command) = self.commands.iter().find(|(kind, _)| *kind == UUID)?;
        Some(command.start + 8..command.end)
    }

    /// Offset and size in the file of the segment `__TEXT`.
    fn text_segment(&self, data: &[u8]) -> Option<(u64, u64)> {
        let wanted = if self.wide { SEGMENT_64 } else { SEGMENT };
        let (_, command) = self
            .commands
            .iter()
            .find(|(kind, range)| *kind == wanted && name(data, range.start + 8) == b"__TEXT")?;
        let at = command.start + 24 + if self.wide { 16 } else { 8 };
        Some((
            self.word(data, at)?,
            self.word(data, at + if self.wide { 8 } else { 4 })?,
        ))
    }

    /// Offset and size in the file of the section `__text`.
    pub fn text_section(&self, data: &[u8]) -> Option<(u64, u64)> {
        let wanted = if self.wide { SEGMENT_64 } else { SEGMENT };
        for (_, command) in self.commands.iter().filter(|(kind, _)| *kind == wanted) {
            let (counts, header, size) = if self.wide {
                (64, 72, 80)
            } else {
                (48, 56, 68)
            };
            let count = self.u32(data, command.start + counts)? as usize;
            for i in 0..count {
                let at = command.start + header + i * size;
                if at + size <= command.end && name(data, at) == b"__text" {
                    let word = if self.wide { 8 } else { 4 };
                    let length = self.word(data, at + 32 + word)?;
                    let offset = self.u32(data, at + 32 + 2 * word)?;
                    return Some((u64::from(offset), length));
                }
            }
        }
        None
    }

    /// The size of the signature that the Go linker writes, and what stands in it beside the hashes of pages; nothing if the file
    /// has none, or somebody else's.
    pub fn signed(&self, data: &[u8]) -> Option<Signed> {
        let range = self.code_signature(data)?;
        let (text_offset, text_size) = self.text_segment(data)?;
        (signature_size(range.start) == range.len()).then_some(Signed {
            code: range.start,
            text: text_offset..text_offset.checked_add(text_size)?,
            executable: self.file_type == EXECUTABLE,
        })
    }
}

/// What an ad-hoc signature covers.
#[derive(Debug)]
pub struct Signed {
    /// Size of what is signed: everything before the signature.
    pub code: usize,
    text: Range<u64>,
    executable: bool,
}

fn name(data: &[u8], at: usize) -> &[u8] {
    let field = data.get(at..at + 16).unwrap_or_default();
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    &field[..end]
}

const IDENTIFIER: &[u8] = b"a.out\0";
const SUPER_BLOB: usize = 12;
const BLOB: usize = 8;
const DIRECTORY: usize = 13 * 4 + 4 + 4 * 8;

fn signature_size(code: usize) -> usize {
    SUPER_BLOB + BLOB + DIRECTORY + IDENTIFIER.len() + code.div_ceil(PAGE) * 32
}

impl Signed {
    /// The embedded signature of what `code` gives: one blob, a code directory with a SHA-256 for every page. All numbers are
    /// big-endian.
    ///
    /// # Errors
    /// The code cannot be read.
    pub fn sign(&self, code: impl Read) -> io::Result<Vec<u8>> {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let size = signature_size(self.code);
        let pages = self.code.div_ceil(PAGE);
        let mut out = Vec::with_capacity(size);
        let mut put = |words: &[u32]| {
            words
                .iter()
                .for_each(|word| out.extend_from_slice(&word.to_be_bytes()))
        };
        put(&[0xfade_0cc0, small(size), 1]);
        put(&[0, small(SUPER_BLOB + BLOB)]);
        put(&[
            0xfade_0c02,                         // code directory
            small(size - SUPER_BLOB - BLOB),     // length
            0x20400,                             // version
            0x20002,                             // ad hoc, signed by the linker
            small(DIRECTORY + IDENTIFIER.len()), // hashes
            small(DIRECTORY),                    // identifier
            0,                                   // special slots
            small(pages),                        // code slots
            small(self.code),                    // what is signed
            u32::from_be_bytes([32, 2, 0, 12]),  // hash size, SHA-256, padding, log2 of the page
            0,
            0,
            0,
            0,
        ]);
        let text_size = self.text.end - self.text.start;
        for wide in [0, self.text.start, text_size, u64::from(self.executable)] {
            out.extend_from_slice(&wide.to_be_bytes());
        }
        out.extend_from_slice(IDENTIFIER);
        let mut code = BufReader::new(code).take(self.code as u64);
        let mut page = Vec::with_capacity(PAGE);
        for _ in 0..pages {
            page.clear();
            code.by_ref().take(PAGE as u64).read_to_end(&mut page)?;
            out.extend_from_slice(&Sha256::digest(&page));
        }
        Ok(out)
    }
}

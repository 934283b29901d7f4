//! Just enough of ELF: segments and sections that hold notes, in files that may be cut short or damaged.

/// A run of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub offset: u64,
    pub size: u64,
    /// Alignment of the entries in it.
    pub align: u64,
}

/// The header of an ELF file, enough to find the rest.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    wide: bool,
    big: bool,
    program_headers: (u64, u16, u16),
    section_headers: (u64, u16, u16),
    names: u16,
}

/// Reads numbers in a file's byte order.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    big: bool,
}

impl Order {
    pub fn u16(self, data: &[u8], at: usize) -> Option<u16> {
        let bytes: [u8; 2] = data.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    pub fn u32(self, data: &[u8], at: usize) -> Option<u32> {
        let bytes: [u8; 4] = data.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn u64(self, data: &[u8], at: usize) -> Option<u64> {
        let bytes: [u8; 8] = data.get(at..at.checked_add(8)?)?.try_into().ok()?;
        Some(if self.big {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }

    fn word(self, wide: bool, data: &[u8], at: usize) -> Option<u64> {
        if wide {
            self.u64(data, at)
        } else {
            self.u32(data, at).map(u64::from)
        }
    }
}

const NOTE_SEGMENT: u32 = 4;
const NOTE_SECTION: u32 = 7;

impl Header {
    /// Parses the first bytes of a file (64 are enough).
    pub fn parse(data: &[u8]) -> Option<Header> {
        if !data.starts_with(b"\x7fELF") {
            return None;
        }
        let wide = match data.get(4)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let big = match data.get(5)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let order = Order { big };
        let (phoff, shoff, sizes) = if wide { (32, 40, 54) } else { (28, 32, 42) };
        Some(Header {
            wide,
            big,
            program_headers: (
                order.word(wide, data, phoff)?,
                order.u16(data, sizes)?,
                order.u16(data, sizes + 2)?,
            ),
            section_headers: (
                order.word(wide, data, shoff)?,
                order.u16(data, sizes + 4)?,
                order.u16(data, sizes + 6)?,
            ),
            names: order.u16(data, sizes + 8)?,
        })
    }

    pub fn order(&self) -> Order {
        Order { big: self.big }
    }

    /// The segments that hold notes, as far as their headers lie in `data` (the beginning of the file, or all of it).
    pub fn note_segments(&self, data: &[u8]) -> Option<Vec<Range>> {
        let (offset, size, count) = self.program_headers;
        let mut found = Vec::new();
        for i in 0..u64::from(count) {
            let at = usize::try_from(offset + i * u64::from(size)).ok()?;
            let order = self.order();
            if order.u32(data, at)? != NOTE_SEGMENT {
                continue;
            }
            let word = |wide_at: usize, narrow_at: usize| {
                order.word(
                    self.wide,
                    data,
                    at + if self.wide { wide_at } else { narrow_at },
                )
            };
            found.push(Range {
                offset: word(8, 4)?,
                size: word(32, 16)?,
                align: word(48, 28)?,
            });
        }
        Some(found)
    }

    fn section(&self, data: &[u8], index: u16) -> Option<(u32, u32, Range)> {
        let (offset, size, count) = self.section_headers;
        if index >= count {
            return None;
        }
        let at = usize::try_from(offset + u64::from(index) * u64::from(size)).ok()?;
        let order = self.order();
        let word = |wide_at: usize, narrow_at: usize| {
            order.word(
                self.wide,
                data,
                at.checked_add(if self.wide { wide_at } else { narrow_at })?,
            )
        };
        let range = Range {
            offset: word(24, 16)?,
            size: word(32, 20)?,
            align: word(48, 32)?,
        };
        Some((order.u32(data, at)?, order.u32(data, at + 4)?, range))
    }

    /// The section of that name in a whole file.
    pub fn section_named(&self, data: &[u8], name: &[u8]) -> Option<Range> {
        let (_, _, names) = self.section(data, self.names)?;
        (0..self.section_headers.2).find_map(|index| {
            let (at, _, range) = self.section(data, index)?;
            let start = usize::try_from(names.offset.checked_add(u64::from(at))?).ok()?;
            let rest = data.get(start..)?;
            (rest.starts_with(name) && rest.get(name.len()) == Some(&0)).then_some(range)
        })
    }

    /// The sections of a whole file that hold notes.
    pub fn note_sections(&self, data: &[u8]) -> Vec<Range> {
        (0..self.section_headers.2)
            .filter_map(|index| self.section(data, index))
            .filter(|(_, kind, _)| *kind == NOTE_SECTION)
            .map(|(_, _, range)| range)
            .collect()
    }
}

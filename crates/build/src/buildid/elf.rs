//! Just enough of ELF: segments and sections that hold notes, in files that may be cut short or damaged.
//!
//! A program is never in memory as a whole: of its beginning 64 bytes are needed, of the rest what is asked for as a [`Part`].

/// A run of bytes in a file.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub offset: u64,
    pub size: u64,
    /// Alignment of the entries in it.
    pub align: u64,
}

/// Gives a part of a file; nothing if it does not reach so far.
pub type Part<'a> = &'a dyn Fn(Range) -> Option<Vec<u8>>;

/// A line of the section headers.
struct Section {
    /// Where its name begins, in the section of names.
    name: u32,
    kind: u32,
    range: Range,
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

    /// What the section headers say, and the section that holds the names; nothing if the file is cut short.
    fn sections(&self, part: Part) -> Option<(Vec<Section>, Range)> {
        let (offset, size, count) = self.section_headers;
        let headers = part(Range {
            offset,
            size: u64::from(size) * u64::from(count),
            align: 1,
        })?;
        let order = self.order();
        let section = |index: u16| {
            let at = usize::from(index) * usize::from(size);
            let word = |wide_at: usize, narrow_at: usize| {
                let step = if self.wide { wide_at } else { narrow_at };
                order.word(self.wide, &headers, at + step)
            };
            Some(Section {
                name: order.u32(&headers, at)?,
                kind: order.u32(&headers, at + 4)?,
                range: Range {
                    offset: word(24, 16)?,
                    size: word(32, 20)?,
                    align: word(48, 32)?,
                },
            })
        };
        let sections = (0..count).map(section).collect::<Option<Vec<_>>>()?;
        let names = sections.get(usize::from(self.names))?.range;
        Some((sections, names))
    }

    /// Where the section of that name lies.
    pub fn section_named(&self, part: Part, name: &[u8]) -> Option<Range> {
        let (sections, names) = self.sections(part)?;
        let names = part(names)?;
        let is_wanted = |section: &&Section| {
            let at = usize::try_from(section.name).unwrap_or(usize::MAX);
            names
                .get(at..)
                .is_some_and(|rest| rest.starts_with(name) && rest.get(name.len()) == Some(&0))
        };
        sections.iter().find(is_wanted).map(|section| section.range)
    }

    /// Where the sections lie that hold notes.
    pub fn note_sections(&self, part: Part) -> Vec<Range> {
        let (sections, _) = self.sections(part).unwrap_or_default();
        let notes = sections
            .iter()
            .filter(|section| section.kind == NOTE_SECTION);
        notes.map(|section| section.range).collect()
    }
}

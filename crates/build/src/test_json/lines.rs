//! Bytes to lines, with a bound: a longer line comes in parts that are cut between characters.

use super::{ESCAPE, MARK};

/// A line with its end, or a part of one that is longer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Line(Vec<u8>),
    Part(Vec<u8>),
}

impl Piece {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Piece::Line(bytes) | Piece::Part(bytes) => bytes,
        }
    }
}

pub(super) struct Lines {
    limit: usize,
    buffer: Vec<u8>,
    /// What is in the buffer goes on with a line of which a part was given away.
    inside: bool,
    /// A mark behind an escape is none.
    escapes: bool,
}

impl Lines {
    pub(super) fn new(limit: usize, escapes: bool) -> Lines {
        Lines {
            limit,
            escapes,
            buffer: Vec::with_capacity(limit),
            inside: false,
        }
    }

    pub(super) fn add(&mut self, mut bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let fits = bytes.len().min(self.limit - self.buffer.len());
            self.buffer.extend_from_slice(&bytes[..fits]);
            bytes = &bytes[fits..];
            let used = self.take_lines(&mut pieces);
            if used == 0 && self.buffer.len() == self.limit {
                let cut = between_characters(&self.buffer);
                pieces.push(Piece::Part(self.buffer.drain(..cut).collect()));
                self.inside = true;
            } else {
                self.buffer.drain(..used);
            }
        }
        pieces
    }

    fn take_lines(&mut self, pieces: &mut Vec<Piece>) -> usize {
        let mut used = 0;
        while used < self.buffer.len() {
            let rest = &self.buffer[used..];
            let Some(end) = line_end(rest, self.escapes) else {
                // The name of a benchmark is shown before its result is there.
                if !self.inside
                    && let Some(tab) = rest.iter().position(|byte| *byte == b'\t')
                    && is_benchmark(rest[..tab].trim_ascii_end())
                {
                    pieces.push(Piece::Part(rest[..=tab].to_vec()));
                    self.inside = true;
                    used += tab + 1;
                }
                break;
            };
            let line = rest[..end].to_vec();
            pieces.push(if std::mem::take(&mut self.inside) {
                Piece::Part(line)
            } else {
                Piece::Line(line)
            });
            used += end;
        }
        used
    }

    pub(super) fn rest(&mut self) -> Option<Piece> {
        (!self.buffer.is_empty()).then(|| Piece::Part(std::mem::take(&mut self.buffer)))
    }
}

/// Where a line ends: behind a newline, or before a mark that does not begin it.
fn line_end(bytes: &[u8], escapes: bool) -> Option<usize> {
    let mut escaped = false;
    bytes.iter().enumerate().find_map(|(at, byte)| {
        let plain = std::mem::take(&mut escaped);
        match byte {
            b'\n' => Some(at + 1),
            _ if plain => None,
            &ESCAPE if escapes => {
                escaped = true;
                None
            }
            &MARK if at > 0 => Some(at),
            _ => None,
        }
    })
}

fn is_benchmark(name: &[u8]) -> bool {
    let Some(rest) = name.strip_prefix(b"Benchmark") else {
        return false;
    };
    let first = String::from_utf8_lossy(rest).chars().next();
    first.is_none_or(|c| !c.is_lowercase())
}

/// The longest beginning that does not end inside a character.
fn between_characters(bytes: &[u8]) -> usize {
    let length = bytes.len();
    for back in 1..=3.min(length) {
        let byte = bytes[length - back];
        if byte & 0xc0 == 0x80 {
            continue;
        }
        let needs = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 1,
        };
        return if needs > back { length - back } else { length };
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_parts() {
        let mut lines = Lines::new(8, false);
        assert_eq!(lines.add(b"ab\ncd"), [Piece::Line(b"ab\n".to_vec())]);
        let pieces = lines.add("éééé\nx\n".as_bytes());
        let texts: Vec<String> = pieces
            .into_iter()
            .map(|piece| String::from_utf8(piece.into_bytes()).unwrap())
            .collect();
        assert_eq!(texts, ["cdééé", "é\n", "x\n"]);
        assert_eq!(lines.add(b"a\x16b"), [Piece::Line(b"a".to_vec())]);
        assert_eq!(lines.rest(), Some(Piece::Part(b"\x16b".to_vec())));
    }

    #[test]
    fn benchmarks_are_shown_early() {
        let mut lines = Lines::new(64, false);
        assert_eq!(
            lines.add(b"BenchmarkX  \t"),
            [Piece::Part(b"BenchmarkX  \t".to_vec())]
        );
        assert_eq!(lines.add(b"1\n"), [Piece::Part(b"1\n".to_vec())]);
        assert_eq!(lines.add(b"Benchmarkx\t"), []);
    }
}

//! How much of a Go file is header: everything up to the end of its imports.
//!
//! A forgiving walk over bytes that knows no more of Go than comments, words and strings. What it takes for imports is what
//! the module loader uses even of files that do not parse; the strict reading in [`crate::source::parser`] gets only the
//! bytes found here, or all of the file where this walk stumbles.

/// What the walk found.
#[derive(Debug, PartialEq, Eq)]
pub struct Extent<'a> {
    /// Length of the header.
    pub end: usize,
    /// Why the walk ended.
    pub stop: Stop,
    /// Import paths as written, quotes included.
    pub imports: Vec<&'a [u8]>,
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// At the first byte behind the header.
    Found,
    /// At the end of the text (of what was read so far: the file may go on).
    End,
    /// At something that is no header.
    Syntax,
    /// At a NUL byte.
    Nul,
}

/// Bytes that words consist of.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

struct Walk<'a> {
    text: &'a [u8],
    at: usize,
    failed: Option<Stop>,
    ended: bool,
    imports: Vec<&'a [u8]>,
}

impl<'a> Walk<'a> {
    fn fail(&mut self, stop: Stop) {
        self.failed.get_or_insert(stop);
    }

    /// The byte here; 0 at the end and after a failure.
    fn peek(&mut self) -> u8 {
        if self.failed.is_some() {
            return 0;
        }
        match self.text.get(self.at) {
            Some(0) => {
                self.fail(Stop::Nul);
                0
            }
            Some(&byte) => byte,
            None => {
                self.ended = true;
                0
            }
        }
    }

    fn next(&mut self) -> u8 {
        let byte = self.peek();
        if byte != 0 {
            self.at += 1;
        }
        byte
    }

    fn alive(&self) -> bool {
        self.failed.is_none() && !self.ended
    }

    /// Passes white space, semicolons (never needed here) and comments; gives the byte behind them.
    fn skip(&mut self) -> u8 {
        loop {
            match self.peek() {
                b' ' | 0x0c | b'\t' | b'\r' | b'\n' | b';' => self.at += 1,
                b'/' => {
                    self.at += 1;
                    match self.next() {
                        b'/' => while self.alive() && self.next() != b'\n' {},
                        b'*' => self.skip_block(),
                        _ => self.fail(Stop::Syntax),
                    }
                }
                byte => return byte,
            }
        }
    }

    fn skip_block(&mut self) {
        let (mut before, mut last) = (0, 0);
        while !(before == b'*' && last == b'/') {
            (before, last) = (last, self.next());
            if self.ended {
                self.fail(Stop::Syntax);
            }
            if self.failed.is_some() {
                return;
            }
        }
    }

    fn keyword(&mut self, word: &str) {
        self.skip();
        for byte in word.bytes() {
            if self.next() != byte {
                self.fail(Stop::Syntax);
                return;
            }
        }
        if is_word(self.peek()) {
            self.fail(Stop::Syntax);
        }
    }

    fn word(&mut self) {
        if !is_word(self.skip()) {
            self.fail(Stop::Syntax);
        }
        while is_word(self.peek()) {
            self.at += 1;
        }
    }

    fn string(&mut self) {
        self.skip();
        let start = self.at;
        let quote = self.next();
        if quote != b'"' && quote != b'`' {
            self.fail(Stop::Syntax);
        }
        while self.failed.is_none() {
            let byte = self.next();
            if byte == quote && byte != 0 {
                self.imports.push(&self.text[start..self.at]);
                return;
            }
            if self.ended || (quote == b'"' && byte == b'\n') {
                self.fail(Stop::Syntax);
            }
            if quote == b'"' && byte == b'\\' {
                self.next();
            }
        }
    }

    fn import(&mut self) {
        let byte = self.skip();
        if byte == b'.' {
            self.at += 1;
        } else if is_word(byte) {
            self.word();
        }
        self.string();
    }

    fn header(&mut self) {
        self.keyword("package");
        self.word();
        while self.skip() == b'i' {
            self.keyword("import");
            if self.skip() == b'(' {
                self.at += 1;
                while self.skip() != b')' && self.failed.is_none() {
                    self.import();
                }
                self.next();
            } else {
                self.import();
            }
        }
    }

    fn extent(mut self) -> Extent<'a> {
        let stop = self
            .failed
            .unwrap_or(if self.ended { Stop::End } else { Stop::Found });
        if stop == Stop::End {
            self.at = self.text.len();
        }
        Extent {
            end: self.at,
            stop,
            imports: self.imports,
        }
    }
}

/// Walks the header of a Go file (no byte order mark in front).
pub fn go_header(text: &[u8]) -> Extent<'_> {
    let mut walk = Walk {
        text,
        at: 0,
        failed: None,
        ended: false,
        imports: Vec::new(),
    };
    walk.header();
    walk.extent()
}

/// Walks the leading comments of any other source file.
pub fn comments(text: &[u8]) -> Extent<'_> {
    let mut walk = Walk {
        text,
        at: 0,
        failed: None,
        ended: false,
        imports: Vec::new(),
    };
    walk.skip();
    walk.extent()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(text: &str) -> (Vec<String>, Stop) {
        let extent = go_header(text.as_bytes());
        (
            extent
                .imports
                .iter()
                .map(|i| String::from_utf8_lossy(i).into_owned())
                .collect(),
            extent.stop,
        )
    }

    #[test]
    fn headers() {
        let text = "// c\n/* d */ package p; import \"a\"\nimport (\n\t. \"b\" // x\n\tq `c`\n)\nvar x = 1\n";
        let extent = go_header(text.as_bytes());
        assert_eq!(&text[extent.end..], "var x = 1\n");
        assert_eq!(
            imports(text),
            (
                vec!["\"a\"".into(), "\"b\"".into(), "`c`".into()],
                Stop::Found
            )
        );
        assert_eq!(imports("package p"), (vec![], Stop::End));
        assert_eq!(
            imports("package p\nimport \"a\"\nimport ("),
            (vec!["\"a\"".into()], Stop::Syntax)
        );
        assert_eq!(
            imports("package p\nimport \"a\nb\""),
            (vec![], Stop::Syntax)
        );
        assert_eq!(imports("packagep"), (vec![], Stop::Syntax));
        assert_eq!(imports(""), (vec![], Stop::Syntax));
        assert_eq!(
            imports("package p\nimport \"a\"\n\0"),
            (vec!["\"a\"".into()], Stop::Nul)
        );
        assert_eq!(imports("package p /* open"), (vec![], Stop::Syntax));
    }

    #[test]
    fn leading_comments() {
        let text = "// a\n\n#include <x.h>\n";
        assert_eq!(&text[comments(text.as_bytes()).end..], "#include <x.h>\n");
        assert_eq!(comments(b"// only").stop, Stop::End);
    }
}

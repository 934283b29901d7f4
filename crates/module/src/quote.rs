//! Go's quoted strings: `%q`.
//!
//! Texts that are hashed or written into files are quoted so, hence this must agree with Go to the byte.

use std::fmt::Write as _;

/// `%q` of a string.
#[must_use]
pub fn quote(text: &str) -> String {
    quote_bytes(text.as_bytes())
}

/// `%q` of bytes: what is not UTF-8 is written `\x..`.
#[must_use]
pub fn quote_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            quote_char(&mut out, c);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

/// `%q` of a character.
#[must_use]
pub fn quote_rune(c: char) -> String {
    match c {
        '\'' => "'\\''".to_string(),
        '"' => "'\"'".to_string(),
        c => {
            let mut out = String::from("'");
            quote_char(&mut out, c);
            out.push('\'');
            out
        }
    }
}

fn quote_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        ' '..='~' => out.push(c),
        c if (c as u32) < 0x80 => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        c if is_print(c) => out.push(c),
        c if (c as u32) < 0x10000 => {
            let _ = write!(out, "\\u{:04x}", c as u32);
        }
        c => {
            let _ = write!(out, "\\U{:08x}", c as u32);
        }
    }
}

/// Letters, marks, numbers, punctuation and symbols, as `strconv.IsPrint`. The standard library knows which characters are
/// printable only through escaping, and there it treats a leading combining mark apart: hence the letter before it.
fn is_print(c: char) -> bool {
    let mut text = String::from("a");
    text.push(c);
    text.escape_debug().nth(2).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        assert_eq!(quote("a\tb\n\"\\\x07\x1b"), r#""a\tb\n\"\\\a\x1b""#);
        assert_eq!(
            quote("é\u{301}世\u{200b}\u{a0}\u{e000}\u{f0000}"),
            "\"é\u{301}世\\u200b\\u00a0\\ue000\\U000f0000\""
        );
        assert_eq!(
            quote_bytes(b"0w\xaf\x0c\x92\xe4\xb8\xad\xff"),
            "\"0w\\xaf\\f\\x92中\\xff\""
        );
        assert_eq!(quote("\u{7f}"), "\"\\x7f\"");
        let runes: Vec<String> = "a'\"\x01".chars().map(quote_rune).collect();
        assert_eq!(runes, ["'a'", "'\\''", "'\"'", "'\\x01'"]);
    }
}

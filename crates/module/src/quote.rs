//! Go's quoted strings: `%q`, and string literals back to what they mean.
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

/// The value of a literal in double quotes or back quotes; `None` if it is malformed.
#[must_use]
pub fn unquote(literal: &str) -> Option<String> {
    let quote = literal.chars().next()?;
    let (length, value) = unquote_prefix(literal)?;
    (length == literal.len() && matches!(quote, '"' | '`')).then_some(value)
}

/// The literal that `text` begins with: its length and its value.
#[must_use]
pub fn unquote_prefix(text: &str) -> Option<(usize, String)> {
    let quote = text.chars().next()?;
    if quote == '`' {
        let end = text[1..].find('`')?;
        return Some((end + 2, text[1..=end].replace('\r', "")));
    }
    if quote != '"' {
        return None;
    }
    let mut value = Vec::new();
    let mut chars = text[1..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((at + 2, String::from_utf8_lossy(&value).into_owned())),
            '\n' => return None,
            '\\' => escape(&mut chars, &mut value)?,
            _ => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    None
}

/// What follows a backslash. Octal and `\x` escapes are single bytes.
fn escape(chars: &mut std::str::CharIndices<'_>, value: &mut Vec<u8>) -> Option<()> {
    let (_, kind) = chars.next()?;
    let mut number = |first: u32, digits: u32, base: u32| {
        (0..digits).try_fold(first, |sum, _| {
            Some(sum.checked_mul(base)? + chars.next()?.1.to_digit(base)?)
        })
    };
    let byte = match kind {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' | '"' => kind as u8,
        '0'..='7' => u8::try_from(number(kind.to_digit(8)?, 2, 8)?).ok()?,
        'x' => u8::try_from(number(0, 2, 16)?).ok()?,
        'u' | 'U' => {
            let c = char::from_u32(number(0, if kind == 'u' { 4 } else { 8 }, 16)?)?;
            value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            return Some(());
        }
        _ => return None,
    };
    value.push(byte);
    Some(())
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

    #[test]
    fn unquotes_as_go_does() {
        assert_eq!(
            unquote("\"a\\tb\\x41\\101\\u00e9\"").as_deref(),
            Some("a\tbAAé")
        );
        assert_eq!(unquote("`a\\n`").as_deref(), Some("a\\n"));
        for bad in [
            "",
            "a",
            "\"a",
            "\"a\"b",
            "`a",
            "\"\\q\"",
            "\"\\400\"",
            "'a'",
            "\"\\\"",
            "\"",
        ] {
            assert_eq!(unquote(bad), None, "{bad}");
        }
        assert_eq!(unquote_prefix("\"a b\" c"), Some((5, "a b".into())));
    }
}

//! Go string literals.

/// The value of a literal in double quotes or back quotes; `None` if it is malformed.
pub fn unquote(literal: &str) -> Option<String> {
    let quote = literal.chars().next()?;
    let (length, value) = prefix(literal)?;
    (length == literal.len() && matches!(quote, '"' | '`')).then_some(value)
}

/// The literal that `text` begins with: its length and its value.
pub fn prefix(text: &str) -> Option<(usize, String)> {
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
    fn literals() {
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
        assert_eq!(prefix("\"a b\" c"), Some((5, "a b".into())));
    }
}

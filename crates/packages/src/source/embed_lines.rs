//! `//go:embed` lines of a Go file.

use steady_module::quote;

/// Offset and text of every pattern. Malformed lines give nothing: the compiler complains about them.
pub fn patterns(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    if !text.contains("//go:embed") {
        return found;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                let end = text[at..]
                    .find('\n')
                    .map_or(text.len(), |length| at + length);
                found.extend(
                    line(&text[at..end])
                        .into_iter()
                        .map(|(offset, pattern)| (at + offset, pattern)),
                );
                end
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                text[at + 2..].find("*/").map_or(text.len(), |n| at + n + 4)
            }
            b'`' => text[at + 1..]
                .find('`')
                .map_or(text.len(), |length| at + length + 2),
            b'"' | b'\'' => quoted_end(bytes, at),
            _ => at + 1,
        };
    }
    found
}

/// End of a string or rune literal that begins at `at`: its quote, or the end of the line.
fn quoted_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\n' => return end,
            b'\\' => end += 2,
            _ if byte == bytes[at] => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

/// Patterns of one `//go:embed` line, with their offsets in it.
fn line(comment: &str) -> Vec<(usize, String)> {
    let comment = comment.trim_end();
    let Some(arguments) = comment.strip_prefix("//go:embed") else {
        return Vec::new();
    };
    if !arguments.starts_with(char::is_whitespace) {
        return Vec::new();
    }
    let mut list = Vec::new();
    let mut rest = arguments.trim_start();
    while !rest.is_empty() {
        let offset = comment.len() - rest.len();
        let length = if rest.starts_with(['"', '`']) {
            let Some((length, pattern)) = quote::unquote_prefix(rest) else {
                return Vec::new();
            };
            if rest[length..].starts_with(|c: char| !c.is_whitespace()) {
                return Vec::new();
            }
            list.push((offset, pattern));
            length
        } else {
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            list.push((offset, rest[..length].to_owned()));
            length
        };
        rest = rest[length..].trim_start();
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let text = "package p\nimport \"embed\"\n//go:embed a \"b c\" `d`\nvar x = \"//go:embed no\" // '\n\t//go:embed *.txt\r\n/*\n//go:embed no\n*/\nvar r = '\"'\n//go:embed last\n//go:embedded no\n//go:embed \"bad\n";
        let found: Vec<_> = patterns(text)
            .into_iter()
            .map(|(at, pattern)| (!text[at..].is_empty()).then_some(pattern).unwrap())
            .collect();
        assert_eq!(found, ["a", "b c", "d", "*.txt", "last"]);
        assert_eq!(patterns(text)[1].0, text.find("\"b c\"").unwrap());
    }
}

//! Go's way to quote: `%q` of strings and lists, words of settings such as CC, and command lines shown by `-x`.
//!
//! Action ids hash text formatted with `%q`, so these must agree with Go to the byte.

use std::fmt::Write as _;
pub use steady_module::quote::{quote, quote_bytes, unquote};

/// `%q` of a list of strings: `["a" "b"]`.
#[must_use]
pub fn quote_list<S: AsRef<str>>(list: &[S]) -> String {
    let quoted: Vec<String> = list.iter().map(|item| quote(item.as_ref())).collect();
    format!("[{}]", quoted.join(" "))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Splits a setting such as CC or CGO_CFLAGS into words; a word may stand in single or double quotes as a whole.
///
/// # Errors
/// A quote that is not closed; the text is go's.
pub fn split_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
    while let Some(first) = rest.chars().next() {
        let (word, after) = if first == '"' || first == '\'' {
            let inner = &rest[1..];
            let end = inner
                .find(first)
                .ok_or_else(|| format!("unterminated {first} string"))?;
            (&inner[..end], &inner[end + 1..])
        } else {
            let end = rest.bytes().position(is_space).unwrap_or(rest.len());
            rest.split_at(end)
        };
        words.push(word.to_owned());
        rest = after.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
    }
    Ok(words)
}

/// The opposite of [`split_words`].
///
/// # Errors
/// A word that holds both kinds of quotes; the text is go's.
pub fn join_words<S: AsRef<str>>(words: &[S]) -> Result<String, String> {
    let mut joined = String::new();
    for (i, word) in words.iter().enumerate() {
        let word = word.as_ref();
        if i > 0 {
            joined.push(' ');
        }
        let (space, single, double) = (
            word.bytes().any(is_space),
            word.contains('\''),
            word.contains('"'),
        );
        match (space || single || double, single, double) {
            (false, ..) => joined.push_str(word),
            (true, false, _) => {
                let _ = write!(joined, "'{word}'");
            }
            (true, true, false) => {
                let _ = write!(joined, "\"{word}\"");
            }
            (true, true, true) => {
                return Err(format!(
                    "argument {} contains both single and double quotes and cannot be quoted",
                    quote(word)
                ));
            }
        }
    }
    Ok(joined)
}

/// A command line as `-x` and `-n` show it.
#[must_use]
pub fn command_line<S: AsRef<str>>(words: &[S]) -> String {
    let mut line = String::new();
    for (i, word) in words.iter().enumerate() {
        let word = word.as_ref();
        if i > 0 {
            line.push(' ');
        }
        let quoted = quote(word);
        if word.is_empty()
            || word.contains([' ', '(', ')', '>', ';'])
            || quoted.len() > word.len() + 2
        {
            line.push_str(&quoted);
        } else {
            line.push_str(word);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_lists() {
        assert_eq!(quote_list(&["-O2", "-g"]), r#"["-O2" "-g"]"#);
        assert_eq!(quote_list::<&str>(&[]), "[]");
    }

    #[test]
    fn splits_and_joins_words() {
        assert_eq!(
            split_words(" gcc  '-D X' \"a'b\"\t-g'q ").unwrap(),
            ["gcc", "-D X", "a'b", "-g'q"]
        );
        assert_eq!(split_words("'a").unwrap_err(), "unterminated ' string");
        assert_eq!(split_words("").unwrap(), [""; 0]);
        assert_eq!(join_words(&["a b", "c", "d'e"]).unwrap(), "'a b' c \"d'e\"");
        assert!(join_words(&["'\""]).is_err());
    }

    #[test]
    fn shows_commands() {
        assert_eq!(
            command_line(&["cc", "", "a b", "x=>y;", "-g", "a\"b"]),
            r#"cc "" "a b" "x=>y;" -g "a\"b""#
        );
    }

    #[test]
    fn unquotes() {
        assert_eq!(unquote(r#""a\"b\\\x41/""#).as_deref(), Some("a\"b\\A/"));
        assert_eq!(unquote("a"), None);
        assert_eq!(unquote("\"a\\"), None);
    }
}

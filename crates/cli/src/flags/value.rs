//! Values of flags: each parser takes the text after the flag's name and fails with Go's words.

use steady_build::quote::split_words;

/// A boolean in any of Go's spellings.
///
/// # Errors
/// `parse error`, as Go's flag package calls it.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("parse error".to_owned()),
    }
}

/// A whole number; `0x`, `0o`, `0b` and `_` between digits are allowed as in Go's sources.
///
/// # Errors
/// `parse error`, or `value out of range`.
pub fn integer(text: &str) -> Result<i64, String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace('_', "");
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match (lower.get(..2), lower.as_str()) {
        (Some("0x"), rest) => (16, &rest[2..]),
        (Some("0o"), rest) => (8, &rest[2..]),
        (Some("0b"), rest) => (2, &rest[2..]),
        (_, rest) if rest.len() > 1 && rest.starts_with('0') => (8, &rest[1..]),
        (_, rest) => (10, rest),
    };
    let signed = if negative {
        format!("-{digits}")
    } else {
        digits.to_owned()
    };
    i64::from_str_radix(&signed, base).map_err(|error| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        match error.kind() {
            PosOverflow | NegOverflow => "value out of range".to_owned(),
            _ => "parse error".to_owned(),
        }
    })
}

/// Words split at spaces, each of which may stand in quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(pub Vec<String>);

/// See [`Words`].
///
/// # Errors
/// A quote that is not closed.
pub fn words(text: &str) -> Result<Words, String> {
    split_words(text).map(Words)
}

/// A list of build tags: separated by commas, or, as long ago, by spaces with quotes allowed.
///
/// # Errors
/// A quote that is not closed.
pub fn tags(text: &str) -> Result<Words, String> {
    if text.contains([' ', '\'']) {
        return words(text);
    }
    Ok(Words(
        text.split(',')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
    ))
}

/// A list separated by commas.
///
/// # Errors
/// Never.
pub fn commas(text: &str) -> Result<Words, String> {
    Ok(Words(if text.is_empty() {
        Vec::new()
    } else {
        text.split(',').map(str::to_owned).collect()
    }))
}

/// `-buildvcs`.
///
/// # Errors
/// Neither `auto` nor a boolean.
pub fn buildvcs(text: &str) -> Result<String, String> {
    match text {
        "" | "auto" => Ok("auto".to_owned()),
        _ => boolean(text)
            .map(|value| value.to_string())
            .map_err(|_| "value is neither 'auto' nor a valid bool".to_owned()),
    }
}

/// `-compiler`.
///
/// # Errors
/// A name that is not known.
pub fn compiler(text: &str) -> Result<String, String> {
    match text {
        "gc" | "gccgo" => Ok(text.to_owned()),
        _ => Err(format!(
            "unknown compiler {}",
            steady_build::quote::quote(text)
        )),
    }
}

/// `-covermode`.
///
/// # Errors
/// Not one of the three.
pub fn covermode(text: &str) -> Result<String, String> {
    match text {
        "" | "set" | "count" | "atomic" => Ok(text.to_owned()),
        _ => Err("valid modes are \"set\", \"count\", or \"atomic\"".to_owned()),
    }
}

/// `-C` anywhere but in front: it is taken off the command line before flags are read.
///
/// # Errors
/// Always.
pub fn late_chdir(_: &str) -> Result<String, String> {
    Err("-C flag must be first flag on command line".to_owned())
}

/// One `-gcflags`, `-asmflags`, `-ldflags` or `-gccgoflags`: flags for the packages that match a pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerPackage {
    /// The value as typed; build info shows the last one.
    pub raw: String,
    /// The packages meant; `None`: those named on the command line.
    pub pattern: Option<String>,
    /// The flags, split into words. Empty takes back what an earlier one gave.
    pub flags: Vec<String>,
}

/// See [`PerPackage`].
///
/// # Errors
/// Neither a flag nor `pattern=flags`, or a quote that is not closed.
pub fn per_package(raw: &str) -> Result<PerPackage, String> {
    let mut text = raw.trim();
    let mut pattern = None;
    if !text.is_empty() && !text.starts_with('-') {
        let (before, after) = text
            .split_once('=')
            .ok_or("missing =<value> in <pattern>=<value>")?;
        if before.is_empty() {
            return Err("missing <pattern> in <pattern>=<value>".to_owned());
        }
        if let Some(quote) = before.chars().next().filter(|c| matches!(c, '\'' | '"')) {
            return Err(format!(
                "parameter may not start with quote character {quote}"
            ));
        }
        pattern = Some(before.trim().to_owned());
        text = after;
    }
    Ok(PerPackage {
        raw: raw.to_owned(),
        pattern,
        flags: split_words(text)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_go_reads_them() {
        assert_eq!(integer("8"), Ok(8));
        assert_eq!(integer("-0x10"), Ok(-16));
        assert_eq!(integer("010"), Ok(8));
        assert_eq!(integer("0"), Ok(0));
        assert_eq!(integer("1_000"), Ok(1000));
        assert_eq!(integer(""), Err("parse error".into()));
        assert_eq!(
            integer("99999999999999999999"),
            Err("value out of range".into())
        );
    }

    #[test]
    fn per_package_flags() {
        let parsed = per_package("all=-N -l").unwrap();
        assert_eq!(parsed.pattern.as_deref(), Some("all"));
        assert_eq!(parsed.flags, ["-N", "-l"]);
        let parsed = per_package("-X 'main.a=b c'").unwrap();
        assert_eq!(
            (parsed.pattern, parsed.flags),
            (None, vec!["-X".to_owned(), "main.a=b c".to_owned()])
        );
        assert_eq!(per_package("").unwrap().flags, Vec::<String>::new());
        assert!(per_package("all").unwrap_err().contains("missing =<value>"));
        assert!(per_package("=x").unwrap_err().contains("missing <pattern>"));
        assert!(
            per_package("'all=x")
                .unwrap_err()
                .contains("quote character")
        );
        assert_eq!(per_package("-X 'a").unwrap_err(), "unterminated ' string");
    }

    #[test]
    fn tags_by_comma_or_by_space() {
        assert_eq!(tags("a,,b").unwrap().0, ["a", "b"]);
        assert_eq!(tags("a b").unwrap().0, ["a", "b"]);
        assert_eq!(tags("'a'").unwrap().0, ["a"]);
        assert!(tags("").unwrap().0.is_empty());
    }
}

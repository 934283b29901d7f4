//! Semantic versions as Go writes them: with a leading `v`, and with `v1` and `v1.2` short for `v1.0.0` and `v1.2.0`.

use std::cmp::Ordering;

#[derive(Default)]
struct Parsed<'a> {
    major: &'a str,
    minor: &'a str,
    patch: &'a str,
    short: &'static str,
    prerelease: &'a str,
    build: &'a str,
}

/// Splits a decimal number without leading zeros off `text`.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    (end > 0 && (end == 1 || !number.starts_with('0'))).then_some((number, rest))
}

/// Splits dot-separated identifiers with their leading mark off `text`, up to `stop`.
fn identifiers(text: &str, stop: Option<u8>, numbers_checked: bool) -> Option<(&str, &str)> {
    let end = text[1..]
        .bytes()
        .position(|b| Some(b) == stop)
        .map_or(text.len(), |at| at + 1);
    let (part, rest) = text.split_at(end);
    let good = part[1..].split('.').all(|identifier| {
        let legal = identifier
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let numeric = identifier.bytes().all(|b| b.is_ascii_digit());
        let padded = identifier.len() > 1 && identifier.starts_with('0');
        !identifier.is_empty() && legal && !(numbers_checked && numeric && padded)
    });
    good.then_some((part, rest))
}

fn parse(version: &str) -> Option<Parsed<'_>> {
    let (major, rest) = number(version.strip_prefix('v')?)?;
    let mut parsed = Parsed {
        major,
        minor: "0",
        patch: "0",
        ..Parsed::default()
    };
    if rest.is_empty() {
        parsed.short = ".0.0";
        return Some(parsed);
    }
    let (minor, rest) = number(rest.strip_prefix('.')?)?;
    parsed.minor = minor;
    if rest.is_empty() {
        parsed.short = ".0";
        return Some(parsed);
    }
    let (patch, mut rest) = number(rest.strip_prefix('.')?)?;
    parsed.patch = patch;
    if rest.starts_with('-') {
        (parsed.prerelease, rest) = identifiers(rest, Some(b'+'), true)?;
    }
    if rest.starts_with('+') {
        (parsed.build, rest) = identifiers(rest, None, false)?;
    }
    rest.is_empty().then_some(parsed)
}

/// Whether `version` is a semantic version.
#[must_use]
pub fn is_valid(version: &str) -> bool {
    parse(version).is_some()
}

/// The version in full and without build metadata; empty if it is not valid.
#[must_use]
pub fn canonical(version: &str) -> String {
    match parse(version) {
        None => String::new(),
        Some(parsed) => {
            let base = &version[..version.len() - parsed.build.len()];
            format!("{base}{}", parsed.short)
        }
    }
}

/// `v2` of `v2.1.0`; empty if it is not valid.
#[must_use]
pub fn major(version: &str) -> &str {
    parse(version).map_or("", |parsed| &version[..=parsed.major.len()])
}

/// `v2.1` of `v2.1.0`; empty if it is not valid.
#[must_use]
pub fn major_minor(version: &str) -> String {
    parse(version).map_or_else(String::new, |parsed| {
        format!("v{}.{}", parsed.major, parsed.minor)
    })
}

/// `-pre` of `v2.1.0-pre+meta`; empty if there is none.
#[must_use]
pub fn prerelease(version: &str) -> &str {
    parse(version).map_or("", |parsed| parsed.prerelease)
}

/// `+meta` of `v2.1.0-pre+meta`; empty if there is none.
#[must_use]
pub fn build(version: &str) -> &str {
    parse(version).map_or("", |parsed| parsed.build)
}

fn compare_number(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_prerelease(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut left, mut right) = (a[1..].split('.'), b[1..].split('.'));
    loop {
        let (x, y) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => (x, y),
        };
        let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let order = match (numeric(x), numeric(y)) {
            (true, true) => compare_number(x, y),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => x.cmp(y),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Order of precedence; build metadata does not count, and what is not valid comes first.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    match (parse(a), parse(b)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare_number(a.major, b.major)
            .then_with(|| compare_number(a.minor, b.minor))
            .then_with(|| compare_number(a.patch, b.patch))
            .then_with(|| compare_prerelease(a.prerelease, b.prerelease)),
    }
}

/// Sorts versions, oldest first; those of one precedence as text.
pub fn sort(versions: &mut [String]) {
    versions.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_form() {
        for (version, expected) in [
            ("v1", "v1.0.0"),
            ("v1.2", "v1.2.0"),
            ("v1.2.3-pre+meta", "v1.2.3-pre"),
            ("v1.2.3+incompatible", "v1.2.3"),
            ("1.2.3", ""),
            ("v01.2.3", ""),
            ("v1.2.3-", ""),
            ("v1.2.3-01", ""),
            ("v1-pre", ""),
        ] {
            assert_eq!(canonical(version), expected, "{version}");
        }
    }

    #[test]
    fn order_of_precedence() {
        let ordered = [
            "bad",
            "v0.9.0",
            "v1.0.0-1",
            "v1.0.0-2",
            "v1.0.0-11",
            "v1.0.0-alpha",
            "v1.0.0-alpha.1",
            "v1.0.0",
            "v1.2.0",
            "v1.10.0",
            "v2.0.0",
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(compare(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }
}

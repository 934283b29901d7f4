//! Shell patterns as go's `path.Match` has them: `*`, `?`, `[a-z]`, `[^a]`, `\x`; none of them matches a slash.

/// One element of a pattern.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// This character.
    One(char),
    /// Any character.
    Any,
    /// Any run of characters.
    Run,
    /// A character of these ranges, or of none of them.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// A compiled pattern of one path element.
#[derive(Debug, PartialEq, Eq)]
pub struct Glob(Vec<Part>);

/// Whether the text holds anything but plain characters.
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

impl Glob {
    /// `None`: malformed.
    pub fn new(text: &str) -> Option<Self> {
        let (mut parts, mut chars) = (Vec::new(), text.chars().peekable());
        while let Some(c) = chars.next() {
            parts.push(match c {
                '*' => Part::Run,
                '?' => Part::Any,
                '\\' => Part::One(chars.next()?),
                '[' => class(&mut chars)?,
                _ => Part::One(c),
            });
        }
        Some(Self(parts))
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        // Where to go on if the present attempt fails: the last run takes one character more.
        let (mut part, mut at, mut retry) = (0, 0, None);
        loop {
            match self.0.get(part) {
                Some(Part::Run) => {
                    retry = Some((part + 1, at));
                    part += 1;
                    continue;
                }
                Some(single) if name.get(at).is_some_and(|c| single.fits(*c)) => {
                    (part, at) = (part + 1, at + 1);
                    continue;
                }
                None if at == name.len() => return true,
                _ => {}
            }
            match retry {
                Some((after, from)) if from < name.len() => {
                    retry = Some((after, from + 1));
                    (part, at) = (after, from + 1);
                }
                _ => return false,
            }
        }
    }
}

impl Part {
    fn fits(&self, c: char) -> bool {
        match self {
            Self::One(one) => *one == c,
            Self::Any | Self::Run => true,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn class(chars: &mut Chars<'_>) -> Option<Part> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
        let low = class_char(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() {
            class_char(chars)?
        } else {
            low
        };
        ranges.push((low, high));
    }
    Some(Part::Class { negated, ranges })
}

fn class_char(chars: &mut Chars<'_>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (pattern, name, want) in [
            ("abc", "abc", true),
            ("*", "", true),
            ("*c", "abc", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[\\]a]", "]", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("[]a]", "a", false),
        ] {
            assert_eq!(
                Glob::new(pattern).is_some_and(|glob| glob.matches(name)),
                want,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn malformed() {
        for pattern in ["[", "[]", "[a", "[-]", "[a-]", "[^]", "\\", "[\\", "[a-"] {
            assert_eq!(Glob::new(pattern), None, "{pattern}");
        }
    }
}

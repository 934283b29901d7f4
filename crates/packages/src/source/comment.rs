//! Text of comments: what is left without markers, and the synopsis of a package comment.

use crate::source::parser::Comment;
use std::collections::BTreeSet;

/// The text of a run of comments: markers and `//tool:name` lines removed, blank lines squeezed, a line end at the end.
pub fn text(comments: &[Comment<'_>]) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for (_, comment) in comments {
        let body = match comment.strip_prefix("//") {
            Some(line) => match line.strip_prefix(' ') {
                Some(line) => line,
                None if is_directive(line) => continue,
                None => line,
            },
            None => comment
                .get(2..comment.len().saturating_sub(2))
                .unwrap_or_default(),
        };
        for line in body
            .split('\n')
            .map(|line| line.trim_end_matches([' ', '\t', '\r', '\n']))
        {
            if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
                lines.push(line);
            }
        }
    }
    if lines.last().is_some_and(|last| !last.is_empty()) {
        lines.push("");
    }
    lines.join("\n")
}

/// What follows `//` is for a tool: `line `, `extern `, `export `, or `tool:name`.
fn is_directive(line: &str) -> bool {
    if ["line ", "extern ", "export "]
        .iter()
        .any(|word| line.starts_with(word))
    {
        return true;
    }
    let small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match line.split_once(':') {
        Some((tool, rest)) => {
            !tool.is_empty()
                && tool.as_bytes().iter().all(&small)
                && rest.as_bytes().first().is_some_and(small)
        }
        None => false,
    }
}

/// Beginnings of comments that are no documentation.
const NO_DOCUMENTATION: [&str; 3] = ["copyright", "all rights", "author"];

/// The first sentence of a package comment in one line; empty if it begins with something other than a paragraph. Links to
/// other packages are still in brackets: see [`without_links`].
pub fn synopsis(text: &str) -> String {
    let sentence = first_sentence(text);
    let lower = sentence.to_lowercase();
    if NO_DOCUMENTATION
        .iter()
        .any(|start| lower.starts_with(start))
    {
        return String::new();
    }
    let mut paragraph = Vec::new();
    for line in unindent(sentence) {
        // A paragraph ends at a blank line, or at an indented one (which begins code or a list).
        if line.is_empty() || line.starts_with([' ', '\t']) {
            break;
        }
        paragraph.push(line);
    }
    if let [only] = paragraph[..]
        && only
            .strip_prefix("# ")
            .is_some_and(|title| !title.trim().is_empty())
    {
        return String::new();
    }
    let joined = paragraph
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect::<Vec<_>>()
        .join(" ");
    curly_quotes(&joined)
}

/// The lines of a text without blank lines around and without the white space that all of them begin with.
fn unindent(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text
        .split('\n')
        .map(str::trim_end)
        .skip_while(|line| line.is_empty())
        .collect();
    let white = |line: &&str| line.len() - line.trim_start().len();
    let Some(first) = lines.first() else {
        return lines;
    };
    let mut common = &first[..white(first)];
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let same = common
            .bytes()
            .zip(line.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        common = &common[..same];
    }
    lines
        .into_iter()
        .map(|line| line.strip_prefix(common).unwrap_or(line))
        .collect()
}

fn first_sentence(text: &str) -> &str {
    let (mut third, mut second, mut last) = ('\0', '\0', '\0');
    for (at, c) in text.char_indices() {
        let c = if matches!(c, '\n' | '\r' | '\t') {
            ' '
        } else {
            c
        };
        if (c == ' ' && last == '.' && (!second.is_uppercase() || third.is_uppercase()))
            || matches!(last, '。' | '．')
        {
            return &text[..at];
        }
        (third, second, last) = (second, last, c);
    }
    text
}

/// Pairs of back quotes and of apostrophes are quotation marks; three back quotes stay.
fn curly_quotes(text: &str) -> String {
    if !text.contains("``") && !text.contains("''") {
        return text.to_owned();
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let run = rest.len() - rest.trim_start_matches('`').len();
        let (taken, put) = match run {
            2 => (2, "“"),
            3.. => (run, &rest[..run]),
            _ if rest.starts_with("''") => (2, "”"),
            _ => (c.len_utf8(), &rest[..c.len_utf8()]),
        };
        out.push_str(put);
        rest = &rest[taken..];
    }
    out
}

/// Brackets around `path/pkg`, `pkg.Name`, `path/pkg.Name.Method` are links and not shown; a path of one element must be in
/// `std`, the standard library's packages of one element.
pub fn without_links(text: &str, std: &BTreeSet<String>) -> String {
    if !text.contains('[') {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let Some(length) = rest[open + 1..].find(']') else {
            break;
        };
        let inner = &rest[open + 1..open + 1 + length];
        let after = &rest[open + length + 2..];
        let apart =
            |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || c.is_ascii_punctuation());
        let before = rest[..open]
            .chars()
            .next_back()
            .or_else(|| out.chars().next_back());
        let link = is_doc_link(inner, std) && apart(before) && apart(after.chars().next());
        out.push_str(&rest[..open]);
        out.push_str(if link {
            inner
        } else {
            &rest[open..open + length + 2]
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether go's documentation parser resolves the text without knowing the package's own names.
fn is_doc_link(text: &str, std: &BTreeSet<String>) -> bool {
    let text = text.strip_prefix('*').unwrap_or(text);
    let (path, names) = match text.rfind('/') {
        Some(slash) => match text[slash..].find('.') {
            Some(dot) => (&text[..slash + dot], &text[slash + dot + 1..]),
            None => (text, ""),
        },
        None => match text.split_once('.') {
            Some((path, names)) => (path, names),
            None => (text, ""),
        },
    };
    let path_char =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '~' | '+');
    let path_ok = !path.is_empty()
        && path.chars().all(path_char)
        && !path.starts_with('/')
        && !path.contains("//");
    let names_ok = names.split('.').count() <= 2
        && names.split('.').all(|name| {
            name.is_empty() == names.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        });
    let exported = names.is_empty()
        || names
            .split('.')
            .all(|name| name.starts_with(char::is_uppercase));
    path_ok && names_ok && exported && (path.contains('/') || std.contains(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let group = |list: &[&'static str]| {
            text(
                &list
                    .iter()
                    .map(|line| (0, (*line).into()))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(
            group(&["// a", "//", "//", "//  b ", "//go:generate x", "//#cgo c"]),
            "a\n\n b\n#cgo c\n"
        );
        assert_eq!(group(&["/*\n#cgo A: b\n*/"]), "#cgo A: b\n");
        assert_eq!(group(&["//export F"]), "");
    }

    #[test]
    fn synopses() {
        for (text, want) in [
            ("Package p does\nthings. More.\n", "Package p does things."),
            (
                "Package p, of A. B. Author, is.\n",
                "Package p, of A. B. Author, is.",
            ),
            ("Copyright 2020 X.\n", ""),
            ("\tcode\n", "code"),
            ("First\n\tcode\n", "First"),
            ("First\n\nsecond.\n", "First"),
            ("# Title\n", ""),
            (" * All\n * indented.\n", "* All * indented."),
            ("A ``quoted'' word.\n", "A “quoted” word."),
            ("", ""),
        ] {
            assert_eq!(synopsis(text), want, "{text:?}");
        }
    }

    #[test]
    fn links() {
        let std = BTreeSet::from(["fmt".to_owned()]);
        let text = "See [net/http], [fmt], [*fmt.Stringer] and [a/b.C.D] but [this], [types.Type], [fmt.x]y.";
        assert_eq!(
            without_links(text, &std),
            "See net/http, fmt, *fmt.Stringer and a/b.C.D but [this], [types.Type], [fmt.x]y."
        );
    }
}

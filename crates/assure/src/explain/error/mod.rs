//! What an error of the go command (or of Steady) means: recognised by its text, with what this tree has to do with it and what to do.
//!
//! `known` is the table: a pattern, the cause in one or two sentences, what to look at in the tree, and the fix. `$1` in the texts
//! stands for what the pattern's first group caught.

mod evidence;
mod known;
#[cfg(test)]
mod tests;

pub use evidence::{Trace, Tree};
pub use known::{Known, Look, known};

use regex_lite::{Captures, Regex};

/// One error that was recognised.
#[derive(Debug)]
pub struct Explanation {
    /// The name in the table: `sum-mismatch`.
    pub name: &'static str,
    /// The line of the input that says it.
    pub line: String,
    /// Why it happens.
    pub cause: String,
    /// What this tree and these settings show.
    pub evidence: Vec<Trace>,
    /// What to do: commands, and what each is for.
    pub fixes: Vec<Fix>,
}

/// One way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// A command line; empty if it is not done with one.
    pub command: String,
    /// When it is right, or what is to be done.
    pub what: String,
}

/// Recognises every error in a text, each once, in the order in which they stand.
#[must_use]
pub fn recognise(text: &str, tree: &Tree<'_>) -> Vec<Explanation> {
    let text = plain(text);
    let mut found: Vec<Explanation> = Vec::new();
    for (known, captures) in occurrences(&text) {
        let explanation = explain(known, &captures, &text, tree);
        let again = |other: &Explanation| {
            other.name == explanation.name && other.cause == explanation.cause
        };
        if !found.iter().any(again) {
            found.push(explanation);
        }
    }
    found
}

/// Of each error in a text the way out for most, without a look at any tree: for hints.
#[must_use]
pub fn ways_out(text: &str) -> Vec<Fix> {
    let text = plain(text);
    let mut ways: Vec<Fix> = Vec::new();
    for (known, captures) in occurrences(&text) {
        if !known.is_worth_a_hint() {
            continue;
        }
        let way = known.fixes.first().map(|(command, what)| Fix {
            command: expand(command, &captures),
            what: expand(what, &captures),
        });
        ways.extend(way.filter(|way| !ways.contains(way)));
    }
    ways
}

/// Where errors stand in a text, in order.
fn occurrences(text: &str) -> Vec<(&'static Known, Captures<'_>)> {
    let mut found: Vec<(usize, &'static Known, Captures<'_>)> = Vec::new();
    let mut taken: Vec<std::ops::Range<usize>> = Vec::new();
    for known in known() {
        let Ok(pattern) = Regex::new(known.pattern) else {
            continue;
        };
        for captures in pattern.captures_iter(text) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            let whole = whole.range();
            // The table goes from narrow to wide: a place that is explained needs no second, vaguer word.
            let overlaps =
                |range: &std::ops::Range<usize>| whole.start < range.end && range.start < whole.end;
            if !taken.iter().any(overlaps) {
                taken.push(whole.clone());
                found.push((whole.start, known, captures));
            }
        }
    }
    found.sort_by_key(|(at, ..)| *at);
    found
        .into_iter()
        .map(|(_, known, captures)| (known, captures))
        .collect()
}

fn explain(known: &Known, captures: &Captures<'_>, text: &str, tree: &Tree<'_>) -> Explanation {
    let at = captures.get(0).map_or(0, |whole| whole.start());
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let fill = |template: &str| expand(template, captures);
    let mut evidence: Vec<Trace> = tree.source_line(line.trim()).into_iter().collect();
    for trace in known.looks.iter().flat_map(|look| tree.look(look, &fill)) {
        if !evidence.contains(&trace) {
            evidence.push(trace);
        }
    }
    Explanation {
        name: known.name,
        line: line.trim().to_owned(),
        cause: fill(known.cause),
        evidence,
        fixes: known
            .fixes
            .iter()
            .map(|(command, what)| Fix {
                command: fill(command),
                what: fill(what),
            })
            .collect(),
    }
}

/// `$1` to `$9` replaced; a group that caught nothing is an ellipsis.
fn expand(template: &str, captures: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let digit = after[1..].chars().next().and_then(|c| c.to_digit(10));
        match digit {
            Some(digit) => {
                let caught = captures.get(digit as usize);
                out.push_str(caught.map_or("…", |caught| caught.as_str()));
                rest = &after[2..];
            }
            None => {
                out.push('$');
                rest = &after[1..];
            }
        }
    }
    out + rest
}

/// The text without colours and carriage returns.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                for c in chars.by_ref() {
                    if c.is_ascii_alphabetic() {
                        break;
                    }
                }
            }
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

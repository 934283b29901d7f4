//! What would change in a text, line by line: for refusals, which must say what they refuse.

use crate::amount::amount;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Lines that are told before the rest is only counted.
const TOLD: usize = 8;

/// The lines that `after` has and `before` lacks (`+`), and the other way round (`-`), each on a line of its own after a line end and
/// a tab. Order and blank lines do not count. Empty if nothing changes.
#[must_use]
pub fn changes(before: &str, after: &str) -> String {
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for line in before.lines() {
        *counts.entry(line.trim()).or_default() -= 1;
    }
    for line in after.lines() {
        *counts.entry(line.trim()).or_default() += 1;
    }
    counts.remove("");
    let mut lines = Vec::new();
    for (sign, text) in [('+', after), ('-', before)] {
        for line in text.lines().map(str::trim) {
            let Some(count) = counts.get_mut(line) else {
                continue;
            };
            if *count == 0 || (*count > 0) != (sign == '+') {
                continue;
            }
            *count -= count.signum();
            lines.push((sign, line));
        }
    }
    let mut text = String::new();
    for (sign, line) in lines.iter().take(TOLD) {
        let _ = write!(text, "\n\t{sign} {line}");
    }
    if lines.len() > TOLD {
        let more = amount(lines.len() - TOLD, ["more line", "more lines"]);
        let _ = write!(text, "\n\tand {more}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn added_and_removed_lines_are_told() {
        assert_eq!(changes("a\nb\n", "b\na\n\n"), "");
        assert_eq!(changes("a\nb\n", "a\n\tc\n"), "\n\t+ c\n\t- b");
        assert_eq!(changes("a\n", "a\na\n"), "\n\t+ a");
        let many: String = (0..10).map(|n| format!("{n}\n")).collect();
        assert!(changes("", &many).ends_with("\n\t+ 7\n\tand 2 more lines"));
        assert!(changes("", &many[..18]).ends_with("\n\t+ 7\n\tand 1 more line"));
    }
}

//! The two files that variables may come from beside the environment: the user's `go/env` and GOROOT's `go.env`.

use std::collections::BTreeMap;

/// Reads `KEY=VALUE` lines. What is not one (comments, blank lines, keys that do not begin with a capital letter) is passed over;
/// the last of several lines of one key counts.
#[must_use]
pub fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The key of a `KEY=VALUE` line as `go env -w` sees it; comments have none.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    (!key.contains('#')).then_some(key)
}

/// The user's file after `add` and `remove`: other lines stay as they are, of repeated keys only the last line stays, and runs of
/// `KEY=VALUE` lines are sorted.
#[must_use]
pub fn update(text: &str, add: &BTreeMap<String, String>, remove: &[String]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last: BTreeMap<String, usize> = lines
        .iter()
        .enumerate()
        .filter_map(|(i, line)| Some((key_of(line)?.to_owned(), i)))
        .collect();
    let mut left = add.clone();
    let mut i = 0;
    lines.retain_mut(|line| {
        let here = i;
        i += 1;
        let Some(key) = key_of(line).map(str::to_owned) else {
            return true;
        };
        if last.get(&key) != Some(&here) || remove.contains(&key) {
            return false;
        }
        if let Some(value) = left.remove(&key) {
            *line = format!("{key}={value}");
        }
        true
    });
    lines.extend(
        left.into_iter()
            .map(|(key, value)| format!("{key}={value}")),
    );
    for run in lines.split_mut(|line| key_of(line).is_none()) {
        run.sort_by(|a, b| key_of(a).cmp(&key_of(b)));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn lines_that_are_not_settings_are_passed_over() {
        let read = parse("# A=1\nGOOS=linux\nx=1\nGOFLAGS=-a -b=c\n\nnothing\nGOOS=js\n");
        assert_eq!(read.len(), 2);
        assert_eq!(read["GOOS"], "js");
        assert_eq!(read["GOFLAGS"], "-a -b=c");
    }

    #[test]
    fn adding_sorts_runs_and_keeps_the_rest() {
        assert_eq!(update("GOOS=x\n", &one("CC", "y"), &[]), "CC=y\nGOOS=x\n");
        assert_eq!(
            update("GOOS=x\n# c\nCC=z\nCC=w", &one("CC", "y"), &[]),
            "GOOS=x\n# c\nCC=y\n"
        );
        assert_eq!(
            update("GO386=1\nGO=2\n", &BTreeMap::new(), &[]),
            "GO=2\nGO386=1\n"
        );
    }

    #[test]
    fn removing() {
        assert_eq!(
            update("A=1\nB=2\nA=3\n", &BTreeMap::new(), &["A".to_owned()]),
            "B=2\n"
        );
    }
}

//! The `-overlay` file: paths that are to be read from elsewhere, or to look deleted.
//!
//! The rules are the go command's: a replaced path is a file; its parents exist as directories; a path below a replaced file does
//! not exist. The table is sorted with the separator before every other byte, so that the entries below a directory follow it at
//! once and one binary search answers every question.

use camino::{Utf8Path, Utf8PathBuf};
use std::cmp::Ordering;

use crate::files::clean;
use crate::{Error, Files, Result};

/// Replacements by absolute path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// From -> to; an empty `to` deletes. Sorted by [`compare`].
    table: Vec<(Utf8PathBuf, Utf8PathBuf)>,
}

/// What the overlay says of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nothing: the disk decides.
    Disk,
    /// It does not exist.
    Deleted,
    /// It is a directory, because something below it is replaced; the disk may add to it.
    Dir,
    /// It is the file at this path.
    File(Utf8PathBuf),
}

impl Overlay {
    /// Reads an overlay file; relative paths in it are relative to the working directory of `files`.
    pub fn read(files: &Files, file: &Utf8Path) -> Result<Overlay> {
        let bytes = files
            .read(file)
            .map_err(|error| Error::Overlay(format!("reading overlay: {error}")))?;
        Overlay::parse(&bytes, files.cwd())
    }

    /// Parses the JSON of an overlay file, `{"Replace": {"from": "to"}}`.
    pub fn parse(json: &[u8], cwd: &Utf8Path) -> Result<Overlay> {
        let value: serde_json::Value = serde_json::from_slice(json)
            .map_err(|error| Error::Overlay(format!("parsing overlay JSON: {error}")))?;
        let bad = |what: &str| Error::Overlay(format!("parsing overlay JSON: {what}"));
        let object = value.as_object().ok_or_else(|| bad("not an object"))?;
        let mut pairs = Vec::new();
        // Go's decoder knows field names in any case.
        for (_, replace) in object
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case("Replace"))
        {
            if replace.is_null() {
                continue;
            }
            for (from, to) in replace
                .as_object()
                .ok_or_else(|| bad("Replace is not an object"))?
            {
                let to = if to.is_null() {
                    ""
                } else {
                    to.as_str()
                        .ok_or_else(|| bad("Replace holds a value that is not a string"))?
                };
                pairs.push((from.as_str(), to));
            }
        }
        pairs.sort_unstable();
        Overlay::new(&pairs, cwd)
    }

    /// An overlay of these replacements, absolute paths all; an empty target deletes.
    pub fn of(pairs: impl IntoIterator<Item = (Utf8PathBuf, Utf8PathBuf)>) -> Result<Overlay> {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(from, to)| (from.as_str(), to.as_str()))
            .collect();
        Overlay::new(&pairs, Utf8Path::new("/"))
    }

    fn new(pairs: &[(&str, &str)], cwd: &Utf8Path) -> Result<Overlay> {
        let mut seen = std::collections::HashMap::new();
        let mut table = Vec::new();
        for &(from, to) in pairs {
            if from.is_empty() {
                return Err(Error::Overlay("empty string key in overlay map".to_owned()));
            }
            let absolute = clean(&cwd.join(from));
            if let Some(old) = seen.insert(absolute.clone(), from) {
                return Err(Error::Overlay(format!(
                    "duplicate paths {old} and {from} in overlay map"
                )));
            }
            let to = if to.is_empty() {
                Utf8PathBuf::new()
            } else {
                clean(&cwd.join(to))
            };
            table.push((absolute, to));
        }
        table.sort_by(|a, b| compare(a.0.as_str(), b.0.as_str()));
        for (i, (from, to)) in table.iter().enumerate() {
            if to.as_str().is_empty() {
                continue;
            }
            let child = table[i + 1..]
                .iter()
                .take_while(|(next, _)| next.starts_with(from))
                .find(|(_, to)| !to.as_str().is_empty());
            if let Some((child, _)) = child {
                return Err(Error::Overlay(format!(
                    "inconsistent files {from} and {child} in overlay map"
                )));
            }
        }
        Ok(Overlay { table })
    }

    /// All replacements, absolute; an empty target deletes.
    pub fn entries(&self) -> impl Iterator<Item = (&Utf8Path, &Utf8Path)> {
        self.table
            .iter()
            .map(|(from, to)| (from.as_path(), to.as_path()))
    }

    /// Whether it neither changes a directory's own files nor what names it has.
    pub fn leaves(&self, dir: &Utf8Path) -> bool {
        self.place(dir) == Place::Disk
            && self
                .replacement_in(dir)
                .is_none_or(|from| !from.starts_with(dir))
    }

    /// Whether nothing is replaced.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// What stands at an absolute, clean path.
    pub fn place(&self, path: &Utf8Path) -> Place {
        match self.find(path.as_str()) {
            Ok(i) if self.table[i].1.as_str().is_empty() => Place::Deleted,
            Ok(i) => Place::File(self.table[i].1.clone()),
            Err(i)
                if self
                    .table
                    .get(i)
                    .is_some_and(|(from, _)| from.starts_with(path)) =>
            {
                Place::Dir
            }
            Err(i) if i > 0 && path.starts_with(&self.table[i - 1].0) => Place::Deleted,
            Err(_) => Place::Disk,
        }
    }

    /// The direct children that the overlay adds to or takes from a directory, sorted by name.
    pub fn children(&self, dir: &Utf8Path) -> Vec<(String, Place)> {
        let mut out: Vec<(String, Place)> = Vec::new();
        let start = match self.find(dir.as_str()) {
            Ok(i) => i + 1,
            Err(i) => i,
        };
        for (from, to) in &self.table[start..] {
            let Ok(below) = from.strip_prefix(dir) else {
                break;
            };
            let mut parts = below.components();
            let Some(name) = parts.next() else { continue };
            let (name, direct) = (name.as_str(), parts.next().is_none());
            let place = match (direct, to.as_str()) {
                (true, "") => Place::Deleted,
                (true, _) => Place::File(to.clone()),
                // A deleted file deeper down makes no directory appear.
                (false, "") => continue,
                (false, _) => Place::Dir,
            };
            // Entries of one child stand together, so only the last one can be it.
            match out.last_mut().filter(|(seen, _)| seen == name) {
                Some(seen) if place == Place::Dir => seen.1 = place,
                Some(_) => {}
                None => out.push((name.to_owned(), place)),
            }
        }
        out
    }

    /// The first replaced path at, above or below `dir`, if there is one.
    pub fn replacement_in(&self, dir: &Utf8Path) -> Option<&Utf8Path> {
        match self.find(dir.as_str()) {
            Ok(i) => Some(&self.table[i].0),
            Err(i) => match (self.table.get(i), i.checked_sub(1).map(|i| &self.table[i])) {
                (Some((from, _)), _) if from.starts_with(dir) => Some(from),
                (_, Some((from, _))) if dir.starts_with(from) => Some(from),
                _ => None,
            },
        }
    }

    fn find(&self, path: &str) -> std::result::Result<usize, usize> {
        self.table
            .binary_search_by(|(from, _)| compare(from.as_str(), path))
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    let rank = |byte: u8| if byte == b'/' { 0 } else { u16::from(byte) + 1 };
    a.bytes().map(rank).cmp(b.bytes().map(rank))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlay(json: &str) -> Result<Overlay> {
        Overlay::parse(json.as_bytes(), Utf8Path::new("/w"))
    }

    #[test]
    fn places() {
        let o = overlay(
            r#"{"Replace":{"a/b.go":"/o/b","a/x/y.go":"z","gone.go":"","deep/er/gone.go":""}}"#,
        )
        .unwrap();
        let place = |path: &str| o.place(Utf8Path::new(path));
        assert_eq!(place("/w/a"), Place::Dir);
        assert_eq!(place("/w/a/b.go"), Place::File("/o/b".into()));
        assert_eq!(place("/w/a/x/y.go"), Place::File("/w/z".into()));
        assert_eq!(place("/w/a/b.go/below"), Place::Deleted);
        assert_eq!(place("/w/gone.go"), Place::Deleted);
        assert_eq!(place("/w/ab"), Place::Disk);
        let names: Vec<_> = o.children(Utf8Path::new("/w")).into_iter().collect();
        assert_eq!(
            names,
            [
                ("a".to_owned(), Place::Dir),
                ("gone.go".to_owned(), Place::Deleted)
            ]
        );
        assert_eq!(o.children(Utf8Path::new("/w/a")).len(), 2);
        assert!(o.replacement_in(Utf8Path::new("/w/a")).is_some());
        assert!(o.replacement_in(Utf8Path::new("/v")).is_none());
    }

    #[test]
    fn refusals() {
        let text = |json: &str| overlay(json).unwrap_err().to_string();
        assert_eq!(
            text(r#"{"Replace":{"":"x"}}"#),
            "empty string key in overlay map"
        );
        assert_eq!(
            text(r#"{"Replace":{"/w/x":"1","x":"2"}}"#),
            "duplicate paths /w/x and x in overlay map"
        );
        assert_eq!(
            text(r#"{"Replace":{"x":"1","x/y":"2"}}"#),
            "inconsistent files /w/x and /w/x/y in overlay map"
        );
        assert!(text("{").starts_with("parsing overlay JSON: "));
    }
}

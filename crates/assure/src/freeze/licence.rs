//! Licences, recognised only where a text is word for word that of a known one: without case, punctuation, line breaks, a title, lines
//! that name whose copyright it is, and the name of a holder where the text has a place for it. Everything else is not asserted.

use camino::Utf8Path;
use std::collections::BTreeSet;
use steady_system::{FileKind, Files};

use super::sha256;

/// Titles, which some put above the text.
const TITLES: [&str; 14] = [
    "the mit license mit",
    "mit license mit",
    "mit license expat",
    "the mit license",
    "mit license",
    "the bsd 3 clause license",
    "bsd 3 clause license",
    "the bsd 2 clause license",
    "bsd 2 clause license",
    "simplified bsd license",
    "new bsd license",
    "bsd license",
    "the isc license",
    "isc license",
];

/// SHA-256 of plain texts, and their SPDX identifiers. A licence has several where its text is found with and without an appendix, or
/// with its conditions numbered.
const KNOWN: [(&str, &str); 13] = [
    (
        "0cf21bdfd1964a97a8615e128534845826afbc887edc95aa5c925cbf64386b5c",
        "MIT",
    ),
    (
        "b1f5a47da7174cfdc38f680fe98354c3a1ab683ddffc7646fe80708b3c426a13",
        "Apache-2.0",
    ),
    (
        "9441084c52f041063e89d84c93721c776c7d027d707eb108d98883b485f67441",
        "Apache-2.0",
    ),
    (
        "d18999e1c0ddb44b59af28b681c8e4ee6ea619f20977415cc318d9c7469a5ff2",
        "Apache-2.0",
    ),
    (
        "d962df9608de4efbc058363376158ad612c3e112f50632f2658cf4d0c309b959",
        "Apache-2.0",
    ),
    (
        "fec9157bb3057102f7a8e8180d2c1b42a96038e06c27b4939990d24d9431ba5b",
        "Apache-2.0",
    ),
    (
        "80893eeaf2524b3e8805eb7b3d019baa73226033765882ad63eb5d3c0d5aac9e",
        "BSD-3-Clause",
    ),
    (
        "c9c3fdd69bc9bca41c34d746843fb0e7b9c223ea37dcc9b901f082697bd82e17",
        "BSD-3-Clause",
    ),
    (
        "986c3c3199a93b916c8f2e0aeed57819bcbdcb2cd9d99902dcc9d74b53f93a74",
        "BSD-2-Clause",
    ),
    (
        "a56fee4b2f66331ed54da4950ef9c9391453fd1490b4d8ea202bc29683bcbd30",
        "BSD-2-Clause",
    ),
    (
        "f82071285728ca3ec7685ee9bc4acdae0b8267142a4d20b8f1805eabedb4a98a",
        "MPL-2.0",
    ),
    (
        "08c098c5664548749560e85b91b43992d7e1503990cfe0427b0569528440d6e5",
        "MPL-2.0",
    ),
    (
        "217da0747cec63a2e734185db11cbaa819bcd9e5b83cd12f812128fffe66e26a",
        "ISC",
    ),
];

/// Names of files that hold a licence.
const NAMES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE"];

/// The one licence of a module's directory; `None` if there is none, more than one, or one that is not known word for word.
#[must_use]
pub(super) fn of_dir(files: &Files, dir: &Utf8Path) -> Option<&'static str> {
    let mut found = BTreeSet::new();
    for entry in files.read_dir(dir).ok()? {
        let upper = entry.name.to_uppercase();
        if entry.kind == FileKind::File && NAMES.iter().any(|name| upper.starts_with(name)) {
            let bytes = files.read(dir.join(&entry.name)).ok()?;
            // One that nobody knows may say anything.
            found.insert(of_text(&String::from_utf8_lossy(&bytes))?);
        }
    }
    let mut found = found.into_iter();
    found.next().filter(|_| found.next().is_none())
}

fn of_text(text: &str) -> Option<&'static str> {
    let hash = sha256(plain(text).as_bytes());
    let known = KNOWN.iter().find(|(known, _)| *known == hash);
    known.map(|(_, id)| *id)
}

fn words(line: &str) -> Vec<String> {
    let lower = line.to_lowercase();
    let split = lower.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    let words = split.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Does a line name whose copyright it is? Texts too have lines that begin with that word, depending on where they are broken.
fn names_holder(words: &[String]) -> bool {
    const TEXT: [&str; 16] = [
        "notice",
        "holder",
        "holders",
        "owner",
        "owners",
        "license",
        "licence",
        "and",
        "in",
        "to",
        "or",
        "interest",
        "law",
        "laws",
        "statement",
        "terms",
    ];
    words.first().is_some_and(|word| word == "copyright")
        && words
            .get(1)
            .is_none_or(|word| !TEXT.contains(&word.as_str()))
}

fn plain(text: &str) -> String {
    let mut all: Vec<String> = Vec::new();
    for line in text.lines() {
        let words = words(line);
        if !names_holder(&words) && words != ["all", "rights", "reserved"] {
            all.extend(words);
        }
    }
    let mut text = without_holder(&all.join(" "));
    for (from, to) in [
        ("copyright owner or", "copyright holder or"),
        ("copyright holders or", "copyright holder or"),
        ("copyright owners or", "copyright holder or"),
        (" https www ", " http www "),
    ] {
        text = text.replace(from, to);
    }
    let title = TITLES
        .iter()
        .filter_map(|title| text.strip_prefix(title)?.strip_prefix(' '))
        .min_by_key(|rest| rest.len());
    title.map(str::to_owned).unwrap_or(text)
}

/// `neither the name of X nor the names of`, for any X.
fn without_holder(text: &str) -> String {
    const BEFORE: [&str; 2] = ["neither the name of ", "neither the names of "];
    const AFTER: &str = " nor the names of";
    for before in BEFORE {
        if let Some((head, rest)) = text.split_once(before)
            && let Some((holder, tail)) = rest.split_once(AFTER)
            && holder.len() <= 80
        {
            return format!("{head}{}holder{AFTER}{tail}", BEFORE[0]);
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIT: &str = "MIT License

Copyright (c) 2024 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the \"Software\"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED \"AS IS\", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
";

    #[test]
    fn known_word_for_word_or_not_at_all() {
        assert_eq!(of_text(MIT), Some("MIT"));
        assert_eq!(of_text(&MIT.replace('\n', "\r\n")), Some("MIT"));
        assert_eq!(
            of_text(MIT.strip_prefix("MIT License").unwrap()),
            Some("MIT")
        );
        assert_eq!(
            of_text(&MIT.replace("without restriction", "with restriction")),
            None
        );
        assert_eq!(of_text(&format!("{MIT}\nBut not on Sundays.\n")), None);
        assert_eq!(of_text(""), None);
    }

    #[test]
    fn two_licences_are_none() {
        let temp = tempfile::tempdir().unwrap();
        let files = Files::new(Utf8Path::from_path(temp.path()).unwrap());
        assert_eq!(of_dir(&files, files.cwd()), None);
        files.write("LICENSE.txt", MIT.as_bytes(), 0o644).unwrap();
        assert_eq!(of_dir(&files, files.cwd()), Some("MIT"));
        files.write("COPYING", b"as you like", 0o644).unwrap();
        assert_eq!(of_dir(&files, files.cwd()), None);
    }
}

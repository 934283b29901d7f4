//! Why is a package built again? What went into it is remembered, so that what changed since can be named.
//!
//! Everything that a compilation or a link depends on goes line by line into its action id (`exec::ids`). The same lines, long hashes
//! shortened, make [`Inputs`]. Those of whatever was really compiled or linked are kept in a [`log`]; when the same package is built
//! anew, its lines are held against the nearest of those that are remembered, and `explain` puts the difference into words.
//!
//! The same holds of what vet and tests depend on: the inputs of the package or program that they look at, and what is their own.
//! What a test has looked at (files, variables) is remembered with its state, and compared with the state that it has now.
//!
//! Nothing is decided by this memory: it only tells.

mod explain;
pub mod log;
mod owners;

pub use explain::{Cause, Explanation, Reason, Step};
pub(crate) use explain::{Fresh, LOOKED, explain};
pub use log::{Log, Record};
pub use owners::Owners;

/// So many characters of a file's or package's hash are kept: enough to tell any two states apart.
const HASH_KEPT: usize = 10;

/// What one action depends on: names and values, in the order of the lines that were hashed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs {
    lines: Vec<(String, String)>,
}

impl Inputs {
    /// From the text that was hashed, behind the salt.
    pub(crate) fn of(salt: &str, text: &str) -> Inputs {
        let mut inputs = Inputs::default();
        inputs.add("toolchain", salt);
        for line in text.strip_prefix(salt).unwrap_or(text).lines() {
            inputs.line(line);
        }
        if inputs.lines.iter().any(|(name, _)| name == "pkgpath") {
            // Only gccgo has one.
            let flags = |line: &&mut (String, String)| line.0 == "flags compile";
            if let Some(line) = inputs.lines.iter_mut().find(flags) {
                "flags gccgo".clone_into(&mut line.0);
            }
        }
        inputs
    }

    /// Adds something that stands in no id.
    pub(crate) fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.add(name, value);
    }

    fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.lines.push((name.into(), value.into()));
    }

    fn line(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            // What kind of action it is, and of which package, is the same in all that are compared.
            "import" if rest.starts_with('"') => {}
            "compile" | "link" if rest.is_empty() => {}
            "file" | "import" => {
                let (name, hash) = rest.rsplit_once(' ').unwrap_or((rest, ""));
                self.add(format!("{word} {name}"), shortened(hash));
            }
            "packagefile" => {
                let (name, hash) = rest.rsplit_once('=').unwrap_or((rest, ""));
                self.add(format!("{word} {name}"), shortened(hash));
            }
            // What it compiles to is there as a packagefile too; this is what it was made from.
            "packagemain" => self.add(word, shortened(rest)),
            "modinfo" => self.modinfo(rest),
            "magic" => {
                let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
                self.add(name, value);
            }
            "compile" | "asm" | "link" => {
                let (tool, rest) = split_lists(rest);
                self.add(format!("tool {word}"), tool);
                self.add(format!("flags {word}"), rest);
            }
            "omitdebug" => self.add("kind", line),
            "goos" => self.pairs(line),
            "buildmode" => self.pairs(line),
            // `NAME=VALUE`, `CC ID="…"`, or a word with its value.
            _ => match line.split_once('=') {
                Some((name, value)) if !name.contains('"') => self.add(name, value),
                _ => self.add(word, rest),
            },
        }
    }

    /// `name value name value`.
    fn pairs(&mut self, line: &str) {
        let mut words = line.split(' ');
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            self.add(name, value);
        }
    }

    /// What a program is stamped with: lines in a quoted string.
    fn modinfo(&mut self, quoted: &str) {
        for line in quoted.trim_matches('"').split("\\n") {
            let fields: Vec<&str> = line.split("\\t").collect();
            match fields.as_slice() {
                ["build", setting] => {
                    let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
                    self.add(format!("stamp {name}"), value);
                }
                ["dep" | "=>" | "mod", path, rest @ ..] => {
                    self.add(
                        format!("module {path}"),
                        rest.first().copied().unwrap_or(""),
                    );
                }
                ["path", path] => self.add("stamp path", *path),
                _ => {}
            }
        }
    }
}

pub(crate) fn shortened(hash: &str) -> &str {
    hash.get(..HASH_KEPT).unwrap_or(hash)
}

/// `ID [list] [list]`, where the id holds no bracket behind a blank.
fn split_lists(text: &str) -> (&str, &str) {
    match text.find(" [") {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_names_and_values() {
        let text = "go1.26.8compile\ndir /w/a\ngo 1.21\ngoos linux goarch amd64\nimport \"example.com/a\"\n\
            omitdebug false standard false local false prefix \"\"\n\
            CC=[\"gcc\"] [] [\"-g\" \"-O2\"] []\nCC ID=\"gcc version 13\"\n\
            modinfo \"path\\texample.com/a\\nmod\\texample.com/a\\t(devel)\\t\\ndep\\texample.com/b\\tv1.2.3\\th1:x=\\nbuild\\tvcs.revision=abc\\n\"\n\
            compile compile version go1.26.8 [] [\"-N\" \"-l\"]\nGOAMD64=v1\nmagic GOSSAFUNC=f\n\
            file a b.go JZTWas_HE2iDslWAl3PC\nimport fmt 4fM-4XRqt1-PqBNkXS42\npackagefile x/y=4fM-4XRqt1-PqBNkXS42\n";
        let inputs = Inputs::of("go1.26.8", text);
        let lines: Vec<String> = inputs
            .lines
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let want = [
            "toolchain: go1.26.8",
            "dir: /w/a",
            "go: 1.21",
            "goos: linux",
            "goarch: amd64",
            "kind: omitdebug false standard false local false prefix \"\"",
            "CC: [\"gcc\"] [] [\"-g\" \"-O2\"] []",
            "CC ID: \"gcc version 13\"",
            "stamp path: example.com/a",
            "module example.com/a: (devel)",
            "module example.com/b: v1.2.3",
            "stamp vcs.revision: abc",
            "tool compile: compile version go1.26.8",
            "flags compile: [] [\"-N\" \"-l\"]",
            "GOAMD64: v1",
            "GOSSAFUNC: f",
            "file a b.go: JZTWas_HE2",
            "import fmt: 4fM-4XRqt1",
            "packagefile x/y: 4fM-4XRqt1",
        ];
        assert_eq!(lines, want);
    }
}

//! From two lists of inputs to words.

use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::fmt;
use steady_module::amount::amount;

use super::{Inputs, Record};

/// What is done with a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// It is compiled.
    #[default]
    Compile,
    /// Its program is linked.
    Link,
    /// Vet looks at it.
    Vet,
    /// Its tests are run.
    Test,
}

/// What kind of thing brought a package to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Nothing is remembered of the package.
    First,
    /// Nothing changed, but the result was not in the build cache any more.
    Removed,
    /// `-a` asks for it, or results of this kind are not kept.
    Forced,
    /// The last result was not kept.
    Unkept,
    /// Compiler, linker and their kin.
    Toolchain,
    /// A variable.
    Environment,
    /// A flag of the command line or of GOFLAGS.
    Flag,
    /// A source file, or one that is embedded.
    File,
    /// The module that it belongs to, or what the module says.
    Module,
    /// What a program is stamped with.
    Stamp,
    /// A package that it imports.
    Dependency,
    /// A file that a test has looked at.
    Looked,
}

/// So many dependencies are told to people; the others are counted.
const TOLD: usize = 3;

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Reason {
    /// Its kind.
    pub cause: Cause,
    /// What it is: a file, a flag, a variable, an import path. Empty where the kind says all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it was, where that can be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is now, where that can be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The same in words.
    pub text: String,
}

/// Why something is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Explanation {
    /// What is done.
    pub step: Step,
    /// When that was built with which this is compared, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// All that changed; never empty.
    pub reasons: Vec<Reason>,
}

impl Explanation {
    /// Of what is done every time.
    pub(crate) fn always(step: Step, text: &str) -> Explanation {
        Explanation {
            step,
            since: None,
            reasons: vec![alone(Cause::Forced, text)],
        }
    }
}

/// The name of a program's main package where only its inputs changed.
const MAIN: &str = "main";

impl fmt::Display for Explanation {
    /// To stand behind the name of the package: what is done if it is not compiled, then a line for each reason.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.step {
            Step::Compile => "\n",
            Step::Link => " (link)\n",
            Step::Vet => " (vet)\n",
            Step::Test => " (test)\n",
        })?;
        let is_dependency = |reason: &&Reason| reason.cause == Cause::Dependency;
        let dependencies = self.reasons.iter().filter(is_dependency).count();
        let mut told = 0;
        for reason in &self.reasons {
            told += usize::from(reason.cause == Cause::Dependency);
            if told <= TOLD || reason.cause != Cause::Dependency {
                writeln!(f, "    {}", reason.text)?;
            }
        }
        match dependencies.saturating_sub(TOLD) {
            0 => Ok(()),
            more => {
                let more = amount(more, ["more dependency", "more dependencies"]);
                writeln!(f, "    and {more}")
            }
        }
    }
}

/// What flags such as `-race` and `-buildmode` ask of a tool.
const MODE_FLAGS: &str = "flags of the build mode";

/// What is to be explained.
pub(crate) struct Fresh<'a> {
    pub step: Step,
    /// Why it is done in any case.
    pub forced: Option<&'a str>,
    pub inputs: &'a Inputs,
    /// The state, as of now, of something that a test has looked at (see [`LOOKED`]).
    pub looked: &'a dyn Fn(&str) -> Option<String>,
    /// Whether an import was built anew in this run.
    pub is_rebuilt: &'a dyn Fn(&str) -> bool,
}

fn alone(cause: Cause, text: &str) -> Reason {
    Reason {
        cause,
        name: String::new(),
        before: None,
        after: None,
        text: text.to_owned(),
    }
}

/// Compares with the nearest of what is remembered, of equally near ones with the last.
pub(crate) fn explain(fresh: &Fresh<'_>, known: &[&Record]) -> Explanation {
    let compared = known.iter().map(|record| {
        let reasons = differences(fresh, &record.inputs());
        (reasons.len(), std::cmp::Reverse(record.time), reasons)
    });
    let nearest = compared.min_by_key(|(count, time, _)| (*count, *time));
    let (since, mut reasons) = match nearest {
        Some((_, time, reasons)) => (Some(time.0), reasons),
        None => (None, Vec::new()),
    };
    if reasons.is_empty() {
        reasons.push(if let Some(text) = fresh.forced {
            alone(Cause::Forced, text)
        } else if since.is_none() {
            let text = "nothing is remembered of an earlier build here";
            alone(Cause::First, text)
        } else {
            let text = "nothing changed, but its result was not in the build cache any more";
            alone(Cause::Removed, text)
        });
    }
    reasons.sort_by_key(|reason| reason.cause);
    Explanation {
        step: fresh.step,
        since,
        reasons,
    }
}

fn differences(fresh: &Fresh<'_>, old: &Inputs) -> Vec<Reason> {
    let before: HashMap<&str, &str> = old
        .lines
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let mut reasons = Vec::new();
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for (name, value) in &fresh.inputs.lines {
        seen.insert(name, value);
        let old = before.get(name.as_str()).copied();
        if old != Some(value) {
            reasons.extend(reason(fresh, name, old, Some(value)));
        }
    }
    for (name, value) in &old.lines {
        if let Some(looked) = name.strip_prefix(LOOKED) {
            let now = (fresh.looked)(looked);
            if now.as_deref() != Some(value) {
                reasons.push(looked_at(looked));
            }
        } else if !seen.contains_key(name.as_str()) {
            reasons.extend(reason(fresh, name, Some(value), None));
        }
    }
    // A program's main package is known under two names.
    let told = |reason: &Reason| reason.cause == Cause::Dependency && reason.name != MAIN;
    if reasons.iter().any(told) {
        reasons.retain(|reason| reason.name != MAIN);
    }
    // What is imported may be known by what it compiles to and by what vet knows of it.
    let mut told = HashSet::new();
    reasons.retain(|reason| reason.cause != Cause::Dependency || told.insert(reason.name.clone()));
    // Programs are stamped with flags and variables, which are told as what they are.
    let names: HashSet<String> = reasons
        .iter()
        .filter(|reason| reason.cause != Cause::Stamp)
        .map(|reason| reason.name.clone())
        .collect();
    reasons.retain(|reason| reason.cause != Cause::Stamp || !names.contains(&reason.name));
    reasons
}

/// Begins the names of what a test has looked at: `looked getenv NAME`, `looked stat PATH`, `looked open PATH`.
pub(crate) const LOOKED: &str = "looked ";

fn looked_at(what: &str) -> Reason {
    let (operation, name) = what.split_once(' ').unwrap_or((what, ""));
    let (cause, text) = if operation == "getenv" {
        let text = format!("environment {name}, which the test reads, changed");
        (Cause::Environment, text)
    } else {
        let text = format!("{name}, which the test looks at, changed");
        (Cause::Looked, text)
    };
    let mut reason = alone(cause, &text);
    name.clone_into(&mut reason.name);
    reason
}

/// A thing whose values mean nothing to people.
fn opaque(cause: Cause, kind: &str, name: &str, old: Option<&str>, new: Option<&str>) -> Reason {
    let what = match (old, new) {
        (None, _) => "is new",
        (_, None) => "is gone",
        _ => "changed",
    };
    let mut reason = alone(cause, &format!("{kind} {name} {what}"));
    name.clone_into(&mut reason.name);
    reason
}

/// A thing whose values are shown.
fn shown(cause: Cause, label: &str, name: &str, old: Option<&str>, new: Option<&str>) -> Reason {
    let show = |value: Option<&str>| match value {
        None | Some("" | "\"\"" | "[]") => "(none)".to_owned(),
        Some(value) => value.to_owned(),
    };
    Reason {
        cause,
        name: name.to_owned(),
        before: old.map(str::to_owned),
        after: new.map(str::to_owned),
        text: format!("{label}: {} -> {}", show(old), show(new)),
    }
}

fn reason(fresh: &Fresh<'_>, name: &str, old: Option<&str>, new: Option<&str>) -> Option<Reason> {
    let (word, rest) = name.split_once(' ').unwrap_or((name, ""));
    let variable = || {
        shown(
            Cause::Environment,
            &format!("environment {name}"),
            name,
            old,
            new,
        )
    };
    Some(match (word, rest) {
        ("file", file) => opaque(Cause::File, "file", file, old, new),
        ("pgofile", _) => opaque(Cause::File, "profile", "", old, new),
        ("import" | "packagefile", path) => dependency(fresh, path, old, new),
        ("packagemain", _) => {
            let text = "its main package was made from other inputs";
            let mut reason = alone(Cause::Dependency, text);
            MAIN.clone_into(&mut reason.name);
            reason
        }
        ("toolchain", _) => shown(Cause::Toolchain, "toolchain", name, old, new),
        ("tool", tool) => shown(Cause::Toolchain, &format!("tool {tool}"), tool, old, new),
        ("CC" | "CXX" | "FC", "ID" | "ID ERROR") => shown(
            Cause::Toolchain,
            &format!("compiler {word}"),
            word,
            old,
            new,
        ),
        ("CC" | "CXX" | "FC", _) => shown(
            Cause::Environment,
            &format!("environment {word} and its flags"),
            word,
            old,
            new,
        ),
        ("cgo", _) => shown(Cause::Toolchain, "tool cgo", "cgo", old, new),
        ("flags", "compile") => flags("-gcflags", old, new),
        ("flags", "gccgo") => flags("-gccgoflags", old, new),
        ("flags", "asm") => flags("-asmflags", old, new),
        ("flags", _) => shown(Cause::Flag, MODE_FLAGS, "", old, new),
        ("vetflags", _) => shown(Cause::Flag, "flags of vet", "-vet", old, new),
        ("facts", path) => {
            let what = format!("what vet knows of {path}");
            let mut reason = opaque(Cause::Dependency, &what, "", old, new);
            reason.text = reason.text.replace("  ", " ");
            path.clone_into(&mut reason.name);
            reason
        }
        ("testargs", _) => shown(Cause::Flag, "arguments of the test", "-args", old, new),
        ("testexec", _) => shown(Cause::Flag, "flag -exec", "-exec", old, new),
        ("unkept", _) => {
            let text = format!("its last result was not kept: {}", old.unwrap_or_default());
            alone(Cause::Unkept, &text)
        }
        ("linkflags", _) => shown(Cause::Flag, "flag -ldflags", "-ldflags", old, new),
        ("trimpath", _) => switch("-trimpath", new),
        ("cover", _) => shown(Cause::Flag, "flag -cover", "-cover", old, new),
        ("fuzz", _) => shown(Cause::Flag, "flag -fuzz", "-fuzz", old, new),
        ("buildmode", _) => shown(Cause::Flag, "flag -buildmode", "-buildmode", old, new),
        ("kind" | "forcelibrary", _) => shown(Cause::Flag, "what it is built for", name, old, new),
        ("dir", _) => shown(Cause::Module, "directory", name, old, new),
        ("go", _) => shown(Cause::Module, "go version of its module", name, old, new),
        ("defaultgodebug", _) => shown(Cause::Module, "default of GODEBUG", name, old, new),
        ("module", path) => shown(Cause::Module, &format!("module {path}"), path, old, new),
        ("stamp", setting) => shown(Cause::Stamp, &format!("stamp {setting}"), setting, old, new),
        _ => variable(),
    })
}

fn switch(flag: &str, new: Option<&str>) -> Reason {
    let text = if new.is_some() {
        "is given now"
    } else {
        "is not given any more"
    };
    let mut reason = alone(Cause::Flag, &format!("flag {flag} {text}"));
    flag.clone_into(&mut reason.name);
    reason
}

/// Two lists: what modes such as `-race` ask of a tool, and what the user asks.
fn flags(flag: &str, old: Option<&str>, new: Option<&str>) -> Reason {
    let split = |lists: Option<&str>| {
        let lists = lists.unwrap_or("[] []");
        let end = end_of_list(lists);
        let (forced, own) = lists.split_at(end);
        (forced.to_owned(), own.trim_start().to_owned())
    };
    let ((old_forced, old_own), (forced, own)) = (split(old), split(new));
    if old_own == own {
        return shown(
            Cause::Flag,
            MODE_FLAGS,
            "",
            Some(&old_forced),
            Some(&forced),
        );
    }
    let label = format!("flag {flag}");
    shown(Cause::Flag, &label, flag, Some(&old_own), Some(&own))
}

/// Where the first list of quoted words ends.
fn end_of_list(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            ']' if !quoted => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn dependency(fresh: &Fresh<'_>, path: &str, old: Option<&str>, new: Option<&str>) -> Reason {
    let text = match (old, new) {
        (None, _) => format!("dependency {path} is new"),
        (_, None) => format!("dependency {path} is gone"),
        _ if (fresh.is_rebuilt)(path) => {
            format!("dependency {path} was rebuilt and what it compiles to differs")
        }
        _ => format!("dependency {path} compiles to something else than it did then"),
    };
    let mut reason = alone(Cause::Dependency, &text);
    path.clone_into(&mut reason.name);
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "go1compile\ngo 1.21\ngoos linux goarch amd64\ncompile compile version go1 [] []\nGOAMD64=v1\n\
        file a.go aaaaaaaaaaaa\nfile b.go bbbbbbbbbbbb\nimport fmt cccccccccccc\n";

    fn record(time: u64, text: &str) -> Record {
        Record::new(
            "p",
            "",
            [0; 32],
            time,
            Step::Compile,
            &Inputs::of("go1", text),
        )
    }

    fn told(known: &[Record], salt: &str, text: &str, forced: bool) -> Vec<String> {
        let inputs = Inputs::of(salt, text);
        let fresh = Fresh {
            step: Step::Compile,
            forced: forced.then_some("-a asks for it"),
            inputs: &inputs,
            looked: &|_| None,
            is_rebuilt: &|path| path == "fmt",
        };
        let known: Vec<&Record> = known.iter().collect();
        let told = explain(&fresh, &known);
        told.reasons.into_iter().map(|reason| reason.text).collect()
    }

    #[test]
    fn every_kind_of_change_has_its_words() {
        let known = [record(1, LINES)];
        let now = |from: &str, to: &str| told(&known, "go1", &LINES.replace(from, to), false);
        assert_eq!(now("aaaaaaaaaaaa", "xxxxxxxxxxxx"), ["file a.go changed"]);
        assert_eq!(now("file b.go bbbbbbbbbbbb\n", ""), ["file b.go is gone"]);
        assert_eq!(
            now("file b.go", "file c.go bbbbbbbbbbbb\nfile b.go"),
            ["file c.go is new"]
        );
        assert_eq!(
            now("cccccccccccc", "dddddddddddd"),
            ["dependency fmt was rebuilt and what it compiles to differs"]
        );
        assert_eq!(
            now("import fmt", "import os eeeeeeeeeeee\nimport fmt"),
            ["dependency os is new"]
        );
        assert_eq!(
            now("GOAMD64=v1", "GOAMD64=v3"),
            ["environment GOAMD64: v1 -> v3"]
        );
        assert_eq!(now("linux", "plan9"), ["environment goos: linux -> plan9"]);
        assert_eq!(
            now("[]\n", "[\"-N\"]\n"),
            ["flag -gcflags: (none) -> [\"-N\"]"]
        );
        assert_eq!(
            now("[] []", "[\"-race\"] []"),
            ["flags of the build mode: (none) -> [\"-race\"]"]
        );
        assert_eq!(
            now("go 1.21", "go 1.22"),
            ["go version of its module: 1.21 -> 1.22"]
        );
        assert_eq!(
            now("compile version go1", "compile version go2"),
            ["tool compile: compile version go1 -> compile version go2"]
        );
        let other = LINES.replacen("go1compile", "go2compile", 1);
        assert_eq!(
            told(&known, "go2", &other, false),
            ["toolchain: go1 -> go2"]
        );
        assert_eq!(
            now("goos", "trimpath\ngoos"),
            ["flag -trimpath is given now"]
        );
    }

    #[test]
    fn the_nearest_build_is_compared_with() {
        let other = LINES
            .replace("GOAMD64=v1", "GOAMD64=v3")
            .replace("aaaa", "xxxx");
        let known = [record(1, LINES), record(2, &other)];
        let edited = LINES.replace("bbbb", "yyyy");
        assert_eq!(told(&known, "go1", &edited, false), ["file b.go changed"]);
    }

    #[test]
    fn nothing_changed_or_nothing_known() {
        let known = [record(1, LINES)];
        assert!(told(&known, "go1", LINES, false)[0].contains("not in the build cache"));
        assert!(told(&[], "go1", LINES, false)[0].contains("nothing is remembered"));
        assert_eq!(told(&known, "go1", LINES, true), ["-a asks for it"]);
    }

    #[test]
    fn what_a_test_looked_at() {
        let mut then = Inputs::of("go1", LINES);
        for (name, state) in [("getenv HOME", "1"), ("open /d/x", "2"), ("stat /d/y", "3")] {
            then.push(format!("{LOOKED}{name}"), state);
        }
        let record = Record::new("p", "", [0; 32], 1, Step::Test, &then);
        let now = Inputs::of("go1", &LINES.replace("aaaa", "bbbb"));
        let fresh = Fresh {
            step: Step::Test,
            forced: None,
            inputs: &now,
            looked: &|what| Some(if what == "stat /d/y" { "3" } else { "0" }.to_owned()),
            is_rebuilt: &|_| false,
        };
        let told = explain(&fresh, &[&record]);
        assert_eq!(
            told.to_string(),
            " (test)\n    environment HOME, which the test reads, changed\n    file a.go changed\n    \
             /d/x, which the test looks at, changed\n"
        );
        then.push("unkept", "it failed");
        let record = Record::new("p", "", [0; 32], 1, Step::Test, &then);
        let fresh = Fresh {
            inputs: &Inputs::of("go1", LINES),
            looked: &|what| {
                Some(
                    match what {
                        "getenv HOME" => "1",
                        "open /d/x" => "2",
                        _ => "3",
                    }
                    .to_owned(),
                )
            },
            ..fresh
        };
        let told = explain(&fresh, &[&record]);
        assert_eq!(
            told.to_string(),
            " (test)\n    its last result was not kept: it failed\n"
        );
    }
}

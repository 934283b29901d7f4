//! What `check` says: findings with their evidence, and the environments they hit.

use serde::Serialize;
use std::collections::BTreeSet;

use super::classes::Class;

/// One of the places where code is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// The tree as it is, with the settings as they are.
    Here,
    /// A clone of what is committed, default settings, nothing cached.
    Ci,
    /// A clone alone, on the common platforms, without a C compiler.
    Colleague,
    /// Each module as its zip would be, required by somebody else.
    Consumer,
}

impl Environment {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Environment; 4] = [
        Environment::Here,
        Environment::Ci,
        Environment::Colleague,
        Environment::Consumer,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Environment::Here => "here",
            Environment::Ci => "ci",
            Environment::Colleague => "colleague",
            Environment::Consumer => "consumer",
        }
    }

    /// The environment of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Environment> {
        Environment::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// How much a finding matters. Only errors break an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It runs, and it is likely to bite.
    Warning,
    /// It does not load, build or install there.
    Error,
}

impl Severity {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What shows that a finding is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Evidence {
    /// A place in a file of the repository.
    #[serde(rename_all = "PascalCase")]
    Place {
        /// Relative to the root, or absolute outside of it.
        file: String,
        /// From 1; 0: the file as a whole.
        line: usize,
        /// The line, or what is to be seen there.
        text: String,
    },
    /// A command that anybody can repeat, and what comes of it.
    #[serde(rename_all = "PascalCase")]
    Run {
        /// The command line.
        command: String,
        /// Its output, as far as it matters.
        output: String,
    },
}

impl Evidence {
    /// A place.
    #[must_use]
    pub fn place(file: impl Into<String>, line: usize, text: impl Into<String>) -> Evidence {
        Evidence::Place {
            file: file.into(),
            line,
            text: text.into(),
        }
    }

    /// A command with its output.
    #[must_use]
    pub fn run(command: impl Into<String>, output: impl Into<String>) -> Evidence {
        Evidence::Run {
            command: command.into(),
            output: output.into(),
        }
    }
}

/// What mends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Fix {
    /// A command line for a shell at the root.
    pub command: String,
    /// It changes nothing but what is wrong, and can be taken back: `-fix` runs it.
    pub safe: bool,
    /// The command taken apart, if it is safe.
    #[serde(skip)]
    pub action: Option<Action>,
}

/// A go command that mends something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// Where, from the root; `.` for the root itself.
    pub dir: String,
    /// go.work is not to count.
    pub alone: bool,
    /// The words after `go`.
    pub words: Vec<String>,
}

impl Fix {
    /// A go command in a directory that `-fix` may run.
    #[must_use]
    pub fn safe(dir: &str, words: &[&str]) -> Fix {
        Fix::of(Action {
            dir: dir.to_owned(),
            alone: false,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        })
    }

    /// The same, outside of any workspace.
    #[must_use]
    pub fn safe_alone(dir: &str, words: &[&str]) -> Fix {
        Fix::of(Action {
            dir: dir.to_owned(),
            alone: true,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        })
    }

    fn of(action: Action) -> Fix {
        let off = if action.alone { "GOWORK=off " } else { "" };
        let go = format!("{off}go {}", action.words.join(" "));
        Fix {
            command: match action.dir.as_str() {
                "." => go,
                dir => format!("(cd {dir} && {go})"),
            },
            safe: true,
            action: Some(action),
        }
    }

    /// One that somebody has to decide about.
    #[must_use]
    pub fn shown(command: impl Into<String>) -> Fix {
        Fix {
            command: command.into(),
            safe: false,
            action: None,
        }
    }
}

/// Why a finding does not count for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Accepted {
    /// Why.
    pub reason: String,
    /// Until when, `YYYY-MM-DD`; empty for ever.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
}

/// One thing that is wrong in some environments.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind of thing.
    pub class: &'static Class,
    /// What it is about: findings of one class about the same are one.
    pub subject: String,
    /// How much it matters in these environments.
    pub severity: Severity,
    /// Where it is so.
    pub environments: BTreeSet<Environment>,
    /// In one line.
    pub message: String,
    /// What shows it.
    pub evidence: Vec<Evidence>,
    /// Why it is so, in one sentence.
    pub cause: String,
    /// What mends it.
    pub fix: Option<Fix>,
    /// It was accepted.
    pub accepted: Option<Accepted>,
}

impl Finding {
    /// A finding of a class about something, with the class's own severity, in no environment yet.
    ///
    /// # Panics
    /// There is no such class; the table is part of the program.
    #[must_use]
    pub fn new(id: &str, subject: impl Into<String>, message: impl Into<String>) -> Finding {
        let class = Class::find(id).unwrap_or_else(|| panic!("no class {id}"));
        Finding {
            class,
            subject: subject.into(),
            severity: class.severity,
            environments: BTreeSet::new(),
            message: message.into(),
            evidence: Vec::new(),
            cause: class.meaning.to_owned(),
            fix: None,
            accepted: None,
        }
    }

    /// The same with another severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Finding {
        self.severity = severity;
        self
    }

    /// The same in an environment too.
    #[must_use]
    pub fn hits(mut self, environment: Environment) -> Finding {
        self.environments.insert(environment);
        self
    }

    /// The same in these environments too.
    #[must_use]
    pub fn hits_all(mut self, environments: impl IntoIterator<Item = Environment>) -> Finding {
        self.environments.extend(environments);
        self
    }

    /// The same with evidence, unless it has that already.
    #[must_use]
    pub fn shown_by(mut self, evidence: Evidence) -> Finding {
        if !self.evidence.contains(&evidence) {
            self.evidence.push(evidence);
        }
        self
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Finding {
        self.cause = cause.into();
        self
    }

    /// The same with what mends it.
    #[must_use]
    pub fn fixed_by(mut self, fix: Fix) -> Finding {
        self.fix = Some(fix);
        self
    }

    /// Whether it breaks an environment.
    #[must_use]
    pub fn breaks(&self, environment: Environment) -> bool {
        self.severity == Severity::Error
            && self.accepted.is_none()
            && self.environments.contains(&environment)
    }

    /// The first place in a file among its evidence.
    #[must_use]
    pub fn place(&self) -> Option<(&str, usize)> {
        self.evidence.iter().find_map(|evidence| match evidence {
            Evidence::Place { file, line, .. } => Some((file.as_str(), *line)),
            Evidence::Run { .. } => None,
        })
    }
}

/// How much of one kind of evidence is kept: what follows shows nothing new.
const ENOUGH: usize = 5;

/// Findings of one class about one thing become one; what is an error somewhere is not told again as less elsewhere.
#[must_use]
pub fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for finding in findings {
        let key = (finding.class.id, finding.subject.clone());
        let Some(&index) = at.get(&key) else {
            at.insert(key, out.len());
            out.push(finding);
            continue;
        };
        let known: &mut Finding = &mut out[index];
        if finding.severity > known.severity {
            let weaker = std::mem::replace(known, finding);
            add_evidence(known, weaker.evidence);
        } else {
            if finding.severity == known.severity {
                known.environments.extend(finding.environments);
            }
            add_evidence(known, finding.evidence);
        }
    }
    out.sort_by(|a, b| {
        let key = |finding: &Finding| {
            let first = finding.environments.iter().next().copied();
            (std::cmp::Reverse(finding.severity), first, finding.class.id)
        };
        key(a).cmp(&key(b)).then_with(|| a.subject.cmp(&b.subject))
    });
    out
}

fn add_evidence(to: &mut Finding, more: Vec<Evidence>) {
    for evidence in more {
        if to.evidence.len() < ENOUGH && !to.evidence.contains(&evidence) {
            to.evidence.push(evidence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_about_the_same_are_one() {
        let one = |environment| {
            Finding::new("files/untracked", "a.go", "a.go is not committed").hits(environment)
        };
        let note = one(Environment::Here).severity(Severity::Note);
        let all = merged(vec![note, one(Environment::Ci), one(Environment::Consumer)]);
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].severity, Severity::Error);
        let hit: Vec<_> = all[0].environments.iter().map(|e| e.name()).collect();
        assert_eq!(hit, ["ci", "consumer"]);
        assert!(all[0].breaks(Environment::Ci) && !all[0].breaks(Environment::Here));
    }
}

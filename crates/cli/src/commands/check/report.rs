//! What `check` says: a matrix for people, JSON for machines.

use camino::Utf8Path;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Duration;
use steady_assure::check::world::OlderGo;
use steady_assure::check::{
    Accepted, Environment, Evidence, Finding, Fix, Judgement, Severity, World, output,
};
use steady_module::amount::amount;

use super::environments::Survey;
use super::fix::Fixed;
use super::loads::Times;
use crate::failure::Result;

/// What is said of an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is built and linked there (`-prove`), and whatever else was asked for works.
    Ready,
    /// Everything loads there; whether it compiles was not asked.
    Loads,
    /// It does not.
    Breaks,
    /// It cannot be known.
    Unknown,
    /// No module of these can be required by another one, and that breaks nothing.
    Unimportable,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Verdict::Ready => "ready",
            Verdict::Loads => "loads",
            Verdict::Breaks => "breaks",
            Verdict::Unknown => "unknown",
            Verdict::Unimportable => "unimportable",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    name: &'static str,
    verdict: Verdict,
    milliseconds: u64,
    assumes: Vec<String>,
    reason: String,
    #[serde(skip)]
    reasons: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    severity: Severity,
    environments: Vec<&'static str>,
    message: &'a str,
    evidence: &'a [Evidence],
    cause: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a Fix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a Accepted>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Whole<'a> {
    schema: u32,
    root: &'a str,
    go: String,
    environments: &'a [Row],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    left_aside: &'a [String],
    findings: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fixed: &'a [Fixed],
}

/// The findings and the verdicts that follow from them.
pub struct Report {
    root: String,
    go: String,
    rows: Vec<Row>,
    /// Modules of the repository that nothing is said of.
    left_aside: Vec<String>,
    workspace: bool,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What `-fix` did before.
    pub fixed: Vec<Fixed>,
}

impl Report {
    /// Draws the verdicts from what was found.
    #[must_use]
    pub fn new(
        survey: &Survey,
        world: &World,
        judgement: Judgement,
        (wanted, proved): (&[Environment], bool),
        times: &Times,
    ) -> Report {
        let rows = wanted.iter().map(|environment| {
            let breaks = judgement
                .findings
                .iter()
                .any(|finding| finding.breaks(*environment));
            let unknown = judgement.unknown.get(environment);
            let verdict = match (breaks, unknown) {
                (true, _) => Verdict::Breaks,
                (false, Some(_)) => Verdict::Unknown,
                _ if *environment == Environment::Consumer && !world.is_importable() => {
                    Verdict::Unimportable
                }
                _ if proved => Verdict::Ready,
                _ => Verdict::Loads,
            };
            let reasons = unknown.cloned().unwrap_or_default();
            let time = times.get(environment).copied().unwrap_or_default();
            Row {
                name: environment.name(),
                verdict,
                milliseconds: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
                assumes: assumes(survey, *environment),
                reason: reasons.join("; "),
                reasons,
            }
        });
        Report {
            root: world.root.to_string(),
            go: format!("go{}", world.go),
            rows: rows.collect(),
            left_aside: survey
                .left_aside
                .iter()
                .map(|dir| world.shown(dir))
                .collect(),
            workspace: survey.here_layout.go_work.is_some(),
            findings: judgement.findings,
            fixed: Vec::new(),
        }
    }

    /// The top of what was checked.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        Utf8Path::new(&self.root)
    }

    /// Whether any environment breaks.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == Verdict::Breaks)
    }

    /// One JSON object.
    ///
    /// # Errors
    /// None in practice.
    pub fn json(&self) -> Result<String> {
        let shown = |finding| {
            let Finding {
                class,
                severity,
                environments,
                message,
                evidence,
                cause,
                fix,
                accepted,
                ..
            }: &Finding = finding;
            Shown {
                id: class.id,
                severity: *severity,
                environments: environments.iter().map(|one| one.name()).collect(),
                message,
                evidence,
                cause,
                fix: fix.as_ref(),
                accepted: accepted.as_ref(),
            }
        };
        let whole = Whole {
            schema: 1,
            root: &self.root,
            go: self.go.clone(),
            environments: &self.rows,
            left_aside: &self.left_aside,
            findings: self.findings.iter().map(shown).collect(),
            fixed: &self.fixed,
        };
        Ok(serde_json::to_string_pretty(&whole)? + "\n")
    }

    /// A SARIF log.
    ///
    /// # Errors
    /// None in practice.
    pub fn sarif(&self) -> Result<String> {
        let log = output::sarif(&self.findings, env!("CARGO_PKG_VERSION"));
        Ok(serde_json::to_string_pretty(&log)? + "\n")
    }

    /// Workflow commands.
    #[must_use]
    pub fn annotations(&self) -> String {
        output::annotations(&self.findings)
    }

    /// The matrix, and each finding below it.
    #[must_use]
    pub fn text(&self, elapsed: Duration) -> String {
        let mut out = String::new();
        for Fixed { command, failure } in &self.fixed {
            let _ = match failure {
                None => writeln!(out, "done: {command}"),
                Some(why) => writeln!(
                    out,
                    "not done: {command}\n  {}",
                    why.trim_end().replace('\n', "\n  ")
                ),
            };
        }
        if !self.fixed.is_empty() {
            out.push('\n');
        }
        for row in &self.rows {
            let count = |severity| {
                let fits = |finding: &&Finding| {
                    finding.severity == severity
                        && finding.accepted.is_none()
                        && finding
                            .environments
                            .iter()
                            .any(|one| one.name() == row.name)
                };
                self.findings.iter().filter(fits).count()
            };
            let mut counts = Vec::new();
            for (severity, words) in [
                (Severity::Error, ["error", "errors"]),
                (Severity::Warning, ["warning", "warnings"]),
                (Severity::Note, ["note", "notes"]),
            ] {
                match count(severity) {
                    0 => {}
                    n => counts.push(amount(n, words)),
                }
            }
            let line = format!(
                "{:<10} {:<8} {}",
                row.name,
                row.verdict.name(),
                counts.join(", ")
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
        for row in self.rows.iter().filter(|row| !row.reasons.is_empty()) {
            let _ = writeln!(out, "\nnot known [{}]", row.name);
            for reason in &row.reasons {
                let _ = writeln!(out, "  {reason}");
            }
        }
        for finding in self
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Note)
        {
            out.push('\n');
            out.push_str(&paragraph(finding));
        }
        out.push_str(&self.notes());
        if !self.left_aside.is_empty() {
            let _ = writeln!(
                out,
                "\n{} of this repository left aside: {}",
                amount(self.left_aside.len(), ["module", "modules"]),
                match self.workspace {
                    true =>
                        "go.work does not name them, steady check in their directories tells of them",
                    false => "-all checks every module by itself",
                }
            );
        }
        let unproved = self.rows.iter().any(|row| row.verdict == Verdict::Loads);
        let _ = writeln!(
            out,
            "\n{} in {:.2} s with {}{}",
            amount(self.findings.len(), ["finding", "findings"]),
            elapsed.as_secs_f64(),
            self.go,
            match unproved {
                true => "; nothing was compiled: -prove does that",
                false => "",
            }
        );
        out
    }

    /// A line for each note, or one for many of a class.
    fn notes(&self) -> String {
        let is_note = |finding: &&Finding| finding.severity == Severity::Note;
        let notes: Vec<&Finding> = self.findings.iter().filter(is_note).collect();
        let mut out = String::new();
        for class in notes.chunk_by(|one, other| one.class.id == other.class.id) {
            let more = match class.len() {
                0..=TOLD_NOTES => 0,
                many => many - (TOLD_NOTES - 1),
            };
            for note in &class[..class.len() - more] {
                let _ = writeln!(out, "note {}: {}", note.class.id, note.message);
            }
            if more > 0 {
                let _ = writeln!(
                    out,
                    "note {}: {more} more (-json names them)",
                    class[0].class.id
                );
            }
        }
        if out.is_empty() {
            out
        } else {
            format!("\n{out}")
        }
    }
}

/// Of so many notes of one class each is told; of more the first ones and a count, since a list of ninety is not read.
const TOLD_NOTES: usize = 5;

fn paragraph(finding: &Finding) -> String {
    let mut out = String::new();
    let names: Vec<&str> = finding.environments.iter().map(|one| one.name()).collect();
    let severity = finding.severity.name();
    let _ = writeln!(out, "{severity} {} [{}]", finding.class.id, names.join(" "));
    let _ = writeln!(out, "  {}", finding.message);
    for evidence in &finding.evidence {
        match evidence {
            Evidence::Place {
                file,
                line: 0,
                text,
            } if text.is_empty() => {
                let _ = writeln!(out, "  {file}");
            }
            Evidence::Place {
                file,
                line: 0,
                text,
            } => {
                let _ = writeln!(out, "  {file}: {text}");
            }
            Evidence::Place { file, line, text } => {
                let _ = writeln!(out, "  {file}:{line}: {text}");
            }
            Evidence::Run { command, output } => {
                let _ = writeln!(out, "  $ {command}");
                for line in output.lines() {
                    let _ = writeln!(out, "    {line}");
                }
            }
        }
    }
    let _ = writeln!(out, "  why: {}", finding.cause);
    if let Some(fix) = &finding.fix {
        let _ = writeln!(out, "  fix: {}", fix.command);
    }
    if let Some(accepted) = &finding.accepted {
        let _ = writeln!(out, "  accepted: {}", accepted.reason);
    }
    out
}

/// What was taken for granted.
fn assumes(survey: &Survey, environment: Environment) -> Vec<String> {
    let mut all = Vec::new();
    match environment {
        Environment::Here => {}
        Environment::Ci => {
            all.push("a clone of HEAD, default settings, nothing cached".to_owned());
            all.extend(survey.older.iter().map(|older| {
                let OlderGo {
                    version,
                    asked,
                    at_hand,
                } = older;
                let with = match at_hand {
                    Some(release) => format!("go{release}"),
                    None => "this Go, since none of it is at hand".to_owned(),
                };
                format!("Go {version} ({}:{}): {with}", asked.file, asked.line)
            }));
        }
        Environment::Colleague => {
            let platforms: Vec<String> =
                survey.platforms().iter().map(ToString::to_string).collect();
            let platforms = platforms.join(", ");
            all.push(format!(
                "a clone of HEAD alone, without a C compiler, on {platforms}"
            ));
        }
        Environment::Consumer => all.push("each module as its zip would be".to_owned()),
    }
    if survey.repository.is_none() && environment != Environment::Here {
        all.push("no git repository with a commit: the tree as it is".to_owned());
    }
    all
}

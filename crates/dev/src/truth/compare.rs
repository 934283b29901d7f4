//! What check said against what go did: verdicts for each environment, and every error for itself.

use super::ENVIRONMENTS;
use super::deeds::Deed;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fmt::Write as _;

/// What came of a comparison.
pub struct Report<'d> {
    rows: Vec<Row>,
    /// Errors that check told, each with what go did.
    errors: Vec<(Told, Option<&'d Deed>)>,
    /// What failed without check having said so.
    missed: Vec<&'d Deed>,
    /// The same, but everything loads there and check was not asked to compile.
    unproven: Vec<&'d Deed>,
}

struct Row {
    environment: &'static str,
    verdict: String,
    done: usize,
    failed: usize,
    /// Of these what compiling alone shows.
    compiling: usize,
}

/// One error of check's in one environment.
struct Told {
    environment: String,
    id: String,
    message: String,
    /// What go's words about it would name: packages, modules, files.
    names: Vec<String>,
}

impl Row {
    fn agrees(&self) -> bool {
        match self.verdict.as_str() {
            "ready" => self.failed == 0,
            "loads" => self.failed == self.compiling,
            "breaks" => self.failed > 0,
            "unimportable" => self.done == 0,
            _ => false,
        }
    }
}

impl Told {
    fn all(finding: &Value) -> Vec<Told> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let message = text(&finding["Message"]);
        let mut names: Vec<String> = names(&message);
        for evidence in finding["Evidence"].as_array().into_iter().flatten() {
            names.extend(self::names(&text(&evidence["Output"])));
        }
        let environments = finding["Environments"].as_array().into_iter().flatten();
        let told = |environment: &Value| Told {
            environment: text(environment),
            id: text(&finding["ID"]),
            message: message.clone(),
            names: names.clone(),
        };
        environments.map(told).collect()
    }

    /// Whether this is what a command failed of: it was for the same place, and names the same things.
    fn fits(&self, deed: &Deed) -> bool {
        let Some(failure) = &deed.failure else {
            return false;
        };
        if deed.environment != self.environment {
            return false;
        }
        if self.id == "modules/install-refused" {
            // One stands for all programs of a module.
            let refused = failure.contains("must not contain directives that would cause");
            return refused
                && self
                    .message
                    .contains(&format!("go.mod of {} has", deed.module));
        }
        self.names
            .iter()
            .any(|name| failure.contains(name.as_str()))
    }
}

/// The messages of the notes of a class.
fn noted(said: &Value, id: &str) -> Vec<String> {
    let all = said["Findings"].as_array().into_iter().flatten();
    let fitting = all.filter(|finding| finding["ID"] == id);
    fitting
        .filter_map(|finding| finding["Message"].as_str().map(str::to_owned))
        .collect()
}

/// Words that name something: they have a slash or end in `.go`.
fn names(text: &str) -> Vec<String> {
    let words = text.split([' ', '\n', '\t', ',', ';', '"', '(', ')']);
    let words = words.map(|word| word.trim_matches([':', '.']));
    let words = words.map(|word| word.split(['@', ':']).next().unwrap_or_default());
    words
        .filter(|word| word.contains('/') || word.ends_with(".go"))
        .map(str::to_owned)
        .collect()
}

impl<'d> Report<'d> {
    /// Compares. `proved`: check has compiled.
    pub fn new(deeds: &'d [Deed], said: &Value, proved: bool) -> Result<Report<'d>> {
        let verdicts = said["Environments"].as_array().context("no environments")?;
        // What nobody can require is told of, and is in nobody's environment.
        let closed: Vec<String> = noted(said, "modules/not-importable");
        let is_closed = |deed: &Deed| {
            let refused = deed.failure.as_deref().unwrap_or_default();
            refused.contains("malformed module path")
                && closed.iter().any(|told| told.contains(&deed.module))
        };
        let deeds: Vec<&Deed> = deeds.iter().filter(|deed| !is_closed(deed)).collect();
        let loads = |deed: &Deed| {
            let same = |other: &&&Deed| {
                (&other.environment, &other.module) == (&deed.environment, &deed.module)
            };
            let mut others = deeds.iter().filter(same);
            others.all(|other| other.failure.is_none() || !other.loads())
        };
        let later = |deed: &Deed| !proved && deed.compiles() && loads(deed);
        let mut rows = Vec::new();
        for environment in ENVIRONMENTS {
            let of_it = deeds.iter().filter(|deed| deed.environment == environment);
            let verdict = verdicts.iter().find(|one| one["Name"] == environment);
            let Some(verdict) = verdict else {
                continue;
            };
            rows.push(Row {
                environment,
                verdict: verdict["Verdict"].as_str().unwrap_or_default().to_owned(),
                done: of_it.clone().count(),
                failed: of_it.clone().filter(|deed| deed.failure.is_some()).count(),
                compiling: of_it
                    .filter(|deed| deed.failure.is_some() && later(deed))
                    .count(),
            });
        }
        let findings = said["Findings"].as_array().into_iter().flatten();
        let errors = findings
            .filter(|finding| finding["Severity"] == "error" && finding["Accepted"].is_null());
        let told: Vec<Told> = errors.flat_map(Told::all).collect();
        let failed = deeds.iter().filter(|deed| deed.failure.is_some()).copied();
        let explained = |deed: &&Deed| told.iter().any(|told| told.fits(deed));
        let missed = failed.filter(|deed| !explained(deed));
        let (unproven, missed) = missed.partition(|deed| later(deed));
        let errors = told.into_iter().map(|told| {
            let deed = deeds.iter().find(|deed| told.fits(deed)).copied();
            (told, deed)
        });
        Ok(Report {
            rows,
            errors: errors.collect(),
            missed,
            unproven,
        })
    }

    /// Whether there is nothing that go and check see otherwise.
    pub fn agrees(&self) -> bool {
        self.rows.iter().all(Row::agrees)
            && self.missed.is_empty()
            && self.errors.iter().all(|(_, deed)| deed.is_some())
    }

    /// For people to read.
    pub fn text(&self, name: &str) -> String {
        let mut out = format!("{name}\n");
        for row in &self.rows {
            let go = match row.failed {
                0 => format!("all {} commands succeed", row.done),
                failed => format!("{failed} of {} commands fail", row.done),
            };
            let mark = if row.agrees() { "agree" } else { "PART" };
            let _ = writeln!(
                out,
                "  {mark:6} {:10} check: {:8} go: {go}",
                row.environment, row.verdict
            );
        }
        for (told, deed) in &self.errors {
            let mark = if deed.is_some() { "true" } else { "UNTRUE" };
            let _ = writeln!(
                out,
                "  {mark:6} {:10} {}: {}",
                told.environment, told.id, told.message
            );
            if let Some(deed) = deed {
                let _ = writeln!(out, "           {}: {}", deed.command, first(deed));
            }
        }
        if !self.unproven.is_empty() {
            let _ = writeln!(
                out,
                "  {} commands fail in the compiler, which only -prove asks; for one",
                self.unproven.len()
            );
        }
        for deed in self.missed.iter().chain(self.unproven.first()) {
            let known = self
                .unproven
                .first()
                .is_some_and(|one| std::ptr::eq(*one, *deed));
            let mark = if known { "later" } else { "MISSED" };
            let Deed {
                environment,
                module,
                command,
                ..
            } = deed;
            let _ = writeln!(
                out,
                "  {mark:6} {environment:10} {module}: {command}\n           {}",
                first(deed)
            );
        }
        out
    }
}

/// The first line of what a command said that says something.
fn first(deed: &Deed) -> &str {
    let text = deed.failure.as_deref().unwrap_or_default();
    text.lines()
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deed(environment: &str, failure: Option<&str>) -> Deed {
        Deed {
            environment: environment.into(),
            module: "example.com/app".into(),
            command: "go build ./...".into(),
            failure: failure.map(str::to_owned),
        }
    }

    fn said(verdict: &str, findings: &Value) -> Value {
        json!({"Environments": [{"Name": "ci", "Verdict": verdict}], "Findings": findings})
    }

    #[test]
    fn errors_need_a_failure_that_names_the_same_thing() {
        let error = |message: &str| json!([{"ID": "x", "Severity": "error", "Message": message, "Environments": ["ci"]}]);
        let deeds = [deed(
            "ci",
            Some("main.go:3:8: no required module provides package example.com/a/b; to add it:"),
        )];
        let agrees = |findings| {
            Report::new(&deeds, &said("breaks", &findings), true)
                .unwrap()
                .agrees()
        };
        assert!(agrees(error("example.com/a/b: nobody provides it")));
        assert!(!agrees(error("example.com/other/c: nobody provides it")));
        assert!(!agrees(json!([])));
    }

    #[test]
    fn ready_means_that_all_succeeds() {
        let agrees = |verdict, deeds: &[Deed]| {
            Report::new(deeds, &said(verdict, &json!([])), true)
                .unwrap()
                .agrees()
        };
        assert!(agrees("ready", &[deed("ci", None)]));
        assert!(!agrees("ready", &[deed("ci", None), deed("ci", Some("x"))]));
        assert!(!agrees("breaks", &[deed("ci", None)]));
        assert!(!agrees("unknown", &[deed("ci", None)]));
        assert!(agrees("loads", &[deed("ci", None)]));
    }

    #[test]
    fn what_loads_need_not_compile() {
        let mut deeds = [deed("ci", None), deed("ci", Some("x.go:1:2: undefined: X"))];
        deeds[0].command = "go list -deps ./...".into();
        let said = said("loads", &json!([]));
        assert!(Report::new(&deeds, &said, false).unwrap().agrees());
        assert!(!Report::new(&deeds, &said, true).unwrap().agrees());
        deeds[0].failure = Some("x.go:1:2: no package".into());
        assert!(!Report::new(&deeds, &said, false).unwrap().agrees());
    }

    #[test]
    fn what_nobody_can_require_is_not_missed() {
        let mut closed = deed("consumer", Some("malformed module path \"hello\": x"));
        closed.module = "hello".into();
        let note = json!([{"ID": "modules/not-importable", "Severity": "note", "Message": "nobody can require hello"}]);
        let said = |findings: Value| json!({"Environments": [{"Name": "consumer", "Verdict": "unimportable"}], "Findings": findings});
        let deeds = [closed];
        let agrees = |findings| Report::new(&deeds, &said(findings), true).unwrap().agrees();
        assert!(agrees(note));
        assert!(!agrees(json!([])));
    }
}

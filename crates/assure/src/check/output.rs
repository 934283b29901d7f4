//! Findings in other people's forms: SARIF 2.1.0, and workflow commands that become annotations of a change.

use serde_json::{Value, json};
use std::fmt::Write as _;

use super::classes::CLASSES;
use super::finding::{Evidence, Finding, Severity};

/// One SARIF log.
#[must_use]
pub fn sarif(findings: &[Finding], version: &str) -> Value {
    let used = |id: &str| findings.iter().any(|finding| finding.class.id == id);
    let rules: Vec<Value> = CLASSES
        .iter()
        .filter(|class| used(class.id))
        .map(|class| {
            json!({
                "id": class.id,
                "shortDescription": {"text": class.meaning},
                "defaultConfiguration": {"level": class.severity.name()},
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "steady check", "version": version, "rules": rules}},
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let environments: Vec<&str> = finding.environments.iter().map(|one| one.name()).collect();
    let mut text = format!("{}. {}", finding.message, finding.cause);
    if let Some(fix) = &finding.fix {
        let _ = write!(text, " Fix: {}", fix.command);
    }
    let places = finding
        .evidence
        .iter()
        .filter_map(|evidence| match evidence {
            Evidence::Place { file, line, .. } if !file.starts_with('/') => {
                let mut place =
                    json!({"artifactLocation": {"uri": uri(file), "uriBaseId": "%SRCROOT%"}});
                if *line > 0 {
                    place["region"] = json!({"startLine": line});
                }
                Some(json!({"physicalLocation": place}))
            }
            _ => None,
        });
    let mut value = json!({
        "ruleId": finding.class.id,
        "level": finding.severity.name(),
        "message": {"text": text},
        "locations": places.take(1).collect::<Vec<Value>>(),
        "partialFingerprints": {"steady/subject": format!("{} {}", finding.class.id, finding.subject)},
        "properties": {"environments": environments},
    });
    if let Some(accepted) = &finding.accepted {
        value["suppressions"] = json!([{"kind": "external", "justification": accepted.reason}]);
    }
    value
}

/// A path as a relative URI.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

/// A workflow command a finding: `::error file=…,line=…,title=…::…`.
#[must_use]
pub fn annotations(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings.iter().filter(|finding| finding.accepted.is_none()) {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let names: Vec<&str> = finding.environments.iter().map(|one| one.name()).collect();
        let mut properties = String::new();
        if let Some((file, line)) = finding.place().filter(|(file, _)| !file.starts_with('/')) {
            let _ = write!(properties, "file={},", property(file));
            if line > 0 {
                let _ = write!(properties, "line={line},");
            }
        }
        let title = property(&format!("{} ({})", finding.class.id, names.join(", ")));
        let mut text = format!("{}\n{}", finding.message, finding.cause);
        if let Some(fix) = &finding.fix {
            let _ = write!(text, "\nfix: {}", fix.command);
        }
        let _ = writeln!(out, "::{level} {properties}title={title}::{}", data(&text));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::{Environment, Fix};

    fn finding() -> Finding {
        Finding::new(
            "files/untracked",
            "a b.go",
            "a b.go is needed: it is not committed",
        )
        .hits_all([Environment::Ci, Environment::Colleague])
        .because("Nobody added it.")
        .shown_by(Evidence::place("a b.go", 3, "package a"))
        .fixed_by(Fix::shown("git add 'a b.go'"))
    }

    #[test]
    fn workflow_commands_are_escaped() {
        assert_eq!(
            annotations(&[finding()]),
            "::error file=a b.go,line=3,title=files/untracked (ci%2C colleague)::a b.go is needed: it is not committed%0ANobody added it.%0Afix: git add 'a b.go'\n"
        );
    }

    #[test]
    fn a_result_has_its_rule_and_place() {
        let log = sarif(&[finding()], "1");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "files/untracked");
        let result = &run["results"][0];
        assert_eq!(result["level"], "error");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.go");
        assert_eq!(place["region"]["startLine"], 3);
    }
}

//! `steady.toml`: findings that are accepted for a reason, and which platforms count.
//!
//! ```toml
//! [check]
//! platforms = ["linux/amd64", "linux/arm64"]
//!
//! [[check.accept]]
//! id = "modules/install-refused"
//! path = "tools/*"            # optional: only findings with evidence in such a file
//! reason = "the tools are run from the checkout"
//! until = "2027-06-30"        # optional: from the day after it counts again
//! ```

use serde::Deserialize;
use steady_proxy::Time;
use toml::Spanned;

use super::classes::Class;
use super::finding::{Accepted, Evidence, Finding};

/// The name of the file.
pub const FILE: &str = "steady.toml";

/// What steady.toml says about `check`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// `GOOS/GOARCH` pairs that colleagues have, in place of the common ones.
    #[serde(default)]
    pub platforms: Vec<String>,
    #[serde(default)]
    accept: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: Spanned<String>,
    #[serde(default)]
    path: String,
    reason: String,
    #[serde(default)]
    until: String,
    #[serde(skip)]
    line: usize,
}

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    check: Rules,
}

impl Rules {
    /// Reads the file's text.
    ///
    /// # Errors
    /// It is no TOML, or says what cannot be: a class that there is not, a date that is none, no reason.
    pub fn parse(text: &str) -> Result<Rules, String> {
        let file: File = toml::from_str(text).map_err(|error| format!("{FILE}: {error}"))?;
        let mut rules = file.check;
        for rule in &mut rules.accept {
            rule.line = text[..rule.id.span().start].matches('\n').count() + 1;
            let id = rule.id.get_ref();
            let wrong = |what: String| Err(format!("{FILE}:{}: {what}", rule.line));
            if Class::find(id).is_none() {
                return wrong(format!("there is no finding {id}"));
            }
            if rule.reason.trim().is_empty() {
                return wrong("reason is empty".to_owned());
            }
            if !rule.until.is_empty() && !is_date(&rule.until) {
                return wrong(format!("until = {:?}: must be YYYY-MM-DD", rule.until));
            }
        }
        for platform in &rules.platforms {
            if platform.split('/').count() != 2 {
                return Err(format!(
                    "{FILE}: platforms: {platform:?}: must be GOOS/GOARCH"
                ));
            }
        }
        Ok(rules)
    }

    /// Accepts what these rules accept on a day (`YYYY-MM-DD`). A rule whose day has gone by shows as evidence.
    pub fn apply(&self, findings: &mut [Finding], today: &str) {
        for finding in findings {
            let fitting: Vec<&Rule> = self
                .accept
                .iter()
                .filter(|rule| rule.fits(finding))
                .collect();
            for rule in fitting {
                if !rule.until.is_empty() && rule.until.as_str() < today {
                    let text = format!("was accepted until {}: {}", rule.until, rule.reason);
                    finding
                        .evidence
                        .push(Evidence::place(FILE, rule.line, text));
                    continue;
                }
                finding.accepted = Some(Accepted {
                    reason: rule.reason.clone(),
                    until: rule.until.clone(),
                });
            }
        }
    }
}

impl Rule {
    fn fits(&self, finding: &Finding) -> bool {
        let in_place = |evidence: &Evidence| match evidence {
            Evidence::Place { file, .. } => matches(&self.path, file),
            Evidence::Run { .. } => false,
        };
        *self.id.get_ref() == finding.class.id
            && (self.path.is_empty()
                || matches(&self.path, &finding.subject)
                || finding.evidence.iter().any(in_place))
    }
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str, length: usize, most: u32| {
        text.len() == length
            && text
                .parse::<u32>()
                .is_ok_and(|number| (1..=most).contains(&number))
    };
    matches!(parts[..], [year, month, day] if number(year, 4, 9999) && number(month, 2, 12) && number(day, 2, 31))
}

/// `*` stands for anything within a path element, `**` for anything.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == path;
    };
    let Some(rest) = path.strip_prefix(before) else {
        return false;
    };
    let (deep, after) = match after.strip_prefix('*') {
        Some(after) => (true, after),
        None => (false, after),
    };
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.take_while(|at| deep || !rest[..*at].contains('/'))
        .any(|at| matches(after, &rest[at..]))
}

/// The day of a moment in seconds since 1970, UTC, as `YYYY-MM-DD`.
#[must_use]
pub fn day(seconds: i64) -> String {
    Time::from_unix(seconds).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finding::Environment;

    #[test]
    fn days() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_400), "2000-02-29");
        assert_eq!(day(1_798_761_599), "2026-12-31");
    }

    #[test]
    fn globs() {
        assert!(matches("tools/*", "tools/go.mod") && !matches("tools/*", "tools/a/go.mod"));
        assert!(
            matches("**/go.mod", "tools/a/go.mod") && matches("a*c", "abc") && !matches("a", "ab")
        );
    }

    #[test]
    fn accepted_until_a_day() {
        let text = "[[check.accept]]\nid = \"files/symlink\"\npath = \"a/**\"\nreason = \"why\"\nuntil = \"2026-11-30\"\n";
        let rules = Rules::parse(text).unwrap();
        let finding = || {
            Finding::new("files/symlink", "x", "x")
                .severity(crate::check::Severity::Error)
                .hits(Environment::Consumer)
                .shown_by(Evidence::place("a/b/c", 0, ""))
        };
        let mut found = [finding()];
        rules.apply(&mut found, "2026-11-30");
        assert!(!found[0].breaks(Environment::Consumer));
        let mut found = [finding()];
        rules.apply(&mut found, "2026-12-01");
        assert!(found[0].breaks(Environment::Consumer));
        assert!(found[0].evidence.contains(&Evidence::place(
            FILE,
            2,
            "was accepted until 2026-11-30: why"
        )));
        let wrong = Rules::parse("[[check.accept]]\nid = \"x/y\"\nreason = \"z\"\n").unwrap_err();
        assert_eq!(wrong, "steady.toml:2: there is no finding x/y");
    }
}

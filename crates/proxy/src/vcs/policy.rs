//! GOVCS: which version control programs may be run for which repositories.

use steady_module::path::match_prefix_patterns;

use crate::{Config, Error, Result};

/// What holds behind all that GOVCS says.
const DEFAULT: &str = "private:all,public:git|hg";

/// One entry: `pattern:vcs|vcs`.
#[derive(Debug, PartialEq, Eq)]
struct Rule<'a> {
    pattern: &'a str,
    allowed: Vec<&'a str>,
}

/// Refuses a program that GOVCS does not allow for a repository's root (an import path).
pub fn check(config: &Config, program: &str, root: &str) -> Result<()> {
    let mut rules = parse(&config.govcs)?;
    rules.extend(parse(DEFAULT)?);
    let private = match_prefix_patterns(&config.goprivate, root);
    let applies = |rule: &&Rule<'_>| match rule.pattern {
        "private" => private,
        "public" => !private,
        pattern => match_prefix_patterns(pattern, root),
    };
    let allowed = rules.iter().find(applies).is_some_and(|rule| {
        rule.allowed
            .iter()
            .any(|name| [program, "all"].contains(name))
    });
    if allowed {
        return Ok(());
    }
    let what = if private { "private" } else { "public" };
    Err(Error::other(format!(
        "GOVCS disallows using {program} for {what} {root}; see 'go help vcs'"
    )))
}

fn parse(text: &str) -> Result<Vec<Rule<'_>>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut rules: Vec<Rule<'_>> = Vec::new();
    let mut items: Vec<&str> = Vec::new();
    for item in text.split(',').map(str::trim) {
        let refuse = |text: String| Err(Error::other(text));
        if item.is_empty() {
            return refuse("empty entry in GOVCS".to_owned());
        }
        let Some((pattern, list)) = item.split_once(':') else {
            return refuse(format!(
                "malformed entry in GOVCS (missing colon): {item:?}"
            ));
        };
        let (pattern, list) = (pattern.trim(), list.trim());
        if pattern.is_empty() {
            return refuse(format!("empty pattern in GOVCS: {item:?}"));
        }
        if list.is_empty() {
            return refuse(format!("empty VCS list in GOVCS: {item:?}"));
        }
        if matches!(pattern, "." | "..") || pattern.starts_with("./") || pattern.starts_with("../")
        {
            return refuse(format!(
                "relative pattern not allowed in GOVCS: {pattern:?}"
            ));
        }
        if let Some(at) = rules.iter().position(|rule| rule.pattern == pattern) {
            let old = items[at];
            return refuse(format!(
                "unreachable pattern in GOVCS: {item:?} after {old:?}"
            ));
        }
        let allowed: Vec<&str> = list.split('|').map(str::trim).collect();
        if allowed.contains(&"") {
            return refuse(format!("empty VCS name in GOVCS: {item:?}"));
        }
        items.push(item);
        rules.push(Rule { pattern, allowed });
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(govcs: &str, goprivate: &str, program: &str, root: &str) -> bool {
        let config = Config {
            govcs: govcs.into(),
            goprivate: goprivate.into(),
            ..Config::default()
        };
        check(&config, program, root).is_ok()
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        for (govcs, private, program, root, want) in [
            ("", "", "git", "example.com/x", true),
            ("", "", "svn", "example.com/x", false),
            ("", "example.com", "svn", "example.com/x", true),
            ("*:none", "example.com", "git", "example.com/x", false),
            ("public:all", "", "bzr", "example.com/x", true),
            (
                "example.com/y:git,example.com:hg",
                "",
                "git",
                "example.com/x",
                false,
            ),
            (
                "example.com/y:git,example.com:hg",
                "",
                "git",
                "example.com/y",
                true,
            ),
            ("example.org:off", "", "git", "example.com/x", true),
            ("*:all", "", "fossil", "example.com/x", true),
        ] {
            assert_eq!(
                verdict(govcs, private, program, root),
                want,
                "{govcs} {program} {root}"
            );
        }
    }

    #[test]
    fn refusals_read_like_gos() {
        for (text, want) in [
            (",", "empty entry in GOVCS"),
            ("git", "malformed entry in GOVCS (missing colon): \"git\""),
            (":git", "empty pattern in GOVCS: \":git\""),
            ("x:", "empty VCS list in GOVCS: \"x:\""),
            ("x:a||b", "empty VCS name in GOVCS: \"x:a||b\""),
            ("./x:git", "relative pattern not allowed in GOVCS: \"./x\""),
            (
                "x:git,x:hg",
                "unreachable pattern in GOVCS: \"x:hg\" after \"x:git\"",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), want);
        }
        let config = Config::default();
        assert_eq!(
            check(&config, "svn", "example.com/x")
                .unwrap_err()
                .to_string(),
            "GOVCS disallows using svn for public example.com/x; see 'go help vcs'"
        );
    }
}

//! GOEXPERIMENT: which experiments a toolchain knows, and which of them it has on for a target.
//!
//! Both are facts of a release, so they are read from the toolchain's own sources: the fields of `internal/goexperiment.Flags`
//! give the names and their order; the composite literal `baseline` in `internal/buildcfg/exp.go` gives what is on, as
//! expressions over `goos`, `goarch` and a few local variables. The few forms of Go that occur there are evaluated; what is not
//! understood counts as off.

use std::collections::HashMap;

/// What a toolchain says about experiments for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Experiments {
    /// Name in lower case, on by default, on now; in the toolchain's order.
    list: Vec<(String, bool, bool)>,
}

impl Experiments {
    /// `flags` is the text of `goexperiment/flags.go`, `rules` that of `buildcfg/exp.go`, `value` GOEXPERIMENT.
    ///
    /// # Errors
    /// A name that the toolchain does not know, or a combination that cannot be; the text is go's.
    pub fn parse(
        flags: &str,
        rules: &str,
        target: (&str, &str),
        value: &str,
    ) -> Result<Experiments, String> {
        let scope = Scope::read(rules, target);
        let baseline = literal(rules);
        let mut list: Vec<(String, bool, bool)> = names(flags)
            .map(|name| {
                let on = baseline
                    .get(name)
                    .is_some_and(|expression| scope.evaluate(expression));
                (name.to_lowercase(), on, on)
            })
            .collect();
        for word in value.split(',').filter(|word| !word.is_empty()) {
            if word == "none" {
                list.iter_mut().for_each(|(.., on)| *on = false);
                continue;
            }
            let (name, on) = word
                .strip_prefix("no")
                .map_or((word, true), |name| (name, false));
            let mut found = false;
            for (known, _, state) in &mut list {
                if known == name
                    || name == "regabi" && matches!(known.as_str(), "regabiwrappers" | "regabiargs")
                {
                    (*state, found) = (on, true);
                }
            }
            if !found {
                return Err(format!("unknown GOEXPERIMENT {name}"));
            }
        }
        Experiments { list }.with_register_abi(&scope)
    }

    /// The register calling convention is not a matter of choice everywhere.
    fn with_register_abi(mut self, scope: &Scope) -> Result<Experiments, String> {
        let supported = scope.variable("regabiSupported");
        let always = scope.variable("regabiAlwaysOn");
        let mut state = HashMap::new();
        for (name, _, on) in &mut self.list {
            if matches!(name.as_str(), "regabiwrappers" | "regabiargs") {
                *on = supported && (*on || always);
                state.insert(name.clone(), *on);
            }
        }
        let on = |name: &str| state.get(name).copied().unwrap_or_default();
        if on("regabiargs") && !on("regabiwrappers") {
            return Err("GOEXPERIMENT regabiargs requires regabiwrappers".to_owned());
        }
        Ok(self)
    }

    /// Names of those that are on.
    pub fn enabled(&self) -> impl Iterator<Item = &str> {
        self.list
            .iter()
            .filter(|(.., on)| *on)
            .map(|(name, ..)| name.as_str())
    }

    /// The shortest GOEXPERIMENT that gives the same: what differs from the default.
    #[must_use]
    pub fn canonical(&self) -> String {
        let different = self.list.iter().filter(|(_, default, on)| default != on);
        let words: Vec<String> = different
            .map(|(name, _, on)| {
                if *on {
                    name.clone()
                } else {
                    format!("no{name}")
                }
            })
            .collect();
        words.join(",")
    }
}

/// Field names of the struct `Flags`.
fn names(flags: &str) -> impl Iterator<Item = &str> {
    let body = flags
        .split_once("type Flags struct {")
        .map_or("", |(_, rest)| rest);
    let body = body.split_once("\n}").map_or(body, |(body, _)| body);
    body.lines().filter_map(|line| {
        let (name, kind) = line.trim().split_once(' ')?;
        (kind.trim() == "bool" && !name.starts_with("//")).then_some(name)
    })
}

/// Fields of the literal `baseline`.
fn literal(rules: &str) -> HashMap<&str, &str> {
    let body = rules
        .split_once("baseline := goexperiment.Flags{")
        .map_or("", |(_, rest)| rest);
    let body = body.split_once('}').map_or(body, |(body, _)| body);
    body.lines()
        .filter_map(|line| {
            let (name, value) = line.trim().split_once(':')?;
            Some((name.trim(), value.trim().trim_end_matches(',')))
        })
        .collect()
}

/// Local variables in front of the literal, and the target.
struct Scope<'a> {
    goos: &'a str,
    goarch: &'a str,
    variables: HashMap<&'a str, bool>,
}

impl<'a> Scope<'a> {
    fn read(rules: &'a str, (goos, goarch): (&'a str, &'a str)) -> Scope<'a> {
        let mut scope = Scope {
            goos,
            goarch,
            variables: HashMap::new(),
        };
        let body = rules
            .split_once("func ParseGOEXPERIMENT")
            .map_or("", |(_, rest)| rest);
        let body = body.split_once("baseline :=").map_or("", |(body, _)| body);
        let mut subject = "";
        let mut taken = true;
        for line in body.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("switch ") {
                subject = if rest.starts_with("goarch") {
                    goarch
                } else if rest.starts_with("goos") {
                    goos
                } else {
                    "?"
                };
            } else if let Some(list) = line.strip_prefix("case ") {
                taken = list
                    .trim_end_matches(':')
                    .split(',')
                    .any(|item| item.trim().trim_matches('"') == subject);
            } else if line == "}" {
                (subject, taken) = ("", true);
            } else if let Some((name, value)) =
                line.split_once(":=").or_else(|| line.split_once(" = "))
                && taken
            {
                let value = scope.evaluate(value);
                scope.variables.insert(name.trim(), value);
            }
        }
        scope
    }

    fn variable(&self, name: &str) -> bool {
        self.variables.get(name).copied().unwrap_or_default()
    }

    /// Names, `true`, `false`, `goos == "x"`, `!=`, `!`, `&&`, `||` and brackets around all of it.
    fn evaluate(&self, expression: &str) -> bool {
        let mut text = expression.trim();
        while let Some(inner) = text
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'))
        {
            text = inner.trim();
        }
        if text.contains("||") {
            return text.split("||").any(|part| self.evaluate(part));
        }
        if text.contains("&&") {
            return text.split("&&").all(|part| self.evaluate(part));
        }
        for (operator, wanted) in [("==", true), ("!=", false)] {
            if let Some((left, right)) = text.split_once(operator) {
                let left = match left.trim() {
                    "goos" => self.goos,
                    "goarch" => self.goarch,
                    _ => return false,
                };
                return (left == right.trim().trim_matches('"')) == wanted;
            }
        }
        match text.strip_prefix('!') {
            Some(rest) => !self.evaluate(rest),
            None => text == "true" || self.variable(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &str = "package x\ntype Flags struct {\n\tFieldTrack        bool\n\t// Words about it.\n\tRegabiWrappers bool\n\n\tRegabiArgs bool\n\tDwarf5 bool\n\tSIMD bool\n}\nvar x bool\n";
    const RULES: &str = r#"
func ParseGOEXPERIMENT(goos, goarch, goexp string) (*ExperimentFlags, error) {
	var regabiSupported, regabiAlwaysOn bool
	switch goarch {
	case "amd64", "arm64":
		regabiAlwaysOn = true
		regabiSupported = true
	case "s390x":
		regabiSupported = true
	}
	dwarf5Supported := (goos != "darwin" && goos != "ios")
	baseline := goexperiment.Flags{
		RegabiWrappers:       regabiSupported,
		RegabiArgs:           regabiSupported,
		Dwarf5: dwarf5Supported,
	}
"#;

    fn on(target: (&str, &str), value: &str) -> Vec<String> {
        let experiments = Experiments::parse(FLAGS, RULES, target, value).unwrap();
        experiments.enabled().map(str::to_owned).collect()
    }

    #[test]
    fn the_default_depends_on_the_target() {
        assert_eq!(
            on(("linux", "amd64"), ""),
            ["regabiwrappers", "regabiargs", "dwarf5"]
        );
        assert_eq!(
            on(("darwin", "arm64"), ""),
            ["regabiwrappers", "regabiargs"]
        );
        assert_eq!(on(("linux", "386"), ""), ["dwarf5"]);
    }

    #[test]
    fn names_switch_on_and_off() {
        assert_eq!(on(("linux", "386"), "simd,nodwarf5"), ["simd"]);
        assert_eq!(
            on(("linux", "amd64"), "noregabi"),
            ["regabiwrappers", "regabiargs", "dwarf5"]
        );
        assert_eq!(on(("linux", "s390x"), "noregabi"), ["dwarf5"]);
        assert_eq!(on(("linux", "s390x"), "none"), Vec::<String>::new());
        let parsed =
            Experiments::parse(FLAGS, RULES, ("linux", "amd64"), "simd,dwarf5,nodwarf5").unwrap();
        assert_eq!(parsed.canonical(), "nodwarf5,simd");
    }

    #[test]
    fn mistakes() {
        let error =
            |value| Experiments::parse(FLAGS, RULES, ("linux", "s390x"), value).unwrap_err();
        assert_eq!(error("bad"), "unknown GOEXPERIMENT bad");
        assert_eq!(
            error("noregabiwrappers"),
            "GOEXPERIMENT regabiargs requires regabiwrappers"
        );
    }
}

//! Architectures' own variables (GOAMD64 and its kin): their names, defaults, values and the build tags that follow.

use super::Settings;

/// A variable of an architecture, with the value in effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchVariable {
    /// `GOAMD64`; empty for architectures without one.
    pub name: &'static str,
    /// The value as set, or the default.
    pub value: String,
    /// Does it differ from the default?
    pub changed: bool,
}

/// Name and default for an architecture.
fn definition(goarch: &str) -> Option<(&'static str, &'static str)> {
    Some(match goarch {
        "386" => ("GO386", "sse2"),
        "amd64" => ("GOAMD64", "v1"),
        "arm" => ("GOARM", "7"),
        "arm64" => ("GOARM64", "v8.0"),
        "mips" | "mipsle" => ("GOMIPS", "hardfloat"),
        "mips64" | "mips64le" => ("GOMIPS64", "hardfloat"),
        "ppc64" | "ppc64le" => ("GOPPC64", "power8"),
        "riscv64" => ("GORISCV64", "rva20u64"),
        "wasm" => ("GOWASM", ""),
        _ => return None,
    })
}

impl ArchVariable {
    /// The variable of `goarch`. `generated` is the text of the toolchain's `buildcfg/zbootstrap.go`, which may set other
    /// defaults.
    #[must_use]
    pub fn of(settings: &Settings, goarch: &str, generated: &str) -> ArchVariable {
        let Some((name, default)) = definition(goarch) else {
            return ArchVariable::default();
        };
        let default = constant(generated, &format!("Default{name}")).unwrap_or(default);
        let (value, changed) = settings.or_changed(name, default);
        ArchVariable {
            name,
            value,
            changed,
        }
    }

    /// The value as the compiler sees it: with options in their full form.
    ///
    /// # Errors
    /// A value that does not exist; the text is go's.
    pub fn effective(&self) -> Result<String, String> {
        let value = self.value.as_str();
        let one_of = |list: &[&str]| {
            let all = list.join(", ");
            if list.contains(&value) {
                Ok(value.to_owned())
            } else {
                Err(format!("invalid {}: must be {all}", self.name))
            }
        };
        match self.name {
            "GO386" => match value {
                "387" => Err(
                    "unsupported setting GO386=387. Consider using GO386=softfloat instead."
                        .to_owned(),
                ),
                _ => one_of(&["sse2", "softfloat"]),
            },
            "GOAMD64" => one_of(&["v1", "v2", "v3", "v4"]),
            "GOMIPS" | "GOMIPS64" => one_of(&["hardfloat", "softfloat"]),
            "GOPPC64" => one_of(&["power8", "power9", "power10"]),
            "GORISCV64" => one_of(&["rva20u64", "rva22u64", "rva23u64"]),
            "GOARM" => arm(value),
            "GOARM64" => arm64(value),
            "GOWASM" => match value
                .split(',')
                .find(|o| !matches!(*o, "" | "satconv" | "signext"))
            {
                Some(option) => Err(format!(
                    "invalid GOWASM: no such feature {}",
                    steady_build::quote::quote(option)
                )),
                None => Ok(String::new()),
            },
            _ => Ok(value.to_owned()),
        }
    }

    /// Build tags that the value sets.
    #[must_use]
    pub fn tags(&self, goarch: &str) -> Vec<String> {
        let effective = self.effective().unwrap_or_default();
        let number = |text: &str| text.parse::<u32>().unwrap_or_default();
        let tag = |feature: String| format!("{goarch}.{feature}");
        let base = effective.split(',').next().unwrap_or_default();
        match self.name {
            "GOAMD64" => (1..=number(base.trim_start_matches('v')))
                .map(|n| tag(format!("v{n}")))
                .collect(),
            "GOARM" => (5..=number(base)).map(|n| tag(n.to_string())).collect(),
            "GOARM64" => arm64_tags(base).into_iter().map(tag).collect(),
            "GOPPC64" => (8..=number(base.trim_start_matches("power")))
                .map(|n| tag(format!("power{n}")))
                .collect(),
            "GORISCV64" => ["rva20u64", "rva22u64", "rva23u64"]
                .into_iter()
                .filter(|profile| *profile <= base)
                .map(|profile| tag(profile.to_owned()))
                .collect(),
            "GOWASM" => vec![tag("satconv".into()), tag("signext".into())],
            "" => Vec::new(),
            _ => vec![tag(effective)],
        }
    }
}

fn arm(value: &str) -> Result<String, String> {
    let (version, float) = match value.split_once(',') {
        Some((version, float @ ("softfloat" | "hardfloat"))) => (version, Some(float)),
        _ => (value, None),
    };
    if !matches!(version, "5" | "6" | "7") {
        return Err(
            "invalid GOARM: must start with 5, 6, or 7, and may optionally end in either \",hardfloat\" or \",softfloat\"".to_owned(),
        );
    }
    let float = float.unwrap_or(if version == "5" {
        "softfloat"
    } else {
        "hardfloat"
    });
    Ok(format!("{version},{float}"))
}

fn arm64(value: &str) -> Result<String, String> {
    let mut version = value;
    let (mut lse, mut crypto) = (false, false);
    loop {
        if let Some(rest) = version.strip_suffix(",lse") {
            (version, lse) = (rest, true);
        } else if let Some(rest) = version.strip_suffix(",crypto") {
            (version, crypto) = (rest, true);
        } else {
            break;
        }
    }
    let known = match version.as_bytes() {
        [b'v', b'8', b'.', minor] => minor.is_ascii_digit(),
        [b'v', b'9', b'.', minor] => (b'0'..=b'5').contains(minor),
        _ => false,
    };
    if !known {
        return Err(
            "invalid GOARM64: must start with v8.{0-9} or v9.{0-5} and may optionally end in \",lse\" and/or \",crypto\"".to_owned(),
        );
    }
    let lse = if lse || version != "v8.0" { ",lse" } else { "" };
    Ok(format!(
        "{version}{lse}{}",
        if crypto { ",crypto" } else { "" }
    ))
}

fn arm64_tags(version: &str) -> Vec<String> {
    let mut digits = version.chars().filter_map(|c| c.to_digit(10));
    let (Some(major), Some(minor)) = (digits.next(), digits.next()) else {
        return Vec::new();
    };
    let mut tags: Vec<String> = (0..=minor).map(|n| format!("v{major}.{n}")).collect();
    if major == 9 {
        tags.extend((0..=(minor + 5).min(9)).map(|n| format!("v8.{n}")));
    }
    tags
}

/// The string constant `name` of a generated Go file.
pub(super) fn constant<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    source.lines().find_map(|line| {
        let rest = line.strip_prefix("const ")?.strip_prefix(name)?;
        let value = rest.trim_start().strip_prefix('=')?.trim();
        value.strip_prefix(['`', '"'])?.strip_suffix(['`', '"'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &'static str, value: &str) -> ArchVariable {
        ArchVariable {
            name,
            value: value.to_owned(),
            changed: false,
        }
    }

    #[test]
    fn values_in_their_full_form() {
        assert_eq!(variable("GOARM", "5").effective().unwrap(), "5,softfloat");
        assert_eq!(variable("GOARM", "7").effective().unwrap(), "7,hardfloat");
        assert_eq!(
            variable("GOARM64", "v9.2,crypto").effective().unwrap(),
            "v9.2,lse,crypto"
        );
        assert_eq!(variable("GOARM64", "v8.0").effective().unwrap(), "v8.0");
        assert_eq!(
            variable("GOAMD64", "v5").effective().unwrap_err(),
            "invalid GOAMD64: must be v1, v2, v3, v4"
        );
    }

    #[test]
    fn tags_accumulate() {
        assert_eq!(
            variable("GOAMD64", "v2").tags("amd64"),
            ["amd64.v1", "amd64.v2"]
        );
        assert_eq!(
            variable("GOARM64", "v9.0").tags("arm64"),
            [
                "arm64.v9.0",
                "arm64.v8.0",
                "arm64.v8.1",
                "arm64.v8.2",
                "arm64.v8.3",
                "arm64.v8.4",
                "arm64.v8.5"
            ]
        );
        assert_eq!(
            variable("GORISCV64", "rva22u64").tags("riscv64"),
            ["riscv64.rva20u64", "riscv64.rva22u64"]
        );
        assert_eq!(
            variable("GOPPC64", "power10").tags("ppc64le"),
            ["ppc64le.power8", "ppc64le.power9", "ppc64le.power10"]
        );
        assert_eq!(
            variable("GOMIPS", "softfloat").tags("mipsle"),
            ["mipsle.softfloat"]
        );
    }

    #[test]
    fn constants_of_generated_files() {
        let source = "package x\nconst DefaultGOAMD64 = `v2`\nconst DefaultCGO_ENABLED = \"\"\n";
        assert_eq!(constant(source, "DefaultGOAMD64"), Some("v2"));
        assert_eq!(constant(source, "DefaultCGO_ENABLED"), Some(""));
        assert_eq!(constant(source, "DefaultGO"), None);
    }
}

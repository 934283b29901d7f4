//! What a Go release decides about GODEBUG: known settings and the defaults of older language versions, read from its
//! sources, and the default that is stamped into a program.

use camino::Utf8Path;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use steady_module::gover;
use steady_system::Files;

/// One setting of the toolchain's `internal/godebugs` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Name.
    pub name: String,
    /// Minor Go release that changed its default, 0 for none.
    pub changed: u32,
    /// Value before that release.
    pub old: String,
}

/// The table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GodebugTable {
    /// As listed.
    pub settings: Vec<Setting>,
    /// Settings that are no more, with the minor release that removed them.
    pub removed: Vec<(String, u32)>,
}

/// What decides a program's default.
#[derive(Clone, Debug, Default)]
pub struct DefaultInput<'a> {
    /// Language version of the main module, or of the program's module when there is no main module (`1.20` if it names
    /// none).
    pub go_version: &'a str,
    /// GOFIPS140 is something other than `off`.
    pub fips140: bool,
    /// `godebug` lines of go.mod or go.work.
    pub module: Vec<(&'a str, &'a str)>,
    /// `//go:debug` lines: of the package, then of the package under test, its tests and its external tests.
    pub directives: Vec<&'a str>,
}

impl GodebugTable {
    /// Reads the table of the toolchain at `goroot`. A toolchain older than the table gives an empty one.
    pub fn load(files: &Files, goroot: &Utf8Path) -> Result<Self, steady_system::Error> {
        match files.read_to_string(goroot.join("src/internal/godebugs/table.go")) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.is_not_found() => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Reads the table from the text of that file: lines `{Name: "x", …}`.
    pub fn parse(text: &str) -> Self {
        let mut table = Self::default();
        for line in text.lines() {
            let Some(fields) = line.trim().strip_prefix("{Name:") else {
                continue;
            };
            let fields = format!("Name:{fields}");
            let name = field(&fields, "Name:");
            match field(&fields, "Removed:").parse() {
                Ok(removed) => table.removed.push((name, removed)),
                Err(_) => table.settings.push(Setting {
                    name,
                    changed: field(&fields, "Changed:").parse().unwrap_or(0),
                    old: field(&fields, "Old:"),
                }),
            }
        }
        table
    }

    /// Defaults for code of language version `go_version` (`1.21`), as name to value.
    pub fn defaults_for(&self, go_version: &str) -> BTreeMap<String, String> {
        let minor = go_version
            .strip_prefix("1.")
            .and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        let Some(minor) = minor else {
            return BTreeMap::new();
        };
        let older = self
            .settings
            .iter()
            .filter(|setting| minor < setting.changed);
        older
            .map(|setting| (setting.name.clone(), setting.old.clone()))
            .collect()
    }

    /// The default GODEBUG of a main package (the caller asks for no other); `key=value` pairs joined by commas.
    pub fn default_godebug(&self, input: &DefaultInput<'_>) -> String {
        let mut chosen: BTreeMap<&str, &str> = BTreeMap::new();
        if input.fips140 {
            chosen.insert("fips140", "on");
        }
        chosen.extend(input.module.iter().copied());
        // Malformed lines were reported when the package was loaded.
        chosen.extend(
            input
                .directives
                .iter()
                .filter_map(|line| self.parse_line(line, None).ok().flatten()),
        );
        let mut go_version = input.go_version;
        if let Some(version) = chosen.remove("default") {
            let version = version.strip_prefix("go").unwrap_or(version);
            if gover::is_valid(version) {
                go_version = version;
            }
        }
        let mut all = self.defaults_for(go_version);
        all.extend(
            chosen
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        all.iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Key and value of a `//go:debug` line; `None` for any other line. `local`: the toolchain's version (`1.26.1`), which
    /// `default=` must not exceed; not known, not held against it.
    pub fn parse_line<'t>(
        &self,
        line: &'t str,
        local: Option<&str>,
    ) -> Result<Option<(&'t str, &'t str)>, String> {
        let Some(rest) = line.strip_prefix("//go:debug") else {
            return Ok(None);
        };
        if rest.trim().is_empty() {
            return Err("missing key=value".to_owned());
        }
        if !rest.starts_with([' ', '\t']) {
            return Ok(None);
        }
        let (key, value) = rest
            .trim()
            .split_once('=')
            .ok_or_else(|| "missing key=value".to_owned())?;
        self.check("//go:debug setting", key, value, local)?;
        Ok(Some((key, value)))
    }

    /// Whether a setting is known and well formed; the error is go's. `verb` names what is checked (`go.mod godebug`…).
    pub fn check(
        &self,
        verb: &str,
        key: &str,
        value: &str,
        local: Option<&str>,
    ) -> Result<(), String> {
        for (what, bad) in [("space", &[' ', '\t'][..]), ("comma", &[','])] {
            for (side, text) in [("key", key), ("value", value)] {
                if text.contains(bad) {
                    return Err(format!("{side} contains {what}"));
                }
            }
        }
        if key == "default" {
            let version = value
                .strip_prefix("go")
                .filter(|version| gover::is_valid(version));
            let version =
                version.ok_or_else(|| "value for default= must be goVERSION".to_owned())?;
            return match local {
                Some(local) if gover::compare(version, local) == Ordering::Greater => {
                    Err(format!("default={value} too new (toolchain is go{local})"))
                }
                _ => Ok(()),
            };
        }
        if self.settings.iter().any(|setting| setting.name == key) {
            return Ok(());
        }
        match self.removed.iter().find(|(name, _)| name == key) {
            Some((_, removed)) => Err(format!(
                "use of removed {verb} {key:?}, see https://go.dev/doc/godebug#go-1{removed}"
            )),
            None => Err(format!("unknown {verb} {key:?}")),
        }
    }
}

/// The value behind `label` in `Label: value, …`, quotes removed; empty if it is not there.
fn field(fields: &str, label: &str) -> String {
    let Some((_, rest)) = fields.split_once(label) else {
        return String::new();
    };
    let rest = rest.trim_start();
    match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => rest
            .split([',', '}'])
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> GodebugTable {
        GodebugTable::parse(
            "var All = []Info{\n\t{Name: \"a\", Package: \"x\"},\n\t{Name: \"b\", Package: \"x\", Changed: 21, Old: \"1\"},\n\
             \t{Name: \"c\", Package: \"x\", Opaque: true, Changed: 23, Old: \"0\"}, // Removed: never\n\t//{Name: \"d\"},\n}\n\
             var Removed = []RemovedInfo{\n\t{Name: \"e\", Removed: 24},\n}\n",
        )
    }

    #[test]
    fn tables() {
        let table = table();
        assert_eq!(
            table
                .settings
                .iter()
                .map(|s| (s.name.as_str(), s.changed, s.old.as_str()))
                .collect::<Vec<_>>(),
            [("a", 0, ""), ("b", 21, "1"), ("c", 23, "0")]
        );
        assert_eq!(table.removed, [("e".to_owned(), 24)]);
    }

    #[test]
    fn defaults() {
        let table = table();
        let default =
            |go_version, module: &[(&'static str, &'static str)], directives: &[&'static str]| {
                table.default_godebug(&DefaultInput {
                    go_version,
                    fips140: false,
                    module: module.to_vec(),
                    directives: directives.to_vec(),
                })
            };
        assert_eq!(default("1.20", &[], &[]), "b=1,c=0");
        assert_eq!(default("1.22.3", &[], &[]), "c=0");
        assert_eq!(default("1.23rc1", &[], &[]), "");
        assert_eq!(
            default(
                "1.23",
                &[("a", "1"), ("b", "2")],
                &["//go:debug b=3", "//go:debug x", "//go:build y"]
            ),
            "a=1,b=3"
        );
        assert_eq!(default("1.20", &[("default", "go1.23")], &[]), "");
        assert_eq!(default("1.23", &[], &["//go:debug default=go1.21"]), "c=0");
        let fips = DefaultInput {
            go_version: "1.23",
            fips140: true,
            ..DefaultInput::default()
        };
        assert_eq!(table.default_godebug(&fips), "fips140=on");
    }

    #[test]
    fn lines() {
        let table = table();
        let parse = |line| table.parse_line(line, Some("1.24"));
        assert_eq!(parse("//go:debug\ta=1 "), Ok(Some(("a", "1"))));
        assert_eq!(parse("//go:debugx a=1"), Ok(None));
        for (line, want) in [
            ("//go:debug", "missing key=value"),
            ("//go:debug a", "missing key=value"),
            ("//go:debug a b=1", "key contains space"),
            ("//go:debug a=1,c=2", "value contains comma"),
            ("//go:debug z=1", "unknown //go:debug setting \"z\""),
            (
                "//go:debug e=1",
                "use of removed //go:debug setting \"e\", see https://go.dev/doc/godebug#go-124",
            ),
            (
                "//go:debug default=1.2",
                "value for default= must be goVERSION",
            ),
            (
                "//go:debug default=go1.99",
                "default=go1.99 too new (toolchain is go1.24)",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err(), want);
        }
    }
}

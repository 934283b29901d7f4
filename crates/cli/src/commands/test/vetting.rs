//! Which of vet's checks run before tests: those that are nearly always right, or what `-vet` says. A release knows which those
//! are; it is read from the toolchain's own sources.

use steady_build::quote::quote;
use steady_build::vet::{VetOutput, VetSettings};

use steady_module::gover;

use crate::session::Session;

/// Where a release says which checks run before tests, behind `defaultVetFlags`.
const DEFAULTS: &str = "src/cmd/go/internal/test/test.go";
/// Where it says which checks there are, behind `passAnalyzersToVet`.
const KNOWN: &str = "src/cmd/go/internal/test/flagdefs.go";
/// For a toolchain without these sources.
const WITHOUT_SOURCES: [&str; 11] = [
    "atomic",
    "bool",
    "buildtags",
    "directive",
    "errorsas",
    "ifaceassert",
    "nilfunc",
    "printf",
    "slog",
    "stringintconv",
    "tests",
];

/// What `-vet` means; `None` for `off`.
///
/// # Errors
/// A list that names what is no check.
pub fn settings(session: &Session, flag: Option<&str>) -> Result<Option<VetSettings>, String> {
    let settings = |flags: Vec<String>, explicit: bool| VetSettings {
        tool: session.settings.tool_dir().join("vet"),
        own_vet: true,
        flags,
        explicit,
        output: VetOutput::Copied,
        fix: false,
        go_version: gover::from_toolchain(session.settings.local_version()).to_owned(),
    };
    let list = match flag {
        None | Some("") => return Ok(Some(settings(defaults(session), false))),
        Some("off") => return Ok(None),
        Some("all") => return Ok(Some(settings(Vec::new(), true))),
        Some(list) => list,
    };
    if list.contains('=') {
        return Err("-vet argument cannot contain equal signs".to_owned());
    }
    if list.contains(' ') {
        return Err("-vet argument is comma-separated list, cannot contain spaces".to_owned());
    }
    let known = strings_behind(session, KNOWN, "passAnalyzersToVet");
    let mut flags = Vec::new();
    let mut single = None;
    for name in list.split(',') {
        match name {
            "" => return Err("-vet argument contains empty list element".to_owned()),
            "all" | "off" => {
                single = Some(name);
                flags.clear();
            }
            name if known.is_empty() || known.iter().any(|known| known == name) => {
                flags.push(format!("-{name}"));
            }
            name => {
                return Err(format!(
                    "-vet argument must be a supported analyzer or a distinguished value; found {name}"
                ));
            }
        }
    }
    match single {
        Some(single) if flags.len() > 1 => Err(format!(
            "-vet does not accept {} in a list with other analyzers",
            quote(single)
        )),
        Some("off") if flags.is_empty() => Ok(None),
        _ => Ok(Some(settings(flags, true))),
    }
}

/// Packages that the fuzzer does not watch.
pub fn spared_by_fuzzer(session: &Session) -> Vec<String> {
    strings_behind(session, DEFAULTS, "var skipInstrumentation")
}

fn defaults(session: &Session) -> Vec<String> {
    let found = strings_behind(session, DEFAULTS, "var defaultVetFlags");
    if found.is_empty() {
        WITHOUT_SOURCES.map(|name| format!("-{name}")).to_vec()
    } else {
        found
    }
}

/// The strings that begin the lines of a Go list.
fn strings_behind(session: &Session, file: &str, name: &str) -> Vec<String> {
    let goroot = session.settings.goroot.clone().unwrap_or_default();
    let text = session.files.read(goroot.join(file)).unwrap_or_default();
    strings_in(&String::from_utf8_lossy(&text), name)
}

fn strings_in(text: &str, name: &str) -> Vec<String> {
    let Some(at) = text.find(name) else {
        return Vec::new();
    };
    let lines = text[at..].lines().skip(1).map(str::trim);
    lines
        .take_while(|line| *line != "}")
        .filter_map(|line| line.strip_prefix('"')?.split_once('"'))
        .map(|(string, _)| string.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_from_source() {
        let text = "x\nvar list = []string{\n\t// \"-no\",\n\t\"-atomic\",\n\t\"-bool\", // why\n}\n\"-other\"\n";
        assert_eq!(strings_in(text, "var list"), ["-atomic", "-bool"]);
        let text = "var known = map[string]bool{\n\t\"appends\": true,\n}\n";
        assert_eq!(strings_in(text, "known"), ["appends"]);
        assert!(strings_in(text, "nothing").is_empty());
    }
}

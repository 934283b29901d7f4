//! Which toolchain a run needs: go's rules over GOTOOLCHAIN and the go and toolchain lines, as one pure function.
//!
//! `GOTOOLCHAIN` is `local`, `auto`, `path`, a name, or a minimum with `+auto` or `+path`. With `auto` and `path` the nearest
//! go.work or go.mod may ask for something newer: its toolchain line if that is newer than the minimum, else its go line.

use steady_module::gover;

use crate::{Error, Result};

/// The go and toolchain lines of the file that governs a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoLines {
    /// The go.work or go.mod, as it is to be shown.
    pub file: String,
    /// `go` line, or empty.
    pub go: String,
    /// `toolchain` line, or empty.
    pub toolchain: String,
}

/// Where a toolchain that is not the local one may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Only what GOTOOLCHAIN says; the go line changes nothing.
    Fixed,
    /// PATH, then a download; the go line counts.
    Auto,
    /// PATH only; the go line counts.
    Path,
}

/// What was read at the start: it explains later "requires go >=" errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Startup {
    /// GOTOOLCHAIN.
    pub gotoolchain: String,
    /// The file that was consulted.
    pub file: String,
    /// The go line, if it decided.
    pub go: String,
    /// The toolchain line, if it decided.
    pub toolchain: String,
}

impl Startup {
    /// `; GOTOOLCHAIN=local; go.mod sets go 1.21`, or nothing.
    pub fn explain(&self) -> String {
        let mut text = String::new();
        if !self.gotoolchain.is_empty() && self.gotoolchain != "auto" {
            text = format!("; GOTOOLCHAIN={}", self.gotoolchain);
        }
        if !self.file.is_empty() && !self.toolchain.is_empty() {
            text += &format!("; {} sets toolchain {}", self.file, self.toolchain);
        } else if !self.file.is_empty() && !self.go.is_empty() {
            text += &format!("; {} sets go {}", self.file, self.go);
        }
        text
    }
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// `local`, or the name of a toolchain (`go1.26.8`), which may be the local one's.
    pub toolchain: String,
    /// The Go version it must have at least.
    pub minimum: String,
    /// Where it may come from.
    pub mode: Mode,
    /// For later errors.
    pub startup: Startup,
    /// Lines for GODEBUG=toolchaintrace=1.
    pub trace: Vec<String>,
}

impl Selection {
    /// Whether the local toolchain does.
    pub fn is_local(&self, local: &str) -> bool {
        self.toolchain == "local" || self.toolchain == local
    }
}

/// Chooses. `local` is the name of the toolchain at hand (`go1.26.8`); `gotoolchain` must not be empty.
pub fn select(local: &str, gotoolchain: &str, lines: &GoLines) -> Result<Selection> {
    let startup = Startup {
        gotoolchain: gotoolchain.to_owned(),
        ..Startup::default()
    };
    let mut chosen = Selection {
        toolchain: local.to_owned(),
        minimum: gover::from_toolchain(local).to_owned(),
        mode: Mode::Fixed,
        startup,
        trace: Vec::new(),
    };
    let mut mode_text = gotoolchain.to_owned();
    chosen.mode = match gotoolchain {
        "auto" => Mode::Auto,
        "path" => Mode::Path,
        other => {
            let (minimum, suffix) = match other.split_once('+') {
                Some((minimum, suffix)) => (minimum, Some(suffix)),
                None => (other, None),
            };
            set_minimum(&mut chosen, gotoolchain, minimum, suffix.is_some())?;
            let default = &chosen.toolchain;
            chosen.trace.push(format!(
                "default toolchain set to {default} from GOTOOLCHAIN={gotoolchain}"
            ));
            mode_text = format!("<name>+{}", suffix.unwrap_or_default());
            match suffix {
                None => Mode::Fixed,
                Some("auto") => Mode::Auto,
                Some("path") => Mode::Path,
                Some(_) => {
                    let why = "only version suffixes are +auto and +path";
                    return Err(Error::other(format!(
                        "invalid GOTOOLCHAIN {gotoolchain:?}: {why}"
                    )));
                }
            }
        }
    };
    if chosen.mode != Mode::Fixed {
        apply_lines(&mut chosen, lines, &mode_text)?;
    }
    // A word like "bash" would be found in PATH.
    let plausible = chosen.toolchain.starts_with("go1") || chosen.toolchain.contains("-go1");
    if !chosen.is_local(local) && !plausible {
        return Err(Error::other(format!(
            "invalid GOTOOLCHAIN {:?}",
            chosen.toolchain
        )));
    }
    Ok(chosen)
}

fn set_minimum(chosen: &mut Selection, gotoolchain: &str, minimum: &str, plus: bool) -> Result<()> {
    if minimum == "local" {
        return Ok(());
    }
    let version = gover::from_toolchain(minimum);
    if version.is_empty() {
        let why = if plus {
            format!(": invalid minimum toolchain {minimum:?}")
        } else {
            String::new()
        };
        return Err(Error::other(format!(
            "invalid GOTOOLCHAIN {gotoolchain:?}{why}"
        )));
    }
    minimum.clone_into(&mut chosen.toolchain);
    version.clone_into(&mut chosen.minimum);
    Ok(())
}

fn apply_lines(chosen: &mut Selection, lines: &GoLines, mode: &str) -> Result<()> {
    let GoLines {
        file,
        go,
        toolchain,
    } = lines;
    chosen.startup.file.clone_from(file);
    if toolchain == "default" {
        chosen.startup.toolchain.clone_from(toolchain);
        return Ok(());
    }
    if !toolchain.is_empty() {
        let version = gover::from_toolchain(toolchain);
        if version.is_empty() || (!toolchain.starts_with("go") && !toolchain.contains("-go")) {
            return Err(Error::other(format!(
                "invalid toolchain {toolchain:?} in {file}"
            )));
        }
        if gover::compare(version, &chosen.minimum).is_gt() {
            chosen.trace.push(format!(
                "upgrading toolchain to {toolchain} (required by toolchain line in {file}; upgrade allowed by GOTOOLCHAIN={mode})"
            ));
            chosen.toolchain.clone_from(toolchain);
            version.clone_into(&mut chosen.minimum);
            chosen.startup.toolchain.clone_from(toolchain);
        }
    }
    if gover::compare(go, &chosen.minimum).is_gt() {
        // From 1.21 on, "1.N" names a language; its first toolchain is 1.N.0.
        let patch = if gover::is_lang(go) && gover::compare(go, "1.21").is_ge() {
            ".0"
        } else {
            ""
        };
        chosen.toolchain = format!("go{go}{patch}");
        chosen.minimum.clone_from(go);
        chosen.startup.go.clone_from(go);
        chosen.startup.toolchain.clear();
        chosen.trace.push(format!(
            "upgrading toolchain to {} (required by go line in {file}; upgrade allowed by GOTOOLCHAIN={mode})",
            chosen.toolchain
        ));
    }
    Ok(())
}

/// The release to switch to for a module that needs at least Go `need`: of the releases offered (ascending), the newest patch of
/// the family before the newest release, if that is enough; else the newest patch of the newest family.
pub fn newer(need: &str, offered: &[String]) -> Result<String> {
    let mut latest = "";
    for version in offered
        .iter()
        .rev()
        .take_while(|version| gover::compare(version, need).is_ge())
    {
        if gover::lang(latest) == gover::lang(version) {
            continue;
        }
        let before = std::mem::replace(&mut latest, version);
        if !before.is_empty() && !gover::is_prerelease(before) {
            break;
        }
    }
    if latest.is_empty() {
        return Err(Error::other(format!("no releases found for go >= {need}")));
    }
    Ok(format!("go{latest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(gotoolchain: &str, go: &str, toolchain: &str) -> String {
        let lines = GoLines {
            file: "go.mod".into(),
            go: go.into(),
            toolchain: toolchain.into(),
        };
        match select("go1.26.8", gotoolchain, &lines) {
            Ok(selection) => selection.toolchain,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_go_line_counts_only_with_auto_and_path() {
        assert_eq!(choose("auto", "1.21", ""), "go1.26.8");
        assert_eq!(choose("auto", "1.99", ""), "go1.99.0");
        assert_eq!(choose("path", "1.99.3", ""), "go1.99.3");
        assert_eq!(choose("auto", "1.99rc1", ""), "go1.99rc1");
        assert_eq!(choose("local", "1.99", ""), "go1.26.8");
        assert_eq!(choose("go1.22.1", "1.99", ""), "go1.22.1");
        assert_eq!(choose("go1.22.1+auto", "1.21", ""), "go1.22.1");
        assert_eq!(choose("local+auto", "1.99", ""), "go1.99.0");
    }

    #[test]
    fn the_newer_of_both_lines_counts() {
        assert_eq!(choose("auto", "1.21", "go1.99.1"), "go1.99.1");
        assert_eq!(choose("auto", "1.99.2", "go1.99.1"), "go1.99.2");
        assert_eq!(choose("auto", "1.99", "go1.99.1-custom"), "go1.99.1-custom");
        assert_eq!(choose("go1.30.0+auto", "1.35", "default"), "go1.30.0");
    }

    #[test]
    fn refusals_read_like_gos() {
        assert_eq!(choose("bash", "", ""), "invalid GOTOOLCHAIN \"bash\"");
        assert_eq!(
            choose("bash+auto", "", ""),
            "invalid GOTOOLCHAIN \"bash+auto\": invalid minimum toolchain \"bash\""
        );
        let suffix =
            "invalid GOTOOLCHAIN \"go1.22.1+x\": only version suffixes are +auto and +path";
        assert_eq!(choose("go1.22.1+x", "", ""), suffix);
        assert_eq!(
            choose("auto", "1.21", "bash"),
            "invalid toolchain \"bash\" in go.mod"
        );
    }

    #[test]
    fn startup_explains() {
        let lines = GoLines {
            file: "go.mod".into(),
            go: "1.99".into(),
            toolchain: String::new(),
        };
        let startup = select("go1.26.8", "local+auto", &lines).unwrap().startup;
        assert_eq!(
            startup.explain(),
            "; GOTOOLCHAIN=local+auto; go.mod sets go 1.99"
        );
    }

    #[test]
    fn newer_prefers_the_family_before_the_newest() {
        let offered = |list: &str| list.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let list = offered("1.39 1.39rc1 1.39.0 1.39.7 1.40rc1 1.40.0 1.40.1");
        assert_eq!(newer("1.38", &list).unwrap(), "go1.39.7");
        assert_eq!(newer("1.40", &list).unwrap(), "go1.40.1");
        assert_eq!(
            newer("1.39", &offered("1.39.0 1.40rc1")).unwrap(),
            "go1.39.0"
        );
        assert_eq!(
            newer("1.40", &offered("1.39.0 1.40rc1")).unwrap(),
            "go1.40rc1"
        );
        assert_eq!(
            newer("1.41", &list).unwrap_err().to_string(),
            "no releases found for go >= 1.41"
        );
    }
}

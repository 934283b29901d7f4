//! Where the main module and the workspace are, as far as that must be known before anything is loaded: for the choice of the
//! toolchain and for `go env`.

use camino::{Utf8Path, Utf8PathBuf};
use steady_system::{Files, relative};

use crate::failure::{Failure, Result};
use crate::session::Session;
use crate::settings::Settings;
use crate::settings::table::Variable;

/// The go.work that governs the working directory: what GOWORK says, or the nearest one above (but not across GOROOT).
///
/// # Errors
/// GOWORK that is not an absolute path.
pub fn go_work(settings: &Settings, files: &Files) -> Result<Option<Utf8PathBuf>> {
    match settings.get("GOWORK") {
        "off" => Ok(None),
        "" | "auto" => Ok(settings
            .environment
            .cwd()
            .ancestors()
            .enumerate()
            .take_while(|(i, dir)| *i == 0 || settings.goroot.as_deref() != Some(*dir))
            .map(|(_, dir)| dir.join("go.work"))
            .find(|file| files.is_file(file))),
        path if path.starts_with('/') => Ok(Some(path.into())),
        _ => Err(Failure::error("invalid GOWORK: not an absolute path")),
    }
}

/// The nearest go.mod above the working directory. One that lies in the directory for temporaries itself does not count.
#[must_use]
pub fn go_mod(settings: &Settings, files: &Files) -> Option<Utf8PathBuf> {
    let mut above = settings.environment.cwd().ancestors();
    let root = above.find(|dir| files.is_file(dir.join("go.mod")))?;
    (root != settings.environment.temp_dir()).then(|| root.join("go.mod"))
}

/// Will modules be used? GO111MODULE decides, and with `auto` whether there is a go.mod.
#[must_use]
pub fn enabled(settings: &Settings, files: &Files) -> bool {
    match settings.get("GO111MODULE") {
        "on" | "" => true,
        "auto" => go_mod(settings, files).is_some(),
        _ => false,
    }
}

/// The path as messages show it: from the working directory if that is shorter.
#[must_use]
pub fn short_path(cwd: &Utf8Path, path: &Utf8Path) -> String {
    match relative(cwd, path) {
        Some(short) if short.as_str().len() < path.as_str().len() => short.into_string(),
        _ => path.to_string(),
    }
}

/// The value of a line `key value` of a go.mod or go.work, found without parsing the file: a file that does not parse must not
/// keep a newer toolchain from being chosen, which may understand it.
#[must_use]
pub fn line_value<'a>(text: &'a str, key: &str) -> &'a str {
    text.lines()
        .find_map(|line| {
            let rest = line.trim().strip_prefix(key)?;
            let rest = rest.strip_prefix([' ', '\t'])?;
            Some(rest.split("//").next().unwrap_or_default().trim())
        })
        .unwrap_or_default()
}

/// GOMOD and GOWORK.
///
/// # Errors
/// GO111MODULE or GOWORK that cannot be.
pub fn location(session: &Session) -> Result<Vec<Variable>> {
    let (settings, files) = (&session.settings, &session.files);
    let mode = settings.get("GO111MODULE");
    if !matches!(mode, "" | "on" | "off" | "auto") {
        let mode = steady_build::quote::quote(mode);
        return Err(Failure::error(format!(
            "unknown environment setting GO111MODULE={mode}"
        )));
    }
    let mut on = enabled(settings, files);
    let gowork = match settings.get("GOWORK") {
        "off" => "off".to_owned(),
        _ => go_work(settings, files)?
            .map(Utf8PathBuf::into_string)
            .unwrap_or_default(),
    };
    if on
        && let Some(gopath) = settings.first_gopath()
        && files.exists(gopath.join("go.mod"))
    {
        session
            .printer
            .note(format!("go: warning: ignoring go.mod in $GOPATH {gopath}"));
        on = mode != "auto";
    }
    let gomod = go_mod(settings, files).filter(|_| on);
    let gomod = match gomod {
        Some(path) => path.into_string(),
        None if on => "/dev/null".to_owned(),
        None => String::new(),
    };
    let variable = |name, value| Variable {
        name,
        value,
        changed: false,
    };
    Ok(vec![variable("GOMOD", gomod), variable("GOWORK", gowork)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_without_parsing() {
        let text = "module m\n\n  go 1.21 // why\ngopher x\ntoolchain\tgo1.22.1\n!!";
        assert_eq!(line_value(text, "go"), "1.21");
        assert_eq!(line_value(text, "toolchain"), "go1.22.1");
        assert_eq!(line_value(text, "require"), "");
    }

    #[test]
    fn short_paths() {
        let short = |cwd: &str, path: &str| short_path(Utf8Path::new(cwd), Utf8Path::new(path));
        assert_eq!(short("/a/b", "/a/b/go.mod"), "go.mod");
        assert_eq!(short("/a/b/c", "/a/go.mod"), "/a/go.mod");
    }
}

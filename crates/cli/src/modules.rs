//! Where the main module and the workspace are, as far as that must be known before anything is loaded: for the choice of the
//! toolchain and for `go env`.

use camino::{Utf8Path, Utf8PathBuf};
use steady_packages::modload::{Modules, find_go_mod, find_go_work};
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
    let goroot = settings.goroot.as_deref().unwrap_or(Utf8Path::new(""));
    find_go_work(
        files,
        settings.environment.cwd(),
        settings.get("GOWORK"),
        goroot,
    )
    .map_err(|error| Failure::error(format!("invalid GOWORK: {error}")))
}

/// The go.work that must be there.
///
/// # Errors
/// There is none.
pub fn must_have_go_work(session: &Session) -> Result<Utf8PathBuf> {
    go_work(&session.settings, &session.files)?.ok_or_else(|| {
        Failure::error(
            "no go.work file found\n\t(run 'go work init' first or specify path using GOWORK environment variable)",
        )
    })
}

/// The nearest go.mod above the working directory. One that lies in the directory for temporaries itself does not count.
#[must_use]
pub fn go_mod(settings: &Settings, files: &Files) -> Option<Utf8PathBuf> {
    let found = find_go_mod(files, settings.environment.cwd())?;
    (found.parent() != Some(&settings.environment.temp_dir())).then_some(found)
}

/// Tells of a go.mod in the directory for temporaries, which does not count. True: there is one.
#[must_use]
pub fn warn_of_temporary(session: &Session) -> bool {
    let temp = session.environment().temp_dir();
    let found = find_go_mod(&session.files, session.environment().cwd());
    let ignored = found.is_some_and(|file| file.parent() == Some(&temp));
    if ignored {
        session.printer.note(format!(
            "go: warning: ignoring go.mod in system temp root {temp}"
        ));
    }
    ignored
}

fn gopath_with_go_mod(session: &Session) -> Option<Utf8PathBuf> {
    let gopath = session.settings.first_gopath();
    gopath.filter(|dir| session.files.exists(dir.join("go.mod")))
}

/// Tells of a go.mod in GOPATH itself. True: modules stay off because of it.
#[must_use]
pub fn warn_of_gopath(session: &Session) -> bool {
    let gopath = gopath_with_go_mod(session);
    if let Some(gopath) = &gopath {
        session
            .printer
            .note(format!("go: warning: ignoring go.mod in $GOPATH {gopath}"));
    }
    gopath.is_some() && session.settings.get("GO111MODULE") == "auto"
}

/// The directory of the workspace or main module.
#[must_use]
pub fn project(settings: &Settings, files: &Files) -> Option<Utf8PathBuf> {
    let work = go_work(settings, files).ok().flatten();
    let file = work.or_else(|| go_mod(settings, files))?;
    file.parent().map(Utf8Path::to_owned)
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

/// The go.mod that a command about the main module works on: the nearest one, or what `-modfile` says.
///
/// # Errors
/// Modules are off, or there is none.
pub fn main_go_mod(session: &Session, modfile: Option<&str>) -> Result<Utf8PathBuf> {
    let (settings, files) = (&session.settings, &session.files);
    must_be_enabled(settings)?;
    let found = go_mod(settings, files);
    match (modfile.filter(|file| !file.is_empty()), found) {
        (Some(file), _) if !file.ends_with(".mod") => Err(Failure::error(format!(
            "-modfile={file}: file does not have .mod extension"
        ))),
        (Some(_), None) => Err(Failure::error(
            "cannot find main module, but -modfile was set.\n\t-modfile cannot be used to set the module root directory.",
        )),
        (Some(file), Some(_)) => Ok(files.absolute(file)),
        (None, Some(found)) => Ok(found),
        (None, None) if go_work(settings, files)?.is_some() => Err(Failure::error(
            "no modules were found in the current workspace; see 'go help work'",
        )),
        (None, None) => Err(no_go_mod(settings, files)),
    }
}

/// Why there is no main module, in short.
#[must_use]
pub fn no_main_module(modules: &Modules) -> &'static str {
    match modules.go_work() {
        Some(_) => "no modules were found in the current workspace; see 'go help work'",
        None => {
            "go.mod file not found in current directory or any parent directory; see 'go help modules'"
        }
    }
}

/// There must be a main module.
///
/// # Errors
/// There is none.
pub fn must_have_main(session: &Session, modules: &Modules) -> Result<()> {
    must_be_enabled(&session.settings)?;
    // With a go.mod in GOPATH itself, of which a warning has been given, go takes no module for the main one.
    if gopath_with_go_mod(session).is_some() {
        return Err(Failure::error(no_main_module(modules)));
    }
    match modules.mains() {
        [] => Err(without_main(session, modules)),
        _ => Ok(()),
    }
}

/// What is said when a main module is needed and there is none.
#[must_use]
pub fn without_main(session: &Session, modules: &Modules) -> Failure {
    match modules.go_work() {
        Some(_) => Failure::error(no_main_module(modules)),
        None => no_go_mod(&session.settings, &session.files),
    }
}

/// Why there is no main module: perhaps the directory has the marks of a project that is not a module yet.
fn no_go_mod(settings: &Settings, files: &Files) -> Failure {
    let cwd = settings.environment.cwd();
    let marks = [".git/config"];
    let inside_goroot = settings
        .goroot
        .as_ref()
        .is_some_and(|goroot| cwd.starts_with(goroot));
    let project = cwd.ancestors().find_map(|dir| {
        let mark = marks.iter().find(|mark| files.is_file(dir.join(mark)))?;
        Some((dir, mark))
    });
    match project.filter(|_| !inside_goroot) {
        Some((dir, mark)) => {
            let cd = match relative(cwd, dir) {
                Some(way) if way != "." => format!("cd {way} && "),
                _ => String::new(),
            };
            Failure::error(format!(
                "cannot find main module, but found {mark} in {dir}\n\tto create a module there, run:\n\t{cd}go mod init"
            ))
        }
        None => Failure::error(
            "go.mod file not found in current directory or any parent directory; see 'go help modules'",
        ),
    }
}

/// Modules must not be switched off.
///
/// # Errors
/// GO111MODULE is `off`, or nothing that it can be.
pub fn must_be_enabled(settings: &Settings) -> Result<()> {
    match settings.get("GO111MODULE") {
        "" | "on" | "auto" => Ok(()),
        "off" => Err(Failure::error(
            "modules disabled by GO111MODULE=off; see 'go help modules'",
        )),
        mode => Err(Failure::error(format!(
            "unknown environment setting GO111MODULE={mode}"
        ))),
    }
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
    if mode != "off" {
        let _ = warn_of_temporary(session);
    }
    on = on && !warn_of_gopath(session);
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

//! What `mod edit` and `work edit` share: flags in the order given, and the syntax of their values.

use serde::Serialize;
use steady_module::modfile::{Replace, is_directory_path, must_quote};
use steady_module::path::check_import_path;
use steady_module::{ModuleVersion, modfile};

use crate::failure::{Failure, Result};
use crate::flags::Parsed;
use steady_build::quote::quote;

/// The values of the named flags, in the order of the command line.
#[must_use]
pub fn in_order(parsed: &Parsed, names: &[&'static str]) -> Vec<(&'static str, String)> {
    let mut all: Vec<(usize, &'static str, String)> = Vec::new();
    for name in names {
        let indices = parsed.matches.indices_of(name).into_iter().flatten();
        let values = parsed
            .matches
            .get_many::<String>(name)
            .into_iter()
            .flatten();
        all.extend(
            indices
                .zip(values)
                .map(|(at, value)| (at, *name, value.clone())),
        );
    }
    all.sort_by_key(|(at, ..)| *at);
    all.into_iter()
        .map(|(_, name, value)| (name, value))
        .collect()
}

/// A failure of one flag's value.
pub fn wrong(flag: &str, value: &str, why: impl std::fmt::Display) -> Failure {
    Failure::error(format!("-{flag}={value}: {why}"))
}

/// Splits `path@version`. A version that looks like a flag or a path is refused.
///
/// # Errors
/// The text is go's.
pub fn split_version(text: &str) -> std::result::Result<(&str, Option<&str>), String> {
    match text.split_once('@') {
        None => Ok((text, None)),
        Some((_, version)) if version.starts_with(['-', '/']) => {
            Err(format!("invalid module version {}", quote(version)))
        }
        Some((path, version)) => Ok((path, Some(version))),
    }
}

/// `path@version`. The version need not be canonical: the next command that loads modules resolves it.
///
/// # Errors
/// No version, or a path that cannot be.
pub fn path_version(flag: &str, value: &str) -> Result<(String, String)> {
    let (path, version) = split_version(value).map_err(|error| wrong(flag, value, error))?;
    let Some(version) = version.map(str::trim) else {
        return Err(wrong(flag, value, "need path@version"));
    };
    let path = path.trim();
    check_import_path(path)
        .map_err(|error| wrong(flag, value, format!("invalid path: {error}")))?;
    if must_quote(version) {
        return Err(wrong(
            flag,
            value,
            format!("invalid version {}", quote(version)),
        ));
    }
    Ok((path.to_owned(), version.to_owned()))
}

/// A path without a version.
///
/// # Errors
/// A version, or a path that cannot be.
pub fn path_only(flag: &str, value: &str) -> Result<String> {
    if value.contains('@') {
        return Err(wrong(flag, value, "need just path, not path@version"));
    }
    check_import_path(value)
        .map_err(|error| wrong(flag, value, format!("invalid path: {error}")))?;
    Ok(value.to_owned())
}

/// `path[@version]`; a directory too, where one may stand.
fn optional_version(
    role: &str,
    text: &str,
    directory: bool,
) -> std::result::Result<ModuleVersion, String> {
    if directory && is_directory_path(text) {
        return Ok(ModuleVersion::new(text, ""));
    }
    let (path, version) = split_version(text)?;
    let (path, trimmed) = if version.is_some() {
        (path.trim(), version.map(str::trim))
    } else {
        (path, None)
    };
    check_import_path(path).map_err(|error| format!("invalid {role} path: {error}"))?;
    match trimmed {
        Some(version) if must_quote(version) => {
            Err(format!("invalid {role} version: {}", quote(version)))
        }
        version => Ok(ModuleVersion::new(path, version.unwrap_or_default())),
    }
}

/// `old[@v]=new[@w]`.
///
/// # Errors
/// The text is go's.
pub fn replacement(flag: &str, value: &str) -> Result<Replace> {
    let fail = |why: String| wrong(flag, value, why);
    let Some((old, new)) = value.split_once('=') else {
        return Err(fail("need old[@v]=new[@w] (missing =)".to_owned()));
    };
    let (old, new) = (old.trim(), new.trim());
    if new.starts_with('>') {
        return Err(fail(
            "separator between old and new is =, not =>".to_owned(),
        ));
    }
    let old = optional_version("old", old, false).map_err(fail)?;
    let replaced = optional_version("new", new, true).map_err(fail)?;
    if replaced.path == new && !is_directory_path(new) {
        return Err(fail(
            "unversioned new path must be local directory".to_owned(),
        ));
    }
    Ok(Replace { old, new: replaced })
}

/// `old[@v]`.
///
/// # Errors
/// The text is go's.
pub fn replaced(flag: &str, value: &str) -> Result<ModuleVersion> {
    optional_version("old", value, true).map_err(|why| wrong(flag, value, why))
}

/// `v1.2.3` or `[v1.2.3,v1.4.5]`.
///
/// # Errors
/// The text is go's.
pub fn interval(flag: &str, value: &str) -> Result<modfile::Retract> {
    let retract = |low: &str, high: &str| modfile::Retract {
        low: low.to_owned(),
        high: high.to_owned(),
        rationale: String::new(),
    };
    if !value.starts_with('[') {
        return match must_quote(value) {
            true => Err(wrong(
                flag,
                value,
                format!("invalid version: {}", quote(value)),
            )),
            false => Ok(retract(value, value)),
        };
    }
    let inner = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ends = inner.and_then(|inner| inner.split_once(','));
    match ends.map(|(low, high)| (low.trim(), high.trim())) {
        Some((low, high)) if !must_quote(low) && !must_quote(high) => Ok(retract(low, high)),
        _ => Err(wrong(
            flag,
            value,
            format!("invalid version interval: {}", quote(value)),
        )),
    }
}

/// `key=value`.
///
/// # Errors
/// The text is go's.
pub fn godebug(flag: &str, value: &str) -> Result<(String, String)> {
    match value.split_once('=') {
        Some((key, setting)) if !value.contains(['"', '`', '\'', ',']) => {
            Ok((key.to_owned(), setting.to_owned()))
        }
        _ => Err(wrong(flag, value, "need key=value")),
    }
}

/// Checks `-go` and `-toolchain`; `none` takes the line away. `what` is `mod` or `work`.
///
/// # Errors
/// The text is go's; it has no `go: ` in front.
pub fn check_lines(
    what: &str,
    go: Option<&str>,
    toolchain: Option<&str>,
    local: &str,
) -> Result<()> {
    let given =
        |value: Option<&str>| value.is_some_and(|value| !value.is_empty() && value != "none");
    let refuse = |name: &str, example: String| {
        Err(Failure::plain(format!(
            "go {what}: invalid -{name} option; expecting something like \"-{name} {example}\""
        )))
    };
    if given(go) && !go.is_some_and(modfile::is_go_version) {
        return refuse("go", local.to_owned());
    }
    if given(toolchain) && !toolchain.is_some_and(modfile::is_toolchain_name) {
        return refuse("toolchain", format!("go{local}"));
    }
    Ok(())
}

/// A module version in `-json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionJson<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
}

impl<'a> VersionJson<'a> {
    /// The form of a module version.
    #[must_use]
    pub fn of(module: &'a ModuleVersion) -> VersionJson<'a> {
        VersionJson {
            path: &module.path,
            version: &module.version,
        }
    }
}

/// A replacement in `-json`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReplaceJson<'a> {
    old: VersionJson<'a>,
    new: VersionJson<'a>,
}

impl<'a> ReplaceJson<'a> {
    /// The form of a replacement.
    #[must_use]
    pub fn of(replace: &'a Replace) -> ReplaceJson<'a> {
        ReplaceJson {
            old: VersionJson::of(&replace.old),
            new: VersionJson::of(&replace.new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
        match result {
            Err(Failure::Errors(messages)) => messages.join("\n"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn values_of_flags() {
        assert_eq!(
            path_version("require", "x.1@v1.0.0 ").unwrap(),
            ("x.1".to_owned(), "v1.0.0".to_owned())
        );
        assert_eq!(
            message(path_version("require", "x.1")),
            "-require=x.1: need path@version"
        );
        assert_eq!(
            message(path_only("droprequire", "x@v1")),
            "-droprequire=x@v1: need just path, not path@version"
        );
        let replace = replacement("replace", "x.1@v1=../y").unwrap();
        assert_eq!(
            (replace.old.version.as_str(), replace.new.path.as_str()),
            ("v1", "../y")
        );
        assert_eq!(
            message(replacement("replace", "x.1=y.1")),
            "-replace=x.1=y.1: unversioned new path must be local directory"
        );
        assert_eq!(
            message(replacement("replace", "x.1=>y.1")),
            "-replace=x.1=>y.1: separator between old and new is =, not =>"
        );
        let retract = interval("retract", "[v1.0.0, v1.1.0]").unwrap();
        assert_eq!(
            (retract.low.as_str(), retract.high.as_str()),
            ("v1.0.0", "v1.1.0")
        );
        assert!(message(interval("retract", "[v1")).contains("invalid version interval"));
        assert_eq!(
            message(godebug("godebug", "a")),
            "-godebug=a: need key=value"
        );
    }
}

//! What may be in a module zip: the rules for an archive that came, and for files that are to go into one.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use steady_module::{ModuleVersion, gover, modfile, path};
use steady_system::FileKind;

use super::{Archive, MAX_GO_MOD, MAX_LICENSE, MAX_ZIP_FILE, SourceFile};
use crate::{Error, Result};

/// A file and why it is out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Its path.
    pub path: String,
    /// The reason.
    pub reason: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// What became of a list of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedFiles {
    /// Those that belong into the zip that is to be made; nothing for one that is there.
    pub valid: Vec<String>,
    /// Those that are passed over.
    pub omitted: Vec<FileError>,
    /// Those that may not be there at all.
    pub invalid: Vec<FileError>,
    /// The whole is too large.
    pub size_error: Option<String>,
}

impl CheckedFiles {
    /// The error that all this makes, if any.
    pub fn error(&self) -> Option<Error> {
        if let Some(size) = &self.size_error {
            return Some(Error::other(size.clone()));
        }
        let lines: Vec<String> = self.invalid.iter().map(ToString::to_string).collect();
        (!lines.is_empty()).then(|| Error::other(lines.join("\n")))
    }

    fn refuse(&mut self, path: &str, reason: impl Into<String>) {
        self.invalid.push(FileError {
            path: path.to_owned(),
            reason: reason.into(),
        });
    }

    fn omit(&mut self, path: &str, reason: &str) {
        self.omitted.push(FileError {
            path: path.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

/// Refuses a version that is not canonical or does not fit its module path.
pub(super) fn check_version(module: &ModuleVersion) -> Result<()> {
    let canonical = path::canonical_version(&module.version);
    if canonical != module.version {
        return Err(Error::other(format!(
            "version {:?} is not canonical (should be {canonical:?})",
            module.version
        )));
    }
    Ok(path::check(&module.path, &module.version)?)
}

/// Holds an archive's directory against the rules; gives the verdict on each file.
///
/// # Errors
/// Only for the module version itself; what is wrong with files is in the answer.
pub fn check_zip(module: &ModuleVersion, archive: &Archive, zip_size: u64) -> Result<CheckedFiles> {
    check_version(module)?;
    let mut checked = CheckedFiles::default();
    if zip_size > MAX_ZIP_FILE {
        let text = format!(
            "module zip file is too large ({zip_size} bytes; limit is {MAX_ZIP_FILE} bytes)"
        );
        checked.size_error = Some(text);
        return Ok(checked);
    }
    let prefix = format!("{module}/");
    let mut collisions = Collisions::default();
    let mut left = MAX_ZIP_FILE;
    for entry in archive.entries() {
        let Some(name) = entry.name.strip_prefix(&prefix) else {
            checked.refuse(&entry.name, format!("path does not have prefix {prefix:?}"));
            continue;
        };
        if name.is_empty() {
            continue;
        }
        let is_dir = name.ends_with('/');
        let name = name.strip_suffix('/').unwrap_or(name);
        if let Err(reason) = check_name(name, is_dir, &mut collisions) {
            checked.refuse(&entry.name, reason);
            continue;
        }
        if is_dir {
            continue;
        }
        if entry.size <= left {
            left -= entry.size;
        } else if checked.size_error.is_none() {
            let text = format!(
                "total uncompressed size of module contents too large (max size is {MAX_ZIP_FILE} bytes)"
            );
            checked.size_error = Some(text);
        }
        if let Some(reason) = too_large(name, entry.size) {
            checked.refuse(&entry.name, reason);
        }
    }
    Ok(checked)
}

fn check_name<'n>(
    name: &'n str,
    is_dir: bool,
    collisions: &mut Collisions<'n>,
) -> Result<(), String> {
    if !is_clean(name) {
        return Err("file path is not clean".to_owned());
    }
    path::check_file_path(name).map_err(|error| error.to_string())?;
    collisions.check(name, is_dir)?;
    let base = name.rsplit('/').next().unwrap_or(name);
    if !is_dir && base.eq_ignore_ascii_case("go.mod") {
        if base != name {
            return Err("go.mod file not in module root directory".to_owned());
        }
        if name != "go.mod" {
            return Err("go.mod files must have lowercase names".to_owned());
        }
    }
    Ok(())
}

fn too_large(name: &str, size: u64) -> Option<String> {
    match name {
        "go.mod" if size > MAX_GO_MOD => Some(format!(
            "go.mod file too large (max size is {MAX_GO_MOD} bytes)"
        )),
        "LICENSE" if size > MAX_LICENSE => Some(format!(
            "LICENSE file too large (max size is {MAX_LICENSE} bytes)"
        )),
        _ => None,
    }
}

/// Whether a path is its own `path.Clean`.
fn is_clean(name: &str) -> bool {
    if name == "." || name == "/" {
        return true;
    }
    let relative = name.strip_prefix('/').unwrap_or(name);
    let mut only_dots = !name.starts_with('/');
    relative.split('/').all(|part| {
        let dots = part == "..";
        let good = !part.is_empty() && part != "." && (!dots || only_dots);
        only_dots &= dots;
        good
    })
}

/// Holds files that are to go into a zip against the rules.
pub fn check_files(files: &[SourceFile]) -> CheckedFiles {
    let mut checked = CheckedFiles::default();
    let (modules, language) = find_go_mods(files);
    let mut collisions = Collisions::default();
    let mut left = MAX_ZIP_FILE;
    let mut told: HashSet<&str> = HashSet::new();
    for file in files {
        let verdict = judge(
            file,
            &modules,
            &language,
            &mut collisions,
            &mut left,
            &mut checked.size_error,
        );
        // A path is told once, however many things are wrong with it.
        match verdict {
            Verdict::In => checked.valid.push(file.path.clone()),
            Verdict::Omitted(reason) if told.insert(&file.path) => checked.omit(&file.path, reason),
            Verdict::Refused(reason) if told.insert(&file.path) => {
                checked.refuse(&file.path, reason)
            }
            Verdict::Omitted(_) | Verdict::Refused(_) => {}
        }
    }
    checked
}

enum Verdict {
    In,
    Omitted(&'static str),
    Refused(String),
}

fn judge<'n>(
    file: &'n SourceFile,
    modules: &HashSet<String>,
    language: &str,
    collisions: &mut Collisions<'n>,
    left: &mut u64,
    size_error: &mut Option<String>,
) -> Verdict {
    let name = file.path.as_str();
    let refused = |reason: &str| Verdict::Refused(reason.to_owned());
    if !is_clean(name) {
        return refused("file path is not clean");
    }
    if name.starts_with('/') {
        return refused("file path is not relative");
    }
    if is_vendored(name, language) {
        return Verdict::Omitted("file is in vendor directory");
    }
    if directories(name).any(|dir| modules.contains(dir)) {
        return Verdict::Omitted("file is in another module");
    }
    if name == ".hg_archival.txt" {
        return Verdict::Omitted("file is inserted by 'hg archive' and is always omitted");
    }
    if let Err(error) = path::check_file_path(name) {
        return Verdict::Refused(error.to_string());
    }
    if name != "go.mod" && name.to_lowercase() == "go.mod" {
        return refused("go.mod files must have lowercase names");
    }
    if let Err(reason) = collisions.check(name, file.kind == FileKind::Dir) {
        return Verdict::Refused(reason);
    }
    match file.kind {
        FileKind::File => {}
        FileKind::Symlink => return Verdict::Omitted("file is a symbolic link"),
        FileKind::Dir | FileKind::Other => return Verdict::Omitted("not a regular file"),
    }
    if file.size <= *left {
        *left -= file.size;
    } else if size_error.is_none() {
        *size_error = Some(format!(
            "module source tree too large (max size is {MAX_ZIP_FILE} bytes)"
        ));
    }
    too_large(name, file.size).map_or(Verdict::In, Verdict::Refused)
}

/// The directories below the root that have a go.mod (`a/b/`), and the language of the root's go.mod.
fn find_go_mods(files: &[SourceFile]) -> (HashSet<String>, String) {
    let mut modules = HashSet::new();
    let mut language = String::new();
    for file in files.iter().filter(|file| file.kind == FileKind::File) {
        let (dir, base) = file
            .path
            .split_at(file.path.rfind('/').map_or(0, |at| at + 1));
        if !base.eq_ignore_ascii_case("go.mod") {
            continue;
        }
        if !dir.is_empty() {
            modules.insert(dir.to_owned());
        } else if base == "go.mod"
            && let Ok(text) = file.content.read()
        {
            language = language_of(&text);
        }
    }
    (modules, language)
}

/// The language version of a go.mod's go line, or nothing.
pub(super) fn language_of(go_mod: &[u8]) -> String {
    let text = String::from_utf8_lossy(go_mod);
    let parsed = modfile::ModFile::parse_lax("go.mod", &text, None);
    parsed
        .ok()
        .and_then(|file| file.go.map(|go| gover::lang(&go.value)))
        .unwrap_or_default()
}

/// `a/`, `a/b/` of `a/b/c`.
fn directories(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..=at])
}

/// Whether a file is in a package of a vendor directory. Before Go 1.24 a vendor directory that is not at the root is
/// misjudged: that is part of the hashes of everything released, so it stays as it is.
pub(super) fn is_vendored(name: &str, language: &str) -> bool {
    let new = gover::compare(language, "1.24").is_ge();
    if new && name == "vendor/modules.txt" {
        return true;
    }
    let from = if name.starts_with("vendor/") {
        "vendor/".len()
    } else {
        match name.find("/vendor/") {
            Some(at) if new => at + "/vendor/".len(),
            Some(_) => "/vendor/".len(),
            None => return false,
        }
    };
    name.as_bytes()
        .get(from..)
        .is_some_and(|rest| rest.contains(&b'/'))
}

/// Finds names that are one name where case does not count, and names that are both file and directory.
#[derive(Default)]
pub(super) struct Collisions<'n>(HashMap<Cow<'n, str>, (&'n str, bool)>);

impl<'n> Collisions<'n> {
    pub(super) fn check(&mut self, name: &'n str, is_dir: bool) -> Result<(), String> {
        let mut name = name;
        let mut is_dir = is_dir;
        loop {
            let folded = fold(name);
            match self.0.get(&folded) {
                Some((other, _)) if *other != name => {
                    return Err(format!(
                        "case-insensitive file name collision: {other:?} and {name:?}"
                    ));
                }
                Some((_, other_is_dir)) if *other_is_dir != is_dir => {
                    return Err(format!("entry {name:?} is both a file and a directory"));
                }
                Some(_) if !is_dir => return Err(format!("multiple entries for file {name:?}")),
                // A directory that is known: so are its parents.
                Some(_) => return Ok(()),
                None => drop(self.0.insert(folded, (name, is_dir))),
            }
            let Some(at) = name.rfind('/') else {
                return Ok(());
            };
            (name, is_dir) = (&name[..at], true);
        }
    }
}

/// One form for all names that differ in case only.
fn fold(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        return name.into();
    }
    // To upper and back brings letters together whose cases are more than two (Kelvin sign, long s).
    let one =
        |mut chars: Box<dyn Iterator<Item = char>>, c: char| match (chars.next(), chars.next()) {
            (Some(only), None) => only,
            _ => c,
        };
    let folded = name.chars().map(|c| {
        let upper = one(Box::new(c.to_uppercase()), c);
        one(Box::new(upper.to_lowercase()), upper)
    });
    Cow::Owned(folded.collect())
}

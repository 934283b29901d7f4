//! `go mod init`.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, FromArgMatches};
use steady_build::quote::quote;
use steady_module::gover;
use steady_module::modfile::ModFile;
use steady_module::path::{PathError, check_import_path, split_path_version};
use steady_system::{DirEntry, FileKind, lock};

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
}

/// `go mod init`
pub static INIT: Command = Command {
    usage: "go mod init [module-path]",
    short: "initialize new module in current directory",
    long: include_str!("../../help/text/mod_init.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    let path = match parsed.arguments.as_slice() {
        [] => None,
        [path] => Some(path.as_str()),
        _ => bail!("'go mod init' accepts at most one argument"),
    };
    modules::must_be_enabled(&session.settings)?;
    let file = match flags.modules.modfile.as_deref() {
        None | Some("") => session.files.absolute("go.mod"),
        Some(file) if !file.ends_with(".mod") => {
            bail!("-modfile={file}: file does not have .mod extension")
        }
        Some(file) => session.files.absolute(file),
    };
    if session.files.exists(&file) {
        bail!("{file} already exists");
    }
    let path = match path {
        Some(path) => {
            check(path).map_err(Failure::error)?;
            path.to_owned()
        }
        None => find_path(session)?,
    };
    session
        .printer
        .note(format!("go: creating new go.mod: module {path}"));
    let mut module = ModFile::default();
    module.set_module(&path);
    module
        .set_go(gover::from_toolchain(session.settings.local_version()))
        .map_err(Failure::error)?;
    module.cleanup();
    lock::write(&file, module.format().as_bytes())?;
    if !looks_empty(session) {
        session
            .printer
            .note("go: to add module requirements and sums:\n\tgo mod tidy");
    }
    Ok(Status::DONE)
}

/// May a new module have the path?
fn check(path: &str) -> std::result::Result<(), String> {
    if let Err(error) = check_import_path(path) {
        let local = matches!(path, "." | "..") || path.starts_with("./") || path.starts_with("../");
        let reason = match error {
            _ if local => "is a local import path".to_owned(),
            PathError::Path { reason, .. } | PathError::Version { reason, .. } => reason,
        };
        return Err(format!("malformed module path {}: {reason}", quote(path)));
    }
    if gover::is_toolchain(path) {
        return Err(format!("invalid module path {}: ", quote(path)));
    }
    if split_path_version(path).is_some() {
        return Ok(());
    }
    let why = if path.starts_with("gopkg.in/") {
        let better = suggestion(path, ".v", "1");
        format!(
            "module paths beginning with gopkg.in/ must always have a major version suffix in the form of .vN:\n\tgo mod init {better}"
        )
    } else {
        let better = suggestion(path, "/v", "2");
        format!(
            "major version suffixes must be in the form of /vN and are only allowed for v2 or later:\n\tgo mod init {better}"
        )
    };
    Err(format!("invalid module path \"{path}\": {why}"))
}

/// The path with a major version that it may have; `least` is the lowest.
fn suggestion(path: &str, separator: &str, least: &str) -> String {
    let base = path.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &path[base.len()..];
    let mut base = base;
    for suffix in [".v", "/v", "/"] {
        if suffix != ".v" || separator == ".v" {
            base = base.strip_suffix(suffix).unwrap_or(base);
        }
    }
    let first = number
        .split('.')
        .find(|part| !part.is_empty())
        .unwrap_or_default()
        .trim_start_matches('0');
    let number = match first {
        "" => least,
        "1" if least == "2" => least,
        number => number,
    };
    format!("{base}{separator}{number}")
}

/// From import comments in the directory or one below, else from the place in GOPATH.
fn find_path(session: &Session) -> Result<String> {
    let cwd = session.environment().cwd();
    let entries = session.files.read_dir(cwd).unwrap_or_default();
    if let Some(path) = entries
        .iter()
        .filter(|entry| is_source(entry))
        .find_map(|entry| comment(session, &cwd.join(&entry.name)))
    {
        return Ok(path);
    }
    for dir in entries.iter().filter(|entry| entry.kind == FileKind::Dir) {
        let dir = cwd.join(&dir.name);
        let inner = session.files.read_dir(&dir).unwrap_or_default();
        if let Some(path) = inner
            .iter()
            .filter(|entry| is_source(entry))
            .find_map(|entry| comment(session, &dir.join(&entry.name)))
        {
            return Ok(path
                .rsplit_once('/')
                .map_or(".", |(parent, _)| parent)
                .to_owned());
        }
    }
    let mut reason = "outside GOPATH, module path must be specified".to_owned();
    for entry in session
        .settings
        .gopath()
        .split(':')
        .filter(|entry| !entry.is_empty())
    {
        let Some(below) = in_dir(session, cwd, &Utf8Path::new(entry).join("src")) else {
            continue;
        };
        if below.as_str().is_empty() {
            continue;
        }
        match check_import_path(below.as_str()) {
            Ok(()) => return Ok(below.to_string()),
            Err(error) => {
                reason = format!("bad module path inferred from directory in GOPATH: {error}")
            }
        }
        break;
    }
    Err(Failure::error(format!(
        "cannot determine module path for source directory {cwd} ({reason})\n\n\
         Example usage:\n\
         \t'go mod init example.com/m' to initialize a v0 or v1 module\n\
         \t'go mod init example.com/m/v2' to initialize a v2 module\n\n\
         Run 'go help mod init' for more information.\n"
    )))
}

/// The way from `dir` to `path`, whichever of both has links in it.
fn in_dir(session: &Session, path: &Utf8Path, dir: &Utf8Path) -> Option<Utf8PathBuf> {
    let forms = |path: &Utf8Path| {
        let real = session.files.canonicalize(path).ok();
        std::iter::once(path.to_owned())
            .chain(real)
            .collect::<Vec<_>>()
    };
    let (paths, dirs) = (forms(path), forms(dir));
    let mut pairs = dirs
        .iter()
        .flat_map(|dir| paths.iter().map(move |path| (path, dir)));
    pairs.find_map(|(path, dir)| path.strip_prefix(dir).ok().map(Utf8Path::to_owned))
}

fn is_source(entry: &DirEntry) -> bool {
    entry.kind == FileKind::File && entry.name.ends_with(".go")
}

/// The path in `package x // import "path"`.
fn comment(session: &Session, file: &Utf8Path) -> Option<String> {
    let text = session.files.read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let rest = line
            .strip_prefix("package")?
            .strip_prefix([' ', '\t'])?
            .trim_start();
        let rest = rest.split_once([' ', '\t'])?.1.trim_start();
        let rest = rest
            .strip_prefix("//")?
            .strip_prefix([' ', '\t'])?
            .trim_start()
            .strip_prefix("import")?;
        let path = rest
            .strip_prefix([' ', '\t'])?
            .trim()
            .strip_prefix('"')?
            .strip_suffix('"')?;
        (!path.is_empty() && !path.contains('"')).then(|| path.to_owned())
    })
}

/// Nothing here yet that would need requirements?
fn looks_empty(session: &Session) -> bool {
    let entries = session
        .files
        .read_dir(session.environment().cwd())
        .unwrap_or_default();
    !entries
        .iter()
        .filter(|entry| !entry.name.starts_with(['.', '_']))
        .any(|entry| entry.name.ends_with(".go") || entry.kind == FileKind::Dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_new_modules() {
        assert_eq!(check("example.com/m/v2"), Ok(()));
        assert_eq!(check("m"), Ok(()));
        assert_eq!(
            check("./m").unwrap_err(),
            "malformed module path \"./m\": is a local import path"
        );
        assert!(
            check("example.com/m/v1")
                .unwrap_err()
                .ends_with("go mod init example.com/m/v2")
        );
        assert!(
            check("example.com/m/v2.3")
                .unwrap_err()
                .ends_with("go mod init example.com/m/v2")
        );
        assert!(
            check("gopkg.in/yaml")
                .unwrap_err()
                .ends_with("go mod init gopkg.in/yaml.v1")
        );
        assert!(
            check("gopkg.in/yaml/v3")
                .unwrap_err()
                .ends_with("go mod init gopkg.in/yaml.v3")
        );
    }
}

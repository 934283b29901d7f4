//! `go version`.

use camino::Utf8Path;
use clap::{Args, FromArgMatches};
use steady_build::buildinfo::{BuildInfo, BuildInfoError};

use steady_system::{FileKind, Metadata};

use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::session::Session;
use crate::settings::platform;

#[derive(Args)]
struct VersionFlags {
    #[command(flatten)]
    chdir: Chdir,
    /// Print each program's modules and build settings
    #[arg(long)]
    m: bool,
    /// Report files in directories that are not recognised
    #[arg(long)]
    v: bool,
    /// With -m: print JSON
    #[arg(long)]
    json: bool,
}

/// `go version`
pub static VERSION: Command = Command {
    usage: "go version [-m] [-v] [-json] [file ...]",
    short: "print Go version",
    long: include_str!("../help/text/version.txt"),
    examples: &[("what a program was built from", "steady version -m ./app")],
    kind: Kind::Run {
        flags: define::<VersionFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = VersionFlags::from_arg_matches(&parsed.matches)?;
    if parsed.arguments.is_empty() {
        return own_version(session, &flags);
    }
    if flags.json && !flags.m {
        return Err(Failure::Message(
            "go: 'go version' with -json flag requires -m flag".to_owned(),
            Status::USAGE,
        ));
    }
    let scan = Scan {
        session,
        flags: &flags,
    };
    let mut status = Status::DONE;
    for argument in &parsed.arguments {
        let path = session.files.absolute(argument);
        // No name is not that of the current directory.
        let found = session.files.stat(&path).ok();
        match found.filter(|_| !argument.is_empty()) {
            None => {
                session
                    .printer
                    .note(format!("stat {argument}: no such file or directory"));
                status = Status::FAILED;
            }
            Some(found) if found.is_dir() => scan.directory(Utf8Path::new(argument))?,
            Some(_) => {
                if !scan.file(Utf8Path::new(argument), true)? && flags.m {
                    status = Status::FAILED;
                }
            }
        }
    }
    Ok(status)
}

fn own_version(session: &Session, flags: &VersionFlags) -> Result {
    let given = [("m", flags.m), ("v", flags.v), ("json", flags.json)];
    if let Some((flag, _)) = given
        .into_iter()
        .find(|(name, on)| *on && !session.goflags.has(name))
    {
        let message = format!("go: 'go version' only accepts -{flag} flag with arguments");
        return Err(Failure::Message(message, Status::USAGE));
    }
    let (os, arch) = (platform::host_os(), platform::host_arch());
    let version = match &session.settings.test_version {
        Some(version) => format!("{version} (TESTGO_VERSION)"),
        None => session.settings.version.clone(),
    };
    session
        .printer
        .out(format!("go version {version} {os}/{arch}\n"));
    Ok(Status::DONE)
}

/// Looks files through.
struct Scan<'a> {
    session: &'a Session,
    flags: &'a VersionFlags,
}

impl Scan<'_> {
    /// All files below a directory, in the order of their names.
    fn directory(&self, dir: &Utf8Path) -> Result<()> {
        let Ok(entries) = self.session.files.read_dir(dir) else {
            return Ok(());
        };
        for entry in entries {
            let path = dir.join(&entry.name);
            match entry.kind {
                FileKind::Dir => self.directory(&path)?,
                FileKind::File | FileKind::Symlink => {
                    self.file(&path, self.flags.v)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One file; is it a Go program? `report` says whether errors are printed.
    fn file(&self, path: &Utf8Path, report: bool) -> Result<bool> {
        let printer = &self.session.printer;
        let full = self.session.files.absolute(path);
        let Some(found) = self
            .session
            .files
            .stat(&full)
            .ok()
            .filter(Metadata::is_file)
        else {
            if report {
                printer.note(format!("{path}: symlink"));
            }
            return Ok(false);
        };
        let mut info = match BuildInfo::read(&full) {
            Ok(info) => info,
            Err(error) => {
                if report {
                    self.complain(path, &found, &error);
                }
                return Ok(false);
            }
        };
        if self.flags.m && self.flags.json {
            printer.out(crate::gojson::to_string(&info)? + "\n");
            return Ok(true);
        }
        printer.out(format!("{path}: {}\n", info.go_version));
        info.go_version.clear();
        let text = info.to_string();
        if self.flags.m && !text.is_empty() {
            printer.out(format!(
                "\t{}\n",
                text.trim_end_matches('\n').replace('\n', "\n\t")
            ));
        }
        Ok(true)
    }

    /// A file that cannot be read is named; one that does not look like a program is passed over in silence.
    fn complain(&self, path: &Utf8Path, found: &Metadata, error: &BuildInfoError) {
        let printer = &self.session.printer;
        if matches!(error, BuildInfoError::File(_)) {
            printer.note(path.as_str());
        } else if is_candidate(path, found) {
            let full = self.session.files.absolute(path);
            printer.note(format!(
                "{path}: {}",
                error.to_string().replace(full.as_str(), path.as_str())
            ));
        }
    }
}

/// May the file be a program, by its mode and name?
fn is_candidate(path: &Utf8Path, found: &Metadata) -> bool {
    if found.mode & 0o111 != 0 {
        return true;
    }
    let name = path.as_str().to_lowercase();
    matches!(Utf8Path::new(&name).extension(), Some("so" | "exe" | "dll")) || name.contains(".so.")
}

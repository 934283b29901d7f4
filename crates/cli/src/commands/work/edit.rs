//! `go work edit`.

use camino::Utf8Path;
use clap::{Args, FromArgMatches};
use serde::Serialize;
use steady_module::gover;
use steady_module::modfile::{ModFile, WorkFile};

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::editing::{self, ReplaceJson};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::grammar::OWN;
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::session::Session;

use super::workfile;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    /// Only reformat
    #[arg(long)]
    fmt: bool,
    /// Set the go line
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Set the toolchain line
    #[arg(long, value_name = "name")]
    toolchain: Option<String>,
    /// Print go.work as JSON instead of writing it
    #[arg(long)]
    json: bool,
    /// Print go.work instead of writing it
    #[arg(long)]
    print: bool,
    /// Add a godebug setting
    #[arg(long, value_name = "key=value")]
    godebug: Vec<String>,
    /// Drop a godebug setting
    #[arg(long, value_name = "key")]
    dropgodebug: Vec<String>,
    /// Add a module directory
    #[arg(long = "use", value_name = "path")]
    use_: Vec<String>,
    /// Drop a module directory
    #[arg(long, value_name = "path")]
    dropuse: Vec<String>,
    /// Add a replacement
    #[arg(long, value_name = "old[@v]=new[@v]")]
    replace: Vec<String>,
    /// Drop a replacement
    #[arg(long, value_name = "old[@v]")]
    dropreplace: Vec<String>,
    /// Exclude this version in the go.mod of every module of the workspace: go.work has no exclusions
    #[arg(long, value_name = "path@version", help_heading = OWN)]
    exclude: Vec<String>,
    /// Drop the exclusion from the go.mod of every module of the workspace
    #[arg(long, value_name = "path@version", help_heading = OWN)]
    dropexclude: Vec<String>,
}

/// `go work edit`
pub static EDIT: Command = Command {
    usage: "go work edit [editing flags] [go.work]",
    short: "edit go.work from tools or scripts",
    long: include_str!("../../help/text/work_edit.txt"),
    examples: &[(
        "no module of the workspace may select this version",
        "steady work edit -exclude=example.com/lib@v1.4.0",
    )],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

/// Flags whose order counts.
const EDITS: &[&str] = &[
    "godebug",
    "dropgodebug",
    "use_",
    "dropuse",
    "replace",
    "dropreplace",
];

type Change = Box<dyn FnOnce(&mut WorkFile)>;

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    let edits = editing::in_order(parsed, EDITS);
    let changes = edits
        .into_iter()
        .map(|(flag, value)| change(session, flag, &value))
        .collect::<Result<Vec<_>>>()?;
    if flags.json && flags.print {
        bail!("cannot use both -json and -print");
    }
    let exclusions = exclusions(parsed)?;
    if !exclusions.is_empty() && (flags.json || flags.print) {
        bail!(
            "-exclude and -dropexclude write go.mod files; they cannot be used with -json or -print"
        );
    }
    let path = match parsed.arguments.as_slice() {
        [] => crate::modules::must_have_go_work(session)?,
        [path] => session.files.absolute(path),
        _ => bail!("'go help work edit' accepts at most one argument"),
    };
    let local = gover::from_toolchain(session.settings.local_version());
    editing::check_lines(
        "work",
        flags.go.as_deref(),
        flags.toolchain.as_deref(),
        local,
    )?;
    let given = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
    let any = given(&flags.go) || given(&flags.toolchain) || flags.json || flags.print || flags.fmt;
    if !any && changes.is_empty() && exclusions.is_empty() {
        bail!("no flags specified (see 'go help work edit').");
    }
    let name = crate::modules::short_path(session.environment().cwd(), &path);
    let mut file = workfile::read(session, &path)
        .map_err(|error| Failure::error(format!("errors parsing {name}:\n{error}")))?;
    let only_exclusions = !any && changes.is_empty();
    match flags.go.as_deref() {
        None | Some("") => {}
        Some("none") => file.drop_go(),
        Some(version) => file.set_go(version).map_err(Failure::error)?,
    }
    match flags.toolchain.as_deref() {
        None | Some("") => {}
        Some("none") => file.drop_toolchain(),
        Some(name) => file.set_toolchain(name).map_err(Failure::error)?,
    }
    changes.into_iter().for_each(|change| change(&mut file));
    exclude(session, &path, &file, &exclusions)?;
    if only_exclusions {
        return Ok(Status::DONE);
    }
    file.sort_blocks();
    file.cleanup();
    if flags.json {
        session
            .printer
            .out(gojson::to_string(&FileJson::of(&file))? + "\n");
    } else if flags.print {
        session.printer.out(file.format());
    } else {
        workfile::write(session, &path, &mut file)?;
    }
    Ok(Status::DONE)
}

/// A version that is excluded, or no longer.
struct Exclusion {
    path: String,
    version: String,
    drop: bool,
}

fn exclusions(parsed: &Parsed) -> Result<Vec<Exclusion>> {
    let given = editing::in_order(parsed, &["exclude", "dropexclude"]);
    let read = given.into_iter().map(|(flag, value)| {
        let (path, version) = editing::path_version(flag, &value)?;
        Ok(Exclusion {
            path,
            version,
            drop: flag == "dropexclude",
        })
    });
    read.collect()
}

/// Writes exclusions into the go.mod of every module that go.work uses. Nothing is written if one of them cannot take them.
fn exclude(
    session: &Session,
    work_path: &Utf8Path,
    work: &WorkFile,
    exclusions: &[Exclusion],
) -> Result<()> {
    if exclusions.is_empty() {
        return Ok(());
    }
    let base = work_path.parent().unwrap_or(work_path);
    let mut edited = Vec::new();
    for used in &work.uses {
        let path = steady_system::clean(&base.join(&used.path)).join("go.mod");
        let name = crate::modules::short_path(session.environment().cwd(), &path);
        let text = session.files.read_to_string(&path)?;
        let mut file = ModFile::parse(&name, &text, None)
            .map_err(|error| Failure::error(format!("errors parsing {name}:\n{error}")))?;
        for exclusion in exclusions {
            let (path, version) = (&exclusion.path, &exclusion.version);
            if exclusion.drop {
                file.drop_exclude(path, version);
            } else {
                file.add_exclude(path, version)
                    .map_err(|error| Failure::error(error.to_string()))?;
            }
        }
        file.sort_blocks();
        file.cleanup();
        let after = file.format();
        if after != text {
            edited.push((path, text, after));
        }
    }
    if let Some((path, ..)) = edited.first()
        && session.settings.frozen.locked
    {
        bail!("-locked: {path} would change");
    }
    for (path, before, after) in edited {
        steady_system::lock::transform(&path, |now| {
            if now != before.as_bytes() {
                return Err(Failure::error(format!("{path} has changed meanwhile")));
            }
            Ok(after.into_bytes())
        })?;
    }
    Ok(())
}

/// Reads a flag's value now, so that a mistake is told before any file is looked at.
fn change(session: &Session, flag: &'static str, value: &str) -> Result<Change> {
    let owned = value.to_owned();
    Ok(match flag {
        "godebug" => {
            let (key, setting) = editing::godebug(flag, value)?;
            Box::new(move |file| file.add_godebug(&key, &setting))
        }
        "dropgodebug" => Box::new(move |file| file.drop_godebug(&owned)),
        "use_" => {
            let module = session
                .files
                .read_to_string(session.files.absolute(value).join("go.mod"));
            let module = module
                .map(|text| ModFile::module_path(&text))
                .unwrap_or_default();
            let dir = steady_packages::modload::directory_path(value);
            Box::new(move |file| file.add_use(&dir, &module))
        }
        "dropuse" => {
            let dir = steady_packages::modload::directory_path(value);
            Box::new(move |file| file.drop_use(&dir))
        }
        "replace" => {
            let replace = editing::replacement(flag, value)?;
            Box::new(move |file| file.add_replace(&replace))
        }
        _ => {
            let old = editing::replaced(flag, value)?;
            Box::new(move |file| file.drop_replace(&old))
        }
    })
}

/// go.work as `-json` shows it. Lists that are empty are `null`, as in go.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FileJson<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    go: &'a str,
    r#use: Option<Vec<UseJson<'a>>>,
    replace: Option<Vec<ReplaceJson<'a>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UseJson<'a> {
    disk_path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    mod_path: &'a str,
}

impl<'a> FileJson<'a> {
    fn of(file: &'a WorkFile) -> FileJson<'a> {
        let uses: Vec<_> = file
            .uses
            .iter()
            .map(|entry| UseJson {
                disk_path: &entry.path,
                mod_path: &entry.module_path,
            })
            .collect();
        let replace: Vec<_> = file
            .replace
            .iter()
            .map(|entry| ReplaceJson::of(&entry.value))
            .collect();
        FileJson {
            go: file.go.as_ref().map_or("", |entry| entry.value.as_str()),
            r#use: Some(uses).filter(|list| !list.is_empty()),
            replace: Some(replace).filter(|list| !list.is_empty()),
        }
    }
}

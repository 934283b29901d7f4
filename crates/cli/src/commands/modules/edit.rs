//! `go mod edit`.

use clap::{Args, FromArgMatches};
use serde::Serialize;
use steady_module::gover;
use steady_module::modfile::{Entry, ModFile};
use steady_module::path::{PathError, check_import_path};
use steady_system::lock;

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::editing::{self, ReplaceJson, VersionJson};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon, Trace};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    trace: Trace,
    /// Only reformat
    #[arg(long)]
    fmt: bool,
    /// Set the go line
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Set the toolchain line
    #[arg(long, value_name = "name")]
    toolchain: Option<String>,
    /// Print go.mod as JSON instead of writing it
    #[arg(long)]
    json: bool,
    /// Print go.mod instead of writing it
    #[arg(long)]
    print: bool,
    /// Set the module path
    #[arg(long, value_name = "path")]
    module: Option<String>,
    /// Add a godebug setting
    #[arg(long, value_name = "key=value")]
    godebug: Vec<String>,
    /// Drop a godebug setting
    #[arg(long, value_name = "key")]
    dropgodebug: Vec<String>,
    /// Add a requirement
    #[arg(long, value_name = "path@version")]
    require: Vec<String>,
    /// Drop a requirement
    #[arg(long, value_name = "path")]
    droprequire: Vec<String>,
    /// Add an exclusion
    #[arg(long, value_name = "path@version")]
    exclude: Vec<String>,
    /// Drop an exclusion
    #[arg(long, value_name = "path@version")]
    dropexclude: Vec<String>,
    /// Add a replacement
    #[arg(long, value_name = "old[@v]=new[@v]")]
    replace: Vec<String>,
    /// Drop a replacement
    #[arg(long, value_name = "old[@v]")]
    dropreplace: Vec<String>,
    /// Add a retraction
    #[arg(long, value_name = "version")]
    retract: Vec<String>,
    /// Drop a retraction
    #[arg(long, value_name = "version")]
    dropretract: Vec<String>,
    /// Add a tool
    #[arg(long, value_name = "path")]
    tool: Vec<String>,
    /// Drop a tool
    #[arg(long, value_name = "path")]
    droptool: Vec<String>,
    /// Add an ignored directory
    #[arg(long, value_name = "path")]
    ignore: Vec<String>,
    /// Drop an ignored directory
    #[arg(long, value_name = "path")]
    dropignore: Vec<String>,
}

/// `go mod edit`
pub static EDIT: Command = Command {
    usage: "go mod edit [editing flags] [-fmt|-print|-json] [go.mod]",
    short: "edit go.mod from tools or scripts",
    long: include_str!("../../help/text/mod_edit.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

/// Flags whose order counts.
const EDITS: &[&str] = &[
    "godebug",
    "dropgodebug",
    "require",
    "droprequire",
    "exclude",
    "dropexclude",
    "replace",
    "dropreplace",
    "retract",
    "dropretract",
    "tool",
    "droptool",
    "ignore",
    "dropignore",
];

type Change = Box<dyn FnOnce(&mut ModFile) -> std::result::Result<(), String>>;

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    let edits = editing::in_order(parsed, EDITS);
    let changes = edits
        .into_iter()
        .map(|(flag, value)| change(flag, &value))
        .collect::<Result<Vec<_>>>()?;
    let given = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
    let any = given(&flags.module) || given(&flags.go) || given(&flags.toolchain);
    if !any && !flags.json && !flags.print && !flags.fmt && changes.is_empty() {
        bail!("no flags specified (see 'go help mod edit').");
    }
    if flags.json && flags.print {
        bail!("cannot use both -json and -print");
    }
    let path = match parsed.arguments.as_slice() {
        [] => crate::modules::main_go_mod(session, flags.modules.modfile.as_deref())?,
        [path] => session.files.absolute(path),
        _ => bail!("too many arguments"),
    };
    check(session, &flags)?;
    let before = lock::read(&path)?;
    let name = crate::modules::short_path(session.environment().cwd(), &path);
    let text = String::from_utf8_lossy(&before);
    let mut file = ModFile::parse(path.as_str(), &text, None)
        .map_err(|error| Failure::error(format!("errors parsing {name}:\n{error}")))?;
    apply(&mut file, &flags, changes)?;
    if flags.json {
        session
            .printer
            .out(gojson::to_string(&FileJson::of(&file))? + "\n");
        return Ok(Status::DONE);
    }
    let after = file.format();
    if flags.print {
        session.printer.out(after);
        return Ok(Status::DONE);
    }
    lock::transform(&path, |now| {
        if now == before {
            Ok(after.into_bytes())
        } else {
            Err(Failure::error(
                "go.mod changed during editing; not overwriting",
            ))
        }
    })?;
    Ok(Status::DONE)
}

fn check(session: &Session, flags: &Flags) -> Result<()> {
    if let Some(module) = flags.module.as_deref().filter(|module| !module.is_empty()) {
        let checked = check_import_path(module).map_err(|error| error.to_string());
        let checked = checked.and_then(|()| match gover::is_toolchain(module) {
            true => Err("module path is reserved".to_owned()),
            false => Ok(()),
        });
        checked.map_err(|error| Failure::error(format!("invalid -module: {error}")))?;
    }
    let local = gover::from_toolchain(session.settings.local_version());
    editing::check_lines(
        "mod",
        flags.go.as_deref(),
        flags.toolchain.as_deref(),
        local,
    )
}

fn apply(file: &mut ModFile, flags: &Flags, changes: Vec<Change>) -> Result<()> {
    if let Some(module) = flags.module.as_deref().filter(|module| !module.is_empty()) {
        file.set_module(module);
    }
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
    for change in changes {
        change(file).map_err(Failure::error)?;
    }
    file.sort_blocks();
    file.cleanup();
    Ok(())
}

/// Reads a flag's value now, so that a mistake is told before any file is looked at.
fn change(flag: &'static str, value: &str) -> Result<Change> {
    let text = value.to_owned();
    let fail = move |error: PathError| format!("-{flag}={text}: {error}");
    let owned = value.to_owned();
    Ok(match flag {
        "godebug" => {
            let (key, setting) = editing::godebug(flag, value)?;
            infallible(move |file| file.add_godebug(&key, &setting))
        }
        "dropgodebug" => infallible(move |file| file.drop_godebug(&owned)),
        "require" => {
            let (path, version) = editing::path_version(flag, value)?;
            infallible(move |file| file.add_require(&path, &version))
        }
        "droprequire" => {
            let path = editing::path_only(flag, value)?;
            infallible(move |file| file.drop_require(&path))
        }
        "exclude" => {
            let (path, version) = editing::path_version(flag, value)?;
            Box::new(move |file| file.add_exclude(&path, &version).map_err(fail))
        }
        "dropexclude" => {
            let (path, version) = editing::path_version(flag, value)?;
            infallible(move |file| file.drop_exclude(&path, &version))
        }
        "replace" => {
            let replace = editing::replacement(flag, value)?;
            infallible(move |file| file.add_replace(&replace))
        }
        "dropreplace" => {
            let old = editing::replaced(flag, value)?;
            infallible(move |file| file.drop_replace(&old))
        }
        "retract" => {
            let retract = editing::interval(flag, value)?;
            Box::new(move |file| file.add_retract(&retract).map_err(fail))
        }
        "dropretract" => {
            let retract = editing::interval(flag, value)?;
            infallible(move |file| file.drop_retract(&retract.low, &retract.high))
        }
        "tool" => {
            let path = editing::path_only(flag, value)?;
            infallible(move |file| file.add_tool(&path))
        }
        "droptool" => {
            let path = editing::path_only(flag, value)?;
            infallible(move |file| file.drop_tool(&path))
        }
        "ignore" => infallible(move |file| file.add_ignore(&owned)),
        _ => infallible(move |file| file.drop_ignore(&owned)),
    })
}

fn infallible(change: impl FnOnce(&mut ModFile) + 'static) -> Change {
    Box::new(move |file| {
        change(file);
        Ok(())
    })
}

/// go.mod as `-json` shows it. Lists that are empty are `null`, as in go.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FileJson<'a> {
    module: ModuleJson<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    go: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    toolchain: &'a str,
    #[serde(rename = "GoDebug", skip_serializing_if = "Option::is_none")]
    godebug: Option<Vec<DebugJson<'a>>>,
    require: Option<Vec<RequireJson<'a>>>,
    exclude: Option<Vec<VersionJson<'a>>>,
    replace: Option<Vec<ReplaceJson<'a>>>,
    retract: Option<Vec<RetractJson<'a>>>,
    tool: Option<Vec<PathJson<'a>>>,
    ignore: Option<Vec<PathJson<'a>>>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "PascalCase")]
struct ModuleJson<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    deprecated: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DebugJson<'a> {
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RequireJson<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    indirect: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RetractJson<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    low: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    high: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    rationale: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PathJson<'a> {
    path: &'a str,
}

fn listed<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

impl<'a> FileJson<'a> {
    fn of(file: &'a ModFile) -> FileJson<'a> {
        let text = |entry: &'a Option<Entry<String>>| {
            entry.as_ref().map_or("", |entry| entry.value.as_str())
        };
        let paths = |list: &'a [Entry<String>]| {
            listed(
                list.iter()
                    .map(|entry| PathJson { path: &entry.value })
                    .collect(),
            )
        };
        let module = file.module.as_ref().map(|module| ModuleJson {
            path: &module.path,
            deprecated: &module.deprecated,
        });
        let require = file.require.iter().map(|r| RequireJson {
            path: &r.module.path,
            version: &r.module.version,
            indirect: r.indirect,
        });
        let retract = file.retract.iter().map(|r| RetractJson {
            low: &r.low,
            high: &r.high,
            rationale: &r.rationale,
        });
        FileJson {
            module: module.unwrap_or_default(),
            go: text(&file.go),
            toolchain: text(&file.toolchain),
            godebug: listed(
                file.godebug
                    .iter()
                    .map(|g| DebugJson {
                        key: &g.key,
                        value: &g.value.value,
                    })
                    .collect(),
            ),
            require: listed(require.collect()),
            exclude: listed(
                file.exclude
                    .iter()
                    .map(|entry| VersionJson::of(&entry.value))
                    .collect(),
            ),
            replace: listed(
                file.replace
                    .iter()
                    .map(|entry| ReplaceJson::of(&entry.value))
                    .collect(),
            ),
            retract: listed(retract.collect()),
            tool: paths(&file.tool),
            ignore: paths(&file.ignore),
        }
    }
}

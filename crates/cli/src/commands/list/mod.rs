//! `go list`.

mod format;
mod modules;
mod packages;

use clap::{Args, FromArgMatches};
use gotmpl::{FuncMap, TemplateError, Value, ValueFunc};
use std::sync::Arc;
use steady_module::ModuleVersion;
use steady_packages::modload::{ModMode, Modules};
use steady_packages::package::{ModuleError, ModulePublic};

use crate::command::{Command, Kind};
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, CoverFlags, ModCommon, ModFlag, Verbose};
use crate::flags::{Parsed, define};
use crate::session::Session;
use crate::template::data::{MODULE, object};

use super::editing::split_version;
use format::JsonFlag;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct ListFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    cover: CoverFlags,
    /// Print JSON, of the named fields only if some are given
    #[arg(long, num_args = 0..=1, value_name = "fields", action = clap::ArgAction::Append)]
    json: Vec<String>,
    /// Fill CompiledGoFiles
    #[arg(long)]
    compiled: bool,
    /// List what the packages depend on too, before them
    #[arg(long)]
    deps: bool,
    /// Report errors as part of the output
    #[arg(long)]
    e: bool,
    /// Fill Export and BuildID
    #[arg(long)]
    export: bool,
    /// Template for each package or module
    #[arg(long, value_name = "format")]
    f: Option<String>,
    /// Do not resolve imports
    #[arg(long)]
    find: bool,
    /// List modules instead of packages
    #[arg(long)]
    m: bool,
    /// With -m: list retracted versions too
    #[arg(long)]
    retracted: bool,
    /// With -m: JSON of an earlier run whose answers may still hold
    #[arg(long, value_name = "old.json")]
    reuse: Option<String>,
    /// List tests' packages too
    #[arg(long)]
    test: bool,
    /// With -m: show available upgrades
    #[arg(long)]
    u: bool,
    /// With -m: show all versions
    #[arg(long)]
    versions: bool,
}

/// `go list`
pub static LIST: Command = Command {
    usage: "go list [-f format] [-json] [-m] [list flags] [build flags] [packages]",
    short: "list packages or modules",
    long: include_str!("../../help/text/list.txt"),
    examples: &[
        (
            "who imports what",
            "steady list -f '{{.ImportPath}}: {{join .Imports \" \"}}' ./...",
        ),
        ("modules with newer versions", "steady list -m -u all"),
    ],
    kind: Kind::Run {
        flags: define::<ListFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = ListFlags::from_arg_matches(&parsed.matches)?;
    let json = JsonFlag::read(&flags.json);
    check_flags(&flags, &json)?;
    if flags.m {
        return modules::list(session, &flags, json, &parsed.arguments);
    }
    packages::list(session, &flags, json, &parsed.arguments)
}

/// Flags that exclude one another; the messages have no prefix, as in go.
fn check_flags(flags: &ListFlags, json: &JsonFlag) -> Result<()> {
    let template = flags.f.as_deref().is_some_and(|f| !f.is_empty());
    let reuse = flags.reuse.as_deref().is_some_and(|file| !file.is_empty());
    let pairs = [
        (template && json.on, "-f cannot be used with -json"),
        (reuse && !flags.m, "-reuse cannot be used without -m"),
        (
            flags.m && flags.compiled,
            "-compiled cannot be used with -m",
        ),
        (flags.m && flags.deps, "-deps cannot be used with -m"),
        (flags.m && flags.export, "-export cannot be used with -m"),
        (flags.m && flags.find, "-find cannot be used with -m"),
        (flags.m && flags.test, "-test cannot be used with -m"),
        (!flags.m && flags.u, "-u can only be used with -m"),
        (
            !flags.m && flags.versions,
            "-versions can only be used with -m",
        ),
        (flags.find && flags.deps, "-deps cannot be used with -find"),
        (flags.find && flags.test, "-test cannot be used with -find"),
        (
            flags.find && flags.export,
            "-export cannot be used with -find",
        ),
    ];
    match pairs.iter().find(|(wrong, _)| *wrong) {
        Some((_, text)) => Err(Failure::plain(format!("go list {text}"))),
        None => Ok(()),
    }
}

/// Nobody knows what was taken back where modules are not looked up.
fn check_retracted(flags: &ListFlags, modules: &Modules) -> Result<()> {
    let reason = match (flags.retracted, modules.mode()) {
        (true, ModMode::Vendor) => "cannot be used when vendoring is enabled",
        (true, _) if !modules.enabled() => "can only be used in module-aware mode",
        _ => return Ok(()),
    };
    Err(Failure::plain(format!("go list -retracted {reason}")))
}

/// The functions that templates may call. Without modules, `module` is a name alone: for a look at the template before anything
/// is loaded.
fn functions(context: Value, modules: Option<Arc<Modules>>) -> FuncMap {
    let mut map = FuncMap::new();
    let module: ValueFunc = Arc::new(move |args| match args {
        [Value::String(query)] => Ok(match modules.as_ref().filter(|known| known.enabled()) {
            Some(modules) => module_of(modules, query)?,
            None => Value::Nil,
        }),
        _ => Err(TemplateError::Exec(
            "error calling module: wrong type for value; expected string".to_owned(),
        )),
    });
    map.insert("module".to_owned(), module);
    let join: ValueFunc = Arc::new(|args| match args {
        [Value::List(list), Value::String(between)] => {
            let items: Vec<String> = list.iter().map(ToString::to_string).collect();
            Ok(Value::String(items.join(between).into()))
        }
        _ => Err(TemplateError::Exec(
            "error calling join: wrong type for value; expected []string".to_owned(),
        )),
    });
    map.insert("join".to_owned(), join);
    map.insert("context".to_owned(), Arc::new(move |_| Ok(context.clone())));
    map
}

/// What templates get from `module`: the module of a path as selected, or in the version named. What goes wrong is told in the
/// module.
fn module_of(modules: &Modules, query: &str) -> std::result::Result<Value, TemplateError> {
    let failed = |path: &str, err: String| ModulePublic {
        path: path.to_owned(),
        error: Some(ModuleError { err }),
        ..ModulePublic::default()
    };
    let fatal = |error: String| TemplateError::Exec(error);
    // The module cache is asked what it has, or proxies: no answer with this in it is kept.
    if let Some(sightings) = modules.index().files().sightings() {
        sightings.spoil();
    }
    let found = match split_version(query) {
        Err(error) => failed("", error),
        Ok((path, Some(version))) => modules.module_info(&ModuleVersion::new(path, version)),
        Ok((path, None)) => match modules.selected(path) {
            Ok(Some(module)) => modules.module_info(&module),
            Ok(None) => failed(path, "module not in current build".to_owned()),
            Err(error) => return Err(fatal(error.to_string())),
        },
    };
    let json = serde_json::to_value(&found).map_err(|error| fatal(error.to_string()))?;
    Ok(object(&MODULE, &json))
}

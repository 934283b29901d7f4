//! `go mod download`.

use camino::Utf8PathBuf;
use clap::{Args, FromArgMatches};
use serde::Serialize;
use std::collections::HashSet;
use steady_module::{ModuleVersion, gover, path};
use steady_packages::modload::{ModMode, Modules};
use steady_packages::patterns::Pattern;
use steady_proxy::Fetcher;

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::editing::split_version;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// JSON of an earlier run whose answers may still hold
    #[arg(long, value_name = "old.json")]
    reuse: Option<String>,
    /// Print the commands
    #[arg(long)]
    x: bool,
}

/// `go mod download`
pub static DOWNLOAD: Command = Command {
    usage: "go mod download [-x] [-json] [-reuse=old.json] [modules]",
    short: "download modules to local cache",
    long: include_str!("../../help/text/mod_download.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if flags.reuse.as_deref().is_some_and(|file| !file.is_empty()) {
        return Err(Failure::unsupported("mod download -reuse"));
    }
    modules::must_be_enabled(&session.settings)?;
    let request = ModRequest {
        default_mode: Some(ModMode::Mod),
        common: Some(&flags.modules),
        trace: flags.x,
        force: true,
        quiet: true,
        ..ModRequest::default()
    };
    let loaded = loading::open_modules(session, request)?;
    let wanted = match parsed.arguments.as_slice() {
        [] => without_arguments(session, &loaded)?,
        arguments => named(session, &loaded, arguments)?,
    };
    let Some(wanted) = wanted else {
        return Ok(Status::DONE);
    };
    let fetched = fetch_all(&loaded, wanted);
    let failed = fetched.iter().any(|module| !module.error.is_empty());
    for module in &fetched {
        if flags.json {
            session.printer.out(gojson::to_string(module)? + "\n");
        } else if !module.error.is_empty() {
            session.printer.error(&module.error);
        }
    }
    if failed && !flags.json {
        return Ok(Status::FAILED);
    }
    if !parsed.arguments.is_empty() || loaded.go_work().is_some() {
        let mut keep = HashSet::new();
        for module in fetched.iter().filter(|module| module.error.is_empty()) {
            keep.insert(ModuleVersion::new(
                module.path.clone(),
                module.version.clone(),
            ));
            keep.insert(ModuleVersion::new(
                module.path.clone(),
                format!("{}/go.mod", module.version),
            ));
        }
        loaded.fetcher().write_go_sum(&keep, false)?;
    }
    Ok(if failed { Status::FAILED } else { Status::DONE })
}

/// What came of one module, as `-json` shows it.
#[derive(Serialize, Default, Clone)]
#[serde(rename_all = "PascalCase")]
struct Fetched {
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    query: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    info: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    go_mod: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    zip: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    dir: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sum: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    go_mod_sum: String,
}

impl Fetched {
    fn of(module: &ModuleVersion) -> Fetched {
        Fetched {
            path: module.path.clone(),
            version: module.version.clone(),
            ..Fetched::default()
        }
    }

    fn failed(path: &str, error: String) -> Fetched {
        Fetched {
            path: path.to_owned(),
            error,
            ..Fetched::default()
        }
    }
}

/// The modules needed to build and test the main module, or all of a workspace's. `None`: nothing to do, and it has been said.
fn without_arguments(session: &Session, modules: &Modules) -> Result<Option<Vec<Fetched>>> {
    let [main] = modules.mains() else {
        if modules.mains().is_empty() {
            bail!("no modules specified (see 'go help mod download')");
        }
        return Ok(Some(everything(modules)?));
    };
    if modules.go_work().is_some() {
        return Ok(Some(everything(modules)?));
    }
    let pruned = gover::compare(main.go_version(), "1.17").is_ge() && main.file.go.is_some();
    if main.file.require.is_empty() {
        session
            .printer
            .note("go: no module dependencies to download");
        return Ok(None);
    }
    if !pruned {
        return Ok(Some(everything(modules)?));
    }
    modules.graph()?;
    let mut list = Vec::new();
    for require in &main.file.require {
        list.extend(
            modules
                .selected(&require.module.path)?
                .and_then(|module| actual(modules, &module)),
        );
    }
    Ok(Some(list))
}

/// All of the graph but the main modules.
fn everything(modules: &Modules) -> Result<Vec<Fetched>> {
    Ok(modules
        .build_list()?
        .iter()
        .filter_map(|module| actual(modules, module))
        .collect())
}

/// What has to be fetched for a module: what it is replaced by, nothing for main modules and directories.
fn actual(modules: &Modules, module: &ModuleVersion) -> Option<Fetched> {
    let module = modules.replacement(module).unwrap_or(module);
    (!module.version.is_empty()).then(|| Fetched::of(module))
}

fn named(
    session: &Session,
    modules: &Modules,
    arguments: &[String],
) -> Result<Option<Vec<Fetched>>> {
    for main in modules.mains() {
        let upgrades = [
            main.path.clone(),
            format!("{}@upgrade", main.path),
            format!("{}@patch", main.path),
        ];
        for argument in arguments
            .iter()
            .filter(|argument| upgrades.contains(argument))
        {
            session.printer.note(format!(
                "go: skipping download of {argument} that resolves to the main module"
            ));
        }
    }
    let mut list = Vec::new();
    for argument in arguments {
        let (path, version) = split_version(argument).map_err(Failure::error)?;
        if modules.main(path).is_some() {
            continue;
        }
        match version {
            Some(version) if path::is_canonical(path, version) => {
                list.push(Fetched::of(&ModuleVersion::new(path, version)));
            }
            Some(_) => return Err(Failure::unsupported("mod download of a version query")),
            None if modules.mains().is_empty() => {
                let why = crate::modules::no_main_module(modules);
                let how = match path == "all" || path.contains("...") {
                    true => "",
                    false => " without -versions or an explicit version",
                };
                bail!("cannot match {path:?}{how}: {why}");
            }
            None if path == "all" => list.extend(everything(modules)?),
            None if path.contains("...") => {
                let pattern = Pattern::new(path);
                list.extend(
                    everything(modules)?
                        .into_iter()
                        .filter(|module| pattern.matches(&module.path)),
                );
            }
            None => match modules.selected(path)? {
                Some(module) => list.extend(actual(modules, &module)),
                None => list.push(Fetched::failed(
                    path,
                    format!("module {path}: not a known dependency"),
                )),
            },
        }
    }
    Ok(Some(list))
}

/// Fetches zips in parallel, then looks up what is to be shown of each.
fn fetch_all(modules: &Modules, mut list: Vec<Fetched>) -> Vec<Fetched> {
    let fetcher = modules.fetcher();
    let wanted: Vec<ModuleVersion> = list
        .iter()
        .filter(|module| module.error.is_empty())
        .map(|module| ModuleVersion::new(module.path.clone(), module.version.clone()))
        .collect();
    let mut results = fetcher.download_many(&wanted).into_iter();
    for module in list.iter_mut().filter(|module| module.error.is_empty()) {
        let Some(result) = results.next() else { break };
        if let Err(error) = describe(fetcher, module, result) {
            module.error = error.to_string();
        }
    }
    list
}

fn describe(
    fetcher: &Fetcher,
    module: &mut Fetched,
    dir: steady_proxy::Result<Utf8PathBuf>,
) -> steady_proxy::Result<()> {
    let (path, version) = (module.path.clone(), module.version.clone());
    module.info = fetcher.info_file(&path, &version)?.1.into_string();
    module.go_mod = fetcher.go_mod_file(&path, &version)?.into_string();
    module.go_mod_sum = fetcher.go_mod_sum(&path, &version)?;
    let key = ModuleVersion::new(path, version);
    module.zip = fetcher.download_zip(&key)?.into_string();
    module.sum = fetcher.sum(&key).unwrap_or_default();
    module.dir = dir?.into_string();
    Ok(())
}

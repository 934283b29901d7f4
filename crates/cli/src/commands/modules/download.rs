//! `go mod download`.

use clap::{Args, FromArgMatches};
use serde::Serialize;
use std::collections::HashSet;
use steady_module::{ModuleVersion, gover};
use steady_packages::modload::{Details, ModMode, Modules};
use steady_packages::package::ModulePublic;
use steady_proxy::Origin;

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::finder::{Finder, reuse_of};
use crate::exit::Status;
use crate::failure::{Failure, Result, TooNew};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::modules;
use crate::session::Session;
use crate::toolchain::may_switch;

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
    let named = !parsed.arguments.is_empty();
    let arguments = if named {
        skip_main_modules(session, &loaded, &parsed.arguments);
        parsed.arguments.clone()
    } else {
        default_arguments(&loaded)?
    };
    if arguments.is_empty() {
        session
            .printer
            .note("go: no module dependencies to download");
        return Ok(Status::DONE);
    }
    let reuse = reuse_of(session, &loaded, "mod download", flags.reuse.as_deref())?;
    let mut finder = Finder {
        session,
        modules: &loaded,
        details: Details {
            names: true,
            ..Details::default()
        },
        reuse: &reuse,
        partial: None,
    };
    let found = finder.find(&arguments)?;
    let partial = finder.partial;
    if partial
        .as_ref()
        .is_some_and(|error| error.too_new().is_some())
        && may_switch(&session.settings)
        && let Some(error) = partial
    {
        return Err(Failure::switching(error));
    }
    let mut list: Vec<Fetched> = found.into_iter().filter_map(Fetched::found).collect();
    // Sums of what is fetched are kept only if somebody named it, or a workspace needs them.
    let keeps_sums = named || loaded.go_work().is_some();
    if !keeps_sums && partial.is_none() {
        loaded.commit_graph().map_err(Failure::switching)?;
    }
    let asks = fetch(&loaded, &mut list);
    let failed = list.iter().any(|module| !module.error.is_empty());
    if keeps_sums && let Some(ask) = asks {
        // Nothing is said yet: the switched run says it all, once.
        if may_switch(&session.settings) {
            return Err(Failure::errors(Vec::new(), Some(ask)));
        }
    }
    for module in &list {
        if flags.json {
            session.printer.out(gojson::to_string(module)? + "\n");
        } else if !module.error.is_empty() {
            session.printer.error(&module.error);
        }
    }
    if failed && !flags.json {
        return Ok(Status::FAILED);
    }
    if keeps_sums {
        if partial.is_none() {
            loaded.commit_graph()?;
        }
        let mut keep = HashSet::new();
        for module in list.iter().filter(|module| module.error.is_empty()) {
            let (path, version) = (&module.path, &module.version);
            keep.insert(ModuleVersion::new(path.clone(), version.clone()));
            keep.insert(ModuleVersion::new(
                path.clone(),
                format!("{version}/go.mod"),
            ));
        }
        loaded.fetcher().write_go_sum(&keep, false)?;
    }
    if let Some(error) = partial {
        return Err(error.into());
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
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reuse: bool,
}

impl Fetched {
    /// What has to be fetched for a module that was found: what it is replaced by, nothing for main modules and directories.
    fn found(mut module: ModulePublic) -> Option<Fetched> {
        if let Some(replace) = module.replace.take() {
            module = *replace;
        }
        if module.version.is_empty() && module.error.is_none() {
            return None;
        }
        Some(Fetched {
            path: module.path,
            version: module.version,
            query: module.query,
            error: module.error.map_or_else(String::new, |error| error.err),
            origin: module.origin,
            reuse: module.reuse,
            ..Fetched::default()
        })
    }
}

/// The modules needed to build and test the main module, or all of a workspace's.
fn default_arguments(modules: &Modules) -> Result<Vec<String>> {
    let all = vec!["all".to_owned()];
    let main = match modules.mains() {
        [] if modules.go_work().is_none() => {
            bail!("no modules specified (see 'go help mod download')")
        }
        [main] if modules.go_work().is_none() => main,
        _ => return Ok(all),
    };
    let required = main.file.require.iter().map(|require| &require.module.path);
    let pruned = gover::compare(main.go_version(), "1.17").is_ge() && main.file.go.is_some();
    if !pruned {
        return Ok(if main.file.require.is_empty() {
            Vec::new()
        } else {
            all
        });
    }
    // With pruning, nothing but go.mod's modules is built or tested; yet the whole graph shall be there for who looks at it.
    modules.expand_graph().map_err(Failure::switching)?;
    Ok(required.cloned().collect())
}

fn skip_main_modules(session: &Session, modules: &Modules, arguments: &[String]) {
    for main in modules.mains() {
        let path = &main.path;
        let means_main = |argument: &&String| {
            let rest = argument.strip_prefix(path.as_str());
            rest.is_some_and(|rest| matches!(rest, "" | "@upgrade" | "@patch"))
        };
        for argument in arguments.iter().filter(means_main) {
            session.printer.note(format!(
                "go: skipping download of {argument} that resolves to the main module"
            ));
        }
    }
}

/// Fetches what is not there; gives the greatest demand for a newer Go among what goes wrong.
fn fetch(modules: &Modules, list: &mut [Fetched]) -> Option<TooNew> {
    let mut wanted: Vec<&mut Fetched> = list
        .iter_mut()
        .filter(|module| module.error.is_empty() && !module.reuse)
        .collect();
    let versions: Vec<ModuleVersion> = wanted
        .iter()
        .map(|module| ModuleVersion::new(module.path.clone(), module.version.clone()))
        .collect();
    let mut asks: Option<TooNew> = None;
    for (module, described) in wanted
        .iter_mut()
        .zip(modules.fetcher().describe_many(&versions))
    {
        module.info = described.info.into_string();
        module.go_mod = described.go_mod.into_string();
        module.zip = described.zip.into_string();
        module.dir = described.dir.into_string();
        module.sum = described.sum;
        module.go_mod_sum = described.go_mod_sum;
        let Some(error) = described.error else {
            continue;
        };
        module.error = error.to_string();
        if let Some(ask) = error.too_new() {
            let ask = TooNew {
                what: ask.what.clone(),
                version: ask.go_version.clone(),
            };
            asks = Some(match asks {
                Some(other) => other.max(ask),
                None => ask,
            });
        }
    }
    asks
}

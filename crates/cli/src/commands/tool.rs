//! `go tool`.

use camino::Utf8PathBuf;
use clap::{Args, FromArgMatches};
use std::collections::BTreeSet;
use std::sync::Arc;
use steady_build::Sink;
use steady_build::command::Runnable;
use steady_build::platform as ports;
use steady_build::quote::quote;
use steady_packages::load::exec_name;
use steady_system::process::Command;

use crate::command::{self, Kind};
use crate::configs::{self, BuildRequest};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, Chdir, ModCommon};
use crate::flags::{Parsed, define, grammar};
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;
use crate::settings::platform::{self, Pair};

#[derive(Args)]
struct ToolFlags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Print the command that would be executed but do not execute it
    #[arg(long)]
    n: bool,
}

/// `go tool`
pub static TOOL: command::Command = command::Command {
    usage: "go tool [-n] command [args...]",
    short: "run specified go tool",
    long: include_str!("../help/text/tool.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<ToolFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = ToolFlags::from_arg_matches(&parsed.matches)?;
    let Some((name, arguments)) = parsed.arguments.split_first() else {
        return list(session, &flags);
    };
    let valid = name
        .chars()
        .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    let path = session.settings.tool_dir().join(name);
    if valid && session.files.exists(&path) {
        return start(session, &flags, name, vec![path.into_string()], arguments);
    }
    if name == "dist"
        && arguments.first().is_some_and(|word| word == "list")
        && let Some(status) = dist_list(session, &arguments[1..])?
    {
        return Ok(status);
    }
    let goroot = session.settings.goroot.clone().unwrap_or_default();
    if valid
        && !matches!(name.as_str(), "go" | "gofmt")
        && session.files.is_dir(goroot.join("src/cmd").join(name))
    {
        return build_and_start(
            session,
            &flags,
            name,
            &format!("cmd/{name}"),
            true,
            arguments,
        );
    }
    if let Some(package) = module_tool(session, &flags, name)? {
        return build_and_start(session, &flags, name, &package, false, arguments);
    }
    Err(Failure::Message(
        format!("go: no such tool {}", quote(name)),
        Status::USAGE,
    ))
}

/// Tools of the main modules' go.mod files, sorted.
fn module_tools(session: &mut Session, flags: &ToolFlags) -> Result<BTreeSet<String>> {
    if !crate::modules::enabled(&session.settings, &session.files) {
        return Ok(BTreeSet::new());
    }
    let request = ModRequest {
        common: Some(&flags.modules),
        ..ModRequest::default()
    };
    let modules = loading::open_modules(session, request)?;
    let tools = modules.mains().iter().flat_map(|main| &main.file.tool);
    Ok(tools.map(|tool| tool.value.clone()).collect())
}

/// The package of a module's tool, by its path or by the name of its program.
fn module_tool(session: &mut Session, flags: &ToolFlags, name: &str) -> Result<Option<String>> {
    let mut found: Vec<String> = module_tools(session, flags)?
        .into_iter()
        .filter(|tool| tool == name || exec_name(tool) == name)
        .collect();
    if found.len() > 1 {
        let list: String = found.iter().map(|tool| format!("{tool}\n\t")).collect();
        return Err(Failure::error(format!(
            "tool {} is ambiguous; choose one of:\n\t{list}",
            quote(name)
        )));
    }
    Ok(found.pop())
}

/// The program of one of the toolchain's own tools that it does not have built.
///
/// # Errors
/// It does not build; in words for the user.
pub fn program(session: &mut Session, name: &str) -> std::result::Result<Utf8PathBuf, String> {
    let failed = || format!("go tool {name}: it does not build");
    let built = build(session, &ModCommon::default(), &format!("cmd/{name}"), true);
    let runnable = built.map_err(|_| failed())?;
    if runnable.outcome.failed || runnable.outcome.interrupted {
        return Err(failed());
    }
    Ok(runnable.program.clone())
}

/// Builds a tool, or finds it built, and runs it.
fn build_and_start(
    session: &mut Session,
    flags: &ToolFlags,
    name: &str,
    package: &str,
    own: bool,
    arguments: &[String],
) -> Result {
    let runnable = build(session, &flags.modules, package, own)?;
    if runnable.outcome.failed || runnable.outcome.interrupted {
        return Ok(Status::FAILED);
    }
    let command = if own {
        vec![runnable.program.to_string()]
    } else {
        runnable.command.clone()
    };
    start(session, flags, name, command, arguments)
}

/// Builds a tool. The toolchain's own are for this machine, whatever the target is, and have nothing to do with the main module.
///
/// # Errors
/// What keeps its packages from being loaded.
pub fn build(
    session: &mut Session,
    modules: &ModCommon,
    package: &str,
    own: bool,
) -> Result<Runnable> {
    if own {
        let environment = ["GOOS", "GOARCH"]
            .into_iter()
            .fold(session.settings.environment.clone(), |environment, name| {
                environment.with(name, "")
            });
        session.settings.environment = environment
            .with("GOOS", platform::host_os())
            .with("GOARCH", platform::host_arch());
    }
    let build = BuildFlags::default();
    let request = Request {
        builds: true,
        stamp: true,
        ..Request::of(
            BuildRequest::of(&build),
            ModRequest {
                common: Some(modules),
                no_main_module: own,
                ..ModRequest::default()
            },
        )
    };
    let bench = loading::prepare(session, request)?;
    let mut loaded = bench.load(session, &[package.to_owned()])?;
    loading::mains_only(session, &mut loaded);
    loading::check(session, &loaded)?;
    let [root] = loaded.roots[..] else {
        return Err(Failure::error(format!("no packages loaded from {package}")));
    };
    let sink: Arc<dyn Sink> = session.printer.clone();
    let built = steady_build::command::run(bench.config, &mut loaded.set, root, &[], sink);
    Ok(built?)
}

/// Names of the tools that the toolchain brings.
fn list(session: &mut Session, flags: &ToolFlags) -> Result {
    let dir = session.settings.tool_dir();
    let entries = session.files.read_dir(&dir).map_err(|error| {
        Failure::Message(format!("go: no tool directory: {error}"), Status::USAGE)
    })?;
    for entry in entries {
        session
            .printer
            .out(format!("{}\n", entry.name.to_lowercase()));
    }
    for tool in module_tools(session, flags)? {
        session.printer.out(format!("{tool}\n"));
    }
    Ok(Status::DONE)
}

/// Runs a tool with the standard streams and ends as it ends.
fn start(
    session: &Session,
    flags: &ToolFlags,
    name: &str,
    mut words: Vec<String>,
    arguments: &[String],
) -> Result {
    words.extend(arguments.iter().cloned());
    if flags.n {
        session.printer.out(format!("{}\n", words.join(" ")));
        return Ok(Status::DONE);
    }
    session.printer.flush();
    let environment = configs::tool_environment(&session.settings)
        .into_iter()
        .fold(
            session.environment().clone(),
            |environment, (name, value)| environment.with(&name, value),
        );
    let mut command = Command::new(words[0].as_str(), &environment);
    command.args(&words[1..]);
    match command.foreground() {
        Ok(status) => {
            if status.code.is_none() {
                session.printer.note(format!("go tool {name}: {status}"));
            }
            Ok(Status::of_program(status.exit_code()))
        }
        Err(error) => {
            session.printer.note(format!("go tool {name}: {error}"));
            Ok(Status::FAILED)
        }
    }
}

#[derive(Args)]
struct DistFlags {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Include ports that do not work
    #[arg(long)]
    broken: bool,
    /// Has no effect
    #[arg(long)]
    v: bool,
}

/// `go tool dist list`, which toolchains no longer bring a program for. `None` if the arguments mean something else.
fn dist_list(session: &Session, words: &[String]) -> Result<Option<Status>> {
    let Ok(parsed) = grammar::parse(&define::<DistFlags>(), &[], words) else {
        return Ok(None);
    };
    if !parsed.arguments.is_empty() {
        return Ok(None);
    }
    let flags = DistFlags::from_arg_matches(&parsed.matches)?;
    let mut pairs = session.settings.pairs();
    if pairs.is_empty() {
        // The toolchain has no sources that would say it.
        let pair = |port: &ports::Port| Pair {
            known: true,
            cgo: port.cgo,
            first_class: port.first_class,
            broken: port.broken,
        };
        pairs = ports::ports()
            .map(|port| (port.goos, port.goarch, pair(&port)))
            .collect();
    }
    let pairs = pairs
        .iter()
        .filter(|(_, _, pair)| flags.broken || !pair.broken);
    if !flags.json {
        for (goos, goarch, _) in pairs {
            session.printer.out(format!("{goos}/{goarch}\n"));
        }
        return Ok(Some(Status::DONE));
    }
    let list: Vec<serde_json::Value> = pairs
        .map(|(goos, goarch, pair)| {
            let mut entry = serde_json::json!({
                "GOOS": goos, "GOARCH": goarch, "CgoSupported": pair.cgo, "FirstClass": pair.first_class,
            });
            if pair.broken {
                entry["Broken"] = true.into();
            }
            entry
        })
        .collect();
    session.printer.out(crate::gojson::to_string(&list)?);
    Ok(Some(Status::DONE))
}

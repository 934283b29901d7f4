//! `go tool`.

use camino::Utf8Path;
use clap::{Args, FromArgMatches};
use steady_build::quote::quote;
use steady_system::process::Command;

use crate::command::{self, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define, grammar};
use crate::session::Session;

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
        return list(session);
    };
    let valid = name
        .chars()
        .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
    let path = session.settings.tool_dir().join(name);
    if valid && session.files.exists(&path) {
        return start(session, &flags, name, &path, arguments);
    }
    if name == "dist"
        && arguments.first().is_some_and(|word| word == "list")
        && let Some(status) = dist_list(session, &arguments[1..])?
    {
        return Ok(status);
    }
    if valid
        && session
            .settings
            .goroot
            .as_ref()
            .is_some_and(|root| session.files.is_dir(root.join("src/cmd").join(name)))
    {
        return Err(Failure::unsupported("building the toolchain's own tools"));
    }
    Err(Failure::Message(
        format!("go: no such tool {}", quote(name)),
        Status::USAGE,
    ))
}

/// Names of the tools that the toolchain brings.
fn list(session: &Session) -> Result {
    let dir = session.settings.tool_dir();
    let entries = session.files.read_dir(&dir).map_err(|error| {
        Failure::Message(format!("go: no tool directory: {error}"), Status::USAGE)
    })?;
    for entry in entries {
        session
            .printer
            .out(format!("{}\n", entry.name.to_lowercase()));
    }
    Ok(Status::DONE)
}

/// Runs a tool with the standard streams and ends as it ends.
fn start(
    session: &Session,
    flags: &ToolFlags,
    name: &str,
    path: &Utf8Path,
    arguments: &[String],
) -> Result {
    if flags.n {
        let words: Vec<&str> = std::iter::once(path.as_str())
            .chain(arguments.iter().map(String::as_str))
            .collect();
        session.printer.out(format!("{}\n", words.join(" ")));
        return Ok(Status::DONE);
    }
    session.printer.flush();
    let mut environment = session.environment().clone();
    for variable in session.settings.variables() {
        environment = environment.with(variable.name, variable.value);
    }
    let mut command = Command::new(path.as_str(), &environment);
    command.args(arguments);
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
    let pairs = session.settings.pairs();
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

//! `go mod graph`.

use clap::{Args, FromArgMatches};
use std::fmt::Write as _;
use steady_module::ModuleVersion;

use super::{check_go, lazy};
use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::grammar::OWN;
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Load the graph as this Go version would
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Print the commands
    #[arg(long)]
    x: bool,
    /// Show what lazy loading reads of the graph and what it spares, in files and milliseconds
    #[arg(long, help_heading = OWN)]
    lazy: bool,
    /// With -lazy: print JSON
    #[arg(long, help_heading = OWN)]
    json: bool,
}

/// `go mod graph`
pub static GRAPH: Command = Command {
    usage: "go mod graph [-go=version] [-x]",
    short: "print module requirement graph",
    long: include_str!("../../help/text/mod_graph.txt"),
    examples: &[("what lazy loading spares here", "steady mod graph -lazy")],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        bail!("'go mod graph' accepts no arguments");
    }
    if let Some(version) = flags.go.as_deref().filter(|version| !version.is_empty()) {
        check_go(session, "go", version)?;
    }
    modules::must_be_enabled(&session.settings)?;
    if flags.lazy {
        return lazy::show(session, &flags.modules, flags.json);
    }
    let request = ModRequest {
        trace: flags.x,
        ..ModRequest::of_main(&flags.modules)
    };
    let loaded = loading::open_main(session, request)?;
    let mut text = String::new();
    let graph = match flags.go.as_deref().filter(|version| !version.is_empty()) {
        Some(version) => loaded.graph_at(version)?,
        None => {
            loaded.expand_graph()?;
            loaded.graph()?
        }
    };
    graph.walk(|module| {
        for next in graph.required_by(module).into_iter().flatten() {
            let _ = writeln!(text, "{} {}", shown(module), shown(next));
        }
    });
    session.printer.out(text);
    Ok(Status::DONE)
}

fn shown(module: &ModuleVersion) -> String {
    match module.version.as_str() {
        "" => module.path.clone(),
        version => format!("{}@{version}", module.path),
    }
}

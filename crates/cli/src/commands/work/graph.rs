//! `steady work graph`: the modules of a workspace and what they need of one another.

use clap::{Args, FromArgMatches};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use steady_module::amount::amount;
use steady_packages::modload::{MemberEdge, MemberGraph, ModMode, Modules};

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::Result;
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
    /// How to show it: text, dot or json
    #[arg(long, value_name = "format", default_value = "text")]
    format: String,
}

/// `steady work graph`
pub static GRAPH: Command = Command {
    usage: "steady work graph [-format text|dot|json]",
    short: "show which modules of the workspace need one another",
    long: include_str!("../../help/text/work_graph.txt"),
    examples: &[
        ("who imports whom", "steady work graph"),
        (
            "a picture of it",
            "steady work graph -format=dot | dot -Tsvg > modules.svg",
        ),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        bail!("'steady work graph' accepts no arguments");
    }
    let show = match flags.format.as_str() {
        "text" => text,
        "dot" => dot,
        "json" => json,
        other => bail!("-format={other}: must be text, dot or json"),
    };
    modules::must_be_enabled(&session.settings)?;
    modules::must_have_go_work(session)?;
    let request = ModRequest {
        default_mode: Some(ModMode::ReadOnly),
        common: Some(&flags.modules),
        force: true,
        ..ModRequest::default()
    };
    let loaded = loading::open_modules(session, request)?;
    let graph = loaded.member_graph();
    loaded.index().save();
    session.printer.out(show(&loaded, &graph)?);
    Ok(Status::DONE)
}

fn text(_: &Modules, graph: &MemberGraph) -> Result<String> {
    let mut out = String::new();
    for member in &graph.members {
        let _ = writeln!(out, "{member}");
        for edge in graph.edges.iter().filter(|edge| edge.from == *member) {
            let mut how = Vec::new();
            let by = [
                (edge.packages.len(), ["package", "packages"]),
                (edge.tests.len(), ["test", "tests"]),
            ];
            for (count, what) in by {
                match count {
                    0 => {}
                    count => how.push(amount(count, what)),
                }
            }
            let imported = match how.as_slice() {
                [] => "not imported".to_owned(),
                how => format!("imported by {}", how.join(" and ")),
            };
            let required = match edge.required.as_str() {
                "" => "not required".to_owned(),
                version => format!("required at {version}"),
            };
            let _ = writeln!(out, "\t{}: {imported}, {required}", edge.to);
        }
    }
    Ok(out)
}

fn dot(_: &Modules, graph: &MemberGraph) -> Result<String> {
    let mut out = String::from("digraph workspace {\n");
    for member in &graph.members {
        let _ = writeln!(out, "\t{member:?};");
    }
    for edge in &graph.edges {
        let style = match (edge.packages.is_empty(), edge.tests.is_empty()) {
            (false, _) => "solid",
            (true, false) => "dashed",
            (true, true) => "dotted",
        };
        let _ = writeln!(
            out,
            "\t{:?} -> {:?} [style={style}, label={:?}];",
            edge.from, edge.to, edge.required
        );
    }
    out.push_str("}\n");
    Ok(out)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GraphJson<'a> {
    members: Vec<MemberJson<'a>>,
    edges: Vec<EdgeJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MemberJson<'a> {
    path: &'a str,
    dir: &'a str,
    go_version: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EdgeJson<'a> {
    from: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    packages: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    tests: &'a BTreeSet<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    required: &'a str,
}

fn json(loaded: &Modules, graph: &MemberGraph) -> Result<String> {
    let mains = graph.members.iter().filter_map(|path| loaded.main(path));
    let members = mains.map(|main| MemberJson {
        path: &main.path,
        dir: main.dir.as_str(),
        go_version: main.go_version(),
    });
    let value = GraphJson {
        members: members.collect(),
        edges: graph.edges.iter().map(edge_json).collect(),
    };
    Ok(gojson::to_string(&value)? + "\n")
}

fn edge_json(edge: &MemberEdge) -> EdgeJson<'_> {
    EdgeJson {
        from: &edge.from,
        to: &edge.to,
        packages: &edge.packages,
        tests: &edge.tests,
        required: &edge.required,
    }
}

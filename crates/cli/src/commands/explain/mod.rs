//! `steady explain`: why things are as they are.

use clap::Args;
use serde::Serialize;
use std::fmt::Write as _;
use steady_packages::modload::Place;

use crate::command::{Command, Kind};
use crate::flags::build::{Chdir, ModCommon};
use crate::session::Session;

mod env;
mod error;
mod rules;
mod sum;
mod version;

/// `steady explain`
pub static EXPLAIN: Command = Command {
    usage: "steady explain",
    short: "say why: rules, versions, variables, errors",
    long: include_str!("../../help/text/explain.txt"),
    examples: &[],
    kind: Kind::Group(&[
        &rules::REPLACE,
        &rules::EXCLUDE,
        &version::VERSION,
        &sum::SUM,
        &env::ENV,
        &error::ERROR,
    ]),
};

/// Flags of the questions about modules.
#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A thing that can be seen somewhere: `go.sum:12`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TraceJson {
    place: String,
    text: String,
}

/// Text set into lines of at most 100 characters behind an indent.
fn paragraph(out: &mut String, indent: &str, text: &str) {
    const WIDTH: usize = 100;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{indent}{line}");
}

/// `FILE:LINE`
fn place(session: &Session, place: &Place) -> String {
    format!("{}:{}", short(session, &place.file), place.line)
}

/// A path as it is seen from the working directory.
fn short(session: &Session, path: &camino::Utf8Path) -> String {
    crate::modules::short_path(session.environment().cwd(), path)
}

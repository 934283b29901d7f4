//! `steady explain version`: why a module is at its version.

use clap::FromArgMatches;
use serde::Serialize;
use std::fmt::Write as _;
use steady_assure::explain::version::{self, Answer};
use steady_module::ModuleVersion;
use steady_module::amount::amount;

use crate::command::{Command, Kind};
use crate::commands::explain::{Flags, place};
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::misuse;
use crate::session::Session;

/// `steady explain version`
pub static VERSION: Command = Command {
    usage: "steady explain version [-json] module...",
    short: "who asks for a module, and at which minimum",
    long: include_str!("../../help/text/explain_version.txt"),
    examples: &[
        (
            "why this version",
            "steady explain version golang.org/x/text",
        ),
        ("why this Go release", "steady explain version go"),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if parsed.arguments.is_empty() {
        misuse!("explain version: name a module");
    }
    let loaded = loading::open_main(session, ModRequest::of_main(&flags.modules))?;
    let mut answers = Vec::new();
    for argument in &parsed.arguments {
        let path = argument
            .split_once('@')
            .map_or(argument.as_str(), |(path, _)| path);
        answers.push(version::version(&loaded, path)?);
    }
    session.printer.out(if flags.json {
        let answers: Vec<AnswerJson<'_>> = answers
            .iter()
            .map(|answer| answer_json(session, answer))
            .collect();
        gojson::to_string(&answers)? + "\n"
    } else {
        answers
            .iter()
            .map(|answer| text(session, answer))
            .collect::<Vec<_>>()
            .join("\n")
    });
    let known = |answer: &Answer| !answer.selected.is_empty();
    Ok(if answers.iter().all(known) {
        Status::DONE
    } else {
        Status::FAILED
    })
}

/// How many ways are shown of those that ask for less than what is selected.
const SHOWN: usize = 3;

fn text(session: &Session, answer: &Answer) -> String {
    let mut out = String::new();
    if answer.selected.is_empty() {
        let _ = writeln!(out, "{}: nothing asks for it", answer.path);
        return out;
    }
    let _ = write!(out, "{} {} is selected", answer.path, answer.selected);
    if let Some(other) = &answer.replaced_by {
        let _ = write!(out, ", replaced by {other}");
    }
    if let Some(at) = &answer.replaced_at {
        let _ = write!(out, " ({})", place(session, at));
    }
    out.push('\n');
    for (number, minimum) in answer.minimums.iter().enumerate() {
        let _ = writeln!(
            out,
            "\t{}: {} for at least this",
            minimum.version,
            amount(minimum.ways.len(), ["module asks", "modules ask"]),
        );
        let most = if number == 0 { usize::MAX } else { SHOWN };
        for way in minimum.ways.iter().take(most) {
            let _ = write!(out, "\t\t{}", chain(&way.modules).join(" -> "));
            if let Some(asked_at) = &way.asked_at {
                let _ = write!(out, " ({})", place(session, asked_at));
            }
            out.push('\n');
        }
        if let Some(more) = minimum
            .ways
            .len()
            .checked_sub(most)
            .filter(|more| *more > 0)
        {
            let _ = writeln!(out, "\t\tand {more} more (-json shows all)");
        }
    }
    out
}

fn chain(way: &[ModuleVersion]) -> Vec<String> {
    way.iter()
        .map(|module| match module.version.as_str() {
            "" => module.path.clone(),
            _ => module.to_string(),
        })
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerJson<'a> {
    path: &'a str,
    selected: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_at: Option<String>,
    minimums: Vec<MinimumJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MinimumJson<'a> {
    version: &'a str,
    ways: Vec<Vec<String>>,
    asked_at: Vec<String>,
}

fn answer_json<'a>(session: &Session, answer: &'a Answer) -> AnswerJson<'a> {
    AnswerJson {
        path: &answer.path,
        selected: &answer.selected,
        replaced_by: answer.replaced_by.as_ref().map(ToString::to_string),
        replaced_at: answer.replaced_at.as_ref().map(|at| place(session, at)),
        minimums: answer
            .minimums
            .iter()
            .map(|minimum| MinimumJson {
                version: &minimum.version,
                ways: minimum.ways.iter().map(|way| chain(&way.modules)).collect(),
                asked_at: minimum
                    .ways
                    .iter()
                    .map(|way| way.asked_at.as_ref())
                    .map(|at| at.map(|at| place(session, at)).unwrap_or_default())
                    .collect(),
            })
            .collect(),
    }
}

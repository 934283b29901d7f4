//! `steady explain sum`: where a module's sums come from, and what proves them.

use clap::FromArgMatches;
use serde::Serialize;
use std::fmt::Write as _;
use steady_assure::explain::sum::{self, Answer, Place};
use steady_module::amount::amount;
use steady_module::{ModuleVersion, gover};
use steady_packages::modload::Modules;

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::editing::split_version;
use crate::commands::explain::{Flags, short};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::misuse;
use crate::session::Session;

/// `steady explain sum`
pub static SUM: Command = Command {
    usage: "steady explain sum [-json] module[@version]...",
    short: "where a module's sums come from, and what proves them",
    long: include_str!("../../help/text/explain_sum.txt"),
    examples: &[("who vouches for it", "steady explain sum golang.org/x/text")],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if parsed.arguments.is_empty() {
        misuse!("explain sum: name a module");
    }
    let request = ModRequest {
        quiet: true,
        ..ModRequest::of_main(&flags.modules)
    };
    let loaded = loading::open_main(session, request)?;
    let mut answers = Vec::new();
    for argument in &parsed.arguments {
        let module = meant(&loaded, argument)?;
        answers.extend(sum::sums(&loaded, &session.files, &module));
    }
    session.printer.out(if flags.json {
        let answers: Vec<AnswerJson> = answers.iter().map(|a| answer_json(session, a)).collect();
        gojson::to_string(&answers)? + "\n"
    } else {
        answers.iter().map(|answer| text(session, answer)).collect()
    });
    let contradicted = answers.iter().any(|answer| answer.sums().len() > 1);
    Ok(if contradicted {
        Status::FAILED
    } else {
        Status::DONE
    })
}

/// The version that an argument names, by default the one in use, and what replaces it if that is a module too.
fn meant(loaded: &Modules, argument: &str) -> Result<ModuleVersion> {
    let (path, version) = split_version(argument).map_err(Failure::error)?;
    if let Some(version) = version {
        if !gover::mod_is_valid(path, version) {
            misuse!("{path}@{version}: not a version");
        }
        return Ok(ModuleVersion::new(path, version));
    }
    let Some(selected) = loaded.selected(path)? else {
        bail!("{path}: nothing requires it; name a version");
    };
    if selected.version.is_empty() {
        bail!("{path} is a main module, which has no sum");
    }
    match loaded.replacement(&selected) {
        Some(other) if other.version.is_empty() => {
            bail!(
                "{selected} is replaced by the directory {}, which has no sum",
                other.path
            )
        }
        Some(other) => Ok(other.clone()),
        None => Ok(selected),
    }
}

fn text(session: &Session, answer: &Answer) -> String {
    let verdict = match (answer.sums().len(), answer.is_proved()) {
        (0, _) => "no sum is known",
        (1, true) => "proved by the checksum database",
        (1, false) => "not proved by the checksum database",
        _ => "CONTRADICTED",
    };
    let mut out = format!(
        "{} {}: {verdict}\n",
        answer.module.path, answer.module.version
    );
    for sum in answer.sums() {
        let _ = writeln!(out, "\t{sum}");
        let of_sum = || answer.witnesses.iter().filter(|witness| witness.sum == sum);
        let lines: Vec<String> = of_sum()
            .filter(|witness| matches!(witness.place, Place::Line(..)))
            .map(|witness| place(session, &witness.place))
            .collect();
        if let [first, rest @ ..] = lines.as_slice() {
            let more = match rest.len() {
                0 => String::new(),
                more => format!(" and {} of other members", amount(more, ["line", "lines"])),
            };
            let _ = writeln!(out, "\t\t{first}{more}: recorded");
        }
        for witness in of_sum().filter(|witness| !matches!(witness.place, Place::Line(..))) {
            let _ = writeln!(
                out,
                "\t\t{}: {}",
                place(session, &witness.place),
                witness.how
            );
        }
    }
    for witness in answer
        .witnesses
        .iter()
        .filter(|witness| witness.sum.is_empty())
    {
        let _ = writeln!(out, "\t{}: {}", place(session, &witness.place), witness.how);
    }
    out
}

fn place(session: &Session, place: &Place) -> String {
    match place {
        Place::Line(file, line) => format!("{}:{line}", short(session, file)),
        Place::Cache(file) => short(session, file),
        Place::Database => "checksum database".to_owned(),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AnswerJson {
    path: String,
    version: String,
    proved: bool,
    contradicted: bool,
    witnesses: Vec<WitnessJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WitnessJson {
    place: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sum: String,
    how: String,
}

fn answer_json(session: &Session, answer: &Answer) -> AnswerJson {
    AnswerJson {
        path: answer.module.path.clone(),
        version: answer.module.version.clone(),
        proved: answer.is_proved(),
        contradicted: answer.sums().len() > 1,
        witnesses: answer
            .witnesses
            .iter()
            .map(|witness| WitnessJson {
                place: place(session, &witness.place),
                sum: witness.sum.clone(),
                how: witness.how.clone(),
            })
            .collect(),
    }
}

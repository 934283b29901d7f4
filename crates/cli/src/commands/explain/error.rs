//! `steady explain error`: what an error means, read from standard input.

use clap::FromArgMatches;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read as _};
use steady_assure::explain::error::{Explanation, Trace, Tree, recognise};
use steady_packages::modload::{ModMode, Modules};

use crate::command::{Command, Kind};
use crate::commands::explain::{Flags, TraceJson, paragraph};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::misuse;
use crate::modules;
use crate::programs;
use crate::session::Session;

use super::env;

/// `steady explain error`
pub static ERROR: Command = Command {
    usage: "steady explain error [-json] [file]",
    short: "what an error means here, and the way out",
    long: include_str!("../../help/text/explain_error.txt"),
    examples: &[(
        "why a build fails",
        "go build ./... 2>&1 | steady explain error",
    )],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    let input = input(session, &parsed.arguments)?;
    let request = ModRequest {
        default_mode: Some(ModMode::ReadOnly),
        common: Some(&flags.modules),
        force: true,
        quiet: true,
        ..ModRequest::default()
    };
    // What is broken may keep the modules from being opened; files and settings can be looked at all the same.
    let opened = loading::open_modules(session, request).ok();
    let settings = &session.settings;
    let go_files = [
        modules::go_mod(settings, &session.files),
        modules::go_work(settings, &session.files).ok().flatten(),
    ];
    let tree = Tree {
        files: &session.files,
        modules: opened.as_ref(),
        go_files: go_files.into_iter().flatten().collect(),
        variable: &|name| env::decided(session, name),
        programs: &|| {
            opened
                .as_ref()
                .map_or_else(Vec::new, |modules| programs(session, modules))
        },
    };
    let found = recognise(&input, &tree);
    if found.is_empty() {
        session
            .printer
            .note("steady: none of the errors that Steady knows is in this text");
    }
    session.printer.out(if flags.json {
        let found: Vec<ExplanationJson<'_>> = found.iter().map(explanation_json).collect();
        gojson::to_string(&found)? + "\n"
    } else {
        found.iter().map(text).collect::<Vec<_>>().join("\n")
    });
    Ok(if found.is_empty() {
        Status::FAILED
    } else {
        Status::DONE
    })
}

/// More near misses or programs than this say no more.
const MOST: usize = 4;

/// What nearly is a program, and what is one.
fn programs(session: &Session, modules: &Modules) -> Vec<Trace> {
    let Ok(found) = programs::of_mains(session, modules) else {
        return Vec::new();
    };
    let cwd = session.environment().cwd();
    let near = found.near_misses.iter().map(|miss| Trace {
        place: programs::place(cwd, miss),
        text: miss.reason.to_string(),
    });
    let whole = found.executables.iter().map(|program| Trace {
        place: modules::short_path(cwd, &program.place.dir).to_string(),
        text: "a program".to_owned(),
    });
    near.take(MOST).chain(whole.take(MOST)).collect()
}

fn input(session: &Session, arguments: &[String]) -> Result<String> {
    session.spoil_answer();
    let bytes = match arguments {
        [file] if file != "-" => session.files.read(file)?,
        [] | [_] => {
            let mut bytes = Vec::new();
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                session
                    .printer
                    .note("steady: paste the error, then end it with Ctrl-D");
            }
            stdin.lock().read_to_end(&mut bytes).map_err(|error| {
                Failure::error(format!("explain error: standard input: {error}"))
            })?;
            bytes
        }
        _ => misuse!("explain error: one file at most"),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn text(explanation: &Explanation) -> String {
    let mut out = format!("{}\n\t[{}]\n", explanation.line, explanation.name);
    paragraph(&mut out, "\t", &explanation.cause);
    if !explanation.evidence.is_empty() {
        out.push_str("    here:\n");
    }
    for trace in &explanation.evidence {
        let _ = writeln!(out, "\t{}: {}", trace.place, trace.text);
    }
    out.push_str("    what to do:\n");
    for fix in &explanation.fixes {
        if fix.command.is_empty() {
            paragraph(&mut out, "\t", &fix.what);
        } else {
            let _ = writeln!(out, "\t{}", fix.command);
            paragraph(&mut out, "\t    ", &fix.what);
        }
    }
    out
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExplanationJson<'a> {
    name: &'a str,
    line: &'a str,
    cause: &'a str,
    evidence: Vec<TraceJson>,
    fixes: Vec<FixJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FixJson<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    command: &'a str,
    what: &'a str,
}

fn explanation_json(explanation: &Explanation) -> ExplanationJson<'_> {
    ExplanationJson {
        name: explanation.name,
        line: &explanation.line,
        cause: &explanation.cause,
        evidence: explanation
            .evidence
            .iter()
            .map(|trace| TraceJson {
                place: trace.place.clone(),
                text: trace.text.clone(),
            })
            .collect(),
        fixes: explanation
            .fixes
            .iter()
            .map(|fix| FixJson {
                command: &fix.command,
                what: &fix.what,
            })
            .collect(),
    }
}

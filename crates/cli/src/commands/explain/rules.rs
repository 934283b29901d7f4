//! `steady explain replace` and `steady explain exclude`: what each line does, and where it does nothing.

use clap::FromArgMatches;
use serde::Serialize;
use std::fmt::Write as _;
use steady_assure::explain::rules::{self, Context, Rule};
use steady_packages::modload::{ModError, Modules};

use crate::command::{Command, Kind};
use crate::commands::explain::{Flags, TraceJson, place, short};
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::session::Session;

/// `steady explain replace`
pub static REPLACE: Command = Command {
    usage: "steady explain replace [-json] [modules]",
    short: "what each replace line does, and where it does nothing",
    long: include_str!("../../help/text/explain_rules.txt"),
    examples: &[("all lines", "steady explain replace")],
    kind: Kind::Own {
        flags: define::<Flags>,
        run: |session, parsed| run(session, parsed, rules::replaces),
    },
};

/// `steady explain exclude`
pub static EXCLUDE: Command = Command {
    usage: "steady explain exclude [-json] [modules]",
    short: "what each exclude line does, and where it does nothing",
    long: include_str!("../../help/text/explain_rules.txt"),
    examples: &[("all lines", "steady explain exclude")],
    kind: Kind::Own {
        flags: define::<Flags>,
        run: |session, parsed| run(session, parsed, rules::excludes),
    },
};

type Question = fn(&[Context<'_>]) -> std::result::Result<Vec<Rule>, ModError>;

fn run(session: &mut Session, parsed: &Parsed, question: Question) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    let request = ModRequest::of_main(&flags.modules);
    let here = loading::open_main(session, request)?;
    let mut opened: Vec<(String, Modules)> = Vec::new();
    if here.go_work().is_some() {
        for main in here.mains() {
            // A module without such lines has nothing to say on its own.
            if main.file.replace.is_empty() && main.file.exclude.is_empty() {
                continue;
            }
            let alone = ModRequest {
                no_workspace: true,
                main_dir: Some(&main.dir),
                index: Some(here.index()),
                ..request
            };
            let name = format!("{} alone", main.path);
            opened.push((name, loading::open_modules(session, alone)?));
        }
        opened.insert(0, ("the workspace".to_owned(), here));
    } else {
        opened.push(("here".to_owned(), here));
    }
    let contexts: Vec<Context<'_>> = opened
        .iter()
        .map(|(name, modules)| Context {
            name: name.clone(),
            modules,
        })
        .collect();
    let mut found = question(&contexts)?;
    if !parsed.arguments.is_empty() {
        let named = |rule: &Rule| rule.text.split(' ').nth(1).map(str::to_owned);
        found.retain(|rule| named(rule).is_some_and(|path| parsed.arguments.contains(&path)));
    }
    if found.is_empty() {
        let of = match parsed.arguments.join(", ") {
            names if names.is_empty() => "here".to_owned(),
            names => format!("for {names}"),
        };
        session
            .printer
            .note(format!("steady: there is no such line {of}"));
    }
    session.printer.out(if flags.json {
        json(session, &found)?
    } else {
        text(session, &found)
    });
    let missed = found.is_empty() && !parsed.arguments.is_empty();
    Ok(if missed { Status::FAILED } else { Status::DONE })
}

fn text(session: &Session, rules: &[Rule]) -> String {
    let mut out = String::new();
    for rule in rules {
        let _ = writeln!(out, "{}: {}", place(session, &rule.place), rule.text);
        for effect in &rule.effects {
            let verdict = if effect.works {
                "in effect"
            } else {
                "no effect"
            };
            let _ = write!(out, "\t{}: {verdict}: {}", effect.context, effect.why);
            if let Some(other) = &effect.other {
                let _ = write!(out, " ({})", place(session, other));
            }
            out.push('\n');
            for asker in &effect.asked_by {
                let asked_at = place(session, &asker.place);
                let _ = writeln!(out, "\t\t{asked_at}: {} asks", asker.module);
            }
        }
    }
    out
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuleJson<'a> {
    file: String,
    line: usize,
    text: &'a str,
    effects: Vec<EffectJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EffectJson<'a> {
    context: &'a str,
    in_effect: bool,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    asked_by: Vec<TraceJson>,
}

fn json(session: &Session, rules: &[Rule]) -> Result<String> {
    let rules: Vec<RuleJson<'_>> = rules
        .iter()
        .map(|rule| RuleJson {
            file: short(session, &rule.place.file),
            line: rule.place.line,
            text: &rule.text,
            effects: rule
                .effects
                .iter()
                .map(|effect| EffectJson {
                    context: &effect.context,
                    in_effect: effect.works,
                    why: &effect.why,
                    decided_by: effect.other.as_ref().map(|other| place(session, other)),
                    asked_by: effect
                        .asked_by
                        .iter()
                        .map(|asker| TraceJson {
                            place: place(session, &asker.place),
                            text: asker.module.to_string(),
                        })
                        .collect(),
                })
                .collect(),
        })
        .collect();
    Ok(gojson::to_string(&rules)? + "\n")
}

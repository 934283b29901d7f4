//! `steady explain env`: which file or variable decided.

use clap::{Args, FromArgMatches};
use serde::Serialize;
use std::fmt::Write as _;

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::misuse;
use crate::modules;
use crate::session::Session;
use crate::settings::origin::Origin;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `steady explain env`
pub static ENV: Command = Command {
    usage: "steady explain env [-json] variable...",
    short: "which file or variable decided a setting",
    long: include_str!("../../help/text/explain_env.txt"),
    examples: &[("who set the proxy", "steady explain env GOPROXY")],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    name: String,
    value: String,
    /// Empty: nobody set it.
    decided_by: String,
    passed_over: Vec<OriginJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OriginJson {
    place: String,
    value: String,
}

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if parsed.arguments.is_empty() {
        misuse!("explain env: name a variable");
    }
    let mut answers = Vec::new();
    let mut shown = session.settings.variables();
    // A setting that keeps modules from being found is asked about all the same.
    shown.extend(modules::location(session).unwrap_or_default());
    for name in &parsed.arguments {
        if !session.settings.is_known(name)
            && !shown.iter().any(|variable| variable.name == *name)
            && session.environment().lookup(name).is_none()
        {
            bail!("explain env: {name} is no variable of the go command, and is not set");
        }
        answers.push(answer(session, name)?);
    }
    session.printer.out(if flags.json {
        gojson::to_string(&answers)? + "\n"
    } else {
        answers.iter().map(text).collect()
    });
    Ok(Status::DONE)
}

/// A variable's value and who decided it, in words.
pub fn decided(session: &Session, name: &str) -> (String, String) {
    match answer(session, name) {
        Ok(answer) if answer.decided_by.is_empty() => {
            (answer.value, "nobody: its default".to_owned())
        }
        Ok(answer) => (answer.value, answer.decided_by),
        Err(_) => (
            session.settings.get(name).to_owned(),
            "the settings".to_owned(),
        ),
    }
}

fn answer(session: &Session, name: &str) -> Result<Answer> {
    let mut all = session.settings.variables();
    if matches!(name, "GOMOD" | "GOWORK") {
        all.extend(modules::location(session)?);
    }
    let shown = all.iter().rfind(|variable| variable.name == name);
    let value = shown.map_or_else(
        || session.settings.get(name).to_owned(),
        |variable| variable.value.clone(),
    );
    let mut origins = session.settings.origins(name, &session.files);
    let decided = (!origins.is_empty()).then(|| origins.remove(0));
    let derived = if decided.is_none() {
        derived(session, name)
    } else {
        String::new()
    };
    let one = |origin: Origin| OriginJson {
        place: origin.place,
        value: origin.value,
    };
    Ok(Answer {
        name: name.to_owned(),
        value,
        decided_by: decided.map_or(derived, |origin| origin.place),
        passed_over: origins.into_iter().map(one).collect(),
    })
}

/// What a default that is not fixed follows from.
fn derived(session: &Session, name: &str) -> String {
    let from = |variable: &str| {
        let settings = &session.settings;
        let origin = settings
            .origins(variable, &session.files)
            .into_iter()
            .next();
        match origin {
            Some(origin) => format!("follows from {variable}, set by {}", origin.place),
            None => format!("follows from {variable}"),
        }
    };
    match name {
        "GOMODCACHE" | "GOBIN" => from("GOPATH"),
        "GOPATH" => from("HOME"),
        "GOCACHE" if session.environment().get("XDG_CACHE_HOME").is_empty() => from("HOME"),
        "GOCACHE" => from("XDG_CACHE_HOME"),
        "GONOPROXY" | "GONOSUMDB" if !session.settings.get("GOPRIVATE").is_empty() => {
            from("GOPRIVATE")
        }
        "GOMOD" | "GOWORK" => "the nearest such file at or above the working directory".to_owned(),
        "GOROOT" => "where the toolchain that is used lies".to_owned(),
        "GOVERSION" | "GOTOOLDIR" => "nobody: the toolchain that is used has it".to_owned(),
        "CGO_ENABLED" => {
            "whether it is this machine's platform and a C compiler is on PATH".to_owned()
        }
        "GOHOSTOS" | "GOHOSTARCH" => "nobody: this machine is that".to_owned(),
        "GOEXE" | "GOGCCFLAGS" => {
            "nobody: it follows from the platform that is built for".to_owned()
        }
        _ => String::new(),
    }
}

fn text(answer: &Answer) -> String {
    let mut out = format!("{}={}\n", answer.name, answer.value);
    let by = match answer.decided_by.as_str() {
        "" => "nobody: its default",
        place => place,
    };
    let _ = writeln!(out, "\tdecided by: {by}");
    for origin in &answer.passed_over {
        let _ = writeln!(out, "\tpassed over: {} ({})", origin.place, origin.value);
    }
    out
}

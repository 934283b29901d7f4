//! `steady entries`: which packages are programs, and what nearly is one.

use camino::Utf8Path;
use clap::{Args, FromArgMatches};
use serde::Serialize;
use std::fmt::Write as _;
use steady_assure::entries::{self, Entries, Target, platform_names};
use steady_packages::modload::ModMode;

use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::build::{BuildFlags, Chdir, ModCommon, ModFlag};
use crate::flags::value::{self, Words};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::misuse;
use crate::modules;
use crate::programs;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// The platforms to look at: GOOS/GOARCH separated by commas, or all (default: the one that is built for)
    #[arg(long, value_name = "list", value_parser = value::commas)]
    platform: Option<Words>,
    /// Build tags that count as set, separated by commas
    #[arg(long, value_name = "tag,list", value_parser = value::tags)]
    tags: Option<Words>,
}

/// `steady entries`
pub static ENTRIES: Command = Command {
    usage: "steady entries [-platform list|all] [-tags list] [-json] [packages]",
    short: "show which packages are programs, and what nearly is one",
    long: include_str!("../help/text/entries.txt"),
    examples: &[
        ("the programs of this workspace", "steady entries"),
        (
            "which of them exist on Windows",
            "steady entries -platform windows/amd64 ./...",
        ),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if let Some(file) = parsed.arguments.iter().find(|word| word.ends_with(".go")) {
        misuse!("'steady entries' takes packages, not files ({file})");
    }
    let request = ModRequest {
        mode: flags.modmode.mode.as_deref(),
        default_mode: Some(ModMode::ReadOnly),
        common: Some(&flags.modules),
        force: true,
        ..ModRequest::default()
    };
    let loaded = loading::open_modules(session, request)?;
    modules::must_have_main(session, &loaded)?;
    let build = BuildFlags {
        tags: flags.tags.clone(),
        ..BuildFlags::default()
    };
    let known = programs::all(session, &build)?;
    let asked = asked(session, &flags, &build, &known)?;
    let Some(first) = asked.first() else {
        misuse!("-platform names no platform");
    };
    let (places, errors) = programs::places(session, &loaded, &first.context, &parsed.arguments)?;
    let found = entries::find(loaded.index(), &places, &asked, &known);
    loaded.index().save();
    let names = |targets: &[Target]| -> Vec<String> {
        let platforms = targets.iter();
        platforms.map(|target| target.platform.clone()).collect()
    };
    let shown = Shown {
        entries: &found,
        asked: names(&asked),
        known: names(&known),
        cwd: session.environment().cwd(),
    };
    session.printer.out(if flags.json {
        shown.json()?
    } else {
        shown.text()
    });
    for error in errors {
        session.printer.error_plain(error);
    }
    Ok(Status::DONE)
}

/// The platforms that are asked about.
fn asked(
    session: &Session,
    flags: &Flags,
    build: &BuildFlags,
    known: &[Target],
) -> Result<Vec<Target>> {
    let settings = &session.settings;
    let Some(Words(names)) = &flags.platform else {
        return programs::targets(session, build, &[(settings.goos(), settings.goarch())]);
    };
    if names.iter().any(|name| name == "all") {
        return Ok(known.to_vec());
    }
    let mut pairs = Vec::new();
    for name in names {
        let pair = name.split_once('/').unwrap_or((name, ""));
        if !settings.pair(pair.0, pair.1).known {
            misuse!("unsupported GOOS/GOARCH pair {}/{}", pair.0, pair.1);
        }
        pairs.push(pair);
    }
    programs::targets(session, build, &pairs)
}

struct Shown<'a> {
    entries: &'a Entries,
    asked: Vec<String>,
    known: Vec<String>,
    cwd: &'a Utf8Path,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EntriesJson<'a> {
    schema: u32,
    platforms: &'a [String],
    executables: Vec<ExecutableJson<'a>>,
    near_misses: Vec<NearMissJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExecutableJson<'a> {
    import_path: &'a str,
    dir: &'a str,
    file: &'a str,
    line: u32,
    platforms: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NearMissJson<'a> {
    import_path: &'a str,
    dir: &'a str,
    file: &'a str,
    line: u32,
    reason: &'a str,
    message: String,
    platforms: &'a [String],
}

impl Shown<'_> {
    fn text(&self) -> String {
        let mut out = String::new();
        for program in &self.entries.executables {
            let dir = modules::short_path(self.cwd, &program.place.dir);
            let path = &program.place.import_path;
            let _ = writeln!(out, "{path}\t{dir}{}", self.limits(&program.platforms));
        }
        for miss in &self.entries.near_misses {
            let text = programs::describe(self.cwd, miss);
            let _ = writeln!(out, "{text}{}", self.limits(&miss.platforms));
        }
        out
    }

    /// Which platforms, if not all of those asked about.
    fn limits(&self, platforms: &[String]) -> String {
        if platforms.len() == self.asked.len() {
            return String::new();
        }
        let texts = |list: &'_ [String]| {
            list.iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let some: Vec<&str> = platforms.iter().map(String::as_str).collect();
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        format!("\t[{}]", texts(&platform_names(&some, &known)))
    }

    fn json(&self) -> Result<String> {
        let executables = self.entries.executables.iter();
        let near_misses = self.entries.near_misses.iter();
        let value = EntriesJson {
            schema: 1,
            platforms: &self.asked,
            executables: executables
                .map(|program| ExecutableJson {
                    import_path: &program.place.import_path,
                    dir: program.place.dir.as_str(),
                    file: &program.file,
                    line: program.line,
                    platforms: &program.platforms,
                })
                .collect(),
            near_misses: near_misses
                .map(|miss| NearMissJson {
                    import_path: &miss.place.import_path,
                    dir: miss.place.dir.as_str(),
                    file: &miss.file,
                    line: miss.line,
                    reason: miss.reason.name(),
                    message: miss.reason.to_string(),
                    platforms: &miss.platforms,
                })
                .collect(),
        };
        Ok(gojson::to_string(&value)? + "\n")
    }
}

//! `go vet` and `go fix`: which flags there are, the checker knows.

use camino::Utf8Path;
use clap::{Arg, Args, FromArgMatches};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use steady_build::Sink;
use steady_build::release::Release;
use steady_build::vet::{VetOutput, VetSettings};
use steady_module::gover;
use steady_packages::load::Loaded;
use steady_packages::package::PackageId;
use steady_system::{Files, Question, process};

use crate::command::{Command, Kind};
use crate::configs::BuildRequest;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, ExplainFlag, ModCommon, ModFlag, Verbose};
use crate::flags::grammar::{self, Definition, FlagError, Word};
use crate::flags::{define, value};
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;
use crate::settings::Settings;

#[derive(Args)]
struct Common {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    explain: ExplainFlag,
    /// Print changes instead of applying them
    #[arg(long)]
    diff: bool,
    /// Print diagnostics and fixes as JSON
    #[arg(long)]
    json: bool,
    /// Show the line in question with so many lines around it
    #[arg(long, value_name = "n", value_parser = value::integer)]
    c: Option<i64>,
}

#[derive(Args)]
struct VetFlags {
    #[command(flatten)]
    common: Common,
    /// Program to use in vet's place
    #[arg(long, value_name = "prog")]
    vettool: Option<String>,
    /// Apply the first fix of each diagnostic
    #[arg(long)]
    fix: bool,
}

#[derive(Args)]
struct FixFlags {
    #[command(flatten)]
    common: Common,
    /// Program to use in fix's place
    #[arg(long, value_name = "prog")]
    fixtool: Option<String>,
    /// Has no effect any more
    #[arg(long, value_name = "list", hide = true)]
    fix: Option<String>,
}

/// `go vet`
pub static VET: Command = Command {
    usage: "go vet [build flags] [-vettool prog] [vet flags] [packages]",
    short: "report likely mistakes in packages",
    long: include_str!("../help/text/vet.txt"),
    examples: &[("all packages of the module", "steady vet ./...")],
    kind: Kind::Raw {
        flags: define::<VetFlags>,
        run: vet,
    },
};

/// `go fix`
pub static FIX: Command = Command {
    usage: "go fix [build flags] [-fixtool prog] [fix flags] [packages]",
    short: "apply fixes suggested by static checkers",
    long: include_str!("../help/text/fix.txt"),
    examples: &[("see what would be changed", "steady fix -diff ./...")],
    kind: Kind::Raw {
        flags: define::<FixFlags>,
        run: fix,
    },
};

/// A flag as the checker describes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToolFlag {
    name: String,
    bool: bool,
}

/// A command line taken apart.
struct CommandLine {
    matches: clap::ArgMatches,
    /// Flags for the checker.
    passed_on: Vec<String>,
    packages: Vec<String>,
}

fn vet(session: &mut Session, words: &[String]) -> Result {
    let tool = tool_of(&session.settings, &session.files, "vet", words)?;
    let line = match read(session, define::<VetFlags>, &tool, words)? {
        Ok(line) => line,
        Err(error) => return usage(session, &error),
    };
    let flags = VetFlags::from_arg_matches(&line.matches)?;
    let fixes = flags.fix;
    check(session, "vet", &flags.common, tool, fixes, line)
}

fn fix(session: &mut Session, words: &[String]) -> Result {
    if !Release::of(&session.settings.version).keeps_vet_output() {
        return Err(Failure::unsupported("fix with toolchains before Go 1.26"));
    }
    let tool = tool_of(&session.settings, &session.files, "fix", words)?;
    let line = match read(session, define::<FixFlags>, &tool, words)? {
        Ok(line) => line,
        Err(error) => return usage(session, &error),
    };
    let flags = FixFlags::from_arg_matches(&line.matches)?;
    if let Some(list) = flags.fix.as_deref().filter(|list| !list.is_empty()) {
        let mut text = format!("go fix: the -fix={list} flag is obsolete and has no effect");
        if list.split(',').any(|name| name == "buildtag") {
            text.push_str("go fix: to enable the buildtag check, use -buildtag");
        }
        session.printer.err(text);
    }
    check(session, "fix", &flags.common, tool, true, line)
}

fn usage(session: &Session, error: &FlagError) -> Result {
    if *error != FlagError::Help {
        session.printer.note(error.to_string());
    }
    Err(Failure::Usage)
}

/// Does the checker have a flag? GOFLAGS may name those too.
#[must_use]
pub fn checker_has(
    settings: &Settings,
    files: &Files,
    command: &Command,
    words: &[String],
    flag: &str,
) -> bool {
    let name = command.long_name();
    if !matches!(name, "vet" | "fix") {
        return false;
    }
    let flags =
        tool_of(settings, files, name, words).and_then(|tool| tool_flags(settings, files, &tool));
    flags.is_ok_and(|flags| flags.iter().any(|known| known.name == flag))
}

/// The checker, which must be known before flags can be read.
fn tool_of(settings: &Settings, files: &Files, command: &str, words: &[String]) -> Result<String> {
    let flag = format!("{command}tool");
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let name = word.trim_start_matches('-');
        if name.len() == word.len() || word.len() - name.len() > 2 {
            continue;
        }
        let given = match name.strip_prefix(&flag) {
            Some("") => match rest.next() {
                Some(value) => value,
                None => return Err(Failure::plain(format!("{word} requires a filename"))),
            },
            Some(value) if value.starts_with('=') => &value[1..],
            _ => continue,
        };
        if given.is_empty() {
            break;
        }
        let path = steady_system::clean(&files.absolute(given));
        return Ok(path.into_string());
    }
    Ok(settings.tool_dir().join(command).into_string())
}

/// The toolchain's checker says the same as long as it is the same; another one may look at anything.
fn note_tool(settings: &Settings, files: &Files, tool: &str) {
    let Some(sightings) = files.sightings() else {
        return;
    };
    if Utf8Path::new(tool).parent() == Some(&settings.tool_dir()) {
        sightings.look(Utf8Path::new(tool), Question::Stamp);
    } else {
        sightings.spoil();
    }
}

/// The flags that the checker has.
fn tool_flags(settings: &Settings, files: &Files, tool: &str) -> Result<Vec<ToolFlag>> {
    note_tool(settings, files, tool);
    let usage = |text: String| Failure::Message(text, Status::USAGE);
    let mut command = process::Command::new(tool, &settings.environment);
    command.arg("-flags");
    let output = command
        .output()
        .map_err(|error| usage(format!("go: {tool} -flags failed: {error}")))?;
    if !output.status.success() {
        return Err(usage(format!(
            "go: {tool} -flags failed: {}",
            output.status
        )));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| {
        usage(format!(
            "go: can't unmarshal JSON from {tool} -flags: {error}"
        ))
    })
}

/// Reads a command line with the checker's flags among ours.
fn read(
    session: &Session,
    own: fn() -> Definition,
    tool: &str,
    words: &[String],
) -> Result<std::result::Result<CommandLine, FlagError>> {
    let known = session.command.definition(session.called);
    let mut definition = known.unwrap_or_else(own);
    let mut of_tool: Vec<String> = Vec::new();
    for flag in tool_flags(&session.settings, &session.files, tool)? {
        if flag.name == "c" {
            continue; // what it does is done here
        }
        if grammar::lookup(&definition, &flag.name).is_none() {
            let arg = Arg::new(flag.name.clone()).long(flag.name.clone());
            let arg = if flag.bool {
                arg.num_args(0..=1)
                    .value_parser(value::boolean)
                    .default_value("false")
            } else {
                arg.num_args(1)
            };
            definition = definition.arg(arg);
        }
        of_tool.push(flag.name);
    }
    Ok(split(session, &definition, &of_tool, words))
}

fn split(
    session: &Session,
    definition: &Definition,
    of_tool: &[String],
    words: &[String],
) -> std::result::Result<CommandLine, FlagError> {
    let is_tools = |name: &str| of_tool.iter().any(|known| known == name);
    let mut normal = session.goflags.apply(definition)?;
    let mut inherited: BTreeMap<String, String> = BTreeMap::new();
    for word in &normal {
        let (name, value) = word
            .trim_start_matches('-')
            .split_once('=')
            .unwrap_or((word, ""));
        if is_tools(name) {
            inherited.insert(name.to_owned(), value.to_owned());
        }
    }
    let mut explicit: Vec<String> = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        match grammar::read_word(definition, rest, "-")? {
            Word::Plain => break,
            Word::End => {
                rest = &rest[1..];
                break;
            }
            Word::Unknown { .. } => {
                let name = rest[0].trim_start_matches('-');
                let name = name.split('=').next().unwrap_or(name);
                return Err(FlagError::Unknown(name.to_owned()));
            }
            Word::Flag { name, value, used } => {
                let word = format!("--{name}={value}");
                grammar::check(definition, &word)?;
                normal.push(word);
                if is_tools(&name) {
                    explicit.extend_from_slice(&rest[..used]);
                    inherited.remove(&name);
                }
                rest = &rest[used..];
            }
        }
    }
    let matches = definition.clone().try_get_matches_from(&normal);
    let inherited = inherited.iter();
    let mut passed_on: Vec<String> = inherited
        .map(|(name, value)| format!("-{name}={value}"))
        .collect();
    passed_on.extend(explicit);
    Ok(CommandLine {
        matches: matches.map_err(|error| FlagError::Wrong(error.to_string()))?,
        passed_on,
        packages: rest.to_vec(),
    })
}

/// How the checker is run, and what becomes of its output.
fn settings(
    session: &Session,
    command: &str,
    flags: &Common,
    tool: String,
    fixes: bool,
    mut passed_on: Vec<String>,
) -> Result<VetSettings> {
    let fail = |text: &str| Err(Failure::plain(text));
    let keeps = Release::of(&session.settings.version).keeps_vet_output();
    let explicit = !passed_on.is_empty();
    let mut output = VetOutput::Copied;
    let mut fix = false;
    if fixes {
        match (flags.json, flags.diff) {
            (true, true) => return fail("-json and -diff cannot be used together"),
            (true, false) => {}
            (false, true) => {
                passed_on.extend(["-fix", "-diff"].map(str::to_owned));
                output = VetOutput::Difference;
            }
            (false, false) => {
                passed_on.push("-fix".to_owned());
                fix = true;
            }
        }
        if flags.c.is_some_and(|lines| lines != -1) {
            return fail("-c flag cannot be used when applying fixes");
        }
    } else {
        if !flags.json && keeps {
            passed_on.push("-json".to_owned());
            let lines = flags.c.and_then(|lines| usize::try_from(lines).ok());
            output = VetOutput::Diagnostics(lines);
        }
        if flags.diff {
            return fail("go vet -diff flag requires -fix");
        }
    }
    let own = session.settings.tool_dir().join("vet");
    Ok(VetSettings {
        own_vet: command == "vet" && tool == own.as_str(),
        tool: tool.into(),
        flags: passed_on,
        explicit,
        output,
        fix,
        go_version: gover::from_toolchain(session.settings.local_version()).to_owned(),
    })
}

fn check(
    session: &mut Session,
    command: &str,
    flags: &Common,
    tool: String,
    fixes: bool,
    line: CommandLine,
) -> Result {
    let settings = settings(session, command, flags, tool, fixes, line.passed_on)?;
    let request = Request {
        builds: true,
        tests: true,
        ..Request::of(
            BuildRequest {
                v: flags.verbose.v,
                ..BuildRequest::of(&flags.build)
            },
            ModRequest {
                trace: flags.build.trace.x,
                ..ModRequest::of(&flags.modmode, &flags.modules)
            },
        )
    };
    let mut bench = loading::prepare(session, request)?;
    bench.config.explain = flags.explain.explain;
    let mut loaded = bench.load(session, &line.packages)?;
    loading::check(session, &loaded)?;
    if loaded.roots.is_empty() {
        return Err(Failure::plain(format!("no packages to {command}")));
    }
    let wanted = wanted(session, command, &mut loaded, &settings);
    let sink: Arc<dyn Sink> = session.printer.clone();
    let (config, set) = (bench.config, &loaded.set);
    let outcome = steady_build::vet::vet(config, set, &wanted, &settings, sink)?;
    if settings.fix {
        let archives = wanted.iter().filter_map(|id| {
            let outcome = outcome.packages.get(id)?;
            outcome.fixes.clone()
        });
        apply(session, &archives.collect::<Vec<_>>());
    }
    Ok(crate::commands::build::ended(&outcome))
}

/// Packages to look at: each with its tests, and the external tests.
fn wanted(
    session: &Session,
    command: &str,
    loaded: &mut Loaded,
    settings: &VetSettings,
) -> Vec<PackageId> {
    let mut wanted = Vec::new();
    for id in loaded.roots.clone() {
        let public = &loaded.set[id].public;
        let vendored = public.standard && public.import_path.starts_with("vendor/");
        let foreign = public.module.as_ref().is_some_and(|module| !module.main);
        if settings.fix && (vendored || foreign) {
            continue; // what belongs to others is not changed
        }
        let tests = loaded.tests.iter().find(|tests| tests.package == id);
        if let Some(error) = tests.and_then(|tests| loading::error_in(loaded, tests)) {
            session.printer.error_plain(error.to_string());
            continue;
        }
        let (inner, external) = match tests {
            Some(tests) => (tests.inner, tests.external),
            None if public.name == "main" => (loaded.set.add_library(id), None),
            None => (id, None),
        };
        let public = &loaded.set[inner].public;
        let empty = public.files.go_files.is_empty() && public.files.cgo_files.is_empty();
        if empty && external.is_none() {
            session.printer.error_plain(format!(
                "go: can't {command} {}: no Go files in {}",
                public.import_path, public.dir
            ));
        }
        wanted.extend((!empty).then_some(inner).into_iter().chain(external));
    }
    wanted
}

/// Writes changed files. A file that several archives change must be changed to the same.
fn apply(session: &Session, archives: &[camino::Utf8PathBuf]) {
    let mut changed: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for archive in archives {
        if let Err(error) = read_changes(session, archive, &mut changed) {
            session
                .printer
                .error_plain(format!("reading archive of fixes: {error}"));
            return;
        }
    }
    for (path, content) in changed {
        if let Err(error) = session.files.write(&path, &content, 0o644) {
            session
                .printer
                .error_plain(format!("applying fix: {error}"));
        }
    }
}

fn read_changes(
    session: &Session,
    archive: &camino::Utf8Path,
    changed: &mut BTreeMap<String, Vec<u8>>,
) -> std::result::Result<(), String> {
    let bytes = session
        .files
        .read(archive)
        .map_err(|error| error.to_string())?;
    let reader = std::io::Cursor::new(bytes);
    let mut zip = zip::ZipArchive::new(reader).map_err(|error| error.to_string())?;
    for at in 0..zip.len() {
        let mut entry = zip.by_index(at).map_err(|error| error.to_string())?;
        let mut content = Vec::new();
        entry
            .read_to_end(&mut content)
            .map_err(|error| error.to_string())?;
        let name = entry
            .name()
            .map_err(|error| error.to_string())?
            .into_owned();
        if changed.get(&name).is_some_and(|before| *before != content) {
            return Err(format!("inconsistent fixes to file {name}"));
        }
        changed.insert(name, content);
    }
    Ok(())
}

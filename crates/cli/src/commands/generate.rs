//! `go generate`: commands that stand in sources.
//!
//! A line `//go:generate command arguments` names a command that is run in the file's directory, with variables that tell where it
//! stands. The first thing that goes wrong ends the package. A command called `go` is Steady itself.

use camino::Utf8Path;
use clap::{Args, FromArgMatches};
use regex_lite::Regex;
use std::collections::HashMap;
use steady_build::quote::quote;
use steady_packages::package::Package;
use steady_system::process::Command;
use steady_system::{Environment, clean};

use crate::command::{self, Kind};
use crate::configs::{self, BuildRequest};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, ModCommon, ModFlag, Verbose};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest, Request};
use crate::modules::short_path;
use crate::session::Session;

#[derive(Args)]
struct GenerateFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    /// Only commands whose line matches
    #[arg(long, value_name = "regexp")]
    run: Option<String>,
    /// Not commands whose line matches
    #[arg(long, value_name = "regexp")]
    skip: Option<String>,
}

/// `go generate`
pub static GENERATE: command::Command = command::Command {
    usage: "go generate [-run regexp] [-n] [-v] [-x] [build flags] [file.go... | packages]",
    short: "generate Go files by processing source",
    long: include_str!("../help/text/generate.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<GenerateFlags>,
        run,
    },
};

/// Longest line that a directive may stand on.
const LONGEST: usize = 4096;

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let mut flags = GenerateFlags::from_arg_matches(&parsed.matches)?;
    let only = pattern(flags.run.as_deref())?;
    let skip = pattern(flags.skip.as_deref())?;
    flags
        .build
        .tags
        .get_or_insert_default()
        .0
        .push("generate".to_owned());
    let request = Request {
        find: true,
        ..Request::of(
            BuildRequest {
                v: flags.verbose.v,
                ..BuildRequest::of(&flags.build)
            },
            ModRequest::of(&flags.modmode, &flags.modules),
        )
    };
    let bench = loading::prepare(session, request)?;
    let loaded = bench.load(session, &parsed.arguments)?;
    let generator = Generator {
        session,
        flags: &flags,
        only,
        skip,
    };
    let mut told = false;
    for id in &loaded.roots {
        let package = &loaded.set[*id];
        let public = &package.public;
        if bench.modules.enabled() && public.module.as_ref().is_some_and(|module| !module.main) {
            if !std::mem::replace(&mut told, true) {
                session
                    .printer
                    .note("go: not generating in packages in dependency modules");
            }
            continue;
        }
        let [inner, outer] = sources(package);
        if let Some(error) = &public.error
            && inner.is_empty()
            && outer.is_empty()
            && public.files.ignored_go_files.is_empty()
        {
            session.printer.error_plain(error.to_string());
        }
        for list in [inner, outer] {
            for name in list {
                if !generator.file(&Utf8Path::new(&public.dir).join(name)) {
                    break;
                }
            }
        }
    }
    Ok(Status::DONE)
}

fn pattern(text: Option<&str>) -> Result<Option<Regex>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    Regex::new(text)
        .map(Some)
        .map_err(|error| Failure::plain(format!("generate: {error}")))
}

/// The package's files, and those of its outer test.
fn sources(package: &Package) -> [Vec<&String>; 2] {
    let (public, files) = (&package.public, &package.public.files);
    let inner = [&files.cgo_files, &files.go_files, &public.test_go_files];
    let mut inner: Vec<&String> = inner.into_iter().flatten().collect();
    inner.extend(&files.invalid_go_files);
    inner.sort();
    inner.dedup();
    [inner, public.x_test_go_files.iter().collect()]
}

struct Generator<'a> {
    session: &'a Session,
    flags: &'a GenerateFlags,
    only: Option<Regex>,
    skip: Option<Regex>,
}

/// Where a directive stands.
struct Place<'a> {
    file: &'a Utf8Path,
    line: usize,
    package: &'a str,
}

impl Generator<'_> {
    /// One file. False: something went wrong, and has been said.
    fn file(&self, path: &Utf8Path) -> bool {
        let bytes = match self.session.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.session
                    .printer
                    .error_plain(format!("generate: {error}"));
                return false;
            }
        };
        let Some(package) = package_name(&bytes) else {
            return true;
        };
        if self.flags.verbose.v {
            self.session
                .printer
                .note(short_path(self.session.environment().cwd(), path));
        }
        let mut shorthands: HashMap<String, Vec<String>> = HashMap::new();
        for (i, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let place = Place {
                file: path,
                line: i + 1,
                package: &package,
            };
            if let Err(why) = self.line(&place, line, &mut shorthands) {
                let shown = short_path(self.session.environment().cwd(), path);
                self.session
                    .printer
                    .error_plain(format!("{shown}:{}: {why}", place.line));
                return false;
            }
        }
        true
    }

    fn line(
        &self,
        place: &Place<'_>,
        line: &[u8],
        shorthands: &mut HashMap<String, Vec<String>>,
    ) -> std::result::Result<(), String> {
        let Some(rest) = line
            .strip_prefix(b"//go:generate")
            .filter(|rest| rest.starts_with(b" ") || rest.starts_with(b"\t"))
        else {
            return Ok(());
        };
        if line.len() > LONGEST {
            return Err("directive too long".to_owned());
        }
        if !line.ends_with(b"\n") {
            let shown = short_path(self.session.environment().cwd(), place.file);
            return Err(format!("error reading {shown}: unexpected EOF"));
        }
        let whole = String::from_utf8_lossy(line.trim_ascii());
        let wanted = self.only.as_ref().is_none_or(|only| only.is_match(&whole));
        if !wanted || self.skip.as_ref().is_some_and(|skip| skip.is_match(&whole)) {
            return Ok(());
        }
        let environment = self.environment(place);
        let text = String::from_utf8_lossy(rest);
        let mut words = split(text.trim_end_matches('\n').trim_end_matches('\r'))?;
        if let Some(stored) = words.first().and_then(|first| shorthands.get(first)) {
            words.splice(..1, stored.iter().cloned());
        }
        let words: Vec<String> = words
            .iter()
            .map(|word| expand(word, &environment))
            .collect();
        match words.as_slice() {
            [] => Err("no arguments to directive".to_owned()),
            [first] if first == "-command" => Err("no command specified for -command".to_owned()),
            [first, name, command @ ..] if first == "-command" => {
                match shorthands.insert(name.clone(), command.to_vec()) {
                    Some(_) => Err(format!("command {} multiply defined", quote(name))),
                    None => Ok(()),
                }
            }
            _ => self.execute(place, &words, &environment),
        }
    }

    fn environment(&self, place: &Place<'_>) -> Environment {
        let settings = &self.session.settings;
        let dir = place.file.parent().unwrap_or(place.file);
        configs::program_environment(settings)
            .with("GOROOT", settings.get("GOROOT"))
            .with("GOARCH", settings.goarch())
            .with("GOOS", settings.goos())
            .with("GOFILE", place.file.file_name().unwrap_or_default())
            .with("GOLINE", place.line.to_string())
            .with("GOPACKAGE", place.package)
            .with("DOLLAR", "$")
            .in_dir(clean(dir))
    }

    fn execute(
        &self,
        place: &Place<'_>,
        words: &[String],
        environment: &Environment,
    ) -> std::result::Result<(), String> {
        let trace = &self.flags.build.trace;
        if trace.n || trace.x {
            self.session.printer.note(words.join(" "));
        }
        if trace.n {
            return Ok(());
        }
        self.session.printer.flush();
        let _ = place;
        let mut command = Command::new(self.program(&words[0]), environment);
        command.argv0(words[0].as_str()).args(&words[1..]);
        let outcome = match command.foreground() {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        Err(format!("running {}: {outcome}", quote(&words[0])))
    }

    /// `go` is this very program; else programs of the toolchain come before those of the search path.
    fn program(&self, name: &str) -> String {
        if name.contains('/') {
            return name.to_owned();
        }
        if name == "go"
            && let Some(own) = self.session.environment().executable()
        {
            return own.to_string();
        }
        let goroot = self
            .session
            .settings
            .goroot
            .as_ref()
            .map(|goroot| goroot.join("bin").join(name));
        match goroot.filter(|path| self.session.files.is_file(path)) {
            Some(path) => path.into_string(),
            None => name.to_owned(),
        }
    }
}

/// The name in the package clause, `None` if there is none that can be read.
fn package_name(source: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(source);
    let mut rest = text.trim_start_matches('\u{feff}');
    loop {
        rest = rest.trim_start();
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n')?.1;
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/")?.1;
        } else {
            break;
        }
    }
    let rest = rest
        .strip_prefix("package")?
        .strip_prefix([' ', '\t', '\n', '\r'])?
        .trim_start();
    let end = rest
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}

/// Splits a directive into words, some of which may be Go strings.
fn split(line: &str) -> std::result::Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches([' ', '\t']);
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            let Some((end, _)) = end else {
                return Err(if escaped {
                    "bad backslash"
                } else {
                    "mismatched quoted string"
                }
                .to_owned());
            };
            let word = steady_build::quote::unquote(&rest[..=end]).ok_or("bad quoted string")?;
            words.push(word);
            rest = &rest[end + 1..];
            if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
                return Err("expect space after quoted argument".to_owned());
            }
        } else {
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            words.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        rest = rest.trim_start_matches([' ', '\t']);
    }
    Ok(words)
}

/// Replaces `$NAME` and `${NAME}`; what is not set becomes nothing.
fn expand(word: &str, environment: &Environment) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, next) = match after.strip_prefix('{') {
            Some(inner) => match inner.split_once('}') {
                Some((name, next)) => (name, next),
                None => ("", inner),
            },
            None => {
                let end = after
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(after.len());
                if end == 0 {
                    out.push('$');
                }
                (&after[..end], &after[end..])
            }
        };
        out.push_str(environment.get(name));
        rest = next;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_directives() {
        assert_eq!(split(" a \"b c\" d").unwrap(), ["a", "b c", "d"]);
        assert_eq!(split("\t\"a\\tb\"").unwrap(), ["a\tb"]);
        assert_eq!(split(" \"a").unwrap_err(), "mismatched quoted string");
        assert_eq!(
            split(" \"a\"b").unwrap_err(),
            "expect space after quoted argument"
        );
    }

    #[test]
    fn variables_are_replaced() {
        let environment = Environment::empty("/")
            .with("GOFILE", "x.go")
            .with("DOLLAR", "$");
        assert_eq!(
            expand("a$GOFILE-${GOFILE}$NOPE.$DOLLAR", &environment),
            "ax.go-x.go.$"
        );
    }

    #[test]
    fn package_clauses() {
        assert_eq!(
            package_name(b"// c\n/* d */ package main // e").as_deref(),
            Some("main")
        );
        assert_eq!(package_name(b"packag main"), None);
    }
}

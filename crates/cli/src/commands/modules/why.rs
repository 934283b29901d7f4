//! `go mod why`.

use clap::{Args, FromArgMatches};
use std::fmt::Write as _;
use std::sync::Arc;
use steady_module::gover;
use steady_packages::modload::{Details, Modules, PackageOptions, Reuse};

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::editing::split_version;
use crate::commands::finder::Finder;
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::grammar::OWN;
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// The arguments are modules
    #[arg(long)]
    m: bool,
    /// Leave out tests of dependencies
    #[arg(long)]
    vendor: bool,
    /// The arguments are modules, with or without @version: who asks for at least this version, by default the one in use
    #[arg(long, help_heading = OWN)]
    version: bool,
}

/// `go mod why`
pub static WHY: Command = Command {
    usage: "go mod why [-m] [-vendor] packages...",
    short: "explain why packages or modules are needed",
    long: include_str!("../../help/text/mod_why.txt"),
    examples: &[
        (
            "what led to a package",
            "steady mod why golang.org/x/text/language",
        ),
        (
            "who asks for this version or a later one",
            "steady mod why -version golang.org/x/text@v0.14.0",
        ),
        (
            "who asks for the Go version that is needed",
            "steady mod why -version go",
        ),
    ],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    modules::must_be_enabled(&session.settings)?;
    let arguments = &parsed.arguments;
    let with_version = arguments.iter().find(|argument| argument.contains('@'));
    if let Some(argument) = with_version.filter(|_| flags.m && !flags.version) {
        bail!("{argument}: 'go mod why' requires a module path, not a version query");
    }
    let loaded = loading::open_main(session, ModRequest::of_main(&flags.modules))?;
    if flags.version {
        return versions(session, &loaded, arguments);
    }
    let names = if flags.m {
        matching(session, &loaded, arguments)?
    } else {
        Vec::new()
    };
    let options = PackageOptions {
        context: Arc::new(configs::plain_context(session)?),
        any_tags: true,
        tests: !flags.vendor,
        narrow_all: flags.vendor,
        ..PackageOptions::default()
    };
    let names = if flags.m {
        names
    } else {
        loaded.packages_of(arguments, &options)?
    };
    let all = loaded.load_packages(&["all".to_owned()], &options)?;
    let nearest = all.nearest_by_module();
    let (kind, purpose) = (
        if flags.m { "module" } else { "package" },
        if flags.vendor { " to vendor" } else { "" },
    );
    let mut text = String::new();
    for name in &names {
        let package = if flags.m {
            nearest.get(name.as_str()).copied()
        } else {
            Some(name.as_str())
        };
        let why = package.and_then(|package| all.why(package));
        let why =
            why.unwrap_or_else(|| format!("(main module does not need{purpose} {kind} {name})\n"));
        let between = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{between}# {name}\n{why}");
    }
    loaded.index().save();
    session.printer.out(text);
    Ok(Status::DONE)
}

/// Paths of the modules that arguments name.
fn matching(session: &Session, loaded: &Modules, arguments: &[String]) -> Result<Vec<String>> {
    let reuse = Reuse::default();
    let mut finder = Finder {
        session,
        modules: loaded,
        details: Details {
            names: true,
            ..Details::default()
        },
        reuse: &reuse,
        partial: None,
    };
    let found = finder.find(arguments)?;
    match finder.partial {
        Some(error) => Err(error.into()),
        None => Ok(found.into_iter().map(|module| module.path).collect()),
    }
}

/// Who asks for versions of modules: `-version`.
fn versions(session: &Session, loaded: &Modules, arguments: &[String]) -> Result {
    let mut text = String::new();
    for argument in arguments {
        let (path, query) = split_version(argument).map_err(Failure::error)?;
        // Main modules have no version that anybody could ask for.
        let graph = loaded.graph()?;
        let selected = graph.selected(path).unwrap_or_default();
        let least = query.unwrap_or(selected);
        if !least.is_empty() && !gover::mod_is_valid(path, least) {
            bail!("{path}@{least}: not a version");
        }
        let ways = if least.is_empty() {
            Vec::new()
        } else {
            loaded.who_asks(path, least)?
        };
        let between = if text.is_empty() { "" } else { "\n" };
        let _ = match (least, selected) {
            ("", _) => writeln!(text, "{between}# {path}"),
            (least, "") => writeln!(text, "{between}# {path}@{least}"),
            (least, selected) => writeln!(text, "{between}# {path}@{least} (selected: {selected})"),
        };
        if ways.is_empty() {
            let _ = match least {
                "" => writeln!(text, "(no module asks for {path})"),
                least => writeln!(text, "(no module asks for {path} at {least} or later)"),
            };
        }
        for (number, way) in ways.iter().enumerate() {
            if number > 0 {
                text.push('\n');
            }
            for module in way {
                let _ = match module.version.as_str() {
                    "" => writeln!(text, "{}", module.path),
                    _ => writeln!(text, "{module}"),
                };
            }
        }
    }
    session.printer.out(text);
    Ok(Status::DONE)
}

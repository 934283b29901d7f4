//! `go mod tidy`.

use clap::{Args, FromArgMatches};
use similar::TextDiff;
use steady_packages::modload::{Change, ModError, ModMode, TidyOptions};

use super::check_go;
use crate::bail;
use crate::command::{Command, Kind};
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Print what is removed
    #[arg(long)]
    v: bool,
    /// Print the commands
    #[arg(long)]
    x: bool,
    /// Go on in spite of errors
    #[arg(long)]
    e: bool,
    /// Print the changes instead of making them
    #[arg(long)]
    diff: bool,
    /// Set the go line
    #[arg(long, value_name = "version")]
    go: Option<String>,
    /// Keep sums that this Go version needs
    #[arg(long, value_name = "version")]
    compat: Option<String>,
}

/// `go mod tidy`
pub static TIDY: Command = Command {
    usage: "go mod tidy [-e] [-v] [-x] [-diff] [-go=version] [-compat=version]",
    short: "add missing and remove unused modules",
    long: include_str!("../../help/text/mod_tidy.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        bail!("'go mod tidy' accepts no arguments");
    }
    let go = flags.go.clone().unwrap_or_default();
    let compat = flags.compat.clone().unwrap_or_default();
    for (name, version) in [("go", &go), ("compat", &compat)] {
        if !version.is_empty() {
            check_go(session, name, version)?;
        }
    }
    modules::must_be_enabled(&session.settings)?;
    let request = ModRequest {
        mode: Some("mod"),
        common: Some(&flags.modules),
        trace: flags.x,
        force: true,
        no_workspace: true,
        default_mode: Some(ModMode::Mod),
        lenient_sums: true,
        ..ModRequest::default()
    };
    let loaded = loading::open_modules(session, request)?;
    modules::must_have_main(session, &loaded)?;
    let context = std::sync::Arc::new(configs::plain_context(session)?);
    let options = TidyOptions {
        go,
        compat,
        verbose: flags.v,
        as_is: false,
        keep_going: flags.e,
    };
    let key = (!flags.x).then(|| loaded.tidy_key(&options)).flatten();
    if key.as_ref().is_some_and(|key| loaded.was_tidy(key)) {
        return Ok(Status::DONE);
    }
    let tidy = loaded.tidy(context, &options).map_err(Failure::switching)?;
    let errors = tidy.packages.errors(true);
    if !errors.is_empty() {
        let messages: Vec<String> = errors.iter().map(ModError::to_string).collect();
        if !flags.e {
            return Err(Failure::Errors(messages));
        }
        for message in messages {
            session.printer.note(format!("go: {message}"));
        }
    }
    if let Some(other) = &tidy.incompatible {
        if !flags.e {
            for message in &other.errors {
                session.printer.error(message.trim_end());
            }
            session.printer.note(format!("\n{}", other.advice));
            return Err(Failure::Said(Status::FAILED));
        }
        for message in &other.errors {
            session.printer.note(format!("go: {message}"));
        }
    }
    if flags.diff {
        let [go_mod, go_sum] = loaded.diff_tidy(&tidy)?;
        let shown = show(session, "go.mod", &go_mod) | show(session, "go.sum", &go_sum);
        return Ok(if shown { Status::FAILED } else { Status::DONE });
    }
    loaded.commit_tidy(&tidy).map_err(Failure::switching)?;
    if let Some(key) = key {
        loaded.remember_tidy(&key, &tidy);
    }
    Ok(Status::DONE)
}

/// Prints a change; false if there is none.
#[must_use]
pub fn show(session: &Session, name: &str, change: &Change) -> bool {
    if change.before == change.after {
        return false;
    }
    let (old, new) = (format!("current/{name}"), format!("tidy/{name}"));
    let diff = TextDiff::from_lines(&change.before, &change.after);
    let diff = diff
        .unified_diff()
        .context_radius(3)
        .header(&old, &new)
        .to_string();
    session.printer.out(format!("diff {old} {new}\n{diff}\n"));
    true
}

//! `go doc` and `go bug`: their work lies far from building, so the toolchain's own go command does it. A toolchain without that
//! program has its sources, from which it is built.

use clap::Args;
use steady_system::process::Command as Process;

use crate::command::{Command, Kind};
use crate::commands::tool;
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::define;
use crate::session::Session;

#[derive(Args)]
struct BugFlags {
    #[command(flatten)]
    chdir: Chdir,
    /// Print the report's text
    #[arg(long)]
    v: bool,
}

/// `go bug`
pub static BUG: Command = Command {
    usage: "go bug",
    short: "start a bug report",
    long: include_str!("../help/text/bug.txt"),
    examples: &[],
    kind: Kind::Raw {
        flags: define::<BugFlags>,
        run,
    },
};

/// `go doc`
pub static DOC: Command = Command {
    usage: "go doc [doc flags] [package|[package.]symbol[.methodOrField]]",
    short: "show documentation for package or symbol",
    long: include_str!("../help/text/doc.txt"),
    examples: &[],
    kind: Kind::Raw {
        flags: define::<Chdir>,
        run,
    },
};

/// Runs the toolchain's go command with the same words.
fn run(session: &mut Session, words: &[String]) -> Result {
    let name = session.command.long_name();
    if name == "bug" && words.first().is_some_and(|word| !word.starts_with('-')) {
        return Err(Failure::error("bug takes no arguments"));
    }
    let goroot = session.settings.goroot.clone().unwrap_or_default();
    let there = goroot.join("bin/go");
    let own = session.environment().executable();
    let is_own =
        own.is_some_and(|own| session.files.canonicalize(&there).ok().as_deref() == Some(own));
    // Kept until the program has ended.
    let built;
    let program = if session.files.exists(&there) && !is_own {
        there
    } else {
        built = tool::build(session, &ModCommon::default(), "cmd/go", true)?;
        if built.outcome.failed || built.outcome.interrupted {
            return Ok(Status::FAILED);
        }
        built.program.clone()
    };
    session.printer.flush();
    // It must do it itself, and take this toolchain for its own.
    let environment = configs::program_environment(&session.settings)
        .with("GOTOOLCHAIN", "local")
        .with("GOROOT", goroot.as_str());
    let mut command = Process::new(program.as_str(), &environment);
    command.args([name]).args(words);
    match command.foreground() {
        Ok(status) => Ok(Status::of_program(status.exit_code())),
        Err(error) => Err(Failure::error(format!("{name}: {error}"))),
    }
}

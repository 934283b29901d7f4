//! `go mod verify`.

use clap::{Args, FromArgMatches};

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest};
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
}

/// `go mod verify`
pub static VERIFY: Command = Command {
    usage: "go mod verify",
    short: "verify dependencies have expected content",
    long: include_str!("../../help/text/mod_verify.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        bail!("verify takes no arguments");
    }
    let loaded = loading::open_main(session, ModRequest::of_main(&flags.modules))?;
    let mut list = loaded.build_list()?;
    list.retain(|module| !module.version.is_empty());
    let wrong = steady_proxy::verify(loaded.fetcher(), &session.files, &list);
    for message in wrong.iter().flatten() {
        session.printer.error_plain(message);
    }
    if !session.printer.failed() {
        session.printer.out("all modules verified\n");
    }
    Ok(Status::DONE)
}

//! `steady check`: where will this code run?
//!
//! The environments are made in [`environments`] and loaded in [`loads`]; `steady_assure::check` judges what was loaded; [`report`] says it.

mod environments;
mod loads;
mod report;

use clap::{Args, FromArgMatches};
use std::time::Instant;
use steady_assure::check::{self, Environment};

use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args, Debug, Clone)]
pub(super) struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    /// Which environments: a comma-separated list of here, ci, colleague, consumer
    #[arg(
        long,
        value_name = "list",
        default_value = "here,ci,colleague,consumer"
    )]
    env: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Ask module proxies for what is not in the module cache
    #[arg(long)]
    online: bool,
}

/// `steady check`
pub static CHECK: Command = Command {
    usage: "steady check [-env list] [-json] [-online]",
    short: "tell where this code will run: here, in CI, for a colleague, for whoever requires it",
    long: include_str!("../../help/text/check.txt"),
    examples: &[
        ("everywhere", "steady check"),
        ("before pushing", "steady check -env=ci"),
        ("for machines", "steady check -json"),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        return Err(usage("'steady check' accepts no arguments"));
    }
    let wanted = wanted(&flags.env)?;
    let start = Instant::now();
    let survey = environments::Survey::new(session, &flags)?;
    let loads = survey.loads(&wanted)?;
    let (world, times) = loads.run(&survey);
    let judgement = check::judge(&world, &wanted);
    let report = report::Report::new(&survey, &world, judgement, &wanted, &times);
    if flags.json {
        session.printer.out(report.json()?);
    } else {
        session.printer.out(report.text(start.elapsed()));
    }
    Ok(if report.breaks() {
        Status::FAILED
    } else {
        Status::DONE
    })
}

fn usage(text: &str) -> Failure {
    Failure::Message(format!("steady check: {text}"), Status::USAGE)
}

/// The environments that `-env` names, in the order in which they are shown. What does not load here tells of much that is seen
/// elsewhere, so that is always loaded too.
fn wanted(list: &str) -> Result<Vec<Environment>> {
    let mut all = Vec::new();
    for name in list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let one = Environment::named(name).ok_or_else(|| {
            usage(&format!(
                "-env={name}: there is no such environment; there are here, ci, colleague, consumer"
            ))
        })?;
        all.push(one);
    }
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return Err(usage("-env names no environment"));
    }
    Ok(all)
}

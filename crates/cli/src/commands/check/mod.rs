//! `steady check`: where will this code run?
//!
//! The environments are made in `environments`, planned and loaded in `loads` (each `load` by itself); `steady_assure::check` judges what was loaded; `report` says it,
//! and `fix` runs what mends it.

mod environments;
mod fix;
mod healing;
mod load;
mod loads;
mod older;
mod probes;
mod progress;
mod prove;
mod report;

use clap::{Args, FromArgMatches};
use std::time::Instant;
use steady_assure::check::{self, Environment, accept, proof};
use steady_system::clock::Clock;

use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::session::Session;
use report::Report;

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
    /// Check every module of the repository by itself, where no go.work holds them together
    #[arg(long)]
    all: bool,
    /// Build and link in throw-away copies too, for every platform
    #[arg(long)]
    prove: bool,
    /// Run the tests there too
    #[arg(long)]
    test: bool,
    /// Run the fixes that are marked safe, then check again
    #[arg(long)]
    fix: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print a SARIF 2.1.0 log
    #[arg(long)]
    sarif: bool,
    /// Print workflow commands, which CI turns into annotations
    #[arg(long)]
    annotations: bool,
    /// Ask module proxies for what is not in the module cache
    #[arg(long)]
    online: bool,
}

/// `steady check`
pub static CHECK: Command = Command {
    usage: "steady check [-env list] [-all] [-prove] [-test] [-fix] [-json | -sarif | -annotations] [-online]",
    short: "tell where this code will run: here, in CI, for a colleague, for whoever requires it",
    long: include_str!("../../help/text/check.txt"),
    examples: &[
        ("everywhere", "steady check"),
        ("before pushing", "steady check -env=ci"),
        (
            "all modules of a repository without go.work",
            "steady check -all",
        ),
        ("mend what can be mended safely", "steady check -fix"),
        ("in a CI job", "steady check -annotations"),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        return Err(usage("it takes no arguments"));
    }
    if [flags.json, flags.sarif, flags.annotations]
        .iter()
        .filter(|on| **on)
        .count()
        > 1
    {
        return Err(usage("only one of -json, -sarif and -annotations"));
    }
    let wanted = wanted(&flags.env)?;
    let start = Instant::now();
    let mut report = checked(session, &flags, &wanted).map_err(undone)?;
    if flags.fix {
        let fixed = fix::apply(session, &report);
        if fixed.iter().any(|one| one.failure.is_none()) {
            report = checked(session, &flags, &wanted).map_err(undone)?;
        }
        report.fixed = fixed;
    }
    session
        .printer
        .out(match (flags.json, flags.sarif, flags.annotations) {
            (true, _, _) => report.json()?,
            (_, true, _) => report.sarif()?,
            (_, _, true) => report.annotations(),
            _ => report.text(start.elapsed()),
        });
    Ok(if report.breaks() {
        Status::FAILED
    } else {
        Status::DONE
    })
}

/// One check from beginning to end.
fn checked(session: &Session, flags: &Flags, wanted: &[Environment]) -> Result<Report> {
    let survey = environments::Survey::new(session, flags)?;
    let watcher = progress::Watcher::new(session, flags.fix);
    let loads = survey.loads(wanted)?;
    let probes = probes::Probes::new(&survey, loads.index().cloned());
    let (mut world, mut times) = loads.run(&survey, &probes, &watcher);
    world.healing = survey.healing(&world)?;
    world.probes = probes.found();
    world.tests = flags.test;
    let mut judgement = check::judge(&world, wanted);
    if flags.prove || flags.test {
        let proved = survey.prove(&world, wanted, flags, &watcher, &mut times)?;
        judgement.add(proof::judge(&world, &proved.proofs), wanted);
        for (environment, reason) in proved.unknown {
            let reasons = judgement.unknown.entry(environment).or_default();
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    let seconds = Clock::System.nanos() / 1_000_000_000;
    survey
        .rules
        .apply(&mut judgement.findings, &accept::day(seconds));
    let wanted = (wanted, flags.prove || flags.test);
    Ok(Report::new(&survey, &world, judgement, wanted, &times))
}

fn usage(text: &str) -> Failure {
    Failure::Message(format!("steady check: {text}"), Status::USAGE)
}

/// Why there is no answer; 1 is the code of one that says that something breaks.
fn undone(failure: Failure) -> Failure {
    match failure {
        Failure::Errors(messages) => {
            let lines: Vec<String> = messages.iter().map(|text| format!("go: {text}")).collect();
            Failure::Message(lines.join("\n"), Status::USAGE)
        }
        Failure::Message(text, _) => Failure::Message(text, Status::USAGE),
        other => other,
    }
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

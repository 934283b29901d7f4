//! `steady verify`: the whole chain of trust, link by link.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, FromArgMatches};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use steady_assure::verify::{
    BuildCache, Chain, Distribution, Failure as Broken, Link, Outcome, Repaired, Report,
};
use steady_module::amount::amount;
use steady_module::modfile::WorkFile;
use steady_system::Files;

use crate::command::{Command, Kind};
use crate::configs;
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::misuse;
use crate::modules;
use crate::session::{Session, memories};
use crate::settings::platform;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are flags
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    /// Look at these links only: sums, cache, tree, vendor, replaced, objects, toolchain
    #[arg(long, value_name = "names", value_delimiter = ',')]
    links: Vec<String>,
    /// Mend what can be mended, then look again
    #[arg(long)]
    repair: bool,
    /// Take replaced directories as they are now for right
    #[arg(long)]
    accept: bool,
    /// What could not be checked is a failure too
    #[arg(long)]
    strict: bool,
    /// Show every failure, however many there are
    #[arg(long)]
    all: bool,
    /// Report as one JSON object
    #[arg(long)]
    json: bool,
}

/// `steady verify`
pub static VERIFY: Command = Command {
    usage: "steady verify [-links names] [-offline] [-repair] [-accept] [-strict] [-all] [-json]",
    short: "hold everything a build takes in against what vouches for it",
    long: include_str!("../help/text/verify.txt"),
    examples: &[
        ("the whole chain", "steady verify"),
        (
            "what lies on this disk, without network",
            "steady verify -offline",
        ),
        ("mend what is damaged", "steady verify -repair"),
        (
            "vendor/ alone, in CI",
            "steady verify -links vendor -strict",
        ),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

/// Failures of a link that are shown before the rest is only counted.
const SHOWN: usize = 20;

/// How often it is mended and looked at again.
const ROUNDS: usize = 2;

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        misuse!("'steady verify' accepts no arguments");
    }
    let mut links = Vec::new();
    for name in &flags.links {
        match Link::named(name) {
            Some(link) => links.push(link),
            None => misuse!(
                "-links={name}: must be of {}",
                Link::ALL.map(Link::name).join(", ")
            ),
        }
    }
    if links.is_empty() {
        links = Link::ALL.to_vec();
    }
    modules::must_be_enabled(&session.settings)?;
    let looks = looks(session, &flags, &links)?;
    let mut reports = look(session, &looks)?;
    let mut repaired = Vec::new();
    let broken = |reports: &[Report]| {
        reports
            .iter()
            .any(|report| report.failures().next().is_some())
    };
    // What is mended may show something else for what it is: a copy of a file that was forged too.
    for _ in 0..ROUNDS {
        if !flags.repair || !broken(&reports) {
            break;
        }
        if !flags.json {
            session.printer.out(text(&whole(&reports), &flags));
        }
        let mut now = Vec::new();
        for (look, report) in looks.iter().zip(&reports) {
            now.extend(with_chain(session, look, |chain| chain.repair(report))?);
        }
        if !flags.json {
            session.printer.out(mended(&now));
        }
        let helped = now.iter().any(|one| one.error.is_none());
        repaired.extend(now);
        reports = look(session, &looks)?;
        if !helped {
            break;
        }
    }
    let report = whole(&reports);
    if flags.json {
        session.printer.out(json(&report, &repaired)?);
    } else {
        session.printer.out(text(&report, &flags));
        session.printer.out(verdict(&report));
    }
    let wrong = report.failures().next().is_some()
        || (flags.strict && report.unverified().next().is_some());
    Ok(if wrong { Status::FAILED } else { Status::DONE })
}

/// One look at some links.
pub struct Look<'l> {
    /// Flags about modules.
    pub common: &'l ModCommon,
    /// The links.
    pub links: Vec<Link>,
    /// Replaced directories as they are now are accepted.
    pub accept: bool,
    /// The member of a workspace in this directory, as if it were alone.
    pub alone: Option<Utf8PathBuf>,
}

/// The looks that answer a run: at everything as it is built here, and at vendor directories of members, which builds outside of the
/// workspace use.
fn looks<'l>(session: &mut Session, flags: &'l Flags, links: &[Link]) -> Result<Vec<Look<'l>>> {
    let one = |links: &[Link], alone| Look {
        common: &flags.modules,
        links: links.to_vec(),
        accept: flags.accept,
        alone,
    };
    let Some(work) = modules::go_work(&session.settings, &session.files)? else {
        return Ok(vec![one(links, None)]);
    };
    let base = work.parent().unwrap_or(Utf8Path::new("/"));
    let mut members = members(session, &work)?;
    members.retain(|dir| {
        // The workspace's own one is looked at anyway.
        dir != base && session.files.exists(dir.join("vendor/modules.txt"))
    });
    if !links.contains(&Link::Vendor) || members.is_empty() {
        return Ok(vec![one(links, None)]);
    }
    // Where members have one, that the workspace has none is nothing to tell of.
    let own = session.files.exists(base.join("vendor"));
    let others = links.iter().copied();
    let first: Vec<Link> = others.filter(|link| own || *link != Link::Vendor).collect();
    let first = (!first.is_empty()).then(|| one(&first, None));
    let alone = members
        .into_iter()
        .map(|dir| one(&[Link::Vendor], Some(dir)));
    Ok(first.into_iter().chain(alone).collect())
}

fn members(session: &Session, work: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let text = session.files.read_to_string(work)?;
    let base = work.parent().unwrap_or(Utf8Path::new("/"));
    let mut as_written = |_: &str, version: &str| Ok(version.to_owned());
    // What cannot be read has been told by whoever loads it.
    let file = WorkFile::parse("go.work", &text, Some(&mut as_written)).unwrap_or_default();
    let uses = file.uses.iter();
    Ok(uses
        .map(|used| steady_system::clean(&base.join(&used.path)))
        .collect())
}

fn look(session: &mut Session, looks: &[Look<'_>]) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for look in looks {
        reports.push(with_chain(session, look, |chain| chain.verify())?);
    }
    Ok(reports)
}

fn whole(reports: &[Report]) -> Report {
    let mut all = Report::default();
    reports.iter().cloned().for_each(|report| all.add(report));
    all
}

/// Puts the chain together, from modules that know nothing yet.
///
/// # Errors
/// go.mod or go.work cannot be read.
pub fn with_chain<T>(
    session: &mut Session,
    look: &Look<'_>,
    work: impl FnOnce(&Chain<'_>) -> T,
) -> Result<T> {
    let request = ModRequest {
        quiet: true,
        no_workspace: look.alone.is_some(),
        main_dir: look.alone.as_deref(),
        ..ModRequest::of_main(look.common)
    };
    let loaded = loading::open_modules(session, request)?;
    modules::must_have_main(session, &loaded)?;
    let vendor_command = match (&look.alone, loaded.go_work()) {
        (Some(dir), _) => format!(
            "cd {} && GOWORK=off steady mod vendor",
            modules::short_path(session.environment().cwd(), dir)
        ),
        (None, Some(_)) => "steady work vendor".to_owned(),
        (None, None) => "steady mod vendor".to_owned(),
    };
    let context = Arc::new(configs::plain_context(session)?);
    let settings = &session.settings;
    let bar = bar(session);
    let progress = |link: Link, done: usize, total: usize| {
        if let Some(bar) = &bar {
            bar.set_message(format!("{} {done}/{total}", link.name()));
        }
    };
    let chain = Chain {
        modules: &loaded,
        // The disk itself: what an overlay shows is nobody's to verify.
        files: &Files::new(session.files.cwd()),
        context,
        build_cache: build_cache(session),
        distribution: Distribution {
            goroot: settings.goroot.clone().unwrap_or_default(),
            version: settings.version.clone(),
            os: platform::host_os().to_owned(),
            arch: platform::host_arch().to_owned(),
        },
        memory: memories(&settings.environment).map(|dir| dir.join("replaced")),
        links: look.links.clone(),
        vendor_command,
        accept: look.accept,
        progress: &progress,
    };
    let done = work(&chain);
    loaded.index().save();
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    Ok(done)
}

fn bar(session: &Session) -> Option<ProgressBar> {
    session.printer.is_terminal().then(|| {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{spinner} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    })
}

fn build_cache(session: &Session) -> BuildCache {
    let settings = &session.settings;
    match (settings.get("GOCACHEPROG"), settings.gocache()) {
        ("", (Ok(dir), _)) if dir.is_absolute() => BuildCache::Dir(dir),
        ("", (Ok(dir), _)) => BuildCache::Elsewhere(format!("GOCACHE={dir}")),
        ("", (Err(error), _)) => BuildCache::Elsewhere(error.clone()),
        (program, _) => {
            BuildCache::Elsewhere(format!("a program keeps it (GOCACHEPROG={program})"))
        }
    }
}

/// A line a link, and what there is to say of it.
fn text(report: &Report, flags: &Flags) -> String {
    let mut out = String::new();
    for outcome in &report.outcomes {
        line(&mut out, outcome);
        for note in &outcome.notes {
            let _ = writeln!(out, "      note: {note}");
        }
        for unverified in &outcome.unverified {
            let _ = writeln!(
                out,
                "      not checked: {} {}: {}",
                unverified.count, unverified.what, unverified.reason
            );
            if !unverified.fix.is_empty() {
                let _ = writeln!(out, "        to check: {}", unverified.fix);
            }
        }
        let shown = if flags.all { usize::MAX } else { SHOWN };
        for failure in outcome.failures.iter().take(shown) {
            broken(&mut out, failure);
        }
        let more = outcome.failures.len().saturating_sub(shown);
        if more > 0 {
            let _ = writeln!(out, "      … and {more} more: -all shows them");
        }
    }
    out
}

const FAILURES: [&str; 2] = ["failure", "failures"];

fn line(out: &mut String, outcome: &Outcome) {
    let state = match (outcome.failures.len(), outcome.unverified.len()) {
        (0, 0) if outcome.checked == 0 => "--",
        (0, 0) => "ok",
        (0, _) => "part",
        _ => "FAIL",
    };
    let size = match outcome.bytes {
        0 => String::new(),
        bytes => format!(", {}", HumanBytes(bytes)),
    };
    let failures = match outcome.failures.len() {
        0 => String::new(),
        count => format!(", {}", amount(count, FAILURES)),
    };
    let _ = writeln!(
        out,
        "{state:<5} {:<10} {} checked{size}{failures}  ({:.2}s)",
        outcome.link.name(),
        amount(outcome.checked, outcome.unit),
        outcome.elapsed.as_secs_f64()
    );
}

fn broken(out: &mut String, failure: &Broken) {
    let place = match failure.line {
        Some(line) => format!("{}:{line}", failure.file),
        None => failure.file.to_string(),
    };
    let module = match &failure.module {
        Some(module) if module.version.is_empty() => format!(" ({})", module.path),
        Some(module) => format!(" ({module})"),
        None => String::new(),
    };
    let _ = writeln!(out, "      {}: {place}{module}", failure.problem.word());
    let words = [
        ("expected", &failure.expected),
        ("found", &failure.found),
        ("likely", &failure.cause),
        ("fix", &failure.fix),
    ];
    for (name, text) in words.into_iter().filter(|(_, text)| !text.is_empty()) {
        let text = text.trim_end().replace('\n', "\n                  ");
        let _ = writeln!(out, "        {name:<9} {text}");
    }
}

fn mended(repaired: &[Repaired]) -> String {
    let mut out = String::new();
    for one in repaired {
        let _ = match &one.error {
            None => writeln!(out, "repaired: {}", one.what),
            Some(error) => writeln!(out, "not repaired: {}: {error}", one.what),
        };
    }
    if repaired.is_empty() {
        out.push_str("nothing of this can be repaired from here: see the fix of each\n");
    }
    out
}

fn verdict(report: &Report) -> String {
    let failures = report.failures().count();
    let unchecked: usize = report.unverified().map(|unverified| unverified.count).sum();
    let checked: usize = report.outcomes.iter().map(|outcome| outcome.checked).sum();
    match (failures, unchecked) {
        (0, 0) if checked == 0 => "there is nothing to verify\n".to_owned(),
        (0, 0) => "verified\n".to_owned(),
        (0, count) => format!(
            "nothing wrong found; {} could not be checked\n",
            amount(count, ["thing", "things"])
        ),
        (count, _) => format!("not verified: {}\n", amount(count, FAILURES)),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReportJson<'a> {
    verified: bool,
    complete: bool,
    repaired: Vec<RepairedJson<'a>>,
    links: Vec<LinkJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RepairedJson<'a> {
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LinkJson<'a> {
    link: &'a str,
    checked: usize,
    unit: &'a str,
    bytes: u64,
    seconds: f64,
    notes: &'a [String],
    unverified: Vec<UnverifiedJson<'a>>,
    failures: Vec<FailureJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UnverifiedJson<'a> {
    what: &'a str,
    count: usize,
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    fix: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FailureJson<'a> {
    problem: &'a str,
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "str::is_empty")]
    module: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
    expected: &'a str,
    found: &'a str,
    cause: &'a str,
    fix: &'a str,
}

fn json(report: &Report, repaired: &[Repaired]) -> Result<String> {
    let repaired = repaired.iter().map(|one| RepairedJson {
        what: &one.what,
        error: one.error.as_deref(),
    });
    let value = ReportJson {
        verified: report.failures().next().is_none() && report.unverified().next().is_none(),
        complete: report.unverified().next().is_none(),
        repaired: repaired.collect(),
        links: report.outcomes.iter().map(link_json).collect(),
    };
    Ok(gojson::to_string(&value)? + "\n")
}

fn link_json(outcome: &Outcome) -> LinkJson<'_> {
    let unverified = outcome.unverified.iter().map(|unverified| UnverifiedJson {
        what: &unverified.what,
        count: unverified.count,
        reason: &unverified.reason,
        fix: &unverified.fix,
    });
    let failures = outcome.failures.iter().map(|failure| FailureJson {
        problem: failure.problem.word(),
        file: failure.file.as_str(),
        line: failure.line,
        module: failure.module.as_ref().map_or("", |module| &module.path),
        version: failure.module.as_ref().map_or("", |module| &module.version),
        expected: &failure.expected,
        found: &failure.found,
        cause: &failure.cause,
        fix: &failure.fix,
    });
    LinkJson {
        link: outcome.link.name(),
        checked: outcome.checked,
        unit: outcome.unit[1],
        bytes: outcome.bytes,
        seconds: outcome.elapsed.as_secs_f64(),
        notes: &outcome.notes,
        unverified: unverified.collect(),
        failures: failures.collect(),
    }
}

//! `steady freeze`: the lock and the snapshot of dependencies held against each other, and the documents made from them.

mod documents;
pub mod reproduce;

use clap::{Args, FromArgMatches};
use serde::Serialize;
use std::fmt::Write as _;
use steady_assure::verify::{Failure as Broken, Link};
use steady_module::amount::amount;
use steady_module::changes::changes;
use steady_module::gover;
use steady_packages::modload::{ModError, ModMode, Modules, Tidy, TidyOptions};

use super::modules::vendor::{VendorFlags, vendor};
use super::verify::{Look, with_chain};
use super::work;
use crate::command::{Command, Kind};
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{FullBuildFlags, ModCommon};
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::loading::{self, ModRequest};
use crate::misuse;
use crate::modules;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    /// Change nothing: say whether lock and snapshot agree
    #[arg(long)]
    check: bool,
    /// Write a bill of materials instead: cyclonedx, cyclonedx-1.5 or spdx
    #[arg(long, value_name = "format")]
    sbom: Option<String>,
    /// With -sbom: that of this program, by its build info
    #[arg(long, value_name = "file")]
    binary: Option<String>,
    /// Write an in-toto statement instead that says where this program comes from
    #[arg(long, value_name = "file")]
    provenance: Option<String>,
    /// With -provenance: the URI of what built it, which whoever signs the statement vouches for
    #[arg(long, value_name = "URI")]
    builder: Option<String>,
    /// Write the document to this file
    #[arg(long, value_name = "file")]
    o: Option<String>,
    #[command(flatten)]
    build: FullBuildFlags,
}

/// `steady freeze`
pub static FREEZE: Command = Command {
    usage: "steady freeze [-check | -sbom format [-binary file] | -provenance file [-builder URI]] [-o file] [build flags] [packages]",
    short: "lock and vendor dependencies, and say what they are",
    long: include_str!("../../help/text/freeze.txt"),
    examples: &[
        (
            "go.mod, go.sum and vendor/ brought in order",
            "steady freeze",
        ),
        ("do they agree? in CI", "steady freeze -check"),
        (
            "what a program is made of",
            "steady freeze -sbom cyclonedx -o bom.json ./cmd/app",
        ),
        (
            "the same of a finished program",
            "steady freeze -sbom spdx -binary bin/app",
        ),
        (
            "where a program comes from",
            "steady freeze -provenance bin/app",
        ),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    let asked = [
        flags.check,
        flags.sbom.is_some(),
        flags.provenance.is_some(),
    ];
    if asked.into_iter().filter(|asked| *asked).count() > 1 {
        misuse!("-check, -sbom and -provenance exclude one another");
    }
    if flags.binary.is_some() && flags.sbom.is_none() {
        misuse!("-binary goes with -sbom");
    }
    if flags.builder.is_some() && flags.provenance.is_none() {
        misuse!("-builder goes with -provenance");
    }
    if let Some(file) = &flags.provenance {
        let builder = flags.builder.as_deref();
        return documents::provenance(session, file, builder, flags.o.as_deref());
    }
    if let Some(format) = &flags.sbom {
        let write = documents::format(format)?;
        let bom = match &flags.binary {
            Some(file) => documents::of_program(session, file)?,
            None => documents::of_packages(session, &flags.build, &parsed.arguments)?,
        };
        return documents::give(session, &write(&bom), flags.o.as_deref());
    }
    if !parsed.arguments.is_empty() || flags.o.is_some() {
        misuse!("packages and -o go with -sbom");
    }
    modules::must_be_enabled(&session.settings)?;
    let json = flags.build.json.json;
    if flags.check {
        check(session, &flags.build.modules, json)
    } else {
        freeze(session, &flags.build.modules, json)
    }
}

/// Every module in order, with what tidy makes of it.
fn lock(session: &mut Session, common: &ModCommon) -> Result<Vec<(Modules, Tidy)>> {
    let tidied = if modules::go_work(&session.settings, &session.files)?.is_some() {
        work::tidy::resolve(session, common, false, false)?
    } else {
        let request = ModRequest {
            mode: Some("mod"),
            default_mode: Some(ModMode::Mod),
            common: Some(common),
            force: true,
            no_workspace: true,
            lenient_sums: true,
            ..ModRequest::default()
        };
        let loaded = loading::open_modules(session, request)?;
        modules::must_have_main(session, &loaded)?;
        let context = std::sync::Arc::new(configs::plain_context(session)?);
        let tidy = loaded
            .tidy(context, &TidyOptions::default())
            .map_err(Failure::switching)?;
        vec![(loaded, tidy)]
    };
    let errors = tidied
        .iter()
        .flat_map(|(_, tidy)| tidy.packages.errors(true));
    let messages: Vec<String> = errors.map(|error: ModError| error.to_string()).collect();
    if messages.is_empty() {
        Ok(tidied)
    } else {
        Err(Failure::Errors(messages))
    }
}

/// Something that does not agree.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Difference {
    /// `lock`, `snapshot`, or `unchecked`.
    part: &'static str,
    /// The file; empty if it is about more than one.
    #[serde(skip_serializing_if = "String::is_empty")]
    file: String,
    /// What is wrong with it, in one word; empty if it could not be checked.
    #[serde(skip_serializing_if = "str::is_empty")]
    problem: &'static str,
    /// All of it, as it is told.
    message: String,
}

/// What tidy would change.
fn lock_changes(session: &Session, tidied: &[(Modules, Tidy)]) -> Result<Vec<Difference>> {
    let mut found = Vec::new();
    for (module, tidy) in tidied {
        let dir = module.mains().first().map(|main| main.dir.clone());
        let dir = dir.unwrap_or_default();
        let [go_mod, go_sum] = module.diff_tidy(tidy)?;
        for (name, change) in [("go.mod", go_mod), ("go.sum", go_sum)] {
            if change.before != change.after {
                let name = modules::short_path(session.environment().cwd(), &dir.join(name));
                let name = name.to_string();
                let mut lines = changes(&change.before, &change.after);
                if lines.is_empty() {
                    "\n\tlines in another order".clone_into(&mut lines);
                }
                found.push(Difference {
                    part: "lock",
                    problem: "stale",
                    message: format!("{name} is not what the packages need:{lines}"),
                    file: name,
                });
            }
        }
    }
    Ok(found)
}

fn freeze(session: &mut Session, common: &ModCommon, json: bool) -> Result {
    let tidied = lock(session, common)?;
    let changed = lock_changes(session, &tidied)?;
    let mut newest = String::new();
    for (module, tidy) in &tidied {
        module.commit_tidy(tidy).map_err(Failure::switching)?;
        newest = gover::max(&newest, tidy.reqs.go_version()).to_owned();
    }
    if let Some(path) = modules::go_work(&session.settings, &session.files)? {
        work::workfile::keep_up(session, &path, &newest)?;
    }
    drop(tidied);
    let status = vendor(session, common, &VendorFlags::default(), &[])?;
    if status != Status::DONE {
        return Ok(status);
    }
    let mut text = String::new();
    for change in changed {
        let _ = writeln!(
            text,
            "changed: {}",
            change.message.replace(" is not what the packages need", "")
        );
    }
    if !json {
        session.printer.out(text);
    }
    check(session, common, json)
}

/// Both safeguards, one answer.
fn check(session: &mut Session, common: &ModCommon, json: bool) -> Result {
    let tidied = lock(session, common)?;
    let mut wrong = lock_changes(session, &tidied)?;
    let needs = tidied.iter().any(|(module, _)| {
        let mains = module.mains().iter();
        mains.map(|main| main.file.require.len()).sum::<usize>() > 0
    });
    drop(tidied);
    let look = Look {
        common,
        links: vec![Link::Vendor],
        accept: false,
        alone: None,
    };
    let report = with_chain(session, &look, |chain| {
        let place = chain.modules.vendor_place().unwrap_or_default();
        let there = chain.files.is_dir(&place);
        (chain.verify(), there.then_some(()).ok_or(place))
    })?;
    let (report, place) = report;
    if let Err(place) = place
        && needs
    {
        let file = modules::short_path(session.environment().cwd(), &place).to_string();
        wrong.push(Difference {
            part: "snapshot",
            problem: "missing",
            message: format!("{file} is missing: there is no snapshot"),
            file,
        });
    }
    wrong.extend(report.failures().map(|failure| drift(session, failure)));
    wrong.extend(report.unverified().map(|unverified| Difference {
        part: "unchecked",
        file: String::new(),
        problem: "",
        message: format!(
            "{} {} could not be checked: {}",
            unverified.count, unverified.what, unverified.reason
        ),
    }));
    let files: usize = report.outcomes.iter().map(|outcome| outcome.checked).sum();
    let frozen = wrong.is_empty();
    session.printer.out(if json {
        let value = serde_json::json!({ "Frozen": frozen, "Files": files, "Differences": wrong });
        gojson::to_string(&value)? + "\n"
    } else {
        said(&wrong, files)
    });
    Ok(if frozen { Status::DONE } else { Status::FAILED })
}

/// A file of the snapshot that is not what it should be.
fn drift(session: &Session, failure: &Broken) -> Difference {
    let file = modules::short_path(session.environment().cwd(), &failure.file).to_string();
    let problem = failure.problem.word();
    let (expected, found) = (&failure.expected, &failure.found);
    Difference {
        part: "snapshot",
        problem,
        message: format!("{file} is {problem}: expected {expected}, found {found}"),
        file,
    }
}

/// The answer in words.
fn said(wrong: &[Difference], files: usize) -> String {
    if wrong.is_empty() {
        return format!(
            "frozen: go.mod and go.sum are what the packages need, and vendor/ is what they say ({})\n",
            amount(files, ["file", "files"])
        );
    }
    let mut text = String::new();
    for difference in wrong {
        let _ = writeln!(text, "{}", difference.message);
    }
    text + "not frozen: run 'steady freeze'\n"
}

//! `steady cache prune`: what was used longest ago goes, until the rest fits.

use clap::{Args, FromArgMatches};
use indicatif::HumanBytes;
use serde_json::json;
use std::time::Duration;
use steady_build::cache::{Limits, Pruned, Survey, prune};
use steady_module::amount::amount;
use steady_system::clock::Clock;

use super::amounts;
use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    /// Leave no more than this: 5GB, 500MiB
    #[arg(long = "max-size", value_name = "size", value_parser = amounts::size)]
    max_size: Option<u64>,
    /// Remove what was not used for so long: 30d, 12h
    #[arg(long = "older-than", value_name = "age", value_parser = amounts::age)]
    older_than: Option<Duration>,
    /// Only say what would be removed
    #[arg(long)]
    n: bool,
    /// Say it as JSON
    #[arg(long)]
    json: bool,
}

/// `steady cache prune`
pub static PRUNE: Command = Command {
    usage: "steady cache prune [-max-size size] [-older-than age] [-n] [-json]",
    short: "remove from the build cache what was used longest ago",
    long: include_str!("../../help/text/cache_prune.txt"),
    examples: &[
        ("down to a size", "steady cache prune -max-size 5GB"),
        ("see what would go", "steady cache prune -older-than 30d -n"),
    ],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        bail!("'steady cache prune' accepts no arguments");
    }
    if flags.max_size.is_none() && flags.older_than.is_none() {
        bail!("'steady cache prune' needs -max-size, -older-than, or both");
    }
    let dir = session.settings.gocache().0.map_err(Failure::error)?;
    if dir == "off" {
        bail!("there is no build cache: GOCACHE=off");
    }
    let limits = Limits {
        size: flags.max_size,
        age: flags.older_than,
        dry: flags.n,
    };
    let pruned = prune(&Survey::of(&dir), limits, Clock::System.now());
    if flags.json {
        let value = json!({
            "Dir": dir.as_str(),
            "DryRun": flags.n,
            "Removed": pruned.removed,
            "Freed": pruned.freed,
            "Left": pruned.left,
            "InUse": pruned.in_use,
            "Kept": pruned.kept,
        });
        session.printer.out(format!("{value}\n"));
    } else {
        session.printer.out(text(&pruned, flags.n));
    }
    Ok(Status::DONE)
}

fn text(pruned: &Pruned, dry: bool) -> String {
    let (would, past) = if dry {
        ("would be ", "would be left")
    } else {
        ("", "are left")
    };
    let mut text = format!(
        "{} in {} {would}removed; {} {past}\n",
        HumanBytes(pruned.freed),
        amount(pruned.removed, ["output", "outputs"]),
        HumanBytes(pruned.left)
    );
    if pruned.in_use > 0 {
        let in_use = HumanBytes(pruned.in_use);
        text.push_str(&format!(
            "{in_use} more were used within the last two hours and stay: a build may be using them\n"
        ));
    }
    if pruned.kept > 0 {
        let kept = amount(pruned.kept, ["output", "outputs"]);
        text.push_str(&format!(
            "{kept} could not be removed, or somebody used them meanwhile\n"
        ));
    }
    text
}

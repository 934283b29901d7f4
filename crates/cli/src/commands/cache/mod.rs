//! `steady cache`: what the caches hold, and making the build cache smaller.

mod amounts;
mod prune;
mod show;

use crate::command::{Command, Kind};

/// `steady cache`
pub static CACHE: Command = Command {
    usage: "steady cache",
    short: "show what the caches hold, and prune the build cache",
    long: include_str!("../../help/text/cache_own.txt"),
    examples: &[],
    kind: Kind::Group(&[&show::SHOW, &prune::PRUNE]),
};

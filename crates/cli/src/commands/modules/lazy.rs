//! `steady mod graph -lazy`: what lazy module loading reads, and what it spares.
//!
//! What counts are go.mod files of other modules, and the time from asking for them to having them parsed. Which ones a build reads is
//! found out by loading the packages; then both sets are read once more, each from nothing and in the same way, to be timed.

use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use steady_module::ModuleVersion;
use steady_packages::modload::{self, Modules};

use crate::configs::BuildRequest;
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::build::{BuildFlags, ModCommon};
use crate::loading::{self, ModRequest, Request};
use crate::modules;
use crate::session::Session;

/// One reading.
struct Reading {
    modules: BTreeSet<String>,
    time: Duration,
}

impl Reading {
    fn timed(modules: &Modules, read: impl FnOnce() -> modload::Result<()>) -> Result<Reading> {
        let start = Instant::now();
        read()?;
        let time = start.elapsed();
        let read = modules.read_go_mods();
        Ok(Reading {
            modules: read.iter().map(ModuleVersion::to_string).collect(),
            time,
        })
    }

    fn milliseconds(&self) -> f64 {
        (self.time.as_secs_f64() * 1e6).round() / 1e3
    }
}

/// Loads the packages of the main modules as a build would, then the whole graph, and shows both.
///
/// # Errors
/// Modules that cannot be read.
pub fn show(session: &mut Session, common: &ModCommon, json: bool) -> Result {
    let build = BuildFlags::default();
    let request = Request {
        skip_embeds: true,
        ..Request::of(
            BuildRequest::of(&build),
            ModRequest {
                common: Some(common),
                force: true,
                from_nothing: true,
                ..ModRequest::default()
            },
        )
    };
    let bench = loading::prepare(session, request)?;
    modules::must_have_main(session, &bench.modules)?;
    let mains = bench.modules.mains().iter();
    // By directory: import paths with wildcards are looked for in the whole graph.
    let patterns: Vec<String> = mains.map(|main| format!("{}/...", main.dir)).collect();
    // What is wrong with single packages is for `list` and `build` to tell.
    bench.load(session, &patterns)?;
    let needed = bench.modules.read_go_mods();
    let again = loading::open_modules(session, request.modules)?;
    let lazy = Reading::timed(&again, || again.read_each(&needed))?;
    let again = loading::open_modules(session, request.modules)?;
    let whole = Reading::timed(&again, || again.graph().map(drop))?;
    session.printer.out(if json {
        as_json(&lazy, &whole)
    } else {
        as_text(&lazy, &whole)
    });
    Ok(Status::DONE)
}

fn as_text(lazy: &Reading, whole: &Reading) -> String {
    let spared = whole.modules.difference(&lazy.modules).count();
    let line = |name: &str, files: usize, time: f64, what: &str| {
        format!("{name:<7}{files:>6} go.mod files {time:>9.3} ms  {what}\n")
    };
    let share = 100.0 * spared as f64 / whole.modules.len().max(1) as f64;
    line(
        "read",
        lazy.modules.len(),
        lazy.milliseconds(),
        "what the main modules' packages need",
    ) + &line(
        "graph",
        whole.modules.len(),
        whole.milliseconds(),
        "the whole module graph",
    ) + &line(
        "spared",
        spared,
        (whole.milliseconds() - lazy.milliseconds()).max(0.0),
        &format!("{share:.0} % of the files"),
    )
}

fn as_json(lazy: &Reading, whole: &Reading) -> String {
    let reading = |reading: &Reading| {
        json!({
            "Files": reading.modules.len(),
            "Milliseconds": reading.milliseconds(),
            "Modules": reading.modules,
        })
    };
    let spared: Vec<&String> = whole.modules.difference(&lazy.modules).collect();
    let value = json!({
        "Read": reading(lazy),
        "Graph": reading(whole),
        "Spared": { "Files": spared.len(), "Modules": spared },
    });
    format!("{value:#}\n")
}

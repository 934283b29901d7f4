//! `steady cache`: how much the caches hold, by age and by module.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, FromArgMatches};
use indicatif::HumanBytes;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};
use steady_build::cache::{Survey, Unit};
use steady_build::inputs::Owners;
use steady_module::amount::amount;
use steady_proxy::sizes::Sizes;
use steady_system::clock::Clock;
use steady_system::{FileKind, Files};

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::Result;
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::gojson;
use crate::session::{Session, memories};

/// So many modules are shown to people.
const SHOWN: usize = 10;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Limits of ages, in seconds. go removes what was not used for five days.
const AGES: [(&str, u64); 4] = [
    ("within 2 hours", 2 * HOUR),
    ("within a day", DAY),
    ("within 5 days", 5 * DAY),
    ("longer ago", u64::MAX),
];

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    /// Show everything, as JSON
    #[arg(long)]
    json: bool,
}

/// `steady cache` without the name of another command.
pub static SHOW: Command = Command {
    usage: "steady cache [-json]",
    short: "show how much the caches hold, by age and module",
    long: include_str!("../../help/text/cache_show.txt"),
    examples: &[],
    kind: Kind::Own {
        flags: define::<Flags>,
        run,
    },
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    build_cache: Option<BuildCache>,
    module_cache: Option<ModuleCache>,
    memories: Option<Memories>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BuildCache {
    dir: String,
    size: u64,
    fuzz: u64,
    last_used: Vec<Age>,
    modules: Vec<Share>,
    /// Of what nobody remembers whose it is.
    unknown: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Age {
    when: &'static str,
    outputs: usize,
    size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Share {
    name: String,
    size: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ModuleCache {
    dir: String,
    size: u64,
    modules: Vec<Share>,
    repositories: u64,
    other: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Memories {
    dir: String,
    size: u64,
    parts: Vec<Share>,
}

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if !parsed.arguments.is_empty() {
        bail!("'steady cache' accepts no arguments");
    }
    let files = &session.files;
    let memories = memories(session.environment());
    let owners = memories.as_ref().map(|dir| Owners::read(files, dir));
    let build_cache = session.settings.gocache().0.ok();
    let (modules, _) = session.settings.gomodcache();
    let report = Report {
        build_cache: build_cache
            .filter(|dir| dir != "off")
            .map(|dir| of_builds(dir, &owners.unwrap_or_default(), Clock::System.now())),
        module_cache: (!modules.is_empty()).then(|| of_modules(files, modules.into())),
        memories: memories.map(|dir| of_memories(files, dir)),
    };
    session.printer.out(if flags.json {
        format!("{}\n", gojson::to_string(&report)?)
    } else {
        text(&report)
    });
    Ok(Status::DONE)
}

fn of_builds(dir: Utf8PathBuf, owners: &Owners, now: SystemTime) -> BuildCache {
    let survey = Survey::of(&dir);
    let mut last_used: Vec<Age> = AGES
        .iter()
        .map(|(when, _)| Age {
            when,
            outputs: 0,
            size: 0,
        })
        .collect();
    let mut modules: BTreeMap<&str, u64> = BTreeMap::new();
    let mut unknown = 0;
    for unit in &survey.units {
        let age = &mut last_used[age_of(unit, now)];
        age.outputs += 1;
        age.size += unit.size;
        match owners.module_of(&unit.actions) {
            Some(module) => *modules.entry(module).or_default() += unit.size,
            None => unknown += unit.size,
        }
    }
    let modules = modules.into_iter().map(|(name, size)| Share {
        name: match name {
            "" => "(no module)".to_owned(),
            name => name.to_owned(),
        },
        size,
        versions: Vec::new(),
    });
    BuildCache {
        size: survey.size() + survey.fuzz,
        fuzz: survey.fuzz,
        last_used,
        modules: largest_first(modules),
        unknown,
        dir: dir.into_string(),
    }
}

fn age_of(unit: &Unit, now: SystemTime) -> usize {
    let age = now.duration_since(unit.used).unwrap_or(Duration::ZERO);
    let fits = AGES.iter().position(|(_, limit)| age.as_secs() < *limit);
    fits.unwrap_or(AGES.len() - 1)
}

fn largest_first(shares: impl Iterator<Item = Share>) -> Vec<Share> {
    let mut all: Vec<Share> = shares.collect();
    all.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
    all
}

fn of_modules(files: &Files, dir: Utf8PathBuf) -> ModuleCache {
    let sizes = Sizes::of(files, &dir);
    let size = sizes.total();
    let shares = sizes.modules.into_iter().map(|(name, module)| Share {
        name,
        size: module.size,
        versions: module.versions.into_iter().collect(),
    });
    ModuleCache {
        dir: dir.into_string(),
        size,
        modules: largest_first(shares),
        repositories: sizes.repositories,
        other: sizes.other,
    }
}

fn of_memories(files: &Files, dir: Utf8PathBuf) -> Memories {
    let entries = files.read_dir(&dir).unwrap_or_default();
    let parts = entries.into_iter().map(|entry| Share {
        size: below(files, &dir.join(&entry.name)),
        name: entry.name,
        versions: Vec::new(),
    });
    let parts = largest_first(parts);
    Memories {
        size: parts.iter().map(|part| part.size).sum(),
        dir: dir.into_string(),
        parts,
    }
}

fn below(files: &Files, path: &Utf8Path) -> u64 {
    let Ok(meta) = files.lstat(path) else {
        return 0;
    };
    let mut size = meta.on_disk;
    if meta.kind == FileKind::Dir {
        for entry in files.read_dir(path).unwrap_or_default() {
            size += below(files, &path.join(entry.name));
        }
    }
    size
}

fn line(out: &mut String, name: &str, size: u64, more: &str) {
    let size = HumanBytes(size).to_string();
    let _ = writeln!(out, "{}", format!("{size:>12}  {name}{more}").trim_end());
}

fn shares(out: &mut String, all: &[Share], indent: &str) {
    for share in all.iter().take(SHOWN) {
        let versions = match share.versions.as_slice() {
            [] => String::new(),
            [only] => format!("  {only}"),
            several => format!("  {} versions", several.len()),
        };
        line(
            out,
            &format!("{indent}{}", share.name),
            share.size,
            &versions,
        );
    }
    let rest = all.get(SHOWN..).unwrap_or_default();
    if !rest.is_empty() {
        let size = rest.iter().map(|share| share.size).sum();
        line(
            out,
            &format!(
                "{indent}{}",
                amount(rest.len(), ["more module", "more modules"])
            ),
            size,
            "",
        );
    }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    if let Some(cache) = &report.build_cache {
        line(&mut out, "build cache ", cache.size, &cache.dir);
        for age in &cache.last_used {
            let outputs = format!("  {}", amount(age.outputs, ["output", "outputs"]));
            line(
                &mut out,
                &format!("  used {}", age.when),
                age.size,
                &outputs,
            );
        }
        if cache.fuzz > 0 {
            line(&mut out, "  found by fuzzing", cache.fuzz, "");
        }
        shares(&mut out, &cache.modules, "    of ");
        let unknown = "    of whom is not known: built by go, tests, vet, or long ago";
        line(&mut out, unknown, cache.unknown, "");
    }
    if let Some(cache) = &report.module_cache {
        line(&mut out, "module cache ", cache.size, &cache.dir);
        shares(&mut out, &cache.modules, "    ");
        line(
            &mut out,
            "    copies of repositories",
            cache.repositories,
            "",
        );
        line(
            &mut out,
            "    lists, checksum database, locks",
            cache.other,
            "",
        );
    }
    if let Some(memories) = &report.memories {
        line(&mut out, "Steady's memories ", memories.size, &memories.dir);
        for part in &memories.parts {
            line(&mut out, &format!("    {}", part.name), part.size, "");
        }
    }
    out
}

//! Go versions: what modules ask for, against what is used here and there.

use crate::check::causes::{Case, Cause};
use crate::check::ci::{self, Asked};
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::world::World;
use steady_module::gover;

/// Something needs a newer Go than may be used.
pub fn too_old(case: &Case<'_>, what: &str, version: &str) -> Cause {
    if case.environment() != Environment::Here && case.world.others_switch {
        // Others fetch the toolchain; only this run may not.
        return Cause::Unknown(format!(
            "{what} needs Go {version}, and this is Go {}",
            case.world.go
        ));
    }
    let message = format!(
        "{what} needs Go {version}, and this is Go {}",
        case.world.go
    );
    let subject = match case.trouble.text.contains('@') {
        true => what.rsplit(' ').next().unwrap_or(what),
        false => version,
    };
    case.finding("toolchain/too-old", subject, message)
        .fixed_by(Fix::shown(format!(
            "GOTOOLCHAIN=go{version} go build ./..."
        )))
        .into()
}

/// The oldest Go that all modules of the repository build with, and the file and line that say so.
fn needed(world: &World) -> Option<(String, Evidence)> {
    let there = &world.there;
    let members = there.members.iter().filter_map(|member| {
        let go = member.file.go.as_ref()?;
        Some((go.value.clone(), member.dir.join("go.mod"), go.at.line))
    });
    let work = there.work.as_ref().zip(there.go_work.as_ref());
    let work = work.and_then(|(work, file)| {
        let go = work.go.as_ref()?;
        Some((go.value.clone(), file.clone(), go.at.line))
    });
    let newest = members
        .chain(work)
        .max_by(|a, b| gover::compare(&a.0, &b.0))?;
    let (version, file, line) = newest;
    let text = format!("go {version}");
    Some((version, Evidence::place(world.shown(&file), line, text)))
}

/// The versions that CI files and Dockerfiles ask for, against what the modules need.
pub fn inspect(world: &World) -> Vec<Finding> {
    let mut out = suggested(world);
    let Some((needed, place)) = needed(world) else {
        return out;
    };
    let older = ci::asked(world)
        .into_iter()
        .filter(|asked| is_older(&asked.version, &needed));
    out.extend(older.map(|asked| finding(asked, &needed, &place)));
    out
}

/// Toolchain lines that suggest a newer Go than CI files ask for, or than this one.
fn suggested(world: &World) -> Vec<Finding> {
    let there = &world.there;
    let members = there.members.iter().filter_map(|member| {
        let line = member.file.toolchain.as_ref()?;
        Some((line, member.dir.join("go.mod")))
    });
    let work = there.work.as_ref().zip(there.go_work.as_ref());
    let work = work.and_then(|(work, file)| Some((work.toolchain.as_ref()?, file.clone())));
    let asked = ci::asked(world);
    let mut out = Vec::new();
    for (line, file) in members.chain(work) {
        let version = gover::from_toolchain(&line.value);
        let elsewhere = asked
            .iter()
            .find(|asked| is_older(&asked.version, version))
            .map(|asked| {
                (
                    format!("{} uses Go {}", asked.file, asked.version),
                    Some(asked),
                )
            });
        let here = is_older(&world.go, version).then(|| (format!("this is Go {}", world.go), None));
        let Some((other, asked)) = elsewhere.or(here) else {
            continue;
        };
        let shown = world.shown(&file);
        let message = format!("{shown} suggests {}, and {other}", line.value);
        let finding = Finding::new("toolchain/toolchain-line", shown.clone(), message)
            .hits(if asked.is_some() {
                Environment::Ci
            } else {
                Environment::Here
            })
            .shown_by(Evidence::place(
                shown,
                line.at.line,
                format!("toolchain {}", line.value),
            ));
        out.push(match asked {
            Some(asked) => finding.shown_by(Evidence::place(
                asked.file.clone(),
                asked.line,
                asked.text.clone(),
            )),
            None => finding,
        });
    }
    out
}

/// Whether the newest release that a version stands for (`1.22`: any of 1.22) is older than another.
fn is_older(version: &str, needed: &str) -> bool {
    if gover::is_lang(version) {
        return gover::compare(version, &gover::lang(needed)).is_lt();
    }
    gover::compare(version, needed).is_lt()
}

fn finding(asked: Asked, needed: &str, place: &Evidence) -> Finding {
    let Asked {
        file,
        line,
        text,
        version,
        fixed,
        docker,
    } = asked;
    let id = if docker {
        "toolchain/docker-older"
    } else {
        "toolchain/ci-older"
    };
    // From 1.21 on a Go fetches the one that is needed, unless it was told not to.
    let refuses = fixed || gover::compare(&version, gover::GO_STRICT_VERSION).is_lt();
    let message = format!("{file} uses Go {version}, and the modules need Go {needed}");
    let finding = Finding::new(id, format!("{file} {version}"), message)
        .hits(Environment::Ci)
        .shown_by(Evidence::place(file.clone(), line, text))
        .shown_by(place.clone())
        .fixed_by(Fix::shown(format!(
            "raise the version in {file}:{line} to {needed}"
        )));
    if refuses {
        return finding;
    }
    finding.severity(Severity::Warning).because(
        "The newer toolchain is fetched in each run, since GOTOOLCHAIN is left at auto there.",
    )
}

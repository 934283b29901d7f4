//! Go versions: what modules ask for, against what is used here and there.

use crate::check::causes::{Case, Cause};
use crate::check::ci::{Asked, is_older};
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
use crate::check::world::{Layout, OlderGo, World};
use camino::Utf8PathBuf;
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
fn needed(there: &Layout) -> Option<(String, Utf8PathBuf, usize)> {
    let members = there.members.iter().filter_map(|member| {
        let go = member.file.go.as_ref()?;
        Some((go.value.clone(), member.dir.join("go.mod"), go.at.line))
    });
    let work = there.work.as_ref().zip(there.go_work.as_ref());
    let work = work.and_then(|(work, file)| {
        let go = work.go.as_ref()?;
        Some((go.value.clone(), file.clone(), go.at.line))
    });
    members
        .chain(work)
        .max_by(|a, b| gover::compare(&a.0, &b.0))
}

/// The oldest Go that builds what is committed in a pipeline or an image, if it is older than this one, and who asks for it.
#[must_use]
pub fn older<'a>(asked: &'a [Asked], there: &Layout, go: &str) -> Option<(String, &'a Asked)> {
    let needed = needed(there).map(|(version, ..)| version);
    let needed = needed.unwrap_or_default();
    let members = there.members.iter();
    let lines = members.filter_map(|member| member.file.toolchain.as_ref());
    let lines = lines.chain(there.work.iter().filter_map(|work| work.toolchain.as_ref()));
    let suggested = lines
        .map(|line| gover::from_toolchain(&line.value))
        .max_by(|a, b| gover::compare(a, b));
    let suggested = suggested.unwrap_or_default();
    let used = asked
        .iter()
        .filter_map(|asked| Some((asked.uses(&needed, suggested)?.to_owned(), asked)));
    let oldest = used.min_by(|a, b| gover::compare(&a.0, &b.0))?;
    is_older(&gover::lang(&oldest.0), go).then_some(oldest)
}

/// What the older Go of a pipeline does not have: `what` says how that shows.
#[must_use]
pub fn lacks(older: &OlderGo, what: &str) -> Finding {
    let OlderGo { version, asked, .. } = older;
    let (id, file) = (id(asked), &asked.file);
    let message = format!("{file} uses Go {version}, which does not have what is needed: {what}");
    Finding::new(id, format!("{file} {version} {what}"), message)
        .hits(Environment::Ci)
        .because(
            "The code uses what a newer Go has, and the go line says that an older one is enough.",
        )
        .shown_by(Evidence::place(file, asked.line, &asked.text))
        .fixed_by(Fix::shown(format!(
            "raise the go line of go.mod and the version in {file}:{}",
            asked.line
        )))
}

/// A package that the older Go of a pipeline does not have, or has no files of for it.
#[must_use]
pub fn lacking(case: &Case<'_>) -> Option<Finding> {
    let older = case.world.older_in(case.environment())?;
    let first = case.trouble.text.lines().next().unwrap_or_default();
    let what = first.split(" (").next().unwrap_or_default();
    let finding = lacks(older, what);
    Some(case.shown(finding))
}

/// The versions that CI files and Dockerfiles ask for, against what the modules need.
pub fn inspect(world: &World) -> Vec<Finding> {
    let mut out = suggested(world);
    out.extend(untried(world));
    let Some((needed, file, line)) = needed(&world.there) else {
        return out;
    };
    let place = Evidence::place(world.shown(&file), line, format!("go {needed}"));
    let asked = world.asked.iter();
    let older = asked.filter(|asked| is_older(&asked.version, &needed));
    out.extend(older.map(|asked| finding(asked, &needed, &place)));
    out
}

/// The older Go of a pipeline where it is not at hand.
fn untried(world: &World) -> Option<Finding> {
    let OlderGo { version, asked, .. } = world
        .older
        .as_ref()
        .filter(|older| older.at_hand.is_none())?;
    let file = &asked.file;
    let message = format!(
        "{file} uses Go {version}, which is not at hand: what Go {} has and it has not was not looked for",
        world.go
    );
    let finding = Finding::new("toolchain/ci-untried", file.clone(), message);
    let finding =
        finding
            .hits(Environment::Ci)
            .shown_by(Evidence::place(file, asked.line, &asked.text));
    Some(finding.fixed_by(Fix::shown("steady check -online")))
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
    let asked = &world.asked;
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

fn id(asked: &Asked) -> &'static str {
    if asked.docker {
        "toolchain/docker-older"
    } else {
        "toolchain/ci-older"
    }
}

fn finding(asked: &Asked, needed: &str, place: &Evidence) -> Finding {
    let Asked {
        file,
        line,
        text,
        version,
        ..
    } = asked;
    let message = format!("{file} uses Go {version}, and the modules need Go {needed}");
    let finding = Finding::new(id(asked), format!("{file} {version}"), message)
        .hits(Environment::Ci)
        .shown_by(Evidence::place(file, *line, text))
        .shown_by(place.clone())
        .fixed_by(Fix::shown(format!(
            "raise the version in {file}:{line} to {needed}"
        )));
    if asked.stays() {
        return finding;
    }
    finding.severity(Severity::Warning).because(
        "The newer toolchain is fetched in each run, since GOTOOLCHAIN is left at auto there.",
    )
}

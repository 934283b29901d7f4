//! `steady build -reproduce BINARY`: builds a program again from what it says of itself, and says whether the bytes agree.
//!
//! The build is a run of its own, so that nothing of this one's settings gets into it: variables that have a say in outputs are those of
//! the program, flags too. What a program does not tell (linker flags with `-trimpath`) can be given beside `-reproduce`.

use camino::{Utf8Path, Utf8PathBuf};
use std::fmt::Write as _;
use steady_assure::freeze::reproduce::{Recipe, partings};
use steady_build::buildinfo::BuildInfo;
use steady_packages::modload::ModMode;
use steady_system::process::Command;
use steady_system::temp::TempDir;
use steady_system::{Environment, FileKind, Walk};

use super::documents;
use crate::bail;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::loading::{self, ModRequest};
use crate::session::Session;

/// Variables that have a say in what is built: unset unless the program tells them.
const TOLD: [&str; 17] = [
    "GOOS",
    "GOARCH",
    "GOEXPERIMENT",
    "GOFIPS140",
    "GO386",
    "GOAMD64",
    "GOARM",
    "GOARM64",
    "GOMIPS",
    "GOMIPS64",
    "GOPPC64",
    "GORISCV64",
    "GOWASM",
    "CGO_CFLAGS",
    "CGO_CPPFLAGS",
    "CGO_CXXFLAGS",
    "CGO_LDFLAGS",
];

/// Builds the program in `file` again and compares.
///
/// # Errors
/// It tells too little, or cannot be built here.
pub fn run(session: &mut Session, file: &str, flags: &FullBuildFlags) -> Result {
    let (name, bytes, info) = documents::program(session, file)?;
    let recipe = Recipe::of(&info)
        .map_err(|why| Failure::error(format!("{file} cannot be built again: {why}")))?;
    let here = is_here(session, flags, &recipe)?;
    if !here && recipe.version.is_none() {
        bail!(
            "{file} was built from a tree of the module {}: go to that tree and run this there",
            recipe.module
        );
    }
    let temp = TempDir::new(session.environment(), "steady-reproduce")?;
    let mut best: Option<(Vec<String>, BuildInfo)> = None;
    for explicit in [false, true] {
        if explicit && !recipe.says_exe {
            break;
        }
        let made = build(session, &recipe, flags, (&name, explicit), temp.path())?;
        let other = session.files.read(&made)?;
        let other_info =
            BuildInfo::read(&made).map_err(|error| Failure::error(error.to_string()))?;
        let found = partings((&bytes, &info), (&other, &other_info));
        // Settings, modules and contents part whatever the build mode was said to be.
        let done = found.iter().all(|parting| !parting.contains(".buildid"));
        let better = best
            .as_ref()
            .is_none_or(|(before, _)| found.len() < before.len());
        if better {
            best = Some((found, other_info));
        }
        if done {
            break;
        }
    }
    let (found, other_info) = best.unwrap_or_default();
    if found.is_empty() {
        session.printer.out(format!(
            "reproduced: {} with {} gives {file} byte for byte ({} bytes)\n",
            recipe.package,
            recipe.toolchain,
            bytes.len()
        ));
        return Ok(Status::DONE);
    }
    let mut text = format!(
        "not reproduced: {file} and what {} gives here part\n",
        recipe.package
    );
    for parting in &found {
        let _ = writeln!(text, "\t{parting}");
    }
    for hint in hints(&recipe, &info, &other_info) {
        let _ = writeln!(text, "hint: {hint}");
    }
    session.printer.out(text);
    Ok(Status::FAILED)
}

/// Is the program's module a main module here?
fn is_here(session: &mut Session, flags: &FullBuildFlags, recipe: &Recipe) -> Result<bool> {
    if recipe.version.is_some() {
        return Ok(false);
    }
    let request = ModRequest {
        default_mode: Some(ModMode::ReadOnly),
        common: Some(&flags.modules),
        force: true,
        ..ModRequest::default()
    };
    let loaded = loading::open_modules(session, request)?;
    Ok(loaded.main(&recipe.module).is_some())
}

/// The environment of the other run.
fn environment(session: &Session, recipe: &Recipe) -> Environment {
    let mut environment = session.environment().clone();
    for name in TOLD {
        environment = environment.without(name);
    }
    for (name, value) in recipe
        .environment
        .iter()
        .filter(|(_, value)| !value.is_empty())
    {
        environment = environment.with(name, value);
    }
    // Something harmless: what is empty would be looked for in the user's settings.
    environment
        .with("GOFLAGS", "-v=false")
        .with("GOTOOLCHAIN", &recipe.toolchain)
}

fn build(
    session: &Session,
    recipe: &Recipe,
    flags: &FullBuildFlags,
    (name, explicit): (&str, bool),
    temp: &Utf8Path,
) -> Result<Utf8PathBuf> {
    let own = session.environment().executable();
    let own = own.ok_or_else(|| Failure::error("Steady's own program was not found"))?;
    let mut environment = environment(session, recipe);
    let mut arguments: Vec<String> = Vec::new();
    let made = temp.join(name);
    match &recipe.version {
        None => {
            arguments.extend(["build".to_owned(), "-o".to_owned(), made.to_string()]);
            arguments.extend(recipe.flags.iter().cloned());
        }
        Some(_) => {
            let (cache, _) = session.settings.gomodcache();
            environment = environment
                .with("GOMODCACHE", cache)
                .with("GOPATH", temp.as_str())
                .without("GOBIN");
            arguments.push("install".to_owned());
            arguments.extend(recipe.flags.iter().cloned());
        }
    }
    if explicit {
        arguments.push("-buildmode=exe".to_owned());
    }
    if let Some(ldflags) = flags.build.ldflags.last() {
        arguments.push(format!("-ldflags={}", ldflags.raw));
    }
    arguments.push(match &recipe.version {
        Some(version) => format!("{}@{version}", recipe.package),
        None => recipe.package.clone(),
    });
    let output = Command::new(own.as_str(), &environment)
        .args(&arguments)
        .combined()?;
    if !output.status.success() {
        session.printer.err(output.text());
        bail!("{} could not be built again", recipe.package);
    }
    if recipe.version.is_none() {
        return Ok(made);
    }
    let mut found = None;
    session
        .files
        .walk::<steady_system::Error>(&temp.join("bin"), &mut |entry| {
            if entry.kind == FileKind::File {
                found = Some(entry.path.clone());
            }
            Ok(Walk::Continue)
        })?;
    found.ok_or_else(|| Failure::error(format!("{} gave no program", recipe.package)))
}

/// What could be done about a difference.
fn hints(recipe: &Recipe, wanted: &BuildInfo, made: &BuildInfo) -> Vec<String> {
    let setting = |info: &BuildInfo, key: &str| {
        let mut settings = info.settings.iter();
        settings
            .find(|setting| setting.key == key)
            .map(|setting| setting.value.clone())
    };
    let mut hints = Vec::new();
    if let Some((revision, modified)) = &recipe.revision {
        if setting(made, "vcs.revision").as_ref() != Some(revision) {
            hints.push(format!(
                "it was built from another commit: git checkout {revision}"
            ));
        }
        let now = setting(made, "vcs.modified");
        if !modified && now.as_deref() == Some("true") {
            hints.push("the tree here is modified, and was not then: git stash -u".to_owned());
        }
        if *modified {
            hints.push("it was built from a modified tree, which nobody else has".to_owned());
        }
    }
    if setting(wanted, "-trimpath").is_some() && setting(wanted, "-ldflags").is_none() {
        hints.push(
            "with -trimpath linker flags are not told: if there were any, give them with -ldflags beside -reproduce"
                .to_owned(),
        );
    }
    if setting(wanted, "-trimpath").is_none() {
        hints.push(
            "without -trimpath the directories that it was built in are in it: build it in the same place".to_owned(),
        );
    }
    hints
}

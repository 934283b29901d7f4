//! `steady build -reproduce BINARY`: builds a program again from what it says of itself, and says whether the bytes agree.
//!
//! The build is a run of its own, so that nothing of this one's settings gets into it: variables that have a say in outputs are those of
//! the program, flags too. What a program does not tell (linker flags with `-trimpath`) can be given beside `-reproduce`.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use steady_assure::freeze::parting::{Parting, partings};
use steady_assure::freeze::reproduce::Recipe;
use steady_build::buildinfo::BuildInfo;
use steady_module::amount;
use steady_packages::modload::ModMode;
use steady_system::process::Command;
use steady_system::temp::TempDir;
use steady_system::{Environment, FileKind, Walk};

use super::documents;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::gojson;
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
/// It is no Go program, or with words for people it tells too little or cannot be built here.
pub fn run(session: &mut Session, file: &str, flags: &FullBuildFlags) -> Result {
    let given = documents::program(session, file)?;
    let recipe = Recipe::of(&given.2);
    let attempt = match &recipe {
        Err(why) => Err(format!("{file} cannot be built again: {why}")),
        Ok(recipe) => attempt(session, file, &given, recipe, flags)?,
    };
    if flags.json.json {
        let report = ReportJson::of(file, given.1.len(), recipe.as_ref().ok(), &attempt);
        session.printer.out(gojson::to_string(&report)? + "\n");
    } else {
        let recipe = recipe.unwrap_or_default();
        let attempt = attempt.as_ref().map_err(Failure::error)?;
        session
            .printer
            .out(text(file, given.1.len(), &recipe, attempt));
    }
    Ok(match attempt {
        Ok(attempt) if attempt.partings.is_empty() => Status::DONE,
        _ => Status::FAILED,
    })
}

/// What came of building a program again.
struct Attempt {
    /// Flags of that build.
    flags: Vec<String>,
    /// Where the two part.
    partings: Vec<Parting>,
    /// What could be done about that.
    hints: Vec<String>,
}

/// Builds again, and once more with the build mode named if the first try has another build id. Else why it cannot be built.
fn attempt(
    session: &mut Session,
    file: &str,
    (name, bytes, info): &(String, Vec<u8>, BuildInfo),
    recipe: &Recipe,
    flags: &FullBuildFlags,
) -> Result<std::result::Result<Attempt, String>> {
    if recipe.version.is_none() && !is_here(session, flags, recipe)? {
        return Ok(Err(format!(
            "{file} was built from a tree of the module {}: go to that tree and run this there",
            recipe.module
        )));
    }
    let temp = TempDir::new(session.environment(), "steady-reproduce")?;
    let mut best: Option<Attempt> = None;
    for explicit in [false, true] {
        if explicit && !recipe.says_exe {
            break;
        }
        let used = used(recipe, flags, explicit);
        let Some(made) = build(session, recipe, &used, &temp.path().join(name))? else {
            return Ok(Err(format!("{} could not be built again", recipe.package)));
        };
        let other = session.files.read(&made)?;
        let other_info =
            BuildInfo::read(&made).map_err(|error| Failure::error(error.to_string()))?;
        let partings = partings((bytes, info), (&other, &other_info));
        // Settings, modules and contents part whatever the build mode was said to be.
        let done = !partings.iter().any(Parting::is_build_id);
        if best
            .as_ref()
            .is_none_or(|before| partings.len() < before.partings.len())
        {
            best = Some(Attempt {
                flags: used,
                hints: match partings.is_empty() {
                    true => Vec::new(),
                    false => hints(recipe, info, &other_info),
                },
                partings,
            });
        }
        if done {
            break;
        }
    }
    best.map(Ok)
        .ok_or_else(|| Failure::error("nothing was built"))
}

/// The answer in words.
fn text(file: &str, size: usize, recipe: &Recipe, attempt: &Attempt) -> String {
    let package = &recipe.package;
    if attempt.partings.is_empty() {
        let (toolchain, size) = (&recipe.toolchain, amount::bytes(size));
        return format!(
            "reproduced: {package} with {toolchain} gives {file} byte for byte ({size})\n"
        );
    }
    let mut text = format!("not reproduced: {file} and what {package} gives here part\n");
    for parting in &attempt.partings {
        let _ = writeln!(text, "\t{parting}");
    }
    for hint in &attempt.hints {
        let _ = writeln!(text, "hint: {hint}");
    }
    text
}

/// The answer for programs.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReportJson<'a> {
    file: &'a str,
    size: usize,
    verdict: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(flatten)]
    built: Option<BuiltJson<'a>>,
    partings: &'a [Parting],
    hints: &'a [String],
}

/// What is built with what.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BuiltJson<'a> {
    toolchain: &'a str,
    package: &'a str,
    module: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    environment: BTreeMap<&'a str, &'a str>,
    flags: &'a [String],
}

impl<'a> ReportJson<'a> {
    fn of(
        file: &'a str,
        size: usize,
        recipe: Option<&'a Recipe>,
        attempt: &'a std::result::Result<Attempt, String>,
    ) -> ReportJson<'a> {
        let (verdict, reason, attempt) = match attempt {
            Ok(attempt) if attempt.partings.is_empty() => ("reproduced", "", Some(attempt)),
            Ok(attempt) => ("differs", "", Some(attempt)),
            Err(why) => ("impossible", why.as_str(), None),
        };
        let told = |recipe: &'a Recipe| BuiltJson {
            toolchain: &recipe.toolchain,
            package: &recipe.package,
            module: &recipe.module,
            version: recipe.version.as_deref(),
            revision: recipe
                .revision
                .as_ref()
                .map(|(revision, _)| revision.as_str()),
            environment: recipe
                .environment
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            flags: attempt.map_or(&recipe.flags, |attempt| &attempt.flags),
        };
        ReportJson {
            file,
            size,
            verdict,
            reason,
            built: recipe.map(told),
            partings: attempt.map_or(&[], |attempt| &attempt.partings),
            hints: attempt.map_or(&[], |attempt| &attempt.hints),
        }
    }
}

/// Is the program's module a main module here?
fn is_here(session: &mut Session, flags: &FullBuildFlags, recipe: &Recipe) -> Result<bool> {
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

/// The flags of the other run: those that the program tells, and those that were given because it does not.
fn used(recipe: &Recipe, flags: &FullBuildFlags, explicit: bool) -> Vec<String> {
    let mut used = recipe.flags.clone();
    if explicit {
        used.push("-buildmode=exe".to_owned());
    }
    let ldflags = flags.build.ldflags.last();
    used.extend(ldflags.map(|ldflags| format!("-ldflags={}", ldflags.raw)));
    used
}

/// Where the program is that was built, if it could be; if not, the reason has been printed.
fn build(
    session: &Session,
    recipe: &Recipe,
    flags: &[String],
    made: &Utf8Path,
) -> Result<Option<Utf8PathBuf>> {
    let own = session.environment().executable();
    let own = own.ok_or_else(|| Failure::error("Steady's own program was not found"))?;
    let temp = made.parent().unwrap_or(made);
    let mut environment = environment(session, recipe);
    let mut arguments: Vec<String> = Vec::new();
    match &recipe.version {
        None => arguments.extend(["build".to_owned(), "-o".to_owned(), made.to_string()]),
        Some(_) => {
            let (cache, _) = session.settings.gomodcache();
            environment = environment
                .with("GOMODCACHE", cache)
                .with("GOPATH", temp.as_str())
                .without("GOBIN");
            arguments.push("install".to_owned());
        }
    }
    arguments.extend_from_slice(flags);
    arguments.push(match &recipe.version {
        Some(version) => format!("{}@{version}", recipe.package),
        None => recipe.package.clone(),
    });
    let output = Command::new(own.as_str(), &environment)
        .args(&arguments)
        .combined()?;
    if !output.status.success() {
        session.printer.err(output.text());
        return Ok(None);
    }
    if recipe.version.is_none() {
        return Ok(Some(made.to_owned()));
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
    let found =
        found.ok_or_else(|| Failure::error(format!("{} gave no program", recipe.package)))?;
    Ok(Some(found))
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

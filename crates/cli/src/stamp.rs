//! What programs are stamped with, and what every program links beside its own packages.

use camino::{Utf8Path, Utf8PathBuf};
use steady_build::BuildConfig;
use steady_build::Modes;
use steady_build::platform::Platform;
use steady_packages::load::StampSettings;
use steady_packages::modload::Modules;
use steady_system::process::Command;

use crate::failure::{Failure, Result};
use crate::flags::build::BuildFlags;
use crate::flags::value::PerPackage;
use crate::session::Session;

/// Settings of the build in the order in which go stamps them.
///
/// # Errors
/// Version control that must be stamped and cannot be asked.
pub fn settings(
    session: &Session,
    flags: &BuildFlags,
    config: &BuildConfig,
    modules: &Modules,
    auto_vcs: bool,
) -> Result<StampSettings> {
    let mut list: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: &str| list.push((key.to_owned(), value.to_owned()));
    let last = |flags: &[PerPackage]| {
        flags
            .last()
            .map(|flag| flag.raw.clone())
            .unwrap_or_default()
    };
    let build = &config.flags;
    if build.asan {
        add("-asan", "true");
    }
    if !flags.asmflags.is_empty() {
        add("-asmflags", &last(&flags.asmflags));
    }
    let buildmode = if build.buildmode == "default" {
        "exe"
    } else {
        &build.buildmode
    };
    add("-buildmode", buildmode);
    add("-compiler", flags.compiler.as_deref().unwrap_or("gc"));
    for (key, value, wanted) in [
        ("-gcflags", last(&flags.gcflags), true),
        ("-ldflags", last(&flags.ldflags), !build.trimpath),
    ] {
        if wanted && !value.is_empty() {
            add(key, &value);
        }
    }
    for (key, on) in [
        ("-cover", build.cover),
        ("-msan", build.msan),
        ("-race", build.race),
    ] {
        if on {
            add(key, "true");
        }
    }
    let tags = flags.tags.clone().unwrap_or_default().0;
    if !tags.is_empty() {
        add("-tags", &tags.join(","));
    }
    if build.trimpath {
        add("-trimpath", "true");
    }
    let (vcs, repository) = Vcs { session, modules }.stamp(flags, auto_vcs)?;
    Ok(StampSettings {
        flags: list,
        environment: environment(session, config),
        vcs,
        bare_profile: build.trimpath,
        repository,
    })
}

fn environment(session: &Session, config: &BuildConfig) -> Vec<(String, String)> {
    let settings = &session.settings;
    let mut list: Vec<(String, String)> = Vec::new();
    let mut add = |key: &str, value: &str| list.push((key.to_owned(), value.to_owned()));
    let cgo = config.target.cgo_enabled;
    add("CGO_ENABLED", if cgo { "1" } else { "0" });
    if cgo && !config.flags.trimpath {
        for name in ["CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS"] {
            add(name, settings.get(name));
        }
    }
    add("GOARCH", &config.target.goarch);
    let experiment = settings.or("GOEXPERIMENT", settings.built_in("GOEXPERIMENT"));
    if !experiment.is_empty() {
        add("GOEXPERIMENT", experiment);
    }
    if config.target.fips140 != "off" {
        add("GOFIPS140", &config.target.fips140);
    }
    add("GOOS", &config.target.goos);
    let (name, value) = &config.target.arch_env;
    if !name.is_empty() && !value.is_empty() {
        add(name, value);
    }
    list
}

/// Packages that every program links: `runtime`, and what flags and target force upon it.
///
/// # Errors
/// The system's linker is needed, and it cannot be used without cgo.
pub fn linker_deps(
    flags: &BuildFlags,
    config: &BuildConfig,
    modes: &Modes,
) -> std::result::Result<Vec<String>, String> {
    let mut deps = vec!["runtime"];
    match external_linking(flags, config, modes) {
        Some(what) if !config.target.cgo_enabled => {
            return Err(format!(
                "{what} requires external (cgo) linking, but cgo is not enabled"
            ));
        }
        Some(_) => deps.push("runtime/cgo"),
        None => {}
    }
    let build = &config.flags;
    for (on, package) in [
        (config.target.goarch == "arm", "math"),
        (build.race, "runtime/race"),
        (build.msan, "runtime/msan"),
        (build.asan, "runtime/asan"),
        (build.cover, "runtime/coverage"),
    ] {
        if on {
            deps.push(package);
        }
    }
    Ok(deps.into_iter().map(str::to_owned).collect())
}

/// Why the system's linker has to be used, if it has.
fn external_linking(flags: &BuildFlags, config: &BuildConfig, modes: &Modes) -> Option<String> {
    let target = &config.target;
    let (goos, goarch) = (target.goos.as_str(), target.goarch.as_str());
    let platform = Platform { goos, goarch };
    if platform.must_link_externally() {
        return Some(format!("{goos}/{goarch}"));
    }
    let given = config.flags.buildmode.as_str();
    if given == "plugin" || given == "c-shared" && goarch != "wasm" {
        return Some(format!("-buildmode={given}"));
    }
    if config.flags.linkshared {
        return Some("-linkshared".into());
    }
    if !platform.links_pie_internally() {
        if modes.buildmode == "pie" {
            return Some("-buildmode=pie".into());
        }
        if modes.buildmode == "default" && platform.default_pie(config.flags.race) {
            return Some("default PIE binary".into());
        }
    }
    let ldflags = flags
        .ldflags
        .last()
        .map(|last| last.flags.as_slice())
        .unwrap_or_default();
    let mode = ldflags.iter().enumerate().rev().find_map(|(i, flag)| {
        let mode = match flag.split_once('=') {
            Some(("-linkmode", mode)) => mode,
            None if flag == "-linkmode" => ldflags.get(i + 1)?,
            _ => return None,
        };
        matches!(mode, "external" | "internal").then_some((flag, mode))
    });
    mode.filter(|(_, mode)| *mode == "external")
        .map(|(flag, _)| flag.clone())
}

/// Directories that mark the root of a repository, and the program that knows it.
const SYSTEMS: &[(&str, &str)] = &[
    (".hg", "hg"),
    (".git", "git"),
    (".svn", "svn"),
    (".bzr", "bzr"),
    (".fslckout", "fossil"),
    ("_FOSSIL_", "fossil"),
];

/// Keys and values of build info.
type Stamps = Vec<(String, String)>;

/// Asks version control about the working directory.
struct Vcs<'a> {
    session: &'a Session,
    modules: &'a Modules,
}

impl Vcs<'_> {
    fn stamp(&self, flags: &BuildFlags, auto_vcs: bool) -> Result<(Stamps, Option<Utf8PathBuf>)> {
        let mode = flags.buildvcs.as_deref().unwrap_or("auto");
        let wanted = mode == "true" || mode == "auto" && auto_vcs;
        if !wanted || self.modules.mains().is_empty() {
            return Ok(Default::default());
        }
        let fail = |why: String| {
            Failure::plain(format!(
                "error obtaining VCS status: {why}\n\tUse -buildvcs=false to disable VCS stamping."
            ))
        };
        let cwd = self.session.environment().cwd();
        let Some((root, program)) = self.repository(cwd).map_err(fail)? else {
            return Ok(Default::default());
        };
        let inside = self.modules.mains().iter().any(|main| {
            let same = self
                .repository(&main.dir)
                .ok()
                .flatten()
                .is_some_and(|(other, _)| other == root);
            same && (main.dir.starts_with(&root) || root.starts_with(&main.dir))
        });
        let present = self.session.environment().look_path(program).is_ok();
        if !inside || (mode == "auto" && !present) {
            return Ok(Default::default());
        }
        match program {
            "git" => {
                let stamps = self.git(flags, &root).map_err(fail)?;
                crate::worktree::note(self.session, &root);
                Ok((stamps, Some(root)))
            }
            // Other systems are asked by nobody yet: better no stamp than a wrong one, but not in silence if it was asked for.
            _ if mode == "auto" => Ok(Default::default()),
            other => Err(Failure::unsupported(&format!(
                "stamping with the status of {other}"
            ))),
        }
    }

    /// The repository that a directory lies in, and its program. Two systems on the way up are refused: one of them may have been
    /// planted there.
    fn repository(
        &self,
        dir: &Utf8Path,
    ) -> std::result::Result<Option<(Utf8PathBuf, &'static str)>, String> {
        let mut found: Option<(Utf8PathBuf, &'static str)> = None;
        let many = self
            .session
            .environment()
            .get("GODEBUG")
            .contains("allowmultiplevcs=1");
        for dir in dir.ancestors() {
            for (mark, program) in SYSTEMS {
                let path = dir.join(mark);
                let is_root = match *program {
                    "fossil" => self.session.files.is_file(&path),
                    _ => self.session.files.is_dir(&path),
                };
                if !is_root {
                    continue;
                }
                match &found {
                    None if many => return Ok(Some((dir.to_owned(), program))),
                    None => found = Some((dir.to_owned(), program)),
                    Some((_, "git")) if *program == "git" => {}
                    Some((root, first)) => {
                        return Err(format!(
                            "multiple VCS detected: {first} in {root:?}, and {program} in {dir:?}"
                        ));
                    }
                }
            }
        }
        Ok(found)
    }

    fn git(
        &self,
        flags: &BuildFlags,
        root: &Utf8Path,
    ) -> std::result::Result<Vec<(String, String)>, String> {
        let run = |arguments: &[&str]| -> std::result::Result<Vec<u8>, String> {
            if flags.trace.x {
                let printer = &self.session.printer;
                printer.note(format!("cd {root}\ngit {}", arguments.join(" ")));
            }
            let mut command = Command::new("git", self.session.environment());
            command.args(arguments).dir(root);
            let output = command.output().map_err(|error| error.to_string())?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                if flags.trace.x || flags.trace.n {
                    self.session.printer.err(said.as_ref());
                }
                return Err(output.status.to_string());
            }
            Ok(output.stdout)
        };
        let uncommitted = !run(&["status", "--porcelain"])?.is_empty();
        let mut list = vec![("vcs".to_owned(), "git".to_owned())];
        match run(&[
            "-c",
            "log.showsignature=false",
            "log",
            "-1",
            "--format=%H:%ct",
        ]) {
            Ok(line) => {
                let text = String::from_utf8_lossy(&line).trim().to_owned();
                let parsed = text
                    .split_once(':')
                    .and_then(|(hash, time)| Some((hash, time.parse().ok()?)));
                let (revision, seconds) = parsed.ok_or("unrecognized VCS tool output")?;
                list.push(("vcs.revision".to_owned(), revision.to_owned()));
                list.push(("vcs.time".to_owned(), rfc3339(seconds)));
            }
            // A repository without commits.
            Err(_) if uncommitted => {}
            Err(error) => return Err(error),
        }
        list.push(("vcs.modified".to_owned(), uncommitted.to_string()));
        Ok(list)
    }
}

/// Seconds since 1970 as `2026-01-31T10:20:30Z`.
fn rfc3339(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or_default();
    let date = crate::commands::telemetry::date(seconds / 86400);
    let (hour, minute, second) = (seconds % 86400 / 3600, seconds % 3600 / 60, seconds % 60);
    format!("{date}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_commits() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_709_210_096), "2024-02-29T12:34:56Z");
    }
}

//! What programs are stamped with, and what every program links beside its own packages.

use steady_build::platform::Platform;
use steady_build::{BuildConfig, Compiler, Modes};
use steady_packages::load::{Repository, StampSettings, VcsStamp, WorkingTree};
use steady_packages::modload::Modules;

use crate::flags::build::BuildFlags;
use crate::flags::value::PerPackage;
use crate::session::Session;
use crate::vcs_state;

/// Settings of the build in the order in which go stamps them.
pub fn settings(
    session: &Session,
    flags: &BuildFlags,
    config: &BuildConfig,
    modules: &Modules,
    auto_vcs: bool,
) -> StampSettings {
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
    let gccgo = build.compiler == Compiler::Gccgo;
    for (key, value, wanted) in [
        ("-gccgoflags", last(&flags.gccgoflags), gccgo),
        ("-gcflags", last(&flags.gcflags), !gccgo),
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
    StampSettings {
        flags: list,
        environment: environment(session, config),
        vcs: vcs(session, flags, modules, auto_vcs),
        bare_profile: build.trimpath,
    }
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
    let gc = config.flags.compiler == Compiler::Gc; // gccgo always links by GCC's means
    match external_linking(flags, config, modes).filter(|_| gc) {
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

/// What version control is asked for, and its answer.
fn vcs(session: &Session, flags: &BuildFlags, modules: &Modules, auto_vcs: bool) -> VcsStamp {
    let mode = flags.buildvcs.as_deref().unwrap_or("auto");
    let wanted = mode == "true" || mode == "auto" && auto_vcs;
    if !wanted || modules.mains().is_empty() {
        return VcsStamp::None;
    }
    let environment = session.environment();
    let many = session.settings.godebug("allowmultiplevcs") == Some("1");
    let repository = match Repository::around(environment.cwd(), &session.files, many) {
        Ok(Some(repository)) => repository,
        Ok(None) => return VcsStamp::None,
        Err(why) => return VcsStamp::Refused(why),
    };
    if mode == "auto" && environment.look_path(repository.program).is_err() {
        return VcsStamp::None;
    }
    let root = &repository.root;
    let mut mains = modules.mains().iter();
    let concerned = mains.any(|main| main.dir.starts_with(root) || root.starts_with(&main.dir));
    VcsStamp::Tree(WorkingTree {
        state: if concerned {
            vcs_state::stamps(
                session,
                &repository,
                flags.trace.x,
                flags.trace.x || flags.trace.n,
            )
        } else {
            Ok(Vec::new())
        },
        root: repository.root,
        strict: mode == "true",
        many,
    })
}

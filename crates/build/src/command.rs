//! What the commands do with the packages they were given: `build`, `install`, `run`, `list -export -compiled`.
//!
//! The packages come loaded and checked (`load.CheckPackageErrors` has passed) except for `list -e`.

use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;
use steady_packages::package::{Package, PackageId, PackageSet};

use steady_packages::patterns::{is_local_import, is_meta_package};

use crate::action::{Builder, ListNeeds, Mode, Outcome, Root};
use crate::config::BuildConfig;
use crate::error::{BuildError, Result};
use crate::modes::{Modes, PackageFilter};
use crate::quote::quote;
use crate::shell::environment_of;
use crate::sink::Sink;

fn fatal(line: impl Into<String>) -> BuildError {
    BuildError::Fatal {
        line: line.into(),
        exit: 1,
    }
}

/// The name of a package's program: of its first file if it was given as files, otherwise the last element of its path that is
/// not a major version.
#[must_use]
pub fn default_exec_name(package: &Package) -> String {
    let files = &package.public.files;
    if package.internal.cmdline_files {
        let source = files
            .go_files
            .first()
            .or(files.cgo_files.first())
            .map_or("", String::as_str);
        let base = source.rsplit('/').next().unwrap_or_default();
        return base.strip_suffix(".go").unwrap_or(base).to_owned();
    }
    let path = package.public.import_path.as_str();
    let (parent, last) = path.rsplit_once('/').unwrap_or(("", path));
    let name = if !parent.is_empty() && is_major_version(last) {
        parent.rsplit('/').next().unwrap_or(parent)
    } else {
        last
    };
    name.to_owned()
}

fn is_major_version(element: &str) -> bool {
    element.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty()
            && !digits.starts_with('0')
            && digits != "1"
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The packages that a build mode takes, without those that consist of tests.
fn filtered(modes: &Modes, set: &PackageSet, packages: &[PackageId]) -> Result<Vec<PackageId>> {
    let is_main = |id: &PackageId| set[*id].public.name == "main";
    let mut packages = packages.to_vec();
    match modes.filter {
        PackageFilter::All => {}
        PackageFilter::Main => packages.retain(is_main),
        PackageFilter::NotMain => packages.retain(|id| !is_main(id)),
        PackageFilter::OneMain => {
            if packages.len() != 1 || !is_main(&packages[0]) {
                return Err(fatal(format!(
                    "-buildmode={} requires exactly one main package",
                    modes.buildmode
                )));
            }
        }
    }
    packages.retain(|id| {
        let package = &set[*id];
        let files = &package.public.files;
        !files.go_files.is_empty()
            || !files.cgo_files.is_empty()
            || package.internal.cmdline_pkg_literal
    });
    Ok(packages)
}

/// Builds roots, each for itself or all together as a library.
fn build_roots(
    builder: &Builder,
    set: &PackageSet,
    roots: &[Root],
    patterns: &[String],
) -> Result<Outcome> {
    if builder.modes().buildmode != "shared" {
        return builder.build(set, roots);
    }
    let packages: Vec<PackageId> = roots.iter().map(|root| root.package).collect();
    let name = library_name(&builder.config().cwd, set, &packages, patterns).map_err(fatal)?;
    builder.build_library(set, roots, &name)
}

/// The file name of a library: of the patterns if they are those of whole trees, else of the packages.
fn library_name(
    cwd: &Utf8Path,
    set: &PackageSet,
    packages: &[PackageId],
    patterns: &[String],
) -> Result<String, &'static str> {
    let is_meta = |pattern: &&String| is_meta_package(pattern);
    let metas = patterns.iter().filter(is_meta).count();
    if metas != 0 && metas != patterns.len() {
        return Err("mixing of meta and non-meta packages is not allowed");
    }
    let names: Vec<String> = match patterns {
        [_, ..] if metas != 0 => patterns.to_vec(),
        [tree] if tree.ends_with("/...") => {
            let tree = tree.trim_end_matches("/...");
            let path = is_local_import(tree).then(|| path_of_dir(&cwd.join(tree), set, packages));
            vec![path.flatten().unwrap_or_else(|| tree.to_owned())]
        }
        _ => {
            let path = |id: &PackageId| set[*id].public.import_path.clone();
            packages.iter().map(path).collect()
        }
    };
    let names: Vec<String> = names.iter().map(|name| name.replace('/', "-")).collect();
    Ok(format!("lib{}.so", names.join(",")))
}

/// The import path of a directory in GOROOT or GOPATH, by the packages below it.
fn path_of_dir(dir: &Utf8Path, set: &PackageSet, packages: &[PackageId]) -> Option<String> {
    let dir = steady_packages::patterns::clean(dir.as_str());
    packages.iter().find_map(|id| {
        let public = &set[*id].public;
        let src = Utf8Path::new(&public.root).join("src");
        let path = Utf8Path::new(&dir).strip_prefix(src).ok()?;
        (public.module.is_none() && !path.as_str().is_empty()).then(|| path.to_string())
    })
}

/// `go build`: compiles `packages`, and writes what `-o` and the number of packages say. `patterns` are the arguments as typed.
///
/// # Errors
/// Wrong use of `-o` or `-buildmode`; failures of single packages are in the outcome.
pub fn build(
    config: BuildConfig,
    set: &mut PackageSet,
    packages: &[PackageId],
    patterns: &[String],
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let builder = Builder::new(config, sink, ListNeeds::default())?;
    let explicit = builder.config().flags.o.clone();
    let mut output = explicit.clone();
    if let [only] = packages
        && explicit.is_empty()
        && set[*only].public.name == "main"
    {
        output = format!(
            "{}{}",
            default_exec_name(&set[*only]),
            builder.modes().exe_suffix
        );
    }
    let packages = filtered(builder.modes(), set, packages)?;
    if output == "/dev/null" {
        output.clear();
    }
    if output.is_empty() {
        let root = |id: &PackageId| Root {
            package: *id,
            mode: Mode::Build,
            target: None,
        };
        let roots: Vec<Root> = packages.iter().map(root).collect();
        return build_roots(&builder, set, &roots, patterns);
    }
    let is_dir = builder.config().cwd.join(&output).is_dir();
    if !is_dir && !output.ends_with('/') {
        let package = match packages.as_slice() {
            [only] => *only,
            [] => return Err(fatal("no packages to build")),
            _ => {
                return Err(fatal(format!(
                    "go: cannot write multiple packages to non-directory {output}"
                )));
            }
        };
        let root = Root {
            package,
            mode: Mode::Install,
            target: Some(output.into()),
        };
        return builder.build(set, &[root]);
    }
    if explicit.is_empty() {
        return Err(fatal(format!(
            "go: build output {} already exists and is a directory",
            quote(&output)
        )));
    }
    let mains = packages.iter().filter(|id| set[**id].public.name == "main");
    let roots: Vec<Root> = mains
        .map(|id| {
            let name = format!(
                "{}{}",
                default_exec_name(&set[*id]),
                builder.modes().exe_suffix
            );
            let target = steady_packages::patterns::clean(&format!("{output}/{name}"));
            Root {
                package: *id,
                mode: Mode::Install,
                target: Some(target.into()),
            }
        })
        .collect();
    if roots.is_empty() {
        return Err(fatal("go: no main packages to build"));
    }
    builder.build(set, &roots)
}

/// `go install`: builds and puts programs into their targets. `patterns` are the arguments as typed (none: the current
/// directory).
///
/// # Errors
/// As [`build`], and packages that have no place to be installed in.
pub fn install(
    config: BuildConfig,
    set: &mut PackageSet,
    packages: &[PackageId],
    patterns: &[String],
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let gobin = config.setting("GOBIN");
    if !gobin.is_empty() && !gobin.starts_with('/') {
        return Err(fatal("cannot install, GOBIN must be an absolute path"));
    }
    let modes = Modes::derive(&config)?;
    let packages = filtered(&modes, set, packages)?;
    let homeless = packages.iter().filter_map(|id| why_no_target(&set[*id]));
    let lines: Vec<String> = homeless.collect();
    if !lines.is_empty() {
        return Err(fatal(lines.join("\n")));
    }
    let root = |id: &PackageId| Root {
        package: *id,
        mode: Mode::Install,
        target: None,
    };
    let roots: Vec<Root> = packages.iter().map(root).collect();
    let builder = Builder::new(config, sink, ListNeeds::default())?;
    let outcome = build_roots(&builder, set, &roots, patterns)?;
    if let ([], [only]) = (patterns, packages.as_slice())
        && !outcome.failed
        && !builder.config().flags.n
    {
        remove_leftover(&builder, &set[*only]);
    }
    Ok(outcome)
}

/// Why a package cannot be installed; `None` if it can, or need not be.
fn why_no_target(package: &Package) -> Option<String> {
    let (public, internal) = (&package.public, &package.internal);
    if !public.target.is_empty() {
        return None;
    }
    let is_main = public.name == "main";
    let stays_in_cache = (internal.local && public.conflict_dir.is_empty())
        || public.module.is_some()
        || (public.standard && !internal.has_pkg_obj);
    if !is_main && stays_in_cache {
        return None;
    }
    Some(if internal.gobin_subdir {
        "go: cannot install cross-compiled binaries when GOBIN is set".into()
    } else if internal.cmdline_files {
        "go: no install location for .go files listed on command line (GOBIN not set)".into()
    } else if !public.conflict_dir.is_empty() {
        format!(
            "go: no install location for {}: hidden by {}",
            public.dir, public.conflict_dir
        )
    } else {
        format!(
            "go: no install location for directory {} outside GOPATH\n\tFor more details see: 'go help gopath'",
            public.dir
        )
    })
}

/// A program that an earlier `build` left in the current directory would only hide the installed one.
fn remove_leftover(builder: &Builder, package: &Package) {
    use std::os::unix::fs::PermissionsExt as _;
    if package.public.name != "main" {
        return;
    }
    let name = format!(
        "{}{}",
        default_exec_name(package),
        builder.modes().exe_suffix
    );
    let path = builder.config().cwd.join(&name);
    if Utf8Path::new(&package.public.dir).join(&name) == package.public.target {
        return;
    }
    let program = path.as_std_path().metadata().is_ok_and(|meta| {
        meta.is_file()
            && (meta.permissions().mode() & 0o111 != 0 || builder.config().target.goos == "windows")
    });
    if program {
        builder.config().note_work();
        let _ = std::fs::remove_file(path);
    }
}

/// A program that is ready to run, with the builder whose work directory it may lie in: keep it until the program has ended.
pub struct Runnable {
    /// What to execute: the `-exec` words or `go_GOOS_GOARCH_exec` if the target is not this machine, then the program.
    pub command: Vec<String>,
    /// The program alone.
    pub program: Utf8PathBuf,
    /// What was built.
    pub outcome: Outcome,
    /// Removes the work directory when it is dropped.
    pub builder: Builder,
}

/// `go run`: builds one main package and says how to start it. `exec` is `-exec`, split into words. Under `-n` and `-x` the
/// command line is shown when [`Runnable::show`] is called.
///
/// # Errors
/// As [`build`].
pub fn run(
    config: BuildConfig,
    set: &mut PackageSet,
    package: PackageId,
    exec: &[String],
    sink: Arc<dyn Sink>,
) -> Result<Runnable> {
    let cgo = config.target.cgo_enabled;
    let entry = &mut set[package];
    entry.internal.omit_debug = true;
    entry.public.target.clear();
    entry.internal.exe_name = default_exec_name(entry);
    if entry.internal.cmdline_files && entry.internal.exe_name.is_empty() {
        let hint = if cgo { "" } else { " (cgo is disabled)" };
        return Err(fatal(format!("go: no suitable source files{hint}")));
    }
    let builder = Builder::new(config, sink, ListNeeds::default())?;
    let outcome = builder.build(
        set,
        &[Root {
            package,
            mode: Mode::Executable,
            target: None,
        }],
    )?;
    let program = outcome
        .packages
        .get(&package)
        .and_then(|built| built.executable.clone())
        .unwrap_or_default();
    let mut command = if exec.is_empty() {
        foreign_runner(builder.config())
    } else {
        exec.to_vec()
    };
    command.push(program.to_string());
    Ok(Runnable {
        command,
        program,
        outcome,
        builder,
    })
}

/// The program that runs programs of another platform, if there is one.
#[must_use]
pub fn foreign_runner(config: &BuildConfig) -> Vec<String> {
    let (target, toolchain) = (&config.target, &config.toolchain);
    if target.goos == toolchain.host_os && target.goarch == toolchain.host_arch {
        return Vec::new();
    }
    let name = format!("go_{}_{}_exec", target.goos, target.goarch);
    let found = environment_of(config).look_path(&name);
    found
        .map(|path| vec![path.into_string()])
        .unwrap_or_default()
}

impl Runnable {
    /// Prints the command line with its arguments, as `-x` and `-n` do.
    pub fn show(&self, arguments: &[String]) {
        let flags = &self.builder.config().flags;
        if flags.x || flags.n {
            let words: Vec<&str> = self
                .command
                .iter()
                .chain(arguments)
                .map(String::as_str)
                .collect();
            self.builder.show(&words.join(" "));
        }
    }
}

/// `go list`: fills Stale, StaleReason and, as asked, Export, BuildID and CompiledGoFiles of `packages` and what they depend on.
///
/// # Errors
/// Only what ends the build as a whole.
pub fn list(
    config: BuildConfig,
    set: &mut PackageSet,
    packages: &[PackageId],
    needs: ListNeeds,
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let mut builder = Builder::new(
        config,
        sink,
        ListNeeds {
            is_list: true,
            ..needs
        },
    )?;
    builder.note_look_ups();
    let root = |id: &PackageId| Root {
        package: *id,
        mode: Mode::Install,
        target: None,
    };
    let roots: Vec<Root> = packages.iter().map(root).collect();
    let outcome = builder.build(set, &roots)?;
    for (id, built) in &outcome.packages {
        let public = &mut set[*id].public;
        if built.stale {
            public.stale = true;
            public.stale_reason.clone_from(&built.stale_reason);
        }
        if let Some(files) = &built.compiled_go_files {
            public.files.compiled_go_files.clone_from(files);
        }
        if needs.export
            && let Some(path) = &built.built
        {
            public.export = path.to_string();
            public.build_id.clone_from(&built.build_id);
        }
        if let Some(error) = built.error.as_ref().filter(|_| public.error.is_none()) {
            let err = error.clone();
            public.error = Some(steady_packages::package::PackageError {
                err,
                ..Default::default()
            });
            public.incomplete = true;
        }
    }
    Ok(outcome)
}

/// Puts the generated sources of test programs into the build cache, for `list -test` to name them.
///
/// # Errors
/// There is no cache, or it cannot be written.
pub fn keep_test_mains(
    config: &BuildConfig,
    set: &mut PackageSet,
    mains: &[PackageId],
    sink: &Arc<dyn Sink>,
) -> Result<()> {
    let cache = crate::action::open_cache(config, sink)?;
    for id in mains {
        let package = &mut set[*id];
        for (name, content) in std::mem::take(&mut package.internal.generated) {
            let mut hash = cache.hashes().hash("testmain");
            hash.bytes(b"testmain\n");
            hash.bytes(&content);
            let path = cache
                .put_bytes(&hash.sum(), &content)
                .map_err(|error| fatal(error.to_string()))?;
            for file in &mut package.public.files.go_files {
                if *file == name {
                    *file = path.to_string();
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_libraries() {
        let mut set = PackageSet::default();
        let mut add = |path: &str, root: &str| {
            let mut package = Package::default();
            path.clone_into(&mut package.public.import_path);
            root.clone_into(&mut package.public.root);
            set.add(package)
        };
        let (tree, other) = (add("x/y", "/g"), add("z", "/g"));
        let packages = [tree, other];
        let name = |cwd: &str, patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
            library_name(Utf8Path::new(cwd), &set, &packages, &patterns)
        };
        assert_eq!(name("/", &[]).unwrap(), "libx-y,z.so");
        assert_eq!(name("/", &["std", "cmd"]).unwrap(), "libstd,cmd.so");
        assert_eq!(name("/", &["x/y/..."]).unwrap(), "libx-y.so");
        assert_eq!(name("/g/src/x", &["./..."]).unwrap(), "libx.so");
        assert_eq!(name("/elsewhere", &["./..."]).unwrap(), "lib..so");
        assert!(name("/", &["std", "x"]).is_err());
    }

    #[test]
    fn names_of_programs() {
        let name = |path: &str| {
            let mut package = Package::default();
            path.clone_into(&mut package.public.import_path);
            default_exec_name(&package)
        };
        assert_eq!(name("example.com/tool"), "tool");
        assert_eq!(name("example.com/tool/v2"), "tool");
        assert_eq!(name("example.com/tool/v1"), "v1");
        assert_eq!(name("v2"), "v2");
        let mut package = Package::default();
        package.internal.cmdline_files = true;
        package.public.files.go_files = vec!["/x/y.go".into()];
        assert_eq!(default_exec_name(&package), "y");
    }
}

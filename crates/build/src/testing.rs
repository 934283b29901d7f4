//! `go test`: programs of tests built, checked by vet and run, and their results.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use steady_packages::load::TestSet;
use steady_packages::package::{Package, PackageId, PackageSet};
use steady_system::Environment;

use crate::action::{Builder, ListNeeds, Outcome};
use crate::command::default_exec_name;
use crate::config::BuildConfig;
use crate::error::{BuildError, Result};
use crate::exec::TestRuns;
use crate::plan::{Plan, Tests, Wanted};
use crate::sink::Sink;
use crate::vet::VetSettings;

/// How tests are built and run: flags as meant.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
pub struct TestSettings {
    /// Arguments of the test programs.
    pub arguments: Vec<String>,
    /// No packages were named: output is not held back, and results are not kept.
    pub local: bool,
    /// `-c`
    pub compile_only: bool,
    /// `-o`
    pub output: String,
    /// A profile is asked for: whoever reads it needs the program.
    pub keeps_program: bool,
    /// `-json`
    pub json: bool,
    /// With `-json`: events tell which package did not build.
    pub tells_failed_build: bool,
    /// What a test that passes has said is shown.
    pub shows_passed: bool,
    /// `-v=test2json`
    pub marks: bool,
    /// `-failfast`
    pub fail_fast: bool,
    /// `-bench` is given.
    pub benchmarks: bool,
    /// `-fuzz` is given.
    pub fuzzes: bool,
    /// `-timeout`; zero is none.
    pub timeout: Duration,
    /// Words in front of the test program's name.
    pub exec: Vec<String>,
    /// `-coverprofile`, absolute.
    pub cover_profile: Option<Utf8PathBuf>,
    /// Packages that `-coverpkg` names.
    pub cover_packages: Vec<PackageId>,
    /// Makes the program that reads coverage data.
    pub covdata: Option<CovData>,
    /// What test programs start with.
    pub environment: Environment,
    /// Each program leads a process group of its own, so that nothing of it is left when it is ended.
    pub own_groups: bool,
    /// Vet; none with `-vet=off`.
    pub vet: Option<VetSettings>,
}

/// Finds, or builds, the toolchain's program `covdata`.
#[derive(Clone)]
pub struct CovData(pub Arc<dyn Fn() -> std::result::Result<Utf8PathBuf, String> + Send + Sync>);

impl std::fmt::Debug for CovData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CovData")
    }
}

impl TestSettings {
    /// Output is not held back at all: the program may see a terminal.
    pub(crate) fn streams(&self) -> bool {
        self.local || self.benchmarks || self.fuzzes
    }
}

/// The name of the program of a package's tests.
#[must_use]
pub fn program_name(package: &Package) -> String {
    let name = if package.public.import_path == "command-line-arguments" {
        package.public.name.clone()
    } else {
        default_exec_name(package)
    };
    format!("{name}.test")
}

fn fatal(line: impl Into<String>) -> BuildError {
    BuildError::Fatal {
        line: line.into(),
        exit: 1,
    }
}

/// Whether `-o` names a directory.
fn is_dir(cwd: &Utf8Path, output: &str) -> bool {
    !output.is_empty() && (output.ends_with('/') || cwd.join(output).is_dir())
}

/// What is wrong with `-o` when several programs are to be written.
///
/// # Errors
/// They cannot all go there.
pub fn check_output(cwd: &Utf8Path, settings: &TestSettings, packages: &[&Package]) -> Result<()> {
    let output = settings.output.as_str();
    let written = settings.compile_only || !output.is_empty();
    if packages.len() < 2 || !written || output == "/dev/null" {
        return Ok(());
    }
    if !output.is_empty() && !is_dir(cwd, output) {
        return Err(fatal(
            "with multiple packages, -o must refer to a directory or /dev/null",
        ));
    }
    let mut by_name: Vec<(String, Vec<&str>)> = Vec::new();
    for package in packages {
        let name = program_name(package);
        let path = package.public.import_path.as_str();
        match by_name.iter_mut().find(|(known, _)| *known == name) {
            Some((_, paths)) => paths.push(path),
            None => by_name.push((name, vec![path])),
        }
    }
    let double = by_name.into_iter().filter(|(_, paths)| paths.len() > 1);
    let lines: Vec<String> = double
        .map(|(name, paths)| {
            let paths = paths.join("\n");
            format!("cannot write test binary {name} for multiple packages:\n{paths}\n")
        })
        .collect();
    if lines.is_empty() {
        Ok(())
    } else {
        Err(fatal(lines.concat().trim_end()))
    }
}

/// Builds the tests of packages and runs them. `packages` come with the sets of those that have tests; `asked` are all that were asked
/// for, those that cannot be loaded among them.
///
/// # Errors
/// Only what ends the run as a whole.
pub fn test(
    config: BuildConfig,
    set: &mut PackageSet,
    packages: &[(PackageId, Option<TestSet>)],
    asked: &[PackageId],
    settings: TestSettings,
    sink: Arc<dyn Sink>,
) -> Result<Outcome> {
    let builder = Builder::new(config, sink, ListNeeds::default())?;
    let work = builder.work_dir();
    let imports = asked.iter().flat_map(|id| &set[*id].internal.imports);
    let imported: HashSet<PackageId> = imports.copied().collect();
    let mut wanted = Vec::new();
    for (package, tests) in packages {
        let mut target = None;
        if let Some(tests) = tests {
            target = prepare_program(&builder, set, tests, &settings);
        }
        wanted.push(Wanted {
            package: *package,
            set: *tests,
            imported: imported.contains(package),
            target,
        });
    }
    let how = Tests {
        vet: settings.vet.is_some(),
        compile_only: settings.compile_only,
        serial: settings.benchmarks,
        cover_meta: !settings.cover_packages.is_empty(),
    };
    let (config, modes) = (builder.config(), builder.modes());
    let plan = Plan::for_tests((set, config, modes), &work, &wanted, how);
    let vet = settings.vet.clone();
    let runs = TestRuns::new(builder.config(), settings, plan.tests.len()).map_err(fatal)?;
    let mut means = builder.means();
    means.vet = vet.as_ref();
    means.tests = Some(&runs);
    builder.execute(&means, set, &plan)
}

/// Names the program of a test, and says where it is to be put, if anywhere.
fn prepare_program(
    builder: &Builder,
    set: &mut PackageSet,
    tests: &TestSet,
    settings: &TestSettings,
) -> Option<String> {
    let name = format!(
        "{}{}",
        program_name(&set[tests.package]),
        builder.modes().exe_suffix
    );
    let cwd = builder.config().cwd.clone();
    let output = settings.output.as_str();
    let kept = settings.compile_only || settings.keeps_program || !output.is_empty();
    let target = match output {
        _ if !kept => None,
        "/dev/null" => None,
        "" => Some(cwd.join(&name)),
        output if is_dir(&cwd, output) => Some(cwd.join(output).join(&name)),
        output => Some(cwd.join(output)),
    };
    let dir = builder.work_dir();
    let main = &mut set[tests.main];
    // What is generated lies in no directory of the user's; the id of the archive must not depend on any.
    main.public.dir = dir;
    main.internal.exe_name = name;
    // A program that is only run needs no symbols, but for the runtime's own tests.
    main.internal.omit_debug = !kept && main.public.import_path != "runtime.test";
    target.map(|path| steady_packages::patterns::clean(path.as_str()))
}

//! Flags for single packages, handed to those that they are for.

use camino::Utf8Path;
use steady_packages::load::{Loaded, TestSet};
use steady_packages::modload::Modules;
use steady_packages::package::Package;

use crate::flags::build::BuildFlags;
use crate::flags::value::PerPackage;

/// Flags for single packages, in the order given.
#[derive(Default)]
pub(super) struct PackageFlags {
    gc: Vec<PerPackage>,
    asm: Vec<PerPackage>,
    ld: Vec<PerPackage>,
    gccgo: Vec<PerPackage>,
}

impl PackageFlags {
    /// Those of a build.
    pub(super) fn of(flags: &BuildFlags) -> PackageFlags {
        PackageFlags {
            gc: flags.gcflags.clone(),
            asm: flags.asmflags.clone(),
            ld: flags.ldflags.clone(),
            gccgo: flags.gccgoflags.clone(),
        }
    }

    /// Gives each package the flags that are for it.
    pub(super) fn hand_out(&self, loaded: &mut Loaded, cwd: &Utf8Path, modules: &Modules) {
        for package in &mut loaded.set.packages {
            package.internal.gcflags = flags_for(&self.gc, package, cwd, modules);
            package.internal.asmflags = flags_for(&self.asm, package, cwd, modules);
            package.internal.ldflags = flags_for(&self.ld, package, cwd, modules);
            package.internal.gccgoflags = flags_for(&self.gccgo, package, cwd, modules);
        }
        for tests in loaded.tests.clone() {
            flags_of_tests(loaded, tests);
        }
    }
}

/// External test and program take the flags of the package under test. What is said to the linker lets `testing.Testing` know.
fn flags_of_tests(loaded: &mut Loaded, tests: TestSet) {
    let flags = loaded.set[tests.package].internal.clone();
    for id in tests.external.into_iter().chain([tests.main]) {
        let internal = &mut loaded.set[id].internal;
        internal.gcflags.clone_from(&flags.gcflags);
        internal.asmflags.clone_from(&flags.asmflags);
        internal.ldflags.clone_from(&flags.ldflags);
        internal.gccgoflags.clone_from(&flags.gccgoflags);
    }
    let internal = &mut loaded.set[tests.main].internal;
    internal
        .ldflags
        .extend(["-X", "testing.testBinary=1"].map(str::to_owned));
    internal
        .gccgoflags
        .push("-Wl,--defsym,testing.gccgoTestBinary=1".to_owned());
}

/// The flags of the last pattern that matches the package.
fn flags_for(
    list: &[PerPackage],
    package: &Package,
    cwd: &Utf8Path,
    modules: &Modules,
) -> Vec<String> {
    list.iter()
        .rev()
        .find(|entry| match entry.pattern.as_deref() {
            None => package.internal.cmdline_pkg || package.internal.cmdline_files,
            Some(pattern) => steady_packages::load::matches(pattern, package, cwd, modules),
        })
        .map(|entry| entry.flags.clone())
        .unwrap_or_default()
}

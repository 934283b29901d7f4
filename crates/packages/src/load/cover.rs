//! Which packages are instrumented: for coverage (`-cover`, `-coverpkg`), and for the fuzzer.

use super::Loader;
use super::select::matches;
use super::way::Stack;
use crate::package::PackageId;
use std::collections::HashSet;

/// What counters in atomic mode need.
const ATOMIC: &str = "sync/atomic";
/// Where a toolchain says which packages the runtime consists of, behind `runtimePkgs`.
const RUNTIME: &str = "src/cmd/internal/objabi/pkgspecial.go";

/// What `-cover` and its kin ask for.
#[derive(Debug, Clone, Default)]
pub struct Cover {
    /// `set`, `count` or `atomic`.
    pub mode: String,
    /// `-coverpkg`: the packages to count in, if others than those under test or of the main module.
    pub patterns: Option<Vec<String>>,
    /// `-race`: the runtime's own packages must be left alone.
    pub race: bool,
    /// It is tests that count, and not programs as they are built.
    pub tests: bool,
}

/// Packages that the patterns of `-coverpkg` have chosen, and patterns that have chosen none.
#[derive(Debug, Default)]
pub struct Covered {
    /// In the order in which dependencies are built.
    pub packages: Vec<PackageId>,
    /// What is to be said of patterns.
    pub warnings: Vec<String>,
}

impl Loader<'_> {
    /// Marks packages for coverage, before tests are put together.
    pub(super) fn mark_covered(&mut self, roots: &[PackageId]) -> Covered {
        let Some(cover) = self.options.cover.clone() else {
            return Covered::default();
        };
        let tests = cover.tests;
        if cover.mode == "atomic" {
            self.follow(&[ATOMIC.to_string()]);
        }
        let mut covered = Covered::default();
        if !tests || cover.patterns.is_some() {
            let candidates = if tests {
                self.with_test_imports(roots)
            } else {
                self.set.with_dependencies(roots)
            };
            covered = self.select_covered(&cover, &candidates);
        }
        if !tests {
            return covered;
        }
        for id in &covered.packages {
            self.set[*id].internal.cover_gen_meta = true;
        }
        for id in roots {
            if cover.mode == "atomic" && self.set[*id].public.import_path != ATOMIC {
                self.ensure_atomic(*id);
            }
            let package = &mut self.set[*id];
            let public = &package.public;
            let untested = public.test_go_files.is_empty() && public.x_test_go_files.is_empty();
            package.internal.cover_gen_meta |= untested && cover.patterns.is_none();
            if package.internal.cover_gen_meta {
                package.internal.cover_mode.clone_from(&cover.mode);
            }
        }
        covered
    }

    /// Marks what the fuzzer is to watch.
    pub(super) fn mark_fuzzed(&mut self, roots: &[PackageId]) {
        let Some(spared) = self.options.fuzz.clone() else {
            return;
        };
        for id in self.with_test_imports(roots) {
            let package = &mut self.set[id];
            package.internal.fuzz_instrument = !spared.contains(&package.public.import_path);
        }
    }

    /// Packages with all that they and their tests import, dependencies first.
    fn with_test_imports(&mut self, roots: &[PackageId]) -> Vec<PackageId> {
        let mut all = Vec::new();
        for id in roots {
            all.push(*id);
            let public = &self.set[*id].public;
            let imports = [&public.test_imports[..], &public.x_test_imports].concat();
            self.follow(&imports);
            for import in imports.iter().filter(|import| *import != "C") {
                let imported = self.import(import, None, &mut Stack::default());
                if self.set[imported].public.error.is_none() {
                    all.push(imported);
                }
            }
        }
        self.set.with_dependencies(&all)
    }

    fn select_covered(&mut self, cover: &Cover, candidates: &[PackageId]) -> Covered {
        let cwd = self.modules.config().cwd.clone();
        let patterns = cover.patterns.clone().unwrap_or_default();
        let mut used = vec![false; patterns.len()];
        let mut covered = Covered::default();
        let runtime = if cover.race {
            self.runtime_packages()
        } else {
            HashSet::new()
        };
        for id in candidates {
            let package = &self.set[*id];
            let (public, internal) = (&package.public, &package.internal);
            let chosen = if cover.patterns.is_some() {
                let hits = patterns.iter().enumerate();
                let hits =
                    hits.filter(|(_, pattern)| matches(pattern, package, &cwd, self.modules));
                let hits: Vec<usize> = hits.map(|(at, _)| at).collect();
                hits.iter().for_each(|at| used[*at] = true);
                !hits.is_empty()
            } else {
                internal.cmdline_files
                    || internal.cmdline_pkg
                    || public.module.as_ref().is_some_and(|module| module.main)
            };
            let path = public.import_path.as_str();
            let empty = public.files.go_files.is_empty() && public.files.cgo_files.is_empty();
            let counts = cover.mode == "atomic"
                && public.standard
                && matches!(path, ATOMIC | "internal/runtime/atomic");
            if !chosen || path == "unsafe" || empty || counts {
                continue;
            }
            let mode = if public.standard && runtime.contains(path) {
                "regonly"
            } else {
                &cover.mode
            };
            self.set[*id].internal.cover_mode = mode.to_string();
            covered.packages.push(*id);
            if cover.mode == "atomic" {
                self.ensure_atomic(*id);
            }
        }
        let what = if cover.tests { "tested" } else { "built" };
        let unused = patterns.iter().zip(used).filter(|(_, used)| !used);
        covered.warnings = unused
            .map(|(pattern, _)| {
                format!("warning: no packages being {what} depend on matches for pattern {pattern}")
            })
            .collect();
        covered
    }

    /// As in go, a package that imports it by itself imports it once more.
    fn ensure_atomic(&mut self, id: PackageId) {
        let imported = self.import(ATOMIC, None, &mut Stack::default());
        self.set[id].internal.imports.push(imported);
    }

    fn runtime_packages(&self) -> HashSet<String> {
        let file = self.context.goroot.join(RUNTIME);
        let text = self.modules.index().files().read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let list = text.split_once("runtimePkgs = []string{");
        let lines = list.map_or("", |(_, list)| list).lines().map(str::trim);
        lines
            .take_while(|line| *line != "}")
            .filter_map(|line| line.strip_prefix('"')?.strip_suffix("\","))
            .map(str::to_string)
            .collect()
    }
}

//! Tests in the graph.
//!
//! A package with tests has the nodes of its program up to the link, then
//!
//! ```text
//! link, vet, … -> barrier -> run -> clean -> print
//! ```
//!
//! A barrier also waits for the barrier before it, and a print for the print before it: runs start and results appear in the
//! order of the packages. A program that is kept (`-c`, `-o`, profiles) has an install node behind link, vet and run.

use steady_packages::load::TestSet;
use steady_packages::package::{PackageId, PackageSet};

use super::{Kind, NodeId, Plan};
use crate::config::BuildConfig;
use crate::modes::Modes;

/// What is asked for of tests, as far as the graph differs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tests {
    /// Vet runs too.
    pub vet: bool,
    /// Programs are built and not run (`-c`).
    pub compile_only: bool,
    /// One test after the other, when everything is built (`-bench`).
    pub serial: bool,
    /// Fragments of coverage meta-data are collected (`-coverpkg`).
    pub cover_meta: bool,
}

/// A package whose tests are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub package: PackageId,
    /// None if it has no tests.
    pub set: Option<TestSet>,
    /// Another of the packages that were asked for imports it.
    pub imported: bool,
    /// Where the program is put; none if nowhere.
    pub target: Option<String>,
}

/// The nodes of one package's tests that others look at.
#[derive(Debug, Clone)]
pub(crate) struct PlannedTest {
    pub package: PackageId,
    pub set: Option<TestSet>,
    /// What makes the program: link, or the compilation of a package without tests.
    pub build: NodeId,
}

/// Nodes whose order is settled when all are there.
struct Ends {
    build: NodeId,
    run: Option<NodeId>,
    print: NodeId,
}

impl<'a> Plan<'a> {
    /// Plans tests.
    pub fn for_tests(
        (packages, config, modes): (&'a PackageSet, &'a BuildConfig, &'a Modes),
        work: &'a str,
        wanted: &[Wanted],
        how: Tests,
    ) -> Plan<'a> {
        let mut plan = Plan::empty(packages, config, modes, work);
        let meta = how.cover_meta.then(|| {
            let objdir = plan.new_objdir();
            plan.add(Kind::CoverMeta, None, Vec::new(), objdir)
        });
        let mut ends: Vec<Ends> = Vec::new();
        for one in wanted {
            let end = match one.set {
                None => plan.without_tests(one.package, how, meta),
                Some(set) => {
                    if one.imported && set.inner != one.package {
                        // Errors of a package are told once: its copy with tests is built after it.
                        let copy = plan.compile(set.inner, false, false);
                        let own = plan.compile(one.package, false, false);
                        plan.nodes[copy].deps.push(own);
                    }
                    plan.with_tests(one, set, how, meta)
                }
            };
            ends.push(end);
        }
        plan.order(&ends, how);
        let prints = ends.iter().map(|end| end.print).collect();
        plan.root = plan.add(Kind::Join, None, prints, String::new());
        plan.finish();
        plan
    }

    fn planned(&mut self, package: PackageId, set: Option<TestSet>, build: NodeId) -> usize {
        self.tests.push(PlannedTest {
            package,
            set,
            build,
        });
        self.tests.len() - 1
    }

    fn without_tests(&mut self, id: PackageId, how: Tests, meta: Option<NodeId>) -> Ends {
        let build = self.compile(id, false, false);
        let test = self.planned(id, None, build);
        let mut deps = vec![build];
        if let Some(meta) = meta.filter(|_| self.nodes[build].kind != Kind::BuiltIn) {
            deps.push(meta);
            self.nodes[meta].deps.push(build);
        }
        if how.vet {
            let vet = self.vet(id);
            deps.push(vet);
        }
        let objdir = self.new_objdir();
        let run = self.add(Kind::TestRun { test }, Some(id), deps, objdir);
        self.nodes[run].ignores_failure = true;
        let print = self.print(test, id, run);
        Ends {
            build,
            run: Some(run),
            print,
        }
    }

    fn print(&mut self, test: usize, id: PackageId, after: NodeId) -> NodeId {
        let kind = Kind::TestPrint { test };
        let print = self.add(kind, Some(id), vec![after], String::new());
        self.nodes[print].ignores_failure = true;
        print
    }

    fn with_tests(&mut self, one: &Wanted, set: TestSet, how: Tests, meta: Option<NodeId>) -> Ends {
        let id = one.package;
        let link = match self.links.get(&set.main) {
            Some(node) => *node,
            None => self.new_link(set.main, false),
        };
        let objdir = self.nodes[link].objdir.clone();
        let name = self.program_name(set.main).to_owned();
        self.nodes[link].target = format!("{objdir}{name}");
        let test = self.planned(id, Some(set), link);
        let install = one.target.as_ref().map(|target| {
            // What is there already may be what would be linked.
            self.targets.insert(set.main, target.clone());
            let kind = Kind::Install { of_link: true };
            let node = self.add(kind, Some(set.main), vec![link], objdir.clone());
            self.nodes[node].target.clone_from(target);
            node
        });
        let vets = self.test_vets(set, how);
        if how.compile_only {
            let mut deps = vec![install.unwrap_or(link)];
            deps.extend(&vets);
            let print = self.add(Kind::Join, Some(id), deps, String::new());
            if let Some(install) = install {
                self.nodes[install].deps.extend(&vets);
            }
            return Ends {
                build: link,
                run: None,
                print,
            };
        }
        let mut deps = vec![link];
        if let Some(meta) = meta {
            deps.push(meta);
            let files = &self.packages[id].public.files;
            if !files.go_files.is_empty() || !files.cgo_files.is_empty() {
                let own = self.compile(id, false, false);
                self.nodes[meta].deps.push(own);
            }
        }
        deps.extend(&vets);
        let run = self.add(Kind::TestRun { test }, Some(id), deps, objdir.clone());
        self.nodes[run].ignores_failure = true;
        let clean = self.add(Kind::TestClean, Some(id), vec![run], objdir);
        self.nodes[clean].ignores_failure = true;
        if let Some(install) = install {
            // The program is moved away when nobody needs it any more.
            self.nodes[install].deps.extend(&vets);
            self.nodes[install].deps.push(run);
            self.nodes[clean].deps.push(install);
        }
        let print = self.print(test, id, clean);
        Ends {
            build: link,
            run: Some(run),
            print,
        }
    }

    fn test_vets(&mut self, set: TestSet, how: Tests) -> Vec<NodeId> {
        if !how.vet {
            return Vec::new();
        }
        let files = &self.packages[set.inner].public.files;
        let inner =
            (!files.go_files.is_empty() || !files.cgo_files.is_empty()).then_some(set.inner);
        let vetted = inner.into_iter().chain(set.external);
        vetted.map(|id| self.vet(id)).collect()
    }

    /// Runs start in order, results are printed in order.
    fn order(&mut self, ends: &[Ends], how: Tests) {
        let mut previous = None;
        for end in ends {
            let Some(run) = end.run else { continue };
            let mut deps = std::mem::take(&mut self.nodes[run].deps);
            deps.extend(previous);
            let barrier = self.add(Kind::Barrier, None, deps, String::new());
            self.nodes[run].deps = vec![barrier];
            previous = Some(barrier);
        }
        for pair in ends.windows(2) {
            self.nodes[pair[1].print].deps.push(pair[0].print);
        }
        if how.compile_only || !how.serial {
            return;
        }
        let mut before: Option<NodeId> = None;
        for end in ends {
            let Some(run) = end.run else { continue };
            match before {
                None => self.nodes[run]
                    .deps
                    .extend(ends.iter().map(|end| end.build)),
                Some(print) => self.nodes[run].deps.push(print),
            }
            before = Some(end.print);
        }
    }
}

//! GCC's compiler of Go.
//!
//! It finds what a package imports under `lib…` names in a directory (a tree of links made for every package) or, if it is new
//! enough, by an import configuration. The build id stands in an object of its own, `_buildid.o`; the flags for linking C libraries
//! in a member called `_cgo_flags`, which the link reads and takes out again, since for gccgo it is all packages together that are
//! linked.

mod compile;
mod facts;
mod link;
mod mangle;
mod objects;

use steady_packages::package::Package;
use steady_system::Environment;

use super::{CgoWords, Driver, Job};
use crate::cache::IdHash;
use crate::config::BuildConfig;
use crate::error::{BuildError, Result};
use crate::exec::Run;
use crate::exec::cgo::{CgoOutputs, CgoRun, architecture_flags, words_of};
use crate::plan::NodeId;
use crate::quote::{quote, quote_list};
use crate::shell::{Done, Failure};
use facts::Facts;

/// The gccgo of a build.
pub(super) struct Gccgo {
    /// Where it is.
    path: String,
    facts: Facts,
}

/// A package's path as symbols have it; programs have none.
fn package_path(package: &Package) -> &str {
    if package.public.name == "main" && !package.internal.force_library {
        ""
    } else {
        &package.public.import_path
    }
}

fn archiver(config: &BuildConfig) -> Vec<String> {
    words_of(config, "AR", "ar")
}

/// The machine's flags, as a C compiler gets them.
fn machine_flags(config: &BuildConfig) -> impl Iterator<Item = String> + use<> {
    let target = &config.target;
    let flags = architecture_flags(&target.goos, &target.goarch, &target.arch_env.1);
    flags.iter().map(|flag| (*flag).to_owned())
}

impl Gccgo {
    /// The program that GCCGO names.
    ///
    /// # Errors
    /// It is not on PATH.
    pub fn find(config: &BuildConfig, environment: &Environment) -> Result<Gccgo> {
        let name = match config.setting("GCCGO") {
            "" => "gccgo",
            name => name,
        };
        let path = environment
            .look_path(name)
            .map_err(|error| BuildError::Fatal {
                line: format!("cmd/go: gccgo: {error}"),
                exit: 2,
            })?;
        Ok(Gccgo {
            path: path.into_string(),
            facts: Facts::default(),
        })
    }

    fn id(&self, run: &Run<'_>, language: &str) -> Done<String> {
        let tool = run.c_tool_id(std::slice::from_ref(&self.path), language);
        tool.map(|tool| tool.id).map_err(Failure::new)
    }

    fn supports(&self, run: &Run<'_>, flag: &str) -> bool {
        run.supports(std::slice::from_ref(&self.path), flag)
    }
}

impl Driver for Gccgo {
    fn name(&self) -> &'static str {
        "gccgo"
    }

    fn identify(&self, run: &Run<'_>, hash: &mut IdHash<'_>, package: &Package) -> Done {
        hash.add(format_args!(
            "compile {} {} {}\n",
            self.id(run, "go")?,
            quote_list(&run.modes.forced_gccgoflags),
            quote_list(&package.internal.gccgoflags)
        ));
        hash.add(format_args!("pkgpath {}\n", package_path(package)));
        hash.add(format_args!("ar {}\n", quote_list(&archiver(run.config))));
        if !package.public.files.s_files.is_empty() {
            // An assembler that does not tell its version is as good as another.
            let id = self.id(run, "assembler-with-cpp").unwrap_or_default();
            hash.add(format_args!("asm {}\n", quote(&id)));
        }
        Ok(())
    }

    fn identify_link(&self, run: &Run<'_>, hash: &mut IdHash<'_>, _: Option<&Package>) -> Done {
        let (id, mode) = (self.id(run, "go")?, &run.modes.ld_buildmode);
        hash.add(format_args!("link {id} {mode}\n"));
        Ok(())
    }

    fn compile(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>> {
        Ok(vec![self.compile_go(run, job)?])
    }

    fn compile_c(&self, run: &Run<'_>, job: &Job<'_>, files: &[String]) -> Done<Vec<String>> {
        let mut objects = Vec::new();
        for file in files {
            let object = format!("{}.o", file.strip_suffix(".c").unwrap_or(file));
            let to = format!("{}{object}", job.objdir);
            self.compile_c_file(run, job.node, file, &to)?;
            objects.push(object);
        }
        Ok(objects)
    }

    fn assemble(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>> {
        let files = job.assembly.iter();
        files
            .map(|file| self.assemble_file(run, job, file))
            .collect()
    }

    fn bear_id(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>> {
        self.write_id(run, job)
    }

    fn pack(&self, run: &Run<'_>, job: &Job<'_>, objects: &[String]) -> Done {
        self.archive(run, job, objects)
    }

    fn cgo_words(&self, run: &Run<'_>, node: NodeId, package: &Package) -> CgoWords {
        let mut words = CgoWords::default();
        if self.supports(run, "-fsplit-stack") {
            words.c.push("-fsplit-stack".into());
        }
        words.tool.push("-gccgo".into());
        let path = package_path(package);
        if !path.is_empty() {
            words.tool.push(format!("-gccgopkgpath={path}"));
        }
        if !self.has_incomplete(run, node) {
            words.tool.push("-gccgo_define_cgoincomplete".into());
        }
        words
    }

    fn swig_words(&self, package: &Package) -> Vec<String> {
        let mut words = vec!["-gccgo".to_owned()];
        let path = package_path(package);
        if !path.is_empty() {
            words.extend(["-go-pkgpath", path].map(str::to_owned));
        }
        words
    }

    fn end_cgo(&self, run: &Run<'_>, node: NodeId, _: &CgoRun, outputs: &mut CgoOutputs) -> Done {
        let objdir = &run.plan.nodes[node].objdir;
        let (file, object) = (
            format!("{objdir}_cgo_defun.c"),
            format!("{objdir}_cgo_defun.o"),
        );
        self.compile_c_file(run, node, &file, &object)?;
        outputs
            .objects
            .insert(0, format!("{objdir}{}", link::CGO_FLAGS));
        outputs.objects.push(object);
        Ok(())
    }

    fn link(&self, run: &Run<'_>, node: NodeId, _: &str) -> Done {
        self.link_program(run, node)
    }

    fn link_library(&self, run: &Run<'_>, node: NodeId, _: &str) -> Done {
        self.link_packages(run, node)
    }

    fn vet_environment(&self) -> Vec<String> {
        vec![format!("GCCGO={}", self.path)]
    }
}

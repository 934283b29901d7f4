//! The compiler that comes with the distribution.

mod assemble;
mod cgo;
mod compile;
mod link;

use steady_packages::package::Package;

use super::{Driver, Job};
use crate::cache::IdHash;
use crate::exec::Run;
use crate::exec::cgo::{CgoOutputs, CgoRun};
use crate::plan::NodeId;
use crate::quote::{quote, quote_list};
use crate::shell::paths::make_absolute;
use crate::shell::{Done, Failure};

const COMPILER_DEBUGGING: [&str; 4] = [
    "GOCLOBBERDEADHASH",
    "GOSSAFUNC",
    "GOSSADIR",
    "GOCOMPILEDEBUG",
];

/// The distribution's own.
pub(super) struct Gc;

impl Driver for Gc {
    fn name(&self) -> &'static str {
        "gc"
    }

    fn identify(&self, run: &Run<'_>, hash: &mut IdHash<'_>, package: &Package) -> Done {
        run.add_compiler(hash, package)
    }

    fn identify_link(
        &self,
        run: &Run<'_>,
        hash: &mut IdHash<'_>,
        package: Option<&Package>,
    ) -> Done {
        run.add_linker(hash, package)
    }

    fn compile(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>> {
        let symabis = run.symabis(job.node, job.package, job.assembly)?;
        run.compile_gc(job, symabis)?;
        Ok(Vec::new())
    }

    fn compile_c(&self, _: &Run<'_>, job: &Job<'_>, files: &[String]) -> Done<Vec<String>> {
        let Some(file) = files.first() else {
            return Ok(Vec::new());
        };
        let full = make_absolute(&job.package.public.dir, file);
        Err(Failure::new(format!(
            "{full}: C source files not supported without cgo"
        )))
    }

    fn assemble(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>> {
        run.assemble_gc(job.node, job.package, job.assembly)
    }

    fn pack(&self, run: &Run<'_>, job: &Job<'_>, objects: &[String]) -> Done {
        if objects.is_empty() {
            return Ok(()); // the compiler has written the archive
        }
        run.pack_gc(job, objects)
    }

    fn end_cgo(&self, run: &Run<'_>, node: NodeId, cgo: &CgoRun, outputs: &mut CgoOutputs) -> Done {
        run.find_dynamic_imports(node, cgo, outputs)?;
        if run.config.flags.n {
            return Ok(());
        }
        self::cgo::check_embedded_flags(run.config, &outputs.go, &cgo.ld)
    }

    fn link(&self, run: &Run<'_>, node: NodeId, import_config: &str) -> Done {
        run.link_gc(node, import_config)
    }

    fn link_library(&self, run: &Run<'_>, node: NodeId, import_config: &str) -> Done {
        run.link_library_gc(node, import_config)
    }
}

impl Run<'_> {
    fn add_compiler(&self, hash: &mut IdHash<'_>, package: &Package) -> Result<(), Failure> {
        let internal = &package.internal;
        hash.add(format_args!(
            "compile {} {} {}\n",
            self.tool_id("compile")?,
            quote_list(&self.modes.forced_gcflags),
            quote_list(&internal.gcflags)
        ));
        if !package.public.files.s_files.is_empty() {
            hash.add(format_args!(
                "asm {} {} {}\n",
                quote(&self.tool_id("asm")?),
                quote_list(&self.modes.forced_asmflags),
                quote_list(&internal.asmflags)
            ));
        }
        self.add_architecture(hash);
        for name in COMPILER_DEBUGGING {
            let value = self
                .config
                .environment
                .iter()
                .rev()
                .find(|(key, _)| key == name);
            if let Some((_, value)) = value.filter(|(_, value)| !value.is_empty()) {
                hash.add(format_args!("magic {name}={value}\n"));
            }
        }
        Ok(())
    }

    fn add_architecture(&self, hash: &mut IdHash<'_>) {
        let target = &self.config.target;
        hash.add(format_args!(
            "{}={}\n",
            target.arch_env.0, target.arch_env.1
        ));
        if !target.goexperiment.is_empty() {
            hash.add(format_args!(
                "GOEXPERIMENT={}\n",
                quote(&target.goexperiment)
            ));
        }
    }

    fn add_linker(&self, hash: &mut IdHash<'_>, package: Option<&Package>) -> Result<(), Failure> {
        hash.add(format_args!(
            "link {} {} {}\n",
            self.tool_id("link")?,
            quote_list(&self.modes.forced_ldflags),
            self.modes.ld_buildmode
        ));
        if let Some(package) = package {
            let flags = quote_list(&package.internal.ldflags);
            hash.add(format_args!("linkflags {flags}\n"));
        }
        self.add_architecture(hash);
        let goroot = match (self.config.flags.trimpath, self.release.has_goroot_final()) {
            (true, true) => "$GOROOT",
            (true, false) => "",
            (false, _) => self.goroot_final(),
        };
        hash.add(format_args!("GOROOT={goroot}\n"));
        hash.add(format_args!(
            "GO_EXTLINK_ENABLED={}\n",
            self.config.setting("GO_EXTLINK_ENABLED")
        ));
        Ok(())
    }

    /// The directory that programs take for GOROOT.
    fn goroot_final(&self) -> &str {
        match self.config.setting("GOROOT_FINAL") {
            given if !given.is_empty() && self.release.has_goroot_final() => given,
            _ => self.config.toolchain.goroot.as_str(),
        }
    }
}

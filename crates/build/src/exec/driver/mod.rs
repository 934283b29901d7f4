//! What differs between the two compilers of Go: one [`Driver`] for each, and nobody else asks which of them it is.
//!
//! `gc` comes with the distribution, compiles its standard library too, writes archives and links by itself. `gccgo` belongs to
//! GCC, brings a standard library that is compiled already, writes object files, and leaves archives to `ar` and linking to GCC's
//! own driver. Everything before and after (which files, which imports, cgo, the cache) is the same for both.

mod gc;
mod gccgo;

use steady_packages::package::Package;

use super::Run;
use super::cgo::{CgoOutputs, CgoRun};
use crate::cache::IdHash;
use crate::config::{BuildConfig, Compiler};
use crate::error::Result;
use crate::plan::NodeId;
use crate::shell::{Done, environment_of};

/// A package on its way through a compiler.
pub(crate) struct Job<'a> {
    pub node: NodeId,
    pub package: &'a Package,
    /// The directory for intermediate files, with a slash at its end.
    pub objdir: &'a str,
    /// The archive to be made.
    pub archive: &'a str,
    pub import_config: &'a [u8],
    pub embed_config: Option<&'a [u8]>,
    /// The Go files, those that cgo made among them.
    pub go: &'a [String],
    /// Assembly for the compiler's own assembler.
    pub assembly: &'a [String],
}

/// What a compiler wants of the steps of cgo.
#[derive(Default)]
pub(crate) struct CgoWords {
    /// Flags for cgo itself.
    pub tool: Vec<String>,
    /// Flags for every C file.
    pub c: Vec<String>,
}

/// One compiler of Go. Methods that make files return the objects that go into the archive.
pub(crate) trait Driver: Send + Sync {
    /// As tools know it.
    fn name(&self) -> &'static str;

    /// What of the compiler goes into the id of compiling a package.
    fn identify(&self, run: &Run<'_>, hash: &mut IdHash<'_>, package: &Package) -> Done;

    /// What of the linker goes into the id of linking a program, or a library of packages if there is none.
    fn identify_link(
        &self,
        run: &Run<'_>,
        hash: &mut IdHash<'_>,
        package: Option<&Package>,
    ) -> Done;

    /// Compiles the Go files.
    fn compile(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>>;

    /// Compiles C files of a package that does not use cgo.
    fn compile_c(&self, run: &Run<'_>, job: &Job<'_>, files: &[String]) -> Done<Vec<String>>;

    /// Assembles.
    fn assemble(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>>;

    /// Makes what bears the build id, if the compiler's own output does not.
    fn bear_id(&self, _run: &Run<'_>, _job: &Job<'_>) -> Done<Vec<String>> {
        Ok(Vec::new())
    }

    /// Puts objects into the archive.
    fn pack(&self, run: &Run<'_>, job: &Job<'_>, objects: &[String]) -> Done;

    /// What cgo must be told.
    fn cgo_words(&self, _run: &Run<'_>, _node: NodeId, _package: &Package) -> CgoWords {
        CgoWords::default()
    }

    /// What SWIG must be told.
    fn swig_words(&self, _package: &Package) -> Vec<String> {
        Vec::new()
    }

    /// Completes the outputs of cgo when all C files are compiled.
    fn end_cgo(&self, run: &Run<'_>, node: NodeId, cgo: &CgoRun, outputs: &mut CgoOutputs) -> Done;

    /// Links a program to the node's target; `import_config` is the file that names all packages.
    fn link(&self, run: &Run<'_>, node: NodeId, import_config: &str) -> Done;

    /// Links packages to a shared library, the node's target.
    fn link_library(&self, run: &Run<'_>, node: NodeId, import_config: &str) -> Done;

    /// Variables for vet.
    fn vet_environment(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The driver for a build.
///
/// # Errors
/// The compiler is not there.
pub(crate) fn of(config: &BuildConfig) -> Result<Box<dyn Driver>> {
    Ok(match config.flags.compiler {
        Compiler::Gc => Box::new(gc::Gc),
        Compiler::Gccgo => Box::new(gccgo::Gccgo::find(config, &environment_of(config))?),
    })
}

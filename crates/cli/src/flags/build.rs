//! Flags that several commands share, in the groups in which the go command shares them.

use clap::Args;

use super::value::{self, PerPackage, Words};

/// `-C`, which every command has.
#[derive(Args, Debug, Clone, Default)]
pub struct Chdir {
    /// Change to the directory before anything else; must come first
    #[arg(long = "C", value_name = "dir", value_parser = value::late_chdir)]
    pub chdir: Option<String>,
}

/// `-n` and `-x`.
#[derive(Args, Debug, Clone, Default)]
pub struct Trace {
    /// Print the commands but do not run them
    #[arg(long)]
    pub n: bool,
    /// Print the commands
    #[arg(long)]
    pub x: bool,
}

/// `-mod`.
#[derive(Args, Debug, Clone, Default)]
pub struct ModFlag {
    /// Where modules come from: readonly, vendor, or mod
    #[arg(long = "mod", value_name = "mode", id = "mod")]
    pub mode: Option<String>,
}

/// The safeguards of Steady's own that everything has which reads go.mod. They are read before the command is
/// (`crate::frozen`), since the choice of a toolchain is bound by them too.
#[derive(Args, Debug, Clone, Default)]
pub struct FrozenFlags {
    /// Refuse to change go.mod, go.sum, go.work or go.work.sum
    #[arg(long, help_heading = super::grammar::OWN)]
    pub locked: bool,
    /// Refuse to reach the network
    #[arg(long, help_heading = super::grammar::OWN)]
    pub offline: bool,
    /// Both -locked and -offline
    #[arg(long, help_heading = super::grammar::OWN)]
    pub frozen: bool,
}

/// Flags of everything that reads go.mod.
#[derive(Args, Debug, Clone, Default)]
pub struct ModCommon {
    /// Safeguards
    #[command(flatten)]
    pub frozen: FrozenFlags,
    /// Leave new directories of the module cache writable
    #[arg(long)]
    pub modcacherw: bool,
    /// Read and write this file in place of the main module's go.mod (and a .sum beside it)
    #[arg(long, value_name = "file")]
    pub modfile: Option<String>,
    /// Read a JSON file that puts other files in the place of given paths
    #[arg(long, value_name = "file")]
    pub overlay: Option<String>,
}

/// `-v` of builds.
#[derive(Args, Debug, Clone, Default)]
pub struct Verbose {
    /// Print the names of packages as they are compiled
    #[arg(long)]
    pub v: bool,
}

/// `-json` of builds.
#[derive(Args, Debug, Clone, Default)]
pub struct Json {
    /// Report build output as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

/// `-explain`, which go does not have.
#[derive(Args, Debug, Clone, Default)]
pub struct ExplainFlag {
    /// Say of each package that is built, vetted or tested anew what changed since the last time
    #[arg(long, help_heading = super::grammar::OWN)]
    pub explain: bool,
}

/// Flags of all commands that load packages to build them.
#[derive(Args, Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
pub struct BuildFlags {
    /// `-n` and `-x`
    #[command(flatten)]
    pub trace: Trace,
    /// `-C`
    #[command(flatten)]
    pub chdir: Chdir,
    /// Rebuild packages that are up to date
    #[arg(long)]
    pub a: bool,
    /// How many programs may run at once (default: the number of processors)
    #[arg(long, value_name = "n", value_parser = value::integer)]
    pub p: Option<i64>,
    /// Enable the address sanitizer
    #[arg(long)]
    pub asan: bool,
    /// Flags for each call of the assembler: [pattern=]arguments
    #[arg(long, value_name = "[pattern=]args", value_parser = value::per_package)]
    pub asmflags: Vec<PerPackage>,
    /// The compiler to use: gc or gccgo
    #[arg(long, value_name = "name", value_parser = value::compiler)]
    pub compiler: Option<String>,
    /// The kind of object to build; see 'go help buildmode'
    #[arg(long, value_name = "mode")]
    pub buildmode: Option<String>,
    /// Stamp programs with version control information: true, false, or auto
    #[arg(long, value_name = "true|false|auto", num_args = 0..=1, value_parser = value::buildvcs)]
    pub buildvcs: Option<String>,
    /// Flags for each call of the compiler: [pattern=]arguments
    #[arg(long, value_name = "[pattern=]args", value_parser = value::per_package)]
    pub gcflags: Vec<PerPackage>,
    /// Flags for each call of gccgo: [pattern=]arguments
    #[arg(long, value_name = "[pattern=]args", value_parser = value::per_package)]
    pub gccgoflags: Vec<PerPackage>,
    /// A suffix for the directory that packages are installed in
    #[arg(long, value_name = "suffix")]
    pub installsuffix: Option<String>,
    /// Flags for each call of the linker: [pattern=]arguments
    #[arg(long, value_name = "[pattern=]args", value_parser = value::per_package)]
    pub ldflags: Vec<PerPackage>,
    /// Link against shared libraries made with -buildmode=shared
    #[arg(long)]
    pub linkshared: bool,
    /// Enable the memory sanitizer
    #[arg(long)]
    pub msan: bool,
    /// Profile for profile-guided optimisation: a file, auto, or off
    #[arg(long, value_name = "file")]
    pub pgo: Option<String>,
    /// Install and look for packages in this directory instead of the usual places
    #[arg(long, value_name = "dir")]
    pub pkgdir: Option<String>,
    /// Enable the data race detector
    #[arg(long)]
    pub race: bool,
    /// Build tags that count as set, separated by commas
    #[arg(long, value_name = "tag,list", value_parser = value::tags)]
    pub tags: Option<Words>,
    /// A program that is put in front of each call of a tool
    #[arg(long, value_name = "cmd args", value_parser = value::words)]
    pub toolexec: Option<Words>,
    /// Leave this machine's directories out of the program
    #[arg(long)]
    pub trimpath: bool,
    /// Print the name of the work directory and keep it
    #[arg(long)]
    pub work: bool,
    /// Write the graph of actions to a file
    #[arg(long = "debug-actiongraph", value_name = "file", hide = true)]
    pub debug_actiongraph: Option<String>,
    /// Write a trace of the run itself to a file
    #[arg(long = "debug-runtime-trace", value_name = "file", hide = true)]
    pub debug_runtime_trace: Option<String>,
    /// Write a trace of the steps to a file
    #[arg(long = "debug-trace", value_name = "file", hide = true)]
    pub debug_trace: Option<String>,
}

/// Coverage flags of build commands.
#[derive(Args, Debug, Clone, Default)]
pub struct CoverFlags {
    /// Count what is executed
    #[arg(long)]
    pub cover: bool,
    /// How to count: set, count, or atomic
    #[arg(long, value_name = "mode", value_parser = value::covermode)]
    pub covermode: Option<String>,
    /// The packages to count in, by patterns separated by commas
    #[arg(long, value_name = "patterns", value_parser = value::commas)]
    pub coverpkg: Option<Words>,
}

/// All that `build`, `install` and `run` share.
#[derive(Args, Debug, Clone, Default)]
pub struct FullBuildFlags {
    /// The common part
    #[command(flatten)]
    pub build: BuildFlags,
    /// `-v`
    #[command(flatten)]
    pub verbose: Verbose,
    /// `-mod`
    #[command(flatten)]
    pub modmode: ModFlag,
    /// `-modfile` and its kin
    #[command(flatten)]
    pub modules: ModCommon,
    /// `-json`
    #[command(flatten)]
    pub json: Json,
    /// `-cover`
    #[command(flatten)]
    pub cover: CoverFlags,
    /// `-explain`
    #[command(flatten)]
    pub explain: ExplainFlag,
}

//! Commands of go that Steady does not do yet. They are known by name, so that help lists them, GOFLAGS may name their flags, and
//! whoever calls one is told.

use clap::Args;

use crate::command::{Command, Kind};
use crate::flags::build::{BuildFlags, Chdir, CoverFlags, ModCommon, ModFlag, Verbose};
use crate::flags::define;

macro_rules! absent {
    ($name:ident, $flags:ty, $usage:literal, $short:literal, $text:literal) => {
        #[doc = concat!("`", $usage, "`")]
        pub static $name: Command = Command {
            usage: $usage,
            short: $short,
            long: include_str!(concat!("../help/text/", $text, ".txt")),
            examples: &[],
            kind: Kind::Absent {
                flags: define::<$flags>,
            },
        };
    };
}

#[derive(Args)]
struct BugFlags {
    #[command(flatten)]
    chdir: Chdir,
    /// Print the report's text
    #[arg(long)]
    v: bool,
}

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct TestFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    cover: CoverFlags,
    /// Compile the test but do not run it
    #[arg(long)]
    c: bool,
    /// Compile the test to the named file
    #[arg(long, value_name = "file")]
    o: Option<String>,
    /// Program that runs the test
    #[arg(long, value_name = "xprog")]
    exec: Option<String>,
    /// Report as JSON
    #[arg(long)]
    json: bool,
    /// Which vet checks run before the test
    #[arg(long, value_name = "list")]
    vet: Option<String>,
    /// Pass what follows to the test
    #[arg(long)]
    args: bool,
    /// Save files that the test calls artifacts
    #[arg(long)]
    artifacts: bool,
    /// Benchmarks to run
    #[arg(long, value_name = "regexp")]
    bench: Option<String>,
    /// Report allocations of benchmarks
    #[arg(long)]
    benchmem: bool,
    /// How long a benchmark runs
    #[arg(long, value_name = "t")]
    benchtime: Option<String>,
    /// Profile of blocking
    #[arg(long, value_name = "file")]
    blockprofile: Option<String>,
    /// Rate of that profile
    #[arg(long, value_name = "n")]
    blockprofilerate: Option<String>,
    /// Coverage profile
    #[arg(long, value_name = "file")]
    coverprofile: Option<String>,
    /// How often each test runs
    #[arg(long, value_name = "n")]
    count: Option<String>,
    /// Values of GOMAXPROCS
    #[arg(long, value_name = "1,2,4")]
    cpu: Option<String>,
    /// Processor profile
    #[arg(long, value_name = "file")]
    cpuprofile: Option<String>,
    /// Stop at the first failure
    #[arg(long)]
    failfast: bool,
    /// Test that fuzzes
    #[arg(long, value_name = "regexp")]
    fuzz: Option<String>,
    /// How long to minimise
    #[arg(long, value_name = "t")]
    fuzzminimizetime: Option<String>,
    /// How long to fuzz
    #[arg(long, value_name = "t")]
    fuzztime: Option<String>,
    /// Show full file names in errors
    #[arg(long)]
    fullpath: bool,
    /// List tests
    #[arg(long, value_name = "regexp")]
    list: Option<String>,
    /// Memory profile
    #[arg(long, value_name = "file")]
    memprofile: Option<String>,
    /// Rate of that profile
    #[arg(long, value_name = "n")]
    memprofilerate: Option<String>,
    /// Profile of mutexes
    #[arg(long, value_name = "file")]
    mutexprofile: Option<String>,
    /// Rate of that profile
    #[arg(long, value_name = "n")]
    mutexprofilefraction: Option<String>,
    /// Where profiles are written
    #[arg(long, value_name = "dir")]
    outputdir: Option<String>,
    /// How many tests run in parallel
    #[arg(long, value_name = "n")]
    parallel: Option<String>,
    /// Tests to run
    #[arg(long, value_name = "regexp")]
    run: Option<String>,
    /// Shorten long tests
    #[arg(long)]
    short: bool,
    /// Random order
    #[arg(long, value_name = "off,on,N")]
    shuffle: Option<String>,
    /// Tests not to run
    #[arg(long, value_name = "regexp")]
    skip: Option<String>,
    /// Longest time of a test program
    #[arg(long, value_name = "t")]
    timeout: Option<String>,
    /// Execution trace
    #[arg(long, value_name = "file")]
    trace: Option<String>,
    /// Print all tests
    #[arg(long)]
    v: bool,
}

#[derive(Args)]
struct VetFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    /// Program to use in vet's place
    #[arg(long, value_name = "prog")]
    vettool: Option<String>,
    /// Print diagnostics as JSON
    #[arg(long)]
    json: bool,
    /// Print changes instead of applying them
    #[arg(long)]
    diff: bool,
    /// Lines of context
    #[arg(long, value_name = "n")]
    c: Option<String>,
    /// Apply the first fix of each diagnostic
    #[arg(long)]
    fix: bool,
}

#[derive(Args)]
struct FixFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modmode: ModFlag,
    #[command(flatten)]
    modules: ModCommon,
    /// Program to use in fix's place
    #[arg(long, value_name = "prog")]
    fixtool: Option<String>,
    /// Print changes instead of applying them
    #[arg(long)]
    diff: bool,
    /// Print diagnostics and fixes as JSON
    #[arg(long)]
    json: bool,
    /// Lines of context
    #[arg(long, value_name = "n")]
    c: Option<String>,
    /// Has no effect any more
    #[arg(long, value_name = "list", hide = true)]
    fix: Option<String>,
}

absent!(BUG, BugFlags, "go bug", "start a bug report", "bug");
absent!(
    DOC,
    Chdir,
    "go doc [doc flags] [package|[package.]symbol[.methodOrField]]",
    "show documentation for package or symbol",
    "doc"
);
absent!(
    FIX,
    FixFlags,
    "go fix [build flags] [-fixtool prog] [fix flags] [packages]",
    "apply fixes suggested by static checkers",
    "fix"
);
absent!(
    TEST,
    TestFlags,
    "go test [build/test flags] [packages] [build/test flags & test binary flags]",
    "test packages",
    "test"
);
absent!(
    VET,
    VetFlags,
    "go vet [build flags] [-vettool prog] [vet flags] [packages]",
    "report likely mistakes in packages",
    "vet"
);

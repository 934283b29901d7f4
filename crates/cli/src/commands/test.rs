//! `go test`, as far as compiling: `-c`. Running tests is not there yet.

use clap::{Args, FromArgMatches};
use std::sync::Arc;
use steady_build::Sink;

use crate::command::{Command, Kind};
use crate::commands::build::ended;
use crate::configs::BuildRequest;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, CoverFlags, ModCommon, ModFlag};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest, Request};
use crate::session::Session;

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

/// `go test`
pub static TEST: Command = Command {
    usage: "go test [build/test flags] [packages] [build/test flags & test binary flags]",
    short: "test packages",
    long: include_str!("../help/text/test.txt"),
    examples: &[(
        "the test program of a package",
        "steady test -c -o app.test ./app",
    )],
    kind: Kind::Run {
        flags: define::<TestFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = TestFlags::from_arg_matches(&parsed.matches)?;
    if !flags.c {
        return Err(Failure::unsupported("test without -c"));
    }
    let output = flags.o.clone().unwrap_or_default();
    let request = Request {
        build: BuildRequest {
            build: &flags.build,
            v: flags.v,
            o: &output,
            cover: Some(&flags.cover),
        },
        modules: ModRequest {
            mode: flags.modmode.mode.as_deref(),
            common: Some(&flags.modules),
            trace: flags.build.trace.x,
            ..ModRequest::default()
        },
        find: false,
        builds: true,
        stamp: true,
        auto_vcs: false,
        tests: true,
        skip_embeds: false,
    };
    let bench = loading::prepare(session, request)?;
    let mut loaded = bench.load(session, &parsed.arguments)?;
    if loaded.roots.is_empty() {
        return Err(Failure::error("no packages to test".to_owned()));
    }
    loading::check(session, &loaded)?;
    if let Some(error) = loading::test_error(&loaded) {
        return Err(Failure::plain(error.to_string()));
    }
    for id in &loaded.roots {
        if loaded.tests.iter().all(|tests| tests.package != *id) {
            let path = &loaded.set[*id].public.import_path;
            session
                .printer
                .note(format!("?   \t{path}\t[no test files]"));
        }
    }
    let sink: Arc<dyn Sink> = session.printer.clone();
    let tests = loaded.tests.clone();
    let outcome =
        steady_build::command::test_programs(bench.config, &mut loaded.set, &tests, sink)?;
    Ok(ended(&outcome))
}

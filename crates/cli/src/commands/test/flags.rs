//! Flags of `go test`: some are its own, some are the test program's, some are both's, and they may stand before and behind the
//! packages.

use camino::Utf8Path;
use clap::{Args, FromArgMatches};
use std::time::Duration;
use steady_build::duration;

use crate::flags::build::{BuildFlags, CoverFlags, ExplainFlag, ModCommon, ModFlag};
use crate::flags::grammar::{self, Definition, FlagError, Word};
use crate::flags::value::{self, Words};

/// Flags that the test program gets too, as `-test.NAME`.
const PASSED_ON: [&str; 29] = [
    "artifacts",
    "bench",
    "benchmem",
    "benchtime",
    "blockprofile",
    "blockprofilerate",
    "count",
    "coverprofile",
    "cpu",
    "cpuprofile",
    "failfast",
    "fullpath",
    "fuzz",
    "fuzzminimizetime",
    "fuzztime",
    "list",
    "memprofile",
    "memprofilerate",
    "mutexprofile",
    "mutexprofilefraction",
    "outputdir",
    "parallel",
    "run",
    "short",
    "shuffle",
    "skip",
    "timeout",
    "trace",
    "v",
];
/// The time limit if none is given.
const TIMEOUT: Duration = Duration::from_secs(600);

/// All flags.
#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
pub struct TestFlags {
    /// Flags of builds
    #[command(flatten)]
    pub build: BuildFlags,
    /// `-mod`
    #[command(flatten)]
    pub modmode: ModFlag,
    /// `-modfile` and its kin
    #[command(flatten)]
    pub modules: ModCommon,
    /// `-cover` and its kin
    #[command(flatten)]
    pub cover: CoverFlags,
    /// `-explain`
    #[command(flatten)]
    pub explain: ExplainFlag,
    /// Compile the test but do not run it
    #[arg(long)]
    pub c: bool,
    /// Compile the test to the named file
    #[arg(long, value_name = "file")]
    pub o: Option<String>,
    /// Program that runs the test
    #[arg(long, value_name = "xprog", value_parser = value::words)]
    pub exec: Option<Words>,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
    /// Which vet checks run before the test
    #[arg(long, value_name = "list")]
    pub vet: Option<String>,
    /// Save files that the test calls artifacts
    #[arg(long)]
    pub artifacts: bool,
    /// Benchmarks to run
    #[arg(long, value_name = "regexp")]
    pub bench: Option<String>,
    /// Report allocations of benchmarks
    #[arg(long)]
    pub benchmem: bool,
    /// How long a benchmark runs
    #[arg(long, value_name = "t")]
    pub benchtime: Option<String>,
    /// Profile of blocking
    #[arg(long, value_name = "file")]
    pub blockprofile: Option<String>,
    /// Rate of that profile
    #[arg(long, value_name = "n")]
    pub blockprofilerate: Option<String>,
    /// Coverage profile
    #[arg(long, value_name = "file")]
    pub coverprofile: Option<String>,
    /// How often each test runs
    #[arg(long, value_name = "n", value_parser = value::integer)]
    pub count: Option<i64>,
    /// Values of GOMAXPROCS
    #[arg(long, value_name = "1,2,4")]
    pub cpu: Option<String>,
    /// Processor profile
    #[arg(long, value_name = "file")]
    pub cpuprofile: Option<String>,
    /// Stop at the first failure
    #[arg(long)]
    pub failfast: bool,
    /// Test that fuzzes
    #[arg(long, value_name = "regexp")]
    pub fuzz: Option<String>,
    /// How long to minimise
    #[arg(long, value_name = "t")]
    pub fuzzminimizetime: Option<String>,
    /// How long to fuzz
    #[arg(long, value_name = "t")]
    pub fuzztime: Option<String>,
    /// Show full file names in errors
    #[arg(long)]
    pub fullpath: bool,
    /// List tests
    #[arg(long, value_name = "regexp")]
    pub list: Option<String>,
    /// Memory profile
    #[arg(long, value_name = "file")]
    pub memprofile: Option<String>,
    /// Rate of that profile
    #[arg(long, value_name = "n")]
    pub memprofilerate: Option<String>,
    /// Profile of mutexes
    #[arg(long, value_name = "file")]
    pub mutexprofile: Option<String>,
    /// Rate of that profile
    #[arg(long, value_name = "n")]
    pub mutexprofilefraction: Option<String>,
    /// Where profiles are written
    #[arg(long, value_name = "dir")]
    pub outputdir: Option<String>,
    /// How many tests run in parallel
    #[arg(long, value_name = "n", value_parser = value::integer)]
    pub parallel: Option<i64>,
    /// Tests to run
    #[arg(long, value_name = "regexp")]
    pub run: Option<String>,
    /// Shorten long tests
    #[arg(long)]
    pub short: bool,
    /// Random order
    #[arg(long, value_name = "off,on,N", value_parser = shuffle)]
    pub shuffle: Option<String>,
    /// Tests not to run
    #[arg(long, value_name = "regexp")]
    pub skip: Option<String>,
    /// Longest time of a test program
    #[arg(long, value_name = "t", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// Execution trace
    #[arg(long, value_name = "file")]
    pub trace: Option<String>,
    /// Print all tests
    #[arg(long, value_name = "test2json", num_args = 0..=1, value_parser = verbose)]
    pub v: Option<String>,
}

fn shuffle(text: &str) -> Result<String, String> {
    if matches!(text, "on" | "off") || text.parse::<i64>().is_ok() {
        return Ok(text.to_owned());
    }
    let text = steady_build::quote::quote(text);
    Err(format!(
        "-shuffle argument must be \"on\", \"off\", or an int64: strconv.ParseInt: parsing {text}: invalid syntax"
    ))
}

fn verbose(text: &str) -> Result<String, String> {
    if text == "test2json" {
        return Ok(text.to_owned());
    }
    value::boolean(text)
        .map(|value| value.to_string())
        .map_err(|_| format!("invalid flag -test.v={text}"))
}

/// A command line of `go test` taken apart.
pub struct CommandLine {
    /// Flags as meant.
    pub flags: TestFlags,
    /// Packages; none were named if this is empty.
    pub packages: Vec<String>,
    /// Arguments of the test program.
    pub arguments: Vec<String>,
    /// `-timeout`, zero for none.
    pub timeout: Duration,
    /// The user asks the test program for help.
    pub asks_help: bool,
}

impl TestFlags {
    /// A flag that makes a profile of one package, if one is given.
    pub fn profile(&self) -> Option<&'static str> {
        let flags = [
            (&self.blockprofile, "-blockprofile"),
            (&self.cpuprofile, "-cpuprofile"),
            (&self.memprofile, "-memprofile"),
            (&self.mutexprofile, "-mutexprofile"),
            (&self.trace, "-trace"),
        ];
        let given = |value: &Option<String>| value.as_ref().is_some_and(|name| !name.is_empty());
        flags
            .into_iter()
            .find(|(value, _)| given(value))
            .map(|(_, name)| name)
    }
}

/// What is read so far.
struct Reader<'a> {
    definition: &'a Definition,
    cwd: &'a Utf8Path,
    /// Words for clap.
    normal: Vec<String>,
    /// Arguments of the program that were typed.
    explicit: Vec<String>,
    /// Flags from GOFLAGS for the program that were not typed too: name and value.
    inherited: Vec<(String, String)>,
    packages: Option<Vec<String>>,
    first_unknown: Option<String>,
}

/// Reads a command line.
///
/// # Errors
/// The first mistake in its order.
pub fn read(
    definition: &Definition,
    goflags: Vec<String>,
    words: &[String],
    cwd: &Utf8Path,
) -> Result<CommandLine, FlagError> {
    let inherited = goflags.iter().filter_map(|word| {
        let (name, value) = word.strip_prefix("--")?.split_once('=')?;
        PASSED_ON
            .contains(&name)
            .then(|| (name.to_owned(), normal_value(name, value, cwd)))
    });
    let mut reader = Reader {
        definition,
        cwd,
        inherited: inherited.collect(),
        normal: goflags,
        explicit: Vec::new(),
        packages: None,
        first_unknown: None,
    };
    reader.read(words)?;
    reader.finish()
}

impl Reader<'_> {
    fn read(&mut self, mut words: &[String]) -> Result<(), FlagError> {
        let mut in_packages = false;
        let mut may_be_value = false;
        while let Some(word) = words.first() {
            let could_be_value = std::mem::take(&mut may_be_value);
            let read = grammar::read_word(self.definition, words, "test.")?;
            if !matches!(read, Word::Plain) {
                in_packages = false;
            }
            match read {
                Word::End => {
                    self.explicit.extend_from_slice(words);
                    return Ok(());
                }
                Word::Plain if in_packages || self.packages.is_none() => {
                    in_packages = true;
                    self.packages.get_or_insert_default().push(word.clone());
                    words = &words[1..];
                }
                // Behind the packages: the value of a flag that only the program knows, or an argument of the program.
                Word::Plain if could_be_value => {
                    self.explicit.push(word.clone());
                    words = &words[1..];
                }
                Word::Plain => {
                    self.explicit.extend_from_slice(words);
                    return Ok(());
                }
                Word::Unknown { has_value } => {
                    // What follows may be its value, so it is no package.
                    self.packages.get_or_insert_default();
                    words = &words[1..];
                    if matches!(word.as_str(), "-args" | "--args") {
                        self.explicit.extend_from_slice(words);
                        return Ok(());
                    }
                    self.first_unknown.get_or_insert_with(|| word.clone());
                    self.explicit.push(word.clone());
                    may_be_value = !has_value;
                }
                Word::Flag { name, value, used } => {
                    self.flag(&name, &value)?;
                    words = &words[used..];
                }
            }
        }
        Ok(())
    }

    fn flag(&mut self, name: &str, value: &str) -> Result<(), FlagError> {
        let word = format!("--{name}={value}");
        grammar::check(self.definition, &word)?;
        self.normal.push(word);
        if PASSED_ON.contains(&name) {
            let value = normal_value(name, value, self.cwd);
            self.explicit.push(format!("-test.{name}={value}"));
            self.inherited.retain(|(inherited, _)| inherited != name);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<CommandLine, FlagError> {
        let wrong = |error: clap::Error| FlagError::Wrong(error.to_string());
        let matches = self.definition.clone().try_get_matches_from(&self.normal);
        let mut flags = TestFlags::from_arg_matches(&matches.map_err(wrong)?).map_err(wrong)?;
        flags.cover.cover |= flags.coverprofile.is_some();
        if let Some(unknown) = self.first_unknown.filter(|_| flags.c) {
            return Err(FlagError::Wrong(format!(
                "go: unknown flag {unknown} cannot be used with -c"
            )));
        }
        let mut arguments = Vec::new();
        if flags.json {
            arguments.push("-test.v=test2json".to_owned());
            self.inherited.retain(|(name, _)| name != "v");
        }
        self.inherited.sort();
        let inherited = self.inherited.iter();
        arguments.extend(inherited.map(|(name, value)| format!("-test.{name}={value}")));
        let timeout = flags.timeout.unwrap_or(TIMEOUT);
        if flags.timeout.is_none() {
            arguments.push(format!("-test.timeout={}", duration::go_string(timeout)));
        }
        if (flags.profile().is_some() || flags.artifacts) && flags.outputdir.is_none() {
            arguments.push(format!("-test.outputdir={}", self.cwd));
        }
        let asks_help = self
            .explicit
            .iter()
            .take_while(|word| *word != "--")
            .any(|word| matches!(word.as_str(), "-h" | "-help" | "--help"));
        arguments.extend(self.explicit);
        Ok(CommandLine {
            flags,
            packages: self.packages.unwrap_or_default(),
            arguments,
            timeout,
            asks_help,
        })
    }
}

/// A value as go writes it for the test program.
fn normal_value(name: &str, value: &str, cwd: &Utf8Path) -> String {
    let normal = match name {
        "artifacts" | "benchmem" | "failfast" | "fullpath" | "short" => {
            value::boolean(value).ok().map(|value| value.to_string())
        }
        "count" | "parallel" => value::integer(value).ok().map(|value| value.to_string()),
        "timeout" => duration::parse(value).ok().map(duration::go_string),
        "v" => verbose(value).ok(),
        "shuffle" => shuffle(value).ok(),
        "outputdir" if !value.is_empty() => {
            Some(steady_system::clean(&cwd.join(value)).into_string())
        }
        _ => None,
    };
    normal.unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::define;

    fn read_line(goflags: &[&str], line: &str) -> Result<CommandLine, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let goflags = goflags.iter().map(|word| (*word).to_owned()).collect();
        super::read(&define::<TestFlags>(), goflags, &words, Utf8Path::new("/w"))
            .map_err(|error| error.to_string())
    }

    fn split(line: &str) -> (Vec<String>, Vec<String>) {
        let read = read_line(&[], line).unwrap();
        (read.packages, read.arguments)
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_stand_on_both_sides_of_the_packages() {
        let (packages, arguments) = split("-v a b -run X -count=1");
        assert_eq!(packages, ["a", "b"]);
        assert_eq!(
            arguments,
            words("-test.timeout=10m0s -test.v=true -test.run=X -test.count=1")
        );
        assert_eq!(
            split("-test.short a").1,
            words("-test.timeout=10m0s -test.short=true")
        );
    }

    #[test]
    fn what_only_the_program_knows_is_passed_on() {
        let (packages, arguments) = split("-timeout 1h a -x=1 -mine yes -v rest -run Y");
        assert_eq!(packages, ["a"]);
        assert_eq!(
            arguments,
            words("-test.timeout=1h0m0s -mine yes -test.v=true rest -run Y")
        );
        let (packages, arguments) = split("-mine a b");
        assert!(packages.is_empty());
        assert_eq!(arguments, words("-test.timeout=10m0s -mine a b"));
        assert_eq!(split("a -args -v b").1, words("-test.timeout=10m0s -v b"));
        assert_eq!(split("a -- -v").1, words("-test.timeout=10m0s -- -v"));
    }

    #[test]
    fn goflags_come_first_unless_typed_too() {
        let read = read_line(&["--count=2", "--run=A"], "-run B a").unwrap();
        assert_eq!(
            read.arguments,
            words("-test.count=2 -test.timeout=10m0s -test.run=B")
        );
        let read = read_line(&["--v=true"], "-json a").unwrap();
        assert_eq!(
            read.arguments,
            words("-test.v=test2json -test.timeout=10m0s")
        );
    }

    #[test]
    fn mistakes() {
        let error = |line| read_line(&[], line).err().unwrap();
        assert_eq!(
            error("-c -mine a"),
            "go: unknown flag -mine cannot be used with -c"
        );
        assert_eq!(error("-run"), "flag needs an argument: -run");
        assert!(error("-shuffle x").contains("must be \"on\", \"off\", or an int64"));
    }
}

//! Running test programs.

mod cover;
mod inputs;
mod output;
mod result;

use camino::{Utf8Path, Utf8PathBuf};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use steady_system::Environment;
use steady_system::process::Command;
use steady_system::timezone::Zone;
use steady_system::watch::{Listener, Patience, Watched};

use super::Run;
use crate::config::BuildConfig;
use crate::duration::go_string;
use crate::plan::{NodeId, PlannedTest};
use crate::release::Release;
use crate::shell::{Done, Failure, environment_of, lock};
use crate::testing::TestSettings;
use output::Output;
use result::Known;

const NO_TESTS: &[u8] = b"testing: warning: no tests to run\n";
const NO_FUZZ_TESTS: &[u8] = b"testing: warning: no fuzz tests to fuzz\n";
const MANY_FUZZ_TESTS: &[u8] =
    b"testing: warning: -fuzz matches more than one fuzz test, won't fuzz\n";
/// How often a program is started again that somebody still seems to be writing.
const BUSY_TRIES: usize = 50;

/// What the runs of all tests share.
pub(crate) struct TestRuns {
    pub how: TestSettings,
    zone: Zone,
    /// Variables as go's own process has them, for what programs have asked for.
    variables: Environment,
    patience: Patience,
    /// Results from before this moment count no more (`go clean -testcache`); nanoseconds since 1970.
    expired: u64,
    /// What cached results have to do with is told (`GODEBUG=gocachetest=1`).
    tells: bool,
    /// Programs mark what they say is wrong.
    marks_errors: bool,
    /// The number of the test whose turn it is to start.
    turn: Mutex<usize>,
    turned: Condvar,
    stopped: AtomicBool,
    profile: Option<Mutex<std::fs::File>>,
    results: Vec<Mutex<Known>>,
    outputs: Vec<Mutex<Vec<u8>>>,
}

impl TestRuns {
    /// Prepares for so many tests; empties the coverage profile.
    ///
    /// # Errors
    /// The profile cannot be written.
    pub fn new(config: &BuildConfig, how: TestSettings, count: usize) -> Result<TestRuns, String> {
        let variables = environment_of(config);
        let mut profile = None;
        if let Some(path) = how.cover_profile.as_ref().filter(|_| !how.compile_only) {
            let mut file = std::fs::File::create(path)
                .map_err(|error| format!("open {path}: {}", steady_system::describe_io(&error)))?;
            let mode = &config.flags.covermode;
            let _ = file.write_all(format!("mode: {mode}\n").as_bytes());
            profile = Some(Mutex::new(file));
        }
        let debug = config.setting("GODEBUG");
        let tells = debug
            .split(',')
            .rev()
            .find_map(|pair| pair.strip_prefix("gocachetest"))
            == Some("=1");
        Ok(TestRuns {
            patience: patience(&how),
            zone: Zone::local(&variables),
            variables,
            expired: expiry(&config.gocache),
            marks_errors: Release::of(&config.toolchain.version).is_27_or_later(),
            tells,
            turn: Mutex::new(0),
            turned: Condvar::new(),
            stopped: AtomicBool::new(false),
            profile,
            results: (0..count).map(|_| Mutex::default()).collect(),
            outputs: (0..count).map(|_| Mutex::default()).collect(),
            how,
        })
    }

    /// Waits until all tests before this one have started. False: the run was interrupted.
    fn await_turn(&self, test: usize, interrupted: impl Fn() -> bool) -> bool {
        let mut turn = lock(&self.turn);
        while *turn != test {
            if interrupted() {
                return false;
            }
            turn = self
                .turned
                .wait_timeout(turn, Duration::from_millis(50))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    fn pass_turn(&self) {
        *lock(&self.turn) += 1;
        self.turned.notify_all();
    }
}

/// A program ends by itself at its time limit; if it does not, it is asked for its stacks a while later, and then killed.
fn patience(how: &TestSettings) -> Patience {
    if how.timeout.is_zero() || how.fuzzes || how.benchmarks {
        return Patience::default();
    }
    let grace = (how.timeout / 10).max(Duration::from_secs(5));
    Patience {
        run: Some(how.timeout + grace.max(Duration::from_secs(60))),
        grace: Some(grace),
    }
}

/// When results were last declared void.
fn expiry(gocache: &Utf8Path) -> u64 {
    let text = steady_system::lock::read(gocache.join("testexpire.txt")).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.strip_suffix('\n')
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// How a test program ended.
struct Ended {
    /// Go's words for an end that was no success.
    error: Option<String>,
    /// It ended by itself, with an exit code.
    exited: bool,
    asked_to_quit: bool,
    incomplete: bool,
}

impl From<Watched> for Ended {
    fn from(watched: Watched) -> Ended {
        let status = watched.status;
        let error = if !status.success() {
            Some(status.to_string())
        } else if watched.asked_to_quit {
            Some("context deadline exceeded".to_owned())
        } else if watched.incomplete {
            Some("exec: WaitDelay expired before I/O complete".to_owned())
        } else {
            None
        };
        Ended {
            error,
            exited: status.code.is_some_and(|code| code != 0),
            asked_to_quit: watched.asked_to_quit,
            incomplete: watched.incomplete && status.success(),
        }
    }
}

impl Run<'_> {
    /// Runs the tests of a package, in its turn.
    pub(in crate::exec) fn run_test(
        &self,
        node: NodeId,
        test: usize,
        before: Option<NodeId>,
    ) -> Done {
        let Some(runs) = self.tests else {
            return Err(Failure::new("internal error: test without settings"));
        };
        if !runs.await_turn(test, || self.interrupted()) {
            return Ok(());
        }
        if runs.stopped.load(Ordering::Relaxed) {
            runs.pass_turn();
            return Ok(());
        }
        let planned = &self.plan.tests[test];
        let path = &self.packages[planned.package].public.import_path;
        let alone = self.plan.tests.len() == 1 || self.config.flags.p == 1;
        let mut output = Output::new(self.shared, runs, path, alone);
        runs.pass_turn();
        let done = self.run_in_turn(node, test, before, &mut output);
        output.close(matches!(done, Ok(true)));
        if !matches!(done, Ok(true)) {
            self.failed.store(true, Ordering::Relaxed);
        }
        *lock(&runs.outputs[test]) = output.into_kept();
        done.map(|_| ())
    }

    /// Whether the tests passed.
    fn run_in_turn(
        &self,
        node: NodeId,
        test: usize,
        before: Option<NodeId>,
        output: &mut Output<'_>,
    ) -> Done<bool> {
        let planned = &self.plan.tests[test];
        let public = &self.packages[planned.package].public;
        if let Some(failed) = before {
            if let Some(id) = self.plan.nodes[failed].package {
                output.set_failed_build(&self.packages[id].description());
            }
            output.write_text(&format!("FAIL\t{} [build failed]\n", public.import_path));
            return Ok(false);
        }
        if planned.set.is_none() {
            if !self.report_coverage_without_tests(node, planned, output)? {
                let path = &public.import_path;
                output.write_text(&format!("?   \t{path}\t[no test files]\n"));
            }
            return Ok(true);
        }
        if let Some(known) = self.known_result(test, planned) {
            output.replace(known);
            return Ok(true);
        }
        let command = self.test_command(node, test, planned)?;
        let shell = self.shell(node);
        if shell.shows() {
            shell.show("", &command.join(" "));
            if shell.dry() {
                return Ok(true);
            }
        }
        let inputs = self.explain_test(test, planned);
        let remember = |unkept: Option<&str>, looked| {
            if let Some(inputs) = inputs {
                self.remember_test(planned, inputs, unkept, looked);
            }
        };
        let start = Instant::now();
        let ended = self.start_test(node, planned, &command, output)?;
        let seconds = format!("{:.3}s", start.elapsed().as_secs_f64());
        self.merge_profile(&Utf8PathBuf::from(self.profile_of(node)));
        Ok(match &ended.error {
            None => {
                self.tell_success(planned, &seconds, output);
                match self.keep_test_result(node, test, planned, output.kept()) {
                    Ok(looked) => remember(None, looked),
                    Err(why) => remember(Some(&why), Vec::new()),
                }
                true
            }
            Some(error) => {
                if self.runs().how.fail_fast {
                    self.runs().stopped.store(true, Ordering::Relaxed);
                }
                self.tell_failure_of(planned, error, &ended, &seconds, output);
                remember(Some("it failed"), Vec::new());
                false
            }
        })
    }

    /// The settings of tests; there are some when a test runs.
    fn runs(&self) -> &TestRuns {
        self.tests.expect("tests are run with settings")
    }

    /// The program with its arguments.
    fn test_command(&self, node: NodeId, test: usize, planned: &PlannedTest) -> Done<Vec<String>> {
        let runs = self.runs();
        let objdir = &self.plan.nodes[node].objdir;
        let mut words = runs.how.exec.clone();
        words.push(self.data(planned.build).built);
        let keeps = !lock(&runs.results[test]).is_off();
        if keeps && runs.how.exec.is_empty() {
            words.push(format!("-test.testlogfile={objdir}testlog.txt"));
        }
        words.push("-test.paniconexit0".to_owned());
        if runs.how.fuzzes {
            let path = &self.packages[planned.package].public.import_path;
            let dir = self.cache.fuzz_dir().join(path);
            words.push(format!("-test.fuzzcachedir={dir}"));
        }
        if self.config.flags.cover {
            let dir = self.make_cover_dir(node)?;
            words.push(format!("-test.gocoverdir={dir}"));
        }
        for argument in &runs.how.arguments {
            words.push(match argument.strip_prefix("-test.coverprofile=") {
                // Each to a file of its own; they are put together afterwards.
                Some(_) if runs.how.cover_profile.is_some() => {
                    format!("-test.coverprofile={}", self.profile_of(node))
                }
                _ => argument.clone(),
            });
        }
        Ok(words)
    }

    fn start_test(
        &self,
        node: NodeId,
        planned: &PlannedTest,
        words: &[String],
        output: &mut Output<'_>,
    ) -> Done<Ended> {
        let runs = self.runs();
        let mut command = Command::new(words[0].as_str(), &runs.how.environment);
        command
            .args(&words[1..])
            .dir(&self.packages[planned.package].public.dir);
        if self.config.flags.cover {
            command.env("GOCOVERDIR", self.cover_dir(node));
        }
        if runs.how.own_groups {
            command.own_group();
        }
        let inherits = output.inherits();
        let mut hear = |piece: &[u8]| output.write(piece);
        for _ in 0..BUSY_TRIES {
            let listener = if inherits {
                Listener::Inherit
            } else {
                Listener::Pieces(&mut hear)
            };
            match command.watch(listener, runs.patience) {
                Ok(watched) => return Ok(watched.into()),
                Err(error) if error.to_string().contains("text file busy") => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(error) => {
                    return Ok(Ended {
                        error: Some(error.to_string()),
                        exited: false,
                        asked_to_quit: false,
                        incomplete: false,
                    });
                }
            }
        }
        Err(Failure::new(format!(
            "fork/exec {}: text file busy",
            words[0]
        )))
    }

    fn tell_success(&self, planned: &PlannedTest, seconds: &str, output: &mut Output<'_>) {
        let said = output.kept().to_vec();
        let how = &self.runs().how;
        if !how.shows_passed && !how.json {
            output.forget();
        }
        let has_line = |line: &[u8]| {
            let mut starts = said
                .windows(line.len())
                .enumerate()
                .filter(|(_, window)| *window == line)
                .map(|(at, _)| at);
            starts.any(|at| at == 0 || said[at - 1] == b'\n')
        };
        let note = if has_line(MANY_FUZZ_TESTS) {
            "[-fuzz matches more than one fuzz test, won't fuzz]"
        } else if has_line(NO_FUZZ_TESTS) {
            " [no fuzz tests to fuzz]"
        } else if has_line(NO_TESTS) {
            " [no tests to run]"
        } else {
            ""
        };
        if !said.is_empty() && !said.ends_with(b"\n") {
            output.write(b"\n");
        }
        let coverage = self.coverage_in(&said);
        let path = &self.packages[planned.package].public.import_path;
        output.write_text(&format!("ok  \t{path}\t{seconds}{coverage}{note}\n"));
    }

    fn tell_failure_of(
        &self,
        planned: &PlannedTest,
        error: &str,
        ended: &Ended,
        seconds: &str,
        output: &mut Output<'_>,
    ) {
        let runs = self.runs();
        let last = output.kept().last().copied();
        if ended.asked_to_quit {
            let limit = go_string(runs.patience.run.unwrap_or_default());
            output.write_text(&format!(
                "*** Test killed with quit: ran too long ({limit}).\n"
            ));
        } else if ended.incomplete {
            let grace = go_string(runs.patience.grace.unwrap_or_default());
            output.write_text(&format!("*** Test I/O incomplete {grace} after exiting.\n"));
        }
        if !ended.exited || last.is_none() {
            output.write_text(&format!("{error}\n"));
        } else if last != Some(b'\n') {
            output.write(b"\n");
        }
        // A program that broke off has not said FAIL itself.
        let mark = if runs.how.json || runs.how.marks {
            "\x16"
        } else {
            ""
        };
        let path = &self.packages[planned.package].public.import_path;
        output.write_text(&format!("{mark}FAIL\t{path}\t{seconds}\n"));
    }

    /// Removes what the run of a test has left.
    pub(in crate::exec) fn clean_test(&self, node: NodeId) -> Done {
        if !self.config.flags.work {
            self.shell(node).remove_all(&self.plan.nodes[node].objdir);
        }
        Ok(())
    }

    /// Prints what the run has put out and was held back.
    pub(in crate::exec) fn print_test(&self, test: usize) -> Done {
        let kept = std::mem::take(&mut *lock(&self.runs().outputs[test]));
        if !kept.is_empty() {
            self.shared.sink.stdout(&kept);
        }
        Ok(())
    }
}

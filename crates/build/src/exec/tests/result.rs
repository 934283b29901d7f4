//! Results of earlier runs.
//!
//! A result is found in two steps. The first id stands for the program and its arguments and leads to the list of what the
//! program looked at when it last ran: files, variables. The second adds the state of all that, and leads to the output. The first
//! is asked with the id of linking, so that a program whose inputs are the same need not be linked, and, when it had to be, with
//! the content of the program.
//!
//! | line of the first id | |
//! |---|---|
//! | `test binary ID args [cacheable arguments] execcmd [words]` | without a line end |
//!
//! The second is the subkey `inputs:HEX` of the first; the coverage profile its subkey `coverprofile`, behind `coverdeps:HEX` when
//! `-coverpkg` names packages.

use camino::Utf8PathBuf;
use std::fmt::Write as _;

use super::super::Run;
use super::super::rebuilt::Why;
use crate::buildid::{action_id, content_id};
use crate::cache::{Id, hex};
use crate::inputs::{Inputs, LOOKED, Step};
use crate::plan::{Kind, NodeId, PlannedTest};
use crate::quote::quote_list;
use crate::shell::lock;

/// Begins every list of what a program looked at.
pub(super) const LOG_START: &[u8] = b"# test log\n";

/// Arguments that are part of the first id.
const CACHEABLE: [&str; 11] = [
    "-test.benchtime",
    "-test.cpu",
    "-test.list",
    "-test.parallel",
    "-test.run",
    "-test.short",
    "-test.skip",
    "-test.timeout",
    "-test.failfast",
    "-test.v",
    "-test.fullpath",
];
/// Arguments that make no difference.
const WITHOUT_EFFECT: [&str; 2] = ["-test.coverprofile", "-test.outputdir"];

/// What is known of the result of one test.
#[derive(Default)]
pub(super) struct Known {
    /// Why results are neither looked for nor kept.
    off: Option<String>,
    /// There is a result, but it was declared void.
    expired: bool,
    /// The output of an earlier run, with `(cached)` in it.
    output: Option<Vec<u8>>,
    /// First ids: by the link's id, by the program's content.
    ids: Vec<Id>,
    cover_meta: Option<Id>,
}

impl Known {
    pub fn is_off(&self) -> bool {
        self.off.is_some()
    }
}

impl Run<'_> {
    /// Looks for the result of the test that alone needs the program of a link.
    pub(in crate::exec) fn knows_test_result(&self, link: NodeId) -> bool {
        let [barrier] = self.plan.nodes[link].triggers[..] else {
            return false;
        };
        if self.plan.nodes[barrier].kind != Kind::Barrier {
            return false;
        }
        let held = self.plan.nodes[barrier].triggers.iter();
        let mut tests = held.filter_map(|node| match self.plan.nodes[*node].kind {
            Kind::TestRun { test } => Some(test),
            _ => None,
        });
        let (Some(test), None) = (tests.next(), tests.next()) else {
            return false;
        };
        let id = self.data(link).build_id;
        self.look_for_result(test, &self.plan.tests[test], action_id(&id))
    }

    /// The output of an earlier run. If none was found by the link's id, the program is there now and is asked for.
    pub(super) fn known_result(&self, test: usize, planned: &PlannedTest) -> Option<Vec<u8>> {
        let known = &self.runs().results[test];
        if lock(known).output.is_none() {
            let id = self.data(planned.build).build_id;
            self.look_for_result(test, planned, content_id(&id));
        }
        lock(known).output.take()
    }

    pub(super) fn tell_cache(&self, text: impl FnOnce() -> String) {
        if self.runs().tells {
            let line = format!("testcache: {}\n", text());
            self.shared.sink.print(None, &line);
        }
    }

    fn look_for_result(&self, test: usize, planned: &PlannedTest, id: &str) -> bool {
        let runs = self.runs();
        let arguments = match self.cacheable_arguments(planned) {
            Ok(arguments) => arguments,
            Err(why) => {
                lock(&runs.results[test]).off = Some(why);
                return false;
            }
        };
        let path = &self.packages[planned.package].public.import_path;
        let mut hash = self.cache.hashes().hash("testResult");
        hash.add(format_args!(
            "test binary {id} args {} execcmd {}",
            quote_list(&arguments),
            quote_list(&runs.how.exec)
        ));
        let first = hash.sum();
        let cover_meta = self.cover_meta_id();
        {
            let mut known = lock(&runs.results[test]);
            known.ids.push(first);
            known.cover_meta = cover_meta;
        }
        self.tell_cache(|| format!("{path}: test ID {} => {}", hex_of(id), hex(&first)));
        let log = self.cache.get_bytes(&first).map(|(log, _)| log);
        let Some(log) = log.filter(|log| log.starts_with(LOG_START) && log.ends_with(b"\n")) else {
            self.tell_cache(|| format!("{path}: input list not found: cache entry not found"));
            return false;
        };
        let Some(inputs) = self.inputs_id(planned, &log) else {
            return false;
        };
        let key = self.result_key(&first, &inputs);
        self.tell_cache(|| {
            let (first, inputs, key) = (hex(&first), hex(&inputs), hex(&key));
            format!("{path}: test ID {first} => input ID {inputs} => {key}")
        });
        if !self.has_profile(planned, &key, cover_meta.as_ref()) {
            return false;
        }
        let found = self.cache.get_bytes(&key);
        let Some((output, entry)) = found.filter(|(output, _)| output.ends_with(b"\n")) else {
            self.tell_cache(|| format!("{path}: test output not found: cache entry not found"));
            return false;
        };
        if entry.time < runs.expired {
            self.tell_cache(|| format!("{path}: test output expired due to go clean -testcache"));
            lock(&runs.results[test]).expired = true;
            return false;
        }
        let Some(output) = marked_as_cached(&output) else {
            self.tell_cache(|| format!("{path}: test output malformed"));
            return false;
        };
        lock(&runs.results[test]).output = Some(output);
        true
    }

    /// The arguments that decide the result, or why the result cannot be kept.
    fn cacheable_arguments(&self, planned: &PlannedTest) -> Result<Vec<String>, String> {
        let how = &self.runs().how;
        let public = &self.packages[planned.package].public;
        if how.local {
            self.tell_cache(|| "caching disabled in local directory mode".to_owned());
            return Err("without named packages results are not kept".to_owned());
        }
        if public.root.is_empty() {
            self.tell_cache(|| {
                let path = &public.import_path;
                format!(
                    "caching disabled for package outside of module root, GOPATH, or GOROOT: {path}"
                )
            });
            return Err("outside of modules, GOPATH and GOROOT results are not kept".to_owned());
        }
        let mut deciding = Vec::new();
        for argument in &how.arguments {
            let name = argument.split_once('=').map(|(name, _)| name);
            match name {
                Some(name) if CACHEABLE.contains(&name) => deciding.push(argument.clone()),
                Some(name) if WITHOUT_EFFECT.contains(&name) => {}
                _ => {
                    self.tell_cache(|| format!("caching disabled for test argument: {argument}"));
                    return Err(format!("with {} results are not kept", as_typed(argument)));
                }
            }
        }
        Ok(deciding)
    }

    /// Tells why a test runs, if somebody asks. What it depends on, as far as that is known before it runs.
    pub(super) fn explain_test(&self, test: usize, planned: &PlannedTest) -> Option<Inputs> {
        if !self.minds_inputs() {
            return None;
        }
        let (off, expired) = {
            let known = lock(&self.runs().results[test]);
            (known.off.clone(), known.expired)
        };
        if let Some(why) = off {
            self.tell_always(planned.package, Step::Test, &why);
            return None; // nothing follows from this run for the next
        }
        let link = self.plan.build_behind(planned.build);
        let mut inputs = self.inputs_of(&self.link_action_id(link).ok()?);
        let how = &self.runs().how;
        let arguments = self.cacheable_arguments(planned).unwrap_or_default();
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| as_typed(argument))
            .collect();
        inputs.push("testargs", quote_list(&arguments));
        inputs.push("testexec", quote_list(&how.exec));
        let expired = expired.then_some("its result was declared void (clean -testcache)");
        self.tell_why(&Why {
            step: Step::Test,
            package: planned.package,
            inputs: &inputs,
            forced: expired,
            dependent: link,
            looked: &|what| self.state_of(what),
        });
        Some(inputs)
    }

    /// Remembers what a test depended on; `unkept` says why its result was not kept.
    pub(super) fn remember_test(
        &self,
        planned: &PlannedTest,
        mut inputs: Inputs,
        unkept: Option<&str>,
        looked: Vec<(String, String)>,
    ) {
        for (what, state) in looked {
            inputs.push(format!("{LOOKED}{what}"), state);
        }
        if let Some(unkept) = unkept {
            inputs.push("unkept", unkept);
        }
        self.remember_inputs(planned.package, Step::Test, Id::default(), &inputs);
    }

    fn result_key(&self, first: &Id, inputs: &Id) -> Id {
        let hashes = self.cache.hashes();
        hashes.subkey(first, &format!("inputs:{}", hex(inputs)))
    }

    fn profile_key(&self, key: &Id, cover_meta: Option<&Id>) -> Id {
        let hashes = self.cache.hashes();
        let key = match cover_meta {
            Some(meta) => hashes.subkey(key, &format!("coverdeps:{}", hex(meta))),
            None => *key,
        };
        hashes.subkey(&key, "coverprofile")
    }

    /// Whether the profile that belongs to a result is there, if one is needed; it is put into that of the whole run.
    fn has_profile(&self, planned: &PlannedTest, key: &Id, cover_meta: Option<&Id>) -> bool {
        let wanted = self.runs().how.cover_profile.is_some();
        if !wanted && cover_meta.is_none() {
            return true;
        }
        let found = self.cache.get_file(&self.profile_key(key, cover_meta));
        match found {
            Some((path, _)) => {
                if wanted {
                    self.merge_profile(&path);
                }
                true
            }
            None => {
                let path = &self.packages[planned.package].public.import_path;
                self.tell_cache(|| {
                    if wanted {
                        format!("{path}: cached cover profile missing: cache entry not found")
                    } else {
                        format!("{path}: coverage metadata changed, re-running test: cache entry not found")
                    }
                });
                false
            }
        }
    }

    /// Keeps the output of a run that succeeded. Returns what the program looked at, or why the output was not kept.
    pub(super) fn keep_test_result(
        &self,
        node: NodeId,
        test: usize,
        planned: &PlannedTest,
        output: &[u8],
    ) -> Result<Vec<(String, String)>, String> {
        let runs = self.runs();
        let (ids, cover_meta) = {
            let known = lock(&runs.results[test]);
            (known.ids.clone(), known.cover_meta)
        };
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let path = &self.packages[planned.package].public.import_path;
        let log = format!("{}testlog.txt", self.plan.nodes[node].objdir);
        let log =
            read(&log.into()).filter(|log| log.starts_with(LOG_START) && log.ends_with(b"\n"));
        let Some(log) = log else {
            self.tell_cache(|| format!("{path}: reading testlog: malformed"));
            return Err("it left no list of what it looked at".to_owned());
        };
        let (inputs, looked) = self.looked_at(planned, &log)?;
        let mut profile = None;
        if runs.how.cover_profile.is_some() {
            profile = read(&self.profile_of(node).into());
            if profile.is_none() {
                self.tell_cache(|| format!("{path}: reading cover profile: no such file"));
                return Err("it left no coverage profile".to_owned());
            }
        } else if cover_meta.is_some() {
            profile = Some(Vec::new()); // that it is there says that it was for these packages
        }
        for first in ids {
            let key = self.result_key(&first, &inputs);
            self.tell_cache(|| {
                let (first, inputs, key) = (hex(&first), hex(&inputs), hex(&key));
                format!("{path}: save test ID {first} => input ID {inputs} => {key}")
            });
            // The cache is a help, not a duty.
            let _ = self.cache.put_unverified(&first, &log);
            let _ = self.cache.put_unverified(&key, output);
            if let Some(profile) = &profile {
                let key = self.profile_key(&key, cover_meta.as_ref());
                let _ = self.cache.put_unverified(&key, profile);
            }
        }
        Ok(looked)
    }
}

/// A program's argument as it is given to `test`.
fn as_typed(argument: &str) -> String {
    match argument.strip_prefix("-test.") {
        Some(flag) => format!("-{flag}"),
        None => argument.to_owned(),
    }
}

fn read(path: &Utf8PathBuf) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut content = Vec::new();
    let mut file = std::fs::File::open(path).ok()?;
    file.read_to_end(&mut content).ok()?;
    Some(content)
}

/// Go shows the text of an id as hexadecimal.
fn hex_of(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The output of a run with `(cached)` in the place of its time.
fn marked_as_cached(output: &[u8]) -> Option<Vec<u8>> {
    let body = output.strip_suffix(b"\n")?;
    let last = body
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let start = last + b"ok  \t".len();
    if !output[last..].starts_with(b"ok  \t") {
        return None;
    }
    let tab = output[start..].iter().position(|byte| *byte == b'\t')?;
    let time = start + tab + 1;
    let rest = output[time..]
        .iter()
        .position(|byte| !matches!(byte, b'0'..=b'9' | b'.' | b's'))?;
    Some([&output[..time], b"(cached)", &output[time + rest..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_gives_way_to_cached() {
        let marked = |text: &str| {
            marked_as_cached(text.as_bytes()).map(|text| String::from_utf8(text).unwrap())
        };
        assert_eq!(
            marked("x\nok  \tp\t0.010s\n").unwrap(),
            "x\nok  \tp\t(cached)\n"
        );
        let covered = "ok  \tp\t0.010s\tcoverage: 50.0% of statements\n";
        assert_eq!(
            marked(covered).unwrap(),
            "ok  \tp\t(cached)\tcoverage: 50.0% of statements\n"
        );
        assert_eq!(marked("PASS\n"), None);
        assert_eq!(marked("ok  \tp\n"), None);
    }
}

//! Coverage of tests: profiles put together, and what is known of packages that no test runs.

use camino::Utf8Path;
use std::io::{Read as _, Write as _};

use super::super::Run;
use super::super::cover::meta_file;
use super::output::Output;
use crate::buildid::action_id;
use crate::cache::Id;
use crate::plan::{Kind, NodeId, PlannedTest};
use crate::shell::process::{self, Spec};
use crate::shell::{Done, Failure, lock};

/// The list of fragments, as the runtime looks for it.
const META_FILES: &str = "metafiles.txt";

impl Run<'_> {
    /// The file that a test writes its profile to.
    pub(super) fn profile_of(&self, node: NodeId) -> String {
        format!("{}_cover_.out", self.plan.nodes[node].objdir)
    }

    pub(super) fn cover_dir(&self, node: NodeId) -> String {
        format!("{}gocoverdir", self.plan.nodes[node].objdir)
    }

    /// The directory that a test writes its counters to, with the list of what other packages have.
    pub(super) fn make_cover_dir(&self, node: NodeId) -> Done<String> {
        let dir = self.cover_dir(node);
        let shell = self.shell(node);
        shell.mkdir(&dir)?;
        if let Some(meta) = self.cover_meta_node() {
            let from = format!("{}{META_FILES}", self.plan.nodes[meta].objdir);
            shell.copy_file(&format!("{dir}/{META_FILES}"), &from, 0o666, false)?;
        }
        Ok(dir)
    }

    fn cover_meta_node(&self) -> Option<NodeId> {
        let nodes = self.plan.nodes.iter();
        nodes.clone().position(|node| node.kind == Kind::CoverMeta)
    }

    /// What stands for the packages that `-coverpkg` names in the ids of results.
    pub(super) fn cover_meta_id(&self) -> Option<Id> {
        let meta = self.cover_meta_node()?;
        let mut hash = self.cache.hashes().hash("covermeta");
        for dep in &self.plan.nodes[meta].deps {
            let build_id = self.data(*dep).build_id;
            if !build_id.is_empty() {
                hash.add(format_args!("dep {}\n", action_id(&build_id)));
            }
        }
        Some(hash.sum())
    }

    /// Adds a profile to that of the whole run. A test that left none is fine.
    pub(super) fn merge_profile(&self, path: &Utf8Path) {
        let Some(profile) = &self.runs().profile else {
            return;
        };
        let mut text = Vec::new();
        let Ok(mut file) = std::fs::File::open(path) else {
            return;
        };
        if file.read_to_end(&mut text).is_err() || text.is_empty() {
            return;
        }
        let expected = format!("mode: {}\n", self.config.flags.covermode);
        let Some(rest) = text.strip_prefix(expected.as_bytes()) else {
            let header = String::from_utf8_lossy(&text[..text.len().min(expected.len())]);
            let text = format!(
                "test wrote malformed coverage profile {path}: header {}, expected {}: <nil>",
                crate::quote::quote(&header),
                crate::quote::quote(&expected)
            );
            self.shared.sink.error(None, &text);
            return;
        };
        if let Err(error) = lock(profile).write_all(rest) {
            let text = format!("saving coverage profile: {error}");
            self.shared.sink.error(None, &text);
        }
    }

    /// What a test said of coverage, for its line.
    pub(super) fn coverage_in(&self, said: &[u8]) -> String {
        if !self.config.flags.cover {
            return String::new();
        }
        let text = String::from_utf8_lossy(said);
        let found = text.find("coverage: ").and_then(|at| {
            let rest = &text[at + "coverage: ".len()..];
            rest.split_once('\n').map(|(line, _)| line)
        });
        found.map_or_else(String::new, |line| format!("\tcoverage: {line}"))
    }

    /// Writes the list of the fragments of coverage meta-data that compilations have left.
    pub(in crate::exec) fn list_cover_meta(&self, node: NodeId) -> Done {
        let (mut paths, mut files) = (Vec::new(), Vec::new());
        for dep in &self.plan.nodes[node].deps {
            let Some(id) = self.plan.nodes[*dep].package else {
                continue;
            };
            let package = &self.packages[id];
            let file = format!("{}{}", self.plan.nodes[*dep].objdir, meta_file(package));
            let meta = Utf8Path::new(&file).as_std_path().metadata();
            if meta.is_ok_and(|meta| meta.len() > 0) {
                paths.push(package.public.import_path.clone());
                files.push(file);
            }
        }
        let list = serde_json::json!({"ImportPaths": paths, "MetaFileFragments": files});
        let objdir = &self.plan.nodes[node].objdir;
        let shell = self.shell(node);
        shell.mkdir(objdir)?;
        shell.write_file(
            &format!("{objdir}{META_FILES}"),
            format!("{list}\n").as_bytes(),
        )
    }

    /// Says how little of a package without tests is covered. False if there is nothing to be said.
    pub(super) fn report_coverage_without_tests(
        &self,
        node: NodeId,
        planned: &PlannedTest,
        output: &mut Output<'_>,
    ) -> Done<bool> {
        let package = &self.packages[planned.package];
        if !self.config.flags.cover || !package.internal.cover_gen_meta {
            return Ok(false);
        }
        let shell = self.shell(node);
        shell.mkdir(&self.plan.nodes[node].objdir)?;
        let dir = self.plan.nodes[planned.build].objdir.clone();
        let file = format!("{dir}{}", meta_file(package));
        if !shell.dry() {
            let meta = Utf8Path::new(&file).as_std_path().metadata();
            if meta?.len() == 0 {
                return Ok(false);
            }
        }
        let dir = dir.trim_end_matches('/').to_owned();
        let percent = self.covdata(node, &["percent", "-i", &dir])?;
        output.write(&percent);
        if self.runs().profile.is_some() {
            let profile = self.profile_of(node);
            let said = self.covdata(node, &["textfmt", "-i", &dir, "-o", &profile])?;
            output.write(&said);
            self.merge_profile(Utf8Path::new(&profile));
        }
        Ok(true)
    }

    fn covdata(&self, node: NodeId, arguments: &[&str]) -> Done<Vec<u8>> {
        let shell = self.shell(node);
        if shell.shows() {
            let go = self.config.toolchain.goroot.join("bin/go");
            let mut words = vec![go.as_str(), "tool", "covdata"];
            words.extend(arguments);
            shell.show(&self.plan.nodes[node].objdir, &words.join(" "));
            if shell.dry() {
                return Ok(Vec::new());
            }
        }
        let program = match &self.runs().how.covdata {
            Some(covdata) => (covdata.0)().map_err(Failure::new)?,
            None => self.tool("covdata").into(),
        };
        let mut words = self.config.flags.toolexec.clone();
        words.push(program.into_string());
        words.extend(arguments.iter().map(|word| (*word).to_owned()));
        let spec = Spec {
            words: &words,
            dir: &self.plan.nodes[node].objdir,
            env: &[],
        };
        let ran = process::run(self.shared, &spec);
        if ran.error.is_some() {
            shell.report("", "", ran)?;
            return Ok(Vec::new());
        }
        Ok(ran.output)
    }
}

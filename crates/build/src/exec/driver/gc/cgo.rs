//! What the toolchain's own linker has to know of C objects: which symbols come from shared libraries.
//!
//! A trial link finds out, and cgo makes a list of it. If the trial fails, the program can only be linked by the host's linker,
//! which an empty member called `dynimportfail` tells the Go linker.

use std::collections::BTreeSet;

use super::Run;
use crate::cache::short;
use crate::cflags::{Rules, check};
use crate::config::BuildConfig;
use crate::exec::cgo::{CFile, CgoOutputs, CgoRun, compiler_env};
use crate::plan::NodeId;
use crate::quote::command_line;
use crate::shell::paths::make_absolute;
use crate::shell::{Done, Failure};

impl Run<'_> {
    pub(super) fn find_dynamic_imports(
        &self,
        node: NodeId,
        run: &CgoRun,
        outputs: &mut CgoOutputs,
    ) -> Done {
        let (_, package) = self.package(node)?;
        let objdir = self.plan.nodes[node].objdir.clone();
        let shell = self.shell(node);
        let main = format!("{objdir}_cgo_main.c");
        let object = format!("{objdir}_cgo_main.o");
        let compiler = self.compiler_command(&self.cc(), &package.public.dir, &objdir);
        let seed = short(&self.data(node).action_id);
        let job = CFile {
            compiler,
            flags: &run.c,
            file: &main,
            object: &object,
            seed: &seed,
        };
        self.compile_c_file(node, package, &job)?;

        let trial = format!("{objdir}_cgo_.o");
        let files = &package.public.files;
        let cxx = !files.cxx_files.is_empty() || !files.swig_cxx_files.is_empty();
        let linker = self.compiler_command(
            &if cxx { self.cxx() } else { self.cc() },
            &package.public.dir,
            &objdir,
        );
        let mut words = linker;
        words.extend(["-o".to_owned(), trial.clone(), object]);
        words.extend(outputs.objects.iter().cloned());
        words.extend(self.all_syso(node));
        words.extend(self.trial_link_flags(&run.ld));
        let ran = shell.run_out(self.config.cwd.as_str(), &compiler_env(), &words);
        if shell.shows() {
            let saw = if ran.error.is_none() {
                "succeeded"
            } else {
                "failed"
            };
            let line = format!(
                "{} # test for internal linking errors ({saw})",
                command_line(&words)
            );
            shell.show("", &line);
        }
        if ran.error.is_some() {
            let fail = format!("{objdir}dynimportfail");
            shell.write_file(&fail, b"")?;
            outputs.objects.push(fail);
            return Ok(());
        }
        let imports = format!("{objdir}_cgo_import.go");
        let path = package.public.import_path.as_str();
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("cgo"));
        let name = package.public.name.as_str();
        words.extend(
            [
                "-dynpackage",
                name,
                "-dynimport",
                &trial,
                "-dynout",
                &imports,
            ]
            .map(str::to_owned),
        );
        if package.public.standard && path == "runtime/cgo" {
            words.push("-dynlinker".into());
        }
        shell.run(self.config.cwd.as_str(), path, &compiler_env(), &words)?;
        outputs.go.push(imports);
        Ok(())
    }

    /// The system objects of a package and of all it depends on.
    fn all_syso(&self, node: NodeId) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut seen = vec![false; self.plan.nodes.len()];
        let mut queue = vec![node];
        while let Some(node) = queue.pop() {
            if std::mem::replace(&mut seen[node], true) {
                continue;
            }
            if let Some(id) = self.plan.nodes[node].package {
                let public = &self.packages[id].public;
                found.extend(
                    public
                        .files
                        .syso_files
                        .iter()
                        .map(|file| make_absolute(&public.dir, file)),
                );
            }
            queue.extend(&self.plan.nodes[node].deps);
        }
        found
    }

    fn trial_link_flags(&self, flags: &[String]) -> Vec<String> {
        let target = &self.config.target;
        let mut flags = flags.to_vec();
        if (target.goarch == "arm" && target.goos == "linux") || target.goos == "android" {
            if !flags.iter().any(|flag| flag == "-no-pie") {
                flags.push("-pie".into());
            }
            if flags.iter().any(|flag| flag == "-pie") {
                flags.retain(|flag| flag != "-static");
            }
        }
        flags
    }
}

/// Checks the linker flags that stand in generated Go files once more: nobody but cgo may have put them there.
pub(super) fn check_embedded_flags(
    config: &BuildConfig,
    files: &[String],
    known: &[String],
) -> Done {
    use std::io::Read as _;
    const MARK: &str = "//go:cgo_ldflag";
    let mut flags: Vec<String> = Vec::new();
    for file in files {
        if !file
            .rsplit('/')
            .next()
            .is_some_and(|base| base.starts_with("_cgo_"))
        {
            continue;
        }
        let mut text = String::new();
        std::fs::File::open(file)?.read_to_string(&mut text)?;
        for line in text.lines() {
            let comment = line.find("//").map_or("", |at| &line[at..]);
            if let Some(flag) = comment.strip_prefix(MARK) {
                flags.push(flag.trim().trim_matches('"').to_owned());
            }
        }
    }
    if !known.is_empty()
        && let Some(at) = flags.windows(known.len()).position(|run| run == known)
    {
        flags.drain(at..at + known.len());
    }
    check(
        Some(config),
        "LDFLAGS",
        "go:cgo_ldflag",
        &flags,
        Rules::Linker,
    )
    .map_err(Failure::new)
}

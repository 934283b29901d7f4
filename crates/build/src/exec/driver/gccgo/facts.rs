//! What has to be tried to know of a gccgo: how it spells package paths in symbols, and what its standard library has.

use std::sync::OnceLock;
use steady_system::process::Command;

use super::Gccgo;
use super::mangle::{self, Mangling};
use crate::exec::Run;
use crate::plan::NodeId;
use crate::quote::command_line;
use crate::shell::process::Ran;
use crate::shell::{Done, Failure};

/// Compiles only where the standard library has the type that cgo writes for incomplete types of C (since GCC 13).
const USES_INCOMPLETE: &str = "package p\n\nimport \"runtime/cgo\"\n\ntype T cgo.Incomplete\n";

/// What was found out in this build.
#[derive(Default)]
pub(super) struct Facts {
    mangling: OnceLock<Result<Mangling, String>>,
    incomplete: OnceLock<bool>,
}

impl Gccgo {
    /// A package path as the assembler and C know it.
    pub(super) fn symbol_of(&self, run: &Run<'_>, path: &str) -> Done<String> {
        if path.is_empty() {
            return Ok(String::new());
        }
        let found = self.facts.mangling.get_or_init(|| self.find_mangling(run));
        let mangling = found.as_ref().map_err(Failure::new)?;
        Ok(mangling.symbol(path))
    }

    /// Remembered in the build cache, as all else that is found out about compilers by trying.
    fn find_mangling(&self, run: &Run<'_>) -> Result<Mangling, String> {
        let id = run.compiler_id(&self.path);
        let key = id.map(|id| run.cache.hashes().subkey(&id, "steady gccgo mangling"));
        let known = key.and_then(|key| run.cache.get_bytes(&key));
        if let Some(mangling) = known.and_then(|(name, _)| Mangling::named(&name)) {
            return Ok(mangling);
        }
        let assembly = self.try_source(run, mangle::PROBE, &["-S", "-o", "-"]);
        let found = assembly.ok().and_then(|text| Mangling::in_assembly(&text));
        let unknown = || format!("{}: unrecognized mangling scheme", self.path);
        let mangling = found.ok_or_else(unknown)?;
        if let Some(key) = key {
            let _ = run.cache.put_bytes(&key, mangling.name());
        }
        Ok(mangling)
    }

    /// Whether the standard library knows incomplete types.
    pub(super) fn has_incomplete(&self, run: &Run<'_>, node: NodeId) -> bool {
        *self.facts.incomplete.get_or_init(|| {
            let shell = run.shell(node);
            let work = run.shared.work.as_str();
            let words = ["-c", "-o", "/dev/null"];
            let line =
                command_line(&[&[self.path.as_str()], &words[..], &["-x", "go", "-"]].concat());
            if shell.shows() {
                shell.show(work, &format!("{line} || true"));
            }
            let tried = self.try_source(run, USES_INCOMPLETE, &words);
            if let Err(said) = &tried
                && shell.shows()
            {
                let ran = Ran {
                    output: said.clone().into_bytes(),
                    error: None,
                };
                let _ = shell.report(&line, work, ran);
            }
            tried.is_ok()
        })
    }

    /// Compiles a text. What was put out, or what was said against it.
    fn try_source(&self, run: &Run<'_>, text: &str, words: &[&str]) -> Result<String, String> {
        run.config.note_work();
        let mut command = Command::new(self.path.clone(), &run.shared.environment);
        command.args(words).args(["-x", "go", "-"]).input(text);
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(output.text())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

//! Ids of tools: what makes results stale when a compiler changes.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Mutex;

use steady_system::Question;

use super::Run;
use crate::buildid::{content_id, read_file};
use crate::quote::{quote, split_words};
use crate::shell::process::{self, Spec};
use crate::shell::{Failure, lock};

/// The identity of a C compiler.
#[derive(Debug, Clone)]
pub(crate) struct CTool {
    /// Its version line, or its content id if it is a development version.
    pub id: String,
    /// The program behind a development version; empty otherwise.
    pub program: String,
}

/// What was found out about tools in this run.
#[derive(Default)]
pub(crate) struct Tools {
    ids: Mutex<HashMap<String, Result<String, String>>>,
    c_ids: Mutex<HashMap<(String, String), Result<CTool, String>>>,
}

impl Run<'_> {
    /// The path of a tool of the toolchain.
    pub(super) fn tool(&self, name: &str) -> String {
        self.config.toolchain.tool_dir.join(name).into_string()
    }

    /// The tool that goes by the name in this run: another one can stand in for vet.
    fn asked_tool(&self, name: &str) -> String {
        match self.vet {
            Some(settings) if name == "vet" => settings.tool.to_string(),
            _ => self.tool(name),
        }
    }

    /// The id of a tool of the toolchain.
    pub(super) fn tool_id(&self, name: &str) -> Result<String, Failure> {
        let mut ids = lock(&self.tools.ids);
        if let Some(known) = ids.get(name) {
            return known.clone().map_err(Failure::new);
        }
        let found = self.find_tool_id(name);
        ids.insert(name.to_owned(), found.clone());
        found.map_err(Failure::new)
    }

    fn find_tool_id(&self, name: &str) -> Result<String, String> {
        // A tool behind -toolexec is whatever that makes of it, so it must be asked every time.
        let remembered = if self.config.flags.toolexec.is_empty() {
            self.tool_key(name)
        } else {
            None
        };
        if let Some(key) = &remembered
            && let Some((line, _)) = self.cache.get_bytes(key)
            && let Ok(line) = String::from_utf8(line)
        {
            return Ok(line);
        }
        let path = self.asked_tool(name);
        let mut words = self.config.flags.toolexec.clone();
        words.extend([path.clone(), "-V=full".to_owned()]);
        let shown = if name == "vet" {
            path
        } else {
            format!("go tool {name}")
        };
        self.config.note_work();
        let output = process::run_apart(self.shared, &words).map_err(|(said, error)| {
            let reason = error
                .split_once(": ")
                .map_or(error.as_str(), |(_, reason)| reason);
            format!("{said}go: error obtaining buildID for {shown}: {reason}")
        })?;
        // Whatever stands in for vet may call itself as it likes.
        let name = if name == "vet" { "" } else { name };
        let id = tool_id_of(name, &output).ok_or_else(|| {
            format!("go: parsing buildID from {shown} -V=full: unexpected output:\n\t{output}")
        })?;
        if let Some(key) = remembered {
            // Asking again next time costs a few milliseconds.
            let _ = self.cache.put_bytes(&key, id.as_bytes());
        }
        Ok(id)
    }

    /// A compiler that is a program of its own says the same as long as it is the same; a script may call anything.
    fn note_c_tool(&self, name: &str) {
        use std::io::Read as _;
        let Some(sightings) = &self.config.sightings else {
            return;
        };
        let found = self.shared.environment.look_path(name);
        let is_program = |path: &Utf8Path| {
            let mut magic = [0; 4];
            let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut magic));
            read.is_ok() && magic == *b"\x7fELF"
        };
        match found {
            Ok(path) if is_program(&path) => {
                sightings.look(&path, Question::Real);
                sightings.look(&path, Question::Stamp);
            }
            _ => sightings.spoil(),
        }
    }

    /// What stands for a tool that was not changed and would say the same: its path, size and time, and the experiments that it names.
    fn tool_key(&self, name: &str) -> Option<crate::cache::Id> {
        let path = self.asked_tool(name);
        self.config.note(Utf8Path::new(&path));
        let meta = Utf8Path::new(&path).as_std_path().metadata().ok()?;
        let experiments = self.config.tool_variable("GOEXPERIMENT");
        let mut hash = self.cache.hashes().hash("steady tool id");
        hash.add(format_args!(
            "steady tool id 2\n{path}\n{experiments}\n{} {} {}.{}\n",
            meta.ino(),
            meta.len(),
            meta.mtime(),
            meta.mtime_nsec()
        ));
        Some(hash.sum())
    }

    /// The id of a C compiler, found out by asking it what it would do with an empty file.
    pub(super) fn c_tool_id(&self, compiler: &[String], language: &str) -> Result<CTool, String> {
        let name = compiler.first().cloned().unwrap_or_default();
        let key = (name.clone(), language.to_owned());
        let mut known = lock(&self.tools.c_ids);
        if let Some(found) = known.get(&key) {
            return found.clone();
        }
        let found = self.find_c_tool_id(&name, language);
        known.insert(key, found.clone());
        found
    }

    fn find_c_tool_id(&self, name: &str, language: &str) -> Result<CTool, String> {
        self.note_c_tool(name);
        let mut words = self.config.flags.toolexec.clone();
        words.extend([name, "-###", "-x", language, "-c", "-"].map(str::to_owned));
        let env = ["LC_ALL=C".to_owned()];
        let ran = process::run(
            self.shared,
            &Spec {
                words: &words,
                dir: "",
                env: &env,
            },
        );
        let output = String::from_utf8_lossy(&ran.output);
        if let Some(error) = ran.error {
            let reason = error
                .strip_prefix(&format!("{}: ", words[0]))
                .unwrap_or(&error);
            return Err(format!("{name}: {reason}; output: {}", quote(&output)));
        }
        let version = output
            .lines()
            .find(|line| names_version(line))
            .ok_or_else(|| format!("{name}: can not find version number in {}", quote(&output)))?;
        if !version.contains("experimental") {
            return Ok(CTool {
                id: version.to_owned(),
                program: String::new(),
            });
        }
        let line = output
            .lines()
            .find(|line| line.starts_with(' ') && !line.starts_with(" (in-process)"))
            .ok_or_else(|| {
                format!(
                    "{name}: can not find compilation command in {}",
                    quote(&output)
                )
            })?;
        let program = split_words(line)
            .ok()
            .and_then(|words| words.into_iter().next())
            .ok_or_else(|| format!("{name}: compilation command confusion {}", quote(line)))?;
        let program = if program.contains(['/', '\\']) {
            Utf8PathBuf::from(program)
        } else {
            self.shared
                .environment
                .look_path(&program)
                .unwrap_or_else(|_| program.into())
        };
        let id = match read_file(&program) {
            Ok(id) if id.is_empty() => self.file_hash(&program),
            Ok(id) => id,
            Err(error) => return Err(error.to_string()),
        };
        Ok(CTool {
            id,
            program: program.into_string(),
        })
    }
}

/// Whether a line holds `version 1…` as words, and before them no word that ends in a colon.
fn names_version(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    for (i, word) in words.iter().enumerate() {
        if word.ends_with(':') {
            return false;
        }
        if *word == "version"
            && words
                .get(i + 1)
                .is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()))
        {
            return true;
        }
    }
    false
}

/// The id in what `TOOL -V=full` prints: the whole line of a release, the content id of a development version. With a name, that
/// must be the tool's.
fn tool_id_of(name: &str, output: &str) -> Option<String> {
    let words: Vec<&str> = output.split_whitespace().collect();
    let (first, second, third) = (words.first()?, words.get(1)?, words.get(2)?);
    if !name.is_empty() && *first != name || *second != "version" {
        return None;
    }
    if third.contains("devel") {
        let last = words.last()?;
        return last
            .starts_with("buildID=")
            .then(|| content_id(last).to_owned());
    }
    Some(output.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_tools() {
        assert_eq!(
            tool_id_of("compile", "compile version go1.26.8\n").unwrap(),
            "compile version go1.26.8"
        );
        assert_eq!(
            tool_id_of("asm", "asm version devel go1.27-abc buildID=a/b/c\n").unwrap(),
            "c"
        );
        assert_eq!(tool_id_of("asm", "asm version devel go1.27-abc\n"), None);
        assert_eq!(tool_id_of("asm", "compile version go1.26.8\n"), None);
    }

    #[test]
    fn version_lines() {
        assert!(names_version("gcc version 12.2.0 (Debian 12.2.0-14) "));
        assert!(names_version("Apple clang version 15.0"));
        assert!(!names_version(
            "Configured with: ../src/configure version 1"
        ));
        assert!(!names_version("version of nothing"));
    }
}

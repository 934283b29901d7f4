//! Packages with SWIG files: each becomes a Go file, which goes through cgo, and a C or C++ file with the wrappers.

use regex_lite::Regex;
use std::io::Write as _;
use std::sync::LazyLock;
use steady_packages::package::Package;

use super::{CgoRun, Run};
use crate::plan::{Language, NodeId};
use crate::shell::{Done, Failure, Shell};

const TOO_OLD: &str = "must have SWIG version >= 3.0.6";

/// Only where an int has 64 bits does this compile.
const WIDE_INT: &str = "package main\n\nconst i int = 1 << 32\n";

/// One SWIG file and what it becomes.
pub(crate) struct Interface<'a> {
    file: &'a str,
    base: &'a str,
    /// The Go file, for cgo.
    pub go: String,
    /// The file with the wrappers.
    pub wrapper: String,
    /// What the wrappers are written in.
    pub language: Language,
}

/// The SWIG files of a package whose outputs go to `objdir`: those for C, then those for C++.
pub(crate) fn interfaces<'a>(package: &'a Package, objdir: &str) -> Vec<Interface<'a>> {
    let files = &package.public.files;
    let of_c = files.swig_files.iter().map(|file| (file, Language::C));
    let of_cxx = files
        .swig_cxx_files
        .iter()
        .map(|file| (file, Language::Cxx));
    of_c.chain(of_cxx)
        .map(|(file, language)| {
            let (ending, extension) = match language {
                Language::Cxx => (".swigcxx", "cxx"),
                _ => (".swig", "c"),
            };
            let base = file.strip_suffix(ending).unwrap_or(file);
            Interface {
                file,
                base,
                // Not x.go: the package may have one of its own.
                go: format!("{objdir}_{base}_swig.go"),
                wrapper: format!("{objdir}{base}_wrap.{extension}"),
                language,
            }
        })
        .collect()
}

impl Run<'_> {
    /// Runs SWIG on all its files in a package.
    pub(super) fn run_swig(
        &self,
        node: NodeId,
        package: &Package,
        run: &CgoRun,
        interfaces: &[Interface<'_>],
    ) -> Done {
        if interfaces.is_empty() {
            return Ok(());
        }
        let found = self
            .swig
            .get_or_init(|| self.ask_swig(node).map_err(|failure| failure.text));
        let int_size = found.as_ref().map_err(Failure::new)?;
        for interface in interfaces {
            self.run_swig_on(node, package, run, (interface, int_size))?;
        }
        Ok(())
    }

    /// Whether SWIG is new enough, and how many bits it is to give an int.
    fn ask_swig(&self, node: NodeId) -> Done<&'static str> {
        let shell = Shell::background(self.shared);
        let ran = shell.run_out(".", &[], &["swig", "-version"].map(str::to_owned));
        if let Some(error) = ran.error {
            return Err(Failure::new(error));
        }
        if is_too_old(&String::from_utf8_lossy(&ran.output)) {
            return Err(Failure::new(TOO_OLD));
        }
        if shell.dry() {
            return Ok("$INTBITS");
        }
        let source = format!("{}swig_intsize.go", self.plan.nodes[node].objdir);
        std::fs::File::create(&source)?.write_all(WIDE_INT.as_bytes())?;
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("compile"));
        let rest = ["-o", "/dev/null", "-p", "main", "-complete", &source];
        words.extend(rest.map(str::to_owned));
        let compiled = shell.run_out(".", &[], &words);
        Ok(if compiled.error.is_some() { "32" } else { "64" })
    }

    fn run_swig_on(
        &self,
        node: NodeId,
        package: &Package,
        run: &CgoRun,
        (interface, int_size): (&Interface<'_>, &str),
    ) -> Done {
        if interface.file.starts_with("cgo") {
            return Err(Failure::new("SWIG file must not use prefix 'cgo'"));
        }
        let objdir = self.plan.nodes[node].objdir.as_str();
        let mut words: Vec<String> = [
            "swig",
            "-go",
            "-cgo",
            "-intgosize",
            int_size,
            "-module",
            interface.base,
            "-o",
            &interface.wrapper,
            "-outdir",
            objdir,
        ]
        .map(str::to_owned)
        .into();
        let is_cxx = interface.language == Language::Cxx;
        let flags = if is_cxx { &run.cxx } else { &run.c };
        let includes = flags
            .iter()
            .filter(|flag| flag.len() > 3 && flag.starts_with("-I"));
        words.extend(includes.cloned());
        words.extend(self.driver.swig_words(package));
        if is_cxx {
            words.push("-c++".into());
        }
        words.push(interface.file.into());
        let shell = self.shell(node);
        let ran = shell.run_out(&package.public.dir, &[], &words);
        let said = String::from_utf8_lossy(&ran.output);
        if ran.error.is_some() && (said.contains("-intgosize") || said.contains("-cgo")) {
            return Err(Failure::new(TOO_OLD));
        }
        shell.report("", "", ran)?;
        let made = format!("{objdir}{}.go", interface.base);
        if shell.shows() {
            shell.show("", &format!("mv {made} {}", interface.go));
        }
        if !shell.dry() {
            std::fs::rename(made, &interface.go)?;
        }
        Ok(())
    }
}

/// What `swig -version` says is below 3.0.6. A text without a version is given the benefit of the doubt.
fn is_too_old(text: &str) -> bool {
    static VERSION: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"[vV]ersion +(\d+)(?:\.(\d+))?(?:\.(\d+))?").expect("a fixed pattern")
    });
    let Some(found) = VERSION.captures(text) else {
        return false;
    };
    let oldest = [3, 0, 6];
    for (at, oldest) in oldest.into_iter().enumerate() {
        let part: Option<u32> = found
            .get(at + 1)
            .and_then(|part| part.as_str().parse().ok());
        match part {
            Some(part) if part == oldest => {}
            Some(part) => return part < oldest,
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for old in ["SWIG Version 2.0.12", "version 3.0.5", "Version 1"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in [
            "SWIG Version 3.0.6",
            "SWIG Version 3.1",
            "Version 4.1.0",
            "Version 3",
            "?",
        ] {
            assert!(!is_too_old(new), "{new}");
        }
    }

    #[test]
    fn outputs() {
        let mut package = Package::default();
        package.public.files.swig_files = vec!["a.swig".into()];
        package.public.files.swig_cxx_files = vec!["b.swigcxx".into()];
        let made: Vec<_> = interfaces(&package, "/o/")
            .iter()
            .map(|interface| (interface.go.clone(), interface.wrapper.clone()))
            .collect();
        let names = |go: &str, wrapper: &str| (go.to_owned(), wrapper.to_owned());
        assert_eq!(
            made,
            [
                names("/o/_a_swig.go", "/o/a_wrap.c"),
                names("/o/_b_swig.go", "/o/b_wrap.cxx")
            ]
        );
    }
}

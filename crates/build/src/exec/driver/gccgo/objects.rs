//! Objects that are not compiled Go: C, assembly, the build id; and the archive of them all.

use std::fmt::Write as _;

use super::{Gccgo, Job, archiver, machine_flags, package_path};
use crate::exec::Run;
use crate::plan::NodeId;
use crate::shell::Done;
use crate::shell::paths::make_absolute;

/// Systems whose objects can hold the build id.
const WITH_ID: [&str; 9] = [
    "aix",
    "android",
    "dragonfly",
    "freebsd",
    "illumos",
    "linux",
    "netbsd",
    "openbsd",
    "solaris",
];

impl Gccgo {
    fn defines(&self, run: &Run<'_>) -> Vec<String> {
        let target = &run.config.target;
        [
            "-D",
            &format!("GOOS_{}", target.goos),
            "-D",
            &format!("GOARCH_{}", target.goarch),
        ]
        .map(str::to_owned)
        .into()
    }

    /// Code for libraries must run wherever it is loaded.
    fn position_flag(&self, run: &Run<'_>) -> Option<String> {
        matches!(
            run.modes.buildmode.as_str(),
            "c-shared" | "shared" | "plugin"
        )
        .then(|| "-fPIC".to_owned())
    }

    /// Compiles a C file with the C compiler.
    pub(super) fn compile_c_file(
        &self,
        run: &Run<'_>,
        node: NodeId,
        file: &str,
        object: &str,
    ) -> Done {
        let (_, package) = run.package(node)?;
        let objdir = &run.plan.nodes[node].objdir;
        let compiler = run.cc();
        let mut flags = self.defines(run);
        flags.extend(machine_flags(run.config));
        let symbol = self.symbol_of(run, package_path(package))?;
        if !symbol.is_empty() {
            flags.extend(["-D".to_owned(), format!("GOPKGPATH=\"{symbol}\"")]);
        }
        let supports = |flag: &str| run.supports(&compiler, flag);
        if supports("-fsplit-stack") {
            flags.push("-fsplit-stack".into());
        }
        flags.extend(self.position_flag(run));
        let work = &run.shared.work;
        if supports("-ffile-prefix-map=a=b") {
            flags.push(format!("-ffile-prefix-map={}=.", run.config.cwd));
            flags.push(format!("-ffile-prefix-map={work}=/tmp/go-build"));
        } else if supports("-fdebug-prefix-map=a=b") {
            flags.push(format!("-fdebug-prefix-map={work}=/tmp/go-build"));
        }
        if supports("-gno-record-gcc-switches") {
            flags.push("-gno-record-gcc-switches".into());
        }
        let include = run.config.toolchain.goroot.join("pkg/include");
        let mut words = compiler.clone();
        words.extend(
            [
                "-Wall",
                "-g",
                "-I",
                objdir,
                "-I",
                include.as_str(),
                "-o",
                object,
            ]
            .map(str::to_owned),
        );
        words.extend(flags);
        let public = &package.public;
        words.extend(["-c".to_owned(), make_absolute(&public.dir, file)]);
        run.shell(node)
            .run(&public.dir, &public.import_path, &[], &words)
    }

    /// Assembles one file; returns the object.
    pub(super) fn assemble_file(&self, run: &Run<'_>, job: &Job<'_>, file: &str) -> Done<String> {
        let public = &job.package.public;
        let base = file.rsplit('/').next().unwrap_or(file);
        let object = format!(
            "{}{}.o",
            job.objdir,
            base.strip_suffix(".s").unwrap_or(base)
        );
        let mut words = vec![self.path.clone()];
        words.extend(
            [
                "-xassembler-with-cpp",
                "-I",
                job.objdir,
                "-c",
                "-o",
                &object,
            ]
            .map(str::to_owned),
        );
        words.extend(self.defines(run));
        let symbol = self.symbol_of(run, package_path(job.package))?;
        if !symbol.is_empty() {
            words.extend(["-D".to_owned(), format!("GOPKGPATH={symbol}")]);
        }
        words.extend(self.position_flag(run));
        words.extend(machine_flags(run.config));
        words.push(run.actual(&public.dir, file));
        run.shell(job.node)
            .run(&public.dir, &public.import_path, &[], &words)?;
        Ok(object)
    }

    /// An object with the build id in a section that linkers leave out.
    pub(super) fn write_id(&self, run: &Run<'_>, job: &Job<'_>) -> Done<Vec<String>> {
        let target = &run.config.target;
        let id = run.data(job.node).build_id;
        if id.is_empty() || !WITH_ID.contains(&target.goos.as_str()) {
            return Ok(Vec::new());
        }
        let section = match target.goos.as_str() {
            "aix" => ".csect .go.buildid[XO]",
            "solaris" | "illumos" if self.has_gnu_assembler(run) => ".section .go.buildid,\"e\"",
            "solaris" | "illumos" if target.goarch.starts_with("sparc") => {
                ".section \".go.buildid\",#exclude"
            }
            "solaris" | "illumos" => ".section .go.buildid,#exclude",
            _ => ".section .go.buildid,\"e\"",
        };
        let text = id_source(section, &id, &target.goos, &target.goarch);
        let file = format!("{}_buildid.s", job.objdir);
        run.shell(job.node).write_file(&file, text.as_bytes())?;
        Ok(vec![self.assemble_file(run, job, &file)?])
    }

    fn has_gnu_assembler(&self, run: &Run<'_>) -> bool {
        let ask = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            crate::shell::process::run_apart(run.shared, &words)
        };
        let assembler = ask(&[&self.path, "-print-prog-name=as"]);
        assembler
            .and_then(|path| ask(&[path.trim(), "--version"]))
            .is_ok_and(|text| text.contains("GNU"))
    }

    /// Makes the archive.
    pub(super) fn archive(&self, run: &Run<'_>, job: &Job<'_>, objects: &[String]) -> Done {
        let objects = objects
            .iter()
            .map(|object| make_absolute(job.objdir, object));
        let objects: Vec<String> = objects.collect();
        let archive = make_absolute(job.objdir, job.archive);
        let words = |how: &str| {
            let mut words = archiver_words(run);
            words.extend([how.to_owned(), archive.clone()]);
            words.extend(objects.iter().cloned());
            words
        };
        let (shell, public) = (run.shell(job.node), &job.package.public);
        // Without owners and times, if ar knows how.
        let ran = shell.run_out(&public.dir, &[], &words("rcD"));
        if ran.error.is_some() {
            return shell.run(&public.dir, &public.import_path, &[], &words("rc"));
        }
        shell.report("", "", ran)
    }
}

/// `ar`, which on AIX must be told that objects have 64 bits.
pub(super) fn archiver_words(run: &Run<'_>) -> Vec<String> {
    let mut words = archiver(run.config);
    let target = &run.config.target;
    if (target.goos.as_str(), target.goarch.as_str()) == ("aix", "ppc64") {
        words.push("-X64".into());
    }
    words
}

/// Assembly for a section with the bytes of a build id, and the notes without which a stack would be taken to be executable.
fn id_source(section: &str, id: &str, goos: &str, goarch: &str) -> String {
    let mut text = format!("\t{section}\n");
    for bytes in id.as_bytes().chunks(8) {
        let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:#04x}")).collect();
        let _ = writeln!(text, "\t.byte {}", bytes.join(","));
    }
    if !matches!(goos, "solaris" | "illumos" | "aix") {
        let kind = if goarch == "arm" { '%' } else { '@' };
        for note in ["GNU-stack", "GNU-split-stack"] {
            let _ = writeln!(text, "\t.section .note.{note},\"\",{kind}progbits");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_assembly() {
        let text = id_source(".section .go.buildid,\"e\"", "abcdefghi", "linux", "amd64");
        assert_eq!(
            text,
            "\t.section .go.buildid,\"e\"\n\t.byte 0x61,0x62,0x63,0x64,0x65,0x66,0x67,0x68\n\t.byte 0x69\n\
             \t.section .note.GNU-stack,\"\",@progbits\n\t.section .note.GNU-split-stack,\"\",@progbits\n"
        );
        assert!(!id_source("s", "x", "aix", "ppc64").contains("note"));
    }
}

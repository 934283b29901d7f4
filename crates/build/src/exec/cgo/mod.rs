//! Packages that use cgo: the cgo tool, the C compilers, and what the Go linker has to know of the result.
//!
//! The order is: pkg-config, SWIG, cgo (which writes Go and C), one compilation for every C file, then a trial link of all objects:
//! from what that finds, cgo makes the list of symbols that come from shared libraries. If the trial fails, the program can only
//! be linked by the host's linker, which an empty member called `dynimportfail` tells the Go linker; `preferlinkext` tells it
//! that flags were used which it may not cope with.

mod compilers;
mod pkg_config;
mod swig;

use std::collections::BTreeSet;
use std::sync::Arc;
use steady_packages::package::Package;

use super::Run;
use super::need::Need;
use crate::cache::short;
use crate::cflags::{Rules, check, link_flags_need_external_link, need_external_link};
use crate::config::BuildConfig;
use crate::plan::{Kind, Language, NodeId};
use crate::quote::{command_line, quote};
use crate::shell::paths::{clean, make_absolute};
use crate::shell::{Done, Failure};
pub(crate) use compilers::CCompilers;
pub(crate) use swig::interfaces as swig_interfaces;

/// What running cgo has settled for the steps after it.
#[derive(Debug, Default)]
pub(crate) struct CgoRun {
    c: Vec<String>,
    cxx: Vec<String>,
    f: Vec<String>,
    ld: Vec<String>,
    external: bool,
    /// Go files for the compiler.
    go: Vec<String>,
}

/// What cgo contributes to a package's archive.
#[derive(Debug, Default)]
pub(super) struct CgoOutputs {
    pub go: Vec<String>,
    pub objects: Vec<String>,
}

/// Keeps clang from colouring messages that cgo reads.
fn compiler_env() -> Vec<String> {
    vec!["TERM=dumb".into()]
}

impl Run<'_> {
    /// What the node that looked into the cache has left to do.
    pub(super) fn need_of(&self, node: NodeId) -> Need {
        let is_check =
            |dep: &&NodeId| matches!(self.plan.nodes[**dep].kind, Kind::CheckCache { .. });
        let check = self.plan.nodes[node].deps.iter().find(is_check);
        check
            .map(|check| self.data(*check).need)
            .unwrap_or_default()
    }

    pub(super) fn run_cgo(&self, node: NodeId) -> Done {
        let mut need = self.need_of(node);
        need.remove(Need::COVER_META);
        if need.is_empty() {
            return Ok(());
        }
        let (_, package) = self.package(node)?;
        let objdir = self.plan.nodes[node].objdir.clone();
        self.shell(node).mkdir(&objdir)?;
        self.copy_overlaid_files(node, package)?;
        let covered = self.plan.nodes[node]
            .deps
            .iter()
            .find_map(|dep| self.data(*dep).covered);
        let files = covered
            .as_ref()
            .map_or(&package.public.files.cgo_files, |covered| &covered.cgo);
        let mut files: Vec<String> = files
            .iter()
            .map(|file| make_absolute(&package.public.dir, file))
            .collect();
        let run = self.settle_flags(node, package, &objdir)?;
        let interfaces = swig::interfaces(package, &objdir);
        self.run_swig(node, package, &run.0, &interfaces)?;
        files.extend(interfaces.into_iter().map(|interface| interface.go));
        let mut go = vec![format!("{objdir}_cgo_gotypes.go")];
        for file in &files {
            let base = file.rsplit('/').next().unwrap_or(file);
            go.push(format!(
                "{objdir}{}.cgo1.go",
                base.strip_suffix(".go").unwrap_or(base)
            ));
        }
        self.run_cgo_tool(node, package, &run.0, &run.1, files)?;
        let run = CgoRun { go, ..run.0 };
        self.update(node, |data| data.cgo = Some(Arc::new(run)));
        Ok(())
    }

    /// The flags of every compiler, and those that cgo itself passes on (preprocessor and C).
    fn settle_flags(
        &self,
        node: NodeId,
        package: &Package,
        objdir: &str,
    ) -> Done<(CgoRun, Vec<String>)> {
        let files = &package.public.files;
        let (pkg_c, pkg_ld) = self.pkg_config_flags(node, package)?;
        let mut flags = self.c_flags(package).map_err(Failure::new)?;
        flags.cpp.extend(pkg_c);
        flags.ld.extend(pkg_ld);
        if !files.m_files.is_empty() {
            flags.ld.push("-lobjc".into());
        }
        if !files.f_files.is_empty() && self.fc_setting().contains("gfortran") {
            flags.ld.push("-lgfortran".into());
        }
        let new = self.release.is_27_or_later();
        let lists = [&flags.c, &flags.cxx, &flags.f];
        let external = lists.iter().any(|list| need_external_link(list, new))
            || (new && link_flags_need_external_link(&flags.ld));
        for (on, flag) in [
            (self.config.flags.msan, "-fsanitize=memory"),
            (self.config.flags.asan, "-fsanitize=address"),
        ] {
            if on {
                flags.c.insert(0, flag.into());
                flags.ld.insert(0, flag.into());
            }
        }
        flags.cpp.extend(["-I".to_owned(), objdir.to_owned()]);
        let with_cpp = |own: &[String]| [flags.cpp.as_slice(), own].concat();
        let run = CgoRun {
            c: with_cpp(&flags.c),
            cxx: with_cpp(&flags.cxx),
            f: with_cpp(&flags.f),
            ld: flags.ld,
            external,
            go: Vec::new(),
        };
        let for_cgo = run.c.clone();
        Ok((run, for_cgo))
    }

    fn fc_setting(&self) -> &str {
        match self.config.setting("FC") {
            "" => "gfortran",
            fc => fc,
        }
    }

    fn run_cgo_tool(
        &self,
        node: NodeId,
        package: &Package,
        run: &CgoRun,
        flags: &[String],
        files: Vec<String>,
    ) -> Done {
        let (public, objdir) = (&package.public, &self.plan.nodes[node].objdir);
        let path = public.import_path.as_str();
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("cgo"));
        words.extend(["-objdir", objdir, "-importpath", path].map(str::to_owned));
        if public.standard && path == "runtime/cgo" {
            words.push("-import_runtime_cgo=false".into());
        }
        if public.standard
            && matches!(
                path,
                "runtime/race" | "runtime/msan" | "runtime/cgo" | "runtime/asan"
            )
        {
            words.push("-import_syscall=false".into());
        }
        if matches!(self.modes.buildmode.as_str(), "c-archive" | "c-shared") {
            words.push(format!("-exportheader={objdir}_cgo_install.h"));
        }
        let mut env = compiler_env();
        let mut ld_words = Vec::new();
        if !run.ld.is_empty() && self.release.passes_ldflags_to_cgo() {
            let quoted: Vec<String> = run.ld.iter().map(|flag| quote(flag)).collect();
            ld_words.push(format!("-ldflags={}", quoted.join(" ")));
            env.push("CGO_LDFLAGS=".into());
        } else if !run.ld.is_empty() {
            let quoted: Vec<String> = run.ld.iter().map(|flag| quote(flag)).collect();
            env.push(format!("CGO_LDFLAGS={}", quoted.join(" ")));
        }
        let (files, trimmed): (Vec<String>, Vec<Option<String>>) = files
            .into_iter()
            .map(|file| {
                let actual = self.actual("", &file);
                let rewrite = (actual != file).then(|| format!("{actual}=>{file}"));
                (actual, rewrite)
            })
            .unzip();
        let trimmed: Vec<String> = trimmed.into_iter().flatten().collect();
        if !trimmed.is_empty() {
            words.extend(["-trimpath".to_owned(), trimmed.join(";")]);
        }
        words.extend(ld_words);
        words.push("--".into());
        words.extend(flags.iter().cloned());
        words.extend(files);
        self.shell(node).run(&public.dir, path, &env, &words)
    }

    /// Compiles one file for C, C++, assembly or Fortran.
    pub(super) fn compile_c(&self, node: NodeId, file: &str, language: Language) -> Done {
        let node_ref = &self.plan.nodes[node];
        let Some(run) = self.data(node_ref.deps[0]).cgo else {
            return Ok(());
        }; // found in the cache
        let (_, package) = self.package(node)?;
        let build = self.build_of(node);
        let action = self.data(build).action_id;
        let action = if self.release.seeds_c_files_apart() {
            self.cache
                .hashes()
                .subkey(&action, &format!("cgo compile {file}"))
        } else {
            action
        };
        let (compiler, flags) = match language {
            Language::C | Language::Assembly => (self.cc(), &run.c),
            Language::Cxx => (self.cxx(), &run.cxx),
            Language::Fortran => (self.fc(), &run.f),
        };
        if language == Language::Assembly {
            refuse_go_assembly(&package.public.dir, file)?;
        }
        let compiler = self.compiler_command(&compiler, &package.public.dir, &node_ref.objdir);
        let seed = short(&action);
        self.compile_c_file(
            node,
            package,
            &CFile {
                compiler,
                flags,
                file,
                object: &node_ref.target,
                seed: &seed,
            },
        )
    }

    /// The node that builds the package of a node of its cgo steps.
    fn build_of(&self, node: NodeId) -> NodeId {
        let collect = self.plan.nodes[node]
            .triggers
            .first()
            .copied()
            .unwrap_or(node);
        let build = self.plan.nodes[collect]
            .triggers
            .first()
            .copied()
            .unwrap_or(collect);
        self.plan.build_behind(build)
    }

    fn compile_c_file(&self, node: NodeId, package: &Package, job: &CFile<'_>) -> Done {
        let public = &package.public;
        let file = make_absolute(&public.dir, job.file);
        let mut flags = job.flags.to_vec();
        if self.supports(&job.compiler, "-fdebug-prefix-map=a=b")
            && (self.config.flags.trimpath || public.goroot)
        {
            let flag = self.prefix_map_flag(&job.compiler);
            let (from, to) = self.trimmed_root(package);
            flags.push(format!("{flag}={from}={to}"));
        }
        if self.supports(&job.compiler, "-frandom-seed=1") {
            flags.push(format!("-frandom-seed={}", job.seed));
        }
        let path = self.overlaid_c_file(node, package, &file);
        let (dir, base) = path.rsplit_once('/').unwrap_or((".", &path));
        let words = |flags: &[String]| {
            let end = ["-o", job.object, "-c", base].map(str::to_owned);
            [job.compiler.as_slice(), flags, &end].concat()
        };
        let shell = self.shell(node);
        let mut ran = shell.run_out(dir, &compiler_env(), &words(&flags));
        // An old clang complains of an empty section that it makes itself for the sake of -g.
        let complains = String::from_utf8_lossy(&ran.output)
            .contains("DWARF2 only supports one section per compilation unit");
        if complains && flags.iter().any(|flag| flag.starts_with("-g")) {
            flags.retain(|flag| !flag.starts_with("-g"));
            ran = shell.run_out(dir, &compiler_env(), &words(&flags));
        }
        shell.report("", "", ran)
    }

    /// The files that C compilers and assembler read, if an overlay replaces one of them.
    fn overlaid_files(&self, package: &Package) -> Vec<String> {
        let files = &package.public.files;
        let lists = [
            &files.c_files,
            &files.s_files,
            &files.cxx_files,
            &files.h_files,
            &files.f_files,
        ];
        let paths = lists.into_iter().flatten();
        let paths: Vec<String> = paths
            .map(|file| make_absolute(&package.public.dir, file))
            .collect();
        if paths.iter().all(|path| self.actual("", path) == *path) {
            return Vec::new();
        }
        paths
    }

    /// As soon as one file is replaced all of them are copied to one place, so that they find each other as they include.
    fn copy_overlaid_files(&self, node: NodeId, package: &Package) -> Done {
        for path in self.overlaid_files(package) {
            let base = path.rsplit('/').next().unwrap_or(&path);
            let copy = format!("{}{base}", self.plan.nodes[node].objdir);
            let actual = self.actual("", &path);
            self.shell(node).copy_file(&copy, &actual, 0o666, false)?;
        }
        Ok(())
    }

    /// Where a C file is compiled.
    fn overlaid_c_file(&self, node: NodeId, package: &Package, file: &str) -> String {
        let copied = self.overlaid_files(package).iter().any(|path| path == file);
        if !copied {
            return file.to_owned();
        }
        let base = file.rsplit('/').next().unwrap_or(file);
        format!("{}{base}", self.plan.nodes[node].objdir)
    }

    /// The directory that must not show in debug information, and what stands in for it.
    fn trimmed_root(&self, package: &Package) -> (String, String) {
        let public = &package.public;
        let (from, to) = match &public.module {
            None if public.root.is_empty() => (public.dir.clone(), public.import_path.clone()),
            None if public.goroot => (public.root.clone(), "GOROOT".into()),
            None => (public.root.clone(), "GOPATH".into()),
            Some(module) if module.dir.is_empty() => {
                (self.config.vendor_dir.to_string(), "vendor".into())
            }
            Some(module) if module.version.is_empty() => (module.dir.clone(), module.path.clone()),
            Some(module) => (
                module.dir.clone(),
                format!("{}@{}", module.path, module.version),
            ),
        };
        let to = if self.config.target.goos == "windows" {
            format!("\\\\_\\_\\{}", to.replace('/', "\\"))
        } else {
            clean(&format!("/_/{to}"))
        };
        (from, to)
    }

    /// Hands on what the cgo run has settled.
    pub(super) fn collect_cgo(&self, node: NodeId) -> Done {
        let run = self.plan.nodes[node]
            .deps
            .first()
            .and_then(|file| self.plan.nodes[*file].deps.first());
        if let Some(run) = run {
            let cgo = self.data(*run).cgo;
            self.update(node, |data| data.cgo = cgo);
        }
        Ok(())
    }

    /// The Go files and objects that cgo contributes, once all C files are compiled.
    pub(super) fn cgo_outputs(
        &self,
        node: NodeId,
        collect: NodeId,
        package: &Package,
        objdir: &str,
    ) -> Done<CgoOutputs> {
        let run = self.data(collect).cgo;
        let run =
            run.ok_or_else(|| Failure::new("internal error: could not find runCgoProvider"))?;
        let mut outputs = CgoOutputs {
            go: run.go.clone(),
            objects: Vec::new(),
        };
        let compiled = self.plan.nodes[collect]
            .deps
            .iter()
            .map(|file| self.plan.nodes[*file].target.clone());
        if run.external {
            let token = format!("{objdir}preferlinkext");
            self.shell(node).write_file(&token, b"")?;
            outputs.objects.push(token);
        }
        outputs.objects.extend(compiled);
        self.find_dynamic_imports(node, package, &run, &mut outputs)?;
        if !self.config.flags.n {
            check_embedded_flags(self.config, &outputs.go, &run.ld)?;
        }
        Ok(outputs)
    }

    fn find_dynamic_imports(
        &self,
        node: NodeId,
        package: &Package,
        run: &CgoRun,
        outputs: &mut CgoOutputs,
    ) -> Done {
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

struct CFile<'a> {
    compiler: Vec<String>,
    flags: &'a [String],
    file: &'a str,
    object: &'a str,
    seed: &'a str,
}

/// Go's assembly in a package that uses cgo would be taken for the C compiler's.
fn refuse_go_assembly(dir: &str, file: &str) -> Done {
    use std::io::Read as _;
    let mut text = String::new();
    let read = std::fs::File::open(make_absolute(dir, file))
        .and_then(|mut source| source.read_to_string(&mut text));
    let directives = ["TEXT", "DATA", "GLOBL"];
    if read.is_ok()
        && text
            .split('\n')
            .any(|line| directives.iter().any(|word| line.starts_with(word)))
    {
        return Err(Failure::new(format!(
            "package using cgo has Go assembly file {file}"
        )));
    }
    Ok(())
}

/// Checks the linker flags that stand in generated Go files once more: nobody but cgo may have put them there.
fn check_embedded_flags(config: &BuildConfig, files: &[String], known: &[String]) -> Done {
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

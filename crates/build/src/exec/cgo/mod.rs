//! Packages that use cgo: the cgo tool, the C compilers, and what the Go linker has to know of the result.
//!
//! The order is: pkg-config, SWIG, cgo (which writes Go and C), one compilation for every C file, then what the driver of the
//! compiler needs to know of the objects. An empty member called `preferlinkext` tells the Go linker that flags were used which it
//! may not cope with.

mod compilers;
mod pkg_config;
mod swig;

use std::sync::Arc;
use steady_packages::package::Package;
use steady_packages::patterns::clean;

use super::Run;
use super::need::Need;
use crate::cache::short;
use crate::cflags::{link_flags_need_external_link, need_external_link};
use crate::plan::{Kind, Language, NodeId};
use crate::quote::quote;
use crate::shell::paths::make_absolute;
use crate::shell::{Done, Failure};
pub(crate) use compilers::CCompilers;
pub(super) use compilers::{architecture_flags, words_of};
pub(crate) use swig::interfaces as swig_interfaces;

/// What running cgo has settled for the steps after it.
#[derive(Debug, Default)]
pub(crate) struct CgoRun {
    pub(super) c: Vec<String>,
    cxx: Vec<String>,
    f: Vec<String>,
    pub(super) ld: Vec<String>,
    external: bool,
    /// Flags for cgo itself.
    tool: Vec<String>,
    /// Go files for the compiler.
    go: Vec<String>,
}

/// What cgo contributes to a package's archive.
#[derive(Debug, Default)]
pub(crate) struct CgoOutputs {
    pub go: Vec<String>,
    pub objects: Vec<String>,
}

/// Keeps clang from colouring messages that cgo reads.
pub(super) fn compiler_env() -> Vec<String> {
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
        let words = self.driver.cgo_words(self, node, package);
        flags.c.extend(words.c);
        let with_cpp = |own: &[String]| [flags.cpp.as_slice(), own].concat();
        let run = CgoRun {
            c: with_cpp(&flags.c),
            cxx: with_cpp(&flags.cxx),
            f: with_cpp(&flags.f),
            ld: flags.ld,
            external,
            tool: words.tool,
            go: Vec::new(),
        };
        let for_cgo = run.c.clone();
        Ok((run, for_cgo))
    }

    pub(super) fn fc_setting(&self) -> &str {
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
        words.extend(run.tool.iter().cloned());
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

    pub(in crate::exec) fn compile_c_file(
        &self,
        node: NodeId,
        package: &Package,
        job: &CFile<'_>,
    ) -> Done {
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
        self.driver.end_cgo(self, node, &run, &mut outputs)?;
        Ok(outputs)
    }
}

/// A C file to be compiled.
pub(super) struct CFile<'a> {
    pub compiler: Vec<String>,
    pub flags: &'a [String],
    pub file: &'a str,
    pub object: &'a str,
    pub seed: &'a str,
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

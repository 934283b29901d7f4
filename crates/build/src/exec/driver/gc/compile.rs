//! The toolchain's own compiler, and the archives that it writes.

use camino::Utf8Path;
use std::fmt::Write as _;
use steady_module::gover;
use steady_packages::package::Package;
use steady_packages::patterns::clean;

use super::super::Job;
use super::Run;
use crate::archive;
use crate::plan::{Kind, NodeId};
use crate::quote::command_line;
use crate::shell::paths::make_absolute;
use crate::shell::{Done, restore_c_names};

/// Packages of the standard library with functions whose bodies the runtime supplies, so that they are not complete.
const INCOMPLETE: &[&str] = &[
    "bytes",
    "internal/poll",
    "net",
    "os",
    "runtime/metrics",
    "runtime/pprof",
    "runtime/trace",
    "sync",
    "syscall",
    "time",
];

impl Run<'_> {
    /// The path that a package is compiled under.
    pub(super) fn package_path(&self, node: NodeId, package: &Package) -> Done<String> {
        if self.modes.buildmode == "plugin" {
            return self.plugin_path(node, package);
        }
        let is_main = package.public.name == "main" && !package.internal.force_library;
        Ok(if is_main {
            "main".into()
        } else {
            package.public.import_path.clone()
        })
    }

    pub(super) fn compile_gc(&self, job: &Job<'_>, symabis: Option<String>) -> Done {
        let (node, package, objdir) = (job.node, job.package, job.objdir);
        let shell = self.shell(node);
        let share = self.tokens.take();
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("compile"));
        words.extend(["-o", job.archive, "-trimpath"].map(str::to_owned));
        words.push(self.trimpath(node, package));
        self.compiler_flags(node, package, &mut words)?;
        if let Some(path) = symabis {
            words.extend(["-symabis".to_owned(), path]);
        }
        if share.threads > 1 {
            words.push(format!("-c={}", share.threads));
        }
        words.extend(
            self.modes
                .forced_gcflags
                .iter()
                .chain(&package.internal.gcflags)
                .cloned(),
        );
        words.extend(
            self.fuzz_flags(package)
                .into_iter()
                .flatten()
                .map(|flag| (*flag).to_owned()),
        );
        if package.internal.local_prefix.is_empty() {
            words.push("-nolocalimports".into());
        } else {
            words.extend(["-D".to_owned(), package.internal.local_prefix.clone()]);
        }
        let import_config = format!("{objdir}importcfg");
        shell.write_file(&import_config, job.import_config)?;
        words.extend(["-importcfg".to_owned(), import_config]);
        if let Some(config) = job.embed_config {
            let path = format!("{objdir}embedcfg");
            shell.write_file(&path, config)?;
            words.extend(["-embedcfg".to_owned(), path]);
        }
        words.push("-pack".into());
        if !job.assembly.is_empty() {
            words.extend(["-asmhdr".to_owned(), format!("{objdir}go_asm.h")]);
        }
        for file in job.go {
            words.push(self.actual(&package.public.dir, file));
        }
        let mut ran = shell.run_out(self.config.cwd.as_str(), &[], &words);
        drop(share);
        if self.release.is_27_or_later() && package.uses_cgo() && !self.config.flags.x {
            ran.output = restore_c_names(&String::from_utf8_lossy(&ran.output)).into_bytes();
        }
        shell.report("", "", ran)
    }

    fn compiler_flags(&self, node: NodeId, package: &Package, words: &mut Vec<String>) -> Done {
        let (public, internal) = (&package.public, &package.internal);
        words.extend(["-p".to_owned(), self.package_path(node, package)?]);
        if let Some(version) = self.language(package) {
            words.push(format!("-lang=go{}", gover::lang(&version)));
        }
        if public.standard {
            words.push("-std".into());
        }
        if is_complete(package) {
            words.push("-complete".into());
        }
        if !self.modes.install_suffix.is_empty() {
            words.extend([
                "-installsuffix".to_owned(),
                self.modes.install_suffix.clone(),
            ]);
        }
        words.extend(["-buildid".to_owned(), self.data(node).build_id]);
        let target = &self.config.target;
        if internal.omit_debug || target.goos == "plan9" || target.goarch == "wasm" {
            words.push("-dwarf=false".into());
        }
        if self.config.toolchain.version.starts_with("go1") {
            words.extend([
                "-goversion".to_owned(),
                self.config.toolchain.version.clone(),
            ]);
        }
        let covered = self.dep_where(node, |kind| matches!(kind, Kind::Cover { .. }));
        let covered = covered.and_then(|cover| self.data(cover).covered);
        if covered.is_some_and(|covered| covered.configured) {
            words.push(format!(
                "-coveragecfg={}coveragecfg",
                self.plan.nodes[node].objdir
            ));
        }
        let profile = |dep: &&NodeId| matches!(self.plan.nodes[**dep].kind, Kind::Profile { .. });
        if let Some(dep) = self.plan.nodes[node].deps.iter().find(profile) {
            words.push(format!("-pgoprofile={}", self.data(*dep).built));
        } else if !internal.pgo_profile.as_str().is_empty() {
            words.push(format!("-pgoprofile={}", internal.pgo_profile));
        }
        Ok(())
    }

    /// The language version of a package: its module's, or the toolchain's.
    fn language(&self, package: &Package) -> Option<String> {
        let module = package.public.module.as_ref();
        let own = module.map(|module| {
            if module.go_version.is_empty() {
                "1.16"
            } else {
                &module.go_version
            }
        });
        match own.filter(|version| self.allows(version)) {
            Some(version) => Some(version.to_owned()),
            None if self.release.always_tells_language() => {
                Some(gover::from_toolchain(&self.config.toolchain.version).to_owned())
            }
            None => None,
        }
    }

    /// The `-trimpath` of compiler and assembler: what of paths does not go into the output.
    pub(super) fn trimpath(&self, node: NodeId, package: &Package) -> String {
        let objdir = self.plan.nodes[node].objdir.trim_end_matches('/');
        let dir = &package.public.dir;
        let mut rewrite = String::new();
        let mut rewrite_dir = dir.clone();
        if self.config.flags.trimpath {
            let path = match package.internal.orig_import_path.as_str() {
                "" => package.public.import_path.as_str(),
                path => path,
            };
            rewrite_dir = match &package.public.module {
                Some(module) if !module.version.is_empty() => {
                    let rest = path.strip_prefix(module.path.as_str()).unwrap_or(path);
                    format!("{}@{}{rest}", module.path, module.version)
                }
                _ => path.to_owned(),
            };
            let _ = write!(rewrite, "{dir}=>{rewrite_dir};");
        }
        if !self.config.overlay.is_empty() {
            rewrite.push_str(&self.trim_overlay(package, objdir, &rewrite_dir));
        }
        let _ = write!(rewrite, "{objdir}=>");
        rewrite
    }

    fn trim_overlay(&self, package: &Package, objdir: &str, rewrite_dir: &str) -> String {
        let (mut replaced, mut copied) = (String::new(), String::new());
        let mut copies = false;
        let dir = &package.public.dir;
        let public = &package.public;
        for file in public.own_files().chain(public.embedded_files()) {
            let path = make_absolute(dir, file);
            let (parent, base) = path.rsplit_once('/').unwrap_or(("", &path));
            let is_go = file.ends_with(".go") || file.ends_with(".s");
            let for_c = !is_go || public.files.cgo_files.iter().any(|cgo| cgo == file);
            if let Some(actual) = self.config.overlay.get(Utf8Path::new(&path)) {
                if for_c {
                    copies = true;
                } else {
                    let _ = write!(
                        replaced,
                        "{actual}=>{};",
                        clean(&format!("{rewrite_dir}/{base}"))
                    );
                }
            } else if for_c && parent == dir {
                let _ = write!(
                    copied,
                    "{objdir}/{base}=>{};",
                    clean(&format!("{rewrite_dir}/{base}"))
                );
            }
        }
        if copies { replaced + &copied } else { replaced }
    }

    pub(super) fn pack_gc(&self, job: &Job<'_>, objects: &[String]) -> Done {
        let (shell, archive, objdir) = (self.shell(job.node), job.archive, job.objdir);
        let objects: Vec<String> = objects
            .iter()
            .map(|object| make_absolute(objdir, object))
            .collect();
        if shell.shows() {
            let mut words = ["go", "tool", "pack", "r", archive]
                .map(str::to_owned)
                .to_vec();
            words.extend(objects.iter().cloned());
            shell.show(
                &job.package.public.dir,
                &format!("{} # internal", command_line(&words)),
            );
        }
        if shell.dry() {
            return Ok(());
        }
        Ok(archive::append(Utf8Path::new(archive), &objects)?)
    }
}

/// Nothing of the package is written in anything but Go, so the compiler can complain of functions without bodies.
fn is_complete(package: &Package) -> bool {
    let files = &package.public.files;
    let others = [
        &files.cgo_files,
        &files.c_files,
        &files.cxx_files,
        &files.m_files,
        &files.f_files,
        &files.s_files,
        &files.syso_files,
        &files.swig_files,
        &files.swig_cxx_files,
    ];
    let supplied =
        package.public.standard && INCOMPLETE.contains(&package.public.import_path.as_str());
    others.iter().all(|list| list.is_empty()) && !supplied
}

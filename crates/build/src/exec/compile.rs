//! Compiling a package: cgo's outputs, assembly, the compiler itself, the archive.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use steady_packages::package::Package;

use super::Run;
use super::need::Need;
use crate::archive;
use crate::plan::{Kind, NodeId};
use crate::quote::command_line;
use crate::shell::paths::{clean, make_absolute};
use crate::shell::process::Ran;
use crate::shell::{Done, Failure, restore_c_names};
use steady_module::gover;

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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EmbedConfig<'a> {
    patterns: &'a BTreeMap<String, Vec<String>>,
    files: BTreeMap<&'a str, String>,
}

impl Run<'_> {
    /// Whether the toolchain is new enough for a go version.
    pub(super) fn allows(&self, version: &str) -> bool {
        let local = gover::from_toolchain(&self.config.toolchain.version);
        version.is_empty() || local.is_empty() || gover::compare(local, version).is_ge()
    }

    pub(super) fn check_godebugs(&self, build: NodeId, package: &Package) -> Done {
        let mut text = String::new();
        let mut seen: HashMap<&str, &str> = HashMap::new();
        for line in &package.internal.godebugs {
            let position = line.position.as_str();
            let key = match &line.setting {
                Ok((key, _)) => key.as_str(),
                Err(error) => {
                    let _ = writeln!(text, "{position}: invalid //go:debug: {error}");
                    continue;
                }
            };
            if let Some(previous) = seen.insert(key, position) {
                let _ = write!(
                    text,
                    "{position}: repeated //go:debug for {key}\n\t{previous}: previous //go:debug\n"
                );
                seen.insert(key, previous);
            }
        }
        if text.is_empty() {
            return Ok(());
        }
        let ran = Ran {
            output: text.into_bytes(),
            error: Some("invalid directive".into()),
        };
        self.shell(build).report("", "", ran)
    }

    /// Builds a package as far as the look into the cache left something to do.
    pub(super) fn build(&self, node: NodeId) -> Done {
        let mut need = self.data(node).need;
        need.remove(Need::COVER_META); // the coverage tool's part
        need.remove(Need::CGO_HEADER); // cgo's part
        if need.is_empty() {
            return Ok(());
        }
        let done = self.build_needed(node, need);
        self.flush_output(node);
        done
    }

    fn build_needed(&self, node: NodeId, mut need: Need) -> Done {
        let (id, package) = self.package(node)?;
        let shell = self.shell(node);
        let path = &package.public.import_path;
        if self.config.flags.n {
            shell.print(&format!("\n#\n# {path}\n#\n\n"));
        }
        if self.config.flags.v {
            shell.print(&format!("{path}\n"));
        }
        let objdir = self.plan.nodes[node].objdir.clone();
        let mut sources = self.sources(node, package, &objdir)?;
        self.keep_source_files(node, &sources.all());
        if sources.go.is_empty() {
            return Err(Failure::new(no_go_files(package)));
        }
        if need.has(Need::COMPILED_GO_FILES) {
            if !self.load_compiled_go_files(node) {
                return Err(Failure::new(
                    "loading compiled Go files from cache: reading srcfiles list: cache entry not found",
                ));
            }
            need.remove(Need::COMPILED_GO_FILES);
        }
        need.remove(Need::VET); // the list of files is all it needs
        if need.is_empty() {
            return Ok(());
        }
        let symabis = self.symabis(node, package, &sources.assembly)?;
        let import_config = self.import_config(node, package);
        let embed_config = self.embed_config(package)?;
        let archive_path = format!("{objdir}_pkg_.a");
        for name in &mut sources.go {
            if let Some(content) = package.internal.generated.get(name) {
                let path = format!("{objdir}{name}");
                shell.write_file(&path, content)?;
                *name = path;
            }
        }
        let compile = Compile {
            archive: &archive_path,
            import_config,
            embed_config,
            symabis,
            assembly_header: !sources.assembly.is_empty(),
            go: &sources.go,
        };
        self.compile_go(node, package, compile)?;
        self.copy_platform_headers(node, package, &objdir)?;
        if let Some(file) = sources.c.first() {
            let full = make_absolute(&package.public.dir, file);
            return Err(Failure::new(format!(
                "{full}: C source files not supported without cgo"
            )));
        }
        let mut objects = self.assemble(node, package, &sources.assembly)?;
        objects.extend(sources.cgo_objects);
        objects.extend(
            package
                .public
                .files
                .syso_files
                .iter()
                .map(|file| make_absolute(&package.public.dir, file)),
        );
        self.pack(node, package, &archive_path, &objects)?;
        self.finish_build_id(node, &archive_path)?;
        self.end_anew(node);
        self.update(node, |data| {
            if !(self.needs.export && self.cache_has(&data.built)) {
                data.built.clone_from(&archive_path);
            }
        });
        let _ = id;
        Ok(())
    }

    fn cache_has(&self, path: &str) -> bool {
        !path.is_empty() && path.starts_with(self.config.gocache.as_str())
    }

    fn sources(&self, node: NodeId, package: &Package, objdir: &str) -> Done<Sources> {
        let files = &package.public.files;
        let mut sources = Sources {
            go: files.go_files.clone(),
            assembly: files.s_files.clone(),
            c: files.c_files.clone(),
            cgo_objects: Vec::new(),
        };
        if let Some(cover) = self.dep_where(node, |kind| matches!(kind, Kind::Cover { .. }))
            && let Some(covered) = self.data(cover).covered
        {
            sources.go.clone_from(&covered.go);
        }
        if let Some(collect) = self.dep_where(node, |kind| *kind == Kind::CgoCollect) {
            sources.c.clear();
            // The C compiler has the assembly, but for runtime/cgo, which has files of both kinds.
            let both = package.public.standard && package.public.import_path == "runtime/cgo";
            sources
                .assembly
                .retain(|file| both && !file.starts_with("gcc_"));
            let made = self.cgo_outputs(node, collect, package, objdir)?;
            sources.go.extend(made.go);
            sources.cgo_objects = made.objects;
            if matches!(self.modes.buildmode.as_str(), "c-archive" | "c-shared") {
                self.keep_objdir_file(node, "_cgo_install.h");
            }
        }
        Ok(sources)
    }

    /// The first dependency of a kind.
    fn dep_where(&self, node: NodeId, wanted: fn(&Kind) -> bool) -> Option<NodeId> {
        self.plan.nodes[node]
            .deps
            .iter()
            .copied()
            .find(|dep| wanted(&self.plan.nodes[*dep].kind))
    }

    fn import_config(&self, node: NodeId, package: &Package) -> Vec<u8> {
        let mut text = String::from("# import config\n");
        for (raw, real) in package
            .internal
            .raw_imports
            .iter()
            .zip(&package.public.imports)
        {
            if raw != real {
                let _ = writeln!(text, "importmap {raw}={real}");
            }
        }
        for dep in &self.plan.nodes[node].deps {
            let Some(import) = self.plan.nodes[*dep].package else {
                continue;
            };
            let built = self.data(*dep).built;
            let path = &self.packages[import].public.import_path;
            if !path.is_empty() && !built.is_empty() {
                let _ = writeln!(text, "packagefile {path}={built}");
            }
        }
        text.into_bytes()
    }

    fn embed_config(&self, package: &Package) -> Done<Option<Vec<u8>>> {
        if package.internal.embed.is_empty() {
            return Ok(None);
        }
        let dir = Utf8Path::new(&package.public.dir);
        let files = package.public.files.embed_files.iter();
        let config = EmbedConfig {
            patterns: &package.internal.embed,
            files: files
                .map(|file| {
                    (
                        file.as_str(),
                        self.config.actual(&dir.join(file)).to_string(),
                    )
                })
                .collect(),
        };
        let mut json = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let written = config.serialize(&mut serde_json::Serializer::with_formatter(
            &mut json, formatter,
        ));
        written.map_err(|error| Failure::new(format!("marshal embedcfg: {error}")))?;
        Ok(Some(escape_html(json)))
    }

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

    fn compile_go(&self, node: NodeId, package: &Package, compile: Compile<'_>) -> Done {
        let objdir = &self.plan.nodes[node].objdir;
        let shell = self.shell(node);
        let share = self.tokens.take();
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("compile"));
        words.extend(["-o", compile.archive, "-trimpath"].map(str::to_owned));
        words.push(self.trimpath(node, package));
        self.compiler_flags(node, package, &mut words)?;
        if let Some(path) = &compile.symabis {
            words.extend(["-symabis".to_owned(), path.clone()]);
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
        shell.write_file(&import_config, &compile.import_config)?;
        words.extend(["-importcfg".to_owned(), import_config]);
        if let Some(config) = &compile.embed_config {
            let path = format!("{objdir}embedcfg");
            shell.write_file(&path, config)?;
            words.extend(["-embedcfg".to_owned(), path]);
        }
        words.push("-pack".into());
        if compile.assembly_header {
            words.extend(["-asmhdr".to_owned(), format!("{objdir}go_asm.h")]);
        }
        for file in compile.go {
            words.push(self.actual(&package.public.dir, file));
        }
        let mut ran = shell.run_out(self.config.cwd.as_str(), &[], &words);
        drop(share);
        if self.release.is_27_or_later() && package.uses_cgo() && !self.config.flags.x {
            ran.output = restore_c_names(&String::from_utf8_lossy(&ran.output)).into_bytes();
        }
        shell.report("", "", ran)
    }

    /// The real absolute path of a package's file.
    pub(super) fn actual(&self, dir: &str, file: &str) -> String {
        let path = Utf8PathBuf::from(make_absolute(dir, file));
        self.config.actual(&path).to_string()
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
    fn trimpath(&self, node: NodeId, package: &Package) -> String {
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
        for file in all_files(package) {
            let path = make_absolute(dir, file);
            let (parent, base) = path.rsplit_once('/').unwrap_or(("", &path));
            let is_go = file.ends_with(".go") || file.ends_with(".s");
            let for_c = !is_go || package.public.files.cgo_files.contains(file);
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

    /// Headers named for the target are reachable under names with the words GOOS and GOARCH.
    fn copy_platform_headers(&self, node: NodeId, package: &Package, objdir: &str) -> Done {
        let target = &self.config.target;
        let both = format!("_{}_{}", target.goos, target.goarch);
        let suffixes = [
            (both, "_GOOS_GOARCH"),
            (format!("_{}", target.goarch), "_GOARCH"),
            (format!("_{}", target.goos), "_GOOS"),
        ];
        for file in &package.public.files.h_files {
            let (name, extension) = file.split_once('.').unwrap_or((file, ""));
            let found = suffixes
                .iter()
                .find_map(|(suffix, word)| Some((name.strip_suffix(suffix.as_str())?, word)));
            if let Some((stem, word)) = found {
                let to = format!("{objdir}{stem}{word}.{extension}");
                let from = make_absolute(&package.public.dir, file);
                self.shell(node).copy_file(&to, &from, 0o666, true)?;
            }
        }
        Ok(())
    }

    fn assembler(&self, node: NodeId, package: &Package) -> Done<Vec<String>> {
        let target = &self.config.target;
        let mut words = self.config.flags.toolexec.clone();
        words.extend([
            self.tool("asm"),
            "-p".into(),
            self.package_path(node, package)?,
            "-trimpath".into(),
        ]);
        words.push(self.trimpath(node, package));
        words.extend([
            "-I".to_owned(),
            self.plan.nodes[node].objdir.clone(),
            "-I".to_owned(),
        ]);
        words.push(
            self.config
                .toolchain
                .goroot
                .join("pkg/include")
                .into_string(),
        );
        let mut define = |name: String| words.extend(["-D".to_owned(), name]);
        define(format!("GOOS_{}", target.goos));
        define(format!("GOARCH_{}", target.goarch));
        words.extend(
            self.modes
                .forced_asmflags
                .iter()
                .chain(&package.internal.asmflags)
                .cloned(),
        );
        let runtime = package.public.import_path == "runtime";
        if runtime
            && target.goarch == "386"
            && self
                .modes
                .forced_asmflags
                .iter()
                .any(|flag| flag == "-dynlink")
        {
            words.push("-D=GOBUILDMODE_shared=1".into());
        }
        if self.release.is_27_or_later() && package.public.standard {
            words.push("-std".into());
        }
        for name in architecture_defines(&target.arch_env.0, &target.arch_env.1) {
            words.extend(["-D".to_owned(), name]);
        }
        Ok(words)
    }

    fn symabis(&self, node: NodeId, package: &Package, files: &[String]) -> Done<Option<String>> {
        if files.is_empty() {
            return Ok(None);
        }
        let objdir = &self.plan.nodes[node].objdir;
        let path = format!("{objdir}symabis");
        let mut words = self.assembler(node, package)?;
        words.extend(["-gensymabis".to_owned(), "-o".to_owned(), path.clone()]);
        words.extend(
            files
                .iter()
                .map(|file| self.actual(&package.public.dir, file)),
        );
        let shell = self.shell(node);
        shell.write_file(&format!("{objdir}go_asm.h"), b"")?;
        shell.run(
            &package.public.dir,
            &package.public.import_path,
            &[],
            &words,
        )?;
        Ok(Some(path))
    }

    fn assemble(&self, node: NodeId, package: &Package, files: &[String]) -> Done<Vec<String>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let objdir = &self.plan.nodes[node].objdir;
        let assembler = self.assembler(node, package)?;
        let mut objects = Vec::new();
        for file in files {
            let object = format!("{objdir}{}.o", file.strip_suffix(".s").unwrap_or(file));
            let mut words = assembler.clone();
            words.extend([
                "-o".to_owned(),
                object.clone(),
                self.actual(&package.public.dir, file),
            ]);
            self.shell(node).run(
                &package.public.dir,
                &package.public.import_path,
                &[],
                &words,
            )?;
            objects.push(object);
        }
        Ok(objects)
    }

    fn pack(&self, node: NodeId, package: &Package, archive: &str, objects: &[String]) -> Done {
        if objects.is_empty() {
            return Ok(());
        }
        let shell = self.shell(node);
        let objdir = &self.plan.nodes[node].objdir;
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
                &package.public.dir,
                &format!("{} # internal", command_line(&words)),
            );
        }
        if shell.dry() {
            return Ok(());
        }
        Ok(archive::append(Utf8Path::new(archive), &objects)?)
    }
}

struct Sources {
    go: Vec<String>,
    assembly: Vec<String>,
    c: Vec<String>,
    cgo_objects: Vec<String>,
}

impl Sources {
    fn all(&self) -> Vec<String> {
        self.go
            .iter()
            .chain(&self.assembly)
            .chain(&self.c)
            .cloned()
            .collect()
    }
}

struct Compile<'a> {
    archive: &'a str,
    import_config: Vec<u8>,
    embed_config: Option<Vec<u8>>,
    symabis: Option<String>,
    assembly_header: bool,
    go: &'a [String],
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

fn all_files(package: &Package) -> impl Iterator<Item = &String> {
    let (public, files) = (&package.public, &package.public.files);
    [
        &files.go_files,
        &files.cgo_files,
        &files.ignored_go_files,
        &files.ignored_other_files,
        &files.c_files,
        &files.cxx_files,
        &files.m_files,
        &files.h_files,
        &files.f_files,
        &files.s_files,
        &files.swig_files,
        &files.swig_cxx_files,
        &files.syso_files,
        &public.test_go_files,
        &public.x_test_go_files,
        &files.embed_files,
        &public.test_embed_files,
        &public.x_test_embed_files,
    ]
    .into_iter()
    .flatten()
}

fn no_go_files(package: &Package) -> String {
    let dir = &package.public.dir;
    if !package.public.files.ignored_go_files.is_empty() {
        return format!("build constraints exclude all Go files in {dir}");
    }
    if !package.public.test_go_files.is_empty() || !package.public.x_test_go_files.is_empty() {
        return format!("no non-test Go files in {dir}");
    }
    format!("no Go files in {dir}")
}

/// Names that assembly can ask for, by the architecture's variable.
fn architecture_defines(variable: &str, value: &str) -> Vec<String> {
    match variable {
        "GO386" | "GOAMD64" | "GOMIPS" | "GOMIPS64" | "GORISCV64" => {
            vec![format!("{variable}_{value}")]
        }
        "GOPPC64" => {
            let all = ["power10", "power9", "power8"];
            let from = all.iter().position(|level| *level == value).unwrap_or(2);
            all[from..]
                .iter()
                .map(|level| format!("GOPPC64_{level}"))
                .collect()
        }
        "GOARM" => {
            let from = if value.contains('7') {
                7
            } else if value.contains('6') {
                6
            } else {
                5
            };
            (5..=from)
                .rev()
                .map(|level| format!("GOARM_{level}"))
                .collect()
        }
        "GOARM64" if has_lse(value) => vec!["GOARM64_LSE".into()],
        _ => Vec::new(),
    }
}

/// From v8.1 on all processors have the atomic instructions.
fn has_lse(goarm64: &str) -> bool {
    let mut parts = goarm64.split(',');
    let base = parts.next().unwrap_or_default();
    (base.starts_with('v') && base != "v8.0") || parts.any(|part| part == "lse")
}

/// Go's JSON writes `<`, `>` and `&` as escapes.
fn escape_html(json: Vec<u8>) -> Vec<u8> {
    if !json.iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')) {
        return json;
    }
    let mut out = Vec::with_capacity(json.len() + 16);
    for byte in json {
        match byte {
            b'<' => out.extend_from_slice(b"\\u003c"),
            b'>' => out.extend_from_slice(b"\\u003e"),
            b'&' => out.extend_from_slice(b"\\u0026"),
            byte => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defines() {
        assert_eq!(
            architecture_defines("GOARM", "6,softfloat"),
            ["GOARM_6", "GOARM_5"]
        );
        assert_eq!(
            architecture_defines("GOPPC64", "power9"),
            ["GOPPC64_power9", "GOPPC64_power8"]
        );
        assert_eq!(architecture_defines("GOAMD64", "v1"), ["GOAMD64_v1"]);
        assert_eq!(architecture_defines("GOARM64", "v8.0,lse"), ["GOARM64_LSE"]);
        assert!(architecture_defines("GOARM64", "v8.0").is_empty());
        assert!(architecture_defines("", "").is_empty());
    }
}

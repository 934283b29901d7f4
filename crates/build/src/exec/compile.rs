//! Compiling a package: which files, with which imports, in which order; how is the driver's part.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use steady_packages::package::Package;

use super::Run;
use super::driver::Job;
use super::need::Need;
use crate::plan::{Kind, NodeId};
use crate::shell::paths::make_absolute;
use crate::shell::process::Ran;
use crate::shell::{Done, Failure};
use steady_module::gover;

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
        let (_, package) = self.package(node)?;
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
        let job = Job {
            node,
            package,
            objdir: &objdir,
            archive: &archive_path,
            import_config: &import_config,
            embed_config: embed_config.as_deref(),
            go: &sources.go,
            assembly: &sources.assembly,
        };
        let mut objects = self.driver.compile(self, &job)?;
        self.copy_platform_headers(node, package, &objdir)?;
        objects.extend(self.driver.compile_c(self, &job, &sources.c)?);
        objects.extend(self.driver.assemble(self, &job)?);
        objects.extend(self.driver.bear_id(self, &job)?);
        objects.extend(sources.cgo_objects);
        objects.extend(
            package
                .public
                .files
                .syso_files
                .iter()
                .map(|file| make_absolute(&package.public.dir, file)),
        );
        self.driver.pack(self, &job, &objects)?;
        self.finish_build_id(node, &archive_path)?;
        self.end_anew(node);
        self.update(node, |data| {
            if !(self.needs.export && self.cache_has(&data.built)) {
                data.built.clone_from(&archive_path);
            }
        });
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
            let made = self.cgo_outputs(node, collect, objdir)?;
            sources.go.extend(made.go);
            sources.cgo_objects = made.objects;
            if matches!(self.modes.buildmode.as_str(), "c-archive" | "c-shared") {
                self.keep_objdir_file(node, "_cgo_install.h");
            }
        }
        Ok(sources)
    }

    /// The first dependency of a kind.
    pub(super) fn dep_where(&self, node: NodeId, wanted: fn(&Kind) -> bool) -> Option<NodeId> {
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

    /// The real absolute path of a package's file.
    pub(super) fn actual(&self, dir: &str, file: &str) -> String {
        let path = Utf8PathBuf::from(make_absolute(dir, file));
        self.config.actual(&path).to_string()
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

//! Running vet over a package.
//!
//! | line of the id | when |
//! |---|---|
//! | `vet "ID"` | the line of `vet -V=full` |
//! | `vetxonly B` | Go 1.27 and later: vet is only asked for facts |
//! | `vetflags [flags]` | |
//! | `pkg "ID"` | the id of compiling the package, as bytes |
//! | `vetout "PATH" HASH` | every import: what vet has found out about it |
//!
//! Under the id lie the facts for importers, under `stdout` what vet put out, under `fix.zip` changed files. Before 1.27 the id does
//! not say whether vet was asked to report or for facts only, so a package that was only imported until now may be found with nothing
//! put out: where a report is always something, nothing means that there was no report yet. What a release before 1.26 put
//! out is not kept.

use camino::Utf8Path;
use serde::Serialize;
use sha2::Digest as _;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use steady_packages::package::{ModulePublic, Package, PackageId};

use super::Run;
use super::rebuilt::Why;
use crate::cache::{Id, short};
use crate::inputs::{Inputs, Step, shortened};
use crate::plan::{Kind, NodeId};
use crate::quote::{quote, quote_bytes, quote_list};
use crate::shell::paths::short_path;
use crate::shell::{Done, Failure};
use crate::vet::{VetOutput, VetSettings};

/// What vet is told of a package.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VetConfig<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    compiler: &'a str,
    dir: &'a str,
    import_path: &'a str,
    go_files: Vec<String>,
    non_go_files: Vec<String>,
    ignored_files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'a ModulePublic>,
    import_map: BTreeMap<String, String>,
    package_file: BTreeMap<String, String>,
    standard: BTreeMap<String, bool>,
    package_vetx: BTreeMap<String, String>,
    vetx_only: bool,
    vetx_output: String,
    stdout: String,
    go_version: String,
    fix_archive: String,
    succeed_on_typecheck_failure: bool,
}

/// One run of vet.
struct Vetting<'a> {
    node: NodeId,
    build: NodeId,
    package: &'a Package,
    settings: &'a VetSettings,
    facts_only: bool,
    flags: Vec<String>,
    facts: BTreeMap<String, String>,
    id: Id,
}

impl Vetting<'_> {
    fn fixes(&self) -> bool {
        self.settings.fix && !self.facts_only
    }
}

impl Run<'_> {
    /// Whether vet will look at the package that a node builds.
    pub(super) fn is_vetted(&self, build: NodeId) -> bool {
        let package = self.plan.nodes[build].package;
        package.is_some_and(|id| self.plan.vets(id))
    }

    /// Whether it is known which files vet looks at: always, but for packages of which some are made.
    pub(super) fn knows_vetted_files(&self, build: NodeId) -> bool {
        let Some(id) = self.plan.nodes[build].package else {
            return false;
        };
        if !has_made_files(&self.packages[id]) {
            return true;
        }
        let hashes = self.cache.hashes();
        let action = self.data(build).action_id;
        let Some((list, _)) = self.cache.get_bytes(&hashes.subkey(&action, "srcfiles")) else {
            return false;
        };
        String::from_utf8_lossy(&list)
            .lines()
            .filter(|name| !name.starts_with("./"))
            .all(|name| self.cache.get_file(&hashes.subkey(&action, name)).is_some())
    }

    /// Runs vet over a package, or finds what it said.
    pub(super) fn vet(&self, node: NodeId, build: NodeId, facts_only: bool) -> Done {
        if self.has_failed(self.plan.nodes[node].deps[0]) {
            return Ok(()); // what does not compile is not looked at
        }
        let Some(settings) = self.vet else {
            return Err(Failure::new("internal error: vet without settings"));
        };
        let (_, package) = self.package(node)?;
        let mut vetting = Vetting {
            node,
            build,
            package,
            settings,
            facts_only,
            flags: self.vet_flags(settings, package),
            facts: BTreeMap::new(),
            id: Id::default(),
        };
        self.identify(&mut vetting)?;
        if !self.config.flags.a && self.find_vetted(&vetting)? {
            if let Some(id) = self.plan.nodes[node].package.filter(|_| !facts_only) {
                self.found_known(id, Step::Vet, vetting.id, || {
                    self.vet_inputs(&vetting, id).unwrap_or_default()
                });
            }
            return Ok(());
        }
        self.vet_anew(&vetting)
    }

    /// Flags for a package. In the standard library everything is checked but what it must do and others must not.
    fn vet_flags(&self, settings: &VetSettings, package: &Package) -> Vec<String> {
        if !package.public.goroot || settings.explicit || !settings.own_vet {
            return settings.flags.clone();
        }
        let mut flags = vec!["-unsafeptr=false".to_owned()];
        if self.config.command == "test" {
            flags.push("-unreachable=false".to_owned());
        }
        flags
    }

    fn identify(&self, vetting: &mut Vetting<'_>) -> Done {
        let path = &vetting.package.public.import_path;
        let mut hash = self.cache.hashes().hash(format!("vet {path}"));
        hash.add(format_args!("vet {}\n", quote(&self.tool_id("vet")?)));
        if self.release.is_27_or_later() {
            hash.add(format_args!("vetxonly {}\n", vetting.facts_only));
        }
        hash.add(format_args!("vetflags {}\n", quote_list(&vetting.flags)));
        let action = self.data(vetting.build).action_id;
        hash.add(format_args!("pkg {}\n", quote_bytes(&action)));
        for dep in &self.plan.nodes[vetting.node].deps {
            if !matches!(self.plan.nodes[*dep].kind, Kind::Vet { .. }) {
                continue;
            }
            let data = self.data(*dep);
            if let Some(id) = self.plan.nodes[*dep]
                .package
                .filter(|_| !data.built.is_empty())
            {
                let path = &self.packages[id].public.import_path;
                hash.add(format_args!("vetout {} {}\n", quote(path), data.build_id));
                vetting.facts.insert(path.clone(), data.built);
            }
        }
        vetting.id = hash.sum();
        Ok(())
    }

    /// Uses what an earlier run has left. False if vet must run.
    fn find_vetted(&self, vetting: &Vetting<'_>) -> Done<bool> {
        let hashes = self.cache.hashes();
        let key = |name: &str| hashes.subkey(&vetting.id, name);
        let Some((facts, entry)) = self.cache.get_file(&vetting.id) else {
            return Ok(false);
        };
        if !vetting.facts_only {
            let mut fixes = None;
            if vetting.fixes() {
                fixes = self.cache.get_file(&key("fix.zip")).map(|(path, _)| path);
                if fixes.is_none() {
                    return Ok(false);
                }
            }
            let said = self.cache.get_bytes(&key("stdout")).map(|(said, _)| said);
            let said = said.unwrap_or_default();
            let unknown = if self.release.keeps_vet_output() {
                vetting.settings.always_speaks() && said.is_empty()
                    || self
                        .cache
                        .get_bytes(&key("steady report"))
                        .is_some_and(|(text, _)| text == b"no")
            } else {
                self.cache.get(&key("steady vetted")).is_none()
            };
            if unknown {
                return Ok(false);
            }
            self.keep_fixes(vetting, fixes);
            self.hear_vet(vetting, &said)?;
        }
        self.update(vetting.node, |data| {
            data.built = facts.into_string();
            data.build_id = short(&entry.output);
        });
        Ok(true)
    }

    fn keep_fixes(&self, vetting: &Vetting<'_>, fixes: Option<camino::Utf8PathBuf>) {
        if let (Some(id), Some(path)) = (self.plan.nodes[vetting.node].package, fixes) {
            self.update_outcome(id, |outcome| outcome.fixes = Some(path));
        }
    }

    /// Runs vet, tells why if somebody asks, and remembers what it depended on. What only importers ask for is passed over: it
    /// follows from what is told of them.
    fn vet_anew(&self, vetting: &Vetting<'_>) -> Done {
        let package = self.plan.nodes[vetting.node].package;
        let wanted = !vetting.facts_only && !self.config.flags.n && self.minds_inputs();
        let Some(package) = package.filter(|_| wanted) else {
            return self.run_vet(vetting);
        };
        let mut inputs = self.vet_inputs(vetting, package)?;
        self.tell_why(&Why {
            step: Step::Vet,
            package,
            inputs: &inputs,
            forced: self.config.flags.a.then_some("-a asks for it"),
            dependent: vetting.build,
            looked: &|_| None,
        });
        let done = self.run_vet(vetting);
        if done.is_err() {
            inputs.push("unkept", "vet had something to say");
        }
        self.remember_inputs(package, Step::Vet, vetting.id, &inputs);
        done
    }

    /// What vet depends on: what the package would be compiled from, vet itself, and what it knows of other packages.
    fn vet_inputs(&self, vetting: &Vetting<'_>, package: PackageId) -> Done<Inputs> {
        let is_check =
            |dep: &&NodeId| matches!(self.plan.nodes[**dep].kind, Kind::CheckCache { .. });
        let check = self.plan.nodes[vetting.build].deps.iter().find(is_check);
        let check = check.copied().unwrap_or(vetting.build);
        let mut inputs = self.inputs_of(&self.build_action_id(package, check)?);
        inputs.push("tool vet", self.tool_id("vet")?);
        inputs.push("vetflags", quote_list(&vetting.flags));
        for dep in &self.plan.nodes[vetting.node].deps {
            let facts = self.plan.nodes[*dep].package;
            if let (Kind::Vet { .. }, Some(id)) = (&self.plan.nodes[*dep].kind, facts) {
                let name = format!("facts {}", self.packages[id].public.import_path);
                inputs.push(name, shortened(&self.data(*dep).build_id));
            }
        }
        Ok(inputs)
    }

    fn run_vet(&self, vetting: &Vetting<'_>) -> Done {
        let shell = self.shell(vetting.node);
        let objdir = &self.plan.nodes[vetting.node].objdir;
        shell.mkdir(objdir)?;
        let config = self.vet_config(vetting, objdir)?;
        let path = format!("{objdir}vet.cfg");
        let mut json = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let written = config.serialize(&mut serde_json::Serializer::with_formatter(
            &mut json, formatter,
        ));
        written.map_err(|error| Failure::new(format!("marshal vet config: {error}")))?;
        json.push(b'\n');
        shell.write_file(&path, &json)?;
        let mut words = self.config.flags.toolexec.clone();
        words.push(vetting.settings.tool.to_string());
        words.extend(vetting.flags.iter().cloned());
        words.push(path);
        let public = &vetting.package.public;
        let mut env = vec!["TERM=dumb".to_owned()];
        env.extend(self.driver.vet_environment());
        let ran = shell.run(&public.dir, &public.import_path, &env, &words);
        if shell.dry() {
            return ran;
        }
        if self.release.keeps_vet_output() {
            ran?;
            self.keep_vetted(vetting, &config)
        } else {
            self.keep_facts(vetting, &config);
            ran?;
            let key = self.cache.hashes().subkey(&vetting.id, "steady vetted");
            if !vetting.facts_only {
                let _ = self.cache.put_bytes(&key, b"");
            }
            Ok(())
        }
    }

    /// Keeps all that vet has left; the cache is a help, not a duty.
    fn keep_vetted(&self, vetting: &Vetting<'_>, config: &VetConfig<'_>) -> Done {
        let key = |name: &str| self.cache.hashes().subkey(&vetting.id, name);
        self.keep_facts(vetting, config);
        if vetting.fixes()
            && let Some(content) = read(&config.fix_archive)
        {
            let kept = self.cache.put_bytes(&key("fix.zip"), &content).ok();
            let path = kept.filter(|path| !path.as_str().is_empty());
            self.keep_fixes(vetting, path.or(Some(config.fix_archive.clone().into())));
        }
        let said = read(&config.stdout).unwrap_or_default();
        if !vetting.facts_only {
            self.hear_vet(vetting, &said)?;
        }
        if !vetting.settings.always_speaks() {
            let report: &[u8] = if vetting.facts_only { b"no" } else { b"yes" };
            let _ = self.cache.put_unverified(&key("steady report"), report);
        }
        let _ = self.cache.put_unverified(&key("stdout"), &said);
        Ok(())
    }

    fn keep_facts(&self, vetting: &Vetting<'_>, config: &VetConfig<'_>) {
        let Some(facts) = read(&config.vetx_output) else {
            return;
        };
        let kept = self.cache.put_bytes(&vetting.id, &facts).ok();
        self.update(vetting.node, |data| {
            data.build_id = short(&sha2::Sha256::digest(&facts).into());
            // The work directory of a test goes away early.
            data.built = match kept.filter(|path| !path.as_str().is_empty()) {
                Some(path) => path.into_string(),
                None => config.vetx_output.clone(),
            };
        });
    }

    fn vet_config<'a>(&self, vetting: &Vetting<'a>, objdir: &str) -> Done<VetConfig<'a>> {
        let public = &vetting.package.public;
        let real = |names: &[String]| -> Vec<String> {
            let real = names.iter().map(|name| self.actual(&public.dir, name));
            real.collect()
        };
        let sources = self.vetted_files(vetting, objdir)?;
        let (go, others): (Vec<String>, Vec<String>) =
            sources.into_iter().partition(|name| name.ends_with(".go"));
        let ignored = [
            real(&public.files.ignored_go_files),
            real(&public.files.ignored_other_files),
        ];
        let keeps = self.release.keeps_vet_output();
        let mut config = VetConfig {
            id: &public.import_path,
            compiler: self.driver.name(),
            dir: &public.dir,
            import_path: &public.import_path,
            go_files: real(&go),
            non_go_files: real(&others),
            ignored_files: ignored.concat(),
            module_path: None,
            module_version: None,
            module: None,
            import_map: BTreeMap::new(),
            package_file: BTreeMap::new(),
            standard: BTreeMap::new(),
            package_vetx: vetting.facts.clone(),
            vetx_only: vetting.facts_only,
            vetx_output: format!("{objdir}vet.out"),
            stdout: String::new(),
            go_version: format!("go{}", vetting.settings.go_version),
            fix_archive: String::new(),
            succeed_on_typecheck_failure: false,
        };
        if keeps {
            config.stdout = format!("{objdir}vet.stdout");
        }
        if vetting.fixes() {
            config.fix_archive = format!("{objdir}vet.fix.zip");
        }
        if let Some(module) = &public.module {
            let version = match module.go_version.as_str() {
                "" => "1.16",
                version => version,
            };
            config.go_version = format!("go{version}");
        }
        let module = public.module.as_deref();
        if self.release.is_27_or_later() {
            config.module = module;
        } else {
            let module = module.filter(|module| module.error.is_none());
            config.module_path = Some(module.map_or("", |module| &module.path));
            config.module_version = Some(module.map_or("", |module| &module.version));
        }
        self.add_imports(vetting, &mut config);
        Ok(config)
    }

    fn add_imports(&self, vetting: &Vetting<'_>, config: &mut VetConfig<'_>) {
        let package = vetting.package;
        let raw = &package.internal.raw_imports;
        for (raw, real) in raw.iter().zip(&package.public.imports) {
            config.import_map.insert(raw.clone(), real.clone());
        }
        let mapped: HashSet<String> = config.import_map.values().cloned().collect();
        for dep in &self.plan.nodes[vetting.build].deps {
            let node = &self.plan.nodes[*dep];
            let Some(id) = node
                .package
                .filter(|id| !std::ptr::eq(&self.packages[*id], package))
            else {
                continue;
            };
            let public = &self.packages[id].public;
            let path = &public.import_path;
            if path.is_empty() || *path == package.public.import_path {
                continue;
            }
            // Imports that only generated code has.
            if !mapped.contains(path) {
                config.import_map.insert(path.clone(), path.clone());
            }
            let built = self.data(*dep).built;
            if !built.is_empty() {
                config.package_file.insert(path.clone(), built);
            }
            if public.standard {
                config.standard.insert(path.clone(), true);
            }
        }
    }

    /// Files that were compiled, those that were made in the work directory.
    fn vetted_files(&self, vetting: &Vetting<'_>, objdir: &str) -> Done<Vec<String>> {
        let files = &vetting.package.public.files;
        let own = || [&files.go_files[..], &files.s_files, &files.c_files].concat();
        if !has_made_files(vetting.package) {
            return Ok(own());
        }
        let action = self.data(vetting.build).action_id;
        let key = self.cache.hashes().subkey(&action, "srcfiles");
        let Some((list, _)) = self.cache.get_bytes(&key) else {
            return if self.config.flags.n {
                Ok(own())
            } else {
                Err(Failure::new("vet config not found"))
            };
        };
        let mut found = Vec::new();
        for name in String::from_utf8_lossy(&list).lines() {
            if let Some(own) = name.strip_prefix("./") {
                found.push(own.to_owned());
                continue;
            }
            let path = format!("{objdir}{name}");
            if !Utf8Path::new(&path).exists() && !self.load_objdir_file(vetting.build, name) {
                return Err(Failure::new("vet config not found"));
            }
            found.push(path);
        }
        Ok(found)
    }

    /// Does with vet's output what is to be done with it.
    fn hear_vet(&self, vetting: &Vetting<'_>, said: &[u8]) -> Done {
        match vetting.settings.output {
            VetOutput::Copied if !said.is_empty() => self.shared.sink.stdout(said),
            VetOutput::Copied => {}
            VetOutput::Difference => {
                if !said.is_empty() {
                    self.failed.store(true, Ordering::Relaxed);
                    self.shared.sink.stdout(said);
                }
            }
            VetOutput::Diagnostics(context) => {
                if !said.is_empty() {
                    return self.print_diagnostics(said, context);
                }
            }
        }
        Ok(())
    }

    fn print_diagnostics(&self, json: &[u8], context: Option<usize>) -> Done {
        type Units = BTreeMap<String, BTreeMap<String, serde_json::Value>>;
        let parsed: serde_json::Result<Units> = serde_json::from_slice(json);
        let units = parsed.map_err(|error| Failure::new(format!("parsing JSON: {error}")))?;
        for found in units.values().flat_map(BTreeMap::values) {
            let Some(diagnostics) = found.as_array() else {
                let error = found["error"].as_str().unwrap_or_default();
                return Err(Failure::new(error));
            };
            let mut text = String::new();
            for diagnostic in diagnostics {
                self.add_diagnostic(&mut text, diagnostic, "", context);
                let related = diagnostic["related"].as_array();
                for related in related.into_iter().flatten() {
                    self.add_diagnostic(&mut text, related, "\t", context);
                }
            }
            if !text.is_empty() {
                self.failed.store(true, Ordering::Relaxed);
                self.shared.sink.diagnostics(&text);
            }
        }
        Ok(())
    }

    fn add_diagnostic(
        &self,
        text: &mut String,
        diagnostic: &serde_json::Value,
        indent: &str,
        context: Option<usize>,
    ) {
        let field = |name: &str| diagnostic[name].as_str().unwrap_or_default();
        let (start, message) = (field("posn"), field("message"));
        let Some((file, line, column)) = position(start) else {
            let _ = writeln!(text, "{start}: {indent}{message}");
            return;
        };
        let shown = short_path(&self.config.cwd, Utf8Path::new(file));
        let _ = writeln!(text, "{shown}:{line}:{column}: {indent}{message}");
        let end = match field("end") {
            "" => start,
            end => end,
        };
        if let (Some(context), Some((_, last, _))) = (context, position(end)) {
            let source = read(file).unwrap_or_default();
            let source = String::from_utf8_lossy(&source);
            let first = line.saturating_sub(context).max(1);
            let lines = source.split('\n').enumerate().skip(first - 1);
            for (at, line) in lines.take((last + context + 1).saturating_sub(first)) {
                let _ = writeln!(text, "{}\t{line}", at + 1);
            }
        }
    }
}

/// `file:line:column`.
fn position(text: &str) -> Option<(&str, usize, usize)> {
    let (rest, column) = text.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some((file, line.parse().ok()?, column.parse().ok()?))
}

/// Whether files are compiled that are not the package's own.
fn has_made_files(package: &Package) -> bool {
    package.uses_cgo() || package.uses_swig() || !package.internal.cover_mode.is_empty()
}

fn read(path: &str) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut content = Vec::new();
    let mut file = std::fs::File::open(path).ok()?;
    file.read_to_end(&mut content).ok()?;
    Some(content)
}

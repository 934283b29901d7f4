//! Finding results instead of making them, and keeping those that were made.

use std::fs::File;

use super::Run;
use super::need::Need;
use crate::buildid::{find_and_hash, read_file, rewrite};
use crate::cache::{Id, short};
use crate::plan::{Kind, NodeId};
use crate::quote::command_line;
use crate::shell::{Done, Failure};

/// What a result is called that nobody may use because only its id counts.
const UP_TO_DATE: &str = "DO NOT USE - main build pseudo-cache built";

impl Run<'_> {
    /// Decides for a package what is to be done, after its dependencies are done.
    pub(super) fn check_cache(&self, check: NodeId, build: NodeId) -> Done {
        let (id, package) = self.package(check)?;
        let list = self.needs.is_list;
        let mut need = Need::default();
        let wanted = self.plan.nodes[build].need_build;
        need.add(Need::BUILD, !list && wanted || self.needs.export);
        need.add(Need::VET, self.is_vetted(build));
        need.add(Need::CGO_HEADER, self.needs_cgo_header(build));
        need.add(Need::COVER_META, package.internal.cover_gen_meta);
        need.add(Need::COMPILED_GO_FILES, self.needs.compiled_go_files);

        let hashed = self.build_action_id(id, check)?;
        let found = self.use_cache(
            build,
            hashed.id,
            self.plan.target_of(id),
            need.has(Need::BUILD),
        )?;
        if found {
            self.found_built(build, &hashed);
            self.keep_output(build); // in case the rest is not in the cache
            need.remove(Need::BUILD);
        }
        if need.has(Need::COMPILED_GO_FILES) && self.load_compiled_go_files(build) {
            need.remove(Need::COMPILED_GO_FILES);
        }
        if need.is_empty() {
            return Ok(());
        }
        if need.has(Need::BUILD) {
            self.begin_anew(build, check, &hashed);
        }
        let done = self.prepare_build(build, package, found, &mut need);
        if done.is_ok() {
            self.update(check, |data| data.need = need);
            self.update(build, |data| data.need = need);
        }
        done
    }

    fn prepare_build(
        &self,
        build: NodeId,
        package: &steady_packages::package::Package,
        found: bool,
        need: &mut Need,
    ) -> Done {
        if let Some(error) = &package.public.error {
            return Err(Failure::new(error.err.clone()));
        }
        if let Some(module) = &package.public.module
            && !self.allows(&module.go_version)
        {
            return Err(Failure::new(format!(
                "module requires Go {} or later",
                module.go_version
            )));
        }
        self.check_godebugs(build, package)?;
        if need.is_only(Need::VET) && self.knows_vetted_files(build) {
            need.remove(Need::VET);
            return Ok(());
        }
        let objdir = &self.plan.nodes[build].objdir;
        self.shell(build).mkdir(objdir)?;
        if found && need.has(Need::CGO_HEADER) && self.load_objdir_file(build, "_cgo_install.h") {
            need.remove(Need::CGO_HEADER);
        }
        if found
            && need.has(Need::COVER_META)
            && self.load_objdir_file(build, &super::cover::meta_file(package))
        {
            need.remove(Need::COVER_META);
        }
        if need.is_only(Need::VET) && self.knows_vetted_files(build) {
            need.remove(Need::VET);
        }
        Ok(())
    }

    fn needs_cgo_header(&self, build: NodeId) -> bool {
        let Some(id) = self.plan.nodes[build].package else {
            return false;
        };
        let package = &self.packages[id];
        if self.needs.is_list
            || !(package.uses_cgo() || package.uses_swig())
            || !matches!(self.modes.buildmode.as_str(), "c-archive" | "c-shared")
        {
            return false;
        }
        let is_header = |node: &NodeId| self.plan.nodes[*node].kind == Kind::InstallHeader;
        let triggers = &self.plan.nodes[build].triggers;
        triggers
            .iter()
            .any(|node| is_header(node) || self.plan.nodes[*node].triggers.iter().any(is_header))
    }

    /// Looks for the result of an action: in the file it would be installed as, then in the cache. Sets the node's build id and,
    /// if there is a result, where it is; otherwise the id is provisional and the output of tools is kept from now on.
    pub(super) fn use_cache(
        &self,
        node: NodeId,
        action: Id,
        target: &str,
        print: bool,
    ) -> Done<bool> {
        let kind = &self.plan.nodes[node].kind;
        let provisional = short(&action);
        let build_id = if *kind == Kind::Link {
            let main = self.data(self.plan.nodes[node].deps[0]).build_id;
            format!("{provisional}/{main}/{provisional}")
        } else {
            format!("{provisional}/{provisional}")
        };
        self.update(node, |data| {
            data.action_id = action;
            data.build_id = build_id;
        });
        if self.config.flags.a {
            self.note_stale(node, "build -a flag in use");
            self.keep_output(node);
            return Ok(false);
        }
        if !target.is_empty() && self.use_target(node, &provisional, target, print)? {
            return Ok(true);
        }
        // A test whose result is known needs no program.
        if *kind == Kind::Link && self.knows_test_result(node) {
            if print {
                self.show_output(self.plan.nodes[node].deps[0], "stdout");
                self.show_output(self.plan.nodes[node].deps[0], "link-stdout");
            }
            self.update(node, |data| UP_TO_DATE.clone_into(&mut data.built));
            return Ok(true);
        }
        if let Some((file, _)) = self.cache.get_file(&action) {
            if matches!(kind, Kind::Profile { .. }) {
                self.update(node, |data| data.built = file.into_string());
                return Ok(true);
            }
            if let Ok(build_id) = read_file(&file) {
                if print {
                    self.replay(node);
                }
                self.update(node, |data| {
                    data.built = file.into_string();
                    data.build_id = build_id;
                });
                if !target.is_empty() {
                    // Clearer than saying what else is stale.
                    self.set_stale(node, "not installed but available in build cache");
                }
                return Ok(true);
            }
        }
        self.note_mismatch(node);
        self.keep_output(node);
        Ok(false)
    }

    fn use_target(&self, node: NodeId, action: &str, target: &str, print: bool) -> Done<bool> {
        let path = self.config.cwd.join(target);
        if self.needs.is_list {
            self.config.note(&path); // what a build makes is looked at in a way of its own
        }
        let build_id = read_file(&path).unwrap_or_default();
        if build_id
            .strip_prefix(action)
            .is_some_and(|rest| rest.starts_with('/'))
        {
            self.update(node, |data| {
                data.build_id = build_id;
                target.clone_into(&mut data.built);
            });
            return Ok(true);
        }
        // A program that is up to date needs no archive of its main package: if linking what the program says its main package
        // was gives the id that the program has, then nothing would come out differently.
        let node_ref = &self.plan.nodes[node];
        let [link] = node_ref.triggers.as_slice() else {
            return Ok(false);
        };
        if self.needs.export
            || node_ref.kind != Kind::Build
            || self.plan.nodes[*link].kind != Kind::Link
        {
            return Ok(false);
        }
        let parts: Vec<&str> = build_id.split('/').collect();
        let [of_link, of_main, content, _] = parts.as_slice() else {
            return Ok(false);
        };
        if *of_main != action {
            return Ok(false);
        }
        let provisional = self.data(node).build_id;
        self.update(node, |data| data.build_id = format!("{of_main}/{content}"));
        if *of_link == short(&self.link_action_id(*link)?.id) {
            if print {
                self.show_output(node, "stdout");
                self.show_output(node, "link-stdout");
            }
            self.update(node, |data| UP_TO_DATE.clone_into(&mut data.built));
            return Ok(true);
        }
        self.update(node, |data| data.build_id = provisional);
        Ok(false)
    }

    pub(super) fn replay(&self, node: NodeId) {
        if self.plan.nodes[node].kind == Kind::Link {
            // Kept under the ids of the packages, for they are known when the program is not.
            for dep in &self.plan.nodes[node].deps {
                self.show_output(*dep, "link-stdout");
            }
        } else {
            self.show_output(node, "stdout");
        }
    }

    /// Prints what a tool said when the step was done.
    fn show_output(&self, node: NodeId, key: &str) {
        let id = self.cache.hashes().subkey(&self.data(node).action_id, key);
        let Some((text, entry)) = self
            .cache
            .get_bytes(&id)
            .filter(|(text, _)| !text.is_empty())
        else {
            return;
        };
        let shell = self.shell(node);
        if shell.shows()
            && let Some(file) = self.cache.output_file(&entry.output)
        {
            shell.show(
                "",
                &format!("{}  # internal", command_line(&["cat", file.as_str()])),
            );
        }
        if !shell.dry() {
            shell.print(&String::from_utf8_lossy(&text));
        }
    }

    fn note_stale(&self, node: NodeId, reason: &str) {
        if let Some(id) = self.plan.nodes[node].package {
            self.update_outcome(id, |outcome| {
                if !outcome.stale {
                    outcome.stale = true;
                    reason.clone_into(&mut outcome.stale_reason);
                }
            });
        }
    }

    fn set_stale(&self, node: NodeId, reason: &str) {
        if let Some(id) = self.plan.nodes[node].package {
            self.update_outcome(id, |outcome| {
                outcome.stale = true;
                reason.clone_into(&mut outcome.stale_reason);
            });
        }
    }

    fn note_mismatch(&self, node: NodeId) {
        let Some(id) = self.plan.nodes[node].package else {
            return;
        };
        let mut reason = "build ID mismatch".to_owned();
        if self.needs.is_list {
            for import in &self.packages[id].internal.imports {
                let mut theirs = String::new();
                self.update_outcome(*import, |outcome| {
                    if outcome.stale {
                        theirs.clone_from(&outcome.stale_reason);
                    }
                });
                if theirs.starts_with("stale dependency: ") {
                    reason = theirs;
                    break;
                }
                if !theirs.is_empty() && reason == "build ID mismatch" {
                    reason = format!(
                        "stale dependency: {}",
                        self.packages[*import].public.import_path
                    );
                }
            }
        }
        self.note_stale(node, &reason);
    }

    /// Gives the result of an action its final build id and puts it into the cache.
    pub(super) fn finish_build_id(&self, node: NodeId, target: &str) -> Done {
        let shell = self.shell(node);
        if shell.shows() {
            let line = command_line(&["go", "tool", "buildid", "-w", target]);
            shell.show("", &format!("{line} # internal"));
            if shell.dry() {
                return Ok(());
            }
        }
        self.keep_tool_output(node);
        let mut file = File::options().read(true).write(true).open(target)?;
        let data = self.data(node);
        let found = find_and_hash(
            &mut file,
            &data.build_id,
            self.release.ignores_host_build_id(),
        )?;
        let prefix = data
            .build_id
            .rsplit_once('/')
            .map_or("", |(prefix, _)| prefix);
        let build_id = format!("{prefix}/{}", short(&found.hash));
        if build_id.len() != data.build_id.len() {
            return Err(Failure::new(format!(
                "internal error: build ID length mismatch \"{}\" vs \"{build_id}\"",
                data.build_id
            )));
        }
        self.update(node, |data| data.build_id.clone_from(&build_id));
        if found.matches.is_empty() {
            return Ok(()); // -buildid= was given, so this is nobody's result but the user's
        }
        rewrite(&mut file, &found.matches, &build_id)?;
        self.keep_result(node, target, &data.action_id, &file)
    }

    fn keep_tool_output(&self, node: NodeId) {
        let output = self.kept_output(node);
        let put = |of: NodeId, key: &str| {
            let id = self.cache.hashes().subkey(&self.data(of).action_id, key);
            // The cache is a help, not a duty.
            let _ = self.cache.put_bytes(&id, output.as_bytes());
        };
        match self.plan.nodes[node].kind {
            Kind::Build => put(node, "stdout"),
            Kind::Link => {
                let is_main = |dep: &&NodeId| {
                    self.plan.nodes[**dep]
                        .package
                        .is_some_and(|id| self.packages[id].public.name == "main")
                };
                if let Some(main) = self.plan.nodes[node].deps.iter().find(is_main) {
                    put(*main, "link-stdout");
                }
            }
            _ => {}
        }
    }

    fn keep_result(&self, node: NodeId, target: &str, action: &Id, result: &File) -> Done {
        let node_ref = &self.plan.nodes[node];
        let stored = match node_ref.kind {
            Kind::Build => self.cache.put_file(action, result),
            Kind::Link if node_ref.keep_executable && self.cache.keeps_executables() => {
                let (id, package) = self.package(node)?;
                let name = match package.internal.exe_name.as_str() {
                    "" => crate::command::default_exec_name(&self.packages[id]),
                    name => name.to_owned(),
                };
                self.cache.put_executable(
                    action,
                    &format!("{name}{}", self.modes.exe_suffix),
                    result,
                )
            }
            _ => return Ok(()),
        };
        match stored {
            Ok(path) if path.as_str().is_empty() => Ok(()), // nobody keeps it
            Ok(path) => {
                if self.config.flags.x {
                    let line = command_line(&["cp", target, path.as_str()]);
                    self.shell(node).show("", &format!("{line} # internal"));
                }
                if node_ref.kind == Kind::Link {
                    self.update(node, |data| data.cached_executable = path.into_string());
                } else if self.needs.export {
                    self.update(node, |data| data.built = path.into_string());
                }
                Ok(())
            }
            Err(error) if self.needs.export => Err(Failure::new(error.to_string())),
            Err(error @ crate::cache::CacheError::Verify(_)) => {
                Err(Failure::new(error.to_string()))
            }
            Err(_) => Ok(()),
        }
    }

    /// Records which files were compiled, and those that were generated with their content.
    pub(super) fn keep_source_files(&self, build: NodeId, files: &[String]) {
        let objdir = &self.plan.nodes[build].objdir;
        let action = self.data(build).action_id;
        let mut list = String::new();
        for file in files {
            match file.strip_prefix(objdir.as_str()) {
                None => list.push_str(&format!("./{file}\n")),
                Some(name) => {
                    list.push_str(&format!("{name}\n"));
                    if !self.keep_objdir_file(build, name) {
                        return;
                    }
                }
            }
        }
        let id = self.cache.hashes().subkey(&action, "srcfiles");
        let _ = self.cache.put_bytes(&id, list.as_bytes());
    }

    /// Puts a generated file into the cache. Returns whether that worked.
    pub(super) fn keep_objdir_file(&self, build: NodeId, name: &str) -> bool {
        let path = format!("{}{name}", self.plan.nodes[build].objdir);
        let Ok(file) = File::open(&path) else {
            return false;
        };
        let id = self
            .cache
            .hashes()
            .subkey(&self.data(build).action_id, name);
        self.cache.put_file(&id, &file).is_ok()
    }

    pub(super) fn load_objdir_file(&self, build: NodeId, name: &str) -> bool {
        let id = self
            .cache
            .hashes()
            .subkey(&self.data(build).action_id, name);
        let Some((file, _)) = self.cache.get_file(&id) else {
            return false;
        };
        let to = format!("{}{name}", self.plan.nodes[build].objdir);
        self.shell(build)
            .copy_file(&to, file.as_str(), 0o666, true)
            .is_ok()
    }

    /// Fills in the Go files that were compiled, from the cache.
    pub(super) fn load_compiled_go_files(&self, build: NodeId) -> bool {
        let action = self.data(build).action_id;
        let hashes = self.cache.hashes();
        let Some((list, _)) = self.cache.get_bytes(&hashes.subkey(&action, "srcfiles")) else {
            return false;
        };
        let mut files = Vec::new();
        for name in String::from_utf8_lossy(&list)
            .lines()
            .filter(|name| name.ends_with(".go"))
        {
            if let Some(own) = name.strip_prefix("./") {
                files.push(own.to_owned());
                continue;
            }
            let Some((file, _)) = self.cache.get_file(&hashes.subkey(&action, name)) else {
                return false;
            };
            files.push(file.into_string());
        }
        if let Some(id) = self.plan.nodes[build].package {
            self.update_outcome(id, |outcome| outcome.compiled_go_files = Some(files));
        }
        true
    }

    pub(super) fn prepare_profile(&self, node: NodeId, input: &str) -> Done {
        let action = self.profile_action_id(input)?;
        let target = self.plan.nodes[node].target.clone();
        if self.use_cache(node, action, &target, !self.needs.is_list)? || self.needs.is_list {
            return Ok(());
        }
        let done = self.make_profile(node, input, &target, &action);
        self.flush_output(node);
        done
    }

    fn make_profile(&self, node: NodeId, input: &str, target: &str, action: &Id) -> Done {
        let shell = self.shell(node);
        shell.mkdir(&self.plan.nodes[node].objdir)?;
        let mut words = self.config.flags.toolexec.clone();
        words.push(self.tool("preprofile"));
        words.extend(["-o", target, "-i", input].map(str::to_owned));
        shell.run(".", input, &[], &words)?;
        self.update(node, |data| target.clone_into(&mut data.built));
        if shell.dry() {
            return Ok(());
        }
        let stored = self.cache.put_file(action, &File::open(target)?);
        let path = stored
            .map_err(|error| Failure::new(format!("error adding target to cache: {error}")))?;
        if self.config.flags.x {
            shell.show(
                "",
                &format!(
                    "{} # internal",
                    command_line(&["cp", target, path.as_str()])
                ),
            );
        }
        Ok(())
    }
}

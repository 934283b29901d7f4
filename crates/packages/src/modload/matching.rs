//! From patterns to import paths, in module mode.

use super::{ModError, Modules, Result};
use crate::patterns::{IgnorePatterns, Match, Pattern};
use crate::patterns::{LocalWalk, ModuleRoot, ModuleTree, match_dirs, match_packages, walk_module};
use crate::source::BuildContext;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;
use steady_graph::Pruning;
use steady_module::modfile::ModFile;
use steady_module::{ModuleVersion, gover};

/// From this `go` line on, `all` leaves tests of dependencies out.
pub(super) const NARROW_ALL_VERSION: &str = "1.16";

impl Modules {
    /// Fills `packages` of one pattern with import paths. `all` is answered by the package loader, which follows imports.
    ///
    /// # Errors
    /// The module graph is needed and cannot be read.
    pub fn match_pattern(&self, pattern: &str, context: &BuildContext) -> Result<Match> {
        let mut found = Match::new(pattern);
        if found.is_local() {
            self.match_local(&mut found, context)?;
        } else if found.is_literal() {
            found.packages.push(pattern.to_string());
        } else if matches!(pattern, "std" | "cmd") {
            match_packages(&mut found, &self.index, context, false);
        } else if pattern == "tool" {
            let tools: BTreeSet<String> = self
                .mains
                .iter()
                .flat_map(|main| &main.file.tool)
                .map(|tool| tool.value.clone())
                .collect();
            found.packages.extend(tools);
        } else if matches!(pattern, "all" | "work") {
            found.packages = self.packages_of_mains(&|_| true, &|_| true);
            if pattern == "all" {
                let tools = self.mains.iter().flat_map(|main| &main.file.tool);
                found.packages.extend(tools.map(|tool| tool.value.clone()));
            }
        } else {
            found.packages = self.match_wildcard(pattern, context)?;
        }
        Ok(found)
    }

    /// Whether `all` goes on through tests of dependencies, as it did before graphs were pruned.
    #[must_use]
    pub fn all_has_tests(&self) -> bool {
        gover::compare(self.go_version(), NARROW_ALL_VERSION).is_lt()
    }

    fn match_local(&self, found: &mut Match, context: &BuildContext) -> Result<()> {
        let roots: Vec<ModuleRoot> = self
            .mains
            .iter()
            .map(|main| ModuleRoot {
                dir: main.dir.clone(),
                ignore: main.ignore.clone(),
            })
            .collect();
        if let Some(outside) = self.prefix_outside(&found.pattern) {
            if self.config.members_below && self.match_members_below(found, context)? {
                return Ok(());
            }
            found.errors.push(outside);
            return Ok(());
        }
        let walk = LocalWalk {
            cwd: &self.config.cwd,
            roots: &roots,
            modules: true,
        };
        let ignored = match_dirs(found, &self.index, context, &walk);
        for dir in ignored {
            self.note_ignored(&dir);
        }
        let dirs = std::mem::take(&mut found.dirs);
        let literal = found.is_literal();
        let src = self.config.goroot.join("src");
        let in_goroot = |dir: &String| self.files.absolute(dir).starts_with(&src);
        if literal && self.mains.is_empty() && !dirs.iter().all(in_goroot) {
            return Err(ModError::NoGoMod);
        }
        for dir in &dirs {
            let dir = self.files.absolute(dir);
            if dir == src && !literal {
                continue;
            }
            match self.import_path_of(&dir) {
                // What documents the built-in names is no package that anything could import.
                Ok(path) if path == "builtin" && literal => found
                    .errors
                    .push("\"builtin\" is a pseudo-package, not an importable package".to_string()),
                Ok(path) if path == "builtin" => {}
                Ok(path) => found.packages.push(path),
                Err(error) => {
                    let bare = literal && self.files.is_dir(&dir) && !self.has_go_files(&dir);
                    found.bare = bare.then_some(dir);
                    found.errors.push(error);
                }
            }
        }
        found.dirs = dirs;
        Ok(())
    }

    /// `DIR/...` in a workspace where DIR is in no module: the packages of the members below it. False if there are none.
    fn match_members_below(&self, found: &mut Match, context: &BuildContext) -> Result<bool> {
        let Some(dir) = found.pattern.strip_suffix("/...") else {
            return Ok(false);
        };
        let base = self.files.absolute(dir);
        let mut members: Vec<&Utf8Path> = self
            .mains
            .iter()
            .map(|main| main.dir.as_path())
            .filter(|dir| dir.starts_with(&base))
            .collect();
        members.sort_unstable();
        for dir in &members {
            let way = steady_system::relative(&self.config.cwd, dir);
            let way = way.as_deref().unwrap_or(dir);
            let mut below = Match::new(&format!("{}/...", super::directory_path(way.as_str())));
            self.match_local(&mut below, context)?;
            found.packages.extend(below.packages);
            found.dirs.extend(below.dirs);
            found.errors.extend(below.errors);
        }
        Ok(!members.is_empty())
    }

    /// Whether a local wildcard begins outside of all modules of this run: walking there could take forever and find nothing.
    fn prefix_outside(&self, pattern: &str) -> Option<String> {
        let prefix = &pattern[..pattern.find("...")? + "...".len()];
        let dir = self
            .files
            .absolute(steady_system::clean(Utf8Path::new(prefix)).parent()?);
        let dir = steady_system::clean(&dir);
        let module = dir
            .ancestors()
            .find(|at| self.files.is_file(at.join("go.mod")));
        let known = self
            .mains
            .iter()
            .any(|main| Some(main.dir.as_path()) == module)
            || dir.starts_with(self.config.goroot.join("src"))
            || self.replaced_dir(&dir).is_some();
        if known {
            return None;
        }
        let scope = match &self.work {
            Some(_) => "modules listed in go.work or their selected dependencies",
            None => "main module or its selected dependencies",
        };
        let shown = super::open::short(&dir, &self.config.cwd);
        Some(format!("directory prefix {shown} does not contain {scope}"))
    }

    /// The import path that files of a directory below a main module may import as: in a vendor directory that of what is vendored.
    #[must_use]
    pub fn importing_path_of(&self, dir: &Utf8Path) -> Option<String> {
        let inside = self.mains.iter().filter(|main| dir.starts_with(&main.dir));
        let main = inside.max_by_key(|main| main.dir.as_str().len())?;
        let rest = dir.strip_prefix(&main.dir).ok()?.as_str();
        Some(match rest.strip_prefix("vendor/") {
            Some(vendored) => vendored.to_string(),
            None if rest.is_empty() => main.path.clone(),
            None => format!("{}/{rest}", main.path),
        })
    }

    /// The import path of a directory, as go resolves `./x`.
    ///
    /// # Errors
    /// It lies in no module of this run, in go's words.
    pub fn import_path_of(&self, dir: &Utf8Path) -> std::result::Result<String, String> {
        let src = self.config.goroot.join("src");
        if dir == src && self.has_go_files(dir) {
            return Err("GOROOT/src is not an importable package".to_string());
        }
        if let Ok(rest) = dir.strip_prefix(&src)
            && self.mains.iter().all(|main| !dir.starts_with(&main.dir))
        {
            return Ok(rest.to_string());
        }
        if self.mains.is_empty() {
            return Err("go: go.mod file not found in current directory or any parent directory; see 'go help modules'".into());
        }
        let shown = super::open::short(dir, &self.config.cwd);
        if !self.files.exists(dir) {
            return Err(format!("stat {dir}: directory not found"));
        }
        let is_dir = self.files.is_dir(dir);
        if is_dir && !self.has_go_files(dir) {
            return Err(format!("no Go files in {dir}"));
        }
        // A directory of the module cache may lie below a main module; it has its module in its name.
        let inside = |main: &&super::MainModule| {
            let rest = dir.strip_prefix(&main.dir);
            rest.is_ok_and(|rest| !rest.as_str().contains('@'))
        };
        let nearest = self
            .mains
            .iter()
            .filter(inside)
            .max_by_key(|main| main.dir.as_str().len());
        if let Some(main) = nearest {
            let rest = dir.strip_prefix(&main.dir).unwrap_or(Utf8Path::new(""));
            if let Some(go_mod) = dir
                .ancestors()
                .take_while(|at| *at != main.dir)
                .find(|at| self.files.is_file(at.join("go.mod")))
            {
                return Err(self.outside(&shown, Some(go_mod)));
            }
            if let Some(vendored) = self
                .vendor
                .as_ref()
                .and_then(|vendor| Some((vendor, dir.strip_prefix(&vendor.dir).ok()?)))
                .filter(|(vendor, path)| vendor.txt.packages.contains_key(path.as_str()))
                .map(|(_, path)| path)
            {
                return Ok(vendored.to_string());
            }
            if let Ok(path) = rest.strip_prefix("vendor")
                && !path.as_str().is_empty()
            {
                return Err(if self.mode == super::ModMode::Vendor {
                    format!("directory {dir} is not a package listed in vendor/modules.txt")
                } else {
                    format!("without -mod=vendor, directory {dir} has no package path")
                });
            }
            let path = join(self.prefix_of(main), rest);
            if !is_dir {
                return Err(format!(
                    "main module ({}) does not contain package {path}",
                    main.path
                ));
            }
            return Ok(path);
        }
        if let Some(path) = self.path_in_dependencies(dir) {
            return Ok(path);
        }
        let go_mod = dir
            .ancestors()
            .find(|at| self.files.is_file(at.join("go.mod")));
        Err(self.outside(&shown, go_mod))
    }

    /// What stands in front of the import paths of a main module: its path, or nothing in the standard library.
    pub(super) fn prefix_of<'a>(&self, main: &'a super::MainModule) -> &'a str {
        match main.path.as_str() {
            "std" if main.dir == self.config.goroot.join("src") => "",
            path => path,
        }
    }

    fn outside(&self, shown: &str, module_dir: Option<&Utf8Path>) -> String {
        let dir = match shown {
            "." => "current directory".to_string(),
            _ => format!("directory {shown}"),
        };
        match (&self.work, module_dir) {
            (Some(_), Some(module_dir)) => {
                let member = super::open::short(module_dir, &self.config.cwd);
                format!(
                    "{dir} is contained in a module that is not one of the workspace modules listed in go.work. You can add the module to the workspace using:\n\tgo work use {member}"
                )
            }
            (Some(_), None) => {
                format!("{dir} outside modules listed in go.work or their selected dependencies")
            }
            (None, Some(module_dir))
                if self.mains.iter().all(|main| main.dir != module_dir)
                    && self
                        .mains
                        .iter()
                        .any(|main| module_dir.starts_with(&main.dir)) =>
            {
                format!(
                    "main module ({}) does not contain package {}",
                    self.mains[0].path,
                    join(&self.mains[0].path, Utf8Path::new(shown))
                )
            }
            _ => format!("{dir} outside main module or its selected dependencies"),
        }
    }

    /// The import path of a directory in a module of the build list: one that replaces a module, or one of the module cache.
    fn path_in_dependencies(&self, dir: &Utf8Path) -> Option<String> {
        let reqs = self.reqs();
        let within = |module: &ModuleVersion| {
            if gover::is_toolchain(&module.path) || module.version.is_empty() {
                return None;
            }
            let root = match self.replaced_by(module) {
                Some(by) if by.replace.new.version.is_empty() => {
                    steady_system::clean(&by.base.join(&by.replace.new.path))
                }
                Some(by) => self.fetcher.download_dir(&by.replace.new).ok()?,
                None => self.fetcher.download_dir(module).ok()?,
            };
            let rest = dir.strip_prefix(&root).ok()?;
            let hidden = rest.as_str().contains('@') || rest.iter().any(|part| part == "vendor");
            (!hidden).then(|| join(&module.path, rest))
        };
        let selected = |root: &&ModuleVersion| reqs.root(&root.path) == Some(&*root.version);
        let roots = (reqs.pruning == Pruning::Pruned).then(|| reqs.roots.iter().filter(selected));
        let found = roots.into_iter().flatten().find_map(within);
        found.or_else(|| {
            let graph = self.vendor.is_none().then(|| self.partial_build_list());
            graph.iter().flatten().find_map(within)
        })
    }

    fn replaced_dir(&self, dir: &Utf8Path) -> Option<String> {
        self.replace
            .values()
            .filter(|by| by.replace.new.version.is_empty())
            .find_map(|by| {
                let root = steady_system::clean(&by.base.join(&by.replace.new.path));
                dir.strip_prefix(&root)
                    .ok()
                    .map(|rest| join(&by.replace.old.path, rest))
            })
    }

    /// `-x` tells which directories `ignore` lines pass over.
    fn note_ignored(&self, dir: &Utf8Path) {
        if self.fetcher.config().trace {
            self.fetcher.note(&format!("# ignoring directory {dir}"));
        }
    }

    /// The `ignore` lines of a dependency at `dir`. A module's zip may lack the go.mod that the module cache has for it.
    fn ignore_of(&self, module: &ModuleVersion, dir: &Utf8Path) -> IgnorePatterns {
        let actual = self.replacement(module).unwrap_or(module);
        let text = if actual.version.is_empty() {
            self.files.read(dir.join("go.mod")).ok()
        } else {
            let text = self.fetcher.go_mod(&actual.path, &actual.version);
            text.ok().map(|text| text.to_vec())
        };
        let parsed = text.and_then(|text| {
            ModFile::parse_lax(
                "go.mod",
                &String::from_utf8_lossy(&text),
                Some(&mut |_, version| Ok(version.to_string())),
            )
            .ok()
        });
        let lines = parsed.iter().flat_map(|parsed| &parsed.ignore);
        let paths: Vec<String> = lines.map(|line| line.value.clone()).collect();
        IgnorePatterns::new(&paths)
    }

    fn packages_of_mains(
        &self,
        want: &dyn Fn(&str) -> bool,
        can_match: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        self.packages_in(&self.mains, want, can_match)
    }

    /// The packages of one main module.
    pub(super) fn packages_of_main(&self, path: &str) -> Vec<String> {
        let main = self.main(path).map_or(&[][..], std::slice::from_ref);
        self.packages_in(main, &|_| true, &|_| true)
    }

    fn packages_in(
        &self,
        mains: &[super::MainModule],
        want: &dyn Fn(&str) -> bool,
        can_match: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut all = BTreeSet::new();
        let mut found = |path, _| {
            all.insert(path);
        };
        self.walk_mains(mains, false, want, can_match, &mut found);
        all.into_iter().collect()
    }

    /// Directories of the main modules in which packages could be and that have no Go files: what their import paths would be, and
    /// where they are.
    #[must_use]
    pub fn bare_directories(&self) -> Vec<(String, Utf8PathBuf)> {
        let mut all = Vec::new();
        let mut found = |path, dir| all.push((path, dir));
        self.walk_mains(&self.mains, true, &|_| true, &|_| true, &mut found);
        all
    }

    fn walk_mains(
        &self,
        mains: &[super::MainModule],
        bare: bool,
        want: &dyn Fn(&str) -> bool,
        can_match: &dyn Fn(&str) -> bool,
        found: &mut dyn FnMut(String, Utf8PathBuf),
    ) {
        for main in mains {
            let tree = ModuleTree {
                dir: &main.dir,
                prefix: self.prefix_of(main),
                prune_go_mod: true,
                prune_vendor: true,
                bare,
                ignore: &main.ignore,
                note: &|dir| self.note_ignored(dir),
            };
            walk_module(&self.index, &tree, want, can_match, found);
        }
    }

    fn match_wildcard(&self, pattern: &str, context: &BuildContext) -> Result<Vec<String>> {
        let glob = Pattern::new(pattern);
        let (want, can_match) = (
            |path: &str| glob.matches(path),
            |path: &str| glob.tree_can_match(path),
        );
        let mut all: BTreeSet<String> = self
            .packages_of_mains(&want, &can_match)
            .into_iter()
            .collect();
        let mut std = Match::new(pattern);
        match_packages(&mut std, &self.index, context, false);
        all.extend(std.packages);
        if let Some(vendor) = &self.vendor {
            all.extend(
                vendor
                    .txt
                    .packages
                    .keys()
                    .filter(|path| glob.matches(path))
                    .cloned(),
            );
            return Ok(all.into_iter().collect());
        }
        // Without a main module that is the module of `path@version`, if anything.
        for module in self.build_list()? {
            self.match_in_dependency(&module, &glob, &mut all);
        }
        Ok(all.into_iter().collect())
    }

    fn match_in_dependency(
        &self,
        module: &ModuleVersion,
        glob: &Pattern,
        all: &mut BTreeSet<String>,
    ) {
        if module.version.is_empty() || !glob.tree_can_match(&module.path) {
            return;
        }
        let Ok(dir) = self.module_dir(module) else {
            return;
        };
        let tree = ModuleTree {
            dir: &dir,
            prefix: &module.path,
            prune_go_mod: true,
            prune_vendor: true,
            bare: false,
            ignore: &self.ignore_of(module, &dir),
            note: &|dir| self.note_ignored(dir),
        };
        walk_module(
            &self.index,
            &tree,
            &|path| glob.matches(path),
            &|path| glob.tree_can_match(path),
            &mut |path, _| {
                all.insert(path);
            },
        );
    }
}

fn join(module: &str, rest: &Utf8Path) -> String {
    match (module, rest.as_str()) {
        (module, "") => module.to_string(),
        ("", rest) => rest.to_string(),
        (module, rest) => format!("{module}/{rest}"),
    }
}

//! What is judged: a repository, what each environment shows of it, and the settings that stand behind.
//!
//! `cli` fills this in. A [`View`] is one load: the packages of some modules, on one platform, in one environment; the same load serves
//! several environments where their inputs are equal.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;
use steady_module::ModuleVersion;
use steady_module::modfile::{ModFile, WorkFile};
use steady_module::path::{PathError, check_path};
use steady_packages::load::Loaded;
use steady_packages::modload::{Change, Modules};
use steady_packages::package::{ModulePublic, PackageError, PackageId, PackagePublic};
use steady_packages::source::BuildContext;
use steady_system::Files;

use super::ci::Asked;
use super::finding::Environment;
use super::git::Repository;

/// A platform to load for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// GOOS.
    pub goos: String,
    /// GOARCH.
    pub goarch: String,
    /// Whether there is a C compiler.
    pub cgo: bool,
}

impl std::fmt::Display for Platform {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.goos, self.goarch)
    }
}

/// A module of the repository.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its path.
    pub path: String,
    /// Its directory.
    pub dir: Utf8PathBuf,
    /// Its go.mod, as text.
    pub text: String,
    /// Its go.mod.
    pub file: ModFile,
}

impl Member {
    /// The version of its go line, or what go means by none.
    #[must_use]
    pub fn go_version(&self) -> &str {
        let default = steady_module::gover::DEFAULT_GO_MOD_VERSION;
        self.file.go.as_ref().map_or(default, |go| &go.value)
    }

    /// What keeps other modules from requiring this one, if its path does.
    #[must_use]
    pub fn refusal(&self) -> Option<PathError> {
        check_path(&self.path).err()
    }
}

/// The modules that an environment shows, and what holds them together.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The go.work in force.
    pub go_work: Option<Utf8PathBuf>,
    /// Its text.
    pub work_text: String,
    /// What it says; `None` if it cannot be read.
    pub work: Option<WorkFile>,
    /// The modules whose go.mod can be read.
    pub members: Vec<Member>,
}

impl Layout {
    /// The member that an import path belongs to: the one with the longest path.
    #[must_use]
    pub fn member_of(&self, import: &str) -> Option<&Member> {
        let within = |member: &&Member| {
            let rest = import.strip_prefix(&member.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let fitting = self.members.iter().filter(within);
        fitting.max_by_key(|member| member.path.len())
    }
}

/// What came of one load.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Packages, some of them perhaps with errors.
    Loaded(Arc<Seen>),
    /// Nothing, for these reasons.
    Refused(Vec<String>),
}

/// What a load has seen, as far as it is judged: the packages themselves are many, and environments more than one.
pub struct Seen {
    /// The modules.
    pub modules: Arc<Modules>,
    /// How files were chosen.
    pub context: BuildContext,
    /// The packages that the load names.
    pub roots: Vec<Root>,
    /// All that is wrong, each thing once.
    pub troubles: Vec<Trouble>,
    /// Import paths of all packages by directory, where anything is wrong.
    paths: BTreeMap<String, String>,
    whole: bool,
}

/// A package that a load names.
#[derive(Debug, Clone)]
pub struct Root {
    /// Its import path.
    pub import_path: String,
    /// Its name.
    pub name: String,
    /// Its directory.
    pub dir: String,
    /// It is of the standard library.
    pub standard: bool,
    /// Go files that are built, those with cgo too.
    pub go_files: Vec<String>,
    /// Other files, such as those that are not built on this platform, or test files.
    pub other_files: Vec<String>,
    /// What it imports, tests aside.
    pub imports: Vec<String>,
    /// Embedded files of package and tests.
    pub embed_files: Vec<String>,
    /// Embedded files of external tests.
    pub x_test_embed_files: Vec<String>,
}

impl Root {
    fn of(public: PackagePublic) -> Root {
        let built: Vec<String> = public
            .files
            .go_files
            .iter()
            .chain(&public.files.cgo_files)
            .cloned()
            .collect();
        let others = public
            .all_files()
            .into_iter()
            .filter(|name| !built.iter().any(|known| known == name));
        Root {
            other_files: others.map(str::to_owned).collect(),
            go_files: built,
            import_path: public.import_path,
            name: public.name,
            dir: public.dir,
            standard: public.standard,
            imports: public.imports,
            embed_files: [public.files.embed_files, public.test_embed_files].concat(),
            x_test_embed_files: public.x_test_embed_files,
        }
    }
}

impl Seen {
    /// What is to be judged of a load.
    #[must_use]
    pub fn of(modules: Arc<Modules>, context: BuildContext, mut loaded: Loaded) -> Seen {
        let troubles = package_troubles(&loaded);
        let sound = |id: &PackageId| {
            let public = &loaded.set[*id].public;
            public.error.is_none() && public.deps_errors.is_empty()
        };
        let whole = loaded.roots.iter().all(sound);
        let all = loaded.set.packages.iter().map(|package| &package.public);
        let placed = |public: &PackagePublic| (public.dir.clone(), public.import_path.clone());
        // The first one of a directory is the package itself, the others are its tests.
        let paths = match troubles.is_empty() {
            true => BTreeMap::new(),
            false => all.rev().map(placed).collect(),
        };
        let roots = std::mem::take(&mut loaded.roots);
        let roots = roots
            .into_iter()
            .map(|id| Root::of(std::mem::take(&mut loaded.set[id].public)));
        Seen {
            modules,
            context,
            roots: roots.collect(),
            troubles,
            paths,
            whole,
        }
    }

    /// Whether the packages that the load names load, whatever their tests do.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The import path of the package in a directory, where anything is wrong in this load.
    #[must_use]
    pub fn path_of(&self, dir: &Utf8Path) -> Option<&str> {
        self.paths.get(dir.as_str()).map(String::as_str)
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Seen").finish_non_exhaustive()
    }
}

/// One load in one environment.
#[derive(Debug, Clone)]
pub struct View {
    /// The environment.
    pub environment: Environment,
    /// The module that is loaded alone; empty: the workspace.
    pub module: String,
    /// The platform.
    pub platform: Platform,
    /// What came of it.
    pub outcome: Outcome,
}

/// One thing that is wrong in a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The package, if it is one's.
    pub package: String,
    /// `file:line:col` of the import or file that leads to it, or empty.
    pub at: String,
    /// Who imports it, the outermost first; the last is the package itself.
    pub way: Vec<String>,
    /// go's words.
    pub text: String,
}

impl Trouble {
    fn of(error: &PackageError, package: &str) -> Trouble {
        Trouble {
            package: package.to_owned(),
            at: error.pos.clone(),
            way: error.import_stack.clone(),
            text: in_a_clone(&error.err),
        }
    }

    /// File and line of the place.
    #[must_use]
    pub fn place(&self) -> Option<(&str, usize)> {
        let mut parts = self.at.rsplitn(3, ':');
        let (last, middle, first) = (parts.next()?, parts.next()?, parts.next());
        match first {
            Some(file) => Some((file, middle.parse().ok()?)),
            None => Some((middle, last.parse().ok()?)),
        }
    }
}

impl View {
    /// All that is wrong in it, each thing once.
    #[must_use]
    pub fn troubles(&self) -> Vec<Trouble> {
        match &self.outcome {
            Outcome::Refused(texts) => texts.iter().map(|text| refusal(text)).collect(),
            Outcome::Loaded(seen) => seen.troubles.clone(),
        }
    }

    /// What was seen, if anything could be loaded.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        match &self.outcome {
            Outcome::Loaded(seen) => Some(seen),
            Outcome::Refused(_) => None,
        }
    }
}

fn refusal(text: &str) -> Trouble {
    Trouble {
        package: String::new(),
        at: String::new(),
        way: Vec::new(),
        text: in_a_clone(text),
    }
}

/// What an overlay hides is simply not there in a real clone.
fn in_a_clone(text: &str) -> String {
    text.replace("deleted in overlay", "no such file or directory")
}

fn package_troubles(loaded: &Loaded) -> Vec<Trouble> {
    let mut seen = std::collections::HashSet::new();
    let mut out = Vec::new();
    let mut add = |error: &PackageError, package: &str| {
        if seen.insert((error.pos.clone(), error.err.clone())) {
            out.push(Trouble::of(error, package));
        }
    };
    for id in &loaded.roots {
        let public = &loaded.set[*id].public;
        let own = public.error.iter();
        own.chain(&public.deps_errors)
            .for_each(|error| add(error, &public.import_path));
    }
    for tests in &loaded.tests {
        let parts = [Some(tests.inner), tests.external, Some(tests.main)];
        for id in parts.into_iter().flatten() {
            let set = &loaded.set;
            if !set[id].public.incomplete && set[id].public.error.is_none() {
                continue;
            }
            let path = &set[tests.package].public.import_path;
            for id in set.with_dependencies(&[id]) {
                set[id]
                    .public
                    .error
                    .iter()
                    .for_each(|error| add(error, path));
            }
        }
    }
    out
}

/// A variable of the go command that somebody has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// It stands in the file of `go env -w`, on this line; 0: in the process environment.
    pub line: usize,
}

/// What was found out about one module beside loading its packages. What could not be is left out.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// The module.
    pub module: String,
    /// What `go mod tidy` would make of go.mod and go.sum.
    pub tidy: Option<[Change; 2]>,
    /// Requirements that their authors have something to say of.
    pub told: Vec<ModulePublic>,
    /// Files of its vendor directory that are not as their modules have them.
    pub edited: Vec<Utf8PathBuf>,
    /// Excluded versions of modules that are not in the module graph.
    pub idle_excludes: Vec<ModuleVersion>,
}

/// The Go of a pipeline or an image that is older than this one.
#[derive(Debug, Clone)]
pub struct OlderGo {
    /// Its version: `1.22` or `1.22.3`.
    pub version: String,
    /// Who asks for it.
    pub asked: Asked,
    /// The release of it that what is committed was loaded with; `None` if there is none at hand.
    pub at_hand: Option<String>,
}

/// Everything that is judged.
pub struct World {
    /// The top: of the repository, else of the workspace or module.
    pub root: Utf8PathBuf,
    /// The working directory, which relative paths in go's words start from.
    pub cwd: Utf8PathBuf,
    /// Files as they are here.
    pub files: Files,
    /// Files as they are committed; the same as `files` where there is no repository.
    pub committed: Files,
    /// The repository, if there is one with a commit.
    pub repository: Option<Repository>,
    /// The modules as they are here.
    pub here: Layout,
    /// The modules as they are committed.
    pub there: Layout,
    /// All loads.
    pub views: Vec<View>,
    /// What is set on this machine.
    pub settings: Vec<Setting>,
    /// The file of `go env -w`.
    pub env_file: Option<Utf8PathBuf>,
    /// The version of the toolchain that everything was loaded with, such as `1.26.8`.
    pub go: String,
    /// What pipelines and images ask for.
    pub asked: Vec<Asked>,
    /// The oldest Go that builds in them, if it is older than this one.
    pub older: Option<OlderGo>,
    /// Tests count, and what they read.
    pub tests: bool,
    /// Others fetch a newer toolchain where one is needed: GOTOOLCHAIN allows it where nobody has set it.
    pub others_switch: bool,
    /// A setting of this machine without which the tree does not load, although it does with it.
    pub healing: Option<Setting>,
    /// Whoever has modules could be asked for them.
    pub asks: bool,
    /// What was found out about modules beside loading their packages.
    pub probes: Vec<Probe>,
    /// Where the module cache is.
    pub mod_cache: Utf8PathBuf,
}

impl World {
    /// Whether any of the modules can be required by another one.
    #[must_use]
    pub fn is_importable(&self) -> bool {
        let members = &self.there.members;
        members.is_empty() || members.iter().any(|member| member.refusal().is_none())
    }

    /// A path as findings name it: from the root if it lies below.
    #[must_use]
    pub fn shown(&self, path: &Utf8Path) -> String {
        let path = steady_system::clean(&self.cwd.join(path));
        match path.strip_prefix(&self.root) {
            Ok(rest) if rest.as_str().is_empty() => ".".to_owned(),
            Ok(rest) => rest.to_string(),
            Err(_) => path.to_string(),
        }
    }

    /// The older Go that an environment was loaded with.
    #[must_use]
    pub fn older_in(&self, environment: Environment) -> Option<&OlderGo> {
        let older = self.older.as_ref().filter(|older| older.at_hand.is_some());
        older.filter(|_| environment == Environment::Ci)
    }

    /// A command that builds a package of a module (empty: of the workspace) as CI does.
    #[must_use]
    pub fn in_a_clone(&self, module: &str, package: &str) -> String {
        let older = self.older_in(Environment::Ci);
        let older = older.and_then(|older| older.at_hand.as_deref());
        let older = older.map_or_else(String::new, |version| format!("GOTOOLCHAIN=go{version} "));
        let alone = if module.is_empty() { "" } else { "GOWORK=off " };
        format!("git clone . DIR && cd DIR && {older}{alone}go build {package}")
    }

    /// The views of an environment.
    pub fn views_of(&self, environment: Environment) -> impl Iterator<Item = &View> {
        self.views
            .iter()
            .filter(move |view| view.environment == environment)
    }

    /// The modules that an environment shows.
    #[must_use]
    pub fn layout(&self, environment: Environment) -> &Layout {
        match environment {
            Environment::Here => &self.here,
            _ => &self.there,
        }
    }

    /// The files that an environment shows.
    #[must_use]
    pub fn files_of(&self, environment: Environment) -> &Files {
        match environment {
            Environment::Here => &self.files,
            _ => &self.committed,
        }
    }

    /// The number of the first line of a file (as it is here) that fits, and the line.
    #[must_use]
    pub fn line_of(&self, file: &Utf8Path, fits: impl Fn(&str) -> bool) -> Option<(usize, String)> {
        let text = self.files.read_to_string(file).ok()?;
        let mut lines = text.lines().enumerate();
        lines
            .find(|(_, line)| fits(line))
            .map(|(at, line)| (at + 1, line.trim().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_troubles() {
        let mut trouble = refusal("x");
        assert_eq!(trouble.place(), None);
        trouble.at = "a/b.go:3:7".into();
        assert_eq!(trouble.place(), Some(("a/b.go", 3)));
        trouble.at = "/x/b.go:3".into();
        assert_eq!(trouble.place(), Some(("/x/b.go", 3)));
    }
}

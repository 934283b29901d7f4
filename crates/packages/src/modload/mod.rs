//! The module loader: which module gives each package, and which versions of modules are in use.
//!
//! [`Modules::open`] finds go.mod or go.work and reads them; [`Modules::resolve`] says where an import path comes from;
//! [`Modules::graph`] is the module graph, read only when an import is not found in the modules that go.mod names: with pruning,
//! most runs never read a dependency's go.mod.
//!
//! What requires what is a value of its own ([`Reqs`]): whoever changes requirements works out another one first.

mod agree;
mod commit;
mod compat;
mod conflict;
mod edit;
mod error;
mod find;
mod get;
mod import;
mod import_error;
mod info;
mod list;
mod matching;
mod members;
mod neighbours;
mod open;
mod outside;
mod packages;
mod query;
mod remembered;
mod reqs;
mod roots;
mod rules;
mod settle;
mod sync;
mod tidied;
mod tidy;
mod vendor;
mod why;
mod workspace;

pub use commit::CommitOptions;
pub use compat::Incompatible;
pub use conflict::Conflict;
pub use error::{ModError, NotInModule, ReplaceConflict, TooNew, short_message};
pub use find::{find_go_mod, find_go_work};
pub use get::{GetOptions, Got};
pub use import::Resolved;
pub use import_error::{Ambiguous, ImportError, Importer, Missing, MissingSum};
pub use list::{Details, Reuse};
pub use members::{MemberEdge, MemberGraph};
pub use neighbours::Neighbours;
pub use outside::Outside;
pub use packages::{ModulePackages, Node, PackageOptions};
pub use query::{Allowed, Found, FoundPackages, is_revision_query};
pub use reqs::{ModuleGraph, Reqs};
pub use rules::{Asker, Place, ReplaceLine};
pub use sync::Synced;
pub use tidied::TidyKey;
pub use tidy::{Change, Tidy, TidyOptions};
pub use vendor::VendorPlan;
pub use workspace::directory_path;

use crate::index::Index;
use crate::patterns::IgnorePatterns;
use crate::prebuilt::Prebuilt;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, RwLock};
use steady_graph::Summary;
use steady_module::ModuleVersion;
use steady_module::modfile::{ModFile, Replace, WorkFile};
use steady_module::modules_txt::ModulesTxt;
use steady_proxy::Fetcher;
use steady_system::Files;

/// Result with [`ModError`].
pub type Result<T, E = ModError> = std::result::Result<T, E>;

/// What the loader must know before it looks at files.
#[derive(Debug, Clone, Default)]
pub struct ModConfig {
    /// Where the run takes place.
    pub cwd: Utf8PathBuf,
    /// GOROOT.
    pub goroot: Utf8PathBuf,
    /// GO111MODULE as set; empty means `on`.
    pub go111module: String,
    /// GOWORK as set: empty, `off`, or a file.
    pub gowork: String,
    /// `-mod` as given, empty if not.
    pub mod_flag: String,
    /// What it means when it is not given; `None`: go's rule, by the `go` line and the vendor directory. `Mod` for commands that bring
    /// files up to date, and for those that help to find out what is wrong with them.
    pub default_mode: Option<ModMode>,
    /// `-modfile`, empty if not given.
    pub modfile: String,
    /// The Go version that this run acts as, such as `1.26.8`.
    pub go_version: String,
    /// Explanation for "requires go >=" errors, such as `; GOTOOLCHAIN=local`.
    pub toolchain_explain: String,
    /// The command mends go.work (`work use`, `work sync`): it may list an older Go than its members ask for.
    pub mends_work: bool,
    /// go.work is looked for (commands about one module say no).
    pub workspace: bool,
    /// Graphs are read anew, whatever is remembered.
    pub from_nothing: bool,
    /// `get -v`: each step of an edit of requirements is told.
    pub tells_edits: bool,
    /// `-locked`: go.mod may not change.
    pub locked: bool,
    /// The module in this directory is the main module, wherever the run takes place.
    pub main_dir: Option<Utf8PathBuf>,
    /// Other members of the workspace, for commands that work on one of them at a time.
    pub neighbours: Option<Arc<Neighbours>>,
    /// `./...` at the root of a workspace, where there is no module, means every member's packages.
    pub members_below: bool,
    /// No main module at all, whatever is there (`run pkg@version`).
    pub no_main_module: bool,
    /// GOFIPS140 names a snapshot of the FIPS 140 module, which stands for the toolchain's own.
    pub snapshot: Option<FipsSnapshot>,
    /// The compiler brings its own standard library, which stands for the sources in GOROOT.
    pub prebuilt: Option<Arc<Prebuilt>>,
}

/// Import path of the FIPS 140 module's packages in the standard library.
const FIPS140: &str = "crypto/internal/fips140";

/// A snapshot of the FIPS 140 module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FipsSnapshot {
    /// Its version, such as `v1.0.0`.
    pub version: String,
    /// The directory with one subdirectory of that name.
    pub dir: Utf8PathBuf,
}

impl FipsSnapshot {
    /// The path under which an import of the FIPS 140 module is compiled, and its directory; `None` for other imports.
    #[must_use]
    pub fn resolve(&self, import: &str) -> Option<(String, Utf8PathBuf)> {
        let rest = import.strip_prefix(FIPS140)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let own = rest
            .strip_prefix('/')
            .and_then(|rest| rest.strip_prefix(self.version.as_str()))
            .filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let below = own.unwrap_or(rest);
        let path = format!("{FIPS140}/{}{below}", self.version);
        let dir = Utf8PathBuf::from(format!("{}/{}{below}", self.dir, self.version));
        Some((path, dir))
    }

    /// The directory of the standard library that the snapshot takes the place of.
    #[must_use]
    pub fn place(goroot: &Utf8Path) -> Utf8PathBuf {
        goroot.join("src").join(FIPS140)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots() {
        let snapshot = FipsSnapshot {
            version: "v1.2.0".into(),
            dir: "/m/fips140".into(),
        };
        let resolve = |import| {
            let (path, dir) = snapshot.resolve(import)?;
            Some((path, dir.into_string()))
        };
        let sha = Some((
            "crypto/internal/fips140/v1.2.0/sha256".to_string(),
            "/m/fips140/v1.2.0/sha256".to_string(),
        ));
        assert_eq!(resolve("crypto/internal/fips140/sha256"), sha);
        assert_eq!(resolve("crypto/internal/fips140/v1.2.0/sha256"), sha);
        assert_eq!(resolve("crypto/internal/fips140only"), None);
        assert_eq!(
            resolve("crypto/internal/fips140").map(|(path, _)| path),
            Some("crypto/internal/fips140/v1.2.0".into())
        );
    }
}

/// What `-mod` means in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModMode {
    /// Nothing may change.
    ReadOnly,
    /// Packages come from the vendor directory.
    Vendor,
    /// go.mod may be brought up to date.
    Mod,
}

/// One main module.
#[derive(Debug, Clone)]
pub struct MainModule {
    /// Its path; `command-line-arguments` if it has none.
    pub path: String,
    /// Its directory.
    pub dir: Utf8PathBuf,
    /// Its go.mod (or the file of `-modfile`).
    pub go_mod: Utf8PathBuf,
    /// Its text as it was read.
    pub text: Arc<str>,
    /// What go.mod says.
    pub file: ModFile,
    /// A version in it had to be looked up: go.mod is to change as soon as it may.
    pub needs_fix: bool,
    /// Directories that patterns pass over.
    pub ignore: IgnorePatterns,
}

impl MainModule {
    /// The version of its `go` line, or what go means by none.
    #[must_use]
    pub fn go_version(&self) -> &str {
        self.file
            .go
            .as_ref()
            .map_or(steady_module::gover::DEFAULT_GO_MOD_VERSION, |go| &go.value)
    }
}

/// A vendor directory in use.
#[derive(Debug)]
struct Vendor {
    dir: Utf8PathBuf,
    txt: ModulesTxt,
}

/// The modules of a run.
pub struct Modules {
    config: ModConfig,
    files: Files,
    index: Arc<Index>,
    fetcher: Arc<Fetcher>,
    mains: Vec<MainModule>,
    work: Option<(Utf8PathBuf, WorkFile)>,
    mode: ModMode,
    mode_reason: String,
    reqs: RwLock<Arc<Reqs>>,
    replace: HashMap<ModuleVersion, ReplaceBy>,
    exclude: HashSet<ModuleVersion>,
    vendor: Option<Vendor>,
    summaries: Mutex<HashMap<ModuleVersion, Arc<Summary>>>,
    dirs: Mutex<HashMap<ModuleVersion, Result<ModuleDir>>>,
    /// The go.mod files that speak for all versions of their modules.
    newest: Mutex<HashMap<String, Result<Arc<ModFile>>>>,
    has_dirs: Mutex<HashMap<Utf8PathBuf, bool>>,
    /// Packages that were looked for everywhere, in vain.
    failed: Mutex<HashMap<String, ImportError>>,
}

/// What a module is replaced by, and the directory that relative paths start from: in a workspace always that of go.work.
#[derive(Debug, Clone)]
struct ReplaceBy {
    replace: Replace,
    base: Utf8PathBuf,
    /// As it stands in `file`.
    written: ModuleVersion,
    file: Utf8PathBuf,
}

/// Where a module's files are.
#[derive(Debug, Clone)]
struct ModuleDir {
    dir: Utf8PathBuf,
    /// The module is in the module cache, or a main module, or a replacement.
    local: bool,
}

impl Modules {
    /// Module mode: false means GOPATH mode.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.config.go111module != "off"
    }

    /// The main modules; several in a workspace, none outside modules.
    #[must_use]
    pub fn mains(&self) -> &[MainModule] {
        &self.mains
    }

    /// The go.work in use.
    #[must_use]
    pub fn go_work(&self) -> Option<&Utf8Path> {
        self.work.as_ref().map(|(path, _)| path.as_path())
    }

    /// What go.work says.
    #[must_use]
    pub fn work_file(&self) -> Option<&WorkFile> {
        self.work.as_ref().map(|(_, file)| file)
    }

    /// What `-mod` means in this run.
    #[must_use]
    pub fn mode(&self) -> ModMode {
        self.mode
    }

    /// The vendor directory in use.
    #[must_use]
    pub fn vendor_dir(&self) -> Option<&Utf8Path> {
        self.vendor.as_ref().map(|vendor| vendor.dir.as_path())
    }

    /// Where modules come from.
    #[must_use]
    pub fn fetcher(&self) -> &Arc<Fetcher> {
        &self.fetcher
    }

    /// The index that directories are read through.
    #[must_use]
    pub fn index(&self) -> &Arc<Index> {
        &self.index
    }

    /// What this was opened with.
    #[must_use]
    pub fn config(&self) -> &ModConfig {
        &self.config
    }

    /// The main module with this path.
    #[must_use]
    pub fn main(&self, path: &str) -> Option<&MainModule> {
        self.mains.iter().find(|main| main.path == path)
    }

    /// Whether go.mod has no `// indirect` for this module.
    #[must_use]
    pub fn is_direct(&self, path: &str) -> bool {
        self.reqs().direct.contains(path)
    }

    /// What stands in for a module version, if anything does.
    #[must_use]
    pub fn replacement(&self, module: &ModuleVersion) -> Option<&ModuleVersion> {
        self.replaced_by(module).map(|by| &by.replace.new)
    }

    /// The newest version of a module that a `replace` names; one made up if all are replaced.
    pub(crate) fn newest_replaced(&self, path: &str) -> Option<ModuleVersion> {
        let versions = self.replace.keys().filter(|old| old.path == path);
        let newest = versions.map(|old| old.version.as_str()).max_by(|a, b| {
            match (a.is_empty(), b.is_empty()) {
                (false, false) => steady_module::gover::mod_compare(path, a, b),
                (a, b) => b.cmp(&a),
            }
        })?;
        let version = if newest.is_empty() {
            let major = steady_module::path::split_path_version(path)
                .map_or("", |(_, major)| major.get(1..).unwrap_or_default());
            steady_module::pseudo::zero_pseudo_version(if major.is_empty() { "v0" } else { major })
        } else {
            newest.to_string()
        };
        Some(ModuleVersion::new(path, version))
    }

    /// The directory of a main module, unless the working directory is in it.
    #[must_use]
    pub fn elsewhere(&self, main: &str) -> Option<Utf8PathBuf> {
        let cwd = &self.config.cwd;
        let inside = self
            .mains
            .iter()
            .filter(|main| cwd.starts_with(&main.dir))
            .max_by_key(|main| main.dir.as_str().len());
        let main = self.main(main)?;
        (inside.map(|inside| &inside.path) != Some(&main.path)).then(|| main.dir.clone())
    }

    /// Modules that a directory stands in for: what is replaced, the directory, and the file that says so. By directory, each one once.
    #[must_use]
    pub fn replaced_dirs(&self) -> Vec<(ModuleVersion, Utf8PathBuf, Utf8PathBuf)> {
        let local = self.replace.values().filter(|by| {
            by.replace.new.version.is_empty() && self.main(&by.replace.old.path).is_none()
        });
        let mut dirs: Vec<_> = local
            .map(|by| {
                let dir = steady_system::clean(&by.base.join(&by.replace.new.path));
                (by.replace.old.clone(), dir, by.file.clone())
            })
            .collect();
        dirs.sort_unstable_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
        dirs.dedup_by(|a, b| a.1 == b.1);
        dirs
    }

    fn replaced_by(&self, module: &ModuleVersion) -> Option<&ReplaceBy> {
        if module.version.is_empty() && self.main(&module.path).is_some() {
            return None;
        }
        self.replace.get(module).or_else(|| {
            self.replace
                .get(&ModuleVersion::new(module.path.clone(), ""))
        })
    }

    /// The version selected for a path, reading the module graph if that is needed.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn selected(&self, path: &str) -> Result<Option<ModuleVersion>> {
        if self.main(path).is_some() {
            return Ok(Some(ModuleVersion::new(path, "")));
        }
        if let Some(vendor) = &self.vendor {
            return Ok(self.selected_in_vendor(&vendor.txt, path));
        }
        let reqs = self.reqs();
        let version = match reqs.root(path) {
            // With pruning a consistent go.mod names what is selected.
            Some(version) if reqs.pruning == steady_graph::Pruning::Pruned => {
                Some(version.to_string())
            }
            _ => self.graph()?.selected(path).map(str::to_string),
        };
        Ok(version
            .filter(|version| version != "none")
            .map(|version| ModuleVersion::new(path, version)))
    }

    /// The selected version of every module: main modules first, the rest by path.
    ///
    /// # Errors
    /// The graph cannot be read.
    pub fn build_list(&self) -> Result<Vec<ModuleVersion>> {
        let mut list = self.graph()?.build_list();
        list.retain(|module| !steady_module::gover::is_toolchain(&module.path));
        Ok(list)
    }
}

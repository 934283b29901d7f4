//! The front door: memory, disk, proxies, version control, in this order; each thing fetched once.

use camino::Utf8PathBuf;
use std::collections::HashSet;
use std::sync::Arc;

use steady_module::ModuleVersion;
use steady_system::{Environment, Files};

use crate::{Config, Direct, Observer, Repo, Result, RevInfo, Versions};

/// Fetches modules and remembers what it has fetched. Shared by reference between threads.
pub struct Fetcher {
    config: Config,
}

/// The go.sum files of a run.
#[derive(Clone, Debug, Default)]
pub struct SumFiles {
    /// The file that is read and written: go.sum, go.work.sum, or the one beside `-modfile`. None: no sums are kept, the checksum
    /// database decides alone.
    pub main: Option<Utf8PathBuf>,
    /// go.sum of every workspace member: read, never written.
    pub workspace: Vec<Utf8PathBuf>,
}

impl Fetcher {
    /// A fetcher with nothing in memory. Touches neither disk nor network.
    pub fn new(
        _config: Config,
        _environment: Environment,
        _files: Files,
        _observer: Arc<dyn Observer>,
    ) -> Fetcher {
        todo!()
    }

    /// Gives the fetcher its way to version control.
    #[must_use]
    pub fn with_direct(self, _direct: Arc<dyn Direct>) -> Fetcher {
        todo!()
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Sets the go.sum files, forgetting what was read from others.
    pub fn set_sum_files(&self, _files: SumFiles) {
        todo!()
    }

    /// Calls `ask` with each entry of GOPROXY (URL, `direct`, `noproxy`, `off`) until one succeeds or falls back no further, and
    /// gives the most helpful error otherwise, as go chooses it. Only `off` and an unusable list are errors of its own.
    pub fn try_proxies<T>(&self, _ask: impl FnMut(&str) -> Result<T>) -> Result<T> {
        todo!()
    }

    /// A module seen through one entry of GOPROXY, with memory and disk caches in front. `go` and `toolchain` are the virtual
    /// modules whose versions are Go releases. Errors come from the repository's methods.
    pub fn lookup(&self, _proxy: &str, _path: &str) -> Arc<dyn Repo> {
        todo!()
    }

    /// The module in a local repository (for build stamping), see [`Direct::lookup_local`].
    pub fn lookup_local(
        &self,
        _code_root: &str,
        _path: &str,
        _dir: &camino::Utf8Path,
    ) -> Result<Arc<dyn Repo>> {
        todo!()
    }

    /// What a revision of a module is, from the first proxy that knows.
    pub fn stat(&self, _path: &str, _rev: &str) -> Result<RevInfo> {
        todo!()
    }

    /// The tagged versions of a module with a prefix, from the first proxy that knows.
    pub fn versions(&self, _path: &str, _prefix: &str) -> Result<Versions> {
        todo!()
    }

    /// The newest revision of a module without tags, from the first proxy that knows.
    pub fn latest(&self, _path: &str) -> Result<RevInfo> {
        todo!()
    }

    /// The go.mod of a version (or, slower, of any revision), checked against the sums.
    pub fn go_mod(&self, _path: &str, _version: &str) -> Result<Arc<[u8]>> {
        todo!()
    }

    /// The `.info` of a version and the cache file that holds it.
    pub fn info_file(&self, _path: &str, _version: &str) -> Result<(RevInfo, Utf8PathBuf)> {
        todo!()
    }

    /// The cache file that holds the go.mod of a version.
    pub fn go_mod_file(&self, _path: &str, _version: &str) -> Result<Utf8PathBuf> {
        todo!()
    }

    /// The `h1:` sum of a version's go.mod.
    pub fn go_mod_sum(&self, _path: &str, _version: &str) -> Result<String> {
        todo!()
    }

    /// The directory with the extracted files of a version, fetching, verifying and extracting it if need be.
    pub fn download(&self, _module: &ModuleVersion) -> Result<Utf8PathBuf> {
        todo!()
    }

    /// Several modules at a time, in parallel; answers in the order of the question.
    pub fn download_many(&self, _modules: &[ModuleVersion]) -> Vec<Result<Utf8PathBuf>> {
        todo!()
    }

    /// Several go.mod files at a time, in parallel; answers in the order of the question.
    pub fn go_mod_many(&self, _modules: &[ModuleVersion]) -> Vec<Result<Arc<[u8]>>> {
        todo!()
    }

    /// The verified zip of a version in the cache, fetching it if need be.
    pub fn download_zip(&self, _module: &ModuleVersion) -> Result<Utf8PathBuf> {
        todo!()
    }

    /// The directory a version is (or would be) extracted to; [`Error::is_not_exist`](crate::Error::is_not_exist) with
    /// [`Kind::Partial`](crate::Kind::Partial) if it is not complete. Never fetches.
    pub fn download_dir(&self, _module: &ModuleVersion) -> Result<Utf8PathBuf> {
        todo!()
    }

    /// The file of a version in the download cache: `info`, `mod`, `zip`, `ziphash`, `lock`, `partial`.
    pub fn cache_path(&self, _module: &ModuleVersion, _suffix: &str) -> Result<Utf8PathBuf> {
        todo!()
    }

    /// The `h1:` sum of a version's zip as recorded in the cache at verification.
    pub fn sum(&self, _module: &ModuleVersion) -> Option<String> {
        todo!()
    }

    /// Whether go.sum has a sum for a version (with `/go.mod` at its end: for its go.mod).
    pub fn have_sum(&self, _module: &ModuleVersion) -> bool {
        todo!()
    }

    /// The one sum go.sum has for a version; `None` if there is none or two that differ.
    pub fn recorded_sum(&self, _module: &ModuleVersion) -> Option<String> {
        todo!()
    }

    /// Writes go.sum if sums were added that `keep` names (with and without `/go.mod`).
    pub fn write_go_sum(&self, _keep: &HashSet<ModuleVersion>, _read_only: bool) -> Result<()> {
        todo!()
    }

    /// Marks what `keep` does not name for removal by the next [`Fetcher::write_go_sum`].
    pub fn trim_go_sum(&self, _keep: &HashSet<ModuleVersion>) -> Result<()> {
        todo!()
    }

    /// go.sum as it is and as it would be written.
    pub fn tidy_go_sum(&self, _keep: &HashSet<ModuleVersion>) -> Result<(Vec<u8>, Vec<u8>)> {
        todo!()
    }
}

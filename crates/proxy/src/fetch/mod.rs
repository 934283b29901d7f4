//! The front door: memory, disk, proxies, version control, in this order; each thing fetched once.

mod cached;
mod described;
mod download;
mod restore;
mod shared;
mod sink;

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashSet;
use std::sync::Arc;

use steady_module::{ModuleVersion, gover};
use steady_system::{Environment, Files, parallel};

use crate::once::OnceMap;
use crate::{
    Config, Direct, Error, KnownSums, Observer, Repo, Result, RevInfo, SumFiles, Vcs, Versions,
    goproxy,
};
use cached::CachedRepo;
pub use described::Described;
use download::Obtained;
pub use restore::Damage;
use shared::Shared;

/// Fetches modules and remembers what it has fetched. Shared by reference between threads.
pub struct Fetcher {
    shared: Arc<Shared>,
    direct: Arc<dyn Direct>,
    repos: OnceMap<(String, String), Arc<CachedRepo>>,
    zips: OnceMap<ModuleVersion, Result<Obtained>>,
    dirs: OnceMap<ModuleVersion, Result<Utf8PathBuf>>,
}

impl Fetcher {
    /// A fetcher with nothing in memory. Touches neither disk nor network.
    pub fn new(
        config: Config,
        environment: Environment,
        files: Files,
        observer: Arc<dyn Observer>,
    ) -> Fetcher {
        let shared = Shared::new(config, environment.clone(), files, Arc::clone(&observer));
        let client = Arc::clone(&shared.client);
        Fetcher {
            direct: Arc::new(Vcs::new(&shared.config, &environment, client, observer)),
            shared: Arc::new(shared),
            repos: OnceMap::default(),
            zips: OnceMap::default(),
            dirs: OnceMap::default(),
        }
    }

    /// Another way to version control than that of [`Vcs`].
    #[must_use]
    pub fn with_direct(mut self, direct: Arc<dyn Direct>) -> Fetcher {
        self.direct = direct;
        self
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The HTTP client, for whoever else needs the same connections, credentials and limits.
    pub fn client(&self) -> Arc<crate::http::Client> {
        Arc::clone(&self.shared.client)
    }

    /// Sets the go.sum files, forgetting what was read from others. To be called before the first thing is fetched: what was
    /// checked against other files is not checked again.
    pub fn set_sum_files(&self, files: SumFiles) {
        self.shared.set_sum_files(files);
    }

    /// The sums of the go.sum files, and those that the checksum database vouched for since they were read.
    ///
    /// # Errors
    /// A go.sum file cannot be read.
    pub fn known_sums(&self) -> Result<KnownSums> {
        self.shared.sums().known_sums(&self.shared.files)
    }

    /// Takes sums that go.sum lacks for true without asking the checksum database: another look at modules found them so.
    pub fn trust(&self, sums: Arc<KnownSums>) {
        self.shared.trust(sums);
    }

    /// Does a task that sets other go.sum files, and goes back to those that were set.
    pub fn with_sums_aside<T>(&self, task: impl FnOnce() -> T) -> T {
        let own = std::mem::take(&mut *self.shared.sums());
        let done = task();
        *self.shared.sums() = own;
        done
    }

    /// Calls `ask` with each entry of GOPROXY (URL, `direct`, `noproxy`, `off`) until one succeeds or falls back no further, and
    /// gives the most helpful error otherwise, as go chooses it.
    pub fn try_proxies<T>(&self, ask: impl FnMut(&str) -> Result<T>) -> Result<T> {
        goproxy::walk(self.shared.proxies()?, ask)
    }

    /// A module seen through one entry of GOPROXY, with memory and disk caches in front. `go` and `toolchain` are the virtual
    /// modules whose versions are Go releases. Errors come from the repository's methods.
    pub fn lookup(&self, proxy: &str, path: &str) -> Arc<dyn Repo> {
        self.cached(proxy, path)
    }

    fn cached(&self, proxy: &str, path: &str) -> Arc<CachedRepo> {
        // Made before its key is held: the virtual modules look up the real one behind them.
        let behind =
            gover::is_toolchain(path).then(|| self.cached(proxy, crate::toolchain_repo::MODULE));
        self.repos.get_or((proxy.to_owned(), path.to_owned()), || {
            let behind = behind.map(|repo| repo as Arc<dyn Repo>);
            Arc::new(CachedRepo::new(
                Arc::clone(&self.shared),
                Arc::clone(&self.direct),
                proxy,
                path,
                behind,
            ))
        })
    }

    /// The module in a local repository (for build stamping), see [`Direct::lookup_local`].
    pub fn lookup_local(
        &self,
        code_root: &str,
        path: &str,
        dir: &Utf8Path,
    ) -> Result<Arc<dyn Repo>> {
        self.direct.lookup_local(code_root, path, dir)
    }

    /// What a revision of a module is, from the first proxy that knows.
    pub fn stat(&self, path: &str, rev: &str) -> Result<RevInfo> {
        self.try_proxies(|proxy| self.cached(proxy, path).stat(rev))
    }

    /// The tagged versions of a module with a prefix, from the first proxy that knows.
    pub fn versions(&self, path: &str, prefix: &str) -> Result<Versions> {
        self.try_proxies(|proxy| self.cached(proxy, path).versions(prefix))
    }

    /// The newest revision of a module without tags, from the first proxy that knows.
    pub fn latest(&self, path: &str) -> Result<RevInfo> {
        self.try_proxies(|proxy| self.cached(proxy, path).latest())
    }

    /// The go.mod of a version (or, slower, of any revision), checked against the sums.
    pub fn go_mod(&self, path: &str, version: &str) -> Result<Arc<[u8]>> {
        let mut version = version.to_owned();
        if !gover::mod_is_valid(path, &version) {
            version = match self.shared.read_info(path, &version) {
                Some(info) => info.version,
                None => self.stat(path, &version)?.version,
            };
        }
        match self.shared.read_go_mod(path, &version) {
            Ok(Some(bytes)) => return Ok(bytes),
            // Not there, or damaged.
            Ok(None) => {}
            Err(error) if error.is_security() => {}
            Err(error) => return Err(error),
        }
        self.try_proxies(|proxy| self.cached(proxy, path).go_mod_shared(&version))
    }

    /// The `.info` of a version and the cache file that holds it.
    pub fn info_file(&self, path: &str, version: &str) -> Result<(RevInfo, Utf8PathBuf)> {
        self.valid(path, version)?;
        let info = match self.shared.read_info(path, version) {
            Some(info) => info,
            None => self.stat(path, version)?,
        };
        Ok((
            info,
            self.cache_path(&ModuleVersion::new(path, version), "info")?,
        ))
    }

    /// The cache file that holds the go.mod of a version.
    pub fn go_mod_file(&self, path: &str, version: &str) -> Result<Utf8PathBuf> {
        self.valid(path, version)?;
        self.go_mod(path, version)?;
        self.cache_path(&ModuleVersion::new(path, version), "mod")
    }

    /// The `h1:` sum of a version's go.mod.
    pub fn go_mod_sum(&self, path: &str, version: &str) -> Result<String> {
        self.valid(path, version)?;
        Ok(shared::go_mod_sum(&self.go_mod(path, version)?))
    }

    fn valid(&self, path: &str, version: &str) -> Result<()> {
        if gover::mod_is_valid(path, version) {
            return Ok(());
        }
        Err(Error::other(format!("invalid version {version:?}")))
    }

    /// The directory with the extracted files of a version, fetching, verifying and extracting it if need be.
    pub fn download(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        self.dirs
            .get_or(module.clone(), || self.download_dir_and_check(module))
    }

    /// The directory with the files of a module whose zip a Go distribution brings, unpacked if need be.
    ///
    /// # Errors
    /// It cannot be read or unpacked.
    pub fn unpack_given(&self, module: &ModuleVersion, zip: &Utf8Path) -> Result<Utf8PathBuf> {
        self.dirs
            .get_or(module.clone(), || self.unpack_zip(module, zip))
    }

    /// Several modules at a time, in parallel; answers in the order of the question.
    pub fn download_many(&self, modules: &[ModuleVersion]) -> Vec<Result<Utf8PathBuf>> {
        parallel::map(modules, self.config().limits.parallel, |module| {
            self.download(module)
        })
    }

    /// Several go.mod files at a time, in parallel; answers in the order of the question.
    pub fn go_mod_many(&self, modules: &[ModuleVersion]) -> Vec<Result<Arc<[u8]>>> {
        parallel::map(modules, self.config().limits.parallel, |module| {
            self.go_mod(&module.path, &module.version)
        })
    }

    /// The verified zip of a version in the cache, fetching it if need be.
    pub fn download_zip(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        self.zips
            .get_or(module.clone(), || self.obtain(module, false))
            .map(|obtained| obtained.zip)
    }

    /// The directory a version is extracted to; [`Error::is_not_exist`] if it is not there or not complete. Never fetches.
    pub fn download_dir(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        self.shared.cache.complete_dir(module)
    }

    /// The directory a version is, or would be, extracted to. Never looks.
    pub fn extracted_path(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        self.shared.cache.extracted_dir(module)
    }

    /// The file of a version in the download cache: `info`, `mod`, `zip`, `ziphash`, `lock`, `partial`.
    pub fn cache_path(&self, module: &ModuleVersion, suffix: &str) -> Result<Utf8PathBuf> {
        self.shared.cache.path(module, suffix)
    }

    /// The `h1:` sum of a version's zip as recorded in the cache at verification.
    pub fn sum(&self, module: &ModuleVersion) -> Option<String> {
        self.shared.cache.read_ziphash(module).ok()?
    }

    /// The lock that go commands of old take while they write go.mod and go.sum; not getting it is no reason to stop.
    pub fn side_lock(&self) -> Option<steady_system::lock::LockedFile> {
        self.shared.cache.side_lock().ok()
    }

    /// What is wrong with go.sum itself, if anything is.
    pub fn go_sum_error(&self) -> Option<Error> {
        self.shared.sums().error(&self.shared.files)
    }

    /// Tells the user something, as go does after `go: `.
    pub fn warn(&self, text: &str) {
        self.shared.observer.warn(&format!("go: {text}"));
    }

    /// Tells the user something just as it stands.
    pub fn note(&self, text: &str) {
        self.shared.observer.warn(text);
    }

    /// Whether go.sum has a sum for a version (with `/go.mod` at its end: for its go.mod).
    pub fn have_sum(&self, module: &ModuleVersion) -> bool {
        self.shared.sums().have(&self.shared.files, module)
    }

    /// The one sum go.sum has for a version; `None` if there is none or two that differ.
    pub fn recorded_sum(&self, module: &ModuleVersion) -> Option<String> {
        self.shared.sums().recorded(&self.shared.files, module)
    }

    /// SHA-256 over the texts of the go.sum files, as long as they hold every sum of this run; `None` otherwise, or without any.
    pub fn sums_digest(&self) -> Option<[u8; 32]> {
        self.shared.sums().digest(&self.shared.files).ok()?
    }

    /// Whether sums were looked up that go.sum does not have: only then is it worth working out what to keep.
    pub fn has_new_sums(&self) -> bool {
        self.shared.sums().has_new()
    }

    /// Writes go.sum if sums were added that `keep` names (with and without `/go.mod`).
    ///
    /// # Errors
    /// [`Kind::GoSumDirty`](crate::Kind::GoSumDirty) if it would have to be written and `read_only` forbids it.
    pub fn write_go_sum(&self, keep: &HashSet<ModuleVersion>, read_only: bool) -> Result<()> {
        let mut sums = self.shared.sums();
        if !sums.is_dirty(keep) {
            return Ok(());
        }
        if read_only {
            return Err(crate::Kind::GoSumDirty.into());
        }
        // Only old go commands look at this lock, so not getting it is no reason to stop.
        let _side = self.shared.cache.side_lock();
        sums.write(&self.shared.files, keep)
    }

    /// Marks what `keep` does not name for removal by the next [`Fetcher::write_go_sum`].
    pub fn trim_go_sum(&self, keep: &HashSet<ModuleVersion>) -> Result<()> {
        self.shared.sums().trim(&self.shared.files, keep)
    }

    /// go.sum as it is and as it would be written.
    pub fn tidy_go_sum(&self, keep: &HashSet<ModuleVersion>) -> Result<(Vec<u8>, Vec<u8>)> {
        self.shared.sums().tidy(&self.shared.files, keep)
    }

    /// The `h1:` sums that the checksum database has for a version (with `/go.mod` at its end: for its go.mod), whatever go.sum says;
    /// `None` if the settings keep the module out of that.
    ///
    /// # Errors
    /// The database cannot be asked, does not know the module, or contradicts itself.
    pub fn database_sums(&self, module: &ModuleVersion) -> Result<Option<Vec<String>>> {
        self.shared.database_sums(module)
    }

    /// Holds a computed sum against go.sum and the checksum database, as for a download.
    pub fn check_sum(&self, module: &ModuleVersion, sum: &str) -> Result<()> {
        self.shared.check_sum(module, sum)
    }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod network_tests;
#[cfg(test)]
pub(crate) mod tests;

//! What a fetcher's repositories share: settings, client, disk cache, sums.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use camino::Utf8Path;
use ring::digest::{SHA256, digest};
use steady_module::{ModuleVersion, gover};
use steady_system::{Environment, Files};

use crate::cache::Cache;
use crate::gosum::{Database, GoSum, KnownSums, SumFiles, Verdict, applies};
use crate::http::Client;
use crate::slots::Slots;
use crate::{Config, Error, Kind, Observer, Result, RevInfo, goproxy, zip};

/// See the module.
pub struct Shared {
    pub config: Config,
    pub files: Files,
    pub observer: Arc<dyn Observer>,
    pub client: Arc<Client>,
    pub cache: Cache,
    /// Modules that are being hashed and unpacked: they share the processors, and none keeps memory while it waits for one.
    pub unpacking: Slots,
    /// What that takes.
    pub buffers: zip::Buffers,
    proxies: OnceLock<Result<Vec<goproxy::Entry>>>,
    sums: Mutex<GoSum>,
    /// Sums that need no answer of the database any more.
    trusted: OnceLock<Arc<KnownSums>>,
    database: OnceLock<Result<Database>>,
}

impl Shared {
    pub fn new(
        config: Config,
        environment: Environment,
        files: Files,
        observer: Arc<dyn Observer>,
    ) -> Shared {
        // The cache is immutable, so the overlay has no say in it; whoever sets one up refuses an overlay that reaches into it.
        let on_disk = Files::new(files.cwd());
        let client = Client::new(&config, environment, on_disk.clone(), Arc::clone(&observer));
        Shared {
            client: Arc::new(client),
            cache: Cache::new(&config.gomodcache, on_disk),
            sums: Mutex::new(GoSum::new(SumFiles::default(), config.lenient_go_sum)),
            unpacking: Slots::new(steady_system::processors() + 1),
            buffers: zip::Buffers::default(),
            proxies: OnceLock::new(),
            trusted: OnceLock::new(),
            database: OnceLock::new(),
            config,
            files,
            observer,
        }
    }

    /// The GOPROXY list.
    pub fn proxies(&self) -> Result<&[goproxy::Entry]> {
        match self.proxies.get_or_init(|| goproxy::parse(&self.config)) {
            Ok(list) => Ok(list),
            Err(error) => Err(error.clone()),
        }
    }

    pub fn sums(&self) -> MutexGuard<'_, GoSum> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn trust(&self, sums: Arc<KnownSums>) {
        // Set once, where modules are opened.
        let _ = self.trusted.set(sums);
    }

    pub fn set_sum_files(&self, files: SumFiles) {
        *self.sums() = GoSum::new(files, self.config.lenient_go_sum)
            .locked(self.config.locked)
            .with_hints(self.config.hints);
    }

    /// What was looked up before.
    pub fn read_info(&self, path: &str, rev: &str) -> Option<RevInfo> {
        if gover::is_toolchain(path) {
            return None;
        }
        self.cache
            .read_info(path, rev, self.config.goproxy == "off")
    }

    /// A version's go.mod from the disk, checked.
    pub fn read_go_mod(&self, path: &str, version: &str) -> Result<Option<Arc<[u8]>>> {
        if gover::is_toolchain(path) {
            return Ok(None);
        }
        let Some(bytes) = self.cache.read_mod(path, version) else {
            return Ok(None);
        };
        self.check_go_mod(path, version, &bytes)?;
        Ok(Some(bytes.into()))
    }

    /// Tells that a file of the cache was not what the sums say, and now is.
    pub fn warn_fetched_again(&self, file: &Utf8Path) {
        let text = "did not match its checksum and was fetched again";
        self.observer.warn(&format!("go: warning: {file} {text}"));
    }

    /// Holds a go.mod against the sums.
    pub fn check_go_mod(&self, path: &str, version: &str, bytes: &[u8]) -> Result<()> {
        self.check_sum(
            &ModuleVersion::new(path, format!("{version}/go.mod")),
            &go_mod_sum(bytes),
        )
    }

    /// Holds a sum against go.sum and, if that knows nothing of it, the checksum database; then remembers it.
    pub fn check_sum(&self, module: &ModuleVersion, sum: &str) -> Result<()> {
        if let Verdict::Known = self.sums().check(&self.files, module, sum)? {
            return Ok(());
        }
        // The lock is free while the database is asked: others ask at the same time.
        let is_known = |sums: &Arc<KnownSums>| sums.has(module, sum);
        if applies(&self.config, module) && !self.trusted.get().is_some_and(is_known) {
            self.database()?.check(module, sum)?;
        }
        if let Some(warning) = self.sums().add(&self.files, module, sum)? {
            self.observer.warn(&warning);
        }
        Ok(())
    }

    /// The sums that the checksum database has for a module; `None` if the settings keep it out of that.
    pub fn database_sums(&self, module: &ModuleVersion) -> Result<Option<Vec<String>>> {
        if !applies(&self.config, module) {
            return Ok(None);
        }
        self.database()?.sums(module).map(Some)
    }

    fn database(&self) -> Result<&Database> {
        let make = || {
            let proxies = self.proxies()?.to_vec();
            let files = Files::new(self.files.cwd());
            Ok(Database::new(
                &self.config,
                Arc::clone(&self.client),
                files,
                proxies,
            ))
        };
        match self.database.get_or_init(make) {
            Ok(database) => Ok(database),
            Err(error) => Err(error.clone()),
        }
    }

    /// Refuses a module that asks for a newer Go than the one that runs.
    pub fn check_go_version(&self, what: &ModuleVersion, go_mod: &[u8]) -> Result<()> {
        let go = crate::toolchain::go_mod_lookup(go_mod, "go");
        if gover::compare(&go, &self.config.go_version).is_le() {
            return Ok(());
        }
        Err(Kind::TooNew(crate::TooNew {
            what: what.to_string(),
            go_version: go,
            toolchain: String::new(),
            running: self.config.go_version.clone(),
            explain: self.config.toolchain_explain.clone(),
        })
        .into())
    }
}

/// The `h1:` sum of a go.mod: that of a tree with this one file.
pub fn go_mod_sum(bytes: &[u8]) -> String {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    zip::hash1(vec![("go.mod".to_owned(), hash)]).unwrap_or_default()
}

/// Go's text for a module lookup that the settings forbid.
pub fn lookup_disabled(config: &Config) -> Option<Error> {
    let disabled = config.lookup_disabled.as_ref()?;
    let reason = if disabled.reason.is_empty() {
        String::new()
    } else {
        format!("\n\t({})", disabled.reason)
    };
    Some(Error::other(format!(
        "module lookup disabled by -mod={}{reason}",
        disabled.mode
    )))
}

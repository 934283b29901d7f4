//! The checksum database: which one, how to reach it, where its answers are kept.
//!
//! GOSUMDB is a name or key with an optional URL. Without a URL the first proxy of GOPROXY that says it can speak for the database
//! is used for all of it; if none does, the database itself. Tree heads are kept in GOPATH/pkg/sumdb, tiles and lookups in
//! GOMODCACHE/cache/download/sumdb, both as go keeps them.

use camino::Utf8PathBuf;
use std::sync::{Arc, OnceLock};

use steady_module::{ModuleVersion, path};
use steady_system::{Files, lock};

use super::texts;
use crate::error::Kind;
use crate::goproxy::{self, Entry};
use crate::http::{Client, Url};
use crate::toolchain_repo;
use crate::{Config, Error, Result};

/// Largest answer of a database or tile server that is read.
const MAX_ANSWER: u64 = 1 << 20;

/// The database of a run.
pub struct Database {
    config: Config,
    client: Arc<Client>,
    files: Files,
    proxies: Vec<Entry>,
    base: OnceLock<Result<Url>>,
}

/// Whether the database has a say in a module (whose version may end in `/go.mod`).
pub fn applies(config: &Config, module: &ModuleVersion) -> bool {
    // Toolchains cannot be in go.sum, so whoever turns the database off for other modules has not turned it off for these. One
    // exception: a single file:// proxy, which is how a distribution is tested.
    let single_file = config.goproxy.starts_with("file://") && !config.goproxy.contains([',', '|']);
    if module.path == toolchain_repo::MODULE && !single_file {
        return true;
    }
    config.gosumdb != "off" && !path::match_prefix_patterns(&config.gonosumdb, &module.path)
}

impl Database {
    /// Touches nothing yet.
    pub fn new(
        config: &Config,
        client: Arc<Client>,
        files: Files,
        proxies: Vec<Entry>,
    ) -> Result<Database> {
        Ok(Database {
            config: config.clone(),
            client,
            files,
            proxies,
            base: OnceLock::new(),
        })
    }

    /// Holds a sum against the database.
    ///
    /// # Errors
    /// The database cannot be asked, has another sum, or has none.
    pub fn check(&self, module: &ModuleVersion, sum: &str) -> Result<()> {
        let (version, noun) = match module.version.strip_suffix("/go.mod") {
            Some(version) => (version, "go.mod"),
            None => (module.version.as_str(), "module"),
        };
        let at = |error: Error| {
            error
                .context(format!("verifying {noun}"))
                .at_version(&module.path, version)
        };
        let refuse = |text: String| at(Kind::Security(text).into());
        let (name, lines) = self.lookup(module).map_err(at)?;
        let prefix = format!("{} {} ", module.path, module.version);
        let mut sums = lines.iter().filter_map(|line| line.strip_prefix(&prefix));
        match sums.find(|sum| sum.starts_with("h1:")) {
            Some(other) if other == sum => return Ok(()),
            Some(other) => {
                let text = format!("checksum mismatch\n\tdownloaded: {sum}\n\t{name}: {other}");
                return Err(refuse(text + texts::DATABASE_MISMATCH));
            }
            None => {}
        }
        Err(refuse(format!(
            "checksum missing from sumdb response{}",
            texts::DATABASE_ABSENT
        )))
    }

    fn lookup(&self, _module: &ModuleVersion) -> Result<(String, Vec<String>)> {
        Err(Kind::Unsupported("the checksum database".to_owned()).into())
    }

    /// Where the database is reached, found out once.
    fn base(&self, name: &str, direct: &Url) -> Result<Url> {
        let find = || {
            let found = goproxy::walk(&self.proxies, |proxy| match proxy {
                "noproxy" => Err(goproxy::not_private()),
                "direct" | "off" => Err(goproxy::off()),
                _ => {
                    let proxy = Url::parse(proxy)?;
                    self.client
                        .bytes(&proxy.join(&format!("sumdb/{name}/supported")), MAX_ANSWER)?;
                    Ok(proxy.join(&format!("sumdb/{name}")))
                }
            });
            match found {
                Err(error) if error.is_not_exist() => Ok(direct.clone()),
                found => found,
            }
        };
        self.base.get_or_init(find).clone()
    }

    fn read_remote(&self, name: &str, direct: &Url, path: &str) -> Result<Vec<u8>> {
        self.client
            .bytes(&self.base(name, direct)?.join(path), MAX_ANSWER)
    }

    fn config_file(&self, file: &str) -> Result<Utf8PathBuf> {
        if self.config.gopath.as_str().is_empty() {
            return Err(Error::other("could not locate sumdb file: missing $GOPATH"));
        }
        Ok(self.config.gopath.join("pkg/sumdb").join(file))
    }

    fn cache_file(&self, file: &str) -> Utf8PathBuf {
        self.config
            .gomodcache
            .join("cache/download/sumdb")
            .join(file)
    }

    /// A tree head as kept; nothing is an empty one.
    fn read_config(&self, file: &str) -> Result<Vec<u8>> {
        match lock::read(self.config_file(file)?) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces a tree head; false if it is not `old` any more.
    fn write_config(&self, file: &str, old: &[u8], new: &[u8]) -> Result<bool> {
        let path = self.config_file(file)?;
        if let Some(parent) = path.parent() {
            self.files.create_dir_all(parent)?;
        }
        let mut conflict = false;
        lock::transform::<Error>(&path, |now| {
            conflict = !now.is_empty() && now != old;
            Ok(if conflict { now } else { new }.to_vec())
        })?;
        Ok(!conflict)
    }

    /// A kept answer. An empty file is one that is just being written.
    fn read_cache(&self, file: &str) -> Option<Vec<u8>> {
        lock::read(self.cache_file(file))
            .ok()
            .filter(|bytes| !bytes.is_empty())
    }

    /// Keeps an answer; if that fails it is asked for again.
    fn write_cache(&self, file: &str, bytes: &[u8]) {
        let path = self.cache_file(file);
        if let Some(parent) = path.parent() {
            let _ = self.files.create_dir_all(parent);
        }
        let _ = lock::write(&path, bytes);
    }
}

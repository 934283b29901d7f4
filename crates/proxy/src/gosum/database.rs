//! The checksum database: which one, how to reach it, where its answers are kept.
//!
//! GOSUMDB is a name or key with an optional URL. Without a URL the first proxy of GOPROXY that says it can speak for the database
//! is used for all of it; if none does, the database itself. Tree heads are kept in GOPATH/pkg/sumdb, tiles and lookups in
//! GOMODCACHE/cache/download/sumdb, both as go keeps them.

use camino::Utf8PathBuf;
use std::sync::{Arc, OnceLock};

use steady_checksum::note::Verifier;
use steady_checksum::sumdb::{self, Ops, SumDbError};
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
    client: Result<sumdb::Client<Door>>,
}

/// The database's way to the outside.
struct Door {
    name: String,
    /// The database itself.
    direct: Url,
    /// Where it is reached, found out when first needed.
    base: OnceLock<Result<Url>>,
    config: Config,
    client: Arc<Client>,
    files: Files,
    proxies: Vec<Entry>,
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

/// The ending of the other name under which the one known database is reached in some places, and that of its own name.
const ALIAS: (&str, &str) = (".google.cn", ".org");

impl Database {
    /// The database that GOSUMDB names; nothing is asked yet. If GOSUMDB is `off` or cannot be, every check says so.
    pub fn new(
        config: &Config,
        client: Arc<Client>,
        files: Files,
        proxies: Vec<Entry>,
    ) -> Database {
        Database {
            client: Database::dial(config, client, files, proxies),
        }
    }

    fn dial(
        config: &Config,
        client: Arc<Client>,
        files: Files,
        proxies: Vec<Entry>,
    ) -> Result<sumdb::Client<Door>> {
        let mut setting = config.gosumdb.trim().to_owned();
        let own = setting
            .strip_suffix(ALIAS.0)
            .map(|stem| format!("{stem}{}", ALIAS.1));
        if let Some(own) = own.filter(|own| Verifier::known(own).is_some()) {
            setting = format!("{own} https://{setting}");
        }
        let words: Vec<&str> = setting.split_whitespace().collect();
        let (key, url) = match words[..] {
            ["off"] => return Err(Error::other("checksum database disabled by GOSUMDB=off")),
            [] => return Err(Error::other("missing GOSUMDB")),
            [key] => (key, None),
            [key, url] => (key, Some(url)),
            _ => return Err(Error::other("invalid GOSUMDB: too many fields")),
        };
        let verifier = match Verifier::known(key) {
            Some(verifier) => verifier,
            None => Verifier::parse(key)
                .map_err(|error| Error::other(format!("invalid GOSUMDB: {error}")))?,
        };
        let name = verifier.name().to_owned();
        let direct = Url::parse(&format!("https://{name}")).ok().filter(|url| {
            !name.ends_with('/')
                && !url.host.is_empty()
                && url.to_string() == format!("https://{}{}", url.host, url.path)
                && url.to_string() == format!("https://{name}")
        });
        let direct = direct.ok_or_else(|| {
            Error::other(format!("invalid sumdb name (must be host[/path]): {name}"))
        })?;
        let base = OnceLock::new();
        if let Some(url) = url {
            let url = Url::parse(url)
                .map_err(|error| Error::other(format!("invalid GOSUMDB URL: {error}")))?;
            let _ = base.set(Ok(url));
        }
        let door = Door {
            name,
            direct,
            base,
            config: config.clone(),
            client,
            files,
            proxies,
        };
        Ok(sumdb::Client::new(door, verifier))
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
        let at = |source: Error| {
            let error = if source.is_general() {
                source
            } else {
                Kind::Unverified { noun, source }.into()
            };
            error.at_version(&module.path, version)
        };
        let refuse = |text: String| at(Kind::Security(text).into());
        let (name, lines) = self.lookup(module).map_err(|error| match error.kind() {
            Kind::Security(_) => error,
            _ => at(error),
        })?;
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

    /// The `h1:` sums that the database has for a module (whose version may end in `/go.mod`).
    ///
    /// # Errors
    /// The database cannot be asked or does not know the module; [`Kind::Security`] if what comes as its answer is none of its own.
    pub fn sums(&self, module: &ModuleVersion) -> Result<Vec<String>> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let lines = match client.lookup(&module.path, &module.version) {
            Ok(lines) => lines.into_inner(),
            Err(SumDbError::Read(error)) => return Err(error),
            Err(error @ SumDbError::Path(_)) => return Err(Error::other(error.to_string())),
            Err(error) => return Err(Kind::Security(error.to_string()).into()),
        };
        let prefix = format!("{} {} ", module.path, module.version);
        let sums = lines.iter().filter_map(|line| line.strip_prefix(&prefix));
        Ok(sums
            .filter(|sum| sum.starts_with("h1:"))
            .map(str::to_owned)
            .collect())
    }

    /// The database's name and its lines about a module.
    fn lookup(&self, module: &ModuleVersion) -> Result<(&str, Vec<String>)> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        match client.lookup(&module.path, &module.version) {
            Ok(lines) => Ok((client.name(), lines.into_inner())),
            // The database contradicts itself: that is the whole message.
            Err(SumDbError::Security(text)) => Err(Kind::Security(text).into()),
            Err(SumDbError::Read(error)) if error.is_security() => Err(error),
            Err(SumDbError::Read(error)) => Err(error.context(module.to_string())),
            Err(error) => Err(Error::other(format!("{module}: {error}"))),
        }
    }
}

impl Door {
    /// Where the database is reached, found out once: through the first proxy that says it can, and then only through it.
    fn base(&self) -> Result<Url> {
        let find = || {
            let found = goproxy::walk(&self.proxies, |proxy| match proxy {
                "noproxy" => Err(goproxy::not_private()),
                "direct" | "off" => Err(goproxy::off()),
                _ => {
                    let base = Url::parse(proxy)?.join(&format!("sumdb/{}", self.name));
                    self.client.bytes(&base.join("supported"), MAX_ANSWER)?;
                    Ok(base)
                }
            });
            match found {
                Err(error) if error.is_not_exist() => Ok(self.direct.clone()),
                found => found,
            }
        };
        self.base.get_or_init(find).clone()
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
}

impl Ops for Door {
    type Error = Error;

    fn read_remote(&self, path: &str) -> Result<Vec<u8>> {
        self.client.bytes(&self.base()?.join(path), MAX_ANSWER)
    }

    fn read_config(&self, file: &str) -> Result<Vec<u8>> {
        match lock::read(self.config_file(file)?) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

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

    /// An empty file is one that another process is just writing.
    fn read_cache(&self, file: &str) -> Option<Vec<u8>> {
        lock::read(self.cache_file(file))
            .ok()
            .filter(|bytes| !bytes.is_empty())
    }

    /// If that fails it is asked for again.
    fn write_cache(&self, file: &str, bytes: &[u8]) {
        let path = self.cache_file(file);
        if let Some(parent) = path.parent() {
            let _ = self.files.create_dir_all(parent);
        }
        let _ = self.files.write_atomic(&path, bytes, 0o666);
    }
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;

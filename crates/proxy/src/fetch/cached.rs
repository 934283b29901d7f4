//! A repository with the caches of memory and disk in front.

use std::sync::{Arc, OnceLock};

use steady_module::{ModuleVersion, gover, path};

use super::shared::{Shared, lookup_disabled};
use crate::error::Kind;
use crate::once::OnceMap;
use crate::proxy_repo::ProxyRepo;
use crate::repo::ErrRepo;
use crate::toolchain_repo::ToolchainRepo;
use crate::{
    Direct, DirectRepo, Error, Origin, Repo, Result, RevInfo, Security, Versions, ZipSink, goproxy,
};

/// See the module.
pub struct CachedRepo {
    shared: Arc<Shared>,
    direct: Arc<dyn Direct>,
    proxy: String,
    path: String,
    behind: Option<Arc<dyn Repo>>,
    repo: OnceLock<Arc<dyn Repo>>,
    versions: OnceMap<String, Result<Versions>>,
    infos: OnceMap<String, Result<RevInfo>>,
    latest: OnceLock<Result<RevInfo>>,
    go_mods: OnceMap<String, Result<Arc<[u8]>>>,
}

impl CachedRepo {
    /// `behind`: for the virtual modules, the real one.
    pub fn new(
        shared: Arc<Shared>,
        direct: Arc<dyn Direct>,
        proxy: &str,
        path: &str,
        behind: Option<Arc<dyn Repo>>,
    ) -> CachedRepo {
        CachedRepo {
            shared,
            direct,
            proxy: proxy.to_owned(),
            path: path.to_owned(),
            behind,
            repo: OnceLock::new(),
            versions: OnceMap::default(),
            infos: OnceMap::default(),
            latest: OnceLock::new(),
            go_mods: OnceMap::default(),
        }
    }

    /// What is behind the caches; a lookup that fails is a repository that answers with the failure.
    fn repo(&self) -> &dyn Repo {
        let make = || {
            self.make().unwrap_or_else(|error| {
                Arc::new(ErrRepo {
                    path: self.path.clone(),
                    error,
                })
            })
        };
        &**self.repo.get_or_init(make)
    }

    fn make(&self) -> Result<Arc<dyn Repo>> {
        let config = &self.shared.config;
        if let Some(error) = lookup_disabled(config) {
            return Err(error);
        }
        if let Some(behind) = &self.behind {
            let (path, running) = (self.path.clone(), config.go_version.clone());
            return Ok(Arc::new(ToolchainRepo {
                path,
                downloads: Arc::clone(behind),
                running,
            }));
        }
        let private = path::match_prefix_patterns(&config.gonoproxy, &self.path);
        match (self.proxy.as_str(), private) {
            ("noproxy" | "direct", true) | ("direct", false) => self.look_up_direct(),
            (_, true) => Err(goproxy::private()),
            ("off", false) => Err(goproxy::off()),
            ("noproxy", false) => Err(goproxy::not_private()),
            (proxy, false) => self.through(proxy),
        }
    }

    fn through(&self, proxy: &str) -> Result<Arc<dyn Repo>> {
        let limits = self.shared.config.limits.clone();
        Ok(Arc::new(ProxyRepo::new(
            Arc::clone(&self.shared.client),
            limits,
            proxy,
            &self.path,
        )?))
    }

    fn look_up_direct(&self) -> Result<Arc<dyn Repo>> {
        let insecure = path::match_prefix_patterns(&self.shared.config.goinsecure, &self.path);
        let security = if insecure {
            Security::Insecure
        } else {
            Security::SecureOnly
        };
        match self.direct.lookup(&self.path, security)? {
            DirectRepo::Repo(repo) => Ok(repo),
            DirectRepo::Proxy(url) => self.through(&url),
        }
    }

    /// The virtual modules are computed from the real one, which is cached itself.
    fn is_virtual(&self) -> bool {
        gover::is_toolchain(&self.path)
    }

    fn remember(&self, info: &RevInfo) {
        let _ = self.infos.get_or(info.version.clone(), || Ok(info.clone()));
        if let Err(error) = self.shared.cache.write_info(&self.path, info) {
            self.shared
                .observer
                .warn(&format!("go: writing stat cache: {error}"));
        }
    }

    /// [`Repo::go_mod`] without a copy.
    pub fn go_mod_shared(&self, version: &str) -> Result<Arc<[u8]>> {
        if self.is_virtual() {
            return Ok(self.repo().go_mod(version)?.into());
        }
        self.go_mods.get_or(version.to_owned(), || {
            let damage = match self.shared.read_go_mod(&self.path, version) {
                Ok(Some(bytes)) => return Ok(bytes),
                Ok(None) => None,
                // What the sums refuse is fetched again; if that cannot be done, the refusal stands.
                Err(error) if error.is_security() => Some(error),
                Err(error) => return Err(error),
            };
            let fresh = self.repo().go_mod(version);
            let bytes = fresh.map_err(|error| match &damage {
                Some(damage) if !error.is_interrupt() => damage.clone(),
                _ => error,
            })?;
            self.shared.check_go_mod(&self.path, version, &bytes)?;
            if damage.is_some() {
                let module = ModuleVersion::new(&*self.path, version);
                self.shared
                    .warn_fetched_again(&self.shared.cache.path(&module, "mod")?);
            }
            if let Err(error) = self.shared.cache.write_mod(&self.path, version, &bytes) {
                self.shared
                    .observer
                    .warn(&format!("go: writing go.mod cache: {error}"));
            }
            Ok(bytes.into())
        })
    }
}

impl Repo for CachedRepo {
    fn module_path(&self) -> &str {
        &self.path
    }

    fn check_reuse(&self, old: &Origin) -> Result<()> {
        self.repo().check_reuse(old)
    }

    fn versions(&self, prefix: &str) -> Result<Versions> {
        self.versions
            .get_or(prefix.to_owned(), || self.repo().versions(prefix))
    }

    fn stat(&self, rev: &str) -> Result<RevInfo> {
        if self.is_virtual() {
            return self.repo().stat(rev);
        }
        let asked = self.infos.get_or(rev.to_owned(), || {
            match self.shared.read_info(&self.path, rev) {
                Some(info) => Ok(info),
                None => {
                    let info = self.repo().stat(rev)?;
                    // A hash or a branch is kept under the version it turned out to be; under its own name it may change.
                    if info.version == rev {
                        if let Err(error) = self.shared.cache.write_info(&self.path, &info) {
                            self.shared
                                .observer
                                .warn(&format!("go: writing stat cache: {error}"));
                        }
                    } else {
                        self.remember(&info);
                    }
                    Ok(info)
                }
            }
        });
        asked.map_err(|error: Error| error)
    }

    fn latest(&self) -> Result<RevInfo> {
        if self.is_virtual() {
            return self.repo().latest();
        }
        let ask = || {
            let info = self.repo().latest()?;
            if self.shared.read_info(&self.path, &info.version).is_none() {
                self.remember(&info);
            }
            Ok(info)
        };
        self.latest.get_or_init(ask).clone()
    }

    fn go_mod(&self, version: &str) -> Result<Vec<u8>> {
        Ok(self.go_mod_shared(version)?.to_vec())
    }

    fn zip(&self, sink: &mut dyn ZipSink, version: &str) -> Result<()> {
        if self.is_virtual() {
            return Err(Kind::Other(
                "internal error: invalid operation on toolchain module".to_owned(),
            )
            .into());
        }
        self.repo().zip(sink, version)
    }
}

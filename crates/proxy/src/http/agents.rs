//! Connection pools, one for each way of connecting: through which forward proxy, with which trust.

use camino::{Utf8Path, Utf8PathBuf};
use rustls::pki_types::CertificateDer;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use ureq::tls::{PemItem, TlsConfig, parse_pem};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector, DefaultConnector, TcpConnector,
};
use ureq::{Agent, Proxy};

use steady_system::{Environment, Files};

use super::Url;
use super::environment::proxy_for;
use super::resolver::KeepingResolver;
use super::tls::Tls;
use crate::{Error, Limits, Result};

/// What each connection keeps for what comes and goes.
const INPUT: usize = 64 << 10;
const OUTPUT: usize = 8 << 10;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    proxy: Option<String>,
    tls: bool,
    insecure: bool,
    certificate: Option<Utf8PathBuf>,
}

/// The pools, made when first needed: reading the system's certificates takes milliseconds.
pub struct Agents {
    limits: Limits,
    environment: Environment,
    made: Mutex<HashMap<Key, Agent>>,
}

impl Agents {
    pub fn new(limits: Limits, environment: Environment) -> Agents {
        Agents {
            limits,
            environment,
            made: Mutex::default(),
        }
    }

    /// The pool for a URL.
    pub fn get(&self, url: &Url, insecure: bool, certificate: Option<&Utf8Path>) -> Result<Agent> {
        let key = Key {
            proxy: proxy_for(&self.environment, url),
            tls: url.scheme == "https",
            insecure,
            certificate: certificate.map(Utf8Path::to_owned),
        };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = made.get(&key) {
            return Ok(agent.clone());
        }
        let agent = self.make(&key)?;
        made.insert(key, agent.clone());
        Ok(agent)
    }

    fn make(&self, key: &Key) -> Result<Agent> {
        let proxy = match &key.proxy {
            Some(proxy) => Some(
                Proxy::new(proxy)
                    .map_err(|error| Error::other(format!("proxy {proxy:?}: {error}")))?,
            ),
            None => None,
        };
        let tls = TlsConfig::builder().disable_verification(key.insecure);
        let limits = &self.limits;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(proxy)
            .tls_config(tls.build())
            .user_agent(concat!("steady/", env!("CARGO_PKG_VERSION")))
            .max_idle_connections(limits.parallel)
            .max_idle_connections_per_host(limits.parallel)
            .input_buffer_size(INPUT)
            .output_buffer_size(OUTPUT)
            .timeout_connect(Some(limits.connect))
            .timeout_recv_response(Some(limits.stall))
            .timeout_per_read(Some(limits.stall))
            .timeout_per_write(Some(limits.stall));
        if key.insecure {
            config = config.timeout_global(Some(Duration::from_secs(5)));
        }
        let (config, resolver) = (config.build(), KeepingResolver::default());
        if !key.tls || key.insecure {
            let connector = DefaultConnector::default();
            return Ok(Agent::with_parts(config, connector, resolver));
        }
        let tls = Tls::trusting(self.roots(key.certificate.as_deref())?)
            .map_err(|why| Error::other(format!("tls: {why}")))?;
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(tls);
        Ok(Agent::with_parts(config, connector, resolver))
    }

    /// The certificates to trust: the system's, and one more.
    fn roots(&self, extra: Option<&Utf8Path>) -> Result<Vec<CertificateDer<'static>>> {
        let mut certificates = self.system_certificates();
        if let Some(file) = extra {
            let pem = Files::new("/").read(file)?;
            for item in parse_pem(&pem) {
                if let Ok(PemItem::Certificate(certificate)) = item {
                    certificates.push(CertificateDer::from(certificate.der().to_vec()));
                }
            }
        }
        Ok(certificates)
    }

    /// SSL_CERT_FILE and SSL_CERT_DIR (a list) replace the system's store.
    fn system_certificates(&self) -> Vec<CertificateDer<'static>> {
        let (file, dirs) = (
            self.environment.get("SSL_CERT_FILE"),
            self.environment.get("SSL_CERT_DIR"),
        );
        if file.is_empty() && dirs.is_empty() {
            return rustls_native_certs::load_native_certs().certs;
        }
        let file = (!file.is_empty())
            .then(|| rustls_native_certs::load_certs_from_paths(Some(file.as_ref()), None));
        let dirs = dirs.split(':').filter(|dir| !dir.is_empty());
        let dirs =
            dirs.map(|dir| rustls_native_certs::load_certs_from_paths(None, Some(dir.as_ref())));
        file.into_iter()
            .chain(dirs)
            .flat_map(|found| found.certs)
            .collect()
    }
}

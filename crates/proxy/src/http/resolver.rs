//! Names resolved once a run: each request asks anew otherwise, kept connection or not, and name servers lose questions that come
//! in a hurry.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// How long an answer is good.
const KEPT: Duration = Duration::from_secs(60);

/// See the module.
#[derive(Debug, Default)]
pub struct KeepingResolver {
    system: DefaultResolver,
    known: Mutex<Vec<(String, Instant, Vec<SocketAddr>)>>,
}

impl Resolver for KeepingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let place = format!("{:?} {:?}", uri.scheme(), uri.authority());
        // Held while asking, so that one question goes out and not ten.
        let mut known = self
            .known
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        known.retain(|(_, at, _)| at.elapsed() < KEPT);
        let mut answer = self.empty();
        if let Some((_, _, addresses)) = known.iter().find(|(name, ..)| *name == place) {
            addresses.iter().for_each(|address| answer.push(*address));
            return Ok(answer);
        }
        let found = self.system.resolve(uri, config, timeout)?;
        known.push((place, Instant::now(), found.iter().copied().collect()));
        Ok(found)
    }
}

//! The HTTP client: connections that are kept, a bounded number of requests, credentials, redirects that never get less secure,
//! retries for what passes.
//!
//! Invariants:
//! - a request that began with https never ends on http;
//! - user and password go to https (or, asked for, to insecure) URLs only, and to another host never;
//! - nothing is waited for without end: connecting and silence have limits, and readers of bodies give a size limit;
//! - certificates are the system's (SSL_CERT_FILE and SSL_CERT_DIR honoured); a machine without any gets Mozilla's.

mod agents;
pub mod auth;
mod environment;
mod resolver;
mod tls;
mod url;

pub use url::{Url, decode, escape_path};

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use camino::Utf8Path;
use steady_system::{Environment, Files, Sightings, clock, describe_io};

use crate::slots::{Slot, Slots};
use crate::{Config, Error, HttpError, Observer, Result, Security, Time};
use agents::Agents;
use auth::{Auth, Refusal};

/// Redirects that are followed, as many as Go's client follows.
const MAX_REDIRECTS: usize = 10;
/// Lines and bytes of an error answer that are shown.
const MAX_DETAIL_LINES: usize = 8;
const MAX_DETAIL_BYTES: usize = MAX_DETAIL_LINES * 81;
/// The longest a server may ask us to wait before the next attempt.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Makes requests. Shared between threads.
pub struct Client {
    config: Config,
    files: Files,
    observer: Arc<dyn Observer>,
    agents: Agents,
    slots: Slots,
    auth: Auth,
    /// The run's notes.
    sightings: Option<Arc<Sightings>>,
}

/// What a request wants beside its URL.
#[derive(Clone, Debug, Default)]
pub struct Want {
    /// Only the bytes from here on.
    pub from: u64,
    /// ... if the thing still has this `ETag`.
    pub if_range: Option<String>,
    /// The bytes as they are, without compression on the way.
    pub identity: bool,
}

/// An answer. Its request counts as running until this is dropped.
pub struct Response {
    /// The URL asked for, password hidden.
    pub url: String,
    /// `200 OK`.
    pub status: String,
    /// Status code.
    pub code: u16,
    headers: Vec<(String, String)>,
    body: Box<dyn Read + Send>,
    cause: Option<String>,
    _slot: Option<Slot>,
}

impl Client {
    /// A client; touches nothing yet.
    pub fn new(
        config: &Config,
        environment: Environment,
        files: Files,
        observer: Arc<dyn Observer>,
    ) -> Client {
        Client {
            sightings: environment.sightings().map(Arc::clone),
            auth: Auth::new(&config.goauth, environment.clone(), files.clone()),
            agents: Agents::new(config.limits.clone(), environment),
            slots: Slots::new(config.limits.parallel),
            config: config.clone(),
            files,
            observer,
        }
    }

    /// The whole body of a 200 answer, at most `limit` bytes.
    pub fn bytes(&self, url: &Url, limit: u64) -> Result<Vec<u8>> {
        let mut pause = self.config.limits.pause;
        for attempt in 1.. {
            let response = self.get(Security::Default, url)?.ok()?;
            let cut = match response.read_all(limit, self.config.limits.small) {
                Ok(bytes) => return Ok(bytes),
                Err(error) if attempt < self.config.limits.attempts && error.0 => error.1,
                Err(error) => return Err(error.1),
            };
            self.trace(|| format!("# get {}: {cut}; trying again", url.redacted()));
            clock::sleep(pause)?;
            pause *= 3;
        }
        unreachable!("the last attempt returns")
    }

    /// One request; an answer of any status. Passing troubles (429, 502, 503, 504, a lost connection) are tried again.
    pub fn get(&self, security: Security, url: &Url) -> Result<Response> {
        self.get_with(security, url, &Want::default())
    }

    /// What others say may be otherwise next time, and no look at files would show it: no answer of this run is kept.
    pub fn spoil_notes(&self) {
        if let Some(sightings) = &self.sightings {
            sightings.spoil();
        }
    }

    /// [`Client::get`] with more wishes.
    pub fn get_with(&self, security: Security, url: &Url, want: &Want) -> Result<Response> {
        self.spoil_notes();
        if url.scheme == "file" {
            return self.get_file(url, want);
        }
        let start = Instant::now();
        let done = self.try_schemes(security, url, want);
        if let Ok(response) = &done {
            let seconds = start.elapsed().as_secs_f64();
            self.trace(|| {
                format!(
                    "# get {}: {} ({seconds:.3}s)",
                    response.url, response.status
                )
            });
        }
        done
    }

    fn try_schemes(&self, security: Security, url: &Url, want: &Want) -> Result<Response> {
        let with_scheme = |scheme: &str| Url {
            scheme: scheme.to_owned(),
            ..url.clone()
        };
        let refuse = |why: &str, short: &str| {
            self.trace(|| format!("# get {}: {short}", url.redacted()));
            Err(Error::other(format!("{why}: {}", url.redacted())))
        };
        match url.scheme.as_str() {
            "https" => self.traced(security, &with_scheme("https"), want),
            "" => match self.traced(security, &with_scheme("https"), want) {
                Err(_) if security == Security::Insecure => {
                    self.traced(security, &with_scheme("http"), want)
                }
                done => done,
            },
            "http" if security == Security::SecureOnly => refuse("insecure URL", "insecure"),
            "http" if url.user.is_some() && security != Security::Insecure => refuse(
                "refusing to pass credentials to insecure URL",
                "insecure credentials",
            ),
            "http" => self.traced(security, url, want),
            _ => refuse("unsupported scheme", "unsupported"),
        }
    }

    fn traced(&self, security: Security, url: &Url, want: &Want) -> Result<Response> {
        self.trace(|| format!("# get {}", url.redacted()));
        let done = self.persist(security, url, want);
        if let Err(error) = &done {
            self.trace(|| format!("# get {}: {error}", url.redacted()));
        }
        done
    }

    /// Tries again what may pass.
    fn persist(&self, security: Security, url: &Url, want: &Want) -> Result<Response> {
        let mut pause = self.config.limits.pause;
        for attempt in 1.. {
            let last = attempt >= self.config.limits.attempts;
            let wait = match self.request(security, url, want) {
                Ok(response) if !last && response.may_pass(attempt) => {
                    response.retry_after(SystemTime::now()).unwrap_or(pause)
                }
                Err(Failure { passing: true, .. }) if !last => pause,
                done => return done.map_err(|failure| failure.error),
            };
            clock::sleep(wait.min(MAX_PAUSE))?;
            pause *= 3;
        }
        unreachable!("the last attempt returns")
    }

    fn request(&self, security: Security, url: &Url, want: &Want) -> Result<Response, Failure> {
        let slot = self.slots.take();
        let mut response = self.follow(security, url, want, self.auth.headers(url)?)?;
        // Refused: whoever knows credentials for this URL gets a second chance.
        if url.scheme == "https"
            && (400..500).contains(&response.code)
            && self.config.goauth != "off"
        {
            let refusal = Refusal {
                status_line: format!("HTTP/1.1 {}", response.status),
                headers: response.headers.clone(),
            };
            let before = self.auth.headers(url)?;
            let (after, failures) = self.auth.headers_after(url, &refusal)?;
            if !failures.is_empty() {
                self.trace(|| format!("GOAUTH encountered errors for {}:", url.redacted()));
                failures
                    .iter()
                    .for_each(|failure| self.trace(|| format!("  {failure}")));
            }
            if before != after {
                response = self.follow(security, url, want, after)?;
            }
        }
        response._slot = Some(slot);
        Ok(response)
    }

    fn follow(
        &self,
        security: Security,
        url: &Url,
        want: &Want,
        credentials: Option<Vec<(String, String)>>,
    ) -> Result<Response, Failure> {
        let mut at = url.clone();
        let fail = |why: String| {
            Failure::lasting(Error::other(format!("Get {:?}: {why}", url.redacted())))
        };
        for _ in 0..=MAX_REDIRECTS {
            let same_host = at.host == url.host;
            let credentials = credentials
                .as_deref()
                .filter(|_| same_host && at.scheme == "https")
                .unwrap_or_default();
            let response = self.once(security, &at, want, credentials)?;
            let location = response.header("location");
            let (true, Some(location)) = (
                matches!(response.code, 301 | 302 | 303 | 307 | 308),
                location,
            ) else {
                return Ok(Response {
                    url: url.redacted(),
                    ..response
                });
            };
            let next = at
                .resolve(location)
                .map_err(|error| fail(error.to_string()))?;
            if url.scheme == "https" && next.scheme != "https" {
                let (from, to) = (at.redacted(), next.redacted());
                return Err(fail(format!(
                    "redirected from secure URL {from} to insecure URL {to}"
                )));
            }
            at = next;
        }
        Err(fail("stopped after 10 redirects".to_owned()))
    }

    /// One exchange, without redirects.
    fn once(
        &self,
        security: Security,
        url: &Url,
        want: &Want,
        credentials: &[(String, String)],
    ) -> Result<Response, Failure> {
        let rewrite = self
            .config
            .hosts
            .get(&format!("{}://{}", url.scheme, url.host));
        let target = match rewrite {
            Some(rewrite) => Url {
                host: rewrite.to.clone(),
                ..url.clone()
            },
            None => url.clone(),
        };
        if self.config.offline {
            return Err(Error::from(crate::Kind::Offline(url.redacted())).into());
        }
        if self.config.unknown_hosts.contains(&target.host) {
            let text = format!("Get {:?}: no such host {}", url.redacted(), target.host);
            return Err(Error::other(text).into());
        }
        if self.config.network_forbidden && !target.is_loopback() {
            return Err(Error::other(format!("panic: use of network: {}", url.redacted())).into());
        }
        let insecure = security == Security::Insecure && url.scheme == "https";
        let certificate = rewrite.and_then(|rewrite| rewrite.certificate.as_deref());
        let agent = self.agents.get(&target, insecure, certificate)?;
        let mut request = agent.get(target.without_user());
        if rewrite.is_some() {
            request = request.header("Host", &url.host);
        }
        if let Some((user, password)) = &url.user {
            let (name, value) = auth::basic(user, password.as_deref().unwrap_or_default());
            request = request.header(name, value);
        }
        for (name, value) in credentials {
            request = request.header(name, value);
        }
        if want.from > 0 {
            request = request.header("Range", format!("bytes={}-", want.from));
            if let Some(tag) = &want.if_range {
                request = request.header("If-Range", tag);
            }
        }
        if want.identity {
            request = request.header("Accept-Encoding", "identity");
        }
        let answer = request.call().map_err(|error| Failure::of(url, &error))?;
        Ok(Response::of(url, answer))
    }

    fn get_file(&self, url: &Url, want: &Want) -> Result<Response> {
        let path = url.to_file_path()?;
        let open = || -> steady_system::Result<Box<dyn Read + Send>> {
            let mut file = self.files.open(Utf8Path::new(&path))?;
            if want.from > 0 {
                io::Seek::seek(&mut file, io::SeekFrom::Start(want.from)).map_err(|source| {
                    steady_system::Error::Path {
                        op: "seek",
                        path: path.clone().into(),
                        source,
                    }
                })?;
            }
            Ok(Box::new(file))
        };
        let (code, status, body, cause): (u16, &str, Box<dyn Read + Send>, _) = match open() {
            Ok(body) if want.from > 0 => (206, "Partial Content", body, None),
            Ok(body) => (200, "OK", body, None),
            Err(error) if error.is_not_found() => {
                (404, "Not Found", Box::new(io::empty()), Some(error.cause()))
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                (403, "Forbidden", Box::new(io::empty()), Some(error.cause()))
            }
            Err(error) => return Err(error.into()),
        };
        let headers = vec![(
            "content-range".to_owned(),
            format!("bytes {}-/*", want.from),
        )];
        Ok(Response {
            url: url.redacted(),
            status: status.to_owned(),
            code,
            headers,
            body,
            cause,
            _slot: None,
        })
    }

    fn trace(&self, line: impl FnOnce() -> String) {
        if self.config.trace {
            self.observer.trace(&line());
        }
    }
}

impl Response {
    fn of(url: &Url, answer: ureq::http::Response<ureq::Body>) -> Response {
        let code = answer.status().as_u16();
        let reason = answer.status().canonical_reason().unwrap_or_default();
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Response {
            url: url.redacted(),
            status: format!("{code} {reason}").trim_end().to_owned(),
            code,
            headers: answer.headers().iter().filter_map(header).collect(),
            body: Box::new(answer.into_body().into_reader()),
            cause: None,
            _slot: None,
        }
    }

    /// The first header of a name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the same request may be answered otherwise a moment later. There are proxies that say 500 of whatever they do not
    /// have, so that is asked once more and no longer.
    fn may_pass(&self, attempt: u32) -> bool {
        match self.code {
            429 | 502 | 503 | 504 => true,
            500 => attempt == 1,
            _ => false,
        }
    }

    /// How long the server asks us to wait: seconds, or until a date.
    fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = Time::parse_http(text)?.unix();
        let now = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let left = u64::try_from(until).ok()?.saturating_sub(now);
        Some(Duration::from_secs(left))
    }

    /// The answer if it is a 200; else the error, with the first lines of a plain-text body.
    pub fn ok(self) -> Result<Response> {
        if self.code == 200 {
            Ok(self)
        } else {
            Err(self.into_error())
        }
    }

    /// The answer as an error.
    pub fn into_error(mut self) -> Error {
        let detail = self.detail().unwrap_or_default();
        HttpError {
            url: self.url,
            status: self.status,
            code: self.code,
            detail,
            cause: self.cause,
        }
        .into()
    }

    /// A plain-text body's lines up to the first empty one, unless it could play tricks with a terminal.
    fn detail(&mut self) -> Option<String> {
        let kind = self.header("content-type")?.to_ascii_lowercase();
        let (media, parameters) = kind.split_once(';').unwrap_or((&kind, ""));
        let charset = parameters
            .split(';')
            .find_map(|p| p.trim().strip_prefix("charset="))
            .unwrap_or_default();
        if media.trim() != "text/plain"
            || !matches!(charset.trim_matches('"'), "" | "utf-8" | "us-ascii")
        {
            return None;
        }
        let mut bytes = Vec::new();
        let most = 4 * MAX_DETAIL_BYTES as u64;
        (&mut self.body).take(most).read_to_end(&mut bytes).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return None;
        }
        let mut detail = String::new();
        for (i, line) in text
            .split('\n')
            .enumerate()
            .take_while(|(_, line)| !line.trim().is_empty())
        {
            if i > 0 {
                detail += "\n\t";
            }
            if i >= MAX_DETAIL_LINES {
                detail += "[Truncated: too many lines.]";
                break;
            }
            if detail.len() + line.len() > MAX_DETAIL_BYTES {
                detail += "[Truncated: too long.]";
                break;
            }
            detail += line;
        }
        Some(detail)
    }

    /// The same answer with its body in memory, to be looked at and read again.
    ///
    /// # Errors
    /// A cut transfer, a body larger than `limit`.
    pub fn buffered(mut self, limit: u64) -> Result<(Vec<u8>, Response)> {
        let body = std::mem::replace(&mut self.body, Box::new(io::empty()));
        let whole = Response {
            url: self.url.clone(),
            status: String::new(),
            code: self.code,
            headers: Vec::new(),
            body,
            cause: None,
            _slot: None,
        };
        let bytes = whole
            .read_all(limit, crate::Limits::default().small)
            .map_err(|(_, error)| error)?;
        self.body = Box::new(io::Cursor::new(bytes.clone()));
        Ok((bytes, self))
    }

    /// Bytes that are still to come, if the server told.
    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// The whole body, unless it takes too long. The error says whether another attempt may help.
    fn read_all(mut self, limit: u64, time: Duration) -> Result<Vec<u8>, (bool, Error)> {
        let end = Instant::now() + time;
        let url = &self.url;
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 16 << 10];
        loop {
            let count = match self.body.read(&mut buffer) {
                Ok(0) => return Ok(bytes),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let text = format!("read {url:?}: {}", body_text(&error));
                    return Err((true, Error::other(text)));
                }
            };
            bytes.extend_from_slice(&buffer[..count]);
            let endless = if bytes.len() as u64 > limit {
                format!("response larger than {limit} bytes")
            } else if Instant::now() > end {
                format!("response did not end within {} seconds", time.as_secs_f32())
            } else {
                continue;
            };
            return Err((false, Error::other(format!("reading {url}: {endless}"))));
        }
    }
}

impl Read for Response {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.body.read(buf)
    }
}

/// A failed exchange and whether another attempt may help.
struct Failure {
    error: Error,
    passing: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::lasting(error)
    }
}

impl Failure {
    fn lasting(error: Error) -> Failure {
        Failure {
            error,
            passing: false,
        }
    }

    fn of(url: &Url, error: &ureq::Error) -> Failure {
        let host = &url.host;
        let (why, passing) = match error {
            ureq::Error::HostNotFound => (
                format!("dial tcp: lookup {}: no such host", url.host_name()),
                false,
            ),
            ureq::Error::Timeout(ureq::Timeout::Connect) => {
                (format!("dial tcp {host}: i/o timeout"), false)
            }
            ureq::Error::Timeout(_) => ("timeout awaiting response headers".to_owned(), false),
            ureq::Error::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => (
                    format!("dial tcp {host}: connect: connection refused"),
                    false,
                ),
                io::ErrorKind::UnexpectedEof => ("EOF".to_owned(), true),
                io::ErrorKind::InvalidData => (tls_text(&error.to_string()), false),
                _ => (describe_io(error), true),
            },
            ureq::Error::Rustls(error) => (tls_text(&error.to_string()), false),
            other => (other.to_string(), false),
        };
        Failure {
            error: Error::other(format!("Get {:?}: {why}", url.redacted())),
            passing,
        }
    }
}

fn tls_text(text: &str) -> String {
    if text.contains("UnknownIssuer") {
        return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
            .to_owned();
    }
    format!("tls: {text}")
}

/// What a cut or silent transfer says of itself.
pub(crate) fn body_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
        io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
        _ if error.to_string().contains("timeout") => "i/o timeout".to_owned(),
        _ => describe_io(error),
    }
}

#[cfg(test)]
mod tests;

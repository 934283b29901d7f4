//! A module seen through a module proxy (<https://go.dev/ref/mod#goproxy-protocol>).

use serde::de::DeserializeOwned;
use std::io::Read;
use std::sync::{Arc, OnceLock};

use steady_module::{path, pseudo, semver};
use steady_system::clock;

use crate::error::Kind;
use crate::http::{Client, Url, Want, body_text};
use crate::zip::{MAX_GO_MOD, MAX_ZIP_FILE};
use crate::{
    Error, Limits, Origin, Repo, Result, RevInfo, Security, Time, Versions, ZipSink, goproxy,
};

const MAX_INFO: u64 = 1 << 20;
const MAX_LIST: u64 = 64 << 20;

/// See the module.
pub struct ProxyRepo {
    client: Arc<Client>,
    limits: Limits,
    path: String,
    url: Url,
    base: String,
    /// The lines of the last version list, for `latest`.
    lines: OnceLock<Result<Arc<Vec<String>>>>,
}

impl ProxyRepo {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// A URL that no proxy can have, a path that no module can have.
    pub fn new(client: Arc<Client>, limits: Limits, proxy: &str, path: &str) -> Result<ProxyRepo> {
        let base = goproxy::check_url(proxy)?;
        let url = base.join(&path::escape_path(path)?);
        Ok(ProxyRepo {
            client,
            limits,
            path: path.to_owned(),
            url,
            base: base.redacted(),
            lines: OnceLock::new(),
        })
    }

    fn at(&self, version: &str, error: Error) -> Error {
        if !version.is_empty() && version != path::canonical_version(version) {
            let (path, version) = (self.path.clone(), version.to_owned());
            let pseudo = pseudo::is_pseudo_version(&version);
            return Kind::InvalidVersion {
                path,
                version,
                pseudo,
                source: error,
            }
            .into();
        }
        error.at_version(&self.path, version)
    }

    fn bytes(&self, tail: &str, limit: u64) -> Result<Vec<u8>> {
        self.client.bytes(&self.url.join(tail), limit)
    }

    /// Text that could be what was asked for: a page that asks to log in, with status 200, is not.
    fn text(&self, tail: &str, limit: u64) -> Result<Vec<u8>> {
        let bytes = self.bytes(tail, limit)?;
        if bytes.trim_ascii_start().starts_with(b"<") {
            return Err(self.no_answer("a page instead of a file of a module"));
        }
        Ok(bytes)
    }

    fn no_answer(&self, why: &str) -> Error {
        let base = &self.base;
        Error::other(format!("invalid response from proxy {base:?}: {why}"))
    }

    fn json<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes).map_err(|error| self.no_answer(&json_text(bytes, &error)))
    }

    fn lines(&self) -> Result<Arc<Vec<String>>> {
        let fetch = || {
            let bytes = self
                .text("@v/list", MAX_LIST)
                .map_err(|error| self.at("", error))?;
            Ok(Arc::new(
                String::from_utf8_lossy(&bytes)
                    .lines()
                    .map(str::to_owned)
                    .collect(),
            ))
        };
        self.lines.get_or_init(fetch).clone()
    }

    /// The newest line, by the time it gives or its pseudo-version has.
    fn latest_line(&self) -> Result<String> {
        let mut best: Option<(Time, String)> = None;
        for line in self.lines()?.iter() {
            let mut words = line.split_whitespace();
            let Some(version) = words.next().filter(|version| semver::is_valid(version)) else {
                continue;
            };
            let time = match words.next() {
                Some(time) => Time::parse(time),
                None if pseudo::is_pseudo_version(version) => {
                    pseudo::time(version).and_then(Time::parse_pseudo)
                }
                None => continue,
            };
            let time = time.unwrap_or_default();
            if best.as_ref().map_or(Time::default(), |(best, _)| *best) < time {
                best = Some((time, version.to_owned()));
            }
        }
        best.map(|(_, version)| version)
            .ok_or_else(|| self.at("", Error::not_exist("no commits")))
    }

    fn canonical(&self, version: &str, what: &str) -> Result<String> {
        if version != path::canonical_version(version) {
            let text = format!("internal error: version passed to {what} is not canonical");
            return Err(self.at(version, Error::other(text)));
        }
        path::escape_version(version).map_err(|error| self.at(version, error.into()))
    }

    /// One attempt at a zip; goes on where the last one was cut. The error says whether another may help.
    fn transfer(
        &self,
        url: &Url,
        sink: &mut dyn ZipSink,
        tag: &mut Option<String>,
    ) -> Result<(), (bool, Error)> {
        let lasting = |error: Error| (false, error);
        let want = Want {
            from: sink.have(),
            if_range: tag.clone(),
            identity: true,
        };
        let mut response = self
            .client
            .get_with(Security::Default, url, &want)
            .map_err(lasting)?;
        let continues = response.code == 206
            && response
                .header("content-range")
                .is_some_and(|range| range.starts_with(&format!("bytes {}-", want.from)));
        if !continues {
            if want.from > 0 {
                sink.restart().map_err(lasting)?;
            }
            if response.code == 416 {
                return Err((true, response.into_error()));
            }
            response = response.ok().map_err(lasting)?;
        }
        *tag = response
            .header("etag")
            .filter(|tag| !tag.starts_with("W/"))
            .map(str::to_owned);
        if let Some(length) = response.length() {
            sink.expect(sink.have() + length);
        }
        let mut buffer = vec![0; 64 << 10];
        loop {
            steady_system::interrupt::check().map_err(|error| lasting(error.into()))?;
            let count = match response.read(&mut buffer) {
                // Found out here, while another proxy may still be asked. An empty archive begins with its end.
                Ok(count) if sink.have() == 0 && !b"PK".starts_with(&buffer[..count.min(2)]) => {
                    return Err(lasting(no_zip(url)));
                }
                Ok(0) if sink.have() == 0 => return Err(lasting(no_zip(url))),
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) => {
                    let text = format!("read {:?}: {}", url.redacted(), body_text(&error));
                    return Err((true, Error::other(text)));
                }
            };
            if sink.have() + count as u64 > MAX_ZIP_FILE {
                return Err(lasting(Error::other("downloaded zip file too large")));
            }
            let written = sink.write_all(&buffer[..count]);
            written.map_err(|error| {
                lasting(match error.downcast::<steady_system::Error>() {
                    Ok(error) => error.into(),
                    Err(error) => {
                        let text = steady_system::describe_io(&error);
                        Error::other(format!("write zip: {text}"))
                    }
                })
            })?;
        }
    }
}

impl Repo for ProxyRepo {
    fn module_path(&self) -> &str {
        &self.path
    }

    fn check_reuse(&self, _old: &Origin) -> Result<()> {
        Err(Error::other("proxy does not support CheckReuse"))
    }

    fn versions(&self, prefix: &str) -> Result<Versions> {
        let lines = self.lines()?;
        let first = lines
            .iter()
            .filter_map(|line| line.split_whitespace().next());
        let tagged = |version: &&str| {
            semver::is_valid(version)
                && version.starts_with(prefix)
                && !pseudo::is_pseudo_version(version)
        };
        let mut list: Vec<String> = first.filter(tagged).map(str::to_owned).collect();
        semver::sort(&mut list);
        Ok(Versions { origin: None, list })
    }

    fn stat(&self, rev: &str) -> Result<RevInfo> {
        let escaped = path::escape_version(rev).map_err(|error| self.at(rev, error.into()))?;
        let bytes = self
            .bytes(&format!("@v/{escaped}.info"), MAX_INFO)
            .map_err(|error| self.at(rev, error))?;
        let info: RevInfo = self.json(&bytes).map_err(|error| self.at(rev, error))?;
        // Asked for a version that can be, a proxy must not answer with another.
        if info.version != rev
            && rev == path::canonical_version(rev)
            && path::check(&self.path, rev).is_ok()
        {
            let text = format!(
                "proxy returned info for version {} instead of requested version",
                info.version
            );
            return Err(self.at(rev, Error::other(text)));
        }
        Ok(info)
    }

    fn latest(&self) -> Result<RevInfo> {
        match self.bytes("@latest", MAX_INFO) {
            Ok(bytes) => self.json(&bytes).map_err(|error| self.at("", error)),
            Err(error) if error.is_not_exist() => self.stat(&self.latest_line()?),
            Err(error) => Err(self.at("", error)),
        }
    }

    fn go_mod(&self, version: &str) -> Result<Vec<u8>> {
        let escaped = self.canonical(version, "GoMod")?;
        self.text(&format!("@v/{escaped}.mod"), MAX_GO_MOD)
            .map_err(|error| self.at(version, error))
    }

    fn zip(&self, sink: &mut dyn ZipSink, version: &str) -> Result<()> {
        let escaped = self.canonical(version, "Zip")?;
        let url = self.url.join(&format!("@v/{escaped}.zip"));
        let (mut tag, mut pause, mut attempt) = (None, self.limits.pause, 1);
        loop {
            let before = sink.have();
            match self.transfer(&url, sink, &mut tag) {
                Ok(()) => return Ok(()),
                Err((true, _)) if attempt < self.limits.attempts => {
                    // A transfer that got on may be cut as often as it likes.
                    attempt = if sink.have() > before + (256 << 10) {
                        1
                    } else {
                        attempt + 1
                    };
                    clock::sleep(pause)?;
                    pause = (pause * 3).min(std::time::Duration::from_secs(10));
                }
                Err((_, error)) => return Err(self.at(version, error)),
            }
        }
    }
}

fn no_zip(url: &Url) -> Error {
    let url = url.redacted();
    Error::other(format!("reading {url}: zip: not a valid zip file"))
}

/// What Go's decoder says of text that is no JSON (most often a page of HTML).
fn json_text(bytes: &[u8], error: &serde_json::Error) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.trim_start().chars().next() {
        None => "unexpected end of JSON input".to_owned(),
        Some(first) if !first.is_ascii_digit() && !"{[\"tfn-".contains(first) => {
            format!("invalid character {first:?} looking for beginning of value")
        }
        Some(_) => error.to_string(),
    }
}

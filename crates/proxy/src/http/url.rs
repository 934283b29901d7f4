//! URLs, as far as module proxies and repositories need them; printed and escaped as Go's `net/url` does.

use std::fmt;

use crate::{Error, Result};

/// A URL with a scheme. The path stays percent-encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// `https`, `http`, `file`, ... in lower case; may be empty after [`Url::parse`].
    pub scheme: String,
    /// User and password, percent-decoded.
    pub user: Option<(String, Option<String>)>,
    /// Host, with a port if given.
    pub host: String,
    /// Path, percent-encoded.
    pub path: String,
    /// Query without `?`.
    pub query: Option<String>,
}

impl Url {
    /// Parses. Control characters, spaces and broken escapes are refused with Go's texts.
    pub fn parse(text: &str) -> Result<Url> {
        let fail = |why: String| Error::other(format!("parse {text:?}: {why}"));
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err(fail("net/url: invalid control character in URL".to_owned()));
        }
        let (rest, _fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = split_scheme(rest).map_err(|why| fail(why.to_owned()))?;
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query.to_owned())),
            None => (rest, None),
        };
        let mut url = Url {
            scheme: scheme.to_ascii_lowercase(),
            query,
            ..Url::default()
        };
        let path = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                url.set_authority(authority).map_err(&fail)?;
                path
            }
            None => rest,
        };
        decode(path).map_err(&fail)?;
        url.path = normalize(path);
        Ok(url)
    }

    fn set_authority(&mut self, authority: &str) -> Result<(), String> {
        let host = match authority.rsplit_once('@') {
            Some((user, host)) => {
                let (name, password) = match user.split_once(':') {
                    Some((name, password)) => (name, Some(decode(password)?)),
                    None => (user, None),
                };
                self.user = Some((decode(name)?, password));
                host
            }
            None => authority,
        };
        if let Some(bad) = host.chars().find(|c| {
            matches!(
                c,
                ' ' | '<' | '>' | '"' | '\\' | '^' | '`' | '{' | '|' | '}'
            )
        }) {
            return Err(format!(
                "invalid character {:?} in host name",
                bad.to_string()
            ));
        }
        let port = host
            .rfind(':')
            .filter(|&at| !host[at..].contains(']'))
            .map(|at| &host[at..]);
        if let Some(port) = port.filter(|port| !port[1..].bytes().all(|byte| byte.is_ascii_digit()))
        {
            return Err(format!("invalid port {port:?} after host"));
        }
        host.clone_into(&mut self.host);
        Ok(())
    }

    /// The URL with `tail` (not encoded) added to its path, one slash between.
    #[must_use]
    pub fn join(&self, tail: &str) -> Url {
        let mut url = self.clone();
        if !tail.is_empty() {
            url.path = format!(
                "{}/{}",
                self.path.trim_end_matches('/'),
                escape_path(tail.trim_start_matches('/'))
            );
        }
        url
    }

    /// What a `Location` header leads to from here.
    pub fn resolve(&self, location: &str) -> Result<Url> {
        let mut to = Url::parse(location)?;
        if !to.scheme.is_empty() && !to.host.is_empty() {
            return Ok(to);
        }
        to.scheme.clone_from(&self.scheme);
        if to.host.is_empty() {
            to.host.clone_from(&self.host);
            to.user.clone_from(&self.user);
            if !to.path.starts_with('/') {
                let base = self.path.rfind('/').map_or("/", |at| &self.path[..=at]);
                to.path = format!("{base}{}", to.path);
            }
        }
        Ok(to)
    }

    /// The host without its port.
    pub fn host_name(&self) -> &str {
        let host = match self.host.rfind(':') {
            Some(at) if !self.host[at..].contains(']') => &self.host[..at],
            _ => &self.host,
        };
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port, given or of the scheme.
    pub fn port(&self) -> u16 {
        let given = self
            .host
            .rfind(':')
            .and_then(|at| self.host[at + 1..].parse().ok());
        given.unwrap_or(if self.scheme == "http" { 80 } else { 443 })
    }

    /// Whether the host is this machine itself.
    pub fn is_loopback(&self) -> bool {
        let name = self.host_name();
        name == "localhost"
            || name
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    /// The file a `file://` URL names.
    pub fn to_file_path(&self) -> Result<String> {
        if self.scheme != "file" {
            return Err(Error::other("non-file URL"));
        }
        if self.path.is_empty() {
            return Err(Error::other("file URL missing path"));
        }
        if !self.host.is_empty() && self.host != "localhost" {
            return Err(Error::other("file URL specifies non-local host"));
        }
        let path = decode(&self.path).map_err(Error::other)?;
        if path.starts_with('/') {
            Ok(path)
        } else {
            Err(Error::other("path is not absolute"))
        }
    }

    /// The text with the password replaced by `xxxxx`.
    pub fn redacted(&self) -> String {
        match &self.user {
            Some((user, Some(_))) => self.text(&format!("{}:xxxxx@", escape_user(user))),
            Some((user, None)) => self.text(&format!("{}@", escape_user(user))),
            None => self.text(""),
        }
    }

    /// The text without user and password.
    pub fn without_user(&self) -> String {
        self.text("")
    }

    fn text(&self, user: &str) -> String {
        let Url {
            scheme,
            host,
            path,
            query,
            ..
        } = self;
        let mut out = String::new();
        if !scheme.is_empty() {
            out = format!("{scheme}:");
        }
        if !host.is_empty() || !user.is_empty() || scheme == "file" {
            out += &format!("//{user}{host}");
        }
        out += path;
        if let Some(query) = query {
            out += &format!("?{query}");
        }
        out
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some((user, Some(password))) => f.write_str(&self.text(&format!(
                "{}:{}@",
                escape_user(user),
                escape_user(password)
            ))),
            _ => f.write_str(&self.redacted()),
        }
    }
}

fn split_scheme(text: &str) -> Result<(&str, &str), &'static str> {
    match text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | '.')) {
        Some(0) if text.starts_with(':') => Err("missing protocol scheme"),
        Some(at)
            if text[at..].starts_with(':')
                && text.starts_with(|c: char| c.is_ascii_alphabetic()) =>
        {
            Ok((&text[..at], &text[at + 1..]))
        }
        Some(at) if text[at..].starts_with(':') && !text[..at].contains('/') => {
            Err("first path segment in URL cannot contain colon")
        }
        _ => Ok(("", text)),
    }
}

/// Percent-decodes; bytes that are not UTF-8 are replaced.
pub fn decode(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => out.push(byte),
            None => {
                let end = (at + 3).min(bytes.len());
                return Err(format!(
                    "invalid URL escape {:?}",
                    String::from_utf8_lossy(&bytes[at..end])
                ));
            }
        }
        at += 3;
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Percent-encodes what may not stand in a path; slashes stay.
pub fn escape_path(text: &str) -> String {
    escape(text, b"-_.~$&+,/:;=@")
}

fn escape_user(text: &str) -> String {
    escape(text, b"-_.~$&+,;=")
}

/// Encodes what a typed path left plain, leaving escapes alone.
fn normalize(path: &str) -> String {
    escape(path, b"-_.~$&+,/:;=@%")
}

fn escape(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_text() {
        let url = Url::parse("HTTPS://me:p%40ss@example.com:8443/a%20b/c?q=1#frag").unwrap();
        assert_eq!(
            (url.scheme.as_str(), url.host_name(), url.port()),
            ("https", "example.com", 8443)
        );
        assert_eq!(url.user, Some(("me".into(), Some("p@ss".into()))));
        assert_eq!(
            url.redacted(),
            "https://me:xxxxx@example.com:8443/a%20b/c?q=1"
        );
        assert_eq!(
            url.to_string(),
            "https://me:p%40ss@example.com:8443/a%20b/c?q=1"
        );
    }

    #[test]
    fn joined_paths_are_escaped_like_gos() {
        let url = Url::parse("https://example.com/mod/")
            .unwrap()
            .join("github.com/!big/x/@v/v1.0.0.info");
        assert_eq!(
            url.to_string(),
            "https://example.com/mod/github.com/%21big/x/@v/v1.0.0.info"
        );
    }

    #[test]
    fn files() {
        assert_eq!(
            Url::parse("file:///a%20b/c")
                .unwrap()
                .to_file_path()
                .unwrap(),
            "/a b/c"
        );
        assert_eq!(
            Url::parse("file:///a")
                .unwrap()
                .join("m/@v/list")
                .to_string(),
            "file:///a/m/@v/list"
        );
        assert!(Url::parse("file://host/a").unwrap().to_file_path().is_err());
    }

    #[test]
    fn redirects_resolve() {
        let url = Url::parse("https://example.com/a/b?q").unwrap();
        assert_eq!(
            url.resolve("/c").unwrap().to_string(),
            "https://example.com/c"
        );
        assert_eq!(
            url.resolve("c").unwrap().to_string(),
            "https://example.com/a/c"
        );
        assert_eq!(
            url.resolve("//other/c").unwrap().to_string(),
            "https://other/c"
        );
        assert_eq!(
            url.resolve("http://other/").unwrap().to_string(),
            "http://other/"
        );
    }

    #[test]
    fn refusals_read_like_gos() {
        let text = |url: &str| Url::parse(url).unwrap_err().to_string();
        assert_eq!(text("%"), "parse \"%\": invalid URL escape \"%\"");
        assert_eq!(
            text("http://x:y/"),
            "parse \"http://x:y/\": invalid port \":y\" after host"
        );
        assert_eq!(text(":x"), "parse \":x\": missing protocol scheme");
    }
}

//! Credentials: `.netrc`, git's credential helpers, and commands that GOAUTH names.
//!
//! GOAUTH is a `;`-separated list. All of it runs once before the first https request, and once more, with the URL, after a
//! request was refused with a 4xx. What it gives is kept by URL prefix; a request gets the headers of its longest prefix. Only
//! https requests carry any of this.

use base64::Engine;
use std::collections::HashMap;
use std::sync::{Mutex, Once, PoisonError};

use camino::Utf8Path;
use steady_system::process::Command;
use steady_system::{Environment, Files};

use super::Url;
use crate::{Error, Result};

type Headers = Vec<(String, String)>;

/// The credentials of a run.
#[derive(Debug)]
pub struct Auth {
    goauth: String,
    environment: Environment,
    files: Files,
    first: Once,
    by_prefix: Mutex<HashMap<String, Headers>>,
    failure: Mutex<Option<Error>>,
}

/// What a server answered to a request without, or with wrong, credentials: commands get it on standard input.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// `HTTP/1.1 401 Unauthorized`.
    pub status_line: String,
    /// Response headers.
    pub headers: Headers,
}

impl Auth {
    /// Credentials by the rules of a GOAUTH value; nothing is read yet.
    pub fn new(goauth: &str, environment: Environment, files: Files) -> Auth {
        let goauth = if goauth.is_empty() { "netrc" } else { goauth }.to_owned();
        let (by_prefix, failure) = (Mutex::default(), Mutex::default());
        Auth {
            goauth,
            environment,
            files,
            first: Once::new(),
            by_prefix,
            failure,
        }
    }

    /// Headers for a request.
    pub fn headers(&self, url: &Url) -> Result<Option<Headers>> {
        if self.goauth == "off" || url.scheme != "https" {
            return Ok(None);
        }
        self.first.call_once(|| {
            if let Err(error) = self.run("", None) {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        });
        if let Some(error) = &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.clone());
        }
        Ok(self.find(&url.without_user()))
    }

    /// Headers for a request that was refused, after asking once more for this URL; and what failed if there are none.
    pub fn headers_after(
        &self,
        url: &Url,
        refusal: &Refusal,
    ) -> Result<(Option<Headers>, Vec<String>)> {
        let mut failures = self.run(&url.without_user(), Some(refusal))?;
        let headers = self.find(&url.without_user());
        if headers.is_some() {
            failures.clear();
        }
        Ok((headers, failures))
    }

    fn find(&self, url: &str) -> Option<Headers> {
        let map = self
            .by_prefix
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut prefix = trim(url);
        loop {
            if let Some(headers) = map.get(prefix) {
                return Some(headers.clone());
            }
            prefix = &prefix[..prefix.rfind('/')?];
        }
    }

    fn store(&self, prefix: &str, headers: Headers) {
        let mut map = self
            .by_prefix
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if headers.is_empty() {
            map.remove(trim(prefix));
        } else {
            map.insert(trim(prefix).to_owned(), headers);
        }
    }

    /// Runs the whole list, last entry first, so that the first one's answers stand. What fails leaves the others their chance, and
    /// is given back.
    fn run(&self, url: &str, refusal: Option<&Refusal>) -> Result<Vec<String>> {
        let goauth = &self.goauth;
        let mut failures = Vec::new();
        let refuse = |why: &str| Err(Error::other(why.to_owned()));
        for command in goauth.split(';').rev().map(str::trim) {
            let words: Vec<&str> = command.split_whitespace().collect();
            let done = match words.as_slice() {
                [] => {
                    return refuse(&format!(
                        "GOAUTH encountered an empty command (GOAUTH={goauth})"
                    ));
                }
                ["off", ..] => {
                    let why = format!(
                        "GOAUTH=off cannot be combined with other authentication commands (GOAUTH={goauth})"
                    );
                    return refuse(&why);
                }
                ["netrc"] => self.run_netrc(),
                ["git", dir] if dir.starts_with('/') => {
                    let dir = Utf8Path::new(dir);
                    let meta = self.files.stat(dir);
                    let meta = meta.map_err(|e| {
                        Error::other(format!(
                            "GOAUTH=git encountered an error; cannot stat {dir}: {e}"
                        ))
                    })?;
                    if !meta.is_dir() {
                        let why = "GOAUTH=git dir method requires an absolute path to the git working directory, dir is not a directory";
                        return refuse(why);
                    }
                    self.run_git(dir, url)
                }
                ["git", _] => {
                    let why = "GOAUTH=git dir method requires an absolute path to the git working directory, dir is not absolute";
                    return refuse(why);
                }
                ["git", ..] => {
                    return refuse(
                        "GOAUTH=git dir method requires an absolute path to the git working directory",
                    );
                }
                _ => self.run_command(command, url, refusal),
            };
            if let Err(error) = done {
                failures.push(format!("GOAUTH={command}: {error}"));
            }
        }
        Ok(failures)
    }

    fn run_netrc(&self) -> Result<()> {
        let path = match (self.environment.get("NETRC"), self.environment.home_dir()) {
            ("", Ok(home)) => home.join(".netrc"),
            ("", Err(why)) => return Err(Error::other(why)),
            (path, _) => path.into(),
        };
        let Some(bytes) = self.files.read_if_exists(&path)? else {
            return Ok(());
        };
        for line in parse_netrc(&String::from_utf8_lossy(&bytes))
            .into_iter()
            .rev()
        {
            self.store(&line.machine, vec![basic(&line.login, &line.password)]);
        }
        Ok(())
    }

    /// Asks git's helpers for one URL; what they give is told good or bad by the request that follows.
    fn run_git(&self, dir: &Utf8Path, url: &str) -> Result<()> {
        if url.is_empty() {
            return Ok(());
        }
        let mut command = Command::new("git", &self.environment);
        command
            .args(["credential", "fill"])
            .dir(dir)
            .input(format!("url={url}\n"));
        let output = command.combined()?;
        let text = output.text();
        if !output.status.success() {
            return Err(Error::other(format!(
                "'git credential fill' failed (url={url}): {}\n{text}",
                output.status
            )));
        }
        let Some((prefix, user, password)) = parse_git(&text, url) else {
            let why = format!("'git credential fill' failed for url={url}, unable to parse it");
            return Err(Error::other(why));
        };
        self.store(&prefix, vec![basic(&user, &password)]);
        Ok(())
    }

    fn run_command(&self, command: &str, url: &str, refusal: Option<&Refusal>) -> Result<()> {
        let words = split_quoted(command)
            .ok_or_else(|| Error::other(format!("cannot parse GOAUTH command {command}")))?;
        let Some((program, args)) = words.split_first() else {
            return Ok(());
        };
        let mut run = Command::new(program.as_str(), &self.environment);
        run.args(args);
        if !url.is_empty() {
            run.arg(url);
        }
        if let Some(refusal) = refusal {
            let mut text = format!("{}\n", refusal.status_line);
            refusal
                .headers
                .iter()
                .for_each(|(name, value)| text += &format!("{name}: {value}\n"));
            run.input(text + "\n");
        }
        let output = run.output()?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::other(format!(
                "could not run command {command}: {}\n{stderr}",
                output.status
            )));
        }
        let parsed = parse_answer(&output.text());
        let parsed = parsed.map_err(|why| {
            Error::other(format!(
                "cannot parse output of GOAUTH command {command}: {why}"
            ))
        })?;
        parsed
            .into_iter()
            .for_each(|(prefix, headers)| self.store(&prefix, headers));
        Ok(())
    }
}

fn trim(url: &str) -> &str {
    let url = url.strip_prefix("https://").unwrap_or(url);
    url.strip_suffix('/').unwrap_or(url)
}

/// The header of basic authentication.
pub fn basic(user: &str, password: &str) -> (String, String) {
    let text = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    ("Authorization".to_owned(), format!("Basic {text}"))
}

struct NetrcLine {
    machine: String,
    login: String,
    password: String,
}

fn parse_netrc(text: &str) -> Vec<NetrcLine> {
    let mut out = Vec::new();
    let (mut machine, mut login, mut password) = (String::new(), String::new(), String::new());
    let mut in_macro = false;
    for line in text.split('\n') {
        if in_macro {
            in_macro = !line.is_empty();
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut pairs = words.chunks_exact(2);
        for pair in pairs.by_ref() {
            match pair[0] {
                "machine" => {
                    (machine, login, password) = (pair[1].to_owned(), String::new(), String::new())
                }
                "login" => pair[1].clone_into(&mut login),
                "password" => pair[1].clone_into(&mut password),
                "macdef" => in_macro = true,
                _ => {}
            }
            if !machine.is_empty() && !login.is_empty() && !password.is_empty() {
                let take = std::mem::take;
                out.push(NetrcLine {
                    machine: take(&mut machine),
                    login: take(&mut login),
                    password: take(&mut password),
                });
            }
        }
        if pairs.remainder() == ["default"] {
            break;
        }
    }
    out
}

/// Prefix, user and password from git's `key=value` lines, if they are for the URL asked about.
fn parse_git(text: &str, url: &str) -> Option<(String, String, String)> {
    let (mut prefix, mut user, mut password) = (Url::default(), String::new(), String::new());
    for (key, value) in text.lines().filter_map(|line| line.trim().split_once('=')) {
        match key {
            "protocol" => value.clone_into(&mut prefix.scheme),
            "host" => value.clone_into(&mut prefix.host),
            "path" if value.starts_with('/') => value.clone_into(&mut prefix.path),
            "path" => prefix.path = format!("/{value}"),
            "username" => value.clone_into(&mut user),
            "password" => value.clone_into(&mut password),
            "url" => prefix = Url::parse(value).unwrap_or(prefix),
            _ => {}
        }
    }
    let prefix = prefix.to_string();
    (!prefix.is_empty() && url.starts_with(&prefix)).then_some((prefix, user, password))
}

/// Blocks of URLs, an empty line, headers, an empty line.
fn parse_answer(text: &str) -> Result<Vec<(String, Headers)>, String> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (urls, after) = block(rest).ok_or("invalid format: missing empty line after URLs")?;
        let (lines, after) =
            block(after).ok_or("invalid format: missing empty line after headers")?;
        rest = after;
        let mut headers = Headers::new();
        for line in lines {
            let (name, value) = line
                .split_once(": ")
                .ok_or("invalid format: invalid header line")?;
            let value = value.trim();
            let good_name = !name.is_empty() && name.bytes().all(is_token);
            if !good_name
                || value
                    .bytes()
                    .any(|byte| byte.is_ascii_control() && byte != b'\t')
            {
                return Err("invalid format: invalid header line".to_owned());
            }
            headers.push((name.to_owned(), value.to_owned()));
        }
        for url in urls {
            let parsed =
                Url::parse(url).map_err(|error| format!("could not parse URL {url}: {error}"))?;
            out.push((parsed.to_string(), headers.clone()));
        }
    }
    Ok(out)
}

/// The lines up to an empty one, and what follows it.
fn block(text: &str) -> Option<(Vec<&str>, &str)> {
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let (line, after) = rest.split_once('\n')?;
        rest = after;
        if line.is_empty() {
            return Some((lines, rest));
        }
        lines.push(line);
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Words separated by spaces, where quotes (single or double, without escapes) hold one together.
fn split_quoted(text: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => rest[1..].split_once(first)?,
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        out.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netrc() {
        let text = "machine a login u password p\nmacdef m\nmachine x login y password z\n\nmachine b\nlogin v\npassword q\ndefault\nmachine c login w password r";
        let lines = parse_netrc(text);
        let seen: Vec<_> = lines
            .iter()
            .map(|l| (l.machine.as_str(), l.login.as_str(), l.password.as_str()))
            .collect();
        assert_eq!(seen, [("a", "u", "p"), ("b", "v", "q")]);
    }

    #[test]
    fn command_answers() {
        let text =
            "https://example.com\nhttps://example.net/a/\n\nAuthorization: Basic x\nX-Y: z\n\n";
        let parsed = parse_answer(text).unwrap();
        assert_eq!(parsed.len(), 2);
        assert_eq!(parsed[0].1[1], ("X-Y".to_owned(), "z".to_owned()));
        assert!(parse_answer("https://example.com\n").is_err());
        assert!(parse_answer("https://example.com\n\nBad Name: x\n\n").is_err());
    }

    #[test]
    fn longest_prefix_wins_and_http_gets_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(dir.path()).unwrap();
        let files = Files::new(home);
        files
            .write(".netrc", b"machine example.com login u password p", 0o600)
            .unwrap();
        let auth = Auth::new(
            "netrc",
            Environment::empty(home).with("HOME", home.as_str()),
            files,
        );
        auth.store("https://example.com/deep/", vec![("A".into(), "b".into())]);
        let headers = |url: &str| auth.headers(&Url::parse(url).unwrap()).unwrap();
        assert_eq!(
            headers("https://example.com/x"),
            Some(vec![basic("u", "p")])
        );
        assert_eq!(
            headers("https://example.com/deep/x"),
            Some(vec![("A".to_owned(), "b".to_owned())])
        );
        assert_eq!(headers("https://example.com.evil/x"), None);
        assert_eq!(headers("http://example.com/x"), None);
    }

    #[test]
    fn words() {
        assert_eq!(split_quoted("a 'b c' \"d\"").unwrap(), ["a", "b c", "d"]);
        assert_eq!(split_quoted("a 'b"), None);
    }

    #[test]
    fn git_answers_must_be_for_the_url() {
        let text = "protocol=https\nhost=example.com\nusername=u\npassword=p\n";
        assert_eq!(
            parse_git(text, "https://example.com/x").unwrap().0,
            "https://example.com"
        );
        assert_eq!(parse_git(text, "https://other.com/x"), None);
    }
}

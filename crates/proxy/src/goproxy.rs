//! The GOPROXY list: parsing it, walking it, and which error of a walk is the one to show.

use crate::error::Kind;
use crate::http::Url;
use crate::{Config, Error, Result};

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A URL, or `direct`, `noproxy`, `off`.
    pub url: String,
    /// `|` follows: any error leads on to the next entry, not only "does not exist".
    pub falls_back: bool,
}

/// "does not exist" because GOPROXY says `off`.
pub fn off() -> Error {
    Error::not_exist("module lookup disabled by GOPROXY=off")
}

/// "does not exist" at a proxy because the module is private.
pub fn private() -> Error {
    Error::not_exist("disabled by GOPRIVATE/GONOPROXY")
}

const NOT_PRIVATE: &str = "path does not match GOPRIVATE/GONOPROXY";

/// "does not exist" directly because the module is not private.
pub fn not_private() -> Error {
    Error::not_exist(NOT_PRIVATE)
}

/// Parses the list; a `noproxy` entry comes first if there is a GONOPROXY.
pub fn parse(config: &Config) -> Result<Vec<Entry>> {
    let mut list = Vec::new();
    let word = |url: &str| Entry {
        url: url.to_owned(),
        falls_back: false,
    };
    if !config.gonoproxy.is_empty() && config.goproxy != "direct" {
        list.push(word("noproxy"));
    }
    let mut rest = config.goproxy.as_str();
    while !rest.is_empty() {
        let (url, falls_back);
        (url, falls_back, rest) = match rest.find([',', '|']) {
            Some(at) => (
                rest[..at].trim(),
                rest[at..].starts_with('|'),
                &rest[at + 1..],
            ),
            None => (rest.trim(), false, ""),
        };
        match url {
            "" => {}
            // Nothing after these is ever reached.
            "off" | "direct" => {
                list.push(word(url));
                break;
            }
            _ => {
                let url = if url.contains(['.', ':', '/'])
                    && !url.contains(":/")
                    && !url.starts_with('/')
                {
                    format!("https://{url}")
                } else {
                    url.to_owned()
                };
                check_url(&url)?;
                list.push(Entry { url, falls_back });
            }
        }
    }
    if list.iter().all(|entry| entry.url == "noproxy") {
        return Err(Error::other(
            "GOPROXY list is not the empty string, but contains no entries",
        ));
    }
    Ok(list)
}

/// The URL of a proxy, if it is one.
pub fn check_url(text: &str) -> Result<Url> {
    let url = Url::parse(text)?;
    let redacted = url.redacted();
    match url.scheme.as_str() {
        "http" | "https" => Ok(url),
        "file" if !url.host.is_empty() || url.user.is_some() || url.query.is_some() => {
            Err(Error::other(format!(
                "invalid file:// proxy URL with non-path elements: {redacted}"
            )))
        }
        "file" => Ok(url),
        "" => Err(Error::other(format!(
            "invalid proxy URL missing scheme: {redacted}"
        ))),
        _ => Err(Error::other(format!(
            "invalid proxy URL scheme (must be https, http, file): {redacted}"
        ))),
    }
}

/// Asks entry after entry until one answers. The error shown is the most helpful: of direct access before that of a proxy, of a
/// proxy that failed before one that has nothing. What cannot be trusted, and an interrupt, end the walk.
pub fn walk<T>(entries: &[Entry], mut ask: impl FnMut(&str) -> Result<T>) -> Result<T> {
    #[derive(PartialEq, PartialOrd)]
    enum Rank {
        NotExist,
        Proxy,
        Direct,
    }
    let mut best: Option<(Rank, Error)> = None;
    for entry in entries {
        let error = match ask(&entry.url) {
            Ok(answer) => return Ok(answer),
            Err(error) if ends_the_walk(&error) => return Err(error),
            Err(error) => error,
        };
        let not_exist = error.is_not_exist();
        let not_private = matches!(error.kind(), Kind::NotExist(text) if text == NOT_PRIVATE);
        let rank = best.as_ref().map_or(&Rank::NotExist, |(rank, _)| rank);
        if entry.url == "direct" || (entry.url == "noproxy" && !not_private) {
            best = Some((Rank::Direct, error));
        } else if *rank <= Rank::Proxy && !not_exist {
            best = Some((Rank::Proxy, error));
        } else if *rank == Rank::NotExist {
            best = Some((Rank::NotExist, error));
        }
        if !entry.falls_back && !not_exist {
            break;
        }
    }
    Err(best.map_or_else(off, |(_, error)| error))
}

fn ends_the_walk(error: &Error) -> bool {
    error.is_security() || error.is_interrupt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(goproxy: &str, gonoproxy: &str) -> Result<Vec<(String, bool)>> {
        let config = Config {
            goproxy: goproxy.into(),
            gonoproxy: gonoproxy.into(),
            ..Config::default()
        };
        Ok(parse(&config)?
            .into_iter()
            .map(|entry| (entry.url, entry.falls_back))
            .collect())
    }

    fn entry(url: &str, falls_back: bool) -> (String, bool) {
        (url.to_owned(), falls_back)
    }

    #[test]
    fn parsing() {
        let want = [
            entry("https://a.test", true),
            entry("file:///x", false),
            entry("direct", false),
        ];
        assert_eq!(
            list("a.test|file:///x, direct,https://never.test", "").unwrap(),
            want
        );
        assert_eq!(
            list("off", "x").unwrap(),
            [entry("noproxy", false), entry("off", false)]
        );
        assert_eq!(list("direct", "x").unwrap(), [entry("direct", false)]);
        let text = |goproxy: &str| list(goproxy, "x").unwrap_err().to_string();
        assert_eq!(
            text(","),
            "GOPROXY list is not the empty string, but contains no entries"
        );
        assert_eq!(
            text("ftp://x"),
            "invalid proxy URL scheme (must be https, http, file): ftp://x"
        );
        assert_eq!(text("word"), "invalid proxy URL missing scheme: word");
        assert_eq!(
            text("file://host/x"),
            "invalid file:// proxy URL with non-path elements: file://host/x"
        );
    }

    #[test]
    fn a_comma_falls_back_on_not_found_a_bar_on_anything() {
        let entries = |text: &str| {
            parse(&Config {
                goproxy: text.into(),
                ..Config::default()
            })
            .unwrap()
        };
        let ask = |text: &str, errors: &[Error]| {
            let mut asked = Vec::new();
            let result: Result<()> = walk(&entries(text), |url| {
                asked.push(url.to_owned());
                Err(errors[asked.len() - 1].clone())
            });
            (asked.len(), result.unwrap_err().to_string())
        };
        let (gone, down) = (Error::not_exist("gone"), Error::other("down"));
        assert_eq!(
            ask("a.test,b.test", &[gone.clone(), gone.clone()]),
            (2, "gone".into())
        );
        assert_eq!(
            ask("a.test,b.test", &[down.clone(), gone.clone()]),
            (1, "down".into())
        );
        assert_eq!(
            ask("a.test|b.test", &[down.clone(), gone.clone()]),
            (2, "down".into())
        );
        assert_eq!(
            ask("a.test|direct", &[down.clone(), gone.clone()]),
            (2, "gone".into())
        );
        let forged: Error = Kind::Security("forged".into()).into();
        assert_eq!(ask("a.test|direct", &[forged, gone]), (1, "forged".into()));
    }
}

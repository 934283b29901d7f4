//! What hg, bzr and fossil print about a revision.

use super::host::{Commit, shorten};
use crate::{Error, Origin, Result, Time};

fn unexpected(command: &str, text: &str) -> Error {
    Error::other(format!("unexpected response from {command}: {text:?}"))
}

fn with_hash(hash: &str) -> Option<Origin> {
    Some(Origin {
        hash: hash.to_owned(),
        ..Origin::default()
    })
}

/// The whole name if `rev` is the start of it, else `rev`.
fn whole(rev: &str, hash: &str) -> String {
    if hash.starts_with(rev) { hash } else { rev }.to_owned()
}

/// `{node} {date|hgdate} {tags}`: hash, seconds, zone, tags.
pub fn hg(rev: &str, text: &str) -> Result<Commit> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [hash, seconds, _zone, tags @ ..] = words.as_slice() else {
        return Err(unexpected("hg log", text));
    };
    let Ok(seconds) = seconds.parse() else {
        return Err(Error::other(format!("invalid time from hg log: {text:?}")));
    };
    let tags = tags.iter().filter(|tag| **tag != "tip");
    let mut tags: Vec<String> = tags.map(|tag| (*tag).to_owned()).collect();
    tags.sort();
    Ok(Commit {
        origin: with_hash(hash),
        name: (*hash).to_owned(),
        short: shorten(hash).to_owned(),
        version: whole(rev, hash),
        time: Time::from_unix(seconds),
        tags,
    })
}

/// The head of `bzr log --long`: `key: value` lines up to the message.
pub fn bzr(rev: &str, text: &str) -> Result<Commit> {
    let (mut number, mut time, mut tags) = (0u64, Time::default(), Vec::new());
    for line in text.split('\n') {
        if line.is_empty() || line.starts_with([' ', '\t']) {
            break;
        }
        if line.starts_with('-') {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else {
            break;
        };
        let value = value.trim();
        match key {
            "revno" => {
                let digits = value.split(' ').next().unwrap_or_default();
                let bad = |_| Error::other(format!("unexpected revno from bzr log: {line:?}"));
                number = digits.parse().map_err(bad)?;
            }
            "timestamp" => {
                let bad = || Error::other(format!("unexpected timestamp from bzr log: {line:?}"));
                time = bzr_time(value).ok_or_else(bad)?;
            }
            "tags" => tags = value.split(", ").map(str::to_owned).collect(),
            _ => {}
        }
    }
    if number == 0 || time.is_zero() {
        return Err(unexpected("bzr log", text));
    }
    Ok(Commit {
        origin: None,
        name: number.to_string(),
        short: format!("{number:012}"),
        version: rev.to_owned(),
        time,
        tags,
    })
}

/// `Fri 2017-09-22 01:05:58 +0200`
fn bzr_time(value: &str) -> Option<Time> {
    let words: Vec<&str> = value.split(' ').collect();
    let [_day, date, clock, zone] = words[..] else {
        return None;
    };
    let (hours, minutes) = zone.split_at_checked(3)?;
    Time::parse(&format!("{date}T{clock}{hours}:{minutes}")).map(Time::utc)
}

/// The line `hash: <hash> 2017-09-22 01:05:58 UTC` (`uuid:` in old releases) of `fossil info`.
pub fn fossil(rev: &str, text: &str) -> Result<Commit> {
    let line = text
        .split('\n')
        .find(|line| line.starts_with("uuid:") || line.starts_with("hash:"))
        .ok_or_else(|| unexpected("fossil info", text))?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let parsed = match words[..] {
        [_, hash, date, clock, "UTC"] if hash.len() == 40 => {
            Time::parse(&format!("{date}T{clock}Z")).map(|time| (hash, time))
        }
        _ => None,
    };
    let (hash, time) = parsed.ok_or_else(|| unexpected("fossil info", line))?;
    Ok(Commit {
        origin: with_hash(hash),
        name: hash.to_owned(),
        short: shorten(hash).to_owned(),
        version: whole(rev, hash),
        time,
        tags: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn mercurial() {
        let commit = hg("0123456", &format!("{HASH} 1506044158 -7200 v1.0.0 a tip")).unwrap();
        assert_eq!(
            (commit.name.as_str(), commit.version.as_str()),
            (HASH, HASH)
        );
        assert_eq!(commit.short, "0123456789ab");
        assert_eq!(commit.tags, ["a", "v1.0.0"]);
        assert_eq!(commit.time, Time::from_unix(1_506_044_158));
        assert_eq!(
            hg("v1.0.0", &format!("{HASH} 1 0")).unwrap().version,
            "v1.0.0"
        );
        assert!(hg("x", "").is_err());
    }

    #[test]
    fn bazaar() {
        let text = "-----\nrevno: 2 [merge]\nrevision-id: me@x\ntags: v1.0.0, other\ncommitter: me\n\
            timestamp: Fri 2017-09-22 03:05:58 +0200\nmessage:\n  revno: 9\n";
        let commit = bzr("v1.0.0", text).unwrap();
        assert_eq!(
            (commit.name.as_str(), commit.short.as_str()),
            ("2", "000000000002")
        );
        assert_eq!(commit.time.to_string(), "2017-09-22T01:05:58Z");
        assert_eq!(commit.tags, ["v1.0.0", "other"]);
        for bad in [
            "",
            "revno: x\n",
            "revno: 1\ntimestamp: then\n",
            "revno: 1\n",
        ] {
            assert!(bzr("x", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fossils() {
        let text = format!("project: x\nhash:  {HASH} 2017-09-22 01:05:58 UTC\ntags: trunk\n");
        let commit = fossil("trunk", &text).unwrap();
        assert_eq!(
            (commit.name.as_str(), commit.version.as_str()),
            (HASH, "trunk")
        );
        assert_eq!(commit.time.to_string(), "2017-09-22T01:05:58Z");
        assert!(fossil("trunk", "hash: x\n").is_err());
        assert!(fossil("trunk", "").is_err());
    }
}

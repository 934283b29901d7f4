//! Moments as they stand in `.info` files: RFC 3339, with the offset they were given with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use steady_system::calendar::Civil;

/// A moment. The default is Go's zero time, `0001-01-01T00:00:00Z`.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    seconds: i64,
    nanos: u32,
    /// Minutes to the east, for showing it as it was written: the same moment is the same whatever they are.
    offset: i16,
}

impl PartialEq for Time {
    fn eq(&self, other: &Time) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Time) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Time) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

const ZERO: i64 = -62_135_596_800;

impl Default for Time {
    fn default() -> Time {
        Time {
            seconds: ZERO,
            nanos: 0,
            offset: 0,
        }
    }
}

impl Time {
    /// Seconds since 1970, UTC.
    pub fn from_unix(seconds: i64) -> Time {
        Time {
            seconds,
            nanos: 0,
            offset: 0,
        }
    }

    /// The day, where it was written: `2026-01-31`.
    pub fn date(self) -> String {
        Civil::of_unix(self.local()).date()
    }

    /// Seconds since 1970, as a clock shows them that goes by the offset.
    fn local(self) -> i64 {
        self.seconds + i64::from(self.offset) * 60
    }

    /// Seconds since 1970, UTC.
    pub fn unix(self) -> i64 {
        self.seconds
    }

    /// The same moment, shown as of Greenwich.
    #[must_use]
    pub fn utc(self) -> Time {
        Time { offset: 0, ..self }
    }

    /// Whether it is Go's zero time, which stands for "not known".
    pub fn is_zero(self) -> bool {
        self == Time::default()
    }

    /// Parses `2018-02-14T00:45:20Z`, also with a fraction and an offset.
    pub fn parse(text: &str) -> Option<Time> {
        let bytes = text.as_bytes();
        let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if bytes.len() < 20
            || !text.is_ascii()
            || separators.iter().any(|&(at, byte)| bytes[at] != byte)
        {
            return None;
        }
        let civil = Civil {
            year: number(&text[0..4])?,
            month: number(&text[5..7])?,
            day: number(&text[8..10])?,
            hour: number(&text[11..13])?,
            minute: number(&text[14..16])?,
            second: number(&text[17..19])?,
        };
        let (nanos, zone) = fraction(&text[19..])?;
        let in_range = (1..=12).contains(&civil.month)
            && (1..=31).contains(&civil.day)
            && civil.hour < 24
            && civil.minute < 60
            && civil.second < 60;
        in_range.then_some(())?;
        let offset = offset(zone)?;
        Some(Time {
            seconds: civil.unix() - offset * 60,
            nanos,
            offset: i16::try_from(offset).ok()?,
        })
    }

    /// Parses `Wed, 14 Feb 2018 00:45:20 GMT`, as it stands in headers of HTTP.
    pub fn parse_http(text: &str) -> Option<Time> {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let mut words = text.split_once(", ")?.1.strip_suffix(" GMT")?.split(' ');
        let (day, month) = (words.next()?, words.next()?);
        let (year, clock) = (words.next()?, words.next()?);
        let month = MONTHS.iter().position(|name| *name == month)? + 1;
        Time::parse(&format!("{year}-{month:02}-{day}T{clock}Z"))
    }

    /// Parses the `20180214004520` of a pseudo-version.
    pub fn parse_pseudo(text: &str) -> Option<Time> {
        if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let at = |from: usize, to: usize| number(&text[from..to]);
        let civil = Civil {
            year: at(0, 4)?,
            month: at(4, 6)?,
            day: at(6, 8)?,
            hour: at(8, 10)?,
            minute: at(10, 12)?,
            second: at(12, 14)?,
        };
        Some(Time::from_unix(civil.unix()))
    }

    /// The `20180214004520` of a pseudo-version.
    pub fn pseudo(self) -> String {
        let at = Civil::of_unix(self.seconds);
        let (hour, minute, second) = (at.hour, at.minute, at.second);
        format!(
            "{}{hour:02}{minute:02}{second:02}",
            at.date().replace('-', "")
        )
    }
}

fn number(text: &str) -> Option<i64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn fraction(rest: &str) -> Option<(u32, &str)> {
    let Some(digits) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    let nanos: String = digits[..end]
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    (end > 0).then(|| Some((nanos.parse().ok()?, &digits[end..])))?
}

/// Minutes of a zone to the east.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    (hours.len() == 2 && minutes.len() == 2).then_some(())?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = Civil::of_unix(self.local());
        let (hour, minute, second) = (at.hour, at.minute, at.second);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", at.date())?;
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        match self.offset {
            0 => f.write_str("Z"),
            east => {
                let (sign, minutes) = (if east < 0 { '-' } else { '+' }, east.unsigned_abs());
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        Time::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("parsing time {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        for text in [
            "0001-01-01T00:00:00Z",
            "1970-01-01T00:00:00Z",
            "2018-02-14T00:45:20Z",
            "2024-02-29T23:59:59.25Z",
            "2019-06-18T19:04:46-07:00",
            "2019-06-18T19:04:46+05:30",
        ] {
            assert_eq!(Time::parse(text).unwrap().to_string(), text);
        }
        assert!(Time::default().is_zero());
        assert_eq!(
            Time::from_unix(1_518_569_120).to_string(),
            "2018-02-14T00:45:20Z"
        );
        assert_eq!(
            Time::parse("2018-02-14T00:45:20Z").unwrap().pseudo(),
            "20180214004520"
        );
        assert_eq!(
            Time::parse_pseudo("20180214004520"),
            Time::parse("2018-02-14T00:45:20Z")
        );
    }

    #[test]
    fn dates_of_http() {
        assert_eq!(
            Time::parse_http("Wed, 14 Feb 2018 00:45:20 GMT"),
            Time::parse("2018-02-14T00:45:20Z")
        );
        assert_eq!(Time::parse_http("Wed, 14 Foo 2018 00:45:20 GMT"), None);
        assert_eq!(Time::parse_http("soon"), None);
    }

    #[test]
    fn offsets_do_not_matter_and_nonsense_is_refused() {
        assert_eq!(
            Time::parse("2018-02-14T01:45:20+01:00"),
            Time::parse("2018-02-14T00:45:20Z")
        );
        for text in [
            "",
            "2018-02-14",
            "2018-13-14T00:45:20Z",
            "2018-02-14T00:45:20",
            "2018-02-14T00:45:20.Z",
            "é018-02-14T00:45:2Z",
        ] {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }
}

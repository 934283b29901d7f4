//! Moments as they stand in `.info` files: RFC 3339, with the offset they were given with.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;

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
        let ((year, month, day), _) = parts(self.local());
        format!("{year:04}-{month:02}-{day:02}")
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
        let date = (
            number(&text[0..4])?,
            number(&text[5..7])?,
            number(&text[8..10])?,
        );
        let clock = (
            number(&text[11..13])?,
            number(&text[14..16])?,
            number(&text[17..19])?,
        );
        let (nanos, zone) = fraction(&text[19..])?;
        let in_range = (1..=12).contains(&date.1)
            && (1..=31).contains(&date.2)
            && clock.0 < 24
            && clock.1 < 60
            && clock.2 < 60;
        in_range.then_some(())?;
        let offset = offset(zone)?;
        Some(Time {
            seconds: seconds(date, clock) - offset * 60,
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
        Some(Time {
            seconds: seconds(
                (at(0, 4)?, at(4, 6)?, at(6, 8)?),
                (at(8, 10)?, at(10, 12)?, at(12, 14)?),
            ),
            nanos: 0,
            offset: 0,
        })
    }

    /// The `20180214004520` of a pseudo-version.
    pub fn pseudo(self) -> String {
        let ((year, month, day), (hour, minute, second)) = parts(self.seconds);
        format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }
}

/// Date and time of day, UTC.
fn parts(seconds: i64) -> ((i64, i64, i64), (i64, i64, i64)) {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    (civil(days), (rest / 3600, rest / 60 % 60, rest % 60))
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

fn seconds((year, month, day): (i64, i64, i64), (hour, minute, second): (i64, i64, i64)) -> i64 {
    // Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin on a 1 March.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    days * 86_400 + hour * 3600 + minute * 60 + second
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, (hour, minute, second)) = parts(self.local());
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.date())?;
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

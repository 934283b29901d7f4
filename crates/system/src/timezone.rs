//! Local time as Go's `time` package finds it and prints it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::time::SystemTime;

use crate::Environment;

/// Where zone files are looked for.
const PLACES: [&str; 3] = [
    "/usr/share/zoneinfo",
    "/usr/lib/zoneinfo",
    "/usr/share/lib/zoneinfo",
];

/// The time zone of a user.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
}

impl Zone {
    /// The zone that TZ names, or that of the machine; UTC if that cannot be found.
    #[must_use]
    pub fn local(environment: &Environment) -> Zone {
        let file = |path: &str| {
            let bytes = std::fs::read(path).ok()?;
            TimeZone::tzif("Local", &bytes).ok()
        };
        let found = match environment.lookup("TZ") {
            None => file("/etc/localtime"),
            Some(name) => {
                let name = name.strip_prefix(':').unwrap_or(name);
                if name.is_empty() || name.contains("..") {
                    None
                } else if name.starts_with('/') {
                    file(name)
                } else {
                    PLACES
                        .iter()
                        .find_map(|place| file(&format!("{place}/{name}")))
                }
            }
        };
        Zone {
            zone: found.unwrap_or(TimeZone::UTC),
        }
    }

    /// RFC 3339 with as many digits of nanoseconds as there are, as Go writes a time in JSON.
    #[must_use]
    pub fn rfc3339(&self, time: SystemTime) -> String {
        let Some((date, offset, _, fraction)) = self.parts(time) else {
            return String::new();
        };
        let zone = if offset == 0 {
            "Z".to_owned()
        } else {
            let minutes = offset.abs() / 60;
            format!("{}{:02}:{:02}", sign(offset), minutes / 60, minutes % 60)
        };
        format!("{}{fraction}{zone}", date.replace(' ', "T"))
    }

    /// A time as Go's `Time.String` has it: `2024-01-02 15:04:05.5 +0100 CET`.
    #[must_use]
    pub fn go_string(&self, time: SystemTime) -> String {
        let Some((date, offset, name, fraction)) = self.parts(time) else {
            return String::new();
        };
        let minutes = offset.abs() / 60;
        format!(
            "{date}{fraction} {}{:02}{:02} {name}",
            sign(offset),
            minutes / 60,
            minutes % 60
        )
    }

    /// Date and time of day, offset in seconds, the zone's name, and the fraction with its point.
    fn parts(&self, time: SystemTime) -> Option<(String, i32, String, String)> {
        let stamp = Timestamp::try_from(time).ok()?;
        let info = self.zone.to_offset_info(stamp);
        let local = self.zone.to_datetime(stamp);
        let digits = format!("{:09}", local.subsec_nanosecond());
        let digits = digits.trim_end_matches('0');
        let fraction = if digits.is_empty() {
            String::new()
        } else {
            format!(".{digits}")
        };
        let date = format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            local.year(),
            local.month(),
            local.day(),
            local.hour(),
            local.minute(),
            local.second()
        );
        let name = info.abbreviation().to_owned();
        Some((date, info.offset().seconds(), name, fraction))
    }
}

fn sign(offset: i32) -> char {
    if offset < 0 { '-' } else { '+' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn printed_as_go_prints() {
        let zone = Zone::local(&Environment::empty("/").with("TZ", ""));
        let time = UNIX_EPOCH + Duration::new(1_704_207_845, 120_000_000);
        assert_eq!(zone.go_string(time), "2024-01-02 15:04:05.12 +0000 UTC");
        assert_eq!(zone.rfc3339(time), "2024-01-02T15:04:05.12Z");
        if std::path::Path::new("/usr/share/zoneinfo/Asia/Kolkata").exists() {
            let zone = Zone::local(&Environment::empty("/").with("TZ", "Asia/Kolkata"));
            let time = UNIX_EPOCH + Duration::new(1_704_207_845, 0);
            assert_eq!(zone.go_string(time), "2024-01-02 20:34:05 +0530 IST");
            assert_eq!(zone.rfc3339(time), "2024-01-02T20:34:05+05:30");
        }
    }
}

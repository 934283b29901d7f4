//! Durations as Go writes and reads them: `1m30.5s`.

use std::fmt::Write as _;
use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
];
const HOUR: (&str, u64) = ("h", 3_600_000_000_000);

/// As `Duration.String` writes it.
#[must_use]
pub fn go_string(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let fraction = |value: u128, unit: u128, name: &str| {
        let digits = unit.ilog10() as usize;
        let mut text = format!("{}", value / unit);
        let rest = format!("{:0digits$}", value % unit);
        let rest = rest.trim_end_matches('0');
        if digits > 0 && !rest.is_empty() {
            let _ = write!(text, ".{rest}");
        }
        text + name
    };
    match nanos {
        0..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => fraction(nanos, 1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(nanos, 1_000_000, "ms"),
        _ => {
            let (minutes, nanos) = (nanos / 60_000_000_000, nanos % 60_000_000_000);
            let seconds = fraction(nanos, 1_000_000_000, "s");
            match minutes {
                0 => seconds,
                1..60 => format!("{minutes}m{seconds}"),
                _ => format!("{}h{}m{seconds}", minutes / 60, minutes % 60),
            }
        }
    }
}

/// As `time.ParseDuration` reads it; what is negative is nothing.
///
/// # Errors
/// `parse error`, as Go's flag package calls it.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || "parse error".to_owned();
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(wrong());
        }
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let mut units = UNITS.iter().chain([&HOUR]);
        let (_, unit) = units.find(|(unit, _)| *unit == name).ok_or_else(wrong)?;
        let digits = |text: &str| {
            text.parse::<u128>()
                .or(if text.is_empty() { Ok(0) } else { Err(wrong()) })
        };
        let fraction = &fraction[..fraction.len().min(18)];
        let scale = 10u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
        let unit = u128::from(*unit);
        let value = digits(whole)?.checked_mul(unit).ok_or_else(wrong)?;
        total = total + value + digits(fraction)? * unit / scale;
        if total > i64::MAX as u128 {
            return Err(wrong());
        }
        rest = after;
    }
    let nanos = u64::try_from(total).map_err(|_| wrong())?;
    Ok(if negative {
        Duration::ZERO
    } else {
        Duration::from_nanos(nanos)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in [
            "0s", "1ns", "1.5µs", "12ms", "1s", "1.25s", "10m0s", "1h0m0.5s", "100h1m0s",
        ] {
            assert_eq!(go_string(parse(text).unwrap()), text);
        }
        assert_eq!(go_string(parse("90s").unwrap()), "1m30s");
        assert_eq!(go_string(parse("1.5h").unwrap()), "1h30m0s");
        for wrong in ["", "1", "s", "1x", ".s", "1 s", "-"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

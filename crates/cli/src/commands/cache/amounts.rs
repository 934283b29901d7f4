//! Sizes and ages as people write them.

use std::time::Duration;

const SIZES: [(&str, u64); 9] = [
    ("KIB", 1 << 10),
    ("MIB", 1 << 20),
    ("GIB", 1 << 30),
    ("TIB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

const AGES: [(&str, u64); 4] = [("w", 7 * 86_400), ("d", 86_400), ("h", 3_600), ("m", 60)];

fn scaled(number: &str, unit: u64) -> Option<u64> {
    let number: f64 = number.trim_end().parse().ok()?;
    let scaled = number * unit as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked here
    (scaled >= 0.0 && scaled < 2f64.powi(60)).then_some(scaled as u64)
}

/// `5GB`, `1.5 GiB`, `500kb`, or a number of bytes.
pub fn size(text: &str) -> Result<u64, String> {
    let upper = text.to_ascii_uppercase();
    let unit = SIZES.iter().find_map(|(name, unit)| {
        let number = upper.strip_suffix(name)?;
        Some((number, *unit))
    });
    let (number, unit) = unit.unwrap_or((&upper, 1));
    scaled(number, unit).ok_or_else(|| "must be a size such as 5GB or 500MiB".to_owned())
}

/// `30d`, `2w`, `12h`, `90m`.
pub fn age(text: &str) -> Result<Duration, String> {
    let unit = AGES.iter().find_map(|(name, unit)| {
        let number = text.strip_suffix(name)?;
        Some((number, *unit))
    });
    unit.and_then(|(number, unit)| scaled(number, unit))
        .map(Duration::from_secs)
        .ok_or_else(|| "must be an age such as 30d, 2w, 12h or 90m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages() {
        assert_eq!(size("5GB"), Ok(5_000_000_000));
        assert_eq!(size("1.5 GiB"), Ok(3 << 29));
        assert_eq!(size("7"), Ok(7));
        assert_eq!(size("10kb"), Ok(10_000));
        for wrong in ["", "GB", "-1GB", "5XB", "1e99GB", "nan", "inf"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(age("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert_eq!(age("1.5h"), Ok(Duration::from_secs(5_400)));
        for wrong in ["", "d", "-1d", "30", "30y"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}

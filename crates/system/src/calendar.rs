//! Dates of the Gregorian calendar, of moments before its introduction too.

/// A date and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year; that before 1 is 0.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
}

/// Days from the beginning of an era, 400 years that begin on a 1 March, to 1970.
const TO_1970: i64 = 719_468;
const DAYS_OF_ERA: i64 = 146_097;
const SECONDS_OF_DAY: i64 = 86_400;

impl Civil {
    /// So many seconds after the beginning of 1970.
    #[must_use]
    pub fn of_unix(seconds: i64) -> Civil {
        let rest = seconds.rem_euclid(SECONDS_OF_DAY);
        let days = seconds.div_euclid(SECONDS_OF_DAY) + TO_1970;
        let (era, of_era) = (days.div_euclid(DAYS_OF_ERA), days.rem_euclid(DAYS_OF_ERA));
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Civil {
            year: year + era * 400 + i64::from(month <= 2),
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// How many seconds after the beginning of 1970 that is.
    #[must_use]
    pub fn unix(self) -> i64 {
        let (year, month) = if self.month <= 2 {
            (self.year - 1, self.month + 9)
        } else {
            (self.year, self.month - 3)
        };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * month + 2) / 5 + self.day - 1;
        let days = era * DAYS_OF_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - TO_1970;
        days * SECONDS_OF_DAY + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// The day alone: `2026-01-31`.
    #[must_use]
    pub fn date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for day in [-800_000, -1, 0, 59, 60, 11_016, 19_782, 800_000] {
            for rest in [0, 1, 86_399] {
                let seconds = day * SECONDS_OF_DAY + rest;
                assert_eq!(Civil::of_unix(seconds).unix(), seconds);
            }
        }
        let leap = Civil::of_unix(1_709_210_096);
        assert_eq!(leap.date(), "2024-02-29");
        assert_eq!((leap.hour, leap.minute, leap.second), (12, 34, 56));
        assert_eq!(Civil::of_unix(-62_135_596_800).date(), "0001-01-01");
    }
}

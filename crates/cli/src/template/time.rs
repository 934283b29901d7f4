//! Times in templates: `2018-02-14T15:44:20Z` printed in Go's form or by a layout.

/// A time's parts as text.
struct Parts<'a> {
    year: &'a str,
    month: usize,
    day: u32,
    hour: u32,
    minute: &'a str,
    second: &'a str,
    fraction: &'a str,
    /// `Z` or `+01:00`.
    zone: &'a str,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn parse(text: &str) -> Option<Parts<'_>> {
    let (date, clock) = text.split_once('T')?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (
        date.next()?,
        date.next()?.parse().ok()?,
        date.next()?.parse().ok()?,
    );
    let at = clock.find(['Z', '+', '-'])?;
    let (clock, zone) = clock.split_at(at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.splitn(3, ':');
    let (hour, minute, second) = (clock.next()?.parse().ok()?, clock.next()?, clock.next()?);
    (1..=12).contains(&month).then_some(Parts {
        year,
        month,
        day,
        hour,
        minute,
        second,
        fraction,
        zone,
    })
}

/// As Go prints a `time.Time`: `2018-02-14 15:44:20 +0000 UTC`.
#[must_use]
pub fn show(text: &str) -> String {
    let layout = match parse(text) {
        Some(parts) if !parts.fraction.is_empty() => {
            format!("2006-01-02 15:04:05.{} -0700 MST", parts.fraction)
        }
        _ => "2006-01-02 15:04:05 -0700 MST".to_owned(),
    };
    format(text, &layout)
}

/// By a layout in terms of Go's reference time. What is not a time is given back as it is.
#[must_use]
pub fn format(text: &str, layout: &str) -> String {
    let Some(parts) = parse(text) else {
        return text.to_owned();
    };
    let offset = if parts.zone == "Z" {
        "+00:00"
    } else {
        parts.zone
    };
    let utc = offset == "+00:00";
    let month = MONTHS[parts.month - 1];
    let twelve = match parts.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let elements: [(&str, String); 20] = [
        ("2006", parts.year.to_owned()),
        ("January", month.to_owned()),
        ("Jan", month[..3].to_owned()),
        (
            "Z07:00",
            if utc {
                "Z".to_owned()
            } else {
                offset.to_owned()
            },
        ),
        ("-07:00", offset.to_owned()),
        ("-0700", offset.replace(':', "")),
        (
            "MST",
            if utc {
                "UTC".to_owned()
            } else {
                offset.replace(':', "")
            },
        ),
        ("01", format!("{:02}", parts.month)),
        ("02", format!("{:02}", parts.day)),
        ("03", format!("{twelve:02}")),
        ("04", parts.minute.to_owned()),
        ("05", parts.second.to_owned()),
        ("06", parts.year.get(2..).unwrap_or_default().to_owned()),
        ("15", format!("{:02}", parts.hour)),
        ("PM", (if parts.hour < 12 { "AM" } else { "PM" }).to_owned()),
        ("_2", format!("{:2}", parts.day)),
        ("1", parts.month.to_string()),
        ("2", parts.day.to_string()),
        ("3", twelve.to_string()),
        ("4", parts.minute.trim_start_matches('0').to_owned()),
    ];
    let mut out = String::new();
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        match elements
            .iter()
            .find(|(element, _)| rest.starts_with(element))
        {
            Some((element, value)) => {
                out.push_str(value);
                rest = &rest[element.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        assert_eq!(
            format("2018-02-04T15:04:20Z", "Jan _2, 2006 at 3:04PM (Z07:00)"),
            "Feb  4, 2018 at 3:04PM (Z)"
        );
        assert_eq!(
            show("2018-02-14T15:44:20Z"),
            "2018-02-14 15:44:20 +0000 UTC"
        );
        assert_eq!(format("2018-02-14T15:44:20+02:00", "-0700"), "+0200");
        assert_eq!(format("x", "2006"), "x");
    }
}

//! Pseudo-versions: a version for a commit that carries no tag, such as `v0.0.0-20240102030405-0123456789ab`.

use crate::semver;

/// Where the parts of a pseudo-version are: before the timestamp, the timestamp, the revision, and build metadata.
fn split(version: &str) -> Option<(&str, &str, &str, &str)> {
    let build = semver::build(version);
    let bare = version.strip_suffix(build)?;
    let (head, revision) = bare.rsplit_once('-')?;
    // A timestamp follows `v1.0.0-` directly, or `pre.0.`/`0.` after the base version.
    let at = head.len().checked_sub(14)?;
    let (base, time) = (head.get(..at)?, head.get(at..)?);
    // What stands between `vX.Y.Z-` and the timestamp.
    let (number, middle) = base.split_once('-')?;
    let place =
        middle == "0." || middle.ends_with(".0.") || middle.is_empty() && number.ends_with(".0.0");
    let shape = place
        && time.bytes().all(|b| b.is_ascii_digit())
        && !revision.is_empty()
        && revision.bytes().all(|b| b.is_ascii_alphanumeric());
    (shape && semver::is_valid(version)).then_some((base, time, revision, build))
}

/// Whether `version` is a pseudo-version.
#[must_use]
pub fn is_pseudo_version(version: &str) -> bool {
    split(version).is_some()
}

/// The time inside, `YYYYMMDDhhmmss` in UTC.
#[must_use]
pub fn time(version: &str) -> Option<&str> {
    split(version).map(|(_, time, _, _)| time)
}

/// The revision inside: usually the first 12 hexadecimal digits of a commit.
#[must_use]
pub fn revision(version: &str) -> Option<&str> {
    split(version).map(|(_, _, revision, _)| revision)
}

/// The tagged version that this one comes after; empty if there is none.
///
/// # Errors
/// Why there can be none such: no pseudo-version, one before a patch release 0, build metadata without a tag that had it.
pub fn base(version: &str) -> Result<String, String> {
    let (base, _, _, build) = split(version).ok_or("syntax error")?;
    if let Some(next) = base.strip_suffix("-0.") {
        let (minor, patch) = next.rsplit_once('.').ok_or("syntax error")?;
        let Some(patch) = one_less(patch) else {
            return Err(format!(
                "version before {next} would have negative patch number"
            ));
        };
        return Ok(format!("{minor}.{patch}{build}"));
    }
    if let Some(prerelease) = base.strip_suffix(".0.") {
        return Ok(format!("{prerelease}{build}"));
    }
    if !build.is_empty() {
        return Err(format!(
            "lacks base version, but has build metadata {build:?}"
        ));
    }
    Ok(String::new())
}

/// The number before, in decimal digits of any length; `None` before 0.
fn one_less(number: &str) -> Option<String> {
    let last = number.rfind(|digit| digit != '0')?;
    let digit = char::from(number.as_bytes()[last] - 1);
    let nines = "9".repeat(number.len() - last - 1);
    let head = &number[..last];
    if head.is_empty() && digit == '0' && !nines.is_empty() {
        return Some(nines);
    }
    Some(format!("{head}{digit}{nines}"))
}

/// The number after, in decimal digits of any length.
fn one_more(number: &str) -> String {
    let Some(last) = number.rfind(|digit| digit != '9') else {
        return format!("1{}", "0".repeat(number.len()));
    };
    let digit = char::from(number.as_bytes()[last] + 1);
    let zeros = "0".repeat(number.len() - last - 1);
    format!("{}{digit}{zeros}", &number[..last])
}

/// The pseudo-version for `revision` at `time` (`YYYYMMDDhhmmss`), after the tag `older` (empty: none), in the major version `major`
/// (empty: `v0`).
#[must_use]
pub fn pseudo_version(major: &str, older: &str, time: &str, revision: &str) -> String {
    let major = if major.is_empty() { "v0" } else { major };
    let build = semver::build(older);
    let older = semver::canonical(older);
    if older.is_empty() {
        return format!("{major}.0.0-{time}-{revision}");
    }
    if !semver::prerelease(&older).is_empty() {
        return format!("{older}.0.{time}-{revision}{build}");
    }
    let (minor, patch) = older.rsplit_once('.').unwrap_or((&older, "0"));
    let next = one_more(patch);
    format!("{minor}.{next}-0.{time}-{revision}{build}")
}

/// The pseudo-version before all others of a major version: what go.mod has for a module that is always replaced.
#[must_use]
pub fn zero_pseudo_version(major: &str) -> String {
    pseudo_version(major, "", "00010101000000", "000000000000")
}

/// Whether it is such a version.
#[must_use]
pub fn is_zero_pseudo_version(version: &str) -> bool {
    version == zero_pseudo_version(semver::major(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_and_taken_apart() {
        for (older, expected) in [
            ("", "v0.0.0-20240102030405-0123456789ab"),
            ("v1.2.3", "v1.2.4-0.20240102030405-0123456789ab"),
            ("v1.2.3-pre", "v1.2.3-pre.0.20240102030405-0123456789ab"),
            (
                "v2.0.1+incompatible",
                "v2.0.2-0.20240102030405-0123456789ab+incompatible",
            ),
        ] {
            let version = pseudo_version("", older, "20240102030405", "0123456789ab");
            assert_eq!(version, expected);
            assert!(is_pseudo_version(&version));
            assert_eq!(time(&version), Some("20240102030405"));
            assert_eq!(revision(&version), Some("0123456789ab"));
            assert_eq!(base(&version).as_deref(), Ok(older));
        }
        assert_eq!(
            zero_pseudo_version("v2"),
            "v2.0.0-00010101000000-000000000000"
        );
        for other in [
            "v1.2.3",
            "v1.2.3-pre",
            "v1.2.3-20240102",
            "v1.2.3-pre.1-x",
            "v1.2.3-20240102030405",
            "v1.2.3-pre-0.20240102030405-0123456789ab",
        ] {
            assert!(!is_pseudo_version(other), "{other}");
        }
    }

    #[test]
    fn numbers_of_any_length() {
        let long = "v1.2.99999999999999999999";
        let version = pseudo_version("", long, "20240102030405", "0123456789ab");
        assert!(version.starts_with("v1.2.100000000000000000000-0."));
        assert_eq!(base(&version).as_deref(), Ok(long));
        assert_eq!(one_less("10").as_deref(), Some("9"));
        assert_eq!(one_less("1").as_deref(), Some("0"));
        assert_eq!(one_less("00"), None);
    }

    #[test]
    fn bases_that_cannot_be() {
        assert_eq!(
            base("v1.2.0-0.20240102030405-0123456789ab").unwrap_err(),
            "version before v1.2.0 would have negative patch number"
        );
        assert_eq!(
            base("v2.0.0-20240102030405-0123456789ab+incompatible").unwrap_err(),
            "lacks base version, but has build metadata \"+incompatible\""
        );
    }
}

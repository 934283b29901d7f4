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
    let shape = time.bytes().all(|b| b.is_ascii_digit())
        && !revision.is_empty()
        && revision.bytes().all(|b| b.is_ascii_alphanumeric())
        && (base.ends_with('-') && base.matches('-').count() == 1 && base.ends_with(".0.0-")
            || base.ends_with("-0.")
            || base.ends_with(".0."));
    (shape && semver::is_valid(version) && version.matches('-').count() >= 2)
        .then_some((base, time, revision, build))
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
#[must_use]
pub fn base(version: &str) -> Option<String> {
    let (base, _, _, build) = split(version)?;
    if let Some(prerelease) = base.strip_suffix(".0.").filter(|_| !base.ends_with("-0.")) {
        return Some(format!("{prerelease}{build}"));
    }
    let Some(next) = base.strip_suffix("-0.") else {
        return Some(String::new());
    };
    // One before the next patch release.
    let (minor, patch) = next.rsplit_once('.')?;
    let patch = patch.parse::<u64>().ok()?.checked_sub(1)?;
    Some(format!("{minor}.{patch}{build}"))
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
    let next = patch.parse::<u64>().unwrap_or(0) + 1;
    format!("{minor}.{next}-0.{time}-{revision}{build}")
}

/// The pseudo-version before all others of a major version: what go.mod has for a module that is always replaced.
#[must_use]
pub fn zero_pseudo_version(major: &str) -> String {
    pseudo_version(major, "", "00010101000000", "000000000000")
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
            assert_eq!(base(&version).as_deref(), Some(older));
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
        ] {
            assert!(!is_pseudo_version(other), "{other}");
        }
    }
}

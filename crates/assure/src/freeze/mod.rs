//! Frozen dependencies: what a program is made of, written down so that others can check it.
//!
//! go.mod and go.sum are the lock, vendor/ is the snapshot; that both say the same is looked at with the link `vendor` of
//! [`crate::verify`]. Here are the documents that are made from a frozen state or from a finished program: a bill of materials
//! ([`bom`], as [`cyclonedx`] or [`spdx`]), where a program comes from ([`provenance`]), and the way to build it once more
//! ([`reproduce`]; where the two part is [`parting`]).
//!
//! The same state gives the same document, byte for byte: serial numbers follow from contents, and times are those of the commit or of
//! `SOURCE_DATE_EPOCH`, never that of the run. What is not known is not guessed.

pub mod bom;
pub mod cyclonedx;
mod licence;
pub mod parting;
pub mod provenance;
pub mod reproduce;
pub mod spdx;

use ring::digest::{SHA256, digest};
use steady_module::hex;
use steady_proxy::Time;

/// Lower-case hexadecimal SHA-256.
fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// A UUID that follows from a text: version 8 of RFC 9562, made by its maker's own rule, which is SHA-256.
fn uuid(text: &str) -> String {
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}

/// Seconds since 1970 as RFC 3339 in UTC, as both formats want it.
#[must_use]
pub fn timestamp(seconds: i64) -> String {
    Time::from_unix(seconds).to_string()
}

#[cfg(test)]
#[path = "tests.rs"]
mod document_tests;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
        ] {
            assert_eq!(timestamp(seconds), text);
        }
    }

    #[test]
    fn uuids_have_their_form() {
        let one = uuid("a");
        assert_eq!(one, uuid("a"));
        assert_ne!(one, uuid("b"));
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert!(one.split('-').nth(2).unwrap().starts_with('8'));
    }
}

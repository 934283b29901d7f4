//! Build ids in archives and programs: where they stand, what they mean, how they are replaced.
//!
//! A build id is `actionID/contentID`; that of a program is `actionID(link)/actionID(main)/contentID(main)/contentID(link)`.
//! The action id says what went in, so a file that carries the id that is about to be built need not be built. The content id
//! says what came out, and what depends on a file hashes that. A file is first made with the action id in both places; then its
//! hash, taken with that provisional id blanked, becomes the content id ([`find_and_hash`], [`rewrite`]).

mod elf;
mod macho;
mod read;
mod rewrite;

pub use read::{read_elf_note, read_elf_section, read_file, read_raw};
pub use rewrite::{Found, find_and_hash, rewrite};

/// The action id: what stands before the first slash.
#[must_use]
pub fn action_id(build_id: &str) -> &str {
    build_id.split('/').next().unwrap_or_default()
}

/// The content id: what stands after the last slash.
#[must_use]
pub fn content_id(build_id: &str) -> &str {
    build_id.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        assert_eq!((action_id("a/b/c/d"), content_id("a/b/c/d")), ("a", "d"));
        assert_eq!((action_id("a"), content_id("a")), ("a", "a"));
    }
}

//! Module zips: what may be in one, reading and unpacking, making.
//!
//! A module zip holds files named `path@version/name`, no directories that matter, no links. Names must be clean, portable and
//! different even where case does not count; there is one go.mod at most, at the root; the whole is at most [`MAX_ZIP_FILE`] bytes,
//! packed and unpacked. Sizes are those the archive declares, and reading past them is an error, so nothing grows without end.

mod archive;
mod check;
mod create;
mod unpack;
mod whole;

pub use archive::{Archive, Entry, EntryReader};
pub use check::{CheckedFiles, FileError, check_files, check_zip};
pub(crate) use create::write_plain;
pub use create::{Content, SourceFile, create, create_from_dir, files_in_dir};
pub(crate) use unpack::Hash1;
pub use unpack::{Buffers, EntryHashes, FileHashes, Twin, Unpack, hash1};
pub use whole::WholeReader;

/// Bytes of a zip, and of all that is in it.
pub const MAX_ZIP_FILE: u64 = 500 << 20;
/// Bytes of a go.mod.
pub const MAX_GO_MOD: u64 = 16 << 20;
/// Bytes of a LICENSE.
pub const MAX_LICENSE: u64 = 16 << 20;

#[cfg(test)]
pub(crate) mod tests;

//! Flags: one definition each, from which parsing, help, completions and the reference are made.
//!
//! A command's flags are a struct derived with clap, put together from the groups in [`build`]. [`grammar`] reads argv by Go's
//! rules and lets clap make typed values; [`goflags`] puts GOFLAGS in front; [`value`] holds the values' parsers.

pub mod build;
pub mod goflags;
pub mod grammar;
pub mod value;

pub use goflags::GoFlags;
pub use grammar::{Definition, FlagError, Parsed, define};

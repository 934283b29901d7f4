//! Go source directories: what their files say before any build configuration, and what a configuration makes of it.
//!
//! Two steps, kept apart on purpose:
//! 1. [`scan`] reads the headers of a directory's files into [`facts::DirContents`]. Nothing of the build configuration
//!    enters, so the result can be remembered for as long as the files do not change (see [`crate::index`]).
//! 2. [`evaluate()`] holds those facts against a [`BuildContext`] and gives a [`PackageSource`]: the file lists, imports,
//!    embed patterns and errors that `go list` shows.
//!
//! [`imports`] is the lighter question that module loading asks: which import paths does this directory mention.

mod cgo;
mod comment;
pub mod constraint;
pub mod context;
mod embed_lines;
pub mod error;
pub mod evaluate;
mod extent;
pub mod facts;
pub mod imports;
mod lexer;
pub mod mains;
pub mod names;
mod parser;
pub mod scan;
pub mod syslist;
pub mod testing;

pub use context::BuildContext;
pub use error::{SourceError, SyntaxError};
pub use evaluate::{PackageSource, Position, evaluate};
pub use facts::DirContents;

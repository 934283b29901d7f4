//! Why things are as they are: a file for each kind of question.
//!
//! - [`rules`]: what each `replace` and `exclude` line does, and where it does nothing
//! - [`version`]: why a module is at its version
//! - [`sum`]: where the sums of a module come from
//! - [`sum`]: where the sums of a module come from, and what proves them
//! - [`error`]: what an error means, from its text

pub mod error;
pub mod rules;
pub mod sum;

pub mod version;

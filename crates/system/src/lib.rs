//! The only door to the outside: files, environment, clock, processes, locks, temporaries.
//!
//! Invariants:
//! - the environment is read once, at start ([`Environment::capture`]), and handed down as a value;
//! - every file access goes through [`Files`], which knows the working directory and the `-overlay`;
//! - what must not outlive the process (temporary directories, children) is registered in [`interrupt`], so that a signal leaves
//!   nothing behind. That table is the one process-wide state, because signals are process-wide (the number of processors, which never
//!   changes, apart);
//! - error texts are those of Go's `os` package: `open /x: no such file or directory`.
#![allow(clippy::disallowed_methods)]

pub mod calendar;
pub mod clock;
mod environment;
mod error;
pub mod fault;
mod files;
pub mod interrupt;
pub mod lock;
pub mod overlay;
pub mod parallel;
pub mod process;
pub mod store;
pub mod temp;
pub mod timezone;
pub mod watch;

pub use environment::{Environment, LookPathError};
pub use error::{Error, Result, describe_io};
pub use files::{DirEntry, FileKind, Files, Metadata, Walk, WalkEntry, clean, relative};
pub use files::{Note, Question, Sight, Sightings, Stamp};
pub use overlay::Overlay;

/// How many threads can run at the same time, at least one. Asked once: the answer takes a dozen system calls.
pub fn processors() -> usize {
    static COUNT: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *COUNT.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

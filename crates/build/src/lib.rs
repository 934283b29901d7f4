//! From packages to actions to processes: action ids, the build cache, compile, asm, cgo, link, build info.
//!
//! What this crate writes equals byte for byte what the go command writes with the same toolchain and flags, build ids included,
//! and both share one GOCACHE: what one of them has built, the other does not build again. The table of what goes into every id
//! stands in the module `exec::ids`.
//!
//! The way through the crate: a [`BuildConfig`] and a `PackageSet` come in; [`Builder`] makes the graph of actions
//! ([`action`]) and executes it; each action looks its id up in the cache and, on a miss, runs the toolchain's tools.
//! The entry points of the commands (`build`, `install`, `run`, `list -export`) are in [`command`].
//!
//! Invariants: no global state; nothing is printed but through a [`Sink`]; the toolchain's own `go` is never run.

pub mod action;
mod archive;
pub mod buildid;
pub mod buildinfo;
pub mod cache;
mod cflags;
pub mod command;
pub mod config;
pub mod duration;
mod error;
mod exec;
pub mod inputs;
pub mod modes;
mod plan;
pub mod platform;
pub mod quote;
pub mod release;
mod shell;
mod sink;
pub mod test_json;
pub mod testing;
pub mod vet;

pub use action::{Builder, ListNeeds, Mode, Outcome, PackageOutcome, Root};
pub use config::{BuildConfig, BuildFlags, Compiler, Target, Toolchain};
pub use error::{BuildError, Result};
pub use modes::{Modes, PackageFilter};
pub use sink::{Progress, Running, Sink};

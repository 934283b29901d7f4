//! Where modules come from and where they are kept: proxies, version control, zips, the shared module cache, toolchains.
//!
//! [`Fetcher`] is the front door: it is asked for a version list, a go.mod, a module's directory, and goes through memory, the
//! module cache on disk (shared with the go command, layout and locks alike), the GOPROXY list and version control, in this order.
//!
//! Invariants:
//! - nothing unverified is given out: a go.mod or a zip was compared with go.sum, or with the checksum database, or the settings
//!   say that neither applies;
//! - a file in the cache is whole or absent: everything is written beside its place and renamed; a directory that is being
//!   extracted has a `.partial` marker;
//! - one module version is fetched once, however many threads and processes ask;
//! - nothing is printed: an [`Observer`] is told.

mod cache;
mod config;
mod error;
mod fetch;
mod goproxy;
mod gosum;
pub mod http;
mod observer;
mod once;
mod proxy_repo;
mod repo;
pub mod sizes;
mod slots;
#[cfg(test)]
mod testing;
mod time;
pub mod toolchain;
mod toolchain_repo;
mod vcs;
mod verify;
pub mod zip;

pub use config::{Config, HostRewrite, Limits, LookupDisabled};
pub use error::{Error, HttpError, Kind, Result, TooNew};
pub use fetch::{Damage, Described, Fetcher};
pub use gosum::{KnownSums, SumFiles};
pub use observer::{Observer, Silent};
pub use repo::{Direct, DirectRepo, Origin, Repo, RevInfo, Security, Versions, ZipSink};
pub use time::Time;
pub use vcs::Vcs;
pub use verify::verify;

//! Will it run elsewhere, and if not, why: `check`, `verify`, `entries`, `explain`, `freeze`.
//!
//! Every room answers one question about code that is already loaded or about files that lie on disk. What is loaded, and with which
//! settings, is decided above (`cli` makes the environments, this crate judges what it sees in them), so nothing here reads variables
//! or talks to a terminal; answers are values that `cli` shows to people and machines.

pub mod check;
pub mod entries;
pub mod explain;
pub mod freeze;
pub mod verify;

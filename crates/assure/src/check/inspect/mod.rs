//! The inspections, a file a group: why a trouble is there, and what is wrong or worth knowing although everything loads.

pub mod borrowed;
pub mod code;
pub mod environment;
pub mod files;
pub mod left_out;
pub mod modules;
pub mod platform;
pub mod toolchain;
pub mod workspace;

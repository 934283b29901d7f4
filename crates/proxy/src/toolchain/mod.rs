//! Go toolchains: which one a run needs, and getting it as a module.

mod select;

pub use select::{GoLines, Mode, Selection, Startup, newer, select};

use camino::Utf8PathBuf;

use crate::{Fetcher, Result};

/// The value of the first line of a go.mod or go.work that begins with `key`, found without parsing the rest.
pub fn go_mod_lookup(text: &[u8], key: &str) -> String {
    let text = String::from_utf8_lossy(text);
    let value = text.lines().find_map(|line| {
        line.trim()
            .strip_prefix(key)
            .filter(|rest| rest.starts_with([' ', '\t']))
    });
    let value = value.unwrap_or_default();
    value
        .split_once("//")
        .map_or(value, |(value, _)| value)
        .trim()
        .to_owned()
}

/// Fetches a toolchain (`go1.26.8`) for GOOS/GOARCH into the module cache, verified, with its executable bits and `go.mod` files in
/// place, and gives its GOROOT. What is there and complete is only looked at.
pub fn install(_fetcher: &Fetcher, _name: &str, _os: &str, _arch: &str) -> Result<Utf8PathBuf> {
    todo!()
}

/// The Go versions (`1.26.8`) that the proxies offer, ascending, with the one that runs.
pub fn available(_fetcher: &Fetcher) -> Result<Vec<String>> {
    todo!()
}

/// The Go versions of programs named `go1.*` in PATH, ascending.
pub fn in_path(
    _environment: &steady_system::Environment,
    _files: &steady_system::Files,
) -> Vec<String> {
    todo!()
}

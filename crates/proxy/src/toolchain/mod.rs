//! Go toolchains: which one a run needs, and getting it as a module.

mod install;
mod select;

pub use install::install;
pub use select::{GoLines, Mode, Selection, Startup, newer, select};

use steady_module::gover;
use steady_system::{Environment, FileKind, Files};

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

/// The Go versions (`1.26.8`) that the proxies offer, ascending, with the one that runs.
pub fn available(fetcher: &Fetcher) -> Result<Vec<String>> {
    Ok(fetcher.versions("go", "")?.list)
}

/// The Go versions of programs named `go1.*` in PATH, ascending. Told by their names: nothing is run.
pub fn in_path(environment: &Environment, files: &Files) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // A relative entry would find programs of the directory somebody happens to be in.
    for dir in environment
        .get("PATH")
        .split(':')
        .filter(|dir| dir.starts_with('/'))
    {
        let entries = files.read_dir(dir).unwrap_or_default();
        for entry in entries
            .iter()
            .filter(|entry| entry.kind != FileKind::Dir && entry.name.starts_with("go1."))
        {
            let version = gover::from_toolchain(&entry.name);
            let usable = environment
                .look_path(&format!("{dir}/{}", entry.name))
                .is_ok();
            if usable && version.starts_with("1.") && !found.iter().any(|known| known == version) {
                found.push(version.to_owned());
            }
        }
    }
    found.sort_by(|a, b| gover::compare(a, b));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8Path;

    #[test]
    fn lines_are_found_without_parsing() {
        let text = b"module m\ngodebug x\n\tgo   1.21 // why\ntoolchain go1.22.1\nrequire (";
        assert_eq!(go_mod_lookup(text, "go"), "1.21");
        assert_eq!(go_mod_lookup(text, "toolchain"), "go1.22.1");
        assert_eq!(go_mod_lookup(b"module m", "go"), "");
    }

    #[test]
    fn toolchains_in_path() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        let files = Files::new(dir);
        for (name, mode) in [
            ("go1.9", 0o755),
            ("go1.30.1", 0o755),
            ("go1.31.0", 0o644),
            ("go", 0o755),
            ("go1.x", 0o755),
        ] {
            files.write(name, b"", 0o644).unwrap();
            files.set_mode(name, mode).unwrap();
        }
        files.create_dir("go1.32.0").unwrap();
        let environment = Environment::empty(dir).with("PATH", format!("{dir}:.:{dir}"));
        assert_eq!(in_path(&environment, &files), ["1.9", "1.30.1"]);
    }
}

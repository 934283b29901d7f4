//! The standard library of a compiler that brings it compiled: gccgo has export data of its packages, and no sources.

use camino::{Utf8Path, Utf8PathBuf};
use steady_system::process::Command;
use steady_system::{Environment, Files};

use crate::patterns::is_standard_import_path;

/// Where export data of the standard library lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prebuilt {
    /// In the order in which the compiler looks; empty if it cannot be asked.
    dirs: Vec<Utf8PathBuf>,
}

impl Prebuilt {
    /// That of a gccgo, which is asked. One that does not answer may have every package: whoever imports it will see.
    #[must_use]
    pub fn of_gccgo(name: &str, environment: &Environment, files: &Files) -> Prebuilt {
        let dirs = search_dirs(name, environment, files);
        Prebuilt {
            dirs: dirs.unwrap_or_default(),
        }
    }

    /// Whether the package is one of the standard library.
    #[must_use]
    pub fn has(&self, import: &str, files: &Files) -> bool {
        if !is_standard_import_path(import) {
            return false;
        }
        let mut dirs = self.dirs.iter();
        import == "unsafe"
            || self.dirs.is_empty()
            || dirs.any(|dir| files.is_file(dir.join(format!("{import}.gox"))))
    }
}

fn search_dirs(name: &str, environment: &Environment, files: &Files) -> Option<Vec<Utf8PathBuf>> {
    let program = environment.look_path(name).ok()?;
    let ask = |flag: &str| {
        let mut command = Command::new(program.as_str(), environment);
        let output = command.arg(flag).output().ok()?;
        output.status.success().then(|| output.text())
    };
    let all = ask("-print-search-dirs")?;
    let (version, machine) = (ask("-dumpversion")?, ask("-dumpmachine")?);
    let libraries = all
        .lines()
        .find_map(|line| line.strip_prefix("libraries: ="))?;
    Some(places(libraries, version.trim(), machine.trim(), |dir| {
        files.is_dir(dir)
    }))
}

/// Below each library directory the one of the compiler's version comes first, then all directories themselves.
fn places(
    libraries: &str,
    version: &str,
    machine: &str,
    is_dir: impl Fn(&Utf8Path) -> bool,
) -> Vec<Utf8PathBuf> {
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for dir in libraries.split(':').map(Utf8Path::new) {
        let own = dir.join("go").join(version);
        let of_machine = own.join(machine);
        for place in [own, of_machine] {
            if is_dir(&place) {
                first.push(place);
            }
        }
        if is_dir(dir) {
            last.push(dir.to_owned());
        }
    }
    first.extend(last);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_gccgo_looks() {
        let there = ["/l", "/l/go/12", "/l/go/12/m", "/k"];
        let found = places("/l:/k:/none", "12", "m", |dir| {
            there.contains(&dir.as_str())
        });
        assert_eq!(found, ["/l/go/12", "/l/go/12/m", "/l", "/k"]);
    }
}

//! Where programs begin: which packages are executables, and what nearly is one.
//!
//! A package is an executable on a platform if three things hold: it is package main, constraints leave its files in, and exactly
//! one of them declares `func main()` with no parameters, no results and no type parameters. Where somebody seems to have meant a
//! program and one of these does not hold, that is a near miss, with its place and its reason.
//!
//! Nothing is compiled: imports that cannot be found or bodies that are wrong do not count here.

mod directory;
mod reason;

pub use reason::{Reason, platform_names};

use camino::Utf8PathBuf;
use steady_packages::index::Index;
use steady_packages::source::BuildContext;

/// A platform that is asked about.
#[derive(Debug, Clone)]
pub struct Target {
    /// `GOOS/GOARCH`
    pub platform: String,
    /// The build configuration for it.
    pub context: BuildContext,
}

/// A package that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its import path.
    pub import_path: String,
    /// Its directory.
    pub dir: Utf8PathBuf,
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// In the order of the places.
    pub executables: Vec<Executable>,
    /// In the order of the places, within one by file and line.
    pub near_misses: Vec<NearMiss>,
}

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executable {
    /// The package.
    pub place: Place,
    /// Name of the file with `func main()`; of the first platform's, if platforms differ.
    pub file: String,
    /// Its line.
    pub line: u32,
    /// The platforms, of those asked about, on which it is one.
    pub platforms: Vec<String>,
}

/// What nearly is a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The package.
    pub place: Place,
    /// Name of the file.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Why it is none.
    pub reason: Reason,
    /// The platforms, of those asked about, on which that is so.
    pub platforms: Vec<String>,
}

/// Looks for programs in `places` on the platforms `asked` about. `known` are all platforms: where a file is left out on one of
/// those asked about, they are gone through for one that takes it in.
#[must_use]
pub fn find(index: &Index, places: &[Place], asked: &[Target], known: &[Target]) -> Entries {
    let mut entries = Entries::default();
    for place in places {
        let Some(directory) = directory::Directory::open(index, place, known) else {
            continue;
        };
        let mut found = Entries::default();
        for target in asked {
            directory.judge(target, &mut found);
        }
        let misses = &mut found.near_misses;
        misses.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        entries.executables.append(&mut found.executables);
        entries.near_misses.append(misses);
    }
    entries
}

#[cfg(test)]
mod tests;

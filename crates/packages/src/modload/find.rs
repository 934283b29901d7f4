//! Where a run's go.mod and go.work are.

use camino::{Utf8Path, Utf8PathBuf};
use steady_system::Files;

fn upwards(files: &Files, from: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    from.ancestors()
        .map(|dir| dir.join(name))
        .find(|path| files.is_file(path))
}

/// The go.mod in `dir` or the nearest directory above it.
#[must_use]
pub fn find_go_mod(files: &Files, dir: &Utf8Path) -> Option<Utf8PathBuf> {
    upwards(files, dir, "go.mod")
}

/// The go.work in use: what GOWORK (`gowork`) says, or the nearest one in `dir` or above. One at the top of GOROOT is for working on
/// the distribution and does not count.
///
/// # Errors
/// GOWORK is set to something that is no absolute path to a `.work` file.
pub fn find_go_work(
    files: &Files,
    dir: &Utf8Path,
    gowork: &str,
    goroot: &Utf8Path,
) -> Result<Option<Utf8PathBuf>, String> {
    match gowork {
        "off" => Ok(None),
        "" | "auto" => {
            let found = upwards(files, dir, "go.work");
            Ok(found.filter(|path| goroot.as_str().is_empty() || path.parent() != Some(goroot)))
        }
        path if !Utf8Path::new(path).is_absolute() => {
            Err("the path provided to GOWORK must be an absolute path".into())
        }
        path => Ok(Some(path.into())),
    }
}

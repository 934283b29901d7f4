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

/// The go.work in use: what GOWORK (`gowork`) says, or the nearest one in `dir` or above. From inside GOROOT the search ends before
/// its top: the distribution's modules are never part of somebody's workspace.
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
            let mut dirs = dir.ancestors().enumerate();
            let dirs = dirs
                .by_ref()
                .take_while(|(up, dir)| *up == 0 || *dir != goroot);
            Ok(dirs
                .map(|(_, dir)| dir.join("go.work"))
                .find(|path| files.is_file(path)))
        }
        path if !Utf8Path::new(path).is_absolute() => Err("not an absolute path".into()),
        path => Ok(Some(path.into())),
    }
}

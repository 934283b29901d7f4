//! Temporary directories that vanish when dropped, and when a signal ends the run.

use camino::{Utf8Path, Utf8PathBuf};
use std::os::unix::fs::DirBuilderExt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::interrupt::{self, Guard};
use crate::{Environment, Error, Result};

/// A directory that is removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct TempDir {
    path: Utf8PathBuf,
    guard: Option<Guard>,
}

impl TempDir {
    /// Makes `<parent>/<prefix><digits>`, mode 0700 (Go's `os.MkdirTemp`).
    pub fn new_in(parent: impl AsRef<Utf8Path>, prefix: &str) -> Result<TempDir> {
        for _ in 0..10_000 {
            let path = parent.as_ref().join(format!("{prefix}{}", random()));
            crate::fault::step();
            match std::fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    let guard = Some(interrupt::remove_on_exit(&path));
                    return Ok(TempDir { path, guard });
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::path("mkdir", path, error)),
            }
        }
        Err(Error::path(
            "mkdir",
            parent.as_ref(),
            std::io::ErrorKind::AlreadyExists.into(),
        ))
    }

    /// Makes one in the user's temporary directory.
    pub fn new(environment: &Environment, prefix: &str) -> Result<TempDir> {
        TempDir::new_in(environment.cwd().join(environment.temp_dir()), prefix)
    }

    /// Where it is.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Leaves the directory behind (`-work`) and says where it is.
    pub fn keep(mut self) -> Utf8PathBuf {
        self.guard = None;
        std::mem::take(&mut self.path)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if self.guard.is_some() {
            // On the list until it is gone: a signal may come in the middle.
            let _ = crate::files::remove_tree(&self.path);
            self.guard = None;
        }
    }
}

/// A number that is unlikely to be drawn twice, by this process or by another.
pub(crate) fn random() -> u32 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u64(DRAWN.fetch_add(1, Ordering::Relaxed));
    hasher.write_u32(std::process::id());
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vanishes_or_stays() {
        let outer = tempfile::tempdir().unwrap();
        let outer = Utf8Path::from_path(outer.path()).unwrap();
        let dir = TempDir::new_in(outer, "go-build").unwrap();
        let path = dir.path().to_owned();
        std::fs::write(path.join("x"), "").unwrap();
        drop(dir);
        assert!(!path.exists());
        let kept = TempDir::new_in(outer, "go-build").unwrap().keep();
        assert!(kept.exists());
    }
}

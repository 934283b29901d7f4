//! Changing the file system. Modes are subject to the umask, as in Go.

use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{FileKind, Files};
use crate::{Error, Result, fault, interrupt};

impl Files {
    /// Writes a file in place, creating or truncating it (Go's `os.WriteFile`).
    pub fn write(&self, path: impl AsRef<Utf8Path>, bytes: &[u8], mode: u32) -> Result<()> {
        let path = path.as_ref();
        let mut file = self.create(path, mode)?;
        fault::step_write(&mut file, bytes);
        file.write_all(bytes)
            .map_err(|error| Error::path("write", path, error))
    }

    /// Creates or truncates a file for reading and writing.
    pub fn create(&self, path: impl AsRef<Utf8Path>, mode: u32) -> Result<File> {
        let path = path.as_ref();
        self.changes(path);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode);
        options
            .open(self.resolve(path).as_std_path())
            .map_err(|error| Error::path("open", path, error))
    }

    /// Opens a file for reading and writing, creating it if missing and keeping what is in it.
    pub fn open_or_create(&self, path: impl AsRef<Utf8Path>, mode: u32) -> Result<File> {
        let path = path.as_ref();
        self.changes(path);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(mode);
        options
            .open(self.resolve(path).as_std_path())
            .map_err(|error| Error::path("open", path, error))
    }

    /// Creates a file that must not exist yet.
    pub fn create_new(&self, path: impl AsRef<Utf8Path>, mode: u32) -> Result<File> {
        let path = path.as_ref();
        self.changes(path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(mode);
        options
            .open(self.resolve(path).as_std_path())
            .map_err(|error| Error::path("open", path, error))
    }

    /// Creates a file beside `path` under a name of its own (`path` + digits + `.tmp`), to be renamed later.
    pub fn create_beside(
        &self,
        path: impl AsRef<Utf8Path>,
        mode: u32,
    ) -> Result<(File, Utf8PathBuf)> {
        let path = path.as_ref();
        let mut last = None;
        for _ in 0..10_000 {
            let name = Utf8PathBuf::from(format!("{path}{}.tmp", crate::temp::random()));
            match self.create_new(&name, mode) {
                Ok(file) => return Ok((file, name)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or(Error::Interrupted))
    }

    /// Writes the whole file or nothing: into a neighbour that is then renamed over it.
    pub fn write_atomic(&self, path: impl AsRef<Utf8Path>, bytes: &[u8], mode: u32) -> Result<()> {
        let path = path.as_ref();
        let (mut file, name) = self.create_beside(path, mode)?;
        let guard = interrupt::remove_on_exit(&self.absolute(&name));
        fault::step_write(&mut file, bytes);
        let written = file
            .write_all(bytes)
            .map_err(|error| Error::path("write", &name, error));
        drop(file);
        let done = written.and_then(|()| self.rename(&name, path));
        if done.is_err() {
            let _ = self.remove_file(&name);
        }
        drop(guard);
        done
    }

    /// Renames, replacing what stands at the new name.
    pub fn rename(&self, from: impl AsRef<Utf8Path>, to: impl AsRef<Utf8Path>) -> Result<()> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.note_change(from);
        self.changes(to);
        let done = std::fs::rename(
            self.resolve(from).as_std_path(),
            self.resolve(to).as_std_path(),
        );
        done.map_err(|source| Error::Link {
            op: "rename",
            from: from.into(),
            to: to.into(),
            source,
        })
    }

    /// Copies a file's bytes; the copy gets `mode`.
    pub fn copy(
        &self,
        from: impl AsRef<Utf8Path>,
        to: impl AsRef<Utf8Path>,
        mode: u32,
    ) -> Result<u64> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let mut source = self.open(from)?;
        let mut target = self.create(to, mode)?;
        io::copy(&mut source, &mut target).map_err(|error| Error::path("write", to, error))
    }

    /// Makes a second name for a file.
    pub fn hard_link(&self, from: impl AsRef<Utf8Path>, to: impl AsRef<Utf8Path>) -> Result<()> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.changes(to);
        let done = std::fs::hard_link(
            self.resolve(from).as_std_path(),
            self.resolve(to).as_std_path(),
        );
        done.map_err(|source| Error::Link {
            op: "link",
            from: from.into(),
            to: to.into(),
            source,
        })
    }

    /// Makes `link` a symbolic link to `target` (kept as it is).
    pub fn symlink(&self, target: impl AsRef<Utf8Path>, link: impl AsRef<Utf8Path>) -> Result<()> {
        let (target, link) = (target.as_ref(), link.as_ref());
        self.changes(link);
        let done =
            std::os::unix::fs::symlink(target.as_std_path(), self.resolve(link).as_std_path());
        done.map_err(|source| Error::Link {
            op: "symlink",
            from: target.into(),
            to: link.into(),
            source,
        })
    }

    /// Makes one directory.
    pub fn create_dir(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        self.changes(path);
        let done = std::fs::DirBuilder::new()
            .mode(0o777)
            .create(self.resolve(path).as_std_path());
        done.map_err(|error| Error::path("mkdir", path, error))
    }

    /// Makes a directory and its parents; one that exists is fine.
    pub fn create_dir_all(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        self.changes(path);
        let mut builder = std::fs::DirBuilder::new();
        match builder
            .recursive(true)
            .mode(0o777)
            .create(self.resolve(path).as_std_path())
        {
            Ok(()) => Ok(()),
            Err(error) => Err(Error::path("mkdir", self.first_missing(path), error)),
        }
    }

    /// The directory whose making must have failed: Go names that one, not the one asked for.
    fn first_missing(&self, path: &Utf8Path) -> Utf8PathBuf {
        let missing = path
            .ancestors()
            .take_while(|dir| !self.resolve(dir).is_dir())
            .last();
        missing.unwrap_or(path).to_owned()
    }

    /// Removes a file or a link.
    pub fn remove_file(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        self.changes(path);
        std::fs::remove_file(self.resolve(path).as_std_path())
            .map_err(|error| Error::path("remove", path, error))
    }

    /// Removes an empty directory.
    pub fn remove_dir(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        self.changes(path);
        std::fs::remove_dir(self.resolve(path).as_std_path())
            .map_err(|error| Error::path("remove", path, error))
    }

    /// Removes a file or an empty directory (Go's `os.Remove`).
    pub fn remove(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        let path = path.as_ref();
        match std::fs::symlink_metadata(self.resolve(path).as_std_path()) {
            Ok(meta) if meta.is_dir() => self.remove_dir(path),
            Ok(_) => self.remove_file(path),
            Err(error) => Err(Error::path("remove", path, error)),
        }
    }

    /// Removes a path and everything below, read-only directories included. Nothing there is fine.
    pub fn remove_all(&self, path: impl AsRef<Utf8Path>) -> Result<()> {
        self.note_change(path.as_ref());
        remove_tree(&self.resolve(path.as_ref()))
    }

    /// Sets the permission bits of a path, links followed.
    pub fn set_mode(&self, path: impl AsRef<Utf8Path>, mode: u32) -> Result<()> {
        let path = path.as_ref();
        self.changes(path);
        let done = std::fs::set_permissions(
            self.resolve(path).as_std_path(),
            Permissions::from_mode(mode),
        );
        done.map_err(|error| Error::path("chmod", path, error))
    }

    /// Takes the write bits from `root` and from every directory below it.
    pub fn make_dirs_read_only(&self, root: impl AsRef<Utf8Path>) -> Result<()> {
        let mut dirs = Vec::new();
        let disk = Files::new(self.cwd());
        disk.walk::<Error>(root.as_ref(), &mut |entry| {
            if entry.kind == FileKind::Dir {
                dirs.push(entry.path.clone());
            }
            Ok(super::Walk::Continue)
        })?;
        // From the leaves up, so that no directory loses its write bit before its children were visited.
        dirs.iter()
            .rev()
            .try_for_each(|dir| self.set_mode(dir, disk.stat(dir)?.mode & !0o222))
    }

    /// Sets access and modification time to `modified` (nanoseconds since 1970).
    pub fn set_times(&self, path: impl AsRef<Utf8Path>, modified: i64) -> Result<()> {
        let path = path.as_ref();
        self.changes(path);
        let time: SystemTime =
            UNIX_EPOCH + Duration::from_nanos(u64::try_from(modified).unwrap_or(0));
        let times = std::fs::FileTimes::new()
            .set_accessed(time)
            .set_modified(time);
        let done =
            File::open(self.resolve(path).as_std_path()).and_then(|file| file.set_times(times));
        done.map_err(|error| Error::path("chtimes", path, error))
    }
}

/// Removes a tree; directories that refuse are given their write bit first, as the module cache's are read-only.
pub(crate) fn remove_tree(path: &Utf8Path) -> Result<()> {
    let fail = |error| Error::path("unlinkat", path, error);
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(());
        }
        Err(error) => return Err(fail(error)),
    };
    fault::step();
    if !meta.is_dir() {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(error)),
            _ => Ok(()),
        };
    }
    if meta.permissions().mode() & 0o700 != 0o700 {
        let _ = std::fs::set_permissions(path, Permissions::from_mode(0o777));
    }
    match std::fs::read_dir(path) {
        Ok(entries) => {
            for entry in entries.flatten() {
                match Utf8PathBuf::from_path_buf(entry.path()) {
                    Ok(child) => remove_tree(&child)?,
                    // A name that no Go tool made.
                    Err(child) if child.is_dir() => std::fs::remove_dir_all(child).map_err(fail)?,
                    Err(child) => std::fs::remove_file(child).map_err(fail)?,
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fail(error)),
    }
    fault::step();
    match std::fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(fail(error)),
        _ => Ok(()),
    }
}

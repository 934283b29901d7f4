//! Advisory file locks as the go command's `lockedfile` takes them, so that go and Steady can share a cache at the same moment.
//!
//! On Linux go uses `flock(2)`: one exclusive or shared lock on the whole open file, released when the descriptor is closed. A
//! lock belongs to the open file, so two threads of this process that open the file each exclude one another too.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use crate::{Error, Result, fault};

/// A locked open file; the lock ends when this is dropped.
#[derive(Debug)]
pub struct LockedFile {
    file: File,
    path: Utf8PathBuf,
}

impl LockedFile {
    fn open(path: &Utf8Path, options: &mut OpenOptions, how: FlockOperation) -> Result<LockedFile> {
        fault::step();
        let file = options
            .mode(0o666)
            .open(path)
            .map_err(|error| Error::path("open", path, error))?;
        // File systems without locks (some network mounts) fail here; go fails too.
        loop {
            match flock(&file, how) {
                Ok(()) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::path("Lock", path, error.into())),
            }
        }
        Ok(LockedFile {
            file,
            path: path.to_owned(),
        })
    }

    /// The open file.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// The whole contents from the start.
    pub fn read(&mut self) -> Result<Vec<u8>> {
        let fail = |error| Error::path("read", &self.path, error);
        self.file.seek(SeekFrom::Start(0)).map_err(fail)?;
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes).map_err(fail)?;
        Ok(bytes)
    }

    /// Replaces `old`, which is what the file holds, by `new`. If that fails (the disk is full), the file keeps `old`.
    pub fn replace(&mut self, old: &[u8], new: &[u8]) -> Result<()> {
        if new == old {
            return Ok(());
        }
        replace(&self.file, old, new).map_err(|error| {
            // Put back what was there; the room for that is not lost.
            if self.file.write_all_at(old, 0).is_ok() {
                let _ = self.file.set_len(old.len() as u64);
            }
            Error::path("write", &self.path, error)
        })
    }
}

/// An exclusive lock on a well-known lock file, created if missing; its contents mean nothing.
pub fn mutex(path: impl AsRef<Utf8Path>) -> Result<LockedFile> {
    let mut options = OpenOptions::new();
    LockedFile::open(
        path.as_ref(),
        options.read(true).write(true).create(true).truncate(false),
        FlockOperation::LockExclusive,
    )
}

/// Opens a file for reading and writing under an exclusive lock, creating it if missing and keeping what is in it.
pub fn edit(path: impl AsRef<Utf8Path>) -> Result<LockedFile> {
    mutex(path)
}

/// Reads a file under a shared lock.
pub fn read(path: impl AsRef<Utf8Path>) -> Result<Vec<u8>> {
    let path = path.as_ref();
    LockedFile::open(
        path,
        OpenOptions::new().read(true),
        FlockOperation::LockShared,
    )?
    .read()
}

/// Writes a file under an exclusive lock.
pub fn write(path: impl AsRef<Utf8Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    let mut options = OpenOptions::new();
    // Truncated only once the lock is held, or a reader would see an empty file.
    let mut locked = LockedFile::open(
        path,
        options.write(true).create(true).truncate(false),
        FlockOperation::LockExclusive,
    )?;
    fault::step();
    let done = locked
        .file
        .set_len(0)
        .and_then(|()| locked.file.write_all(bytes));
    done.map_err(|error| Error::path("write", path, error))
}

/// Reads a file, computes its new contents and writes them, all under one exclusive lock. If `change` fails, or the disk is full,
/// the file keeps what it had.
pub fn transform<E: From<Error>>(
    path: impl AsRef<Utf8Path>,
    change: impl FnOnce(&[u8]) -> std::result::Result<Vec<u8>, E>,
) -> std::result::Result<(), E> {
    let mut locked = edit(path)?;
    let old = locked.read()?;
    let new = change(&old)?;
    Ok(locked.replace(&old, &new)?)
}

/// One call writes all of it, so that an end between two calls leaves no mixture. What is shorter than before is first followed by
/// empty lines, which mean nothing in the files that are edited in place.
fn replace(file: &File, old: &[u8], new: &[u8]) -> std::io::Result<()> {
    if new.len() > old.len() {
        let (keep, length) = (FallocateFlags::KEEP_SIZE, new.len() as u64);
        match fallocate(file, keep, 0, length) {
            // Not every file system can promise room; there a full disk is noticed by writing.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut padded;
    let bytes = if new.len() < old.len() {
        padded = new.to_vec();
        padded.resize(old.len(), b'\n');
        &padded
    } else {
        new
    };
    fault::step();
    file.write_all_at(bytes, 0)?;
    if new.len() < old.len() {
        fault::step();
        file.set_len(new.len() as u64)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn dir() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    #[test]
    fn transform_grows_shrinks_and_keeps_on_error() {
        let (_dir, path) = dir();
        let file = path.join("go.sum");
        transform::<Error>(&file, |old| Ok([old, b"long line\n"].concat())).unwrap();
        transform::<Error>(&file, |_| Ok(b"x\n".to_vec())).unwrap();
        let failed = transform::<Error>(&file, |_| Err(Error::Interrupted));
        assert!(matches!(failed, Err(Error::Interrupted)));
        assert_eq!(read(&file).unwrap(), b"x\n");
        write(&file, b"abc").unwrap();
        assert_eq!(read(&file).unwrap(), b"abc");
    }

    #[test]
    fn one_holder_at_a_time() {
        let (_dir, path) = dir();
        let file = path.join("lock");
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let _guard = mutex(&file).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }
}

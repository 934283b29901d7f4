//! Many files at once: copies on all processors, and whole directories put into place at one stroke.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Files;
use crate::{Error, Result, interrupt};

/// Files that one thread takes at a time: neighbours, so that a directory's files are made by one thread.
const SHARE: usize = 32;
/// Files up to this size are read and written in one piece each.
const BUFFER: usize = 1 << 18;

impl Files {
    /// Copies files; directories must be there, and each copy is new with `mode`. Ends early when a signal asks for it.
    ///
    /// # Errors
    /// The first failure.
    pub fn copy_all(&self, copies: &[(&Utf8Path, Utf8PathBuf)], mode: u32) -> Result<()> {
        let threads = crate::processors();
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let failure = Mutex::new(None);
        let shares: Vec<_> = copies.chunks(SHARE).collect();
        let work = || {
            let mut buffer = vec![0; BUFFER];
            while let Some(share) = shares.get(next.fetch_add(1, Ordering::Relaxed)) {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let mut copies = share.iter();
                let done = interrupt::check().and_then(|()| {
                    copies.try_for_each(|(from, to)| self.copy_one(from, to, mode, &mut buffer))
                });
                if let Err(error) = done {
                    stop.store(true, Ordering::Relaxed);
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(error);
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.min(shares.len()) {
                scope.spawn(work);
            }
            work();
        });
        let failure = failure.into_inner().unwrap_or_default();
        failure.map_or(Ok(()), Err)
    }

    fn copy_one(&self, from: &Utf8Path, to: &Utf8Path, mode: u32, buffer: &mut [u8]) -> Result<()> {
        let mut source = self.open(from)?;
        let mut target = self.create_new(to, mode)?;
        loop {
            let read = match source.read(buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::path("read", from, error)),
            };
            crate::fault::step_write(&mut target, &buffer[..read]);
            target
                .write_all(&buffer[..read])
                .map_err(|error| Error::path("write", to, error))?;
        }
    }

    /// Makes the tree at `new` the one at `place`, at one stroke where the system can; what was there is removed.
    ///
    /// # Errors
    /// Neither could be done; what was there is there still.
    pub fn swap_in(&self, new: impl AsRef<Utf8Path>, place: impl AsRef<Utf8Path>) -> Result<()> {
        let (new, place) = (new.as_ref(), place.as_ref());
        match self.lstat(place) {
            Err(error) if error.is_not_found() => return self.rename(new, place),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let (from, to) = (self.resolve(new), self.resolve(place));
        let swapped = renameat_with(
            CWD,
            from.as_std_path(),
            CWD,
            to.as_std_path(),
            RenameFlags::EXCHANGE,
        );
        if swapped.is_err() {
            let old = Utf8PathBuf::from(format!("{new}.old"));
            self.rename(place, &old)?;
            if let Err(error) = self.rename(new, place) {
                let _ = self.rename(&old, place);
                return Err(error);
            }
            return self.remove_all(&old);
        }
        self.remove_all(new)
    }
}

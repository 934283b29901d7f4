//! Many files at once: copies on all processors, and whole directories put into place at one stroke.

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use std::fs::File;
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
    /// Copies files; directories must be there, and each copy is new with `mode`. `paths` tells from where to where. Ends early when a
    /// signal asks for it.
    ///
    /// # Errors
    /// The first failure.
    pub fn copy_all<T: Sync>(
        &self,
        copies: &[T],
        paths: impl Fn(&T) -> (Utf8PathBuf, Utf8PathBuf) + Sync,
        mode: u32,
    ) -> Result<()> {
        each(copies, |_, copy, buffer| {
            let (from, to) = paths(copy);
            self.copy_one(&from, &to, mode, &mut buffer.0)
        })
    }

    /// For each pair of `paths`: is the second a file of its own (no link, no second name) with the bytes of the first and with just
    /// this mode? What cannot be read is not.
    ///
    /// # Errors
    /// A signal asked for an end.
    pub fn are_copies<T: Sync>(
        &self,
        pairs: &[T],
        paths: impl Fn(&T) -> (Utf8PathBuf, Utf8PathBuf) + Sync,
        mode: u32,
    ) -> Result<Vec<bool>> {
        let equal: Vec<AtomicBool> = pairs.iter().map(|_| AtomicBool::new(false)).collect();
        each(pairs, |at, pair, buffer| {
            let (from, to) = paths(pair);
            let same = self.is_copy(&from, &to, mode, buffer).unwrap_or(false);
            equal[at].store(same, Ordering::Relaxed);
            Ok(())
        })?;
        Ok(equal.into_iter().map(AtomicBool::into_inner).collect())
    }

    fn is_copy(
        &self,
        from: &Utf8Path,
        to: &Utf8Path,
        mode: u32,
        (one, other): &mut (Vec<u8>, Vec<u8>),
    ) -> io::Result<bool> {
        let there = self.lstat(to).map_err(io::Error::other)?;
        if !there.is_file() || there.links != 1 || there.mode != mode {
            return Ok(false);
        }
        let mut source = self.open(from).map_err(io::Error::other)?;
        if source.metadata()?.len() != there.size {
            return Ok(false);
        }
        let mut target = self.open(to).map_err(io::Error::other)?;
        loop {
            let read = read_full(&mut source, one)?;
            if read != read_full(&mut target, other)? || one[..read] != other[..read] {
                return Ok(false);
            }
            if read < one.len() {
                return Ok(true);
            }
        }
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

/// Two buffers for each thread.
type Buffers = (Vec<u8>, Vec<u8>);

/// Does the same with many things, each of which has a number, on all processors; ends with the first failure.
fn each<T: Sync>(
    things: &[T],
    work: impl Fn(usize, &T, &mut Buffers) -> Result<()> + Sync,
) -> Result<()> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failure = Mutex::new(None);
    let shares = things.len().div_ceil(SHARE);
    let thread = || {
        let mut buffers = (vec![0; BUFFER], vec![0; BUFFER]);
        loop {
            let share = next.fetch_add(1, Ordering::Relaxed);
            if share >= shares || stop.load(Ordering::Relaxed) {
                return;
            }
            let mut numbers = share * SHARE..things.len().min((share + 1) * SHARE);
            let done = interrupt::check()
                .and_then(|()| numbers.try_for_each(|at| work(at, &things[at], &mut buffers)));
            if let Err(error) = done {
                stop.store(true, Ordering::Relaxed);
                if let Ok(mut failure) = failure.lock() {
                    failure.get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..crate::processors().min(shares) {
            scope.spawn(thread);
        }
        thread();
    });
    let failure = failure.into_inner().unwrap_or_default();
    failure.map_or(Ok(()), Err)
}

/// Reads until the buffer is full or the file ends.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

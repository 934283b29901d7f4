//! The file that a zip arrives in: it goes on where it was cut, and tells how far it is.

use camino::Utf8Path;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use steady_module::ModuleVersion;
use steady_system::interrupt::{self, Guard};
use steady_system::{Error as SystemError, fault};

use super::shared::Shared;
use crate::{Error, Result, ZipSink};

/// Bytes of a zip from which on a transfer that was cut is continued.
pub const WORTH_KEEPING: u64 = 1 << 20;

/// See the module.
pub struct FileSink<'a> {
    file: File,
    path: &'a Utf8Path,
    have: u64,
    total: Option<u64>,
    shared: &'a Shared,
    module: &'a ModuleVersion,
    /// A signal removes the file as long as there is too little in it to be worth continuing.
    guard: Option<Guard>,
}

impl<'a> FileSink<'a> {
    /// Opens the file, which may be there already.
    pub fn open(
        path: &'a Utf8Path,
        shared: &'a Shared,
        module: &'a ModuleVersion,
    ) -> Result<FileSink<'a>> {
        let mut file = shared.files.open_or_create(path, 0o666)?;
        let have = file
            .seek(SeekFrom::End(0))
            .map_err(|source| failed("seek", path, source))?;
        Ok(FileSink {
            file,
            path,
            have,
            total: None,
            shared,
            module,
            guard: (have < WORTH_KEEPING).then(|| interrupt::remove_on_exit(path)),
        })
    }
}

fn failed(op: &'static str, path: &Utf8Path, source: io::Error) -> SystemError {
    let path = path.to_owned();
    SystemError::Path { op, path, source }
}

impl ZipSink for FileSink<'_> {
    fn have(&self) -> u64 {
        self.have
    }

    fn restart(&mut self) -> Result<()> {
        fault::step();
        self.file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .map_err(|source| Error::from(failed("truncate", self.path, source)))?;
        (self.have, self.total) = (0, None);
        Ok(())
    }

    fn expect(&mut self, total: u64) {
        self.total = Some(total);
    }
}

impl Write for FileSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::step_write(&mut self.file, bytes);
        let count = self
            .file
            .write(bytes)
            .map_err(|source| failed("write", self.path, source))?;
        self.have += count as u64;
        if self.have >= WORTH_KEEPING {
            self.guard = None;
        }
        self.shared
            .observer
            .progress(self.module, self.have, self.total);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

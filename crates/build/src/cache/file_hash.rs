//! Hashes of the files that actions read, each file read once in a run.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::sync::{Mutex, PoisonError};

use super::{HashContext, Id, short};

/// Remembers the hash of every file that was asked for.
#[derive(Debug, Default)]
pub struct FileHashes {
    known: Mutex<HashMap<Utf8PathBuf, Id>>,
}

impl FileHashes {
    /// SHA-256 of a file's content.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn get(&self, path: &Utf8Path, trace: &HashContext) -> io::Result<Id> {
        if let Some(id) = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
        {
            return Ok(*id);
        }
        match hash_file(path) {
            Ok(id) => {
                trace.trace_file(path.as_str(), Ok(&id));
                self.known
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(path.to_owned(), id);
                Ok(id)
            }
            Err(error) => {
                trace.trace_file(path.as_str(), Err(&error.to_string()));
                Err(error)
            }
        }
    }

    /// The short form of a file's hash; empty if it cannot be read, as in go: the step that needs the file then says why.
    #[must_use]
    pub fn short(&self, path: &Utf8Path, trace: &HashContext) -> String {
        self.get(path, trace)
            .map(|id| short(&id))
            .unwrap_or_default()
    }
}

fn hash_file(path: &Utf8Path) -> io::Result<Id> {
    let mut file = File::open(path)?;
    let mut state = Sha256::new();
    let mut buffer = [0; 32 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(state.finalize().into()),
            n => state.update(&buffer[..n]),
        }
    }
}

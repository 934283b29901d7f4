//! Hashes of the files that actions read, each file read once in a run.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::{HashContext, Id, hash_of, short};

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
        match File::open(path).and_then(hash_of) {
            Ok((id, _)) => {
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

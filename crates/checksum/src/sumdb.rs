//! The client of a checksum database: a log whose records are lines of go.sum.
//!
//! What counts is the text of a record that the signed tree has: of an answer, nothing is used that this does not cover. The newest
//! tree head ever seen is kept, and every other head must lie in one history with it.

use crate::Verified;
use crate::note::{NoteError, Verifier};
use crate::tlog::{
    Authentic, Hash, LogError, TILE_WIDTH, Tile, TileBytes, TileSource, Tree, TreeReader,
    record_hash,
};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use steady_module::path;

/// What the client needs of the outside world. Paths are relative to the database's URL, and the same in the cache.
pub trait Ops: Send + Sync {
    /// Why it cannot be had.
    type Error: Clone + std::fmt::Display;

    /// Fetches `path` from the database.
    ///
    /// # Errors
    /// It cannot be had.
    fn read_remote(&self, path: &str) -> Result<Vec<u8>, Self::Error>;

    /// Reads the kept tree head `file`; empty if there is none yet.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_config(&self, file: &str) -> Result<Vec<u8>, Self::Error>;

    /// Replaces a kept tree head if it still is `old`; false if it is not.
    ///
    /// # Errors
    /// It cannot be written.
    fn write_config(&self, file: &str, old: &[u8], new: &[u8]) -> Result<bool, Self::Error>;

    /// A kept answer.
    fn read_cache(&self, file: &str) -> Option<Vec<u8>>;

    /// Keeps an answer that turned out authentic.
    fn write_cache(&self, file: &str, bytes: &[u8]);
}

/// Why the database has no answer that counts.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SumDbError<E> {
    /// The outside world refused.
    #[error("{0}")]
    Read(E),
    /// The answer has not the form of one.
    #[error("malformed record data")]
    Malformed,
    /// The answer's tree head is not signed by the database.
    #[error("reading tree note: {0}")]
    Note(#[from] NoteError),
    /// The signed head is no tree.
    #[error("reading tree: malformed tree note")]
    Tree,
    /// The path or version cannot be looked up.
    #[error("{0}")]
    Path(String),
    /// The database contradicts itself. The whole text is for the user to see.
    #[error("{0}")]
    Security(String),
}

impl<E> From<LogError<E>> for SumDbError<E> {
    fn from(error: LogError<E>) -> Self {
        match error {
            LogError::Read(error) => SumDbError::Read(error),
            LogError::Size(tile) | LogError::Inconsistent(tile) => SumDbError::Security(format!(
                "SECURITY ERROR\ndownloaded inconsistent tile {tile}"
            )),
            LogError::Beyond(id) => SumDbError::Security(format!(
                "SECURITY ERROR\nthe database has no record {id} in the tree that it signed"
            )),
        }
    }
}

#[derive(Default)]
struct Head {
    tree: Tree,
    note: Vec<u8>,
    /// What was read of the tree so far.
    tiles: OnceLock<Arc<Authentic>>,
}

/// What is known of the log's history.
#[derive(Default)]
struct History {
    latest: Option<Arc<Head>>,
    /// Signed notes whose heads lie in one history with the latest: answers that were kept come with many heads, and each with few.
    agreed: HashSet<Vec<u8>>,
}

/// A client of one database; may be used from several threads.
pub struct Client<O: Ops> {
    ops: O,
    verifier: Verifier,
    history: Mutex<History>,
}

/// Tiles of the database, from the cache where they are kept.
struct Tiles<'c, O: Ops> {
    client: &'c Client<O>,
}

impl<O: Ops> TileSource for Tiles<'_, O> {
    type Error = O::Error;

    fn read(&self, tile: Tile) -> Result<TileBytes, O::Error> {
        let client = self.client;
        let width = usize::try_from(tile.width * 32).unwrap_or(usize::MAX);
        let cut = |mut bytes: Vec<u8>| {
            bytes.truncate(width);
            bytes
        };
        // A full tile begins with the partial one; it may have been kept later, and the server may have only that.
        if let Some(bytes) = client
            .ops
            .read_cache(&client.cached(&tile.path()))
            .filter(|bytes| bytes.len() == width)
        {
            return Ok(TileBytes { bytes, kept: true });
        }
        if tile.width < TILE_WIDTH
            && let Some(bytes) = client
                .ops
                .read_cache(&client.cached(&tile.full().path()))
                .filter(|bytes| bytes.len() >= width)
        {
            let bytes = cut(bytes);
            return Ok(TileBytes { bytes, kept: true });
        }
        let fetched = client.ops.read_remote(&tile.path()).or_else(|error| {
            if tile.width == TILE_WIDTH {
                return Err(error);
            }
            client
                .ops
                .read_remote(&tile.full().path())
                .map(cut)
                .map_err(|_| error)
        });
        fetched.map(|bytes| TileBytes { bytes, kept: false })
    }

    fn keep(&self, tile: Tile, bytes: &[u8]) {
        let file = self.client.cached(&tile.path());
        self.client.ops.write_cache(&file, bytes);
    }
}

impl<O: Ops> Client<O> {
    /// A client of the database with this key.
    pub fn new(ops: O, verifier: Verifier) -> Client<O> {
        Client {
            ops,
            verifier,
            history: Mutex::default(),
        }
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    fn cached(&self, path: &str) -> String {
        format!("{}/{path}", self.name())
    }

    fn config_file(&self) -> String {
        format!("{}/latest", self.name())
    }

    /// The lines of go.sum that the database has for exactly this module version. `version` may end in `/go.mod`.
    ///
    /// # Errors
    /// The database cannot be asked, or its answer does not count. An answer about something else gives no lines.
    pub fn lookup(
        &self,
        module: &str,
        version: &str,
    ) -> Result<Verified<Vec<String>>, SumDbError<O::Error>> {
        let bare = version.strip_suffix("/go.mod").unwrap_or(version);
        let refuse = |error: path::PathError| SumDbError::Path(error.to_string());
        let (escaped, escaped_version) = (
            path::escape_path(module).map_err(refuse)?,
            path::escape_version(bare).map_err(refuse)?,
        );
        let place = format!("lookup/{escaped}@{escaped_version}");
        let file = self.cached(&place);
        let kept = self.ops.read_cache(&file);
        let answer = match &kept {
            Some(answer) => answer.clone(),
            None => self.ops.read_remote(&place).map_err(SumDbError::Read)?,
        };
        let record = match self.check(&answer) {
            // What lies in the cache may be torn: it is asked for again rather than believed or complained about.
            Err(_) if kept.is_some() => {
                let answer = self.ops.read_remote(&place).map_err(SumDbError::Read)?;
                let record = self.check(&answer)?;
                self.ops.write_cache(&file, &answer);
                record
            }
            Err(error) => return Err(error),
            Ok(record) => {
                if kept.is_none() {
                    self.ops.write_cache(&file, &answer);
                }
                record
            }
        };
        let prefix = format!("{module} {version} ");
        let lines = record
            .lines()
            .filter(|line| line.starts_with(&prefix))
            .map(str::to_string)
            .collect();
        Ok(Verified(lines))
    }

    /// The record of an answer, once the signed tree is known to have exactly this text.
    fn check(&self, answer: &[u8]) -> Result<String, SumDbError<O::Error>> {
        let text = std::str::from_utf8(answer).map_err(|_| SumDbError::Malformed)?;
        let (id, rest) = text.split_once('\n').ok_or(SumDbError::Malformed)?;
        let id: u64 = id.parse().map_err(|_| SumDbError::Malformed)?;
        let split = rest.find("\n\n").ok_or(SumDbError::Malformed)?;
        let (record, note) = (&rest[..=split], &rest[split + 2..]);
        if record.trim().is_empty() || record.contains('\r') {
            return Err(SumDbError::Malformed);
        }
        let head = self.merge(note.as_bytes())?;
        let tiles = Tiles { client: self };
        let reader = self.reader(&head, &tiles)?;
        if reader.record(id)? != record_hash(record.as_bytes()) {
            return Err(SumDbError::Security(format!(
                "SECURITY ERROR\nthe database's answer is not record {id} of the tree that it signed"
            )));
        }
        Ok(record.to_string())
    }

    /// A reader of a head's tree, with what others have read of it.
    fn reader<'t>(
        &self,
        head: &Head,
        tiles: &'t Tiles<'t, O>,
    ) -> Result<TreeReader<'t, Tiles<'t, O>>, SumDbError<O::Error>> {
        if let Some(known) = head.tiles.get() {
            return Ok(TreeReader::again(head.tree, tiles, Arc::clone(known)));
        }
        let reader = TreeReader::new(head.tree, tiles)?;
        // Another thread may have been quicker, with the same tiles.
        let _ = head.tiles.set(reader.authentic());
        Ok(reader)
    }

    /// Brings a head into one history with the newest one known, and returns the newer of the two.
    fn merge(&self, note: &[u8]) -> Result<Arc<Head>, SumDbError<O::Error>> {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let History { latest, agreed } = &mut *history;
        if let Some(known) = latest.as_ref().filter(|_| agreed.contains(note)) {
            return Ok(Arc::clone(known));
        }
        let new = self.open(note)?;
        let file = self.config_file();
        loop {
            let known = match latest {
                Some(known) => Arc::clone(known),
                None => self.kept_head()?.into(),
            };
            if new.tree.size <= known.tree.size {
                self.same_history(&new, &known)?;
                *latest = Some(Arc::clone(&known));
                agreed.insert(new.note);
                return Ok(known);
            }
            self.same_history(&known, &new)?;
            if self
                .ops
                .write_config(&file, &known.note, &new.note)
                .map_err(SumDbError::Read)?
            {
                let new = Arc::new(new);
                agreed.insert(new.note.clone());
                *latest = Some(Arc::clone(&new));
                return Ok(new);
            }
            // Another process was quicker: its head counts from here on, and what agreed with another one is looked at again.
            agreed.clear();
            *latest = Some(self.kept_head()?.into());
        }
    }

    fn kept_head(&self) -> Result<Head, SumDbError<O::Error>> {
        let note = self
            .ops
            .read_config(&self.config_file())
            .map_err(SumDbError::Read)?;
        if note.is_empty() {
            Ok(Head::default())
        } else {
            self.open(&note)
        }
    }

    fn open(&self, note: &[u8]) -> Result<Head, SumDbError<O::Error>> {
        let text = self.verifier.open(note)?;
        let tree = Tree::parse(&text).ok_or(SumDbError::Tree)?;
        Ok(Head {
            tree,
            note: note.to_vec(),
            tiles: OnceLock::new(),
        })
    }

    /// Whether the newer tree goes on from the older one.
    fn same_history(&self, older: &Head, newer: &Head) -> Result<(), SumDbError<O::Error>> {
        if older.tree.size == 0 || older.tree == newer.tree {
            return Ok(());
        }
        let tiles = Tiles { client: self };
        let (root, proof) = match older.tree.size == newer.tree.size {
            true => (newer.tree.hash, Vec::new()),
            false => {
                let reader = self.reader(newer, &tiles)?;
                let root = reader.root_at(older.tree.size)?;
                if root == older.tree.hash {
                    return Ok(());
                }
                (root, reader.proof(older.tree.size)?)
            }
        };
        Err(SumDbError::Security(misbehavior(
            older, newer, root, &proof,
        )))
    }
}

/// Two signed heads that cannot both be of one log, and what anybody needs to check that: the root that the newer one has where the
/// older one has another, and how it follows from the newer head.
fn misbehavior(older: &Head, newer: &Head, root: Hash, proof: &[Hash]) -> String {
    use base64::Engine as _;
    let shown = |head: &Head| String::from_utf8_lossy(&head.note).replace('\n', "\n\t");
    let hashes = std::iter::once(&root).chain(proof);
    let proof: Vec<String> = hashes
        .map(|hash| base64::engine::general_purpose::STANDARD.encode(hash))
        .collect();
    format!(
        "SECURITY ERROR\ngo.sum database server misbehavior detected!\n\nold database:\n\t{}\nnew database:\n\t{}\nproof of misbehavior:\n\t{}",
        shown(older),
        shown(newer),
        proof.join("\n\t")
    )
}

#[cfg(test)]
#[path = "sumdb_tests.rs"]
mod tests;

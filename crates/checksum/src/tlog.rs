//! The transparency log: an append-only tree of records whose head is signed.
//!
//! The tree is kept in tiles of up to 256 hashes. Of a tree with a believed head, the rightmost tile of each level is authenticated by
//! the head, and every other tile by the entry that its parent tile has for it: so a tile is either authentic or refused, and no
//! hash is used before its tile was.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Levels of the tree that a tile spans.
const HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 1 << HEIGHT;

/// Hash of a record.
#[must_use]
pub fn record_hash(record: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(record)
        .finalize()
        .into()
}

/// Hash of an inner node.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// A tree head: how many records, and the hash over them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tree {
    /// Number of records.
    pub size: u64,
    /// The root.
    pub hash: Hash,
}

const HEAD: &str = "go.sum database tree\n";

impl Tree {
    /// Reads the text of a tree note.
    #[must_use]
    pub fn parse(text: &str) -> Option<Tree> {
        use base64::Engine as _;
        let mut lines = text.strip_prefix(HEAD)?.split('\n');
        let (size, hash) = (lines.next()?, lines.next()?);
        // A number in one form only: no sign, no leading zero.
        let canonical = size == "0"
            || (!size.starts_with('0')
                && !size.is_empty()
                && size.bytes().all(|b| b.is_ascii_digit()));
        let size = size
            .parse()
            .ok()
            .filter(|_| canonical && lines.next().is_some())?;
        let hash = base64::engine::general_purpose::STANDARD
            .decode(hash)
            .ok()?
            .try_into()
            .ok()?;
        Some(Tree { size, hash })
    }
}

/// Which tile: its level (in steps of eight), its place in that level, and how many hashes of it there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Level, from 0 at the records.
    pub level: u32,
    /// Place from the left.
    pub index: u64,
    /// 1 to 256.
    pub width: u64,
}

impl Tile {
    /// Its path on the server and in the cache: `tile/8/0/x001/067`, with `.p/5` behind a tile that has five hashes so far.
    #[must_use]
    pub fn path(&self) -> String {
        let mut place = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            place = format!("x{:03}/{place}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.width == TILE_WIDTH {
            String::new()
        } else {
            format!(".p/{}", self.width)
        };
        format!("tile/{HEIGHT}/{}/{place}{partial}", self.level)
    }

    /// The same tile, full.
    #[must_use]
    pub fn full(&self) -> Tile {
        Tile {
            width: TILE_WIDTH,
            ..*self
        }
    }
}

/// The hashes of a tile, one after the other.
pub struct TileBytes {
    /// 32 bytes for each.
    pub bytes: Vec<u8>,
    /// They were kept before, so there is no need to do so again.
    pub kept: bool,
}

/// Where tiles come from. What it gives is not trusted.
pub trait TileSource {
    /// Why a tile cannot be had.
    type Error;

    /// The bytes of a tile.
    ///
    /// # Errors
    /// It cannot be had.
    fn read(&self, tile: Tile) -> Result<TileBytes, Self::Error>;

    /// A tile turned out authentic and may be kept.
    fn keep(&self, tile: Tile, bytes: &[u8]);
}

/// Why something is not in a tree.
#[derive(Debug, thiserror::Error)]
pub enum LogError<E> {
    /// A tile cannot be had.
    #[error(transparent)]
    Read(E),
    /// A tile has not the length that it must have.
    #[error("tile {0} has the wrong size")]
    Size(String),
    /// A tile is not the one of this tree.
    #[error("downloaded inconsistent tile {0}")]
    Inconsistent(String),
    /// A record or tree that is beyond this tree's end.
    #[error("record {0} is not in the tree")]
    Beyond(u64),
}

/// A tile as it came and the hashes in it.
type Fetched = (TileBytes, Arc<[Hash]>);

/// The hash over a whole number of hashes that is a power of two.
fn fold(hashes: &[Hash]) -> Hash {
    match hashes {
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&fold(left), &fold(right))
        }
    }
}

/// The perfect subtrees that a tree of `size` records is made of, left to right: level and place in it.
fn peaks(size: u64) -> Vec<(u32, u64)> {
    let mut peaks = Vec::new();
    let mut start = 0;
    for level in (0..64).rev() {
        if size >> level & 1 == 1 {
            peaks.push((level, start >> level));
            start += 1 << level;
        }
    }
    peaks
}

/// The root over the hashes of peaks, left to right.
fn root(peaks: &[Hash]) -> Hash {
    match peaks.split_last() {
        None => Sha256::digest([]).into(),
        Some((last, before)) => before
            .iter()
            .rev()
            .fold(*last, |right, left| node_hash(left, &right)),
    }
}

/// Tiles of one tree that were authenticated: the rightmost ones, and of the others those above the records, which many have in common.
#[derive(Default)]
pub struct Authentic(Mutex<HashMap<Place, Arc<[Hash]>>>);

/// A tile's level, and its place in that.
type Place = (u32, u64);

impl Authentic {
    fn get(&self, level: u32, index: u64) -> Option<Arc<[Hash]>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&(level, index)).cloned()
    }

    fn insert(&self, level: u32, index: u64, hashes: Arc<[Hash]>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((level, index), hashes);
    }
}

/// A tree whose head is believed, read through tiles that are not.
pub struct TreeReader<'s, S: TileSource> {
    tree: Tree,
    source: &'s S,
    known: Arc<Authentic>,
}

impl<'s, S: TileSource> TreeReader<'s, S> {
    /// Authenticates the rightmost tiles against the head.
    ///
    /// # Errors
    /// They cannot be had, or do not fit the head.
    pub fn new(tree: Tree, source: &'s S) -> Result<TreeReader<'s, S>, LogError<S::Error>> {
        let reader = TreeReader {
            tree,
            source,
            known: Arc::default(),
        };
        let mut read = Vec::new();
        let mut level = 0;
        while level * HEIGHT < 64 && tree.size >> (level * HEIGHT) > 0 {
            let entries = tree.size >> (level * HEIGHT);
            if !entries.is_multiple_of(TILE_WIDTH) {
                let tile = Tile {
                    level,
                    index: entries / TILE_WIDTH,
                    width: entries % TILE_WIDTH,
                };
                let (found, hashes) = reader.fetch(tile)?;
                reader.known.insert(level, tile.index, hashes);
                read.push((tile, found));
            }
            level += 1;
        }
        let hashes: Result<Vec<Hash>, _> = peaks(tree.size)
            .into_iter()
            .map(|(level, index)| reader.node(level, index))
            .collect();
        if root(&hashes?) != tree.hash {
            let names: Vec<String> = read.iter().map(|(tile, _)| tile.path()).collect();
            return Err(LogError::Inconsistent(names.join(" ")));
        }
        read.iter()
            .for_each(|(tile, found)| reader.keep(*tile, found));
        Ok(reader)
    }

    /// Reads on with the tiles that another reader of the same tree has authenticated.
    pub fn again(tree: Tree, source: &'s S, known: Arc<Authentic>) -> TreeReader<'s, S> {
        TreeReader {
            tree,
            source,
            known,
        }
    }

    /// The tiles authenticated so far, for [`TreeReader::again`].
    #[must_use]
    pub fn authentic(&self) -> Arc<Authentic> {
        Arc::clone(&self.known)
    }

    fn fetch(&self, tile: Tile) -> Result<Fetched, LogError<S::Error>> {
        let found = self.source.read(tile).map_err(LogError::Read)?;
        let wanted = usize::try_from(tile.width * 32).unwrap_or(usize::MAX);
        if found.bytes.len() != wanted {
            return Err(LogError::Size(tile.path()));
        }
        let hashes = found
            .bytes
            .chunks_exact(32)
            .filter_map(|chunk| chunk.try_into().ok())
            .collect();
        Ok((found, hashes))
    }

    fn keep(&self, tile: Tile, found: &TileBytes) {
        if !found.kept {
            self.source.keep(tile, &found.bytes);
        }
    }

    /// The hashes of the tile with a place, authenticated from its parents down.
    fn tile(&self, level: u32, index: u64) -> Result<Arc<[Hash]>, LogError<S::Error>> {
        if let Some(known) = self.known.get(level, index) {
            return Ok(known);
        }
        // The rightmost tiles are known from the start, so this one is full and its parent has an entry for it.
        let entries = if level * HEIGHT < 64 {
            self.tree.size >> (level * HEIGHT)
        } else {
            0
        };
        if index >= entries / TILE_WIDTH {
            return Err(LogError::Beyond(index));
        }
        let parent = self.tile(level + 1, index / TILE_WIDTH)?;
        let tile = Tile {
            level,
            index,
            width: TILE_WIDTH,
        };
        let (found, hashes) = self.fetch(tile)?;
        let at = usize::try_from(index % TILE_WIDTH).unwrap_or(usize::MAX);
        if parent.get(at) != Some(&fold(&hashes)) {
            return Err(LogError::Inconsistent(tile.path()));
        }
        self.keep(tile, &found);
        if level > 0 {
            self.known.insert(level, index, Arc::clone(&hashes));
        }
        Ok(hashes)
    }

    /// The hash of an inner node: `level` from 0 at the records, `index` from the left.
    fn node(&self, level: u32, index: u64) -> Result<Hash, LogError<S::Error>> {
        let below = level % HEIGHT;
        let first = index << below;
        let hashes = self.tile(level / HEIGHT, first / TILE_WIDTH)?;
        let from = usize::try_from(first % TILE_WIDTH).unwrap_or(usize::MAX);
        let part = hashes
            .get(from..)
            .and_then(|rest| rest.get(..1 << below))
            .ok_or(LogError::Beyond(index))?;
        Ok(fold(part))
    }

    /// The hash of a record as the tree has it.
    ///
    /// # Errors
    /// No such record, or tiles that do not fit.
    pub fn record(&self, id: u64) -> Result<Hash, LogError<S::Error>> {
        if id >= self.tree.size {
            return Err(LogError::Beyond(id));
        }
        self.node(0, id)
    }

    /// The root over the first `size` records: equal to that of an older head if this tree goes on from it.
    ///
    /// # Errors
    /// The tree is shorter, or tiles do not fit.
    pub fn root_at(&self, size: u64) -> Result<Hash, LogError<S::Error>> {
        if size > self.tree.size {
            return Err(LogError::Beyond(size));
        }
        self.range(0, size)
    }

    /// What shows that the tree has [`TreeReader::root_at`] this size: the hashes that together with it give the tree's own (RFC 6962,
    /// 2.1.2). Somebody else can check them without asking the server.
    ///
    /// # Errors
    /// The tree is shorter, or tiles do not fit.
    pub fn proof(&self, size: u64) -> Result<Vec<Hash>, LogError<S::Error>> {
        if size > self.tree.size {
            return Err(LogError::Beyond(size));
        }
        let (mut from, mut to) = (0, self.tree.size);
        let mut beside = Vec::new();
        while to > size {
            let middle = from + (to - from).next_power_of_two() / 2;
            if size <= middle {
                beside.push(self.range(middle, to)?);
                to = middle;
            } else {
                beside.push(self.range(from, middle)?);
                from = middle;
            }
        }
        // Whoever checks has the root of the first `size` records; what is only a part of them must be told.
        if from > 0 {
            beside.push(self.range(from, to)?);
        }
        beside.reverse();
        Ok(beside)
    }

    /// The root over some of the records; `from` is a place where a subtree of this length begins.
    fn range(&self, from: u64, to: u64) -> Result<Hash, LogError<S::Error>> {
        let hashes: Result<Vec<Hash>, _> = peaks(to - from)
            .into_iter()
            .map(|(level, index)| self.node(level, index + (from >> level)))
            .collect();
        Ok(root(&hashes?))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashMap;

    /// A log in memory, which hands out tiles of its tree.
    #[derive(Default)]
    pub(crate) struct Log {
        pub(crate) records: Vec<Vec<u8>>,
        pub(crate) damaged: RefCell<Option<Tile>>,
        pub(crate) kept: RefCell<HashMap<String, Vec<u8>>>,
    }

    impl Log {
        pub(crate) fn of(count: usize) -> Log {
            Log {
                records: (0..count)
                    .map(|at| format!("record {at}").into_bytes())
                    .collect(),
                ..Log::default()
            }
        }

        fn level(&self, level: u32) -> Vec<Hash> {
            let leaves: Vec<Hash> = self
                .records
                .iter()
                .map(|record| record_hash(record))
                .collect();
            leaves.chunks_exact(1 << level).map(fold).collect()
        }

        /// The plain definition of the root, without tiles.
        pub(crate) fn root(&self, size: usize) -> Hash {
            fn over(hashes: &[Hash]) -> Hash {
                match hashes.len() {
                    0 => Sha256::digest([]).into(),
                    1 => hashes[0],
                    count => {
                        let (left, right) = hashes.split_at(count.next_power_of_two() / 2);
                        node_hash(&over(left), &over(right))
                    }
                }
            }
            over(&self.level(0)[..size])
        }

        pub(crate) fn tree(&self) -> Tree {
            Tree {
                size: self.records.len() as u64,
                hash: self.root(self.records.len()),
            }
        }
    }

    impl TileSource for Log {
        type Error = String;

        fn read(&self, tile: Tile) -> Result<TileBytes, String> {
            let hashes = self.level(tile.level * HEIGHT);
            let from = (tile.index * TILE_WIDTH) as usize;
            let part = hashes
                .get(from..from + tile.width as usize)
                .ok_or("no such tile")?;
            let mut bytes = part.concat();
            if *self.damaged.borrow() == Some(tile) {
                bytes[40 % tile.width as usize] ^= 1;
            }
            Ok(TileBytes { bytes, kept: false })
        }

        fn keep(&self, tile: Tile, bytes: &[u8]) {
            self.kept.borrow_mut().insert(tile.path(), bytes.to_vec());
        }
    }

    #[test]
    fn every_record_and_every_older_tree_is_found() {
        for size in [1, 2, 3, 7, 255, 256, 257, 511, 512, 700] {
            let log = Log::of(size);
            let reader = TreeReader::new(log.tree(), &log).unwrap();
            for at in [0, size / 3, size / 2, size - 1] {
                assert_eq!(
                    reader.record(at as u64).unwrap(),
                    record_hash(&log.records[at]),
                    "record {at} of {size}"
                );
                assert_eq!(
                    reader.root_at(at as u64).unwrap(),
                    log.root(at),
                    "the first {at} of {size}"
                );
            }
            assert!(reader.record(size as u64).is_err());
        }
    }

    /// The roots over the first `size` records and over all of them, from a proof and the root that it is about.
    fn roots_by(proof: &[Hash], from: u64, to: u64, size: u64, old: Hash) -> (Hash, Hash) {
        if to == size {
            return match proof {
                [] => (old, old),
                [only] => (*only, *only),
                _ => panic!("a proof that is too long"),
            };
        }
        let (beside, rest) = proof.split_last().expect("a proof that is too short");
        let middle = from + (to - from).next_power_of_two() / 2;
        if size <= middle {
            let (old, left) = roots_by(rest, from, middle, size, old);
            (old, node_hash(&left, beside))
        } else {
            let (old, right) = roots_by(rest, middle, to, size, old);
            (node_hash(beside, &old), node_hash(beside, &right))
        }
    }

    #[test]
    fn proofs_lead_from_one_root_to_the_other() {
        for size in [1, 2, 3, 7, 256, 257, 511, 700] {
            let log = Log::of(size);
            let reader = TreeReader::new(log.tree(), &log).unwrap();
            for older in [1, 2, 3, 6, 7, 255, 256, 300, 512, 699, 700] {
                if older > size {
                    assert!(reader.proof(older as u64).is_err());
                    continue;
                }
                let proof = reader.proof(older as u64).unwrap();
                let roots = roots_by(&proof, 0, size as u64, older as u64, log.root(older));
                assert_eq!(
                    roots,
                    (log.root(older), log.root(size)),
                    "{older} of {size}"
                );
            }
        }
    }

    #[test]
    fn damaged_tiles_are_refused_and_not_kept() {
        // 700 records: full tiles 0 and 1 and a partial one of records, and one of two entries above. A child must be held against its
        // parent even though fewer tiles than peaks were needed for the head (CVE-2026-56865).
        for tile in [
            Tile {
                level: 0,
                index: 0,
                width: 256,
            },
            Tile {
                level: 0,
                index: 1,
                width: 256,
            },
            Tile {
                level: 0,
                index: 2,
                width: 188,
            },
            Tile {
                level: 1,
                index: 0,
                width: 2,
            },
        ] {
            let log = Log::of(700);
            *log.damaged.borrow_mut() = Some(tile);
            let id = tile.index * TILE_WIDTH + 40;
            let read = TreeReader::new(log.tree(), &log).and_then(|reader| reader.record(id));
            assert!(
                matches!(read, Err(LogError::Inconsistent(_))),
                "{tile:?}: {read:?}"
            );
            assert!(
                !log.kept.borrow().contains_key(&tile.path()),
                "{tile:?} was kept"
            );
        }
    }

    #[test]
    fn paths_of_tiles() {
        for (tile, path) in [
            ((0, 67, 256), "tile/8/0/067"),
            ((1, 1_234_067, 5), "tile/8/1/x001/x234/067.p/5"),
        ] {
            assert_eq!(
                Tile {
                    level: tile.0,
                    index: tile.1,
                    width: tile.2
                }
                .path(),
                path
            );
        }
    }
}

//! Tiles of the transparency log: whatever a server answers, a record's hash is the true one or there is none. Input: two bytes that choose
//! the log's size, two that choose the record, then changes: tile, place, value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::collections::HashMap;
use steady_checksum::tlog::{Hash, Tile, TileSource, Tree, TreeReader, node_hash, record_hash};

const WIDTH: usize = 256;

/// A log: the hashes of each level of the tree, complete nodes only.
struct Log {
    levels: Vec<Vec<Hash>>,
    tree: Tree,
}

impl Log {
    fn new(size: usize) -> Log {
        let records = (0..size).map(|n| record_hash(&n.to_le_bytes()));
        let mut levels: Vec<Vec<Hash>> = vec![records.collect()];
        while levels.last().is_some_and(|level| level.len() > 1) {
            let below = &levels[levels.len() - 1];
            let level = below
                .chunks_exact(2)
                .map(|pair| node_hash(&pair[0], &pair[1]));
            levels.push(level.collect());
        }
        let mut hash: Option<Hash> = None;
        let mut at = size;
        // The root joins the complete subtrees from the right, the smallest first.
        for level in &levels {
            if at % 2 == 1 {
                let peak = level[at - 1];
                hash = Some(hash.map_or(peak, |right| node_hash(&peak, &right)));
            }
            at /= 2;
        }
        let hash = hash.unwrap_or_default();
        let tree = Tree {
            size: size as u64,
            hash,
        };
        Log { levels, tree }
    }
}

struct Server<'l> {
    log: &'l Log,
    changes: &'l [u8],
}

impl TileSource for Server<'_> {
    type Error = ();

    fn read(&self, tile: Tile) -> Result<Vec<u8>, ()> {
        let level = self.log.levels.get(tile.level as usize * 8).ok_or(())?;
        let start = usize::try_from(tile.index).map_err(|_| ())? * WIDTH;
        let end = start + usize::try_from(tile.width).map_err(|_| ())?;
        let mut bytes = level.get(start..end).ok_or(())?.concat();
        for change in self.changes.chunks_exact(4) {
            if u64::from(change[0]) % 4 == u64::from(tile.level) * 2 + tile.index % 2 {
                let place = usize::from(u16::from_le_bytes([change[1], change[2]])) % bytes.len();
                bytes[place] ^= change[3];
            }
        }
        Ok(bytes)
    }

    fn keep(&self, _: Tile, _: &[u8]) {}
}

thread_local! {
    static LOGS: RefCell<HashMap<usize, &'static Log>> = RefCell::default();
}

fuzz_target!(|bytes: &[u8]| {
    let Some((head, changes)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let size = usize::from(u16::from_le_bytes([head[0], head[1]])) % 600 + 1;
    let record = usize::from(u16::from_le_bytes([head[2], head[3]])) % (size + 1);
    let log = LOGS.with_borrow_mut(|logs| {
        *logs
            .entry(size)
            .or_insert_with(|| Box::leak(Box::new(Log::new(size))))
    });
    let server = Server { log, changes };
    let Ok(reader) = TreeReader::new(log.tree, &server) else {
        assert!(changes.len() >= 4, "an honest server is believed");
        return;
    };
    match reader.record(record as u64) {
        Ok(hash) => assert_eq!(Some(&hash), log.levels[0].get(record)),
        Err(_) => assert!(
            changes.len() >= 4 || record == size,
            "an honest server is believed"
        ),
    }
});

//! Memory of module graphs: what was read from a thousand go.mod files, kept as one record.
//!
//! A graph follows from what went into it, and all of that makes its key:
//!
//! | part | why |
//! |---|---|
//! | roots, pruning | where reading starts and how far it goes |
//! | go.mod of every main module | their requirements |
//! | replacements, with the go.mod of every directory that replaces a module | they stand in for others |
//! | exclusions | they are passed over |
//! | texts of all go.sum files | they name the contents of every go.mod in the graph |
//! | the Go version of the run | newer go.mod files are refused |
//! | the module cache's download directory and its inode | a cache that was removed is read anew |
//!
//! Only graphs without errors are kept, and only if go.sum has a sum for each go.mod that was read: then the sums alone say what the
//! graph is. The last few graphs of a project lie in one file; one that is torn or of another form is as if it were not there. What
//! an overlay changes shows in these texts; the module cache is never part of one.

use super::reqs::{ModuleGraph, Reqs};
use super::{ModMode, Modules};
use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use steady_graph::{Graph, Record};
use steady_module::{ModuleVersion, gover, hex};
use steady_system::store::{self, Store};

/// Raise the number when the meaning of a key or record changes.
const FORM: &str = "steady graph 1";

/// Graphs kept for a project: `mod tidy` looks at about three.
const KEPT: usize = 8;

/// Smaller graphs are read as quickly as they are remembered.
const WORTH: usize = 8;

#[derive(Serialize, Deserialize)]
struct Kept<R> {
    /// Greater than that of every record before it.
    number: u64,
    record: R,
}

/// The name of one graph among the graphs of its project.
pub(super) struct Key {
    pub(super) place: Utf8PathBuf,
    pub(super) name: String,
}

impl Modules {
    /// The key of the graph behind requirements; `None` if it is not to be remembered.
    pub(super) fn graph_key(&self, reqs: &Reqs) -> Option<Key> {
        let options = self.index.options();
        let cache = options.cache_dir.as_ref()?;
        if self.config.from_nothing
            || self.mode == ModMode::Vendor
            || self.mains.is_empty()
            || reqs.roots.len() < WORTH && self.work.is_none()
        {
            return None;
        }
        let download = options.mod_cache.as_ref()?.join("cache/download");
        let inode = self.files.stat(&download).ok()?.inode;
        let mut text = format!("{FORM}\n{}\n{download} {inode}\n", self.config.go_version);
        let _ = writeln!(text, "{:?}", reqs.pruning);
        for root in &reqs.roots {
            let _ = writeln!(text, "root {root}");
        }
        let mut excluded: Vec<&ModuleVersion> = self.exclude.iter().collect();
        excluded.sort();
        for module in excluded {
            let _ = writeln!(text, "exclude {module}");
        }
        self.replacements_text(&mut text)?;
        for main in &self.mains {
            let _ = writeln!(
                text,
                "main {} {}\n{}",
                main.path,
                main.text.len(),
                main.text
            );
        }
        let mut hash = Sha256::new();
        hash.update(text);
        hash.update(self.fetcher.sums_digest()?);
        let project = match &self.work {
            Some((path, _)) => path,
            None => &self.mains.first()?.go_mod,
        };
        let file = hex(&Sha256::digest(project.as_str()));
        Some(Key {
            place: cache.join("graph").join(&file[..2]).join(file),
            name: hex(&hash.finalize()),
        })
    }

    fn replacements_text(&self, text: &mut String) -> Option<()> {
        let mut replaced: Vec<_> = self.replace.values().collect();
        replaced.sort_by(|a, b| a.replace.old.cmp(&b.replace.old));
        for by in replaced {
            let (old, new) = (&by.replace.old, &by.replace.new);
            let _ = writeln!(text, "replace {old} by {new} from {}", by.base);
            if new.version.is_empty() {
                let path = steady_system::clean(&by.base.join(&new.path)).join("go.mod");
                let found = self.files.read(&path).ok()?;
                let _ = writeln!(text, "{}", hex(&Sha256::digest(found)));
            }
        }
        Some(())
    }

    /// The graph under a key, if it is known.
    pub(super) fn remembered_graph(&self, key: &Key) -> Option<ModuleGraph> {
        let store = Store::read(&self.files, &key.place);
        let kept: Kept<Record> = postcard::from_bytes(store.get(&key.name)?).ok()?;
        Graph::from_record(kept.record)
    }

    /// Keeps a graph under its key. That it cannot be written is no error.
    pub(super) fn remember_graph(&self, key: &Key, graph: &ModuleGraph) {
        if graph.read_count() < WORTH || !self.all_recorded(graph) {
            return;
        }
        let Some(record) = graph.record() else {
            return;
        };
        let before = Store::read(&self.files, &key.place);
        let number =
            |bytes: &[u8]| postcard::take_from_bytes::<u64>(bytes).map_or(0, |(number, _)| number);
        let mut known: Vec<(u64, &str, &[u8])> = before
            .records()
            .map(|(name, bytes)| (number(bytes), name, bytes))
            .collect();
        known.sort_unstable();
        let next = known.last().map_or(0, |(number, ..)| number + 1);
        known.drain(..known.len().saturating_sub(KEPT - 1));
        let Ok(new) = postcard::to_stdvec(&Kept {
            number: next,
            record,
        }) else {
            return;
        };
        let mut all: BTreeMap<&str, &[u8]> = known
            .into_iter()
            .map(|(_, name, bytes)| (name, bytes))
            .collect();
        all.insert(&key.name, &new);
        let Some(bytes) = store::encode(&all) else {
            return;
        };
        let _ = store::write(&self.files, &key.place, &bytes);
    }

    /// Whether go.sum names the contents of every go.mod of the module cache that a graph was read from.
    fn all_recorded(&self, graph: &ModuleGraph) -> bool {
        let mut all = true;
        graph.walk(|module| {
            let actual = self.replacement(module).unwrap_or(module);
            if actual.version.is_empty()
                || gover::is_toolchain(&actual.path)
                || !graph.was_read(module)
            {
                return;
            }
            let key = ModuleVersion::new(actual.path.clone(), format!("{}/go.mod", actual.version));
            all &= self.fetcher.have_sum(&key);
        });
        all
    }
}

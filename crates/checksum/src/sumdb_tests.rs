use super::*;
use crate::note::tests::Signer;
use crate::tlog::tests::Log;
use base64::Engine as _;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A database in memory whose answers a test can change.
struct Database {
    log: Mutex<Log>,
    signer: Signer,
    answers: Mutex<HashMap<String, String>>,
    config: Mutex<Vec<u8>>,
    cache: Mutex<HashMap<String, Vec<u8>>>,
    /// How often the cache was asked.
    read: AtomicUsize,
}

const SIGNED_SUM: &str = "h1:signed=";

impl Database {
    fn new(modules: usize) -> Database {
        let mut log = Log::default();
        for at in 0..modules {
            log.records.push(format!("example.com/m{at} v1.0.0 {SIGNED_SUM}\nexample.com/m{at} v1.0.0/go.mod h1:mod=\n").into_bytes());
        }
        Database {
            log: Mutex::new(log),
            signer: Signer::new("example.com/db", 3),
            answers: Mutex::default(),
            config: Mutex::default(),
            cache: Mutex::default(),
            read: AtomicUsize::new(0),
        }
    }

    fn note(&self, tree: Tree) -> String {
        let hash = base64::engine::general_purpose::STANDARD.encode(tree.hash);
        self.signer
            .sign(&format!("go.sum database tree\n{}\n{hash}\n", tree.size))
    }

    fn answer(&self, id: usize) -> String {
        let log = self.log.lock().unwrap();
        format!(
            "{id}\n{}\n{}",
            String::from_utf8_lossy(&log.records[id]),
            self.note(log.tree())
        )
    }

    fn client(self) -> Client<Database> {
        let verifier = Verifier::parse(&self.signer.verifier).unwrap();
        Client::new(self, verifier)
    }
}

impl Ops for Database {
    type Error = String;

    fn read_remote(&self, path: &str) -> Result<Vec<u8>, String> {
        if let Some(answer) = self.answers.lock().unwrap().get(path) {
            return Ok(answer.clone().into_bytes());
        }
        if let Some(module) = path.strip_prefix("lookup/example.com/m") {
            let id = module
                .split('@')
                .next()
                .unwrap()
                .parse()
                .map_err(|_| "404")?;
            return Ok(self.answer(id).into_bytes());
        }
        let parts: Vec<&str> = path.split('/').collect();
        let ["tile", "8", level, rest @ ..] = &parts[..] else {
            return Err("404".into());
        };
        let (place, width) = match rest {
            [place] => (*place, 256),
            [place, width] => (place.trim_end_matches(".p"), width.parse().unwrap()),
            _ => return Err("404".into()),
        };
        let tile = Tile {
            level: level.parse().unwrap(),
            index: place.parse().unwrap(),
            width,
        };
        Ok(self.log.lock().unwrap().read(tile)?.bytes)
    }

    fn read_config(&self, _file: &str) -> Result<Vec<u8>, String> {
        Ok(self.config.lock().unwrap().clone())
    }

    fn write_config(&self, _file: &str, old: &[u8], new: &[u8]) -> Result<bool, String> {
        let mut config = self.config.lock().unwrap();
        let same = *config == old;
        if same {
            *config = new.to_vec();
        }
        Ok(same)
    }

    fn read_cache(&self, file: &str) -> Option<Vec<u8>> {
        self.read.fetch_add(1, Ordering::Relaxed);
        self.cache.lock().unwrap().get(file).cloned()
    }

    fn write_cache(&self, file: &str, bytes: &[u8]) {
        self.cache
            .lock()
            .unwrap()
            .insert(file.to_string(), bytes.to_vec());
    }
}

fn set(client: &Client<Database>, path: &str, answer: String) {
    client
        .ops
        .answers
        .lock()
        .unwrap()
        .insert(path.to_string(), answer);
}

const M5: &str = "lookup/example.com/m5@v1.0.0";

#[test]
fn signed_lines_are_found_and_kept() {
    let client = Database::new(300).client();
    let lines = client.lookup("example.com/m5", "v1.0.0").unwrap();
    assert_eq!(*lines, [format!("example.com/m5 v1.0.0 {SIGNED_SUM}")]);
    assert_eq!(
        client
            .lookup("example.com/m299", "v1.0.0/go.mod")
            .unwrap()
            .len(),
        1
    );
    assert!(
        !client.ops.config.lock().unwrap().is_empty(),
        "the head is kept"
    );
    assert!(
        client
            .ops
            .cache
            .lock()
            .unwrap()
            .contains_key("example.com/db/lookup/example.com/m5@v1.0.0")
    );
}

#[test]
fn an_empty_or_unrelated_answer_is_no_success() {
    // CVE-2026-42501
    let client = Database::new(300).client();
    let other = client.ops.answer(7);
    set(&client, M5, other);
    assert!(
        client
            .lookup("example.com/m5", "v1.0.0")
            .unwrap()
            .is_empty(),
        "a record about another module says nothing about this one"
    );
    let client = Database::new(300).client();
    set(&client, M5, String::new());
    assert!(matches!(
        client.lookup("example.com/m5", "v1.0.0"),
        Err(SumDbError::Malformed)
    ));
    let tree = client.ops.note(client.ops.log.lock().unwrap().tree());
    set(&client, M5, format!("5\n\n\n{tree}"));
    assert!(client.lookup("example.com/m5", "v1.0.0").is_err());
}

#[test]
fn lines_that_no_signature_covers_do_not_count() {
    // CVE-2026-56864
    let client = Database::new(300).client();
    let good = client.ops.answer(5);
    set(&client, M5, good.replace(SIGNED_SUM, "h1:forged="));
    assert!(matches!(
        client.lookup("example.com/m5", "v1.0.0"),
        Err(SumDbError::Security(_))
    ));
    let extra = good.replacen("5\n", "5\nexample.com/m5 v1.0.0 h1:forged=\n", 1);
    set(&client, M5, extra);
    assert!(matches!(
        client.lookup("example.com/m5", "v1.0.0"),
        Err(SumDbError::Security(_))
    ));
    let behind = format!("{good}example.com/m5 v1.0.0 h1:forged=\n");
    set(&client, M5, behind);
    assert!(client.lookup("example.com/m5", "v1.0.0").is_err());
    assert!(
        client
            .ops
            .cache
            .lock()
            .unwrap()
            .keys()
            .all(|file| !file.contains("lookup")),
        "nothing refused is kept"
    );
}

#[test]
fn unsigned_truncated_and_replayed_answers_are_refused() {
    let client = Database::new(300).client();
    let good = client.ops.answer(5);
    for length in 0..good.len() {
        if good.is_char_boundary(length) {
            set(&client, M5, good[..length].to_string());
            assert!(
                client.lookup("example.com/m5", "v1.0.0").is_err(),
                "cut at {length}"
            );
        }
    }
    let stranger = Signer::new("example.com/db", 4);
    let tree = client.ops.log.lock().unwrap().tree();
    let hash = base64::engine::general_purpose::STANDARD.encode(tree.hash);
    let (record, _) = good.split_once("\n\n").unwrap();
    let forged = stranger.sign(&format!("go.sum database tree\n{}\n{hash}\n", tree.size));
    set(&client, M5, format!("{record}\n\n{forged}"));
    assert!(matches!(
        client.lookup("example.com/m5", "v1.0.0"),
        Err(SumDbError::Note(_))
    ));
}

#[test]
fn an_older_head_of_the_same_history_is_no_error() {
    let client = Database::new(300).client();
    let stale = client.ops.answer(5);
    client
        .ops
        .log
        .lock()
        .unwrap()
        .records
        .push(b"example.com/later v1.0.0 h1:x=\n".to_vec());
    client.lookup("example.com/m6", "v1.0.0").unwrap();
    set(&client, M5, stale);
    assert_eq!(client.lookup("example.com/m5", "v1.0.0").unwrap().len(), 1);
}

#[test]
fn a_forked_history_is_told() {
    let client = Database::new(300).client();
    client.lookup("example.com/m6", "v1.0.0").unwrap();
    {
        let mut log = client.ops.log.lock().unwrap();
        log.records[6] = b"example.com/m6 v1.0.0 h1:other=\n".to_vec();
        log.records
            .push(b"example.com/later v1.0.0 h1:x=\n".to_vec());
    }
    client.ops.cache.lock().unwrap().clear();
    let error = client
        .lookup("example.com/m5", "v1.0.0")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("SECURITY ERROR\ngo.sum database server misbehavior detected!"),
        "{error}"
    );
    let (_, proof) = error.split_once("\nproof of misbehavior:\n").unwrap();
    // 300 of 301 records: the root of the 300, what is left of their last subtree, and the way up.
    assert!(proof.lines().count() > 2, "{error}");
    assert!(
        proof
            .lines()
            .all(|line| line.starts_with('\t') && line.len() == 45)
    );
}

/// What the tree above the records is made of is read and authenticated once, not for every answer: a graph asks for a thousand.
#[test]
fn answers_share_what_is_known_of_the_tree() {
    let client = Database::new(1000).client();
    for at in 0..1000 {
        client
            .lookup(&format!("example.com/m{at}"), "v1.0.0")
            .unwrap();
    }
    let before = client.ops.read.load(Ordering::Relaxed);
    for at in 0..1000 {
        client
            .lookup(&format!("example.com/m{at}"), "v1.0.0")
            .unwrap();
    }
    let reads = client.ops.read.load(Ordering::Relaxed) - before;
    // The answer itself, and the tile with its record unless that is the rightmost one.
    assert!((1000..=2000).contains(&reads), "{reads}");
}

//! Signed notes: no note opens but with the text that was signed. Input: the note as it comes from the network; an input that begins
//! with `!` is laid over the true note byte by byte (xor), so that near misses are found too.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;
use steady_checksum::note::Verifier;
use steady_checksum::tlog::Tree;

const NAME: &str = "sum.example.com";
const TEXT: &str = "go.sum database tree\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

static TRUE: LazyLock<(Verifier, Vec<u8>)> = LazyLock::new(|| {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    let mut key = vec![1];
    key.extend(pair.public_key().as_ref());
    let hash = Sha256::digest([NAME.as_bytes(), b"\n", &key].concat());
    let hex: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let verifier = Verifier::parse(&format!("{NAME}+{hex}+{}", STANDARD.encode(&key)));
    let signature = [&hash[..4], pair.sign(TEXT.as_bytes()).as_ref()].concat();
    let note = format!("{TEXT}\n\u{2014} {NAME} {}\n", STANDARD.encode(signature));
    let verifier = verifier.expect("a verifier");
    assert!(verifier.open(note.as_bytes()).is_ok());
    (verifier, note.into_bytes())
});

fuzz_target!(|bytes: &[u8]| {
    let (verifier, note) = &*TRUE;
    let mut laid;
    let input = match bytes.split_first() {
        Some((b'!', rest)) => {
            laid = note.clone();
            laid.iter_mut().zip(rest).for_each(|(to, by)| *to ^= by);
            laid.as_slice()
        }
        _ => bytes,
    };
    if let Ok(text) = verifier.open(input) {
        assert_eq!(text.into_inner(), TEXT);
    }
    let text = steady_fuzz::text(bytes);
    let _ = Tree::parse(&text);
    let _ = Verifier::parse(&text);
});

//! Signed notes: a text, an empty line, and a line for each signature.

use crate::Verified;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use sha2::{Digest, Sha256};

/// The one algorithm that there is.
const ED25519_ID: u8 = 1;
/// Longest note that is looked at.
const MAX_NOTE: usize = 1 << 20;
/// The beginning of a signature line.
const SIGNATURE: &str = "\u{2014} ";

/// Why a note is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The key itself makes no sense.
    #[error("malformed verifier id")]
    MalformedKey,
    /// No note.
    #[error("malformed note")]
    Malformed,
    /// A signature by the right name and key that is wrong.
    #[error("invalid signature for key {name}+{hash:08x}")]
    InvalidSignature {
        /// Whose.
        name: String,
        /// Of which key.
        hash: u32,
    },
    /// Signed by others only, or by nobody.
    #[error("note has no verifiable signatures")]
    Unsigned,
}

/// A public key with the name of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    hash: u32,
    key: Vec<u8>,
}

/// What tells a key apart from others of the same name: the first four bytes of a hash over both.
fn key_hash(name: &str, key: &[u8]) -> u32 {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update(key)
        .finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

impl Verifier {
    /// Reads a key as it is written down: `name+hash+base64`.
    ///
    /// # Errors
    /// [`NoteError::MalformedKey`].
    pub fn parse(text: &str) -> Result<Verifier, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::MalformedKey);
        };
        let hash = u32::from_str_radix(hash, 16)
            .ok()
            .filter(|_| hash.len() == 8)
            .ok_or(NoteError::MalformedKey)?;
        let key = STANDARD.decode(key).map_err(|_| NoteError::MalformedKey)?;
        let name_is_good = !name.is_empty() && !name.contains(|c: char| c.is_whitespace());
        if !name_is_good || key.len() != 33 || key[0] != ED25519_ID || key_hash(name, &key) != hash
        {
            return Err(NoteError::MalformedKey);
        }
        Ok(Verifier {
            name: name.to_string(),
            hash,
            key: key[1..].to_vec(),
        })
    }

    /// The key of a well-known database, found by its name alone.
    #[must_use]
    pub fn known(name: &str) -> Option<Verifier> {
        // Go's release keys: the key and its id, which only fits together with the right name.
        const KEYS: [(u32, &str); 1] =
            [(0x033d_e0ae, "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")];
        KEYS.iter().find_map(|(hash, key)| {
            let bytes = STANDARD.decode(key).ok()?;
            (key_hash(name, &bytes) == *hash).then(|| Verifier {
                name: name.to_string(),
                hash: *hash,
                key: bytes[1..].to_vec(),
            })
        })
    }

    /// Whose key it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key has signed.
    ///
    /// # Errors
    /// The note is damaged, signed wrongly, or not signed by this key.
    pub fn open(&self, note: &[u8]) -> Result<Verified<String>, NoteError> {
        let note = std::str::from_utf8(note)
            .ok()
            .filter(|note| note.len() <= MAX_NOTE)
            .ok_or(NoteError::Malformed)?;
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoteError::Malformed);
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        if !signatures.ends_with('\n') {
            return Err(NoteError::Malformed);
        }
        let mut signed = false;
        for line in signatures.lines() {
            let rest = line.strip_prefix(SIGNATURE).ok_or(NoteError::Malformed)?;
            let (name, signature) = rest.split_once(' ').ok_or(NoteError::Malformed)?;
            let signature = STANDARD
                .decode(signature)
                .ok()
                .filter(|bytes| bytes.len() > 4 && !name.is_empty())
                .ok_or(NoteError::Malformed)?;
            let (hash, signature) = signature.split_at(4);
            let hash = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
            if name != self.name || hash != self.hash {
                continue;
            }
            let key = UnparsedPublicKey::new(&ED25519, &self.key);
            if key.verify(text.as_bytes(), signature).is_err() {
                return Err(NoteError::InvalidSignature {
                    name: name.to_string(),
                    hash,
                });
            }
            signed = true;
        }
        if signed {
            Ok(Verified(text.to_string()))
        } else {
            Err(NoteError::Unsigned)
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    /// Somebody who signs, made for a test.
    pub(crate) struct Signer {
        name: String,
        pair: Ed25519KeyPair,
        hash: u32,
        pub(crate) verifier: String,
    }

    impl Signer {
        pub(crate) fn new(name: &str, seed: u8) -> Signer {
            let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
            let key: Vec<u8> = std::iter::once(ED25519_ID)
                .chain(pair.public_key().as_ref().iter().copied())
                .collect();
            let hash = key_hash(name, &key);
            Signer {
                name: name.to_string(),
                pair,
                hash,
                verifier: format!("{name}+{hash:08x}+{}", STANDARD.encode(&key)),
            }
        }

        pub(crate) fn sign(&self, text: &str) -> String {
            let mut bytes = self.hash.to_be_bytes().to_vec();
            bytes.extend(self.pair.sign(text.as_bytes()).as_ref());
            format!(
                "{text}\n{SIGNATURE}{} {}\n",
                self.name,
                STANDARD.encode(bytes)
            )
        }
    }

    #[test]
    fn signed_text_is_believed_and_no_other() {
        let signer = Signer::new("example.com/db", 7);
        let verifier = Verifier::parse(&signer.verifier).unwrap();
        let note = signer.sign("hello\n");
        assert_eq!(*verifier.open(note.as_bytes()).unwrap(), "hello\n");
        let forged = note.replace("hello", "hallo");
        assert!(matches!(
            verifier.open(forged.as_bytes()),
            Err(NoteError::InvalidSignature { .. })
        ));
        let other = Signer::new("example.com/db", 8).sign("hello\n");
        assert_eq!(verifier.open(other.as_bytes()), Err(NoteError::Unsigned));
        assert_eq!(verifier.open(b"hello\n"), Err(NoteError::Malformed));
        assert_eq!(verifier.open(b"hello\n\n"), Err(NoteError::Malformed));
        for length in 0..note.len() {
            assert!(
                verifier.open(&note.as_bytes()[..length]).is_err(),
                "cut at {length}"
            );
        }
    }

    #[test]
    fn keys_that_do_not_fit_their_name_are_refused() {
        let signer = Signer::new("example.com/db", 7);
        assert!(Verifier::parse(&signer.verifier.replace("example", "sample")).is_err());
        assert!(Verifier::parse("x+y").is_err());
        assert!(Verifier::known("example.com/db").is_none());
    }
}

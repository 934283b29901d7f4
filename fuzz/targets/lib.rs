//! What the targets share.

use std::fmt::Debug;

/// Text as a file's bytes are read.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Values of entries, without the places where they stand.
pub fn values<T: Debug>(entries: &[steady_module::modfile::Entry<T>]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| format!("{:?}", entry.value))
        .collect()
}

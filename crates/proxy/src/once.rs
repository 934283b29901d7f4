//! A map whose values are computed once each; whoever asks meanwhile waits for the one who computes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// See the module.
pub struct OnceMap<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for OnceMap<K, V> {
    fn default() -> Self {
        OnceMap(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> OnceMap<K, V> {
    /// The value of a key, computed if it is the first time. Must not ask for the same key again while computing.
    pub fn get_or(&self, key: K, compute: impl FnOnce() -> V) -> V {
        let cell = Arc::clone(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(key)
                .or_default(),
        );
        cell.get_or_init(compute).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn computed_once_and_in_order() {
        let (map, computed) = (OnceMap::default(), AtomicUsize::new(0));
        let items: Vec<usize> = (0..100).collect();
        let out = steady_system::parallel::map(&items, 8, |item| {
            map.get_or(item % 10, || {
                computed.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(1));
                item % 10
            })
        });
        assert_eq!(computed.load(Ordering::SeqCst), 10);
        assert!(out.iter().enumerate().all(|(at, value)| at % 10 == *value));
    }
}

//! A number of places; whoever wants one waits until one is free.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The places.
pub struct Slots {
    most: usize,
    /// How many are taken, and the news that one is no longer.
    shared: Arc<(Mutex<usize>, Condvar)>,
}

/// One taken place; free again when dropped.
pub struct Slot {
    /// How many others were taken at that moment.
    pub others: usize,
    shared: Arc<(Mutex<usize>, Condvar)>,
}

impl Slots {
    /// So many places, at least one.
    pub fn new(count: usize) -> Slots {
        Slots {
            most: count.max(1),
            shared: Arc::default(),
        }
    }

    /// Waits for a place.
    pub fn take(&self) -> Slot {
        let (taken, freed) = &*self.shared;
        let guard = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = freed
            .wait_while(guard, |taken| *taken >= self.most)
            .unwrap_or_else(PoisonError::into_inner);
        *guard += 1;
        Slot {
            others: *guard - 1,
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (taken, freed) = &*self.shared;
        *taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        freed.notify_one();
    }
}

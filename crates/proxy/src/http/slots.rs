//! A number of places; whoever wants one waits until one is free.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The places.
pub struct Slots {
    shared: Arc<(Mutex<usize>, Condvar)>,
}

/// One taken place; free again when dropped.
pub struct Slot {
    shared: Arc<(Mutex<usize>, Condvar)>,
}

impl Slots {
    /// So many free places, at least one.
    pub fn new(count: usize) -> Slots {
        Slots {
            shared: Arc::new((Mutex::new(count.max(1)), Condvar::new())),
        }
    }

    /// Waits for a place.
    pub fn take(&self) -> Slot {
        let (free, freed) = &*self.shared;
        let guard = free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = freed
            .wait_while(guard, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *guard -= 1;
        Slot {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let (free, freed) = &*self.shared;
        *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        freed.notify_one();
    }
}

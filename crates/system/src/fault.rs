//! Ending hard at a chosen step: how tests find out what a kill or a power cut leaves at any moment.
//!
//! Everything that changes the disk counts a step first. With `STEADY_END_AT_STEP=N` in the environment the N-th one kills the
//! process: no destructor runs, nothing is flushed. Builds without debug assertions, as released ones are, count nothing.

use std::io::{Read, Write};

/// A step that changes the disk is about to be taken.
#[inline]
pub fn step() {
    #[cfg(debug_assertions)]
    if counted::is_due() {
        counted::end();
    }
}

/// The same before bytes are written; once more for an end in the middle of them.
#[inline]
pub fn step_write(file: &mut impl Write, bytes: &[u8]) {
    step();
    #[cfg(debug_assertions)]
    if counted::is_due() {
        let _ = file.write_all(&bytes[..bytes.len() / 2]);
        counted::end();
    }
    #[cfg(not(debug_assertions))]
    let _ = (file, bytes);
}

/// The same before `size` bytes are copied.
#[inline]
pub fn step_copy(from: &mut impl Read, to: &mut impl Write, size: u64) {
    step();
    #[cfg(debug_assertions)]
    if counted::is_due() {
        let _ = std::io::copy(&mut from.take(size / 2), to);
        counted::end();
    }
    #[cfg(not(debug_assertions))]
    let _ = (from, to, size);
}

#[cfg(debug_assertions)]
mod counted {
    use rustix::process::{Signal, getpid, kill_process};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    pub fn is_due() -> bool {
        static LAST: OnceLock<Option<u64>> = OnceLock::new();
        static TAKEN: AtomicU64 = AtomicU64::new(0);
        let last = LAST.get_or_init(|| std::env::var("STEADY_END_AT_STEP").ok()?.parse().ok());
        last.is_some_and(|last| TAKEN.fetch_add(1, Ordering::SeqCst) + 1 == last)
    }

    pub fn end() -> ! {
        let _ = kill_process(getpid(), Signal::KILL);
        std::process::abort();
    }
}

//! The time, as something that can be handed in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Where the time comes from.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Always the same moment: for tests.
    Fixed(SystemTime),
}

impl Clock {
    /// The moment now.
    pub fn now(self) -> SystemTime {
        match self {
            Clock::System => SystemTime::now(),
            Clock::Fixed(at) => at,
        }
    }

    /// Nanoseconds since 1970; 0 for a clock that stands before it.
    pub fn nanos(self) -> i64 {
        let since = self
            .now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    }
}

/// Waits; returns early, with an error, when the run is interrupted.
pub fn sleep(time: Duration) -> crate::Result<()> {
    let end = std::time::Instant::now() + time;
    loop {
        if crate::interrupt::interrupted() {
            return Err(crate::Error::Interrupted);
        }
        let left = end.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

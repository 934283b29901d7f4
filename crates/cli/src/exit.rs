//! Exit codes: all of them, in one place.
//!
//! | code | when |
//! |---|---|
//! | 0 | done |
//! | 1 | the task failed: what was asked for is wrong, missing or did not build |
//! | 2 | wrong usage (unknown command, flag or value), a GOROOT or GOPATH that cannot be, or something Steady does not do yet |
//! | n | `run -exec` aside, `go tool NAME` ends with what the tool ended with |
//!
//! `go run` ends with 1 whatever the program's own code, and says `exit status N` on standard error, as in go.
//! A run ended by a signal ends by the same signal.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(u8);

impl Status {
    /// Everything went well.
    pub const DONE: Status = Status(0);
    /// The task failed.
    pub const FAILED: Status = Status(1);
    /// Wrong usage, or not built yet.
    pub const USAGE: Status = Status(2);

    /// A code that another program ended with. What does not fit in a byte is 1.
    #[must_use]
    pub fn of_program(code: i32) -> Status {
        Status(u8::try_from(code).unwrap_or(1))
    }

    /// The number itself.
    #[must_use]
    pub fn code(self) -> u8 {
        self.0
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.0)
    }
}

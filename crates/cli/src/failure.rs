//! Why a command stops, and how that is said.

use crate::exit::Status;

/// What a command gives back.
pub type Result<T = Status> = std::result::Result<T, Failure>;

/// Why a command stops before its end.
#[derive(Debug)]
pub enum Failure {
    /// Each message is printed on its own after `go: `; exit code 1.
    Errors(Vec<String>),
    /// Printed as it stands, then the given code.
    Message(String, Status),
    /// Wrong usage of the command: its usage line is printed; exit code 2.
    Usage,
    /// Everything has been said; only the code is left.
    Said(Status),
}

impl Failure {
    /// One message that gets the prefix.
    pub fn error(message: impl Into<String>) -> Failure {
        Failure::Errors(vec![message.into()])
    }

    /// One message as it stands, exit code 1.
    pub fn plain(message: impl Into<String>) -> Failure {
        Failure::Message(message.into(), Status::FAILED)
    }

    /// What Steady does not do yet, by name; exit code 2.
    #[must_use]
    pub fn unsupported(what: &str) -> Failure {
        Failure::Message(
            format!("go: {what} is not supported by Steady yet"),
            Status::USAGE,
        )
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::error(error.to_string())
    }
}

/// Stops with a message after `go: `.
#[macro_export]
macro_rules! bail {
    ($($argument:tt)*) => {
        return Err($crate::failure::Failure::error(format!($($argument)*)))
    };
}

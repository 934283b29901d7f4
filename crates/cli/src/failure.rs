//! Why a command stops, and how that is said.

use std::cmp::Ordering;
use steady_build::BuildError;
use steady_packages::modload::ModError;

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
    /// A module asks for a newer Go than this run acts as. If GOTOOLCHAIN allows, the command is done again with a toolchain that
    /// will do; else the messages are printed as [`Failure::Errors`] are.
    TooNew {
        /// The one that asks for most.
        ask: TooNew,
        /// All that went wrong.
        messages: Vec<String>,
    },
    /// A failure, and a hint that is shown after it.
    Hinted(Box<Failure>, String),
    /// Wrong usage of the command: its usage line is printed; exit code 2.
    Usage,
    /// Everything has been said; only the code is left.
    Said(Status),
}

/// Who asks for which Go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooNew {
    /// The file or module that asks.
    pub what: String,
    /// The version it asks for.
    pub version: String,
}

impl TooNew {
    /// The one of two that counts: that with the newer version; of equals the first by name.
    #[must_use]
    pub fn max(self, other: TooNew) -> TooNew {
        match steady_module::gover::compare(&self.version, &other.version) {
            Ordering::Greater => self,
            Ordering::Less => other,
            Ordering::Equal if other.what < self.what => other,
            Ordering::Equal => self,
        }
    }
}

impl Failure {
    /// Messages, among which there may be some about a newer Go.
    #[must_use]
    pub fn errors(messages: Vec<String>, ask: Option<TooNew>) -> Failure {
        match ask {
            Some(ask) => Failure::TooNew { ask, messages },
            None => Failure::Errors(messages),
        }
    }

    /// An error of a command that takes a newer toolchain by itself if a module needs one.
    pub fn switching(error: ModError) -> Failure {
        let ask = error.too_new().map(|ask| TooNew {
            what: ask.what,
            version: ask.go_version,
        });
        match ask {
            None => error.into(),
            ask => Failure::errors(
                error.each().into_iter().map(ToString::to_string).collect(),
                ask,
            ),
        }
    }

    /// One message that gets the prefix.
    pub fn error(message: impl Into<String>) -> Failure {
        Failure::Errors(vec![message.into()])
    }

    /// One message as it stands, exit code 1.
    pub fn plain(message: impl Into<String>) -> Failure {
        Failure::Message(message.into(), Status::FAILED)
    }

    /// The same failure, with a hint if there is one.
    #[must_use]
    pub fn hinted(self, hint: Option<String>) -> Failure {
        match hint {
            Some(hint) => Failure::Hinted(Box::new(self), hint),
            None => self,
        }
    }

    /// A command of Steady's own was asked in a wrong way: one message that gets the prefix; exit code 2.
    #[must_use]
    pub fn misuse(message: &str) -> Failure {
        Failure::Message(format!("go: {message}"), Status::USAGE)
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

macro_rules! prefixed {
    ($($kind:ty),* $(,)?) => {
        $(
            impl From<$kind> for Failure {
                fn from(error: $kind) -> Failure {
                    Failure::error(error.to_string())
                }
            }
        )*
    };
}

prefixed! {
    clap::Error,
    serde_json::Error,
    std::string::FromUtf8Error,
    steady_packages::source::SourceError,
    steady_proxy::Error,
    steady_system::Error,
}

impl From<ModError> for Failure {
    fn from(error: ModError) -> Failure {
        if let Some(text) = error.sum_mismatch() {
            return Failure::plain(text);
        }
        match error {
            ModError::Plain(text) => Failure::plain(text),
            other => Failure::Errors(other.each().into_iter().map(ToString::to_string).collect()),
        }
    }
}

impl From<BuildError> for Failure {
    /// The builder knows which of its messages have go's prefix.
    fn from(error: BuildError) -> Failure {
        match error {
            BuildError::Fatal { line, exit } => Failure::Message(line, Status::of_program(exit)),
            BuildError::Unsupported(what) => Failure::unsupported(&what),
            other => Failure::error(other.to_string()),
        }
    }
}

/// Stops with a message after `go: `, for the command was asked in a wrong way: exit code 2.
#[macro_export]
macro_rules! misuse {
    ($($argument:tt)*) => {
        return Err($crate::failure::Failure::misuse(&format!($($argument)*)))
    };
}

/// Stops with a message after `go: `.
#[macro_export]
macro_rules! bail {
    ($($argument:tt)*) => {
        return Err($crate::failure::Failure::error(format!($($argument)*)))
    };
}

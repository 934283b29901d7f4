//! What can go wrong before a build starts, or end it as a whole.

use camino::Utf8PathBuf;

/// Failures that are not those of one action. The failure of an action goes to the [`crate::Sink`] and into
/// [`crate::Outcome::failed`], for the rest of the build goes on.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A combination of flags or variables that cannot be; `exit` is go's exit code for it (1 or 2).
    #[error("{message}")]
    Usage {
        /// go's words, without `go: `; those that go prints without the prefix start with a minus sign.
        message: String,
        /// 1 or 2.
        exit: i32,
    },
    /// The temporary directory of the build.
    #[error("creating work dir: {0}")]
    WorkDir(std::io::Error),
    /// GOCACHE cannot be made or written.
    #[error("failed to initialize build cache at {dir}: {error}")]
    Cache {
        /// GOCACHE.
        dir: Utf8PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A tool of the toolchain did not tell its version.
    #[error("error obtaining buildID for go tool {tool}: {error}")]
    ToolId {
        /// `compile`, `asm`, ….
        tool: String,
        /// Why.
        error: String,
    },
    /// Something that go can do and Steady cannot yet.
    #[error("{0} is not supported yet")]
    Unsupported(String),
    /// Any other failure, in go's words.
    #[error("{0}")]
    Message(String),
}

/// Result with [`BuildError`].
pub type Result<T, E = BuildError> = std::result::Result<T, E>;

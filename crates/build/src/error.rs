//! What can go wrong before a build starts, or end it as a whole.

use camino::Utf8PathBuf;

/// Failures that are not those of one action. The failure of an action goes to the [`crate::Sink`] and into
/// [`crate::Outcome::failed`], for the rest of the build goes on.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The end of the run with go's exit code for it: flags or variables that cannot be, wrong use of `-o`, ….
    #[error("{line}")]
    Fatal {
        /// The complete text as go prints it, with `go: ` before it where go has that.
        line: String,
        /// 1 or 2.
        exit: i32,
    },
    /// The temporary directory of the build.
    #[error("creating work dir: {0}")]
    WorkDir(steady_system::Error),
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

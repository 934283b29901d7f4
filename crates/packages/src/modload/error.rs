//! What can go wrong with modules, in go's words.

use camino::Utf8PathBuf;

/// A failure of the module loader.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ModError {
    /// There is no go.mod where one is needed.
    #[error(
        "go.mod file not found in current directory or any parent directory; see 'go help modules'"
    )]
    NoGoMod,
    /// go.mod or go.work that cannot be read as one.
    #[error("errors parsing {file}:\n{errors}")]
    Parse {
        /// The file as shown.
        file: String,
        /// Line by line.
        errors: String,
    },
    /// A module or workspace that asks for a newer Go than this run acts as.
    #[error("{what} requires go >= {wanted} (running go {running}{explain})")]
    TooNew {
        /// Who asks.
        what: String,
        /// What it asks for.
        wanted: String,
        /// What there is.
        running: String,
        /// `; GOTOOLCHAIN=local` and the like.
        explain: String,
    },
    /// A file of this machine that cannot be read.
    #[error("{0}")]
    File(String),
    /// A directory that go.work uses has no go.mod.
    #[error("cannot load module {shown} listed in go.work file: {reason}")]
    WorkModule {
        /// As in go.work.
        shown: String,
        /// Why.
        reason: String,
    },
    /// A module's go.mod cannot be had; with the modules that lead to it.
    #[error("{0}")]
    Graph(String),
    /// The vendor directory and go.mod do not agree.
    #[error(
        "inconsistent vendoring in {dir}:\n{details}\n\n\tTo ignore the vendor directory, use -mod=readonly or -mod=mod.\n\tTo sync the vendor directory, run:\n\t\t{command}"
    )]
    Vendoring {
        /// Directory of the main module or workspace.
        dir: Utf8PathBuf,
        /// A paragraph each.
        details: String,
        /// What mends it.
        command: String,
    },
    /// Fetching failed.
    #[error("{0}")]
    Fetch(#[from] steady_proxy::Error),
    /// A failure that go tells without `go: ` in front.
    #[error("{0}")]
    Plain(String),
    /// Any other failure, in go's words.
    #[error("{0}")]
    Message(String),
    /// Something that go can do and Steady cannot yet.
    #[error("{0} is not supported by Steady yet")]
    Unsupported(String),
}

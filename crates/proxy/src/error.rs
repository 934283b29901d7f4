//! What can go wrong between a module's name and its files.
//!
//! Errors are cheap to clone, because one failed download answers everybody who asked for it. `is_not_exist` is Go's
//! `errors.Is(err, fs.ErrNotExist)`: it decides whether the next entry of GOPROXY is asked.

use std::fmt;
use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::Origin;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate; see [`Kind`] for what it holds.
#[derive(Clone)]
pub struct Error(Arc<Kind>);

/// The kinds of errors.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// A response other than 200.
    #[error("{0}")]
    Http(HttpError),
    /// Something does not exist, told in words: `module lookup disabled by GOPROXY=off`.
    #[error("{0}")]
    NotExist(String),
    /// Something does not exist because of another error.
    #[error("{0}")]
    NotExistBecause(Error),
    /// An error about a module, or a version of it.
    #[error("{}", module_text(.path, .version, .source))]
    Module {
        /// Module path.
        path: String,
        /// Version, or empty.
        version: String,
        /// What is wrong.
        source: Error,
    },
    /// A version that cannot be: `m@v: invalid version: ...`.
    #[error("{path}@{version}: invalid {}: {source}", if *.pseudo { "pseudo-version" } else { "version" })]
    InvalidVersion {
        /// Module path.
        path: String,
        /// The version as asked for.
        version: String,
        /// Whether it has the form of a pseudo-version.
        pseudo: bool,
        /// What is wrong.
        source: Error,
    },
    /// Something did not match what was recorded or what the checksum database says. The run must end.
    #[error("{0}")]
    Security(String),
    /// What was fetched is not what go.sum says.
    #[error("{0}")]
    SumMismatch(String),
    /// go.sum cannot be read as one: whoever asked for whichever module is not told of that.
    #[error("{0}")]
    MalformedSums(String),
    /// The module cache cannot be used, whatever is asked of it.
    #[error("{0}")]
    NoCache(String),
    /// A module needs a newer Go.
    #[error("{0}")]
    TooNew(TooNew),
    /// An extracted module that is not complete.
    #[error("{dir}: {reason}")]
    Partial {
        /// The directory.
        dir: Utf8PathBuf,
        /// What is missing.
        reason: String,
    },
    /// go.sum would have to change, which `-mod=readonly` forbids.
    #[error("updates to go.sum needed, disabled by -mod=readonly")]
    GoSumDirty,
    /// `-offline` forbids what would have been fetched.
    #[error("-offline: would have fetched {0}")]
    Offline(String),
    /// `-locked` forbids a change of go.sum: the file and its changes.
    #[error("-locked: {0} would change:{1}")]
    Locked(String, String),
    /// What is asked for is not written yet.
    #[error("{0} is not supported yet")]
    Unsupported(String),
    /// The outside world refused.
    #[error("{0}")]
    System(#[from] steady_system::Error),
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
    /// A repository is known, and does not answer: looking at other module paths would not help.
    #[error("{0}")]
    Vcs(Error),
    /// An error that holds as long as what it comes from does not change.
    #[error("{source}")]
    WithOrigin {
        /// What it comes from.
        origin: Box<Origin>,
        /// What is wrong.
        source: Error,
    },
    /// The checksum database has not told the sum of something. That it has none, or is not there, does not mean that what is to
    /// be verified does not exist: nobody else may be asked for it.
    #[error("verifying {noun}: {source}")]
    Unverified {
        /// `module` or `go.mod`.
        noun: &'static str,
        /// What is wrong.
        source: Error,
    },
    /// Another error with words before it.
    #[error("{text}: {source}")]
    Context {
        /// The words.
        text: String,
        /// What is wrong.
        source: Error,
    },
}

/// A response other than 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpError {
    /// The URL, password hidden.
    pub url: String,
    /// Status line without the protocol: `404 Not Found`.
    pub status: String,
    /// Status code.
    pub code: u16,
    /// The first lines of a plain-text answer.
    pub detail: String,
    /// For `file://`: what the file system said.
    pub cause: Option<String>,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HttpError {
            url,
            status,
            detail,
            cause,
            ..
        } = self;
        if !detail.is_empty() {
            let separator = if detail.contains('\n') { "\n\t" } else { " " };
            return write!(
                f,
                "reading {url}: {status}\n\tserver response:{separator}{detail}"
            );
        }
        write!(f, "reading {url}: {}", cause.as_ref().unwrap_or(status))
    }
}

/// A module that asks for a newer Go than the one that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooNew {
    /// Which module or file asks.
    pub what: String,
    /// The Go version it asks for.
    pub go_version: String,
    /// Its toolchain line, not printed.
    pub toolchain: String,
    /// The Go version that runs.
    pub running: String,
    /// `; GOTOOLCHAIN=local; go.mod sets go 1.21` or empty: see [`crate::toolchain::Startup::explain`].
    pub explain: String,
}

impl fmt::Display for TooNew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooNew {
            what,
            go_version,
            running,
            explain,
            ..
        } = self;
        write!(
            f,
            "{what} requires go >= {go_version} (running go {running}{explain})"
        )
    }
}

fn module_text(path: &str, version: &str, source: &Error) -> String {
    if version.is_empty() {
        format!("module {path}: {source}")
    } else {
        format!("{path}@{version}: {source}")
    }
}

impl Error {
    /// What is wrong.
    pub fn kind(&self) -> &Kind {
        &self.0
    }

    /// An error in words.
    pub fn other(text: impl Into<String>) -> Error {
        Kind::Other(text.into()).into()
    }

    /// Something that does not exist, in words.
    pub fn not_exist(text: impl Into<String>) -> Error {
        Kind::NotExist(text.into()).into()
    }

    /// The same error with words before it: `text: error`.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> Error {
        if self.is_general() {
            return self;
        }
        Kind::Context {
            text: text.into(),
            source: self,
        }
        .into()
    }

    /// The same error about a module and a version (which may be empty), as Go's `module.VersionError`: never twice.
    #[must_use]
    pub fn at_version(self, path: &str, version: &str) -> Error {
        if self.is_general() {
            return self;
        }
        let told = self.chain().find_map(|error| match error.kind() {
            Kind::Module { path, version, .. } => Some((path.as_str(), version.as_str())),
            Kind::InvalidVersion { path, .. } => Some((path.as_str(), "")),
            _ => None,
        });
        if told == Some((path, version)) {
            return self;
        }
        Kind::Module {
            path: path.to_owned(),
            version: version.to_owned(),
            source: self,
        }
        .into()
    }

    /// Whether it means that something does not exist: 404, 410, a missing file, a disabled lookup.
    pub fn is_not_exist(&self) -> bool {
        match self.kind() {
            Kind::Http(error) => error.code == 404 || error.code == 410,
            Kind::NotExist(_) | Kind::NotExistBecause(_) | Kind::Partial { .. } => true,
            Kind::Vcs(source)
            | Kind::Module { source, .. }
            | Kind::InvalidVersion { source, .. }
            | Kind::WithOrigin { source, .. }
            | Kind::Context { source, .. } => source.is_not_exist(),
            Kind::System(error) => error.is_not_found(),
            _ => false,
        }
    }

    /// Whether the checksum database could not be asked.
    pub fn is_unverified(&self) -> bool {
        let is_it = |error: &Error| matches!(error.kind(), Kind::Unverified { .. });
        self.chain().any(is_it) && !self.is_security()
    }

    /// Whether a version was asked for that cannot be one.
    pub fn is_invalid_version(&self) -> bool {
        self.chain()
            .any(|error| matches!(error.kind(), Kind::InvalidVersion { .. }))
    }

    /// Whether the run must end at once.
    pub fn is_security(&self) -> bool {
        self.chain()
            .any(|error| matches!(error.kind(), Kind::Security(_) | Kind::SumMismatch(_)))
            || self.is_general()
    }

    /// Whether it is about no module, so that none is to be named with it.
    pub fn is_general(&self) -> bool {
        matches!(self.kind(), Kind::MalformedSums(_) | Kind::NoCache(_))
    }

    /// What is to be said, without any lead, of something that is not what go.sum says, or of a go.sum that says nothing.
    pub fn sum_mismatch(&self) -> Option<&str> {
        self.chain().find_map(|error| match error.kind() {
            Kind::SumMismatch(text) | Kind::MalformedSums(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether the user ended the run.
    pub fn is_interrupt(&self) -> bool {
        self.chain().any(|error| {
            matches!(
                error.kind(),
                Kind::System(steady_system::Error::Interrupted)
            )
        })
    }

    /// Whether a known repository did not answer, so that no other module path need be tried.
    pub fn is_vcs(&self) -> bool {
        self.chain()
            .any(|error| matches!(error.kind(), Kind::Vcs(_)))
    }

    /// What the error comes from: as long as that does not change, it will be the same (`-reuse`).
    pub fn origin(&self) -> Option<&Origin> {
        self.chain().find_map(|error| match error.kind() {
            Kind::WithOrigin { origin, .. } => Some(&**origin),
            _ => None,
        })
    }

    /// The same error, with what it comes from.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Error {
        Kind::WithOrigin {
            origin: Box::new(origin),
            source: self,
        }
        .into()
    }

    /// The demand for a newer Go in it, if there is one.
    pub fn too_new(&self) -> Option<&TooNew> {
        self.chain().find_map(|error| match error.kind() {
            Kind::TooNew(too_new) => Some(too_new),
            _ => None,
        })
    }

    /// The HTTP response in it, if there is one.
    pub fn http(&self) -> Option<&HttpError> {
        self.chain().find_map(|error| match error.kind() {
            Kind::Http(http) => Some(http),
            _ => None,
        })
    }

    /// This error and what it wraps, outermost first.
    pub fn chain(&self) -> impl Iterator<Item = &Error> {
        std::iter::successors(Some(self), |error| match error.kind() {
            Kind::NotExistBecause(source)
            | Kind::Vcs(source)
            | Kind::Module { source, .. }
            | Kind::InvalidVersion { source, .. }
            | Kind::WithOrigin { source, .. }
            | Kind::Unverified { source, .. }
            | Kind::Context { source, .. } => Some(source),
            _ => None,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Error {
        Error(Arc::new(kind))
    }
}

impl From<steady_system::Error> for Error {
    fn from(error: steady_system::Error) -> Error {
        Kind::System(error).into()
    }
}

impl From<HttpError> for Error {
    fn from(error: HttpError) -> Error {
        Kind::Http(error).into()
    }
}

impl From<steady_module::path::PathError> for Error {
    fn from(error: steady_module::path::PathError) -> Error {
        Error::other(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(code: u16, detail: &str) -> Error {
        let (url, status) = (
            "https://example.com/m/@v/list".into(),
            "404 Not Found".into(),
        );
        HttpError {
            url,
            status,
            code,
            detail: detail.into(),
            cause: None,
        }
        .into()
    }

    #[test]
    fn http_texts_are_gos() {
        assert_eq!(
            http(404, "").to_string(),
            "reading https://example.com/m/@v/list: 404 Not Found"
        );
        let one =
            "reading https://example.com/m/@v/list: 404 Not Found\n\tserver response: not found: m";
        assert_eq!(http(404, "not found: m").to_string(), one);
        assert!(
            http(404, "a\n\tb")
                .to_string()
                .ends_with("\n\tserver response:\n\ta\n\tb")
        );
    }

    #[test]
    fn only_404_and_410_mean_that_it_does_not_exist() {
        for (code, want) in [(404, true), (410, true), (403, false), (500, false)] {
            assert_eq!(
                http(code, "").at_version("m", "v1.0.0").is_not_exist(),
                want,
                "{code}"
            );
        }
    }

    #[test]
    fn a_version_is_told_once() {
        let error = Error::other("bad")
            .at_version("m", "v1.0.0")
            .at_version("m", "v1.0.0");
        assert_eq!(error.to_string(), "m@v1.0.0: bad");
        assert_eq!(
            Error::other("bad").at_version("m", "").to_string(),
            "module m: bad"
        );
    }

    #[test]
    fn what_the_database_does_not_know_may_exist() {
        let missing = http(404, "");
        assert!(missing.clone().context("reading").is_not_exist());
        let noun = "module";
        let unverified = Error::from(Kind::Unverified {
            noun,
            source: missing,
        });
        assert!(!unverified.at_version("m", "v1.0.0").is_not_exist());
    }
}

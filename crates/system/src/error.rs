//! Errors that carry the operation and the path, worded as Go's `os` package words them.

use camino::Utf8PathBuf;
use std::io;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the outside world refused to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One operation on one path failed: `open /x: no such file or directory`.
    #[error("{op} {path}: {}", describe_io(.source))]
    Path {
        /// Name of the operation (`open`, `stat`, `mkdir`, ...).
        op: &'static str,
        /// Path as the caller gave it.
        path: Utf8PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// An operation on two paths failed: `rename a b: ...`.
    #[error("{op} {from} {to}: {}", describe_io(.source))]
    Link {
        /// Name of the operation (`rename`, `symlink`, `link`).
        op: &'static str,
        /// First path.
        from: Utf8PathBuf,
        /// Second path.
        to: Utf8PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A path or name that is not UTF-8.
    #[error("{0}: name is not UTF-8")]
    NotUtf8(String),
    /// The overlay file is unusable.
    #[error("{0}")]
    Overlay(String),
    /// A process could not be started: `exec: "git": executable file not found in $PATH`.
    #[error("{0}")]
    Exec(String),
    /// The run was interrupted while waiting.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub(crate) fn path(op: &'static str, path: impl Into<Utf8PathBuf>, source: io::Error) -> Error {
        Error::Path {
            op,
            path: path.into(),
            source,
        }
    }

    /// The kind of the underlying operating system error, if there is one.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Error::Path { source, .. } | Error::Link { source, .. } => source.kind(),
            Error::Interrupted => io::ErrorKind::Interrupted,
            _ => io::ErrorKind::Other,
        }
    }

    /// Whether the file does not exist (and not that something else is wrong with it).
    pub fn is_not_found(&self) -> bool {
        self.kind() == io::ErrorKind::NotFound
    }

    /// The disk or the quota is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(
            self.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }

    /// The file system cannot be written to: read-only, or no permission.
    pub fn is_read_only(&self) -> bool {
        matches!(
            self.kind(),
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
        )
    }

    /// What the operating system said, without operation and path.
    pub fn cause(&self) -> String {
        match self {
            Error::Path { source, .. } | Error::Link { source, .. } => describe_io(source),
            other => other.to_string(),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

/// The text of an operating system error as Go prints it: lower case, no number.
pub fn describe_io(error: &io::Error) -> String {
    if let Some(text) = error.raw_os_error().and_then(known) {
        return text.to_owned();
    }
    if error.raw_os_error().is_none() {
        return match (error.get_ref(), error.kind()) {
            (Some(inner), _) => inner.to_string(),
            (None, io::ErrorKind::NotFound) => "file does not exist".to_owned(),
            (None, io::ErrorKind::UnexpectedEof) => "unexpected EOF".to_owned(),
            (None, _) => error.to_string(),
        };
    }
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Texts that the C libraries disagree about, or that tests depend on.
fn known(code: i32) -> Option<&'static str> {
    use rustix::io::Errno;
    let errno = Errno::from_raw_os_error(code);
    Some(match errno {
        Errno::PERM => "operation not permitted",
        Errno::NOENT => "no such file or directory",
        Errno::IO => "input/output error",
        Errno::NOEXEC => "exec format error",
        Errno::ACCESS => "permission denied",
        Errno::EXIST => "file exists",
        Errno::XDEV => "invalid cross-device link",
        Errno::NOTDIR => "not a directory",
        Errno::ISDIR => "is a directory",
        Errno::INVAL => "invalid argument",
        Errno::MFILE => "too many open files",
        Errno::TXTBSY => "text file busy",
        Errno::NOSPC => "no space left on device",
        Errno::ROFS => "read-only file system",
        Errno::PIPE => "broken pipe",
        Errno::NAMETOOLONG => "file name too long",
        Errno::NOLCK => "no locks available",
        Errno::NOTEMPTY => "directory not empty",
        Errno::LOOP => "too many levels of symbolic links",
        Errno::CONNRESET => "connection reset by peer",
        Errno::TIMEDOUT => "connection timed out",
        Errno::CONNREFUSED => "connection refused",
        Errno::HOSTUNREACH => "no route to host",
        Errno::NETUNREACH => "network is unreachable",
        Errno::DQUOT => "disk quota exceeded",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_gos() {
        let error = Error::path("open", "/x", io::Error::from_raw_os_error(2));
        assert_eq!(error.to_string(), "open /x: no such file or directory");
        assert!(error.is_not_found());
        let full = Error::path("write", "/x", io::Error::from_raw_os_error(28));
        assert_eq!(full.to_string(), "write /x: no space left on device");
        assert!(full.is_disk_full());
        let read_only = Error::path("mkdir", "/x", io::Error::from_raw_os_error(30));
        assert_eq!(read_only.to_string(), "mkdir /x: read-only file system");
        assert!(read_only.is_read_only());
    }

    #[test]
    fn unknown_numbers_lose_their_capital_and_number() {
        assert_eq!(
            describe_io(&io::Error::from_raw_os_error(3)),
            "no such process"
        );
    }
}

//! What this crate needs from a file system; the implementation over `steady_system` stands beside it.

use camino::Utf8Path;
use std::io;

/// What a directory entry is, without following links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link, to whatever.
    Symlink,
    /// A device, socket, pipe.
    Other,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name without directory.
    pub name: String,
    /// Kind, links not followed.
    pub kind: EntryKind,
}

/// What identifies a version of a file without reading it (links followed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// What the path leads to; never [`EntryKind::Symlink`].
    pub kind: EntryKind,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since 1970.
    pub modified: i64,
    /// Inode, or 0 where there is none (overlay files, Windows).
    pub inode: u64,
}

/// A file tree to read Go sources from. Overlays are the implementation's business.
pub trait Tree: Send + Sync {
    /// Names in `dir`, sorted bytewise.
    fn entries(&self, dir: &Utf8Path) -> io::Result<Vec<Entry>>;
    /// Whole contents of a file.
    fn read(&self, file: &Utf8Path) -> io::Result<Vec<u8>>;
    /// The first bytes of a file, at least `size` of them unless the file is shorter; true: that was all of it.
    fn read_head(&self, file: &Utf8Path, size: usize) -> io::Result<(Vec<u8>, bool)> {
        let _ = size;
        Ok((self.read(file)?, true))
    }
    /// Stamp of what a path leads to.
    fn stat(&self, path: &Utf8Path) -> io::Result<Stamp>;
    /// Whether the path leads to a directory.
    fn is_dir(&self, path: &Utf8Path) -> bool {
        self.stat(path)
            .is_ok_and(|stamp| stamp.kind == EntryKind::Dir)
    }
    /// Whether the path leads to a regular file.
    fn is_file(&self, path: &Utf8Path) -> bool {
        self.stat(path)
            .is_ok_and(|stamp| stamp.kind == EntryKind::File)
    }
}

/// An input/output error in go's words: lower case, without Rust's number.
pub(crate) fn go_message(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    match text.chars().next() {
        Some(first) if first.is_ascii_uppercase() => {
            format!("{}{}", first.to_ascii_lowercase(), &text[1..])
        }
        _ => text.to_owned(),
    }
}

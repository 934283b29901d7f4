//! The file system: paths relative to a working directory that is a value, an optional overlay, whole-file writes.
//!
//! Reading (`read`, `read_dir`, `stat`, `walk`, ...) sees the overlay; writing does not. Error texts name the path as the caller
//! gave it, as Go's do.

mod copy;
mod sightings;
mod walk;
mod write;

pub use sightings::{Note, Question, Sight, Sightings, Stamp};
pub use walk::{Walk, WalkEntry};
pub(crate) use write::remove_tree;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::sync::Arc;

use crate::overlay::{Overlay, Place};
use crate::{Error, Result};

/// A handle on the file system; cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    cwd: Arc<Utf8Path>,
    overlay: Option<Arc<Overlay>>,
    sightings: Option<Arc<Sightings>>,
}

/// What a directory entry is, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// Pipe, socket, device, or a file that is missing behind an overlay.
    Other,
}

impl FileKind {
    fn of(kind: std::fs::FileType) -> FileKind {
        if kind.is_file() {
            FileKind::File
        } else if kind.is_dir() {
            FileKind::Dir
        } else if kind.is_symlink() {
            FileKind::Symlink
        } else {
            debug_assert!(
                kind.is_fifo()
                    || kind.is_socket()
                    || kind.is_char_device()
                    || kind.is_block_device()
            );
            FileKind::Other
        }
    }
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Name without directory.
    pub name: String,
    /// Kind, links not followed.
    pub kind: FileKind,
}

/// What `stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Kind of file.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// Bytes that it takes on the disk.
    pub on_disk: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified: i64,
    /// Time of the last change of any kind, in nanoseconds since 1970: unlike the other it cannot be set.
    pub changed: i64,
    /// Inode number; 0 for a directory that only the overlay implies.
    pub inode: u64,
    /// Device number.
    pub device: u64,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// Number of the user that it belongs to.
    pub owner: u32,
    /// How many names it has: more than one are hard links.
    pub links: u64,
}

impl Metadata {
    fn of(meta: &std::fs::Metadata) -> Metadata {
        Metadata {
            kind: FileKind::of(meta.file_type()),
            size: meta.len(),
            on_disk: meta.blocks() * 512,
            modified: meta
                .mtime()
                .saturating_mul(1_000_000_000)
                .saturating_add(meta.mtime_nsec()),
            changed: meta
                .ctime()
                .saturating_mul(1_000_000_000)
                .saturating_add(meta.ctime_nsec()),
            inode: meta.ino(),
            device: meta.dev(),
            mode: meta.permissions().mode() & 0o7777,
            owner: meta.uid(),
            links: meta.nlink(),
        }
    }

    const IMPLIED_DIR: Metadata = Metadata {
        kind: FileKind::Dir,
        size: 0,
        on_disk: 0,
        modified: 0,
        changed: 0,
        inode: 0,
        device: 0,
        mode: 0o500,
        owner: 0,
        links: 1,
    };

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Dir
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }
}

impl Files {
    /// Files seen from a working directory (absolute).
    pub fn new(cwd: impl AsRef<Utf8Path>) -> Files {
        Files {
            cwd: Arc::from(cwd.as_ref()),
            overlay: None,
            sightings: None,
        }
    }

    /// The same files; from here on what is asked and answered is noted.
    #[must_use]
    pub fn watched(mut self, sightings: Arc<Sightings>) -> Files {
        self.sightings = Some(sightings);
        self
    }

    /// The notes, if any are taken.
    pub fn sightings(&self) -> Option<&Arc<Sightings>> {
        self.sightings.as_ref()
    }

    fn note(&self, path: &Utf8Path, question: Question, sight: impl FnOnce() -> Sight) {
        if let Some(sightings) = &self.sightings
            && !sightings.is_spoiled()
        {
            sightings.saw(&self.resolve(path), question, sight());
        }
    }

    /// The run itself is about to change something, at one stroke.
    fn changes(&self, path: &Utf8Path) {
        crate::fault::step();
        self.note_change(path);
    }

    fn note_change(&self, path: &Utf8Path) {
        if let Some(sightings) = &self.sightings {
            sightings.changed(&self.resolve(path));
        }
    }

    /// The whole contents of a file, read under a shared lock.
    pub fn read_locked(&self, path: impl AsRef<Utf8Path>) -> Result<Vec<u8>> {
        let path = self.absolute(path);
        self.note(&path, Question::Stamp, || {
            Sight::now(&path, Question::Stamp)
        });
        crate::lock::read(path)
    }

    /// Changes a file under its lock, as [`crate::lock::transform`] does.
    ///
    /// # Errors
    /// Those of `change`, and of the file system.
    pub fn transform<E: From<crate::Error>>(
        &self,
        path: impl AsRef<Utf8Path>,
        change: impl FnOnce(&[u8]) -> std::result::Result<Vec<u8>, E>,
    ) -> std::result::Result<(), E> {
        let path = self.absolute(path);
        self.note_change(&path);
        crate::lock::transform(path, change)
    }

    /// The same files with an overlay in front.
    #[must_use]
    pub fn with_overlay(mut self, overlay: Overlay) -> Files {
        self.overlay = (!overlay.is_empty()).then(|| Arc::new(overlay));
        self
    }

    /// The working directory that relative paths are relative to.
    pub fn cwd(&self) -> &Utf8Path {
        &self.cwd
    }

    /// The overlay, if there is one.
    pub fn overlay(&self) -> Option<&Overlay> {
        self.overlay.as_deref()
    }

    /// The path made absolute and cleaned lexically (Go's `filepath.Abs`).
    pub fn absolute(&self, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        clean(&self.cwd.join(path.as_ref()))
    }

    fn resolve<'a>(&self, path: &'a Utf8Path) -> Cow<'a, Utf8Path> {
        if path.is_absolute() {
            Cow::Borrowed(path)
        } else {
            Cow::Owned(self.cwd.join(path))
        }
    }

    fn place(&self, path: &Utf8Path) -> Place {
        match &self.overlay {
            None => Place::Disk,
            Some(overlay) => overlay.place(&self.absolute(path)),
        }
    }

    /// The file on disk that is read for `path`; `None` if the overlay deletes it.
    pub fn actual(&self, path: &Utf8Path) -> Option<Utf8PathBuf> {
        match self.place(path) {
            Place::Deleted => None,
            Place::File(to) => Some(to),
            Place::Disk | Place::Dir => Some(path.to_owned()),
        }
    }

    /// Whether the overlay changes this very file.
    pub fn is_replaced(&self, path: &Utf8Path) -> bool {
        matches!(self.place(path), Place::Deleted | Place::File(_))
    }

    /// Opens a file for reading.
    pub fn open(&self, path: impl AsRef<Utf8Path>) -> Result<File> {
        let path = path.as_ref();
        let refuse = |why: &str| Error::path("Open", path, io::Error::other(why.to_owned()));
        let actual = match self.place(path) {
            Place::Disk => None,
            Place::Deleted => {
                return Err(Error::path(
                    "Open",
                    path,
                    io::Error::new(io::ErrorKind::NotFound, "deleted in overlay"),
                ));
            }
            Place::Dir => return Err(refuse("cannot open directory in overlay")),
            Place::File(to) => Some(to),
        };
        let name = actual.as_deref().unwrap_or(path);
        let opened = File::open(self.resolve(name).as_std_path());
        self.note(name, Question::Stamp, || {
            let meta = opened.as_ref().map(File::metadata);
            match meta {
                Ok(Ok(meta)) => Sight::Stamp(Stamp::of(&meta)),
                Ok(Err(error)) => Sight::error(&error),
                Err(error) => Sight::error(error),
            }
        });
        opened.map_err(|error| Error::path("open", name, error))
    }

    /// The whole contents of a file.
    pub fn read(&self, path: impl AsRef<Utf8Path>) -> Result<Vec<u8>> {
        let path = path.as_ref();
        let mut file = self.open(path)?;
        let size = file
            .metadata()
            .map_or(0, |meta| usize::try_from(meta.len()).unwrap_or(0));
        let mut bytes = Vec::with_capacity(size.saturating_add(1));
        file.read_to_end(&mut bytes)
            .map_err(|error| Error::path("read", path, error))?;
        Ok(bytes)
    }

    /// The whole contents of a file that must be UTF-8.
    pub fn read_to_string(&self, path: impl AsRef<Utf8Path>) -> Result<String> {
        let path = path.as_ref();
        let bytes = self.read(path)?;
        String::from_utf8(bytes).map_err(|_| {
            Error::path(
                "read",
                path,
                io::Error::new(io::ErrorKind::InvalidData, "invalid UTF-8"),
            )
        })
    }

    /// The contents of a file, or `None` if there is no such file.
    pub fn read_if_exists(&self, path: impl AsRef<Utf8Path>) -> Result<Option<Vec<u8>>> {
        match self.read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in a directory, sorted bytewise, links not followed.
    pub fn read_dir(&self, dir: impl AsRef<Utf8Path>) -> Result<Vec<DirEntry>> {
        let dir = dir.as_ref();
        let not_dir = || {
            Error::path(
                "read",
                dir,
                io::Error::from_raw_os_error(rustix::io::Errno::NOTDIR.raw_os_error()),
            )
        };
        match self.place(dir) {
            Place::Disk => self.read_disk_dir(dir),
            Place::Deleted => Err(Error::path("read", dir, io::ErrorKind::NotFound.into())),
            Place::File(_) => Err(not_dir()),
            Place::Dir => self.merged_dir(dir),
        }
    }

    fn read_disk_dir(&self, dir: &Utf8Path) -> Result<Vec<DirEntry>> {
        let fail = |error| Error::path("open", dir, error);
        self.note(dir, Question::Stamp, || {
            Sight::now(&self.resolve(dir), Question::Stamp)
        });
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.resolve(dir).as_std_path()).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let kind = entry.file_type().map_err(fail)?;
            // Go carries such names through as bytes; nothing that Go builds can have one, so they are passed over here.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            entries.push(DirEntry {
                name,
                kind: FileKind::of(kind),
            });
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn merged_dir(&self, dir: &Utf8Path) -> Result<Vec<DirEntry>> {
        let on_disk = match self.read_disk_dir(dir) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Err(error)
            }
            other => Ok(other?),
        };
        let mut all: std::collections::BTreeMap<String, FileKind> =
            std::collections::BTreeMap::new();
        if let Ok(entries) = &on_disk {
            all.extend(entries.iter().map(|entry| (entry.name.clone(), entry.kind)));
        }
        let children = self
            .overlay
            .as_ref()
            .map(|overlay| overlay.children(&self.absolute(dir)))
            .unwrap_or_default();
        for (name, place) in children {
            match place {
                Place::Deleted => drop(all.remove(&name)),
                Place::Dir | Place::Disk => drop(all.insert(name, FileKind::Dir)),
                Place::File(to) => {
                    let kind = std::fs::metadata(&to)
                        .map_or(FileKind::Other, |meta| FileKind::of(meta.file_type()));
                    if kind == FileKind::Dir {
                        let why = format!("overlay maps child {name} to directory");
                        return Err(Error::path("read", dir, io::Error::other(why)));
                    }
                    all.insert(name, kind);
                }
            }
        }
        match on_disk {
            Err(error) if all.is_empty() => Err(error),
            _ => Ok(all
                .into_iter()
                .map(|(name, kind)| DirEntry { name, kind })
                .collect()),
        }
    }

    /// What a path leads to, links followed.
    pub fn stat(&self, path: impl AsRef<Utf8Path>) -> Result<Metadata> {
        self.metadata("stat", path.as_ref(), Question::Stamp)
    }

    /// What stands at a path, links not followed (overlay files are always followed).
    pub fn lstat(&self, path: impl AsRef<Utf8Path>) -> Result<Metadata> {
        self.metadata("lstat", path.as_ref(), Question::OwnStamp)
    }

    fn metadata(&self, op: &'static str, path: &Utf8Path, question: Question) -> Result<Metadata> {
        match self.place(path) {
            Place::Disk => {
                let actual = self.resolve(path);
                let found = match question {
                    Question::OwnStamp => std::fs::symlink_metadata(actual.as_std_path()),
                    _ => std::fs::metadata(actual.as_std_path()),
                };
                self.note(path, question, || match (&found, question) {
                    (Ok(meta), Question::Kind) => Sight::kind(meta),
                    (Ok(meta), _) => Sight::Stamp(Stamp::of(meta)),
                    (Err(error), _) => Sight::error(error),
                });
                found
                    .map(|meta| Metadata::of(&meta))
                    .map_err(|e| Error::path(op, path, e))
            }
            Place::Deleted => Err(Error::path(op, path, io::ErrorKind::NotFound.into())),
            Place::Dir => Ok(Metadata::IMPLIED_DIR),
            Place::File(to) => {
                self.note(&to, question, || Sight::now(&to, question));
                let meta =
                    std::fs::metadata(&to).map_err(|error| Error::path("stat", to, error))?;
                if meta.is_dir() {
                    return Err(Error::path(
                        op,
                        path,
                        io::Error::other("overlay maps to directory"),
                    ));
                }
                Ok(Metadata::of(&meta))
            }
        }
    }

    /// Whether something stands at a path, links followed; errors count as no.
    pub fn exists(&self, path: impl AsRef<Utf8Path>) -> bool {
        self.metadata("stat", path.as_ref(), Question::Kind).is_ok()
    }

    /// Whether a path leads to a directory.
    pub fn is_dir(&self, path: impl AsRef<Utf8Path>) -> bool {
        self.metadata("stat", path.as_ref(), Question::Kind)
            .is_ok_and(|meta| meta.is_dir())
    }

    /// Whether a path leads to a regular file.
    pub fn is_file(&self, path: impl AsRef<Utf8Path>) -> bool {
        self.metadata("stat", path.as_ref(), Question::Kind)
            .is_ok_and(|meta| meta.is_file())
    }

    /// Where a symbolic link points.
    pub fn read_link(&self, path: impl AsRef<Utf8Path>) -> Result<Utf8PathBuf> {
        let path = path.as_ref();
        self.note(path, Question::Link, || {
            Sight::now(&self.resolve(path), Question::Link)
        });
        let to = std::fs::read_link(self.resolve(path).as_std_path())
            .map_err(|error| Error::path("readlink", path, error))?;
        Utf8PathBuf::from_path_buf(to)
            .map_err(|to| Error::NotUtf8(to.to_string_lossy().into_owned()))
    }

    /// The path with every link followed (Go's `filepath.EvalSymlinks`, made absolute).
    pub fn canonicalize(&self, path: impl AsRef<Utf8Path>) -> Result<Utf8PathBuf> {
        let path = path.as_ref();
        self.note(path, Question::Real, || {
            Sight::now(&self.resolve(path), Question::Real)
        });
        self.resolve(path)
            .canonicalize_utf8()
            .map_err(|error| Error::path("lstat", path, error))
    }
}

/// Cleans a path lexically, as Go's `filepath.Clean` does.
pub fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => match out.components().next_back() {
                Some(Utf8Component::Normal(_)) => {
                    out.pop();
                }
                Some(Utf8Component::RootDir | Utf8Component::Prefix(_)) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    if out.as_str().is_empty() {
        ".".into()
    } else {
        out
    }
}

/// The path of `target` seen from `base` (Go's `filepath.Rel`); `None` when lexical reasoning cannot tell.
pub fn relative(base: &Utf8Path, target: &Utf8Path) -> Option<Utf8PathBuf> {
    let (base, target) = (clean(base), clean(target));
    if base.is_absolute() != target.is_absolute() {
        return None;
    }
    let skip_dot = |path: &Utf8Path| -> Vec<String> {
        path.components()
            .filter(|c| *c != Utf8Component::CurDir)
            .map(|c| c.as_str().to_owned())
            .collect()
    };
    let (base, target) = (skip_dot(&base), skip_dot(&target));
    let common = base.iter().zip(&target).take_while(|(a, b)| a == b).count();
    if base[common..].iter().any(|part| part == "..") {
        return None;
    }
    let mut out = Utf8PathBuf::new();
    (common..base.len()).for_each(|_| out.push(".."));
    target[common..].iter().for_each(|part| out.push(part));
    Some(if out.as_str().is_empty() {
        ".".into()
    } else {
        out
    })
}

#[cfg(test)]
mod tests;

//! Files of a tree against the bytes that they should hold.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::HashMap;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use steady_system::{Error, FileKind, Files, Walk};

/// The files below a directory by their names below it.
pub(super) struct Listed {
    root: Utf8PathBuf,
    kinds: HashMap<String, (FileKind, bool)>,
}

impl Listed {
    /// Lists a tree, links not followed.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn new(files: &Files, root: &Utf8Path) -> Result<Listed, Error> {
        let mut kinds = HashMap::new();
        let prefix = root.as_str().len() + 1;
        files.walk::<Error>(root, &mut |entry| {
            if entry.kind != FileKind::Dir
                && let Some(name) = entry.path.as_str().get(prefix..)
            {
                kinds.insert(name.to_owned(), (entry.kind, false));
            }
            Ok(Walk::Continue)
        })?;
        Ok(Listed {
            root: root.to_owned(),
            kinds,
        })
    }

    /// What a name is, which from now on is known to belong there.
    pub fn take(&mut self, name: &str) -> Option<FileKind> {
        let (kind, taken) = self.kinds.get_mut(name)?;
        *taken = true;
        Some(*kind)
    }

    /// Where a name is.
    pub fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    /// What nobody asked for.
    pub fn rest(&self) -> Vec<&str> {
        let rest = self.kinds.iter().filter(|(_, (_, taken))| !taken);
        let mut rest: Vec<&str> = rest.map(|(name, _)| name.as_str()).collect();
        rest.sort_unstable();
        rest
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }
}

/// What a file turned out to be.
pub(super) struct Seen {
    pub mode: u32,
    /// Number of its names.
    pub links: u64,
    /// Its size and hash if its contents are others.
    pub differs: Option<Difference>,
}

/// How a file's contents differ.
pub(super) struct Difference {
    pub size: u64,
    pub hash: [u8; 32],
    /// It is the beginning of what it should be.
    pub cut: bool,
}

/// Holds a regular file against the bytes that it should have.
///
/// # Errors
/// It cannot be read.
pub(super) fn compare(
    files: &Files,
    path: &Utf8Path,
    want: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<Seen, String> {
    let told = |error: std::io::Error| steady_system::describe_io(&error);
    let mut file = files.open(path).map_err(|error| error.to_string())?;
    let meta = file.metadata().map_err(told)?;
    let mut seen = Seen {
        mode: meta.permissions().mode() & 0o7777,
        links: meta.nlink(),
        differs: None,
    };
    if meta.len() == want.len() as u64 {
        if buffer.len() < want.len() {
            buffer.resize(want.len(), 0);
        }
        let target = &mut buffer[..want.len()];
        match file.read_exact(target) {
            Ok(()) if target == want => return Ok(seen),
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(told(error)),
        }
    }
    let bytes = files.read(path).map_err(|error| error.to_string())?;
    if bytes != want {
        seen.differs = Some(Difference {
            size: bytes.len() as u64,
            hash: super::sha256(&bytes),
            cut: want.starts_with(&bytes),
        });
    }
    Ok(seen)
}

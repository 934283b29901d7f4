//! Walking a tree in Go's order: a directory before what is in it, names sorted bytewise.

use camino::{Utf8Path, Utf8PathBuf};

use super::{FileKind, Files};
use crate::Result;

/// What a visitor wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Go on.
    Continue,
    /// Do not go into this directory; for a file: leave the rest of its directory out.
    SkipDir,
    /// End the walk.
    Stop,
}

/// One visited path.
#[derive(Clone, Debug)]
pub struct WalkEntry {
    /// The root joined with the names below it.
    pub path: Utf8PathBuf,
    /// Last element.
    pub name: String,
    /// Kind, links not followed.
    pub kind: FileKind,
}

impl Files {
    /// Visits `root` and everything below, links not followed. A directory that cannot be read is an error of the walk.
    pub fn walk<E: From<crate::Error>>(
        &self,
        root: impl AsRef<Utf8Path>,
        visit: &mut dyn FnMut(&WalkEntry) -> Result<Walk, E>,
    ) -> Result<(), E> {
        let root = root.as_ref();
        let kind = self.lstat(root)?.kind;
        let name = root.file_name().unwrap_or(root.as_str()).to_owned();
        self.walk_below(
            WalkEntry {
                path: root.to_owned(),
                name,
                kind,
            },
            visit,
        )?;
        Ok(())
    }

    fn walk_below<E: From<crate::Error>>(
        &self,
        entry: WalkEntry,
        visit: &mut dyn FnMut(&WalkEntry) -> Result<Walk, E>,
    ) -> Result<Walk, E> {
        let next = visit(&entry)?;
        if entry.kind != FileKind::Dir {
            return Ok(next);
        }
        match next {
            Walk::Continue => {}
            Walk::SkipDir => return Ok(Walk::Continue),
            Walk::Stop => return Ok(Walk::Stop),
        }
        for child in self.read_dir(&entry.path)? {
            let path = entry.path.join(&child.name);
            match self.walk_below(
                WalkEntry {
                    path,
                    name: child.name,
                    kind: child.kind,
                },
                visit,
            )? {
                Walk::Continue => {}
                Walk::SkipDir => break,
                Walk::Stop => return Ok(Walk::Stop),
            }
        }
        Ok(Walk::Continue)
    }
}

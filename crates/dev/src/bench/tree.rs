//! The tree that cases change: a clone of the one that was named, edits in it, another branch, and more clones.

#![allow(clippy::disallowed_methods)]

use anyhow::{Context as _, Result, bail};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The branch beside the one that is checked out.
const OTHER: &str = "bench-other";

/// A clone with all that is done to it.
pub struct WorkingCopy {
    /// Repository that is cloned from.
    origin: PathBuf,
    /// Where the tree lies in it.
    prefix: PathBuf,
    /// The clone.
    root: PathBuf,
    /// Where further clones go.
    clones: PathBuf,
    /// Number of the next edit or clone: none is ever like another, neither in this run nor in the next.
    serial: Cell<u64>,
}

fn git(dir: &Path, words: &[&str]) -> Result<String> {
    let output = Command::new("git").current_dir(dir).args(words).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("git {} in {}: {said}", words.join(" "), dir.display());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_string())
}

fn clone(origin: &Path, to: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(to);
    let (from, to) = (origin.display().to_string(), to.display().to_string());
    git(origin, &["clone", "--quiet", "--shared", &from, &to]).map(drop)
}

impl WorkingCopy {
    /// Clones the repository that the tree lies in.
    pub fn new(tree: &Path, work: &Path) -> Result<WorkingCopy> {
        let origin = PathBuf::from(git(tree, &["rev-parse", "--show-toplevel"])?);
        let prefix = PathBuf::from(git(tree, &["rev-parse", "--show-prefix"])?);
        let root = work.join("tree");
        clone(&origin, &root)?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        Ok(WorkingCopy {
            origin,
            prefix,
            root,
            clones: work.join("clones"),
            serial: Cell::new(u64::try_from(now.as_nanos())?),
        })
    }

    /// The tree in the clone.
    pub fn dir(&self) -> PathBuf {
        self.root.join(&self.prefix)
    }

    fn next(&self) -> u64 {
        let serial = self.serial.get();
        self.serial.set(serial + 1);
        serial
    }

    /// Gives each file a variable that no version of it had before.
    pub fn edit(&self, files: &[PathBuf]) -> Result<()> {
        for file in files {
            let name = file.display().to_string();
            let text = git(&self.dir(), &["show", &format!("HEAD:./{name}")])
                .with_context(|| name.clone())?;
            let line = format!("\n\nvar benchEdit = \"edit {}\"\n", self.next());
            fs::write(self.dir().join(file), text + &line)?;
        }
        Ok(())
    }

    /// Another branch on which the files differ.
    pub fn make_other(&self, files: &[PathBuf]) -> Result<()> {
        git(&self.root, &["checkout", "--quiet", "-B", OTHER])?;
        self.edit(files)?;
        let who = [
            "-c",
            "user.name=bench",
            "-c",
            "user.email=bench@example.com",
        ];
        let commit = ["commit", "--quiet", "--all", "-m", "the other branch"];
        git(&self.root, &[&who[..], &commit[..]].concat())?;
        self.back()
    }

    /// Checks out the other branch.
    pub fn other(&self) -> Result<()> {
        git(&self.root, &["checkout", "--quiet", "--force", OTHER]).map(drop)
    }

    /// Checks out what was checked out first, without edits.
    pub fn back(&self) -> Result<()> {
        let main = git(&self.root, &["rev-parse", "--abbrev-ref", "origin/HEAD"]);
        let main = main.unwrap_or_else(|_| "origin/HEAD".to_string());
        git(
            &self.root,
            &["checkout", "--quiet", "--force", "--detach", &main],
        )
        .map(drop)
    }

    /// A clone in a directory that never was one before. Those made earlier vanish.
    pub fn fresh(&self) -> Result<PathBuf> {
        let _ = fs::remove_dir_all(&self.clones);
        fs::create_dir_all(&self.clones)?;
        let to = self.clones.join(self.next().to_string());
        clone(&self.origin, &to)?;
        Ok(to.join(&self.prefix))
    }
}

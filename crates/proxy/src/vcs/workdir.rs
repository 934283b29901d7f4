//! Where a repository's local copy is, laid out as go lays it out:
//!
//! ```text
//! GOMODCACHE/cache/vcs/<sha256 of "type:url">       the copy
//!                      <...>.info                   "type:url", to see that it is the right one
//!                      <...>.lock                   held while it is changed
//! ```

use camino::Utf8PathBuf;
use ring::digest::{SHA256, digest};

use steady_system::lock;

use super::Tools;
use crate::{Error, Result};
use steady_module::hex;

/// A local copy's directory and lock file.
pub struct WorkDir {
    pub dir: Utf8PathBuf,
    pub lock: Utf8PathBuf,
}

impl WorkDir {
    /// The directory for a repository, made empty if it is not there or not complete.
    pub fn of(tools: &Tools, kind: &str, url: &str) -> Result<WorkDir> {
        let cache = &tools.config.gomodcache;
        if cache.as_str().is_empty() {
            return Err(Error::other("neither GOPATH nor GOMODCACHE are set"));
        }
        let (files, runner) = (&tools.files, &tools.runner);
        let key = format!("{kind}:{url}");
        let parent = cache.join("cache/vcs");
        let dir = parent.join(hex(digest(&SHA256, key.as_bytes()).as_ref()));
        let lock_file = Utf8PathBuf::from(format!("{dir}.lock"));
        let info = format!("{dir}.info");
        runner.trace(|| format!("mkdir -p {parent} # {kind} {url}"));
        files.create_dir_all(&parent)?;
        runner.trace(|| format!("# lock {lock_file}"));
        let _lock = lock::mutex(&lock_file).map_err(|error| {
            let text = "codehost.WorkDir: can't find or create lock file";
            Error::from(error).context(text)
        })?;
        if let Ok(have) = files.read_to_string(&info)
            && files.is_dir(&dir)
        {
            let have = have.trim_end_matches('\n');
            if have != key {
                return Err(Error::other(format!(
                    "{info} exists with wrong content (have {have:?} want {key:?})"
                )));
            }
            runner.trace(|| format!("# {dir} for {kind} {url}"));
        } else {
            runner.trace(|| format!("mkdir -p {dir} # {kind} {url}"));
            files.remove_all(&dir)?;
            files.create_dir_all(&dir)?;
            if let Err(error) = files.write_atomic(&info, key.as_bytes(), 0o666) {
                let _ = files.remove_all(&dir);
                return Err(error.into());
            }
        }
        Ok(WorkDir {
            dir,
            lock: lock_file,
        })
    }
}

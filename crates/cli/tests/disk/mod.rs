//! A disk that becomes full.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A file system that is mounted here, until this is dropped.
pub struct Small(pub PathBuf);

impl Small {
    /// One of so many kilobytes, if this user may make one.
    pub fn new(dir: PathBuf, kilobytes: usize) -> Option<Small> {
        fs::create_dir(&dir).unwrap();
        let size = format!("size={kilobytes}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "none"]).arg(&dir);
        match mount.stderr(Stdio::null()).status() {
            Ok(status) if status.success() => Some(Small(dir)),
            _ => {
                eprintln!("no file system can be mounted here: skipped");
                None
            }
        }
    }

    /// Makes it larger, in mount's words (`8m`).
    pub fn grow(&self, size: &str) {
        let mut remount = Command::new("mount");
        let options = format!("remount,size={size}");
        remount.args(["-o", &options]).arg(&self.0);
        assert!(remount.status().unwrap().success());
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

//! What a shell does with files.

use camino::{Utf8Path, Utf8PathBuf};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};

use steady_system::interrupt::{self, Guard};
use steady_system::{Files, describe_io, fault};

use super::{Done, Failure, Shell, lock};
use crate::quote::quote;

fn failure(operation: &str, path: &str, error: &io::Error) -> Failure {
    Failure::new(format!("{operation} {path}: {}", describe_io(error)))
}

impl Shell<'_> {
    /// Where a name as shown really lies: names such as that of `-o` may be relative.
    fn at(&self, path: &str) -> String {
        self.shared.config.cwd.join(path).into_string()
    }

    /// Makes a directory, once in a build.
    pub fn mkdir(&self, dir: &str) -> Done {
        if dir.is_empty() || !lock(&self.shared.made).insert(dir.to_owned()) {
            return Ok(());
        }
        self.shared.config.note_work();
        if self.shows() {
            self.show("", &format!("mkdir -p {dir}"));
            if self.dry() {
                return Ok(());
            }
        }
        fs::create_dir_all(self.at(dir))
            .map_err(|error| failure("mkdir", dir.trim_end_matches('/'), &error))
    }

    /// Writes a file as it is shown: one line with `echo`, more with `cat`.
    pub fn write_file(&self, path: &str, text: &[u8]) -> Done {
        self.shared.config.note_work();
        if self.shows() {
            let shown = String::from_utf8_lossy(text);
            let line = match shown.find('\n') {
                _ if text.is_empty() => format!("echo -n > {path} # internal"),
                Some(at) if at + 1 == shown.len() => {
                    format!("echo '{}' > {path} # internal", &shown[..at])
                }
                _ => format!("cat >{path} << 'EOF' # internal\n{shown}EOF"),
            };
            self.show("", &line);
            if self.dry() {
                return Ok(());
            }
        }
        File::create(path)
            .and_then(|mut file| file.write_all(text))
            .map_err(|error| failure("open", path, &error))
    }

    /// Copies a file over what stands at `to`, which must be an object file unless `force`.
    pub fn copy_file(&self, to: &str, from: &str, mode: u32, force: bool) -> Done {
        self.shared.config.note_work();
        if self.shows() {
            self.show("", &format!("cp {from} {to}"));
            if self.dry() {
                return Ok(());
            }
        }
        let (shown, to) = (to, &self.at(to));
        let mut source =
            File::open(self.at(from)).map_err(|error| failure("open", from, &error))?;
        check_overwrite(shown, to, force)?;
        let mut target = Target::open(to, mode).map_err(|error| {
            Failure::new(format!(
                "copying {from}: open {shown}: {}",
                describe_io(&error)
            ))
        })?;
        let size = source.metadata().map_or(0, |meta| meta.len());
        fault::step_copy(&mut source, &mut target.file, size);
        let copied = io::copy(&mut source, &mut target.file);
        copied.and_then(|_| target.finish()).map_err(|error| {
            Failure::new(format!(
                "copying {from} to {shown}: {}",
                describe_io(&error)
            ))
        })
    }

    /// Makes a symbolic link that leads to `to`.
    pub fn symlink(&self, link: &str, to: &str) -> Done {
        self.shared.config.note_work();
        if self.shows() {
            self.show("", &format!("ln -s {to} {link}"));
            if self.dry() {
                return Ok(());
            }
        }
        std::os::unix::fs::symlink(to, link).map_err(|error| failure("symlink", link, &error))
    }

    /// Moves a result to its place, or copies it where moving would be wrong.
    pub fn move_or_copy(&self, to: &str, from: &str, mode: u32, force: bool) -> Done {
        self.shared.config.note_work();
        if self.dry() {
            self.show("", &format!("mv {from} {to}"));
            return Ok(());
        }
        let (real_from, real_to) = (&self.at(from), &self.at(to));
        check_overwrite(to, real_to, force)?;
        if self.is_in_cache(Utf8Path::new(from)) || parent_sets_group(real_to) {
            return self.copy_file(to, from, mode, force);
        }
        let mode_here = mode_under_umask(real_to, mode).unwrap_or(mode);
        fault::step();
        let moved = fs::set_permissions(real_from, fs::Permissions::from_mode(mode_here))
            .and_then(|()| fs::rename(real_from, real_to));
        if moved.is_ok() {
            if self.shared.config.flags.x {
                self.show("", &format!("mv {from} {to}"));
            }
            return Ok(());
        }
        self.copy_file(to, from, mode, force)
    }

    /// Removes a directory and all in it.
    pub fn remove_all(&self, path: &str) {
        let known = lock(&self.shared.made).contains(path);
        if self.shows() && (known || Utf8Path::new(path).exists()) {
            self.show("", &format!("rm -rf {path}"));
        }
        if !self.dry() {
            // What stays behind goes with the work directory.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// What a copy is written to. A torn copy of a program has its build id already and would count as the program, so it gets its name
/// only when it is whole, wherever that can be done.
struct Target<'a> {
    to: &'a str,
    file: File,
    /// What is being written: a neighbour, until it is whole, or the file itself. Gone with this if it does not become whole.
    written: Utf8PathBuf,
    /// Removes the neighbour when a signal ends the run.
    guard: Option<Guard>,
    is_whole: bool,
}

impl<'a> Target<'a> {
    fn open(to: &'a str, mode: u32) -> io::Result<Target<'a>> {
        // A device is written to, and a link followed.
        let is_other = fs::symlink_metadata(to).is_ok_and(|meta| !meta.is_file());
        let beside = || Files::new(Utf8Path::new("/")).create_beside(to, mode).ok();
        let (file, written, guard) = match (!is_other).then(beside).flatten() {
            Some((file, name)) => {
                let guard = interrupt::remove_on_exit(&name);
                (file, name, Some(guard))
            }
            None => {
                // The directory lets nothing new in, but the file may be one that can be written.
                remove_regular(to);
                let mut options = File::options();
                options.write(true).create(true).truncate(true).mode(mode);
                (options.open(to)?, to.into(), None)
            }
        };
        Ok(Target {
            to,
            file,
            written,
            guard,
            is_whole: false,
        })
    }

    fn finish(mut self) -> io::Result<()> {
        if self.guard.is_some() {
            fault::step();
            fs::rename(&self.written, self.to)?;
        }
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            remove_regular(self.written.as_str());
        }
    }
}

/// The mode that a new file in the same directory would get: what the umask leaves of it, found by trying.
fn mode_under_umask(to: &str, mode: u32) -> Option<u32> {
    let probe = format!("{to}-go-tmp-umask");
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&probe)
        .ok()?;
    let found = file
        .metadata()
        .ok()
        .map(|meta| meta.permissions().mode() & 0o777);
    let _ = fs::remove_file(&probe);
    found
}

fn parent_sets_group(to: &str) -> bool {
    let parent = match Utf8Path::new(to).parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    parent
        .as_std_path()
        .metadata()
        .is_ok_and(|meta| meta.is_dir() && meta.permissions().mode() & 0o2000 != 0)
}

fn remove_regular(path: &str) {
    if fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return; // a device, say
    }
    let _ = fs::remove_file(path);
}

/// Refuses to overwrite directories, and files that are not what a build puts out.
fn check_overwrite(shown: &str, to: &str, force: bool) -> Done {
    let Ok(meta) = Utf8Path::new(to).as_std_path().metadata() else {
        return Ok(());
    };
    if meta.is_dir() {
        return Err(Failure::new(format!(
            "build output {} already exists and is a directory",
            quote(shown)
        )));
    }
    if !force && meta.is_file() && meta.len() != 0 && !is_object(to) {
        return Err(Failure::new(format!(
            "build output {} already exists and is not an object file",
            quote(shown)
        )));
    }
    Ok(())
}

/// How archives, programs and object files of all platforms begin.
const OBJECT_MAGIC: &[&[u8]] = &[
    b"!<arch>\n",
    b"<bigaf>\n",
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"MZ\x90\0\x03\0",
    b"MZ\x78\0\x01\0",
    b"\0\0\x01\xeb",
    b"\0\0\x8a\x97",
    b"\0\0\x06\x47",
    b"\0asm",
    b"\x01\xdf",
    b"\x01\xf7",
];

fn is_object(path: &str) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut head));
    read.is_ok() && OBJECT_MAGIC.iter().any(|magic| head.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overwrites_only_objects() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x").to_str().unwrap().to_owned();
        assert!(check_overwrite("x", &path, false).is_ok());
        for (content, allowed) in [("", true), ("text", false), ("\x7fELF....", true)] {
            File::create(&path)
                .unwrap()
                .write_all(content.as_bytes())
                .unwrap();
            assert_eq!(
                check_overwrite("x", &path, false).is_ok(),
                allowed,
                "{content:?}"
            );
            assert!(check_overwrite("x", &path, true).is_ok());
        }
        let error = check_overwrite("x", dir.path().to_str().unwrap(), true).unwrap_err();
        assert!(error.text.ends_with("already exists and is a directory"));
    }
}

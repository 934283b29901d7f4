//! Environment and files until the crate `system` has them.
#![allow(clippy::disallowed_methods, missing_docs)]

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::io;

#[derive(Debug, Clone, Default)]
pub struct Environment {
    arguments: Vec<String>,
    variables: BTreeMap<String, String>,
    cwd: Utf8PathBuf,
    exe: Option<Utf8PathBuf>,
}

#[derive(Debug, thiserror::Error)]
#[error("{op} {path}: {text}")]
pub struct FileError {
    op: &'static str,
    path: Utf8PathBuf,
    text: String,
    kind: io::ErrorKind,
}

impl FileError {
    pub fn is_not_found(&self) -> bool {
        self.kind == io::ErrorKind::NotFound
    }
}

fn fail(op: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |error| FileError {
        op,
        path,
        text: match error.kind() {
            io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            io::ErrorKind::NotADirectory => "not a directory".to_owned(),
            _ => error.to_string(),
        },
        kind: error.kind(),
    }
}

impl Environment {
    pub fn capture() -> Result<Environment, FileError> {
        let cwd = std::env::current_dir().map_err(fail("getwd", Utf8Path::new(".")))?;
        Ok(Environment {
            arguments: std::env::args_os()
                .map(|a| a.to_string_lossy().into_owned())
                .collect(),
            variables: std::env::vars_os()
                .map(|(k, v)| {
                    (
                        k.to_string_lossy().into_owned(),
                        v.to_string_lossy().into_owned(),
                    )
                })
                .collect(),
            cwd: Utf8PathBuf::from(cwd.to_string_lossy().into_owned()),
            exe: std::env::current_exe()
                .ok()
                .and_then(|p| Utf8PathBuf::from_path_buf(p).ok()),
        })
    }
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }
    pub fn exe(&self) -> Option<&Utf8Path> {
        self.exe.as_deref()
    }
    pub fn absolute(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.cwd.join(path)
    }
    pub fn change_dir(&mut self, dir: &str) -> Result<(), FileError> {
        let to = self.cwd.join(dir);
        std::env::set_current_dir(&to).map_err(fail("chdir", Utf8Path::new(dir)))?;
        self.cwd = to;
        Ok(())
    }
    pub fn find_program(&self, name: &str) -> Option<Utf8PathBuf> {
        let path = self.get("PATH")?;
        std::env::split_paths(path)
            .filter_map(|dir| Utf8PathBuf::from_path_buf(dir.join(name)).ok())
            .find(|p| p.is_file())
    }
    pub fn files(&self) -> Files {
        Files::new()
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Files;

impl Files {
    pub fn new() -> Files {
        Files
    }
    pub fn read_to_string(&self, path: &Utf8Path) -> Result<String, FileError> {
        std::fs::read_to_string(path).map_err(fail("open", path))
    }
    pub fn is_dir(&self, path: &Utf8Path) -> bool {
        path.is_dir()
    }
    pub fn canonicalize(&self, path: &Utf8Path) -> Result<Utf8PathBuf, FileError> {
        path.canonicalize_utf8().map_err(fail("lstat", path))
    }
    pub fn create_dir_all(&self, path: &Utf8Path) -> Result<(), FileError> {
        std::fs::create_dir_all(path).map_err(fail("mkdir", path))
    }
    pub fn write(&self, path: &Utf8Path, data: &[u8]) -> Result<(), FileError> {
        std::fs::write(path, data).map_err(fail("open", path))
    }
    pub fn metadata(&self, path: &Utf8Path) -> Result<std::fs::Metadata, FileError> {
        std::fs::metadata(path).map_err(fail("stat", path))
    }
    pub fn symlink_metadata(&self, path: &Utf8Path) -> Result<std::fs::Metadata, FileError> {
        path.symlink_metadata().map_err(fail("lstat", path))
    }
    pub fn read_dir(&self, path: &Utf8Path) -> Result<Vec<String>, FileError> {
        let entries = path.read_dir_utf8().map_err(fail("open", path))?;
        Ok(entries
            .flatten()
            .map(|e| e.file_name().to_owned())
            .collect())
    }
}

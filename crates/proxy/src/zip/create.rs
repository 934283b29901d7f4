//! Making a module zip from files. The bytes of the zip are ours; its h1, which is what counts, is that of any other.

use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;

use steady_module::ModuleVersion;
use steady_system::{FileKind, Files, Walk};

use super::check::{check_version, is_vendored, language_of};
use super::{Archive, Entry, FileError, check_files};
use crate::{Error, Result};

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub enum Content {
    /// On disk.
    File(Files, Utf8PathBuf),
    /// In another archive.
    Entry(Arc<Archive>, Entry),
    /// Here.
    Bytes(Vec<u8>),
}

impl Content {
    pub(super) fn read(&self) -> Result<Vec<u8>> {
        match self {
            Content::File(files, path) => Ok(files.read(path)?),
            Content::Entry(archive, entry) => archive
                .read(entry)
                .map_err(|error| Error::other(steady_system::describe_io(&error))),
            Content::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}

/// A file that may go into a zip.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path below the module's root, with slashes.
    pub path: String,
    /// What it is; only regular files go in.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// The bytes.
    pub content: Content,
}

/// Writes the zip of a module: the files that belong in, in the order given.
///
/// # Errors
/// `create zip: ...` for files that may not be there.
pub fn create(out: &mut dyn Write, module: &ModuleVersion, files: &[SourceFile]) -> Result<()> {
    write_zip(out, module, files).map_err(|error| error.context("create zip"))
}

fn write_zip(out: &mut dyn Write, module: &ModuleVersion, files: &[SourceFile]) -> Result<()> {
    check_version(module)?;
    let checked = check_files(files);
    if let Some(error) = checked.error() {
        return Err(error);
    }
    let valid: HashSet<&str> = checked.valid.iter().map(String::as_str).collect();
    let fits = |file: &&SourceFile| valid.contains(file.path.as_str());
    write_entries(out, &module.to_string(), files.iter().filter(fits))
}

/// Writes a zip of regular files below `prefix`, whatever their names are.
pub(crate) fn write_plain(out: &mut dyn Write, prefix: &str, files: &[SourceFile]) -> Result<()> {
    let regular = files.iter().filter(|file| file.kind == FileKind::File);
    write_entries(out, prefix, regular)
}

fn write_entries<'a>(
    out: &mut dyn Write,
    prefix: &str,
    files: impl Iterator<Item = &'a SourceFile>,
) -> Result<()> {
    let mut writer = Writer {
        out,
        offset: 0,
        central: Vec::new(),
        count: 0,
    };
    for file in files {
        let bytes = file.content.read()?;
        if bytes.len() as u64 > file.size {
            return Err(Error::other(format!(
                "file {:?} is larger than declared size",
                file.path
            )));
        }
        writer.add(&format!("{prefix}/{}", file.path), &bytes)?;
    }
    writer.finish()
}

/// [`create`] from the files of a directory.
pub fn create_from_dir(
    out: &mut dyn Write,
    module: &ModuleVersion,
    files: &Files,
    dir: &Utf8Path,
) -> Result<()> {
    let made = files_in_dir(files, dir).and_then(|(list, _)| write_zip(out, module, &list));
    made.map_err(|error| error.context(format!("create zip from directory {dir}")))
}

/// The files of a module in a directory, and those that are left out from the start: vendored packages, repositories, other
/// modules, what is no regular file.
pub fn files_in_dir(files: &Files, dir: &Utf8Path) -> Result<(Vec<SourceFile>, Vec<FileError>)> {
    let language = files
        .read(dir.join("go.mod"))
        .map(|text| language_of(&text))
        .unwrap_or_default();
    let (mut found, mut omitted) = (Vec::new(), Vec::new());
    files.walk::<Error>(dir, &mut |entry| {
        let Some(name) = entry
            .path
            .strip_prefix(dir)
            .ok()
            .map(Utf8Path::as_str)
            .filter(|name| !name.is_empty())
        else {
            return Ok(Walk::Continue);
        };
        let mut omit = |reason: &str| {
            omitted.push(FileError {
                path: name.to_owned(),
                reason: reason.to_owned(),
            })
        };
        if is_vendored(name, &language) {
            omit("file is in vendor directory");
            return Ok(Walk::Continue);
        }
        if entry.kind == FileKind::Dir {
            if matches!(entry.name.as_str(), ".bzr" | ".git" | ".hg" | ".svn") {
                omit("directory is a version control repository");
                return Ok(Walk::SkipDir);
            }
            if files
                .lstat(entry.path.join("go.mod"))
                .is_ok_and(|meta| !meta.is_dir())
            {
                omit("directory is in another module");
                return Ok(Walk::SkipDir);
            }
            return Ok(Walk::Continue);
        }
        if entry.kind != FileKind::File {
            omit("not a regular file");
            return Ok(Walk::Continue);
        }
        let size = files.lstat(&entry.path)?.size;
        let content = Content::File(files.clone(), entry.path.clone());
        found.push(SourceFile {
            path: name.to_owned(),
            kind: FileKind::File,
            size,
            content,
        });
        Ok(Walk::Continue)
    })?;
    Ok((found, omitted))
}

/// Writes an archive front to back.
struct Writer<'a> {
    out: &'a mut dyn Write,
    offset: u64,
    central: Vec<u8>,
    count: u64,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(|error| {
            Error::other(format!("write zip: {}", steady_system::describe_io(&error)))
        })?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut encoder = DeflateEncoder::new(
            Vec::with_capacity(bytes.len() / 3 + 64),
            Compression::default(),
        );
        let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| Error::other(error.to_string()))?;
        let mut middle = Vec::with_capacity(26);
        // Version needed, UTF-8 names, deflate, no time; the sizes fit: the whole is below 500 MiB.
        for value in [20u16, 0x800, 8, 0, 0] {
            middle.extend(value.to_le_bytes());
        }
        for value in [crc.sum(), narrow(packed.len())?, narrow(bytes.len())?] {
            middle.extend(value.to_le_bytes());
        }
        let name_len = u16::try_from(name.len())
            .map_err(|_| Error::other(format!("file name too long: {name}")))?;
        middle.extend(name_len.to_le_bytes());
        middle.extend(0u16.to_le_bytes());
        let offset = narrow(self.offset)?;
        self.central.extend(b"PK\x01\x02\x14\x00");
        self.central.extend(&middle);
        self.central.extend([0; 10]);
        self.central.extend(offset.to_le_bytes());
        self.central.extend(name.as_bytes());
        self.count += 1;
        self.put(&[b"PK\x03\x04".as_slice(), &middle, name.as_bytes()].concat())?;
        self.put(&packed)
    }

    fn finish(mut self) -> Result<()> {
        let (start, central) = (self.offset, std::mem::take(&mut self.central));
        self.put(&central)?;
        let many = self.count > 0xfffe;
        if many {
            let end = self.offset;
            let mut record = b"PK\x06\x06".to_vec();
            record.extend(44u64.to_le_bytes());
            record.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for value in [self.count, self.count, central.len() as u64, start] {
                record.extend(value.to_le_bytes());
            }
            record.extend(b"PK\x06\x07\0\0\0\0");
            record.extend(end.to_le_bytes());
            record.extend(1u32.to_le_bytes());
            self.put(&record)?;
        }
        let count = if many {
            0xffff
        } else {
            u16::try_from(self.count).unwrap_or(0xffff)
        };
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend(count.to_le_bytes());
        end.extend(count.to_le_bytes());
        end.extend(narrow(central.len())?.to_le_bytes());
        end.extend(narrow(start)?.to_le_bytes());
        end.extend([0, 0]);
        self.put(&end)
    }
}

fn narrow(value: impl TryInto<u32>) -> Result<u32> {
    value
        .try_into()
        .map_err(|_| Error::other("zip larger than 4 GiB"))
}

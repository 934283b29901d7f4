//! A version's zip: the program's own archive of the directory, turned into a module zip.

use std::sync::Arc;

use steady_module::ModuleVersion;
use steady_system::temp::TempDir;
use steady_system::{FileKind, describe_io};

use super::module::CodeRepo;
use crate::error::Kind;
use crate::zip::{Archive, Content, MAX_LICENSE, MAX_ZIP_FILE, SourceFile, create};
use crate::{Error, Result, TooNew, ZipSink};

impl CodeRepo {
    pub(super) fn write_zip(&self, mut sink: &mut dyn ZipSink, version: &str) -> Result<()> {
        let place = self.place(version)?;
        if let Some(go_mod) = &place.go_mod {
            self.check_go(version, go_mod)?;
        }
        let files = &self.tools.files;
        let temp = TempDir::new(self.tools.runner.environment(), "go-codehost-")?;
        let file = temp.path().join("archive.zip");
        self.host.read_zip(&place.rev, &place.dir, &file)?;
        if files.stat(&file)?.size > MAX_ZIP_FILE {
            return Err(Error::other("downloaded zip file too large"));
        }
        let archive = Archive::open(files.open(&file)?);
        let archive = Arc::new(archive.map_err(|error| Error::other(describe_io(&error)))?);
        let mut sources = sources(&archive, &place.dir)?;
        // One license for the whole repository serves each of its modules.
        if !place.dir.is_empty()
            && !sources.iter().any(|file| file.path == "LICENSE")
            && let Ok(bytes) = self.host.read_file(&place.rev, "LICENSE")
            && bytes.len() as u64 <= MAX_LICENSE
        {
            sources.push(SourceFile {
                path: "LICENSE".to_owned(),
                kind: FileKind::File,
                size: bytes.len() as u64,
                content: Content::Bytes(bytes),
            });
        }
        create(
            &mut sink,
            &ModuleVersion::new(&self.path, version),
            &sources,
        )
    }

    /// A go.mod for a newer Go may mean things that this one does not know.
    fn check_go(&self, version: &str, go_mod: &[u8]) -> Result<()> {
        let config = &self.tools.config;
        let go = crate::toolchain::go_mod_lookup(go_mod, "go");
        if steady_module::gover::compare(&go, &config.go_version).is_le() {
            return Ok(());
        }
        Err(Kind::TooNew(TooNew {
            what: format!("{}@{version}", self.path),
            go_version: go,
            toolchain: String::new(),
            running: config.go_version.clone(),
            explain: config.toolchain_explain.clone(),
        })
        .into())
    }
}

/// The files of `dir` in an archive whose entries are all below one directory.
fn sources(archive: &Arc<Archive>, dir: &str) -> Result<Vec<SourceFile>> {
    let mut top: Option<&str> = None;
    let mut sources = Vec::with_capacity(archive.entries().len());
    let below = if dir.is_empty() {
        String::new()
    } else {
        format!("{}/", dir.trim_matches('/'))
    };
    for entry in archive.entries() {
        let top = match top {
            Some(top) => top,
            None => {
                let end = entry.name.find('/');
                let end = end.ok_or_else(|| Error::other("missing top-level directory prefix"))?;
                top.insert(&entry.name[..=end])
            }
        };
        let Some(name) = entry.name.strip_prefix(top) else {
            let text = "zip file contains more than one top-level directory";
            return Err(Error::other(text));
        };
        let Some(name) = name.strip_prefix(below.as_str()) else {
            continue;
        };
        if name.is_empty() || name.ends_with('/') {
            continue;
        }
        sources.push(SourceFile {
            path: name.to_owned(),
            kind: entry.kind,
            size: entry.size,
            content: Content::Entry(Arc::clone(archive), entry.clone()),
        });
    }
    Ok(sources)
}

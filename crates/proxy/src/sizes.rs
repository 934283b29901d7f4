//! How much of the disk each module takes in the module cache.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};
use steady_module::path::{unescape_path, unescape_version};
use steady_system::{FileKind, Files};

/// What one module takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModuleSize {
    /// Versions that are there, downloaded or unpacked.
    pub versions: BTreeSet<String>,
    /// Bytes on disk of downloads and unpacked directories.
    pub size: u64,
}

/// What a module cache takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// By module path.
    pub modules: BTreeMap<String, ModuleSize>,
    /// Bytes of local copies of repositories.
    pub repositories: u64,
    /// Bytes of everything else.
    pub other: u64,
}

impl Sizes {
    /// Looks at every file of a module cache. What cannot be read counts nothing.
    #[must_use]
    pub fn of(files: &Files, gomodcache: &Utf8Path) -> Sizes {
        let mut sizes = Sizes::default();
        let survey = Survey { files, gomodcache };
        survey.unpacked("", &mut sizes);
        survey.downloads("", &mut sizes);
        sizes.repositories = survey.below(&gomodcache.join("cache/vcs"));
        sizes
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> u64 {
        let modules: u64 = self.modules.values().map(|module| module.size).sum();
        modules + self.repositories + self.other
    }

    fn add(&mut self, path: &str, version: Option<&str>, size: u64) {
        let Ok(path) = unescape_path(path) else {
            self.other += size;
            return;
        };
        let module = self.modules.entry(path).or_default();
        module.size += size;
        let version = version.and_then(|version| unescape_version(version).ok());
        module.versions.extend(version);
    }
}

struct Survey<'a> {
    files: &'a Files,
    gomodcache: &'a Utf8Path,
}

/// A path below a directory that may be the root, which has no name.
fn joined(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

impl Survey<'_> {
    fn on_disk(&self, path: &Utf8Path) -> u64 {
        self.files.lstat(path).map_or(0, |meta| meta.on_disk)
    }

    /// Bytes on disk of a file or a directory with all that is in it.
    fn below(&self, path: &Utf8Path) -> u64 {
        let Ok(meta) = self.files.lstat(path) else {
            return 0;
        };
        let mut size = meta.on_disk;
        if meta.kind == FileKind::Dir {
            let entries = self.files.read_dir(path).unwrap_or_default();
            size += entries
                .iter()
                .map(|entry| self.below(&path.join(&entry.name)))
                .sum::<u64>();
        }
        size
    }

    /// Directories `path@version`.
    fn unpacked(&self, dir: &str, sizes: &mut Sizes) {
        let place = self.gomodcache.join(dir);
        for entry in self.files.read_dir(&place).unwrap_or_default() {
            let inner = joined(dir, &entry.name);
            let path = place.join(&entry.name);
            match inner.rsplit_once('@') {
                _ if inner == "cache" => {}
                Some((module, version)) if entry.kind == FileKind::Dir => {
                    sizes.add(module, Some(version), self.below(&path));
                }
                None if entry.kind == FileKind::Dir => {
                    sizes.other += self.on_disk(&path);
                    self.unpacked(&inner, sizes);
                }
                _ => sizes.other += self.on_disk(&path),
            }
        }
    }

    /// Directories `cache/download/path/@v`.
    fn downloads(&self, dir: &str, sizes: &mut Sizes) {
        let place: Utf8PathBuf = self.gomodcache.join("cache/download").join(dir);
        for entry in self.files.read_dir(&place).unwrap_or_default() {
            let path = place.join(&entry.name);
            match (entry.kind, entry.name.as_str()) {
                (FileKind::Dir, "@v") => {
                    for file in self.files.read_dir(&path).unwrap_or_default() {
                        let version = file.name.strip_suffix(".zip");
                        sizes.add(dir, version, self.below(&path.join(&file.name)));
                    }
                }
                (FileKind::Dir, "sumdb") if dir.is_empty() => sizes.other += self.below(&path),
                (FileKind::Dir, name) => {
                    sizes.other += self.on_disk(&path);
                    self.downloads(&joined(dir, name), sizes);
                }
                _ => sizes.other += self.on_disk(&path),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_where_they_lie() {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(temp.path()).unwrap();
        let files = Files::new(root);
        let write = |name: &str, size: usize| {
            files
                .create_dir_all(root.join(name).parent().unwrap())
                .unwrap();
            files
                .write(root.join(name), &vec![b'x'; size], 0o644)
                .unwrap();
        };
        write("example.com/!upper/m@v1.0.0/sub/a.go", 100_000);
        write("example.com/!upper/m@v1.1.0/a.go", 10);
        write("cache/download/example.com/!upper/m/@v/v1.0.0.zip", 50_000);
        write("cache/download/example.com/other/@v/v2.0.0.mod", 10);
        write("cache/download/sumdb/db/tile/1", 10);
        write("cache/vcs/0123/packed", 70_000);
        write("cache/lock", 0);
        let sizes = Sizes::of(&files, root);
        let paths: Vec<&str> = sizes.modules.keys().map(String::as_str).collect();
        assert_eq!(paths, ["example.com/Upper/m", "example.com/other"]);
        let module = &sizes.modules["example.com/Upper/m"];
        let versions: Vec<&str> = module.versions.iter().map(String::as_str).collect();
        assert_eq!(versions, ["v1.0.0", "v1.1.0"]);
        assert!(module.size >= 150_000, "{}", module.size);
        assert!(sizes.repositories >= 70_000);
        assert!(sizes.total() >= 220_000);
        assert!(sizes.modules["example.com/other"].versions.is_empty());
    }
}

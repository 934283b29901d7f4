//! The module cache on disk, as the go command lays it out.
//!
//! ```text
//! GOMODCACHE/cache/lock                                     held while go.sum is written
//! GOMODCACHE/cache/download/<escaped path>/@v/list          versions with a .mod here
//!                                            <version>.info  RevInfo as JSON
//!                                            <version>.mod   go.mod
//!                                            <version>.zip   the zip, verified before it had this name
//!                                            <version>.ziphash its h1, written after verification
//!                                            <version>.lock  held while zip or directory are made
//!                                            <version>.partial there while the directory is being extracted
//! GOMODCACHE/<escaped path>@<version>/                       the files, 0444, directories 0555
//! ```

use camino::{Utf8Path, Utf8PathBuf};
use std::sync::OnceLock;

use steady_module::{ModuleVersion, gover, path, pseudo, semver};
use steady_system::Files;
use steady_system::lock::{self, LockedFile};

use crate::error::Kind;
use crate::{Error, Result, RevInfo};

/// The module cache of a run.
pub struct Cache {
    root: Utf8PathBuf,
    files: Files,
    checked: OnceLock<Result<()>>,
}

/// The first line of go.mod files that an early go made up; they count as not there.
const OLD_PREFIX: &[u8] = b"//vgo 0.0.";

impl Cache {
    /// Touches nothing yet.
    pub fn new(root: &Utf8Path, files: Files) -> Cache {
        Cache {
            root: root.to_owned(),
            files,
            checked: OnceLock::new(),
        }
    }

    /// Makes sure that the cache's directory can be used, once.
    pub fn check(&self) -> Result<()> {
        let check = || {
            let root = &self.root;
            let refuse = |text: String| Err(Kind::NoCache(text).into());
            let failed = |why: String| refuse(format!("could not create module cache: {why}"));
            if root.as_str().is_empty() {
                let text = "module cache not found: neither GOMODCACHE nor GOPATH is set";
                return refuse(text.to_owned());
            }
            if !root.is_absolute() {
                return refuse(format!(
                    "GOMODCACHE entry is relative; must be absolute path: {:?}.\n",
                    root.as_str()
                ));
            }
            match self.files.stat(root) {
                Ok(meta) if meta.is_dir() => Ok(()),
                Ok(_) => failed(format!("{:?} is not a directory", root.as_str())),
                Err(error) if error.is_not_found() => match self.files.create_dir_all(root) {
                    Err(error) => failed(error.to_string()),
                    Ok(()) => Ok(()),
                },
                Err(error) => failed(error.to_string()),
            }
        };
        self.checked.get_or_init(check).clone()
    }

    /// The `@v` directory of a module.
    pub fn module_dir(&self, module_path: &str) -> Result<Utf8PathBuf> {
        self.check()?;
        Ok(self
            .root
            .join("cache/download")
            .join(path::escape_path(module_path)?)
            .join("@v"))
    }

    fn escaped_version(module: &ModuleVersion) -> Result<String> {
        let ModuleVersion {
            path: module_path,
            version,
        } = module;
        if gover::is_toolchain(module_path) {
            return Err(Error::other(
                "internal error: invalid operation on toolchain module",
            ));
        }
        if !semver::is_valid(version) {
            return Err(Error::other(format!(
                "non-semver module version {version:?}"
            )));
        }
        if path::canonical_version(version) != *version {
            return Err(Error::other(format!(
                "non-canonical module version {version:?}"
            )));
        }
        Ok(path::escape_version(version)?)
    }

    /// The file of a version: `info`, `mod`, `zip`, `ziphash`, `lock`, `partial`.
    pub fn path(&self, module: &ModuleVersion, suffix: &str) -> Result<Utf8PathBuf> {
        let version = Cache::escaped_version(module)?;
        Ok(self
            .module_dir(&module.path)?
            .join(format!("{version}.{suffix}")))
    }

    /// The directory of a version's files, there or not.
    pub fn extracted_dir(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        let version = Cache::escaped_version(module)?;
        self.check()?;
        Ok(self
            .root
            .join(format!("{}@{version}", path::escape_path(&module.path)?)))
    }

    /// The directory of a version's files if it is complete. "Does not exist" comes as [`Kind::System`] if there is nothing, as
    /// [`Kind::Partial`] if there is something to be cleared away.
    pub fn complete_dir(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        let dir = self.extracted_dir(module)?;
        let partial = |reason: &str| {
            Error::from(Kind::Partial {
                dir: dir.clone(),
                reason: reason.to_owned(),
            })
        };
        match self.files.stat(&dir) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Err(partial("not a directory")),
            Err(error) if error.is_not_found() => return Err(error.into()),
            Err(error) => return Err(partial(&error.to_string())),
        }
        match self.files.stat(self.path(module, "partial")?) {
            Ok(_) => return Err(partial("not completely extracted")),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        // The one module that is unpacked from the distribution and not downloaded.
        if module.path == "golang.org/fips140" {
            return Ok(dir);
        }
        match self.files.stat(self.path(module, "ziphash")?) {
            Ok(_) => Ok(dir),
            Err(error) if error.is_not_found() => Err(partial("ziphash file is missing")),
            Err(error) => Err(error.into()),
        }
    }

    /// The lock under which a version's zip and directory are made.
    pub fn lock_version(&self, module: &ModuleVersion) -> Result<LockedFile> {
        let path = self.path(module, "lock")?;
        self.make_parent(&path)?;
        Ok(lock::mutex(&path)?)
    }

    /// The lock under which old go commands wrote go.sum.
    pub fn side_lock(&self) -> Result<LockedFile> {
        self.check()?;
        let path = self.root.join("cache/lock");
        self.make_parent(&path)
            .map_err(|error| error.context("failed to create cache directory"))?;
        Ok(lock::mutex(&path)?)
    }

    fn make_parent(&self, path: &Utf8Path) -> Result<()> {
        match path.parent() {
            Some(parent) if !self.files.is_dir(parent) => Ok(self.files.create_dir_all(parent)?),
            _ => Ok(()),
        }
    }

    fn read(&self, module_path: &str, rev: &str, suffix: &str) -> Option<Vec<u8>> {
        let file = self
            .path(&ModuleVersion::new(module_path, rev), suffix)
            .ok()?;
        self.files.read(file).ok()
    }

    /// What `rev` is, if it is a version that was looked up before. `offline`: commit hashes are looked for among the
    /// pseudo-versions that are there (only then: with a network a tag may have come since).
    pub fn read_info(&self, module_path: &str, rev: &str, offline: bool) -> Option<RevInfo> {
        let parse = |bytes: Vec<u8>| serde_json::from_slice(&bytes).ok();
        match self.read(module_path, rev, "info") {
            // One that tells of another version is damaged, as is one that cannot be read: it is fetched again.
            Some(bytes) => parse(bytes).filter(|info: &RevInfo| info.version == rev),
            None if offline => self
                .pseudo_version_of(module_path, rev)
                .and_then(|v| parse(self.read(module_path, &v, "info")?)),
            None => None,
        }
    }

    fn pseudo_version_of(&self, module_path: &str, rev: &str) -> Option<String> {
        if rev.len() < 12
            || !rev
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return None;
        }
        let suffix = format!("-{}.info", &rev[..12]);
        let entries = self
            .files
            .read_dir(self.module_dir(module_path).ok()?)
            .ok()?;
        let found = entries.iter().filter(|entry| entry.name.ends_with(&suffix));
        let versions = found
            .filter_map(|entry| entry.name.strip_suffix(".info"))
            .filter(|v| pseudo::is_pseudo_version(v));
        versions
            .max_by(|a, b| semver::compare(a, b))
            .map(str::to_owned)
    }

    /// Keeps what a version is. Of its origin only what is true of a fixed version.
    pub fn write_info(&self, module_path: &str, info: &RevInfo) -> Result<()> {
        let Ok(file) = self.path(&ModuleVersion::new(module_path, &*info.version), "info") else {
            return Ok(());
        };
        let mut info = info.clone();
        if let Some(origin) = &mut info.origin {
            origin.tag_sum.clear();
            origin.tag_prefix.clear();
            origin.repo_sum.clear();
            if pseudo::is_pseudo_version(&info.version) {
                origin.ref_name.clear();
            }
        }
        let json = serde_json::to_string(&info).map_err(|error| Error::other(error.to_string()))?;
        // Go's encoder writes these so, and both write the same files.
        let json = json
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026");
        self.write(&file, json.as_bytes())
    }

    /// A version's go.mod, unchecked.
    pub fn read_mod(&self, module_path: &str, version: &str) -> Option<Vec<u8>> {
        self.read(module_path, version, "mod")
            .filter(|bytes| !bytes.starts_with(OLD_PREFIX))
    }

    /// Keeps a version's go.mod and lists the version.
    pub fn write_mod(&self, module_path: &str, version: &str, bytes: &[u8]) -> Result<()> {
        let Ok(file) = self.path(&ModuleVersion::new(module_path, version), "mod") else {
            return Ok(());
        };
        self.make_parent(&file)?;
        // Listed first, and the list's lock is held until the file is there: who is killed in between left no go.mod, so that the
        // next run does both; and who lists meanwhile waits until it can see the file. The list is no reason to stop.
        let listed = self.list(&file).ok();
        let written = self.write(&file, bytes);
        drop(listed);
        if written.is_err() {
            let _ = self.list(&file.with_extension("none"));
        }
        written
    }

    fn write(&self, file: &Utf8Path, bytes: &[u8]) -> Result<()> {
        self.make_parent(file)?;
        Ok(self.files.write_atomic(file, bytes, 0o666)?)
    }

    /// Brings `list` up to date with the .mod files there are and the one to come (it matters when the cache is served as a proxy),
    /// and keeps it locked.
    fn list(&self, coming: &Utf8Path) -> Result<LockedFile> {
        let dir = coming.parent().unwrap_or(coming);
        let mut locked = lock::edit(dir.join("list"))?;
        let old = locked.read()?;
        let entries = self.files.read_dir(dir)?;
        let names = entries.iter().map(|entry| entry.name.as_str());
        let mut list: Vec<String> = names
            .chain(coming.file_name())
            .filter_map(|name| name.strip_suffix(".mod"))
            .filter(|v| !v.is_empty() && path::canonical_version(v) == **v)
            .map(str::to_owned)
            .collect();
        semver::sort(&mut list);
        list.dedup();
        list.push(String::new());
        locked.replace(&old, list.join("\n").as_bytes())?;
        Ok(locked)
    }

    /// The recorded h1 of a version's zip, if it is whole.
    pub fn read_ziphash(&self, module: &ModuleVersion) -> Result<Option<String>> {
        let bytes = lock::read(self.path(module, "ziphash")?)?;
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim();
        Ok(
            (text.len() == "h1:".len() + 44 && text.starts_with("h1:") && !text.contains('\0'))
                .then(|| text.to_owned()),
        )
    }

    /// Records the h1 of a verified zip.
    pub fn write_ziphash(&self, module: &ModuleVersion, sum: &str) -> Result<()> {
        self.write(&self.path(module, "ziphash")?, sum.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Origin, Time};

    fn cache() -> (tempfile::TempDir, Cache) {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap().join("mod");
        let cache = Cache::new(&root, Files::new("/"));
        (dir, cache)
    }

    #[test]
    fn paths_are_escaped() {
        let (_dir, cache) = cache();
        let module = ModuleVersion::new("example.com/Big", "v1.0.0-RC1");
        let below = |path: Utf8PathBuf| path.strip_prefix(&cache.root).unwrap().to_string();
        assert_eq!(
            below(cache.path(&module, "zip").unwrap()),
            "cache/download/example.com/!big/@v/v1.0.0-!r!c1.zip"
        );
        assert_eq!(
            below(cache.extracted_dir(&module).unwrap()),
            "example.com/!big@v1.0.0-!r!c1"
        );
        let text = |version: &str| {
            cache
                .path(&ModuleVersion::new("m.test/m", version), "mod")
                .unwrap_err()
                .to_string()
        };
        assert_eq!(text("master"), "non-semver module version \"master\"");
        assert_eq!(text("v1.0"), "non-canonical module version \"v1.0\"");
    }

    #[test]
    fn go_mods_are_listed_and_infos_come_back() {
        let (_dir, cache) = cache();
        for version in ["v1.10.0", "v1.9.0"] {
            cache
                .write_mod("m.test/m", version, b"module m.test/m\n")
                .unwrap();
        }
        assert_eq!(
            cache
                .files
                .read(cache.module_dir("m.test/m").unwrap().join("list"))
                .unwrap(),
            b"v1.9.0\nv1.10.0\n"
        );
        assert_eq!(
            cache.read_mod("m.test/m", "v1.9.0").unwrap(),
            b"module m.test/m\n"
        );
        let origin = Origin {
            vcs: "git".into(),
            url: "https://x/?a&b".into(),
            tag_sum: "t".into(),
            ..Origin::default()
        };
        let version = "v0.0.0-20180214004520-0123456789ab";
        let info = RevInfo {
            version: version.into(),
            time: Time::from_unix(0),
            origin: Some(origin),
            ..RevInfo::default()
        };
        cache.write_info("m.test/m", &info).unwrap();
        let text = cache
            .files
            .read_to_string(
                cache
                    .path(&ModuleVersion::new("m.test/m", version), "info")
                    .unwrap(),
            )
            .unwrap();
        let want = r#"{"Version":"v0.0.0-20180214004520-0123456789ab","Time":"1970-01-01T00:00:00Z","Origin":{"VCS":"git","URL":"https://x/?a\u0026b"}}"#;
        assert_eq!(text, want);
        assert_eq!(
            cache.read_info("m.test/m", version, false).unwrap().version,
            version
        );
        assert_eq!(cache.read_info("m.test/m", "0123456789abcdef", false), None);
        assert_eq!(
            cache
                .read_info("m.test/m", "0123456789abcdef", true)
                .unwrap()
                .version,
            version
        );
    }

    #[test]
    fn a_directory_counts_only_when_complete() {
        let (_dir, cache) = cache();
        let module = ModuleVersion::new("m.test/m", "v1.0.0");
        let reason = || match cache.complete_dir(&module) {
            Ok(_) => "complete".to_owned(),
            Err(error) => {
                assert!(error.is_not_exist());
                error.to_string().rsplit(": ").next().unwrap().to_owned()
            }
        };
        assert_eq!(reason(), "no such file or directory");
        cache
            .files
            .create_dir_all(cache.extracted_dir(&module).unwrap())
            .unwrap();
        assert_eq!(reason(), "ziphash file is missing");
        cache
            .write_ziphash(&module, "h1:tKhCw13G/fFpoHewIf4axtnBYDuwIwsU9D5E4iI3N9E=")
            .unwrap();
        assert_eq!(reason(), "complete");
        assert!(cache.read_ziphash(&module).unwrap().is_some());
        cache
            .files
            .write(cache.path(&module, "partial").unwrap(), b"", 0o666)
            .unwrap();
        assert_eq!(reason(), "not completely extracted");
        cache.write_ziphash(&module, "h1:cut").unwrap();
        assert_eq!(cache.read_ziphash(&module).unwrap(), None);
    }

    #[test]
    fn an_unusable_root_is_told() {
        let text = |root: &str| {
            Cache::new(Utf8Path::new(root), Files::new("/"))
                .check()
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            text(""),
            "module cache not found: neither GOMODCACHE nor GOPATH is set"
        );
        assert_eq!(
            text("rel"),
            "GOMODCACHE entry is relative; must be absolute path: \"rel\".\n"
        );
        assert_eq!(
            text("/dev/null"),
            "could not create module cache: \"/dev/null\" is not a directory"
        );
    }
}

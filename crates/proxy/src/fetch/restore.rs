//! Making files of the module cache anew that turned out damaged: what is bad goes aside, and comes back if nothing better can be had.

use camino::{Utf8Path, Utf8PathBuf};
use steady_module::ModuleVersion;

use super::Fetcher;
use crate::toolchain::install;
use crate::{Result, toolchain_repo};

/// What is damaged of one module version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// The zip: it is fetched, and with it the directory made.
    pub zip: bool,
    /// The record of the zip's sum.
    pub record: bool,
    /// The directory: it is unpacked from the zip.
    pub tree: bool,
    /// The `.mod` file.
    pub go_mod: bool,
    /// The `.info` file.
    pub info: bool,
}

impl Fetcher {
    /// Makes what is damaged of a version anew, verified as any download is. To be asked of a fetcher that has not fetched it before.
    ///
    /// # Errors
    /// It cannot be had. Files are then as they were; a directory is marked as not complete, so that nobody uses it.
    pub fn restore(&self, module: &ModuleVersion, damage: Damage) -> Result<()> {
        if damage.go_mod {
            self.renew_file(module, "mod", || {
                self.go_mod(&module.path, &module.version).map(drop)
            })?;
        }
        if damage.info {
            self.renew_file(module, "info", || {
                self.info_file(&module.path, &module.version).map(drop)
            })?;
        }
        if !(damage.zip || damage.record || damage.tree) {
            return Ok(());
        }
        let aside = {
            let _lock = self.shared.cache.lock_version(module)?;
            // Whoever comes now unpacks anew.
            if self.shared.files.exists(self.extracted_path(module)?) {
                let partial = self.cache_path(module, "partial")?;
                self.shared.files.write(&partial, b"", 0o666)?;
            }
            let mut aside = Vec::new();
            for (bad, suffix) in [
                (damage.zip, "zip"),
                (damage.zip || damage.record, "ziphash"),
            ] {
                if bad {
                    aside.extend(self.set_aside(&self.cache_path(module, suffix)?)?);
                }
            }
            aside
        };
        let made = match toolchain_name(module) {
            Some((name, os, arch)) => install(self, name, os, arch).map(drop),
            None => self.download(module).map(drop),
        };
        self.settle(&aside, made)
    }

    fn renew_file(
        &self,
        module: &ModuleVersion,
        suffix: &str,
        make: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let aside = self.set_aside(&self.cache_path(module, suffix)?)?;
        self.settle(aside.as_slice(), make())
    }

    /// Takes a file out of its place, if it is there: the place, and where the file is now.
    fn set_aside(&self, file: &Utf8Path) -> Result<Option<(Utf8PathBuf, Utf8PathBuf)>> {
        let files = &self.shared.files;
        if files.lstat(file).is_err() {
            return Ok(None);
        }
        let aside = Utf8PathBuf::from(format!("{file}.bad"));
        files.remove_all(&aside)?;
        files.rename(file, &aside)?;
        Ok(Some((file.to_owned(), aside)))
    }

    /// Removes what was set aside, or puts it back where nothing came in its place.
    fn settle(&self, aside: &[(Utf8PathBuf, Utf8PathBuf)], made: Result<()>) -> Result<()> {
        let files = &self.shared.files;
        for (file, bad) in aside {
            if made.is_ok() || files.exists(file) {
                files.remove_all(bad)?;
            } else {
                files.rename(bad, file)?;
            }
        }
        made
    }
}

/// Name, system and architecture of a toolchain's module: `v0.0.1-go1.26.8.linux-amd64`.
fn toolchain_name(module: &ModuleVersion) -> Option<(&str, &str, &str)> {
    if module.path != toolchain_repo::MODULE {
        return None;
    }
    let (name, platform) = module.version.split_once('-')?.1.rsplit_once('.')?;
    let (os, arch) = platform.split_once('-')?;
    Some((name, os, arch))
}

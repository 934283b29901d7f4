//! From a module version to its verified zip and its directory.
//!
//! All of it happens under the version's lock, which go takes too. A zip is fetched into a file beside its place whose name go
//! would clear away; what an interrupted run left there is continued. Files are hashed and unpacked in one pass, into their final
//! directory with the `.partial` marker set; only when the h1 of that pass is accepted does the zip get its name, its hash a file
//! and the marker goes. A crash in between leaves a marker or a nameless zip, and the next run starts from there.

use camino::{Utf8Path, Utf8PathBuf};

use steady_module::ModuleVersion;
use steady_system::{Error as SystemError, Files};

use super::Fetcher;
use super::shared::Shared;
use super::sink::{FileSink, WORTH_KEEPING};
use crate::error::Kind;
use crate::slots::Slot;
use crate::zip::{Archive, Unpack, check_zip, hash1};
use crate::{Error, Repo, Result, ZipSink as _, toolchain_repo};

/// What one visit under the lock brought.
#[derive(Clone)]
pub struct Obtained {
    /// The zip in the cache.
    pub zip: Utf8PathBuf,
    /// The directory, if it was asked for.
    dir: Option<Utf8PathBuf>,
    /// Why there is no directory although it was asked for.
    unpack_error: Option<Error>,
}

impl Fetcher {
    pub(super) fn download_dir_and_check(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        let cache = &self.shared.cache;
        let dir = match cache.complete_dir(module) {
            Ok(dir) => {
                self.check_module(module)?;
                dir
            }
            Err(error) if error.is_not_exist() => self.fetch_and_unpack(module)?,
            Err(error) => return Err(error),
        };
        // Modules from before modules have none.
        if let Some(go_mod) = self.shared.files.read_if_exists(dir.join("go.mod"))? {
            self.shared.check_go_version(module, &go_mod)?;
        }
        Ok(dir)
    }

    fn fetch_and_unpack(&self, module: &ModuleVersion) -> Result<Utf8PathBuf> {
        let mut obtained = self
            .zips
            .get_or(module.clone(), || self.obtain(module, true))?;
        if obtained.dir.is_none() && obtained.unpack_error.is_none() {
            // Somebody asked for the zip alone before.
            obtained = self.obtain(module, true)?;
        }
        match (obtained.dir, obtained.unpack_error) {
            (Some(dir), _) => Ok(dir),
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::other(format!("{module}: not unpacked"))),
        }
    }

    /// Unpacks a module whose zip a Go distribution brings; it is as good as that.
    pub(super) fn unpack_zip(&self, module: &ModuleVersion, zip: &Utf8Path) -> Result<Utf8PathBuf> {
        let shared = &*self.shared;
        match shared.cache.complete_dir(module) {
            Err(error) if error.is_not_exist() => {}
            known => return known,
        }
        let _lock = shared.cache.lock_version(module)?;
        let visit = Visit {
            fetcher: self,
            shared,
            module,
            zip,
        };
        match shared.cache.complete_dir(module) {
            Err(error) if error.is_not_exist() => visit.clear_away()?,
            known => return known,
        }
        let opened = open_archive(shared, zip)?;
        visit
            .verify_and_unpack(opened, zip, true, |_| Ok(()))?
            .unwrap_or_else(|| Err(Error::other(format!("{module}: not unpacked"))))
    }

    /// Holds the recorded hash of a zip against the sums; a lost record is made anew from the zip. What is in the cache and cannot
    /// be trusted is made anew; if that cannot be done, the run ends.
    fn check_module(&self, module: &ModuleVersion) -> Result<()> {
        let checked = match self.check_recorded(module) {
            Err(error) if is_damage(&error) => self.repair(module, error),
            checked => checked,
        };
        checked.map_err(|error| match error.kind() {
            Kind::Security(_) | Kind::System(SystemError::Interrupted) => error,
            _ => Kind::Security(error.to_string()).into(),
        })
    }

    /// Makes zip, record and, if it is there, directory of a module anew. If that cannot be done, all stays as it is, and so does the
    /// error.
    fn repair(&self, module: &ModuleVersion, error: Error) -> Result<()> {
        let cache = &self.shared.cache;
        let zip = cache.path(module, "zip")?;
        let Ok(_lock) = cache.lock_version(module) else {
            return Err(error);
        };
        // Another process may have been quicker.
        if self.check_recorded(module).is_ok() {
            return Ok(());
        }
        let visit = Visit {
            fetcher: self,
            shared: &self.shared,
            module,
            zip: &zip,
        };
        let unpack = self.shared.files.exists(cache.extracted_dir(module)?);
        match visit.renew(error, unpack)? {
            Some(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn check_recorded(&self, module: &ModuleVersion) -> Result<()> {
        let at = |error: Error| {
            error
                .at_version(&module.path, &module.version)
                .context("verifying")
        };
        match self.shared.cache.read_ziphash(module).map_err(at)? {
            Some(sum) => self.shared.check_sum(module, &sum),
            None => {
                let zip = self.shared.cache.path(module, "zip").map_err(at)?;
                let sum = self.hash(module, &zip).map_err(at)?;
                self.shared.check_sum(module, &sum)?;
                self.shared.cache.write_ziphash(module, &sum).map_err(at)
            }
        }
    }

    fn hash(&self, module: &ModuleVersion, zip: &Utf8Path) -> Result<String> {
        let opened = open_archive(&self.shared, zip)?;
        let prefix = format!("{module}/");
        hash1(
            Unpack {
                archive: &opened.archive,
                prefix: &prefix,
                target: None,
                twin: None,
                buffers: &self.shared.buffers,
                threads: 1,
                progress: &|_, _| {},
            }
            .run()?,
        )
    }

    /// The zip, verified, and the directory if asked for.
    pub(super) fn obtain(&self, module: &ModuleVersion, unpack: bool) -> Result<Obtained> {
        let shared = &*self.shared;
        let zip = shared.cache.path(module, "zip")?;
        let there = || shared.files.exists(&zip) && shared.files.exists(format!("{zip}hash"));
        if there() {
            if !self.have_sum(module) {
                self.check_module(module)?;
            }
            if !unpack {
                return Ok(Obtained {
                    zip,
                    dir: None,
                    unpack_error: None,
                });
            }
        } else if !shared.config.quiet {
            shared
                .observer
                .downloading(module, &format!("downloading {}", display(module)));
        }
        let _lock = shared.cache.lock_version(module)?;
        let visit = Visit {
            fetcher: self,
            shared,
            module,
            zip: &zip,
        };
        if unpack {
            match shared.cache.complete_dir(module) {
                Ok(dir) => {
                    return Ok(Obtained {
                        zip,
                        dir: Some(dir),
                        unpack_error: None,
                    });
                }
                Err(error) if error.is_not_exist() => visit.clear_away()?,
                Err(error) => return Err(error),
            }
        }
        let outcome = if shared.files.exists(&zip) {
            match visit.use_zip(unpack) {
                Err(error)
                    if error.is_security() || (shared.config.mend_zips && is_damage(&error)) =>
                {
                    visit.renew(error, unpack)?
                }
                used => used?,
            }
        } else {
            let outcome = visit.fetch(unpack);
            shared.observer.fetched(module);
            outcome?
        };
        let (dir, unpack_error) = match outcome {
            Some(Ok(dir)) => (Some(dir), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        Ok(Obtained {
            zip,
            dir,
            unpack_error,
        })
    }
}

/// How go shows a module that is being downloaded: a toolchain without its module path.
fn display(module: &ModuleVersion) -> String {
    let plain = format!("{} {}", module.path, module.version);
    if module.path != toolchain_repo::MODULE {
        return plain;
    }
    let short = module
        .version
        .split_once('-')
        .and_then(|(_, rest)| rest.rsplit_once('.'));
    match short.and_then(|(name, platform)| Some((name, platform.split_once('-')?))) {
        Some((name, (os, arch))) => format!("{name} ({os}/{arch})"),
        None => plain,
    }
}

/// An archive that is being worked with.
struct Opened {
    archive: Archive,
    /// The directory of a large archive takes megabytes: only so many are open at a time.
    slot: Slot,
}

fn open_archive(shared: &Shared, path: &Utf8Path) -> Result<Opened> {
    let slot = shared.unpacking.take();
    let archive = Archive::open(shared.files.open(path)?);
    let archive = archive.map_err(|error| Error::other(steady_system::describe_io(&error)))?;
    Ok(Opened { archive, slot })
}

/// Whether what lies in the cache is to blame, and not the machine.
fn is_damage(error: &Error) -> bool {
    let blame = |error: &Error| matches!(error.kind(), Kind::System(_) | Kind::Http(_));
    !error.chain().any(blame)
}

fn is_disk_full(error: &Error) -> bool {
    let full = |error: &Error| matches!(error.kind(), Kind::System(error) if error.is_disk_full());
    error.chain().any(full)
}

/// One visit under a version's lock.
struct Visit<'a> {
    fetcher: &'a Fetcher,
    shared: &'a Shared,
    module: &'a ModuleVersion,
    zip: &'a Utf8Path,
}

/// The outcome of unpacking, if it was asked for.
type Unpacked = Option<Result<Utf8PathBuf>>;

impl Visit<'_> {
    /// Removes what a run that did not get to its end left of the directory, and temporary directories of very old releases.
    fn clear_away(&self) -> Result<()> {
        let dir = self.shared.cache.extracted_dir(self.module)?;
        let prefix = format!("{}.tmp-", dir.file_name().unwrap_or_default());
        let parent = dir.parent().unwrap_or(&dir);
        for entry in self.shared.files.read_dir(parent).unwrap_or_default() {
            if entry.name.starts_with(&prefix) {
                let _ = self.shared.files.remove_all(parent.join(entry.name));
            }
        }
        Ok(self.shared.files.remove_all(&dir)?)
    }

    /// Works with the zip that is there.
    fn use_zip(&self, unpack: bool) -> Result<Unpacked> {
        let opened = open_archive(self.shared, self.zip)?;
        let recorded = self.shared.cache.read_ziphash(self.module).ok().flatten();
        if recorded.is_some() && !unpack {
            return Ok(None);
        }
        self.verify_and_unpack(opened, self.zip, unpack, |sum| match &recorded {
            // The record was checked when the zip came; now the zip is checked against the record.
            Some(recorded) if recorded == sum => Ok(()),
            Some(recorded) => {
                let module = self.module;
                let text = format!("verifying {module}: zip in the module cache was changed\n\tzip:     {sum}\n\tziphash: {recorded}");
                Err(Kind::Security(text).into())
            }
            None => {
                self.shared.check_sum(self.module, sum)?;
                self.record(sum)
            }
        })
    }

    /// Records the hash of the zip. A directory that stands beside another record was made from another zip, so that it counts as not
    /// complete from before the record changes.
    fn record(&self, sum: &str) -> Result<()> {
        let Shared { cache, files, .. } = self.shared;
        let known = cache.read_ziphash(self.module).ok().flatten();
        if known.as_deref() != Some(sum) && files.exists(cache.extracted_dir(self.module)?) {
            let partial = cache.path(self.module, "partial")?;
            if !files.exists(&partial) {
                files.write(&partial, b"", 0o666)?;
            }
        }
        cache.write_ziphash(self.module, sum)
    }

    /// Replaces what is damaged: the record if go.sum stands by the zip, the zip otherwise; then the directory. `damage` is what is
    /// said if no zip can be had, and then nothing has changed.
    fn renew(&self, damage: Error, unpack: bool) -> Result<Unpacked> {
        let shared = self.shared;
        if damage.is_unverified() {
            // Nobody knows of any damage, and another zip could not be verified either.
            return Err(damage);
        }
        let good = self.fetcher.have_sum(self.module).then(|| {
            let sum = self.fetcher.hash(self.module, self.zip).ok()?;
            shared.check_sum(self.module, &sum).ok()?;
            Some(sum)
        });
        if let Some(sum) = good.flatten() {
            self.record(&sum)?;
            let file = format!("{}hash", self.zip);
            let text = "did not match go.sum and was written again from the zip, which does";
            shared.observer.warn(&format!("go: warning: {file} {text}"));
        } else {
            let fetched = self.fetch(false);
            shared.observer.fetched(self.module);
            fetched.map_err(|error| match error {
                error if error.is_security() || error.is_interrupt() => error,
                _ if damage.is_security() => damage,
                _ => damage.context(format!("unzip {}", self.zip)),
            })?;
            shared.warn_fetched_again(self.zip);
        }
        if !unpack {
            return Ok(None);
        }
        self.clear_away()?;
        self.use_zip(true)
    }

    /// Fetches the zip, continuing what is there of it; if the whole then turns out wrong, once more from the start.
    fn fetch(&self, unpack: bool) -> Result<Unpacked> {
        let part = Utf8PathBuf::from(format!("{}.part.tmp", self.zip));
        self.remove_leftovers(&part)?;
        let resumed = self
            .shared
            .files
            .stat(&part)
            .is_ok_and(|meta| meta.size > 0);
        let first = self.fetch_into(&part, unpack);
        match first {
            Err(error)
                if resumed && !matches!(error.kind(), Kind::System(SystemError::Interrupted)) =>
            {
                if !self.shared.files.exists(&part) {
                    return self.fetch_into(&part, unpack);
                }
                Err(error)
            }
            other => other,
        }
    }

    /// Temporary files of other runs of the same version: their writers are gone, for we hold the lock.
    fn remove_leftovers(&self, part: &Utf8Path) -> Result<()> {
        let dir = self.zip.parent().unwrap_or(self.zip);
        let prefix = self.zip.file_name().unwrap_or_default();
        for entry in self.shared.files.read_dir(dir)? {
            let path = dir.join(&entry.name);
            if entry.name.starts_with(prefix) && entry.name.ends_with(".tmp") && path != part {
                let _ = self.shared.files.remove_file(path);
            }
        }
        Ok(())
    }

    fn fetch_into(&self, part: &Utf8Path, unpack: bool) -> Result<Unpacked> {
        self.transfer(part)?;
        // From here on an error means that these bytes are no good.
        let used = open_archive(self.shared, part).and_then(|opened| {
            let prefix = format!("{}/", self.module);
            if let Some(entry) = opened
                .archive
                .entries()
                .iter()
                .find(|entry| !entry.name.starts_with(&prefix))
            {
                return Err(Error::other(format!(
                    "zip for {} has unexpected file {}",
                    self.module, entry.name
                )));
            }
            self.verify_and_unpack(opened, part, unpack, |sum| {
                self.shared.check_sum(self.module, sum)?;
                self.shared.files.rename(part, self.zip)?;
                self.record(sum)
            })
        });
        if used.is_err() {
            let _ = self.shared.files.remove_file(part);
        }
        used
    }

    fn transfer(&self, part: &Utf8Path) -> Result<()> {
        let shared = self.shared;
        let mut sink = FileSink::open(part, shared, self.module)?;
        let mut asked = 0;
        let done = self.fetcher.try_proxies(|proxy| {
            let is_url = !matches!(proxy, "direct" | "noproxy" | "off");
            // A part is continued from the first place that is asked; another one's bytes may differ.
            if asked > 0 || !is_url {
                sink.restart()?;
            }
            let answer = self
                .fetcher
                .cached(proxy, &self.module.path)
                .zip(&mut sink, &self.module.version);
            if is_url {
                asked += 1;
            }
            answer
        });
        let have = sink.have();
        drop(sink);
        if let Err(error) = done {
            // What was cut on the way stays, to be continued; what is small is not worth it, and a full disk needs the room.
            if have < WORTH_KEEPING
                || is_disk_full(&error)
                || error.http().is_some()
                || error.is_not_exist()
            {
                let _ = shared.files.remove_file(part);
            }
            return Err(error);
        }
        Ok(())
    }

    /// Hashes the archive, unpacking it in the same pass if asked for and if its names allow it; `accept` has the last word.
    fn verify_and_unpack(
        &self,
        opened: Opened,
        file: &Utf8Path,
        unpack: bool,
        accept: impl FnOnce(&str) -> Result<()>,
    ) -> Result<Unpacked> {
        let shared = self.shared;
        let size = shared.files.stat(file)?.size;
        let refused = if unpack {
            self.refusal(&opened.archive, size)
        } else {
            None
        };
        let dir = shared.cache.extracted_dir(self.module)?;
        let partial = shared.cache.path(self.module, "partial")?;
        let target = (unpack && refused.is_none()).then_some((&shared.files, dir.as_path()));
        if target.is_some() {
            shared.files.create_dir_all(dir.parent().unwrap_or(&dir))?;
            shared.files.write(&partial, b"", 0o666)?;
        }
        let sum = self.pass(&opened, target);
        // To accept may take a question to the network.
        drop(opened);
        let done = sum.and_then(|sum| accept(&sum));
        shared.observer.unpacked(self.module);
        if let Err(error) = done {
            if target.is_some() && shared.files.remove_all(&dir).is_ok() {
                let _ = shared.files.remove_file(&partial);
            }
            return Err(error);
        }
        if target.is_some() {
            // The marker goes last: a directory without it is as it stays.
            if !shared.config.mod_cache_rw {
                let _ = shared.files.make_dirs_read_only(&dir);
            }
            shared.files.remove_file(&partial)?;
            return Ok(Some(Ok(dir)));
        }
        Ok(refused.map(|error| {
            let error = error.context(format!("unzip {}", self.zip));
            shared.observer.warn(&format!("-> {error}"));
            Err(error)
        }))
    }

    fn refusal(&self, archive: &Archive, size: u64) -> Option<Error> {
        check_zip(self.module, archive, size).map_or_else(Some, |checked| checked.error())
    }

    fn pass(&self, opened: &Opened, target: Option<(&Files, &Utf8Path)>) -> Result<String> {
        let progress = |done, total| self.shared.observer.unpacking(self.module, done, total);
        let prefix = format!("{}/", self.module);
        let threads = (steady_system::processors() / (opened.slot.others + 1)).max(1);
        let hashes = Unpack {
            archive: &opened.archive,
            prefix: &prefix,
            target,
            twin: None,
            buffers: &self.shared.buffers,
            threads,
            progress: &progress,
        }
        .run();
        hash1(hashes?)
    }
}

//! GOFIPS140: whether programs start in FIPS 140 mode, and from which source their cryptography comes.
//!
//! `off` and `latest` take the standard library as it is. Anything else names a snapshot that the toolchain brings as a zip below
//! `lib/fips140`, or a text file there that holds the name of one.

use camino::Utf8PathBuf;
use steady_build::quote::quote;
use steady_module::{ModuleVersion, semver};
use steady_packages::modload::FipsSnapshot;
use steady_proxy::Fetcher;
use steady_system::Files;

use crate::failure::{Failure, Result};
use crate::settings::Settings;

/// What GOFIPS140 means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fips {
    /// FIPS 140 plays no part.
    Off,
    /// The standard library's own module.
    Latest,
    /// This version of it, from this zip.
    Snapshot(String, Utf8PathBuf),
}

impl Fips {
    /// Reads the setting.
    ///
    /// # Errors
    /// A version that the toolchain does not bring, or a combination of settings that cannot be.
    pub fn of(settings: &Settings, files: &Files, tags: &[String]) -> Result<Fips> {
        let given = settings.or("GOFIPS140", settings.built_in("GOFIPS140"));
        let fips = match given {
            "" | "off" => return Ok(Fips::Off),
            "latest" => Fips::Latest,
            name => Self::find(settings, files, name)?,
        };
        let boring = settings
            .experiments()
            .is_ok_and(|list| list.enabled().any(|name| name == "boringcrypto"));
        for (excluded, what) in [
            (boring, "GOEXPERIMENT=boringcrypto"),
            (
                tags.iter().any(|tag| tag == "purego"),
                "the purego build tag",
            ),
        ] {
            if excluded {
                return Err(Failure::plain(format!(
                    "go: cannot use GOFIPS140 with {what}"
                )));
            }
        }
        Ok(fips)
    }

    fn find(settings: &Settings, files: &Files, name: &str) -> Result<Fips> {
        let shown = quote(name);
        if name.contains(['/', '\\']) || name.contains("..") {
            return Err(Failure::plain(format!(
                "go: malformed GOFIPS140 version {shown}"
            )));
        }
        let dir = settings
            .goroot
            .clone()
            .unwrap_or_default()
            .join("lib/fips140");
        let alias = files.read_to_string(dir.join(format!("{name}.txt"))).ok();
        let version = alias.as_deref().map_or(name, str::trim);
        let zip = dir.join(format!("{version}.zip"));
        if files.exists(&zip) {
            return Ok(Fips::Snapshot(version.to_owned(), zip));
        }
        let from = if alias.is_some() {
            format!("{} (from {shown})", quote(version))
        } else {
            shown
        };
        Err(Failure::plain(format!(
            "go: unknown GOFIPS140 version {from}"
        )))
    }

    /// Does it play a part at all?
    #[must_use]
    pub fn enabled(&self) -> bool {
        *self != Fips::Off
    }

    /// As it is stamped into programs.
    #[must_use]
    pub fn version(&self) -> &str {
        match self {
            Fips::Off => "off",
            Fips::Latest => "latest",
            Fips::Snapshot(version, _) => version,
        }
    }

    /// The build tag that a snapshot brings.
    #[must_use]
    pub fn tag(&self) -> Option<String> {
        match self {
            Fips::Snapshot(version, _) => Some(format!("fips140{}", semver::major_minor(version))),
            _ => None,
        }
    }

    /// Unpacks the snapshot into the module cache, as a module.
    ///
    /// # Errors
    /// It cannot be unpacked.
    pub fn snapshot(&self, fetcher: &Fetcher) -> Result<Option<FipsSnapshot>> {
        let Fips::Snapshot(version, zip) = self else {
            return Ok(None);
        };
        let module = ModuleVersion::new("golang.org/fips140", version.clone());
        let dir = fetcher.unpack_given(&module, zip).map_err(|error| {
            Failure::plain(format!("go: unpacking GOFIPS140={version}: {error}"))
        })?;
        Ok(Some(FipsSnapshot {
            version: version.clone(),
            dir: dir.join("fips140"),
        }))
    }
}

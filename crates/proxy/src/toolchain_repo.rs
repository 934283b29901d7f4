//! The virtual modules `go` and `toolchain`, whose versions are Go releases; the real module behind both is the one with the zips.

use std::sync::Arc;

use steady_module::gover;

use crate::{Error, Origin, Repo, Result, RevInfo, Versions, ZipSink};

/// The module whose zips are toolchains.
pub const MODULE: &str = "golang.org/toolchain";

/// See the module.
pub struct ToolchainRepo {
    /// `go` or `toolchain`.
    pub path: String,
    /// The module with the zips.
    pub downloads: Arc<dyn Repo>,
    /// The Go version that runs; it exists whatever a proxy says.
    pub running: String,
}

/// The version of the module with the zips: `v0.0.1-go1.26.8.linux-amd64`.
pub fn download_version(toolchain: &str, os: &str, arch: &str) -> String {
    format!("v0.0.1-{toolchain}.{os}-{arch}")
}

/// The Go version (`1.26.8`) in such a version.
fn go_version(version: &str) -> Option<&str> {
    let (_, rest) = version.split_once('-')?;
    let (name, platform) = rest.rsplit_once('.')?;
    platform
        .contains('-')
        .then(|| name.strip_prefix("go").unwrap_or(name))
}

impl ToolchainRepo {
    fn prefix(&self) -> &'static str {
        if self.path == "toolchain" { "go" } else { "" }
    }
}

impl Repo for ToolchainRepo {
    fn module_path(&self) -> &str {
        &self.path
    }

    fn check_reuse(&self, _: &Origin) -> Result<()> {
        Err(Error::other("invalid use of toolchainRepo: CheckReuse"))
    }

    fn versions(&self, _: &str) -> Result<Versions> {
        let mut list: Vec<String> = Vec::new();
        let offered = self.downloads.versions("")?.list;
        let mut seen = std::collections::HashSet::new();
        // The running one counts even where no release has its number yet.
        for version in offered
            .iter()
            .filter_map(|version| go_version(version))
            .chain([self.running.as_str()])
        {
            if seen.insert(version.to_owned()) {
                list.push(version.to_owned());
            }
        }
        list.sort_by(|a, b| gover::compare(a, b));
        let prefix = self.prefix();
        Ok(Versions {
            origin: None,
            list: list
                .into_iter()
                .map(|version| format!("{prefix}{version}"))
                .collect(),
        })
    }

    fn stat(&self, rev: &str) -> Result<RevInfo> {
        let version = rev.strip_prefix("go").unwrap_or(rev);
        if !gover::is_valid(version) {
            return Err(Error::other(format!("invalid {} version {rev}", self.path)));
        }
        let info = RevInfo {
            version: format!("{}{version}", self.prefix()),
            ..RevInfo::default()
        };
        let known = match self.path.as_str() {
            "go" => gover::compare(version, &self.running).is_le(),
            _ => version == self.running,
        };
        if known {
            return Ok(info);
        }
        if gover::is_lang(version) {
            return Err(Error::other(format!(
                "go language version {rev} is not a toolchain version"
            )));
        }
        // One platform stands for all: what exists must not depend on who asks.
        let found =
            self.downloads
                .stat(&download_version(&format!("go{version}"), "linux", "amd64"))?;
        Ok(RevInfo {
            time: found.time,
            ..info
        })
    }

    fn latest(&self) -> Result<RevInfo> {
        let versions = self.versions("")?.list;
        let latest = versions
            .iter()
            .max_by(|a, b| gover::mod_compare(&self.path, a, b));
        self.stat(latest.map_or("", String::as_str))
    }

    fn go_mod(&self, _: &str) -> Result<Vec<u8>> {
        Ok(format!("module {}\n", self.path).into_bytes())
    }

    fn zip(&self, _: &mut dyn ZipSink, _: &str) -> Result<()> {
        Err(Error::other("invalid use of toolchainRepo: Zip"))
    }
}

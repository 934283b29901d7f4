//! Everything that the cache holds of a version, fetched if need be: what `mod download` brings and shows.

use camino::Utf8PathBuf;
use steady_module::ModuleVersion;
use steady_system::parallel;

use super::Fetcher;
use crate::{Error, Result};

/// Files and sums of one version. On an error, those that were there before it happened.
#[derive(Clone, Debug, Default)]
pub struct Described {
    /// The `.info` file.
    pub info: Utf8PathBuf,
    /// The `.mod` file.
    pub go_mod: Utf8PathBuf,
    /// The zip.
    pub zip: Utf8PathBuf,
    /// The directory.
    pub dir: Utf8PathBuf,
    /// `h1:` of the zip.
    pub sum: String,
    /// `h1:` of the go.mod.
    pub go_mod_sum: String,
    /// What went wrong.
    pub error: Option<Error>,
}

impl Fetcher {
    /// Downloads versions whole, several at a time; answers in the order of the question.
    pub fn describe_many(&self, modules: &[ModuleVersion]) -> Vec<Described> {
        parallel::map(modules, self.config().limits.parallel, |module| {
            let mut described = Described::default();
            described.error = self.describe(module, &mut described).err();
            described
        })
    }

    fn describe(&self, module: &ModuleVersion, described: &mut Described) -> Result<()> {
        let ModuleVersion { path, version } = module;
        described.info = self.info_file(path, version)?.1;
        described.go_mod = self.go_mod_file(path, version)?;
        described.go_mod_sum = self.go_mod_sum(path, version)?;
        // Zip and directory come in one pass; a zip may be good although what is in it cannot be used.
        let dir = self.download(module);
        described.zip = self.download_zip(module)?;
        described.sum = self.sum(module).unwrap_or_default();
        described.dir = dir?;
        Ok(())
    }
}

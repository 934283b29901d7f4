//! The build configuration that decides which files belong to a build.

use crate::source::syslist::SysList;
use camino::Utf8PathBuf;
use std::collections::BTreeSet;
use std::sync::Arc;

/// go/build's `Context`, as far as it decides about files.
#[derive(Clone, Debug, Default)]
pub struct BuildContext {
    /// GOROOT.
    pub goroot: Utf8PathBuf,
    /// GOPATH, split.
    pub gopath: Vec<Utf8PathBuf>,
    /// Target operating system.
    pub goos: String,
    /// Target architecture.
    pub goarch: String,
    /// CGO_ENABLED.
    pub cgo_enabled: bool,
    /// `gc` or `gccgo`.
    pub compiler: String,
    /// `-tags`.
    pub build_tags: Vec<String>,
    /// Tags that the toolchain's configuration sets: `goexperiment.x`, `amd64.v1`. See [`crate::godebug`] for where they
    /// come from.
    pub tool_tags: Vec<String>,
    /// `go1.1` up to the toolchain's release.
    pub release_tags: Vec<String>,
    /// `-installsuffix`, with `race` and its kin.
    pub install_suffix: String,
    /// Constraints do not exclude files (files named on the command line).
    pub use_all_files: bool,
    /// Names of operating systems and architectures that the toolchain knows in file names.
    pub syslist: Arc<SysList>,
}

/// Tags that were asked for while deciding; go/build's `AllTags`.
pub type TagSet = BTreeSet<String>;

impl BuildContext {
    /// `go1.1` to `go1.N`, for a toolchain of language version `1.N`.
    pub fn release_tags_for(minor: u32) -> Vec<String> {
        (1..=minor).map(|n| format!("go1.{n}")).collect()
    }
    /// Whether a tag holds; every tag asked for is recorded in `asked`.
    pub fn match_tag(&self, _name: &str, _asked: &mut TagSet) -> bool {
        todo!()
    }
    /// Whether the operating system and architecture in a file's name fit.
    pub fn good_os_arch_file(&self, _name: &str, _asked: &mut TagSet) -> bool {
        todo!()
    }
}

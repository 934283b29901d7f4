//! What a Go release decides about GODEBUG defaults and experiments, read from its sources.

use crate::source::SourceError;
use camino::Utf8Path;
use std::collections::BTreeMap;
use steady_system::Files;

/// One setting of the toolchain's `internal/godebugs` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Name.
    pub name: String,
    /// Minor Go release that changed its default, 0 for none.
    pub changed: u32,
    /// Value before that release.
    pub old: String,
}
/// The table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GodebugTable {
    /// As listed.
    pub settings: Vec<Setting>,
}
impl GodebugTable {
    /// Reads the table of the toolchain at `goroot`.
    pub fn load(_files: &Files, _goroot: &Utf8Path) -> Result<Self, SourceError> {
        todo!()
    }
    /// Defaults for code of language version `go_version` (`1.21`), as name to value.
    pub fn defaults_for(&self, _go_version: &str) -> BTreeMap<String, String> {
        todo!()
    }
}
/// `goexperiment.x` and architecture tags of a toolchain, in go's order, for [`crate::source::BuildContext::tool_tags`].
pub struct ToolTagInput<'a> {
    /// GOROOT.
    pub goroot: &'a Utf8Path,
    /// Target.
    pub goos: &'a str,
    /// Target.
    pub goarch: &'a str,
    /// GOEXPERIMENT.
    pub goexperiment: &'a str,
    /// Value of the architecture's variable (GOAMD64, GOARM64…), empty for its default.
    pub goarch_level: &'a str,
}
/// Tool tags; the error is go's for an unknown experiment.
pub fn tool_tags(_files: &Files, _input: &ToolTagInput<'_>) -> Result<Vec<String>, SourceError> {
    todo!()
}

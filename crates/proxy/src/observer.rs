//! What fetching tells while it goes on. The library prints nothing.

use steady_module::ModuleVersion;

/// Somebody who watches. Called from several threads.
pub trait Observer: Send + Sync {
    /// A zip is about to be fetched; go prints `go: <text>`, once a module version: `downloading m v1.2.3`.
    fn downloading(&self, _module: &ModuleVersion, _text: &str) {}

    /// Bytes of a zip that have arrived, of a total if the server told it.
    fn progress(&self, _module: &ModuleVersion, _have: u64, _total: Option<u64>) {}

    /// A zip is there, or failed; unpacking may follow.
    fn fetched(&self, _module: &ModuleVersion) {}

    /// A module is being unpacked: files done, of how many.
    fn unpacking(&self, _module: &ModuleVersion, _done: usize, _total: usize) {}

    /// Unpacked, or failed.
    fn unpacked(&self, _module: &ModuleVersion) {}

    /// A line for `-x`: `# get https://...: 200 OK (0.123s)`, or a command.
    fn trace(&self, _line: &str) {}

    /// A line that go prints to standard error in any case.
    fn warn(&self, _line: &str) {}
}

/// Nobody watches.
pub struct Silent;

impl Observer for Silent {}

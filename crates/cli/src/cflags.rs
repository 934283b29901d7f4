//! Flags of the C compiler, as `go env` shows them.

use crate::failure::Result;
use crate::session::Session;

/// GOGCCFLAGS.
///
/// # Errors
/// CC or flags that cannot be split into words.
pub fn gogccflags(_session: &Session) -> Result<String> {
    Ok(String::new())
}

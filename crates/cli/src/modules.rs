//! Where the main module and the workspace are.

use crate::failure::Result;
use crate::session::Session;
use crate::settings::table::Variable;

/// GOMOD and GOWORK.
///
/// # Errors
/// GO111MODULE or GOWORK that cannot be.
pub fn location(_session: &Session) -> Result<Vec<Variable>> {
    Ok(Vec::new())
}

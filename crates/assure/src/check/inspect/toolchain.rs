//! Go versions: what modules ask for, against what is used here and there.

use crate::check::causes::{Case, Cause};
use crate::check::finding::{Environment, Fix};

/// Something needs a newer Go than may be used.
pub fn too_old(case: &Case<'_>, what: &str, version: &str) -> Cause {
    if case.environment() != Environment::Here {
        // Others fetch the toolchain; only this run may not.
        return Cause::Unknown(format!(
            "{what} needs Go {version}, and this is Go {}",
            case.world.go
        ));
    }
    let message = format!(
        "{what} needs Go {version}, and this is Go {}",
        case.world.go
    );
    case.finding("toolchain/too-old", what, message)
        .fixed_by(Fix::shown(format!(
            "GOTOOLCHAIN=go{version} go build ./..."
        )))
        .into()
}

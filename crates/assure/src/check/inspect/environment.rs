//! Settings that hold on this machine and nowhere else.

use crate::check::finding::{Environment, Evidence, Finding, Fix};
use crate::check::world::{Setting, World};

/// The class that a variable's setting belongs to, unless it stands in the file of `go env -w`.
fn class_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "GOFLAGS" => "environment/goflags",
        "GOWORK" => "environment/gowork",
        "GOPROXY" | "GOSUMDB" | "GONOSUMDB" | "GONOPROXY" | "GOINSECURE" | "GONOSUMCHECK" => {
            "environment/goproxy"
        }
        "CC" | "CXX" | "FC" | "AR" | "PKG_CONFIG" => "environment/cgo",
        _ if name.starts_with("CGO_") => "environment/cgo",
        _ => return None,
    })
}

/// What is set here.
pub fn inspect(world: &World) -> Vec<Finding> {
    world
        .settings
        .iter()
        .filter_map(|setting| finding(world, setting))
        .collect()
}

fn finding(world: &World, setting: &Setting) -> Option<Finding> {
    let Setting { name, value, line } = setting;
    let others = [Environment::Ci, Environment::Colleague];
    if *line > 0 {
        let file = world.env_file.clone().unwrap_or_default();
        return Some(
            Finding::new(
                "environment/env-file",
                name.clone(),
                format!("{name} is set with go env -w"),
            )
            .hits_all(others)
            .shown_by(Evidence::place(
                file.to_string(),
                *line,
                format!("{name}={value}"),
            ))
            .fixed_by(Fix::shown(format!("go env -u {name}"))),
        );
    }
    let id = class_of(name)?;
    Some(
        Finding::new(
            id,
            name.clone(),
            format!("{name} is set in the environment"),
        )
        .hits_all(others)
        .shown_by(Evidence::run(format!("printenv {name}"), value.clone()))
        .fixed_by(Fix::shown(format!("unset {name}"))),
    )
}

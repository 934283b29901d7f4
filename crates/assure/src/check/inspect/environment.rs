//! Settings that hold on this machine and nowhere else.

use crate::check::causes::Case;
use crate::check::finding::{Environment, Evidence, Finding, Fix, Severity};
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

/// The class that a setting's finding belongs to.
fn class_of_setting(setting: &Setting) -> &'static str {
    match setting.line {
        0 => class_of(&setting.name).unwrap_or("environment/goflags"),
        _ => "environment/env-file",
    }
}

/// A setting for cgo, whether or not cgo is on.
#[must_use]
pub fn for_cgo(world: &World) -> Option<&Setting> {
    let mut all = world.settings.iter();
    all.find(|setting| {
        setting.name != "CGO_ENABLED" && class_of(&setting.name) == Some("environment/cgo")
    })
}

/// A setting without which it does not build in an environment.
#[must_use]
pub fn without(world: &World, setting: &Setting, environment: Environment) -> Finding {
    let Setting { name, value, line } = setting;
    let message = format!("it builds only with {name}={value}, which is set on this machine alone");
    let finding = Finding::new(class_of_setting(setting), name.clone(), message)
        .severity(Severity::Error)
        .hits(environment);
    match line {
        0 => finding.shown_by(Evidence::run(format!("printenv {name}"), value.clone())),
        line => {
            let file = world.env_file.clone().unwrap_or_default();
            finding.shown_by(Evidence::place(
                file.to_string(),
                *line,
                format!("{name}={value}"),
            ))
        }
    }
}

/// A setting without which it does not load.
pub fn needed(case: &Case<'_>, setting: &Setting) -> Finding {
    let Setting { name, value, line } = setting;
    let message = format!("it loads only with {name}={value}, which is set on this machine alone");
    let finding = case.finding(class_of_setting(setting), name.clone(), message);
    match line {
        0 => finding.shown_by(Evidence::run(format!("printenv {name}"), value.clone())),
        line => {
            let file = case.world.env_file.clone().unwrap_or_default();
            finding.shown_by(Evidence::place(
                file.to_string(),
                *line,
                format!("{name}={value}"),
            ))
        }
    }
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

//! `go list -m`.

use std::sync::Arc;
use steady_packages::modload::{Details, ModMode};

use crate::bail;
use crate::commands::finder::{Finder, reuse_of};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::loading::{self, ModRequest};
use crate::session::Session;

use super::format::{Format, JsonFlag, Shower};
use super::{ListFlags, check_retracted, functions};

/// Finds and shows modules.
pub fn list(
    session: &mut Session,
    flags: &ListFlags,
    json: JsonFlag,
    arguments: &[String],
) -> Result {
    if session.settings.get("GO111MODULE") == "off" {
        bail!("list -m cannot be used with GO111MODULE=off");
    }
    let template = flags
        .f
        .as_deref()
        .filter(|f| !f.is_empty())
        .unwrap_or(if flags.versions {
            "{{.Path}}{{range .Versions}} {{.}}{{end}}{{if .Deprecated}} (deprecated){{end}}"
        } else {
            "{{.String}}"
        });
    let names = !json.on && flags.f.as_deref().is_none_or(str::is_empty);
    if !names || flags.u || flags.versions || flags.retracted || flags.reuse.is_some() {
        // The module cache is asked what it has, or proxies.
        session.spoil_answer();
    }
    Format::new(json.clone(), template, functions(gotmpl::Value::Nil, None))?; // before anything is read
    let modules = Arc::new(loading::open_modules(
        session,
        ModRequest {
            trace: flags.build.trace.x,
            ..ModRequest::of(&flags.modmode, &flags.modules)
        },
    )?);
    let functions = functions(gotmpl::Value::Nil, Some(Arc::clone(&modules)));
    let format = Format::new(json, template, functions)?;
    // Where go.sum may change, it gets the sums of all go.mod files that go looks into for more than names.
    let names = names && modules.mode() != ModMode::Mod;
    check_retracted(flags, &modules)?;
    if modules.mode() == ModMode::Vendor {
        check_vendored(flags, arguments)?;
    }
    let details = Details {
        updates: flags.u,
        versions: flags.versions,
        retracted: flags.retracted || flags.u,
        retracted_versions: flags.retracted,
        deprecated: flags.u,
        names,
    };
    let reuse = reuse_of(session, &modules, "list", flags.reuse.as_deref())?;
    let mut finder = Finder {
        session,
        modules: &modules,
        details,
        reuse: &reuse,
        partial: None,
    };
    let mut list = finder.find(arguments)?;
    let mut failure = finder.partial;
    modules.add_details(&mut list, details);
    if !flags.u && failure.is_none() {
        failure = modules.commit_graph().err();
    }
    if !flags.e {
        for error in list.iter().filter_map(|module| module.error.as_ref()) {
            session.printer.error(&error.err);
        }
        if let Some(error) = failure {
            return Err(Failure::switching(error));
        }
        if session.printer.failed() {
            return Err(Failure::Said(Status::FAILED));
        }
    }
    let shower = Shower::new(&format, &session.printer);
    for module in &list {
        shower.module(module)?;
    }
    Ok(Status::DONE)
}

/// Refuses what needs to know more than a vendor directory tells.
fn check_vendored(flags: &ListFlags, arguments: &[String]) -> Result<()> {
    let wanted = if flags.versions {
        "determine available versions"
    } else if flags.u {
        "determine available upgrades"
    } else if let Some(argument) = arguments
        .iter()
        .find(|argument| *argument == "all" || argument.contains("..."))
    {
        match argument.as_str() {
            "all" => "compute 'all'",
            _ => "match module patterns",
        }
    } else {
        return Ok(());
    };
    bail!("can't {wanted} using the vendor directory\n\t(Use -mod=mod or -mod=readonly to bypass.)")
}

//! `go mod vendor`.

use clap::{Args, FromArgMatches};
use std::sync::Arc;
use steady_packages::modload::{CommitOptions, ModError, ModMode, VendorPlan};

use crate::bail;
use crate::command::{Command, Kind};
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, ModCommon};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
struct Flags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    vendor: VendorFlags,
}

/// Flags of `mod vendor` and `work vendor`.
#[derive(Args, Default)]
pub struct VendorFlags {
    /// Print the names of vendored modules and packages
    #[arg(long)]
    v: bool,
    /// Go on in spite of errors
    #[arg(long)]
    e: bool,
    /// Make the directory at this path
    #[arg(long, value_name = "outdir")]
    o: Option<String>,
}

/// `go mod vendor`
pub static VENDOR: Command = Command {
    usage: "go mod vendor [-e] [-v] [-o outdir]",
    short: "make vendored copy of dependencies",
    long: include_str!("../../help/text/mod_vendor.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<Flags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = Flags::from_arg_matches(&parsed.matches)?;
    if modules::go_work(&session.settings, &session.files)?.is_some() {
        bail!(
            "'go mod vendor' cannot be run in workspace mode. Run 'go work vendor' to vendor the workspace or set 'GOWORK=off' to exit workspace mode."
        );
    }
    vendor(session, &flags.modules, &flags.vendor, &parsed.arguments)
}

/// Makes the vendor directory of the main module or of the workspace.
///
/// # Errors
/// What keeps it from being made; without `-e` every package that cannot be had.
pub fn vendor(
    session: &mut Session,
    common: &ModCommon,
    flags: &VendorFlags,
    arguments: &[String],
) -> Result {
    if !arguments.is_empty() {
        bail!("'go mod vendor' accepts no arguments");
    }
    modules::must_be_enabled(&session.settings)?;
    let request = ModRequest {
        default_mode: Some(ModMode::ReadOnly),
        common: Some(common),
        force: true,
        ..ModRequest::default()
    };
    let loaded = loading::open_modules(session, request)?;
    if loaded.go_work().is_some() && loaded.mains().is_empty() {
        let place = loaded.vendor_place().unwrap_or_default();
        VendorPlan::default().write(&session.files, &place)?;
        session.printer.note("go: no dependencies to vendor");
        return Ok(Status::DONE);
    }
    modules::must_have_main(session, &loaded)?;
    let context = Arc::new(configs::plain_context(session)?);
    let found = loaded.packages_to_vendor(Arc::clone(&context))?;
    let errors = found.errors(true);
    report(
        session,
        flags,
        errors.iter().map(ModError::to_string).collect(),
    )?;
    let reqs = found.reqs.clone().unwrap_or_else(|| loaded.reqs());
    loaded.commit(&reqs, Some(&found), &CommitOptions::default())?;
    let plan = loaded.plan_vendor(&found, &context)?;
    loaded.index().save();
    if flags.v {
        session.printer.err(&plan.modules_txt);
    }
    report(session, flags, plan.problems.clone())?;
    let place = match flags.o.as_deref().filter(|path| !path.is_empty()) {
        Some(path) => session.files.absolute(path),
        None => loaded.vendor_place().unwrap_or_default(),
    };
    if let Some(main) = loaded
        .mains()
        .iter()
        .find(|main| main.dir.starts_with(&place))
    {
        bail!(
            "{place} cannot become a vendor directory: it holds the module {}",
            main.path
        );
    }
    plan.write(&session.files, &place)?;
    if plan.modules_txt.is_empty() {
        session.printer.note("go: no dependencies to vendor");
    }
    Ok(Status::DONE)
}

/// Tells errors. They end the run unless `-e` was given.
fn report(session: &Session, flags: &VendorFlags, messages: Vec<String>) -> Result<()> {
    if messages.is_empty() {
        return Ok(());
    }
    if !flags.e {
        return Err(Failure::Errors(messages));
    }
    for message in messages {
        session.printer.note(format!("go: {message}"));
    }
    Ok(())
}

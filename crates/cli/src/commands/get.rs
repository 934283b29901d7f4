//! `go get`.

use clap::{Args, FromArgMatches};
use std::sync::Arc;
use steady_build::Modes;
use steady_packages::modload::{GetOptions, ModMode};
use steady_packages::source::syslist::SysList;

use crate::bail;
use crate::command::{Command, Kind};
use crate::commands::work::workfile;
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{BuildFlags, Json, ModCommon, Verbose};
use crate::flags::{Parsed, define};
use crate::loading::{self, ModRequest};
use crate::modules;
use crate::session::Session;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct GetFlags {
    #[command(flatten)]
    build: BuildFlags,
    #[command(flatten)]
    verbose: Verbose,
    #[command(flatten)]
    modules: ModCommon,
    #[command(flatten)]
    json: Json,
    /// Has no effect any more
    #[arg(long, num_args = 0..=1, hide = true)]
    d: Option<String>,
    /// Has no effect any more
    #[arg(long, hide = true)]
    f: bool,
    /// Has no effect any more
    #[arg(long, hide = true)]
    fix: bool,
    /// Has no effect any more
    #[arg(long, hide = true)]
    m: bool,
    /// Gone: see GOINSECURE
    #[arg(long, hide = true)]
    insecure: bool,
    /// Consider what tests of the named packages need
    #[arg(long)]
    t: bool,
    /// Upgrade what the named packages depend on too (-u=patch: patch releases only)
    #[arg(long, num_args = 0..=1, value_name = "patch")]
    u: Option<String>,
    /// Add a tool line to go.mod for each named package
    #[arg(long)]
    tool: bool,
}

/// `go get`
pub static GET: Command = Command {
    usage: "go get [-t] [-u] [-tool] [build flags] [packages]",
    short: "add dependencies to current module and install them",
    long: include_str!("../help/text/get.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<GetFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = GetFlags::from_arg_matches(&parsed.matches)?;
    let upgrade = match flags.u.as_deref() {
        None | Some("" | "false") => "",
        Some("true" | "upgrade") => "upgrade",
        Some("patch") => "patch",
        Some(other) => bail!("unknown upgrade flag -u={other}"),
    };
    gone(session, &flags)?;
    modules::must_be_enabled(&session.settings)?;
    let request = ModRequest {
        mode: Some("mod"),
        common: Some(&flags.modules),
        trace: flags.build.trace.x,
        tells_edits: flags.verbose.v,
        force: true,
        no_workspace: true,
        default_mode: Some(ModMode::Mod),
        ..ModRequest::default()
    };
    let loaded = loading::open_modules(session, request)?;
    if loaded.mains().is_empty() {
        bail!(
            "go.mod file not found in current directory or any parent directory.\n\t'go get' is no longer supported outside a module.\n\tTo build and install a command, use 'go install' with a version,\n\tlike 'go install example.com/cmd@latest'\n\tFor more information, see https://golang.org/doc/go-get-install-deprecation\n\tor run 'go help get' or 'go help install'."
        );
    }
    let goroot = session.settings.goroot.clone().unwrap_or_default();
    let syslist = SysList::load(&session.files, &goroot)?;
    let context = configs::build_context(
        &session.settings,
        &flags.build,
        &Modes::default(),
        Arc::new(syslist),
    )?;
    let options = GetOptions {
        context: Arc::new(context),
        upgrade: upgrade.to_owned(),
        tests: flags.t,
        tool: flags.tool,
        verbose: flags.verbose.v,
    };
    let got = loaded
        .get(&parsed.arguments, &options)
        .map_err(Failure::switching)?;
    for change in &got.changes {
        session.printer.note(format!("go: {change}"));
    }
    if let Some(work) = modules::go_work(&session.settings, &session.files)? {
        // One that cannot be read is told by the next command that needs it.
        let _ = workfile::keep_up(session, &work, loaded.reqs().go_version());
    }
    Ok(if got.failed {
        Status::FAILED
    } else {
        Status::DONE
    })
}

/// Flags that were there once.
fn gone(session: &Session, flags: &GetFlags) -> Result<()> {
    if flags.insecure {
        bail!("-insecure flag is no longer supported; use GOINSECURE instead");
    }
    if flags.m {
        bail!("-m flag is no longer supported");
    }
    for (name, given) in [("f", flags.f), ("fix", flags.fix)] {
        if given {
            session.printer.note(format!("go: -{name} flag is a no-op"));
        }
    }
    match flags.d.as_deref() {
        None | Some("" | "true") => {
            if flags.d.is_some() {
                session
                    .printer
                    .note("go: -d flag is deprecated. -d=true is a no-op");
            }
            Ok(())
        }
        Some(_) => Err(Failure::error("-d flag may not be set to false".to_owned())),
    }
}

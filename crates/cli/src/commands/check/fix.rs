//! Running the fixes that are safe: go commands, done by Steady itself.

use serde::Serialize;
use std::collections::BTreeMap;
use steady_assure::check::Action;
use steady_system::process::Command;

use super::report::Report;
use crate::session::Session;

/// One fix that was run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Fixed {
    /// The command line.
    pub command: String,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Runs what mends the findings and is safe, each thing once.
#[must_use]
pub fn apply(session: &Session, report: &Report) -> Vec<Fixed> {
    let open = report
        .findings
        .iter()
        .filter(|finding| finding.accepted.is_none());
    let fixes = open.filter_map(|finding| finding.fix.as_ref());
    let actions: BTreeMap<&Action, &str> = fixes
        .filter_map(|fix| Some((fix.action.as_ref()?, fix.command.as_str())))
        .collect();
    let run = |(action, command): (&Action, &str)| Fixed {
        command: command.to_owned(),
        failure: act(session, report, action).err(),
    };
    actions.into_iter().map(run).collect()
}

fn act(session: &Session, report: &Report, action: &Action) -> Result<(), String> {
    let dir = steady_system::clean(&report.root().join(&action.dir));
    let mut environment = session.environment().clone().in_dir(dir);
    if action.alone {
        environment = environment.with("GOWORK", "off");
    }
    let program = environment
        .executable()
        .ok_or("this program's own file is not known")?;
    let mut command = Command::new(program.as_str(), &environment);
    command.argv0("go").args(&action.words);
    let output = command.combined().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(output.text()),
    }
}

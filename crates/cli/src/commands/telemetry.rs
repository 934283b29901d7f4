//! `go telemetry`. Steady counts and sends nothing; it keeps the setting that go goes by.

use clap::Args;
use std::time::UNIX_EPOCH;
use steady_proxy::Time;
use steady_system::clock::Clock;

use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::session::Session;

#[derive(Args)]
struct TelemetryFlags {
    #[command(flatten)]
    chdir: Chdir,
}

/// `go telemetry`
pub static TELEMETRY: Command = Command {
    usage: "go telemetry [off|local|on]",
    short: "manage telemetry data and settings",
    long: include_str!("../help/text/telemetry.txt"),
    examples: &[],
    kind: Kind::Run {
        flags: define::<TelemetryFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let variables = session.settings.variables();
    let value = |name: &str| {
        variables
            .iter()
            .find(|v| v.name == name)
            .map_or("", |v| v.value.as_str())
    };
    let now = value("GOTELEMETRY");
    match parsed.arguments.as_slice() {
        [] => session.printer.out(format!("{now}\n")),
        [mode] if mode == now => {}
        [mode] if matches!(mode.as_str(), "off" | "local" | "on") => {
            let fail = |why: String| {
                Failure::error(format!("failed to set the telemetry mode to {mode}: {why}"))
            };
            let dir = value("GOTELEMETRYDIR");
            if dir.is_empty() {
                return Err(fail("cannot determine telemetry mode file name".to_owned()));
            }
            let path = camino::Utf8Path::new(dir).join("mode");
            let text = format!("{mode} {}", today());
            let written = session
                .files
                .create_dir_all(dir)
                .and_then(|()| session.files.write(&path, text.as_bytes(), 0o666));
            written.map_err(|error| fail(error.to_string()))?;
        }
        _ => return Err(Failure::Usage),
    }
    Ok(Status::DONE)
}

/// The date in UTC: `2026-01-31`.
fn today() -> String {
    let seconds = Clock::System
        .now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    date(seconds / 86400)
}

/// The date of a day counted from 1970-01-01.
fn date(days: u64) -> String {
    let seconds = i64::try_from(days * 86_400).unwrap_or(i64::MAX);
    Time::from_unix(seconds).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(date(20_453), "2025-12-31");
    }
}

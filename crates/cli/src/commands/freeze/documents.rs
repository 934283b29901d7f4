//! Bills of materials and provenance: what they are about is found here, what is in them the library knows.

use serde_json::Value;
use steady_assure::freeze::bom::{Bom, Lookup};
use steady_assure::freeze::{cyclonedx, provenance as statement, spdx, timestamp};
use steady_build::buildinfo::BuildInfo;
use steady_proxy::{Fetcher, Silent};
use steady_system::Files;

use crate::bail;
use crate::commands::build;
use crate::configs;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::FullBuildFlags;
use crate::gojson;
use crate::loading;
use crate::misuse;
use crate::session::Session;

/// How a bill is written down.
pub type Write = fn(&Bom) -> Value;

/// The formats there are.
pub fn format(name: &str) -> Result<Write> {
    Ok(match name {
        "cyclonedx" | "cyclonedx-1.6" => |bom| cyclonedx::document(bom, "1.6"),
        "cyclonedx-1.5" => |bom| cyclonedx::document(bom, "1.5"),
        "spdx" | "spdx-2.3" => spdx::document,
        other => misuse!("-sbom={other}: must be cyclonedx, cyclonedx-1.5 or spdx"),
    })
}

/// `SOURCE_DATE_EPOCH`, by which documents are told when they are made.
fn created(session: &Session) -> Result<Option<String>> {
    match session.environment().get("SOURCE_DATE_EPOCH") {
        "" => Ok(None),
        text => match text.parse() {
            Ok(seconds) => Ok(Some(timestamp(seconds))),
            Err(_) => misuse!("SOURCE_DATE_EPOCH={text}: must be seconds since 1970"),
        },
    }
}

fn lookup<'a>(
    session: &Session,
    fetcher: &'a Fetcher,
    files: &'a Files,
    go_version: &str,
) -> Result<Lookup<'a>> {
    let version = go_version.split(' ').next().unwrap_or_default();
    Ok(Lookup {
        fetcher,
        files,
        go_version: version.trim_start_matches("go").to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: created(session)?,
    })
}

/// The bill of packages, `./...` if none are named.
pub fn of_packages(
    session: &mut Session,
    flags: &FullBuildFlags,
    arguments: &[String],
) -> Result<Bom> {
    let mut request = build::request(flags, "", false);
    request.stamp = false;
    request.builds = false;
    request.skip_embeds = true;
    let bench = loading::prepare(session, request)?;
    let patterns = match arguments {
        [] => vec!["./...".to_owned()],
        patterns => patterns.to_vec(),
    };
    let loaded = bench.load(session, &patterns)?;
    loading::check(session, &loaded)?;
    if loaded.roots.is_empty() {
        bail!("no packages to write a bill of materials of");
    }
    let files = session.files.clone();
    let version = session.settings.version.clone();
    let lookup = lookup(session, bench.modules.fetcher(), &files, &version)?;
    Ok(lookup.of_packages(&bench.modules, &loaded.set, &loaded.roots))
}

/// A program: its name, its bytes, and what it says of itself.
pub fn program(session: &Session, file: &str) -> Result<(String, Vec<u8>, BuildInfo)> {
    let path = session.files.absolute(file);
    let bytes = session.files.read(&path)?;
    let info = BuildInfo::read(&path).map_err(|error| Failure::error(error.to_string()))?;
    let name = path.file_name().unwrap_or(file).to_owned();
    Ok((name, bytes, info))
}

/// The bill of a finished program.
pub fn of_program(session: &Session, file: &str) -> Result<Bom> {
    let (name, bytes, info) = program(session, file)?;
    let config = configs::proxy_config(&session.settings);
    let environment = session.environment().clone();
    let files = session.files.clone();
    let fetcher = Fetcher::new(
        config,
        environment,
        files.clone(),
        std::sync::Arc::new(Silent),
    );
    let lookup = lookup(session, &fetcher, &files, &info.go_version)?;
    Ok(lookup.of_program(&name, &bytes, &info))
}

/// Where a program comes from.
pub fn provenance(
    session: &Session,
    file: &str,
    builder: Option<&str>,
    output: Option<&str>,
) -> Result {
    let (name, bytes, info) = program(session, file)?;
    let maker = statement::Maker {
        builder,
        tool: env!("CARGO_PKG_VERSION"),
    };
    give(
        session,
        &statement::statement(&name, &bytes, &info, maker),
        output,
    )
}

/// Writes a document to a file, or to standard output.
pub fn give(session: &Session, document: &Value, output: Option<&str>) -> Result {
    let text = gojson::to_string(document)? + "\n";
    match output {
        None | Some("" | "-") => session.printer.out(text),
        Some(file) => session.files.write_atomic(file, text.as_bytes(), 0o644)?,
    }
    Ok(Status::DONE)
}

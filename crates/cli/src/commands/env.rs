//! `go env`.

use clap::{Args, FromArgMatches};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use steady_build::quote::{quote, split_words};

use crate::bail;
use crate::command::{Command, Kind};
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::{Chdir, Trace};
use crate::flags::{Parsed, define};
use crate::session::Session;
use crate::settings::files;
use crate::settings::table::Variable;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools)] // they are the go command's flags
struct EnvFlags {
    #[command(flatten)]
    chdir: Chdir,
    #[command(flatten)]
    trace: Trace,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Take back defaults that -w has set
    #[arg(long)]
    u: bool,
    /// Set the defaults of the named variables
    #[arg(long)]
    w: bool,
    /// Print only what differs from the default
    #[arg(long)]
    changed: bool,
}

/// `go env`
pub static ENV: Command = Command {
    usage: "go env [-json] [-changed] [-u] [-w] [var ...]",
    short: "print Go environment information",
    long: include_str!("../help/text/env.txt"),
    examples: &[
        ("where modules are kept", "steady env GOMODCACHE"),
        ("keep a default", "steady env -w GOPRIVATE=example.com/*"),
    ],
    kind: Kind::Run {
        flags: define::<EnvFlags>,
        run,
    },
};

/// Variables whose values need the build's C flags worked out.
const COSTLY: &[&str] = &[
    "CGO_CFLAGS",
    "CGO_CPPFLAGS",
    "CGO_CXXFLAGS",
    "CGO_FFLAGS",
    "CGO_LDFLAGS",
    "PKG_CONFIG",
    "GOGCCFLAGS",
];

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let flags = EnvFlags::from_arg_matches(&parsed.matches)?;
    let names = parsed.arguments.as_slice();
    for (both, text) in [
        (flags.json && flags.u, "cannot use -json with -u"),
        (flags.json && flags.w, "cannot use -json with -w"),
        (flags.u && flags.w, "cannot use -u with -w"),
    ] {
        if both {
            bail!("{text}");
        }
    }
    if flags.w {
        return write(session, names);
    }
    if flags.u {
        return unset(session, names);
    }
    let program = session.program.rsplit('/').next().unwrap_or_default();
    let settings = &session.settings;
    settings
        .check()
        .map_err(|error| Failure::Message(format!("{program}: {error}"), Status::USAGE))?;
    settings.experiments().map_err(Failure::error)?;
    if let Some(name) = names.iter().find(|name| name.contains('=')) {
        bail!(
            "invalid variable name {} (use -w to set variable)",
            quote(name)
        );
    }
    show(session, &flags, names)
}

fn show(session: &Session, flags: &EnvFlags, names: &[String]) -> Result {
    let mut all = session.settings.variables();
    all.extend(crate::modules::location(session)?);
    if names.is_empty() || names.iter().any(|name| COSTLY.contains(&name.as_str())) {
        all.extend(costly(session)?);
    }
    let find = |name: &str| all.iter().find(|variable| variable.name == name);
    let value = |name: &str| match find(name) {
        Some(variable) => variable.value.clone(),
        None if session.settings.is_known(name) => session.settings.get(name).to_owned(),
        None => String::new(),
    };
    let printer = &session.printer;
    let mut shown: BTreeMap<&str, String> = BTreeMap::new();
    if names.is_empty() {
        let wanted = all
            .iter()
            .filter(|variable| !flags.changed || variable.changed);
        shown.extend(wanted.map(|variable| (variable.name, variable.value.clone())));
    } else if flags.changed {
        let wanted = names
            .iter()
            .filter_map(|name| find(name))
            .filter(|variable| variable.changed);
        shown.extend(wanted.map(|variable| (variable.name, variable.value.clone())));
    } else if flags.json {
        shown.extend(names.iter().map(|name| (name.as_str(), value(name))));
    } else {
        for name in names {
            printer.out(value(name) + "\n");
        }
        return Ok(Status::DONE);
    }
    if flags.json {
        printer.out(crate::gojson::to_string(&shown)? + "\n");
        return Ok(Status::DONE);
    }
    let mut text = String::new();
    for (name, value) in shown {
        if value.contains('\0') {
            bail!(
                "internal error: encountered null byte in environment variable {name} on non-plan9 platform"
            );
        }
        let _ = writeln!(text, "{name}='{}'", value.replace('\'', r"'\''"));
    }
    printer.out(text);
    Ok(Status::DONE)
}

/// C flags as builds use them.
fn costly(session: &Session) -> Result<Vec<Variable>> {
    let settings = &session.settings;
    check_pair(session, settings.goos(), settings.goarch()).map_err(Failure::error)?;
    let plain = |name: &'static str, default: &str| {
        let (value, _) = settings.or_changed(name, default);
        let changed = value != default;
        Variable {
            name,
            value,
            changed,
        }
    };
    let optimised = "-O2 -g";
    let mut list = vec![
        plain("CGO_CFLAGS", optimised),
        plain("CGO_CPPFLAGS", ""),
        plain("CGO_CXXFLAGS", optimised),
        plain("CGO_FFLAGS", optimised),
        plain("CGO_LDFLAGS", optimised),
        plain("PKG_CONFIG", "pkg-config"),
    ];
    let value = crate::cflags::gogccflags(session)?;
    list.push(Variable {
        name: "GOGCCFLAGS",
        value,
        changed: false,
    });
    Ok(list)
}

fn write(session: &Session, arguments: &[String]) -> Result {
    if arguments.is_empty() {
        bail!("no KEY=VALUE arguments given");
    }
    let mut add: BTreeMap<String, String> = BTreeMap::new();
    for argument in arguments {
        let Some((key, value)) = argument.split_once('=') else {
            bail!("arguments must be KEY=VALUE: invalid argument: {argument}");
        };
        check_write(session, key, value).map_err(Failure::error)?;
        if add.insert(key.to_owned(), value.to_owned()).is_some() {
            bail!("multiple values for key: {key}");
        }
        let own = session.environment().get(key);
        if !own.is_empty() && own != value {
            session.printer.note(format!(
                "warning: go env -w {key}=... does not override conflicting OS environment variable"
            ));
        }
    }
    check_target(session, &add, &[]).map_err(Failure::error)?;
    if add
        .get("GOTMPDIR")
        .is_some_and(|dir| !dir.is_empty() && !is_absolute(dir))
    {
        bail!("GOTMPDIR must be an absolute path");
    }
    update(session, &add, &[])
}

fn unset(session: &Session, names: &[String]) -> Result {
    if names.is_empty() {
        bail!("'go env -u' requires an argument");
    }
    for name in names {
        check_write(session, name, "").map_err(Failure::error)?;
    }
    check_target(session, &BTreeMap::new(), names).map_err(Failure::error)?;
    update(session, &BTreeMap::new(), names)
}

fn is_absolute(path: &str) -> bool {
    std::path::Path::new(path).is_absolute()
}

/// May the variable be kept in the file, with this value?
fn check_write(session: &Session, key: &str, value: &str) -> std::result::Result<(), String> {
    match key {
        "GOEXE" | "GOGCCFLAGS" | "GOHOSTARCH" | "GOHOSTOS" | "GOMOD" | "GOWORK" | "GOTOOLDIR"
        | "GOVERSION" | "GOTELEMETRY" | "GOTELEMETRYDIR" => {
            return Err(format!("{key} cannot be modified"));
        }
        "GOENV" | "GODEBUG" => {
            return Err(format!("{key} can only be set using the OS environment"));
        }
        _ if !session.settings.is_known(key) => {
            return Err(format!("unknown go command variable {key}"));
        }
        "GO111MODULE" if !matches!(value, "" | "auto" | "on" | "off") => {
            return Err(format!("invalid {key} value {}", quote(value)));
        }
        "GOPATH" if value.starts_with('~') => {
            return Err(format!(
                "GOPATH entry cannot start with shell metacharacter '~': {}",
                quote(value)
            ));
        }
        "GOPATH" | "GOMODCACHE" if !value.is_empty() && !is_absolute(value) => {
            return Err(format!(
                "{key} entry is relative; must be absolute path: {}",
                quote(value)
            ));
        }
        "CC" | "CXX" if !value.is_empty() => check_compiler(key, value)?,
        _ => {}
    }
    if value.contains('\0') {
        return Err(format!("invalid NUL in {key}=... value"));
    }
    if value.contains(['\x0b', '\r', '\n']) {
        return Err(format!("invalid newline in {key}=... value"));
    }
    Ok(())
}

fn check_compiler(key: &str, value: &str) -> std::result::Result<(), String> {
    let words = split_words(value).map_err(|error| format!("invalid {key}: {error}"))?;
    let Some(program) = words.first() else {
        return Err(format!("{key} entry cannot contain only space"));
    };
    if program.contains('/') && !is_absolute(program) {
        return Err(format!(
            "{key} entry is relative; must be absolute path: {}",
            quote(program)
        ));
    }
    Ok(())
}

/// Would the target still be one that can be built for?
fn check_target(
    session: &Session,
    add: &BTreeMap<String, String>,
    remove: &[String],
) -> std::result::Result<(), String> {
    let settings = &session.settings;
    let after = |name: &str, now: &str, default: &str| -> (String, bool) {
        if let Some(value) = add.get(name) {
            return (value.clone(), true);
        }
        if remove.iter().any(|removed| removed == name) {
            let own = session.environment().get(name);
            return (if own.is_empty() { default } else { own }.to_owned(), true);
        }
        (now.to_owned(), false)
    };
    let own = |name: &str, host: &str| match session.environment().get(name) {
        "" => host.to_owned(),
        value => value.to_owned(),
    };
    let host = crate::settings::platform::host_os();
    let (goos, os_touched) = after("GOOS", settings.goos(), &own("GOOS", host));
    let host = crate::settings::platform::host_arch();
    let (goarch, arch_touched) = after("GOARCH", settings.goarch(), &own("GOARCH", host));
    if os_touched || arch_touched {
        check_pair(session, &goos, &goarch)?;
    }
    let default = settings.built_in("GOEXPERIMENT");
    let (experiment, touched) = after("GOEXPERIMENT", settings.get("GOEXPERIMENT"), default);
    if touched {
        settings.experiments_for(&goos, &goarch, &experiment)?;
    }
    Ok(())
}

fn check_pair(session: &Session, goos: &str, goarch: &str) -> std::result::Result<(), String> {
    match session.settings.pair(goos, goarch).known {
        true => Ok(()),
        false => Err(format!("unsupported GOOS/GOARCH pair {goos}/{goarch}")),
    }
}

fn update(session: &Session, add: &BTreeMap<String, String>, remove: &[String]) -> Result {
    let path = match &session.settings.env_file.path {
        Ok(path) => session.files.absolute(path),
        Err(error) => bail!("cannot find go env config: {error}"),
    };
    let text = match session.files.read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.is_not_found() && !add.is_empty() => String::new(),
        Err(error) => bail!("reading go env config: {error}"),
    };
    if let Some(dir) = path.parent() {
        let _ = session.files.create_dir_all(dir);
    }
    match session
        .files
        .write(&path, files::update(&text, add, remove).as_bytes(), 0o666)
    {
        Ok(()) => Ok(Status::DONE),
        Err(error) => bail!("writing go env config: {error}"),
    }
}

//! Settings: those of this machine, and those of one on which nobody has set anything.

use camino::Utf8Path;
use steady_assure::check::world::Setting;
use steady_system::Files;

use crate::commands::check::Flags;
use crate::session::Session;
use crate::settings::Settings;
use crate::settings::table::KNOWN;

/// Where modules come from and what lies at hand is the same in all environments, unless `-online` asks for more.
const SHARED: [&str; 9] = [
    "GOPROXY",
    "GOPRIVATE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOINSECURE",
    "GOAUTH",
    "GOVCS",
    "GOTMPDIR",
    "GOPATH",
];

/// A session with other settings and files. It asks nobody for sums that are not recorded, and nobody at all unless it may.
pub(super) fn acting(
    session: &Session,
    mut settings: Settings,
    files: Files,
    flags: &Flags,
) -> Session {
    let mut session = session.fork();
    settings.frozen.offline = !flags.online;
    settings.environment = settings.environment.with("GOSUMDB", "off");
    session.settings = settings;
    session.files = files;
    session
}

/// The settings of a machine on which nobody has set anything; with this machine's caches, or with empty ones in a directory of their own.
pub(super) fn defaults(here: &Settings, files: &Files, own: Option<&Utf8Path>) -> Settings {
    let mut environment = here.environment.clone();
    let set: Vec<String> = environment
        .variables()
        .iter()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .filter(|name| KNOWN.contains(&name.as_str()) || name.starts_with("CGO_"))
        .collect();
    for name in set {
        environment = environment.without(&name);
    }
    environment = environment.with("GOENV", "off");
    if let Some(dir) = own {
        environment = environment
            .with("GOMODCACHE", dir.join("mod").as_str())
            .with("XDG_CACHE_HOME", dir.join("cache").as_str());
    } else {
        for name in SHARED {
            match here.get(name) {
                "" => {}
                value => environment = environment.with(name, value),
            }
        }
        environment = environment.with("GOMODCACHE", here.gomodcache().0);
    }
    if let (Ok(dir), _) = here.gocache() {
        environment = environment.with("GOCACHE", dir.as_str());
    }
    let mut settings = Settings::load(environment, files);
    if let Some(goroot) = &here.goroot {
        settings = settings.with_goroot(goroot.clone(), files);
    }
    settings.version.clone_from(&here.version);
    settings.test_version.clone_from(&here.test_version);
    settings
}

/// What was set on this machine: in the process environment, and by `go env -w`.
pub(super) fn set_here(settings: &Settings, files: &Files) -> Vec<Setting> {
    let mut all = Vec::new();
    for name in KNOWN.iter().copied() {
        let value = settings.environment.get(name);
        if !value.is_empty() {
            all.push(Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                line: 0,
            });
        }
    }
    let text = settings.env_file.path.as_ref().ok();
    let text = text
        .and_then(|path| files.read_to_string(path).ok())
        .unwrap_or_default();
    for (at, line) in text.lines().enumerate() {
        let Some((name, value)) = line.trim().split_once('=') else {
            continue;
        };
        if !name.starts_with('#') && !value.is_empty() {
            all.push(Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                line: at + 1,
            });
        }
    }
    all
}

//! `-locked`, `-offline` and `-frozen`: known before anything else is decided, because the choice of a toolchain may fetch one.

use crate::command::Command;
use crate::flags::{GoFlags, grammar};
use crate::session::Called;
use crate::settings::Frozen;

/// What the command line (its command takes `used` words) and GOFLAGS ask for. Mistakes are for the command's own reading of its flags
/// to tell; what cannot be read asks for nothing.
#[must_use]
pub fn asked(command: &Command, goflags: &str, words: &[String], used: usize) -> Frozen {
    const NAMES: [&str; 3] = ["locked", "offline", "frozen"];
    let mentioned = |word: &str| NAMES.iter().any(|name| word.contains(name));
    let words = words.get(used..).unwrap_or_default();
    if !mentioned(goflags) && !words.iter().any(|word| mentioned(word)) {
        return Frozen::default();
    }
    let Some(definition) = command.definition(Called::Steady) else {
        return Frozen::default();
    };
    let goflags = GoFlags::parse(goflags, true, |_| true).unwrap_or_default();
    let goflags = goflags.apply(&definition).unwrap_or_default();
    let Ok(parsed) = grammar::parse(&definition, &goflags, words) else {
        return Frozen::default();
    };
    let on = |name: &str| {
        let value = parsed.matches.try_get_one::<bool>(name);
        value.is_ok_and(|value| value == Some(&true))
    };
    let frozen = on("frozen");
    Frozen {
        locked: frozen || on("locked"),
        offline: frozen || on("offline"),
    }
}

//! `install` and `run` of `path@version` with a flag that nobody knows.
//!
//! The flag may be one of a newer Go, which the module asks for. So before the flag is refused, the module is looked for; flags that
//! are not known are passed over for that as well as can be.

use steady_module::gover;

use crate::commands::build::names_version;
use crate::failure::TooNew;
use crate::flags::build::ModCommon;
use crate::flags::grammar::{self, Definition, Word};
use crate::flags::value;
use crate::loading::{self, ModRequest};
use crate::session::Session;
use crate::toolchain::may_switch;

/// What such a command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    /// `path@version`
    argument: String,
    /// `-modcacherw`, which says how the module is to be kept.
    modcacherw: Option<bool>,
}

/// The newer Go that the module named by `words` asks for, if it does, and if another toolchain may be taken at all.
pub fn newer_go(
    session: &mut Session,
    definition: &Definition,
    words: &[String],
) -> Option<TooNew> {
    let runs = match session.command.long_name() {
        "install" => false,
        "run" => true,
        _ => return None,
    };
    if !may_switch(&session.settings) {
        return None;
    }
    let asked = find(definition, words, runs)?;
    let by_default = || {
        let goflags = session.goflags.apply(definition).unwrap_or_default();
        goflags.iter().any(|word| word == "--modcacherw=true")
    };
    let common = ModCommon {
        modcacherw: asked.modcacherw.unwrap_or_else(by_default),
        ..ModCommon::default()
    };
    let request = ModRequest {
        common: Some(&common),
        no_main_module: true,
        force: true,
        ..ModRequest::default()
    };
    let modules = loading::open_modules(session, request).ok()?;
    let ask = modules.newer_go(&asked.argument)?;
    Some(TooNew {
        what: ask.what,
        version: ask.go_version,
    })
}

/// Finds the first argument. Behind a flag that is not known there may be its value: `run` gives up then, since what follows may be the
/// program's; of `install` the last word is taken.
fn find(definition: &Definition, words: &[String], runs: bool) -> Option<Asked> {
    let mut asked = Asked::default();
    let mut rest = words;
    while let Some(word) = rest.first() {
        match grammar::read_word(definition, rest, "").ok()? {
            Word::Plain => {
                asked.argument.clone_from(word);
                break;
            }
            Word::End => {
                asked.argument.clone_from(rest.get(1)?);
                break;
            }
            Word::Flag { name, value, used } => {
                if name == "modcacherw" {
                    asked.modcacherw = Some(value::boolean(&value).ok()?);
                }
                rest = rest.get(used..)?;
            }
            Word::Unknown { has_value: true } => rest = &rest[1..],
            Word::Unknown { has_value: false } if runs => return None,
            Word::Unknown { has_value: false } => {
                rest = &rest[1..];
                let known = rest.iter().position(|word| says_modcacherw(word));
                let skipped = known.unwrap_or(rest.len());
                if let (None, Some(last)) = (known, rest.last())
                    && !last.starts_with('-')
                {
                    asked.argument.clone_from(last);
                }
                rest = &rest[skipped..];
            }
        }
    }
    let (path, version) = asked.argument.split_once('@')?;
    let good = names_version(&asked.argument) && !path.is_empty() && !version.is_empty();
    (good && !gover::is_toolchain(path)).then_some(asked)
}

fn says_modcacherw(word: &str) -> bool {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    matches!(name, "-modcacherw" | "--modcacherw")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::build::FullBuildFlags;
    use crate::flags::define;

    #[test]
    fn the_argument_is_found_behind_unknown_flags() {
        let found = |line: &str, runs| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            find(&define::<FullBuildFlags>(), &words, runs)
                .map(|asked| (asked.argument, asked.modcacherw))
        };
        let m = |modcacherw| Some(("x.test/m@v1".to_owned(), modcacherw));
        assert_eq!(found("-new x.test/m@v1", false), m(None));
        assert_eq!(found("-new value x.test/m@v1", false), m(None));
        assert_eq!(found("-new=value -p 4 x.test/m@v1 arg", true), m(None));
        assert_eq!(
            found("-new -tags -modcacherw x.test/m@v1", false),
            m(Some(true))
        );
        assert_eq!(
            found("-new=1 -modcacherw=0 -- x.test/m@v1", false),
            m(Some(false))
        );
        assert_eq!(
            found("-new x.test/m@v1", true),
            None,
            "which word is its value?"
        );
        assert_eq!(found("-new ./m@v1", false), None);
        assert_eq!(found("-new go@1.30", false), None);
    }
}

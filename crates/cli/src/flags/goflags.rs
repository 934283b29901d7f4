//! GOFLAGS: flags that every command which knows them starts with.
//!
//! The list is checked against the flags of all commands, so a word that no command knows is a mistake; a flag that only other
//! commands know is passed over.

use steady_build::quote::{quote, split_words};

use super::grammar::{self, Definition, FlagError};

#[cfg(not(windows))]
const PLACE: &str = "$GOFLAGS";
#[cfg(windows)]
const PLACE: &str = "%GOFLAGS%";

/// GOFLAGS, split and checked.
#[derive(Debug, Clone, Default)]
pub struct GoFlags(Vec<String>);

impl GoFlags {
    /// Splits and checks the variable's value. `known` says whether any command has the flag; `lenient` passes over mistakes
    /// (`env` and `bug` must work whatever GOFLAGS holds).
    ///
    /// # Errors
    /// The text after `go: `.
    pub fn parse(
        text: &str,
        lenient: bool,
        known: impl Fn(&str) -> bool,
    ) -> Result<GoFlags, String> {
        let words = match split_words(text) {
            Ok(words) => words,
            Err(_) if lenient => return Ok(GoFlags::default()),
            Err(error) => return Err(format!("parsing $GOFLAGS: {error}")),
        };
        let mut flags = Vec::with_capacity(words.len());
        for word in words {
            match name_of(&word) {
                None if lenient => {}
                None => return Err(format!("parsing $GOFLAGS: non-flag {}", quote(&word))),
                Some(name) if !lenient && !known(name) => {
                    return Err(format!("parsing $GOFLAGS: unknown flag -{name}"));
                }
                Some(_) => flags.push(word),
            }
        }
        Ok(GoFlags(flags))
    }

    /// The words that a command takes, checked, in the form that [`grammar::parse`] wants.
    ///
    /// # Errors
    /// A value that the flag does not take.
    pub fn apply(&self, definition: &Definition) -> Result<Vec<String>, FlagError> {
        self.apply_prefixed(definition, "")
    }

    /// The same for a command whose flags may also have a prefix.
    ///
    /// # Errors
    /// As [`GoFlags::apply`].
    pub fn apply_prefixed(
        &self,
        definition: &Definition,
        prefix: &str,
    ) -> Result<Vec<String>, FlagError> {
        let mut taken = Vec::new();
        for word in &self.0 {
            let (dashed, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.as_str(), None),
            };
            let name = dashed.trim_start_matches('-');
            let short = name.strip_prefix(prefix).unwrap_or(name);
            let known = grammar::lookup(definition, name);
            let Some(arg) = known.or_else(|| grammar::lookup(definition, short)) else {
                continue;
            };
            let name = arg.get_long().unwrap_or(name);
            let dashed = format!("-{name}");
            let value = match value {
                Some(value) => value,
                None if grammar::is_boolean(arg) => "true",
                None => {
                    return Err(FlagError::Wrong(format!(
                        "go: flag needs an argument: {dashed} (from {PLACE})"
                    )));
                }
            };
            let word = format!("--{name}={value}");
            definition
                .clone()
                .try_get_matches_from([&word])
                .map_err(|error| {
                    grammar::value_error(definition, &error, Some((&dashed, PLACE)))
                })?;
            taken.push(word);
        }
        Ok(taken)
    }

    /// Does the list hold the flag?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|word| name_of(word) == Some(name))
    }
}

/// The flag's name, `None` if the word is not `-x`, `--x`, `-x=value` or `--x=value`.
fn name_of(word: &str) -> Option<&str> {
    let rest = word.strip_prefix('-')?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    if rest.is_empty() || rest.starts_with(['-', '=']) {
        return None;
    }
    Some(rest.split_once('=').map_or(rest, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::build::BuildFlags;
    use crate::flags::define;

    fn known(name: &str) -> bool {
        matches!(name, "mod" | "ldflags" | "v" | "count")
    }

    #[test]
    fn words_are_checked_unless_lenient() {
        let error = |text| GoFlags::parse(text, false, known).unwrap_err();
        assert_eq!(error("mod=x"), r#"parsing $GOFLAGS: non-flag "mod=x""#);
        assert_eq!(error("-nope=1"), "parsing $GOFLAGS: unknown flag -nope");
        assert_eq!(error("'-v"), "parsing $GOFLAGS: unterminated ' string");
        assert!(GoFlags::parse("=true -nope '-", true, known).is_ok());
    }

    #[test]
    fn a_command_takes_what_it_knows() {
        let flags = GoFlags::parse("-count=1 '-ldflags=-X a=b' -v", false, known).unwrap();
        let definition = define::<BuildFlags>();
        assert_eq!(flags.apply(&definition).unwrap(), ["--ldflags=-X a=b"]);
        assert!(flags.has("v"));
        assert!(!flags.has("mod"));
    }

    #[test]
    fn a_wrong_value_names_the_variable() {
        let flags = GoFlags::parse("-ldflags", false, known).unwrap();
        assert_eq!(
            flags
                .apply(&define::<BuildFlags>())
                .unwrap_err()
                .to_string(),
            format!("go: flag needs an argument: -ldflags (from {PLACE})")
        );
    }
}

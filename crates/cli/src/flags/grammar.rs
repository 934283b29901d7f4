//! The go command's grammar of flags, in front of clap.
//!
//! clap holds the definition of every flag (name, kind of value, help) and makes typed values of them; it knows neither `-name`
//! for long names nor Go's booleans. So argv is read here by Go's rules and handed to clap as `--name=value`, one word a flag:
//!
//! * `-name`, `--name`, `-name=value`, `--name=value`, and `-name value` unless the flag is boolean;
//! * a boolean takes its value only after `=`; alone it means true;
//! * flags end before the first word that is not a flag, and after `--`.
//!
//! Invariant: what this module hands to clap can only fail there because of a value, and a value's failure is reported in Go's
//! words with the flag's name, in the order of the command line.

use clap::builder::ValueRange;
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::error::Error as _;
use std::fmt;
use steady_build::quote::quote;

use super::value;

/// The heading of flags that the go command lacks. Called `go`, Steady does not know them.
pub const OWN: &str = "Steady's own";

/// Is it a flag that the go command lacks?
#[must_use]
pub fn is_own(arg: &Arg) -> bool {
    arg.get_help_heading() == Some(OWN)
}

/// A definition without the flags that the go command lacks.
#[must_use]
pub fn as_go(definition: Definition) -> Definition {
    definition.mut_args(|arg| match arg.get_help_heading() {
        // An argument without a name would be a positional one; this name nobody can mean.
        Some(OWN) => {
            let name = format!("({})", arg.get_id());
            arg.long(name).hide(true)
        }
        _ => arg,
    })
}

/// The group of arguments that one command takes, as clap sees it. See [`define`].
pub type Definition = Command;

/// Why a command line is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagError {
    /// `-h`, `-help` where no such flag exists: usage is asked for.
    Help,
    /// A message in Go's words; usage follows it.
    Wrong(String),
    /// No flag of that name. Kept apart so that similar names can be suggested.
    Unknown(String),
}

impl fmt::Display for FlagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlagError::Help => f.write_str("help requested"),
            FlagError::Wrong(message) => f.write_str(message),
            FlagError::Unknown(name) => write!(f, "flag provided but not defined: -{name}"),
        }
    }
}

/// A command line after parsing.
#[derive(Debug)]
pub struct Parsed {
    /// Typed values, for `FromArgMatches`.
    pub matches: ArgMatches,
    /// What follows the flags.
    pub arguments: Vec<String>,
}

impl Parsed {
    /// Was the flag given, on the command line or in GOFLAGS?
    #[must_use]
    pub fn given(&self, name: &str) -> bool {
        self.matches.value_source(name) == Some(clap::parser::ValueSource::CommandLine)
    }
}

/// Makes a definition of a derived set of flags: long names of any length, booleans that take `=value`, the last of a repeated
/// flag wins, no help or version flag of clap's own.
#[must_use]
pub fn define<T: clap::Args>() -> Definition {
    let command = Command::new("go")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true);
    T::augment_args(command).mut_args(|arg| match arg.get_action() {
        ArgAction::SetTrue => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .value_parser(value::boolean)
            .default_value("false"),
        _ => arg,
    })
}

/// Is a value optional, that is, does the flag stand alone like a boolean?
#[must_use]
pub fn is_boolean(arg: &Arg) -> bool {
    arg.get_num_args()
        .is_some_and(|range: ValueRange| range.min_values() == 0)
}

/// Is the flag a real boolean, with `true` and `false` as its values?
#[must_use]
pub fn is_pure_boolean(arg: &Arg) -> bool {
    is_boolean(arg)
        && arg
            .get_default_values()
            .first()
            .is_some_and(|v| v == "false")
}

/// The flag's definition.
#[must_use]
pub fn lookup<'a>(definition: &'a Definition, name: &str) -> Option<&'a Arg> {
    definition
        .get_arguments()
        .find(|arg| arg.get_long() == Some(name))
}

/// One word of the command line that is a flag: its name and the value after `=`. `None` if the word is not a flag.
fn split_flag(word: &str) -> Option<Result<(&str, Option<&str>), FlagError>> {
    let rest = word.strip_prefix('-').filter(|rest| !rest.is_empty())?;
    let name = rest.strip_prefix('-').unwrap_or(rest);
    if name.is_empty() || name.starts_with(['-', '=']) {
        return Some(Err(FlagError::Wrong(format!("bad flag syntax: {word}"))));
    }
    Some(Ok(match name.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name, None),
    }))
}

/// Reads `words` (without the command's name). `goflags` are words for clap that come before them; they have been checked by
/// [`super::goflags`].
///
/// # Errors
/// The first mistake in the order of the command line.
pub fn parse(
    definition: &Definition,
    goflags: &[String],
    words: &[String],
) -> Result<Parsed, FlagError> {
    let mut normal: Vec<String> = goflags.to_vec();
    let mut mistake = None;
    let mut rest = words.iter();
    let arguments = loop {
        let here = rest.as_slice();
        let Some(word) = rest.next() else {
            break Vec::new();
        };
        if word == "--" {
            break rest.as_slice().to_vec();
        }
        let (name, value) = match split_flag(word) {
            None => break here.to_vec(),
            Some(Err(error)) => {
                mistake = Some(error);
                break Vec::new();
            }
            Some(Ok(flag)) => flag,
        };
        match normalise(definition, name, value, || rest.next().map(String::as_str)) {
            Ok(word) => normal.push(word),
            Err(error) => {
                mistake = Some(error);
                break Vec::new();
            }
        }
    };
    // A wrong value that stands before the mistake is the one to report.
    let matches = definition
        .clone()
        .try_get_matches_from(&normal)
        .map_err(|error| value_error(definition, &error, None))?;
    match mistake {
        Some(mistake) => Err(mistake),
        None => Ok(Parsed { matches, arguments }),
    }
}

/// What the first of some words is, for commands that read word by word.
#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    /// No flag.
    Plain,
    /// `--`, behind which there are no flags.
    End,
    /// A flag that is not defined.
    Unknown {
        /// It has a value after `=`.
        has_value: bool,
    },
    /// A flag, and how many words it took.
    Flag {
        /// Its name as defined.
        name: String,
        /// Its value; of a boolean alone `true`.
        value: String,
        /// 1 or 2.
        used: usize,
    },
}

/// Looks at the first of `words`. A flag is also known with `prefix` in front of its name.
///
/// # Errors
/// Help is asked for, a flag is malformed, or its value is missing.
pub fn read_word(
    definition: &Definition,
    words: &[String],
    prefix: &str,
) -> Result<Word, FlagError> {
    let Some(word) = words.first() else {
        return Ok(Word::End);
    };
    if word == "--" {
        return Ok(Word::End);
    }
    let (name, value) = match split_flag(word) {
        None => return Ok(Word::Plain),
        Some(flag) => flag?,
    };
    let short = name.strip_prefix(prefix).unwrap_or(name);
    let Some(arg) = lookup(definition, name).or_else(|| lookup(definition, short)) else {
        return match name {
            "h" | "help" => Err(FlagError::Help),
            _ => Ok(Word::Unknown {
                has_value: value.is_some(),
            }),
        };
    };
    let name = arg.get_long().unwrap_or(name).to_owned();
    let (value, used) = match value {
        Some(value) => (value.to_owned(), 1),
        None if is_boolean(arg) => ("true".to_owned(), 1),
        None => match words.get(1) {
            Some(value) => (value.clone(), 2),
            None => return Err(FlagError::Wrong(format!("flag needs an argument: -{name}"))),
        },
    };
    Ok(Word::Flag { name, value, used })
}

/// Checks one flag in the form `--name=value`.
///
/// # Errors
/// A value that it does not take, in Go's words.
pub fn check(definition: &Definition, word: &str) -> Result<(), FlagError> {
    let matches = definition.clone().try_get_matches_from([word]);
    matches
        .map(drop)
        .map_err(|error| value_error(definition, &error, None))
}

fn normalise<'a>(
    definition: &Definition,
    name: &str,
    value: Option<&'a str>,
    next: impl FnOnce() -> Option<&'a str>,
) -> Result<String, FlagError> {
    let Some(arg) = lookup(definition, name) else {
        return Err(match name {
            "h" | "help" => FlagError::Help,
            _ => FlagError::Unknown(name.to_owned()),
        });
    };
    if is_boolean(arg) {
        return Ok(format!("--{name}={}", value.unwrap_or("true")));
    }
    match value.or_else(next) {
        Some(value) => Ok(format!("--{name}={value}")),
        None => Err(FlagError::Wrong(format!("flag needs an argument: -{name}"))),
    }
}

/// What Go would say of a value that clap refused. `source` is the place a flag of GOFLAGS comes from.
pub(super) fn value_error(
    definition: &Definition,
    error: &clap::Error,
    source: Option<(&str, &str)>,
) -> FlagError {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let name = text(ContextKind::InvalidArg)
        .trim_start_matches('-')
        .split([' ', '=', '['])
        .next()
        .unwrap_or_default()
        .to_owned();
    let given = quote(text(ContextKind::InvalidValue));
    let reason = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let boolean = lookup(definition, &name).is_some_and(is_boolean);
    let kind = if boolean { "boolean value" } else { "value" };
    FlagError::Wrong(match source {
        Some((word, place)) => {
            format!("go: invalid {kind} {given} for flag {word} (from {place}): {reason}")
        }
        None if boolean => format!("invalid {kind} {given} for -{name}: {reason}"),
        None => format!("invalid {kind} {given} for flag -{name}: {reason}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    #[derive(clap::Args, Debug)]
    struct Flags {
        #[arg(long)]
        v: bool,
        #[arg(long)]
        o: Option<String>,
        #[arg(long, value_parser = value::integer)]
        p: Option<i64>,
        #[arg(long, num_args = 0..=1)]
        json: Option<String>,
    }

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn read(text: &str) -> Result<(Flags, Vec<String>), String> {
        let parsed = parse(&define::<Flags>(), &[], &words(text)).map_err(|e| e.to_string())?;
        let flags = Flags::from_arg_matches(&parsed.matches).map_err(|e| e.to_string())?;
        Ok((flags, parsed.arguments))
    }

    #[test]
    fn one_or_two_dashes_and_values_in_both_forms() {
        for line in ["-o x -v a -p", "--o=x --v=true a -p", "-o=x -v=1 a -p"] {
            let (flags, rest) = read(line).unwrap();
            assert_eq!(flags.o.as_deref(), Some("x"), "{line}");
            assert!(flags.v, "{line}");
            assert_eq!(rest, words("a -p"), "{line}");
        }
    }

    #[test]
    fn flags_end_at_a_word_a_single_dash_or_two() {
        assert_eq!(read("-v - -o").unwrap().1, words("- -o"));
        assert_eq!(read("-v -- -o").unwrap().1, words("-o"));
        assert_eq!(read("-o -- -v").unwrap().0.o.as_deref(), Some("--"));
    }

    #[test]
    fn the_last_of_a_repeated_flag_wins_and_booleans_never_eat_a_word() {
        let (flags, rest) = read("-o a -v -o b -v=false true").unwrap();
        assert_eq!(flags.o.as_deref(), Some("b"));
        assert!(!flags.v);
        assert_eq!(rest, words("true"));
        assert_eq!(read("-json x").unwrap().0.json.as_deref(), Some("true"));
        assert_eq!(
            read("-json=Dir,Name").unwrap().0.json.as_deref(),
            Some("Dir,Name")
        );
    }

    #[test]
    fn mistakes_are_told_as_go_tells_them() {
        let error = |line| read(line).unwrap_err();
        assert_eq!(error("-x"), "flag provided but not defined: -x");
        assert_eq!(error("-v -o"), "flag needs an argument: -o");
        assert_eq!(
            error("-v=x"),
            r#"invalid boolean value "x" for -v: parse error"#
        );
        assert_eq!(
            error("-p x"),
            r#"invalid value "x" for flag -p: parse error"#
        );
        assert_eq!(error("---v"), "bad flag syntax: ---v");
        assert_eq!(error("-=v"), "bad flag syntax: -=v");
        assert_eq!(error("-help"), "help requested");
    }

    #[test]
    fn the_first_mistake_is_the_one_reported() {
        assert_eq!(
            read("-v=x -nope").unwrap_err(),
            r#"invalid boolean value "x" for -v: parse error"#
        );
    }
}

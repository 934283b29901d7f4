//! Help, in two voices: as `go` the layout that programs know from the go command, as `steady` with examples and with Steady's
//! own commands listed apart. Both are made from the table of commands and the definitions of flags.

use clap::Arg;
use std::fmt::Write as _;

use crate::command::{Command, Kind};
use crate::commands::GO;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::Definition;
use crate::flags::grammar::{is_own, is_pure_boolean};
use crate::printer::Printer;
use crate::session::Called;

/// `go help [words]`.
///
/// # Errors
/// No such topic; exit code 2.
pub fn help(printer: &Printer, called: Called, words: &[String]) -> Result {
    let mut command = &GO;
    for (i, word) in words.iter().enumerate() {
        let next = command
            .commands()
            .iter()
            .copied()
            .find(|c| c.name() == word && called.knows(c));
        let Some(next) = next else {
            let name = called.name();
            let mut good = format!("{name} help");
            for word in &words[..i] {
                let _ = write!(good, " {word}");
            }
            let asked = words.join(" ");
            return Err(Failure::Message(
                format!("{name} help {asked}: unknown help topic. Run '{good}'."),
                Status::USAGE,
            ));
        };
        command = next;
    }
    printer.out(text(command, called));
    Ok(Status::DONE)
}

/// The help text of a command, group or topic.
#[must_use]
pub fn text(command: &Command, called: Called) -> String {
    match command.kind {
        Kind::Group(_) => group(command, called),
        Kind::Topic => format!("{}\n", command.long.trim()),
        _ => single(command, called),
    }
}

/// The usage line as the user would type it.
#[must_use]
pub fn usage_line(command: &Command, called: Called) -> String {
    match (called, command.usage.strip_prefix("go")) {
        (Called::Steady, Some(rest)) if rest.is_empty() || rest.starts_with(' ') => {
            format!("steady{rest}")
        }
        _ => command.usage.to_owned(),
    }
}

/// What is printed after wrong usage of a command.
#[must_use]
pub fn short_usage(command: &Command, called: Called) -> String {
    let (name, command_name) = (called.name(), command.long_name());
    let more = match command_name {
        "test" => format!("Run '{name} help test' and '{name} help testflag' for details.\n"),
        "vet" | "fix" => format!(
            "Run '{name} help {command_name}' for details.\n\
             Run '{name} tool {command_name} help' for a full list of flags and analyzers.\n\
             Run '{name} tool {command_name} -help' for an overview.\n"
        ),
        _ => format!("Run '{name} help {command_name}' for details.\n"),
    };
    format!("usage: {}\n{more}", usage_line(command, called))
}

/// A list of commands, as `go` without arguments and `go help` print it.
#[must_use]
pub fn group(command: &Command, called: Called) -> String {
    let root = command.long_name().is_empty();
    let long = if root && called == Called::Steady {
        "Steady takes Go code from written to running: the go command's commands, with the toolchain brought along, and some more."
    } else {
        command.long.trim()
    };
    let name = called.name();
    let mut out = format!(
        "{long}\n\nUsage:\n\n\t{} <command> [arguments]\n",
        usage_line(command, called)
    );
    let list = |out: &mut String, width: usize, wanted: &dyn Fn(&Command) -> bool| {
        for command in command
            .commands()
            .iter()
            .filter(|c| called.knows(c) && wanted(c))
        {
            let _ = writeln!(out, "\t{:width$} {}", command.name(), command.short);
        }
    };
    let own = Command::is_own;
    let shared = |c: &Command| !matches!(c.kind, Kind::Topic) && !own(c);
    if command.commands().iter().any(|c| shared(c)) {
        out.push_str("\nThe commands are:\n\n");
        list(&mut out, 11, &shared);
    }
    if command.commands().iter().any(|c| own(c) && called.knows(c)) {
        out.push_str("\nCommands of Steady's own:\n\n");
        list(&mut out, 11, &Command::is_own);
    }
    let prefix = if root {
        String::new()
    } else {
        format!(" {}", command.long_name())
    };
    let _ = writeln!(
        out,
        "\nUse \"{name} help{prefix} <command>\" for more information about a command."
    );
    if root {
        out.push_str("\nAdditional help topics:\n\n");
        list(&mut out, 15, &|c| matches!(c.kind, Kind::Topic));
        let _ = writeln!(
            out,
            "\nUse \"{name} help <topic>\" for more information about that topic."
        );
    }
    out.push('\n');
    out
}

fn single(command: &Command, called: Called) -> String {
    let mut out = format!(
        "usage: {}\n\n{}\n",
        usage_line(command, called),
        command.long.trim()
    );
    if let Some(definition) = command.definition(called) {
        flags(&mut out, "The flags are", &definition, |arg| !is_own(arg));
        flags(&mut out, "Flags of Steady's own", &definition, is_own);
    }
    if called == Called::Steady && !command.examples.is_empty() {
        out.push_str("\nExamples:\n\n");
        for (what, line) in command.examples {
            let _ = writeln!(out, "\t# {what}\n\t{line}\n");
        }
        out.pop();
    }
    out
}

/// A list of flags, one definition each.
fn flags(out: &mut String, title: &str, definition: &Definition, wanted: impl Fn(&Arg) -> bool) {
    let mut arguments: Vec<&Arg> = definition
        .get_arguments()
        .filter(|arg| arg.get_long().is_some() && !arg.is_hide_set() && wanted(arg))
        .collect();
    if arguments.is_empty() {
        return;
    }
    arguments.sort_by_key(|arg| arg.get_long().unwrap_or_default().to_lowercase());
    let _ = write!(out, "\n{title}:\n\n");
    for arg in arguments {
        let _ = writeln!(out, "\t-{}", signature(arg));
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(out, "\t\t{}.", help.trim_end_matches('.'));
    }
}

/// `o output`, `v`, `json[=fields]`.
#[must_use]
pub fn signature(arg: &Arg) -> String {
    let name = arg.get_long().unwrap_or_default();
    let value = arg.get_value_names().and_then(|names| names.first());
    match value {
        _ if is_pure_boolean(arg) => name.to_owned(),
        Some(value) if crate::flags::grammar::is_boolean(arg) => format!("{name}[={value}]"),
        Some(value) => format!("{name} {value}"),
        None => name.to_owned(),
    }
}

/// The known name that looks most like a mistyped one.
#[must_use]
pub fn similar<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(typed.len()) / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_the_layout_is_gos() {
        let text = group(&GO, Called::Go);
        assert!(text.starts_with("Go is a tool for managing Go source code.\n\nUsage:\n\n\tgo <command> [arguments]\n\nThe commands are:\n\n\tbug         start a bug report\n\tbuild       compile"), "{text}");
        assert!(
            text.contains("\n\tbuildconstraint build constraints\n"),
            "{text}"
        );
        assert!(!text.contains("completions"));
    }

    #[test]
    fn as_steady_there_are_more_commands_and_examples() {
        let listed = group(&GO, Called::Steady);
        assert!(
            listed.contains("Commands of Steady's own:\n\n\t") && listed.contains("\n\tcheck "),
            "{listed}"
        );
        let build = text(&crate::commands::build::BUILD, Called::Steady);
        assert!(
            build.starts_with("usage: steady build [-o output]"),
            "{build}"
        );
        assert!(build.contains("\t-gcflags [pattern=]args\n"), "{build}");
        assert!(build.contains("\t-buildvcs[=true|false|auto]\n"), "{build}");
        assert!(build.contains("Examples:"));
    }

    #[test]
    fn typing_errors_find_their_name() {
        let names = ["build", "install", "list", "mod"];
        assert_eq!(similar("biuld", names.into_iter()), Some("build"));
        assert_eq!(similar("lst", names.into_iter()), Some("list"));
        assert_eq!(similar("zzz", names.into_iter()), None);
    }

    #[test]
    fn every_flag_has_a_help_text_and_a_unique_name() {
        fn check(command: &Command) {
            if let Some(definition) = command.definition(Called::Steady) {
                definition.clone().debug_assert();
                for arg in definition.get_arguments() {
                    assert!(
                        arg.get_help().is_some(),
                        "{} -{:?}",
                        command.usage,
                        arg.get_long()
                    );
                }
            }
            command.commands().iter().for_each(|command| check(command));
        }
        check(&GO);
    }
}

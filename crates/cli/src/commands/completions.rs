//! `steady completions`: scripts for shells.

use clap::Args;
use clap_complete::Shell;

use crate::command::{Command, Kind};
use crate::commands::GO;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::build::Chdir;
use crate::flags::{Parsed, define};
use crate::help;
use crate::session::{Called, Session};

#[derive(Args)]
struct CompletionsFlags {
    #[command(flatten)]
    chdir: Chdir,
}

/// `steady completions`
pub static COMPLETIONS: Command = Command {
    usage: "steady completions [shell]",
    short: "print a completion script for a shell",
    long: include_str!("../help/text/completions.txt"),
    examples: &[(
        "bash, for this session",
        "source <(steady completions bash)",
    )],
    kind: Kind::Own {
        flags: define::<CompletionsFlags>,
        run,
    },
};

fn run(session: &mut Session, parsed: &Parsed) -> Result {
    let [shell] = parsed.arguments.as_slice() else {
        return Err(Failure::Usage);
    };
    let Ok(shell) = shell.parse::<Shell>() else {
        return Err(Failure::Message(
            format!(
                "steady: no completions for {shell}; there are: bash, elvish, fish, powershell, zsh"
            ),
            Status::USAGE,
        ));
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree(&GO, "steady"), "steady", &mut script);
    session.printer.out(script);
    Ok(Status::DONE)
}

/// The whole table as one clap command. Names of one letter are given as clap's short flags, so that `-o` is offered as such.
#[must_use]
pub fn tree(command: &'static Command, name: &'static str) -> clap::Command {
    let base = command
        .definition(Called::Steady)
        .unwrap_or_else(|| clap::Command::new(name));
    let mut out = base.name(name).about(command.short).mut_args(|arg| {
        let mut letters = arg.get_long().unwrap_or_default().chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => arg.short(letter),
            _ => arg,
        }
    });
    for next in command.commands() {
        if next.is_runnable() || !next.commands().is_empty() {
            out = out.subcommand(tree(next, next.name()));
        }
    }
    if command.long_name().is_empty() {
        let topics = command.commands().iter().map(|c| c.name());
        out = out.subcommand(
            clap::Command::new("help")
                .about("explain a command or a topic")
                .arg(
                    clap::Arg::new("topic")
                        .value_parser(clap::builder::PossibleValuesParser::new(topics)),
                ),
        );
        out = out.disable_help_subcommand(true);
    }
    out
}

/// The reference of all commands and flags, in Markdown; the project's docs hold it, and a test of theirs keeps it current.
#[must_use]
pub fn reference() -> String {
    fn one(out: &mut String, command: &Command) {
        for next in command
            .commands()
            .iter()
            .filter(|c| !matches!(c.kind, Kind::Topic))
        {
            let text = help::text(next, Called::Steady);
            out.push_str(&format!(
                "## steady {}\n\n{}.\n\n```text\n{}\n```\n\n",
                next.long_name(),
                capital(next.short),
                text.trim_end()
            ));
            one(out, next);
        }
    }
    let mut out =
        String::from("# Commands\n\nGenerated from the definitions of the flags; do not edit.\n\n");
    one(&mut out, &GO);
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_know_commands_and_flags() {
        let mut script = Vec::new();
        clap_complete::generate(Shell::Bash, &mut tree(&GO, "steady"), "steady", &mut script);
        let script = String::from_utf8(script).unwrap();
        for word in ["tidy", "--gcflags", "-o", "completions", "buildconstraint"] {
            assert!(script.contains(word), "{word}");
        }
    }

    #[test]
    fn the_reference_has_every_command() {
        let text = reference();
        assert!(text.contains("## steady mod tidy\n"));
        assert!(text.contains("## steady completions\n"));
    }
}

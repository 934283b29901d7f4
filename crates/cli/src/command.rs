//! What a command is: the table from which dispatch, help, completions and the reference are made.

use crate::failure::Result;
use crate::flags::{Definition, Parsed, grammar};
use crate::session::{Called, Session};

/// A command, a group of commands, or a help topic.
pub struct Command {
    /// `go build [-o output] [build flags] [packages]`; of a topic its name alone.
    pub usage: &'static str,
    /// One line for lists.
    pub short: &'static str,
    /// The help text, in plain lines.
    pub long: &'static str,
    /// Examples for `steady help`: what it does and the command line.
    pub examples: &'static [(&'static str, &'static str)],
    /// What it is.
    pub kind: Kind,
}

/// What a [`Command`] is.
pub enum Kind {
    /// It runs.
    Run {
        /// Its flags.
        flags: fn() -> Definition,
        /// Does it. Gets flags and arguments.
        run: fn(&mut Session, &Parsed) -> Result,
    },
    /// It reads its own arguments (`tool`): flags are not looked for behind the first word.
    Raw {
        /// Its flags.
        flags: fn() -> Definition,
        /// Does it with all words after its name.
        run: fn(&mut Session, &[String]) -> Result,
    },
    /// Commands behind one name.
    Group(&'static [&'static Command]),
    /// A text only.
    Topic,
    /// A command that the go command does not have.
    Own {
        /// Its flags.
        flags: fn() -> Definition,
        /// Does it.
        run: fn(&mut Session, &Parsed) -> Result,
    },
}

impl Command {
    /// All words of the name after `go`: `mod tidy`. Empty for the root.
    #[must_use]
    pub fn long_name(&self) -> &'static str {
        let name = self
            .usage
            .split_once(" [")
            .map_or(self.usage, |(name, _)| name);
        let name = match self.kind {
            Kind::Run { .. } | Kind::Raw { .. } | Kind::Own { .. } => name
                .split_once(" packages...")
                .map_or(name, |(name, _)| name),
            _ => name,
        };
        match name {
            "go" | "steady" => "",
            _ => name
                .strip_prefix("go ")
                .or_else(|| name.strip_prefix("steady "))
                .unwrap_or(name),
        }
    }

    /// The last word of the name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let name = self.long_name();
        name.rsplit_once(' ').map_or(name, |(_, last)| last)
    }

    /// Is it a command that can be run (built or not)?
    #[must_use]
    pub fn is_runnable(&self) -> bool {
        !matches!(self.kind, Kind::Group(_) | Kind::Topic)
    }

    /// Does only Steady have it? A group is its own if everything in it is.
    #[must_use]
    pub fn is_own(&self) -> bool {
        match self.kind {
            Kind::Own { .. } => true,
            Kind::Group(commands) => commands.iter().all(|command| command.is_own()),
            _ => false,
        }
    }

    /// Commands and topics behind it.
    #[must_use]
    pub fn commands(&self) -> &'static [&'static Command] {
        match self.kind {
            Kind::Group(commands) => commands,
            _ => &[],
        }
    }

    /// The definition of its flags, as the name that Steady is called by decides.
    #[must_use]
    pub fn definition(&self, called: Called) -> Option<Definition> {
        let all = self.all_flags()?;
        Some(match called {
            Called::Go => grammar::as_go(all),
            Called::Steady => all,
        })
    }

    fn all_flags(&self) -> Option<Definition> {
        match self.kind {
            Kind::Run { flags, .. } | Kind::Raw { flags, .. } | Kind::Own { flags, .. } => {
                Some(flags())
            }
            Kind::Group(_) | Kind::Topic => None,
        }
    }

    /// The command or group of that name; topics do not count. `own` lets commands in that only Steady has.
    #[must_use]
    pub fn lookup(&self, name: &str, own: bool) -> Option<&'static Command> {
        self.commands()
            .iter()
            .copied()
            .find(|c| c.name() == name && !matches!(c.kind, Kind::Topic) && (own || !c.is_own()))
    }

    /// Follows the first of `words` down to a command, or to a group that ran out of words or has no such command. Gives the
    /// number of words used. A group may hold a command of its own name: it runs when none is named.
    #[must_use]
    pub fn find(&'static self, words: &[String], own: bool) -> (&'static Command, usize) {
        let (mut command, mut used) = (self, 0);
        while let Some(next) = words.get(used).and_then(|word| command.lookup(word, own)) {
            command = next;
            used += 1;
            if command.is_runnable() {
                break;
            }
        }
        let none_named = words.get(used).is_none_or(|word| word.starts_with('-'));
        let default = command.lookup(command.name(), own);
        match default.filter(|_| used > 0 && none_named) {
            Some(default) => (default, used),
            None => (command, used),
        }
    }

    /// Has it, or any command behind it, the flag?
    #[must_use]
    pub fn has_flag(&self, name: &str, called: Called) -> bool {
        let own = |name: &str| {
            self.definition(called)
                .is_some_and(|definition| grammar::lookup(&definition, name).is_some())
        };
        // A test's flags may have the prefix that they have in the test program.
        let prefixed = self.long_name() == "test" && name.strip_prefix("test.").is_some_and(own);
        own(name)
            || prefixed
            || self
                .commands()
                .iter()
                .any(|command| command.has_flag(name, called))
    }
}

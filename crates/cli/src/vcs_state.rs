//! What version control says of a working tree: its revision, when that was made, and whether something is not committed.

use camino::Utf8Path;
use steady_packages::load::Repository;
use steady_proxy::Time;
use steady_system::process::Command;

use crate::session::Session;
use crate::worktree;

/// Stamps of programs: `vcs`, `vcs.revision`, `vcs.time` and `vcs.modified`. `trace` shows the commands, `verbose` also why they fail.
///
/// # Errors
/// Why there is no answer, in go's words.
pub fn stamps(
    session: &Session,
    repository: &Repository,
    trace: bool,
    verbose: bool,
) -> Result<Vec<(String, String)>, String> {
    let tree = Tree {
        session,
        root: &repository.root,
        program: repository.program,
        trace,
        verbose,
    };
    let state = match repository.program {
        "git" => tree.git()?,
        "hg" => tree.hg()?,
        "svn" => tree.svn()?,
        "bzr" => tree.bzr()?,
        _ => tree.fossil()?,
    };
    if repository.program == "git" {
        worktree::note(session, &repository.root);
    } else {
        session.spoil_answer();
    }
    let mut list = vec![("vcs", repository.program.to_owned())];
    if let Some((revision, time)) = state.commit {
        list.push(("vcs.revision", revision));
        list.push(("vcs.time", time.utc().to_string()));
    }
    list.push(("vcs.modified", state.modified.to_string()));
    let owned = list.into_iter().map(|(key, value)| (key.to_owned(), value));
    Ok(owned.collect())
}

/// The state of a working tree.
struct State {
    /// Revision and time; none in a repository without commits.
    commit: Option<(String, Time)>,
    /// Something is not committed, if only a file that nobody knows.
    modified: bool,
}

struct Tree<'a> {
    session: &'a Session,
    root: &'a Utf8Path,
    program: &'static str,
    trace: bool,
    verbose: bool,
}

impl Tree<'_> {
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let printer = &self.session.printer;
        let line = format!("{} {}", self.program, arguments.join(" "));
        if let Err(error) = self.session.environment().look_path(self.program) {
            let name = match self.program {
                "git" => "Git",
                "hg" => "Mercurial",
                "svn" => "Subversion",
                "bzr" => "Bazaar",
                _ => "Fossil",
            };
            printer.note(format!(
                "go: missing {name} command. See https://golang.org/s/gogetcmd"
            ));
            return Err(error.to_string());
        }
        if self.trace {
            printer.note(format!("cd {}\n{line}", self.root));
        }
        let mut environment = self.session.environment().clone();
        if self.program == "hg" {
            // Nothing that the user's settings add to the output.
            environment = environment.with("HGPLAIN", "+strictflags");
        }
        let mut command = Command::new(self.program, &environment);
        command.args(arguments).dir(self.root);
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        if self.verbose {
            let said = String::from_utf8_lossy(&output.stderr);
            printer.note(format!("# cd {}; {line}\n{}", self.root, said.trim_end()));
        }
        Err(output.status.to_string())
    }

    fn git(&self) -> Result<State, String> {
        let modified = !self.run(&["status", "--porcelain"])?.is_empty();
        let log = [
            "-c",
            "log.showsignature=false",
            "log",
            "-1",
            "--format=%H:%ct",
        ];
        let commit = match self.run(&log) {
            Ok(text) => Some(revision_and_seconds(&text)?),
            // A repository without commits.
            Err(_) if modified => None,
            Err(error) => return Err(error),
        };
        Ok(State { commit, modified })
    }

    fn hg(&self) -> Result<State, String> {
        let text = self.run(&["log", "-r.", "-T", "{node}:{date|hgdate}"])?;
        // The zone stands behind the seconds.
        let commit = match text.split(' ').next().unwrap_or_default() {
            "" => None,
            text => Some(revision_and_seconds(text)?),
        };
        let modified = !self.run(&["status", "-S"])?.is_empty();
        Ok(State { commit, modified })
    }

    fn svn(&self) -> Result<State, String> {
        let item = |name| self.run(&["info", "--show-item", name]);
        let revision = item("last-changed-revision")?.trim().to_owned();
        let date = item("last-changed-date")?;
        let time = Time::parse(date.trim()).ok_or("unable to parse output of svn info")?;
        let modified = !self.run(&["status"])?.is_empty();
        Ok(State {
            commit: Some((revision, time)),
            modified,
        })
    }

    fn bzr(&self) -> Result<State, String> {
        let text = self.run(&["version-info"])?;
        let commit = bzr_commit(&text)?;
        let status = self.run(&["status"])?;
        // The first line may say that the tree is at an older revision, and says no more then.
        let modified = !status.is_empty();
        Ok(State { commit, modified })
    }

    fn fossil(&self) -> Result<State, String> {
        let text = self.run(&["info"])?;
        let commit = fossil_commit(&text).ok_or("unable to parse output of fossil info")?;
        let modified = !self.run(&["changes", "--differ"])?.is_empty();
        Ok(State {
            commit: Some(commit),
            modified,
        })
    }
}

/// `revision:seconds since 1970`
fn revision_and_seconds(text: &str) -> Result<(String, Time), String> {
    let parsed = text
        .trim()
        .split_once(':')
        .filter(|(revision, _)| !revision.is_empty())
        .and_then(|(revision, time)| Some((revision.to_owned(), time.parse().ok()?)));
    let (revision, seconds) = parsed.ok_or("unrecognized VCS tool output")?;
    Ok((revision, Time::from_unix(seconds)))
}

/// The lines `revision-id: …` and `date: 2021-09-21 12:00:00 +1000` of `bzr version-info`; a repository without commits has neither.
fn bzr_commit(text: &str) -> Result<Option<(String, Time)>, String> {
    let of = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.find_map(|(key, value)| (key == wanted).then(|| value.trim()))
    };
    let Some(revision) = of("revision-id") else {
        return Ok(None);
    };
    let time = of("date").and_then(|date| {
        let [day, clock, zone] = date.split(' ').collect::<Vec<_>>()[..] else {
            return None;
        };
        let (hours, minutes) = zone.split_at_checked(3)?;
        Time::parse(&format!("{day}T{clock}{hours}:{minutes}"))
    });
    let time = time.ok_or("unable to parse output of bzr version-info")?;
    Ok(Some((revision.to_owned(), time)))
}

/// The line `checkout: 91ed71f22c77 2021-09-21 12:00:00 UTC` of `fossil info`.
fn fossil_commit(text: &str) -> Option<(String, Time)> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("checkout:"))?;
    let [revision, day, clock, "UTC"] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        return None;
    };
    let time = Time::parse(&format!("{day}T{clock}Z"))?;
    Some((revision.to_owned(), time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown((revision, time): (String, Time)) -> String {
        format!("{revision} {}", time.utc())
    }

    #[test]
    fn what_programs_print() {
        let git = revision_and_seconds("cd231fc:1709210096\n").map(shown);
        assert_eq!(git.as_deref(), Ok("cd231fc 2024-02-29T12:34:56Z"));
        assert!(revision_and_seconds(":1").is_err() && revision_and_seconds("x:y").is_err());
        let bzr = bzr_commit("revision-id: a@b-1\ndate: 2021-09-21 12:00:00 +1000\nrevno: 1\n");
        let bzr = bzr.map(|found| found.map(shown));
        assert_eq!(bzr, Ok(Some("a@b-1 2021-09-21T02:00:00Z".to_owned())));
        assert_eq!(bzr_commit("").map(|found| found.is_none()), Ok(true));
        assert!(bzr_commit("revision-id: a\ndate: today\n").is_err());
        let fossil = fossil_commit("project: x\ncheckout:     91ed 2021-09-21 12:00:00 UTC\n");
        assert_eq!(
            fossil.map(shown).as_deref(),
            Some("91ed 2021-09-21T12:00:00Z")
        );
        assert!(fossil_commit("checkout: 91ed 2021-09-21 12:00:00 EST\n").is_none());
    }
}

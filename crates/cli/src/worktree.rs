//! What `git status` and the version of a working tree depend on: noted, so that git need not be asked again while nothing of it has
//! changed.
//!
//! That is every file that git tracks, every directory of the working tree (a new name in any of them may be one that git does not
//! know), the files that say what git ignores, and of the repository itself what HEAD and tags lead to and the index.

use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;
use steady_system::process::Command;
use steady_system::{FileKind, Files, Question, Sightings};

use crate::session::Session;

/// Larger working trees are asked of git every time.
const MANY: usize = 50_000;

/// Files outside of the repository that git reads its settings from, below the home directory.
const OF_USER: [&str; 4] = [
    ".gitconfig",
    ".config/git/config",
    ".config/git/ignore",
    ".config/git/attributes",
];

/// Files and directories of the repository, below `.git`.
const OF_REPOSITORY: [&str; 8] = [
    "HEAD",
    "config",
    "config.worktree",
    "index",
    "info/exclude",
    "info/attributes",
    "packed-refs",
    "shallow",
];

/// Notes what the state of the working tree at `root` depends on, or that it cannot be noted.
pub fn note(session: &Session, root: &Utf8Path) {
    let Some(sightings) = session.files.sightings() else {
        return;
    };
    let watch = Watch {
        files: Files::new(root),
        sightings,
        root,
    };
    if watch.everything(session).is_none() {
        sightings.spoil();
    }
}

/// Does a variable make git look elsewhere, or otherwise? Those that are about networks, names and dialogues do not.
fn steers(name: &str) -> bool {
    const HARMLESS: [&str; 8] = [
        "SSL_",
        "SSH",
        "HTTP_",
        "AUTHOR_",
        "COMMITTER_",
        "EDITOR",
        "PAGER",
        "TERMINAL_PROMPT",
    ];
    name.strip_prefix("GIT_")
        .is_some_and(|rest| !HARMLESS.iter().any(|start| rest.starts_with(start)))
}

struct Watch<'a> {
    /// Asks without taking notes.
    files: Files,
    sightings: &'a Arc<Sightings>,
    root: &'a Utf8Path,
}

impl Watch<'_> {
    /// `None`: git may look at something else too.
    fn everything(&self, session: &Session) -> Option<()> {
        let environment = session.environment();
        let steered = environment
            .variables()
            .iter()
            .any(|(name, _)| steers(&name.to_string_lossy()));
        let git = self.root.join(".git");
        if steered || !self.files.is_dir(&git) || self.files.exists(self.root.join(".gitmodules")) {
            return None;
        }
        self.settings(
            environment.get("HOME"),
            environment.get("XDG_CONFIG_HOME"),
            &git,
        )?;
        for name in OF_REPOSITORY {
            self.sightings.look(&git.join(name), Question::Stamp);
        }
        let head = self.files.read_to_string(git.join("HEAD")).ok()?;
        if let Some(branch) = head.trim().strip_prefix("ref: ") {
            self.sightings.look(&git.join(branch), Question::Stamp);
        }
        let mut left = MANY;
        self.tree(&git.join("refs/tags"), true, &mut left)?;
        self.tree(self.root, false, &mut left)?;
        let mut command = Command::new("git", environment);
        command.args(["ls-files", "-z"]).dir(self.root);
        let listed = command
            .output()
            .ok()
            .filter(|listed| listed.status.success())?;
        for name in String::from_utf8(listed.stdout)
            .ok()?
            .split_terminator('\0')
        {
            left = left.checked_sub(1)?;
            self.sightings
                .look(&self.root.join(name), Question::OwnStamp);
        }
        Some(())
    }

    fn settings(&self, home: &str, config_home: &str, git: &Utf8Path) -> Option<()> {
        let mut places: Vec<Utf8PathBuf> = vec!["/etc/gitconfig".into(), git.join("config")];
        if !home.is_empty() {
            places.extend(OF_USER.map(|name| Utf8Path::new(home).join(name)));
        }
        if !config_home.is_empty() {
            let names = ["config", "ignore", "attributes"];
            places.extend(names.map(|name| Utf8Path::new(config_home).join("git").join(name)));
        }
        for place in places {
            let text = self.files.read(&place).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).to_lowercase();
            // These name files that are not on the list, or programs that answer for git.
            let elsewhere = [
                "include",
                "excludesfile",
                "attributesfile",
                "worktree",
                "fsmonitor",
            ];
            if elsewhere.iter().any(|word| text.contains(word)) {
                return None;
            }
            self.sightings.look(&place, Question::Stamp);
        }
        Some(())
    }

    /// Notes every directory of a tree, the files that say what is ignored, and, if asked, all files.
    fn tree(&self, dir: &Utf8Path, files: bool, left: &mut usize) -> Option<()> {
        *left = left.checked_sub(1)?;
        self.sightings.look(dir, Question::OwnStamp);
        for entry in self.files.read_dir(dir).unwrap_or_default() {
            let path = dir.join(&entry.name);
            match entry.kind {
                FileKind::Dir if entry.name == ".git" && dir == self.root => {}
                // A repository within.
                FileKind::Dir if entry.name == ".git" => return None,
                FileKind::Dir => self.tree(&path, files, left)?,
                _ if entry.name == ".git" => return None,
                _ if files || matches!(entry.name.as_str(), ".gitignore" | ".gitattributes") => {
                    self.sightings.look(&path, Question::Stamp);
                }
                _ => {}
            }
        }
        Some(())
    }
}

//! Modules straight from version control, as the go command reads them with `GOPROXY=direct`.
//!
//! | file | question |
//! |---|---|
//! | `root` | which repository holds an import path: by the path's shape, or by the `go-import` tags of a web page |
//! | `discovery` | reading those tags |
//! | `policy` | may this program be run for this repository (GOVCS) |
//! | `command` | running programs |
//! | `workdir` | where a repository's local copy is: `GOMODCACHE/cache/vcs/<hash>`, shared with go |
//! | `host` | what a repository can be asked |
//! | `git`, `others` (with `answers`, `svn`) | how git, and hg, svn, bzr, fossil, answer |
//! | `module`, `resolve`, `pseudo`, `archive` | what revisions, tags and files of a repository mean as versions of a module |
//!
//! Invariants: a repository's local copy is changed under its lock file only, which go takes too; no revision is taken that
//! no branch or tag of the remote leads to; a program's name and fixed arguments come from here, and what comes from outside stands
//! behind `--` or in one argument with its option.

mod answers;
mod archive;
mod command;
mod discovery;
mod git;
mod host;
mod module;
mod others;
mod policy;
mod pseudo;
mod resolve;
mod root;
mod svn;
#[cfg(test)]
mod tests;
mod workdir;

use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;

use steady_system::{Environment, Files};

use crate::error::Kind;
use crate::http::Client;
use crate::once::OnceMap;
use crate::{Config, Direct, DirectRepo, Error, Observer, Repo, Result, Security};

use command::{Remote, Runner};
use git::Git;
use host::Host;
use module::CodeRepo;
use others::Other;
use root::{RepoRoot, Roots, System};

/// Direct access to version control.
pub struct Vcs {
    roots: Roots,
    tools: Arc<Tools>,
    hosts: OnceMap<(System, String, bool), Result<Arc<dyn Host>>>,
}

/// What every repository needs.
pub(crate) struct Tools {
    pub config: Config,
    pub files: Files,
    pub client: Arc<Client>,
    pub runner: Arc<Runner>,
}

impl Vcs {
    /// Touches neither disk nor network yet.
    pub fn new(
        config: &Config,
        environment: &Environment,
        client: Arc<Client>,
        observer: Arc<dyn Observer>,
    ) -> Vcs {
        let runner = Arc::new(Runner::new(
            environment,
            observer,
            config.trace,
            match (config.vcs_forbidden, config.offline) {
                (true, _) => Remote::Forbidden,
                (_, true) => Remote::Offline,
                _ => Remote::Allowed,
            },
        ));
        Vcs {
            roots: Roots {
                config: config.clone(),
                client: Arc::clone(&client),
                runner: Arc::clone(&runner),
                pages: OnceMap::default(),
            },
            tools: Arc::new(Tools {
                config: config.clone(),
                files: Files::new(environment.cwd()),
                client,
                runner,
            }),
            hosts: OnceMap::default(),
        }
    }

    fn host(&self, system: System, url: &str, local: bool) -> Result<Arc<dyn Host>> {
        if !local {
            self.tools.client.spoil_notes();
        }
        self.hosts.get_or((system, url.to_owned(), local), || {
            let tools = Arc::clone(&self.tools);
            let opened = match system {
                System::Git => Git::open(tools, url, local).map(|git| Arc::new(git) as _),
                _ => Other::open(tools, system, url, local).map(|other| Arc::new(other) as _),
            };
            opened.map_err(|error| Kind::Vcs(error).into())
        })
    }

    /// The repository that a directory is in, and its root directory.
    fn around(&self, dir: &Utf8Path) -> Result<(Utf8PathBuf, System)> {
        let files = &self.tools.files;
        let dir = files.absolute(dir);
        let is_root = |dir: &Utf8Path, system: &System| {
            system.root_names().iter().any(|(name, is_dir)| {
                files
                    .stat(dir.join(name))
                    .is_ok_and(|meta| meta.is_dir() == *is_dir)
            })
        };
        let mut found: Option<(Utf8PathBuf, System)> = None;
        for parent in dir.ancestors() {
            for system in System::PROGRAMS {
                if !is_root(parent, &system) {
                    continue;
                }
                match &found {
                    None => found = Some((parent.to_owned(), system)),
                    // Git looks after itself, and has submodules.
                    Some((_, System::Git)) if system == System::Git => {}
                    Some((inner, first)) => {
                        return Err(Error::other(format!(
                            "multiple VCS detected: {} in {:?}, and {} in {:?}",
                            first.program(),
                            inner.as_str(),
                            system.program(),
                            parent.as_str()
                        )));
                    }
                }
                if self.several_allowed() {
                    return found.ok_or_else(|| Error::not_exist("no repository"));
                }
            }
        }
        found.ok_or_else(|| {
            let dir = dir.as_str();
            let text = format!("directory {dir:?} is not using a known version control system");
            Error::not_exist(text)
        })
    }

    fn several_allowed(&self) -> bool {
        let settings = self.tools.runner.environment().get("GODEBUG");
        settings
            .split(',')
            .any(|setting| setting == "allowmultiplevcs=1")
    }
}

impl Direct for Vcs {
    fn lookup(&self, path: &str, security: Security) -> Result<DirectRepo> {
        let found = self.roots.find(path, security);
        let RepoRoot {
            url,
            root,
            subdir,
            system,
        } = found.map_err(|error| Error::from(Kind::NotExistBecause(error)))?;
        if system == System::Mod {
            return Ok(DirectRepo::Proxy(url));
        }
        let host = self.host(system, &url, false)?;
        let repo = CodeRepo::new(Arc::clone(&self.tools), host, &root, &subdir, path)?;
        Ok(DirectRepo::Repo(Arc::new(repo)))
    }

    fn lookup_local(&self, code_root: &str, path: &str, dir: &Utf8Path) -> Result<Arc<dyn Repo>> {
        let (root, system) = self.around(dir)?;
        let host = self.host(system, root.as_str(), true)?;
        let repo = CodeRepo::new(Arc::clone(&self.tools), host, code_root, "", path)?;
        Ok(Arc::new(repo))
    }
}

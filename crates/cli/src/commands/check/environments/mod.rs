//! The environments made real: which files each shows (`trees`), under which settings (`settings`), and which modules are there
//! (`layouts`).

mod layouts;
mod settings;
mod trees;

use camino::Utf8PathBuf;
use std::sync::Arc;
use steady_assure::check::accept::{self, Rules};
use steady_assure::check::ci::Asked;
use steady_assure::check::git::Repository;
use steady_assure::check::world::{Layout, OlderGo, Platform, Setting};
use steady_system::Overlay;
use steady_system::temp::TempDir;

use super::Flags;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::GoFlags;
use crate::printer::Printer;
use crate::session::Session;
use layouts::{committed_layout, layout, left_aside, root};
use settings::{acting, defaults, set_here};
pub(super) use trees::{consumer_dir, made_up_version};
use trees::{published, without_outside};

/// The systems and architectures that colleagues have.
const COMMON: [(&str, &str); 6] = [
    ("linux", "amd64"),
    ("linux", "arm64"),
    ("darwin", "amd64"),
    ("darwin", "arm64"),
    ("windows", "amd64"),
    ("windows", "arm64"),
];

/// Settings and files of some environments.
pub struct Stage {
    /// The session that acts there. It says nothing.
    pub session: Session,
    /// What differs in the tree from what is on disk.
    pub tree: Overlay,
}

/// All that is known before anything is loaded.
pub struct Survey {
    /// The top of everything.
    pub root: Utf8PathBuf,
    /// The repository, if there is one with a commit.
    pub repository: Option<Repository>,
    /// The tree as it is, with the settings as they are.
    pub here: Stage,
    /// What is committed, with default settings.
    pub there: Stage,
    /// The same with the older Go of pipelines, if it is at hand.
    pub ci: Option<Stage>,
    /// What pipelines and images ask for.
    pub asked: Vec<Asked>,
    /// The oldest Go among that, if it is older than this one.
    pub older: Option<OlderGo>,
    /// What module zips would hold, and a consumer beside each module.
    pub published: Stage,
    /// The modules as they are here.
    pub here_layout: Layout,
    /// Every module of the repository is checked.
    pub all: bool,
    /// Directories of other modules of the repository, which nothing is said of.
    pub left_aside: Vec<Utf8PathBuf>,
    /// The modules as they are committed.
    pub there_layout: Layout,
    /// What is set on this machine.
    pub settings: Vec<Setting>,
    /// What steady.toml says.
    pub rules: Rules,
    /// Contents that only the overlays name; vanishes at the end.
    _store: TempDir,
}

impl Survey {
    /// Looks at repository, modules and settings.
    ///
    /// # Errors
    /// git or a file that cannot be read; no module at all.
    pub fn new(session: &Session, flags: &Flags) -> Result<Survey> {
        let cwd = session.environment().cwd().to_owned();
        let files = &session.files;
        let repository = Repository::read(session.environment(), &cwd)
            .map_err(|error| Failure::error(error.to_string()))?;
        let store = TempDir::new(session.environment(), "steady-check")?;
        let tree = match &repository {
            Some(git) => git
                .committed(files, store.path())
                .map_err(|error| Failure::error(error.to_string()))?,
            None => Overlay::default(),
        };
        let mut quiet = session.fork();
        quiet.printer = Arc::new(Printer::to(
            Box::new(std::io::sink()),
            Box::new(std::io::sink()),
        ));
        let here = Stage {
            session: acting(&quiet, session.settings.clone(), files.clone(), flags),
            tree: Overlay::default(),
        };
        // Who asks proxies asks as the others do: with their settings, and with nothing in the cache.
        let own = flags.online.then(|| store.path());
        let committed = files.clone().with_overlay(tree.clone());
        let mut plain = acting(
            &quiet,
            defaults(&session.settings, files, own),
            committed,
            flags,
        );
        plain.goflags = GoFlags::default();
        let here_layout = layout(&here.session, repository.as_ref(), flags.all)?;
        if flags.all && here_layout.go_work.is_some() {
            return Err(Failure::Message(
                "-all is for modules that no go.work holds together".to_owned(),
                Status::USAGE,
            ));
        }
        let left_aside = left_aside(files, repository.as_ref(), &here_layout);
        let mut there_layout = committed_layout(&plain, repository.as_ref(), &here_layout)?;
        let mut tree = tree;
        if let Some(git) = &repository
            && let Some(without) = without_outside(git, files, &tree, &there_layout)?
        {
            tree = without;
            plain.files = files.clone().with_overlay(tree.clone());
            there_layout = committed_layout(&plain, repository.as_ref(), &here_layout)?;
        }
        if here_layout.members.is_empty() && here_layout.go_work.is_none() {
            return Err(Failure::error(
                "go.mod file not found in current directory or any parent directory; see 'go help modules'",
            ));
        }
        let root = root(repository.as_ref(), &here_layout, &cwd);
        let rules = files
            .read_if_exists(root.join(accept::FILE))?
            .unwrap_or_default();
        let rules = Rules::parse(&String::from_utf8_lossy(&rules))
            .map_err(|text| Failure::Message(text, Status::USAGE))?;
        let published = published(&plain, repository.as_ref(), &tree, &there_layout, &store)?;
        let mut survey = Survey {
            root,
            settings: set_here(&session.settings, files),
            rules,
            repository,
            here,
            there: Stage {
                session: plain,
                tree,
            },
            published,
            here_layout,
            all: flags.all,
            left_aside,
            there_layout,
            ci: None,
            asked: Vec::new(),
            older: None,
            _store: store,
        };
        survey.find_older(session, flags.online);
        Ok(survey)
    }

    /// The platforms that colleagues have.
    #[must_use]
    pub fn platforms(&self) -> Vec<Platform> {
        let own = self
            .rules
            .platforms
            .iter()
            .filter_map(|pair| pair.split_once('/'));
        let mut pairs: Vec<(&str, &str)> = own.collect();
        if pairs.is_empty() {
            pairs = COMMON.to_vec();
        }
        let platform = |(goos, goarch): (&str, &str)| Platform {
            goos: goos.to_owned(),
            goarch: goarch.to_owned(),
            cgo: false,
        };
        pairs.into_iter().map(platform).collect()
    }

    /// This machine's platform as `go build` would take it in a stage.
    #[must_use]
    pub fn native(stage: &Stage) -> Platform {
        let settings = &stage.session.settings;
        Platform {
            goos: settings.goos().to_owned(),
            goarch: settings.goarch().to_owned(),
            cgo: settings.cgo_enabled().0,
        }
    }
}

impl Stage {
    /// Whether the same files are seen, those of the standard library too.
    #[must_use]
    pub fn same_files(&self, other: &Stage) -> bool {
        let goroot = |stage: &Stage| stage.session.settings.goroot.clone();
        self.tree == other.tree && goroot(self) == goroot(other)
    }

    /// The modules that this stage shows.
    ///
    /// # Errors
    /// GOWORK that cannot be.
    pub fn layout(&self, repository: Option<&Repository>, all: bool) -> Result<Layout> {
        layout(&self.session, repository, all)
    }
}

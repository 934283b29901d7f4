//! The environments made real: which files each shows, under which settings, and which modules are there.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::sync::Arc;
use steady_assure::check::accept::{self, Rules};
use steady_assure::check::ci::Asked;
use steady_assure::check::git::Repository;
use steady_assure::check::world::{Layout, Member, OlderGo, Platform, Setting};
use steady_module::modfile::{ModFile, WorkFile};
use steady_system::temp::TempDir;
use steady_system::{Files, Overlay};

use super::Flags;
use crate::exit::Status;
use crate::failure::{Failure, Result};
use crate::flags::GoFlags;
use crate::modules;
use crate::printer::Printer;
use crate::session::Session;
use crate::settings::Settings;
use crate::settings::table::KNOWN;

/// Where the modules that require others live: nowhere, so that their names are the same in each run.
const CONSUMERS: &str = "/steady-check/consumer";

/// Where modules come from and what lies at hand is the same in all environments, unless `-online` asks for more.
const SHARED: [&str; 9] = [
    "GOPROXY",
    "GOPRIVATE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOINSECURE",
    "GOAUTH",
    "GOVCS",
    "GOTMPDIR",
    "GOPATH",
];

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
        let here_layout = layout(&here.session, repository.as_ref())?;
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

    /// A version that a module has not, newer than all that it has.
    #[must_use]
    pub fn made_up_version(path: &str) -> String {
        let major = steady_module::path::split_path_version(path).map_or("", |(_, major)| major);
        match major.trim_start_matches(['/', '.']) {
            "" => "v1.999999.0".to_owned(),
            major => format!("{}.999999.0", major.trim_end_matches("-unstable")),
        }
    }

    /// Where the consumer of a module is.
    #[must_use]
    pub fn consumer_dir(module: &str) -> Utf8PathBuf {
        Utf8Path::new(CONSUMERS).join(module)
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

/// A session with other settings and files. It asks nobody for sums that are not recorded, and nobody at all unless it may.
fn acting(session: &Session, mut settings: Settings, files: Files, flags: &Flags) -> Session {
    let mut session = session.fork();
    settings.frozen.offline = !flags.online;
    settings.environment = settings.environment.with("GOSUMDB", "off");
    session.settings = settings;
    session.files = files;
    session
}

/// The settings of a machine on which nobody has set anything; with this machine's caches, or with empty ones in a directory of their own.
fn defaults(here: &Settings, files: &Files, own: Option<&Utf8Path>) -> Settings {
    let mut environment = here.environment.clone();
    let set: Vec<String> = environment
        .variables()
        .iter()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .filter(|name| KNOWN.contains(&name.as_str()) || name.starts_with("CGO_"))
        .collect();
    for name in set {
        environment = environment.without(&name);
    }
    environment = environment.with("GOENV", "off");
    if let Some(dir) = own {
        environment = environment
            .with("GOMODCACHE", dir.join("mod").as_str())
            .with("XDG_CACHE_HOME", dir.join("cache").as_str());
    } else {
        for name in SHARED {
            match here.get(name) {
                "" => {}
                value => environment = environment.with(name, value),
            }
        }
        environment = environment.with("GOMODCACHE", here.gomodcache().0);
    }
    if let (Ok(dir), _) = here.gocache() {
        environment = environment.with("GOCACHE", dir.as_str());
    }
    let mut settings = Settings::load(environment, files);
    if let Some(goroot) = &here.goroot {
        settings = settings.with_goroot(goroot.clone(), files);
    }
    settings.version.clone_from(&here.version);
    settings.test_version.clone_from(&here.test_version);
    settings
}

/// What was set on this machine: in the process environment, and by `go env -w`.
fn set_here(settings: &Settings, files: &Files) -> Vec<Setting> {
    let mut all = Vec::new();
    for name in KNOWN.iter().copied() {
        let value = settings.environment.get(name);
        if !value.is_empty() {
            all.push(Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                line: 0,
            });
        }
    }
    let text = settings.env_file.path.as_ref().ok();
    let text = text
        .and_then(|path| files.read_to_string(path).ok())
        .unwrap_or_default();
    for (at, line) in text.lines().enumerate() {
        let Some((name, value)) = line.trim().split_once('=') else {
            continue;
        };
        if !name.starts_with('#') && !value.is_empty() {
            all.push(Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                line: at + 1,
            });
        }
    }
    all
}

fn member(files: &Files, dir: &Utf8Path) -> Option<Member> {
    let text = files.read_to_string(dir.join("go.mod")).ok()?;
    let file = ModFile::parse_lax("go.mod", &text, None).unwrap_or_default();
    // What replaces and excludes is read strictly, and what is damaged is told by whoever loads it.
    let mut as_written = |_: &str, version: &str| Ok(version.to_owned());
    let file = ModFile::parse("go.mod", &text, Some(&mut as_written)).unwrap_or(file);
    Some(Member {
        path: ModFile::module_path(&text),
        dir: dir.to_owned(),
        text,
        file,
    })
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
    pub fn layout(&self, repository: Option<&Repository>) -> Result<Layout> {
        layout(&self.session, repository)
    }
}

/// The tree without what lies outside of the repository and is referred to from inside: by go.work, by replacements, by links. `None` if
/// there is no such thing.
fn without_outside(
    git: &Repository,
    files: &Files,
    tree: &Overlay,
    layout: &Layout,
) -> Result<Option<Overlay>> {
    let work = layout
        .work
        .iter()
        .zip(&layout.go_work)
        .flat_map(|(work, file)| {
            let base = file.parent().unwrap_or(Utf8Path::new("/"));
            let uses = work.uses.iter().map(|used| base.join(&used.path));
            let replaces = work
                .replace
                .iter()
                .filter(|replace| replace.new.version.is_empty());
            uses.chain(replaces.map(|replace| base.join(&replace.new.path)))
                .collect::<Vec<_>>()
        });
    let members = layout.members.iter().flat_map(|member| {
        let local = member
            .file
            .replace
            .iter()
            .filter(|replace| replace.new.version.is_empty());
        local.map(|replace| member.dir.join(&replace.new.path))
    });
    let real = files
        .canonicalize(&git.root)
        .unwrap_or_else(|_| git.root.clone());
    let links = git.symlinks().map(|path| git.root.join(path));
    let links = links.filter(|link| {
        files
            .canonicalize(link)
            .is_ok_and(|target| !target.starts_with(&real))
    });
    let outside = work
        .chain(members)
        .map(|path| steady_system::clean(&path))
        .filter(|path| {
            // What the repository itself lies in cannot be taken away.
            git.relative(path).is_none() && !git.root.starts_with(path)
        });
    let hidden: Vec<Utf8PathBuf> = outside.chain(links).collect();
    if hidden.is_empty() {
        return Ok(None);
    }
    let known = tree
        .entries()
        .map(|(from, to)| (from.to_owned(), to.to_owned()));
    let mut pairs: BTreeMap<Utf8PathBuf, Utf8PathBuf> = known.collect();
    pairs.extend(hidden.into_iter().map(|path| (path, Utf8PathBuf::new())));
    Ok(Some(Overlay::of(pairs)?))
}

/// The modules that a session sees.
fn layout(session: &Session, repository: Option<&Repository>) -> Result<Layout> {
    let (settings, files) = (&session.settings, &session.files);
    let work = modules::go_work(settings, files)?;
    if let Some(path) = work {
        return Ok(workspace(files, path));
    }
    let cwd = settings.environment.cwd();
    let main = modules::go_mod(settings, files);
    let dirs = match main.as_deref().and_then(Utf8Path::parent) {
        Some(dir) => vec![dir.to_owned()],
        None => modules_below(files, repository, cwd),
    };
    Ok(Layout {
        members: dirs.iter().filter_map(|dir| member(files, dir)).collect(),
        ..Layout::default()
    })
}

fn workspace(files: &Files, path: Utf8PathBuf) -> Layout {
    let text = files.read_to_string(&path).unwrap_or_default();
    let mut as_written = |_: &str, version: &str| Ok(version.to_owned());
    let work = WorkFile::parse("go.work", &text, Some(&mut as_written)).ok();
    let base = path.parent().unwrap_or(Utf8Path::new("/"));
    let uses = work.iter().flat_map(|work| &work.uses);
    let dirs = uses.map(|used| steady_system::clean(&base.join(&used.path)));
    Layout {
        members: dirs.filter_map(|dir| member(files, &dir)).collect(),
        work_text: text,
        work,
        go_work: Some(path),
    }
}

/// Directories of modules below one that is in none.
fn modules_below(
    files: &Files,
    repository: Option<&Repository>,
    cwd: &Utf8Path,
) -> Vec<Utf8PathBuf> {
    let counts = |path: &Utf8Path| {
        let mut parts = path.components().map(|part| part.as_str().to_owned());
        parts.all(|part| !part.starts_with(['.', '_']) && part != "testdata" && part != "vendor")
    };
    let mut dirs: Vec<Utf8PathBuf> = match repository {
        Some(git) => git
            .tracked
            .keys()
            .filter(|path| path.rsplit('/').next() == Some("go.mod"))
            .filter_map(|path| git.root.join(path).parent().map(Utf8Path::to_owned))
            .filter(|dir| dir.strip_prefix(cwd).is_ok_and(counts))
            .collect(),
        None => {
            let entries = files.read_dir(cwd).unwrap_or_default();
            let dirs = entries.iter().map(|entry| cwd.join(&entry.name));
            dirs.filter(|dir| files.is_file(dir.join("go.mod")))
                .collect()
        }
    };
    dirs.sort();
    dirs
}

/// The modules that a clone shows: those of its go.work, else those that are here and committed.
fn committed_layout(
    plain: &Session,
    repository: Option<&Repository>,
    here: &Layout,
) -> Result<Layout> {
    let outside = |path: &Utf8Path| repository.is_some_and(|git| git.relative(path).is_none());
    let work = modules::go_work(&plain.settings, &plain.files)?.filter(|path| !outside(path));
    if let Some(path) = work {
        return Ok(workspace(&plain.files, path));
    }
    let dirs = here.members.iter().filter(|member| !outside(&member.dir));
    Ok(Layout {
        members: dirs
            .filter_map(|known| member(&plain.files, &known.dir))
            .collect(),
        ..Layout::default()
    })
}

fn root(repository: Option<&Repository>, layout: &Layout, cwd: &Utf8Path) -> Utf8PathBuf {
    if let Some(git) = repository {
        return git.root.clone();
    }
    let work = layout.go_work.as_deref().and_then(Utf8Path::parent);
    let module = layout.members.first().map(|member| member.dir.as_path());
    work.or(module).unwrap_or(cwd).to_owned()
}

/// What zips hold: the committed files without links, and beside that a module that requires each module as it would be published.
fn published(
    plain: &Session,
    repository: Option<&Repository>,
    tree: &Overlay,
    layout: &Layout,
    store: &TempDir,
) -> Result<Stage> {
    let mut pairs: BTreeMap<Utf8PathBuf, Utf8PathBuf> = tree
        .entries()
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .collect();
    if let Some(git) = repository {
        for path in git.symlinks() {
            pairs.insert(git.root.join(path), Utf8PathBuf::new());
        }
    }
    let tree = Overlay::of(pairs.clone())?;
    let files = Files::new(plain.files.cwd());
    for (at, member) in layout.members.iter().enumerate() {
        let dir = Survey::consumer_dir(&member.path);
        let go_mod = store.path().join(format!("{at}.mod"));
        files.write(&go_mod, consumer_text(member).as_bytes(), 0o600)?;
        pairs.insert(dir.join("go.mod"), go_mod);
        let sums = plain.files.read_if_exists(member.dir.join("go.sum"))?;
        let go_sum = store.path().join(format!("{at}.sum"));
        files.write(&go_sum, &sums.unwrap_or_default(), 0o600)?;
        pairs.insert(dir.join("go.sum"), go_sum);
    }
    let mut session = plain.fork();
    session.files = plain.files.clone().with_overlay(Overlay::of(pairs)?);
    Ok(Stage { session, tree })
}

/// The go.mod of a module that requires another one, which nobody has published yet: a directory stands in for its zip.
fn consumer_text(member: &Member) -> String {
    use std::fmt::Write as _;
    let path = &member.path;
    let version = Survey::made_up_version(path);
    let mut text = format!(
        "module steady.check/consumer\n\ngo {}\n\n",
        member.go_version()
    );
    let _ = writeln!(
        text,
        "require {path} {version}\n\nreplace {path} => {}\n",
        steady_module::modfile::auto_quote(member.dir.as_str())
    );
    for require in &member.file.require {
        if require.module.path != *path {
            let _ = writeln!(
                text,
                "require {} {}",
                require.module.path, require.module.version
            );
        }
    }
    text
}

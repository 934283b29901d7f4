//! Which toolchain this run acts as.
//!
//! go looks at GOTOOLCHAIN and at the go and toolchain lines of the nearest go.work or go.mod, and if the answer is not itself it
//! runs another go. Steady chooses in the same way and then uses the chosen toolchain's tree itself: settings are read anew from
//! its GOROOT, and the run acts as that version.
//!
//! A machine without any Go has no local toolchain to start from. Then the newest one in the module cache counts as local; if
//! there is none either, the go and toolchain lines are taken at their word if they ask for a release that Steady builds with;
//! otherwise, and without such lines, the newest release is fetched.

use camino::{Utf8Path, Utf8PathBuf};
use std::sync::Arc;
use steady_module::gover;
use steady_proxy::Fetcher;
use steady_proxy::toolchain::{self as toolchains, GoLines, Mode, Selection, available, select};
use steady_system::Files;
use steady_system::process::Command;

use crate::bail;
use crate::configs;
use crate::failure::{Failure, Result, TooNew};
use crate::modules;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::session::{Called, Session};
use crate::settings::{Settings, platform};

/// The first release that Steady builds with.
const OLDEST: &str = "1.22";

/// Stands for the local toolchain where there is none: below every release that Steady builds with. What asks for less gets the newest.
const NONE: &str = "go1.21.999";

/// Says to a program that it was started to provide this toolchain; go says it in the same way.
const TARGET: &str = "GOTOOLCHAIN_INTERNAL_SWITCH_VERSION";

/// Counts how often one toolchain has led to another.
const DEPTH: &str = "GOTOOLCHAIN_INTERNAL_SWITCH_COUNT";

/// How often that may be. The last of them are told, so that one sees who leads to whom.
const MAX_DEPTH: usize = 100;

/// Who asks, and where words go.
pub struct Chooser<'a> {
    /// Files of this machine.
    pub files: &'a Files,
    /// The command line, without the program's name.
    pub words: &'a [String],
    /// Where words go.
    pub printer: &'a Arc<Printer>,
    /// The name that the binary was called by.
    pub called: Called,
}

impl Chooser<'_> {
    /// Chooses the toolchain and gives the settings of the one chosen.
    ///
    /// # Errors
    /// GOTOOLCHAIN or a toolchain line that cannot be, or a toolchain that cannot be had.
    pub fn choose(&self, mut settings: Settings) -> Result<Settings> {
        if settings.goroot.is_none()
            && let Some(goroot) = self.newest_in_cache(&settings)
        {
            settings = settings.with_goroot(goroot, self.files);
        }
        let gotoolchain = settings.get("GOTOOLCHAIN").to_owned();
        if self.is_asked_of_the_local_one()
            || gotoolchain.is_empty()
            || !modules::enabled(&settings, self.files)
        {
            return Ok(settings);
        }
        let none = settings.goroot.is_none();
        if !none && settings.local_version().is_empty() {
            // A tree that does not say which release it is: whoever set GOROOT to it means it.
            return Ok(settings);
        }
        let local = if none { NONE } else { settings.local_version() }.to_owned();
        let lines = self.lines(&settings)?;
        let selection = select(&local, &gotoolchain, &lines)?;
        settings.startup = selection.startup.clone();
        let target = settings.environment.get(TARGET).to_owned();
        if !target.is_empty() && self.hook(&settings) != "loop" {
            if local != target {
                bail!("toolchain {local} invoked to provide {target}");
            }
            settings.environment = settings.environment.without(TARGET);
            return Ok(settings);
        }
        let trace = settings
            .environment
            .get("GODEBUG")
            .split(',')
            .any(|word| word == "toolchaintrace=1");
        if trace {
            selection
                .trace
                .iter()
                .for_each(|line| self.printer.note(format!("go: {line}")));
        }
        if !selection.is_local(&local) {
            return self.enter(&settings, &selection, trace);
        }
        if trace {
            self.printer
                .note(format!("go: using local toolchain {local}"));
        }
        if none {
            self.fetch_newest(&settings, &selection)
        } else {
            Ok(settings)
        }
    }

    /// The settings of a toolchain that is new enough for `ask`; `None` if GOTOOLCHAIN does not allow another one.
    ///
    /// # Errors
    /// There is none, or it cannot be had.
    pub fn switch(&self, settings: &Settings, ask: &TooNew) -> Result<Option<Settings>> {
        let (auto, path) = switches(settings);
        if !auto && !path {
            return Ok(None);
        }
        let TooNew { what, version } = ask;
        let offered = if auto {
            self.fetcher(settings)
                .and_then(|fetcher| Ok(available(&fetcher)?))
        } else {
            Ok(toolchains::in_path(&settings.environment, self.files))
        };
        let chosen = offered.and_then(|offered| Ok(toolchains::newer(version, &offered)?));
        let name = match chosen {
            Ok(name) => name,
            Err(Failure::Errors(why)) => bail!("switching to go >= {version}: {}", why.join("\n")),
            Err(other) => return Err(other),
        };
        self.printer.note(format!(
            "go: {what} requires go >= {version}; switching to {name}"
        ));
        let mode = if auto { Mode::Auto } else { Mode::Path };
        let startup = settings.startup.clone();
        let selection = Selection {
            toolchain: name,
            minimum: version.clone(),
            mode,
            startup,
            trace: Vec::new(),
        };
        self.enter(settings, &selection, false).map(Some)
    }

    /// A few questions are about the local toolchain's own settings, and one is a way out of a setting that cannot be.
    fn is_asked_of_the_local_one(&self) -> bool {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["env", "GOTOOLCHAIN" | "GOMOD" | "GOWORK"] => true,
            ["env", "-w", assignment] => assignment.starts_with("GOTOOLCHAIN="),
            _ => false,
        }
    }

    fn lines(&self, settings: &Settings) -> Result<GoLines> {
        let work = modules::go_work(settings, self.files)?.filter(|file| self.files.exists(file));
        let Some(file) = work.or_else(|| modules::go_mod(settings, self.files)) else {
            return Ok(GoLines::default());
        };
        let text = String::from_utf8_lossy(&self.files.read(&file)?).into_owned();
        Ok(GoLines {
            file: modules::short_path(settings.environment.cwd(), &file),
            go: modules::line_value(&text, "go").to_owned(),
            toolchain: modules::line_value(&text, "toolchain").to_owned(),
        })
    }

    /// Uses the chosen toolchain: from the search path, or fetched.
    fn enter(&self, settings: &Settings, selection: &Selection, trace: bool) -> Result<Settings> {
        let name = selection.toolchain.as_str();
        match self.hook(settings) {
            hook @ ("switch" | "mismatch") => {
                let mut settings = settings.clone();
                if hook == "switch" {
                    settings.test_version = Some(name.to_owned());
                }
                if trace {
                    let goroot = settings.get("GOROOT");
                    self.printer.note(format!(
                        "go: using {name} toolchain from cache located at {goroot}"
                    ));
                }
                return provides(settings, name);
            }
            "loop" => {
                let own = settings.environment.executable().unwrap_or("go".into());
                return self.start(settings, name, own);
            }
            _ => {}
        }
        if let Ok(program) = settings.environment.look_path(name) {
            if trace {
                self.printer.note(format!(
                    "go: using {name} toolchain located in system PATH ({program})"
                ));
            }
            return self.use_program(settings, name, program);
        }
        if selection.mode == Mode::Path {
            bail!("cannot find {name:?} in PATH");
        }
        let goroot = self.fetch(settings, name)?;
        if trace {
            self.printer.note(format!(
                "go: using {name} toolchain from cache located at {goroot}"
            ));
        }
        let mut settings = settings.with_goroot(goroot, self.files);
        settings.test_version = None;
        let has_tools = self
            .files
            .is_dir(Utf8Path::new(settings.get("GOROOT")).join("pkg/tool"));
        if settings.version.is_empty() && has_tools {
            // It does not say which release it is, but it was verified as this one.
            name.clone_into(&mut settings.version);
        }
        provides(settings, name)
    }

    /// What the test harness says about toolchains to be entered.
    fn hook<'s>(&self, settings: &'s Settings) -> &'s str {
        match cfg!(feature = "conformance") {
            true => settings.environment.get("TESTGO_VERSION_SWITCH"),
            false => "",
        }
    }

    /// A program named like a toolchain: one inside a GOROOT, or one that keeps its GOROOT in the user's `sdk`, stands for that
    /// tree. Any other is somebody's own, and is run in our place as go runs it.
    fn use_program(
        &self,
        settings: &Settings,
        name: &str,
        program: Utf8PathBuf,
    ) -> Result<Settings> {
        let real = self.files.canonicalize(&program).unwrap_or(program);
        let beside = real.ancestors().nth(2).map(Utf8PathBuf::from);
        let sdk = settings
            .environment
            .home_dir()
            .ok()
            .map(|home| home.join("sdk").join(name));
        for goroot in [beside, sdk].into_iter().flatten() {
            if self.files.is_dir(goroot.join("pkg/tool")) {
                let mut settings = settings.with_goroot(goroot, self.files);
                settings.test_version = None;
                return provides(settings, name);
            }
        }
        let mut settings = settings.clone();
        settings.environment = settings.environment.without("GOROOT");
        self.start(&settings, name, &real)
    }

    /// Runs a program in our place. It may be one that leads back to us, which must end some time.
    fn start(&self, settings: &Settings, name: &str, program: &Utf8Path) -> Result<Settings> {
        let environment = settings.environment.clone();
        let depth: usize = environment.get(DEPTH).parse().unwrap_or_default();
        if depth + 10 >= MAX_DEPTH {
            let local = settings.local_version();
            self.printer.note(format!(
                "go: switching from {local} to {name} [depth {depth}]"
            ));
        }
        if depth >= MAX_DEPTH {
            bail!("too many toolchain switches");
        }
        self.printer.flush();
        let environment = environment
            .with(DEPTH, (depth + 1).to_string())
            .with(TARGET, name);
        let mut command = Command::new(program.as_str(), &environment);
        command.argv0("go").args(self.words);
        Err(Failure::error(format!("exec {name}: {}", command.exec())))
    }

    fn fetcher(&self, settings: &Settings) -> Result<Fetcher> {
        configs::fetcher(
            settings,
            self.files,
            Arc::new(Progress::new(self.printer, self.called)),
        )
    }

    fn fetch(&self, settings: &Settings, name: &str) -> Result<Utf8PathBuf> {
        let fetcher = self.fetcher(settings)?;
        Ok(toolchains::install(
            &fetcher,
            name,
            platform::host_os(),
            platform::host_arch(),
        )?)
    }

    /// No toolchain, and nothing that asks for a certain one.
    fn fetch_newest(&self, settings: &Settings, selection: &Selection) -> Result<Settings> {
        if selection.mode == Mode::Fixed {
            let gotoolchain = settings.get("GOTOOLCHAIN");
            bail!("no Go toolchain was found, and GOTOOLCHAIN={gotoolchain} forbids fetching one");
        }
        let fetcher = self.fetcher(settings)?;
        let offered = available(&fetcher)?;
        let newest = offered
            .iter()
            .rev()
            .find(|version| !gover::is_prerelease(version) && !gover::is_lang(version));
        let Some(newest) = newest else {
            bail!("no Go toolchain was found, and no release is offered")
        };
        let goroot = toolchains::install(
            &fetcher,
            &format!("go{newest}"),
            platform::host_os(),
            platform::host_arch(),
        )?;
        Ok(settings.with_goroot(goroot, self.files))
    }

    /// The newest complete toolchain in the module cache.
    fn newest_in_cache(&self, settings: &Settings) -> Option<Utf8PathBuf> {
        let any = |_: &str| true;
        in_cache(settings, self.files, any).map(|(_, goroot)| goroot)
    }
}

/// The newest complete toolchain in the module cache whose version fits.
fn in_cache(
    settings: &Settings,
    files: &Files,
    fits: impl Fn(&str) -> bool,
) -> Option<(String, Utf8PathBuf)> {
    let (cache, _) = settings.gomodcache();
    let dir = Utf8PathBuf::from(cache).join("golang.org");
    let suffix = format!(".{}-{}", platform::host_os(), platform::host_arch());
    let entries = files.read_dir(&dir).ok()?;
    entries
        .iter()
        .filter_map(|entry| {
            let version = entry
                .name
                .strip_prefix("toolchain@v0.0.1-go")?
                .strip_suffix(&suffix)?;
            Some((version.to_owned(), dir.join(&entry.name)))
        })
        .filter(|(version, _)| gover::compare(version, OLDEST).is_ge() && fits(version))
        .filter(|(_, root)| files.is_file(root.join("src/go.mod")))
        .max_by(|(a, _), (b, _)| gover::compare(a, b))
}

/// A toolchain of the same language as a version (`1.24` or `1.24.3`), from the module cache, or fetched if that may be: its release and
/// its GOROOT.
pub fn release_of(
    session: &Session,
    version: &str,
    fetches: bool,
) -> Option<(String, Utf8PathBuf)> {
    let (settings, files) = (&session.settings, &session.files);
    let fits = |release: &str| gover::lang(release) == gover::lang(version);
    let known = in_cache(settings, files, fits);
    if known.is_some() || !fetches || gover::compare(version, OLDEST).is_lt() {
        return known;
    }
    let progress = Progress::new(&session.printer, session.called);
    let fetcher = configs::fetcher(settings, files, Arc::new(progress)).ok()?;
    let offered = available(&fetcher).ok()?;
    let newest = offered.into_iter().rfind(|release| {
        fits(release) && !gover::is_prerelease(release) && !gover::is_lang(release)
    })?;
    let (os, arch) = (platform::host_os(), platform::host_arch());
    let goroot = toolchains::install(&fetcher, &format!("go{newest}"), os, arch).ok()?;
    Some((newest, goroot))
}

/// Does GOTOOLCHAIN allow another toolchain than the one that was started with: fetched if need be, or from PATH?
fn switches(settings: &Settings) -> (bool, bool) {
    let gotoolchain = settings.get("GOTOOLCHAIN");
    let allows = |mode: &str| gotoolchain == mode || gotoolchain.ends_with(&format!("+{mode}"));
    (allows("auto"), allows("path"))
}

/// Would a command that needs a newer Go be done again with it?
#[must_use]
pub fn may_switch(settings: &Settings) -> bool {
    switches(settings) != (false, false)
}

/// Is the tree that was chosen what it was chosen for?
fn provides(settings: Settings, name: &str) -> Result<Settings> {
    let local = settings.local_version();
    if local != name {
        bail!("toolchain {local} invoked to provide {name}");
    }
    Ok(settings)
}

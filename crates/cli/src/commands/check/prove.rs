//! Building and testing what loads: here in place, elsewhere in copies that vanish. Steady does it itself, as a process of its own, so
//! that output and settings are those of a user.

use camino::{Utf8Path, Utf8PathBuf};
use std::time::Instant;
use steady_assure::check::proof::{Deed, Proof};
use steady_assure::check::symptom::Symptom;
use steady_assure::check::world::{Layout, Platform};
use steady_assure::check::{Environment, World};
use steady_proxy::zip::{Content, SourceFile, check_files};
use steady_system::process::Command;
use steady_system::temp::TempDir;
use steady_system::{FileKind, Files, Walk};

use super::Flags;
use super::environments::{Stage, Survey, made_up_version};
use super::loads::Times;
use super::progress::Watcher;
use crate::failure::{Failure, Result};

/// What all proofs have in common.
struct Prover<'p> {
    survey: &'p Survey,
    world: &'p World,
    flags: &'p Flags,
    watcher: &'p Watcher,
    found: Proved,
}

/// What came of all proofs.
#[derive(Default)]
pub struct Proved {
    /// What was done.
    pub proofs: Vec<Proof>,
    /// What could not be done, where something that is needed is not at hand.
    pub unknown: Vec<(Environment, String)>,
}

/// Where a command runs, and for whom.
struct Scene<'s> {
    environment: Environment,
    stage: &'s Stage,
    platform: Platform,
    module: String,
    cwd: Utf8PathBuf,
    copy: (Utf8PathBuf, Utf8PathBuf),
    /// go.work does not count.
    alone: bool,
}

/// Why a failure says nothing of the code, if it does not.
fn undecided(scene: &Scene<'_>, text: &str) -> Option<String> {
    if let Symptom::NotHere { what } = Symptom::of(text) {
        let reason = format!("{what} is not in the module cache; -online asks for it");
        return Some(reason);
    }
    let (cache, _) = scene.stage.session.settings.gocache();
    let file = lost(&cache.ok()?, text)?;
    Some(format!(
        "{file} was removed from the build cache meanwhile; check again"
    ))
}

/// The file of the build cache that a failure is about: what somebody else removes from it meanwhile says nothing of the code.
fn lost<'t>(cache: &Utf8Path, text: &'t str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("open {cache}/"))?;
    let (file, rest) = rest.split_once(": ")?;
    rest.starts_with("no such file or directory")
        .then_some(file)
}

impl Survey {
    /// Builds, and tests if asked, in every environment in which everything loads.
    ///
    /// # Errors
    /// Copies that cannot be made.
    pub fn prove(
        &self,
        world: &World,
        wanted: &[Environment],
        flags: &Flags,
        watcher: &Watcher,
        times: &mut Times,
    ) -> Result<Proved> {
        let mut prover = Prover {
            survey: self,
            world,
            flags,
            watcher,
            found: Proved::default(),
        };
        let start = Instant::now();
        prover.here()?;
        let here = start.elapsed();
        let clone = TempDir::new(self.here.session.environment(), "steady-clone")?;
        let copy = clone.path().join("repository");
        prover.clone_into(&copy)?;
        for environment in wanted {
            let start = Instant::now();
            match environment {
                Environment::Here => {}
                Environment::Ci => prover.ci(&copy)?,
                Environment::Colleague => prover.colleague(&copy)?,
                Environment::Consumer => prover.consumers(&copy, clone.path())?,
            }
            let here = Some(here).filter(|_| *environment == Environment::Here);
            let time = here.unwrap_or_else(|| start.elapsed());
            *times.entry(*environment).or_default() += time;
            watcher.proved(*environment, &prover.found.proofs, time);
        }
        Ok(prover.found)
    }
}

impl Prover<'_> {
    fn loads(&self, environment: Environment, module: &str, platform: Option<&Platform>) -> bool {
        let mut views = self.world.views_of(environment).filter(|view| {
            (module.is_empty() || view.module.is_empty() || view.module == module)
                && platform.is_none_or(|platform| view.platform == *platform)
        });
        views.all(|view| view.troubles().is_empty())
    }

    /// The committed state as a clone has it; without a repository the tree as it is.
    fn clone_into(&self, copy: &Utf8Path) -> Result<()> {
        let Some(git) = &self.survey.repository else {
            return Ok(());
        };
        let environment = self.survey.here.session.environment();
        let mut command = Command::new("git", environment);
        command.args(["clone", "-q", "--shared", git.root.as_str(), copy.as_str()]);
        let output = command.combined()?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::error(format!(
            "git clone: {}",
            output.text().trim()
        )))
    }

    /// Where a directory of the repository is in a copy.
    fn place(&self, dir: &Utf8Path, copy: &Utf8Path) -> Utf8PathBuf {
        match &self.survey.repository {
            Some(git) => git
                .relative(dir)
                .map_or_else(|| dir.to_owned(), |below| copy.join(below)),
            None => dir.to_owned(),
        }
    }

    fn here(&mut self) -> Result<()> {
        let root = self.survey.root.clone();
        let platform = Survey::native(&self.survey.here);
        let stage = &self.survey.here;
        self.members(
            Environment::Here,
            stage,
            (&self.survey.here_layout, &root),
            &platform,
        )
    }

    fn ci(&mut self, copy: &Utf8Path) -> Result<()> {
        let stage = self.survey.ci_stage();
        let platform = Survey::native(stage);
        self.members(
            Environment::Ci,
            stage,
            (&self.survey.there_layout, copy),
            &platform,
        )
    }

    fn colleague(&mut self, copy: &Utf8Path) -> Result<()> {
        for platform in self.survey.platforms() {
            self.members(
                Environment::Colleague,
                &self.survey.there,
                (&self.survey.there_layout, copy),
                &platform,
            )?;
        }
        Ok(())
    }

    /// Each module of a layout, in its directory.
    fn members(
        &mut self,
        environment: Environment,
        stage: &Stage,
        (layout, copy): (&Layout, &Utf8Path),
        platform: &Platform,
    ) -> Result<()> {
        let workspace = layout.go_work.is_some();
        for member in &layout.members {
            if !self.loads(environment, &member.path, Some(platform)) {
                continue;
            }
            let original = match &self.survey.repository {
                Some(git) if environment != Environment::Here => git.root.clone(),
                _ => copy.to_owned(),
            };
            let cwd = match environment {
                Environment::Here => member.dir.clone(),
                _ => self.place(&member.dir, copy),
            };
            let scene = Scene {
                environment,
                stage,
                platform: platform.clone(),
                module: member.path.clone(),
                cwd,
                copy: (copy.to_owned(), original),
                alone: !workspace,
            };
            self.built(&scene, "./...")?;
        }
        Ok(())
    }

    /// Compiles packages with their tests, links programs, runs tests.
    fn built(&mut self, scene: &Scene<'_>, pattern: &str) -> Result<()> {
        let native = Survey::native(scene.stage);
        let cross =
            (&native.goos, &native.goarch) != (&scene.platform.goos, &scene.platform.goarch);
        let compile: &[&str] = match scene.environment {
            Environment::Consumer => &["list", "-export", pattern],
            _ => &["list", "-test", "-export", pattern],
        };
        let link: &[&str] = &["build", "-o", "/dev/null", pattern];
        let whole = self.ran(scene, Deed::Build, compile)? && self.ran(scene, Deed::Build, link)?;
        if self.flags.test && whole && !cross && scene.environment != Environment::Consumer {
            self.ran(scene, Deed::Test, &["test", pattern])?;
        }
        Ok(())
    }

    fn ran(&mut self, scene: &Scene<'_>, deed: Deed, words: &[&str]) -> Result<bool> {
        self.watcher
            .proving(scene.environment, &scene.module, &scene.platform);
        let (shown, failure) = self.run(scene, words)?;
        let whole = failure.is_none();
        if let Some(reason) = failure.as_deref().and_then(|text| undecided(scene, text)) {
            self.found.unknown.push((scene.environment, reason));
            return Ok(false);
        }
        self.found.proofs.push(Proof {
            environment: scene.environment,
            platform: scene.platform.clone(),
            module: scene.module.clone(),
            deed,
            command: shown,
            cwd: scene.cwd.clone(),
            copy: scene.copy.clone(),
            failure,
        });
        Ok(whole)
    }

    /// Runs this program; how it would be repeated, and its output if it fails.
    fn run(&self, scene: &Scene<'_>, words: &[&str]) -> Result<(String, Option<String>)> {
        let platform = &scene.platform;
        let mut environment = scene.stage.session.environment().clone().in_dir(&scene.cwd);
        let mut shown = String::new();
        let mut set = |name: &str, value: &str| {
            environment = environment.clone().with(name, value);
            shown += &format!("{name}={value} ");
        };
        if scene.environment == Environment::Colleague {
            set("CGO_ENABLED", "0");
            set("GOOS", &platform.goos);
            set("GOARCH", &platform.goarch);
        }
        if scene.alone {
            set("GOWORK", "off");
        }
        let release = self.world.older_in(scene.environment);
        if let Some(release) = release.and_then(|older| older.at_hand.as_ref()) {
            shown += &format!("GOTOOLCHAIN=go{release} ");
        }
        let program = environment.executable().map(Utf8Path::to_owned);
        let program =
            program.ok_or_else(|| Failure::error("this program's own file is not known"))?;
        let mut command = Command::new(program.as_str(), &environment);
        command.argv0("steady").args(words.iter().take(1));
        if !self.flags.online {
            command.arg("-offline");
        }
        command.args(words.iter().skip(1));
        let output = command.output()?;
        let shown = format!("{shown}go {}", words.join(" "));
        if output.status.success() {
            return Ok((shown, None));
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((shown, Some(text(&output.stderr) + &text(&output.stdout))))
    }

    /// Each module as its zip would be, required by another one.
    fn consumers(&mut self, copy: &Utf8Path, place: &Utf8Path) -> Result<()> {
        let survey = self.survey;
        for (at, member) in survey.there_layout.members.iter().enumerate() {
            if member.refusal().is_some() || !self.loads(Environment::Consumer, &member.path, None)
            {
                continue;
            }
            let home = place.join(format!("consumer{at}"));
            let (module, app) = (home.join("module"), home.join("app"));
            Self::unpack(&self.place(&member.dir, copy), &module)?;
            let files = Files::new(&home);
            files.create_dir_all(&app)?;
            let text = format!(
                "module steady.check/consumer\n\ngo {}\n\nreplace {} => {module}\n",
                member.go_version(),
                member.path
            );
            files.write(app.join("go.mod"), text.as_bytes(), 0o600)?;
            let scene = Scene {
                environment: Environment::Consumer,
                stage: &survey.there,
                platform: Survey::native(&survey.there),
                module: member.path.clone(),
                cwd: app,
                copy: (module, member.dir.clone()),
                alone: true,
            };
            let pattern = format!("{}/...", member.path);
            // The module alone: `/...` would be looked for in every module whose path is a beginning of it.
            let wanted = format!("{}@{}", member.path, made_up_version(&member.path));
            let required = self.ran(&scene, Deed::Build, &["get", &wanted])?;
            let all = ["list", "-mod=mod", "-deps", &pattern];
            if required && self.ran(&scene, Deed::Build, &all)? {
                self.built(&scene, &pattern)?;
            }
        }
        Ok(())
    }

    /// Copies the files that a module's zip has.
    fn unpack(from: &Utf8Path, to: &Utf8Path) -> Result<()> {
        let files = Files::new(from);
        let mut all = Vec::new();
        files.walk(from, &mut |entry| {
            let below = entry.path.strip_prefix(from).unwrap_or(&entry.path);
            if entry.kind == FileKind::Dir {
                let own = entry.name == ".git";
                return Ok::<Walk, Failure>(if own { Walk::SkipDir } else { Walk::Continue });
            }
            all.push(SourceFile {
                path: below.to_string(),
                kind: entry.kind,
                size: 0,
                content: Content::File(files.clone(), entry.path.clone()),
            });
            Ok(Walk::Continue)
        })?;
        let checked = check_files(&all);
        for path in checked.valid {
            let target = to.join(&path);
            if let Some(dir) = target.parent() {
                files.create_dir_all(dir)?;
            }
            files.write(&target, &files.read(from.join(&path))?, 0o600)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_build_cache_lost_is_told_from_what_the_code_lacks() {
        let cache = Utf8Path::new("/cache");
        let text = "# m\nlex.go:8:2: could not import fmt (open /cache/eb/eb19-d: no such file or directory)\n";
        assert_eq!(lost(cache, text), Some("eb/eb19-d"));
        for other in [
            "a.go:3:2: could not import m/b (open /elsewhere/eb19-d: no such file or directory)",
            "open /cache/eb/eb19-d: permission denied",
            "undefined: limit",
        ] {
            assert_eq!(lost(cache, other), None, "{other}");
        }
    }
}

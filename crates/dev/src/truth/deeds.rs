//! What go does in each environment, and what comes of it.

#![allow(clippy::disallowed_methods)]

use crate::subjects::{Subjects, remove, root};
use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where what was done is kept, below a tree's own directory.
pub const KEPT: &str = "deeds.json";

/// The platforms that colleagues have.
const PLATFORMS: [(&str, &str); 6] = [
    ("linux", "amd64"),
    ("linux", "arm64"),
    ("darwin", "amd64"),
    ("darwin", "arm64"),
    ("windows", "amd64"),
    ("windows", "arm64"),
];

/// How far go goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// It builds everywhere.
    Build,
    /// On other platforms it only loads.
    CrossLoad,
    /// It only loads.
    Load,
}

/// One command of go's.
#[derive(Serialize, Deserialize, Debug)]
pub struct Deed {
    /// Where.
    pub environment: String,
    /// The path of the module that it was about.
    pub module: String,
    /// How it would be repeated.
    pub command: String,
    /// What it said, if it failed.
    pub failure: Option<String>,
}

impl Deed {
    /// Whether it was a build: what loads may still not compile.
    pub fn compiles(&self) -> bool {
        ["go build ", " -export "]
            .iter()
            .any(|words| self.command.contains(words))
    }

    /// Whether it shows if everything loads.
    pub fn loads(&self) -> bool {
        ["go list -deps ", "go get ", "zip of "]
            .iter()
            .any(|words| self.command.contains(words))
    }
}

/// One tree, and where go works on it.
pub struct Truth<'t> {
    subjects: &'t Subjects,
    tree: PathBuf,
    /// What all trees share: module cache and build cache.
    shared: &'t Path,
    own: &'t Path,
    publisher: PathBuf,
    /// Directories of modules, from the top of the tree, with their paths.
    members: Vec<(String, String)>,
    workspace: bool,
}

/// Where a command runs.
struct Scene<'s> {
    environment: &'static str,
    module: &'s str,
    dir: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl<'t> Truth<'t> {
    /// Finds the modules of a tree.
    pub fn new(
        subjects: &'t Subjects,
        tree: &Path,
        shared: &'t Path,
        own: &'t Path,
    ) -> Result<Self> {
        let mut truth = Truth {
            subjects,
            tree: tree.to_owned(),
            shared,
            own,
            publisher: publisher(subjects, shared)?,
            members: Vec::new(),
            workspace: tree.join("go.work").exists(),
        };
        let mut dirs = vec![".".to_owned()];
        if truth.workspace {
            let output = truth.go(&["work", "edit", "-json"], tree, &[])?.stdout;
            let work: serde_json::Value = serde_json::from_slice(&output)?;
            let uses = work["Use"].as_array().into_iter().flatten();
            dirs = uses
                .filter_map(|used| used["DiskPath"].as_str().map(str::to_owned))
                .collect();
        }
        for dir in dirs {
            let text = fs::read_to_string(tree.join(&dir).join("go.mod"))?;
            truth
                .members
                .push((dir, steady_module::modfile::ModFile::module_path(&text)));
        }
        Ok(truth)
    }

    /// Everything, in every environment.
    pub fn all(&self, depth: Depth) -> Result<Vec<Deed>> {
        let mut deeds = Vec::new();
        self.here(depth, &mut deeds)?;
        let clone = self.own.join("clone");
        remove(&clone)?;
        let mut cloning = Command::new("git");
        // What is committed now is all that counts, and all that some copies have.
        cloning.args(["clone", "-q", "--depth", "1"]);
        succeed(
            cloning
                .arg(format!("file://{}", self.tree.display()))
                .arg(&clone),
        )?;
        for (dir, module) in &self.members {
            let scene = Scene {
                environment: "ci",
                module,
                dir: clone.join(dir),
                variables: self.clean(),
            };
            self.builds(&scene, depth != Depth::Load, &mut deeds)?;
        }
        for (goos, goarch) in PLATFORMS {
            let native =
                (goos, goarch) == (std::env::consts::OS, "amd64") && cfg!(target_arch = "x86_64");
            for (dir, module) in &self.members {
                let mut variables = self.clean();
                let platform = [("CGO_ENABLED", "0"), ("GOOS", goos), ("GOARCH", goarch)];
                variables.extend(platform.map(|(name, value)| (name, value.to_owned())));
                let scene = Scene {
                    environment: "colleague",
                    module,
                    dir: clone.join(dir),
                    variables,
                };
                let build = depth == Depth::Build || native && depth == Depth::CrossLoad;
                self.builds(&scene, build, &mut deeds)?;
            }
        }
        for (dir, module) in &self.members {
            self.consumer(&clone, (dir, module), depth, &mut deeds)?;
        }
        Ok(deeds)
    }

    /// The tree as it is, with the settings as they are.
    fn here(&self, depth: Depth, deeds: &mut Vec<Deed>) -> Result<()> {
        for (dir, module) in &self.members {
            let scene = Scene {
                environment: "here",
                module,
                dir: self.tree.join(dir),
                variables: vec![("GOCACHE", self.cache())],
            };
            self.builds(&scene, depth != Depth::Load, deeds)?;
        }
        Ok(())
    }

    /// Loads all packages of a module with their tests, compiles them, and links its programs.
    fn builds(&self, scene: &Scene<'_>, build: bool, deeds: &mut Vec<Deed>) -> Result<()> {
        self.done(scene, &["list", "-deps", "-test", "./..."], deeds)?;
        if build {
            self.done(scene, &["list", "-test", "-export", "./..."], deeds)?;
            self.done(scene, &["build", "-o", "/dev/null", "./..."], deeds)?;
        }
        Ok(())
    }

    /// Publishes what is committed of a module, requires it in an empty one, builds its packages and installs its programs.
    fn consumer(
        &self,
        clone: &Path,
        (dir, module): (&str, &str),
        depth: Depth,
        deeds: &mut Vec<Deed>,
    ) -> Result<()> {
        let place = self.own.join("consumer").join(module.replace('/', "_"));
        remove(&place)?;
        let (proxy, app) = (place.join("proxy"), place.join("app"));
        fs::create_dir_all(&app)?;
        // As go has it in its own clones: what .gitattributes says of archives does not count.
        fs::write(
            clone.join(".git/info/attributes"),
            "* -export-subst -export-ignore\n",
        )?;
        let output = Command::new(&self.publisher)
            .arg("git")
            .arg(clone)
            .args([dir])
            .arg(&proxy)
            .output()?;
        let mut variables = self.clean();
        let published = format!(
            "file://{},file://{}/mod/cache/download,",
            proxy.display(),
            self.shared.display()
        );
        variables.extend([
            ("GOMODCACHE", place.join("mod").display().to_string()),
            ("GOPROXY", published + &self.setting("GOPROXY")?),
            ("GONOSUMDB", module.to_owned()),
            ("GOFLAGS", "-modcacherw".to_owned()),
        ]);
        let scene = Scene {
            environment: "consumer",
            module,
            dir: app,
            variables,
        };
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let Some((_, version)) = text.trim().split_once(' ') else {
            deeds.push(Deed {
                environment: "consumer".to_owned(),
                module: module.to_owned(),
                command: format!("zip of {module}"),
                failure: Some(String::from_utf8_lossy(&output.stderr).into_owned()),
            });
            return Ok(());
        };
        self.go(
            &["mod", "init", "example.test/consumer"],
            &scene.dir,
            &scene.variables,
        )?;
        let all = format!("{module}/...");
        if self.done(&scene, &["get", &format!("{all}@{version}")], deeds)? {
            let build = ["build", "-o", "/dev/null", all.as_str()];
            let words = if depth == Depth::Load {
                &["list", "-deps", all.as_str()][..]
            } else {
                &build[..]
            };
            self.done(&scene, words, deeds)?;
            let form = r#"{{if eq .Name "main"}}{{.ImportPath}}{{end}}"#;
            let programs = self
                .go(&["list", "-f", form, &all], &scene.dir, &scene.variables)?
                .stdout;
            for program in String::from_utf8_lossy(&programs).lines() {
                self.done(
                    &scene,
                    &["install", "-n", &format!("{program}@{version}")],
                    deeds,
                )?;
            }
        }
        remove(&place.join("mod"))
    }

    /// Does it, and keeps what came of it; whether it went well.
    fn done(&self, scene: &Scene<'_>, words: &[&str], deeds: &mut Vec<Deed>) -> Result<bool> {
        let shown = scene
            .variables
            .iter()
            .filter(|(name, _)| ["GOOS", "GOARCH", "CGO_ENABLED"].contains(name));
        let shown: String = shown
            .map(|(name, value)| format!("{name}={value} "))
            .collect();
        let command = format!("{shown}go {}", words.join(" "));
        eprintln!("{} {}: {command}", scene.environment, scene.module);
        let output = self.go(words, &scene.dir, &scene.variables)?;
        let lines = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = lines
            .lines()
            .filter(|line| !line.starts_with("go: downloading "))
            .collect();
        let failure = (!output.status.success()).then(|| lines.join("\n"));
        let well = failure.is_none();
        deeds.push(Deed {
            environment: scene.environment.to_owned(),
            module: scene.module.to_owned(),
            command,
            failure,
        });
        // So much of it is known if it is ended early.
        fs::write(self.own.join(KEPT), serde_json::to_vec_pretty(deeds)?)?;
        Ok(well)
    }

    /// The settings of somebody who has set nothing, with caches that go alone fills.
    fn clean(&self) -> Vec<(&'static str, String)> {
        let mut all = vec![
            ("GOENV", "off".to_owned()),
            ("GOMODCACHE", self.shared.join("mod").display().to_string()),
            ("GOCACHE", self.cache()),
            ("GOFLAGS", "-modcacherw".to_owned()),
        ];
        if !self.workspace {
            // Neither one beside the clone.
            all.push(("GOWORK", "off".to_owned()));
        }
        all
    }

    fn cache(&self) -> String {
        self.shared.join("build").display().to_string()
    }

    fn setting(&self, name: &str) -> Result<String> {
        let output = self.go(&["env", name], &self.tree, &[])?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn go(
        &self,
        words: &[&str],
        dir: &Path,
        variables: &[(&'static str, String)],
    ) -> Result<Output> {
        let mut command = Command::new(&self.subjects.go);
        command.args(words).current_dir(dir).stdin(Stdio::null());
        if variables.iter().any(|(name, _)| *name == "GOENV") {
            let set = std::env::vars().map(|(name, _)| name);
            set.filter(|name| name.starts_with("GO") || name.starts_with("CGO_"))
                .for_each(|name| {
                    command.env_remove(name);
                });
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.output().with_context(|| format!("{command:?}"))
    }
}

/// The program that makes module zips, which the incidents use too.
fn publisher(subjects: &Subjects, shared: &Path) -> Result<PathBuf> {
    let dir = shared.join("publish");
    fs::create_dir_all(&dir)?;
    let vendored = subjects.goroot.join("src/cmd/vendor/golang.org/x/mod");
    remove(&dir.join("mod"))?;
    succeed(
        Command::new("cp")
            .arg("-r")
            .arg(vendored)
            .arg(dir.join("mod")),
    )?;
    fs::write(
        dir.join("mod/go.mod"),
        "module golang.org/x/mod\n\ngo 1.23\n",
    )?;
    let go_mod = "module publish\n\ngo 1.23\n\nrequire golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n";
    fs::write(dir.join("go.mod"), go_mod)?;
    fs::copy(
        root()?.join("incidents/truth/publish.go"),
        dir.join("main.go"),
    )?;
    let mut build = Command::new(&subjects.go);
    build
        .args(["build", "-o", "publish", "."])
        .current_dir(&dir);
    succeed(build.env("GOWORK", "off").env("GOFLAGS", ""))?;
    Ok(dir.join("publish"))
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

//! The two commands that are held against one another, go and Steady, and the place where they work.

#![allow(clippy::disallowed_methods)]

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Root of the repository.
pub fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest
        .ancestors()
        .nth(2)
        .context("the workspace")?
        .to_owned())
}

/// Builds the released binary, or with `features` another one in a target directory of its own.
pub fn build_steady(root: &Path, conformance: Option<&Path>) -> Result<PathBuf> {
    let mut command = Command::new("cargo");
    command.current_dir(root).arg("--quiet");
    let target = match conformance {
        Some(target) => {
            command.args(["build", "--release", "--features", "conformance"]);
            target.to_owned()
        }
        None => {
            match cfg!(target_os = "linux") {
                true => command.arg("static"),
                false => command.args(["build", "--release"]),
            };
            root.join("target")
        }
    };
    let status = command.env("CARGO_TARGET_DIR", &target).status()?;
    if !status.success() {
        bail!("Steady does not build");
    }
    Ok(target.join("release/steady"))
}

/// GOROOT of a Go version: that which Steady finds here, or the one named, which Steady fetches if it is not here.
pub fn goroot(steady: &Path, version: Option<&str>) -> Result<PathBuf> {
    let mut command = Command::new(steady);
    command
        .args(["env", "GOROOT"])
        .env_remove("GOROOT")
        .env("GOWORK", "off");
    if let Some(version) = version {
        command.env("GOTOOLCHAIN", format!("go{version}"));
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    let path = String::from_utf8(output.stdout)?.trim().to_string();
    if !output.status.success() || path.is_empty() {
        bail!("no Go toolchain is here and none could be fetched");
    }
    Ok(path.into())
}

/// go and Steady, driving the same toolchain.
pub struct Subjects {
    /// The toolchain's own command.
    pub go: PathBuf,
    /// Steady.
    pub steady: PathBuf,
    /// The toolchain.
    pub goroot: PathBuf,
}

impl Subjects {
    /// Builds Steady if no binary is given, and finds or fetches the toolchain.
    pub fn find(binary: Option<&Path>, version: Option<&str>) -> Result<Subjects> {
        let steady = match binary {
            Some(binary) => fs::canonicalize(binary)?,
            None => build_steady(&root()?, None)?,
        };
        let goroot = goroot(&steady, version)?;
        Ok(Subjects {
            go: goroot.join("bin/go"),
            steady,
            goroot,
        })
    }

    /// A command line for one of the two in a directory. Both use the same toolchain, and nothing of the user's own settings
    /// but where modules come from.
    pub fn command(&self, steady: bool, dir: &Path, arguments: &[String]) -> Command {
        let mut command = Command::new(if steady { &self.steady } else { &self.go });
        command
            .args(arguments)
            .current_dir(dir)
            .env("GOTOOLCHAIN", "local")
            .env("GOROOT", &self.goroot)
            .env("GOFLAGS", "")
            .stdin(Stdio::null());
        command
    }
}

/// Runs to the end and returns what it wrote to standard error; failure shows all it said.
pub fn errors_of(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        bail!("{command:?}: {}\n{stderr}", output.status);
    }
    Ok(stderr)
}

/// Removes a directory, if it is there.
pub fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| dir.display().to_string())
        }
        _ => Ok(()),
    }
}

//! The environment of the process, captured once and then a value like any other.
//!
//! Variables keep their order and their bytes, so that a child gets exactly what its parent got. Lookups are by the first
//! occurrence, as in Go's `os.Getenv`.

use camino::{Utf8Path, Utf8PathBuf};
use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use crate::files::{Question, Sight, Sightings};
use crate::{Error, Result, describe_io};

/// Variables, working directory, own executable and arguments. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Environment {
    inner: Arc<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    vars: Vec<(OsString, OsString)>,
    cwd: Utf8PathBuf,
    executable: Option<Utf8PathBuf>,
    args: Vec<String>,
    sightings: Option<Arc<Sightings>>,
}

/// Why a program was not found; worded as Go's `exec.Error`.
#[derive(Debug, thiserror::Error)]
#[error("exec: {name:?}: {reason}")]
pub struct LookPathError {
    /// Name as asked for.
    pub name: String,
    /// `executable file not found in $PATH`, `permission denied`, ...
    pub reason: String,
}

impl Environment {
    /// The environment of this process. Arguments that are not UTF-8 lose the bytes that are not.
    pub fn capture() -> Result<Environment> {
        let vars: Vec<_> = std::env::vars_os().collect();
        let cwd = working_directory(&vars)?;
        let executable = std::env::current_exe()
            .ok()
            .and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
        let args = std::env::args_os()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        Ok(Environment {
            inner: Arc::new(Inner {
                vars,
                cwd,
                executable,
                args,
                sightings: None,
            }),
        })
    }

    /// An environment with these variables only, for tests and for children.
    pub fn empty(cwd: impl Into<Utf8PathBuf>) -> Environment {
        Environment {
            inner: Arc::new(Inner {
                vars: Vec::new(),
                cwd: cwd.into(),
                executable: None,
                args: Vec::new(),
                sightings: None,
            }),
        }
    }

    /// The value of a variable, if it is set and UTF-8. Set to nothing is `Some("")`.
    pub fn lookup(&self, name: &str) -> Option<&str> {
        self.lookup_os(name).and_then(OsStr::to_str)
    }

    /// The value of a variable, or nothing: Go's `os.Getenv`.
    pub fn get(&self, name: &str) -> &str {
        self.lookup(name).unwrap_or_default()
    }

    /// The value of a variable in its own bytes.
    pub fn lookup_os(&self, name: &str) -> Option<&OsStr> {
        self.inner
            .vars
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_os_str())
    }

    /// All variables in their order.
    pub fn variables(&self) -> &[(OsString, OsString)] {
        &self.inner.vars
    }

    /// The same environment with one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Environment {
        let value = value.as_ref().to_owned();
        let vars = &mut Arc::make_mut(&mut self.inner).vars;
        match vars.iter_mut().find(|(key, _)| key == name) {
            Some(var) => var.1 = value,
            None => vars.push((name.into(), value)),
        }
        self
    }

    /// The same environment without one variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Environment {
        Arc::make_mut(&mut self.inner)
            .vars
            .retain(|(key, _)| key != name);
        self
    }

    /// The same environment in another directory; PWD follows, as it does for a child of the go command.
    #[must_use]
    pub fn in_dir(mut self, dir: impl Into<Utf8PathBuf>) -> Environment {
        let dir = dir.into();
        Arc::make_mut(&mut self.inner).cwd.clone_from(&dir);
        self.with("PWD", dir.as_str())
    }

    /// The working directory, absolute.
    pub fn cwd(&self) -> &Utf8Path {
        &self.inner.cwd
    }

    /// This program's own file, links as the system reports them.
    pub fn executable(&self) -> Option<&Utf8Path> {
        self.inner.executable.as_deref()
    }

    /// The same environment with another idea of this program's file.
    #[must_use]
    pub fn with_executable(mut self, path: impl Into<Utf8PathBuf>) -> Environment {
        Arc::make_mut(&mut self.inner).executable = Some(path.into());
        self
    }

    /// The name this program was called by.
    pub fn argv0(&self) -> &str {
        self.inner.args.first().map_or("", String::as_str)
    }

    /// The arguments, without the program's name.
    pub fn arguments(&self) -> &[String] {
        self.inner.args.get(1..).unwrap_or_default()
    }

    /// `$HOME`; an error as Go's `os.UserHomeDir` gives it.
    pub fn home_dir(&self) -> Result<Utf8PathBuf, String> {
        match self.get("HOME") {
            "" => Err("$HOME is not defined".to_owned()),
            home => Ok(home.into()),
        }
    }

    /// Where a user's settings live (`os.UserConfigDir`).
    pub fn user_config_dir(&self) -> Result<Utf8PathBuf, String> {
        self.user_dir("XDG_CONFIG_HOME", ".config", "Library/Application Support")
    }

    /// Where a user's caches live (`os.UserCacheDir`).
    pub fn user_cache_dir(&self) -> Result<Utf8PathBuf, String> {
        self.user_dir("XDG_CACHE_HOME", ".cache", "Library/Caches")
    }

    fn user_dir(
        &self,
        variable: &str,
        below_home: &str,
        on_mac: &str,
    ) -> Result<Utf8PathBuf, String> {
        if cfg!(target_os = "macos") {
            return self.home_dir().map(|home| home.join(on_mac));
        }
        match (self.get(variable), self.get("HOME")) {
            ("", "") => Err(format!("neither ${variable} nor $HOME are defined")),
            ("", home) => Ok(Utf8PathBuf::from(home).join(below_home)),
            (dir, _) if !dir.starts_with('/') => Err(format!("path in ${variable} is relative")),
            (dir, _) => Ok(dir.into()),
        }
    }

    /// Where temporaries go (`os.TempDir`).
    pub fn temp_dir(&self) -> Utf8PathBuf {
        match self.get("TMPDIR") {
            "" => "/tmp".into(),
            dir => dir.into(),
        }
    }

    /// The notes that the run takes, if it takes any.
    #[must_use]
    pub fn sightings(&self) -> Option<&Arc<Sightings>> {
        self.inner.sightings.as_ref()
    }

    /// The same environment; from here on it is noted which programs are looked for.
    #[must_use]
    pub fn watched(mut self, sightings: Arc<Sightings>) -> Environment {
        Arc::make_mut(&mut self.inner).sightings = Some(sightings);
        self
    }

    fn executable_at(&self, path: &Utf8Path) -> std::io::Result<()> {
        let found = executable(path);
        if let Some(sightings) = &self.inner.sightings {
            let sight = match &found {
                Ok(()) => Sight::Yes,
                Err(error) => Sight::error(error),
            };
            sightings.saw(path, Question::Executable, sight);
        }
        found
    }

    /// The program a name leads to, as Go's `exec.LookPath` finds it: a name with a slash is itself, others are searched in PATH,
    /// and what PATH finds in a relative directory is refused.
    pub fn look_path(&self, name: &str) -> Result<Utf8PathBuf, LookPathError> {
        let fail = |reason: String| LookPathError {
            name: name.to_owned(),
            reason,
        };
        if name.is_empty() {
            return Err(fail("executable file not found in $PATH".to_owned()));
        }
        if name.contains('/') {
            let path = self.inner.cwd.join(name);
            return match self.executable_at(&path) {
                Ok(()) => Ok(name.into()),
                Err(error) => Err(fail(describe_io(&error))),
            };
        }
        for dir in self.get("PATH").split(':') {
            let dir = if dir.is_empty() { "." } else { dir };
            let path = Utf8Path::new(dir).join(name);
            if self.executable_at(&self.inner.cwd.join(&path)).is_ok() {
                if path.is_absolute() {
                    return Ok(path);
                }
                return Err(fail(
                    "cannot run executable found relative to current directory".to_owned(),
                ));
            }
        }
        Err(fail("executable file not found in $PATH".to_owned()))
    }

    /// All programs of a name in absolute directories of PATH, in its order.
    pub fn programs<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Utf8PathBuf> + 'a {
        let dirs = self.get("PATH").split(':');
        dirs.map(move |dir| Utf8Path::new(dir).join(name))
            .filter(|path| path.is_absolute() && self.executable_at(path).is_ok())
    }
}

impl<K: AsRef<str>, V: AsRef<str>> Extend<(K, V)> for Environment {
    fn extend<T: IntoIterator<Item = (K, V)>>(&mut self, variables: T) {
        for (name, value) in variables {
            *self = self.clone().with(name.as_ref(), value.as_ref());
        }
    }
}

pub(crate) fn executable(path: &Utf8Path) -> std::io::Result<()> {
    if std::fs::metadata(path)?.is_dir() {
        return Err(std::io::Error::from_raw_os_error(
            rustix::io::Errno::ISDIR.raw_os_error(),
        ));
    }
    let flags = rustix::fs::AtFlags::EACCESS;
    rustix::fs::accessat(
        rustix::fs::CWD,
        path.as_std_path(),
        rustix::fs::Access::EXEC_OK,
        flags,
    )?;
    Ok(())
}

/// `$PWD` when it names the directory we are in (it keeps the links the user came by), else what the system says.
fn working_directory(vars: &[(OsString, OsString)]) -> Result<Utf8PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let pwd = vars
        .iter()
        .find(|(key, _)| key == "PWD")
        .and_then(|(_, value)| value.to_str());
    if let Some(pwd) = pwd.filter(|pwd| pwd.starts_with('/'))
        && let (Ok(here), Ok(there)) = (std::fs::metadata("."), std::fs::metadata(pwd))
        && (here.dev(), here.ino()) == (there.dev(), there.ino())
    {
        return Ok(pwd.into());
    }
    let dir = std::env::current_dir().map_err(|error| Error::path("getwd", "", error))?;
    Utf8PathBuf::from_path_buf(dir)
        .map_err(|path| Error::NotUtf8(path.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_gos_rules() {
        let env = Environment::empty("/w");
        assert_eq!(
            env.user_cache_dir().unwrap_err(),
            "neither $XDG_CACHE_HOME nor $HOME are defined"
        );
        let env = env.with("HOME", "/h");
        assert_eq!(env.user_config_dir().unwrap(), "/h/.config");
        let env = env.with("XDG_CONFIG_HOME", "rel");
        assert_eq!(
            env.user_config_dir().unwrap_err(),
            "path in $XDG_CONFIG_HOME is relative"
        );
        assert_eq!(env.temp_dir(), "/tmp");
    }

    #[test]
    fn setting_replaces_and_clones_do_not_see_it() {
        let env = Environment::empty("/w").with("A", "1");
        let other = env.clone().with("A", "2");
        assert_eq!((env.get("A"), other.get("A")), ("1", "2"));
        assert_eq!(other.without("A").lookup("A"), None);
        assert_eq!(env.in_dir("/v").get("PWD"), "/v");
    }

    #[test]
    fn programs_are_searched_in_path() {
        let dir = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(dir.path()).unwrap();
        std::fs::write(dir.join("tool"), "").unwrap();
        let env = Environment::empty(dir).with("PATH", dir.as_str());
        let error = env.look_path("tool").unwrap_err();
        assert_eq!(
            error.to_string(),
            "exec: \"tool\": executable file not found in $PATH"
        );
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(dir.join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(env.look_path("tool").unwrap(), dir.join("tool"));
        assert_eq!(env.look_path("./tool").unwrap(), "./tool");
        let env = env.with("PATH", ":/nowhere");
        assert!(
            env.look_path("tool")
                .unwrap_err()
                .reason
                .contains("relative to current directory")
        );
    }
}

//! A repository on this machine: what its tags and commits mean as versions.

#![allow(clippy::disallowed_methods)] // makes the repository as its owner does

use camino::{Utf8Path, Utf8PathBuf};
use std::process::Command;
use std::sync::Arc;

use steady_system::{Environment, Files};

use crate::Silent;
use crate::{Config, Fetcher, Repo, ZipSink};

struct Repository {
    dir: tempfile::TempDir,
}

impl Repository {
    /// Two modules, `example.com/r` and `example.com/r/sub`, with tags for each, and a commit after them.
    fn new() -> Repository {
        let repository = Repository {
            dir: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write("go.mod", "module example.com/r\n\ngo 1.21\n");
        repository.write("r.go", "package r\n");
        repository.write("sub/go.mod", "module example.com/r/sub\n");
        repository.write("sub/sub.go", "package sub\n");
        repository.commit("first", "2024-01-02T03:04:05Z");
        repository.git(&["tag", "v1.2.3"]);
        repository.git(&["tag", "sub/v0.4.0"]);
        repository.git(&["tag", "v9"]);
        repository.write("r.go", "package r // changed\n");
        repository.commit("second", "2024-02-03T04:05:06Z");
        repository
    }

    fn path(&self) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.dir.path().canonicalize().unwrap()).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    fn commit(&self, message: &str, date: &str) {
        self.git(&["add", "--all"]);
        let output = self
            .command(&["commit", "--quiet", "-m", message])
            .env("GIT_COMMITTER_DATE", date)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=A", "-c", "user.email=a@example.com"])
            .args(arguments)
            .current_dir(self.dir.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    fn module(&self, path: &str) -> Arc<dyn Repo> {
        let cache = self.path().join(".git/module-cache");
        let config = Config {
            gomodcache: cache,
            go_version: "1.26".into(),
            ..Config::default()
        };
        let environment = Environment::capture().unwrap();
        let fetcher = Fetcher::new(
            config,
            environment,
            Files::new(Utf8Path::new("/")),
            Arc::new(Silent),
        );
        fetcher
            .lookup_local("example.com/r", path, &self.path())
            .unwrap()
    }
}

#[test]
fn tags_are_versions_of_the_module_in_their_directory() {
    let repository = Repository::new();
    let root = repository.module("example.com/r");
    let sub = repository.module("example.com/r/sub");
    assert_eq!(sub.stat("v0.4.0").unwrap().version, "v0.4.0");
    assert_eq!(root.stat("v1.2.3").unwrap().version, "v1.2.3");
    assert!(root.stat("v1.2.4").is_err());
    assert_eq!(sub.go_mod("v0.4.0").unwrap(), b"module example.com/r/sub\n");
}

#[test]
fn a_commit_is_a_pseudo_version_after_the_tag_before_it() {
    let repository = Repository::new();
    let head = repository.git(&["rev-parse", "HEAD"]);
    let short = &head[..12];
    let root = repository.module("example.com/r");
    assert_eq!(
        root.stat(&head).unwrap().version,
        format!("v1.2.4-0.20240203040506-{short}")
    );
    let sub = repository.module("example.com/r/sub");
    assert_eq!(
        sub.stat(&head).unwrap().version,
        format!("v0.4.1-0.20240203040506-{short}")
    );
}

#[derive(Default)]
struct Memory(Vec<u8>);

impl std::io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl ZipSink for Memory {
    fn restart(&mut self) -> crate::Result<()> {
        self.0.clear();
        Ok(())
    }
    fn expect(&mut self, _: u64) {}
}

#[test]
fn a_zip_holds_the_module_and_no_other() {
    let repository = Repository::new();
    let mut sink = Memory::default();
    repository
        .module("example.com/r")
        .zip(&mut sink, "v1.2.3")
        .unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(sink.0)).unwrap();
    let mut names: Vec<String> = zip
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["example.com/r@v1.2.3/go.mod", "example.com/r@v1.2.3/r.go"]
    );
    let text = std::io::read_to_string(zip.by_name("example.com/r@v1.2.3/r.go").unwrap()).unwrap();
    assert_eq!(text, "package r\n");
}

//! Files of the cache that were cut or edited behind our back: each is noticed when it is used, and made good where the sums decide.

use super::tests::{Scene, module, small_zip, usual, zip_of};
use super::*;
use crate::testing::{Answer, Server};

/// A cache with the module in it, and a go.sum that knows it.
struct Stored {
    server: Server,
    scene: Scene,
}

impl Stored {
    fn new() -> Stored {
        Stored::with(Server::new(|request| match request.path.as_str() {
            "/m.test/m/@v/v1.1.0.mod" => Answer::new(200, "text/plain", "module m.test/m\n"),
            _ => usual(request),
        }))
    }

    fn with(server: Server) -> Stored {
        let mut scene = Scene::new(&server.url(""));
        scene.config.mend_zips = true;
        let stored = Stored { server, scene };
        let fetcher = stored.fetcher();
        fetcher.download(&module()).unwrap();
        fetcher.go_mod("m.test/m", "v1.0.0").unwrap();
        fetcher.info_file("m.test/m", "v1.0.0").unwrap();
        let go_mod = ModuleVersion::new("m.test/m", "v1.0.0/go.mod");
        fetcher
            .write_go_sum(&HashSet::from([module(), go_mod]), false)
            .unwrap();
        stored
    }

    /// A fetcher as of a new process, in a module with that go.sum.
    fn fetcher(&self) -> Fetcher {
        let fetcher = self.scene.fetcher();
        fetcher.set_sum_files(SumFiles {
            main: Some("go.sum".into()),
            workspace: Vec::new(),
        });
        fetcher
    }

    fn offline(&mut self) {
        self.scene.config.goproxy = "off".into();
    }

    fn file(&self, suffix: &str) -> Utf8PathBuf {
        self.fetcher().cache_path(&module(), suffix).unwrap()
    }

    fn dir(&self) -> Utf8PathBuf {
        self.fetcher().extracted_path(&module()).unwrap()
    }

    fn read(&self, suffix: &str) -> Vec<u8> {
        self.scene.files.read(self.file(suffix)).unwrap()
    }

    fn damage(&self, suffix: &str, bytes: &[u8]) {
        let path = self.file(suffix);
        self.scene.files.write(path, bytes, 0o644).unwrap();
    }

    fn asked(&self, suffix: &str) -> usize {
        self.server.count(&format!("/m.test/m/@v/v1.0.0.{suffix}"))
    }

    fn warned(&self, suffix: &str) -> bool {
        let start = format!("go: warning: {} ", self.file(suffix));
        let heard = self.scene.heard();
        heard.iter().filter(|line| line.starts_with(&start)).count() == 1
    }

    /// The directory is the zip's, and nothing else is in it.
    fn is_whole(&self) -> bool {
        let names = |dir: Utf8PathBuf| -> Vec<String> {
            let entries = self.scene.files.read_dir(dir).unwrap();
            entries.into_iter().map(|entry| entry.name).collect()
        };
        self.scene.files.read(self.dir().join("a/a.go")).unwrap() == b"package a\n"
            && names(self.dir()) == ["a", "go.mod"]
            && self.read("zip") == small_zip()
            && self.fetcher().sum(&module()) == self.fetcher().recorded_sum(&module())
            && !self.scene.files.exists(self.file("partial"))
    }
}

fn other_zip() -> Vec<u8> {
    zip_of(&module(), &[("go.mod", "module m.test/m\n"), ("x", "y")])
}

/// Cut short, cut to nothing, one byte changed, another archive.
fn bad_zips() -> Vec<Vec<u8>> {
    let good = small_zip();
    let mut edited = good.clone();
    edited[60] ^= 0x55;
    vec![good[..good.len() / 2].to_vec(), vec![], edited, other_zip()]
}

#[test]
fn a_zip_is_fetched_again() {
    for bad in bad_zips() {
        let stored = Stored::new();
        stored.damage("zip", &bad);
        stored.scene.files.remove_all(stored.dir()).unwrap();
        stored.fetcher().download(&module()).unwrap();
        assert_eq!(stored.asked("zip"), 2);
        assert!(stored.warned("zip"), "{:?}", stored.scene.heard());
        assert!(stored.is_whole());
    }
}

#[test]
fn without_a_network_a_bad_zip_is_told_and_nothing_changes() {
    for bad in bad_zips() {
        let mut stored = Stored::new();
        stored.damage("zip", &bad);
        stored.scene.files.remove_all(stored.dir()).unwrap();
        stored.offline();
        let error = stored.fetcher().download(&module()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(stored.file("zip").as_str()) || error.is_security(),
            "{text}"
        );
        assert_eq!(stored.read("zip"), bad);
        assert!(!stored.scene.files.exists(stored.dir()));
    }
}

#[test]
fn a_fresh_zip_that_is_wrong_too_is_a_security_error() {
    let stored = Stored::with(Server::new(|request| {
        if request.path.ends_with(".zip") && request.count > 1 {
            return Answer::new(200, "application/zip", other_zip());
        }
        usual(request)
    }));
    let bad = small_zip()[..100].to_vec();
    stored.damage("zip", &bad);
    stored.scene.files.remove_all(stored.dir()).unwrap();
    let error = stored.fetcher().download(&module()).unwrap_err();
    assert!(error.is_security(), "{error}");
    assert_eq!(stored.asked("zip"), 2);
    assert_eq!(stored.read("zip"), bad);
    assert!(!stored.scene.files.exists(stored.dir()));
}

/// go's own tests want it so; another archive it would not notice at all.
#[test]
fn under_go_a_zip_that_cannot_be_read_is_refused() {
    for (bad, fetched) in bad_zips().into_iter().zip([1, 1, 1, 2]) {
        let mut stored = Stored::new();
        stored.scene.config.mend_zips = false;
        stored.damage("zip", &bad);
        stored.scene.files.remove_all(stored.dir()).unwrap();
        let done = stored.fetcher().download(&module());
        assert_eq!((done.is_ok(), stored.asked("zip")), (fetched == 2, fetched));
        assert_eq!(stored.scene.files.exists(stored.dir()), fetched == 2);
    }
}

#[test]
fn a_wrong_go_sum_takes_nothing_away() {
    let stored = Stored::new();
    let text = stored.scene.files.read_to_string("go.sum").unwrap();
    let wrong = text.replace("h1:", "h1:A").replace('=', "");
    let write = |text: &str| stored.scene.files.write("go.sum", text.as_bytes(), 0o644);
    write(&wrong).unwrap();
    assert!(
        stored
            .fetcher()
            .download(&module())
            .unwrap_err()
            .is_security()
    );
    let go_mod = stored.fetcher().go_mod("m.test/m", "v1.0.0");
    assert!(go_mod.unwrap_err().is_security());
    write(&text).unwrap();
    assert!(stored.is_whole());
    assert_eq!(stored.scene.heard().len(), 1);
}

#[test]
fn a_record_is_written_again_from_the_zip_if_go_sum_stands_by_it() {
    let good = Stored::new().read("ziphash");
    let mut edited = good.clone();
    edited[10] ^= 1;
    for (bad, warned) in [(&good[..20], false), (b"", false), (&edited[..], true)] {
        let mut stored = Stored::new();
        stored.damage("ziphash", bad);
        stored.offline();
        stored.fetcher().download(&module()).unwrap();
        assert_eq!(stored.read("ziphash"), good);
        assert_eq!(stored.warned("ziphash"), warned);
        assert!(stored.is_whole());
    }
}

/// Another content for the same version, as it is after a tag was moved: nothing of it may pass for what go.sum means.
#[test]
fn all_is_made_anew_if_all_is_of_another_zip() {
    let (stored, other) = (Stored::new(), {
        Stored::with(Server::new(|request| {
            if request.path.ends_with(".zip") {
                return Answer::new(200, "application/zip", other_zip());
            }
            usual(request)
        }))
    });
    for suffix in ["zip", "ziphash"] {
        stored.damage(suffix, &other.read(suffix));
    }
    let files = &stored.scene.files;
    files.set_mode(stored.dir(), 0o755).unwrap();
    files.write(stored.dir().join("x"), b"y", 0o644).unwrap();
    stored.fetcher().download(&module()).unwrap();
    assert!(stored.warned("zip"), "{:?}", stored.scene.heard());
    assert!(stored.is_whole());
}

#[test]
fn a_go_mod_is_fetched_again() {
    for bad in [
        "",
        "modu",
        "module m.test/m\n\nrequire evil.test/e v1.0.0\n",
    ] {
        let mut stored = Stored::new();
        stored.damage("mod", bad.as_bytes());
        let read = stored.fetcher().go_mod("m.test/m", "v1.0.0").unwrap();
        assert_eq!(&*read, b"module m.test/m\n");
        assert_eq!(stored.read("mod"), b"module m.test/m\n");
        assert_eq!(stored.asked("mod"), 2);
        assert!(stored.warned("mod"), "{:?}", stored.scene.heard());
        stored.damage("mod", bad.as_bytes());
        stored.offline();
        let refused = stored.fetcher().go_mod("m.test/m", "v1.0.0").unwrap_err();
        assert!(refused.is_security(), "{refused}");
    }
}

#[test]
fn what_a_version_is_is_asked_again() {
    for bad in ["", "{\"Version\":\"v1.0", r#"{"Version":"v1.0.1"}"#, "null"] {
        let stored = Stored::new();
        let good = stored.read("info");
        stored.damage("info", bad.as_bytes());
        let info = stored.fetcher().stat("m.test/m", "v1.0.0").unwrap();
        assert_eq!(info.version, "v1.0.0");
        assert_eq!((stored.read("info"), stored.asked("info")), (good, 2));
    }
}

#[test]
fn a_list_is_never_believed_and_a_lock_never_read() {
    let stored = Stored::new();
    let list = stored.file("list").with_file_name("list");
    let files = &stored.scene.files;
    files.write(&list, b"v9.9.9\nv1.", 0o644).unwrap();
    stored.damage("lock", b"not empty");
    files.remove_all(stored.dir()).unwrap();
    let fetcher = stored.fetcher();
    fetcher.download(&module()).unwrap();
    fetcher.go_mod("m.test/m", "v1.1.0").unwrap();
    assert_eq!(files.read(&list).unwrap(), b"v1.0.0\nv1.1.0\n");
    assert!(stored.is_whole());
}

use super::*;
use crate::testing::{Answer, Request, Server};
use crate::zip::{Content, SourceFile, create};
use crate::{Kind, Limits};
use std::sync::Mutex;
use std::time::Duration;
use steady_system::FileKind;

/// Hears everything.
#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

impl Observer for Ear {
    fn downloading(&self, _: &ModuleVersion, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
    fn warn(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

pub(crate) fn zip_of(module: &ModuleVersion, files: &[(&str, &str)]) -> Vec<u8> {
    let source = |(path, text): &(&str, &str)| SourceFile {
        path: (*path).to_owned(),
        kind: FileKind::File,
        size: text.len() as u64,
        content: Content::Bytes(text.as_bytes().to_vec()),
    };
    let list: Vec<SourceFile> = files.iter().map(source).collect();
    let mut out = Vec::new();
    create(&mut out, module, &list).unwrap();
    out
}

pub(super) fn module() -> ModuleVersion {
    ModuleVersion::new("m.test/m", "v1.0.0")
}

pub(super) fn small_zip() -> Vec<u8> {
    zip_of(
        &module(),
        &[("go.mod", "module m.test/m\n"), ("a/a.go", "package a\n")],
    )
}

/// A proxy with one version of one module.
pub(super) fn usual(request: &Request) -> Answer {
    match request.path.as_str() {
        "/m.test/m/@v/list" => Answer::new(200, "text/plain", "v1.0.0\nv1.1.0-pre\nnonsense\n"),
        "/m.test/m/@v/v1.0.0.info" | "/m.test/m/@v/master.info" | "/m.test/m/@latest" => {
            Answer::new(
                200,
                "application/json",
                r#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z"}"#,
            )
        }
        "/m.test/m/@v/v1.0.0.mod" => Answer::new(200, "text/plain", "module m.test/m\n"),
        "/m.test/m/@v/v1.0.0.zip" => Answer::new(200, "application/zip", small_zip()),
        _ => Answer::not_found(),
    }
}

pub(super) struct Scene {
    _dir: tempfile::TempDir,
    pub(super) root: Utf8PathBuf,
    pub(super) files: Files,
    pub(super) config: Config,
    ear: Arc<Ear>,
}

impl Scene {
    pub(super) fn new(goproxy: &str) -> Scene {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        let limits = Limits {
            stall: Duration::from_millis(500),
            pause: Duration::from_millis(1),
            attempts: 3,
            ..Limits::default()
        };
        let config = Config {
            goproxy: goproxy.into(),
            gosumdb: "off".into(),
            goauth: "off".into(),
            gomodcache: root.join("mod"),
            gopath: root.clone(),
            go_version: "1.26.8".into(),
            network_forbidden: true,
            limits,
            ..Config::default()
        };
        Scene {
            _dir: dir,
            files: Files::new(&root),
            root,
            config,
            ear: Arc::default(),
        }
    }

    /// A fetcher as of a new process.
    pub(super) fn fetcher(&self) -> Fetcher {
        let environment = Environment::empty(&self.root);
        Fetcher::new(
            self.config.clone(),
            environment,
            self.files.clone(),
            self.ear.clone(),
        )
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.ear.0.lock().unwrap().clone()
    }
}

/// A fetcher with caches of its own and no checksum database.
pub(crate) fn scene_for(goproxy: &str) -> (tempfile::TempDir, Files, Fetcher) {
    let scene = Scene::new(goproxy);
    let fetcher = scene.fetcher();
    (scene._dir, scene.files, fetcher)
}

#[test]
fn a_module_is_fetched_once_and_then_comes_from_disk() {
    let server = Server::new(usual);
    let scene = Scene::new(&server.url(""));
    let fetcher = scene.fetcher();
    let dirs = fetcher.download_many(&[module(), module(), module()]);
    let dir = dirs[0].clone().unwrap();
    assert!(dirs.iter().all(|other| other.as_ref().unwrap() == &dir));
    assert_eq!(server.count("/m.test/m/@v/v1.0.0.zip"), 1);
    assert_eq!(scene.heard(), ["downloading m.test/m v1.0.0"]);
    assert_eq!(dir, scene.root.join("mod/m.test/m@v1.0.0"));
    assert_eq!(
        scene.files.read(dir.join("a/a.go")).unwrap(),
        b"package a\n"
    );
    assert_eq!(scene.files.stat(&dir).unwrap().mode & 0o777 & 0o222, 0);
    assert!(fetcher.sum(&module()).unwrap().starts_with("h1:"));
    assert!(
        !scene
            .files
            .exists(fetcher.cache_path(&module(), "partial").unwrap())
    );
    let again = scene.fetcher();
    assert_eq!(again.download(&module()).unwrap(), dir);
    assert_eq!(
        again.download_zip(&module()).unwrap(),
        fetcher.cache_path(&module(), "zip").unwrap()
    );
    assert_eq!(server.requests(), 1);
}

#[test]
fn versions_infos_and_go_mods() {
    let server = Server::new(usual);
    let scene = Scene::new(&server.url(""));
    let fetcher = scene.fetcher();
    assert_eq!(
        fetcher.versions("m.test/m", "v1.").unwrap().list,
        ["v1.0.0", "v1.1.0-pre"]
    );
    assert_eq!(
        fetcher.stat("m.test/m", "master").unwrap().version,
        "v1.0.0"
    );
    assert_eq!(
        fetcher.latest("m.test/m").unwrap().time.to_string(),
        "2020-01-02T03:04:05Z"
    );
    assert_eq!(
        &*fetcher.go_mod("m.test/m", "master").unwrap(),
        b"module m.test/m\n"
    );
    assert_eq!(
        &*fetcher.go_mod_many(&[module()])[0].clone().unwrap(),
        b"module m.test/m\n"
    );
    assert_eq!(server.count("/m.test/m/@v/v1.0.0.mod"), 1);
    let (info, file) = fetcher.info_file("m.test/m", "v1.0.0").unwrap();
    assert_eq!(
        (info.version.as_str(), scene.files.exists(file)),
        ("v1.0.0", true)
    );
    assert_eq!(
        scene
            .files
            .read(scene.root.join("mod/cache/download/m.test/m/@v/list"))
            .unwrap(),
        b"v1.0.0\n"
    );
    let missing = fetcher.stat("m.test/m", "v1.2.0").unwrap_err();
    let url = server.url("/m.test/m/@v/v1.2.0.info");
    assert_eq!(
        missing.to_string(),
        format!("m.test/m@v1.2.0: reading {url}: 404 Not Found\n\tserver response: not found")
    );
    let missing = fetcher.stat("m.test/m", "branch").unwrap_err().to_string();
    assert!(
        missing.starts_with("m.test/m@branch: invalid version: reading http://"),
        "{missing}"
    );
}

#[test]
fn answers_that_are_no_answers() {
    let server = Server::new(|request| match request.path.as_str() {
        "/m.test/m/@v/v1.0.0.info" => Answer::new(200, "text/html", "<html>log in"),
        "/m.test/m/@v/v1.1.0.info" => Answer::new(200, "text/plain", r#"{"Version":"v9.9.9"}"#),
        "/m.test/m/@v/v1.0.0.zip" => Answer::new(200, "text/html", "<html>log in"),
        _ => Answer::not_found(),
    });
    let scene = Scene::new(&server.url(""));
    let text = |version: &str| {
        scene
            .fetcher()
            .stat("m.test/m", version)
            .unwrap_err()
            .to_string()
    };
    let base = server.url("");
    let html = "invalid character '<' looking for beginning of value";
    assert_eq!(
        text("v1.0.0"),
        format!("m.test/m@v1.0.0: invalid response from proxy {base:?}: {html}")
    );
    assert_eq!(
        text("v1.1.0"),
        "m.test/m@v1.1.0: proxy returned info for version v9.9.9 instead of requested version"
    );
    assert_eq!(
        scene.fetcher().download(&module()).unwrap_err().to_string(),
        format!(
            "m.test/m@v1.0.0: reading {base}/m.test/m/@v/v1.0.0.zip: zip: not a valid zip file"
        )
    );
    let left = scene
        .files
        .read_dir(scene.root.join("mod/cache/download/m.test/m/@v"))
        .unwrap();
    assert_eq!(
        left.iter()
            .map(|entry| entry.name.as_str())
            .collect::<Vec<_>>(),
        ["v1.0.0.lock"]
    );
}

#[test]
fn proxies_are_asked_in_turn() {
    let empty = Server::new(|_| Answer::not_found());
    let broken = Server::new(|_| Answer::new(500, "text/plain", "broken"));
    let full = Server::new(usual);
    let with = |list: &[&str]| {
        Scene::new(&list.concat())
            .fetcher()
            .download(&module())
            .map_err(|error| error.to_string())
    };
    let (e, b, f) = (empty.url(""), broken.url(""), full.url(""));
    assert!(with(&[&e, ",", &f]).is_ok());
    assert!(with(&[&b, "|", &f]).is_ok());
    assert!(
        with(&[&b, ",", &f])
            .unwrap_err()
            .contains("500 Internal Server Error")
    );
    let off = "module lookup disabled by GOPROXY=off";
    assert_eq!(with(&[&e, ",off"]).unwrap_err(), off);
    assert_eq!(
        with(&["off"]).unwrap_err(),
        "module lookup disabled by GOPROXY=off"
    );
    assert!(
        with(&["direct"])
            .unwrap_err()
            .contains("unrecognized import path \"m.test/m\": https fetch: ")
    );
}

#[test]
fn private_modules_never_go_to_a_proxy_and_vendoring_looks_nothing_up() {
    let server = Server::new(usual);
    let mut scene = Scene::new(&server.url(""));
    scene.config.gonoproxy = "m.test".into();
    assert!(
        scene
            .fetcher()
            .download(&module())
            .unwrap_err()
            .to_string()
            .contains("unrecognized import path")
    );
    assert_eq!(server.requests(), 0);
    scene.config.gonoproxy = String::new();
    let reason = "go.mod and vendor".into();
    scene.config.lookup_disabled = Some(crate::LookupDisabled {
        mode: "vendor".into(),
        reason,
    });
    let text = scene
        .fetcher()
        .stat("m.test/m", "v1.0.0")
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        "module lookup disabled by -mod=vendor\n\t(go.mod and vendor)"
    );
}

#[test]
fn go_sum_decides_and_is_written() {
    let server = Server::new(usual);
    let scene = Scene::new(&server.url(""));
    let fetcher = scene.fetcher();
    let sums = || SumFiles {
        main: Some("go.sum".into()),
        workspace: Vec::new(),
    };
    fetcher.set_sum_files(sums());
    fetcher.download(&module()).unwrap();
    fetcher.go_mod("m.test/m", "v1.0.0").unwrap();
    let keep = HashSet::from([module(), ModuleVersion::new("m.test/m", "v1.0.0/go.mod")]);
    let dirty = fetcher.write_go_sum(&keep, true).unwrap_err();
    assert!(matches!(dirty.kind(), Kind::GoSumDirty));
    fetcher.write_go_sum(&keep, false).unwrap();
    let text = scene.files.read_to_string("go.sum").unwrap();
    assert_eq!(text.lines().count(), 2);
    assert_eq!(fetcher.recorded_sum(&module()), fetcher.sum(&module()));
    scene
        .files
        .write(
            "go.sum",
            text.replace("h1:", "h1:A").replace('=', "").as_bytes(),
            0o644,
        )
        .unwrap();
    let fetcher = scene.fetcher();
    fetcher.set_sum_files(sums());
    let error = fetcher.download(&module()).unwrap_err();
    assert!(
        error.is_security()
            && error
                .to_string()
                .starts_with("verifying m.test/m@v1.0.0: checksum mismatch\n"),
        "{error}"
    );
    assert!(
        fetcher
            .go_mod("m.test/m", "v1.0.0")
            .unwrap_err()
            .is_security()
    );
}

#[test]
fn a_wrong_zip_leaves_nothing_behind() {
    let server = Server::new(usual);
    let scene = Scene::new(&server.url(""));
    let wrong = "m.test/m v1.0.0 h1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=\n";
    scene
        .files
        .write("go.sum", wrong.as_bytes(), 0o644)
        .unwrap();
    let fetcher = scene.fetcher();
    fetcher.set_sum_files(SumFiles {
        main: Some("go.sum".into()),
        workspace: Vec::new(),
    });
    assert!(fetcher.download(&module()).unwrap_err().is_security());
    assert!(!scene.files.exists(scene.root.join("mod/m.test/m@v1.0.0")));
    for suffix in ["zip", "ziphash", "partial"] {
        assert!(
            !scene
                .files
                .exists(fetcher.cache_path(&module(), suffix).unwrap()),
            "{suffix}"
        );
    }
}

/// A zip that does not pack small.
fn large_zip() -> Vec<u8> {
    let mut seed = 1u64;
    let mut noise = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(33 + (seed >> 33) as u8 % 90)
    };
    let text: String = (0..4 << 20).map(|_| noise()).collect();
    zip_of(
        &module(),
        &[("go.mod", "module m.test/m\n"), ("noise.txt", &text)],
    )
}

#[test]
fn a_cut_transfer_goes_on_where_it_was_cut() {
    let zip = large_zip();
    let total = zip.len();
    let server = Server::new(move |request| {
        if !request.path.ends_with(".zip") {
            return usual(request);
        }
        let rest = &zip[request.from()..];
        let part = rest[..rest.len().min(1 << 20)].to_vec();
        let code = if request.from() > 0 { 206 } else { 200 };
        let answer = Answer::new(code, "application/zip", part)
            .with("ETag: \"one\"")
            .claiming(rest.len());
        answer.with(&format!(
            "Content-Range: bytes {}-{}/{}",
            request.from(),
            total - 1,
            total
        ))
    });
    let scene = Scene::new(&server.url(""));
    let dir = scene.fetcher().download(&module()).unwrap();
    assert_eq!(
        scene.files.stat(dir.join("noise.txt")).unwrap().size,
        4 << 20
    );
    assert!(server.requests() > 3);
}

#[test]
fn what_another_run_left_is_continued_or_thrown_away() {
    for (damaged, resumable) in [(false, true), (true, true), (false, false)] {
        let zip = large_zip();
        let mut start = zip[..2 << 20].to_vec();
        start[1 << 20] ^= u8::from(damaged);
        let server = Server::new(move |request| {
            if request.from() == 0 || !resumable {
                return Answer::new(200, "application/zip", zip.clone());
            }
            let range = format!(
                "Content-Range: bytes {}-{}/{}",
                request.from(),
                zip.len() - 1,
                zip.len()
            );
            Answer::new(206, "application/zip", &zip[request.from()..]).with(&range)
        });
        let scene = Scene::new(&server.url(""));
        let dir = scene.root.join("mod/cache/download/m.test/m/@v");
        scene.files.create_dir_all(&dir).unwrap();
        scene
            .files
            .write(dir.join("v1.0.0.zip.part.tmp"), &start, 0o644)
            .unwrap();
        scene
            .files
            .write(dir.join("v1.0.0.zip12345.tmp"), b"of another writer", 0o644)
            .unwrap();
        scene.fetcher().download(&module()).unwrap();
        assert_eq!(server.requests(), if damaged { 2 } else { 1 });
        let names: Vec<String> = scene
            .files
            .read_dir(&dir)
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, ["v1.0.0.lock", "v1.0.0.zip", "v1.0.0.ziphash"]);
    }
}

#[test]
fn half_made_trees_are_made_again() {
    let server = Server::new(usual);
    let scene = Scene::new(&server.url(""));
    let dir = scene.fetcher().download(&module()).unwrap();
    let partial = scene.fetcher().cache_path(&module(), "partial").unwrap();
    // As if killed while unpacking.
    scene.files.set_mode(dir.join("a"), 0o755).unwrap();
    scene.files.remove_file(dir.join("a/a.go")).unwrap();
    scene.files.write(&partial, b"", 0o644).unwrap();
    assert_eq!(scene.fetcher().download(&module()).unwrap(), dir);
    assert!(scene.files.exists(dir.join("a/a.go")) && !scene.files.exists(&partial));
    // As if killed before the hash was recorded.
    scene
        .files
        .remove_file(scene.fetcher().cache_path(&module(), "ziphash").unwrap())
        .unwrap();
    assert_eq!(scene.fetcher().download(&module()).unwrap(), dir);
    assert_eq!(server.requests(), 1);
}

#[test]
fn hostile_zips_are_refused_whole() {
    let bad = crate::zip::tests::hostile(&[
        ("m.test/m@v1.0.0/go.mod", b"module m.test/m\n", None),
        ("m.test/m@v1.0.0/../../../escaped", b"x", None),
    ]);
    let server = Server::new(move |_| Answer::new(200, "application/zip", bad.clone()));
    let scene = Scene::new(&server.url(""));
    let fetcher = scene.fetcher();
    let zip = fetcher.cache_path(&module(), "zip").unwrap();
    let want = format!("unzip {zip}: m.test/m@v1.0.0/../../../escaped: file path is not clean");
    let text = fetcher.download(&module()).unwrap_err().to_string();
    assert!(
        text == want || text.contains("invalid path element"),
        "{text}"
    );
    assert!(scene.heard().last().unwrap().starts_with("-> unzip "));
    assert!(!scene.files.exists(scene.root.join("mod/m.test")));
    let foreign = crate::zip::tests::hostile(&[("/etc/passwd", b"x", None)]);
    let server = Server::new(move |_| Answer::new(200, "application/zip", foreign.clone()));
    let text = Scene::new(&server.url(""))
        .fetcher()
        .download(&module())
        .unwrap_err()
        .to_string();
    assert_eq!(
        text,
        "zip for m.test/m@v1.0.0 has unexpected file /etc/passwd"
    );
}

#[test]
fn modules_for_a_newer_go_are_refused() {
    let server = Server::new(|request| match request.path.ends_with(".zip") {
        true => Answer::new(
            200,
            "application/zip",
            zip_of(&module(), &[("go.mod", "module m.test/m\n\ngo 1.99\n")]),
        ),
        false => usual(request),
    });
    let mut scene = Scene::new(&server.url(""));
    scene.config.toolchain_explain = "; GOTOOLCHAIN=local".into();
    let error = scene.fetcher().download(&module()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "m.test/m@v1.0.0 requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)"
    );
    assert_eq!(error.too_new().unwrap().go_version, "1.99");
}

#[test]
fn a_read_only_cache_is_told() {
    let server = Server::new(usual);
    let mut scene = Scene::new(&server.url(""));
    scene.config.gomodcache = "/proc/mod".into();
    let text = scene.fetcher().download(&module()).unwrap_err().to_string();
    assert!(
        text.starts_with("could not create module cache: mkdir /proc/mod: "),
        "{text}"
    );
}

#[test]
fn go_releases_are_versions_of_virtual_modules() {
    let server = Server::new(|request| match request.path.as_str() {
        "/golang.org/toolchain/@v/list" => {
            let list = "v0.0.1-go1.30.0.linux-amd64\nv0.0.1-go1.30.0.windows-amd64\nv0.0.1-go1.9.linux-amd64\nv0.0.1-go1.31rc1.linux-amd64\n";
            Answer::new(200, "text/plain", list)
        }
        "/golang.org/toolchain/@v/v0.0.1-go1.30.0.linux-amd64.info" => Answer::new(
            200,
            "text/plain",
            r#"{"Version":"v0.0.1-go1.30.0.linux-amd64","Time":"2020-01-02T03:04:05Z"}"#,
        ),
        _ => Answer::not_found(),
    });
    let scene = Scene::new(&server.url(""));
    let fetcher = scene.fetcher();
    assert_eq!(
        fetcher.versions("go", "").unwrap().list,
        ["1.9", "1.26.8", "1.30.0", "1.31rc1"]
    );
    assert_eq!(
        fetcher.versions("toolchain", "").unwrap().list,
        ["go1.9", "go1.26.8", "go1.30.0", "go1.31rc1"]
    );
    assert_eq!(
        fetcher.stat("toolchain", "go1.30.0").unwrap().version,
        "go1.30.0"
    );
    assert_eq!(fetcher.stat("go", "1.21").unwrap().version, "1.21");
    let text = |path, rev| fetcher.stat(path, rev).unwrap_err().to_string();
    assert_eq!(
        text("go", "1.99"),
        "go language version 1.99 is not a toolchain version"
    );
    assert_eq!(
        text("toolchain", "nonsense"),
        "invalid toolchain version nonsense"
    );
    assert_eq!(&*fetcher.go_mod("go", "1.30.0").unwrap(), b"module go\n");
}

//! `steady verify`: every way to damage every link of the chain is told with the file that it was done to, and what was not touched is
//! told as right. Modules come from a proxy on loopback, which speaks for a checksum database of its own as well.

#![allow(clippy::disallowed_methods)] // tests stand outside of the session

#[allow(dead_code)] // the server can do more than is needed here
#[path = "../../proxy/src/testing.rs"]
mod testing;

use base64::Engine as _;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use testing::{Answer, Server};

const STEADY: &str = env!("CARGO_BIN_EXE_steady");
const DATABASE: &str = "db.test";

fn sha(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// The `h1:` sum of files.
fn h1(files: &[(String, Vec<u8>)]) -> String {
    let mut lines: Vec<String> = files
        .iter()
        .map(|(name, bytes)| format!("{}  {name}\n", hex(&sha(bytes))))
        .collect();
    lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
    format!("h1:{}", base64(&sha(lines.concat().as_bytes())))
}

/// A module version with its files.
struct Module {
    path: &'static str,
    version: &'static str,
    files: &'static [(&'static str, &'static str)],
}

const A: Module = Module {
    path: "a.test/a",
    version: "v1.0.0",
    files: &[
        ("go.mod", "module a.test/a\n\ngo 1.21\n"),
        ("LICENSE", "do as you like\n"),
        (
            "p/p.go",
            "package p\n\nimport _ \"embed\"\n\n//go:embed data.txt\nvar Data string\n",
        ),
        ("p/data.txt", "one\ntwo\n"),
        ("p/more.go", "package p\n\nconst More = 1\n"),
        ("q/q.go", "package q\n"),
    ],
};
const B: Module = Module {
    path: "b.test/b",
    version: "v1.2.0",
    files: &[
        ("go.mod", "module b.test/b\n\ngo 1.21\n"),
        ("b.go", "package b\n"),
    ],
};
const MODULES: [&Module; 2] = [&A, &B];

impl Module {
    fn name(&self) -> String {
        format!("{}@{}", self.path, self.version)
    }

    fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let files = self.files.iter();
        files
            .map(|(name, text)| (format!("{}/{name}", self.name()), text.as_bytes().to_vec()))
            .collect()
    }

    fn go_mod(&self) -> &'static str {
        self.files[0].1
    }

    fn sum(&self) -> String {
        h1(&self.contents())
    }

    fn record(&self) -> String {
        let go_mod = h1(&[("go.mod".to_owned(), self.go_mod().as_bytes().to_vec())]);
        let (path, version) = (self.path, self.version);
        format!(
            "{path} {version} {}\n{path} {version}/go.mod {go_mod}\n",
            self.sum()
        )
    }

    fn publish(&self, proxy: &Path) {
        let dir = proxy.join(self.path).join("@v");
        fs::create_dir_all(&dir).unwrap();
        let version = self.version;
        fs::write(dir.join("list"), format!("{version}\n")).unwrap();
        let info = format!("{{\"Version\":\"{version}\",\"Time\":\"2024-01-02T03:04:05Z\"}}");
        fs::write(dir.join(format!("{version}.info")), info).unwrap();
        fs::write(dir.join(format!("{version}.mod")), self.go_mod()).unwrap();
        fs::write(dir.join(format!("{version}.zip")), zip_of(&self.contents())).unwrap();
    }
}

fn zip_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A checksum database with a record for each module, signed with the key that `seed` gives.
struct Database {
    pair: Ed25519KeyPair,
    records: Vec<String>,
}

impl Database {
    fn new(seed: u8, records: Vec<String>) -> Database {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Database { pair, records }
    }

    fn id(&self) -> Vec<u8> {
        let key = [&[1], self.pair.public_key().as_ref()].concat();
        sha(&[DATABASE.as_bytes(), b"\n", &key].concat())[..4].to_vec()
    }

    fn key(&self) -> String {
        let key = [&[1], self.pair.public_key().as_ref()].concat();
        format!("{DATABASE}+{}+{}", hex(&self.id()), base64(&key))
    }

    fn leaves(&self) -> Vec<[u8; 32]> {
        let leaf = |record: &String| sha(&[&[0], record.as_bytes()].concat());
        self.records.iter().map(leaf).collect()
    }

    fn note(&self) -> String {
        let text = format!(
            "go.sum database tree\n{}\n{}\n",
            self.records.len(),
            base64(&root(&self.leaves()))
        );
        let signature = self.pair.sign(text.as_bytes());
        let signature = base64(&[&self.id(), signature.as_ref()].concat());
        format!("{text}\n\u{2014} {DATABASE} {signature}\n")
    }

    fn answer(&self, path: &str) -> Option<Vec<u8>> {
        if path == "supported" {
            return Some(Vec::new());
        }
        if let Some(module) = path.strip_prefix("lookup/") {
            let prefix = format!("{} ", module.replace('@', " "));
            let at = self
                .records
                .iter()
                .position(|record| record.starts_with(&prefix))?;
            let answer = format!("{at}\n{}\n{}", self.records[at], self.note());
            return Some(answer.into_bytes());
        }
        let wanted = format!("tile/8/0/000.p/{}", self.records.len());
        (path == wanted).then(|| self.leaves().concat())
    }
}

fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [one] => *one,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            sha(&[&[1][..], &root(left), &root(right)].concat())
        }
    }
}

/// A proxy that serves a directory and speaks for a database.
fn serve(proxy: PathBuf, database: Database) -> Server {
    Server::new(move |request| {
        let path = request.path.trim_start_matches('/');
        let answer = match path.strip_prefix(&format!("sumdb/{DATABASE}/")) {
            Some(path) => database.answer(path),
            None => fs::read(proxy.join(path)).ok(),
        };
        match answer {
            Some(bytes) => Answer::new(200, "text/plain", bytes),
            None => Answer::not_found(),
        }
    })
}

/// What all worlds share.
struct Shared {
    _dir: tempfile::TempDir,
    /// app, ext, cache of modules, build cache: all in order.
    sample: PathBuf,
    proxy: Server,
    key: String,
    goroot: String,
}

/// The toolchain that everything here runs with, found or fetched.
fn goroot() -> String {
    let mut command = Command::new(STEADY);
    command.args(["env", "GOROOT"]);
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mod");
    if std::env::var_os("GOMODCACHE").is_none() {
        command.env("GOMODCACHE", shared);
    }
    let output = command.current_dir("/").output().unwrap();
    let goroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(!goroot.is_empty(), "{}", said(&output));
    goroot
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let proxy = dir.path().join("proxy");
        MODULES.iter().for_each(|module| module.publish(&proxy));
        let records = MODULES.iter().map(|module| module.record()).collect();
        let database = Database::new(1, records);
        let key = database.key();
        let sample = dir.path().join("sample");
        for name in ["app", "ext", "home", "tmp", "build"] {
            fs::create_dir_all(sample.join(name)).unwrap();
        }
        let shared = Shared {
            sample: sample.clone(),
            proxy: serve(proxy, database),
            key,
            goroot: goroot(),
            _dir: dir,
        };
        let go_mod = "module app.test/app\n\ngo 1.21\n\nrequire (\n\ta.test/a v1.0.0\n\tb.test/b v1.2.0\n\text.test/ext v0.0.0\n)\n\nreplace ext.test/ext => ../ext\n";
        let main = "package main\n\nimport (\n\t_ \"a.test/a/p\"\n\t_ \"b.test/b\"\n\t_ \"ext.test/ext\"\n)\n\nfunc main() {}\n";
        write(&sample.join("app/go.mod"), go_mod);
        write(&sample.join("app/main.go"), main);
        write(&sample.join("ext/go.mod"), "module ext.test/ext\n\ngo 1.21\n");
        write(&sample.join("ext/ext.go"), "package ext\n");
        write(&sample.join("ext/two.go"), "package ext\n\nconst Two = 2\n");
        for arguments in [&["mod", "tidy"][..], &["mod", "download"], &["mod", "vendor"]] {
            let output = steady(&sample, &shared, arguments).output().unwrap();
            assert!(output.status.success(), "{}", said(&output));
        }
        for (at, text) in ["first object", "second object", "third"].iter().enumerate() {
            put(&sample.join("build"), u8::try_from(at).unwrap(), text.as_bytes());
        }
        shared
    })
}

/// Puts an object into a build cache; its action's id is made of one byte.
fn put(cache: &Path, action: u8, bytes: &[u8]) {
    let (action, output) = (hex(&[action; 32]), hex(&sha(bytes)));
    for (id, suffix, contents) in [
        (
            &action,
            "a",
            format!("v1 {action} {output} {:20} {:20}\n", bytes.len(), 1).into_bytes(),
        ),
        (&output, "d", bytes.to_vec()),
    ] {
        let dir = cache.join(&id[..2]);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("{id}-{suffix}")), contents).unwrap();
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o644));
    fs::write(path, text).unwrap();
}

fn steady(root: &Path, shared: &Shared, arguments: &[&str]) -> Command {
    let mut command = Command::new(STEADY);
    command
        .args(arguments)
        .current_dir(root.join("app"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", root.join("home"))
        .env("TMPDIR", root.join("tmp"))
        .env("GOROOT", &shared.goroot)
        .env("GOTOOLCHAIN", "local")
        .env("GOMODCACHE", root.join("mod"))
        .env("GOCACHE", root.join("build"))
        .env("GOPATH", root.join("gopath"))
        .env("GOPROXY", shared.proxy.url(""))
        .env("GOSUMDB", &shared.key)
        .env("GOFLAGS", "-modcacherw")
        .stdin(Stdio::null());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// A copy of the sample that a test may damage.
struct World {
    dir: tempfile::TempDir,
    shared: &'static Shared,
}

impl World {
    fn new() -> World {
        let shared = shared();
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("cp")
            .arg("-a")
            .arg(format!("{}/.", shared.sample.display()))
            .arg(dir.path())
            .status();
        assert!(done.unwrap().success());
        World { dir, shared }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn steady(&self, arguments: &[&str]) -> Command {
        steady(self.dir.path(), self.shared, arguments)
    }

    /// Runs `verify -json` and gives the report and the exit code.
    fn verify(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (Value, i32) {
        let mut command = self.steady(&[&["verify", "-json"], arguments].concat());
        command.envs(environment.iter().copied());
        let output = command.output().unwrap();
        let code = output.status.code().unwrap_or(-1);
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
        (report, code)
    }

    /// Rewrites a file, whatever its permissions, and leaves them as they were.
    fn change(&self, name: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let path = self.path(name);
        let mode = fs::metadata(&path).unwrap().permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let bytes = change(fs::read(&path).unwrap());
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, mode).unwrap();
    }

    fn add(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    }

    fn swap(&self, one: &str, other: &str) {
        let (one, other, aside) = (self.path(one), self.path(other), self.path("aside"));
        fs::rename(&one, &aside).unwrap();
        fs::rename(&other, &one).unwrap();
        fs::rename(&aside, &other).unwrap();
    }

    fn link(&self, name: &str) {
        let (path, aside) = (self.path(name), self.path("aside"));
        fs::rename(&path, &aside).unwrap();
        symlink(&aside, &path).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// What is done to a world, and what must be told of it: problem and end of the file's name, of each failure that must be there.
struct Case {
    name: &'static str,
    damage: fn(&World),
    told: &'static [(&'static str, &'static str)],
    /// `-repair` leads to a clean report.
    mends: bool,
}

/// The failures of one link: problem and file.
fn failures(report: &Value, link: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for one in report["Links"].as_array().unwrap() {
        if one["Link"] == link {
            for failure in one["Failures"].as_array().unwrap() {
                let text = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
                for name in ["Expected", "Found", "Cause", "Fix"] {
                    assert_ne!(text(name), "", "{name} of {failure}");
                }
                found.push((text("Problem"), text("File")));
            }
        }
    }
    found
}

fn holds(link: &str, cases: &[Case]) {
    for case in cases {
        let world = World::new();
        if link == "replaced" {
            world.verify(&[], &[]);
        }
        (case.damage)(&world);
        let (report, code) = world.verify(&[], &[]);
        let found = failures(&report, link);
        for (problem, file) in case.told {
            assert!(
                found
                    .iter()
                    .any(|(is, at)| is == problem && at.ends_with(file)),
                "{link}, {}: {problem} {file} is not told: {report:#}",
                case.name
            );
        }
        assert_eq!(code, 1, "{link}, {}: {report:#}", case.name);
        assert_eq!(report["Verified"], false);
        // Twice the same: looking mends nothing.
        let (again, _) = world.verify(&["-links", link], &[]);
        assert_eq!(failures(&again, link), found, "{link}, {}", case.name);
        if case.mends {
            let (mended, code) = world.verify(&["-repair"], &[]);
            assert_eq!(code, 0, "{link}, {}: {mended:#}", case.name);
        }
    }
}

#[test]
fn what_is_in_order_is_verified() {
    let world = World::new();
    let links = "sums,cache,tree,vendor,replaced,objects";
    let (report, code) = world.verify(&["-links", links], &[]);
    assert_eq!(
        (code, &report["Verified"]),
        (0, &Value::Bool(true)),
        "{report:#}"
    );
    let counts: Vec<(String, u64)> = report["Links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| {
            let name = link["Link"].as_str().unwrap().to_owned();
            (name, link["Checked"].as_u64().unwrap())
        })
        .collect();
    let counts: Vec<(&str, u64)> = counts.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    // Two sums a module; two zips and two go.mod files; the files of both; modules.txt, four files of a, one of b, two of ext; two
    // files and go.mod of ext; three entries and three outputs.
    assert_eq!(
        counts,
        [
            ("sums", 4),
            ("cache", 4),
            ("tree", 8),
            ("vendor", 8),
            ("replaced", 3),
            ("objects", 6)
        ]
    );
    // Once more, now that the replaced directory is known; and in words.
    let output = world.steady(&["verify"]).output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("ok    sums       4 sums checked"), "{text}");
    assert!(!text.contains("for the first time"), "{text}");
}

const TREE: &str = "mod/a.test/a@v1.0.0";
const DOWNLOAD: &str = "mod/cache/download/a.test/a/@v";

const TREES: &[Case] = &[
    Case {
        name: "missing",
        damage: |world| world.remove(&format!("{TREE}/p/more.go")),
        told: &[("missing", "a@v1.0.0/p/more.go")],
        mends: true,
    },
    Case {
        name: "empty",
        damage: |world| world.change(&format!("{TREE}/q/q.go"), |_| Vec::new()),
        told: &[("empty", "a@v1.0.0/q/q.go")],
        mends: true,
    },
    Case {
        name: "truncated",
        damage: |world| world.change(&format!("{TREE}/p/p.go"), |text| text[..9].to_vec()),
        told: &[("truncated", "a@v1.0.0/p/p.go")],
        mends: true,
    },
    Case {
        name: "edited, with the same size",
        damage: |world| {
            world.change(&format!("{TREE}/p/data.txt"), |_| b"one\ntwx\n".to_vec());
        },
        told: &[("edited", "a@v1.0.0/p/data.txt")],
        mends: true,
    },
    Case {
        name: "added",
        damage: |world| world.add(&format!("{TREE}/p/new.go"), b"package p\n"),
        told: &[("added", "a@v1.0.0/p/new.go")],
        mends: true,
    },
    Case {
        name: "duplicated under another name",
        damage: |world| world.add(&format!("{TREE}/q/copy.go"), b"package q\n"),
        told: &[("added", "a@v1.0.0/q/copy.go")],
        mends: true,
    },
    Case {
        name: "swapped",
        damage: |world| world.swap(&format!("{TREE}/q/q.go"), &format!("{TREE}/p/p.go")),
        told: &[
            ("swapped", "a@v1.0.0/q/q.go"),
            ("swapped", "a@v1.0.0/p/p.go"),
        ],
        mends: true,
    },
    Case {
        name: "linked",
        damage: |world| world.link(&format!("{TREE}/p/p.go")),
        told: &[("linked", "a@v1.0.0/p/p.go")],
        mends: true,
    },
    Case {
        name: "linked as a whole",
        damage: |world| world.link(TREE),
        told: &[("linked", "a@v1.0.0")],
        mends: true,
    },
    Case {
        name: "one of its directories linked",
        damage: |world| world.link(&format!("{TREE}/p")),
        told: &[("linked", "a@v1.0.0/p")],
        mends: true,
    },
    Case {
        name: "a link added",
        damage: |world| symlink("p.go", world.path(&format!("{TREE}/p/new.go"))).unwrap(),
        told: &[("added", "a@v1.0.0/p/new.go")],
        mends: true,
    },
    Case {
        name: "forged: zip, record and tree agree, and go.sum does not",
        damage: |world| {
            let mut files = A.contents();
            files[5].1 = b"package qq\n".to_vec();
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| zip_of(&files));
            world.change(&format!("{DOWNLOAD}/v1.0.0.ziphash"), |_| {
                h1(&files).into_bytes()
            });
            world.change(&format!("{TREE}/q/q.go"), |_| b"package qq\n".to_vec());
        },
        told: &[("edited", "a@v1.0.0")],
        mends: true,
    },
    Case {
        name: "linked where there is no zip",
        damage: |world| {
            world.remove(&format!("{DOWNLOAD}/v1.0.0.zip"));
            world.link(&format!("{TREE}/p/p.go"));
        },
        told: &[("linked", "a@v1.0.0/p/p.go")],
        mends: true,
    },
    Case {
        name: "re-moded",
        damage: |world| world.chmod(&format!("{TREE}/p/p.go"), 0o644),
        told: &[("mode", "a@v1.0.0/p/p.go")],
        mends: true,
    },
    Case {
        name: "made executable",
        damage: |world| world.chmod(&format!("{TREE}/p/p.go"), 0o555),
        told: &[("mode", "a@v1.0.0/p/p.go")],
        mends: true,
    },
    Case {
        name: "edited where there is no zip",
        damage: |world| {
            world.remove(&format!("{DOWNLOAD}/v1.0.0.zip"));
            world.change(&format!("{TREE}/p/p.go"), |_| b"package p\n".to_vec());
        },
        told: &[("edited", "a@v1.0.0")],
        mends: true,
    },
    Case {
        name: "stale: the tree of another version",
        damage: |world| {
            let other = world.path("mod/b.test/b@v1.2.0/b.go");
            world.change(&format!("{TREE}/q/q.go"), |_| fs::read(other).unwrap());
        },
        told: &[("edited", "a@v1.0.0/q/q.go")],
        mends: true,
    },
];

#[test]
fn extracted_trees() {
    holds("tree", TREES);
}

const DOWNLOADS: &[Case] = &[
    Case {
        name: "empty zip",
        damage: |world| world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| Vec::new()),
        told: &[("empty", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "truncated zip",
        damage: |world| {
            let half = |zip: Vec<u8>| zip[..zip.len() / 2].to_vec();
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), half);
        },
        told: &[("truncated", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "a bit of the zip is another",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |mut zip| {
                // Inside the data of the first file, which stands behind its name.
                let name = b"a.test/a@v1.0.0/go.mod";
                let at = zip.windows(name.len()).position(|part| part == name);
                zip[at.unwrap() + name.len() + 4] ^= 0x55;
                zip
            });
        },
        told: &[("edited", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "a zip with other contents",
        damage: |world| {
            let mut files = A.contents();
            files[2].1 = b"package p\n".to_vec();
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| zip_of(&files));
        },
        told: &[("edited", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "a forged zip with its record",
        damage: |world| {
            let mut files = A.contents();
            files[2].1 = b"package p\n".to_vec();
            let sum = h1(&files);
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| zip_of(&files));
            world.change(&format!("{DOWNLOAD}/v1.0.0.ziphash"), |_| sum.into_bytes());
        },
        told: &[("forged", "v1.0.0.zip"), ("forged", "v1.0.0.ziphash")],
        mends: true,
    },
    Case {
        name: "a file that is twice in the zip",
        damage: |world| {
            let mut zip = zip_of(&A.contents());
            // The name of one entry becomes that of another, of the same length, in both places where it stands.
            let (from, to) = (b"a.test/a@v1.0.0/q/q.go", b"a.test/a@v1.0.0/p/p.go");
            let at = |zip: &[u8]| zip.windows(from.len()).position(|part| part == from);
            while let Some(at) = at(&zip) {
                zip[at..at + to.len()].copy_from_slice(to);
            }
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| zip);
        },
        told: &[("duplicated", "v1.0.0.zip"), ("edited", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "zips swapped",
        damage: |world| {
            let other = "mod/cache/download/b.test/b/@v/v1.2.0.zip";
            world.swap(&format!("{DOWNLOAD}/v1.0.0.zip"), other);
        },
        told: &[("swapped", "v1.0.0.zip"), ("swapped", "v1.2.0.zip")],
        mends: true,
    },
    Case {
        name: "zip linked",
        damage: |world| world.link(&format!("{DOWNLOAD}/v1.0.0.zip")),
        told: &[("linked", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "a file added to the zip",
        damage: |world| {
            let mut files = A.contents();
            files.push((format!("{}/p/evil.go", A.name()), b"package p\n".to_vec()));
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| zip_of(&files));
        },
        told: &[("edited", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "a file missing in the zip",
        damage: |world| {
            let files = A.contents();
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| zip_of(&files[..5]));
        },
        told: &[("edited", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "a stale zip: the same files as another version",
        damage: |world| {
            let files = A.contents().into_iter();
            let files: Vec<_> = files
                .map(|(name, bytes)| (name.replace("v1.0.0", "v0.9.0"), bytes))
                .collect();
            world.change(&format!("{DOWNLOAD}/v1.0.0.zip"), |_| zip_of(&files));
        },
        told: &[("stale", "v1.0.0.zip")],
        mends: true,
    },
    Case {
        name: "record forged",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.ziphash"), |_| {
                other_sum().into_bytes()
            });
        },
        told: &[("forged", "v1.0.0.ziphash")],
        mends: true,
    },
    Case {
        name: "record is no sum",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.ziphash"), |_| {
                b"<html>".to_vec()
            });
        },
        told: &[("malformed", "v1.0.0.ziphash")],
        mends: true,
    },
    Case {
        name: "record missing",
        damage: |world| world.remove(&format!("{DOWNLOAD}/v1.0.0.ziphash")),
        told: &[("missing", "v1.0.0.ziphash")],
        mends: true,
    },
    Case {
        name: "record empty",
        damage: |world| world.change(&format!("{DOWNLOAD}/v1.0.0.ziphash"), |_| Vec::new()),
        told: &[("empty", "v1.0.0.ziphash")],
        mends: true,
    },
    Case {
        name: "record truncated",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.ziphash"), |text| {
                text[..20].to_vec()
            });
        },
        told: &[("truncated", "v1.0.0.ziphash")],
        mends: true,
    },
    Case {
        name: "record of another module",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.ziphash"), |_| {
                B.sum().into_bytes()
            });
        },
        told: &[("swapped", "v1.0.0.ziphash")],
        mends: true,
    },
    Case {
        name: "go.mod edited",
        damage: |world| {
            let longer = |text: Vec<u8>| [text, b"// x\n".to_vec()].concat();
            world.change(&format!("{DOWNLOAD}/v1.0.0.mod"), longer);
        },
        told: &[("edited", "v1.0.0.mod")],
        mends: true,
    },
    Case {
        name: "go.mod empty",
        damage: |world| world.change(&format!("{DOWNLOAD}/v1.0.0.mod"), |_| Vec::new()),
        told: &[("empty", "v1.0.0.mod")],
        mends: true,
    },
    Case {
        name: "go.mod truncated",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.mod"), |text| {
                text[..15].to_vec()
            });
        },
        told: &[("truncated", "v1.0.0.mod")],
        mends: true,
    },
    Case {
        name: "go.mod of another module",
        damage: |world| {
            let text = B.go_mod().as_bytes().to_vec();
            world.change(&format!("{DOWNLOAD}/v1.0.0.mod"), |_| text);
        },
        told: &[("swapped", "v1.0.0.mod")],
        mends: true,
    },
    Case {
        name: "go.mod linked",
        damage: |world| world.link(&format!("{DOWNLOAD}/v1.0.0.mod")),
        told: &[("linked", "v1.0.0.mod")],
        mends: true,
    },
    Case {
        name: "info of another version",
        damage: |world| {
            let text = |_| br#"{"Version":"v1.0.1"}"#.to_vec();
            world.change(&format!("{DOWNLOAD}/v1.0.0.info"), text);
        },
        told: &[("swapped", "v1.0.0.info")],
        mends: true,
    },
    Case {
        name: "info truncated",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.info"), |text| {
                text[..12].to_vec()
            });
        },
        told: &[("truncated", "v1.0.0.info")],
        mends: true,
    },
    Case {
        name: "info is a page",
        damage: |world| {
            world.change(&format!("{DOWNLOAD}/v1.0.0.info"), |_| b"<html>".to_vec());
        },
        told: &[("malformed", "v1.0.0.info")],
        mends: true,
    },
    Case {
        name: "info forged: of another commit than the version names",
        damage: |world| {
            let version = "v0.0.0-20240102030405-abcdefabcdef";
            let line = format!("c.test/c {version} {}\n", other_sum());
            world.change("app/go.sum", |text| [text, line.into_bytes()].concat());
            let commit = "0123456789abcdef0123456789abcdef01234567";
            let info =
                format!(r#"{{"Version":"{version}","Origin":{{"VCS":"git","Hash":"{commit}"}}}}"#);
            let file = format!("mod/cache/download/c.test/c/@v/{version}.info");
            world.add(&file, info.as_bytes());
        },
        told: &[("forged", "abcdefabcdef.info")],
        mends: false,
    },
    Case {
        name: "info linked",
        damage: |world| world.link(&format!("{DOWNLOAD}/v1.0.0.info")),
        told: &[("linked", "v1.0.0.info")],
        mends: true,
    },
    Case {
        name: "info empty",
        damage: |world| world.change(&format!("{DOWNLOAD}/v1.0.0.info"), |_| Vec::new()),
        told: &[("empty", "v1.0.0.info")],
        mends: true,
    },
];

#[test]
fn the_download_cache() {
    holds("cache", DOWNLOADS);
}

#[test]
fn what_a_module_cache_need_not_have() {
    let world = World::new();
    let links = ["-links", "cache,tree"];
    // Without its zip a tree is held against the sum as a whole; .info and .mod are fetched by whoever needs them.
    world.remove(&format!("{DOWNLOAD}/v1.0.0.zip"));
    world.remove(&format!("{DOWNLOAD}/v1.0.0.info"));
    world.remove(&format!("{DOWNLOAD}/v1.0.0.mod"));
    let (report, code) = world.verify(&links, &[]);
    assert_eq!((code, &report["Verified"]), (0, &Value::Bool(true)));
    assert_eq!(report["Links"][1]["Checked"], 8, "{report:#}");
    // What is not there at all is told, and so is a tree that was not extracted to the end.
    fs::remove_dir_all(world.path(TREE)).unwrap();
    world.remove(&format!("{DOWNLOAD}/v1.0.0.ziphash"));
    world.add("mod/cache/download/b.test/b/@v/v1.2.0.partial", b"");
    world.change("mod/b.test/b@v1.2.0/b.go", |_| b"pack".to_vec());
    let (report, code) = world.verify(&links, &[]);
    assert_eq!(code, 0, "{report:#}");
    let notes = |at: usize| report["Links"][at]["Notes"].to_string();
    assert!(
        notes(0).contains("1 module is not in the cache"),
        "{report:#}"
    );
    assert!(
        notes(1).contains("1 tree was not extracted to the end"),
        "{report:#}"
    );
}

const VENDOR: &str = "app/vendor/a.test/a";

const VENDORED: &[Case] = &[
    Case {
        name: "missing",
        damage: |world| world.remove(&format!("{VENDOR}/p/more.go")),
        told: &[("missing", "vendor/a.test/a/p/more.go")],
        mends: true,
    },
    Case {
        name: "an embedded file is missing",
        damage: |world| world.remove(&format!("{VENDOR}/p/data.txt")),
        told: &[("missing", "vendor/a.test/a/p/data.txt")],
        mends: true,
    },
    Case {
        name: "empty",
        damage: |world| world.change(&format!("{VENDOR}/p/p.go"), |_| Vec::new()),
        told: &[("empty", "vendor/a.test/a/p/p.go")],
        mends: true,
    },
    Case {
        name: "truncated",
        damage: |world| world.change(&format!("{VENDOR}/p/p.go"), |text| text[..9].to_vec()),
        told: &[("truncated", "vendor/a.test/a/p/p.go")],
        mends: true,
    },
    Case {
        name: "edited",
        damage: |world| {
            world.change(&format!("{VENDOR}/p/p.go"), |text| {
                String::from_utf8(text)
                    .unwrap()
                    .replace("Data", "Date")
                    .into_bytes()
            });
        },
        told: &[("edited", "vendor/a.test/a/p/p.go")],
        mends: true,
    },
    Case {
        name: "licence edited",
        damage: |world| world.change(&format!("{VENDOR}/LICENSE"), |_| b"pay\n".to_vec()),
        told: &[("edited", "vendor/a.test/a/LICENSE")],
        mends: true,
    },
    Case {
        name: "added to a package",
        damage: |world| world.add(&format!("{VENDOR}/p/evil.go"), b"package p\n"),
        told: &[("added", "vendor/a.test/a/p/evil.go")],
        mends: true,
    },
    Case {
        name: "a package that nobody imports",
        damage: |world| world.add(&format!("{VENDOR}/q/q.go"), b"package q\n"),
        told: &[("added", "vendor/a.test/a/q/q.go")],
        mends: true,
    },
    Case {
        name: "swapped",
        damage: |world| {
            world.swap(&format!("{VENDOR}/p/p.go"), &format!("{VENDOR}/p/more.go"));
        },
        told: &[
            ("swapped", "vendor/a.test/a/p/p.go"),
            ("swapped", "vendor/a.test/a/p/more.go"),
        ],
        mends: true,
    },
    Case {
        name: "linked",
        damage: |world| world.link(&format!("{VENDOR}/p/p.go")),
        told: &[("linked", "vendor/a.test/a/p/p.go")],
        mends: true,
    },
    Case {
        name: "re-moded",
        damage: |world| world.chmod(&format!("{VENDOR}/p/p.go"), 0o755),
        told: &[("mode", "vendor/a.test/a/p/p.go")],
        mends: true,
    },
    Case {
        name: "one of its directories linked",
        damage: |world| world.link(&format!("{VENDOR}/p")),
        told: &[("linked", "vendor/a.test/a/p")],
        mends: true,
    },
    Case {
        name: "added where no package is",
        damage: |world| world.add("app/vendor/evil.go", b"package evil\n"),
        told: &[("added", "vendor/evil.go")],
        mends: true,
    },
    Case {
        name: "modules.txt linked",
        damage: |world| world.link("app/vendor/modules.txt"),
        told: &[("linked", "vendor/modules.txt")],
        mends: true,
    },
    Case {
        name: "modules.txt missing",
        damage: |world| world.remove("app/vendor/modules.txt"),
        told: &[("missing", "vendor/modules.txt")],
        mends: true,
    },
    Case {
        name: "modules.txt empty",
        damage: |world| world.change("app/vendor/modules.txt", |_| Vec::new()),
        told: &[("empty", "vendor/modules.txt")],
        mends: true,
    },
    Case {
        name: "modules.txt truncated",
        damage: |world| {
            let short = |text: Vec<u8>| text[..text.len() - 13].to_vec();
            world.change("app/vendor/modules.txt", short);
        },
        told: &[("truncated", "vendor/modules.txt")],
        mends: true,
    },
    Case {
        name: "modules.txt stale: of another version",
        damage: |world| replace(world, "app/vendor/modules.txt", "b v1.2.0", "b v1.1.0"),
        told: &[("stale", "vendor/modules.txt")],
        mends: true,
    },
    Case {
        name: "modules.txt with a package twice",
        damage: |world| {
            replace(
                world,
                "app/vendor/modules.txt",
                "a.test/a/p\n",
                "a.test/a/p\na.test/a/p\n",
            );
        },
        told: &[("duplicated", "vendor/modules.txt")],
        mends: true,
    },
    Case {
        name: "modules.txt with both sides of a merge",
        damage: |world| {
            let merged = "<<<<<<< ours\na.test/a/p\n=======\na.test/a/q\n>>>>>>> theirs\n";
            replace(world, "app/vendor/modules.txt", "a.test/a/p\n", merged);
        },
        told: &[("conflicting", "vendor/modules.txt")],
        mends: true,
    },
    Case {
        name: "go.mod changed without vendoring",
        damage: |world| replace(world, "app/go.mod", "\tb.test/b v1.2.0\n", ""),
        told: &[("stale", "vendor/modules.txt")],
        mends: false,
    },
    Case {
        name: "the replaced directory changed",
        damage: |world| world.change("ext/ext.go", |_| b"package ext // new\n".to_vec()),
        told: &[("edited", "vendor/ext.test/ext/ext.go")],
        mends: false,
    },
];

#[test]
fn the_vendor_directory() {
    holds("vendor", VENDORED);
}

#[test]
fn a_vendor_directory_that_was_forged_with_its_zip_is_not_called_verified() {
    let world = World::new();
    let mut files = B.contents();
    files[1].1 = b"package b // evil\n".to_vec();
    let download = "mod/cache/download/b.test/b/@v/v1.2.0";
    world.change(&format!("{download}.zip"), |_| zip_of(&files));
    world.change(&format!("{download}.ziphash"), |_| h1(&files).into_bytes());
    for copy in ["mod/b.test/b@v1.2.0/b.go", "app/vendor/b.test/b/b.go"] {
        world.change(copy, |_| files[1].1.clone());
    }
    let (report, _) = world.verify(&["-links", "vendor"], &[]);
    assert_eq!(report["Verified"], false, "{report:#}");
    let (report, code) = world.verify(&[], &[]);
    assert_eq!(code, 1, "{report:#}");
    let found = format!("{:?}", failures(&report, "cache"));
    assert!(
        found.contains("forged") && found.contains("v1.2.0.zip"),
        "{found}"
    );
    // Mending the zip shows the copy for what it is, and mends that as well.
    let (report, code) = world.verify(&["-repair"], &[]);
    assert_eq!(code, 0, "{report:#}");
    let copy = fs::read(world.path("app/vendor/b.test/b/b.go")).unwrap();
    assert_eq!(copy, b"package b\n");
}

fn replace(world: &World, file: &str, from: &str, to: &str) {
    world.change(file, |text| {
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        text.replace(from, to).into_bytes()
    });
}

/// The sum of something else.
fn other_sum() -> String {
    h1(&[("other".to_owned(), b"other".to_vec())])
}

const SUMS: &[Case] = &[
    Case {
        name: "missing file",
        damage: |world| world.remove("app/go.sum"),
        told: &[("missing", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "empty file",
        damage: |world| world.change("app/go.sum", |_| Vec::new()),
        told: &[("missing", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "missing line",
        damage: |world| {
            world.change("app/go.sum", |text| {
                let text = String::from_utf8(text).unwrap();
                let keep = |line: &&str| !line.starts_with("b.test/b v1.2.0/go.mod");
                let lines: Vec<&str> = text.lines().filter(keep).collect();
                (lines.join("\n") + "\n").into_bytes()
            });
        },
        told: &[("missing", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "truncated",
        damage: |world| {
            let short = |text: Vec<u8>| text[..text.len() - 30].to_vec();
            world.change("app/go.sum", short);
        },
        told: &[("truncated", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "edited",
        damage: |world| replace(world, "app/go.sum", &A.sum(), "h1:AAAA"),
        told: &[("malformed", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "swapped",
        damage: |world| replace(world, "app/go.sum", &A.sum(), &B.sum()),
        told: &[("swapped", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "stale: of another version than go.mod asks for",
        damage: |world| replace(world, "app/go.sum", "b.test/b v1.2.0", "b.test/b v1.1.0"),
        told: &[("missing", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "a directory in its place",
        damage: |world| {
            world.remove("app/go.sum");
            fs::create_dir(world.path("app/go.sum")).unwrap();
        },
        told: &[("unreadable", "app/go.sum"), ("missing", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "a link that leads nowhere",
        damage: |world| {
            world.remove("app/go.sum");
            symlink("nowhere", world.path("app/go.sum")).unwrap();
        },
        told: &[("missing", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "forged: a sum that nobody signed",
        damage: |world| replace(world, "app/go.sum", &A.sum(), &other_sum()),
        told: &[("forged", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "conflicting",
        damage: |world| {
            let both = format!("a.test/a v1.0.0 {}\n", other_sum());
            world.change("app/go.sum", |text| [text, both.into_bytes()].concat());
        },
        told: &[("conflicting", "app/go.sum"), ("forged", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "the marks of a merge",
        damage: |world| {
            let marks = |text: Vec<u8>| [b"<<<<<<< HEAD\n".to_vec(), text].concat();
            world.change("app/go.sum", marks);
        },
        told: &[("conflicting", "app/go.sum")],
        mends: false,
    },
    Case {
        name: "a byte order mark",
        damage: |world| {
            let mark = |text: Vec<u8>| [b"\xef\xbb\xbf".to_vec(), text].concat();
            world.change("app/go.sum", mark);
        },
        told: &[("malformed", "app/go.sum")],
        mends: false,
    },
];

#[test]
fn sums_against_the_database() {
    holds("sums", SUMS);
}

#[test]
fn lines_that_do_no_harm_and_lines_that_nobody_can_vouch_for() {
    let world = World::new();
    let links = ["-links", "sums"];
    // Twice the same, and a file that is a link to a good one.
    world.change("app/go.sum", |text| text.repeat(2));
    world.link("app/go.sum");
    let (report, code) = world.verify(&links, &[]);
    assert_eq!((code, &report["Verified"]), (0, &Value::Bool(true)));
    let notes = report["Links"][0]["Notes"].to_string();
    assert!(notes.contains("4 lines stand there twice"), "{report:#}");
    // A line for a module that the database does not know.
    let line = format!("c.test/c v1.0.0 {}\n", other_sum());
    world.change("app/go.sum", |text| [text, line.into_bytes()].concat());
    let (report, code) = world.verify(&links, &[]);
    assert_eq!((code, &report["Verified"]), (0, &Value::Bool(false)));
    let reason = report["Links"][0]["Unverified"][0]["Reason"].to_string();
    assert!(reason.contains("c.test/c@v1.0.0"), "{report:#}");
}

/// The line of go.sum and what else matters of the one failure of the link sums.
fn only_failure(report: &Value) -> &Value {
    let failures = &report["Links"][0]["Failures"];
    assert_eq!(failures.as_array().unwrap().len(), 1, "{report:#}");
    &failures[0]
}

#[test]
fn a_wrong_sum_is_told_with_its_line_and_both_sums() {
    let world = World::new();
    replace(&world, "app/go.sum", &A.sum(), &other_sum());
    let (report, _) = world.verify(&["-links", "sums"], &[]);
    let failure = only_failure(&report);
    assert_eq!(failure["Line"], 1);
    assert_eq!(failure["Module"], "a.test/a");
    assert_eq!(failure["Version"], "v1.0.0");
    assert_eq!(failure["Expected"], A.sum());
    assert_eq!(failure["Found"], other_sum());
    // The fix does what it says.
    let fix = failure["Fix"].as_str().unwrap().replace("steady", STEADY);
    let mut shell = world.steady(&[]);
    let environment: Vec<_> = shell
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    shell = Command::new("sh");
    shell.args(["-c", &fix]).current_dir(world.path("app"));
    let output = shell.env_clear().envs(environment).output().unwrap();
    assert!(output.status.success(), "{fix}: {}", said(&output));
    let (report, code) = world.verify(&["-links", "sums"], &[]);
    assert_eq!(code, 0, "{report:#}");
}

#[test]
fn a_database_that_lies_is_told_and_one_that_is_silent_is_no_proof() {
    let world = World::new();
    let records = || MODULES.iter().map(|module| module.record()).collect();
    // Signed with another key.
    let forged = serve(world.path("nothing"), Database::new(2, records()));
    let url = forged.url("");
    let (report, code) = world.verify(&["-links", "sums"], &[("GOPROXY", &url)]);
    // What the cache has was signed; the cache is taken away, so that it has to be asked.
    assert_eq!(code, 0, "{report:#}");
    fs::remove_dir_all(world.path("mod/cache/download/sumdb")).unwrap();
    let (report, code) = world.verify(&["-links", "sums"], &[("GOPROXY", &url)]);
    assert_eq!(
        (code, only_failure(&report)["Problem"].as_str()),
        (1, Some("forged"))
    );
    // Signed, and with other sums: a fork of what was seen before.
    let other = vec![A.record().replace(&A.sum(), &other_sum()), B.record()];
    let forked = serve(world.path("nothing"), Database::new(1, other));
    let url = forked.url("");
    let (report, code) = world.verify(&["-links", "sums"], &[("GOPROXY", &url)]);
    assert_eq!(code, 1, "{report:#}");
    assert_eq!(only_failure(&report)["Problem"], "forged");
    // A page instead of an answer.
    let page = Server::new(|_| Answer::new(200, "text/html", "<html>please log in</html>"));
    let url = page.url("");
    let (report, code) = world.verify(&["-links", "sums"], &[("GOPROXY", &url)]);
    assert_eq!(code, 1, "{report:#}");
    // It does not know the modules, cannot be reached, is switched off, or may not be asked: not wrong, and not verified.
    let silent = Server::new(|request| {
        if request.path.ends_with("supported") {
            return Answer::new(200, "text/plain", "");
        }
        Answer::not_found()
    });
    let silent_url = silent.url("");
    for (arguments, environment) in [
        (&[][..], &[("GOPROXY", silent_url.as_str())][..]),
        (&[], &[("GOPROXY", "http://127.0.0.1:1")]),
        (&[], &[("GOSUMDB", "off")]),
        (&[], &[("GONOSUMDB", "*.test")]),
        (&["-offline"], &[]),
    ] {
        let arguments = [&["-links", "sums"], arguments].concat();
        let (report, code) = world.verify(&arguments, environment);
        assert_eq!(code, 0, "{environment:?}: {report:#}");
        assert_eq!(report["Complete"], false, "{environment:?}: {report:#}");
        assert_eq!(report["Verified"], false, "{environment:?}: {report:#}");
        assert_eq!(report["Links"][0]["Checked"], 0);
        assert_eq!(
            report["Links"][0]["Unverified"][0]["Count"], 4,
            "{report:#}"
        );
        let strict = [&arguments[..], &["-strict"]].concat();
        assert_eq!(world.verify(&strict, environment).1, 1);
    }
    let output = world
        .steady(&["verify", "-offline", "-links", "sums"])
        .output()
        .unwrap();
    let text = said(&output);
    assert!(
        text.contains("nothing wrong found; 4 things could not be checked"),
        "{text}"
    );
    assert!(!text.contains("verified\n"), "{text}");
}

const REPLACED: &[Case] = &[
    Case {
        name: "missing",
        damage: |world| world.remove("ext/two.go"),
        told: &[("missing", "ext/two.go")],
        mends: false,
    },
    Case {
        name: "the whole directory is missing",
        damage: |world| fs::rename(world.path("ext"), world.path("aside")).unwrap(),
        told: &[("missing", "/ext")],
        mends: false,
    },
    Case {
        name: "empty",
        damage: |world| world.change("ext/two.go", |_| Vec::new()),
        told: &[("empty", "ext/two.go")],
        mends: false,
    },
    Case {
        name: "truncated or edited",
        damage: |world| world.change("ext/two.go", |text| text[..20].to_vec()),
        told: &[("edited", "ext/two.go")],
        mends: false,
    },
    Case {
        name: "added",
        damage: |world| world.add("ext/three.go", b"package ext\n\nconst Three = 3\n"),
        told: &[("added", "ext/three.go")],
        mends: false,
    },
    Case {
        name: "duplicated under another name",
        damage: |world| world.add("ext/copy.go", b"package ext\n"),
        told: &[("added", "ext/copy.go")],
        mends: false,
    },
    Case {
        name: "swapped",
        damage: |world| world.swap("ext/ext.go", "ext/two.go"),
        told: &[("swapped", "ext/ext.go"), ("swapped", "ext/two.go")],
        mends: false,
    },
    Case {
        name: "linked",
        damage: |world| world.link("ext/ext.go"),
        told: &[("linked", "ext/ext.go")],
        mends: false,
    },
    Case {
        name: "re-moded",
        damage: |world| world.chmod("ext/ext.go", 0o755),
        told: &[("mode", "ext/ext.go")],
        mends: false,
    },
];

#[test]
fn replaced_directories() {
    holds("replaced", REPLACED);
}

#[test]
fn a_replaced_directory_is_recorded_told_and_accepted() {
    let world = World::new();
    let links = ["-links", "replaced"];
    let notes = |report: &Value| report["Links"][0]["Notes"].to_string();
    let (report, _) = world.verify(&links, &[]);
    assert!(notes(&report).contains("for the first time"), "{report:#}");
    let (report, code) = world.verify(&links, &[]);
    assert_eq!((code, notes(&report).as_str()), (0, "[]"));
    world.change("ext/two.go", |_| b"package ext\n\nconst Two = 3\n".to_vec());
    assert_eq!(world.verify(&links, &[]).1, 1);
    let (report, code) = world.verify(&["-links", "replaced", "-accept"], &[]);
    assert_eq!(code, 0);
    assert!(notes(&report).contains("1 changes accepted"), "{report:#}");
    assert_eq!(world.verify(&links, &[]).1, 0);
    // A memory that was forged or torn is none.
    let memories = Command::new("find")
        .arg(world.path("home/.cache/steady/replaced"))
        .args(["-type", "f"])
        .output()
        .unwrap();
    let memory = String::from_utf8(memories.stdout)
        .unwrap()
        .trim()
        .to_owned();
    let text = fs::read_to_string(&memory).unwrap();
    for damaged in [
        String::new(),
        text[..50].to_owned(),
        text.replace("two.go", "twx.go"),
    ] {
        fs::write(&memory, damaged).unwrap();
        let (report, code) = world.verify(&links, &[]);
        assert_eq!(code, 0);
        assert!(
            notes(&report).contains("anew: what was remembered is damaged"),
            "{report:#}"
        );
    }
}

/// Place of an entry or an output in the sample's build cache.
fn object(id: &[u8], suffix: &str) -> String {
    let id = hex(id);
    format!("build/{}/{id}-{suffix}", &id[..2])
}

const OBJECTS: &[Case] = &[
    Case {
        name: "output empty",
        damage: |world| world.change(&object(&sha(b"third"), "d"), |_| Vec::new()),
        told: &[("empty", "-d")],
        mends: true,
    },
    Case {
        name: "output truncated",
        damage: |world| {
            world.change(&object(&sha(b"first object"), "d"), |text| {
                text[..5].to_vec()
            })
        },
        told: &[("truncated", "-d")],
        mends: true,
    },
    Case {
        name: "output edited, with the same size",
        damage: |world| world.change(&object(&sha(b"third"), "d"), |_| b"thirt".to_vec()),
        told: &[("edited", "-d")],
        mends: true,
    },
    Case {
        name: "outputs swapped",
        damage: |world| {
            world.swap(
                &object(&sha(b"third"), "d"),
                &object(&sha(b"first object"), "d"),
            );
        },
        told: &[("swapped", "-d")],
        mends: true,
    },
    Case {
        name: "output linked",
        damage: |world| world.link(&object(&sha(b"third"), "d")),
        told: &[("linked", "-d")],
        mends: true,
    },
    Case {
        name: "a program beside the program",
        damage: |world| {
            let file = object(&sha(b"third"), "d");
            world.remove(&file);
            world.add(&format!("{file}/tool"), b"third");
            world.add(&format!("{file}/other"), b"third");
        },
        told: &[("duplicated", "-d")],
        mends: true,
    },
    Case {
        name: "entry empty",
        damage: |world| world.change(&object(&[1; 32], "a"), |_| Vec::new()),
        told: &[("empty", "-a")],
        mends: true,
    },
    Case {
        name: "entry truncated",
        damage: |world| world.change(&object(&[1; 32], "a"), |text| text[..100].to_vec()),
        told: &[("truncated", "-a")],
        mends: true,
    },
    Case {
        name: "entry edited",
        damage: |world| {
            world.change(&object(&[1; 32], "a"), |mut text| {
                text[0] = b'w';
                text
            });
        },
        told: &[("malformed", "-a")],
        mends: true,
    },
    Case {
        name: "entries swapped",
        damage: |world| world.swap(&object(&[1; 32], "a"), &object(&[2; 32], "a")),
        told: &[("swapped", "-a")],
        mends: true,
    },
    Case {
        name: "entry forged: another size",
        damage: |world| {
            replace(
                world,
                &object(&[2; 32], "a"),
                "                   5",
                "                   6",
            );
        },
        told: &[("forged", "-a")],
        mends: true,
    },
    Case {
        name: "a program's directory without the program",
        damage: |world| {
            let file = object(&sha(b"third"), "d");
            world.remove(&file);
            fs::create_dir(world.path(&file)).unwrap();
        },
        told: &[("empty", "-d")],
        mends: true,
    },
    Case {
        name: "conflicting: two entries of one output with different sizes",
        damage: |world| {
            let (action, output) = (hex(&[7; 32]), hex(&sha(b"third")));
            let entry = format!("v1 {action} {output} {:20} {:20}\n", 99, 1);
            world.add(&object(&[7; 32], "a"), entry.as_bytes());
        },
        told: &[("forged", "-a")],
        mends: true,
    },
    Case {
        name: "entry linked",
        damage: |world| world.link(&object(&[1; 32], "a")),
        told: &[("linked", "-a")],
        mends: true,
    },
];

#[test]
fn objects_of_the_build_cache() {
    holds("objects", OBJECTS);
}

#[test]
fn what_is_right_about_a_build_cache() {
    let world = World::new();
    // Outputs are trimmed by their own age; a program lies in a directory.
    world.remove(&object(&sha(b"first object"), "d"));
    let file = object(&sha(b"third"), "d");
    world.remove(&file);
    world.add(&format!("{file}/tool"), b"third");
    let (report, code) = world.verify(&["-links", "objects"], &[]);
    assert_eq!(code, 0, "{report:#}");
    assert!(
        report["Links"][0]["Notes"]
            .to_string()
            .contains("1 entry whose output")
    );
    for setting in [("GOCACHEPROG", "/bin/keeper"), ("GOCACHE", "off")] {
        let (report, code) = world.verify(&["-links", "objects"], &[setting]);
        assert_eq!(
            (code, &report["Complete"]),
            (0, &Value::Bool(false)),
            "{report:#}"
        );
    }
}

/// A distribution with just what Steady reads of one, and the module that it is.
struct Goroot {
    module: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Goroot {
    /// Puts it into the world's module cache: zip, record and, `extracted`, the tree.
    fn new(world: &World, extracted: bool) -> Goroot {
        let real = Path::new(&world.shared.goroot);
        let version = fs::read_to_string(real.join("VERSION")).unwrap();
        let version = version.lines().next().unwrap().to_owned();
        let env = |name: &str| {
            let output = world.steady(&["env", name]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let platform = format!("{}-{}", env("GOHOSTOS"), env("GOHOSTARCH"));
        let module = format!("golang.org/toolchain@v0.0.1-{version}.{platform}");
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for name in ["VERSION", "go.env"] {
            files.push((name.to_owned(), fs::read(real.join(name)).unwrap()));
        }
        for dir in ["syslist", "goexperiment", "godebugs", "buildcfg"] {
            let dir = format!("src/internal/{dir}");
            for entry in fs::read_dir(real.join(&dir)).unwrap().flatten() {
                let name = format!("{dir}/{}", entry.file_name().to_string_lossy());
                files.push((name, fs::read(entry.path()).unwrap()));
            }
        }
        files.push((
            "go.mod".to_owned(),
            b"module golang.org/toolchain\n".to_vec(),
        ));
        files.push(("src/_go.mod".to_owned(), b"module std\n".to_vec()));
        files.push(("bin/go".to_owned(), b"a program".to_vec()));
        let goroot = Goroot { module, files };
        goroot.install(world, extracted);
        goroot
    }

    fn named(&self) -> Vec<(String, Vec<u8>)> {
        let files = self.files.iter();
        files
            .map(|(name, bytes)| (format!("{}/{name}", self.module), bytes.clone()))
            .collect()
    }

    fn install(&self, world: &World, extracted: bool) {
        let version = self.module.split('@').nth(1).unwrap();
        let place = format!("mod/cache/download/golang.org/toolchain/@v/{version}");
        world.add(&format!("{place}.zip"), &zip_of(&self.named()));
        world.add(&format!("{place}.ziphash"), h1(&self.named()).as_bytes());
        let dir = self.dir(extracted);
        for (name, bytes) in &self.files {
            let plain = name.replace("_go.mod", "go.mod");
            match (extracted, name.as_str()) {
                (true, _) => {
                    world.add(&format!("{dir}/{name}"), bytes);
                    world.add(&format!("{dir}/{plain}"), bytes);
                }
                (false, "go.mod") => {}
                (false, _) => world.add(&format!("{dir}/{plain}"), bytes),
            }
        }
        world.chmod(&format!("{dir}/bin/go"), 0o555);
    }

    fn dir(&self, extracted: bool) -> String {
        match extracted {
            true => format!("mod/{}", self.module),
            false => "goroot".to_owned(),
        }
    }

    /// The database that has, beside the modules, a sum for it.
    fn proxy(&self, sum: &str) -> Server {
        let record = format!("{} {sum}\n", self.module.replace('@', " "));
        let mut records: Vec<String> = MODULES.iter().map(|module| module.record()).collect();
        records.push(record);
        serve(PathBuf::from("/nothing"), Database::new(1, records))
    }
}

#[test]
fn toolchains() {
    type Damage = fn(&World, &str);
    let cases: [(Damage, &str, &str); 9] = [
        (
            |world, dir| world.remove(&format!("{dir}/src/go.mod")),
            "missing",
            "src/go.mod",
        ),
        (
            |world, dir| world.change(&format!("{dir}/bin/go"), |_| Vec::new()),
            "empty",
            "bin/go",
        ),
        (
            |world, dir| world.change(&format!("{dir}/bin/go"), |text| text[..4].to_vec()),
            "truncated",
            "bin/go",
        ),
        (
            |world, dir| world.change(&format!("{dir}/bin/go"), |_| b"a virus!!".to_vec()),
            "edited",
            "bin/go",
        ),
        (
            |world, dir| {
                world.add(
                    &format!("{dir}/src/internal/syslist/evil.go"),
                    b"package syslist\n",
                )
            },
            "added",
            "syslist/evil.go",
        ),
        (
            |world, dir| world.swap(&format!("{dir}/bin/go"), &format!("{dir}/src/go.mod")),
            "swapped",
            "bin/go",
        ),
        (
            |world, dir| world.link(&format!("{dir}/bin/go")),
            "linked",
            "bin/go",
        ),
        (
            |world, dir| world.chmod(&format!("{dir}/bin/go"), 0o755),
            "mode",
            "bin/go",
        ),
        (
            |world, dir| {
                world.change(&format!("{dir}/VERSION"), |text| {
                    [text, b"// x\n".to_vec()].concat()
                })
            },
            "edited",
            "VERSION",
        ),
    ];
    for extracted in [true, false] {
        for (damage, problem, file) in cases {
            // In the module cache go.mod is a copy that may be lacking, in a distribution permissions are the installer's.
            if (extracted && problem == "missing") || (!extracted && problem == "mode") {
                continue;
            }
            let world = World::new();
            let goroot = Goroot::new(&world, extracted);
            let server = goroot.proxy(&h1(&goroot.named()));
            let (url, dir) = (server.url(""), goroot.dir(extracted));
            let place = world.path(&dir).display().to_string();
            let environment = [("GOPROXY", url.as_str()), ("GOROOT", &place)];
            let links = ["-links", "toolchain"];
            let (report, code) = world.verify(&links, &environment);
            assert_eq!(code, 0, "{report:#}");
            assert_eq!(report["Complete"], true, "{report:#}");
            assert!(report["Links"][0]["Checked"].as_u64() > Some(10));
            damage(&world, &dir);
            let (report, code) = world.verify(&links, &environment);
            let found = failures(&report, "toolchain");
            let told = |(is, at): &(String, String)| is == problem && at.ends_with(file);
            assert!(
                found.iter().any(told),
                "{extracted} {problem} {file}: {report:#}"
            );
            assert_eq!(code, 1);
        }
    }
}

#[test]
fn a_toolchain_that_the_database_does_not_know_like_that() {
    let world = World::new();
    let goroot = Goroot::new(&world, true);
    let place = world.path(&goroot.dir(true)).display().to_string();
    let links = ["-links", "toolchain"];
    // Zip, record and tree agree, and all three are forged.
    let server = goroot.proxy(&other_sum());
    let url = server.url("");
    let (report, code) = world.verify(&links, &[("GOPROXY", &url), ("GOROOT", &place)]);
    let found = failures(&report, "toolchain");
    assert_eq!(code, 1, "{report:#}");
    assert!(
        found.iter().any(|(problem, _)| problem == "forged"),
        "{report:#}"
    );
    // Nobody to ask: what is on the disk agrees, and that is all that is said.
    let world = World::new();
    let goroot = Goroot::new(&world, true);
    let place = world.path(&goroot.dir(true)).display().to_string();
    let environment = [("GOPROXY", "http://127.0.0.1:1"), ("GOROOT", &place)];
    let (report, code) = world.verify(&links, &environment);
    assert_eq!(
        (code, &report["Complete"]),
        (0, &Value::Bool(false)),
        "{report:#}"
    );
}

#[test]
fn a_workspace_has_its_own_sums_and_its_own_vendor_directory() {
    let world = World::new();
    write(&world.path("go.work"), "go 1.21\n\nuse ./app\n");
    fs::remove_dir_all(world.path("app/vendor")).unwrap();
    let output = world.steady(&["work", "vendor"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let (report, code) = world.verify(&[], &[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["Links"][3]["Checked"], 8, "{report:#}");
    world.change("vendor/b.test/b/b.go", |_| b"package bb\n".to_vec());
    write(
        &world.path("go.work.sum"),
        &format!("a.test/a v1.0.0 {}\n", other_sum()),
    );
    let (report, code) = world.verify(&[], &[]);
    assert_eq!(code, 1);
    let text = |link| format!("{:?}", failures(&report, link));
    assert!(
        text("vendor").contains("vendor/b.test/b/b.go"),
        "{report:#}"
    );
    assert!(text("sums").contains("conflicting"), "{report:#}");
    assert!(text("sums").contains("go.work.sum"), "{report:#}");
    let fixes = report.to_string();
    assert!(fixes.contains("steady work vendor"), "{report:#}");
}

#[test]
fn sums_of_a_workspace() {
    let world = World::new();
    write(&world.path("go.work"), "go 1.21\n\nuse ./app\n");
    let line = |sum: &str| format!("a.test/a v1.0.0 {sum}\n");
    let good = line(&A.sum());
    for (text, told) in [
        (good.clone(), None),
        (good.repeat(2), None),
        (line(&other_sum()), Some("forged")),
        (line(&B.sum()), Some("swapped")),
        (good[..40].to_owned(), Some("truncated")),
        (line("h1:AAAA"), Some("malformed")),
        (format!(">>>>>>> theirs\n{good}"), Some("conflicting")),
    ] {
        write(&world.path("go.work.sum"), &text);
        let (report, code) = world.verify(&["-links", "sums"], &[]);
        assert_eq!(code, i32::from(told.is_some()), "{text}: {report:#}");
        let found = failures(&report, "sums");
        let its = |problem: &str| {
            let own = |(is, at): &(String, String)| is == problem && at.ends_with("go.work.sum");
            found.iter().any(own)
        };
        assert!(told.is_none_or(its), "{text}: {report:#}");
    }
}

#[test]
fn where_members_have_vendor_directories_the_workspace_needs_none() {
    let world = World::new();
    write(&world.path("go.work"), "go 1.21\n\nuse ./app\n");
    let (report, code) = world.verify(&[], &[]);
    assert_eq!(code, 0, "{report:#}");
    let vendor = &report["Links"][3];
    assert_eq!(vendor["Checked"], 8, "{report:#}");
    assert_eq!(vendor["Notes"], serde_json::json!([]), "{report:#}");
    fs::remove_dir_all(world.path("app/vendor")).unwrap();
    let (report, _) = world.verify(&[], &[]);
    let notes = report["Links"][3]["Notes"].to_string();
    assert!(notes.contains("no vendor directory"), "{report:#}");
    let output = world
        .steady(&["verify", "-links", "vendor"])
        .output()
        .unwrap();
    assert!(said(&output).ends_with("there is nothing to verify\n"));
}

#[test]
fn vendor_without_a_module_cache() {
    let world = World::new();
    fs::remove_dir_all(world.path("mod")).unwrap();
    // Without network nobody can tell, and it is not called right.
    let links = ["-links", "vendor"];
    let (report, code) = world.verify(&["-links", "vendor", "-offline"], &[]);
    assert_eq!(
        (code, &report["Complete"]),
        (0, &Value::Bool(false)),
        "{report:#}"
    );
    // Nor is a cache in which there is nothing, when it is not even known what should be in it.
    let (report, code) = world.verify(&["-links", "cache,tree", "-offline"], &[]);
    assert_eq!(
        (code, &report["Verified"]),
        (0, &Value::Bool(false)),
        "{report:#}"
    );
    // With it, what is needed is fetched.
    let (report, code) = world.verify(&links, &[]);
    assert_eq!(
        (code, &report["Complete"]),
        (0, &Value::Bool(true)),
        "{report:#}"
    );
    assert_eq!(report["Links"][0]["Checked"], 8);
    world.change("app/vendor/b.test/b/b.go", |_| b"package bb\n".to_vec());
    assert_eq!(world.verify(&links, &[]).1, 1);
}

#[test]
fn several_links_at_once_and_in_words() {
    let world = World::new();
    world.change(&format!("{TREE}/p/p.go"), |_| b"package p\n".to_vec());
    world.change("app/vendor/b.test/b/b.go", |_| b"package bb\n".to_vec());
    let output = world.steady(&["verify"]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "FAIL  tree ",
        "FAIL  vendor ",
        "edited: ",
        "a@v1.0.0/p/p.go (a.test/a@v1.0.0)",
        "vendor/b.test/b/b.go (b.test/b@v1.2.0)",
        "fix       steady mod vendor",
        "not verified: 2 failures",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let output = world.steady(&["verify", "-repair"]).output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("repaired: a.test/a@v1.0.0: tree extracted"),
        "{text}"
    );
    assert!(text.contains("repaired: vendored anew"), "{text}");
}

#[test]
fn what_cannot_be_repaired_stays_as_it_is() {
    let world = World::new();
    let zip = format!("{DOWNLOAD}/v1.0.0.zip");
    let half = |zip: Vec<u8>| zip[..zip.len() / 2].to_vec();
    world.change(&zip, half);
    let before = fs::read(world.path(&zip)).unwrap();
    let (report, code) = world.verify(&["-repair", "-offline"], &[]);
    assert_eq!(code, 1, "{report:#}");
    assert!(
        report["Repaired"][0]["Error"]
            .as_str()
            .unwrap()
            .contains("-offline"),
        "{report:#}"
    );
    assert_eq!(fs::read(world.path(&zip)).unwrap(), before);
    assert!(world.path(&format!("{DOWNLOAD}/v1.0.0.ziphash")).exists());
    let (report, code) = world.verify(&["-repair"], &[]);
    assert_eq!(code, 0, "{report:#}");
}

#[test]
fn wrong_usage() {
    let world = World::new();
    let output = world
        .steady(&["verify", "-links", "chain"])
        .output()
        .unwrap();
    assert!(
        said(&output).contains("must be of sums, cache, tree"),
        "{}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(2));
    let output = world.steady(&["verify", "./..."]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        world
            .steady(&["verify", "-nonsense"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
}

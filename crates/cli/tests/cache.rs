//! The module cache under bad conditions: a hard end at every step that changes the disk, a full disk, a cache that cannot be written,
//! many processes at once, Ctrl-C before a server that says nothing. Where a real go is installed, it has to agree.

#![allow(clippy::disallowed_methods)] // tests stand outside of the session

#[allow(dead_code)] // the server can do more than is needed here
#[path = "../../proxy/src/testing.rs"]
mod testing;

mod disk;

use disk::Small;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testing::{Answer, Server};

const STEADY: &str = env!("CARGO_BIN_EXE_steady");
/// a needs b, b needs c.
const MODULES: [(&str, &str); 3] = [("a", "b"), ("b", "c"), ("c", "")];

/// A main module with its go.sum, and a proxy that has what it needs.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place {
            dir: tempfile::tempdir().unwrap(),
        };
        for (name, needs) in MODULES {
            place.publish(name, needs);
        }
        let app = place.path("app");
        for dir in [&app, &place.path("home"), &place.path("tmp")] {
            fs::create_dir(dir).unwrap();
        }
        let require = "module app.test/app\n\ngo 1.21\n\nrequire a.test/a v1.0.0\n";
        fs::write(app.join("go.mod"), require).unwrap();
        let program = "package main\n\nimport _ \"a.test/a/p\"\n\nfunc main() {}\n";
        fs::write(app.join("main.go"), program).unwrap();
        let first = place.path("first");
        place.succeeds(place.steady(&["mod", "tidy"], &first));
        place
    }

    fn publish(&self, name: &str, needs: &str) {
        let module = format!("{name}.test/{name}");
        let dir = self.path("proxy").join(&module).join("@v");
        fs::create_dir_all(&dir).unwrap();
        let mut go_mod = format!("module {module}\n\ngo 1.21\n");
        let mut code = "package p\n".to_owned();
        if !needs.is_empty() {
            go_mod += &format!("\nrequire {needs}.test/{needs} v1.0.0\n");
            code += &format!("\nimport _ \"{needs}.test/{needs}/p\"\n");
        }
        fs::write(dir.join("list"), "v1.0.0\n").unwrap();
        fs::write(dir.join("v1.0.0.info"), r#"{"Version":"v1.0.0"}"#).unwrap();
        fs::write(dir.join("v1.0.0.mod"), &go_mod).unwrap();
        let file = fs::File::create(dir.join("v1.0.0.zip")).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        for (name, text) in [("go.mod", &go_mod), ("p/p.go", &code)] {
            let options = zip::write::SimpleFileOptions::default();
            zip.start_file(format!("{module}@v1.0.0/{name}"), options)
                .unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, program: &Path, arguments: &[&str], cache: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path("app"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("GOMODCACHE", cache)
            .env(
                "GOPROXY",
                format!("file://{}", self.path("proxy").display()),
            )
            .env("GOSUMDB", "off")
            .env("GOTOOLCHAIN", "local")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn steady(&self, arguments: &[&str], cache: &Path) -> Command {
        self.command(Path::new(STEADY), arguments, cache)
    }

    /// A server in place of the file system.
    fn server(&self) -> Server {
        let proxy = self.path("proxy");
        Server::new(move |request| {
            match fs::read(proxy.join(request.path.trim_start_matches('/'))) {
                // Slow enough for others to come and find the lock taken.
                Ok(bytes) => {
                    Answer::new(200, "text/plain", bytes).delayed(Duration::from_millis(50))
                }
                Err(_) => Answer::not_found(),
            }
        })
    }

    fn succeeds(&self, mut command: Command) -> String {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{command:?}\n{}", said(&output));
        said(&output)
    }

    fn remove(&self, dir: &Path) {
        let _ = Command::new("chmod").args(["-R", "u+w"]).arg(dir).status();
        fs::remove_dir_all(dir).unwrap();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let dir = self.dir.path();
        let _ = Command::new("chmod").args(["-R", "u+w"]).arg(dir).status();
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// The go that is installed, if it is one.
fn real_go() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = PathBuf::from("/usr/local/go/bin");
    let dirs = std::env::split_paths(&path).chain([usual]);
    let found = dirs.map(|dir| dir.join("go")).find(|go| {
        // Not another name of Steady: that one has no tools around it.
        go.ancestors()
            .nth(2)
            .is_some_and(|root| root.join("src/cmd/go").is_dir())
    });
    if found.is_none() {
        eprintln!("no real go is installed: it is not asked");
    }
    found
}

/// Every path below with its mode and contents.
type Tree = BTreeMap<String, (u32, Vec<u8>)>;

/// What a cache holds. Files on their way to a name are not its contents, nor are locks.
fn tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let (path, meta) = (entry.path(), entry.metadata().unwrap());
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if name.ends_with(".tmp") || name.ends_with("lock") {
                continue;
            }
            let bytes = if meta.is_dir() {
                waiting.push(path);
                Vec::new()
            } else {
                fs::read(&path).unwrap()
            };
            tree.insert(name, (meta.permissions().mode(), bytes));
        }
    }
    tree
}

/// Nothing has its name before it is whole. Directories of modules count as such only beside their record and without the marker; a
/// list counts only once the go.mod it was made for is there, for until then it is made again.
fn nothing_is_half(found: &Tree, whole: &Tree, step: usize) {
    for (module, _) in MODULES {
        let download = format!("cache/download/{module}.test/{module}/@v");
        let has = |suffix: &str| found.contains_key(&format!("{download}/v1.0.0.{suffix}"));
        let dir = format!("{module}.test/{module}@v1.0.0");
        let counts = |name: &String| {
            if name.starts_with(&dir) {
                has("ziphash") && !has("partial") && found.contains_key(&dir)
            } else {
                name.starts_with(&download)
                    && !name.ends_with("@v")
                    && !name.ends_with(".partial")
                    && (!name.ends_with("list") || has("mod"))
            }
        };
        for (name, file) in found.iter().filter(|(name, _)| counts(name)) {
            assert_eq!(Some(file), whole.get(name), "step {step}: {name}");
        }
        // A directory that counts has all its files.
        if has("ziphash") && !has("partial") && found.contains_key(&dir) {
            for name in whole.keys().filter(|name| name.starts_with(&dir)) {
                assert!(found.contains_key(name), "step {step}: {name} is missing");
            }
        }
    }
}

#[test]
fn a_hard_end_at_every_step() {
    if !cfg!(debug_assertions) {
        eprintln!("a build without debug assertions counts no steps: skipped");
        return;
    }
    let place = Place::new();
    let whole_cache = place.path("whole");
    place.succeeds(place.steady(&["mod", "download"], &whole_cache));
    let whole = tree(&whole_cache);
    assert!(whole.contains_key("c.test/c@v1.0.0/p/p.go"));
    let go = real_go();
    let (next, last) = (AtomicUsize::new(1), AtomicUsize::new(usize::MAX));
    let work = || {
        loop {
            let step = next.fetch_add(1, Ordering::SeqCst);
            if step >= last.load(Ordering::SeqCst) {
                return;
            }
            let cache = place.path(&format!("cache{step}"));
            let mut command = place.steady(&["mod", "download"], &cache);
            let ended = command
                .env("STEADY_END_AT_STEP", step.to_string())
                .output()
                .unwrap();
            if ended.status.success() {
                // There were not that many steps.
                last.fetch_min(step, Ordering::SeqCst);
            } else {
                assert_eq!(
                    ended.status.signal(),
                    Some(9),
                    "step {step}\n{}",
                    said(&ended)
                );
                nothing_is_half(&tree(&cache), &whole, step);
            }
            // Now and then it is go that goes on.
            match &go {
                Some(go) if step % 16 == 0 => {
                    place.succeeds(place.command(go, &["mod", "download"], &cache));
                    let verified = place.succeeds(place.command(go, &["mod", "verify"], &cache));
                    assert!(verified.contains("all modules verified"), "{verified}");
                }
                _ => {
                    place.succeeds(place.steady(&["mod", "download"], &cache));
                    assert!(tree(&cache) == whole, "step {step}");
                }
            }
            place.remove(&cache);
        }
    };
    std::thread::scope(|scope| {
        (0..2).for_each(|_| drop(scope.spawn(work)));
    });
    let steps = last.load(Ordering::SeqCst) - 1;
    eprintln!("{steps} steps");
    assert!((40..500).contains(&steps), "{steps} steps");
}

/// The two files that are written in place: what each holds after an end at any step is what it held, or what it was to hold, empty
/// lines at the end apart; and the next run goes on from there.
#[test]
fn a_hard_end_leaves_no_mixture_in_go_mod_and_go_sum() {
    if !cfg!(debug_assertions) {
        eprintln!("a build without debug assertions counts no steps: skipped");
        return;
    }
    let place = Place::new();
    let (app, cache) = (place.path("app"), place.path("first"));
    let files = ["go.mod", "go.sum"].map(|name| app.join(name));
    let read = || files.clone().map(|file| fs::read_to_string(file).unwrap());
    let write = |texts: &[String; 2]| {
        files
            .iter()
            .zip(texts)
            .for_each(|(file, text)| fs::write(file, text).unwrap());
    };
    let large = read();
    let program = fs::read_to_string(app.join("main.go")).unwrap();
    fs::write(app.join("main.go"), "package main\n\nfunc main() {}\n").unwrap();
    place.succeeds(place.steady(&["mod", "tidy"], &cache));
    let small = read();
    assert!(small[0].len() < large[0].len() && small[1].is_empty());
    // Sums that nobody needs stand first, so that every byte moves.
    let other = "a.test/0 v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    let before = [small[0].clone(), other.to_owned()];
    for (main, from, to) in [
        ("package main\n\nfunc main() {}\n", &large, &small),
        (program.as_str(), &before, &large),
    ] {
        fs::write(app.join("main.go"), main).unwrap();
        let mut changed = 0;
        for step in 1.. {
            assert!(step < 200, "it has no end");
            write(from);
            let mut command = place.steady(&["mod", "tidy"], &cache);
            let command = command.env("STEADY_END_AT_STEP", step.to_string());
            let ended = command.output().unwrap();
            let found = read();
            for ((found, from), to) in found.iter().zip(from).zip(to) {
                let [found, from, to] = [found, from, to].map(|text| text.trim_end_matches('\n'));
                assert!(found == from || found == to, "step {step}: {found:?}");
            }
            changed += usize::from(found != *from);
            place.succeeds(place.steady(&["mod", "tidy"], &cache));
            let bare = |texts: &[String; 2]| texts.clone().map(|text| text.trim_end().to_owned());
            assert_eq!(bare(&read()), bare(to), "step {step}");
            if ended.status.success() {
                break;
            }
            assert_eq!(ended.status.signal(), Some(9), "{}", said(&ended));
        }
        assert!(changed > 1, "no end between the first change and the last");
    }
}

/// The disk becomes full at every block of 4 kB between nothing and enough.
#[test]
fn a_full_disk_is_told_with_the_path_and_leaves_nothing_half() {
    let place = Place::new();
    let whole_cache = place.path("whole");
    place.succeeds(place.steady(&["mod", "download"], &whole_cache));
    let whole = tree(&whole_cache);
    for blocks in 2..60 {
        let dir = place.path(&format!("disk{blocks}"));
        let Some(disk) = Small::new(dir.clone(), blocks * 4) else {
            return;
        };
        let cache = dir.join("mod");
        let output = place.steady(&["mod", "download"], &cache).output().unwrap();
        let text = said(&output);
        nothing_is_half(&tree(&cache), &whole, blocks);
        if output.status.success() && !text.contains("no space left on device") {
            assert!(tree(&cache) == whole, "{blocks} blocks\n{text}");
            assert!(blocks > 2, "the disk was never full");
            return;
        }
        let named = text.lines().any(|line| {
            line.contains(&*cache.to_string_lossy()) && line.contains("no space left on device")
        });
        assert!(named, "{blocks} blocks\n{text}");
        // With more room all goes well.
        disk.grow("1m");
        place.succeeds(place.steady(&["mod", "download"], &cache));
        assert!(tree(&cache) == whole, "{blocks} blocks, then more");
    }
    panic!("it never had enough");
}

#[test]
fn a_cache_that_cannot_be_written_serves_what_is_in_it() {
    let place = Place::new();
    let cache = place.path("mod");
    place.succeeds(place.steady(&["mod", "download"], &cache));
    let root = Command::new("id").arg("-u").output().unwrap();
    let is_root = said(&root).trim() == "0";
    if is_root {
        // Permissions stop everybody but root: a mount that is read-only stops root as well.
        let mut bind = Command::new("mount");
        bind.arg("--bind")
            .args([&cache, &cache])
            .stderr(Stdio::null());
        if !bind.status().is_ok_and(|status| status.success()) {
            eprintln!("nothing can be mounted here: skipped");
            return;
        }
    }
    let _mounted = is_root.then(|| Small(cache.clone()));
    if is_root {
        let mut remount = Command::new("mount");
        remount.args(["-o", "remount,bind,ro"]).arg(&cache);
        assert!(remount.status().unwrap().success());
    } else {
        let _ = Command::new("chmod")
            .args(["-R", "a-w"])
            .arg(&cache)
            .status();
    }
    assert!(fs::write(cache.join("x"), "").is_err(), "it can be written");
    for arguments in [
        &["mod", "download"][..],
        &["mod", "verify"],
        &["list", "-m", "all"],
        &["list", "-deps", "./..."],
        &["mod", "tidy"],
        &["mod", "download", "-json", "a.test/a@v1.0.0"],
    ] {
        let mut command = place.steady(arguments, &cache);
        command.env("GOPROXY", "off");
        let text = place.succeeds(command);
        assert!(
            !text.contains("read-only") && !text.contains("denied"),
            "{text}"
        );
    }
    // What is not in it cannot be had, and it is told why.
    let output = place
        .steady(&["mod", "download", "c.test/c@v1.0.1"], &cache)
        .output()
        .unwrap();
    assert!(!output.status.success());
}

#[test]
fn a_crowd_asks_once_for_each_zip() {
    let place = Place::new();
    let server = place.server();
    let cache = place.path("mod");
    let go = real_go();
    let crowd: Vec<_> = (0..10)
        .map(|number| {
            let program = go.as_deref().filter(|_| number % 2 == 1);
            let program = program.unwrap_or(Path::new(STEADY));
            let mut command = place.command(program, &["mod", "download"], &cache);
            command.env("GOPROXY", server.url("")).spawn().unwrap()
        })
        .collect();
    for child in crowd {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    for (module, _) in MODULES {
        let path = format!("/{module}.test/{module}/@v/v1.0.0.zip");
        assert_eq!(server.count(&path), 1, "{path}");
    }
    let verified = place.succeeds(place.steady(&["mod", "verify"], &cache));
    assert!(verified.contains("all modules verified"), "{verified}");
}

#[test]
fn an_interrupt_before_a_silent_server_ends_at_once() {
    let place = Place::new();
    let zip = fs::read(place.path("proxy/a.test/a/@v/v1.0.0.zip")).unwrap();
    for silent in [".zip", ".mod"] {
        let (proxy, half) = (place.path("proxy"), zip[..zip.len() / 2].to_vec());
        let server = Server::new(move |request| {
            if request.path.ends_with(silent) {
                return Answer::new(200, "application/zip", half.clone())
                    .claiming(half.len() * 2)
                    .lingering(Duration::from_secs(60));
            }
            let file = proxy.join(request.path.trim_start_matches('/'));
            Answer::new(200, "text/plain", fs::read(file).unwrap())
        });
        let cache = place.path(&format!("mod{silent}"));
        let mut command = place.steady(&["mod", "download"], &cache);
        command.env("GOPROXY", server.url("")).process_group(0);
        let child = command.spawn().unwrap();
        let asked = || server.count(&format!("/a.test/a/@v/v1.0.0{silent}")) > 0;
        let patience = Instant::now() + Duration::from_secs(30);
        while !asked() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(100));
        let sent = Instant::now();
        let group = format!("-{}", child.id());
        let kill = Command::new("kill").args(["-INT", "--", &group]).status();
        assert!(kill.unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.signal(), Some(2), "{}", said(&output));
        assert!(
            sent.elapsed() < Duration::from_secs(2),
            "{:?}",
            sent.elapsed()
        );
        assert!(!tree(&cache).keys().any(|name| name.ends_with(silent)));
        let mut left = Command::new("find");
        left.arg(&cache).args(["-name", "*.tmp"]);
        assert_eq!(place.succeeds(left), "");
        assert_eq!(fs::read_dir(place.path("tmp")).unwrap().count(), 0);
        place.succeeds(place.steady(&["mod", "download"], &cache));
    }
}

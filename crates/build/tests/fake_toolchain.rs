//! Builds with a toolchain of shell scripts: what is compiled when, what is found in the cache, what is said.
//!
//! The compiler's output is its input files without comment lines, so that an edit of a comment changes what goes in and not what
//! comes out. Every tool writes a line to a log.
#![allow(clippy::disallowed_methods)]

use camino::{Utf8Path, Utf8PathBuf};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};
use steady_build::{BuildConfig, BuildError, Outcome, Sink, Target, Toolchain, command};
use steady_packages::package::{Package, PackageId, PackageSet};

const COMPILE: &str = r#"#!/bin/sh
[ "$1" = -V=full ] && { echo "compile version go1.26.8"; exit; }
while [ $# -gt 0 ]; do
  case "$1" in
    -o) out=$2; shift ;;
    -p) path=$2; shift ;;
    -buildid) id=$2; shift ;;
    -trimpath|-goversion|-importcfg|-symabis) shift ;;
    -*) ;;
    *) files="$files $1" ;;
  esac
  shift
done
echo "compile $path" >> LOG
if grep -q BAD $files; then echo "$files:1:1: bad"; exit 1; fi
grep -h WARN $files | sed "s|^|$(echo $files | cut -d' ' -f1):2: |"
printf '!<arch>\n__.PKGDEF       0           0     0     644     10        `\ngo object linux amd64 go1.26.8\nbuild id "%s"\n\n' "$id" > $out
grep -hv '^//' $files >> $out
exit 0
"#;

const LINK: &str = r#"#!/bin/sh
[ "$1" = -V=full ] && { echo "link version go1.26.8"; exit; }
while [ $# -gt 0 ]; do
  case "$1" in
    -o) out=$2; shift ;;
    -buildid=*) id=${1#-buildid=} ;;
  esac
  shift
done
echo "link" >> LOG
printf '\000\000\212\227 \377 Go build ID: "%s"\n \377' "$id" > $out
"#;

#[derive(Default)]
struct Heard {
    prints: Mutex<String>,
    errors: Mutex<Vec<String>>,
}

impl Sink for Heard {
    fn print(&self, _: Option<&str>, text: &str) {
        self.prints.lock().unwrap().push_str(text);
    }
    fn error(&self, _: Option<&str>, text: &str) {
        self.errors.lock().unwrap().push(text.to_owned());
    }
    fn stdout(&self, _: &[u8]) {}
}

struct World {
    root: tempfile::TempDir,
    config: BuildConfig,
    set: PackageSet,
}

impl World {
    /// Packages `leaf`, `middle` (imports leaf), `other` and `prog` (main, imports middle).
    fn new() -> World {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| Utf8PathBuf::from_path_buf(root.path().join(name)).unwrap();
        let log = at("log");
        for (name, text) in [("compile", COMPILE), ("link", LINK)] {
            let path = at("tool").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text.replace("LOG", log.as_str())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir(at("tmp")).unwrap();
        fs::create_dir(at("cwd")).unwrap();
        fs::write(&log, "").unwrap();
        let config = BuildConfig {
            command: "build".into(),
            toolchain: Toolchain {
                goroot: at("goroot"),
                version: "go1.26.8".into(),
                tool_dir: at("tool"),
                host_os: "linux".into(),
                host_arch: "amd64".into(),
                ..Toolchain::default()
            },
            target: Target {
                goos: "linux".into(),
                goarch: "amd64".into(),
                arch_env: ("GOAMD64".into(), "v1".into()),
                ..Target::default()
            },
            environment: vec![("PATH".into(), std::env::var("PATH").unwrap())],
            cwd: at("cwd"),
            gocache: at("cache"),
            tmpdir: at("tmp"),
            modules_enabled: true,
            ..BuildConfig::default()
        };
        let mut world = World {
            root,
            config,
            set: PackageSet::default(),
        };
        let leaf = world.add("leaf", "leaf", &[]);
        let middle = world.add("middle", "middle", &[leaf]);
        world.add("other", "other", &[]);
        world.add("prog", "main", &[middle]);
        world
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.root.path().join(name)).unwrap()
    }

    fn add(&mut self, path: &str, name: &str, imports: &[PackageId]) -> PackageId {
        let mut package = Package::default();
        package.public.dir = self.path(path).into_string();
        package.public.import_path = path.into();
        package.public.name = name.into();
        package.public.files.go_files = vec!["x.go".into()];
        package.public.imports = imports
            .iter()
            .map(|id| self.set[*id].public.import_path.clone())
            .collect();
        package.internal.raw_imports = package.public.imports.clone();
        package.internal.imports = imports.to_vec();
        self.write(path, "text");
        self.set.add(package)
    }

    fn write(&self, path: &str, text: &str) {
        fs::create_dir_all(self.path(path)).unwrap();
        fs::write(self.path(path).join("x.go"), format!("{path}\n{text}\n")).unwrap();
    }

    fn id(&self, path: &str) -> PackageId {
        let at = self
            .set
            .packages
            .iter()
            .position(|package| package.public.import_path == path)
            .unwrap();
        PackageId(u32::try_from(at).unwrap())
    }

    /// Builds with `-o`, and gives the tools that ran, in order of their names.
    fn build(
        &mut self,
        paths: &[&str],
        output: &str,
    ) -> (Result<Outcome, BuildError>, Vec<String>, Arc<Heard>) {
        fs::write(self.path("log"), "").unwrap();
        let heard = Arc::new(Heard::default());
        let mut config = self.config.clone();
        config.flags.o = output.into();
        let roots: Vec<PackageId> = paths.iter().map(|path| self.id(path)).collect();
        let outcome = command::build(config, &mut self.set, &roots, &[], heard.clone());
        let mut ran: Vec<String> = fs::read_to_string(self.path("log"))
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect();
        ran.sort();
        assert_eq!(
            fs::read_dir(self.path("tmp")).unwrap().count(),
            0,
            "a work directory was left behind"
        );
        (outcome, ran, heard)
    }

    fn ran(&mut self, paths: &[&str], output: &str) -> Vec<String> {
        let (outcome, ran, heard) = self.build(paths, output);
        assert!(
            !outcome.unwrap().failed,
            "{:?}",
            heard.errors.lock().unwrap()
        );
        ran
    }
}

#[test]
fn nothing_is_built_twice() {
    let mut world = World::new();
    let all = ["compile leaf", "compile main", "compile middle", "link"];
    assert_eq!(world.ran(&["prog"], "prog"), all);
    let program = world.config.cwd.join("prog");
    let first = fs::read(&program).unwrap();
    assert_eq!(world.ran(&["prog"], "prog"), [""; 0]);
    assert_eq!(
        world.ran(&["prog"], "again"),
        ["link"],
        "only the program is new"
    );
    assert_eq!(fs::read(world.config.cwd.join("again")).unwrap(), first);
    assert_ne!(
        fs::metadata(&program).unwrap().permissions().mode() & 0o111,
        0
    );
}

#[test]
fn what_comes_out_decides_for_others() {
    let mut world = World::new();
    world.ran(&["prog"], "prog");
    world.write("leaf", "text\n// a comment");
    assert_eq!(world.ran(&["prog"], "prog"), ["compile leaf"]);
    world.write("leaf", "other text");
    // The compiler of this test does not look at imports, so what depends on the leaf comes out the same.
    assert_eq!(
        world.ran(&["prog"], "prog"),
        ["compile leaf", "compile middle", "link"]
    );
}

#[test]
fn a_program_stands_for_its_main_package() {
    let mut world = World::new();
    world.ran(&["prog"], "prog");
    let cache = world.config.gocache.clone();
    fs::remove_dir_all(&cache).unwrap();
    assert_eq!(
        world.ran(&["middle"], ""),
        ["compile leaf", "compile middle"]
    );
    assert_eq!(
        world.ran(&["prog"], "prog"),
        [""; 0],
        "the archive of main is not missed"
    );
    assert_eq!(world.ran(&["prog"], "new"), ["compile main", "link"]);
}

#[test]
fn failures_stop_only_what_depends_on_them() {
    let mut world = World::new();
    world.write("leaf", "BAD");
    let (outcome, ran, heard) = world.build(&["prog", "other"], "");
    assert!(outcome.unwrap().failed);
    assert_eq!(ran, ["compile leaf", "compile other"]);
    let errors = heard.errors.lock().unwrap();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].replace(' ', ""),
        "#leaf\n../leaf/x.go:1:1:bad\n",
        "the path is relative to where one stands"
    );
    drop(errors);
    world.write("leaf", "good");
    assert_eq!(
        world.ran(&["prog", "other"], ""),
        ["compile leaf", "compile main", "compile middle", "link"]
    );
}

#[test]
fn warnings_are_said_again() {
    let mut world = World::new();
    world.write("leaf", "WARN this");
    for expected in [vec!["compile leaf".to_owned()], vec![]] {
        let (outcome, ran, heard) = world.build(&["leaf"], "");
        assert!(!outcome.unwrap().failed);
        assert_eq!(ran, expected);
        assert_eq!(
            *heard.prints.lock().unwrap(),
            "# leaf\n../leaf/x.go:2: WARN this\n"
        );
    }
}

#[test]
fn a_program_that_nobody_wants_is_linked_once() {
    let mut world = World::new();
    assert_eq!(world.ran(&["prog", "other"], "").len(), 5);
    assert_eq!(world.ran(&["prog", "other"], ""), [""; 0]);
    world.config.flags.a = true;
    assert_eq!(world.ran(&["prog", "other"], "").len(), 5, "-a");
}

#[test]
fn lines_are_shown_and_not_run() {
    let mut world = World::new();
    world.config.flags.n = true;
    let (outcome, ran, heard) = world.build(&["prog"], "prog");
    assert!(!outcome.unwrap().failed);
    assert_eq!(ran, [""; 0]);
    let prints = heard.prints.lock().unwrap();
    for line in [
        "mkdir -p $WORK/b003/\n",
        "\n#\n# leaf\n#\n\n",
        "echo '# import config' > $WORK/b003/importcfg # internal\n",
        "cat >$WORK/b002/importcfg << 'EOF' # internal\n# import config\npackagefile leaf=$WORK/b003/_pkg_.a\nEOF\n",
        "mkdir -p $WORK/b001/exe/\ncd .\n",
        "mv $WORK/b001/exe/a.out prog\n",
    ] {
        assert!(prints.contains(line), "{line:?} is missing in\n{prints}");
    }
    assert!(!Utf8Path::new(&world.config.cwd).join("prog").exists());
}

#[test]
fn wrong_uses_of_o() {
    let mut world = World::new();
    let mut refused = |paths: &[&str], output: &str| match world.build(paths, output).0 {
        Err(BuildError::Fatal { line, exit: 1 }) => line,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(&["prog", "other"], "x"),
        "go: cannot write multiple packages to non-directory x"
    );
    assert_eq!(refused(&[], "x"), "no packages to build");
    assert_eq!(refused(&["other"], "dir/"), "go: no main packages to build");
    let cwd = world.config.cwd.clone();
    fs::create_dir(cwd.join("prog")).unwrap();
    let (outcome, ..) = world.build(&["prog"], "");
    assert_eq!(
        outcome.unwrap_err().to_string(),
        "go: build output \"prog\" already exists and is a directory"
    );
    assert_eq!(
        world.ran(&["prog", "other"], "prog").len(),
        3 + 1,
        "mains alone, into the directory"
    );
    assert!(cwd.join("prog/prog").exists());
    fs::write(cwd.join("text"), "not a program").unwrap();
    let (outcome, _, heard) = world.build(&["prog"], "text");
    assert!(outcome.unwrap().failed);
    let want =
        "prog: go build prog: build output \"text\" already exists and is not an object file";
    assert_eq!(*heard.errors.lock().unwrap(), [want]);
}

#[test]
fn missing_places_to_install() {
    let mut world = World::new();
    let heard = Arc::new(Heard::default());
    let prog = world.id("prog");
    let error = command::install(
        world.config.clone(),
        &mut world.set,
        &[prog],
        &[],
        heard.clone(),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("go: no install location for directory "),
        "{error}"
    );
    let target = world.path("bin/prog");
    world.set[prog].public.target = target.to_string();
    let outcome =
        command::install(world.config.clone(), &mut world.set, &[prog], &[], heard).unwrap();
    assert!(!outcome.failed && target.exists());
}

#[test]
fn run_keeps_programs_in_the_cache() {
    let mut world = World::new();
    let prog = world.id("prog");
    let run = |world: &mut World| {
        let heard = Arc::new(Heard::default());
        command::run(world.config.clone(), &mut world.set, prog, &[], heard).unwrap()
    };
    let first = run(&mut world);
    assert_eq!(first.program.file_name(), Some("prog"));
    assert!(first.program.starts_with(&world.config.gocache));
    assert_eq!(first.command, [first.program.as_str()]);
    fs::write(world.path("log"), "").unwrap();
    assert_eq!(run(&mut world).program, first.program);
    assert_eq!(fs::read_to_string(world.path("log")).unwrap(), "");
}

#![allow(clippy::disallowed_methods)] // fixtures are written to a real directory

use super::*;
use std::fs;
use std::time::{Duration, SystemTime};

struct World {
    _temp: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl World {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(temp.path().canonicalize().unwrap()).unwrap();
        Self { _temp: temp, root }
    }

    fn write(&self, path: &str, text: &str) -> Utf8PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// An index whose clock stands `later` seconds from now, so that files just written are old enough.
    fn index(&self, later: u64) -> Index {
        let options = IndexOptions {
            bound: None,
            cache_dir: Some(self.root.join("cache")),
            mod_cache: Some(self.root.join("mod")),
            goroot: Some(self.root.join("go")),
            go_version: "go1.99".to_owned(),
            project: Some(self.root.join("p")),
            lean: false,
            clock: Clock::Fixed(SystemTime::now() + Duration::from_secs(later)),
        };
        Index::new(Files::new(&self.root), options)
    }

    fn imports(&self, index: &Index, dir: &str) -> Vec<String> {
        let contents = index.dir(&self.root.join(dir)).unwrap();
        contents
            .files
            .iter()
            .flat_map(|file| file.imports.iter().map(|import| import.path.clone()))
            .collect()
    }

    fn stored(&self) -> usize {
        fn count(dir: &Utf8Path) -> usize {
            let Ok(entries) = fs::read_dir(dir) else {
                return 0;
            };
            let paths =
                entries.map(|entry| Utf8PathBuf::from_path_buf(entry.unwrap().path()).unwrap());
            paths
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.root.join("cache"))
    }
}

#[test]
fn a_module_is_read_once_for_all_time() {
    let world = World::new();
    let file = world.write("mod/x.y/m@v1.0.0/a/a.go", "package a\nimport \"one\"\n");
    let first = world.index(0);
    assert_eq!(world.imports(&first, "mod/x.y/m@v1.0.0/a"), ["one"]);
    assert!(
        first
            .dir(&world.root.join("mod/x.y/m@v1.0.0/none"))
            .is_err()
    );
    first.save();
    assert_eq!(world.stored(), 1);
    fs::remove_file(file).unwrap();
    let second = world.index(0);
    assert_eq!(
        world.imports(&second, "mod/x.y/m@v1.0.0/a"),
        ["one"],
        "from memory"
    );
    let missing = second
        .dir(&world.root.join("mod/x.y/m@v1.0.0/none"))
        .unwrap_err();
    assert!(matches!(
        missing,
        SourceError::Unreadable { missing: true, .. }
    ));
}

#[test]
fn a_module_being_extracted_is_not_remembered() {
    let world = World::new();
    world.write("mod/x.y/m@v1.0.0/a.go", "package a\n");
    world.write("mod/cache/download/x.y/m/@v/v1.0.0.partial", "");
    let index = world.index(0);
    world.imports(&index, "mod/x.y/m@v1.0.0");
    assert!(
        index.dir(&world.root.join("mod/x.y/n@v1.0.0")).is_err(),
        "not extracted at all"
    );
    index.save();
    assert_eq!(world.stored(), 0);
}

#[test]
fn the_project_is_looked_at_again() {
    let world = World::new();
    world.write("p/a.go", "package a\nimport \"one\"\n");
    let first = world.index(60);
    assert_eq!(world.imports(&first, "p"), ["one"]);
    first.save();
    assert_eq!(world.stored(), 1);
    assert_eq!(world.imports(&world.index(60), "p"), ["one"]);
    world.write("p/a.go", "package a\nimport \"two\"\n");
    assert_eq!(
        world.imports(&world.index(60), "p"),
        ["two"],
        "edited in place"
    );
    world.write("p/b.go", "package a\nimport \"three\"\n");
    assert_eq!(
        world.imports(&world.index(60), "p"),
        ["two", "three"],
        "a new file"
    );
}

#[test]
fn what_was_just_written_is_not_remembered() {
    let world = World::new();
    world.write("p/a.go", "package a\n");
    let index = world.index(0);
    world.imports(&index, "p");
    index.save();
    assert_eq!(world.stored(), 0);
}

#[test]
fn links_are_not_remembered() {
    let world = World::new();
    world.write("p/a.go", "package a\n");
    std::os::unix::fs::symlink("a.go", world.root.join("p/b.go")).unwrap();
    let index = world.index(60);
    world.imports(&index, "p");
    index.save();
    assert_eq!(world.stored(), 0);
}

#[test]
fn another_toolchain_has_another_memory() {
    let world = World::new();
    world.write("go/src/fmt/a.go", "package fmt\nimport \"os\"\n");
    let index = world.index(60);
    assert_eq!(world.imports(&index, "go/src/fmt"), ["os"]);
    index.save();
    let mut options = index.options.clone();
    options.go_version = "go1.100".to_owned();
    let other = Index::new(Files::new(&world.root), options);
    world.imports(&other, "go/src/fmt");
    other.save();
    assert_eq!(world.stored(), 2);
}

#[test]
fn torn_files_are_rebuilt() {
    let world = World::new();
    world.write("mod/x.y/m@v1.0.0/a.go", "package a\nimport \"one\"\n");
    let first = world.index(0);
    world.imports(&first, "mod/x.y/m@v1.0.0");
    first.save();
    let place = locked(&first.memories)
        .values()
        .flatten()
        .next()
        .unwrap()
        .place
        .clone();
    let whole = fs::read(&place).unwrap();
    for torn in [
        &whole[..whole.len() / 2],
        b"",
        b"steady index 2\n\xff\xff\xff\xff",
    ] {
        fs::write(&place, torn).unwrap();
        let again = world.index(0);
        assert_eq!(world.imports(&again, "mod/x.y/m@v1.0.0"), ["one"]);
        again.save();
        assert_eq!(fs::read(&place).unwrap(), whole);
    }
}

#[test]
fn prefetching_many() {
    let world = World::new();
    let dirs: Vec<Utf8PathBuf> = (0..100)
        .map(|n| {
            world
                .write(&format!("p/{n}/a.go"), "package a\n")
                .parent()
                .unwrap()
                .to_owned()
        })
        .collect();
    let index = world.index(0);
    index.prefetch(&dirs);
    assert_eq!(locked(&index.seen).len(), 100);
    assert!(dirs.iter().all(|dir| index.dir(dir).is_ok()));
}

#[test]
fn a_lean_index_keeps_what_no_memory_tells() {
    let world = World::new();
    world.write("p/a.go", "package a\n");
    for n in 0..2 * RECENT {
        world.write(
            &format!("mod/x.y/m@v1.0.0/{n}/a.go"),
            "package a\nimport \"one\"\n",
        );
    }
    let options = IndexOptions {
        lean: true,
        ..world.index(0).options
    };
    let index = Index::new(Files::new(&world.root), options);
    for _ in 0..2 {
        world.imports(&index, "p");
        for n in 0..2 * RECENT {
            assert_eq!(
                world.imports(&index, &format!("mod/x.y/m@v1.0.0/{n}")),
                ["one"]
            );
        }
    }
    assert_eq!(locked(&index.seen).len(), 1);
    assert_eq!(locked(&index.recent).len(), RECENT);
    let package = index.package(
        &world.root.join("mod/x.y/m@v1.0.0/0"),
        &BuildContext::default(),
    );
    assert_eq!(package.name, "a");
    assert!(locked(&index.variants).is_empty());
}

use super::*;

fn tree() -> (tempfile::TempDir, Files) {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(Utf8Path::from_path(dir.path()).unwrap());
    (dir, files)
}

#[test]
fn clean_is_filepath_clean() {
    let cases = [
        ("a//b/./c/..", "a/b"),
        ("/../a", "/a"),
        ("../../a", "../../a"),
        ("", "."),
        ("a/..", "."),
        ("/", "/"),
        ("a/", "a"),
    ];
    for (path, want) in cases {
        assert_eq!(clean(Utf8Path::new(path)), want, "{path}");
    }
}

#[test]
fn relative_is_filepath_rel() {
    let rel = |a: &str, b: &str| relative(Utf8Path::new(a), Utf8Path::new(b)).map(String::from);
    assert_eq!(rel("/a/b", "/a/c/d").as_deref(), Some("../c/d"));
    assert_eq!(rel("/a", "/a").as_deref(), Some("."));
    assert_eq!(rel(".", "x").as_deref(), Some("x"));
    assert_eq!(rel("..", "x"), None);
    assert_eq!(rel("/a", "b"), None);
}

#[test]
fn writes_are_whole_and_leave_no_neighbour() {
    let (_dir, files) = tree();
    files.write_atomic("x", b"one", 0o644).unwrap();
    files.write_atomic("x", b"two", 0o644).unwrap();
    assert_eq!(files.read("x").unwrap(), b"two");
    assert_eq!(files.read_dir(".").unwrap().len(), 1);
    let error = files.write_atomic("no/x", b"", 0o644).unwrap_err();
    assert!(error.is_not_found(), "{error}");
}

#[test]
fn errors_name_the_path_as_given() {
    let (_dir, files) = tree();
    assert_eq!(
        files.read("gone").unwrap_err().to_string(),
        "open gone: no such file or directory"
    );
    assert_eq!(
        files.stat("gone").unwrap_err().to_string(),
        "stat gone: no such file or directory"
    );
    assert_eq!(files.read_if_exists("gone").unwrap(), None);
}

#[test]
fn read_only_trees_can_be_removed() {
    let (_dir, files) = tree();
    files.create_dir_all("m/a/b").unwrap();
    files.write("m/a/b/f", b"x", 0o444).unwrap();
    files.symlink("/nowhere", "m/a/link").unwrap();
    files.make_dirs_read_only("m").unwrap();
    assert_eq!(files.stat("m/a").unwrap().mode & 0o222, 0);
    files.remove_all("m").unwrap();
    assert!(!files.exists("m"));
    files.remove_all("m").unwrap();
}

#[test]
fn walk_is_sorted_and_can_skip() {
    let (_dir, files) = tree();
    for dir in ["t/b", "t/a/x", "t/c"] {
        files.create_dir_all(dir).unwrap();
    }
    files.write("t/b.go", b"", 0o644).unwrap();
    let mut seen = Vec::new();
    files
        .walk::<Error>("t", &mut |entry| {
            seen.push(entry.path.to_string());
            Ok(if entry.name == "a" {
                Walk::SkipDir
            } else {
                Walk::Continue
            })
        })
        .unwrap();
    assert_eq!(seen, ["t", "t/a", "t/b", "t/b.go", "t/c"]);
}

#[test]
fn overlay_is_seen_by_every_reader() {
    let (_dir, files) = tree();
    files.create_dir_all("p").unwrap();
    files.write("p/real.go", b"real", 0o644).unwrap();
    files.write("p/gone.go", b"gone", 0o644).unwrap();
    files.write("other", b"overlaid", 0o644).unwrap();
    let json = r#"{"Replace":{"p/new.go":"other","p/gone.go":"","q/r/s.go":"other","p/miss.go":"nothing"}}"#;
    let overlay = Overlay::parse(json.as_bytes(), files.cwd()).unwrap();
    let files = files.with_overlay(overlay);
    assert_eq!(files.read("p/new.go").unwrap(), b"overlaid");
    assert!(files.read("p/gone.go").unwrap_err().is_not_found());
    let names: Vec<_> = files
        .read_dir("p")
        .unwrap()
        .into_iter()
        .map(|e| (e.name, e.kind))
        .collect();
    let want = [
        ("miss.go", FileKind::Other),
        ("new.go", FileKind::File),
        ("real.go", FileKind::File),
    ];
    assert_eq!(names, want.map(|(name, kind)| (name.to_owned(), kind)));
    assert!(files.is_dir("q/r"));
    assert_eq!(files.read_dir("q").unwrap()[0].name, "r");
    assert!(files.stat("p/gone.go").unwrap_err().is_not_found());
    assert_eq!(files.stat("q/r/s.go").unwrap().size, 8);
    assert!(files.is_replaced(Utf8Path::new("p/gone.go")));
}

#[test]
fn a_full_disk_is_told() {
    let files = Files::new("/");
    if !files.exists("/dev/full") {
        return;
    }
    let error = files.write("/dev/full", b"x", 0o644).unwrap_err();
    assert_eq!(
        error.to_string(),
        "write /dev/full: no space left on device"
    );
    assert!(error.is_disk_full());
}

#[test]
fn many_files_are_copied_and_a_tree_is_swapped_in() {
    let (_guard, files) = tree();
    files.create_dir_all("from").unwrap();
    files.create_dir_all("new").unwrap();
    files.create_dir_all("place").unwrap();
    files.write("place/old", b"old", 0o666).unwrap();
    let names: Vec<String> = (0..100).map(|number| format!("from/{number}")).collect();
    for name in &names {
        files
            .write(name, name.repeat(9000).as_bytes(), 0o444)
            .unwrap();
    }
    let paths = |name: &String| (name.into(), name.replace("from", "new").into());
    files.copy_all(&names, paths, 0o666).unwrap();
    let mode = files.lstat("new/7").unwrap().mode;
    files.write("new/8", b"edited", 0o666).unwrap();
    let equal = files.are_copies(&names, paths, mode).unwrap();
    let edited = equal.iter().position(|equal| !equal);
    assert_eq!(edited, Some(8));
    assert_eq!(equal.iter().filter(|equal| **equal).count(), 99);
    files.swap_in("new", "place").unwrap();
    assert!(!files.exists("new") && !files.exists("place/old"));
    assert_eq!(
        files.read("place/7").unwrap(),
        "from/7".repeat(9000).as_bytes()
    );
    let paths = |name: &&str| {
        (
            format!("from/{name}").into(),
            format!("place/{name}").into(),
        )
    };
    assert!(files.copy_all(&["none"], paths, 0o666).is_err());
}

#![allow(clippy::disallowed_methods)] // fixtures are written to a real directory

use super::*;
use crate::index::IndexOptions;
use std::fs;
use steady_system::Files;

fn tree(files: &[&str]) -> (tempfile::TempDir, Utf8PathBuf, Index) {
    let temp = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(temp.path().canonicalize().unwrap()).unwrap();
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = if file.ends_with("go.mod") {
            "module m\n"
        } else {
            "package p\n"
        };
        fs::write(path, text).unwrap();
    }
    let index = Index::new(Files::new(&root), IndexOptions::default());
    (temp, root, index)
}

fn dirs(pattern: &str, root: &Utf8Path, index: &Index, ignore: &[&str]) -> Match {
    let mut m = Match::new(pattern);
    let ignore = IgnorePatterns::new(
        &ignore
            .iter()
            .map(|path| (*path).to_owned())
            .collect::<Vec<_>>(),
    );
    let roots = [ModuleRoot {
        dir: root.to_owned(),
        ignore,
    }];
    match_dirs(
        &mut m,
        index,
        &BuildContext::default(),
        &LocalWalk {
            cwd: root,
            roots: &roots,
            modules: true,
        },
    );
    m
}

const MODULE: [&str; 9] = [
    "go.mod",
    "p.go",
    "a/p.go",
    "a/b/p.go",
    "nested/go.mod",
    "nested/p.go",
    "vendor/x/p.go",
    "testdata/p.go",
    "_x/p.go",
];

#[test]
fn local_patterns() {
    let (_temp, root, index) = tree(&MODULE);
    assert_eq!(
        dirs("./...", &root, &index, &[]).dirs,
        ["./.", "./a", "./a/b"]
    );
    assert_eq!(dirs("./a/...", &root, &index, &[]).dirs, ["./a", "./a/b"]);
    assert_eq!(dirs("./.../b", &root, &index, &[]).dirs, ["./a/b"]);
    assert_eq!(
        dirs("./...", &root, &index, &["./a/b"]).dirs,
        ["./.", "./a"]
    );
    assert_eq!(
        dirs("./vendor/...", &root, &index, &[]).dirs,
        ["./vendor/x"]
    );
    assert_eq!(
        dirs(&format!("{root}/a/..."), &root, &index, &[]).dirs,
        [format!("{root}/a"), format!("{root}/a/b")]
    );
    assert_eq!(dirs("./nothing", &root, &index, &[]).dirs, ["./nothing"]);
    let outside = dirs("../...", &root.join("a"), &index, &[]);
    assert!(
        outside.errors[0].ends_with(&format!("is outside module root ({root}/a)")),
        "{:?}",
        outside.errors
    );
}

#[test]
fn modules() {
    let (_temp, root, index) = tree(&MODULE);
    let walk = |prune_vendor, bare| {
        let mut list = Vec::new();
        let tree = ModuleTree {
            dir: &root,
            prefix: "m",
            prune_go_mod: true,
            prune_vendor,
            bare,
            ignore: &IgnorePatterns::default(),
            note: &|_| {},
        };
        walk_module(&index, &tree, &|_| true, &|_| true, &mut |path, _| {
            list.push(path)
        });
        list
    };
    assert_eq!(walk(true, false), ["m", "m/a", "m/a/b"]);
    assert_eq!(walk(false, false), ["m", "m/a", "m/a/b", "m/vendor/x"]);
    assert_eq!(walk(true, true), ["m/vendor"]);
}

#[test]
fn goroot_patterns() {
    let files = [
        "src/a/p.go",
        "src/a/internal/p.go",
        "src/builtin/p.go",
        "src/cmd/go/p.go",
        "src/vendor/x.y/p.go",
        "src/runtime/cgo/p.go",
        "src/a/testdata/p.go",
    ];
    let (_temp, root, index) = tree(&files);
    let context = BuildContext {
        goroot: root,
        ..BuildContext::default()
    };
    let packages = |pattern: &str| {
        let mut m = Match::new(pattern);
        match_packages(&mut m, &index, &context, false);
        m.packages
    };
    assert_eq!(packages("std"), ["a", "a/internal", "vendor/x.y"]);
    assert_eq!(packages("cmd"), ["cmd/go"]);
    assert_eq!(packages("a/..."), ["a", "a/internal"]);
    assert_eq!(packages("..."), ["a", "a/internal", "cmd/go"]);
}

#[test]
fn a_directory_that_is_not_there() {
    let (_temp, root, index) = tree(&MODULE);
    let found = dirs("./a/none/...", &root, &index, &[]);
    assert_eq!(found.errors, ["lstat ./a/none/: no such file or directory"]);
}

#![allow(clippy::disallowed_methods)] // fixtures are written to a real directory

use super::*;
use std::sync::Arc;
use steady_packages::index::IndexOptions;
use steady_packages::source::syslist::SysList;
use steady_system::Files;

const MAIN: &str = "package main\n\nfunc main() {}\n";

const SYSTEMS: &str = "package syslist\nvar KnownOS = map[string]bool{\n\t\"linux\": true,\n\t\"windows\": true,\n}\n\
    var UnixOS = map[string]bool{\n\t\"linux\": true,\n}\n\
    var KnownArch = map[string]bool{\n\t\"amd64\": true,\n\t\"arm64\": true,\n}\n";

fn target(platform: &str, cgo: bool) -> Target {
    let (goos, goarch) = platform.split_once('/').unwrap();
    let context = BuildContext {
        goos: goos.into(),
        goarch: goarch.into(),
        compiler: "gc".into(),
        cgo_enabled: cgo,
        release_tags: BuildContext::release_tags_for(26),
        syslist: Arc::new(SysList::parse(SYSTEMS, "x").unwrap()),
        ..BuildContext::default()
    };
    Target {
        platform: platform.into(),
        context,
    }
}

fn known() -> Vec<Target> {
    ["linux/amd64", "linux/arm64", "windows/amd64"]
        .map(|platform| target(platform, false))
        .into()
}

fn look(files: &[(&str, &str)], asked: &[Target]) -> Entries {
    let temp = tempfile::tempdir().unwrap();
    let dir = Utf8PathBuf::from_path_buf(temp.path().to_owned()).unwrap();
    for (name, text) in files {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let index = Index::new(Files::new(&dir), IndexOptions::default());
    let place = Place {
        import_path: "m/x".into(),
        dir,
    };
    find(&index, &[place], asked, &known())
}

/// On linux/amd64 with cgo: `Ok(FILE:LINE)` of the program, or the near misses as `FILE:LINE: REASON`.
fn here(files: &[(&str, &str)]) -> Result<String, Vec<String>> {
    let entries = look(files, &[target("linux/amd64", true)]);
    let misses = entries.near_misses.iter();
    let misses: Vec<String> = misses
        .map(|miss| format!("{}:{}: {}", miss.file, miss.line, miss.reason.name()))
        .collect();
    match entries.executables.as_slice() {
        [program] if misses.is_empty() => Ok(format!("{}:{}", program.file, program.line)),
        [program] => Ok(format!("{}:{} but {misses:?}", program.file, program.line)),
        _ => Err(misses),
    }
}

#[track_caller]
fn misses(files: &[(&str, &str)], want: &[&str]) {
    let want = want.iter().map(|&text| text.to_owned()).collect();
    assert_eq!(here(files), Err(want));
}

#[test]
fn programs() {
    assert_eq!(here(&[("a.go", MAIN)]), Ok("a.go:3".into()));
    let helper = ("b.go", "package main\n\nvar x = 1\n");
    assert_eq!(here(&[("a.go", MAIN), helper]), Ok("a.go:3".into()));
    let method = (
        "b.go",
        "package main\ntype T int\nfunc (T) main() {}\nfunc Main() {}\n",
    );
    assert_eq!(here(&[("a.go", MAIN), method]), Ok("a.go:3".into()));
    let test = ("a_test.go", "package main\n\nfunc helper() {}\n");
    assert_eq!(here(&[("a.go", MAIN), test]), Ok("a.go:3".into()));
    let other = ("a_windows.go", MAIN);
    assert_eq!(
        here(&[("a_linux.go", MAIN), other]),
        Ok("a_linux.go:3".into())
    );
    let script = (
        "gen.go",
        "//go:build ignore\n\npackage main\n\nfunc main() {}\n",
    );
    let want = "a.go:3 but [\"gen.go:1: ignored\"]";
    assert_eq!(here(&[("a.go", MAIN), script]), Ok(want.into()));
}

#[test]
fn libraries_are_no_near_misses() {
    misses(
        &[(
            "a.go",
            "package a\n\nfunc Main() {}\ntype t int\nfunc (t) main() {}\n",
        )],
        &[],
    );
    misses(
        &[
            ("a_test.go", "package a\n\nfunc main() {}\n"),
            ("a.go", "package a\n"),
        ],
        &[],
    );
    misses(&[("a.go", "package a\n\n// func main() {}\n")], &[]);
}

#[test]
fn wrong_declarations() {
    let main = |text: &str| format!("package main\n\n{text}\n");
    for (text, want) in [
        ("func main() error { return nil }", "a.go:3: signature"),
        ("func main(args []string) {}", "a.go:3: signature"),
        ("func main[T any]() {}", "a.go:3: signature"),
        ("func main()", "a.go:3: no-body"),
        ("func Main() {}", "a.go:3: capital"),
        ("type T int\nfunc (T) main() {}", "a.go:4: method"),
        ("var main = func() {}", "a.go:3: not-a-function"),
        ("func run() {}", "a.go:1: undeclared"),
    ] {
        misses(&[("a.go", &main(text))], &[want]);
    }
    misses(
        &[("a.go", "package a\n\nfunc main() {}\n")],
        &["a.go:3: other-package"],
    );
    misses(&[("a.go", MAIN), ("b.go", MAIN)], &["b.go:3: twice"]);
    misses(
        &[("a.go", MAIN), ("b.go", "package main\nvar main int\n")],
        &["b.go:2: twice"],
    );
}

#[test]
fn files_that_do_not_count() {
    misses(&[("a_test.go", MAIN)], &["a_test.go:3: test-only"]);
    misses(
        &[("a_test.go", "package main\n")],
        &["a_test.go:1: only-tests"],
    );
    misses(
        &[("a.go", "package main\n"), ("a_test.go", MAIN)],
        &["a_test.go:3: test-only"],
    );
    let built = |line: &str| format!("// x\n{line}\n\npackage main\n\nfunc main() {{}}\n");
    for (line, want) in [
        ("//go:build ignore", "a.go:2: ignored"),
        ("// +build ignore", "a.go:2: ignored"),
        ("//go:build linux && windows", "a.go:2: ignored"),
        ("//go:build tools", "a.go:2: needs-tags"),
        ("//go:build linux && (x || y)", "a.go:2: needs-tags"),
        ("//go:build windows", "a.go:2: elsewhere"),
        ("//go:build !linux", "a.go:2: elsewhere"),
    ] {
        misses(&[("a.go", &built(line))], &[want]);
    }
    misses(&[("a_windows.go", MAIN)], &["a_windows.go:1: elsewhere"]);
    misses(
        &[("a.go", "package a\n"), ("b.go", MAIN)],
        &["b.go:1: broken"],
    );
    misses(
        &[
            ("a.go", "package a\n"),
            ("gen.go", &built("//go:build ignore")),
        ],
        &["gen.go:2: ignored"],
    );
}

#[test]
fn files_that_go_passes_over() {
    misses(&[("_a.go", MAIN)], &["_a.go:1: ignored"]);
    misses(
        &[("_a.go", MAIN), (".b.go", MAIN), ("a.go", "package main\n")],
        &[".b.go:1: ignored", "_a.go:1: ignored"],
    );
    misses(
        &[("_a.go", MAIN), ("a.go", "package a\n")],
        &["_a.go:1: ignored"],
    );
    let program = here(&[("_a.go", MAIN), ("a.go", MAIN)]);
    assert_eq!(program, Ok("a.go:3 but [\"_a.go:1: ignored\"]".into()));
    misses(
        &[
            ("_a.go", "package a\n\nfunc main() {}\n"),
            ("_b.go", "package main\n\nfunc main() int { return 0 }\n"),
            ("_c_test.go", MAIN),
        ],
        &[],
    );
}

#[test]
fn cgo() {
    let uses = "package main\n\nimport \"C\"\n\nfunc main() {}\n";
    assert_eq!(here(&[("a.go", uses)]), Ok("a.go:5".into()));
    for text in [uses, "//go:build cgo\n\npackage main\n\nfunc main() {}\n"] {
        let entries = look(&[("a.go", text)], &[target("linux/amd64", false)]);
        assert_eq!(entries.executables, []);
        assert_eq!(entries.near_misses[0].reason, Reason::NeedsCgo);
    }
}

#[test]
fn several_platforms() {
    let files = [("a_linux.go", MAIN), ("b.go", "package main\n")];
    let entries = look(&files, &known());
    let [program] = entries.executables.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!(program.platforms, ["linux/amd64", "linux/arm64"]);
    let [miss] = entries.near_misses.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!(miss.reason, Reason::Elsewhere(vec!["linux".into()]));
    assert_eq!(miss.platforms, ["windows/amd64"]);
}

#[test]
fn names_of_platforms() {
    let known = ["linux/amd64", "linux/arm64", "windows/amd64"];
    let names = |platforms: &[&str]| platform_names(platforms, &known);
    assert_eq!(
        names(&["linux/amd64", "windows/amd64"]),
        ["linux/amd64", "windows"]
    );
    assert_eq!(names(&known), ["linux", "windows"]);
}

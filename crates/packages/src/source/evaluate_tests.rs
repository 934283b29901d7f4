use super::*;
use crate::source::syslist::SysList;

fn context(cgo: bool) -> BuildContext {
    BuildContext {
        goos: "linux".into(),
        goarch: "amd64".into(),
        compiler: "gc".into(),
        cgo_enabled: cgo,
        syslist: Arc::new(SysList::parse(crate::source::syslist::FIXTURE, "x").unwrap()),
        ..BuildContext::default()
    }
}

fn package_with(files: &[(&str, &str)], context: &BuildContext) -> PackageSource {
    let mut contents = DirContents::default();
    for (name, text) in files {
        let mut facts = FileFacts {
            name: (*name).to_owned(),
            ..FileFacts::default()
        };
        if !name.ends_with(".syso") {
            scan::scan_bytes(&mut facts, text.as_bytes(), true);
        }
        contents.files.push(facts);
    }
    evaluate(Utf8Path::new("/d"), &contents, context)
}

fn package(files: &[(&str, &str)]) -> PackageSource {
    package_with(files, &context(true))
}

fn error(package: &PackageSource) -> String {
    package.error.as_ref().unwrap().to_string()
}

#[test]
fn files_go_where_they_belong() {
    let files = [
        ("a.S", ""),
        ("a.c", ""),
        ("a.go", "// Package p.\npackage p\nimport \"x\"\n"),
        ("a_arm64.s", ""),
        ("a_test.go", "package p\nimport \"t\"\n"),
        ("a_windows.go", "package p\nimport \"w\"\n"),
        ("b.go", "//go:build !linux\n\npackage p\n"),
        (
            "c.go",
            "package p\n// #cgo LDFLAGS: -lm\nimport \"C\"\nimport \"x\"\n",
        ),
        ("d.go", "package documentation\n"),
        ("e.s", ""),
        ("x.cc", "//go:build ignore\n\n"),
        ("x.swigcxx", ""),
        ("x.syso", ""),
        ("x_test.go", "package p_test\nimport \"q\"\n"),
    ];
    let with = package(&files);
    assert_eq!((with.name.as_str(), with.doc.as_str()), ("p", "Package p."));
    assert_eq!(with.files.go_files, ["a.go"]);
    assert_eq!(with.files.cgo_files, ["c.go"]);
    assert_eq!(with.files.s_files, ["a.S", "e.s"]);
    assert_eq!(with.files.c_files, ["a.c"]);
    assert_eq!(with.files.syso_files, ["x.syso"]);
    assert_eq!(with.files.swig_cxx_files, ["x.swigcxx"]);
    assert_eq!(
        with.files.ignored_go_files,
        ["a_windows.go", "b.go", "d.go"]
    );
    assert_eq!(with.files.ignored_other_files, ["a_arm64.s", "x.cc"]);
    assert_eq!(
        (&with.test_go_files[..], &with.x_test_go_files[..]),
        (&["a_test.go".into()][..], &["x_test.go".into()][..])
    );
    assert_eq!(with.imports.keys().collect::<Vec<_>>(), ["C", "x"]);
    assert_eq!(
        with.imports
            .get("x")
            .iter()
            .map(Position::to_string)
            .collect::<Vec<_>>(),
        ["/d/a.go:3:8", "/d/c.go:4:8"]
    );
    assert_eq!(with.files.cgo_ldflags, ["-lm"]);
    assert_eq!(
        with.all_tags,
        ["arm64", "cgo", "ignore", "linux", "windows"]
    );
    assert_eq!(with.error, None);

    let without = package_with(&files, &context(false));
    assert_eq!(
        without.files.ignored_go_files,
        ["a_windows.go", "b.go", "c.go", "d.go"]
    );
    assert_eq!(
        without.files.ignored_other_files,
        ["a.S", "a_arm64.s", "x.cc"]
    );
    assert_eq!(without.imports.keys().collect::<Vec<_>>(), ["x"]);
}

#[test]
fn errors() {
    assert_eq!(error(&package(&[])), "no buildable Go source files in /d");
    assert!(
        package(&[("a_windows.go", "package p\n")])
            .error
            .unwrap()
            .is_no_go()
    );
    let two = package(&[("a.go", "package a\n"), ("b.go", "package b\n")]);
    assert_eq!(error(&two), "found packages a (a.go) and b (b.go) in /d");
    assert_eq!(two.files.invalid_go_files, ["b.go"]);
    assert_eq!(two.files.go_files, ["a.go", "b.go"]);
    let syntax = package(&[("a.go", "package p\nimport x\nimport y\n")]);
    assert_eq!(
        error(&syntax),
        "/d/a.go:2:9: missing import path (and 1 more errors)"
    );
    assert_eq!(
        (&syntax.name[..], &syntax.files.go_files[..]),
        ("p", &["a.go".to_owned()][..])
    );
    assert_eq!(
        error(&package(&[("a.go", "package p\nimport \"a b\"\n")])),
        "/d/a.go:2:8: invalid import path: a b"
    );
    assert_eq!(
        error(&package(&[("a.go", "//go:build a b\n\npackage p\n")])),
        "a.go: parsing //go:build line: unexpected token b"
    );
    assert_eq!(
        error(&package(&[("a_test.go", "package p\nimport \"C\"\n")])),
        "use of cgo in test /d/a_test.go not supported"
    );
    let comments = [
        ("a.go", "package p // import \"x\"\n"),
        ("b.go", "package p // import \"y\"\n"),
    ];
    assert_eq!(package(&comments).error, None);
    let mut gopath = context(true);
    gopath.import_comments = true;
    assert_eq!(
        error(&package_with(&comments, &gopath)),
        "found import comments \"x\" (a.go) and \"y\" (b.go) in /d"
    );
    assert_eq!(
        error(&package(&[("a.go", "package p\0\n")])),
        "read /d/a.go: unexpected NUL in input"
    );
}

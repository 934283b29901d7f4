use super::*;

fn facts(name: &str, text: &str) -> FileFacts {
    let mut facts = FileFacts {
        name: name.to_owned(),
        ..FileFacts::default()
    };
    assert!(scan_bytes(&mut facts, text.as_bytes(), true));
    facts
}

#[test]
fn constraints() {
    for (text, want) in [
        (
            "//go:build linux\n\npackage p\n",
            Constraint::GoBuild("//go:build linux".into()),
        ),
        (
            "// c\n//go:build linux\npackage p\n",
            Constraint::GoBuild("//go:build linux".into()),
        ),
        (
            "/* c */\n//go:build linux\npackage p\n",
            Constraint::GoBuild("//go:build linux".into()),
        ),
        ("/*\n//go:build linux\n*/\npackage p\n", Constraint::None),
        ("package p\n//go:build linux\n", Constraint::None),
        (
            "// +build a b\n// +build c\n\npackage p\n",
            Constraint::PlusBuild(vec!["// +build a b".into(), "// +build c".into()]),
        ),
        ("// +build a\npackage p\n", Constraint::None),
        ("/* c */\n\n// +build a\n\npackage p\n", Constraint::None),
        ("//go:buildx\n\npackage p\n", Constraint::None),
    ] {
        assert_eq!(facts("x.go", text).constraint, want, "{text:?}");
    }
    let twice = facts("x.go", "//go:build a\n//go:build b\n\npackage p\n");
    assert_eq!(
        twice.error,
        Some(FileError::Header("multiple //go:build comments".into()))
    );
    assert_eq!(
        facts("x.s", "//go:build arm\n\nTEXT x\n").constraint,
        Constraint::GoBuild("//go:build arm".into())
    );
}

#[test]
fn go_file() {
    let text = "//go:debug panicnil=1\n\n// Package p is. More.\npackage p // import \"x/p\"\n\nimport (\n\t\"embed\"\n\tq \"a/b\"\n)\n\n//go:embed x y\nvar f embed.FS\n";
    let facts = facts("x.go", text);
    assert_eq!(
        (facts.package_name.as_str(), facts.synopsis.as_str()),
        ("p", "Package p is.")
    );
    assert_eq!(facts.import_comment, Some((4, "\"x/p\"".into())));
    assert_eq!(
        facts.directives,
        [DirectiveFact {
            text: "//go:debug panicnil=1".into(),
            line: 1,
            column: 1
        }]
    );
    let imports: Vec<_> = facts
        .imports
        .iter()
        .map(|i| (i.path.as_str(), i.line, i.column))
        .collect();
    assert_eq!(imports, [("embed", 7, 2), ("a/b", 8, 2)]);
    let embeds: Vec<_> = facts
        .embeds
        .iter()
        .map(|e| (e.pattern.as_str(), e.line, e.column))
        .collect();
    assert_eq!(embeds, [("x", 11, 12), ("y", 11, 14)]);
}

#[test]
fn cgo_lines() {
    let text = "package p\n\n/*\n#cgo linux LDFLAGS: -lm\n#include <x.h>\n*/\nimport \"C\"\n\n// #cgo CFLAGS: -DX\nimport (\n\t\"C\"\n)\n";
    assert_eq!(
        facts("x.go", text).cgo_lines,
        ["#cgo linux LDFLAGS: -lm", "#cgo CFLAGS: -DX"]
    );
}

#[test]
fn wrong_files() {
    let broken = facts("x.go", "package p\nimport \"a\"\nimport x\n");
    assert_eq!(broken.package_name, "p");
    assert_eq!(broken.syntax_errors[0].message, "missing import path");
    assert_eq!(
        broken.imports[0].path, "a",
        "the module loader still sees it"
    );
    let invalid = facts("x.go", "package p\nimport \"a b\"\n");
    assert_eq!(
        invalid.syntax_errors,
        [SyntaxFact {
            line: 2,
            column: 8,
            message: "invalid import path: a b".into(),
            single: true
        }]
    );
    assert_eq!(
        facts("x.go", "package p\n\0").error,
        Some(FileError::Read("unexpected NUL in input".into()))
    );
    assert!(
        facts("x.go", "package p\nvar x = `\0`\n").error.is_none(),
        "only the header is looked at"
    );
}

#[test]
fn a_beginning_is_not_enough() {
    let mut facts = FileFacts {
        name: "x.go".to_owned(),
        ..FileFacts::default()
    };
    assert!(!scan_bytes(&mut facts, b"package p\nimport \"a\"\n", false));
    assert!(!scan_bytes(&mut facts, b"package p\nimport \"a", false));
    assert!(!scan_bytes(
        &mut facts,
        b"package p\nimport \"embed\"\nvar x int\n",
        false
    ));
    let mut facts = FileFacts {
        name: "x.go".to_owned(),
        ..FileFacts::default()
    };
    assert!(scan_bytes(
        &mut facts,
        b"package p\nimport \"a\"\nvar x int\n",
        false
    ));
    assert_eq!(facts.imports.len(), 1);
}

#[test]
fn byte_order_mark() {
    assert_eq!(facts("x.go", "\u{feff}package p\n").package_name, "p");
}

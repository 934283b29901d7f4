use super::*;

const MOD: &str = "// top\n\nmodule example.com/a // the module\n\ngo 1.21\n\nrequire (\n\t// why b\n\tb.com/b v1.2.0\n\n\tc.com/c v0.1.0 // indirect; why\n// end\n)\n\nreplace b.com/b => ../b\n\nexclude d.com/d v1.0.0\n\nretract [v1.0.0, v1.1.0] // bad\n";

fn parsed(text: &str) -> ModFile {
    ModFile::parse("go.mod", text, None).unwrap()
}

fn edited(text: &str, edit: impl FnOnce(&mut ModFile)) -> String {
    let mut file = parsed(text);
    edit(&mut file);
    file.cleanup();
    file.format()
}

fn require(path: &str, version: &str, indirect: bool) -> Require {
    Require {
        module: ModuleVersion::new(path, version),
        indirect,
    }
}

#[test]
fn standard_form_comes_back_as_it_was() {
    let file = parsed(MOD);
    assert_eq!(file.format(), MOD);
    assert_eq!(file.module.as_ref().unwrap().path, "example.com/a");
    assert!(file.require[1].indirect && !file.require[0].indirect);
    assert_eq!(
        (
            file.retract[0].low.as_str(),
            file.retract[0].rationale.as_str()
        ),
        ("v1.0.0", "bad")
    );
    assert_eq!(file.require[0].at.line, 9);
}

#[test]
fn other_forms_become_the_standard_form() {
    let text = "module   \"example.com/a\"\nrequire  ( \n  b.com/b   v1.2\r\n\n\n )\n\n\n\nreplace  a.com/x   => ./y //c\n";
    let expected =
        "module example.com/a\n\nrequire (\n\tb.com/b v1.2.0\n)\n\nreplace a.com/x => ./y //c\n";
    assert_eq!(parsed(text).format(), expected);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, expected) in [
        ("module a\nfoo bar\n", "go.mod:2: unknown directive: foo"),
        (
            "module a\nmodule b\n",
            "go.mod:2: repeated module statement",
        ),
        (
            "go 1.x\n",
            "go.mod:1: invalid go version '1.x': must match format 1.23.0",
        ),
        (
            "require a.com/b\n",
            "go.mod:1: usage: require module/path v1.2.3",
        ),
        (
            "require a.com/b x1\n",
            "go.mod:1: require a.com/b: version \"x1\" invalid: must be of the form v1.2.3",
        ),
        (
            "require a.com/b v2.0.0\n",
            "go.mod:1: require a.com/b: version \"v2.0.0\" invalid: should be v0 or v1, not v2",
        ),
        (
            "module a /* c */\n",
            "go.mod:1:10: mod files must use // comments (not /* */ comments)",
        ),
        (
            "require (\n\ta.com/b v1.0.0\n",
            "go.mod:3: syntax error (unterminated block started at go.mod:1:1)",
        ),
        ("foo (\n\tbar\n)\n", "go.mod:1: unknown block type: foo"),
        (
            "replace a.com/b => c.com/d\n",
            "go.mod:1: replacement module without version must be directory path (rooted or starting with . or ..)",
        ),
        ("module \"a\n", "go.mod:1:10: unexpected newline in string"),
    ] {
        assert_eq!(
            ModFile::parse("go.mod", text, None)
                .unwrap_err()
                .to_string(),
            expected,
            "{text:?}"
        );
    }
}

#[test]
fn dependencies_are_read_leniently() {
    let file = ModFile::parse_lax(
        "go.mod",
        "module a\ngo 1.99.x-later\nfoo bar\nreplace nonsense\nretract [v1, newform\n",
        None,
    )
    .unwrap();
    assert_eq!(file.go.unwrap().value, "1.99");
    assert!(file.replace.is_empty() && file.retract.is_empty());
}

#[test]
fn direct_and_indirect_requirements_are_parted() {
    let text =
        "module a\n\ngo 1.17\n\nrequire (\n\tb.com/b v1.0.0 // indirect\n\tc.com/c v1.0.0\n)\n";
    let wanted = [
        require("c.com/c", "v1.1.0", false),
        require("b.com/b", "v1.0.0", true),
        require("d.com/d", "v1.0.0", true),
    ];
    let expected = "module a\n\ngo 1.17\n\nrequire c.com/c v1.1.0\n\nrequire (\n\tb.com/b v1.0.0 // indirect\n\td.com/d v1.0.0 // indirect\n)\n";
    assert_eq!(
        edited(text, |file| file.set_require_separate_indirect(&wanted)),
        expected
    );
}

#[test]
fn commented_requirements_stay_where_they_are() {
    let text = "module a\n\nrequire (\n\t// kept\n\tb.com/b v1.0.0\n\tc.com/c v1.0.0\n)\n";
    let wanted = [
        require("b.com/b", "v1.0.0", true),
        require("c.com/c", "v1.0.0", false),
        require("e.com/e", "v1.0.0", false),
    ];
    let expected = "module a\n\nrequire (\n\t// kept\n\tb.com/b v1.0.0 // indirect\n\tc.com/c v1.0.0\n)\n\nrequire e.com/e v1.0.0\n";
    let printed = edited(text, |file| file.set_require_separate_indirect(&wanted));
    // One block without a comment before it is parted even if a line inside has one.
    assert!(printed.contains("// kept\n"), "{printed}");
    assert_eq!(
        printed.matches("b.com/b v1.0.0 // indirect").count(),
        1,
        "{printed}{expected}"
    );
}

#[test]
fn single_edits() {
    let replace = Replace {
        old: ModuleVersion::new("x.com/x", ""),
        new: ModuleVersion::new("../x", ""),
    };
    assert_eq!(
        edited("module a\n", |file| file.set_go("1.22").unwrap()),
        "module a\n\ngo 1.22\n"
    );
    assert_eq!(
        edited("module a\n\ngo 1.22\n", |file| file
            .set_toolchain("go1.22.1")
            .unwrap()),
        "module a\n\ngo 1.22\n\ntoolchain go1.22.1\n"
    );
    assert_eq!(
        edited("module a\n", |file| file.add_replace(&replace)),
        "module a\n\nreplace x.com/x => ../x\n"
    );
    assert_eq!(
        edited("module a\n\nrequire b.com/b v1.0.0\n", |file| file
            .add_require("c.com/c", "v1.0.0")),
        "module a\n\nrequire (\n\tb.com/b v1.0.0\n\tc.com/c v1.0.0\n)\n"
    );
    assert_eq!(
        edited(
            "module a\n\nrequire (\n\tb.com/b v1.0.0\n\tc.com/c v1.0.0\n)\n",
            |file| file.drop_require("b.com/b")
        ),
        "module a\n\nrequire c.com/c v1.0.0\n"
    );
    assert_eq!(
        edited("module a\n", |file| {
            file.add_tool("x.com/t/b");
            file.add_tool("x.com/t/a");
        }),
        "module a\n\ntool (\n\tx.com/t/a\n\tx.com/t/b\n)\n"
    );
    assert!(
        parsed("module a\n")
            .add_exclude("x.com/x", "v2.0.0")
            .unwrap_err()
            .to_string()
            .contains("should be v2.0.0+incompatible (or module x.com/x/v2)")
    );
}

#[test]
fn workspaces() {
    let text = "// top\n\ngo 1.22\n\nuse (\n\t./a\n\t./b\n)\n\nreplace x.com/x v1.0.0 => ./x\n";
    let mut file = WorkFile::parse("go.work", text, None).unwrap();
    assert_eq!(file.format(), text);
    file.drop_use("./a");
    file.add_use("./c", "");
    file.set_toolchain("go1.22.3").unwrap();
    file.cleanup();
    assert_eq!(
        file.format(),
        "// top\n\ngo 1.22\n\ntoolchain go1.22.3\n\nuse (\n\t./b\n\t./c\n)\n\nreplace x.com/x v1.0.0 => ./x\n"
    );
    let error = WorkFile::parse("go.work", "go 1.22\nuse\nrequire a v1\n", None)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "go.work:2: usage: use local/dir\ngo.work:3: unknown directive: require"
    );
}

#[test]
fn versions_of_retractions_lose_quotes_they_do_not_need() {
    let text = "module m\n\nretract [\"v1.8.1\", \"v1.8.2\"]\n\nretract \"v1.0.0\" // why\n";
    let file = ModFile::parse("go.mod", text, None).unwrap();
    let wanted = "module m\n\nretract [v1.8.1, v1.8.2]\n\nretract v1.0.0 // why\n";
    assert_eq!(file.format(), wanted);
}

#[test]
fn every_escape_that_printing_writes_can_be_read() {
    let text = "module \"a\u{7}\u{8}\u{b}\u{c}\u{1}\u{7f}b\u{85}\"\n";
    let printed = ModFile::parse("go.mod", text, None).unwrap().format();
    let again = ModFile::parse("go.mod", &printed, None).unwrap();
    assert_eq!(
        again.module.as_ref().unwrap().path,
        "a\u{7}\u{8}\u{b}\u{c}\u{1}\u{7f}b\u{85}"
    );
    assert_eq!(again.format(), printed);
}

#[test]
fn a_lone_bracket_keeps_its_quotes() {
    for text in ["module \"(\" // x\n", "retract \"[\"\n"] {
        let file = ModFile::parse("go.mod", text, None).unwrap();
        let printed = file.format();
        assert_eq!(printed, text);
        assert!(ModFile::parse("go.mod", &printed, None).is_ok());
    }
}

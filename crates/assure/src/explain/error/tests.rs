use super::*;
use steady_system::Files;

fn names(text: &str) -> Vec<&'static str> {
    let files = Files::new("/");
    let tree = Tree {
        files: &files,
        modules: None,
        go_files: Vec::new(),
        variable: &|_| (String::new(), "nowhere".to_owned()),
        programs: &Vec::new,
    };
    let found = recognise(text, &tree);
    found
        .into_iter()
        .map(|explanation| explanation.name)
        .collect()
}

#[test]
fn every_pattern_is_a_regular_expression_and_fills_its_texts() {
    for known in known() {
        let pattern =
            Regex::new(known.pattern).unwrap_or_else(|error| panic!("{}: {error}", known.name));
        let groups = pattern.captures_len();
        let looks = known.looks.iter().flat_map(|look| match look {
            Look::Sums(path, version) => vec![*path, *version],
            Look::GoMod(text) | Look::Vendor(text) => vec![*text],
            Look::Selected(text) | Look::Providers(text) => vec![*text],
            Look::Dir(text) | Look::Imports(text) => vec![*text],
            Look::Cached(one, other) | Look::Clause(one, other) | Look::Declared(one, other) => {
                vec![*one, *other]
            }
            Look::Conflicts | Look::Variables(_) | Look::Programs => Vec::new(),
        });
        let texts = known
            .fixes
            .iter()
            .flat_map(|(command, what)| [*command, *what]);
        for text in looks.chain(texts).chain([known.cause]) {
            for (at, _) in text.match_indices('$') {
                let group = text[at + 1..].chars().next().and_then(|c| c.to_digit(10));
                let group = group.unwrap_or_else(|| panic!("{}: {text}", known.name));
                assert!((group as usize) < groups, "{}: ${group}", known.name);
            }
        }
        assert!(!known.fixes.is_empty(), "{} has no way out", known.name);
    }
}

/// What go says, and the name that it is known by.
const SAYINGS: &[(&str, &str)] = &[
    (
        "verifying example.com/a@v1.0.0: checksum mismatch\n\tdownloaded: h1:x=\n\tgo.sum:     h1:y=\n\nSECURITY ERROR\n",
        "sum-mismatch",
    ),
    (
        "go: verifying example.com/a@v1.0.0/go.mod: checksum mismatch\n\tdownloaded: h1:x=\n\tsum.example.com: h1:y=\n",
        "sum-database-mismatch",
    ),
    (
        "a.go:3:8: missing go.sum entry for module providing package example.com/a (imported by m); to add:\n\tgo get m",
        "sum-missing",
    ),
    (
        "go: example.com/a@v1.0.0: missing go.sum entry for go.mod file; to add it:\n\tgo mod download example.com/a",
        "sum-missing",
    ),
    (
        "malformed go.sum:\n/x/go.sum:3: wrong number of fields 1",
        "sum-malformed",
    ),
    (
        "x.go:1:8: ambiguous import: found package a.com/x/y in multiple modules:\n\ta.com/x v1.0.0 (/m)\n",
        "ambiguous-import",
    ),
    (
        "go: inconsistent vendoring in /w:\n\texample.com/a@v1: is explicitly required in go.mod",
        "vendor-inconsistent",
    ),
    (
        "go: example.com/p@v1.0.0: reading https://proxy/p/@v/v1.0.0.info: 410 Gone",
        "gone",
    ),
    (
        "fatal: could not read Username for 'https://example.com': terminal prompts disabled",
        "credentials",
    ),
    (
        "go: example.com/a@v9.9.9: invalid version: unknown revision v9.9.9",
        "unknown-revision",
    ),
    (
        "go: example.com/a@v2.0.0: invalid version: module contains a go.mod file, so module path must match major version (\"example.com/a/v2\")",
        "major-version-path",
    ),
    (
        "go: a.com/fork@v1.0.0: parsing go.mod:\n\tmodule declares its path as: a.com/orig\n\t        but was required as: a.com/fork",
        "path-declared-otherwise",
    ),
    (
        "go: conflicting replacements found for example.com/a: ../x and ../y",
        "replace-conflict",
    ),
    (
        "go: example.com/c@v1: The go.mod file for the module providing named packages contains one or\n\tmore replace directives. It must not",
        "install-refused",
    ),
    (
        "go: go.mod file not found in current directory or any parent directory; see 'go help modules'",
        "no-go-mod",
    ),
    (
        "go: updates to go.mod needed; to update it:\n\tgo mod tidy",
        "updates-needed",
    ),
    (
        "a.go:3:8: no required module provides package example.com/x; to add it:\n\tgo get example.com/x",
        "no-required-module",
    ),
    (
        "a.go:3:8: module example.com/a@latest found (v1.0.0), but does not contain package example.com/a/b",
        "module-lacks-package",
    ),
    (
        "a.go:3:8: package foo/bar is not in std (/usr/lib/go/src/foo/bar)",
        "not-in-std",
    ),
    (
        "go: go.mod requires go >= 1.99 (running go 1.26.8; GOTOOLCHAIN=local)",
        "go-too-old",
    ),
    (
        "go: download go1.99 for linux/amd64: toolchain not available",
        "toolchain-not-available",
    ),
    (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "certificate",
    ),
    (
        "Get \"https://x\": dial tcp: lookup x: no such host",
        "unreachable",
    ),
    (
        "go: example.com/q@v1.0.0: reading https://proxy/q/@v/v1.0.0.mod: 404 Not Found",
        "not-found",
    ),
    (
        "package m\n\timports m/a\n\timports m: import cycle not allowed",
        "import-cycle",
    ),
    (
        "a.go:3:8: use of internal package x.com/a/internal/b not allowed",
        "internal",
    ),
    (
        "a.go:3:8: build constraints exclude all Go files in /x/y",
        "constraints-exclude-all",
    ),
    (
        "a.go:3:8: import \"x.com/cmd\" is a program, not an importable package",
        "import-of-program",
    ),
    (
        "runtime.main_main·f: function main is undeclared in the main package",
        "main-undeclared",
    ),
    ("package m/lib is not a main package", "not-main"),
    (
        "a.go:5:12: pattern x.txt: no matching files found",
        "embed-nothing",
    ),
    (
        "found packages a (a.go) and b (b.go) in /x",
        "several-packages",
    ),
    ("no Go files in /x", "no-go-files"),
    (
        "# runtime/cgo\ncgo: C compiler \"gcc\" not found: exec: \"gcc\": executable file not found in $PATH",
        "no-c-compiler",
    ),
    (
        "go: errors parsing go.mod:\ngo.mod:3:2: unknown directive: foo",
        "go-mod-syntax",
    ),
    ("write /tmp/x: no space left on device", "disk-full"),
    (
        "current directory is contained in a module that is not one of the workspace modules listed in go.work. You can add",
        "not-a-member",
    ),
    (
        "pattern ./...: directory prefix . does not contain modules listed in go.work or their selected dependencies",
        "no-packages-at-root",
    ),
    (
        "go: example.com/a@v1.2.0 requires example.com/b@v1.3.0, not example.com/b@v1.1.0",
        "version-conflict",
    ),
    (
        "a.go:2:8: b.test/b@v0.0.0: replacement directory ../b does not exist",
        "replacement-missing",
    ),
    (
        "go: b.test/b@v0.0.0 (replaced by ../b): reading ../b/go.mod: open /e/b/go.mod: no such file or directory",
        "replacement-missing",
    ),
    (
        "go: cannot load module gone listed in go.work file: open gone/go.mod: no such file or directory",
        "member-missing",
    ),
    (
        "go: module x listed in go.work file requires go >= 1.25, but go.work lists go 1.24; to update it:\n\tgo work use",
        "member-newer",
    ),
    (
        "c.go:2:8: cannot find module providing package a.com/b: import lookup disabled by -mod=vendor\n\t(Go version in go.mod is at least 1.14 and vendor directory exists.)",
        "lookup-disabled",
    ),
    (
        "go: can't compute 'all' using the vendor directory\n\t(Use -mod=mod or -mod=readonly to bypass.)",
        "lookup-disabled",
    ),
    (
        "a.go:3:8: module a.com/b provides package a.com/b/c and is replaced but not required; to add it:\n\tgo get a.com/b",
        "replaced-not-required",
    ),
    (
        "go: errors parsing go.mod:\ngo.mod:5: require a.com/y: version \"v2.0.0\" invalid: should be v0 or v1, not v2",
        "major-version-path",
    ),
    (
        "go: errors parsing go.mod:\ngo.mod:3: invalid go version '1.24.0.1': must match format 1.23.0",
        "go-line-form",
    ),
    (
        "go: errors parsing go.mod:\n/x/go.mod:5: unknown directive: toolchain",
        "directive-too-new",
    ),
    (
        "go: foo@v1: malformed module path \"foo\": missing dot in first path element",
        "module-path",
    ),
    (
        "go: a.com/b@v0.0.0-20200101000000-abcdefabcdef: invalid pseudo-version: does not match version-control timestamp",
        "pseudo-version",
    ),
    (
        "go: a.com/b@v1.0.0: -offline: would have fetched https://proxy/a.com/b/@v/v1.0.0.mod",
        "offline",
    ),
    (
        "go: a.com/b@v1.0.0: module lookup disabled by GOPROXY=off",
        "offline",
    ),
    ("go: -locked: go.mod would change:\n\t+ x", "locked"),
    ("m/x: no non-test Go files in /x", "only-tests"),
    ("stat /x/nodir: directory not found", "no-directory"),
    ("./a.go:4:23: undefined: helper", "undefined"),
    ("./a.go:2:8: \"os\" imported and not used", "unused"),
    ("./a.go:4:15: declared and not used: x", "unused"),
    (
        "a.go:3:8: case-insensitive import collision: \"a.com/f/sub\" and \"a.com/f/Sub\"",
        "case-collision",
    ),
    (
        "a.go:2:8: cannot find package \"a.com/x\" in any of:\n\t/go/src/a.com/x (from $GOROOT)",
        "gopath-mode",
    ),
    (
        "go: modules disabled by GO111MODULE=off; see 'go help modules'",
        "gopath-mode",
    ),
    (
        "go: build output \"cmd\" already exists and is a directory",
        "output-exists",
    ),
    (
        "compile: version \"go1.20\" does not match go tool version \"go1.21\"",
        "tool-version",
    ),
    ("go: cannot find GOROOT directory: /nowhere", "goroot"),
    (
        "fatal: detected dubious ownership in repository at '/src'\nTo add an exception",
        "dubious-ownership",
    ),
    (
        "error obtaining VCS status: exit status 128\n\tUse -buildvcs=false to disable VCS stamping.",
        "vcs-status",
    ),
    (
        "build cache is required, but could not be located: GOCACHE is not defined and neither $XDG_CACHE_HOME nor $HOME are defined",
        "no-home",
    ),
    (
        "go: could not create module cache: mkdir /go/pkg/mod: permission denied",
        "no-permission",
    ),
    (
        "example.com/big: /go/pkg/tool/compile: signal: killed",
        "killed",
    ),
    ("fork/exec /tmp/x: exec format error", "exec-format"),
    (
        "go: a.com/b@v1: git fetch -f origin in /c: exit status 128:\n\tgit@a.com: Permission denied (publickey).\n\tfatal: Could not read from remote repository.",
        "ssh-refused",
    ),
    (
        "go: a.com/b@v1: git ls-remote -q origin in /c: exit status 128:\n\tfatal: could not read Username for 'https://a.com': terminal prompts disabled",
        "credentials",
    ),
    (
        "go: a.com/b@v1: git ls-remote -q origin in /c: exit status 128:\n\tfatal: repository is broken",
        "git-failed",
    ),
    (
        "go: a.com/b@v1.0.0: reading https://proxy/a.com/b/@v/v1.0.0.mod: 403 Forbidden",
        "forbidden",
    ),
    (
        "a.go:3:8: package foo/bar is not in GOROOT (/usr/lib/go/src/foo/bar)",
        "not-in-std",
    ),
    (
        "go: a.com/c/cmd@v1.0.0 (in a.com/c@v1.0.0):\n\tThe go.mod file for the module providing named packages contains one or\n\tmore replace directives. It must not",
        "install-refused",
    ),
];

#[test]
fn what_the_go_command_says_is_recognised() {
    for (text, wanted) in SAYINGS {
        assert_eq!(names(text), [*wanted], "{text}");
    }
    let covered: std::collections::BTreeSet<&str> = SAYINGS.iter().map(|(_, name)| *name).collect();
    for known in known() {
        assert!(covered.contains(known.name), "{} is not tried", known.name);
    }
}

#[test]
fn several_errors_and_colours() {
    let text = "\u{1b}[31ma.go:3:8: no required module provides package e.com/x; to add it:\u{1b}[0m\n\tgo get e.com/x\n\
                b.go:3:8: no required module provides package e.com/x; to add it:\n\tno space left on device\n";
    assert_eq!(names(text), ["no-required-module", "disk-full"]);
    assert!(names("all is well\n").is_empty());
}

#[test]
fn equal_lines_of_several_files_are_told_once() {
    let temp = tempfile::tempdir().unwrap();
    let dir = camino::Utf8Path::from_path(temp.path()).unwrap();
    let files = Files::new(dir);
    let sums = b"e.com/a v1.0.0 h1:y=\ne.com/a v1.0.0/go.mod h1:m=\ne.com/a v1.1.0 h1:z=\n";
    let mut go_files = Vec::new();
    for name in ["a", "b"] {
        files.create_dir_all(dir.join(name)).unwrap();
        files
            .write(dir.join(name).join("go.sum"), sums, 0o666)
            .unwrap();
        go_files.push(dir.join(name).join("go.mod"));
    }
    let tree = Tree {
        files: &files,
        modules: None,
        go_files,
        variable: &|_| (String::new(), "nowhere".to_owned()),
        programs: &Vec::new,
    };
    let text =
        "verifying e.com/a@v1.0.0: checksum mismatch\n\tdownloaded: h1:x=\n\tgo.sum:     h1:y=\n";
    let found = recognise(text, &tree);
    let lines: Vec<String> = found[0]
        .evidence
        .iter()
        .filter(|trace| trace.place.contains("go.sum"))
        .map(|trace| format!("{} {}", trace.place, trace.text))
        .collect();
    assert_eq!(
        lines,
        [
            "a/go.sum:1, b/go.sum:1 e.com/a v1.0.0 h1:y=",
            "a/go.sum:2, b/go.sum:2 e.com/a v1.0.0/go.mod h1:m="
        ]
    );
}

#[test]
fn the_tree_is_shown_where_the_error_points_at_it() {
    let temp = tempfile::tempdir().unwrap();
    let dir = camino::Utf8Path::from_path(temp.path()).unwrap();
    let files = Files::new(dir);
    for (name, text) in [
        ("a.go", "package main\n\nfunc main() { helper() }\n"),
        (
            "b.go",
            "//go:build tools\n\npackage main\n\nfunc helper() {}\nfunc helpers() {}\n",
        ),
        ("c/README", "none\n"),
        ("d/x.go", "package x\n"),
        ("d/y.go", "package y\n"),
    ] {
        let path = dir.join(name);
        files.create_dir_all(path.parent().unwrap()).unwrap();
        files.write(path, text.as_bytes(), 0o666).unwrap();
    }
    let tree = Tree {
        files: &files,
        modules: None,
        go_files: Vec::new(),
        variable: &|_| (String::new(), "nowhere".to_owned()),
        programs: &|| {
            vec![Trace {
                place: "cmd/app".to_owned(),
                text: "a program".to_owned(),
            }]
        },
    };
    let shown = |text: &str| {
        let found = recognise(text, &tree);
        let traces = found[0].evidence.iter();
        let traces = traces.map(|trace| format!("{} {}", trace.place, trace.text));
        traces
            .filter(|trace| !trace.contains("decided by nowhere"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        shown("./a.go:3:15: undefined: helper"),
        ["a.go:3 func main() { helper() }", "b.go:5 func helper() {}"]
    );
    assert_eq!(
        shown(&format!("no Go files in {dir}/c")),
        ["c holds README"]
    );
    assert_eq!(
        shown(&format!("stat {dir}/c/no: directory not found")),
        ["c holds README"]
    );
    assert_eq!(
        shown(&format!("found packages x (x.go) and y (y.go) in {dir}/d")),
        ["d/x.go:1 package x", "d/y.go:1 package y"]
    );
    assert_eq!(
        shown("package m/lib is not a main package"),
        ["cmd/app a program"]
    );
    // No file of that name, no line of that number, no number at all.
    for text in ["x.go:1:1", "a.go:99:1", "a.go:x:1", "some words:1"] {
        assert_eq!(tree.source_line(text), None, "{text}");
    }
}

#[test]
fn texts_are_filled() {
    let pattern = Regex::new("a(b)?(c)").unwrap();
    let captures = pattern.captures("ac").unwrap();
    assert_eq!(expand("$2-$1 costs 3$", &captures), "c-… costs 3$");
}

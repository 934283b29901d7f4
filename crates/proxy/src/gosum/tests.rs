use super::*;
use camino::Utf8Path;

const A: &str = "h1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=";
const B: &str = "h1:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb=";

fn module(version: &str) -> ModuleVersion {
    ModuleVersion::new("m.test/m", version)
}

struct Scene {
    _dir: tempfile::TempDir,
    files: Files,
    sums: GoSum,
}

fn scene(main: &str, member: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(Utf8Path::from_path(dir.path()).unwrap());
    files.write("go.sum", main.as_bytes(), 0o644).unwrap();
    let mut names = SumFiles {
        main: Some("go.sum".into()),
        workspace: Vec::new(),
    };
    if !member.is_empty() {
        files.write("member.sum", member.as_bytes(), 0o644).unwrap();
        names.workspace.push("member.sum".into());
    }
    Scene {
        _dir: dir,
        files,
        sums: GoSum::new(names, false),
    }
}

#[test]
fn recorded_sums_are_known_and_others_refused() {
    let mut s = scene(
        &format!("m.test/m v1.0.0 {A}\nm.test/m v1.0.0/go.mod {B}\n"),
        "",
    );
    assert!(s.sums.have(&s.files, &module("v1.0.0")));
    assert!(!s.sums.have(&s.files, &module("v1.1.0")));
    assert!(matches!(
        s.sums.check(&s.files, &module("v1.0.0"), A).unwrap(),
        Verdict::Known
    ));
    let error = s
        .sums
        .check(&s.files, &module("v1.0.0/go.mod"), A)
        .err()
        .unwrap();
    assert!(error.is_security());
    let want = format!(
        "verifying m.test/m@v1.0.0/go.mod: checksum mismatch\n\tdownloaded: {A}\n\tgo.sum:     {B}\n\nSECURITY ERROR\n"
    );
    assert!(error.to_string().starts_with(&want), "{error}");
}

#[test]
fn new_sums_are_written_if_kept_and_others_additions_stay() {
    let mut s = scene(&format!("z.test/z v1.0.0 {A}\n"), "");
    assert!(matches!(
        s.sums.check(&s.files, &module("v1.10.0"), A).unwrap(),
        Verdict::Unknown
    ));
    assert_eq!(s.sums.add(&s.files, &module("v1.10.0"), A).unwrap(), None);
    s.sums.check(&s.files, &module("v1.9.0"), B).unwrap();
    s.sums.add(&s.files, &module("v1.9.0"), B).unwrap();
    s.sums.check(&s.files, &module("v1.8.0"), B).unwrap();
    s.sums.add(&s.files, &module("v1.8.0"), B).unwrap();
    let keep = HashSet::from([module("v1.10.0"), module("v1.9.0")]);
    assert!(!s.sums.is_dirty(&HashSet::new()));
    assert!(s.sums.is_dirty(&keep));
    s.files
        .write(
            "go.sum",
            format!("z.test/z v1.0.0 {A}\na.test/a v1.0.0 {B}\n").as_bytes(),
            0o644,
        )
        .unwrap();
    s.sums.write(&s.files, &keep).unwrap();
    let want = format!(
        "a.test/a v1.0.0 {B}\nm.test/m v1.9.0 {B}\nm.test/m v1.10.0 {A}\nz.test/z v1.0.0 {A}\n"
    );
    assert_eq!(s.files.read_to_string("go.sum").unwrap(), want);
    assert!(!s.sums.is_dirty(&keep));
}

#[test]
fn trimming_removes_what_is_not_kept() {
    let mut s = scene(&format!("m.test/m v1.0.0 {A}\nz.test/z v1.0.0 {A}\n"), "");
    let keep = HashSet::from([module("v1.0.0")]);
    s.sums.trim(&s.files, &keep).unwrap();
    let (before, after) = s.sums.tidy(&s.files, &keep).unwrap();
    assert_ne!(before, after);
    assert_eq!(after, format!("m.test/m v1.0.0 {A}\n").into_bytes());
    s.sums.write(&s.files, &keep).unwrap();
    assert_eq!(s.files.read("go.sum").unwrap(), after);
}

#[test]
fn members_sums_count_and_are_not_repeated() {
    let mut s = scene("", &format!("m.test/m v1.0.0 {A}\n"));
    assert!(matches!(
        s.sums.check(&s.files, &module("v1.0.0"), A).unwrap(),
        Verdict::Known
    ));
    assert_eq!(
        s.sums.recorded(&s.files, &module("v1.0.0")).as_deref(),
        Some(A)
    );
    let text = s
        .sums
        .check(&s.files, &module("v1.0.0"), B)
        .err()
        .unwrap()
        .to_string();
    assert!(text.contains(&format!("\n\tmember.sum:     {A}")), "{text}");
    assert!(!s.sums.is_dirty(&HashSet::from([module("v1.0.0")])));
}

#[test]
fn unknown_kinds_are_kept_with_a_warning_and_conflicts_give_no_sum() {
    let mut s = scene(
        &format!("m.test/m v1.0.0 h9:x\nz.test/z v1.0.0 {A}\nz.test/z v1.0.0 {B}\n"),
        "",
    );
    assert!(!s.sums.have(&s.files, &module("v1.0.0")));
    let warning = s.sums.add(&s.files, &module("v1.0.0"), A).unwrap().unwrap();
    assert!(warning.starts_with(&format!(
        "warning: verifying m.test/m@v1.0.0: unknown hashes in go.sum: h9:x; adding {A}"
    )));
    assert_eq!(
        s.sums
            .recorded(&s.files, &ModuleVersion::new("z.test/z", "v1.0.0")),
        None
    );
}

#[test]
fn malformed_lines_are_refused_or_passed_over() {
    let mut s = scene("m.test/m v1.0.0\n", "");
    let text = s
        .sums
        .check(&s.files, &module("v1.0.0"), A)
        .err()
        .unwrap()
        .to_string();
    assert_eq!(
        text,
        "malformed go.sum:\ngo.sum:1: wrong number of fields 2"
    );
    s.sums.lenient = true;
    assert!(s.sums.check(&s.files, &module("v1.0.0"), A).is_ok());
}

#[test]
fn without_a_file_nothing_is_known_or_written() {
    let mut sums = GoSum::new(SumFiles::default(), false);
    let files = Files::new("/");
    assert!(matches!(
        sums.check(&files, &module("v1.0.0"), A).unwrap(),
        Verdict::Unknown
    ));
    assert!(!sums.is_dirty(&HashSet::from([module("v1.0.0")])));
}

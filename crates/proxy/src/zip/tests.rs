use super::*;
use crate::Result;
use camino::Utf8Path;
use std::fs::File;
use std::io::Write;
use steady_module::ModuleVersion;
use steady_system::{FileKind, Files};

fn module() -> ModuleVersion {
    ModuleVersion::new("example.com/m", "v1.0.0")
}

fn source(path: &str, text: &str) -> SourceFile {
    let content = Content::Bytes(text.as_bytes().to_vec());
    SourceFile {
        path: path.into(),
        kind: FileKind::File,
        size: text.len() as u64,
        content,
    }
}

fn scratch() -> (tempfile::TempDir, Files) {
    let dir = tempfile::tempdir().unwrap();
    let files = Files::new(Utf8Path::from_path(dir.path()).unwrap());
    (dir, files)
}

/// An archive with stored entries of any names and declared sizes.
pub(crate) fn hostile(entries: &[(&str, &[u8], Option<u32>)]) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, bytes, declared) in entries {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let size = bytes.len() as u32;
        let mut middle = vec![20, 0, 0, 8, 0, 0, 0, 0, 0, 0];
        middle.extend(crc.sum().to_le_bytes());
        middle.extend(size.to_le_bytes());
        middle.extend(declared.unwrap_or(size).to_le_bytes());
        middle.extend((name.len() as u16).to_le_bytes());
        middle.extend([0, 0]);
        central.extend(b"PK\x01\x02\x14\x00");
        central.extend(&middle);
        central.extend([0; 10]);
        central.extend((out.len() as u32).to_le_bytes());
        central.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&middle);
        out.extend(name.as_bytes());
        out.extend(*bytes);
    }
    let start = out.len() as u32;
    out.extend(&central);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((entries.len() as u16).to_le_bytes());
    out.extend((central.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn archive(files: &Files, bytes: &[u8]) -> std::io::Result<Archive> {
    files.write("m.zip", bytes, 0o644).unwrap();
    Archive::open(files.open("m.zip").unwrap())
}

fn unpack<'a>(
    files: &Files,
    archive: &'a Archive,
    threads: usize,
) -> Result<Vec<(&'a str, [u8; 32])>> {
    let prefix = format!("{}/", module());
    let target = Some((files, Utf8Path::new("out")));
    Unpack {
        archive,
        prefix: &prefix,
        target,
        twin: None,
        buffers: &Buffers::default(),
        threads,
        progress: &|_, _| {},
    }
    .run()
}

fn refusals(names: &[&str]) -> Vec<String> {
    let (_dir, files) = scratch();
    let full: Vec<String> = names
        .iter()
        .map(|name| format!("{}/{name}", module()))
        .collect();
    let entries: Vec<_> = full
        .iter()
        .map(|name| (name.as_str(), &b"x"[..], None))
        .collect();
    let archive = archive(&files, &hostile(&entries)).unwrap();
    check_zip(&module(), &archive, 100)
        .unwrap()
        .invalid
        .into_iter()
        .map(|error| error.reason)
        .collect()
}

#[test]
fn made_zips_can_be_read_and_unpacked() {
    let (_dir, files) = scratch();
    let list = [
        source("go.mod", "module example.com/m\n"),
        source("a/b.go", "package a\n"),
        source("a/empty", ""),
    ];
    let mut bytes = Vec::new();
    create(&mut bytes, &module(), &list).unwrap();
    let archive = archive(&files, &bytes).unwrap();
    let checked = check_zip(&module(), &archive, bytes.len() as u64).unwrap();
    assert!(checked.error().is_none());
    let sum = hash1(unpack(&files, &archive, 4).unwrap()).unwrap();
    // What sha256sum says over the same three files, hashed again.
    assert_eq!(sum, "h1:tKhCw13G/fFpoHewIf4axtnBYDuwIwsU9D5E4iI3N9E=");
    assert_eq!(files.read("out/a/b.go").unwrap(), b"package a\n");
    assert_eq!(files.stat("out/a/b.go").unwrap().mode & 0o777, 0o444);
}

#[test]
fn a_directory_is_held_against_its_archive() {
    let (_dir, files) = scratch();
    // Larger than what is held in memory at once, and not a multiple of it.
    let large = "package a\n".repeat(200_001);
    let list = [
        source("go.mod", "module example.com/m\n"),
        source("a/b.go", &large),
        source("a/empty", ""),
    ];
    let mut bytes = Vec::new();
    create(&mut bytes, &module(), &list).unwrap();
    let archive = archive(&files, &bytes).unwrap();
    unpack(&files, &archive, 1).unwrap();
    let same = || {
        let twin = Twin::new(&files, Utf8Path::new("out"));
        let pass = Unpack {
            archive: &archive,
            prefix: &format!("{}/", module()),
            target: None,
            twin: Some(&twin),
            buffers: &Buffers::default(),
            threads: 2,
            progress: &|_, _| {},
        };
        pass.run().unwrap();
        twin.same()
    };
    assert_eq!(same(), 3);
    let edits: [(&str, String); 5] = [
        ("out/go.mod", "module example.com/n\n".into()),
        ("out/a/b.go", large[1..].into()),
        ("out/a/b.go", format!("{large}x")),
        ("out/a/b.go", large.replacen('p', "q", 1)),
        ("out/a/empty", "x".into()),
    ];
    for (name, text) in edits {
        let old = files.read(name).unwrap();
        files.remove_file(name).unwrap();
        assert_eq!(same(), 2, "{name} is missing");
        files.write(name, text.as_bytes(), 0o644).unwrap();
        assert_eq!(same(), 2, "{name} was edited");
        files.write(name, &old, 0o644).unwrap();
        assert_eq!(same(), 3);
    }
}

#[test]
fn more_entries_than_16_bits_count() {
    let (_dir, files) = scratch();
    let list: Vec<SourceFile> = (0..66_000).map(|i| source(&format!("f{i}"), "")).collect();
    let mut bytes = Vec::new();
    create(&mut bytes, &module(), &list).unwrap();
    assert_eq!(archive(&files, &bytes).unwrap().entries().len(), 66_000);
}

#[test]
fn names_that_may_not_be() {
    assert_eq!(
        refusals(&["../x"]),
        ["malformed file path \"../x\": invalid path element \"..\""]
    );
    assert_eq!(refusals(&["a//b"]), ["file path is not clean"]);
    assert_eq!(refusals(&["a/../../x"]), ["file path is not clean"]);
    assert!(refusals(&["/etc/x"])[0].contains("malformed file path"));
    assert!(refusals(&["a\\b"])[0].contains("invalid char"));
    assert!(refusals(&["aux.go"])[0].contains("disallowed as path element"));
    assert_eq!(
        refusals(&["a", "A"]),
        ["case-insensitive file name collision: \"a\" and \"A\""]
    );
    assert_eq!(
        refusals(&["D/x", "d/y"]),
        ["case-insensitive file name collision: \"D\" and \"d\""]
    );
    assert_eq!(refusals(&["a", "a"]), ["multiple entries for file \"a\""]);
    assert_eq!(
        refusals(&["a", "a/b"]),
        ["entry \"a\" is both a file and a directory"]
    );
    assert_eq!(
        refusals(&["d/go.mod"]),
        ["go.mod file not in module root directory"]
    );
    assert_eq!(
        refusals(&["GO.MOD"]),
        ["go.mod files must have lowercase names"]
    );
    assert!(refusals(&["go.mod", "d/", "d/a", "straße"]).is_empty());
}

#[test]
fn a_foreign_prefix_is_refused() {
    let (_dir, files) = scratch();
    let archive = archive(&files, &hostile(&[("/etc/passwd", b"x", None)])).unwrap();
    let checked = check_zip(&module(), &archive, 100).unwrap();
    assert_eq!(
        checked.error().unwrap().to_string(),
        "/etc/passwd: path does not have prefix \"example.com/m@v1.0.0/\""
    );
}

#[test]
fn bombs_are_refused_by_their_claims_and_caught_when_they_lie() {
    let (_dir, files) = scratch();
    let name = |i: usize| format!("{}/f{i}", module());
    let names: Vec<String> = (0..3).map(name).collect();
    let claims: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..], Some(200 << 20)))
        .collect();
    let big = archive(&files, &hostile(&claims)).unwrap();
    let text = "total uncompressed size of module contents too large (max size is 524288000 bytes)";
    assert_eq!(
        check_zip(&module(), &big, 100)
            .unwrap()
            .error()
            .unwrap()
            .to_string(),
        text
    );
    let liar = archive(&files, &hostile(&[(&names[0], &[b'x'; 5000], Some(10))])).unwrap();
    let error = unpack(&files, &liar, 1).unwrap_err().to_string();
    assert!(
        error.contains("is larger than declared size (10 bytes)"),
        "{error}"
    );
    let too_large = check_zip(&module(), &liar, MAX_ZIP_FILE + 1)
        .unwrap()
        .error()
        .unwrap()
        .to_string();
    assert!(
        too_large.starts_with("module zip file is too large (524288001 bytes"),
        "{too_large}"
    );
}

#[test]
fn damage_is_found() {
    let (_dir, files) = scratch();
    let mut bytes = Vec::new();
    create(&mut bytes, &module(), &[source("a", &"text ".repeat(100))]).unwrap();
    for (at, what) in [
        (60, "flate: corrupt input|zip: checksum error|unexpected"),
        (bytes.len() - 10, "zip"),
    ] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let error = match archive(&files, &damaged) {
            Ok(archive) => unpack(&files, &archive, 1).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(
            what.split('|').any(|part| error.contains(part)),
            "{at}: {error}"
        );
        files.remove_all("out").unwrap();
    }
    for cut in [0, 3, 30, bytes.len() - 1] {
        assert!(archive(&files, &bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn directories_leave_out_what_is_not_theirs() {
    let (_dir, files) = scratch();
    for dir in ["m/.git", "m/sub", "m/vendor/x", "m/a"] {
        files.create_dir_all(dir).unwrap();
    }
    let texts = [
        ("go.mod", "module example.com/m\n\ngo 1.24\n"),
        ("sub/go.mod", "module s"),
        ("vendor/modules.txt", ""),
    ];
    for (name, text) in texts.into_iter().chain([
        ("vendor/x/x.go", ""),
        (".git/config", ""),
        ("a/a.go", "package a"),
    ]) {
        files
            .write(Utf8Path::new("m").join(name), text.as_bytes(), 0o644)
            .unwrap();
    }
    files.symlink("a.go", "m/a/link.go").unwrap();
    let mut out = Vec::new();
    create_from_dir(&mut out, &module(), &files, Utf8Path::new("m")).unwrap();
    let archive = archive(&files, &out).unwrap();
    let names: Vec<&str> = archive.entries().iter().map(|entry| &*entry.name).collect();
    assert_eq!(
        names,
        ["example.com/m@v1.0.0/a/a.go", "example.com/m@v1.0.0/go.mod"]
    );
}

#[test]
fn files_for_a_zip_are_judged() {
    let mut list = vec![
        source("go.mod", "module m"),
        source("sub/go.mod", ""),
        source("sub/x.go", ""),
        source("vendor/a/b.go", ""),
    ];
    list.push(SourceFile {
        kind: FileKind::Symlink,
        ..source("link", "")
    });
    list.push(source("GO.mod", ""));
    list.push(source("big", ""));
    list.last_mut().unwrap().size = MAX_ZIP_FILE + 1;
    let checked = check_files(&list);
    let told = |list: &[FileError]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let omitted = [
        "sub/go.mod: file is in another module",
        "sub/x.go: file is in another module",
        "vendor/a/b.go: file is in vendor directory",
        "link: file is a symbolic link",
    ];
    assert_eq!(told(&checked.omitted), omitted);
    assert_eq!(
        told(&checked.invalid),
        ["GO.mod: go.mod files must have lowercase names"]
    );
    assert_eq!(
        checked.size_error.unwrap(),
        "module source tree too large (max size is 524288000 bytes)"
    );
}

#[test]
fn text_before_the_archive_does_no_harm() {
    let (_dir, files) = scratch();
    let name = format!("{}/a", module());
    let plain = hostile(&[(&name, b"hello", None)]);
    let mut file: File = files.create("m.zip", 0o644).unwrap();
    file.write_all(b"#!/bin/sh\n").unwrap();
    file.write_all(&plain).unwrap();
    let archive = Archive::open(files.open("m.zip").unwrap()).unwrap();
    assert_eq!(archive.read(&archive.entries()[0]).unwrap(), b"hello");
}

//! Dependencies run one way: docs/architecture.md's table is held against the crates as they are.

#![allow(clippy::disallowed_methods, missing_docs)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// Crate to what it may use, from the table's rows `| crate | inside | may use |`.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, name, _, may, _] = cells[..] else {
            continue;
        };
        let Some(name) = name
            .strip_prefix('`')
            .and_then(|name| name.strip_suffix('`'))
        else {
            continue;
        };
        let may: BTreeSet<String> = match may {
            "all" => rows.keys().cloned().collect(),
            "-" => BTreeSet::new(),
            list => list.split(", ").map(str::to_string).collect(),
        };
        rows.insert(name.to_string(), may);
    }
    rows
}

#[test]
fn dependencies_run_one_way() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let table = table();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(
        packages.len(),
        table.len(),
        "each crate has a row, and each row a crate"
    );
    for package in packages {
        let name = package["name"]
            .as_str()
            .unwrap()
            .strip_prefix("steady-")
            .unwrap();
        let may = table
            .get(name)
            .unwrap_or_else(|| panic!("docs/architecture.md has no row for {name}"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let Some(used) = dependency["name"].as_str().unwrap().strip_prefix("steady-") else {
                continue;
            };
            assert!(
                may.contains(used),
                "{name} uses {used}, which docs/architecture.md does not allow"
            );
        }
    }
}

#[test]
fn crate_folders_are_named_like_their_crates() {
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let dir = entry.unwrap();
        let manifest = std::fs::read_to_string(dir.path().join("Cargo.toml")).unwrap();
        let name = format!("name = \"steady-{}\"", dir.file_name().to_str().unwrap());
        assert!(
            manifest.contains(&name),
            "{}: no {name}",
            dir.path().display()
        );
    }
}

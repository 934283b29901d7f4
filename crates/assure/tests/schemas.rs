//! Bills of materials have the form that the official schemas ask for, whatever is in them.

#![allow(clippy::disallowed_methods)] // tests stand outside of the session

use boon::{Compiler, SchemaIndex, Schemas};
use camino::Utf8Path;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use steady_assure::freeze::bom::{Bom, Component, Kind, Lookup};
use steady_assure::freeze::{cyclonedx, spdx};
use steady_build::buildinfo::BuildInfo;
use steady_module::ModuleVersion;
use steady_proxy::{Config, Fetcher, Silent};
use steady_system::{Environment, Files};

const CYCLONEDX: &str = "http://cyclonedx.org/schema/";
const SPDX: &str = "http://spdx.org/rdf/terms/2.3";

fn schema(id: &str) -> (Schemas, SchemaIndex) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let mut compiler = Compiler::new();
    compiler.enable_format_assertions();
    for file in std::fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            let id = schema["$id"].as_str().unwrap().to_owned();
            compiler.add_resource(&id, schema).unwrap();
        }
    }
    let mut schemas = Schemas::new();
    let index = compiler.compile(id, &mut schemas).unwrap();
    (schemas, index)
}

fn component(kind: Kind, path: &str, version: &str) -> Component {
    Component {
        version: version.to_owned(),
        ..Component::bare(kind, path)
    }
}

/// Bills with everything that can be in them, and with next to nothing.
fn bills() -> Vec<Bom> {
    let mut dep = component(
        Kind::Module,
        "example.com/Dep/v2",
        "v2.0.1-0.20240102030405-abcdefabcdef",
    );
    dep.sum = "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=".to_owned();
    dep.licence = Some("BSD-3-Clause");
    let mut fork = component(Kind::Module, "example.com/fork", "v1.0.0+incompatible");
    fork.replaces = Some(ModuleVersion::new("example.com/old", "v1.1.0"));
    let mut local = component(Kind::Module, "example.com/local~tilde", "");
    local.replaces = Some(ModuleVersion::new("example.com/local", ""));
    let subject = component(Kind::Subject, "example.com/app", "");
    let needs: BTreeSet<String> = [dep.purl(), fork.purl()].into();
    let full = Bom {
        name: "app".to_owned(),
        needs: BTreeMap::from([(subject.purl(), needs)]),
        components: vec![
            subject,
            component(Kind::Member, "example.com/app/tools", ""),
            dep,
            fork,
            local,
            component(Kind::Standard, "std", "1.26.8"),
        ],
        sha256: "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f".to_owned(),
        created: Some("2023-11-14T22:13:20Z".to_owned()),
        tool: "0.1.0".to_owned(),
        settings: vec![
            ("-trimpath".to_owned(), "true".to_owned()),
            ("CGO_CFLAGS".to_owned(), String::new()),
        ],
    };
    let bare = Bom {
        name: "example.com/app".to_owned(),
        components: vec![component(Kind::Subject, "example.com/app", "")],
        needs: BTreeMap::new(),
        sha256: String::new(),
        created: None,
        tool: "0.1.0".to_owned(),
        settings: Vec::new(),
    };
    vec![full, bare, of_a_program()]
}

/// What a program says of itself: with a member of its workspace, a directory and another module in the place of modules.
fn of_a_program() -> Bom {
    let text = "path\texample.com/app/cmd\n\
        mod\texample.com/app\tv1.2.1-0.20240102030405-abcdefabcdef+dirty\t\n\
        dep\texample.com/member\t(devel)\t\n\
        dep\texample.com/local\tv1.0.0\n\
        =>\t../local\t(devel)\t\n\
        dep\texample.com/old\tv1.1.0\n\
        =>\texample.com/fork\tv1.0.0\th1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=\n\
        build\t-trimpath=true\n\
        build\tvcs.time=2024-01-02T03:04:05Z\n";
    let temp = tempfile::tempdir().unwrap();
    let files = Files::new(Utf8Path::from_path(temp.path()).unwrap());
    let fetcher = Fetcher::new(
        Config::default(),
        Environment::empty("/"),
        files.clone(),
        Arc::new(Silent),
    );
    let lookup = Lookup {
        fetcher: &fetcher,
        files: &files,
        go_version: "1.26.8".to_owned(),
        tool: "0.1.0".to_owned(),
        created: None,
    };
    let bom = lookup.of_program("app", b"program", &BuildInfo::parse(text).unwrap());
    let urls: Vec<String> = bom.components.iter().map(Component::purl).collect();
    assert_eq!(
        urls,
        [
            "pkg:golang/example.com/app@v1.2.1-0.20240102030405-abcdefabcdef%2Bdirty",
            "pkg:golang/example.com/fork@v1.0.0",
            "pkg:golang/example.com/local",
            "pkg:golang/example.com/member",
            "pkg:golang/std@1.26.8",
        ]
    );
    bom
}

fn holds(id: &str, document: &dyn Fn(&Bom) -> Value, required: &str) {
    let (schemas, index) = schema(id);
    for bom in bills() {
        let mut document = document(&bom);
        if let Err(error) = schemas.validate(&document, index) {
            panic!("{error:#}\n{document:#}");
        }
        // The schema is one that minds.
        document.as_object_mut().unwrap().remove(required);
        assert!(schemas.validate(&document, index).is_err());
    }
}

#[test]
fn cyclonedx_1_6() {
    let id = format!("{CYCLONEDX}bom-1.6.schema.json");
    holds(&id, &|bom| cyclonedx::document(bom, "1.6"), "specVersion");
}

#[test]
fn cyclonedx_1_5() {
    let id = format!("{CYCLONEDX}bom-1.5.schema.json");
    holds(&id, &|bom| cyclonedx::document(bom, "1.5"), "specVersion");
}

#[test]
fn spdx_2_3() {
    holds(SPDX, &spdx::document, "SPDXID");
}

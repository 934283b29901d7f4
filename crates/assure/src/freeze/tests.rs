//! What the schemas of CycloneDX 1.5 and 1.6 and of SPDX 2.3 ask of the parts that are written here: required fields, enumerations,
//! patterns, references that lead somewhere. `tests/schemas.rs` holds the same kind of bills against the schemas themselves.

use super::bom::{Bom, Component, Kind};
use super::{cyclonedx, spdx, timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use steady_module::ModuleVersion;

fn component(kind: Kind, path: &str, version: &str) -> Component {
    Component {
        version: version.to_owned(),
        ..Component::bare(kind, path)
    }
}

fn bom() -> Bom {
    let mut dep = component(Kind::Module, "m.test/dep_x", "v1.0.0+incompatible");
    dep.sum = "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=".to_owned();
    dep.licence = Some("MIT");
    let mut local = component(Kind::Module, "m.test/dep-x", "v1.0.0+incompatible");
    local.replaces = Some(ModuleVersion::new("m.test/old", "v1.1.0"));
    let subject = component(Kind::Subject, "m.test/app", "");
    let std = component(Kind::Standard, "std", "1.26.8");
    let needs = BTreeSet::from([dep.purl(), local.purl(), std.purl()]);
    Bom {
        name: "app".to_owned(),
        needs: BTreeMap::from([(subject.purl(), needs)]),
        components: vec![subject, dep, local, std],
        sha256: "ab".repeat(32),
        created: Some(timestamp(1_700_000_000)),
        tool: "0.1.0".to_owned(),
        settings: vec![("-trimpath".to_owned(), "true".to_owned())],
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} is missing: {value}"))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn only(value: &Value, names: &[&str]) {
    for name in value.as_object().unwrap().keys() {
        assert!(names.contains(&name.as_str()), "{name}: {value}");
    }
}

fn is_uuid_urn(text: &str) {
    let hex = text.strip_prefix("urn:uuid:").unwrap();
    let lengths: Vec<usize> = hex.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert!(
        hex.bytes()
            .all(|b| b == b'-' || b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    );
}

fn check_component(value: &Value) {
    only(
        value,
        &[
            "type",
            "bom-ref",
            "name",
            "version",
            "scope",
            "hashes",
            "licenses",
            "purl",
            "properties",
        ],
    );
    assert!(["application", "library"].contains(&text(value, "type")));
    assert!(!text(value, "name").is_empty());
    assert!(value["scope"].is_null() || value["scope"] == "required");
    for hash in list(value, "hashes") {
        assert_eq!(hash["alg"], "SHA-256");
        assert_eq!(text(hash, "content").len(), 64);
    }
    for licence in list(value, "licenses") {
        assert!(!text(&licence["license"], "id").is_empty());
    }
    for property in list(value, "properties") {
        only(property, &["name", "value"]);
        text(property, "value");
    }
}

#[test]
fn cyclonedx_has_what_its_schema_asks_for() {
    for version in ["1.5", "1.6"] {
        let document = cyclonedx::document(&bom(), version);
        only(
            &document,
            &[
                "$schema",
                "bomFormat",
                "specVersion",
                "serialNumber",
                "version",
                "metadata",
                "components",
                "dependencies",
            ],
        );
        assert_eq!(document["bomFormat"], "CycloneDX");
        assert_eq!(document["specVersion"], version);
        assert!(document["version"].as_u64() >= Some(1));
        is_uuid_urn(text(&document, "serialNumber"));
        only(&document["metadata"], &["timestamp", "tools", "component"]);
        let mut references = HashSet::new();
        let components = list(&document, "components").iter();
        for component in components.chain([&document["metadata"]["component"]]) {
            check_component(component);
            assert!(references.insert(text(component, "bom-ref").to_owned()));
        }
        assert_eq!(references.len(), 4);
        let mut seen = HashSet::new();
        for dependency in list(&document, "dependencies") {
            only(dependency, &["ref", "dependsOn"]);
            assert!(references.contains(text(dependency, "ref")));
            assert!(seen.insert(text(dependency, "ref").to_owned()));
            for other in list(dependency, "dependsOn") {
                assert!(references.contains(other.as_str().unwrap()), "{other}");
            }
        }
        assert_eq!(document, cyclonedx::document(&bom(), version));
    }
}

#[test]
fn spdx_has_what_its_schema_asks_for() {
    let document = spdx::document(&bom());
    only(
        &document,
        &[
            "spdxVersion",
            "dataLicense",
            "SPDXID",
            "name",
            "documentNamespace",
            "creationInfo",
            "packages",
            "relationships",
        ],
    );
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    assert_eq!(document["dataLicense"], "CC0-1.0");
    assert_eq!(document["SPDXID"], "SPDXRef-DOCUMENT");
    assert_eq!(document["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    assert_eq!(
        document["creationInfo"]["creators"][0],
        "Tool: steady-0.1.0"
    );
    is_uuid_urn(text(&document, "documentNamespace"));
    let mut ids = HashSet::from(["SPDXRef-DOCUMENT".to_owned()]);
    for package in list(&document, "packages") {
        let id = text(package, "SPDXID");
        let rest = id.strip_prefix("SPDXRef-").unwrap();
        assert!(
            rest.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-'),
            "{id}"
        );
        assert!(ids.insert(id.to_owned()), "{id} is there twice");
        for name in [
            "name",
            "downloadLocation",
            "licenseConcluded",
            "licenseDeclared",
            "copyrightText",
        ] {
            assert!(!text(package, name).is_empty());
        }
        assert_eq!(package["filesAnalyzed"], false);
        assert!(["APPLICATION", "LIBRARY"].contains(&text(package, "primaryPackagePurpose")));
        for reference in list(package, "externalRefs") {
            only(
                reference,
                &["referenceCategory", "referenceType", "referenceLocator"],
            );
            assert!(["PACKAGE-MANAGER", "OTHER"].contains(&text(reference, "referenceCategory")));
            assert!(!text(reference, "referenceLocator").contains(' '));
        }
        for checksum in list(package, "checksums") {
            assert_eq!(checksum["algorithm"], "SHA256");
        }
    }
    assert_eq!(ids.len(), 5);
    for relationship in list(&document, "relationships") {
        assert!(ids.contains(text(relationship, "spdxElementId")));
        assert!(ids.contains(text(relationship, "relatedSpdxElement")));
        assert!(["DESCRIBES", "DEPENDS_ON"].contains(&text(relationship, "relationshipType")));
    }
    assert_eq!(list(&document, "relationships").len(), 4);
}

//! A bill of materials as SPDX 2.3 JSON.
//!
//! Go's `h1:` sums are no checksums of a file, so they stand as external references of the category OTHER and the type `h1`. What is
//! not known is NOASSERTION. The format asks for a time: that of the commit or of `SOURCE_DATE_EPOCH`, or the beginning of time.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};

use super::bom::{Bom, Component};

const UNKNOWN: &str = "NOASSERTION";

/// The document.
#[must_use]
pub fn document(bom: &Bom) -> Value {
    let ids = ids(bom);
    let packages: Vec<Value> = bom
        .components
        .iter()
        .enumerate()
        .map(|(at, component)| package(bom, component, at == 0, &ids[&component.purl()]))
        .collect();
    let mut relationships = Vec::new();
    if let Some(subject) = bom.components.first() {
        relationships.push(relationship(
            "SPDXRef-DOCUMENT",
            "DESCRIBES",
            &ids[&subject.purl()],
        ));
    }
    for (purl, needs) in &bom.needs {
        for other in needs {
            if let (Some(from), Some(to)) = (ids.get(purl), ids.get(other)) {
                relationships.push(relationship(from, "DEPENDS_ON", to));
            }
        }
    }
    let created = bom.created.clone().unwrap_or_else(|| super::timestamp(0));
    let mut document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": bom.name,
        "documentNamespace": "",
        "creationInfo": {
            "created": created,
            "creators": [format!("Tool: steady-{}", bom.tool)],
        },
        "packages": packages,
        "relationships": relationships,
    });
    let serial = super::uuid(&document.to_string());
    document["documentNamespace"] = json!(format!("urn:uuid:{serial}"));
    document
}

/// An id for each component, made of what ids may be made of.
fn ids(bom: &Bom) -> BTreeMap<String, String> {
    let mut taken = HashSet::new();
    let mut ids = BTreeMap::new();
    for component in &bom.components {
        let text = format!("{}-{}", component.path, component.version);
        let plain: String = text
            .chars()
            .map(|c| match c {
                '.' | '-' => c,
                c if c.is_ascii_alphanumeric() => c,
                _ => '-',
            })
            .collect();
        let mut id = format!("SPDXRef-{}", plain.trim_end_matches('-'));
        while !taken.insert(id.clone()) {
            id.push_str("-x");
        }
        ids.insert(component.purl(), id);
    }
    ids
}

fn package(bom: &Bom, component: &Component, is_subject: bool, id: &str) -> Value {
    let name = if is_subject {
        &bom.name
    } else {
        &component.path
    };
    let mut references = vec![json!({
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": component.purl(),
    })];
    if !component.sum.is_empty() {
        references.push(json!({
            "referenceCategory": "OTHER",
            "referenceType": "h1",
            "referenceLocator": component.sum,
        }));
    }
    let mut value = json!({
        "SPDXID": id,
        "name": name,
        "downloadLocation": UNKNOWN,
        "filesAnalyzed": false,
        "licenseConcluded": UNKNOWN,
        "licenseDeclared": component.licence.unwrap_or(UNKNOWN),
        "copyrightText": UNKNOWN,
        "primaryPackagePurpose": if is_subject { "APPLICATION" } else { "LIBRARY" },
        "externalRefs": references,
    });
    if !component.version.is_empty() {
        value["versionInfo"] = json!(component.version);
    }
    if is_subject && !bom.sha256.is_empty() {
        value["checksums"] = json!([{ "algorithm": "SHA256", "checksumValue": bom.sha256 }]);
    }
    let mut comments: Vec<String> = Vec::new();
    if let Some(replaced) = &component.replaces {
        comments.push(format!("replaces {replaced}"));
    }
    if is_subject {
        let settings = bom.settings.iter();
        comments.extend(settings.map(|(key, setting)| format!("{key}={setting}")));
    }
    if !comments.is_empty() {
        value["comment"] = json!(comments.join("\n"));
    }
    value
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({
        "spdxElementId": from,
        "relationshipType": kind,
        "relatedSpdxElement": to,
    })
}

//! A bill of materials as CycloneDX JSON, versions 1.5 and 1.6.
//!
//! Go's `h1:` sums are no hashes of a file, so they stand as properties: `steady:h1` as go.sum has them. Other properties are
//! `steady:replaces` (the module that a component stands in for) and `steady:setting` (a build setting of the program, `key=value`).

use serde_json::{Value, json};

use super::bom::{Bom, Component, Kind};

/// The document. `version`: `1.5` or `1.6`.
#[must_use]
pub fn document(bom: &Bom, version: &str) -> Value {
    let Some(subject) = bom.components.first() else {
        return Value::Null;
    };
    let mut metadata = json!({});
    if let Some(created) = &bom.created {
        metadata["timestamp"] = json!(created);
    }
    metadata["tools"] = json!({
        "components": [{ "type": "application", "name": "steady", "version": bom.tool }]
    });
    metadata["component"] = of_subject(bom, subject);
    let components: Vec<Value> = bom.components[1..].iter().map(component).collect();
    let dependencies: Vec<Value> = bom
        .components
        .iter()
        .map(|component| {
            let purl = component.purl();
            match bom.needs.get(&purl) {
                Some(needs) => json!({ "ref": purl, "dependsOn": needs }),
                None => json!({ "ref": purl }),
            }
        })
        .collect();
    let schema = format!("http://cyclonedx.org/schema/bom-{version}.schema.json");
    let mut document = json!({
        "$schema": schema,
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": "",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": dependencies,
    });
    let serial = super::uuid(&document.to_string());
    document["serialNumber"] = json!(format!("urn:uuid:{serial}"));
    document
}

fn of_subject(bom: &Bom, subject: &Component) -> Value {
    let mut value = component(subject);
    value["type"] = json!("application");
    value["name"] = json!(bom.name);
    if !bom.sha256.is_empty() {
        value["hashes"] = json!([{ "alg": "SHA-256", "content": bom.sha256 }]);
    }
    let settings = bom
        .settings
        .iter()
        .map(|(key, setting)| property("steady:setting", &format!("{key}={setting}")));
    let mut properties = properties(subject);
    properties.extend(settings);
    if !properties.is_empty() {
        value["properties"] = json!(properties);
    }
    value
}

fn component(component: &Component) -> Value {
    let purl = component.purl();
    let mut value = json!({
        "type": "library",
        "bom-ref": purl,
        "name": component.path,
    });
    if !component.version.is_empty() {
        value["version"] = json!(component.version);
    }
    if component.kind == Kind::Module {
        value["scope"] = json!("required");
    }
    if let Some(licence) = component.licence {
        value["licenses"] = json!([{ "license": { "id": licence } }]);
    }
    value["purl"] = json!(purl);
    let properties = properties(component);
    if !properties.is_empty() {
        value["properties"] = json!(properties);
    }
    value
}

fn properties(component: &Component) -> Vec<Value> {
    let mut properties = Vec::new();
    if !component.sum.is_empty() {
        properties.push(property("steady:h1", &component.sum));
    }
    if let Some(replaced) = &component.replaces {
        properties.push(property("steady:replaces", &replaced.to_string()));
    }
    properties
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}

//! What templates see: the go command's structs, as tables of their fields.
//!
//! A value comes as JSON, in which fields that are empty are missing; the table says what a missing field is (an empty string, a
//! nil pointer, …), and which type a pointer points to.

use gotmpl::Value;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::time;

/// Key of an object's type name. No field has such a name.
pub const TYPE: &str = "\0type";
/// Key of the text that an object's `String` or `Error` method gives.
pub const TEXT: &str = "\0text";
/// Key of a time in its original form.
pub const RFC3339: &str = "\0time";

/// A struct of the go command's.
pub struct Struct {
    /// Its name in messages.
    pub name: &'static str,
    fields: &'static [(&'static str, Kind)],
    text: Option<fn(&Json) -> String>,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    List,
    Map,
    Time,
    Pointer(&'static Struct),
    Pointers(&'static Struct),
}

use Kind::{Flag, List, Map, Pointer, Pointers, Text, Time};

/// `go list`'s package.
pub static PACKAGE: Struct = Struct {
    name: "*load.PackagePublic",
    fields: &[
        ("Dir", Text),
        ("ImportPath", Text),
        ("ImportComment", Text),
        ("Name", Text),
        ("Doc", Text),
        ("Target", Text),
        ("Shlib", Text),
        ("Root", Text),
        ("ConflictDir", Text),
        ("ForTest", Text),
        ("Export", Text),
        ("BuildID", Text),
        ("Module", Pointer(&MODULE)),
        ("Match", List),
        ("Goroot", Flag),
        ("Standard", Flag),
        ("DepOnly", Flag),
        ("BinaryOnly", Flag),
        ("Incomplete", Flag),
        ("DefaultGODEBUG", Text),
        ("Stale", Flag),
        ("StaleReason", Text),
        ("GoFiles", List),
        ("CgoFiles", List),
        ("CompiledGoFiles", List),
        ("IgnoredGoFiles", List),
        ("InvalidGoFiles", List),
        ("IgnoredOtherFiles", List),
        ("CFiles", List),
        ("CXXFiles", List),
        ("MFiles", List),
        ("HFiles", List),
        ("FFiles", List),
        ("SFiles", List),
        ("SwigFiles", List),
        ("SwigCXXFiles", List),
        ("SysoFiles", List),
        ("EmbedPatterns", List),
        ("EmbedFiles", List),
        ("CgoCFLAGS", List),
        ("CgoCPPFLAGS", List),
        ("CgoCXXFLAGS", List),
        ("CgoFFLAGS", List),
        ("CgoLDFLAGS", List),
        ("CgoPkgConfig", List),
        ("Imports", List),
        ("ImportMap", Map),
        ("Deps", List),
        ("Error", Pointer(&PACKAGE_ERROR)),
        ("DepsErrors", Pointers(&PACKAGE_ERROR)),
        ("TestGoFiles", List),
        ("TestImports", List),
        ("TestEmbedPatterns", List),
        ("TestEmbedFiles", List),
        ("XTestGoFiles", List),
        ("XTestImports", List),
        ("XTestEmbedPatterns", List),
        ("XTestEmbedFiles", List),
    ],
    text: None,
};

/// `go list -m`'s module.
pub static MODULE: Struct = Struct {
    name: "*modinfo.ModulePublic",
    fields: &[
        ("Path", Text),
        ("Version", Text),
        ("Query", Text),
        ("Versions", List),
        ("Replace", Pointer(&MODULE)),
        ("Time", Time),
        ("Update", Pointer(&MODULE)),
        ("Main", Flag),
        ("Indirect", Flag),
        ("Dir", Text),
        ("GoMod", Text),
        ("GoVersion", Text),
        ("Retracted", List),
        ("Deprecated", Text),
        ("Error", Pointer(&MODULE_ERROR)),
        ("Sum", Text),
        ("GoModSum", Text),
        ("Origin", Pointer(&ORIGIN)),
        ("Reuse", Flag),
    ],
    text: Some(module_text),
};

static PACKAGE_ERROR: Struct = Struct {
    name: "*load.PackageError",
    fields: &[("ImportStack", List), ("Pos", Text), ("Err", Text)],
    text: Some(|json| field(json, "\0text").to_owned()),
};

static MODULE_ERROR: Struct = Struct {
    name: "*modinfo.ModuleError",
    fields: &[("Err", Text)],
    text: Some(|json| format!("{{{}}}", field(json, "Err"))), // as any struct
};

static ORIGIN: Struct = Struct {
    name: "*codehost.Origin",
    fields: &[
        ("VCS", Text),
        ("URL", Text),
        ("Subdir", Text),
        ("Hash", Text),
        ("TagPrefix", Text),
        ("TagSum", Text),
        ("Ref", Text),
        ("RepoSum", Text),
    ],
    text: None,
};

/// What the template function `context` gives.
pub static CONTEXT: Struct = Struct {
    name: "*list.Context",
    fields: &[
        ("GOARCH", Text),
        ("GOOS", Text),
        ("GOROOT", Text),
        ("GOPATH", Text),
        ("CgoEnabled", Flag),
        ("UseAllFiles", Flag),
        ("Compiler", Text),
        ("BuildTags", List),
        ("ToolTags", List),
        ("ReleaseTags", List),
        ("InstallSuffix", Text),
    ],
    text: None,
};

/// The type of the pointer that a field of that name is.
#[must_use]
pub fn pointer_type(field: &str) -> &'static str {
    match field {
        "Module" | "Replace" | "Update" => MODULE.name,
        "Error" => PACKAGE_ERROR.name,
        "Origin" => ORIGIN.name,
        "Time" => "*time.Time",
        _ => "interface {}",
    }
}

fn field<'a>(json: &'a Json, name: &str) -> &'a str {
    json.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// An object of the given type.
#[must_use]
pub fn object(kind: &Struct, json: &Json) -> Value {
    let mut map: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    map.insert(TYPE.into(), Value::String(kind.name.into()));
    if let Some(text) = kind.text {
        map.insert(TEXT.into(), Value::String(text(json).into()));
    }
    for (name, kind) in kind.fields {
        map.insert((*name).into(), value(*kind, json.get(*name)));
    }
    Value::Map(Arc::new(map))
}

fn value(kind: Kind, json: Option<&Json>) -> Value {
    match (kind, json) {
        (Text, json) => Value::String(json.and_then(Json::as_str).unwrap_or_default().into()),
        (Flag, json) => Value::Bool(json.and_then(Json::as_bool).unwrap_or_default()),
        (List, json) => Value::List(items(json).map(text).collect()),
        (Pointers(kind), json) => Value::List(items(json).map(|json| object(kind, json)).collect()),
        (Map, json) => {
            let entries = json.and_then(Json::as_object).into_iter().flatten();
            Value::Map(Arc::new(
                entries
                    .map(|(key, json)| (key.as_str().into(), text(json)))
                    .collect(),
            ))
        }
        (Time, Some(Json::String(at))) => {
            let entries = [
                (TYPE, "*time.Time".to_owned()),
                (TEXT, time::show(at)),
                (RFC3339, at.clone()),
            ];
            Value::Map(Arc::new(
                entries
                    .into_iter()
                    .map(|(key, text)| (key.into(), Value::String(text.into())))
                    .collect(),
            ))
        }
        (Pointer(kind), Some(json)) => object(kind, json),
        (Time | Pointer(_), _) => Value::Nil,
    }
}

fn items(json: Option<&Json>) -> impl Iterator<Item = &Json> {
    json.and_then(Json::as_array).into_iter().flatten()
}

fn text(json: &Json) -> Value {
    Value::String(json.as_str().unwrap_or_default().into())
}

/// `path version`, with what replaces and upgrades it.
fn module_text(json: &Json) -> String {
    let version = |json: &Json| {
        let retracted = if json.get("Retracted").is_some() {
            " (retracted)"
        } else {
            ""
        };
        format!("{}{retracted}", field(json, "Version"))
    };
    let details = |out: &mut String, json: &Json| {
        if !field(json, "Version").is_empty() {
            out.push_str(&format!(" {}", version(json)));
            if let Some(update) = json.get("Update") {
                out.push_str(&format!(" [{}]", version(update)));
            }
        }
    };
    let mut out = field(json, "Path").to_owned();
    details(&mut out, json);
    if !field(json, "Deprecated").is_empty() {
        out.push_str(" (deprecated)");
    }
    if let Some(replace) = json.get("Replace") {
        out.push_str(&format!(" => {}", field(replace, "Path")));
        details(&mut out, replace);
        if !field(replace, "Deprecated").is_empty() {
            out.push_str(" (deprecated)");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn modules_in_one_line() {
        let shown = |json: Json| module_text(&json);
        assert_eq!(
            shown(json!({"Path": "m", "Version": "v1.0.0", "Update": {"Version": "v1.1.0"}})),
            "m v1.0.0 [v1.1.0]"
        );
        assert_eq!(
            shown(
                json!({"Path": "m", "Version": "v1.0.0", "Deprecated": "x", "Replace": {"Path": "./m"}})
            ),
            "m v1.0.0 (deprecated) => ./m"
        );
        assert_eq!(
            shown(
                json!({"Path": "m", "Version": "v1", "Replace": {"Path": "n", "Version": "v2", "Retracted": ["x"]}})
            ),
            "m v1 => n v2 (retracted)"
        );
    }
}

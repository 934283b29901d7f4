//! Where a program comes from, as an in-toto statement (v1) with a SLSA provenance (v1), made from what the program says of itself.
//!
//! Nobody has watched the build: the statement repeats, in a form that other tools read, what the linker wrote into the program, and it
//! is not signed. Who signs it vouches for it. Sums of modules are given as `dirHash1`: the sum of `h1:` in hexadecimal form.

use base64::Engine as _;
use serde_json::{Map, Value, json};
use steady_build::buildinfo::{BuildInfo, BuildModule};

use super::bom::{Component, Kind};
use steady_module::hex;

/// What kind of build it is: which parameters there are.
const BUILD_TYPE: &str = "urn:steady:go-build:v1";
/// Who built it, if nobody says: the program speaks for itself, by Steady.
const BUILDER: &str = "urn:steady:builder:self-reported";

/// Who vouches for a statement.
#[derive(Clone, Copy, Debug, Default)]
pub struct Maker<'m> {
    /// The URI of what built the program. A program does not tell it.
    pub builder: Option<&'m str>,
    /// The version of Steady.
    pub tool: &'m str,
}

/// The statement about a program.
#[must_use]
pub fn statement(name: &str, bytes: &[u8], info: &BuildInfo, maker: Maker<'_>) -> Value {
    let settings: Map<String, Value> = info
        .settings
        .iter()
        .map(|setting| (setting.key.clone(), json!(setting.value)))
        .collect();
    let mut dependencies: Vec<Value> = info.deps.iter().map(dependency).collect();
    let setting = |key: &str| settings.get(key).and_then(Value::as_str);
    let mut source = dependency(&info.main);
    if let (Some("git"), Some(revision)) = (setting("vcs"), setting("vcs.revision")) {
        source["digest"] = json!({ "gitCommit": revision });
        let modified = setting("vcs.modified") == Some("true");
        source["annotations"] = json!({ "modified": modified });
    }
    dependencies.insert(0, source);
    let toolchain = format!(
        "pkg:golang/std@{}",
        info.go_version.trim_start_matches("go").replace(' ', "%20")
    );
    dependencies.push(json!({ "name": "toolchain", "uri": toolchain }));
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": { "sha256": super::sha256(bytes) } }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "package": info.path,
                    "module": info.main.path,
                    "version": info.main.version,
                    "settings": settings,
                },
                "internalParameters": { "goVersion": info.go_version },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": {
                    "id": maker.builder.unwrap_or(BUILDER),
                    "version": { "steady": maker.tool, "go": info.go_version },
                },
            },
        },
    })
}

fn dependency(module: &BuildModule) -> Value {
    let used = module.replace.as_deref().unwrap_or(module);
    let local = used.is_local();
    let component = match local {
        true => Component::bare(Kind::Module, &module.path),
        false => Component {
            version: used.version.clone(),
            ..Component::bare(Kind::Module, &used.path)
        },
    };
    let mut value = json!({ "name": module.path, "uri": component.purl() });
    let sum = used.sum.strip_prefix("h1:").and_then(|sum| {
        let engine = base64::engine::general_purpose::STANDARD;
        engine.decode(sum).ok()
    });
    if let Some(sum) = sum {
        let sum = hex(&sum);
        value["digest"] = json!({ "dirHash1": sum });
    }
    if module.replace.is_some() {
        let replaced = format!("{}@{}", module.path, module.version);
        value["annotations"] = json!({ "replaces": replaced, "local": local });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_replaced_module() {
        let text = "path\texample.com/app/cmd\nmod\texample.com/app\t(devel)\t\ndep\texample.com/dep\tv1.0.0\th1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=\ndep\texample.com/old\tv1.1.0\n=>\t../old\t(devel)\t\nbuild\t-trimpath=true\nbuild\tvcs=git\nbuild\tvcs.revision=0123456789abcdef0123456789abcdef01234567\nbuild\tvcs.modified=false\n";
        let mut info = BuildInfo::parse(text).unwrap();
        info.go_version = "go1.26.8".to_owned();
        let maker = Maker {
            builder: None,
            tool: "0.1",
        };
        let statement = statement("app", b"program", &info, maker);
        let builder = &statement["predicate"]["runDetails"]["builder"];
        assert_eq!(builder["id"], "urn:steady:builder:self-reported");
        assert_eq!(builder["version"]["go"], "go1.26.8");
        let definition = &statement["predicate"]["buildDefinition"];
        let dependencies = &definition["resolvedDependencies"];
        assert_eq!(
            dependencies[0]["digest"]["gitCommit"],
            "0123456789abcdef0123456789abcdef01234567"
        );
        assert_eq!(dependencies[1]["uri"], "pkg:golang/example.com/dep@v1.0.0");
        assert_eq!(
            dependencies[1]["digest"]["dirHash1"],
            "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f"
        );
        assert_eq!(dependencies[2]["uri"], "pkg:golang/example.com/old");
        assert_eq!(dependencies[2]["annotations"]["local"], true);
        assert_eq!(dependencies[3]["uri"], "pkg:golang/std@1.26.8");
        assert_eq!(
            definition["externalParameters"]["settings"]["-trimpath"],
            "true"
        );
        assert_eq!(statement["subject"][0]["name"], "app");
    }
}

//! Building a program again from what it says of itself, and where two programs part.
//!
//! A program knows its toolchain, its main package, the version of its module or the commit of its tree, and the settings of its build.
//! It does not know everything: linker flags are left out when paths are trimmed, `-a`, `-p` and `-o` leave no trace, and neither does
//! an edit of a working tree that version control calls modified.

use object::{Object as _, ObjectSection as _};
use std::collections::BTreeMap;
use steady_build::buildinfo::{BuildInfo, BuildModule};
use steady_module::amount;
use steady_module::{gover, semver};

/// How a program is built again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipe {
    /// Name of the toolchain: `go1.26.8`.
    pub toolchain: String,
    /// Import path of the main package.
    pub package: String,
    /// Path of the main module.
    pub module: String,
    /// The module's version, if it was built as somebody else's (`install PACKAGE@VERSION`).
    pub version: Option<String>,
    /// Variables to set; an empty value is set too.
    pub environment: Vec<(String, String)>,
    /// Flags of `build`.
    pub flags: Vec<String>,
    /// `-buildmode=exe` is told, which a program says whether it was given or not; and that makes another build id.
    pub says_exe: bool,
    /// The commit of the tree, and whether the tree was modified.
    pub revision: Option<(String, bool)>,
}

/// Settings that are flags of `build` of the same name.
const FLAGS: [&str; 11] = [
    "-asan",
    "-asmflags",
    "-buildmode",
    "-compiler",
    "-cover",
    "-gcflags",
    "-ldflags",
    "-msan",
    "-race",
    "-tags",
    "-trimpath",
];

impl Recipe {
    /// What build info tells.
    ///
    /// # Errors
    /// Why it tells too little.
    pub fn of(info: &BuildInfo) -> Result<Recipe, String> {
        if info.path.is_empty() || info.path == "command-line-arguments" {
            return Err("it was built from single files, whose names it does not tell".to_owned());
        }
        if info.main.path.is_empty() {
            return Err("it was built without modules: nothing says from which source".to_owned());
        }
        let toolchain = info.go_version.split(' ').next().unwrap_or_default();
        if !gover::is_valid(gover::from_toolchain(toolchain)) {
            return Err(format!(
                "it was built with {:?}, which is no released toolchain",
                info.go_version
            ));
        }
        let mut recipe = Recipe {
            toolchain: toolchain.to_owned(),
            package: info.path.clone(),
            module: info.main.path.clone(),
            ..Recipe::default()
        };
        let mut stamped = false;
        let mut revision = None;
        let mut modified = false;
        for setting in &info.settings {
            let (key, value) = (setting.key.as_str(), setting.value.as_str());
            match key {
                "vcs.revision" => revision = Some(value.to_owned()),
                "vcs.modified" => modified = value == "true",
                "-buildmode" if value == "exe" => recipe.says_exe = true,
                "-compiler" if value == "gc" => {}
                key if FLAGS.contains(&key) => recipe.flags.push(format!("{key}={value}")),
                key if key.starts_with("GO") || key.starts_with("CGO_") => {
                    recipe.environment.push((key.to_owned(), value.to_owned()));
                }
                // Follows from go.mod and the main package, or is what nobody has to say.
                _ => {}
            }
            stamped |= key == "vcs" || key.starts_with("vcs.");
        }
        recipe.revision = revision.map(|revision| (revision, modified));
        if !stamped && semver::is_valid(&info.main.version) && !info.main.sum.is_empty() {
            recipe.version = Some(info.main.version.clone());
        } else {
            recipe.flags.push(format!("-buildvcs={stamped}"));
        }
        Ok(recipe)
    }
}

/// Where two programs part, the most telling first; empty only if they are the same.
#[must_use]
pub fn partings(wanted: (&[u8], &BuildInfo), made: (&[u8], &BuildInfo)) -> Vec<String> {
    if wanted.0 == made.0 {
        return Vec::new();
    }
    let mut found = of_info(wanted.1, made.1);
    found.extend(of_sections(wanted.0, made.0));
    if wanted.0.len() != made.0.len() {
        found.push(format!(
            "size: {}, here {}",
            amount::bytes(wanted.0.len()),
            made.0.len()
        ));
    }
    if let Some(at) = wanted.0.iter().zip(made.0).position(|(a, b)| a != b) {
        found.push(format!("first byte that differs: {at}"));
    }
    found
}

fn of_info(wanted: &BuildInfo, made: &BuildInfo) -> Vec<String> {
    let mut found = Vec::new();
    let mut tell = |what: &str, wanted: &str, made: &str| {
        if wanted != made {
            let shown = |text: &str| match text {
                "" => "nothing".to_owned(),
                text => text.to_owned(),
            };
            found.push(format!("{what}: {}, here {}", shown(wanted), shown(made)));
        }
    };
    tell("toolchain", &wanted.go_version, &made.go_version);
    tell("main package", &wanted.path, &made.path);
    tell(
        "main module",
        &described(&wanted.main),
        &described(&made.main),
    );
    let settings = |info: &BuildInfo| -> BTreeMap<String, String> {
        let settings = info.settings.iter();
        settings
            .map(|setting| (setting.key.clone(), setting.value.clone()))
            .collect()
    };
    let modules = |info: &BuildInfo| -> BTreeMap<String, String> {
        let deps = info.deps.iter();
        deps.map(|dep| (dep.path.clone(), described(dep))).collect()
    };
    for (what, wanted, made) in [
        ("setting", settings(wanted), settings(made)),
        ("module", modules(wanted), modules(made)),
    ] {
        let mut keys: Vec<&String> = wanted.keys().chain(made.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let value = |of: &BTreeMap<String, String>| of.get(key).cloned().unwrap_or_default();
            tell(&format!("{what} {key}"), &value(&wanted), &value(&made));
        }
    }
    found
}

fn described(module: &BuildModule) -> String {
    let own = format!("{} {} {}", module.path, module.version, module.sum);
    let own = own.trim_end().to_owned();
    match &module.replace {
        Some(new) => format!("{own} => {}", described(new)),
        None => own,
    }
}

/// Which sections differ.
fn of_sections(wanted: &[u8], made: &[u8]) -> Vec<String> {
    let (Ok(wanted), Ok(made)) = (object::File::parse(wanted), object::File::parse(made)) else {
        return vec!["format: one of them is no program of a known format".to_owned()];
    };
    let sections = |file: &object::File<'_>| -> BTreeMap<String, Vec<u8>> {
        let all = file.sections();
        all.filter_map(|section| {
            let name = section.name().ok()?.to_owned();
            Some((name, section.data().ok()?.to_vec()))
        })
        .collect()
    };
    let (wanted, made) = (sections(&wanted), sections(&made));
    let mut found = Vec::new();
    for (name, bytes) in &wanted {
        match made.get(name) {
            None => found.push(format!("section {name}: only in the program given")),
            Some(other) if other == bytes => {}
            Some(other) if other.len() != bytes.len() => found.push(format!(
                "section {name}: {}, here {}",
                amount::bytes(bytes.len()),
                other.len()
            )),
            Some(other) => {
                let count = bytes.iter().zip(other).filter(|(a, b)| a != b).count();
                found.push(format!(
                    "section {name}: {count} of {} differ",
                    amount::bytes(bytes.len())
                ));
            }
        }
    }
    for name in made.keys().filter(|name| !wanted.contains_key(*name)) {
        found.push(format!(
            "section {name}: only in the one that was built here"
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(text: &str) -> BuildInfo {
        let mut info = BuildInfo::parse(text).unwrap();
        info.go_version = "go1.26.8".to_owned();
        info
    }

    #[test]
    fn from_a_tree_and_from_a_version() {
        let tree = info(
            "path\tm.test/m/cmd\nmod\tm.test/m\tv0.0.0-20240102030405-0123456789ab\t\nbuild\t-compiler=gc\nbuild\t-trimpath=true\nbuild\tDefaultGODEBUG=x=1\nbuild\tCGO_ENABLED=0\nbuild\tGOOS=linux\nbuild\tvcs=git\nbuild\tvcs.revision=0123\nbuild\tvcs.modified=true\n",
        );
        let recipe = Recipe::of(&tree).unwrap();
        assert_eq!(recipe.version, None);
        assert_eq!(recipe.revision, Some(("0123".to_owned(), true)));
        assert_eq!(recipe.flags, ["-trimpath=true", "-buildvcs=true"]);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            recipe.environment,
            [pair("CGO_ENABLED", "0"), pair("GOOS", "linux")]
        );
        let version = info("path\tm.test/m/cmd\nmod\tm.test/m\tv1.2.3\th1:x\n");
        assert_eq!(
            Recipe::of(&version).unwrap().version.as_deref(),
            Some("v1.2.3")
        );
    }

    #[test]
    fn what_tells_too_little() {
        let files = info("path\tcommand-line-arguments\nbuild\tGOOS=linux\n");
        assert!(Recipe::of(&files).unwrap_err().contains("single files"));
        let old = info("path\tcmd/x\n");
        assert!(Recipe::of(&old).unwrap_err().contains("without modules"));
        let mut own = info("path\tm.test/m\nmod\tm.test/m\t(devel)\t\n");
        own.go_version = "devel +abc".to_owned();
        assert!(Recipe::of(&own).unwrap_err().contains("no released"));
    }

    #[test]
    fn programs_part_in_settings_and_modules() {
        let one = info("path\tm\nmod\tm\t(devel)\t\ndep\td\tv1.0.0\th1:a\nbuild\tGOAMD64=v1\n");
        let other = info("path\tm\nmod\tm\t(devel)\t\ndep\td\tv1.1.0\th1:b\nbuild\tGOAMD64=v3\n");
        assert!(partings((b"x", &one), (b"x", &one)).is_empty());
        let found = partings((b"xa", &one), (b"xb", &other));
        assert_eq!(found[0], "setting GOAMD64: v1, here v3");
        assert_eq!(found[1], "module d: d v1.0.0 h1:a, here d v1.1.0 h1:b");
        assert_eq!(found.last().unwrap(), "first byte that differs: 1");
    }
}

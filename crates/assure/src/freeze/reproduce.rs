//! Building a program again from what it says of itself.
//!
//! A program knows its toolchain, its main package, the version of its module or the commit of its tree, and the settings of its build.
//! It does not know everything: linker flags are left out when paths are trimmed, `-a`, `-p` and `-o` leave no trace, and neither does
//! an edit of a working tree that version control calls modified.

use steady_build::buildinfo::BuildInfo;
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
}

//! The build configuration that decides which files belong to a build.

use crate::source::constraint;
use crate::source::facts::Constraint;
use crate::source::syslist::SysList;
use camino::Utf8PathBuf;
use std::collections::BTreeSet;
use std::sync::Arc;

/// go/build's `Context`, as far as it decides about files.
#[derive(Clone, Debug, Default)]
pub struct BuildContext {
    /// GOROOT.
    pub goroot: Utf8PathBuf,
    /// GOPATH, split.
    pub gopath: Vec<Utf8PathBuf>,
    /// Target operating system.
    pub goos: String,
    /// Target architecture.
    pub goarch: String,
    /// CGO_ENABLED.
    pub cgo_enabled: bool,
    /// `gc` or `gccgo`.
    pub compiler: String,
    /// `-tags`.
    pub build_tags: Vec<String>,
    /// Tags that the toolchain's configuration sets: `goexperiment.x`, `amd64.v1`. Whoever makes the
    /// configuration reads them from the toolchain.
    pub tool_tags: Vec<String>,
    /// `go1.1` up to the toolchain's release.
    pub release_tags: Vec<String>,
    /// `-installsuffix`, with `race` and its kin.
    pub install_suffix: String,
    /// Constraints do not exclude files (files named on the command line).
    pub use_all_files: bool,
    /// Import comments are read and held against one another (GOPATH mode alone does that).
    pub import_comments: bool,
    /// Names of operating systems and architectures that the toolchain knows in file names.
    pub syslist: Arc<SysList>,
}

/// Tags that were asked for while deciding; go/build's `AllTags`.
pub type TagSet = BTreeSet<String>;

/// Systems whose files another system's tag takes in.
const INCLUDES: [(&str, &str); 3] = [
    ("android", "linux"),
    ("illumos", "solaris"),
    ("ios", "darwin"),
];

/// What a file's name says about the systems it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule<'n> {
    /// Nothing.
    Any,
    /// `_GOOS` or `_GOARCH`.
    One(&'n str),
    /// `_GOOS_GOARCH`.
    Both(&'n str, &'n str),
}

impl SysList {
    /// The systems in a file name: only what stands behind its first `_` and before its first `.`, `_test` aside.
    pub(crate) fn name_rule<'n>(&self, name: &'n str) -> NameRule<'n> {
        let stem = name.split('.').next().unwrap_or_default();
        let Some((_, tail)) = stem.split_once('_') else {
            return NameRule::Any;
        };
        let tail = match tail.strip_suffix("test") {
            Some("") => return NameRule::Any,
            Some(rest) if rest.ends_with('_') => &rest[..rest.len() - 1],
            _ => tail,
        };
        let (before, last) = tail
            .rsplit_once('_')
            .map_or(("", tail), |(before, last)| (before, last));
        if self.arch.contains(last) {
            let os = before.rsplit_once('_').map_or(before, |(_, os)| os);
            if self.os.contains(os) {
                return NameRule::Both(os, last);
            }
            return NameRule::One(last);
        }
        if self.os.contains(last) {
            NameRule::One(last)
        } else {
            NameRule::Any
        }
    }
}

impl BuildContext {
    /// `go1.1` to `go1.N`, for a toolchain of language version `1.N`.
    pub fn release_tags_for(minor: u32) -> Vec<String> {
        (1..=minor).map(|n| format!("go1.{n}")).collect()
    }

    /// Whether a tag holds; every tag asked for is recorded in `asked`.
    pub fn match_tag(&self, name: &str, asked: &mut TagSet) -> bool {
        if !asked.contains(name) {
            asked.insert(name.to_owned());
        }
        self.has_tag(name)
    }

    /// Whether a tag holds.
    pub fn has_tag(&self, name: &str) -> bool {
        if name == self.goos || name == self.goarch || name == self.compiler {
            return true;
        }
        match name {
            "cgo" if self.cgo_enabled => return true,
            "unix" if self.syslist.unix.contains(&self.goos) => return true,
            _ if INCLUDES.contains(&(self.goos.as_str(), name)) => return true,
            _ => {}
        }
        // The experiment once had a tag of its own.
        let name = if name == "boringcrypto" {
            "goexperiment.boringcrypto"
        } else {
            name
        };
        [&self.build_tags, &self.tool_tags, &self.release_tags]
            .iter()
            .any(|tags| tags.iter().any(|tag| tag == name))
    }

    /// Whether the operating system and architecture in a file's name fit.
    pub fn good_os_arch_file(&self, name: &str, asked: &mut TagSet) -> bool {
        match self.syslist.name_rule(name) {
            NameRule::Any => true,
            NameRule::One(system) => self.match_tag(system, asked),
            NameRule::Both(os, arch) => {
                let (os, arch) = (self.match_tag(os, asked), self.match_tag(arch, asked));
                os && arch
            }
        }
    }

    /// Whether a header's constraint holds; the error is that of a malformed `//go:build` line.
    pub fn good_constraint(
        &self,
        constraint: &Constraint,
        asked: &mut TagSet,
    ) -> Result<bool, String> {
        match constraint {
            Constraint::None => Ok(true),
            Constraint::GoBuild(line) => {
                let expr = constraint::parse(line)
                    .map_err(|error| format!("parsing //go:build line: {error}"))?;
                Ok(expr.eval(&mut |tag| self.match_tag(tag, asked)))
            }
            Constraint::PlusBuild(lines) => {
                let mut good = true;
                for expr in lines.iter().filter_map(|line| constraint::parse(line).ok()) {
                    good &= expr.eval(&mut |tag| self.match_tag(tag, asked));
                }
                Ok(good)
            }
        }
    }

    /// Whether a condition of a `#cgo` line holds: either syntax of constraints.
    pub(crate) fn match_auto(&self, text: &str) -> bool {
        let prefix = if text.contains(['&', '|', '(', ')']) {
            "//go:build "
        } else {
            "// +build "
        };
        constraint::parse(&format!("{prefix}{text}"))
            .is_ok_and(|expr| expr.eval(&mut |tag| self.has_tag(tag)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::syslist::FIXTURE;

    fn context(goos: &str) -> BuildContext {
        BuildContext {
            goos: goos.into(),
            goarch: "amd64".into(),
            compiler: "gc".into(),
            release_tags: BuildContext::release_tags_for(3),
            syslist: Arc::new(SysList::parse(FIXTURE, "x").unwrap()),
            ..BuildContext::default()
        }
    }

    #[test]
    fn names() {
        let linux = context("linux");
        for (name, want) in [
            ("x.go", true),
            ("linux.go", true),
            ("windows.go", true),
            ("x_windows.go", false),
            ("x_linux.go", true),
            ("x_linux_amd64.go", true),
            ("x_linux_arm64.go", false),
            ("x_windows_amd64.go", false),
            ("x_amd64_windows.go", false),
            ("x_windows_foo.go", true),
            ("x_windows_test.go", false),
            ("x_test.go", true),
            ("_test.go", true),
            ("windows_test.go", true),
            ("x_windows.tmpl.go", false),
            ("x_mytest.go", true),
            ("_windows.go", false),
        ] {
            assert_eq!(
                linux.good_os_arch_file(name, &mut TagSet::new()),
                want,
                "{name}"
            );
        }
        assert!(context("android").good_os_arch_file("x_linux.go", &mut TagSet::new()));
        assert!(!linux.good_os_arch_file("x_android.go", &mut TagSet::new()));
    }

    #[test]
    fn tags() {
        let linux = context("linux");
        for (tag, want) in [
            ("linux", true),
            ("unix", true),
            ("gc", true),
            ("go1.3", true),
            ("go1.4", false),
            ("cgo", false),
        ] {
            assert_eq!(linux.has_tag(tag), want, "{tag}");
        }
        assert!(!context("windows").has_tag("unix"));
        let mut asked = TagSet::new();
        linux.good_os_arch_file("x_windows_arm64.go", &mut asked);
        assert_eq!(asked.into_iter().collect::<Vec<_>>(), ["arm64", "windows"]);
    }
}

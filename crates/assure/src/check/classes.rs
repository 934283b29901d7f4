//! The classes of findings: one table. Each has a page `docs/findings/GROUP-NAME.md`.

use super::finding::Severity;
use Severity::{Error, Note, Warning};

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Class {
    /// `group/name`; it never changes.
    pub id: &'static str,
    /// What a finding of it weighs unless an environment says otherwise.
    pub severity: Severity,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

impl Class {
    /// The class of that id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Class> {
        CLASSES.iter().find(|class| class.id == id)
    }

    /// The page about it, from the top of the project.
    #[must_use]
    pub fn page(&self) -> String {
        format!("docs/findings/{}.md", self.id.replace('/', "-"))
    }
}

const fn class(id: &'static str, severity: Severity, meaning: &'static str) -> Class {
    Class {
        id,
        severity,
        meaning,
    }
}

/// All classes, by group.
pub static CLASSES: &[Class] = &[
    // What go.work and its members do to one another.
    class(
        "workspace/member-missing",
        Error,
        "go.work uses a directory that has no go.mod, so nothing in the workspace loads.",
    ),
    class(
        "workspace/member-uncommitted",
        Error,
        "go.work is committed and uses a module that is not, so a clone of it does not load.",
    ),
    class(
        "workspace/member-outside",
        Error,
        "go.work uses a module outside of the repository, which nobody else has.",
    ),
    class(
        "workspace/work-uncommitted",
        Error,
        "go.work is not committed, so a clone loads each module alone.",
    ),
    class(
        "workspace/work-committed",
        Note,
        "go.work is committed, so CI builds members against one another and not against the versions that their go.mod files require.",
    ),
    class(
        "workspace/needs-workspace",
        Error,
        "The module loads only inside of the workspace: what its go.mod requires does not have what it imports.",
    ),
    class(
        "workspace/replace-conflict",
        Error,
        "Members of the workspace replace one module by different things, and go.work does not decide.",
    ),
    class(
        "workspace/replace-ineffective",
        Warning,
        "A replace directive of a member has no effect, since another directive overrides it.",
    ),
    class(
        "workspace/sums-stale",
        Error,
        "go.work.sum lacks sums that the workspace's own selection of versions needs.",
    ),
    class(
        "workspace/go-line",
        Error,
        "go.work says an older Go than a member needs, and go refuses that.",
    ),
    class(
        "workspace/malformed",
        Error,
        "go.work cannot be read, or contradicts itself.",
    ),
    // Requirements, sums, replacements.
    class(
        "modules/sum-missing",
        Error,
        "go.sum has no sum for a module that is needed, and builds may not add one.",
    ),
    class(
        "modules/sum-surplus",
        Note,
        "go.sum has sums that nothing needs.",
    ),
    class(
        "modules/sum-conflict",
        Error,
        "What go.sum records is not what the module is.",
    ),
    class(
        "modules/not-tidy",
        Warning,
        "go.mod does not say what the packages need.",
    ),
    class(
        "modules/replace-local",
        Error,
        "A replace directive leads to a directory that is not there.",
    ),
    class(
        "modules/replace-fork",
        Error,
        "The module needs a replacement by another module, which does not count for whoever requires it.",
    ),
    class(
        "modules/install-refused",
        Error,
        "Programs of the module cannot be installed by path@version, since its go.mod has replace or exclude directives.",
    ),
    class(
        "modules/not-importable",
        Note,
        "The module's path cannot be that of a module that is fetched, so no other module can require it.",
    ),
    class(
        "modules/exclude-ineffective",
        Warning,
        "An exclude directive has no effect.",
    ),
    class(
        "modules/retracted",
        Warning,
        "A required version was taken back by its authors.",
    ),
    class(
        "modules/deprecated",
        Note,
        "A required module is deprecated by its authors.",
    ),
    class(
        "modules/unpublished",
        Error,
        "A required version is published nowhere.",
    ),
    class(
        "modules/unreachable",
        Error,
        "A required module cannot be fetched.",
    ),
    class(
        "modules/private-path",
        Warning,
        "A module is fetched as a private one here, and others do not know that it is.",
    ),
    class(
        "modules/vendor-drift",
        Error,
        "vendor/ and go.mod do not agree.",
    ),
    class(
        "modules/ambiguous",
        Error,
        "Two modules have the same package.",
    ),
    class(
        "modules/malformed",
        Error,
        "go.mod or go.sum cannot be read.",
    ),
    // Files that others do not get, or not as they are here.
    class(
        "files/untracked",
        Error,
        "A file that is needed is not committed.",
    ),
    class(
        "files/ignored",
        Error,
        "A file that is needed is ignored by git, so it is never committed.",
    ),
    class(
        "files/uncommitted",
        Error,
        "What is committed needs a change that is not.",
    ),
    class(
        "files/submodule",
        Error,
        "Code that is needed lies in a git submodule, which is in no clone by default and in no module zip.",
    ),
    class(
        "files/embed-nothing",
        Error,
        "An embed pattern matches no files.",
    ),
    class(
        "files/embed-untracked",
        Error,
        "An embed pattern matches only files that are not committed.",
    ),
    class(
        "files/case-collision",
        Error,
        "Two paths differ in case only, and many file systems keep one of them.",
    ),
    class(
        "files/symlink",
        Note,
        "A symbolic link is not part of a module zip.",
    ),
    class(
        "files/zip-forbidden",
        Error,
        "A file may not be in a module zip, so the module cannot be published.",
    ),
    class(
        "files/generated-stale",
        Warning,
        "Generated code is older than what it is made from.",
    ),
    class(
        "files/nested-module",
        Warning,
        "A go.mod inside of the module makes a module of its own of that directory.",
    ),
    // Go versions.
    class(
        "toolchain/ci-older",
        Error,
        "CI uses an older Go than the modules ask for, or than their code needs.",
    ),
    class(
        "toolchain/docker-older",
        Error,
        "A Dockerfile builds with an older Go than the modules ask for, or than their code needs.",
    ),
    class(
        "toolchain/ci-untried",
        Note,
        "CI uses an older Go than this one, and it was not at hand to load the code with.",
    ),
    class(
        "toolchain/toolchain-line",
        Note,
        "The toolchain line asks for another Go than is used elsewhere.",
    ),
    class(
        "toolchain/language-newer",
        Error,
        "The code uses what its go line does not allow.",
    ),
    class(
        "toolchain/too-old",
        Error,
        "A module needs a newer Go than there is, and GOTOOLCHAIN forbids to fetch one.",
    ),
    // Settings.
    class(
        "environment/env-file",
        Note,
        "A setting made with `go env -w` holds on this machine only.",
    ),
    class(
        "environment/goflags",
        Note,
        "GOFLAGS is set here and nowhere else.",
    ),
    class(
        "environment/cgo",
        Note,
        "Settings for cgo hold on this machine only.",
    ),
    class(
        "environment/goproxy",
        Note,
        "Modules come from elsewhere here than they do for others.",
    ),
    class(
        "environment/gowork",
        Note,
        "GOWORK is set here and nowhere else.",
    ),
    // Platforms.
    class(
        "platform/does-not-compile",
        Error,
        "The code does not compile for a common platform.",
    ),
    class(
        "platform/excluded",
        Warning,
        "Build constraints leave no files of a package on a common platform.",
    ),
    class(
        "platform/cgo-needed",
        Error,
        "A package has no files without cgo, so it does not load without a C compiler.",
    ),
    // Code.
    class("code/does-not-load", Error, "A package cannot be loaded."),
    class(
        "code/does-not-build",
        Error,
        "A package does not compile, or a program does not link.",
    ),
    class("code/tests-fail", Error, "Tests fail."),
    class(
        "entries/near-miss",
        Warning,
        "Something is nearly a program, and is none.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    #[allow(clippy::disallowed_methods)] // tests stand outside of the session
    fn every_class_has_its_page_and_every_page_its_class() {
        let top = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
        let mut pages: BTreeSet<String> = std::fs::read_dir(format!("{top}docs/findings"))
            .unwrap()
            .map(|entry| {
                format!(
                    "docs/findings/{}",
                    entry.unwrap().file_name().to_string_lossy()
                )
            })
            .collect();
        pages.remove("docs/findings/README.md");
        let wanted: BTreeSet<String> = CLASSES.iter().map(Class::page).collect();
        assert_eq!(pages, wanted);
        for class in CLASSES {
            let text = std::fs::read_to_string(format!("{top}{}", class.page())).unwrap();
            assert!(
                text.starts_with(&format!("# {}\n", class.id)),
                "{}",
                class.id
            );
            assert!(text.len() > 300, "{} says too little", class.page());
        }
    }
}

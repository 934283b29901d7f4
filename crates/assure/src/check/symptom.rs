//! What go's words mean: the text of an error, which programs have depended on for years, read back into what it is about.

use steady_module::ModuleVersion;

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// go.work uses a directory without a go.mod.
    MemberMissing {
        /// As go.work has it, or absolute.
        dir: String,
    },
    /// There is no go.mod.
    NoGoMod,
    /// go.work, or a member, is for another Go than go.work says.
    WorkGoLine,
    /// go.work cannot be read or contradicts itself.
    WorkMalformed,
    /// go.mod or go.sum cannot be read.
    ModMalformed,
    /// Two members replace one module.
    ReplaceConflict {
        /// The module.
        old: String,
    },
    /// A sum is missing.
    SumMissing {
        /// The package or module that it is needed for.
        what: String,
    },
    /// A sum is another one.
    SumConflict {
        /// The module, if it is named.
        module: String,
    },
    /// go.mod would have to change.
    NotTidy {
        /// The package or module that asks for it; may be empty.
        what: String,
    },
    /// Nothing has a package.
    NoPackage {
        /// Import path.
        package: String,
    },
    /// vendor and go.mod do not agree.
    Vendoring,
    /// A replacement directory is not there.
    ReplacementMissing {
        /// What is replaced.
        module: String,
        /// The directory as written.
        dir: String,
    },
    /// Constraints leave no files.
    Excluded {
        /// The directory.
        dir: String,
    },
    /// A directory has no Go files.
    NoGoFiles {
        /// The directory.
        dir: String,
    },
    /// An embed pattern without files.
    Embed {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Import paths or files that differ in case only.
    CaseCollision,
    /// A newer Go is needed.
    TooNew {
        /// Who needs it.
        what: String,
        /// Which.
        version: String,
    },
    /// Two modules have a package.
    Ambiguous {
        /// Import path.
        package: String,
    },
    /// It is not at hand, and nobody was allowed to ask for it.
    NotHere {
        /// What would have been fetched.
        what: String,
    },
    /// A version that is not there.
    Unpublished {
        /// The module, if it is named.
        module: Option<ModuleVersion>,
    },
    /// Whoever was asked did not answer.
    Unreachable,
    /// Anything else.
    Other,
}

/// The text between two others.
fn between<'a>(text: &'a str, from: &str, to: &[&str]) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    let end = to
        .iter()
        .filter_map(|to| rest.find(to))
        .min()
        .unwrap_or(rest.len());
    Some(rest[..end].trim())
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

impl Symptom {
    /// Reads an error.
    #[must_use]
    pub fn of(text: &str) -> Symptom {
        if !text.contains("-offline: ") && !text.contains("-mod=vendor") {
            // Whatever kept it from being found: what was looked for is what is missing.
            let ends = [":", ";", "\n"];
            if let Some(package) = between(text, "cannot find module providing package ", &ends) {
                return Symptom::NoPackage {
                    package: package.to_owned(),
                };
            }
        }
        if let Some(what) = between(text, "-offline: would have fetched ", &["\n"])
            .or_else(|| between(text, "module lookup disabled by GOPROXY=", &["\n"]))
        {
            let what = what.to_owned();
            return Symptom::NotHere { what };
        }
        if text.contains("go.mod file not found in current directory") {
            return Symptom::NoGoMod;
        }
        None.or_else(|| of_workspace(text))
            .or_else(|| of_sums(text))
            .or_else(|| of_versions(text))
            .or_else(|| of_requirements(text))
            .or_else(|| of_files(text))
            .unwrap_or(Symptom::Other)
    }
}

fn of_workspace(text: &str) -> Option<Symptom> {
    let listed = between(text, "cannot load module ", &[" listed in go.work file"]);
    if let Some(dir) = listed.filter(|_| text.contains(" listed in go.work file: ")) {
        let missing =
            text.contains("no such file or directory") || text.contains("not a directory");
        return Some(match missing {
            true => Symptom::MemberMissing {
                dir: dir.to_owned(),
            },
            false => Symptom::ModMalformed,
        });
    }
    if text.contains("listed in go.work file requires go >=") {
        return Some(Symptom::WorkGoLine);
    }
    if let Some(old) = between(text, "conflicting replacements for ", &[":\n"]) {
        return Some(Symptom::ReplaceConflict {
            old: old.to_owned(),
        });
    }
    let malformed = [
        "errors parsing go.work",
        "error loading go.work",
        "appears multiple times in workspace",
        "is replaced at all versions in the go.work file",
        "reading go.work: ",
        "no modules were found in the current workspace",
        "invalid GOWORK",
    ];
    has_any(text, &malformed).then_some(Symptom::WorkMalformed)
}

/// Does any of the sayings stand in a text?
fn has_any(text: &str, sayings: &[&str]) -> bool {
    sayings.iter().any(|saying| text.contains(saying))
}

fn of_sums(text: &str) -> Option<Symptom> {
    if text.contains("checksum mismatch") || text.contains("SECURITY ERROR") {
        let module = between(text, "verifying ", &[": ", "\n"]).map(|module| {
            let module = module.strip_prefix("module ").unwrap_or(module);
            module.trim_end_matches("/go.mod")
        });
        return Some(Symptom::SumConflict {
            module: owned(module),
        });
    }
    if text.contains("malformed go.sum") {
        return Some(Symptom::ModMalformed);
    }
    let at = text.find("missing go.sum entry")?;
    let package = between(&text[at..], "package ", &[" ", ";", "\n"]);
    let module = || {
        let before = text[..at].trim_end_matches([':', ' ']);
        let word = before.rsplit([' ', '\n', '\t']).next().unwrap_or_default();
        let known = word.contains('@').then_some(word);
        let download = between(&text[at..], "go mod download ", &["\n"]);
        owned(download.or(known))
    };
    let what = package.map_or_else(module, str::to_owned);
    Some(Symptom::SumMissing { what })
}

fn of_versions(text: &str) -> Option<Symptom> {
    if let Some(version) = between(text, " requires go >= ", &[" ", "\n", ")"])
        .filter(|_| text.contains("(running go"))
    {
        let before = text.split(" requires go >= ").next().unwrap_or_default();
        let what = before.rsplit(['\n', '\t']).next().unwrap_or_default();
        return Some(Symptom::TooNew {
            what: what.trim_start_matches("module ").trim().to_owned(),
            version: version.to_owned(),
        });
    }
    if let Some(rest) = between(text, "(replaced by ", &["\n"])
        && (text.contains("no such file or directory") || text.contains("does not exist"))
        && let Some((dir, _)) = rest.split_once(')')
        && steady_module::modfile::is_directory_path(dir)
    {
        let before = text.split(" (replaced by ").next().unwrap_or_default();
        let module = before.rsplit([' ', '\n', '\t']).next().unwrap_or_default();
        return Some(Symptom::ReplacementMissing {
            module: module.to_owned(),
            dir: dir.to_owned(),
        });
    }
    if let Some(dir) = between(text, "replacement directory ", &[" does not exist"])
        .filter(|_| text.contains(" does not exist"))
    {
        return Some(Symptom::ReplacementMissing {
            module: String::new(),
            dir: dir.to_owned(),
        });
    }
    let unpublished = [
        "unknown revision",
        "404 Not Found",
        "410 Gone",
        "no matching versions",
        "invalid version",
        "Repository not found",
        ": not found",
        "no such file or directory\n\tserver response",
    ];
    let file_proxy = text.contains("reading file://") && text.contains("no such file or directory");
    if file_proxy || has_any(text, &unpublished) {
        let module = module_in(text);
        return Some(Symptom::Unpublished { module });
    }
    let unreachable = [
        "dial tcp",
        "no such host",
        "connection refused",
        "i/o timeout",
        "TLS handshake",
        "unrecognized import path",
        "could not read Username",
        "Permission denied (publickey)",
    ];
    has_any(text, &unreachable).then_some(Symptom::Unreachable)
}

/// The last word of the form `path@version`: what those before it led to.
#[must_use]
pub fn module_in(text: &str) -> Option<ModuleVersion> {
    let words = text.split([' ', '\n', '\t', ':', ',', '(', ')', '"']);
    let named = words.filter_map(|word| word.split_once('@'));
    let real = |(path, version): &(&str, &str)| {
        let numbered = version
            .strip_prefix('v')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        path.contains('.') && !path.contains("...") && !path.contains("//") && numbered
    };
    let mut named = named;
    let (path, version) = named.rfind(real)?;
    Some(ModuleVersion::new(
        path,
        version.trim_end_matches("/go.mod"),
    ))
}

fn of_requirements(text: &str) -> Option<Symptom> {
    if text.contains("inconsistent vendoring")
        || text.contains("disabled by -mod=vendor")
        || text.contains("due to -mod=vendor")
        || text.contains("is not in your vendor")
        || text.contains("/vendor)")
    {
        return Some(Symptom::Vendoring);
    }
    if let Some(package) = between(text, "ambiguous import: found package ", &[" in multiple"]) {
        return Some(Symptom::Ambiguous {
            package: package.to_owned(),
        });
    }
    if let Some(package) = between(text, " imports ", &[" from implicitly required module"])
        .filter(|_| text.contains("from implicitly required module"))
    {
        return Some(Symptom::NotTidy {
            what: package.to_owned(),
        });
    }
    if text.contains("updates to go.mod needed") || text.contains("updates to go.sum needed") {
        return Some(Symptom::NotTidy {
            what: String::new(),
        });
    }
    if let Some(package) = between(
        text,
        " provides package ",
        &[" and is replaced but not required"],
    )
    .filter(|_| text.contains("is replaced but not required"))
    {
        return Some(Symptom::NotTidy {
            what: package.to_owned(),
        });
    }
    let nowhere = [
        (
            "no required module provides package ",
            &[";", ":", "\n"][..],
        ),
        ("cannot find module providing package ", &[":", ";", "\n"]),
        ("missing module for import: ", &["\n"]),
        ("does not contain package ", &["\n", " "]),
    ];
    for (words, ends) in nowhere {
        if let Some(package) = between(text, words, ends) {
            let package = package.rsplit(' ').next().unwrap_or_default();
            return Some(Symptom::NoPackage {
                package: package.to_owned(),
            });
        }
    }
    if let Some(package) =
        between(text, "package ", &[" is not in std"]).filter(|_| text.contains(" is not in std"))
    {
        let package = package.rsplit([' ', '\n']).next().unwrap_or_default();
        return Some(Symptom::NoPackage {
            package: package.to_owned(),
        });
    }
    let malformed = [
        "errors parsing ",
        "error reading ",
        "error loading go.mod",
        "parsing go.mod: ",
    ];
    has_any(text, &malformed).then_some(Symptom::ModMalformed)
}

fn of_files(text: &str) -> Option<Symptom> {
    if let Some(dir) = between(text, "build constraints exclude all Go files in ", &["\n"]) {
        return Some(Symptom::Excluded {
            dir: dir.to_owned(),
        });
    }
    if let Some(dir) = between(text, "no Go files in ", &["\n"])
        .or_else(|| between(text, "no non-test Go files in ", &["\n"]))
    {
        return Some(Symptom::NoGoFiles {
            dir: dir.to_owned(),
        });
    }
    if text.contains("case-insensitive") {
        return Some(Symptom::CaseCollision);
    }
    let rest = between(text, "pattern ", &["\n"])?;
    let (pattern, reason) = rest.split_once(": ")?;
    let about = [
        "no matching files found",
        "cannot embed ",
        "no embeddable files",
        "invalid pattern",
    ];
    has_any(reason, &about).then(|| Symptom::Embed {
        pattern: pattern.to_owned(),
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_words_are_understood() {
        let package = |path: &str| Symptom::NoPackage {
            package: path.to_owned(),
        };
        let cases = [
            (
                "cannot load module b listed in go.work file: open b/go.mod: no such file or directory",
                Symptom::MemberMissing { dir: "b".into() },
            ),
            (
                "module a listed in go.work file requires go >= 1.25, but go.work lists go 1.24; to update it:\n\tgo work use",
                Symptom::WorkGoLine,
            ),
            (
                "conflicting replacements for example.com/x:\n\t/a\n\t/b\nuse",
                Symptom::ReplaceConflict {
                    old: "example.com/x".into(),
                },
            ),
            (
                "missing go.sum entry for module providing package example.com/a/b (imported by m); to add:\n\tgo get m",
                Symptom::SumMissing {
                    what: "example.com/a/b".into(),
                },
            ),
            (
                "example.com/a@v1.0.0: missing go.sum entry for go.mod file; to add it:\n\tgo mod download example.com/a",
                Symptom::SumMissing {
                    what: "example.com/a".into(),
                },
            ),
            (
                "verifying example.com/a@v1.0.0: checksum mismatch\n\tdownloaded: x",
                Symptom::SumConflict {
                    module: "example.com/a@v1.0.0".into(),
                },
            ),
            (
                "no required module provides package example.com/a/b; to add it:\n\tgo get example.com/a/b",
                package("example.com/a/b"),
            ),
            (
                "package foo/bar is not in std (/usr/go/src/foo/bar)",
                package("foo/bar"),
            ),
            (
                "module example.com/a@latest found (v1.0.0), but does not contain package example.com/a/b",
                package("example.com/a/b"),
            ),
            (
                "example.com/a@v1.0.0 (replaced by ../a): reading ../a/go.mod: open /x/a/go.mod: no such file or directory",
                Symptom::ReplacementMissing {
                    module: "example.com/a@v1.0.0".into(),
                    dir: "../a".into(),
                },
            ),
            (
                "build constraints exclude all Go files in /x/p",
                Symptom::Excluded { dir: "/x/p".into() },
            ),
            (
                "pattern a/*: no matching files found",
                Symptom::Embed {
                    pattern: "a/*".into(),
                    reason: "no matching files found".into(),
                },
            ),
            (
                "module . requires go >= 1.30 (running go 1.26.8; GOTOOLCHAIN=local)",
                Symptom::TooNew {
                    what: ".".into(),
                    version: "1.30".into(),
                },
            ),
            (
                "example.com/a@v1.2.3: reading file:///p/example.com/a/@v/v1.2.3.mod: no such file or directory",
                Symptom::Unpublished {
                    module: Some(ModuleVersion::new("example.com/a", "v1.2.3")),
                },
            ),
            (
                "use of internal package a/internal/b not allowed",
                Symptom::Other,
            ),
        ];
        for (text, symptom) in cases {
            assert_eq!(Symptom::of(text), symptom, "{text}");
        }
    }
}

//! Errors about go.mod, go.work, vendor/ and which modules a build takes.

use super::{Known, Look};

pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "replacement-missing",
        pattern: r"(\S+?)(?:@(\S+))?(?: \(replaced by (\S+?)\): reading [^\n]*: no such file or directory|: replacement directory (\S+) does not exist)",
        cause: "A replace line puts a directory in the place of $1, and that directory is not there: it lies outside of the repository, or was not cloned with it. It is there on the machine of whoever wrote the line.",
        looks: &[Look::GoMod("$1")],
        fixes: &[
            (
                "steady mod edit -dropreplace=$1",
                "builds with the version that go.mod requires, as everybody else does",
            ),
            (
                "steady work init . DIRECTORY",
                "if both are worked on at once: a go.work of your own, which is not committed",
            ),
            ("steady check", "shows where else the line breaks"),
        ],
    },
    Known {
        name: "ambiguous-import",
        pattern: r"ambiguous import: found package (\S+) in multiple modules:",
        cause: "Two modules of the graph have a package $1: mostly an old module that was split up, of which one version still holds what \
                the new module has too.",
        looks: &[Look::Providers("$1")],
        fixes: &[
            (
                "steady mod why -m MODULE",
                "shows who needs the older of the two",
            ),
            (
                "steady get MODULE@latest",
                "for the parent module: later versions no longer have the package",
            ),
            ("steady get MODULE@none", "if nobody needs it any more"),
        ],
    },
    Known {
        name: "vendor-inconsistent",
        pattern: r"inconsistent vendoring(?:[^\n]*\n\s+(\S+?)(?:@\S+)?: [^\n]*)?",
        cause: "go.mod and vendor/modules.txt do not say the same: go.mod was changed and `mod vendor` was not run, or only one of the two \
                was committed.",
        looks: &[
            Look::GoMod("$1"),
            Look::Vendor("$1"),
            Look::Variables(&["GOFLAGS", "GOWORK"]),
        ],
        fixes: &[
            (
                "steady mod vendor",
                "makes vendor/ again from go.mod (`steady work vendor` in a workspace)",
            ),
            (
                "steady build -mod=mod ./...",
                "leaves vendor/ aside, this time",
            ),
        ],
    },
    Known {
        name: "unknown-revision",
        pattern: r"(\S+?)@(\S+?): invalid version: unknown revision (\S+)",
        cause: "The repository of $1 has no $3: the tag or commit was never pushed, was removed, or lies on a branch that is gone.",
        looks: &[Look::GoMod("$1"), Look::Selected("$1")],
        fixes: &[
            (
                "steady list -m -versions $1",
                "shows which versions there are",
            ),
            ("steady get $1@latest", "takes the newest of them"),
        ],
    },
    Known {
        name: "major-version-path",
        pattern: r"(\S+?)@(\S+?): invalid version: (?:module contains a go\.mod file, so module path must match major version|go\.mod has (?:non-\S+|post-v1|malformed) module path|should be v0 or v1, not v\d+)",
        cause: "From v2 on the major version is part of a module's path. $2 was asked for under the path $1, which is not its path.",
        looks: &[Look::GoMod("$1")],
        fixes: &[(
            "",
            "import and require it with the major version at the end of the path, such as …/v2",
        )],
    },
    Known {
        name: "path-declared-otherwise",
        pattern: r"module declares its path as:\s+(\S+)\s+but was required as:\s+(\S+)",
        cause: "The module at $2 calls itself $1: it was renamed or moved, or a fork is required without a replace line.",
        looks: &[Look::GoMod("$2")],
        fixes: &[
            (
                "steady get $1@latest",
                "if it was renamed: use its own path in imports too",
            ),
            (
                "steady mod edit -replace=$1=$2@VERSION",
                "if $2 is a fork of $1: require the original, replaced by the fork",
            ),
        ],
    },
    Known {
        name: "replace-conflict",
        pattern: r"conflicting replacements (?:found )?for (\S+?):?\s",
        cause: "Members of the workspace replace $1 by different things; one run can have only one.",
        looks: &[Look::GoMod("$1")],
        fixes: &[
            (
                "steady explain replace",
                "shows all lines and which of them count",
            ),
            (
                "steady work edit -replace=$1=…",
                "go.work's own line decides for all members",
            ),
        ],
    },
    Known {
        name: "install-refused",
        pattern: r"(?:\(in (\S+?)\):\s+)?The go\.mod file for the module providing named packages contains one or\s+more (replace|exclude) directives",
        cause: "`install pkg@version` builds a module as everybody sees it, and refuses one whose go.mod has $2 lines, since they would \
                change what is built only for some.",
        looks: &[Look::Cached("$1", "$2")],
        fixes: &[
            (
                "git clone … && steady install ./cmd/…",
                "as its own main module, where its lines count",
            ),
            ("", "its author can drop the $2 lines and release again"),
        ],
    },
    Known {
        name: "not-a-member",
        pattern: r"(?:current directory|directory (\S+)|main module) (?:is contained in a module|\(?\S*\)? ?outside modules? listed in go\.work|is contained in a module that is not one of the workspace modules)[^\n]*",
        cause: "A go.work file is in force, and the module here is not one of those that it uses.",
        looks: &[Look::Variables(&["GOWORK"]), Look::GoMod("use")],
        fixes: &[
            ("steady work use .", "makes it a member"),
            (
                "GOWORK=off steady build ./...",
                "leaves the workspace aside, this time",
            ),
        ],
    },
    Known {
        name: "no-packages-at-root",
        pattern: r"pattern (\S+): directory prefix (\S+) does not contain (?:modules listed in go\.work|main module)[^\n]*",
        cause: "The pattern $1 means packages of a module at $2, and there is none: the modules lie below.",
        looks: &[Look::Variables(&["GOWORK"])],
        fixes: &[
            (
                "steady build ./...",
                "Steady takes ./... at the root of a workspace as the packages of all members; go does not",
            ),
            ("go build ./MEMBER/...", "with go, name the members"),
        ],
    },
    Known {
        name: "no-go-mod",
        pattern: r"go\.mod file not found in current directory or any parent directory|cannot find main module",
        cause: "There is no go.mod here or in any directory above, so there is no main module.",
        looks: &[Look::Variables(&["GO111MODULE", "GOWORK", "GOFLAGS"])],
        fixes: &[
            ("steady mod init MODULE/PATH", "begins a module here"),
            ("cd …", "if the module lies elsewhere"),
        ],
    },
    Known {
        name: "updates-needed",
        pattern: r"updates to go\.(mod|sum|work) needed",
        cause: "What the packages need is not what go.$1 says, and this command may not change it (-mod=readonly is the default).",
        looks: &[Look::Variables(&["GOFLAGS"])],
        fixes: &[(
            "steady mod tidy",
            "brings go.mod and go.sum up to date; commit both",
        )],
    },
    Known {
        name: "no-required-module",
        pattern: r"no required module provides package (\S+?)[;:\s]",
        cause: "A file imports $1, and no module that go.mod requires has that package.",
        looks: &[Look::Providers("$1")],
        fixes: &[
            (
                "steady get $1",
                "adds the module that has it, at its newest version",
            ),
            ("steady mod tidy", "adds everything that is missing"),
        ],
    },
    Known {
        name: "module-lacks-package",
        pattern: r"module (\S+?)@?(\S*) found(?: \([^)]*\))?, but does not contain package (\S+)",
        cause: "The module $1 is required, and the package $3 is not in the version that is used: it was moved or removed, or is not there \
                yet.",
        looks: &[Look::Selected("$1"), Look::GoMod("$1")],
        fixes: &[
            ("steady list -m -versions $1", "shows other versions"),
            (
                "steady explain version $1",
                "shows who asks for the version in use",
            ),
        ],
    },
    Known {
        name: "go-line-form",
        pattern: r"invalid go version '([^']+)': must match format (\S+)",
        cause: "The go line says $1. A Go release before 1.21 reads two numbers alone (1.20), later ones also three (1.21.0): either the line is mistyped, or the Go that says this is older than the module.",
        looks: &[
            Look::GoMod("go"),
            Look::Variables(&["GOROOT", "GOTOOLCHAIN"]),
        ],
        fixes: &[
            (
                "steady version",
                "shows which release runs here: 1.21 and later fetch a newer one themselves",
            ),
            (
                "steady mod edit -go=1.24",
                "if the line is mistyped: two numbers, or three from 1.21 on",
            ),
        ],
    },
    Known {
        name: "directive-too-new",
        pattern: r"unknown directive: (toolchain|tool|godebug|ignore)\b",
        cause: "The Go that says this does not know the line `$1` of go.mod yet: it is older than the module.",
        looks: &[
            Look::GoMod("go"),
            Look::GoMod("$1"),
            Look::Variables(&["GOROOT", "GOTOOLCHAIN"]),
        ],
        fixes: &[(
            "steady version",
            "shows which release runs here: 1.21 and later fetch a newer one themselves",
        )],
    },
    Known {
        name: "major-version-path",
        pattern: r"require (\S+?): version \x22(\S+?)\x22 invalid: should be v0 or v1, not v\d+",
        cause: "From v2 on the major version is part of a module's path. $2 was asked for under the path $1, which is not its path.",
        looks: &[Look::GoMod("$1")],
        fixes: &[(
            "steady mod edit -droprequire=$1",
            "then import it with the major version at the end of the path, such as …/v2, and run steady mod tidy",
        )],
    },
    Known {
        name: "go-mod-syntax",
        pattern: r"errors parsing (?:\S+/)?(go\.(?:mod|work)):\s+(\S+?):(\d+)(?::\d+)?: ([^\n]*)",
        cause: "$2 cannot be read, line $3: $4.",
        looks: &[Look::Conflicts],
        fixes: &[(
            "",
            "mend the line; after a merge keep both sides' requirements and run `steady mod tidy`",
        )],
    },
    Known {
        name: "version-conflict",
        pattern: r"(\S+?)@(\S+?) requires (\S+?)@(\S+?), (?:not|but) [^\n]*",
        cause: "$1@$2 needs $3 at $4 or later, which does not go with what was asked for.",
        looks: &[Look::Selected("$3"), Look::GoMod("$3")],
        fixes: &[(
            "steady explain version $3",
            "shows who asks for which version",
        )],
    },
    Known {
        name: "member-missing",
        pattern: r"cannot load module (\S+) listed in go\.work file: open (\S+): no such file or directory",
        cause: "go.work uses the directory $1, and there is no module in it: it was not cloned, or was moved or removed.",
        looks: &[
            Look::GoMod("./$1"),
            Look::GoMod("$1"),
            Look::Variables(&["GOWORK"]),
        ],
        fixes: &[
            (
                "steady work edit -dropuse=./$1",
                "if it is no longer part of the workspace",
            ),
            (
                "GOWORK=off steady build ./...",
                "leaves the workspace aside, this time",
            ),
        ],
    },
    Known {
        name: "member-newer",
        pattern: r"module (\S+) listed in go\.work file requires go >= (\S+?), but go\.work lists go (\S+?);",
        cause: "The member $1 asks for Go $2, and go.work for $3 alone. A workspace must ask for the newest that one of its members asks for.",
        looks: &[Look::GoMod("go")],
        fixes: &[(
            "steady work use",
            "raises the go line of go.work to that of its members",
        )],
    },
    Known {
        name: "lookup-disabled",
        pattern: r"cannot find module providing package (\S+?): import lookup disabled by -mod=(\w+)|cannot query module due to -mod=(\w+)|(can't compute 'all' using the vendor directory)",
        cause: "With a vendor directory only what is in it counts, and nothing is looked up or added: what is asked for here is not in it.",
        looks: &[
            Look::Vendor("$1"),
            Look::Variables(&["GOFLAGS", "GOWORK"]),
            Look::GoMod("go"),
        ],
        fixes: &[
            (
                "steady get $1 && steady mod vendor",
                "if a file imports a package that is new: requires its module, then vendors it",
            ),
            (
                "steady list -mod=mod -m all",
                "leaves vendor/ aside, this time",
            ),
        ],
    },
    Known {
        name: "replaced-not-required",
        pattern: r"module (\S+) provides package (\S+) and is replaced but not required",
        cause: "A replace line alone brings no module in: it only says what stands in for $1 if something requires that.",
        looks: &[Look::GoMod("$1")],
        fixes: &[(
            "steady get $1",
            "requires it; the replace line then decides what is taken",
        )],
    },
    Known {
        name: "module-path",
        pattern: r"malformed (?:module|import) path \x22([^\x22]*)\x22: (?:missing dot in first path element|[^\n]*)",
        cause: "$1 cannot be the path of a module that is fetched: its first element must be a host name with a dot, and only some characters may be in it.",
        looks: &[Look::GoMod("$1")],
        fixes: &[
            (
                "steady mod edit -require=$1@v0.0.0 -replace=$1=../DIRECTORY",
                "if it is a module of your own beside this one",
            ),
            ("", "else give the whole path, with the host before it"),
        ],
    },
    Known {
        name: "pseudo-version",
        pattern: r"(\S+?)@(\S+?): invalid pseudo-version: ([^\n]*)",
        cause: "$2 does not fit the commit that it names ($3): it was written by hand, or the commit was rewritten since.",
        looks: &[Look::GoMod("$1")],
        fixes: &[(
            "steady get $1@COMMIT",
            "makes the right version from a commit, a branch or a tag",
        )],
    },
];

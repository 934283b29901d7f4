//! The table of errors: narrow patterns first.

/// One kind of error.
pub struct Known {
    /// Its name, stable.
    pub name: &'static str,
    /// What its text looks like; the parts that differ are groups.
    pub pattern: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// What to look at.
    pub looks: &'static [Look],
    /// Commands (empty: none does it) and when each is right. The first is the one for most.
    pub fixes: &'static [(&'static str, &'static str)],
}

/// Something to look at; texts may hold `$1`.
pub enum Look {
    /// Lines of go.sum and go.work.sum about a version of a module.
    Sums(&'static str, &'static str),
    /// Lines of go.mod and go.work with a word.
    GoMod(&'static str),
    /// Lines of vendor/modules.txt with a word.
    Vendor(&'static str),
    /// Marks of a merge that nobody finished.
    Conflicts,
    /// Variables, and who set them.
    Variables(&'static [&'static str]),
    /// The version in use of a module.
    Selected(&'static str),
    /// Modules of the graph that could have a package.
    Providers(&'static str),
}

const PRIVATE: &[&str] = &["GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOPROXY", "GOSUMDB"];
const NETWORK: &[&str] = &["GOPROXY", "GOSUMDB", "HTTPS_PROXY", "NO_PROXY"];
const VERSIONS: &[&str] = &["GOTOOLCHAIN", "GOROOT"];

/// All kinds, the narrow before the wide.
pub const KNOWN: &[Known] = &[
    Known {
        name: "sum-mismatch",
        pattern: r"(?s)verifying (\S+)@([^\s:]+)[^\n]*: checksum mismatch\s+downloaded:\s+(\S+)\s+\S*go\.sum:\s+(\S+)",
        cause: "What was downloaded for $1@$2 has the sum $3, and go.sum says $4. Either the tag was moved after go.sum was written \
                (re-pushed), or the proxy and the repository serve different files, or go.sum was edited or merged by hand, or somebody \
                tampers with the download.",
        looks: &[
            Look::Sums("$1", "$2"),
            Look::Conflicts,
            Look::Variables(PRIVATE),
        ],
        fixes: &[
            (
                "steady explain sum $1@$2",
                "shows which of the two sums the checksum database vouches for",
            ),
            (
                "steady get $1@latest",
                "if the tag was re-pushed: take a version that nobody moved",
            ),
            (
                "git checkout -- go.sum",
                "if go.sum was edited or merged by hand and the committed one is right",
            ),
        ],
    },
    Known {
        name: "sum-database-mismatch",
        pattern: r"(?s)verifying (\S+)@([^\s:]+)[^\n]*: checksum mismatch\s+downloaded:\s+(\S+)\s+(\S+):\s+(\S+)",
        cause: "The checksum database $4 has another sum for $1@$2 than what was downloaded: the author moved the tag after the database \
                had seen it, or the proxy that was asked serves something else. Nothing of it is used.",
        looks: &[Look::Sums("$1", "$2"), Look::Variables(PRIVATE)],
        fixes: &[
            (
                "steady get $1@latest",
                "take a version that nobody moved; ask the author for a new tag",
            ),
            (
                "steady env -w GONOSUMDB=$1",
                "only if the module is private and the database should never have seen it",
            ),
        ],
    },
    Known {
        name: "sum-mismatch",
        pattern: r"verifying (\S+)@([^\s:]+)[^\n]*: checksum mismatch",
        cause: "What was downloaded for $1@$2 is not what its recorded sum says: a moved tag, a go.sum that was edited or merged by hand, \
                or a proxy that serves something else.",
        looks: &[
            Look::Sums("$1", "$2"),
            Look::Conflicts,
            Look::Variables(PRIVATE),
        ],
        fixes: &[(
            "steady explain sum $1@$2",
            "shows where each sum comes from and which is vouched for",
        )],
    },
    Known {
        name: "sum-missing",
        pattern: r"missing go\.sum entry for (?:module providing package (\S+)|go\.mod file)",
        cause: "go.mod asks for a module whose sum nobody has recorded, and a build records none. go.mod was edited without `mod tidy`, \
                or go.sum was not committed with it.",
        looks: &[Look::Providers("$1")],
        fixes: &[
            (
                "steady mod tidy",
                "records what is missing, and drops what is surplus",
            ),
            (
                "steady mod download",
                "records sums and leaves go.mod as it is",
            ),
            (
                "git log -1 -- go.sum go.mod",
                "shows whether both were committed together",
            ),
        ],
    },
    Known {
        name: "sum-malformed",
        pattern: r"malformed go\.sum:\s+(\S+?):(\d+)",
        cause: "Line $2 of $1 is no sum: mostly the marks of a merge that nobody finished.",
        looks: &[Look::Conflicts],
        fixes: &[(
            "steady mod tidy",
            "after the marks are gone and both sides' lines are kept: it drops what is surplus",
        )],
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
        pattern: r"inconsistent vendoring",
        cause: "go.mod and vendor/modules.txt do not say the same: go.mod was changed and `mod vendor` was not run, or only one of the two \
                was committed.",
        looks: &[
            Look::Vendor("explicit"),
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
        name: "gone",
        pattern: r"(\S+?)(?:@(\S+?))?: reading [^\n]*: 410 Gone",
        cause: "The proxy does not have $1, or may not show it. Private modules look like this: a public proxy cannot see them.",
        looks: &[Look::Variables(PRIVATE)],
        fixes: &[
            (
                "steady env -w GOPRIVATE=$1",
                "if the module is private: it is then fetched from its repository and never looked up in public",
            ),
            (
                "steady list -m -versions $1",
                "if it is public: shows which versions there are",
            ),
        ],
    },
    Known {
        name: "credentials",
        pattern: r"could not read Username for '([^']+)': terminal prompts disabled",
        cause: "git wants a password for $1 and has nobody to ask: no credentials are configured for it.",
        looks: &[Look::Variables(&[
            "GOPRIVATE",
            "GOAUTH",
            "GIT_TERMINAL_PROMPT",
        ])],
        fixes: &[
            (
                "git config --global url.ssh://git@HOST/.insteadOf $1/",
                "if you have an SSH key there",
            ),
            (
                "steady help goauth",
                "tokens: .netrc, git's credential helpers or a command, as GOAUTH says",
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
        pattern: r"The go\.mod file for the module providing named packages contains one or\s+more (replace|exclude) directives",
        cause: "`install pkg@version` builds a module as everybody sees it, and refuses one whose go.mod has $1 lines, since they would \
                change what is built only for some.",
        looks: &[],
        fixes: &[
            (
                "git clone … && steady install ./cmd/…",
                "as its own main module, where its lines count",
            ),
            ("", "its author can drop the $1 lines and release again"),
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
        name: "not-in-std",
        pattern: r"package (\S+) is not in std \(([^)]*)\)",
        cause: "An import path whose first element has no dot is taken for the standard library's, and it has no $1. Either the path lacks \
                its module's beginning, or the toolchain is older than the package.",
        looks: &[Look::Variables(VERSIONS), Look::GoMod("module")],
        fixes: &[
            (
                "",
                "if the package is your own: import it as MODULE/PATH/$1, with the module's path before it",
            ),
            ("steady get go@latest", "if it came with a later Go release"),
        ],
    },
    Known {
        name: "go-too-old",
        pattern: r"requires go >= (\S+?) \(running go ([^;)]+)(?:; (GOTOOLCHAIN=\S+?))?\)",
        cause: "A go.mod asks for Go $1 or later, this is $2, and $3 keeps another toolchain from being taken.",
        looks: &[
            Look::Variables(VERSIONS),
            Look::GoMod("go"),
            Look::GoMod("toolchain"),
        ],
        fixes: &[
            (
                "steady explain version go",
                "shows which module asks for that release",
            ),
            (
                "steady env -u GOTOOLCHAIN",
                "lets Steady fetch the release that is asked for",
            ),
        ],
    },
    Known {
        name: "toolchain-not-available",
        pattern: r"(?:download (\S+)[^\n]*: )?toolchain not available",
        cause: "The Go release that go.mod or GOTOOLCHAIN names is not to be had for this platform, or was never published.",
        looks: &[
            Look::Variables(VERSIONS),
            Look::GoMod("toolchain"),
            Look::GoMod("go"),
        ],
        fixes: &[
            (
                "steady mod edit -toolchain=none",
                "if the toolchain line names a release that there is not",
            ),
            (
                "steady list -m -versions go",
                "shows the releases that there are",
            ),
        ],
    },
    Known {
        name: "certificate",
        pattern: r"x509: certificate signed by unknown authority|tls: failed to verify certificate",
        cause: "The server's certificate is signed by somebody whom this machine does not trust: mostly a company's own proxy or \
                repository, whose certificate authority is not in the system's store.",
        looks: &[Look::Variables(&[
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "GOINSECURE",
            "GOPROXY",
        ])],
        fixes: &[
            (
                "SSL_CERT_FILE=/path/to/ca.pem steady …",
                "with the company's certificate authority",
            ),
            (
                "steady help private",
                "GOINSECURE switches the check off for some modules; last resort",
            ),
        ],
    },
    Known {
        name: "unreachable",
        pattern: r"dial tcp[^\n]*(?:connection refused|no such host|i/o timeout|network is unreachable)|TLS handshake timeout",
        cause: "The server cannot be reached from here: no network, a firewall, or a forward proxy that is not set.",
        looks: &[Look::Variables(NETWORK)],
        fixes: &[
            (
                "steady build -offline ./...",
                "says whether everything that is needed is there already",
            ),
            (
                "steady mod vendor",
                "on a machine with network: takes dependencies into the repository",
            ),
        ],
    },
    Known {
        name: "not-found",
        pattern: r"(\S+?)(?:@(\S+?))?: reading [^\n]*: 404 Not Found|(?:repository|module) (\S+)[^\n]*: not found",
        cause: "Neither the proxy nor the repository has $1: the path is mistyped, the repository was removed or renamed, or it is private.",
        looks: &[Look::GoMod("$1"), Look::Variables(PRIVATE)],
        fixes: &[
            ("steady env -w GOPRIVATE=$1", "if it is private"),
            ("steady mod why -m $1", "shows who needs it"),
        ],
    },
    Known {
        name: "import-cycle",
        pattern: r"import cycle not allowed",
        cause: "Packages import one another in a circle, and Go builds a package only after all that it imports.",
        looks: &[],
        fixes: &[(
            "",
            "move what both need into a third package, or let one take an interface that the other satisfies",
        )],
    },
    Known {
        name: "internal",
        pattern: r"use of internal package (\S+) not allowed",
        cause: "$1 lies below a directory `internal`: only packages below that directory's parent may import it.",
        looks: &[Look::Providers("$1")],
        fixes: &[(
            "",
            "use the module's public packages, or move the importing package below the same parent",
        )],
    },
    Known {
        name: "constraints-exclude-all",
        pattern: r"build constraints exclude all Go files in (\S+)",
        cause: "The package in $1 has Go files, and for this GOOS, GOARCH, cgo setting and these tags none of them counts.",
        looks: &[Look::Variables(&[
            "GOOS",
            "GOARCH",
            "CGO_ENABLED",
            "GOFLAGS",
            "CC",
        ])],
        fixes: &[
            (
                "steady entries -platform all",
                "shows where each program can be built",
            ),
            (
                "CGO_ENABLED=1 steady build …",
                "if all files are cgo's: it needs a C compiler, and is off when cross-compiling",
            ),
            (
                "steady list -f '{{.IgnoredGoFiles}}' $1",
                "shows the files that were left out",
            ),
        ],
    },
    Known {
        name: "import-of-program",
        pattern: r"import \x22([^\x22]+)\x22 is a program, not an importable package",
        cause: "$1 is package main; programs cannot be imported.",
        looks: &[],
        fixes: &[("", "move what you need from it into a package of its own")],
    },
    Known {
        name: "main-undeclared",
        pattern: r"function main is undeclared in the main package",
        cause: "The package is called main and none of the files that count here has `func main()`.",
        looks: &[],
        fixes: &[
            (
                "steady entries",
                "shows the near miss: another name, a parameter, a file that constraints leave out",
            ),
            (
                "steady run .",
                "if only some files were named: main.go alone is not the package",
            ),
        ],
    },
    Known {
        name: "not-main",
        pattern: r"package (\S+) is not a main package",
        cause: "Only package main is a program, and $1 is a library.",
        looks: &[],
        fixes: &[("steady entries", "shows the programs that there are")],
    },
    Known {
        name: "embed-nothing",
        pattern: r"pattern (\S+): no matching files found",
        cause: "A //go:embed line names $1, and no such file is there: it is generated and was not made yet, is ignored by version control, or \
                lies in a nested module.",
        looks: &[],
        fixes: &[
            (
                "git status --ignored",
                "shows whether it is kept out of the repository",
            ),
            ("steady generate ./...", "if it is generated"),
        ],
    },
    Known {
        name: "several-packages",
        pattern: r"found packages (\S+) \(([^)]+)\) and (\S+) \(([^)]+)\) in (\S+)",
        cause: "The files of one directory must be of one package: $2 says $1, and $4 says $3.",
        looks: &[],
        fixes: &[(
            "",
            "rename one, move it to another directory, or give it //go:build ignore if it is run on its own",
        )],
    },
    Known {
        name: "no-go-files",
        pattern: r"no (?:non-test )?Go files in (\S+)",
        cause: "There is no package in $1: no Go files, or tests alone.",
        looks: &[],
        fixes: &[("steady build ./...", "packages below are named with ./...")],
    },
    Known {
        name: "no-c-compiler",
        pattern: r"cgo: C compiler \x22([^\x22]+)\x22 not found|exec: \x22(gcc|clang|cc)\x22: executable file not found",
        cause: "A package uses cgo, and there is no C compiler here.",
        looks: &[Look::Variables(&["CC", "CGO_ENABLED"])],
        fixes: &[
            (
                "CGO_ENABLED=0 steady build …",
                "if the package has a pure Go side",
            ),
            (
                "",
                "or install a C compiler, and name it in CC if it is called otherwise",
            ),
        ],
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
        name: "disk-full",
        pattern: r"no space left on device",
        cause: "The disk that holds the caches, the temporary directory or the output is full.",
        looks: &[Look::Variables(&[
            "GOCACHE",
            "GOMODCACHE",
            "GOTMPDIR",
            "TMPDIR",
        ])],
        fixes: &[
            (
                "steady clean -cache",
                "frees the build cache; it fills again as needed",
            ),
            (
                "steady clean -modcache",
                "frees the module cache; modules are fetched again",
            ),
        ],
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
];

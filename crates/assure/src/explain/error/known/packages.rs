//! Errors about packages and their files.

use super::{Known, Look, VERSIONS};

pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "not-in-std",
        pattern: r"package (\S+) is not in (?:std|GOROOT) \(([^)]*)\)",
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
        name: "import-cycle",
        pattern: r"((?:[^\n]*imports \S+ from [^\n]*\n)*[^\n]*): import cycle not allowed",
        cause: "Packages import one another in a circle, and Go builds a package only after all that it imports.",
        looks: &[Look::Imports("$1")],
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
        looks: &[Look::Programs],
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
        looks: &[Look::Programs],
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
        looks: &[Look::Clause("$5", "$2"), Look::Clause("$5", "$4")],
        fixes: &[(
            "",
            "rename one, move it to another directory, or give it //go:build ignore if it is run on its own",
        )],
    },
    Known {
        name: "no-directory",
        pattern: r"stat (\S+): directory not found",
        cause: "A path was given that begins with ./ or /, so it names a directory, and there is no $1.",
        looks: &[Look::Dir("$1")],
        fixes: &[
            (
                "steady list ./...",
                "shows the packages below the current directory",
            ),
            (
                "",
                "a package of another module is named by its import path, without ./ before it",
            ),
        ],
    },
    Known {
        name: "only-tests",
        pattern: r"no non-test Go files in (\S+)",
        cause: "The package in $1 consists of test files, which can be tested and not built.",
        looks: &[Look::Dir("$1")],
        fixes: &[
            ("steady test $1", "runs its tests"),
            (
                "",
                "to build it, let what is no test stand in a file whose name does not end in _test.go",
            ),
        ],
    },
    Known {
        name: "no-go-files",
        pattern: r"no Go files in (\S+)",
        cause: "There is no package in $1: no Go files, but perhaps in directories below.",
        looks: &[Look::Dir("$1")],
        fixes: &[("steady build ./...", "packages below are named with ./...")],
    },
    Known {
        name: "case-collision",
        pattern: r"case-insensitive import collision: \x22([^\x22]+)\x22 and \x22([^\x22]+)\x22",
        cause: "$1 and $2 differ in upper and lower case alone, and one program cannot have both: on some file systems they are one directory.",
        looks: &[Look::GoMod("$1"), Look::GoMod("$2")],
        fixes: &[
            ("steady mod why -m $2", "shows who needs the other spelling"),
            (
                "",
                "use one spelling everywhere: that of the module line in its go.mod",
            ),
        ],
    },
    Known {
        name: "gopath-mode",
        pattern: r"cannot find package \x22([^\x22]+)\x22 in any of:|modules disabled by GO111MODULE=off",
        cause: "Modules are switched off: packages are looked for in GOROOT and GOPATH alone, and nothing is fetched.",
        looks: &[Look::Variables(&["GO111MODULE", "GOPATH", "GOFLAGS"])],
        fixes: &[(
            "steady env -u GO111MODULE",
            "switches modules on again (and unset it in the environment)",
        )],
    },
    Known {
        name: "output-exists",
        pattern: r"build output \x22([^\x22]+)\x22 already exists and is (a directory|not an object file)",
        cause: "The program would be written to $1, and what stands there is $2, which is not overwritten.",
        looks: &[Look::Dir("$1")],
        fixes: &[(
            "steady build -o bin/ …",
            "writes it elsewhere: a directory if the name ends in /",
        )],
    },
];

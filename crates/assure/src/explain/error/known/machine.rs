//! Errors of toolchains, caches and the machine.

use super::{Known, Look, VERSIONS};

pub(super) const KNOWN: &[Known] = &[
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
        name: "tool-version",
        pattern: r"(\w+): version \x22([^\x22]+)\x22 does not match go tool version \x22([^\x22]+)\x22",
        cause: "The go command is $3 and the $1 that it runs is $2: GOROOT or GOTOOLDIR point into another installation, or one was unpacked over the other.",
        looks: &[Look::Variables(&[
            "GOROOT",
            "GOTOOLDIR",
            "GOTOOLCHAIN",
            "PATH",
        ])],
        fixes: &[
            (
                "unset GOROOT && steady env -u GOROOT",
                "lets each go command use its own tools",
            ),
            (
                "steady verify -links toolchain",
                "shows whether the installation is what was released",
            ),
        ],
    },
    Known {
        name: "goroot",
        pattern: r"cannot find GOROOT directory: (\S+)|no such tool \x22(\S+)\x22",
        cause: "GOROOT does not lead to a complete Go installation.",
        looks: &[Look::Variables(&["GOROOT", "GOTOOLCHAIN"])],
        fixes: &[(
            "unset GOROOT && steady env -u GOROOT",
            "lets the toolchain be found, or fetched",
        )],
    },
    Known {
        name: "dubious-ownership",
        pattern: r"detected dubious ownership in repository at '([^']+)'",
        cause: "The directory $1 belongs to another user, and git does not look into such repositories: in containers and in CI mostly a mounted or checked out tree.",
        looks: &[Look::Variables(&["GOFLAGS"])],
        fixes: &[
            (
                "git config --global --add safe.directory $1",
                "if the repository is yours",
            ),
            (
                "steady build -buildvcs=false",
                "leaves out which commit the program is from",
            ),
        ],
    },
    Known {
        name: "vcs-status",
        pattern: r"error obtaining VCS status: ([^\n]*)",
        cause: "A program is stamped with the commit that it is from, and the version control of this directory could not be asked ($1): it is not installed, the repository is broken or shallow, or belongs to another user.",
        looks: &[Look::Variables(&["GOFLAGS", "PATH"])],
        fixes: &[
            ("git status", "shows what git itself says"),
            ("steady build -buildvcs=false", "leaves the stamp out"),
        ],
    },
    Known {
        name: "no-home",
        pattern: r"GOCACHE is not defined and neither \S+ nor \S+ are defined|module cache not found: neither GOMODCACHE nor GOPATH is set",
        cause: "Nobody says where caches belong: HOME is not set, as in services, cron and bare containers.",
        looks: &[Look::Variables(&[
            "HOME",
            "GOCACHE",
            "GOMODCACHE",
            "GOPATH",
            "XDG_CACHE_HOME",
        ])],
        fixes: &[
            (
                "HOME=/var/lib/NAME steady build ./...",
                "a home that lasts, so that the caches do",
            ),
            (
                "GOCACHE=/tmp/go-build GOMODCACHE=/tmp/go-mod steady build ./...",
                "just for this run",
            ),
        ],
    },
    Known {
        name: "no-permission",
        pattern: r"(?:could not create module cache: )?(?:mkdir|open|create|unlinkat|rename|remove|rm: cannot remove) '?([^\s:']+)'?: [Pp]ermission denied",
        cause: "$1 cannot be written: it belongs to another user (something ran as root once), or lies in the module cache, whose files are read-only on purpose.",
        looks: &[Look::Variables(&[
            "GOCACHE",
            "GOMODCACHE",
            "GOPATH",
            "GOTMPDIR",
        ])],
        fixes: &[
            (
                "steady clean -modcache",
                "if the module cache is to go: rm cannot do it, this can",
            ),
            (
                "sudo chown -R USER DIRECTORY",
                "if a run as root left it behind",
            ),
        ],
    },
    Known {
        name: "killed",
        pattern: r"signal: killed",
        cause: "Something ended the compiler, the linker or the program from outside: mostly the system, because memory ran out (a container's limit, many compilers at once).",
        looks: &[Look::Variables(&["GOFLAGS", "GOMAXPROCS", "GOMEMLIMIT"])],
        fixes: &[
            ("steady build -p 1 ./...", "compiles one package at a time"),
            ("", "or give the container more memory: linking takes most"),
        ],
    },
    Known {
        name: "exec-format",
        pattern: r"exec format error",
        cause: "The program was built for another platform than the one that should run it.",
        looks: &[Look::Variables(&["GOOS", "GOARCH", "GOFLAGS"])],
        fixes: &[
            (
                "steady env -u GOOS GOARCH",
                "if they were set by go env -w; in the environment: unset them",
            ),
            (
                "steady run -exec=qemu-… .",
                "if another platform is meant: with something that runs its programs",
            ),
        ],
    },
];

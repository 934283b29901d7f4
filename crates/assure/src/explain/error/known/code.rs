//! Errors of the compiler about what the code says. They are explained to whoever asks; as a hint they would tell everybody what everybody
//! knows.

use super::{Known, Look};

pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "undefined",
        pattern: r"(?m)^(?:vet: )?(\S+\.go):(\d+):\d+: undefined: (\S+)",
        cause: "Nothing that counts here declares $3: it is mistyped, or stands in a file that was not named (`run main.go` is main.go alone) or that build constraints leave out.",
        looks: &[
            Look::Declared("$1", "$3"),
            Look::Variables(&["GOOS", "GOARCH", "CGO_ENABLED", "GOFLAGS"]),
        ],
        fixes: &[
            (
                "steady run .",
                "if only some files of the package were named",
            ),
            (
                "steady list -f '{{.IgnoredGoFiles}}' .",
                "shows the files that constraints leave out here",
            ),
        ],
    },
    Known {
        name: "unused",
        pattern: r"\x22[^\x22\n]+\x22 imported (?:as \S+ )?and not used|declared and not used: \S+",
        cause: "Go does not build a file that imports or declares something and never uses it.",
        looks: &[],
        fixes: &[(
            "",
            "remove it; what must stay for its effect is imported as _, a value is given to _",
        )],
    },
];

//! Errors about sums.

use super::{Known, Look, PRIVATE};

pub(super) const KNOWN: &[Known] = &[
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
];

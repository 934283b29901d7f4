//! Errors on the way to a module.

use super::{Known, Look, NETWORK, PRIVATE};

pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "ssh-refused",
        pattern: r"(?:git (?:ls-remote|fetch|clone)[^\n]*: exit status 128:?\s+(?:[^\n]*\n){0,4}?[^\n]*)?(?:Permission denied \(publickey[^)]*\)|Host key verification failed)",
        cause: "The repository was asked by SSH and did not let this machine in: no key that it knows is at hand, or its host is not among the known ones.",
        looks: &[Look::Variables(&[
            "GOPRIVATE",
            "GIT_SSH_COMMAND",
            "SSH_AUTH_SOCK",
            "HOME",
        ])],
        fixes: &[
            (
                "ssh -T git@HOST",
                "shows what SSH itself says, and asks about the host's key",
            ),
            (
                "steady help goauth",
                "or use a token: .netrc, git's credential helpers or a command, as GOAUTH says",
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
        pattern: r"(?:git (?:ls-remote|fetch|clone)[^\n]*: exit status 128:?\s+(?:[^\n]*\n){0,4}?[^\n]*)?could not read Username for '([^']+)': terminal prompts disabled",
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
        name: "git-failed",
        pattern: r"git (?:ls-remote|fetch|clone|init)[^\n]*: exit status 128(?::?\s+([^\n]+))?",
        cause: "The module's repository was asked directly, and git failed: $1",
        looks: &[Look::Variables(&["GOPRIVATE", "GOPROXY", "GOAUTH"])],
        fixes: &[
            (
                "GIT_TERMINAL_PROMPT=1 git ls-remote https://PATH",
                "shows what git itself says, and may ask for a password",
            ),
            (
                "steady env -w GOPRIVATE=PATTERN",
                "if the module is private, so that no proxy is asked about it",
            ),
        ],
    },
    Known {
        name: "forbidden",
        pattern: r"(\S+?)(?:@(\S+?))?: reading [^\n]*: (401 Unauthorized|403 Forbidden)",
        cause: "The proxy was asked for $1 and said $3: it wants credentials, or does not give this module out.",
        looks: &[Look::Variables(PRIVATE), Look::Variables(&["GOAUTH"])],
        fixes: &[
            (
                "steady help goauth",
                "credentials for the proxy: .netrc, git's credential helpers or a command",
            ),
            (
                "steady env -w GOPRIVATE=$1",
                "if it is private: it is then fetched from its repository",
            ),
        ],
    },
    Known {
        name: "offline",
        pattern: r"-offline: would have fetched (\S+)|module lookup disabled by GOPROXY=off",
        cause: "Something is needed that the module cache does not have, and the network may not be used: -offline or GOPROXY=off says so.",
        looks: &[Look::Variables(&["GOPROXY", "GOFLAGS", "GOMODCACHE"])],
        fixes: &[
            (
                "steady mod download",
                "fetches all that the module needs, where the network may be used",
            ),
            (
                "steady mod vendor",
                "or takes it into the repository: then nothing is fetched",
            ),
        ],
    },
    Known {
        name: "locked",
        pattern: r"-locked: (\S+) would change",
        cause: "$1 is not what the packages need, and -locked forbids to change it.",
        looks: &[Look::Variables(&["GOFLAGS"])],
        fixes: &[(
            "steady mod tidy",
            "brings it up to date (`steady work sync` for a workspace); commit what changed",
        )],
    },
];

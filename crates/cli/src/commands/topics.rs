//! Help topics: texts that belong to no command.

use crate::command::{Command, Kind};

macro_rules! topics {
    ($($name:ident $usage:literal $short:literal,)*) => {
        $(
            #[doc = concat!("`go help ", $usage, "`")]
            pub static $name: Command = Command {
                usage: $usage,
                short: $short,
                long: include_str!(concat!("../help/text/t_", $usage, ".txt")),
                examples: &[],
                kind: Kind::Topic,
            };
        )*
    };
}

topics! {
    BUILDCONSTRAINT "buildconstraint" "build constraints",
    BUILDJSON "buildjson" "build -json encoding",
    BUILDMODE "buildmode" "build modes",
    C "c" "calling between Go and C",
    CACHE "cache" "build and test caching",
    ENVIRONMENT "environment" "environment variables",
    FILETYPE "filetype" "file types",
    GOAUTH "goauth" "GOAUTH environment variable",
    GO_MOD "go.mod" "the go.mod file",
    GOPATH "gopath" "GOPATH environment variable",
    GOPROXY "goproxy" "module proxy protocol",
    IMPORTPATH "importpath" "import path syntax",
    MODULES "modules" "modules, module versions, and more",
    MODULE_AUTH "module-auth" "module authentication using go.sum",
    PACKAGES "packages" "package lists and patterns",
    PRIVATE "private" "configuration for downloading non-public code",
    TESTFLAG "testflag" "testing flags",
    TESTFUNC "testfunc" "testing functions",
    VCS "vcs" "controlling version control with GOVCS",
}

//! The table of `go env`: every variable with its value and whether somebody changed it.

use super::{Settings, platform};

/// Variables that the go command reads, or that `go env` shows.
pub const KNOWN: &[&str] = &[
    "AR",
    "CC",
    "CGO_CFLAGS",
    "CGO_CFLAGS_ALLOW",
    "CGO_CFLAGS_DISALLOW",
    "CGO_CPPFLAGS",
    "CGO_CPPFLAGS_ALLOW",
    "CGO_CPPFLAGS_DISALLOW",
    "CGO_CXXFLAGS",
    "CGO_CXXFLAGS_ALLOW",
    "CGO_CXXFLAGS_DISALLOW",
    "CGO_ENABLED",
    "CGO_FFLAGS",
    "CGO_FFLAGS_ALLOW",
    "CGO_FFLAGS_DISALLOW",
    "CGO_LDFLAGS",
    "CGO_LDFLAGS_ALLOW",
    "CGO_LDFLAGS_DISALLOW",
    "CXX",
    "FC",
    "GCCGO",
    "GO111MODULE",
    "GO386",
    "GOAMD64",
    "GOARCH",
    "GOARM",
    "GOARM64",
    "GOAUTH",
    "GOBIN",
    "GOCACHE",
    "GOCACHEPROG",
    "GOENV",
    "GOEXE",
    "GOEXPERIMENT",
    "GOFIPS140",
    "GOFLAGS",
    "GOGCCFLAGS",
    "GOHOSTARCH",
    "GOHOSTOS",
    "GOINSECURE",
    "GOMIPS",
    "GOMIPS64",
    "GOMODCACHE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOOS",
    "GOPATH",
    "GOPPC64",
    "GOPRIVATE",
    "GOPROXY",
    "GORISCV64",
    "GOROOT",
    "GOSUMDB",
    "GOTMPDIR",
    "GOTOOLCHAIN",
    "GOTOOLDIR",
    "GOVCS",
    "GOWASM",
    "GOWORK",
    "GO_EXTLINK_ENABLED",
    "PKG_CONFIG",
];

/// One line of `go env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Its value in effect.
    pub value: String,
    /// It is not what it would be in an empty environment.
    pub changed: bool,
}

fn variable(name: &'static str, value: impl Into<String>, changed: bool) -> Variable {
    Variable {
        name,
        value: value.into(),
        changed,
    }
}

impl Settings {
    /// All variables that can be known without looking at modules or the C compiler. Tools are started with them set.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        let mut list = self.plain_variables();
        list.extend(self.module_variables());
        list.extend(self.target_variables());
        list.extend(self.telemetry());
        list
    }

    /// What is either set or not.
    fn plain_variables(&self) -> Vec<Variable> {
        let mut list: Vec<Variable> = [
            "GOBIN",
            "GOFLAGS",
            "GOINSECURE",
            "GOPRIVATE",
            "GOTMPDIR",
            "GOVCS",
        ]
        .into_iter()
        .map(|name| variable(name, self.get(name), !self.get(name).is_empty()))
        .collect();
        let with_default = [("GOAUTH", "netrc"), ("GOCACHEPROG", ""), ("AR", "ar")];
        for (name, default) in with_default {
            let (value, changed) = self.or_changed(name, default);
            list.push(variable(name, value, changed));
        }
        list.push(self.gccgo());
        let godebug = self.environment.get("GODEBUG");
        list.push(variable("GODEBUG", godebug, !godebug.is_empty()));
        let env_file = self.env_file.path.as_ref().map_or("", |path| path.as_str());
        list.push(variable("GOENV", env_file, self.env_file.changed));
        let (gocache, changed) = self.gocache();
        let gocache = gocache.map_or_else(|_| "off".to_owned(), camino::Utf8PathBuf::into_string);
        list.push(variable("GOCACHE", gocache, changed));
        list
    }

    /// The program itself if it is there, else how it is called.
    fn gccgo(&self) -> Variable {
        let name = self.or("GCCGO", "gccgo");
        match self.environment.look_path(name) {
            Ok(path) => variable("GCCGO", path, true),
            Err(_) => variable("GCCGO", name, name != "gccgo"),
        }
    }

    fn module_variables(&self) -> Vec<Variable> {
        let mode = self.get("GO111MODULE");
        let mut list = vec![variable("GO111MODULE", mode, !matches!(mode, "" | "on"))];
        let private = self.get("GOPRIVATE");
        let defaults = [
            ("GOPROXY", ""),
            ("GOSUMDB", ""),
            ("GOTOOLCHAIN", ""),
            ("GONOPROXY", private),
            ("GONOSUMDB", private),
        ];
        for (name, default) in defaults {
            let (value, changed) = self.or_changed(name, default);
            list.push(variable(name, value, changed));
        }
        let (gomodcache, changed) = self.gomodcache();
        list.push(variable("GOMODCACHE", gomodcache, changed));
        let gopath = self.gopath();
        // What the environment says counts as its default.
        let by_file = !self.get("GOPATH").is_empty() && self.environment.get("GOPATH").is_empty();
        let changed = by_file && gopath != self.default_gopath();
        list.push(variable("GOPATH", gopath, changed));
        list
    }

    fn target_variables(&self) -> Vec<Variable> {
        let (goos, goarch) = (self.goos(), self.goarch());
        let fips = self.built_in("GOFIPS140");
        let (fips, fips_changed) =
            self.or_changed("GOFIPS140", if fips.is_empty() { "off" } else { fips });
        let experiment = self.or("GOEXPERIMENT", self.built_in("GOEXPERIMENT"));
        let compiler = |name: &'static str, default: &str| {
            let value = self.get(name);
            variable(
                name,
                if value.is_empty() { default } else { value },
                !value.is_empty(),
            )
        };
        let (cgo, cgo_changed) = self.cgo_enabled();
        let mut list = vec![
            variable("GOARCH", goarch, goarch != platform::host_arch()),
            variable("GOOS", goos, goos != platform::host_os()),
            variable("GOEXE", if goos == "windows" { ".exe" } else { "" }, false),
            variable("GOEXPERIMENT", experiment, !experiment.is_empty()),
            variable("GOFIPS140", fips, fips_changed),
            variable("GOHOSTARCH", platform::host_arch(), false),
            variable("GOHOSTOS", platform::host_os(), false),
            variable("GOROOT", self.get("GOROOT"), false),
            variable("GOTOOLDIR", self.tool_dir(), false),
            variable("GOVERSION", self.version.as_str(), false),
            compiler("CC", platform::default_cc(goos)),
            compiler("CXX", platform::default_cxx(goos)),
            variable("CGO_ENABLED", if cgo { "1" } else { "0" }, cgo_changed),
        ];
        let arch = self.arch_variable();
        if !arch.name.is_empty() {
            list.push(variable(arch.name, arch.value, arch.changed));
        }
        list
    }

    /// The go command's telemetry: Steady has none, but shows what go is set to.
    fn telemetry(&self) -> Vec<Variable> {
        let test = self.environment.get("TEST_TELEMETRY_DIR");
        let dir = match self.environment.user_config_dir() {
            _ if cfg!(feature = "conformance") && !test.is_empty() => test.into(),
            Ok(dir) => dir.join("go/telemetry"),
            Err(_) => {
                return vec![
                    variable("GOTELEMETRY", "off", false),
                    variable("GOTELEMETRYDIR", "", false),
                ];
            }
        };
        let files = steady_system::Files::new(self.environment.cwd());
        let text = files.read_to_string(dir.join("mode")).unwrap_or_default();
        let mode = text.split_whitespace().next().unwrap_or("local").to_owned();
        vec![
            variable("GOTELEMETRY", mode, false),
            variable("GOTELEMETRYDIR", dir, false),
        ]
    }
}

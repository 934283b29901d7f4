//! The settings that decide where modules come from. Plain values: whoever starts a run fills them in.

use camino::Utf8PathBuf;
use std::collections::BTreeMap;

/// Settings of fetching. Texts are as in the environment variable of that name, defaults already applied.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// GOPROXY: a list with `,` and `|`.
    pub goproxy: String,
    /// GONOPROXY, GOPRIVATE already applied.
    pub gonoproxy: String,
    /// GOPRIVATE (for GOVCS).
    pub goprivate: String,
    /// GOSUMDB.
    pub gosumdb: String,
    /// GONOSUMDB, GOPRIVATE already applied.
    pub gonosumdb: String,
    /// GOINSECURE.
    pub goinsecure: String,
    /// GOVCS.
    pub govcs: String,
    /// GOAUTH.
    pub goauth: String,
    /// GOMODCACHE, absolute.
    pub gomodcache: Utf8PathBuf,
    /// First entry of GOPATH; `pkg/sumdb` below it holds the checksum database's tree heads.
    pub gopath: Utf8PathBuf,
    /// The Go version this run acts as (`1.26.8`).
    pub go_version: String,
    /// GOOS of the machine that runs the tools.
    pub host_os: String,
    /// GOARCH of the machine that runs the tools.
    pub host_arch: String,
    /// `-modcacherw`: leave the write bits on in the module cache.
    pub mod_cache_rw: bool,
    /// `go get -insecure` of old; with GOINSECURE there is one way less.
    pub insecure: bool,
    /// `-mod=vendor` and the like: why no module may be looked up.
    pub lookup_disabled: Option<LookupDisabled>,
    /// `-x`: tell every request and command through the observer.
    pub trace: bool,
    /// Do not tell `downloading ...` (`go mod download` does not).
    pub quiet: bool,
    /// Pass over malformed go.sum lines (`go mod tidy` does).
    pub lenient_go_sum: bool,
    /// `-offline`: nothing may reach the network. What would have is an error that names it.
    pub offline: bool,
    /// A cached zip that cannot even be read is fetched again, as one with a wrong sum is in any case; go gives up there.
    pub mend_zips: bool,
    /// Errors may say more than go's do.
    pub hints: bool,
    /// `-locked`: go.sum may not change. What would is an error that names it.
    pub locked: bool,
    /// Any use of the network is an internal error (test hook; loopback is allowed).
    pub network_forbidden: bool,
    /// Hosts that are not to be found (test hook).
    pub unknown_hosts: Vec<String>,
    /// Any version control command that may use the network is an internal error (test hook).
    pub vcs_forbidden: bool,
    /// GOROOT, for the Mercurial extension that lies there; may be empty.
    pub goroot: Utf8PathBuf,
    /// Requests to be sent to another host (test hook; empty in a released program).
    pub hosts: BTreeMap<String, HostRewrite>,
    /// Limits of time and number.
    pub limits: Limits,
    /// How the toolchain was chosen, for the text of "requires go >=" errors.
    pub toolchain_explain: String,
}

/// Where the requests to one host really go (test hook).
#[derive(Clone, Debug, Default)]
pub struct HostRewrite {
    /// `host:port` to connect to.
    pub to: String,
    /// PEM file with the certificate to trust there.
    pub certificate: Option<Utf8PathBuf>,
}

/// Why lookups are disabled.
#[derive(Clone, Debug)]
pub struct LookupDisabled {
    /// The value of `-mod`.
    pub mode: String,
    /// Why it has that value, or empty.
    pub reason: String,
}

/// Limits of time and number for requests.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests in flight.
    pub parallel: usize,
    /// Making a connection.
    pub connect: std::time::Duration,
    /// Silence of a server, before and within an answer.
    pub stall: std::time::Duration,
    /// The whole of an answer that is no zip: a server that sends a byte now and then is never silent.
    pub small: std::time::Duration,
    /// Attempts for a request that failed for a passing reason.
    pub attempts: u32,
    /// First pause between attempts; each further one is three times as long.
    pub pause: std::time::Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        use std::time::Duration;
        Limits {
            parallel: 10,
            connect: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            small: Duration::from_secs(300),
            attempts: 4,
            pause: Duration::from_millis(300),
        }
    }
}

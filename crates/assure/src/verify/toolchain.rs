//! GOROOT against the module that its toolchain is.
//!
//! A toolchain that was fetched lies in the module cache beside its zip, whose sum the checksum database has. A distribution that was
//! installed some other way can be held against the same zip, if that is in the cache: file by file, with the renaming undone that a
//! module zip asks for.

use camino::Utf8PathBuf;
use steady_module::ModuleVersion;
use steady_system::FileKind;

use super::cache::{Item, Place};
use super::{Chain, Outcome};

/// The module that toolchains are versions of.
const MODULE: &str = "golang.org/toolchain";

/// Directories of a distribution that take part in builds.
const BUILDS: [&str; 4] = ["src/", "pkg/", "lib/", "bin/"];

/// Files of the zip that a distribution has otherwise: the module's own go.mod, and settings that are the distributor's to make.
const OWN: [&str; 2] = ["go.mod", "go.env"];

/// How a tree may differ from its zip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// Not at all; no file can be written or executed.
    Module,
    /// A toolchain in the module cache: executable bits, and a `go.mod` beside each `_go.mod`.
    Installed,
    /// A distribution: `go.mod` in place of `_go.mod`, any permissions, and more files where no build looks.
    Distribution,
}

impl Rules {
    /// The file of the tree that a file of the zip is; `None` if the tree need not have it.
    pub fn place(self, name: &str) -> Option<String> {
        match self {
            Rules::Distribution if OWN.contains(&name) => None,
            Rules::Distribution => Some(renamed(name).unwrap_or_else(|| name.to_owned())),
            _ => Some(name.to_owned()),
        }
    }

    /// Another file with the same contents, which may be there.
    pub fn copy(self, name: &str) -> Option<String> {
        match self {
            Rules::Installed => renamed(name),
            _ => None,
        }
    }

    /// What is wrong with a file's permissions.
    pub fn mode_error(self, name: &str, mode: u32) -> Option<&'static str> {
        let may_run =
            self == Rules::Installed && BUILDS[1..].iter().any(|dir| name.starts_with(dir));
        match self {
            Rules::Distribution => None,
            _ if mode & 0o222 != 0 => Some("it can be written"),
            _ if mode & 0o400 == 0 => Some("it cannot be read"),
            _ if mode & 0o111 != 0 && !may_run => Some("it can be executed"),
            _ => None,
        }
    }

    /// Whether a file that the zip lacks is in order.
    pub fn allows(self, name: &str) -> bool {
        self == Rules::Distribution
            && (!BUILDS.iter().any(|dir| name.starts_with(dir)) || name.contains("/__pycache__/"))
    }
}

fn renamed(name: &str) -> Option<String> {
    let dir = name.strip_suffix("_go.mod")?;
    (dir.is_empty() || dir.ends_with('/')).then(|| format!("{dir}go.mod"))
}

/// The toolchain's module as one of the versions to look at.
pub(super) fn item(chain: &Chain<'_>) -> Option<Item> {
    let distribution = &chain.distribution;
    let module = ModuleVersion::new(
        MODULE,
        format!(
            "v0.0.1-{}.{}-{}",
            distribution.version, distribution.os, distribution.arch
        ),
    );
    let mut item = Item::new(chain, module);
    let own = matches!(&item.place, Place::Complete(dir) if same(chain, dir));
    if own {
        item.rules = Rules::Installed;
    } else {
        item.zip.as_ref()?;
        item.rules = Rules::Distribution;
        item.place = Place::Complete(distribution.goroot.clone());
    }
    Some(item)
}

fn same(chain: &Chain<'_>, dir: &Utf8PathBuf) -> bool {
    let goroot = &chain.distribution.goroot;
    dir == goroot
        || chain
            .files
            .canonicalize(goroot)
            .is_ok_and(|real| chain.files.canonicalize(dir).is_ok_and(|dir| dir == real))
}

/// Says why a GOROOT could not be looked at.
pub(super) fn without(chain: &Chain<'_>, outcome: &mut Outcome) {
    let distribution = &chain.distribution;
    let goroot = &distribution.goroot;
    let known = chain
        .files
        .lstat(goroot.join("VERSION"))
        .is_ok_and(|meta| meta.kind == FileKind::File);
    let released = distribution.version.starts_with("go1") && !distribution.version.contains(' ');
    let (reason, fix) = if known && released {
        (
            format!(
                "GOROOT ({goroot}) was not installed as a module, and the cache has no zip of that module to hold it against"
            ),
            format!(
                "steady mod download {MODULE}@v0.0.1-{}.{}-{}",
                distribution.version, distribution.os, distribution.arch
            ),
        )
    } else {
        (
            format!(
                "GOROOT ({goroot}) is no released Go distribution: nothing says what should be in it"
            ),
            String::new(),
        )
    };
    outcome.unverified(1, "toolchain", reason, &fix);
}

//! A module in a repository: which directory it is in, which tags are its versions, where its go.mod is.

use camino::Utf8Path;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use steady_module::modfile::{ModFile, auto_quote};
use steady_module::{path, pseudo, semver};
use steady_system::clean;

use super::Tools;
use super::host::Host;
use crate::error::Kind;
use crate::zip::MAX_GO_MOD;
use crate::{Error, Origin, Repo, Result, RevInfo, Versions, ZipSink};

/// See the module.
pub struct CodeRepo {
    pub(super) tools: Arc<Tools>,
    pub(super) host: Arc<dyn Host>,
    pub(super) path: String,
    /// Import path of the repository's root.
    root: String,
    /// Directory of the module, without the major version's own.
    pub(super) dir: String,
    /// `/v2`, `.v2`, or nothing.
    pub(super) major: String,
    /// The module path without it.
    pub(super) prefix: String,
    retracted: OnceLock<Vec<(String, String)>>,
}

/// Where a module is in a revision.
pub(super) struct Place {
    /// The revision.
    pub rev: String,
    /// The directory.
    pub dir: String,
    /// Its go.mod; `None`: there is none, and need not be.
    pub go_mod: Option<Vec<u8>>,
}

/// Two paths of a repository, or of imports, as one; either may be empty.
pub(super) fn join(a: &str, b: &str) -> String {
    match (a, b) {
        ("", b) => b.to_owned(),
        (a, "") => a.to_owned(),
        (a, b) => format!("{a}/{b}"),
    }
}

impl CodeRepo {
    /// A module at `path` in a repository whose root has the import path `root` and stands for the directory `subdir`.
    pub fn new(
        tools: Arc<Tools>,
        host: Arc<dyn Host>,
        root: &str,
        subdir: &str,
        path: &str,
    ) -> Result<CodeRepo> {
        use super::discovery::has_path_prefix as is_below;
        if !is_below(path, root) {
            return Err(Error::other(format!(
                "mismatched repo: found {root} for {path}"
            )));
        }
        let Some((mut prefix, major)) = path::split_path_version(path) else {
            return Err(Error::other(format!("invalid module path {path:?}")));
        };
        let mut dir = String::new();
        if root == path {
            // The tag speaks for the whole path, with its major version.
            prefix = path;
        } else {
            if !is_below(prefix, root) {
                let text = format!("repository rooted at {root} cannot contain module {path}");
                return Err(Error::other(text));
            }
            prefix[root.len()..].trim_matches('/').clone_into(&mut dir);
        }
        if !subdir.is_empty() {
            dir = clean(Utf8Path::new(&join(&dir, subdir))).into_string();
        }
        Ok(CodeRepo {
            tools,
            host,
            path: path.to_owned(),
            root: root.to_owned(),
            dir,
            major: major.to_owned(),
            prefix: prefix.to_owned(),
            retracted: OnceLock::new(),
        })
    }

    /// What the tags of the module begin with: nothing, or the directory and a slash.
    pub(super) fn tag_prefix(&self) -> String {
        if self.dir.is_empty() {
            String::new()
        } else {
            format!("{}/", self.dir)
        }
    }

    pub(super) fn at(&self, error: Error) -> Error {
        error.at_version(&self.path, "")
    }

    pub(super) fn invalid(&self, version: &str, source: Error) -> Error {
        Kind::InvalidVersion {
            path: self.path.clone(),
            version: version.to_owned(),
            pseudo: false,
            source,
        }
        .into()
    }

    fn canonical(version: &str) -> Result<()> {
        if version == path::canonical_version(version) {
            return Ok(());
        }
        Err(Error::other(format!("version {version} is not canonical")))
    }

    /// The name that the repository knows a version or revision by.
    pub(super) fn code_rev(&self, rev: &str) -> String {
        if !semver::is_valid(rev) {
            return rev.to_owned();
        }
        if let Some(hash) = pseudo::revision(rev) {
            return hash.to_owned();
        }
        let bare = match semver::build(rev) {
            "+incompatible" => &rev[..rev.len() - "+incompatible".len()],
            _ => rev,
        };
        format!("{}{bare}", self.tag_prefix())
    }

    /// A go.mod as of a revision, if it is there.
    fn go_mod_at(&self, rev: &str, file: &str) -> Result<Option<Vec<u8>>> {
        match self.host.read_file(rev, file) {
            Ok(bytes) if bytes.len() as u64 > MAX_GO_MOD => Err(Error::other(format!(
                "reading {}/{file} at revision {rev}: go.mod file too large (max size is {MAX_GO_MOD} bytes)",
                self.root
            ))),
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_exist() => Ok(None),
            Err(error) => {
                let root = &self.root;
                Err(error.context(format!("reading {root}/{file} at revision {rev}")))
            }
        }
    }

    /// Finds the module in a version: in its directory, or in that of its major version below. Not both.
    pub(super) fn place(&self, version: &str) -> Result<Place> {
        if !semver::is_valid(version) {
            return Err(self.invalid(version, Error::other("syntax error")));
        }
        let rev = self.code_rev(version);
        let CodeRepo {
            root,
            prefix,
            major,
            ..
        } = self;
        let refuse = |text: String| Err(Error::other(format!("{text} at revision {rev}")));
        let file = join(&self.dir, "go.mod");
        let upper = self.go_mod_at(&rev, &file)?;
        let upper_path = upper.as_deref().map(declared_path).unwrap_or_default();
        let upper_fits =
            upper.is_some() && (is_of_major(&upper_path, major) || self.gopkg_in_bug(&upper_path));
        let has_lower = !major.is_empty() && *root != self.path && !major.starts_with('.');
        if has_lower {
            let dir = join(&self.dir, &major[1..]);
            let file2 = format!("{dir}/go.mod");
            if let Some(go_mod) = self.go_mod_at(&rev, &file2)? {
                let lower_path = declared_path(&go_mod);
                let fits = is_of_major(&lower_path, major);
                if fits && upper_fits {
                    return refuse(format!(
                        "{prefix}/{file} and ...{major}/go.mod both have ...{major} module paths"
                    ));
                }
                if fits {
                    let go_mod = Some(go_mod);
                    return Ok(Place { rev, dir, go_mod });
                }
                return refuse(if lower_path.is_empty() {
                    format!("{root}/{file2} is missing module path")
                } else {
                    format!("{root}/{file2} has non-...{major} module path {lower_path:?}")
                });
            }
        }
        if upper_fits {
            let dir = self.dir.clone();
            return Ok(Place {
                rev,
                dir,
                go_mod: upper,
            });
        }
        if upper.is_some() {
            let lower = if has_lower {
                format!(" (and ...{major}/go.mod does not exist)")
            } else {
                String::new()
            };
            return refuse(if upper_path.is_empty() {
                format!("{file} is missing module path{lower}")
            } else if !major.is_empty() {
                format!("{file} has non-...{major} module path {upper_path:?}{lower}")
            } else if path::split_path_version(&upper_path).is_none() {
                format!("{file} has malformed module path {upper_path:?}{lower}")
            } else {
                let post = semver::major(version);
                format!("{file} has post-{post} module path {upper_path:?}{lower}")
            });
        }
        if self.dir.is_empty() && (major.is_empty() || major.starts_with('.')) {
            return Ok(Place {
                rev,
                dir: String::new(),
                go_mod: None,
            });
        }
        refuse(if has_lower {
            format!("missing {prefix}/go.mod and ...{major}/go.mod")
        } else {
            format!("missing {prefix}/go.mod")
        })
    }

    /// Go once took paths without a version for replacements of gopkg.in's, and still does.
    fn gopkg_in_bug(&self, declared: &str) -> bool {
        self.major.is_empty() && declared.starts_with("gopkg.in/")
    }

    /// Adds those versions of the second line (`v2.0.0+incompatible`) that had no go.mod at their time.
    fn add_incompatible(&self, list: &mut Vec<String>, incompatible: Vec<String>) -> Result<()> {
        if incompatible.is_empty() {
            return Ok(());
        }
        let has_go_mod = |version: &str| match self.host.read_file(version, "go.mod") {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_exist() => Ok(false),
            Err(error) => Err(self.at(error)),
        };
        // Whoever has a go.mod at v1 means v1 to be used, whatever v2 has.
        if let Some(latest) = list.last()
            && has_go_mod(latest)?
        {
            return Ok(());
        }
        let mut latest: HashMap<String, String> = HashMap::new();
        for version in &incompatible {
            latest.insert(semver::major(version).to_owned(), version.clone());
        }
        let mut modular: HashMap<&str, bool> = HashMap::new();
        for version in &incompatible {
            let major = semver::major(version);
            let with_go_mod = match modular.get(major) {
                Some(known) => *known,
                None => {
                    let known = has_go_mod(&latest[major])?;
                    modular.insert(major, known);
                    known
                }
            };
            if !with_go_mod {
                list.push(format!("{version}+incompatible"));
            }
        }
        Ok(())
    }

    /// Whether the newest release's go.mod takes a version back. What cannot be read takes nothing back.
    pub(super) fn is_retracted(&self, version: &str) -> bool {
        let ranges = self
            .retracted
            .get_or_init(|| self.retractions().unwrap_or_default());
        ranges.iter().any(|(low, high)| {
            semver::compare(low, version).is_le() && semver::compare(version, high).is_le()
        })
    }

    fn retractions(&self) -> Result<Vec<(String, String)>> {
        let versions = self.versions("")?.list;
        let modular = versions
            .iter()
            .take_while(|v| !v.ends_with("+incompatible"));
        let modular: Vec<&String> = modular.collect();
        let release = modular
            .iter()
            .rev()
            .find(|v| semver::prerelease(v).is_empty());
        let Some(highest) = release.or(modular.last()) else {
            return Ok(Vec::new());
        };
        let go_mod = self.go_mod(highest)?;
        let file = ModFile::parse_lax("go.mod", &String::from_utf8_lossy(&go_mod), None)
            .map_err(|errors| Error::other(errors.to_string()))?;
        let range = |entry: &steady_module::modfile::Entry<steady_module::modfile::Retract>| {
            (entry.value.low.clone(), entry.value.high.clone())
        };
        Ok(file.retract.iter().map(range).collect())
    }

    /// A pseudo-version says more than its revision; all of it must be right.
    fn check_pseudo(&self, version: &str) -> Result<()> {
        if pseudo::is_pseudo_version(version) {
            self.stat(version)?;
        }
        Ok(())
    }
}

impl Repo for CodeRepo {
    fn module_path(&self) -> &str {
        &self.path
    }

    fn check_reuse(&self, old: &Origin) -> Result<()> {
        self.host.check_reuse(old, &self.dir)
    }

    fn versions(&self, prefix: &str) -> Result<Versions> {
        // The tags belong to the path without `-unstable`.
        if self.path.starts_with("gopkg.in/") && self.path.ends_with("-unstable") {
            return Ok(Versions::default());
        }
        let dir = self.tag_prefix();
        let tags = self
            .host
            .tags(&format!("{dir}{prefix}"))
            .map_err(|error| self.at(error))?;
        let (mut list, mut incompatible) = (Vec::new(), Vec::new());
        for tag in &tags.list {
            let Some(version) = tag.strip_prefix(&dir) else {
                continue;
            };
            if version.is_empty()
                || version != semver::canonical(version)
                || pseudo::is_pseudo_version(version)
            {
                continue;
            }
            if path::match_path_major(version, &self.major) {
                list.push(version.to_owned());
            } else if self.dir.is_empty()
                && self.major.is_empty()
                && !matches!(semver::major(version), "v0" | "v1")
            {
                incompatible.push(version.to_owned());
            }
        }
        semver::sort(&mut list);
        semver::sort(&mut incompatible);
        self.add_incompatible(&mut list, incompatible)?;
        let origin = Origin {
            subdir: self.dir.clone(),
            ..tags.origin
        };
        Ok(Versions {
            origin: Some(origin),
            list,
        })
    }

    fn stat(&self, rev: &str) -> Result<RevInfo> {
        if rev == "latest" {
            return self.latest();
        }
        let commit = self.host.stat(&self.code_rev(rev)).map_err(|error| {
            let origin = error.origin().cloned();
            let error = self.invalid(rev, error);
            match origin {
                Some(origin) => error.with_origin(origin),
                None => error,
            }
        })?;
        self.version_of(&commit, rev)
    }

    fn latest(&self) -> Result<RevInfo> {
        let commit = self.host.latest()?;
        self.version_of(&commit, "")
    }

    fn go_mod(&self, version: &str) -> Result<Vec<u8>> {
        CodeRepo::canonical(version)?;
        self.check_pseudo(version)?;
        let place = self.place(version)?;
        let made_up = || format!("module {}\n", auto_quote(&self.path)).into_bytes();
        Ok(place.go_mod.unwrap_or_else(made_up))
    }

    fn zip(&self, sink: &mut dyn ZipSink, version: &str) -> Result<()> {
        CodeRepo::canonical(version)?;
        self.check_pseudo(version)?;
        self.write_zip(sink, version)
    }
}

fn declared_path(go_mod: &[u8]) -> String {
    ModFile::module_path(&String::from_utf8_lossy(go_mod))
}

/// Whether the versions that a declared path may have are those of `major`. Only the suffix counts: the rest differs where a fork is
/// to replace the original.
fn is_of_major(declared: &str, major: &str) -> bool {
    let Some((_, declared_major)) =
        path::split_path_version(declared).filter(|_| !declared.is_empty())
    else {
        return false;
    };
    if major.is_empty() {
        return matches!(path::path_major_prefix(declared_major), "" | "v0" | "v1");
    }
    !declared_major.is_empty() && declared_major[1..] == major[1..]
}

//! From an import path to its repository: by the shape of the path, or by asking the web server that the path names.

use std::sync::Arc;

use crate::http::{Client, Url};
use crate::once::OnceMap;
use crate::{Config, Error, Result, Security};

use super::command::{Call, Runner};
use super::discovery::{self, MetaImport, has_path_prefix, matching};
use super::policy;

/// Bytes of a page that is read for its tags.
const MAX_PAGE: u64 = 4 << 20;

/// A version control system, or the module proxy protocol in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// Mercurial.
    Hg,
    /// Git.
    Git,
    /// Subversion.
    Svn,
    /// Bazaar.
    Bzr,
    /// Fossil.
    Fossil,
    /// A module proxy.
    Mod,
}

impl System {
    /// All that are programs, in the order in which go looks for them.
    pub const PROGRAMS: [System; 5] = [
        System::Hg,
        System::Git,
        System::Svn,
        System::Bzr,
        System::Fossil,
    ];

    /// Name of the program.
    pub fn program(self) -> &'static str {
        match self {
            System::Hg => "hg",
            System::Git => "git",
            System::Svn => "svn",
            System::Bzr => "bzr",
            System::Fossil => "fossil",
            System::Mod => "mod",
        }
    }

    /// Its own name.
    fn name(self) -> &'static str {
        match self {
            System::Hg => "Mercurial",
            System::Git => "Git",
            System::Svn => "Subversion",
            System::Bzr => "Bazaar",
            System::Fossil => "Fossil",
            System::Mod => "mod",
        }
    }

    fn by_program(name: &str) -> Option<System> {
        System::PROGRAMS
            .into_iter()
            .find(|system| system.program() == name)
    }

    /// What marks the root of a checkout, and whether it is a directory.
    pub fn root_names(self) -> &'static [(&'static str, bool)] {
        match self {
            System::Hg => &[(".hg", true)],
            System::Git => &[(".git", true)],
            System::Svn => &[(".svn", true)],
            System::Bzr => &[(".bzr", true)],
            System::Fossil => &[(".fslckout", false), ("_FOSSIL_", false)],
            System::Mod => &[],
        }
    }

    fn schemes(self) -> &'static [&'static str] {
        match self {
            System::Hg => &["https", "http", "ssh"],
            System::Git => &["git", "https", "http", "git+ssh", "ssh"],
            System::Svn => &["https", "http", "svn", "svn+ssh"],
            System::Bzr => &["https", "http", "bzr", "bzr+ssh"],
            System::Fossil => &["https", "http"],
            System::Mod => &[],
        }
    }

    /// The command that asks whether a URL is a repository.
    fn ping(self, url: &str) -> Option<Vec<&str>> {
        match self {
            System::Hg => Some(vec!["hg", "identify", "--", url]),
            System::Git => Some(vec!["git", "ls-remote", url]),
            System::Svn => Some(vec!["svn", "info", "--", url]),
            System::Bzr => Some(vec!["bzr", "info", "--", url]),
            System::Fossil | System::Mod => None,
        }
    }
}

/// Where the module of an import path is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoRoot {
    /// URL of the repository or proxy.
    pub url: String,
    /// Import path of its root.
    pub root: String,
    /// Directory of the repository that `root` stands for, or empty.
    pub subdir: String,
    /// What is there.
    pub system: System,
}

/// Finds roots.
pub struct Roots {
    pub config: Config,
    pub client: Arc<Client>,
    pub runner: Arc<Runner>,
    /// The tags of the page of each prefix that was asked to confirm a claim, with the page's URL.
    pub pages: OnceMap<String, (String, Result<Vec<MetaImport>>)>,
}

/// A repository by the shape of the path.
struct Shape {
    root: String,
    /// With a scheme, unless it is to be found out.
    repo: String,
    system: System,
    needs_scheme: bool,
}

impl Roots {
    /// The repository of an import path.
    pub fn find(&self, path: &str, security: Security) -> Result<RepoRoot> {
        let found = match self.by_shape(path, security) {
            Ok(Some(root)) => Ok(root),
            Ok(None) => self
                .by_page(path, security)
                .map_err(|error| error.context(format!("unrecognized import path {path:?}"))),
            Err(error) => Err(error),
        };
        let found = match found {
            Err(error) => self.launchpad(path)?.ok_or(error)?,
            Ok(root) => root,
        };
        if path.contains("...") && found.root.contains("...") {
            return Err(Error::other(format!("cannot expand ... in {path:?}")));
        }
        Ok(found)
    }

    fn by_shape(&self, path: &str, security: Security) -> Result<Option<RepoRoot>> {
        // The go command knows these two so that its tests stay off the network; so do we.
        if has_path_prefix(path, "example.net") {
            return Err(Error::other("no modules on example.net"));
        }
        if path == "rsc.io" {
            return Err(Error::other("rsc.io is not a module"));
        }
        if let Some(scheme) = ["http:", "https:"].iter().find(|s| path.starts_with(**s)) {
            let text = format!("{:?} not allowed in import path", format!("{scheme}//"));
            return Err(Error::other(text));
        }
        let Some(shape) = shape(path)? else {
            return Ok(None);
        };
        policy::check(&self.config, shape.system.program(), &shape.root)?;
        let url = if shape.needs_scheme {
            match self.rewritten(&shape.repo, shape.system, security)? {
                Some(url) => url,
                None => self.with_scheme(&shape, security)?,
            }
        } else {
            shape.repo
        };
        Ok(Some(RepoRoot {
            url,
            root: shape.root,
            subdir: String::new(),
            system: shape.system,
        }))
    }

    /// The first scheme of the system under which the repository answers.
    fn with_scheme(&self, shape: &Shape, security: Security) -> Result<String> {
        let secure_only = security == Security::SecureOnly;
        for scheme in shape.system.schemes() {
            if secure_only && !self.is_secure(shape.system, scheme) {
                continue;
            }
            let url = format!("{scheme}://{}", shape.repo);
            let answers = shape.system.ping(&url).is_none_or(|line| {
                let dir = &self.config.gomodcache;
                let files = steady_system::Files::new(dir);
                let _ = files.create_dir_all(dir);
                let call = Call {
                    line: &line,
                    dir,
                    local: false,
                    variable: None,
                };
                self.runner.ping(shape.system.name(), &call)
            });
            if answers {
                return Ok(url);
            }
        }
        let what = if secure_only { "secure " } else { "" };
        Err(Error::other(format!(
            "no {what}protocol found for repository"
        )))
    }

    fn is_secure(&self, system: System, scheme: &str) -> bool {
        let allowed = self.runner.environment().get("GIT_ALLOW_PROTOCOL");
        if system == System::Git && !allowed.is_empty() {
            return allowed.split(':').any(|name| name == scheme);
        }
        matches!(scheme, "https" | "git+ssh" | "bzr+ssh" | "svn+ssh" | "ssh")
    }

    /// Where a repository on a host that is rewritten (a test's) really is.
    fn rewritten(&self, repo: &str, system: System, security: Security) -> Result<Option<String>> {
        if self.config.hosts.is_empty() || system == System::Mod {
            return Ok(None);
        }
        let path = match repo.split_once("://") {
            Some((scheme, _))
                if security == Security::SecureOnly && !self.is_secure(system, scheme) =>
            {
                return Ok(None);
            }
            Some((_, path)) => path,
            None => repo,
        };
        for (key, rewrite) in &self.config.hosts {
            let Some(host) = key
                .strip_prefix("http://")
                .filter(|h| has_path_prefix(path, h))
            else {
                continue;
            };
            let rest = &path[host.len()..];
            let url = format!("http://{}{rest}", rewrite.to);
            if system == System::Svn {
                // The server of that host starts one for Subversion when asked, and says where.
                let ask = Url::parse(&format!("{url}?vcwebsvn=1"))?;
                if let Ok(answer) = self.client.bytes(&ask, MAX_PAGE) {
                    let answer = String::from_utf8_lossy(&answer).trim().to_owned();
                    if !answer.is_empty() {
                        return Ok(Some(format!("{answer}{rest}")));
                    }
                }
            }
            return Ok(Some(url));
        }
        Ok(None)
    }

    /// Asks the host that the path names.
    fn by_page(&self, path: &str, security: Security) -> Result<RepoRoot> {
        let url = page_url(path)?;
        let scheme = if security == Security::Insecure {
            "http/https"
        } else {
            "https"
        };
        let response = self.client.get(security, &url);
        let response = response.map_err(|error| error.context(format!("{scheme} fetch")))?;
        let at = response.url.clone();
        let metas = tags(response)?;
        let meta = matching(&metas, path).map_err(|(mismatch, text)| {
            Error::other(if mismatch {
                format!("parse {at}: no go-import meta tags ({text})")
            } else {
                format!("parse {}: {text}", url.redacted())
            })
        })?;
        if meta.prefix != path {
            // Whoever serves a path below the prefix must not speak for the prefix alone.
            let (confirmed_at, confirmed) = self.page_of(&meta.prefix, security);
            if matching(&confirmed?, path) != Ok(meta) {
                return Err(Error::other(format!(
                    "{at} and {confirmed_at} disagree about go-import for {}",
                    meta.prefix
                )));
            }
        }
        self.claimed(meta, &at, security)
    }

    /// Takes a tag's word, if it is one that can be taken.
    fn claimed(&self, meta: &MetaImport, at: &str, security: Security) -> Result<RepoRoot> {
        let MetaImport {
            prefix,
            vcs,
            root,
            subdir,
        } = meta;
        let why = match subdir.bytes().next() {
            Some(b'/') => "leading slash",
            Some(b'-') => "leading hyphen",
            _ => "",
        };
        if !why.is_empty() {
            return Err(Error::other(format!(
                "{at}: invalid subdirectory {subdir:?}: {why}"
            )));
        }
        if let Err(why) = check_root(root) {
            return Err(Error::other(format!(
                "{at}: invalid repo root {root:?}: {why}"
            )));
        }
        let system = match vcs.as_str() {
            "mod" => System::Mod,
            name => System::by_program(name)
                .ok_or_else(|| Error::other(format!("{at}: unknown vcs {name:?}")))?,
        };
        if system != System::Mod {
            policy::check(&self.config, system.program(), prefix)?;
        }
        let url = self.rewritten(root, system, security)?;
        Ok(RepoRoot {
            url: url.unwrap_or_else(|| root.clone()),
            root: prefix.clone(),
            subdir: subdir.clone(),
            system,
        })
    }

    /// The tags that a prefix's own page has.
    fn page_of(&self, prefix: &str, security: Security) -> (String, Result<Vec<MetaImport>>) {
        self.pages.get_or(prefix.to_owned(), || {
            let url = match page_url(prefix) {
                Ok(url) => url,
                Err(error) => return (String::new(), Err(error)),
            };
            let fetched = self
                .client
                .get(security, &url)
                .map_err(|error| error.context(format!("fetching {prefix}")));
            let metas = fetched.and_then(|response| {
                let at = response.url.clone();
                let metas = tags(response)?;
                if metas.is_empty() {
                    let text = format!("fetching {prefix}: no go-import meta tag found in {at}");
                    return Err(Error::other(text));
                }
                Ok(metas)
            });
            (url.redacted(), metas)
        })
    }

    /// The one site whose paths mean something only if nothing else was found.
    fn launchpad(&self, path: &str) -> Result<Option<RepoRoot>> {
        let Some((root, series)) = launchpad_root(path) else {
            return Ok(None);
        };
        let mut root = root;
        if let Some(project) = series {
            // A series of the project, or a directory of its main branch?
            let rest = &root["launchpad.net".len()..];
            let url = format!("https://code.launchpad.net{rest}/.bzr/branch-format");
            if self.client.bytes(&Url::parse(&url)?, MAX_PAGE).is_err() {
                root = format!("launchpad.net/{project}");
            }
        }
        if policy::check(&self.config, "bzr", &root).is_err() {
            return Ok(None);
        }
        Ok(Some(RepoRoot {
            url: format!("https://{root}"),
            root,
            subdir: String::new(),
            system: System::Bzr,
        }))
    }
}

/// The tags of an answer; an answer without any that is no 200 is an error.
fn tags(response: crate::http::Response) -> Result<Vec<MetaImport>> {
    let (page, response) = response.buffered(MAX_PAGE)?;
    let metas = discovery::parse(&String::from_utf8_lossy(&page));
    if metas.is_empty() {
        response.ok()?;
    }
    Ok(metas)
}

/// The page to ask about an import path; any scheme.
fn page_url(path: &str) -> Result<Url> {
    let (host, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    if !host.contains('.') {
        return Err(Error::other("import path does not begin with hostname"));
    }
    Ok(Url {
        host: host.to_owned(),
        path: crate::http::escape_path(if rest.is_empty() { "/" } else { rest }),
        query: Some("go-get=1".to_owned()),
        ..Url::default()
    })
}

fn check_root(root: &str) -> Result<(), String> {
    let url = Url::parse(root).map_err(|error| error.to_string())?;
    match url.scheme.as_str() {
        "" => Err("no scheme".to_owned()),
        "file" => Err("file scheme disallowed".to_owned()),
        _ => Ok(()),
    }
}

/// Letters, digits, `_`, `.`, `-`: what may stand between two slashes.
fn is_segment(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    !text.is_empty() && text.bytes().all(fits)
}

fn lower_or_digit(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// What hosts with a fixed layout make of a path, or else a path with `.git`, `.hg`, ... in it.
fn shape(path: &str) -> Result<Option<Shape>> {
    let parts: Vec<&str> = path.split('/').collect();
    let segments = |from: usize| parts.len() >= from && parts[from..].iter().all(|p| is_segment(p));
    // Prefix, how many parts make the root, whether the parts behind the prefix fit, which system, whether `.git` is refused.
    let owner_and_name = segments(1) && parts.len() >= 3;
    let alphanumeric =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let sites = [
        ("github.com", 3, owner_and_name, System::Git, true),
        ("bitbucket.org", 3, owner_and_name, System::Git, true),
        (
            "hub.jazz.net/git",
            4,
            parts.len() >= 4 && lower_or_digit(parts[2]) && segments(3),
            System::Git,
            true,
        ),
        (
            "git.apache.org",
            2,
            parts.len() >= 2
                && parts[1].len() > 4
                && parts[1].ends_with(".git")
                && !parts[1].contains(|c: char| c.is_ascii_uppercase())
                && segments(1),
            System::Git,
            false,
        ),
        ("git.openstack.org", 3, owner_and_name, System::Git, false),
        (
            "chiselapp.com",
            5,
            parts.len() == 5
                && parts[1] == "user"
                && alphanumeric(parts[2])
                && parts[3] == "repository"
                && is_segment(parts[4]),
            System::Fossil,
            false,
        ),
    ];
    for (prefix, count, fits, system, no_suffix) in sites {
        if !has_path_prefix(path, prefix) {
            continue;
        }
        if !fits {
            return Err(Error::other(format!(
                "invalid {prefix} import path {path:?}"
            )));
        }
        let root = parts[..count].join("/");
        let suffixed = |system: System| root.ends_with(&format!(".{}", system.program()));
        if no_suffix && System::PROGRAMS.into_iter().any(suffixed) {
            let text = format!("invalid version control suffix in {prefix}/ path");
            return Err(Error::other(text));
        }
        return Ok(Some(Shape {
            repo: format!("https://{root}"),
            root,
            system,
            needs_scheme: false,
        }));
    }
    Ok(shape_by_suffix(&parts))
}

/// `host.name/path/repo.git/dir`.
fn shape_by_suffix(parts: &[&str]) -> Option<Shape> {
    let (host, rest) = parts.split_first()?;
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let name_fits =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let inner_dot = name.len() > 2 && name[1..name.len() - 1].contains('.');
    if !inner_dot
        || !name.bytes().all(name_fits)
        || port.is_empty()
        || !port.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let bare = |part: &str| is_segment(part.strip_prefix('~').unwrap_or(part));
    if !rest.iter().all(|part| bare(part)) {
        return None;
    }
    for (at, part) in rest.iter().enumerate() {
        let Some((stem, suffix)) = part.rsplit_once('.') else {
            continue;
        };
        if let Some(system) = System::by_program(suffix)
            && bare(stem)
        {
            let root = parts[..at + 2].join("/");
            let repo = root[..root.len() - suffix.len() - 1].to_owned();
            return Some(Shape {
                root,
                repo,
                system,
                needs_scheme: true,
            });
        }
    }
    None
}

/// The root of a path on launchpad.net; with the project if the second part could be a series of it.
fn launchpad_root(path: &str) -> Option<(String, Option<String>)> {
    let rest = path.strip_prefix("launchpad.net/")?;
    let parts: Vec<&str> = rest.split('/').collect();
    let fits = |parts: &[&str]| parts.iter().all(|part| is_segment(part));
    if let Some(user) = parts[0].strip_prefix('~') {
        let project = *parts.get(1)?;
        let good = is_segment(user) && (project == "+junk" || is_segment(project));
        return (good && parts.len() >= 3 && fits(&parts[2..]))
            .then(|| (format!("launchpad.net/{}", parts[..3].join("/")), None));
    }
    if !fits(&parts) {
        return None;
    }
    let count = parts.len().min(2);
    let series = (count == 2).then(|| parts[0].to_owned());
    Some((
        format!("launchpad.net/{}", parts[..count].join("/")),
        series,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(path: &str) -> Result<Option<(String, String, System)>, String> {
        let found = shape(path).map_err(|error| error.to_string())?;
        Ok(found.map(|shape| (shape.root, shape.repo, shape.system)))
    }

    #[test]
    fn hosts_with_a_fixed_layout() {
        for (path, root, repo, system) in [
            (
                "github.com/a/b.c/d/v2",
                "github.com/a/b.c",
                "https://github.com/a/b.c",
                System::Git,
            ),
            (
                "bitbucket.org/a/b",
                "bitbucket.org/a/b",
                "https://bitbucket.org/a/b",
                System::Git,
            ),
            (
                "git.apache.org/x.git/y",
                "git.apache.org/x.git",
                "https://git.apache.org/x.git",
                System::Git,
            ),
            (
                "chiselapp.com/user/U1/repository/r",
                "chiselapp.com/user/U1/repository/r",
                "https://chiselapp.com/user/U1/repository/r",
                System::Fossil,
            ),
        ] {
            let want = (root.to_owned(), repo.to_owned(), system);
            assert_eq!(shape_of(path).unwrap().unwrap(), want);
        }
        for (path, want) in [
            (
                "github.com/a",
                "invalid github.com import path \"github.com/a\"",
            ),
            (
                "github.com/a/b@c",
                "invalid github.com import path \"github.com/a/b@c\"",
            ),
            (
                "github.com/a/b.git",
                "invalid version control suffix in github.com/ path",
            ),
        ] {
            assert_eq!(shape_of(path).unwrap_err(), want);
        }
    }

    #[test]
    fn a_suffix_names_the_system() {
        for (path, root, repo, system) in [
            ("x.test/a.git", "x.test/a.git", "x.test/a", System::Git),
            (
                "x.test:80/~a/b.hg/c.git",
                "x.test:80/~a/b.hg",
                "x.test:80/~a/b",
                System::Hg,
            ),
            (
                "x.test/a.git.git/d",
                "x.test/a.git.git",
                "x.test/a.git",
                System::Git,
            ),
        ] {
            let want = (root.to_owned(), repo.to_owned(), system);
            assert_eq!(shape_of(path).unwrap().unwrap(), want);
        }
        for path in [
            "x.test/a",
            "x.test/.git",
            "nodot/a.git",
            "x.test/a.git/b c",
            "x.test",
        ] {
            assert_eq!(shape_of(path), Ok(None), "{path}");
        }
    }

    #[test]
    fn launchpad() {
        let root = |path: &str| launchpad_root(path).map(|(root, _)| root);
        assert_eq!(root("launchpad.net/p/s/d").unwrap(), "launchpad.net/p/s");
        assert_eq!(
            root("launchpad.net/~u/+junk/b/d").unwrap(),
            "launchpad.net/~u/+junk/b"
        );
        assert_eq!(root("launchpad.net/~u/p"), None);
        assert_eq!(root("example.com/p"), None);
    }

    #[test]
    fn roots_that_cannot_be() {
        assert_eq!(check_root("x.test/y").unwrap_err(), "no scheme");
        assert_eq!(
            check_root("file:///x").unwrap_err(),
            "file scheme disallowed"
        );
        assert!(check_root("https://x.test/y").is_ok());
    }
}

//! The files that an environment shows, where they differ from what is on disk.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use steady_assure::check::git::Repository;
use steady_assure::check::world::{Layout, Member};
use steady_system::temp::TempDir;
use steady_system::{Files, Overlay};

use super::Stage;
use crate::failure::Result;
use crate::session::Session;

/// Where the modules that require others live: nowhere, so that their names are the same in each run.
const CONSUMERS: &str = "/steady-check/consumer";

/// A version that a module has not, newer than all that it has.
#[must_use]
pub fn made_up_version(path: &str) -> String {
    let major = steady_module::path::split_path_version(path).map_or("", |(_, major)| major);
    match major.trim_start_matches(['/', '.']) {
        "" => "v1.999999.0".to_owned(),
        major => format!("{}.999999.0", major.trim_end_matches("-unstable")),
    }
}

/// Where the consumer of a module is.
#[must_use]
pub fn consumer_dir(module: &str) -> Utf8PathBuf {
    Utf8Path::new(CONSUMERS).join(module)
}

/// The tree without what lies outside of the repository and is referred to from inside: by go.work, by replacements, by links. `None` if
/// there is no such thing.
pub(super) fn without_outside(
    git: &Repository,
    files: &Files,
    tree: &Overlay,
    layout: &Layout,
) -> Result<Option<Overlay>> {
    let work = layout
        .work
        .iter()
        .zip(&layout.go_work)
        .flat_map(|(work, file)| {
            let base = file.parent().unwrap_or(Utf8Path::new("/"));
            let uses = work.uses.iter().map(|used| base.join(&used.path));
            let replaces = work
                .replace
                .iter()
                .filter(|replace| replace.new.version.is_empty());
            uses.chain(replaces.map(|replace| base.join(&replace.new.path)))
                .collect::<Vec<_>>()
        });
    let members = layout.members.iter().flat_map(|member| {
        let local = member
            .file
            .replace
            .iter()
            .filter(|replace| replace.new.version.is_empty());
        local.map(|replace| member.dir.join(&replace.new.path))
    });
    let real = files
        .canonicalize(&git.root)
        .unwrap_or_else(|_| git.root.clone());
    let links = git.symlinks().map(|path| git.root.join(path));
    let links = links.filter(|link| {
        files
            .canonicalize(link)
            .is_ok_and(|target| !target.starts_with(&real))
    });
    let outside = work
        .chain(members)
        .map(|path| steady_system::clean(&path))
        .filter(|path| {
            // What the repository itself lies in cannot be taken away.
            git.relative(path).is_none() && !git.root.starts_with(path)
        });
    let hidden: Vec<Utf8PathBuf> = outside.chain(links).collect();
    if hidden.is_empty() {
        return Ok(None);
    }
    let known = tree
        .entries()
        .map(|(from, to)| (from.to_owned(), to.to_owned()));
    let mut pairs: BTreeMap<Utf8PathBuf, Utf8PathBuf> = known.collect();
    pairs.extend(hidden.into_iter().map(|path| (path, Utf8PathBuf::new())));
    Ok(Some(Overlay::of(pairs)?))
}

/// What zips hold: the committed files without links, and beside that a module that requires each module as it would be published.
pub(super) fn published(
    plain: &Session,
    repository: Option<&Repository>,
    tree: &Overlay,
    layout: &Layout,
    store: &TempDir,
) -> Result<Stage> {
    let mut pairs: BTreeMap<Utf8PathBuf, Utf8PathBuf> = tree
        .entries()
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .collect();
    if let Some(git) = repository {
        for path in git.symlinks() {
            pairs.insert(git.root.join(path), Utf8PathBuf::new());
        }
    }
    let tree = Overlay::of(pairs.clone())?;
    let files = Files::new(plain.files.cwd());
    for (at, member) in layout.members.iter().enumerate() {
        let dir = consumer_dir(&member.path);
        let go_mod = store.path().join(format!("{at}.mod"));
        files.write(&go_mod, consumer_text(member).as_bytes(), 0o600)?;
        pairs.insert(dir.join("go.mod"), go_mod);
        let sums = plain.files.read_if_exists(member.dir.join("go.sum"))?;
        let go_sum = store.path().join(format!("{at}.sum"));
        files.write(&go_sum, &sums.unwrap_or_default(), 0o600)?;
        pairs.insert(dir.join("go.sum"), go_sum);
    }
    let mut session = plain.fork();
    session.files = plain.files.clone().with_overlay(Overlay::of(pairs)?);
    Ok(Stage { session, tree })
}

/// The go.mod of a module that requires another one, which nobody has published yet: a directory stands in for its zip.
fn consumer_text(member: &Member) -> String {
    let path = &member.path;
    let version = made_up_version(path);
    let mut text = format!(
        "module steady.check/consumer\n\ngo {}\n\n",
        member.go_version()
    );
    let _ = writeln!(
        text,
        "require {path} {version}\n\nreplace {path} => {}\n",
        steady_module::modfile::auto_quote(member.dir.as_str())
    );
    for require in &member.file.require {
        if require.module.path != *path {
            let _ = writeln!(
                text,
                "require {} {}",
                require.module.path, require.module.version
            );
        }
    }
    text
}

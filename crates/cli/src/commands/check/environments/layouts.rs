//! Which modules an environment shows.

use camino::{Utf8Path, Utf8PathBuf};
use steady_assure::check::git::Repository;
use steady_assure::check::world::{Layout, Member};
use steady_module::modfile::{ModFile, WorkFile};
use steady_system::Files;

use crate::failure::Result;
use crate::modules;
use crate::session::Session;

/// The modules that a session sees: those of go.work, or the one around it, or those below. `all`: without go.work, those of the
/// whole repository.
pub(super) fn layout(
    session: &Session,
    repository: Option<&Repository>,
    all: bool,
) -> Result<Layout> {
    let (settings, files) = (&session.settings, &session.files);
    let work = modules::go_work(settings, files)?;
    if let Some(path) = work {
        return Ok(workspace(files, path));
    }
    let cwd = settings.environment.cwd();
    let main = modules::go_mod(settings, files);
    let main = main.as_deref().and_then(Utf8Path::parent);
    let top = repository.map(|git| git.root.as_path()).or(main);
    let top = top.filter(|_| all).unwrap_or(cwd);
    let dirs = match main {
        Some(dir) if !all => vec![dir.to_owned()],
        _ => modules_below(files, repository, top),
    };
    Ok(Layout {
        members: dirs.iter().filter_map(|dir| member(files, dir)).collect(),
        ..Layout::default()
    })
}

/// Directories of the repository's modules that a layout leaves aside.
pub(super) fn left_aside(
    files: &Files,
    repository: Option<&Repository>,
    layout: &Layout,
) -> Vec<Utf8PathBuf> {
    let Some(git) = repository else {
        return Vec::new();
    };
    let mut dirs = modules_below(files, repository, &git.root);
    dirs.retain(|dir| layout.members.iter().all(|member| member.dir != *dir));
    dirs
}

fn workspace(files: &Files, path: Utf8PathBuf) -> Layout {
    let text = files.read_to_string(&path).unwrap_or_default();
    let mut as_written = |_: &str, version: &str| Ok(version.to_owned());
    let work = WorkFile::parse("go.work", &text, Some(&mut as_written)).ok();
    let base = path.parent().unwrap_or(Utf8Path::new("/"));
    let uses = work.iter().flat_map(|work| &work.uses);
    let dirs = uses.map(|used| steady_system::clean(&base.join(&used.path)));
    Layout {
        members: dirs.filter_map(|dir| member(files, &dir)).collect(),
        work_text: text,
        work,
        go_work: Some(path),
    }
}

/// Directories of modules below one that is in none.
fn modules_below(
    files: &Files,
    repository: Option<&Repository>,
    cwd: &Utf8Path,
) -> Vec<Utf8PathBuf> {
    let counts = |path: &Utf8Path| {
        let mut parts = path.components().map(|part| part.as_str().to_owned());
        parts.all(|part| !part.starts_with(['.', '_']) && part != "testdata" && part != "vendor")
    };
    let mut dirs: Vec<Utf8PathBuf> = match repository {
        Some(git) => git
            .tracked
            .keys()
            .filter(|path| path.rsplit('/').next() == Some("go.mod"))
            .filter_map(|path| git.root.join(path).parent().map(Utf8Path::to_owned))
            .filter(|dir| dir.strip_prefix(cwd).is_ok_and(counts))
            .collect(),
        None => {
            let entries = files.read_dir(cwd).unwrap_or_default();
            let below = entries.iter().map(|entry| cwd.join(&entry.name));
            let dirs = std::iter::once(cwd.to_owned()).chain(below);
            dirs.filter(|dir| files.is_file(dir.join("go.mod")))
                .collect()
        }
    };
    dirs.sort();
    dirs
}

/// The modules that a clone shows: those of its go.work, else those that are here and committed.
pub(super) fn committed_layout(
    plain: &Session,
    repository: Option<&Repository>,
    here: &Layout,
) -> Result<Layout> {
    let outside = |path: &Utf8Path| repository.is_some_and(|git| git.relative(path).is_none());
    let work = modules::go_work(&plain.settings, &plain.files)?.filter(|path| !outside(path));
    if let Some(path) = work {
        return Ok(workspace(&plain.files, path));
    }
    let dirs = here.members.iter().filter(|member| !outside(&member.dir));
    Ok(Layout {
        members: dirs
            .filter_map(|known| member(&plain.files, &known.dir))
            .collect(),
        ..Layout::default()
    })
}

pub(super) fn root(
    repository: Option<&Repository>,
    layout: &Layout,
    cwd: &Utf8Path,
) -> Utf8PathBuf {
    if let Some(git) = repository {
        return git.root.clone();
    }
    let work = layout.go_work.as_deref().and_then(Utf8Path::parent);
    let module = layout.members.first().map(|member| member.dir.as_path());
    work.or(module).unwrap_or(cwd).to_owned()
}

fn member(files: &Files, dir: &Utf8Path) -> Option<Member> {
    let text = files.read_to_string(dir.join("go.mod")).ok()?;
    let file = ModFile::parse_lax("go.mod", &text, None).unwrap_or_default();
    // What replaces and excludes is read strictly, and what is damaged is told by whoever loads it.
    let mut as_written = |_: &str, version: &str| Ok(version.to_owned());
    let file = ModFile::parse("go.mod", &text, Some(&mut as_written)).unwrap_or(file);
    Some(Member {
        path: ModFile::module_path(&text),
        dir: dir.to_owned(),
        text,
        file,
    })
}
